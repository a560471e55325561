//! Pages that were built already, brought back to Markdown: what mkdocs made of the author's text.
//!
//! Start at [`article`]. Reads any HTML without failing; what means nothing is left out, its text stays.
//! Depth and size are bounded.

use std::fmt::Write as _;

/// Deepest nesting that is kept; what is deeper is laid into its parent.
const MAX_DEPTH: usize = 200;
/// Elements of a page.
const MAX_NODES: usize = 500_000;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    Element(Element),
}

/// An element with what is in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
}

/// A link of the navigation of a built site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NavLink {
    /// Sections above it.
    pub level: usize,
    /// What it is called.
    pub title: String,
    /// Where it leads; `None` for a section without a page.
    pub to: Option<String>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has_class(&self, class: &str) -> bool {
        self.classes().any(|found| found == class)
    }

    fn classes(&self) -> impl Iterator<Item = &str> {
        self.get("class").unwrap_or("").split_whitespace()
    }

    /// Finds the first element, outer before inner, that something holds for.
    fn find(&self, holds: &dyn Fn(&Element) -> bool) -> Option<&Element> {
        let mut open: Vec<&Element> = vec![self];
        while let Some(element) = open.pop() {
            if holds(element) {
                return Some(element);
            }
            open.extend(element.elements().rev());
        }
        None
    }

    fn elements(&self) -> impl DoubleEndedIterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    fn text(&self, out: &mut String) {
        for child in &self.children {
            match child {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) if is_hidden(element) => {}
                Node::Element(element) => element.text(out),
            }
        }
    }

    fn plain(&self) -> String {
        let mut out = String::new();
        self.text(&mut out);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Elements whose content is nothing to read.
fn is_hidden(element: &Element) -> bool {
    matches!(element.name.as_str(), "script" | "style" | "svg" | "button" | "template" | "noscript" | "head")
        || element.has_class("headerlink")
        || element.has_class("md-content__button")
        || element.has_class("linenos")
}

const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Reads HTML into a tree.
pub(super) fn parse(html: &str) -> Element {
    let mut open: Vec<Element> = vec![Element::default()];
    let mut rest = html;
    let mut left = MAX_NODES;
    while !rest.is_empty() && left > 0 {
        left -= 1;
        let Some(at) = rest.find('<') else {
            push_text(&mut open, rest);
            break;
        };
        push_text(&mut open, rest.get(..at).unwrap_or(""));
        rest = rest.get(at..).unwrap_or("");
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->").map_or("", |(_, tail)| tail);
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            rest = rest.split_once('>').map_or("", |(_, tail)| tail);
        } else if let Some(after) = rest.strip_prefix("</") {
            let (name, tail) = after.split_once('>').unwrap_or((after, ""));
            close(&mut open, &name.trim().to_ascii_lowercase());
            rest = tail;
        } else if let Some((element, is_closed, tail)) = tag(rest) {
            rest = tail;
            if matches!(element.name.as_str(), "script" | "style") && !is_closed {
                let end = format!("</{}", element.name);
                let at = find_ignoring_case(rest, &end).unwrap_or(rest.len());
                rest = rest.get(at..).and_then(|tail| tail.split_once('>')).map_or("", |(_, tail)| tail);
                continue;
            }
            let is_void = is_closed || VOID.contains(&element.name.as_str());
            if is_void || open.len() > MAX_DEPTH {
                add(&mut open, Node::Element(element));
            } else {
                open.push(element);
            }
        } else {
            push_text(&mut open, "<");
            rest = rest.get(1..).unwrap_or("");
        }
    }
    while open.len() > 1 {
        if let Some(element) = open.pop() {
            add(&mut open, Node::Element(element));
        }
    }
    open.pop().unwrap_or_default()
}

fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

fn push_text(open: &mut [Element], text: &str) {
    if !text.is_empty()
        && let Some(element) = open.last_mut()
    {
        element.children.push(Node::Text(entities(text)));
    }
}

fn add(open: &mut [Element], node: Node) {
    if let Some(element) = open.last_mut() {
        element.children.push(node);
    }
}

fn close(open: &mut Vec<Element>, name: &str) {
    let Some(at) = open.iter().rposition(|element| element.name == name).filter(|at| *at > 0) else { return };
    while open.len() > at {
        if let Some(element) = open.pop() {
            add(open, Node::Element(element));
        }
    }
}

