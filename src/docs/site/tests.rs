//! Sites over trees in memory.

use super::*;
use crate::catalog::tree::TreeError;
use std::collections::BTreeMap;

/// A tree of texts.
#[derive(Default)]
pub(super) struct Texts(BTreeMap<String, String>);

impl SourceTree for Texts {
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError> {
        let text = self.0.get(path).ok_or(TreeError::NotFound)?;
        if text.len() as u64 > limit {
            return Err(TreeError::TooLarge { size: text.len() as u64, limit });
        }
        buffer.clear();
        buffer.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        let is_below = |path: &&String| folder.is_empty() || path.starts_with(&format!("{folder}/"));
        Ok(self.0.keys().filter(is_below).cloned().collect())
    }

    fn shown(&self, path: &str) -> Arc<str> {
        path.into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        format!("file:/srv/{path}").into()
    }
}

pub(crate) fn tree(files: &[(&str, &str)]) -> Arc<dyn SourceTree> {
    Arc::new(Texts(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()))
}

pub(crate) fn site(files: &[(&str, &str)]) -> Site {
    open(files, "").unwrap()
}

fn open(files: &[(&str, &str)], folder: &str) -> Result<Site, SiteError> {
    Site::open(&Opening {
        tree: tree(files),
        folder: folder.to_owned(),
        name: "Shop".to_owned(),
        edit_base: None,
        is_readme_enough: true,
        is_any_folder: false,
    })
}

/// The navigation as indented text.
fn nav(site: &Site) -> String {
    let line = |(level, item): (usize, &NavItem)| {
        let text = match item {
            NavItem::Page { page, .. } => format!("{} ({})", site.pages[*page].title, site.pages[*page].path),
            NavItem::Section { title, .. } => format!("{title}:"),
            NavItem::Link { title, url } => format!("{title} -> {url}"),
            NavItem::Missing { title, path } => format!("{title} missing {path}"),
        };
        format!("{}{text}\n", "  ".repeat(level))
    };
    site.flat_nav().into_iter().map(line).collect()
}

fn messages(site: &Site) -> Vec<&str> {
    site.problems.iter().map(|problem| problem.message.as_str()).collect()
}

#[test]
fn without_a_navigation_folders_make_one() {
    let site = site(&[
        ("mkdocs.yml", "site_name: Docs\nexclude_docs: drafts/\n"),
        ("docs/zebra.md", "# The zebra\n"),
        ("docs/index.md", "hello\n"),
        ("docs/guides/README.md", "x\n"),
        ("docs/guides/a-b.md", "x\n"),
        ("docs/drafts/no.md", "x\n"),
        ("docs/.hidden.md", "x\n"),
        ("docs/picture.png", "x\n"),
    ]);
    assert_eq!(
        nav(&site),
        "Home (index.md)\nThe zebra (zebra.md)\nGuides:\n  Guides (guides/README.md)\n  A b (guides/a-b.md)\n"
    );
    assert_eq!((site.home(), site.name.as_str()), (Some("index.md"), "Docs"));
}

#[test]
fn a_navigation_keeps_its_order_and_tells_what_is_missing() {
    let site = site(&[
        (
            "mkdocs.yml",
            "nav:\n- Start: index.md\n- Guide:\n  - ./b.md\n  - Web: https://x.example\n  - Gone: gone.md\n- deep/\n",
        ),
        ("docs/index.md", ""),
        ("docs/b.md", "# Bee\n"),
        ("docs/deep/x.md", ""),
        ("docs/orphan.md", ""),
    ]);
    assert_eq!(
        nav(&site),
        "Start (index.md)\nGuide:\n  Bee (b.md)\n  Web -> https://x.example\n  Gone missing gone.md\nDeep:\n  X (deep/x.md)\n"
    );
    assert_eq!(messages(&site), ["the navigation names `gone.md`, and there is no such page"]);
    assert_eq!(site.problems[0].location.as_ref().unwrap().to_string(), "mkdocs.yml:6:5");
    let orphans: Vec<&str> =
        site.pages.iter().filter(|page| !page.in_nav).map(|page| page.path.as_str()).collect();
    assert_eq!(orphans, ["orphan.md"]);
    let (before, after) = site.neighbours("b.md");
    assert_eq!((before.unwrap().path.as_str(), after.unwrap().path.as_str()), ("index.md", "deep/x.md"));
    assert_eq!(site.sections_of("b.md"), ["Guide"]);
}

