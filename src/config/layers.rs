//! The layers of settings and what results from them.

use super::alerts::AlertProviderConfig;
use super::document::{self, Document};
use super::integration::IntegrationConfig;
use super::kubernetes::{ClusterConfig, CustomResourceConfig, Environment, Environments};
use super::secret::SecretSource;
use super::setting::{self, ALL, BadValue, Setting, Value};
use super::source::{AllowRule, SourceConfig};
use super::{Alias, KeyBinding, Paths, View, aliases, keys, paths, trust, views};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::model::text::nearest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which file a value came from; later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// `/etc/devportal/config.toml`.
    System,
    /// The user's `config.toml`.
    User,
    /// `.devportal.toml` of the project.
    Project,
}

impl Layer {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    BuiltIn,
    /// A line of a file.
    File(Layer, SourceLocation),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    /// Returns whether it wins over the user's own file.
    pub fn is_above_user(&self) -> bool {
        matches!(self, Self::File(Layer::Project, _) | Self::Variable(_) | Self::Flag(_))
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File(_, location) => write!(f, "{}:{}", location.file, location.line),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The value that counts.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// A value given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// The setting it sets.
    pub setting: &'static Setting,
    /// As typed: `--offline`.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

/// What [`Config::load`] reads from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The user's and the system's folders.
    pub paths: Paths,
    /// Variables of the environment.
    pub variables: Vec<(String, String)>,
    /// Values from the command line.
    pub flags: Vec<Flag>,
    /// Read instead of the user's `config.toml`.
    pub config_file: Option<PathBuf>,
    /// Folder in which a project's file is looked for; `None` leaves that layer out.
    pub project: Option<PathBuf>,
}

impl Inputs {
    /// Returns what this process was started with.
    pub fn from_environment(flags: Vec<Flag>) -> Self {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            paths: Paths::from_environment(),
            variables: std::env::vars_os().filter_map(utf8).collect(),
            flags,
            config_file: None,
            project: std::env::current_dir().ok(),
        }
    }
}

/// Everything the program is told, with origins and with what was wrong.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where things live.
    pub paths: Paths,
    /// Files that were read, with their layer.
    pub files: Vec<(Layer, PathBuf)>,
    /// The configured sources, in the order of the file; relative paths made absolute.
    pub sources: Vec<SourceConfig>,
    /// Clusters beside those of the kubeconfig; relative paths made absolute.
    pub clusters: Vec<ClusterConfig>,
    /// Kinds of objects beside the built-in ones.
    pub custom_resources: Vec<CustomResourceConfig>,
    /// Environments.
    pub environments: Environments,
    /// Forges that templates publish to; relative paths made absolute.
    pub integrations: Vec<IntegrationConfig>,
    /// Servers that know of alerts.
    pub alert_providers: Vec<AlertProviderConfig>,
    /// The user's key bindings; names of actions are checked by whoever knows them.
    pub keys: Vec<KeyBinding>,
    /// The user's aliases.
    pub aliases: Vec<Alias>,
    /// The user's named views.
    pub views: Vec<View>,
    /// What was wrong, in the order it was met.
    pub diagnostics: Vec<Diagnostic>,
    values: BTreeMap<&'static str, Resolved>,
}

impl Default for Config {
    /// Returns the built-in settings of an unknown machine; for tests.
    fn default() -> Self {
        Self::empty(Paths::new(&|_| None))
    }
}

impl Config {
    /// Loads all layers. Never fails: what is wrong is in [`Config::diagnostics`] and does not count.
    pub fn load(inputs: &Inputs) -> Self {
        Self::load_after(inputs, None)
    }

    /// Loads again after a file changed: where a value is now wrong, the last good one stays.
    pub fn reload(&self, inputs: &Inputs) -> Self {
        Self::load_after(inputs, Some(self))
    }

