//! One question and its answer, with the way to it.
//!
//! The order is the original's: super users, roles over the groups of the catalog, lines that name the
//! permission before lines that name the type of what it judges, conditions before lines or after them as the
//! settings say, and *no* when nothing says anything.

use super::criteria::{Asker, Resource};
use super::csv::{Effect, PolicyLine};
use super::known::{self, Action, Known, POLICY};
use super::members::{Ancestors, Directory, Way};
use super::{Conditional, Rules};
use std::sync::Arc;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Name of the permission.
    pub permission: String,
    /// What is done.
    pub action: Action,
    /// Type of what is judged; `None` when nothing is.
    pub resource_type: Option<String>,
}

impl Asked {
    /// Asks about a permission by its name; one that nobody knows judges nothing and is `use`.
    pub fn about(permission: &str) -> Self {
        let unknown = Known { name: "", action: Action::Use, resource_type: None };
        let known = known::find(permission).unwrap_or(&unknown);
        Self {
            permission: permission.to_owned(),
            action: known.action,
            resource_type: known.resource_type.map(str::to_owned),
        }
    }
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
    /// It depends on what it is done to.
    Conditional,
}

impl Outcome {
    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Conditional => "conditional",
        }
    }
}

/// The answer with the way to it.
#[derive(Debug, Clone)]
pub struct Answer<'r> {
    /// The answer.
    pub outcome: Outcome,
    /// Roles of the user, nearest first.
    pub roles: Vec<Way>,
    /// Lines that were looked at.
    pub lines: Vec<&'r PolicyLine>,
    /// Conditions, one of which must hold when [`Self::outcome`] is conditional.
    pub conditions: Vec<&'r Conditional>,
    /// Groups that go round in a circle, if they do.
    pub cycle: Vec<String>,
    /// Why, in a sentence.
    pub reason: String,
    owner_refs: Vec<String>,
    user: String,
}

/// Conditions judged on one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Whether one of them holds.
    pub holds: bool,
    /// Per condition whether it holds, with the rules that did not.
    pub each: Vec<(bool, Vec<String>)>,
}

impl Answer<'_> {
    /// Judges the conditions on one thing; for other outcomes it is what they say.
    pub fn judge(&self, resource: Resource<'_>) -> Judged {
        if self.outcome != Outcome::Conditional {
            return Judged { holds: self.outcome == Outcome::Allow, each: Vec::new() };
        }
        let asker = Asker { user: &self.user, owner_refs: &self.owner_refs };
        let each: Vec<(bool, Vec<String>)> = self
            .conditions
            .iter()
            .map(|condition| {
                let mut failed = Vec::new();
                let holds = condition.criteria.holds(resource, asker, &mut failed);
                (holds, if holds { Vec::new() } else { failed })
            })
            .collect();
        Judged { holds: each.iter().any(|(holds, _)| *holds), each }
    }

    /// Returns whether it may be done to this; quicker than [`Self::judge`] by not saying why.
    pub fn admits(&self, resource: Resource<'_>) -> bool {
        let asker = Asker { user: &self.user, owner_refs: &self.owner_refs };
        match self.outcome {
            Outcome::Allow => true,
            Outcome::Deny => false,
            Outcome::Conditional => {
                let mut failed = Vec::new();
                self.conditions.iter().any(|condition| condition.criteria.holds(resource, asker, &mut failed))
            }
        }
    }
}

