//! JSON lines taken apart: fields in the order in which they were written, and with one value per row.

use serde::de::IgnoredAny;
use std::borrow::Cow;

/// Longer objects are shown as they are: taking them apart at every frame would be felt.
const MAX_BYTES: usize = 64 * 1024;
/// Most rows of an object with one value per row.
const MAX_ROWS: usize = 400;

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub key: Cow<'a, str>,
    /// Its value as it was written.
    pub raw: &'a str,
}

impl Field<'_> {
    /// Returns the value as people read it: texts without quotes and escapes.
    pub fn value(&self) -> Cow<'_, str> {
        unquoted(self.raw)
    }

    /// Returns the value on one line: quoted where it would be unclear where it ends.
    pub fn short(&self) -> Cow<'_, str> {
        let value = self.value();
        let is_clear = !value.is_empty()
            && !value.chars().any(|c| c.is_whitespace() || c.is_control() || c == '"' || c == '=');
        if is_clear || !self.raw.starts_with('"') { value } else { Cow::Borrowed(self.raw) }
    }
}

fn unquoted(raw: &str) -> Cow<'_, str> {
    if !raw.starts_with('"') {
        return Cow::Borrowed(raw);
    }
    match raw.get(1..raw.len().saturating_sub(1)) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => serde_json::from_str::<String>(raw).map_or(Cow::Borrowed(raw), Cow::Owned),
    }
}

/// Returns the fields of an object; `None` for anything else.
pub fn fields(text: &str) -> Option<Vec<Field<'_>>> {
    let text = text.trim();
    if text.len() > MAX_BYTES || !text.starts_with('{') {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut at = 1;
    let mut out = Vec::new();
    loop {
        at = skip(text, at);
        if !text.get(at..)?.starts_with('"') {
            return Some(out);
        }
        let end = value_end(text, at);
        let key = unquoted(text.get(at..end)?);
        // over the colon
        at = skip(text, skip(text, end) + 1);
        let end = value_end(text, at);
        out.push(Field { key, raw: text.get(at..end)? });
        at = skip(text, end);
        if text.get(at..)?.starts_with(',') {
            at += 1;
        }
    }
}

fn skip(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or("");
    at + (rest.len() - rest.trim_start().len())
}

/// Returns where a value of a valid text ends that begins at `at`.
fn value_end(text: &str, at: usize) -> usize {
    let (mut depth, mut is_text, mut is_escaped) = (0usize, false, false);
    for (offset, byte) in text.bytes().enumerate().skip(at) {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    is_text = false;
                    if depth == 0 {
                        return offset + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return offset + 1;
                }
            }
            b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return offset,
            _ => {}
        }
    }
    text.len()
}

/// Returns an object or list with one value per row; `None` for anything else.
pub fn pretty(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.len() > MAX_BYTES || !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut rows = vec![String::new()];
    let (mut depth, mut is_text, mut is_escaped) = (0usize, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if rows.len() >= MAX_ROWS {
            rows.push("…".to_owned());
            return Some(rows);
        }
        let Some(row) = rows.last_mut() else { break };
        if is_text {
            row.push(c);
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => {
                is_text = true;
                row.push(c);
            }
            '{' | '[' => {
                row.push(c);
                while chars.peek().is_some_and(|c| c.is_whitespace()) {
                    chars.next();
                }
                if let Some(close) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    row.push(close);
                } else {
                    depth += 1;
                    rows.push("  ".repeat(depth));
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                rows.push(format!("{}{c}", "  ".repeat(depth)));
            }
            ',' => {
                row.push(c);
                rows.push("  ".repeat(depth));
            }
            ':' => row.push_str(": "),
            c if c.is_whitespace() => {}
            c => row.push(c),
        }
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_keep_their_order_and_values() {
        let line = r#" {"z":1, "a" : "two \"words\"","n":{"x":[1,"}"]},"e":"", "b":true} "#;
        let shown: Vec<String> =
            fields(line).unwrap().iter().map(|f| format!("{}={}", f.key, f.short())).collect();
        assert_eq!(shown, ["z=1", r#"a="two \"words\"""#, r#"n={"x":[1,"}"]}"#, r#"e="""#, "b=true"]);
        assert_eq!(fields("{}"), Some(Vec::new()));
        for text in ["[1]", "{", "{\"a\":}", "plain", ""] {
            assert_eq!(fields(text), None, "{text}");
        }
    }

    #[test]
    fn one_value_per_row() {
        let rows = pretty(r#"{"a":1,"b":{"c":[],"d":["x, y"]}}"#).unwrap();
        assert_eq!(
            rows,
            [
                "{",
                "  \"a\": 1,",
                "  \"b\": {",
                "    \"c\": [],",
                "    \"d\": [",
                "      \"x, y\"",
                "    ]",
                "  }",
                "}"
            ]
        );
        assert_eq!(pretty("plain"), None);
    }

    proptest! {
        #[test]
        fn every_valid_object_comes_back(
            pairs in prop::collection::vec(("[a-z\"\\\\ ,:{}]{0,8}", "\\PC{0,12}"), 0..6)
        ) {
            let body: Vec<String> = pairs
                .iter()
                .map(|(k, v)| format!("{}:{}", serde_json::to_string(k).unwrap(), serde_json::to_string(v).unwrap()))
                .collect();
            let line = format!("{{{}}}", body.join(","));
            let found = fields(&line).unwrap();
            let found: Vec<(String, String)> =
                found.iter().map(|f| (f.key.to_string(), f.value().to_string())).collect();
            prop_assert_eq!(found, pairs);
        }
    }
}
