//! Filters that work on lists and objects.

use super::super::budget::Budget;
use super::super::eval::own;
use super::super::js::{self, Kind};
use super::super::tests;
use super::Args;
use minijinja::Value;
use std::cmp::Ordering;

/// Applies a filter of this file; `None` when it is none.
pub(super) fn apply(
    name: &str,
    input: &Value,
    arguments: &Args,
    budget: &mut Budget,
) -> Option<Result<Value, String>> {
    Some(match name {
        "batch" => batch(input, arguments),
        "dictsort" => dict_sort(input, arguments),
        "first" => edge(input, false),
        "last" => edge(input, true),
        "groupby" => group(input, arguments, budget),
        "join" => join(input, arguments, budget),
        "list" => list(input),
        "random" => random(input),
        "reject" => select(input, arguments, false),
        "rejectattr" => select_attribute(input, arguments, false),
        "reverse" => Ok(reverse(input)),
        "select" => select(input, arguments, true),
        "selectattr" => select_attribute(input, arguments, true),
        "slice" => slice(input, arguments),
        "sort" => sort(input, arguments),
        "sum" => sum(input, arguments, budget),
        _ => return None,
    })
}

/// What counts as a sequence: lists, texts, and objects that have a length.
fn sequence(input: &Value) -> Option<Vec<Value>> {
    match js::kind(input) {
        Kind::List => Some(js::items(input).into_owned()),
        Kind::Text(text) | Kind::Safe(text) => Some(js::units(text)),
        Kind::Record => {
            let length = js::field(input, "length").map_or(0.0, |length| js::to_number(&length));
            let length = if length.is_nan() { 0 } else { length.clamp(0.0, 100_000.0).ceil() as usize };
            let item = |index: usize| js::field(input, &index.to_string()).unwrap_or(Value::UNDEFINED);
            Some((0..length).map(item).collect())
        }
        _ => None,
    }
}

fn present(input: &Value) -> Result<(), String> {
    match js::kind(input) {
        Kind::Undefined | Kind::Null => Err("it needs a list".to_owned()),
        _ => Ok(()),
    }
}

fn size(value: &Value, what: &str) -> Result<usize, String> {
    let size = js::to_number(value).trunc();
    if (1.0..=100_000.0).contains(&size) {
        Ok(size as usize)
    } else {
        Err(format!("{what} is a whole number above 0"))
    }
}

fn batch(input: &Value, arguments: &Args) -> Result<Value, String> {
    present(input)?;
    let width = size(arguments.get(0), "the size")?;
    let Some(values) = sequence(input) else { return Ok(Value::from(Vec::<Value>::new())) };
    let fill = arguments.truthy(1);
    let rows = values.chunks(width).map(|row| {
        let mut row = row.to_vec();
        if let Some(fill) = fill {
            row.resize(width, fill.clone());
        }
        Value::from(row)
    });
    Ok(Value::from(rows.collect::<Vec<_>>()))
}

fn slice(input: &Value, arguments: &Args) -> Result<Value, String> {
    let values = match js::kind(input) {
        Kind::List | Kind::Text(_) | Kind::Safe(_) => sequence(input).unwrap_or_default(),
        _ => return Err("it needs a list or a text".to_owned()),
    };
    let count = size(arguments.get(0), "the number of slices")?;
    let fill = arguments.truthy(1);
    let (base, extra) = (values.len() / count, values.len() % count);
    let is_text = !matches!(js::kind(input), Kind::List);
    if is_text && fill.is_some() {
        return Err("a text cannot be filled up".to_owned());
    }
    let mut slices = Vec::with_capacity(count);
    let mut start = 0;
    for index in 0..count {
        let end = start + base + usize::from(index < extra);
        slices.push(match js::kind(input) {
            Kind::Text(text) | Kind::Safe(text) => Value::from(js::cut(text, start, end).as_ref()),
            _ => {
                let part = values.get(start..end).unwrap_or_default().iter().cloned();
                Value::from(part.chain(fill.filter(|_| index >= extra).cloned()).collect::<Vec<_>>())
            }
        });
        start = end;
    }
    Ok(Value::from(slices))
}

