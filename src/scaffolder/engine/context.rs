//! What expressions in steps and outputs can name, and their rendering.

use crate::scaffolder::Value;
use crate::scaffolder::run::{Host, Job};
use minijinja::value::Serde;

/// Everything that expressions of one run can name.
#[derive(Debug, Clone)]
pub struct Contexts {
    parameters: Value,
    user: Value,
    task: Value,
    environment: Value,
    secrets: Value,
    /// Outputs of steps by their ids, in order.
    steps: Vec<(String, Value)>,
}

impl Contexts {
    /// Creates the contexts of a job.
    pub fn new(job: &Job, host: &Host, id: &str) -> Self {
        let secrets = job.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose()));
        let parameters = Value::from_pairs::<_, &str, Value>([]);
        Self {
            environment: environment(&parameters),
            parameters: job.answers.clone(),
            user: user(host),
            task: Value::from_pairs([("task", Value::from_pairs([("id", id)]))]),
            secrets: Value::from_pairs(secrets),
            steps: Vec::new(),
        }
    }

    /// Returns whether there is anything secret.
    pub fn has_secrets(&self) -> bool {
        self.secrets.len().is_some_and(|count| count > 0)
    }

    /// Keeps the output of a step.
    pub fn keep(&mut self, id: &str, output: Value) {
        let kept = Value::from_pairs([("output", output)]);
        self.steps.retain(|(known, _)| known != id);
        self.steps.push((id.to_owned(), kept));
    }

    /// Forgets the output of a step that is done once more.
    pub fn forget(&mut self, id: &str) {
        self.steps.retain(|(known, _)| known != id);
    }

    fn pairs(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("parameters", self.parameters.clone()),
            ("environment", self.environment.clone()),
            ("steps", Value::from_pairs(self.steps.iter().map(|(id, output)| (id.as_str(), output.clone())))),
            ("user", self.user.clone()),
            ("context", self.task.clone()),
        ]
    }

    /// Returns what conditions and outputs can name: no secrets.
    pub fn open(&self) -> Value {
        Value::from_pairs(self.pairs())
    }

    /// Returns what inputs and `each` can name; with or without the secrets, with or without an item.
    pub fn inner(&self, with_secrets: bool, each: Option<&(Value, Value)>) -> Value {
        let mut pairs = self.pairs();
        let secrets =
            if with_secrets { self.secrets.clone() } else { Value::from_pairs::<_, &str, Value>([]) };
        pairs.push(("secrets", secrets));
        if let Some((key, value)) = each {
            pairs.push(("each", Value::from_pairs([("key", key.clone()), ("value", value.clone())])));
        }
        Value::from_pairs(pairs)
    }
}

fn environment(parameters: &Value) -> Value {
    let nothing = Value::from_pairs::<_, &str, Value>([]);
    Value::from_pairs([("parameters", parameters.clone()), ("secrets", nothing)])
}

/// `user.ref` and `user.entity`; without a known user there is neither.
fn user(host: &Host) -> Value {
    let Some(user) = &host.principal.user else { return Value::from_pairs::<_, &str, Value>([]) };
    let entity = host.catalog.find(user).and_then(|id| host.catalog.entity(id));
    let entity = entity.map_or(Value::UNDEFINED, |entity| Value::from(Serde(entity)));
    Value::from_pairs([("ref", Value::from(user.as_str())), ("entity", entity)])
}