#[test]
fn a_readme_is_the_index() {
    for (files, home, text) in [
        (vec![("mkdocs.yml", "site_name: x"), ("docs/README.md", "a"), ("docs/b.md", "")], "README.md", "a"),
        (vec![("mkdocs.yml", "site_name: x"), ("README.md", "a"), ("docs/b.md", "")], "index.md", "a"),
        (vec![("mkdocs.yml", "nav: [index.md]"), ("docs/README.md", "a")], "README.md", "a"),
        (vec![("mkdocs.yml", "site_name: x"), ("readme.md", "a")], "index.md", "a"),
        (vec![("README.md", "a"), ("other.md", "b")], "README.md", "a"),
        (vec![("docs/a.md", "a")], "a.md", "a"),
    ] {
        let site = site(&files);
        assert_eq!(site.home(), Some(home), "{files:?}");
        assert_eq!(site.page(home).unwrap().text, text);
    }
    assert!(matches!(open(&[("x.txt", "")], ""), Err(SiteError::Nothing { .. })));
}

#[test]
fn sites_include_sites() {
    let site = site(&[
        (
            "mkdocs.yml",
            "nav:\n- index.md\n- A: '!include ./a/mkdocs.yml'\n- All: '*include ./more/*/mkdocs.yml'\n- Loop: '!include ./loop/mkdocs.yml'\n- Out: '!include ../x.yml'\n",
        ),
        ("docs/index.md", ""),
        (
            "a/mkdocs.yml",
            "site_name: team/a\ndocs_dir: pages\nnav:\n- start.md\n- Sub: '!include ./sub/mkdocs.yml'\n",
        ),
        ("a/pages/start.md", "[up](../../index.md) [b](../../one-two/x.md)"),
        ("a/sub/mkdocs.yml", "site_name: Sub Site\n"),
        ("a/sub/docs/index.md", ""),
        ("more/b/mkdocs.yml", "site_name: One & Two\n"),
        ("more/b/docs/x.md", "--8<-- \"part.md\"\n"),
        ("more/b/part.md", "pulled in"),
        ("loop/mkdocs.yml", "site_name: loop\nnav: ['!include ./mkdocs.yml']\n"),
    ]);
    assert_eq!(
        nav(&site),
        "Home (index.md)\nA:\n  Start (team/a/start.md)\n  Sub:\n    Sub site (sub-site/index.md)\nAll:\n  One & Two:\n    X (one-two/x.md)\nLoop:\n  ./mkdocs.yml missing ./mkdocs.yml\nOut missing ../x.yml\n"
    );
    assert_eq!(
        messages(&site),
        [
            "`!include ./mkdocs.yml` is left out: it includes itself",
            "`!include ../x.yml` is left out: it leads out of the documentation"
        ]
    );
    assert_eq!(site.page("one-two/x.md").unwrap().text, "pulled in\n");
    for (link, path) in [("../../index.md", "index.md"), ("../../one-two/x.md", "one-two/x.md")] {
        let expected = Target::Page { path: path.to_owned(), anchor: None };
        assert_eq!(site.resolve("team/a/start.md", link, &[]), expected, "{link}");
    }
}

#[test]
fn links_lead_where_their_authors_meant() {
    let site = site(&[
        ("mkdocs.yml", "site_name: x"),
        ("docs/index.md", ""),
        ("docs/a/b.md", ""),
        ("docs/a/c d.md", ""),
        ("docs/a/README.md", ""),
        ("docs/img/x.png", "x"),
        ("src/main.rs", "x"),
        ("CONTRIBUTING.md", "x"),
    ]);
    let page = |path: &str, anchor: Option<&str>| Target::Page {
        path: path.into(),
        anchor: anchor.map(str::to_owned),
    };
    let docs = |page: &str, anchor: Option<&str>| Target::Docs {
        entity: "component:default/shop".into(),
        page: page.into(),
        anchor: anchor.map(str::to_owned),
    };
    let missing = |path: &str| Target::Unresolved(Unresolved::NoSuchPage(path.into()));
    for (from, link, expected) in [
        ("index.md", "a/b.md#x", page("a/b.md", Some("x"))),
        ("index.md", "#top", page("index.md", Some("top"))),
        ("index.md", "a/c%20d.md", page("a/c d.md", None)),
        ("a/b.md", "../index.md", page("index.md", None)),
        ("a/b.md", "/a/b.md", page("a/b.md", None)),
        ("a/b.md", "README.md", page("a/README.md", None)),
        ("a/b.md", ".", page("a/README.md", None)),
        ("index.md", "a/", page("a/README.md", None)),
        ("index.md", "a/b/", page("a/b.md", None)),
        ("index.md", "a/b.html", page("a/b.md", None)),
        ("a/b.md", "../c d/", page("a/c d.md", None)),
        ("a/b.md", "../img/x.png", Target::File("file:docs/img/x.png".into())),
        ("a/b.md", "../../src/main.rs", Target::File("file:src/main.rs".into())),
        ("index.md", "../CONTRIBUTING.md#how", page("file:CONTRIBUTING.md", Some("how"))),
        ("index.md", "gone.md", missing("gone.md")),
        ("index.md", "../../etc/passwd", Target::Unresolved(Unresolved::Outside("../../etc/passwd".into()))),
        ("index.md", "https://x.example/a", Target::Web("https://x.example/a".into())),
        ("index.md", "//x.example/a", Target::Web("https://x.example/a".into())),
        ("index.md", "mailto:a@x.example", Target::Web("mailto:a@x.example".into())),
        ("index.md", "javascript:alert(1)", Target::Unresolved(Unresolved::Scheme("javascript".into()))),
        ("index.md", "JaVaScript:alert(1)", Target::Unresolved(Unresolved::Scheme("javascript".into()))),
        ("index.md", "catalog:shop", Target::Entity("component:default/shop".into())),
        ("index.md", "catalog:api:pay/shop", Target::Entity("api:pay/shop".into())),
        ("index.md", "catalog:default/component/shop", Target::Entity("component:default/shop".into())),
        ("index.md", "/catalog/default/component/shop", Target::Entity("component:default/shop".into())),
        ("index.md", "/docs/default/Component/shop", docs("", None)),
        ("index.md", "/docs/default/component/shop/a/b/#x", docs("a/b", Some("x"))),
        ("index.md", "https://portal.example.com/docs/default/component/shop", docs("", None)),
        ("index.md", "/nope", missing("/nope")),
    ] {
        let found = site.resolve(from, link, &["portal.example.com".to_owned()]);
        assert_eq!(found, expected, "{link} on {from}");
    }
}

