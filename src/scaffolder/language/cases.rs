//! Expressions, filters, tags and white space against what Backstage makes of them.
//!
//! `cases.jsonl` holds a context in its first line, then a case a line: a template and its recorded result, or
//! that it is an error. Differences on purpose are listed in [`DIFFERENT`] and in `docs/templates.md`.

use super::{Dialect, Language};
use minijinja::Value;

const CASES: &str = include_str!("cases.jsonl");

/// Templates that we treat otherwise on purpose, and what we make of them.
const DIFFERENT: &[(&str, &str)] = &[
    // Methods may be given more than they take, as in JavaScript
    ("${{ values.name.split(1,2,3) }}", "\"Checkout API\""),
    ("${{ values.name.trim('x') }}", "\"Checkout API\""),
    // White space may stand before the first case, and there may be none, as in Nunjucks
    ("{% switch 1 %}\n{% case 1 %}a\n{% endswitch %}", "\"a\\n\""),
    ("{% switch 1 %}{% endswitch %}", "\"\""),
];

/// What we make of a case, written as JSON; `error` and `undefined` stand for themselves.
fn outcome(case: &Value, context: &Value) -> String {
    let is_set = |name: &str| case.get_attr(name).unwrap().is_true();
    let template = case.get_attr("template").unwrap();
    let template = template.as_str().unwrap();
    let dialect = if is_set("cookiecutterCompat") { Dialect::Cookiecutter } else { Dialect::Backstage };
    let language = Language::new(dialect).with_trim(is_set("trimBlocks"), is_set("lstripBlocks"));
    let result = if is_set("mode") {
        language.native(template, context, false, &mut super::Findings::default())
    } else {
        language.text(template, context).map(Value::from)
    };
    match result {
        Ok(value) => super::json::stringify(&value, "").unwrap_or_else(|| "undefined".to_owned()),
        Err(error) => format!("error {}:{} {error}", error.line, error.column),
    }
}

fn expected(case: &Value) -> String {
    let is_error = case.get_attr("error").unwrap().is_true();
    let result = super::json::stringify(&case.get_attr("result").unwrap(), "");
    if is_error { "error".to_owned() } else { result.unwrap_or_else(|| "undefined".to_owned()) }
}

#[test]
fn agrees_with_recorded_results() {
    let mut lines = CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let context = lines.next().unwrap().get_attr("context").unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in lines {
        count += 1;
        let own = case.get_attr("context").ok().filter(|own| !own.is_undefined());
        let outcome = outcome(&case, own.as_ref().unwrap_or(&context));
        let template = case.get_attr("template").unwrap();
        let known = DIFFERENT.iter().find(|(known, _)| Some(*known) == template.as_str());
        let expected = known.map_or_else(|| expected(&case), |(_, ours)| (*ours).to_owned());
        let agrees = if expected == "error" { outcome.starts_with("error") } else { outcome == expected };
        if !agrees {
            wrong.push(format!("{case}\n    is {outcome}\n   not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 1_000, "only {count} cases");
}
