//! Careful reading of a value of which nothing is sure: absent and ill-typed parts read as absent.

use super::pool::Pool;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// Messages are kept up to here, in bytes.
pub const LONGEST_MESSAGE: usize = 1024;
/// Names and words are kept up to here, in bytes; the API allows 253 for names, 63 for label values.
pub const LONGEST_WORD: usize = 512;
/// Entries of any list are kept up to here.
pub const LONGEST_LIST: usize = 64;

/// A part of a value that may not be there.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a>(pub Option<&'a Value>);

impl<'a> Part<'a> {
    /// Returns what is below a key.
    pub fn at(self, key: &str) -> Self {
        Self(self.0.and_then(|value| value.get(key)))
    }

    /// Returns whether something other than null is there.
    pub fn is_there(self) -> bool {
        self.0.is_some_and(|value| !value.is_null())
    }

    /// Returns the text below a key, cut at a word's length; empty when absent. Numbers count as texts.
    pub fn word(self, key: &str) -> &'a str {
        cut(self.at(key).text().unwrap_or_default(), LONGEST_WORD)
    }

    /// Returns the same, shared.
    pub fn shared(self, key: &str, pool: &Pool) -> Arc<str> {
        pool.share(self.word(key))
    }

    /// Returns the message below a key, cut; `None` when absent.
    pub fn message(self, key: &str) -> Option<Box<str>> {
        self.at(key).text().map(|text| cut(text, LONGEST_MESSAGE).into())
    }

    /// Returns the text, when it is one.
    pub fn text(self) -> Option<&'a str> {
        self.0.and_then(Value::as_str)
    }

    /// Returns the number below a key; big integers may come as texts.
    pub fn int(self, key: &str) -> Option<i64> {
        match self.at(key).0? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the number below a key.
    pub fn i32(self, key: &str) -> Option<i32> {
        self.int(key).map(clamp)
    }

    /// Returns the number of things below a key; absent and negative is none.
    pub fn count(self, key: &str) -> u32 {
        self.int(key)
            .and_then(|number| u32::try_from(number.clamp(0, u32::MAX.into())).ok())
            .unwrap_or_default()
    }

    /// Returns whether there is `true` below a key.
    pub fn flag(self, key: &str) -> bool {
        self.at(key).0.and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the time below a key.
    pub fn time(self, key: &str) -> Option<Timestamp> {
        self.at(key).text()?.parse().ok()
    }

    /// Returns the first entries of the list below a key.
    pub fn list(self, key: &str) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        let entries = self.at(key).0.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        entries.iter().take(LONGEST_LIST).map(|value| Self(Some(value)))
    }

    /// Returns the first entries of the map below a key.
    pub fn map(self, key: &str) -> impl Iterator<Item = (&'a str, Self)> {
        let entries = self.at(key).0.and_then(Value::as_object);
        entries.into_iter().flatten().take(LONGEST_LIST).map(|(key, value)| (key.as_str(), Self(Some(value))))
    }

    /// Returns the value as people read it: texts as they are, numbers and truth values in letters, all else absent.
    pub fn scalar(self) -> Option<String> {
        match self.0? {
            Value::String(text) => Some(cut(text, LONGEST_WORD).to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Returns the number, at most as large as fits.
pub fn clamp(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

/// Returns the longest beginning of a text that has no more than these bytes.
pub fn cut(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_ill_typed_parts_read_as_absent() {
        let value = json!({ "a": 7, "b": null, "c": { "d": "x" }, "e": "12", "f": [1] });
        let part = Part(Some(&value));
        assert_eq!(part.word("a"), "");
        assert_eq!(part.at("c").at("d").at("e").word("f"), "");
        assert_eq!(part.int("c"), None);
        assert_eq!(part.int("e"), Some(12));
        assert_eq!(part.list("c").count(), 0);
        assert_eq!(part.time("e"), None);
        assert!(!part.at("b").is_there());
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("ééé", 3), "é");
        assert_eq!(cut("abc", 9), "abc");
    }

    #[test]
    fn counts_are_bounded() {
        let value = json!({ "big": i64::MAX, "minus": -3 });
        let part = Part(Some(&value));
        assert_eq!(part.count("big"), u32::MAX);
        assert_eq!(part.count("minus"), 0);
        assert_eq!(part.i32("big"), Some(i32::MAX));
    }
}
