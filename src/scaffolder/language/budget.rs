//! What one rendering may cost: steps, depth and size. Templates of strangers may loop for ever.

use super::error::Fault;
use super::js;
use minijinja::Value;

/// Steps of one rendering; a step is a node of the tree, an item, or [`BYTES_PER_STEP`] bytes of new text.
const STEPS: u64 = 2_000_000;
/// New text that costs a step.
const BYTES_PER_STEP: usize = 128;
/// Largest text, in bytes.
pub(super) const LARGEST_TEXT: usize = 16 * 1024 * 1024;
/// Largest list.
pub(super) const LARGEST_LIST: usize = 100_000;
/// How deep lists and objects may be nested in one another.
const DEEPEST_VALUE: usize = 100;

/// What is left of the costs of one rendering.
#[derive(Debug)]
pub(super) struct Budget {
    steps: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: STEPS }
    }
}

impl Budget {
    /// Takes one step.
    pub(super) fn step(&mut self) -> Result<(), String> {
        self.steps(1)
    }

    /// Takes some steps.
    pub(super) fn steps(&mut self, count: usize) -> Result<(), String> {
        match self.steps.checked_sub(count as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(format!("rendering takes more than {STEPS} steps"))
            }
        }
    }

    /// Pays for a text of this many bytes before it is made.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), String> {
        Self::fits(bytes)?;
        self.steps(bytes / BYTES_PER_STEP)
    }

    /// Refuses texts of more bytes than anybody wants.
    pub(super) fn fits(bytes: usize) -> Result<(), String> {
        if bytes > LARGEST_TEXT {
            return Err(format!("the text becomes larger than {} MB", LARGEST_TEXT / 1024 / 1024));
        }
        Ok(())
    }

    /// Pays for a list of this many items before it is made.
    pub(super) fn list(&mut self, items: usize) -> Result<(), String> {
        if items > LARGEST_LIST {
            return Err(format!("the list becomes longer than {LARGEST_LIST} items"));
        }
        self.steps(items)
    }

    /// Pays for everything in a value and for writing it.
    pub(super) fn whole(&mut self, value: &Value) -> Result<(), String> {
        let mut bytes = 0;
        self.walk(value, 0, &mut bytes)?;
        self.text(bytes)
    }

    /// Refuses values that are nested too deep.
    pub(super) fn walk(&mut self, value: &Value, depth: usize, bytes: &mut usize) -> Result<(), String> {
        if depth > DEEPEST_VALUE {
            return Err(format!("lists are nested deeper than {DEEPEST_VALUE}"));
        }
        match js::kind(value) {
            js::Kind::List => {
                let items = js::items(value);
                self.steps(items.len())?;
                items.iter().try_for_each(|item| self.walk(item, depth + 1, bytes))
            }
            js::Kind::Record => {
                let entries = js::entries(value);
                self.steps(entries.len())?;
                entries.iter().try_for_each(|(key, item)| {
                    *bytes = bytes.saturating_add(key.len());
                    self.walk(item, depth + 1, bytes)
                })
            }
            js::Kind::Text(text) | js::Kind::Safe(text) => {
                *bytes = bytes.saturating_add(text.len());
                Ok(())
            }
            _ => {
                *bytes = bytes.saturating_add(8);
                Ok(())
            }
        }
    }
}

/// Puts a place on a cost that cannot be paid.
pub(super) fn at<T>(place: u32, result: Result<T, String>) -> Result<T, Fault> {
    result.map_err(|message| Fault::new(place as usize, message))
}
