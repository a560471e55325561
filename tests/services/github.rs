//! The source `github` against a scripted server.

mod fake;

use crate::{api, component, group, load, loader, location, refs, within};
use devportal::catalog::{Catalog, Loader, Progress, ProgressEvent};
use devportal::config::secret::SecretSource;
use devportal::config::source::SourceConfig;
use fake::{Fake, Repo, Seen};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wiremock::ResponseTemplate;

const DESCRIPTOR: &str = "catalog-info.yaml";

fn open(fake: &Fake) -> SourceConfig {
    let mut source = SourceConfig::new("github", "company");
    source.url = Some(fake.url());
    source.organization = Some("acme".into());
    source
}

fn source(fake: &Fake) -> SourceConfig {
    let mut source = open(fake);
    source.token = Some(SecretSource::Command(vec!["echo".into(), "secret-token".into()]));
    source
}

/// Reads again even what was read a moment ago.
fn load_again(loader: &Loader) -> Arc<Catalog> {
    loader.refresh(0, None, &Progress::none());
    loader.join()
}

/// Returns the codes of what is wrong, without owners that nobody describes.
fn wrong(catalog: &Catalog) -> Vec<&'static str> {
    crate::codes(catalog).into_iter().filter(|code| *code != "catalog::dangling-ref").collect()
}

fn one_descriptor(files: &[(&str, &str)]) -> Fake {
    Fake::new(vec![Repo::new("one", files)])
}

fn listings(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| seen.is_listing()).count()
}

#[test]
fn five_thousand_repositories_cost_fifty_requests() {
    within(Duration::from_secs(120), || {
        let fake = Fake::of(5000, 1);
        let loader = loader(vec![source(&fake)]);
        let first = load_again(&loader);
        assert_eq!((first.len(), wrong(&first)), (5000, vec![]));
        let seen = fake.take();
        assert_eq!((seen.len(), listings(&seen)), (50, 50));
        let bytes: usize = seen.iter().map(|seen| seen.sent).sum();

        // with nothing changed no content moves
        assert_eq!(load_again(&loader).len(), 5000);
        let again = fake.take();
        assert_eq!((again.len(), listings(&again)), (50, 50));
        assert!(again.iter().all(|seen| seen.body["variables"]["texts"] == false));
        assert!(again.iter().map(|seen| seen.sent).sum::<usize>() < bytes, "{bytes}");

        // one more request brings what changed, wherever it is
        {
            let mut world = fake.world();
            for at in [7, 2345, 4999] {
                world.repos[at].files.insert(DESCRIPTOR.into(), group(&format!("new-{at}")));
                world.repos[at].head += 1;
            }
        }
        let changed = load_again(&loader);
        assert_eq!(changed.len(), 5000);
        for at in [7, 2345, 4999] {
            assert!(changed.find(&format!("group:default/new-{at}")).is_some());
        }
        assert_eq!(fake.take().len(), 53);
    });
}

#[test]
fn a_listing_that_was_cut_goes_on_where_it_stopped() {
    within(Duration::from_secs(60), || {
        let fake = Fake::of(5000, 50);
        let loader = loader(vec![source(&fake)]);
        let mut left = 20;
        fake.fault(move |_| {
            left -= 1;
            (left < 0).then(|| ResponseTemplate::new(400))
        });
        let cut = load_again(&loader);
        assert_eq!(wrong(&cut), ["source::network", "source::listing-cut"]);
        let note = cut.diagnostics().iter().find(|d| d.code == "source::listing-cut").unwrap();
        assert!(note.message.starts_with("2000 of 5000 repositories"), "{note:?}");
        assert_eq!(cut.len(), 40);
        assert_eq!(fake.take().len(), 21);
        fake.works_again();
        let whole = load_again(&loader);
        assert_eq!((whole.len(), wrong(&whole)), (100, vec![]));
        assert_eq!(fake.take().len(), 30);
    });
}

#[test]
fn a_listing_that_was_cancelled_goes_on_where_it_stopped() {
    within(Duration::from_secs(60), || {
        let fake = Fake::of(1000, 10);
        let loader = loader(vec![source(&fake)]);
        let cancel = tokio_util::sync::CancellationToken::new();
        let stop = cancel.clone();
        let progress = Progress::new(move |event| {
            if matches!(event, ProgressEvent::Amount { done, .. } if done >= 400) {
                stop.cancel();
            }
        })
        .cancelled_by(cancel);
        assert_eq!(wrong(&loader.load(&progress)), ["source::cancelled"]);
        assert_eq!(fake.take().len(), 4);
        assert_eq!(load_again(&loader).len(), 100);
        assert_eq!(fake.take().len(), 6);
    });
}

