//! A descriptor at an http(s) address, with everything its Locations lead to.

use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::catalog::ingest::{Ingest, Root};
use crate::catalog::tree::EmptyTree;
use crate::config::source::{SourceConfig, without_credentials};
use url::Url;

/// The type `http`.
pub const SPEC: SourceSpec =
    SourceSpec { kind: "http", help: "a descriptor at an http(s) address and what its Locations name", open };

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let text = config.url.as_deref().ok_or(SourceError::MissingSetting { kind: "http", setting: "url" })?;
    let bad = |cause: String| SourceError::BadSetting { setting: "url", cause };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(format!("`{}:` is neither `http:` nor `https:`", url.scheme())));
    }
    Ok(Box::new(HttpSource { url }))
}

struct HttpSource {
    url: Url,
}

impl CatalogProvider for HttpSource {
    fn place(&self) -> String {
        without_credentials(self.url.as_str())
    }

    fn every(&self) -> Option<std::time::Duration> {
        Some(super::EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        Ingest::new(cx, &EmptyTree).run(vec![Root::url(self.url.clone())])
    }
}
