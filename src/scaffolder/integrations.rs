//! The forges that templates may publish to: their type, addresses and credentials.
//!
//! Start at [`Integrations::new`] and [`Integrations::find`]. Put together from `[[integration]]` tables, the
//! forges among the catalog's sources, and the public ones, whose tokens come from the variables that are usual
//! for them. A token is read only when something is sent, never for a form or a review.

use super::action::ActionError;
use crate::config::Config;
use crate::config::integration::{HostType, IntegrationConfig, PushOver};
use crate::config::secret::{Secret, SecretSource};
use crate::config::source::SourceConfig;
use crate::model::text::nearest;
use crate::net::Auth;
use std::path::PathBuf;
use url::Url;

/// One public forge and the variables that usually hold a token for it, first found wins.
struct Public {
    host: &'static str,
    kind: HostType,
    variables: &'static [&'static str],
    /// Variable with the name that goes with the token.
    user: Option<&'static str>,
}

const PUBLIC: &[Public] = &[
    Public {
        host: "github.com",
        kind: HostType::Github,
        variables: &["GITHUB_TOKEN", "GH_TOKEN"],
        user: None,
    },
    Public {
        host: "gitlab.com",
        kind: HostType::Gitlab,
        variables: &["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"],
        user: None,
    },
    Public {
        host: "bitbucket.org",
        kind: HostType::BitbucketCloud,
        variables: &["BITBUCKET_TOKEN", "BITBUCKET_APP_PASSWORD"],
        user: Some("BITBUCKET_USERNAME"),
    },
    Public {
        host: "dev.azure.com",
        kind: HostType::Azure,
        variables: &["AZURE_DEVOPS_EXT_PAT", "AZURE_TOKEN"],
        user: None,
    },
    Public { host: "codeberg.org", kind: HostType::Gitea, variables: &["CODEBERG_TOKEN"], user: None },
    Public { host: "gitea.com", kind: HostType::Gitea, variables: &["GITEA_TOKEN"], user: None },
];

/// A forge.
#[derive(Debug, Clone)]
pub struct Integration {
    /// Host with its port, as in a `repoUrl`.
    pub host: String,
    /// What runs there.
    pub kind: HostType,
    /// Where its API starts, with a slash at the end.
    pub api: Url,
    /// Where its pages start, with a slash at the end.
    pub web: Url,
    /// Where its token comes from.
    pub token: Option<SecretSource>,
    /// Name that goes with the token.
    pub username: Option<String>,
    /// How commits are pushed.
    pub push: PushOver,
    /// File with further certificates.
    pub ca_file: Option<PathBuf>,
}

/// A Backstage backend among the catalog's sources.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Name of its source.
    pub name: String,
    /// Its address, with a slash at the end.
    pub url: Url,
    /// Where its token comes from.
    pub token: Option<SecretSource>,
    /// Whether one signs in as a guest.
    pub guest: bool,
    /// File with further certificates.
    pub ca_file: Option<PathBuf>,
}

/// All forges and backends that a run may talk to.
#[derive(Debug, Clone, Default)]
pub struct Integrations {
    forges: Vec<Integration>,
    backends: Vec<Backend>,
    /// What could not be used, for people.
    pub problems: Vec<String>,
}

/// Who asks, once the token was read.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What requests carry.
    pub auth: Auth,
    /// Name and password for `git`.
    pub login: Option<(String, Secret)>,
    /// Whether there is a token at all.
    pub is_present: bool,
}

impl Integrations {
    /// Returns what the configuration, these sources and the environment of this process offer.
    pub fn new(config: &Config, sources: &[SourceConfig]) -> Self {
        Self::assemble(&config.integrations, sources, &|name| std::env::var(name).ok())
    }

    /// Puts them together; `variable` looks into the environment.
    pub fn assemble(
        configured: &[IntegrationConfig],
        sources: &[SourceConfig],
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut all = Self::default();
        for config in configured {
            match Integration::of(config) {
                Ok(forge) => all.add(forge),
                Err(problem) => all.problems.push(problem),
            }
        }
        for source in sources {
            if source.kind == "backstage" {
                all.backends.extend(Backend::of(source));
            } else if let Some(forge) = Integration::of_source(source) {
                all.add(forge);
            }
        }
        for public in PUBLIC {
            let set = |name: &&&str| variable(name).is_some_and(|text| !text.trim().is_empty());
            let token = public.variables.iter().find(set).map(|name| SecretSource::Env((*name).to_owned()));
            let username = public.user.and_then(variable).filter(|name| !name.trim().is_empty());
            let config = IntegrationConfig {
                host: public.host.to_owned(),
                kind: public.kind,
                api: None,
                url: None,
                username: username.filter(|_| token.is_some()),
                token,
                push: PushOver::default(),
                ca_file: None,
            };
            all.extend_with(Integration::of(&config).ok());
        }
        all
    }

