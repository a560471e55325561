//! The command table: one row for everything a user can do.
//!
//! Keys, footer, help, palette, `devportal keys`, docs/keys.md and the README's key sheet are all
//! printed from these rows. This file has the row type, the rows that work everywhere and the shared
//! groups; a pane's own rows stand in the pane's file ([`super::pane::PaneSpec::commands`]).

use crate::permissions;

/// Stable name of a command: `group.verb`. Users write it in `keys.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub &'static str);

/// One user-visible act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandSpec {
    /// Its name.
    pub id: CommandId,
    /// Two or three words for footer and palette.
    pub title: &'static str,
    /// One sentence for help.
    pub help: &'static str,
    /// Default keys, in the text form of [`super::input::Key`].
    pub keys: &'static [&'static str],
    /// Rank in the footer, 1 first; 0 never.
    pub footer: u8,
    /// Permission it needs.
    pub permission: Option<&'static str>,
    /// Changes something outside this program; always asks.
    pub danger: bool,
}

/// A row that needs no permission and harms nothing, the common case.
const fn row(
    id: &'static str,
    title: &'static str,
    help: &'static str,
    keys: &'static [&'static str],
    footer: u8,
) -> CommandSpec {
    CommandSpec { id: CommandId(id), title, help, keys, footer, permission: None, danger: false }
}

impl CommandSpec {
    /// Creates a row; panes write theirs with it.
    pub const fn new(
        id: CommandId,
        title: &'static str,
        help: &'static str,
        keys: &'static [&'static str],
        footer: u8,
    ) -> Self {
        Self { id, title, help, keys, footer, permission: None, danger: false }
    }

    const fn asks(mut self) -> Self {
        self.danger = true;
        self
    }

    const fn needs(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }
}

/// Rows that belong together and apply where a pane says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Works everywhere.
    Global,
    /// Moving up and down in rows or text.
    Move,
    /// Lists of things: filter, marks, sorting.
    List,
    /// Text: sideways, search.
    Text,
    /// The focused thing: open, copy, edit, star.
    Subject,
    /// Objects of clusters: shell, forward, changes.
    Object,
    /// Panes with tabs.
    Tabs,
    /// Panes with more than one region.
    Regions,
}

impl Group {
    /// Every group in the order help shows them.
    pub const ALL: [Group; 8] = [
        Self::Subject,
        Self::Object,
        Self::List,
        Self::Text,
        Self::Tabs,
        Self::Regions,
        Self::Move,
        Self::Global,
    ];

    /// Returns the heading in help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Move => "Moving",
            Self::List => "Lists",
            Self::Text => "Text",
            Self::Subject => "The focused thing",
            Self::Object => "Objects of clusters",
            Self::Tabs => "Tabs",
            Self::Regions => "Regions",
        }
    }

    /// Returns the rows of the group.
    pub fn rows(self) -> &'static [CommandSpec] {
        match self {
            Self::Global => GLOBAL,
            Self::Move => MOVE,
            Self::List => LIST,
            Self::Text => TEXT,
            Self::Subject => SUBJECT,
            Self::Object => OBJECT,
            Self::Tabs => TABS,
            Self::Regions => REGIONS,
        }
    }
}

/// Ids of the shared commands, for matching.
pub mod id {
    use super::CommandId;

