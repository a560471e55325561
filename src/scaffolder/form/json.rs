//! JSON as forms work on it: ordered, cheap to clone, matched by pattern.
//!
//! Schemas and answers are trees of [`Json`]. Objects keep the order of the file, because that is the order
//! of the fields. Conversion from foreign values is bounded in depth, so that everything behind it may recurse.

use crate::scaffolder::Value;
use minijinja::value::ValueKind;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Deepest nesting that is taken over; deeper values read as null.
const MAX_DEPTH: usize = 100;

/// A JSON value.
#[derive(Debug, Clone)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A whole number, kept exactly.
    Int(i64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Json>>),
    /// An object.
    Object(Arc<Map>),
}

/// The fields of an object in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Vec<(Arc<str>, Json)>,
    /// Where each key is; only for many keys.
    index: FxHashMap<Arc<str>, usize>,
}

/// Up to so many keys are looked through one by one.
const FEW: usize = 12;

impl Map {
    /// Returns the number of fields.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Iterates over keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Json)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() > FEW {
            return self.index.get(key).copied();
        }
        self.entries.iter().position(|(name, _)| &**name == key)
    }

    /// Returns a field.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// Returns a field to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        self.position(key).and_then(|at| self.entries.get_mut(at)).map(|(_, value)| value)
    }

    /// Returns whether there is such a field.
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a field; a new one goes to the end.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Json) {
        let key = key.into();
        if let Some(slot) = self.get_mut(&key) {
            *slot = value;
            return;
        }
        self.entries.push((key.clone(), value));
        if self.entries.len() == FEW + 1 {
            self.reindex();
        } else if self.entries.len() > FEW {
            self.index.insert(key, self.entries.len() - 1);
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.reindex();
        Some(value)
    }

    /// Gives a field another key in the same place.
    pub fn rename(&mut self, key: &str, new: &str) -> bool {
        let Some(at) = self.position(key) else { return false };
        if self.contains(new) {
            return false;
        }
        if let Some(entry) = self.entries.get_mut(at) {
            entry.0 = new.into();
        }
        self.reindex();
        true
    }

    fn reindex(&mut self) {
        self.index.clear();
        if self.entries.len() > FEW {
            self.index = self.entries.iter().zip(0..).map(|((key, _), at)| (key.clone(), at)).collect();
        }
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Json)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(fields: I) -> Self {
        let mut map = Self::default();
        for (key, value) in fields {
            map.insert(key, value);
        }
        map
    }
}

impl From<Map> for Json {
    fn from(map: Map) -> Self {
        Self::Object(Arc::new(map))
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::List(Arc::new(items))
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Json {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

/// Equal as JSON Schema has it: numbers by value, objects without order.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key) == Some(value))
            }
            (a, b) => matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b),
        }
    }
}

impl Json {
    /// An empty object.
    pub fn object() -> Self {
        Map::default().into()
    }

