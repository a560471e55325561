//! Logs as a stream of text or JSON for scripts: lines go out as they come, nothing is kept.

use super::engine::{Ground, run_once, view};
use super::merge::Sink;
use super::pods::{Problem, ProblemKind};
use super::split::{Lines, NO_TIME, RawKind};
use super::stream::Core;
use super::{LogSource, Request, Status, Stream, save, without_colours};
use crate::model::text::clean;
use jiff::Timestamp;
use regex::bytes::Regex;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Longest text of a line: what scripts get is whole, as long as memory stays bounded.
const LONGEST: usize = 16 * 1024 * 1024;

/// Bytes gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// Colours that tell sources apart, as numbers of SGR.
const COLOURS: [u8; 6] = [36, 35, 34, 33, 32, 96];

/// What lines become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Their text.
    Text,
    /// A JSON array with an object per line.
    Json,
    /// A JSON object per line.
    JsonLines,
}

/// What stands before a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing while there is one source; then the pod and container.
    Auto,
    /// Always pod and container.
    Always,
    /// Nothing.
    Never,
}

/// Where lines go, and how.
pub struct Printer {
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Talk: what happened to the stream.
    pub say: Box<dyn FnMut(&str) + Send>,
    /// What lines become.
    pub shape: Shape,
    /// Only lines that match.
    pub only: Option<Regex>,
    /// What stands before a line.
    pub prefix: Prefix,
    /// The time stands before a line of text.
    pub has_times: bool,
    /// Somebody looks at it: nothing foreign may move the cursor, and prefixes are short.
    pub is_terminal: bool,
    /// Colours are wanted.
    pub has_colour: bool,
}

/// How printing ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// How the sources were in the end.
    pub status: Status,
    /// The worst that kept lines of some container away.
    pub failed: Option<ProblemKind>,
    /// What keeps pods away.
    pub problem: Option<Problem>,
    /// Lines that were read, whether they matched or not.
    pub lines: u64,
    /// Writing failed.
    pub error: Option<io::Error>,
}

struct Output {
    printer: Printer,
    core: Arc<Core>,
    buffer: Vec<u8>,
    /// Prefixes of sources, made when needed first.
    prefixes: Vec<Option<Vec<u8>>>,
    sources: Arc<[LogSource]>,
    has_written: bool,
    ended: Arc<Mutex<Ended>>,
}

/// Prints the logs of a request until all is read, or until it is cancelled.
pub async fn print(
    request: Request,
    ground: Arc<dyn Ground>,
    printer: Printer,
    cancel: CancellationToken,
) -> Ended {
    let stream = Stream::new(request);
    let (core, _) = stream.core();
    let ended = Arc::new(Mutex::new(Ended::default()));
    let mut sink = Box::new(Output {
        printer,
        core: core.clone(),
        buffer: Vec::with_capacity(BUFFER * 2),
        prefixes: Vec::new(),
        sources: Arc::default(),
        has_written: false,
        ended: ended.clone(),
    });
    if sink.printer.shape == Shape::Json {
        sink.buffer.push(b'[');
    }
    run_once(core.clone(), stream.request(), ground, sink, LONGEST, cancel).await;
    let mut ended = std::mem::take(&mut *ended.lock().unwrap_or_else(PoisonError::into_inner));
    ended.status = stream.status();
    ended
}

