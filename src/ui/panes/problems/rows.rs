//! Which diagnostics are shown, in which order, and how many there are of each sort; no drawing.
//!
//! Diagnostics are numbered: those outside the catalog first (configuration, sources), then the
//! snapshot's. The numbers belong to one [`Rows`], which keeps the snapshot they point into.

use crate::app::Context;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Severity};
use std::cmp::Ordering;
use std::sync::Arc;

/// What the rows can be sorted by, with the titles of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Worst first, as the catalog has them.
    #[default]
    Severity,
    /// Code.
    Code,
    /// Message.
    Message,
    /// File and line.
    Where,
    /// Entity.
    Entity,
}

impl By {
    /// Every order with its title, as the columns stand.
    pub const ALL: [(By, &'static str); 5] = [
        (By::Severity, "severity"),
        (By::Code, "code"),
        (By::Message, "message"),
        (By::Where, "where"),
        (By::Entity, "entity"),
    ];
}

/// All diagnostics and those that the filter lets through.
#[derive(Debug, Default)]
pub struct Rows {
    catalog: Arc<Catalog>,
    /// Configuration and sources.
    outside: Vec<Diagnostic>,
    /// Lower-cased text that words are looked for in, per diagnostic; made when the first filter runs.
    texts: Vec<String>,
    /// Numbers of the shown diagnostics, in order.
    shown: Vec<u32>,
    /// Counts over all: key, and values with counts, the most frequent first.
    pub facets: Vec<(&'static str, Vec<(String, usize)>)>,
    /// Errors and warnings over all.
    pub totals: (usize, usize),
}

impl Rows {
    /// Collects everything that is wrong now.
    pub fn collect(cx: &Context) -> Self {
        let inside = cx.catalog.diagnostics();
        let mut outside: Vec<Diagnostic> = Vec::new();
        let sources = cx.catalog.sources().iter().filter_map(|source| source.error.as_ref());
        for diagnostic in cx.config_diagnostics.iter().chain(sources) {
            if !inside.contains(diagnostic) && !outside.contains(diagnostic) {
                outside.push(diagnostic.clone());
            }
        }
        let mut rows = Self { catalog: cx.catalog.clone(), outside, ..Self::default() };
        rows.count();
        rows
    }

    /// Returns whether they are those of this snapshot.
    pub fn is_of(&self, catalog: &Arc<Catalog>) -> bool {
        Arc::ptr_eq(&self.catalog, catalog)
    }

    /// Returns the number of all diagnostics.
    pub fn all(&self) -> usize {
        self.outside.len() + self.catalog.diagnostics().len()
    }

    /// Returns the number of shown diagnostics.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Returns whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns a shown diagnostic.
    pub fn get(&self, row: usize) -> Option<&Diagnostic> {
        self.at(*self.shown.get(row)?)
    }

    /// Iterates over the shown diagnostics.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.shown.iter().filter_map(|number| self.at(*number))
    }

    /// Returns the row of a diagnostic by its key.
    pub fn position(&self, wanted: &str) -> Option<usize> {
        self.iter().position(|diagnostic| key(diagnostic) == wanted)
    }

    /// Chooses and orders the rows.
    pub fn show(&mut self, filter: &str, by: By, is_descending: bool) {
        let terms = parse(filter);
        if self.texts.is_empty() && terms.iter().any(|term| matches!(term.what, What::Word(_))) {
            self.texts = (0..self.all() as u32).filter_map(|n| self.at(n)).map(text).collect();
        }
        let holds = |number: &u32| {
            let text = self.texts.get(*number as usize).map_or("", String::as_str);
            self.at(*number).is_some_and(|diagnostic| terms.iter().all(|term| term.holds(diagnostic, text)))
        };
        let mut shown: Vec<u32> = (0..self.all() as u32).filter(holds).collect();
        // stable, so that rows that are equal in the column stay worst first
        shown.sort_by(|a, b| match (self.at(*a), self.at(*b)) {
            (Some(a), Some(b)) => compare(a, b, by),
            _ => Ordering::Equal,
        });
        if is_descending {
            shown.reverse();
        }
        self.shown = shown;
    }

