//! Differences as Markdown for a comment on a pull request: a short table, details folded below.
//!
//! Everything that comes from files stands in code spans, where nothing of it is markup, an address or a
//! mention. The whole stays below what forges take for one comment.

use super::short;
use crate::catalog::compare::Comparison;
use crate::catalog::diff::{EntityChange, EntityNote, Problem, RelationChange};
use crate::model::relation;
use crate::model::text::clean;
use std::fmt::Write as _;

/// Largest comment in bytes; GitHub takes 65,536 characters.
const MAX: usize = 60_000;
/// Names in the table itself.
const NAMES: usize = 5;

/// Writes the differences.
pub fn render(found: &Comparison) -> String {
    let diff = &found.diff;
    let mut out = String::from("### Catalog changes\n\n");
    let _ = writeln!(out, "{} → {}\n", code(&found.from.name()), code(&found.to.name()));
    if diff.is_empty() && diff.moved.is_empty() {
        out.push_str("No differences.\n");
        return out;
    }
    let refs = |notes: &[EntityNote]| -> Vec<String> { notes.iter().map(|n| n.entity_ref.clone()).collect() };
    let changed: Vec<String> = diff.changed.iter().map(|c| c.entity_ref.clone()).collect();
    let owners: Vec<String> = diff.owners.iter().map(|o| o.entity_ref.clone()).collect();
    let moved: Vec<String> = diff.moved.iter().map(|m| m.entity_ref.clone()).collect();
    out.push_str("| | | |\n|---|--:|---|\n");
    for (title, names) in [
        ("Added", refs(&diff.added)),
        ("Removed", refs(&diff.removed)),
        ("Changed", changed),
        ("Moved", moved),
        ("Owner changed", owners),
    ] {
        if !names.is_empty() {
            let _ = writeln!(out, "| {title} | {} | {} |", names.len(), some(&names));
        }
    }
    for (title, count) in [
        ("Relations gained", diff.relations.gained.len()),
        ("Relations lost", diff.relations.lost.len()),
        ("Problems introduced", diff.problems.introduced.len()),
        ("Problems solved", diff.problems.solved.len()),
    ] {
        if count > 0 {
            let _ = writeln!(out, "| {title} | {count} | |");
        }
    }
    fold(&mut out, "Problems introduced", &diff.problems.introduced, problem);
    fold(&mut out, "Changed", &diff.changed, change);
    fold(&mut out, "Added", &diff.added, note);
    fold(&mut out, "Removed", &diff.removed, note);
    fold(&mut out, "Owner changed", &diff.owners, |owner| {
        let end = |text: &Option<String>| text.as_deref().map_or_else(|| "nobody".to_owned(), code);
        format!("- {}: {} → {}\n", code(&owner.entity_ref), end(&owner.old), end(&owner.new))
    });
    fold(&mut out, "Relations gained", &diff.relations.gained, relation_line);
    fold(&mut out, "Relations lost", &diff.relations.lost, relation_line);
    fold(&mut out, "Moved", &diff.moved, |moved| {
        format!("- {}: {} → {}\n", code(&moved.entity_ref), code(&moved.from), code(&moved.to))
    });
    fold(&mut out, "Problems solved", &diff.problems.solved, problem);
    out
}

/// Writes a folded list, as much of it as there is room for.
fn fold<T>(out: &mut String, title: &str, items: &[T], write: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    let room = MAX.saturating_sub(out.len() + 200);
    let mut body = String::new();
    let mut left = items.len();
    for item in items {
        let text = write(item);
        if body.len() + text.len() > room {
            break;
        }
        body.push_str(&text);
        left -= 1;
    }
    let _ = write!(out, "\n<details><summary>{title} ({})</summary>\n\n{body}", items.len());
    if left > 0 {
        let _ = write!(out, "\nand {left} more\n");
    }
    out.push_str("\n</details>\n");
}

fn some(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMES).map(|name| cell(name)).collect();
    if names.len() > NAMES {
        shown.push(format!("and {} more", names.len() - NAMES));
    }
    shown.join(", ")
}

fn note(note: &EntityNote) -> String {
    let owner = note.owner.as_deref().map(|owner| format!(", owner {}", code(owner))).unwrap_or_default();
    format!("- {}{owner} in {}\n", code(&note.entity_ref), code(&format!("{}:{}", note.file, note.line)))
}

fn change(change: &EntityChange) -> String {
    let place = format!("{}:{}", change.file, change.line);
    let mut out = format!("{} in {}\n\n", code(&change.entity_ref), code(&place));
    out.push_str("| Field | Before | After |\n|---|---|---|\n");
    let value = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(|| "–".to_owned(), |v| cell(&short(v)))
    };
    for field in &change.fields {
        let _ = writeln!(out, "| {} | {} | {} |", cell(&field.field), value(&field.old), value(&field.new));
    }
    if change.more_fields > 0 {
        let _ = writeln!(out, "\nand {} more fields", change.more_fields);
    }
    out.push('\n');
    out
}

fn relation_line(change: &RelationChange) -> String {
    format!(
        "- {} {} {} ({})\n",
        code(&change.source_ref),
        code(&relation::words(&change.r#type)),
        code(&change.target_ref),
        change.because.words()
    )
}

fn problem(problem: &Problem) -> String {
    let place = problem.file.as_deref().map(|file| format!("{file}:{}", problem.line));
    let place = place.map(|place| format!(" in {}", code(place.trim_end_matches(":0")))).unwrap_or_default();
    format!("- **{}** {}{place}\n", problem.severity.as_str(), code(&problem.message))
}

/// As [`code`], for a cell of a table.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Puts foreign text into a code span, in which nothing is markup.
fn code(text: &str) -> String {
    let text = clean(text);
    let text = text.trim();
    if text.is_empty() {
        return "–".to_owned();
    }
    let mut run = 0;
    let mut longest = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_no_markup() {
        let cases = [
            ("a", "`a`"),
            ("a|b", "`a|b`"),
            ("a`b", "``a`b``"),
            ("`x``", "``` `x`` ```"),
            ("</details>\n@everyone", "`</details> @everyone`"),
            ("", "–"),
            ("\u{1b}[31m", "`\u{fffd}[31m`"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn a_comment_is_never_too_long() {
        let note = |n: usize| EntityNote {
            entity_ref: format!("component:default/{n}"),
            title: None,
            r#type: None,
            owner: None,
            file: "x".repeat(100),
            line: 1,
        };
        let mut diff = crate::catalog::diff::CatalogDiff::default();
        diff.added = (0..5000).map(note).collect();
        diff.removed = diff.added.clone();
        diff.summary.added = 5000;
        let range = crate::catalog::sources::revisions::Range::parse("a..b").unwrap();
        let (from, to) = (crate::catalog::compare::End::default(), crate::catalog::compare::End::default());
        let text = render(&Comparison { range, from, to, diff });
        assert!(text.len() < 65_000, "{}", text.len());
        assert!(text.contains("and 5000 more") && text.contains("Added | 5000"));
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
}
