//! Classes, and entities with their relations.

use super::edge_label;
use super::graph::{Edge, Graph, Node, Row};
use std::collections::HashMap;

#[derive(Default)]
struct Reader {
    graph: Graph,
    ids: HashMap<String, usize>,
}

impl Reader {
    fn node(&mut self, id: &str) -> Option<usize> {
        let id = id.trim().trim_matches(['"', '`']);
        let (id, title) = match id.split_once('[') {
            Some((id, title)) => (id.trim(), title.trim_end_matches(']').trim_matches('"')),
            None => (id, id),
        };
        let id = id.split(":::").next()?;
        let is_name = !id.is_empty()
            && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | ' '));
        if !is_name || self.graph.nodes.len() > 200 {
            return None;
        }
        if let Some(number) = self.ids.get(id) {
            return Some(*number);
        }
        self.graph.nodes.push(Node { rows: vec![Row::Text(generic(title))], bare: false });
        self.ids.insert(id.to_owned(), self.graph.nodes.len() - 1);
        Some(self.graph.nodes.len() - 1)
    }

    fn member(&mut self, node: usize, text: &str) -> Option<()> {
        let rows = &mut self.graph.nodes.get_mut(node)?.rows;
        if let Some(kind) = text.strip_prefix("<<").and_then(|inner| inner.strip_suffix(">>")) {
            rows.insert(0, Row::Text(format!("«{kind}»")));
            return Some(());
        }
        if !rows.contains(&Row::Rule) {
            rows.push(Row::Rule);
        }
        rows.push(Row::Text(generic(text.trim_end_matches(['$', '*']))));
        (rows.len() < 100).then_some(())
    }
}

/// `List~int~` is `List<int>`.
fn generic(text: &str) -> String {
    let mut open = false;
    let signs = text.chars().map(|c| match c {
        '~' => {
            open = !open;
            if open { '<' } else { '>' }
        }
        c => c,
    });
    signs.collect()
}

/// Arrows between classes: sign, head at the end, head at the start, dashed, what it means.
const CLASS_ARROWS: &[(&str, bool, bool, bool, &str)] = &[
    ("<|--", false, true, false, "extends"),
    ("--|>", true, false, false, "extends"),
    ("<|..", false, true, true, "implements"),
    ("..|>", true, false, true, "implements"),
    ("*--", false, true, false, "part of"),
    ("--*", true, false, false, "part of"),
    ("o--", false, true, false, "has"),
    ("--o", true, false, false, "has"),
    ("<--", false, true, false, ""),
    ("-->", true, false, false, ""),
    ("<..", false, true, true, ""),
    ("..>", true, false, true, ""),
    ("--", false, false, false, ""),
    ("..", false, false, true, ""),
];

