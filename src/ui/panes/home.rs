//! Home: what needs me, what is mine, where I was; the place the program starts at.
//!
//! One list of rows in sections, in one to three columns by width. Counting over the whole catalog is
//! done by the filter on the pool: its facets are the numbers shown here. Nothing is drawn that leads
//! nowhere: every number opens what it counts.

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::{Effect, Generation, Matches, Sort, SortKey, TaskEvent};
use crate::app::input::{Mouse, MouseKind};
use crate::app::palette;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{ENTITY, Place};
use crate::app::subject::Subject;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Role;
use crate::diagnostic::{Diagnostic, Severity};
use crate::kubernetes::health::{Health, Healths, Word};
use crate::ui::entity_lines::{health_sign, kind_words, name_cell, problem_cell, short_ref};
use crate::ui::text::{Line, put, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{SectionList, Sections};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Opens Home.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.home"),
    "home",
    "What needs me: problems, mine, starred, recent places",
    &["1"],
    0,
);
/// Starts filtering the catalog from here.
const SEARCH: CommandId = CommandId("home.search");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "home",
    title: "Home",
    help: "What needs me: problems, mine, starred, recent places",
    aliases: &["start"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[CommandSpec::new(SEARCH, "search", "Filter all entities of the catalog", &["/"], 20)],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |_, cx| Ok(Box::new(HomePane::new(cx))),
};

/// Widths from which there are two and three columns.
const COLUMNS: [u16; 2] = [100, 180];
/// Rows of a section before it says how many more there are.
const MOST: usize = 6;
/// Kinds that what is mine is counted by; on a small screen the list below matters more.
const MOST_KINDS: usize = 4;

/// A row: what `enter` does and what the other commands act on.
struct Entry {
    effects: Vec<Effect>,
    subject: Option<Subject>,
}

#[derive(Default)]
struct Column {
    list: SectionList,
    entries: Vec<Entry>,
}

/// Builds one column: sections with their entries.
#[derive(Default)]
struct Draft {
    sections: Sections,
    entries: Vec<Entry>,
}

impl Draft {
    fn row(&mut self, key: String, line: Line, note: Line, effects: Vec<Effect>, subject: Option<Subject>) {
        self.sections.row(key, line, note);
        self.entries.push(Entry { effects, subject });
    }

    /// A row that leads to everything of its section.
    fn more(&mut self, key: &str, words: String, place: Place) {
        self.row(format!("more {key}"), vec![span(words, Role::Link)], Vec::new(), open(place), None);
    }

    fn hint(&mut self, text: impl Into<String>) {
        self.sections.text(vec![span(text, Role::Dim)]);
    }
}

fn open(place: Place) -> Vec<Effect> {
    vec![Effect::Open(place)]
}

/// Adds one section to a column.
type Section = fn(&HomePane, &Context, &mut Draft);

/// State of the pane.
struct HomePane {
    columns: Vec<Column>,
    focus: usize,
    /// Answer to the filter without terms: numbers over everything.
    all: (Generation, Option<Arc<Matches>>),
    /// Answer to `is:mine`.
    mine: (Generation, Option<Arc<Matches>>),
    /// Lines above the columns.
    banner: Vec<(String, Role)>,
    /// How services were when the rows were made.
    health: Arc<Healths>,
}

impl HomePane {
    fn new(cx: &Context) -> Self {
        let mut pane = Self {
            columns: Vec::new(),
            focus: 0,
            all: (Generation::default(), None),
            mine: (Generation::default(), None),
            banner: Vec::new(),
            health: Arc::default(),
        };
        pane.rebuild(cx);
        pane
    }

    /// Asks for the numbers over this snapshot.
    fn request(&mut self, cx: &Context) -> Vec<Effect> {
        self.all.0 = cx.next_generation();
        self.mine.0 = cx.next_generation();
        // mine begins with what is wrong
        let sort = |key| Sort { key, is_descending: false };
        let filter = |generation, text: &str, key| Effect::Filter {
            generation,
            text: text.to_owned(),
            cursor: None,
            sort: sort(key),
        };
        let mut effects = vec![filter(self.all.0, "", SortKey::Name)];
        if cx.me.principal.user.is_some() {
            effects.push(filter(self.mine.0, "is:mine", SortKey::Problems));
        }
        effects
    }

