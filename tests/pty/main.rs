//! The real program on a real pseudo-terminal: press keys, wait for text, never sleep.
//!
//! After every way of ending (quit, signal, error, panic) the terminal has to be as it was: main screen,
//! cursor shown, mouse and paste reports off, line discipline restored.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

#[cfg(unix)]
mod journeys;
#[cfg(unix)]
mod terminal;
