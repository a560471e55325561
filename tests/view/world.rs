//! The application over the sample, with a known user, settings of an empty machine and no disk.

use devportal::app::Context;
use devportal::app::context::{ConfigFile, Me, Setting};
use devportal::app::event::{Event, Generation, Shared, TaskEvent};
use devportal::app::input::parse_script;
use devportal::catalog::sources::embedded;
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress};
use devportal::config::Config;
use devportal::config::setting::Kind;
use devportal::config::source::SourceConfig;
use devportal::config::theme::Theme;
use devportal::kubernetes::logs::{Level, Line, LineKind, LogSource, SourceState, Stream};
use devportal::kubernetes::{Kind as ObjectKind, ObjectRef};
use devportal::permissions::Principal;
use devportal::tui::services::Order;
use devportal::tui::{Services, Start, screenshot::Headless};
use devportal::ui::panes;
use std::sync::{Arc, OnceLock};

/// Places that the pictures and the sizes go through; every pane is there at least once.
pub const PLACES: &[(&str, &str)] = &[
    ("home", "home"),
    ("catalog", "catalog"),
    ("catalog-filtered", "catalog owner:payments kind:component"),
    ("entity", "component:default/checkout-api"),
    ("entity-raw", "component:default/checkout-api raw"),
    ("graph", "graph component:default/checkout-api"),
    ("cycles", "cycles"),
    ("logs", "logs component:default/checkout-api"),
    ("org", "org"),
    ("problems", "problems"),
    ("docs", "docs"),
    ("docs-page", "docs component:default/checkout-api runbook"),
    ("docs-form", "docs system:default/developer-platform writing/tabs"),
    ("entity-docs", "component:default/checkout-api docs"),
    ("settings", "settings theme"),
    ("sources", "sources"),
    ("templates", "templates"),
    ("templates-runs", "templates runs"),
    ("wizard", "wizard template:default/new-job"),
    ("diff", "diff"),
    ("history", "history component:default/checkout-api"),
    ("kubernetes", "kubernetes"),
    ("pods", "pods"),
    ("namespaces", "kubernetes namespaces"),
    ("clusters", "clusters"),
    ("findings", "findings all"),
    ("forwards", "forwards"),
    ("entity-kubernetes", "component:default/checkout-api kubernetes"),
    ("object", "object pod/payments/checkout-7d9f-b7qrs@prod-eu"),
];

/// The sample, read once.
pub fn sample() -> Arc<Catalog> {
    static SAMPLE: OnceLock<Arc<Catalog>> = OnceLock::new();
    let options = LoadOptions { offline: true, ..LoadOptions::default() };
    SAMPLE.get_or_init(|| Loader::new(vec![SourceConfig::sample()], options).load(&Progress::none())).clone()
}

/// A person of the sample.
pub fn me() -> Me {
    let user = "user:default/amara.okafor";
    assert!(sample().find(user).is_some(), "the sample has lost {user}");
    let principal =
        Principal { user: Some(user.to_owned()), groups: vec!["group:default/payments".to_owned()] };
    Me { principal, origin: "`user` in config.toml".to_owned() }
}

