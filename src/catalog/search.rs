//! Ranked search over names, titles, tags and descriptions.
//!
//! Start at [`search`]. The text is a filter: conditions on fields narrow, words rank. A word counts
//! more in a name or title (8) than in a tag (4) than elsewhere (1), and more as the whole field (4)
//! than at its start (3), at the start of a word in it (2) or inside (1). Only if nothing is found,
//! words of five letters or more may differ by one letter.

use super::filter::{Anchor, Atom, Filter, FilterError, Term};
use super::query::{Query, Viewer};
use super::snapshot::{Catalog, EntityId};
use rayon::prelude::*;
use tokio_util::sync::CancellationToken;

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub id: EntityId,
    /// Higher is better.
    pub score: u32,
    /// Where the best word was found.
    pub field: Field,
}

/// Where a word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Type, owner, system, description.
    Text,
    /// One of the tags.
    Tag,
    /// Title or display name.
    Title,
    /// Name.
    Name,
}

impl Field {
    fn weight(self) -> u32 {
        match self {
            Self::Name | Self::Title => 8,
            Self::Tag => 4,
            Self::Text => 1,
        }
    }
}

/// Shortest word that may differ by a letter, in letters.
const FUZZY_LETTERS: usize = 5;

/// Searches; best first, equals by ref.
///
/// # Errors
/// [`FilterError`] when the text is no filter.
pub fn search(
    catalog: &Catalog,
    viewer: &Viewer,
    text: &str,
    limit: usize,
    cancel: &CancellationToken,
) -> Result<Vec<Hit>, FilterError> {
    let filter = Filter::parse(text)?;
    let (words, others): (Vec<Term>, Vec<Term>) =
        filter.terms().iter().cloned().partition(|term| word(term).is_some());
    let words: Vec<String> = words.iter().filter_map(word).map(str::to_lowercase).collect();
    let narrowed = Query::from(Filter::from_terms(others)).run(catalog, viewer, cancel);
    let mut hits = rank(catalog, &narrowed, &words, false, cancel);
    if hits.is_empty() && words.iter().any(|w| w.chars().count() >= FUZZY_LETTERS) {
        hits = rank(catalog, &narrowed, &words, true, cancel);
    }
    hits.sort_unstable_by(|a, b| b.score.cmp(&a.score).then(a.id.cmp(&b.id)));
    hits.truncate(limit);
    Ok(hits)
}

/// Returns the text of a term that is one plain word or phrase.
fn word(term: &Term) -> Option<&str> {
    match term.any.as_slice() {
        [Atom::Word { text, anchor: Anchor::Anywhere, .. }] if !term.negated => Some(text),
        _ => None,
    }
}

fn rank(
    catalog: &Catalog,
    ids: &[EntityId],
    words: &[String],
    fuzzy: bool,
    cancel: &CancellationToken,
) -> Vec<Hit> {
    ids.par_chunks(4096)
        .flat_map_iter(|chunk| {
            let chunk = if cancel.is_cancelled() { &[] } else { chunk };
            chunk.iter().filter_map(|id| score(catalog, *id, words, fuzzy))
        })
        .collect()
}

/// Scores an entity; every word has to be found somewhere.
fn score(catalog: &Catalog, id: EntityId, words: &[String], fuzzy: bool) -> Option<Hit> {
    let haystack = catalog.haystack(id);
    let mut hit = Hit { id, score: 1, field: Field::Text };
    let mut best = 0;
    for word in words {
        if !fuzzy && memchr::memmem::find(haystack.as_bytes(), word.as_bytes()).is_none() {
            return None;
        }
        let (score, field) = fields(catalog, id, haystack)
            .map(|(field, text)| (field.weight() * nearness(text, word, fuzzy), field))
            .max()?;
        if score == 0 {
            return None;
        }
        hit.score += score;
        if score > best {
            best = score;
            hit.field = field;
        }
    }
    Some(hit)
}

/// The lines of a haystack with what they are.
fn fields<'a>(catalog: &Catalog, id: EntityId, haystack: &'a str) -> impl Iterator<Item = (Field, &'a str)> {
    let tags = catalog.tags_of(id.0).len();
    haystack.split('\n').enumerate().map(move |(line, text)| {
        let field = match line {
            0 => Field::Name,
            1 => Field::Title,
            2..=4 => Field::Text,
            line if line < 5 + tags => Field::Tag,
            _ => Field::Text,
        };
        (field, text)
    })
}

fn nearness(text: &str, word: &str, fuzzy: bool) -> u32 {
    let Some(at) = text.find(word) else {
        let near = fuzzy && has_near_word(text, word);
        // a near miss of the whole field is better than one somewhere in it
        return u32::from(near) + u32::from(near && text.len() <= word.len() + 1);
    };
    // scores are doubled so that the inner ones keep apart from a near miss
    let starts_word = text.match_indices(word).any(|(at, _)| {
        text.get(..at).and_then(|b| b.chars().next_back()).is_none_or(|c| !c.is_alphanumeric())
    });
    match (at, starts_word) {
        (0, _) if text.len() == word.len() => 8,
        (0, _) => 6,
        (_, true) => 4,
        (_, false) => 2,
    }
}

fn has_near_word(text: &str, word: &str) -> bool {
    let wanted: Vec<char> = word.chars().collect();
    wanted.len() >= FUZZY_LETTERS
        && text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| part.len() + 4 > word.len())
            .any(|part| within_one(&wanted, part))
}

/// Whether two words differ by at most one letter added, removed or changed, or two swapped.
fn within_one(wanted: &[char], word: &str) -> bool {
    let word: Vec<char> = word.chars().collect();
    let same = wanted.iter().zip(&word).take_while(|(left, right)| left == right).count();
    let (Some(a), Some(b)) = (wanted.get(same..), word.get(same..)) else { return false };
    match (a, b) {
        ([] | [_], []) | ([], [_]) => true,
        ([one, two, a @ ..], [three, four, b @ ..]) if (one, two) == (four, three) && a == b => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, rest @ ..], b) if rest == b => true,
        (a, [_, rest @ ..]) => rest == a,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::catalog;

    fn found(text: &str) -> Vec<String> {
        let catalog = catalog(
            "kind: Component\nname: checkout\n---\nkind: Component\nname: checkout-web\n---\nkind: Component\nname: cart\n\
             title: Before checkout\n---\nkind: Component\nname: ledger\ntags: [checkout]\n---\nkind: API\nname: pay\n\
             description: called by checkout\n",
        );
        let hits = search(&catalog, &Viewer::default(), text, 10, &CancellationToken::new()).unwrap();
        hits.iter().map(|hit| catalog.ref_of(hit.id).to_owned()).collect()
    }

    #[test]
    fn better_places_come_first() {
        assert_eq!(
            found("checkout"),
            [
                "component:default/checkout",
                "component:default/checkout-web",
                "component:default/cart",
                "component:default/ledger",
                "api:default/pay",
            ]
        );
    }

    #[test]
    fn fields_narrow_and_typing_errors_are_forgiven() {
        assert_eq!(found("kind:api checkout"), ["api:default/pay"]);
        assert_eq!(found("chekout").first().map(String::as_str), Some("component:default/checkout"));
        assert_eq!(found("chekcout").len(), 5);
        assert!(found("chxxout").is_empty());
        assert!(found("legder kind:api").is_empty());
    }
}
