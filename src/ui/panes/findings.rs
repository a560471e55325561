//! Findings: what is broken that is mine, over all clusters, the worst first.
//!
//! Rows are what health says of the entities that I or my groups own; `m` shows those of everybody. `enter` goes to
//! where it can be seen: the logs at the crash, the events, the object.

use super::kubernetes::{preview, show_evidence, words};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::{Effect, TaskEvent};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{OBJECT, Place};
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::kubernetes::State;
use crate::kubernetes::health::{Finding, Healths};
use crate::ui::entity_lines::short_ref;
use crate::ui::text::{Line, put, put_line, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const GO: CommandSpec = CommandSpec::new(
    CommandId("go.findings"),
    "findings",
    "What is broken that is mine, over all clusters",
    &[],
    0,
);
const MINE: CommandId = CommandId("findings.mine");
const OBJECT_OF: CommandId = CommandId("findings.object");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "findings",
    title: "Findings",
    help: "What is broken that is mine, over all clusters",
    aliases: &["broken"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(MINE, "mine", "Show what is mine only, or what is everybody's", &["m"], 20),
        CommandSpec::new(OBJECT_OF, "object", "Open the object that the finding is about", &["w"], 22),
    ],
    groups: &[Group::Subject, Group::Object, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(FindingsPane { is_all: argument == "all", ..FindingsPane::default() })),
};

const COLUMNS: [Column; 6] = [
    Column { title: "SERVICE", min: 14, weight: 1, priority: 2 },
    Column { title: "WHAT", min: 26, weight: 5, priority: 0 },
    Column { title: "OBJECT", min: 20, weight: 2, priority: 1 },
    Column { title: " SINCE", min: 6, weight: 0, priority: 1 },
    Column { title: "NAMESPACE", min: 10, weight: 0, priority: 4 },
    Column { title: "CLUSTER", min: 10, weight: 1, priority: 3 },
];

/// Columns from which the detail stands beside the list.
const SPLIT: u16 = 100;

/// A row: whose, and what.
#[derive(Debug, Clone)]
struct Row {
    entity: Arc<str>,
    finding: Arc<Finding>,
}

/// State of the pane.
#[derive(Debug, Default)]
struct FindingsPane {
    rows: Vec<Row>,
    /// What the rows were made of.
    made_of: Option<(Arc<Healths>, usize, bool)>,
    /// Findings of everybody, counted where none is mine.
    others: usize,
    list: ListState,
    was_moved: bool,
    is_all: bool,
    is_detail_focused: bool,
    is_detail_only: bool,
    detail_offset: usize,
}

/// Returns whether an entity belongs to the user: owned by them or their groups, or starred.
fn is_mine(cx: &Context, canonical: &str) -> bool {
    let owner = cx.entity(canonical).and_then(|entity| entity.owner());
    let owner = owner.map(|id| cx.catalog.ref_of(id).to_owned());
    owner.is_some_and(|owner| cx.me.owns(&owner)) || cx.me.owns(canonical) || cx.stars.contains(canonical)
}

/// Returns the findings of entities, the worst first; each once, even when its object is of several.
fn collect(cx: &Context, state: &State, is_all: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let shown = state.health.iter().filter(|(canonical, _)| is_all || is_mine(cx, canonical));
    for (entity, health) in shown {
        let of_it =
            health.findings.iter().map(|finding| Row { entity: entity.clone(), finding: finding.clone() });
        rows.extend(of_it);
    }
    rows.sort_by(|a, b| {
        let place = |row: &Row| {
            let at = &row.finding.object;
            (
                at.cluster.clone(),
                at.namespace.clone(),
                at.name.clone(),
                row.finding.rule,
                row.finding.container.clone(),
            )
        };
        b.finding.severity.cmp(&a.finding.severity).then_with(|| place(a).cmp(&place(b)))
    });
    rows.dedup_by(|a, b| a.finding == b.finding);
    rows
}

/// Findings in short.
pub struct Summary {
    /// How many.
    pub count: usize,
    /// The worst.
    pub worst: Arc<Finding>,
    /// They are mine; else everybody's, because none is mine or nobody knows who I am.
    pub is_mine: bool,
}

/// Returns the findings that are mine in short, for other places; everybody's where nothing is known to be mine.
pub fn summary(cx: &Context) -> Option<Summary> {
    let of = |is_all: bool| {
        let rows = collect(cx, &cx.kubernetes, is_all);
        let worst = rows.first()?.finding.clone();
        Some(Summary { count: rows.len(), worst, is_mine: !is_all })
    };
    of(false).or_else(|| of(true).filter(|_| cx.me.principal.user.is_none()))
}

fn sign_of(finding: &Finding) -> Sign {
    if finding.severity >= 6 { Sign::Error } else { Sign::Warn }
}

