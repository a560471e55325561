//! What a page is called when nobody says so.

use crate::yaml::parse_stream;
use std::sync::Arc;

/// Lines that are looked through for a heading.
const MAX_LINES: usize = 400;
/// Longest front matter, in bytes.
const MAX_FRONT: usize = 64 * 1024;

/// Splits the front matter off a page: the YAML between two lines of dashes at its very beginning. The second
/// part is what follows.
pub fn split_front(text: &str) -> (Option<&str>, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(rest) = text.strip_prefix("---").and_then(|rest| {
        let end = rest.find('\n')?;
        rest.get(..end)?.trim().is_empty().then(|| rest.get(end + 1..)).flatten()
    }) else {
        return (None, text);
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if at > MAX_FRONT {
            break;
        }
        if matches!(line.trim_end(), "---" | "...") {
            return (rest.get(..at), rest.get(at + line.len()..).unwrap_or(""));
        }
        at += line.len();
    }
    (None, text)
}

/// Returns the texts of some fields of a front matter; nothing for one that cannot be read.
pub fn fields<const N: usize>(front: &str, keys: [&str; N]) -> [Option<String>; N] {
    let file: Arc<str> = "".into();
    let documents = parse_stream(front, &file);
    let root = documents.first().and_then(|document| document.content.as_ref().ok()?.as_ref());
    keys.map(|key| {
        let value = root?.get(key)?;
        let text = value.as_str().map_or_else(|| value.key_text().into_owned(), str::to_owned);
        Some(text.trim().to_owned()).filter(|text| !text.is_empty() && value.as_mapping().is_none())
    })
}

/// Returns the title that a page gives itself: its front matter's, else its first heading of level one.
pub fn of_page(text: &str) -> Option<String> {
    let (front, body) = split_front(text);
    if let Some([Some(title)]) = front.map(|front| fields(front, ["title"])) {
        return Some(title);
    }
    first_heading(body)
}

/// Returns the text of the first heading of level one, without marks.
pub fn first_heading(body: &str) -> Option<String> {
    let mut fence: Option<(char, usize)> = None;
    let mut before = "";
    let mut is_comment = false;
    for line in body.lines().take(MAX_LINES) {
        let trimmed = line.trim_start();
        let mark = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'));
        let count = mark.map_or(0, |mark| trimmed.chars().take_while(|c| *c == mark).count());
        match (fence, mark) {
            (Some((open, length)), Some(mark)) if mark == open && count >= length => {
                fence = None;
                continue;
            }
            (Some(_), _) => continue,
            (None, Some(mark)) if count >= 3 => {
                fence = Some((mark, count));
                continue;
            }
            _ => {}
        }
        if is_comment || trimmed.starts_with("<!--") {
            is_comment = !trimmed.contains("-->");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# ") {
            return Some(plain(rest)).filter(|title| !title.is_empty());
        }
        let is_underline = !line.is_empty() && line.trim_end().chars().all(|c| c == '=');
        if is_underline && !before.trim().is_empty() && !before.starts_with(['#', '>', '-', '*', ' ']) {
            return Some(plain(before)).filter(|title| !title.is_empty());
        }
        before = line;
    }
    None
}

/// Takes Markdown's marks off one line.
pub fn plain(line: &str) -> String {
    let mut line = line.trim();
    // `# Title #` and `# Title {#id}`
    if let Some((start, rest)) = line.rsplit_once('{')
        && rest.ends_with('}')
        && rest.starts_with([':', '#', '.', ' '])
    {
        line = start.trim_end();
    }
    let without = line.trim_end_matches('#');
    if without.ends_with(' ') || without.is_empty() {
        line = without.trim_end();
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '`' | '*' => rest = tail,
            '\\' if tail.starts_with(|c: char| c.is_ascii_punctuation()) => {
                out.extend(tail.chars().next());
                rest = tail.get(1..).unwrap_or("");
            }
            '!' if tail.starts_with('[') => rest = tail,
            '[' => {
                match tail.split_once("](").and_then(|(text, after)| Some((text, after.split_once(')')?.1))) {
                    Some((text, after)) if !text.contains('[') => {
                        out.push_str(&text.replace(['`', '*'], ""));
                        rest = after;
                    }
                    _ => {
                        out.push(c);
                        rest = tail;
                    }
                }
            }
            _ => {
                out.push(c);
                rest = tail;
            }
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the title that a file name makes: `rotate-the-key.md` is `Rotate the key`.
pub fn of_file(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem.eq_ignore_ascii_case("index") || stem.eq_ignore_ascii_case("readme") {
        return match path.rsplit('/').nth(1) {
            Some(folder) => of_name(folder),
            None => "Home".to_owned(),
        };
    }
    of_name(stem)
}

/// Returns a title out of the name of a file or folder.
pub fn of_name(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    // what has capitals is written as it is meant
    if words.chars().any(char::is_uppercase) {
        return words;
    }
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_come_from_front_matter_heading_or_name() {
        for (text, expected) in [
            ("---\ntitle: \"A: b\"\n---\n# Other\n", Some("A: b")),
            ("---\ntags: [x]\n---\n\n# The **big** [page](x.md) `code` {#big}\n", Some("The big page code")),
            ("---\nbroken: [\n---\n# One #\n", Some("One")),
            ("```sh\n# no\n```\n# Yes\n", Some("Yes")),
            ("<!-- # no\n-->\n# Yes\n", Some("Yes")),
            ("Title\n=====\n", Some("Title")),
            ("## Two\n", None),
            ("text\n", None),
            ("# C#\n", Some("C#")),
            ("---\nno end\n# Yes\n", Some("Yes")),
        ] {
            assert_eq!(of_page(text).as_deref(), expected, "{text:?}");
        }
        for (path, expected) in [
            ("a/rotate-the_key.md", "Rotate the key"),
            ("index.md", "Home"),
            ("guides/README.md", "Guides"),
            ("ADR-overview.md", "ADR overview"),
        ] {
            assert_eq!(of_file(path), expected);
        }
    }
}
