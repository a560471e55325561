//! GitLab, Gitea, Azure, Bitbucket: new repositories, against scripted ones that take pushes.

use super::bench::{Bench, TOKEN, integration};
use super::server::{Forge, Reply, Seen, bare, has_http_backend, reply};
use crate::git_remote::git;
use devportal::config::integration::{HostType, PushOver};
use devportal::net::NetOptions;
use serde_json::{Value as Json, json};

/// Publishes a small workspace and returns the outputs with what was asked of the API.
fn publish(forge: &Forge, kind: HostType, id: &str, input: &Json) -> (Json, Vec<String>) {
    let mut bench = Bench::new(forge, kind);
    bench.write("README.md", "hello\n");
    let foreseen = bench.foreseen(id, input);
    let out = bench.run(id, input).unwrap_or_else(|error| panic!("{id}: {error} ({})", error.hint));
    // what a review shows is what comes of it
    for (name, value) in foreseen.as_object().unwrap() {
        assert_eq!(&out[name], value, "{id}: {name}");
    }
    let said = format!("{:?}{:?}", bench.log, bench.warnings);
    assert!(!said.contains(TOKEN), "{said}");
    let lines =
        forge.lines().into_iter().filter(|line| !line.contains("/git-") && !line.contains("/info/refs"));
    (out, lines.collect())
}

fn pushed(forge: &Forge, path: &str, branch: &str, out: &Json) {
    let repository = forge.repository(path);
    assert_eq!(git(&repository, &["rev-parse", branch]), out["commitHash"].as_str().unwrap());
    assert_eq!(git(&repository, &["ls-tree", "-r", "--name-only", branch]), "README.md");
}

fn gitlab(forge: &Forge, seen: &Seen) -> Reply {
    assert_eq!(seen.credential.as_deref(), Some(&*format!("Bearer {TOKEN}")));
    let project = |forge: &Forge| {
        let page = format!("{}/acme/pay/shop", forge.url());
        json!({"id": 42, "http_url_to_repo": format!("{page}.git"), "ssh_url_to_repo": "", "default_branch": "main"})
    };
    match seen.line.as_str() {
        "GET /api/v4/namespaces/acme%2Fpay" => reply(200, &json!({"id": 7, "kind": "group"})),
        "GET /api/v4/user" => reply(200, &json!({"id": 3})),
        "POST /api/v4/projects" => {
            forge.make_repository("acme/pay/shop.git");
            reply(201, &project(forge))
        }
        "GET /api/v4/projects/acme%2Fpay%2Fshop" => {
            let exists = forge.repository("acme/pay/shop.git").exists();
            if exists {
                reply(200, &project(forge))
            } else {
                reply(404, &json!({"message": "404 Project Not Found"}))
            }
        }
        line if line.starts_with("POST /api/v4/projects/42/") => reply(201, &json!({})),
        _ => reply(404, &json!({"message": "404 Not Found"})),
    }
}

#[test]
fn a_workspace_becomes_a_project_of_gitlab() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(gitlab).needs("oauth2", TOKEN);
    let input = json!({
        "repoUrl": format!("{}?owner=acme%2Fpay&repo=shop", forge.host()), "defaultBranch": "main",
        "settings": {"topics": ["a"], "visibility": "internal"},
        "branches": [{"name": "dev", "create": true, "protect": true, "ref": "main"}],
        "projectVariables": [{"key": "K", "value": "v", "masked": true}],
    });
    let (out, lines) = publish(&forge, HostType::Gitlab, "publish:gitlab", &input);
    pushed(&forge, "acme/pay/shop.git", "main", &out);
    assert_eq!(out["projectId"], json!(42));
    assert_eq!(
        lines,
        [
            "GET /api/v4/namespaces/acme%2Fpay",
            "GET /api/v4/user",
            "POST /api/v4/projects",
            "POST /api/v4/projects/42/repository/branches?branch=dev&ref=main",
            "POST /api/v4/projects/42/protected_branches?name=dev",
            "POST /api/v4/projects/42/variables",
        ]
    );
    let body = json!({"namespace_id": 7, "name": "shop", "visibility": "internal", "topics": ["a"]});
    assert_eq!(forge.body("POST /api/v4/projects"), body);
    let variable = forge.body("POST /api/v4/projects/42/variables");
    assert_eq!((&variable["masked"], &variable["environment_scope"]), (&json!(true), &json!("*")));
    // again, told to leave it alone
    let input = json!({"repoUrl": input["repoUrl"], "skipExisting": true});
    let mut bench = Bench::new(&forge, HostType::Gitlab);
    assert_eq!(bench.run("publish:gitlab", &input).unwrap()["created"], json!(false));
    let input = json!({"repoUrl": format!("{}?owner=nobody&repo=shop", forge.host())});
    let error = bench.run("publish:gitlab", &input).unwrap_err();
    assert!(error.message.contains("The namespace nobody is not found"), "{error}");
}

