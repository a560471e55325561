//! Jobs, their schedules, autoscalers and disruption budgets.

use super::clock::{self, later};
use super::cluster::{
    Cluster, From, Owned, condition, is_active, is_deleting, is_ready, name, namespace, owned_by,
    set_condition, text, uid,
};
use super::quantity;
use super::resource::R;
use super::selector::Labels;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::Arc;

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

impl Cluster {
    pub(super) fn run_jobs(&mut self, pods: &Owned) {
        for job in self.store.values(R::Job) {
            let is_over = condition(&job, "Complete") == "True" || condition(&job, "Failed") == "True";
            if !is_over && !is_deleting(&job) && job["spec"]["suspend"] != true {
                self.run_job(&job, pods.get(uid(&job)).map_or(&[][..], Vec::as_slice));
            }
        }
    }

    fn run_job(&mut self, job: &Arc<Value>, own: &[Arc<Value>]) {
        let now = self.now;
        let phase = |wanted: &str| own.iter().filter(|pod| pod["status"]["phase"] == wanted).count() as i64;
        let (succeeded, failed) = (phase("Succeeded"), phase("Failed"));
        let active = own.iter().filter(|pod| is_active(pod)).count() as i64;
        let (wanted, limit) = (number(&job["spec"]["completions"]), number(&job["spec"]["backoffLimit"]));
        let controller = From::Component("job-controller");
        let is_failed = failed > limit;
        let is_complete = succeeded >= wanted;
        let mut started = active;
        if !is_failed && !is_complete {
            // a failed pod is followed by the next after a while that doubles
            let last = own.iter().filter_map(|pod| clock::parse(&pod["metadata"]["creationTimestamp"])).max();
            let wait = if failed == 0 { 0 } else { 10_i64 << (failed - 1).min(5) };
            let may = last.is_none_or(|last| clock::between(last, now) >= wait);
            let missing = number(&job["spec"]["parallelism"]).min(wanted - succeeded) - active;
            for _ in 0..if may { missing.max(0) } else { 0 } {
                let mut template = job["spec"]["template"].clone();
                template["metadata"]["labels"]["batch.kubernetes.io/job-name"] = name(job).into();
                template["metadata"]["labels"]["job-name"] = name(job).into();
                let pod = self.new_pod(job, &template, None);
                started += 1;
                self.tell(
                    job,
                    "Normal",
                    "SuccessfulCreate",
                    &format!("Created pod: {}", name(&pod)),
                    controller,
                );
            }
        }
        self.change(R::Job, namespace(job), name(job), |job| {
            let conditions = job["status"]["conditions"].clone();
            let began = job["status"]["startTime"].clone();
            let mut status =
                json!({"startTime": began, "ready": own.iter().filter(|pod| is_ready(pod)).count()});
            if status["startTime"].is_null() {
                status["startTime"] = clock::seconds(now).into();
            }
            for (key, count) in [("active", started), ("succeeded", succeeded), ("failed", failed)] {
                if count > 0 {
                    status[key] = count.into();
                }
            }
            if conditions.is_array() {
                status["conditions"] = conditions;
            }
            if is_complete {
                let reason = "CompletionsReached";
                set_condition(
                    &mut status,
                    now,
                    "Complete",
                    "True",
                    reason,
                    "Reached expected number of succeeded pods",
                );
                status["completionTime"] = clock::seconds(now).into();
            } else if is_failed {
                let message = "Job has reached the specified backoff limit";
                set_condition(&mut status, now, "Failed", "True", "BackoffLimitExceeded", message);
            }
            job["status"] = status;
        });
        if is_complete {
            self.tell(job, "Normal", "Completed", "Job completed", controller);
        } else if is_failed {
            let message = "Job has reached the specified backoff limit";
            self.tell(job, "Warning", "BackoffLimitExceeded", message, controller);
        }
    }

    pub(super) fn run_cron_jobs(&mut self) {
        let jobs = self.owned(R::Job);
        for cron in self.store.values(R::CronJob) {
            if !is_deleting(&cron) {
                self.run_cron_job(&cron, jobs.get(uid(&cron)).map_or(&[][..], Vec::as_slice));
            }
        }
    }