/// Reads `<name key="value" …>`.
fn tag(text: &str) -> Option<(Element, bool, &str)> {
    let inner = text.strip_prefix('<')?;
    let length = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    let name = inner.get(..length)?.to_ascii_lowercase();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut attributes = Vec::new();
    let mut rest = inner.get(length..)?.trim_start();
    loop {
        if let Some(tail) = rest.strip_prefix("/>") {
            return Some((Element { name, attributes, children: Vec::new() }, true, tail));
        }
        if let Some(tail) = rest.strip_prefix('>') {
            return Some((Element { name, attributes, children: Vec::new() }, false, tail));
        }
        if let Some(tail) = rest.strip_prefix('/') {
            rest = tail.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))?;
        let key = rest.get(..end.max(1))?.to_ascii_lowercase();
        rest = rest.get(end.max(1)..)?.trim_start();
        let mut value = String::new();
        if let Some(tail) = rest.strip_prefix('=') {
            let tail = tail.trim_start();
            let (found, after) = match tail.chars().next()? {
                quote @ ('"' | '\'') => tail.get(1..)?.split_once(quote)?,
                _ => tail.split_at(tail.find(|c: char| c.is_whitespace() || c == '>')?),
            };
            value = entities(found);
            rest = after.trim_start();
        }
        attributes.push((key, value));
    }
}

