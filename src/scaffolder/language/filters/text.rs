//! Filters that make texts of texts.

use super::super::budget::Budget;
use super::super::js::{self, Kind};
use super::{Args, like, pattern};
use minijinja::Value;
use std::cmp::Ordering;

/// Most bytes that spaces may take.
const MOST_SPACES: f64 = 1_048_576.0;

/// Applies a filter of this file; `None` when it is none.
pub(super) fn apply(
    name: &str,
    input: &Value,
    arguments: &Args,
    budget: &mut Budget,
) -> Option<Result<Value, String>> {
    Some(match name {
        "capitalize" => normalized(input).map(|text| like(input, capitalized(&text))),
        "center" => center(input, arguments, budget),
        "escape" | "e" if input.is_safe() => Ok(input.clone()),
        "escape" | "e" | "forceescape" => escaped(input, budget),
        "safe" => safe(input, budget),
        "indent" => indent(input, arguments, budget),
        "lower" => normalized(input).map(|text| like(input, text.to_lowercase())),
        "upper" => normalized(input).map(|text| like(input, text.to_uppercase())),
        "nl2br" => line_breaks(input),
        "replace" => replace(input, arguments, budget),
        "striptags" => strip_tags(input, arguments),
        "title" => normalized(input).map(|text| {
            let words: Vec<String> = text.split(' ').map(capitalized).collect();
            like(input, words.join(" "))
        }),
        "trim" => text_of(input).map(|text| like(input, text.trim_matches(js::is_space).to_owned())),
        "truncate" => truncate(input, arguments),
        "urlencode" => url_encode(input),
        "urlize" => urlize(input, arguments),
        "wordcount" => normalized(input).map(|text| words(&text)),
        _ => return None,
    })
}

/// The text of an input that must be one.
fn text_of(input: &Value) -> Result<&str, String> {
    match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => Ok(text),
        _ => Err("it needs a text".to_owned()),
    }
}

/// Null, undefined and false count as an empty text.
fn normalized(input: &Value) -> Result<std::borrow::Cow<'_, str>, String> {
    match js::kind(input) {
        Kind::Undefined | Kind::Null | Kind::Bool(false) => Ok("".into()),
        _ => text_of(input).map(Into::into),
    }
}

fn capitalized(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut chars = lower.chars();
    match chars.next() {
        // Characters outside of the first plane are two units to JavaScript, and halves have no capital
        Some(first) if first.len_utf16() == 1 => first.to_uppercase().chain(chars).collect(),
        _ => lower,
    }
}

fn spaces(count: f64) -> Result<String, String> {
    if count.is_nan() || count <= 0.0 {
        return Ok(String::new());
    }
    if count > MOST_SPACES {
        return Err("that many spaces are too many".to_owned());
    }
    Ok(" ".repeat(count.ceil() as usize))
}

fn center(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let text = match js::kind(input) {
        Kind::Undefined | Kind::Null | Kind::Bool(false) => "".into(),
        _ => js::text(input),
    };
    let width = arguments.truthy(0).map_or(80.0, js::to_number);
    let length = match js::kind(input) {
        Kind::List => js::list_len(input) as f64,
        Kind::Text(_) | Kind::Safe(_) => js::text_len(&text) as f64,
        _ if text.is_empty() => 0.0,
        // What has no length is not padded
        _ => return Ok(Value::from(text.as_ref())),
    };
    if length >= width {
        return Ok(if text.is_empty() { Value::from("") } else { input.clone() });
    }
    let room = width - length;
    let (before, after) = (spaces(room / 2.0 - room % 2.0)?, spaces(room / 2.0)?);
    budget.text(text.len() + before.len() + after.len())?;
    Ok(like(input, format!("{before}{text}{after}")))
}

fn escaped(input: &Value, budget: &mut Budget) -> Result<Value, String> {
    budget.whole(input)?;
    let mut text = String::new();
    js::print(input, &mut text, 0);
    budget.text(text.len().saturating_mul(6))?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' => out.push_str("&#92;"),
            _ => out.push(c),
        }
    }
    Ok(Value::from_safe_string(out))
}

fn safe(input: &Value, budget: &mut Budget) -> Result<Value, String> {
    if input.is_safe() {
        return Ok(input.clone());
    }
    budget.whole(input)?;
    let mut text = String::new();
    js::print(input, &mut text, 0);
    Ok(Value::from_safe_string(text))
}

