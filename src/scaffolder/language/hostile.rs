//! Templates that want to loop for ever, fill the memory, or break the stack.

use super::{Dialect, Language};
use minijinja::Value;

fn render(template: &str) -> Result<String, String> {
    let context = Value::from_pairs([("values", Value::from_pairs([("list", Value::from(vec![1, 2, 3]))]))]);
    Language::new(Dialect::Backstage).text(template, &context).map_err(|error| error.message)
}

#[test]
fn ends_with_an_error() {
    let deep = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let cases = [
        ("long range", "${{ range(1000000000) }}".to_owned(), "the range is too long"),
        ("nested loops", "{% for a in range(5000) %}{% for b in range(5000) %}{% set x = a ~ b %}{% endfor %}{% endfor %}".to_owned(), "steps"),
        ("recursion", "{% macro f() %}${{ f() }}{% endmacro %}${{ f() }}".to_owned(), "nested deeper"),
        ("mutual recursion", "{% macro f() %}${{ g() }}{% endmacro %}{% macro g() %}${{ f() }}{% endmacro %}${{ f() }}".to_owned(), "nested deeper"),
        ("doubling text", "{% set a = 'xxxxxxxx' %}{% for i in range(60) %}{% set a = a ~ a %}{% endfor %}".to_owned(), "larger than"),
        ("doubling by join", "{% set a = 'xxxxxxxx' %}{% for i in range(60) %}{% set a = [a, a] | join %}{% endfor %}".to_owned(), "larger"),
        ("doubling list", "{% set a = [1] %}{% for i in range(60) %}{% set a = a.concat(a) %}{% endfor %}".to_owned(), "longer than"),
        ("doubling tree", "{% set a = [1] %}{% for i in range(90) %}{% set a = [a, a] %}{% endfor %}${{ a | dump }}".to_owned(), "steps"),
        ("doubling record", "{% set a = {} %}{% for i in range(90) %}{% set a = {x: a, y: a} %}{% endfor %}${{ a | dump }}".to_owned(), "steps"),
        ("deep list", "{% set a = [1] %}{% for i in range(900) %}{% set a = [a] %}{% endfor %}".to_owned(), "nested deeper"),
        ("deep list in place", "{% set a = [] %}{% set top = a %}{% for i in range(900) %}{% set b = [] %}{% set _ = a.push(b) %}{% set a = b %}{% endfor %}${{ top | dump }}".to_owned(), "nested deeper"),
        ("list in itself", "{% set a = [] %}{% set _ = a.push(a) %}".to_owned(), "into itself"),
        ("list in itself by a detour", "{% set a = [] %}{% set b = [a] %}{% set _ = a.push({x: b}) %}".to_owned(), "into itself"),
        ("padding", "${{ 'x'.padStart(900000000) }}".to_owned(), "larger than"),
        ("repeating", "${{ 'x'.repeat(900000000) }}".to_owned(), "larger than"),
        ("wide indent", "${{ 'x\\ny' | indent(900000000) }}".to_owned(), "too many"),
        ("exploding replacement", "{% set a = 'x'.repeat(8000000) %}${{ a | replace('x', a) }}".to_owned(), "larger than"),
        ("exploding pattern", "{% set a = 'x'.repeat(100000) %}${{ a | replace(r/x/g, a) }}".to_owned(), "larger"),
        ("long output", "{% set a = 'x'.repeat(1000000) %}{% for i in range(1000) %}${{ a }}{% endfor %}".to_owned(), "larger than"),
        ("catastrophic pattern", "${{ r/^(?:(a+)(?!x))+$/.test('a'.repeat(40) ~ '!') }}".to_owned(), "gave up"),
        ("deep parentheses", format!("${{{{ {} }}}}", deep("(", "1", ")", 20_000)), "nested deeper"),
        ("deep lists", format!("${{{{ {} }}}}", deep("[", "1", "]", 20_000)), "nested deeper"),
        ("many nots", format!("${{{{ {} 1 }}}}", "not ".repeat(20_000)), "nested deeper"),
        ("many signs", format!("${{{{ {} 1 }}}}", "- + ".repeat(20_000)), "nested deeper"),
        ("long sum", format!("${{{{ 1 {} }}}}", "+ 1 ".repeat(20_000)), "follow each other"),
        ("long product", format!("${{{{ 1 {} }}}}", "* 1 ".repeat(20_000)), "follow each other"),
        ("many members", format!("${{{{ a{} }}}}", ".a".repeat(20_000)), "follow each other"),
        ("many filters", format!("${{{{ a{} }}}}", "|upper".repeat(20_000)), "follow each other"),
        ("deep tags", deep("{% if 1 %}", "x", "{% endif %}", 20_000), "nested deeper"),
    ];
    for (name, template, message) in cases {
        let result = render(&template);
        assert!(result.as_ref().is_err_and(|error| error.contains(message)), "{name}: {result:?}");
    }
}

#[test]
fn goes_as_deep_as_people_do() {
    let nested = format!("${{{{ {}1{} }}}}", "(".repeat(40), ")".repeat(40));
    assert_eq!(render(&nested).as_deref(), Ok("1"));
    let tags = format!("{}x{}", "{% if 1 %}".repeat(30), "{% endif %}".repeat(30));
    assert_eq!(render(&tags).as_deref(), Ok("x"));
    let tree = "{% macro f(n) %}{% if n > 0 %}(${{ f(n - 1) }}){% endif %}{% endmacro %}${{ f(25) }}";
    assert_eq!(render(tree), Ok(format!("{}{}", "(".repeat(25), ")".repeat(25))));
    let sum = format!("${{{{ 'a' {} }}}}", "~ 'b' ".repeat(100));
    assert_eq!(render(&sum), Ok(format!("a{}", "b".repeat(100))));
}

#[test]
fn leaves_the_values_of_others_alone() {
    let list = Value::from(vec![3, 1, 2]);
    let context = Value::from_pairs([("list", list.clone())]);
    let language = Language::new(Dialect::Backstage);
    let text = language.text("{% set _ = list.sort() %}${{ list }}${{ list.pop() }}${{ list }}", &context);
    assert_eq!(text.as_deref(), Ok("1,2,331,2"));
    assert_eq!(list, Value::from(vec![3, 1, 2]));
}

/// Cuts and mixes the recorded templates; nothing may panic.
#[test]
fn survives_broken_templates() {
    let context = Value::from_pairs([("values", Value::from_pairs([("name", "x")]))]);
    for dialect in [Dialect::Backstage, Dialect::Cookiecutter] {
        let language = Language::new(dialect).with_trim(true, true);
        for line in include_str!("cases.jsonl").lines().skip(1) {
            let case: Value = serde_json::from_str(line).unwrap();
            let template = case.get_attr("template").unwrap();
            let template = template.as_str().unwrap_or_default();
            for (at, _) in template.char_indices().step_by(7) {
                let (start, end) = template.split_at(at);
                let _ = language.text(start, &context);
                let _ = language.text(end, &context);
                let _ = language.text(&format!("{end}{start}"), &context);
            }
        }
    }
}
