//! Tables of sources as text.

use super::tree::Value;
use std::fmt::Write as _;

/// A `[[catalog.source]]` table.
#[derive(Debug)]
pub(super) struct Table {
    pub kind: &'static str,
    pub name: String,
    /// Where it comes from.
    place: String,
    notes: Vec<String>,
    fields: Vec<(&'static str, String)>,
    repositories: Vec<(&'static str, String)>,
    /// Whether it is written as a comment.
    pub is_offer: bool,
}

/// Something that is not carried over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub place: String,
    pub what: String,
    pub why: String,
}

impl Table {
    pub(super) fn new(kind: &'static str, name: String, place: String) -> Self {
        let (notes, fields, repositories) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, name, place, notes, fields, repositories, is_offer: false }
    }

    /// Sets a field to a value of TOML.
    pub(super) fn set(&mut self, key: &'static str, value: String) {
        match self.fields.iter_mut().find(|(name, _)| *name == key) {
            Some((_, slot)) => *slot = value,
            None => self.fields.push((key, value)),
        }
    }

    /// Sets a field to a text, if there is one.
    pub(super) fn text(&mut self, key: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.set(key, quoted(&text));
        }
    }

    /// Sets a field of `repositories`, if there is a value.
    pub(super) fn repositories(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.repositories.push((key, value));
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }
}

/// Writes tables and what is left as a configuration.
pub(super) fn render(tables: &mut [Table], left: &[Left], files: &str) -> String {
    let mut out = format!(
        "# Sources taken over from {files}.\n# No secret was copied: each token is named by the place where it is.\n"
    );
    let mut names = std::collections::HashSet::new();
    for table in tables.iter_mut() {
        let base = table.name.clone();
        let mut number = 2;
        while !names.insert(table.name.clone()) {
            table.name = format!("{base}-{number}");
            number += 1;
        }
    }
    for table in tables.iter() {
        let _ = writeln!(out, "\n# {}", comment(&table.place));
        for note in &table.notes {
            let _ = writeln!(out, "# {}", comment(note));
        }
        let mark = if table.is_offer { "# " } else { "" };
        let _ = writeln!(out, "{mark}[[catalog.source]]");
        let _ = writeln!(out, "{mark}type = {}", quoted(table.kind));
        let _ = writeln!(out, "{mark}name = {}", quoted(&table.name));
        for (key, value) in &table.fields {
            let _ = writeln!(out, "{mark}{key} = {value}");
        }
        if !table.repositories.is_empty() {
            let fields: Vec<String> =
                table.repositories.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let _ = writeln!(out, "{mark}repositories = {{ {} }}", fields.join(", "));
        }
    }
    if tables.iter().all(|table| table.is_offer) {
        out.push_str("\n# There is no location and no provider that can be read from here.\n");
    }
    if !left.is_empty() {
        out.push_str("\n# Not carried over:\n");
        for Left { place, what, why } in left {
            let _ = writeln!(out, "# - {}: {}: {}", comment(place), comment(what), comment(why));
        }
    }
    out
}

/// Returns a text that stays on its line.
fn comment(text: &str) -> String {
    crate::model::text::clean(text).into_owned()
}

/// Returns a text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Returns a name made of what people can type.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(60) {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "source".to_owned() } else { out.to_owned() }
}

/// Returns a regular expression for a name with `*`.
pub(super) fn glob_to_regex(glob: &str) -> String {
    glob.split('*').map(regex::escape).collect::<Vec<_>>().join(".*")
}

/// Reads a time: `{ minutes: 30 }`, `PT30M`, `30 minutes`, `30m`; returns it as `every` has it.
pub(super) fn duration(value: &Value) -> Option<String> {
    let seconds = if value.entries().is_empty() {
        let text = value.text()?;
        match text.parse::<jiff::SignedDuration>() {
            Ok(time) if text.starts_with(['P', 'p']) => time.as_secs(),
            _ => {
                let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
                let (number, unit) = text.split_at_checked(split)?;
                scaled(number.trim(), unit.trim())?
            }
        }
    } else {
        let mut sum = 0;
        for (unit, number) in value.entries() {
            sum += scaled(&number.text()?, unit)?;
        }
        sum
    };
    match seconds {
        ..=0 => None,
        _ if seconds % 86_400 == 0 => Some(format!("{}d", seconds / 86_400)),
        _ if seconds % 3_600 == 0 => Some(format!("{}h", seconds / 3_600)),
        _ if seconds % 60 == 0 => Some(format!("{}m", seconds / 60)),
        _ => Some(format!("{seconds}s")),
    }
}

fn scaled(number: &str, unit: &str) -> Option<i64> {
    let factor = match unit {
        "milliseconds" | "ms" => 0.001,
        "seconds" | "second" | "s" => 1.0,
        "minutes" | "minute" | "m" => 60.0,
        "hours" | "hour" | "h" => 3_600.0,
        "days" | "day" | "d" => 86_400.0,
        "weeks" | "week" => 604_800.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * factor;
    // a year is more than anybody means
    (0.0..=31_536_000.0).contains(&seconds).then(|| seconds.ceil() as i64)
}
