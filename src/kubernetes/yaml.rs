//! An object as YAML for people: what the server keeps for itself left out, secrets masked.

use serde_json::{Map, Value};

/// What stands for the value of a secret.
pub const MASK: &str = "***";
/// Where kubectl keeps a copy of what was applied: long, and of a secret with its values.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Bytes printed at most.
const MAX: usize = 2 << 20;

/// Takes out what nobody wants to read, and masks secrets.
pub fn trim(object: &mut Value) {
    let is_secret = object.get("kind").and_then(Value::as_str) == Some("Secret");
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
            if is_secret {
                mask_copies(annotations);
            }
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    if is_secret {
        for part in ["data", "stringData"] {
            if let Some(values) = object.get_mut(part).and_then(Value::as_object_mut) {
                values.values_mut().for_each(|value| *value = MASK.into());
            }
        }
    }
}

/// Tools other than kubectl keep copies of what they applied too, as JSON or YAML.
fn mask_copies(annotations: &mut Map<String, Value>) {
    let is_copy = |text: &str| text.trim_start().starts_with('{') || text.contains("\ndata:");
    for value in annotations.values_mut().filter(|value| value.as_str().is_some_and(is_copy)) {
        *value = MASK.into();
    }
}

/// Prints an object, trimmed.
///
/// # Errors
/// A sentence when it is too large to be read.
pub fn print(mut object: Value) -> Result<String, String> {
    trim(&mut object);
    let text = serde_yaml::to_string(&object).map_err(|error| format!("could not print it: {error}"))?;
    if text.len() > MAX {
        return Err(format!("the object has {} bytes: too many to show", text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_value_of_a_secret_is_printed() {
        let cases = [
            json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}}),
            json!({"kind": "Secret", "stringData": {"password": "hunter2"}}),
            json!({"kind": "Secret", "metadata": {"annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"p\":\"aHVudGVyMg==\"}}"}}}),
            json!({"kind": "Secret", "metadata": {"annotations": {"kapp/original": "{\"stringData\":\"hunter2\"}"}}}),
        ];
        for object in cases {
            let text = print(object.clone()).unwrap();
            assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{object}: {text}");
        }
    }

    #[test]
    fn what_the_server_keeps_for_itself_is_left_out() {
        let object = json!({"kind": "Pod", "metadata": {"name": "a", "managedFields": [{"manager": "x"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, "data": {"a": "b"}});
        assert_eq!(print(object).unwrap(), "data:\n  a: b\nkind: Pod\nmetadata:\n  name: a\n");
    }
}
