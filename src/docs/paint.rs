//! How a stretch of a page is painted: from what it is to a role of the theme and its emphasis.

use super::markdown::Marks;
use super::markdown::Tone;
use super::markdown::highlight::Token;
use super::markdown::layout::{Role, Span};
use crate::config::theme::{Color, Role as ThemeRole, Theme};
use std::fmt::Write as _;

/// Colour and emphasis of a stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Look {
    /// The role of the theme.
    pub role: ThemeRole,
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
}

/// Returns how a span is painted.
pub fn look(span: &Span<'_>) -> Look {
    let mut look =
        Look { role: of_role(span.role), bold: false, italic: false, underline: false, strike: false };
    match span.role {
        Role::Heading(level) => {
            look.bold = true;
            look.underline = level == 1;
        }
        Role::TableHead | Role::Term | Role::TabChosen | Role::CodeTitle | Role::Tone(_) => look.bold = true,
        Role::Token(Token::Comment) => look.italic = true,
        _ => {}
    }
    let marks = span.marks;
    look.bold |= marks.has(Marks::STRONG);
    look.italic |= marks.has(Marks::EMPHASIS) || marks.has(Marks::REMARK);
    look.strike = marks.has(Marks::DELETED);
    look.underline |= marks.has(Marks::INSERTED) || marks.has(Marks::ABBREVIATION);
    if marks.has(Marks::MARKED) {
        look.role = ThemeRole::Match;
    } else if span.link.is_some() && !matches!(span.role, Role::Heading(_)) {
        look.role = ThemeRole::Link;
        look.underline = true;
    } else if marks.has(Marks::KEY) {
        look.role = ThemeRole::Key;
    } else if marks.has(Marks::CODE) && span.role == Role::Text {
        look.role = ThemeRole::Accent;
    } else if marks.has(Marks::REMARK) {
        look.role = ThemeRole::Dim;
    }
    look
}

fn of_role(role: Role) -> ThemeRole {
    match role {
        Role::Text | Role::Code | Role::Term | Role::TabChosen | Role::Diagram => ThemeRole::Text,
        Role::Heading(1 | 2) | Role::TableHead => ThemeRole::Title,
        Role::Heading(_) | Role::CodeTitle | Role::Sign => ThemeRole::Accent,
        Role::Done => ThemeRole::Ok,
        Role::Footnote | Role::Image => ThemeRole::Link,
        Role::CodeNumber => ThemeRole::Key,
        Role::Tone(tone) => of_tone(tone),
        Role::Token(token) => of_token(token),
        Role::HeadingRule
        | Role::LineNumber
        | Role::Frame
        | Role::QuoteBar
        | Role::TableRule
        | Role::Rule
        | Role::Tab
        | Role::Dim => ThemeRole::Dim,
    }
}

fn of_tone(tone: Tone) -> ThemeRole {
    match tone {
        Tone::Note | Tone::Abstract | Tone::Info => ThemeRole::Info,
        Tone::Tip | Tone::Success => ThemeRole::Ok,
        Tone::Question | Tone::Example => ThemeRole::Accent,
        Tone::Warning => ThemeRole::Warn,
        Tone::Failure | Tone::Danger | Tone::Bug => ThemeRole::Error,
        Tone::Quote => ThemeRole::Dim,
    }
}

fn of_token(token: Token) -> ThemeRole {
    match token {
        Token::Keyword | Token::Tag => ThemeRole::Accent,
        Token::String | Token::Inserted => ThemeRole::Ok,
        Token::Number | Token::Constant => ThemeRole::Warn,
        Token::Comment => ThemeRole::Dim,
        Token::Function | Token::Key | Token::Attribute => ThemeRole::Info,
        Token::Type | Token::Heading => ThemeRole::Title,
        Token::Deleted => ThemeRole::Error,
        Token::Variable | Token::Operator | Token::Punctuation => ThemeRole::Text,
    }
}

/// Appends text in a look as the terminal's own codes.
pub fn write_ansi(out: &mut String, theme: &Theme, look: Look, text: &str) {
    let paint = theme.paint(look.role);
    let mut codes = String::new();
    let mut add = |code: &str| {
        if !codes.is_empty() {
            codes.push(';');
        }
        codes.push_str(code);
    };
    for (is_on, code) in [
        (paint.bold || look.bold, "1"),
        (paint.dim, "2"),
        (paint.italic || look.italic, "3"),
        (paint.underline || look.underline, "4"),
        (paint.reverse, "7"),
        (look.strike, "9"),
    ] {
        if is_on {
            add(code);
        }
    }
    for (colour, base) in [(paint.fg, 30_u8), (paint.bg, 40)] {
        match colour {
            Some(Color::Ansi(number)) if number < 8 => add(&(base + number).to_string()),
            Some(Color::Ansi(number)) => add(&(base + 52 + number).to_string()),
            Some(Color::Rgb(red, green, blue)) => add(&format!("{};2;{red};{green};{blue}", base + 8)),
            None => {}
        }
    }
    if codes.is_empty() || text.trim().is_empty() && !paint.reverse && paint.bg.is_none() && !look.underline {
        out.push_str(text);
    } else {
        let _ = write!(out, "\u{1b}[{codes}m{text}\u{1b}[0m");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_theme() {
        let theme = Theme::built_in_default();
        let mut out = String::new();
        let span = Span { text: "x", role: Role::Text, marks: Marks::NONE, link: None, place: None };
        write_ansi(&mut out, &Theme::plain(), look(&span), "x");
        assert_eq!(out, "x");
        let strong = Span { marks: Marks::STRONG | Marks::DELETED, ..span };
        out.clear();
        write_ansi(&mut out, &Theme::plain(), look(&strong), "x");
        assert_eq!(out, "\u{1b}[1;9mx\u{1b}[0m");
        let danger = Span { role: Role::Tone(Tone::Danger), ..span };
        assert_eq!(look(&danger).role, ThemeRole::Error);
        out.clear();
        write_ansi(&mut out, &theme, look(&danger), "x");
        assert!(out.starts_with("\u{1b}[1;"), "{out:?}");
    }
}
