//! From bytes of a response to lines: own splitting, so that no line can cost more memory than it may.
//!
//! Lines come with the time of the container runtime before them. What is longer than the limit is cut, and
//! the line says how much was. Bytes stay as they are: nothing here minds what they mean.

use memchr::{memchr, memchr_iter};

/// Stands for no time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Longest time with its space: `2006-01-02T15:04:05.999999999+07:00 `.
const TIME_BYTES: usize = 36;

/// Container runtimes write long lines in pieces of a multiple of this; old kubelets put a time before each.
const PIECE: usize = 4096;

/// Pieces of one line are written within so much time, in nanoseconds.
const PIECE_AGE: i64 = 60_000_000_000;

/// What nodes write into a response when they cannot read the log; every line of a log has a time instead.
const WORDS: [&[u8]; 4] = [
    b"unable to retrieve container logs for ",
    b"failed to try resolving symlinks in path ",
    b"failed to watch file ",
    b"rpc error: code = ",
];

/// What a line in a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawKind {
    /// Written by the container.
    Text,
    /// Said by us.
    Note,
    /// So many lines are missing; 0 for an unknown number.
    Gap(u64),
}

/// A line in a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawLine {
    /// Nanoseconds since the epoch, or [`NO_TIME`].
    pub time: i64,
    pub start: u32,
    pub end: u32,
    pub kind: RawKind,
}

/// Lines that came together, in the order of their source.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub bytes: Vec<u8>,
    pub lines: Vec<RawLine>,
}

impl Lines {
    /// Returns the bytes of a line.
    pub fn bytes(&self, line: &RawLine) -> &[u8] {
        self.bytes.get(line.start as usize..line.end as usize).unwrap_or_default()
    }

    /// Appends a line.
    pub fn push(&mut self, time: i64, kind: RawKind, text: &[u8]) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        self.lines.push(RawLine { time, start, end: self.bytes.len() as u32, kind });
    }
}

/// Splits a response into lines.
#[derive(Debug)]
pub(super) struct Splitter {
    /// Longest text of a line.
    most: usize,
    /// A line that has begun.
    partial: Vec<u8>,
    /// Bytes of it that were left out.
    cut: u64,
}

impl Splitter {
    /// Creates one that keeps so many bytes of a line.
    pub fn new(most: usize) -> Self {
        Self { most, partial: Vec::new(), cut: 0 }
    }

    /// Takes bytes and appends the lines that end in them.
    pub fn feed(&mut self, mut bytes: &[u8], out: &mut Lines) {
        if !self.partial.is_empty() || self.cut > 0 {
            let Some(end) = memchr(b'\n', bytes) else { return self.keep(bytes) };
            let (tail, rest) = bytes.split_at(end);
            self.keep(tail);
            self.finish(out);
            bytes = rest.get(1..).unwrap_or_default();
        }
        let mut start = 0;
        for end in memchr_iter(b'\n', bytes) {
            let line = bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            if line.len() > self.most + TIME_BYTES {
                self.keep(line);
                self.finish(out);
            } else {
                push_line(line, 0, self.most, out);
            }
        }
        self.keep(bytes.get(start..).unwrap_or_default());
    }

    /// Appends the line that has begun, as the last one of a container that ended.
    pub fn finish(&mut self, out: &mut Lines) {
        if !self.partial.is_empty() || self.cut > 0 {
            push_line(&self.partial, self.cut, self.most, out);
            self.forget();
        }
    }

    /// Forgets the line that has begun: it comes again.
    pub fn forget(&mut self) {
        self.partial.clear();
        self.cut = 0;
        // a long line leaves no long buffer
        self.partial.shrink_to(PIECE);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let free = (self.most + TIME_BYTES).saturating_sub(self.partial.len());
        let (kept, left) = bytes.split_at(free.min(bytes.len()));
        self.partial.extend_from_slice(kept);
        self.cut += left.len() as u64;
    }
}

