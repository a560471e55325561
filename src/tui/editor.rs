//! Starting the user's editor at a line, and the browser at an address.

use crate::app::subject::is_openable;
use std::process::{Command, Stdio};

/// Returns the command line for opening a file at a line and column (1-based, 0 = unknown).
///
/// `configured` wins over `$VISUAL` and `$EDITOR`; `vi` is the last resort. The words of the command
/// are split at spaces; it is never given to a shell.
pub fn command(configured: &str, path: &str, line: u32, column: u32) -> Vec<String> {
    let variable = |name| std::env::var(name).ok().filter(|v: &String| !v.trim().is_empty());
    let editor = Some(configured.to_owned())
        .filter(|c| !c.trim().is_empty())
        .or_else(|| variable("VISUAL"))
        .or_else(|| variable("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned());
    let mut words: Vec<String> = editor.split_whitespace().map(str::to_owned).collect();
    let program = words.first().map(String::as_str).unwrap_or_default();
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).trim_end_matches(".exe");
    // a path that begins with a dash must not be read as an option
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    match (name, line) {
        (_, 0) => words.push(path),
        ("code" | "codium" | "cursor" | "windsurf", _) => {
            words.extend(["--wait".into(), "--goto".into(), format!("{path}:{line}:{}", column.max(1))]);
        }
        ("hx" | "helix" | "subl" | "zed", _) => words.push(format!("{path}:{line}:{}", column.max(1))),
        (
            "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "kak" | "micro" | "joe" | "mg" | "ne",
            _,
        ) => {
            words.extend([format!("+{line}"), path]);
        }
        _ => words.push(path),
    }
    words
}

/// Opens an address in the browser: `$BROWSER`, else what the system offers.
///
/// # Errors
/// A sentence when the address is no web or mail address, or nothing could open it.
pub fn open_url(url: &str) -> Result<(), String> {
    if !is_openable(url) {
        return Err(format!("`{url}` is no web or mail address"));
    }
    let browser = std::env::var("BROWSER").ok().filter(|b| !b.is_empty());
    let system = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer.exe"
    } else {
        "xdg-open"
    };
    let program = browser.as_deref().unwrap_or(system);
    let mut words = program.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(system));
    command.args(words).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| {
        format!("no browser here: `{program}` could not be started; set $BROWSER, or copy the address: {url}")
    })?;
    // the browser may stay in the foreground for as long as it likes; only reap it
    std::thread::spawn(move || drop(child.wait()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_editor_gets_its_own_form() {
        let cases = [
            ("vim", vec!["vim", "+3", "a.yaml"]),
            ("/usr/bin/hx", vec!["/usr/bin/hx", "a.yaml:3:7"]),
            ("code -n", vec!["code", "-n", "--wait", "--goto", "a.yaml:3:7"]),
            ("ed", vec!["ed", "a.yaml"]),
        ];
        for (editor, words) in cases {
            assert_eq!(command(editor, "a.yaml", 3, 7), words);
        }
        assert_eq!(command("vi", "-c:q", 0, 0), ["vi", "./-c:q"]);
    }

    #[test]
    fn refuses_what_is_no_address() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "-x", "ssh://host"] {
            assert!(open_url(url).is_err(), "{url}");
        }
    }
}
