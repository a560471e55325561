//! Git repositories behind addresses, fetched by the real `git` from bare repositories of this machine.

use crate::{Folder, api, codes, component, group, location, refs, within};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress, ProgressEvent};
use devportal::config::source::SourceConfig;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A repository with a work tree, and the bare one it is pushed to.
struct Upstream {
    work: Folder,
    bare: tempfile::TempDir,
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Jo", "-c", "user.email=jo@example.com", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Upstream {
    fn new(files: &[(&str, &str)]) -> Self {
        let work = Folder::new(files);
        let bare = tempfile::tempdir().unwrap();
        git(bare.path(), &["init", "-q", "--bare", "r.git"]);
        git(work.path(), &["init", "-q"]);
        git(work.path(), &["remote", "add", "origin", bare.path().join("r.git").to_str().unwrap()]);
        let out = Self { work, bare };
        out.push("one");
        out
    }

    /// Lets the server leave out contents and give single ones.
    fn filtering(self) -> Self {
        for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            git(&self.path(), &["config", key, "true"]);
        }
        self
    }

    fn push(&self, message: &str) -> String {
        git(self.work.path(), &["add", "-A"]);
        git(self.work.path(), &["commit", "-q", "--allow-empty", "-m", message]);
        git(self.work.path(), &["push", "-q", "--force", "origin", "HEAD", "--tags"]);
        git(self.work.path(), &["rev-parse", "HEAD"])
    }

    fn path(&self) -> PathBuf {
        self.bare.path().join("r.git")
    }

    fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    fn source(&self) -> SourceConfig {
        SourceConfig::guess(&self.url(), None)
    }
}

/// A loader with a cache folder of its own.
struct Client {
    cache: tempfile::TempDir,
    loader: Loader,
}

impl Client {
    fn new(source: SourceConfig) -> Self {
        Self::with(source, tempfile::tempdir().unwrap(), false)
    }

    fn with(source: SourceConfig, cache: tempfile::TempDir, offline: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = LoadOptions { offline, cache: Some(cache.path().to_owned()), ..LoadOptions::default() };
        Self { cache, loader: Loader::new(vec![source], options) }
    }

    /// Starts the program again.
    fn again(self, offline: bool) -> Self {
        let source = self.loader.sources()[0].clone();
        Self::with(source, self.cache, offline)
    }

    /// Reads the source again, however fresh it is.
    fn load(&self) -> Arc<Catalog> {
        self.loader.refresh(0, None, &Progress::none());
        self.loader.join()
    }

    fn clone_folder(&self) -> PathBuf {
        let sources = self.cache.path().join("sources");
        let source = std::fs::read_dir(sources).unwrap().next().unwrap().unwrap();
        source.path().join("git")
    }

    /// Objects of the clone: how many, and how many of them are contents of files.
    fn blobs(&self) -> usize {
        let listed = git(&self.clone_folder(), &["cat-file", "--batch-all-objects", "--batch-check"]);
        listed.lines().filter(|line| line.contains(" blob ")).count()
    }
}

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("catalog-info.yaml", location("all", "  targets: [./svc/entity.txt, ./svc/g.yaml]\n")),
        ("svc/entity.txt", api("a", "$text: ./spec.txt")),
        ("svc/spec.txt", "first".to_owned()),
        ("svc/g.yaml", group("team")),
        ("src/main.txt", "code\n".to_owned()),
        ("src/other.txt", "more code\n".to_owned()),
    ]
}

fn upstream() -> Upstream {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    Upstream::new(&files)
}

const ALL: [&str; 3] = ["api:default/a", "group:default/team", "location:default/all"];

fn definition(catalog: &Catalog) -> String {
    let entity = catalog.entity(catalog.find("api:default/a").unwrap()).unwrap();
    entity.to_json()["spec"]["definition"].as_str().unwrap().to_owned()
}

#[test]
fn a_repository_is_cloned_shallow_and_only_what_is_read_is_fetched() {
    let upstream = upstream().filtering();
    upstream.work.write("src/main.txt", "code 2\n");
    upstream.push("two");
    let client = Client::new(upstream.source());
    let catalog = client.load();
    assert_eq!(refs(&catalog), ALL, "{:?}", catalog.diagnostics());
    assert!(codes(&catalog).is_empty(), "{:?}", catalog.diagnostics());
    assert_eq!(definition(&catalog), "first");
    // one commit, four files read of six
    assert_eq!(git(&client.clone_folder(), &["rev-list", "--count", "refs/devportal/head"]), "1");
    assert_eq!(client.blobs(), 4);
}

