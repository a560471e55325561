//! Pull and merge requests made over the API, and actions of one or two requests.

use super::bench::{Bench, TOKEN};
use super::server::{Forge, Reply, Seen, bare, reply};
use devportal::config::integration::HostType;
use serde_json::{Value as Json, json};

fn github(forge: &Forge, seen: &Seen) -> Reply {
    let line = seen.line.replacen(" /api/v3/repos/acme/shop", " ", 1);
    match line.as_str() {
        "GET " => reply(200, &json!({"default_branch": "main", "permissions": {"push": true}})),
        "GET /commits?sha=main&per_page=1" => {
            reply(200, &json!([{"sha": "c0", "commit": {"tree": {"sha": "t0"}}}]))
        }
        "POST /git/blobs" => {
            let content = seen.body["content"].as_str().unwrap();
            reply(201, &json!({"sha": format!("blob-{content}")}))
        }
        "POST /git/trees" => {
            reply(201, &json!({"sha": if seen.body["tree"] == json!([]) { "t0" } else { "t1" }}))
        }
        "POST /git/commits" => reply(201, &json!({"sha": "c1"})),
        "POST /git/refs" if seen.body["ref"] == json!("refs/heads/taken") => {
            reply(422, &json!({"message": "Reference already exists"}))
        }
        "POST /git/refs" => reply(201, &json!({})),
        "PATCH /git/refs/heads/taken" => reply(200, &json!({})),
        "GET /contents/old.txt?ref=main" => reply(200, &json!({})),
        "GET /pulls?state=open&head=acme%3Ataken" => reply(200, &json!([{"number": 7}])),
        "POST /pulls" | "PATCH /pulls/7" => {
            let page = format!("{}/acme/shop/pull/7", forge.url());
            reply(201, &json!({"html_url": page, "number": 7, "base": {"ref": "main"}}))
        }
        "POST /pulls/7/requested_reviewers" => {
            reply(422, &json!({"message": "Reviews may only be requested"}))
        }
        "POST /actions/workflows/ci.yml/dispatches" => bare(204),
        "POST /hooks" | "POST /issues/3/labels" | "POST /autolinks" | "POST /pages" => reply(201, &json!({})),
        "POST /issues" => reply(201, &json!({"html_url": "https://x/1", "number": 1})),
        _ => reply(404, &json!({"message": "Not Found"})),
    }
}

