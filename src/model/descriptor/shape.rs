//! Values against shapes: texts, lists, mappings.

use super::super::kinds::{Field, Shape};
use super::super::placeholder;
use super::{Checker, Complaint, Place};
use crate::yaml::{Data, Node, push_step};

impl Checker<'_> {
    /// Checks a value against a shape.
    pub(super) fn shape(&mut self, shape: &Shape, place: Place<'_, '_>) {
        if placeholder::of(place.value).is_some() {
            return;
        }
        match (shape, &place.value.data) {
            (Shape::Text | Shape::TextUpTo(_), Data::String(text)) if text.is_empty() => self.empty(place),
            (Shape::TextUpTo(most), Data::String(text)) if text.chars().count() > *most => {
                let complaint = Complaint::new(
                    "catalog::too-long",
                    format!("`{}` has more than {most} characters", place.path()),
                    format!("{} characters", text.chars().count()),
                );
                self.error(place, complaint);
            }
            (Shape::OneOf(words), Data::String(text)) if !words.contains(&text.as_ref()) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                let words = words.join(" or ");
                let complaint = Complaint::new(
                    "catalog::not-allowed-value",
                    format!("`{}` cannot be `{text}`", place.path()),
                    format!("must be {words}"),
                )
                .hint(format!("write {words}"));
                self.error(place, complaint);
            }
            (Shape::Any | Shape::LooseRefs, _)
            | (Shape::Condition, Data::Bool(_))
            | (
                Shape::Text | Shape::AnyText | Shape::TextUpTo(_) | Shape::OneOf(_) | Shape::Condition,
                Data::String(_),
            ) => {}
            (Shape::List(item), Data::Sequence(items)) => self.items(item, items, place.pointer),
            (Shape::OneOrMany(one), Data::Sequence(items)) => self.items(one, items, place.pointer),
            (Shape::OneOrMany(one), _) => self.shape(one, place),
            (Shape::Object(fields), Data::Mapping(_)) => self.fields(fields, None, place),
            (Shape::Closed(fields, rest), Data::Mapping(_)) => self.fields(fields, Some(rest), place),
            (Shape::Text | Shape::TextUpTo(_) | Shape::AnyText | Shape::OneOf(_), _) => {
                self.wrong_type(place, "a text", None);
            }
            (Shape::Condition, _) => self.wrong_type(place, "a text or a boolean", None),
            (Shape::List(item), _) => self.wrong_type(place, "a list", Some(item)),
            (Shape::Object(_) | Shape::Closed(..), _) => self.wrong_type(place, "a mapping", None),
        }
    }

    fn items(&mut self, shape: &Shape, items: &[Node<'_>], pointer: &str) {
        for (index, value) in items.iter().enumerate() {
            // Pointers are made only for what can be wrong
            let fine = matches!((shape, &value.data), (Shape::Text, Data::String(text)) if !text.is_empty());
            if !fine {
                self.shape(shape, Place { key: None, value, pointer: &format!("{pointer}/{index}") });
            }
        }
    }

    /// Checks the fields of a mapping; `rest` is the shape of unlisted ones.
    pub(super) fn fields(&mut self, fields: &[Field], rest: Option<&Shape>, place: Place<'_, '_>) {
        let Some(entries) = place.value.as_mapping() else { return };
        for field in fields {
            match place.value.entry(field.name) {
                None if field.required => {
                    let example = example(field.name);
                    self.missing(place.key, place.value, field.name, place.pointer, example);
                }
                None => {}
                Some((key, value)) => {
                    let fine = matches!(
                        (&field.shape, &value.data),
                        (Shape::Text, Data::String(text)) if !text.is_empty()
                    );
                    if !fine {
                        let pointer = format!("{}/{}", place.pointer, field.name);
                        self.shape(&field.shape, Place { key: Some(key), value, pointer: &pointer });
                    }
                }
            }
        }
        let Some(rest) = rest else { return };
        for (key, value) in entries {
            let name = key.key_text();
            if !fields.iter().any(|field| field.name == name) {
                let pointer = push_step(place.pointer, &name);
                self.shape(rest, Place { key: Some(key), value, pointer: &pointer });
            }
        }
    }

    /// Reports a text that must not be empty.
    pub(super) fn empty(&mut self, place: Place<'_, '_>) {
        let complaint =
            Complaint::new("catalog::empty-value", format!("`{}` is empty", place.path()), "empty")
                .hint("give it a value, or remove the line");
        self.error(place, complaint);
    }

    /// Reports a value of another type than the model wants; `item` is the shape of a list's items.
    pub(super) fn wrong_type(&mut self, place: Place<'_, '_>, wanted: &str, item: Option<&Shape>) {
        let path = place.path();
        if place.value.is_null() {
            let complaint = Complaint::new(
                "catalog::null-value",
                format!("`{path}` has no value, the model wants {wanted}"),
                "nothing follows",
            )
            .hint("give it a value, or remove the line");
            return self.error(place, complaint);
        }
        let found = place.value.type_name();
        let mut complaint = Complaint::new(
            "catalog::wrong-type",
            format!("`{path}` must be {wanted}, not a {found}"),
            format!("a {found}"),
        );
        complaint.hint = self.advice(place, wanted, item);
        self.error(place, complaint);
    }

    /// Returns the line to write instead of a value of the wrong type.
    fn advice(&self, place: Place<'_, '_>, wanted: &str, item: Option<&Shape>) -> Option<String> {
        let key = place.key.map(|key| format!("{}: ", key.key_text())).unwrap_or_default();
        match (&place.value.data, wanted) {
            (Data::Int(_) | Data::Float(_) | Data::Bool(_), "a text") => {
                Some(format!("put it in quotes: `{key}\"{}\"`", self.written(place.value)))
            }
            (Data::String(text), "a list") if item == Some(&Shape::Text) && !text.contains('\n') => {
                Some(format!("write it as a list: `{key}[{text}]`"))
            }
            (Data::Sequence(items), "a text") => match items.as_slice() {
                [only] => only.as_str().map(|text| format!("only one is allowed: `{key}{text}`")),
                _ => Some("only one value is allowed here".into()),
            },
            (Data::Mapping(entries), "a text") => match entries.as_slice() {
                [(inner, _)] if inner.as_mapping().is_some() => {
                    Some(format!("put the expression in quotes: `{key}\"{{{{ … }}}}\"`"))
                }
                _ => Some(
                    "a nested mapping is not allowed here; for text with line breaks begin with `|`".into(),
                ),
            },
            (Data::Sequence(items), "a mapping")
                if items.iter().all(|item| item.as_mapping().is_some()) && !items.is_empty() =>
            {
                Some("remove the dashes: it is a mapping of `key: value` lines".into())
            }
            _ => None,
        }
    }

    /// Returns a scalar the way it is written in the file.
    fn written(&self, node: &Node<'_>) -> String {
        let line = self.source.line(node.start.line);
        let start = node.start.column.saturating_sub(1) as usize;
        line.chars().skip(start).take(node.width as usize).collect()
    }
}

/// Returns a line that would supply a missing field.
fn example(field: &str) -> &'static str {
    match field {
        "owner" => "owner: group:NAME",
        "lifecycle" => "lifecycle: production",
        "type" => "type: service",
        "children" => "children: []",
        "memberOf" => "memberOf: []",
        "definition" => "definition: {$text: ./openapi.yaml}",
        "steps" => "steps: []",
        "action" => "action: debug:log",
        "url" => "url: https://…",
        "name" => "name: …",
        "skills" => "skills: []",
        "plugins" => "plugins: []",
        "category" => "category: …",
        "rationale" => "rationale: …",
        _ => "a value for it",
    }
}
