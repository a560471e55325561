//! Columns of what makes pods.

use super::{
    AGE, CLUSTER, Cell, Column, LABELS, NAME, NAMESPACE, Row, Tone, column, number, since, wide, words,
};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Autoscaler, Condition, CronJob, Facts, Job, Workload};
use std::sync::Arc;

pub const DEPLOYMENT: &[Column] = &[
    NAME,
    READY,
    number("UPDATED", 4, |row| workload(row, |set| Cell::count(set.updated))),
    number("AVAILABLE", 4, |row| workload(row, |set| Cell::count(set.available))),
    column("STATUS", 1, |row| workload(row, rollout)),
    AUTOSCALED,
    AGE,
    NAMESPACE,
    CLUSTER,
    wide("STRATEGY", |row| workload(row, |set| Cell::text(&*set.strategy))),
    wide("CONDITIONS", |row| workload(row, |set| conditions(&set.conditions))),
    IMAGES,
    SELECTOR,
    LABELS,
];

pub const SET: &[Column] = &[
    NAME,
    READY,
    number("UPDATED", 4, |row| workload(row, |set| Cell::count(set.updated))),
    column("STATUS", 1, |row| workload(row, rollout)),
    column("STRATEGY", 6, |row| workload(row, |set| Cell::text(&*set.strategy))),
    AGE,
    NAMESPACE,
    CLUSTER,
    IMAGES,
    SELECTOR,
    LABELS,
];

pub const REPLICA_SET: &[Column] = &[
    NAME,
    READY,
    number("CURRENT", 4, |row| workload(row, |set| Cell::count(set.current))),
    number("REVISION", 3, |row| {
        workload(row, |set| {
            set.revision.map_or_else(
                || Cell::text(""),
                |number| Cell::count(i64::try_from(number).unwrap_or(i64::MAX)),
            )
        })
    }),
    AGE,
    NAMESPACE,
    CLUSTER,
    IMAGES,
    SELECTOR,
    LABELS,
];

pub const JOB: &[Column] = &[
    NAME,
    column("STATUS", 0, |row| with_job(row, job_status)),
    number("COMPLETIONS", 2, |row| {
        with_job(row, |job| {
            let wanted = job.completions.map_or_else(|| "?".to_owned(), |wanted| wanted.to_string());
            Cell::number(format!("{}/{wanted}", job.succeeded), f64::from(job.succeeded))
        })
    }),
    number("FAILED", 3, |row| {
        with_job(row, |job| {
            Cell::count(job.failed).tone(if job.failed > 0 { Tone::Warn } else { Tone::Plain })
        })
    }),
    number("DURATION", 3, duration),
    number("START", 4, |row| with_job(row, |job| since(job.started, row.now))),
    AGE,
    NAMESPACE,
    CLUSTER,
    LABELS,
];

pub const CRON_JOB: &[Column] = &[
    NAME,
    column("SCHEDULE", 1, |row| cron(row, |cron| Cell::text(&*cron.schedule))),
    column("WHEN", 5, |row| {
        cron(row, |cron| Cell::text(words::schedule(&cron.schedule).unwrap_or_default()))
    }),
    column("SUSPENDED", 2, |row| {
        cron(
            row,
            |cron| if cron.is_suspended { Cell::text("yes").tone(Tone::Warn) } else { Cell::text("no") },
        )
    }),
    number("ACTIVE", 2, |row| cron(row, |cron| Cell::count(i64::try_from(cron.active).unwrap_or(i64::MAX)))),
    number("LAST", 1, |row| cron(row, |cron| since(cron.last_schedule, row.now))),
    number("LAST OK", 4, |row| cron(row, |cron| since(cron.last_success, row.now))),
    AGE,
    NAMESPACE,
    CLUSTER,
    wide("ZONE", |row| cron(row, |cron| Cell::text(cron.time_zone.as_deref().unwrap_or("")))),
    LABELS,
];

pub const AUTOSCALER: &[Column] = &[
    NAME,
    column("TARGET", 1, |row| {
        scaler(row, |scaler| Cell::text(format!("{}/{}", scaler.target.0, scaler.target.1)))
    }),
    column("CPU", 2, |row| scaler(row, |scaler| Cell::text(cpu(scaler)))),
    number("MIN", 3, |row| scaler(row, |scaler| Cell::count(scaler.min.unwrap_or(1)))),
    number("MAX", 3, |row| scaler(row, |scaler| Cell::count(scaler.max))),
    number("REPLICAS", 1, |row| {
        scaler(row, |scaler| {
            let is_at_end = scaler.current == Some(scaler.max);
            Cell::count(scaler.current.unwrap_or(0)).tone(if is_at_end { Tone::Error } else { Tone::Plain })
        })
    }),
    AGE,
    NAMESPACE,
    CLUSTER,
    wide("CONDITIONS", |row| scaler(row, |scaler| conditions(&scaler.conditions))),
    LABELS,
];

