//! The face for scripts and shells: arguments in, data on stdout, talk on stderr, an exit code.
//!
//! Start at [`run`]. One file per subcommand; [`args::Command`] is the list of them. Nothing but
//! [`output`] prints. What the screen needs at its start (settings, sources, who I am) comes from
//! [`session`], so both faces agree.

pub mod access;
pub mod alerts;
pub mod args;
pub mod clusters;
pub mod columns;
pub mod crash;
pub mod demo;
pub mod error;
mod live;
pub mod log;
pub mod output;
pub mod rbac;
pub mod reference;
pub mod repository;
pub mod screen;
pub mod select;
pub mod session;
pub mod table;

pub mod complete;
pub mod config;
pub mod describe;
pub mod diff;
pub mod docs;
pub mod doctor;
pub mod exec;
pub mod get;
pub mod graph;
pub mod health;
pub mod history;
pub mod init;
pub mod keys;
pub mod logs;
pub mod man;
pub mod new;
pub mod open;
pub mod pods;
pub mod refresh;
pub mod register;
pub mod screenshot;
pub mod search;
pub mod snapshot;
pub mod template;
pub mod theme;
pub mod validate;
pub mod version;
pub mod wait;

pub use args::{Cli, Command, GlobalArgs};
pub use error::{CliError, Exit};

use clap::Parser;
use output::Output;
use std::ffi::OsString;

/// Runs the program for these arguments (the first is its name) and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error) as u8,
    };
    let mut code = None;
    let exit = crash::guarded(|| {
        let (exit, own) = run_command(&cli);
        code = own;
        exit
    });
    code.filter(|_| exit == Exit::Fine).unwrap_or(exit as u8)
}

/// Returns how the command ended, and the exit code of a program that it ran.
fn run_command(cli: &Cli) -> (Exit, Option<u8>) {
    let mut out = Output::new(&cli.global);
    let result = args::dispatch(cli, &mut out).and_then(|exit| out.flush().map(|()| exit));
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => {
            let _ = out.flush();
            out.failure(&error);
            error.exit()
        }
    };
    out.finish();
    (exit, out.code())
}

/// Whether an interruption ends the program at once.
#[cfg(unix)]
static ENDS_AT_ONCE: std::sync::OnceLock<std::sync::Arc<std::sync::atomic::AtomicBool>> =
    std::sync::OnceLock::new();

/// Ends the program with 130 at `ctrl-c`, from here on; for commands that read and print. Screens and
/// editors handle the key themselves.
fn exit_when_interrupted() {
    #[cfg(unix)]
    {
        use std::sync::atomic::{AtomicBool, Ordering};
        let ends = ENDS_AT_ONCE.get_or_init(|| {
            let ends = std::sync::Arc::new(AtomicBool::new(false));
            let code = i32::from(Exit::Interrupted as u8);
            // Without a handler the system ends the program all the same
            let signal = signal_hook::consts::SIGINT;
            let _ = signal_hook::flag::register_conditional_shutdown(signal, code, ends.clone());
            ends
        });
        ends.store(true, Ordering::Relaxed);
    }
}

/// Sets a flag at `ctrl-c` instead of ending the program, from here on; for work that is stopped with care.
fn hear_interrupts(flag: &std::sync::Arc<std::sync::atomic::AtomicBool>) {
    #[cfg(unix)]
    {
        if let Some(ends) = ENDS_AT_ONCE.get() {
            ends.store(false, std::sync::atomic::Ordering::Relaxed);
        }
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, flag.clone());
    }
    #[cfg(not(unix))]
    let _ = flag;
}
