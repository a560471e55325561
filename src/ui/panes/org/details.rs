//! What stands beside the tree in words: who a group is, how to reach it, its people.

use super::chart::{self, Remark, What, targets};
use super::{LISTED, OrgPane, email};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::grouped;
use crate::app::subject::links;
use crate::catalog::Catalog;
use crate::config::theme::Role;
use crate::model::text::width as cells;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;

impl OrgPane {
    pub(super) fn lines(&self, cx: &Context, catalog: &Catalog, at: usize, width: usize) -> Vec<Line> {
        let Some(item) = self.chart.items.get(at) else { return Vec::new() };
        let words = |text: &str, role: Role| -> Vec<Line> {
            wrap(text, width.min(100)).into_iter().map(|line| vec![span(line, role)]).collect()
        };
        let Some(id) = item.id() else {
            let text = match item.what {
                What::Ungrouped => "People who are in no group that somebody describes.",
                What::Nowhere => {
                    "Groups and people that are named as owner, parent or member, and that nobody describes. Describe them, or \
                     mend the name where it is written."
                }
                _ => "What has no owner, or an owner that nobody describes. Put the group into `spec.owner`.",
            };
            let mut lines = words(text, Role::Text);
            if item.what == What::Unowned {
                lines.push(Vec::new());
                lines.extend(words(&format!("{} lists them in the catalog", cx.key(id::OPEN)), Role::Dim));
            }
            return lines;
        };
        let mut lines: Vec<Line> = Vec::new();
        let Some(entity) = catalog.entity(id) else {
            lines.extend(words(&format!("nobody describes `{}`", catalog.ref_of(id)), Role::Unknown));
            add_people(cx, catalog, item, &mut lines);
            return lines;
        };
        if let Some(title) = entity.title().filter(|title| *title != entity.name()) {
            lines.push(vec![span(title, Role::Title)]);
        }
        lines.push(entity_lines::facts(&entity));
        let description = entity.description().trim();
        if !description.is_empty() {
            lines.extend(words(description, Role::Text));
        }
        if let Remark::Lost(other) = item.remark {
            let text = format!("{} is described nowhere", short_ref(catalog.ref_of(other)));
            lines.push(vec![span(format!("{} {text}", Sign::Unknown.text(cx)), Role::Unknown)]);
        }
        if item.remark == Remark::Circle {
            lines.push(vec![span("it is its own parent, in a circle", Role::Warn)]);
        }
        for (relation, label) in [("childOf", "parent"), ("memberOf", "in"), ("parentOf", "groups")] {
            let names: Vec<_> = targets(catalog, id, relation)
                .take(LISTED)
                .map(|t| entity_lines::target(cx, catalog, t))
                .collect();
            if names.is_empty() {
                continue;
            }
            let mut line = vec![span(format!("{label:<9}"), Role::Dim)];
            for name in names {
                if line.len() > 1 && crate::ui::text::line_width(&line) + cells(&name.text) + 2 > width {
                    lines.push(std::mem::replace(&mut line, vec![span(" ".repeat(9), Role::Dim)]));
                }
                line.extend([name, span("  ", Role::Text)]);
            }
            lines.push(line);
        }
        let ways = links(&entity);
        if !ways.is_empty() {
            lines.push(Vec::new());
        }
        for (title, url) in ways {
            lines.push(match url.strip_prefix("mailto:") {
                Some(address) => vec![span("e-mail   ", Role::Dim), span(address, Role::Link)],
                None => vec![span(title, Role::Link), span(format!("  {url}"), Role::Dim)],
            });
        }
        add_people(cx, catalog, item, &mut lines);
        lines
    }
}

/// Adds the members with names and addresses.
fn add_people(cx: &Context, catalog: &Catalog, item: &chart::Item, lines: &mut Vec<Line>) {
    let What::Group(id) = item.what else { return };
    lines.push(Vec::new());
    if item.members.0 == 0 {
        lines.push(vec![span("no members", Role::Dim)]);
        return;
    }
    lines.push(vec![span(format!("members ({})", grouped(item.members.0)), Role::Dim)]);
    for member in targets(catalog, id, "hasMember").take(LISTED) {
        let Some(person) = catalog.entity(member) else {
            lines.push(vec![entity_lines::target(cx, catalog, member)]);
            continue;
        };
        let mut line = vec![span(person.title().unwrap_or(person.name()), Role::Text)];
        if let Some(email) = email(catalog, member) {
            line.push(span(format!("  {email}"), Role::Link));
        }
        if cx.me.principal.user.as_deref() == Some(person.entity_ref()) {
            line.push(span("  me", Role::Accent));
        }
        lines.push(line);
    }
    if item.members.0 > LISTED {
        let rest = grouped(item.members.0 - LISTED);
        lines.push(vec![span(format!("… {rest} more; the tree has them all"), Role::Dim)]);
    }
}