#[test]
fn fifty_thousand_repositories_are_gone_through() {
    within(Duration::from_secs(120), || {
        let fake = Fake::of(50_000, 100);
        let amounts = Arc::new(Mutex::new(Vec::new()));
        let told = amounts.clone();
        let progress = Progress::new(move |event| {
            if let ProgressEvent::Amount { done, total, unit: "repositories", .. } = event {
                told.lock().unwrap().push((done, total));
            }
        });
        assert_eq!(loader(vec![source(&fake)]).load(&progress).len(), 500);
        assert_eq!(fake.take().len(), 500);
        let amounts = amounts.lock().unwrap();
        assert!(amounts.contains(&(25_000, Some(50_000))));
        assert_eq!(amounts.last(), Some(&(50_000, Some(50_000))));
    });
}

#[test]
fn limits_are_waited_for() {
    let soon = || (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2)).as_second().to_string();
    let answers: [fn(String) -> ResponseTemplate; 3] = [
        |_| ResponseTemplate::new(429).insert_header("retry-after", "1"),
        |reset| {
            ResponseTemplate::new(403)
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", &*reset)
        },
        |reset| {
            ResponseTemplate::new(200)
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", &*reset)
                .set_body_string(
                    r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#,
                )
        },
    ];
    for answer in answers {
        within(Duration::from_secs(30), move || {
            let fake = Fake::of(3, 1);
            let mut first = Some(answer(soon()));
            fake.fault(move |_| first.take());
            let waited: Arc<Mutex<usize>> = Arc::default();
            let count = waited.clone();
            let progress = Progress::new(move |event| {
                if matches!(event, ProgressEvent::Limited { .. }) {
                    *count.lock().unwrap() += 1;
                }
            });
            let catalog = loader(vec![source(&fake)]).load(&progress);
            assert_eq!((catalog.len(), wrong(&catalog)), (3, vec![]));
            assert_eq!(fake.take().len(), 2);
            assert!(*waited.lock().unwrap() > 0);
        });
    }
}

#[test]
fn refusals_say_what_to_do() {
    let denied = r#"{"data":{"repositoryOwner":null},"errors":[{"type":"FORBIDDEN","message":"needs single sign-on"}]}"#;
    let cases = [
        (Some(ResponseTemplate::new(401)), "source::refused", "the token is not accepted"),
        (Some(ResponseTemplate::new(403)), "source::refused", "the token may not read this"),
        (Some(ResponseTemplate::new(200).set_body_string(denied)), "source::refused", "needs single sign-on"),
        (None, "source::unreadable", "there is no organisation or user `nobody`"),
    ];
    for (answer, code, words) in cases {
        let fake = Fake::of(3, 1);
        let mut source = source(&fake);
        match answer {
            Some(answer) => fake.fault(move |_| Some(answer.clone())),
            None => source.organization = Some("nobody".into()),
        }
        let catalog = load(source);
        assert_eq!(wrong(&catalog), [code], "{words}");
        let shown = format!("{:?}", catalog.diagnostics());
        assert!(shown.contains(words) && !shown.contains("secret-token"), "{shown}");
        assert!(catalog.diagnostics()[0].hint.is_some());
    }
}

#[test]
fn a_server_that_times_out_is_asked_for_less() {
    within(Duration::from_secs(60), || {
        let fake = Fake::of(200, 1);
        fake.fault(|seen| {
            let slow = seen.is_listing() && seen.body["variables"]["size"].as_u64() > Some(30);
            let words = r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout"}]}"#;
            slow.then(|| ResponseTemplate::new(200).set_body_string(words))
        });
        let catalog = load(source(&fake));
        assert_eq!((catalog.len(), wrong(&catalog)), (200, vec![]));
        // 100 and 50 fail; it stays at 25
        assert_eq!(fake.take().len(), 2 + 8);
    });
}