    macro_rules! ids {
        ($($name:ident = $text:literal;)*) => { $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: CommandId = CommandId($text);
        )* };
    }

    ids! {
        HELP = "app.help"; PALETTE = "app.palette"; BACK = "app.back"; CLOSE = "app.close"; QUIT = "app.quit";
        INTERRUPT = "app.interrupt"; LAST = "app.last-place"; HISTORY = "app.history-back"; RECENT = "app.recent";
        REFRESH = "app.refresh"; REFRESH_ALL = "app.refresh-all"; TASKS = "app.tasks"; MESSAGES = "app.messages";
        MOUSE = "app.mouse"; REPAINT = "app.repaint"; SUSPEND = "app.suspend"; UNDO = "app.undo"; THEME = "app.theme";
        DOWN = "move.down"; UP = "move.up"; TOP = "move.top"; BOTTOM = "move.bottom"; HALF_DOWN = "move.half-down";
        HALF_UP = "move.half-up"; PAGE_DOWN = "move.page-down"; PAGE_UP = "move.page-up";
        FILTER = "list.filter"; NEXT_MATCH = "list.next"; PREVIOUS_MATCH = "list.previous"; MARK = "list.mark";
        RANGE = "list.range"; MARK_ALL = "list.mark-all"; SORT_LEFT = "list.sort-left"; SORT_RIGHT = "list.sort-right";
        SORT = "list.sort"; COLUMNS = "list.columns"; VIEWS = "list.views"; SAVE = "list.save"; CLEAR = "list.clear-filter";
        SAVE_VIEW = "list.save-view";
        LEFT = "text.left"; RIGHT = "text.right"; SEARCH = "text.search"; NEXT = "text.next"; PREVIOUS = "text.previous";
        TEXT_PAGE_DOWN = "text.page-down"; TEXT_PAGE_UP = "text.page-up"; SAVE_TEXT = "text.save"; WRAP = "text.wrap";
        OPEN = "thing.open"; STAR = "thing.star"; COPY = "thing.copy"; COPY_WHAT = "thing.copy-what";
        BROWSE = "thing.browse"; BROWSE_WHAT = "thing.browse-what"; EDIT = "thing.edit"; ACTIONS = "thing.actions";
        DESCRIBE = "thing.describe"; INSPECT = "thing.inspect"; GRAPH = "thing.graph"; DOCS = "thing.docs"; IMPACT = "thing.impact"; CHANGES = "thing.history";
        REFRESH_REMOTE = "thing.refresh-remote"; LOGS = "thing.logs"; PREVIOUS_LOGS = "thing.previous-logs";
        SHELL = "object.shell"; RUN_COMMAND = "object.run"; FORWARD = "object.forward"; RESTART = "object.restart";
        SCALE = "object.scale"; ROLL_BACK = "object.roll-back"; DRAIN = "object.drain"; HOLD = "object.suspend";
        RESUME = "object.resume"; TRIGGER = "object.trigger"; DELETE = "object.delete"; KUBECTL = "object.kubectl";
        UNLOCK = "app.unlock";
        TAB_NEXT = "tab.next"; TAB_PREVIOUS = "tab.previous";
        REGION_NEXT = "region.next"; REGION_PREVIOUS = "region.previous"; LAYOUT = "region.layout";
        PREVIEW_DOWN = "region.preview-down"; PREVIEW_UP = "region.preview-up";
    }
}

/// Works everywhere. The digits that open places come from the panes themselves.
pub const GLOBAL: &[CommandSpec] = &[
    row(
        "app.help",
        "help",
        "Show every action of this place with its key; type to search, enter runs it",
        &["?", "f1"],
        99,
    ),
    row("app.palette", "palette", "Go to a place, an entity or an action by name", &[":", "ctrl-p"], 60),
    row("app.back", "back", "One step back: popup, marks, filter, previous place", &["esc"], 0),
    row("app.close", "close", "Close this place; at the first one, quit", &["q"], 0),
    row("app.quit", "quit", "Leave the program", &[], 0),
    row("app.interrupt", "stop", "Stop what is running; twice within two seconds quits", &["ctrl-c"], 0),
    row("app.last-place", "last place", "Go to the last place and back again", &["-"], 0),
    row("app.history-back", "history", "Go back in history", &["ctrl-o"], 0),
    row("app.recent", "recent places", "Choose among recent places", &["'"], 0),
    row("app.refresh", "refresh", "Read what this place shows again", &["r"], 0)
        .needs(permissions::CATALOG_REFRESH),
    row("app.refresh-all", "refresh all", "Read every source again", &["R"], 0)
        .needs(permissions::CATALOG_REFRESH),
    row("app.tasks", "tasks", "Show sources and running tasks", &["ctrl-t"], 0),
    row("app.messages", "messages", "Show the messages of this session", &[], 0),
    row(
        "app.unlock",
        "unlock",
        "Lift the protection of an environment for 15 minutes, or put it back",
        &[],
        0,
    ),
    row("app.theme", "theme", "Choose a theme; each is shown while you move", &[], 0),
    row("app.undo", "undo", "Undo the last star", &["u"], 0),
    row("app.mouse", "mouse", "Turn mouse capture on or off", &["%"], 0),
    row("app.repaint", "repaint", "Paint the screen again", &["ctrl-l"], 0),
    row("app.suspend", "suspend", "Stop until the shell continues this program", &["ctrl-z"], 0),
];

