//! `template lint`: what is wrong with templates, with places.

use super::{find, watch};
use crate::cli::error::{CliError, Exit};
use crate::cli::output::{Output, render};
use crate::cli::version::Form;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::scaffolder::Value;
use crate::scaffolder::actions::Registry;
use crate::scaffolder::lint::{Actions, lint};
use crate::yaml::{self, Node, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `template lint`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A template's file, or a folder with templates below it
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// Look again whenever a file is saved
    #[arg(long)]
    pub watch: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Runs `template lint`.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    watch::again(args.watch, &args.path, out, |out| once(args, out))
}

fn once(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let files = find::templates(&args.path)?;
    let found: Vec<Diagnostic> = files.iter().flat_map(|file| look(file)).collect();
    if args.output == Form::Json {
        out.json(&found)?;
    } else {
        let has_colour = out.has_colour();
        for diagnostic in &found {
            out.text(&render(diagnostic, has_colour))?;
            out.line("")?;
        }
    }
    let count = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    out.note(&format!("{} templates: {errors} errors, {warnings} warnings", files.len()));
    Ok(if errors + warnings > 0 { Exit::CheckFailed } else { Exit::Fine })
}

/// Looks at the templates of a file.
fn look(path: &Path) -> Vec<Diagnostic> {
    let shown: Arc<str> = path.display().to_string().into();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("could not read `{shown}`: {error}");
            return vec![Diagnostic::error("template::unreadable", message).at(SourceLocation::file(shown))];
        }
    };
    let text = match yaml::decode(&bytes, &shown) {
        Ok(text) => text,
        Err(diagnostic) => return vec![*diagnostic],
    };
    let source = Source::new(text, &shown);
    let mut found = Vec::new();
    let mut has_template = false;
    for document in yaml::parse_source(&source) {
        match document.content {
            Ok(Some(node)) if node.get("kind").and_then(Node::as_str) == Some("Template") => {
                has_template = true;
                found.extend(lint(&source, &shown, folder, &node, &Known(Registry::built_in())));
            }
            Ok(_) => {}
            Err(diagnostic) => found.push(*diagnostic),
        }
    }
    if !has_template && found.is_empty() {
        let diagnostic = Diagnostic::error("template::none", format!("`{shown}` holds no template"));
        found.push(
            diagnostic.at(SourceLocation::file(shown)).hint("a template is an entity with `kind: Template`"),
        );
    }
    found
}

/// The actions that are built in.
struct Known(Registry);

impl Known {
    fn schema(&self, id: &str, which: fn(&crate::scaffolder::action::Spec) -> &Value) -> Option<Value> {
        self.0.find(id).map(|action| which(action.spec()).clone())
    }
}

fn names(schema: &Value) -> Option<Vec<String>> {
    let properties = schema.get_attr("properties").ok().filter(|properties| properties.len() > Some(0))?;
    Some(properties.try_iter().ok()?.map(|name| name.to_string()).collect())
}

impl Actions for Known {
    fn has(&self, id: &str) -> bool {
        self.0.has(id)
    }

    fn near(&self, id: &str) -> Vec<String> {
        self.0.near(id).into_iter().map(str::to_owned).collect()
    }

    fn outputs(&self, id: &str) -> Option<Vec<String>> {
        names(&self.schema(id, |spec| &spec.output)?)
    }

    fn required(&self, id: &str) -> Vec<String> {
        let schema = self.schema(id, |spec| &spec.input);
        let required = schema.and_then(|schema| schema.get_attr("required").ok());
        let names = required.as_ref().and_then(|required| required.try_iter().ok());
        names.into_iter().flatten().map(|name| name.to_string()).collect()
    }

    fn inputs(&self, id: &str) -> Option<Vec<String>> {
        names(&self.schema(id, |spec| &spec.input)?)
    }
}
