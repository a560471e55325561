//! How important a line is, as far as it says so: JSON, logfmt, klog and plain text.
//!
//! Looks at the beginning of a line only; a guess that costs well under a microsecond, never an error.

use super::{Level, without_colours};

/// Bytes of a JSON line that are looked at.
const JSON_REACH: usize = 4096;

/// Bytes of any other line that are looked at.
const TEXT_REACH: usize = 256;

/// Words of a plain line that may be a level in capitals, and in any case.
const LOUD_WORDS: usize = 8;
const QUIET_WORDS: usize = 3;

/// Keys of levels in JSON and logfmt.
const KEYS: &[&str] = &["level", "severity", "lvl", "log.level", "loglevel", "levelname", "@l"];

/// Returns whether a line looks like a JSON object.
pub(super) fn is_json(text: &str) -> bool {
    let text = text.trim_ascii();
    text.len() > 1 && text.starts_with('{') && text.ends_with('}')
}

/// Returns how important a line is.
pub(super) fn level(text: &str, is_json: bool) -> Level {
    if is_json {
        return json(prefix(text, JSON_REACH)).unwrap_or_default();
    }
    let start = without_colours(prefix(text, TEXT_REACH));
    klog(&start).or_else(|| logfmt(&start)).or_else(|| plain(&start)).unwrap_or_default()
}

