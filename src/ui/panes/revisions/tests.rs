//! The places drive through questions, answers, rows and sizes.

use crate::app::Context;
use crate::app::commands::id;
use crate::app::event::{Effect, RevisionsAnswer, RevisionsQuestion, Shared, TaskEvent};
use crate::app::pane::{Input, Pane};
use crate::catalog::compare::{Comparison, End};
use crate::catalog::diff::diff;
use crate::catalog::history::{Change, Deed, History};
use crate::catalog::sources::revisions::Range;
use crate::catalog::testing::catalog;
use crate::ui::panes::test_support::{lines, open, run, sample};
use std::sync::Arc;

fn comparison() -> Comparison {
    let old = catalog("kind: Component\nname: checkout\nowner: a\n---\nkind: API\nname: gone\n");
    let new = catalog("kind: Component\nname: checkout\nowner: b\n---\nkind: API\nname: \"\\e[31mnew\"\n");
    let end = |revision: &str| End { revision: Some(revision.to_owned()), ..End::default() };
    Comparison { range: Range::parse("a..b").unwrap(), from: end("a"), to: end("b"), diff: diff(&old, &new) }
}

fn history(entity_ref: &str) -> History {
    let change = |commit: &str, subject: &str| Change {
        commit: Some(commit.repeat(40)),
        author: "Jo \u{1b}[31m".to_owned(),
        email: "jo@example.com".to_owned(),
        date: None,
        seconds: None,
        subject: subject.to_owned(),
        change: Deed::Changed,
        file: "a.yaml".to_owned(),
        moved_from: None,
        fields: Vec::new(),
        more_fields: 0,
        lines: "@@ -1 +1 @@\n-owner: a\n+owner: b\n".to_owned(),
    };
    History {
        entity_ref: entity_ref.to_owned(),
        changes: vec![change("b", "second"), change("a", "first")],
        ..History::default()
    }
}

fn answered(place: &str, argument: &str, answer: RevisionsAnswer, cx: &Context) -> Box<dyn Pane> {
    let mut pane = open(place, argument, cx);
    pane.update(Input::CatalogChanged, cx);
    let effects = pane.update(Input::Shown, cx);
    let [Effect::Revisions { generation, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let task = TaskEvent::Revisions { generation: *generation, result: Ok(answer) };
    pane.update(Input::Task(&task), cx);
    pane
}

#[test]
fn a_comparison_is_asked_for_and_shown() {
    let cx = sample(120, 40);
    let answer = RevisionsAnswer::Compared(Shared(Arc::new(comparison())));
    let mut pane = answered("diff", "a..b", answer, &cx);
    let screen = lines(&*pane, &cx).join("\n");
    for word in ["a → b", "+ added", "- removed", "~ changed", "spec.owner", "~ owner"] {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
    assert!(!screen.contains('\u{1b}'));
    assert_eq!(pane.place().to_string(), "diff a..b");
    run(&mut *pane, id::BOTTOM, &cx);
    run(&mut *pane, id::LAYOUT, &cx);
    run(&mut *pane, id::LAYOUT, &cx);
    assert!(pane.step_back(&cx).is_some());
    assert!(pane.step_back(&cx).is_none());
}

#[test]
fn enter_on_a_commit_shows_its_lines() {
    let cx = sample(80, 24);
    let entity = cx.catalog.entities().next().unwrap().entity_ref().to_owned();
    let mut asking = open("history", &entity, &cx);
    asking.update(Input::CatalogChanged, &cx);
    let effects = asking.update(Input::Shown, &cx);
    let asked = RevisionsQuestion::History(entity.clone());
    assert!(matches!(&effects[0], Effect::Revisions { question, .. } if *question == asked));
    let answer = RevisionsAnswer::History(Shared(Arc::new(history(&entity))));
    let mut pane = answered("history", &entity, answer, &cx);
    let screen = lines(&*pane, &cx).join("\n");
    assert!(screen.contains("second") && !screen.contains("+owner: b"), "{screen}");
    run(&mut *pane, id::DOWN, &cx);
    assert!(run(&mut *pane, id::OPEN, &cx).is_empty());
    let screen = lines(&*pane, &cx).join("\n");
    assert!(screen.contains("first") && screen.contains("+owner: b"), "{screen}");
    assert_eq!(pane.subjects(&cx)[0].name, "a".repeat(40));
    pane.step_back(&cx);
    assert!(lines(&*pane, &cx).join("\n").contains("second"));
}

#[test]
fn failures_are_told_and_late_answers_dropped() {
    let cx = sample(80, 24);
    let mut pane = open("diff", "", &cx);
    let late = TaskEvent::Revisions {
        generation: crate::app::event::Generation(u64::MAX),
        result: Err("late".to_owned()),
    };
    pane.update(Input::Task(&late), &cx);
    assert!(lines(&*pane, &cx).join("\n").contains("comparing"));
    pane.update(Input::CatalogChanged, &cx);
    let effects = pane.update(Input::Shown, &cx);
    let Effect::Revisions { generation, .. } = effects[0] else { panic!() };
    pane.update(
        Input::Task(&TaskEvent::Revisions { generation, result: Err("no such `x`".to_owned()) }),
        &cx,
    );
    assert!(lines(&*pane, &cx).join("\n").contains("no such `x`"));
}

#[test]
fn no_size_is_too_small() {
    let big = sample(200, 60);
    let mut pane = answered("diff", "", RevisionsAnswer::Compared(Shared(Arc::new(comparison()))), &big);
    for (width, height) in [(0, 0), (1, 1), (20, 5), (80, 24), (100, 3), (300, 100)] {
        let cx = sample(width, height);
        pane.update(Input::Shown, &cx);
        for command in [id::LAYOUT, id::REGION_NEXT, id::BOTTOM, id::PREVIEW_DOWN, id::TOP] {
            run(&mut *pane, command, &cx);
            let _ = lines(&*pane, &cx);
        }
    }
}
