//! `alerts`, `mute`, `unmute`, `silences`: what is firing, whose it is, and quiet for a while.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session::{self, Session};
use super::table::{self, Cell};
use super::version::Form;
use crate::alerts::bind::{About, Bindings};
use crate::alerts::{Alert, Board, Matcher, Provider, Severity, Silence, State, collect, server};
use crate::app::context::age;
use crate::catalog::Catalog;
use crate::config::setting;
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::net::{Net, NetOptions};
use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Arguments of `alerts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only about this entity: its name or ref
    #[arg(value_name = "REF")]
    entity: Option<String>,
    /// Only about entities of this owner: `me`, a group or a user
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Only as bad as this, or worse
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// Silenced and pending ones too
    #[arg(long)]
    all: bool,
    /// Exit with 8 when something as bad as this fires
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: ListForm,
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListForm {
    /// A table for people.
    Table,
    /// A table with everything.
    Wide,
    /// An array of objects.
    Json,
    /// One object a line.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// Arguments of `mute`.
#[derive(Debug, clap::Args)]
pub struct MuteArgs {
    /// Name of the alert; further labels tell it apart: `service=till`, `severity=~"warn.*"`
    #[arg(value_name = "ALERT|MATCHER", required = true)]
    what: Vec<String>,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = super::args::parse_timeout)]
    time: Duration,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Server that is to be quiet; needed where there are several
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

/// Arguments of `silences`.
#[derive(Debug, clap::Args)]
pub struct SilencesArgs {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

/// Arguments of `unmute`.
#[derive(Debug, clap::Args)]
pub struct UnmuteArgs {
    /// Id of the silence, as `silences` prints it
    #[arg(value_name = "ID")]
    id: String,
    /// Server that has it; needed where there are several
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
}

fn severity(word: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.word() == word);
    found.ok_or_else(|| format!("one of {}", Severity::ALL.map(Severity::word).join(", ")))
}

fn providers(session: &Session) -> Result<Vec<Box<dyn Provider>>, CliError> {
    let config = &session.config;
    if config.alert_providers.is_empty() {
        return Err(CliError::usage(
            "no server of alerts is configured",
            "add one to config.toml: [[alerts.provider]] with name, type = \"prometheus\" or \"alertmanager\", and url",
        ));
    }
    let defaults = NetOptions::default();
    let net = Net::new(NetOptions {
        offline: config.flag(&setting::OFFLINE),
        connect_timeout: config.duration(&setting::HTTP_CONNECT_TIMEOUT),
        timeout: session.timeout.unwrap_or(defaults.timeout),
        ..defaults
    });
    Ok(server::open(&config.alert_providers, &Arc::new(net)))
}

/// An alert with whom it concerns.
struct Row<'b> {
    alert: &'b Alert,
    about: Vec<About>,
}

/// Runs `alerts`.
///
/// # Errors
/// [`CliError::Unreachable`] when no server answered.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let providers = providers(&session)?;
    let loaded = session.load(out)?;
    let catalog = &loaded.catalog;
    let board = collect(&providers, &CancellationToken::new());
    tell_faults(&board, providers.len(), out)?;
    let bindings = Bindings::of(catalog);
    let entity = match &args.entity {
        Some(text) => Some(super::select::one(catalog, text, None, global)?),
        None => None,
    };
    let owner = args.owner.as_deref().map(|owner| owner_ref(&session, catalog, owner)).transpose()?;
    let is_wanted = |row: &Row<'_>| {
        let is_about = |test: &dyn Fn(&About) -> bool| row.about.iter().any(test);
        (args.all || row.alert.state == State::Firing)
            && args.severity.is_none_or(|least| row.alert.severity <= least)
            && entity.is_none_or(|id| is_about(&|about| about.id == id))
            && owner.as_deref().is_none_or(|owner| is_about(&|about| owner_of(catalog, about) == Some(owner)))
    };
    let rows: Vec<Row<'_>> = board
        .alerts
        .iter()
        .map(|alert| Row { alert, about: bindings.about(alert) })
        .filter(is_wanted)
        .collect();
    print(&rows, catalog, args.output, out)?;
    let fires = |least: Severity| {
        rows.iter().any(|row| row.alert.state == State::Firing && row.alert.severity <= least)
    };
    if args.fail_on.is_some_and(fires) {
        return Ok(Exit::CheckFailed);
    }
    Ok(if board.faults.is_empty() { loaded.exit } else { Exit::Incomplete })
}

fn tell_faults(board: &Board, providers: usize, out: &mut Output) -> Result<(), CliError> {
    let is_nothing_told = board.faults.len() >= providers && board.alerts.is_empty();
    for fault in board.faults.iter().filter(|_| !is_nothing_told) {
        out.diagnostic(&Diagnostic::warning(
            "alerts::provider",
            format!("{} told nothing: {}", fault.provider, fault.cause),
        ));
    }
    if is_nothing_told {
        let causes: Vec<String> =
            board.faults.iter().map(|fault| format!("{}: {}", fault.provider, fault.cause)).collect();
        let message = format!("no server of alerts answered: {}", causes.join("; "));
        return Err(CliError::unreachable(
            Diagnostic::error("alerts::unreachable", message)
                .hint("check `url`, `token` and `ca_file` of [[alerts.provider]] in config.toml"),
        ));
    }
    Ok(())
}

fn owner_ref(session: &Session, catalog: &Catalog, owner: &str) -> Result<String, CliError> {
    if owner == "me" {
        let user = session.identity(catalog).principal.user;
        return user.ok_or_else(|| CliError::usage("nobody knows who you are", "set `user` in config.toml"));
    }
    let found = crate::model::EntityRef::parse(owner, Some("group"), "default");
    found
        .map(|owner| owner.to_string())
        .map_err(|error| CliError::usage(error.to_string(), "name a group or user"))
}

fn owner_of<'c>(catalog: &'c Catalog, about: &About) -> Option<&'c str> {
    catalog.entity(about.id)?.owner().map(|owner| catalog.ref_of(owner))
}

fn role(alert: &Alert) -> Role {
    match (alert.state, alert.severity) {
        (State::Silenced, _) => Role::Dim,
        (_, Severity::Critical | Severity::Error) => Role::Error,
        (_, Severity::Warning) => Role::Warn,
        (_, Severity::Info) => Role::Dim,
    }
}

fn print(rows: &[Row<'_>], catalog: &Catalog, form: ListForm, out: &mut Output) -> Result<(), CliError> {
    match form {
        ListForm::Json => {
            let rows: Vec<Value> = rows.iter().map(|row| to_json(row, catalog)).collect();
            out.json(&rows)
        }
        ListForm::Jsonl => rows.iter().try_for_each(|row| out.json_line(&to_json(row, catalog))),
        ListForm::Table if rows.is_empty() => {
            out.note("nothing fires");
            Ok(())
        }
        _ => {
            let now = Timestamp::now();
            let mut head = vec!["SEVERITY", "ALERT", "ENTITY", "OWNER", "SINCE", "SUMMARY"];
            if form != ListForm::Table {
                head.extend(["STATE", "REASON", "RUNBOOK", "PROVIDERS", "LABELS"]);
            }
            let cells: Vec<Vec<Cell>> = rows.iter().map(|row| cells(row, catalog, form, now)).collect();
            if form == ListForm::Csv {
                table::csv(out, &head, &cells)
            } else {
                table::print(out, &head, &cells)
            }
        }
    }
}

fn cells(row: &Row<'_>, catalog: &Catalog, form: ListForm, now: Timestamp) -> Vec<Cell> {
    let alert = row.alert;
    let names: Vec<&str> =
        row.about.iter().filter_map(|about| Some(catalog.entity(about.id)?.name())).collect();
    let mut owners: Vec<&str> = row
        .about
        .iter()
        .filter_map(|about| owner_of(catalog, about))
        .map(|owner| owner.rsplit('/').next().unwrap_or(owner))
        .collect();
    owners.dedup();
    let word = match alert.state {
        State::Firing => alert.severity.word().to_owned(),
        state => format!("{} ({})", alert.severity.word(), state.word()),
    };
    let since = alert.since.map(|since| age(now.duration_since(since).as_secs())).unwrap_or_default();
    let mut cells = vec![
        Cell::new(&word).role(Some(role(alert))),
        Cell::new(&clean(&alert.name)),
        Cell::new(&names.join(",")),
        Cell::new(&owners.join(",")),
        Cell::new(&since),
        Cell::new(&clean(alert.summary())),
    ];
    if form != ListForm::Table {
        let reasons: Vec<&str> = row.about.iter().map(|about| about.reason.as_str()).collect();
        let labels: Vec<String> = alert.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let more = [
            alert.state.word().to_owned(),
            reasons.join("; "),
            alert.runbook().to_owned(),
            alert.providers.join(","),
            labels.join(","),
        ];
        cells.extend(more.iter().map(|text| Cell::new(&clean(text))));
    }
    cells
}

fn to_json(row: &Row<'_>, catalog: &Catalog) -> Value {
    let alert = row.alert;
    let entities: Vec<Value> = row
        .about
        .iter()
        .map(|about| {
            json!({
                "entity": catalog.ref_of(about.id), "owner": owner_of(catalog, about), "reason": about.reason,
            })
        })
        .collect();
    json!({
        "name": alert.name, "severity": alert.severity.word(), "state": alert.state.word(),
        "since": alert.since.map(|since| since.to_string()), "summary": alert.summary(),
        "runbook": Some(alert.runbook()).filter(|runbook| !runbook.is_empty()),
        "url": Some(&alert.url).filter(|url| !url.is_empty()),
        "entities": entities, "providers": alert.providers.iter().map(|name| &**name).collect::<Vec<_>>(),
        "labels": alert.labels, "annotations": alert.annotations, "receivers": alert.receivers,
        "silences": alert.silences.iter().map(|(_, id)| id).collect::<Vec<_>>(),
    })
}

/// Returns the one server that can do it, or the one that was named.
fn one_with_silences<'p>(
    session: &Session,
    providers: &'p [Box<dyn Provider>],
    named: Option<&str>,
) -> Result<&'p dyn Provider, CliError> {
    let is_alertmanager = |provider: &&dyn Provider| {
        session.config.alert_providers.iter().any(|config| {
            config.name == **provider.name()
                && config.server == crate::config::alerts::AlertServer::Alertmanager
        })
    };
    let able: Vec<&dyn Provider> =
        providers.iter().map(|provider| &**provider).filter(|provider| is_alertmanager(provider)).collect();
    let names: Vec<String> = able.iter().map(|provider| provider.name().to_string()).collect();
    let found = match (named, able.as_slice()) {
        (Some(name), able) => able.iter().find(|provider| **provider.name() == *name).copied(),
        (None, [one]) => Some(*one),
        (None, []) => None,
        (None, _) => {
            let message = "several servers can be quiet";
            return Err(CliError::usage(message, format!("name one with --provider: {}", names.join(", "))));
        }
    };
    found.ok_or_else(|| {
        let hint = if names.is_empty() {
            "configure an [[alerts.provider]] with type = \"alertmanager\"".to_owned()
        } else {
            format!("those that can: {}", names.join(", "))
        };
        CliError::usage("no server that has silences is meant", hint)
    })
}

/// Runs `mute`.
///
/// # Errors
/// When the server refuses, or the command line makes no sense.
pub fn mute(global: &GlobalArgs, args: &MuteArgs, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let providers = providers(&session)?;
    let provider = one_with_silences(&session, &providers, args.provider.as_deref())?;
    let mut matchers = Vec::new();
    for word in &args.what {
        let text = if word.contains(['=', '~']) { word.clone() } else { format!("alertname={word}") };
        let read = Matcher::parse_list(&text);
        matchers.extend(
            read.map_err(|cause| CliError::usage(cause, "write `service=till` or `severity=~\"warn.*\"`"))?,
        );
    }
    let now = Timestamp::now();
    let span = SignedDuration::try_from(args.time).unwrap_or(SignedDuration::from_hours(2));
    let claims = &session.claims;
    let author = [&claims.configured, &claims.email, &claims.login].into_iter().find(|name| !name.is_empty());
    let silence = Silence {
        id: String::new(),
        matchers,
        starts: now,
        ends: now.checked_add(span).unwrap_or(now),
        author: author.cloned().unwrap_or_else(|| "devportal".to_owned()),
        comment: if args.comment.is_empty() {
            "muted with devportal".to_owned()
        } else {
            args.comment.clone()
        },
        is_active: true,
    };
    let cancel = CancellationToken::new();
    let board = collect(&providers, &cancel);
    let fits = |alert: &&Alert| silence.matchers.iter().all(|matcher| matcher.fits(&alert.labels));
    let hit: Vec<&Alert> = board.alerts.iter().filter(fits).collect();
    let shown: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    let what = format!(
        "{} until {} on {}: {} alerts now",
        shown.join(", "),
        silence.ends.strftime("%Y-%m-%d %H:%M UTC"),
        provider.name(),
        hit.len()
    );
    if args.dry_run {
        out.line(&format!("would mute {what}"))?;
        return Ok(Exit::Fine);
    }
    if !args.yes {
        match out.ask(&format!("mute {what}? [y/N] ")).as_deref().map(str::trim) {
            Some("y" | "yes") => {}
            Some(_) => return Ok(Exit::Failed),
            None => {
                out.line(&format!("would mute {what}"))?;
                return Err(CliError::usage("nothing was muted", "say so with `--yes`"));
            }
        }
    }
    let id = provider.silence(&silence, &cancel).map_err(|error| failed(&error))?;
    match args.output {
        Form::Json => out.json(&json!({
            "id": id, "provider": &**provider.name(), "matchers": shown, "ends": silence.ends.to_string(),
            "author": silence.author, "comment": silence.comment, "alerts": hit.len(),
        }))?,
        Form::Text => out.line(&format!("muted {what}; `devportal unmute {}` ends it", clean(&id)))?,
    }
    Ok(Exit::Fine)
}

