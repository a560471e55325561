//! Copying: tmux's buffer inside tmux, the desktop's tools locally, the terminal itself (OSC 52) over
//! ssh and where nothing else is there. Text is handed over on standard input, never as an argument.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest text sent through the terminal, in bytes: many terminals drop longer ones silently.
const OSC52_MAX: usize = 74_000;

/// Longest wait for a program that takes the text.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a copied text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A program took it.
    Program(&'static str),
    /// These bytes have to be written to the terminal.
    Terminal(String),
    /// It was too large and stands in this file.
    File(String),
}

/// Copies a text; `state_folder` takes what is too large for the terminal.
///
/// # Errors
/// A sentence when not even the file could be written.
pub fn copy(text: &str, state_folder: &Path) -> Result<Route, String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let is_remote = set("SSH_CONNECTION") || set("SSH_TTY");
    let mut programs: Vec<(&'static str, &[&str])> = Vec::new();
    if set("TMUX") {
        programs.push(("tmux", &["load-buffer", "-w", "-"]));
    }
    if !is_remote {
        if cfg!(target_os = "macos") {
            programs.push(("pbcopy", &[]));
        }
        if cfg!(windows) {
            programs.push(("clip.exe", &[]));
        }
        if set("WAYLAND_DISPLAY") {
            programs.push(("wl-copy", &[]));
        }
        if set("DISPLAY") {
            programs.extend([("xclip", &["-selection", "clipboard"][..]), ("xsel", &["-ib"])]);
        }
    }
    for (program, arguments) in programs {
        if feed(program, arguments, text) {
            return Ok(Route::Program(program));
        }
    }
    if text.len() <= OSC52_MAX {
        return Ok(Route::Terminal(format!("\u{1b}]52;c;{}\u{7}", base64(text.as_bytes()))));
    }
    let path = state_folder.join("copied.txt");
    std::fs::create_dir_all(state_folder)
        .and_then(|()| std::fs::write(&path, text))
        .map(|()| Route::File(path.display().to_string()))
        .map_err(|error| {
            format!(
                "the text is too large for the terminal, and {} could not be written: {error}",
                path.display()
            )
        })
}

fn feed(program: &str, arguments: &[&str], text: &str) -> bool {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let is_written = child.stdin.take().is_some_and(|mut pipe| pipe.write_all(text.as_bytes()).is_ok());
    let until = Instant::now() + PATIENCE;
    while is_written && Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return false,
        }
    }
    // a desktop that does not answer must not hold up the screen: the next way is tried
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// Encodes bytes as base64 (RFC 4648, padded).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let letter = ALPHABET.get((word >> (18 - 6 * i) & 63) as usize).copied().unwrap_or(b'A');
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_vectors_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
