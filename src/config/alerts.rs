//! What the configuration says about servers that know of alerts: `[[alerts.provider]]`.
//!
//! Only data: `alerts` asks them.

use super::secret::SecretSource;
use serde::Deserialize;
use std::path::PathBuf;

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertServer {
    /// Rules with their alerts, and measurements.
    Prometheus,
    /// Alerts that were sent, and silences.
    Alertmanager,
}

/// A server: `[[alerts.provider]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertProviderConfig {
    /// Unique name; shown everywhere.
    pub name: String,
    /// What kind of server it is.
    #[serde(rename = "type")]
    pub server: AlertServer,
    /// Its address, without `/api/…`.
    pub url: String,
    /// Where its token comes from.
    #[serde(default)]
    pub token: Option<SecretSource>,
    /// Name for a password instead of a token.
    #[serde(default)]
    pub user: Option<String>,
    /// File with further certificates to trust, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}