fn failed(error: &server::ProviderError) -> CliError {
    let diagnostic = Diagnostic::error("alerts::provider", error.to_string());
    match error {
        server::ProviderError::Net(net) if net.is_offline() || net.is_passing() => {
            CliError::unreachable(diagnostic)
        }
        _ => CliError::failure(diagnostic),
    }
}

/// Runs `unmute`.
///
/// # Errors
/// When the server refuses.
pub fn unmute(global: &GlobalArgs, args: &UnmuteArgs, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let providers = providers(&session)?;
    let provider = one_with_silences(&session, &providers, args.provider.as_deref())?;
    provider.expire(&args.id, &CancellationToken::new()).map_err(|error| failed(&error))?;
    out.line(&format!("ended the silence {} on {}", clean(&args.id), provider.name()))?;
    Ok(Exit::Fine)
}

/// Runs `silences`.
///
/// # Errors
/// When no server answers.
pub fn silences(global: &GlobalArgs, args: &SilencesArgs, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let providers = providers(&session)?;
    let board = collect(&providers, &CancellationToken::new());
    tell_faults(&board, providers.len(), out)?;
    let matchers = |silence: &Silence| {
        let shown: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        shown.join(",")
    };
    match args.output {
        Form::Json => {
            let rows: Vec<Value> = board
                .silences
                .iter()
                .map(|(provider, silence)| {
                    json!({
                        "id": silence.id, "provider": &**provider, "active": silence.is_active,
                        "matchers": silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                        "starts": silence.starts.to_string(), "ends": silence.ends.to_string(),
                        "author": silence.author, "comment": silence.comment,
                    })
                })
                .collect();
            out.json(&rows)?;
        }
        Form::Text if board.silences.is_empty() => out.note("nothing is muted"),
        Form::Text => {
            let row = |(provider, silence): &(Arc<str>, Silence)| {
                let ends = silence.ends.strftime("%Y-%m-%d %H:%M UTC").to_string();
                let texts = [
                    silence.id.clone(),
                    matchers(silence),
                    ends,
                    silence.author.clone(),
                    silence.comment.clone(),
                    provider.to_string(),
                ];
                texts.iter().map(|text| Cell::new(&clean(text))).collect()
            };
            let rows: Vec<Vec<Cell>> = board.silences.iter().map(row).collect();
            table::print(out, &["ID", "MATCHERS", "UNTIL", "AUTHOR", "COMMENT", "PROVIDER"], &rows)?;
        }
    }
    Ok(if board.faults.is_empty() { Exit::Fine } else { Exit::Incomplete })
}