#[test]
fn a_project_without_a_push_is_wanted_by_some() {
    let forge = Forge::new(gitlab);
    let input =
        json!({"repoUrl": format!("{}?owner=acme%2Fpay&repo=shop", forge.host()), "sourcePath": false});
    let mut bench = Bench::new(&forge, HostType::Gitlab);
    assert_eq!(bench.effects("publish:gitlab", &input).unwrap().len(), 1);
    let out = bench.run("publish:gitlab", &input).unwrap();
    assert_eq!((&out["created"], &out["commitHash"]), (&json!(true), &Json::Null));
}

#[test]
fn a_workspace_becomes_a_repository_of_gitea() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(|forge, seen| {
        assert_eq!(seen.credential.as_deref(), Some(&*format!("token {TOKEN}")));
        match seen.line.as_str() {
            "GET /api/v1/orgs/acme" => reply(200, &json!({"id": 1})),
            "GET /api/v1/user" => reply(200, &json!({"login": "ana"})),
            "POST /api/v1/orgs/acme/repos" => {
                forge.make_repository("acme/shop.git");
                reply(201, &json!({"clone_url": "http://elsewhere.example/acme/shop.git"}))
            }
            _ => reply(404, &json!({"message": "not found"})),
        }
    })
    .needs("x-access-token", TOKEN);
    let input = json!({"repoUrl": format!("{}?owner=acme&repo=shop", forge.host()), "description": "d"});
    let (out, lines) = publish(&forge, HostType::Gitea, "publish:gitea", &input);
    pushed(&forge, "acme/shop.git", "main", &out);
    assert_eq!(lines, ["GET /api/v1/orgs/acme", "POST /api/v1/orgs/acme/repos"]);
    let mut bench = Bench::new(&forge, HostType::Gitea);
    let input = json!({"repoUrl": format!("{}?owner=other&repo=shop", forge.host())});
    let error = bench.run("publish:gitea", &input).unwrap_err();
    assert!(error.message.contains("Organization other do not exist"), "{error}");
}

#[test]
fn a_workspace_becomes_a_repository_of_azure() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(|forge, seen| match seen.line.as_str() {
        "POST /org/the%20project/_apis/git/repositories?api-version=6.0" => {
            forge.make_repository("org/the project/_git/shop");
            let page = format!("{}/org/the%20project/_git/shop", forge.url());
            let remote = page.replace("http://", "http://org@");
            reply(201, &json!({"id": "1-2", "remoteUrl": remote, "webUrl": page}))
        }
        _ => reply(404, &json!({"message": "TF200016: The following project does not exist"})),
    })
    .needs("pat", TOKEN);
    let input =
        json!({"repoUrl": format!("{}?organization=org&project=the%20project&repo=shop", forge.host())});
    let mut bench = Bench::new(&forge, HostType::Azure);
    bench.write("README.md", "hello\n");
    let out = bench.run("publish:azure", &input).unwrap();
    pushed(&forge, "org/the project/_git/shop", "master", &out);
    assert_eq!(out["repositoryId"], json!("1-2"));
    assert_eq!(
        forge.body("POST /org/the%20project/_apis/git/repositories?api-version=6.0"),
        json!({"name": "shop"})
    );
    let input = json!({"repoUrl": format!("{}?project=p&repo=shop", forge.host())});
    assert!(bench.effects("publish:azure", &input).unwrap_err().message.contains("missing organization"));
}

/// Answers as Bitbucket Cloud does; the repository `w/old` is there with one commit.
fn cloud(forge: &Forge, seen: &Seen) -> Reply {
    let links = |forge: &Forge, path: &str| {
        let page = format!("{}/{path}", forge.url());
        let clone = page.replace("http://", "http://ana@") + ".git";
        json!({"html": {"href": page}, "clone": [{"name": "https", "href": clone}, {"name": "ssh", "href": "git@x:y"}]})
    };
    match seen.line.as_str() {
        "POST /2.0/repositories/w/shop" => {
            forge.make_repository("w/shop.git");
            reply(200, &json!({"links": links(forge, "w/shop")}))
        }
        "GET /2.0/repositories/w/old" => {
            reply(200, &json!({"links": links(forge, "w/old"), "mainbranch": {"name": "main"}}))
        }
        line if line.starts_with("GET /2.0/repositories/w/old/refs/branches?") => {
            reply(200, &json!({"values": []}))
        }
        "POST /2.0/repositories/w/old/pullrequests" => reply(
            201,
            &json!({"links": {"html": {"href": format!("{}/w/old/pull-requests/1", forge.url())}}}),
        ),
        "POST /2.0/repositories/w/old/pipelines" => {
            let page = format!("{}/w/old", forge.url());
            reply(201, &json!({"build_number": 5, "repository": {"links": {"html": {"href": page}}}}))
        }
        _ => bare(404),
    }
}