fn input(forge: &Forge, more: &Json) -> Json {
    let mut input = json!({"repoUrl": format!("{}?owner=acme&repo=shop", forge.host())});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn lines(forge: &Forge) -> Vec<String> {
    forge.lines().iter().map(|line| line.replacen("/api/v3/repos/acme/shop", "", 1)).collect()
}

#[test]
fn a_pull_request_goes_through_the_git_interface() {
    let forge = Forge::new(github);
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("a.txt", "A");
    #[cfg(unix)]
    std::os::unix::fs::symlink("a.txt", bench.folder.path().join("workspace/link")).unwrap();
    let more = json!({
        "branchName": "feature/x", "title": "Add it", "description": "why", "targetPath": "sub",
        "filesToDelete": ["../old.txt", "none.txt"], "reviewers": ["jo"], "draft": true,
        "gitAuthorName": "Ana",
    });
    let out = bench.run("publish:github:pull-request", &input(&forge, &more)).unwrap();
    let page = format!("{}/acme/shop/pull/7", forge.url());
    assert_eq!(out, json!({"remoteUrl": page, "targetBranchName": "main", "pullRequestNumber": 7}));
    assert_eq!(
        lines(&forge),
        [
            "GET ",
            "GET /commits?sha=main&per_page=1",
            "POST /git/blobs",
            "GET /contents/old.txt?ref=main",
            "GET /contents/sub/none.txt?ref=main",
            "POST /git/trees",
            "POST /git/commits",
            "POST /git/refs",
            "POST /pulls",
            "POST /pulls/7/requested_reviewers",
        ]
    );
    let tree = forge.body("POST /api/v3/repos/acme/shop/git/trees");
    assert_eq!(tree["base_tree"], json!("t0"));
    #[cfg(unix)]
    assert_eq!(
        tree["tree"],
        json!([
            {"path": "sub/a.txt", "mode": "100644", "type": "blob", "sha": "blob-QQ=="},
            {"path": "sub/link", "mode": "120000", "type": "blob", "content": "a.txt"},
            {"path": "old.txt", "mode": "100644", "type": "blob", "sha": null},
        ])
    );
    let commit = forge.body("POST /api/v3/repos/acme/shop/git/commits");
    assert_eq!((&commit["message"], &commit["parents"]), (&json!("Add it"), &json!(["c0"])));
    assert_eq!(commit["author"], json!({"name": "Ana", "email": "scaffolder@backstage.io"}));
    let pull = forge.body("POST /api/v3/repos/acme/shop/pulls");
    assert_eq!(
        (&pull["head"], &pull["base"], &pull["draft"]),
        (&json!("acme:feature/x"), &json!("main"), &json!(true))
    );
    assert!(
        bench.warnings.iter().any(|line| line.contains("adding reviewers to Pull request 7")),
        "{:?}",
        bench.warnings
    );
}

#[test]
fn a_taken_branch_is_updated_only_on_request() {
    let forge = Forge::new(github);
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("a.txt", "A");
    let more = json!({"branchName": "taken", "title": "t", "description": "d"});
    let error = bench.run("publish:github:pull-request", &input(&forge, &more)).unwrap_err();
    assert!(error.message.contains("Reference already exists"), "{error}");
    assert!(error.hint.contains("update: true"), "{}", error.hint);
    let more = json!({"branchName": "taken", "title": "t", "description": "d", "update": true});
    let out = bench.run("publish:github:pull-request", &input(&forge, &more)).unwrap();
    assert_eq!(out["pullRequestNumber"], json!(7));
    assert!(lines(&forge).contains(&"PATCH /pulls/7".to_owned()));
    // nothing to commit, and no request wanted for that
    std::fs::remove_file(bench.folder.path().join("workspace/a.txt")).unwrap();
    let more = json!({"branchName": "x", "title": "t", "description": "d", "createWhenEmpty": false});
    assert_eq!(bench.run("publish:github:pull-request", &input(&forge, &more)).unwrap(), json!({}));
}

#[test]
fn a_server_that_dies_half_way_leaves_a_trail() {
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "POST /api/v3/repos/acme/shop/pulls" => reply(502, &json!({"message": "bad gateway"})),
        _ => github(forge, seen),
    });
    let mut bench = Bench::new(&forge, HostType::Github);
    bench.write("a.txt", "A");
    let more = json!({"branchName": "x", "title": "t", "description": "d"});
    let error = bench.run("publish:github:pull-request", &input(&forge, &more)).unwrap_err();
    assert!(
        error.message.contains("502 Bad Gateway") && error.hint.contains("retry"),
        "{error} {}",
        error.hint
    );
    assert_eq!(error.left_behind.len(), 1, "{error:?}");
    assert_eq!(error.left_behind[0].details, ["branch x"]);
    let posts = lines(&forge).iter().filter(|line| *line == "POST /pulls").count();
    assert_eq!(posts, 1, "what may have been done is not done again");
}

#[test]
fn small_actions_of_github_send_what_the_original_sends() {
    let forge = Forge::new(github);
    let mut bench = Bench::new(&forge, HostType::Github);
    let cases: &[(&str, Json, &str, Json, Json)] = &[
        (
            "github:actions:dispatch",
            json!({"workflowId": "ci.yml", "branchOrTagName": "main", "workflowInputs": {"a": "b"}}),
            "POST /api/v3/repos/acme/shop/actions/workflows/ci.yml/dispatches",
            json!({"ref": "main", "inputs": {"a": "b"}}),
            json!({}),
        ),
        (
            "github:webhook",
            json!({"webhookUrl": "https://x.io", "webhookSecret": "s", "contentType": "json"}),
            "POST /api/v3/repos/acme/shop/hooks",
            json!({"active": true, "events": ["push"],
                "config": {"url": "https://x.io", "content_type": "json", "secret": "s", "insecure_ssl": "0"}}),
            json!({}),
        ),
        (
            "github:issues:label",
            json!({"number": "3", "labels": ["bug"]}),
            "POST /api/v3/repos/acme/shop/issues/3/labels",
            json!({"labels": ["bug"]}),
            json!({}),
        ),
        (
            "github:issues:create",
            json!({"title": "T", "labels": ["bug"]}),
            "POST /api/v3/repos/acme/shop/issues",
            json!({"title": "T", "labels": ["bug"]}),
            json!({"issueUrl": "https://x/1", "issueNumber": 1}),
        ),
        (
            "github:autolinks:create",
            json!({"keyPrefix": "T-", "urlTemplate": "https://x/<num>"}),
            "POST /api/v3/repos/acme/shop/autolinks",
            json!({"key_prefix": "T-", "url_template": "https://x/<num>", "is_alphanumeric": true}),
            json!({}),
        ),
        (
            "github:pages:enable",
            json!({}),
            "POST /api/v3/repos/acme/shop/pages",
            json!({"build_type": "workflow", "source": {"branch": "main", "path": "/"}}),
            json!({}),
        ),
    ];
    for (id, more, line, body, outputs) in cases {
        let input = input(&forge, more);
        assert_eq!(bench.effects(id, &input).unwrap().len(), 1, "{id}");
        assert_eq!(&bench.run(id, &input).unwrap(), outputs, "{id}");
        assert_eq!(&forge.body(line), body, "{id}");
    }
}

