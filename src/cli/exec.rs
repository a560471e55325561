//! `exec`: one command in a container of a service, of a workload or of a pod.
//!
//! Its output goes out as it comes, byte for byte, and its exit code is ours. Protected environments refuse: there is
//! nobody to ask whether it is meant.

use super::args::GlobalArgs;
use super::clusters::{ClusterArgs, Clusters, tell};
use super::error::{CliError, Exit};
use super::health;
use super::output::{self, Output};
use super::session;
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::ask::{self, Progress};
use crate::kubernetes::client;
use crate::kubernetes::exec::{self, Ended, With};
use crate::kubernetes::health::is_ready;
use crate::kubernetes::lookup::Wish;
use crate::kubernetes::object::Facts;
use crate::kubernetes::select::{Found, Scope, objects};
use crate::kubernetes::state::State;
use crate::kubernetes::{Cluster, Kind, ObjectRef};
use crate::model::text::clean;
use jiff::Timestamp;
use std::io::Write;
use std::sync::Arc;

/// Arguments of `exec`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An entity (`checkout`), a workload (`deploy/checkout`) or a pod (`pod/NAME`, or its name)
    #[arg(value_name = "REF|POD")]
    pub what: String,
    /// The container; the default one, else the first, without it
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,
    /// The command with its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Which clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,
}

/// What a word means.
enum What {
    Entity(String),
    Object(Kind, String),
}

/// Runs `exec`.
///
/// # Errors
/// For words that name nothing, or more than one cluster; for protected environments; when the command cannot be
/// started.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    super::exit_when_interrupted();
    let mut catalog: Option<Arc<Catalog>> = None;
    let what = match object(&args.what) {
        Some(what) => what,
        None => {
            let known = catalog.insert(session.load(out)?.catalog);
            match health::entity(known, &args.what, global, out) {
                Ok(id) => What::Entity(known.ref_of(id).to_owned()),
                Err(CliError::NotFound(_)) if !args.what.contains([':', '/']) => {
                    What::Object(Kind::Pod, args.what.clone())
                }
                Err(error) => return Err(error),
            }
        }
    };
    let clusters = Clusters::find(&session, catalog.as_deref(), global, &args.clusters, out)?;
    let catalog = catalog.unwrap_or_default();
    let (wishes, kinds) = match &what {
        What::Entity(entity) => {
            (health::wishes(&catalog, entity, clusters.locator())?, clusters.health_kinds())
        }
        What::Object(kind, _) => {
            let namespace = global.namespace.as_deref().map(Arc::from);
            (vec![Wish { namespace, ..Wish::default() }], vec![*kind])
        }
    };
    let state = clusters.look(wishes, kinds, false);
    let found = candidates(&state, &catalog, &what, global);
    let Some(at) = chosen(&found, &args.what)? else {
        let exit = tell(&state, false, out);
        let diagnostic = Diagnostic::error("kubernetes::not-found", nothing(&what, &args.what));
        return Err(match exit {
            Exit::Refused => CliError::Refused(Box::new(diagnostic)),
            Exit::Unreachable => CliError::unreachable(diagnostic),
            _ => CliError::not_found(diagnostic),
        });
    };
    let cluster = clusters.named(&at.cluster).ok_or_else(|| {
        CliError::failure(Diagnostic::error("kubernetes::no-cluster", "the cluster is gone"))
    })?;
    clusters.block_on(exec_in(cluster, &at, args, out))
}

/// `deploy/checkout`, `pod/NAME`
fn object(word: &str) -> Option<What> {
    let (kind, name) = word.split_once('/')?;
    let is_name = !name.is_empty() && !name.contains('/');
    Kind::find(kind).filter(|_| is_name).map(|kind| What::Object(kind, name.to_owned()))
}

fn candidates<'a>(state: &'a State, catalog: &Catalog, what: &What, global: &GlobalArgs) -> Vec<Found<'a>> {
    let (scope, kind) = match what {
        What::Entity(entity) => (Scope::Entity(entity.clone()), Kind::Pod),
        What::Object(kind, _) => (Scope::Everything, *kind),
    };
    let mut found = objects(state, catalog, &scope, &[kind]);
    found.retain(|found| {
        let is_there =
            global.namespace.as_deref().is_none_or(|namespace| &*found.object.namespace == namespace);
        is_there
            && match (what, &found.object.facts) {
                (What::Object(_, name), _) => *found.object.name == **name,
                (What::Entity(_), Facts::Pod(pod)) => is_ready(pod) && found.object.deleted.is_none(),
                (What::Entity(_), _) => false,
            }
    });
    found
}

