//! Requests to a forge while a step runs: JSON in and out, waits told in the log, errors for people.
//!
//! Start at [`Client::of`] and [`Client::call`]. The credential goes to the origin of the API alone. Requests that
//! change something are sent once, unless the server says that it did not take them.

use super::repo_url::RepoUrl;
use crate::config::secret::Secret;
use crate::net::{Answer, Api, Auth, Net, NetError, NetNote, Request};
use crate::scaffolder::action::{ActionError, Workbench};
use crate::scaffolder::integrations::Integration;
use crate::store::kept::Kept;
use reqwest::Method;
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Largest answer, in bytes: a tree of a large repository.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;
/// Requests of one step that are under way at once.
const AT_ONCE: usize = 4;
/// Most pages of a list that are read.
const MAX_PAGES: usize = 100;

/// A forge that is asked during a step.
pub struct Client {
    net: Arc<Net>,
    base: Url,
    auth: Auth,
    ca_file: Option<PathBuf>,
    kept: Kept,
    cancel: CancellationToken,
    /// Name and password for `git`.
    pub login: Option<(String, Secret)>,
    /// The host, as people know it.
    pub host: String,
    /// What to do when there is no right token.
    token_hint: String,
    timeout: Option<Duration>,
}

/// What a forge said no to.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What the network layer makes of it.
    pub error: NetError,
    hint: String,
}

impl Client {
    /// Creates a client for the host of a repository; reads its token, or takes the one that the input gives.
    ///
    /// # Errors
    /// When there is no token, or it cannot be read.
    pub fn of(repo: &RepoUrl, token: Option<&str>, bench: &dyn Workbench) -> Result<Self, ActionError> {
        Self::of_forge(&repo.forge, token, bench)
    }

