//! The command line: global flags and the list of subcommands.

use super::docs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::{
    alerts, complete, config, describe, diff, doctor, exec, get, graph, health, history, init, keys, logs,
    man, new, open, pods, rbac, refresh, register, screenshot, search, snapshot, template, theme, validate,
    version, wait,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "devportal",
    version,
    about = "The developer portal for people who live in a terminal: reads Backstage files, needs no server",
    long_about = None,
    after_help = "Without a command the full screen opens. Exit codes: 0 fine, 1 failed, 2 usage, 3 not found, 4 not signed in or not allowed, \
                  5 unreachable or timed out, 6 incomplete, 8 check failed, 130 interrupted.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do; the full screen when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Read this folder, file, repository or URL instead of the configured sources; repeatable
    #[arg(long, value_name = "PATH|URL", global = true)]
    pub catalog: Vec<String>,
    /// Read git repositories at this revision, without a checkout
    #[arg(long, value_name = "REV", global = true)]
    pub at: Option<String>,
    /// A company to try things on: the built-in catalog, and clusters that run inside this process
    #[arg(long, global = true)]
    pub demo: bool,
    /// Never touch the network
    #[arg(long, global = true)]
    pub offline: bool,
    /// Only this namespace; also the namespace of refs that name none
    #[arg(short, long, value_name = "NAME", global = true, conflicts_with = "all_namespaces")]
    pub namespace: Option<String>,
    /// All namespaces (the default)
    #[arg(short = 'A', long, global = true)]
    pub all_namespaces: bool,
    /// Only entities with these labels: `app=x,tier!=2`
    #[arg(short = 'l', long, value_name = "SELECTOR", global = true)]
    pub selector: Option<String>,
    /// Give up after this time: `30s`, `2m`
    #[arg(long, value_name = "TIME", global = true, value_parser = parse_timeout)]
    pub timeout: Option<Duration>,
    /// Exit with 6 when what is shown of a source is older: `15m`, `1h`; asks again what is kept and older
    #[arg(long, value_name = "TIME", global = true, value_parser = parse_timeout)]
    pub max_age: Option<Duration>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_possible_values = false)]
    pub color: ColorChoice,
    /// Say nothing but errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Read this file instead of your `config.toml`
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The screen without boxes, colours and animation: menus and lines, for screen readers and dumb terminals
    #[arg(long, global = true)]
    pub plain: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

pub(super) fn parse_timeout(text: &str) -> Result<Duration, String> {
    crate::config::setting::parse_duration(text).map_err(|bad| format!("{}; {}", bad.label, bad.hint))
}

