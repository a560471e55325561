//! Methods of JavaScript's texts, numbers, lists and objects.
//!
//! Only those that need no function as an argument and reach nothing outside of the value.

use super::budget::Budget;
use super::filters::pattern;
use super::js::{self, Kind};
use super::list::List;
use minijinja::Value;

const OF_TEXT: &[&str] = &[
    "at",
    "charAt",
    "charCodeAt",
    "concat",
    "endsWith",
    "includes",
    "indexOf",
    "lastIndexOf",
    "padEnd",
    "padStart",
    "repeat",
    "replace",
    "replaceAll",
    "slice",
    "split",
    "startsWith",
    "substr",
    "substring",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
    "trimEnd",
    "trimStart",
];
const OF_NUMBERS: &[&str] = &["toExponential", "toFixed", "toPrecision", "toString"];
const OF_LISTS: &[&str] = &[
    "at",
    "concat",
    "copyWithin",
    "fill",
    "flat",
    "includes",
    "indexOf",
    "join",
    "lastIndexOf",
    "pop",
    "push",
    "reverse",
    "shift",
    "slice",
    "sort",
    "splice",
    "toString",
    "unshift",
];
const OF_LISTS_JINJA: &[&str] = &["append", "count", "find", "index", "insert", "remove"];
const OF_OBJECTS: &[&str] = &["hasOwnProperty"];
const OF_OBJECTS_JINJA: &[&str] = &["get", "has_key", "items", "keys", "values"];
/// Those that change the list they are called on.
const CHANGING: &[&str] = &[
    "append",
    "copyWithin",
    "fill",
    "insert",
    "pop",
    "push",
    "remove",
    "reverse",
    "shift",
    "sort",
    "splice",
    "unshift",
];

/// Returns whether a method of this name changes a list in place.
pub(super) fn changes(name: &str) -> bool {
    CHANGING.contains(&name)
}

/// Returns whether a method of this name puts values into lists.
pub(super) fn nests(name: &str) -> bool {
    matches!(name, "append" | "concat" | "fill" | "insert" | "items" | "push" | "splice" | "unshift")
}

/// Finds a method of a value.
pub(super) fn named(target: &Value, name: &str, is_jinja: bool) -> Option<&'static str> {
    let find = |names: &[&'static str]| names.iter().find(|known| **known == name).copied();
    match js::kind(target) {
        Kind::Text(_) | Kind::Safe(_) => find(OF_TEXT),
        Kind::Number(_) => find(OF_NUMBERS),
        Kind::List => find(OF_LISTS).or_else(|| if is_jinja { find(OF_LISTS_JINJA) } else { None }),
        Kind::Record if is_jinja => find(OF_OBJECTS_JINJA).or_else(|| find(OF_OBJECTS)),
        Kind::Record => find(OF_OBJECTS),
        Kind::Pattern(_) => find(&["test"]),
        _ => None,
    }
}

/// Calls a method that [`named`] found.
pub(super) fn call(
    target: &Value,
    name: &str,
    given: &[Value],
    budget: &mut Budget,
) -> Result<Value, String> {
    if given.iter().any(|value| matches!(js::kind(value), Kind::Callable)) {
        return Err(format!("`{name}()` takes no function"));
    }
    let arguments = Given(given);
    match js::kind(target) {
        Kind::Text(text) | Kind::Safe(text) => {
            budget.text(text.len())?;
            of_text(text, name, &arguments, budget)
        }
        Kind::Number(number) => of_number(number, name, &arguments),
        Kind::List => of_list(target, name, &arguments, budget),
        Kind::Record => of_object(target, name, &arguments),
        Kind::Pattern(pattern) => pattern.is_match(&js::text(arguments.get(0))).map(Value::from),
        _ => Err("it cannot be called".to_owned()),
    }
}

/// Arguments by place.
struct Given<'a>(&'a [Value]);

impl Given<'_> {
    fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::UNDEFINED)
    }

    fn number(&self, index: usize) -> Option<f64> {
        let value = self.get(index);
        if value.is_undefined() { None } else { Some(js::to_integer(value)) }
    }

    /// An index that counts from the end when negative.
    fn relative(&self, index: usize, length: usize, default: usize) -> usize {
        let length = length as f64;
        match self.number(index) {
            None => default,
            Some(number) if number < 0.0 => (length + number).max(0.0) as usize,
            Some(number) => number.min(length) as usize,
        }
    }
}