    fn empty(paths: Paths) -> Self {
        let built_in = |setting: &&'static Setting| {
            (setting.key, Resolved { value: setting.built_in(), origin: Origin::BuiltIn })
        };
        Self {
            paths,
            files: Vec::new(),
            sources: Vec::new(),
            clusters: Vec::new(),
            custom_resources: Vec::new(),
            environments: Environments::default(),
            integrations: Vec::new(),
            alert_providers: Vec::new(),
            keys: Vec::new(),
            aliases: Vec::new(),
            views: Vec::new(),
            diagnostics: Vec::new(),
            values: ALL.iter().map(built_in).collect(),
        }
    }

    fn load_after(inputs: &Inputs, last: Option<&Self>) -> Self {
        let mut config = Self::empty(inputs.paths.clone());
        config.read_layer(Layer::System, &inputs.paths.system_file(), last);
        match &inputs.config_file {
            Some(file) if !file.exists() => config.diagnostics.push(missing(file)),
            Some(file) => config.read_layer(Layer::User, file, last),
            None => config.read_layer(Layer::User, &inputs.paths.config_file(), last),
        }
        if let Some(file) = inputs.project.as_deref().and_then(paths::find_project_file) {
            config.read_layer(Layer::Project, &file, last);
        }
        config.read_variables(&inputs.variables);
        for flag in &inputs.flags {
            config.set(flag.setting, flag.value.clone(), Origin::Flag(flag.name));
        }
        config.decode_sources(inputs.project.as_deref());
        config.decode_kubernetes(inputs.project.as_deref());
        config.decode_integrations(inputs.project.as_deref());
        config.decode_alert_providers(inputs.project.as_deref());
        config.keys = config.side_file(&inputs.paths.keys_file(), keys::decode);
        config.aliases = config.side_file(&inputs.paths.aliases_file(), aliases::decode);
        config.views = config.side_file(&inputs.paths.views_file(), views::decode);
        config
    }

    /// Returns a value with its origin.
    pub fn get(&self, setting: &Setting) -> &Resolved {
        const NOTHING: &Resolved = &Resolved { value: Value::None, origin: Origin::BuiltIn };
        self.values.get(setting.key).unwrap_or(NOTHING)
    }

    /// Returns a text; empty when nothing is set.
    pub fn text(&self, setting: &Setting) -> &str {
        match &self.get(setting).value {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// Returns the files that a setting names: relative ones start beside the file that says so.
    pub fn files(&self, setting: &Setting, working: Option<&Path>) -> Vec<PathBuf> {
        let base = base_folder(&self.get(setting).origin, working);
        let absolute = |word: &String| self.absolute(Path::new(word), base.as_deref());
        self.words(setting).iter().map(absolute).collect()
    }

    /// Returns a yes or no; no when the setting is not of that kind.
    pub fn flag(&self, setting: &Setting) -> bool {
        matches!(self.get(setting).value, Value::Bool(true))
    }

    /// Returns a time span; zero when the setting is not of that kind.
    pub fn duration(&self, setting: &Setting) -> Duration {
        match self.get(setting).value {
            Value::Duration(span) => span,
            _ => Duration::ZERO,
        }
    }

    /// Returns a size in bytes; zero when the setting is not of that kind.
    pub fn size(&self, setting: &Setting) -> u64 {
        match self.get(setting).value {
            Value::Size(bytes) => bytes,
            _ => 0,
        }
    }

    /// Returns a whole number; zero when the setting is not of that kind.
    pub fn number(&self, setting: &Setting) -> u64 {
        match self.get(setting).value {
            Value::Number(number) => number,
            _ => 0,
        }
    }

    /// Returns a list of words.
    pub fn words(&self, setting: &Setting) -> &[String] {
        match &self.get(setting).value {
            Value::Words(words) => words,
            _ => &[],
        }
    }

    /// Iterates over all settings with their values, in the order of the documentation.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Setting, &Resolved)> {
        ALL.iter().map(|setting| (*setting, self.get(setting)))
    }

    fn set(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        self.values.insert(setting.key, Resolved { value, origin });
    }

    fn read_layer(&mut self, layer: Layer, path: &Path, last: Option<&Self>) {
        let text = match document::read_text(path) {
            Ok(Some(text)) => text,
            Ok(None) => return,
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                self.keep_last(layer, last, |_| true);
                return;
            }
        };
        let document = Document::parse(&path.display().to_string(), &text, &mut self.diagnostics);
        let broken = self.diagnostics.iter().any(|d| {
            d.code == "config::syntax" && d.location.as_ref().is_some_and(|l| l.file == document.file)
        });
        if broken {
            self.keep_last(layer, last, |_| true);
        }
        self.files.push((layer, path.to_owned()));
        let trusted = layer != Layer::Project || trust::is_trusted(&self.paths, path, document.text());
        let known = |name: &str| setting::find(name).is_some();
        for (name, span, value) in document::leaves(document.root(), &known) {
            let Some(setting) = setting::find(&name) else {
                self.diagnostics.push(unknown_key(&document, &name, span));
                continue;
            };
            if setting.needs_trust && !trusted {
                self.diagnostics.push(untrusted(&document, &name, span));
                continue;
            }
            if value.span().is_empty() {
                // What the parser puts where a mistake left nothing; the mistake is reported already
                continue;
            }
            let decoded = document::plain(value).ok_or_else(|| BadValue {
                label: "out of range".to_owned(),
                hint: format!("for example `{}`", setting.example_line()),
            });
            match decoded.and_then(|value| setting.decode(&value)) {
                Ok(value) => {
                    let origin = Origin::File(layer, document.location(&span));
                    self.set(setting, value, origin);
                }
                Err(bad) => {
                    self.diagnostics.push(bad_value(&document, setting, &bad, value.span()));
                    self.keep_last(layer, last, |key| key == setting.key);
                }
            }
        }
    }

    /// Takes over values that a file set before it was spoiled.
    fn keep_last(&mut self, layer: Layer, last: Option<&Self>, which: impl Fn(&str) -> bool) {
        let Some(last) = last else { return };
        for (key, resolved) in &last.values {
            let same = matches!(&resolved.origin, Origin::File(from, _) if *from == layer);
            if same && which(key) {
                self.values.insert(key, resolved.clone());
            }
        }
    }

    fn read_variables(&mut self, variables: &[(String, String)]) {
        let names: Vec<(String, &'static Setting)> = ALL.iter().map(|s| (s.variable(), *s)).collect();
        for (name, text) in variables {
            if !name.starts_with("DEVPORTAL_") || text.is_empty() {
                continue;
            }
            let Some((_, setting)) = names.iter().find(|(known, _)| known == name) else {
                self.diagnostics.extend(unknown_variable(name, &names));
                continue;
            };
            match setting.parse(text) {
                Ok(value) => self.set(setting, value, Origin::Variable(name.clone())),
                Err(bad) => self.diagnostics.push(
                    Diagnostic::error(
                        "config::bad-value",
                        format!("variable `{name}` has no usable value `{text}`: {}", bad.label),
                    )
                    .hint(bad.hint),
                ),
            }
        }
    }

    /// Turns the value of `catalog.source` into sources; a bad one is reported and left out.
    fn decode_sources(&mut self, working: Option<&Path>) {
        let Resolved { value: Value::Tables(items), origin } = self.get(&setting::CATALOG_SOURCE).clone()
        else {
            return;
        };
        let base = base_folder(&origin, working);
        let mut sources = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.decode_source(item) {
                Ok(mut source) => {
                    let absolute = |path: PathBuf| self.absolute(&path, base.as_deref());
                    source.path = source.path.map(absolute);
                    source.ca_file = source.ca_file.map(absolute);
                    source.token = source.token.map(|token| match token {
                        SecretSource::File(path) => SecretSource::File(absolute(path)),
                        other => other,
                    });
                    sources.push(source);
                }
                Err(message) => {
                    let what = (&setting::CATALOG_SOURCE, "catalog source");
                    self.diagnostics.push(bad_table(&message, what, index, &origin));
                }
            }
        }
        SourceConfig::make_names_unique(&mut sources);
        self.sources = sources;
    }

    /// Turns the tables about clusters and environments into what they say.
    fn decode_kubernetes(&mut self, working: Option<&Path>) {
        let origin = self.get(&setting::KUBERNETES_CLUSTER).origin.clone();
        let base = base_folder(&origin, working);
        let mut clusters: Vec<ClusterConfig> = self.decode_tables(&setting::KUBERNETES_CLUSTER, "cluster");
        for cluster in &mut clusters {
            let absolute = |path: PathBuf| self.absolute(&path, base.as_deref());
            cluster.ca_file = cluster.ca_file.take().map(absolute);
            cluster.token = cluster.token.take().map(|token| match token {
                SecretSource::File(path) => SecretSource::File(absolute(path)),
                other => other,
            });
        }
        self.clusters = clusters;
        self.custom_resources = self.decode_tables(&setting::KUBERNETES_CUSTOM_RESOURCE, "custom resource");
        let Resolved { value: Value::Sections(sections), origin } = self.get(&setting::ENV).clone() else {
            return;
        };
        for (name, section) in sections {
            match Environment::deserialize(section) {
                Ok(environment) => drop(self.environments.0.insert(name, environment)),
                Err(error) => {
                    let text = format!("environment `{name}` is left out: {}", first_line(error.message()));
                    let mut diagnostic = Diagnostic::error("config::bad-environment", text);
                    if let Origin::File(_, location) = &origin {
                        diagnostic = diagnostic.at(location.clone());
                    }
                    self.diagnostics.push(diagnostic.hint(one_line(&setting::ENV.example_line())));
                }
            }
        }
    }

    /// Turns the tables about forges into what they say.
    fn decode_integrations(&mut self, working: Option<&Path>) {
        let base = base_folder(&self.get(&setting::INTEGRATION).origin, working);
        let mut integrations: Vec<IntegrationConfig> =
            self.decode_tables(&setting::INTEGRATION, "integration");
        for integration in &mut integrations {
            let absolute = |path: PathBuf| self.absolute(&path, base.as_deref());
            integration.ca_file = integration.ca_file.take().map(absolute);
            integration.token = integration.token.take().map(|token| match token {
                SecretSource::File(path) => SecretSource::File(absolute(path)),
                other => other,
            });
        }
        self.integrations = integrations;
    }

    /// Turns the tables about servers of alerts into what they say.
    fn decode_alert_providers(&mut self, working: Option<&Path>) {
        let base = base_folder(&self.get(&setting::ALERTS_PROVIDER).origin, working);
        let mut providers: Vec<AlertProviderConfig> =
            self.decode_tables(&setting::ALERTS_PROVIDER, "alerts provider");
        for provider in &mut providers {
            let absolute = |path: PathBuf| self.absolute(&path, base.as_deref());
            provider.ca_file = provider.ca_file.take().map(absolute);
            provider.token = provider.token.take().map(|token| match token {
                SecretSource::File(path) => SecretSource::File(absolute(path)),
                other => other,
            });
        }
        self.alert_providers = providers;
    }

    /// Decodes a list of tables; a bad one is reported and left out.
    fn decode_tables<T: serde::de::DeserializeOwned>(
        &mut self,
        setting: &'static Setting,
        what: &'static str,
    ) -> Vec<T> {
        let Resolved { value: Value::Tables(items), origin } = self.get(setting).clone() else {
            return Vec::new();
        };
        let mut decoded = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match T::deserialize(item) {
                Ok(table) => decoded.push(table),
                Err(error) => {
                    self.diagnostics.push(bad_table(error.message(), (setting, what), index, &origin));
                }
            }
        }
        decoded
    }

    fn decode_source(&self, item: &toml::Value) -> Result<SourceConfig, String> {
        let mut source = match item {
            toml::Value::String(place) => SourceConfig::guess(place, None),
            other => SourceConfig::deserialize(SourceConfig::spell_out(other))
                .map_err(|e| e.message().to_owned())?,
        };
        if item.get("max_file_bytes").is_none() {
            source.max_file_bytes = self.size(&setting::CATALOG_MAX_FILE_SIZE);
        }
        if item.get("timeout_seconds").is_none() {
            source.timeout_seconds = Some(self.duration(&setting::HTTP_TIMEOUT).as_secs().max(1));
        }
        if item.get("allow").is_none() {
            source.allow = self.words(&setting::CATALOG_RULES).iter().cloned().map(AllowRule::Kind).collect();
        }
        Ok(source)
    }

    /// Applies the settings that a source given on the command line does not name itself.
    pub fn source_from_place(&self, place: &str, at: Option<&str>) -> SourceConfig {
        let mut source = SourceConfig::guess(place, at);
        source.max_file_bytes = self.size(&setting::CATALOG_MAX_FILE_SIZE);
        source.timeout_seconds = Some(self.duration(&setting::HTTP_TIMEOUT).as_secs().max(1));
        source.allow = self.words(&setting::CATALOG_RULES).iter().cloned().map(AllowRule::Kind).collect();
        source
    }

    fn absolute(&self, path: &Path, base: Option<&Path>) -> PathBuf {
        if let (Ok(rest), Some(home)) = (path.strip_prefix("~"), &self.paths.home) {
            return home.join(rest);
        }
        base.map_or_else(|| path.to_owned(), |base| base.join(path))
    }

    fn side_file<T>(
        &mut self,
        path: &Path,
        decode: fn(&Document<'_>, &mut Vec<Diagnostic>) -> Vec<T>,
    ) -> Vec<T> {
        match document::read_text(path) {
            Ok(Some(text)) => {
                let document = Document::parse(&path.display().to_string(), &text, &mut self.diagnostics);
                decode(&document, &mut self.diagnostics)
            }
            Ok(None) => Vec::new(),
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                Vec::new()
            }
        }
    }
}

