//! Values as JavaScript sees them: kinds, truth, numbers, texts, equality, order.
//!
//! The template language was made for JavaScript, and templates rely on it: `1 + "2"` is `12`, an empty list is
//! true, `null == undefined`. Everything here is pure and never fails; what cannot be converted is `NaN` or an
//! empty text. Texts are counted in UTF-16 units where JavaScript counts so.

use super::list::List;
use super::objects::{Callable, Loop};
use super::regex::Pattern;
use minijinja::Value;
use minijinja::value::{ObjectRepr, ValueKind};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// What a value is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// A text that a filter or a macro marked as safe: an object in JavaScript, so always true.
    Safe(&'a str),
    List,
    Record,
    Pattern(&'a Pattern),
    Callable,
}

impl Kind<'_> {
    /// Returns the word of the kind for messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) | Self::Safe(_) => "a text",
            Self::List => "a list",
            Self::Record => "an object",
            Self::Pattern(_) => "a regular expression",
            Self::Callable => "a function",
        }
    }

    /// Returns whether it is compared by identity.
    pub(super) fn is_object(self) -> bool {
        matches!(self, Self::Safe(_) | Self::List | Self::Record | Self::Pattern(_) | Self::Callable)
    }
}

/// Returns what a value is.
pub(super) fn kind(value: &Value) -> Kind<'_> {
    match value.kind() {
        ValueKind::Undefined => Kind::Undefined,
        ValueKind::None => Kind::Null,
        ValueKind::Bool => Kind::Bool(value.is_true()),
        ValueKind::Number => Kind::Number(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
        ValueKind::String | ValueKind::Bytes => {
            let text = value.as_str().unwrap_or_default();
            if value.is_safe() { Kind::Safe(text) } else { Kind::Text(text) }
        }
        ValueKind::Seq | ValueKind::Iterable => Kind::List,
        _ => object_kind(value),
    }
}

fn object_kind(value: &Value) -> Kind<'_> {
    if let Some(pattern) = value.downcast_object_ref::<Pattern>() {
        Kind::Pattern(pattern)
    } else if value.downcast_object_ref::<Callable>().is_some() {
        Kind::Callable
    } else if value.as_object().is_some() {
        Kind::Record
    } else {
        Kind::Undefined
    }
}

/// Makes a number; whole numbers are kept whole.
pub(super) fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Returns whether a condition holds for the value.
pub(super) fn is_true(value: &Value) -> bool {
    match kind(value) {
        Kind::Undefined | Kind::Null => false,
        Kind::Bool(is_true) => is_true,
        Kind::Number(number) => number != 0.0 && !number.is_nan(),
        Kind::Text(text) => !text.is_empty(),
        _ => true,
    }
}

/// Returns the items of a list, nothing for anything else.
pub(super) fn items(value: &Value) -> Cow<'_, [Value]> {
    if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
        return Cow::Borrowed(items);
    }
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Cow::Owned(list.items());
    }
    match kind(value) {
        Kind::List => Cow::Owned(value.try_iter().map(Iterator::collect).unwrap_or_default()),
        _ => Cow::Borrowed(&[]),
    }
}

/// Returns the length of a list.
pub(super) fn list_len(value: &Value) -> usize {
    if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
        items.len()
    } else {
        value.len().unwrap_or_default()
    }
}

/// Returns the entries of an object in JavaScript's order: whole numbers first, ascending.
pub(super) fn entries(value: &Value) -> Vec<(String, Value)> {
    let Some(object) = value.as_object().filter(|object| matches!(object.repr(), ObjectRepr::Map)) else {
        return Vec::new();
    };
    let pairs = object.try_iter_pairs().into_iter().flatten();
    let mut entries: Vec<(String, Value)> =
        pairs.map(|(key, value)| (text(&key).into_owned(), value)).collect();
    if entries.iter().any(|(key, _)| index(key).is_some()) {
        entries.sort_by_key(|(key, _)| index(key).map_or((1, 0), |index| (0, index)));
    }
    entries
}

