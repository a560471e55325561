//! Secrets out of everything that a person or a file gets to see.
//!
//! Start at [`Masks::hide`]. A secret is known as it is, as it stands in JSON, in an address and in
//! base64; texts that a template made with one are found by rendering once more without it.

use crate::scaffolder::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use minijinja::value::ValueKind;

/// What stands in the place of a secret.
pub const MASK: &str = "***";
/// Shorter texts are no secrets: masking them would only destroy the log.
const SHORTEST: usize = 2;

/// Texts that nobody gets to see.
#[derive(Clone, Default)]
pub struct Masks {
    /// Longest first, so that no part of one is left.
    texts: Vec<String>,
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").field("texts", &self.texts.len()).finish()
    }
}

impl Masks {
    /// Adds a secret in all the forms it may take, and each of its lines.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        let mut forms = vec![secret.to_owned(), percent(secret)];
        let json = serde_json::to_string(secret).unwrap_or_default();
        forms.push(json.trim_matches('"').to_owned());
        if secret.len() >= 4 {
            forms.extend([STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]);
        }
        forms.extend(secret.lines().map(|line| line.trim().to_owned()).filter(|line| line.len() > 3));
        for form in forms {
            if form.chars().count() >= SHORTEST && !self.texts.contains(&form) {
                self.texts.push(form);
            }
        }
        self.texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    /// Adds what differs between a value made with secrets and the same made without.
    pub fn add_difference(&mut self, with: &Value, without: &Value) {
        match with.kind() {
            ValueKind::String => {
                if with != without
                    && let Some(text) = with.as_str()
                {
                    self.add(text);
                }
            }
            ValueKind::Seq => {
                for (index, item) in with.try_iter().into_iter().flatten().enumerate() {
                    let other = without.get_item_by_index(index).unwrap_or_default();
                    self.add_difference(&item, &other);
                }
            }
            ValueKind::Map => {
                for key in with.try_iter().into_iter().flatten() {
                    let item = with.get_item(&key).unwrap_or_default();
                    let other = without.get_item(&key).unwrap_or_default();
                    if without.kind() == ValueKind::Map && other.is_undefined() && !item.is_undefined() {
                        key.as_str().into_iter().for_each(|key| self.add(key));
                    }
                    self.add_difference(&item, &other);
                }
            }
            _ => {}
        }
    }

    /// Returns whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns a text without secrets.
    pub fn hide(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.texts {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), MASK);
            }
        }
        out
    }

    /// Returns a value without secrets in its texts and keys.
    pub fn hide_value(&self, value: &Value) -> Value {
        if self.is_empty() {
            return value.clone();
        }
        match value.kind() {
            ValueKind::String => value.as_str().map_or_else(|| value.clone(), |text| self.hide(text).into()),
            ValueKind::Seq => {
                value.try_iter().into_iter().flatten().map(|item| self.hide_value(&item)).collect()
            }
            ValueKind::Map => Value::from_pairs(value.try_iter().into_iter().flatten().map(|key| {
                let item = value.get_item(&key).unwrap_or_default();
                (self.hide_value(&key), self.hide_value(&item))
            })),
            _ => value.clone(),
        }
    }
}

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Serde;
    use serde_json::json;

    fn value(json: serde_json::Value) -> Value {
        Value::from(Serde(json))
    }

    #[test]
    fn a_secret_is_hidden_in_all_its_forms() {
        let mut masks = Masks::default();
        masks.add("p\"w/d 1\n");
        for text in ["p\"w/d 1", "p\\\"w/d 1", "p%22w%2Fd+1", "cCJ3L2QgMQ=="] {
            assert_eq!(masks.hide(&format!("a {text} b")), "a *** b", "{text}");
        }
        masks.add("x");
        assert_eq!(masks.hide("x is no secret"), "x is no secret");
        assert!(!format!("{masks:?}").contains("w/d"));
    }

    #[test]
    fn the_longest_goes_first() {
        let mut masks = Masks::default();
        ["tok", "token-1"].into_iter().for_each(|text| masks.add(text));
        assert_eq!(masks.hide("token-1 tok"), "*** ***");
    }

    #[test]
    fn what_a_template_made_with_a_secret_is_one() {
        let mut masks = Masks::default();
        let with = value(json!({"a": ["x", "S3CR3T"], "n": 1, "b": {"Upper": "same"}}));
        let without = value(json!({"a": ["x", ""], "n": 1, "b": {"Upper": "same"}}));
        masks.add_difference(&with, &without);
        assert_eq!(masks.hide("x S3CR3T same"), "x *** same");
        let hidden = serde_json::to_value(masks.hide_value(&with)).unwrap();
        assert_eq!(hidden, json!({"a": ["x", "***"], "n": 1, "b": {"Upper": "same"}}));
    }
}
