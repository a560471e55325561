//! Journeys through the wizard, as lists of events; background work is answered by hand.

use super::*;
use crate::app::input::KeyCode;
use crate::app::templates::{KeptDraft, Opened};
use crate::scaffolder::form::suggest;
use crate::ui::panes::test_support::{lines, open, run, sample};

fn typed(pane: &mut dyn Pane, text: &str, cx: &Context) -> Vec<Effect> {
    text.chars().filter_map(|c| pane.key(Key::char(c), cx)).flatten().collect()
}

fn enter(pane: &mut dyn Pane, cx: &Context) -> Vec<Effect> {
    assert_eq!(pane.key(Key::plain(KeyCode::Enter), cx), None, "enter belongs to the command table");
    run(pane, commands::ENTER, cx)
}

fn shown(pane: &dyn Pane, cx: &Context) -> String {
    lines(pane, cx).join("\n")
}

fn orders(effects: &[Effect]) -> Vec<(Generation, &TemplateOrder)> {
    let order = |effect| match effect {
        &Effect::Templates { generation, ref order } => Some((generation, order)),
        _ => None,
    };
    effects.iter().filter_map(order).collect()
}

fn answer(pane: &mut dyn Pane, generation: Generation, answer: TemplateAnswer, cx: &Context) -> Vec<Effect> {
    pane.update(Input::Task(&TaskEvent::Template { generation, answer }), cx)
}

#[test]
fn a_mistake_is_told_at_its_field_and_going_back_is_free() {
    let cx = sample(80, 24);
    let mut pane = open(WIZARD, "new-service", &cx);
    assert!(shown(&*pane, &cx).contains("1 What is it?"), "{}", shown(&*pane, &cx));
    typed(&mut *pane, "No Good", &cx);
    assert!(!shown(&*pane, &cx).contains('✗'), "typing only edits: {}", shown(&*pane, &cx));
    enter(&mut *pane, &cx);
    assert!(shown(&*pane, &cx).contains('✗'), "{}", shown(&*pane, &cx));
    run(&mut *pane, commands::PREVIOUS, &cx);
    pane.key(Key::ctrl('u'), &cx);
    typed(&mut *pane, "wheel-builder", &cx);
    enter(&mut *pane, &cx);
    assert!(!shown(&*pane, &cx).contains('✗'), "{}", shown(&*pane, &cx));
}

#[test]
fn choices_are_looked_up_and_late_answers_dropped() {
    let cx = sample(80, 24);
    let mut pane = open(WIZARD, "new-service", &cx);
    typed(&mut *pane, "wheel-builder", &cx);
    enter(&mut *pane, &cx);
    enter(&mut *pane, &cx);
    typed(&mut *pane, "Builds wheels", &cx);
    let effects = enter(&mut *pane, &cx);
    let first = orders(&effects).into_iter().find_map(|(generation, order)| match order {
        TemplateOrder::Suggest(lookup) => Some((generation, lookup.0.clone())),
        _ => None,
    });
    let (old, lookup) = first.expect("the owner is looked up");
    let effects = typed(&mut *pane, "r", &cx);
    let newer = orders(&effects).last().map(|(generation, _)| *generation).expect("looked up again");
    let found = || TemplateAnswer::Choices(Ok(shared(suggest(&lookup, &cx.catalog, &cx.me.principal))));
    answer(&mut *pane, old, found(), &cx);
    assert!(!shown(&*pane, &cx).contains("> "), "late: {}", shown(&*pane, &cx));
    answer(&mut *pane, newer, found(), &cx);
    run(&mut *pane, commands::DOWN, &cx);
    assert!(shown(&*pane, &cx).contains("> "), "{}", shown(&*pane, &cx));
    enter(&mut *pane, &cx);
    assert!(shown(&*pane, &cx).contains("group:default/"), "{}", shown(&*pane, &cx));
}

#[test]
fn drafts_are_written_one_at_a_time_and_the_newest_last() {
    let cx = sample(80, 24);
    let mut pane = open(WIZARD, "new-job", &cx);
    let effects = typed(&mut *pane, "a", &cx);
    let (generation, order) = orders(&effects).remove(0);
    assert!(matches!(order, TemplateOrder::KeepDraft { .. }));
    assert_eq!(orders(&typed(&mut *pane, "bc", &cx)), []);
    let effects = answer(&mut *pane, generation, TemplateAnswer::DraftKept(Ok(())), &cx);
    let written = orders(&effects).into_iter().find_map(|(_, order)| match order {
        TemplateOrder::KeepDraft { draft, .. } => Some(draft.0.answers.get_attr("name").unwrap().to_string()),
        _ => None,
    });
    assert_eq!(written.as_deref(), Some("abc"));
}

fn opened(draft: Option<Draft>) -> TemplateAnswer {
    let kept =
        |draft| shared(KeptDraft { draft, pointer: String::new(), saved: jiff::Timestamp::UNIX_EPOCH });
    TemplateAnswer::Opened(Box::new(Opened {
        base: Base::Embedded("templates/new-job".to_owned()),
        facts: Facts::default(),
        draft: draft.map(kept),
        run: None,
        running: None,
    }))
}

#[test]
fn a_draft_is_offered_and_taken_up() {
    let cx = sample(80, 24);
    let spec = super::super::ALL.iter().find(|spec| spec.id == WIZARD).unwrap();
    let mut pane = (spec.open)("new-job", &cx).unwrap();
    let effects = pane.update(Input::Shown, &cx);
    let generation = orders(&effects).first().map(|(generation, _)| *generation).unwrap();
    let answers = Value::from_pairs([("name", Value::from("nightly-report"))]);
    let draft = Draft { answers, ..Draft::default() };
    let effects = answer(&mut *pane, generation, opened(Some(draft)), &cx);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Show(_))), "{effects:?}");
    pane.update(Input::Choice(commands::DRAFT, "continue"), &cx);
    assert!(shown(&*pane, &cx).contains("nightly-report"), "{}", shown(&*pane, &cx));
}

#[test]
fn nothing_is_created_while_answers_are_missing() {
    let cx = sample(120, 40);
    let mut pane = open(WIZARD, "new-service", &cx);
    run(&mut *pane, commands::REVIEW, &cx);
    assert!(shown(&*pane, &cx).contains("Missing or wrong"), "{}", shown(&*pane, &cx));
    assert_ne!(pane.availability(commands::CREATE, &cx), Availability::Available);
    let effects = run(&mut *pane, commands::CREATE, &cx);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Show(_))), "{effects:?}");
    // the first row is what is missing; it leads to its field
    run(&mut *pane, commands::ENTER, &cx);
    assert!(pane.is_typing());
}

#[test]
fn an_entity_is_filled_in_where_the_form_begins_with_one() {
    let cx = sample(120, 40);
    let pane = open(WIZARD, "add-alert-rules for component:default/checkout-api", &cx);
    assert!(shown(&*pane, &cx).contains("checkout-api"), "{}", shown(&*pane, &cx));
}

#[test]
fn draws_at_every_size() {
    for (width, height) in [(0, 0), (1, 1), (10, 3), (20, 5), (40, 10), (80, 24), (120, 40), (300, 100)] {
        let cx = sample(width, height);
        for template in ["new-service", "new-job", "rust-service", "add-alert-rules"] {
            let mut pane = open(WIZARD, template, &cx);
            shown(&*pane, &cx);
            run(&mut *pane, commands::REVIEW, &cx);
            shown(&*pane, &cx);
        }
    }
}
