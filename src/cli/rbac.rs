//! `rbac`: why somebody may or may not, what is wrong with the policy files, who may what.

use super::access::{self, Files};
use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session::{self, Session};
use super::table::{self, Cell};
use super::version::Form;
use crate::catalog::access::People;
use crate::catalog::{Catalog, LoadOptions, Loader, Progress};
use crate::diagnostic::Diagnostic;
use crate::model::EntityRef;
use crate::permissions::rbac::known::KNOWN;
use crate::permissions::rbac::{Action, Answer, Asked, Directory as _, Effect, Outcome, Resource, Rules};
use crate::permissions::{Decision, Policy as _};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `rbac`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Decide one question and show the way to the answer; exit code 8 when it is no
    Check(CheckArgs),
    /// Check policy files: lines that do not count, roles without members, unknown people
    Lint(LintArgs),
    /// Show what every role may do
    Matrix(MatrixArgs),
    /// Show who gains and who loses what between two policy files
    Diff(DiffArgs),
}

#[derive(Debug, clap::Args)]
struct PolicyArgs {
    /// Policy file in CSV in place of the configured ones; several are joined
    #[arg(long = "policy", value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// File of conditional policies in place of the configured ones
    #[arg(long = "conditions", value_name = "FILE")]
    conditions: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Who: a User's name or ref
    #[arg(long, value_name = "USER")]
    user: String,
    /// Name of the permission: `catalog.entity.read`
    #[arg(long, value_name = "PERMISSION")]
    permission: String,
    /// What it is done to, where the answer depends on it
    #[arg(long, value_name = "ENTITY")]
    entity: Option<String>,
    /// What is done, for permissions that are not known by name: create, read, update, delete, use
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Type of what is judged, for permissions that are not known by name
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

#[derive(Debug, clap::Args)]
struct LintArgs {
    /// Policy files in CSV and conditional policies in YAML; without any the configured ones
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableForm {
    /// A table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// An array of objects.
    Json,
}

#[derive(Debug, clap::Args)]
struct MatrixArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: TableForm,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// Policy file of before
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Policy file of after
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

/// Runs `rbac`.
///
/// # Errors
/// [`CliError`] for files and refs that do not exist, and when the person may not see policies.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let mut session = session::open(global);
    match &args.action {
        Command::Check(args) => {
            let (files, catalog) = (files(&session, &args.policy)?, whole_catalog(&mut session, out)?);
            let rules = read(&session, &files, out);
            check(&rules, &catalog, args, global, out)
        }
        Command::Lint(args) => lint(&mut session, args, out),
        Command::Matrix(args) => {
            whole_catalog(&mut session, out)?;
            let rules = read(&session, &files(&session, &args.policy)?, out);
            matrix(&rules, args.output, out)
        }
        Command::Diff(args) => {
            let catalog = whole_catalog(&mut session, out)?;
            diff(&session, &catalog, args, out)
        }
    }
}

/// Reads the whole catalog: who belongs to what is not asked of what one person may see.
fn whole_catalog(session: &mut Session, out: &mut Output) -> Result<Arc<Catalog>, CliError> {
    let loaded = session.load(out)?;
    let Some(access) = session.loader.options().access.clone() else { return Ok(loaded.catalog) };
    let me = session.identity(&loaded.catalog).principal;
    if let Decision::Deny { reason } = access.decide(&me, "policy.entity.read", None) {
        return Err(CliError::refused(
            Diagnostic::error("rbac::forbidden", format!("policies may not be seen: {reason}"))
                .hint("those with the role `role:default/rbac_admin` may; `permissions.admins` names them"),
        ));
    }
    let options = LoadOptions { access: None, ..session.loader.options().clone() };
    session.loader = Arc::new(Loader::new(session.loader.sources().to_vec(), options));
    Ok(session.loader.load(&Progress::none()))
}

fn files(session: &Session, given: &PolicyArgs) -> Result<Files, CliError> {
    let given = Files { policies: given.policies.clone(), conditions: given.conditions.clone() };
    let files = if given.is_empty() { Files::configured(&session.config, &session.inputs) } else { given };
    if files.is_empty() {
        return Err(CliError::usage(
            "no policy file is named",
            "give one with `--policy FILE`, or configure `permissions.policies`",
        ));
    }
    Ok(files)
}

fn read(session: &Session, files: &Files, out: &mut Output) -> Rules {
    let (rules, problems) = access::rules(&session.config, files);
    for problem in &problems {
        out.diagnostic(problem);
    }
    rules
}

fn check(
    rules: &Rules,
    catalog: &Catalog,
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let user = EntityRef::parse(&args.user, Some("user"), "default").map_err(|error| {
        CliError::usage(
            format!("`{}` is no user: {error}", args.user),
            "write `user:default/NAME` or the name",
        )
    })?;
    let user = user.to_string();
    let mut asked = Asked::about(&args.permission);
    if let Some(word) = &args.action {
        asked.action = Action::parse(word).ok_or_else(|| {
            CliError::usage(format!("`{word}` is no action"), Action::ALL.map(Action::word).join(", "))
        })?;
    }
    asked.resource_type = args.resource_type.clone().or(asked.resource_type);
    let people = People(catalog);
    let answer = rules.decide(Some(&user), &asked, &people);
    let entity = match &args.entity {
        Some(text) => Some(super::select::one(catalog, text, None, global)?),
        None => None,
    };
    let mut judged = None;
    if let Some(entity) = entity.and_then(|id| catalog.entity(id)) {
        let owners: Vec<&str> = entity.targets("ownedBy").map(|id| catalog.ref_of(id)).collect();
        judged = Some(answer.judge(Resource::Entity { value: entity.value(), owners: &owners }));
    }
    let outcome = match &judged {
        Some(judged) if judged.holds => Outcome::Allow,
        Some(_) => Outcome::Deny,
        None => answer.outcome,
    };
    let is_known = people.is_known(&user);
    let told = Told { user: &user, is_known, asked: &asked, entity: args.entity.as_deref(), outcome };
    let failed: Vec<&[String]> =
        judged.iter().flat_map(|judged| &judged.each).map(|(_, failed)| failed.as_slice()).collect();
    let holds: Vec<Option<bool>> = match &judged {
        Some(judged) => judged.each.iter().map(|(holds, _)| Some(*holds)).collect(),
        None => vec![None; answer.conditions.len()],
    };
    match args.output {
        Form::Json => out.json(&told.json(&answer, &holds, &failed))?,
        Form::Text => told.print(&answer, &holds, &failed, out)?,
    }
    Ok(if outcome == Outcome::Deny { Exit::CheckFailed } else { Exit::Fine })
}

/// What is told of a decision beside the way to it.
struct Told<'a> {
    user: &'a str,
    is_known: bool,
    asked: &'a Asked,
    entity: Option<&'a str>,
    outcome: Outcome,
}

