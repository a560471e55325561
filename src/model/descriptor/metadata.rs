//! `metadata`: names, labels, annotations, tags, links.

use super::super::kinds::Shape;
use super::super::{placeholder, rules};
use super::{Checker, Complaint, Place};
use crate::yaml::{Data, Node, push_step};

/// Annotations that the catalog writes itself over whatever the file says.
const OVERWRITTEN: &[&str] = &["backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"];

/// Fields that are plain texts, and whether they may be empty.
const TEXTS: &[(&str, Shape)] =
    &[("uid", Shape::Text), ("etag", Shape::Text), ("title", Shape::Text), ("description", Shape::AnyText)];

impl Checker<'_> {
    /// Checks `metadata`, if it is a mapping.
    pub(super) fn metadata(&mut self, root: &Node<'_>) {
        let Some((key, metadata)) = root.entry("metadata") else { return };
        if !matches!(metadata.data, Data::Mapping(_)) {
            return;
        }
        self.name(key, metadata);
        self.namespace(metadata);
        for (field, shape) in TEXTS {
            let found = metadata.entry(field);
            if let Some((key, value)) = found.filter(|(_, value)| value.as_str().is_none_or(str::is_empty)) {
                self.shape(shape, Place { key: Some(key), value, pointer: &format!("/metadata/{field}") });
            }
        }
        self.labels(metadata);
        self.annotations(metadata);
        self.tags(metadata);
        self.links(metadata);
    }

    fn name(&mut self, parent: &Node<'_>, metadata: &Node<'_>) {
        let Some((key, value)) = metadata.entry("name") else {
            return self.missing(Some(parent), metadata, "name", "/metadata", "name: …");
        };
        let place = Place { key: Some(key), value, pointer: "/metadata/name" };
        match value.as_str() {
            None => self.wrong_type(place, "a text", None),
            Some("") => self.empty(place),
            Some(text) if !rules::is_name(text) => {
                let hint = rules::suggest_name(text).map_or_else(
                    || "use letters, digits, `-`, `_` or `.`".to_owned(),
                    |name| {
                        format!(
                            "use letters, digits, `-`, `_` or `.`, for example `{name}`; put the readable form in `metadata.title`"
                        )
                    },
                );
                let complaint = Complaint::new(
                    "catalog::invalid-name",
                    format!("`{text}` is not a valid entity name"),
                    rules::name_fault(text),
                )
                .hint(hint);
                self.error(place, complaint);
            }
            Some(_) => {}
        }
    }

    fn namespace(&mut self, metadata: &Node<'_>) {
        let Some((key, value)) = metadata.entry("namespace") else { return };
        let place = Place { key: Some(key), value, pointer: "/metadata/namespace" };
        match value.as_str() {
            None => self.wrong_type(place, "a text", None),
            Some("") => self.empty(place),
            Some(text) if !rules::is_namespace(text) => {
                let mut complaint = Complaint::new(
                    "catalog::invalid-namespace",
                    format!("`{text}` is not a valid namespace"),
                    "only lower-case letters, digits and inner dashes, at most 63",
                );
                complaint.hint =
                    rules::suggest_namespace(text).map(|name| format!("write `namespace: {name}`"));
                self.error(place, complaint);
            }
            Some(_) => {}
        }
    }

    fn labels(&mut self, metadata: &Node<'_>) {
        let Some((key, labels)) = metadata.entry("labels") else { return };
        let place = Place { key: Some(key), value: labels, pointer: "/metadata/labels" };
        if placeholder::of(labels).is_some() {
            return;
        }
        let Some(entries) = labels.as_mapping() else {
            return self.wrong_type(place, "a mapping", None);
        };
        for (key, value) in entries {
            self.key_rule(key, "label", place.pointer);
            let fine = value.as_str().is_some_and(|text| text.is_empty() || rules::is_name(text));
            if fine || placeholder::of(value).is_some() {
                continue;
            }
            let pointer = push_step(place.pointer, &key.key_text());
            let place = Place { key: Some(key), value, pointer: &pointer };
            match value.as_str() {
                None => self.wrong_type(place, "a text", None),
                Some(text) if !text.is_empty() && !rules::is_name(text) => {
                    let mut complaint = Complaint::new(
                        "catalog::invalid-label",
                        format!("`{text}` is not a valid value of the label `{}`", key.key_text()),
                        rules::name_fault(text),
                    );
                    complaint.hint = Some(match rules::suggest_name(text) {
                        Some(name) => {
                            format!("write `{name}`, or make it an annotation, which may hold any text")
                        }
                        None => "make it an annotation, which may hold any text".into(),
                    });
                    self.error(place, complaint);
                }
                Some(_) => {}
            }
        }
    }

    fn annotations(&mut self, metadata: &Node<'_>) {
        let Some((key, annotations)) = metadata.entry("annotations") else { return };
        let place = Place { key: Some(key), value: annotations, pointer: "/metadata/annotations" };
        // What counts as nothing in JavaScript is replaced before the model looks
        let nothing = match &annotations.data {
            Data::Null | Data::Bool(false) | Data::Int(0) => true,
            Data::Float(number) => *number == 0.0 || number.is_nan(),
            Data::String(text) => text.is_empty(),
            _ => false,
        };
        if nothing || placeholder::of(annotations).is_some() {
            return;
        }
        let Some(entries) = annotations.as_mapping() else {
            return self.wrong_type(place, "a mapping", None);
        };
        for (key, value) in entries {
            let name = key.key_text();
            self.key_rule(key, "annotation", place.pointer);
            if value.as_str().is_none()
                && !OVERWRITTEN.contains(&name.as_ref())
                && placeholder::of(value).is_none()
            {
                let pointer = push_step(place.pointer, &name);
                self.wrong_type(Place { key: Some(key), value, pointer: &pointer }, "a text", None);
            }
        }
    }

    fn key_rule(&mut self, key: &Node<'_>, what: &'static str, parent: &str) {
        let name = key.key_text();
        if rules::is_key(&name) {
            return;
        }
        let code = if what == "label" { "catalog::invalid-label" } else { "catalog::invalid-annotation" };
        let label = match name.matches('/').count() {
            0 | 1 => "not of the form `prefix/name` or `name`",
            _ => "only one slash is allowed",
        };
        let complaint = Complaint::new(code, format!("`{name}` is not a valid key of {}", article(what)), label).hint(
            "write `name` or `prefix/name`: the prefix a lower-case domain, the name letters, digits, `-`, `_`, `.`",
        );
        self.error(Place { key: None, value: key, pointer: &push_step(parent, &name) }, complaint);
    }

    fn tags(&mut self, metadata: &Node<'_>) {
        let Some((key, tags)) = metadata.entry("tags") else { return };
        self.shape(
            &Shape::List(&Shape::Text),
            Place { key: Some(key), value: tags, pointer: "/metadata/tags" },
        );
        for (index, value) in tags.as_sequence().unwrap_or(&[]).iter().enumerate() {
            let Some(text) = value.as_str().filter(|text| !text.is_empty() && !rules::is_tag(text)) else {
                continue;
            };
            let mut complaint = Complaint::new(
                "catalog::invalid-tag",
                format!("`{text}` is not a valid tag"),
                "only lower-case letters, digits, `:`, `+`, `#` and inner dashes, at most 63",
            );
            complaint.hint = rules::suggest_tag(text).map(|tag| format!("write `{tag}`"));
            let pointer = format!("/metadata/tags/{index}");
            self.error(Place { key: None, value, pointer: &pointer }, complaint);
        }
    }

    fn links(&mut self, metadata: &Node<'_>) {
        let Some((key, links)) = metadata.entry("links") else { return };
        let place = Place { key: Some(key), value: links, pointer: "/metadata/links" };
        if placeholder::of(links).is_some() {
            return;
        }
        let Some(items) = links.as_sequence() else {
            return self.wrong_type(place, "a list", None);
        };
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/metadata/links/{index}");
            if placeholder::of(item).is_none() {
                self.link(Place { key: None, value: item, pointer: &pointer });
            }
        }
    }

    fn link(&mut self, place: Place<'_, '_>) {
        if !matches!(place.value.data, Data::Mapping(_)) {
            return self.wrong_type(place, "a mapping", None);
        }
        let below = |field: &str| format!("{}/{field}", place.pointer);
        match place.value.entry("url") {
            Some((_, value)) if value.as_str().is_some_and(is_absolute_url) => {}
            None => self.missing(None, place.value, "url", place.pointer, "url: https://…"),
            Some((key, value)) => {
                let pointer = below("url");
                let url = Place { key: Some(key), value, pointer: &pointer };
                self.shape(&Shape::Text, url);
                let broken = value.as_str().filter(|text| !text.is_empty() && !is_absolute_url(text));
                if let Some(text) = broken {
                    let hint = if text.starts_with('/') || text.starts_with('.') {
                        "links are absolute: begin with `https://` and the host".to_owned()
                    } else {
                        format!("write the whole address: `https://{text}`")
                    };
                    let complaint = Complaint::new(
                        "catalog::invalid-link",
                        format!("`{text}` is not an absolute URL"),
                        "no URL",
                    )
                    .hint(hint);
                    self.error(url, complaint);
                }
            }
        }
        for field in ["title", "icon", "type"] {
            let Some((key, value)) = place.value.entry(field) else { continue };
            if value.as_str().is_some_and(|text| !is_blank(text)) {
                continue;
            }
            let pointer = below(field);
            let part = Place { key: Some(key), value, pointer: &pointer };
            self.shape(&Shape::Text, part);
            let blank = value.as_str().is_some_and(|text| !text.is_empty() && is_blank(text));
            if blank && field != "type" {
                self.empty(part);
            }
        }
    }
}

/// Returns whether a text parses as a URL without a base (WHATWG).
fn is_absolute_url(text: &str) -> bool {
    url::Url::parse(text).is_ok()
}

/// Returns whether JavaScript's `trim` leaves nothing.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'))
}

fn article(what: &str) -> String {
    if what.starts_with('a') { format!("an {what}") } else { format!("a {what}") }
}
