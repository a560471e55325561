//! `logs`: the logs of a service, of a workload or of a pod, over all clusters.

mod targets;

use super::args::GlobalArgs;
use super::clusters::of_session;
use super::error::{CliError, Exit};
use super::output::{self, Output};
use super::session;
use crate::config::{Config, setting};
use crate::diagnostic::Diagnostic;
use crate::kubernetes::logs::{
    Ended, Finder, Limits, Of, Prefix, Printer, ProblemKind, Request, Shape, SourceState, print,
};
use crate::model::text::clean;
use clap::ValueEnum;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An entity (`checkout`, `system:shop`), a workload (`deploy/checkout`, `cronjob/report`) or a pod (`pod/NAME`, or its name)
    #[arg(value_name = "REF|POD")]
    pub what: Vec<String>,
    /// Go on as lines are written, in new and restarted pods too
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines that are not older: `30s`, `1h`
    #[arg(long, value_name = "TIME", value_parser = super::args::parse_timeout)]
    pub since: Option<Duration>,
    /// Only the last lines of each container
    #[arg(long, value_name = "N")]
    pub tail: Option<u32>,
    /// Only this container; repeatable
    #[arg(short, long, value_name = "NAME")]
    pub container: Vec<String>,
    /// The instance before the one that runs: why did it crash
    #[arg(short, long)]
    pub previous: bool,
    /// Only this cluster, by the name of its context; `*` for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    pub context: Vec<String>,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
    /// Print the time before each line of text
    #[arg(long)]
    pub timestamps: bool,
    /// When to print pod and container before each line of text; by itself when there is more than one
    #[arg(long, value_name = "WHEN", default_value = "auto", default_missing_value = "always", num_args = 0..=1, require_equals = true)]
    pub prefix: When,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// When something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When it helps.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Forms of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The lines as they were written.
    Text,
    /// An array of objects.
    Json,
    /// One object per line.
    Jsonl,
}

/// Returns how much of a log stream is kept, by the settings.
pub fn limits(config: &Config) -> Limits {
    let lines = usize::try_from(config.number(&setting::LOGS_LINES)).unwrap_or(usize::MAX);
    Limits { lines: lines.max(1_000), disk: config.size(&setting::LOGS_DISK), ..Limits::default() }
}

/// Runs `logs`.
///
/// # Errors
/// For words that name nothing, clusters that do not answer and logs that may not be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let only = args.grep.as_deref().map(regex::bytes::Regex::new).transpose();
    let only = only.map_err(|error| {
        CliError::usage(format!("`--grep` is no regular expression: {error}"), "a `\\` takes signs literally")
    })?;
    if args.what.is_empty() && global.selector.is_none() {
        return Err(CliError::usage(
            "whose logs?",
            "name an entity, `deploy/NAME` or `pod/NAME`; or pods by their labels with `-l`",
        ));
    }
    let session = session::open(global);
    super::exit_when_interrupted();
    let (wishes, catalog) = targets::read(&session, global, args, out)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let limit = session.timeout.unwrap_or(FIND);
    let clusters = of_session(&session, catalog.as_deref(), (&args.context, limit), &runtime, out)?;
    let printer = printer(args, only, out);
    let work = async {
        let found = targets::find(&session, global, &clusters, wishes, out).await?;
        let finder = Arc::new(Finder::new(found.all));
        let ended = print(request(args), finder, printer, CancellationToken::new()).await;
        Ok::<_, CliError>((ended, found.missing, found.refused))
    };
    let ended = runtime.block_on(async {
        match session.timeout {
            Some(limit) => tokio::time::timeout(limit, work).await.map_err(|_| out_of_time(limit))?,
            None => work.await,
        }
    });
    // readers that wait for a server must not hold up the end
    runtime.shutdown_background();
    let (ended, missing, refused) = ended?;
    judge(ended, (missing, refused), args, out)
}

fn out_of_time(limit: Duration) -> CliError {
    let shown = setting::Value::Duration(limit).to_text();
    CliError::unreachable(
        Diagnostic::error("logs::timeout", format!("logs were not read to their end within {shown}"))
            .hint("give it more time with `--timeout`, or ask for less with `--tail` or `--since`"),
    )
}

fn request(args: &Args) -> Request {
    Request {
        of: Of::default(),
        clusters: Vec::new(),
        containers: args.container.clone(),
        is_previous: args.previous,
        is_following: args.follow && !args.previous,
        since: args.since,
        tail: args.tail,
    }
}