    fn extend_with(&mut self, forge: Option<Integration>) {
        if let Some(forge) = forge {
            self.add(forge);
        }
    }

    /// Adds a forge; of two for one host the first stays and takes a token from the second if it has none.
    fn add(&mut self, forge: Integration) {
        match self.forges.iter_mut().find(|known| known.host.eq_ignore_ascii_case(&forge.host)) {
            Some(known) if known.token.is_none() && known.kind == forge.kind => {
                known.token = forge.token;
                known.username = known.username.take().or(forge.username);
                known.ca_file = known.ca_file.take().or(forge.ca_file);
            }
            Some(_) => {}
            None => self.forges.push(forge),
        }
    }

    /// Returns the hosts with their types, those of the configuration first.
    pub fn hosts(&self) -> Vec<(String, HostType)> {
        self.forges.iter().map(|forge| (forge.host.clone(), forge.kind)).collect()
    }

    /// Finds the forge of a host.
    ///
    /// # Errors
    /// When there is none: the words of the original, and what to write.
    pub fn find(&self, host: &str) -> Result<&Integration, ActionError> {
        let found = self.forges.iter().find(|forge| forge.host.eq_ignore_ascii_case(host));
        found.ok_or_else(|| {
            let near = nearest(host, self.forges.iter().map(|forge| forge.host.as_str()));
            let meant = near.first().map(|near| format!("did you mean `{near}`? otherwise ")).unwrap_or_default();
            ActionError::new(format!(
                "No matching integration configuration for host {host}, please check your integrations config"
            ))
            .hint(format!(
                "{meant}add a table to config.toml: [[integration]] host = \"{host}\", type = \"gitlab\" (or github, \
                 gitea, bitbucketCloud, bitbucketServer, azure), token = {{ env = \"…\" }}"
            ))
        })
    }

    /// Returns the Backstage backend that `http:backstage:request` talks to: the first one.
    pub fn backend(&self) -> Option<&Backend> {
        self.backends.first()
    }
}

impl Integration {
    fn of(config: &IntegrationConfig) -> Result<Self, String> {
        let host = config.host.trim().trim_end_matches('/').to_lowercase();
        let bad = |what: &str| format!("the integration of `{host}` is left out: {what}");
        let web = base(config.url.as_deref().unwrap_or(&format!("https://{host}")))
            .ok_or_else(|| bad("`host` or `url` is no address"))?;
        if web.host_str().is_none_or(str::is_empty) || host.contains(['/', '@', '?', '#']) {
            return Err(bad("`host` is a name with a port at most, such as `git.example.com`"));
        }
        let api = match &config.api {
            Some(api) => base(api).ok_or_else(|| bad("`api` is no http address"))?,
            None => api_of(config.kind, &host, &web).ok_or_else(|| bad("its `api` is not known"))?,
        };
        Ok(Self {
            host,
            kind: config.kind,
            api,
            web,
            token: config.token.clone(),
            username: config.username.clone(),
            push: config.push,
            ca_file: config.ca_file.clone(),
        })
    }

    fn of_source(source: &SourceConfig) -> Option<Self> {
        let (kind, home) = match source.kind.as_str() {
            "github" => (HostType::Github, "https://github.com"),
            "gitlab" => (HostType::Gitlab, "https://gitlab.com"),
            "gitea" => (HostType::Gitea, ""),
            "azure" => (HostType::Azure, "https://dev.azure.com"),
            "bitbucket" => (HostType::BitbucketCloud, "https://bitbucket.org"),
            _ => return None,
        };
        let mut web = base(source.url.as_deref().unwrap_or(home))?;
        let name = web.host_str()?.to_lowercase();
        let is_cloud = matches!(name.as_str(), "bitbucket.org" | "api.bitbucket.org");
        let kind =
            if kind == HostType::BitbucketCloud && !is_cloud { HostType::BitbucketServer } else { kind };
        match kind {
            // the address may name an organisation
            HostType::Github | HostType::Azure => web.set_path("/"),
            HostType::BitbucketCloud => web = base(home)?,
            _ => {}
        }
        let host = web.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let host = if is_cloud { "bitbucket.org".to_owned() } else { host };
        Self::of(&IntegrationConfig {
            host,
            kind,
            api: None,
            url: Some(web.into()),
            token: source.token.clone(),
            username: source.username.clone(),
            push: PushOver::default(),
            ca_file: source.ca_file.clone(),
        })
        .ok()
    }

