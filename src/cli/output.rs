//! The only place that prints: data to stdout, talk to stderr, colour where it is wanted.
//!
//! Texts handed to [`Output`] are printed as they are; foreign text is cleaned where cells and lines are
//! made. JSON is made safe here, since it must stay the same data.

use super::args::{ColorChoice, GlobalArgs};
use super::error::{CliError, Exit};
use crate::diagnostic::{Diagnostic, Severity};
use std::io::{self, BufWriter, IsTerminal, Write};

/// What a piece of text means; the colours are the terminal's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A heading.
    Title,
    /// Beside the point.
    Dim,
    /// A name.
    Accent,
    /// Good.
    Ok,
    /// To be looked at.
    Warn,
    /// Bad.
    Error,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Self::Title => "1",
            Self::Dim => "2",
            Self::Accent => "36",
            Self::Ok => "32",
            Self::Warn => "33",
            Self::Error => "31",
        }
    }
}

/// Where a command writes to.
pub struct Output {
    stdout: BufWriter<Box<dyn Write>>,
    stderr: Box<dyn Write>,
    is_terminal: bool,
    has_colour: bool,
    has_colour_on_stderr: bool,
    is_quiet: bool,
    /// What is done when everything is printed.
    afterwards: Vec<Box<dyn FnOnce() -> Option<Diagnostic>>>,
    /// Exit code of a program that was run, which is ours then.
    code: Option<u8>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// Creates the output of this process.
    pub fn new(global: &GlobalArgs) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_terminal = stdout.is_terminal();
        Self {
            is_terminal,
            has_colour: has_colour(global.color, is_terminal),
            has_colour_on_stderr: has_colour(global.color, stderr.is_terminal()),
            stdout: BufWriter::with_capacity(64 * 1024, Box::new(stdout)),
            stderr: Box::new(stderr),
            is_quiet: global.quiet,
            afterwards: Vec::new(),
            code: None,
        }
    }

    /// Returns whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Returns the width of the terminal on stdout in cells; `None` when it is none.
    pub fn columns(&self) -> Option<usize> {
        if !self.is_terminal {
            return None;
        }
        let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let measured = || crossterm::terminal::size().ok().map(|(width, _)| usize::from(width));
        told.or_else(measured).filter(|width| *width > 0)
    }

    /// Returns whether nothing but errors is said.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Returns whether stdout has colour.
    pub fn has_colour(&self) -> bool {
        self.has_colour
    }

    /// Returns the text in the colour of its role, if stdout has colour.
    pub fn paint(&self, role: Role, text: &str) -> String {
        paint(self.has_colour, role, text)
    }

    /// Writes a line to stdout.
    ///
    /// # Errors
    /// When it cannot be written, for example because the pipe is closed.
    pub fn line(&mut self, text: &str) -> Result<(), CliError> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.write_all(b"\n")?;
        Ok(())
    }

    /// Writes text to stdout as it is.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.stdout.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Writes a value as JSON over several lines.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        self.line(&safe_json(&text))
    }

    /// Writes a value as JSON on one line.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn json_line(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        self.line(&safe_json(&text))
    }

    /// Writes a value as one YAML document.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn yaml(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_yaml::to_string(value).map_err(io::Error::other)?;
        // The emitter escapes control codes; marks of direction it lets through
        if self.is_terminal { self.text(&crate::model::text::clean_lines(&text)) } else { self.text(&text) }
    }

    /// Says something on stderr, unless told to be quiet.
    pub fn note(&mut self, text: &str) {
        if !self.is_quiet {
            self.say(&format!("{text}\n"));
        }
    }

    /// Shows how far something is on the last line of the terminal; an empty text takes it away. Says
    /// nothing where stderr is no terminal.
    pub fn progress(&mut self, text: &str) {
        if !self.is_quiet && io::stderr().is_terminal() {
            self.say(&format!("\r\u{1b}[K{text}"));
        }
    }

    /// Shows a diagnostic on stderr; when quiet, errors only.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        if !self.is_quiet || diagnostic.is_error() {
            let text = render(diagnostic, self.has_colour_on_stderr);
            self.say(&text);
        }
    }

    /// Says why a command gave up.
    pub fn failure(&mut self, error: &CliError) {
        if let Some(diagnostic) = error.diagnostic() {
            let text = render(&diagnostic, self.has_colour_on_stderr);
            self.say(&text);
        }
    }

    /// Asks a question on the terminal and returns the answer; `None` when there is no terminal.
    pub fn ask(&mut self, question: &str) -> Option<String> {
        let input = io::stdin();
        if !input.is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        self.say(question);
        let mut answer = String::new();
        input.read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// Hands everything on.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.stdout.flush()?)
    }

    /// Leaves something to be done when everything is printed, so that nobody waits for it; what it returns
    /// is told.
    pub fn afterwards(&mut self, work: impl FnOnce() -> Option<Diagnostic> + 'static) {
        self.afterwards.push(Box::new(work));
    }

    /// Does what was left to be done.
    pub fn finish(&mut self) {
        for work in std::mem::take(&mut self.afterwards) {
            if let Some(diagnostic) = work() {
                self.diagnostic(&diagnostic);
            }
        }
    }

    /// Ends with the exit code of a program that was run, unless something of ours fails.
    pub fn end_with(&mut self, code: u8) {
        self.code = Some(code);
    }

    /// Returns the exit code of a program that was run.
    pub fn code(&self) -> Option<u8> {
        self.code
    }

    /// A lost line on stderr changes nothing: there is nobody to tell.
    fn say(&mut self, text: &str) {
        let _ = self.stdout.flush();
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }
}

