//! The permissions that Backstage and its plugins name, with their action and the type of what they judge.

/// What a permission lets do, in the words of policy files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Make something.
    Create,
    /// See something.
    Read,
    /// Change something.
    Update,
    /// Take something away.
    Delete,
    /// Everything else; the word for permissions without an action.
    Use,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Read, Self::Update, Self::Delete, Self::Use];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Use => "use",
        }
    }

    /// Reads the word; exactly as policy files have it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// A permission that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// `catalog.entity.read`.
    pub name: &'static str,
    /// What it lets do.
    pub action: Action,
    /// Type of what it judges; `None` when it judges nothing.
    pub resource_type: Option<&'static str>,
}

/// Type of entities.
pub const ENTITY: &str = "catalog-entity";
/// Type of pages and steps of templates.
pub const TEMPLATE: &str = "scaffolder-template";
/// Type of actions with their input.
pub const ACTION: &str = "scaffolder-action";
/// Type of runs of templates.
pub const TASK: &str = "scaffolder-task";
/// Type of roles and policies.
pub const POLICY: &str = "policy-entity";

const fn on(name: &'static str, action: Action, resource_type: &'static str) -> Known {
    Known { name, action, resource_type: Some(resource_type) }
}

const fn basic(name: &'static str, action: Action) -> Known {
    Known { name, action, resource_type: None }
}

/// The permissions, by name.
pub const KNOWN: &[Known] = &[
    basic("catalog.entity.create", Action::Create),
    on("catalog.entity.delete", Action::Delete, ENTITY),
    on("catalog.entity.read", Action::Read, ENTITY),
    on("catalog.entity.refresh", Action::Update, ENTITY),
    basic("catalog.entity.validate", Action::Use),
    basic("catalog.ingestion.manage", Action::Update),
    basic("catalog.ingestion.read", Action::Read),
    basic("catalog.location.analyze", Action::Use),
    basic("catalog.location.create", Action::Create),
    basic("catalog.location.delete", Action::Delete),
    basic("catalog.location.read", Action::Read),
    on("jenkins.execute", Action::Update, ENTITY),
    basic("kubernetes.clusters.read", Action::Read),
    basic("kubernetes.proxy", Action::Use),
    basic("kubernetes.resources.read", Action::Read),
    basic("policy.entity.create", Action::Create),
    on("policy.entity.delete", Action::Delete, POLICY),
    on("policy.entity.read", Action::Read, POLICY),
    on("policy.entity.update", Action::Update, POLICY),
    on("scaffolder.action.execute", Action::Use, ACTION),
    on("scaffolder.task.cancel", Action::Use, TASK),
    basic("scaffolder.task.create", Action::Create),
    on("scaffolder.task.read", Action::Read, TASK),
    basic("scaffolder.template.dry-run", Action::Use),
    basic("scaffolder.template.management", Action::Use),
    on("scaffolder.template.parameter.read", Action::Read, TEMPLATE),
    on("scaffolder.template.step.read", Action::Read, TEMPLATE),
];

/// Finds a permission by its name.
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}