fn printer(args: &Args, only: Option<regex::bytes::Regex>, out: &Output) -> Printer {
    let is_quiet = out.is_quiet();
    Printer {
        out: output::data(),
        say: Box::new(move |text| {
            if !is_quiet {
                output::talk(text);
            }
        }),
        shape: match args.output {
            Form::Text => Shape::Text,
            Form::Json => Shape::Json,
            Form::Jsonl => Shape::JsonLines,
        },
        only,
        prefix: match args.prefix {
            When::Auto => Prefix::Auto,
            When::Always => Prefix::Always,
            When::Never => Prefix::Never,
        },
        has_times: args.timestamps,
        is_terminal: out.is_terminal(),
        has_colour: out.has_colour(),
    }
}

/// How long backends may take to name their clusters.
const FIND: Duration = Duration::from_secs(5);
/// Most sources that are named in one sentence.
const NAMED: usize = 5;

/// Says what was not read and why, and how the command ended by that.
fn judge(
    ended: Ended,
    (missing, refused): (bool, bool),
    args: &Args,
    out: &mut Output,
) -> Result<Exit, CliError> {
    if let Some(error) = ended.error {
        return Err(CliError::Output(error));
    }
    let sources = &ended.status.sources;
    if sources.is_empty() {
        let error = nothing(&ended, args);
        // what was not looked into may hold it
        return Err(match error {
            CliError::NotFound(diagnostic) if refused => CliError::Refused(diagnostic),
            CliError::NotFound(diagnostic) if missing && args.container.is_empty() => {
                CliError::Unreachable(diagnostic)
            }
            error => error,
        });
    }
    let mut kept_away: Vec<(String, String)> = Vec::new();
    let mut is_without_log = true;
    for source in &**sources {
        let name = format!("{}, container {}", clean(&source.pod.name), clean(&source.container));
        match &source.state {
            SourceState::Failed(why) => kept_away.push((name, why.clone())),
            SourceState::Ended(why) if is_unwritten(why) => out.note(&format!("{name}: {}", clean(why))),
            _ => is_without_log = false,
        }
    }
    let is_all = kept_away.len() == sources.len();
    let more = kept_away.len().saturating_sub(NAMED);
    if let (true, Some((name, why))) = (is_all && ended.lines == 0, kept_away.first()) {
        let diagnostic = Diagnostic::error("logs::unreadable", format!("logs of {name}: {}", clean(why)));
        return Err(of_kind(ended.failed, diagnostic));
    }
    for (name, why) in kept_away.iter().take(NAMED) {
        out.diagnostic(&Diagnostic::warning("logs::unreadable", format!("logs of {name}: {}", clean(why))));
    }
    if more > 0 {
        out.note(&format!("logs of {more} more containers could not be read"));
    }
    if kept_away.is_empty() && is_without_log && ended.lines == 0 {
        let why = "none of the containers has such a log";
        let hint = if args.previous {
            "only a container that was restarted has an instance before; leave `--previous` out"
        } else {
            "they have not started; `devportal describe` and the events of the pod tell why"
        };
        return Err(CliError::not_found(Diagnostic::error("logs::none", why).hint(hint)));
    }
    let is_whole = kept_away.is_empty() && ended.problem.is_none() && !missing;
    Ok(if is_whole { Exit::Fine } else { Exit::Incomplete })
}

/// Whether a log ended because there never was one.
fn is_unwritten(why: &str) -> bool {
    why.starts_with("not started") || why.starts_with("there is no instance")
}

fn of_kind(kind: Option<ProblemKind>, diagnostic: Diagnostic) -> CliError {
    match kind {
        Some(ProblemKind::Forbidden) => CliError::Refused(Box::new(diagnostic)),
        Some(ProblemKind::Unreachable) => CliError::unreachable(diagnostic),
        Some(ProblemKind::NotFound) | None => CliError::not_found(diagnostic),
    }
}

fn nothing(ended: &Ended, args: &Args) -> CliError {
    if let Some(problem) = &ended.problem {
        return of_kind(Some(problem.kind), Diagnostic::error("logs::no-pods", clean(&problem.says)));
    }
    let what = args.what.join(" ");
    let container = args.container.join("`, `");
    let (message, hint) = if args.container.is_empty() {
        (
            format!("`{what}` has no pods"),
            "`devportal describe` tells its annotations; a label selector or id binds it to pods",
        )
    } else {
        (
            format!("no pod of `{what}` has a container `{container}`"),
            "leave `--container` out to read them all",
        )
    };
    CliError::not_found(Diagnostic::error("logs::no-pods", message).hint(hint))
}