#[test]
fn pages_are_found_by_what_people_type() {
    let site = site(&[
        ("mkdocs.yml", "site_name: x"),
        ("docs/index.md", ""),
        ("docs/guides/start-here.md", "# Begin\n"),
        ("docs/runbook.md", ""),
    ]);
    for (typed, path) in [
        ("", "index.md"),
        ("runbook", "runbook.md"),
        ("/runbook.md", "runbook.md"),
        ("guides/start-here", "guides/start-here.md"),
        ("start-here", "guides/start-here.md"),
        ("begin", "guides/start-here.md"),
    ] {
        assert_eq!(site.find(typed).as_deref(), Ok(path), "{typed}");
    }
    let Err(SiteError::NoPage { near, .. }) = site.find("runbok") else { panic!() };
    assert_eq!(near, ["runbook"]);
    assert!(matches!(site.find("file:../../etc/passwd"), Err(SiteError::NoPage { .. })));
}

#[test]
fn pages_know_how_they_are_edited() {
    let files = [("docs/a.md", "x")];
    let with = |config: &str| {
        let mut all = vec![("mkdocs.yml", config)];
        all.extend(files);
        site(&all)
    };
    let local = with("site_name: x");
    assert_eq!(local.edit("a.md"), Some(Edit::File("/srv/docs/a.md".into())));
    for (config, expected) in [
        (
            "repo_url: https://github.com/o/r\nedit_uri: edit/main/docs/",
            Some("https://github.com/o/r/edit/main/docs/a.md"),
        ),
        (
            "repo_url: https://github.com/o/r/\nedit_uri_template: 'edit/x/{path_noext}.txt'",
            Some("https://github.com/o/r/edit/x/a.txt"),
        ),
        ("edit_uri: https://x.example/e/", Some("https://x.example/e/a.md")),
        ("site_name: x", None),
    ] {
        let site = with(config);
        let (mount, file) = site.file_of("a.md").unwrap();
        assert_eq!(site.edit_url("a.md", mount, &file).as_deref(), expected, "{config}");
    }
}

#[test]
fn records_are_part_of_the_site() {
    let files = [
        ("mkdocs.yml", "nav: [index.md]"),
        ("docs/index.md", ""),
        ("docs/adr/0001-a.md", "---\nstatus: accepted\ndate: 2026-01-01\n---\n# A\n"),
        ("decisions/0002-b.md", "# B\n\n* Status: proposed\n[one](../docs/adr/0001-a.md)"),
    ];
    let mut site = site(&files);
    let tree = site.main_tree().unwrap().clone();
    site.add_records(&tree, "docs/adr");
    assert_eq!(site.records[0].page, "adr/0001-a.md");
    site.add_records(&tree, "decisions");
    let record = &site.records[0];
    assert_eq!((record.number, record.title.as_str(), record.page.as_str()), (2, "B", "adr:0002-b.md"));
    assert!(site.page("adr:0002-b.md").unwrap().text.starts_with("# B"));
    let expected = Target::Page { path: "adr/0001-a.md".to_owned(), anchor: None };
    assert_eq!(site.resolve("adr:0002-b.md", "../docs/adr/0001-a.md", &[]), expected);
    assert_eq!(site.find("2").as_deref(), Ok("adr:0002-b.md"));
}

#[test]
fn files_beside_the_documentation_are_shown_as_code() {
    let site = site(&[("mkdocs.yml", ""), ("docs/index.md", ""), ("run.sh", "echo ```\n")]);
    assert_eq!(site.page("file:run.sh").unwrap().text, "# run.sh\n\n````sh\necho ```\n````\n");
    assert!(site.page("file:../x").is_err());
}