    fn task(&mut self, task: &TaskEvent, cx: &Context) {
        let TaskEvent::Filtered { generation, result: Ok(matches) } = task else { return };
        if *generation == self.all.0 {
            self.all.1 = Some(matches.0.clone());
        } else if *generation == self.mine.0 {
            self.mine.1 = Some(matches.0.clone());
        } else {
            return;
        }
        self.rebuild(cx);
    }

    /// Makes all rows again from what is known now.
    fn rebuild(&mut self, cx: &Context) {
        self.banner = banner(cx);
        self.health = cx.kubernetes.health.clone();
        // on a small screen what needs me matters more than where it was read from
        self.banner.truncate(usize::from(cx.area.height / 4).max(1));
        let count = 1 + COLUMNS.iter().filter(|least| cx.area.width >= **least).count();
        let mut drafts: Vec<Draft> = (0..count).map(|_| Draft::default()).collect();
        // in the order of one column; the numbers say where each stands in two and in three
        let sections: [(Section, [usize; 2]); 9] = [
            (failing, [0, 0]),
            (Self::attention, [0, 0]),
            (Self::mine, [0, 1]),
            (starred, [0, 1]),
            (recent, [1, 0]),
            (Self::kinds, [1, 2]),
            (Self::systems, [1, 2]),
            (Self::teams, [1, 2]),
            (me, [1, 0]),
        ];
        for (section, columns) in sections {
            let at = if count == 1 { 0 } else { columns.get(count - 2).copied().unwrap_or(0) };
            if let Some(draft) = drafts.get_mut(at) {
                section(self, cx, draft);
            }
        }
        self.columns.resize_with(count, Column::default);
        let height = self.height(cx);
        for (column, draft) in self.columns.iter_mut().zip(drafts) {
            column.list.set(draft.sections, height);
            column.entries = draft.entries;
        }
        let is_untouched = !self.columns.iter().any(|column| column.list.was_moved());
        self.focus = if is_untouched { 0 } else { self.focus.min(count - 1) };
        if self.columns.get(self.focus).is_some_and(|column| column.list.is_empty()) {
            self.step(true);
        }
    }

    fn attention(&self, cx: &Context, draft: &mut Draft) {
        if cx.loaded_at.is_none() {
            return;
        }
        let all = cx.catalog.diagnostics();
        let (errors, warnings) = (count(all, Severity::Error), count(all, Severity::Warning));
        let total = problem_words(errors, warnings);
        let concerning = self.concerning(cx);
        let is_about_me = !concerning.is_empty();
        draft.sections.heading(
            if is_about_me { "Needs you" } else { "Needs attention" },
            if is_about_me {
                format!("{} of {}", grouped(concerning.len()), things(errors + warnings, "problem"))
            } else {
                total
            },
        );
        for source in cx.catalog.sources() {
            if let Some(error) = &source.error {
                let line = vec![
                    span(format!("{} ", Sign::Error.text(cx)), Role::Error),
                    span(format!("{}  ", source.name), Role::Text),
                    span(error.message.as_str(), Role::Dim),
                ];
                let subject = Subject::diagnostic(cx, error);
                let key = format!("source {}", source.name);
                draft.row(key, line, Vec::new(), vec![Effect::Run(id::TASKS)], Some(subject));
            }
        }
        let shown: Vec<&Diagnostic> = if is_about_me {
            concerning
        } else {
            // a source that failed has a row of its own above
            let failed: Vec<&Diagnostic> =
                cx.catalog.sources().iter().filter_map(|s| s.error.as_ref()).collect();
            let is_new =
                |problem: &&Diagnostic| problem.severity != Severity::Info && !failed.contains(problem);
            all.iter().filter(is_new).take(MOST).collect()
        };
        for (at, problem) in shown.iter().take(MOST).enumerate() {
            problem_row(cx, at, problem, draft);
        }
        let config = cx.config_diagnostics.len();
        if config > 0 {
            let words = format!("{} in the configuration", things(config, "problem"));
            draft.more("config", words, Place::with("problems", "code:config"));
        }
        if errors + warnings > shown.len().min(MOST) {
            draft.more(
                "problems",
                format!("all {}", problem_words(errors, warnings)),
                Place::new("problems"),
            );
        } else if errors + warnings + config == 0 && cx.loaded_at.is_some() {
            draft.hint(format!("{} nothing is wrong in the catalog", Sign::Ok.text(cx)));
        }
    }