#[test]
fn servers_that_cannot_filter_or_give_single_objects_are_read_all_the_same() {
    let plain = upstream();
    let client = Client::new(plain.source());
    assert_eq!(refs(&client.load()), ALL);
    assert_eq!(client.blobs(), 6);

    let half = upstream();
    git(&half.path(), &["config", "uploadpack.allowFilter", "true"]);
    let mut source = half.source();
    source.url = Some(half.path().display().to_string());
    let client = Client::new(source);
    assert_eq!(refs(&client.load()), ALL);
    assert_eq!(refs(&client.load()), ALL);
}

#[test]
fn only_changes_are_fetched_and_what_is_unchanged_is_not_parsed() {
    let upstream = upstream().filtering();
    let client = Client::new(upstream.source());
    let first = client.load();
    let second = client.load();
    for (old, new) in first.parsed_files().iter().zip(second.parsed_files()) {
        assert!(Arc::ptr_eq(old, new), "{}", old.path);
    }
    upstream.work.write("svc/spec.txt", "second");
    upstream.work.write("svc/new.yaml", component("new"));
    upstream.push("two");
    let third = client.load();
    assert_eq!(definition(&third), "second");
    assert_eq!(third.len(), 4, "{:?}", third.diagnostics());
    let kept = |old| third.parsed_files().iter().any(|new| Arc::ptr_eq(old, new));
    assert!(first.parsed_files().iter().any(kept));
}

#[test]
fn branches_tags_and_commits_are_read() {
    let upstream = upstream().filtering();
    let first = git(upstream.work.path(), &["rev-parse", "HEAD"]);
    git(upstream.work.path(), &["tag", "-a", "v1", "-m", "one"]);
    upstream.work.write("svc/spec.txt", "second");
    upstream.push("two");
    git(upstream.work.path(), &["checkout", "-q", "-b", "feature/x"]);
    upstream.work.write("svc/spec.txt", "third");
    upstream.push("three");
    for (at, expected) in [
        (None, "second"),
        (Some("main"), "second"),
        (Some("v1"), "first"),
        (Some("refs/tags/v1"), "first"),
        (Some("feature/x"), "third"),
        (Some(first.as_str()), "first"),
    ] {
        let client = Client::new(SourceConfig::guess(&upstream.url(), at));
        for _ in 0..2 {
            let catalog = client.load();
            assert_eq!(definition(&catalog), expected, "{at:?}: {:?}", catalog.diagnostics());
        }
    }
    for (at, code) in [
        ("no-such", "source::unknown-revision"),
        ("HEAD~1", "source::bad-setting"),
        ("--upload-pack=x", "source::bad-setting"),
    ] {
        assert_eq!(
            codes(&Client::new(SourceConfig::guess(&upstream.url(), Some(at))).load()),
            [code],
            "{at}"
        );
    }
}

#[test]
fn a_forced_push_and_a_deleted_branch_are_noticed() {
    let upstream = upstream().filtering();
    git(upstream.work.path(), &["checkout", "-q", "-b", "gone"]);
    upstream.push("branch");
    let client = Client::new(SourceConfig::guess(&upstream.url(), Some("gone")));
    assert_eq!(refs(&client.load()), ALL);
    git(upstream.work.path(), &["checkout", "-q", "--orphan", "new"]);
    upstream.work.write("svc/spec.txt", "forced");
    git(upstream.work.path(), &["branch", "-q", "-D", "gone"]);
    git(upstream.work.path(), &["branch", "-q", "-m", "gone"]);
    upstream.push("from nothing");
    assert_eq!(definition(&client.load()), "forced");
    git(upstream.work.path(), &["push", "-q", "origin", "--delete", "gone"]);
    // what was fetched is still shown, and why it is old
    let catalog = client.again(false).load();
    assert_eq!(definition(&catalog), "forced");
    assert_eq!(codes(&catalog), ["source::unknown-revision"]);
    assert!(catalog.sources()[0].read_at.is_some());
}

#[test]
fn without_a_network_the_clone_is_read() {
    let upstream = upstream().filtering();
    let client = Client::new(upstream.source());
    assert_eq!(refs(&client.load()), ALL);
    std::fs::rename(upstream.path(), upstream.bare.path().join("away")).unwrap();
    let catalog = client.again(false).load();
    assert_eq!(refs(&catalog), ALL);
    assert_eq!(codes(&catalog), ["source::unreadable"]);
    assert!(catalog.sources()[0].read_at.is_some());
}

