//! Verdicts for machines: objects, SARIF, annotations.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::text::clean;
use crate::model::verdict::Verdict;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Returns the object of one document.
pub fn document(verdict: &Verdict) -> Value {
    let mut value = json!({
        "file": &*verdict.file,
        "document": verdict.document,
        "line": verdict.line,
        "ref": verdict.entity_ref,
        "valid": verdict.valid,
        "diagnostics": verdict.diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
        "relations": verdict.relations.iter()
            .map(|(relation, target)| json!({"type": relation, "target": target}))
            .collect::<Vec<_>>(),
    });
    if verdict.empty {
        value["empty"] = true.into();
    }
    value
}

fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.location.as_ref();
    let known = |number: u32| (number > 0).then_some(number);
    json!({
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "line": place.and_then(|place| known(place.line)),
        "column": place.and_then(|place| known(place.column)),
        "pointer": diagnostic.pointer,
        "hint": diagnostic.hint,
    })
}

/// Returns the annotations of one document, one line each.
pub fn annotations(verdict: &Verdict) -> String {
    let mut out = String::new();
    for diagnostic in &verdict.diagnostics {
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
                out.push(byte as char)
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
        let value = document(&verdict("m"));
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
