//! `repoUrl`: which repository on which host, `github.com?owner=acme&repo=checkout`.
//!
//! Start at [`RepoUrl::parse`]. Which parts must be there follows from the type of the host; messages are those of
//! the original, so that what people look up is found.

use crate::config::integration::HostType;
use crate::scaffolder::action::ActionError;
use crate::scaffolder::integrations::{Integration, Integrations};
use std::fmt::Write as _;
use url::Url;

/// A repository on a host.
#[derive(Debug, Clone)]
pub struct RepoUrl {
    /// The host.
    pub forge: Integration,
    /// User, organisation or group with its path.
    pub owner: Option<String>,
    /// Name of the repository; empty where a GitLab project is named by its number alone.
    pub repo: String,
    /// Organisation (Azure).
    pub organization: Option<String>,
    /// Workspace (Bitbucket Cloud).
    pub workspace: Option<String>,
    /// Project (Azure, Bitbucket), or number of a project (GitLab).
    pub project: Option<String>,
}

impl RepoUrl {
    /// Reads the text of an input `repoUrl`.
    ///
    /// # Errors
    /// When it is no address, its host has no integration, or a part is missing.
    pub fn parse(text: &str, integrations: &Integrations) -> Result<Self, ActionError> {
        let bad = |cause: &str| {
            ActionError::new(format!("Invalid repo URL passed to publisher, got {text}, {cause}"))
                .hint("write it as `github.com?owner=OWNER&repo=NAME`; the form's RepoUrlPicker makes it")
        };
        if text.chars().any(char::is_control) {
            return Err(bad("it holds control codes"));
        }
        let url = Url::parse(&format!("https://{text}")).map_err(|error| bad(&error.to_string()))?;
        let name = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let forge = integrations.find(&host)?.clone();
        let part = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name)?.1;
            Some(found.trim_matches('/').to_owned()).filter(|value| !value.is_empty())
        };
        let needed: &[&str] = match forge.kind {
            HostType::Github => &["repo", "owner"],
            HostType::Gitlab if part("project").is_some() => &[],
            HostType::Gitlab => &["owner", "repo"],
            HostType::Gitea | HostType::Gerrit => &["repo"],
            HostType::BitbucketCloud => &["workspace", "project", "repo"],
            HostType::BitbucketServer => &["project", "repo"],
            HostType::Azure => &["project", "repo"],
        };
        if let Some(missing) = needed.iter().find(|name| part(name).is_none()) {
            return Err(ActionError::new(format!(
                "Invalid repo URL passed to publisher: {url}, missing {missing}"
            ))
            .hint(format!("a `repoUrl` of `{host}` needs {}", needed.join(", "))));
        }
        let found = Self {
            forge,
            owner: part("owner"),
            repo: part("repo").unwrap_or_default(),
            organization: part("organization"),
            workspace: part("workspace"),
            project: part("project"),
        };
        found.check_names()?;
        Ok(found)
    }

    /// No part may name another place of the API.
    fn check_names(&self) -> Result<(), ActionError> {
        let parts = [
            self.owner.as_deref(),
            Some(&*self.repo),
            self.organization.as_deref(),
            self.workspace.as_deref(),
        ];
        let is_bad = |part: &str| part.split('/').any(|name| name == "." || name == "..");
        match parts.into_iter().flatten().chain(self.project.as_deref()).find(|part| is_bad(part)) {
            Some(part) => Err(ActionError::new(format!("`{part}` is no name of a repository or its owner"))),
            None => Ok(()),
        }
    }

    /// Checks that the host is of the type that an action is for.
    ///
    /// # Errors
    /// When it is of another one.
    pub fn on(self, kind: HostType, action: &str) -> Result<Self, ActionError> {
        if self.forge.kind == kind {
            return Ok(self);
        }
        let host = &self.forge.host;
        Err(ActionError::new(format!(
            "`{action}` works with hosts of type {}, and `{host}` is one of type {}",
            kind.as_str(),
            self.forge.kind.as_str()
        ))
        .hint(format!(
            "use an action for {}, or correct `type` of its [[integration]]",
            self.forge.kind.as_str()
        )))
    }

    /// Returns the owner.
    ///
    /// # Errors
    /// When there is none.
    pub fn owner(&self) -> Result<&str, ActionError> {
        self.owner.as_deref().ok_or_else(|| {
            ActionError::new(format!(
                "No owner provided for host: {}, and repo {}",
                self.forge.host, self.repo
            ))
        })
    }

    /// Returns `owner/repo` or what stands for it, below the host.
    pub fn path(&self) -> String {
        let parts = match self.forge.kind {
            HostType::Gitlab if self.owner.is_none() => [self.project.as_deref(), None, Some("")],
            HostType::Github | HostType::Gitlab | HostType::Gitea | HostType::Gerrit => {
                [self.owner.as_deref(), None, Some(&*self.repo)]
            }
            HostType::BitbucketCloud => [self.workspace.as_deref(), None, Some(&*self.repo)],
            HostType::BitbucketServer => [self.project.as_deref(), None, Some(&*self.repo)],
            HostType::Azure => [self.organization.as_deref(), self.project.as_deref(), Some(&*self.repo)],
        };
        let named: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        named.join("/")
    }

    /// Returns host and path, as people know it: `github.com/acme/checkout`.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.forge.host, self.path())
    }
}