/// Moving up and down in rows or text.
pub const MOVE: &[CommandSpec] = &[
    row("move.down", "down", "Move down", &["j", "down"], 0),
    row("move.up", "up", "Move up", &["k", "up"], 0),
    row("move.top", "top", "Go to the first row", &["g", "home"], 0),
    row("move.bottom", "bottom", "Go to the last row", &["G", "end"], 0),
    row("move.half-down", "half page down", "Move down half a page", &["ctrl-d"], 0),
    row("move.half-up", "half page up", "Move up half a page", &["ctrl-u"], 0),
    row("move.page-down", "page down", "Move down a page", &["pgdn", "ctrl-f"], 0),
    row("move.page-up", "page up", "Move up a page", &["pgup", "ctrl-b"], 0),
];

/// Lists of things.
pub const LIST: &[CommandSpec] = &[
    row("list.filter", "filter", "Filter while typing; words, `key:value`, `!not`, `/regex/`", &["/"], 20),
    row("list.next", "next match", "Next matching row", &["n"], 0),
    row("list.previous", "previous match", "Previous matching row", &["N"], 0),
    row("list.mark", "mark", "Mark or unmark the row", &["space"], 0),
    row("list.range", "range", "Mark from here to where you move", &["v"], 0),
    row("list.mark-all", "mark all", "Mark all shown rows, or none", &["A"], 0),
    row("list.sort-left", "sort left", "Sort by the column to the left", &["left"], 0),
    row("list.sort-right", "sort right", "Sort by the column to the right", &["right"], 0),
    row("list.sort", "sort", "Choose the column to sort by", &["S"], 0),
    row("list.columns", "columns", "Choose columns; says which are left out for width", &["W"], 0),
    row("list.views", "views", "Choose facets and saved views", &["V"], 50),
    row("list.clear-filter", "clear filter", "Show everything again", &[], 0),
    row("list.save-view", "save view", "Keep this filter under a name", &[], 0),
    row("list.save", "save list", "Write what is shown into a file", &["ctrl-s"], 0),
];

/// Text: raw files, definitions, long fields.
pub const TEXT: &[CommandSpec] = &[
    row("text.search", "search", "Search in the text", &["/"], 20),
    row("text.next", "next match", "Next match", &["n"], 0),
    row("text.previous", "previous match", "Previous match", &["N"], 0),
    row("text.left", "left", "Scroll to the left", &["h", "left"], 0),
    row("text.right", "right", "Scroll to the right", &["l", "right"], 0),
    row("text.page-down", "page down", "Move down a page", &["space"], 0),
    row("text.page-up", "page up", "Move up a page", &["b"], 0),
    row("text.wrap", "wrap", "Wrap long lines", &["w"], 0),
    row("text.save", "save text", "Write the text into a file", &["ctrl-s"], 0),
];

