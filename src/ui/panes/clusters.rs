//! Clusters: every one that is known, how its connection is, what may not be seen there, what it holds.

use super::kubernetes::{place, words};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::{age, grouped};
use crate::app::event::{Effect, Level, TaskEvent};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{KUBERNETES, Place};
use crate::app::subject::{Subject, is_openable};
use crate::config::theme::Role;
use crate::kubernetes::state::{ClusterState, MetricsStatus, Phase, Watch};
use crate::kubernetes::{Connection, Kind, Order};
use crate::ui::text::{Line, put, put_line, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const GO: CommandSpec = CommandSpec::new(
    CommandId("go.clusters"),
    "clusters",
    "Every cluster: connection, rights, what it holds",
    &[],
    0,
);
const RETRY: CommandId = CommandId("clusters.retry");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "clusters",
    title: "Clusters",
    help: "Every cluster: connection, rights, what it holds",
    aliases: &["ctx", "contexts", "context", "cluster"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[CommandSpec::new(RETRY, "reconnect", "Ask the focused cluster again now", &["r"], 20)],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(ClustersPane { wanted: argument.to_owned(), ..ClustersPane::default() })),
};

const COLUMNS: [Column; 8] = [
    Column { title: "CLUSTER", min: 14, weight: 2, priority: 0 },
    Column { title: "STATE", min: 22, weight: 4, priority: 0 },
    Column { title: "ENV", min: 6, weight: 0, priority: 3 },
    Column { title: "VERSION", min: 9, weight: 0, priority: 2 },
    Column { title: " PODS", min: 7, weight: 0, priority: 1 },
    Column { title: " NODES", min: 6, weight: 0, priority: 4 },
    Column { title: "USER", min: 12, weight: 1, priority: 5 },
    Column { title: "ORIGIN", min: 16, weight: 2, priority: 6 },
];

const SPLIT: u16 = 100;

/// State of the pane.
#[derive(Debug, Default)]
struct ClustersPane {
    rows: Vec<Arc<ClusterState>>,
    list: ListState,
    /// Name to put the cursor on, from the place line.
    wanted: String,
    detail_offset: usize,
    is_detail_focused: bool,
    is_detail_only: bool,
}

/// Returns how the connection to a cluster is, in words, with the sign's role.
pub fn phase_words(cx: &Context, cluster: &ClusterState) -> (String, Role) {
    let signed = |sign: Sign, words: String| (format!("{} {words}", sign.text(cx)), sign.role());
    if let Err(why) = &cluster.cluster.connection {
        return signed(Sign::Error, why.clone());
    }
    match &cluster.phase {
        Phase::Idle => ("not asked yet".to_owned(), Role::Dim),
        Phase::Connecting(_) => ("connecting".to_owned(), Role::Info),
        Phase::Live => {
            let forbidden = cluster
                .tables
                .values()
                .filter(|table| matches!(table.watch, Watch::Forbidden(_) | Watch::Partial { .. }));
            let stale =
                cluster.tables.values().filter(|table| matches!(table.watch, Watch::Stale { .. })).count();
            match (forbidden.count(), stale) {
                (0, 0) => signed(Sign::Ok, "connected".to_owned()),
                (0, stale) => signed(Sign::Stale, format!("connected, {stale} kinds stale")),
                (some, _) => signed(Sign::Warn, format!("connected, {some} kinds not or partly allowed")),
            }
        }
        Phase::Down { since, cause, .. } => {
            let ago = age(cx.now.as_second() - since.as_second());
            signed(Sign::Error, format!("no answer for {ago}: {cause}"))
        }
    }
}

fn count(cluster: &ClusterState, kind: Kind) -> String {
    cluster.tables.get(&kind).map(|table| grouped(table.objects.len())).unwrap_or_default()
}