    /// Returns who asks, for people; reads no token.
    pub fn identity(&self, given: Option<&str>) -> String {
        let host = &self.host;
        if given.is_some_and(|token| !token.is_empty()) {
            return format!("token that the template gives for {host}");
        }
        match &self.token {
            Some(SecretSource::Env(name)) => format!("token of {host} (environment {name})"),
            Some(SecretSource::File(path)) => format!("token of {host} (file {})", path.display()),
            Some(SecretSource::Command(words)) => {
                format!("token of {host} (command {})", words.first().map_or("", String::as_str))
            }
            Some(SecretSource::Keyring(entry)) => format!("token of {host} (keyring {entry})"),
            None => format!("nobody: there is no token of {host}"),
        }
    }

    /// Reads the token, or takes the one that the template gives. May block while a command runs.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn credential(&self, given: Option<&str>) -> Result<Credential, ActionError> {
        let token = match (given.map(str::trim).filter(|token| !token.is_empty()), &self.token) {
            (Some(token), _) => Secret::new(token),
            (None, Some(source)) => source.read().map_err(|error| {
                ActionError::new(format!("there is no token of `{}`: {error}", self.host))
                    .hint("check `token` of its [[integration]]")
            })?,
            (None, None) => {
                return Err(ActionError::new(format!("No token available for host {}", self.host))
                    .hint(self.token_hint()));
            }
        };
        Ok(self.credential_of(token))
    }

    /// Returns what to set so that there is a token.
    pub fn token_hint(&self) -> String {
        let public = PUBLIC.iter().find(|public| public.host == self.host);
        let variable = public.and_then(|public| public.variables.first());
        match variable {
            Some(name) => format!("set {name}, or `token` of an [[integration]] for `{}`", self.host),
            None => format!("set `token` of the [[integration]] for `{}` in config.toml", self.host),
        }
    }

    fn credential_of(&self, token: Secret) -> Credential {
        let user = self.username.clone();
        let (auth, name) = match (self.kind, user) {
            (HostType::Github, _) => (Auth::Bearer(token.clone()), "x-access-token".to_owned()),
            (HostType::Gitlab, _) => (Auth::Bearer(token.clone()), "oauth2".to_owned()),
            (HostType::Azure, _) => (Auth::Basic(String::new(), token.clone()), "pat".to_owned()),
            (HostType::Gitea, None) => (Auth::Token(token.clone()), "x-access-token".to_owned()),
            (HostType::BitbucketCloud, Some(user)) => {
                // an address in place of a name: the token is one of the API, for which git has a fixed name
                let name =
                    if user.contains('@') { "x-bitbucket-api-token-auth".to_owned() } else { user.clone() };
                (Auth::Basic(user, token.clone()), name)
            }
            (HostType::BitbucketCloud | HostType::BitbucketServer, None) => {
                (Auth::Bearer(token.clone()), "x-token-auth".to_owned())
            }
            (_, Some(user)) => (Auth::Basic(user.clone(), token.clone()), user),
            (HostType::Gerrit, None) => (Auth::Bearer(token.clone()), "x-access-token".to_owned()),
        };
        Credential { auth, login: Some((name, token)), is_present: true }
    }

    /// Returns whether an address of a repository is one of this forge, so that its token may go there.
    pub fn owns(&self, address: &Url) -> bool {
        let port = |url: &Url| url.port_or_known_default();
        address.host_str() == self.web.host_str()
            && port(address) == port(&self.web)
            && address.scheme() == self.web.scheme()
    }
}

impl Backend {
    fn of(source: &SourceConfig) -> Option<Self> {
        Some(Self {
            name: source.name.clone(),
            url: base(source.url.as_deref()?)?,
            token: source.token.clone(),
            guest: source.guest,
            ca_file: source.ca_file.clone(),
        })
    }
}

/// Reads an address, without credentials and with a slash at its end.
fn base(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
    Some(url)
}

