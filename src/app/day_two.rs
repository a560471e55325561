//! Templates that change something that is there already: what they can be used on, and the rows that say so.
//!
//! A template whose first question is for one entity can be begun from every entity that fits the question.

use super::context::Context;
use super::event::Effect;
use super::overlay::Item;
use super::place::{Place, WIZARD};
use crate::catalog::Entity;
use crate::model::value::ValueRef;
use crate::scaffolder::Template;
use crate::scaffolder::Value;
use crate::scaffolder::form::{Facts, Form, What, Widget, is_candidate};
use crate::scaffolder::template::Base;
use std::sync::Arc;

/// Fields that ask for one entity.
const PICKERS: [&str; 2] = ["EntityPicker", "OwnedEntityPicker"];
/// Most templates in a menu.
const MAX: usize = 20;

/// Returns a row for each template that can be begun from an entity, by title.
pub fn items(cx: &Context, entity: &str) -> Vec<Item> {
    let is_entity = cx.catalog.find(entity).is_some_and(|id| cx.catalog.is_entity(id));
    if !is_entity {
        return Vec::new();
    }
    let templates = cx.catalog.entities().filter(|other| other.kind().eq_ignore_ascii_case("template"));
    let mut found: Vec<(String, Item)> = templates
        .filter(|template| may_ask_for_one(template) && asks_for(cx, *template, entity))
        .take(MAX)
        .map(|template| {
            let title = template.title().unwrap_or_else(|| template.name()).to_owned();
            let place = Place::with(WIZARD, format!("{} for {entity}", template.entity_ref()));
            let description = template.description().lines().next().unwrap_or_default().to_owned();
            let item = Item::new(title.as_str(), vec![Effect::Open(place)]).detail(description);
            (title, Item { heading: "Templates for it", ..item })
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().map(|(_, item)| item).collect()
}

/// Looks at the first question only, so that most templates cost nothing.
fn may_ask_for_one(template: &Entity<'_>) -> bool {
    let parameters = template.spec().get("parameters");
    let first = match parameters {
        ValueRef::Array(pages) => pages.iter().next(),
        ValueRef::Object(_) => Some(parameters),
        _ => None,
    };
    let properties = first.map(|page| page.get("properties"));
    let fields = properties.and_then(super::super::model::value::ValueRef::as_object);
    // the order may be another one by `ui:order`; the form decides
    fields.is_some_and(|fields| {
        fields
            .iter()
            .any(|(_, field)| field.get("ui:field").as_str().is_some_and(|name| PICKERS.contains(&name)))
    })
}

fn asks_for(cx: &Context, template: Entity<'_>, entity: &str) -> bool {
    let me = cx.me.principal.clone();
    let template = Arc::new(Template::of(template, Base::Unknown(String::new())));
    let form = Form::new(template, &Value::UNDEFINED, Facts { me: me.clone(), ..Facts::default() });
    let Some(pointer) = entity_field(&form) else { return false };
    form.lookup(&pointer, "").is_some_and(|lookup| is_candidate(&lookup, entity, &cx.catalog, &me))
}

/// Returns the pointer of the first question of a form, if it asks for one entity.
pub fn entity_field(form: &Form) -> Option<String> {
    let first = form.fields(0).iter().find(|field| !field.widget.is_head() && !field.is_disabled)?;
    let lookup = form.lookup(&first.pointer, "")?;
    let is_entity = matches!(lookup.what, What::Entities { .. });
    let is_single = matches!(first.widget, Widget::Picker { is_multiple: false, .. });
    (is_entity && is_single).then(|| first.pointer.clone())
}
