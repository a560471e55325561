//! The thing that `enter`, `y`, `o`, `e`, `*` and `x` act on.
//!
//! Panes say *what* is focused; what can be done with it follows from what the subject has (links, a
//! file, an entity behind it), so that every pane offers the same acts under the same keys.

use super::context::Context;
use super::place::{OBJECT, Place};
use crate::catalog::Entity;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::ObjectRef;
use std::sync::Arc;

/// A focused or marked thing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subject {
    /// What `y` copies.
    pub name: String,
    /// Where `enter` goes.
    pub place: Option<Place>,
    /// Canonical ref of the entity it is.
    pub entity: Option<String>,
    /// The object of a cluster it is.
    pub object: Option<ObjectRef>,
    /// The container of that object that is meant; `None` for whichever fits.
    pub container: Option<Arc<str>>,
    /// Title and address, the best first.
    pub links: Vec<(String, String)>,
    /// File on this machine, line and column; or why there is none.
    pub source: Option<Result<(String, u32, u32), String>>,
    /// More forms to copy: what it is called, and the text.
    pub copies: Vec<(&'static str, String)>,
}

impl Subject {
    /// Returns the subject for an entity or a dangling ref.
    pub fn entity(cx: &Context, canonical: &str) -> Self {
        let place = Some(Place::entity(canonical));
        match cx.catalog.find(canonical).and_then(|id| cx.catalog.entity(id)) {
            Some(entity) => Self {
                name: entity.name().to_owned(),
                place,
                entity: Some(canonical.to_owned()),
                links: links(&entity),
                source: Some(source(&entity)),
                copies: vec![("ref", canonical.to_owned()), ("place", entity.location().to_string())],
                ..Self::default()
            },
            None => Self {
                name: canonical.to_owned(),
                place,
                entity: Some(canonical.to_owned()),
                source: Some(Err(format!("`{canonical}` is described in no file"))),
                ..Self::default()
            },
        }
    }

    /// Returns the subject for an object of a cluster.
    pub fn object(cx: &Context, at: &ObjectRef) -> Self {
        let text = cx.kubernetes.ref_text(at);
        Self {
            name: at.name.to_string(),
            place: Some(Place::with(OBJECT, text.as_str())),
            object: Some(at.clone()),
            copies: vec![("ref", text)],
            ..Self::default()
        }
    }

    /// Returns the subject for a container of a pod.
    pub fn container(cx: &Context, pod: &ObjectRef, container: &Arc<str>) -> Self {
        Self { container: Some(container.clone()), ..Self::object(cx, pod) }
    }

    /// Returns the subject for a diagnostic.
    pub fn diagnostic(cx: &Context, diagnostic: &Diagnostic) -> Self {
        let source = diagnostic.location.as_ref().map(|location| {
            let source = diagnostic.source.as_deref();
            let source = source.and_then(|name| cx.catalog.sources().iter().find(|s| &*s.name == name));
            let is_on_disk = match source {
                Some(source) if source.kind == "sample" => {
                    let why = "is built into the program: there is no file to edit";
                    return Err(format!("`{}` {why}", location.file));
                }
                Some(source) => source.root.is_some() || source.kind == "file",
                // outside the catalog it is a file of the configuration
                None => true,
            };
            if is_on_disk && !location.file.contains("://") {
                Ok((location.file.to_string(), location.line, location.column))
            } else {
                Err(format!("`{}` is no file on this machine", location.file))
            }
        });
        Self {
            name: diagnostic
                .location
                .as_ref()
                .map_or_else(|| diagnostic.code.to_owned(), ToString::to_string),
            place: diagnostic.entity.as_ref().map(Place::entity),
            entity: diagnostic.entity.clone(),
            source,
            copies: vec![("message", diagnostic.message.clone()), ("report", diagnostic.render())],
            ..Self::default()
        }
    }
}

/// Returns title and address of every link of an entity: its own links first, then the source.
pub fn links(entity: &Entity<'_>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    if let Some(items) = entity.metadata("links").as_array() {
        for item in items.iter() {
            if let Some(url) = item.get("url").as_str() {
                found.push((item.get("title").as_str().unwrap_or(url).to_owned(), url.to_owned()));
            }
        }
    }
    for (title, key) in [
        ("view source", "backstage.io/view-url"),
        ("edit source", "backstage.io/edit-url"),
        ("source", "backstage.io/source-location"),
    ] {
        if let Some(url) = entity.annotation(key).map(|u| u.strip_prefix("url:").unwrap_or(u)) {
            found.push((title.to_owned(), url.to_owned()));
        }
    }
    if let Some(slug) = entity.annotation("github.com/project-slug") {
        found.push(("GitHub".to_owned(), format!("https://github.com/{slug}")));
    }
    if let Some(email) = entity.spec().get("profile").get("email").as_str() {
        found.push(("e-mail".to_owned(), format!("mailto:{email}")));
    }
    found.retain(|(_, url)| is_openable(url));
    found
}

/// Returns whether an address may be handed to the browser: web and mail only.
pub fn is_openable(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https" | "mailto"))
}

fn source(entity: &Entity<'_>) -> Result<(String, u32, u32), String> {
    let location = entity.location();
    // what a server calls a file lies on the server
    let is_elsewhere = entity.source().is_some_and(|source| source.kind == "backstage");
    match entity.file().location_ref.strip_prefix("file:").filter(|_| !is_elsewhere) {
        Some(path) => Ok((path.to_owned(), location.line, location.column)),
        None => Err(format!("`{}` is no file on this machine", location.file)),
    }
}