    fn run_cron_job(&mut self, cron: &Arc<Value>, own: &[Arc<Value>]) {
        let now = self.now;
        let is_over =
            |job: &Value| condition(job, "Complete") == "True" || condition(job, "Failed") == "True";
        let running: Vec<&Arc<Value>> = own.iter().filter(|job| !is_over(job)).collect();
        let minute = now.as_second() / 60;
        let last = clock::parse(&cron["status"]["lastScheduleTime"]).map_or(0, |at| at.as_second() / 60);
        let is_due = minute > last && matches_schedule(text(&cron["spec"]["schedule"]), now);
        let is_held = cron["spec"]["suspend"] == true
            || (cron["spec"]["concurrencyPolicy"] == "Forbid" && !running.is_empty());
        let mut scheduled = None;
        if is_due && !is_held {
            scheduled = Some(self.job_of(cron, minute));
        }
        for (state, limit) in [
            ("Complete", number(&cron["spec"]["successfulJobsHistoryLimit"])),
            ("Failed", number(&cron["spec"]["failedJobsHistoryLimit"])),
        ] {
            let mut done: Vec<&Arc<Value>> =
                own.iter().filter(|job| condition(job, state) == "True").collect();
            done.sort_by_key(|job| text(&job["metadata"]["creationTimestamp"]).to_owned());
            let surplus = done.len().saturating_sub(limit as usize);
            for job in done.into_iter().take(surplus) {
                self.delete_with_dependents(R::Job, namespace(job), name(job));
            }
        }
        let success = own.iter().filter_map(|job| clock::parse(&job["status"]["completionTime"])).max();
        let mut active: Vec<Value> = running.iter().map(|job| reference(job)).collect();
        active.extend(scheduled.as_deref().map(reference));
        self.change(R::CronJob, namespace(cron), name(cron), |cron| {
            if !cron["status"].is_object() {
                cron["status"] = json!({});
            }
            if scheduled.is_some()
                && let Ok(at) = Timestamp::from_second(minute * 60)
            {
                cron["status"]["lastScheduleTime"] = clock::seconds(at).into();
            }
            if let Some(success) = success {
                cron["status"]["lastSuccessfulTime"] = clock::seconds(success).into();
            }
            if let Some(status) = cron["status"].as_object_mut() {
                status.remove("active");
                if !active.is_empty() {
                    status.insert("active".to_owned(), active.into());
                }
            }
        });
    }

