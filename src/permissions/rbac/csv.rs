//! Policy files in CSV: `p, subject, permission, action, effect` and `g, member, role`.
//!
//! Every line is read alone; one that cannot count is told with its place and the reason. Equal lines cancel
//! each other out, all of them, and so do lines that differ in their effect alone: that is what the original
//! does when it starts, and what a person reading the file does not expect.

use super::PolicyFile;
use super::known::Action;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::text::{clean, nearest};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Lines of one file that are looked at.
const MAX_LINES: usize = 200_000;
/// Longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File for people.
    pub file: Arc<str>,
    /// Line, from 1; 0 for what stands in no file.
    pub line: u32,
}

impl Place {
    /// Returns the place for a message.
    pub fn location(&self, column: u32) -> SourceLocation {
        SourceLocation::at(self.file.clone(), self.line, column)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// What a line says about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
}

impl Effect {
    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A line `p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLine {
    /// Role, user or group, as written.
    pub subject: Arc<str>,
    /// Name of a permission, or the type of what it judges.
    pub permission: Arc<str>,
    /// What is done.
    pub action: Action,
    /// What it says.
    pub effect: Effect,
    /// There are further fields: the original fails over such a line, which denies.
    pub has_more: bool,
    /// Where it stands.
    pub place: Place,
}

/// A line `g`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLine {
    /// User or group, lower case.
    pub member: Arc<str>,
    /// Role, as written.
    pub role: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

/// A line before it is judged.
struct Row {
    fields: Vec<String>,
    place: Place,
    text: String,
}

/// The lines of all files, before equal ones are compared.
#[derive(Default)]
pub(super) struct Lines {
    rows: Vec<Row>,
}

impl Lines {
    pub(super) fn read(&mut self, file: &PolicyFile, problems: &mut Vec<Diagnostic>) {
        for (text, number) in file.text.split('\n').zip(1..).take(MAX_LINES) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let row = Row {
                fields: Vec::new(),
                place: Place { file: file.name.clone(), line: number },
                text: clean(text.get(..200).unwrap_or(text)).into_owned(),
            };
            if text.len() > MAX_LINE {
                problems.push(row.fault("rbac::line", "the line is longer than 64 kB"));
                continue;
            }
            match fields(text) {
                Ok(mut fields) => {
                    if let [kind, member, ..] = fields.as_mut_slice()
                        && kind.starts_with('g')
                    {
                        *member = member.to_lowercase();
                    }
                    match fields.first().map(String::as_str) {
                        Some("p" | "g") => self.rows.push(Row { fields, ..row }),
                        other => problems.push(row.fault(
                            "rbac::line",
                            &format!("`{}` is neither `p` nor `g`", clean(other.unwrap_or_default())),
                        )),
                    }
                }
                Err(reason) => problems.push(row.fault("rbac::line", reason)),
            }
        }
    }

    /// Returns the lines that count.
    pub(super) fn accept(
        self,
        is_lenient: bool,
        problems: &mut Vec<Diagnostic>,
    ) -> (Vec<PolicyLine>, Vec<GroupLine>) {
        let mut equal: FxHashMap<Vec<&str>, Vec<&Place>> = FxHashMap::default();
        for row in &self.rows {
            equal.entry(row.fields.iter().map(String::as_str).collect()).or_default().push(&row.place);
        }
        let (mut policies, mut groups) = (Vec::new(), Vec::new());
        for row in &self.rows {
            let key: Vec<&str> = row.fields.iter().map(String::as_str).collect();
            let checked = match key.as_slice() {
                ["p", rest @ ..] => policy(rest, &row.place).map(Line::Policy),
                [_, rest @ ..] => group(rest, &row.place).map(Line::Group),
                [] => continue,
            };
            let line = match checked {
                Ok(line) => line,
                Err(reason) => {
                    problems.push(row.fault("rbac::line", &reason));
                    continue;
                }
            };
            let copies = equal.get(&key).map_or(&[][..], Vec::as_slice);
            if copies.len() > 1 {
                let is_first = copies.first() == Some(&&row.place);
                if !is_lenient || !is_first {
                    problems.push(row.repeated(copies, is_lenient));
                }
                if !is_lenient || !is_first {
                    continue;
                }
            }
            if let Some(other) = opposite(&key).and_then(|key| equal.get(key.as_slice())) {
                problems.push(row.contradicted(other));
                continue;
            }
            match line {
                Line::Policy(line) => policies.push(line),
                Line::Group(line) => groups.push(line),
            }
        }
        (policies, groups)
    }
}

enum Line {
    Policy(PolicyLine),
    Group(GroupLine),
}

impl Row {
    fn fault(&self, code: &'static str, reason: &str) -> Diagnostic {
        let width = self.text.chars().count() as u32;
        Diagnostic::error(code, format!("the line does not count: {reason}"))
            .at(self.place.location(1))
            .snippet(self.text.clone(), width, "")
    }

    fn repeated(&self, copies: &[&Place], is_lenient: bool) -> Diagnostic {
        let others: Vec<String> = copies
            .iter()
            .filter(|place| ***place != self.place)
            .map(|place| place.line.to_string())
            .collect();
        let others = others.join(", ");
        let reason = format!("the same stands in line {others}");
        if is_lenient {
            return self.fault("rbac::repeated", &reason);
        }
        self.fault("rbac::repeated", &format!("{reason}; equal lines cancel each other out, all of them"))
            .hint("keep one of them")
    }

    fn contradicted(&self, others: &[&Place]) -> Diagnostic {
        let lines: Vec<String> = others.iter().map(|place| place.line.to_string()).collect();
        self.fault(
            "rbac::contradicted",
            &format!("line {} says the opposite; both cancel each other out", lines.join(", ")),
        )
        .hint("keep the one that is meant")
    }
}

/// The same line with the other effect.
fn opposite<'a>(key: &[&'a str]) -> Option<Vec<&'a str>> {
    let ["p", subject, permission, action, effect, ..] = key else { return None };
    let other = if *effect == "deny" { "allow" } else { "deny" };
    Some(vec!["p", subject, permission, action, other])
}

fn policy(fields: &[&str], place: &Place) -> Result<PolicyLine, String> {
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let (subject, permission, action, effect) = (field(0), field(1), field(2), field(3));
    check_ref(subject)?;
    if permission.is_empty() {
        return Err("the permission is missing".to_owned());
    }
    if permission.contains('"') {
        return Err("a permission has no quotation marks in it".to_owned());
    }
    let Some(action) = Action::parse(action) else {
        return Err(word_fault("action", action, &Action::ALL.map(Action::word)));
    };
    let effect = match effect {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        other => return Err(word_fault("effect", other, &["allow", "deny"])),
    };
    Ok(PolicyLine {
        subject: subject.into(),
        permission: permission.into(),
        action,
        effect,
        has_more: fields.len() > 4,
        place: place.clone(),
    })
}

fn word_fault(what: &str, word: &str, words: &[&str]) -> String {
    if word.is_empty() {
        return format!("the {what} is missing; it is one of {}", words.join(", "));
    }
    let near = nearest(word, words.iter().copied());
    let meant = near.first().map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
    format!("`{}` is no {what}; it is one of {}{meant}", clean(word), words.join(", "))
}

fn group(fields: &[&str], place: &Place) -> Result<GroupLine, String> {
    let [member, role] = fields else {
        return Err(format!("a line `g` has a member and a role, this one has {} fields", fields.len()));
    };
    let member_kind = check_ref(member)?;
    let role_kind = check_ref(role)?;
    match (member_kind, role_kind) {
        ("role", _) => Err("a role cannot be a member of a role".to_owned()),
        (_, "role") => Ok(GroupLine { member: (*member).into(), role: (*role).into(), place: place.clone() }),
        ("group", "group") => Err("which group is part of which is the catalog's to say".to_owned()),
        ("user", "group") => Err("who belongs to a group is the catalog's to say".to_owned()),
        _ => Err(format!("`{role}` is no role")),
    }
}

/// Checks a whole ref and returns its kind.
pub(super) fn check_ref(text: &str) -> Result<&str, String> {
    let whole = "a whole ref is needed, `kind:namespace/name`";
    if text.is_empty() {
        return Err(format!("the ref is missing; {whole}"));
    }
    let shown = clean(text);
    let Some((kind, rest)) = text.split_once(':') else { return Err(format!("`{shown}`: {whole}")) };
    let Some((namespace, name)) = rest.split_once('/') else { return Err(format!("`{shown}`: {whole}")) };
    if !matches!(kind, "user" | "group" | "role") {
        return Err(format!("`{shown}`: the kind is user, group or role, lower case"));
    }
    let is_parts = |text: &str, separators: &[char], is_letter: fn(char) -> bool| {
        text.len() <= 63 && text.split(separators).all(|part| !part.is_empty() && part.chars().all(is_letter))
    };
    if !is_parts(name, &['.', '_', '-'], |c| c.is_ascii_alphanumeric()) {
        return Err(format!(
            "`{shown}`: a name is letters and digits, joined by single `-`, `_` or `.`, at most 63"
        ));
    }
    if !is_parts(namespace, &['-'], |c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Err(format!(
            "`{shown}`: a namespace is lower-case letters and digits, joined by single `-`, at most 63"
        ));
    }
    Ok(kind)
}

/// Splits a line at commas outside of quotation marks and trims the fields.
fn fields(line: &str) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)?;
            fields.push(field);
            match after.trim_start_matches([' ', '\t']).strip_prefix(',') {
                Some(next) => rest = next,
                None if after.trim().is_empty() => return Ok(fields),
                None => return Err("text stands behind a closing quotation mark"),
            }
            continue;
        }
        let (field, next) = match rest.split_once(',') {
            Some((field, next)) => (field, Some(next)),
            None => (rest, None),
        };
        if field.contains('"') {
            return Err("a quotation mark stands in the middle of a field");
        }
        fields.push(field.trim().to_owned());
        match next {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// Reads up to the closing quotation mark; two of them stand for one.
fn quoted_field(text: &str) -> Result<(String, &str), &'static str> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else { return Err("a quotation mark is not closed") };
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after)),
        }
    }
}
