//! What must hold of something: rules joined by `anyOf`, `allOf` and `not`.
//!
//! [`Criteria::holds`] judges one [`Resource`] and says which rule decided. Comparing follows the catalog's
//! query, which ignores case, because that is what lists of entities are filtered by.

use super::conditions::Fault;
use crate::model::value::ValueRef;
pub(super) use crate::yaml::Node;
use serde_json::Value;

/// Deepest nesting.
const MAX_DEPTH: usize = 12;
/// Most rules and groups together.
const MAX_NODES: usize = 256;
/// Most entries of one group.
const MAX_ITEMS: usize = 64;

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Criteria {
    /// One of these.
    Any(Vec<Criteria>),
    /// All of these.
    All(Vec<Criteria>),
    /// Not this.
    Not(Box<Criteria>),
    /// A rule.
    Rule(Rule),
}

/// A rule with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `IS_ENTITY_OWNER`.
    pub name: String,
    /// Type of what it judges.
    pub resource_type: String,
    /// Its parameters as written.
    pub params: Value,
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// An entity with the canonical refs of its owners.
    Entity {
        /// The descriptor.
        value: ValueRef<'a>,
        /// Its owners.
        owners: &'a [&'a str],
    },
    /// A page or step of a template with its tags.
    TemplatePart(&'a [String]),
    /// An action with its input.
    Action {
        /// `fetch:template`.
        id: &'a str,
        /// Its input.
        input: &'a Value,
    },
    /// A run of a template, by who started it.
    Task(&'a str),
    /// A role, by the owner its description names.
    Role(Option<&'a str>),
}

/// Who asks, for the words that stand for them.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Canonical ref of the user.
    pub user: &'a str,
    /// The user and their groups.
    pub owner_refs: &'a [String],
}

impl Criteria {
    /// Reads criteria out of a document.
    pub(super) fn read(node: &Node<'_>) -> Result<Self, Fault> {
        let mut nodes = 0;
        read(node, 1, &mut nodes)
    }

    /// Returns whether they hold; `failed` collects the rules that decided when they do not.
    pub fn holds(&self, resource: Resource<'_>, asker: Asker<'_>, failed: &mut Vec<String>) -> bool {
        match self {
            Self::Rule(rule) => {
                let holds = rule.holds(resource, asker);
                if !holds {
                    failed.push(rule.shown());
                }
                holds
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(resource, asker, failed)),
            Self::Any(parts) => {
                let before = failed.len();
                let holds = parts.iter().any(|part| part.holds(resource, asker, failed));
                if holds {
                    failed.truncate(before);
                }
                holds
            }
            Self::Not(part) => {
                let mut inner = Vec::new();
                let holds = !part.holds(resource, asker, &mut inner);
                if !holds {
                    failed.push(format!("not {}", part.shown()));
                }
                holds
            }
        }
    }

    /// Returns them in one line for people.
    pub fn shown(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(Self::shown).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::Rule(rule) => rule.shown(),
            Self::Any(parts) => join(parts, " or "),
            Self::All(parts) => join(parts, " and "),
            Self::Not(part) => format!("not {}", part.shown()),
        }
    }
}