    /// Problems of what I own or starred, the worst first.
    fn concerning<'a>(&self, cx: &'a Context) -> Vec<&'a Diagnostic> {
        let mine = self.mine.1.iter().filter(|matches| Arc::ptr_eq(&matches.catalog, &cx.catalog));
        let mine = mine.flat_map(|matches| matches.ids.iter().copied());
        let starred = cx.stars.iter().filter_map(|star| cx.catalog.find(star));
        let mut found: Vec<&Diagnostic> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for entity in mine.chain(starred).filter_map(|id| cx.catalog.entity(id)) {
            if (entity.is_invalid() || entity.has_warnings()) && seen.insert(entity.id()) {
                found.extend(entity.problems().filter(|problem| problem.severity != Severity::Info));
            }
        }
        found.sort_by(|a, b| (a.severity, &a.location, a.code).cmp(&(b.severity, &b.location, b.code)));
        found
    }

    fn mine(&self, cx: &Context, draft: &mut Draft) {
        if cx.me.principal.user.is_none() {
            return;
        }
        let Some(matches) = &self.mine.1 else {
            draft.sections.heading("Mine", if cx.loaded_at.is_some() { "counting" } else { "loading" });
            return;
        };
        draft.sections.heading("Mine", things_of(matches.ids.len()));
        if matches.ids.is_empty() {
            draft.hint("you and your groups own nothing in this catalog");
            return;
        }
        for (kind, number) in facet(matches, "kind").take(MOST_KINDS) {
            let place = Place::with("catalog", format!("is:mine kind:{}", kind.to_lowercase()));
            draft.row(
                format!("mine {kind}"),
                vec![span(kind, Role::Text)],
                number_note(number),
                open(place),
                None,
            );
        }
        for entity in matches.ids.iter().take(MOST).filter_map(|id| matches.catalog.entity(*id)) {
            entity_row(cx, "mine", &entity, draft);
        }
        if matches.ids.len() > MOST {
            draft.more(
                "mine",
                format!("all {}", things_of(matches.ids.len())),
                Place::with("catalog", "is:mine"),
            );
        }
    }

    fn kinds(&self, _: &Context, draft: &mut Draft) {
        let Some(matches) = &self.all.1 else { return };
        if matches.ids.is_empty() {
            return;
        }
        draft.sections.heading("Catalog", things_of(matches.ids.len()));
        for (kind, number) in facet(matches, "kind") {
            let place = Place::with("catalog", format!("kind:{}", kind.to_lowercase()));
            draft.row(
                format!("kind {kind}"),
                vec![span(kind, Role::Text)],
                number_note(number),
                open(place),
                None,
            );
        }
    }

    fn systems(&self, cx: &Context, draft: &mut Draft) {
        self.facet_section(cx, "system", "Systems", draft);
    }

    fn teams(&self, cx: &Context, draft: &mut Draft) {
        self.facet_section(cx, "owner", "Owners", draft);
    }

    /// Values of a relation facet with how many entities each has.
    fn facet_section(&self, cx: &Context, key: &'static str, title: &str, draft: &mut Draft) {
        let Some(matches) = &self.all.1 else { return };
        let values: Vec<(&str, usize)> = facet(matches, key).collect();
        if values.is_empty() {
            return;
        }
        draft.sections.heading(title, grouped(values.len()));
        for (value, number) in values.iter().take(MOST) {
            let short = short_ref(value);
            let place = Place::with("catalog", format!("{key}:{short}"));
            let subject = find(&cx.catalog, key, value).map(|canonical| Subject::entity(cx, &canonical));
            let line = vec![span(short, Role::Text)];
            draft.row(format!("{key} {value}"), line, number_note(*number), open(place), subject);
        }
    }

    fn focused(&self) -> Option<&Entry> {
        let column = self.columns.get(self.focus)?;
        column.entries.get(column.list.cursor()?)
    }

    /// The areas of the columns below the banner.
    fn areas(&self, area: Rect) -> Vec<Rect> {
        let top = (self.banner.len() as u16 + 1).min(area.height);
        let count = self.columns.len().max(1) as u16;
        let width = area.width / count;
        (0..count)
            .map(|at| {
                let is_last = at + 1 == count;
                let own = if is_last { area.width - width * at } else { width.saturating_sub(2) };
                Rect::new(area.x + width * at, area.y + top, own, area.height - top)
            })
            .collect()
    }

    fn height(&self, cx: &Context) -> usize {
        self.areas(cx.area).first().map_or(1, |area| usize::from(area.height))
    }

    fn step(&mut self, is_forward: bool) {
        let count = self.columns.len().max(1);
        for _ in 0..count {
            // one back is all but one forward
            self.focus = (self.focus + if is_forward { 1 } else { count - 1 }) % count;
            if self.columns.get(self.focus).is_some_and(|column| !column.list.is_empty()) {
                return;
            }
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.focused().map(|entry| entry.effects.clone()).unwrap_or_default(),
            SEARCH => return vec![Effect::Open(Place::new("catalog")), Effect::Run(id::FILTER)],
            id::REGION_NEXT => self.step(true),
            id::REGION_PREVIOUS => self.step(false),
            command => {
                if let Some(column) = self.columns.get_mut(self.focus) {
                    column.list.command(command, height);
                }
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (areas, height) = (self.areas(cx.area), self.height(cx));
        let at = (mouse.column, mouse.row).into();
        let Some(over) = areas.iter().position(|area| area.contains(at)) else { return Vec::new() };
        let (Some(area), Some(column)) = (areas.get(over), self.columns.get_mut(over)) else {
            return Vec::new();
        };
        match mouse.kind {
            MouseKind::ScrollUp => column.list.scroll(-3, height),
            MouseKind::ScrollDown => column.list.scroll(3, height),
            MouseKind::Click | MouseKind::DoubleClick => {
                if let Some(row) = column.list.row_at(*area, mouse.column, mouse.row) {
                    column.list.select(row, height);
                    self.focus = over;
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.command(id::OPEN, cx);
                    }
                }
            }
        }
        Vec::new()
    }
}

