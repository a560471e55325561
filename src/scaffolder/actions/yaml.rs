//! YAML as `catalog:write` writes it.

use crate::scaffolder::Value;

/// Returns a value as a YAML document.
pub fn write(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}
