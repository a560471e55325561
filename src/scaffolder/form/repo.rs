//! `repoUrl`: where a repository is, as templates write it, `github.com?owner=acme&repo=shop`.
//!
//! Which parts there are depends on what runs on the host. Start at [`RepoUrl::parse`].

use super::field::{Facts, Host, HostKind};
use super::ui::Ui;

/// A part of a repository's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartKind {
    /// Its name in the text.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// It has to be given.
    pub is_required: bool,
    /// The option that lists what is allowed.
    pub allowed: &'static str,
}

const OWNER: PartKind =
    PartKind { name: "owner", title: "Owner", is_required: true, allowed: "allowedOwners" };
const GROUP: PartKind = PartKind { title: "Group", ..OWNER };
const REPO: PartKind =
    PartKind { name: "repo", title: "Repository", is_required: true, allowed: "allowedRepos" };
const ORGANIZATION: PartKind = PartKind {
    name: "organization",
    title: "Organization",
    is_required: true,
    allowed: "allowedOrganizations",
};
const WORKSPACE: PartKind =
    PartKind { name: "workspace", title: "Workspace", is_required: true, allowed: "allowedOwners" };
const PROJECT: PartKind =
    PartKind { name: "project", title: "Project", is_required: true, allowed: "allowedProjects" };

impl HostKind {
    /// Returns the parts of a repository's place, in the order they are asked for.
    pub fn parts(self) -> &'static [PartKind] {
        const OPTIONAL_OWNER: PartKind = PartKind { is_required: false, ..OWNER };
        match self {
            Self::GitHub | Self::Gitea => &[OWNER, REPO],
            Self::GitLab => &[GROUP, REPO],
            Self::Gerrit => &[OPTIONAL_OWNER, REPO],
            Self::BitbucketCloud => &[WORKSPACE, PROJECT, REPO],
            Self::BitbucketServer => &[PROJECT, REPO],
            Self::Azure => &[ORGANIZATION, PROJECT, REPO],
        }
    }

    /// Reads the word that integrations are listed under; `bitbucketCloud`.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "gitea" | "forgejo" => Self::Gitea,
            "gerrit" => Self::Gerrit,
            "bitbucketCloud" | "bitbucket" => Self::BitbucketCloud,
            "bitbucketServer" => Self::BitbucketServer,
            "azure" => Self::Azure,
            _ => return None,
        })
    }

    /// Guesses from the name of a host that nobody configured.
    fn guessed(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let has = |word: &str| host.contains(word);
        match host.as_str() {
            "bitbucket.org" => Self::BitbucketCloud,
            "dev.azure.com" => Self::Azure,
            "codeberg.org" => Self::Gitea,
            _ if has("gitlab") => Self::GitLab,
            _ if has("gitea") || has("forgejo") => Self::Gitea,
            _ if has("gerrit") => Self::Gerrit,
            _ if has("bitbucket") => Self::BitbucketServer,
            _ if has("azure") || has("visualstudio") => Self::Azure,
            _ => Self::GitHub,
        }
    }
}

/// A repository's place in parts; what is not given is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepoUrl {
    /// `github.com`.
    pub host: String,
    /// Parts by name in the order of the text.
    pub parts: Vec<(String, String)>,
}

impl RepoUrl {
    /// Reads `host?owner=…&repo=…`, and what people paste: `https://host/owner/repo`, `git@host:owner/repo.git`.
    pub fn parse(text: &str, facts: &Facts) -> Self {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((_, rest)) => (true, rest),
            None => (false, text),
        };
        if let Some((host, query)) = rest.split_once('?') {
            let trimmed = |text: &str| text.trim_matches('/').to_owned();
            let parts = url::form_urlencoded::parse(query.as_bytes())
                .map(|(key, value)| (key.into_owned(), trimmed(&value)));
            return Self { host: trimmed(host), parts: parts.collect() };
        }
        let pasted = if scheme {
            rest.split_once('/')
        } else {
            rest.split_once('@').and_then(|(_, rest)| rest.split_once(':'))
        };
        match pasted {
            Some((host, path)) => Self::of_path(host, path, facts),
            None => Self { host: rest.trim_matches('/').to_owned(), parts: Vec::new() },
        }
    }

    fn of_path(host: &str, path: &str, facts: &Facts) -> Self {
        let host = host.rsplit('@').next().unwrap_or(host);
        let mut url = Self { host: host.to_owned(), parts: Vec::new() };
        let steps: Vec<&str> = path
            .trim_end_matches(".git")
            .split('/')
            .filter(|step| !step.is_empty() && *step != "_git")
            .collect();
        let Some((repo, before)) = steps.split_last() else { return url };
        match (kind_of(host, facts), before) {
            // groups within groups are one owner
            (HostKind::GitLab, groups) => url.set("owner", &groups.join("/")),
            (HostKind::Azure, [organization, project, ..]) => {
                url.set("organization", organization);
                url.set("project", project);
            }
            (HostKind::BitbucketCloud, [workspace, ..]) => url.set("workspace", workspace),
            (HostKind::BitbucketServer, [.., project]) => url.set("project", project),
            (_, [owner, ..]) => url.set("owner", owner),
            (_, []) => {}
        }
        url.set("repo", repo);
        url
    }

    /// Returns a part; empty when it is not given.
    pub fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|(part, _)| part == name).map_or("", |(_, value)| value)
    }

    /// Sets a part; an empty one goes.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = value.trim().trim_matches('/');
        match self.parts.iter_mut().find(|(part, _)| part == name) {
            Some((_, slot)) => *slot = value.to_owned(),
            None => self.parts.push((name.to_owned(), value.to_owned())),
        }
        self.parts.retain(|(_, value)| !value.is_empty());
    }

    /// Writes it as templates have it; empty when nothing is known.
    pub fn text(&self, kind: HostKind) -> String {
        if self.host.is_empty() && self.parts.is_empty() {
            return String::new();
        }
        let order = |name: &str| kind.parts().iter().position(|part| part.name == name).unwrap_or(usize::MAX);
        let mut parts: Vec<&(String, String)> = self.parts.iter().collect();
        parts.sort_by_key(|(name, _)| order(name));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish();
        format!("{}?{query}", self.host)
    }
}

