//! Pods: placed on a machine, started, restarted, ended, and what their status says of it.

use super::clock::{self, later};
use super::cluster::{Cluster, From, is_deleting, name, namespace, set_condition, text, uid};
use super::life::{self, Life};
use super::quantity;
use super::resource::R;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What runs of a pod.
#[derive(Debug, Clone)]
pub struct PodRun {
    /// Containers that run first, one after the other.
    pub inits: Vec<ContainerRun>,
    /// The others.
    pub containers: Vec<ContainerRun>,
    /// When its machine took it.
    pub taken: Timestamp,
    /// Its address.
    pub address: String,
    /// When it is gone; set once it is being deleted.
    pub gone: Option<Timestamp>,
    /// Nothing happens before this.
    pub wake: Timestamp,
    /// Version of the object that was looked at last.
    pub seen: u64,
    /// Ended containers start again.
    pub policy: Policy,
}

/// What happens to containers that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They start again.
    Always,
    /// They start again when they failed.
    OnFailure,
    /// They do not.
    Never,
}

/// What runs of a container.
#[derive(Debug, Clone)]
pub struct ContainerRun {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// How it lives.
    pub life: Life,
    /// Where it is.
    pub state: State,
    /// How it ended before.
    pub last: Option<Ended>,
    /// Starts after the first.
    pub restarts: u32,
    /// It answers its readiness probe.
    pub is_ready: bool,
    /// When something happens to it.
    pub until: Option<Timestamp>,
    /// Tries to pull its image so far.
    pub pulls: u32,
}

/// Where a container is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Not running, and why.
    Waiting(&'static str, String),
    /// Running since.
    Running(Timestamp),
    /// Ended.
    Ended(Ended),
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// When it was started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// With which code.
    pub code: i32,
    /// `Error`, `OOMKilled`, `Completed`.
    pub reason: &'static str,
}

const CREATING: &str = "ContainerCreating";
const BACK_OFF: &str = "CrashLoopBackOff";
/// Longest time between two starts of a container that crashes.
const MAX_BACK_OFF: i64 = 300;

impl Cluster {
    pub(super) fn run_pods(&mut self) {
        let all: Vec<_> = self
            .store
            .list(R::Pod, None, None)
            .filter(|(_, entry)| !entry.is_bulk)
            .map(|(_, entry)| entry.clone())
            .collect();
        let mut alive = std::collections::BTreeSet::new();
        for entry in all {
            let pod = entry.value();
            alive.insert(uid(&pod).to_owned());
            let run = self.pods.get(uid(&pod));
            if run.is_some_and(|run| run.wake > self.now && run.seen == entry.version) {
                continue;
            }
            if text(&pod["spec"]["nodeName"]).is_empty() {
                if is_deleting(&pod) {
                    self.store.remove(R::Pod, namespace(&pod), name(&pod));
                } else {
                    self.place(&pod);
                }
                continue;
            }
            if self.answers(text(&pod["spec"]["nodeName"])) {
                self.run_pod(&pod);
            }
        }
        self.pods.retain(|uid, _| alive.contains(uid));
    }

