//! An object for people: what it is, since when, whose, how it is, and what happened to it last.
//!
//! [`describe`] asks; [`write`] is pure and takes whatever a server sent: every field may be absent.

mod containers;
mod kinds;
mod page;

use super::ask::{Session, list, pairs, text, time};
use super::events;
use super::kind::Kind;
use super::object::ObjectRef;
use jiff::Timestamp;
use page::Page;
use serde_json::Value;

/// Events shown, the newest.
const MAX_EVENTS: usize = 50;
/// Annotations of the machinery, said elsewhere or of no use for people.
const HIDDEN: &[&str] =
    &["kubectl.kubernetes.io/last-applied-configuration", "deprecated.daemonset.template.generation"];

/// What is known beside the object itself.
#[derive(Debug)]
pub struct Beside {
    /// Events, oldest first; or why there are none.
    pub events: Result<Vec<Value>, String>,
    /// What it owns.
    pub owned: Vec<(Kind, Value)>,
    /// Endpoints of a service; `None` where they were not asked for or are forbidden.
    pub endpoints: Option<Value>,
}

impl Default for Beside {
    fn default() -> Self {
        Self { events: Ok(Vec::new()), owned: Vec::new(), endpoints: None }
    }
}

/// Describes an object with its events.
///
/// # Errors
/// A sentence for people.
pub async fn describe(session: &Session, at: &ObjectRef) -> Result<String, String> {
    let object = session.read(at).await?;
    let owned = events::owned(session, &object, at).await.unwrap_or_default();
    let beside = Beside {
        events: events::of_all(session, &object, at, &owned).await,
        owned,
        endpoints: endpoints(session, at).await,
    };
    let kind = session.resource(at.kind)?.kind;
    Ok(write(&kind, at, &object, &beside, session.now))
}

async fn endpoints(session: &Session, at: &ObjectRef) -> Option<Value> {
    if at.kind != Kind::Service {
        return None;
    }
    let path = format!("/api/v1/namespaces/{}/endpoints/{}", at.namespace, at.name);
    session.send(http::Method::GET, &path, None).await.ok()
}

/// Writes the description of an object.
pub fn write(kind: &str, at: &ObjectRef, object: &Value, beside: &Beside, now: Timestamp) -> String {
    let mut page = Page::new(now);
    header(&mut page, kind, at, object);
    kinds::body(&mut page, at.kind, object, beside);
    self::events(&mut page, &at.name, &beside.events);
    page.into_text()
}

fn header(page: &mut Page, kind: &str, at: &ObjectRef, object: &Value) {
    page.section(&format!("{kind} {}", at.name));
    page.fact("cluster", &*at.cluster);
    page.fact("namespace", &*at.namespace);
    page.time("made", time(object, "/metadata/creationTimestamp"));
    page.time("deletion asked", time(object, "/metadata/deletionTimestamp"));
    let finalizers: Vec<&str> =
        list(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    page.fact("finalizers", finalizers.join("\n"));
    let owners = list(object, "/metadata/ownerReferences").iter().take(20);
    let owners: Vec<String> =
        owners.map(|owner| format!("{} {}", text(owner, "/kind"), text(owner, "/name"))).collect();
    page.fact("owner", owners.join("\n"));
    let labels = pairs(object, "/metadata/labels");
    page.fact("labels", lines(labels.iter().map(|(key, value)| format!("{key}={value}"))));
    let is_secret = at.kind == Kind::Secret;
    let annotations = pairs(object, "/metadata/annotations").into_iter();
    let shown = annotations.filter(|(key, _)| !HIDDEN.contains(key)).map(|(key, value)| {
        // tools keep copies of whole objects here
        let is_copy = value.trim_start().starts_with('{') || value.lines().count() > 3;
        if is_secret && is_copy {
            return format!("{key}: ***");
        }
        let short: String = value.chars().take(200).map(|c| if c == '\n' { ' ' } else { c }).collect();
        format!("{key}: {short}")
    });
    page.fact("annotations", lines(shown));
}

fn lines(items: impl Iterator<Item = String>) -> String {
    items.take(100).collect::<Vec<_>>().join("\n")
}

fn events(page: &mut Page, name: &str, events: &Result<Vec<Value>, String>) {
    page.section("Events");
    let events = match events {
        Ok(events) if events.is_empty() => return page.line("none in the time that the cluster keeps them"),
        Ok(events) => events,
        Err(why) => return page.line(why),
    };
    let skipped = events.len().saturating_sub(MAX_EVENTS);
    if skipped > 0 {
        page.line(&format!("{skipped} older ones left out"));
    }
    for event in events.iter().skip(skipped) {
        let when = events::last_seen(event).map(|at| page.age(at)).unwrap_or_default();
        let count = events::count(event);
        let times = if count > 1 { format!(" ×{count}") } else { String::new() };
        let about = text(event, "/involvedObject/name");
        let about = if about == name { String::new() } else { format!(" {about}") };
        let sign = if text(event, "/type") == "Warning" { "!" } else { " " };
        page.line(&format!(
            "{sign} {when:>4}  {}{times}{about}: {}",
            text(event, "/reason"),
            text(event, "/message").trim_end()
        ));
    }
}

#[cfg(test)]
mod tests;