/// Returns where the API of a host usually is.
fn api_of(kind: HostType, host: &str, web: &Url) -> Option<Url> {
    match (kind, host) {
        (HostType::Github, "github.com") => Url::parse("https://api.github.com/").ok(),
        (HostType::Github, tenant) if tenant.ends_with(".ghe.com") => {
            Url::parse(&format!("https://api.{tenant}/")).ok()
        }
        (HostType::Github, _) => web.join("api/v3/").ok(),
        (HostType::Gitlab, _) => web.join("api/v4/").ok(),
        (HostType::Gitea, _) => web.join("api/v1/").ok(),
        (HostType::BitbucketCloud, _) => Url::parse("https://api.bitbucket.org/2.0/").ok(),
        (HostType::BitbucketServer, _) => web.join("rest/api/1.0/").ok(),
        (HostType::Azure, _) => Some(web.clone()),
        (HostType::Gerrit, _) => web.join("a/").ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(host: &str, kind: HostType) -> IntegrationConfig {
        IntegrationConfig {
            host: host.into(),
            kind,
            api: None,
            url: None,
            token: None,
            username: None,
            push: PushOver::Https,
            ca_file: None,
        }
    }

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn public_forges_are_there_and_take_the_usual_variables() {
        let all = Integrations::assemble(&[], &[], &|name| (name == "GH_TOKEN").then(|| "x".to_owned()));
        let github = all.find("GitHub.com").unwrap();
        assert_eq!(github.api.as_str(), "https://api.github.com/");
        assert_eq!(github.identity(None), "token of github.com (environment GH_TOKEN)");
        assert_eq!(github.identity(Some("t")), "token that the template gives for github.com");
        let gitlab = all.find("gitlab.com").unwrap();
        assert_eq!(gitlab.identity(None), "nobody: there is no token of gitlab.com");
        let error = gitlab.credential(None).unwrap_err();
        assert_eq!(error.message, "No token available for host gitlab.com");
        assert!(error.hint.contains("GITLAB_TOKEN"), "{}", error.hint);
    }

    #[test]
    fn an_unknown_host_gets_the_words_of_the_original_and_a_way_out() {
        let error = Integrations::assemble(&[], &[], &none).find("git.acme.io").unwrap_err();
        assert_eq!(
            error.message,
            "No matching integration configuration for host git.acme.io, please check your integrations config"
        );
        assert!(error.hint.contains("[[integration]] host = \"git.acme.io\""), "{}", error.hint);
        let error = Integrations::assemble(&[], &[], &none).find("githb.com").unwrap_err();
        assert!(error.hint.contains("did you mean `github.com`"), "{}", error.hint);
    }

    #[test]
    fn addresses_follow_the_type() {
        let cases = [
            (HostType::Github, "https://git.acme.io/api/v3/"),
            (HostType::Gitlab, "https://git.acme.io/api/v4/"),
            (HostType::Gitea, "https://git.acme.io/api/v1/"),
            (HostType::BitbucketServer, "https://git.acme.io/rest/api/1.0/"),
            (HostType::Azure, "https://git.acme.io/"),
        ];
        for (kind, api) in cases {
            let all = Integrations::assemble(&[config("git.acme.io", kind)], &[], &none);
            assert_eq!(all.find("git.acme.io").unwrap().api.as_str(), api, "{kind:?}");
        }
    }

    #[test]
    fn a_configured_forge_wins_and_borrows_a_token() {
        let mut source = SourceConfig::new("github", "company");
        source.url = Some("https://github.com/acme".into());
        source.token = Some(SecretSource::File("/t".into()));
        let mut github = config("github.com", HostType::Github);
        github.push = PushOver::Ssh;
        let all = Integrations::assemble(&[github], &[source], &|_| Some("x".to_owned()));
        let found = all.find("github.com").unwrap();
        assert_eq!(
            (found.push, found.identity(None).as_str()),
            (PushOver::Ssh, "token of github.com (file /t)")
        );
        assert_eq!(all.hosts().iter().filter(|(host, _)| host == "github.com").count(), 1);
    }

    #[test]
    fn sources_bring_their_forges() {
        let source = |kind: &str, url: &str| {
            let mut source = SourceConfig::new(kind, "s");
            source.url = Some(url.to_owned());
            source
        };
        let sources = [
            source("gitea", "http://127.0.0.1:3000/git"),
            source("bitbucket", "https://bitbucket.org/acme"),
            source("bitbucket", "https://bb.acme.io"),
            source("backstage", "https://portal.acme.io"),
            source("dir", "/x"),
        ];
        let all = Integrations::assemble(&[], &sources, &none);
        let api = |host: &str| all.find(host).unwrap().api.to_string();
        assert_eq!(api("127.0.0.1:3000"), "http://127.0.0.1:3000/git/api/v1/");
        assert_eq!(api("bitbucket.org"), "https://api.bitbucket.org/2.0/");
        assert_eq!(all.find("bb.acme.io").unwrap().kind, HostType::BitbucketServer);
        assert_eq!(all.backend().unwrap().url.as_str(), "https://portal.acme.io/");
    }

    #[test]
    fn a_token_goes_to_its_forge_alone() {
        let all = Integrations::assemble(&[], &[], &none);
        let github = all.find("github.com").unwrap();
        for (url, expected) in [
            ("https://github.com/a/b.git", true),
            ("http://github.com/a/b.git", false),
            ("https://github.com:8443/a/b.git", false),
            ("https://github.com.evil.io/a/b.git", false),
        ] {
            assert_eq!(github.owns(&Url::parse(url).unwrap()), expected, "{url}");
        }
        let mut bad = config("a/b", HostType::Gitlab);
        assert_eq!(Integrations::assemble(&[bad.clone()], &[], &none).problems.len(), 1);
        bad.host = "git.acme.io".into();
        bad.api = Some("ftp://x".into());
        assert_eq!(Integrations::assemble(&[bad], &[], &none).problems.len(), 1);
    }
}
