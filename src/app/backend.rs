//! Asking the backend that a source reads from: to read an entity again, to register a location.

use super::context::{Context, grouped};
use super::event::{BackendOrder, Effect};
use super::overlay::{Item, Overlay};
use super::subject::Subject;
use crate::catalog::SourceState;
use crate::catalog::sources::Registered;
use crate::model::text::clean;

/// Most entities that one command has read again; more is what a refresh of the source is for.
const MAX_ENTITIES: usize = 50;
/// Names of entities shown before registering.
const MAX_NAMES: usize = 12;

/// Returns whether the backend of a source takes orders.
pub fn takes_orders(source: &SourceState) -> bool {
    source.kind == "backstage"
}

/// Returns the order to have what is focused or marked read again.
///
/// # Errors
/// Why there is nobody to ask.
pub fn refresh(cx: &Context, subjects: &[Subject]) -> Result<BackendOrder, String> {
    let source_of = |subject: &Subject| {
        let entity = cx.entity(subject.entity.as_deref()?)?;
        entity.source().map(|source| (source.name.to_string(), takes_orders(source)))
    };
    let first = subjects.first().ok_or("nothing is focused")?;
    if first.entity.is_none() {
        return Err("this is no entity".to_owned());
    }
    let source = match source_of(first) {
        Some((source, true)) => source,
        Some((source, false)) => {
            let key = cx.key(super::commands::id::REFRESH);
            return Err(format!("`{source}` is no Backstage backend to ask; `{key}` reads it again"));
        }
        None => return Err("it is described in no file".to_owned()),
    };
    let of_source = subjects.iter().filter(|subject| source_of(subject).is_some_and(|(s, _)| s == source));
    let entities: Vec<String> = of_source.filter_map(|subject| subject.entity.clone()).collect();
    if entities.len() > MAX_ENTITIES {
        return Err(format!("a backend is asked for {MAX_ENTITIES} entities at most"));
    }
    Ok(BackendOrder::Refresh { source, entities })
}

/// Reads an address that somebody typed into the order that says what registering it would bring.
///
/// # Errors
/// Why it is no address.
pub fn try_register(source: &str, typed: &str) -> Result<BackendOrder, String> {
    let target = typed.trim();
    if !url::Url::parse(target).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        let hint = "copy it from the browser: `https://github.com/acme/shop/blob/main/catalog-info.yaml`";
        return Err(format!("`{target}` is no address of a descriptor; {hint}"));
    }
    Ok(BackendOrder::TryRegister { source: source.to_owned(), target: target.to_owned() })
}

/// Returns the overlay that tells what registering an address brings, and does it on `enter`.
pub fn plan(source: &str, target: &str, plan: &Registered) -> Overlay {
    let order = BackendOrder::Register { source: source.to_owned(), target: target.to_owned() };
    let (title, yes) = if plan.exists {
        ("registered already", "have it read again")
    } else {
        ("register this location?", "register")
    };
    let mut text = vec![format!("source: {source}"), format!("target: {}", clean(target))];
    text.push(match plan.entities.len() {
        0 if plan.exists => "the backend has this location already".to_owned(),
        0 => "no entities come from it".to_owned(),
        1 => "1 entity comes from it:".to_owned(),
        many => format!("{} entities come from it:", grouped(many)),
    });
    text.extend(plan.entities.iter().take(MAX_NAMES).map(|entity| format!("  {}", clean(entity))));
    if plan.entities.len() > MAX_NAMES {
        text.push(format!("  and {} more", grouped(plan.entities.len() - MAX_NAMES)));
    }
    let items = vec![
        Item::new(yes, vec![Effect::Backend(order)]).letter('y'),
        Item::new("cancel", Vec::new()).letter('n'),
    ];
    let mut overlay = Overlay::menu(title, items);
    overlay.text = text;
    overlay
}
