//! Raw HTML: tags are read one by one, never as a tree.
//!
//! Elements that mean something in text keep their meaning, other known ones go and leave their
//! content, `script` and `style` go with their content, what is no element of HTML (`<namespace>`)
//! stays as it was written.

use super::marks::Marks;

/// A tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub name: &'a str,
    pub closes: bool,
    /// `<br/>`
    pub empty: bool,
    /// Bytes from `<` to `>`.
    pub length: usize,
    attributes: &'a str,
}

/// Attributes longer than this are no attributes.
const LONGEST_TAG: usize = 8_192;

impl<'a> Tag<'a> {
    /// Returns the value of an attribute; `""` when it has none.
    pub fn attribute(&self, key: &str) -> Option<&'a str> {
        let mut rest = self.attributes.trim_start();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix('=') {
                None => ("", after),
                Some(value) => {
                    let value = value.trim_start();
                    match value.as_bytes().first() {
                        Some(quote @ (b'"' | b'\'')) => {
                            let inner = value.get(1..).unwrap_or("");
                            inner.split_once(char::from(*quote)).unwrap_or((inner, ""))
                        }
                        _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
                    }
                }
            };
            if name.eq_ignore_ascii_case(key) {
                return Some(value);
            }
            let before = rest.len();
            rest = after.trim_start();
            if rest.len() >= before {
                return None;
            }
        }
        None
    }
}

/// Reads the tag at the start of a text.
pub(super) fn tag(text: &str) -> Option<Tag<'_>> {
    let inner = text.strip_prefix('<')?;
    let (closes, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let end = inner.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'-')).unwrap_or(inner.len());
    let name = inner.get(..end)?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let rest = inner.get(end..)?;
    let mut quote = None;
    let mut close = None;
    for (at, byte) in rest.bytes().enumerate().take(LONGEST_TAG) {
        match (quote, byte) {
            (None, b'>') => {
                close = Some(at);
                break;
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    let close = close?;
    let attributes = rest.get(..close)?;
    if !attributes.is_empty() && !attributes.starts_with([' ', '\t', '\n', '/']) {
        return None;
    }
    let (attributes, empty) = match attributes.trim_end().strip_suffix('/') {
        Some(attributes) => (attributes, true),
        None => (attributes, false),
    };
    let length = text.len() - rest.len() + close + 1;
    Some(Tag { name, closes, empty, length, attributes })
}

/// Returns where a line mentions tags of this name: (byte, whether it closes).
pub(super) fn mentions(line: &str, name: &str) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('<') {
        let inner = line.get(at + 1..).unwrap_or("");
        let (closes, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let is_name = inner.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if is_name
            && !inner.as_bytes().get(name.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-')
        {
            found.push((at, closes));
        }
    }
    found
}

/// Elements that begin a block of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "menuitem",
    "meta",
    "nav",
    "noframes",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "script",
    "search",
    "section",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "ul",
    "video",
    "audio",
    "object",
    "source",
    "picture",
    "canvas",
    "noscript",
];

/// Elements within text.
const INLINES: &[&str] = &[
    "a", "abbr", "acronym", "b", "base", "bdi", "bdo", "big", "br", "button", "cite", "code", "data",
    "datalist", "del", "dfn", "em", "embed", "font", "i", "img", "input", "ins", "kbd", "label", "map",
    "area", "mark", "math", "meter", "nobr", "output", "progress", "q", "ruby", "rb", "rp", "rt", "s",
    "samp", "select", "slot", "small", "span", "strike", "strong", "sub", "sup", "svg", "path", "g",
    "circle", "rect", "line", "polygon", "polyline", "text", "defs", "use", "time", "tt", "u", "var", "wbr",
    "marquee", "blink",
];

/// Whether the name is that of an element.
pub(super) fn is_known(name: &str) -> bool {
    let known = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    known(INLINES) || known(BLOCKS)
}

/// Whether the element begins a block of its own.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a line begins with a tag that is no element: text, though `CommonMark` takes it for HTML.
pub(super) fn opens_unknown(rest: &str) -> bool {
    tag(rest).is_some_and(|tag| !is_known(tag.name))
}

/// Returns the styles an element gives its content.
pub(super) fn marks(name: &str) -> Option<Marks> {
    let marks = match name.to_ascii_lowercase().as_str() {
        "b" | "strong" | "th" => Marks::STRONG,
        "i" | "em" | "cite" | "var" | "dfn" => Marks::EMPHASIS,
        "code" | "tt" | "samp" => Marks::CODE,
        "kbd" => Marks::KEY,
        "mark" => Marks::MARKED,
        "ins" | "u" => Marks::INSERTED,
        "del" | "s" | "strike" => Marks::DELETED,
        "sub" => Marks::SUBSCRIPT,
        "sup" => Marks::SUPERSCRIPT,
        _ => return None,
    };
    Some(marks)
}

/// A piece of HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Tag(Tag<'a>),
}

/// Cuts HTML into text and tags of known elements; comments, declarations and the content of `script`
/// and `style` are left out.
pub(super) fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    while let Some(next) = html.get(at..).and_then(|rest| rest.find('<')).map(|n| at + n) {
        let rest = html.get(next..).unwrap_or("");
        let (skip, piece) = if let Some(comment) = rest.strip_prefix("<!--") {
            (comment.find("-->").map_or(rest.len(), |n| n + 7), None)
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            (rest.find('>').map_or(rest.len(), |n| n + 1), None)
        } else {
            match tag(rest) {
                Some(tag) if is_known(tag.name) => (tag.length, Some(tag)),
                _ => {
                    at = next + 1;
                    continue;
                }
            }
        };
        if text_from < next {
            found.extend(html.get(text_from..next).map(Piece::Text));
        }
        at = next + skip;
        if let Some(tag) = piece {
            let raw = ["script", "style", "template"].iter().find(|name| tag.name.eq_ignore_ascii_case(name));
            match raw {
                Some(name) if !tag.closes && !tag.empty => {
                    let rest = html.get(at..).unwrap_or("");
                    let end = mentions(rest, name)
                        .into_iter()
                        .find(|(_, closes)| *closes)
                        .map_or(rest.len(), |(n, _)| n);
                    at += end;
                }
                Some(_) => {}
                None => found.push(Piece::Tag(tag)),
            }
        }
        text_from = at;
    }
    found.extend(html.get(text_from..).filter(|text| !text.is_empty()).map(Piece::Text));
    found
}

