//! The filter language over objects: the forms of the catalog's filter with the words of clusters.
//!
//! | form | matches |
//! | --- | --- |
//! | `word`, `"a phrase"`, `^start`, `end$`, `~fzy`, `/re/` | text of name, namespace, status, node, images, cluster |
//! | `ns:shop`, `status:Crash*`, `node:`, `cluster:`, `image:`, `owner:`, `label:` | one of these values |
//! | `restarts>3`, `age<2d`, `cpu>500m`, `mem>1Gi` | a number |
//! | `is:broken`, `is:ready` | a state |
//! | `-l app=x` | a label selector |
//! | `a\|b`, `!a`, `-a` | either, not |

use super::Seen;
use super::status::Tone;
use crate::catalog::filter::{FilterError, Op};
use crate::catalog::selector::{LabelTest, Requirement, Selector};
use crate::model::text::nearest;
use std::ops::Range;

/// A filter that was understood; matches everything when empty.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    is_negated: bool,
    any: Vec<Atom>,
}

#[derive(Debug, Clone)]
enum Atom {
    Word { text: String, is_exact: bool, at_start: bool, at_end: bool },
    Fuzzy(String),
    Regex(regex::Regex),
    Field(Key, Vec<String>),
    Compare(Count, Op, i64),
    Is(State),
    Labels(Vec<Requirement>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Namespace,
    Name,
    Status,
    Node,
    Cluster,
    Environment,
    Image,
    Owner,
    Container,
    Label,
    Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Restarts,
    Age,
    Cpu,
    Memory,
    Ready,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Broken,
    Ok,
    Ready,
    Running,
    Pending,
    Terminating,
}

const KEYS: &[(&str, Key)] = &[
    ("ns", Key::Namespace),
    ("namespace", Key::Namespace),
    ("name", Key::Name),
    ("status", Key::Status),
    ("node", Key::Node),
    ("cluster", Key::Cluster),
    ("ctx", Key::Cluster),
    ("env", Key::Environment),
    ("image", Key::Image),
    ("owner", Key::Owner),
    ("container", Key::Container),
    ("label", Key::Label),
    ("kind", Key::Kind),
];
const COUNTS: &[(&str, Count)] = &[
    ("restarts", Count::Restarts),
    ("age", Count::Age),
    ("cpu", Count::Cpu),
    ("mem", Count::Memory),
    ("memory", Count::Memory),
    ("ready", Count::Ready),
];
const STATES: &[(&str, State)] = &[
    ("broken", State::Broken),
    ("ok", State::Ok),
    ("ready", State::Ready),
    ("running", State::Running),
    ("pending", State::Pending),
    ("terminating", State::Terminating),
];
const OPS: &[(&str, Op)] = &[
    (">=", Op::GreaterOrEqual),
    ("<=", Op::LessOrEqual),
    ("!=", Op::NotEqual),
    (">", Op::Greater),
    ("<", Op::Less),
    ("=", Op::Equal),
];

/// Longest filter that is read, in bytes.
const MAX_LENGTH: usize = 4096;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`FilterError`] with the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_LENGTH {
            return Err(mistake(0..text.len(), "the filter is too long", None));
        }
        let mut terms = Vec::new();
        let mut pieces = pieces(text)?.into_iter();
        while let Some((span, piece)) = pieces.next() {
            if piece == "-l" {
                let Some((at, selector)) = pieces.next() else {
                    return Err(mistake(
                        span,
                        "`-l` needs a label selector",
                        Some("for example `-l app=shop`"),
                    ));
                };
                let selector = Selector::parse(selector.trim_matches('"')).map_err(|mut error| {
                    error.span = error.span.start + at.start..error.span.end + at.start;
                    error
                })?;
                let atom = Atom::Labels(selector.requirements().to_vec());
                terms.push(Term { is_negated: false, any: vec![atom] });
                continue;
            }
            terms.push(term(piece, span)?);
        }
        Ok(Self { terms })
    }

    /// Returns whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns whether an object matches.
    pub fn matches(&self, seen: &Seen<'_>) -> bool {
        self.terms.iter().all(|term| term.any.iter().any(|atom| atom.matches(seen)) != term.is_negated)
    }
}

