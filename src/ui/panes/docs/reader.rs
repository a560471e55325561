//! The reader: pages of a site at the left, the page, its contents.
//!
//! A place is an entity, a page and an anchor, so the program's history goes back and forward with scroll and
//! all. The page is read, laid out, highlighted and searched on the pool; each answer carries the generation
//! it answers, and a late one is dropped. Where reading stopped is remembered by the line of the source.

use super::Asked;
use super::contents::{self, PageRow, RowKind};
use super::labels::Labels;
use super::regions::{Areas, Region};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::docs::{DocsAnswer, DocsQuestion, Laid, OpenPage, Thing};
use crate::app::event::{Effect, Generation, Level, Memory, Shared, TaskEvent};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::ListState;
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::app::palette::find_entity;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{DOCS, Place};
use crate::app::subject::Subject;
use crate::docs::markdown::highlight::Highlights;
use crate::docs::markdown::search::{Hit, reveal};
use crate::docs::markdown::{BlockKind, LinkKind, View};
use crate::docs::site::{Edit, Site, Target};
use crate::model::text::nearest;
use crate::store::reading::{Bookmark, Reading};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::BTreeSet;

const OPEN: CommandId = CommandId("docs.open");
const LABELS: CommandId = CommandId("docs.labels");
const NEXT_LINK: CommandId = CommandId("docs.next-link");
const PREVIOUS_LINK: CommandId = CommandId("docs.previous-link");
const NEXT_PAGE: CommandId = CommandId("docs.next-page");
const PREVIOUS_PAGE: CommandId = CommandId("docs.previous-page");
const NEXT_TAB: CommandId = CommandId("docs.next-tab");
const FOLD_ALL: CommandId = CommandId("docs.fold-all");
const EDIT: CommandId = CommandId("docs.edit");
const BROWSE: CommandId = CommandId("docs.browse");
const COPY: CommandId = CommandId("docs.copy-link");
const COPY_WHAT: CommandId = CommandId("docs.copy-what");
const BOOKMARK: CommandId = CommandId("docs.bookmark");
const AGAIN: CommandId = CommandId("docs.again");
const NUMBERS: CommandId = CommandId("docs.numbers");

/// Registration.
pub const READER: PaneSpec = PaneSpec {
    id: "reader",
    title: "Docs",
    help: "A page of documentation: `docs REF PAGE#anchor`",
    aliases: &["read"],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(
            OPEN,
            "follow",
            "Follow the focused link, open details, choose the next tab, open the page",
            &["enter"],
            1,
        ),
        CommandSpec::new(LABELS, "links", "Put a label on each visible link; type it to follow", &["F"], 5),
        CommandSpec::new(NEXT_LINK, "next link", "Focus the next link, details or tabs", &["."], 0),
        CommandSpec::new(
            PREVIOUS_LINK,
            "previous link",
            "Focus the previous link, details or tabs",
            &[","],
            0,
        ),
        CommandSpec::new(NEXT_PAGE, "next page", "Next page of the navigation", &["]"], 12),
        CommandSpec::new(PREVIOUS_PAGE, "previous page", "Previous page of the navigation", &["["], 0),
        CommandSpec::new(NEXT_TAB, "next tab", "Show the next tab of the first visible tabs", &["t"], 14),
        CommandSpec::new(FOLD_ALL, "open all", "Open all details, or shut them again", &["a"], 0),
        CommandSpec::new(
            EDIT,
            "edit",
            "Edit this page: in $EDITOR, or in the browser where it lies elsewhere",
            &["e"],
            46,
        ),
        CommandSpec::new(BROWSE, "browser", "Open the focused link, or this page, in the browser", &["o"], 0),
        CommandSpec::new(COPY, "copy link", "Copy the link to this part of the page", &["y"], 0),
        CommandSpec::new(
            COPY_WHAT,
            "copy what?",
            "Choose what to copy: link, code block by number, visible text, Markdown",
            &["Y"],
            40,
        ),
        CommandSpec::new(
            BOOKMARK,
            "bookmark",
            "Mark this part of the page, or take the mark back",
            &["*"],
            0,
        ),
        CommandSpec::new(NUMBERS, "line numbers", "Show or hide the numbers of lines of code", &["#"], 0),
        CommandSpec::new(AGAIN, "read again", "Read the documentation again", &["r"], 0),
    ],
    groups: &[Group::Text, Group::Regions, Group::Subject, Group::Move],
    open: |argument, cx| Ok(Box::new(Reader::open(argument, cx)?)),
};

/// Cells that one step sideways scrolls.
const STEP: usize = 8;

/// State of the reader.
pub(super) struct Reader {
    /// The entity that was asked for.
    pub entity: String,
    /// Whose documentation it is.
    pub owner: String,
    /// The page that was asked for, as it was typed, until it is known.
    wanted: String,
    anchor: Option<String>,
    pub site: Asked<Shared<Site>>,
    /// Path of the page.
    pub path: String,
    pub page: Asked<Shared<OpenPage>>,
    /// The page as it was before it is read again.
    pub last: Option<Shared<OpenPage>>,
    pub laid: Option<Shared<Laid>>,
    layout: Option<Generation>,
    coloured: Option<Generation>,
    found: Option<Generation>,
    pub view: View,
    pub highlights: Highlights,
    pub offset: usize,
    pub column: usize,
    pub focused: Option<Thing>,
    pub region: Region,
    is_alone: bool,
    pub rows: Vec<PageRow>,
    folded: BTreeSet<usize>,
    pub pages: ListState,
    pub contents: ListState,
    pub search: LineInput,
    pub is_searching: bool,
    pub hits: Vec<Hit>,
    pub at_hit: usize,
    pub labels: Option<Labels>,
    /// Offsets to go back to on this page.
    jumps: Vec<usize>,
    /// Source line to go to when the page is there.
    resume: Option<u32>,
    is_old: bool,
}