fn of_text(text: &str, name: &str, given: &Given<'_>, budget: &mut Budget) -> Result<Value, String> {
    let length = js::text_len(text);
    let first = js::text(given.get(0));
    let from = |index: usize| given.number(index).map_or(0, |at| at.clamp(0.0, length as f64) as usize);
    Ok(match name {
        "charAt" => {
            Value::from(js::cut(text, unit_index(given, length), unit_index(given, length) + 1).as_ref())
        }
        "charCodeAt" => {
            let unit = text.encode_utf16().nth(unit_index(given, length));
            unit.map_or_else(|| Value::from(f64::NAN), Value::from)
        }
        "at" => {
            let index = given.number(0).unwrap_or(0.0);
            let index = if index < 0.0 { index + length as f64 } else { index };
            if index < 0.0 || index >= length as f64 {
                return Ok(Value::UNDEFINED);
            }
            Value::from(js::cut(text, index as usize, index as usize + 1).as_ref())
        }
        "concat" => {
            let mut out = text.to_owned();
            for value in given.0 {
                budget.whole(value)?;
                out.push_str(&js::text(value));
                budget.text(out.len())?;
            }
            Value::from(out)
        }
        "includes" | "startsWith" | "endsWith" | "indexOf" | "lastIndexOf" if given.0.is_empty() => {
            return Err(format!("`{name}()` needs an argument"));
        }
        "includes" => Value::from(js::cut(text, from(1), length).contains(first.as_ref())),
        "startsWith" => Value::from(js::cut(text, from(1), length).starts_with(first.as_ref())),
        "endsWith" => {
            let end = given.number(1).map_or(length, |end| end.clamp(0.0, length as f64) as usize);
            Value::from(js::cut(text, 0, end).ends_with(first.as_ref()))
        }
        "indexOf" => {
            let start = from(1);
            let rest = js::cut(text, start, length);
            let found = rest
                .find(first.as_ref())
                .and_then(|at| rest.get(..at))
                .map(|before| js::text_len(before) + start);
            found.map_or_else(|| Value::from(-1), Value::from)
        }
        "lastIndexOf" => {
            let limit = given.number(1).filter(|_| !js::to_number(given.get(1)).is_nan());
            let end =
                limit.map_or(length, |limit| limit.clamp(0.0, length as f64) as usize) + js::text_len(&first);
            let window = js::cut(text, 0, end);
            let found = window.rfind(first.as_ref()).and_then(|at| window.get(..at)).map(js::text_len);
            found.map_or_else(|| Value::from(-1), Value::from)
        }
        "padStart" | "padEnd" => pad(text, name == "padStart", given, budget)?,
        "repeat" => {
            let count = given.number(0).unwrap_or(0.0);
            if !(0.0..=1e9).contains(&count) {
                return Err("`repeat()` takes a number from 0 on".to_owned());
            }
            budget.text(text.len().saturating_mul(count as usize))?;
            Value::from(text.repeat(count as usize))
        }
        "replace" | "replaceAll" => replace(text, name == "replaceAll", given, budget)?,
        "slice" => {
            let (start, end) = (given.relative(0, length, 0), given.relative(1, length, length));
            Value::from(js::cut(text, start, end).as_ref())
        }
        "substr" => {
            let start = given.relative(0, length, 0);
            let count = given.number(1).map_or(length, |count| count.clamp(0.0, length as f64) as usize);
            Value::from(js::cut(text, start, start + count).as_ref())
        }
        "substring" => {
            let start = from(0);
            let end = given.number(1).map_or(length, |end| end.clamp(0.0, length as f64) as usize);
            Value::from(js::cut(text, start.min(end), start.max(end)).as_ref())
        }
        "split" => split(text, given, budget)?,
        "toLowerCase" => Value::from(text.to_lowercase()),
        "toUpperCase" => Value::from(text.to_uppercase()),
        "toString" => Value::from(text),
        "trim" => Value::from(text.trim_matches(js::is_space)),
        "trimStart" => Value::from(text.trim_start_matches(js::is_space)),
        "trimEnd" => Value::from(text.trim_end_matches(js::is_space)),
        _ => return Err(format!("texts have no `{name}()`")),
    })
}

fn unit_index(given: &Given<'_>, length: usize) -> usize {
    let index = given.number(0).unwrap_or(0.0);
    if index < 0.0 { length } else { index.min(length as f64) as usize }
}

