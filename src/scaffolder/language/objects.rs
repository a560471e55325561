//! Things that only exist while a template is rendered: functions and the state of a loop.

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use std::sync::Arc;

/// Something that can be called.
#[derive(Debug, Clone)]
pub(super) enum Callable {
    /// `range`, `cycler`, `joiner`, `always`, `failure`.
    Global(Global),
    /// A macro, or the body of a call block, by its number in the render.
    Macro(usize),
    /// What `cycler` made, by its number in the render.
    Cycler(usize),
    /// `next` (true) or `reset` (false) of a cycler.
    CyclerMethod(usize, bool),
    /// What `joiner` made, by its number in the render.
    Joiner(usize),
    /// A method of a value.
    Method(Value, &'static str),
}

/// A function that every template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    Range,
    Cycler,
    Joiner,
    Always,
    Failure,
}

impl Global {
    /// Finds a function by its name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "range" => Some(Self::Range),
            "cycler" => Some(Self::Cycler),
            "joiner" => Some(Self::Joiner),
            "always" => Some(Self::Always),
            "failure" => Some(Self::Failure),
            _ => None,
        }
    }
}

impl Object for Callable {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `loop` inside `{% for %}`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loop {
    /// Counted from 0.
    pub(super) index: usize,
    /// Number of items.
    pub(super) len: usize,
}

const LOOP_FIELDS: &[&str] = &["index", "index0", "revindex", "revindex0", "first", "last", "length"];

impl Object for Loop {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "index" => Value::from(self.index + 1),
            "index0" => Value::from(self.index),
            "revindex" => Value::from(self.len - self.index),
            "revindex0" => Value::from(self.len - self.index - 1),
            "first" => Value::from(self.index == 0),
            "last" => Value::from(self.index + 1 == self.len),
            "length" => Value::from(self.len),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(LOOP_FIELDS)
    }
}
