//! `wait`: until a service is healthy, or its rollout is done.

use super::args::GlobalArgs;
use super::clusters::{ClusterArgs, Clusters, tell};
use super::error::{CliError, Exit};
use super::health::{self, Service};
use super::output::Output;
use super::session;
use crate::catalog::Catalog;
use crate::config::setting::Value;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::Kind;
use crate::kubernetes::health::Word;
use crate::kubernetes::object::{Facts, Workload};
use crate::kubernetes::select::{Scope, objects};
use crate::kubernetes::state::{Phase, State};
use crate::model::text::clean;
use clap::ValueEnum;
use std::time::{Duration, Instant};

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ref or name of the service
    #[arg(value_name = "REF")]
    pub what: String,
    /// What to wait for
    #[arg(long = "for", value_name = "CONDITION", default_value = "healthy")]
    pub condition: Condition,
    /// Which clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Condition {
    /// Every workload has all its pods ready, and nothing severe happened within the last hour
    Healthy,
    /// Every workload runs its newest version with all pods available
    Rollout,
}

/// How long to wait when nobody says.
const LIMIT: Duration = Duration::from_secs(300);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(10);
/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs `wait`.
///
/// # Errors
/// For a name that means nothing; when time runs out.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let limit = global.timeout.unwrap_or(LIMIT);
    let until = Instant::now() + limit;
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let id = health::entity(catalog, &args.what, global, out)?;
    let entities = [catalog.ref_of(id).to_owned()];
    let each = GlobalArgs { timeout: Some(LOOK.min(limit)), ..global.clone() };
    let clusters = Clusters::find(&session, Some(catalog), &each, &args.clusters, out)?;
    let wishes = health::wishes(catalog, &entities[0], clusters.locator())?;
    let mut said = String::new();
    loop {
        let state = clusters.look(wishes.clone(), clusters.health_kinds(), false);
        let Some(service) = health::judge(&state, catalog, &entities, clusters.locator()).pop() else {
            return Ok(Exit::NotFound);
        };
        let lacking = match args.condition {
            Condition::Healthy => unhealthy(&service),
            Condition::Rollout => rolling(&state, catalog, &service),
        };
        let Some(lacking) = lacking else {
            out.line(&format!("{} {}", clean(&service.entity), clean(&service.health.summary)))?;
            return Ok(Exit::Fine);
        };
        if lacking != said {
            out.note(&clean(&lacking));
            said = lacking;
        }
        if Instant::now() + PAUSE >= until {
            tell(&state, true, out);
            return Err(out_of_time(&service, limit, &said));
        }
        std::thread::sleep(PAUSE);
    }
}

fn out_of_time(service: &Service, limit: Duration, lacking: &str) -> CliError {
    let shown = Value::Duration(limit).to_text();
    let message = format!("`{}` was not there within {shown}: {}", clean(&service.entity), clean(lacking));
    CliError::unreachable(
        Diagnostic::error("kubernetes::timeout", message)
            .hint(format!("`devportal health {}` tells what is wrong", clean(&service.entity))),
    )
}

/// Returns what keeps a service from being healthy.
fn unhealthy(service: &Service) -> Option<String> {
    let health = &service.health;
    // what may not be seen is not known to be well
    let is_seen = health.silent.is_empty() && !health.refused.iter().any(|refused| !refused.is_partial);
    if health.word == Word::Ok && is_seen {
        return None;
    }
    let worst = health.findings.first().filter(|_| health.word != Word::Unknown);
    let why =
        worst.map(|finding| format!("; {}: {}", finding.object.name, finding.message)).unwrap_or_default();
    Some(format!("{}: {}{why}", health.word.as_str(), health.summary))
}

/// Returns what keeps the rollouts of a service from being done, as `kubectl rollout status` sees it.
fn rolling(state: &State, catalog: &Catalog, service: &Service) -> Option<String> {
    let down = state.clusters.iter().find_map(|cluster| match &cluster.phase {
        Phase::Down { cause, .. } => {
            Some(format!("cluster `{}` does not answer: {cause}", cluster.cluster.name))
        }
        _ => None,
    });
    if down.is_some() {
        return down;
    }
    let mut has_any = false;
    for found in objects(state, catalog, &Scope::Entity(service.entity.clone()), &[]) {
        let Facts::Workload(workload) = &found.object.facts else { continue };
        if found.object.kind == Kind::ReplicaSet {
            continue;
        }
        has_any = true;
        if let Some(lacking) = unfinished(workload) {
            return Some(format!("{}: {lacking}", state.ref_text(&found.at())));
        }
    }
    (!has_any).then(|| "no workload is there".to_owned())
}

fn unfinished(workload: &Workload) -> Option<String> {
    let desired = workload.desired.unwrap_or(1);
    let (wanted, observed) = workload.generation;
    let stuck = workload.conditions.iter().find(|condition| &*condition.reason == "ProgressDeadlineExceeded");
    if observed < wanted {
        return Some("the last change was not taken up yet".to_owned());
    }
    if let Some(condition) = stuck {
        return Some(condition.message.as_deref().unwrap_or("it does not get on").to_owned());
    }
    if workload.updated < desired {
        return Some(format!("{} of {desired} pods are of the new version", workload.updated));
    }
    if workload.current > workload.updated {
        return Some(format!("{} pods of the old version still end", workload.current - workload.updated));
    }
    // Stateful sets of older servers do not count what is available.
    let available = if workload.available == 0 { workload.ready } else { workload.available };
    (available < desired).then(|| format!("{available} of {desired} pods are available"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_is_done_when_all_pods_are_new_and_available() {
        let set = |generation, desired, updated, current, available| Workload {
            generation,
            desired: Some(desired),
            updated,
            current,
            available,
            ready: available,
            ..Workload::default()
        };
        let cases = [
            (set((2, 2), 3, 3, 3, 3), None),
            (set((2, 1), 3, 3, 3, 3), Some("not taken up")),
            (set((2, 2), 3, 1, 3, 3), Some("1 of 3 pods are of the new")),
            (set((2, 2), 3, 3, 4, 3), Some("1 pods of the old")),
            (set((2, 2), 3, 3, 3, 2), Some("2 of 3 pods are available")),
            (set((1, 1), 0, 0, 0, 0), None),
        ];
        for (workload, expected) in cases {
            let lacking = unfinished(&workload);
            match expected {
                Some(part) => {
                    assert!(lacking.as_ref().is_some_and(|said| said.contains(part)), "{lacking:?}");
                }
                None => assert_eq!(lacking, None),
            }
        }
    }
}
