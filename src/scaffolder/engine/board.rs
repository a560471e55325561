//! The state of a run as others see it, told at most thirty times a second.

use crate::model::text::clean_lines;
use crate::scaffolder::run::{RunState, StepState};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time between two tellings.
const PAUSE: Duration = Duration::from_millis(34);
/// Lines of a log that are kept.
const MAX_LINES: usize = 5_000;
/// Longest line, in bytes.
const MAX_LINE: usize = 8 * 1024;

/// Whoever wants to know.
pub type Tell = dyn Fn(Arc<RunState>) + Send + Sync;

/// The current state, and who is told of it.
#[derive(Default)]
pub struct Board {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    state: Arc<RunState>,
    version: u64,
    is_closed: bool,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state now.
    pub fn state(&self) -> Arc<RunState> {
        self.lock().state.clone()
    }

    /// Changes the state.
    pub fn change(&self, change: impl FnOnce(&mut RunState)) {
        let mut inner = self.lock();
        change(Arc::make_mut(&mut inner.state));
        inner.version += 1;
        self.changed.notify_all();
    }

    /// Changes a step.
    pub fn step(&self, index: usize, change: impl FnOnce(&mut StepState)) {
        self.change(|state| state.steps.get_mut(index).into_iter().for_each(change_once(change)));
    }

    /// Adds lines to the log of a step; they are made safe for terminals.
    pub fn log(&self, index: usize, text: &str) {
        self.step(index, |step| {
            for line in clean_lines(text).lines() {
                if step.log.len() >= MAX_LINES {
                    let half = MAX_LINES / 2;
                    step.log.drain(half..half + 100);
                    if let Some(gap) = step.log.get_mut(half) {
                        *gap = "… lines are left out here".into();
                    }
                }
                step.log.push(cut(line).into());
            }
        });
    }

    /// Opens the board for a run, or once more for its next try.
    pub fn open(&self) {
        self.lock().is_closed = false;
    }

    /// Says that nothing more happens.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Tells of changes until the board is closed; the last state is always told.
    pub fn tell(&self, tell: &Tell) {
        let mut told = 0;
        loop {
            let (state, is_last) = {
                let mut inner = self.lock();
                while inner.version == told && !inner.is_closed {
                    inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
                told = inner.version;
                (inner.state.clone(), inner.is_closed)
            };
            tell(state);
            if is_last {
                return;
            }
            // the end is told at once
            let inner = self.lock();
            let waited = self.changed.wait_timeout_while(inner, PAUSE, |inner| !inner.is_closed);
            drop(waited);
        }
    }
}

fn change_once<T>(change: impl FnOnce(&mut T)) -> impl FnMut(&mut T) {
    let mut change = Some(change);
    move |item| {
        if let Some(change) = change.take() {
            change(item);
        }
    }
}

fn cut(line: &str) -> &str {
    let mut end = line.len().min(MAX_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_flood_is_told_seldom_and_its_end_always() {
        let board = Arc::new(Board::default());
        board.change(|state| state.steps.push(StepState::default()));
        let (sender, told) = mpsc::channel();
        let telling = board.clone();
        let thread = std::thread::spawn(move || {
            telling.tell(&move |state| {
                let _ = sender.send(state.steps[0].log.len());
            });
        });
        (0..4_000).for_each(|n| board.log(0, &format!("line {n}\u{1b}[31m")));
        board.close();
        thread.join().unwrap();
        let told: Vec<usize> = told.iter().collect();
        assert!(told.len() < 1_000, "{}", told.len());
        assert_eq!(told.last(), Some(&4_000));
        assert!(!board.state().steps[0].log[0].contains('\u{1b}'));
    }

    #[test]
    fn a_log_is_bounded_and_keeps_both_ends() {
        let board = Board::default();
        board.change(|state| state.steps.push(StepState::default()));
        (0..20_000).for_each(|n| board.log(0, &n.to_string()));
        let state = board.state();
        let log = &state.steps[0].log;
        assert!(log.len() <= MAX_LINES);
        assert_eq!((&*log[0], &**log.last().unwrap()), ("0", "19999"));
        assert!(log.iter().any(|line| line.starts_with('…')));
    }
}
