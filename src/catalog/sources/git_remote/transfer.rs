//! Sends commits of a local repository to another machine and brings commits from there, for those who publish.
//!
//! Start at [`Transfer`]. The same careful `git` as for sources: no shell, no question, no hook; name and password
//! reach it through its environment and go to the origin of the address alone.

use super::address::GitAddress;
use super::program::{Git, GitError, REMOTE};
use super::trouble::{self, Kind};
use crate::config::secret::Secret;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest silence of `git`; it also covers what the server does with what it got.
const SILENCE: Duration = Duration::from_secs(120);

/// Why commits did not get from here to there or back. The texts are safe to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// Somebody asked to stop.
    #[error("it was cancelled")]
    Cancelled,
    /// There is no `git`.
    #[error("the program `git` is not installed, or not on the PATH")]
    NotInstalled,
    /// The address is not used.
    #[error("the address is not used: {0}")]
    Address(String),
    /// No answer for this long.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Not signed in, or not allowed.
    #[error("{0}")]
    Refused(String),
    /// The network, or the server has trouble.
    #[error("{0}")]
    Network(String),
    /// No such repository, branch or commit.
    #[error("{0}")]
    Missing(String),
    /// Anything else, such as a rule of the server that declines it.
    #[error("{0}")]
    Other(String),
}

/// A repository on another machine, and how one signs in there.
pub struct Transfer<'a> {
    /// Its address: `https://`, `http://`, `ssh://`, `user@host:path`.
    pub url: &'a str,
    /// Name and password, for http alone.
    pub login: Option<(String, Secret)>,
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

impl Transfer<'_> {
    /// Sends a commit to a branch there; never overwrites what the branch has beyond it.
    ///
    /// # Errors
    /// [`TransferError`].
    pub fn push(&self, repository: &Path, commit: &str, branch: &str) -> Result<(), TransferError> {
        let refspec = format!("{commit}:refs/heads/{branch}");
        self.run(repository, &["push", "--porcelain", "--no-verify", "--no-signed", REMOTE, &refspec])
    }

    /// Brings the newest commit of a branch, without its history, as `refs/heads/BRANCH` of the repository here.
    ///
    /// # Errors
    /// [`TransferError`].
    pub fn fetch(&self, repository: &Path, branch: &str) -> Result<(), TransferError> {
        let refspec = format!("+refs/heads/{branch}:refs/heads/{branch}");
        self.run(
            repository,
            &[
                "fetch",
                "--depth=1",
                "--no-tags",
                "--no-write-fetch-head",
                "--update-head-ok",
                REMOTE,
                &refspec,
            ],
        )
    }

    fn run(&self, repository: &Path, arguments: &[&str]) -> Result<(), TransferError> {
        let address = GitAddress::parse(self.url).map_err(TransferError::Address)?;
        let is_web = address.origin.is_some();
        if !is_web && self.url.contains("://") && !self.url.to_ascii_lowercase().starts_with("ssh://") {
            return Err(TransferError::Address("only https and ssh are used to publish".to_owned()));
        }
        let git = Git {
            cancel: self.cancel,
            silence: SILENCE,
            on_step: &|_| {},
            login: self.login.clone().filter(|_| is_web),
        };
        // a password that the user's helpers know would publish as somebody else than was said
        let mut all = if git.login.is_some() { vec!["-c", "credential.helper="] } else { Vec::new() };
        all.extend_from_slice(arguments);
        git.run(repository, &address, &all, None).map(drop).map_err(|error| sort_out(error, &address))
    }
}

fn sort_out(error: GitError, address: &GitAddress) -> TransferError {
    match error {
        GitError::Cancelled => TransferError::Cancelled,
        GitError::NotInstalled => TransferError::NotInstalled,
        GitError::Io(cause) => TransferError::Other(cause),
        GitError::TimedOut(elapsed) => TransferError::TimedOut(elapsed),
        GitError::Failed(talk) => {
            let words = trouble::last_words(&talk, address);
            match trouble::kind(&talk).0 {
                Kind::Refused => TransferError::Refused(words),
                Kind::Network => TransferError::Network(words),
                Kind::NoRepository | Kind::NoRevision => TransferError::Missing(words),
                Kind::Unable | Kind::Other => TransferError::Other(words),
            }
        }
    }
}
