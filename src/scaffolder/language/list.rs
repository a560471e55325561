//! A list that a template changes in place: `{% if names.push("x") %}`.
//!
//! Only templates that call such a method get these; the values of everybody else are never touched.

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use std::sync::{Arc, Mutex, PoisonError};

/// Items that may change while one template is rendered.
#[derive(Debug, Default)]
pub(super) struct List(Mutex<Vec<Value>>);

impl List {
    /// Creates a list of its own.
    pub(super) fn new(items: Vec<Value>) -> Self {
        Self(Mutex::new(items))
    }

    /// Returns the items as they are now.
    pub(super) fn items(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the items.
    pub(super) fn replace(&self, items: Vec<Value>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = items;
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.len())
    }
}

/// Lists inside lists may go deep step by step; letting them go must not.
impl Drop for List {
    fn drop(&mut self) {
        let mut pending = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        while let Some(value) = pending.pop() {
            let Some(mut list) = value.downcast_object::<Self>() else { continue };
            drop(value);
            if let Some(list) = Arc::get_mut(&mut list) {
                pending.append(list.0.get_mut().unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}

/// Copies a value so that every list in it can be changed.
pub(super) fn thaw(value: &Value) -> Value {
    match super::js::kind(value) {
        super::js::Kind::List => {
            let items = super::js::items(value).iter().map(thaw).collect();
            Value::from_object(List::new(items))
        }
        super::js::Kind::Record => {
            let entries = super::js::entries(value).into_iter();
            Value::from_pairs(entries.map(|(key, value)| (Value::from(key), thaw(&value))))
        }
        _ => value.clone(),
    }
}

/// Copies a value so that nothing in it can be changed; undefined entries of objects go, those of lists are null.
pub(super) fn freeze(value: &Value) -> Value {
    match super::js::kind(value) {
        super::js::Kind::List => Value::from(
            super::js::items(value)
                .iter()
                .map(|item| if item.is_undefined() { Value::from(()) } else { freeze(item) })
                .collect::<Vec<_>>(),
        ),
        super::js::Kind::Record => {
            let entries = super::js::entries(value).into_iter().filter(|(_, value)| !value.is_undefined());
            Value::from_pairs(entries.map(|(key, value)| (Value::from(key), freeze(&value))))
        }
        super::js::Kind::Safe(text) => Value::from(text),
        super::js::Kind::Pattern(_) => Value::from(super::js::text(value).as_ref()),
        super::js::Kind::Callable => Value::UNDEFINED,
        _ => value.clone(),
    }
}