/// Services that are down or slow: mine first, then the worst.
fn failing(_pane: &HomePane, cx: &Context, draft: &mut Draft) {
    let is_failing = |health: &Health| matches!(health.word, Word::Down | Word::Slow);
    let failing = cx.kubernetes.health.iter().filter(|(_, health)| is_failing(health));
    let mut rows: Vec<(bool, &str, &Health)> = failing
        .filter(|(entity, _)| cx.catalog.find(entity).is_some_and(|id| cx.catalog.is_entity(id)))
        .map(|(entity, health)| (!is_mine(cx, entity), &**entity, &**health))
        .collect();
    let findings = super::findings::summary(cx);
    if rows.is_empty() && findings.is_none() {
        return;
    }
    rows.sort_by(|a, b| (a.0, a.2.word, a.1).cmp(&(b.0, b.2.word, b.1)));
    let down = rows.iter().filter(|(_, _, health)| health.word == Word::Down).count();
    let slow = rows.len() - down;
    let words = [(down, "down"), (slow, "slow")].into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = words.map(|(count, word)| format!("{} {word}", grouped(count))).collect();
    let title = if rows.is_empty() { "Findings" } else { "Failing services" };
    draft.sections.heading(title, words.join(", "));
    for &(_, entity, health) in rows.iter().take(MOST) {
        let sign = health_sign(health.word);
        let line = vec![
            span(format!("{} {:<5} ", sign.text(cx), health.word.as_str()), sign.role()),
            span(format!("{}  ", short_ref(entity)), Role::Text),
            span(health.summary.as_str(), Role::Dim),
        ];
        let subject = Subject::entity(cx, entity);
        draft.row(format!("failing {entity}"), line, Vec::new(), open(Place::entity(entity)), Some(subject));
    }
    if rows.len() > MOST {
        let words = format!("all {} that are down or slow", grouped(rows.len()));
        draft.more("failing", words, Place::with("catalog", "is:broken"));
    }
    if let Some(summary) = findings {
        let whose = if summary.is_mine { "of mine" } else { "of everybody" };
        let worst = &summary.worst;
        let line = vec![
            span(format!("{} {whose}", things(summary.count, "finding")), Role::Link),
            span(format!("  worst: {}: {}", worst.object.name, worst.message), Role::Dim),
        ];
        let place = Place::with("findings", if summary.is_mine { "" } else { "all" });
        draft.row("findings".to_owned(), line, Vec::new(), open(place), None);
    }
}

