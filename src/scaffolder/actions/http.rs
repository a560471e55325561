//! `http:backstage:request` and `http:request`: one request to a Backstage backend, or to any address.
//!
//! The backend is the first one among the catalog's sources; its token goes there alone. An answer that says no fails
//! the step unless the template goes on with it.

use super::Entry;
use super::forge::{Client, Field, Kind, Outline, effect, field, note_unknown, outputs, read, required};
use crate::config::secret::Secret;
use crate::net::{Answer, Auth, Request};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use crate::scaffolder::integrations::Backend;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Time for a request unless the template names one, and the longest that it may name.
const TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Largest body of an answer that is handed on, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

const METHODS: Kind = Kind::Choice(&["GET", "HEAD", "OPTIONS", "POST", "UPDATE", "DELETE", "PUT", "PATCH"]);

const COMMON: &[Field] = &[
    required("method", METHODS, "What is done there"),
    field("headers", Kind::Map, "Further headers"),
    field("params", Kind::Map, "Parameters of the query"),
    field("body", Kind::Any, "What is sent: a text as it is, anything else as JSON"),
    field("logRequestPath", Kind::Flag, "Name the path in the log").or("true"),
    field("continueOnBadResponse", Kind::Flag, "Go on with an answer of 400 or more").or("false"),
    field("timeout", Kind::Number, "Longest time, in milliseconds").or("60000"),
    field("idempotencyKey", Kind::Text, "Name of the request where runs are resumed; not needed here"),
];

const BACKSTAGE_INPUT: &[Field] = &[
    required("path", Kind::Text, "Path below the backend: `/api/proxy/…`, or without `/api/`"),
    field("useBackstageToken", Kind::Flag, "Send the secret `backstageToken` of the run"),
];

const HTTP_INPUT: &[Field] = &[required("url", Kind::Text, "The whole address")];

const OUTPUT: &[Field] = &[
    field("code", Kind::NumberOrText, "Status of the answer"),
    field("headers", Kind::Map, "Its headers"),
    field("body", Kind::Any, "Its JSON; a text as `message`"),
];

/// Asks a Backstage backend.
const BACKSTAGE: Outline = Outline {
    id: "http:backstage:request",
    about: "Sends a request to the Backstage backend among the catalog's sources.",
    input: &[BACKSTAGE_INPUT, COMMON],
    output: &[OUTPUT],
    effects: backstage_effects,
    foreseen: super::nothing_foreseen,
    run: backstage,
};

/// Asks any server.
const HTTP: Outline = Outline {
    id: "http:request",
    about: "Sends a request to an address.",
    input: &[HTTP_INPUT, COMMON],
    output: &[OUTPUT],
    effects: http_effects,
    foreseen: super::nothing_foreseen,
    run: http,
};

/// The actions.
pub const ENTRIES: &[Entry] = &[(BACKSTAGE.id, make_backstage), (HTTP.id, make_http)];

fn make_backstage() -> Arc<dyn Action> {
    BACKSTAGE.make()
}

fn make_http() -> Arc<dyn Action> {
    HTTP.make()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    path: String,
    url: String,
    method: String,
    headers: Option<Map<String, Json>>,
    params: Option<Map<String, Json>>,
    body: Option<Json>,
    log_request_path: Option<bool>,
    continue_on_bad_response: Option<bool>,
    timeout: Option<f64>,
}

fn backend(bench: &dyn Workbench) -> Result<Backend, ActionError> {
    bench.host().integrations.backend().cloned().ok_or_else(|| {
        ActionError::new(
            "there is no Backstage backend to ask: the catalog has no source of type `backstage`",
        )
        .hint("add one to config.toml: [[catalog.source]] type = \"backstage\", url = \"https://…\"")
    })
}

/// Returns the address of a path, which never leaves the backend.
fn backstage_url(backend: &Backend, input: &Input) -> Result<Url, ActionError> {
    let bad = |cause: &str| {
        ActionError::new(format!("`{}` is no path of a backend: {cause}", input.path.escape_debug()))
    };
    let path = input.path.trim_start_matches('/');
    let path = if path.starts_with("api/") { path.to_owned() } else { format!("api/{path}") };
    // relative to the backend, whatever it looks like
    let mut url = backend.url.join(&format!("./{path}")).map_err(|error| bad(&error.to_string()))?;
    if url.origin() != backend.url.origin() || !url.path().starts_with(backend.url.path()) {
        return Err(bad("it leads elsewhere"));
    }
    query(&mut url, input);
    Ok(url)
}

fn http_url(input: &Input) -> Result<Url, ActionError> {
    let bad = |cause: String| {
        ActionError::new(format!("`{}` is no address to ask: {cause}", input.url.escape_debug()))
            .hint("write it with `https://`")
    };
    let mut url = Url::parse(&input.url).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(format!("`{}:` is neither `http:` nor `https:`", url.scheme())));
    }
    query(&mut url, input);
    Ok(url)
}

