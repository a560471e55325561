//! Changes to a part of an object: merge, strategic merge, JSON patch.

use serde_json::{Map, Value};

/// Applies a merge patch (RFC 7386).
pub fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Lists that are merged by a key of their items, by the name of the list.
const MERGE_KEYS: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("env", "name"),
    ("ports", "containerPort"),
    ("conditions", "type"),
    ("ownerReferences", "uid"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("addresses", "type"),
];

/// Applies a strategic merge patch: lists of the table by key, with `$patch: delete|replace`; others whole.
pub fn strategic(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() || patch.get("$patch").is_some_and(|how| how == "replace") {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let by = MERGE_KEYS.iter().find(|(list, _)| list == key).map(|(_, by)| *by);
        match (value, by) {
            (Value::Null, _) => {
                target.remove(key);
            }
            (Value::Array(items), Some(by)) => {
                let list = target.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                merge_list(list, items, by);
            }
            (Value::Object(_), _) => strategic(target.entry(key.clone()).or_insert(Value::Null), value),
            _ => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

fn merge_list(list: &mut Value, items: &[Value], by: &str) {
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Some(list) = list.as_array_mut() else { return };
    if items.iter().any(|item| item["$patch"] == "replace") {
        list.clear();
    }
    for item in items {
        let at = list.iter().position(|old| !item[by].is_null() && old[by] == item[by]);
        match (item["$patch"].as_str(), at) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some(_), None) if item.as_object().is_some_and(|item| item.len() == 1) => {}
            (_, Some(at)) => {
                if let Some(old) = list.get_mut(at) {
                    strategic(old, item);
                }
            }
            (_, None) => {
                let mut made = Value::Null;
                strategic(&mut made, item);
                list.push(made);
            }
        }
    }
}

/// Applies a JSON patch (RFC 6902).
///
/// # Errors
/// What cannot be done.
pub fn json(target: &mut Value, patch: &Value) -> Result<(), String> {
    let operations = patch.as_array().ok_or("a JSON patch is a list")?;
    for operation in operations {
        let path = operation["path"].as_str().ok_or("an operation has no path")?;
        let missing =
            || format!("the server rejected our request due to an error in our request: {path} is not there");
        match operation["op"].as_str().unwrap_or_default() {
            "add" => add(target, path, operation["value"].clone()).ok_or_else(missing)?,
            "remove" => remove(target, path).map(|_| ()).ok_or_else(missing)?,
            "replace" => {
                if path.is_empty() {
                    *target = operation["value"].clone();
                } else {
                    *target.pointer_mut(path).ok_or_else(missing)? = operation["value"].clone();
                }
            }
            "test" => {
                if target.pointer(path) != Some(&operation["value"]) {
                    return Err(format!("testing value {path} failed"));
                }
            }
            how @ ("copy" | "move") => {
                let from = operation["from"].as_str().unwrap_or_default();
                let value = target.pointer(from).cloned().ok_or_else(missing)?;
                if how == "move" {
                    remove(target, from);
                }
                add(target, path, value).ok_or_else(missing)?;
            }
            other => return Err(format!("unexpected kind of operation: {other}")),
        }
    }
    Ok(())
}

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    let Some((parent, key)) = path.rsplit_once('/') else {
        *target = value;
        return Some(());
    };
    let key = unescape(key);
    match target.pointer_mut(parent)? {
        Value::Object(object) => {
            object.insert(key, value);
        }
        Value::Array(list) => {
            let at = if key == "-" { list.len() } else { key.parse().ok().filter(|at| *at <= list.len())? };
            list.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    let (parent, key) = path.rsplit_once('/')?;
    let key = unescape(key);
    match target.pointer_mut(parent)? {
        Value::Object(object) => object.remove(&key),
        Value::Array(list) => {
            let at = key.parse().ok().filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patches_take_away_by_null() {
        let mut object = json!({"a": {"b": 1, "c": 2}, "l": [1]});
        merge(&mut object, &json!({"a": {"b": null, "d": 3}, "l": [2]}));
        assert_eq!(object, json!({"a": {"c": 2, "d": 3}, "l": [2]}));
    }

    #[test]
    fn strategic_patches_merge_containers_by_name() {
        let mut object = json!({"containers": [{"name": "a", "image": "x:1"}, {"name": "b"}], "args": ["1"]});
        strategic(
            &mut object,
            &json!({"containers": [{"name": "a", "image": "x:2"}, {"name": "b", "$patch": "delete"}, {"name": "c"}],
                    "args": ["2"], "$setElementOrder/containers": [{"name": "a"}]}),
        );
        assert_eq!(
            object,
            json!({"containers": [{"name": "a", "image": "x:2"}, {"name": "c"}], "args": ["2"]})
        );
    }

    #[test]
    fn json_patches_do_as_told() {
        let mut object = json!({"a": {"b/c": 1}, "l": [1, 2]});
        let patch = json!([
            {"op": "test", "path": "/a/b~1c", "value": 1},
            {"op": "replace", "path": "/a/b~1c", "value": 5},
            {"op": "add", "path": "/l/-", "value": 3},
            {"op": "remove", "path": "/l/0"},
        ]);
        json(&mut object, &patch).unwrap();
        assert_eq!(object, json!({"a": {"b/c": 5}, "l": [2, 3]}));
        assert!(json(&mut object, &json!([{"op": "replace", "path": "/no", "value": 1}])).is_err());
        assert!(json(&mut object, &json!([{"op": "test", "path": "/l", "value": 1}])).is_err());
    }
}
