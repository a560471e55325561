//! `new`: makes something from a template. With a terminal and no answers given the wizard opens;
//! otherwise nothing is ever asked, and everything that is missing is said at once.

mod answers;
mod find;
mod past;
mod print;
mod run;

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::session::{self, Session};
use super::version::Form;
use crate::catalog::Catalog;
use crate::config::setting;
use crate::net::{Net, NetOptions};
use crate::scaffolder::actions::Registry;
use crate::scaffolder::engine;
use crate::scaffolder::integrations::Integrations;
use crate::scaffolder::run::{Decision, Decisions, Host, Job};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `new`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Name or ref of a template, or path of its file
    #[arg(value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// Answers: a YAML or JSON file; `-` reads them from the input
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// An answer: `name=checkout`, `database.size=20`, `tags=[a, b]`; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A secret and where it comes from: `token=env:MY_TOKEN`, `token=file:PATH`; repeatable
    #[arg(long, value_name = "NAME=PLACE")]
    pub secret: Vec<String>,
    /// Put the files into this folder; publish and register nothing
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What happens to files that are already there: `keep`, `replace`, `both`, or `PATH=…` for one; repeatable
    #[arg(long, value_name = "DECISION")]
    pub existing: Vec<String>,
    /// Add a descriptor that no source reads to the settings
    #[arg(long)]
    pub add_source: bool,
    /// Say what would be made, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Never open the wizard
    #[arg(long)]
    pub no_input: bool,
    /// Write the answers into this file, commented, without secrets
    #[arg(long, value_name = "FILE")]
    pub save_answers: Option<PathBuf>,
    /// List the runs that were made
    #[arg(long, conflicts_with_all = ["template", "again"])]
    pub history: bool,
    /// Take the answers of an earlier run
    #[arg(long, value_name = "ID")]
    pub again: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<Form>,
}

impl Args {
    fn form(&self) -> Form {
        self.output.unwrap_or(Form::Text)
    }

    /// Whether somebody wants the wizard: nothing is given that only makes sense without it.
    fn wants_wizard(&self) -> bool {
        let has_answers = self.values.is_some() || !self.set.is_empty() || !self.secret.is_empty();
        let has_orders = self.yes || self.no_input || self.dry_run || self.output.is_some();
        let has_places = self.out.is_some() || self.save_answers.is_some() || self.again.is_some();
        !has_answers && !has_orders && !has_places && !self.history && self.existing.is_empty()
    }

    fn decisions(&self) -> Result<Decisions, CliError> {
        let mut decisions = Decisions { add_source: self.add_source, ..Decisions::default() };
        for text in &self.existing {
            let (path, word) =
                text.rsplit_once('=').map_or((None, text.as_str()), |(path, word)| (Some(path), word));
            let decision = match word {
                "keep" => Decision::Keep,
                "replace" => Decision::Replace,
                "both" => Decision::Both,
                _ => {
                    let message =
                        format!("`{}` is no decision about a file", crate::model::text::clean(text));
                    let hint = "write `keep`, `replace`, `both`, or `README.md=replace` for one file";
                    return Err(CliError::usage(message, hint));
                }
            };
            match path {
                Some(path) => drop(decisions.files.insert(path.to_owned(), decision)),
                None => decisions.all = Some(decision),
            }
        }
        Ok(decisions)
    }
}

