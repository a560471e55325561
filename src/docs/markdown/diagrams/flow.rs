//! Flow charts: `graph TD`, `flowchart LR`.

use super::graph::{Edge, Graph, Group, Node, Row};
use super::{edge_label, label};
use std::collections::HashMap;

/// Shapes of boxes: how they open and close. Longer ones first.
const SHAPES: &[(&str, &str)] = &[
    ("(((", ")))"),
    ("([", "])"),
    ("[[", "]]"),
    ("[(", ")]"),
    ("((", "))"),
    ("{{", "}}"),
    ("[/", "/]"),
    ("[\\", "\\]"),
    ("[/", "\\]"),
    ("[\\", "/]"),
    ("[", "]"),
    ("(", ")"),
    ("{", "}"),
    (">", "]"),
];

#[derive(Default)]
struct Reader {
    graph: Graph,
    ids: HashMap<String, usize>,
    /// Open groups, inner last: index into the groups of the graph.
    open: Vec<usize>,
    /// Names of groups, for arrows that lead to one.
    groups: HashMap<String, usize>,
}

/// Reads a flow chart.
pub(super) fn read(lines: &[&str]) -> Option<Graph> {
    let (head, rest) = lines.split_first()?;
    let mut reader = Reader::default();
    let direction = head.split_whitespace().nth(1).unwrap_or("TD").trim_end_matches(';');
    reader.graph.across = matches!(direction, "LR" | "RL");
    for line in rest {
        for part in statements(line) {
            reader.statement(part.trim())?;
        }
    }
    if !reader.open.is_empty() {
        return None;
    }
    reader.graph.groups.retain(|group| !group.members.is_empty());
    Some(reader.graph)
}