/// What the application starts from.
pub fn start(catalog: Arc<Catalog>, me: Me, place: &str) -> Start {
    let mut cx = Context::new(panes::ALL);
    "the built-in sample".clone_into(&mut cx.origin);
    cx.settings = settings();
    cx.kubernetes = crate::clusters::state();
    cx.config_files = ["config", "keys", "themes"]
        .into_iter()
        .map(|what| ConfigFile {
            what,
            path: format!("/home/amara/.config/devportal/{what}.toml"),
            is_found: what == "config",
        })
        .collect();
    cx.stars = ["component:default/checkout-api", "system:default/checkout", "api:default/gone"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let services = Services {
        load: Box::new(move |_| (catalog.clone(), me.clone())),
        read_source: Box::new(|catalog, id| {
            let file = catalog.entity(id).ok_or("it is described in no file")?.file();
            let path = file.location_ref.strip_prefix("sample:").ok_or("it is not of the sample")?;
            embedded::text(path).map(Arc::from).ok_or_else(|| "it is gone".to_owned())
        }),
        revisions: Box::new(|_, _| Err("there are no revisions here".to_owned())),
        docs: devportal::tui::services::Docs::of(Arc::new(Loader::new(
            vec![SourceConfig::sample()],
            LoadOptions { offline: true, ..LoadOptions::default() },
        ))),
        remember: Box::new(|_| Ok(())),
        load_theme: Box::new(|name| Theme::load(name, None).map(|(theme, _)| theme).map_err(|d| d.message)),
        save_setting: Box::new(|_, _| Err("nothing is written here".to_owned())),
        editor: String::new(),
        state_folder: std::path::PathBuf::new(),
        order: Order::default(),
        refresh: None,
        backend: None,
        refresher: std::sync::OnceLock::new(),
        connect: None,
        hub: std::sync::OnceLock::new(),
        scaffold: None,
    };
    Start { cx, line: place.to_owned(), services }
}

/// The application at a place of the sample.
pub fn at(place: &str, width: u16, height: u16) -> Headless {
    Headless::start(start(sample(), me(), place), width, height)
}

fn settings() -> Vec<Setting> {
    let config = Config::default();
    let choices = |kind| match kind {
        Kind::Bool => vec!["true".to_owned(), "false".to_owned()],
        Kind::Choice(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        _ => Vec::new(),
    };
    config
        .rows()
        .map(|(setting, resolved)| Setting {
            key: setting.key,
            value: resolved.value.to_text(),
            origin: resolved.origin.to_string(),
            help: setting.help,
            choices: if setting.key == "theme" { Theme::names(None) } else { choices(setting.kind) },
        })
        .collect()
}

/// A stream of three pods, one of which had trouble; the same in every run.
pub fn stream() -> Arc<Stream> {
    let stream = Arc::new(Stream::default());
    let source = |tag: &str, state| LogSource {
        tag: tag.into(),
        pod: ObjectRef {
            cluster: "prod-eu".into(),
            kind: ObjectKind::Pod,
            namespace: "shop".into(),
            name: format!("checkout-api-{tag}").into(),
        },
        container: "app".into(),
        is_previous: false,
        state,
        lines: 40,
    };
    let cut = SourceState::Waiting("connection reset".to_owned());
    let sources =
        [source("a1", SourceState::Following), source("b7", SourceState::Following), source("c3", cut)];
    let json = |level: &str, rest: &str| format!(r#"{{"level":"{level}","msg":{rest}}}"#);
    let mut second = 1_714_561_451;
    let mut push = |source: u16, level, text: &str, kind| {
        second += 1;
        let time = jiff::Timestamp::from_second(second).ok();
        stream.push(Line { source, time, level, text: text.into(), kind });
    };
    let text = |is_json| LineKind::Text { is_json };
    for round in 0..12 {
        let accepted = format!(r#""order accepted","id":{},"ms":41"#, 8812 + round);
        push(0, Level::Info, &json("info", &accepted), text(true));
        push(1, Level::Warn, &format!("WARN retry {round}/12 upstream=ledger"), text(false));
        let timeout = r#""timeout after 3s","upstream":"ledger","trace":"9f2c4be1""#;
        push(2, Level::Error, &json("error", timeout), text(true));
        if round == 9 {
            push(2, Level::None, "restarted: OOMKilled, exit 137; start 2", LineKind::Note);
            push(0, Level::None, "", LineKind::Gap(4000));
        }
        let plain = "\u{1b}[32mGET\u{1b}[0m /healthz 200 in 日本 1ms \u{1b}[2J";
        push(0, Level::None, plain, text(false));
    }
    push(0, Level::None, "marker", LineKind::Marker);
    stream.set_status(|status| {
        status.sources = Arc::new(sources);
        status.is_following = true;
        status.errors_per_minute = vec![0, 0, 1, 0, 2, 9, 4];
    });
    stream
}

/// The logs of a service of the sample after some keys.
pub fn logs(width: u16, height: u16, keys: &str) -> Headless {
    let mut face = at("logs component:default/checkout-api", width, height);
    let stream = stream();
    for generation in 0..20 {
        let (generation, stream) = (Generation(generation), Shared(stream.clone()));
        face.send(Event::Task(TaskEvent::LogsOpened { generation, stream }));
    }
    for key in parse_script(keys).unwrap() {
        face.send(Event::Key(key));
    }
    face.send(Event::Timer(devportal::app::event::Timer::Toast));
    face
}
