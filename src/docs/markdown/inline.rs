//! Text within a block: events of `CommonMark` become flat text with styles, then the rest of the dialect
//! is read from that ([`super::dress`]).

use super::dress;
use super::html;
use super::lines::Line;
use super::marks::Marks;
use super::page::{LinkId, LinkKind, Page};
use super::parse::Reader;
use super::rich::{Edit, Rich};
use super::scan::{Gathered, RawFootnote};
use pulldown_cmark::{Event, LinkType, Tag, TagEnd};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Keeps `[a][^1]` from being a reference to `^1`. Never comes from a page, like [`super::scan::OPEN`].
pub(super) const GLUE: char = '\u{4}';

/// Takes out what only served `CommonMark`.
pub(super) fn without_glue(text: &str) -> Cow<'_, str> {
    if text.contains(GLUE) { Cow::Owned(text.replace(GLUE, "")) } else { Cow::Borrowed(text) }
}

/// Stands before the caption of a picture within text.
pub(super) const PICTURE: &str = "▣ ";

/// Whether what begins is part of a text.
pub(super) fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
    )
}

/// Whether what ends is part of a text.
pub(super) fn is_inline_end(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}

/// The text of a block.
#[derive(Debug, Default)]
pub(super) struct Inline {
    pub rich: Rich,
    /// Anchors of HTML within it.
    pub anchors: Vec<String>,
    /// When it is one picture and nothing else: the picture and its link.
    pub alone: Option<(LinkId, Option<LinkId>)>,
}

/// What goes back to how it was when an element ends.
struct Before {
    marks: Marks,
    link: Option<LinkId>,
    /// Signs that were no emphasis, to be written at the end too.
    signs: &'static str,
    /// A picture and where its caption begins.
    picture: Option<(LinkId, usize)>,
    /// Where the words of a link begin.
    words: Option<(LinkId, usize)>,
}

/// A text that is being read.
pub(super) struct Reading<'t> {
    source: &'t str,
    line: u32,
    rich: Rich,
    marks: Marks,
    link: Option<LinkId>,
    before: Vec<Before>,
    tags: Vec<(String, Marks, Option<LinkId>)>,
    anchors: Vec<String>,
    pictures: Vec<(LinkId, Option<LinkId>, Range<usize>)>,
    /// Inside `<script>` or `<style>`.
    hidden: bool,
}

impl<'t> Reading<'t> {
    pub fn new(source: &'t str, line: u32) -> Self {
        Self {
            source,
            line,
            rich: Rich::default(),
            marks: Marks::NONE,
            link: None,
            before: Vec::new(),
            tags: Vec::new(),
            anchors: Vec::new(),
            pictures: Vec::new(),
            hidden: false,
        }
    }

    fn push(&mut self, text: &str) {
        if !self.hidden {
            self.rich.push(text, self.marks, self.link);
        }
    }

    fn literal(&mut self, text: &str) {
        if !self.hidden {
            self.rich.push(text, self.marks | Marks::LITERAL, self.link);
        }
    }

