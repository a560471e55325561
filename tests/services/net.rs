//! Requests against servers that stumble, limit, lie and lead astray.

use crate::raw::{Raw, Step, answer, fixture, gzip, head};
use crate::within;
use devportal::config::secret::Secret;
use devportal::net::{Answer, Api, Auth, Net, NetError, NetNote, NetOptions, Request, TlsProblem};
use devportal::store::kept::Kept;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

const DATE: (&str, &str) = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");

/// One who asks, with all that belongs to it.
struct Asker {
    net: Net,
    kept: Kept,
    auth: Auth,
    ca_file: Option<PathBuf>,
    cancel: CancellationToken,
    notes: Arc<Mutex<Vec<NetNote>>>,
}

impl Asker {
    fn new() -> Self {
        Self::with(NetOptions::default())
    }

    fn with(options: NetOptions) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            net: Net::new(options),
            kept: Kept::in_memory(),
            auth: Auth::None,
            ca_file: None,
            cancel: CancellationToken::new(),
            notes: Arc::default(),
        }
    }

    fn signed_in(mut self) -> Self {
        self.auth = Auth::Bearer(Secret::new("hunter2"));
        self
    }

    fn api<T>(&self, base: &str, work: impl FnOnce(&Api<'_>) -> T) -> T {
        let notify = |note| self.notes.lock().unwrap().push(note);
        work(&Api {
            net: &self.net,
            base: Url::parse(base).unwrap(),
            auth: self.auth.clone(),
            kept: &self.kept,
            cancel: &self.cancel,
            timeout: Some(Duration::from_secs(15)),
            max_bytes: Some(1024 * 1024),
            ca_file: self.ca_file.clone(),
            notify: &notify,
        })
    }

    fn get(&self, server: &Raw, path: &str) -> Result<Answer, NetError> {
        self.api(&server.url("/"), |api| api.get(path))
    }

    fn waits(&self) -> usize {
        let notes = self.notes.lock().unwrap();
        notes.iter().filter(|note| matches!(note, NetNote::Waiting { .. })).count()
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn what_stumbles_is_asked_again_and_nothing_else() {
    let cut = || vec![Step::Send([head(200, &[("content-length", "100")]), b"half".to_vec()].concat())];
    let packed = gzip(b"a body that is cut in the middle");
    let half = packed[..packed.len() / 2].to_vec();
    type First = Box<dyn Fn() -> Vec<Step> + Send + Sync>;
    let cases: Vec<(&str, First)> = vec![
        ("cut", Box::new(cut)),
        ("closed", Box::new(Vec::new)),
        ("packed and cut", Box::new(move || answer(200, &[("content-encoding", "gzip")], &half))),
        ("502", Box::new(|| answer(502, &[], ""))),
        ("500", Box::new(|| answer(500, &[], ""))),
        ("503 with a pause", Box::new(|| answer(503, &[("retry-after", "1")], ""))),
    ];
    for (name, first) in cases {
        let server = Raw::new(move |number, _| if number == 0 { first() } else { answer(200, &[], "good") });
        let got = Asker::new().get(&server, "/x").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((text(&got).as_str(), server.asked().len()), ("good", 2), "{name}");
    }
    let counts = [(400, 1), (401, 1), (403, 1), (404, 1), (409, 1), (500, 2), (501, 1), (503, 3)];
    for (status, expected) in counts {
        let server = Raw::new(move |_, _| answer(status, &[], ""));
        let error = Asker::new().get(&server, "/x").unwrap_err();
        assert_eq!((error.status(), server.asked().len()), (Some(status), expected), "{status}");
    }
}

#[test]
fn what_changes_something_is_sent_once() {
    let server = Raw::new(|_, _| answer(503, &[], ""));
    let asker = Asker::new();
    let body = serde_json::json!({"query": "x"});
    assert!(asker.api(&server.url("/"), |api| api.post("/x", &body)).is_err());
    assert_eq!(server.asked().len(), 1);
    assert!(asker.api(&server.url("/"), |api| api.query("/x", &body)).is_err());
    assert_eq!(server.asked().len(), 4);
    assert!(server.asked()[3].ends_with(r#"{"query":"x"}"#));
}

#[test]
fn limits_are_waited_for_and_told() {
    const SECOND: &str = "Wed, 21 Oct 2015 07:28:01 GMT";
    type Case = (u16, &'static [(&'static str, &'static str)], &'static str);
    let cases: &[Case] = &[
        (429, &[("retry-after", "1")], ""),
        (429, &[DATE, ("retry-after", SECOND)], ""),
        (429, &[], ""),
        (403, &[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1445412481")], ""),
        (403, &[("retry-after", "1")], r#"{"message":"You have exceeded a secondary rate limit"}"#),
        (429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "1")], ""),
    ];
    for (status, headers, body) in cases {
        let (status, headers, body) = (*status, *headers, *body);
        let server =
            Raw::new(
                move |number, _| {
                    if number == 0 { answer(status, headers, body) } else { answer(200, &[], "good") }
                },
            );
        let asker = Asker::new();
        let got = asker.get(&server, "/x").unwrap_or_else(|error| panic!("{headers:?}: {error}"));
        assert_eq!((text(&got).as_str(), server.asked().len(), asker.waits()), ("good", 2, 1), "{headers:?}");
    }
}

#[test]
fn nothing_left_is_waited_for_before_the_next_request() {
    let server = Raw::new(|number, _| {
        let left = if number == 0 { "0" } else { "9" };
        let limits = [
            DATE,
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", left),
            ("x-ratelimit-reset", "1445412481"),
        ];
        answer(200, &limits, "good")
    });
    let asker = Asker::new();
    asker.get(&server, "/a").unwrap();
    assert_eq!(asker.waits(), 0);
    asker.get(&server, "/b").unwrap();
    assert_eq!(asker.waits(), 1);
    let notes = asker.notes.lock().unwrap();
    let rates: Vec<_> = notes
        .iter()
        .filter_map(|note| if let NetNote::Rate(rate) = note { Some((rate.left, rate.limit)) } else { None })
        .collect();
    assert_eq!(rates, [(0, Some(10)), (9, Some(10))]);
}

#[test]
fn a_long_wait_ends_at_once_and_says_until_when() {
    let server = Raw::new(|_, _| answer(429, &[("retry-after", "3600")], ""));
    let asker = Asker::new();
    let error = asker.get(&server, "/x").unwrap_err();
    let NetError::Limited { until, .. } = &error else { panic!("{error}") };
    let wait = until.as_second() - jiff::Timestamp::now().as_second();
    assert!((3500..=3600).contains(&wait), "{wait}");
    assert!(error.is_passing());
    assert!(matches!(asker.get(&server, "/y"), Err(NetError::Limited { .. })));
    assert_eq!(server.asked().len(), 1, "it is left alone until then");
}

#[test]
fn a_server_that_only_limits_is_given_up() {
    within(Duration::from_secs(60), || {
        let server = Raw::new(|_, _| answer(429, &[("retry-after", "0")], ""));
        let asker = Asker::with(NetOptions { max_wait: Duration::from_secs(2), ..NetOptions::default() });
        assert!(matches!(asker.get(&server, "/x"), Err(NetError::Limited { .. })));
        assert!(server.asked().len() < 10);
    });
}

#[test]
fn a_wait_ends_when_it_is_cancelled() {
    within(Duration::from_secs(60), || {
        let server = Raw::new(|_, _| answer(429, &[("retry-after", "600")], ""));
        let asker = Asker::new();
        let cancel = asker.cancel.clone();
        let notes = asker.notes.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while notes.lock().unwrap().iter().all(|note| !matches!(note, NetNote::Waiting { .. })) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                cancel.cancel();
            });
            assert!(matches!(asker.get(&server, "/x"), Err(NetError::Cancelled { .. })));
        });
    });
}

#[test]
fn credentials_stay_with_their_origin() {
    let thief = Arc::new(Raw::new(|_, _| answer(200, &[], "stolen")));
    let goal = thief.url("/goal");
    let own = Raw::new(move |_, request| {
        if request.starts_with("get /away") {
            answer(302, &[("location", &goal)], "")
        } else if request.starts_with("get /home") {
            answer(301, &[("location", "/there")], "")
        } else {
            answer(200, &[], "own")
        }
    });
    let auths = [
        Auth::Bearer(Secret::new("hunter2")),
        Auth::Token(Secret::new("hunter2")),
        Auth::Basic("ana".into(), Secret::new("hunter2")),
        Auth::Header("PRIVATE-TOKEN", Secret::new("hunter2")),
    ];
    for auth in auths {
        let asker = Asker { auth, ..Asker::new() };
        assert_eq!(text(&asker.get(&own, "/away").unwrap()), "stolen");
        assert_eq!(text(&asker.get(&own, &thief.url("/direct")).unwrap()), "stolen");
        assert_eq!(text(&asker.get(&own, "/home").unwrap()), "own");
    }
    let has = |request: &String| request.contains("authorization: ") || request.contains("private-token: ");
    assert!(!thief.asked().iter().any(has), "{:?}", thief.asked());
    assert!(own.asked().iter().all(has));
    assert_eq!((thief.asked().len(), own.asked().len()), (8, 12));
    let request = Request::get(Url::parse(&own.url("/away")).unwrap()).header("x-api-key", "hunter2");
    let asker = Asker::new();
    asker.api(&own.url("/"), |api| api.send(request.clone())).unwrap();
    assert!(!thief.asked().last().unwrap().contains("hunter2"), "headers of a request, too");
    let named = own.url("/away").replace("http://", "http://ana:hunter2@");
    asker.api(&named, |api| api.get("/away")).unwrap();
    assert!(own.asked().last().unwrap().contains("authorization: basic"));
    assert!(!has(thief.asked().last().unwrap()));
}

#[test]
fn nothing_leads_from_https_to_http() {
    let plain = Arc::new(Raw::new(|_, _| answer(200, &[], "plain")));
    let goal = plain.url("/x");
    let secure = Raw::tls("good.pem", move |_, _| answer(302, &[("location", &goal)], ""));
    let asker = Asker { ca_file: Some(fixture("ca.pem")), ..Asker::new() }.signed_in();
    let error = asker.get(&secure, "/x").unwrap_err();
    assert!(error.to_string().contains("from https to http"), "{error}");
    assert!(plain.asked().is_empty());
    assert!(secure.asked()[0].contains("authorization: bearer"));
    let insecure = secure.url("/x").replace("https://", "http://");
    assert!(asker.api(&secure.url("/"), |api| api.get(&insecure)).is_err());
    assert_eq!(secure.asked().len(), 1, "the token never goes there without encryption");
}

#[test]
fn certificates_are_checked_and_the_trouble_is_named() {
    let cases = [
        ("good.pem", true, None),
        ("good.pem", false, Some(TlsProblem::UnknownIssuer)),
        ("expired.pem", true, Some(TlsProblem::Expired)),
        ("early.pem", true, Some(TlsProblem::NotYetValid)),
        ("other.pem", true, Some(TlsProblem::WrongName)),
    ];
    for (certificate, trusted, expected) in cases {
        let server = Raw::tls(certificate, |_, _| answer(200, &[], "good"));
        let asker = Asker { ca_file: trusted.then(|| fixture("ca.pem")), ..Asker::new() };
        let found = match asker.get(&server, "/x") {
            Ok(_) => None,
            Err(NetError::Tls { problem, .. }) => Some(problem),
            Err(other) => panic!("{certificate}: {other}"),
        };
        assert_eq!(found, expected, "{certificate} {trusted}");
    }
    let asker = Asker::new();
    let server = Raw::tls("good.pem", |_, _| answer(200, &[], ""));
    assert!(asker.get(&server, "/x").unwrap_err().hint().contains("`ca_file`"));
    let plain = Raw::new(|_, _| answer(200, &[], ""));
    let base = plain.url("/").replace("http:", "https:");
    let error = asker.api(&base, |api| api.get("/x")).unwrap_err();
    assert!(error.to_string().contains("does not speak https"), "{error}");
}

#[test]
fn a_file_of_certificates_that_is_none_is_told() {
    let server = Raw::tls("good.pem", |_, _| answer(200, &[], ""));
    for name in ["absent.pem", "server.key"] {
        let asker = Asker { ca_file: Some(fixture(name)), ..Asker::new() };
        let error = asker.get(&server, "/x").unwrap_err();
        assert!(matches!(error, NetError::CaFile { .. }), "{name}: {error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn what_is_too_much_is_stopped() {
    within(Duration::from_secs(60), || {
        let bomb = gzip(&vec![b'a'; 64 * 1024 * 1024]);
        let flood: String = format!("x-more: {}\r\n", "v".repeat(50)).repeat(100_000);
        let options =
            NetOptions { slow_window: Duration::from_millis(300), slow_bytes: 100, ..NetOptions::default() };
        let drip = || {
            let mut steps = vec![Step::Send(head(200, &[("content-length", "100000")]))];
            steps.extend(
                (0..200).flat_map(|_| [Step::Send(b"x".to_vec()), Step::Pause(Duration::from_millis(50))]),
            );
            steps
        };
        let endless = || {
            let mut steps = vec![Step::Send(head(200, &[]))];
            steps.extend((0..100).map(|_| Step::Send(vec![b'x'; 100_000])));
            steps
        };
        type Serve = Box<dyn Fn() -> Vec<Step> + Send + Sync>;
        let cases: Vec<(&str, Serve)> = vec![
            ("larger than", Box::new(move || answer(200, &[("content-encoding", "gzip")], &bomb))),
            ("larger than", Box::new(|| answer(200, &[], vec![b'x'; 2 * 1024 * 1024]))),
            ("larger than", Box::new(endless)),
            ("too slowly", Box::new(drip)),
            (
                "headers",
                Box::new(move || vec![Step::Send(format!("HTTP/1.1 200 OK\r\n{flood}\r\n").into_bytes())]),
            ),
            ("not HTTP", Box::new(|| vec![Step::Send(b"220 mail.example ESMTP\r\n".repeat(3))])),
            ("packed", Box::new(|| answer(200, &[("content-encoding", "br")], "x"))),
            ("packed wrongly", Box::new(|| answer(200, &[("content-encoding", "gzip")], "not gzip at all"))),
        ];
        for (words, serve) in cases {
            let server = Raw::new(move |_, _| serve());
            let error = Asker::with(options.clone()).get(&server, "/x").unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert_eq!(server.asked().len(), 1, "{words}: once is enough");
        }
    });
}

#[test]
fn pages_and_scraps_in_place_of_data_are_named() {
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let cases = [
        ("text/html; charset=utf-8", html, "a sign-in page came"),
        ("application/json", "  <html>", "a sign-in page came"),
        ("application/json", "", "it is empty"),
        ("application/json", "[1, 2", "ends in the middle"),
        ("text/plain", "hello", "`text/plain` came instead of JSON"),
        ("application/json", "{\"a\": 1}", "not the JSON that was expected"),
    ];
    for (kind, body, words) in cases {
        let server = Raw::new(move |_, _| answer(200, &[("content-type", kind)], body));
        let got = Asker::new().get(&server, "/x").unwrap();
        let error = got.json::<Vec<u32>>().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn the_servers_own_words_are_told_without_the_secret() {
    let server = Raw::new(|_, request| {
        if request.starts_with("get /echo") {
            answer(401, &[], r#"{"message":"token hunter2 is bad"}"#)
        } else {
            answer(403, &[], r#"{"error":{"message":"\u001b[31mno rights\u0007"}}"#)
        }
    });
    let asker = Asker::new().signed_in();
    let error = asker.get(&server, "/x").unwrap_err();
    assert!(error.to_string().contains("no rights") && !error.to_string().contains('\u{1b}'), "{error}");
    assert!(error.hint().contains("lacks rights"));
    let error = asker.get(&server, "/echo").unwrap_err();
    assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"), "{error}");
    assert!(error.hint().contains("wrong or has expired"));
}

#[test]
fn unchanged_answers_come_from_what_was_kept() {
    let body = "x".repeat(100_000);
    let served = body.clone();
    let server = Raw::new(move |_, request| {
        let link = ("link", "</next>; rel=\"next\"");
        if request.contains("if-none-match: \"one\"") {
            answer(304, &[("etag", "\"one\""), ("x-ratelimit-remaining", "7")], "")
        } else {
            let packed = gzip(served.as_bytes());
            answer(200, &[("etag", "\"one\""), ("content-encoding", "gzip"), link], packed)
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept");
    let open = || Asker { kept: Kept::open(&file).0, ..Asker::new() };
    let first = open();
    assert!(!first.get(&server, "/x").unwrap().unchanged);
    let came: u64 = first
        .notes
        .lock()
        .unwrap()
        .iter()
        .map(|note| if let NetNote::Bytes(bytes) = note { *bytes } else { 0 })
        .sum();
    assert!(came > 0 && came < 1000, "bytes count as they came, packed: {came}");
    drop(first);
    let second = open();
    let got = second.get(&server, "/x").unwrap();
    assert_eq!((got.unchanged, got.status, text(&got) == body), (true, 200, true));
    assert_eq!(got.next_link().unwrap().path(), "/next", "its headers are kept, too");
    assert!(std::fs::metadata(&file).unwrap().len() < 10_000, "packed");
    let once = second.api(&server.url("/"), |api| api.get_once("/x")).unwrap();
    assert!(!once.unchanged);
    let signed = second.signed_in();
    assert!(!signed.get(&server, "/x").unwrap().unchanged, "somebody else asks anew");
}

#[test]
fn an_unchanged_answer_that_is_lost_is_read_anew() {
    let server = Raw::new(|_, request| {
        if request.contains("if-none-match") {
            answer(304, &[], "")
        } else {
            answer(200, &[("etag", "1")], "x")
        }
    });
    let asker = Asker::new();
    let get = |address: &str| {
        asker.api(&server.url("/"), |api| {
            api.send(
                Request::get(Url::parse(&server.url(address)).unwrap()).once().header("if-none-match", "1"),
            )
        })
    };
    assert_eq!(get("/x").unwrap().status, 304, "who asks conditionally by hand gets what came");
    assert_eq!(text(&asker.get(&server, "/x").unwrap()), "x");
}

#[test]
fn many_are_asked_at_once_until_one_says_stop() {
    let server = Raw::new(|_, _| answer(200, &[], "x"));
    let asker = Asker::new();
    let addresses: Vec<String> = (0..200).map(|n| format!("/{n}")).collect();
    let done = AtomicUsize::new(0);
    asker.api(&server.url("/"), |api| {
        api.each(&addresses, 8, |address| {
            api.get(address).unwrap();
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if done >= 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    });
    assert!((20..40).contains(&server.asked().len()), "{}", server.asked().len());
}