fn read(node: &Node<'_>, depth: usize, nodes: &mut usize) -> Result<Criteria, Fault> {
    *nodes += 1;
    if depth > MAX_DEPTH {
        return Err(Fault::at(node, format!("conditions are nested deeper than {MAX_DEPTH}")));
    }
    if *nodes > MAX_NODES {
        return Err(Fault::at(node, format!("there are more than {MAX_NODES} conditions")));
    }
    if node.as_mapping().is_none() {
        return Err(Fault::at(node, "a condition is a mapping with `rule`, `anyOf`, `allOf` or `not`"));
    }
    let found: Vec<&str> =
        ["rule", "anyOf", "allOf", "not"].into_iter().filter(|word| node.get(word).is_some()).collect();
    match found.as_slice() {
        ["rule"] => rule(node).map(Criteria::Rule),
        ["not"] => Ok(Criteria::Not(Box::new(read(node.get("not").unwrap_or(node), depth + 1, nodes)?))),
        [word @ ("anyOf" | "allOf")] => {
            let list = node.get(word).unwrap_or(node);
            let items = list.as_sequence().filter(|items| !items.is_empty());
            let items = items.ok_or(Fault::at(list, format!("`{word}` is a list that is not empty")))?;
            if items.len() > MAX_ITEMS {
                return Err(Fault::at(list, format!("`{word}` has more than {MAX_ITEMS} entries")));
            }
            let parts: Result<Vec<Criteria>, Fault> =
                items.iter().map(|item| read(item, depth + 1, nodes)).collect();
            Ok(if *word == "anyOf" { Criteria::Any(parts?) } else { Criteria::All(parts?) })
        }
        [] => Err(Fault::at(node, "a condition needs `rule`, `anyOf`, `allOf` or `not`")),
        several => {
            let words = several.join("` and `");
            Err(Fault::at(node, format!("`{words}` stand side by side; put one inside the other")))
        }
    }
}

fn rule(node: &Node<'_>) -> Result<Rule, Fault> {
    let text = |field: &str| node.get(field).and_then(Node::as_str).map(str::to_owned);
    let params = node.get("params").map(|params| ValueRef::new(&params.to_packed()).to_json());
    Ok(Rule {
        name: text("rule").ok_or(Fault::at(node, "`rule` is a text"))?,
        resource_type: text("resourceType")
            .ok_or(Fault::at(node, "`resourceType` of the rule is missing"))?,
        params: params.unwrap_or(Value::Null),
    })
}

impl Rule {
    /// Returns it in one line for people: `IS_ENTITY_KIND kinds: Group`.
    pub fn shown(&self) -> String {
        let params: Vec<String> = self
            .params
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                let value = match value {
                    Value::Array(items) => {
                        let items: Vec<String> = items.iter().map(plain).collect();
                        items.join(", ")
                    }
                    other => plain(other),
                };
                format!("{key}: {value}")
            })
            .collect();
        if params.is_empty() { self.name.clone() } else { format!("{} {}", self.name, params.join("; ")) }
    }

    /// An unknown rule, or one about something else, never holds.
    fn holds(&self, resource: Resource<'_>, asker: Asker<'_>) -> bool {
        let text = |key: &str| self.text(key, asker);
        let list = |key: &str| self.list(key, asker);
        match (self.name.as_str(), resource) {
            ("IS_ENTITY_OWNER", Resource::Entity { owners, .. }) => {
                list("claims").iter().any(|claim| owners.contains(&claim.as_str()))
            }
            ("IS_ENTITY_KIND", Resource::Entity { value, .. }) => {
                let kind = value.get("kind").as_str().unwrap_or_default().to_lowercase();
                list("kinds").iter().any(|wanted| wanted.to_lowercase() == kind)
            }
            ("HAS_ANNOTATION", Resource::Entity { value, .. }) => {
                has(value, "metadata.annotations", text("annotation"), text("value"))
            }
            ("HAS_LABEL", Resource::Entity { value, .. }) => {
                has(value, "metadata.labels", text("label"), text("value"))
            }
            ("HAS_METADATA", Resource::Entity { value, .. }) => {
                has(value, "metadata", text("key"), text("value"))
            }
            ("HAS_SPEC", Resource::Entity { value, .. }) => has(value, "spec", text("key"), text("value")),
            ("HAS_TAG", Resource::TemplatePart(tags)) => text("tag").is_some_and(|tag| tags.contains(&tag)),
            ("HAS_ACTION_ID", Resource::Action { id, .. }) => {
                text("actionId").is_some_and(|wanted| wanted == id)
            }
            ("HAS_STRING_PROPERTY", Resource::Action { id, input }) => {
                self.has_property(id, input, Value::is_string)
            }
            ("HAS_NUMBER_PROPERTY", Resource::Action { id, input }) => {
                self.has_property(id, input, Value::is_number)
            }
            ("HAS_BOOLEAN_PROPERTY", Resource::Action { id, input }) => {
                self.has_property(id, input, Value::is_boolean)
            }
            ("IS_TASK_OWNER", Resource::Task(user)) => list("createdBy").iter().any(|by| by == user),
            ("IS_OWNER", Resource::Role(owner)) => {
                owner.is_some_and(|owner| list("owners").iter().any(|wanted| wanted == owner))
            }
            _ => false,
        }
    }

    fn text(&self, key: &str, asker: Asker<'_>) -> Option<String> {
        match self.params.get(key)? {
            Value::String(text) if text == "$currentUser" => Some(asker.user.to_owned()),
            Value::Null => None,
            other => Some(plain(other)),
        }
    }

    fn list(&self, key: &str, asker: Asker<'_>) -> Vec<String> {
        let items = self.params.get(key).and_then(Value::as_array);
        let mut list = Vec::new();
        for item in items.into_iter().flatten() {
            match item.as_str() {
                Some("$ownerRefs") => list.extend(asker.owner_refs.iter().cloned()),
                Some("$currentUser") => list.push(asker.user.to_owned()),
                Some(text) => list.push(text.to_owned()),
                None => {}
            }
        }
        list
    }

    fn has_property(&self, id: &str, input: &Value, is_type: fn(&Value) -> bool) -> bool {
        let Some(key) = self.params.get("key").and_then(Value::as_str) else { return false };
        let Some(found) = at_path(input, key).filter(|found| is_type(found)) else { return false };
        match self.params.get("value").filter(|value| !value.is_null()) {
            None => true,
            Some(Value::String(wanted)) if is_name_of_forge(id, key) => {
                found.as_str().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Some(wanted) => wanted == found || numbers_agree(wanted, found),
        }
    }
}

