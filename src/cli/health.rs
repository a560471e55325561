//! `health`: whether services are up, and what is wrong with them.

use super::args::GlobalArgs;
use super::clusters::{ClusterArgs, Clusters, tell};
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::table::{self, Cell};
use super::{columns, select, session};
use crate::catalog::{Catalog, EntityId};
use crate::diagnostic::Diagnostic;
use crate::kubernetes::health::{self, Evidence, Finding, Health, Word};
use crate::kubernetes::lookup::Wish;
use crate::kubernetes::select::{Binding, LabelSelector, Locator, Scope, bindings_of, objects};
use crate::kubernetes::state::State;
use crate::model::text::clean;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Refs (`component:payments/ledger`) or names of services, systems, groups
    #[arg(value_name = "REF")]
    pub what: Vec<String>,
    /// Every service of this group or user; `me` for yours
    #[arg(long, value_name = "OWNER", conflicts_with = "what")]
    pub owner: Option<String>,
    /// Every service that is bound to Kubernetes by an annotation
    #[arg(long, conflicts_with_all = ["what", "owner"])]
    pub all: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
    /// Which clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,
}

/// Forms of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A line for each service, then what is wrong.
    Table,
    /// One object for one named service; else an array.
    Json,
    /// One object per line.
    Jsonl,
    /// One document per service.
    Yaml,
    /// One ref per line, those that are down first.
    Name,
}

/// A service with its health.
#[derive(Debug)]
pub struct Service {
    /// Its canonical ref.
    pub entity: String,
    /// How it is.
    pub health: Health,
}

/// Runs `health`.
///
/// # Errors
/// For names that mean nothing and clusters that are not to be asked.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if args.what.is_empty() && args.owner.is_none() && !args.all {
        return Err(CliError::usage(
            "the health of what?",
            "name services, or `--owner GROUP`, `--owner me`, `--all`",
        ));
    }
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let entities = entities(catalog, &session.viewer(catalog).me, global, args, out)?;
    let clusters = Clusters::find(&session, Some(catalog), global, &args.clusters, out)?;
    let mut wishes: Vec<Wish> = Vec::new();
    for entity in &entities {
        let own = match self::wishes(catalog, entity, clusters.locator()) {
            Ok(own) => own,
            // One that is wrong spoils its own line in a list, not the list
            Err(error) if entities.len() > 1 => {
                error.diagnostic().iter().for_each(|diagnostic| out.diagnostic(diagnostic));
                continue;
            }
            Err(error) => return Err(error),
        };
        for wish in own {
            if !wishes.contains(&wish) {
                wishes.push(wish);
            }
        }
    }
    let state = clusters.look(wishes, clusters.health_kinds(), true);
    let services = judge(&state, catalog, &entities, clusters.locator());
    print(&state, &services, args, out)?;
    let has_data = services.iter().any(|service| !service.health.clusters.is_empty());
    let exit = tell(&state, has_data, out);
    if services.is_empty() {
        out.note("no service is bound to Kubernetes");
    }
    let is_down = services.iter().any(|service| service.health.word == Word::Down);
    Ok(match (is_down, exit) {
        (true, _) => Exit::CheckFailed,
        (false, Exit::Fine) => loaded.exit,
        (false, exit) => exit,
    })
}

/// Returns the one entity that a word means; `-n` may be the namespace of its objects as well as its own. Of several
/// with the name it is the one that runs somewhere, and that is said.
///
/// # Errors
/// For a name that nobody has, or several that run.
pub fn entity(
    catalog: &Catalog,
    word: &str,
    global: &GlobalArgs,
    out: &mut Output,
) -> Result<EntityId, CliError> {
    let free = GlobalArgs { namespace: None, ..global.clone() };
    let found = match select::one(catalog, word, None, &free) {
        Err(CliError::Usage(_)) if global.namespace.is_some() => select::one(catalog, word, None, global),
        result => result,
    };
    let Err(CliError::Usage(_)) = &found else { return found };
    let Some(id) = that_runs(catalog, word, global) else { return found };
    out.note(&format!(
        "`{}` is read as {}, which runs in clusters; others of the name are named with their kind",
        clean(word),
        clean(catalog.ref_of(id))
    ));
    Ok(id)
}

