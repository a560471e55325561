//! One request for the log of a container, and what its answers mean.

use super::pods::{PodView, ProblemKind};
use axum::body::BodyDataStream;
use futures_util::StreamExt;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, DATE, RETRY_AFTER};
use jiff::Timestamp;
use kube::client::Body;
use std::time::Duration;
use url::form_urlencoded::{Serializer, byte_serialize};

/// Bytes of an error that are read.
const ERROR_BYTES: usize = 16 * 1024;

/// What is asked of the log of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ask {
    pub is_previous: bool,
    pub is_following: bool,
    pub tail: Option<u32>,
    pub since_seconds: Option<u64>,
    pub since_time: Option<Timestamp>,
}

/// An open log.
pub(super) struct Open {
    /// How far the server's clock is ahead of ours, in seconds; 0 when that may be the way's doing.
    pub skew: i64,
    pub body: BodyDataStream,
}

/// Why a log cannot be read, or not now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not now: asked again, after this time if the server named one.
    Later(String, Option<Duration>),
    /// The container has not started: asked again when it did.
    NotStarted(String),
    /// There is no instance before the one that runs.
    NoPrevious,
    /// The pod is gone.
    Gone,
    /// Never like this.
    Never(ProblemKind, String),
}

impl Ask {
    /// Returns the address of the log of a container.
    fn path(&self, pod: &PodView, container: &str) -> String {
        let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let path = format!("/api/v1/namespaces/{}/pods/{}/log?", part(&pod.at.namespace), part(&pod.at.name));
        let mut query = Serializer::for_suffix(path.clone(), path.len());
        query.append_pair("container", container).append_pair("timestamps", "true");
        if self.is_following {
            query.append_pair("follow", "true");
        }
        if self.is_previous {
            query.append_pair("previous", "true");
        }
        if let Some(tail) = self.tail {
            query.append_pair("tailLines", &tail.to_string());
        }
        if let Some(time) = self.since_time {
            query.append_pair("sinceTime", &time.to_string());
        } else if let Some(seconds) = self.since_seconds {
            query.append_pair("sinceSeconds", &seconds.max(1).to_string());
        }
        query.finish()
    }

    /// Asks.
    pub async fn open(&self, client: &kube::Client, pod: &PodView, container: &str) -> Result<Open, Refusal> {
        // packed streams would arrive late and at once
        let request = http::Request::get(self.path(pod, container)).header(ACCEPT_ENCODING, "identity");
        let request = request.body(Body::empty()).map_err(|e| never(e.to_string()))?;
        let response = client.send(request).await.map_err(|error| Refusal::Later(cause(&error), None))?;
        let (parts, body) = response.into_parts();
        let mut body = axum::body::Body::new(body).into_data_stream();
        if parts.status.is_success() {
            let date = parts.headers.get(DATE).and_then(|date| date.to_str().ok());
            return Ok(Open { skew: date.map_or(0, skew), body });
        }
        let mut bytes = Vec::new();
        while let Some(Ok(piece)) = body.next().await {
            bytes.extend_from_slice(&piece);
            if bytes.len() > ERROR_BYTES {
                break;
            }
        }
        let wait = parts.headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
        Err(refusal(parts.status, &bytes, wait.map(Duration::from_secs), pod))
    }
}

fn never(says: String) -> Refusal {
    Refusal::Never(ProblemKind::NotFound, says)
}

/// Returns the innermost cause of an error: that is what people can act upon.
pub(super) fn cause(error: &kube::Error) -> String {
    let mut found: &dyn std::error::Error = error;
    while let Some(inner) = found.source() {
        found = inner;
    }
    found.to_string()
}

/// Seconds that may be the way's and the header's doing.
const DOUBT: i64 = 2;

fn skew(date: &str) -> i64 {
    let Ok(there) = jiff::fmt::rfc2822::parse(date) else { return 0 };
    let skew = there.timestamp().as_second() - Timestamp::now().as_second();
    if skew.abs() <= DOUBT { 0 } else { skew }
}

fn refusal(status: StatusCode, body: &[u8], wait: Option<Duration>, pod: &PodView) -> Refusal {
    let message = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|status| Some(status.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| format!("the server answered {status}"));
    match status {
        StatusCode::NOT_FOUND => Refusal::Gone,
        StatusCode::FORBIDDEN => {
            let at = &pod.at;
            let says = format!(
                "logs of pods in `{}` of `{}` may not be read: {message}; whoever manages access there can allow `get` on `pods/log`",
                at.namespace, at.cluster
            );
            Refusal::Never(ProblemKind::Forbidden, says)
        }
        StatusCode::BAD_REQUEST if message.contains("previous terminated container") => Refusal::NoPrevious,
        StatusCode::BAD_REQUEST if message.contains("is not valid for pod") => {
            Refusal::Never(ProblemKind::NotFound, message)
        }
        StatusCode::BAD_REQUEST => Refusal::NotStarted(message),
        StatusCode::UNAUTHORIZED => Refusal::Later(format!("not signed in: {message}"), wait),
        _ => Refusal::Later(message, wait),
    }
}