fn numbers_agree(a: &Value, b: &Value) -> bool {
    matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

/// Names on forges are the same in upper and lower case.
fn is_name_of_forge(id: &str, key: &str) -> bool {
    ["github", "gitlab", "bitbucket"].iter().any(|forge| id.contains(forge))
        && matches!(key, "owner" | "repoName" | "projectId" | "repoUrl")
}

/// Finds a value by a path with dots and brackets: `a.b[0].c`.
fn at_path<'v>(root: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = root.get(path) {
        return Some(found);
    }
    path.split(['.', '[']).try_fold(root, |at, step| {
        let step = step.trim_end_matches(']').trim_matches(['"', '\'']);
        match at {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        }
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns whether the entity has this key below a prefix, with this value where one is wanted.
fn has(entity: ValueRef<'_>, prefix: &str, key: Option<String>, value: Option<String>) -> bool {
    let Some(key) = key else { return false };
    let wanted = format!("{prefix}.{key}").to_lowercase();
    let value = value.map(|value| value.to_lowercase());
    is_there(entity, &wanted, value.as_deref())
}

/// Searches the flattened form of a value: fields joined by dots, lists by their entries, and for a text in a
/// list also its own name with the value `true` (`metadata.tags.java`).
fn is_there(at: ValueRef<'_>, rest: &str, value: Option<&str>) -> bool {
    match at {
        ValueRef::Object(fields) => fields.iter().any(|(key, inner)| {
            let key = key.to_lowercase();
            match rest.strip_prefix(key.as_str()) {
                Some("") => is_there(inner, "", value),
                Some(below) => below.strip_prefix('.').is_some_and(|below| is_there(inner, below, value)),
                None => false,
            }
        }),
        ValueRef::Array(items) => items.iter().any(|item| {
            let is_named = !rest.is_empty() && item.as_str().is_some_and(|text| text.to_lowercase() == rest);
            if is_named { value.is_none_or(|value| value == "true") } else { is_there(item, rest, value) }
        }),
        scalar => {
            rest.is_empty()
                && value
                    .is_none_or(|value| scalar.scalar_text().is_some_and(|text| text.to_lowercase() == value))
        }
    }
}