    /// The scheduler: finds a machine, or says why there is none.
    fn place(&mut self, pod: &Value) {
        let last = self.pods.get(uid(pod)).map(|run| run.wake);
        if last.is_some_and(|wake| wake > self.now) {
            return;
        }
        let need = |of: &str, read: fn(&Value) -> i64| -> i64 {
            let containers = pod["spec"]["containers"].as_array();
            containers.into_iter().flatten().map(|c| read(&c["resources"]["requests"][of])).sum()
        };
        let (cpu, memory) = (need("cpu", quantity::milli), need("memory", quantity::whole));
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        let mut blame = |why: &'static str| match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        };
        let mut best: Option<(i64, String)> = None;
        let used = self.used_by_node();
        for (node, run) in &self.nodes {
            let Some(object) = self.store.value(R::Node, "", node) else { continue };
            let (used_cpu, used_memory) = used.get(node).copied().unwrap_or_default();
            let selector =
                super::selector::Labels::of_object(&json!({"matchLabels": pod["spec"]["nodeSelector"]}));
            if object["spec"]["unschedulable"] == true {
                blame("node(s) were unschedulable");
            } else if object["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty()) {
                blame("node(s) had untolerated taint {node.kubernetes.io/unreachable: }");
            } else if !selector.matches(&object["metadata"]["labels"]) {
                blame("node(s) didn't match Pod's node affinity/selector");
            } else if used_cpu + cpu > run.cpu {
                blame("Insufficient cpu");
            } else if used_memory + memory > run.memory {
                blame("Insufficient memory");
            } else {
                let free = run.cpu - used_cpu;
                if best.as_ref().is_none_or(|(most, _)| free > *most) {
                    best = Some((free, node.clone()));
                }
            }
        }
        let now = self.now;
        if let Some((_, node)) = best {
            let message = format!("Successfully assigned {}/{} to {node}", namespace(pod), name(pod));
            self.tell(pod, "Normal", "Scheduled", &message, From::Component("default-scheduler"));
            self.change(R::Pod, namespace(pod), name(pod), |pod| {
                pod["spec"]["nodeName"] = node.into();
                set_condition(&mut pod["status"], now, "PodScheduled", "True", "", "");
            });
            self.pods.remove(uid(pod));
            if let Some(pod) = self.store.value(R::Pod, namespace(pod), name(pod)) {
                self.run_pod(&pod);
            }
            return;
        }
        let total = self.nodes.len();
        let reasons: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let message = format!(
            "0/{total} nodes are available: {}. preemption: 0/{total} nodes are available: {total} Preemption is not \
             helpful for scheduling.",
            reasons.join(", ")
        );
        self.tell(pod, "Warning", "FailedScheduling", &message, From::Component("default-scheduler"));
        self.change(R::Pod, namespace(pod), name(pod), |pod| {
            set_condition(&mut pod["status"], now, "PodScheduled", "False", "Unschedulable", &message);
        });
        // tried again after five minutes, or when a machine changes
        let mut run = PodRun::new(pod, now, String::new());
        run.wake = later(now, 60);
        run.seen = self.store.get(R::Pod, namespace(pod), name(pod)).map_or(0, |entry| entry.version);
        self.pods.insert(uid(pod).to_owned(), run);
    }