fn indent(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let text = normalized(input)?;
    if text.is_empty() {
        return Ok(Value::from(""));
    }
    let width = spaces(arguments.truthy(0).map_or(4.0, js::to_number))?;
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    budget.text(text.len().saturating_add(width.len().saturating_mul(lines + 1)))?;
    let indented = text.replace('\n', &format!("\n{width}"));
    Ok(like(input, if arguments.truthy(1).is_some() { format!("{width}{indented}") } else { indented }))
}

fn line_breaks(input: &Value) -> Result<Value, String> {
    let text = match js::kind(input) {
        Kind::Undefined | Kind::Null => "",
        _ => text_of(input)?,
    };
    Ok(like(input, text.replace("\r\n", "\n").replace('\n', "<br />\n")))
}

fn replace(input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let (search, replacement) = (arguments.get(0), js::text(arguments.get(1)));
    if let Some(pattern) = pattern(search) {
        let Ok(text) = text_of(input) else { return Err("a regular expression needs a text".to_owned()) };
        let result = pattern.replace(text, &replacement, super::super::budget::LARGEST_TEXT)?;
        budget.text(result.len())?;
        return Ok(Value::from(result));
    }
    if !matches!(js::kind(search), Kind::Text(_) | Kind::Number(_)) {
        return Ok(input.clone());
    }
    let text = match js::kind(input) {
        Kind::Text(_) | Kind::Safe(_) | Kind::Number(_) => js::text(input),
        _ => return Ok(input.clone()),
    };
    let needle = js::text(search);
    let most = arguments.get(2);
    let most = if most.is_undefined() { -1.0 } else { js::to_number(most) };
    if needle.is_empty() {
        return between(input, &text, arguments, budget);
    }
    let found = text.matches(needle.as_ref()).count();
    if most == 0.0 || found == 0 {
        return Ok(if matches!(js::kind(input), Kind::Number(_)) {
            Value::from(text.as_ref())
        } else {
            input.clone()
        });
    }
    let most =
        if js::is_same(arguments.get(2), &Value::from(-1)) || most == -1.0 { found as f64 } else { most };
    let most = if most.is_nan() || most <= 0.0 { 0 } else { most.ceil().min(found as f64) as usize };
    budget.text(text.len().saturating_add(replacement.len().saturating_mul(most)))?;
    Ok(like(input, text.replacen(needle.as_ref(), &replacement, most)))
}

/// Replaces nothing: the replacement stands before, between and after all characters.
fn between(input: &Value, text: &str, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    let replacement = js::text(arguments.get(1));
    let separator = if arguments.get(1).is_undefined() { ",".into() } else { replacement.clone() };
    budget.text(text.len().saturating_add(replacement.len().saturating_mul(text.len() + 2)))?;
    let units: Vec<String> = js::units(text).iter().map(|unit| js::text(unit).into_owned()).collect();
    Ok(like(input, format!("{replacement}{}{replacement}", units.join(&separator))))
}

fn strip_tags(input: &Value, arguments: &Args) -> Result<Value, String> {
    let text = normalized(input)?;
    let tags = super::regex::javascript(r"<\/?([a-z][a-z0-9]*)\b[^>]*>|<!--[\s\S]*?-->", "i")?;
    let mut text = text.into_owned();
    for _ in 0..8 {
        let next = tags.replace_all(&text, "").into_owned();
        if next == text {
            break;
        }
        text = next;
    }
    let text = text.trim_matches(js::is_space);
    if arguments.truthy(0).is_none() {
        let words: Vec<&str> = text.split(js::is_space).filter(|word| !word.is_empty()).collect();
        return Ok(like(input, words.join(" ")));
    }
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        lines.push(words.join(" "));
    }
    lines.dedup_by(|next, last| next.is_empty() && last.is_empty());
    Ok(like(input, lines.join("\n")))
}

