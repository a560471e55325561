//! The block of keys between `---` lines at the top of a page.

use super::page::FrontMatter;
use crate::yaml;

/// More than this is no front matter.
const LARGEST: usize = 64 * 1024;

/// Splits a page into its front matter, the rest, and the line number of the first line of the rest.
pub(super) fn split(text: &str) -> (FrontMatter, &str, u32) {
    let none = (FrontMatter::default(), text, 1);
    let Some(after) = text.strip_prefix("---").and_then(|rest| {
        rest.strip_prefix('\n').or_else(|| rest.trim_start_matches([' ', '\t']).strip_prefix('\n'))
    }) else {
        return none;
    };
    let mut end = 0;
    let mut lines = 1;
    for line in after.split_inclusive('\n') {
        lines += 1;
        if matches!(line.trim_end(), "---" | "...") {
            let rest = after.get(end + line.len()..).unwrap_or("");
            return match read(after.get(..end).unwrap_or("")) {
                Some(front) => (front, rest, lines + 1),
                None => none,
            };
        }
        end += line.len();
        if end > LARGEST {
            break;
        }
    }
    none
}

/// Reads the keys; `None` when it is no mapping, and so a part of the page between two rules.
fn read(text: &str) -> Option<FrontMatter> {
    let file = std::sync::Arc::from("");
    let documents = yaml::parse_stream(text, &file);
    let mut front = FrontMatter::default();
    let Some(document) = documents.first() else { return Some(front) };
    let Some(node) = document.content.as_ref().ok()? else { return Some(front) };
    node.as_mapping()?;
    let word = |key: &str| {
        let value = node.get(key).filter(|value| !value.is_null())?;
        let text = value.key_text();
        (!text.is_empty() && value.as_mapping().is_none() && value.as_sequence().is_none())
            .then(|| text.into_owned())
    };
    front.title = word("title");
    front.description = word("description");
    front.status = word("status");
    front.date = word("date");
    front.tags = match node.get("tags").and_then(|tags| tags.as_sequence()) {
        Some(tags) => tags.iter().take(100).map(|tag| tag.key_text().into_owned()).collect(),
        None => word("tags").into_iter().collect(),
    };
    Some(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_and_counts_lines() {
        let (front, rest, first) =
            split("---\ntitle: A page\ntags: [a, b]\ndate: 2024-01-02\nhide:\n  - toc\n---\n# Text\n");
        assert_eq!((front.title.as_deref(), front.date.as_deref()), (Some("A page"), Some("2024-01-02")));
        assert_eq!((front.tags, rest, first), (vec!["a".to_owned(), "b".to_owned()], "# Text\n", 8));
    }

    #[test]
    fn two_rules_are_no_front_matter() {
        for text in ["---\n\ntext\n\n---\n", "---\n- a\n---\n", "text", "---\ntitle: x\n"] {
            assert_eq!(split(text), (FrontMatter::default(), text, 1), "{text:?}");
        }
    }
}
