//! A git repository: its work tree, or any revision of it without a checkout.

use super::git_tree::GitTree;
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec, dir, git_remote};
use crate::catalog::ingest::Ingest;
use crate::config::source::SourceConfig;
use std::path::PathBuf;

/// The type `git`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "git",
    help: "a git repository at its work tree or any revision, or behind an address",
    settings: &["path", "url", "at", "branch", "include", "exclude", "token", "username", "ca_file"],
    open,
};

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    match (&config.path, &config.url) {
        (None, Some(url)) => return git_remote::open(config, url),
        (Some(_), Some(_)) => {
            let cause =
                "it stands beside `path`; a repository is either here or behind an address".to_owned();
            return Err(SourceError::BadSetting { setting: "url", cause });
        }
        (_, None) => {}
    }
    let path = config.path.clone().ok_or(SourceError::MissingSetting { kind: "git", setting: "path" })?;
    Ok(Box::new(GitSource { path, revision: config.at.clone(), is_automatic: config.include.is_empty() }))
}

struct GitSource {
    path: PathBuf,
    revision: Option<String>,
    is_automatic: bool,
}

impl GitSource {
    /// Without a revision a work tree is read as it lies there; a bare repository has only commits.
    fn revision(&self) -> Option<String> {
        let is_bare = || !self.path.join(".git").exists() && self.path.join("HEAD").is_file();
        self.revision.clone().or_else(|| is_bare().then(|| "HEAD".to_owned()))
    }
}

impl CatalogProvider for GitSource {
    fn place(&self) -> String {
        match self.revision() {
            Some(revision) => format!("{} at {revision}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }

    fn root(&self) -> Option<PathBuf> {
        self.revision().is_none().then(|| self.path.clone())
    }

    fn folders(&self) -> Vec<PathBuf> {
        if self.revision().is_none() {
            return dir::folders_of(&self.path, self.is_automatic);
        }
        // where branches point to is written here
        let folder = git2::Repository::open(&self.path).map(|repository| repository.path().to_owned());
        let below = |folder: PathBuf| [folder.join("refs/heads"), folder.join("refs/tags"), folder];
        folder.map(below).into_iter().flatten().filter(|folder| folder.is_dir()).collect()
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let Some(revision) = self.revision() else { return dir::refresh_folder(&self.path, cx) };
        let tree = GitTree::open(&self.path, &revision)?;
        let start = tree.start().to_owned();
        // a file was named: read it alone
        if tree.is_file(&start) {
            return Ingest::new(cx, &tree).run(vec![crate::catalog::ingest::Root::asked(start)]);
        }
        let roots = dir::find_listed(&tree, &start, cx)?;
        Ingest::new(cx, &tree).skipping_skeletons(cx.config.include.is_empty()).run(roots)
    }
}