impl Reader {
    /// Reads `REF [PAGE][#anchor]`.
    pub(super) fn open(argument: &str, cx: &Context) -> Result<Self, String> {
        let (word, rest) = argument.trim().split_once(char::is_whitespace).unwrap_or((argument.trim(), ""));
        let (word, rest) = match word.split_once('#') {
            Some((word, anchor)) if rest.is_empty() => (word, format!("#{anchor}")),
            _ => (word, rest.trim().to_owned()),
        };
        let entity = find_entity(word, cx).ok_or_else(|| {
            let names =
                cx.catalog.ids().map(|id| crate::model::entity_ref::split_canonical(cx.catalog.ref_of(id)).2);
            let near = nearest(word, names);
            let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("there is no entity `{word}`{hint}")
        })?;
        let (wanted, anchor) = match rest.split_once('#') {
            Some((page, anchor)) => {
                (page.to_owned(), Some(anchor.to_owned()).filter(|anchor| !anchor.is_empty()))
            }
            None => (rest, None),
        };
        Ok(Self {
            owner: entity.clone(),
            entity,
            wanted,
            anchor,
            site: Asked::Not,
            path: String::new(),
            page: Asked::Not,
            last: None,
            laid: None,
            layout: None,
            coloured: None,
            found: None,
            view: View { ascii: cx.ascii, ..View::default() },
            highlights: Highlights::default(),
            offset: 0,
            column: 0,
            focused: None,
            region: Region::Text,
            is_alone: false,
            rows: Vec::new(),
            folded: BTreeSet::new(),
            pages: ListState::default(),
            contents: ListState::default(),
            search: LineInput::default(),
            is_searching: false,
            hits: Vec::new(),
            at_hit: 0,
            labels: None,
            jumps: Vec::new(),
            resume: None,
            is_old: false,
        })
    }

    pub(super) fn areas(&self, area: Rect) -> Areas {
        Areas::of(area, self.region, self.is_alone)
    }

    fn height(&self, cx: &Context) -> usize {
        let areas = Areas::of(cx.area, Region::Text, self.is_alone && self.region == Region::Text);
        usize::from(areas.lines().height).max(1)
    }

    /// Returns the width of lines; the same whichever region is in front.
    fn width(&self, cx: &Context) -> usize {
        let areas = Areas::of(cx.area, Region::Text, self.is_alone && self.region == Region::Text);
        usize::from(areas.lines().width).max(12)
    }

    /// Returns the page on screen: the one that was read, or the one before while it is read again.
    pub(super) fn shown(&self) -> Option<&Shared<OpenPage>> {
        self.page.there().or(self.last.as_ref())
    }

    fn len(&self) -> usize {
        self.laid.as_ref().map_or(0, |laid| laid.0.layout.lines.len())
    }

    fn last_offset(&self, cx: &Context) -> usize {
        self.len().saturating_sub(self.height(cx))
    }

    fn ask_site(&mut self, is_again: bool, cx: &Context) -> Vec<Effect> {
        let generation = cx.next_generation();
        self.site = Asked::Waiting(generation);
        let question = DocsQuestion::Open { entity: self.entity.clone(), is_again };
        vec![Effect::Docs { generation, question }]
    }

    fn ask_page(&mut self, site: &Shared<Site>, cx: &Context) -> Vec<Effect> {
        let generation = cx.next_generation();
        if let Asked::There(page) = std::mem::take(&mut self.page) {
            self.last = Some(page);
        }
        self.page = Asked::Waiting(generation);
        let question = DocsQuestion::Page {
            site: site.clone(),
            path: self.path.clone(),
            width: self.width(cx),
            view: self.view.clone(),
        };
        vec![Effect::Docs { generation, question }]
    }

    fn ask_layout(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(page) = self.shown().cloned() else { return Vec::new() };
        let generation = cx.next_generation();
        self.layout = Some(generation);
        let question = DocsQuestion::Layout { page, width: self.width(cx), view: self.view.clone() };
        vec![Effect::Docs { generation, question }]
    }

    /// Asks for the colours of code that is visible, or soon will be.
    fn ask_colours(&mut self, cx: &Context) -> Vec<Effect> {
        let (Some(page), Some(laid)) = (self.page.there(), &self.laid) else { return Vec::new() };
        let height = self.height(cx);
        let lines = self.offset.saturating_sub(height)..self.offset + 2 * height;
        let mut texts = laid.0.layout.code_in(lines);
        texts.retain(|text| !self.highlights.has(*text));
        if texts.is_empty() || self.coloured.is_some() {
            return Vec::new();
        }
        let generation = cx.next_generation();
        let question = DocsQuestion::Highlight { page: page.clone(), texts };
        self.coloured = Some(generation);
        vec![Effect::Docs { generation, question }]
    }

    fn ask_search(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(page) = self.page.there().cloned() else { return Vec::new() };
        if self.search.is_empty() {
            self.hits.clear();
            return Vec::new();
        }
        let generation = cx.next_generation();
        self.found = Some(generation);
        let typed = self.search.text().to_owned();
        vec![Effect::Docs { generation, question: DocsQuestion::Find { page, typed } }]
    }

    fn renew_rows(&mut self) {
        if let Some(site) = self.site.there() {
            self.rows = contents::rows(&site.0, &self.folded);
        }
    }

