//! Every fault of a server ends in a clear state of its source: with its cause, what was there before
//! kept, nothing lost elsewhere, and healed by the next refresh after the server recovered.

use crate::raw::{Raw, Step, answer, fixture, gzip, head};
use crate::{Folder, component, group, refs, within};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress, ProgressEvent};
use devportal::config::secret::SecretSource;
use devportal::config::source::SourceConfig;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn http(server: &Raw, path: &str) -> SourceConfig {
    let mut source = SourceConfig::guess(&server.url(path), None);
    "remote".clone_into(&mut source.name);
    source.timeout_seconds = Some(2);
    source
}

fn loader(sources: Vec<SourceConfig>, cache: Option<&Path>) -> Loader {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cache = cache.map(Path::to_owned);
    Loader::new(sources, LoadOptions { cache, ..LoadOptions::default() })
}

/// Code, message and hint of what is wrong with the source `remote`.
fn trouble(catalog: &Catalog) -> Option<(String, String, String)> {
    let source = catalog.sources().iter().find(|source| &*source.name == "remote").unwrap();
    let error = source.error.as_ref()?;
    Some((error.code.to_owned(), error.message.clone(), error.hint.clone().unwrap_or_default()))
}

type Serve = Box<dyn Fn() -> Vec<Step> + Send + Sync>;

fn plain(status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str) -> Serve {
    Box::new(move || answer(status, headers, body))
}

