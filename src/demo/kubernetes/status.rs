//! What the API answers when it does not do what was asked: `Status` objects, worded as the real ones.

use super::resource::Resource;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Status code.
    pub code: u16,
    /// `NotFound`; empty where the real one says nothing.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// What it is about.
    pub details: Option<Value>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// Makes a refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None }
    }

    /// Says that the request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Says that an object is not there.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        Self::about(404, "NotFound", resource, name, format!("{} \"{name}\" not found", resource.qualified()))
    }

    /// Says that there is nothing at a path.
    pub fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self { details: Some(json!({})), ..Self::new(404, "NotFound", message) }
    }

    /// Says that an object is there already.
    pub fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::about(409, "AlreadyExists", resource, name, message)
    }

    /// Says that somebody was faster.
    pub fn conflict(resource: &Resource, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your \
             changes to the latest version and try again",
            resource.qualified()
        );
        Self::about(409, "Conflict", resource, name, message)
    }

    /// Says that nobody knows the caller.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// Says that a field has a value it cannot have.
    pub fn invalid(kind: &str, name: &str, field: &str, why: &str) -> Self {
        let message = format!("{kind} \"{name}\" is invalid: {field}: {why}");
        let cause = json!({"reason": "FieldValueInvalid", "message": why, "field": field});
        let details = json!({"name": name, "kind": kind, "causes": [cause]});
        Self { details: Some(details), ..Self::new(422, "Invalid", message) }
    }

    /// Says that a version of the past is not kept any more.
    pub fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    /// Says that a list cannot be continued.
    pub fn continue_expired() -> Self {
        Self::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new \
             list without the continue parameter.",
        )
    }

    /// Says that the caller asks too much.
    pub fn too_many(retry_after: u64) -> Self {
        let message = "Too many requests, please try again later.";
        let details = Some(json!({"retryAfterSeconds": retry_after}));
        let retry_after = Some(retry_after);
        Self { details, retry_after, ..Self::new(429, "TooManyRequests", message) }
    }

    /// Says that the server broke.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {}", message.into()))
    }

    /// Makes a refusal about an object.
    pub fn about(code: u16, reason: &'static str, resource: &Resource, name: &str, message: String) -> Self {
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".to_owned(), name.into());
        }
        if !resource.group.is_empty() {
            details.insert("group".to_owned(), resource.group.into());
        }
        details.insert("kind".to_owned(), resource.plural.into());
        Self { details: Some(Value::Object(details)), ..Self::new(code, reason, message) }
    }

    /// Returns the `Status` object.
    pub fn to_value(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(code, self.to_value().to_string());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Returns a response with a JSON text.
pub fn json_response(code: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Returns a response with a JSON value.
pub fn ok(value: &Value) -> Response {
    json_response(StatusCode::OK, value.to_string())
}