#[test]
fn one_broken_repository_is_one_diagnostic() {
    let fake = Fake::of(4, 1);
    {
        let mut world = fake.world();
        world.repos[1].broken = true;
        (world.repos[2].truncated, world.repos[2].vanished) = (true, true);
    }
    let loader = loader(vec![source(&fake)]);
    let catalog = load_again(&loader);
    assert_eq!(refs(&catalog), ["component:default/repo-00000", "component:default/repo-00003"]);
    assert_eq!(wrong(&catalog), ["source::repository"]);
    assert!(
        catalog.diagnostics()[0].message.contains("Something odd happened"),
        "{:?}",
        catalog.diagnostics()
    );
    // both are there again the next time
    {
        let mut world = fake.world();
        world.repos[1].broken = false;
        world.repos[2].vanished = false;
    }
    assert_eq!(load_again(&loader).len(), 4);
}

#[test]
fn a_file_that_is_cut_off_comes_whole_over_rest() {
    let fake = Fake::of(2, 1);
    fake.world().repos[1].truncated = true;
    let loader = loader(vec![source(&fake)]);
    let catalog = load_again(&loader);
    assert_eq!((catalog.len(), wrong(&catalog)), (2, vec![]));
    let paths: Vec<String> = fake.take().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths.len(), 3);
    assert!(paths[2].starts_with("/api/v3/repos/acme/repo-00001/git/blobs/"), "{paths:?}");
    load_again(&loader);
    assert_eq!(fake.take().len(), 1);
}

#[test]
fn descriptors_lead_on_within_the_forge_with_the_token_and_elsewhere_without() {
    let elsewhere = Fake::of(0, 1);
    let all = location(
        "all",
        &format!(
            "  targets: [./apis/*.yaml, ../two/blob/main/x.yaml, ./gone.yaml, '{}/api/v3/none.yaml']\n",
            elsewhere.url()
        ),
    );
    let fake = Fake::new(vec![
        Repo::new(
            "one",
            &[
                (DESCRIPTOR, &all),
                ("apis/a.yaml", &api("a", "$text: ./spec.txt")),
                ("apis/b.yaml", &api("b", "$text: /top.txt")),
                ("apis/spec.txt", "text of a"),
                ("top.txt", "text of b"),
            ],
        ),
        Repo::new("two", &[("x.yaml", &group("team"))]),
    ]);
    let all = all.replace("../two/blob/main/x.yaml", &format!("{}/acme/two/blob/main/x.yaml", fake.url()));
    fake.world().repos[0].files.insert(DESCRIPTOR.into(), all);
    let loader = loader(vec![source(&fake)]);
    let catalog = load_again(&loader);
    assert_eq!(
        refs(&catalog),
        ["api:default/a", "api:default/b", "group:default/team", "location:default/all"],
        "{:?}",
        catalog.diagnostics()
    );
    // one for the file that is not there, one for the address elsewhere
    assert_eq!(wrong(&catalog), ["catalog::target-not-fetched", "catalog::target-not-fetched"]);
    let json = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap().to_json();
    assert_eq!(json("api:default/a")["spec"]["definition"], "text of a");
    assert_eq!(json("api:default/b")["spec"]["definition"], "text of b");
    let annotations = &json("api:default/a")["metadata"]["annotations"];
    let page = |path: &str| format!("url:{}/acme/one/{path}", fake.url());
    assert_eq!(annotations["backstage.io/managed-by-location"], page("blob/main/apis/a.yaml"));
    assert_eq!(annotations["backstage.io/managed-by-origin-location"], page("blob/main/catalog-info.yaml"));
    assert_eq!(annotations["backstage.io/source-location"], page("tree/main/apis/"));
    assert!(fake.take().iter().all(|seen| seen.token.as_deref() == Some("Bearer secret-token")));
    let other = elsewhere.take();
    assert!(!other.is_empty() && other.iter().all(|seen| seen.token.is_none()), "{other:?}");

    // nothing changed: the listing alone
    assert_eq!(load_again(&loader).len(), 4);
    assert_eq!(fake.take().len(), 1);
    // a new head: what the descriptors name is read again
    {
        let mut world = fake.world();
        world.repos[0].head += 1;
        world.repos[0].files.insert("apis/c.yaml".into(), group("c"));
        world.repos[0].files.insert("apis/spec.txt".into(), "new text".into());
    }
    let catalog = load_again(&loader);
    assert!(catalog.find("group:default/c").is_some());
    let json = catalog.entity(catalog.find("api:default/a").unwrap()).unwrap().to_json();
    assert_eq!(json["spec"]["definition"], "new text");
}

