//! The core schema of YAML 1.2: which plain texts are null, booleans or numbers.
//!
//! Words of YAML 1.1 (`yes`, `on`) and dates are plain text. Whole numbers that do not fit 64 bits
//! become floats.

use super::Data;
use std::borrow::Cow;

/// Returns what an untagged plain scalar means.
pub(super) fn plain(text: Cow<'_, str>) -> Data<'_> {
    let Some(first) = text.bytes().next() else { return Data::Null };
    // Most values are words: only these bytes can begin anything else
    if !matches!(first, b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'+' | b'-' | b'.' | b'0'..=b'9') {
        return Data::String(text);
    }
    null(&text)
        .or_else(|| boolean(&text))
        .or_else(|| int(&text))
        .or_else(|| float(&text))
        .unwrap_or(Data::String(text))
}

/// Returns what a scalar with a core tag means; text that does not fit the tag stays text.
pub(super) fn tagged<'a>(suffix: &str, text: Cow<'a, str>) -> Data<'a> {
    let found = match suffix {
        "null" => null(&text),
        "bool" => boolean(&text),
        "int" => int(&text),
        "float" => float(&text),
        _ => None,
    };
    found.unwrap_or(Data::String(text))
}

fn null(text: &str) -> Option<Data<'static>> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Data::Null)
}

fn boolean(text: &str) -> Option<Data<'static>> {
    match text {
        "true" | "True" | "TRUE" => Some(Data::Bool(true)),
        "false" | "False" | "FALSE" => Some(Data::Bool(false)),
        _ => None,
    }
}

fn int(text: &str) -> Option<Data<'static>> {
    let radix = |digits: &str, radix: u32| {
        (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))).then(|| {
            i64::from_str_radix(digits, radix).map_or_else(
                |_| {
                    let base = f64::from(radix);
                    let value = digits
                        .chars()
                        .fold(0.0, |sum, c| sum * base + f64::from(c.to_digit(radix).unwrap_or(0)));
                    Data::Float(value)
                },
                Data::Int,
            )
        })
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or_else(|_| Data::Float(text.parse().unwrap_or(f64::INFINITY)), Data::Int))
}

fn float(text: &str) -> Option<Data<'static>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            let infinity = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
            return Some(Data::Float(infinity));
        }
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => return Some(Data::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    let shaped = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()),
        None => exponent.is_some() && !mantissa.is_empty() && digits(mantissa),
    };
    shaped.then(|| text.parse().ok().map(Data::Float)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_core_schema() {
        let string = |text: &str| Data::String(Cow::Owned(text.to_owned()));
        let cases = [
            ("", Data::Null),
            ("~", Data::Null),
            ("Null", Data::Null),
            ("nULL", string("nULL")),
            ("True", Data::Bool(true)),
            ("FALSE", Data::Bool(false)),
            ("yes", string("yes")),
            ("on", string("on")),
            ("12", Data::Int(12)),
            ("+12", Data::Int(12)),
            ("-07", Data::Int(-7)),
            ("0o17", Data::Int(15)),
            ("0x1F", Data::Int(31)),
            ("0x", string("0x")),
            ("0o8", string("0o8")),
            ("9223372036854775808", Data::Float(9_223_372_036_854_775_808.0)),
            ("0xffffffffffffffff", Data::Float(18_446_744_073_709_551_615.0)),
            ("1.", Data::Float(1.0)),
            (".5", Data::Float(0.5)),
            ("-.5e3", Data::Float(-500.0)),
            ("1e3", Data::Float(1000.0)),
            (".", string(".")),
            ("1e", string("1e")),
            ("e3", string("e3")),
            ("-.inf", Data::Float(f64::NEG_INFINITY)),
            ("+.nan", string("+.nan")),
            ("2025-01-01", string("2025-01-01")),
            ("1_000", string("1_000")),
            ("1:30", string("1:30")),
            ("-", string("-")),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(Cow::Borrowed(text)), expected, "{text}");
        }
        assert!(matches!(plain(Cow::Borrowed(".NaN")), Data::Float(f) if f.is_nan()));
    }

    #[test]
    fn a_tag_that_does_not_fit_leaves_text() {
        assert_eq!(tagged("int", Cow::Borrowed("7")), Data::Int(7));
        assert_eq!(tagged("int", Cow::Borrowed("x")), Data::String(Cow::Borrowed("x")));
        assert_eq!(tagged("str", Cow::Borrowed("7")), Data::String(Cow::Borrowed("7")));
        assert_eq!(tagged("bool", Cow::Borrowed("yes")), Data::String(Cow::Borrowed("yes")));
    }
}
