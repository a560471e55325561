//! What an action finds around it in a test: a workspace, a host with one forge, a log.

use super::server::Forge;
use devportal::config::integration::{HostType, IntegrationConfig, PushOver};
use devportal::config::secret::SecretSource;
use devportal::net::{Net, NetOptions};
use devportal::permissions::Principal;
use devportal::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use devportal::scaffolder::actions::Registry;
use devportal::scaffolder::integrations::Integrations;
use devportal::scaffolder::run::{Decisions, Host};
use devportal::scaffolder::template::{Base, Labels};
use devportal::scaffolder::{Template, Value};
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The token of every forge here.
pub const TOKEN: &str = "ghp_hunter2";

/// The surroundings of a step.
pub struct Bench {
    pub folder: tempfile::TempDir,
    workspace: std::path::PathBuf,
    pub host: Host,
    pub template: Template,
    pub log: Vec<String>,
    pub warnings: Vec<String>,
    pub cancel: CancellationToken,
    decisions: Decisions,
}

impl Bench {
    /// Creates a bench that knows one forge.
    pub fn new(forge: &Forge, kind: HostType) -> Self {
        Self::with(&[integration(forge, kind)], NetOptions::default())
    }

    /// Creates a bench with these integrations.
    pub fn with(configured: &[IntegrationConfig], options: NetOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        std::fs::create_dir(&workspace).unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        let mut configured = configured.to_vec();
        for one in &mut configured {
            one.token = one.token.take().map(|_| SecretSource::File(folder.path().join("token")));
        }
        let loader = Arc::new(crate::loader(Vec::new()));
        let host = Host {
            catalog: loader.load(&devportal::catalog::Progress::none()),
            loader,
            net: Arc::new(Net::new(options)),
            principal: Principal { user: Some("user:default/ana".into()), groups: Vec::new() },
            integrations: Arc::new(Integrations::assemble(&configured, &[], &|_| None)),
            cache: folder.path().join("cache"),
            state: folder.path().join("state"),
            actions: Registry::built_in(),
            trusted: Vec::new(),
            config_file: folder.path().join("config.toml"),
        };
        let template = Template {
            entity_ref: "template:default/t".into(),
            entity: Value::UNDEFINED,
            title: "T".into(),
            description: String::new(),
            pages: Vec::new(),
            steps: Vec::new(),
            output: Value::UNDEFINED,
            secrets_schema: Value::UNDEFINED,
            labels: Labels::default(),
            base: Base::Unknown("a test".into()),
        };
        Self {
            folder,
            workspace,
            host,
            template,
            log: Vec::new(),
            warnings: Vec::new(),
            cancel: CancellationToken::new(),
            decisions: Decisions::default(),
        }
    }

    /// Puts a file into the workspace.
    pub fn write(&self, path: &str, text: &str) {
        let full = self.workspace().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    fn action(&self, id: &str) -> Arc<dyn Action> {
        self.host.actions.find(id).unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// Runs an action; its input must fit its schema.
    pub fn run(&mut self, id: &str, input: &Json) -> Result<Json, ActionError> {
        let action = self.action(id);
        let schema = serde_json::to_value(&action.spec().input).unwrap();
        jsonschema::validate(&schema, input).unwrap_or_else(|error| panic!("{id}: {error}"));
        let outputs = action.run(&value(input), self)?;
        let outputs = serde_json::to_value(&outputs).unwrap();
        let schema = serde_json::to_value(&action.spec().output).unwrap();
        jsonschema::validate(&schema, &outputs).unwrap_or_else(|error| panic!("{id}: {error}"));
        Ok(outputs)
    }

    /// Says what an action would change.
    pub fn effects(&self, id: &str, input: &Json) -> Result<Vec<SideEffect>, ActionError> {
        self.action(id).effects(&value(input), self)
    }

    /// Says what an action would give.
    pub fn foreseen(&self, id: &str, input: &Json) -> Json {
        serde_json::to_value(self.action(id).foreseen(&value(input), self)).unwrap()
    }
}

/// The settings of a forge of a test.
pub fn integration(forge: &Forge, kind: HostType) -> IntegrationConfig {
    let api = match kind {
        HostType::BitbucketCloud => Some(format!("{}/2.0", forge.url())),
        _ => None,
    };
    IntegrationConfig {
        host: forge.host(),
        kind,
        api,
        url: Some(forge.url()),
        token: Some(SecretSource::Env("REPLACED".into())),
        username: None,
        push: PushOver::Https,
        ca_file: None,
    }
}

/// Waits that end within a test.
pub fn impatient() -> NetOptions {
    NetOptions { max_wait: Duration::from_secs(3), timeout: Duration::from_secs(10), ..NetOptions::default() }
}

fn value(json: &Json) -> Value {
    Value::from(minijinja::value::Serde(json))
}

impl Workbench for Bench {
    fn workspace(&self) -> &Path {
        &self.workspace
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }

    fn warn(&mut self, line: &str) {
        self.warnings.push(line.to_owned());
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn template(&self) -> &Template {
        &self.template
    }

    fn user(&self) -> Option<&str> {
        Some("user:default/ana")
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn cancel_token(&self) -> &CancellationToken {
        &self.cancel
    }

    fn is_dry(&self) -> bool {
        false
    }

    fn decisions(&self) -> &Decisions {
        &self.decisions
    }
}
