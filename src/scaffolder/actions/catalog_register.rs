//! `catalog:register`: what was made becomes part of the catalog.
//!
//! With a Backstage backend among the sources it takes the location in. Without one the catalog is made of
//! files: a descriptor on this machine that a source reads anyway is there with its next look; another one
//! is added to the settings as a source of its own when that was asked for, and named otherwise.

use super::paths::inside;
use super::{BuiltIn, Entry, Input, object, schema};
use crate::catalog::Progress;
use crate::config::setting::{self, Value as SettingValue};
use crate::config::{Config, Inputs, save};
use crate::model::EntityRef;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Spec, Workbench};
use crate::yaml;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// The action of this file.
pub static ENTRIES: &[Entry] = &[("catalog:register", register)];

/// Where a descriptor lies in a repository unless the template says otherwise.
const CATALOG_INFO: &str = "/catalog-info.yaml";
/// Largest descriptor that is read for its entities, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

fn register() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    let mut input = schema(&[
        ("catalogInfoUrl", text()),
        ("repoContentsUrl", text()),
        ("catalogInfoPath", text()),
        ("optional", json!({"type": "boolean"})),
    ]);
    input = super::with_field(
        &input,
        "anyOf",
        &json!([{"required": ["catalogInfoUrl"]}, {"required": ["repoContentsUrl"]}]),
    );
    Arc::new(BuiltIn {
        spec: Spec {
            id: "catalog:register".to_owned(),
            description: "Adds what was made to the catalog".to_owned(),
            input,
            output: schema(&[("entityRef", text()), ("catalogInfoUrl", text())]),
            runs_dry: false,
        },
        effects,
        foreseen: |input, bench| {
            target(input).map_or(Value::UNDEFINED, |target| outputs(&target, input, bench, &[]))
        },
        run,
    })
}

/// What is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// A descriptor on this machine.
    File(PathBuf),
    /// A descriptor elsewhere.
    Address(String),
}

impl Target {
    fn text(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Address(url) => url.clone(),
        }
    }
}

fn target(input: &Value) -> Result<Target, ActionError> {
    let fields = Input(input);
    if let Some(url) = fields.word("catalogInfoUrl") {
        return Ok(of_text(&url));
    }
    let repository = fields.word("repoContentsUrl").unwrap_or_default();
    if repository.is_empty() {
        return Err(ActionError::new("there is nothing to register: `repoContentsUrl` is empty")
            .hint("the step that publishes may have been left out; `optional: true` does not help here"));
    }
    let path = fields.word("catalogInfoPath").unwrap_or_else(|| CATALOG_INFO.to_owned());
    if let Target::File(folder) = of_text(&repository) {
        return Ok(Target::File(folder.join(path.trim_start_matches('/'))));
    }
    // the address of a folder, whatever it ends with; the path starts at the root of the repository
    let base = Url::parse(&format!("{}/", repository.trim_end_matches('/')));
    let joined = base.ok().and_then(|base| crate::catalog::ingest::join_address(&base, &path));
    joined.map(|url| Target::Address(url.to_string())).ok_or_else(|| {
        ActionError::new(format!("`{}` is no address of a repository", repository.escape_debug()))
            .hint("`repoContentsUrl` is what a publish action gives")
    })
}

fn of_text(text: &str) -> Target {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "file" => {
            Target::File(url.to_file_path().unwrap_or_else(|()| PathBuf::from(url.path())))
        }
        Ok(_) => Target::Address(text.to_owned()),
        Err(_) if Path::new(text).is_absolute() => Target::File(PathBuf::from(text)),
        Err(_) => Target::Address(text.to_owned()),
    }
}

/// Returns the Backstage source that takes locations in, by its place among the sources.
fn backend(bench: &dyn Workbench) -> Option<(usize, String)> {
    let sources = bench.host().loader.sources();
    let found = sources
        .iter()
        .enumerate()
        .find(|(index, source)| source.kind == "backstage" && bench.host().loader.has_writes(*index));
    found.map(|(index, source)| (index, source.name.clone()))
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = target(input)?;
    let (what, identity) = match (backend(bench), &target) {
        (Some((_, name)), Target::Address(_)) => ("register".to_owned(), format!("source `{name}`")),
        (_, Target::File(path)) => match source_of(path, bench) {
            Some(name) => {
                (format!("register with the source `{name}`, which reads it already"), String::new())
            }
            None => without_source(bench),
        },
        _ => without_source(bench),
    };
    Ok(vec![SideEffect { what, target: target.text(), identity, details: Vec::new() }])
}