#[test]
fn empty_and_missing_repositories_are_told() {
    let bare = tempfile::tempdir().unwrap();
    git(bare.path(), &["init", "-q", "--bare", "r.git"]);
    let url = |name: &str| format!("file://{}", bare.path().join(name).display());
    assert_eq!(codes(&Client::new(SourceConfig::guess(&url("r.git"), None)).load()), ["source::no-commits"]);
    let catalog = Client::new(SourceConfig::guess(&url("no.git"), None)).load();
    assert_eq!(codes(&catalog), ["source::unreadable"]);
    assert!(catalog.diagnostics()[0].hint.as_ref().unwrap().contains("check the address"));
    let upstream = upstream();
    git(&upstream.path(), &["symbolic-ref", "HEAD", "refs/heads/none"]);
    let catalog = Client::new(upstream.source()).load();
    assert!(
        catalog.diagnostics()[0].hint.as_ref().unwrap().contains("`main`"),
        "{:?}",
        catalog.diagnostics()
    );
}

#[test]
fn dangerous_addresses_are_refused_before_git_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    for url in [
        format!("ext::touch {}", mark.display()),
        format!("--upload-pack=touch {}", mark.display()),
        format!("ssh://-oProxyCommand=touch {}/x", mark.display()),
    ] {
        let mut source = SourceConfig::new("git", "x");
        source.url = Some(url.clone());
        assert_eq!(codes(&Client::new(source).load()), ["source::bad-setting"], "{url}");
    }
    assert!(!mark.exists());
}

#[test]
fn a_broken_clone_is_put_aside_and_made_anew() {
    type Break = fn(&Path);
    let breaks: [(&str, Break); 5] = [
        ("objects gone", |clone| std::fs::remove_dir_all(clone.join("objects")).unwrap()),
        ("packs cut", |clone| {
            for entry in std::fs::read_dir(clone.join("objects/pack")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "pack") {
                    let _ = std::fs::remove_file(&path);
                    std::fs::write(&path, b"PACK").unwrap();
                }
            }
        }),
        ("head gone", |clone| std::fs::write(clone.join("HEAD"), "nonsense").unwrap()),
        ("state cut", |clone| std::fs::write(clone.join("devportal.json"), "{\"commit").unwrap()),
        ("locks left", |clone| {
            for lock in ["shallow.lock", "refs/devportal/head.lock", "config.lock"] {
                std::fs::write(clone.join(lock), "").unwrap();
            }
        }),
    ];
    for (what, harm) in breaks {
        let upstream = upstream().filtering();
        let client = Client::new(upstream.source());
        client.load();
        harm(&client.clone_folder());
        upstream.work.write("svc/spec.txt", "second");
        upstream.push("two");
        let catalog = client.again(false).load();
        assert_eq!(refs(&catalog), ALL, "{what}: {:?}", catalog.diagnostics());
        assert_eq!(definition(&catalog), "second", "{what}");
        assert!(codes(&catalog).is_empty(), "{what}: {:?}", catalog.diagnostics());
    }
}

#[test]
fn two_instances_share_a_clone() {
    let upstream = upstream().filtering();
    let client = Client::new(upstream.source());
    let source = client.loader.sources()[0].clone();
    let other = |cache: &Path| {
        let options = LoadOptions { cache: Some(cache.to_owned()), ..LoadOptions::default() };
        Loader::new(vec![source.clone()], options)
    };
    let loaders = [other(client.cache.path()), other(client.cache.path()), other(client.cache.path())];
    std::thread::scope(|scope| {
        for loader in &loaders {
            scope.spawn(|| {
                for _ in 0..3 {
                    let catalog = loader.load(&Progress::none());
                    assert_eq!(refs(&catalog), ALL, "{:?}", catalog.diagnostics());
                }
            });
        }
    });
}

#[test]
fn submodules_and_pointers_of_large_files_are_left_alone() {
    let inner = upstream();
    let upstream = upstream().filtering();
    git(upstream.work.path(), &["submodule", "--quiet", "add", &inner.url(), "inner"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    upstream.work.write("big/data.yaml", pointer);
    upstream.push("two");
    let catalog = Client::new(upstream.source()).load();
    assert_eq!(refs(&catalog), ALL);
    assert!(codes(&catalog).is_empty(), "{:?}", catalog.diagnostics());
    upstream.work.write("svc/spec.txt", pointer);
    upstream.push("three");
    let catalog = Client::new(upstream.source()).load();
    assert_eq!(codes(&catalog), ["catalog::placeholder"], "{:?}", catalog.diagnostics());
    assert!(catalog.diagnostics()[0].message.contains("Git LFS"), "{:?}", catalog.diagnostics());
}

#[test]
fn cancelling_stops_a_server_that_says_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    within(Duration::from_secs(20), move || {
        let client = Client::new(SourceConfig::guess(&format!("git://127.0.0.1:{port}/r.git"), None));
        let progress = Progress::none();
        let cancel = progress.cancel_token().clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            cancel.cancel();
        });
        assert_eq!(codes(&client.loader.load(&progress)), ["source::cancelled"]);
        drop(listener);
    });
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    within(Duration::from_secs(30), move || {
        let mut source = SourceConfig::guess(&format!("git://127.0.0.1:{port}/r.git"), None);
        source.timeout_seconds = Some(1);
        let catalog = Client::new(source).load();
        assert_eq!(codes(&catalog), ["source::network"]);
        drop(listener);
    });
}

