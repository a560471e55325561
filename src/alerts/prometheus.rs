//! Prometheus: rules with their alerts, and measurements over time. Reference: its HTTP API, version 1.

use super::server::{Provider, ProviderError, Server};
use super::{Alert, Severity, State};
use crate::model::text::clean;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A Prometheus, or what speaks like one.
#[derive(Debug)]
pub struct Prometheus(pub(super) Server);

/// Alerts taken from one answer.
const MAX_ALERTS: usize = 50_000;
/// Series taken from one answer.
const MAX_SERIES: usize = 1_000;
/// Points of a series that the server gives at most.
const MAX_POINTS: u64 = 11_000;

/// A measurement over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is measured of.
    pub labels: BTreeMap<String, String>,
    /// Seconds since 1970 and the value; what is no number is left out.
    pub points: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Rules {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    alerts: Vec<Active>,
}

#[derive(Deserialize)]
struct Active {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    state: String,
    #[serde(rename = "activeAt")]
    since: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Matrix {
    #[serde(default, rename = "resultType")]
    result_type: String,
    #[serde(default)]
    result: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Prometheus {
    fn data<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        cancel: &CancellationToken,
    ) -> Result<T, ProviderError> {
        let refused = |cause: &str| ProviderError::Refused {
            name: self.0.name.to_string(),
            cause: clean(cause).chars().take(300).collect(),
        };
        let answer: Envelope<T> = self.0.get(path, cancel)?;
        match answer.data {
            Some(data) if answer.status == "success" => Ok(data),
            _ => {
                Err(refused(if answer.error.is_empty() { "an error without a word" } else { &answer.error }))
            }
        }
    }
}

impl Provider for Prometheus {
    fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    fn alerts(&self, cancel: &CancellationToken) -> Result<Vec<Alert>, ProviderError> {
        let rules: Rules = self.data("api/v1/rules?type=alert", cancel)?;
        let active = rules
            .groups
            .into_iter()
            .flat_map(|group| group.rules)
            .flat_map(|rule| rule.alerts.into_iter().map(move |alert| (rule.name.clone(), alert)));
        Ok(active.take(MAX_ALERTS).filter_map(|(rule, active)| self.alert(rule, active)).collect())
    }

    fn range(
        &self,
        query: &str,
        (start, end): (Timestamp, Timestamp),
        step: Duration,
        cancel: &CancellationToken,
    ) -> Result<Vec<Series>, ProviderError> {
        let span = end.duration_since(start).as_secs().unsigned_abs();
        let step = step.as_secs().max(span / (MAX_POINTS - 1) + 1).max(1);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("query", query);
        form.append_pair("start", &start.as_second().to_string());
        form.append_pair("end", &end.as_second().to_string());
        form.append_pair("step", &step.to_string());
        let matrix: Matrix = self.data(&format!("api/v1/query_range?{}", form.finish()), cancel)?;
        if matrix.result_type != "matrix" {
            return Err(ProviderError::Refused {
                name: self.0.name.to_string(),
                cause: format!(
                    "the query gives `{}`, which is nothing over time",
                    clean(&matrix.result_type)
                ),
            });
        }
        let series = matrix.result.into_iter().take(MAX_SERIES).map(|measured| Series {
            labels: measured.metric,
            points: measured
                .values
                .into_iter()
                .filter_map(|(time, value)| Some((time, value.parse().ok()?)))
                .filter(|(_, value): &(f64, f64)| value.is_finite())
                .collect(),
        });
        Ok(series.collect())
    }
}

impl Prometheus {
    fn alert(&self, rule: String, active: Active) -> Option<Alert> {
        let state = match active.state.as_str() {
            "firing" => State::Firing,
            "pending" => State::Pending,
            _ => return None,
        };
        let name = active.labels.get("alertname").cloned().unwrap_or(rule);
        Some(Alert {
            providers: vec![self.0.name.clone()],
            name: if name.is_empty() { "alert without a name".to_owned() } else { name },
            severity: Severity::of(&active.labels),
            state,
            since: active.since,
            labels: active.labels,
            annotations: active.annotations,
            url: String::new(),
            silences: Vec::new(),
            receivers: Vec::new(),
        })
    }
}
