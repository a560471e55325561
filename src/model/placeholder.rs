//! `$text`, `$json` and `$yaml`: a mapping with one such key stands for the content of a file.
//!
//! Pure: [`find`] tells where they are and what they name, [`replace`] puts a value in their place.
//! Reading the targets belongs to the catalog. Source: Backstage, *Descriptor Format*, substitutions.

use crate::yaml::{Data, Node, Position, push_step};

/// How the content is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// As a text.
    Text,
    /// As a JSON value.
    Json,
    /// As the one document of a YAML stream.
    Yaml,
}

impl Form {
    /// Returns the key as it is written.
    pub fn key(self) -> &'static str {
        match self {
            Self::Text => "$text",
            Self::Json => "$json",
            Self::Yaml => "$yaml",
        }
    }
}

/// A placeholder in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// How to read the content.
    pub form: Form,
    /// What it names: an absolute URL or a path from the file; `None` when it is no text.
    pub target: Option<String>,
    /// JSON pointer of the mapping to replace.
    pub pointer: String,
    /// Where the target is written.
    pub start: Position,
    /// Characters the target takes, for a caret.
    pub width: u32,
}

/// Returns the form and the value of a node that is a placeholder.
pub fn of<'n, 'a>(node: &'n Node<'a>) -> Option<(Form, &'n Node<'a>)> {
    let [(key, value)] = node.as_mapping()? else { return None };
    let form = match key.as_str()? {
        "$text" => Form::Text,
        "$json" => Form::Json,
        "$yaml" => Form::Yaml,
        _ => return None,
    };
    Some((form, value))
}

/// Finds the placeholders of a document, in the order of the file.
///
/// A mapping with any key that begins with `$` is not descended into, as in Backstage.
pub fn find(node: &Node<'_>) -> Vec<Placeholder> {
    let mut found = Vec::new();
    walk(node, &mut Vec::new(), &mut found);
    found
}

/// One step on the way to a node; turned into text only where a placeholder is.
enum Step<'n, 'a> {
    Key(&'n Node<'a>),
    Index(usize),
}

fn walk<'n, 'a>(node: &'n Node<'a>, path: &mut Vec<Step<'n, 'a>>, found: &mut Vec<Placeholder>) {
    match &node.data {
        Data::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                walk(item, path, found);
                path.pop();
            }
        }
        Data::Mapping(entries) => {
            if entries.iter().any(|(key, _)| key.as_str().is_some_and(|key| key.starts_with('$'))) {
                found.extend(of(node).map(|(form, value)| Placeholder {
                    form,
                    target: value.as_str().map(str::to_owned),
                    pointer: pointer(path),
                    start: value.start,
                    width: value.width,
                }));
                return;
            }
            for (key, value) in entries {
                path.push(Step::Key(key));
                walk(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn pointer(path: &[Step<'_, '_>]) -> String {
    path.iter().fold(String::new(), |pointer, step| match step {
        Step::Key(key) => push_step(&pointer, &key.key_text()),
        Step::Index(index) => format!("{pointer}/{index}"),
    })
}

/// Puts a value in the place of a placeholder; returns whether the place was found.
///
/// Every part of the value takes the place of the placeholder, so that what is wrong in it is reported
/// where this document names it.
pub fn replace<'a>(root: &mut Node<'a>, placeholder: &Placeholder, mut value: Node<'a>) -> bool {
    let Some(slot) = root.at_pointer_mut(&placeholder.pointer) else { return false };
    move_to(&mut value, placeholder.start, placeholder.width);
    *slot = value;
    true
}

fn move_to(node: &mut Node<'_>, start: Position, width: u32) {
    node.start = start;
    node.width = width;
    match &mut node.data {
        Data::Sequence(items) => items.iter_mut().for_each(|item| move_to(item, start, width)),
        Data::Mapping(entries) => {
            for (key, value) in entries {
                move_to(key, start, width);
                move_to(value, start, width);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse_stream;

    #[test]
    fn finds_and_replaces() {
        let text = "spec:\n  definition:\n    $text: ./a.yaml\n  steps:\n    - $yaml: s.yaml\n    - $openapi: x\n  \
                    both: {$text: a, b: {$text: c}}\n  bad: {$json: [1]}\n";
        let mut node = parse_stream(text, &"x.yaml".into()).remove(0).content.unwrap().unwrap();
        let found = find(&node);
        let seen: Vec<_> = found
            .iter()
            .map(|p| (p.form.key(), p.target.as_deref(), p.pointer.as_str(), p.start.line))
            .collect();
        assert_eq!(
            seen,
            [
                ("$text", Some("./a.yaml"), "/spec/definition", 3),
                ("$yaml", Some("s.yaml"), "/spec/steps/0", 5),
                ("$json", None, "/spec/bad", 8),
            ]
        );
        let value = parse_stream("a: [1]", &"y.yaml".into()).remove(0).content.unwrap().unwrap();
        assert!(replace(&mut node, &found[1], value));
        let item = node.at_pointer("/spec/steps/0/a/0").unwrap();
        assert_eq!((item.start.line, &item.data), (5, &Data::Int(1)));
    }
}