/// The focused thing, or the marked ones.
pub const SUBJECT: &[CommandSpec] = &[
    row("thing.open", "open", "Open the focused thing", &["enter"], 1),
    row("thing.actions", "actions", "Everything that can be done with the focused thing", &["x"], 30),
    row("thing.copy", "copy", "Copy its name", &["y"], 40),
    row("thing.copy-what", "copy what?", "Choose what to copy: name, ref, link, YAML, JSON", &["Y"], 0),
    row("thing.browse", "browser", "Open its first link in the browser", &["o"], 45),
    row("thing.browse-what", "links", "Choose which link to open", &["O"], 0),
    row("thing.edit", "edit", "Open its source in $EDITOR at the line", &["e"], 46),
    row("thing.describe", "describe", "Show its overview", &["d"], 0),
    row("thing.inspect", "inspect", "Show its raw YAML with the source location", &["i"], 0),
    row("thing.logs", "logs", "Show the logs of everything that runs for it, merged and live", &["l"], 25),
    row(
        "thing.previous-logs",
        "previous logs",
        "Show the logs of the instances before: what a crash left",
        &["p"],
        0,
    ),
    row("thing.docs", "docs", "Read its documentation", &["M"], 27),
    row("thing.graph", "graph", "Show its relations as a graph", &[], 0),
    row("thing.impact", "impact", "Show what depends on it and whom to tell", &[], 0),
    row("thing.history", "changes", "Show who changed it, when, and what", &[], 0),
    row(
        "thing.refresh-remote",
        "remote refresh",
        "Have the backend that it comes from read its descriptor again",
        &[],
        0,
    )
    .needs(permissions::CATALOG_REFRESH),
    row("thing.star", "star", "Star or unstar it", &["*"], 0),
];

/// Objects of clusters, or the marked ones. Whatever changes something asks first.
pub const OBJECT: &[CommandSpec] = &[
    row("object.shell", "shell", "Open the best shell that its container has", &["s"], 26),
    row("object.forward", "forward", "Forward a port of this machine to it, in the background", &["F"], 0),
    row("object.run", "run command", "Run one command in its container and show what it writes", &[], 0),
    row("object.restart", "restart", "Replace its pods one after the other", &[], 0).asks(),
    row("object.scale", "scale", "Change its number of pods", &[], 0).asks(),
    row("object.roll-back", "roll back", "Go back to a revision that ran before", &[], 0).asks(),
    row("object.drain", "drain", "Evict its pods as disruption budgets allow", &[], 0).asks(),
    row("object.suspend", "suspend", "Hold a cron job: no new jobs until it is resumed", &[], 0).asks(),
    row("object.resume", "resume", "Let a suspended cron job go on", &[], 0).asks(),
    row("object.trigger", "trigger", "Make a job of a cron job now", &[], 0).asks(),
    row("object.delete", "delete", "Delete it", &["D"], 0).asks(),
    row("object.kubectl", "copy kubectl", "Choose an equivalent kubectl command to copy", &[], 0),
];

/// Panes with tabs.
pub const TABS: &[CommandSpec] = &[
    row("tab.next", "next tab", "Next tab", &["]", "L"], 10),
    row("tab.previous", "previous tab", "Previous tab", &["[", "H"], 0),
];

/// Panes with more than one region.
pub const REGIONS: &[CommandSpec] = &[
    row("region.next", "next region", "Focus the next region", &["tab"], 0),
    row("region.previous", "previous region", "Focus the previous region", &["shift-tab"], 0),
    row("region.layout", "layout", "Cycle the layout: split, list only, detail only", &["z", "+", "_"], 55),
    row("region.preview-down", "preview down", "Scroll the preview down", &["J"], 0),
    row("region.preview-up", "preview up", "Scroll the preview up", &["K"], 0),
];

/// Whether a command can run now; the reason is shown where it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Available,
    /// It cannot, and this is why.
    Disabled(String),
}

impl Availability {
    /// Returns a disabled state with its reason.
    pub fn no(reason: impl Into<String>) -> Self {
        Self::Disabled(reason.into())
    }
}
