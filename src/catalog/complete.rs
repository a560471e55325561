//! What can stand at the cursor of a filter: keys, states and counts, and the values of a field with
//! how many entities have them.

use super::facets::{FACETS, facet};
use super::filter::{COUNTS, KEYS, STATES, quoted};
use super::query::{Query, Viewer};
use super::snapshot::{Catalog, EntityId};
use std::ops::Range;
use tokio_util::sync::CancellationToken;

/// Suggestions for a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// What an item replaces, in bytes of the text.
    pub span: Range<usize>,
    /// Best first.
    pub items: Vec<CompletionItem>,
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionItem {
    /// What is put in.
    pub insert: String,
    /// What is shown.
    pub label: String,
    /// What it means; empty for values.
    pub help: &'static str,
    /// Entities that have it, for values and states.
    pub count: Option<usize>,
}

/// Most suggestions.
const MAX_ITEMS: usize = 100;

/// Returns what can stand at a cursor (in bytes).
pub fn complete(catalog: &Catalog, viewer: &Viewer, text: &str, cursor: usize) -> Completion {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let start = word_start(text, cursor);
    let word = text.get(start..cursor).unwrap_or("");
    let signs = word.len() - word.trim_start_matches(['!', '-']).len();
    let (start, word) = (start + signs, word.get(signs..).unwrap_or(""));
    let mut completion = match word.split_once(':') {
        Some((key, values)) => {
            let value = values.rsplit(',').next().unwrap_or("");
            let span = cursor - value.len()..cursor;
            let typed = value.trim_start_matches('"').to_lowercase();
            Completion { span, items: values_of(catalog, viewer, &key.to_lowercase(), &typed) }
        }
        None => Completion { span: start..cursor, items: keys(word) },
    };
    completion.items.truncate(MAX_ITEMS);
    completion
}

/// Finds where the word at the cursor starts; spaces inside quotes do not end it.
fn word_start(text: &str, cursor: usize) -> usize {
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices().take_while(|(at, _)| *at < cursor) {
        match c {
            '"' => quoted = !quoted,
            c if (c.is_whitespace() || c == '|') && !quoted => start = at + c.len_utf8(),
            _ => {}
        }
    }
    start
}

fn keys(typed: &str) -> Vec<CompletionItem> {
    let typed = typed.to_lowercase();
    let item = |name: &str, sign: &str, help| CompletionItem {
        insert: format!("{name}{sign}"),
        label: format!("{name}{sign}"),
        help,
        count: None,
    };
    let keys = KEYS.iter().map(|(name, _, help)| item(name, ":", help));
    let counts = COUNTS.iter().map(|(name, _, help)| item(name, ">", help));
    let all: Vec<CompletionItem> = keys.chain([item("is", ":", "state")]).chain(counts).collect();
    all.into_iter().filter(|item| item.label.to_lowercase().starts_with(&typed)).collect()
}

fn values_of(catalog: &Catalog, viewer: &Viewer, key: &str, typed: &str) -> Vec<CompletionItem> {
    let key = if key == "ns" { "namespace" } else { key };
    let cancel = CancellationToken::new();
    if key == "is" {
        return STATES
            .iter()
            .filter(|(name, ..)| name.starts_with(typed))
            .map(|(name, _, help)| {
                let count =
                    Query::parse(&format!("is:{name}")).map(|q| q.run(catalog, viewer, &cancel).len()).ok();
                CompletionItem { insert: (*name).to_owned(), label: (*name).to_owned(), help, count }
            })
            .collect();
    }
    let mut items = Vec::new();
    if key == "owner" {
        for (name, help) in [("me", "me and my groups"), ("none", "nobody that exists")] {
            if name.starts_with(typed) {
                let count = Query::parse(&format!("owner:{name}"))
                    .map(|q| q.run(catalog, viewer, &cancel).len())
                    .ok();
                items.push(CompletionItem { insert: name.to_owned(), label: name.to_owned(), help, count });
            }
        }
    }
    if key == "status" {
        for name in ["down", "slow", "unknown", "ok"].into_iter().filter(|name| name.starts_with(typed)) {
            let count = viewer.health.values().filter(|word| **word == name).count();
            items.push(CompletionItem {
                insert: name.to_owned(),
                label: name.to_owned(),
                help: "health",
                count: Some(count),
            });
        }
    }
    if FACETS.contains(&key) {
        let ids: Vec<EntityId> = catalog.ids().collect();
        let values = facet(catalog, &ids, key).map(|facet| facet.values).unwrap_or_default();
        let (starts, inside): (Vec<_>, Vec<_>) = values
            .into_iter()
            .filter(|value| value.value.to_lowercase().contains(typed))
            .partition(|value| value.value.to_lowercase().starts_with(typed));
        items.extend(starts.into_iter().chain(inside).map(|value| CompletionItem {
            insert: quoted(&value.value),
            label: value.value,
            help: "",
            count: Some(value.count),
        }));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::catalog;

    fn labels(text: &str, cursor: usize) -> (Range<usize>, Vec<String>) {
        let catalog = catalog(
            "kind: Component\nname: a\ntags: [go]\n---\nkind: Component\nname: b\n---\nkind: API\nname: c\ntags: [go, web]\n",
        );
        let completion = complete(&catalog, &Viewer::default(), text, cursor);
        let label = |item: CompletionItem| match item.count {
            Some(count) => format!("{} {count}", item.insert),
            None => item.insert,
        };
        (completion.span, completion.items.into_iter().map(label).collect())
    }

    #[test]
    fn suggests_keys_and_values_with_counts() {
        assert_eq!(labels("li", 2), (0..2, vec!["lifecycle:".into(), "links>".into()]));
        assert_eq!(labels("x kind:", 7), (7..7, vec!["Component 2".into(), "API 1".into()]));
        assert_eq!(labels("!tag:go,w", 9), (8..9, vec!["web 1".into()]));
        assert_eq!(labels("is:or", 5).0, 3..5);
        assert_eq!(labels("a|tag:g b", 7), (6..7, vec!["go 2".into()]));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in r#"[a-z:|!", é-]{0,16}"#, cursor in 0usize..20) {
            let span = complete(&Catalog::default(), &Viewer::default(), &text, cursor).span;
            proptest::prop_assert!(text.get(span).is_some());
        }
    }
}
