//! A running Backstage: its catalog through the REST API, taken as the server has worked it out.
//!
//! Start at [`BackstageSource`]. Entities come by pages ([`walk`]), relations are the server's own, and the
//! next refresh moves only what changed: each page is asked for with the validator that came with it, and
//! where a page did change, refs and etags of it come first and then the entities that differ ([`refresh`]).
//! Whoever may not do something is told who could allow it ([`backend`]).
//!
//! Source: Backstage, *Software Catalog API*.

mod backend;
mod chain;
mod known;
mod pages;
mod refresh;
mod store;
mod walk;
mod writes;

use super::{CatalogProvider, CatalogWrites, Delta, EVERY, RefreshContext, SourceError, SourceSpec};
use crate::config::source::{SourceConfig, without_credentials};
use std::time::Duration;
use url::Url;

/// The type `backstage`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "backstage",
    help: "the catalog of a running Backstage, through its API",
    settings: &["url", "token", "guest", "filter", "ca_file"],
    open,
};

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let text =
        config.url.as_deref().ok_or(SourceError::MissingSetting { kind: "backstage", setting: "url" })?;
    let bad = |setting, cause: String| SourceError::BadSetting { setting, cause };
    let url = Url::parse(text).map_err(|error| bad("url", error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("url", format!("`{}:` is neither `http:` nor `https:`", url.scheme())));
    }
    if config.guest && config.token.is_some() {
        return Err(bad("guest", "there is a `token`, too; keep one of the two".to_owned()));
    }
    Ok(Box::new(BackstageSource { url }))
}

/// Asks the backend of a source for something below its base; `None`: there is no such thing.
pub(super) fn fetch(
    cx: &RefreshContext<'_>,
    path: &str,
) -> Result<Option<std::sync::Arc<[u8]>>, SourceError> {
    let missing = SourceError::MissingSetting { kind: "backstage", setting: "url" };
    let text = cx.config.url.as_deref().ok_or(missing)?;
    let bad = |error: url::ParseError| SourceError::BadSetting { setting: "url", cause: error.to_string() };
    let source = BackstageSource { url: Url::parse(text).map_err(bad)? };
    let backend = backend::Backend::connect(&source.url, &source.place(), cx)?;
    match backend.get(backend.address(path), None) {
        Ok(answer) => Ok(Some(answer.body)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(backend.explain(error)),
    }
}

/// A Backstage backend.
struct BackstageSource {
    url: Url,
}

impl CatalogProvider for BackstageSource {
    fn place(&self) -> String {
        without_credentials(self.url.as_str()).trim_end_matches('/').to_owned()
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        refresh::run(&self.url, &self.place(), cx)
    }

    fn writes(&self) -> Option<&dyn CatalogWrites> {
        Some(self)
    }
}
