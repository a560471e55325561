//! Values, conditions, warnings and places of errors.

use super::{Condition, Dialect, Language, Rendered, is_truthy};
use minijinja::Value;

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn context() -> Value {
    read(
        r#"{"parameters": {"name": "Shop", "n": 3, "on": true, "tags": ["a", "b"], "none": []}, "steps": {}}"#,
    )
}

fn value(written: &str) -> Rendered {
    Language::new(Dialect::Backstage).value(&read(written), &context())
}

#[test]
fn renders_all_texts_of_a_value() {
    let rendered = value(
        r#"{"name": "${{ parameters.name }}", "count": "${{ parameters.n }}", "tags": "${{ parameters.tags }}",
            "text": "n=${{ parameters.n }}", "gone": "${{ parameters.nope }}", "empty": "x${{ parameters.nope }}",
            "deep": [{"on": "${{ parameters.on }}"}, 5, null, "plain"], "${{ parameters.name }}": 1,
            "other": "{{ parameters.name }}"}"#,
    );
    let expected = r#"{"name": "Shop", "count": 3, "tags": ["a", "b"], "text": "n=3", "empty": "x",
        "deep": [{"on": true}, 5, null, "plain"], "${{ parameters.name }}": 1, "other": "{{ parameters.name }}"}"#;
    assert_eq!(rendered.value, read(expected));
    assert_eq!(rendered.warnings, []);
}

#[test]
fn leaves_what_does_not_render_and_warns() {
    let rendered =
        value(r#"{"a": {"b": "x\n ${{ parameters.a && 1 }}"}, "c": "${{ parameters.name | shout }}"}"#);
    assert_eq!(
        rendered.value,
        read(r#"{"a": {"b": "x\n ${{ parameters.a && 1 }}"}, "c": "${{ parameters.name | shout }}"}"#)
    );
    let shown: Vec<String> = rendered.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "/a/b:2:19: the text was not rendered: `&&` is not an operator of the template language (write `and`)",
            "/c:1:23: the text was not rendered: there is no filter `shout`",
        ]
    );
}

#[test]
fn warns_of_names_that_nothing_defines() {
    let rendered =
        value(r#"{"ref": "on ${{ github.ref }} and ${{ github.sha }}", "typo": "${{ paramters.name }}"}"#);
    assert_eq!(rendered.value, read(r#"{"ref": "on  and "}"#));
    let shown: Vec<String> = rendered
        .warnings
        .iter()
        .map(|warning| format!("{}:{} {}", warning.place, warning.column, warning.message))
        .collect();
    assert_eq!(
        shown,
        [
            "/ref:8 nothing defines `github`, so it renders as nothing",
            "/typo:5 nothing defines `paramters`, so it renders as nothing"
        ]
    );
}

#[test]
fn decides_conditions() {
    let language = Language::new(Dialect::Backstage);
    let decide = |written: &str, has_failed| language.condition(&read(written), &context(), has_failed);
    let cases = [
        ("\"${{ parameters.on }}\"", true),
        ("\"${{ parameters.none }}\"", false),
        ("\"${{ parameters.nope }}\"", false),
        ("\"${{ parameters.n - 3 }}\"", false),
        ("\"${{ parameters.name == 'Shop' and parameters.n > 2 }}\"", true),
        ("\"${{ parameters }}\"", true),
        ("\"${{ 'false' }}\"", true),
        ("\"\"", false),
        ("\"x ${{ parameters.nope }}\"", true),
        ("true", true),
        ("false", false),
        ("null", false),
        ("[]", false),
        ("{}", true),
    ];
    for (written, holds) in cases {
        assert_eq!(decide(written, false).holds, holds, "{written}");
    }
    let Condition { holds, asked_status, .. } = decide("\"${{ failure() }}\"", true);
    assert!(holds && asked_status);
    assert!(!decide("\"${{ failure() }}\"", false).holds);
    assert!(decide("\"${{ always() and parameters.on }}\"", true).asked_status);
    assert!(!decide("\"${{ parameters.on and always() if false }}\"", true).asked_status);
    let broken = decide("\"${{ a || b }}\"", false);
    assert!(broken.holds && broken.warnings.len() == 1);
}

#[test]
fn knows_what_is_true() {
    for (json, truth) in [
        ("0", false),
        ("\"\"", false),
        ("[]", false),
        ("null", false),
        ("{}", true),
        ("[0]", true),
        ("\"0\"", true),
        ("0.5", true),
    ] {
        assert_eq!(is_truthy(&read(json)), truth, "{json}");
    }
    assert!(!is_truthy(&Value::UNDEFINED));
}

#[test]
fn points_at_mistakes() {
    let cases = [
        ("a\n  ${{ values.x + }}", (2, 17), "the end of the tag stands where a value is expected", ""),
        ("${{ values.x", (1, 1), "an expression is opened here", "close it with `}}`"),
        ("é ${{ a & b }}", (1, 9), "`&` means nothing here", ""),
        ("${{ !a }}", (1, 5), "`!` is not an operator", "write `not`"),
        ("${{ a ? b : c }}", (1, 7), "`?` is not an operator", "write `a if condition else b`"),
        ("${{ a = b }}", (1, 7), "`=` stands where", "compare with `==`"),
        ("${{ 'a' | uper }}", (1, 11), "there is no filter `uper`", "did you mean `upper`?"),
        ("{% fro x in y %}", (1, 4), "there is no tag `fro`", "did you mean `for`?"),
        ("{% if a %}\nx", (1, 1), "`{% if %}` is never closed", "close it with `{% endif %}`"),
        (
            "{% if a %}{% endfor %}",
            (1, 11),
            "`{% endfor %}` closes nothing",
            "`{% endif %}` is expected first",
        ),
        ("{% include 'x' %}", (1, 1), "`{% include %}` has no other files", "one file at a time"),
        ("${#a[@]}", (1, 2), "a comment is opened here", "{% raw %}"),
        ("a #} b", (1, 3), "`#}` ends a comment", "{% raw %}"),
        ("{% raw %}x{%- endraw %}", (1, 1), "never closed", "without `-`"),
        ("${{ values.name.nope() }}", (1, 17), "`values.name.nope` is undefined", ""),
        ("${{ 1 is divisible(2) }}", (1, 10), "there is no test `divisible`", ""),
        ("${{ a if b else c if d else e }}", (1, 19), "`if` stands where", "parentheses"),
        ("${{ 'x }}", (1, 1), "an expression is opened here", "a quote inside may be open"),
    ];
    let language = Language::new(Dialect::Backstage);
    let context = read(r#"{"values": {"name": "x"}}"#);
    for (template, place, message, hint) in cases {
        let error = language.text(template, &context).unwrap_err();
        assert_eq!((error.line, error.column), place, "{template}: {}", error.message);
        assert!(error.message.contains(message), "{template}: {}", error.message);
        assert!(error.hint.contains(hint), "{template}: {}", error.hint);
    }
}
