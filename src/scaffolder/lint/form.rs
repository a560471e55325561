//! The form: pages of JSON Schema, their fields, branches that cannot be chosen.

use super::Sheet;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Data, Node};

/// How deep schemas are followed.
const DEEPEST: usize = 24;

/// Field extensions that the form knows.
const FIELDS: &[&str] = &[
    "EntityNamePicker",
    "EntityPicker",
    "EntityTagsPicker",
    "MultiEntityPicker",
    "MyGroupsPicker",
    "OwnedEntityPicker",
    "OwnerPicker",
    "RepoBranchPicker",
    "RepoOwnerPicker",
    "RepoUrlPicker",
    "Secret",
];

/// Looks at `spec.parameters` and remembers the names of its fields.
pub(super) fn check(sheet: &mut Sheet<'_>, spec: &Node<'_>) {
    let Some(parameters) = spec.get("parameters").filter(|parameters| !parameters.is_null()) else { return };
    match &parameters.data {
        Data::Sequence(pages) => pages.iter().for_each(|page| self::page(sheet, page)),
        Data::Mapping(_) => page(sheet, parameters),
        _ => {
            let message =
                format!("`spec.parameters` is {}, not a page or a list of pages", parameters.type_name());
            sheet.add_node(Diagnostic::error("template::parameters", message), parameters);
        }
    }
}

fn page(sheet: &mut Sheet<'_>, page: &Node<'_>) {
    if page.as_mapping().is_none() {
        let message = format!("a page of the form is {}, not an object", page.type_name());
        sheet.add_node(Diagnostic::error("template::parameters", message), page);
        return;
    }
    schema(sheet, page, 0, true);
}

/// Looks at a schema; `is_top` says that its fields are parameters.
fn schema(sheet: &mut Sheet<'_>, node: &Node<'_>, depth: usize, is_top: bool) {
    if depth > DEEPEST {
        return;
    }
    let properties = node.get("properties").and_then(Node::as_mapping).unwrap_or_default();
    for (key, property) in properties {
        if is_top {
            sheet.parameters.insert(key.key_text().into_owned());
        }
        self::property(sheet, key, property);
        schema(sheet, property, depth + 1, false);
    }
    required(sheet, node);
    dependencies(sheet, node, depth, is_top);
    for word in ["then", "else", "items"] {
        if let Some(inner) = node.get(word) {
            schema(sheet, inner, depth + 1, is_top && word != "items");
        }
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        for inner in node.get(word).and_then(Node::as_sequence).unwrap_or_default() {
            conditional(sheet, node, inner);
            schema(sheet, inner, depth + 1, is_top);
        }
    }
    conditional(sheet, node, node);
}

fn property(sheet: &mut Sheet<'_>, key: &Node<'_>, property: &Node<'_>) {
    let name = key.key_text();
    const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object", "null"];
    if let Some(node) = property.get("type")
        && let Some(written) = node.as_str()
        && !TYPES.contains(&written)
    {
        let message = format!("the field `{name}` has the type `{written}`, which there is not");
        let hint = format!("the types are {}", TYPES.join(", "));
        sheet.add_node(Diagnostic::error("template::type", message).hint(hint), node);
    }
    if let Some(node) = property.get("ui:field")
        && let Some(written) = node.as_str()
        && !FIELDS.contains(&written)
    {
        let message =
            format!("the form does not know the field extension `{written}` and asks `{name}` by its type");
        sheet.add_node(Diagnostic::new(crate::diagnostic::Severity::Info, "template::field", message), node);
    }
    if let Some(node) = property.get("pattern")
        && let Some(written) = node.as_str()
        && let Err(error) = crate::scaffolder::language::regex::javascript(written, "")
    {
        let message = format!("the pattern of `{name}` is no regular expression: {error}");
        sheet.add_node(Diagnostic::error("template::pattern", message), node);
    }
}

