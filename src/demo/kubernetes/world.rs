//! A running world: its servers, its time, its kubeconfig.

use super::access::{Caller, Rule};
use super::certificate;
use super::clock::Clock;
use super::cluster::{Cluster, Version};
use super::company::{self, Place};
use super::connection::Listener;
use super::fault::Faults;
use super::server::{self, Server};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Decides over all chance.
    pub seed: u64,
    /// Time at its start; it stands until it is stepped. `None` for the real time.
    pub start: Option<Timestamp>,
    /// Its clusters.
    pub clusters: Vec<Plan>,
    /// Name of a cluster that takes connections and never answers.
    pub silent: Option<String>,
}

/// A cluster to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name, and that of its context.
    pub name: String,
    /// What is in it.
    pub content: Content,
    /// Minor number of its version; that of the content for `None`.
    pub minor: Option<u32>,
    /// Who calls with the kubeconfig's token.
    pub caller: Caller,
}

/// What is in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// What the company runs there.
    Company(Place),
    /// Two machines and nothing else.
    Empty,
}

impl Scenario {
    /// Returns the company: production, staging, and a cluster that never answers.
    pub fn company() -> Self {
        let on_call = Caller::new(
            "dana.okafor@example.com",
            vec![
                Rule::new(
                    "get list watch",
                    "\"\" apps batch autoscaling networking.k8s.io policy argoproj.io metrics.k8s.io storage.k8s.io",
                    "namespaces nodes pods pods/log services endpoints configmaps events persistentvolumeclaims \
                     persistentvolumes limitranges resourcequotas serviceaccounts deployments deployments/scale \
                     replicasets replicasets/scale statefulsets statefulsets/scale daemonsets controllerrevisions jobs \
                     cronjobs horizontalpodautoscalers ingresses poddisruptionbudgets rollouts storageclasses",
                    "",
                ),
                Rule::new(
                    "create update patch delete",
                    "\"\" apps batch autoscaling policy",
                    "*",
                    "payments platform shop supply insights",
                ),
                Rule::new("patch update", "\"\"", "nodes", ""),
            ],
        );
        let plan = |name: &str, place: Place, caller: Caller| Plan {
            name: name.to_owned(),
            content: Content::Company(place),
            minor: None,
            caller,
        };
        Self {
            seed: 20_260_714,
            start: None,
            clusters: vec![
                plan("prod-eu", Place::Prod, on_call),
                plan("staging", Place::Staging, Caller::admin("dana.okafor@example.com")),
            ],
            silent: Some("lab".to_owned()),
        }
    }

    /// Returns one empty cluster whose caller may do everything, at a time that stands.
    pub fn empty(name: &str) -> Self {
        let plan = Plan {
            name: name.to_owned(),
            content: Content::Empty,
            minor: None,
            caller: Caller::admin("tester"),
        };
        Self {
            seed: 1,
            start: Some("2026-07-14T09:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH)),
            clusters: vec![plan],
            silent: None,
        }
    }

    /// Returns the same in real time.
    pub fn in_real_time(mut self) -> Self {
        self.start = None;
        self
    }
}

/// A running world; it ends when it is dropped.
#[derive(Debug)]
pub struct World {
    servers: Vec<(String, Arc<Server>)>,
    clock: Arc<Clock>,
    folder: PathBuf,
    token: String,
    /// Keeps the port of the cluster that never answers.
    silent: Option<TcpListener>,
    runtime: Option<Runtime>,
}

impl World {
    /// Starts a world.
    ///
    /// # Errors
    /// When this machine gives no port, thread or folder.
    pub fn start(scenario: &Scenario) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("demo")
            .enable_all()
            .build()?;
        let clock = Arc::new(scenario.start.map_or_else(Clock::real, Clock::stepped));
        let now = clock.now();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let token = secret()?;
        let identity = certificate::make()?;
        let mut servers = Vec::new();
        for plan in &scenario.clusters {
            let faults = Arc::new(Faults::default());
            let listener = {
                let _inside = runtime.enter();
                Listener::bind(faults.clone(), identity.server.clone())?
            };
            let cluster = cluster_of(plan, scenario.seed, now);
            let server = Arc::new(Server::new(cluster, clock.clone(), faults, listener.address()));
            server.admit(&token, plan.caller.clone());
            let router = axum::Router::new().fallback(server::handle).with_state(server.clone());
            runtime.spawn(async move {
                let _ = axum::serve(listener, router).await;
            });
            servers.push((plan.name.clone(), server));
        }
        let silent = scenario.silent.as_ref().map(|_| TcpListener::bind(("127.0.0.1", 0))).transpose()?;
        let folder = private_folder()?;
        let world = Self { servers, clock, folder, token, silent, runtime: Some(runtime) };
        world.write_kubeconfig(scenario, &identity.authority)?;
        world.live();
        Ok(world)
    }

