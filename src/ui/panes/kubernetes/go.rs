//! Where things of objects are: what they own, their logs, what shows a finding.

use super::place;
use super::preview::Target;
use crate::app::Context;
use crate::app::event::Effect;
use crate::app::place::{KUBERNETES, OBJECT, Place};
use crate::kubernetes::Kind;
use crate::kubernetes::health::Evidence;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::state::State;
use std::sync::Arc;

/// Returns what lies one step down from an object: what it owns, or itself in full.
pub fn open_object(state: &State, at: &ObjectRef) -> Vec<Effect> {
    let text = state.ref_text(at);
    let down = match at.kind {
        Kind::Deployment => Some(Kind::ReplicaSet),
        Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::Service | Kind::Node => {
            Some(Kind::Pod)
        }
        Kind::CronJob => Some(Kind::Job),
        _ => None,
    };
    vec![Effect::Open(match down {
        Some(kind) => Place::with(KUBERNETES, format!("{} of {text}", place::plural(kind, state))),
        None => Place::with(OBJECT, text),
    })]
}

/// Returns the place of the logs of a pod or workload.
pub fn logs_place(cx: &Context, at: &ObjectRef, container: Option<&str>, is_previous: bool) -> Option<Place> {
    cx.panes.iter().any(|spec| spec.id == "logs").then(|| {
        let cluster = &at.cluster;
        let cluster = if cluster.contains(char::is_whitespace) {
            format!("\"{cluster}\"")
        } else {
            cluster.to_string()
        };
        let mut argument =
            format!("{} {cluster} {}/{}", cx.kubernetes.kind_word(at.kind), at.namespace, at.name);
        for word in container.into_iter().chain(is_previous.then_some("previous")) {
            argument.push(' ');
            argument.push_str(word);
        }
        Place::with("logs", argument)
    })
}

/// Goes to what a line of a preview leads to.
pub fn follow(cx: &Context, at: &ObjectRef, target: &Target) -> Vec<Effect> {
    match target {
        Target::Object(object) => vec![Effect::Open(Place::with(OBJECT, cx.kubernetes.ref_text(object)))],
        Target::Container(name) => {
            let place = logs_place(cx, at, Some(name), false);
            place.map(|place| vec![Effect::Open(place)]).unwrap_or_default()
        }
        Target::Evidence(object, container, evidence) => {
            show_evidence(cx, object, container.as_ref(), evidence)
        }
    }
}

/// Goes to where a finding can be seen.
pub fn show_evidence(
    cx: &Context,
    at: &ObjectRef,
    container: Option<&Arc<str>>,
    evidence: &Evidence,
) -> Vec<Effect> {
    let text = cx.kubernetes.ref_text(at);
    let object = |tab: &str| Place::with(OBJECT, format!("{tab} {text}").trim_start().to_owned());
    let place = match evidence {
        Evidence::Logs { is_previous } => logs_place(cx, at, container.map(|name| &**name), *is_previous)
            .unwrap_or_else(|| object("events")),
        Evidence::Events => object("events"),
        Evidence::Object => object(""),
    };
    vec![Effect::Open(place)]
}
