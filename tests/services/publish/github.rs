//! GitHub.

use super::bench::{Bench, TOKEN, impatient, integration};
use super::server::{Forge, Reply, Seen, bare, has_http_backend, reply};
use crate::git_remote::git;
use devportal::config::integration::HostType;
use devportal::net::NetOptions;
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers as GitHub does for what `publish:github` asks.
fn github(forge: &Forge, seen: &Seen) -> Reply {
    if seen.credential.as_deref() != Some(&format!("Bearer {TOKEN}")) {
        return reply(401, &json!({"message": "Bad credentials"}));
    }
    match seen.line.as_str() {
        "GET /api/v3/users/acme" => reply(200, &json!({"login": "acme", "type": "Organization"})),
        "GET /api/v3/users/ana" => reply(200, &json!({"login": "ana", "type": "User"})),
        "POST /api/v3/orgs/acme/repos" => created(forge, "acme", &seen.body),
        "POST /api/v3/user/repos" => created(forge, "ana", &seen.body),
        line if line.starts_with("PUT ") => reply(200, &json!({})),
        _ => reply(404, &json!({"message": "Not Found"})),
    }
}

fn created(forge: &Forge, owner: &str, body: &Json) -> Reply {
    let path = format!("{owner}/{}", body["name"].as_str().unwrap());
    forge.make_repository(&format!("{path}.git"));
    let page = format!("{}/{path}", forge.url());
    let ssh = format!("git@{}:{path}.git", forge.host());
    reply(201, &json!({"clone_url": format!("{page}.git"), "html_url": page, "ssh_url": ssh}))
}

fn url(forge: &Forge, owner: &str) -> String {
    format!("{}?owner={owner}&repo=shop", forge.host())
}

#[test]
fn a_workspace_becomes_a_repository() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(github).needs("x-access-token", TOKEN);
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("src/main.rs", "fn main() {}\n");
    bench.write(".gitignore", "target/\n");
    bench.write("target/out", "no");
    bench.write("run.sh", "#!/bin/sh\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = bench.folder.path().join("workspace/run.sh");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let input = json!({
        "repoUrl": url(&forge, "acme"), "description": "the shop", "defaultBranch": "main",
        "gitCommitMessage": "first", "gitAuthorName": "Ana", "gitAuthorEmail": "ana@acme.io",
        "topics": ["Rust"], "collaborators": [{"team": "group:default/payments", "access": "push"}],
        "allowedHosts": ["github.com"],
    });
    let out = bench.run("publish:github", &input).unwrap();
    let page = format!("{}/acme/shop", forge.url());
    assert_eq!(out["remoteUrl"], json!(format!("{page}.git")));
    assert_eq!(out["repoContentsUrl"], json!(format!("{page}/blob/main")));
    let repository = forge.repository("acme/shop.git");
    assert_eq!(git(&repository, &["rev-parse", "main"]), out["commitHash"].as_str().unwrap());
    assert_eq!(git(&repository, &["log", "-1", "--format=%s|%an|%ae", "main"]), "first|Ana|ana@acme.io");
    let listed = git(&repository, &["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"]);
    assert_eq!(listed, "100644 .gitignore\n100755 run.sh\n100644 src/main.rs");
    let asked: Vec<String> = forge.lines().into_iter().filter(|line| line.contains("/api/")).collect();
    assert_eq!(
        asked,
        [
            "GET /api/v3/users/acme",
            "POST /api/v3/orgs/acme/repos",
            "PUT /api/v3/orgs/acme/teams/payments/repos/acme/shop",
            "PUT /api/v3/repos/acme/shop/topics",
            "PUT /api/v3/repos/acme/shop/branches/main/protection",
        ]
    );
    let body = forge.body("POST /api/v3/orgs/acme/repos");
    assert_eq!((&body["private"], &body["visibility"]), (&json!(true), &json!("private")));
    assert_eq!(forge.body("PUT /api/v3/repos/acme/shop/topics"), json!({"names": ["rust"]}));
    let said = format!("{:?}{:?}", bench.log, bench.warnings);
    assert!(!said.contains(TOKEN), "{said}");
    assert!(said.contains("`allowedHosts` is no input"), "{said}");
}

#[test]
fn a_user_gets_one_of_their_own() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(github);
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("sub/a.txt", "a");
    let input = json!({"repoUrl": url(&forge, "ana"), "repoVisibility": "public", "sourcePath": "./sub",
        "protectDefaultBranch": false});
    bench.run("publish:github", &input).unwrap();
    let repository = forge.repository("ana/shop.git");
    assert_eq!(git(&repository, &["ls-tree", "-r", "--name-only", "master"]), "a.txt");
    let body = forge.body("POST /api/v3/user/repos");
    assert_eq!((&body["private"], &body["visibility"]), (&json!(false), &Json::Null));
}