/// Returns whether I own an entity, or one of my groups does.
fn is_mine(cx: &Context, canonical: &str) -> bool {
    let me = &cx.me.principal;
    let is_me =
        |owner: &str| me.user.as_deref() == Some(owner) || me.groups.iter().any(|group| group == owner);
    let entity = cx.catalog.find(canonical).and_then(|id| cx.catalog.entity(id));
    entity.and_then(|entity| entity.owner()).is_some_and(|owner| is_me(cx.catalog.ref_of(owner)))
}

fn starred(_pane: &HomePane, cx: &Context, draft: &mut Draft) {
    let note = if cx.stars.is_empty() { String::new() } else { grouped(cx.stars.len()) };
    draft.sections.heading("Starred", note);
    if cx.stars.is_empty() {
        draft.hint(format!("{} stars what is focused", cx.key(id::STAR)));
    }
    for star in cx.stars.iter().take(MOST) {
        if let Some(entity) = cx.entity(star) {
            entity_row(cx, "star", &entity, draft);
            continue;
        }
        let (role, sign, note) = if cx.loaded_at.is_some() {
            (Role::Unknown, format!(" {}", Sign::Unknown.text(cx)), "not in this catalog")
        } else {
            (Role::Text, String::new(), "")
        };
        let line = vec![span(short_ref(star), role), span(sign, role)];
        let (note, subject) = (vec![span(note, Role::Dim)], Subject::entity(cx, star));
        draft.row(format!("star {star}"), line, note, open(Place::entity(star)), Some(subject));
    }
    if cx.stars.len() > MOST {
        let words = format!("all {} starred", grouped(cx.stars.len()));
        draft.more("star", words, Place::with("catalog", "is:starred"));
    }
}

fn recent(_pane: &HomePane, cx: &Context, draft: &mut Draft) {
    let visits = cx.recent.iter().filter(|visit| visit.place != SPEC.id);
    let rows: Vec<_> = visits
        .filter_map(|visit| {
            let effects = palette::read_line(&visit.place, cx)?;
            Some((visit, effects))
        })
        .take(MOST)
        .collect();
    if rows.is_empty() {
        return;
    }
    draft.sections.heading("Recent places", format!("{} lists all", cx.key(id::RECENT)));
    for (visit, effects) in rows {
        let reference = visit.place.split_whitespace().next().unwrap_or("");
        let subject = cx.entity(reference).map(|_| Subject::entity(cx, reference));
        let shown = match &subject {
            Some(_) => short_ref(reference) + visit.place.get(reference.len()..).unwrap_or(""),
            None => visit.place.clone(),
        };
        let note = subject.as_ref().and(cx.entity(reference)).map(|e| kind_words(&e)).unwrap_or_default();
        let (line, note) = (vec![span(shown, Role::Text)], vec![span(note, Role::Dim)]);
        draft.row(format!("recent {}", visit.place), line, note, effects, subject);
    }
}

fn me(_pane: &HomePane, cx: &Context, draft: &mut Draft) {
    let Some(user) = &cx.me.principal.user else {
        // who it is may only be known from the catalog
        if cx.loaded_at.is_none() {
            return;
        }
        draft.sections.heading("You", "");
        let sign = span(format!("{} ", Sign::Unknown.text(cx)), Role::Unknown);
        let line = vec![sign, span("nobody knows who you are", Role::Text)];
        let settings = open(Place::with("settings", "user"));
        draft.row("me".to_owned(), line, vec![span("settings", Role::Link)], settings, None);
        draft.hint("write `user = \"user:default/YOU\"` into the configuration");
        if !cx.me.origin.is_empty() {
            draft.hint(cx.me.origin.as_str());
        }
        return;
    };
    draft.sections.heading("You", "");
    let title = cx.entity(user).map(|entity| entity.title().unwrap_or(entity.name()).to_owned());
    let name = title.unwrap_or_else(|| short_ref(user));
    let line = vec![span(name, Role::Text), span(format!("  {}", cx.me.origin), Role::Dim)];
    let subject = Subject::entity(cx, user);
    draft.row("me".to_owned(), line, Vec::new(), open(Place::entity(user)), Some(subject));
    for group in &cx.me.principal.groups {
        let (place, subject) = (Place::entity(group), Subject::entity(cx, group));
        let (line, note) = (vec![span(short_ref(group), Role::Text)], vec![span("your group", Role::Dim)]);
        draft.row(format!("group {group}"), line, note, open(place), Some(subject));
    }
}

