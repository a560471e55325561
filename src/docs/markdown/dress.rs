//! What the dialect writes within text and `CommonMark` does not know.
//!
//! One pass per construct over the flat text, each only when its signs are there at all: bare
//! addresses, reviewer's marks, lists of attributes, footnotes, keys, marked, inserted, deleted, raised
//! and lowered text, short names of emoji, symbols.

use super::attributes;
use super::emoji::emoji;
use super::marks::Marks;
use super::page::{LinkKind, NoteKind};
use super::parse::Reader;
use super::rich::{Change, Edit, Rich};

/// Longer texts are no prose and stay as they are.
const LARGEST: usize = 256 * 1024;

/// Takes the language off code within text: `#!python print()`, `:::python print()`.
pub(super) fn without_language(code: &str) -> &str {
    let Some(rest) = code.strip_prefix("#!").or_else(|| code.strip_prefix(":::")) else { return code };
    match rest.split_once(char::is_whitespace) {
        Some((name, inner))
            if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "+-_#.".contains(c)) =>
        {
            inner
        }
        _ => code,
    }
}

/// Which ASCII characters a text has.
#[derive(Clone, Copy)]
struct Signs(u128);

impl Signs {
    fn of(text: &str) -> Self {
        Self(text.bytes().filter(u8::is_ascii).fold(0, |signs, b| signs | 1 << b))
    }

    fn has(self, sign: u8) -> bool {
        self.0 >> sign & 1 == 1
    }
}

/// Reads the dialect from a text.
pub(super) fn dress(reader: &mut Reader<'_>, rich: &mut Rich, line: u32) {
    if rich.text.len() > LARGEST {
        return;
    }
    let signs = Signs::of(&rich.text);
    if signs.has(b':') || signs.has(b'@') || signs.has(b'w') && rich.text.contains("www.") {
        addresses(reader, rich, line);
    }
    if signs.has(b'{') && signs.has(b'}') {
        critic(rich);
        lists_of_attributes(rich);
    }
    if signs.has(b'[') && signs.has(b'^') {
        footnotes(reader, rich, line);
    }
    if signs.has(b'+') {
        keys(rich);
    }
    if signs.has(b'=') {
        pairs(rich, b'=', 2, Marks::MARKED);
    }
    if signs.has(b'^') {
        pairs(rich, b'^', 2, Marks::INSERTED);
        pairs(rich, b'^', 1, Marks::SUPERSCRIPT);
    }
    if signs.has(b'~') {
        pairs(rich, b'~', 2, Marks::DELETED);
        pairs(rich, b'~', 1, Marks::SUBSCRIPT);
    }
    if signs.has(b':') {
        emojis(rich);
    }
    symbols(rich, signs);
}

fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at).and_then(|text| text.chars().next_back())
}

fn after(text: &str, at: usize) -> Option<char> {
    text.get(at..).and_then(|text| text.chars().next())
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Bare addresses of the web and of mail.
fn addresses(reader: &mut Reader<'_>, rich: &mut Rich, line: u32) {
    let mut edits = Vec::new();
    let mut from = 0;
    while let Some((start, end, to)) = next_address(&rich.text, from) {
        from = end;
        let (marks, link) = rich.look(start);
        if link.is_some() || marks.has(Marks::CODE) || marks.has(Marks::LITERAL) {
            continue;
        }
        let id = reader.link(LinkKind::Link, &to, "", line);
        if let Some(link) = reader.page.links.get_mut(id.0 as usize) {
            link.text = rich.text.get(start..end).unwrap_or("").to_owned();
        }
        edits.push(Edit { start, end, change: Change::Link(id, Marks::LITERAL) });
    }
    rich.edit(edits);
}

/// Returns the next address: where it is and where it leads.
fn next_address(text: &str, from: usize) -> Option<(usize, usize, String)> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let rest = bytes.get(at..)?;
        let scheme = [&b"https://"[..], b"http://", b"ftp://", b"ftps://"]
            .into_iter()
            .find(|scheme| rest.starts_with(scheme));
        let start_of_word = || !is_word(before(text, at).filter(|c| *c != '_'));
        if let Some(scheme) = scheme.filter(|_| start_of_word()) {
            let end = address_end(text, at);
            if end > at + scheme.len() {
                return Some((at, end, text.get(at..end)?.to_owned()));
            }
        } else if rest.starts_with(b"www.") && start_of_word() {
            let end = address_end(text, at);
            if text.get(at + 4..end).is_some_and(|host| host.contains('.')) {
                return Some((at, end, format!("https://{}", text.get(at..end)?)));
            }
        } else if rest.first() == Some(&b'@')
            && let Some((start, end)) = mail(text, at).filter(|(start, _)| *start >= from)
        {
            return Some((start, end, format!("mailto:{}", text.get(start..end)?)));
        }
        at += 1;
    }
    None
}

