//! Reading inputs and writing schemas and outputs of actions.
//!
//! Inputs are checked against the schema of the action before they come here, so a field that is there
//! has its type; [`Input`] reads what is missing as absent.

use crate::scaffolder::Value;
use minijinja::value::{Serde, ValueKind};

/// The input of an action, read field by field.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a>(pub &'a Value);

impl Input<'_> {
    /// Returns a field; undefined when it is absent or null.
    pub fn get(self, field: &str) -> Value {
        let found = self.0.get_attr(field).unwrap_or_default();
        if found.is_none() { Value::UNDEFINED } else { found }
    }

    /// Returns whether a field is there.
    pub fn has(self, field: &str) -> bool {
        !self.get(field).is_undefined()
    }

    /// Returns a text; numbers and truth values in their written form.
    pub fn text(self, field: &str) -> Option<String> {
        let value = self.get(field);
        match value.kind() {
            ValueKind::String => value.as_str().map(str::to_owned),
            ValueKind::Number | ValueKind::Bool => Some(value.to_string()),
            _ => None,
        }
    }

    /// Returns a text that is not empty.
    pub fn word(self, field: &str) -> Option<String> {
        self.text(field).filter(|text| !text.is_empty())
    }

    /// Returns whether a field is `true`.
    pub fn flag(self, field: &str) -> bool {
        self.choice(field) == Some(true)
    }

    /// Returns a truth value that was given.
    pub fn choice(self, field: &str) -> Option<bool> {
        let value = self.get(field);
        (value.kind() == ValueKind::Bool).then(|| value.is_true())
    }

    /// Returns a number.
    pub fn number(self, field: &str) -> Option<f64> {
        let value = self.get(field);
        (value.kind() == ValueKind::Number).then(|| f64::try_from(value).ok()).flatten()
    }

    /// Returns the items of a list; none when it is absent.
    pub fn list(self, field: &str) -> Vec<Value> {
        let value = self.get(field);
        if value.kind() != ValueKind::Seq {
            return Vec::new();
        }
        value.try_iter().map(Iterator::collect).unwrap_or_default()
    }

    /// Returns the texts of a list.
    pub fn texts(self, field: &str) -> Vec<String> {
        self.list(field).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// Returns the pairs of an object, in order.
    pub fn pairs(self, field: &str) -> Vec<(String, Value)> {
        let value = self.get(field);
        if value.kind() != ValueKind::Map {
            return Vec::new();
        }
        let keys = value.try_iter().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        keys.into_iter()
            .map(|key| {
                let item = value.get_item(&key).unwrap_or_default();
                (key.as_str().map_or_else(|| key.to_string(), str::to_owned), item)
            })
            .collect()
    }
}

/// Makes an object of pairs, in order.
pub fn object<K: Into<Value>, V: Into<Value>>(pairs: impl IntoIterator<Item = (K, V)>) -> Value {
    Value::from_pairs(pairs)
}

/// Makes the schema of an object out of its fields, each with its own schema; a name that ends with `*`
/// is required. Other fields are refused, as Backstage does.
pub fn schema(fields: &[(&'static str, serde_json::Value)]) -> Value {
    let required: Vec<&str> = fields.iter().filter_map(|(name, _)| name.strip_suffix('*')).collect();
    let properties =
        object(fields.iter().map(|(name, schema)| (name.trim_end_matches('*'), Value::from(Serde(schema)))));
    let mut out = vec![("type", Value::from("object")), ("properties", properties)];
    if !required.is_empty() {
        out.push(("required", Value::from(required)));
    }
    out.push(("additionalProperties", Value::from(false)));
    object(out)
}

/// Returns a schema with one more keyword.
pub fn with_field(schema: &Value, keyword: &str, value: &serde_json::Value) -> Value {
    let keys = schema.try_iter().into_iter().flatten();
    let pairs: Vec<_> = keys.map(|key| (key.clone(), schema.get_item(&key).unwrap_or_default())).collect();
    Value::from_pairs(pairs.into_iter().chain([(Value::from(keyword), Value::from(Serde(value)))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_read_by_their_type() {
        let value = Value::from(Serde(json!({
            "t": "x", "n": 2, "b": true, "z": null, "l": ["a", 1], "o": {"k": 1}
        })));
        let input = Input(&value);
        assert_eq!(input.text("t").as_deref(), Some("x"));
        assert_eq!(input.text("n").as_deref(), Some("2"));
        assert!(input.flag("b") && !input.flag("t") && !input.has("z") && !input.has("no"));
        assert_eq!(input.texts("l"), ["a"]);
        assert_eq!(input.number("n"), Some(2.0));
        assert_eq!(input.pairs("o")[0].0, "k");
    }

    #[test]
    fn a_schema_names_what_is_required() {
        let made = schema(&[("url*", json!({"type": "string"})), ("token", json!({"type": "string"}))]);
        let json = serde_json::to_value(&made).unwrap();
        assert_eq!(json["required"], json!(["url"]));
        assert_eq!(json["properties"]["url"]["type"], "string");
        assert_eq!(json["additionalProperties"], false);
    }
}
