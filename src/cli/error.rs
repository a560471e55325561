//! What can go wrong for a command, and the exit code of each.

use crate::diagnostic::Diagnostic;
use std::io;

/// Exit codes; scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// It failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// Not signed in, or not allowed.
    Refused = 4,
    /// A source could not be reached at all, or time ran out.
    Unreachable = 5,
    /// Some source could not be reached; the rest was printed.
    Incomplete = 6,
    /// A check found something.
    CheckFailed = 8,
    /// Interrupted from the keyboard.
    Interrupted = 130,
}

/// Why a command gave up.
#[derive(Debug)]
pub enum CliError {
    /// The command line makes no sense.
    Usage(Box<Diagnostic>),
    /// What was named does not exist.
    NotFound(Box<Diagnostic>),
    /// Not signed in, or not allowed.
    Refused(Box<Diagnostic>),
    /// Nothing could be reached, or time ran out.
    Unreachable(Box<Diagnostic>),
    /// Anything else.
    Failed(Box<Diagnostic>),
    /// Writing the output failed.
    Output(io::Error),
}

impl CliError {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::Refused(_) => Exit::Refused,
            Self::Unreachable(_) => Exit::Unreachable,
            // Whoever reads has seen enough: `devportal get | head` is no failure
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
            Self::Failed(_) | Self::Output(_) => Exit::Failed,
        }
    }

    /// Returns what to tell, if anything.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        match self {
            Self::Usage(diagnostic)
            | Self::NotFound(diagnostic)
            | Self::Refused(diagnostic)
            | Self::Unreachable(diagnostic)
            | Self::Failed(diagnostic) => Some((**diagnostic).clone()),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(error) => {
                Some(Diagnostic::error("cli::output", format!("could not write the output: {error}")))
            }
        }
    }

    /// Creates a usage error with a hint.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::misuse(Diagnostic::error("cli::usage", message).hint(hint))
    }

    /// Creates a usage error.
    pub fn misuse(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    /// Creates an error about something that does not exist.
    pub fn not_found(diagnostic: Diagnostic) -> Self {
        Self::NotFound(Box::new(diagnostic))
    }

    /// Creates an error about something that is not allowed.
    pub fn refused(diagnostic: Diagnostic) -> Self {
        Self::Refused(Box::new(diagnostic))
    }

    /// Creates an error about something that did not answer.
    pub fn unreachable(diagnostic: Diagnostic) -> Self {
        Self::Unreachable(Box::new(diagnostic))
    }

    /// Creates an error about anything else.
    pub fn failure(diagnostic: Diagnostic) -> Self {
        Self::Failed(Box::new(diagnostic))
    }

    /// Creates a failure from an error value.
    pub fn failed(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self::failure(Diagnostic::error(code, error.to_string()))
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
