//! What is firing, where, and whom it concerns.
//!
//! Servers are asked through [`Provider`]s; [`collect`] asks all of them at once and joins what they say into a
//! [`Board`]: one [`Alert`] where several servers know of the same. [`bind`] says which entities an alert is
//! about and why. Nothing here waits for a screen or knows one.

pub mod alertmanager;
pub mod bind;
pub mod board;
pub mod prometheus;
pub mod server;

#[cfg(test)]
mod tests;

pub use board::{Board, Fault, collect};
pub use server::Provider;

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How bad it is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody is woken.
    Critical,
    /// Something is broken.
    Error,
    /// Something will be; also what says nothing about it.
    Warning,
    /// To know.
    Info,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Error, Self::Warning, Self::Info];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// Reads it from labels as people write them: `severity`, else `priority`, `level` or `urgency`.
    pub fn of(labels: &BTreeMap<String, String>) -> Self {
        let keys = ["severity", "priority", "level", "urgency"];
        let word = keys.iter().find_map(|key| labels.get(*key)).map(|word| word.to_lowercase());
        match word.as_deref().unwrap_or_default() {
            "critical" | "crit" | "page" | "emergency" | "fatal" | "disaster" | "p1" | "p0" | "sev1" => {
                Self::Critical
            }
            "error" | "err" | "high" | "major" | "p2" | "sev2" => Self::Error,
            "info" | "information" | "none" | "debug" | "low" | "p4" | "p5" | "sev4" => Self::Info,
            _ => Self::Warning,
        }
    }
}

/// What an alert does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It fires.
    Firing,
    /// It will when it lasts.
    Pending,
    /// It fires, and somebody wants to hear nothing of it, or another alert hides it.
    Silenced,
}

impl State {
    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Silenced => "silenced",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Servers that know of it, by name.
    pub providers: Vec<Arc<str>>,
    /// `alertname`; a general word where there is none.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it does now.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Everything that tells it apart.
    pub labels: BTreeMap<String, String>,
    /// What people wrote about it.
    pub annotations: BTreeMap<String, String>,
    /// Page about it on the server; empty when there is none.
    pub url: String,
    /// Ids of the silences that hide it, with the server that has them.
    pub silences: Vec<(Arc<str>, String)>,
    /// Who is told, where that is known.
    pub receivers: Vec<String>,
}

impl Alert {
    /// Returns what people wrote first: summary, else description, else message.
    pub fn summary(&self) -> &str {
        let keys = ["summary", "description", "message", "title"];
        keys.iter().find_map(|key| self.annotations.get(*key)).map_or("", String::as_str)
    }

    /// Returns what to do about it; empty when nobody wrote it.
    pub fn runbook(&self) -> &str {
        let keys = ["runbook_url", "runbook", "runbook_link", "playbook"];
        keys.iter().find_map(|key| self.annotations.get(*key)).map_or("", String::as_str)
    }
}

/// Something that somebody wants to hear nothing of for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its id on the server; empty for a new one.
    pub id: String,
    /// Labels that an alert must have.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// It counts now.
    pub is_active: bool,
}

/// What a label must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// Label.
    pub name: String,
    /// Its value, or a pattern for it.
    pub value: String,
    /// [`Self::value`] is a regular expression for the whole.
    pub is_regex: bool,
    /// It must fit; otherwise it must not.
    pub is_equal: bool,
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (true, true) => "=~",
            (false, false) => "!=",
            (false, true) => "!~",
        };
        write!(f, "{}{operator}\"{}\"", self.name, self.value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl Matcher {
    /// Reads `name="value"`, with `=`, `!=`, `=~` or `!~`; quotation marks may be left out.
    ///
    /// # Errors
    /// What is wrong, in plain words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let end = text.find(['=', '!']).ok_or_else(|| format!("`{text}` has no `=`: write name=value"))?;
        let (name, rest) = text.split_at(end);
        let name = name.trim();
        let is_name = |name: &str| {
            let mut chars = name.chars();
            chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/'))
        };
        if !is_name(name) {
            return Err(format!("`{name}` is no name of a label"));
        }
        let operators = [("=~", true, true), ("!~", false, true), ("!=", false, false), ("=", true, false)];
        let found = operators.iter().find(|(operator, ..)| rest.starts_with(operator));
        let Some((operator, is_equal, is_regex)) = found else {
            return Err(format!("`{text}`: one of = != =~ !~ is needed"));
        };
        let value = rest.get(operator.len()..).unwrap_or_default().trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => {
                let quoted = quoted
                    .strip_suffix('"')
                    .ok_or_else(|| format!("`{text}`: the quotation mark is not closed"))?;
                quoted.replace("\\\"", "\"").replace("\\\\", "\\")
            }
            None => value.to_owned(),
        };
        if *is_regex {
            regex::Regex::new(&value).map_err(|_| format!("`{value}` is no regular expression"))?;
        }
        Ok(Self { name: name.to_owned(), value, is_regex: *is_regex, is_equal: *is_equal })
    }

    /// Reads several, separated by commas outside of quotation marks.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut parts = vec![String::new()];
        let (mut is_quoted, mut is_escaped) = (false, false);
        for c in text.trim().trim_start_matches('{').trim_end_matches('}').chars() {
            if c == ',' && !is_quoted {
                parts.push(String::new());
                continue;
            }
            is_quoted ^= c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            if let Some(part) = parts.last_mut() {
                part.push(c);
            }
        }
        parts.iter().filter(|part| !part.trim().is_empty()).map(|part| Self::parse(part)).collect()
    }

    /// Returns whether labels fit; a label that is not there is empty.
    pub fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        let fits = if self.is_regex {
            regex::Regex::new(&format!("^(?:{})$", self.value)).is_ok_and(|pattern| pattern.is_match(value))
        } else {
            value == self.value
        };
        fits == self.is_equal
    }
}