fn pad(text: &str, at_start: bool, given: &Given<'_>, budget: &mut Budget) -> Result<Value, String> {
    let length = js::text_len(text);
    let wanted = given.number(0).unwrap_or(0.0).clamp(0.0, 1e9) as usize;
    let filler = if given.get(1).is_undefined() { " ".into() } else { js::text(given.get(1)) };
    if wanted <= length || filler.is_empty() {
        return Ok(Value::from(text));
    }
    budget.text(wanted.saturating_mul(4))?;
    let missing = wanted - length;
    let times = missing / js::text_len(&filler).max(1) + 1;
    let filler = filler.repeat(times);
    let filler = js::cut(&filler, 0, missing);
    Ok(Value::from(if at_start { format!("{filler}{text}") } else { format!("{text}{filler}") }))
}

fn replace(text: &str, all: bool, given: &Given<'_>, budget: &mut Budget) -> Result<Value, String> {
    if given.0.len() < 2 {
        return Err("`replace()` needs what to replace and by what".to_owned());
    }
    let replacement = js::text(given.get(1));
    if let Some(pattern) = pattern(given.get(0)) {
        let result = pattern.replace(text, &replacement, super::budget::LARGEST_TEXT)?;
        budget.text(result.len())?;
        return Ok(Value::from(result));
    }
    let needle = js::text(given.get(0));
    // A plain text is replaced as a pattern is, with `$&` and its like in the replacement
    let source: String = needle.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
        out
    });
    let found = if all { text.matches(needle.as_ref()).count() } else { 1 };
    budget.text(text.len().saturating_add(replacement.len().saturating_mul(found)))?;
    if !replacement.contains('$') {
        let count = if all { usize::MAX } else { 1 };
        return Ok(Value::from(text.replacen(needle.as_ref(), &replacement, count)));
    }
    let pattern = super::regex::Pattern::new(&source, if all { "g" } else { "" })?;
    pattern.replace(text, &replacement, super::budget::LARGEST_TEXT).map(Value::from)
}

fn split(text: &str, given: &Given<'_>, budget: &mut Budget) -> Result<Value, String> {
    let limit =
        given.number(1).map_or(usize::MAX, |limit| if limit < 0.0 { usize::MAX } else { limit as usize });
    let mut parts = if let Some(pattern) = pattern(given.get(0)) {
        pattern.split(text)?
    } else if given.get(0).is_undefined() {
        vec![Value::from(text)]
    } else {
        let separator = js::text(given.get(0));
        if separator.is_empty() {
            budget.list(text.len())?;
            js::units(text)
        } else {
            budget.list(text.matches(separator.as_ref()).count())?;
            text.split(separator.as_ref()).map(Value::from).collect()
        }
    };
    parts.truncate(limit);
    Ok(Value::from(parts))
}

fn of_number(number: f64, name: &str, given: &Given<'_>) -> Result<Value, String> {
    let digits = |least: f64, most: f64| {
        let digits = given.number(0);
        match digits {
            Some(digits) if !(least..=most).contains(&digits) => {
                Err(format!("`{name}()` takes a number from {least} to {most}"))
            }
            _ => Ok(digits.map(|digits| digits as usize)),
        }
    };
    if !number.is_finite() {
        return Ok(Value::from(js::text(&Value::from(number)).as_ref()));
    }
    Ok(Value::from(match name {
        "toFixed" => fixed(number, digits(0.0, 100.0)?.unwrap_or(0)),
        "toExponential" => match digits(0.0, 100.0)? {
            Some(digits) => exponential(&format!("{number:.digits$e}")),
            None => exponential(&format!("{number:e}")),
        },
        "toPrecision" => match digits(1.0, 100.0)? {
            Some(digits) => precise(number, digits),
            None => js::text(&js::number(number)).into_owned(),
        },
        _ => match digits(2.0, 36.0)? {
            None | Some(10) => js::text(&js::number(number)).into_owned(),
            Some(radix) => in_radix(number, radix),
        },
    }))
}

/// Halves that are exact in binary are rounded away from zero.
fn fixed(number: f64, digits: usize) -> String {
    if number.abs() >= 1e21 {
        return js::text(&js::number(number)).into_owned();
    }
    let plain = format!("{number:.digits$}");
    let exact = 1_100;
    let longer = format!("{number:.exact$}");
    let (_, fraction) = longer.split_once('.').unwrap_or((&longer, ""));
    let rest = fraction.get(digits..).unwrap_or_default();
    let is_half = rest.starts_with('5') && rest.bytes().skip(1).all(|byte| byte == b'0');
    if !is_half {
        return plain;
    }
    let nudged = number + number.signum() * 10f64.powi(-(digits as i32) - 3);
    format!("{nudged:.digits$}")
}

