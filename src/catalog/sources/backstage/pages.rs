//! Addresses of pages and what stands in their answers, for each way a server has to list entities.

use super::backend::Backend;
use crate::catalog::ingest::json::{Items, items};
use crate::net::Answer;
use url::Url;

/// Entities of one page.
pub(super) const PAGE: usize = 500;
/// Most items taken from one answer: what an old server gives at once.
const MAX_ITEMS: usize = 1_000_000;

/// How a server lists entities, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Listing {
    /// `/entities/by-query`, with a cursor.
    Query,
    /// `/entities`, with `after` in the `Link` header.
    After,
    /// `/entities` as a whole.
    Whole,
}

/// What of each entity a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Mode {
    /// All of it.
    Full,
    /// Its ref and etag.
    Brief,
}

impl Mode {
    /// All fields are named, too: an answer with chosen fields has a validator, one without is streamed and
    /// has none.
    fn fields(self) -> &'static str {
        match self {
            Self::Full => "apiVersion,kind,metadata,spec,relations,status",
            Self::Brief => "kind,metadata.namespace,metadata.name,metadata.etag",
        }
    }
}

impl Listing {
    /// Returns the next best way.
    pub(super) fn older(self) -> Option<Self> {
        match self {
            Self::Query => Some(Self::After),
            Self::After => Some(Self::Whole),
            Self::Whole => None,
        }
    }

    /// Returns the address of a page. No order is asked for: entities without the field would be left out.
    pub(super) fn address(
        self,
        backend: &Backend<'_>,
        filter: &[String],
        cursor: Option<&str>,
        mode: Mode,
    ) -> Url {
        let path = match self {
            Self::Query => "api/catalog/entities/by-query",
            Self::After | Self::Whole => "api/catalog/entities",
        };
        let mut url = backend.address(path);
        {
            let mut query = url.query_pairs_mut();
            if self != Self::Whole {
                query.append_pair("limit", &PAGE.to_string());
            }
            query.append_pair("fields", mode.fields());
            // a cursor holds the filter
            if self != Self::Query || cursor.is_none() {
                for filter in filter {
                    query.append_pair("filter", filter);
                }
            }
            if let Some(cursor) = cursor {
                query.append_pair(if self == Self::Query { "cursor" } else { "after" }, cursor);
            }
        }
        url
    }

    /// Reads what is around the items of an answer; `None` when it has none.
    pub(super) fn read(self, answer: &Answer) -> Option<Page<'_>> {
        let found = items(&answer.body, "items", MAX_ITEMS)?;
        let (next, total) = match self {
            Self::Query => around(&found),
            Self::After => (after_in_link(answer), None),
            Self::Whole => (None, None),
        };
        Some(Page { items: found.items, is_whole: found.is_whole, next, total })
    }
}

/// What an answer holds.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// Entities as bytes of JSON.
    pub items: Vec<&'a [u8]>,
    /// Whether the answer ends where it should.
    pub is_whole: bool,
    /// Where the next page is.
    pub next: Option<String>,
    /// How many entities there are in all, if the server says so.
    pub total: Option<u64>,
}

fn around(found: &Items<'_>) -> (Option<String>, Option<u64>) {
    let frame: serde_json::Value = serde_json::from_slice(&found.frame).unwrap_or_default();
    let next = frame.pointer("/pageInfo/nextCursor").and_then(serde_json::Value::as_str);
    let total = frame.get("totalItems").and_then(serde_json::Value::as_u64);
    // a server that was told not to count says 0
    (next.filter(|text| !text.is_empty()).map(str::to_owned), total.filter(|total| *total > 0))
}

/// Takes the place of the next page out of the `Link` header: its path is that of the backend behind any
/// proxy and is not followed.
fn after_in_link(answer: &Answer) -> Option<String> {
    let next = answer.next_link()?;
    next.query_pairs().find(|(key, _)| key == "after").map(|(_, value)| value.into_owned())
}