#[test]
fn patterns_find_several_descriptors_a_repository() {
    let files = [
        ("services/a/catalog-info.yaml", component("a")),
        ("services/b/catalog-info.yaml", component("b")),
        ("services/b/deep/catalog-info.yaml", component("deep")),
        ("catalog-info.yaml", component("top")),
        ("services/.hidden/catalog-info.yaml", component("hidden")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    // pattern, names, requests for trees
    let cases: [(&str, &[&str], usize); 3] = [
        ("/services/*/catalog-info.yaml", &["a", "b"], 0),
        ("**/catalog-info.yaml", &["a", "b", "deep", "top"], 1),
        ("{services,other}/*/catalog-info.yaml", &["a", "b"], 0),
    ];
    for (glob, names, trees) in cases {
        let fake = one_descriptor(&files);
        let mut source = source(&fake);
        source.catalog_path = Some(glob.into());
        let loader = loader(vec![source]);
        let catalog = load_again(&loader);
        let expected: Vec<String> = names.iter().map(|name| format!("component:default/{name}")).collect();
        assert_eq!(refs(&catalog), expected, "{glob}: {:?}", catalog.diagnostics());
        let seen = fake.take();
        assert_eq!(seen.iter().filter(|seen| seen.path.contains("/git/trees/")).count(), trees, "{glob}");
        load_again(&loader);
        assert_eq!(fake.take().len(), 1, "{glob}");
        fake.world().repos[0].head += 1;
        load_again(&loader);
        assert_eq!(fake.take().len(), 1 + trees, "{glob}");
    }
}

#[test]
fn the_filter_of_repositories_is_applied() {
    let fake = Fake::of(6, 1);
    {
        let mut world = fake.world();
        world.repos[0].archived = true;
        world.repos[1].fork = true;
        world.repos[2].topics = vec!["portal".into()];
        world.repos[3].topics = vec!["portal".into(), "old".into()];
        world.repos[4].topics = vec!["portal".into()];
    }
    let mut source = source(&fake);
    source.repositories.topics = vec!["portal".into()];
    source.repositories.exclude_topics = vec!["old".into()];
    source.repositories.name = Some("repo-0000[0-3]".into());
    assert_eq!(refs(&load(source)), ["component:default/repo-00002"]);
}

#[test]
fn without_a_token_pages_are_conditional_and_unchanged_repositories_cost_nothing() {
    let fake = Fake::of(250, 2);
    let loader = loader(vec![open(&fake)]);
    let catalog = load_again(&loader);
    assert_eq!((catalog.len(), wrong(&catalog)), (125, vec![]));
    assert_eq!(fake.take().len(), 3 + 250);
    assert_eq!(load_again(&loader).len(), 125);
    let again = fake.take();
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|seen| seen.conditional && seen.sent == 0), "{again:?}");
    {
        let mut world = fake.world();
        world.repos[120].head += 1;
        world.repos[120].files.insert(DESCRIPTOR.into(), group("new"));
    }
    assert!(load_again(&loader).find("group:default/new").is_some());
    assert_eq!(fake.take().len(), 4);
}

#[test]
fn a_branch_of_ones_own_is_read() {
    let fake = Fake::of(1, 1);
    let mut source = source(&fake);
    source.branch = Some("release/2".into());
    let catalog = load(source);
    let seen = fake.take();
    assert_eq!(seen[0].body["variables"]["expression"], "release/2:catalog-info.yaml");
    let json = catalog.entity(catalog.find("component:default/repo-00000").unwrap()).unwrap().to_json();
    assert_eq!(
        json["metadata"]["annotations"]["backstage.io/managed-by-location"],
        format!("url:{}/acme/repo-00000/blob/release/2/catalog-info.yaml", fake.url())
    );
}

#[test]
fn an_endless_listing_is_told() {
    within(Duration::from_secs(60), || {
        let fake = Fake::of(0, 1);
        let mut page = 0;
        fake.fault(move |_| {
            page += 1;
            let body = format!(
                r#"{{"data":{{"repositoryOwner":{{"repositories":{{"pageInfo":{{"hasNextPage":true,"endCursor":"{page}"}},"nodes":[]}}}}}}}}"#
            );
            Some(ResponseTemplate::new(200).set_body_string(body))
        });
        let catalog = load(source(&fake));
        assert_eq!(wrong(&catalog), ["source::unreadable"]);
        assert!(fake.take().len() < 30);
    });
}