/// Replaces `&amp;` and its like.
pub(super) fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    const NAMED: &[(&str, &str)] = &[
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{a0}"),
        ("para", "¶"),
        ("copy", "©"),
        ("reg", "®"),
        ("trade", "™"),
        ("hellip", "…"),
        ("mdash", "—"),
        ("ndash", "–"),
        ("lsquo", "‘"),
        ("rsquo", "’"),
        ("ldquo", "“"),
        ("rdquo", "”"),
        ("laquo", "«"),
        ("raquo", "»"),
        ("rarr", "→"),
        ("larr", "←"),
        ("harr", "↔"),
        ("plusmn", "±"),
        ("ne", "≠"),
        ("times", "×"),
        ("middot", "·"),
        ("bull", "•"),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or(""));
        rest = rest.get(at + 1..).unwrap_or("");
        let found = rest.find(';').filter(|end| *end <= 10).and_then(|end| Some((rest.get(..end)?, end)));
        let character = found.and_then(|(name, end)| {
            let number = match name.strip_prefix('#') {
                Some(digits) => match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => digits.parse().ok(),
                },
                None => None,
            };
            let text = match number {
                Some(number) => char::from_u32(number).map(String::from),
                None => NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()),
            };
            text.map(|text| (text, end))
        });
        match character {
            Some((text, end)) => {
                out.push_str(&text);
                rest = rest.get(end + 1..).unwrap_or("");
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

/// Returns the article of a built page as Markdown.
pub(super) fn article(html: &str) -> String {
    let root = parse(html);
    let article = root
        .find(&|element| element.has_class("md-content__inner"))
        .or_else(|| root.find(&|element| element.name == "article" || element.get("role") == Some("main")))
        .or_else(|| root.find(&|element| element.name == "main" || element.name == "body"))
        .unwrap_or(&root);
    let mut writer = Writer::default();
    writer.blocks(article, 0);
    let mut out = writer.out;
    for (label, text) in writer.notes {
        let _ = writeln!(out, "\n[^{label}]: {}", text.replace('\n', "\n    ").trim());
    }
    out
}

/// Returns the navigation of a built site, from any of its pages.
pub(super) fn navigation(html: &str) -> Vec<NavLink> {
    let root = parse(html);
    let mut out = Vec::new();
    if let Some(nav) = root.find(&|element| element.has_class("md-nav--primary")) {
        nav_items(nav, 0, &mut out);
    }
    out
}

fn nav_items(element: &Element, level: usize, out: &mut Vec<NavLink>) {
    for child in element.elements() {
        if child.has_class("md-nav--secondary") || level > 32 {
            continue;
        }
        if child.name != "li" {
            nav_items(child, level, out);
            continue;
        }
        let inner =
            child.elements().find(|inner| inner.name == "nav" && !inner.has_class("md-nav--secondary"));
        let link =
            child.find(&|found| found.name == "a" && found.has_class("md-nav__link") && !is_in(inner, found));
        let label = child.elements().find(|found| found.name == "label");
        let title = link.or(label).map(Element::plain).unwrap_or_default();
        if !title.is_empty() {
            out.push(NavLink { level, title, to: link.and_then(|link| link.get("href")).map(str::to_owned) });
        }
        if let Some(inner) = inner {
            nav_items(inner, level + 1, out);
        }
    }
}

fn is_in(outer: Option<&Element>, wanted: &Element) -> bool {
    outer.is_some_and(|outer| outer.find(&|element| std::ptr::eq(element, wanted)).is_some())
}

#[derive(Default)]
struct Writer {
    out: String,
    notes: Vec<(String, String)>,
}

impl Writer {
    /// Writes what is in an element as blocks, each followed by an empty line.
    fn blocks(&mut self, element: &Element, depth: usize) {
        let mut run: Vec<&Node> = Vec::new();
        for child in &element.children {
            match child {
                Node::Element(inner) if is_hidden(inner) => {}
                Node::Element(inner) if is_block(inner) => {
                    self.paragraph(&run);
                    run.clear();
                    self.block(inner, depth + 1);
                }
                _ => run.push(child),
            }
        }
        self.paragraph(&run);
    }

    fn paragraph(&mut self, nodes: &[&Node]) {
        let mut text = String::new();
        for node in nodes {
            inline(node, &mut text);
        }
        let text = squeeze(&text);
        if !text.is_empty() {
            self.put(&text);
        }
    }

    fn put(&mut self, block: &str) {
        self.out.push_str(block.trim_end());
        self.out.push_str("\n\n");
    }

    /// Writes blocks of an element in a writer of their own, to be indented.
    fn inner(&mut self, element: &Element, depth: usize) -> String {
        let mut inner = Writer::default();
        inner.blocks(element, depth);
        self.notes.append(&mut inner.notes);
        inner.out.trim_end().to_owned()
    }

    fn block(&mut self, element: &Element, depth: usize) {
        if depth > MAX_DEPTH {
            return self.paragraph(&element.children.iter().collect::<Vec<_>>());
        }
        match element.name.as_str() {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = element.name.get(1..).and_then(|digit| digit.parse().ok()).unwrap_or(1);
                let mut text = String::new();
                element.children.iter().for_each(|child| inline(child, &mut text));
                let id = element.get("id").map(|id| format!(" {{#{id}}}")).unwrap_or_default();
                self.put(&format!("{} {}{id}", "#".repeat(level), squeeze(&text)));
            }
            "pre" => self.code(element, "", None),
            "hr" if element.get("class").is_none() => self.put("---"),
            "hr" => {}
            "ul" | "ol" => self.list(element, depth),
            "blockquote" => {
                let text = self.inner(element, depth);
                self.put(&prefixed(&text, "> ", "> "));
            }
            "table" if element.has_class("highlighttable") => {
                if let Some(pre) = element.find(&|e| {
                    e.name == "pre" && !e.has_class("linenos") && e.find(&|c| c.name == "code").is_some()
                }) {
                    self.code(pre, language_of(element), None);
                }
            }
            "table" => self.table(element),
            "dl" => self.definitions(element, depth),
            "details" => self.box_of(element, "???", depth),
            "div" if element.has_class("admonition") => self.box_of(element, "!!!", depth),
            "div" if element.has_class("tabbed-set") => self.tabs(element, depth),
            "div" if element.has_class("footnote") => self.footnotes(element, depth),
            "div" if element.has_class("highlight") => {
                let title = element.find(&|e| e.has_class("filename")).map(Element::plain);
                let pre = element.find(&|e| e.name == "pre" && e.find(&|c| c.name == "code").is_some());
                if let Some(pre) = pre {
                    self.code(pre, language_of(element), title.as_deref());
                }
            }
            "figure" if element.find(&|e| e.name == "pre").is_none() => {
                self.paragraph(&element.children.iter().collect::<Vec<_>>());
            }
            "p" => self.paragraph(&element.children.iter().collect::<Vec<_>>()),
            _ => self.blocks(element, depth),
        }
    }

    fn code(&mut self, pre: &Element, language: &str, title: Option<&str>) {
        let mut text = String::new();
        pre.text(&mut text);
        let text = text.trim_end_matches('\n');
        let own = pre.find(&|e| e.name == "code").map_or("", |code| language_of(code));
        let is_mermaid = pre.has_class("mermaid");
        let language = match (language, own) {
            _ if is_mermaid => "mermaid",
            ("", own) => own,
            (given, _) => given,
        };
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let title = title.map(|title| format!(" title=\"{}\"", title.replace('"', "'"))).unwrap_or_default();
        self.put(&format!("{fence}{language}{title}\n{text}\n{fence}"));
    }

    fn list(&mut self, element: &Element, depth: usize) {
        let is_ordered = element.name == "ol";
        let mut out = String::new();
        for (number, item) in (1..).zip(element.elements().filter(|item| item.name == "li")) {
            let task = item.find(&|e| e.name == "input" && e.get("type") == Some("checkbox"));
            let mark = match task {
                Some(input) if input.get("checked").is_some() => "[x] ",
                Some(_) => "[ ] ",
                None => "",
            };
            let text = self.inner(item, depth + 1);
            let first = if is_ordered { format!("{number}. ") } else { "- ".to_owned() };
            let _ = writeln!(out, "{}", prefixed(&format!("{mark}{}", text.trim_start()), &first, "    "));
        }
        self.put(&out);
    }

    fn table(&mut self, element: &Element) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut has_head = false;
        let mut open: Vec<&Element> = vec![element];
        while let Some(found) = open.pop() {
            if found.name == "tr" {
                let cells = found.elements().filter(|cell| matches!(cell.name.as_str(), "td" | "th"));
                has_head |= rows.is_empty() && found.elements().any(|cell| cell.name == "th");
                rows.push(cells.map(cell_text).collect());
            } else {
                open.extend(found.elements().rev());
            }
        }
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns == 0 {
            return;
        }
        if !has_head {
            rows.insert(0, Vec::new());
        }
        let mut out = String::new();
        for (number, row) in rows.iter().enumerate() {
            out.push('|');
            for column in 0..columns {
                let _ = write!(out, " {} |", row.get(column).map_or("", String::as_str));
            }
            out.push('\n');
            if number == 0 {
                let _ = writeln!(out, "|{}", " --- |".repeat(columns));
            }
        }
        self.put(&out);
    }

    fn definitions(&mut self, element: &Element, depth: usize) {
        let mut out = String::new();
        for child in element.elements() {
            match child.name.as_str() {
                "dt" => {
                    let mut text = String::new();
                    child.children.iter().for_each(|child| inline(child, &mut text));
                    let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, squeeze(&text));
                }
                "dd" => {
                    let text = self.inner(child, depth + 1);
                    let _ = writeln!(out, "{}", prefixed(&text, ":   ", "    "));
                }
                _ => {}
            }
        }
        self.put(&out);
    }

    /// Writes an admonition or details.
    fn box_of(&mut self, element: &Element, mark: &str, depth: usize) {
        let is_title = |found: &Element| found.has_class("admonition-title") || found.name == "summary";
        let title = element.elements().find(|found| is_title(found)).map(Element::plain);
        let kind = element
            .classes()
            .find(|class| !matches!(*class, "admonition" | "inline" | "end"))
            .unwrap_or("note");
        let rest = Element {
            children: element
                .children
                .iter()
                .filter(|child| !matches!(child, Node::Element(inner) if is_title(inner)))
                .cloned()
                .collect(),
            ..Element::default()
        };
        let open = if mark == "???" && element.get("open").is_some() { "+" } else { "" };
        let title = title.unwrap_or_default().replace('"', "'");
        let text = self.inner(&rest, depth);
        self.put(&format!("{mark}{open} {kind} \"{title}\"\n{}", prefixed(&text, "    ", "    ")));
    }

    fn tabs(&mut self, element: &Element, depth: usize) {
        let mut titles = Vec::new();
        let mut blocks = Vec::new();
        let mut open: Vec<&Element> = element.elements().rev().collect();
        while let Some(found) = open.pop() {
            if found.name == "label" {
                titles.push(found.plain());
            } else if found.has_class("tabbed-block") {
                blocks.push(found);
            } else {
                open.extend(found.elements().rev());
            }
        }
        for (title, block) in titles.into_iter().zip(blocks) {
            let text = self.inner(block, depth);
            self.put(&format!("=== \"{}\"\n{}", title.replace('"', "'"), prefixed(&text, "    ", "    ")));
        }
    }

    fn footnotes(&mut self, element: &Element, depth: usize) {
        let mut open: Vec<&Element> = vec![element];
        while let Some(found) = open.pop() {
            match found.get("id").and_then(|id| id.strip_prefix("fn:")) {
                Some(label) if found.name == "li" => {
                    let text = self.inner(found, depth);
                    self.notes.push((label.to_owned(), text));
                }
                _ => open.extend(found.elements().rev()),
            }
        }
    }
}