fn without_source(bench: &dyn Workbench) -> (String, String) {
    if bench.decisions().add_source {
        let file = bench.host().config_file.display().to_string();
        ("add a source to the settings".to_owned(), file)
    } else {
        ("name the descriptor, which no source reads".to_owned(), String::new())
    }
}

/// Returns the name of the source of this machine that reads a file.
fn source_of(path: &Path, bench: &dyn Workbench) -> Option<String> {
    let real = |path: &Path| {
        let existing = path.ancestors().find(|at| at.exists()).unwrap_or(path);
        std::fs::canonicalize(existing).unwrap_or_else(|_| existing.to_owned())
    };
    let wanted = real(path);
    let sources = bench.host().loader.sources();
    let holds = |source: &&crate::config::source::SourceConfig| {
        source.kind == "dir" && source.path.as_deref().is_some_and(|root| wanted.starts_with(real(root)))
    };
    sources.iter().find(holds).map(|source| source.name.clone())
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let optional = Input(input).flag("optional");
    let target = target(input)?;
    bench.log(&format!("Registering {} in the catalog", target.text()));
    let named = match (backend(bench), &target) {
        (Some((index, _)), Target::Address(url)) => match with_backend(index, url, bench) {
            Ok(named) => named,
            Err(error) if optional => {
                bench.warn(&format!("it was not registered, which is allowed: {}", error.message));
                Vec::new()
            }
            Err(error) => return Err(error),
        },
        _ => {
            without_backend(&target, optional, bench)?;
            Vec::new()
        }
    };
    Ok(outputs(&target, input, bench, &named))
}

fn with_backend(index: usize, url: &str, bench: &mut dyn Workbench) -> Result<Vec<String>, ActionError> {
    let host = bench.host();
    let progress = Progress::none().cancelled_by(bench.cancel_token().clone());
    let told = |diagnostic: Box<crate::diagnostic::Diagnostic>| {
        ActionError::new(diagnostic.message).hint(diagnostic.hint.unwrap_or_default())
    };
    let added = host.loader.register(index, url, false, &progress).map_err(told)?;
    // the entities are told by a dry run alone
    let named = match host.loader.register(index, url, true, &progress) {
        Ok(registered) => registered.entities,
        Err(_) => added.entities,
    };
    if added.exists {
        bench.log("it was registered already");
    }
    Ok(named)
}

fn without_backend(target: &Target, optional: bool, bench: &mut dyn Workbench) -> Result<(), ActionError> {
    let shown = target.text();
    if let Target::File(path) = target {
        if !path.is_file() {
            if optional {
                bench.warn(&format!("there is no `{shown}`, which is allowed"));
                return Ok(());
            }
            return Err(ActionError::new(format!("could not register `{shown}`: there is no such file"))
                .hint("set `catalogInfoPath` to where the descriptor lies, or `optional: true`"));
        }
        if let Some(name) = source_of(path, bench) {
            bench.log(&format!("the source `{name}` reads it"));
            return Ok(());
        }
    }
    if !bench.decisions().add_source {
        bench.warn(&format!(
            "no source of the catalog reads `{shown}`; `--add-source` adds one to the settings"
        ));
        return Ok(());
    }
    add_source(target, bench)?;
    bench.log("a source was added to the settings");
    Ok(())
}

fn add_source(target: &Target, bench: &dyn Workbench) -> Result<(), ActionError> {
    let failed = |cause: String| {
        ActionError::new(format!("could not add a source to the settings: {cause}"))
            .hint("`devportal config edit` opens the settings")
    };
    let config = Config::load(&Inputs::from_environment(Vec::new()));
    if config.paths.config_file() != bench.host().config_file {
        return Err(failed("another settings file is used for this run".to_owned()));
    }
    let SettingValue::Tables(mut tables) = config.get(&setting::CATALOG_SOURCE).value.clone() else {
        return save_sources(&config, vec![table(target, 1)]).map_err(failed);
    };
    tables.push(table(target, tables.len() + 1));
    save_sources(&config, tables).map_err(failed)
}

fn save_sources(config: &Config, tables: Vec<toml::Value>) -> Result<(), String> {
    let value = SettingValue::Tables(tables);
    save(&config.paths, &setting::CATALOG_SOURCE, Some(&value)).map(drop).map_err(|error| error.to_string())
}