/// Where an address ends: before white space, and before the punctuation of the sentence around it.
fn address_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or("");
    let stop = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '\u{2}' | '\u{3}');
    let mut url = rest.split(stop).next().unwrap_or("");
    while let Some(last) = url.chars().next_back() {
        let unbalanced = |open: char, close: char| url.matches(close).count() > url.matches(open).count();
        let goes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '|' | '=' | '^' => true,
            ')' => unbalanced('(', ')'),
            ']' => unbalanced('[', ']'),
            '}' => unbalanced('{', '}'),
            _ => false,
        };
        if !goes {
            break;
        }
        url = url.get(..url.len() - last.len_utf8()).unwrap_or("");
    }
    start + url.len()
}

/// Returns the address of mail around an `@`.
fn mail(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let local = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    let start = at - bytes.get(..at)?.iter().rev().take_while(local).count();
    let host = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let mut end = at + 1 + bytes.get(at + 1..)?.iter().take_while(host).count();
    while bytes.get(end - 1) == Some(&b'.') {
        end -= 1;
    }
    let name = text.get(at + 1..end)?;
    let top = name.rsplit_once('.')?.1;
    let fits = start < at
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && bytes.get(end) != Some(&b'@');
    fits.then_some((start, end))
}

/// `{++added++}`, `{--deleted--}`, `{~~old~>new~~}`, `{==marked==}`, `{>>remark<<}`
fn critic(rich: &mut Rich) {
    const FORMS: [(&str, &str, Marks); 4] = [
        ("{++", "++}", Marks::INSERTED),
        ("{--", "--}", Marks::DELETED),
        ("{==", "==}", Marks::MARKED),
        ("{>>", "<<}", Marks::REMARK),
    ];
    let mut edits = Vec::new();
    let text = &rich.text;
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('{')).map(|n| at + n) {
        at = start + 1;
        let rest = text.get(start..).unwrap_or("");
        if rich.is_literal(start) {
            continue;
        }
        if let Some(inner) = rest.strip_prefix("{~~")
            && let Some(end) = inner.find("~~}")
            && let Some(middle) = inner.get(..end).and_then(|inner| inner.find("~>"))
        {
            let (old, new, end) = (start + 3, start + 3 + middle, start + 3 + end);
            edits.push(Edit::remove(start, old));
            edits.push(Edit::mark(old, new, Marks::DELETED));
            edits.push(Edit::remove(new, new + 2));
            edits.push(Edit::mark(new + 2, end, Marks::INSERTED));
            edits.push(Edit::remove(end, end + 3));
            at = end + 3;
            continue;
        }
        for (open, close, marks) in FORMS {
            let Some(end) =
                rest.strip_prefix(open).and_then(|inner| inner.find(close)).map(|n| start + 3 + n)
            else {
                continue;
            };
            edits.push(Edit::remove(start, start + 3));
            edits.push(Edit::mark(
                start + 3,
                end,
                marks | if open == "{>>" { Marks::LITERAL } else { Marks::NONE },
            ));
            edits.push(Edit::remove(end, end + 3));
            at = end + 3;
            break;
        }
    }
    rich.edit(edits);
}

