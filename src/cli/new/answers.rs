//! The answers: from a file, from single words, checked by the same form as on the screen.

use super::Args;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::config::secret::{Secret, SecretSource};
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::scaffolder::engine::history::PastRun;
use crate::scaffolder::form::{Facts, Form, NoField, is_candidate, read_answers};
use crate::scaffolder::run::Host;
use crate::scaffolder::{Template, Value};
use minijinja::value::Serde;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// Largest file of answers, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Makes the form of a template, with the answers of a file or of an earlier run.
pub fn form(
    template: &Arc<Template>,
    args: &Args,
    past: Option<&PastRun>,
    host: &Host,
) -> Result<Form, CliError> {
    let mut answers = past.map_or(Value::UNDEFINED, |past| Value::from(Serde(&past.answers)));
    if let Some(path) = &args.values {
        let given = read(path)?;
        answers = merged(&answers, &given);
    }
    let facts = Facts { me: host.principal.clone(), hosts: host.form_hosts(), ..Facts::default() };
    Ok(Form::new(template.clone(), &answers, facts))
}

/// What a file says wins over an earlier run, key by key.
fn merged(before: &Value, given: &Value) -> Value {
    let pairs = |value: &Value| {
        let keys = value
            .try_iter()
            .into_iter()
            .flatten()
            .filter(|_| value.kind() == minijinja::value::ValueKind::Map);
        keys.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect::<Vec<_>>()
    };
    Value::from_pairs(pairs(before).into_iter().chain(pairs(given)))
}

fn read(path: &Path) -> Result<Value, CliError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| {
        let message = format!("could not read the answers in `{}`: {error}", clean(&shown));
        let diagnostic = Diagnostic::error("template::answers", message);
        if error.kind() == std::io::ErrorKind::NotFound {
            CliError::not_found(diagnostic)
        } else {
            CliError::failure(diagnostic)
        }
    };
    let mut text = String::new();
    if shown == "-" {
        std::io::stdin().take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    read_answers(&text, &shown).map_err(|diagnostic| CliError::misuse(*diagnostic))
}

/// Gives the form what stands on the command line; returns the secrets, and names that it does not ask for.
pub fn fill(form: &mut Form, args: &Args) -> Result<(BTreeMap<String, Secret>, Vec<NoField>), CliError> {
    let mut typed = Vec::new();
    for text in &args.set {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            CliError::usage(format!("`--set {}` gives no answer", clean(text)), "write `--set name=value`")
        })?;
        typed.push((name.to_owned(), value.to_owned()));
    }
    let unknown = form.set_all(&typed);
    let mut secrets = BTreeMap::new();
    for text in &args.secret {
        let (name, secret) = read_secret(text)?;
        form.set_secret(&name, SecretString::from(secret.expose().to_owned()));
        secrets.insert(name, secret);
    }
    Ok((secrets, unknown))
}

fn read_secret(text: &str) -> Result<(String, Secret), CliError> {
    let parts = text.split_once('=').and_then(|(name, place)| Some((name, place.split_once(':')?)));
    let (name, source) = match parts {
        Some((name, ("env", variable))) => (name, SecretSource::Env(variable.to_owned())),
        Some((name, ("file", path))) => (name, SecretSource::File(path.into())),
        Some((name, ("keyring", entry))) => (name, SecretSource::Keyring(entry.to_owned())),
        // the text itself may be the secret: it is not repeated
        _ => {
            return Err(CliError::usage(
                "`--secret` names no place to read a secret from",
                "write `--secret token=env:VARIABLE` or `token=file:PATH`; secrets on the command line are seen by others",
            ));
        }
    };
    let secret = source.read().map_err(|error| {
        CliError::Refused(Box::new(Diagnostic::error("template::secret", error.to_string())))
    })?;
    Ok((name.to_owned(), secret))
}

/// Returns the secrets that the form holds.
pub fn secrets(form: &Form) -> impl Iterator<Item = (String, Secret)> {
    form.secrets().iter().map(|(name, secret)| (name.clone(), Secret::new(secret.expose_secret())))
}

/// Says everything that is missing or wrong.
///
/// # Errors
/// [`CliError::Usage`] when there is anything.
pub fn require_complete(form: &Form, unknown: &[NoField], out: &mut Output) -> Result<(), CliError> {
    let gaps = form.gaps();
    let count = gaps.len() + unknown.len();
    if count == 0 {
        return Ok(());
    }
    for no_field in unknown {
        let message = clean(&no_field.to_string()).into_owned();
        out.diagnostic(&Diagnostic::error("template::answer", message));
    }
    for gap in &gaps {
        let place = if gap.pointer.is_empty() { "the answers" } else { &gap.pointer };
        let message = format!("{}: {} (spec{})", clean(place), clean(&gap.message), clean(&gap.schema));
        out.diagnostic(&Diagnostic::error("template::answer", message).pointer(gap.pointer.clone()));
    }
    let first = gaps.first().map_or("name", |gap| gap.pointer.trim_start_matches('/')).replace('/', ".");
    let what = if count == 1 { "one answer is".to_owned() } else { format!("{count} answers are") };
    Err(CliError::usage(
        format!("{what} missing or wrong, nothing was made"),
        format!(
            "give them with `--set {}=…` or `--values FILE`; `--save-answers FILE` writes a file to fill in",
            clean(&first)
        ),
    ))
}

/// Says which chosen entities the catalog does not have; a server would take them all the same.
pub fn tell_strays(form: &Form, host: &Host, out: &mut Output) {
    for (lookup, refs) in form.picked() {
        for entity_ref in refs
            .iter()
            .filter(|entity_ref| !is_candidate(&lookup, entity_ref, &host.catalog, &host.principal))
        {
            let message =
                format!("{}: the catalog offers no `{}` here", clean(&lookup.pointer), clean(entity_ref));
            out.diagnostic(&Diagnostic::warning("template::answer", message));
        }
    }
}

/// Writes the answers into a file.
///
/// # Errors
/// When it is there and nobody said yes, or cannot be written.
pub fn save(form: &Form, path: &Path, args: &Args, out: &mut Output) -> Result<(), CliError> {
    let shown = clean(&path.display().to_string()).into_owned();
    if path.exists() && !args.yes {
        return Err(CliError::usage(
            format!("`{shown}` exists"),
            "say `--yes` to replace it, or name another file",
        ));
    }
    let written = crate::store::write_atomic(path, form.to_yaml().as_bytes());
    written.map_err(|error| CliError::failed("template::answers", &error))?;
    out.note(&format!("the answers are in `{shown}`"));
    Ok(())
}