impl Told<'_> {
    fn json(&self, answer: &Answer<'_>, holds: &[Option<bool>], failed: &[&[String]]) -> Value {
        let roles = answer.roles.iter().map(|way| {
            json!({"role": &*way.role, "path": way.path, "file": &*way.place.file, "line": way.place.line})
        });
        let lines = answer.lines.iter().map(|line| {
            json!({
                "subject": &*line.subject, "permission": &*line.permission, "action": line.action.word(),
                "effect": line.effect.word(), "file": &*line.place.file, "line": line.place.line,
            })
        });
        let conditions = answer.conditions.iter().enumerate().map(|(at, condition)| {
            json!({
                "role": &*condition.role, "conditions": condition.criteria.shown(),
                "file": &*condition.place.file, "line": condition.place.line,
                "holds": holds.get(at).copied().flatten(),
                "failed": failed.get(at).copied().unwrap_or_default(),
            })
        });
        json!({
            "user": self.user, "known": self.is_known, "permission": self.asked.permission,
            "action": self.asked.action.word(), "resourceType": self.asked.resource_type,
            "entity": self.entity, "decision": self.outcome.word(), "reason": answer.reason,
            "trace": {
                "roles": roles.collect::<Vec<_>>(), "lines": lines.collect::<Vec<_>>(),
                "conditions": conditions.collect::<Vec<_>>(), "cycle": answer.cycle,
            },
        })
    }

    fn print(
        &self,
        answer: &Answer<'_>,
        holds: &[Option<bool>],
        failed: &[&[String]],
        out: &mut Output,
    ) -> Result<(), CliError> {
        let (role, word) = match self.outcome {
            Outcome::Allow => (Role::Ok, "allowed"),
            Outcome::Deny => (Role::Error, "denied"),
            Outcome::Conditional => (Role::Warn, "depends on what it is done to"),
        };
        let on = self.entity.map(|entity| format!(" on {entity}")).unwrap_or_default();
        let Asked { permission, action, .. } = self.asked;
        let verdict = out.paint(role, word);
        out.line(&format!("{verdict}: {} {permission} ({}){on}", self.user, action.word()))?;
        out.line(&format!("  because {}", answer.reason))?;
        if !self.is_known {
            out.line("  the catalog describes no such user: only lines that name the user count")?;
        }
        out.line("roles")?;
        if answer.roles.is_empty() {
            out.line("  none")?;
        }
        for way in &answer.roles {
            let path = if way.path.is_empty() { "everybody".to_owned() } else { way.path.join(" > ") };
            out.line(&format!("  {}  over {path}  {}", way.role, way.place))?;
        }
        if !answer.lines.is_empty() {
            out.line("lines")?;
        }
        for line in &answer.lines {
            let (subject, permission, action) = (&line.subject, &line.permission, line.action.word());
            let effect = line.effect.word();
            out.line(&format!("  {}  {subject}, {permission}, {action}, {effect}", line.place))?;
        }
        if !answer.conditions.is_empty() {
            out.line("conditions")?;
        }
        for (at, condition) in answer.conditions.iter().enumerate() {
            let sign = match holds.get(at).copied().flatten() {
                Some(true) => "holds",
                Some(false) => "does not hold",
                None => "depends",
            };
            out.line(&format!("  {}  {}: {sign}", condition.place, condition.role))?;
            out.line(&format!("    {}", condition.criteria.shown()))?;
            for rule in failed.get(at).copied().unwrap_or_default() {
                out.line(&format!("    failed: {rule}"))?;
            }
        }
        Ok(())
    }
}