    fn job_of(&mut self, cron: &Value, minute: i64) -> Arc<Value> {
        let template = &cron["spec"]["jobTemplate"];
        let job = json!({
            "metadata": {
                "name": format!("{}-{minute}", name(cron)), "namespace": namespace(cron),
                "labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"],
                "ownerReferences": owned_by(cron)},
            "spec": template["spec"], "status": {},
        });
        let job = self.create(R::Job, job);
        let message = format!("Created job {}", name(&job));
        self.tell(cron, "Normal", "SuccessfulCreate", &message, From::Component("cronjob-controller"));
        job
    }

    pub(super) fn run_autoscalers(&mut self, pods: &Owned) {
        for scaler in self.store.values(R::HorizontalPodAutoscaler) {
            self.run_autoscaler(&scaler, pods);
        }
    }

    fn run_autoscaler(&mut self, scaler: &Arc<Value>, pods: &Owned) {
        if self.now.as_second() % 15 != 0 && !scaler["status"]["conditions"].is_null() {
            return;
        }
        let now = self.now;
        let target = text(&scaler["spec"]["scaleTargetRef"]["name"]).to_owned();
        let Some(deployment) = self.store.value(R::Deployment, namespace(scaler), &target) else { return };
        let replicas = number(&deployment["spec"]["replicas"]);
        let (min, max) =
            (scaler["spec"]["minReplicas"].as_i64().unwrap_or(1), number(&scaler["spec"]["maxReplicas"]));
        let wanted = number(&scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]).max(1);
        let (mut used, mut requested) = (0, 0);
        let sets = self.owned(R::ReplicaSet);
        for set in sets.get(uid(&deployment)).into_iter().flatten() {
            for pod in pods.get(uid(set)).into_iter().flatten().filter(|pod| is_ready(pod)) {
                for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                    used += self.usage(pod, container).0 / 1_000_000;
                    requested += quantity::milli(&container["resources"]["requests"]["cpu"]);
                }
            }
        }
        let utilization = if requested > 0 { used * 100 / requested } else { 0 };
        let ideal = if utilization == 0 { replicas } else { (replicas * utilization + wanted - 1) / wanted };
        // a tenth more or less is let be, as the real one does
        let is_close = (utilization - wanted).abs() * 10 <= wanted;
        let desired = if is_close { replicas } else { ideal }.clamp(min, max);
        if desired != replicas {
            let message = format!(
                "New size: {desired}; reason: cpu resource utilization (percentage of request) above target"
            );
            self.tell(
                scaler,
                "Normal",
                "SuccessfulRescale",
                &message,
                From::Component("horizontal-pod-autoscaler"),
            );
            self.change(R::Deployment, namespace(scaler), &target, |deployment| {
                deployment["spec"]["replicas"] = desired.into();
            });
        }
        let is_limited = !is_close && ideal > max;
        let current = number(&deployment["status"]["replicas"]);
        self.change(R::HorizontalPodAutoscaler, namespace(scaler), name(scaler), |scaler| {
            let conditions = scaler["status"]["conditions"].clone();
            let last = scaler["status"]["lastScaleTime"].clone();
            let average = if current > 0 { used / current } else { 0 };
            let mut status = json!({
                "currentReplicas": current, "desiredReplicas": desired, "lastScaleTime": last,
                "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {
                    "averageUtilization": utilization, "averageValue": format!("{average}m")}}}],
                "conditions": conditions,
            });
            if desired != replicas {
                status["lastScaleTime"] = clock::seconds(now).into();
            }
            set_condition(&mut status, now, "AbleToScale", "True", "ReadyForNewScale",
                "recommended size matches current size");
            set_condition(&mut status, now, "ScalingActive", "True", "ValidMetricFound",
                "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)");
            let (is, reason, message) = if is_limited {
                ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
            } else {
                ("False", "DesiredWithinRange", "the desired count is within the acceptable range")
            };
            set_condition(&mut status, now, "ScalingLimited", is, reason, message);
            scaler["status"] = status;
        });
    }

    pub(super) fn run_budgets(&mut self) {
        let pods = self.store.values(R::Pod);
        for budget in self.store.values(R::PodDisruptionBudget) {
            let selector = Labels::of_object(&budget["spec"]["selector"]);
            let own: Vec<&Arc<Value>> = pods
                .iter()
                .filter(|pod| {
                    namespace(pod) == namespace(&budget) && selector.matches(&pod["metadata"]["labels"])
                })
                .filter(|pod| is_active(pod))
                .collect();
            let expected = own.len() as i64;
            let healthy = own.iter().filter(|pod| is_ready(pod)).count() as i64;
            let amount = |value: &Value, up: bool| match value.as_str() {
                Some(text) => {
                    let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
                    if up { (expected * percent + 99) / 100 } else { expected * percent / 100 }
                }
                None => number(value),
            };
            let least = if budget["spec"]["maxUnavailable"].is_null() {
                amount(&budget["spec"]["minAvailable"], true)
            } else {
                expected - amount(&budget["spec"]["maxUnavailable"], true)
            };
            let allowed = (healthy - least).max(0);
            let now = self.now;
            self.change(R::PodDisruptionBudget, namespace(&budget), name(&budget), |budget| {
                let conditions = budget["status"]["conditions"].clone();
                let generation = budget["metadata"]["generation"].clone();
                let mut status = json!({
                    "currentHealthy": healthy, "desiredHealthy": least.max(0), "expectedPods": expected,
                    "disruptionsAllowed": allowed, "observedGeneration": generation, "conditions": conditions,
                });
                let (is, reason) =
                    if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
                set_condition(&mut status, now, "DisruptionAllowed", is, reason, "");
                budget["status"] = status;
            });
        }
    }

    /// Returns the budget that forbids to evict a pod now.
    pub(super) fn forbidding_budget(&self, pod: &Value) -> Option<Arc<Value>> {
        self.store.values(R::PodDisruptionBudget).into_iter().find(|budget| {
            let selector = Labels::of_object(&budget["spec"]["selector"]);
            namespace(budget) == namespace(pod)
                && selector.matches(&pod["metadata"]["labels"])
                && number(&budget["status"]["disruptionsAllowed"]) <= 0
        })
    }

    /// Deletes an object, and in the background all it controls.
    pub(super) fn delete_with_dependents(
        &mut self,
        kind: R,
        namespace_of: &str,
        named: &str,
    ) -> Option<Arc<Value>> {
        let object = self.store.remove(kind, namespace_of, named)?;
        for kind in [R::ReplicaSet, R::Job, R::ControllerRevision, R::Pod] {
            for own in self.owned(kind).remove(uid(&object)).unwrap_or_default() {
                if kind == R::Pod {
                    self.begin_pod_deletion(namespace(&own), name(&own), None);
                } else {
                    self.delete_with_dependents(kind, namespace(&own), name(&own));
                }
            }
        }
        Some(object)
    }

    /// Lets go of all an object controls.
    pub(super) fn orphan_dependents(&mut self, owner: &str) {
        for kind in [R::ReplicaSet, R::Job, R::ControllerRevision, R::Pod] {
            for own in self.owned(kind).remove(owner).unwrap_or_default() {
                self.change(kind, namespace(&own), name(&own), |own| {
                    if let Some(metadata) = own["metadata"].as_object_mut() {
                        metadata.remove("ownerReferences");
                    }
                });
            }
        }
    }
}

