//! A server that answers by a function, for forges: it keeps a log of what was asked.

use std::sync::{Arc, Mutex};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Path and query.
    pub target: String,
    /// `authorization`, `private-token`.
    pub credential: Option<String>,
    /// The body as text.
    pub body: String,
}

/// A server, the runtime it lives on, and what was asked of it.
pub struct Script {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    /// Starts a server that answers everything by this function.
    pub fn new(answer: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let log: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = log.clone();
        let respond = move |request: &Request| {
            kept.lock().unwrap().push(seen(request));
            answer(request)
        };
        runtime.block_on(Mock::given(any()).respond_with(respond).mount(&server));
        Self { runtime, server, log }
    }

    /// Returns the address of the server, without a slash at its end.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Returns everything that was asked since the last call.
    pub fn take(&self) -> Vec<Seen> {
        let _ = &self.runtime;
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

fn seen(request: &Request) -> Seen {
    let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Seen {
        target: format!("{}{query}", request.url.path()),
        credential: header("authorization").or_else(|| header("private-token")),
        body: String::from_utf8_lossy(&request.body).into_owned(),
    }
}

/// Returns a parameter of the query.
pub fn parameter(request: &Request, name: &str) -> Option<String> {
    request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Answers with JSON.
pub fn json(value: &serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}

/// Answers with a status and nothing else.
pub fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}