/// What the catalog was read from, and what to do when it is not the user's own or empty.
fn banner(cx: &Context) -> Vec<(String, Role)> {
    let width = usize::from(cx.area.width.saturating_sub(4)).clamp(10, 100);
    let mut lines = Vec::new();
    let mut add = |text: &str, role: Role| {
        lines.extend(wrap(text, width).into_iter().filter(|line| !line.is_empty()).map(|line| (line, role)));
    };
    if cx.loaded_at.is_none() {
        let loading = cx.loading.clone().unwrap_or_default();
        let slow = if loading.slow && !loading.source.is_empty() {
            format!(", waiting for {}", loading.source)
        } else {
            String::new()
        };
        let read = match (loading.entities, loading.files) {
            (0, 0) => String::new(),
            (0, files) => format!(" {}", things(files, "file")),
            (entities, _) => format!(" {}", things_of(entities)),
        };
        add(&format!("loading{read}{slow}"), Role::Info);
        return lines;
    }
    let is_sample = cx.catalog.sources().iter().any(|source| source.kind == "sample");
    if !cx.origin.is_empty() {
        add(&format!("read from {}", cx.origin), Role::Dim);
    } else if is_sample {
        add("this is the sample company that comes with the program", Role::Dim);
    }
    let says_how = cx.origin.contains("--catalog");
    if is_sample && !says_how {
        add("open yours: `devportal --catalog PATH`; `devportal init` writes a first file", Role::Info);
    }
    if cx.catalog.is_empty() {
        add("no entities were found", Role::Warn);
        for source in cx.catalog.sources() {
            match &source.error {
                Some(error) => add(&format!("{}: {}", source.name, error.message), Role::Error),
                None => add(
                    &format!("{}: {} in {}", source.name, things(source.files, "file"), source.place),
                    Role::Dim,
                ),
            }
        }
        if !says_how && !is_sample {
            add("open another: `devportal --catalog PATH`; `devportal init` writes a first file", Role::Info);
        }
    }
    lines
}

fn problem_row(cx: &Context, at: usize, problem: &Diagnostic, draft: &mut Draft) {
    let sign = if problem.is_error() { Sign::Error } else { Sign::Warn };
    let name = match (&problem.entity, &problem.location) {
        (Some(entity), _) => short_ref(entity),
        (None, Some(location)) => {
            // most descriptors have the same name: the folder tells them apart
            let mut parts = location.file.rsplit('/');
            let file = parts.next().unwrap_or("");
            parts.next().map_or_else(|| file.to_owned(), |folder| format!("{folder}/{file}"))
        }
        (None, None) => problem.code.to_owned(),
    };
    let line = vec![
        span(format!("{} ", sign.text(cx)), sign.role()),
        span(format!("{name}  "), Role::Text),
        span(problem.message.as_str(), Role::Dim),
    ];
    let subject = Subject::diagnostic(cx, problem);
    let effects = match (&problem.entity, &subject.source) {
        (Some(entity), _) => open(Place::with(ENTITY, format!("{entity} problems"))),
        (None, Some(Ok((path, line, column)))) => {
            vec![Effect::Edit { path: path.clone(), line: *line, column: *column }]
        }
        _ => open(Place::with("problems", format!("code:{}", problem.code))),
    };
    draft.row(format!("problem {at} {}", subject.name), line, Vec::new(), effects, Some(subject));
}

fn entity_row(cx: &Context, section: &str, entity: &Entity<'_>, draft: &mut Draft) {
    let canonical = entity.entity_ref();
    let mut note = problem_cell(cx, entity);
    if !note.is_empty() {
        note.push(span("  ", Role::Text));
    }
    note.push(span(kind_words(entity), Role::Dim));
    let subject = Subject::entity(cx, canonical);
    let effects = open(Place::entity(canonical));
    draft.row(format!("{section} {canonical}"), name_cell(cx, entity), note, effects, Some(subject));
}

