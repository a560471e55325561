//! What happened ([`Event`]) and what to do about it ([`Effect`]).
//!
//! Both are plain data, so a journey is tested as a list of events and the effects that come out.
//! The face (terminal or screenshot) carries effects out and answers with events; the application
//! itself never reads a file or waits.

use super::commands::CommandId;
use super::docs::{DocsAnswer, DocsQuestion};
use super::input::{Key, Mouse};
use super::overlay::Overlay;
use super::place::Place;
use super::templates::{TemplateAnswer, TemplateOrder};
use crate::catalog::compare::Comparison;
use crate::catalog::facets::Facet;
use crate::catalog::history::History;
use crate::catalog::refresh::{Order, SourceStatus};
use crate::catalog::sources::Registered;
use crate::catalog::{Catalog, EntityId};
use crate::kubernetes::logs;
use crate::kubernetes::order::{Answer, Question};
use crate::kubernetes::rows::{Query, Rows};
use crate::kubernetes::{self, ObjectRef};
use crate::store::reading::Bookmark;
use std::sync::Arc;
use std::time::Duration;

/// A shared value compared by identity: two snapshots are the same when they are the same snapshot.
pub struct Shared<T>(pub Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shared({})", std::any::type_name::<T>())
    }
}

/// Tells requests apart; an answer to an older request is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// What happened.
#[expect(clippy::large_enum_variant, reason = "handled one at a time, never kept in numbers")]
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// A line of the palette's grammar, given as a whole: by the linear face.
    Line(String),
    /// Text was pasted; always literal.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// A key name in the footer was clicked.
    Run(CommandId),
    /// A row of the overlay on top was clicked; chosen when it was a double click.
    Row {
        /// Index into the shown rows.
        row: usize,
        /// Choose it, not only focus it.
        is_chosen: bool,
    },
    /// The terminal has this size now, in cells.
    Resize(u16, u16),
    /// The terminal window got or lost the focus.
    Focus(bool),
    /// A timer asked for by [`Effect::Timer`] ran out.
    Timer(Timer),
    /// Background work has something to say.
    Task(TaskEvent),
}

/// What background work reports.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskEvent {
    /// Reading the sources goes on: files read so far.
    LoadProgress {
        /// Files read so far.
        files: usize,
        /// Entities found so far.
        entities: usize,
        /// Source that is being waited for.
        source: String,
    },
    /// A new snapshot is there.
    Loaded {
        /// The snapshot.
        catalog: Shared<Catalog>,
        /// Who the user is according to it.
        me: super::context::Me,
    },
    /// What the sources do has changed.
    Sources(Arc<[SourceStatus]>),
    /// The files of the configuration changed and were read again.
    Configured(Box<super::context::Configured>),
    /// A filter has run: the matching entities, or what is wrong with its text.
    Filtered {
        /// Which request this answers.
        generation: Generation,
        /// Matches.
        result: Result<Shared<Matches>, FilterMistake>,
    },
    /// The palette's search over entities has run: best first.
    Picked {
        /// Which request this answers.
        generation: Generation,
        /// Canonical refs, best first.
        refs: Vec<String>,
    },
    /// The text of a source file has been read.
    SourceRead {
        /// Which request this answers.
        generation: Generation,
        /// The text, or why not in plain words.
        result: Result<Arc<str>, String>,
    },
    /// A question about revisions has its answer.
    Revisions {
        /// Which request this answers.
        generation: Generation,
        /// The answer, or why there is none in plain words.
        result: Result<RevisionsAnswer, String>,
    },
    /// A question about documentation has its answer.
    Docs {
        /// Which request this answers.
        generation: Generation,
        /// The answer, or why there is none in plain words.
        result: Result<DocsAnswer, String>,
    },
    /// What registering an address would bring, for a person to decide on.
    Registrable {
        /// Name of the source whose backend was asked.
        source: String,
        /// The address.
        target: String,
        /// What it would bring.
        plan: Registered,
    },
    /// What is known of the clusters has changed.
    Kubernetes(Shared<kubernetes::State>),
    /// A list of objects has been filtered and sorted.
    ObjectsListed {
        /// Which request this answers.
        generation: Generation,
        /// The rows.
        rows: Shared<Rows>,
    },
    /// A question to a cluster has its answer.
    Cluster {
        /// Which request this answers.
        generation: Generation,
        /// The answer, or why there is none in plain words.
        result: Result<Answer, String>,
    },
    /// Logs asked for are being read; lines follow.
    LogsOpened {
        /// Which request this answers.
        generation: Generation,
        /// The stream; dropping it ends the reading.
        stream: Shared<logs::Stream>,
    },
    /// Some stream of logs has new lines.
    LogsAdvanced,
    /// A search in logs has run.
    LogsFound {
        /// Which request this answers.
        generation: Generation,
        /// Numbers of the matching lines, in order.
        ids: Vec<logs::LineId>,
        /// Lines up to this number were looked at.
        upto: logs::LineId,
    },
    /// Lines asked for are read from disk.
    LogsRead {
        /// Which request this answers.
        generation: Generation,
        /// Which were asked for; those that are gone are missing in the answer.
        ids: std::ops::Range<logs::LineId>,
        /// The lines, in order.
        lines: Vec<(logs::LineId, Arc<logs::Line>)>,
    },
    /// What was asked about templates has its answer, or a run goes on.
    Template {
        /// Which request this answers.
        generation: Generation,
        /// The answer.
        answer: TemplateAnswer,
    },
    /// Something asked for is done; the sentence is shown for a while.
    Done(String),
    /// Something asked for failed; the sentence says what, why and what to do.
    Failed(String),
    /// A setting was written into the user's configuration, or its line was taken out.
    SettingSaved {
        /// Dotted key.
        key: &'static str,
        /// The value that counts now.
        value: String,
        /// Where it comes from now.
        origin: String,
        /// What was done, for the user: file and line.
        said: String,
    },
    /// The editor was closed.
    EditorClosed,
    /// A theme asked for is there.
    ThemeLoaded(crate::config::theme::Theme),
}

