//! The controllers of pods: deployments, replica sets, stateful sets, daemon sets.

use super::clock;
use super::cluster::{
    Cluster, From, Owned, is_active, is_deleting, is_ready, name, namespace, owned_by, set_condition, text,
    uid,
};
use super::resource::R;
use serde_json::{Value, json};
use std::sync::Arc;

const REVISION: &str = "deployment.kubernetes.io/revision";

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Returns a count or share (`25%`) of a total.
fn share(value: &Value, of: i64, round_up: bool) -> i64 {
    match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            if round_up { (of * percent + 99) / 100 } else { of * percent / 100 }
        }
        value => number(value),
    }
}

/// Returns the name a version of a template gets.
fn template_hash(template: &Value) -> String {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    super::random::Chance::new(super::random::of_text(&template.to_string())).letters(10)
}

impl Cluster {
    pub(super) fn run_deployments(&mut self) {
        let sets = self.owned(R::ReplicaSet);
        for deployment in self.store.values(R::Deployment) {
            if !is_deleting(&deployment) {
                self.run_deployment(&deployment, sets.get(uid(&deployment)).map_or(&[], Vec::as_slice));
            }
        }
    }

    fn run_deployment(&mut self, deployment: &Arc<Value>, sets: &[Arc<Value>]) {
        let hash = template_hash(&deployment["spec"]["template"]);
        let revision =
            |set: &Value| -> i64 { text(&set["metadata"]["annotations"][REVISION]).parse().unwrap_or(0) };
        let newest = sets.iter().map(|set| revision(set)).max().unwrap_or(0);
        let is_paused = deployment["spec"]["paused"] == true;
        let current = sets.iter().find(|set| set["metadata"]["labels"]["pod-template-hash"] == hash.as_str());
        let current = match current {
            Some(set) if revision(set) == newest || is_paused => set.clone(),
            Some(set) => self.raise_revision(deployment, set, newest + 1),
            None if is_paused => return self.deployment_status(deployment, sets, None),
            None => self.new_replica_set(deployment, &hash, newest + 1),
        };
        let mut all: Vec<Arc<Value>> =
            sets.iter().filter(|set| name(set) != name(&current)).cloned().collect();
        if !is_paused {
            self.roll(deployment, &current, &all);
        }
        all.push(current.clone());
        let all: Vec<Arc<Value>> =
            all.iter().filter_map(|set| self.store.value(R::ReplicaSet, namespace(set), name(set))).collect();
        let current = all.iter().find(|set| name(set) == name(&current)).cloned();
        self.deployment_status(deployment, &all, current.as_deref());
        self.forget_old_revisions(deployment, &all);
    }