#[test]
fn a_workspace_becomes_a_repository_of_bitbucket_cloud() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(cloud).needs("x-token-auth", TOKEN);
    let input = json!({"repoUrl": format!("{}?workspace=w&project=P&repo=shop", forge.host()),
        "repoVisibility": "public", "defaultBranch": "main"});
    let mut bench = Bench::new(&forge, HostType::BitbucketCloud);
    bench.write("README.md", "hello\n");
    let out = bench.run("publish:bitbucketCloud", &input).unwrap();
    pushed(&forge, "w/shop.git", "main", &out);
    assert_eq!(out["repoContentsUrl"], json!(format!("{}/w/shop/src/main", forge.url())));
    let body = forge.body("POST /2.0/repositories/w/shop");
    assert_eq!((&body["is_private"], &body["project"]["key"]), (&json!(false), &json!("P")));
    let input = json!({"workspace": "w", "repo_slug": "old", "body": {"target": {"ref_name": "main"}}});
    let out = bench.run("bitbucket:pipelines:run", &input).unwrap_or_default();
    // the first host of the type is asked, which is the one of the test
    assert_eq!(out["buildNumber"], json!(5));
}

/// Makes a repository with one commit on `main`.
fn seeded(forge: &Forge, path: &str) {
    let bare = forge.make_repository(path);
    let work = crate::Folder::new(&[("README.md", "old\n"), ("kept.txt", "kept\n")]);
    git(work.path(), &["init", "-q"]);
    git(work.path(), &["add", "-A"]);
    git(work.path(), &["commit", "-q", "-m", "one"]);
    git(work.path(), &["push", "-q", bare.to_str().unwrap(), "HEAD:refs/heads/main"]);
}

#[test]
fn a_pull_request_of_bitbucket_adds_to_what_is_there() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(cloud).needs("x-token-auth", TOKEN);
    seeded(&forge, "w/old.git");
    let input = json!({"repoUrl": format!("{}?workspace=w&project=P&repo=old", forge.host()),
        "title": "Add alerts", "sourceBranch": "alerts", "description": "because"});
    let mut bench = Bench::new(&forge, HostType::BitbucketCloud);
    bench.write("README.md", "hello\n");
    let out = bench.run("publish:bitbucketCloud:pull-request", &input).unwrap();
    assert_eq!(out["pullRequestUrl"], json!(format!("{}/w/old/pull-requests/1", forge.url())));
    let repository = forge.repository("w/old.git");
    assert_eq!(git(&repository, &["ls-tree", "-r", "--name-only", "alerts"]), "README.md\nkept.txt");
    assert_eq!(git(&repository, &["log", "--format=%s", "alerts"]), "because\none");
    assert_eq!(git(&repository, &["show", "alerts:README.md"]), "hello");
    // nothing differs: nothing is pushed
    bench.write("README.md", "old\n");
    let mut input = input;
    input["sourceBranch"] = json!("same");
    let error = bench.run("publish:bitbucketCloud:pull-request", &input).unwrap_err();
    assert!(error.message.contains("there is nothing to commit"), "{error}");
}

fn server(forge: &Forge, seen: &Seen) -> Reply {
    let repository = |forge: &Forge, name: &str| {
        let url = forge.url();
        json!({"links": {
            "self": [{"href": format!("{url}/projects/P/repos/{name}/browse")}],
            "clone": [{"name": "ssh", "href": "ssh://git@x/y"}, {"name": "http", "href": format!("{url}/scm/p/{name}.git")}],
        }})
    };
    match seen.line.as_str() {
        "POST /rest/api/1.0/projects/P/repos" => {
            forge.make_repository("scm/p/shop.git");
            reply(201, &repository(forge, "shop"))
        }
        "PUT /rest/git-lfs/admin/projects/P/repos/shop/enabled" => bare(204),
        "GET /rest/api/1.0/projects/P/repos/old" => reply(200, &repository(forge, "old")),
        "GET /rest/api/1.0/projects/P/repos/old/branches/default" => {
            reply(200, &json!({"displayId": "main"}))
        }
        line if line.starts_with("GET /rest/api/1.0/projects/P/repos/old/branches?") => {
            reply(200, &json!({"values": [{"displayId": "alerts-2"}]}))
        }
        "POST /rest/api/1.0/projects/P/repos/old/pull-requests" => {
            reply(201, &json!({"links": {"self": [{"href": format!("{}/pr/1", forge.url())}]}}))
        }
        _ => reply(404, &json!({"errors": [{"message": "no such thing"}]})),
    }
}