#[test]
fn a_large_repository_is_read_by_globs() {
    let upstream = Upstream::new(&[("README.md", "x")]).filtering();
    for number in 0..2000 {
        let folder = format!("services/{}/s{number}", number % 40);
        upstream.work.write(&format!("{folder}/catalog-info.yaml"), component(&format!("s{number}")));
        upstream.work.write(&format!("{folder}/deploy.yaml"), format!("kind: Deployment\nn: {number}\n"));
        for file in 0..8 {
            upstream.work.write(&format!("{folder}/src/f{file}.txt"), format!("{number} {file}\n"));
        }
    }
    upstream.push("many");
    let mut source = upstream.source();
    source.include = vec!["services/7/*/catalog-info.yaml".into(), "services/8/**/catalog-info.yaml".into()];
    let client = Client::new(source);
    let units = Arc::new(Mutex::new(Vec::new()));
    let heard = units.clone();
    let progress = Progress::new(move |event| {
        if let ProgressEvent::Amount { unit, .. } = event {
            heard.lock().unwrap().push(unit);
        }
    });
    let catalog = client.loader.load(&progress);
    assert_eq!(catalog.len(), 100, "{:?}", catalog.diagnostics());
    assert_eq!(client.blobs(), 100);
}

/// A server that runs `git http-backend` for one repository; tells the credentials it was given.
fn serve(root: PathBuf, wanted: Option<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (root, told) = (root.clone(), told.clone());
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                let mut headers = std::collections::HashMap::new();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let Some((key, value)) = line.trim().split_once(": ") else { break };
                    headers.insert(key.to_ascii_lowercase(), value.to_owned());
                }
                let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
                told.lock().unwrap().push(header("authorization"));
                if wanted.is_some_and(|wanted| header("authorization") != wanted) {
                    let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    return drop(stream.write_all(answer.as_bytes()));
                }
                let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
                reader.read_exact(&mut body).unwrap();
                let mut words = first.split(' ');
                let (method, target) = (words.next().unwrap(), words.next().unwrap());
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let mut child = Command::new("git")
                    .arg("http-backend")
                    .env("GIT_PROJECT_ROOT", &root)
                    .env("GIT_HTTP_EXPORT_ALL", "1")
                    .env("PATH_INFO", path)
                    .env("QUERY_STRING", query)
                    .env("REQUEST_METHOD", method)
                    .env("CONTENT_TYPE", header("content-type"))
                    .env("CONTENT_LENGTH", body.len().to_string())
                    .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
                    .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
                    .stdin(std::process::Stdio::piped())
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .unwrap();
                child.stdin.take().unwrap().write_all(&body).unwrap();
                let output = child.wait_with_output().unwrap().stdout;
                let text = String::from_utf8_lossy(&output);
                let status = text.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
                let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&output));
            });
        }
    });
    (format!("http://{address}/r.git"), seen)
}

#[test]
fn http_servers_are_asked_with_the_token_and_leave_out_what_is_not_read() {
    let upstream = upstream().filtering();
    let (url, seen) = serve(upstream.bare.path().to_owned(), Some("Basic bWU6czNjcmV0"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\n").unwrap();
    let mut source = SourceConfig::guess(&url, None);
    assert_eq!(source.kind, "git");
    let refused = Client::new(source.clone()).load();
    assert_eq!(codes(&refused), ["source::refused"], "{:?}", refused.diagnostics());
    source.username = Some("me".to_owned());
    source.token = Some(devportal::config::secret::SecretSource::File(file.path().to_owned()));
    let client = Client::new(source);
    let catalog = client.load();
    assert_eq!(refs(&catalog), ALL, "{:?}", catalog.diagnostics());
    assert_eq!(client.blobs(), 4);
    let config = std::fs::read_to_string(client.clone_folder().join("config")).unwrap();
    assert!(!config.contains("s3cret") && !config.contains("bWU6"), "{config}");
    let before = seen.lock().unwrap().len();
    assert_eq!(refs(&client.load()), ALL);
    // nothing changed: the references are asked for, nothing else
    assert!(seen.lock().unwrap().len() - before <= 2);
}
