//! What makes pods: sets, jobs, cron jobs, and what scales them.

use super::part::{Part, clamp};
use super::pool::Pool;
use crate::kubernetes::object::{Autoscaler, CronJob, Job, Workload};
use std::fmt::Write;
use std::sync::Arc;

/// Returns whether a custom resource is an Argo rollout, which reads like a deployment.
pub fn is_rollout(part: Part<'_>) -> bool {
    part.word("kind") == "Rollout" && part.word("apiVersion").starts_with("argoproj.io/")
}

pub fn workload(part: Part<'_>, pool: &Pool) -> Workload {
    let (meta, spec, status) = (part.at("metadata"), part.at("spec"), part.at("status"));
    // Daemon sets count in words of their own.
    let count = |key: &str, daemon: &str| status.i32(key).or_else(|| status.i32(daemon));
    let strategy =
        [spec.at("strategy"), spec.at("updateStrategy")].into_iter().find(|strategy| strategy.is_there());
    let template = spec.at("template").at("spec");
    Workload {
        desired: spec.i32("replicas").or_else(|| status.i32("desiredNumberScheduled")),
        current: count("replicas", "currentNumberScheduled").unwrap_or_default(),
        ready: count("readyReplicas", "numberReady").unwrap_or_default(),
        updated: count("updatedReplicas", "updatedNumberScheduled").unwrap_or_default(),
        available: count("availableReplicas", "numberAvailable").unwrap_or_default(),
        strategy: strategy.map_or_else(|| "".into(), |strategy| strategy_name(strategy, pool)),
        is_paused: spec.flag("paused"),
        generation: (
            meta.int("generation").unwrap_or_default(),
            status.int("observedGeneration").unwrap_or_default(),
        ),
        revision: meta.at("annotations").word("deployment.kubernetes.io/revision").parse().ok(),
        images: template.list("containers").map(|container| container.shared("image", pool)).collect(),
        selector: pool.share(&selector(spec.at("selector"))),
        conditions: super::conditions(status, pool),
    }
}

/// Argo names its strategy by the key that is there.
fn strategy_name(part: Part<'_>, pool: &Pool) -> Arc<str> {
    let named = part.word("type");
    let name = [("canary", "Canary"), ("blueGreen", "BlueGreen")]
        .into_iter()
        .find(|(key, _)| part.at(key).is_there())
        .map_or(named, |(_, name)| name);
    pool.share(name)
}

/// Writes a selector as kubectl does: `app=pay,tier in (a,b)`.
pub fn selector(part: Part<'_>) -> String {
    let mut terms: Vec<String> = part
        .map("matchLabels")
        .map(|(key, value)| format!("{key}={}", value.text().unwrap_or_default()))
        .collect();
    for expression in part.list("matchExpressions") {
        let key = expression.word("key");
        let values: Vec<&str> = expression.list("values").filter_map(Part::text).collect();
        let values = values.join(",");
        terms.push(match expression.word("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    terms.join(",")
}

pub fn job(part: Part<'_>, pool: &Pool) -> Job {
    let (spec, status) = (part.at("spec"), part.at("status"));
    Job {
        completions: spec.i32("completions"),
        active: status.i32("active").unwrap_or_default(),
        succeeded: status.i32("succeeded").unwrap_or_default(),
        failed: status.i32("failed").unwrap_or_default(),
        backoff_limit: spec.i32("backoffLimit"),
        started: status.time("startTime"),
        finished: status.time("completionTime"),
        is_suspended: spec.flag("suspend"),
        conditions: super::conditions(status, pool),
    }
}

pub fn cron_job(part: Part<'_>) -> CronJob {
    let (spec, status) = (part.at("spec"), part.at("status"));
    let zone = spec.word("timeZone");
    CronJob {
        schedule: spec.word("schedule").into(),
        time_zone: (!zone.is_empty()).then(|| zone.into()),
        is_suspended: spec.flag("suspend"),
        active: status.list("active").len(),
        last_schedule: status.time("lastScheduleTime"),
        last_success: status.time("lastSuccessfulTime"),
    }
}

pub fn autoscaler(part: Part<'_>, pool: &Pool) -> Autoscaler {
    let (spec, status) = (part.at("spec"), part.at("status"));
    let target = spec.at("scaleTargetRef");
    Autoscaler {
        target: (target.shared("kind", pool), target.shared("name", pool)),
        min: spec.i32("minReplicas"),
        // An autoscaler without a bound is never at it.
        max: spec.i32("maxReplicas").unwrap_or(-1),
        current: status.i32("currentReplicas"),
        desired: status.i32("desiredReplicas").unwrap_or_default(),
        cpu: (
            utilisation(status, "currentMetrics", "current", "currentAverageUtilization")
                .or_else(|| status.i32("currentCPUUtilizationPercentage")),
            utilisation(spec, "metrics", "target", "targetAverageUtilization")
                .or_else(|| spec.i32("targetCPUUtilizationPercentage")),
        ),
        conditions: super::conditions(status, pool),
    }
}

/// Finds the use of CPU among metrics: as autoscaling/v2 and v2beta2 write it, then as v2beta1 did.
fn utilisation(part: Part<'_>, list: &str, key: &str, older: &str) -> Option<i32> {
    let resource =
        part.list(list).map(|metric| metric.at("resource")).find(|metric| metric.word("name") == "cpu")?;
    resource.at(key).int("averageUtilization").or_else(|| resource.int(older)).map(clamp)
}

/// Joins the pairs of a map as `a=b,c=d`, the way kubectl shows selectors of services.
pub fn pairs(part: Part<'_>, key: &str) -> String {
    let mut text = String::new();
    for (key, value) in part.map(key) {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{key}={}", value.text().unwrap_or_default());
    }
    text
}