/// Runs `new`.
///
/// # Errors
/// [`CliError::Usage`] when answers are missing or wrong, or without a yes; what keeps the template from
/// being found or read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if args.history {
        return past::list(&session::open(global), args, out);
    }
    let has_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if has_terminal && args.wants_wizard() {
        return wizard(global, args);
    }
    let decisions = args.decisions()?;
    let session = session::open(global);
    let past = args.again.as_deref().map(|id| past::find(&session, id)).transpose()?;
    let found = find::template(&session, global, args, past.as_ref(), out)?;
    let host = Arc::new(host(&session, found.catalog.clone()));
    let template = found.template;
    let mut form = answers::form(&template, args, past.as_ref(), &host)?;
    let (known, unknown) = answers::fill(&mut form, args)?;
    if let Some(path) = &args.save_answers {
        answers::save(&form, path, args, out)?;
    }
    answers::require_complete(&form, &unknown, out)?;
    answers::tell_strays(&form, &host, out);
    let mut secrets = known;
    secrets.extend(answers::secrets(&form));
    let target = args.out.as_ref().map(std::path::absolute).transpose().map_err(|error| {
        CliError::usage(format!("`--out` names no folder: {error}"), "name the folder to write to")
    })?;
    let job = Job { template, answers: form.answers(), secrets, out: target, decisions };
    if args.dry_run || !args.yes {
        super::exit_when_interrupted();
        let cancel = tokio_util::sync::CancellationToken::new();
        let review = engine::review(&job, &host, &cancel);
        let exit = print::plan(&review, &job, args, out)?;
        if !args.dry_run {
            out.flush()?;
            let hint = "say `--yes` to make it, `--dry-run` to only look";
            return Err(CliError::usage("nothing was made: this is what would be", hint));
        }
        return Ok(exit);
    }
    run::go(&job, host, args, out)
}

/// Opens the screen at the form of the template, or at the list of templates.
fn wizard(global: &GlobalArgs, args: &Args) -> Result<Exit, CliError> {
    let Some(named) = &args.template else { return super::open::screen(global, "templates") };
    let mut global = global.clone();
    if let Some(path) = find::as_path(named) {
        let template = find::open(&path)?;
        global.catalog.push(path.display().to_string());
        return super::open::screen(&global, &format!("wizard {}", template.entity_ref));
    }
    let place = match crate::model::EntityRef::parse(named, Some("template"), "default") {
        Ok(entity_ref) => entity_ref.to_string(),
        Err(_) => named.clone(),
    };
    super::open::screen(&global, &format!("wizard {place}"))
}

/// Returns what runs need from outside.
pub(super) fn host(session: &Session, catalog: Arc<Catalog>) -> Host {
    let config = &session.config;
    let net = NetOptions {
        offline: config.flag(&setting::OFFLINE),
        connect_timeout: config.duration(&setting::HTTP_CONNECT_TIMEOUT),
        ..NetOptions::default()
    };
    Host {
        principal: session.identity(&catalog).principal,
        catalog,
        loader: session.loader.clone(),
        net: Arc::new(Net::new(net)),
        integrations: Arc::new(Integrations::new(config, session.loader.sources())),
        cache: config.paths.cache.clone(),
        state: config.paths.state.clone(),
        actions: Registry::built_in(),
        trusted: config.words(&setting::TEMPLATES_TRUSTED).to_vec(),
        config_file: config.paths.config_file(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(existing: &[&str]) -> Args {
        Args {
            template: None,
            values: None,
            set: vec![],
            secret: vec![],
            out: None,
            existing: existing.iter().map(ToString::to_string).collect(),
            add_source: false,
            dry_run: false,
            yes: false,
            no_input: false,
            save_answers: None,
            history: false,
            again: None,
            output: None,
        }
    }

    #[test]
    fn decisions_are_for_all_files_or_for_one() {
        let decisions = args(&["keep", "a=b/README.md=both"]).decisions().unwrap();
        assert_eq!(decisions.of("x"), Some(Decision::Keep));
        assert_eq!(decisions.of("a=b/README.md"), Some(Decision::Both));
        assert!(args(&["overwrite"]).decisions().is_err());
        assert_eq!(args(&[]).decisions().unwrap().of("x"), None);
    }

    #[test]
    fn only_a_bare_command_opens_the_wizard() {
        assert!(args(&[]).wants_wizard());
        for change in [
            |args: &mut Args| args.yes = true,
            |args: &mut Args| args.no_input = true,
            |args: &mut Args| args.dry_run = true,
            |args: &mut Args| args.set.push("a=b".into()),
            |args: &mut Args| args.values = Some("x".into()),
            |args: &mut Args| args.output = Some(Form::Json),
        ] {
            let mut changed = args(&[]);
            change(&mut changed);
            assert!(!changed.wants_wizard());
        }
    }
}
