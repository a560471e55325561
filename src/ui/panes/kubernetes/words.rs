//! What is said about clusters, and amounts in words.

use crate::app::Context;
use crate::app::context::age;
use crate::config::theme::Role;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::Facts;
use crate::kubernetes::rows::{self, Seen};
use crate::kubernetes::select::Scope;
use crate::kubernetes::state::{ClusterState, Forbidden, Phase, State, Watch};
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use jiff::Timestamp;
use std::sync::Arc;

/// Something about a cluster that stands in a list as a row of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the cluster.
    pub cluster: Arc<str>,
    /// Tells the notes of one cluster apart.
    pub key: String,
    /// The row.
    pub line: Line,
    /// Everything about it, for the preview.
    pub detail: Vec<(&'static str, String)>,
    /// A request to send to who can allow it; empty when nothing is forbidden.
    pub request: String,
}

/// Returns what has to be said about the clusters for a list of these kinds.
pub fn notes(cx: &Context, only: &[Arc<str>], kinds: &[Kind], scope: &Scope) -> Vec<Note> {
    let state = &cx.kubernetes;
    let mut out: Vec<Note> =
        rows::clusters(state, only).flat_map(|cluster| notes_of(cx, state, cluster, kinds, scope)).collect();
    for name in only.iter().filter(|name| state.cluster(name).is_none()) {
        let line = vec![
            span(format!("{} {name}  ", Sign::Error.text(cx)), Role::Error),
            span("no cluster is known by this name", Role::Text),
        ];
        out.push(note(name, "unknown", line, Vec::new()));
    }
    out
}

