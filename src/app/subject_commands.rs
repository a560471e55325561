//! The commands that act on the focused thing, the same in every pane.

use super::App;
use super::backend;
use super::commands::{Availability, CommandId, id};
use super::context::Context;
use super::event::Effect;
use super::overlay::{Item, Overlay};
use super::place::{DOCS, LOGS, OBJECT, Place};
use super::subject::{Subject, is_openable};
use crate::kubernetes::{Kind, ObjectRef};
use crate::model::entity_ref::split_canonical;

impl App {
    /// Returns the things that the subject commands act on.
    pub fn subjects(&self) -> Vec<Subject> {
        self.pane().map(|pane| pane.subjects(&self.cx)).unwrap_or_default()
    }

    /// Returns whether a subject command can run; `None` when it is no subject command.
    pub(super) fn subject_availability(&self, command: CommandId) -> Option<Availability> {
        if !super::commands::SUBJECT.iter().any(|row| row.id == command) || command == id::OPEN {
            return None;
        }
        let subjects = self.subjects();
        let Some(first) = subjects.first() else { return Some(Availability::no("nothing is focused")) };
        if command == id::REFRESH_REMOTE {
            let order = backend::refresh(&self.cx, &subjects);
            return Some(order.map_or_else(Availability::Disabled, |_| Availability::Available));
        }
        let is_missing = match command {
            id::DESCRIBE | id::INSPECT => first.entity.is_none() && first.object.is_none(),
            id::STAR | id::DOCS | id::GRAPH | id::IMPACT | id::CHANGES => first.entity.is_none(),
            id::BROWSE | id::BROWSE_WHAT => first.links.is_empty(),
            id::LOGS | id::PREVIOUS_LOGS => self.logs_place(&subjects, false).is_none(),
            _ => false,
        };
        let is_here = || {
            let place = match command {
                id::DESCRIBE => self.describe_place(first)?,
                id::INSPECT => self.inspect_place(first)?,
                // the reader is at a page of it
                id::DOCS => {
                    let here = self.pane()?.place();
                    let entity = first.entity.as_deref()?;
                    return Some(here.pane == DOCS && here.argument.split(' ').next() == Some(entity));
                }
                _ => return None,
            };
            Some(self.pane()?.place() == place)
        };
        let reason = match (command, &first.source) {
            _ if is_here() == Some(true) => Some("this is it".to_owned()),
            (id::EDIT, Some(Err(reason))) => Some(reason.clone()),
            (id::EDIT, None) => Some("it has no source file".to_owned()),
            (id::LOGS | id::PREVIOUS_LOGS, _) if is_missing => Some(no_logs(first)),
            (id::BROWSE | id::BROWSE_WHAT, _) if is_missing => Some("it has no links".to_owned()),
            _ if is_missing => Some("this is no entity".to_owned()),
            _ => None,
        };
        Some(reason.map_or(Availability::Available, Availability::Disabled))
    }