    /// Puts the cursor of the list of pages on the page that is open.
    fn show_current(&mut self, cx: &Context) {
        let at = self.rows.iter().position(|row| match &row.kind {
            RowKind::Page(path) | RowKind::Record { path, .. } => *path == self.path,
            _ => false,
        });
        let height = self.side_height(cx, Region::Pages);
        if let Some(at) = at {
            self.pages.select(at, self.rows.len(), height);
        }
    }

    fn side_height(&self, cx: &Context, region: Region) -> usize {
        let areas = Areas::of(cx.area, region, self.is_alone);
        let area = if region == Region::Pages { areas.pages } else { areas.contents };
        usize::from(Areas::inner(area).height).max(1)
    }

    fn take(
        &mut self,
        generation: Generation,
        result: &Result<DocsAnswer, String>,
        cx: &Context,
    ) -> Vec<Effect> {
        if self.site.is_waiting_for(generation) {
            return self.take_site(result, cx);
        }
        if self.page.is_waiting_for(generation) {
            return self.take_page(result, cx);
        }
        if self.layout == Some(generation) {
            self.layout = None;
            if let Ok(DocsAnswer::Layout(laid)) = result {
                self.take_layout(laid.clone(), cx);
            }
            return self.ask_colours(cx);
        }
        if self.coloured == Some(generation) {
            self.coloured = None;
            if let Ok(DocsAnswer::Highlighted(found)) = result {
                for (text, pieces) in found {
                    self.highlights.put(*text, pieces.clone());
                }
            }
            return self.ask_colours(cx);
        }
        if self.found == Some(generation) {
            self.found = None;
            if let Ok(DocsAnswer::Found(hits)) = result {
                self.hits.clone_from(hits);
                return self.first_hit(cx);
            }
        }
        Vec::new()
    }

    fn take_site(&mut self, result: &Result<DocsAnswer, String>, cx: &Context) -> Vec<Effect> {
        match result {
            Ok(DocsAnswer::Opened { owner, site, page, .. }) => {
                self.site = Asked::There(site.clone());
                self.owner.clone_from(owner);
                self.renew_rows();
                let wanted = if self.wanted.is_empty() && self.path.is_empty() { page } else { &self.wanted };
                if self.path.is_empty() {
                    match site.0.find(wanted) {
                        Ok(path) => self.path = path,
                        Err(error) => {
                            self.page = Asked::Failed(error.to_string());
                            self.region = Region::Pages;
                            return Vec::new();
                        }
                    }
                    if self.anchor.is_none() {
                        let known = cx.reading.positions.get(&Reading::key(&self.owner, &self.path));
                        self.resume = known.map(|position| position.line);
                    }
                }
                self.show_current(cx);
                let site = site.clone();
                self.ask_page(&site, cx)
            }
            Ok(_) => {
                self.site = Asked::Failed("the answer was of another kind than asked for".to_owned());
                Vec::new()
            }
            Err(why) => {
                self.site = Asked::Failed(why.clone());
                Vec::new()
            }
        }
    }

    fn take_page(&mut self, result: &Result<DocsAnswer, String>, cx: &Context) -> Vec<Effect> {
        match result {
            Ok(DocsAnswer::Page(page, laid)) => {
                let line = self.current_line();
                self.page = Asked::There(page.clone());
                let is_again = self.last.take().is_some();
                self.highlights = Highlights::default();
                self.coloured = None;
                let resume = self.resume.take().or_else(|| line.filter(|_| is_again));
                self.laid = Some(laid.clone());
                if let Some(anchor) = self.anchor.take() {
                    match laid.0.layout.line_of_anchor(&page.0.page, &anchor) {
                        Some(line) => self.offset = line.min(self.last_offset(cx)),
                        None => {
                            let text = format!("this page has no heading `#{anchor}`");
                            let mut effects = vec![Effect::Toast(Level::Error, text)];
                            effects.extend(self.ask_colours(cx));
                            return effects;
                        }
                    }
                } else if let Some(line) = resume {
                    self.go_to_source(line, cx);
                }
                self.follow_contents(cx);
                let mut effects = self.ask_colours(cx);
                if !self.search.is_empty() {
                    effects.extend(self.ask_search(cx));
                }
                effects
            }
            Ok(_) => {
                self.page = Asked::Failed("the answer was of another kind than asked for".to_owned());
                Vec::new()
            }
            Err(why) => {
                self.page = Asked::Failed(why.clone());
                self.last = None;
                Vec::new()
            }
        }
    }

    /// Takes a new layout; what was at the top stays there.
    fn take_layout(&mut self, laid: Shared<Laid>, cx: &Context) {
        let place = self.laid.as_ref().and_then(|old| old.0.layout.place_of(self.offset));
        let is_top = self.offset == 0;
        self.laid = Some(laid);
        if let (Some((text, at)), false) = (place, is_top)
            && let Some(laid) = &self.laid
            && let Some(line) = laid.0.layout.line_at(text, at)
        {
            self.offset = line;
        }
        if let (Some(hit), Some(laid)) = (self.hits.get(self.at_hit), &self.laid)
            && self.is_searching
            && let Some(line) = laid.0.layout.line_of_hit(hit)
        {
            self.offset = line.saturating_sub(self.height(cx) / 3);
        }
        self.offset = self.offset.min(self.last_offset(cx));
        self.follow_contents(cx);
    }

    /// Returns the source line at the top.
    fn current_line(&self) -> Option<u32> {
        let (page, laid) = (self.shown()?, self.laid.as_ref()?);
        Some(page.0.source_line(&laid.0.layout, self.offset))
    }

    fn go_to_source(&mut self, line: u32, cx: &Context) {
        let (Some(page), Some(laid)) = (self.shown(), &self.laid) else { return };
        let lines = &laid.0.layout.lines;
        let found = (0..lines.len()).find(|at| page.0.source_line(&laid.0.layout, *at) >= line);
        self.offset = found.unwrap_or(0).min(self.last_offset(cx));
    }