impl FindingsPane {
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match (self.is_detail_only, area.width >= SPLIT) {
            (true, _) => (None, Some(area)),
            (false, true) => {
                let list = area.width * 62 / 100;
                let detail = Rect { x: area.x + list, width: area.width - list, ..area };
                (Some(Rect { width: list, ..area }), Some(detail))
            }
            (false, false) => (Some(area), None),
        }
    }

    fn table_area(region: Rect, screen: Rect) -> Rect {
        if screen.width >= SPLIT { Panel::inner(region) } else { region }
    }

    fn height(&self, cx: &Context) -> usize {
        Table::height(Self::table_area(self.areas(cx.area).0.unwrap_or(cx.area), cx.area))
    }

    fn focused(&self) -> Option<&Row> {
        self.rows.get(self.list.cursor)
    }

    /// Makes the rows again when health has changed; the cursor stays on the same finding.
    fn renew(&mut self, cx: &Context) {
        let health = &cx.kubernetes.health;
        let is_current = self.made_of.as_ref().is_some_and(|(made_of, catalog, is_all)| {
            Arc::ptr_eq(made_of, health)
                && *catalog == Arc::as_ptr(&cx.catalog) as usize
                && *is_all == self.is_all
        });
        if is_current {
            return;
        }
        let key = |row: &Row| {
            let finding = &row.finding;
            (finding.object.clone(), finding.rule, finding.container.clone())
        };
        let on = self.focused().filter(|_| self.was_moved).map(key);
        self.rows = collect(cx, &cx.kubernetes, self.is_all);
        let is_counted = self.rows.is_empty() && !self.is_all;
        self.others = if is_counted { collect(cx, &cx.kubernetes, true).len() } else { 0 };
        self.made_of = Some((health.clone(), Arc::as_ptr(&cx.catalog) as usize, self.is_all));
        if let Some(at) = on.and_then(|on| self.rows.iter().position(|row| key(row) == on)) {
            self.list.offset = (at + self.list.offset).saturating_sub(self.list.cursor);
            self.list.cursor = at;
        } else if !self.was_moved {
            self.list = ListState::default();
        }
        self.list.clamp(self.rows.len(), self.height(cx));
    }

    fn open(&self, cx: &Context) -> Vec<Effect> {
        let Some(row) = self.focused() else { return Vec::new() };
        let finding = &row.finding;
        show_evidence(cx, &finding.object, finding.container.as_ref(), &finding.evidence)
    }

    fn detail(&self, cx: &Context, width: usize) -> Vec<Line> {
        let Some(row) = self.focused() else { return Vec::new() };
        let finding = &row.finding;
        let room = width.clamp(12, 100);
        let mut out: Vec<Line> = Vec::new();
        let mut text = |words: &str, role: Role| {
            out.extend(wrap(words, room).into_iter().map(|part| vec![span(part, role)]));
        };
        text(&format!("{} {}", sign_of(finding).text(cx), finding.message), sign_of(finding).role());
        if !finding.cause.is_empty() {
            text(&finding.cause, Role::Text);
        }
        for fix in &finding.fixes {
            text(&format!("- {fix}"), Role::Text);
        }
        out.push(Line::new());
        let at = &finding.object;
        let mut pair = |label: &str, value: String| {
            if !value.is_empty() {
                out.push(vec![span(format!("{label:<12}"), Role::Dim), span(value, Role::Text)]);
            }
        };
        pair("service", short_ref(&row.entity));
        pair("object", format!("{} {}", cx.kubernetes.kind_word(at.kind), at.name));
        pair("container", finding.container.as_ref().map(ToString::to_string).unwrap_or_default());
        pair("namespace", at.namespace.to_string());
        pair("cluster", at.cluster.to_string());
        pair("since", words::ago(cx, finding.since));
        pair("severity", format!("{} of 10", finding.severity));
        pair("rule", format!("{}{}", finding.rule, if finding.is_upstream { " (Backstage)" } else { "" }));
        pair("more", finding.docs.unwrap_or_default().to_owned());
        out.push(Line::new());
        let (words, _) = preview::evidence_words(cx, &finding.evidence);
        out.push(vec![span(cx.key(id::OPEN), Role::Key), span(format!(" {words}"), Role::Dim)]);
        out.push(vec![span(cx.key(OBJECT_OF), Role::Key), span(" the object", Role::Dim)]);
        out
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        let last = self.detail(cx, 60).len().saturating_sub(1);
        match command {
            id::OPEN => return self.open(cx),
            OBJECT_OF => {
                let text = self.focused().map(|row| cx.kubernetes.ref_text(&row.finding.object));
                return text.map(|text| vec![Effect::Open(Place::with(OBJECT, text))]).unwrap_or_default();
            }
            MINE => {
                self.is_all = !self.is_all;
                self.was_moved = false;
                self.renew(cx);
            }
            id::REGION_NEXT | id::REGION_PREVIOUS => self.is_detail_focused = !self.is_detail_focused,
            id::LAYOUT => {
                self.is_detail_only = !self.is_detail_only;
                self.is_detail_focused = self.is_detail_only;
            }
            id::PREVIEW_DOWN => self.detail_offset = (self.detail_offset + 3).min(last),
            id::PREVIEW_UP => self.detail_offset = self.detail_offset.saturating_sub(3),
            command if self.is_detail_focused => {
                let mut text = ListState { cursor: self.detail_offset, ..ListState::default() };
                if text.command(command, last + 1, height) {
                    self.detail_offset = text.cursor;
                }
            }
            command => {
                if self.list.command(command, self.rows.len(), height) {
                    self.was_moved = true;
                    self.detail_offset = 0;
                }
            }
        }
        Vec::new()
    }

    fn cells(cx: &Context, row: &Row) -> Vec<Line> {
        let finding = &row.finding;
        let sign = sign_of(finding);
        let since = words::since(cx, finding.since);
        vec![
            vec![span(short_ref(&row.entity), Role::Text)],
            vec![
                span(format!("{} ", sign.text(cx)), sign.role()),
                span(finding.message.as_str(), Role::Text),
            ],
            vec![span(&*finding.object.name, Role::Text)],
            vec![span(format!("{since:>6}"), Role::Dim)],
            vec![span(&*finding.object.namespace, Role::Dim)],
            vec![span(&*finding.object.cluster, Role::Dim)],
        ]
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (answered, all, waiting) = words::progress(&cx.kubernetes, &[], &[crate::kubernetes::Kind::Pod]);
        let is_nobody = !self.is_all && cx.me.principal.user.is_none();
        let says = if all == 0 {
            "no cluster is known".to_owned()
        } else if !waiting.is_empty() {
            format!("loading · clusters {answered}/{all}")
        } else if cx.kubernetes.health.is_empty() {
            "no service of the catalog has objects in a cluster".to_owned()
        } else if is_nobody {
            format!("{} who you are is not known, so nothing is yours", Sign::Unknown.text(cx))
        } else if answered == 0 {
            format!("{} no cluster answers, so nothing is known", Sign::Unknown.text(cx))
        } else {
            let whose = if self.is_all { "anybody" } else { "you" };
            format!("{} nothing of {whose} is broken", Sign::Ok.text(cx))
        };
        let then = match self.others {
            _ if self.is_all => String::new(),
            0 => format!("{} shows what is everybody's", cx.key(MINE)),
            1 => format!("{} shows the one finding about what is others'", cx.key(MINE)),
            more => format!("{} shows {} findings about what is others'", cx.key(MINE), grouped(more)),
        };
        let more = if is_nobody {
            "`user = \"user:default/NAME\"` in config.toml says who you are".to_owned()
        } else {
            String::new()
        };
        let lines = [(says, Role::Text), (then, Role::Dim), (more, Role::Dim)];
        for (row, (words, role)) in lines.into_iter().enumerate() {
            let y = area.y + 2 + row as u16;
            if y < area.bottom() {
                put(buf, area.x + 2, y, area.width.saturating_sub(3), &words, style(cx, role));
            }
        }
    }
}

