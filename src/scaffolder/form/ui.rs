//! The `ui:` keys of a page: lifted out of its schema once, looked up per field.
//!
//! As in the original all branches that define a property share one node; of two that say the same key, the
//! later one in the file counts.

use super::json::{Json, Map};

/// Deepest nesting that is looked through.
const MAX_DEPTH: usize = 40;

/// Returns the tree of `ui:` keys of a schema: fields by their names, items of lists below `items`.
pub fn lifted(schema: &Json) -> Json {
    let mut ui = Json::object();
    lift(schema, &mut ui, 0);
    ui
}

fn lift(schema: &Json, ui: &mut Json, depth: usize) {
    let Some(keys) = schema.as_object().filter(|_| depth < MAX_DEPTH) else { return };
    for (key, value) in keys.iter().filter(|(key, _)| key.starts_with("ui:")) {
        ui.fields_mut().insert(key.clone(), value.clone());
    }
    for (name, property) in keys.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::iter) {
        if property.as_object().is_some() {
            lift(property, node(ui, name), depth + 1);
        }
    }
    if let Some(items @ Json::Object(_)) = keys.get("items") {
        ui.fields_mut().insert("items", Json::object());
        lift(items, node(ui, "items"), depth + 1);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for part in super::json::json_list(keys.get(key)) {
            lift(part, ui, depth + 1);
        }
    }
    for (_, part) in keys.get("dependencies").and_then(Json::as_object).into_iter().flat_map(Map::iter) {
        lift(part, ui, depth + 1);
    }
    for part in ["then", "else"].iter().filter_map(|key| keys.get(key)) {
        lift(part, ui, depth + 1);
    }
}

fn node<'a>(ui: &'a mut Json, name: &str) -> &'a mut Json {
    let map = ui.fields_mut();
    if map.get(name).and_then(Json::as_object).is_none() {
        map.insert(name, Json::object());
    }
    // just put there
    map.get_mut(name).unwrap_or_else(|| unreachable!("the node was put there"))
}

/// The `ui:` keys of one field.
#[derive(Debug, Clone, Default)]
pub struct Ui {
    options: Map,
}

impl Ui {
    /// Collects them: those of the lifted tree, then those in the schema itself, which is where a referenced
    /// definition has them.
    pub fn of(lifted: Option<&Json>, schema: &Json) -> Self {
        let mut options = Map::default();
        for from in [Some(schema), lifted].into_iter().flatten() {
            let keys = from.as_object().into_iter().flat_map(Map::iter);
            for (key, value) in keys {
                match (key.strip_prefix("ui:"), value) {
                    (Some("options"), Json::Object(inner)) => {
                        inner.iter().for_each(|(key, value)| options.insert(key.clone(), value.clone()));
                    }
                    (Some(key), value) => options.insert(key, value.clone()),
                    (None, _) => {}
                }
            }
        }
        Self { options }
    }

    /// Returns an option: `ui:help` is `help`, and so is `help` in `ui:options`.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.options.get(key)
    }

    /// Returns an option that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::as_str)
    }

    /// Returns whether an option is on.
    pub fn is_on(&self, key: &str) -> bool {
        self.get(key).and_then(Json::as_bool) == Some(true)
    }

    /// Returns whether an option is switched off, `label: false`.
    pub fn is_off(&self, key: &str) -> bool {
        self.get(key).and_then(Json::as_bool) == Some(false)
    }

    /// Returns texts of an option that is a list or one text.
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Json::List(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(Json::Text(text)) => vec![text.to_string()],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffolder::form::json::json;

    #[test]
    fn branches_share_a_node_and_the_later_wins() {
        let schema = json(
            "{properties: {a: {ui:help: one, ui:widget: radio}}, dependencies: {a: {oneOf: [{properties: {b: {ui:widget: textarea}}}, \
             {properties: {b: {ui:widget: password, items: {ui:help: x}}}}]}}, then: {properties: {a: {ui:help: two}}}}",
        );
        let expected =
            json("{a: {ui:help: two, ui:widget: radio}, b: {ui:widget: password, items: {ui:help: x}}}");
        assert_eq!(lifted(&schema), expected);
    }

    #[test]
    fn options_are_one_set() {
        let ui = Ui::of(
            Some(&json("{ui:help: a, ui:options: {rows: 4, label: false}}")),
            &json("{ui:help: b, ui:title: T}"),
        );
        assert_eq!((ui.text("help"), ui.text("title")), (Some("a"), Some("T")));
        assert_eq!(ui.get("rows").and_then(Json::as_count), Some(4));
        assert!(ui.is_off("label"));
    }
}
