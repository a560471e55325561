//! States and how they change.

use super::graph::{Edge, Graph, Group, Node, Row};
use super::{edge_label, label};
use std::collections::HashMap;

#[derive(Default)]
struct Reader {
    graph: Graph,
    ids: HashMap<String, usize>,
    open: Vec<usize>,
}

/// Reads a diagram of states.
pub(super) fn read(lines: &[&str]) -> Option<Graph> {
    let mut reader = Reader::default();
    for line in lines.iter().skip(1) {
        let line = line.trim_end_matches(';').trim();
        if line.starts_with("note ") {
            // Notes have no place between boxes: the source says it all
            return None;
        }
        reader.line(line)?;
    }
    if !reader.open.is_empty() {
        return None;
    }
    reader.graph.groups.retain(|group| !group.members.is_empty());
    Some(reader.graph)
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        if let Some(direction) = line.strip_prefix("direction ") {
            self.graph.across |= matches!(direction.trim(), "LR" | "RL") && self.open.is_empty();
            return Some(());
        }
        if ["classDef ", "class ", "style ", "accTitle", "accDescr", "hide "]
            .iter()
            .any(|word| line.starts_with(word))
            || line == "--"
        {
            return Some(());
        }
        if line == "}" {
            return self.open.pop().map(|_| ());
        }
        if let Some((from, to)) = line.split_once("-->") {
            let (to, words) = to.split_once(':').unwrap_or((to, ""));
            let from = self.state(from.trim(), true)?;
            let to = self.state(to.trim(), false)?;
            self.graph.edges.push(Edge { from, to, label: edge_label(words), head: true, ..Edge::default() });
            return (self.graph.edges.len() < 400).then_some(());
        }
        if let Some(rest) = line.strip_prefix("state ") {
            let (rest, opens) = match rest.trim().strip_suffix('{') {
                Some(rest) => (rest.trim(), true),
                None => (rest.trim(), false),
            };
            let (title, id) = match rest.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
                Some((title, id)) => (title, id.trim().strip_prefix("as ")?.trim()),
                None => (rest, rest),
            };
            let (id, title) = match id.split_once("<<") {
                Some((id, _)) => (id.trim(), id.trim()),
                None => (id, title),
            };
            if opens {
                self.open.push(self.graph.groups.len());
                self.graph.groups.push(Group { title: title.to_owned(), members: Vec::new() });
                return (self.graph.groups.len() < 60).then_some(());
            }
            let number = self.state(id, true)?;
            self.graph.nodes.get_mut(number)?.rows = label(title).into_iter().map(Row::Text).collect();
            return Some(());
        }
        match line.split_once(':') {
            Some((id, title)) => {
                let number = self.state(id.trim(), true)?;
                self.graph.nodes.get_mut(number)?.rows = label(title).into_iter().map(Row::Text).collect();
            }
            None => {
                self.state(line, true)?;
            }
        }
        Some(())
    }

    fn state(&mut self, id: &str, starts: bool) -> Option<usize> {
        let id = id.split(":::").next()?.trim();
        let is_name =
            !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let (key, node) = match (id, starts) {
            ("[*]", true) => (
                format!("start of {:?}", self.open),
                Node { rows: vec![Row::Text("●".to_owned())], bare: true },
            ),
            ("[*]", false) => (
                format!("end of {:?}", self.open),
                Node { rows: vec![Row::Text("◉".to_owned())], bare: true },
            ),
            _ if is_name => {
                (id.to_owned(), Node { rows: label(id).into_iter().map(Row::Text).collect(), bare: false })
            }
            _ => return None,
        };
        // An arrow to a state with states of its own leads to the first of them
        if let Some(group) =
            self.graph.groups.iter().position(|group| group.title == id && !group.members.is_empty())
        {
            return self.graph.groups.get(group)?.members.first().copied();
        }
        let number = match self.ids.get(&key) {
            Some(number) => *number,
            None => {
                self.graph.nodes.push(node);
                self.ids.insert(key, self.graph.nodes.len() - 1);
                self.graph.nodes.len() - 1
            }
        };
        for group in &self.open {
            if let Some(group) =
                self.graph.groups.get_mut(*group).filter(|group| !group.members.contains(&number))
            {
                group.members.push(number);
            }
        }
        (number < 200).then_some(number)
    }
}
