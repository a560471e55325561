//! The pane driven as a user does.

use super::*;
use crate::app::event::{Generation, TaskEvent};
use crate::app::input::KeyCode;
use crate::ui::panes::test_support::{lines, open, run, sample, yaml};
use crate::ui::text::text_of;
use proptest::prelude::*;

/// A company in one file: every kind, a dangling ref, an unknown kind, a definition out of reach.
const COMPANY: &str = r"
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
  title: The shop
  description: |
    Sells things.

    - quickly
  links: [{url: 'https://runbooks.example.com/shop', title: Runbook, icon: docs}, {url: 'nonsense', title: Broken}]
  annotations: {example.com/own: kept, backstage.io/techdocs-ref: 'dir:.'}
  labels: {tier: '1'}
  tags: [rust]
  colour: green
spec:
  type: service
  lifecycle: production
  owner: sellers
  system: trade
  dependsOn: ['component:nowhere', 'resource:store']
  consumesApis: [stock]
  budget: {euros: 12, approved: [ana, jo]}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: store}
spec: {type: database, owner: sellers}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: stock}
spec: {type: openapi, lifecycle: production, owner: sellers, system: trade, definition: {$text: ./none.yaml}}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: trade}
spec: {owner: sellers, domain: money}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: money}
spec: {owner: sellers}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: sellers}
spec: {type: team, profile: {email: sellers@example.com}, children: [], members: [ana]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ana}
spec: {profile: {displayName: Ana Ruiz}, memberOf: [sellers]}
---
apiVersion: example.com/v1
kind: Spaceship
metadata: {name: rocket}
spec: {engines: 3, crew: {captain: jo}, owner: sellers}
";

fn text(pane: &dyn Pane, cx: &Context) -> String {
    lines(pane, cx).join("\n")
}

fn shop(width: u16, height: u16) -> (Context, Box<dyn Pane>) {
    let cx = yaml(COMPANY, width, height);
    let pane = open(ENTITY, "component:default/shop", &cx);
    (cx, pane)
}

fn press(pane: &mut dyn Pane, keys: &str, cx: &Context) {
    for c in keys.chars() {
        let key = if c == '\n' { PressedKey::plain(KeyCode::Enter) } else { PressedKey::char(c) };
        pane.key(key, cx);
    }
}

#[test]
fn opens_by_ref_name_and_tab_word() {
    let cx = yaml(COMPANY, 80, 24);
    for (argument, place) in [
        ("component:default/shop", "component:default/shop"),
        ("Component:Shop", "component:default/shop"),
        ("shop  RAW", "component:default/shop raw"),
        ("api:stock api", "api:default/stock api"),
        ("component:nowhere relations", "component:default/nowhere relations"),
    ] {
        assert_eq!(open(ENTITY, argument, &cx).place().to_string(), place);
    }
    for (argument, reason) in [
        ("shopp", "there is no entity `shopp`; did you mean `shop`?"),
        ("shop api", "`component:default/shop` has no tab API"),
        (
            "shop x",
            "there is no tab `x`; the tabs are overview, relations, api, docs, kubernetes, raw, problems",
        ),
    ] {
        assert_eq!((SPEC.open)(argument, &cx).err().as_deref(), Some(reason));
    }
}

