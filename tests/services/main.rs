//! Sources against real folders, git repositories and HTTP servers, through the loader.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a failing helper fails its test"
)]

mod alerts;
mod azure;
mod backstage;
mod bitbucket;
mod changes;
mod docs;
mod faults;
mod follow;
mod git;
mod git_remote;
mod gitea;
mod github;
mod gitlab;
mod hostile;
mod http;
mod incremental;
mod kubernetes_demo;
mod kubernetes_faults;
mod kubernetes_logs;
mod kubernetes_watch;
mod net;
mod publish;
mod raw;
mod revisions;
mod script;
mod snapshot;
mod warm;

use devportal::catalog::{Catalog, LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A folder that is removed again.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let full = self.path().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn source(&self) -> SourceConfig {
        SourceConfig::guess(self.path().to_str().unwrap(), None)
    }

    fn file_source(&self, path: &str) -> SourceConfig {
        SourceConfig::guess(self.path().join(path).to_str().unwrap(), None)
    }

    fn load(&self) -> Arc<Catalog> {
        load(self.source())
    }
}

fn loader(sources: Vec<SourceConfig>) -> Loader {
    // the second call in one process finds a provider installed, which is as good
    let _ = rustls::crypto::ring::default_provider().install_default();
    Loader::new(sources, LoadOptions { remote_budget: Duration::from_secs(5), ..LoadOptions::default() })
}

fn load(source: SourceConfig) -> Arc<Catalog> {
    loader(vec![source]).load(&Progress::none())
}

fn refs(catalog: &Catalog) -> Vec<&str> {
    catalog.ids().map(|id| catalog.ref_of(id)).collect()
}

/// Codes of all diagnostics with the line they are at, in order.
fn problems(catalog: &Catalog) -> Vec<String> {
    let line = |d: &devportal::diagnostic::Diagnostic| d.location.as_ref().map_or(0, |l| l.line);
    catalog
        .diagnostics()
        .iter()
        .map(|d| format!("{}:{}", d.code.rsplit("::").next().unwrap(), line(d)))
        .collect()
}

fn codes(catalog: &Catalog) -> Vec<&'static str> {
    catalog.diagnostics().iter().map(|d| d.code).collect()
}

fn component(name: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n  lifecycle: \
         production\n  owner: team\n"
    )
}

fn group(name: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: {name}\nspec:\n  type: team\n  children: []\n"
    )
}

fn location(name: &str, spec: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {name}\nspec:\n{spec}")
}

fn api(name: &str, definition: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: {name}\nspec:\n  type: openapi\n  lifecycle: \
         production\n  owner: team\n  definition:\n    {definition}\n"
    )
}

/// Waits no longer than this for something that must not hang.
fn within(limit: Duration, work: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        work();
        let _ = sender.send(());
    });
    if receiver.recv_timeout(limit).is_err() {
        assert!(thread.is_finished(), "it hangs");
    }
    thread.join().unwrap();
}