fn missing(file: &Path) -> Diagnostic {
    let shown = file.display().to_string();
    Diagnostic::error("config::unreadable", format!("there are no settings in `{shown}`: no such file"))
        .at(SourceLocation::file(shown))
        .hint("without `--config` your own `config.toml` is read")
}

fn unknown_key(document: &Document<'_>, name: &str, span: std::ops::Range<usize>) -> Diagnostic {
    let near = nearest(name, ALL.iter().map(|setting| setting.key));
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    // `mouse` at the top level: the right word in the wrong table
    let same_word = ALL.iter().map(|s| s.key).find(|key| last(key) == last(name));
    let hint = match near.first().copied().or(same_word) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`devportal config show` lists every setting".to_owned(),
    };
    document
        .diagnostic(
            Severity::Warning,
            "config::unknown-key",
            format!("`{name}` is not a setting"),
            span,
            "ignored",
        )
        .hint(hint)
}

fn untrusted(document: &Document<'_>, name: &str, span: std::ops::Range<usize>) -> Diagnostic {
    document
        .diagnostic(
            Severity::Warning,
            "config::untrusted",
            format!("`{name}` of a project's file does not count until you trust that file"),
            span,
            "says where to connect, what to run or who you are",
        )
        .hint(format!("read it, then `devportal config trust {}`", document.file))
}