    /// Returns the number of the heading that the top of the screen is under.
    pub(super) fn current_heading(&self) -> Option<usize> {
        let laid = self.laid.as_ref()?;
        // a heading a line or two below the top is the one that is being read
        laid.0.headings.iter().rposition(|line| *line <= self.offset + 2)
    }

    fn follow_contents(&mut self, cx: &Context) {
        if self.region == Region::Contents {
            return;
        }
        let count = self.shown().map_or(0, |page| page.0.page.headings.len());
        let height = self.side_height(cx, Region::Contents);
        self.contents.select(self.current_heading().unwrap_or(0), count, height);
    }

    fn scroll_to(&mut self, line: usize, cx: &Context) {
        self.offset = line.min(self.last_offset(cx));
        self.follow_contents(cx);
    }

    fn movement(&mut self, command: CommandId, cx: &Context) -> bool {
        let height = self.height(cx);
        let last = self.last_offset(cx);
        let offset = match command {
            id::DOWN => self.offset + 1,
            id::UP => self.offset.saturating_sub(1),
            id::TOP => 0,
            id::BOTTOM => last,
            id::HALF_DOWN => self.offset + height / 2,
            id::HALF_UP => self.offset.saturating_sub(height / 2),
            id::PAGE_DOWN | id::TEXT_PAGE_DOWN => self.offset + height.saturating_sub(1).max(1),
            id::PAGE_UP | id::TEXT_PAGE_UP => self.offset.saturating_sub(height.saturating_sub(1).max(1)),
            _ => return false,
        };
        self.scroll_to(offset, cx);
        true
    }

    fn sideways(&mut self, by: isize, cx: &Context) {
        let widest = self.laid.as_ref().map_or(0, |laid| laid.0.widest);
        let last = widest.saturating_sub(self.width(cx));
        self.column = self.column.saturating_add_signed(by * STEP as isize).min(last);
    }

    /// Moves the focus to the next link, details or tabs.
    fn step_focus(&mut self, by: isize, cx: &Context) {
        let Some(laid) = self.laid.clone() else { return };
        let things = &laid.0.things;
        let height = self.height(cx);
        let seen = self.offset..self.offset + height;
        let at = self.focused.and_then(|focused| things.iter().position(|placed| placed.thing == focused));
        let at = at.filter(|at| things.get(*at).is_some_and(|placed| seen.contains(&placed.line)));
        let next = match (at, by > 0) {
            (Some(at), _) => at.checked_add_signed(by),
            (None, true) => things.iter().position(|placed| placed.line >= self.offset),
            (None, false) => things.iter().rposition(|placed| placed.line < self.offset + height),
        };
        let Some(placed) = next.and_then(|next| things.get(next)) else { return };
        self.focused = Some(placed.thing);
        if !seen.contains(&placed.line) {
            self.scroll_to(placed.line.saturating_sub(height / 3), cx);
        }
    }

    fn show_labels(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(laid) = &self.laid else { return Vec::new() };
        let seen = self.offset..self.offset + self.height(cx);
        let labels = Labels::new(laid.0.things.iter().filter(|placed| seen.contains(&placed.line)).copied());
        if labels.items.is_empty() {
            return vec![Effect::Toast(Level::Info, "no link is visible".to_owned())];
        }
        self.labels = Some(labels);
        self.region = Region::Text;
        Vec::new()
    }

    fn act(&mut self, thing: Thing, cx: &Context) -> Vec<Effect> {
        self.focused = Some(thing);
        match thing {
            Thing::Link(link) => {
                let target = self.shown().and_then(|page| page.0.targets.get(link.0 as usize)).cloned();
                let is_note = self
                    .shown()
                    .and_then(|page| page.0.page.link(link))
                    .is_some_and(|link| link.kind == LinkKind::Footnote);
                match target {
                    Some(target) => self.follow(&target, is_note, cx),
                    None => Vec::new(),
                }
            }
            Thing::Fold(block) => {
                let written = self.shown().is_some_and(|page| {
                    let mut is_open = false;
                    page.0.page.visit(|found| {
                        if let (true, BlockKind::Admonition(details)) = (found.id == block, &found.kind) {
                            is_open = details.fold == Some(true);
                        }
                    });
                    is_open
                });
                let is_open = self.view.open.get(&block).copied().unwrap_or(written);
                self.view.open.insert(block, !is_open);
                self.ask_layout(cx)
            }
            Thing::Tabs(block) => {
                let Some(page) = self.shown() else { return Vec::new() };
                let (mut count, mut chosen) = (0, 0);
                page.0.page.visit(|found| {
                    if let (true, BlockKind::Tabs(tabs)) = (found.id == block, &found.kind) {
                        count = tabs.len();
                        chosen = tabs.iter().position(|tab| tab.selected).unwrap_or(0);
                    }
                });
                if count > 0 {
                    let now = self.view.tabs.get(&block).copied().unwrap_or(chosen);
                    self.view.tabs.insert(block, (now + 1) % count);
                }
                self.ask_layout(cx)
            }
        }
    }

