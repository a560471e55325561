//! A workspace that becomes the first commit of a new repository.
//!
//! Start at [`Publication::of`]. It says what it will push before anything is made, and pushes with the user's own
//! `git`: with the token of the forge over https, or with the user's keys over ssh.

use super::{Client, Commit, Field, Kind, RepoUrl, Words, check_branch, effect, field, files};
use crate::catalog::sources::{Transfer, TransferError};
use crate::config::integration::PushOver;
use crate::scaffolder::action::{ActionError, SideEffect, Workbench};
use crate::scaffolder::actions::paths;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// Name of the author of commits, unless the template names one; the original's.
pub const AUTHOR: &str = "Scaffolder";
/// Address of the author.
pub const EMAIL: &str = "scaffolder@backstage.io";

/// Inputs that all actions share which put a workspace into a new repository.
pub const FIELDS: &[Field] = &[
    field("sourcePath", Kind::Text, "Folder of the workspace that becomes the repository; absent: all of it"),
    field("gitCommitMessage", Kind::Text, "Message of the first commit").or("\"initial commit\""),
    field("gitAuthorName", Kind::Text, "Name of the author of the commit").or("\"Scaffolder\""),
    field("gitAuthorEmail", Kind::Text, "Address of the author of the commit")
        .or("\"scaffolder@backstage.io\""),
    field("signCommit", Kind::Flag, "Sign the commit; no signing key is known here, so that true is refused"),
    field("token", Kind::Text, "Token in place of the one of the host"),
];

/// Outputs that they share.
pub const OUTPUTS: &[Field] = &[
    field("remoteUrl", Kind::Text, "Address to clone the repository from"),
    field("repoContentsUrl", Kind::Text, "Page with the files of the default branch"),
    field("commitHash", Kind::Text, "Hash of the first commit"),
];

/// The shared inputs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitInput {
    /// Folder of the workspace. GitLab takes `false` for not pushing at all.
    pub source_path: Option<serde_json::Value>,
    /// Message.
    pub git_commit_message: Option<String>,
    /// Name of the author.
    pub git_author_name: Option<String>,
    /// Address of the author.
    pub git_author_email: Option<String>,
    /// Whether to sign.
    pub sign_commit: Option<bool>,
    /// Token in place of the one of the host.
    pub token: Option<String>,
    /// Branch that becomes the default.
    pub default_branch: Option<String>,
}

/// What is pushed.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The folder.
    pub root: PathBuf,
    /// The branch.
    pub branch: String,
    /// The words of the commit.
    pub words: Words,
}

impl Publication {
    /// Reads what is pushed from the shared inputs.
    ///
    /// # Errors
    /// When the folder leaves the workspace, the branch is none, or a signature is wanted.
    pub fn of(input: &CommitInput, branch: &str, bench: &dyn Workbench) -> Result<Self, ActionError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let branch = given(&input.default_branch).unwrap_or_else(|| branch.to_owned());
        check_branch(&branch)?;
        if input.sign_commit == Some(true) {
            return Err(ActionError::new(
                "Signing commits is enabled but no signing key is provided in the configuration",
            )
            .hint("leave out `signCommit`; commits are made without a signature here"));
        }
        let folder = input.source_path.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        Ok(Self {
            root: paths::inside(bench.workspace(), folder)?,
            branch,
            words: Words {
                message: given(&input.git_commit_message).unwrap_or_else(|| "initial commit".to_owned()),
                name: given(&input.git_author_name).unwrap_or_else(|| AUTHOR.to_owned()),
                email: given(&input.git_author_email).unwrap_or_else(|| EMAIL.to_owned()),
            },
        })
    }

    /// Returns what the push would change.
    pub fn effect(&self, repo: &RepoUrl, identity: &str) -> SideEffect {
        let identity = match repo.forge.push {
            PushOver::Https => identity.to_owned(),
            PushOver::Ssh => format!("your ssh key at {}", repo.forge.host),
        };
        effect(
            "push",
            repo.shown(),
            identity,
            vec![
                format!("branch: {}", self.branch),
                format!("files: {}", files::count(&self.root)),
                format!("commit: {}", self.words.message.lines().next().unwrap_or_default()),
                format!("author: {} <{}>", self.words.name, self.words.email),
            ],
        )
    }

    /// Commits the folder and pushes it; returns the hash of the commit.
    ///
    /// # Errors
    /// What `git` or the forge says.
    pub fn push(
        &self,
        bench: &mut dyn Workbench,
        repo: &RepoUrl,
        client: &Client,
        remote: &Remote,
    ) -> Result<String, ActionError> {
        let commit = Commit::first(&self.root, &self.words)?;
        let address = remote.address(repo)?;
        bench.log(&format!("pushing commit {} to branch {} of {}", commit.hash(), self.branch, repo.shown()));
        send(bench, client, &address, &commit, &self.branch)
            .map_err(|error| failed(&format!("push to {}", repo.shown()), &error, client))?;
        Ok(commit.hash())
    }
}

/// Where a repository is, as its forge says.
#[derive(Debug, Clone, Default)]
pub struct Remote {
    /// For http.
    pub https: String,
    /// For ssh; empty when the forge does not say.
    pub ssh: String,
}

impl Remote {
    /// Returns the address that is used, without a user in it.
    ///
    /// # Errors
    /// When the forge names a place that is not its own: the token does not go there.
    pub fn address(&self, repo: &RepoUrl) -> Result<String, ActionError> {
        if repo.forge.push == PushOver::Ssh {
            if self.ssh.is_empty() {
                return Err(ActionError::new(format!(
                    "`{}` names no ssh address of the repository",
                    repo.forge.host
                ))
                .hint("take `push = \"ssh\"` out of its [[integration]]"));
            }
            return Ok(self.ssh.clone());
        }
        let mut url = Url::parse(&self.https).map_err(|error| {
            ActionError::new(format!("`{}` names an address that is none ({error})", repo.forge.host))
        })?;
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if !repo.forge.owns(&url) {
            return Err(ActionError::new(format!(
                "`{}` says that the repository is at `{}`, which is not its own address: the token is not sent there",
                repo.forge.host,
                url.origin().ascii_serialization()
            ))
            .hint("set `url` of the [[integration]] to the address that clones come from"));
        }
        Ok(url.into())
    }
}

/// Pushes a commit to a branch.
///
/// # Errors
/// What `git` says.
pub fn send(
    bench: &mut dyn Workbench,
    client: &Client,
    address: &str,
    commit: &Commit,
    branch: &str,
) -> Result<(), TransferError> {
    let cancel = bench.cancel_token().clone();
    let transfer = Transfer { url: address, login: client.login.clone(), cancel: &cancel };
    transfer.push(commit.folder(), &commit.hash(), branch)
}

/// Makes the error of a step from one of `git`.
pub fn failed(what: &str, error: &TransferError, client: &Client) -> ActionError {
    let hint = match error {
        TransferError::NotInstalled => "install git, then retry the step".to_owned(),
        TransferError::Refused(_) => {
            format!("check that the token of `{}` may push there", client.host)
        }
        TransferError::Network(_) | TransferError::TimedOut(_) => {
            "check the network, then retry the step".to_owned()
        }
        TransferError::Missing(_) => "check that the repository is still there".to_owned(),
        TransferError::Cancelled | TransferError::Address(_) => String::new(),
        TransferError::Other(_) => "the server declines it; its words say why".to_owned(),
    };
    ActionError::new(format!("could not {what}: {error}")).hint(hint)
}
