//! Label and field selectors: read as the API writes them, matched against objects.

use serde_json::Value;

/// What labels must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// The label has one of these values.
    In(String, Vec<String>),
    /// The label has none of these values, or is not there.
    NotIn(String, Vec<String>),
    /// The label is there.
    Exists(String),
    /// The label is not there.
    Missing(String),
}

/// All of some requirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<Requirement>);

impl Labels {
    /// Reads `a=b,c!=d,e in (f,g),!h`.
    ///
    /// # Errors
    /// What is wrong, as the API says it.
    pub fn parse(text: &str) -> Result<Self, String> {
        split(text).into_iter().map(|part| requirement(part.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Reads a `LabelSelector` object: `matchLabels` and `matchExpressions`.
    pub fn of_object(selector: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let equal = selector["matchLabels"].as_object().into_iter().flatten();
        let mut all: Vec<Requirement> =
            equal.map(|(key, value)| Requirement::In(key.clone(), vec![text(value)])).collect();
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            let key = text(&expression["key"]);
            let values = expression["values"].as_array().into_iter().flatten().map(text).collect();
            all.push(match expression["operator"].as_str().unwrap_or_default() {
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                "DoesNotExist" => Requirement::Missing(key),
                _ => Requirement::In(key, values),
            });
        }
        Self(all)
    }

    /// Returns whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the labels of an object are as required.
    pub fn matches(&self, labels: &Value) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                labels[key.as_str()].as_str().is_some_and(|value| values.iter().any(|v| v == value))
            }
            Requirement::NotIn(key, values) => {
                labels[key.as_str()].as_str().is_none_or(|value| values.iter().all(|v| v != value))
            }
            Requirement::Exists(key) => labels.get(key.as_str()).is_some(),
            Requirement::Missing(key) => labels.get(key.as_str()).is_none(),
        })
    }
}

/// Splits at commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Missing(key.trim().to_owned()));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), one(value)));
    }
    if let Some((key, value)) = part.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        if value.starts_with('=') {
            return Err("unable to parse requirement: found '=', expected: identifier".to_owned());
        }
        return Ok(Requirement::In(key.trim().to_owned(), one(value)));
    }
    let (head, list) = match part.split_once('(') {
        Some((head, list)) => (head, Some(list.trim_end().trim_end_matches(')'))),
        None => (part, None),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    let values = || list.unwrap_or_default().split(',').map(|value| value.trim().to_owned()).collect();
    match (words.as_slice(), list.is_some()) {
        ([key, "in"], true) => Ok(Requirement::In((*key).to_owned(), values())),
        ([key, "notin"], true) => Ok(Requirement::NotIn((*key).to_owned(), values())),
        ([key], false) => Ok(Requirement::Exists((*key).to_owned())),
        _ => {
            let found = words.get(1).or(words.first()).copied().unwrap_or_default();
            Err(format!(
                "unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt"
            ))
        }
    }
}

/// What fields must say: path, value, and whether they must be equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String, bool)>);

/// Fields that every kind, pods, events and others can be selected by.
fn is_known(plural: &str, path: &str) -> bool {
    let more: &[&str] = match plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        "jobs" => &["status.successful"],
        "replicasets" => &["status.replicas"],
        "namespaces" => &["status.phase"],
        _ => &[],
    };
    path == "metadata.name" || path == "metadata.namespace" || more.contains(&path)
}

impl Fields {
    /// Reads `metadata.name=x,status.phase!=Running`.
    ///
    /// # Errors
    /// What is wrong, as the API says it.
    pub fn parse(text: &str, plural: &str) -> Result<Self, String> {
        let mut all = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (path, value, is_equal) = if let Some((path, value)) = part.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = part.split_once('=') {
                (path, value.strip_prefix('=').unwrap_or(value), true)
            } else {
                return Err(format!("invalid field selector: '{part}'; can't understand '{part}'"));
            };
            if !is_known(plural, path.trim()) {
                return Err(format!("field label not supported: {}", path.trim()));
            }
            all.push((path.trim().to_owned(), value.trim().to_owned(), is_equal));
        }
        Ok(Self(all))
    }

    /// Returns whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether an object is as required.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, value, is_equal)| {
            let found = path.split('.').fold(object, |at, key| &at[key]);
            let is_same = match found {
                Value::String(text) => text == value,
                Value::Null => value.is_empty() || value == "false",
                Value::Bool(flag) => value == if *flag { "true" } else { "false" },
                other => serde_json::from_str::<Value>(value).is_ok_and(|value| value == *other),
            };
            is_same == *is_equal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn label_selectors_of_every_form() {
        let labels = json!({"app": "fitment", "component": "api", "tier": "1"});
        for (text, expected) in [
            ("", true),
            ("app=fitment", true),
            ("app==fitment,component in (api,rules)", true),
            ("component notin (api)", false),
            ("tier", true),
            ("!tier", false),
            ("!gone,app!=other", true),
            ("gone=x", false),
        ] {
            assert_eq!(Labels::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
        assert!(Labels::parse("a===b").is_err());
        assert!(Labels::parse("a b c").is_err());
    }

    #[test]
    fn selectors_of_objects() {
        let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [
            {"key": "track", "operator": "NotIn", "values": ["canary"]}]});
        let selector = Labels::of_object(&selector);
        assert!(selector.matches(&json!({"app": "x", "track": "stable"})));
        assert!(!selector.matches(&json!({"app": "x", "track": "canary"})));
        assert!(!selector.matches(&Value::Null));
    }

    #[test]
    fn field_selectors_know_their_fields() {
        let pod =
            json!({"metadata": {"name": "a"}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}});
        for (text, expected) in [
            ("metadata.name=a,spec.nodeName=n1", true),
            ("status.phase!=Running", false),
            ("status.podIP=", true),
        ] {
            assert_eq!(Fields::parse(text, "pods").unwrap().matches(&pod), expected, "{text}");
        }
        assert_eq!(
            Fields::parse("status.foo=b", "pods").unwrap_err(),
            "field label not supported: status.foo"
        );
    }
}