/// Returns what runs on a host.
pub fn kind_of(host: &str, facts: &Facts) -> HostKind {
    let known = facts.hosts.iter().find(|known| known.host.eq_ignore_ascii_case(host));
    known.map_or_else(|| HostKind::guessed(host), |known| known.kind)
}

/// Returns the hosts that can be chosen: those the template allows, else those that are configured.
pub fn hosts(ui: &Ui, facts: &Facts) -> Vec<Host> {
    let allowed = ui.texts("allowedHosts");
    if allowed.is_empty() {
        return facts.hosts.clone();
    }
    allowed.into_iter().map(|host| Host { kind: kind_of(&host, facts), host }).collect()
}

/// Says what is wrong with a repository's place: a part by its name, and the words.
pub fn fault(url: &RepoUrl, ui: &Ui, facts: &Facts) -> Option<(&'static str, String)> {
    if url.host.is_empty() {
        return Some(("host", "needs a host".to_owned()));
    }
    let hosts = hosts(ui, facts);
    if !hosts.iter().any(|known| known.host.eq_ignore_ascii_case(&url.host)) {
        let names: Vec<String> = hosts.into_iter().map(|host| host.host).collect();
        return Some((
            "host",
            match names.as_slice() {
                [] => format!("no integration is configured for `{}`", url.host),
                names => format!("`{}` is not one of the hosts: {}", url.host, names.join(", ")),
            },
        ));
    }
    let kind = kind_of(&url.host, facts);
    for part in kind.parts() {
        let value = url.part(part.name);
        // GitLab knows a project by its number alone
        let is_known = kind == HostKind::GitLab && !url.part("project").is_empty();
        if value.is_empty() && part.is_required && !is_known {
            return Some((part.name, format!("needs {} {}", article(part.title), part.title.to_lowercase())));
        }
        let allowed = allowed(part, ui);
        if !value.is_empty()
            && !allowed.is_empty()
            && !allowed.iter().any(|known| known.eq_ignore_ascii_case(value))
        {
            return Some((part.name, format!("`{value}` is not one of {}", allowed.join(", "))));
        }
    }
    None
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

/// Returns what a part may be; empty when anything.
pub fn allowed(part: &PartKind, ui: &Ui) -> Vec<String> {
    ui.texts(part.allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffolder::form::json::{Json, json};

    fn facts() -> Facts {
        let host = |host: &str, kind| Host { host: host.to_owned(), kind };
        Facts {
            hosts: vec![
                host("github.com", HostKind::GitHub),
                host("git.acme.io", HostKind::GitLab),
                host("dev.azure.com", HostKind::Azure),
            ],
            ..Facts::default()
        }
    }

    #[test]
    fn every_way_of_writing_comes_out_the_same() {
        let cases = [
            ("github.com?owner=acme&repo=shop", "github.com?owner=acme&repo=shop"),
            ("github.com?repo=shop&owner=acme", "github.com?owner=acme&repo=shop"),
            ("https://github.com/acme/shop", "github.com?owner=acme&repo=shop"),
            ("https://github.com/acme/shop.git", "github.com?owner=acme&repo=shop"),
            ("git@github.com:acme/shop.git", "github.com?owner=acme&repo=shop"),
            ("https://git.acme.io/a/b/shop", "git.acme.io?owner=a%2Fb&repo=shop"),
            (
                "https://dev.azure.com/acme/web/_git/shop",
                "dev.azure.com?organization=acme&project=web&repo=shop",
            ),
            ("https://bitbucket.org/acme/shop", "bitbucket.org?workspace=acme&repo=shop"),
            ("github.com?owner=/a/&repo=b%20c", "github.com?owner=a&repo=b+c"),
            ("github.com", "github.com?"),
            ("", ""),
        ];
        for (text, expected) in cases {
            let url = RepoUrl::parse(text, &facts());
            assert_eq!(url.text(kind_of(&url.host, &facts())), expected, "{text}");
        }
    }

    #[test]
    fn faults_name_the_part() {
        let ui = |options: &str| Ui::of(None, &Json::from_iter_options(options));
        let cases = [
            ("", "{}", Some(("host", "needs a host"))),
            (
                "gitlab.com?owner=a&repo=b",
                "{}",
                Some((
                    "host",
                    "`gitlab.com` is not one of the hosts: github.com, git.acme.io, dev.azure.com",
                )),
            ),
            ("github.com?repo=b", "{}", Some(("owner", "needs an owner"))),
            ("git.acme.io?project=12", "{}", None),
            ("dev.azure.com?organization=a&repo=b", "{}", Some(("project", "needs a project"))),
            (
                "github.com?owner=x&repo=b",
                "{allowedOwners: [acme, shop]}",
                Some(("owner", "`x` is not one of acme, shop")),
            ),
            ("gitlab.com?owner=x&repo=b", "{allowedHosts: [gitlab.com]}", None),
        ];
        for (text, options, expected) in cases {
            let fault = fault(&RepoUrl::parse(text, &facts()), &ui(options), &facts());
            assert_eq!(fault.as_ref().map(|(part, words)| (*part, words.as_str())), expected, "{text}");
        }
    }

    impl Json {
        fn from_iter_options(options: &str) -> Self {
            let mut schema = Self::object();
            schema.set("/ui:options", json(options));
            schema
        }
    }
}
