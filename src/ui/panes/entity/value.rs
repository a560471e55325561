//! Values of a descriptor as YAML text within a limit, for everything that has no form of its own.

use crate::config::theme::Role;
use crate::model::value::ValueRef;
use crate::ui::widgets::Flow;
use std::io::{self, Write};

/// Most bytes of one value that an overview shows; the rest is in the raw file.
const LIMIT: usize = 4000;

/// Keeps what is written up to a limit, then refuses.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Limited {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let left = self.limit.saturating_sub(self.bytes.len());
        let taken = part.get(..left.min(part.len())).unwrap_or(part);
        self.bytes.extend_from_slice(taken);
        if taken.len() < part.len() { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(part.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a value as YAML, at most `limit` bytes of it, and whether something is missing.
pub fn yaml(value: ValueRef<'_>, limit: usize) -> (String, bool) {
    let mut out = Limited { bytes: Vec::new(), limit };
    let is_cut = serde_yaml::to_writer(&mut out, &value).is_err();
    (String::from_utf8_lossy(&out.bytes).into_owned(), is_cut)
}

/// Adds a field with its value: scalars beside their key, all else as indented YAML below it.
pub fn field<T>(flow: &mut Flow<T>, key: &str, value: ValueRef<'_>, column: usize) {
    if value.is_null() {
        flow.pair(key, "null", column, Role::Dim);
        return;
    }
    let whole = value.scalar_text();
    let (text, is_cut) = match &whole {
        Some(text) if text.len() <= LIMIT => (text.to_string(), false),
        _ => yaml(value, LIMIT),
    };
    let is_short = whole.is_some() || matches!(text.trim_end(), "[]" | "{}");
    if is_short && !is_cut {
        flow.pair(key, text.trim_end(), column, Role::Text);
    } else {
        flow.pair(key, text.trim_end(), 0, Role::Text);
    }
    if is_cut {
        flow.indented(2, "… the rest is in the raw file", Role::Dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::PackedBuilder;
    use crate::ui::text::Line;

    fn lines(json: &serde_json::Value) -> Vec<String> {
        let mut builder = PackedBuilder::new();
        builder.json(json);
        let packed = builder.finish();
        let mut flow: Flow<()> = Flow::of_width(40);
        field(&mut flow, "key", ValueRef::new(&packed), 12);
        let text = |line: &Line| line.iter().map(|span| span.text.as_str()).collect::<String>();
        flow.lines.iter().map(text).collect()
    }

    #[test]
    fn shows_every_shape() {
        assert_eq!(lines(&serde_json::json!(3)), ["key         3"]);
        assert_eq!(lines(&serde_json::json!("")), ["key         \"\""]);
        assert_eq!(lines(&serde_json::json!(null)), ["key         null"]);
        assert_eq!(lines(&serde_json::json!([])), ["key         []"]);
        assert_eq!(lines(&serde_json::json!(["a", {"b": true}])), ["key", "  - a", "  - b: true"]);
    }

    #[test]
    fn a_huge_value_is_cut_and_says_so() {
        let shown = lines(&serde_json::json!(vec!["x".repeat(50); 10_000]));
        assert!(shown.len() < 400, "{}", shown.len());
        assert_eq!(shown.last().unwrap(), "  … the rest is in the raw file");
    }
}