#[test]
fn a_place_to_go_on_that_was_forgotten_starts_the_listing_anew() {
    let fake = Fake::of(300, 10);
    let loader = loader(vec![source(&fake)]);
    fake.fault(|seen| (seen.body["variables"]["after"] == "200").then(|| ResponseTemplate::new(400)));
    load_again(&loader);
    let mut once =
        Some(ResponseTemplate::new(200).set_body_string(
            r#"{"errors":[{"type":"INVALID_CURSOR_ARGUMENTS","message":"no valid cursor"}]}"#,
        ));
    fake.fault(move |_| once.take());
    fake.take();
    let catalog = load_again(&loader);
    assert_eq!((catalog.len(), wrong(&catalog)), (30, vec![]));
    assert_eq!(fake.take().len(), 4);
}

/// Teams with members, one in another, one of more members than a page holds.
fn organization(fake: &Fake) {
    let login = |at: usize| serde_json::json!({ "login": format!("user-{at:03}") });
    let mut world = fake.world();
    world.teams = (0..60)
        .map(|at| {
            let members: Vec<_> = if at == 1 { (0..250).map(login).collect() } else { vec![login(at)] };
            serde_json::json!({
                "slug": format!("team-{at:02}"), "combinedSlug": format!("acme/team-{at:02}"),
                "name": format!("Team {at}"), "description": null, "avatarUrl": "https://a.example/t.png",
                "editTeamUrl": format!("https://github.com/orgs/acme/teams/team-{at:02}/edit"),
                "parentTeam": (at == 1).then(|| serde_json::json!({"slug": "team-00"})),
                "logins": members,
            })
        })
        .collect();
    world.users = (0..250)
        .map(|at| {
            serde_json::json!({
                "login": format!("user-{at:03}"), "name": format!("User {at}"), "bio": "",
                "email": format!("user-{at}@acme.io"), "avatarUrl": "https://a.example/u.png",
            })
        })
        .collect();
}

#[test]
fn teams_and_members_become_groups_and_users() {
    let fake = Fake::of(1, 1);
    organization(&fake);
    let mut source = source(&fake);
    source.org = true;
    let loader = loader(vec![source]);
    let catalog = load_again(&loader);
    assert_eq!((catalog.len(), wrong(&catalog)), (1 + 60 + 250, vec![]), "{:?}", catalog.diagnostics());
    // the listing, two pages of teams, two more of the large team, three of members
    assert_eq!(fake.take().len(), 1 + 2 + 2 + 3);
    let json = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap().to_json();
    let team = json("group:default/team-01");
    assert_eq!(team["spec"]["type"], "team");
    assert_eq!(team["spec"]["parent"], "team-00");
    assert_eq!(team["spec"]["profile"]["displayName"], "Team 1");
    assert_eq!(team["spec"]["members"].as_array().unwrap().len(), 250);
    assert_eq!(json("group:default/team-00")["spec"]["children"], serde_json::json!(["team-01"]));
    let annotations = &team["metadata"]["annotations"];
    assert_eq!(annotations["github.com/team-slug"], "acme/team-01");
    assert_eq!(annotations["backstage.io/edit-url"], "https://github.com/orgs/acme/teams/team-01/edit");
    assert_eq!(
        annotations["backstage.io/managed-by-location"],
        format!("url:{}/orgs/acme/teams/team-01", fake.url())
    );
    let user = json("user:default/user-002");
    assert_eq!(user["spec"]["memberOf"], serde_json::json!(["team-01", "team-02"]));
    assert_eq!(user["spec"]["profile"]["email"], "user-2@acme.io");
    assert_eq!(user["metadata"]["annotations"]["github.com/user-login"], "user-002");
    assert!(user["metadata"].get("description").is_none());

    // what was read stays when teams cannot be read any more, and repositories are read nevertheless
    fake.world().repos.push(Repo::new("two", &[(DESCRIPTOR, &group("two"))]));
    fake.fault(|seen| {
        let denied = r#"{"data":{"organization":null},"errors":[{"type":"INSUFFICIENT_SCOPES","message":"needs read:org"}]}"#;
        let org = seen.body["query"].as_str().unwrap_or_default().contains("organization(");
        org.then(|| ResponseTemplate::new(200).set_body_string(denied))
    });
    let catalog = load_again(&loader);
    assert_eq!(wrong(&catalog), ["source::org"]);
    assert_eq!(catalog.len(), 2 + 60 + 250);
}

