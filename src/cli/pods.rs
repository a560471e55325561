//! `pods`: the pods of an entity, of a namespace, or of everything.

use super::args::GlobalArgs;
use super::clusters::{ClusterArgs, Clusters, tell};
use super::error::{CliError, Exit};
use super::get::Form;
use super::health;
use super::output::{Output, Role};
use super::session::{self, Session};
use super::table::{self, Cell};
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::Kind;
use crate::kubernetes::columns::{self, Column, Row, Tone, pod_status};
use crate::kubernetes::lookup::Wish;
use crate::kubernetes::object::{Container, ContainerState, Facts, Resources, Role as Part};
use crate::kubernetes::select::{Found, LabelSelector, Scope, objects};
use crate::kubernetes::state::State;
use crate::model::text::clean;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Arguments of `pods`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Refs of entities (`component:payments/ledger`), names, namespaces (`namespace/shop` where an entity has the name too), or `pod/NAME`; with `-n` or `-A` nothing
    #[arg(value_name = "REF|NAMESPACE")]
    pub what: Vec<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
    /// Which clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,
}

/// Whose pods are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Entity(String),
    Namespace(String),
    Pod(String),
    Everything,
}

/// Runs `pods`.
///
/// # Errors
/// For words that name nothing and selectors that make no sense.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    check_selector(global)?;
    if args.what.is_empty()
        && global.namespace.is_none()
        && !global.all_namespaces
        && global.selector.is_none()
    {
        return Err(CliError::usage(
            "whose pods?",
            "name an entity or a namespace; `-n NAMESPACE` and `-A` show them without the catalog",
        ));
    }
    let session = session::open(global);
    let (catalog, whose) = whose(&session, global, args, out)?;
    let clusters = Clusters::find(&session, catalog.as_deref(), global, &args.clusters, out)?;
    let catalog = catalog.unwrap_or_default();
    let is_of_entities = whose.iter().any(|whose| matches!(whose, Whose::Entity(_)));
    let mut wishes = Vec::new();
    for whose in &whose {
        wishes.extend(wishes_of(whose, &catalog, &clusters, global)?);
    }
    let kinds = if is_of_entities { clusters.health_kinds() } else { vec![Kind::Pod] };
    let state = clusters.look(wishes, kinds, true);
    let found = found(&state, &catalog, &whose, global);
    print(&state, &found, args.output, out)?;
    say_namespaces(&clusters, &state, (&args.what, &whose), out);
    let exit = tell(&state, !found.is_empty(), out);
    if found.is_empty() && exit == Exit::Fine {
        return nothing(&clusters, &whose, out);
    }
    Ok(exit)
}

fn check_selector(global: &GlobalArgs) -> Result<(), CliError> {
    let Some(text) = &global.selector else { return Ok(()) };
    let parsed = LabelSelector::parse(text);
    parsed.map(|_| ()).map_err(|error| {
        CliError::usage(
            format!("`{}` is no label selector: {error}", clean(text)),
            "for example `app=checkout,tier in (front,back),!old`",
        )
    })
}

/// Reads the words; the catalog is loaded only when one of them may be an entity.
fn whose(
    session: &Session,
    global: &GlobalArgs,
    args: &Args,
    out: &mut Output,
) -> Result<(Option<Arc<Catalog>>, Vec<Whose>), CliError> {
    let mut catalog: Option<Arc<Catalog>> = None;
    let mut all = Vec::new();
    for word in &args.what {
        let pod = ["pod/", "pods/", "po/"].iter().find_map(|prefix| word.strip_prefix(prefix));
        if let Some(name) = pod {
            all.push(Whose::Pod(name.to_owned()));
            continue;
        }
        if let Some(name) = namespace_of(word) {
            all.push(Whose::Namespace(name.to_owned()));
            continue;
        }
        let catalog = match &catalog {
            Some(catalog) => catalog,
            None => catalog.insert(session.load(out)?.catalog),
        };
        all.push(match health::entity(catalog, word, global, out) {
            Ok(id) => Whose::Entity(catalog.ref_of(id).to_owned()),
            // What no entity is called may be a namespace; the clusters will tell.
            Err(CliError::NotFound(_)) if is_namespace(word) => Whose::Namespace(word.clone()),
            Err(error) => return Err(error),
        });
    }
    if all.is_empty() {
        super::exit_when_interrupted();
        all.push(global.namespace.clone().map_or(Whose::Everything, Whose::Namespace));
    }
    Ok((catalog, all))
}