/// Splits at spaces outside quotes and expressions.
fn pieces(text: &str) -> Result<Vec<(Range<usize>, &str)>, FilterError> {
    let mut out = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('"', Some('"')) | ('/', Some('/')) => quote = None,
            (_, Some(_)) => {}
            ('"', None) => {
                start = start.or(Some(at));
                quote = Some('"');
            }
            // an expression begins a term, or an alternative of it
            ('/', None)
                if start.is_none_or(|s| text.get(s..at).is_some_and(|t| t.ends_with(['|', '!', '-']))) =>
            {
                start = start.or(Some(at));
                quote = Some('/');
            }
            (c, None) if c.is_whitespace() => {
                if let Some(from) = start.take() {
                    out.push((from..at, text.get(from..at).unwrap_or("")));
                }
            }
            (_, None) => start = start.or(Some(at)),
        }
    }
    if let Some(from) = start {
        if quote == Some('"') {
            return Err(mistake(from..text.len(), "the quote is not closed", None));
        }
        out.push((from..text.len(), text.get(from..).unwrap_or("")));
    }
    Ok(out)
}

fn term(piece: &str, span: Range<usize>) -> Result<Term, FilterError> {
    let rest = piece.trim_start_matches(['!', '-']);
    let signs = piece.len() - rest.len();
    if rest.is_empty() {
        return Err(mistake(span, &format!("nothing stands behind `{piece}`"), None));
    }
    let mut any = Vec::new();
    let mut at = span.start + signs;
    for part in alternatives(rest) {
        let here = at..at + part.len();
        if part.is_empty() {
            return Err(mistake(at.saturating_sub(1)..at.max(1), "nothing stands beside `|`", None));
        }
        any.push(atom(part, here)?);
        at += part.len() + 1;
    }
    Ok(Term { is_negated: signs % 2 == 1, any })
}

/// Splits at `|` outside quotes and expressions.
fn alternatives(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('"', Some('"')) | ('/', Some('/')) => quote = None,
            ('"', None) => quote = Some('"'),
            ('/', None) if at == start => quote = Some('/'),
            ('|', None) => {
                out.push(text.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(start..).unwrap_or(""));
    out
}

fn atom(text: &str, span: Range<usize>) -> Result<Atom, FilterError> {
    if let Some(pattern) = text.strip_prefix('/') {
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        return regex::RegexBuilder::new(pattern)
            .case_insensitive(!has_capital(pattern))
            .size_limit(1 << 20)
            .build()
            .map(Atom::Regex)
            .map_err(|_| mistake(span, "the regular expression does not parse", None));
    }
    if let Some(letters) = text.strip_prefix('~').filter(|letters| !letters.is_empty()) {
        return Ok(Atom::Fuzzy(letters.to_lowercase()));
    }
    if let Some((key, value)) = text.split_once(':').filter(|(key, _)| is_word(key)) {
        return field(key, value, span);
    }
    if let Some(compare) = compare(text, &span)? {
        return Ok(compare);
    }
    let text = text.replace('"', "");
    let (at_start, rest) = text.strip_prefix('^').map_or((false, text.as_str()), |rest| (true, rest));
    let (at_end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    let is_exact = has_capital(rest);
    let text = if is_exact { rest.to_owned() } else { rest.to_lowercase() };
    Ok(Atom::Word { text, is_exact, at_start, at_end })
}

fn field(key: &str, value: &str, span: Range<usize>) -> Result<Atom, FilterError> {
    let key_span = span.start..span.start + key.len();
    if key.eq_ignore_ascii_case("is") {
        let names = || STATES.iter().map(|(name, _)| *name);
        return match STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(value)) {
            Some((_, state)) => Ok(Atom::Is(*state)),
            None => Err(mistake(
                key_span.end + 1..span.end.max(key_span.end + 1),
                &format!("`{value}` is not a known state"),
                Some(&suggest(value, names)),
            )),
        };
    }
    let Some((_, found)) = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) else {
        let names = || KEYS.iter().map(|(name, _)| *name).chain(["is"]);
        let message = format!("`{key}` is not a known key");
        return Err(mistake(key_span, &message, Some(&suggest(key, names))));
    };
    let values = value.split(',').map(|value| value.trim_matches('"').to_lowercase());
    Ok(Atom::Field(*found, values.filter(|value| !value.is_empty()).collect()))
}

