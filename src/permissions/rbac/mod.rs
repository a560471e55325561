//! Role-based access control with the policy files that Backstage's RBAC plugin reads.
//!
//! [`Rules`] are what the files say: lines of a CSV file ([`csv`]) and conditional policies in YAML
//! ([`conditions`]); [`Rules::decide`] answers one question and keeps the way it came to the answer. Pure: who
//! belongs to which group comes from a [`Directory`], what is judged from a [`Resource`].
//!
//! Reference: the RBAC backend plugin of the Backstage community, *Permission policies*, *Conditional policies*.

pub mod conditions;
pub mod criteria;
pub mod csv;
pub mod decide;
pub mod known;
pub mod members;

#[cfg(test)]
mod tests;

pub use conditions::Conditional;
pub use criteria::{Criteria, Resource};
pub use csv::{Effect, GroupLine, PolicyLine};
pub use decide::{Answer, Asked, Outcome};
pub use known::{Action, Known};
pub use members::{Directory, Way};

use crate::diagnostic::Diagnostic;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Role of those who may change roles and policies.
pub const ADMIN_ROLE: &str = "role:default/rbac_admin";

/// What does not stand in the policy files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Users and groups that may do everything; groups by direct membership.
    pub super_users: Vec<String>,
    /// Users and groups that may change roles and policies.
    pub admins: Vec<String>,
    /// Role that everybody has who is signed in.
    pub default_role: Option<String>,
    /// What the default role may do.
    pub default_permissions: Vec<(String, Action)>,
    /// Levels of parent groups that are followed; `None` for all.
    pub max_depth: Option<usize>,
    /// Lines come before conditions.
    pub is_basic_first: bool,
    /// Keep one of several equal lines instead of none, as the original does.
    pub is_lenient: bool,
}

/// Everything that decides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    settings: Settings,
    /// Lines by subject; a subject is a role, a user or a group.
    lines: FxHashMap<Arc<str>, Vec<PolicyLine>>,
    /// Lines of users and groups by themselves, for those without any role.
    direct: Vec<PolicyLine>,
    /// Members by role, in the order of the file.
    members: FxHashMap<Arc<str>, Vec<GroupLine>>,
    /// Roles by member.
    roles: FxHashMap<Arc<str>, Vec<Arc<str>>>,
    conditions: FxHashMap<Arc<str>, Vec<Conditional>>,
}

/// A file with its text.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    /// Path or address for people.
    pub name: Arc<str>,
    /// Its text.
    pub text: String,
}

impl Rules {
    /// Reads policy files. What is rejected is told, the rest counts.
    pub fn read(
        settings: Settings,
        policies: &[PolicyFile],
        conditional: &[PolicyFile],
    ) -> (Self, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let mut lines = csv::Lines::default();
        for file in policies {
            lines.read(file, &mut problems);
        }
        let (policies, groups) = lines.accept(settings.is_lenient, &mut problems);
        let mut rules = Self { settings, ..Self::default() };
        for line in policies {
            rules.add_line(line);
        }
        for line in groups {
            rules.add_member(line);
        }
        rules.add_settings();
        for file in conditional {
            for condition in conditions::read(file, &mut problems) {
                rules.add_condition(condition, &mut problems);
            }
        }
        (rules, problems)
    }

    /// Returns what does not stand in the files.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the lines of a role, user or group.
    pub fn lines_of(&self, subject: &str) -> &[PolicyLine] {
        self.lines.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Returns the conditional policies of a role.
    pub fn conditions_of(&self, role: &str) -> &[Conditional] {
        self.conditions.get(role).map_or(&[], Vec::as_slice)
    }

    /// Returns the members of a role as the files name them.
    pub fn members_of(&self, role: &str) -> &[GroupLine] {
        self.members.get(role).map_or(&[], Vec::as_slice)
    }

    /// Returns every role that is named anywhere, sorted.
    pub fn roles(&self) -> Vec<Arc<str>> {
        let is_role = |subject: &&Arc<str>| subject.starts_with("role:");
        let subjects = self.lines.keys().filter(is_role).chain(self.members.keys());
        let mut roles: Vec<Arc<str>> = subjects.chain(self.conditions.keys()).cloned().collect();
        roles.extend(self.settings.default_role.as_deref().map(Arc::from));
        roles.sort();
        roles.dedup();
        roles
    }

    fn add_line(&mut self, line: PolicyLine) {
        if !line.subject.starts_with("role:") {
            self.direct.push(line.clone());
        }
        self.lines.entry(line.subject.clone()).or_default().push(line);
    }

    fn add_member(&mut self, line: GroupLine) {
        let roles = self.roles.entry(line.member.clone()).or_default();
        if !roles.contains(&line.role) {
            roles.push(line.role.clone());
        }
        self.members.entry(line.role.clone()).or_default().push(line);
    }

    /// Adds what the settings say as if it stood in a file.
    fn add_settings(&mut self) {
        let place = csv::Place { file: "settings".into(), line: 0 };
        for member in self.settings.admins.clone() {
            let member: Arc<str> = member.to_lowercase().into();
            self.add_member(GroupLine { member, role: ADMIN_ROLE.into(), place: place.clone() });
        }
        let admin = [
            ("policy-entity", Action::Read),
            ("policy.entity.create", Action::Create),
            ("policy-entity", Action::Delete),
            ("policy-entity", Action::Update),
            ("catalog-entity", Action::Read),
        ];
        let allow = |subject: &str, permission: &str, action| PolicyLine {
            subject: subject.into(),
            permission: permission.into(),
            action,
            effect: Effect::Allow,
            has_more: false,
            place: place.clone(),
        };
        if !self.settings.admins.is_empty() {
            for (permission, action) in admin {
                self.add_line(allow(ADMIN_ROLE, permission, action));
            }
        }
        if let Some(role) = self.settings.default_role.clone() {
            for (permission, action) in self.settings.default_permissions.clone() {
                self.add_line(allow(&role, &permission, action));
            }
        }
    }

    /// A condition counts for roles that the lines of members make; others are told.
    fn add_condition(&mut self, condition: Conditional, problems: &mut Vec<Diagnostic>) {
        if !self.members.contains_key(&condition.role) {
            let role = &condition.role;
            problems.push(
                Diagnostic::warning(
                    "rbac::role-without-members",
                    format!("the conditional policy of `{role}` does not count: the role has no members"),
                )
                .at(condition.place.location(1))
                .hint(format!("give it members with a line `g, group:default/TEAM, {role}`")),
            );
            return;
        }
        self.conditions.entry(condition.role.clone()).or_default().push(condition);
    }
}
