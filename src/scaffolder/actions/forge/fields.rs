//! Inputs and outputs of actions as tables of fields, and the JSON Schema made of them.
//!
//! Start at [`Field`]. Inputs that are not in a table are allowed: templates carry fields of older versions, which
//! harm nobody; the action says in its log that it does not know them.

use crate::scaffolder::Value;
use minijinja::value::Serde;
use serde_json::{Map, Value as Json, json};

/// A field of an input or an output.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    is_required: bool,
    default: Option<&'static str>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A number.
    Number,
    /// A number, or a text that names the same thing.
    NumberOrText,
    /// A list of texts.
    Texts,
    /// An object with values of any kind.
    Map,
    /// An object with these fields.
    Object(&'static [Field]),
    /// A list of objects with these fields.
    Objects(&'static [Field]),
    /// Anything.
    Any,
}

/// Creates a field that may be absent.
pub const fn field(name: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, kind, help, is_required: false, default: None }
}

/// Creates a field that must be there.
pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, kind, help, is_required: true, default: None }
}

impl Field {
    /// Names what counts when it is absent, as JSON.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    fn schema(&self) -> Json {
        let mut schema = self.kind.schema();
        if let Some(map) = schema.as_object_mut() {
            map.insert("description".into(), self.help.into());
            if let Some(default) = self.default {
                let value = serde_json::from_str(default).unwrap_or_else(|_| default.into());
                map.insert("default".into(), value);
            }
        }
        schema
    }
}

impl Kind {
    fn schema(self) -> Json {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Choice(words) => json!({"type": "string", "enum": words}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Number => json!({"type": "number"}),
            Self::NumberOrText => json!({"type": ["number", "string"]}),
            Self::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Self::Map => json!({"type": "object"}),
            Self::Object(fields) => object(&[fields]),
            Self::Objects(fields) => json!({"type": "array", "items": object(&[fields])}),
            Self::Any => json!({}),
        }
    }
}

fn object(tables: &[&[Field]]) -> Json {
    let fields = || tables.iter().flat_map(|table| table.iter());
    let properties: Map<String, Json> =
        fields().map(|field| (field.name.to_owned(), field.schema())).collect();
    let needed: Vec<&str> = fields().filter(|field| field.is_required).map(|field| field.name).collect();
    let mut out = json!({"type": "object", "properties": properties});
    if let (false, Some(map)) = (needed.is_empty(), out.as_object_mut()) {
        map.insert("required".into(), needed.into());
    }
    out
}

/// Makes the schema of an object with the fields of all these tables.
pub fn schema(tables: &[&[Field]]) -> Value {
    Value::from(Serde(object(tables)))
}

/// Returns the inputs that no field is for.
pub fn unknown(tables: &[&[Field]], input: &Json) -> Vec<String> {
    let known = |name: &str| tables.iter().any(|table| table.iter().any(|field| field.name == name));
    let names = input.as_object().map(|map| map.keys().filter(|name| !known(name)).cloned().collect());
    names.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_a_schema() {
        const INNER: &[Field] = &[required("name", Kind::Text, "its name")];
        const FIELDS: &[Field] = &[
            required("repoUrl", Kind::Text, "where"),
            field("draft", Kind::Flag, "not yet ready").or("false"),
            field("branch", Kind::Text, "which").or("\"main\""),
            field("list", Kind::Objects(INNER), "many"),
        ];
        let schema = serde_json::to_value(schema(&[FIELDS])).unwrap();
        assert_eq!(schema["required"], json!(["repoUrl"]));
        assert_eq!(schema["properties"]["draft"]["default"], json!(false));
        assert_eq!(schema["properties"]["branch"]["default"], json!("main"));
        assert_eq!(schema["properties"]["list"]["items"]["required"], json!(["name"]));
        assert!(jsonschema::validator_for(&schema).is_ok());
        assert_eq!(unknown(&[FIELDS], &json!({"repoUrl": "x", "allowedHosts": []})), ["allowedHosts"]);
    }
}
