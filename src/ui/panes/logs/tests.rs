use super::*;
use crate::app::event::{Shared, TaskEvent};
use crate::app::input::{KeyCode, parse_script};
use crate::app::{App, Event};
use crate::kubernetes::logs::{Level, Line, LineKind, LogSource, SourceState, Stream};
use crate::kubernetes::{Kind, ObjectRef};
use crate::ui::panes::test_support::sample;
use crate::ui::text::text_of;
use jiff::Timestamp;
use std::sync::Arc;

/// The application at the logs of a service, with a stream that a test pushes to. No cluster, no thread.
struct World {
    app: App,
    stream: Arc<Stream>,
    size: (u16, u16),
    /// What a terminal would have to do.
    left: Vec<Effect>,
}

fn now() -> Timestamp {
    "2026-11-22T12:10:00Z".parse().unwrap()
}

fn source(tag: &str, pod: &str, container: &str) -> LogSource {
    let pod =
        ObjectRef { cluster: "prod-eu".into(), kind: Kind::Pod, namespace: "shop".into(), name: pod.into() };
    let (tag, container) = (tag.into(), container.into());
    LogSource { tag, pod, container, is_previous: false, state: SourceState::Following, lines: 0 }
}

impl World {
    fn new(width: u16, height: u16) -> Self {
        let mut world = Self::opening(width, height);
        world.stream.set_status(|status| {
            status.sources =
                Arc::new([source("a1", "checkout-a1", "app"), source("b7", "checkout-b7", "app")]);
            status.is_following = true;
        });
        let stream = Shared(world.stream.clone());
        let generation = world.asked();
        world.task(TaskEvent::LogsOpened { generation, stream });
        world
    }

    /// The stream is asked for and not there yet.
    fn opening(width: u16, height: u16) -> Self {
        let app = App::new(sample(width, height), "logs checkout-api");
        let mut world = Self { app, stream: Arc::default(), size: (width, height), left: Vec::new() };
        world.send(Event::Resize(width, height));
        world
    }

    fn asked(&self) -> Generation {
        let asked = self.left.iter().rev().find_map(|effect| match effect {
            Effect::OpenLogs { generation, .. } => Some(*generation),
            _ => None,
        });
        asked.expect("no stream was asked for")
    }

    fn send(&mut self, event: Event) {
        let effects = self.app.update(event, now());
        for effect in effects {
            match effect {
                Effect::FindInLogs { generation, stream, query, ids } => {
                    let found =
                        stream.0.find(&query, ids.clone(), &tokio_util::sync::CancellationToken::new());
                    self.task(TaskEvent::LogsFound { generation, ids: found, upto: ids.end });
                }
                effect => self.left.push(effect),
            }
        }
    }

    fn task(&mut self, task: TaskEvent) {
        self.send(Event::Task(task));
    }

    fn keys(&mut self, script: &str) -> &mut Self {
        for key in parse_script(script).unwrap() {
            self.send(Event::Key(key));
        }
        self
    }

    fn push(&mut self, source: u16, level: Level, text: &str) {
        let count = self.stream.status().lines.end as i64;
        let time = Timestamp::from_second(1_795_348_800 + count).unwrap();
        let kind = LineKind::Text { is_json: json::fields(text).is_some() };
        self.stream.push(Line { source, time: Some(time), level, text: text.into(), kind });
    }

    fn advance(&mut self) {
        self.task(TaskEvent::LogsAdvanced);
    }

    /// Lines `line 0` to `line n`, from both pods by turns.
    fn fill(&mut self, lines: usize) -> &mut Self {
        for at in 0..lines {
            self.push((at % 2) as u16, Level::None, &format!("line {at}"));
        }
        self.advance();
        self
    }

    fn lines(&self) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        crate::ui::draw(&self.app, &mut buf);
        text_of(&buf)
    }

    fn text(&self) -> String {
        self.lines().join("\n")
    }

    fn sees(&self, part: &str) -> bool {
        self.text().contains(part)
    }

    #[track_caller]
    fn assert_sees(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.sees(part), "`{part}` is not in\n{}", self.text());
        }
    }

    fn copied(&self) -> Option<&str> {
        self.left.iter().rev().find_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }
}

#[test]
fn asks_for_what_the_place_names() {
    let world = World::opening(80, 24);
    let request = world.left.iter().find_map(|effect| match effect {
        Effect::OpenLogs { request, .. } => Some(request.clone()),
        _ => None,
    });
    let request = request.unwrap();
    let of = crate::kubernetes::logs::Of::Entity("component:default/checkout-api".to_owned());
    assert_eq!((request.of, request.is_following, request.tail), (of, true, Some(commands::TAIL_LINES)));
    assert_eq!(world.app.pane().unwrap().place().to_string(), "logs component:default/checkout-api");
}