fn gitlab(forge: &Forge, seen: &Seen) -> Reply {
    let line = seen.line.replacen(" /api/v4/projects/acme%2Fshop", " ", 1);
    match line.as_str() {
        "GET " => reply(200, &json!({"id": 1, "default_branch": "main"})),
        line if line.starts_with("GET /repository/tree?ref=main") => {
            reply(200, &json!([{"path": "same.txt"}, {"path": "other.txt"}]))
        }
        "GET /repository/files/same.txt?ref=main" => reply(
            200,
            // of `A`
            &json!({"content_sha256": "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd"}),
        ),
        "GET /repository/files/other.txt?ref=main" => reply(200, &json!({"content_sha256": "0"})),
        "GET /repository/branches/taken" => reply(200, &json!({"web_url": "https://gl/taken"})),
        "GET /merge_requests?source_branch=taken" => reply(200, &json!([{"web_url": "https://gl/mr/1"}])),
        "POST /repository/branches?branch=x&ref=main" => reply(201, &json!({})),
        "POST /repository/commits" => reply(201, &json!({"id": "c1"})),
        "POST /merge_requests" => {
            reply(201, &json!({"iid": 4, "web_url": format!("{}/acme/shop/-/merge_requests/4", forge.url())}))
        }
        "GET /api/v4/users?username=jo" => reply(200, &json!([{"id": 9}])),
        "GET /api/v4/users?username=nobody" => reply(200, &json!([])),
        "GET /api/v4/groups/acme?with_projects=false" => reply(200, &json!({"id": 1})),
        "POST /api/v4/groups" => reply(201, &json!({"id": 2})),
        "POST /api/v4/projects/5/triggers" => reply(201, &json!({"id": 8, "token": "trigger"})),
        "POST /api/v4/projects/5/trigger/pipeline" => reply(201, &json!({"web_url": "https://gl/p/1"})),
        "DELETE /api/v4/projects/5/triggers/8" => bare(204),
        "POST /api/v4/projects/5/issues" => {
            reply(201, &json!({"id": 1, "iid": 2, "web_url": "https://gl/i/2"}))
        }
        "POST /api/v4/projects/5/access_tokens" => reply(201, &json!({"token": "made"})),
        "GET /api/v4/user" => {
            reply(200, &json!({"id": 3, "username": "ana", "name": "Ana", "state": "active", "web_url": "u"}))
        }
        _ => reply(404, &json!({"message": "404 Not Found"})),
    }
}

