//! Lists and single objects, in the forms callers ask for.

use super::request::{Query, Target};
use super::resource::R;
use super::selector::{Fields, Labels};
use super::server::Server;
use super::status::{Failure, json_response, ok};
use super::store::{Entry, Key};
use super::table;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// The form objects are answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Whole,
    /// As rows of a table.
    Table,
    /// Only their metadata.
    Metadata,
}

impl Form {
    /// Reads the first form of an `Accept` header that is known here.
    pub fn of_accept(accept: &str) -> Self {
        let is_json =
            |part: &&str| part.trim().starts_with("application/json") || part.trim().starts_with("*/*");
        let first = accept.split(',').find(is_json).unwrap_or_default();
        if first.contains("as=Table") {
            Self::Table
        } else if first.contains("as=PartialObjectMetadata") {
            Self::Metadata
        } else {
            Self::Whole
        }
    }
}

/// Which objects are asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// By label.
    pub labels: Labels,
    /// By field.
    pub fields: Fields,
}

impl Selection {
    /// Reads the selectors of a query.
    ///
    /// # Errors
    /// 400 for what is none.
    pub fn read(query: &Query, kind: R) -> Result<Self, Failure> {
        let labels = Labels::parse(query.get("labelSelector").unwrap_or_default());
        let fields = Fields::parse(query.get("fieldSelector").unwrap_or_default(), kind.row().plural);
        Ok(Self {
            labels: labels.map_err(Failure::bad_request)?,
            fields: fields.map_err(Failure::bad_request)?,
        })
    }

    /// Returns whether an object is asked for.
    pub fn matches(&self, entry: &Entry) -> bool {
        self.labels.matches(&entry.labels) && (self.fields.is_empty() || self.fields.matches(&entry.value()))
    }

    fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

/// Answers a list.
pub fn list(server: &Server, target: &Target, query: &Query, form: Form) -> Result<Response, Failure> {
    let selection = Selection::read(query, target.kind)?;
    let limit = query.number("limit").filter(|limit| *limit > 0).map_or(usize::MAX, |limit| limit as usize);
    let cluster = server.cluster();
    let store = &cluster.store;
    let (version, after) = match query.get("continue") {
        Some(token) => {
            let (version, key) = read_continue(token)?;
            if version < store.oldest(target.kind) {
                return Err(Failure::continue_expired());
            }
            (version, Some(key))
        }
        None => {
            let asked = query.get("resourceVersion").unwrap_or("0");
            let asked: u64 = asked.parse().map_err(|_| bad_version(asked))?;
            if query.get("resourceVersionMatch") == Some("Exact") && asked < store.oldest(target.kind) {
                return Err(Failure::expired(asked, store.oldest(target.kind)));
            }
            (store.version(), None)
        }
    };
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    let (mut next, mut remaining) = (None, 0_usize);
    let mut last: Option<&Key> = None;
    for (key, entry) in store.list(target.kind, target.namespace.as_deref(), after.as_ref()) {
        if !selection.matches(entry) {
            continue;
        }
        if entries.len() < limit {
            entries.push(entry.clone());
            last = Some(key);
        } else {
            next = next.or_else(|| last.map(|key| write_continue(version, key)));
            remaining += 1;
        }
    }
    let now = cluster.now;
    drop(cluster);
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(next) = next {
        metadata["continue"] = next.into();
        if selection.is_all() {
            metadata["remainingItemCount"] = remaining.into();
        }
    }
    Ok(match form {
        Form::Whole => json_response(StatusCode::OK, whole(target.kind, &metadata, &entries)),
        Form::Table => ok(&table::of(target.kind, &entries, now, Some(metadata))),
        Form::Metadata => {
            let items: Vec<Value> = entries.iter().map(|entry| only_metadata(&entry.value())).collect();
            let of = "PartialObjectMetadataList";
            ok(&json!({"kind": of, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}))
        }
    })
}

/// Writes a list of objects from their texts.
fn whole(kind: R, metadata: &Value, entries: &[Arc<Entry>]) -> String {
    let row = kind.row();
    let size = entries.iter().map(|entry| entry.text().len() + 1).sum::<usize>() + 256;
    let mut text = String::with_capacity(size);
    text.push_str(&format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
        row.kind,
        row.api_version()
    ));
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(entry.text());
    }
    text.push_str("]}");
    text
}

/// Answers one object.
pub fn get(server: &Server, target: &Target, form: Form) -> Result<Response, Failure> {
    let row = target.kind.row();
    let name = target.name.as_deref().unwrap_or_default();
    let cluster = server.cluster();
    let entry = cluster.store.get(target.kind, target.namespace.as_deref().unwrap_or_default(), name);
    let entry = entry.cloned().ok_or_else(|| Failure::not_found(row, name))?;
    let now = cluster.now;
    drop(cluster);
    if target.sub.as_deref() == Some("scale") {
        return Ok(ok(&super::write::scale_of(&entry.value())));
    }
    Ok(match form {
        Form::Whole => json_response(StatusCode::OK, entry.text().to_string()),
        Form::Table => ok(&table::of(target.kind, &[entry], now, Some(json!({})))),
        Form::Metadata => ok(&only_metadata(&entry.value())),
    })
}

/// Returns an object without all but its metadata.
pub fn only_metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// Refuses a version that is no number.
pub fn bad_version(text: &str) -> Failure {
    let message = format!(
        "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
    );
    Failure::new(400, "BadRequest", message)
}

fn write_continue(version: u64, key: &Key) -> String {
    let start = format!("{}/{}\u{0}", key.0, key.1);
    STANDARD_NO_PAD.encode(json!({"v": "meta.k8s.io/v1", "rv": version, "start": start}).to_string())
}

fn read_continue(token: &str) -> Result<(u64, Key), Failure> {
    let bad =
        |why: &str| Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes =
        STANDARD_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| bad("illegal base64 data"))?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|_| bad("invalid character"))?;
    let version = token["rv"].as_u64().ok_or_else(|| bad("no version"))?;
    let start = token["start"].as_str().unwrap_or_default().trim_end_matches('\u{0}');
    let (namespace, name) = start.split_once('/').ok_or_else(|| bad("no start"))?;
    Ok((version, (Arc::from(namespace), Arc::from(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continue_tokens_go_there_and_back() {
        let key: Key = (Arc::from("shop"), Arc::from("web-1"));
        assert_eq!(read_continue(&write_continue(7, &key)).unwrap(), (7, key));
        assert_eq!(read_continue("abc").unwrap_err().code, 400);
    }

    #[test]
    fn the_first_known_form_counts() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(Form::of_accept(table), Form::Table);
        assert_eq!(Form::of_accept("application/json"), Form::Whole);
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(Form::of_accept(metadata), Form::Metadata);
    }
}