fn exponential(written: &str) -> String {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}e{sign}{exponent}")
}

fn precise(number: f64, digits: usize) -> String {
    let written = format!("{number:.*e}", digits - 1);
    let (_, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if exponent < -6 || exponent >= digits as i32 {
        return exponential(&written);
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{number:.decimals$}")
}

fn in_radix(number: f64, radix: usize) -> String {
    let digit = |value: u32| char::from_digit(value, radix as u32).unwrap_or('0');
    let mut whole = number.abs().trunc();
    let mut out = Vec::new();
    while whole >= 1.0 {
        out.push(digit((whole % radix as f64) as u32));
        whole = (whole / radix as f64).trunc();
    }
    if out.is_empty() {
        out.push('0');
    }
    if number < 0.0 {
        out.push('-');
    }
    out.reverse();
    let mut fraction = number.abs().fract();
    if fraction > 0.0 {
        out.push('.');
        for _ in 0..52 {
            fraction *= radix as f64;
            out.push(digit(fraction.trunc() as u32));
            fraction = fraction.fract();
            if fraction == 0.0 {
                break;
            }
        }
    }
    out.into_iter().collect()
}

fn of_list(list: &Value, name: &str, given: &Given<'_>, budget: &mut Budget) -> Result<Value, String> {
    let items = js::items(list);
    budget.steps(items.len())?;
    if changes(name) {
        return change(list, items.into_owned(), name, given, budget);
    }
    let length = items.len();
    let first = given.get(0);
    let position = |found: Option<usize>| found.map_or_else(|| Value::from(-1), Value::from);
    Ok(match name {
        "at" => {
            let index = given.number(0).unwrap_or(0.0);
            let index = if index < 0.0 { index + length as f64 } else { index };
            if index < 0.0 {
                Value::UNDEFINED
            } else {
                items.get(index as usize).cloned().unwrap_or(Value::UNDEFINED)
            }
        }
        "concat" => {
            let mut out = items.into_owned();
            for value in given.0 {
                match js::kind(value) {
                    Kind::List => out.extend(js::items(value).iter().cloned()),
                    _ => out.push(value.clone()),
                }
                budget.list(out.len())?;
            }
            Value::from(out)
        }
        "flat" => {
            let mut out = Vec::new();
            let depth = given.number(0).map_or(1, |depth| depth.clamp(0.0, 100.0) as usize);
            flatten(&items, depth, &mut out, budget)?;
            Value::from(out)
        }
        "includes" => {
            let start = given.relative(1, length, 0);
            let is_it = |item: &Value| js::is_same(item, first) || (is_nan(item) && is_nan(first));
            Value::from(items.iter().skip(start).any(is_it))
        }
        "indexOf" => {
            let start = given.relative(1, length, 0);
            position(items.iter().skip(start).position(|item| js::is_same(item, first)).map(|at| at + start))
        }
        "index" | "find" => position(items.iter().position(|item| js::is_same(item, first))),
        "lastIndexOf" => {
            let end = match given.number(1) {
                Some(number) if number < 0.0 => (length as f64 + number + 1.0).max(0.0) as usize,
                Some(number) => (number + 1.0).min(length as f64) as usize,
                None => length,
            };
            position(items.iter().take(end).rposition(|item| js::is_same(item, first)))
        }
        "count" => Value::from(items.iter().filter(|item| js::is_same(item, first)).count()),
        "join" | "toString" => {
            let separator =
                if first.is_undefined() || name == "toString" { ",".into() } else { js::text(first) };
            budget.whole(list)?;
            budget.text(separator.len().saturating_mul(length))?;
            let mut out = String::new();
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push_str(&separator);
                }
                js::print(item, &mut out, 0);
            }
            Value::from(out)
        }
        "slice" => {
            let (start, end) = (given.relative(0, length, 0), given.relative(1, length, length));
            Value::from(items.get(start..end.max(start)).unwrap_or_default().to_vec())
        }
        _ => return Err(format!("lists have no `{name}()`")),
    })
}

fn is_nan(value: &Value) -> bool {
    matches!(js::kind(value), Kind::Number(number) if number.is_nan())
}

