//! Foreign codes in log lines: colours are understood, everything else that could act is shown as a sign.

use crate::config::theme::{Color, Paint};

/// A run of text that is safe to show, with the colours that the log gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The text: no control codes, no tabs.
    pub text: String,
    /// Its colours; `None` for none.
    pub paint: Option<Paint>,
}

/// Splits a line into runs. Colours are left out where they are not wanted; other sequences and control codes
/// become visible signs.
pub fn runs(line: &str, keeps_colours: bool, is_ascii: bool) -> Vec<Run> {
    if !line.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return vec![Run { text: line.to_owned(), paint: None }];
    }
    let mut out: Vec<Run> = Vec::new();
    let mut paint = Paint::default();
    let mut text = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or("");
        if let Some((parameters, after)) = colours(rest) {
            push(&mut out, &mut text, paint);
            if keeps_colours {
                apply(&mut paint, parameters);
            }
            rest = after;
            continue;
        }
        match c {
            '\t' => text.push_str("    "),
            // a line that ends with it comes from Windows
            '\r' if tail.is_empty() => {}
            c if (c as u32) < 0x20 || c == '\u{7f}' => sign(&mut text, c, is_ascii),
            c => text.push(c),
        }
        rest = tail;
    }
    push(&mut out, &mut text, paint);
    if out.is_empty() {
        out.push(Run { text: String::new(), paint: None });
    }
    out
}

fn push(out: &mut Vec<Run>, text: &mut String, paint: Paint) {
    if !text.is_empty() {
        let paint = (paint != Paint::default()).then_some(paint);
        out.push(Run { text: std::mem::take(text), paint });
    }
}

/// Writes a sign for a control code: `␛`, or `^[` where only ASCII is shown.
fn sign(text: &mut String, c: char, is_ascii: bool) {
    let code = c as u32;
    if is_ascii {
        text.push('^');
        text.push(char::from_u32(code ^ 0x40).unwrap_or('?'));
    } else {
        let picture = if code == 0x7f { 0x2421 } else { 0x2400 + code };
        text.push(char::from_u32(picture).unwrap_or('\u{fffd}'));
    }
}

/// Returns the parameters of a sequence for colours at the start, and what comes behind.
fn colours(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    let (parameters, tail) = rest.split_at(end);
    Some((parameters, tail.strip_prefix('m')?))
}

fn apply(paint: &mut Paint, parameters: &str) {
    let mut codes = parameters.split([';', ':']).map(|code| code.parse::<u8>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *paint = Paint::default(),
            1 => paint.bold = true,
            2 => paint.dim = true,
            3 => paint.italic = true,
            4 => paint.underline = true,
            7 => paint.reverse = true,
            22 => (paint.bold, paint.dim) = (false, false),
            23 => paint.italic = false,
            24 => paint.underline = false,
            27 => paint.reverse = false,
            30..=37 => paint.fg = Some(Color::Ansi(code - 30)),
            38 => paint.fg = extended(&mut codes),
            39 => paint.fg = None,
            40..=47 => paint.bg = Some(Color::Ansi(code - 40)),
            48 => paint.bg = extended(&mut codes),
            49 => paint.bg = None,
            90..=97 => paint.fg = Some(Color::Ansi(code - 82)),
            100..=107 => paint.bg = Some(Color::Ansi(code - 92)),
            _ => {}
        }
    }
}

fn extended(codes: &mut impl Iterator<Item = u8>) -> Option<Color> {
    match codes.next()? {
        5 => Some(indexed(codes.next()?)),
        2 => Some(Color::Rgb(codes.next()?, codes.next()?, codes.next()?)),
        _ => None,
    }
}

/// The colours of xterm: sixteen of the terminal, a cube of 6×6×6, 24 greys.
fn indexed(index: u8) -> Color {
    let step = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
    match index {
        0..16 => Color::Ansi(index),
        16..232 => {
            let cube = index - 16;
            Color::Rgb(step(cube / 36), step(cube / 6 % 6), step(cube % 6))
        }
        232.. => {
            let grey = 8 + (index - 232) * 10;
            Color::Rgb(grey, grey, grey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(line: &str, keeps_colours: bool) -> String {
        runs(line, keeps_colours, false).into_iter().map(|run| run.text).collect()
    }

    #[test]
    fn colours_are_kept_or_left_out() {
        let line = "a\u{1b}[1;31mred\u{1b}[0m b";
        let kept = runs(line, true, false);
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert_eq!(kept[1].paint.unwrap().fg, Some(Color::Ansi(1)));
        assert!(kept[1].paint.unwrap().bold && kept[2].paint.is_none());
        assert!(runs(line, false, false).iter().all(|run| run.paint.is_none()));
        assert_eq!(plain(line, false), "ared b");
        let many = runs("\u{1b}[38;5;196mx\u{1b}[38;2;1;2;3my", true, false);
        assert_eq!(many[0].paint.unwrap().fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(many[1].paint.unwrap().fg, Some(Color::Rgb(1, 2, 3)));
    }

    #[test]
    fn what_could_act_is_shown_as_a_sign() {
        let cases = [
            ("a\u{1b}[2Jb", "a␛[2Jb"),
            ("\u{1b}]0;title\u{7}", "␛]0;title␇"),
            ("50%\r100%", "50%␍100%"),
            ("windows\r", "windows"),
            ("a\tb", "a    b"),
            ("", ""),
        ];
        for (line, shown) in cases {
            assert_eq!(plain(line, true), shown, "{line:?}");
        }
        assert_eq!(runs("\u{1b}c", true, true)[0].text, "^[c");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(line in "[ -~\\x00-\\x1f;m\\[]*") {
            prop_assert!(!plain(&line, true).chars().any(|c| (c as u32) < 0x20));
        }
    }
}