/// Returns the one entity of a name that is bound to objects of clusters: by an annotation, else because it is a
/// component, else because its parts are.
fn that_runs(catalog: &Catalog, word: &str, global: &GlobalArgs) -> Option<EntityId> {
    let candidates = select::of_name(catalog, word, global);
    let rank = |id: &EntityId| {
        let entity = catalog.entity(*id)?;
        let bindings = bindings_of(catalog, entity.entity_ref(), Locator::default());
        let is_component = entity.kind().eq_ignore_ascii_case("component");
        let is_bound = Binding::of(&entity, Locator::default()).is_annotated;
        let has_parts = bindings.iter().any(|(part, _)| part != id);
        Some(match (is_bound, is_component, has_parts) {
            (true, true, _) => 0,
            (true, false, _) => 1,
            (false, true, _) => 2,
            (false, false, true) => 3,
            (false, false, false) => return None,
        })
    };
    let mut ranked: Vec<(u8, EntityId)> =
        candidates.into_iter().filter_map(|id| Some((rank(&id)?, id))).collect();
    ranked.sort_unstable();
    match ranked.as_slice() {
        [(_, only)] => Some(*only),
        [(first, id), (second, _), ..] if first < second => Some(*id),
        _ => None,
    }
}

/// Returns what to ask clusters for.
///
/// # Errors
/// For an entity whose annotation is no label selector.
pub fn wishes(catalog: &Catalog, entity: &str, locator: Locator) -> Result<Vec<Wish>, CliError> {
    let bindings = bindings_of(catalog, entity, locator);
    for (id, binding) in &bindings {
        LabelSelector::parse(&binding.selector).map_err(|error| {
            let message = format!(
                "`{}` of `{}` is no label selector: {error}",
                clean(&binding.selector),
                clean(catalog.ref_of(*id))
            );
            CliError::failure(
                Diagnostic::error("kubernetes::selector", message)
                    .hint("correct its annotation `backstage.io/kubernetes-label-selector`"),
            )
        })?;
    }
    Ok(bindings.iter().map(|(_, binding)| Wish::from(binding)).collect())
}

fn entities(
    catalog: &Catalog,
    me: &[String],
    global: &GlobalArgs,
    args: &Args,
    out: &mut Output,
) -> Result<Vec<String>, CliError> {
    if args.all {
        return Ok(annotated(catalog, catalog.ids()));
    }
    let Some(owner) = &args.owner else {
        let found: Result<Vec<EntityId>, CliError> =
            args.what.iter().map(|word| entity(catalog, word, global, out)).collect();
        return Ok(found?.into_iter().map(|id| catalog.ref_of(id).to_owned()).collect());
    };
    let owners: Vec<EntityId> = if owner == "me" {
        let known: Vec<EntityId> = me.iter().filter_map(|owner| catalog.find(owner)).collect();
        if known.is_empty() {
            return Err(CliError::usage(
                "who you are is not known",
                "set `user = \"user:default/NAME\"` in the configuration",
            ));
        }
        known
    } else {
        let as_group = select::one(catalog, owner, Some("group"), global);
        vec![as_group.or_else(|_| select::one(catalog, owner, None, global))?]
    };
    let owned = owners.into_iter().flat_map(|owner| {
        let owned = catalog.relations(owner).filter(|relation| relation.relation == "ownerOf");
        owned.map(|relation| relation.target).collect::<Vec<_>>()
    });
    Ok(annotated(catalog, owned))
}

/// Returns the refs of those that an annotation binds, sorted.
fn annotated(catalog: &Catalog, ids: impl Iterator<Item = EntityId>) -> Vec<String> {
    let mut ids: Vec<EntityId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let is_bound = |id: &EntityId| {
        catalog.entity(*id).is_some_and(|entity| Binding::of(&entity, Locator::default()).is_annotated)
    };
    ids.into_iter().filter(is_bound).map(|id| catalog.ref_of(id).to_owned()).collect()
}

/// Judges entities by a state.
pub fn judge(state: &State, catalog: &Catalog, entities: &[String], locator: Locator) -> Vec<Service> {
    let now = Timestamp::now();
    let service = |entity: &String| {
        let found = objects(state, catalog, &Scope::Entity(entity.clone()), &[]);
        let bindings = bindings_of(catalog, entity, locator);
        let bindings: Vec<&Binding> = bindings.iter().map(|(_, binding)| binding).collect();
        Service { entity: entity.clone(), health: health::of(state, &found, &bindings, now) }
    };
    entities.iter().map(service).collect()
}

fn role(word: Word) -> Role {
    match word {
        Word::Down => Role::Error,
        Word::Slow => Role::Warn,
        Word::Unknown => Role::Dim,
        Word::Ok => Role::Ok,
    }
}

/// Sign and word: colour alone says nothing.
fn shown(word: Word) -> String {
    let sign = match word {
        Word::Down => "✗",
        Word::Slow => "!",
        Word::Unknown => "?",
        Word::Ok => "✓",
    };
    format!("{sign} {}", word.as_str())
}