/// `{: .class }` right behind a link, a picture, code or emphasis.
fn lists_of_attributes(rich: &mut Rich) {
    let mut edits = Vec::new();
    for run in &rich.runs {
        let start = run.end as usize;
        let Some(rest) = rich.text.get(start..).filter(|rest| rest.starts_with('{')) else { continue };
        let Some((inner, _)) = rest.get(1..).and_then(|rest| rest.split_once('}')) else { continue };
        let end = start + inner.len() + 2;
        let plain = rich.look(start).0.without(Marks::STRONG | Marks::EMPHASIS).is_none();
        if plain && !inner.contains(['{', '\n']) && attributes::is_list(inner) {
            edits.push(Edit::remove(start, end));
        }
    }
    // Alone at the end of a paragraph it is for the whole
    let trimmed = rich.text.trim_end();
    if trimmed.ends_with('}')
        && let Some(start) = trimmed.rfind('{')
        && let Some(inner) = trimmed.get(start + 1..trimmed.len() - 1)
        && inner.starts_with(':')
        && attributes::is_list(inner)
        && !rich.is_literal(start)
        && edits.iter().all(|edit| edit.start != start)
    {
        edits.push(Edit::remove(start, trimmed.len()));
    }
    rich.edit(edits);
}

/// `[^label]`
fn footnotes(reader: &mut Reader<'_>, rich: &mut Rich, line: u32) {
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some(start) = rich.text.get(at..).and_then(|rest| rest.find("[^")).map(|n| at + n) {
        at = start + 2;
        let Some(label) =
            rich.text.get(at..).and_then(|rest| rest.split_once(']')).map(|(label, _)| label.to_owned())
        else {
            break;
        };
        if label.is_empty() || label.contains(['[', '\n']) || rich.is_literal(start) {
            continue;
        }
        let end = at + label.len() + 1;
        let Some(number) = reader.footnote(&label) else {
            reader.note(
                line,
                NoteKind::Footnote,
                format!("footnote `{}` is not defined", crate::model::text::cut(&label, 40)),
            );
            continue;
        };
        at = end;
        let id = reader.link(LinkKind::Footnote, &format!("#fn:{label}"), "", line);
        edits.push(Edit::replace(start, end, format!("[{number}]")));
        edits.push(Edit { start, end, change: Change::Link(id, Marks::FOOTNOTE | Marks::LITERAL) });
    }
    rich.edit(edits);
}

/// Names of keys and how they are shown.
const KEYS: &[(&str, &str)] = &[
    ("ctrl", "Ctrl"),
    ("control", "Ctrl"),
    ("lctrl", "Left Ctrl"),
    ("rctrl", "Right Ctrl"),
    ("alt", "Alt"),
    ("option", "Option"),
    ("alt-graph", "AltGr"),
    ("altgr", "AltGr"),
    ("shift", "Shift"),
    ("lshift", "Left Shift"),
    ("rshift", "Right Shift"),
    ("cmd", "Cmd"),
    ("command", "Cmd"),
    ("meta", "Meta"),
    ("super", "Super"),
    ("win", "Win"),
    ("windows", "Win"),
    ("fn", "Fn"),
    ("function", "Fn"),
    ("enter", "Enter"),
    ("return", "Return"),
    ("esc", "Esc"),
    ("escape", "Esc"),
    ("tab", "Tab"),
    ("space", "Space"),
    ("spacebar", "Space"),
    ("backspace", "Backspace"),
    ("bksp", "Backspace"),
    ("del", "Del"),
    ("delete", "Del"),
    ("ins", "Ins"),
    ("insert", "Ins"),
    ("home", "Home"),
    ("end", "End"),
    ("page-up", "Page Up"),
    ("pg-up", "Page Up"),
    ("pgup", "Page Up"),
    ("pageup", "Page Up"),
    ("page-down", "Page Down"),
    ("pg-dn", "Page Down"),
    ("pgdn", "Page Down"),
    ("pagedown", "Page Down"),
    ("arrow-up", "Up"),
    ("up", "Up"),
    ("arrow-down", "Down"),
    ("down", "Down"),
    ("arrow-left", "Left"),
    ("left", "Left"),
    ("arrow-right", "Right"),
    ("right", "Right"),
    ("caps-lock", "Caps Lock"),
    ("capslock", "Caps Lock"),
    ("num-lock", "Num Lock"),
    ("scroll-lock", "Scroll Lock"),
    ("print-screen", "Print Screen"),
    ("prtsc", "Print Screen"),
    ("break", "Break"),
    ("pause", "Pause"),
    ("menu", "Menu"),
    ("plus", "+"),
    ("minus", "-"),
    ("equal", "="),
    ("comma", ","),
    ("period", "."),
    ("dot", "."),
    ("slash", "/"),
    ("backslash", "\\"),
    ("pipe", "|"),
    ("tilde", "~"),
    ("grave", "`"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("question", "?"),
    ("exclam", "!"),
    ("hash", "#"),
    ("at", "@"),
    ("asterisk", "*"),
    ("underscore", "_"),
    ("left-button", "Left Button"),
    ("lmb", "Left Button"),
    ("right-button", "Right Button"),
    ("rmb", "Right Button"),
    ("middle-button", "Middle Button"),
];

fn key(name: &str) -> Option<String> {
    if let Some(own) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        return (!own.is_empty()).then(|| own.to_owned());
    }
    let lower = name.to_lowercase().replace('_', "-");
    if let Some((_, shown)) = KEYS.iter().find(|(known, _)| *known == lower) {
        return Some((*shown).to_owned());
    }
    let function = lower
        .strip_prefix('f')
        .is_some_and(|number| number.parse::<u8>().is_ok_and(|number| (1..=24).contains(&number)));
    (function || lower.chars().count() == 1 && lower.chars().all(char::is_alphanumeric))
        .then(|| name.to_uppercase())
}