/// Returns a text as one part of a path: `a/b` becomes `a%2Fb`.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // a part of dots alone would name another folder
    if out == "." || out == ".." { out.replace('.', "%2E") } else { out }
}

/// Returns a text as a path whose `/` stay.
pub fn segments(text: &str) -> String {
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::integration::{IntegrationConfig, PushOver};

    fn integrations() -> Integrations {
        let own = |host: &str, kind| IntegrationConfig {
            host: host.to_owned(),
            kind,
            api: None,
            url: None,
            token: None,
            username: None,
            push: PushOver::Https,
            ca_file: None,
        };
        let configured =
            [own("git.acme.io:8443", HostType::Gitea), own("bb.acme.io", HostType::BitbucketServer)];
        Integrations::assemble(&configured, &[], &|_| None)
    }

    #[test]
    fn parts_follow_the_type() {
        let cases: &[(&str, Result<&str, &str>)] = &[
            ("github.com?owner=acme&repo=shop", Ok("github.com/acme/shop")),
            ("github.com?repo=%2Fshop%2F&owner=acme", Ok("github.com/acme/shop")),
            ("github.com?repo=shop", Err("missing owner")),
            ("github.com?owner=acme", Err("missing repo")),
            ("gitlab.com?owner=acme%2Fpay&repo=shop", Ok("gitlab.com/acme/pay/shop")),
            ("gitlab.com?project=42", Ok("gitlab.com/42")),
            ("git.acme.io:8443?repo=shop&owner=acme", Ok("git.acme.io:8443/acme/shop")),
            ("bitbucket.org?workspace=w&project=P&repo=r", Ok("bitbucket.org/w/r")),
            ("bitbucket.org?workspace=w&repo=r", Err("missing project")),
            ("bb.acme.io?project=P&repo=r", Ok("bb.acme.io/P/r")),
            ("dev.azure.com?organization=o&project=p%20q&repo=r", Ok("dev.azure.com/o/p q/r")),
            ("other.io?owner=a&repo=b", Err("No matching integration configuration for host other.io")),
            ("github.com?owner=..&repo=x", Err("is no name")),
            ("", Err("Invalid repo URL")),
            ("git hub?repo=x", Err("Invalid repo URL")),
        ];
        let all = integrations();
        for (text, expected) in cases {
            match (RepoUrl::parse(text, &all), expected) {
                (Ok(found), Ok(shown)) => assert_eq!(found.shown(), *shown, "{text}"),
                (Err(error), Err(part)) => assert!(error.message.contains(part), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        let github = RepoUrl::parse("github.com?owner=a&repo=b", &all).unwrap();
        let error = github.on(HostType::Gitlab, "publish:gitlab").unwrap_err();
        assert!(error.message.contains("hosts of type gitlab") && error.message.contains("type github"));
    }

    #[test]
    fn names_are_one_part_of_a_path() {
        for (plain, escaped) in
            [("a/b", "a%2Fb"), ("ä", "%C3%A4"), ("..", "%2E%2E"), ("a.b-c_d~e", "a.b-c_d~e")]
        {
            assert_eq!(segment(plain), escaped);
        }
    }
}