fn cell_text(cell: &Element) -> String {
    let mut text = String::new();
    cell.children.iter().for_each(|child| inline(child, &mut text));
    squeeze(&text).replace('|', "\\|").replace('\n', " ")
}

/// Returns the language in a class: `language-python`.
fn language_of(element: &Element) -> &str {
    element.classes().find_map(|class| class.strip_prefix("language-")).unwrap_or("")
}

fn is_block(element: &Element) -> bool {
    matches!(
        element.name.as_str(),
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "table"
            | "tbody"
            | "td"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Writes a node inside a line.
fn inline(node: &Node, out: &mut String) {
    let element = match node {
        Node::Text(text) => return escape(text, out),
        Node::Element(element) if is_hidden(element) => return,
        Node::Element(element) => element,
    };
    let mut wrap = |mark: &str, end: &str| {
        let mut inner = String::new();
        element.children.iter().for_each(|child| inline(child, &mut inner));
        let trimmed = inner.trim();
        if trimmed.is_empty() {
            out.push_str(&inner);
            return;
        }
        if inner.starts_with(char::is_whitespace) {
            out.push(' ');
        }
        let _ = write!(out, "{mark}{trimmed}{end}");
        if inner.ends_with(char::is_whitespace) {
            out.push(' ');
        }
    };
    match element.name.as_str() {
        "br" => out.push_str("<br>"),
        "strong" | "b" => wrap("**", "**"),
        "em" | "i" => wrap("*", "*"),
        "del" | "s" => wrap("~~", "~~"),
        "ins" | "u" => wrap("^^", "^^"),
        "mark" => wrap("==", "=="),
        "kbd" => wrap("<kbd>", "</kbd>"),
        "code" => {
            let mut text = String::new();
            element.text(&mut text);
            let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
            let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
            let _ = write!(out, "{ticks}{pad}{text}{pad}{ticks}");
        }
        "a" => match element.get("href") {
            Some(to) if element.has_class("footnote-ref") => {
                let label = to.trim_start_matches("#fn:");
                let _ = write!(out, "[^{label}]");
            }
            Some(_) if element.has_class("footnote-backref") => {}
            Some(to) => {
                let end = format!("](<{}>)", to.replace(['<', '>', '\n'], ""));
                wrap("[", &end);
            }
            None => wrap("", ""),
        },
        "img"
            if element.has_class("emojione")
                || element.has_class("twemoji")
                || element.has_class("gemoji") =>
        {
            escape(element.get("alt").unwrap_or(""), out);
        }
        "img" => {
            let alt = element.get("alt").unwrap_or("").replace(['[', ']'], "");
            let _ =
                write!(out, "![{alt}](<{}>)", element.get("src").unwrap_or("").replace(['<', '>', '\n'], ""));
        }
        "input" => {}
        "abbr" | "span" | "label" | "sup" | "sub" | "small" => {
            element.children.iter().for_each(|child| inline(child, out));
        }
        _ => element.children.iter().for_each(|child| inline(child, out)),
    }
}

/// Protects text from being read as syntax.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '^' | '|') {
            out.push('\\');
        }
        out.push(if c == '\n' || c == '\u{a0}' { ' ' } else { c });
    }
}