    /// Returns what pods ask of each machine: thousandths of a core, bytes.
    fn used_by_node(&self) -> std::collections::BTreeMap<String, (i64, i64)> {
        let mut used = std::collections::BTreeMap::<String, (i64, i64)>::new();
        for pod in self.store.values(R::Pod) {
            let node = text(&pod["spec"]["nodeName"]);
            if node.is_empty() || matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed") {
                continue;
            }
            let entry = used.entry(node.to_owned()).or_default();
            for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                entry.0 += quantity::milli(&container["resources"]["requests"]["cpu"]);
                entry.1 += quantity::whole(&container["resources"]["requests"]["memory"]);
            }
        }
        used
    }

    /// The agent of a machine: brings a pod to now.
    fn run_pod(&mut self, pod: &Arc<Value>) {
        let now = self.now;
        let id = uid(pod).to_owned();
        let mut run = match self.pods.remove(&id) {
            Some(run) => run,
            None => {
                self.addresses += 1;
                let address =
                    format!("10.244.{}.{}", (self.addresses >> 8) & 0xff, (self.addresses & 0xff).max(1));
                PodRun::new(pod, now, address)
            }
        };
        if is_deleting(pod) {
            let gone = *run.gone.get_or_insert_with(|| {
                let grace = pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(30);
                later(now, grace.min(2))
            });
            if now >= gone {
                self.store.remove(R::Pod, namespace(pod), name(pod));
                return;
            }
            run.wake = gone;
        } else {
            let mut told = Vec::new();
            run.advance(now, &mut told);
            let node = text(&pod["spec"]["nodeName"]).to_owned();
            for (kind, reason, message) in told {
                self.tell(pod, kind, reason, &message, From::Kubelet(&node));
            }
            run.wake = run.next(now);
        }
        let status = run.status(pod, now);
        let put = self.change(R::Pod, namespace(pod), name(pod), |pod| pod["status"] = status);
        run.seen = put.map_or(0, |pod| text(&pod["metadata"]["resourceVersion"]).parse().unwrap_or(0));
        self.pods.insert(id, run);
    }

    /// Begins to delete a pod: at once with a grace of 0, otherwise when its containers have ended.
    pub(super) fn begin_pod_deletion(&mut self, namespace: &str, name: &str, grace: Option<i64>) -> bool {
        let Some(pod) = self.store.value(R::Pod, namespace, name) else { return false };
        let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        let grace = grace.unwrap_or(own);
        let is_placed = !text(&pod["spec"]["nodeName"]).is_empty();
        let is_bulk = self.store.get(R::Pod, namespace, name).is_some_and(|entry| entry.is_bulk);
        if grace == 0 || !is_placed || is_bulk {
            self.store.remove(R::Pod, namespace, name);
            return true;
        }
        if is_deleting(&pod) {
            return true;
        }
        let at = clock::seconds(later(self.now, grace));
        self.change(R::Pod, namespace, name, |pod| {
            pod["metadata"]["deletionTimestamp"] = at.into();
            pod["metadata"]["deletionGracePeriodSeconds"] = grace.into();
        });
        let node = text(&pod["spec"]["nodeName"]).to_owned();
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            let message = format!("Stopping container {}", text(&container["name"]));
            self.tell(&pod, "Normal", "Killing", &message, From::Kubelet(&node));
        }
        true
    }
}

type Told = Vec<(&'static str, &'static str, String)>;

impl PodRun {
    fn new(pod: &Value, now: Timestamp, address: String) -> Self {
        let containers = |list: &str| {
            let all = pod["spec"][list].as_array();
            all.into_iter().flatten().map(|container| ContainerRun::new(container, now)).collect()
        };
        let policy = match text(&pod["spec"]["restartPolicy"]) {
            "Never" => Policy::Never,
            "OnFailure" => Policy::OnFailure,
            _ => Policy::Always,
        };
        Self {
            inits: containers("initContainers"),
            containers: containers("containers"),
            taken: now,
            address,
            gone: None,
            wake: now,
            seen: 0,
            policy,
        }
    }

    fn are_inits_done(&self) -> bool {
        self.inits.iter().all(|run| matches!(&run.state, State::Ended(ended) if ended.code == 0))
    }

    /// Brings the containers to a time.
    fn advance(&mut self, now: Timestamp, told: &mut Told) {
        for init in &mut self.inits {
            let policy = if self.policy == Policy::Never { Policy::Never } else { Policy::OnFailure };
            init.advance(now, policy, told);
            if !matches!(&init.state, State::Ended(ended) if ended.code == 0) {
                break;
            }
        }
        if self.are_inits_done() {
            for container in &mut self.containers {
                container.advance(now, self.policy, told);
            }
        }
    }

    /// Returns when something happens next.
    fn next(&self, now: Timestamp) -> Timestamp {
        let waiting = if self.are_inits_done() { &self.containers } else { &self.inits };
        let next = waiting.iter().filter_map(|container| container.until).min();
        next.unwrap_or(later(now, 3600)).max(later(now, 1))
    }

