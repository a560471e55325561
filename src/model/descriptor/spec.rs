//! `spec`: fields by the table of the kind, refs, and the targets of Locations.

use super::super::kinds::{FieldRelation, Kind};
use super::super::{EntityRef, RefError, placeholder};
use super::{Checker, Complaint, Origin, Place};
use crate::yaml::{Data, Node};

impl Checker<'_> {
    /// Checks `spec` by the kind's table.
    pub(super) fn spec(&mut self, root: &Node<'_>, kind: &'static Kind) {
        let Some((key, spec)) = root.entry("spec") else {
            return self.missing(None, root, "spec", "", "spec:");
        };
        let place = Place { key: Some(key), value: spec, pointer: "/spec" };
        if placeholder::of(spec).is_some() {
            return;
        }
        if !matches!(spec.data, Data::Mapping(_)) {
            return self.wrong_type(place, "a mapping", None);
        }
        let before = self.diagnostics.len();
        self.fields(kind.spec, None, place);
        self.explain_misplaced(root, before);
        for field in kind.spec {
            if let (Some(relation), Some((key, value))) = (field.relation, spec.entry(field.name)) {
                if all_readable(value, relation.default_kind.is_some()) {
                    continue;
                }
                let pointer = format!("/spec/{}", field.name);
                self.refs(relation, Place { key: Some(key), value, pointer: &pointer });
            }
        }
        if kind.name == "Location" {
            self.location(spec);
        }
    }

    /// Turns the hint of a missing field that stands under `metadata` into "move it".
    fn explain_misplaced(&mut self, root: &Node<'_>, before: usize) {
        let Some(metadata) = root.get("metadata") else { return };
        for diagnostic in self.diagnostics.iter_mut().skip(before) {
            let field = diagnostic.pointer.as_deref().and_then(|pointer| pointer.strip_prefix("/spec/"));
            let Some((key, _)) = field.and_then(|field| metadata.entry(field)) else { continue };
            if diagnostic.code == "catalog::missing-field" {
                let line = key.start.line;
                diagnostic.hint =
                    Some(format!("move `{}` from `metadata` (line {line}) to `spec`", key.key_text()));
            }
        }
    }

    /// Checks that the refs of a field can be read.
    fn refs(&mut self, relation: FieldRelation, place: Place<'_, '_>) {
        match &place.value.data {
            Data::Sequence(items) => {
                for (index, value) in items.iter().enumerate() {
                    if !all_readable(value, relation.default_kind.is_some()) {
                        let pointer = format!("{}/{index}", place.pointer);
                        self.reference(relation, Place { key: None, value, pointer: &pointer }, true);
                    }
                }
            }
            _ => self.reference(relation, place, false),
        }
    }

    fn reference(&mut self, relation: FieldRelation, place: Place<'_, '_>, item: bool) {
        // Only fields without a declared shape let anything but text come here unreported
        let unchecked = place.pointer.starts_with("/spec/dependencyOf");
        match &place.value.data {
            Data::String(text) if text.is_empty() => {
                if unchecked && item {
                    self.empty(place);
                }
            }
            Data::String(text) => {
                if let Err(error) = EntityRef::parse(text, relation.default_kind, "default") {
                    self.bad_ref(place, text, &error);
                }
            }
            // What counts as nothing in JavaScript is passed over
            Data::Null | Data::Bool(false) | Data::Int(0) if !item => {}
            _ if !unchecked || placeholder::of(place.value).is_some() => {}
            Data::Mapping(_) if is_compound(place.value) => {}
            _ => {
                let complaint = Complaint::new(
                    "catalog::invalid-ref",
                    format!("`{}` holds no entity ref", place.path()),
                    format!("a {}", place.value.type_name()),
                )
                .hint("write it as `kind:namespace/name`");
                self.error(place, complaint);
            }
        }
    }

    fn bad_ref(&mut self, place: Place<'_, '_>, text: &str, error: &RefError) {
        let complaint = match error {
            RefError::MissingKind(_) => Complaint::new(
                "catalog::invalid-ref",
                format!("`{text}` in `{}` names no kind", place.path()),
                "the kind is missing",
            )
            .hint(format!("write the kind before it, for example `component:{text}` or `resource:{text}`")),
            RefError::EmptyPart(_) => Complaint::new(
                "catalog::invalid-ref",
                format!("`{text}` in `{}` is not an entity ref", place.path()),
                "a part is empty",
            )
            .hint(
                "write it as `kind:namespace/name`; kind and namespace may be left out with their separators",
            ),
        };
        self.error(place, complaint);
    }

    /// Checks the type and targets of a Location.
    fn location(&mut self, spec: &Node<'_>) {
        let own = match self.origin {
            Origin::File => "file",
            Origin::Url => "url",
        };
        let stated = spec.entry("type").and_then(|(key, value)| Some((key, value, value.as_str()?)));
        let kind = stated.map_or(own, |(_, _, text)| text);
        if let Some((key, value, text)) = stated.filter(|(_, _, text)| *text != own && *text != "url") {
            let complaint = Complaint::new(
                "catalog::location-type",
                format!("a location of type `{text}` is not allowed in a {own}"),
                "not allowed here",
            )
            .hint(format!("write `type: url`, or leave it out: it is `{own}` then"));
            self.error(Place { key: Some(key), value, pointer: "/spec/type" }, complaint);
            return;
        }
        if kind != "file" {
            return;
        }
        if let Some((key, value)) = spec.entry("target") {
            self.file_target(Place { key: Some(key), value, pointer: "/spec/target" });
        }
        for (index, value) in
            spec.get("targets").and_then(Node::as_sequence).unwrap_or(&[]).iter().enumerate()
        {
            let pointer = format!("/spec/targets/{index}");
            self.file_target(Place { key: None, value, pointer: &pointer });
        }
    }

    fn file_target(&mut self, place: Place<'_, '_>) {
        let Some(text) = place.value.as_str().filter(|text| text.ends_with('/')) else { return };
        let complaint = Complaint::new(
            "catalog::location-target",
            format!("the target `{text}` is a folder, a location names files"),
            "ends with a slash",
        )
        .hint(format!("write `{text}catalog-info.yaml`, or `{text}*.yaml` for all files in it"));
        self.error(place, complaint);
    }
}

/// Returns whether a text, or every text of a list, is an entity ref.
fn all_readable(value: &Node<'_>, has_default_kind: bool) -> bool {
    match &value.data {
        Data::String(text) => EntityRef::is_readable(text, has_default_kind),
        Data::Sequence(items) => items
            .iter()
            .all(|item| item.as_str().is_some_and(|text| EntityRef::is_readable(text, has_default_kind))),
        _ => false,
    }
}

/// Returns whether a mapping is a ref in three parts, with what must be there.
fn is_compound(value: &Node<'_>) -> bool {
    let filled = |key: &str| value.get(key).and_then(Node::as_str).is_some_and(|text| !text.is_empty());
    let absent_or_filled = |key: &str| value.get(key).is_none_or(Node::is_null) || filled(key);
    filled("kind") && filled("name") && absent_or_filled("namespace")
}
