//! Verdicts for machines: objects, SARIF, annotations.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::text::clean;
use crate::model::verdict::Verdict;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One document as scripts read it. Every field is always there; `empty` only when it is.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "scripts know the position in the stream by this name")]
pub struct Document<'a> {
    file: &'a str,
    document: u32,
    line: u32,
    #[serde(rename = "ref")]
    entity_ref: Option<&'a str>,
    valid: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    empty: bool,
    diagnostics: Vec<Found<'a>>,
    relations: Vec<Stated<'a>>,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    severity: Severity,
    code: &'static str,
    message: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    pointer: Option<&'a str>,
    hint: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Stated<'a> {
    r#type: &'static str,
    target: &'a str,
}

/// Returns the object of one document.
pub fn document(verdict: &Verdict) -> Document<'_> {
    Document {
        file: &verdict.file,
        document: verdict.document,
        line: verdict.line,
        entity_ref: verdict.entity_ref.as_deref(),
        valid: verdict.valid,
        empty: verdict.empty,
        diagnostics: verdict.diagnostics.iter().map(found).collect(),
        relations: verdict.relations.iter().map(|(r#type, target)| Stated { r#type, target }).collect(),
    }
}

fn found(diagnostic: &Diagnostic) -> Found<'_> {
    let place = diagnostic.location.as_ref();
    let known = |number: u32| (number > 0).then_some(number);
    Found {
        severity: diagnostic.severity,
        code: diagnostic.code,
        message: &diagnostic.message,
        line: place.and_then(|place| known(place.line)),
        column: place.and_then(|place| known(place.column)),
        pointer: diagnostic.pointer.as_deref(),
        hint: diagnostic.hint.as_deref(),
    }
}

/// Returns what people are told of a document. One that is something else altogether is said to be that,
/// instead of all the fields of an entity that it lacks.
pub fn for_people(verdict: &Verdict) -> Cow<'_, [Diagnostic]> {
    let lacks = |field: &str| {
        verdict
            .diagnostics
            .iter()
            .find(|d| d.code == "catalog::missing-field" && d.pointer.as_deref() == Some(field))
    };
    let (Some(first), Some(_)) = (lacks("/apiVersion"), lacks("/kind")) else {
        return Cow::Borrowed(&verdict.diagnostics);
    };
    let mut one = first.clone();
    one.code = "validate::not-an-entity";
    "the document is no entity: it has neither `apiVersion` nor `kind`".clone_into(&mut one.message);
    one.label = Some("starts here".to_owned());
    one.hint = Some("name the files or folders that hold descriptors to leave it out".to_owned());
    Cow::Owned(vec![one])
}

/// Returns the annotations of one document, one line each.
pub fn annotations(verdict: &Verdict) -> String {
    let mut out = String::new();
    for diagnostic in for_people(verdict).iter() {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let (line, column) = diagnostic.location.as_ref().map_or((verdict.line, 1), |l| (l.line, l.column));
        let file = property(&verdict.file);
        let mut message = clean(&diagnostic.message).into_owned();
        if let Some(hint) = &diagnostic.hint {
            message = format!("{message}\nhint: {}", clean(hint));
        }
        let _ = writeln!(
            out,
            "::{level} file={file},line={},col={},title={}::{}",
            line.max(1),
            column.max(1),
            property(diagnostic.code),
            data(&message)
        );
    }
    out
}

/// Escapes the text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the log for code scanning.
pub fn sarif(verdicts: &[Verdict]) -> Value {
    let found = || verdicts.iter().flat_map(|verdict| verdict.diagnostics.iter().map(move |d| (verdict, d)));
    let rules: BTreeMap<&str, Value> = found().map(|(_, d)| (d.code, json!({"id": d.code}))).collect();
    let results: Vec<Value> = found().map(|(verdict, diagnostic)| result(verdict, diagnostic)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "devportal",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(verdict: &Verdict, diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let (line, column) = diagnostic.location.as_ref().map_or((verdict.line, 1), |l| (l.line, l.column));
    let hint = diagnostic.hint.as_ref().map_or_else(String::new, |hint| format!(". Hint: {hint}"));
    json!({
        "ruleId": diagnostic.code,
        "level": level,
        "message": {"text": format!("{}{hint}", diagnostic.message)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&verdict.file)},
            "region": {"startLine": line.max(1), "startColumn": column.max(1)},
        }}],
    })
}

/// Escapes a path as a relative URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte as char);
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(message: &str) -> Verdict {
        Verdict {
            file: "a b,c.yaml".into(),
            document: 0,
            line: 3,
            entity_ref: None,
            valid: false,
            empty: false,
            diagnostics: vec![Diagnostic::error("x::y", message)],
            relations: vec![("ownedBy", "group:default/a".into())],
        }
    }

    #[test]
    fn an_annotation_cannot_be_broken_out_of() {
        let text = annotations(&verdict("50% off\n::error::fake\u{1b}[31m"));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with("::error file=a b%2Cc.yaml,line=3,col=1,title=x%3A%3Ay::50%25 off "),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn every_field_is_there_even_when_unknown() {
        let verdict = verdict("m");
        let value = serde_json::to_value(document(&verdict)).unwrap();
        let diagnostic = value["diagnostics"][0].as_object().unwrap();
        let keys: Vec<&str> = diagnostic.keys().map(String::as_str).collect();
        assert_eq!(keys.len(), 7, "{keys:?}");
        assert_eq!(value["relations"][0], json!({"type": "ownedBy", "target": "group:default/a"}));
        assert_eq!(value.get("empty"), None);
    }

    #[test]
    fn sarif_names_each_rule_once() {
        let log = sarif(&[verdict("m"), verdict("n")]);
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 1);
        let place = &log["runs"][0]["results"][1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b%2Cc.yaml");
    }
}