impl Rules {
    /// Decides whether a user may do something. Nobody (`None`) may do nothing.
    pub fn decide(&self, user: Option<&str>, asked: &Asked, directory: &dyn Directory) -> Answer<'_> {
        let mut answer = Answer {
            outcome: Outcome::Deny,
            roles: Vec::new(),
            lines: Vec::new(),
            conditions: Vec::new(),
            cycle: Vec::new(),
            reason: String::new(),
            owner_refs: Vec::new(),
            user: user.unwrap_or_default().to_owned(),
        };
        let Some(user) = user else {
            "nobody is signed in".clone_into(&mut answer.reason);
            return answer;
        };
        answer.owner_refs = vec![user.to_owned()];
        answer.owner_refs.extend(directory.groups_of(user));
        let is_super = |owner: &&String| self.settings.super_users.contains(owner);
        if let Some(owner) = answer.owner_refs.iter().find(is_super) {
            answer.reason = format!("{owner} is a super user");
            answer.outcome = Outcome::Allow;
            return answer;
        }
        let ancestors = Ancestors::of(user, directory, self.settings.max_depth);
        answer.roles = self.ways(user, &ancestors);
        answer.cycle = ancestors.cycle.clone().unwrap_or_default();
        self.judge_question(&mut answer, asked, &ancestors);
        if !answer.cycle.is_empty() && answer.outcome == Outcome::Deny {
            answer.reason =
                format!("the groups go round in a circle, no role counts: {}", answer.cycle.join(" > "));
        }
        answer
    }

    fn judge_question<'r>(&'r self, answer: &mut Answer<'r>, asked: &Asked, ancestors: &Ancestors) {
        let roles: Vec<Arc<str>> = answer.roles.iter().map(|way| way.role.clone()).collect();
        let has =
            |object: &str| roles.iter().any(|role| self.named(role, object, asked.action).next().is_some());
        let is_named = has(&asked.permission);
        let mut resource_type = asked.resource_type.as_deref();
        if asked.permission == "policy.entity.create" && !is_named {
            resource_type = Some(POLICY);
        }
        let Some(resource_type) = resource_type else {
            return self.enforce(answer, &roles, &asked.permission, asked.action, ancestors);
        };
        let object = if is_named { &asked.permission } else { resource_type };
        let is_line_first = self.settings.is_basic_first && (is_named || has(resource_type));
        if !is_line_first && self.conditions_for(answer, &roles, asked, resource_type) {
            return;
        }
        if self.settings.is_basic_first && !is_line_first {
            "no line and no condition of the roles is about it".clone_into(&mut answer.reason);
            return;
        }
        self.enforce(answer, &roles, object, asked.action, ancestors);
    }

    fn named<'r>(
        &'r self,
        subject: &str,
        object: &str,
        action: Action,
    ) -> impl Iterator<Item = &'r PolicyLine> {
        let (object, lines) = (object.to_owned(), self.lines_of(subject));
        lines.iter().filter(move |line| *line.permission == *object && line.action == action)
    }

    /// Collects the conditions of the roles; returns whether they decide.
    fn conditions_for<'r>(
        &'r self,
        answer: &mut Answer<'r>,
        roles: &[Arc<str>],
        asked: &Asked,
        resource_type: &str,
    ) -> bool {
        for role in roles {
            let is_about =
                |condition: &&Conditional| condition.is_about(&asked.permission, resource_type, asked.action);
            let found: Vec<&Conditional> = self.conditions_of(role).iter().filter(is_about).collect();
            if found.len() > 1 {
                let places: Vec<String> = found.iter().map(|condition| condition.place.to_string()).collect();
                answer.reason =
                    format!("{role} has several conditions for it, which denies: {}", places.join(", "));
                answer.conditions.clear();
                return true;
            }
            answer.conditions.extend(found);
        }
        if answer.conditions.is_empty() {
            return false;
        }
        answer.outcome = Outcome::Conditional;
        let count = answer.conditions.len();
        answer.reason = if count == 1 {
            "the condition of a role decides".to_owned()
        } else {
            format!("one of the conditions of {count} roles must hold")
        };
        true
    }

    /// Lets the lines decide: one that allows, none that denies.
    fn enforce<'r>(
        &'r self,
        answer: &mut Answer<'r>,
        roles: &[Arc<str>],
        object: &str,
        action: Action,
        ancestors: &Ancestors,
    ) {
        answer.lines = if roles.is_empty() {
            let is_theirs = |line: &&PolicyLine| {
                *line.permission == *object
                    && line.action == action
                    && (*line.subject == *answer.user || ancestors.contains(&line.subject))
            };
            self.direct.iter().filter(is_theirs).collect()
        } else {
            roles.iter().flat_map(|role| self.named(role, object, action)).collect()
        };
        let word = action.word();
        if let Some(line) = answer.lines.iter().find(|line| line.has_more) {
            answer.reason = format!("{} has more fields than a line may have, which denies", line.place);
            return;
        }
        if let Some(line) = answer.lines.iter().find(|line| line.effect == Effect::Deny) {
            answer.reason = format!("{} denies it ({})", line.place, line.subject);
            return;
        }
        match answer.lines.first() {
            Some(line) => {
                answer.outcome = Outcome::Allow;
                answer.reason = format!("{} allows it ({})", line.place, line.subject);
            }
            None if roles.is_empty() => {
                answer.reason = format!("no role, and no line of its own allows `{object}` {word}");
            }
            None => answer.reason = format!("no line of the roles allows `{object}` {word}"),
        }
    }
}
