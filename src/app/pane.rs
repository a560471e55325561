//! What a pane is: a place in the UI with its own state, update and drawing.
//!
//! A pane is one file: it holds its state, implements [`Pane`], and offers a [`PaneSpec`] constant
//! that is listed once in the registry. A pane never matches on key codes, only on commands; while it
//! has a text input open ([`Pane::is_typing`]) it sees raw keys first. `view` only reads.

use super::commands::{Availability, CommandId, CommandSpec, Group};
use super::context::Context;
use super::event::{Effect, Memory, TaskEvent};
use super::input::{Key, Mouse};
use super::place::Place;
use super::subject::Subject;
use crate::catalog::refresh::Order;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Builds a pane for an argument, or says why it names nothing.
pub type Open = fn(argument: &str, cx: &Context) -> Result<Box<dyn Pane>, String>;

/// The constant by which a pane is registered.
pub struct PaneSpec {
    /// First word of its place lines.
    pub id: &'static str,
    /// What the title line calls it.
    pub title: &'static str,
    /// One sentence for palette and help.
    pub help: &'static str,
    /// Other words for it in the palette.
    pub aliases: &'static [&'static str],
    /// The command that opens it without an argument, with its digit; `None` when it needs one.
    pub go: Option<CommandSpec>,
    /// Permission needed to see it.
    pub permission: Option<&'static str>,
    /// Its own commands.
    pub commands: &'static [CommandSpec],
    /// Every shared group it may use.
    pub groups: &'static [Group],
    /// Builds it for an argument of a place line.
    ///
    /// # Errors
    /// A sentence for the user when the argument names nothing.
    pub open: Open,
}

impl std::fmt::Debug for PaneSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaneSpec({})", self.id)
    }
}

/// What a pane is told.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// It is on screen now: just opened, come back to, resized, or the catalog was swapped.
    Shown,
    /// The catalog was swapped; ids are new. Followed by [`Input::Shown`] for the current pane.
    CatalogChanged,
    /// A command of its rows or groups.
    Command(CommandId),
    /// An answer to a choice it offered ([`Effect::Choose`]).
    Choice(CommandId, &'a str),
    /// Pasted text while it is typing.
    Paste(&'a str),
    /// The mouse, inside its area.
    Mouse(Mouse),
    /// Background work has something to say.
    Task(&'a TaskEvent),
}

/// What the title line says about the place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// `Catalog`, `payments`; the first is the widest place.
    pub crumbs: Vec<String>,
    /// The active filter as typed.
    pub filter: Option<String>,
    /// `214 of 9,812`.
    pub count: String,
    /// How many things are marked.
    pub marked: usize,
    /// What else is to be known of the place, behind the crumbs: `3 pods`, `since 15m`.
    pub facts: Vec<String>,
    /// What is shown does not come from the catalog, whose age says nothing here.
    pub is_live: bool,
}

/// A place in the UI.
pub trait Pane {
    /// Returns its registration.
    fn spec(&self) -> &'static PaneSpec;

    /// Returns where it is, so that history can come back.
    fn place(&self) -> Place;

    /// Returns what the title line says.
    fn heading(&self, cx: &Context) -> Heading;

    /// Returns the shared groups that apply now, nearest first.
    fn groups(&self) -> &'static [Group] {
        self.spec().groups
    }

    /// Changes the state; the only place where it changes.
    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect>;

    /// Takes a raw key while a text input has the focus; `None` leaves it to the command table.
    fn key(&mut self, _key: Key, _cx: &Context) -> Option<Vec<Effect>> {
        None
    }

    /// Returns whether a text input has the focus.
    fn is_typing(&self) -> bool {
        false
    }

    /// Returns whether it asks one question after another, so that every line typed is an answer.
    fn is_form(&self) -> bool {
        false
    }

    /// Returns what to read again for what it shows; nothing: every source.
    fn refresh_orders(&self, _cx: &Context) -> Vec<Order> {
        Vec::new()
    }

    /// Takes one step back inside the pane (marks, filter, search); `None` when there is none.
    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        None
    }

    /// Stops what runs in it, or asks whether to; `None` when nothing does.
    fn interrupt(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        None
    }

    /// Returns whether a command of its rows or groups can run now.
    fn availability(&self, _command: CommandId, _cx: &Context) -> Availability {
        Availability::Available
    }

    /// Returns the things that the subject commands act on: the marked ones, else the focused one.
    fn subjects(&self, _cx: &Context) -> Vec<Subject> {
        Vec::new()
    }

    /// Returns what is to be remembered of it when it is left.
    fn memory(&self, _cx: &Context) -> Option<Memory> {
        None
    }

    /// Draws the state; reads only, cannot fail.
    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer);
}
