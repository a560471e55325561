//! Logs of many containers as one stream.
//!
//! Start at [`Stream`]: readers push lines, the screen looks at a [`Status`] and at the lines it shows. Lines are
//! numbered once; filters and searches are lists of numbers. Which sources are shown or hidden is the
//! business of whoever looks: the stream reads them all.

mod engine;
mod finder;
mod level;
mod merge;
mod pods;
mod print;
mod query;
mod reader;
mod recent;
mod request;
mod ring;
mod save;
mod spill;
mod split;
mod stream;
mod tag;
mod told;
mod watched;

pub use engine::{Ground, SCREEN_LINE, start};
pub use finder::{Finder, Target};
pub use pods::{ContainerView, Members, PodView, Problem, ProblemKind, RunState};
pub use print::{Ended, Prefix, Printer, Shape, print};
pub use query::{Query, without_colours};
pub use stream::{Limits, Stream};
pub use watched::members;

use super::object::ObjectRef;
use jiff::Timestamp;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Whose logs, from when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Whose.
    pub of: Of,
    /// Only these clusters; empty for all.
    pub clusters: Vec<Arc<str>>,
    /// Only these containers; empty for all.
    pub containers: Vec<String>,
    /// The instance before the one that runs.
    pub is_previous: bool,
    /// Go on as lines are written, in new and restarted pods too.
    pub is_following: bool,
    /// Not older than this.
    pub since: Option<Duration>,
    /// Last lines of each container to begin with.
    pub tail: Option<u32>,
}

/// Whose logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Every pod of an entity, by canonical ref; the pods that come later too.
    Entity(String),
    /// Pods, or every pod of workloads.
    Objects(Vec<ObjectRef>),
}

impl Default for Of {
    fn default() -> Self {
        Self::Objects(Vec::new())
    }
}

/// Number of a line in its stream: counts up, never used twice.
pub type LineId = u64;

/// A line of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Which source wrote it: index into [`Status::sources`].
    pub source: u16,
    /// When the container runtime got it.
    pub time: Option<Timestamp>,
    /// How important it is.
    pub level: Level,
    /// What it says, or what happened.
    pub text: Arc<str>,
    /// A line of a container, or something we say about the stream.
    pub kind: LineKind,
}

/// A line of a container, or something we say about the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Written by a container; JSON objects are told apart once.
    Text {
        /// The whole line is a JSON object.
        is_json: bool,
    },
    /// A pod joined, left, was restarted; the stream was cut and went on.
    Note,
    /// So many lines are missing here; 0 when nobody knows how many. The text says why.
    Gap(u64),
    /// Set by the user.
    Marker,
}

/// How important a line is, as far as it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Says nothing about it.
    #[default]
    None,
    /// Trace or debug.
    Debug,
    /// Info.
    Info,
    /// Warning.
    Warn,
    /// Error, fatal, panic.
    Error,
}

/// A container whose lines are in a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSource {
    /// Short, unique in the stream: the last letters of the pod's name, with the container where needed.
    pub tag: Arc<str>,
    /// The pod.
    pub pod: ObjectRef,
    /// The container.
    pub container: Arc<str>,
    /// The instance before the one that runs.
    pub is_previous: bool,
    /// How it is.
    pub state: SourceState,
    /// Lines so far.
    pub lines: u64,
}

/// How a source of lines is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// The first line is awaited.
    Opening,
    /// Lines arrive.
    Following,
    /// Cut off; tried again.
    Waiting(String),
    /// No more will come; why.
    Ended(String),
    /// We may not, or it cannot; why.
    Failed(String),
}

/// What of a stream is written into a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Save {
    /// Lines of these numbers, those on disk too.
    pub ids: Range<LineId>,
    /// Only the lines found; every line for `None`.
    pub query: Option<Query>,
    /// A JSON array with an object per line; else text with time and tag.
    pub is_json: bool,
    /// Colours stay in the text.
    pub has_colours: bool,
}

/// A stream at one moment.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The lines in memory: first, and one past the last.
    pub lines: Range<LineId>,
    /// The oldest line that can be read at all: on disk, else the first in memory.
    pub first: LineId,
    /// Counts the restarts with another request; lines of the one before are gone.
    pub generation: u32,
    /// Sources in the order they joined.
    pub sources: Arc<[LogSource]>,
    /// Whether new lines are awaited.
    pub is_following: bool,
    /// Lines lost by limit or overload.
    pub lost: u64,
    /// Bytes kept on disk because memory was full.
    pub spilled: u64,
    /// Most bytes kept on disk; the oldest go first.
    pub spill_limit: u64,
    /// Errors of each of the last minutes, newest last.
    pub errors_per_minute: Vec<u32>,
    /// Why there is nothing, when there is nothing: no pods, forbidden.
    pub problem: Option<String>,
}

impl Level {
    /// Returns the word for it; empty when a line says nothing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