fn flatten(items: &[Value], depth: usize, out: &mut Vec<Value>, budget: &mut Budget) -> Result<(), String> {
    for item in items {
        budget.step()?;
        match js::kind(item) {
            Kind::List if depth > 0 => flatten(&js::items(item), depth - 1, out, budget)?,
            _ => out.push(item.clone()),
        }
    }
    Ok(())
}

/// Methods that change the list they are called on.
fn change(
    list: &Value,
    mut items: Vec<Value>,
    name: &str,
    given: &Given<'_>,
    budget: &mut Budget,
) -> Result<Value, String> {
    let length = items.len();
    budget.list(length + given.0.len())?;
    if given.0.iter().any(|value| contains(value, list)) {
        return Err("a list cannot be put into itself".to_owned());
    }
    let mut result = Value::UNDEFINED;
    match name {
        "push" | "append" => {
            items.extend(given.0.iter().cloned());
            result = Value::from(items.len());
        }
        "unshift" => {
            items.splice(0..0, given.0.iter().cloned());
            result = Value::from(items.len());
        }
        "pop" if given.0.is_empty() => result = items.pop().unwrap_or(Value::UNDEFINED),
        "pop" => {
            let index = given.number(0).unwrap_or(0.0);
            let index = if index < 0.0 { index + length as f64 } else { index };
            if index >= 0.0 && (index as usize) < length {
                result = items.remove(index as usize);
            }
        }
        "shift" if length > 0 => result = items.remove(0),
        "insert" => {
            let at = given.relative(0, length, 0);
            items.insert(at, given.get(1).clone());
            result = Value::from(Vec::<Value>::new());
        }
        "remove" => {
            let found = items.iter().position(|item| js::is_same(item, given.get(0)));
            let removed: Vec<Value> = found.map(|at| items.remove(at)).into_iter().collect();
            result = Value::from(removed);
        }
        "splice" if !given.0.is_empty() => {
            let start = given.relative(0, length, 0);
            let count = given.number(1).map_or(length, |count| count.clamp(0.0, length as f64) as usize);
            let new = given.0.get(2..).unwrap_or_default().iter().cloned();
            let removed: Vec<Value> = items.splice(start..(start + count).min(length), new).collect();
            result = Value::from(removed);
        }
        "splice" => result = Value::from(Vec::<Value>::new()),
        "sort" => {
            items.sort_by(|left, right| js::compare_text(&js::text(left), &js::text(right)));
            result = list.clone();
        }
        "reverse" => {
            items.reverse();
            result = list.clone();
        }
        "fill" => {
            let (start, end) = (given.relative(1, length, 0), given.relative(2, length, length));
            items.get_mut(start..end.max(start)).unwrap_or_default().fill(given.get(0).clone());
            result = list.clone();
        }
        "copyWithin" => {
            let target = given.relative(0, length, 0);
            let (start, end) = (given.relative(1, length, 0), given.relative(2, length, length));
            let copied: Vec<Value> = items.get(start..end.max(start)).unwrap_or_default().to_vec();
            for (slot, value) in items.iter_mut().skip(target).zip(copied) {
                *slot = value;
            }
            result = list.clone();
        }
        _ => {}
    }
    if let Some(list) = list.downcast_object_ref::<List>() {
        list.replace(items);
    }
    Ok(result)
}

/// Returns whether a value is the list or holds it.
fn contains(value: &Value, list: &Value) -> bool {
    match js::kind(value) {
        Kind::List => js::is_same(value, list) || js::items(value).iter().any(|item| contains(item, list)),
        Kind::Record => js::entries(value).iter().any(|(_, item)| contains(item, list)),
        _ => false,
    }
}

fn of_object(object: &Value, name: &str, given: &Given<'_>) -> Result<Value, String> {
    let key = || js::text(given.get(0)).into_owned();
    let entries = || js::entries(object).into_iter();
    Ok(match name {
        "hasOwnProperty" | "has_key" => Value::from(js::field(object, &key()).is_some()),
        "get" => js::field(object, &key()).unwrap_or_else(|| given.get(1).clone()),
        "keys" => Value::from(entries().map(|(key, _)| Value::from(key)).collect::<Vec<_>>()),
        "values" => Value::from(entries().map(|(_, value)| value).collect::<Vec<_>>()),
        "items" => Value::from(
            entries().map(|(key, value)| Value::from(vec![Value::from(key), value])).collect::<Vec<_>>(),
        ),
        _ => return Err(format!("objects have no `{name}()`")),
    })
}
