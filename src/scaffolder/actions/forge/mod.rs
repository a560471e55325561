//! What actions of all forges share: repositories by their `repoUrl`, requests, commits, pushes.
//!
//! Start at [`Publication`] for what puts a workspace into a new repository and at [`Client`] for everything that
//! asks a forge for something. Nothing here knows one forge from another beyond its type.

pub mod client;
pub mod commit;
pub mod fields;
pub mod files;
pub mod publication;
pub mod repo_url;

pub use client::{Client, Refusal, text};
pub use commit::{Commit, Words, check_branch};
pub use fields::{Field, Kind, field, required};
pub use publication::Publication;
pub use repo_url::{RepoUrl, segment, segments};

use super::BuiltIn;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Spec, Workbench};
use crate::scaffolder::actions::{EffectsOf, Foresight, Work};
use minijinja::value::Serde;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An action of a forge, as its file describes it.
pub struct Outline {
    /// Its id.
    pub id: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Tables of its inputs.
    pub input: &'static [&'static [Field]],
    /// Tables of its outputs.
    pub output: &'static [&'static [Field]],
    /// What it would change.
    pub effects: EffectsOf,
    /// Outputs that are known before.
    pub foreseen: Foresight,
    /// Does it.
    pub run: Work,
}

impl Outline {
    /// Makes the action.
    pub fn make(&self) -> Arc<dyn Action> {
        Arc::new(BuiltIn {
            spec: Spec {
                id: self.id.to_owned(),
                description: self.about.to_owned(),
                input: fields::schema(self.input),
                output: fields::schema(self.output),
                runs_dry: false,
            },
            effects: self.effects,
            foreseen: self.foreseen,
            run: self.run,
        })
    }
}

/// Reads an input into its type.
///
/// # Errors
/// When it does not fit, which its schema lets through only by mistake.
pub fn read<T: DeserializeOwned>(input: &Value) -> Result<T, ActionError> {
    serde_json::to_value(input)
        .and_then(serde_json::from_value)
        .map_err(|error| ActionError::new(format!("Invalid input passed to action: {error}")))
}

/// The repository that an action works on, and who asks.
#[derive(Debug, Clone)]
pub struct Target {
    /// The repository.
    pub repo: RepoUrl,
    /// Token that the input gives.
    pub token: Option<String>,
    /// Who asks, for people.
    pub identity: String,
}

impl Target {
    /// Reads `repoUrl` and `token` of an input.
    ///
    /// # Errors
    /// When the repository is none, or on a host of another type.
    pub fn of(
        input: &Value,
        bench: &dyn Workbench,
        kind: HostType,
        action: &str,
    ) -> Result<Self, ActionError> {
        let text = |name: &str| input.get_attr(name).ok().and_then(|value| value.as_str().map(str::to_owned));
        let url = text("repoUrl").unwrap_or_default();
        let repo = RepoUrl::parse(&url, &bench.host().integrations)?.on(kind, action)?;
        let token = text("token").filter(|token| !token.is_empty());
        let identity = repo.forge.identity(token.as_deref());
        Ok(Self { repo, token, identity })
    }

    /// Creates a client that asks as this identity.
    ///
    /// # Errors
    /// When there is no token.
    pub fn client(&self, bench: &dyn Workbench) -> Result<Client, ActionError> {
        Client::of(&self.repo, self.token.as_deref(), bench)
    }

    /// Describes a change of the repository.
    pub fn effect(&self, what: &str, details: Vec<String>) -> SideEffect {
        effect(what, self.repo.shown(), self.identity.clone(), details)
    }

    /// Returns a phrase about the repository for errors: `label issue 3 of github.com/acme/shop`.
    pub fn doing(&self, what: &str) -> String {
        format!("{what} of {}", self.repo.shown())
    }
}

/// The input `repoUrl`.
pub const REPO_URL: Field =
    required("repoUrl", Kind::Text, "The repository, as the form's RepoUrlPicker writes it");
/// The input `token`.
pub const TOKEN: Field = field("token", Kind::Text, "Token in place of the one of the host");

/// Makes outputs of JSON, without what is null.
pub fn outputs(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Object(map) => {
            let kept: serde_json::Map<_, _> = map.into_iter().filter(|(_, value)| !value.is_null()).collect();
            Value::from(Serde(kept))
        }
        other => Value::from(Serde(other)),
    }
}

/// What exists outside already while a step goes on.
#[derive(Debug, Default)]
pub struct Trail(Vec<SideEffect>);

impl Trail {
    /// Notes that something was made.
    pub fn made(&mut self, effect: SideEffect) {
        self.0.push(effect);
    }

    /// Does work that may leave things behind, and names them when it fails.
    ///
    /// # Errors
    /// What the work says.
    pub fn follow<T>(work: impl FnOnce(&mut Self) -> Result<T, ActionError>) -> Result<T, ActionError> {
        let mut trail = Self::default();
        work(&mut trail).map_err(|mut error| {
            let mut left = std::mem::take(&mut trail.0);
            left.append(&mut error.left_behind);
            error.left_behind = left;
            error
        })
    }
}

/// Creates the description of a change outside.
pub fn effect(what: &str, target: String, identity: String, details: Vec<String>) -> SideEffect {
    SideEffect { what: what.to_owned(), target, identity, details }
}

/// Says which inputs are not known, in the log.
pub fn note_unknown(outline: &Outline, input: &Value, bench: &mut dyn Workbench) {
    let json = serde_json::to_value(input).unwrap_or_default();
    for name in fields::unknown(outline.input, &json) {
        bench.log(&format!("`{name}` is no input of {}; it is left out", outline.id));
    }
}