fn lint(session: &mut Session, args: &LintArgs, out: &mut Output) -> Result<Exit, CliError> {
    let is_yaml =
        |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let files = if args.files.is_empty() {
        files(session, &PolicyArgs { policies: Vec::new(), conditions: Vec::new() })?
    } else {
        let (conditions, policies): (Vec<&PathBuf>, Vec<&PathBuf>) = args.files.iter().partition(is_yaml);
        Files {
            policies: policies.into_iter().cloned().collect(),
            conditions: conditions.into_iter().cloned().collect(),
        }
    };
    let catalog = whole_catalog(session, out)?;
    let (rules, mut problems) = access::rules(&session.config, &files);
    problems.extend(findings(&rules, People(&catalog)));
    match args.output {
        Form::Json => out.json(&problems)?,
        Form::Text => {
            for problem in &problems {
                out.text(&super::output::render(problem, out.has_colour()))?;
                out.line("")?;
            }
            let errors = problems.iter().filter(|problem| problem.is_error()).count();
            let warnings = problems.len() - errors;
            let roles = rules.roles().len();
            out.line(&format!("{roles} roles: {errors} errors, {warnings} warnings"))?;
        }
    }
    Ok(if problems.is_empty() { Exit::Fine } else { Exit::CheckFailed })
}

