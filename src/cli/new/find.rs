//! Which template is meant: a file, or one of the catalog.

use super::Args;
use crate::catalog::{Catalog, Entity};
use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::select;
use crate::cli::session::Session;
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::scaffolder::engine::history::PastRun;
use crate::scaffolder::open::{base_of, open_file};
use crate::scaffolder::{Template, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Templates that are named when none was.
const NAMED: usize = 20;
/// Fields that look nothing up in the catalog.
const PLAIN_FIELDS: &[&str] =
    &["EntityNamePicker", "RepoUrlPicker", "RepoBranchPicker", "RepoOwnerPicker", "Secret"];

/// A template with the catalog it is run with.
pub struct Found {
    pub template: Arc<Template>,
    pub catalog: Arc<Catalog>,
}

/// Finds the template.
pub fn template(
    session: &Session,
    global: &GlobalArgs,
    args: &Args,
    past: Option<&PastRun>,
    out: &mut Output,
) -> Result<Found, CliError> {
    let named = args.template.clone().or_else(|| past.map(past_name));
    let Some(named) = named else {
        let loaded = session.load(out)?;
        return Err(none_named(&loaded.catalog));
    };
    if let Some(path) = as_path(&named) {
        let template = Arc::new(open(&path)?);
        let catalog = if needs_catalog(&template) {
            session.load(out)?.catalog
        } else {
            crate::cli::log::start(&session.config, global, true);
            session.config.diagnostics.iter().for_each(|diagnostic| out.diagnostic(diagnostic));
            Arc::new(Catalog::default())
        };
        return Ok(Found { template, catalog });
    }
    let loaded = session.load(out)?;
    let id = select::one(&loaded.catalog, &named, Some("template"), global)?;
    let entity = loaded.catalog.entity(id).filter(|entity| entity.kind().eq_ignore_ascii_case("template"));
    let template =
        entity.map(|entity: Entity<'_>| Template::of(entity, base_of(entity))).ok_or_else(|| {
            CliError::usage(
                format!("`{}` is no template", clean(&named)),
                "`devportal get templates` lists them",
            )
        })?;
    Ok(Found { template: Arc::new(template), catalog: loaded.catalog })
}

fn past_name(past: &PastRun) -> String {
    let file = past.file.as_ref().filter(|file| file.is_file());
    file.map_or_else(|| past.template.clone(), |file| file.display().to_string())
}

/// Returns the path of a template's file, where a word names one.
pub fn as_path(named: &str) -> Option<PathBuf> {
    let path = Path::new(named);
    let is_named_like_one = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    if path.is_dir() {
        let has_slash = named.contains(['/', '\\']) || named == ".";
        let inner = ["template.yaml", "template.yml"].map(|name| path.join(name));
        return inner.into_iter().find(|path| has_slash && path.is_file());
    }
    (is_named_like_one || path.is_file() && named.contains(['/', '\\'])).then(|| path.to_owned())
}

/// Reads a template's file.
pub fn open(path: &Path) -> Result<Template, CliError> {
    if !path.exists() {
        let message = format!("there is no file `{}`", clean(&path.display().to_string()));
        return Err(CliError::not_found(
            Diagnostic::error("template::not-found", message)
                .hint("name a template of the catalog, or the path of its file"),
        ));
    }
    open_file(path).map_err(|diagnostic| CliError::failure(*diagnostic))
}

fn none_named(catalog: &Catalog) -> CliError {
    let templates = catalog.entities().filter(|entity| entity.kind().eq_ignore_ascii_case("template"));
    let names: Vec<_> = templates.take(NAMED).map(|entity| format!("`{}`", clean(entity.name()))).collect();
    let hint = if names.is_empty() {
        "the catalog has no templates; name the path of a `template.yaml`".to_owned()
    } else {
        format!("there are {}; or name the path of a `template.yaml`", names.join(", "))
    };
    CliError::usage("no template is named", hint)
}

/// Returns whether a template looks into the catalog, which takes time to read.
fn needs_catalog(template: &Template) -> bool {
    let asks = |value: &Value| {
        let text = serde_json::to_string(value).unwrap_or_default();
        let picks = text.match_indices("\"ui:field\":\"").any(|(at, found)| {
            let name = text.get(at + found.len()..).unwrap_or_default();
            !PLAIN_FIELDS
                .iter()
                .any(|plain| name.strip_prefix(plain).is_some_and(|rest| rest.starts_with('"')))
        });
        picks || text.contains("user.")
    };
    template.pages.iter().any(|page| asks(&page.schema))
        || asks(&template.output)
        || template.steps.iter().any(|step| {
            step.action == "catalog:fetch" || [&step.input, &step.condition, &step.each].into_iter().any(asks)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("template.yaml"), "x").unwrap();
        let shown = folder.path().display().to_string();
        assert_eq!(as_path(&shown), Some(folder.path().join("template.yaml")));
        assert_eq!(as_path("not/there.yaml"), Some("not/there.yaml".into()));
        for name in ["new-service", "template:default/x", "default/x"] {
            assert_eq!(as_path(name), None, "{name}");
        }
    }

    #[test]
    fn the_catalog_is_read_for_pickers_and_users() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.yaml");
        let needs = |spec: &str| {
            std::fs::write(&path, format!("kind: Template\nmetadata: {{name: x}}\nspec: {spec}\n")).unwrap();
            needs_catalog(&open(&path).unwrap())
        };
        assert!(needs("{parameters: {properties: {a: {'ui:field': OwnerPicker}}}, steps: []}"));
        assert!(needs("{steps: [{action: catalog:fetch}]}"));
        assert!(needs("{steps: [{action: x, input: {a: '${{ user.ref }}'}}]}"));
        assert!(!needs("{parameters: {properties: {a: {'ui:field': RepoUrlPicker}}}, steps: [{action: x}]}"));
    }
}