/// Returns stdout for a flood of bytes that is written on another thread; who writes gathers them.
pub fn data() -> Box<dyn Write + Send> {
    Box::new(io::stdout())
}

/// Says something on stderr, from any thread.
pub fn talk(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Prints what is wrong with the command line, or the help that was asked for.
pub fn usage(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    if error.use_stderr() {
        let _ = io::stderr().write_all(text.as_bytes());
        Exit::Usage
    } else {
        let _ = io::stdout().write_all(text.as_bytes());
        Exit::Fine
    }
}

fn paint(has_colour: bool, role: Role, text: &str) -> String {
    if has_colour && !text.is_empty() {
        format!("\u{1b}[{}m{text}\u{1b}[0m", role.code())
    } else {
        text.to_owned()
    }
}

/// The rules of <https://bixense.com/clicolors> and <https://no-color.org>; the flag wins.
fn has_colour(choice: ColorChoice, is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        ColorChoice::Auto if set("CLICOLOR_FORCE") => true,
        ColorChoice::Auto => is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Returns the text form of a diagnostic, its first word in colour.
pub fn render(diagnostic: &Diagnostic, has_colour: bool) -> String {
    let text = diagnostic.render();
    let role = match diagnostic.severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warn,
        Severity::Info => Role::Accent,
    };
    match text.split_once(": ") {
        Some((head, rest)) if has_colour => format!("{}: {rest}", paint(true, role, head)),
        _ => text,
    }
}

/// Escapes what JSON allows raw and a terminal may act upon: C1 control codes, DEL, marks of direction.
/// All of them can only stand inside strings, so the data stays the same.
fn safe_json(text: &str) -> std::borrow::Cow<'_, str> {
    use std::fmt::Write as _;
    let acts = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
    };
    if text.is_ascii() && !text.contains('\u{7f}') || !text.contains(acts) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            let _ = write!(out, "\\u{:04x}", c as u32);
        } else {
            out.push(c);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_data_without_raw_codes() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[31m \u{7f} \u{202e}x ü 名"});
        let text = safe_json(&value.to_string()).into_owned();
        assert!(!text.contains(['\u{9b}', '\u{1b}', '\u{7f}', '\u{202e}']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn the_flag_wins_over_everything() {
        assert!(has_colour(ColorChoice::Always, false));
        assert!(!has_colour(ColorChoice::Never, true));
    }
}