impl Pane for FindingsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, if self.is_all { "all" } else { "" })
    }

    fn heading(&self, cx: &Context) -> Heading {
        let (answered, all, waiting) = words::progress(&cx.kubernetes, &[], &[crate::kubernetes::Kind::Pod]);
        let mut count = grouped(self.rows.len());
        if !waiting.is_empty() {
            count = format!("{count} · clusters {answered}/{all}");
        }
        let whose = if self.is_all { "everybody's" } else { "mine" };
        let crumbs = vec![SPEC.title.to_owned(), whose.to_owned()];
        Heading { crumbs, count, is_live: true, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown | Input::Task(TaskEvent::Kubernetes(_)) => self.renew(cx),
            Input::Command(command) => return self.command(command, cx),
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            _ => {}
        }
        Vec::new()
    }

    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        let was = self.is_detail_only || self.is_detail_focused;
        (self.is_detail_only, self.is_detail_focused) = (false, false);
        was.then(Vec::new)
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        match command {
            id::OPEN | OBJECT_OF if self.focused().is_none() => Availability::no("there is no finding"),
            id::REGION_NEXT | id::REGION_PREVIOUS if self.is_detail_only || cx.area.width < SPLIT => {
                Availability::no("there is one region")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let subject = |row: &Row| {
            let mut subject = Subject::object(cx, &row.finding.object);
            subject.container.clone_from(&row.finding.container);
            subject.entity = Some(row.entity.to_string());
            subject.copies.push(("message", row.finding.message.clone()));
            subject
        };
        self.focused().map(subject).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, detail) = self.areas(area);
        if let Some(region) = list {
            if area.width >= SPLIT {
                Panel { title: "Findings", note: "", is_focused: !self.is_detail_focused }
                    .draw(cx, region, buf);
            }
            let inner = Self::table_area(region, area);
            if self.rows.is_empty() {
                self.draw_empty(cx, inner, buf);
            }
            let table = Table {
                columns: &COLUMNS,
                sort: None,
                list: &self.list,
                len: self.rows.len(),
                is_focused: !self.is_detail_focused,
            };
            table.draw(cx, inner, buf, |row| {
                (self.rows.get(row).map(|row| Self::cells(cx, row)).unwrap_or_default(), false)
            });
        }
        let Some(region) = detail else { return };
        let inner =
            Panel { title: "Why", note: "", is_focused: self.is_detail_focused }.draw(cx, region, buf);
        let lines = self.detail(cx, usize::from(inner.width.saturating_sub(2)));
        let offset = self.detail_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }
}

