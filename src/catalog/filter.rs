//! The filter language: what a person types after `/`, `--filter` and in the search box, as data.
//!
//! Start at [`Filter::parse`]. This file only reads; [`super::query`] evaluates. Terms stand side by
//! side and all must hold:
//!
//! | form | matches |
//! | --- | --- |
//! | `word`, `"a phrase"` | text as a substring; without case unless it has a capital |
//! | `^start`, `end$`, `^whole$` | at the edge of a name or title |
//! | `~wrd` | letters in this order in a name or title |
//! | `/re/` | a regular expression, line by line |
//! | `key:value`, `key:a,b`, `key:` | a field: equal to one of these (`*` stands for anything), present |
//! | `tags>2` | a count |
//! | `is:mine` | a state |
//! | `-l a=b,c` | a label selector |
//! | `a\|b`, `!a`, `-a` | either, not |

use super::selector::Selector;
use crate::diagnostic::Diagnostic;
use crate::model::text::nearest;
use std::ops::Range;

/// A filter that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// One condition; all terms of a filter must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
    /// Whether it must not hold.
    pub negated: bool,
    /// It holds if one of these does; never empty.
    pub any: Vec<Atom>,
}

/// The smallest question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    /// Text somewhere in what is searched.
    Word {
        /// Lower case unless `case_sensitive`.
        text: String,
        /// Set when the person typed a capital.
        case_sensitive: bool,
        /// Where it has to stand.
        anchor: Anchor,
    },
    /// Letters in this order in a name or title.
    Fuzzy(String),
    /// A regular expression that compiles.
    Regex {
        /// Without the slashes.
        pattern: String,
        /// Set when the person typed a capital.
        case_sensitive: bool,
    },
    /// A field with one of these values; no values: the field is there.
    Field {
        /// Which.
        key: Key,
        /// Lower case, `*` stands for any text.
        values: Vec<String>,
    },
    /// A count compared with a number.
    Compare {
        /// What is counted.
        count: Count,
        /// How.
        op: Op,
        /// With what.
        value: u64,
    },
    /// A state.
    Is(State),
    /// A label selector.
    Labels(Selector),
}

/// Where a word has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Anywhere in the searched text.
    Anywhere,
    /// At the start of a name or title.
    Start,
    /// At the end of a name or title.
    End,
    /// The whole name or title.
    Whole,
}

