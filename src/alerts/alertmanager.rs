//! Alertmanager: alerts that were sent to it, and silences. Reference: its API, version 2.

use super::server::{Provider, ProviderError, Server};
use super::{Alert, Matcher, Severity, Silence, State};
use crate::net::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// An Alertmanager.
#[derive(Debug)]
pub struct Alertmanager(pub(super) Server);

/// Alerts and silences taken from one answer.
const MAX_ALERTS: usize = 50_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    #[serde(default)]
    receivers: Vec<Named>,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    state: String,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireMatcher {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireSilence {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(default, skip_serializing)]
    status: Status,
    matchers: Vec<WireMatcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "silenceID")]
    id: String,
}

impl From<WireMatcher> for Matcher {
    fn from(wire: WireMatcher) -> Self {
        let WireMatcher { name, value, is_regex, is_equal } = wire;
        Self { name, value, is_regex, is_equal }
    }
}

impl Provider for Alertmanager {
    fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    fn alerts(&self, cancel: &CancellationToken) -> Result<Vec<Alert>, ProviderError> {
        let sent: Vec<Sent> = self.0.get("api/v2/alerts", cancel)?;
        let now = Timestamp::now();
        let is_over = |alert: &Sent| alert.ends_at.is_some_and(|end| end < now);
        Ok(sent
            .into_iter()
            .take(MAX_ALERTS)
            .filter(|alert| !is_over(alert))
            .map(|alert| self.alert(alert))
            .collect())
    }

    fn silences(&self, cancel: &CancellationToken) -> Option<Result<Vec<Silence>, ProviderError>> {
        let read = || {
            let silences: Vec<WireSilence> = self.0.get("api/v2/silences", cancel)?;
            let live = silences.into_iter().filter(|silence| silence.status.state != "expired");
            Ok(live.take(MAX_ALERTS).map(silence).collect())
        };
        Some(read())
    }

    fn silence(&self, silence: &Silence, cancel: &CancellationToken) -> Result<String, ProviderError> {
        let matchers = silence.matchers.iter().cloned().map(|matcher| WireMatcher {
            name: matcher.name,
            value: matcher.value,
            is_regex: matcher.is_regex,
            is_equal: matcher.is_equal,
        });
        let wire = WireSilence {
            id: silence.id.clone(),
            status: Status::default(),
            matchers: matchers.collect(),
            starts_at: silence.starts,
            ends_at: silence.ends,
            created_by: silence.author.clone(),
            comment: silence.comment.clone(),
        };
        let body = serde_json::to_value(&wire).unwrap_or_default();
        let answer = self.0.send("api/v2/silences", cancel, |url| Request::post(url, &body))?;
        Ok(answer.json::<Made>()?.id)
    }

    fn expire(&self, id: &str, cancel: &CancellationToken) -> Result<(), ProviderError> {
        // an id is letters, digits and hyphens; nothing else may become part of an address
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_id {
            let cause = "that is no id of a silence".to_owned();
            return Err(ProviderError::Refused { name: self.0.name.to_string(), cause });
        }
        let delete = |url| Request { method: reqwest::Method::DELETE, ..Request::get(url) };
        self.0.send(&format!("api/v2/silence/{id}"), cancel, delete)?;
        Ok(())
    }
}

impl Alertmanager {
    fn alert(&self, sent: Sent) -> Alert {
        let is_hidden = !sent.status.silenced_by.is_empty()
            || !sent.status.inhibited_by.is_empty()
            || sent.status.state == "suppressed";
        let name = sent.labels.get("alertname").filter(|name| !name.is_empty());
        let silences = sent.status.silenced_by.into_iter().map(|id| (self.0.name.clone(), id));
        Alert {
            providers: vec![self.0.name.clone()],
            name: name.cloned().unwrap_or_else(|| "alert without a name".to_owned()),
            severity: Severity::of(&sent.labels),
            state: if is_hidden { State::Silenced } else { State::Firing },
            since: sent.starts_at,
            annotations: sent.annotations,
            url: sent.generator_url,
            silences: silences.collect(),
            receivers: sent.receivers.into_iter().map(|receiver| receiver.name).collect(),
            labels: sent.labels,
        }
    }
}

fn silence(wire: WireSilence) -> Silence {
    Silence {
        id: wire.id,
        matchers: wire.matchers.into_iter().map(Matcher::from).collect(),
        starts: wire.starts_at,
        ends: wire.ends_at,
        author: wire.created_by,
        comment: wire.comment,
        is_active: wire.status.state == "active",
    }
}