impl Output {
    fn change(&self, change: impl FnOnce(&mut Ended)) {
        change(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn write(&mut self) -> bool {
        let result = self.printer.out.write_all(&self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER * 4);
        self.is_written(result)
    }

    fn is_written(&self, result: io::Result<()>) -> bool {
        match result {
            Ok(()) => true,
            Err(error) => {
                self.change(|ended| ended.error = Some(error));
                false
            }
        }
    }

    fn source(&mut self, source: u16) -> Option<&LogSource> {
        if self.sources.len() <= usize::from(source) {
            self.sources = self.core.sources();
        }
        self.sources.get(usize::from(source))
    }

    fn push_prefix(&mut self, source: u16) {
        let is_wanted = match self.printer.prefix {
            Prefix::Never => false,
            Prefix::Always => true,
            Prefix::Auto => self.sources.len() > 1,
        };
        if !is_wanted {
            return;
        }
        let at = usize::from(source);
        if self.prefixes.len() <= at {
            self.prefixes.resize(at + 1, None);
        }
        if self.prefixes.get(at).is_some_and(Option::is_none) {
            let prefix = self.make_prefix(source);
            if let Some(place) = self.prefixes.get_mut(at) {
                *place = Some(prefix);
            }
        }
        if let Some(Some(prefix)) = self.prefixes.get(at) {
            self.buffer.extend_from_slice(prefix);
        }
    }

    fn make_prefix(&mut self, source: u16) -> Vec<u8> {
        let (is_terminal, has_colour) = (self.printer.is_terminal, self.printer.has_colour);
        let several = self
            .sources
            .iter()
            .map(|source| &source.pod.cluster)
            .collect::<std::collections::HashSet<_>>()
            .len()
            > 1;
        let Some(found) = self.source(source) else { return Vec::new() };
        let text = if is_terminal {
            format!("{} ", clean(&found.tag))
        } else {
            let cluster = if several { format!("{}/", found.pod.cluster) } else { String::new() };
            format!("[{cluster}pod/{}/{}] ", found.pod.name, found.container)
        };
        let colour = COLOURS.get(usize::from(source) % COLOURS.len()).copied().unwrap_or_default();
        if has_colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m").into_bytes() } else { text.into_bytes() }
    }

    fn push_text(&mut self, source: u16, time: i64, text: &[u8]) {
        self.push_prefix(source);
        if self.printer.has_times && time != NO_TIME {
            let time = Timestamp::from_nanosecond(time.into()).unwrap_or_default();
            let _ = write!(self.buffer, "{time:.9} ");
        }
        if self.printer.is_terminal {
            let text = String::from_utf8_lossy(text);
            let text = text.strip_suffix('\r').unwrap_or(&text);
            let safe = if self.printer.has_colour {
                with_colours(text)
            } else {
                clean(&without_colours(text)).into_owned()
            };
            self.buffer.extend_from_slice(safe.as_bytes());
        } else {
            self.buffer.extend_from_slice(text);
        }
        self.buffer.push(b'\n');
    }

    fn push_json(&mut self, source: u16, time: i64, text: &[u8]) {
        if self.printer.shape == Shape::Json {
            self.buffer.extend_from_slice(if self.has_written { b",\n" } else { b"\n" });
        }
        self.has_written = true;
        let text = String::from_utf8_lossy(text);
        let view = view(source, time, RawKind::Text, &text);
        let found = self.sources.get(usize::from(source));
        save::json(&mut self.buffer, view, found);
        if self.printer.shape == Shape::JsonLines {
            self.buffer.push(b'\n');
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        let Some(only) = &self.printer.only else { return true };
        if memchr::memchr(0x1b, text).is_none() {
            return only.is_match(text);
        }
        only.is_match(without_colours(&String::from_utf8_lossy(text)).as_bytes())
    }
}

impl Sink for Output {
    fn take(&mut self, source: u16, lines: &Lines, range: Range<usize>) -> bool {
        self.source(source);
        let mut count = 0;
        for line in lines.lines.get(range).unwrap_or_default() {
            let text = lines.bytes(line);
            if line.kind != RawKind::Text {
                let text = clean(&String::from_utf8_lossy(text)).into_owned();
                (self.printer.say)(&text);
                continue;
            }
            count += 1;
            if !self.matches(text) {
                continue;
            }
            match self.printer.shape {
                Shape::Text => self.push_text(source, line.time, text),
                Shape::Json | Shape::JsonLines => self.push_json(source, line.time, text),
            }
            if self.buffer.len() >= BUFFER && !self.write() {
                return false;
            }
        }
        self.change(|ended| ended.lines += count);
        true
    }

    fn flush(&mut self) -> bool {
        if !self.buffer.is_empty() && !self.write() {
            return false;
        }
        let result = self.printer.out.flush();
        self.is_written(result)
    }

    fn failed(&mut self, kind: ProblemKind) {
        self.change(|ended| ended.failed = ended.failed.max(Some(kind)));
    }

    fn problem(&mut self, problem: Option<Problem>) {
        if let Some(problem) = &problem {
            (self.printer.say)(&problem.says);
        }
        self.change(|ended| ended.problem = problem);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.printer.shape == Shape::Json {
            self.buffer.extend_from_slice(b"\n]\n");
            self.flush();
        }
    }
}

/// Keeps colours of a foreign text and nothing else that acts; the text ends without any.
fn with_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut has_colour = false;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        out.push_str(&clean(before));
        let parameters = sequence.get(2..).unwrap_or_default();
        let end = parameters
            .find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')
            .unwrap_or(parameters.len());
        if parameters.get(end..).is_some_and(|tail| tail.starts_with('m')) {
            let (colour, tail) = sequence.split_at(2 + end + 1);
            out.push_str(colour);
            has_colour = true;
            rest = tail;
        } else {
            rest = sequence.get(1..).unwrap_or_default();
        }
    }
    out.push_str(&clean(rest));
    if has_colour {
        out.push_str("\u{1b}[0m");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_and_nothing_else_acts() {
        let text = with_colours("a\u{1b}[31mred\u{1b}[0m\u{1b}[2Jb\u{7}");
        assert!(text.starts_with("a\u{1b}[31mred\u{1b}[0m") && text.ends_with("\u{1b}[0m"), "{text:?}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{7}'), "{text:?}");
    }
}
