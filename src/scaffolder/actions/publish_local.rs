//! `publish:local` and `publish:file`: the workspace becomes a folder of this machine, with a repository
//! or without, so that templates work where there is no forge.

use super::paths::{inside, trouble};
use super::{BuiltIn, Entry, Input, object, schema};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Placement, SideEffect, Spec, Workbench};
use crate::scaffolder::staging::{self, Placed, Staging};
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[("publish:local", local), ("publish:file", file)];

/// Branch unless the template names another.
const BRANCH: &str = "main";
/// Message of the first commit unless the template has another.
const MESSAGE: &str = "initial commit";
/// Author where neither the template nor git knows one.
const AUTHOR: (&str, &str) = ("Scaffolder", "scaffolder@backstage.io");

/// An action that puts files on this machine.
struct Publish {
    inner: BuiltIn,
}

impl Action for Publish {
    fn spec(&self) -> &Spec {
        &self.inner.spec
    }

    fn effects(&self, input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
        self.inner.effects(input, bench)
    }

    fn places(&self, input: &Value, bench: &dyn Workbench) -> Option<Placement> {
        let (from, to) = folders(input, bench).ok()?;
        Some(Placement { from, to })
    }

    fn foreseen(&self, input: &Value, bench: &dyn Workbench) -> Value {
        self.inner.foreseen(input, bench)
    }

    fn run(&self, input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
        self.inner.run(input, bench)
    }
}

/// Returns the folder of the workspace and the one on this machine.
fn folders(input: &Value, bench: &dyn Workbench) -> Result<(PathBuf, PathBuf), ActionError> {
    let fields = Input(input);
    let from = inside(bench.workspace(), &fields.word("sourcePath").unwrap_or_else(|| ".".to_owned()))?;
    let named = fields.word("path").unwrap_or_default();
    if named.is_empty() || named.contains('\0') {
        return Err(ActionError::new("`path` names no folder").hint("give the folder to write to"));
    }
    let named = match named.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(named),
    };
    let to = std::path::absolute(&named).map_err(|error| trouble("use the folder", &named, &error))?;
    Ok((from, normal(&to)))
}

/// Takes `..` out of an absolute path.
fn normal(path: &Path) -> PathBuf {
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

fn effect(what: &str, input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (_, to) = folders(input, bench)?;
    let identity = std::env::var("USER").map(|user| format!("you ({user})")).unwrap_or_default();
    let details = if to.is_dir() { vec!["the folder exists".to_owned()] } else { Vec::new() };
    Ok(vec![SideEffect { what: what.to_owned(), target: to.display().to_string(), identity, details }])
}

fn file() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    Arc::new(Publish {
        inner: BuiltIn {
            spec: Spec {
                id: "publish:file".to_owned(),
                description: "Writes the workspace into a folder of this machine".to_owned(),
                input: schema(&[("path*", text()), ("sourcePath", text())]),
                output: schema(&[("path", text())]),
                runs_dry: false,
            },
            effects: |input, bench| effect("write files", input, bench),
            foreseen: |input, bench| {
                folders(input, bench)
                    .map_or(Value::UNDEFINED, |(_, to)| object([("path", to.display().to_string())]))
            },
            run: run_file,
        },
    })
}

fn run_file(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let (from, to) = folders(input, bench)?;
    let staging = copied(&from, &to)?;
    let placed = staging::place(&staging, staging.folder(), &to, bench.decisions())?;
    tell(&placed, &to, bench);
    Ok(object([("path", to.display().to_string())]))
}

/// Copies the workspace beside its target: later steps still need it.
fn copied(from: &Path, to: &Path) -> Result<Staging, ActionError> {
    let staging = Staging::beside(to)?;
    staging::copy(from, staging.folder())?;
    Ok(staging)
}

fn tell(placed: &Placed, to: &Path, bench: &mut dyn Workbench) {
    bench.log(&format!("{} files are in {}", placed.written, to.display()));
    placed.kept.iter().for_each(|path| bench.log(&format!("kept as it was: {path}")));
    placed.beside.iter().for_each(|path| bench.log(&format!("put beside the old one: {path}")));
}

fn local() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    Arc::new(Publish {
        inner: BuiltIn {
            spec: Spec {
                id: "publish:local".to_owned(),
                description: "Makes a git repository on this machine, with a first commit".to_owned(),
                input: schema(&[
                    ("path*", text()),
                    ("sourcePath", text()),
                    ("defaultBranch", text()),
                    ("gitCommitMessage", text()),
                    ("gitAuthorName", text()),
                    ("gitAuthorEmail", text()),
                    ("description", text()),
                ]),
                output: schema(&[
                    ("remoteUrl", text()),
                    ("repoContentsUrl", text()),
                    ("commitHash", text()),
                    ("path", text()),
                ]),
                runs_dry: false,
            },
            effects: |input, bench| effect("create repository", input, bench),
            foreseen: |input, bench| {
                folders(input, bench).map_or(Value::UNDEFINED, |(_, to)| outputs(&to, None))
            },
            run: run_local,
        },
    })
}

fn outputs(to: &Path, commit: Option<&str>) -> Value {
    let url = url::Url::from_file_path(to).map(|url| url.to_string()).unwrap_or_default();
    let mut out =
        vec![("remoteUrl", url.clone()), ("repoContentsUrl", url), ("path", to.display().to_string())];
    out.extend(commit.map(|commit| ("commitHash", commit.to_owned())));
    object(out)
}

fn run_local(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let (from, to) = folders(input, bench)?;
    let staging = copied(&from, &to)?;
    if to.join(".git").exists() {
        let placed = staging::place(&staging, staging.folder(), &to, bench.decisions())?;
        tell(&placed, &to, bench);
        bench.warn("the folder is a repository already: the files are there, but not committed");
        return Ok(outputs(&to, None));
    }
    let commit = commit(staging.folder(), Input(input)).map_err(|error| {
        ActionError::new(format!("could not make the repository: {}", error.message()))
            .hint("nothing was written; the workspace may hold a name that git does not take, such as `.git`")
    })?;
    let placed = staging::place(&staging, staging.folder(), &to, bench.decisions())?;
    tell(&placed, &to, bench);
    bench.log(&format!("commit {commit}"));
    Ok(outputs(&to, Some(&commit)))
}

/// Makes a repository of a folder and commits everything in it that is not ignored.
fn commit(folder: &Path, fields: Input<'_>) -> Result<String, git2::Error> {
    let branch = fields.word("defaultBranch").unwrap_or_else(|| BRANCH.to_owned());
    let mut options = RepositoryInitOptions::new();
    options.initial_head(&branch).external_template(false);
    if let Some(description) = fields.word("description") {
        options.description(&description);
    }
    let repository = Repository::init_opts(folder, &options)?;
    let mut index = repository.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let given = (fields.word("gitAuthorName"), fields.word("gitAuthorEmail"));
    let author = match given {
        (None, None) => repository.signature().or_else(|_| Signature::now(AUTHOR.0, AUTHOR.1))?,
        (name, email) => {
            Signature::now(name.as_deref().unwrap_or(AUTHOR.0), email.as_deref().unwrap_or(AUTHOR.1))?
        }
    };
    let message = fields.word("gitCommitMessage").unwrap_or_else(|| MESSAGE.to_owned());
    let id = repository.commit(Some("HEAD"), &author, &author, &message, &tree, &[])?;
    Ok(id.to_string())
}