/// `namespace/shop`, `ns/shop`
pub fn namespace_of(word: &str) -> Option<&str> {
    let (kind, name) = word.split_once('/')?;
    (matches!(kind, "namespace" | "namespaces" | "ns") && is_namespace(name)).then_some(name)
}

/// Says of words that were read as entities that there are namespaces of the same name.
fn say_namespaces(
    clusters: &Clusters,
    state: &State,
    (words, whose): (&[String], &[Whose]),
    out: &mut Output,
) {
    for (word, whose) in words.iter().zip(whose) {
        let Whose::Entity(entity) = whose else { continue };
        if is_namespace(word) && clusters.surely_has_namespace(state, word) {
            let word = clean(word);
            out.note(&format!(
                "`{word}` is read as {}; `namespace/{word}` or `-n {word}` shows the namespace",
                clean(entity)
            ));
        }
    }
}

/// Returns whether a text can be the name of a namespace (RFC 1123 label).
fn is_namespace(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !word.is_empty() && word.len() <= 63 && word.bytes().all(is_letter)
}

fn wishes_of(
    whose: &Whose,
    catalog: &Catalog,
    clusters: &Clusters,
    global: &GlobalArgs,
) -> Result<Vec<Wish>, CliError> {
    let selector: Arc<str> = global.selector.as_deref().unwrap_or_default().into();
    let namespace: Option<Arc<str>> = global.namespace.as_deref().map(Arc::from);
    match whose {
        Whose::Entity(entity) => health::wishes(catalog, entity, clusters.locator()),
        Whose::Namespace(name) => {
            Ok(vec![Wish { selector, namespace: Some(name.as_str().into()), clusters: None }])
        }
        Whose::Pod(_) | Whose::Everything => Ok(vec![Wish { selector, namespace, clusters: None }]),
    }
}

fn found<'a>(state: &'a State, catalog: &Catalog, whose: &[Whose], global: &GlobalArgs) -> Vec<Found<'a>> {
    let mut all: Vec<Found<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    for whose in whose {
        let scope = match whose {
            Whose::Entity(entity) => Scope::Entity(entity.clone()),
            Whose::Namespace(name) => Scope::Namespace(name.clone()),
            Whose::Pod(_) | Whose::Everything => Scope::Everything,
        };
        let mut found = objects(state, catalog, &scope, &[Kind::Pod]);
        if let Whose::Pod(name) = whose {
            found.retain(|found| *found.object.name == **name);
        }
        for new in found {
            if seen.insert(Arc::as_ptr(new.object)) {
                all.push(new);
            }
        }
    }
    let selector =
        global.selector.as_deref().and_then(|text| LabelSelector::parse(text).ok()).unwrap_or_default();
    all.retain(|found| {
        global.namespace.as_deref().is_none_or(|namespace| &*found.object.namespace == namespace)
            && selector.matches(&found.object.labels)
    });
    all
}

/// Says that there is nothing; a namespace that does not exist is an error.
fn nothing(clusters: &Clusters, whose: &[Whose], out: &mut Output) -> Result<Exit, CliError> {
    for whose in whose {
        match whose {
            Whose::Pod(name) => {
                let message = format!("there is no pod `{}`", clean(name));
                return Err(CliError::not_found(
                    Diagnostic::error("kubernetes::not-found", message).hint("`devportal pods -A` lists all"),
                ));
            }
            Whose::Namespace(name) if !clusters.has_namespace(name) => {
                let message = format!("`{}` is neither an entity nor a namespace", clean(name));
                return Err(CliError::not_found(
                    Diagnostic::error("kubernetes::not-found", message)
                        .hint("`devportal get` lists entities, `devportal pods -A` pods of all namespaces"),
                ));
            }
            _ => {}
        }
    }
    out.note("no pods");
    Ok(Exit::Fine)
}

fn print(state: &State, found: &[Found<'_>], form: Form, out: &mut Output) -> Result<(), CliError> {
    let now = Timestamp::now();
    let is_wide = matches!(form, Form::Wide | Form::Csv);
    let columns: Vec<&Column> =
        columns::of_kind(Kind::Pod).iter().filter(|column| is_wide || !column.is_wide).collect();
    let rows = || -> Vec<Vec<Cell>> {
        let row = |found: &Found<'_>| {
            let row = Row { cluster: found.cluster, object: found.object, now };
            columns.iter().map(|column| cell(&(column.cell)(&row), found, column.head)).collect()
        };
        found.iter().map(row).collect()
    };
    let head: Vec<&str> = columns.iter().map(|column| column.head).collect();
    match form {
        Form::Table | Form::Wide if found.is_empty() => Ok(()),
        Form::Table | Form::Wide => table::print(out, &head, &rows()),
        Form::Csv => table::csv(out, &head, &rows()),
        Form::Name => found.iter().try_for_each(|found| out.line(&clean(&state.ref_text(&found.at())))),
        Form::Json => out.json(&found.iter().map(|found| json_of(found, now)).collect::<Vec<_>>()),
        Form::Jsonl => found.iter().try_for_each(|found| out.json_line(&json_of(found, now))),
        Form::Yaml => found.iter().try_for_each(|found| {
            out.line("---")?;
            out.yaml(&json_of(found, now))
        }),
    }
}

