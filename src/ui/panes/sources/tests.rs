use super::*;
use crate::catalog::SourceState;
use crate::catalog::refresh::{Amount, Phase};
use crate::diagnostic::Diagnostic;
use crate::ui::panes::test_support::{lines, open, run, sample};
use jiff::Timestamp;

fn status(name: &str, phase: Phase) -> SourceStatus {
    let state = SourceState {
        name: name.into(),
        kind: "github",
        place: "https://github.com/shop".into(),
        read_at: Some(Timestamp::UNIX_EPOCH),
        entities: 1200,
        ..SourceState::default()
    };
    SourceStatus { state, phase, ..SourceStatus::default() }
}

fn world(width: u16) -> Context {
    let mut cx = sample(width, 30);
    cx.now = Timestamp::from_second(600).unwrap();
    let mut reading = status("forge", Phase::Reading);
    reading.amount = Some(Amount { done: 1240, total: Some(5000), unit: "repositories" });
    let mut failed = status("company", Phase::Idle);
    failed.state.error =
        Some(Diagnostic::error("source::network", "portal.example did not answer").hint("try later"));
    failed.next = Some(Timestamp::from_second(900).unwrap());
    cx.sources = vec![reading, failed].into();
    cx
}

#[test]
fn each_source_says_what_it_does() {
    let cx = world(120);
    let text = lines(open("sources", "", &cx).as_ref(), &cx).join("\n");
    for part in ["1,240 of 5,000", "stale: portal", "10m", "5m", "forge"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let text = lines(open("sources", "company", &cx).as_ref(), &cx).join("\n");
    assert!(text.contains("try later"), "{text}");
}

#[test]
fn keys_act_on_the_focused_source() {
    let cx = world(80);
    let mut pane = open("sources", "", &cx);
    let order = |order: Order| vec![Effect::Sources(order)];
    assert_eq!(run(pane.as_mut(), STOP, &cx), order(Order::Cancel("forge".into())));
    run(pane.as_mut(), id::DOWN, &cx);
    assert_eq!(run(pane.as_mut(), PAUSE, &cx), order(Order::Pause("company".into())));
    assert_eq!(pane.refresh_orders(&cx), [Order::Refresh("company".into())]);
    assert!(matches!(pane.availability(STOP, &cx), Availability::Disabled(_)));
}

#[test]
fn the_cursor_stays_on_its_source() {
    let mut cx = world(80);
    let mut pane = open("sources", "company", &cx);
    let mut sources = cx.sources.to_vec();
    sources.reverse();
    cx.sources = sources.into();
    pane.update(Input::CatalogChanged, &cx);
    assert_eq!(pane.refresh_orders(&cx), [Order::Refresh("company".into())]);
}
