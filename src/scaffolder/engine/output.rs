//! The output of a template, rendered: links, texts, and everything as it was written.

use crate::model::EntityRef;
use crate::scaffolder::Value;
use crate::scaffolder::run::{Output, OutputLink, OutputText};
use minijinja::value::ValueKind;

/// Most links or texts that are shown.
const MOST: usize = 100;

/// Reads a rendered output; items whose `if` does not hold are left out.
pub fn read(rendered: &Value, is_truthy: fn(&Value) -> bool) -> Output {
    if rendered.kind() != ValueKind::Map {
        return Output { value: Value::from_pairs::<_, &str, Value>([]), ..Output::default() };
    }
    let keys = rendered.try_iter().into_iter().flatten();
    let value = Value::from_pairs(keys.map(|key| {
        let item = rendered.get_item(&key).unwrap_or_default();
        let is_list = matches!(key.as_str(), Some("links" | "text")) && item.kind() == ValueKind::Seq;
        let item = if is_list { wanted(&item, is_truthy) } else { item };
        (key, item)
    }));
    let items = |name: &str| {
        let list = value.get_attr(name).unwrap_or_default();
        let is_list = list.kind() == ValueKind::Seq;
        list.try_iter().into_iter().flatten().filter(move |_| is_list).take(MOST).collect::<Vec<_>>()
    };
    let links = items("links").iter().filter_map(link).collect();
    let texts = items("text").iter().filter_map(text).collect();
    Output { links, texts, value }
}

fn wanted(items: &Value, is_truthy: fn(&Value) -> bool) -> Value {
    let mut out = Vec::new();
    for item in items.try_iter().into_iter().flatten() {
        if item.kind() != ValueKind::Map {
            out.push(item);
            continue;
        }
        let has_condition = item.try_iter().into_iter().flatten().any(|key| key.as_str() == Some("if"));
        if has_condition && !is_truthy(&field(&item, "if")) {
            continue;
        }
        let keys = item.try_iter().into_iter().flatten().filter(|key| key.as_str() != Some("if"));
        out.push(Value::from_pairs(keys.map(|key| {
            let value = item.get_item(&key).unwrap_or_default();
            (key, value)
        })));
    }
    Value::from(out)
}

fn field(item: &Value, name: &str) -> Value {
    item.get_attr(name).unwrap_or_default()
}

fn word(item: &Value, name: &str) -> String {
    field(item, name).as_str().unwrap_or_default().to_owned()
}

fn link(item: &Value) -> Option<OutputLink> {
    let url = word(item, "url");
    let entity_ref = word(item, "entityRef");
    let entity_ref = EntityRef::parse(&entity_ref, Some("component"), "default")
        .map_or(entity_ref, |found| found.to_string());
    if url.is_empty() && entity_ref.is_empty() {
        return None;
    }
    let title = Some(word(item, "title")).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| if url.is_empty() { entity_ref.clone() } else { url.clone() });
    let entity_ref = if url.is_empty() { entity_ref } else { String::new() };
    Some(OutputLink { title, url, entity_ref })
}

fn text(item: &Value) -> Option<OutputText> {
    let content = word(item, "content");
    let title = word(item, "title");
    let is_default = field(item, "default").is_true();
    (!content.is_empty() || !title.is_empty()).then_some(OutputText { title, content, is_default })
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Serde;
    use serde_json::json;

    #[test]
    fn items_are_left_out_by_their_condition() {
        let rendered = json!({
            "links": [
                {"title": "A", "url": "https://a", "if": true}, {"title": "B", "url": "https://b", "if": ""},
                {"entityRef": "component:default/x"}, {"title": "none"}
            ],
            "text": [{"content": "hello", "default": true}],
            "remoteUrl": "https://r"
        });
        let output = read(&Value::from(Serde(rendered)), Value::is_true);
        let links: Vec<_> = output.links.iter().map(|link| link.title.as_str()).collect();
        assert_eq!(links, ["A", "component:default/x"]);
        assert!(output.texts[0].is_default);
        let json = serde_json::to_value(&output.value).unwrap();
        assert_eq!(json["remoteUrl"], "https://r");
        assert_eq!(json["links"][0], json!({"title": "A", "url": "https://a"}));
        assert_eq!(json["links"].as_array().unwrap().len(), 3);
    }
}
