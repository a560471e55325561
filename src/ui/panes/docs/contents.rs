//! The two lists beside the text: pages of the site with its decision records, headings of the page.

use crate::app::context::Context;
use crate::config::theme::Role;
use crate::docs::site::adr::status_word;
use crate::docs::site::{NavItem, Site};
use crate::model::text::cut;
use crate::ui::text::{Line, span};
use std::collections::BTreeSet;

/// A row of the list of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageRow {
    /// Levels above it.
    pub level: usize,
    /// What it says.
    pub title: String,
    /// What it is.
    pub kind: RowKind,
}

/// What a row of the list of pages is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowKind {
    /// A page, by its path.
    Page(String),
    /// A section, by its number among the sections, and whether it is folded.
    Section(usize, bool),
    /// An address.
    Link(String),
    /// A page that is not there.
    Missing,
    /// A decision record: path, status, date.
    Record { path: String, status: String, date: String },
    /// A heading of its own.
    Title,
}

/// Returns the rows of a site: navigation, what it does not lead to, decision records.
pub(super) fn rows(site: &Site, folded: &BTreeSet<usize>) -> Vec<PageRow> {
    let mut out = Vec::new();
    let mut number = 0;
    walk(site, &site.nav, 0, folded, true, &mut number, &mut out);
    let others: Vec<_> = site.pages.iter().filter(|page| !page.in_nav).collect();
    if !others.is_empty() {
        out.push(PageRow { level: 0, title: "Not in the navigation".to_owned(), kind: RowKind::Title });
        out.extend(others.into_iter().filter(|page| !is_record(site, &page.path)).map(|page| PageRow {
            level: 1,
            title: page.title.clone(),
            kind: RowKind::Page(page.path.clone()),
        }));
        if matches!(out.last(), Some(PageRow { kind: RowKind::Title, .. })) {
            out.pop();
        }
    }
    if !site.records.is_empty() {
        out.push(PageRow { level: 0, title: "Decisions".to_owned(), kind: RowKind::Title });
        out.extend(site.records.iter().map(|record| PageRow {
            level: 1,
            title: format!("{:04} {}", record.number, record.title),
            kind: RowKind::Record {
                path: record.page.clone(),
                status: record.status.clone(),
                date: record.date.clone(),
            },
        }));
    }
    out
}

fn is_record(site: &Site, path: &str) -> bool {
    site.records.iter().any(|record| record.page == path)
}

fn walk(
    site: &Site,
    items: &[NavItem],
    level: usize,
    folded: &BTreeSet<usize>,
    is_shown: bool,
    number: &mut usize,
    out: &mut Vec<PageRow>,
) {
    for item in items {
        let row = |title: String, kind| PageRow { level, title, kind };
        match item {
            NavItem::Page { title, page } => {
                let info = site.pages.get(*page);
                let path = info.map(|info| info.path.clone()).unwrap_or_default();
                let title = title.clone().or_else(|| info.map(|info| info.title.clone())).unwrap_or_default();
                if is_shown {
                    out.push(row(title, RowKind::Page(path)));
                }
            }
            NavItem::Section { title, items } => {
                let own = *number;
                *number += 1;
                let is_folded = folded.contains(&own);
                if is_shown {
                    out.push(row(title.clone(), RowKind::Section(own, is_folded)));
                }
                walk(site, items, level + 1, folded, is_shown && !is_folded, number, out);
            }
            NavItem::Link { title, url } if is_shown => {
                out.push(row(title.clone(), RowKind::Link(url.clone())));
            }
            NavItem::Missing { title, .. } if is_shown => out.push(row(title.clone(), RowKind::Missing)),
            NavItem::Link { .. } | NavItem::Missing { .. } => {}
        }
    }
}

impl PageRow {
    /// Returns the row as a line of at most `cells`.
    pub(super) fn line(&self, cx: &Context, cells: usize, current: &str) -> Line {
        let indent = "  ".repeat(self.level.min(8));
        let is_open = match &self.kind {
            RowKind::Page(path) | RowKind::Record { path, .. } => path == current,
            _ => false,
        };
        let (sign, role) = match (&self.kind, cx.ascii) {
            (RowKind::Section(_, true), false) => ("▸ ", Role::Accent),
            (RowKind::Section(_, false), false) => ("▾ ", Role::Accent),
            (RowKind::Section(_, true), true) => ("+ ", Role::Accent),
            (RowKind::Section(_, false), true) => ("- ", Role::Accent),
            (RowKind::Link(_), false) => ("↗ ", Role::Link),
            (RowKind::Link(_), true) => ("> ", Role::Link),
            (RowKind::Missing, false) => ("✗ ", Role::Error),
            (RowKind::Missing, true) => ("x ", Role::Error),
            (RowKind::Title, _) => ("", Role::Accent),
            _ if is_open => ("", Role::Title),
            _ => ("", Role::Text),
        };
        let mut line = vec![span(format!("{indent}{sign}"), role)];
        let used = indent.len() + sign.chars().count();
        let RowKind::Record { status, date, .. } = &self.kind else {
            line.push(span(self.title.clone(), role));
            return line;
        };
        let word = status_word(status);
        let facts = match cells {
            ..40 => word.to_owned(),
            _ => format!("{word} {date}").trim().to_owned(),
        };
        let room = cells.saturating_sub(used + facts.chars().count() + 1);
        line.push(span(cut(&self.title, room.max(8)).into_owned(), role));
        if !facts.is_empty() {
            line.push(span(format!(" {facts}"), status_role(word)));
        }
        line
    }
}

/// Returns the colour of a decision's status.
fn status_role(word: &str) -> Role {
    match word {
        "accepted" => Role::Ok,
        "proposed" | "draft" => Role::Info,
        "rejected" => Role::Error,
        "deprecated" | "superseded" => Role::Stale,
        _ => Role::Dim,
    }
}