/// What a server may do wrong, and the words that name it.
fn faults() -> Vec<(&'static str, Serve)> {
    let bomb = gzip(&vec![b'#'; 32 * 1024 * 1024]);
    let packed = gzip(group("half").as_bytes());
    let page = "<!DOCTYPE html><html>please sign in</html>";
    let flood: String = "x-more: y\r\n".repeat(500);
    vec![
        ("answered 401 Unauthorized: who are you", plain(401, &[], r#"{"message":"who are you"}"#)),
        ("answered 403 Forbidden", plain(403, &[], "")),
        ("answered 404 Not Found", plain(404, &[], "")),
        ("answered 409 Conflict", plain(409, &[], "")),
        ("answered 500", plain(500, &[], "")),
        ("answered 502", plain(502, &[], "")),
        ("answered 503", plain(503, &[("retry-after", "900")], "")),
        ("did not answer within 2.0 s", Box::new(|| vec![Step::Pause(Duration::from_secs(4))])),
        (
            "did not answer within 2.0 s",
            Box::new(|| {
                let drop = [Step::Send(b"#".to_vec()), Step::Pause(Duration::from_millis(100))];
                let first = [Step::Send(head(200, &[("content-length", "90000")]))];
                first.into_iter().chain(std::iter::repeat_n(drop, 40).flatten()).collect()
            }),
        ),
        (
            "ended too early",
            Box::new(|| {
                let part = group("cut");
                vec![Step::Send([head(200, &[("content-length", "900")]), part.into_bytes()].concat())]
            }),
        ),
        (
            "ended too early",
            Box::new(move || {
                answer(200, &[("content-encoding", "gzip")], packed.get(..packed.len() - 9).unwrap())
            }),
        ),
        ("ended too early", Box::new(Vec::new)),
        ("it is not HTTP", Box::new(|| vec![Step::Send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n".to_vec())])),
        ("too many or too long headers", {
            let text = format!("HTTP/1.1 200 OK\r\n{flood}\r\n");
            Box::new(move || vec![Step::Send(text.clone().into_bytes())])
        }),
        ("is larger than 8 MB", Box::new(move || answer(200, &[("content-encoding", "gzip")], &bomb))),
        ("a sign-in page came", plain(200, &[("content-type", "text/html")], page)),
        ("redirects too many times", plain(302, &[("location", "/catalog-info.yaml")], "")),
        ("not safe to follow", plain(302, &[("location", "file:///etc/passwd")], "")),
        ("it is empty", plain(200, &[], "")),
    ]
}

#[test]
fn each_fault_is_named_keeps_what_was_there_and_heals() {
    within(Duration::from_secs(300), || {
        let folder = Folder::new(&[("catalog-info.yaml", &component("local"))]);
        std::thread::scope(|scope| {
            for (words, serve) in faults() {
                let folder = &folder;
                scope.spawn(move || fault(folder, words, serve));
            }
        });
    });
}

fn fault(folder: &Folder, words: &str, serve: Serve) {
    let is_faulty = Arc::new(AtomicBool::new(true));
    let faulty = is_faulty.clone();
    let server =
        Raw::new(
            move |_, _| {
                if faulty.load(Ordering::Relaxed) { serve() } else { answer(200, &[], group("remote")) }
            },
        );
    let sources = vec![http(&server, "/catalog-info.yaml"), folder.source()];
    let loader = loader(sources, None);
    let broken = loader.load(&Progress::none());
    assert!(trouble(&broken).is_some(), "{words}: no error");
    let (code, message, hint) = trouble(&broken).unwrap();
    assert!(message.contains(words) && message.contains("localhost"), "{words}: {message}");
    let is_refused = words.contains("401") || words.contains("403");
    let expected = if is_refused { "source::refused" } else { "source::network" };
    assert!(code == expected && !hint.is_empty(), "{words}: {code} {hint}");
    assert_eq!(refs(&broken), ["component:default/local"], "{words}");
    is_faulty.store(false, Ordering::Relaxed);
    let healed = loader.load(&Progress::none());
    assert_eq!(refs(&healed), ["component:default/local", "group:default/remote"], "{words}");
    assert_eq!(trouble(&healed), None, "{words}");
    is_faulty.store(true, Ordering::Relaxed);
    let again = loader.load(&Progress::none());
    assert_eq!(refs(&again), ["component:default/local", "group:default/remote"], "{words}");
    let (_, message, _) = trouble(&again).unwrap();
    assert!(message.contains("what was read before is still shown"), "{words}: {message}");
}

#[test]
fn a_sign_in_page_after_a_redirect_is_no_descriptor() {
    let server = Raw::new(|_, request| {
        if request.starts_with("get /login") {
            answer(200, &[("content-type", "text/html")], "<html>sign in</html>")
        } else {
            answer(302, &[("location", "/login")], "")
        }
    });
    let catalog = loader(vec![http(&server, "/raw/catalog")], None).load(&Progress::none());
    let (_, message, hint) = trouble(&catalog).unwrap();
    assert!(message.contains("a sign-in page came") && hint.contains("`token`"), "{message} {hint}");
}

#[test]
fn a_limit_is_waited_for_or_ends_with_its_time() {
    let server = Raw::new(|number, request| {
        if request.starts_with("get /long") {
            answer(429, &[("retry-after", "7200")], "")
        } else if number == 0 {
            answer(429, &[("retry-after", "1")], "")
        } else {
            answer(200, &[("x-ratelimit-remaining", "41")], component("a"))
        }
    });
    let events: Arc<Mutex<Vec<ProgressEvent>>> = Arc::default();
    let heard = events.clone();
    let progress = Progress::new(move |event| heard.lock().unwrap().push(event));
    let catalog = loader(vec![http(&server, "/short")], None).load(&progress);
    assert_eq!(refs(&catalog), ["component:default/a"]);
    let events = events.lock().unwrap();
    let is_limited = |event: &ProgressEvent| matches!(event, ProgressEvent::Limited { .. });
    let is_rate =
        |event: &ProgressEvent| matches!(event, ProgressEvent::Rate { rate, .. } if rate.left == 41);
    assert!(events.iter().any(is_limited) && events.iter().any(is_rate), "{events:?}");
    let catalog = loader(vec![http(&server, "/long")], None).load(&Progress::none());
    let (_, message, _) = trouble(&catalog).unwrap();
    assert!(message.contains("limits requests until"), "{message}");
}

#[test]
fn certificates_are_the_sources_own_affair() {
    let folder = Folder::new(&[("catalog-info.yaml", &component("local"))]);
    let cases = [
        ("good.pem", false, Some(("not trusted", "`ca_file`"))),
        ("expired.pem", true, Some(("expired", "renew"))),
        ("early.pem", true, Some(("not valid yet", "clock"))),
        ("other.pem", true, Some(("another name", "name"))),
        ("good.pem", true, None),
    ];
    for (certificate, trusted, expected) in cases {
        let server = Raw::tls(certificate, |_, _| answer(200, &[], group("remote")));
        let mut source = http(&server, "/x.yaml");
        source.ca_file = trusted.then(|| fixture("ca.pem"));
        let catalog = loader(vec![source, folder.source()], None).load(&Progress::none());
        assert!(catalog.find("component:default/local").is_some());
        match (trouble(&catalog), expected) {
            (None, None) => assert_eq!(catalog.len(), 2),
            (Some((_, message, hint)), Some((cause, advice))) => {
                assert!(message.contains(cause) && hint.contains(advice), "{message}; {hint}");
            }
            (found, _) => panic!("{certificate}: {found:?}"),
        }
    }
}

#[test]
fn one_bad_address_of_many_is_its_own_trouble() {
    let server = Raw::new(|_, request| match request.split(' ').nth(1).unwrap() {
        "/a.yaml" => answer(200, &[], component("a")),
        "/list.txt" => {
            let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
            answer(200, &[], format!("# all\nhttp://{host}/b.yaml\n- http://{host}/gone.yaml\n"))
        }
        "/b.yaml" => answer(200, &[], component("b")),
        "/odd.yaml" => answer(200, &[], "kind: ["),
        _ => answer(404, &[], ""),
    });
    let mut source = SourceConfig::new("http", "remote");
    source.urls = ["/a.yaml", "/list.txt", "/odd.yaml", "/none.yaml"].map(|path| server.url(path)).to_vec();
    source.urls.push("https://example.com/*/catalog-info.yaml".to_owned());
    source.at = Some("v1".to_owned());
    let catalog = loader(vec![source.clone()], None).load(&Progress::none());
    assert_eq!(refs(&catalog), ["component:default/a", "component:default/b"]);
    assert_eq!(trouble(&catalog), None);
    let mut told: Vec<&str> = catalog.diagnostics().iter().map(|d| d.code).collect();
    told.sort_unstable();
    told.dedup();
    for code in ["catalog::target-not-fetched", "source::bad-setting", "source::no-revisions"] {
        assert!(told.contains(&code), "{code}: {told:?}");
    }
    let named: Vec<_> = catalog.diagnostics().iter().map(|d| d.message.as_str()).collect();
    for part in ["/gone.yaml", "/none.yaml", "cannot list files"] {
        assert!(named.iter().any(|message| message.contains(part)), "{part}: {named:?}");
    }
    source.urls = vec![server.url("/x.yaml"), server.url("/y.yaml")];
    let catalog = loader(vec![source], None).load(&Progress::none());
    let (_, message, _) = trouble(&catalog).unwrap();
    assert!(message.contains("none of the other 1 addresses"), "{message}");
}

#[test]
fn a_list_may_lie_on_this_machine() {
    let server = Raw::new(|_, _| answer(200, &[], component("a")));
    let list = format!("- {}\n", server.url("/a.yaml"));
    let folder = Folder::new(&[("addresses.yaml", &list), ("other.txt", "nothing\n")]);
    let mut source = SourceConfig::new("http", "remote");
    source.path = Some(folder.path().join("addresses.yaml"));
    let catalog = loader(vec![source.clone()], None).load(&Progress::none());
    assert_eq!(refs(&catalog), ["component:default/a"]);
    source.path = Some(folder.path().join("other.txt"));
    let catalog = loader(vec![source], None).load(&Progress::none());
    assert!(trouble(&catalog).unwrap().1.contains("not a list"));
}

#[test]
fn a_token_goes_to_one_server() {
    let thief = Arc::new(Raw::new(|_, _| answer(200, &[], component("b"))));
    let away = thief.url("/b.yaml");
    let server = Raw::new(move |_, request| {
        if request.starts_with("get /moved.yaml") {
            return answer(302, &[("location", &away)], "");
        }
        let target = format!("  targets: [\"{away}\", ./c.yaml]\n");
        answer(200, &[], crate::location("all", &target))
    });
    let secret = Folder::new(&[("token", "hunter2\n")]);
    let mut source = http(&server, "/all.yaml");
    source.token = Some(SecretSource::File(secret.path().join("token")));
    source.urls = vec![server.url("/moved.yaml")];
    let catalog = loader(vec![source.clone()], None).load(&Progress::none());
    assert!(catalog.find("component:default/b").is_some(), "{:?}", catalog.diagnostics());
    assert!(server.asked().iter().all(|request| request.contains("authorization: bearer hunter2")));
    assert!(!thief.asked().is_empty());
    assert!(!thief.asked().iter().any(|request| request.contains("hunter2")), "{:?}", thief.asked());
    source.urls.push(thief.url("/b.yaml"));
    let catalog = loader(vec![source.clone()], None).load(&Progress::none());
    let (code, message, _) = trouble(&catalog).unwrap();
    assert!(code == "source::bad-setting" && message.contains("one server"), "{message}");
    source.token = Some(SecretSource::Env("DEVPORTAL_TEST_NO_SUCH_VARIABLE".to_owned()));
    let catalog = loader(vec![source], None).load(&Progress::none());
    assert_eq!(trouble(&catalog).unwrap().0, "source::no-secret");
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let proxy = Raw::new(|_, request| {
        let whole = request.starts_with("get http://portal.invalid/catalog-info.yaml ");
        if whole { answer(200, &[], component("behind")) } else { answer(400, &[], "not for a proxy") }
    });
    let home = Folder::new(&[]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_devportal"));
    command
        .args(["--catalog", "http://portal.invalid/catalog-info.yaml", "get", "-o", "name"])
        .env_clear()
        .env("HOME", home.path())
        .env("HTTP_PROXY", proxy.url(""))
        .current_dir(home.path());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, "component:default/behind\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_restart_asks_only_whether_it_changed() {
    let server = Raw::new(|_, request| {
        if request.contains("if-none-match: \"1\"") {
            answer(304, &[], "")
        } else {
            answer(200, &[("etag", "\"1\"")], component("a"))
        }
    });
    let cache = Folder::new(&[]);
    for round in 0..2 {
        let catalog = loader(vec![http(&server, "/a.yaml")], Some(cache.path())).load(&Progress::none());
        assert_eq!(refs(&catalog), ["component:default/a"]);
        assert_eq!(server.asked().len(), round + 1);
    }
    assert!(server.asked()[1].contains("if-none-match"), "{:?}", server.asked());
}

#[test]
fn a_cache_that_cannot_be_written_costs_nothing_but_the_cache() {
    let server = Raw::new(|_, _| answer(200, &[("etag", "\"1\"")], component("a")));
    let folder = Folder::new(&[("file", "in the way")]);
    let loader = loader(vec![http(&server, "/a.yaml")], Some(&folder.path().join("file/cache")));
    for _ in 0..2 {
        let catalog = loader.load(&Progress::none());
        assert_eq!(refs(&catalog), ["component:default/a"]);
        let told = catalog.diagnostics().iter().filter(|d| d.code == "store::not-kept").count();
        assert_eq!((trouble(&catalog), told), (None, 1));
    }
}

/// Not a test by itself: what `a_killed_writer_spoils_nothing` starts and kills.
#[test]
#[ignore = "started by another test"]
fn writer_that_is_killed() {
    let Some(path) = std::env::var_os("DEVPORTAL_TEST_KEPT") else { return };
    let kept = devportal::store::kept::Kept::open(Path::new(&path)).0;
    for number in 0..u32::MAX {
        let value = vec![number as u8; 1000 + (number % 5000) as usize];
        kept.put(&format!("key{}", number % 50), &value);
    }
}

#[test]
fn a_killed_writer_spoils_nothing() {
    within(Duration::from_secs(120), || {
        let folder = Folder::new(&[]);
        let path = folder.path().join("kept");
        for round in 1..=5_u64 {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "faults::writer_that_is_killed", "--ignored"])
                .env("DEVPORTAL_TEST_KEPT", &path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            let size = || std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let before = size();
            while size() <= before.max(8) {
                assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(37 * round));
            child.kill().unwrap();
            child.wait().unwrap();
            let (kept, told) = devportal::store::kept::Kept::open(&path);
            assert_eq!(told, None);
            let mut found = 0;
            for number in 0..50 {
                let Some(value) = kept.get(&format!("key{number}")) else { continue };
                found += 1;
                assert!(value.iter().all(|byte| Some(byte) == value.first()), "a mixed value");
            }
            assert!(found > 0);
        }
    });
}
