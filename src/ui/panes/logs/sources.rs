//! The containers behind the lines: their tags and colours, which are switched off, the menu for it.

use super::commands::SOURCES;
use crate::app::Context;
use crate::app::context::grouped;
use crate::app::event::Effect;
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::config::theme::Role;
use crate::kubernetes::ObjectRef;
use crate::kubernetes::logs::{LogSource, SourceState};
use crate::model::text::{cut, width};
use crate::ui::theme::Sign;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Widest tag, in cells.
const MAX_TAG: usize = 24;
/// Up to so many the menu is chosen from by letters.
const LETTERS: usize = 20;
/// Roles of tags, one pod after the other; none of them says how something is.
const ROLES: [Role; 6] = [Role::Accent, Role::Key, Role::Ok, Role::Link, Role::Info, Role::Unknown];

/// The containers of a stream.
#[derive(Debug, Default)]
pub struct Sources {
    all: Arc<[LogSource]>,
    roles: Vec<Role>,
    width: usize,
    hidden: BTreeSet<u16>,
}

impl Sources {
    /// Takes them as they are now.
    pub fn renew(&mut self, all: &Arc<[LogSource]>) {
        let is_same = self.all.len() == all.len();
        self.all = all.clone();
        if is_same {
            return;
        }
        let mut pods: HashMap<&ObjectRef, usize> = HashMap::new();
        self.roles.clear();
        for source in all.iter() {
            let next = pods.len();
            let pod = *pods.entry(&source.pod).or_insert(next);
            self.roles.push(ROLES.get(pod % ROLES.len()).copied().unwrap_or(Role::Accent));
        }
        self.width = all.iter().map(|source| width(&source.tag)).max().unwrap_or(0).min(MAX_TAG);
    }

    /// Returns the cells of the widest tag; 0 when a tag would say nothing.
    pub fn tag_width(&self) -> usize {
        if self.all.len() > 1 { self.width } else { 0 }
    }

    /// Returns tag and role of a source.
    pub fn tag(&self, source: u16) -> Option<(&str, Role)> {
        let at = usize::from(source);
        Some((&self.all.get(at)?.tag, *self.roles.get(at)?))
    }

    /// Returns a source.
    pub fn get(&self, source: u16) -> Option<&LogSource> {
        self.all.get(usize::from(source))
    }

    /// Returns how many pods there are: those that still run, else all.
    pub fn pods(&self) -> usize {
        let count = |is_counted: &dyn Fn(&LogSource) -> bool| {
            let pods: BTreeSet<&ObjectRef> =
                self.all.iter().filter(|source| is_counted(source)).map(|source| &source.pod).collect();
            pods.len()
        };
        match count(&|source| !matches!(source.state, SourceState::Ended(_))) {
            0 => count(&|_| true),
            pods => pods,
        }
    }

    /// Returns the names of the clusters, sorted.
    pub fn clusters(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.all.iter().map(|source| &*source.pod.cluster).collect();
        names.into_iter().collect()
    }

    /// Returns all sources.
    pub fn iter(&self) -> impl Iterator<Item = &LogSource> {
        self.all.iter()
    }

    /// Returns what is switched off.
    pub fn hidden(&self) -> Arc<[u16]> {
        self.hidden.iter().copied().collect()
    }

    /// Returns how many are switched off, and how many there are.
    pub fn count(&self) -> (usize, usize) {
        (self.hidden.len(), self.all.len())
    }

    /// Switches everything on; used when another stream is read.
    pub fn show_all(&mut self) {
        self.hidden.clear();
    }

    /// Carries out a choice of the menu: `all`, `none`, `invert`, or the number of a source.
    pub fn choose(&mut self, choice: &str) {
        let every = || (0..self.all.len()).filter_map(|at| u16::try_from(at).ok());
        match choice {
            "all" => self.hidden.clear(),
            "none" => self.hidden = every().collect(),
            "invert" => self.hidden = every().filter(|at| !self.hidden.contains(at)).collect(),
            number => {
                let Ok(at) = number.parse::<u16>() else { return };
                if !self.hidden.remove(&at) {
                    self.hidden.insert(at);
                }
            }
        }
    }

    /// Returns the menu that switches them on and off.
    pub fn menu(&self, cx: &Context) -> Overlay {
        let choose = |choice: &str| vec![Effect::Choose(SOURCES, choice.to_owned())];
        let mut items: Vec<Item> = self
            .all
            .iter()
            .enumerate()
            .map(|(at, source)| {
                let is_on = !u16::try_from(at).is_ok_and(|at| self.hidden.contains(&at));
                let previous = if source.is_previous { " (previous)" } else { "" };
                let label = format!("{}  {}/{}{previous}", source.tag, source.pod.name, source.container);
                let detail = format!(
                    "{}/{} · {} lines · {}",
                    source.pod.cluster,
                    source.pod.namespace,
                    grouped(usize::try_from(source.lines).unwrap_or(usize::MAX)),
                    state(cx, source)
                );
                Item { checked: Some(is_on), ..Item::new(label, choose(&at.to_string())).detail(detail) }
            })
            .collect();
        let is_short = items.len() <= LETTERS;
        let letter = |item: Item, letter| if is_short { item.letter(letter) } else { item };
        items.push(letter(Item::new("switch all on", choose("all")).detail("show every container"), 'A'));
        items.push(letter(Item::new("switch all off", choose("none")).detail("then choose some"), 'N'));
        items.push(letter(Item::new("invert", choose("invert")).detail("what is off comes on"), 'I'));
        let title = "pods and containers: space switches";
        if is_short {
            Overlay::menu(title, items)
        } else {
            Overlay::new(OverlayKind::Menu, title, Mode::Typing, items)
        }
    }
}

/// Says how a source is, with a sign where it is not as it should be.
pub fn state(cx: &Context, source: &LogSource) -> String {
    match &source.state {
        SourceState::Opening => "being opened".to_owned(),
        SourceState::Following => "following".to_owned(),
        SourceState::Waiting(why) => format!("{} cut off, tried again: {why}", Sign::Stale.text(cx)),
        SourceState::Ended(why) => format!("ended: {}", cut(why, 200)),
        SourceState::Failed(why) => format!("{} {why}", Sign::Error.text(cx)),
    }
}
