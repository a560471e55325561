use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Atom {
    let filter = Filter::parse(text).unwrap();
    assert_eq!(filter.terms().len(), 1, "{text}");
    filter.terms()[0].any[0].clone()
}

fn plain(text: &str, anchor: Anchor) -> Atom {
    Atom::Word { text: text.into(), case_sensitive: false, anchor }
}

fn field(key: Key, values: &[&str]) -> Atom {
    Atom::Field { key, values: values.iter().map(|v| (*v).to_owned()).collect() }
}

#[test]
fn reads_every_form() {
    let cases = [
        ("pay", plain("pay", Anchor::Anywhere)),
        ("Pay", Atom::Word { text: "Pay".into(), case_sensitive: true, anchor: Anchor::Anywhere }),
        ("\"a phrase\"", plain("a phrase", Anchor::Anywhere)),
        ("^pay", plain("pay", Anchor::Start)),
        ("pay$", plain("pay", Anchor::End)),
        ("^pay$", plain("pay", Anchor::Whole)),
        ("^", plain("^", Anchor::Anywhere)),
        ("a\\ b", plain("a b", Anchor::Anywhere)),
        ("~pmt", Atom::Fuzzy("pmt".into())),
        ("/a b\\/c/", Atom::Regex { pattern: "a b/c".into(), case_sensitive: false }),
        ("kind:API", field(Key::Kind, &["api"])),
        ("kind:component,api", field(Key::Kind, &["component", "api"])),
        ("OWNER:", field(Key::Owner, &[])),
        ("owner:\"team a\",b", field(Key::Owner, &["team a", "b"])),
        ("component:checkout", field(Key::Ref("component".into()), &["checkout"])),
        (
            "metadata.annotations.github.com/project-slug:acme/*",
            field(Key::Path("metadata.annotations.github.com/project-slug".into()), &["acme/*"]),
        ),
        ("dependson:ledger", field(Key::Relation("dependsOn"), &["ledger"])),
        ("is:mine", Atom::Is(State::Mine)),
        ("tags>2", Atom::Compare { count: Count::Tags, op: Op::Greater, value: 2 }),
        ("relations<=10", Atom::Compare { count: Count::Relations, op: Op::LessOrEqual, value: 10 }),
        ("https://example.com", plain("https://example.com", Anchor::Anywhere)),
        ("a=b", plain("a=b", Anchor::Anywhere)),
    ];
    for (text, expected) in cases {
        assert_eq!(one(text), expected, "{text}");
    }
}

#[test]
fn terms_have_signs_alternatives_and_spans() {
    let filter = Filter::parse("  !pay|kind:api -is:orphan -l a=b,c x").unwrap();
    let shape: Vec<_> = filter.terms().iter().map(|t| (t.span.clone(), t.negated, t.any.len())).collect();
    assert_eq!(shape, [(2..15, true, 2), (16..26, true, 1), (27..35, false, 1), (36..37, false, 1)]);
    assert!(Filter::parse("   ").unwrap().is_empty());
}

#[test]
fn mistakes_have_a_place_a_reason_and_a_way_out() {
    let cases = [
        ("knd:api", 0..3, "not a known key", Some("did you mean `kind`?")),
        ("a is:brokn", 5..10, "not a known state", None),
        ("restarts>3", 0..8, "not a known count", None),
        ("tags>x", 5..6, "whole number", None),
        ("\"open", 0..5, "not closed", None),
        ("/open", 0..5, "not closed", None),
        ("/(/", 0..3, "does not parse", None),
        ("!", 0..1, "nothing stands behind `!`", None),
        ("a|", 1..2, "nothing stands behind `|`", None),
        ("|a", 0..1, "nothing stands before `|`", None),
        ("-l", 0..2, "needs a label selector", None),
        ("x -l a=b,,c", 9..10, "empty", None),
    ];
    for (text, span, message, hint) in cases {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.span, span, "{text}");
        assert!(error.message.contains(message), "{text}: {}", error.message);
        if hint.is_some() {
            assert_eq!(error.hint.as_deref(), hint);
        }
    }
}

#[test]
fn a_diagnostic_underlines_the_mistake() {
    let text = "é knd:api";
    let shown = Filter::parse(text).unwrap_err().to_diagnostic(text).render();
    assert!(shown.contains("1 | é knd:api\n      ^^^\n"), "{shown}");
}

proptest! {
    #[test]
    fn never_panics_and_points_inside(text in r#"([a-z:|!~^$,/\\" .*>=()é-]|kind:|is:|-l |tags>){0,24}"#) {
        match Filter::parse(&text) {
            Ok(filter) => {
                for term in filter.terms() {
                    prop_assert!(text.get(term.span.clone()).is_some());
                }
                let _ = filter.highlights("Some Text: é ß");
            }
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some());
                let _ = error.to_diagnostic(&text).render();
            }
        }
    }
}
