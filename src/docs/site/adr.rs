//! Architecture decision records: which there are, what was decided, when.
//!
//! Start at [`read`]. Names are those of MADR (`0007-use-an-outbox.md`); status and date stand in the front
//! matter, or as a list under the title as earlier versions had it.

use super::nav::join;
use super::title;
use crate::catalog::tree::SourceTree;
use serde::Serialize;

/// Most records that are read.
const MAX_RECORDS: usize = 5000;
/// Largest record, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// Lines under the title that may hold status and date.
const HEAD: usize = 30;

/// A decision record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adr {
    /// Its number.
    pub number: u32,
    /// Its title, without the number.
    pub title: String,
    /// `accepted`, `proposed`, …, as it is written; empty when it does not say.
    pub status: String,
    /// `2026-03-01`; empty when it does not say.
    pub date: String,
    /// The page that shows it.
    pub page: String,
}

/// Whether a file name is one of a record: four digits, a dash, something, `.md`.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "as Backstage looks for them")]
pub fn is_record(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.len() > 8
        && name.ends_with(".md")
        && name.get(..4).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        && name.get(4..5) == Some("-")
}

/// Reads the records in a folder, the newest number first. `page` makes the path of the page out of that of
/// the file in the tree.
pub(super) fn read(tree: &dyn SourceTree, folder: &str, page: impl Fn(&str) -> String) -> Vec<Adr> {
    let mut out: Vec<Adr> = tree
        .list(folder)
        .unwrap_or_default()
        .into_iter()
        .filter(|file| is_record(file))
        .take(MAX_RECORDS)
        .filter_map(|file| {
            let text = super::read_text(tree, &file, MAX_BYTES).ok()?;
            Some(Adr { page: page(&file), ..parse(&file, &text) })
        })
        .collect();
    out.sort_by(|a, b| b.number.cmp(&a.number).then_with(|| a.page.cmp(&b.page)));
    out
}

/// Reads what a record says about itself.
pub fn parse(path: &str, text: &str) -> Adr {
    let name = path.rsplit('/').next().unwrap_or(path);
    let number = name.get(..4).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let (front, body) = title::split_front(text);
    let [mut status, mut date] =
        front.map(|front| title::fields(front, ["status", "date"])).unwrap_or_default();
    if status.is_none() || date.is_none() {
        let (found_status, found_date) = from_list(body);
        status = status.or(found_status).or_else(|| from_section(body));
        date = date.or(found_date);
    }
    let written =
        title::of_page(text).unwrap_or_else(|| title::of_name(name.get(5..name.len() - 3).unwrap_or(name)));
    Adr {
        number,
        title: without_number(&written, number),
        status: status.unwrap_or_default(),
        date: date.unwrap_or_default(),
        page: path.to_owned(),
    }
}

/// Reads `* Status: accepted` and `- Date: 2026-03-01` under the title.
fn from_list(body: &str) -> (Option<String>, Option<String>) {
    let (mut status, mut date) = (None, None);
    for line in body.lines().take(HEAD) {
        let Some(item) = line.trim_start().strip_prefix(['*', '-']) else { continue };
        let item = item.trim().trim_start_matches('*');
        let Some((key, value)) = item.split_once(':') else { continue };
        let value = title::plain(value.trim_start_matches('*'));
        match key.trim().trim_end_matches('*').to_ascii_lowercase().as_str() {
            "status" if status.is_none() => status = Some(value).filter(|text| !text.is_empty()),
            "date" if date.is_none() => date = Some(value).filter(|text| !text.is_empty()),
            _ => {}
        }
    }
    (status, date)
}

/// Reads the first line under `## Status`, as the oldest form has it.
fn from_section(body: &str) -> Option<String> {
    let mut lines = body.lines().skip_while(|line| {
        let heading = line.trim_start_matches('#');
        heading.len() == line.len() || !heading.trim().eq_ignore_ascii_case("status")
    });
    lines.next()?;
    let line = lines.map(str::trim).find(|line| !line.is_empty()).filter(|line| !line.starts_with('#'))?;
    Some(title::plain(line).trim_end_matches('.').to_owned()).filter(|text| text.len() <= 200)
}