    /// Lets time go on by itself, unless it is stepped.
    fn live(&self) {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.clock.is_stepped()) else { return };
        let servers: Vec<Arc<Server>> = self.servers.iter().map(|(_, server)| server.clone()).collect();
        runtime.spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(100));
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            let mut last = 0;
            loop {
                beat.tick().await;
                let second = Timestamp::now().as_second();
                for server in &servers {
                    server.tick(second != last);
                }
                last = second;
            }
        });
    }

    fn write_kubeconfig(&self, scenario: &Scenario, authority: &str) -> io::Result<()> {
        let mut addresses: Vec<(&str, SocketAddr)> =
            self.servers.iter().map(|(name, server)| (name.as_str(), server.address())).collect();
        if let (Some(name), Some(listener)) = (&scenario.silent, &self.silent) {
            addresses.push((name, listener.local_addr()?));
        }
        let each = |make: &dyn Fn(&str, SocketAddr) -> Value| -> Vec<Value> {
            addresses.iter().map(|(name, address)| make(name, *address)).collect()
        };
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "preferences": {},
            "current-context": addresses.first().map_or("", |(name, _)| *name),
            "clusters": each(&|name, address| {
                let server = format!("https://{address}");
                json!({"name": name, "cluster": {"server": server, "certificate-authority-data": authority}})
            }),
            "contexts": each(&|name, _| json!({"name": name, "context": {"cluster": name, "user": name}})),
            "users": each(&|name, _| json!({"name": name, "user": {"token": self.token}})),
        });
        let text = serde_yaml::to_string(&config).map_err(io::Error::other)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        options.open(self.kubeconfig())?.write_all(text.as_bytes())
    }

    /// Returns the kubeconfig that names the clusters; only this user can read it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// Returns the private folder; it is removed at the end.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the token of the kubeconfig.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the server of a cluster.
    pub fn server(&self, name: &str) -> Option<&Arc<Server>> {
        self.servers.iter().find(|(found, _)| found == name).map(|(_, server)| server)
    }

    /// Returns all servers with the names of their clusters.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Arc<Server>)> {
        self.servers.iter().map(|(name, server)| (name.as_str(), server))
    }

    /// Returns the time of the world.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Lets time go on, second by second; only where it stands.
    pub fn step(&self, by: Duration) {
        let mut left = by;
        while !left.is_zero() {
            let part = left.min(Duration::from_secs(1));
            self.clock.step(part);
            left -= part;
            for (_, server) in &self.servers {
                server.tick(true);
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // may be dropped on a thread that must not wait
            runtime.shutdown_background();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn cluster_of(plan: &Plan, seed: u64, now: Timestamp) -> Cluster {
    let mut cluster = match plan.content {
        Content::Company(place) => company::build(&plan.name, place, seed, now),
        Content::Empty => {
            let version = Version { minor: 34, git: "v1.34.2".to_owned() };
            let mut cluster = Cluster::new(&plan.name, version, seed, now);
            for at in 1..=2 {
                cluster.add_node(&format!("{}-w{at}", plan.name), "eu-west-1a", 16, 64);
            }
            cluster
        }
    };
    if let Some(minor) = plan.minor {
        cluster.version = Version { minor, git: format!("v1.{minor}.0") };
    }
    cluster
}

/// Returns a text nobody can guess.
fn secret() -> io::Result<String> {
    let mut bytes = [0_u8; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Begin of the names of the folders.
const FOLDER: &str = "devportal-demo-";

/// Removes what runs that were killed have left behind.
#[cfg(unix)]
fn sweep() {
    let is_gone = |process: i32| {
        rustix::process::Pid::from_raw(process).is_some_and(|process| {
            rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
        })
    };
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(FOLDER).and_then(|rest| rest.split('-').next()?.parse().ok());
        if process.is_some_and(is_gone) {
            // those of others cannot be removed, and are not
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Makes a folder that only this user can look into.
fn private_folder() -> io::Result<PathBuf> {
    #[cfg(unix)]
    sweep();
    let name = format!("{FOLDER}{}-{:.12}", std::process::id(), secret()?);
    let folder = std::env::temp_dir().join(name);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(&folder)?;
    Ok(folder)
}