    fn follow(&mut self, target: &Target, is_note: bool, cx: &Context) -> Vec<Effect> {
        match target {
            Target::Page { path, anchor } if *path == self.path => {
                let line = self.shown().zip(self.laid.as_ref()).and_then(|(page, laid)| match anchor {
                    Some(anchor) => laid.0.layout.line_of_anchor(&page.0.page, anchor),
                    None => Some(0),
                });
                match line {
                    Some(line) => {
                        self.jumps.push(self.offset);
                        let line = if is_note { line.saturating_sub(self.height(cx) / 2) } else { line };
                        self.scroll_to(line, cx);
                        Vec::new()
                    }
                    None => {
                        let anchor = anchor.as_deref().unwrap_or_default();
                        broken(&format!("this page has no heading `#{anchor}`"))
                    }
                }
            }
            Target::Page { path, anchor } => self.go(path, anchor.as_deref()),
            Target::File(file) => self.go(file, None),
            Target::Entity(entity) if cx.entity(entity).is_none() => {
                broken(&format!("there is no entity `{entity}`"))
            }
            Target::Entity(entity) => vec![Effect::Open(Place::entity(entity.clone()))],
            Target::Docs { entity, .. } if cx.entity(entity).is_none() => {
                broken(&format!("there is no entity `{entity}`"))
            }
            Target::Docs { entity, page, anchor } => {
                let anchor = anchor.as_ref().map(|anchor| format!("#{anchor}")).unwrap_or_default();
                vec![Effect::Open(Place::with(DOCS, format!("{entity} {page}{anchor}").trim().to_owned()))]
            }
            Target::Web(url) => vec![Effect::OpenUrl(url.clone())],
            Target::Unresolved(why) => broken(&why.to_string()),
        }
    }

    fn go(&self, path: &str, anchor: Option<&str>) -> Vec<Effect> {
        let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        vec![Effect::Open(Place::with(DOCS, format!("{} {path}{anchor}", self.entity)))]
    }

    fn open_focused(&mut self, cx: &Context) -> Vec<Effect> {
        match self.region {
            Region::Text => match self.focused {
                Some(thing) => self.act(thing, cx),
                None => Vec::new(),
            },
            Region::Contents => {
                let line =
                    self.laid.as_ref().and_then(|laid| laid.0.headings.get(self.contents.cursor)).copied();
                if let Some(line) = line {
                    self.region = Region::Text;
                    self.jumps.push(self.offset);
                    self.scroll_to(line, cx);
                }
                Vec::new()
            }
            Region::Pages => {
                let Some(row) = self.rows.get(self.pages.cursor).cloned() else { return Vec::new() };
                match row.kind {
                    RowKind::Page(path) | RowKind::Record { path, .. } => {
                        self.region = Region::Text;
                        if path == self.path { Vec::new() } else { self.go(&path, None) }
                    }
                    RowKind::Section(number, is_folded) => {
                        if is_folded {
                            self.folded.remove(&number);
                        } else {
                            self.folded.insert(number);
                        }
                        self.renew_rows();
                        let height = self.side_height(cx, Region::Pages);
                        self.pages.clamp(self.rows.len(), height);
                        Vec::new()
                    }
                    RowKind::Link(url) => vec![Effect::OpenUrl(url)],
                    RowKind::Missing => {
                        broken(&format!("the page `{}` of the navigation is not there", row.title))
                    }
                    RowKind::Title => Vec::new(),
                }
            }
        }
    }

    fn neighbour(&self, by: isize) -> Option<String> {
        let (before, after) = self.site.there()?.0.neighbours(&self.path);
        let page = if by < 0 { before } else { after };
        page.map(|page| page.path.clone())
    }

    fn first_hit(&mut self, cx: &Context) -> Vec<Effect> {
        let line_of = |hit: &Hit| self.laid.as_ref().and_then(|laid| laid.0.layout.line_of_hit(hit));
        // the first that is not above what is on screen
        let at = self.hits.iter().position(|hit| line_of(hit).is_some_and(|line| line >= self.offset));
        self.at_hit = at.unwrap_or(0);
        self.show_hit(cx)
    }

    fn step_hit(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        if self.hits.is_empty() {
            return Vec::new();
        }
        self.at_hit = (self.at_hit as isize + by).rem_euclid(self.hits.len() as isize) as usize;
        self.show_hit(cx)
    }

    /// Scrolls to the hit; opens what it is folded away in.
    fn show_hit(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(hit) = self.hits.get(self.at_hit).copied() else { return Vec::new() };
        let Some(laid) = self.laid.clone() else { return Vec::new() };
        match laid.0.layout.line_of_hit(&hit) {
            Some(line) => {
                let height = self.height(cx);
                if !(self.offset..self.offset + height).contains(&line) {
                    self.scroll_to(line.saturating_sub(height / 3), cx);
                }
                self.ask_colours(cx)
            }
            None => {
                let Some(page) = self.page.there().cloned() else { return Vec::new() };
                reveal(&page.0.page, hit.text, &mut self.view);
                self.ask_layout(cx)
            }
        }
    }

    /// Returns the link to what is being read: `docs component:default/checkout runbook.md#rollback`.
    fn link(&self) -> String {
        let anchor = self.anchor_here().map(|anchor| format!("#{anchor}")).unwrap_or_default();
        format!("docs {} {}{anchor}", self.entity, self.path)
    }

    fn anchor_here(&self) -> Option<String> {
        let page = self.shown()?;
        let heading = self.current_heading().and_then(|at| page.0.page.headings.get(at))?;
        (heading.level > 1).then(|| heading.anchor.clone())
    }