/// What a filter found, with the snapshot that the ids belong to.
#[derive(Debug, Default)]
pub struct Matches {
    /// The snapshot that was searched.
    pub catalog: Arc<Catalog>,
    /// Matching entities in the order asked for.
    pub ids: Vec<EntityId>,
    /// Facets over the matches.
    pub facets: Vec<Facet>,
    /// What could be typed next: the whole text it would make, what to show, how many match.
    pub suggestions: Vec<Suggestion>,
}

/// Something that could be typed next in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The filter text with it put in.
    pub text: String,
    /// What is shown: `owner:payments`.
    pub label: String,
    /// How many entities it matches, where that is known.
    pub count: Option<usize>,
}

/// What a list of entities is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortKey {
    /// Name, then kind.
    #[default]
    Name,
    /// Kind and type.
    Kind,
    /// Owner's name.
    Owner,
    /// System's name.
    System,
    /// Lifecycle.
    Lifecycle,
    /// Number of problems, most first.
    Problems,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Largest first.
    pub is_descending: bool,
}

/// A mistake in a filter text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterMistake {
    /// Bytes of the text that are wrong.
    pub span: std::ops::Range<usize>,
    /// Why, in plain words.
    pub reason: String,
}

/// Timers the application asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The newest toast may go.
    Toast,
    /// Ages have to be looked at again.
    Minute,
    /// The second `ctrl-c` came too late.
    Interrupt,
    /// Loading takes long enough to name who is slow.
    SlowLoad,
}

/// How important a short message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something worked.
    Ok,
    /// Something to know.
    Info,
    /// Something did not work.
    Error,
}