/// A field that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `kind`
    Kind,
    /// `spec.type`
    Type,
    /// Who owns it: ref, name, or `me`, `none`.
    Owner,
    /// The system it is part of.
    System,
    /// The domain it, or its system, is part of.
    Domain,
    /// `spec.lifecycle`
    Lifecycle,
    /// One of `metadata.tags`
    Tag,
    /// `metadata.namespace`
    Namespace,
    /// `metadata.name`
    Name,
    /// Title or display name.
    Title,
    /// `metadata.description`, anywhere in it.
    Description,
    /// A label: `label:app`, `label:app=x`.
    Label,
    /// An annotation: `annotation:key`, `annotation:key=x`.
    Annotation,
    /// Name of the catalog source.
    Source,
    /// Health in a word.
    Status,
    /// Targets of a relation type.
    Relation(&'static str),
    /// An entity of this kind by name: `component:checkout`.
    Ref(String),
    /// A dotted path into the entity.
    Path(String),
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Relations in both directions.
    Relations,
    /// Tags.
    Tags,
    /// Links.
    Links,
    /// Entities that depend on it, consumers of its API included.
    Dependents,
    /// What it depends on, consumed APIs included.
    Dependencies,
    /// Parts of it.
    Parts,
    /// Members of a group.
    Members,
    /// Entities it owns.
    Owns,
    /// Things that are wrong with it.
    Problems,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Op {
    /// Compares two numbers.
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// A state that an entity is in or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Owned by me or one of my groups, or me.
    Mine,
    /// Starred by me.
    Starred,
    /// Without a relation to any existing entity.
    Orphan,
    /// Its source could not be read since: it may have changed.
    Stale,
    /// Has errors.
    Invalid,
    /// Has warnings.
    Warning,
    /// Has no owner that exists.
    Unowned,
    /// Points at something that nobody describes.
    Dangling,
    /// Its kind is not one of the model's.
    Unknown,
    /// Its workloads are down or slow.
    Broken,
}

/// Keys of `key:value` with what they mean.
pub const KEYS: &[(&str, Key, &str)] = &[
    ("kind", Key::Kind, "kind of entity"),
    ("type", Key::Type, "spec.type"),
    ("owner", Key::Owner, "who owns it; also `me` and `none`"),
    ("system", Key::System, "system it is part of"),
    ("domain", Key::Domain, "domain it is part of"),
    ("lifecycle", Key::Lifecycle, "spec.lifecycle"),
    ("tag", Key::Tag, "one of its tags"),
    ("ns", Key::Namespace, "namespace"),
    ("namespace", Key::Namespace, "namespace"),
    ("name", Key::Name, "name"),
    ("title", Key::Title, "title or display name"),
    ("description", Key::Description, "text in the description"),
    ("label", Key::Label, "label, with or without `=value`"),
    ("annotation", Key::Annotation, "annotation, with or without `=value`"),
    ("source", Key::Source, "catalog source it came from"),
    ("status", Key::Status, "health: down, slow, unknown or ok"),
    ("ownedBy", Key::Relation("ownedBy"), "target of the relation"),
    ("ownerOf", Key::Relation("ownerOf"), "target of the relation"),
    ("partOf", Key::Relation("partOf"), "target of the relation"),
    ("hasPart", Key::Relation("hasPart"), "target of the relation"),
    ("dependsOn", Key::Relation("dependsOn"), "target of the relation"),
    ("dependencyOf", Key::Relation("dependencyOf"), "target of the relation"),
    ("providesApi", Key::Relation("providesApi"), "target of the relation"),
    ("apiProvidedBy", Key::Relation("apiProvidedBy"), "target of the relation"),
    ("consumesApi", Key::Relation("consumesApi"), "target of the relation"),
    ("apiConsumedBy", Key::Relation("apiConsumedBy"), "target of the relation"),
    ("childOf", Key::Relation("childOf"), "target of the relation"),
    ("parentOf", Key::Relation("parentOf"), "target of the relation"),
    ("memberOf", Key::Relation("memberOf"), "target of the relation"),
    ("hasMember", Key::Relation("hasMember"), "target of the relation"),
];

/// Words of `is:…` with what they mean.
pub const STATES: &[(&str, State, &str)] = &[
    ("mine", State::Mine, "owned by me or my groups"),
    ("starred", State::Starred, "starred by me"),
    ("orphan", State::Orphan, "related to nothing that exists"),
    ("stale", State::Stale, "from a source that cannot be read now"),
    ("invalid", State::Invalid, "has errors"),
    ("warning", State::Warning, "has warnings"),
    ("unowned", State::Unowned, "has no owner that exists"),
    ("dangling", State::Dangling, "points at something nobody describes"),
    ("unknown", State::Unknown, "its kind is not known"),
    ("broken", State::Broken, "down or slow in Kubernetes"),
];

/// Words of comparisons with what they count.
pub const COUNTS: &[(&str, Count, &str)] = &[
    ("relations", Count::Relations, "relations in both directions"),
    ("tags", Count::Tags, "tags"),
    ("links", Count::Links, "links"),
    ("dependents", Count::Dependents, "what depends on it"),
    ("dependencies", Count::Dependencies, "what it depends on"),
    ("parts", Count::Parts, "parts of it"),
    ("members", Count::Members, "members of a group"),
    ("owns", Count::Owns, "entities it owns"),
    ("problems", Count::Problems, "things wrong with it"),
];

/// Kinds that may stand before a colon as the start of a ref.
const REF_KINDS: &[&str] =
    &["component", "api", "resource", "group", "user", "location", "template", "airesource"];

/// Longest filter that is read, in bytes; longer ones are refused rather than slow.
const MAX_LENGTH: usize = 4096;

/// Why a filter was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What to underline, in bytes of the filter text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl FilterError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns it as a diagnostic that shows the filter text with the mistake underlined.
    pub fn to_diagnostic(&self, text: &str) -> Diagnostic {
        let chars = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count()) as u32;
        let location = crate::diagnostic::SourceLocation::at("filter", 1, chars(0..self.span.start) + 1);
        let mut diagnostic = Diagnostic::error("filter::syntax", self.message.clone()).at(location).snippet(
            text,
            chars(self.span.clone()),
            "",
        );
        diagnostic.hint.clone_from(&self.hint);
        diagnostic
    }
}