/// Every subcommand. A new one is a file of its own, a variant here and a line in [`dispatch`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the full screen at a place: `open catalog owner:payments`, `open component:checkout`
    Open(open::Args),
    /// List entities, or print them as data
    Get(get::Args),
    /// Show everything about an entity
    Describe(describe::Args),
    /// Show what is around an entity, what depends on it, or how two hang together
    Graph(graph::Args),
    /// List the pods of a service, of a namespace or of everything, over all clusters
    Pods(pods::Args),
    /// Tell whether services are up and what is wrong with them; exits with 8 when one is down
    Health(health::Args),
    /// Wait until a service is healthy or its rollout is done
    Wait(wait::Args),
    /// List what is firing, and which entities it is about
    Alerts(alerts::Args),
    /// Be quiet about an alert for a while: a silence in Alertmanager
    Mute(alerts::MuteArgs),
    /// End a silence
    Unmute(alerts::UnmuteArgs),
    /// List what is muted
    Silences(alerts::SilencesArgs),
    /// Show what changed in the catalog between two revisions of its repository
    Diff(diff::Args),
    /// Show who changed an entity, when, and what
    History(history::Args),
    /// Print the logs of a service, of a workload or of a pod
    Logs(logs::Args),
    /// Run one command in a container of a service, of a workload or of a pod; its exit code is ours
    Exec(exec::Args),
    /// Print documentation beside the code, or check it: `docs checkout-api runbook`, `docs check .`
    Docs(docs::Args),
    /// Make something from a template: a wizard on the screen, or without it from given answers
    New(new::Args),
    /// Check descriptor files
    Validate(validate::Args),
    /// Find mistakes in software templates, try them with cases
    Template(template::Args),
    /// Find entities by name, title, description and tags
    Search(search::Args),
    /// Say who may do what, why, and what is wrong with the policy files
    Rbac(rbac::Args),
    /// Share the catalog with a team through a store: publish, verify, show
    Snapshot(snapshot::Args),
    /// Check settings, sources and terminal; say what to do
    Doctor(doctor::Args),
    /// Show, edit or find the settings
    Config(config::Args),
    /// Print every action with its keys
    Keys(keys::Args),
    /// List and show themes
    Theme(theme::Args),
    /// Draw the screen without a terminal: for bug reports, pictures and tests
    Screenshot(screenshot::Args),
    /// Read sources again now, or have a Backstage backend read an entity again
    Refresh(refresh::Args),
    /// Ask a Backstage backend to take in a location
    Register(register::Args),
    /// Write a commented starter: settings, sources of an app-config, or a catalog-info.yaml for this folder
    Init(init::Args),
    /// Print the completion script for a shell
    Completion(complete::Args),
    /// Print the manual page
    Man(man::Args),
    /// Print the version
    Version(version::Args),
    /// Values for completion scripts
    #[command(name = "__complete", hide = true)]
    Complete(complete::ValueArgs),
}

/// Runs the subcommand.
///
/// # Errors
/// Whatever made it give up; the exit code comes from [`CliError::exit`].
pub fn dispatch(cli: &Cli, out: &mut Output) -> Result<Exit, CliError> {
    let global = &cli.global;
    let Some(command) = &cli.command else { return open::screen(global, "") };
    match command {
        Command::Open(args) => open::run(global, args),
        Command::Get(args) => get::run(global, args, out),
        Command::Describe(args) => describe::run(global, args, out),
        Command::Graph(args) => graph::run(global, args, out),
        Command::Pods(args) => pods::run(global, args, out),
        Command::Health(args) => health::run(global, args, out),
        Command::Wait(args) => wait::run(global, args, out),
        Command::Alerts(args) => alerts::run(global, args, out),
        Command::Mute(args) => alerts::mute(global, args, out),
        Command::Unmute(args) => alerts::unmute(global, args, out),
        Command::Silences(args) => alerts::silences(global, args, out),
        Command::Diff(args) => diff::run(global, args, out),
        Command::History(args) => history::run(global, args, out),
        Command::Logs(args) => logs::run(global, args, out),
        Command::Exec(args) => exec::run(global, args, out),
        Command::Docs(args) => docs::run(global, args, out),
        Command::New(args) => new::run(global, args, out),
        Command::Validate(args) => validate::run(global, args, out),
        Command::Template(args) => template::run(global, args, out),
        Command::Search(args) => search::run(global, args, out),
        Command::Rbac(args) => rbac::run(global, args, out),
        Command::Snapshot(args) => snapshot::run(global, args, out),
        Command::Doctor(args) => doctor::run(global, args, out),
        Command::Config(args) => config::run(global, args, out),
        Command::Keys(args) => keys::run(global, args, out),
        Command::Theme(args) => theme::run(global, args, out),
        Command::Screenshot(args) => screenshot::run(global, args, out),
        Command::Refresh(args) => refresh::run(global, args, out),
        Command::Register(args) => register::run(global, args, out),
        Command::Init(args) => init::run(args, out),
        Command::Completion(args) => complete::run(args, out),
        Command::Man(_) => man::run(out),
        Command::Version(args) => version::run(args, out),
        Command::Complete(args) => complete::values(global, args, out),
    }
}