    fn new_replica_set(&mut self, deployment: &Value, hash: &str, revision: i64) -> Arc<Value> {
        let mut template = deployment["spec"]["template"].clone();
        template["metadata"]["labels"]["pod-template-hash"] = hash.into();
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"]["pod-template-hash"] = hash.into();
        let mut annotations = json!({REVISION: revision.to_string()});
        let cause = &deployment["metadata"]["annotations"]["kubernetes.io/change-cause"];
        if !cause.is_null() {
            annotations["kubernetes.io/change-cause"] = cause.clone();
        }
        let set = json!({
            "metadata": {
                "name": format!("{}-{hash}", name(deployment)), "namespace": namespace(deployment),
                "labels": template["metadata"]["labels"], "annotations": annotations,
                "ownerReferences": owned_by(deployment)},
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0},
        });
        let set = self.create(R::ReplicaSet, set);
        self.note_revision(deployment, revision);
        set
    }

    fn raise_revision(&mut self, deployment: &Value, set: &Arc<Value>, revision: i64) -> Arc<Value> {
        let raised = self.change(R::ReplicaSet, namespace(set), name(set), |set| {
            set["metadata"]["annotations"][REVISION] = revision.to_string().into();
        });
        self.note_revision(deployment, revision);
        raised.unwrap_or_else(|| set.clone())
    }

    fn note_revision(&mut self, deployment: &Value, revision: i64) {
        self.change(R::Deployment, namespace(deployment), name(deployment), |deployment| {
            deployment["metadata"]["annotations"][REVISION] = revision.to_string().into();
        });
    }

    /// One step of a rollout: more new pods, fewer old ones, as far as the strategy lets it.
    fn roll(&mut self, deployment: &Value, current: &Arc<Value>, old: &[Arc<Value>]) {
        let desired = number(&deployment["spec"]["replicas"]);
        let replicas = |set: &Value| number(&set["spec"]["replicas"]);
        let available = |set: &Value| number(&set["status"]["availableReplicas"]);
        let strategy = &deployment["spec"]["strategy"];
        let old_total: i64 = old.iter().map(|set| replicas(set)).sum();
        let old_pods: i64 = old.iter().map(|set| number(&set["status"]["replicas"])).sum();
        if strategy["type"] == "Recreate" {
            for set in old.iter().filter(|set| replicas(set) > 0) {
                self.scale_set(deployment, set, 0);
            }
            if old_pods == 0 && replicas(current) != desired {
                self.scale_set(deployment, current, desired);
            }
            return;
        }
        let mut surge = share(&strategy["rollingUpdate"]["maxSurge"], desired, true);
        let unavailable = share(&strategy["rollingUpdate"]["maxUnavailable"], desired, false);
        if surge == 0 && unavailable == 0 {
            surge = 1;
        }
        let now = replicas(current);
        let wanted = if old_total == 0 {
            desired
        } else {
            (now + (desired + surge - old_total - now).max(0)).min(desired).max(now.min(desired))
        };
        if wanted != now {
            self.scale_set(deployment, current, wanted);
        }
        // down: pods that are not available first, then as many as the strategy can miss
        let least = desired - unavailable;
        let mut room = old_total + now - least - (now - available(current)).max(0);
        for set in old.iter().filter(|set| replicas(set) > 0) {
            let sick = (replicas(set) - available(set)).max(0);
            let mut less = sick.min(room.max(0));
            room -= less;
            let total: i64 = old.iter().map(|set| available(set)).sum::<i64>() + available(current);
            let well = (total - least).max(0).min(replicas(set) - less).min(room.max(0));
            less += well;
            room -= well;
            if less > 0 {
                self.scale_set(deployment, set, replicas(set) - less);
                break;
            }
        }
    }

    fn scale_set(&mut self, deployment: &Value, set: &Value, to: i64) {
        let from = number(&set["spec"]["replicas"]);
        let desired = number(&deployment["spec"]["replicas"]);
        self.change(R::ReplicaSet, namespace(set), name(set), |set| {
            set["spec"]["replicas"] = to.into();
            let annotations = &mut set["metadata"]["annotations"];
            annotations["deployment.kubernetes.io/desired-replicas"] = desired.to_string().into();
        });
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {from} to {to}", name(set));
        self.tell(
            deployment,
            "Normal",
            "ScalingReplicaSet",
            &message,
            From::Component("deployment-controller"),
        );
    }

    fn deployment_status(&mut self, deployment: &Value, all: &[Arc<Value>], current: Option<&Value>) {
        let now = self.now;
        let sum = |key: &str| -> i64 { all.iter().map(|set| number(&set["status"][key])).sum() };
        let desired = number(&deployment["spec"]["replicas"]);
        let (total, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
        let updated = current.map_or(0, |set| number(&set["status"]["replicas"]));
        let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
        let least = desired - share(&rolling["maxUnavailable"], desired, false);
        let is_complete = updated == desired && total == desired && available == desired;
        let set = current.map_or("", |set| name(set)).to_owned();
        let deadline = number(&deployment["spec"]["progressDeadlineSeconds"]);
        let started = current.and_then(|set| clock::parse(&set["metadata"]["creationTimestamp"]));
        let before = deployment["status"].clone();
        self.change(R::Deployment, namespace(deployment), name(deployment), |deployment| {
            let generation = deployment["metadata"]["generation"].clone();
            let status = &mut deployment["status"];
            let conditions = before["conditions"].clone();
            *status = json!({"observedGeneration": generation, "conditions": conditions});
            for (key, count) in [
                ("replicas", total),
                ("updatedReplicas", updated),
                ("readyReplicas", ready),
                ("availableReplicas", available),
                ("unavailableReplicas", (desired.max(total) - available).max(0)),
            ] {
                if count > 0 {
                    status[key] = count.into();
                }
            }
            let (is, reason, message) = if available >= least {
                ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
            } else {
                ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
            };
            set_condition(status, now, "Available", is, reason, message);
            if is_complete {
                let message = format!("ReplicaSet \"{set}\" has successfully progressed.");
                set_condition(status, now, "Progressing", "True", "NewReplicaSetAvailable", &message);
            } else {
                let was_complete =
                    super::cluster::condition(&json!({"status": before.clone()}), "Progressing") == "True"
                        && progress_reason(&before) == "NewReplicaSetAvailable";
                let last = [last_progress(&before), started].into_iter().flatten().max();
                let moved = ["updatedReplicas", "readyReplicas", "replicas"]
                    .iter()
                    .any(|key| status[*key] != before[*key]);
                let is_late = last.is_some_and(|last| clock::between(last, now) > deadline);
                if moved || !is_late {
                    if !was_complete || moved {
                        let message = format!("ReplicaSet \"{set}\" is progressing.");
                        set_condition(status, now, "Progressing", "True", "ReplicaSetUpdated", &message);
                    }
                } else if !was_complete {
                    let message = format!("ReplicaSet \"{set}\" has timed out progressing.");
                    set_condition(status, now, "Progressing", "False", "ProgressDeadlineExceeded", &message);
                }
            }
        });
    }

    fn forget_old_revisions(&mut self, deployment: &Value, all: &[Arc<Value>]) {
        let limit = deployment["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10) as usize;
        let is_empty = |set: &&Arc<Value>| {
            number(&set["spec"]["replicas"]) == 0 && number(&set["status"]["replicas"]) == 0
        };
        let revision =
            |set: &Value| -> i64 { text(&set["metadata"]["annotations"][REVISION]).parse().unwrap_or(0) };
        let mut old: Vec<&Arc<Value>> = all.iter().filter(is_empty).collect();
        old.sort_by_key(|set| revision(set));
        let newest = all.iter().map(|set| revision(set)).max().unwrap_or(0);
        old.retain(|set| revision(set) != newest);
        let surplus = old.len().saturating_sub(limit);
        for set in old.into_iter().take(surplus) {
            self.store.remove(R::ReplicaSet, namespace(set), name(set));
        }
    }

    pub(super) fn run_replica_sets(&mut self, pods: &Owned) {
        for set in self.store.values(R::ReplicaSet) {
            if !is_deleting(&set) {
                let own = pods.get(uid(&set)).map_or(&[][..], Vec::as_slice);
                self.run_replica_set(&set, own);
            }
        }
    }

    fn run_replica_set(&mut self, set: &Arc<Value>, own: &[Arc<Value>]) {
        let mut active: Vec<&Arc<Value>> = own.iter().filter(|pod| is_active(pod)).collect();
        let desired = number(&set["spec"]["replicas"]);
        let missing = desired - active.len() as i64;
        if missing > 0 {
            for _ in 0..missing.min(500) {
                let pod = self.new_pod(set, &set["spec"]["template"], None);
                let message = format!("Created pod: {}", name(&pod));
                self.tell(
                    set,
                    "Normal",
                    "SuccessfulCreate",
                    &message,
                    From::Component("replicaset-controller"),
                );
            }
        } else if missing < 0 {
            // what is not ready goes first, then the youngest
            active.sort_by_key(|pod| {
                (is_ready(pod), std::cmp::Reverse(text(&pod["metadata"]["creationTimestamp"]).to_owned()))
            });
            for pod in active.iter().take(missing.unsigned_abs() as usize) {
                self.begin_pod_deletion(namespace(pod), name(pod), None);
                let message = format!("Deleted pod: {}", name(pod));
                self.tell(
                    set,
                    "Normal",
                    "SuccessfulDelete",
                    &message,
                    From::Component("replicaset-controller"),
                );
            }
        }
        let ready = active.iter().filter(|pod| is_ready(pod)).count();
        let total = active.len();
        self.change(R::ReplicaSet, namespace(set), name(set), |set| {
            let generation = set["metadata"]["generation"].clone();
            let mut status = json!({"replicas": total, "observedGeneration": generation});
            if total > 0 {
                status["fullyLabeledReplicas"] = total.into();
            }
            if ready > 0 {
                status["readyReplicas"] = ready.into();
                status["availableReplicas"] = ready.into();
            }
            set["status"] = status;
        });
    }

    /// Makes a pod of a template.
    pub(super) fn new_pod(&mut self, owner: &Value, template: &Value, named: Option<String>) -> Arc<Value> {
        let mut metadata = json!({
            "namespace": namespace(owner), "labels": template["metadata"]["labels"],
            "ownerReferences": owned_by(owner),
        });
        if template["metadata"]["annotations"].is_object() {
            metadata["annotations"] = template["metadata"]["annotations"].clone();
        }
        match named {
            Some(name) => metadata["name"] = name.into(),
            None => metadata["generateName"] = format!("{}-", name(owner)).into(),
        }
        self.create(R::Pod, json!({"metadata": metadata, "spec": template["spec"]}))
    }

    pub(super) fn run_stateful_sets(&mut self, pods: &Owned) {
        for set in self.store.values(R::StatefulSet) {
            if !is_deleting(&set) {
                let own = pods.get(uid(&set)).map_or(&[][..], Vec::as_slice);
                self.run_stateful_set(&set, own);
            }
        }
    }

    fn run_stateful_set(&mut self, set: &Arc<Value>, own: &[Arc<Value>]) {
        let desired = number(&set["spec"]["replicas"]);
        let update = self.controller_revision(set);
        let find = |at: i64| {
            let wanted = format!("{}-{at}", name(set));
            own.iter().find(|pod| name(pod) == wanted)
        };
        let is_updated =
            |pod: &Value| pod["metadata"]["labels"]["controller-revision-hash"] == update.as_str();
        let mut is_settled = true;
        for at in 0..desired {
            match find(at) {
                None => {
                    let mut template = set["spec"]["template"].clone();
                    let named = format!("{}-{at}", name(set));
                    template["metadata"]["labels"]["controller-revision-hash"] = update.as_str().into();
                    template["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] =
                        named.as_str().into();
                    template["spec"]["hostname"] = named.as_str().into();
                    self.new_pod(set, &template, Some(named.clone()));
                    let message = format!("create Pod {named} in StatefulSet {} successful", name(set));
                    self.tell(
                        set,
                        "Normal",
                        "SuccessfulCreate",
                        &message,
                        From::Component("statefulset-controller"),
                    );
                    is_settled = false;
                    break;
                }
                Some(pod) if !is_ready(pod) || is_deleting(pod) => {
                    // a pod of an old version that never gets ready must not hold the rollout
                    if !is_updated(pod) && !is_deleting(pod) {
                        self.begin_pod_deletion(namespace(pod), name(pod), None);
                    }
                    is_settled = false;
                    break;
                }
                Some(_) => {}
            }
        }
        let ordinal =
            |pod: &Value| -> i64 { name(pod).rsplit('-').next().and_then(|at| at.parse().ok()).unwrap_or(0) };
        let surplus = own.iter().filter(|pod| ordinal(pod) >= desired && !is_deleting(pod));
        let victim = surplus.max_by_key(|pod| ordinal(pod)).cloned();
        let partition = number(&set["spec"]["updateStrategy"]["rollingUpdate"]["partition"]);
        let victim = victim.or_else(|| {
            let old =
                own.iter().filter(|pod| !is_updated(pod) && !is_deleting(pod) && ordinal(pod) >= partition);
            old.filter(|_| is_settled && set["spec"]["updateStrategy"]["type"] != "OnDelete")
                .max_by_key(|pod| ordinal(pod))
                .cloned()
        });
        if let Some(pod) = victim {
            self.begin_pod_deletion(namespace(&pod), name(&pod), None);
            let message = format!("delete Pod {} in StatefulSet {} successful", name(&pod), name(set));
            self.tell(set, "Normal", "SuccessfulDelete", &message, From::Component("statefulset-controller"));
        }
        let active: Vec<_> = own.iter().filter(|pod| is_active(pod)).collect();
        let ready = active.iter().filter(|pod| is_ready(pod)).count();
        let updated = active.iter().filter(|pod| is_updated(pod)).count();
        let total = active.len();
        self.change(R::StatefulSet, namespace(set), name(set), |set| {
            let generation = set["metadata"]["generation"].clone();
            let before = text(&set["status"]["currentRevision"]).to_owned();
            let current =
                if updated as i64 == desired || before.is_empty() { update.clone() } else { before };
            let is_same = current == update;
            set["status"] = json!({
                "observedGeneration": generation, "replicas": total, "readyReplicas": ready,
                "availableReplicas": ready, "updatedReplicas": updated, "collisionCount": 0,
                "currentReplicas": if is_same { updated } else { total - updated },
                "currentRevision": current, "updateRevision": update,
            });
        });
    }

    /// Returns the name of the revision of a template, which is kept as an object.
    fn controller_revision(&mut self, set: &Value) -> String {
        let revision = format!("{}-{}", name(set), template_hash(&set["spec"]["template"]));
        let owned = self.owned(R::ControllerRevision);
        let own = owned.get(uid(set)).map_or(&[][..], Vec::as_slice);
        let newest = own.iter().map(|one| number(&one["revision"])).max().unwrap_or(0);
        match own.iter().find(|one| name(one) == revision) {
            Some(one) if number(&one["revision"]) == newest => {}
            Some(one) => {
                self.change(R::ControllerRevision, namespace(set), name(one), |one| {
                    one["revision"] = (newest + 1).into();
                });
            }
            None => {
                let mut template = set["spec"]["template"].clone();
                template["$patch"] = "replace".into();
                let labels = set["spec"]["template"]["metadata"]["labels"].clone();
                self.create(
                    R::ControllerRevision,
                    json!({
                        "metadata": {"name": revision, "namespace": namespace(set), "labels": labels,
                                     "ownerReferences": owned_by(set)},
                        "data": {"spec": {"template": template}}, "revision": newest + 1,
                    }),
                );
            }
        }
        revision
    }

    pub(super) fn run_daemon_sets(&mut self, pods: &Owned) {
        for set in self.store.values(R::DaemonSet) {
            if !is_deleting(&set) {
                let own = pods.get(uid(&set)).map_or(&[][..], Vec::as_slice);
                self.run_daemon_set(&set, own);
            }
        }
    }

    fn run_daemon_set(&mut self, set: &Arc<Value>, own: &[Arc<Value>]) {
        let revision = self.controller_revision(set);
        let hash = revision.rsplit('-').next().unwrap_or_default().to_owned();
        let is_updated = |pod: &Value| pod["metadata"]["labels"]["controller-revision-hash"] == hash.as_str();
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        for node in &nodes {
            if own.iter().any(|pod| text(&pod["spec"]["nodeName"]) == node && is_active(pod)) {
                continue;
            }
            let mut template = set["spec"]["template"].clone();
            template["metadata"]["labels"]["controller-revision-hash"] = hash.as_str().into();
            template["spec"]["nodeName"] = node.as_str().into();
            let pod = self.new_pod(set, &template, None);
            let message = format!("Created pod: {}", name(&pod));
            self.tell(set, "Normal", "SuccessfulCreate", &message, From::Component("daemonset-controller"));
        }
        let active: Vec<_> = own.iter().filter(|pod| is_active(pod)).collect();
        let ready = active.iter().filter(|pod| is_ready(pod)).count();
        let updated = active.iter().filter(|pod| is_updated(pod)).count();
        if ready == nodes.len()
            && let Some(pod) = active.iter().find(|pod| !is_updated(pod))
        {
            self.begin_pod_deletion(namespace(pod), name(pod), None);
        }
        let total = nodes.len();
        self.change(R::DaemonSet, namespace(set), name(set), |set| {
            let generation = set["metadata"]["generation"].clone();
            set["status"] = json!({
                "observedGeneration": generation, "desiredNumberScheduled": total,
                "currentNumberScheduled": active.len(), "numberReady": ready, "numberAvailable": ready,
                "updatedNumberScheduled": updated, "numberMisscheduled": 0,
                "numberUnavailable": total.saturating_sub(ready),
            });
        });
    }
}

fn progress_reason(status: &Value) -> &str {
    progress(status).map_or("", |condition| text(&condition["reason"]))
}

fn last_progress(status: &Value) -> Option<jiff::Timestamp> {
    clock::parse(&progress(status)?["lastUpdateTime"])
}

fn progress(status: &Value) -> Option<&Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Progressing")
}