fn query(url: &mut Url, input: &Input) {
    if let Some(params) = input.params.as_ref().filter(|params| !params.is_empty()) {
        url.query_pairs_mut().extend_pairs(params.iter().map(|(name, value)| (name, plain(value))));
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn place(url: &Url) -> String {
    crate::config::source::without_credentials(url.as_str())
}

fn backstage_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (input, backend): (Input, _) = (read(input)?, backend(bench)?);
    let identity = match (&backend.token, backend.guest) {
        (Some(_), _) => format!("token of the source `{}`", backend.name),
        (None, true) => "a guest".to_owned(),
        (None, false) => "nobody".to_owned(),
    };
    let url = backstage_url(&backend, &input)?;
    Ok(vec![effect("request", place(&url), identity, vec![format!("method: {}", input.method)])])
}

fn http_effects(input: &Value, _: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let input: Input = read(input)?;
    let signs = |name: &String| name.eq_ignore_ascii_case("authorization");
    let signed = input.headers.as_ref().is_some_and(|headers| headers.keys().any(signs));
    let identity = if signed { "what the template sends as `authorization`" } else { "nobody" };
    let details = vec![format!("method: {}", input.method)];
    Ok(vec![effect("request", place(&http_url(&input)?), identity.to_owned(), details)])
}

fn backstage(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&BACKSTAGE, input, bench);
    let (input, backend): (Input, _) = (read(input)?, backend(bench)?);
    let url = backstage_url(&backend, &input)?;
    let auth = sign_in(bench, &backend)?;
    let client = Client::of_server(backend.url.clone(), auth, backend.ca_file.clone(), bench);
    let path = input.path.clone();
    ask(bench, client, &input, url, BACKSTAGE.id, &path)
}

fn http(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&HTTP, input, bench);
    let input: Input = read(input)?;
    let url = http_url(&input)?;
    let client = Client::of_server(url.clone(), Auth::None, None, bench);
    let shown = place(&url);
    ask(bench, client, &input, url, HTTP.id, &shown)
}

/// Returns who asks a backend.
fn sign_in(bench: &mut dyn Workbench, backend: &Backend) -> Result<Auth, ActionError> {
    if let Some(source) = &backend.token {
        let token = source.read().map_err(|error| {
            ActionError::new(format!("there is no token of the source `{}`: {error}", backend.name))
                .hint("check `token` of the source")
        })?;
        return Ok(Auth::Bearer(token));
    }
    if !backend.guest {
        return Ok(Auth::None);
    }
    let client = Client::of_server(backend.url.clone(), Auth::None, backend.ca_file.clone(), bench);
    let session = client
        .get(bench, "api/auth/guest/refresh")
        .map_err(|refusal| refusal.while_doing(&format!("sign in as a guest at {}", client.host)))?;
    let token = session.pointer("/backstageIdentity/token").and_then(Json::as_str).unwrap_or_default();
    Ok(Auth::Bearer(Secret::new(token)))
}

fn ask(
    bench: &mut dyn Workbench,
    client: Client,
    input: &Input,
    url: Url,
    id: &str,
    shown: &str,
) -> Result<Value, ActionError> {
    let against =
        if input.log_request_path.unwrap_or(true) { format!(" against {shown}") } else { String::new() };
    bench.log(&format!("Creating {} request with {id} scaffolder action{against}", input.method));
    let goes_on = input.continue_on_bad_response == Some(true);
    let mut request = Request::get(url).once();
    request.method = Method::from_bytes(input.method.as_bytes())
        .map_err(|_| ActionError::new(format!("`{}` is no method", input.method.escape_debug())))?;
    request.idempotent = matches!(input.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    request.any_status = goes_on;
    request.headers = headers(input)?;
    if let Some(body) = input.body.as_ref().filter(|body| !body.is_null()) {
        if body.is_string() {
            request
                .headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
        }
        request.body = Some(plain(body).into_bytes());
    }
    let timeout = input.timeout.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
    let client = client.within(timeout.unwrap_or(TIMEOUT).min(LONGEST));
    // what the template signs with itself takes the place of the token
    let client = if request.headers.contains_key(AUTHORIZATION) { client.as_nobody() } else { client };
    let doing = format!("complete the {} request to {}", input.method, client.host);
    let answer = client.forward(bench, request).map_err(|refusal| refusal.while_doing(&doing))?;
    Ok(outputs(json!({
        "code": answer.status, "headers": said_headers(&answer), "body": body(&answer)?,
    })))
}

fn headers(input: &Input) -> Result<HeaderMap, ActionError> {
    let mut headers = HeaderMap::new();
    for (name, value) in input.headers.iter().flatten() {
        let bad = || ActionError::new(format!("the header `{}` cannot be sent", name.escape_debug()));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(&plain(value)).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

fn said_headers(answer: &Answer) -> Map<String, Json> {
    let text = |value: &HeaderValue| value.to_str().ok().map(Json::from);
    answer.headers.iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
}

fn body(answer: &Answer) -> Result<Json, ActionError> {
    if answer.body.len() > MAX_BODY {
        return Err(ActionError::new(format!("the answer is larger than {} MB", MAX_BODY / 1024 / 1024)));
    }
    let is_json = answer.header("content-type").is_some_and(|kind| kind.contains("json"));
    if is_json && !answer.body.trim_ascii().is_empty() {
        return answer.json().map_err(|error| ActionError::new(format!("Could not get response: {error}")));
    }
    Ok(json!({"message": String::from_utf8_lossy(&answer.body)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_at_its_backend() {
        let backend = Backend {
            name: "company".into(),
            url: Url::parse("https://portal.acme.io/base/").unwrap(),
            token: None,
            guest: false,
            ca_file: None,
        };
        let url = |path: &str| {
            let params = json!({"a": "b c", "n": 1});
            let input = Input { path: path.into(), params: params.as_object().cloned(), ..Input::default() };
            backstage_url(&backend, &input).map(String::from).map_err(|error| error.message)
        };
        let base = "https://portal.acme.io/base/api/proxy/x?a=b+c&n=1";
        assert_eq!(url("/api/proxy/x").as_deref(), Ok(base));
        assert_eq!(url("proxy/x").as_deref(), Ok(base));
        assert_eq!(url("//api/proxy/x").as_deref(), Ok(base));
        assert_eq!(
            url("https://evil.io/x").as_deref(),
            Ok("https://portal.acme.io/base/api/https://evil.io/x?a=b+c&n=1")
        );
        for bad in ["../../../x", "api/../../../x"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