fn print(state: &State, services: &[Service], args: &Args, out: &mut Output) -> Result<(), CliError> {
    let values = || services.iter().map(|service| json_of(state, service));
    match args.output {
        Form::Json => match services {
            [service] if args.what.len() == 1 => out.json(&json_of(state, service)),
            _ => out.json(&values().collect::<Vec<_>>()),
        },
        Form::Jsonl => values().try_for_each(|value| out.json_line(&value)),
        Form::Yaml => values().try_for_each(|value| {
            out.line("---")?;
            out.yaml(&value)
        }),
        Form::Name => {
            let mut sorted: Vec<&Service> = services.iter().collect();
            sorted.sort_by_key(|service| service.health.word);
            sorted.iter().try_for_each(|service| out.line(&clean(&service.entity)))
        }
        Form::Table if services.is_empty() => Ok(()),
        Form::Table => print_table(state, services, out),
    }
}

fn print_table(state: &State, services: &[Service], out: &mut Output) -> Result<(), CliError> {
    let row = |service: &Service| {
        let health = &service.health;
        vec![
            Cell::new(&columns::short_ref(&service.entity, "component")).role(Some(Role::Accent)),
            Cell::new(&shown(health.word)).role(Some(role(health.word))),
            Cell::new(&format!("{}/{}", health.pods.0, health.pods.1)),
            Cell::new(&health.restarts.to_string()),
            Cell::new(&health.clusters.join(",")),
            Cell::new(&health.summary),
        ]
    };
    let head = ["NAME", "HEALTH", "PODS", "RESTARTS", "CLUSTERS", "SUMMARY"];
    table::print(out, &head, &services.iter().map(row).collect::<Vec<_>>())?;
    for service in services {
        print_findings(state, service, out)?;
    }
    Ok(())
}

fn print_findings(state: &State, service: &Service, out: &mut Output) -> Result<(), CliError> {
    if service.health.findings.is_empty() {
        return Ok(());
    }
    out.line("")?;
    out.line(&out.paint(Role::Title, &clean(&columns::short_ref(&service.entity, "component"))))?;
    let now = Timestamp::now();
    for finding in &service.health.findings {
        let tone = if finding.severity >= 6 { Role::Error } else { Role::Warn };
        let sign = out.paint(tone, &format!("{:>2}", finding.severity));
        let since = finding.since.map(|at| {
            let age = crate::kubernetes::columns::age(at, now);
            if age == "now" { " (now)".to_owned() } else { format!(" (since {age})") }
        });
        let times =
            if finding.occurrences > 1 { format!(" ×{}", finding.occurrences) } else { String::new() };
        out.line(&format!(
            "{sign}  {}  {}{times}{}",
            out.paint(Role::Accent, &clean(&state.ref_text(&finding.object))),
            clean(&finding.message),
            out.paint(Role::Dim, &since.unwrap_or_default())
        ))?;
        if !finding.cause.is_empty() {
            out.line(&format!("      why: {}", clean(&finding.cause)))?;
        }
        for fix in &finding.fixes {
            out.line(&format!("      do:  {}", clean(fix)))?;
        }
    }
    Ok(())
}

/// Returns a service as JSON; `docs/kubernetes.md` tells the fields.
pub fn json_of(state: &State, service: &Service) -> Value {
    let health = &service.health;
    json!({
        "ref": service.entity,
        "health": health.word.as_str(),
        "summary": health.summary,
        "pods": { "ready": health.pods.0, "wanted": health.pods.1 },
        "restarts": health.restarts,
        "clusters": health.clusters.iter().map(|name| &**name).collect::<Vec<_>>(),
        "noAnswer": health.silent.iter().map(|name| &**name).collect::<Vec<_>>(),
        "notAllowed": health.refused.iter().map(|refused| json!({
            "cluster": &*refused.cluster,
            "resources": refused.resources,
            "isPartial": refused.is_partial,
        })).collect::<Vec<_>>(),
        "findings": health.findings.iter().map(|finding| finding_json(state, finding)).collect::<Vec<_>>(),
    })
}

fn finding_json(state: &State, finding: &Finding) -> Value {
    let evidence = match finding.evidence {
        Evidence::Logs { is_previous: true } => "previousLogs",
        Evidence::Logs { is_previous: false } => "logs",
        Evidence::Events => "events",
        Evidence::Object => "object",
    };
    json!({
        "rule": finding.rule,
        "isUpstream": finding.is_upstream,
        "severity": finding.severity,
        "message": finding.message,
        "occurrences": finding.occurrences,
        "since": finding.since.map(|at| at.to_string()),
        "cause": finding.cause,
        "fixes": finding.fixes,
        "docs": finding.docs,
        "evidence": evidence,
        "object": {
            "cluster": &*finding.object.cluster,
            "kind": state.kind_word(finding.object.kind),
            "namespace": &*finding.object.namespace,
            "name": &*finding.object.name,
        },
        "container": finding.container.as_deref(),
    })
}