fn truncate(input: &Value, arguments: &Args) -> Result<Value, String> {
    let length = arguments.truthy(0);
    if matches!(js::kind(input), Kind::Undefined | Kind::Null | Kind::Bool(false)) {
        return Ok(Value::from(""));
    }
    let wanted = length.cloned().unwrap_or_else(|| Value::from(255));
    let text = match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => text,
        Kind::List if js::order(&Value::from(js::list_len(input)), &wanted).is_some_and(Ordering::is_le) => {
            return Ok(input.clone());
        }
        _ => return Err("it needs a text".to_owned()),
    };
    let count = js::text_len(text);
    if js::order(&Value::from(count), &wanted).is_some_and(Ordering::is_le) {
        return Ok(input.clone());
    }
    let most = js::to_number(&wanted);
    let most = if most.is_nan() { 0 } else { most.clamp(0.0, count as f64) as usize };
    let cut = js::cut(text, 0, most);
    let kept = if arguments.truthy(1).is_some() {
        cut.into_owned()
    } else {
        // The last space at or before the limit
        let window = js::cut(text, 0, most + 1);
        window.rfind(' ').and_then(|at| window.get(..at)).map_or_else(|| cut.into_owned(), str::to_owned)
    };
    let end = arguments.get(2);
    let end = if end.is_undefined() || end.is_none() { "...".into() } else { js::text(end) };
    Ok(like(input, format!("{kept}{end}")))
}

/// Writes a text so that it can be part of an address.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn url_encode(input: &Value) -> Result<Value, String> {
    let pair =
        |key: &Value, value: &Value| format!("{}={}", encode(&js::text(key)), encode(&js::text(value)));
    let pairs: Vec<String> = match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => return Ok(Value::from(encode(text))),
        Kind::Record => {
            js::entries(input).iter().map(|(key, value)| pair(&Value::from(key.as_str()), value)).collect()
        }
        Kind::List => {
            let mut pairs = Vec::new();
            for item in js::items(input).iter() {
                if item.is_undefined() || item.is_none() {
                    return Err("an item is nothing".to_owned());
                }
                let part = |index: &str| super::super::eval::own(item, index).unwrap_or(Value::UNDEFINED);
                pairs.push(pair(&part("0"), &part("1")));
            }
            pairs
        }
        _ => Vec::new(),
    };
    Ok(Value::from(pairs.join("&")))
}

fn urlize(input: &Value, arguments: &Args) -> Result<Value, String> {
    let text = text_of(input)?;
    let length = arguments.get(0);
    let length = if length.is_undefined() { f64::INFINITY } else { js::to_number(length).max(0.0) };
    let length = if length.is_nan() { 0 } else { length.min(1e9) as usize };
    let follow = if js::is_same(arguments.get(1), &Value::from(true)) { " rel=\"nofollow\"" } else { "" };
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let space = rest.len() - rest.trim_start_matches(js::is_space).len();
        let (blank, after) = rest.split_at(space);
        out.push_str(blank);
        let end = after.find(js::is_space).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        out.push_str(&linked(word, length, follow));
        rest = after;
    }
    Ok(Value::from(out))
}

/// Makes a link of a word that looks like an address.
fn linked(word: &str, length: usize, follow: &str) -> String {
    let open = ["(", "<", "&lt;"].iter().find_map(|open| word.strip_prefix(open)).unwrap_or(word);
    let bare = [".", ",", ")", "&gt;"].iter().find_map(|close| open.strip_suffix(close)).unwrap_or(open);
    let short = js::cut(bare, 0, length);
    if bare.starts_with("http://") || bare.starts_with("https://") {
        format!("<a href=\"{bare}\"{follow}>{short}</a>")
    } else if bare.starts_with("www.") {
        format!("<a href=\"http://{bare}\"{follow}>{short}</a>")
    } else if is_mail(bare) {
        format!("<a href=\"mailto:{bare}\">{bare}</a>")
    } else if has_domain(bare) {
        format!("<a href=\"http://{bare}\"{follow}>{short}</a>")
    } else {
        word.to_owned()
    }
}

fn is_mail(word: &str) -> bool {
    let Some((name, domain)) = word.rsplit_once('@') else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.!#$%&'*+-/=?^`{|}~".contains(&byte);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
    };
    !name.is_empty() && name.bytes().all(is_name) && domain.contains('.') && domain.split('.').all(is_label)
}

fn has_domain(word: &str) -> bool {
    [".org", ".net", ".com"].iter().any(|domain| {
        let mut rest = word;
        while let Some((_, after)) = rest.split_once(domain) {
            if after.is_empty() || after.starts_with([':', '/']) {
                return true;
            }
            rest = after;
        }
        false
    })
}

/// Counts runs of ASCII letters, digits and `_`; null when there are none.
fn words(text: &str) -> Value {
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let mut count = 0_usize;
    let mut was_word = false;
    for byte in text.bytes() {
        count += usize::from(is_word(byte) && !was_word);
        was_word = is_word(byte);
    }
    if count == 0 { Value::from(()) } else { Value::from(count) }
}
