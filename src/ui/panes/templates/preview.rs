//! What a template asks and does, at a glance: the pages of its form, then its steps.

use crate::app::Context;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Role;
use crate::model::text::width;
use crate::scaffolder::actions::Registry;
use crate::scaffolder::form::{Facts, Field, Form, Widget};
use crate::scaffolder::template::Base;
use crate::scaffolder::{Template, Value};
use crate::ui::entity_lines::{plural, target};
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::{Flow, Piece};
use std::sync::Arc;

/// Returns the lines of the preview at a width.
pub fn lines(cx: &Context, catalog: &Catalog, entity: Entity<'_>, cells: usize) -> Vec<Line> {
    let template = Arc::new(Template::of(entity, Base::Unknown(String::new())));
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
    form(cx, &template, &mut flow);
    steps(cx, &template, &mut flow);
    flow.lines
}

/// The pages with their fields as they are before anything is answered: title, mark of the required ones, rule.
fn form(cx: &Context, template: &Arc<Template>, flow: &mut Flow<()>) {
    flow.heading("Form", &plural(template.pages.len(), "page"));
    if template.pages.is_empty() {
        flow.text("It asks nothing.", Role::Dim);
    }
    let facts = Facts { me: cx.me.principal.clone(), ..Facts::default() };
    let form = Form::new(template.clone(), &Value::UNDEFINED, facts);
    for (at, page) in form.pages().iter().enumerate() {
        flow.pieces(0, vec![Piece::text(format!("{} {}", at + 1, page.title), Role::Accent)]);
        for field in form.fields(at) {
            let mark = if field.is_required { " *" } else { "" };
            flow.columns(
                2 + 2 * usize::from(field.depth),
                vec![
                    (Piece::text(format!("{}{mark}", field.title), Role::Text), 26),
                    (Piece::text(rule(field), Role::Dim), 0),
                ],
            );
        }
        let schema = template.pages.get(at).map(|page| page.schema.clone()).unwrap_or_default();
        let has = |key: &&str| schema.get_attr(key).is_ok_and(|value| !value.is_undefined());
        if ["dependencies", "if", "allOf", "oneOf", "anyOf"].iter().any(has) {
            flow.indented(2, "further fields depend on the answers", Role::Dim);
        }
    }
}

fn steps(cx: &Context, template: &Template, flow: &mut Flow<()>) {
    flow.heading("Steps", &plural(template.steps.len(), "step"));
    let actions = template.steps.iter().map(|step| width(&step.action)).max().unwrap_or(0);
    let registry = Registry::built_in();
    for (at, step) in template.steps.iter().enumerate() {
        let condition = match (step.condition.is_undefined(), step.each.is_undefined()) {
            (true, true) => String::new(),
            (true, false) => format!("  for each of {}", step.each),
            (false, _) => format!("  if {}", step.condition),
        };
        let is_known = registry.has(&step.action);
        flow.columns(
            0,
            vec![
                (Piece::text((at + 1).to_string(), Role::Dim), 2),
                (
                    Piece::text(step.action.as_str(), if is_known { Role::Accent } else { Role::Unknown }),
                    actions.min(flow.width() / 2),
                ),
                (Piece::text(format!("{}{condition}", step.name), Role::Text), 0),
            ],
        );
        if !is_known {
            let words = format!("{} nobody here knows this action", Sign::Unknown.text(cx));
            flow.indented(4, &words, Role::Unknown);
        }
    }
}

/// Returns what a field wants in a few words: its rule, its choices, else what it is.
fn rule(field: &Field) -> String {
    if !field.rule.is_empty() {
        return field.rule.clone();
    }
    match &field.widget {
        Widget::Choice { choices, .. } | Widget::Several { choices } => {
            choices.iter().map(|choice| choice.label.as_str()).collect::<Vec<_>>().join(", ")
        }
        Widget::Toggle => "yes or no".to_owned(),
        Widget::Picker { is_multiple: true, .. } => "several of the catalog".to_owned(),
        Widget::Picker { .. } => "one of the catalog".to_owned(),
        Widget::Secret => "a secret, never kept".to_owned(),
        Widget::Repo => "a repository".to_owned(),
        Widget::List { .. } => "a list".to_owned(),
        _ => String::new(),
    }
}