/// What to do. The first group is carried out by the application itself, the second by the face.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Go to a place.
    Open(Place),
    /// Run a command as if its key had been pressed.
    Run(CommandId),
    /// Show a short message.
    Toast(Level, String),
    /// Put an overlay on top.
    Show(Overlay),
    /// Hand a choice to the pane below: a command of its own with an argument.
    Choose(CommandId, String),
    /// Mark or unmark entities as starred, by ref.
    Star(Vec<String>),
    /// Change a setting for this session: key and value.
    Set(&'static str, String),

    /// Leave the program.
    Quit,
    /// Stop until the shell continues us.
    Suspend,
    /// Paint everything again.
    Repaint,
    /// Read all sources for the first time.
    Load,
    /// Ask the refresher for something: read, pause, cancel.
    Sources(Order),
    /// Run a filter over the catalog on the pool.
    Filter {
        /// Answers carry it.
        generation: Generation,
        /// Text in the filter language.
        text: String,
        /// Bytes of the text in front of the cursor, while it is typed: suggestions are wanted.
        cursor: Option<usize>,
        /// Order of the result.
        sort: Sort,
    },
    /// Look for entities by fuzzy name on the pool.
    Pick {
        /// Answers carry it.
        generation: Generation,
        /// What was typed.
        text: String,
    },
    /// Read the text that an entity was read from.
    ReadSource {
        /// Answers carry it.
        generation: Generation,
        /// Canonical ref.
        entity: String,
    },
    /// Ask about revisions of the catalog's repository.
    Revisions {
        /// Answers carry it.
        generation: Generation,
        /// What is asked.
        question: RevisionsQuestion,
    },
    /// Ask about documentation; answered by [`TaskEvent::Docs`].
    Docs {
        /// Answers carry it.
        generation: Generation,
        /// What is asked.
        question: DocsQuestion,
    },
    /// Ask for something to be done for the clusters.
    Kubernetes(kubernetes::Order),
    /// Filter and sort objects on the pool; answered by [`TaskEvent::ObjectsListed`].
    ListObjects {
        /// Answers carry it.
        generation: Generation,
        /// What is listed.
        query: Box<Query>,
    },
    /// Ask a cluster a question; answered by [`TaskEvent::Cluster`].
    AskCluster {
        /// Answers carry it.
        generation: Generation,
        /// What is asked.
        question: Question,
    },
    /// Open logs; answered by [`TaskEvent::LogsOpened`].
    OpenLogs {
        /// Answers carry it.
        generation: Generation,
        /// Whose.
        request: logs::Request,
    },
    /// Look for lines on the pool; answered by [`TaskEvent::LogsFound`].
    FindInLogs {
        /// Answers carry it.
        generation: Generation,
        /// Where.
        stream: Shared<logs::Stream>,
        /// What.
        query: logs::Query,
        /// Among these lines.
        ids: std::ops::Range<logs::LineId>,
    },
    /// Read lines that are on disk; answered by [`TaskEvent::LogsRead`].
    ReadLogs {
        /// Answers carry it.
        generation: Generation,
        /// Where.
        stream: Shared<logs::Stream>,
        /// These lines.
        ids: std::ops::Range<logs::LineId>,
    },
    /// Write lines into a new file in the current directory.
    SaveLogs {
        /// From where.
        stream: Shared<logs::Stream>,
        /// Proposed file name.
        name: String,
        /// What of it, and how.
        save: logs::Save,
    },
    /// Hand the terminal to a command in a container until it ends.
    Shell {
        /// The pod.
        pod: ObjectRef,
        /// Its container; `None` for the first.
        container: Option<Arc<str>>,
        /// The command; empty for a shell.
        command: Vec<String>,
    },
    /// Ask the backend of a source to do something; answered by [`TaskEvent::Done`], [`TaskEvent::Failed`] or
    /// [`TaskEvent::Registrable`].
    Backend(BackendOrder),
    /// Ask for something about templates; answered by [`TaskEvent::Template`].
    Templates {
        /// Answers carry it.
        generation: Generation,
        /// What is asked for.
        order: TemplateOrder,
    },
    /// Copy a text; `what` names it for the message.
    Copy {
        /// What it is: `name`, `ref`, `YAML`.
        what: String,
        /// The text.
        text: String,
    },
    /// Open an address in the browser.
    OpenUrl(String),
    /// Open a file in the editor, 1-based line and column.
    Edit {
        /// Path on this machine.
        path: String,
        /// Line, 0 = unknown.
        line: u32,
        /// Column, 0 = unknown.
        column: u32,
    },
    /// Write a text into a new file in the current directory.
    SaveText {
        /// Proposed file name.
        name: String,
        /// The text.
        text: String,
    },
    /// Remember on disk.
    Remember(Memory),
    /// Write a setting into the user's configuration, on explicit request only; answered by
    /// [`TaskEvent::SettingSaved`] or [`TaskEvent::Failed`].
    SaveSetting {
        /// Dotted key.
        key: &'static str,
        /// Value as [`crate::config::setting::Setting::parse`] reads it; `None` takes the line out.
        value: Option<String>,
    },
    /// Load a theme by name.
    LoadTheme(String),
    /// Turn mouse capture on or off.
    Mouse(bool),
    /// Send [`Event::Timer`] after a while.
    Timer(Timer, Duration),
}

/// What the backend of a source can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendOrder {
    /// Read the descriptors of these entities again.
    Refresh {
        /// Name of the source.
        source: String,
        /// Canonical refs.
        entities: Vec<String>,
    },
    /// Say what registering an address would bring; changes nothing.
    TryRegister {
        /// Name of the source.
        source: String,
        /// Address of a descriptor.
        target: String,
    },
    /// Register an address; one that is registered already is read again.
    Register {
        /// Name of the source.
        source: String,
        /// Address of a descriptor.
        target: String,
    },
}

impl BackendOrder {
    /// Returns the name of the source whose backend is asked.
    pub fn source(&self) -> &str {
        match self {
            Self::Refresh { source, .. }
            | Self::TryRegister { source, .. }
            | Self::Register { source, .. } => source,
        }
    }
}

/// A question about revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionsQuestion {
    /// What differs between two revisions, `A..B`.
    Compare(String),
    /// Who changed an entity, by its canonical ref.
    History(String),
}

/// The answer to a question about revisions.
#[derive(Debug, Clone, PartialEq)]
pub enum RevisionsAnswer {
    /// What differs.
    Compared(Shared<Comparison>),
    /// Who changed it.
    History(Shared<History>),
}

/// What is remembered on disk between sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// An entity is starred (or no longer).
    Star {
        /// Canonical ref.
        entity: String,
        /// Starred now.
        starred: bool,
    },
    /// A place was visited.
    Visit(String),
    /// Reading of a page stopped here.
    Position {
        /// Canonical ref.
        entity: String,
        /// Path of the page.
        page: String,
        /// 1-based line of its source.
        line: u32,
    },
    /// A place in documentation was marked (or no longer).
    Bookmark {
        /// The place.
        bookmark: Bookmark,
        /// Marked now.
        is_set: bool,
    },
    /// A named view was saved.
    View {
        /// Its name.
        name: String,
        /// Its place line.
        place: String,
    },
}