/// `++ctrl+alt+del++`, `++"Custom"++`; what names no keys is text (`C++ and C++`).
fn keys(rich: &mut Rich) {
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some(start) = rich.text.get(at..).and_then(|rest| rest.find("++")).map(|n| at + n) {
        at = start + 2;
        let Some(inner) =
            rich.text.get(at..).and_then(|rest| rest.find("++").and_then(|end| rest.get(..end)))
        else {
            break;
        };
        if rich.is_literal(start)
            || inner.is_empty()
            || inner.contains(' ') && !inner.contains('"')
            || inner.contains('\n')
        {
            continue;
        }
        let Some(names) = inner.split('+').map(key).collect::<Option<Vec<String>>>() else { continue };
        let end = at + inner.len();
        edits.push(Edit::remove(start, at));
        let mut from = at;
        for (part, name) in inner.split('+').zip(names) {
            edits.push(Edit::replace(from, from + part.len(), name));
            edits.push(Edit::mark(from, from + part.len(), Marks::KEY | Marks::LITERAL));
            from += part.len() + 1;
        }
        edits.push(Edit::remove(end, end + 2));
        at = end + 2;
    }
    rich.edit(edits);
}

/// Text between two like signs of exactly this length. Two signs stand outside of words; one sign holds
/// no white space, unless it is escaped.
fn pairs(rich: &mut Rich, sign: u8, length: usize, marks: Marks) {
    let bytes = rich.text.as_bytes();
    let mut found: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes.get(at..).and_then(|rest| memchr::memchr(sign, rest)).map(|n| at + n) {
        let count = bytes.get(start..).map_or(1, |rest| rest.iter().take_while(|b| **b == sign).count());
        if count == length && !rich.is_literal(start) && !rich.is_literal(start + count - 1) {
            found.push(start);
        }
        at = start + count;
    }
    if found.len() < 2 {
        return;
    }
    let text = &rich.text;
    let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let smart = length == 2;
    let opens = |at: usize| !(space(after(text, at + length)) || smart && is_word(before(text, at)));
    let closes = |at: usize| !(space(before(text, at)) || smart && is_word(after(text, at + length)));
    let mut edits = Vec::new();
    let mut n = 0;
    while let Some(open) = found.get(n).copied() {
        n += 1;
        if !opens(open) {
            continue;
        }
        let rest = found.get(n..).unwrap_or(&[]);
        // One sign closes with the next one or not at all, so that this stays linear
        let tries = if smart { rest.len().min(32) } else { 1 };
        let Some((skip, close)) =
            rest.iter().take(tries).copied().enumerate().find(|(_, at)| closes(*at) && *at > open + length)
        else {
            continue;
        };
        let inner = text.get(open + length..close).unwrap_or("");
        if !smart {
            let bare = inner.replace("\\ ", "");
            if bare.contains(char::is_whitespace) {
                continue;
            }
            for (at, _) in inner.match_indices("\\ ") {
                edits.push(Edit::remove(open + length + at, open + length + at + 1));
            }
        }
        edits.push(Edit::remove(open, open + length));
        edits.push(Edit::mark(open + length, close, marks));
        edits.push(Edit::remove(close, close + length));
        n += skip + 1;
    }
    rich.edit(edits);
}