/// What counts and still does nothing, or not what it seems to.
fn findings(rules: &Rules, people: People<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for role in rules.roles() {
        let is_default = rules.settings().default_role.as_deref() == Some(&*role);
        if rules.members_of(&role).is_empty()
            && !is_default
            && let Some(line) = rules.lines_of(&role).first()
        {
            let message = format!("`{role}` has no members: none of its lines does anything");
            found.push(
                Diagnostic::warning("rbac::role-without-members", message)
                    .at(line.place.location(1))
                    .hint(format!("give it members with a line `g, group:default/TEAM, {role}`")),
            );
        }
        for line in rules.members_of(&role) {
            if line.place.line > 0 && !people.is_known(&line.member) {
                let message =
                    format!("`{}` is a member of `{role}`, and the catalog describes none", line.member);
                found.push(Diagnostic::warning("rbac::unknown-member", message).at(line.place.location(1)));
            }
        }
        found.extend(shadowed(rules, &role));
    }
    found
}

/// Lines about a type that lines about the permission by name, or conditions, take the place of.
fn shadowed(rules: &Rules, role: &str) -> Vec<Diagnostic> {
    let lines = rules.lines_of(role);
    let mut found = Vec::new();
    for line in lines {
        let about: Vec<&str> = KNOWN
            .iter()
            .filter(|known| known.resource_type == Some(&*line.permission) && known.action == line.action)
            .map(|known| known.name)
            .collect();
        let is_named = |name: &&str| {
            lines.iter().any(|other| *other.permission == **name && other.action == line.action)
        };
        if !about.is_empty() && about.iter().all(is_named) {
            let message = format!(
                "the line about `{}` never counts: {} is named by itself",
                line.permission,
                about.join(", ")
            );
            found.push(Diagnostic::warning("rbac::shadowed", message).at(line.place.location(1)));
            continue;
        }
        let condition = rules.conditions_of(role).iter().find(|condition| {
            let asks = |name: &str| condition.is_about(name, &line.permission, line.action);
            about.iter().any(|name| asks(name))
        });
        if let Some(condition) = condition.filter(|_| !rules.settings().is_basic_first) {
            let message = format!(
                "the line about `{}` never counts: the condition in {} decides first",
                line.permission, condition.place
            );
            found.push(Diagnostic::warning("rbac::shadowed", message).at(line.place.location(1)));
        }
    }
    found
}

/// Everything that some line or condition is about, with its action.
fn objects(rules: &[&Rules]) -> BTreeSet<(String, Action)> {
    let mut objects = BTreeSet::new();
    for rules in rules {
        for role in rules.roles() {
            for line in rules.lines_of(&role) {
                objects.insert((line.permission.to_string(), line.action));
            }
            for condition in rules.conditions_of(&role) {
                for mapping in &condition.mapping {
                    let name = mapping.name.clone().unwrap_or_else(|| condition.resource_type.clone());
                    objects.insert((name, mapping.action));
                }
            }
        }
    }
    objects
}

fn cell(rules: &Rules, role: &str, permission: &str, action: Action) -> &'static str {
    let is_about = |condition: &&crate::permissions::rbac::Conditional| {
        condition.is_about(permission, permission, action) || {
            let of_type =
                crate::permissions::rbac::known::find(permission).and_then(|known| known.resource_type);
            of_type.is_some_and(|of_type| condition.is_about(permission, of_type, action))
        }
    };
    if rules.conditions_of(role).iter().any(|condition| is_about(&condition)) {
        return "conditional";
    }
    let lines = || {
        let lines = rules.lines_of(role).iter();
        lines.filter(|line| *line.permission == *permission && line.action == action)
    };
    match (lines().any(|line| line.effect == Effect::Deny), lines().next()) {
        (true, _) => "deny",
        (_, Some(_)) => "allow",
        _ => "",
    }
}