    fn copy_menu(&self, cx: &Context) -> Vec<Effect> {
        let Some(page) = self.shown() else { return Vec::new() };
        let copy = |what: &str, text: String| vec![Effect::Copy { what: what.to_owned(), text }];
        let mut items = vec![Item::new("place", copy("place", self.link())).detail(self.link())];
        if let Some(web) = &page.0.web {
            items.push(Item::new("web address", copy("address", web.clone())).detail(web.as_str()));
        }
        if let Some(Thing::Link(link)) = self.focused
            && let Some(link) = page.0.page.link(link)
        {
            items.push(Item::new("focused link", copy("link", link.to.clone())).detail(link.to.as_str()));
        }
        let visible = self.visible_text(cx);
        items.push(Item::new("visible text", copy("visible text", visible)));
        items.push(Item::new("page as Markdown", copy("Markdown", page.0.source.text.clone())));
        for number in 1..=page.0.page.code.len().min(500) as u32 {
            let Some(code) = page.0.page.code(number) else { continue };
            let first = code.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim().to_owned();
            items.push(
                Item::new(
                    format!("code block {number}"),
                    copy(&format!("code block {number}"), code.to_owned()),
                )
                .detail(first),
            );
        }
        vec![Effect::Show(Overlay::new(OverlayKind::Menu, "copy what?", Mode::Typing, items))]
    }

    fn visible_text(&self, cx: &Context) -> String {
        let Some(laid) = &self.laid else { return String::new() };
        let last = (self.offset + self.height(cx)).min(laid.0.layout.lines.len());
        let lines: Vec<String> = (self.offset..last).map(|line| laid.0.layout.line_text(line)).collect();
        lines.join("\n")
    }

    fn edit(&self) -> Vec<Effect> {
        let Some(page) = self.shown() else { return Vec::new() };
        match &page.0.edit {
            Some(Edit::File(path)) => {
                let line = self.current_line().unwrap_or(1);
                let (_, line, _) = page.0.source.map.place(line, 1);
                vec![Effect::Edit { path: path.display().to_string(), line, column: 1 }]
            }
            Some(Edit::Url(url)) => vec![Effect::OpenUrl(url.clone())],
            None => Vec::new(),
        }
    }

    fn browse(&mut self, cx: &Context) -> Vec<Effect> {
        if let (Some(Thing::Link(link)), Some(page)) = (self.focused, self.shown())
            && let Some(target @ Target::Web(_)) = page.0.targets.get(link.0 as usize).cloned()
        {
            return self.follow(&target, false, cx);
        }
        self.web().map(|url| vec![Effect::OpenUrl(url)]).unwrap_or_default()
    }

    /// Returns an address of the page for a browser.
    fn web(&self) -> Option<String> {
        let page = self.shown()?;
        page.0.web.clone().or_else(|| match &page.0.edit {
            Some(Edit::Url(url)) => Some(url.clone()),
            _ => None,
        })
    }

    fn bookmark(&self, cx: &Context) -> Vec<Effect> {
        let anchor = self.anchor_here();
        let page = match &anchor {
            Some(anchor) => format!("{}#{anchor}", self.path),
            None => self.path.clone(),
        };
        let site = self.site.there().map_or("", |site| site.0.name.as_str());
        let heading = self.shown().zip(self.current_heading());
        let heading =
            heading.and_then(|(page, at)| page.0.page.headings.get(at)).map(|heading| heading.text.as_str());
        let title = match heading {
            Some(heading) if heading != site => format!("{site}: {heading}"),
            _ => site.to_owned(),
        };
        let is_set =
            !cx.reading.bookmarks.iter().any(|known| known.entity == self.entity && known.page == page);
        let said = if is_set { format!("marked {title}") } else { format!("took the mark off {title}") };
        let bookmark = Bookmark { entity: self.entity.clone(), page, title };
        vec![Effect::Remember(Memory::Bookmark { bookmark, is_set }), Effect::Toast(Level::Ok, said)]
    }

    fn again(&mut self, cx: &Context) -> Vec<Effect> {
        self.ask_site(true, cx)
    }

    fn step_region(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        const ORDER: [Region; 3] = [Region::Pages, Region::Text, Region::Contents];
        let at = ORDER.iter().position(|region| *region == self.region).unwrap_or(1) as isize;
        let next = (at + by).rem_euclid(ORDER.len() as isize) as usize;
        self.region = ORDER.get(next).copied().unwrap_or_default();
        if self.region == Region::Pages {
            self.show_current(cx);
        }
        Vec::new()
    }

    fn fold_all(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(page) = self.shown().cloned() else { return Vec::new() };
        let mut folds = Vec::new();
        page.0.page.visit(|block| {
            if let BlockKind::Admonition(details) = &block.kind
                && let Some(is_open) = details.fold
            {
                folds.push((block.id, is_open));
            }
        });
        let is_any_shut = folds.iter().any(|(block, written)| !self.view.open.get(block).unwrap_or(written));
        for (block, _) in folds {
            self.view.open.insert(block, is_any_shut);
        }
        self.ask_layout(cx)
    }