/// Takes `ADR 7:`, `7.`, `0007 -` off a title.
fn without_number(written: &str, number: u32) -> String {
    let mut rest = written.trim();
    for word in ["ADR", "adr", "Adr"] {
        if let Some(tail) = rest.strip_prefix(word) {
            rest = tail.trim_start_matches(['-', ' ', '#']);
            break;
        }
    }
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    if digits.parse() == Ok(number) {
        let tail =
            rest.get(digits.len()..).unwrap_or("").trim_start_matches(['.', ':', '-', '–', '—', ' ', ')']);
        if !tail.is_empty() {
            return tail.to_owned();
        }
    }
    written.trim().to_owned()
}

/// Returns the first word of a status in lower case, to group and colour by.
pub fn status_word(status: &str) -> &str {
    const WORDS: [&str; 6] = ["proposed", "accepted", "rejected", "deprecated", "superseded", "draft"];
    let first = status.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    WORDS.into_iter().find(|word| word.eq_ignore_ascii_case(first)).unwrap_or(first)
}

impl super::Site {
    /// Adds the decision records of a folder to the site. Those that are pages already stay pages.
    pub fn add_records(&mut self, tree: &std::sync::Arc<dyn SourceTree>, folder: &str) {
        let main = self.mounts.iter().find(|mount| mount.prefix.is_empty());
        let docs =
            main.filter(|main| std::sync::Arc::ptr_eq(&main.tree, tree)).map(|main| main.folder.clone());
        let start = docs.map(|docs| if docs.is_empty() { docs } else { format!("{docs}/") });
        let inside = |file: &str| {
            let path = file.strip_prefix(start.as_deref()?)?;
            self.number_of(path).is_some().then(|| path.to_owned())
        };
        let below = |file: &str| {
            let rest = file.strip_prefix(folder).unwrap_or(file).trim_start_matches('/');
            format!("{}{rest}", super::RECORD)
        };
        self.records = read(&**tree, folder, |file| inside(file).unwrap_or_else(|| below(file)));
        self.mounts.push(super::Mount {
            prefix: super::RECORD.to_owned(),
            tree: tree.clone(),
            folder: folder.to_owned(),
            base: join(folder, ""),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_date_of_every_form() {
        for (text, title, status, date) in [
            ("---\nstatus: accepted\ndate: 2026-03-01\n---\n# Use X\n", "Use X", "accepted", "2026-03-01"),
            (
                "# ADR-0007: Use X\n\n* Status: superseded by [0009](0009-y.md)\n* Date: 2020-01-01\n",
                "Use X",
                "superseded by 0009",
                "2020-01-01",
            ),
            ("# 7. Use X\n\n- **Status:** proposed\n- Date: 2020-01-01\n", "Use X", "proposed", "2020-01-01"),
            ("# Use X\n\n## Status\n\nAccepted.\n\n## Context\n", "Use X", "Accepted", ""),
            ("no heading\n", "Use it", "", ""),
        ] {
            let found = parse("docs/adr/0007-use-it.md", text);
            assert_eq!(
                (found.number, found.title.as_str(), found.status.as_str(), found.date.as_str()),
                (7, title, status, date)
            );
        }
        assert_eq!(status_word("Superseded by 9"), "superseded");
    }

    #[test]
    fn only_numbered_files_are_records() {
        for (path, expected) in [
            ("adr/0001-a.md", true),
            ("0001-a.md", true),
            ("001-a.md", false),
            ("0001-.md", false),
            ("0001_a.md", false),
            ("README.md", false),
            ("0001-a.txt", false),
        ] {
            assert_eq!(is_record(path), expected, "{path}");
        }
    }
}
