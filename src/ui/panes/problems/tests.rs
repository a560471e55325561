use super::*;
use crate::ui::panes::test_support::{lines, open, run, yaml};

const YAML: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
spec:
  type: service
  lifecycle: production
  owner: nobody-here
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Not A Name
spec:
  type: service
  lifecycle: production
  owner: nobody-here
";

fn typed(pane: &mut dyn Pane, text: &str, cx: &Context) {
    run(pane, id::FILTER, cx);
    for c in text.chars() {
        pane.key(Key::char(c), cx);
    }
    pane.key(Key::plain(KeyCode::Enter), cx);
}

#[test]
fn lists_the_worst_first_with_counts_in_the_title() {
    let cx = yaml(YAML, 140, 30);
    let pane = open("problems", "", &cx);
    assert_eq!(cx.catalog.diagnostics()[0].severity, Severity::Error);
    assert!(pane.heading(&cx).count.contains("error"), "{}", pane.heading(&cx).count);
    let text = lines(pane.as_ref(), &cx);
    assert!(text.iter().any(|line| line.contains("✗ error")), "{}", text.join("\n"));
    assert!(text.iter().any(|line| line.contains('^')), "{}", text.join("\n"));
}

#[test]
fn narrows_while_typing_and_esc_shows_all_again() {
    let cx = yaml(YAML, 100, 30);
    let mut pane = open("problems", "", &cx);
    let all = pane.heading(&cx).count;
    typed(pane.as_mut(), "no such words", &cx);
    assert!(pane.heading(&cx).count.starts_with("0 of "));
    assert!(lines(pane.as_ref(), &cx).join("\n").contains("the filter hides"));
    assert!(pane.step_back(&cx).is_some());
    assert_eq!(pane.heading(&cx).count, all);
    assert!(pane.step_back(&cx).is_none());
}

#[test]
fn opens_from_a_place_line_with_its_filter() {
    let cx = yaml(YAML, 80, 24);
    let pane = open("problems", "severity:error", &cx);
    assert_eq!(pane.place().to_string(), "problems severity:error");
    assert!(!pane.subjects(&cx).is_empty());
}

#[test]
fn enter_goes_to_the_entity_or_to_the_line() {
    let cx = yaml(YAML, 80, 24);
    let mut pane = open("problems", "", &cx);
    for row in 0..cx.catalog.diagnostics().len() {
        let effects = run(pane.as_mut(), id::OPEN, &cx);
        match &cx.catalog.diagnostics()[row].entity {
            Some(entity) => {
                assert_eq!(effects, [Effect::Open(Place::with(ENTITY, entity.as_str()))]);
            }
            None => assert!(matches!(effects.as_slice(), [Effect::Edit { .. }]), "{effects:?}"),
        }
        run(pane.as_mut(), id::DOWN, &cx);
    }
}

#[test]
fn marks_stay_on_the_same_problems_when_the_order_changes() {
    let cx = yaml(YAML, 80, 24);
    let mut pane = open("problems", "", &cx);
    run(pane.as_mut(), id::MARK, &cx);
    let before = pane.subjects(&cx);
    run(pane.as_mut(), id::SORT_RIGHT, &cx);
    pane.update(Input::Choice(id::SORT, "where"), &cx);
    assert_eq!(pane.subjects(&cx), before);
    assert_eq!(pane.heading(&cx).marked, 1);
}

#[test]
fn a_place_keeps_its_line_when_it_is_cut() {
    let at = crate::diagnostic::SourceLocation::at("legacy/invoice-importer/catalog-info.yaml", 28, 5);
    assert_eq!(short_place(&at, 60), "legacy/invoice-importer/catalog-info.yaml:28");
    assert_eq!(short_place(&at, 12), "…nfo.yaml:28");
    assert_eq!(short_place(&at, 1), "…");
}

#[test]
fn the_detail_never_leaves_its_width() {
    let diagnostic = Diagnostic::error("x::y", "a long message about a thing that is wrong ".repeat(5))
        .at(crate::diagnostic::SourceLocation::at("a/very/long/path/catalog-info.yaml", 12, 300))
        .snippet("x".repeat(400), 30, "spaces are not allowed here")
        .hint("write it in another way");
    let cx = Context::new(&[]);
    for width in [1, 8, 20, 61, 300] {
        for line in detail::lines(&cx, &diagnostic, width) {
            let text: String = line.iter().map(|span| span.text.as_str()).collect();
            let is_free = text.starts_with("✗") || text.contains("what to do");
            assert!(crate::model::text::width(&text) <= width.max(8) || is_free, "{width}: {text:?}");
        }
    }
}