    fn next_tab(&mut self, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        let visible = self.laid.as_ref().and_then(|laid| {
            let seen = self.offset..self.offset + height;
            let is_tabs = |thing: Thing| matches!(thing, Thing::Tabs(_));
            let focused = self.focused.filter(|thing| is_tabs(*thing));
            let mut tabs =
                laid.0.things.iter().filter(|placed| is_tabs(placed.thing) && seen.contains(&placed.line));
            tabs.clone()
                .find(|placed| Some(placed.thing) == focused)
                .or_else(|| tabs.next())
                .map(|placed| placed.thing)
        });
        match visible {
            Some(thing) => self.act(thing, cx),
            None => Vec::new(),
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            OPEN | id::OPEN => return self.open_focused(cx),
            LABELS => return self.show_labels(cx),
            NEXT_LINK => self.step_focus(1, cx),
            PREVIOUS_LINK => self.step_focus(-1, cx),
            NEXT_PAGE => return self.neighbour(1).map(|path| self.go(&path, None)).unwrap_or_default(),
            PREVIOUS_PAGE => return self.neighbour(-1).map(|path| self.go(&path, None)).unwrap_or_default(),
            NEXT_TAB => return self.next_tab(cx),
            FOLD_ALL => return self.fold_all(cx),
            EDIT => return self.edit(),
            BROWSE => return self.browse(cx),
            COPY => return vec![Effect::Copy { what: "place".to_owned(), text: self.link() }],
            COPY_WHAT => return self.copy_menu(cx),
            BOOKMARK => return self.bookmark(cx),
            AGAIN => return self.again(cx),
            NUMBERS => {
                self.view.numbers = !self.view.numbers;
                return self.ask_layout(cx);
            }
            id::WRAP => {
                self.view.wrap = !self.view.wrap;
                self.column = 0;
                return self.ask_layout(cx);
            }
            id::LEFT => self.sideways(-1, cx),
            id::RIGHT => self.sideways(1, cx),
            id::SEARCH => {
                self.is_searching = true;
                self.region = Region::Text;
                self.search = LineInput::default();
                self.hits.clear();
            }
            id::NEXT => return self.step_hit(1, cx),
            id::PREVIOUS => return self.step_hit(-1, cx),
            id::SAVE_TEXT => {
                let text = self.shown().map(|page| page.0.source.text.clone()).unwrap_or_default();
                let name = self.path.rsplit('/').next().unwrap_or("page.md").to_owned();
                return vec![Effect::SaveText { name, text }];
            }
            id::REGION_NEXT => return self.step_region(1, cx),
            id::REGION_PREVIOUS => return self.step_region(-1, cx),
            id::LAYOUT => {
                self.is_alone = !self.is_alone;
                return self.ask_layout(cx);
            }
            id::PREVIEW_DOWN => drop(self.movement(id::DOWN, cx)),
            id::PREVIEW_UP => drop(self.movement(id::UP, cx)),
            command => match self.region {
                Region::Text => {
                    self.movement(command, cx);
                }
                Region::Pages => {
                    let height = self.side_height(cx, Region::Pages);
                    self.pages.command(command, self.rows.len(), height);
                }
                Region::Contents => {
                    let count = self.shown().map_or(0, |page| page.0.page.headings.len());
                    let height = self.side_height(cx, Region::Contents);
                    if self.contents.command(command, count, height) {
                        let line =
                            self.laid.as_ref().and_then(|laid| laid.0.headings.get(self.contents.cursor));
                        let line = line.copied().unwrap_or(0);
                        self.offset = line.min(self.last_offset(cx));
                    }
                }
            },
        }
        self.ask_colours(cx)
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let by: isize = match mouse.kind {
            MouseKind::ScrollUp => -3,
            MouseKind::ScrollDown => 3,
            MouseKind::Click | MouseKind::DoubleClick => 0,
        };
        if areas.pages.contains(at) {
            let inner = if areas.is_split() { Areas::inner(areas.pages) } else { areas.pages };
            let height = usize::from(inner.height);
            if by != 0 {
                self.pages.scroll(by, self.rows.len(), height);
            } else if inner.contains(at) {
                self.region = Region::Pages;
                let row = self.pages.offset + usize::from(mouse.row - inner.y);
                if row < self.rows.len() {
                    self.pages.select(row, self.rows.len(), height);
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open_focused(cx);
                    }
                }
            }
            return Vec::new();
        }
        if areas.contents.contains(at) {
            let inner = if areas.is_split() { Areas::inner(areas.contents) } else { areas.contents };
            if by == 0 && inner.contains(at) {
                let row = self.contents.offset + usize::from(mouse.row - inner.y);
                let line = self.laid.as_ref().and_then(|laid| laid.0.headings.get(row)).copied();
                if let Some(line) = line {
                    self.scroll_to(line, cx);
                }
            }
            return self.ask_colours(cx);
        }
        if by != 0 {
            self.scroll_to(self.offset.saturating_add_signed(by), cx);
            return self.ask_colours(cx);
        }
        let lines = areas.lines();
        self.region = Region::Text;
        if !lines.contains(at) {
            return Vec::new();
        }
        let line = self.offset + usize::from(mouse.row - lines.y);
        let column = usize::from(mouse.column - lines.x);
        let hit = self.laid.as_ref().and_then(|laid| {
            let placed = laid.0.things.iter().filter(|placed| placed.line == line);
            placed.rev().find(|placed| placed.column <= column).map(|placed| placed.thing)
        });
        match hit {
            Some(thing) if mouse.kind == MouseKind::DoubleClick => self.act(thing, cx),
            hit => {
                self.focused = hit.or(self.focused);
                Vec::new()
            }
        }
    }

    fn label_key(&mut self, key: Key, cx: &Context) -> Vec<Effect> {
        let Some(labels) = &mut self.labels else { return Vec::new() };
        let typed = key.typed().map(|letter| labels.typed(letter));
        match typed {
            Some(Ok(None)) => Vec::new(),
            Some(Ok(Some(thing))) => {
                self.labels = None;
                self.act(thing, cx)
            }
            // any other key takes the labels away
            _ => {
                self.labels = None;
                Vec::new()
            }
        }
    }
}

fn broken(why: &str) -> Vec<Effect> {
    vec![Effect::Toast(Level::Error, format!("broken link: {why}"))]
}

