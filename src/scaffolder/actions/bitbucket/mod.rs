//! Actions of Bitbucket, Cloud and Server, one file each.

mod cloud;
mod pipelines;
mod pull_request;
mod server;

use super::Entry;
use super::forge::publication::Remote;
use serde_json::Value as Json;

/// The actions.
pub const ENTRIES: &[Entry] = &[
    (cloud::OUTLINE.id, cloud::make),
    (server::OUTLINE.id, server::make),
    (pull_request::CLOUD.id, pull_request::make_cloud),
    (pull_request::SERVER.id, pull_request::make_server),
    (pipelines::OUTLINE.id, pipelines::make),
];

/// Reads `links.clone` of a repository: addresses by their names.
fn remote(repository: &Json) -> Remote {
    let links = repository.pointer("/links/clone").and_then(Json::as_array);
    let find = |names: &[&str]| {
        let named = |link: &&Json| link["name"].as_str().is_some_and(|name| names.contains(&name));
        let found = links.into_iter().flatten().find(named);
        found.and_then(|link| link["href"].as_str()).unwrap_or_default().to_owned()
    };
    Remote { https: find(&["https", "http"]), ssh: find(&["ssh"]) }
}
