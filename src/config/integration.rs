//! What the configuration says about forges that templates publish to: `[[integration]]`.
//!
//! Only data: `scaffolder::integrations` knows the public forges and puts all of them together.

use super::secret::SecretSource;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What runs on a host; decides which parts a repository has and how it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HostType {
    /// GitHub and GitHub Enterprise.
    #[serde(rename = "github")]
    Github,
    /// GitLab.
    #[serde(rename = "gitlab")]
    Gitlab,
    /// Gitea and Forgejo.
    #[serde(rename = "gitea", alias = "forgejo")]
    Gitea,
    /// Bitbucket Cloud.
    #[serde(rename = "bitbucketCloud")]
    BitbucketCloud,
    /// Bitbucket Server and Data Center.
    #[serde(rename = "bitbucketServer")]
    BitbucketServer,
    /// Azure DevOps.
    #[serde(rename = "azure")]
    Azure,
    /// Gerrit.
    #[serde(rename = "gerrit")]
    Gerrit,
}

impl HostType {
    /// Returns its word in the configuration, as the original has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::BitbucketCloud => "bitbucketCloud",
            Self::BitbucketServer => "bitbucketServer",
            Self::Azure => "azure",
            Self::Gerrit => "gerrit",
        }
    }
}

/// How commits reach a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushOver {
    /// With the token.
    #[default]
    Https,
    /// With the user's own keys.
    Ssh,
}

/// A forge that templates publish to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrationConfig {
    /// Host, with its port if it has one of its own, as in a `repoUrl`.
    pub host: String,
    /// What runs there.
    #[serde(rename = "type")]
    pub kind: HostType,
    /// Address of its API; absent: what is usual for the type.
    #[serde(default)]
    pub api: Option<String>,
    /// Address of its pages; absent: `https://` and the host.
    #[serde(default)]
    pub url: Option<String>,
    /// Where the token comes from.
    #[serde(default)]
    pub token: Option<SecretSource>,
    /// Name of the account, where a password or app password goes with one.
    #[serde(default)]
    pub username: Option<String>,
    /// How commits are pushed.
    #[serde(default)]
    pub push: PushOver,
    /// File with further certificates to trust, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}