#[test]
fn follows_with_a_tag_per_pod_and_times() {
    let mut world = World::new(80, 24);
    world.fill(50);
    world.assert_sees(&[
        "checkout-api › Logs",
        "2 pods",
        "prod-eu",
        "● following",
        "b7│ line 49",
        "12:00:49 b7│",
    ]);
    world.push(0, Level::None, "newest");
    world.advance();
    world.assert_sees(&["a1│ newest"]);
}

#[test]
fn scrolling_up_pauses_at_once_and_new_lines_are_counted() {
    let mut world = World::new(80, 24);
    world.fill(50).keys("k");
    let before = world.lines();
    for _ in 0..312 {
        world.push(0, Level::None, "later");
    }
    world.advance();
    world.assert_sees(&["▼ 312 new"]);
    assert_eq!(world.lines()[1..20], before[1..20], "nothing moves while paused");
    for key in ["G", "f"] {
        world.keys(key);
        world.assert_sees(&["● following", "later"]);
        world.keys("k");
    }
    world.keys("G").keys("<pgup>");
    assert!(!world.sees("● following"));
}

#[test]
fn search_highlights_counts_and_steps() {
    let mut world = World::new(80, 24);
    world.fill(60).keys("/line 1<enter>");
    world.assert_sees(&["/line 1 11 matches", "● following"]);
    world.keys("n");
    world.assert_sees(&["11 of 11", "line 19"]);
    world.keys("N");
    world.assert_sees(&["10 of 11"]);
    world.keys("nn");
    world.assert_sees(&["this is the first"]);
    world.send(Event::Timer(crate::app::event::Timer::Toast));
    world.assert_sees(&["1 of 11"]);
    // new lines are looked at as they come
    world.push(0, Level::None, "line 1000");
    world.advance();
    world.assert_sees(&["1 of 12"]);
    world.keys("<esc>");
    assert!(!world.sees("1 of 12"));
}

#[test]
fn only_matches_keeps_the_place() {
    let mut world = World::new(80, 24);
    world.fill(200).keys("gjjjjj");
    let before = world.lines();
    world.keys("/[05]$<enter>&");
    world.assert_sees(&["line 5", "line 95", "&[05]$"]);
    assert!(!world.sees("line 6 ") && !world.sees("line 96"), "{}", world.text());
    world.keys("&<esc>");
    assert_eq!(world.lines()[1..22], before[1..22]);
    // lines that do not match
    world.keys("/!line 1<enter>&");
    world.assert_sees(&["line 0", "line 9", "line 20"]);
    assert!(!world.sees("line 15"));
}

#[test]
fn only_without_a_search_asks_for_one() {
    let mut world = World::new(80, 24);
    world.fill(30).keys("&line 7");
    world.assert_sees(&["&line 7", "│ line 7"]);
    assert!(!world.sees("line 8"));
    world.keys("<enter>");
    world.assert_sees(&["/line 7", "● following"]);
    world.keys("<esc>");
    world.assert_sees(&["line 29"]);
}

#[test]
fn a_mistake_is_told_and_the_last_search_stays() {
    let mut world = World::new(80, 24);
    world.fill(30).keys("/line (");
    world.assert_sees(&["unclosed group"]);
    world.keys("2)");
    world.assert_sees(&["11 matches"]);
}