fn push_line(line: &[u8], cut: u64, most: usize, out: &mut Lines) {
    let (time, head) = parse_time(line).unwrap_or((NO_TIME, 0));
    let text = line.get(head..).unwrap_or_default();
    let start = out.bytes.len();
    if text.len() > PIECE && time != NO_TIME {
        push_pieces(text, time, &mut out.bytes);
    } else {
        out.bytes.extend_from_slice(text);
    }
    let length = out.bytes.len() - start;
    if cut > 0 || length > most {
        let kept = out.bytes.get(start..start + length.min(most)).unwrap_or_default();
        let kept = whole_characters(kept);
        let cut = cut + (length - kept) as u64;
        out.bytes.truncate(start + kept);
        out.bytes.extend_from_slice(format!(" … [{cut} more bytes cut]").as_bytes());
    }
    let is_word = time == NO_TIME && WORDS.iter().any(|word| text.starts_with(word));
    let kind = if is_word { RawKind::Note } else { RawKind::Text };
    out.lines.push(RawLine { time, start: start as u32, end: out.bytes.len() as u32, kind });
}

/// Returns the length without a character that is cut off at the end.
fn whole_characters(text: &[u8]) -> usize {
    for (back, byte) in (1..=3).zip(text.iter().rev()) {
        let needed = match byte {
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            0x80.. => continue,
            _ => 1,
        };
        return if needed > back { text.len() - back } else { text.len() };
    }
    text.len()
}

/// Appends a long text without the times that old kubelets put between its pieces.
fn push_pieces(text: &[u8], time: i64, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let at = (PIECE..rest.len()).step_by(PIECE).find_map(|at| {
            let (found, length) = parse_time(rest.get(at..)?)?;
            (0..PIECE_AGE).contains(&(found - time)).then_some((at, length))
        });
        let Some((at, length)) = at else { return out.extend_from_slice(rest) };
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + length..).unwrap_or_default();
    }
}

/// Reads the time a line begins with, as nanoseconds since the epoch, and how many bytes it takes with the
/// space behind it.
pub(super) fn parse_time(line: &[u8]) -> Option<(i64, usize)> {
    let (head, mut rest) = line.split_first_chunk::<19>()?;
    let is_formed = head.get(4) == Some(&b'-')
        && head.get(7) == Some(&b'-')
        && head.get(10) == Some(&b'T')
        && head.get(13) == Some(&b':')
        && head.get(16) == Some(&b':');
    if !is_formed {
        return None;
    }
    let number = |from: usize, to: usize| {
        head.get(from..to)?
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let mut seconds = days * 86_400 + number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = fraction.split_at_checked(digits)?;
        let padded = digits.iter().map(|byte| i64::from(byte - b'0')).chain(std::iter::repeat(0));
        nanoseconds = padded.take(9).fold(0, |sum, digit| sum * 10 + digit);
        rest = after;
    }
    match rest.split_first()? {
        (b'Z', after) => rest = after,
        (sign @ (b'+' | b'-'), after) => {
            let (offset, after) = after.split_first_chunk::<5>()?;
            let digit =
                |at: usize| offset.get(at).filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0'));
            let minutes = (digit(0)? * 10 + digit(1)?) * 60 + digit(3)? * 10 + digit(4)?;
            seconds -= if *sign == b'+' { minutes * 60 } else { -minutes * 60 };
            rest = after;
        }
        _ => return None,
    }
    // an empty line ends with its time
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    let time = seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?;
    Some((time, line.len() - rest.len()))
}