/// Chooses one object: of an entity the ready pod that runs longest, as it stays most likely.
///
/// # Errors
/// When they are in several clusters or namespaces: nobody says which is meant.
fn chosen(found: &[Found<'_>], word: &str) -> Result<Option<ObjectRef>, CliError> {
    let mut places: Vec<String> = found
        .iter()
        .map(|found| format!("`--context {} -n {}`", found.cluster.cluster.name, found.object.namespace))
        .collect();
    places.dedup();
    if places.len() > 1 {
        let message = format!("`{}` runs in {} places", clean(word), places.len());
        places.truncate(10);
        let hint = format!("choose by {}", places.join(" or "));
        return Err(CliError::misuse(Diagnostic::error("cli::ambiguous", message).hint(clean(&hint))));
    }
    Ok(found.iter().min_by_key(|found| found.object.created).map(Found::at))
}

fn nothing(what: &What, word: &str) -> String {
    match what {
        What::Entity(entity) => format!("no pod of `{}` is ready", clean(entity)),
        What::Object(kind, _) => {
            let kind = kind.spec().map_or("object", |spec| spec.name).to_lowercase();
            format!("there is no {kind} `{}`", clean(word.split_once('/').map_or(word, |(_, name)| name)))
        }
    }
}

async fn exec_in(cluster: &Cluster, at: &ObjectRef, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let failed = |why: String| CliError::failure(Diagnostic::error("kubernetes::exec", clean(&why)));
    let connection = cluster.connection.clone().map_err(failed)?;
    let link = client::connect(&connection).await.map_err(|fault| {
        CliError::unreachable(Diagnostic::error("kubernetes::no-answer", clean(&fault.text)))
    })?;
    let session = ask::Session {
        client: link.client.clone(),
        cluster: Arc::new(cluster.clone()),
        custom: Arc::new([]),
        user: link.user.clone(),
        access: Arc::default(),
        is_unlocked: false,
        now: Timestamp::now(),
        progress: Progress::default(),
    };
    if session.locked().is_some() {
        let message =
            format!("environment `{}` is protected: no command is run there", clean(cluster.lock()));
        let hint = "unlock it on the screen (`:unlock`), or set `protected = false` for it under [env.NAME]";
        return Err(CliError::Refused(Box::new(
            Diagnostic::error("kubernetes::protected", message).hint(hint),
        )));
    }
    let refused = |why: String| {
        if why.contains("may not") || why.contains("ask a cluster administrator") {
            CliError::Refused(Box::new(Diagnostic::error("kubernetes::forbidden", clean(&why))))
        } else {
            failed(why)
        }
    };
    let (pod, container) = exec::place(&session, at, args.container.as_deref()).await.map_err(refused)?;
    out.note(&format!("in {} of {} on {}", clean(&container), clean(&pod.name), clean(&pod.cluster)));
    let with = With { stdin: false, tty: false };
    let process = exec::start(&session, &pod, &container, &args.command, with).await.map_err(refused)?;
    let (mut data, mut talk) = (output::data(), std::io::stderr());
    let mut broken = None;
    let ended = exec::stream(process, |to, bytes| {
        let written = match to {
            exec::Output::Out => data.write_all(bytes).and_then(|()| data.flush()),
            exec::Output::Err => talk.write_all(bytes),
        };
        broken = broken.take().or(written.err());
    });
    let ended = ended.await.map_err(failed)?;
    if let Some(error) = broken {
        return Err(CliError::Output(error));
    }
    match ended {
        Ended::Code(code) => {
            out.end_with(u8::try_from(code).unwrap_or(1));
            Ok(Exit::Fine)
        }
        Ended::NotStarted(why) => Err(failed(exec::not_started(&args.command, &why))),
        Ended::Lost => Err(CliError::unreachable(Diagnostic::error(
            "kubernetes::lost",
            "the connection was lost: how the command ended is not known",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::testing;
    use serde_json::{Value, json};

    fn pod(name: &str, created: &str, is_ready: bool) -> Value {
        let ready = if is_ready { "True" } else { "False" };
        json!({ "kind": "Pod",
            "metadata": { "name": name, "namespace": "shop", "uid": name, "creationTimestamp": created,
                "labels": { "backstage.io/kubernetes-id": "pay" } },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }] } })
    }

    #[test]
    fn the_oldest_ready_pod_of_one_place_is_taken() {
        let catalog = crate::catalog::testing::catalog("kind: Component\nname: pay\n");
        let what = What::Entity("component:default/pay".to_owned());
        let pods = [
            pod("young", "2026-01-03T00:00:00Z", true),
            pod("old", "2026-01-02T00:00:00Z", true),
            pod("oldest", "2026-01-01T00:00:00Z", false),
        ];
        let one = testing::state(&[("a", &pods)]);
        let global = GlobalArgs::default();
        let name = |state: &State| {
            chosen(&candidates(state, &catalog, &what, &global), "pay")
                .map(|at| at.map(|at| at.name.to_string()))
        };
        assert_eq!(name(&one).unwrap().as_deref(), Some("old"));
        let two = testing::state(&[("a", &pods[..1]), ("b", &pods[..1])]);
        assert!(matches!(name(&two), Err(CliError::Usage(_))));
        assert_eq!(name(&testing::state(&[("a", &pods[2..])])).unwrap(), None);
    }

    #[test]
    fn a_word_with_a_kind_is_an_object() {
        assert!(matches!(object("deploy/web"), Some(What::Object(Kind::Deployment, name)) if name == "web"));
        assert!(object("web").is_none() && object("component:a/b").is_none() && object("pod/").is_none());
    }
}