fn prefix(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

/// Walks over the keys of the object, and of an object `log` in it.
fn json(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut is_key, mut is_in_log) = (0, 0_u32, false, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => {
                depth += 1;
                is_key = true;
            }
            b'[' => {
                depth += 1;
                is_key = false;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                is_in_log &= depth > 1;
            }
            b',' => is_key = true,
            b'"' => {
                let end = string_end(bytes, at + 1)?;
                let string = text.get(at + 1..end).unwrap_or("");
                at = end;
                if is_key {
                    let is_ours = depth == 1 || depth == 2 && is_in_log;
                    if is_ours && KEYS.iter().any(|key| key.eq_ignore_ascii_case(string)) {
                        return value(text.get(end + 1..)?);
                    }
                    if depth == 1 {
                        is_in_log = string == "log";
                    }
                    is_key = false;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// Reads what stands behind a key: `: "warn"`, `:40`.
fn value(text: &str) -> Option<Level> {
    let text = text.trim_start().strip_prefix(':')?.trim_start();
    if let Some(string) = text.strip_prefix('"') {
        return word(string.split('"').next()?);
    }
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    number(digits.parse().ok()?)
}

/// Numbers of bunyan and pino; below ten those of syslog.
fn number(number: u32) -> Option<Level> {
    Some(match number {
        0..=3 | 50..=1000 => Level::Error,
        4 | 40..=49 => Level::Warn,
        5 | 6 | 30..=39 => Level::Info,
        7..=29 => Level::Debug,
        _ => return None,
    })
}

fn word(word: &str) -> Option<Level> {
    const WORDS: &[(&str, Level)] = &[
        ("info", Level::Info),
        ("information", Level::Info),
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("warning", Level::Warn),
        ("debug", Level::Debug),
        ("trace", Level::Debug),
        ("err", Level::Error),
        ("eror", Level::Error),
        ("fatal", Level::Error),
        ("panic", Level::Error),
        ("dpanic", Level::Error),
        ("critical", Level::Error),
        ("crit", Level::Error),
        ("severe", Level::Error),
        ("alert", Level::Error),
        ("emerg", Level::Error),
        ("emergency", Level::Error),
        ("wrn", Level::Warn),
        ("inf", Level::Info),
        ("notice", Level::Info),
        ("dbg", Level::Debug),
        ("verbose", Level::Debug),
        ("trc", Level::Debug),
        ("fine", Level::Debug),
        ("e", Level::Error),
        ("f", Level::Error),
        ("w", Level::Warn),
        ("i", Level::Info),
        ("d", Level::Debug),
        ("t", Level::Debug),
    ];
    let word = word.trim();
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// `E0102 15:04:05.000000 …`
fn klog(text: &str) -> Option<Level> {
    let (head, rest) = text.as_bytes().split_first_chunk::<5>()?;
    let (letter, digits) = head.split_first()?;
    let is_klog = digits.iter().all(u8::is_ascii_digit)
        && rest.first() == Some(&b' ')
        && rest.get(1).is_some_and(u8::is_ascii_digit);
    match letter {
        _ if !is_klog => None,
        b'E' | b'F' => Some(Level::Error),
        b'W' => Some(Level::Warn),
        b'I' => Some(Level::Info),
        _ => None,
    }
}

fn logfmt(text: &str) -> Option<Level> {
    let mut pairs = text.split_ascii_whitespace().filter_map(|pair| pair.split_once('='));
    let (_, found) = pairs.find(|(key, _)| KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)))?;
    let found = found.trim_matches('"');
    word(found).or_else(|| number(found.parse().ok()?))
}

/// A word in capitals near the beginning, or one in any case that stands alone, in brackets or before a
/// colon at the very beginning: not the `error` in "no error found".
fn plain(text: &str) -> Option<Level> {
    const STARTS: &[&str] =
        &["Traceback (most recent", "Exception in thread", "Unhandled exception", "panic: "];
    if STARTS.iter().any(|start| text.starts_with(start)) {
        return Some(Level::Error);
    }
    let mut seen = 0;
    let tokens = text.split(|c: char| c.is_whitespace() || c == '|').filter(|token| !token.is_empty());
    for token in tokens.take(LOUD_WORDS) {
        let is_enclosed = token.starts_with(['[', '<', '(']) || token.ends_with(':');
        let inner = token.trim_matches(|c: char| c.is_ascii_punctuation());
        // `[main,ERROR]`, `ERROR:root:`, `[12:00:00 INF]`
        let inner = inner.split([':', ',', ']']).next().unwrap_or(inner);
        if inner.len() < 2 || inner.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let is_loud = inner.bytes().all(|byte| byte.is_ascii_uppercase());
        if (is_loud || seen < 1 || seen < QUIET_WORDS && is_enclosed)
            && let Some(level) = word(inner)
        {
            return Some(level);
        }
        seen += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_important_they_are() {
        let cases = [
            (r#"{"ts":"x","level":"error","msg":"level: info"}"#, Level::Error),
            (r#"{"msg":"say \"level\":\"error\" twice","lvl" : "WARN"}"#, Level::Warn),
            (r#"{"level":30,"pid":1}"#, Level::Info),
            (r#"{"level":50}"#, Level::Error),
            (r#"{"a":{"level":"error"},"severity":"DEBUG"}"#, Level::Debug),
            (r#"{"log.level":"warning"}"#, Level::Warn),
            (r#"{"log":{"level":"fatal"}}"#, Level::Error),
            (r#"{"a":[1,{"level":"error"}],"b":"c"}"#, Level::None),
            (r#"{"level":"strange"}"#, Level::None),
            (r#"{"level"}"#, Level::None),
            ("ts=2024-01-01 level=warn msg=\"error\"", Level::Warn),
            ("time=1 lvl=\"dbug\" x", Level::None),
            ("E0102 15:04:05.000000       1 main.go:40] x", Level::Error),
            ("I1122 18:00:00.000000       1 main.go:40] ERROR", Level::Info),
            ("2024-01-01T00:00:00Z ERROR upstream failed", Level::Error),
            ("2024-01-01 00:00:00,123 WARN  [main] x", Level::Warn),
            ("[2024-01-01 00:00:00] [error] [client 1] x", Level::Error),
            ("\u{1b}[31merror\u{1b}[0m \u{1b}[2m2024\u{1b}[0m app #1 x", Level::Error),
            ("12:00 info  app GET /", Level::Info),
            ("ERROR:root:x", Level::Error),
            ("[INFO] x", Level::Info),
            ("warning: x is deprecated", Level::Warn),
            ("panic: runtime error", Level::Error),
            ("no error found", Level::None),
            ("GET /v1/error 200", Level::None),
            ("", Level::None),
            ("\u{1b}[", Level::None),
        ];
        for (text, expected) in cases {
            assert_eq!(level(text, is_json(text)), expected, "{text:?}");
        }
    }
}
