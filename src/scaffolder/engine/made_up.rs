//! Outputs of what a dry run did not do: foreseen where possible, made up by the schema otherwise.

use crate::scaffolder::Value;
use minijinja::value::ValueKind;

/// Deepest schema that is looked into.
const MAX_DEPTH: usize = 8;

/// Returns outputs by a schema; what is foreseen wins.
pub fn outputs(schema: &Value, foreseen: &Value) -> Value {
    let made =
        if schema.is_undefined() { Value::from_pairs::<_, &str, Value>([]) } else { example(schema, 0) };
    if foreseen.kind() != ValueKind::Map {
        return made;
    }
    if made.kind() != ValueKind::Map {
        return foreseen.clone();
    }
    Value::from_pairs(pairs(&made).into_iter().chain(pairs(foreseen)))
}

fn pairs(value: &Value) -> Vec<(Value, Value)> {
    let keys = value.try_iter().into_iter().flatten();
    keys.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect()
}

fn field(value: &Value, name: &str) -> Value {
    value.get_attr(name).unwrap_or_default()
}

fn example(schema: &Value, depth: usize) -> Value {
    let first = field(schema, "examples").get_item_by_index(0).unwrap_or_default();
    if !first.is_undefined() {
        return first;
    }
    if depth > MAX_DEPTH {
        return Value::from("<unknown>");
    }
    match field(schema, "type").as_str() {
        Some("object") => {
            let fields = field(schema, "properties");
            let fields = if fields.kind() == ValueKind::Map { pairs(&fields) } else { Vec::new() };
            Value::from_pairs(fields.into_iter().map(|(name, schema)| (name, example(&schema, depth + 1))))
        }
        Some("array") => {
            let items = field(schema, "items");
            let items = if items.kind() == ValueKind::Seq {
                items.get_item_by_index(0).unwrap_or_default()
            } else {
                items
            };
            if items.is_true() {
                Value::from(vec![example(&items, depth + 1)])
            } else {
                Value::from(Vec::<Value>::new())
            }
        }
        Some("string") => Value::from("<example>"),
        Some("number" | "integer") => Value::from(0),
        Some("boolean") => Value::from(false),
        _ => Value::from("<unknown>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Serde;
    use serde_json::json;

    #[test]
    fn outputs_are_made_up_by_type_and_what_is_foreseen_wins() {
        let schema = json!({"type": "object", "properties": {
            "remoteUrl": {"type": "string"}, "n": {"type": "number"}, "b": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "string"}}, "e": {"type": "string", "examples": ["x"]},
            "any": {}
        }});
        let foreseen = Value::from(Serde(json!({"remoteUrl": "https://a/b"})));
        let made = serde_json::to_value(outputs(&Value::from(Serde(schema)), &foreseen)).unwrap();
        let expected = json!({"remoteUrl": "https://a/b", "n": 0, "b": false, "list": ["<example>"], "e": "x",
            "any": "<unknown>"});
        assert_eq!(made, expected);
        assert_eq!(serde_json::to_value(outputs(&Value::UNDEFINED, &Value::UNDEFINED)).unwrap(), json!({}));
    }
}