fn note(cluster: &Arc<str>, key: &str, line: Line, detail: Vec<(&'static str, String)>) -> Note {
    Note { cluster: cluster.clone(), key: key.to_owned(), line, detail, request: String::new() }
}

fn notes_of(cx: &Context, state: &State, cluster: &ClusterState, kinds: &[Kind], scope: &Scope) -> Vec<Note> {
    let name = &cluster.cluster.name;
    let head = |sign: &str, role: Role| span(format!("{sign} {name}  "), role);
    match &cluster.phase {
        Phase::Idle | Phase::Connecting(_) => {
            let dots = if cx.ascii { "..." } else { "…" };
            let line = vec![head(dots, Role::Info), span("connecting", Role::Dim)];
            vec![note(name, "connecting", line, Vec::new())]
        }
        Phase::Down { since, cause, retry } => {
            let has_rows = kinds.iter().filter_map(|k| cluster.tables.get(k)).any(|t| !t.objects.is_empty());
            let ago = age(cx.now.as_second() - since.as_second());
            let lasts = if ago == "now" { String::new() } else { format!(" for {ago}") };
            let (sign, role, words) = if has_rows {
                (Sign::Stale.text(cx), Role::Stale, format!("stale{lasts}: {cause}"))
            } else {
                (Sign::Error.text(cx), Role::Error, format!("no answer{lasts}: {cause}"))
            };
            let next = retry_words(cx, *retry);
            let line = vec![head(sign, role), span(words, Role::Text), span(format!(" · {next}"), Role::Dim)];
            let detail = vec![
                ("cause", cause.clone()),
                ("since", self::ago(cx, Some(*since))),
                ("next try", next),
                ("found in", cluster.cluster.origin.clone()),
            ];
            vec![note(name, "down", line, detail)]
        }
        Phase::Live => kinds.iter().filter_map(|kind| watch_note(cx, state, cluster, *kind, scope)).collect(),
    }
}

/// Returns when something is tried again, in words.
pub fn retry_words(cx: &Context, retry: Option<Timestamp>) -> String {
    match retry.map(|retry| retry.as_second() - cx.now.as_second()) {
        Some(..60) => "tries again within a minute".to_owned(),
        Some(seconds) => format!("tries again in {}", age(seconds)),
        None => "does not try again by itself".to_owned(),
    }
}

fn watch_note(
    cx: &Context,
    state: &State,
    cluster: &ClusterState,
    kind: Kind,
    scope: &Scope,
) -> Option<Note> {
    let name = &cluster.cluster.name;
    let plural = super::place::plural(kind, state);
    let watch = &cluster.tables.get(&kind)?.watch;
    let forbidden_note = |forbidden: &Forbidden, lead: String, sign: Sign| {
        let line = vec![
            span(format!("{} {name}  ", sign.text(cx)), sign.role()),
            span(lead, Role::Text),
            span(format!(" · {}", forbidden.remedy), Role::Dim),
        ];
        let mut note = note(name, &plural, line, forbidden_detail(forbidden));
        note.request = request(name, forbidden);
        note
    };
    match watch {
        Watch::None | Watch::Loading | Watch::Live => None,
        Watch::Partial { namespaces, forbidden } => {
            if matches!(scope, Scope::Namespace(wanted) if namespaces.iter().any(|ns| **ns == **wanted)) {
                return None;
            }
            let list = namespaces.iter().take(3).map(|ns| &**ns).collect::<Vec<_>>().join(", ");
            let more = if namespaces.len() > 3 {
                format!(" and {} more", namespaces.len() - 3)
            } else {
                String::new()
            };
            let lead = format!("{plural} of {list}{more} only: {}", may_not(forbidden));
            Some(forbidden_note(forbidden, lead, Sign::Warn))
        }
        Watch::Forbidden(forbidden) => Some(forbidden_note(forbidden, may_not(forbidden), Sign::Error)),
        Watch::Stale { since, cause } => {
            let ago = age(cx.now.as_second() - since.as_second());
            let line = vec![
                span(format!("{} {name}  ", Sign::Stale.text(cx)), Role::Stale),
                span(format!("{plural} stale {ago}: {cause}"), Role::Text),
            ];
            Some(note(
                name,
                &plural,
                line,
                vec![("cause", cause.clone()), ("since", self::ago(cx, Some(*since)))],
            ))
        }
        Watch::Missing => {
            let line = vec![
                span(format!("{} {name}  ", Sign::Unknown.text(cx)), Role::Unknown),
                span(format!("its server does not know {plural}"), Role::Dim),
            ];
            Some(note(name, &plural, line, Vec::new()))
        }
    }
}

/// Says what is forbidden: `ana may not list pods in all namespaces`.
pub fn may_not(forbidden: &Forbidden) -> String {
    let place = if forbidden.namespace.is_empty() {
        "in all namespaces".to_owned()
    } else {
        format!("in {}", forbidden.namespace)
    };
    let who = if forbidden.user.is_empty() { "you" } else { forbidden.user.as_str() };
    format!("{who} may not {} {} {place}", forbidden.verb, forbidden.resource)
}

fn forbidden_detail(forbidden: &Forbidden) -> Vec<(&'static str, String)> {
    let namespace = if forbidden.namespace.is_empty() { "all" } else { &forbidden.namespace };
    vec![
        ("verb", forbidden.verb.clone()),
        ("resource", forbidden.resource.clone()),
        ("namespace", namespace.to_owned()),
        ("you are", forbidden.user.clone()),
        ("remedy", forbidden.remedy.clone()),
    ]
}

fn request(cluster: &str, forbidden: &Forbidden) -> String {
    let place = if forbidden.namespace.is_empty() {
        "all namespaces".to_owned()
    } else {
        format!("namespace {}", forbidden.namespace)
    };
    format!(
        "Please allow {} on cluster {cluster}: verb {}, resource {}, {place}.\n{}",
        if forbidden.user.is_empty() { "me" } else { &forbidden.user },
        forbidden.verb,
        forbidden.resource,
        forbidden.remedy
    )
}

/// Returns how many of the clusters have answered for these kinds, and who is awaited.
pub fn progress(state: &State, only: &[Arc<str>], kinds: &[Kind]) -> (usize, usize, Vec<Arc<str>>) {
    let mut waiting = Vec::new();
    let mut total = 0;
    for cluster in rows::clusters(state, only) {
        total += 1;
        let is_waiting = match cluster.phase {
            Phase::Idle | Phase::Connecting(_) => true,
            Phase::Down { .. } => false,
            Phase::Live => kinds.iter().any(|kind| {
                matches!(
                    cluster.tables.get(kind).map(|table| &table.watch),
                    None | Some(Watch::None | Watch::Loading)
                )
            }),
        };
        if is_waiting {
            waiting.push(cluster.cluster.name.clone());
        }
    }
    (total - waiting.len(), total, waiting)
}

/// Returns whether what is known of a kind in a cluster is old.
pub fn is_stale(cluster: &ClusterState, kind: Kind) -> bool {
    matches!(cluster.phase, Phase::Down { .. })
        || matches!(cluster.tables.get(&kind).map(|table| &table.watch), Some(Watch::Stale { .. }))
}

/// Returns bytes as clusters write them: `64Mi`, `1.5Gi`.
pub fn memory(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name @ ("Ti" | "Gi"), unit)) if !bytes.is_multiple_of(*unit) => {
            format!("{:.1}{name}", bytes as f64 / *unit as f64)
        }
        Some((name, unit)) => format!("{}{name}", (bytes + unit / 2) / unit),
        None => bytes.to_string(),
    }
}