/// Reads a canonical array index: `0`, `12`, not `01`.
pub(super) fn index(key: &str) -> Option<usize> {
    let is_canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    if key.is_empty() || !is_canonical {
        None
    } else {
        key.parse().ok().filter(|index| *index < 4_294_967_295)
    }
}

/// Returns an own field of an object, `None` when it has none of that name.
pub(super) fn field(value: &Value, name: &str) -> Option<Value> {
    let object = value.as_object()?;
    if let Some(value) = object.get_value_by_str(name) {
        return Some(value);
    }
    // Keys of YAML may be numbers or booleans; JavaScript has texts alone
    let is_odd =
        name == "true" || name == "false" || name.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if !is_odd || object.downcast_ref::<Loop>().is_some() {
        return None;
    }
    let mut pairs = object.try_iter_pairs()?;
    pairs.find(|(key, _)| text(key) == name).map(|(_, value)| value)
}

/// Converts to a text as JavaScript's `String()` does.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match kind(value) {
        Kind::Undefined => Cow::Borrowed("undefined"),
        Kind::Null => Cow::Borrowed("null"),
        Kind::Text(text) | Kind::Safe(text) => Cow::Borrowed(text),
        _ => {
            let mut out = String::new();
            print(value, &mut out, 0);
            Cow::Owned(out)
        }
    }
}

/// How deep lists are printed; deeper ones are refused when they are made.
const DEEPEST: usize = 200;

/// Writes a value as an output does: nothing for null and undefined.
pub(super) fn print(value: &Value, out: &mut String, depth: usize) {
    match kind(value) {
        Kind::Undefined | Kind::Null => {}
        Kind::Bool(is_true) => out.push_str(if is_true { "true" } else { "false" }),
        Kind::Number(number) => print_number(number, out),
        Kind::Text(text) | Kind::Safe(text) => out.push_str(text),
        Kind::List if depth < DEEPEST => {
            for (position, item) in items(value).iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                print(item, out, depth + 1);
            }
        }
        Kind::List | Kind::Callable => {}
        Kind::Record => out.push_str("[object Object]"),
        Kind::Pattern(pattern) => pattern.print(out),
    }
}

/// Writes a number as JavaScript does: `1`, `0.5`, `1e+21`, `NaN`.
pub(super) fn print_number(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else if number == 0.0 {
        out.push('0');
    } else if number.fract() == 0.0 && number.abs() < 1e15 {
        let _ = write!(out, "{}", number as i64);
    } else {
        print_digits(number, out);
    }
}

/// Writes the shortest digits that read back as the same number.
fn print_digits(number: f64, out: &mut String) {
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.replace('.', "");
    let count = digits.len() as i32;
    let point = exponent + 1;
    if number < 0.0 {
        out.push('-');
    }
    if count <= point && point <= 21 {
        out.push_str(&digits);
        out.extend(std::iter::repeat_n('0', (point - count) as usize));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(point as usize);
        let _ = write!(out, "{whole}.{fraction}");
    } else if -6 < point && point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', (-point) as usize));
        out.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            let _ = write!(out, ".{rest}");
        }
        let _ = write!(out, "e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
}

/// Converts to a number as JavaScript's `Number()` does.
pub(super) fn to_number(value: &Value) -> f64 {
    match kind(value) {
        Kind::Undefined => f64::NAN,
        Kind::Null => 0.0,
        Kind::Bool(is_true) => f64::from(u8::from(is_true)),
        Kind::Number(number) => number,
        Kind::Text(text) | Kind::Safe(text) => parse_number(text),
        Kind::List => parse_number(&text(value)),
        _ => f64::NAN,
    }
}

/// Reads a whole text as a number; empty is 0.
fn parse_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    let lower = text.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).map_or(f64::NAN, |number| number as f64);
        }
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// Converts to a whole number; `NaN` is 0, the infinities stay.
pub(super) fn to_integer(value: &Value) -> f64 {
    let number = to_number(value);
    if number.is_nan() { 0.0 } else { number.trunc() }
}

