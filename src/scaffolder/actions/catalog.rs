//! `catalog:write` and `catalog:fetch`.

use super::paths::{inside, trouble};
use super::{BuiltIn, Entry, Input, object, schema};
use crate::model::EntityRef;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Workbench};
use minijinja::value::{Serde, ValueKind};
use serde_json::json;
use std::sync::Arc;

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[("catalog:write", write), ("catalog:fetch", fetch)];

/// Name of the annotation that says which template made an entity.
const SOURCE_TEMPLATE: &str = "backstage.io/source-template";
/// File that is written unless the template names another.
const FILE: &str = "catalog-info.yaml";
/// Most entities of one step.
const MAX_ENTITIES: usize = 10_000;

fn write() -> Arc<dyn Action> {
    let input = schema(&[("entity*", json!({"type": "object"})), ("filePath", json!({"type": "string"}))]);
    let about = "Writes an entity into a descriptor of the workspace";
    BuiltIn::harmless("catalog:write", about, input, Value::UNDEFINED, run_write)
}

fn run_write(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let fields = Input(input);
    let named = fields.word("filePath").unwrap_or_else(|| FILE.to_owned());
    let path = inside(bench.workspace(), &named)?;
    let entity = with_source(&fields.get("entity"), &bench.template().entity_ref);
    let text = super::yaml::write(&entity);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| trouble("create the folder", parent, &error))?;
    }
    bench.log(&format!("Writing {named}"));
    std::fs::write(&path, text).map_err(|error| trouble("write", &path, &error))?;
    Ok(Value::UNDEFINED)
}

/// Adds the annotation that names the template; fields stay where they are.
fn with_source(entity: &Value, template: &str) -> Value {
    let metadata = Input(entity).get("metadata");
    let annotations = set(&Input(&metadata).get("annotations"), SOURCE_TEMPLATE, Value::from(template));
    set(entity, "metadata", set(&metadata, "annotations", annotations))
}

fn set(map: &Value, key: &str, value: Value) -> Value {
    let is_map = map.kind() == ValueKind::Map;
    let pairs = map.try_iter().into_iter().flatten().filter(|_| is_map);
    let pairs: Vec<_> = pairs.map(|key| (key.clone(), map.get_item(&key).unwrap_or_default())).collect();
    Value::from_pairs(pairs.into_iter().chain([(Value::from(key), value)]))
}

fn fetch() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    let input = schema(&[
        ("entityRef", text()),
        ("entityRefs", json!({"type": "array", "items": text()})),
        ("optional", json!({"type": "boolean"})),
        ("defaultKind", text()),
        ("defaultNamespace", text()),
    ]);
    let output = object([(
        "properties",
        object([
            ("entity", Value::from(Serde(json!({})))),
            ("entities", Value::from(Serde(json!({"type": "array"})))),
        ]),
    )]);
    BuiltIn::harmless("catalog:fetch", "Reads entities of the catalog", input, output, run_fetch)
}

fn run_fetch(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let fields = Input(input);
    let one = fields.word("entityRef");
    let several = fields.has("entityRefs").then(|| fields.texts("entityRefs"));
    let optional = fields.flag("optional");
    if one.is_none() && several.is_none() {
        if optional {
            return Ok(Value::UNDEFINED);
        }
        return Err(ActionError::new("Missing entity reference or references")
            .hint("give `entityRef` or `entityRefs`"));
    }
    let find = |named: &String| entity(named, fields, optional, bench);
    let mut output = Vec::new();
    if let Some(one) = &one {
        output.push(("entity", find(one)?));
    }
    if let Some(several) = &several {
        if several.len() > MAX_ENTITIES {
            return Err(ActionError::new(format!("more than {MAX_ENTITIES} entities are asked for")));
        }
        output.push(("entities", several.iter().map(find).collect::<Result<Vec<_>, _>>()?.into()));
    }
    Ok(object(output))
}

fn entity(
    named: &str,
    fields: Input<'_>,
    optional: bool,
    bench: &dyn Workbench,
) -> Result<Value, ActionError> {
    let kind = fields.word("defaultKind");
    let namespace = fields.word("defaultNamespace").unwrap_or_else(|| "default".to_owned());
    let parsed = EntityRef::parse(named, kind.as_deref(), &namespace).map_err(|error| {
        ActionError::new(format!("`{}` is no entity reference: {error}", named.escape_debug()))
            .hint("write `kind:namespace/name`, or set `defaultKind`")
    })?;
    let catalog = &bench.host().catalog;
    let found = catalog.find(&parsed.to_string()).and_then(|id| catalog.entity(id));
    match found {
        Some(entity) => Ok(Value::from(Serde(entity))),
        None if optional => Ok(Value::from(())),
        None => {
            let refs = catalog.entities().map(|entity| entity.entity_ref());
            let near: Vec<_> = crate::model::text::nearest(&parsed.to_string(), refs)
                .into_iter()
                .take(3)
                .map(|near| format!("`{near}`"))
                .collect();
            let hint =
                if near.is_empty() { String::new() } else { format!("did you mean {}?", near.join(", ")) };
            Err(ActionError::new(format!("Entity {named} not found")).hint(hint))
        }
    }
}
