//! Conditional policies in YAML: one document each, checked as the original checks them.
//!
//! One broken document spoils the whole file in the original; here it is told and the others count.

use super::PolicyFile;
use super::criteria::{Criteria, Node};
use super::csv::Place;
use super::known::{Action, POLICY};
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::yaml::{self, Data};
use std::sync::Arc;

/// Largest file, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Most documents of a file.
const MAX_DOCUMENTS: usize = 256;
/// Most permissions that are named in one document.
const MAX_NAMED: usize = 25;

/// What a condition is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the permission; `None` for every one with this action.
    pub name: Option<String>,
    /// What is done.
    pub action: Action,
}

/// A conditional policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditional {
    /// Who it is for.
    pub role: Arc<str>,
    /// The plugin that knows the rules: `catalog`.
    pub plugin: String,
    /// Type of what is judged.
    pub resource_type: String,
    /// What it is for.
    pub mapping: Vec<Mapping>,
    /// What must hold.
    pub criteria: Criteria,
    /// Where its document starts.
    pub place: Place,
}

impl Conditional {
    /// Returns whether it is about this permission.
    pub fn is_about(&self, name: &str, resource_type: &str, action: Action) -> bool {
        let is_meant = |mapping: &Mapping| {
            mapping.action == action && mapping.name.as_deref().is_none_or(|meant| meant == name)
        };
        self.resource_type == resource_type && self.mapping.iter().any(is_meant)
    }
}

/// Reads a file; what is rejected is told.
pub(super) fn read(file: &PolicyFile, problems: &mut Vec<Diagnostic>) -> Vec<Conditional> {
    let whole = |message: String| {
        Diagnostic::error("rbac::conditions", message)
            .at(Place { file: file.name.clone(), line: 1 }.location(1))
    };
    if file.text.len() > MAX_BYTES {
        problems.push(whole(format!("a file of conditional policies has at most {MAX_BYTES} bytes")));
        return Vec::new();
    }
    let mut found = Vec::new();
    for document in yaml::parse_stream(&file.text, &file.name) {
        let root = match document.content {
            Ok(Some(root)) if !root.is_null() => root,
            Ok(_) => continue,
            Err(problem) => {
                problems.push(*problem);
                continue;
            }
        };
        if found.len() >= MAX_DOCUMENTS {
            problems.push(whole(format!("a file has at most {MAX_DOCUMENTS} conditional policies")));
            break;
        }
        match document_of(&root, file) {
            Ok(condition) => found.push(condition),
            Err(fault) => problems.push(fault.told(file)),
        }
    }
    found
}

/// What is wrong, with the node that is.
pub(super) struct Fault {
    message: String,
    position: yaml::Position,
}

impl Fault {
    pub(super) fn at(node: &yaml::Node<'_>, message: impl Into<String>) -> Self {
        Self { message: message.into(), position: node.start }
    }

    fn told(self, file: &PolicyFile) -> Diagnostic {
        Diagnostic::error(
            "rbac::condition",
            format!("the conditional policy does not count: {}", self.message),
        )
        .at(self.position.location(&file.name))
    }
}

fn document_of(root: &yaml::Node<'_>, file: &PolicyFile) -> Result<Conditional, Fault> {
    if root.as_mapping().is_none() {
        return Err(Fault::at(root, "it is no mapping"));
    }
    let text = |field: &str| match root.get(field).and_then(yaml::Node::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Fault::at(root, format!("`{field}` is missing"))),
    };
    let role = text("roleEntityRef")?;
    if text("result")? != "CONDITIONAL" {
        return Err(Fault::at(root.get("result").unwrap_or(root), "`result` is always CONDITIONAL"));
    }
    let plugin = text("pluginId")?;
    let resource_type = text("resourceType")?;
    let mapping = root.get("permissionMapping").ok_or(Fault::at(root, "`permissionMapping` is missing"))?;
    let mapping = mapping_of(mapping, &resource_type)?;
    let conditions = root.get("conditions").filter(|node| !node.is_null());
    let conditions = conditions.ok_or(Fault::at(root, "`conditions` are missing"))?;
    Ok(Conditional {
        role: role.into(),
        plugin,
        resource_type,
        mapping,
        criteria: Criteria::read(conditions)?,
        place: Place { file: file.name.clone(), line: root.start.line },
    })
}

fn mapping_of(node: &yaml::Node<'_>, resource_type: &str) -> Result<Vec<Mapping>, Fault> {
    let entries = node.as_sequence().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or(Fault::at(node, "`permissionMapping` is a list that is not empty"))?;
    let is_named = entries.first().is_some_and(|entry| entry.as_mapping().is_some());
    let most = if is_named { MAX_NAMED } else { Action::ALL.len() };
    if entries.len() > most {
        return Err(Fault::at(node, format!("`permissionMapping` has at most {most} entries")));
    }
    let mut mapping: Vec<Mapping> = Vec::new();
    for entry in entries {
        let found = match (&entry.data, is_named) {
            (Data::Mapping(_), true) => named(entry)?,
            (Data::Mapping(_), false) | (_, true) => {
                return Err(Fault::at(entry, "actions and named permissions cannot be mixed"));
            }
            (_, false) => Mapping { name: None, action: action(entry)? },
        };
        if mapping.contains(&found) {
            return Err(Fault::at(entry, "it stands in `permissionMapping` twice"));
        }
        if resource_type == POLICY && found.action == Action::Create {
            return Err(Fault::at(entry, format!("`{POLICY}` has no conditions for create")));
        }
        mapping.push(found);
    }
    Ok(mapping)
}

fn named(entry: &yaml::Node<'_>) -> Result<Mapping, Fault> {
    let name = entry.get("name").and_then(Node::as_str).map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or(Fault::at(entry, "a named permission needs a `name`"))?;
    let action =
        action(entry.get("action").ok_or(Fault::at(entry, "a named permission needs an `action`"))?)?;
    Ok(Mapping { name: Some(name.to_owned()), action })
}

fn action(node: &yaml::Node<'_>) -> Result<Action, Fault> {
    let word = node.as_str().unwrap_or_default();
    Action::parse(word).ok_or_else(|| {
        let words = Action::ALL.map(Action::word).join(", ");
        Fault::at(node, format!("`{}` is no action; they are {words}", clean(word)))
    })
}
