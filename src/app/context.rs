//! What every pane may read: the snapshot, who the user is, what is starred, the size of the screen.
//!
//! There is one [`Context`], owned by [`super::App`] and changed only by its update. Panes read it.

use super::commands::CommandSpec;
use super::event::Shared;
use super::event::{Generation, Level};
use super::keymap::Keymap;
use super::pane::PaneSpec;
use crate::catalog::access::Access;
use crate::catalog::refresh::SourceStatus;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Theme;
use crate::diagnostic::Diagnostic;
use crate::kubernetes;
use crate::permissions::{AllowAll, Policy, Principal};
use crate::store::reading::Reading;
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Who the user is, and how we know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Me {
    /// The user and the groups behind it.
    pub principal: Principal,
    /// Where this comes from, in words: `git user.email ana@…`.
    pub origin: String,
}

impl Me {
    /// Returns whether something owned by this ref is mine.
    pub fn owns(&self, owner: &str) -> bool {
        self.principal.user.as_deref() == Some(owner) || self.principal.groups.iter().any(|g| g == owner)
    }
}

/// A setting as the Settings pane shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Dotted key.
    pub key: &'static str,
    /// Its value now.
    pub value: String,
    /// File and line, variable, flag or `built-in`.
    pub origin: String,
    /// One sentence.
    pub help: &'static str,
    /// Values to choose from; empty when free.
    pub choices: Vec<String>,
}

/// A file or folder of the configuration, as the Settings pane shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// What it is for, in a word: `config`, `keys`, `project`.
    pub what: &'static str,
    /// Its path.
    pub path: String,
    /// Whether it exists.
    pub is_found: bool,
}

/// Loading as it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loading {
    /// Files read so far.
    pub files: usize,
    /// Entities found so far.
    pub entities: usize,
    /// Source being waited for, named once it takes over a second.
    pub source: String,
    /// It has taken over a second.
    pub slow: bool,
}

/// A visited place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Place line.
    pub place: String,
    /// How often.
    pub count: u32,
}

/// Everything a pane may read.
pub struct Context {
    /// The snapshot.
    pub catalog: Arc<Catalog>,
    /// Area of the current pane, below the title line and above the footer.
    pub area: Rect,
    /// The theme.
    pub theme: Theme,
    /// Signs and lines of ASCII only.
    pub ascii: bool,
    /// No frames around regions: what is drawn is read line by line.
    pub is_plain: bool,
    /// Who the user is.
    pub me: Me,
    /// Refs of starred entities.
    pub stars: BTreeSet<String>,
    /// Where reading stopped, and what was marked in documentation.
    pub reading: Reading,
    /// Recent places, newest first.
    pub recent: Vec<Visit>,
    /// Saved views: name and place line.
    pub views: Vec<(String, String)>,
    /// The user's own words for palette lines.
    pub aliases: Vec<(String, String)>,
    /// Loading, while it goes on.
    pub loading: Option<Loading>,
    /// What the sources do, by priority; empty where they are read once only.
    pub sources: Arc<[SourceStatus]>,
    /// What is known of the clusters.
    pub kubernetes: Arc<kubernetes::State>,
    /// When the snapshot was made.
    pub loaded_at: Option<Timestamp>,
    /// The time of the event being handled.
    pub now: Timestamp,
    /// What the catalog was read from, in words, with what could be done about it.
    pub origin: String,
    /// Settings with their origins.
    pub settings: Vec<Setting>,
    /// Files of the configuration, found or not.
    pub config_files: Vec<ConfigFile>,
    /// Names of themes to choose from.
    pub themes: Vec<String>,
    /// What is wrong with the configuration.
    pub config_diagnostics: Vec<Diagnostic>,
    /// Short messages of this session, newest last, at most [`MESSAGES`].
    pub messages: VecDeque<(Timestamp, Level, String)>,
    /// Decides what the user may do.
    pub policy: Arc<dyn Policy>,
    /// Keys of commands.
    pub keymap: Keymap,
    /// The user's own keys by command name, to build the map again for another preset.
    pub user_keys: BTreeMap<String, Vec<String>>,
    /// All panes.
    pub panes: &'static [&'static PaneSpec],
    pub(super) generations: Cell<u64>,
}

