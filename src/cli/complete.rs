//! `completion` prints the script of a shell; `__complete` gives it live values.

use super::args::{Cli, GlobalArgs};
use super::error::{CliError, Exit};
use super::output::Output;
use super::{select, session};
use crate::app::palette::KIND_WORDS;
use crate::catalog::Progress;
use crate::model::text::clean;
use clap::{CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Arguments of `__complete`.
#[derive(Debug, clap::Args)]
pub struct ValueArgs {
    /// What is being completed
    pub what: What,
    /// What is typed so far
    #[arg(default_value = "")]
    pub start: String,
}

/// Live values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Words for kinds, refs, names that are unique.
    Entities,
    /// Words for kinds.
    Kinds,
    /// Namespaces.
    Namespaces,
    /// Names of settings.
    Settings,
}

/// Most values given to a shell; more is no help.
const MAX_VALUES: usize = 500;

/// Runs `completion`.
///
/// # Errors
/// When it cannot be written.
pub fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "devportal", &mut script);
    out.text(&String::from_utf8_lossy(&script))?;
    out.text(live(args.shell))?;
    Ok(Exit::Fine)
}

/// Returns what makes the script ask for entities where a command takes them.
fn live(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => BASH,
        Shell::Fish => FISH,
        Shell::Zsh => ZSH,
        _ => "",
    }
}

const BASH: &str = r#"
_devportal_live() {
    local word="${COMP_WORDS[COMP_CWORD]}" sub="${COMP_WORDS[1]}"
    _devportal "$@"
    case "$sub" in
        get|describe|graph|open|pods|health|wait)
            [[ "$word" == -* ]] && return
            # a colon splits words unless it is joined again
            local start="$word"
            declare -F __ltrim_colon_completions >/dev/null && _get_comp_words_by_ref -n : -c start
            COMPREPLY=( $(compgen -W "$(devportal -q --offline __complete entities "$start" 2>/dev/null)" -- "$start") )
            declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$start"
            ;;
    esac
}
complete -F _devportal_live -o nosort -o bashdefault -o default devportal 2>/dev/null ||
    complete -F _devportal_live -o bashdefault -o default devportal
"#;

const FISH: &str = r#"
complete -c devportal -n "__fish_seen_subcommand_from get describe graph open pods health wait" -f -a "(devportal -q --offline __complete entities (commandline -ct) 2>/dev/null)"
complete -c devportal -s n -l namespace -x -a "(devportal -q --offline __complete namespaces 2>/dev/null)"
"#;

const ZSH: &str = r#"
_devportal_live() {
    if (( CURRENT > 2 )) && [[ "$words[2]" == (get|describe|graph|open|pods|health|wait) && "$words[CURRENT]" != -* ]]; then
        local -a values
        values=("${(@f)$(devportal -q --offline __complete entities "$words[CURRENT]" 2>/dev/null)}")
        compadd -- $values
    else
        _devportal "$@"
    fi
}
compdef _devportal_live devportal
"#;

/// Runs `__complete`: prints values one per line, nothing when the catalog cannot be read.
///
/// # Errors
/// When they cannot be written.
pub fn values(global: &GlobalArgs, args: &ValueArgs, out: &mut Output) -> Result<Exit, CliError> {
    if args.what == What::Settings {
        let keys = crate::config::setting::ALL.iter().map(|setting| setting.key.to_owned());
        return print(keys.collect(), &args.start, out);
    }
    let session = session::open(global);
    let catalog = session.loader.load(&Progress::none());
    let mut values: Vec<String> = match args.what {
        What::Namespaces => catalog.entities().map(|entity| entity.namespace().to_owned()).collect(),
        _ => KIND_WORDS.iter().map(|(word, _)| (*word).to_owned()).chain(select::kinds(&catalog)).collect(),
    };
    if args.what == What::Entities {
        values.extend(catalog.ids().map(|id| {
            let (kind, namespace, name) = crate::model::entity_ref::split_canonical(catalog.ref_of(id));
            if namespace == "default" {
                format!("{kind}:{name}")
            } else {
                format!("{kind}:{namespace}/{name}")
            }
        }));
        values.extend(catalog.entities().map(|entity| entity.name().to_owned()));
    }
    print(values, &args.start, out)
}

fn print(mut values: Vec<String>, start: &str, out: &mut Output) -> Result<Exit, CliError> {
    values.retain(|value| value.starts_with(start) && !value.contains(char::is_whitespace));
    values.sort_unstable();
    values.dedup();
    values.iter().take(MAX_VALUES).try_for_each(|value| out.line(&clean(value)))?;
    Ok(Exit::Fine)
}
