//! What a face needs to show and ask: a flat list of rows, the same for a wizard and a linear prompt.

use crate::scaffolder::Value;

/// A row of a page.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where its answer is: JSON pointer into the answers. Rows that are no answer of their own (which of
    /// several forms, a part of a repository) have a last step that begins with `~`.
    pub pointer: String,
    /// How deep it is nested, from 0.
    pub depth: u16,
    /// Its name in the schema; an item has its number.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What it is, one or several lines.
    pub description: String,
    /// More help of the author.
    pub help: String,
    /// Shown while it is empty.
    pub placeholder: String,
    /// How it is asked for.
    pub widget: Widget,
    /// Its value; undefined while it is not set, asterisks for a secret.
    pub value: Value,
    /// The value as a person would type it, or what was typed and is no value; asterisks for a secret.
    pub text: String,
    /// It has to be given.
    pub is_required: bool,
    /// It is shown only: read-only, disabled, or always the same.
    pub is_disabled: bool,
    /// The author wants the cursor here first.
    pub is_autofocus: bool,
    /// What can be done with it as a part of a list or mapping.
    pub part: Part,
    /// What it wants, in words; empty when everything goes.
    pub rule: String,
    /// What is wrong, once it was left or the page was checked.
    pub error: Option<String>,
    /// A remark: an unknown field type, a pattern that cannot be checked.
    pub note: Option<String>,
}

/// How something is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Widget {
    /// One line.
    Line,
    /// One line that nobody may read.
    Secret,
    /// Several lines.
    Text {
        /// How many are shown.
        rows: u16,
    },
    /// A number.
    Number {
        /// What one step adds.
        step: f64,
        /// Least.
        min: Option<f64>,
        /// Most.
        max: Option<f64>,
        /// Only whole ones.
        is_whole: bool,
    },
    /// Yes or no.
    Toggle,
    /// One of several.
    Choice {
        /// All of them are shown at once.
        is_radio: bool,
        /// What to choose from.
        choices: Vec<Choice>,
    },
    /// Any of several.
    Several {
        /// What to choose from.
        choices: Vec<Choice>,
    },
    /// Something out of the catalog; [`Form::lookup`](super::Form::lookup) says how to find candidates.
    Picker {
        /// Several of them.
        is_multiple: bool,
        /// Any text will do.
        is_free: bool,
    },
    /// A repository; its parts are the rows below it.
    Repo,
    /// Fields that belong together; they are the rows below it.
    Object {
        /// A key can be added.
        can_add: bool,
    },
    /// A list; its items are the rows below it.
    List {
        /// An item can be added.
        can_add: bool,
    },
    /// Nothing to answer.
    Note,
}

impl Widget {
    /// Returns whether it is answered by typing into one line.
    pub fn is_line(&self) -> bool {
        matches!(self, Self::Line | Self::Secret | Self::Number { .. } | Self::Picker { .. })
    }

    /// Returns whether it only stands above others.
    pub fn is_head(&self) -> bool {
        matches!(self, Self::Object { .. } | Self::List { .. } | Self::Repo | Self::Note)
    }
}

/// What can be done with a row as a part of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Nothing: it belongs where it is.
    #[default]
    Own,
    /// It is an item of a list.
    Item {
        /// It may be taken out.
        can_remove: bool,
        /// There is one before it to change places with.
        can_up: bool,
        /// There is one behind it.
        can_down: bool,
    },
    /// It is a value under a key that a person chose; the key may be changed and taken out.
    Entry,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is stored.
    pub value: Value,
    /// What is shown.
    pub label: String,
    /// More about it; may be empty.
    pub detail: String,
    /// It may not be chosen.
    pub is_disabled: bool,
}

impl Choice {
    /// A choice without details.
    pub fn new(value: Value, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), detail: String::new(), is_disabled: false }
    }
}

/// A page as a face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageView {
    /// Its title.
    pub title: String,
    /// Its description; may be empty.
    pub description: String,
    /// Answers that are missing or wrong.
    pub gaps: usize,
    /// It was shown before.
    pub is_visited: bool,
}

/// An answer that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Number of its page, from 0.
    pub page: usize,
    /// Where the answer is, or should be: JSON pointer into the answers; `/secrets/NAME` for a secret that
    /// the template wants beside them.
    pub pointer: String,
    /// Which rule says so: JSON pointer into the template's `spec`.
    pub schema: String,
    /// What the field is called.
    pub title: String,
    /// What is wrong, in plain words.
    pub message: String,
}

/// What came of a change, beside the change itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changed {
    /// Answers that went, because their questions are no longer asked.
    pub dropped: Vec<Told>,
    /// Answers that came back with their questions.
    pub restored: Vec<Told>,
    /// Answers that do not fit any more, with what is wrong.
    pub invalid: Vec<Told>,
}

impl Changed {
    /// Returns whether nothing else changed.
    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.restored.is_empty() && self.invalid.is_empty()
    }
}

/// A field that something is told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its pointer.
    pub pointer: String,
    /// What it is called.
    pub title: String,
    /// Its answer, or what is wrong with it; never a secret.
    pub text: String,
}

/// There is no such field now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template does not ask for `{name}`{}", hint(near))]
pub struct NoField {
    /// What was asked for.
    pub name: String,
    /// Fields with a similar name.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(", but for `{}`", near.join("`, `")) }
}

/// A row of the review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// Number of its page, from 0.
    pub page: usize,
    /// Pointer of the field, to go back to it.
    pub pointer: String,
    /// What it is called; nested ones with the titles above.
    pub title: String,
    /// The answer as shown; masked where it has to be.
    pub text: String,
}

/// What the form has to know of the world outside; the same facts give the same form.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Names of the feature flags that are on.
    pub flags: std::collections::BTreeSet<String>,
    /// Hosts of repositories that are configured.
    pub hosts: Vec<Host>,
    /// Who fills it in.
    pub me: crate::permissions::Principal,
}

/// A host of repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `github.com`.
    pub host: String,
    /// What runs there.
    pub kind: HostKind,
}

/// What runs on a host of repositories; decides which parts a repository has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostKind {
    /// GitHub, and what nobody knows.
    #[default]
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea, Forgejo.
    Gitea,
    /// Gerrit.
    Gerrit,
    /// Bitbucket Cloud.
    BitbucketCloud,
    /// Bitbucket Server, Data Center.
    BitbucketServer,
    /// Azure DevOps.
    Azure,
}