fn bad_value(
    document: &Document<'_>,
    setting: &Setting,
    bad: &BadValue,
    span: std::ops::Range<usize>,
) -> Diagnostic {
    document
        .diagnostic(
            Severity::Error,
            "config::bad-value",
            format!("setting `{}` has no usable value", setting.key),
            span,
            bad.label.clone(),
        )
        .hint(bad.hint.clone())
}

/// Folder that relative paths of a value start from.
fn base_folder(origin: &Origin, working: Option<&Path>) -> Option<PathBuf> {
    match origin {
        Origin::File(_, location) => Path::new(&*location.file).parent().map(Path::to_owned),
        _ => working.map(Path::to_owned),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

fn one_line(example: &str) -> String {
    format!("for example\n{example}").replace('\n', "; ")
}

/// Says why the n-th table of a setting is left out, and where it stands.
fn bad_table(message: &str, (setting, what): (&Setting, &str), index: usize, origin: &Origin) -> Diagnostic {
    let said = format!("{what} {} is left out: {}", index + 1, first_line(message));
    let code = "config::bad-source";
    let text = match origin {
        Origin::File(_, location) => document::read_text(Path::new(&*location.file)).ok().flatten(),
        _ => None,
    };
    let place = text.as_deref().and_then(|text| table_span(setting, origin, text, index));
    let diagnostic = match place {
        Some((document, span)) => {
            document.diagnostic(Severity::Error, code, said, span, format!("this {what}"))
        }
        None => Diagnostic::error(code, said),
    };
    diagnostic.hint(one_line(&setting.example_line()))
}

/// Finds where the n-th table of a setting stands in its file.
fn table_span<'t>(
    setting: &Setting,
    origin: &Origin,
    text: &'t str,
    index: usize,
) -> Option<(Document<'t>, std::ops::Range<usize>)> {
    let Origin::File(_, location) = origin else { return None };
    let document = Document::parse(&location.file, text, &mut Vec::new());
    let (parents, last) = setting.key.rsplit_once('.')?;
    let mut table = document.root();
    for name in parents.split('.') {
        table = table.get(name)?.get_ref().as_table()?;
    }
    let span = table.get(last)?.get_ref().as_array()?.get(index)?.span();
    Some((document, span))
}

/// Says something only when the name looks like a slip: schedulers put variables of their own, named
/// after services, into every container.
fn unknown_variable(name: &str, names: &[(String, &'static Setting)]) -> Option<Diagnostic> {
    const OTHERS: [&str; 4] =
        ["DEVPORTAL_CONFIG_DIR", "DEVPORTAL_STATE_DIR", "DEVPORTAL_CACHE_DIR", "DEVPORTAL_LOG"];
    if OTHERS.contains(&name) {
        return None;
    }
    // The prefix is not compared: it would make a third of any name match
    let bare = |name: &str| name.trim_start_matches("DEVPORTAL_").to_owned();
    let known: Vec<String> = names.iter().map(|(known, _)| bare(known)).collect();
    let name = bare(name);
    let near = *nearest(&name, known.iter().map(String::as_str)).first()?;
    (name.len().abs_diff(near.len()) <= 2).then(|| {
        Diagnostic::warning("config::unknown-variable", format!("variable `DEVPORTAL_{name}` sets nothing"))
            .hint(format!("did you mean `DEVPORTAL_{near}`?"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for name in ["user", "system", "state", "project/.git", "project/deep"] {
                fs::create_dir_all(folder.path().join(name)).unwrap();
            }
            Self { folder }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn inputs(&self) -> Inputs {
            let at = |name: &str| self.folder.path().join(name);
            Inputs {
                paths: Paths {
                    config: at("user"),
                    state: at("state"),
                    cache: at("cache"),
                    system: at("system"),
                    home: Some(at("home")),
                },
                variables: Vec::new(),
                flags: Vec::new(),
                config_file: None,
                project: Some(at("project/deep")),
            }
        }
    }

    fn codes(config: &Config) -> Vec<&'static str> {
        config.diagnostics.iter().map(|d| d.code).collect()
    }

    #[test]
    fn the_strongest_layer_wins_and_names_itself() {
        let machine = Machine::new();
        let mut inputs = machine.inputs();
        let theme = |inputs: &Inputs| {
            let config = Config::load(inputs);
            let origin = config.get(&setting::THEME).origin.to_string();
            (config.text(&setting::THEME).to_owned(), origin.rsplit('/').next().unwrap().to_owned())
        };
        assert_eq!(theme(&inputs), ("default".into(), "built-in".into()));
        machine.write("system/config.toml", "theme = \"a\"");
        assert_eq!(theme(&inputs), ("a".into(), "config.toml:1".into()));
        machine.write("user/config.toml", "\ntheme = \"b\"");
        assert_eq!(theme(&inputs), ("b".into(), "config.toml:2".into()));
        machine.write("project/.devportal.toml", "theme = \"c\"");
        assert_eq!(theme(&inputs), ("c".into(), ".devportal.toml:1".into()));
        inputs.variables.push(("DEVPORTAL_THEME".into(), "d".into()));
        assert_eq!(theme(&inputs), ("d".into(), "$DEVPORTAL_THEME".into()));
        inputs.flags.push(Flag { setting: &setting::THEME, name: "--theme", value: Value::Text("e".into()) });
        assert_eq!(theme(&inputs), ("e".into(), "--theme".into()));
    }

    #[test]
    fn mistakes_are_reported_at_their_place_and_do_not_count() {
        let machine = Machine::new();
        machine.write(
            "user/config.toml",
            "thme = \"x\"\nmouse = false\n[ui]\nmouse = \"no\"\nascii = true\n[http]\ntimeout = \"soon\"\n",
        );
        let config = Config::load(&machine.inputs());
        let shown: Vec<String> = config
            .diagnostics
            .iter()
            .map(|d| {
                let location = d.location.as_ref().unwrap();
                format!(
                    "{} {}:{} {}",
                    d.code,
                    location.line,
                    location.column,
                    d.hint.as_deref().unwrap_or("")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "config::unknown-key 1:1 did you mean `theme`?",
                "config::unknown-key 2:1 did you mean `ui.mouse`?",
                "config::bad-value 4:9 for example `ui.mouse = true`",
                "config::bad-value 7:11 write a number and a unit: `500ms`, `30s`, `10m`, `2h`, `1d`",
            ]
        );
        assert!(config.flag(&setting::UI_MOUSE) && config.flag(&setting::UI_ASCII));
        assert_eq!(config.duration(&setting::HTTP_TIMEOUT), Duration::from_secs(30));
    }

    #[test]
    fn the_last_good_value_stays_when_a_file_is_spoiled() {
        let machine = Machine::new();
        machine.write("user/config.toml", "theme = \"dark\"\n[ui]\nmouse = false\n");
        let first = Config::load(&machine.inputs());
        machine.write("user/config.toml", "theme = \"dark\n[ui]\nmouse = 3\n");
        let second = first.reload(&machine.inputs());
        assert_eq!(second.text(&setting::THEME), "dark");
        assert!(!second.flag(&setting::UI_MOUSE));
        assert!(!second.diagnostics.is_empty());
        machine.write("user/config.toml", "");
        let third = second.reload(&machine.inputs());
        assert_eq!(third.text(&setting::THEME), "default", "a missing key means the default");
    }

    #[test]
    fn a_project_needs_trust_to_say_where_to_connect_and_what_to_run() {
        let machine = Machine::new();
        let text = "theme = \"mono\"\neditor = \"rm -rf\"\ncatalog.source = [\"https://x.example\"]\n";
        let file = machine.write("project/.devportal.toml", text);
        let inputs = machine.inputs();
        let config = Config::load(&inputs);
        assert_eq!(config.text(&setting::THEME), "mono");
        assert_eq!((config.text(&setting::EDITOR), config.sources.len()), ("", 0));
        assert_eq!(codes(&config), ["config::untrusted", "config::untrusted"]);
        trust::trust(&inputs.paths, &file).unwrap();
        let config = Config::load(&inputs);
        assert_eq!((config.text(&setting::EDITOR), config.sources.len()), ("rm -rf", 1));
        machine.write("project/.devportal.toml", &text.replace("-rf", "-r"));
        assert_eq!(Config::load(&inputs).text(&setting::EDITOR), "", "a changed file asks again");
    }

    #[cfg(unix)]
    #[test]
    fn a_project_runs_no_command_and_reads_no_secret_before_it_is_trusted() {
        let machine = Machine::new();
        let ran = machine.folder.path().join("ran");
        let text = format!(
            "[[catalog.source]]\ntype = \"backstage\"\nname = \"x\"\nurl = \"https://x.example\"\ntoken = \
             {{ command = [\"touch\", \"{}\"] }}\n[[catalog.source]]\ntype = \"http\"\nname = \"y\"\nurl = \
             \"https://y.example\"\ntoken = {{ file = \"~/.ssh/id\" }}\nca_file = \"ca.pem\"\n",
            ran.display()
        );
        let file = machine.write("project/.devportal.toml", &text);
        let inputs = machine.inputs();
        let config = Config::load(&inputs);
        assert!(config.sources.is_empty() && !ran.exists());
        assert_eq!(codes(&config), ["config::untrusted"]);
        trust::trust(&inputs.paths, &file).unwrap();
        let config = Config::load(&inputs);
        assert!(!ran.exists(), "reading the settings runs nothing");
        let at = |name: &str| machine.folder.path().join(name);
        assert_eq!(config.sources[1].token, Some(SecretSource::File(at("home/.ssh/id"))));
        assert_eq!(config.sources[1].ca_file, Some(at("project/ca.pem")));
        let _ = config.sources[0].token.as_ref().unwrap().read();
        assert!(ran.exists());
    }

    #[test]
    fn sources_are_decoded_one_by_one_with_the_general_settings() {
        let machine = Machine::new();
        machine.write(
            "user/config.toml",
            "[catalog]\nmax_file_size = \"1MB\"\nrules = [\"API\"]\n[[catalog.source]]\ntype = \"dir\"\n\
             name = \"a\"\npath = \"sub\"\n[[catalog.source]]\ntype = \"dir\"\npaht = 1\nname = \"b\"\n\
             [[catalog.source]]\ntype = \"dir\"\nname = \"a\"\npath = \"~/x\"\nmax_file_bytes = 7\n",
        );
        let config = Config::load(&machine.inputs());
        let at = |name: &str| Some(machine.folder.path().join(name));
        let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(names, ["a", "a-2"]);
        assert_eq!(
            (config.sources[0].path.clone(), config.sources[1].path.clone()),
            (at("user/sub"), at("home/x"))
        );
        assert_eq!((config.sources[0].max_file_bytes, config.sources[1].max_file_bytes), (1_000_000, 7));
        assert_eq!(config.sources[0].allow, [AllowRule::Kind("API".into())]);
        assert_eq!(codes(&config), ["config::bad-source"]);
        assert_eq!(config.diagnostics[0].location.as_ref().map(|l| l.line), Some(8));
    }

    #[test]
    fn only_slips_of_variables_are_mentioned() {
        let machine = Machine::new();
        let mut inputs = machine.inputs();
        for (name, value) in [
            ("DEVPORTAL_PORT", "tcp://10.0.0.1"),
            ("DEVPORTAL_THEM", "dark"),
            ("DEVPORTAL_OFFLINE", "maybe"),
            ("DEVPORTAL_UI_MOUSE", "off"),
            ("DEVPORTAL_CONFIG_DIR", "/x"),
        ] {
            inputs.variables.push((name.into(), value.into()));
        }
        let config = Config::load(&inputs);
        assert_eq!(codes(&config), ["config::unknown-variable", "config::bad-value"]);
        assert!(!config.flag(&setting::UI_MOUSE) && !config.flag(&setting::OFFLINE));
    }
}
