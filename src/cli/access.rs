//! Access control from the settings: reads the policy files and makes the view of the person.

use crate::catalog::access::Access;
use crate::config::setting::{self, Value};
use crate::config::{Config, Inputs};
use crate::diagnostic::Diagnostic;
use crate::permissions::Claims;
use crate::permissions::rbac::{Action, PolicyFile, Rules, Settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest policy file, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Files that decide.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Roles and policies in CSV.
    pub policies: Vec<PathBuf>,
    /// Conditional policies in YAML.
    pub conditions: Vec<PathBuf>,
}

impl Files {
    /// Returns the files that the settings name.
    pub fn configured(config: &Config, inputs: &Inputs) -> Self {
        let working = inputs.project.as_deref().and_then(Path::parent);
        let files = |setting| config.files(setting, working);
        Self {
            policies: files(&setting::PERMISSIONS_POLICIES),
            conditions: files(&setting::PERMISSIONS_CONDITIONS),
        }
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.conditions.is_empty()
    }
}

/// Returns the view of the person when access control is on. A file that cannot be read allows nothing; what is
/// wrong is told.
pub fn open(config: &Config, inputs: &Inputs, claims: &Claims) -> (Option<Arc<Access>>, Vec<Diagnostic>) {
    if !config.flag(&setting::PERMISSIONS_ENABLED) {
        return (None, Vec::new());
    }
    let files = Files::configured(config, inputs);
    let (rules, found) = rules(config, &files);
    let is_told = |problem: &Diagnostic| matches!(problem.code, "rbac::file" | "rbac::default");
    let (mut problems, rejected): (Vec<_>, Vec<_>) = found.into_iter().partition(is_told);
    if !rejected.is_empty() {
        let message = format!("access control: {} lines of the policy files do not count", rejected.len());
        problems.push(
            Diagnostic::warning("rbac::rejected", message).hint("`devportal rbac lint` tells which and why"),
        );
    }
    if files.is_empty() && rules.settings().super_users.is_empty() {
        problems.push(
            Diagnostic::warning(
                "rbac::nothing",
                "access control is on and no policy file is named: nobody may anything",
            )
            .hint("name one with `permissions.policies`, or take `permissions.enabled` away"),
        );
    }
    (Some(Arc::new(Access::new(rules, claims.clone()))), problems)
}

/// Reads policy files with what the settings say beside them.
pub fn rules(config: &Config, files: &Files) -> (Rules, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let settings = settings(config, &mut problems);
    let policies = read(&files.policies, &mut problems);
    let conditions = read(&files.conditions, &mut problems);
    let (rules, rejected) = Rules::read(settings, &policies, &conditions);
    problems.extend(rejected);
    (rules, problems)
}

fn settings(config: &Config, problems: &mut Vec<Diagnostic>) -> Settings {
    let text = |setting| Some(config.text(setting).to_owned()).filter(|text| !text.is_empty());
    let mut default_permissions = Vec::new();
    for line in config.words(&setting::PERMISSIONS_DEFAULT) {
        let (permission, action) = line.trim().split_once(' ').unwrap_or((line.trim(), "use"));
        match Action::parse(action.trim()) {
            Some(action) => default_permissions.push((permission.to_owned(), action)),
            None => problems.push(Diagnostic::error(
                "rbac::default",
                format!(
                    "`{line}` in `permissions.default_permissions` does not count: `{action}` is no action"
                ),
            )),
        }
    }
    Settings {
        super_users: config.words(&setting::PERMISSIONS_SUPER_USERS).to_vec(),
        admins: config.words(&setting::PERMISSIONS_ADMINS).to_vec(),
        default_role: text(&setting::PERMISSIONS_DEFAULT_ROLE),
        default_permissions,
        max_depth: match config.get(&setting::PERMISSIONS_MAX_DEPTH).value {
            Value::Number(most) => usize::try_from(most).ok(),
            _ => None,
        },
        is_basic_first: config.text(&setting::PERMISSIONS_PRECEDENCE) == "basic",
        is_lenient: config.flag(&setting::PERMISSIONS_LENIENT),
    }
}

fn read(paths: &[PathBuf], problems: &mut Vec<Diagnostic>) -> Vec<PolicyFile> {
    let mut files = Vec::new();
    for path in paths {
        let name: Arc<str> = path.display().to_string().into();
        let size = std::fs::metadata(path).map_or(0, |found| found.len());
        let text = if size > MAX_BYTES {
            Err(format!("it has more than {} MB", MAX_BYTES / 1024 / 1024))
        } else {
            std::fs::read(path)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|e| e.to_string())
        };
        match text {
            Ok(text) => files.push(PolicyFile { name, text }),
            Err(cause) => problems.push(
                Diagnostic::error("rbac::file", format!("the policy file `{name}` cannot be read: {cause}"))
                    .hint("what it would allow is denied until it can be read"),
            ),
        }
    }
    files
}