#[test]
fn json_as_line_pretty_and_raw() {
    let mut world = World::new(100, 24);
    world.push(0, Level::Info, r#"{"level":"info","msg":"order accepted","id":8812,"ms":41}"#);
    world.advance();
    world.assert_sees(&["INFO  order accepted id=8812 ms=41", "JSON line"]);
    world.keys("P");
    world.assert_sees(&["\"id\": 8812,", "JSON pretty"]);
    world.keys("P");
    world.assert_sees(&[r#"{"level":"info","msg""#, "JSON raw"]);
}

#[test]
fn errors_are_found_by_level() {
    let mut world = World::new(80, 24);
    world.fill(10);
    world.push(0, Level::Error, "first fault");
    world.fill(40);
    world.push(1, Level::Error, "second fault");
    world.fill(40).keys("e");
    world.assert_sees(&[">12:00:51 b7│ ERROR second fault"]);
    world.keys("E");
    world.assert_sees(&[">12:00:10 a1│ ERROR first fault"]);
    world.keys("E");
    world.assert_sees(&["no error further on: this is the last", ">12:00:51"]);
}

#[test]
fn containers_are_switched_off_and_on() {
    let mut world = World::new(80, 24);
    world.fill(20).keys("c");
    world.assert_sees(&["[x] a1  checkout-a1/app", "prod-eu/shop"]);
    world.keys("<space><esc>");
    assert!(!world.sees("a1│ line") && world.sees("b7│ line 19"), "{}", world.text());
    world.assert_sees(&["1 of 2 containers hidden"]);
    world.keys("cA");
    world.assert_sees(&["a1│ line 18"]);
}

#[test]
fn lines_are_selected_and_copied() {
    let mut world = World::new(80, 24);
    world.fill(30).keys("kvkk");
    world.assert_sees(&["3 lines selected"]);
    world.keys("y");
    assert_eq!(world.copied(), Some("line 26\nline 27\nline 28"));
    world.keys("jYw");
    assert_eq!(world.copied(), Some("2026-11-22T12:00:27.000Z checkout-b7/app line 27"));
    world.keys("Yo");
    let value: serde_json::Value = serde_json::from_str(world.copied().unwrap()).unwrap();
    assert_eq!((&value["pod"], &value["text"]), (&"checkout-b7".into(), &"line 27".into()));
}

#[test]
fn a_line_in_full_shows_every_field() {
    let mut world = World::new(80, 24);
    world.push(0, Level::Error, r#"{"level":"error","msg":"boom","stack":"one\n  two","n":{"a":[1]}}"#);
    world.advance();
    world.keys("<enter>");
    world.assert_sees(&["line in full", "shop/checkout-a1 (a1)", "prod-eu", "boom", "  two", "\"a\": ["]);
    world.keys("<enter>");
    assert!(!world.sees("line in full"));
    world.keys("<enter><esc>");
    assert!(!world.sees("line in full") && world.sees("Logs"));
}

#[test]
fn times_are_absolute_relative_or_off() {
    let mut world = World::new(80, 24);
    world.fill(20).keys("k");
    world.assert_sees(&["12:00:18 a1│ line 18"]);
    world.keys("t");
    world.assert_sees(&["-1.000s b7│ line 17", "       0 a1│ line 18", "+1.000s"]);
    world.keys("t");
    world.assert_sees(&[">a1│ line 18"]);
    world.keys("t");
    world.assert_sees(&["12:00:18 a1│"]);
}

#[test]
fn long_lines_scroll_sideways_or_wrap() {
    let mut world = World::new(60, 24);
    let long: String = (0..30).map(|at| format!("word{at:02} ")).collect();
    world.push(0, Level::None, &long);
    world.advance();
    assert!(world.sees("word00") && world.sees("…") && !world.sees("word29"));
    world.keys("l");
    assert!(!world.sees("word00"), "{}", world.text());
    world.keys("hw");
    world.assert_sees(&["word00", "word29"]);
}

#[test]
fn notes_gaps_and_markers_are_lines_of_their_own() {
    let mut world = World::new(80, 24);
    let note =
        |text: &str, kind| Line { source: 0, time: Some(now()), level: Level::None, text: text.into(), kind };
    world.fill(3);
    world.stream.push(note("b7 restarted (OOMKilled, exit 137)", LineKind::Note));
    world.stream.push(note("the cluster had them no more", LineKind::Gap(4000)));
    world.advance();
    world.assert_sees(&[
        "── a1 b7 restarted (OOMKilled, exit 137) ──",
        "── the cluster had them no more ─",
        "12:10:00",
    ]);
    world.keys("m");
    world.assert_sees(&["━━ marker ━"]);
}

#[test]
fn digits_choose_how_far_back() {
    let mut world = World::new(120, 24);
    for (key, since, tail, words) in [
        ("6", Some(3600), None, "since 1h"),
        ("2", Some(60), None, "since 1m"),
        ("1", None, None, "  all"),
        ("0", None, Some(commands::TAIL_LINES), "tail 200"),
    ] {
        world.keys(key);
        let request = world.left.iter().rev().find_map(|effect| match effect {
            Effect::OpenLogs { request, .. } => Some(request.clone()),
            _ => None,
        });
        let request = request.unwrap();
        assert_eq!((request.since.map(|since| since.as_secs()), request.tail), (since, tail), "{key}");
        world.assert_sees(&[words, "opening…"]);
    }
    world.keys("p");
    assert_eq!(world.app.pane().unwrap().place().argument, "component:default/checkout-api previous");
}

#[test]
fn saves_shown_or_all() {
    let mut world = World::new(80, 24);
    world.fill(30).keys("/7$<enter>&<ctrl-s>t<ctrl-s>O");
    let saves: Vec<_> = world
        .left
        .iter()
        .filter_map(|effect| match effect {
            Effect::SaveLogs { name, save, .. } => Some((name.as_str(), save)),
            _ => None,
        })
        .collect();
    let [(text, shown), (json, all)] = saves.as_slice() else { panic!("{saves:?}") };
    assert_eq!(*text, "logs-checkout-api-20261122-121000.log");
    assert!(
        std::path::Path::new(json).extension().is_some_and(|end| end == "json")
            && all.is_json
            && all.query.is_none()
    );
    assert!(shown.query.as_ref().is_some_and(|query| query.pattern.is_some()) && !shown.is_json);
    assert_eq!(shown.ids, 0..30);
}

#[test]
fn says_why_there_is_nothing() {
    let mut world = World::opening(80, 24);
    world.assert_sees(&["There is no cluster to read logs from"]);
    world.stream.set_status(|status| {
        status.problem =
            Some("`get pods/log` in `shop` is forbidden for jo: ask whoever binds roles there".to_owned());
    });
    let (generation, stream) = (world.asked(), Shared(world.stream.clone()));
    world.task(TaskEvent::LogsOpened { generation, stream });
    world.assert_sees(&["? `get pods/log` in `shop` is forbidden", "r reads again"]);

    let mut world = World::new(80, 24);
    world.stream.set_status(|status| {
        let mut all = status.sources.to_vec();
        all[1].state = SourceState::Failed("forbidden".to_owned());
        status.sources = all.into();
    });
    world.fill(1);
    world.assert_sees(&["b7 ✗ forbidden"]);
    world.keys("/nothing such<enter>&");
    world.assert_sees(&["No line of 1 matches `nothing such`"]);
}

#[test]
fn codes_of_the_log_do_nothing() {
    let mut world = World::new(80, 24);
    world.push(0, Level::None, "\u{1b}[31mred\u{1b}[0m \u{1b}[2J\u{1b}]0;owned\u{7} \u{202e}x");
    world.advance();
    world.assert_sees(&["red ␛[2J␛]0;owned␇ \u{fffd}x"]);
    let mut buf = Buffer::empty(Rect::new(0, 0, 80, 24));
    crate::ui::draw(&world.app, &mut buf);
    let is_red = |buf: &Buffer| buf.content.iter().any(|cell| cell.fg == ratatui::style::Color::Red);
    assert!(is_red(&buf));
    world.keys("A");
    crate::ui::draw(&world.app, &mut buf);
    assert!(!is_red(&buf));
}

#[test]
fn answers_to_a_stream_that_was_left_are_dropped() {
    let mut world = World::new(80, 24);
    let old = world.asked();
    world.fill(5).keys("6");
    let stream = Shared(world.stream.clone());
    world.task(TaskEvent::LogsOpened { generation: old, stream });
    world.assert_sees(&["opening…"]);
}

#[test]
fn moving_goes_everywhere_and_stays_inside() {
    let mut world = World::new(80, 24);
    world.fill(500).keys("g");
    world.assert_sees(&[">12:00:00 a1│ line 0", "line 20"]);
    world.keys("<ctrl-d><pgdn><space>");
    assert!(!world.sees("│ line 0"));
    world.keys("<ctrl-u>bbbbbb");
    world.assert_sees(&[">12:00:00 a1│ line 0"]);
    for _ in 0..60 {
        world.keys("<pgdn>");
    }
    world.assert_sees(&["line 499"]);
    assert!(
        world.lines().iter().any(|line| line.starts_with('>') && line.contains("line 499")),
        "{}",
        world.text()
    );
    assert!(!world.sees("● following"), "only G and f follow");
}

#[test]
fn a_line_taller_than_the_screen_is_scrolled_through() {
    let mut world = World::new(40, 10);
    world.push(0, Level::None, "before");
    let tall: String = (0..200).map(|at| format!("w{at:03} ")).collect();
    world.push(0, Level::None, &tall);
    world.push(0, Level::None, "behind");
    world.advance();
    world.keys("wg");
    world.assert_sees(&["before", "w000"]);
    for _ in 0..60 {
        world.keys("j");
    }
    world.assert_sees(&["behind", "w199"]);
    for _ in 0..60 {
        world.keys("k");
    }
    world.assert_sees(&["before", "w000"]);
}

#[test]
fn esc_goes_back_step_by_step() {
    let mut world = World::new(80, 24);
    world.fill(30).keys("/line<enter>&kv<enter><esc>");
    assert!(!world.sees("line in full"));
    world.keys("<esc>");
    assert!(!world.sees("selected"));
    world.keys("<esc><esc>");
    assert!(!world.sees("/line") && world.sees("› Logs"));
    world.send(Event::Key(Key::plain(KeyCode::Esc)));
    assert!(!world.sees("› Logs"));
}

#[test]
fn what_left_nothing_says_why() {
    let mut world = World::new(160, 20);
    world.stream.set_status(|status| {
        let mut source = source("a1", "checkout-a1", "app");
        let why = "there is no instance before this one; the pod ended: evicted: the node was low on memory";
        source.state = SourceState::Ended(why.to_owned());
        status.sources = Arc::new([source]);
        status.is_following = false;
    });
    world.task(TaskEvent::LogsAdvanced);
    assert!(world.sees("the node was low on memory"));
}