/// Puts text of a paragraph on one line, and protects its beginning.
fn squeeze(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_marker = text.starts_with(['-', '+', '=', ':', '!', '?', '{', '/'])
        || text.split_once(['.', ')']).is_some_and(|(start, rest)| {
            !start.is_empty() && start.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(' ')
        });
    match text.chars().next() {
        // an image or a mark is meant
        Some('!' | '=') if text.starts_with("![") || text.starts_with("==") && !text.starts_with("===") => {
            text
        }
        Some(first) if is_marker && !first.is_ascii_digit() => format!("\\{text}"),
        Some(_) if is_marker => text.replacen(['.', ')'], "\\.", 1),
        _ => text,
    }
}

/// Puts something before the first and before every other line.
fn prefixed(text: &str, first: &str, other: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (number, line) in text.lines().enumerate() {
        let prefix = if number == 0 { first } else { other };
        if number > 0 {
            out.push('\n');
        }
        out.push_str(if line.is_empty() { prefix.trim_end() } else { prefix });
        out.push_str(line);
    }
    if text.is_empty() {
        out.push_str(first.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_pages_read_as_they_were_written() {
        for (html, markdown) in [
            (
                "<h2 id=\"a-b\">A <em>b</em><a class=\"headerlink\" href=\"#a-b\">&para;</a></h2>",
                "## A *b* {#a-b}",
            ),
            ("<p>a &amp; <strong>b</strong> <a href=\"../x/#y\">x</a></p>", "a & **b** [x](<../x/#y>)"),
            ("<p>5 * 3 &lt;name&gt;</p>", "5 \\* 3 \\<name\\>"),
            ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n\n    - b\n- c"),
            ("<ol><li><p>a</p><pre><code>x\n</code></pre></li></ol>", "1. a\n\n    ```\n    x\n    ```"),
            (
                "<div class=\"language-python highlight\"><span class=\"filename\">a.py</span><pre><span></span><code><span>x</span> = 1\n</code></pre></div>",
                "```python title=\"a.py\"\nx = 1\n```",
            ),
            (
                "<div class=\"highlight\"><table class=\"highlighttable\"><tr><td class=\"linenos\"><pre>1</pre></td><td class=\"code\"><div><pre><code>x</code></pre></div></td></tr></table></div>",
                "```\nx\n```",
            ),
            (
                "<div class=\"admonition warning\"><p class=\"admonition-title\">Mind</p><p>text</p></div>",
                "!!! warning \"Mind\"\n    text",
            ),
            (
                "<details class=\"note\" open=\"open\"><summary>More</summary><p>t</p></details>",
                "???+ note \"More\"\n    t",
            ),
            (
                "<div class=\"tabbed-set\"><input><input><div class=\"tabbed-labels\"><label>A</label><label>B</label></div><div class=\"tabbed-content\"><div class=\"tabbed-block\"><p>a</p></div><div class=\"tabbed-block\"><p>b</p></div></div></div>",
                "=== \"A\"\n    a\n\n=== \"B\"\n    b",
            ),
            (
                "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>x|y</td></tr></tbody></table>",
                "| a |\n| --- |\n| x\\\\|y |",
            ),
            ("<script>alert(1)</script><style>p{}</style><p>t</p>", "t"),
            ("<p>1. no list</p>", "1\\. no list"),
            (
                "<p>x<sup><a class=\"footnote-ref\" href=\"#fn:1\">1</a></sup></p><div class=\"footnote\"><ol><li id=\"fn:1\"><p>note <a class=\"footnote-backref\" href=\"#\">↩</a></p></li></ol></div>",
                "x[^1]\n\n\n[^1]: note",
            ),
        ] {
            let page =
                format!("<html><body><article class=\"md-content__inner\">{html}</article></body></html>");
            assert_eq!(article(&page).trim_end(), markdown, "{html}");
        }
    }

    #[test]
    fn broken_pages_do_no_harm() {
        let deep = "<div>".repeat(100_000);
        for html in [
            "<",
            "<a",
            "<a href=",
            "</",
            "<!--",
            "<p><b>x</p>",
            "&#x110000;&;&unknown;",
            deep.as_str(),
            "<script>",
        ] {
            let _ = article(html);
            let _ = navigation(html);
        }
        assert_eq!(entities("&#x41;&#66;&unknown;&amp;lt;"), "AB&unknown;&lt;");
    }

    #[test]
    fn the_navigation_of_a_built_site_is_read() {
        let html = r##"<nav class="md-nav md-nav--primary"><ul><li><a class="md-nav__link" href=".">Home</a>
            <nav class="md-nav md-nav--secondary"><ul><li><a class="md-nav__link" href="#x">X</a></li></ul></nav></li>
            <li><input><label>Guide</label><nav class="md-nav"><ul><li><a class="md-nav__link" href="guide/a/">A</a></li></ul></nav></li></ul></nav>"##;
        let found: Vec<_> =
            navigation(html).into_iter().map(|link| (link.level, link.title, link.to)).collect();
        assert_eq!(
            found,
            [
                (0, "Home".to_owned(), Some(".".to_owned())),
                (0, "Guide".to_owned(), None),
                (1, "A".to_owned(), Some("guide/a/".to_owned())),
            ]
        );
    }
}
