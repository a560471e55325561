//! Writes values as `JSON.stringify` does.

use super::js::{self, Kind};
use minijinja::Value;
use std::fmt::Write as _;

/// Writes a value; `None` for what JSON does not have. `indent` is what one level is indented by.
pub(super) fn stringify(value: &Value, indent: &str) -> Option<String> {
    let mut out = String::new();
    let mut writer = Writer { indent, out: &mut out };
    writer.value(value, 0).then_some(out)
}

struct Writer<'a> {
    indent: &'a str,
    out: &'a mut String,
}

impl Writer<'_> {
    /// Returns false when there is nothing to write.
    fn value(&mut self, value: &Value, depth: usize) -> bool {
        match js::kind(value) {
            Kind::Undefined | Kind::Callable => return false,
            Kind::Null => self.out.push_str("null"),
            Kind::Bool(is_true) => self.out.push_str(if is_true { "true" } else { "false" }),
            Kind::Number(number) if number.is_finite() => js::print_number(number, self.out),
            Kind::Number(_) => self.out.push_str("null"),
            Kind::Text(text) | Kind::Safe(text) => self.text(text),
            Kind::List => self.list(value, depth),
            Kind::Record => self.record(value, depth),
            Kind::Pattern(_) => self.out.push_str("{}"),
        }
        true
    }

    fn list(&mut self, list: &Value, depth: usize) {
        let items = js::items(list);
        self.out.push('[');
        for (position, item) in items.iter().enumerate() {
            self.separate(position, depth + 1);
            if !self.value(item, depth + 1) {
                self.out.push_str("null");
            }
        }
        self.close(items.is_empty(), depth, ']');
    }

    fn record(&mut self, record: &Value, depth: usize) {
        let entries = js::entries(record);
        let entries =
            entries.iter().filter(|(_, value)| !matches!(js::kind(value), Kind::Undefined | Kind::Callable));
        self.out.push('{');
        let mut count = 0;
        for (key, value) in entries {
            self.separate(count, depth + 1);
            self.text(key);
            self.out.push_str(if self.indent.is_empty() { ":" } else { ": " });
            self.value(value, depth + 1);
            count += 1;
        }
        self.close(count == 0, depth, '}');
    }

    fn separate(&mut self, position: usize, depth: usize) {
        if position > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, is_empty: bool, depth: usize, bracket: char) {
        if !is_empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if !self.indent.is_empty() {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(self.indent, depth));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            let (plain, special) = rest.split_at(at);
            self.out.push_str(plain);
            match special.as_bytes().first() {
                Some(b'"') => self.out.push_str("\\\""),
                Some(b'\\') => self.out.push_str("\\\\"),
                Some(b'\n') => self.out.push_str("\\n"),
                Some(b'\r') => self.out.push_str("\\r"),
                Some(b'\t') => self.out.push_str("\\t"),
                Some(8) => self.out.push_str("\\b"),
                Some(12) => self.out.push_str("\\f"),
                Some(byte) => {
                    let _ = write!(self.out, "\\u{byte:04x}");
                }
                None => {}
            }
            rest = special.get(1..).unwrap_or_default();
        }
        self.out.push_str(rest);
        self.out.push('"');
    }
}