/// Returns thousandths of a core: `250m`, `2`.
pub fn cores(millicores: u64) -> String {
    if millicores > 0 && millicores.is_multiple_of(1000) {
        (millicores / 1000).to_string()
    } else {
        format!("{millicores}m")
    }
}

/// Returns how long something took: `42s`, `3m12s`, `2h5m`.
pub fn seconds(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{}s", seconds.max(0)),
        60..3600 if seconds % 60 > 0 => format!("{}m{}s", seconds / 60, seconds % 60),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 if seconds / 60 % 60 > 0 => format!("{}h{}m", seconds / 3600, seconds / 60 % 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns how long ago something was, or nothing when that is not known.
pub fn since(cx: &Context, at: Option<Timestamp>) -> String {
    at.map(|at| age(cx.now.as_second() - at.as_second())).unwrap_or_default()
}

/// Returns how long ago something was: `3m ago`, `just now`; nothing for no time.
pub fn ago(cx: &Context, at: Option<Timestamp>) -> String {
    at.map(|at| ago_words(cx.now.as_second() - at.as_second())).unwrap_or_default()
}

/// The same for seconds.
pub fn ago_words(seconds: i64) -> String {
    match age(seconds) {
        now if now == "now" => "just now".to_owned(),
        age => format!("{age} ago"),
    }
}

/// Returns `60%/80%`: what is and what is wanted.
pub fn target_percent((now, wanted): (Option<i32>, Option<i32>)) -> String {
    let words = |value: Option<i32>| value.map_or("?".to_owned(), |value| format!("{value}%"));
    match (now, wanted) {
        (None, None) => String::new(),
        _ => format!("{}/{}", words(now), words(wanted)),
    }
}

/// Returns access modes as kubectl shortens them.
pub fn modes(modes: &[Arc<str>]) -> String {
    let short = |mode: &Arc<str>| match &**mode {
        "ReadWriteOnce" => "RWO".to_owned(),
        "ReadOnlyMany" => "ROX".to_owned(),
        "ReadWriteMany" => "RWX".to_owned(),
        "ReadWriteOncePod" => "RWOP".to_owned(),
        other => other.to_owned(),
    };
    modes.iter().map(short).collect::<Vec<_>>().join(",")
}

/// Returns an image without its registry and path: `checkout:v412`.
pub fn short_image(image: &str) -> &str {
    image.rsplit('/').next().unwrap_or(image)
}

/// Counts the pods on a node.
pub fn pods_on(seen: &Seen<'_>) -> usize {
    let Some(pods) = seen.cluster.tables.get(&Kind::Pod) else { return 0 };
    let is_on = |facts: &Facts| matches!(facts, Facts::Pod(pod) if pod.node == seen.object.name);
    pods.objects.values().filter(|pod| is_on(&pod.facts)).count()
}

/// Returns bars for values, the largest as high as the line; the newest at the right.
pub fn sparkline(values: impl DoubleEndedIterator<Item = u64>, cells: usize, ascii: bool) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const PLAIN: [char; 8] = ['_', '.', '.', '-', '-', '=', '=', '#'];
    let mut last: Vec<u64> = values.rev().take(cells).collect();
    last.reverse();
    let most = last.iter().copied().max().unwrap_or(0).max(1);
    let bars = if ascii { PLAIN } else { BARS };
    last.iter().map(|value| bars.get((value * 7 / most) as usize).copied().unwrap_or(' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_clusters_write_them() {
        for (bytes, text) in [
            (0, "0"),
            (512, "512"),
            (65_536, "64Ki"),
            (268_435_456, "256Mi"),
            (1_610_612_736, "1.5Gi"),
            (2_147_483_648, "2Gi"),
        ] {
            assert_eq!(memory(bytes), text);
        }
        for (millicores, text) in [(0, "0m"), (250, "250m"), (2000, "2"), (1500, "1500m")] {
            assert_eq!(cores(millicores), text);
        }
        for (time, text) in
            [(-3, "0s"), (42, "42s"), (192, "3m12s"), (180, "3m"), (7500, "2h5m"), (200_000, "2d")]
        {
            assert_eq!(seconds(time), text);
        }
    }

    #[test]
    fn the_highest_bar_is_the_most_and_the_newest_stands_right() {
        assert_eq!(sparkline([9, 0, 7, 14].into_iter(), 3, false), "▁▄█");
        assert_eq!(sparkline([0, 0].into_iter(), 8, true), "__");
    }
}
