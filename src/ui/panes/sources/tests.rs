use super::*;
use crate::app::event::{BackendOrder, Event, TaskEvent};
use crate::app::input::{Key, KeyCode};
use crate::app::{App, overlay::OverlayKind};
use crate::catalog::SourceState;
use crate::catalog::refresh::{Amount, Phase};
use crate::catalog::sources::Registered;
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

fn with_backend() -> Context {
    let mut cx = world(120);
    let mut backend = status("portal", Phase::Idle);
    backend.state.kind = "backstage";
    cx.sources = cx.sources.iter().cloned().chain([backend]).collect();
    cx
}

#[test]
fn a_location_is_registered_after_seeing_what_it_brings() {
    let mut app = App::new(with_backend(), "sources");
    let now = Timestamp::from_second(600).unwrap();
    let target = "https://git.example.com/new/catalog-info.yaml";
    app.update(Event::Resize(120, 30), now);
    app.update(Event::Key(Key::char('a')), now);
    assert_eq!(app.overlays.last().unwrap().kind, OverlayKind::Prompt(REGISTER));
    app.update(Event::Paste("no address".into()), now);
    let said = app.update(Event::Key(Key::plain(KeyCode::Enter)), now);
    assert!(!said.iter().any(|effect| matches!(effect, Effect::Backend(_))), "{said:?}");
    assert!(app.toast.as_ref().unwrap().1.contains("copy it from the browser"));
    app.update(Event::Key(Key::char('a')), now);
    app.update(Event::Paste(target.into()), now);
    let asked = app.update(Event::Key(Key::plain(KeyCode::Enter)), now);
    let (source, target) = ("portal".to_owned(), target.to_owned());
    let order = BackendOrder::TryRegister { source: source.clone(), target: target.clone() };
    assert!(asked.contains(&Effect::Backend(order)), "{asked:?}");
    let entities = vec!["component:default/new".to_owned(), "api:default/new".to_owned()];
    let plan = Registered { entities, exists: false };
    let answer = TaskEvent::Registrable { source: source.clone(), target: target.clone(), plan };
    app.update(Event::Task(answer), now);
    let mut buf = Buffer::empty(Rect::new(0, 0, 120, 30));
    crate::ui::draw(&app, &mut buf);
    let text = crate::ui::text::text_of(&buf).join("\n");
    for part in ["source: portal", &target, "2 entities come from it", "component:default/new"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let done = app.update(Event::Key(Key::plain(KeyCode::Enter)), now);
    assert_eq!(done, [Effect::Backend(BackendOrder::Register { source, target })]);
    assert!(app.overlays.is_empty());
}

#[test]
fn what_is_registered_already_says_so() {
    let plan = Registered { entities: Vec::new(), exists: true };
    let overlay = backend::plan("portal", "https://x.example/y.yaml", &plan);
    assert_eq!(overlay.title, "registered already");
    assert_eq!(overlay.focused().unwrap().label, "have it read again");
}

#[test]
fn without_a_backend_there_is_nobody_to_register_at() {
    let cx = world(80);
    let pane = open("sources", "", &cx);
    assert!(
        matches!(pane.availability(REGISTER, &cx), Availability::Disabled(why) if why.contains("backstage"))
    );
    let cx = with_backend();
    assert_eq!(open("sources", "", &cx).availability(REGISTER, &cx), Availability::Available);
}

#[test]
fn an_entity_of_another_source_says_why_no_backend_is_asked() {
    let cx = world(80);
    let canonical = cx.catalog.ref_of(cx.catalog.ids().next().unwrap()).to_owned();
    let why = backend::refresh(&cx, &[Subject::entity(&cx, &canonical)]).unwrap_err();
    assert!(why.contains("no Backstage backend"), "{why}");
    let mut app = App::new(cx, &canonical);
    let said = app.update(Event::Run(id::REFRESH_REMOTE), Timestamp::UNIX_EPOCH);
    assert!(!said.iter().any(|effect| matches!(effect, Effect::Backend(_))), "{said:?}");
}