/// Fields that are required and do not exist can never be answered.
fn required(sheet: &mut Sheet<'_>, node: &Node<'_>) {
    let Some(properties) = node.get("properties").and_then(Node::as_mapping) else { return };
    if ["allOf", "anyOf", "oneOf", "dependencies", "if", "$ref"].iter().any(|word| node.get(word).is_some()) {
        return;
    }
    for name in node.get("required").and_then(Node::as_sequence).unwrap_or_default() {
        let Some(written) = name.as_str() else { continue };
        let exists =
            properties.iter().any(|(key, _)| key.key_text() == written) || sheet.parameters.contains(written);
        if !exists {
            let message = format!("`{written}` is required, and there is no such field");
            sheet.add_node(Diagnostic::error("template::required", message), name);
        }
    }
}

/// Branches of `dependencies` whose value the field can never have.
fn dependencies(sheet: &mut Sheet<'_>, node: &Node<'_>, depth: usize, is_top: bool) {
    for (key, dependency) in node.get("dependencies").and_then(Node::as_mapping).unwrap_or_default() {
        let name = key.key_text().into_owned();
        let owner = node.get("properties").and_then(|properties| properties.get(&name));
        if owner.is_none() && node.get("properties").is_some() && !sheet.parameters.contains(&name) {
            let message = format!("`dependencies` names the field `{name}`, which there is not");
            sheet.add_node(Diagnostic::error("template::dependency", message), key);
        }
        schema(sheet, dependency, depth + 1, is_top);
        let allowed = owner.and_then(values);
        let mut seen = Vec::new();
        for branch in dependency.get("oneOf").and_then(Node::as_sequence).unwrap_or_default() {
            let Some(condition) = branch.get("properties").and_then(|properties| properties.get(&name))
            else {
                continue;
            };
            let Some(wanted) = values(condition) else { continue };
            if allowed.as_ref().is_some_and(|allowed| !wanted.iter().any(|value| allowed.contains(value))) {
                dead(sheet, condition, &name, &wanted, "the field can never be that");
            } else if !wanted.is_empty() && wanted.iter().all(|value| seen.contains(value)) {
                dead(sheet, condition, &name, &wanted, "a branch before this one has the same value");
            }
            seen.extend(wanted);
        }
    }
}

/// `if` whose value the field can never have.
fn conditional(sheet: &mut Sheet<'_>, owner: &Node<'_>, node: &Node<'_>) {
    let conditions =
        node.get("if").and_then(|condition| condition.get("properties")).and_then(Node::as_mapping);
    for (key, condition) in conditions.unwrap_or_default() {
        let name = key.key_text().into_owned();
        let field = owner.get("properties").and_then(|properties| properties.get(&name));
        if let (Some(allowed), Some(wanted)) = (field.and_then(values), values(condition))
            && !wanted.iter().any(|value| allowed.contains(value))
        {
            dead(sheet, condition, &name, &wanted, "the field can never be that");
        }
    }
}

fn dead(sheet: &mut Sheet<'_>, at: &Node<'_>, name: &str, wanted: &[String], why: &str) {
    let message = format!("the branch for `{name}` = {} is unreachable: {why}", wanted.join(", "));
    sheet.add_node(Diagnostic::warning("template::unreachable", message), at);
}

/// Returns the values that a field may have, as JSON, where they are listed.
fn values(field: &Node<'_>) -> Option<Vec<String>> {
    let shown = |node: &Node<'_>| match &node.data {
        Data::String(text) => format!("`{text}`"),
        Data::Bool(is_true) => is_true.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Null => "null".to_owned(),
        Data::Sequence(_) | Data::Mapping(_) => "…".to_owned(),
    };
    if let Some(value) = field.get("const") {
        return Some(vec![shown(value)]);
    }
    if let Some(values) = field.get("enum").and_then(Node::as_sequence) {
        return Some(values.iter().map(shown).collect());
    }
    if field.get("type").and_then(Node::as_str) == Some("boolean") {
        return Some(vec!["true".to_owned(), "false".to_owned()]);
    }
    None
}