    fn at(&self, number: u32) -> Option<&Diagnostic> {
        let number = number as usize;
        match number.checked_sub(self.outside.len()) {
            None => self.outside.get(number),
            Some(inside) => self.catalog.diagnostics().get(inside),
        }
    }

    fn count(&mut self) {
        let mut severities = rustc_hash::FxHashMap::<&str, usize>::default();
        let mut codes = rustc_hash::FxHashMap::<&str, usize>::default();
        let mut sources = rustc_hash::FxHashMap::<&str, usize>::default();
        for diagnostic in self.outside.iter().chain(self.catalog.diagnostics()) {
            *severities.entry(diagnostic.severity.as_str()).or_default() += 1;
            *codes.entry(diagnostic.code).or_default() += 1;
            if let Some(source) = &diagnostic.source {
                *sources.entry(source).or_default() += 1;
            }
        }
        let number = |severity: Severity| severities.get(severity.as_str()).copied().unwrap_or(0);
        self.totals = (number(Severity::Error), number(Severity::Warning));
        let all = [("severity", severities), ("code", codes), ("source", sources)];
        self.facets = all
            .into_iter()
            .filter(|(_, counts)| !counts.is_empty())
            .map(|(key, counts)| {
                let mut values: Vec<(String, usize)> =
                    counts.into_iter().map(|(value, n)| (value.to_owned(), n)).collect();
                values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                (key, values)
            })
            .collect();
    }
}

/// Returns what tells a diagnostic from others across snapshots, so that marks survive a refresh.
pub fn key(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.location.as_ref().map(ToString::to_string).unwrap_or_default();
    let pointer = diagnostic.pointer.as_deref().unwrap_or("");
    format!("{} {place} {pointer} {}", diagnostic.code, diagnostic.message)
}

/// Twenty thousand of these are made at the first key of a filter, so each costs one allocation.
fn text(diagnostic: &Diagnostic) -> String {
    let file = diagnostic.location.as_ref().map_or("", |location| &location.file);
    let parts = [
        diagnostic.message.as_str(),
        diagnostic.code,
        file,
        diagnostic.entity.as_deref().unwrap_or(""),
        diagnostic.source.as_deref().unwrap_or(""),
    ];
    let mut out = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for part in parts {
        out.push_str(part);
        out.push('\n');
    }
    if !out.is_ascii() {
        return out.to_lowercase();
    }
    out.make_ascii_lowercase();
    out
}

fn compare(a: &Diagnostic, b: &Diagnostic, by: By) -> Ordering {
    match by {
        By::Severity => a.severity.cmp(&b.severity),
        By::Code => a.code.cmp(b.code),
        By::Message => a.message.cmp(&b.message),
        // what has no place or entity comes last
        By::Where => (a.location.is_none(), &a.location).cmp(&(b.location.is_none(), &b.location)),
        By::Entity => (a.entity.is_none(), &a.entity).cmp(&(b.entity.is_none(), &b.entity)),
    }
}

struct Term {
    is_negated: bool,
    what: What,
}

enum What {
    /// A word to look for, and whether its case counts.
    Word(String),
    Severity(String),
    Code(String),
    Source(String),
    Entity(String),
    File(String),
}

impl Term {
    fn holds(&self, diagnostic: &Diagnostic, text: &str) -> bool {
        let has = |field: Option<&str>, wanted: &str| field.is_some_and(|field| contains(field, wanted));
        let holds = match &self.what {
            // the lower-cased text says no quickly; only a capital letter needs the real one
            What::Word(word) if word.chars().any(char::is_uppercase) => {
                text.contains(&word.to_lowercase())
                    && (contains(&diagnostic.message, word)
                        || has(diagnostic.location.as_ref().map(|l| &*l.file), word)
                        || has(diagnostic.source.as_deref(), word))
            }
            What::Word(word) => text.contains(word.as_str()),
            What::Severity(wanted) => diagnostic.severity.as_str().starts_with(wanted.as_str()),
            What::Code(wanted) => contains(diagnostic.code, wanted),
            What::Source(wanted) => has(diagnostic.source.as_deref(), wanted),
            What::Entity(wanted) => has(diagnostic.entity.as_deref(), wanted),
            What::File(wanted) => has(diagnostic.location.as_ref().map(|l| &*l.file), wanted),
        };
        holds != self.is_negated
    }
}

/// Looks for a word without case unless it has a capital letter itself.
fn contains(text: &str, word: &str) -> bool {
    if word.chars().any(char::is_uppercase) {
        return text.contains(word);
    }
    text.contains(word) || text.to_lowercase().contains(word)
}

/// Splits a filter at spaces outside quotes.
pub fn split_terms(filter: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut is_quoted = false;
    for c in filter.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => terms.push(String::new()),
            c => {
                if let Some(last) = terms.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    terms.retain(|term| !term.is_empty());
    terms
}

fn parse(filter: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for word in split_terms(filter) {
        let rest = word.strip_prefix(['!', '-']).filter(|rest| !rest.is_empty());
        let (is_negated, word) = (rest.is_some(), rest.unwrap_or(&word));
        let (key, value) = word.split_once(':').unwrap_or(("", word));
        let value = value.to_owned();
        let what = match key {
            "severity" => What::Severity(value.to_lowercase()),
            "code" => What::Code(value),
            "source" => What::Source(value),
            "entity" => What::Entity(value),
            "file" => What::File(value),
            // codes have colons too: what is no key is looked for as it is
            _ => What::Word(word.to_owned()),
        };
        terms.push(Term { is_negated, what });
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceLocation;

    fn rows() -> Rows {
        let at = |file: &str, line| SourceLocation::at(file, line, 1);
        let outside = vec![
            Diagnostic::error("catalog::invalid-name", "`Checkout API` is not a valid name")
                .at(at("payments.yaml", 14))
                .entity("api:default/checkout"),
            Diagnostic::warning("catalog::dangling", "nobody describes `team-x`").at(at("a.yaml", 3)),
            Diagnostic::warning("config::unknown-key", "there is no setting `themes`"),
        ];
        let mut rows = Rows { outside, ..Rows::default() };
        rows.count();
        rows
    }

    #[test]
    fn filters_by_words_and_fields() {
        let cases: &[(&str, &[usize])] = &[
            ("", &[0, 1, 2]),
            ("checkout", &[0]),
            ("Checkout", &[0]),
            ("CHECKOUT", &[]),
            ("severity:error", &[0]),
            ("severity:warn", &[1, 2]),
            ("!severity:error", &[1, 2]),
            ("code:dangling", &[1]),
            ("catalog::", &[0, 1]),
            ("catalog:: -team-x", &[0]),
            ("file:payments", &[0]),
            ("entity:api", &[0]),
            ("\"no setting\"", &[2]),
            ("nothing like this", &[]),
        ];
        for (filter, expected) in cases {
            let mut rows = rows();
            rows.show(filter, By::Severity, false);
            let shown: Vec<usize> = rows.shown.iter().map(|n| *n as usize).collect();
            assert_eq!(shown, *expected, "{filter}");
        }
    }

    #[test]
    fn sorts_and_puts_what_has_no_place_last() {
        let mut rows = rows();
        let order = |rows: &Rows| rows.shown.clone();
        rows.show("", By::Where, false);
        assert_eq!(order(&rows), [1, 0, 2]);
        rows.show("", By::Code, true);
        assert_eq!(order(&rows), [2, 0, 1]);
    }

    #[test]
    fn counts_all_whatever_is_shown() {
        let mut rows = rows();
        rows.show("severity:error", By::Severity, false);
        assert_eq!(rows.totals, (1, 2));
        assert_eq!(rows.facets[0], ("severity", vec![("warning".to_owned(), 2), ("error".to_owned(), 1)]));
    }
}