fn facet<'a>(matches: &'a Matches, key: &str) -> impl Iterator<Item = (&'a str, usize)> + use<'a> {
    let facet = matches.facets.iter().find(|facet| facet.key == key);
    facet.into_iter().flat_map(|facet| &facet.values).map(|value| (value.value.as_str(), value.count))
}

/// Finds the entity behind a facet value, which may be a ref or a bare name.
fn find(catalog: &Catalog, key: &str, value: &str) -> Option<String> {
    let kinds: &[&str] = if key == "owner" { &["group", "user"] } else { &["system", "domain"] };
    let full = if value.contains('/') { value.to_owned() } else { format!("default/{value}") };
    let candidates = kinds.iter().map(|kind| format!("{kind}:{full}"));
    std::iter::once(value.to_owned()).chain(candidates).find(|canonical| catalog.find(canonical).is_some())
}

fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
}

fn number_note(number: usize) -> Line {
    vec![span(grouped(number), Role::Accent)]
}

/// Returns `3 errors, 12 warnings`, without what there is none of.
pub(super) fn problem_words(errors: usize, warnings: usize) -> String {
    let parts = [(errors, "error"), (warnings, "warning")];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| things(*n, word)).collect();
    words.join(", ")
}

fn things(number: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(number), if number == 1 { "" } else { "s" })
}

fn things_of(number: usize) -> String {
    format!("{} {}", grouped(number), if number == 1 { "entity" } else { "entities" })
}