    /// Returns the phase.
    pub fn phase(&self) -> &'static str {
        let ended = |run: &ContainerRun| match &run.state {
            State::Ended(ended) => Some(ended.code),
            _ => None,
        };
        if self.policy == Policy::Never
            && self.inits.iter().any(|run| ended(run).is_some_and(|code| code != 0))
        {
            return "Failed";
        }
        let codes: Vec<Option<i32>> = self.containers.iter().map(ended).collect();
        if !codes.is_empty() && codes.iter().all(Option::is_some) && self.policy != Policy::Always {
            return if codes.iter().all(|code| *code == Some(0)) { "Succeeded" } else { "Failed" };
        }
        let has_run = |run: &ContainerRun| {
            run.last.is_some() || matches!(run.state, State::Running(_) | State::Ended(_))
        };
        if self.containers.iter().any(has_run) { "Running" } else { "Pending" }
    }

    fn status(&self, pod: &Value, now: Timestamp) -> Value {
        let mut status = pod["status"].clone();
        let phase = self.phase();
        status["phase"] = phase.into();
        let node = text(&pod["spec"]["nodeName"]);
        status["hostIP"] = format!("192.0.2.{}", 10 + super::random::of_text(node) % 40).into();
        status["startTime"] = clock::seconds(self.taken).into();
        let was_made = self.containers.iter().any(|c| !matches!(&c.state, State::Waiting(CREATING, _)));
        if was_made || !self.inits.is_empty() {
            status["podIP"] = self.address.as_str().into();
            status["podIPs"] = json!([{"ip": self.address}]);
        }
        let all = |runs: &[ContainerRun], is_init: bool| -> Value {
            let inits_done = self.are_inits_done();
            runs.iter().map(|run| run.status(is_init, !is_init && !inits_done)).collect()
        };
        if !self.inits.is_empty() {
            status["initContainerStatuses"] = all(&self.inits, true);
        }
        status["containerStatuses"] = all(&self.containers, false);
        let unready: Vec<&str> =
            self.containers.iter().filter(|run| !run.is_ready).map(|run| run.name.as_str()).collect();
        let message = format!("containers with unready status: [{}]", unready.join(" "));
        let (is, reason, message) = match phase {
            "Succeeded" => ("False", "PodCompleted", ""),
            "Failed" => ("False", "PodFailed", ""),
            _ if unready.is_empty() => ("True", "", ""),
            _ => ("False", "ContainersNotReady", message.as_str()),
        };
        if self.are_inits_done() {
            set_condition(&mut status, now, "Initialized", "True", "", "");
        } else {
            let left = self.inits.iter().filter(|run| !matches!(&run.state, State::Ended(e) if e.code == 0));
            let left: Vec<&str> = left.map(|run| run.name.as_str()).collect();
            let message = format!("containers with incomplete status: [{}]", left.join(" "));
            set_condition(&mut status, now, "Initialized", "False", "ContainersNotInitialized", &message);
        }
        set_condition(&mut status, now, "Ready", is, reason, message);
        set_condition(&mut status, now, "ContainersReady", is, reason, message);
        set_condition(&mut status, now, "PodScheduled", "True", "", "");
        if let Some(conditions) = status["conditions"].as_array_mut() {
            for condition in
                conditions.iter_mut().filter(|condition| condition.get("lastProbeTime").is_none())
            {
                condition["lastProbeTime"] = Value::Null;
            }
        }
        status
    }

    /// Returns a container, init or not, by name.
    pub fn container(&self, name: &str) -> Option<&ContainerRun> {
        self.inits.iter().chain(&self.containers).find(|container| container.name == name)
    }
}

impl ContainerRun {
    fn new(container: &Value, now: Timestamp) -> Self {
        let image = text(&container["image"]).to_owned();
        let life = life::of_image(&image);
        Self {
            name: text(&container["name"]).to_owned(),
            life,
            state: State::Waiting(CREATING, String::new()),
            last: None,
            restarts: 0,
            is_ready: false,
            until: Some(later(now, 1 + (super::random::of_text(&image) % 2) as i64)),
            pulls: 0,
            image,
        }
    }

    /// Returns how it will end, where that is certain.
    pub fn planned_end(&self) -> Option<Ended> {
        let (State::Running(started), Some(finished)) = (&self.state, self.until) else { return None };
        let (code, reason) = match self.life {
            Life::Crashes(_, code) | Life::Works(_, code) if code != 0 => (code, "Error"),
            Life::Works(..) => (0, "Completed"),
            Life::Leaks(_) => (137, "OOMKilled"),
            _ => return None,
        };
        Some(Ended { started: *started, finished, code, reason })
    }

