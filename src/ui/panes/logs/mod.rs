//! Logs: the lines of many containers as one stream, to follow, search, filter, read back and save.
//!
//! The stream is read elsewhere ([`crate::kubernetes::logs`]); [`LogsPane`] draws and steers it. Whatever changes,
//! `LogsPane::refresh` makes the screenful of rows anew; searches run on the pool ([`scan::Scan`]).

mod ansi;
mod commands;
mod detail;
mod json;
mod line;
mod place;
mod scan;
mod search;
mod sources;
mod update;
mod view;
mod window;
mod words;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, Group, id};
use crate::app::event::{Effect, Generation};
use crate::app::input::Key;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{LOGS, Place};
use crate::kubernetes::logs::{LineId, Status};
use commands::Reach;
use detail::Detail;
use line::JsonForm;
use place::Target;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use scan::Scan;
use search::Search;
use sources::Sources;
use window::{Store, Window};

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: LOGS,
    title: "Logs",
    help: "Logs of all pods of an entity, a workload or a pod, merged and live",
    aliases: &[],
    go: None,
    permission: None,
    commands: commands::ROWS,
    groups: &[Group::Text, Group::Move],
    open: |argument, cx| {
        let target = Target::parse(argument, cx)?;
        let line = target.to_argument(cx);
        Ok(Box::new(LogsPane::new(target, line)))
    },
};

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeForm {
    /// Not at all.
    Off,
    /// Time of day, with the date where it is another day; UTC.
    #[default]
    Absolute,
    /// Distance to the focused line.
    Relative,
}

/// What `n` or `e` waits for, while the search has not looked far enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Jump {
    /// To an error, not to a match.
    is_error: bool,
    /// Downwards.
    is_next: bool,
}

/// State of the pane.
struct LogsPane {
    target: Target,
    /// Argument of its place line.
    argument: String,
    reach: Reach,
    /// The request for the stream that is awaited or shown.
    generation: Generation,
    is_asked: bool,
    store: Option<Store>,
    status: Status,
    sources: Sources,
    window: Window,
    search: Search,
    /// What the search finds.
    found: Option<Scan>,
    /// What is shown, where something is hidden.
    shown: Option<Scan>,
    /// Errors, once somebody went to one.
    errors: Option<Scan>,
    jump: Option<Jump>,
    /// The screen follows what the filter finds until the user moves.
    is_settling: bool,
    /// Where the screen was before lines were hidden: its first row and the cursor.
    before_filter: Option<((LineId, usize), LineId)>,
    /// End of the stream when it was paused.
    paused_at: LineId,
    /// Where a selection began.
    anchor: Option<LineId>,
    json: JsonForm,
    time: TimeForm,
    is_wrapped: bool,
    column: usize,
    has_colours: bool,
    /// A JSON line was seen.
    has_json: bool,
    /// Lines of other days are on screen.
    has_dates: bool,
    detail: Option<Detail>,
}

impl LogsPane {
    fn new(target: Target, argument: String) -> Self {
        Self {
            target,
            argument,
            reach: Reach::Tail,
            generation: Generation::default(),
            is_asked: false,
            store: None,
            status: Status::default(),
            sources: Sources::default(),
            window: Window::following(),
            search: Search::default(),
            found: None,
            shown: None,
            errors: None,
            jump: None,
            is_settling: false,
            before_filter: None,
            paused_at: 0,
            anchor: None,
            json: JsonForm::default(),
            time: TimeForm::default(),
            is_wrapped: false,
            column: 0,
            has_colours: true,
            has_json: false,
            has_dates: false,
            detail: None,
        }
    }
}

impl Pane for LogsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, self.argument.as_str())
    }

    fn heading(&self, cx: &Context) -> Heading {
        words::heading(self, cx)
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        self.take(input, cx)
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        self.search_key(key, cx)
    }

    fn is_typing(&self) -> bool {
        self.search.is_typing
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        self.back(cx)
    }

    fn availability(&self, command: CommandId, _cx: &Context) -> Availability {
        let has_lines = !self.window.rows.is_empty();
        match command {
            id::NEXT | id::PREVIOUS if self.search.pattern.is_none() => {
                Availability::no("search with / first")
            }
            commands::JSON if !self.has_json => Availability::no("no line is JSON"),
            commands::SOURCES if self.status.sources.is_empty() => {
                Availability::no("there are no containers yet")
            }
            id::LEFT | id::RIGHT if self.is_wrapped => Availability::no("long lines are wrapped"),
            commands::OPEN
            | commands::COPY
            | commands::SELECT
            | commands::NEXT_ERROR
            | commands::PREVIOUS_ERROR
            | id::SAVE_TEXT
                if !has_lines =>
            {
                Availability::no("there are no lines")
            }
            commands::MARKER | commands::REOPEN if self.store.is_none() => {
                Availability::no("it is being opened")
            }
            _ => Availability::Available,
        }
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        view::draw(self, cx, area, buf);
    }
}

#[cfg(test)]
mod tests;
