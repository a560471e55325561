//! Answers that go on: watches and followed logs.

use super::clock;
use super::log::{Line, Source};
use super::read::{Form, Selection, bad_version, only_metadata};
use super::request::{Query, Target};
use super::resource::R;
use super::server::Server;
use super::status::Failure;
use super::store::{Change, Entry};
use super::table;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A bookmark comes about this often.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Longest piece of a log that is sent at once, in bytes.
const PIECE: usize = 256 << 10;

fn streaming(content: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    response
}

/// Breaks a connection, but not before what was sent last is on its way.
async fn broken() -> Option<io::Result<Bytes>> {
    tokio::time::sleep(Duration::from_millis(30)).await;
    Some(Err(io::ErrorKind::ConnectionReset.into()))
}

struct Watch {
    server: Arc<Server>,
    kind: R,
    namespace: Option<String>,
    selection: Selection,
    form: Form,
    has_bookmarks: bool,
    version: u64,
    deadline: Instant,
    bookmark: Instant,
    changed: watch::Receiver<u64>,
    cut: watch::Receiver<u64>,
    expired: watch::Receiver<u64>,
    has_columns: bool,
    is_over: bool,
    is_cut: bool,
    first: Option<String>,
}

/// Answers a watch.
pub fn watch(server: &Arc<Server>, target: &Target, query: &Query, form: Form) -> Result<Response, Failure> {
    let selection = Selection::read(query, target.kind)?;
    let asked = query.get("resourceVersion").unwrap_or_default();
    let version: u64 = if asked.is_empty() { 0 } else { asked.parse().map_err(|_| bad_version(asked))? };
    let wants_initial = query.is("sendInitialEvents");
    let cluster = server.cluster();
    let store = &cluster.store;
    let oldest = store.oldest(target.kind);
    let is_late = version != 0 && !wants_initial && version < oldest;
    if is_late && server.faults.is_expiry_http() {
        return Err(Failure::expired(version, oldest));
    }
    let seconds = query.number("timeoutSeconds").filter(|seconds| *seconds > 0).unwrap_or(1800) as u64;
    let now = Instant::now();
    let mut state = Watch {
        server: server.clone(),
        kind: target.kind,
        namespace: target.namespace.clone(),
        selection,
        form,
        has_bookmarks: query.is("allowWatchBookmarks"),
        version: if version == 0 || wants_initial { store.version() } else { version },
        deadline: now + Duration::from_secs(seconds),
        bookmark: now + BOOKMARK,
        changed: store.subscribe(),
        cut: server.faults.cut.subscribe(),
        expired: server.faults.expired.subscribe(),
        has_columns: false,
        is_over: is_late,
        is_cut: false,
        first: None,
    };
    if is_late {
        state.first = Some(event("ERROR", &Failure::expired(version, oldest).to_value()));
    } else if version == 0 || wants_initial {
        let matching: Vec<Arc<Entry>> = store
            .list(target.kind, target.namespace.as_deref(), None)
            .filter(|(_, entry)| state.selection.matches(entry))
            .map(|(_, entry)| entry.clone())
            .collect();
        let now = cluster.now;
        let mut text = String::new();
        for entry in &matching {
            text.push_str(&state.event_of("ADDED", entry, now));
        }
        if wants_initial && state.has_bookmarks {
            text.push_str(&state.bookmark(true));
        }
        state.first = Some(text).filter(|text| !text.is_empty());
    }
    drop(cluster);
    state.changed.mark_changed();
    let body = futures_util::stream::unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Some((piece, state))
    });
    Ok(streaming("application/json", Body::from_stream(body)))
}

fn event(of: &str, object: &Value) -> String {
    format!("{{\"type\":\"{of}\",\"object\":{object}}}\n")
}

impl Watch {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first.into()));
        }
        if self.is_cut {
            return broken().await;
        }
        if self.is_over {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                _ = self.cut.changed() => {
                    self.is_cut = true;
                    // a reader sees half an event, then the end of the connection
                    return Some(Ok(Bytes::from_static(b"{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Po")));
                }
                _ = self.expired.changed() => {
                    self.is_over = true;
                    let oldest = self.server.cluster().store.oldest(self.kind);
                    let failure = Failure::expired(self.version, oldest);
                    return Some(Ok(event("ERROR", &failure.to_value()).into()));
                }
                () = tokio::time::sleep_until(self.deadline) => return None,
                () = tokio::time::sleep_until(self.bookmark), if self.has_bookmarks => {
                    self.bookmark = Instant::now() + BOOKMARK;
                    return Some(Ok(self.bookmark(false).into()));
                }
                changed = self.changed.changed() => {
                    changed.ok()?;
                    self.changed.borrow_and_update();
                    match self.news() {
                        Ok(text) if text.is_empty() => {}
                        Ok(text) => return Some(Ok(text.into())),
                        Err(failure) => {
                            self.is_over = true;
                            return Some(Ok(event("ERROR", &failure.to_value()).into()));
                        }
                    }
                }
            }
        }
    }

    fn news(&mut self) -> Result<String, Failure> {
        let cluster = self.server.cluster();
        let now = cluster.now;
        let changes = cluster.store.since(self.kind, self.version);
        let newest = cluster.store.version();
        let oldest = cluster.store.oldest(self.kind);
        drop(cluster);
        let changes = changes.ok_or_else(|| Failure::expired(self.version, oldest))?;
        self.version = newest;
        let mut text = String::new();
        for change in changes {
            if self.namespace.as_deref().is_some_and(|namespace| namespace != &*change.key.0) {
                continue;
            }
            if let Some(of) = self.kind_of(&change) {
                text.push_str(&self.event_of(of, &change.after, now));
            }
        }
        Ok(text)
    }

    /// An object that begins or ceases to match is new or gone for a watch with a selector.
    fn kind_of(&self, change: &Change) -> Option<&'static str> {
        let before = change.before.as_ref().is_some_and(|entry| self.selection.matches(entry));
        let after = !change.is_deleted && self.selection.matches(&change.after);
        match (before, after) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }

    fn event_of(&mut self, of: &str, entry: &Arc<Entry>, now: Timestamp) -> String {
        match self.form {
            Form::Whole => format!("{{\"type\":\"{of}\",\"object\":{}}}\n", entry.text()),
            Form::Metadata => event(of, &only_metadata(&entry.value())),
            Form::Table => {
                let mut rows = table::of(self.kind, std::slice::from_ref(entry), now, None);
                if self.has_columns {
                    rows["columnDefinitions"] = Value::Null;
                }
                self.has_columns = true;
                event(of, &rows)
            }
        }
    }

    fn bookmark(&self, is_end_of_initial: bool) -> String {
        let row = self.kind.row();
        let mut metadata = json!({"resourceVersion": self.version.to_string(), "creationTimestamp": null});
        if is_end_of_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        event("BOOKMARK", &json!({"kind": row.kind, "apiVersion": row.api_version(), "metadata": metadata}))
    }
}

