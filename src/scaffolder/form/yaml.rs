//! Answers as a file: YAML with the title and the rule of each field above it, and back.

use super::Form;
use super::field::{Field, Widget};
use super::json::{Json, json_list};
use crate::diagnostic::Diagnostic;
use crate::model::value::ValueRef;
use crate::scaffolder::Value;
use std::sync::Arc;

/// Reads answers out of YAML or JSON; an empty file has none.
///
/// # Errors
/// When it does not parse, or is no mapping at the top.
pub fn read_answers(text: &str, file: &str) -> Result<Value, Box<Diagnostic>> {
    let answers = parse(text, file)?;
    match answers {
        Json::Null => Ok(Json::object().to_value()),
        Json::Object(_) => Ok(answers.to_value()),
        other => {
            let message = format!(
                "answers are keys with values, not {}",
                match other {
                    Json::List(_) => "a list",
                    _ => "a single value",
                }
            );
            let at = crate::diagnostic::SourceLocation::at(file, 1, 1);
            Err(Box::new(
                Diagnostic::error("template::answers", message)
                    .at(at)
                    .hint("write `name: value`, one per line"),
            ))
        }
    }
}

/// Reads one document.
pub(super) fn parse(text: &str, file: &str) -> Result<Json, Box<Diagnostic>> {
    let file: Arc<str> = file.into();
    let Some(document) = crate::yaml::parse_stream(text, &file).into_iter().next() else {
        return Ok(Json::Null);
    };
    let Some(node) = document.content? else { return Ok(Json::Null) };
    let packed = node.to_packed();
    Ok(Json::of(&Value::from(minijinja::value::Serde(ValueRef::new(&packed)))))
}

impl Form {
    /// Writes the answers as YAML, with what is asked above each; secrets are left out, and so is what was not
    /// answered, as a comment.
    pub fn to_yaml(&self) -> String {
        let mut out = format!("# Answers for {}\n", comment(&self.template.entity_ref));
        for (page, at) in self.pages.iter().zip(0..) {
            out.push_str(&format!("\n# {}\n", comment(&page.title)));
            for field in
                self.fields(at).iter().filter(|field| field.depth == 0 && !field.pointer.contains("/~"))
            {
                self.write(field, &mut out);
            }
        }
        self.write_others(&mut out);
        out
    }

    fn write(&self, field: &Field, out: &mut String) {
        let star = if field.is_required { ", required" } else { "" };
        let rule = if field.rule.is_empty() { String::new() } else { format!(": {}", comment(&field.rule)) };
        out.push_str(&format!("\n# {}{star}{rule}\n", comment(&field.title)));
        if let Widget::Choice { choices, .. } | Widget::Several { choices } = &field.widget {
            let labels: Vec<String> =
                choices.iter().map(|choice| label(&Json::of(&choice.value), &choice.label)).collect();
            out.push_str(&format!("# one of: {}\n", labels.join(", ")));
        }
        let key = scalar(&field.name);
        if self.inner.get(&field.pointer).is_some_and(|inner| inner.is_masked) {
            out.push_str(&format!("# {key} is a secret and not written here\n"));
            return;
        }
        match self.state.values.at(&field.pointer) {
            Some(value) => entry(&key, &self.open(&field.pointer, value), 0, out),
            None => out.push_str(&format!("# {key}:\n")),
        }
    }

    /// A value without the secrets in it.
    fn open(&self, pointer: &str, value: &Json) -> Json {
        let mut value = value.clone();
        for (below, _) in self.inner.iter().filter(|(_, inner)| inner.is_masked) {
            if let Some(rest) = below.strip_prefix(pointer).filter(|rest| rest.starts_with('/')) {
                value.remove(rest);
            }
        }
        value
    }

    /// Answers that no row shows: hidden fields, and what came with the form.
    fn write_others(&self, out: &mut String) {
        let is_shown = |name: &str| {
            let pointer = super::join("", name);
            self.field(&pointer).is_some()
        };
        let others = self
            .state
            .values
            .as_object()
            .into_iter()
            .flat_map(super::Map::iter)
            .filter(|(name, _)| !is_shown(name));
        for (name, value) in others {
            let pointer = super::join("", name);
            if self.inner.get(&pointer).is_some_and(|inner| inner.is_masked) {
                continue;
            }
            out.push_str("\n# not shown in the form\n");
            entry(&scalar(name), &self.open(&pointer, value), 0, out);
        }
    }
}

fn label(value: &Json, label: &str) -> String {
    let value = value.text();
    if value == label { comment(&value) } else { format!("{} ({})", comment(&value), comment(label)) }
}

/// A text that stays inside of a comment.
fn comment(text: &str) -> String {
    crate::model::text::clean(text).into_owned()
}

fn entry(key: &str, value: &Json, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    match value {
        Json::Object(map) if !map.is_empty() => {
            out.push_str(&format!("{pad}{key}:\n"));
            map.iter().for_each(|(key, value)| entry(&scalar(key), value, indent + 1, out));
        }
        Json::List(items) if !items.is_empty() => {
            out.push_str(&format!("{pad}{key}:\n"));
            items.iter().for_each(|value| item(value, indent + 1, out));
        }
        value => out.push_str(&format!("{pad}{key}: {}\n", one_line(value))),
    }
}

fn item(value: &Json, indent: usize, out: &mut String) {
    out.push_str(&format!("{}- {}\n", "  ".repeat(indent), one_line(value)));
}

/// A value in one line; lists and objects as JSON, which is YAML too.
fn one_line(value: &Json) -> String {
    match value {
        Json::Text(text) => scalar(text),
        Json::List(items) if json_list(Some(value)).is_empty() => format!("{}", Json::List(items.clone())),
        other => other.to_string(),
    }
}

/// A text as a scalar: plain where nothing else can be read, else as JSON has it.
fn scalar(text: &str) -> String {
    let is_word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./ ".contains(&b));
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.ends_with(' ');
    // older readers take these for yes and no
    let is_bool = ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_plain = is_word
        && starts_well
        && !is_bool
        && matches!(parse(text, ""), Ok(Json::Text(read)) if &*read == text);
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