fn reference(job: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "name": name(job), "namespace": namespace(job), "uid": uid(job),
        "resourceVersion": job["metadata"]["resourceVersion"],
    })
}

/// Returns whether a schedule of five fields names the minute of a time, in UTC.
pub fn matches_schedule(schedule: &str, at: Timestamp) -> bool {
    let time = at.to_zoned(TimeZone::UTC);
    let weekday = i64::from(time.weekday().to_sunday_zero_offset());
    let values = [
        i64::from(time.minute()),
        i64::from(time.hour()),
        i64::from(time.day()),
        i64::from(time.month()),
        weekday,
    ];
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    fields.len() == 5 && fields.iter().zip(values).all(|(field, value)| matches_field(field, value))
}

fn matches_field(field: &str, value: i64) -> bool {
    field.split(',').any(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: i64 = step.parse().unwrap_or(1).max(1);
        if range == "*" {
            return value % step == 0;
        }
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to) = (from.parse().unwrap_or(-1), to.parse().unwrap_or(-1));
        (from..=to).contains(&value) && (value - from) % step == 0
    })
}

/// Returns the last time before another that a schedule names; looks back some days.
pub fn last_scheduled(schedule: &str, before: Timestamp) -> Option<Timestamp> {
    let start = before.as_second() / 60 * 60;
    (1..=60 * 24 * 8)
        .filter_map(|minutes| Timestamp::from_second(start - minutes * 60).ok())
        .find(|at| matches_schedule(schedule, later(*at, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_name_minutes() {
        let at: Timestamp = "2026-11-22T02:30:00Z".parse().unwrap();
        for (schedule, expected) in [
            ("30 2 * * *", true),
            ("*/15 * * * *", true),
            ("*/20 * * * *", false),
            ("30 2 * * 0", true),
            ("30 2 * * 1-5", false),
            ("0,30 1-3 22 11 *", true),
            ("nonsense", false),
        ] {
            assert_eq!(matches_schedule(schedule, at), expected, "{schedule}");
        }
        let last = last_scheduled("30 2 * * *", at).unwrap();
        assert_eq!(last.to_string(), "2026-11-21T02:30:00Z");
    }
}
