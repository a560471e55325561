//! An app-config of Backstage as sources of this program: what is the same, and what cannot be.
//!
//! Start at [`convert`]. It only reads values; secrets stay where they are and are named by their place.

use super::tables::{Left, Table, duration, glob_to_regex, quoted, slug};
use super::tree::{Plain, Secret, Value};
use std::path::{Path, PathBuf};

/// What an app-config turns into.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub tables: Vec<Table>,
    /// What cannot be carried over.
    pub left: Vec<Left>,
}

/// Converts an app-config; `folder` is where its relative paths start.
pub(super) fn convert(config: &Value, folder: &Path) -> Plan {
    let mut converter =
        Converter { config, folder, plan: Plan::default(), allow: Vec::new(), tokens: Vec::new() };
    converter.integrations();
    converter.rules();
    converter.locations();
    converter.providers();
    converter.settings();
    converter.backend();
    converter.plan
}

struct Converter<'c> {
    config: &'c Value,
    folder: &'c Path,
    plan: Plan,
    /// Items of `allow`, as TOML.
    allow: Vec<String>,
    /// Host, user name and secret of each integration.
    tokens: Vec<Integration>,
}

struct Integration {
    host: String,
    username: Option<String>,
    secret: Secret,
    place: String,
}

/// Integrations: key, host when none is written, keys that may hold the secret, key of the user name.
const INTEGRATIONS: &[(&str, &str, &[&str], &str)] = &[
    ("github", "github.com", &["token"], ""),
    ("gitlab", "gitlab.com", &["token"], ""),
    ("gitea", "", &["password"], "username"),
    ("bitbucketCloud", "bitbucket.org", &["token", "appPassword"], "username"),
    ("bitbucketServer", "", &["token"], "username"),
    ("azure", "dev.azure.com", &["token"], ""),
    ("gerrit", "", &["password"], "username"),
];