/// `:rocket:`; names that are not known stay.
fn emojis(rich: &mut Rich) {
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some(start) = rich.text.get(at..).and_then(|rest| rest.find(':')).map(|n| at + n) {
        at = start + 1;
        let rest = rich.text.get(at..).unwrap_or("");
        let end = rest
            .bytes()
            .take(64)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
            .count();
        if end == 0 || rest.as_bytes().get(end) != Some(&b':') || rich.is_literal(start) {
            continue;
        }
        if let Some(emoji) = rest.get(..end).and_then(emoji) {
            edits.push(Edit::replace(start, at + end + 1, emoji));
            at += end + 1;
        }
    }
    rich.edit(edits);
}

/// `(c)`, `-->`, `1/2`, `1st` and the like.
fn symbols(rich: &mut Rich, signs: Signs) {
    const SIMPLE: [(&str, &str); 10] = [
        ("(c)", "©"),
        ("(r)", "®"),
        ("(tm)", "™"),
        ("+/-", "±"),
        ("=/=", "≠"),
        ("<-->", "↔"),
        ("-->", "→"),
        ("<--", "←"),
        ("c/o", "℅"),
        ("", ""),
    ];
    let text = rich.text.clone();
    let mut edits: Vec<Edit> = Vec::new();
    let fits = |sign: &str| !sign.is_empty() && sign.bytes().all(|b| signs.has(b));
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (sign, with) in SIMPLE.iter().filter(|(sign, _)| fits(sign)) {
        for (start, _) in text.match_indices(sign) {
            let end = start + sign.len();
            let overlaps = taken.iter().any(|(from, to)| start < *to && *from < end);
            let longer = matches!(*sign, "-->" | "<--")
                && (before(&text, start) == Some('-') || after(&text, end) == Some('-'));
            let inside = *sign == "c/o" && (is_word(before(&text, start)) || is_word(after(&text, end)));
            if overlaps || longer || inside || rich.is_literal(start) || rich.is_literal(end - 1) {
                continue;
            }
            taken.push((start, end));
            edits.push(Edit::replace(start, end, *with));
        }
    }
    if signs.has(b'/') {
        fractions(rich, &text, &mut edits);
    }
    if signs.has(b't') || signs.has(b'n') && signs.has(b'd') || signs.has(b'r') && signs.has(b'd') {
        ordinals(rich, &text, &mut edits);
    }
    rich.edit(edits);
}

fn fractions(rich: &Rich, text: &str, edits: &mut Vec<Edit>) {
    const FRACTIONS: [(&str, &str); 15] = [
        ("1/4", "¼"),
        ("1/2", "½"),
        ("3/4", "¾"),
        ("1/3", "⅓"),
        ("2/3", "⅔"),
        ("1/5", "⅕"),
        ("2/5", "⅖"),
        ("3/5", "⅗"),
        ("4/5", "⅘"),
        ("1/6", "⅙"),
        ("5/6", "⅚"),
        ("1/8", "⅛"),
        ("3/8", "⅜"),
        ("5/8", "⅝"),
        ("7/8", "⅞"),
    ];
    for (at, _) in text.match_indices('/') {
        let (Some(start), end) = (at.checked_sub(1), at + 2) else { continue };
        let Some((_, with)) =
            text.get(start..end).and_then(|part| FRACTIONS.iter().find(|(known, _)| *known == part))
        else {
            continue;
        };
        let touches = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '/');
        if !touches(before(text, start)) && !touches(after(text, end)) && !rich.is_literal(start) {
            edits.push(Edit::replace(start, end, *with));
        }
    }
}