/// Makes a cell safe to print; extras are marked behind their name.
pub fn cell(cell: &columns::Cell, found: &Found<'_>, head: &str) -> Cell {
    let role = match cell.tone {
        Tone::Plain => None,
        Tone::Ok => Some(Role::Ok),
        Tone::Warn => Some(Role::Warn),
        Tone::Error => Some(Role::Error),
        Tone::Dim => Some(Role::Dim),
    };
    if head == "NAME" && found.is_extra {
        return Cell::new(&format!("{} +", cell.text)).role(role);
    }
    Cell::new(&cell.text).role(role)
}

fn json_of(found: &Found<'_>, now: Timestamp) -> Value {
    let object = found.object;
    let Facts::Pod(pod) = &object.facts else { return Value::Null };
    let status = pod_status(object, pod);
    let row = Row { cluster: found.cluster, object, now };
    let used = columns::usage(&row);
    let (requests, limits) = (columns::requests(pod), columns::limits(pod));
    let amount = |of: fn(Resources) -> u64| {
        let used = used.map(of);
        let share = |whole: u64| used.map(|used| columns::percent(used, whole));
        json!({
            "used": used,
            "requested": of(requests),
            "limit": of(limits),
            "percentOfRequest": share(of(requests)),
            "percentOfLimit": share(of(limits)),
        })
    };
    let labels: serde_json::Map<String, Value> =
        object.labels.iter().map(|(key, value)| (key.to_string(), (&**value).into())).collect();
    let owner = object.owners.first().map(|owner| json!({ "kind": &*owner.kind, "name": &*owner.name }));
    json!({
        "cluster": &*found.cluster.cluster.name,
        "namespace": &*object.namespace,
        "name": &*object.name,
        "status": status.reason,
        "phase": &*pod.phase,
        "ready": status.ready,
        "containersTotal": status.total,
        "restarts": status.restarts,
        "lastRestart": status.last_restart.map(|at| at.to_string()),
        "created": object.created.map(|at| at.to_string()),
        "node": &*pod.node,
        "ip": pod.ip.as_deref(),
        "owner": owner,
        "isExtra": found.is_extra,
        "cpuMillicores": amount(|resources| resources.millicores),
        "memoryBytes": amount(|resources| resources.memory),
        "containers": pod.containers.iter().map(container).collect::<Vec<_>>(),
        "labels": labels,
    })
}

fn container(container: &Container) -> Value {
    let part = match container.role {
        Part::Init => "init",
        Part::Sidecar => "sidecar",
        Part::Main => "main",
        Part::Ephemeral => "ephemeral",
    };
    let (state, reason, message, since) = match &container.state {
        ContainerState::Unknown => ("unknown", None, None, None),
        ContainerState::Waiting { reason, message } => {
            ("waiting", Some(&**reason).filter(|reason| !reason.is_empty()), message.as_deref(), None)
        }
        ContainerState::Running { since } => ("running", None, None, *since),
        ContainerState::Terminated(ended) => (
            "terminated",
            Some(&*ended.reason).filter(|reason| !reason.is_empty()),
            ended.message.as_deref(),
            ended.finished,
        ),
    };
    let last = container.last.as_ref().map(|last| {
        json!({
            "reason": &*last.reason,
            "exitCode": last.exit_code,
            "finished": last.finished.map(|at| at.to_string()),
        })
    });
    json!({
        "name": &*container.name,
        "role": part,
        "image": &*container.image,
        "ready": container.ready,
        "restarts": container.restarts,
        "state": state,
        "reason": reason,
        "message": message,
        "since": since.map(|at| at.to_string()),
        "lastTermination": last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_namespaces() {
        for (word, expected) in
            [("shop", true), ("kube-system", true), ("component:x", false), ("A", false), ("", false)]
        {
            assert_eq!(is_namespace(word), expected, "{word}");
        }
        for (word, expected) in
            [("ns/shop", Some("shop")), ("namespace/a", Some("a")), ("shop/a", None), ("ns/", None)]
        {
            assert_eq!(namespace_of(word), expected, "{word}");
        }
    }
}