    /// Carries out a subject command; `None` when it is none, or one that the pane does itself.
    pub(super) fn subject_command(&self, command: CommandId) -> Option<Vec<Effect>> {
        let subjects = self.subjects();
        let first = subjects.first();
        let entity = || first.and_then(|s| s.entity.clone());
        let open = |place: Option<Place>| place.map(|p| vec![Effect::Open(p)]).unwrap_or_default();
        Some(match command {
            id::STAR => vec![Effect::Star(subjects.iter().filter_map(|s| s.entity.clone()).collect())],
            id::COPY => {
                let names: Vec<&str> = subjects.iter().map(|s| s.name.as_str()).collect();
                let what =
                    if names.len() == 1 { "name".to_owned() } else { format!("{} names", names.len()) };
                vec![Effect::Copy { what, text: names.join("\n") }]
            }
            id::COPY_WHAT => vec![Effect::Show(self.copy_menu(&subjects))],
            id::BROWSE => first
                .and_then(|s| s.links.first())
                .map(|(_, url)| vec![Effect::OpenUrl(url.clone())])
                .unwrap_or_default(),
            id::BROWSE_WHAT => first.map(|s| vec![Effect::Show(link_menu(s))]).unwrap_or_default(),
            id::EDIT => match first.and_then(|s| s.source.clone()) {
                Some(Ok((path, line, column))) => vec![Effect::Edit { path, line, column }],
                _ => Vec::new(),
            },
            id::DESCRIBE => open(first.and_then(|s| self.describe_place(s))),
            id::INSPECT => open(first.and_then(|s| self.inspect_place(s))),
            id::LOGS => open(self.logs_place(&subjects, false)),
            id::PREVIOUS_LOGS => open(self.logs_place(&subjects, true)),
            id::DOCS => open(entity().map(|e| Place::with(DOCS, e))),
            id::GRAPH => open(entity().map(|e| Place::with("graph", e))),
            id::IMPACT => open(entity().map(|e| Place::with("graph", format!("{e} impact")))),
            id::CHANGES => open(entity().map(|e| Place::with("history", e))),
            id::REFRESH_REMOTE => {
                let order = backend::refresh(&self.cx, &subjects);
                order.map(|order| vec![Effect::Backend(order)]).unwrap_or_default()
            }
            id::ACTIONS => vec![Effect::Show(self.action_menu(&subjects))],
            _ => return None,
        })
    }

    fn describe_place(&self, subject: &Subject) -> Option<Place> {
        let object = |at| Place::with(OBJECT, format!("describe {}", self.cx.kubernetes.ref_text(at)));
        subject.object.as_ref().map(object).or_else(|| subject.entity.as_ref().map(Place::entity))
    }

    fn inspect_place(&self, subject: &Subject) -> Option<Place> {
        let object = |at| Place::with(OBJECT, format!("yaml {}", self.cx.kubernetes.ref_text(at)));
        let entity = |entity| Place::entity(format!("{entity} raw"));
        subject.object.as_ref().map(object).or_else(|| subject.entity.as_ref().map(entity))
    }

    /// Returns the place of the logs of what is focused, or of all marked objects; `None` when it has none.
    fn logs_place(&self, subjects: &[Subject], is_previous: bool) -> Option<Place> {
        let first = subjects.first()?;
        let mut line = match (&first.object, &first.entity) {
            (Some(_), _) => {
                let objects = subjects.iter().filter_map(|subject| subject.object.as_ref());
                let texts: Vec<String> = objects
                    .filter(|object| has_logs(object.kind))
                    .take(MAX_LOGS)
                    .map(|object| object_logs(&self.cx, object))
                    .collect();
                (!texts.is_empty()).then(|| texts.join(", "))?
            }
            (None, Some(entity)) => {
                let is_bound = self.cx.kubernetes.health.contains_key(entity.as_str());
                let found = self.cx.entity(entity)?;
                let is_annotated = BINDINGS.iter().any(|key| found.annotation(key).is_some());
                let is_owner = matches!(split_canonical(entity).0, "system" | "domain" | "group" | "user");
                (is_bound || is_annotated || is_owner).then(|| entity.clone())?
            }
            (None, None) => return None,
        };
        if let (Some(container), 1) = (&first.container, subjects.len()) {
            line = format!("{line} {container}");
        }
        Some(Place::with(LOGS, if is_previous { format!("{line} previous") } else { line }))
    }

