//! `--8<--`: other files spliced into a page before it is read.
//!
//! Which file a path names, and whether it may be read, is the caller's to say.

/// A text with its snippets, and where each of its lines came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spliced {
    /// The text.
    pub text: String,
    /// For each line the file (index into `files`) and the 1-based line in it.
    pub lines: Vec<(u32, u32)>,
    /// The files; the first is the page itself, named `""`.
    pub files: Vec<String>,
    /// Snippets that could not be read: line of the page, path as written.
    pub missing: Vec<(u32, String)>,
}

/// How deep snippets include each other.
const DEEPEST: usize = 12;

/// All snippets of a page together.
const LARGEST: usize = 16 * 1024 * 1024;

/// Splices snippets into a text. `read` returns the text of a path, as written.
pub fn splice(text: &str, read: &mut dyn FnMut(&str) -> Option<String>) -> Spliced {
    let mut out = Spliced { files: vec![String::new()], ..Spliced::default() };
    let mut open = Vec::new();
    put(text, 0, 0, "", read, &mut open, &mut out);
    out
}

/// Returns the rest of a line behind its scissors (`--8<--`, with any number of dashes).
fn scissors(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('-');
    let before = line.len() - rest.len();
    let rest = rest.strip_prefix("8<")?;
    let after = rest.trim_start_matches('-');
    (before >= 1 && rest.len() > after.len()).then_some(after)
}

fn put(
    text: &str,
    file: u32,
    page_line: u32,
    indent: &str,
    read: &mut dyn FnMut(&str) -> Option<String>,
    open: &mut Vec<String>,
    out: &mut Spliced,
) {
    let mut in_block = false;
    for (line, number) in text.strip_suffix('\n').unwrap_or(text).split('\n').zip(1..) {
        let at = if file == 0 { number } else { page_line };
        let bare = line.trim_start();
        let lead = line.get(..line.len() - bare.len()).unwrap_or("");
        let lead = format!("{indent}{lead}");
        if let Some(inner) = bare.strip_prefix(';').filter(|inner| scissors(inner).is_some()) {
            add(out, &format!("{lead}{inner}"), file, number);
            continue;
        }
        match scissors(bare).map(str::trim) {
            Some("") => {
                in_block = !in_block;
                continue;
            }
            Some(path) if !in_block => {
                if let Some(path) = quoted(path) {
                    include(path, at, &lead, read, open, out);
                    continue;
                }
                // `--8<-- [start:name]` names a part for others
                if path.starts_with('[') {
                    continue;
                }
            }
            _ if in_block => {
                let path = bare.trim();
                if !path.is_empty() && !path.starts_with(';') {
                    include(path, at, &lead, read, open, out);
                }
                continue;
            }
            _ => {}
        }
        if scissors_inside(line) {
            continue;
        }
        add(out, &format!("{indent}{line}"), file, number);
    }
}

/// Whether a line only marks a part in a comment: `# --8<-- [start:name]`.
fn scissors_inside(line: &str) -> bool {
    line.find("8<").is_some_and(|at| {
        let start = line.get(..at).map_or(0, |before| before.trim_end_matches('-').len());
        let marks = line.get(start..).and_then(scissors).is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with("[start:") || rest.starts_with("[end:")
        });
        marks && start < at
    })
}

fn quoted(path: &str) -> Option<&str> {
    let quote = path.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    path.strip_prefix(quote)?.strip_suffix(quote)
}

fn add(out: &mut Spliced, line: &str, file: u32, number: u32) {
    if out.text.len() + line.len() < LARGEST {
        out.text.push_str(line);
        out.text.push('\n');
        out.lines.push((file, number));
    }
}

fn include(
    written: &str,
    at: u32,
    indent: &str,
    read: &mut dyn FnMut(&str) -> Option<String>,
    open: &mut Vec<String>,
    out: &mut Spliced,
) {
    let (path, part) = split_part(written);
    if open.len() >= DEEPEST || open.iter().any(|other| other == written) || out.files.len() > 10_000 {
        out.missing.push((at, written.to_owned()));
        return;
    }
    let Some(text) = read(path) else {
        out.missing.push((at, written.to_owned()));
        return;
    };
    let Some(text) = select(&text, &part) else {
        out.missing.push((at, written.to_owned()));
        return;
    };
    let file = out.files.len() as u32;
    out.files.push(path.to_owned());
    open.push(written.to_owned());
    put(&text, file, at, indent, read, open, out);
    open.pop();
}

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    All,
    Lines(&'a str),
    Section(&'a str),
}

/// Splits `path:2:5` and `path:name`.
fn split_part(written: &str) -> (&str, Part<'_>) {
    let is_lines = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b',' | b'-'))
    };
    let mut at = None;
    for (n, _) in written.match_indices(':') {
        if written.get(n + 1..).is_some_and(is_lines) {
            at = Some(n);
            break;
        }
    }
    if let Some((path, lines)) = at.and_then(|at| Some((written.get(..at)?, written.get(at + 1..)?))) {
        return (path, Part::Lines(lines));
    }
    match written.rsplit_once(':') {
        Some((path, name)) if !path.is_empty() && !name.is_empty() && !name.contains('/') => {
            (path, Part::Section(name))
        }
        _ => (written, Part::All),
    }
}

fn select(text: &str, part: &Part<'_>) -> Option<String> {
    match *part {
        Part::All => Some(text.to_owned()),
        Part::Lines(ranges) => {
            let lines: Vec<&str> = text.lines().collect();
            let mut out = Vec::new();
            for range in ranges.split(',') {
                let (from, to) =
                    range.split_once(':').unwrap_or((range, if range.contains(':') { "" } else { range }));
                let from = from.parse::<usize>().unwrap_or(1).max(1);
                let to = to.parse::<usize>().unwrap_or(lines.len());
                out.extend(lines.iter().take(to).skip(from - 1).copied());
            }
            Some(out.join("\n"))
        }
        Part::Section(name) => {
            let mut inside = false;
            let mut found = false;
            let mut out = Vec::new();
            for line in text.lines() {
                if line.contains("8<") && line.contains(&format!("[start:{name}]")) {
                    (inside, found) = (true, true);
                } else if line.contains("8<") && line.contains(&format!("[end:{name}]")) {
                    inside = false;
                } else if inside {
                    out.push(line);
                }
            }
            found.then(|| out.join("\n"))
        }
    }
}