struct Follow {
    server: Arc<Server>,
    source: Source,
    after: Timestamp,
    has_times: bool,
    left: Option<usize>,
    ready: Vec<u8>,
    is_following: bool,
    ticked: watch::Receiver<u64>,
    cut: watch::Receiver<u64>,
    is_over: bool,
    is_cut: bool,
}

/// Answers a request for logs.
pub fn logs(server: &Arc<Server>, target: &Target, query: &Query) -> Result<Response, Failure> {
    let name = target.name.as_deref().unwrap_or_default();
    let number = |key: &str, least: i64| match query.get(key).map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(number)) if number >= least => Ok(Some(number)),
        Some(Ok(number)) => {
            let why = format!("Invalid value: {number}: must be greater than or equal to {least}");
            Err(Failure::invalid("PodLogOptions", name, key, &why))
        }
        Some(Err(_)) => Err(Failure::bad_request(format!("{key}: not a number"))),
    };
    let (tail, since) = (number("tailLines", 0)?, number("sinceSeconds", 1)?);
    let limit = number("limitBytes", 1)?;
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let ticked = server.ticked.subscribe();
    let cut = server.faults.cut.subscribe();
    let cluster = server.cluster();
    // lines may be younger than the last tick
    let now = server.clock.now().max(cluster.now);
    let source = cluster.log_source(namespace, name, query.get("container"), query.is("previous"))?;
    let since_time = query.get("sinceTime").and_then(|time| time.parse::<Timestamp>().ok());
    let after = match (since, since_time) {
        (Some(seconds), _) => clock::later(now, -seconds),
        // the time itself is included
        (None, Some(time)) => time.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(time),
        (None, None) => Timestamp::MIN,
    };
    let lines = match tail {
        Some(count) => cluster.tail(&source, count as usize, after, now),
        None => {
            let mut lines = Vec::new();
            cluster.lines(&source, after.max(clock::later(source.started, -1)), now, &mut lines);
            lines
        }
    };
    let has_times = query.is("timestamps");
    let is_following = query.is("follow") && source.ended.is_none();
    drop(cluster);
    let mut state = Follow {
        server: server.clone(),
        after: now,
        source,
        has_times,
        left: limit.map(|limit| limit as usize),
        ready: Vec::new(),
        is_following,
        ticked,
        cut,
        is_over: false,
        is_cut: false,
    };
    state.take(&lines);
    let body = futures_util::stream::unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Some((piece, state))
    });
    Ok(streaming("text/plain", Body::from_stream(body)))
}

impl Follow {
    fn take(&mut self, lines: &[Line]) {
        for line in lines {
            if self.has_times {
                self.ready.extend_from_slice(format!("{:.9} ", line.at).as_bytes());
            }
            self.ready.extend_from_slice(&line.bytes);
            self.ready.push(b'\n');
        }
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.is_cut {
            return broken().await;
        }
        loop {
            if self.left == Some(0) {
                return None;
            }
            if !self.ready.is_empty() {
                let mut size = self.ready.len().min(PIECE);
                if let Some(left) = &mut self.left {
                    size = size.min(*left);
                    *left -= size;
                }
                let rest = self.ready.split_off(size);
                let piece = std::mem::replace(&mut self.ready, rest);
                return Some(Ok(piece.into()));
            }
            if self.is_over || !self.is_following {
                return None;
            }
            tokio::select! {
                biased;
                _ = self.cut.changed() => return Some(Ok(self.half_a_line())),
                ticked = self.ticked.changed() => {
                    ticked.ok()?;
                    self.ticked.borrow_and_update();
                    self.advance();
                }
            }
        }
    }

    fn advance(&mut self) {
        let cluster = self.server.cluster();
        let now = self.server.clock.now().max(cluster.now);
        let source = cluster.log_source_now(&self.source);
        let mut lines = Vec::new();
        cluster.lines(&source, self.after, now, &mut lines);
        drop(cluster);
        self.is_over = source.ended.is_some();
        self.source.ends = source.ends;
        self.after = now;
        self.take(&lines);
    }

    /// Returns half of the line that comes next; the connection breaks behind it.
    fn half_a_line(&mut self) -> Bytes {
        self.is_cut = true;
        let cluster = self.server.cluster();
        let end = clock::later(self.after, 60);
        let mut lines = Vec::new();
        cluster.lines(&self.source, self.after, end, &mut lines);
        drop(cluster);
        lines.truncate(1);
        self.take(&lines);
        let half = self.ready.len() / 2;
        self.ready.truncate(half);
        std::mem::take(&mut self.ready).into()
    }
}