    fn action_menu(&self, subjects: &[Subject]) -> Overlay {
        let title = match subjects {
            [one] => one.name.clone(),
            many => format!("{} marked", many.len()),
        };
        // what is no entity is acted on by the place that shows it
        let pane = self.pane().filter(|_| subjects.iter().all(|subject| subject.entity.is_none()));
        let of_pane = pane.map_or(&[][..], |pane| pane.spec().commands);
        let refresh = super::commands::GLOBAL.iter().filter(|row| row.id == id::REFRESH && self.reads_own());
        let of_subject = super::commands::SUBJECT.iter().filter(|row| row.id != id::ACTIONS);
        let is_object = subjects.iter().any(|subject| subject.object.is_some());
        let of_object = if is_object { super::commands::OBJECT } else { &[] };
        let rows = refresh.filter(|_| pane.is_some()).chain(of_pane).chain(of_object).chain(of_subject);
        let items = rows.map(|row| {
            let disabled = match self.availability(row) {
                Availability::Available => None,
                Availability::Disabled(reason) => Some(reason),
            };
            let keys = self.cx.key(row.id);
            // the letter is the command's own key where it has one, so that hands learn one thing
            let mut letters = keys.chars();
            let letter = letters.next().filter(|_| letters.next().is_none());
            Item {
                keys,
                letter,
                disabled,
                ..Item::new(row.title, vec![Effect::Run(row.id)]).detail(row.help)
            }
        });
        let mut items: Vec<Item> = items.collect();
        if let [Subject { entity: Some(entity), .. }] = subjects {
            items.extend(super::day_two::items(&self.cx, entity));
        }
        Overlay::menu(title, items)
    }

    fn copy_menu(&self, subjects: &[Subject]) -> Overlay {
        let copy = |what: &str, text: String| vec![Effect::Copy { what: what.to_owned(), text }];
        let joined = |of: &dyn Fn(&Subject) -> Option<String>| {
            let texts: Vec<String> = subjects.iter().filter_map(of).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        };
        let mut items = Vec::new();
        let mut add = |what: &str, letter: char, text: Option<String>| {
            if let Some(text) = text {
                let shown: String = text.lines().next().unwrap_or("").chars().take(60).collect();
                items.push(Item::new(what, copy(what, text)).letter(letter).detail(shown));
            }
        };
        add("name", 'n', joined(&|s| Some(s.name.clone())));
        let form = |what: &'static str| {
            move |s: &Subject| s.copies.iter().find(|(w, _)| *w == what).map(|(_, text)| text.clone())
        };
        add("ref", 'r', joined(&form("ref")));
        add("place", 'p', joined(&form("place")));
        add("message", 'm', joined(&form("message")));
        add("report", 't', joined(&form("report")));
        add("link", 'l', joined(&|s| s.links.first().map(|(_, url)| url.clone())));
        let entity = |s: &Subject| s.entity.as_ref().and_then(|e| self.cx.entity(e));
        add("YAML", 'y', joined(&|s| serde_yaml::to_string(&entity(s)?).ok()));
        add("JSON", 'o', joined(&|s| serde_json::to_string_pretty(&entity(s)?).ok()));
        add("command", 'c', joined(&|s| Some(format!("devportal describe {}", s.entity.as_ref()?))));
        Overlay::menu("copy what?", items)
    }
}

/// Most marked objects whose logs are shown together.
const MAX_LOGS: usize = 50;
/// Annotations that bind an entity to objects of a cluster.
const BINDINGS: [&str; 2] = ["backstage.io/kubernetes-id", "backstage.io/kubernetes-label-selector"];

/// Returns whether objects of a kind are pods or have some.
fn has_logs(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::Job
            | Kind::CronJob
            | Kind::Custom(_)
    )
}

/// Returns the place line of an object's logs, without its first word.
fn object_logs(cx: &Context, object: &ObjectRef) -> String {
    let kind = cx.kubernetes.kind_word(object.kind);
    let has_space = object.cluster.contains([' ', ',']);
    let cluster = if has_space { format!("\"{}\"", object.cluster) } else { object.cluster.to_string() };
    format!("{kind} {cluster} {}/{}", object.namespace, object.name)
}

fn no_logs(subject: &Subject) -> String {
    match (&subject.object, &subject.entity) {
        (Some(_), _) => "this kind of object writes no logs".to_owned(),
        (None, Some(_)) => {
            "nothing in a cluster is bound to it: annotate it with `backstage.io/kubernetes-id`".to_owned()
        }
        (None, None) => "it has no logs".to_owned(),
    }
}

fn link_menu(subject: &Subject) -> Overlay {
    let items = subject
        .links
        .iter()
        .filter(|(_, url)| is_openable(url))
        .map(|(title, url)| Item::new(title, vec![Effect::OpenUrl(url.clone())]).detail(url));
    Overlay::menu("open which link?", items.collect())
}