fn matrix(rules: &Rules, form: TableForm, out: &mut Output) -> Result<Exit, CliError> {
    let (roles, objects) = (rules.roles(), objects(&[rules]));
    if form == TableForm::Json {
        let rows: Vec<Value> = objects
            .iter()
            .map(|(permission, action)| {
                let cells: BTreeMap<&str, &str> = roles
                    .iter()
                    .map(|role| (&**role, cell(rules, role, permission, *action)))
                    .filter(|(_, cell)| !cell.is_empty())
                    .collect();
                json!({"permission": permission, "action": action.word(), "roles": cells})
            })
            .collect();
        out.json(&rows)?;
        return Ok(Exit::Fine);
    }
    let mut head = vec!["PERMISSION", "ACTION"];
    head.extend(roles.iter().map(|role| role.strip_prefix("role:default/").unwrap_or(role)));
    let rows: Vec<Vec<Cell>> = objects
        .iter()
        .map(|(permission, action)| {
            let first = [Cell::new(permission), Cell::new(action.word())];
            let cells = roles.iter().map(|role| match cell(rules, role, permission, *action) {
                "" => Cell::new("-").role(Some(Role::Dim)),
                "deny" => Cell::new("deny").role(Some(Role::Error)),
                "allow" => Cell::new("allow").role(Some(Role::Ok)),
                word => Cell::new(word).role(Some(Role::Warn)),
            });
            first.into_iter().chain(cells).collect()
        })
        .collect();
    match form {
        TableForm::Csv => table::csv(out, &head, &rows)?,
        _ => table::print(out, &head, &rows)?,
    }
    Ok(Exit::Fine)
}

fn diff(session: &Session, catalog: &Catalog, args: &DiffArgs, out: &mut Output) -> Result<Exit, CliError> {
    let conditions = Files::configured(&session.config, &session.inputs).conditions;
    let with = |policy: &PathBuf| Files { policies: vec![policy.clone()], conditions: conditions.clone() };
    let (old, new) = (read(session, &with(&args.old), out), read(session, &with(&args.new), out));
    let people = People(catalog);
    let asked: Vec<Asked> = asked(&objects(&[&old, &new]));
    let users = catalog.entities().filter(|entity| entity.kind().eq_ignore_ascii_case("user"));
    let mut rows: Vec<(String, String, &str, &str)> = Vec::new();
    for user in users {
        for asked in &asked {
            let of = |rules: &Rules| rules.decide(Some(user.entity_ref()), asked, &people).outcome.word();
            let (before, after) = (of(&old), of(&new));
            if before != after {
                let what = format!("{} {}", asked.permission, asked.action.word());
                rows.push((user.entity_ref().to_owned(), what, before, after));
            }
        }
    }
    match args.output {
        Form::Json => {
            let rows: Vec<Value> = rows
                .iter()
                .map(|(user, what, before, after)| {
                    let (permission, action) = what.split_once(' ').unwrap_or((what, ""));
                    json!({"user": user, "permission": permission, "action": action, "before": before, "after": after})
                })
                .collect();
            out.json(&rows)?;
        }
        Form::Text if rows.is_empty() => out.line("nobody gains or loses anything")?,
        Form::Text => {
            for (user, what, before, after) in &rows {
                let (sign, role) = match *after {
                    "deny" => ("loses", Role::Error),
                    "allow" => ("gains", Role::Ok),
                    _ => ("changes", Role::Warn),
                };
                out.line(&format!("{} {user}  {what}  {before} > {after}", out.paint(role, sign)))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// Questions about everything that is named: permissions by name, and those of a type that is named.
fn asked(objects: &BTreeSet<(String, Action)>) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for (name, action) in objects {
        let of_type = KNOWN
            .iter()
            .filter(|known| known.resource_type == Some(name.as_str()) && known.action == *action);
        let of_type: Vec<Asked> = of_type.map(|known| Asked::about(known.name)).collect();
        let by_name = Asked { action: *action, ..Asked::about(name) };
        for question in if of_type.is_empty() { vec![by_name] } else { of_type } {
            if !asked.contains(&question) {
                asked.push(question);
            }
        }
    }
    asked
}