impl Filter {
    /// Reads a filter; an empty text matches everything.
    ///
    /// # Errors
    /// [`FilterError`] with the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_LENGTH {
            return Err(FilterError::new(
                0..text.len(),
                format!("the filter is longer than {MAX_LENGTH} bytes"),
            ));
        }
        let mut reader = Reader { text, at: 0 };
        let mut terms = Vec::new();
        while reader.skip_space() {
            terms.push(reader.term()?);
        }
        Ok(Self { text: text.to_owned(), terms })
    }

    /// Creates a filter from ready terms, for example the ones a facet adds.
    pub fn from_terms(terms: Vec<Term>) -> Self {
        Self { text: String::new(), terms }
    }

    /// Returns the text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the conditions.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Returns whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns whether it asks for a field, so that an empty answer is not a misspelt word.
    pub fn has_field(&self, key: &Key) -> bool {
        self.terms
            .iter()
            .flat_map(|term| &term.any)
            .any(|atom| matches!(atom, Atom::Field { key: k, .. } if k == key))
    }

    /// Returns the parts of a shown text that words, phrases and expressions match, in bytes, sorted,
    /// not overlapping. Negated terms highlight nothing.
    pub fn highlights(&self, shown: &str) -> Vec<Range<usize>> {
        super::highlight::ranges(self, shown)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    /// Moves to the next term; false at the end.
    fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.take();
        }
        self.peek().is_some()
    }

    /// Whether a term, or an alternative of it, ends here.
    fn at_end(&self) -> bool {
        self.peek().is_none_or(|c| c.is_whitespace() || c == '|')
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.at;
        if let Some(atom) = self.label_selector()? {
            return Ok(Term { span: start..self.at, negated: false, any: vec![atom] });
        }
        let mut negated = false;
        while self.eat('!') || self.eat('-') {
            negated = !negated;
        }
        if self.at_end() {
            let sign = self.text.get(start..self.at.max(start + 1)).unwrap_or("");
            let message = if negated || self.at > start {
                format!("nothing stands behind `{sign}`")
            } else {
                "nothing stands before `|`".to_owned()
            };
            return Err(FilterError::new(start..(self.at).max(start + 1), message));
        }
        let mut any = vec![self.atom()?];
        while self.eat('|') {
            if self.at_end() {
                return Err(FilterError::new(self.at - 1..self.at, "nothing stands behind `|`"));
            }
            any.push(self.atom()?);
        }
        Ok(Term { span: start..self.at, negated, any })
    }

    /// Reads `-l SELECTOR`, if it stands here.
    fn label_selector(&mut self) -> Result<Option<Atom>, FilterError> {
        let Some(rest) = self.rest().strip_prefix("-l") else { return Ok(None) };
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Ok(None);
        }
        let flag = self.at..self.at + 2;
        self.at += 2;
        if !self.skip_space() {
            return Err(
                FilterError::new(flag, "`-l` needs a label selector").hint("for example `-l app=checkout`")
            );
        }
        let quoted = self.peek() == Some('"');
        let start = self.at + usize::from(quoted);
        let text = if quoted {
            self.quoted()?
        } else {
            let length = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
            self.at += length;
            self.text.get(start..self.at).unwrap_or("").to_owned()
        };
        let selector = Selector::parse(&text).map_err(|mut error| {
            error.span = error.span.start + start..error.span.end + start;
            error
        })?;
        Ok(Some(Atom::Labels(selector)))
    }

    fn atom(&mut self) -> Result<Atom, FilterError> {
        match self.peek() {
            Some('"') => Ok(word(self.quoted()?, Anchor::Anywhere)),
            Some('/') => self.regex(),
            Some('~') => {
                let start = self.at;
                self.take();
                let text = self.word_text();
                if text.is_empty() {
                    return Err(FilterError::new(start..self.at, "nothing stands behind `~`"));
                }
                Ok(Atom::Fuzzy(text))
            }
            _ => {
                if let Some(atom) = self.field()? {
                    return Ok(atom);
                }
                if let Some(atom) = self.comparison()? {
                    return Ok(atom);
                }
                Ok(self.plain_word())
            }
        }
    }

    /// Reads a quoted text from its opening quote to behind its closing one.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        self.take();
        let mut out = String::new();
        loop {
            match self.take() {
                Some('"') => return Ok(out),
                Some('\\') if matches!(self.peek(), Some('"' | '\\')) => out.extend(self.take()),
                Some(c) => out.push(c),
                None => {
                    return Err(FilterError::new(start..self.at, "the quote is not closed")
                        .hint("end the phrase with `\"`"));
                }
            }
        }
    }

    fn regex(&mut self) -> Result<Atom, FilterError> {
        let start = self.at;
        self.take();
        let mut pattern = String::new();
        loop {
            match self.take() {
                Some('/') if self.at_end() => break,
                Some('\\') if self.peek() == Some('/') => pattern.extend(self.take()),
                // keeps the escape together with what it escapes
                Some('\\') => {
                    pattern.push('\\');
                    pattern.extend(self.take());
                }
                Some(c) => pattern.push(c),
                None => {
                    return Err(FilterError::new(start..self.at, "the regular expression is not closed")
                        .hint("end it with `/`, or put a text that starts with a slash in quotes"));
                }
            }
        }
        let case_sensitive = has_capital(&pattern);
        compile_regex(&pattern, case_sensitive)
            .map_err(|reason| FilterError::new(start..self.at, format!("the regular expression {reason}")))?;
        Ok(Atom::Regex { pattern, case_sensitive })
    }

    /// Reads letters up to a space or `|`; a backslash takes the next letter as it is.
    fn word_text(&mut self) -> String {
        let mut out = String::new();
        while !self.at_end() {
            match self.take() {
                Some('\\') => out.extend(self.take()),
                Some(c) => out.push(c),
                None => break,
            }
        }
        out
    }

    fn plain_word(&mut self) -> Atom {
        let text = self.word_text();
        let (start, rest) = text.strip_prefix('^').map_or((false, text.as_str()), |rest| (true, rest));
        let (end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
        // a lone `^` or `$` is the sign itself
        if rest.is_empty() {
            return word(text, Anchor::Anywhere);
        }
        let anchor = match (start, end) {
            (false, false) => Anchor::Anywhere,
            (true, false) => Anchor::Start,
            (false, true) => Anchor::End,
            (true, true) => Anchor::Whole,
        };
        word(rest.to_owned(), anchor)
    }

    /// Reads `key:…`, if a key stands here.
    fn field(&mut self) -> Result<Option<Atom>, FilterError> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/')))
            .unwrap_or(rest.len());
        let (Some(key_text), Some(after)) = (rest.get(..length), rest.get(length..)) else { return Ok(None) };
        let Some(after) = after.strip_prefix(':') else { return Ok(None) };
        if key_text.is_empty()
            || !key_text.starts_with(|c: char| c.is_ascii_alphabetic())
            || after.starts_with("//")
        {
            return Ok(None);
        }
        let start = self.at;
        self.at += length + 1;
        if key_text.eq_ignore_ascii_case("is") {
            return self.state(start).map(Some);
        }
        let key = find_key(key_text, start)?;
        let mut values = Vec::new();
        while !self.at_end() {
            values.push(self.value()?.to_lowercase());
            if !self.eat(',') {
                break;
            }
        }
        if !self.at_end() {
            return Err(FilterError::new(self.at..self.at + 1, "a value ends at its closing quote"));
        }
        Ok(Some(Atom::Field { key, values }))
    }

    fn value(&mut self) -> Result<String, FilterError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let mut out = String::new();
        while !self.at_end() && self.peek() != Some(',') {
            match self.take() {
                Some('\\') => out.extend(self.take()),
                Some(c) => out.push(c),
                None => break,
            }
        }
        Ok(out)
    }

    fn state(&mut self, start: usize) -> Result<Atom, FilterError> {
        let value_start = self.at;
        let text = self.word_text();
        let span = if text.is_empty() { start..self.at } else { value_start..self.at };
        match STATES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&text)) {
            Some((_, state, _)) => Ok(Atom::Is(*state)),
            None if text.is_empty() => {
                Err(FilterError::new(span, "`is:` needs a state")
                    .hint(all_of(STATES.iter().map(|(n, ..)| *n))))
            }
            None => {
                let names = || STATES.iter().map(|(name, ..)| *name);
                let hint = suggest(&text, names()).unwrap_or_else(|| all_of(names()));
                Err(FilterError::new(span, format!("`{text}` is not a known state")).hint(hint))
            }
        }
    }

    /// Reads `tags>2`, if it stands here.
    fn comparison(&mut self) -> Result<Option<Atom>, FilterError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (Some(name), Some(after)) = (rest.get(..length), rest.get(length..)) else { return Ok(None) };
        const OPS: &[(&str, Op)] = &[
            (">=", Op::GreaterOrEqual),
            ("<=", Op::LessOrEqual),
            ("!=", Op::NotEqual),
            (">", Op::Greater),
            ("<", Op::Less),
            ("=", Op::Equal),
        ];
        let Some((sign, op)) =
            OPS.iter().find(|(sign, _)| after.starts_with(sign)).filter(|_| !name.is_empty())
        else {
            return Ok(None);
        };
        let start = self.at;
        let Some((_, count, _)) = COUNTS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
            // `a=b` and `a!=b` may well be text that is looked for; `a>3` is a question
            if matches!(op, Op::Equal | Op::NotEqual) {
                return Ok(None);
            }
            let names = || COUNTS.iter().map(|(name, ..)| *name);
            let hint = suggest(name, names()).unwrap_or_else(|| all_of(names()));
            return Err(
                FilterError::new(start..start + length, format!("`{name}` is not a known count")).hint(hint)
            );
        };
        self.at += length + sign.len();
        let number_start = self.at;
        let text = self.word_text();
        let value = text.parse::<u64>().map_err(|_| {
            let span = if text.is_empty() { start..self.at } else { number_start..self.at };
            FilterError::new(span, format!("`{name}{sign}` needs a whole number"))
        })?;
        Ok(Some(Atom::Compare { count: *count, op: *op, value }))
    }
}