fn ordinals(rich: &Rich, text: &str, edits: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    for ending in ["st", "nd", "rd", "th"] {
        for (at, _) in text.match_indices(ending) {
            let digits = bytes
                .get(..at)
                .map_or(0, |head| head.iter().rev().take_while(|b| b.is_ascii_digit()).count());
            if digits == 0 || digits > 9 {
                continue;
            }
            let start = at - digits;
            let number: u64 = text.get(start..at).and_then(|digits| digits.parse().ok()).unwrap_or(0);
            let right = match (number % 100, number % 10) {
                (11..=13, _) => "th",
                (_, 1) => "st",
                (_, 2) => "nd",
                (_, 3) => "rd",
                _ => "th",
            };
            let inside = is_word(before(text, start)) || is_word(after(text, at + 2));
            if right == ending && !inside && !rich.is_literal(at) && bytes.get(start) != Some(&b'0') {
                edits.push(Edit::mark(at, at + 2, Marks::SUPERSCRIPT));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::docs::markdown::page::Text;
    use crate::docs::markdown::{Dialect, parse};

    fn text(source: &str) -> Text {
        parse(source, &Dialect::TECHDOCS).texts.first().cloned().unwrap_or_default()
    }

    /// The text with its styles in brackets: `[mark:a]`.
    fn shown(source: &str) -> String {
        let text = text(source);
        let mut out = String::new();
        let mut at = 0;
        for run in &text.runs {
            let (start, end) = (run.start as usize, run.end as usize);
            out.push_str(&text.text[at..start]);
            let link = if run.link.is_some() { "@" } else { "" };
            out.push_str(&format!("[{:?}{link}:{}]", run.marks, &text.text[start..end]));
            at = end;
        }
        out.push_str(&text.text[at..]);
        out
    }

    #[test]
    fn reads_what_is_written_within_text() {
        let cases = [
            ("a ==b== c", "a [mark:b] c"),
            ("a ==b **c** d== e", "a [mark:b ][strong+mark:c][mark: d] e"),
            ("if a == b or c == d", "if a == b or c == d"),
            ("x==y and z==w", "x==y and z==w"),
            ("`==a==` and ==b==", "[code:==a==] and [mark:b]"),
            ("\\==a==", "==a=="),
            ("^^in^^ and ~~out~~", "[ins:in] and [del:out]"),
            ("H~2~O is 2^10^", "H[sub:2]O is 2[sup:10]"),
            ("a^b\\ c^ d", "a[sup:b c] d"),
            ("~/one and ~/two", "~/one and ~/two"),
            ("x^2 + y^2", "x^2 + y^2"),
            (
                "{++new++} {--old--} {~~a~>b~~} {==m==}{>>why<<}",
                "[ins:new] [del:old] [del:a][ins:b] [mark:m][remark:why]",
            ),
            ("++ctrl+alt+del++ or ++\"My key\"++", "[key:Ctrl]+[key:Alt]+[key:Del] or [key:My key]"),
            ("C++ and C++ code", "C++ and C++ code"),
            ("(c) (r) (tm) +/- =/= c/o --> <-- <--> 1/2", "© ® ™ ± ≠ ℅ → ← ↔ ½"),
            ("1st 2nd 3rd 4th 11th 1nd", "1[sup:st] 2[sup:nd] 3[sup:rd] 4[sup:th] 11[sup:th] 1nd"),
            ("11/2 1/2/3 `1/2`", "11/2 1/2/3 [code:1/2]"),
            (
                "see https://a.b/c_d_e. (www.x.org) me@x.org!",
                "see [@:https://a.b/c_d_e]. ([@:www.x.org]) [@:me@x.org]!",
            ),
            ("https://a.b/(c) and pkg@1.2.3", "[@:https://a.b/(c)] and pkg@1.2.3"),
            (":rocket: :nope: :material-x: 10:30:20", "🚀 :nope: :material-x: 10:30:20"),
            ("[b](x){ .md-button } {{ keep }} {% keep %}", "[@:b] {{ keep }} {% keep %}"),
            ("`#!python print()` `:::sh ls` `#!`", "[code:print()] [code:ls] [code:#!]"),
            ("2*3*4 a*b*", "2*3*4 a*b*"),
            ("*a* **b** ***c*** _d_ __e__ f_g_h", "[em:a] [strong:b] [strong+em:c] [em:d] [strong:e] f_g_h"),
            ("a &lt;b&gt; <kbd>x</kbd> <foo>", "a <b> [key:x] <foo>"),
        ];
        for (source, expected) in cases {
            assert_eq!(shown(source), expected, "{source}");
        }
    }

    #[test]
    fn footnotes_are_counted_as_they_are_mentioned() {
        assert_eq!(
            shown("a[^x] b[^y] c[^x] d[^z]\n\n[^y]: why\n[^x]: ex"),
            "a[note@:[1]] b[note@:[2]] c[note@:[1]] d[^z]"
        );
    }
}
