use super::super::{tables, tree};
use super::*;
use crate::config::source::SourceConfig;

/// Converts files of a folder of their own; returns what is written.
fn taken_over(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut named = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if name.starts_with("app-config") {
            named.push(path);
        }
    }
    let config = tree::load(&named).unwrap();
    let mut plan = convert(&config, folder.path());
    let text = tables::render(&mut plan.tables, &plan.left, "app-config.yaml");
    (folder, text)
}

fn sources(text: &str) -> Vec<SourceConfig> {
    #[derive(serde::Deserialize)]
    struct File {
        catalog: Catalog,
    }
    #[derive(serde::Deserialize)]
    struct Catalog {
        source: Vec<SourceConfig>,
    }
    toml::from_str::<File>(text).unwrap_or_else(|error| panic!("{error}\n{text}")).catalog.source
}

#[test]
fn providers_become_sources_of_forges() {
    let (_folder, text) = taken_over(&[(
        "app-config.yaml",
        "integrations:\n  github: [{host: github.com, token: '${GITHUB_TOKEN}'}]\n  azure: [{credentials: [{personalAccessToken: {$env: AZ}}]}]\n\
         catalog:\n  rules: [{allow: [Component, {kind: API, spec.type: openapi}]}]\n  providers:\n    github:\n      one:\n        organization: acme\n\
         \x20       catalogPath: /x.yaml\n        filters: {repository: '.*-svc', branch: main, allowForks: false, topic: {include: [a], exclude: [b]}}\n\
         \x20       schedule: {frequency: {minutes: 30}}\n    githubOrg: {id: p, orgs: [acme, other]}\n    gitlab: {host: gl.acme.io, group: a/b, orgEnabled: true, schedule: {frequency: PT2H}}\n\
         \x20   azureDevOps: {z: {organization: o, project: '*', repository: 'svc-*'}}\n    ldapOrg: {x: {}}\n",
    )]);
    let found = sources(&text);
    let names: Vec<_> = found.iter().map(|s| (s.kind.as_str(), s.name.as_str())).collect();
    assert_eq!(
        names,
        [("github", "one"), ("github", "github-other-org"), ("gitlab", "gitlab-a-b"), ("azure", "z")]
    );
    let github = &found[0];
    assert!(github.org && github.every == Some(std::time::Duration::from_secs(1800)));
    assert_eq!(github.repositories.name.as_deref(), Some(".*-svc"));
    assert!(
        !github.repositories.forks
            && github.repositories.topics == ["a"]
            && github.repositories.exclude_topics == ["b"]
    );
    assert_eq!(github.allow.len(), 4, "Group and User come with the organisation");
    assert_eq!(github.token, Some(crate::config::secret::SecretSource::Env("GITHUB_TOKEN".into())));
    assert_eq!(found[2].url.as_deref(), Some("https://gl.acme.io"));
    assert_eq!(found[3].repositories.name.as_deref(), Some("svc\\-.*"));
    assert_eq!(found[3].token, Some(crate::config::secret::SecretSource::Env("AZ".into())));
    assert!(text.contains("catalog.providers.ldapOrg: only a backend reads it"), "{text}");
}

#[test]
fn no_secret_is_copied() {
    let (_folder, text) = taken_over(&[
        (
            "app-config.yaml",
            "integrations:\n  github: [{host: ghe.acme.io, token: hunter2-written}]\n  gitlab: [{token: {$file: t.txt}}]\n  gitea: [{host: g.io, username: u, password: 'x${P}hunter2'}]\n\
             backend: {baseUrl: 'https://p.example.com', auth: {externalAccess: [{type: static, options: {token: hunter2}}]}}\n\
             catalog:\n  locations:\n    - {type: url, target: 'https://me:hunter2@ghe.acme.io/o/r/blob/main/c.yaml'}\n    - {type: url, target: 'https://gitlab.com/o/r/-/blob/main/c.yaml'}\n\
             \x20   - {type: url, target: 'https://g.io/o/r/src/branch/main/c.yaml'}\n",
        ),
        ("t.txt", "hunter2-in-file"),
    ]);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("app-config.yaml:2: it is not copied"), "{text}");
    assert!(text.contains("t.txt\" }") && text.contains("# url = \"https://p.example.com\""), "{text}");
    assert_eq!(sources(&text).len(), 3);
}

#[test]
fn later_files_and_includes_count() {
    let (folder, text) = taken_over(&[
        (
            "app-config.yaml",
            "catalog:\n  orphanStrategy: keep\n  locations: [{type: file, target: ../../gone.yaml}]\n  rules: [{allow: [API]}]\n",
        ),
        ("app-config.local.yaml", "catalog:\n  locations:\n    $include: more.yaml#a.b\n"),
        (
            "more.yaml",
            "a: {b: [{type: file, target: ../../here.yaml}, {type: file, target: './all/**/*.yaml'}, {type: url, target: 'https://github.com/o/r/blob/dev/**/c.yaml'}]}\n",
        ),
        ("packages/backend/x", ""),
        ("here.yaml", ""),
        ("all/x", ""),
    ]);
    let found = sources(&text);
    let here = std::fs::canonicalize(folder.path().join("here.yaml")).unwrap();
    assert_eq!((found[0].kind.as_str(), found[0].path.as_deref()), ("file", Some(here.as_path())));
    assert_eq!((found[1].kind.as_str(), found[1].include.as_slice()), ("dir", &["**/*.yaml".to_owned()][..]));
    assert_eq!((found[2].kind.as_str(), found[2].at.as_deref()), ("git", Some("dev")));
    assert_eq!(found[2].url.as_deref(), Some("https://github.com/o/r.git"));
    assert!(
        !text.contains("gone.yaml") && text.contains("app-config.yaml:2: catalog.orphanStrategy"),
        "{text}"
    );
}

#[test]
fn odd_files_end_in_words() {
    for text in [
        "",
        "[]",
        "catalog: 3",
        "catalog: {locations: {}, providers: [1], rules: x}",
        "integrations: {github: [1, null, {token: 3}]}",
    ] {
        let (_folder, written) = taken_over(&[("app-config.yaml", text)]);
        assert!(written.starts_with("# Sources taken over"), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app-config.yaml");
    std::fs::write(&file, "a: {$include: app-config.yaml}\n").unwrap();
    assert!(tree::load(std::slice::from_ref(&file)).unwrap_err().message.contains("without end"));
    assert!(tree::load(&[folder.path().join("none.yaml")]).is_err());
    std::fs::write(&file, "a: [\n").unwrap();
    assert!(tree::load(&[file]).is_err());
}

#[test]
fn times_are_read_in_every_spelling() {
    let (_folder, text) = taken_over(&[(
        "app-config.yaml",
        "catalog: {providers: {github: {a: {organization: a, schedule: {frequency: PT30M}}, b: {organization: b, schedule: {frequency: 90 minutes}}, \
         c: {organization: c, schedule: {frequency: {hours: 1, minutes: 1}}}, d: {organization: d, schedule: {frequency: {cron: '* * * * *'}}}}}}\n",
    )]);
    let every: Vec<_> = sources(&text).iter().map(|s| s.every.map(|t| t.as_secs())).collect();
    assert_eq!(every, [Some(1800), Some(5400), Some(3660), None]);
}