    /// Takes one event.
    pub fn event(&mut self, reader: &mut Reader<'_>, event: Event<'_>, range: Range<usize>, line: u32) {
        self.line = line;
        match event {
            Event::Start(tag) => self.start(reader, &tag, &range),
            Event::End(end) => self.end(reader, end),
            Event::Text(text) => self.words(&text, &range),
            Event::Code(code) => {
                let code = without_glue(&code);
                let code = if reader.dialect.techdocs { dress::without_language(&code) } else { &code };
                let marks = self.marks | Marks::CODE;
                if !self.hidden {
                    self.rich.push(code, marks, self.link);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(reader, &html),
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => {
                let backslash =
                    self.source.get(range.start..range.end).is_some_and(|sign| sign.starts_with('\\'));
                if backslash && reader.dialect.techdocs {
                    // A backslash breaks no line on the web site
                    self.literal("\\");
                    self.push(" ");
                } else {
                    self.push("\n");
                }
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => self.push(&text),
            Event::FootnoteReference(text) => self.push(&text),
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn words(&mut self, text: &str, range: &Range<usize>) {
        let text: &str = &without_glue(text);
        // The first character after a backslash is no syntax
        let source = self.source.as_bytes();
        let escaped = range.start > 0 && source.get(range.start - 1) == Some(&b'\\');
        let first = text.chars().next().filter(|first| {
            escaped && first.is_ascii_punctuation() && source.get(range.start) == Some(&(*first as u8))
        });
        let is_entity = source.get(range.start) == Some(&b'&') && !text.starts_with('&');
        match first {
            Some(first) => {
                self.literal(text.get(..first.len_utf8()).unwrap_or(""));
                self.push(text.get(first.len_utf8()..).unwrap_or(""));
            }
            None if is_entity => self.literal(&super::clean(text)),
            None => self.push(text),
        }
    }

    fn start(&mut self, reader: &mut Reader<'_>, tag: &Tag<'_>, range: &Range<usize>) {
        let mut before = Before { marks: self.marks, link: self.link, signs: "", picture: None, words: None };
        match tag {
            Tag::Emphasis | Tag::Strong => {
                let (signs, marks) = match tag {
                    Tag::Strong => ("**", Marks::STRONG),
                    _ => ("*", Marks::EMPHASIS),
                };
                if reader.dialect.techdocs && self.within_word(range) {
                    before.signs = signs;
                    self.literal(signs);
                } else {
                    self.marks |= marks;
                }
            }
            Tag::Strikethrough => self.marks |= Marks::DELETED,
            Tag::Superscript => self.marks |= Marks::SUPERSCRIPT,
            Tag::Subscript => self.marks |= Marks::SUBSCRIPT,
            Tag::Link { dest_url, title, link_type, .. } => {
                let to = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                let id = reader.link(LinkKind::Link, &to, title, self.line);
                self.link = Some(id);
                before.words = Some((id, self.rich.text.len()));
                if matches!(link_type, LinkType::Autolink | LinkType::Email) {
                    self.marks |= Marks::LITERAL;
                }
            }
            Tag::Image { dest_url, title, .. } => {
                let id = reader.link(LinkKind::Image, dest_url, title, self.line);
                let start = self.rich.text.len();
                self.marks |= Marks::IMAGE;
                self.link = self.link.or(Some(id));
                self.literal(PICTURE);
                before.picture = Some((id, start));
            }
            _ => {}
        }
        self.before.push(before);
    }

    /// Whether `*` stands next to a letter or digit outside: such signs are text on the web site.
    fn within_word(&self, range: &Range<usize>) -> bool {
        if self.source.as_bytes().get(range.start) != Some(&b'*') {
            return false;
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.source.get(..range.start).and_then(|text| text.chars().next_back());
        let after = self.source.get(range.end..).and_then(|text| text.chars().next());
        before.is_some_and(is_word) || after.is_some_and(is_word)
    }

    fn end(&mut self, reader: &mut Reader<'_>, _: TagEnd) {
        let Some(before) = self.before.pop() else { return };
        if let Some((id, start)) = before.picture {
            if self.rich.text.len() == start + PICTURE.len() {
                let name =
                    reader.page.link(id).map(|link| file_name(&link.to).to_owned()).unwrap_or_default();
                self.literal(&name);
            }
            self.name(reader, id, start + PICTURE.len());
            self.pictures.push((id, before.link, start..self.rich.text.len()));
        }
        if let Some((id, start)) = before.words {
            self.name(reader, id, start);
        }
        self.marks = before.marks;
        self.link = before.link;
        self.literal(before.signs);
    }

    fn name(&self, reader: &mut Reader<'_>, id: LinkId, start: usize) {
        let words = self.rich.text.get(start..).unwrap_or("").trim().replace('\n', " ");
        if let Some(link) = reader.page.links.get_mut(id.0 as usize) {
            link.text = words;
        }
    }

    /// Takes HTML within text.
    pub fn html(&mut self, reader: &mut Reader<'_>, html: &str) {
        if html.starts_with("<!--") || html.starts_with("<?") || html.starts_with("<!") {
            return;
        }
        let Some(tag) = html::tag(html).filter(|tag| html::is_known(tag.name)) else {
            self.literal(html);
            return;
        };
        self.tag(reader, &tag);
    }

    /// Takes a tag of a known element.
    pub fn tag(&mut self, reader: &mut Reader<'_>, tag: &html::Tag<'_>) {
        let name = tag.name.to_ascii_lowercase();
        if let Some(id) = tag.attribute("id").or_else(|| tag.attribute("name").filter(|_| name == "a")) {
            self.anchors.push(id.to_owned());
        }
        match name.as_str() {
            "script" | "style" => self.hidden = !tag.closes,
            "br" => self.push("\n"),
            "img" => self.picture(reader, tag),
            "input" if tag.attribute("type") == Some("checkbox") => {
                self.literal(if tag.attribute("checked").is_some() { "☑ " } else { "☐ " });
            }
            _ if tag.closes => {
                if let Some(at) = self.tags.iter().rposition(|(open, ..)| *open == name) {
                    let (_, marks, link) = self.tags.swap_remove(at);
                    self.tags.truncate(at);
                    self.marks = marks;
                    self.link = link;
                }
            }
            _ if tag.empty => {}
            _ => {
                if self.tags.len() < 200 {
                    self.tags.push((name.clone(), self.marks, self.link));
                }
                if let Some(marks) = html::marks(&name) {
                    self.marks |= marks;
                }
                if name == "a"
                    && let Some(to) = tag.attribute("href")
                {
                    let id = reader.link(
                        LinkKind::Link,
                        &html::unescape(to),
                        tag.attribute("title").unwrap_or(""),
                        self.line,
                    );
                    self.link = Some(id);
                }
            }
        }
    }

    fn picture(&mut self, reader: &mut Reader<'_>, tag: &html::Tag<'_>) {
        let to = html::unescape(tag.attribute("src").unwrap_or(""));
        let alt = html::unescape(tag.attribute("alt").unwrap_or(""));
        let id = reader.link(LinkKind::Image, &to, tag.attribute("title").unwrap_or(""), self.line);
        let name = if alt.trim().is_empty() { file_name(&to) } else { alt.as_str() };
        let start = self.rich.text.len();
        let outer = self.link;
        let marks = self.marks | Marks::IMAGE | Marks::LITERAL;
        self.rich.push(PICTURE, marks, outer.or(Some(id)));
        self.rich.push(&super::clean(name).replace('\n', " "), marks, outer.or(Some(id)));
        self.name(reader, id, start + PICTURE.len());
        self.pictures.push((id, outer, start..self.rich.text.len()));
    }

    /// Text of HTML: white space is one space, references are replaced.
    pub fn html_text(&mut self, text: &str, keep_lines: bool) {
        let text = html::unescape(text);
        if keep_lines {
            self.push(&text);
            return;
        }
        let ends = self.rich.text.is_empty() || self.rich.text.ends_with([' ', '\n']);
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.starts_with(char::is_whitespace) && !ends && !words.is_empty() {
            words.insert(0, ' ');
        }
        if text.ends_with(char::is_whitespace) && (!words.is_empty() || !ends) {
            words.push(' ');
        }
        self.push(&words);
    }

    /// Ends the text: the rest of the dialect is read now.
    pub fn finish(mut self, reader: &mut Reader<'_>) -> Inline {
        let alone = match self.pictures.as_slice() {
            [(image, link, range)] => {
                let outside =
                    |text: Option<&str>| text.is_some_and(|text| without_attributes(text).is_empty());
                let text = &self.rich.text;
                (outside(text.get(..range.start)) && outside(text.get(range.end..)))
                    .then_some((*image, *link))
            }
            _ => None,
        };
        if reader.dialect.techdocs {
            dress::dress(reader, &mut self.rich, self.line);
        }
        if alone.is_some() && self.rich.text.starts_with(PICTURE) {
            self.rich.edit(vec![Edit::remove(0, PICTURE.len())]);
        }
        Inline { rich: self.rich, anchors: self.anchors, alone }
    }
}

fn without_attributes(text: &str) -> &str {
    let text = text.trim();
    match text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        Some(inner) if super::attributes::is_list(inner) => "",
        _ => text,
    }
}

/// The last part of an address.
fn file_name(to: &str) -> &str {
    let path = to.split(['?', '#']).next().unwrap_or(to);
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// A label of a reference as it is compared: white space is one space, case does not matter.
pub(super) fn label(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Gathers `[label]: address "title"` from the whole page: containers use those of others.
pub(super) fn references(lines: &[Line<'_>]) -> HashMap<String, (String, String)> {
    let mut found = HashMap::new();
    for line in lines {
        let Some((name, to, title)) = reference(line.text.trim_start_matches([' ', '\t', '>'])) else {
            continue;
        };
        if found.len() < 100_000 {
            found.insert(label(name), (to.to_owned(), title.to_owned()));
        }
    }
    found
}

/// Reads `[label]: address "title"`, all on one line: (label, address, title).
pub(super) fn reference(text: &str) -> Option<(&str, &str, &str)> {
    let (name, to) = text.strip_prefix('[').filter(|inner| !inner.starts_with('^'))?.split_once("]:")?;
    if name.trim().is_empty() || name.contains(['[', ']']) {
        return None;
    }
    let to = to.trim();
    let (to, title) = match to.strip_prefix('<').and_then(|inner| inner.split_once('>')) {
        Some((to, title)) if title.is_empty() || title.starts_with(char::is_whitespace) => (to, title),
        Some(_) => return None,
        None => to.split_once(char::is_whitespace).unwrap_or((to, "")),
    };
    let title = title.trim();
    let quoted = [('"', '"'), ('\'', '\''), ('(', ')')]
        .into_iter()
        .find_map(|(open, close)| title.strip_prefix(open)?.strip_suffix(close));
    if to.is_empty() || (!title.is_empty() && quoted.is_none()) {
        return None;
    }
    Some((name, to, quoted.unwrap_or("")))
}

/// Gathers the labels of footnotes that are defined somewhere on the page.
pub(super) fn footnote_labels<'a>(lines: &[Line<'a>], gathered: &mut Gathered<'a>) {
    for line in lines {
        let text = line.text.trim_start_matches([' ', '\t', '>']);
        if let Some((label, _)) = text.strip_prefix("[^").and_then(|inner| inner.split_once("]:"))
            && !label.is_empty()
            && !label.contains([']', '['])
        {
            gathered.footnotes.push(RawFootnote { line: line.number, label, body: Vec::new() });
        }
    }
}

/// Marks abbreviations in every text of the page: they hold before and after their definition.
pub(super) fn abbreviate(page: &mut Page, abbreviations: Vec<(String, String)>) {
    if abbreviations.is_empty() {
        return;
    }
    let code: std::collections::HashSet<u32> = page.code.iter().map(|id| id.0).collect();
    for (at, text) in page.texts.iter_mut().enumerate() {
        if code.contains(&(at as u32)) {
            continue;
        }
        let mut rich = Rich { text: std::mem::take(&mut text.text), runs: std::mem::take(&mut text.runs) };
        let mut edits = Vec::new();
        for (word, _) in &abbreviations {
            for (start, _) in rich.text.match_indices(word.as_str()) {
                let end = start + word.len();
                let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                let inside = is_word(rich.text.get(..start).and_then(|text| text.chars().next_back()))
                    || is_word(rich.text.get(end..).and_then(|text| text.chars().next()));
                if !inside && !rich.look(start).0.has(Marks::CODE) {
                    edits.push(Edit::mark(start, end, Marks::ABBREVIATION));
                }
            }
        }
        rich.edit(edits);
        text.text = rich.text;
        text.runs = rich.runs;
    }
    page.abbreviations = abbreviations;
}
