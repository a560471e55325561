//! What can be done with logs, with keys; searching, scrolling and saving come from the shared groups.

use crate::app::commands::{CommandId, CommandSpec};
use std::time::Duration;

macro_rules! ids {
    ($($name:ident = $text:literal;)*) => { $(
        #[doc = concat!("`", $text, "`")]
        pub const $name: CommandId = CommandId($text);
    )* };
}

ids! {
    OPEN = "logs.open"; FOLLOW = "logs.follow"; ONLY = "logs.only"; TIME = "logs.time"; JSON = "logs.json";
    NEXT_ERROR = "logs.next-error"; PREVIOUS_ERROR = "logs.previous-error"; SOURCES = "logs.sources";
    PREVIOUS = "logs.previous"; SELECT = "logs.select"; COPY = "logs.copy"; COPY_WHAT = "logs.copy-what";
    MARKER = "logs.marker"; COLOURS = "logs.colours"; REOPEN = "logs.reopen";
    TAIL = "logs.tail"; ALL = "logs.all"; MINUTE = "logs.1m"; MINUTES_5 = "logs.5m"; MINUTES_15 = "logs.15m";
    MINUTES_30 = "logs.30m"; HOUR = "logs.1h";
}

/// Rows of the pane.
pub const ROWS: &[CommandSpec] = &[
    CommandSpec::new(FOLLOW, "follow", "Go to the newest line and follow, or pause", &["f"], 12),
    CommandSpec::new(ONLY, "only matches", "Show only the lines that match, or all again", &["&"], 22),
    CommandSpec::new(JSON, "json", "Show JSON as a line, with one value per row, or raw", &["P"], 24),
    CommandSpec::new(SOURCES, "sources", "Switch pods and containers on and off", &["c"], 26),
    CommandSpec::new(NEXT_ERROR, "next error", "Go to the next error", &["e"], 28),
    CommandSpec::new(PREVIOUS_ERROR, "previous error", "Go to the error before", &["E"], 0),
    CommandSpec::new(OPEN, "in full", "Show the line in full: every field, wrapped", &["enter"], 30),
    CommandSpec::new(TIME, "time", "Show times: off, absolute, relative to the focused line", &["t"], 32),
    CommandSpec::new(PREVIOUS, "previous", "Show the instance before, or the one that runs", &["p"], 34),
    CommandSpec::new(SELECT, "select", "Select lines from here to where you move", &["v"], 36),
    CommandSpec::new(COPY, "copy", "Copy the focused or selected lines", &["y"], 38),
    CommandSpec::new(
        COPY_WHAT,
        "copy what?",
        "Choose what to copy: text, with time and pod, JSON, command",
        &["Y"],
        0,
    ),
    CommandSpec::new(MARKER, "marker", "Put a marker behind the newest line", &["m"], 40),
    CommandSpec::new(COLOURS, "colours", "Keep or leave out the colours of the log", &["A"], 0),
    CommandSpec::new(REOPEN, "read again", "Read the logs again from the clusters", &["r"], 0),
    CommandSpec::new(TAIL, "tail", "Show the last lines of each container", &["0"], 80),
    CommandSpec::new(ALL, "all", "Show everything that is kept", &["1"], 81),
    CommandSpec::new(MINUTE, "1m", "Show the last minute", &["2"], 82),
    CommandSpec::new(MINUTES_5, "5m", "Show the last five minutes", &["3"], 83),
    CommandSpec::new(MINUTES_15, "15m", "Show the last fifteen minutes", &["4"], 84),
    CommandSpec::new(MINUTES_30, "30m", "Show the last thirty minutes", &["5"], 85),
    CommandSpec::new(HOUR, "1h", "Show the last hour", &["6"], 86),
];

/// Lines of each container that `tail` begins with.
pub const TAIL_LINES: u32 = 200;

/// How far back logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The last lines.
    Tail,
    /// Everything.
    All,
    /// So many minutes.
    Minutes(u64),
}

impl Reach {
    /// Returns what a command asks for.
    pub fn of(command: CommandId) -> Option<Self> {
        Some(match command {
            TAIL => Self::Tail,
            ALL => Self::All,
            MINUTE => Self::Minutes(1),
            MINUTES_5 => Self::Minutes(5),
            MINUTES_15 => Self::Minutes(15),
            MINUTES_30 => Self::Minutes(30),
            HOUR => Self::Minutes(60),
            _ => return None,
        })
    }

    /// Returns the age of the oldest line asked for.
    pub fn since(self) -> Option<Duration> {
        match self {
            Self::Minutes(minutes) => Some(Duration::from_secs(60 * minutes)),
            Self::Tail | Self::All => None,
        }
    }

    /// Returns how many lines of each container are asked for.
    pub fn tail(self) -> Option<u32> {
        (self == Self::Tail).then_some(TAIL_LINES)
    }

    /// Returns the words for the title.
    pub fn words(self) -> String {
        match self {
            Self::Tail => format!("tail {TAIL_LINES}"),
            Self::All => "all".to_owned(),
            Self::Minutes(60) => "since 1h".to_owned(),
            Self::Minutes(minutes) => format!("since {minutes}m"),
        }
    }
}