/// Returns the text with its character references replaced.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.bytes().take(12).position(|b| b == b';');
        match end.and_then(|end| Some((end, entity(from.get(1..end)?)?))) {
            Some((end, with)) => {
                out.push_str(&with);
                rest = from.get(end + 1..).unwrap_or("");
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        let c = char::from_u32(code)?;
        return Some(crate::model::text::clean(c.encode_utf8(&mut [0; 4])).into_owned());
    }
    let text = match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" | "ensp" | "emsp" | "thinsp" => " ",
        "copy" => "©",
        "reg" => "®",
        "trade" => "™",
        "mdash" => "—",
        "ndash" => "–",
        "hellip" => "…",
        "larr" => "←",
        "rarr" => "→",
        "uarr" => "↑",
        "darr" => "↓",
        "times" => "×",
        "middot" => "·",
        "bull" => "•",
        "check" => "✓",
        "laquo" => "«",
        "raquo" => "»",
        "lsquo" => "‘",
        "rsquo" => "’",
        "ldquo" => "“",
        "rdquo" => "”",
        "deg" => "°",
        "plusmn" => "±",
        "le" => "≤",
        "ge" => "≥",
        "ne" => "≠",
        "euro" => "€",
        "sect" => "§",
        "para" => "¶",
        "shy" | "zwnj" | "zwj" => "",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tags() {
        let found = tag("<a href=\"x>y\" title='t' hidden>text").expect("a tag");
        assert_eq!(
            (found.name, found.attribute("href"), found.attribute("title")),
            ("a", Some("x>y"), Some("t"))
        );
        assert_eq!((found.attribute("hidden"), found.attribute("id"), found.length), (Some(""), None, 31));
        assert!(tag("<br/>").is_some_and(|tag| tag.empty));
        assert!(tag("</p >").is_some_and(|tag| tag.closes));
        for text in ["< a>", "<1>", "<a", "a<b>", "<a:b>", "<a@b.c>"] {
            assert_eq!(tag(text), None, "{text}");
        }
    }

    #[test]
    fn leaves_placeholders_as_text() {
        assert!(opens_unknown("<namespace> goes here"));
        assert!(!opens_unknown("<DIV>"));
        assert_eq!(
            pieces("a <ns> b<!-- no --><script>x<y</script>c"),
            [Piece::Text("a <ns> b"), Piece::Text("c")]
        );
    }

    #[test]
    fn replaces_references() {
        assert_eq!(unescape("a &amp; b &#65;&#x42; &nope; & &#27;"), "a & b AB &nope; & \u{fffd}");
    }
}