fn dict_sort(input: &Value, arguments: &Args) -> Result<Value, String> {
    if !matches!(js::kind(input), Kind::Record) {
        return Err("it needs an object".to_owned());
    }
    let by_value = match arguments.get(1).as_str() {
        Some("value") => true,
        Some("key") => false,
        None if arguments.get(1).is_undefined() => false,
        _ => return Err("it sorts by `key` or `value`".to_owned()),
    };
    let folds = arguments.truthy(0).is_none();
    let key = |(key, value): &(String, Value)| {
        let sorted = if by_value { value.clone() } else { Value::from(key.as_str()) };
        match js::kind(&sorted) {
            Kind::Text(text) if folds => Value::from(text.to_uppercase()),
            _ => sorted,
        }
    };
    let mut entries = js::entries(input);
    stable_sort(&mut entries, |left, right| js::order(&key(left), &key(right)).unwrap_or(Ordering::Less));
    let pairs = entries.into_iter().map(|(key, value)| Value::from(vec![Value::from(key), value]));
    Ok(Value::from(pairs.collect::<Vec<_>>()))
}

/// Sorts by an order that may contradict itself, which the standard library does not forgive. Short lists are sorted
/// as JavaScript engines do, so that contradictions end alike.
fn stable_sort<T>(values: &mut Vec<T>, order: impl Fn(&T, &T) -> Ordering) {
    if values.len() < 64 {
        return insertion_sort(values, order);
    }
    let mut runs: Vec<Vec<T>> = values.drain(..).map(|value| vec![value]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pending = runs.into_iter();
        while let Some(left) = pending.next() {
            merged.push(match pending.next() {
                Some(right) => merge(left, right, &order),
                None => left,
            });
        }
        runs = merged;
    }
    values.extend(runs.pop().unwrap_or_default());
}

/// Takes the run at the start, backwards when it falls, and inserts the others by halving.
fn insertion_sort<T>(values: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    let falls = |pair: &[T]| matches!(pair, [first, second] if order(second, first) == Ordering::Less);
    let is_falling = values.get(..2).is_some_and(&falls);
    let run = 1 + values.windows(2).take_while(|pair| falls(pair) == is_falling).count();
    if is_falling {
        values.get_mut(..run).unwrap_or_default().reverse();
    }
    for next in run..values.len() {
        let (sorted, rest) = values.split_at(next);
        let Some(pivot) = rest.first() else { break };
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let is_before = sorted.get(middle).is_some_and(|other| order(pivot, other) == Ordering::Less);
            if is_before { high = middle } else { low = middle + 1 }
        }
        values.get_mut(low..=next).unwrap_or_default().rotate_right(1);
    }
}

fn merge<T>(left: Vec<T>, right: Vec<T>, order: &impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let takes_right = order(first, second) == Ordering::Greater;
        out.extend(if takes_right { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    out
}

fn edge(input: &Value, is_last: bool) -> Result<Value, String> {
    present(input)?;
    let length = own(input, "length").map_or(f64::NAN, |length| js::to_number(&length));
    let index = if is_last { js::number(length - 1.0) } else { Value::from(0) };
    Ok(own(input, &js::text(&index)).unwrap_or(Value::UNDEFINED))
}

/// Follows `a.b.c`; what is not there is undefined, nothing has no fields.
fn attribute(value: &Value, path: &[String]) -> Result<Value, String> {
    let mut current = value.clone();
    for name in path {
        if matches!(js::kind(&current), Kind::Undefined | Kind::Null) {
            return Err(format!("nothing has no `{name}`"));
        }
        match own(&current, name) {
            Some(value) => current = value,
            None => return Ok(Value::UNDEFINED),
        }
    }
    Ok(current)
}

fn path(value: &Value) -> Vec<String> {
    match js::kind(value) {
        _ if !js::is_true(value) => Vec::new(),
        Kind::Text(text) => text.split('.').map(str::to_owned).collect(),
        _ => vec![js::text(value).into_owned()],
    }
}

fn group(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    present(input)?;
    let path = path(arguments.get(0));
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    for value in sequence(input).unwrap_or_default() {
        let key = js::text(&attribute(&value, &path)?).into_owned();
        budget.steps(1 + groups.len() / 16)?;
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    Ok(Value::from_pairs(groups.into_iter().map(|(key, values)| (Value::from(key), Value::from(values)))))
}

/// The values, or one field of each.
fn projected(input: &Value, by: &Value) -> Result<Vec<Value>, String> {
    if !js::is_true(by) {
        return match js::kind(input) {
            Kind::List => Ok(js::items(input).into_owned()),
            _ => Err("it needs a list".to_owned()),
        };
    }
    let name = [js::text(by).into_owned()];
    sequence(input)
        .unwrap_or_default()
        .iter()
        .map(|value| {
            if matches!(js::kind(value), Kind::Undefined | Kind::Null) {
                return Err(format!("an item is nothing and has no `{}`", js::text(by)));
            }
            attribute(value, &name)
        })
        .collect()
}

fn join(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let separator = arguments.truthy(0).map_or_else(|| "".into(), js::text);
    let values = projected(input, arguments.get(1))?;
    budget.text(separator.len().saturating_mul(values.len()))?;
    let mut out = String::new();
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            out.push_str(&separator);
        }
        budget.whole(value)?;
        js::print(value, &mut out, 0);
        Budget::fits(out.len())?;
    }
    Ok(Value::from(out))
}

fn sum(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let mut total = Value::from(0);
    for value in projected(input, arguments.get(0))? {
        budget.whole(&value)?;
        total = js::add(&total, &value);
        budget.text(total.as_str().map_or(0, str::len))?;
    }
    let start = arguments.get(1);
    Ok(js::add(&if start.is_undefined() { Value::from(0) } else { start.clone() }, &total))
}

fn list(input: &Value) -> Result<Value, String> {
    Ok(match js::kind(input) {
        Kind::List => input.clone(),
        Kind::Text(text) | Kind::Safe(text) => Value::from(js::units(text)),
        Kind::Record => {
            let entries = js::entries(input).into_iter();
            let pairs =
                entries.map(|(key, value)| Value::from_pairs([("key", Value::from(key)), ("value", value)]));
            Value::from(pairs.collect::<Vec<_>>())
        }
        _ => return Err("it needs something with items".to_owned()),
    })
}

/// Any item: chance is what the author asked for.
fn random(input: &Value) -> Result<Value, String> {
    present(input)?;
    let values = sequence(input).unwrap_or_default();
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |age| age.subsec_nanos());
    Ok(values.get(nanos as usize % values.len().max(1)).cloned().unwrap_or(Value::UNDEFINED))
}

