//! Paths as a tree: folders as lines of their own, files below them with what changes.

use crate::app::Context;
use crate::config::theme::Role;
use crate::scaffolder::diff::Amount;
use crate::scaffolder::run::Decision;
use crate::ui::text::{Line, span};

/// A line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeLine {
    /// A folder, with its depth.
    Folder(String, usize),
    /// A file, by its index, with its depth.
    File(usize, usize),
}

/// Returns the lines of a tree of files whose paths use `/` and are in order.
pub fn lines<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<TreeLine> {
    let mut order: Vec<(usize, Vec<&str>)> =
        paths.enumerate().map(|(at, path)| (at, path.split('/').collect())).collect();
    // folders stand before the files beside them, as people draw trees
    order.sort_by(|a, b| key(&a.1).cmp(&key(&b.1)));
    let mut out = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (at, parts) in order {
        let folders = parts.get(..parts.len().saturating_sub(1)).unwrap_or(&[]);
        let same = open.iter().zip(folders).take_while(|(a, b)| a == b).count();
        open.truncate(same);
        for folder in folders.iter().skip(same) {
            out.push(TreeLine::Folder((*folder).to_owned(), open.len()));
            open.push(folder);
        }
        out.push(TreeLine::File(at, open.len()));
    }
    out
}

fn key<'a>(parts: &[&'a str]) -> Vec<(bool, &'a str)> {
    let last = parts.len().saturating_sub(1);
    parts.iter().enumerate().map(|(at, part)| (at == last, *part)).collect()
}

/// Returns the line of a folder.
pub fn folder(name: &str, depth: usize) -> Line {
    vec![span(format!("{}{name}/", "  ".repeat(depth)), Role::Dim)]
}

/// Returns the line of a file: its sign, its name.
pub fn file(path: &str, depth: usize, amount: Amount, is_there: bool) -> Line {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (sign, role) = match (is_there, amount.is_same) {
        (false, _) => ("+", Role::Ok),
        (true, true) => ("=", Role::Dim),
        (true, false) => ("~", Role::Warn),
    };
    vec![
        span("  ".repeat(depth), Role::Text),
        span(format!("{sign} "), role),
        span(name, if amount.is_same { Role::Dim } else { Role::Text }),
    ]
}

/// Returns how much of a file changes, and what is decided about one that is there.
pub fn note(cx: &Context, amount: Amount, is_there: bool, decision: Option<Decision>) -> Line {
    let mut line = Line::new();
    let minus = if cx.ascii { "-" } else { "−" };
    match (amount.is_same, amount.is_opaque) {
        (true, _) => line.push(span("same", Role::Dim)),
        (false, true) => line.push(span("binary", Role::Dim)),
        (false, false) => {
            line.push(span(format!("+{}", amount.added), Role::Ok));
            if amount.removed > 0 {
                line.push(span(format!(" {minus}{}", amount.removed), Role::Error));
            }
        }
    }
    if is_there && !amount.is_same {
        let (words, role) = match decision {
            Some(Decision::Keep) => ("keep", Role::Accent),
            Some(Decision::Replace) => ("replace", Role::Accent),
            Some(Decision::Both) => ("both", Role::Accent),
            None => ("keep or replace?", Role::Warn),
        };
        line.push(span(format!("  {words}"), role));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_files_and_are_named_once() {
        let paths = ["a.txt", "src/main.rs", "src/bin/x.rs", "deploy/a.yaml", "src/lib.rs"];
        let shown: Vec<String> = lines(paths.into_iter())
            .into_iter()
            .map(|line| match line {
                TreeLine::Folder(name, depth) => format!("{}{name}/", " ".repeat(depth)),
                TreeLine::File(at, depth) => format!("{}{}", " ".repeat(depth), paths[at]),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "deploy/",
                " deploy/a.yaml",
                "src/",
                " bin/",
                "  src/bin/x.rs",
                " src/lib.rs",
                " src/main.rs",
                "a.txt"
            ]
        );
    }
}
