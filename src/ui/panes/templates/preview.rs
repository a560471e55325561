//! What a template asks and does, at a glance: the pages of its form, then its steps.

use crate::app::Context;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Role;
use crate::model::text::width;
use crate::scaffolder::template::Base;
use crate::scaffolder::{Template, Value};
use crate::ui::entity_lines::{plural, target};
use crate::ui::text::{Line, span};
use crate::ui::widgets::{Flow, Piece};

/// Returns the lines of the preview at a width.
pub fn lines(cx: &Context, catalog: &Catalog, entity: Entity<'_>, cells: usize) -> Vec<Line> {
    let template = Template::of(entity, Base::Unknown(String::new()));
    let mut flow: Flow<()> = Flow::of_width(cells);
    flow.line(vec![span(template.title.as_str(), Role::Title)]);
    flow.text(&template.description, Role::Text);
    flow.blank();
    flow.row("ref", vec![Piece::text(&*template.entity_ref, Role::Dim)]);
    if let Some(owner) = entity.owner() {
        let owner = target(cx, catalog, owner);
        flow.row("owner", vec![Piece::text(owner.text, owner.role)]);
    }
    let words = |label: &str, text: String, flow: &mut Flow<()>| {
        if !text.is_empty() {
            flow.row(label, vec![Piece::text(text, Role::Text)]);
        }
    };
    words("type", entity.entity_type().to_owned(), &mut flow);
    words("tags", entity.tags().collect::<Vec<_>>().join("  "), &mut flow);
    form(&template, &mut flow);
    steps(&template, &mut flow);
    flow.lines
}

/// The pages with their fields: title, mark of the required ones, type and rule.
fn form(template: &Template, flow: &mut Flow<()>) {
    flow.heading("Form", &plural(template.pages.len(), "page"));
    if template.pages.is_empty() {
        flow.text("It asks nothing.", Role::Dim);
    }
    for (at, page) in template.pages.iter().enumerate() {
        flow.pieces(0, vec![Piece::text(format!("{} {}", at + 1, page.title), Role::Accent)]);
        let required: Vec<Value> = items(&field(&page.schema, "required"));
        for (name, schema) in entries(&field(&page.schema, "properties")) {
            let is_required = required.iter().any(|other| other.as_str() == Some(name.as_str()));
            let title = text(&schema, "title").unwrap_or_else(|| name.clone());
            let mark = if is_required { " *" } else { "" };
            flow.columns(
                2,
                vec![
                    (Piece::text(format!("{title}{mark}"), Role::Text), 24),
                    (Piece::text(rule(&schema), Role::Dim), 0),
                ],
            );
        }
        if ["dependencies", "if", "allOf", "oneOf", "anyOf"].iter().any(|key| is_there(&page.schema, key)) {
            flow.indented(2, "further fields depend on the answers", Role::Dim);
        }
    }
}

fn steps(template: &Template, flow: &mut Flow<()>) {
    flow.heading("Steps", &plural(template.steps.len(), "step"));
    let actions = template.steps.iter().map(|step| width(&step.action)).max().unwrap_or(0);
    for (at, step) in template.steps.iter().enumerate() {
        let condition = match (step.condition.is_undefined(), step.each.is_undefined()) {
            (true, true) => String::new(),
            (true, false) => format!("  for each of {}", step.each),
            (false, _) => format!("  if {}", step.condition),
        };
        flow.columns(
            0,
            vec![
                (Piece::text((at + 1).to_string(), Role::Dim), 2),
                (Piece::text(step.action.as_str(), Role::Accent), actions.min(flow.width() / 2)),
                (Piece::text(format!("{}{condition}", step.name), Role::Text), 0),
            ],
        );
    }
}

/// Returns what is asked for in a few words: the picker, the choices, else the type.
fn rule(schema: &Value) -> String {
    let choices = items(&field(schema, "enum"));
    if !choices.is_empty() {
        return choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    }
    text(schema, "ui:field").or_else(|| text(schema, "type")).unwrap_or_default()
}

fn field(value: &Value, name: &str) -> Value {
    value.get_attr(name).unwrap_or_default()
}

fn text(value: &Value, name: &str) -> Option<String> {
    field(value, name).as_str().map(str::to_owned)
}

fn is_there(value: &Value, name: &str) -> bool {
    !field(value, name).is_undefined()
}

fn items(value: &Value) -> Vec<Value> {
    value.try_iter().map(Iterator::collect).unwrap_or_default()
}

fn entries(value: &Value) -> Vec<(String, Value)> {
    let keys = items(value);
    keys.into_iter().filter_map(|key| Some((key.as_str()?.to_owned(), value.get_item(&key).ok()?))).collect()
}