/// Reads a diagram of classes.
pub(super) fn classes(lines: &[&str]) -> Option<Graph> {
    let mut reader = Reader::default();
    let mut open: Option<usize> = None;
    for line in lines.iter().skip(1) {
        let line = line.trim_end_matches(';').trim();
        if let Some(class) = open {
            if line == "}" {
                open = None;
            } else {
                reader.member(class, line)?;
            }
            continue;
        }
        if let Some(direction) = line.strip_prefix("direction ") {
            reader.graph.across = matches!(direction.trim(), "LR" | "RL");
            continue;
        }
        if [
            "classDef ",
            "style ",
            "click ",
            "link ",
            "callback ",
            "cssClass ",
            "accTitle",
            "accDescr",
            "title ",
        ]
        .iter()
        .any(|word| line.starts_with(word))
        {
            continue;
        }
        if let Some(rest) = line.strip_prefix("class ") {
            match rest.trim().strip_suffix('{') {
                Some(id) => open = Some(reader.node(id)?),
                None => {
                    let rest = rest.trim();
                    let (id, body) = match rest.strip_suffix('}').and_then(|inner| inner.split_once('{')) {
                        Some((id, body)) => (id, body),
                        None => (rest, ""),
                    };
                    let node = reader.node(id)?;
                    if !body.trim().is_empty() {
                        reader.member(node, body.trim())?;
                    }
                }
            }
            continue;
        }
        if let Some((kind, id)) = line.strip_prefix("<<").and_then(|inner| inner.split_once(">>")) {
            let node = reader.node(id)?;
            reader.member(node, &format!("<<{kind}>>"))?;
            continue;
        }
        let (relation, words) = match line.split_once(" : ") {
            Some((relation, words)) => (relation, words),
            None => (line, ""),
        };
        let arrow = CLASS_ARROWS
            .iter()
            .filter_map(|arrow| Some((relation.find(arrow.0)?, arrow)))
            .min_by_key(|(at, arrow)| (*at, usize::MAX - arrow.0.len()));
        if let Some((at, (sign, head, tail, dashed, meaning))) = arrow {
            let left = relation.get(..at)?;
            let right = relation.get(at + sign.len()..)?;
            let (from, many_from) = cardinality(left, true);
            let (to, many_to) = cardinality(right, false);
            let (from, to) = (reader.node(from)?, reader.node(to)?);
            let words = edge_label(words);
            let parts = [many_from, if words.is_empty() { meaning } else { &words }, many_to];
            let label = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            reader.graph.edges.push(Edge { from, to, label, head: *head, tail: *tail, dashed: *dashed });
            continue;
        }
        match line.split_once(':') {
            Some((id, member)) => {
                let node = reader.node(id)?;
                reader.member(node, member.trim())?;
            }
            None => return None,
        }
    }
    open.is_none().then_some(reader.graph)
}

/// Splits `Name "1..*"` (or `"1..*" Name`).
fn cardinality(text: &str, behind: bool) -> (&str, &str) {
    let text = text.trim();
    let parts = if behind {
        text.strip_suffix('"').and_then(|inner| inner.rsplit_once('"'))
    } else {
        text.strip_prefix('"').and_then(|inner| inner.split_once('"')).map(|(a, b)| (b, a))
    };
    parts.map_or((text, ""), |(name, many)| (name.trim(), many))
}

/// Reads a diagram of entities and their relations.
pub(super) fn entities(lines: &[&str]) -> Option<Graph> {
    let mut reader = Reader::default();
    let mut open: Option<usize> = None;
    for line in lines.iter().skip(1) {
        if let Some(entity) = open {
            if *line == "}" {
                open = None;
            } else {
                let text = line.replace('"', "");
                reader.member(entity, &text)?;
            }
            continue;
        }
        if let Some(direction) = line.strip_prefix("direction ") {
            reader.graph.across = matches!(direction.trim(), "LR" | "RL");
            continue;
        }
        if ["classDef ", "class ", "style ", "accTitle", "accDescr", "title "]
            .iter()
            .any(|word| line.starts_with(word))
        {
            continue;
        }
        if let Some(id) = line.strip_suffix('{')
            && !id.contains("--")
            && !id.contains("..")
        {
            open = Some(reader.node(id)?);
            continue;
        }
        let (relation, words) = line.split_once(" : ").or_else(|| line.split_once(':')).unwrap_or((line, ""));
        let mut parts = relation.split_whitespace();
        let (Some(from), sign, to) = (parts.next(), parts.next(), parts.next()) else { return None };
        let Some(sign) = sign else {
            reader.node(from)?;
            continue;
        };
        let (to, None) = (to?, parts.next()) else { return None };
        let dashed = sign.contains("..");
        let (left, right) = sign.split_once(if dashed { ".." } else { "--" })?;
        let (many_from, many_to) = (many(left)?, many(right)?);
        let (from, to) = (reader.node(from)?, reader.node(to)?);
        let label = [many_from, &edge_label(words), many_to]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        reader.graph.edges.push(Edge { from, to, label, head: false, tail: false, dashed });
        if reader.graph.edges.len() > 400 {
            return None;
        }
    }
    open.is_none().then_some(reader.graph)
}

/// How many, by the sign at one end of a relation.
fn many(sign: &str) -> Option<&'static str> {
    match sign {
        "||" => Some("1"),
        "|o" | "o|" => Some("0..1"),
        "}|" | "|{" => Some("1..n"),
        "}o" | "o{" => Some("0..n"),
        _ => None,
    }
}