#[test]
fn bitbucket_server_takes_both() {
    if !has_http_backend() {
        return;
    }
    let forge = Forge::new(server).needs("x-token-auth", TOKEN);
    let input = json!({"repoUrl": format!("{}?project=P&repo=shop", forge.host()), "enableLFS": true});
    let (out, _) = publish(&forge, HostType::BitbucketServer, "publish:bitbucketServer", &input);
    pushed(&forge, "scm/p/shop.git", "master", &out);
    seeded(&forge, "scm/p/old.git");
    let input = json!({"repoUrl": format!("{}?project=P&repo=old", forge.host()), "title": "Add alerts",
        "sourceBranch": "alerts", "reviewers": ["jo"]});
    let mut bench = Bench::new(&forge, HostType::BitbucketServer);
    bench.write("alerts.yaml", "a: b\n");
    let out = bench.run("publish:bitbucketServer:pull-request", &input).unwrap();
    assert_eq!(out["pullRequestUrl"], json!(format!("{}/pr/1/overview", forge.url())));
    let listed = git(&forge.repository("scm/p/old.git"), &["ls-tree", "-r", "--name-only", "alerts"]);
    assert_eq!(listed, "README.md\nalerts.yaml\nkept.txt");
    let body = forge.body("POST /rest/api/1.0/projects/P/repos/old/pull-requests");
    assert_eq!(body["toRef"]["id"], json!("refs/heads/main"));
    assert_eq!(body["reviewers"], json!([{"user": {"name": "jo"}}]));
}

#[test]
fn ssh_is_used_where_it_is_configured() {
    let forge = Forge::new(gitlab);
    let mut config = integration(&forge, HostType::Gitlab);
    config.push = PushOver::Ssh;
    let mut bench = Bench::with(&[config], NetOptions::default());
    let input = json!({"repoUrl": format!("{}?owner=acme%2Fpay&repo=shop", forge.host())});
    let effects = bench.effects("publish:gitlab", &input).unwrap();
    assert!(effects[1].identity.starts_with("your ssh key at "), "{effects:?}");
    let error = bench.run("publish:gitlab", &input).unwrap_err();
    assert!(error.message.contains("names no ssh address"), "{error}");
    assert_eq!(error.left_behind.len(), 1);
}

#[test]
fn no_review_asks_anybody() {
    let forge = Forge::new(|_, _| bare(500));
    let host = forge.host();
    let cases = [
        (HostType::Gitlab, "publish:gitlab", json!({"repoUrl": format!("{host}?owner=a&repo=b")})),
        (HostType::Gitea, "publish:gitea", json!({"repoUrl": format!("{host}?owner=a&repo=b")})),
        (
            HostType::Azure,
            "publish:azure",
            json!({"repoUrl": format!("{host}?organization=o&project=p&repo=b")}),
        ),
        (
            HostType::BitbucketCloud,
            "publish:bitbucketCloud",
            json!({"repoUrl": format!("{host}?workspace=o&project=p&repo=b")}),
        ),
        (
            HostType::BitbucketServer,
            "publish:bitbucketServer",
            json!({"repoUrl": format!("{host}?project=p&repo=b")}),
        ),
        (
            HostType::Github,
            "publish:github:pull-request",
            json!({"repoUrl": format!("{host}?owner=a&repo=b"), "branchName": "x", "title": "t", "description": "d"}),
        ),
        (
            HostType::Github,
            "github:actions:dispatch",
            json!({"repoUrl": format!("{host}?owner=a&repo=b"), "workflowId": "ci.yml", "branchOrTagName": "main"}),
        ),
        (
            HostType::Gitlab,
            "publish:gitlab:merge-request",
            json!({"repoUrl": format!("{host}?owner=a&repo=b"), "branchName": "x", "title": "t"}),
        ),
        (HostType::Github, "http:request", json!({"url": format!("{}/x", forge.url()), "method": "POST"})),
    ];
    for (kind, id, input) in cases {
        let bench = Bench::new(&forge, kind);
        bench.write("a.txt", "a");
        let effects = bench.effects(id, &input).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(
            !effects.is_empty() && effects.iter().all(|effect| !effect.identity.is_empty()),
            "{id}: {effects:?}"
        );
        let _ = bench.foreseen(id, &input);
    }
    assert_eq!(forge.lines(), [""; 0]);
}