    /// Returns a field of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.as_object().and_then(|map| map.get(key))
    }

    /// Returns the fields of an object.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_list(&self) -> Option<&[Json]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a yes or no.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// Returns a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Int(int) => Some(*int as f64),
            _ => None,
        }
    }

    /// Returns a count: a whole number from 0.
    pub fn as_count(&self) -> Option<usize> {
        self.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as usize)
    }

    /// Returns a field that is a text.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::as_str)
    }

    /// Returns the fields of an object to change; whatever else it was becomes an object.
    pub fn fields_mut(&mut self) -> &mut Map {
        if !matches!(self, Self::Object(_)) {
            *self = Self::object();
        }
        match self {
            Self::Object(map) => Arc::make_mut(map),
            // just made one
            _ => unreachable!("an object was put here"),
        }
    }

    /// Returns the word for its type as schemas use it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Number(number) if number.fract() == 0.0 => "integer",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Returns the text a person would type for it; lists and objects in one line of JSON.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// Returns the value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Json> {
        let mut here = self;
        for step in steps(pointer) {
            here = match here {
                Self::Object(map) => map.get(&step)?,
                Self::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// Sets the value at a JSON pointer, making objects on the way; an index behind the end adds an item.
    /// Returns whether there was a place for it.
    pub fn set(&mut self, pointer: &str, value: Json) -> bool {
        let steps: Vec<String> = steps(pointer).collect();
        self.set_at(&steps, value)
    }

    fn set_at(&mut self, steps: &[String], value: Json) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            *self = value;
            return true;
        };
        if let Self::List(items) = self {
            let Ok(at) = step.parse::<usize>() else { return false };
            let items = Arc::make_mut(items);
            if at == items.len() {
                items.push(Self::Null);
            }
            return items.get_mut(at).is_some_and(|item| item.set_at(rest, value));
        }
        let map = self.fields_mut();
        if !map.contains(step) {
            map.insert(step.as_str(), Self::Null);
        }
        map.get_mut(step).is_some_and(|field| field.set_at(rest, value))
    }

    /// Takes out the value at a JSON pointer.
    pub fn remove(&mut self, pointer: &str) -> Option<Json> {
        let (parent, last) = pointer.rsplit_once('/')?;
        let last = unescape(last);
        match self.at_mut(parent)? {
            Self::Object(map) => Arc::make_mut(map).remove(&last),
            Self::List(items) => {
                let at = last.parse::<usize>().ok().filter(|at| *at < items.len())?;
                Some(Arc::make_mut(items).remove(at))
            }
            _ => None,
        }
    }

    /// Returns the value at a JSON pointer to change.
    pub fn at_mut(&mut self, pointer: &str) -> Option<&mut Json> {
        let mut here = self;
        for step in steps(pointer) {
            here = match here {
                Self::Object(map) => Arc::make_mut(map).get_mut(&step)?,
                Self::List(items) => Arc::make_mut(items).get_mut(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// Takes over a value of the template language.
    pub fn of(value: &Value) -> Self {
        Self::of_value(value, 0)
    }

    fn of_value(value: &Value, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Self::Null;
        }
        match value.kind() {
            ValueKind::Bool => Self::Bool(value.is_true()),
            ValueKind::Number => match value.as_i64().filter(|_| value.is_integer()) {
                Some(int) => Self::Int(int),
                None => f64::try_from(value.clone()).map_or(Self::Null, Self::number),
            },
            ValueKind::String => Self::Text(value.as_str().unwrap_or_default().into()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter().into_iter().flatten();
                items.map(|item| Self::of_value(&item, depth + 1)).collect::<Vec<_>>().into()
            }
            ValueKind::Map => {
                let keys = value.try_iter().into_iter().flatten();
                let field = |key: Value| {
                    let field = value.get_item(&key).unwrap_or_default();
                    (key.to_string(), Self::of_value(&field, depth + 1))
                };
                keys.map(field).collect::<Map>().into()
            }
            _ => Self::Null,
        }
    }

    /// Takes over a number; a whole one is kept exactly.
    pub fn number(number: f64) -> Self {
        if number.fract() == 0.0 && number.abs() < 9e15 {
            return Self::Int(number as i64);
        }
        if number.is_finite() { Self::Number(number) } else { Self::Null }
    }

    /// Returns the value as the template language has it.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::from(()),
            Self::Bool(bool) => Value::from(*bool),
            Self::Int(int) => Value::from(*int),
            Self::Number(number) => Value::from(*number),
            Self::Text(text) => Value::from(text.clone()),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(map) => Value::from_pairs(map.iter().map(|(key, value)| (&**key, value.to_value()))),
        }
    }

    /// Returns the value as other libraries have it.
    pub fn to_serde(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(bool) => (*bool).into(),
            Self::Int(int) => (*int).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => (&**text).into(),
            Self::List(items) => items.iter().map(Self::to_serde).collect::<Vec<_>>().into(),
            Self::Object(map) => map
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_serde()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// One line of JSON.
impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(bool) => bool.fmt(f),
            Self::Int(int) => int.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => serde_json::Value::from(&**text).fmt(f),
            Self::List(items) => {
                f.write_str("[")?;
                for (item, at) in items.iter().zip(0..) {
                    write!(f, "{}{item}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(map) => {
                f.write_str("{")?;
                for ((key, value), at) in map.iter().zip(0..) {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{value}", serde_json::Value::from(&**key))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Returns the items of a list that may be absent.
pub fn json_list(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_list).unwrap_or_default()
}

/// Returns the steps of a JSON pointer.
pub fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Returns the pointer of a field below another.
pub fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// Returns whether one pointer is another or lies below it.
pub fn is_within(pointer: &str, above: &str) -> bool {
    pointer.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
pub(super) fn json(yaml: &str) -> Json {
    let value: serde_yaml::Value = serde_yaml::from_str(yaml).unwrap();
    Json::of(&Value::from(minijinja::value::Serde(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_reach_every_place() {
        let mut value = json("{a: {b/c: [1, {d: x}]}}");
        assert_eq!(value.at("/a/b~1c/1/d").and_then(Json::as_str), Some("x"));
        assert!(value.set("/a/b~1c/2", Json::from(true)));
        assert!(!value.set("/a/b~1c/9", Json::from(true)));
        assert!(value.set("/n/e/w", Json::Int(2)));
        assert_eq!(value.remove("/a/b~1c/0"), Some(Json::Int(1)));
        assert_eq!(value.to_string(), r#"{"a":{"b/c":[{"d":"x"},true]},"n":{"e":{"w":2}}}"#);
    }

    #[test]
    fn many_keys_are_found_and_keep_their_order() {
        let mut map: Map = (0..40).map(|n| (format!("k{n}"), Json::Int(n))).collect();
        assert_eq!(map.remove("k3"), Some(Json::Int(3)));
        assert!(map.rename("k20", "new") && !map.rename("k21", "new"));
        assert_eq!(map.get("k39"), Some(&Json::Int(39)));
        assert_eq!(map.iter().nth(19).map(|(key, _)| &**key), Some("new"));
        assert_eq!(map.len(), 39);
    }

    #[test]
    fn equality_is_of_values() {
        assert_eq!(json("{a: 1, b: [2.0]}"), json("{b: [2], a: 1.0}"));
        assert_ne!(json("'1'"), json("1"));
        assert_ne!(json("true"), json("1"));
    }
}
