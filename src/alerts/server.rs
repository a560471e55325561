//! One server: where it is, as whom it is asked, and what it can be asked for.

use super::{Alert, Silence, alertmanager, prometheus};
use crate::config::alerts::{AlertProviderConfig, AlertServer};
use crate::config::secret::SecretError;
use crate::net::{Answer, Api, Auth, Net, NetError, Request};
use crate::store::kept::Kept;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Largest answer, in bytes.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// Why a server gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// It could not be asked, or refused.
    #[error("{0}")]
    Net(NetError),
    /// Its token could not be read.
    #[error("{0}")]
    Secret(SecretError),
    /// Its address is none.
    #[error("the address `{url}` of `{name}` cannot be used: {cause}")]
    Address {
        /// Name of the server.
        name: String,
        /// As configured.
        url: String,
        /// Why not.
        cause: String,
    },
    /// It answered that it cannot.
    #[error("{name} says: {cause}")]
    Refused {
        /// Name of the server.
        name: String,
        /// Its words.
        cause: String,
    },
    /// It has none.
    #[error("{name} has no {what}")]
    Cannot {
        /// Name of the server.
        name: String,
        /// What it has none of.
        what: &'static str,
    },
}

impl From<NetError> for ProviderError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

/// Something that knows of alerts. Blocking.
pub trait Provider: Send + Sync {
    /// Returns its name.
    fn name(&self) -> &Arc<str>;

    /// Returns the alerts that it knows of now.
    ///
    /// # Errors
    /// Why it gave none.
    fn alerts(&self, cancel: &CancellationToken) -> Result<Vec<Alert>, ProviderError>;

    /// Returns its silences; `None` when it has no such thing.
    ///
    /// # Errors
    /// Why it gave none.
    fn silences(&self, _cancel: &CancellationToken) -> Option<Result<Vec<Silence>, ProviderError>> {
        None
    }

    /// Makes a silence, or changes the one with its id; returns the id.
    ///
    /// # Errors
    /// Why it did not.
    fn silence(&self, _silence: &Silence, _cancel: &CancellationToken) -> Result<String, ProviderError> {
        Err(ProviderError::Cannot { name: self.name().to_string(), what: "silences" })
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// Why it did not.
    fn expire(&self, _id: &str, _cancel: &CancellationToken) -> Result<(), ProviderError> {
        Err(ProviderError::Cannot { name: self.name().to_string(), what: "silences" })
    }

    /// Measures something over a time; see [`prometheus::Series`].
    ///
    /// # Errors
    /// Why it did not.
    fn range(
        &self,
        _query: &str,
        _span: (Timestamp, Timestamp),
        _step: Duration,
        _cancel: &CancellationToken,
    ) -> Result<Vec<prometheus::Series>, ProviderError> {
        Err(ProviderError::Cannot { name: self.name().to_string(), what: "measurements" })
    }
}

/// Opens the servers of a configuration; nothing is asked yet.
pub fn open(configs: &[AlertProviderConfig], net: &Arc<Net>) -> Vec<Box<dyn Provider>> {
    let open = |config: &AlertProviderConfig| -> Box<dyn Provider> {
        let server = Server::new(config, net.clone());
        match config.server {
            AlertServer::Prometheus => Box::new(prometheus::Prometheus(server)),
            AlertServer::Alertmanager => Box::new(alertmanager::Alertmanager(server)),
        }
    };
    configs.iter().map(open).collect()
}

/// How a server is reached.
#[derive(Debug)]
pub struct Server {
    pub(super) name: Arc<str>,
    config: AlertProviderConfig,
    net: Arc<Net>,
    kept: Kept,
}

impl Server {
    fn new(config: &AlertProviderConfig, net: Arc<Net>) -> Self {
        Self { name: config.name.as_str().into(), config: config.clone(), net, kept: Kept::default() }
    }

    fn base(&self) -> Result<Url, ProviderError> {
        let bad = |cause: &str| ProviderError::Address {
            name: self.config.name.clone(),
            url: crate::model::text::clean(&self.config.url).into_owned(),
            cause: cause.to_owned(),
        };
        let mut url = Url::parse(&self.config.url).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it is neither `http:` nor `https:`"));
        }
        // people copy the address of the API, with its version
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/v1").or_else(|| path.strip_suffix("/api/v2")).unwrap_or(path);
        let path = format!("{path}/");
        url.set_path(&path);
        Ok(url)
    }

    fn auth(&self) -> Result<Auth, ProviderError> {
        let Some(token) = &self.config.token else { return Ok(Auth::None) };
        let secret = token.read().map_err(ProviderError::Secret)?;
        Ok(match &self.config.user {
            Some(user) => Auth::Basic(user.clone(), secret),
            None => Auth::Bearer(secret),
        })
    }

    /// Sends a request to a path below the base.
    pub(super) fn send(
        &self,
        path: &str,
        cancel: &CancellationToken,
        request: impl FnOnce(Url) -> Request,
    ) -> Result<Answer, ProviderError> {
        let base = self.base()?;
        let url = base.join(path).map_err(|error| ProviderError::Address {
            name: self.config.name.clone(),
            url: path.to_owned(),
            cause: error.to_string(),
        })?;
        let ca_file: Option<PathBuf> = self.config.ca_file.clone();
        let api = Api {
            net: &self.net,
            base,
            auth: self.auth()?,
            kept: &self.kept,
            cancel,
            timeout: None,
            max_bytes: Some(MAX_ANSWER),
            ca_file,
            notify: &|_| {},
        };
        Ok(api.send(request(url).once())?)
    }

    /// Reads JSON from a path below the base.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        cancel: &CancellationToken,
    ) -> Result<T, ProviderError> {
        Ok(self.send(path, cancel, Request::get)?.json()?)
    }
}
