//! apiVersion, kind, the fields beside them, and kinds nobody knows.

use super::super::{EntityRef, kinds, rules};
use super::{Checker, Complaint, Nature, Place};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Data, Node, push_step};

/// Fields of the root in the order people write them.
const ROOT: &[&str] = &["apiVersion", "kind", "metadata", "spec"];

impl Checker<'_> {
    /// Refuses fields beside the four of an entity.
    pub(super) fn root_fields(&mut self, node: &Node<'_>, entries: &[(Node<'_>, Node<'_>)]) {
        for (key, value) in entries {
            let name = key.key_text();
            if ROOT.contains(&name.as_ref()) {
                continue;
            }
            let hint = match name.as_ref() {
                "relations" | "status" => "remove it: the catalog works it out itself".to_owned(),
                _ => match misplaced(node, &name, value) {
                    Some(home) => format!("move `{name}` below `{home}`"),
                    None => {
                        format!(
                            "keep to apiVersion, kind, metadata and spec; own data may go below `metadata` or `spec`: move `{name}` there"
                        )
                    }
                },
            };
            let complaint = Complaint::new(
                "catalog::unknown-field",
                format!("`{name}` is not a field of an entity"),
                "not known here",
            )
            .hint(hint);
            self.error(Place { key: Some(key), value: key, pointer: &push_step("", &name) }, complaint);
        }
    }

    /// Checks apiVersion, kind, name and namespace; returns the ref when there is one.
    pub(super) fn envelope(&mut self, node: &Node<'_>) -> Option<EntityRef> {
        let metadata = node.get("metadata");
        let text = |node: Option<&Node<'_>>| {
            node.and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let version = text(node.get("apiVersion"));
        let kind = text(node.get("kind"));
        let name = text(metadata.and_then(|m| m.get("name")));
        let namespace = text(metadata.and_then(|m| m.get("namespace")));
        let namespace_fits = namespace.is_some() || metadata.is_none_or(|m| m.get("namespace").is_none());
        self.envelope = version.is_some() && kind.is_some() && name.is_some() && namespace_fits;
        self.namespace = namespace.unwrap_or_else(|| "default".into());
        let entity = kind.zip(name).map(|(kind, name)| EntityRef::new(&kind, &self.namespace, &name));
        self.entity = entity.as_ref().map(ToString::to_string);

        self.root_text(node, "apiVersion", "apiVersion: backstage.io/v1alpha1", rules::is_api_version);
        self.root_text(node, "kind", "kind: Component", rules::is_kind);
        match node.entry("metadata") {
            None => self.missing(None, node, "metadata", "", "metadata: {name: …}"),
            Some((key, value)) if !matches!(value.data, Data::Mapping(_)) => {
                let place = Place { key: Some(key), value, pointer: "/metadata" };
                self.wrong_type(place, "a mapping", None);
            }
            Some(_) => {}
        }
        entity
    }

    fn root_text(&mut self, node: &Node<'_>, field: &'static str, example: &str, rule: fn(&str) -> bool) {
        let Some((key, value)) = node.entry(field) else {
            return self.missing(None, node, field, "", example);
        };
        let pointer = format!("/{field}");
        let place = Place { key: Some(key), value, pointer: &pointer };
        match value.as_str() {
            None => self.wrong_type(place, "a text", None),
            Some("") => self.empty(place),
            Some(text) if !rule(text) => {
                let code =
                    if field == "kind" { "catalog::invalid-kind" } else { "catalog::invalid-api-version" };
                let complaint = Complaint::new(code, format!("`{text}` is not a valid {field}"), "not valid")
                    .hint(format!("write for example `{example}`"));
                self.error(place, complaint);
            }
            Some(_) => {}
        }
    }

    /// Says that the model does not know this kind under this apiVersion, and what was meant.
    ///
    /// A warning although the verdict is "invalid": the catalog shows such an entity.
    pub(super) fn unknown_kind(&mut self, node: &Node<'_>, nature: Nature, entity: Option<&EntityRef>) {
        let (Some((key, version)), Some((kind_key, kind))) = (node.entry("apiVersion"), node.entry("kind"))
        else {
            return;
        };
        let (Some(version_text), Some(kind_text)) = (version.as_str(), kind.as_str()) else { return };
        let name = entity.map_or_else(|| kind_text.to_owned(), ToString::to_string);
        let message = format!("no kind `{kind_text}` is known under `{version_text}` (`{name}`)");
        let place = |at: &'static str| match at {
            "/kind" => Place { key: Some(kind_key), value: kind, pointer: at },
            _ => Place { key: Some(key), value: version, pointer: at },
        };
        let known = kinds::find_by_name(kind_text);
        let complaint = |label: String| Complaint::new("catalog::unknown-kind", message.clone(), label);
        match known {
            Some(row) if row.name != kind_text => self.warning(
                place("/kind"),
                complaint(format!("kinds are case-sensitive: `{}`", row.name))
                    .hint(format!("write `kind: {}`", row.name)),
            ),
            Some(row) if nature == Nature::Entity && !row.api_versions.contains(&version_text) => {
                let right = row.api_versions.first().copied().unwrap_or_default();
                self.warning(
                    place("/apiVersion"),
                    complaint(format!("a {} belongs to `{right}`", row.name))
                        .hint(format!("write `apiVersion: {right}`")),
                );
            }
            _ if nature == Nature::Foreign => self.warning(
                place("/apiVersion"),
                complaint("another group than `backstage.io`".into())
                    .hint("leave the file out of the catalog if it describes something else"),
            ),
            _ => {
                let names: Vec<&str> =
                    kinds::KINDS.iter().filter(|row| row.builtin).map(|row| row.name).collect();
                self.warning(
                    place("/kind"),
                    complaint("not a kind of the model".into())
                        .hint(format!("the kinds are {}; it is shown as it is", names.join(", "))),
                );
            }
        }
    }

    /// Reports a field that must be there; points at the key of its parent.
    pub(super) fn missing(
        &mut self,
        parent_key: Option<&Node<'_>>,
        parent: &Node<'_>,
        field: &str,
        parent_pointer: &str,
        example: &str,
    ) {
        let place = Place { key: parent_key, value: parent, pointer: parent_pointer };
        let below = if parent_pointer.is_empty() { String::new() } else { format!("{}.", place.path()) };
        let (mut at, mut width) = place.spot();
        if let (None, Some((first, _))) = (parent_key, parent.as_mapping().and_then(<[_]>::first)) {
            (at, width) = (first.start, first.width);
        }
        let complaint = Complaint::new(
            "catalog::missing-field",
            format!("`{below}{field}` is missing"),
            format!("`{field}` is missing here"),
        )
        .hint(format!("add `{example}`"));
        self.valid = false;
        self.push(at, width, &push_step(parent_pointer, field), complaint, Diagnostic::error);
    }
}

/// Returns the mapping that a stray root field belongs to.
fn misplaced(node: &Node<'_>, name: &str, value: &Node<'_>) -> Option<&'static str> {
    let metadata = ["name", "namespace", "title", "description", "labels", "annotations", "tags", "links"]
        .contains(&name);
    if metadata {
        return Some("metadata");
    }
    let kind = node.get("kind").and_then(Node::as_str)?;
    let row = kinds::find_by_name(kind)?;
    (!value.is_null() && row.spec.iter().any(|field| field.name == name)).then_some("spec")
}