impl Pane for HomePane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, cx: &Context) -> Heading {
        let count = if cx.catalog.is_empty() { String::new() } else { things_of(cx.catalog.len()) };
        Heading { crumbs: vec![SPEC.title.to_owned()], filter: None, count, marked: 0, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.rebuild(cx);
                let is_current =
                    self.all.1.as_ref().is_some_and(|matches| Arc::ptr_eq(&matches.catalog, &cx.catalog));
                if is_current || cx.loaded_at.is_none() { Vec::new() } else { self.request(cx) }
            }
            Input::Command(command) => self.command(command, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(TaskEvent::Kubernetes(_)) => {
                if !Arc::ptr_eq(&self.health, &cx.kubernetes.health) {
                    self.rebuild(cx);
                }
                Vec::new()
            }
            Input::Task(task) => {
                self.task(task, cx);
                Vec::new()
            }
            Input::CatalogChanged | Input::Choice(..) | Input::Paste(_) => Vec::new(),
        }
    }

    fn availability(&self, command: CommandId, _cx: &Context) -> Availability {
        match command {
            id::OPEN if self.focused().is_none() => Availability::no("nothing is focused"),
            id::REGION_NEXT | id::REGION_PREVIOUS if self.columns.len() < 2 => {
                Availability::no("there is one column at this width")
            }
            id::LAYOUT | id::PREVIEW_DOWN | id::PREVIEW_UP => Availability::no("Home has no preview"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, _cx: &Context) -> Vec<Subject> {
        self.focused().and_then(|entry| entry.subject.clone()).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        for (row, (text, role)) in self.banner.iter().take(usize::from(area.height)).enumerate() {
            let room = area.width.saturating_sub(3);
            put(buf, area.x + 2.min(area.width), area.y + row as u16, room, text, style(cx, *role));
        }
        for (at, (column, area)) in self.columns.iter().zip(self.areas(area)).enumerate() {
            column.list.draw(cx, area, at == self.focus, buf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::Shared;
    use crate::ui::panes::test_support::{lines, open as open_pane, run, sample};

    /// Answers what the pane asks for, as the pool would.
    fn answer(pane: &mut dyn Pane, effects: Vec<Effect>, cx: &Context) {
        for effect in effects {
            let Effect::Filter { generation, text, .. } = effect else { continue };
            let all = cx.catalog.entities();
            let is_mine = |e: &Entity<'_>| e.owner().is_some_and(|o| cx.me.owns(cx.catalog.ref_of(o)));
            let ids: Vec<_> = all.filter(|e| text.is_empty() || is_mine(e)).map(|e| e.id()).collect();
            let facets = crate::catalog::facets::facets(&cx.catalog, &ids);
            let matches = Matches { catalog: cx.catalog.clone(), ids, facets, suggestions: Vec::new() };
            let result = Ok(Shared(Arc::new(matches)));
            pane.update(Input::Task(&TaskEvent::Filtered { generation, result }), cx);
        }
    }

    fn shown(cx: &Context) -> Box<dyn Pane> {
        let mut pane = (SPEC.open)("", cx).unwrap();
        let effects = pane.update(Input::Shown, cx);
        answer(pane.as_mut(), effects, cx);
        pane
    }

    fn go_to(pane: &mut dyn Pane, cx: &Context, wanted: &str) -> Vec<Effect> {
        for _ in 0..100 {
            let at = lines(pane, cx).into_iter().find(|line| line.starts_with('>'));
            if at.is_some_and(|line| line.contains(wanted)) {
                return run(pane, id::OPEN, cx);
            }
            run(pane, id::DOWN, cx);
        }
        panic!("no row with {wanted}:\n{}", lines(pane, cx).join("\n"));
    }

    #[test]
    fn says_what_is_read_and_how_to_read_another_place() {
        let cx = sample(80, 24);
        let text = lines(shown(&cx).as_ref(), &cx).join("\n");
        assert!(text.contains("sample"), "{text}");
        assert!(text.contains("devportal --catalog PATH"), "{text}");
        assert!(text.contains("devportal init"), "{text}");
    }

    #[test]
    fn says_that_it_is_loading_and_asks_for_nothing_yet() {
        let mut cx = sample(80, 24);
        cx.catalog = Arc::default();
        cx.loaded_at = None;
        cx.loading = Some(crate::app::context::Loading { entities: 1240, ..Default::default() });
        let mut pane = (SPEC.open)("", &cx).unwrap();
        assert_eq!(pane.update(Input::Shown, &cx), []);
        assert!(lines(pane.as_ref(), &cx).join("\n").contains("loading 1,240"));
    }

    #[test]
    fn every_number_opens_what_it_counts() {
        let cx = sample(80, 24);
        let mut pane = shown(&cx);
        let effects = go_to(pane.as_mut(), &cx, "Component");
        assert_eq!(effects, open(Place::with("catalog", "kind:component")));
        let effects = go_to(pane.as_mut(), &cx, "payments");
        assert_eq!(effects, open(Place::with("catalog", "owner:payments")));
    }

    #[test]
    fn the_broken_file_of_the_sample_needs_attention_and_leads_to_its_cause() {
        let cx = sample(120, 40);
        let mut pane = shown(&cx);
        assert!(lines(pane.as_ref(), &cx).join("\n").contains("Needs attention"));
        let effects = run(pane.as_mut(), id::OPEN, &cx);
        assert!(matches!(effects.as_slice(), [Effect::Open(_) | Effect::Edit { .. }]), "{effects:?}");
    }

    #[test]
    fn without_a_user_it_says_how_to_set_one() {
        let mut cx = sample(80, 60);
        cx.me = crate::app::context::Me::default();
        let mut pane = shown(&cx);
        assert!(lines(pane.as_ref(), &cx).join("\n").contains("user = \"user:default/YOU\""));
        let effects = go_to(pane.as_mut(), &cx, "nobody knows");
        assert_eq!(effects, open(Place::with("settings", "user")));
    }

    #[test]
    fn tab_walks_the_columns_where_there_are_some() {
        let cx = sample(120, 40);
        let mut pane = shown(&cx);
        let before = lines(pane.as_ref(), &cx);
        run(pane.as_mut(), id::REGION_NEXT, &cx);
        assert_ne!(before, lines(pane.as_ref(), &cx));
        run(pane.as_mut(), id::REGION_NEXT, &cx);
        assert_eq!(before, lines(pane.as_ref(), &cx));
        let narrow = sample(80, 24);
        let pane = open_pane("home", "", &narrow);
        assert!(matches!(pane.availability(id::REGION_NEXT, &narrow), Availability::Disabled(_)));
    }

    #[test]
    fn an_empty_catalog_says_why() {
        let cx = crate::ui::panes::test_support::over(Arc::default(), 80, 24);
        let pane = open_pane("home", "", &cx);
        let text = lines(pane.as_ref(), &cx).join("\n");
        assert!(text.contains("no entities were found") && text.contains("--catalog PATH"), "{text}");
    }
}