#[test]
fn a_review_asks_nobody_and_says_everything() {
    let forge = Forge::new(github);
    let bench = Bench::new(&forge, HostType::Github);
    bench.write("a.txt", "a");
    let input =
        json!({"repoUrl": url(&forge, "acme"), "repoVisibility": "internal", "defaultBranch": "main"});
    let effects = bench.effects("publish:github", &input).unwrap();
    let target = format!("{}/acme/shop", forge.host());
    let whats: Vec<&str> = effects.iter().map(|effect| effect.what.as_str()).collect();
    assert_eq!(whats, ["create repository", "push", "protect branch"]);
    assert!(effects.iter().all(|effect| effect.target == target), "{effects:?}");
    assert!(effects[0].identity.starts_with(&format!("token of {} (file ", forge.host())), "{effects:?}");
    assert!(effects[0].details.contains(&"visibility: internal".to_owned()), "{effects:?}");
    assert!(effects[1].details.contains(&"branch: main".to_owned()), "{effects:?}");
    assert!(effects[1].details.contains(&"files: 1".to_owned()), "{effects:?}");
    assert_eq!(
        bench.foreseen("publish:github", &input)["remoteUrl"],
        json!(format!("{}/acme/shop.git", forge.url()))
    );
    assert_eq!(forge.lines(), [""; 0]);
}

/// What a person reads when the API answers like this to the creation.
fn refused(status: u16, body: &'static str) -> devportal::scaffolder::action::ActionError {
    let forge = Forge::new(move |forge, seen| match seen.line.as_str() {
        "POST /api/v3/orgs/acme/repos" => reply(status, &serde_json::from_str(body).unwrap()),
        _ => github(forge, seen),
    });
    let mut bench = Bench::with(&[integration(&forge, HostType::Github)], impatient());
    bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err()
}

#[test]
fn refusals_are_told_in_words() {
    let cases: &[(u16, &'static str, &str, &str)] = &[
        (
            403,
            r#"{"message": "Resource not accessible by integration"}"#,
            "403 Forbidden: Resource not",
            "scopes",
        ),
        (404, r#"{"message": "Not Found"}"#, "404 Not Found", "may not see"),
        (
            422,
            r#"{"message": "Repository creation failed.", "errors": [{"message": "name already exists on this account"}]}"#,
            "name already exists on this account",
            "choose another name",
        ),
        (422, r#"{"message": "Visibility is not allowed"}"#, "Visibility is not allowed", "change them"),
        (500, r#"{"message": "oops"}"#, "500 Internal Server Error: oops", "retry the step later"),
    ];
    for (status, body, message, hint) in cases {
        let error = refused(*status, body);
        assert!(
            error.message.starts_with("could not create the Organization repository acme/shop: "),
            "{error}"
        );
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.contains(hint), "{status}: {}", error.hint);
        assert!(error.left_behind.is_empty());
    }
}

#[test]
fn a_wrong_token_is_told_with_its_place() {
    let forge = Forge::new(|_, _| reply(401, &json!({"message": "Bad credentials"})));
    let mut bench = Bench::new(&forge, HostType::Github);
    let error = bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err();
    assert!(error.message.contains("401 Unauthorized: Bad credentials"), "{error}");
    assert!(
        error.hint.contains("wrong or has expired") && error.hint.contains("[[integration]]"),
        "{}",
        error.hint
    );
    let mut config = integration(&forge, HostType::Github);
    config.token = None;
    let mut bench = Bench::with(&[config], NetOptions::default());
    let error = bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err();
    assert!(error.message.contains("No token available for host 127.0.0.1"), "{error}");
}

#[test]
fn offline_nothing_is_asked() {
    let forge = Forge::new(github);
    let options = NetOptions { offline: true, ..NetOptions::default() };
    let mut bench = Bench::with(&[integration(&forge, HostType::Github)], options);
    let error = bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err();
    assert!(error.message.contains("offline") && error.hint.contains("--offline"), "{error} {}", error.hint);
    assert_eq!(forge.lines(), [""; 0]);
}

#[test]
fn limits_are_waited_for_and_told() {
    if !has_http_backend() {
        return;
    }
    let asked = AtomicUsize::new(0);
    let forge = Forge::new(move |forge, seen| {
        if seen.line == "POST /api/v3/orgs/acme/repos" && asked.fetch_add(1, Ordering::SeqCst) == 0 {
            return reply(429, &json!({"message": "slow down"})).with("retry-after", "1");
        }
        github(forge, seen)
    });
    let mut bench = Bench::with(&[integration(&forge, HostType::Github)], impatient());
    bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap();
    assert!(bench.log.iter().any(|line| line.contains("limits requests: waiting until")), "{:?}", bench.log);
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "POST /api/v3/orgs/acme/repos" => bare(429).with("retry-after", "3600"),
        _ => github(forge, seen),
    });
    let mut bench = Bench::with(&[integration(&forge, HostType::Github)], impatient());
    let error = bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err();
    assert!(error.message.contains("limits requests until"), "{error}");
}

#[test]
fn death_half_way_says_what_exists_and_can_be_retried() {
    if !has_http_backend() {
        return;
    }
    // the push is refused first: another password is wanted
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "POST /api/v3/orgs/acme/repos" if forge.repository("acme/shop.git").exists() => {
            reply(422, &json!({"message": "failed", "errors": [{"message": "name already exists"}]}))
        }
        "GET /api/v3/repos/acme/shop" => {
            let page = format!("{}/acme/shop", forge.url());
            reply(200, &json!({"clone_url": format!("{page}.git"), "html_url": page}))
        }
        "GET /api/v3/repos/acme/shop/commits?per_page=1" => {
            let is_empty = !forge.repository("acme/shop.git").join("refs/heads/master").exists();
            if is_empty {
                reply(409, &json!({"message": "Git Repository is empty."}))
            } else {
                reply(200, &json!([{}]))
            }
        }
        _ => github(forge, seen),
    })
    .needs("somebody", "else");
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("a.txt", "a");
    let input = json!({"repoUrl": url(&forge, "acme")});
    let error = bench.run("publish:github", &input).unwrap_err();
    assert!(error.message.starts_with("could not push to 127.0.0.1"), "{error}");
    assert!(!format!("{error:?}{:?}", bench.log).contains(TOKEN));
    assert_eq!(error.left_behind.len(), 1);
    assert_eq!(error.left_behind[0].what, "create repository");
    let _forge = forge.needs("x-access-token", TOKEN);
    bench.run("publish:github", &input).unwrap();
    assert!(bench.warnings.iter().any(|line| line.contains("is empty: it is used")), "{:?}", bench.warnings);
    // now it has a commit, so it is left alone
    let error = bench.run("publish:github", &input).unwrap_err();
    assert!(error.message.contains("name already exists"), "{error}");
}