impl Converter<'_> {
    fn left(&mut self, value: &Value, what: impl Into<String>, why: impl Into<String>) {
        self.plan.left.push(Left { place: value.place(), what: what.into(), why: why.into() });
    }

    fn integrations(&mut self) {
        let Some(integrations) = self.config.get("integrations") else { return };
        for (name, value) in integrations.entries() {
            let Some((_, default_host, secrets, user)) = INTEGRATIONS.iter().find(|row| row.0 == name) else {
                self.left(
                    value,
                    format!("integrations.{name}"),
                    "no source here reads from there; the backend may do it",
                );
                continue;
            };
            for item in value.items() {
                let host = item.text_of("host").unwrap_or_else(|| (*default_host).to_owned());
                if item.get("apps").is_some() {
                    self.left(
                        item,
                        format!("integrations.{name}: the app of {host}"),
                        "apps sign in for a server; give the source a token of your own, for example `token = { command = [\"gh\", \"auth\", \"token\"] }`",
                    );
                }
                let credential = item.get("credentials").map_or(&[][..], Value::items).first();
                let named = secrets
                    .iter()
                    .find_map(|key| item.get(key))
                    .or_else(|| credential?.get("personalAccessToken"));
                if let Some((secret, value)) = named.and_then(|value| Some((value.secret()?, value))) {
                    let username = item.text_of(user).filter(|_| !user.is_empty());
                    self.tokens.push(Integration { host, username, secret, place: value.place() });
                }
            }
        }
    }

    /// Adds the token for a host to a source, without ever writing one.
    fn token(&self, table: &mut Table, host: &str) {
        let Some(found) = self.tokens.iter().find(|item| item.host.eq_ignore_ascii_case(host)) else {
            return;
        };
        if let Some(username) = &found.username {
            table.set("username", quoted(username));
        }
        match &found.secret {
            Secret::Env(name) => table.set("token", format!("{{ env = {} }}", quoted(name))),
            Secret::File(path) => {
                let path = self.folder_of_file(path);
                table.set("token", format!("{{ file = {} }}", quoted(&path.display().to_string())));
            }
            Secret::Written => {
                table.note(format!(
                    "the token for {host} is written out at {}: it is not copied. Put it into the environment, a file or",
                    found.place
                ));
                table.note(
                    "the keyring and name that place: token = { env = \"…\" } or { file = \"…\" }".to_owned(),
                );
            }
        }
    }

    fn folder_of_file(&self, path: &Path) -> PathBuf {
        std::path::absolute(path).unwrap_or_else(|_| self.folder.join(path))
    }

    fn rules(&mut self) {
        let Some(rules) = self.config.find("catalog.rules") else { return };
        let mut allow = Vec::new();
        for rule in rules.items() {
            if rule.get("locations").is_some() {
                self.left(
                    rule,
                    "catalog.rules with locations",
                    "a source allows kinds as a whole; add them to `allow` of that source",
                );
                continue;
            }
            allow.extend(allowed(rule));
        }
        self.allow = allow;
    }

    /// Sets which kinds a source may bring, with those it needs or is granted.
    fn allow_of(&self, table: &mut Table, more: &[String]) {
        if self.allow.is_empty() {
            return;
        }
        let mut all = self.allow.clone();
        for item in more {
            if !all.contains(item) {
                all.push(item.clone());
            }
        }
        table.set("allow", format!("[{}]", all.join(", ")));
    }

    fn locations(&mut self) {
        let Some(locations) = self.config.find("catalog.locations") else { return };
        for location in locations.items() {
            let kind = location.text_of("type").unwrap_or_default();
            let Some(target) = location.text_of("target") else {
                self.left(
                    location,
                    format!("catalog.locations: `{kind}`"),
                    "its target is missing, or names a variable that is not set now",
                );
                continue;
            };
            let more: Vec<String> =
                location.get("rules").map_or(&[][..], Value::items).iter().flat_map(allowed).collect();
            let table = match kind.as_str() {
                "file" => Some(self.file(location, &target)),
                "url" => self.url(location, &target),
                "github-discovery" | "github-org" => self.old_github(location, &kind, &target),
                "gitlab-discovery" => self.old_gitlab(location, &target),
                "bootstrap" => None,
                _ => {
                    self.left(
                        location,
                        format!("catalog.locations: `{kind}:{target}`"),
                        "only a backend reads this type; a `backstage` source brings what it found",
                    );
                    None
                }
            };
            if let Some(mut table) = table {
                let org = if table.has("org") { vec![quoted("Group"), quoted("User")] } else { Vec::new() };
                self.allow_of(&mut table, &[more, org].concat());
                self.plan.tables.push(table);
            }
        }
    }

    /// A path: relative to where the backend is started, which is not where the file is.
    fn file(&mut self, location: &Value, target: &str) -> Table {
        let is_glob = target.contains(['*', '?', '[', '{']);
        let fixed = target
            .split('/')
            .take_while(|part| !part.contains(['*', '?', '[', '{']))
            .collect::<Vec<_>>()
            .join("/");
        let looked_for = if is_glob { &fixed } else { target };
        let backend = self.folder.join("packages/backend");
        let bases = [backend.as_path(), self.folder];
        let found = bases.iter().map(|base| base.join(looked_for)).find(|path| path.exists());
        let start = if backend.is_dir() { backend.as_path() } else { self.folder };
        let path = found.clone().unwrap_or_else(|| without_dots(&start.join(looked_for)));
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        let name = slug(looked_for.trim_start_matches(['.', '/']));
        let mut table = if is_glob {
            let mut table = Table::new("dir", name, location.place());
            let pattern = target.strip_prefix(&fixed).unwrap_or(target).trim_start_matches('/');
            table.set("path", quoted(&path.display().to_string()));
            table.set("include", format!("[{}]", quoted(pattern)));
            table
        } else {
            let kind = if path.is_dir() { "dir" } else { "file" };
            let mut table = Table::new(kind, name, location.place());
            table.set("path", quoted(&path.display().to_string()));
            table
        };
        if found.is_none() {
            table.note(format!("`{target}` is not there; it is relative to where the backend is started"));
        }
        table
    }

    fn url(&mut self, location: &Value, target: &str) -> Option<Table> {
        let Ok(url) = url::Url::parse(target) else {
            self.left(location, format!("catalog.locations: `{target}`"), "it is no address");
            return None;
        };
        let host = host_of(&url);
        let parts: Vec<String> =
            url.path_segments().map(|p| p.map(str::to_owned).collect()).unwrap_or_default();
        let is_glob = target.contains(['*', '{']) || target.contains("%7B");
        let mut table = if is_glob {
            let marker =
                parts.iter().position(|part| matches!(part.as_str(), "blob" | "tree" | "src" | "raw"));
            let Some((marker, at)) = marker.and_then(|m| Some((m, parts.get(m + 1)?.clone()))) else {
                self.left(location, format!("catalog.locations: `{target}`"), "an address with a pattern is read where it names a branch of a repository (`/blob/BRANCH/`)");
                return None;
            };
            let repository: Vec<&str> =
                parts.iter().take(marker).map(String::as_str).filter(|part| *part != "-").collect();
            let pattern: Vec<&str> = parts.iter().skip(marker + 2).map(String::as_str).collect();
            let mut table = Table::new("git", slug(&repository.join("-")), location.place());
            table.set(
                "url",
                quoted(&format!("{}/{}.git", url.origin().ascii_serialization(), repository.join("/"))),
            );
            if !matches!(at.as_str(), "HEAD" | "-") {
                table.set("at", quoted(&at));
            }
            table.set(
                "include",
                format!("[{}]", quoted(&pattern.join("/").replace("%7B", "{").replace("%7D", "}"))),
            );
            table
        } else {
            let last: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
            let name = last.get(..2).map_or_else(|| host.clone(), |owner| owner.join("-"));
            let mut table = Table::new("http", slug(&name), location.place());
            table.set("url", quoted(crate::config::source::without_credentials(target).as_str()));
            table
        };
        self.token(&mut table, &host);
        Some(table)
    }

    fn old_github(&mut self, location: &Value, kind: &str, target: &str) -> Option<Table> {
        let url = url::Url::parse(target).ok();
        let owner = url
            .as_ref()
            .and_then(|url| url.path_segments()?.next().map(str::to_owned))
            .filter(|o| !o.is_empty());
        let (Some(url), Some(owner)) = (url, owner) else {
            self.left(location, format!("catalog.locations: `{kind}:{target}`"), "it names no organisation");
            return None;
        };
        let mut table = self.forge("github", &host_of(&url), "github.com", &owner, location.place());
        if kind == "github-org" {
            only_org(&mut table);
        }
        Some(table)
    }

    fn old_gitlab(&mut self, location: &Value, target: &str) -> Option<Table> {
        let Ok(url) = url::Url::parse(target) else {
            self.left(
                location,
                format!("catalog.locations: `gitlab-discovery:{target}`"),
                "it is no address",
            );
            return None;
        };
        let path = url.path().trim_matches('/').to_owned();
        let (group, file) = path.split_once("/blob/").unwrap_or((path.as_str(), ""));
        let mut table = self.forge("gitlab", &host_of(&url), "gitlab.com", group, location.place());
        if let Some((branch, file)) = file.split_once('/') {
            if branch != "*" {
                table.set("branch", quoted(branch));
            }
            table.set("catalog_path", quoted(file));
        }
        Some(table)
    }

    /// Starts the source of a forge.
    fn forge(&self, kind: &'static str, host: &str, usual: &str, owner: &str, place: String) -> Table {
        let mut table = Table::new(kind, slug(&format!("{kind}-{owner}")), place);
        if host != usual {
            table.set("url", quoted(&format!("https://{host}")));
        }
        if !owner.is_empty() {
            table.set("organization", quoted(owner));
        }
        self.token(&mut table, host);
        table
    }

    fn providers(&mut self) {
        let Some(providers) = self.config.find("catalog.providers") else { return };
        for (kind, value) in providers.entries() {
            let marks: &[&str] = match kind.as_str() {
                "github" => &["organization", "app"],
                "githubOrg" => &["githubUrl", "orgs", "id"],
                "gitlab" => &["host"],
                "gitea" | "azureDevOps" => &["organization"],
                "bitbucketCloud" => &["workspace"],
                "bitbucketServer" => {
                    self.left(value, "catalog.providers.bitbucketServer", "Bitbucket Server is not searched for repositories; name them as `git` sources, or use a `backstage` source");
                    continue;
                }
                other => {
                    self.left(
                        value,
                        format!("catalog.providers.{other}"),
                        "only a backend reads it; a `backstage` source brings what it found",
                    );
                    continue;
                }
            };
            let is_single =
                marks.iter().any(|mark| value.get(mark).is_some_and(|v| !matches!(v.data, Plain::Map(_))));
            if is_single || matches!(value.data, Plain::List(_)) {
                for item in value.items() {
                    self.provider(kind, None, item);
                }
            } else {
                for (id, item) in value.entries() {
                    self.provider(kind, Some(id), item);
                }
            }
        }
    }

    fn provider(&mut self, kind: &str, id: Option<&str>, value: &Value) {
        let tables = match kind {
            "github" => self.github(value),
            "githubOrg" => self.github_org(value),
            "gitlab" => self.gitlab(value),
            "gitea" => self.gitea(value),
            "bitbucketCloud" => self.bitbucket(value),
            _ => self.azure(value),
        };
        for mut table in tables {
            if let Some(id) = id.filter(|id| *id != "default" && *id != "provider") {
                table.name = slug(id);
            }
            if let Some(schedule) = value.get("schedule").or_else(|| value.get("frequency")) {
                match duration(schedule.get("frequency").unwrap_or(schedule)) {
                    Some(every) => table.set("every", quoted(&every)),
                    None => self.left(
                        schedule,
                        format!("catalog.providers.{kind}: schedule"),
                        "only plain times are taken over; set `every = \"30m\"`",
                    ),
                }
            }
            let org = if table.has("org") { vec![quoted("Group"), quoted("User")] } else { Vec::new() };
            self.allow_of(&mut table, &org);
            self.plan.tables.push(table);
        }
    }

    /// Names what a provider says that a source here has no word for.
    fn unsupported(&mut self, kind: &str, value: &Value, keys: &[(&str, &str)]) {
        for (key, why) in keys {
            if let Some(found) = value.find(key) {
                let found = found.clone();
                self.left(&found, format!("catalog.providers.{kind}: {key}"), *why);
            }
        }
    }

    fn github(&mut self, value: &Value) -> Vec<Table> {
        let Some(owner) = value.text_of("organization") else {
            self.left(
                value,
                "catalog.providers.github",
                "it names no `organization`; an `app` that finds them by itself works in a backend alone",
            );
            return Vec::new();
        };
        let host = value.text_of("host").unwrap_or_else(|| "github.com".to_owned());
        let mut table = self.forge("github", &host, "github.com", &owner, value.place());
        if let Some(path) = value.text_of("catalogPath") {
            table.set("catalog_path", quoted(&path));
        }
        if let Some(filters) = value.get("filters") {
            table.text("branch", filters.text_of("branch"));
            table.repositories("name", filters.text_of("repository").map(|text| quoted(&text)));
            if let Some(topic) = filters.get("topic") {
                table.repositories("topics", list(&topic.texts_of("include")));
                table.repositories("exclude_topics", list(&topic.texts_of("exclude")));
            }
            table.repositories(
                "forks",
                filters.get("allowForks").and_then(Value::bool).map(|b| b.to_string()),
            );
            table.repositories(
                "archived",
                filters.get("allowArchived").and_then(Value::bool).map(|b| b.to_string()),
            );
            table.repositories("visibility", list(&filters.texts_of("visibility")));
        }
        self.unsupported(
            "github",
            value,
            &[("app", "apps sign in for a server; the source uses its `token`")],
        );
        vec![table]
    }

    fn github_org(&mut self, value: &Value) -> Vec<Table> {
        let host = value
            .text_of("githubUrl")
            .and_then(|text| url::Url::parse(&text).ok())
            .map_or_else(|| "github.com".to_owned(), |url| host_of(&url));
        let orgs = value.texts_of("orgs");
        if orgs.is_empty() {
            self.left(
                value,
                "catalog.providers.githubOrg",
                "it names no `orgs`: an app that sees all of them works in a backend alone",
            );
        }
        let mut tables = Vec::new();
        for org in orgs {
            let same = |table: &&mut Table| table.kind == "github" && table.is("organization", &quoted(&org));
            if let Some(table) = self.plan.tables.iter_mut().find(same) {
                // the repositories of this organisation are read anyway
                table.set("org", "true".to_owned());
                if let Some(allow) = table.get("allow").map(str::to_owned) {
                    let more: Vec<String> =
                        ["Group", "User"].map(quoted).into_iter().filter(|k| !allow.contains(k)).collect();
                    let inner = allow.trim_end_matches(']');
                    let joined = [vec![inner.to_owned()], more].concat().join(", ");
                    table.set("allow", format!("{joined}]"));
                }
            } else {
                let mut table = self.forge("github", &host, "github.com", &org, value.place());
                only_org(&mut table);
                tables.push(table);
            }
        }
        tables
    }

    fn gitlab(&mut self, value: &Value) -> Vec<Table> {
        let host = value.text_of("host").unwrap_or_else(|| "gitlab.com".to_owned());
        let group = value.text_of("group").unwrap_or_default();
        let mut table = self.forge("gitlab", &host, "gitlab.com", &group, value.place());
        if group.is_empty() {
            table.name = slug(&host);
        }
        table.text("branch", value.text_of("branch"));
        table.text("catalog_path", value.text_of("entityFilename"));
        table.repositories("name", value.text_of("projectPattern").map(|text| quoted(&text)));
        table.repositories("topics", list(&value.texts_of("topics")));
        table.repositories("exclude", list(&value.texts_of("excludeRepos")));
        table.repositories(
            "forks",
            value.get("skipForkedRepos").and_then(Value::bool).map(|skip| (!skip).to_string()),
        );
        table.repositories(
            "archived",
            value.get("includeArchivedRepos").and_then(Value::bool).map(|b| b.to_string()),
        );
        if value.get("orgEnabled").and_then(Value::bool) == Some(true) {
            table.set("org", "true".to_owned());
        }
        let no_word = "there is no such setting here";
        self.unsupported(
            "gitlab",
            value,
            &[
                ("groupPattern", "all groups below the organization are read"),
                ("userPattern", "all members are read"),
                ("restrictUsersToGroup", no_word),
                ("relations", no_word),
                ("membership", no_word),
                ("fallbackBranch", "the default branch of each project is read, unless `branch` is set"),
            ],
        );
        vec![table]
    }

    fn gitea(&mut self, value: &Value) -> Vec<Table> {
        let owner = value.text_of("organization").unwrap_or_default();
        let Some(host) = value.text_of("host") else {
            self.left(value, "catalog.providers.gitea", "it names no `host`");
            return Vec::new();
        };
        let mut table = self.forge("gitea", &host, "", &owner, value.place());
        table.text("branch", value.text_of("branch"));
        table.text("catalog_path", value.text_of("catalogPath"));
        vec![table]
    }

    fn bitbucket(&mut self, value: &Value) -> Vec<Table> {
        let workspace = value.text_of("workspace").unwrap_or_default();
        let mut table = self.forge("bitbucket", "bitbucket.org", "bitbucket.org", &workspace, value.place());
        table.text("catalog_path", value.text_of("catalogPath"));
        if let Some(filters) = value.get("filters") {
            table.repositories("name", filters.text_of("repoSlug").map(|text| quoted(&text)));
            if let Some(project) = filters.text_of("projectKey") {
                let key = project.trim_start_matches('^').trim_end_matches('$');
                if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    table.set("project", quoted(key));
                } else {
                    self.unsupported(
                        "bitbucketCloud",
                        value,
                        &[("filters.projectKey", "a source reads one project, not a pattern of them")],
                    );
                }
            }
        }
        vec![table]
    }

    fn azure(&mut self, value: &Value) -> Vec<Table> {
        let owner = value.text_of("organization").unwrap_or_default();
        let host = value.text_of("host").unwrap_or_else(|| "dev.azure.com".to_owned());
        let mut table = self.forge("azure", &host, "dev.azure.com", &owner, value.place());
        table.text("project", value.text_of("project").filter(|project| project != "*"));
        table.text("catalog_path", value.text_of("path"));
        table.text("branch", value.text_of("branch"));
        let repository = value.text_of("repository").filter(|name| name != "*");
        table.repositories("name", repository.map(|name| quoted(&glob_to_regex(&name))));
        vec![table]
    }

    /// Tells of settings of the catalog that mean nothing here.
    fn settings(&mut self) {
        const TOLD: &[(&str, &str)] = &[
            ("orphanStrategy", "an entity whose file is gone is gone here, too"),
            ("orphanProviderStrategy", "a source that is taken out takes its entities with it"),
            ("processingInterval", "each source has its own `every`; folders of this machine are watched"),
            ("processing", "each source has its own `every`"),
            ("stitchingStrategy", "relations are always joined at once"),
            ("readonly", "nothing is registered here without being asked for"),
            ("import", "names of new descriptors are chosen by whoever writes them"),
            ("useUrlReadersSearch", "patterns are matched against the tree of the repository"),
            ("processors", "processors run in the backend; a `backstage` source brings what they made"),
        ];
        let Some(catalog) = self.config.get("catalog") else { return };
        for (key, value) in catalog.entries() {
            if matches!(key.as_str(), "locations" | "providers" | "rules") {
                continue;
            }
            let why =
                TOLD.iter().find(|(known, _)| known == key).map_or("it is not known here", |(_, why)| why);
            self.left(value, format!("catalog.{key}"), why);
        }
        if let Some(reading) = self.config.find("backend.reading.allow") {
            self.left(
                reading,
                "backend.reading.allow",
                "descriptors may name any address of their own repository or host",
            );
        }
    }

    /// Offers the portal itself.
    fn backend(&mut self) {
        let Some(base) = self.config.find("backend.baseUrl") else { return };
        let Some(url) = base.text().filter(|text| url::Url::parse(text).is_ok()) else {
            self.left(base, "backend.baseUrl", "it names a variable that is not set now");
            return;
        };
        let mut table = Table::new("backstage", "portal".to_owned(), base.place());
        table.is_offer = true;
        table.note("the portal itself, with everything its backend has worked out; in place of the sources above, or beside them".to_owned());
        table.set("url", quoted(&url));
        let access = self.config.find("backend.auth.externalAccess").map_or(&[][..], Value::items);
        let secret = access
            .iter()
            .find_map(|item| item.find("options.token").or_else(|| item.find("config.token"))?.secret());
        let is_guest = self.config.find("auth.providers.guest").is_some();
        match secret {
            Some(Secret::Env(name)) => table.set("token", format!("{{ env = {} }}", quoted(&name))),
            _ if is_guest => table.set("guest", "true".to_owned()),
            _ => table.set("token", "{ env = \"PORTAL_TOKEN\" }".to_owned()),
        }
        self.plan.tables.push(table);
    }
}

/// Reads teams and members alone.
fn only_org(table: &mut Table) {
    table.note("teams and members alone: no repository has an empty name".to_owned());
    table.set("org", "true".to_owned());
    table.repositories("name", Some(quoted("")));
    table.name.push_str("-org");
}

/// Returns what a rule allows, as items of `allow`.
fn allowed(rule: &Value) -> Vec<String> {
    let items = rule.get("allow").map_or(&[][..], Value::items);
    items
        .iter()
        .filter_map(|item| {
            if let Some(kind) = item.text() {
                return Some(quoted(&kind));
            }
            let kind = item.text_of("kind")?;
            Some(match item.text_of("spec.type") {
                Some(entity_type) => {
                    format!("{{ kind = {}, type = {} }}", quoted(&kind), quoted(&entity_type))
                }
                None => quoted(&kind),
            })
        })
        .collect()
}

fn list(items: &[String]) -> Option<String> {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

fn host_of(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns a path without `.` and `..`, for one that does not exist.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests;