impl ClustersPane {
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match (self.is_detail_only, area.width >= SPLIT) {
            (true, _) => (None, Some(area)),
            (false, true) => {
                let list = area.width * 58 / 100;
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

    fn focused(&self) -> Option<&Arc<ClusterState>> {
        self.rows.get(self.list.cursor)
    }

    fn refresh(&mut self, cx: &Context) {
        let focused = self.focused().map(|row| row.cluster.name.to_string());
        let on = if self.wanted.is_empty() { focused } else { Some(self.wanted.clone()) };
        self.rows = cx.kubernetes.clusters.to_vec();
        if let Some(at) = on.and_then(|on| self.rows.iter().position(|row| *row.cluster.name == *on)) {
            self.list.cursor = at;
            self.wanted.clear();
        }
        self.list.clamp(self.rows.len(), self.height(cx));
    }

    fn open(&self) -> Vec<Effect> {
        let name = self.focused().map(|row| row.cluster.name.clone());
        name.map(|name| vec![Effect::Open(Place::with(KUBERNETES, format!("{} @{name}", place::WORKLOADS)))])
            .unwrap_or_default()
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        let last = self.focused().map_or(0, |row| detail(cx, row, 60).len().saturating_sub(1));
        let scroll = |offset: usize, by: isize| offset.saturating_add_signed(by).min(last);
        match command {
            id::OPEN => return self.open(),
            RETRY => {
                let Some(name) = self.focused().map(|row| row.cluster.name.clone()) else {
                    return Vec::new();
                };
                let said = format!("asking {name} again");
                return vec![
                    Effect::Kubernetes(Order::Connect(Some(name))),
                    Effect::Toast(Level::Info, said),
                ];
            }
            id::REGION_NEXT | id::REGION_PREVIOUS => self.is_detail_focused = !self.is_detail_focused,
            id::LAYOUT => {
                self.is_detail_only = !self.is_detail_only;
                self.is_detail_focused = self.is_detail_only;
            }
            id::PREVIEW_DOWN => self.detail_offset = scroll(self.detail_offset, 3),
            id::PREVIEW_UP => self.detail_offset = scroll(self.detail_offset, -3),
            command if self.is_detail_focused => {
                let mut text = ListState { cursor: self.detail_offset, ..ListState::default() };
                if text.command(command, last + 1, height) {
                    self.detail_offset = text.cursor;
                }
            }
            command => {
                if self.list.command(command, self.rows.len(), height) {
                    self.detail_offset = 0;
                }
            }
        }
        Vec::new()
    }

    fn cells(cx: &Context, cluster: &ClusterState) -> Vec<Line> {
        let text = |words: &str| vec![span(words, Role::Text)];
        let right = |words: String, cells: usize| vec![span(format!("{words:>cells$}"), Role::Text)];
        let (state, role) = phase_words(cx, cluster);
        let env = if cluster.cluster.is_protected { Role::Env } else { Role::Dim };
        vec![
            text(&cluster.cluster.title),
            vec![span(state, role)],
            vec![span(&*cluster.cluster.environment, env)],
            text(&cluster.version),
            right(count(cluster, Kind::Pod), 7),
            right(count(cluster, Kind::Node), 6),
            text(&cluster.user),
            vec![span(cluster.cluster.origin.as_str(), Role::Dim)],
        ]
    }
}

/// Returns everything about a cluster.
fn detail(cx: &Context, cluster: &ClusterState, width: usize) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let room = width.saturating_sub(14).max(16);
    let mut row = |label: &str, value: &str, role: Role| {
        for (at, part) in wrap(value, room).into_iter().filter(|part| !part.is_empty()).enumerate() {
            let label = if at == 0 { label } else { "" };
            out.push(vec![span(format!("{label:<14}"), Role::Dim), span(part, role)]);
        }
    };
    let (state, role) = phase_words(cx, cluster);
    row("state", &state, role);
    if let Phase::Down { retry, .. } = &cluster.phase {
        row("next try", &words::retry_words(cx, *retry), Role::Text);
    }
    row("name", &cluster.cluster.name, Role::Text);
    row("environment", &cluster.cluster.environment, Role::Text);
    row(
        "changes",
        if cluster.cluster.is_protected { "protected: need an unlock" } else { "with a dialog" },
        Role::Text,
    );
    row("found in", &cluster.cluster.origin, Role::Text);
    row("reached by", &reach(cluster), Role::Text);
    row("version", &cluster.version, Role::Text);
    row("you are", &cluster.user, Role::Text);
    if let Some(namespace) = &cluster.cluster.namespace {
        row("namespace", namespace, Role::Text);
    }
    if cluster.clock_skew.abs() > 5 {
        let side = if cluster.clock_skew > 0 { "ahead of" } else { "behind" };
        row(
            "clock",
            &format!("{} s {side} ours; ages are counted by its own", cluster.clock_skew.abs()),
            Role::Warn,
        );
    }
    let metrics = match &cluster.metrics.status {
        MetricsStatus::Unknown => String::new(),
        MetricsStatus::Read(at) => {
            format!("read {}", words::ago(cx, Some(*at)))
        }
        MetricsStatus::Missing => "metrics-server is not installed".to_owned(),
        MetricsStatus::Failed(why) => why.clone(),
    };
    row("metrics", &metrics, Role::Text);
    if let Some(dashboard) = &cluster.cluster.dashboard {
        row("dashboard", dashboard, Role::Link);
    }
    if !cluster.tables.is_empty() {
        out.push(Line::new());
        out.push(vec![span("Objects", Role::Title)]);
    }
    for (kind, table) in &cluster.tables {
        let name = place::plural(*kind, &cx.kubernetes);
        let (words, role) = match &table.watch {
            Watch::None => ("not watched".to_owned(), Role::Dim),
            Watch::Loading => ("loading".to_owned(), Role::Info),
            Watch::Live => (String::new(), Role::Dim),
            Watch::Partial { namespaces, forbidden } => {
                let list = namespaces.iter().map(|ns| &**ns).collect::<Vec<_>>().join(", ");
                (format!("of {list} only: {} · {}", words::may_not(forbidden), forbidden.remedy), Role::Warn)
            }
            Watch::Stale { since, cause } => {
                (format!("stale {}: {cause}", words::since(cx, Some(*since))), Role::Stale)
            }
            Watch::Forbidden(forbidden) => {
                (format!("{} · {}", words::may_not(forbidden), forbidden.remedy), Role::Error)
            }
            Watch::Missing => ("the server does not know them".to_owned(), Role::Dim),
        };
        let count = grouped(table.objects.len());
        let lead = format!("{name:<26}{count:>7}  ");
        let room = width.saturating_sub(lead.len());
        if room >= 24 || words.is_empty() {
            let mut parts = wrap(&words, room.max(24)).into_iter();
            out.push(vec![span(lead.clone(), Role::Text), span(parts.next().unwrap_or_default(), role)]);
            out.extend(parts.map(|part| vec![span(" ".repeat(lead.len()), Role::Text), span(part, role)]));
        } else {
            out.push(vec![span(lead, Role::Text)]);
            out.extend(
                wrap(&words, width.saturating_sub(2))
                    .into_iter()
                    .map(|part| vec![span(format!("  {part}"), role)]),
            );
        }
    }
    out
}

fn reach(cluster: &ClusterState) -> String {
    match &cluster.cluster.connection {
        Ok(Connection::Kubeconfig { context, .. }) => format!("context {context} of the kubeconfig"),
        Ok(Connection::InCluster) => "the service account of this pod".to_owned(),
        Ok(Connection::Direct { url, .. }) => url.clone(),
        Ok(Connection::Backstage { proxy, .. }) => format!("the Backstage backend at {proxy}"),
        Err(_) => String::new(),
    }
}

impl Pane for ClustersPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, cx: &Context) -> Heading {
        let live = cx.kubernetes.clusters.iter().filter(|cluster| cluster.phase == Phase::Live).count();
        let all = cx.kubernetes.clusters.len();
        let count = if live == all { grouped(all) } else { format!("{live} of {all} connected") };
        Heading { crumbs: vec![SPEC.title.to_owned()], count, is_live: true, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown | Input::Task(TaskEvent::Kubernetes(_)) => self.refresh(cx),
            Input::Command(command) => return self.command(command, cx),
            Input::Mouse(mouse) => {
                let height = self.height(cx);
                let region = self.areas(cx.area).0;
                match (mouse.kind, region) {
                    (MouseKind::ScrollUp, Some(_)) => self.list.scroll(-3, self.rows.len(), height),
                    (MouseKind::ScrollDown, Some(_)) => self.list.scroll(3, self.rows.len(), height),
                    (kind, Some(region)) => return self.click(mouse, kind, region, cx),
                    _ => {}
                }
            }
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
            id::OPEN | RETRY if self.focused().is_none() => Availability::no("no cluster is known"),
            id::REGION_NEXT | id::REGION_PREVIOUS if self.is_detail_only || cx.area.width < SPLIT => {
                Availability::no("there is one region")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, _cx: &Context) -> Vec<Subject> {
        let subject = |row: &Arc<ClusterState>| {
            let links = row.cluster.dashboard.iter().filter(|url| is_openable(url));
            Subject {
                name: row.cluster.name.to_string(),
                links: links.map(|url| ("dashboard".to_owned(), url.clone())).collect(),
                ..Subject::default()
            }
        };
        self.focused().map(subject).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, right) = self.areas(area);
        if let Some(region) = list {
            if area.width >= SPLIT {
                Panel { title: "Clusters", note: "", is_focused: !self.is_detail_focused }
                    .draw(cx, region, buf);
            }
            let inner = Self::table_area(region, area);
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
            if self.rows.is_empty() && inner.height > 3 {
                let says = [
                    ("no cluster is known", Role::Text),
                    (
                        "a kubeconfig, `[[kubernetes.cluster]]` in config.toml or a Resource of type `kubernetes-cluster` names one",
                        Role::Dim,
                    ),
                ];
                for (row, (words, role)) in says.into_iter().enumerate() {
                    put(
                        buf,
                        inner.x + 2,
                        inner.y + 2 + row as u16,
                        inner.width.saturating_sub(3),
                        words,
                        style(cx, role),
                    );
                }
            }
        }
        let Some((region, cluster)) = right.zip(self.focused()) else { return };
        let panel = Panel { title: &cluster.cluster.title, note: "", is_focused: self.is_detail_focused };
        let inner = panel.draw(cx, region, buf);
        let lines = detail(cx, cluster, usize::from(inner.width.saturating_sub(2)));
        let offset = self.detail_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }
}

impl ClustersPane {
    fn click(&mut self, mouse: Mouse, kind: MouseKind, region: Rect, cx: &Context) -> Vec<Effect> {
        self.is_detail_focused = !region.contains((mouse.column, mouse.row).into());
        let height = self.height(cx);
        let table =
            Table { columns: &COLUMNS, sort: None, list: &self.list, len: self.rows.len(), is_focused: true };
        let Some(row) = table.row_at(Self::table_area(region, cx.area), mouse.column, mouse.row) else {
            return Vec::new();
        };
        self.list.select(row, self.rows.len(), height);
        self.detail_offset = 0;
        if kind == MouseKind::DoubleClick { self.open() } else { Vec::new() }
    }
}