    fn advance(&mut self, now: Timestamp, policy: Policy, told: &mut Told) {
        // more than one thing may have happened since; a bound keeps a wrong table from hanging the world
        for _ in 0..1000 {
            let Some(at) = self.until.filter(|at| *at <= now) else { return };
            // what only repeats is not repeated for a past that nobody saw
            let seen = at.max(later(now, -15));
            self.step(at, seen, policy, told);
        }
    }

    fn step(&mut self, at: Timestamp, seen: Timestamp, policy: Policy, told: &mut Told) {
        match self.state.clone() {
            State::Waiting(..) if self.life == Life::Missing => self.fail_to_pull(seen, told),
            State::Waiting(..) if self.life == Life::Misconfigured => {
                let message = "configmap \"courier-zones\" not found".to_owned();
                told.push(("Warning", "Failed", format!("Error: {message}")));
                self.state = State::Waiting("CreateContainerConfigError", message);
                self.until = Some(later(seen, 60));
            }
            State::Waiting(..) => self.start(at, told),
            State::Running(since) if self.life == Life::NeverReady => self.go_on(since, seen, policy, told),
            State::Running(since) => self.go_on(since, at, policy, told),
            State::Ended(_) => self.start(at, told),
        }
    }

    fn fail_to_pull(&mut self, at: Timestamp, told: &mut Told) {
        let image = &self.image;
        if matches!(self.state, State::Waiting("ErrImagePull", _)) {
            told.push(("Normal", "BackOff", format!("Back-off pulling image \"{image}\"")));
            told.push(("Warning", "Failed", "Error: ImagePullBackOff".to_owned()));
            self.state = State::Waiting("ImagePullBackOff", format!("Back-off pulling image \"{image}\""));
            self.until = Some(later(at, (20_i64 << self.pulls.min(4)).min(MAX_BACK_OFF)));
            return;
        }
        let why = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve \
             reference \"{image}\": {image}: not found"
        );
        told.push(("Normal", "Pulling", format!("Pulling image \"{image}\"")));
        told.push(("Warning", "Failed", format!("Failed to pull image \"{image}\": {why}")));
        told.push(("Warning", "Failed", "Error: ErrImagePull".to_owned()));
        self.pulls += 1;
        self.state = State::Waiting("ErrImagePull", why);
        self.until = Some(later(at, 12));
    }

    fn start(&mut self, at: Timestamp, told: &mut Told) {
        if let State::Ended(ended) = &self.state {
            self.last = Some(ended.clone());
        }
        if self.last.is_some() {
            self.restarts += 1;
        }
        let (name, image) = (&self.name, &self.image);
        told.push(("Normal", "Pulled", format!("Container image \"{image}\" already present on machine")));
        told.push(("Normal", "Created", format!("Created container: {name}")));
        told.push(("Normal", "Started", format!("Started container {name}")));
        self.state = State::Running(at);
        self.until = match self.life {
            Life::Serves(after) => Some(later(at, after)),
            Life::Crashes(after, _) | Life::Leaks(after) | Life::Works(after, _) => {
                // ready shortly before the end, as a service that crashes under its first requests is
                self.is_ready = after > 30;
                Some(later(at, after))
            }
            Life::NeverReady => Some(later(at, 15)),
            Life::Missing | Life::Misconfigured => None,
        };
    }

    fn go_on(&mut self, since: Timestamp, at: Timestamp, policy: Policy, told: &mut Told) {
        match self.life {
            Life::Serves(_) => {
                self.is_ready = true;
                self.until = None;
            }
            Life::NeverReady => {
                let why = "Readiness probe failed: HTTP probe failed with statuscode: 503";
                told.push(("Warning", "Unhealthy", why.to_owned()));
                self.until = Some(later(at, 10));
            }
            Life::Crashes(_, code) | Life::Works(_, code) => {
                let reason = if code == 0 { "Completed" } else { "Error" };
                self.end(Ended { started: since, finished: at, code, reason }, policy, told);
            }
            Life::Leaks(_) => {
                self.end(
                    Ended { started: since, finished: at, code: 137, reason: "OOMKilled" },
                    policy,
                    told,
                );
            }
            Life::Missing | Life::Misconfigured => self.until = None,
        }
    }

    fn end(&mut self, ended: Ended, policy: Policy, told: &mut Told) {
        self.is_ready = false;
        let ran = clock::between(ended.started, ended.finished);
        let starts_again = match policy {
            Policy::Always => true,
            Policy::OnFailure => ended.code != 0,
            Policy::Never => false,
        };
        let finished = ended.finished;
        if !starts_again {
            self.state = State::Ended(ended);
            self.until = None;
            return;
        }
        // what ran for ten minutes is started again without waiting
        let back_off = if ran >= 600 { 1 } else { (10_i64 << self.restarts.min(5)).min(MAX_BACK_OFF) };
        let is_first = self.restarts == 0 || ran >= 400;
        if is_first {
            self.state = State::Ended(ended);
            self.until = Some(later(finished, 1));
            return;
        }
        let name = &self.name;
        told.push(("Warning", "BackOff", format!("Back-off restarting failed container {name}")));
        self.state = State::Waiting(
            BACK_OFF,
            format!("back-off {} restarting failed container={name}", span(back_off)),
        );
        self.last = Some(ended);
        self.until = Some(later(finished, back_off));
    }

    fn status(&self, is_init: bool, waits_for_init: bool) -> Value {
        let started = matches!(self.state, State::Running(_));
        let state = match &self.state {
            _ if waits_for_init => json!({"waiting": {"reason": "PodInitializing"}}),
            State::Waiting(reason, message) => {
                let mut waiting = Map::from_iter([("reason".to_owned(), Value::from(*reason))]);
                if !message.is_empty() {
                    waiting.insert("message".to_owned(), message.as_str().into());
                }
                json!({"waiting": waiting})
            }
            State::Running(since) => json!({"running": {"startedAt": clock::seconds(*since)}}),
            State::Ended(ended) => json!({"terminated": ended.status(self)}),
        };
        let last = match &self.last {
            Some(ended) => json!({"terminated": ended.status(self)}),
            None => json!({}),
        };
        let was_made = started || self.last.is_some() || matches!(self.state, State::Ended(_));
        let hash = super::random::of_text(&self.image);
        let image_id = if was_made {
            format!("{}@sha256:{hash:016x}{:048x}", repository(&self.image), hash)
        } else {
            String::new()
        };
        let is_done = is_init && matches!(&self.state, State::Ended(ended) if ended.code == 0);
        let mut status = json!({
            "name": self.name, "image": self.image, "imageID": image_id, "restartCount": self.restarts,
            "ready": self.is_ready || is_done, "started": started, "state": state, "lastState": last,
        });
        if was_made {
            status["containerID"] = self.id(self.restarts).into();
        }
        status
    }

    /// Returns the id of an instance.
    fn id(&self, restarts: u32) -> String {
        let one = super::random::of_text(&format!("{}/{}", self.image, self.name));
        let two = super::random::mix(one ^ u64::from(restarts));
        format!("containerd://{one:016x}{two:016x}{one:016x}{two:016x}")
    }
}

impl Ended {
    fn status(&self, of: &ContainerRun) -> Value {
        json!({
            "exitCode": self.code, "reason": self.reason, "startedAt": clock::seconds(self.started),
            "finishedAt": clock::seconds(self.finished), "containerID": of.id(of.restarts.saturating_sub(1)),
        })
    }
}

fn repository(image: &str) -> &str {
    let tag = image.rfind(':').filter(|at| image.get(*at..).is_some_and(|tag| !tag.contains('/')));
    image.get(..tag.unwrap_or(image.len())).unwrap_or(image)
}

/// Writes seconds as Go does: `1m20s`, `5m0s`, `10s`.
fn span(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}