fn word(text: String, anchor: Anchor) -> Atom {
    let case_sensitive = has_capital(&text);
    let text = if case_sensitive { text } else { text.to_lowercase() };
    Atom::Word { text, case_sensitive, anchor }
}

/// Returns a value as it has to be typed behind a colon.
pub fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || "|,\"\\*".contains(c));
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// Compiles an expression of a filter, bounded in size; `^` and `$` match at line edges, since the
/// fields that are searched stand one to a line.
pub(super) fn compile_regex(pattern: &str, case_sensitive: bool) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern)
        .case_insensitive(!case_sensitive)
        .multi_line(true)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too large".to_owned(),
            // the last line of the message is the reason; the lines before draw the expression
            other => {
                let text = other.to_string();
                let reason =
                    text.lines().last().unwrap_or("").trim().trim_start_matches("error: ").to_owned();
                format!("does not parse: {reason}")
            }
        })
}

fn find_key(text: &str, start: usize) -> Result<Key, FilterError> {
    if let Some((_, key, _)) = KEYS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text)) {
        return Ok(key.clone());
    }
    let lower = text.to_lowercase();
    if REF_KINDS.contains(&lower.as_str()) {
        return Ok(Key::Ref(lower));
    }
    if text.contains('.') || lower == "apiversion" {
        return Ok(Key::Path(text.to_owned()));
    }
    let names = || KEYS.iter().map(|(name, ..)| *name).chain(["is"]);
    let hint = suggest(text, names()).unwrap_or_else(|| {
        "put text with a colon in quotes, or name a path such as `spec.type:service`".to_owned()
    });
    Err(FilterError::new(start..start + text.len(), format!("`{text}` is not a known key")).hint(hint))
}

fn suggest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = nearest(typed, names);
    near.first().map(|name| format!("did you mean `{name}`?"))
}

fn all_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("known are {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