fn compare(text: &str, span: &Range<usize>) -> Result<Option<Atom>, FilterError> {
    let length = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (Some(name), Some(after)) = (text.get(..length), text.get(length..)) else { return Ok(None) };
    let Some((sign, op)) = OPS.iter().find(|(sign, _)| after.starts_with(sign)).filter(|_| !name.is_empty())
    else {
        return Ok(None);
    };
    let Some((_, count)) = COUNTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        if matches!(op, Op::Equal | Op::NotEqual) {
            return Ok(None);
        }
        let names = || COUNTS.iter().map(|(name, _)| *name);
        let message = format!("`{name}` is no number of an object");
        return Err(mistake(span.start..span.start + length, &message, Some(&suggest(name, names))));
    };
    let number = after.get(sign.len()..).unwrap_or("");
    let (value, example) = match count {
        Count::Restarts | Count::Ready => (number.parse::<i64>().ok(), "restarts>3"),
        Count::Age => (duration(number), "age<2d"),
        Count::Cpu => (scaled(number, MILLI).map(|value| value.round() as i64), "cpu>500m"),
        Count::Memory => (scaled(number, BYTES).map(|value| value.round() as i64), "mem>1Gi"),
    };
    let start = span.start + length + sign.len();
    match value {
        Some(value) => Ok(Some(Atom::Compare(*count, *op, value))),
        None => Err(mistake(
            if number.is_empty() { span.clone() } else { start..span.end },
            &format!("`{number}` is no amount for `{name}`"),
            Some(&format!("for example `{example}`")),
        )),
    }
}

/// Reads `90s`, `15m`, `2h`, `3d`, `1w`; a bare number is seconds.
fn duration(text: &str) -> Option<i64> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text.get(..unit)?.parse().ok()?;
    let seconds = match text.get(unit..)? {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds)
}

/// Suffixes of processor amounts, in thousandths of a core.
const MILLI: &[(&str, f64)] = &[("m", 1.0), ("", 1000.0)];
/// Suffixes of memory amounts, in bytes.
const BYTES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("", 1.0),
];

fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text.get(..unit)?.parse().ok()?;
    let suffix = text.get(unit..)?;
    units.iter().find(|(name, _)| *name == suffix).map(|(_, factor)| number * factor)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic())
}

fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

fn suggest<'a, I: Iterator<Item = &'a str>>(typed: &str, names: impl Fn() -> I) -> String {
    match nearest(typed, names()).first() {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            format!("known are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

fn mistake(span: Range<usize>, message: &str, hint: Option<&str>) -> FilterError {
    FilterError { span, message: message.to_owned(), hint: hint.map(str::to_owned) }
}

impl Atom {
    fn matches(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Word { text, is_exact, at_start, at_end } => {
                let anchored = *at_start || *at_end;
                let hit = |hay: &str| match (anchored, is_exact) {
                    (false, true) => hay.contains(text.as_str()),
                    (false, false) => contains(hay, text),
                    (true, _) => {
                        let hay = if *is_exact { hay.to_owned() } else { hay.to_lowercase() };
                        (!at_start || hay.starts_with(text.as_str()))
                            && (!at_end || hay.ends_with(text.as_str()))
                    }
                };
                if anchored { hit(&seen.object.name) } else { seen.any_text(hit) }
            }
            Self::Fuzzy(letters) => {
                let mut wanted = letters.chars().peekable();
                for c in seen.object.name.chars() {
                    wanted.next_if(|w| c.to_lowercase().eq([*w]));
                }
                wanted.peek().is_none()
            }
            Self::Regex(regex) => seen.any_text(|hay| regex.is_match(hay)),
            Self::Field(key, values) => field_matches(*key, values, seen),
            Self::Compare(count, op, value) => {
                number(*count, seen).is_some_and(|number| holds(*op, number, *value))
            }
            Self::Is(state) => state.holds(seen),
            Self::Labels(requirements) => {
                requirements.iter().all(|requirement| labels_meet(requirement, seen))
            }
        }
    }
}

/// Whether a text holds a lower-case one, whatever its own case.
fn contains(hay: &str, lower: &str) -> bool {
    if hay.is_ascii() && lower.is_ascii() {
        let (hay, lower) = (hay.as_bytes(), lower.as_bytes());
        return lower.is_empty() || hay.windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower));
    }
    hay.to_lowercase().contains(lower)
}