fn table(target: &Target, number: usize) -> toml::Value {
    let (kind, key, place) = match target {
        Target::File(path) => ("dir", "path", path.parent().unwrap_or(path).display().to_string()),
        Target::Address(url) => ("http", "url", url.clone()),
    };
    let name = match target {
        Target::File(path) => {
            path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned())
        }
        Target::Address(_) => None,
    };
    let name = name.unwrap_or_else(|| format!("registered-{number}"));
    let mut table = toml::Table::new();
    table.insert("type".to_owned(), kind.into());
    table.insert("name".to_owned(), name.into());
    table.insert(key.to_owned(), place.into());
    toml::Value::Table(table)
}

/// `entityRef` and `catalogInfoUrl`. The entity is the one a backend named, else what the descriptor of
/// the workspace holds.
fn outputs(target: &Target, input: &Value, bench: &dyn Workbench, named: &[String]) -> Value {
    let mut out = vec![("catalogInfoUrl", target.text())];
    let known = if named.is_empty() { in_files(target, input, bench) } else { named.to_vec() };
    if let Some(entity_ref) = chosen(&known) {
        out.insert(0, ("entityRef", entity_ref));
    }
    object(out)
}

/// The first component whose name was not generated, else the first such entity, else the first.
fn chosen(refs: &[String]) -> Option<String> {
    let name = |entity_ref: &String| entity_ref.rsplit('/').next().unwrap_or_default().to_owned();
    let is_own = |entity_ref: &&String| !name(entity_ref).starts_with("generated-");
    let component = refs.iter().filter(is_own).find(|entity_ref| entity_ref.starts_with("component:"));
    component.or_else(|| refs.iter().find(is_own)).or_else(|| refs.first()).cloned()
}

/// Reads the entities of the descriptor: on the disk, or where it was in the workspace.
fn in_files(target: &Target, input: &Value, bench: &dyn Workbench) -> Vec<String> {
    let path = match target {
        Target::File(path) if path.is_file() => Some(path.clone()),
        _ => {
            let named = Input(input).word("catalogInfoPath").unwrap_or_else(|| CATALOG_INFO.to_owned());
            inside(bench.workspace(), named.trim_start_matches('/')).ok()
        }
    };
    let Some(path) = path.filter(|path| path.metadata().is_ok_and(|found| found.len() <= MAX_BYTES)) else {
        return Vec::new();
    };
    let Ok(bytes) = std::fs::read(&path) else { return Vec::new() };
    let file: Arc<str> = path.display().to_string().into();
    let Ok(text) = yaml::decode(&bytes, &file) else { return Vec::new() };
    let nodes =
        yaml::parse_stream(text, &file).into_iter().filter_map(|document| document.content.ok().flatten());
    let refs = nodes.filter_map(|node| {
        let text = |node: Option<&yaml::Node<'_>>| node.and_then(|node| node.as_str()).map(str::to_owned);
        let metadata = node.get("metadata")?;
        let namespace = text(metadata.get("namespace")).unwrap_or_else(|| "default".to_owned());
        Some(EntityRef::new(&text(node.get("kind"))?, &namespace, &text(metadata.get("name"))?).to_string())
    });
    refs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Serde;

    #[test]
    fn the_target_is_an_address_or_a_file() {
        let cases = [
            (json!({"catalogInfoUrl": "https://h/o/r/blob/main/c.yaml"}), "https://h/o/r/blob/main/c.yaml"),
            (
                json!({"repoContentsUrl": "https://github.com/o/r/blob/main"}),
                "https://github.com/o/r/blob/main/catalog-info.yaml",
            ),
            (
                json!({"repoContentsUrl": "https://github.com/o/r/tree/main/", "catalogInfoPath": "a/b.yaml"}),
                "https://github.com/o/r/tree/main/a/b.yaml",
            ),
            (json!({"repoContentsUrl": "file:///srv/x"}), "/srv/x/catalog-info.yaml"),
        ];
        for (input, expected) in cases {
            assert_eq!(target(&Value::from(Serde(&input))).unwrap().text(), expected, "{input}");
        }
        assert!(target(&Value::from(Serde(json!({"repoContentsUrl": ""})))).is_err());
    }

    #[test]
    fn a_component_of_its_own_name_is_chosen() {
        let refs = |refs: &[&str]| refs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let cases = [
            (refs(&["api:default/a", "component:default/b"]), Some("component:default/b")),
            (refs(&["component:default/generated-1", "api:default/a"]), Some("api:default/a")),
            (refs(&["location:default/generated-1"]), Some("location:default/generated-1")),
            (refs(&[]), None),
        ];
        for (refs, expected) in cases {
            assert_eq!(chosen(&refs).as_deref(), expected, "{refs:?}");
        }
    }
}