/// Returns whether JavaScript trims the character.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// What objects become before they are added or compared.
fn primitive(value: &Value) -> Cow<'_, Value> {
    let kind = kind(value);
    if kind.is_object() { Cow::Owned(Value::from(text(value).as_ref())) } else { Cow::Borrowed(value) }
}

/// `+`: texts are joined, everything else is added.
pub(super) fn add(left: &Value, right: &Value) -> Value {
    let (left, right) = (primitive(left), primitive(right));
    if matches!(kind(&left), Kind::Text(_)) || matches!(kind(&right), Kind::Text(_)) {
        return concat(&left, &right);
    }
    number(to_number(&left) + to_number(&right))
}

/// `~`: both as texts.
pub(super) fn concat(left: &Value, right: &Value) -> Value {
    let (left, right) = (text(left), text(right));
    let mut out = String::with_capacity(left.len() + right.len());
    out.push_str(&left);
    out.push_str(&right);
    Value::from(out)
}

/// `===`.
pub(super) fn is_same(left: &Value, right: &Value) -> bool {
    match (kind(left), kind(right)) {
        (Kind::Undefined, Kind::Undefined) | (Kind::Null, Kind::Null) => true,
        (Kind::Bool(left), Kind::Bool(right)) => left == right,
        (Kind::Number(left), Kind::Number(right)) => left == right,
        (Kind::Text(left), Kind::Text(right)) => left == right,
        (Kind::Safe(left), Kind::Safe(right)) => std::ptr::eq(left, right),
        (Kind::List, Kind::List) => is_same_list(left, right),
        // Two objects are the same one or differ. Equal content stands for identity, which values do not show;
        // only an empty one may be another one
        (Kind::Record, Kind::Record) => left.len() != Some(0) && left == right,
        _ => false,
    }
}

fn is_same_list(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) =
        (left.downcast_object_ref::<Vec<Value>>(), right.downcast_object_ref::<Vec<Value>>())
    {
        return std::ptr::eq(left, right);
    }
    match (left.downcast_object_ref::<List>(), right.downcast_object_ref::<List>()) {
        (Some(left), Some(right)) => std::ptr::eq(left, right),
        _ => false,
    }
}

/// `==`.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    let (left_kind, right_kind) = (kind(left), kind(right));
    if left_kind.is_object() && right_kind.is_object() {
        return is_same(left, right);
    }
    let (left, right) = (primitive(left), primitive(right));
    match (kind(&left), kind(&right)) {
        (Kind::Undefined | Kind::Null, Kind::Undefined | Kind::Null) => true,
        (Kind::Undefined | Kind::Null, _) | (_, Kind::Undefined | Kind::Null) => false,
        (Kind::Text(left), Kind::Text(right)) => left == right,
        _ => to_number(&left) == to_number(&right),
    }
}

/// Orders two values as `<` does; `None` when one is not a number.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (primitive(left), primitive(right));
    if let (Kind::Text(left), Kind::Text(right)) = (kind(&left), kind(&right)) {
        return Some(compare_text(left, right));
    }
    to_number(&left).partial_cmp(&to_number(&right))
}

/// Orders texts by UTF-16 units.
pub(super) fn compare_text(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        return left.cmp(right);
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

/// Returns the length of a text in UTF-16 units.
pub(super) fn text_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Cuts a text by UTF-16 units; half a character becomes the replacement character.
pub(super) fn cut(text: &str, start: usize, end: usize) -> Cow<'_, str> {
    if start >= end {
        return Cow::Borrowed("");
    }
    if text.is_ascii() {
        return Cow::Borrowed(text.get(start.min(text.len())..end.min(text.len())).unwrap_or_default());
    }
    let units: Vec<u16> = text.encode_utf16().skip(start).take(end - start).collect();
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// Returns the units of a text, one text each.
pub(super) fn units(text: &str) -> Vec<Value> {
    if text.is_ascii() {
        return text.chars().map(Value::from).collect();
    }
    text.encode_utf16().map(|unit| Value::from(String::from_utf16_lossy(&[unit]))).collect()
}
