//! `doctor`: checks what the program depends on; each finding says what to do.

mod checks;
mod clusters;
mod sources;

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session::{self, Session};
use super::version::{Form, VERSION};
use crate::model::text::clean;
use crate::store;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
    /// Also write everything into this file, without names and secrets, to attach to a bug report
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, could be better.
    Warn,
    /// Does not work.
    Fail,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `settings`, `source company`, …
    pub name: String,
    /// How it went.
    pub state: State,
    /// What was found.
    pub text: String,
    /// What to do, unless it is well.
    pub fix: Option<String>,
}

impl Finding {
    fn ok(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, text: text.into(), fix: None }
    }

    fn warn(name: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Warn, text: text.into(), fix: Some(fix.into()) }
    }

    fn fail(name: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Fail, text: text.into(), fix: Some(fix.into()) }
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Runs `doctor`.
///
/// # Errors
/// When the report cannot be written.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let findings = checks::all(&session);
    match args.output {
        Form::Json => out.json(
            &findings
                .iter()
                .map(|f| json!({"check": f.name, "state": f.state.word(), "message": f.text, "fix": f.fix}))
                .collect::<Vec<_>>(),
        )?,
        Form::Text => findings.iter().try_for_each(|finding| text(finding, out))?,
    }
    if let Some(file) = &args.report {
        let report = report(&session, &findings);
        store::write_atomic(file, report.as_bytes())
            .map_err(|error| CliError::failed("doctor::not-written", &error))?;
        out.note(&format!("wrote {}; read it before you share it", file.display()));
    }
    let failed = findings.iter().filter(|finding| finding.state == State::Fail).count();
    Ok(if failed > 0 { Exit::CheckFailed } else { Exit::Fine })
}

fn text(finding: &Finding, out: &mut Output) -> Result<(), CliError> {
    let (sign, role) = match finding.state {
        State::Ok => ("✓ ok  ", Role::Ok),
        State::Warn => ("! warn", Role::Warn),
        State::Fail => ("✗ fail", Role::Error),
    };
    let sign = out.paint(role, sign);
    out.line(&format!("{sign} {}: {}", clean(&finding.name), clean(&finding.text)))?;
    if let Some(fix) = &finding.fix {
        let fix = out.paint(Role::Dim, &format!("       fix: {}", clean(fix)));
        out.line(&fix)?;
    }
    Ok(())
}

/// Returns everything that helps with a bug, with home, names and secrets masked.
fn report(session: &Session, findings: &[Finding]) -> String {
    let mut text = format!("devportal {VERSION} on {} {}\n\n", std::env::consts::OS, std::env::consts::ARCH);
    for finding in findings {
        let _ = writeln!(text, "{} {}: {}", finding.state.word(), finding.name, finding.text);
    }
    text.push_str("\nsettings that are not built-in\n");
    for (setting, resolved) in session.config.rows() {
        if resolved.origin != crate::config::Origin::BuiltIn {
            let _ = writeln!(text, "{} = {} ({})", setting.key, resolved.value.to_text(), resolved.origin);
        }
    }
    text.push_str("\nsources\n");
    for source in session.loader.sources() {
        let _ = writeln!(text, "{} {}", source.kind, source.url.as_deref().unwrap_or("(local)"));
    }
    text.push_str("\nend of the log\n");
    let log = std::fs::read(session.config.paths.log_file()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(50)) {
        let _ = writeln!(text, "{line}");
    }
    redact(&text, session.config.paths.home.as_deref())
}

/// Masks the home folder, mail addresses, credentials in URLs and anything that calls itself a secret.
fn redact(text: &str, home: Option<&std::path::Path>) -> String {
    let mut text = text.to_owned();
    if let Some(home) = home.map(|home| home.display().to_string()) {
        let home = home.trim_end_matches('/');
        if !home.is_empty() {
            text = text.replace(home, "~");
        }
    }
    let masks = [
        (r"(?i)([a-z][a-z0-9+.-]*://)[^/\s@]+@", "$1***@"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "***@***"),
        (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}", "$1 ***"),
        (r#"(?i)(token|secret|password|passwd|api[_-]?key|authorization)(["']?\s*[=:]\s*)\S+"#, "$1$2***"),
        (r"([?&][\w-]+=)[^&\s]+", "$1***"),
    ];
    for (pattern, mask) in masks {
        if let Ok(pattern) = regex::Regex::new(pattern) {
            text = pattern.replace_all(&text, mask).into_owned();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_no_names_and_secrets() {
        let text = redact(
            "/home/ana/x https://ana:pw@git.example/x ana.ruiz@example.com token = abc123 \
             Authorization: Bearer abcdef123456 https://x.example/y?key=v&z=w",
            Some(std::path::Path::new("/home/ana")),
        );
        for secret in ["ana", "pw", "abc", "=v", "=w"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("~/x") && text.contains("git.example"), "{text}");
    }
}