fn select(input: &Value, arguments: &Args, keeps: bool) -> Result<Value, String> {
    present(input)?;
    let name = arguments.get(0);
    let name = if name.is_undefined() { "truthy".into() } else { js::text(name) };
    let rest = arguments.0.get(1..).unwrap_or_default();
    let mut out = Vec::new();
    for value in sequence(input).unwrap_or_default() {
        if tests::apply(&name, &value, rest)? == keeps {
            out.push(value);
        }
    }
    Ok(Value::from(out))
}

fn select_attribute(input: &Value, arguments: &Args, keeps: bool) -> Result<Value, String> {
    if !matches!(js::kind(input), Kind::List) {
        return Err("it needs a list".to_owned());
    }
    let name = [js::text(arguments.get(0)).into_owned()];
    let mut out = Vec::new();
    for value in js::items(input).iter() {
        if js::is_true(&attribute(value, &name)?) == keeps {
            out.push(value.clone());
        }
    }
    Ok(Value::from(out))
}

fn reverse(input: &Value) -> Value {
    match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => {
            let reversed = if text.is_ascii() {
                text.chars().rev().collect()
            } else {
                String::from_utf16_lossy(
                    &text.encode_utf16().collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>(),
                )
            };
            super::like(input, reversed)
        }
        _ => {
            let mut values = sequence(input).unwrap_or_default();
            values.reverse();
            Value::from(values)
        }
    }
}

fn sort(input: &Value, arguments: &Args) -> Result<Value, String> {
    let is_reversed = arguments.truthy(0).is_some();
    let is_sensitive = arguments.truthy(1).is_some();
    let path = path(arguments.get(2));
    let mut keyed = Vec::new();
    for value in sequence(input).unwrap_or_default() {
        // Items that are not there are put last and never looked into
        let key = if value.is_undefined() { Value::UNDEFINED } else { attribute(&value, &path)? };
        let folded = match js::kind(&key) {
            Kind::Text(text) | Kind::Safe(text) if !is_sensitive => Some(Value::from(text.to_lowercase())),
            _ => None,
        };
        keyed.push((key, folded, value));
    }
    type Keyed = (Value, Option<Value>, Value);
    stable_sort(&mut keyed, |left: &Keyed, right: &Keyed| {
        if left.2.is_undefined() || right.2.is_undefined() {
            return left.2.is_undefined().cmp(&right.2.is_undefined());
        }
        let order = match (&left.1, &right.1) {
            (Some(left), Some(right)) => js::order(left, right),
            _ => js::order(&left.0, &right.0),
        };
        let order = order.unwrap_or(Ordering::Equal);
        if is_reversed { order.reverse() } else { order }
    });
    Ok(Value::from(keyed.into_iter().map(|(_, _, value)| value).collect::<Vec<_>>()))
}