#[test]
fn members_are_read_without_mail_addresses_where_the_token_may_not_see_them() {
    let fake = Fake::of(0, 1);
    organization(&fake);
    fake.fault(|seen| {
        let denied =
            r#"{"data":null,"errors":[{"type":"INSUFFICIENT_SCOPES","message":"needs user:email"}]}"#;
        let email = seen.body["query"].as_str().unwrap_or_default().contains(" email ");
        email.then(|| ResponseTemplate::new(200).set_body_string(denied))
    });
    let mut source = source(&fake);
    source.org = true;
    let catalog = load(source);
    assert_eq!((catalog.len(), wrong(&catalog)), (310, vec![]));
}

#[test]
fn an_owner_that_is_not_named_is_taken_from_codeowners_and_marked() {
    let lacking = |name: &str| component(name).replace("  owner: team\n", "");
    let (top, pay, mail, named) = (lacking("top"), lacking("pay"), lacking("mail"), component("named"));
    let rules = "* @acme/all\n/services/pay/ @bo\n/services/mail/ nobody@acme.io user-7@acme.io\n";
    let fake = one_descriptor(&[
        (DESCRIPTOR, &top),
        ("services/pay/catalog-info.yaml", &pay),
        ("services/mail/catalog-info.yaml", &mail),
        ("services/named/catalog-info.yaml", &named),
        (".github/CODEOWNERS", rules),
    ]);
    organization(&fake);
    let mut source = source(&fake);
    source.catalog_path = Some("**/catalog-info.yaml".into());
    (source.codeowners, source.org) = (true, true);
    let loader = loader(vec![source]);
    let owners = |catalog: &Catalog| {
        ["top", "pay", "mail", "named"].map(|name| {
            let id = catalog.find(&format!("component:default/{name}")).unwrap();
            let json = catalog.entity(id).unwrap().to_json();
            let from = json["metadata"]["annotations"]["devportal.io/owner-from"].as_str().unwrap_or("");
            format!("{} {from}", json["spec"]["owner"].as_str().unwrap_or("none"))
        })
    };
    let catalog = load_again(&loader);
    assert_eq!(
        owners(&catalog),
        [
            "group:all .github/CODEOWNERS:1",
            "user:bo .github/CODEOWNERS:2",
            "user:user-007 .github/CODEOWNERS:3",
            "team ",
        ]
    );
    // the descriptor is still told about, as a hint
    let told: Vec<_> = catalog.diagnostics().iter().filter(|d| d.code == "catalog::missing-field").collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|d| !d.is_error() && d.message.contains("CODEOWNERS:")), "{told:?}");
    let requests = |seen: Vec<Seen>| {
        seen.iter().filter(|seen| seen.body["query"].as_str().is_some_and(|q| q.contains("r0:"))).count()
    };
    fake.take();
    load_again(&loader);
    assert_eq!(requests(fake.take()), 0);
    {
        let mut world = fake.world();
        world.repos[0].head += 1;
        world.repos[0].files.insert(".github/CODEOWNERS".into(), "* @acme/others\n".into());
    }
    assert_eq!(owners(&load_again(&loader))[0], "group:others .github/CODEOWNERS:1");
}

#[test]
fn codeowners_of_a_folder_are_read_where_the_source_asks_for_them() {
    let lacking = component("a").replace("  owner: team\n", "");
    let folder = crate::Folder::new(&[("x/catalog-info.yaml", &lacking)]);
    let mut source = folder.source();
    let owner = |loader: &Loader| {
        let catalog = load_again(loader);
        let json = catalog.entity(catalog.find("component:default/a").unwrap()).unwrap().to_json();
        json["spec"]["owner"].as_str().map(str::to_owned)
    };
    let without = loader(vec![source.clone()]);
    source.codeowners = true;
    let with = loader(vec![source]);
    assert_eq!((owner(&without), owner(&with)), (None, None));
    folder.write("docs/CODEOWNERS", "x/ @acme/payments\n");
    assert_eq!((owner(&without), owner(&with).as_deref()), (None, Some("group:payments")));
    folder.write("CODEOWNERS", "* @acme/all\n");
    assert_eq!(owner(&with).as_deref(), Some("group:all"));
}