    /// Creates a client for a host.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_forge(
        forge: &Integration,
        token: Option<&str>,
        bench: &dyn Workbench,
    ) -> Result<Self, ActionError> {
        let credential = forge.credential(token)?;
        Ok(Self {
            net: bench.host().net.clone(),
            base: forge.api.clone(),
            auth: credential.auth,
            ca_file: forge.ca_file.clone(),
            kept: Kept::in_memory(),
            cancel: bench.cancel_token().clone(),
            login: credential.login,
            host: forge.host.clone(),
            token_hint: forge.token_hint(),
            timeout: None,
        })
    }

    /// Creates a client for a server that is no forge.
    pub fn of_server(base: Url, auth: Auth, ca_file: Option<PathBuf>, bench: &dyn Workbench) -> Self {
        let host = base.host_str().unwrap_or_default();
        let host = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self {
            net: bench.host().net.clone(),
            base,
            auth,
            ca_file,
            kept: Kept::in_memory(),
            cancel: bench.cancel_token().clone(),
            login: None,
            host,
            token_hint: "check the `token` that is sent there".to_owned(),
            timeout: None,
        }
    }

    /// Leaves out the credential.
    pub fn as_nobody(mut self) -> Self {
        self.auth = Auth::None;
        self
    }

    /// Sets the longest time of a request.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gets what is at a path below the API.
    ///
    /// # Errors
    /// What the forge refuses.
    pub fn get(&self, bench: &mut dyn Workbench, path: &str) -> Result<Json, Refusal> {
        self.call(bench, Method::GET, path, None)
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn post(&self, bench: &mut dyn Workbench, path: &str, body: &Json) -> Result<Json, Refusal> {
        self.call(bench, Method::POST, path, Some(body))
    }

    /// Puts JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn put(&self, bench: &mut dyn Workbench, path: &str, body: &Json) -> Result<Json, Refusal> {
        self.call(bench, Method::PUT, path, Some(body))
    }

    /// Sends a request and reads the JSON that comes back; null when nothing comes.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn call(
        &self,
        bench: &mut dyn Workbench,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, Refusal> {
        let answer = self.send(bench, method, path, body)?;
        self.json(&answer)
    }

    fn json(&self, answer: &Answer) -> Result<Json, Refusal> {
        if answer.body.trim_ascii().is_empty() {
            return Ok(Json::Null);
        }
        answer.json().map_err(|error| self.refusal(error))
    }

    /// Posts many bodies to one path, some at once, and returns the answers in their order.
    ///
    /// # Errors
    /// The first thing that the forge refuses.
    pub fn post_all(
        &self,
        bench: &mut dyn Workbench,
        path: &str,
        bodies: &[Json],
    ) -> Result<Vec<Json>, Refusal> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let answers: Vec<Mutex<Option<Result<Json, Refusal>>>> =
            bodies.iter().map(|_| Mutex::new(None)).collect();
        let (notes, told) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(bodies.len()) {
                let (notes, next, failed, answers) = (notes.clone(), &next, &failed, &answers);
                scope.spawn(move || {
                    while !failed.load(Ordering::Relaxed) {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(body), Some(place)) = (bodies.get(at), answers.get(at)) else { return };
                        let answer = self
                            .request(Method::POST, path, Some(body))
                            .and_then(|request| {
                                self.ask(request, &notes).map_err(|error| self.refusal(error))
                            })
                            .and_then(|answer| self.json(&answer));
                        failed.fetch_or(answer.is_err(), Ordering::Relaxed);
                        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
                    }
                });
            }
            drop(notes);
            tell(bench, told);
        });
        let mut found = Vec::with_capacity(answers.len());
        let mut missing = None;
        for answer in answers {
            match answer.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(Ok(answer)) => found.push(answer),
                Some(Err(refusal)) => return Err(refusal),
                // left out because another one failed
                None => missing = Some(NetError::Cancelled { host: self.host.clone() }),
            }
        }
        missing.map_or(Ok(found), |error| Err(self.refusal(error)))
    }

    /// Gets all pages of a list of objects, by their `Link` headers.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn list(&self, bench: &mut dyn Workbench, path: &str) -> Result<Vec<Json>, Refusal> {
        let mut found = Vec::new();
        let mut next = path.to_owned();
        for _ in 0..MAX_PAGES {
            let answer = self.send(bench, Method::GET, &next, None)?;
            found.extend(answer.json::<Vec<Json>>().map_err(|error| self.refusal(error))?);
            match answer.next_link().filter(|link| link.origin() == self.base.origin()) {
                Some(link) => next = link.into(),
                None => break,
            }
        }
        Ok(found)
    }

    /// Sends a request and returns the answer as it is.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn send(
        &self,
        bench: &mut dyn Workbench,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Answer, Refusal> {
        let request = self.request(method, path, body)?;
        self.exchange(bench, request).map_err(|error| self.refusal(error))
    }

    fn request(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Request, Refusal> {
        let url = self.base.join(path).map_err(|error| {
            let cause = format!("`{path}` is no address there ({error})");
            self.refusal(NetError::Broken { host: self.host.clone(), cause })
        })?;
        let mut request = Request::get(url).once();
        request.idempotent = matches!(method, Method::GET | Method::PUT | Method::DELETE);
        request.method = method;
        request.body = body.map(|body| body.to_string().into_bytes());
        Ok(request)
    }

    /// Sends a request made elsewhere.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn forward(&self, bench: &mut dyn Workbench, request: Request) -> Result<Answer, Refusal> {
        self.exchange(bench, request).map_err(|error| self.refusal(error))
    }

    /// Waits for the answer on a thread of its own, so that the log tells about waits while they last.
    fn exchange(&self, bench: &mut dyn Workbench, request: Request) -> Result<Answer, NetError> {
        let (notes, told) = mpsc::channel();
        std::thread::scope(|scope| {
            let asking = scope.spawn(move || self.ask(request, &notes));
            tell(bench, told);
            asking.join().unwrap_or_else(|_| {
                Err(NetError::Broken { host: self.host.clone(), cause: "asking it failed".to_owned() })
            })
        })
    }

    fn ask(&self, request: Request, notes: &mpsc::Sender<String>) -> Result<Answer, NetError> {
        let notes = notes.clone();
        let notify = move |note: NetNote| {
            if let NetNote::Waiting { until, why } = note {
                let _ = notes.send(format!("{why}: waiting until {}", until.strftime("%H:%M:%S UTC")));
            }
        };
        let api = Api {
            net: &self.net,
            base: self.base.clone(),
            auth: self.auth.clone(),
            kept: &self.kept,
            cancel: &self.cancel,
            timeout: self.timeout,
            max_bytes: Some(MAX_ANSWER),
            ca_file: self.ca_file.clone(),
            notify: &notify,
        };
        api.send(request)
    }

    fn refusal(&self, error: NetError) -> Refusal {
        let hint = self.hint(&error);
        Refusal { error, hint }
    }

    fn hint(&self, error: &NetError) -> String {
        match error {
            NetError::Status { status: 401, .. } => {
                format!("the token is wrong or has expired: {}", self.token_hint)
            }
            NetError::Status { status: 403, .. } => {
                "the token lacks the right to do this: give it the scopes that the action needs, or use another one"
                    .to_owned()
            }
            NetError::Status { status: 404, .. } => {
                "check owner and name; what the token may not see looks missing, too".to_owned()
            }
            NetError::Status { status: 400 | 409 | 422, .. } => {
                "the answers do not fit what is there: change them, or what is there".to_owned()
            }
            NetError::Status { status: 500.., .. } => {
                "the server has trouble of its own: retry the step later".to_owned()
            }
            NetError::SignInPage { .. } => {
                format!("check `api` of the [[integration]] for `{}`; {}", self.host, self.token_hint)
            }
            NetError::Limited { .. } => "retry the step then".to_owned(),
            NetError::Timeout { .. } | NetError::Unreachable { .. } | NetError::Broken { .. } => {
                "check the network, then retry the step; what was asked may have been done".to_owned()
            }
            NetError::Tls { .. } | NetError::CaFile { .. } => {
                format!("with a company's own authority set `ca_file` of the [[integration]] for `{}`", self.host)
            }
            other => other.hint(),
        }
    }
}

/// Logs what comes until everybody who tells something is gone.
fn tell(bench: &mut dyn Workbench, told: mpsc::Receiver<String>) {
    for line in told {
        bench.log(&line);
    }
}

impl Refusal {
    /// Returns the HTTP status.
    pub fn status(&self) -> Option<u16> {
        self.error.status()
    }

    /// Returns whether the forge says that such a thing is there already.
    pub fn is_taken(&self) -> bool {
        let words = self.error.to_string().to_lowercase();
        let says = ["already exist", "already been taken", "already taken", "same name"];
        matches!(self.status(), Some(400 | 409 | 422)) && says.iter().any(|part| words.contains(part))
    }

    /// Returns whether the server's words hold a part.
    pub fn says(&self, part: &str) -> bool {
        self.error.to_string().contains(part)
    }

    /// Makes the error of a step: `what` could not be done.
    pub fn while_doing(self, what: &str) -> ActionError {
        ActionError::new(format!("could not {what}: {}", self.error)).hint(self.hint)
    }
}

/// Returns a text of an answer.
///
/// # Errors
/// When it is not there.
pub fn text<'j>(answer: &'j Json, pointer: &str, from: &str) -> Result<&'j str, ActionError> {
    answer.pointer(pointer).and_then(Json::as_str).ok_or_else(|| {
        ActionError::new(format!("the answer of `{from}` has no `{}`", pointer.trim_start_matches('/')))
            .hint("check `type` and `api` of its [[integration]]")
    })
}