/// What the configuration says; read again when one of its files changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Configured {
    /// The theme; `None` when it could not be read and the one before stays.
    pub theme: Option<Theme>,
    /// Names of themes to choose from.
    pub themes: Vec<String>,
    /// Signs and lines of ASCII only.
    pub ascii: bool,
    /// What the catalog is read from, in words.
    pub origin: String,
    /// Settings with their origins.
    pub settings: Vec<Setting>,
    /// Files of the configuration, found or not.
    pub files: Vec<ConfigFile>,
    /// What is wrong with them.
    pub diagnostics: Vec<Diagnostic>,
    /// The user's own keys by command name.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Saved views: name and place line.
    pub views: Vec<(String, String)>,
    /// The user's own words for palette lines.
    pub aliases: Vec<(String, String)>,
    /// What decides who may do what; `None` where everybody may everything.
    pub access: Option<Shared<Access>>,
}

/// Messages kept for the list of messages.
pub const MESSAGES: usize = 500;

impl Context {
    /// Creates a context over an empty catalog with built-in settings; the face fills in what it knows.
    pub fn new(panes: &'static [&'static PaneSpec]) -> Self {
        Self {
            catalog: Arc::default(),
            area: Rect::new(0, 1, 80, 22),
            theme: Theme::built_in_default(),
            ascii: false,
            is_plain: false,
            me: Me::default(),
            stars: BTreeSet::new(),
            reading: Reading::default(),
            recent: Vec::new(),
            views: Vec::new(),
            aliases: Vec::new(),
            loading: None,
            sources: Arc::new([]),
            kubernetes: Arc::default(),
            loaded_at: None,
            now: Timestamp::UNIX_EPOCH,
            origin: String::new(),
            settings: Vec::new(),
            config_files: Vec::new(),
            themes: Theme::names(None),
            config_diagnostics: Vec::new(),
            messages: VecDeque::new(),
            policy: Arc::new(AllowAll),
            keymap: Keymap::build(panes, "default", &BTreeMap::new()).0,
            user_keys: BTreeMap::new(),
            panes,
            generations: Cell::new(0),
        }
    }

    /// Takes in what the configuration says.
    pub fn configure(&mut self, configured: Configured) {
        let Configured {
            theme,
            themes,
            ascii,
            origin,
            settings,
            files,
            diagnostics,
            keys,
            views,
            aliases,
            access,
        } = configured;
        self.policy = access.map_or_else(|| Arc::new(AllowAll) as Arc<dyn Policy>, |access| access.0);
        self.theme = theme.unwrap_or_else(|| self.theme.clone());
        (self.themes, self.ascii, self.origin, self.settings) = (themes, ascii, origin, settings);
        (self.config_files, self.config_diagnostics) = (files, diagnostics);
        (self.user_keys, self.views, self.aliases) = (keys, views, aliases);
        let preset = self.settings.iter().find(|setting| setting.key == "keymap.preset");
        let preset = preset.map_or("default", |setting| setting.value.as_str());
        let (keymap, clashes) = Keymap::build(self.panes, preset, &self.user_keys);
        self.keymap = keymap;
        self.config_diagnostics.extend(clashes);
    }

    /// Returns a number for a request; every call gives a newer one.
    pub fn next_generation(&self) -> Generation {
        self.generations.set(self.generations.get() + 1);
        Generation(self.generations.get())
    }

    /// Finds an entity by canonical ref.
    pub fn entity(&self, canonical: &str) -> Option<Entity<'_>> {
        self.catalog.find(canonical).and_then(|id| self.catalog.entity(id))
    }

    /// Returns the first key of a command as text, or nothing when it is unbound.
    pub fn key(&self, command: super::commands::CommandId) -> String {
        self.keymap.keys(command).first().map(ToString::to_string).unwrap_or_default()
    }

    /// Returns every command row with the title of its group or pane, in the order of help.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &'static CommandSpec)> + use<> {
        super::keymap::all_rows(self.panes)
    }

    /// Returns how old the oldest part of what is shown is, in words of minute grain: `now`, `3m`, `2h`, `4d`.
    /// What is watched is as new as the disk.
    pub fn age(&self) -> Option<String> {
        let loaded_at = self.loaded_at?;
        let is_followed = |s: &&SourceStatus| s.is_watched && s.watch_problem.is_none() && !s.is_stale();
        let oldest = match &*self.sources {
            [] => Some(loaded_at),
            sources => sources.iter().filter(|s| !is_followed(s)).filter_map(|s| s.state.read_at).min(),
        };
        Some(age(self.now.as_second() - oldest.unwrap_or(self.now).as_second()))
    }
}

/// Returns an age in words of minute grain.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..60 => "now".to_owned(),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns a size in bytes for people: `812 B`, `1.2 kB`.
pub fn size(bytes: usize) -> String {
    match bytes {
        ..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Returns a number with thousands separated: `9,812`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_minute_grain() {
        let cases = [(-5, "now"), (59, "now"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d")];
        for (seconds, text) in cases {
            assert_eq!(age(seconds), text);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