/// Returns the days since the epoch of a date: the usual count from the first of March on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: &str = "2024-02-29T23:59:59.000000001Z ";

    fn split(pieces: &[&[u8]], most: usize) -> Vec<(i64, Vec<u8>)> {
        let (mut splitter, mut out) = (Splitter::new(most), Lines::default());
        pieces.iter().for_each(|piece| splitter.feed(piece, &mut out));
        splitter.finish(&mut out);
        out.lines.iter().map(|line| (line.time, out.bytes(line).to_vec())).collect()
    }

    #[test]
    fn times_are_read_as_the_runtime_writes_them() {
        let cases = [
            "2024-02-29T23:59:59.000000001Z",
            "2024-02-29T23:59:59Z",
            "1999-12-31T00:00:00.5Z",
            "2024-01-01T12:00:00.123456789+02:00",
            "2024-01-01T12:00:00.123456789-09:30",
        ];
        for text in cases {
            let expected: jiff::Timestamp = text.parse().unwrap();
            let line = format!("{text} x");
            let (time, length) = parse_time(line.as_bytes()).unwrap();
            assert_eq!(i128::from(time), expected.as_nanosecond(), "{text}");
            assert_eq!(length, text.len() + 1);
        }
        for text in [
            "",
            "2024-01-01",
            "2024-01-01T12:00:00",
            "2024-01-01T12:00:00.5",
            "x024-01-01T12:00:00Z y",
            "2024-01-01T12:00:00Zy",
        ] {
            assert_eq!(parse_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let long = format!("{T}{}\n{T}next\n", "ä".repeat(5_000_000));
        let pieces: Vec<&[u8]> = long.as_bytes().chunks(1 << 16).collect();
        let lines = split(&pieces, 1001);
        assert_eq!(lines.len(), 2);
        let text = String::from_utf8(lines[0].1.clone()).unwrap();
        assert!(text.starts_with("ää") && text.ends_with(" … [9999000 more bytes cut]"), "{text}");
        assert_eq!(lines[1].1, b"next");
        let mut splitter = Splitter::new(1000);
        let mut out = Lines::default();
        pieces.iter().for_each(|piece| {
            splitter.feed(piece, &mut out);
            assert!(splitter.partial.capacity() < 10_000 && out.bytes.len() < 5_000);
        });
    }

    #[test]
    fn times_between_pieces_of_a_long_line_are_left_out() {
        let piece = "x".repeat(16_384);
        let line = format!("{T}{piece}2024-03-01T00:00:00.5Z {piece}2024-03-01T00:00:01Z end\n");
        let lines = split(&[line.as_bytes()], 1 << 20);
        assert_eq!(lines[0].1, format!("{piece}{piece}end").into_bytes());
        let other = format!("{T}{piece}2019-03-01T00:00:00.5Z {piece}\n");
        let kept = split(&[other.as_bytes()], 1 << 20);
        assert_eq!(kept[0].1.len(), other.len() - T.len() - 1);
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let text = b"2024-02-29T23:59:59Z \xff\x00\x1b[31m\r\nno time\n2024-02-29T23:59:59Z \n2024-02-29T23:59:59Z\n\nlast";
        let lines: Vec<Vec<u8>> = split(&[text], 100).into_iter().map(|(_, text)| text).collect();
        let expected: [&[u8]; 6] = [b"\xff\x00\x1b[31m\r", b"no time", b"", b"", b"", b"last"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_a_node_says_is_no_line_of_the_log() {
        let said = "unable to retrieve container logs for containerd://0123";
        let text = format!("{T}{said}\nplain\n{said}");
        let (mut splitter, mut out) = (Splitter::new(100), Lines::default());
        splitter.feed(text.as_bytes(), &mut out);
        splitter.finish(&mut out);
        let kinds: Vec<_> = out.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [RawKind::Text, RawKind::Text, RawKind::Note]);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_parted_does_not_matter(
            lines in prop::collection::vec("[a-zä\r]{0,40}", 1..20),
            cuts in prop::collection::vec(0_usize..700, 0..12),
            most in 5_usize..50,
        ) {
            let whole = lines.iter().map(|line| format!("{T}{line}\n")).collect::<String>().into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            prop_assert_eq!(split(&pieces, most), split(&[&whole], most));
        }
    }
}
