//! Writes lines of a stream as text or as JSON, one line each.

use super::ring::LineView;
use super::{Level, LineKind, LogSource, Save, Stream, without_colours};
use std::io::{self, Write};

/// Bytes gathered before they are written.
const BUFFER: usize = 60 * 1024;

impl Stream {
    /// Writes lines, those on disk too; on the pool. Returns how many.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, save: &Save, out: &mut dyn Write) -> io::Result<u64> {
        let sources = self.status().sources;
        let (mut count, mut result) = (0_u64, Ok(()));
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        if save.is_json {
            buffer.push(b'[');
        }
        self.core().0.visit(save.ids.clone(), |_, line| {
            if save.query.as_ref().is_some_and(|query| !query.matches_view(&line)) {
                return true;
            }
            if save.is_json {
                buffer.extend_from_slice(if count == 0 { b"\n" } else { b",\n" });
            }
            write_line(&mut buffer, line, save, sources.get(usize::from(line.source)));
            count += 1;
            if buffer.len() > BUFFER {
                result = out.write_all(&buffer);
                buffer.clear();
            }
            result.is_ok()
        });
        result?;
        if save.is_json {
            buffer.extend_from_slice(b"\n]\n");
        }
        out.write_all(&buffer)?;
        out.flush()?;
        Ok(count)
    }
}

fn write_line(out: &mut Vec<u8>, line: LineView<'_>, save: &Save, source: Option<&LogSource>) {
    let text = if save.has_colours { line.text.into() } else { without_colours(line.text) };
    let line = LineView { text: &text, ..line };
    if save.is_json {
        return json(out, line, source);
    }
    if let Some(time) = line.time {
        out.extend_from_slice(time.to_string().as_bytes());
        out.push(b' ');
    }
    if let Some(source) = source.filter(|_| line.kind != LineKind::Marker) {
        out.push(b'[');
        out.extend_from_slice(source.tag.as_bytes());
        out.extend_from_slice(b"] ");
    }
    if !matches!(line.kind, LineKind::Text { .. }) {
        out.extend_from_slice(b"--- ");
    }
    out.extend_from_slice(line.text.as_bytes());
    out.push(b'\n');
}

/// Writes a line as a JSON object: time, where it comes from, level, text, and the fields of lines that are
/// JSON themselves.
pub(super) fn json(out: &mut Vec<u8>, line: LineView<'_>, source: Option<&LogSource>) {
    out.push(b'{');
    if let Some(time) = line.time {
        out.extend_from_slice(b"\"time\":\"");
        out.extend_from_slice(time.to_string().as_bytes());
        out.extend_from_slice(b"\",");
    }
    match (line.kind, source) {
        (LineKind::Marker, _) | (_, None) => {}
        (_, Some(source)) => {
            let texts = [
                ("cluster", &*source.pod.cluster),
                ("namespace", &*source.pod.namespace),
                ("pod", &*source.pod.name),
                ("container", &*source.container),
            ];
            for (key, text) in texts {
                field(out, key, text);
                out.push(b',');
            }
            if source.is_previous {
                out.extend_from_slice(b"\"previous\":true,");
            }
        }
    }
    let kind = match line.kind {
        LineKind::Text { .. } => None,
        LineKind::Note => Some("note"),
        LineKind::Gap(_) => Some("gap"),
        LineKind::Marker => Some("marker"),
    };
    if let Some(kind) = kind {
        field(out, "kind", kind);
        out.push(b',');
    }
    if let LineKind::Gap(missing) = line.kind {
        out.extend_from_slice(format!("\"missing\":{missing},").as_bytes());
    }
    if line.level != Level::None {
        field(out, "level", line.level.as_str());
        out.push(b',');
    }
    field(out, "text", line.text);
    if line.kind == (LineKind::Text { is_json: true }) && is_json(line.text) {
        out.extend_from_slice(b",\"fields\":");
        push_safe(out, line.text.trim());
    }
    out.push(b'}');
}

/// The mark of JSON lines is a guess by their ends; what goes into a document must be one.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn field(out: &mut Vec<u8>, key: &str, text: &str) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    let start = out.len();
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"\"\"");
    }
    make_safe(out, start);
}

fn push_safe(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    make_safe(out, start);
}

/// Escapes what JSON allows raw and a terminal may act upon; it can only stand inside of strings.
fn make_safe(out: &mut Vec<u8>, start: usize) {
    let acts = |byte: &u8| *byte == 0x7f || *byte >= 0x80;
    let Some(tail) = out.get(start..).filter(|tail| tail.iter().any(acts)) else { return };
    let Ok(text) = std::str::from_utf8(tail) else { return };
    let is_acting = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_acting) {
        return;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_acting(c) {
            safe.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            safe.push(c);
        }
    }
    out.truncate(start);
    out.extend_from_slice(safe.as_bytes());
}