#[test]
fn a_merge_request_sends_what_differs() {
    let forge = Forge::new(gitlab);
    let mut bench = Bench::new(&forge, HostType::Gitlab);
    for (path, text) in [("same.txt", "A"), ("other.txt", "B"), ("new.txt", "C")] {
        bench.write(path, text);
    }
    let more = json!({"branchName": "x", "title": "T", "description": "D", "reviewers": ["jo", "nobody"]});
    let out = bench.run("publish:gitlab:merge-request", &input(&forge, &more)).unwrap();
    let page = format!("{}/acme/shop/-/merge_requests/4", forge.url());
    assert_eq!(
        out,
        json!({"projectid": "acme/shop", "projectPath": "acme/shop", "targetBranchName": "main", "mergeRequestUrl": page})
    );
    let commit = forge.body("POST /api/v4/projects/acme%2Fshop/repository/commits");
    let actions: Vec<(&str, &str)> = commit["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| (action["action"].as_str().unwrap(), action["file_path"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, [("create", "new.txt"), ("update", "other.txt")]);
    let request = forge.body("POST /api/v4/projects/acme%2Fshop/merge_requests");
    assert_eq!(request["reviewer_ids"], json!([9]));
    assert!(bench.warnings.iter().any(|line| line.contains("user id for nobody")), "{:?}", bench.warnings);
    let more = json!({"branchName": "taken", "title": "T"});
    let error = bench.run("publish:gitlab:merge-request", &input(&forge, &more)).unwrap_err();
    assert!(
        error.message.contains("already exists at: https://gl/taken")
            && error.message.contains("https://gl/mr/1"),
        "{error}"
    );
}

#[test]
fn small_actions_of_gitlab() {
    let forge = Forge::new(gitlab);
    let mut bench = Bench::new(&forge, HostType::Gitlab);
    let host = forge.host();
    let cases: &[(&str, Json, Json)] = &[
        (
            "gitlab:group:ensureExists",
            json!({"path": ["acme", {"name": "Pay", "slug": "pay"}]}),
            json!({"groupId": 2}),
        ),
        (
            "gitlab:pipeline:trigger",
            json!({"projectId": 5, "tokenDescription": "d", "branch": "main"}),
            json!({"pipelineUrl": "https://gl/p/1"}),
        ),
        (
            "gitlab:issues:create",
            json!({"projectId": 5, "title": "T", "dueDate": "2030-01-01"}),
            json!({"issueUrl": "https://gl/i/2", "issueId": 1, "issueIid": 2}),
        ),
        ("gitlab:projectAccessToken:create", json!({"projectId": 5}), json!({"access_token": "made"})),
        (
            "gitlab:user:info",
            json!({}),
            json!({"id": 3, "username": "ana", "name": "Ana", "state": "active", "webUrl": "u"}),
        ),
    ];
    for (id, more, outputs) in cases {
        let mut input = json!({"repoUrl": host});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(bench.effects(id, &input).is_ok(), "{id}");
        let made = bench.run(id, &input).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(&made, outputs, "{id}");
    }
    assert_eq!(forge.body("POST /api/v4/groups"), json!({"name": "Pay", "path": "pay", "parent_id": 1}));
    assert!(forge.lines().contains(&"DELETE /api/v4/projects/5/triggers/8".to_owned()));
}

#[test]
fn requests_of_a_template_hand_on_what_comes_back() {
    let forge = Forge::new(|_, seen| match seen.line.as_str() {
        "POST /api/proxy/x?a=1" => reply(200, &json!({"got": seen.body})).with("x-one", "1"),
        "GET /api/gone" => reply(410, &json!({"error": "gone"})),
        "GET /text" => bare(200),
        _ => bare(500),
    });
    let mut bench = Bench::new(&forge, HostType::Github);
    let mut source = devportal::config::source::SourceConfig::new("backstage", "company");
    source.url = Some(forge.url());
    std::fs::write(bench.folder.path().join("backstage"), TOKEN).unwrap();
    source.token = Some(devportal::config::secret::SecretSource::File(bench.folder.path().join("backstage")));
    bench.host.integrations = std::sync::Arc::new(
        devportal::scaffolder::integrations::Integrations::assemble(&[], &[source], &|_| None),
    );
    let input = json!({"path": "/api/proxy/x", "method": "POST", "params": {"a": "1"}, "body": {"k": [1]}});
    let effects = bench.effects("http:backstage:request", &input).unwrap();
    assert_eq!(effects[0].identity, "token of the source `company`");
    let out = bench.run("http:backstage:request", &input).unwrap();
    assert_eq!(
        (&out["code"], &out["body"], &out["headers"]["x-one"]),
        (&json!(200), &json!({"got": {"k": [1]}}), &json!("1"))
    );
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(forge.seen()[0].credential.as_deref(), Some(&*bearer));
    let input = json!({"path": "gone", "method": "GET"});
    let error = bench.run("http:backstage:request", &input).unwrap_err();
    assert!(error.message.contains("410 Gone: gone"), "{error}");
    let input = json!({"path": "gone", "method": "GET", "continueOnBadResponse": true});
    let out = bench.run("http:backstage:request", &input).unwrap();
    assert_eq!((&out["code"], &out["body"]["error"]), (&json!(410), &json!("gone")));
    // any other server gets no token
    let input = json!({"url": format!("{}/text", forge.url()), "method": "GET", "headers": {"X-Two": "2"}});
    assert_eq!(bench.run("http:request", &input).unwrap()["body"], json!({"message": ""}));
    let last = forge.seen().pop().unwrap();
    assert_eq!((last.credential, last.headers["x-two"].as_str()), (None, "2"));
}

#[test]
fn whoever_cancels_is_heard() {
    let forge = Forge::new(|_, _| {
        std::thread::sleep(std::time::Duration::from_secs(20));
        bare(500)
    });
    let mut bench = Bench::new(&forge, HostType::Github);
    let cancel = bench.cancel.clone();
    let stopping = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        cancel.cancel();
    });
    let input = json!({"url": format!("{}/slow", forge.url()), "method": "GET"});
    let error = bench.run("http:request", &input).unwrap_err();
    assert!(error.message.contains("cancelled"), "{error}");
    stopping.join().unwrap();
    std::mem::forget(forge);
}