impl FindingsPane {
    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        let Some(region) = self.areas(cx.area).0 else { return Vec::new() };
        match mouse.kind {
            MouseKind::ScrollUp => self.list.scroll(-3, self.rows.len(), height),
            MouseKind::ScrollDown => self.list.scroll(3, self.rows.len(), height),
            MouseKind::Click | MouseKind::DoubleClick => {
                self.is_detail_focused = !region.contains((mouse.column, mouse.row).into());
                let len = self.rows.len();
                let table = Table { columns: &COLUMNS, sort: None, list: &self.list, len, is_focused: true };
                let area = Self::table_area(region, cx.area);
                let Some(row) = table.row_at(area, mouse.column, mouse.row) else { return Vec::new() };
                self.list.select(row, len, height);
                self.detail_offset = 0;
                if mouse.kind == MouseKind::DoubleClick {
                    return self.open(cx);
                }
            }
        }
        self.was_moved = true;
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::health::{Evidence, Health, Word};
    use crate::kubernetes::state::{Phase, Table, Watch};
    use crate::kubernetes::{Kind, ObjectRef, testing};
    use crate::ui::panes::test_support;
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    fn context(user: Option<&str>) -> Context {
        let text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: pay}\n\
                    spec: {type: service, lifecycle: production, owner: ops}\n";
        let mut cx = test_support::yaml(text, 120, 30);
        cx.now = Timestamp::from_second(1_000_000).unwrap();
        cx.me.principal.user = user.map(str::to_owned);
        let finding = Finding {
            rule: "oom-killed",
            is_upstream: false,
            severity: 6,
            object: ObjectRef {
                cluster: "c".into(),
                kind: Kind::Pod,
                namespace: "n".into(),
                name: "p".into(),
            },
            container: None,
            message: "killed for its memory".to_owned(),
            since: Timestamp::from_second(999_990).ok(),
            occurrences: 1,
            cause: String::new(),
            fixes: Vec::new(),
            evidence: Evidence::Events,
            docs: None,
        };
        let health = Health { word: Word::Slow, findings: vec![Arc::new(finding)], ..Health::default() };
        let mut cluster = testing::cluster("c", &[]);
        cluster.phase = Phase::Live;
        cluster.tables.insert(Kind::Pod, Table { watch: Watch::Live, ..Table::default() });
        cx.kubernetes = Arc::new(State {
            clusters: Arc::new([Arc::new(cluster)]),
            health: Arc::new(BTreeMap::from([("component:default/pay".into(), Arc::new(health))])),
            ..State::default()
        });
        cx
    }

    #[test]
    fn nobody_is_not_told_that_all_is_well() {
        let shown = |user| {
            let cx = context(user);
            test_support::lines(&*test_support::open("findings", "", &cx), &cx).join("\n")
        };
        let nobody = shown(None);
        assert!(nobody.contains("who you are is not known") && nobody.contains("`user = "), "{nobody}");
        assert!(!nobody.contains("is broken"), "{nobody}");
        let somebody = shown(Some("user:default/ana"));
        assert!(
            somebody.contains("nothing of you is broken") && somebody.contains("the one finding"),
            "{somebody}"
        );
    }

    #[test]
    fn what_is_new_is_not_now_ago() {
        let cx = context(None);
        let shown = test_support::lines(&*test_support::open("findings", "all", &cx), &cx).join("\n");
        assert!(shown.contains("just now") && !shown.contains("now ago"), "{shown}");
    }

    #[test]
    fn the_summary_is_everybodys_only_while_nobody_is_known() {
        assert!(summary(&context(None)).is_some_and(|summary| !summary.is_mine && summary.count == 1));
        assert!(summary(&context(Some("user:default/ana"))).is_none());
    }
}