/// Splits at semicolons outside of quotes and brackets.
fn statements(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut depth = 0i32;
    let mut from = 0;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ';' if !quoted && depth <= 0 => {
                parts.extend(line.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(line.get(from..));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

impl Reader {
    fn statement(&mut self, text: &str) -> Option<()> {
        let word = text.split_whitespace().next().unwrap_or("");
        match word {
            "classDef" | "class" | "style" | "linkStyle" | "click" | "direction" | "accTitle:"
            | "accDescr:" => return Some(()),
            "subgraph" => {
                let rest = text.get(word.len()..)?.trim();
                let (id, title) = match rest.split_once('[') {
                    Some((id, title)) => (id.trim(), title.strip_suffix(']')?),
                    None => (rest, rest),
                };
                self.groups.insert(id.trim_matches('"').to_owned(), self.graph.groups.len());
                self.open.push(self.graph.groups.len());
                self.graph.groups.push(Group { title: edge_label(title), members: Vec::new() });
                return (self.graph.groups.len() < 60).then_some(());
            }
            "end" if text == "end" => return self.open.pop().map(|_| ()),
            _ => {}
        }
        let mut rest = text;
        let mut from = self.nodes(&mut rest)?;
        while !rest.trim().is_empty() {
            let link = link(&mut rest)?;
            let to = self.nodes(&mut rest)?;
            for from in &from {
                for to in &to {
                    let edge = Edge {
                        from: *from,
                        to: *to,
                        label: link.label.clone(),
                        head: link.head,
                        tail: link.tail,
                        dashed: link.dashed,
                    };
                    self.graph.edges.push(edge);
                }
            }
            if self.graph.edges.len() > 400 {
                return None;
            }
            from = to;
        }
        Some(())
    }

    /// Reads `a & b[Label]`.
    fn nodes(&mut self, rest: &mut &str) -> Option<Vec<usize>> {
        let mut nodes = vec![self.node(rest)?];
        while let Some(more) = rest.trim_start().strip_prefix('&') {
            *rest = more;
            nodes.push(self.node(rest)?);
        }
        Some(nodes)
    }

    fn node(&mut self, rest: &mut &str) -> Option<usize> {
        let text = rest.trim_start();
        let end = id_end(text);
        let id = text.get(..end).filter(|id| !id.is_empty())?;
        let mut after = text.get(end..)?;
        let mut words = None;
        for (open, close) in SHAPES {
            let Some(inner) = after.strip_prefix(open) else { continue };
            let Some(at) = closing(inner, close) else { continue };
            words = Some(inner.get(..at)?);
            after = inner.get(at + close.len()..)?;
            break;
        }
        if let Some(attributes) = after.strip_prefix("@{") {
            let (attributes, behind) = attributes.split_once('}')?;
            words = attributes
                .split(',')
                .find_map(|part| part.trim().strip_prefix("label:"))
                .map(str::trim)
                .or(words);
            after = behind;
        }
        if let Some(class) = after.strip_prefix(":::") {
            let end =
                class.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(class.len());
            after = class.get(end..)?;
        }
        *rest = after;
        // An arrow to a group leads to its first box
        if words.is_none()
            && !self.ids.contains_key(id)
            && let Some(first) = self
                .groups
                .get(id)
                .and_then(|group| self.graph.groups.get(*group))
                .and_then(|group| group.members.first())
        {
            return Some(*first);
        }
        let number = match self.ids.get(id) {
            Some(number) => *number,
            None => {
                let number = self.graph.nodes.len();
                self.graph.nodes.push(Node { rows: rows(id), bare: false });
                self.ids.insert(id.to_owned(), number);
                number
            }
        };
        for group in &self.open {
            if let Some(group) =
                self.graph.groups.get_mut(*group).filter(|group| !group.members.contains(&number))
            {
                group.members.push(number);
            }
        }
        if let Some(words) = words {
            self.graph.nodes.get_mut(number)?.rows = rows(words);
        }
        (number < 200).then_some(number)
    }
}

fn rows(words: &str) -> Vec<Row> {
    label(words).into_iter().map(Row::Text).collect()
}

/// Where a name ends: before brackets, white space and the signs of arrows.
fn id_end(text: &str) -> usize {
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or("");
        let arrow = ["--", "==", "-.", "<-", "~~~"].iter().any(|sign| rest.starts_with(sign));
        // one colon belongs to the name, three begin its class
        if arrow || c.is_whitespace() || "[({>&@;".contains(c) || rest.starts_with(":::") {
            return at;
        }
    }
    text.len()
}

/// Where a shape closes, outside of quotes; `None` when it never does.
fn closing(inner: &str, close: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in inner.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && inner.get(at..).is_some_and(|rest| rest.starts_with(close)) {
            return Some(at);
        }
    }
    None
}

/// An arrow.
struct Link {
    label: String,
    head: bool,
    tail: bool,
    dashed: bool,
}

/// Reads an arrow with its label: `-->`, `---`, `-.->`, `==>`, `-- text -->`, `-->|text|`.
fn link(rest: &mut &str) -> Option<Link> {
    let text = rest.trim_start();
    let signs = |text: &str| text.find(|c: char| !"-=.~<>xo".contains(c)).unwrap_or(text.len());
    let mut end = signs(text);
    let mut first = text.get(..end)?;
    // A name that begins with `x` or `o` right behind an arrow belongs to the box
    if let Some(arrow) = first.rfind('>').filter(|at| at + 1 < first.len()) {
        first = first.get(..=arrow)?;
        end = first.len();
    }
    let body = first.trim_start_matches(['<', 'x', 'o']);
    if !["--", "==", "-.", "~~~", "=="].iter().any(|sign| body.starts_with(sign)) {
        return None;
    }
    let tail = first.len() > body.len();
    let dashed = first.contains('.');
    let mut after = text.get(end..)?;
    let ends = |arrow: &str| arrow.ends_with(['>', 'x', 'o']);
    if let Some(inner) = after.trim_start().strip_prefix('|') {
        let (words, behind) = inner.split_once('|')?;
        *rest = behind;
        return Some(Link { label: edge_label(words), head: ends(first), tail, dashed });
    }
    let open = matches!(body, "--" | "==" | "-.");
    if !open {
        *rest = after;
        return Some(Link { label: String::new(), head: ends(first), tail, dashed });
    }
    // `-- text -->`
    let closes = if body == "==" {
        "=="
    } else if body == "-." {
        ".-"
    } else {
        "--"
    };
    let at = after.find(closes)?;
    let words = after.get(..at)?;
    after = after.get(at..)?;
    let length = signs(after);
    let mut second = after.get(..length)?;
    if let Some(arrow) = second.rfind('>').filter(|at| at + 1 < second.len()) {
        second = second.get(..=arrow)?;
    }
    *rest = after.get(second.len()..)?;
    Some(Link { label: edge_label(words), head: ends(second), tail, dashed })
}
