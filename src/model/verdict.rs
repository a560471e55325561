//! The verdict on every document of a file, as `validate` prints it.
//!
//! Start at [`validate_bytes`]. Pure: files that placeholders name are read by the caller's function.

use super::descriptor::{self, Checked, Origin};
use super::placeholder::{self, Placeholder};
use super::relation;
use super::value::ValueRef;
use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::{self, Document, Node, Source};
use std::sync::Arc;

/// What is known about one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The file as it was named.
    pub file: Arc<str>,
    /// 0-based position in the stream, empty documents counted.
    pub document: u32,
    /// 1-based line of its first content.
    pub line: u32,
    /// Canonical ref; `None` when the envelope is broken.
    pub entity_ref: Option<String>,
    /// Whether Backstage's own model accepts it.
    pub valid: bool,
    /// Whether there is nothing in it.
    pub empty: bool,
    /// Everything wrong; an invalid document has at least one error.
    pub diagnostics: Vec<Diagnostic>,
    /// Type and canonical target of the relations that the document itself states, sorted, each once;
    /// none when it is invalid.
    pub relations: Vec<(&'static str, String)>,
}

/// What a placeholder turned out to name.
#[derive(Debug)]
pub enum Resolved {
    /// The value to put in its place.
    Value(Node<'static>),
    /// It stays as it is; an error makes the document invalid, a warning does not.
    Kept(Box<Diagnostic>),
}

/// Judges every document of a file; a file that is no text has one verdict.
pub fn validate_bytes(
    file: &Arc<str>,
    bytes: &[u8],
    origin: Origin,
    resolve: &mut dyn FnMut(&Placeholder, &Source<'_>) -> Resolved,
) -> Vec<Verdict> {
    let (text, mut odd_byte) = match yaml::decode_lossy(bytes, file) {
        Ok(decoded) => decoded,
        Err(diagnostic) => {
            let line = diagnostic.location.as_ref().map_or(1, |location| location.line.max(1));
            return vec![Verdict { diagnostics: vec![*diagnostic], ..Verdict::unknown(file, 0, line) }];
        }
    };
    let source = Source::new(&text, file);
    let documents = yaml::parse_source(&source).into_iter();
    let mut verdicts: Vec<Verdict> =
        documents.map(|document| judge(document, &source, origin, resolve)).collect();
    // told with the document it stands in: the last one that begins above it
    let line = odd_byte.as_ref().and_then(|found| found.location.as_ref()).map_or(1, |place| place.line);
    let at = verdicts.iter().rposition(|verdict| verdict.line <= line).unwrap_or(0);
    if let (Some(verdict), Some(found)) = (verdicts.get_mut(at), odd_byte.take()) {
        verdict.diagnostics.push(*found);
    }
    verdicts
}

fn judge(
    document: Document<'_>,
    source: &Source<'_>,
    origin: Origin,
    resolve: &mut dyn FnMut(&Placeholder, &Source<'_>) -> Resolved,
) -> Verdict {
    let blank = Verdict::unknown(&source.file, document.index, document.line);
    match document.content {
        Err(diagnostic) => Verdict { diagnostics: vec![*diagnostic], ..blank },
        Ok(None) => Verdict { valid: true, empty: true, ..blank },
        Ok(Some(mut node)) => {
            let mut kept = Vec::new();
            for found in placeholder::find(&node) {
                match resolve(&found, source) {
                    Resolved::Value(value) => {
                        placeholder::replace(&mut node, &found, value);
                    }
                    Resolved::Kept(diagnostic) => kept.push(*diagnostic),
                }
            }
            let mut checked = descriptor::check_from(&node, source, origin);
            checked.diagnostics.append(&mut kept);
            blank.with(checked, &node)
        }
    }
}

impl Verdict {
    fn unknown(file: &Arc<str>, document: u32, line: u32) -> Self {
        Self {
            file: file.clone(),
            document,
            line,
            entity_ref: None,
            valid: false,
            empty: false,
            diagnostics: Vec::new(),
            relations: Vec::new(),
        }
    }

    fn with(mut self, checked: Checked, node: &Node<'_>) -> Self {
        self.diagnostics = checked.diagnostics;
        for diagnostic in &mut self.diagnostics {
            // The catalog shows kinds it does not know; here the verdict is what counts
            if diagnostic.code == "catalog::unknown-kind" {
                diagnostic.severity = Severity::Error;
            }
        }
        self.valid = checked.valid && !self.diagnostics.iter().any(Diagnostic::is_error);
        self.entity_ref = checked.entity_ref.filter(|_| checked.envelope).map(|entity| entity.to_string());
        if self.valid {
            let packed = node.to_packed();
            let stated = relation::stated(ValueRef::new(&packed));
            self.relations = stated.iter().map(|s| (s.relation, s.target.to_string())).collect();
            // An entity that names itself is at both ends
            let own = |target: &str| self.entity_ref.as_deref() == Some(target);
            let back = |(kind, target): &(&'static str, String)| {
                own(target).then(|| relation::reverse(kind).map(|kind| (kind, target.clone()))).flatten()
            };
            let back: Vec<_> = self.relations.iter().filter_map(back).collect();
            self.relations.extend(back);
            self.relations.sort_unstable();
            self.relations.dedup();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(text: &str) -> Vec<Verdict> {
        let mut resolve = |found: &Placeholder, _: &Source<'_>| match found.target.as_deref() {
            Some("good") => {
                let mut documents = yaml::parse_stream("text", &"t".into());
                Resolved::Value(documents.remove(0).content.unwrap().unwrap().into_owned())
            }
            Some("far") => Resolved::Kept(Box::new(Diagnostic::warning("x::far", "not fetched"))),
            _ => Resolved::Kept(Box::new(Diagnostic::error("x::lost", "not found"))),
        };
        validate_bytes(&"x.yaml".into(), text.as_bytes(), Origin::File, &mut resolve)
    }

    fn api(definition: &str) -> String {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: A}}\nspec: {{type: t, lifecycle: l, owner: \
             user:o, system: S, definition: {definition}}}\n"
        )
    }

    #[test]
    fn every_document_has_its_verdict() {
        let text = format!("# c\n---\n{}---\n---\na: [\n---\na: 1\n", api("x"));
        let found: Vec<_> = verdicts(&text)
            .into_iter()
            .map(|v| (v.document, v.line, v.valid, v.empty, v.entity_ref, v.diagnostics.is_empty()))
            .collect();
        assert_eq!(
            found,
            [
                (0, 3, true, false, Some("api:default/a".into()), true),
                (1, 7, true, true, None, true),
                (2, 9, false, false, None, false),
                (3, 11, false, false, None, false),
            ]
        );
    }

    #[test]
    fn relations_are_sorted_and_only_of_valid_documents() {
        let relations = |text: &str| verdicts(text).remove(0).relations;
        assert_eq!(
            relations(&api("x")),
            [("ownedBy", "user:default/o".to_owned()), ("partOf", "system:default/s".to_owned())]
        );
        assert_eq!(relations(&api("3")), []);
    }

    #[test]
    fn placeholders_are_judged_by_what_they_name() {
        for (definition, valid) in [
            ("{$text: good}", true),
            ("{$text: far}", true),
            ("{$text: lost}", false),
            ("{$other: a}", false),
        ] {
            assert_eq!(verdicts(&api(definition)).remove(0).valid, valid, "{definition}");
        }
    }

    #[test]
    fn an_invalid_document_always_says_why() {
        for text in ["a", "[]", "a: 1", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}", "\u{1}: \u{0}"] {
            for verdict in verdicts(text) {
                assert!(verdict.valid || verdict.diagnostics.iter().any(Diagnostic::is_error), "{text}");
            }
        }
    }
}