impl Pane for Reader {
    fn spec(&self) -> &'static PaneSpec {
        &READER
    }

    fn place(&self) -> Place {
        let page = if self.path.is_empty() { self.wanted.as_str() } else { self.path.as_str() };
        Place::with(DOCS, format!("{} {page}", self.entity).trim().to_owned())
    }

    fn heading(&self, _: &Context) -> Heading {
        let mut crumbs = vec!["Docs".to_owned()];
        let mut facts = Vec::new();
        if let Some(site) = self.site.there() {
            crumbs.push(site.0.name.clone());
            if !self.path.is_empty() {
                crumbs.extend(site.0.sections_of(&self.path));
                let title = site.0.title_of(&self.path);
                if crumbs.last() != Some(&title) {
                    crumbs.push(title);
                }
            }
            if let Some(stale) = &site.0.stale {
                facts.push(format!("~ {stale}"));
            }
        } else {
            crumbs.push(crate::ui::entity_lines::short_ref(&self.entity));
        }
        let cursor = if self.is_searching { "_" } else { "" };
        let filter = (self.is_searching || !self.search.is_empty()).then(|| {
            let at = if self.hits.is_empty() { 0 } else { self.at_hit + 1 };
            format!("{}{cursor} {at}/{}", self.search.text(), self.hits.len())
        });
        let count = match self.len() {
            0 => String::new(),
            len => format!("{}%", (self.offset + 1).min(len) * 100 / len),
        };
        Heading { crumbs, filter, count, facts, is_live: true, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                if matches!(self.site, Asked::Not) || std::mem::take(&mut self.is_old) {
                    return self.ask_site(false, cx);
                }
                let is_fitting = self.laid.as_ref().is_none_or(|laid| laid.0.layout.width == self.width(cx));
                if !is_fitting {
                    return self.ask_layout(cx);
                }
                self.follow_contents(cx);
                return self.ask_colours(cx);
            }
            Input::CatalogChanged => {}
            Input::Command(command) => return self.command(command, cx),
            Input::Choice(..) => {}
            Input::Paste(text) => {
                if self.is_searching {
                    self.search.paste(text);
                    return self.ask_search(cx);
                }
            }
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::Task(TaskEvent::Docs { generation, result }) => return self.take(*generation, result, cx),
            Input::Task(TaskEvent::EditorClosed) => return self.again(cx),
            Input::Task(_) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        if self.labels.is_some() {
            return Some(self.label_key(key, cx));
        }
        match key.code {
            KeyCode::Enter => self.is_searching = false,
            KeyCode::Esc => {
                self.is_searching = false;
                self.search = LineInput::default();
                self.hits.clear();
            }
            _ if self.search.key(key) => return Some(self.ask_search(cx)),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.is_searching || self.labels.is_some()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if !self.search.is_empty() {
            self.search = LineInput::default();
            self.hits.clear();
        } else if self.region != Region::Text {
            self.region = Region::Text;
        } else if self.focused.take().is_some() {
            // the focus alone is one step
        } else if let Some(offset) = self.jumps.pop() {
            self.scroll_to(offset, cx);
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let no_page = || Availability::no("no page is open");
        match command {
            id::OPEN => return Availability::no("`enter` follows what is focused"),
            OPEN if self.region == Region::Text && self.focused.is_none() => {
                return Availability::no("nothing is focused; `.` focuses the next link, `F` labels them");
            }
            LABELS | NEXT_LINK | PREVIOUS_LINK
                if self.laid.as_ref().is_none_or(|laid| laid.0.things.is_empty()) =>
            {
                return Availability::no("this page has no links");
            }
            NEXT_PAGE if self.neighbour(1).is_none() => return Availability::no("this is the last page"),
            PREVIOUS_PAGE if self.neighbour(-1).is_none() => {
                return Availability::no("this is the first page");
            }
            NEXT_TAB => {
                let height = self.height(cx);
                let seen = self.offset..self.offset + height;
                let is_any = self.laid.as_ref().is_some_and(|laid| {
                    let is_tabs = |thing: Thing| matches!(thing, Thing::Tabs(_));
                    laid.0.things.iter().any(|placed| is_tabs(placed.thing) && seen.contains(&placed.line))
                });
                if !is_any {
                    return Availability::no("no tabs are visible");
                }
            }
            EDIT if self.shown().is_none() => return no_page(),
            EDIT if self.shown().is_some_and(|page| page.0.edit.is_none()) => {
                return Availability::no(
                    "the page is no file on this machine, and nobody says where it is edited",
                );
            }
            BROWSE => {
                let is_web = match (self.focused, self.shown()) {
                    (Some(Thing::Link(link)), Some(page)) => {
                        matches!(page.0.targets.get(link.0 as usize), Some(Target::Web(_)))
                    }
                    _ => false,
                };
                if !is_web && self.web().is_none() {
                    return Availability::no("no address of this page is known; focus a link");
                }
            }
            COPY | COPY_WHAT | BOOKMARK | NUMBERS | FOLD_ALL | id::WRAP | id::SEARCH | id::SAVE_TEXT
                if self.shown().is_none() =>
            {
                return no_page();
            }
            id::NEXT | id::PREVIOUS if self.hits.is_empty() => {
                return Availability::no("nothing was searched or found");
            }
            id::LEFT | id::RIGHT if self.laid.as_ref().is_none_or(|laid| laid.0.widest == 0) => {
                return Availability::no("nothing on this page is wider than the text");
            }
            id::LAYOUT if !Areas::of(cx.area, Region::Text, false).is_split() => {
                return Availability::no("there is room for one region");
            }
            _ => {}
        }
        Availability::Available
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if let (Some(Thing::Link(link)), Some(page)) = (self.focused, self.shown())
            && let Some(Target::Entity(entity) | Target::Docs { entity, .. }) =
                page.0.targets.get(link.0 as usize)
        {
            return vec![Subject::entity(cx, entity)];
        }
        vec![Subject::entity(cx, &self.entity)]
    }

    fn memory(&self, _: &Context) -> Option<Memory> {
        let line = if self.offset == 0 { 1 } else { self.current_line()? };
        self.page.there()?;
        Some(Memory::Position { entity: self.owner.clone(), page: self.path.clone(), line })
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        super::draw::draw(self, cx, area, buf);
    }
}
