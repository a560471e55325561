//! Quantities as objects write them: `250m`, `64Mi`, `2`.

use serde_json::Value;

/// Returns a quantity in thousandths; 0 for what is none.
pub fn milli(value: &Value) -> i64 {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return 0,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1000.0,
        "m" => 1.0,
        "k" => 1e6,
        "M" => 1e9,
        "G" => 1e12,
        "Ki" => 1000.0 * 1024.0,
        "Mi" => 1000.0 * 1024.0 * 1024.0,
        "Gi" => 1000.0 * 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1000.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => 0.0,
    };
    (number.parse::<f64>().unwrap_or(0.0) * factor) as i64
}

/// Returns a quantity in whole units: bytes.
pub fn whole(value: &Value) -> i64 {
    milli(value) / 1000
}