const READY: Column = number("READY", 0, |row| workload(row, ready));
const IMAGES: Column = wide("IMAGES", |row| workload(row, |set| Cell::text(set.images.join(" "))));
const SELECTOR: Column = wide("SELECTOR", |row| workload(row, |set| Cell::text(&*set.selector)));
const AUTOSCALED: Column = column("HPA", 6, |row| {
    let Some(scaler) = autoscaler_of(row) else { return Cell::text("") };
    let (min, current) = (scaler.min.unwrap_or(1), scaler.current.unwrap_or(0));
    let tone = if scaler.current == Some(scaler.max) { Tone::Error } else { Tone::Plain };
    Cell::text(format!("{current} of {min}-{} {}", scaler.max, cpu(scaler))).tone(tone)
});

/// Finds the autoscaler of a workload: the first whose target it is.
pub fn autoscaler_of<'a>(row: &Row<'a>) -> Option<&'a Autoscaler> {
    let table = row.cluster.tables.get(&Kind::HorizontalPodAutoscaler)?;
    let kind = row.object.kind.spec()?.name;
    let start = (row.object.namespace.clone(), Arc::from(""));
    let run =
        table.objects.range(start..).take_while(|((namespace, _), _)| *namespace == row.object.namespace);
    run.filter_map(|(_, object)| match &object.facts {
        Facts::Autoscaler(scaler) => Some(&**scaler),
        _ => None,
    })
    .find(|scaler| &*scaler.target.0 == kind && scaler.target.1 == row.object.name)
}

fn workload(row: &Row<'_>, cell: impl FnOnce(&Workload) -> Cell) -> Cell {
    match &row.object.facts {
        Facts::Workload(set) => cell(set),
        _ => Cell::text(""),
    }
}

fn with_job(row: &Row<'_>, cell: impl FnOnce(&Job) -> Cell) -> Cell {
    match &row.object.facts {
        Facts::Job(job) => cell(job),
        _ => Cell::text(""),
    }
}

fn cron(row: &Row<'_>, cell: impl FnOnce(&CronJob) -> Cell) -> Cell {
    match &row.object.facts {
        Facts::CronJob(cron) => cell(cron),
        _ => Cell::text(""),
    }
}

fn scaler(row: &Row<'_>, cell: impl FnOnce(&Autoscaler) -> Cell) -> Cell {
    match &row.object.facts {
        Facts::Autoscaler(scaler) => cell(scaler),
        _ => Cell::text(""),
    }
}

fn ready(set: &Workload) -> Cell {
    let desired = set.desired.unwrap_or(1);
    let tone = match (set.ready, desired) {
        (0, 0) => Tone::Dim,
        (ready, desired) if ready >= desired => Tone::Ok,
        (0, _) => Tone::Error,
        _ => Tone::Warn,
    };
    Cell::number(format!("{}/{desired}", set.ready), f64::from(set.ready)).tone(tone)
}

/// Says how a rollout is.
fn rollout(set: &Workload) -> Cell {
    let desired = set.desired.unwrap_or(1);
    let failing = set.conditions.iter().find(|condition| {
        &*condition.status == "False" && matches!(&*condition.name, "Progressing" | "Available")
            || &*condition.status == "True" && &*condition.name == "ReplicaFailure"
    });
    match failing {
        _ if set.is_paused => Cell::text("Paused").tone(Tone::Warn),
        Some(condition) if !condition.reason.is_empty() => Cell::text(&*condition.reason).tone(Tone::Error),
        _ if desired == 0 => Cell::text("Scaled to 0").tone(Tone::Dim),
        _ if set.updated < desired => Cell::text("Updating").tone(Tone::Warn),
        _ if set.ready < desired => Cell::text("Starting").tone(Tone::Warn),
        _ => Cell::text("Ready").tone(Tone::Ok),
    }
}

fn conditions(conditions: &[Condition]) -> Cell {
    let said: Vec<String> =
        conditions.iter().map(|condition| format!("{}={}", condition.name, condition.status)).collect();
    Cell::text(said.join(" "))
}

fn cpu(scaler: &Autoscaler) -> String {
    let percent = |number: Option<i32>| number.map_or_else(|| "?".to_owned(), |number| format!("{number}%"));
    match scaler.cpu {
        (None, None) => String::new(),
        (now, wanted) => format!("{}/{}", percent(now), percent(wanted)),
    }
}

fn job_status(job: &Job) -> Cell {
    let has = |name: &str| {
        job.conditions.iter().any(|condition| &*condition.name == name && &*condition.status == "True")
    };
    if has("Complete") {
        Cell::text("Succeeded").tone(Tone::Ok)
    } else if has("Failed") {
        Cell::text("Failed").tone(Tone::Error)
    } else if job.is_suspended {
        Cell::text("Suspended").tone(Tone::Warn)
    } else if job.active > 0 || job.started.is_some() {
        Cell::text("Running")
    } else {
        Cell::text("Waiting").tone(Tone::Warn)
    }
}

fn duration(row: &Row<'_>) -> Cell {
    with_job(row, |job| {
        let ended = job.conditions.iter().find(|condition| {
            &*condition.status == "True" && matches!(&*condition.name, "Complete" | "Failed")
        });
        let end = job.finished.or_else(|| ended.and_then(|ended| ended.since));
        let Some(started) = job.started else { return Cell::number("-", -1.0) };
        let passed = end.unwrap_or(row.now).duration_since(started);
        // What runs ages with the grain of a minute, as all ages do.
        let text = if end.is_some() { words::span(passed) } else { words::age(started, row.now) };
        Cell::number(text, passed.as_secs_f64())
    })
}