#[test]
fn the_token_goes_to_its_host_alone() {
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "POST /api/v3/orgs/acme/repos" => reply(
            201,
            &json!({"clone_url": "http://127.0.0.1:9/acme/shop.git", "html_url": "http://x/acme/shop"}),
        ),
        _ => github(forge, seen),
    });
    let mut bench = Bench::new(&forge, HostType::Github);
    let error = bench.run("publish:github", &json!({"repoUrl": url(&forge, "acme")})).unwrap_err();
    assert!(error.message.contains("the token is not sent there"), "{error}");
}

#[test]
fn secrets_are_encrypted_and_variables_set() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "GET /api/v3/repos/acme/shop/actions/secrets/public-key" => {
            reply(200, &json!({"key_id": "7", "key": "CQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJyg="}))
        }
        "POST /api/v3/repos/acme/shop/actions/variables" => bare(201),
        _ => github(forge, seen),
    });
    let mut bench = Bench::new(&forge, HostType::Github);
    let input =
        json!({"repoUrl": url(&forge, "acme"), "secrets": {"KEY": "hunter2"}, "repoVariables": {"A": "b"}});
    bench.run("publish:github", &input).unwrap();
    let body = forge.body("PUT /api/v3/repos/acme/shop/actions/secrets/KEY");
    assert_eq!(body["key_id"], json!("7"));
    assert_eq!(body["encrypted_value"].as_str().unwrap().len(), (32_usize + 16 + 7).div_ceil(3) * 4);
    assert_eq!(
        forge.body("POST /api/v3/repos/acme/shop/actions/variables"),
        json!({"name": "A", "value": "b"})
    );
    assert!(!forge.seen().iter().any(|seen| seen.body.to_string().contains("hunter2")));
}

#[test]
fn wrong_inputs_are_told_before_anything_is_asked() {
    let forge = Forge::new(github);
    let bench = Bench::new(&forge, HostType::Github);
    let host = forge.host();
    let cases = [
        (json!({"repoUrl": format!("{host}?repo=x")}), "missing owner"),
        (
            json!({"repoUrl": "git.acme.io?owner=a&repo=b"}),
            "No matching integration configuration for host git.acme.io",
        ),
        (json!({"repoUrl": "gitlab.com?owner=a&repo=b"}), "works with hosts of type github"),
        (json!({"repoUrl": format!("{host}?owner=a&repo=b"), "sourcePath": "../.."}), "leads outside"),
        (json!({"repoUrl": format!("{host}?owner=a&repo=b"), "defaultBranch": "a b"}), "no name of a branch"),
        (json!({"repoUrl": format!("{host}?owner=a&repo=b"), "signCommit": true}), "no signing key"),
    ];
    for (input, message) in cases {
        let error = bench.effects("publish:github", &input).unwrap_err();
        assert!(error.message.contains(message), "{input}: {error}");
    }
    assert_eq!(forge.lines(), [""; 0]);
}