fn holds(op: Op, left: i64, right: i64) -> bool {
    match op {
        Op::Equal => left == right,
        Op::NotEqual => left != right,
        Op::Less => left < right,
        Op::LessOrEqual => left <= right,
        Op::Greater => left > right,
        Op::GreaterOrEqual => left >= right,
    }
}

fn number(count: Count, seen: &Seen<'_>) -> Option<i64> {
    match count {
        Count::Restarts => Some(i64::from(seen.restarts())),
        Count::Age => seen.age(),
        Count::Cpu => seen.used().map(|used| used.millicores as i64),
        Count::Memory => seen.used().map(|used| used.memory as i64),
        Count::Ready => Some(i64::from(seen.ready().0)),
    }
}

impl State {
    fn holds(self, seen: &Seen<'_>) -> bool {
        let status = || seen.status();
        match self {
            Self::Broken => matches!(status().tone, Tone::Bad | Tone::Poor),
            Self::Ok => matches!(status().tone, Tone::Good | Tone::Ended),
            Self::Ready => {
                let (ready, wanted) = seen.ready();
                wanted > 0 && ready >= wanted
            }
            Self::Running => status().word == "Running",
            Self::Pending => matches!(status().word.as_ref(), "Pending" | "ContainerCreating"),
            Self::Terminating => seen.object.deleted.is_some(),
        }
    }
}

fn field_matches(key: Key, values: &[String], seen: &Seen<'_>) -> bool {
    let one = |text: &str| match values {
        [] => !text.is_empty(),
        values => values.iter().any(|value| is_like(text, value)),
    };
    let object = seen.object;
    match key {
        Key::Namespace => one(&object.namespace),
        Key::Name => one(&object.name),
        Key::Status => one(&seen.status().word),
        Key::Node => one(seen.node()),
        Key::Cluster => one(&seen.cluster.cluster.name) || one(&seen.cluster.cluster.title),
        Key::Environment => one(&seen.cluster.cluster.environment),
        Key::Image => seen.images().any(&one),
        Key::Owner => object.owners.iter().any(|owner| one(&owner.name) || one(&owner.kind)),
        Key::Container => seen.containers().iter().any(|container| one(&container.name)),
        Key::Kind => object.kind.spec().is_some_and(|spec| one(spec.name)),
        Key::Label => object.labels.iter().any(|(key, value)| one(key) || one(&format!("{key}={value}"))),
    }
}

/// Whether a text is a lower-case pattern in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    if !pattern.contains('*') {
        return text.eq_ignore_ascii_case(pattern) || text.to_lowercase() == pattern;
    }
    let lower = text.to_lowercase();
    let mut rest = lower.as_str();
    let parts: Vec<&str> = pattern.split('*').collect();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        rest = match (at, is_last) {
            (0, _) => match rest.strip_prefix(part) {
                Some(rest) => rest,
                None => return false,
            },
            (_, true) => return rest.ends_with(part),
            _ => match rest.find(part) {
                Some(found) => rest.get(found + part.len()..).unwrap_or(""),
                None => return false,
            },
        };
    }
    true
}

fn labels_meet(requirement: &Requirement, seen: &Seen<'_>) -> bool {
    let labels = &seen.object.labels;
    let value = labels.iter().find(|(key, _)| **key == *requirement.key).map(|(_, value)| &**value);
    match &requirement.test {
        LabelTest::Exists => value.is_some(),
        LabelTest::Absent => value.is_none(),
        LabelTest::In(values) => value.is_some_and(|value| values.iter().any(|v| v == value)),
        LabelTest::NotIn(values) => value.is_none_or(|value| !values.iter().any(|v| v == value)),
    }
}
