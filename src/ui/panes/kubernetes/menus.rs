//! What is chosen from: sort, columns, kinds, whose objects, filters.

use super::cells;
use super::place::{self, View};
use super::view;
use super::{FILTER_BY, KINDS, KubernetesPane, SCOPE};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::grouped;
use crate::app::event::{Effect, Level};
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::app::palette;
use crate::app::place::KUBERNETES;
use crate::kubernetes::Kind;
use crate::kubernetes::rows;
use crate::model::entity_ref::split_canonical;
use crate::ui::panes::clusters;
use crate::ui::widgets::Table;

impl KubernetesPane {
    pub(super) fn sort_menu(&self, cx: &Context) -> Overlay {
        let items = self.sortable(cx).into_iter().map(|(field, title)| {
            let is_on = field == self.list.query.sort;
            let detail = match (is_on, self.list.query.is_descending) {
                (true, false) => "chosen; again turns it round",
                (true, true) => "chosen, turned round",
                _ => "",
            };
            Item::new(title.to_lowercase(), vec![Effect::Choose(id::SORT, title.to_owned())]).detail(detail)
        });
        Overlay::menu("sort by", items.collect())
    }

    pub(super) fn columns_menu(&self, cx: &Context) -> Overlay {
        let kind = match &self.argument.view {
            View::Workloads => None,
            View::Namespaces => Some(Kind::Pod),
            View::Kind(kind) | View::Of(_, kind) => Some(*kind),
        };
        let region = self.areas(cx.area).0.unwrap_or(cx.area);
        let shown = self.columns(cx);
        let plain: Vec<_> = shown.iter().map(|col| col.column).collect();
        let layout = Table::layout(&plain, self.table_area(region, cx.area).width);
        let items = cells::of(kind).iter().map(|col| {
            let title = col.column.title;
            let is_on = !self.hidden.contains(&title);
            let at = plain.iter().position(|column| column.title == title);
            let detail = match at {
                Some(at) if layout.iter().any(|slot| slot.0 == at) => "",
                Some(_) => "no room now",
                None if is_on => "the same in every row",
                None => "",
            };
            let disabled = (col.column.priority == 0).then(|| "always shown".to_owned());
            let effects = vec![Effect::Choose(id::COLUMNS, title.to_owned())];
            Item {
                checked: Some(is_on),
                disabled,
                ..Item::new(title.trim().to_lowercase(), effects).detail(detail)
            }
        });
        Overlay::menu("columns", items.collect())
    }

    pub(super) fn kinds_menu(&self, cx: &Context) -> Overlay {
        let state = &cx.kubernetes;
        let items = View::all(state).into_iter().map(|view| {
            let word = view.word(state);
            let count = match &view {
                View::Kind(kind) => {
                    let tables =
                        rows::clusters(state, &self.argument.clusters).filter_map(|c| c.tables.get(kind));
                    let counts: Vec<usize> = tables.map(|table| table.objects.len()).collect();
                    if counts.is_empty() { String::new() } else { grouped(counts.iter().sum()) }
                }
                _ => String::new(),
            };
            Item::new(&word, vec![Effect::Choose(KINDS, word.clone())]).detail(count)
        });
        Overlay::new(OverlayKind::Menu, "show what?", Mode::Typing, items.collect())
    }

    pub(super) fn scope_menu(&self, cx: &Context) -> Overlay {
        let choose = |text: String| vec![Effect::Choose(SCOPE, text)];
        let mut items =
            vec![Item::new("everything", choose(String::new())).detail("all namespaces, all clusters")];
        for cluster in cx.kubernetes.clusters.iter() {
            let name = &cluster.cluster.name;
            let item = Item::new(format!("@{name}"), choose(format!("@{name}")));
            items.push(Item { heading: "Clusters", ..item.detail(clusters::phase_words(cx, cluster).0) });
        }
        let me = cx.me.principal.user.iter().chain(&cx.me.principal.groups);
        for owner in me {
            let (kind, _, name) = split_canonical(owner);
            let item = Item::new(name, choose(owner.clone())).detail(format!("what the {kind} owns"));
            items.push(Item { heading: "Mine", ..item });
        }
        for canonical in cx.kubernetes.health.keys() {
            let (kind, _, name) = split_canonical(canonical);
            let item = Item::new(name, choose(canonical.to_string())).detail(kind);
            items.push(Item { heading: "Services", ..item });
        }
        for namespace in view::namespaces(&cx.kubernetes, &self.argument.clusters, "") {
            let item = Item::new(&*namespace.name, choose(format!("ns/{}", namespace.name)));
            let detail = format!("{} pods", grouped(namespace.pods));
            items.push(Item { heading: "Namespaces", ..item.detail(detail) });
        }
        Overlay::new(OverlayKind::Menu, "whose objects?", Mode::Typing, items)
    }

    pub(super) fn choose_scope(&mut self, choice: &str, cx: &Context) -> Vec<Effect> {
        let view = match &self.argument.view {
            View::Of(_, kind) => View::Kind(*kind),
            view => view.clone(),
        };
        let line = format!("{} {choice}", view.word(&cx.kubernetes));
        match place::parse(&line, cx) {
            Ok(parsed) => self.show(
                |argument| {
                    argument.view = parsed.view;
                    argument.scope = parsed.scope;
                    argument.word = parsed.word;
                    argument.clusters = parsed.clusters;
                },
                cx,
            ),
            Err(reason) => vec![Effect::Toast(Level::Error, reason)],
        }
    }
}

/// Returns filters to choose from: our own, then the saved views.
pub(super) fn views_menu(cx: &Context) -> Overlay {
    let mut items: Vec<Item> = [
        ("broken", "is:broken"),
        ("restarted", "restarts>0"),
        ("pending", "is:pending"),
        ("young", "age<1h"),
    ]
    .into_iter()
    .map(|(name, term)| Item {
        heading: "Chips",
        ..Item::new(name, vec![Effect::Run(id::CLEAR), Effect::Choose(FILTER_BY, term.to_owned())])
            .detail(term)
    })
    .collect();
    for (name, line) in cx.views.iter().filter(|(_, line)| line.starts_with(KUBERNETES)) {
        if let Some(effects) = palette::read_line(line, cx) {
            items.push(Item { heading: "Views", ..Item::new(name, effects).detail(line) });
        }
    }
    Overlay::new(OverlayKind::Menu, "filters and views", Mode::Typing, items)
}
