//! Actions of GitLab, one file each.

mod merge_request;
mod publish;

use super::Entry;
use super::forge::{RepoUrl, segment};

/// The actions.
pub const ENTRIES: &[Entry] =
    &[(publish::OUTLINE.id, publish::make), (merge_request::OUTLINE.id, merge_request::make)];

/// Returns where a project is in the API: `projects/acme%2Fshop`.
fn project(repo: &RepoUrl) -> String {
    format!("projects/{}", segment(&project_id(repo)))
}

/// Returns the number or the path of a project.
fn project_id(repo: &RepoUrl) -> String {
    repo.project.clone().unwrap_or_else(|| repo.path())
}