#[test]
fn the_header_says_whose_it_is_and_where_it_stands() {
    let (cx, pane) = shop(80, 60);
    let shown = text(&*pane, &cx);
    for part in [
        "shop  The shop",
        "component service  production  namespace default",
        "owner         sellers  sellers@example.com",
        "part of       domain money  ›  system trade",
        "catalog-info.yaml:2",
        "read just now",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let heading = pane.heading(&cx);
    assert_eq!(heading.crumbs, ["trade", "shop"]);
}

#[test]
fn nothing_of_a_descriptor_is_lost() {
    let (cx, pane) = shop(80, 100);
    let shown = text(&*pane, &cx);
    for part in [
        "Sells things.",
        "- quickly",
        "Runbook  (docs)  https://runbooks.example.com/shop",
        "nonsense",
        "! not a web address",
        "nowhere ?",
        "described in no file",
        "example.com/own            kept",
        "tier  1",
        "rust",
        "colour  green",
        "euros: 12",
        "- ana",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let known = shown.find("backstage.io/techdocs-ref").unwrap();
    assert!(known < shown.find("example.com/own").unwrap(), "known annotations stand first");
    let cx = yaml(COMPANY, 80, 60);
    let shown = text(&*open(ENTITY, "rocket", &cx), &cx);
    for part in ["kind unknown to the model", "engines", "captain: jo", "example.com/v1", "owned by"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn kinds_add_what_matters_of_them() {
    let cx = sample(80, 100);
    for (entity, parts) in [
        (
            "group:default/payments",
            &["members       amara", "owns          6 components", "parent        commerce"][..],
        ),
        ("user:default/amara.okafor", &["groups", "owns"]),
        ("api:default/checkout-api", &["definition    openapi, 359 lines, 9.6 kB"]),
        ("system:default/checkout", &["parts         "]),
        ("domain:default/shop", &["parts         "]),
        (
            "template:default/new-job",
            &["Parameters  3 pages", "1 The job", "Name *", "Steps", "fetch:template"],
        ),
    ] {
        let shown = text(&*open(ENTITY, entity, &cx), &cx);
        for part in parts {
            assert!(shown.contains(part), "{entity}: {part}\n{shown}");
        }
    }
}

#[test]
fn a_location_says_what_came_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let entity = |kind: &str, name: &str, spec: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n"
        )
    };
    let root = entity("Location", "root", "{targets: [./teams/*.yaml, ./none.yaml]}");
    std::fs::write(folder.path().join("catalog-info.yaml"), root).unwrap();
    std::fs::create_dir(folder.path().join("teams")).unwrap();
    let team = |name: &str| entity("Group", name, "{type: team, children: []}");
    std::fs::write(folder.path().join("teams/a.yaml"), team("a") + &team("b")).unwrap();
    let source = crate::config::source::SourceConfig::dir(folder.path());
    let options = crate::catalog::LoadOptions { offline: true, ..Default::default() };
    let catalog = crate::catalog::Loader::new(vec![source], options).load(&crate::catalog::Progress::none());
    let cx = crate::ui::panes::test_support::over(catalog, 80, 40);
    let shown = text(&*open(ENTITY, "location:default/root", &cx), &cx);
    assert!(shown.contains("./teams/*.yaml  2 entities"), "{shown}");
    assert!(shown.contains("./none.yaml  nothing came from it"), "{shown}");
    assert!(shown.contains("in all        2 entities"), "{shown}");
}

#[test]
fn moves_from_thing_to_thing_and_opens_them() {
    let (cx, mut pane) = shop(80, 24);
    assert_eq!(pane.subjects(&cx)[0].entity.as_deref(), Some("component:default/shop"));
    assert!(matches!(pane.availability(id::OPEN, &cx), Availability::Disabled(_)));
    // the number of problems comes first, then the owner
    run(&mut *pane, id::DOWN, &cx);
    run(&mut *pane, id::DOWN, &cx);
    assert_eq!(pane.subjects(&cx)[0].entity.as_deref(), Some("group:default/sellers"));
    assert!(text(&*pane, &cx).contains("▸ owner"), "{}", text(&*pane, &cx));
    assert_eq!(run(&mut *pane, id::OPEN, &cx), [Effect::Open(Place::entity("group:default/sellers"))]);
    run(&mut *pane, id::DOWN, &cx);
    assert_eq!(run(&mut *pane, id::OPEN, &cx), [Effect::OpenUrl("mailto:sellers@example.com".into())]);
    assert_eq!(pane.subjects(&cx)[0].name, "mailto:sellers@example.com");
    // down to the end and up again: every thing is met, the entity itself is last
    let mut met = Vec::new();
    for _ in 0..200 {
        run(&mut *pane, id::DOWN, &cx);
        met.push(pane.subjects(&cx)[0].name.clone());
    }
    for name in ["store", "component:default/nowhere", "https://runbooks.example.com/shop"] {
        assert!(met.iter().any(|met| met == name), "{name} in {met:?}");
    }
    for _ in 0..200 {
        run(&mut *pane, id::UP, &cx);
    }
    assert_eq!(pane.subjects(&cx)[0].name, "shop");
}

#[test]
fn columns_appear_as_the_width_allows() {
    let (cx, pane) = shop(80, 24);
    assert!(!text(&*pane, &cx).contains("┌"));
    assert!(matches!(pane.availability(id::REGION_NEXT, &cx), Availability::Disabled(_)));
    let (cx, mut pane) = shop(120, 40);
    let shown = text(&*pane, &cx);
    assert!(
        shown.contains("▸ About") && shown.contains(" Relations ") && !shown.contains(" Near "),
        "{shown}"
    );
    run(&mut *pane, id::REGION_NEXT, &cx);
    assert!(text(&*pane, &cx).contains("▸ Relations"));
    run(&mut *pane, id::LAYOUT, &cx);
    assert!(!text(&*pane, &cx).contains("┌"), "one region below the other");
    let (cx, pane) = shop(200, 60);
    let shown = text(&*pane, &cx);
    assert!(shown.contains(" Near ") && shown.contains("Also in trade  1"), "{shown}");
}

#[test]
fn tabs_are_those_that_apply_and_a_click_selects_one() {
    let (cx, mut pane) = shop(80, 24);
    assert_eq!(lines(&*pane, &cx)[0], " [Overview]  Relations 5   Docs   Raw   Problems 2");
    let column = lines(&*pane, &cx)[0].find("Raw").unwrap() as u16;
    let click = Mouse { kind: MouseKind::Click, column, row: cx.area.y };
    assert!(matches!(pane.update(Input::Mouse(click), &cx)[..], [Effect::ReadSource { .. }]));
    assert_eq!(pane.place().to_string(), "component:default/shop raw");
    assert_eq!(pane.groups(), TEXT);
    run(&mut *pane, id::TAB_NEXT, &cx);
    run(&mut *pane, id::TAB_NEXT, &cx);
    assert_eq!(pane.place().to_string(), "component:default/shop");
    let stock = open(ENTITY, "stock", &cx);
    assert!(lines(&*stock, &cx)[0].contains(" API "));
}

#[test]
fn relations_are_a_list_with_a_filter() {
    let (cx, mut pane) = shop(100, 24);
    run(&mut *pane, id::TAB_NEXT, &cx);
    assert_eq!(pane.heading(&cx).count, "5 relations");
    let (narrow, mut other) = shop(80, 24);
    run(&mut *other, id::TAB_NEXT, &narrow);
    assert!(
        text(&*other, &narrow).contains("nowhere  ? not described anywhere"),
        "{}",
        text(&*other, &narrow)
    );
    run(&mut *pane, id::FILTER, &cx);
    assert!(pane.is_typing());
    press(&mut *pane, "depends !nowhere\n", &cx);
    assert!(!pane.is_typing());
    let heading = pane.heading(&cx);
    assert_eq!(
        (heading.filter.as_deref(), heading.count.as_str()),
        (Some("depends !nowhere"), "1 of 5 relations")
    );
    assert_eq!(run(&mut *pane, id::OPEN, &cx), [Effect::Open(Place::entity("resource:default/store"))]);
    assert!(pane.step_back(&cx).is_some());
    assert!(pane.step_back(&cx).is_none());
    run(&mut *pane, id::MARK, &cx);
    run(&mut *pane, id::MARK, &cx);
    assert_eq!(pane.subjects(&cx).len(), 2);
    assert_eq!(pane.heading(&cx).marked, 2);
    pane.step_back(&cx);
    pane.update(Input::Choice(id::SORT, "TARGET"), &cx);
    pane.update(Input::Choice(id::SORT, "TARGET"), &cx);
    run(&mut *pane, id::TOP, &cx);
    assert_eq!(pane.subjects(&cx)[0].name, "trade", "sorted by target, reversed");
    let saved = run(&mut *pane, id::SAVE, &cx);
    let [Effect::SaveText { text, .. }] = &saved[..] else { panic!("{saved:?}") };
    assert!(text.starts_with("part of\tsystem:default/trade\n"), "{text}");
}

#[test]
fn a_definition_out_of_reach_says_so() {
    let cx = yaml(COMPANY, 80, 24);
    let pane = open(ENTITY, "stock api", &cx);
    let shown = text(&*pane, &cx);
    assert!(shown.contains("openapi  ? not fetched") && shown.contains("./none.yaml"), "{shown}");
    assert!(
        text(&*open(ENTITY, "stock", &cx), &cx).contains("definition    ? ./none.yaml, not fetched  why")
    );
}

#[test]
fn a_definition_is_searched_and_saved() {
    let cx = sample(80, 24);
    let mut pane = open(ENTITY, "api:checkout-api api", &cx);
    assert!(text(&*pane, &cx).contains("openapi  359 lines, 9.6 kB"));
    run(&mut *pane, id::SEARCH, &cx);
    press(&mut *pane, "idempotency\n", &cx);
    assert!(pane.heading(&cx).filter.unwrap().starts_with("idempotency 1/"));
    run(&mut *pane, id::NEXT, &cx);
    assert!(pane.heading(&cx).filter.unwrap().starts_with("idempotency 2/"));
    let saved = run(&mut *pane, id::SAVE_TEXT, &cx);
    assert!(matches!(&saved[..], [Effect::SaveText { name, .. }] if name == "checkout-api.yaml"));
    assert!(pane.step_back(&cx).is_some() && pane.step_back(&cx).is_none());
}

fn answer(pane: &mut dyn Pane, generation: Generation, result: Result<&str, &str>, cx: &Context) {
    let result = result.map(std::sync::Arc::from).map_err(str::to_owned);
    pane.update(Input::Task(&TaskEvent::SourceRead { generation, result }), cx);
}

#[test]
fn the_raw_tab_asks_for_the_file_and_points_at_the_document() {
    let cx = yaml(COMPANY, 80, 24);
    let mut pane = (SPEC.open)("resource:store raw", &cx).unwrap();
    let effects = pane.update(Input::Shown, &cx);
    let [Effect::ReadSource { generation, entity }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(entity, "resource:default/store");
    let shown = text(&*pane, &cx);
    assert!(shown.contains("reading") && shown.contains("1 apiVersion"), "{shown}");
    assert!(pane.update(Input::Shown, &cx).is_empty(), "it asks once for each snapshot");
    answer(&mut *pane, Generation(999), Ok("late"), &cx);
    assert!(!text(&*pane, &cx).contains("late"));
    answer(&mut *pane, *generation, Ok(COMPANY), &cx);
    let shown = text(&*pane, &cx);
    let total = COMPANY.lines().count();
    let start = COMPANY.lines().position(|line| line.contains("kind: Resource")).unwrap();
    assert!(shown.contains(&format!("lines {start} to {} of {total}", start + 3)), "{shown}");
    assert!(shown.contains(&format!("{}▏ kind: Resource", start + 1)), "{shown}");
}

#[test]
fn an_unreadable_file_still_shows_the_entity() {
    let cx = yaml(COMPANY, 80, 24);
    let mut pane = (SPEC.open)("resource:store raw", &cx).unwrap();
    let effects = pane.update(Input::Shown, &cx);
    let [Effect::ReadSource { generation, .. }] = &effects[..] else { panic!("{effects:?}") };
    answer(&mut *pane, *generation, Err("the file is gone"), &cx);
    let shown = text(&*pane, &cx);
    assert!(shown.contains("! the file is gone; this is the entity as it was understood"), "{shown}");
    assert!(shown.contains("type: database"), "{shown}");
}

#[test]
fn problems_say_everything_and_open_the_editor() {
    let cx = yaml(COMPANY, 80, 40);
    let mut pane = open(ENTITY, "shop problems", &cx);
    let shown = text(&*pane, &cx);
    for part in
        ["! warning  catalog::dangling-ref  /spec/dependsOn/0", "nothing here describes", "^^^", "hint: "]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    run(&mut *pane, id::DOWN, &cx);
    let line = COMPANY.lines().position(|line| line.contains("component:nowhere")).unwrap() as u32 + 1;
    for _ in 0..3 {
        if let [Effect::Edit { line: found, .. }] = &run(&mut *pane, id::OPEN, &cx)[..]
            && *found == line
        {
            assert!(pane.subjects(&cx)[0].name.contains(&format!(":{line}:")));
            return;
        }
        run(&mut *pane, id::DOWN, &cx);
    }
    panic!("no problem opens the editor at line {line}\n{shown}");
}

#[test]
fn a_ref_that_nobody_describes_says_who_names_it() {
    let cx = yaml(COMPANY, 80, 24);
    let mut pane = open(ENTITY, "component:default/nowhere", &cx);
    let shown = text(&*pane, &cx);
    let line = COMPANY.lines().position(|line| line.contains("component:nowhere")).unwrap() + 1;
    for part in
        ["? described in no file", "Named by  1", "shop  depends on", &format!(":{line}"), "kind: Component"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    run(&mut *pane, id::DOWN, &cx);
    let subject = &pane.subjects(&cx)[0];
    assert_eq!(subject.name, "shop");
    assert!(matches!(&subject.source, Some(Ok((_, found, _))) if *found as usize == line));
    assert!(!lines(&*pane, &cx)[0].contains("Raw"));
}

#[test]
fn a_refresh_keeps_tab_focus_and_scroll_and_a_vanished_entity_is_gone() {
    let (mut cx, mut pane) = shop(80, 16);
    for _ in 0..12 {
        run(&mut *pane, id::DOWN, &cx);
    }
    let (subject, shown) = (pane.subjects(&cx)[0].name.clone(), text(&*pane, &cx));
    assert_ne!(subject, "shop");
    cx.catalog = yaml(COMPANY, 80, 16).catalog;
    pane.update(Input::CatalogChanged, &cx);
    pane.update(Input::Shown, &cx);
    assert_eq!(pane.subjects(&cx)[0].name, subject);
    // the folder has another name, so that only what stands below the header can be compared
    assert_eq!(text(&*pane, &cx).lines().last(), shown.lines().last());
    cx.catalog = yaml("kind: x", 80, 16).catalog;
    pane.update(Input::CatalogChanged, &cx);
    pane.update(Input::Shown, &cx);
    let shown = text(&*pane, &cx);
    assert!(shown.contains("component:default/shop") && shown.contains("? gone"), "{shown}");
    assert!(matches!(pane.availability(id::TAB_NEXT, &cx), Availability::Disabled(_)));
    for tab in ["relations", "raw", "problems"] {
        let cx = yaml(COMPANY, 80, 16);
        let mut pane = open(ENTITY, &format!("shop {tab}"), &cx);
        let gone = yaml("kind: x", 80, 16);
        pane.update(Input::CatalogChanged, &gone);
        pane.update(Input::Shown, &gone);
        assert!(text(&*pane, &gone).contains("? gone"), "{tab}");
    }
}

#[test]
fn every_row_of_the_open_tab_does_something_or_says_why_not() {
    let cx = yaml(COMPANY, 80, 24);
    let own = [id::WRAP, id::VIEWS, id::SAVE_VIEW];
    for (place, group) in [("shop raw", Group::Text), ("shop relations", Group::List)] {
        let pane = open(ENTITY, place, &cx);
        for row in group.rows().iter().filter(|row| own.contains(&row.id)) {
            assert!(matches!(pane.availability(row.id, &cx), Availability::Disabled(_)), "{}", row.id.0);
        }
    }
}

/// Draws into the middle of a larger buffer and looks whether anything was put outside.
fn draw_inside(pane: &dyn Pane, cx: &Context) {
    let area = cx.area;
    let whole = Rect::new(0, 0, area.width + 4, area.height + 4);
    let mut buf = Buffer::empty(whole);
    pane.view(cx, area, &mut buf);
    for y in 0..whole.height {
        for x in 0..whole.width {
            let is_inside = area.contains((x, y).into());
            assert!(is_inside || buf[(x, y)].symbol() == " ", "{:?} leaves {area:?}", text_of(&buf));
        }
    }
}

const SIZES: &[(u16, u16)] = &[
    (0, 0),
    (1, 1),
    (1, 30),
    (3, 5),
    (9, 4),
    (20, 5),
    (40, 10),
    (60, 16),
    (80, 24),
    (99, 30),
    (100, 12),
    (120, 40),
    (180, 20),
    (200, 60),
    (300, 100),
];

#[test]
fn every_entity_of_the_sample_is_drawn_at_every_size() {
    let mut cx = sample(80, 24);
    let refs: Vec<String> = (0..cx.catalog.node_count() as u32)
        .map(|at| cx.catalog.ref_of(crate::catalog::EntityId(at)).to_owned())
        .collect();
    assert!(refs.len() > 60);
    for canonical in &refs {
        for (at, (width, height)) in SIZES.iter().enumerate() {
            cx.area = crate::ui::body(Rect::new(0, 0, *width, *height));
            let mut pane = open(ENTITY, canonical, &cx);
            for step in 0..5 {
                draw_inside(&*pane, &cx);
                // another size than the last update knew of
                if at % 3 == step % 3 {
                    let mut other = Buffer::empty(Rect::new(0, 0, 70, 13));
                    pane.view(&cx, Rect::new(0, 1, 70, 11), &mut other);
                }
                run(&mut *pane, id::HALF_DOWN, &cx);
                run(&mut *pane, id::TAB_NEXT, &cx);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn hostile_texts_stay_in_their_cells(
        title in "[\\PC名前\u{202e}\u{5d0}👩‍🚀]{0,40}", note in "(?s).{0,200}",
        size in 0usize..SIZES.len(), steps in prop::collection::vec(0usize..12, 0..20)
    ) {
        let value = serde_json::json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
            "metadata": {
                "name": "x", "title": title, "description": note, "labels": {"a": note},
                "annotations": {&note: title}, "links": [{"url": "https://example.com/x", "title": title}],
            },
            "spec": {"type": title, "lifecycle": note, "owner": title, "more": {"deep": [note, {&title: note}]}},
        });
        let (width, height) = SIZES[size];
        let cx = yaml(&serde_json::to_string(&value).unwrap(), width, height);
        if cx.catalog.find("component:default/x").is_none() {
            return Ok(());
        }
        let all = [
            id::DOWN, id::UP, id::TOP, id::BOTTOM, id::HALF_DOWN, id::HALF_UP, id::TAB_NEXT, id::TAB_PREVIOUS,
            id::REGION_NEXT, id::LAYOUT, id::PREVIEW_DOWN, id::OPEN,
        ];
        let mut pane = open(ENTITY, "component:default/x", &cx);
        for step in steps {
            run(&mut *pane, all[step], &cx);
            draw_inside(&*pane, &cx);
            prop_assert_eq!(pane.subjects(&cx).len(), 1);
        }
    }
}
