//! Actions of GitLab.

mod group;
mod issues;
mod merge_request;
mod project;
mod publish;
mod push;

use super::Entry;
use super::forge::{Client, Field, Kind, RepoUrl, effect, required, segment};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{ActionError, SideEffect, Workbench};
use crate::scaffolder::integrations::Integration;

/// The actions.
pub const ENTRIES: &[Entry] = &[
    (publish::OUTLINE.id, publish::make),
    (merge_request::OUTLINE.id, merge_request::make),
    (push::OUTLINE.id, push::make),
    (group::GROUP.id, group::make_group),
    (group::USER.id, group::make_user),
    (issues::CREATE.id, issues::make_create),
    (issues::EDIT.id, issues::make_edit),
    (project::PIPELINE.id, project::make_pipeline),
    (project::VARIABLE.id, project::make_variable),
    (project::ACCESS.id, project::make_access),
    (project::DEPLOY.id, project::make_deploy),
];

/// The input `repoUrl` of actions that need the host alone.
const HOST_URL: Field =
    required("repoUrl", Kind::Text, "The host: `gitlab.com`, or a `repoUrl` of a project there");

/// Returns where a project is in the API: `projects/acme%2Fshop`.
fn project(repo: &RepoUrl) -> String {
    format!("projects/{}", segment(&project_id(repo)))
}

/// Returns the number or the path of a project.
fn project_id(repo: &RepoUrl) -> String {
    repo.project.clone().unwrap_or_else(|| repo.path())
}

/// A host of GitLab, and who asks.
struct Host {
    forge: Integration,
    token: Option<String>,
    identity: String,
}

impl Host {
    /// Reads `repoUrl` and `token`; of the address only the host matters.
    fn of(input: &Value, bench: &dyn Workbench, action: &str) -> Result<Self, ActionError> {
        let text = |name: &str| input.get_attr(name).ok().and_then(|value| value.as_str().map(str::to_owned));
        let url = text("repoUrl").unwrap_or_default();
        let host = url.split(['?', '/']).next().unwrap_or_default();
        let forge = bench.host().integrations.find(host)?.clone();
        if forge.kind != HostType::Gitlab {
            return Err(ActionError::new(format!("`{action}` works with GitLab, and `{host}` is none")));
        }
        let token = text("token").filter(|token| !token.is_empty());
        let identity = forge.identity(token.as_deref());
        Ok(Self { forge, token, identity })
    }

    fn client(&self, bench: &dyn Workbench) -> Result<Client, ActionError> {
        Client::of_forge(&self.forge, self.token.as_deref(), bench)
    }
}

/// A project that is named by `projectId`.
struct Place {
    host: Host,
    /// As the template names it.
    project: String,
    /// Where it is in the API.
    at: String,
}

impl Place {
    fn of(input: &Value, bench: &dyn Workbench, action: &str) -> Result<Self, ActionError> {
        let host = Host::of(input, bench, action)?;
        let project = input.get_attr("projectId").unwrap_or_default();
        let project = project.as_str().map_or_else(|| project.to_string(), str::to_owned);
        let at = format!("projects/{}", segment(&project));
        Ok(Self { host, project, at })
    }

    fn client(&self, bench: &dyn Workbench) -> Result<Client, ActionError> {
        self.host.client(bench)
    }

    fn effect(&self, what: &str, details: Vec<String>) -> SideEffect {
        let target = format!("{}, project {}", self.host.forge.host, self.project);
        effect(what, target, self.host.identity.clone(), details)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} of project {} on {}", self.project, self.host.forge.host)
    }
}
