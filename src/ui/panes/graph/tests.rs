use super::request::Request;
use super::scene::Scene;
use super::{CYCLES, DEEPER, DIRECTION, LEFT, NEXT, RELATIONS, RIGHT, SEARCH, SHALLOWER, SPEC};
use crate::app::Context;
use crate::app::commands::{Availability, id};
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::pane::{Input, Pane};
use crate::app::place::Place;
use crate::catalog::graph::GraphOptions;
use crate::ui::panes::test_support::{lines, open, run, sample, yaml};
use proptest::prelude::*;
use std::fmt::Write as _;

const COMPANY: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: website, lifecycle: production, owner: web, dependsOn: ['component:cart', 'component:gone']}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec: {type: service, lifecycle: production, owner: web, dependsOn: ['component:ledger']}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: ledger}
spec: {type: service, lifecycle: experimental, owner: money, dependsOn: ['component:cart']}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: [], profile: {displayName: Web, email: web@example.com}}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: money}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: alone}
spec: {type: library, lifecycle: production, owner: web}
";

fn company(width: u16, height: u16) -> Context {
    yaml(COMPANY, width, height)
}

fn text(pane: &dyn Pane, cx: &Context) -> String {
    lines(pane, cx).join("\n")
}

fn focused(pane: &dyn Pane, cx: &Context) -> String {
    pane.subjects(cx).first().map(|subject| subject.name.clone()).unwrap_or_default()
}

#[test]
fn a_place_line_comes_back_in_its_shortest_form() {
    let cx = company(80, 24);
    let cases = [
        ("cart", "component:default/cart"),
        ("cart depth=1 both", "component:default/cart"),
        ("cart in depth=3", "component:default/cart depth=3 in"),
        (
            "cart relations=dependsOn,ownedBy as=boxes",
            "component:default/cart relations=dependsOn,ownedBy as=boxes",
        ),
        ("cart impact", "component:default/cart impact"),
        ("shop path ledger", "component:default/shop path component:default/ledger"),
        ("cycles", "cycles"),
        ("cart depth=4000000", "component:default/cart depth=12"),
    ];
    for (typed, line) in cases {
        let request = Request::parse(typed, &cx).unwrap();
        assert_eq!(request.line(), line);
        assert_eq!(Request::parse(line, &cx).unwrap(), request);
    }
}

#[test]
fn a_place_that_names_nothing_says_what_to_write() {
    let cx = company(80, 24);
    for (typed, hint) in [
        ("", "graph cycles"),
        ("cert", "did you mean `cart`?"),
        ("cart sideways", "`depth=2`"),
        ("cart depth=x", "`depth=2`"),
        ("cart path", "path ledger"),
    ] {
        let error = Request::parse(typed, &cx).unwrap_err();
        assert!(error.contains(hint), "{typed}: {error}");
    }
}

#[test]
fn the_tree_has_one_row_for_each_pair_and_says_what_is_above() {
    let cx = company(80, 24);
    let pane = open("graph", "shop depth=2", &cx);
    assert_eq!(pane.heading(&cx).count, "6 nodes, 7 relations, depth 2");
    let shown = text(pane.as_ref(), &cx);
    for row in [
        "> shop                  ",
        "├─ owned by web         ",
        "└─ depends on gone ? component, described nowhere",
        "depends on, dependency of le",
        "owned by web  ↺ already shown above",
    ] {
        assert!(shown.contains(row), "{row:?} in\n{shown}");
    }
}

#[test]
fn left_and_right_fold_and_walk_the_tree() {
    let cx = company(80, 24);
    let mut pane = open("graph", "shop depth=2", &cx);
    run(pane.as_mut(), RIGHT, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "web");
    run(pane.as_mut(), LEFT, &cx);
    assert!(text(pane.as_ref(), &cx).contains("below"), "folded");
    run(pane.as_mut(), RIGHT, &cx);
    run(pane.as_mut(), RIGHT, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "alone");
    run(pane.as_mut(), LEFT, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "web");
}

#[test]
fn enter_recentres_and_opens_the_root() {
    let cx = company(80, 24);
    let mut pane = open("graph", "shop depth=2", &cx);
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), [Effect::Open(Place::entity("component:default/shop"))]);
    run(pane.as_mut(), RIGHT, &cx);
    let place = Place::with("graph", "group:default/web depth=2");
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), [Effect::Open(place)]);
}

#[test]
fn depth_and_direction_and_relations_change_what_is_shown() {
    let cx = company(80, 24);
    let mut pane = open("graph", "shop", &cx);
    assert_eq!(pane.heading(&cx).count, "4 nodes, 4 relations, depth 1");
    assert!(matches!(pane.availability(SHALLOWER, &cx), Availability::Disabled(_)));
    run(pane.as_mut(), DEEPER, &cx);
    run(pane.as_mut(), DEEPER, &cx);
    assert!(pane.heading(&cx).count.ends_with("depth 3"));
    run(pane.as_mut(), DEEPER, &cx);
    assert!(matches!(pane.availability(DEEPER, &cx), Availability::Disabled(_)), "everything is shown");
    run(pane.as_mut(), DIRECTION, &cx);
    assert!(pane.place().to_string().ends_with(" out"));
    pane.update(Input::Choice(RELATIONS, "ownedBy"), &cx);
    assert!(!text(pane.as_ref(), &cx).contains("owned by"));
    assert!(text(pane.as_ref(), &cx).contains("depends on cart"));
    pane.update(Input::Choice(RELATIONS, "ownedBy"), &cx);
    assert_eq!(pane.place().to_string(), "graph component:default/shop depth=4 out");
    let Some(Effect::Show(menu)) = run(pane.as_mut(), RELATIONS, &cx).into_iter().next() else { panic!() };
    assert!(menu.items.iter().all(|item| item.checked == Some(true)));
}

#[test]
fn what_needs_it_is_left_and_what_it_needs_right() {
    let cx = company(120, 40);
    let mut pane = open("graph", "cart as=boxes", &cx);
    run(pane.as_mut(), RIGHT, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "ledger");
    run(pane.as_mut(), LEFT, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "cart");
    run(pane.as_mut(), LEFT, &cx);
    let left = focused(pane.as_ref(), &cx);
    assert!(["shop", "web"].contains(&left.as_str()), "{left}");
    let shown = text(pane.as_ref(), &cx);
    let column = |word: &str| shown.lines().find_map(|line| line.find(word)).unwrap();
    assert!(column(" shop ") < column(" cart ") && column(" cart ") < column(" ledger "), "{shown}");
    assert!(shown.contains("─ owned by ─") && shown.contains("┏━"), "{shown}");
}

#[test]
fn tree_and_boxes_carry_the_same_facts() {
    let cx = sample(120, 40);
    for entity in cx.catalog.entities() {
        let options = GraphOptions { depth: 2, ..GraphOptions::default() };
        let scene = Scene::build(&cx.catalog, entity.id(), &options);
        let branches: usize = scene.branches.iter().map(Vec::len).sum();
        assert_eq!(branches, scene.bonds.len(), "{entity:?}: a row for each pair");
        let boxes = super::boxes::Boxes::lay_out(&cx.catalog, &scene, (100, 30));
        let left_out: usize = boxes.undrawn.iter().sum();
        // a line has two ends; a relation of an entity with itself counts twice as well
        assert_eq!(boxes.wires.len() * 2 + left_out, scene.bonds.len() * 2, "{entity:?}: a line or a count");
        let said: usize = scene.bonds.iter().map(|bond| bond.said.len()).sum();
        assert_eq!(said, scene.relations);
    }
}

#[test]
fn boxes_never_overlap() {
    let cx = sample(120, 40);
    for entity in cx.catalog.entities() {
        let options = GraphOptions { depth: 3, ..GraphOptions::default() };
        let scene = Scene::build(&cx.catalog, entity.id(), &options);
        let boxes = super::boxes::Boxes::lay_out(&cx.catalog, &scene, (100, 30));
        let mut places: Vec<_> = boxes.places.iter().map(|p| (p.x, p.y, p.width)).collect();
        places.sort_unstable();
        for pair in places.windows(2) {
            let same_column = pair[0].0 == pair[1].0;
            let is_apart = if same_column {
                pair[0].1 + boxes.height <= pair[1].1
            } else {
                pair[0].0 + pair[0].2 < pair[1].0
            };
            assert!(is_apart, "{entity:?}: {pair:?}");
        }
        for place in &boxes.places {
            assert!(place.x >= 0 && place.x + place.width <= boxes.size.0, "{place:?} in {:?}", boxes.size);
            assert!(place.y >= 0 && place.y + boxes.height <= boxes.size.1, "{place:?} in {:?}", boxes.size);
        }
    }
}

#[test]
fn search_walks_matches_and_esc_ends_it() {
    let cx = company(80, 24);
    let mut pane = open("graph", "shop depth=3", &cx);
    run(pane.as_mut(), SEARCH, &cx);
    for c in "le".chars() {
        pane.key(Key::char(c), &cx);
    }
    pane.key(Key::plain(KeyCode::Enter), &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "ledger");
    assert_eq!(pane.heading(&cx).filter.as_deref(), Some("le 1/1"));
    run(pane.as_mut(), NEXT, &cx);
    assert!(pane.step_back(&cx).is_some());
    assert_eq!(pane.heading(&cx).filter, None);
    assert!(pane.step_back(&cx).is_none());
}

#[test]
fn impact_lists_what_is_touched_and_whom_to_tell() {
    let cx = company(120, 40);
    let pane = open("graph", "ledger impact", &cx);
    assert_eq!(pane.heading(&cx).count, "2 touched, 2 owners to tell");
    let shown = text(pane.as_ref(), &cx);
    for words in [
        "1 step away: 1",
        "2 steps away: 1",
        "depends on cart",
        "web  2 entities",
        "web@example.com",
        "owns ledger",
    ] {
        assert!(shown.contains(words), "{words:?} in\n{shown}");
    }
    let none = open("graph", "shop impact", &cx);
    assert!(text(none.as_ref(), &cx).contains("nothing depends on shop"));
}

#[test]
fn a_path_shows_its_steps_or_says_there_is_none() {
    let cx = company(80, 24);
    let pane = open("graph", "shop path ledger", &cx);
    assert_eq!(pane.heading(&cx).count, "2 steps");
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.contains("└─ depends on cart"), "{shown}");
    assert!(shown.contains("   └─ depends on, dependency of"), "{shown}");
    let apart = format!(
        "{COMPANY}---\napiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {{name: island}}\nspec: {{}}\n"
    );
    let cx = yaml(&apart, 80, 24);
    let pane = open("graph", "shop path island", &cx);
    assert!(text(pane.as_ref(), &cx).contains("do not hang together"), "{}", text(pane.as_ref(), &cx));
}

#[test]
fn circles_of_the_catalog_are_listed() {
    let cx = company(80, 24);
    let mut pane = open("cycles", "", &cx);
    assert_eq!(pane.place(), Place::new("cycles"));
    assert_eq!(pane.heading(&cx).count, "1 circle, 2 entities");
    let shown = text(pane.as_ref(), &cx);
    assert!(
        shown.contains("2 entities depend on each other") && shown.contains("depends on ledger"),
        "{shown}"
    );
    let place = Place::with("graph", "component:default/cart");
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), [Effect::Open(place)]);
    assert_eq!(open("graph", "cycles", &cx).place(), Place::new("cycles"));
}

#[test]
fn the_focus_survives_a_new_snapshot_and_a_lost_root_is_told() {
    let mut cx = company(80, 24);
    let mut pane = open("graph", "shop depth=2", &cx);
    run(pane.as_mut(), id::BOTTOM, &cx);
    let before = focused(pane.as_ref(), &cx);
    cx.catalog = yaml(&format!("{COMPANY}---\n{}", "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: aaa}\nspec: {type: team, children: []}\n"), 80, 24).catalog;
    pane.update(Input::Shown, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), before);
    cx.catalog = std::sync::Arc::default();
    pane.update(Input::Shown, &cx);
    assert!(text(pane.as_ref(), &cx).contains("is not in the catalog any more"));
}

#[test]
fn a_click_focuses_and_a_double_click_opens() {
    let cx = company(80, 24);
    let mut pane = open("graph", "shop depth=2", &cx);
    let row = lines(pane.as_ref(), &cx).iter().position(|line| line.contains("depends on cart")).unwrap();
    let mut mouse = Mouse { kind: MouseKind::Click, column: 10, row: cx.area.y + row as u16 };
    assert!(pane.update(Input::Mouse(mouse), &cx).is_empty());
    assert_eq!(focused(pane.as_ref(), &cx), "cart");
    mouse.kind = MouseKind::DoubleClick;
    assert_eq!(pane.update(Input::Mouse(mouse), &cx), [Effect::Run(id::OPEN)]);
    let mut boxes = open("graph", "shop as=boxes", &cx);
    let shown = lines(boxes.as_ref(), &cx);
    let row = shown.iter().position(|line| line.contains(" cart ")).unwrap();
    let column = shown[row].chars().collect::<String>().find(" cart ").unwrap();
    let column = shown[row][..column].chars().count() as u16 + 1;
    boxes.update(Input::Mouse(Mouse { kind: MouseKind::Click, column, row: cx.area.y + row as u16 }), &cx);
    assert_eq!(focused(boxes.as_ref(), &cx), "cart");
}

/// A hub with this many neighbours.
fn hub(count: usize) -> String {
    let mut text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: hub}\nspec: {type: service, lifecycle: \
                    production, owner: web}\n"
        .to_owned();
    for at in 0..count {
        let _ = write!(
            text,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: user-{at}}}\nspec: {{type: \
             service, lifecycle: production, owner: web, dependsOn: ['component:hub']}}\n"
        );
    }
    text
}

#[test]
fn what_does_not_fit_is_counted() {
    let cx = yaml(&hub(500), 120, 40);
    let mut pane = open("graph", "hub as=boxes", &cx);
    assert_eq!(pane.heading(&cx).count, "502 nodes, 1,001 relations, depth 1");
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.contains("more above") && shown.contains("below"), "{shown}");
    assert!(shown.contains("hub"), "the root is seen");
    run(pane.as_mut(), LEFT, &cx);
    run(pane.as_mut(), id::TOP, &cx);
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.contains(">? web") && !shown.contains("more above"), "{shown}");
    let many = yaml(&hub(2100), 120, 40);
    let pane = open("graph", "hub as=tree", &many);
    assert!(pane.heading(&many).count.starts_with("2,000 nodes"));
    let mut pane = pane;
    run(pane.as_mut(), id::BOTTOM, &many);
    assert!(
        text(pane.as_ref(), &many).contains("more nodes; this is too much"),
        "{}",
        text(pane.as_ref(), &many)
    );
}

#[test]
fn ascii_draws_with_ascii_only() {
    let mut cx = company(160, 40);
    cx.ascii = true;
    let mut pane = open("graph", "shop depth=2", &cx);
    pane.update(Input::Shown, &cx);
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.replace(['…', '▸', '·'], "").is_ascii(), "{shown}");
}

#[test]
fn wide_and_right_to_left_names_stay_in_their_cells() {
    let text_of = |title: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: a}}\nspec: {{type: s, lifecycle: p, \
             owner: '{title}', dependsOn: ['component:{title}', 'component:b\u{1b}[31m']}}\n"
        )
    };
    for name in ["名前名前名前名前名前名前名前名前名前", "שלום-עולם", "\u{202e}evil", "👩‍👩‍👧‍👦"]
    {
        for (width, height) in [(80, 24), (120, 40), (200, 60), (61, 20)] {
            let cx = yaml(&text_of(name), width, height);
            for form in ["as=tree", "as=boxes", "as=both"] {
                let pane = open("graph", &format!("component:default/a {form}"), &cx);
                for line in lines(pane.as_ref(), &cx) {
                    assert!(crate::model::text::width(&line) <= usize::from(width), "{line}");
                    assert!(!line.contains(['\u{202e}', '\u{1b}']), "{line}");
                }
            }
        }
    }
}

#[test]
fn tables_are_free_of_clashes() {
    use crate::app::keymap::{Keymap, PRESETS};
    for preset in PRESETS {
        let map = Keymap::build(crate::ui::panes::ALL, preset, &std::collections::BTreeMap::new()).0;
        for spec in [&SPEC, &CYCLES] {
            let groups = spec.groups.iter().flat_map(|group| group.rows());
            let global = crate::app::commands::Group::Global.rows();
            let rows: Vec<_> = spec.commands.iter().chain(groups).chain(global).collect();
            for row in &rows {
                for key in map.keys(row.id) {
                    // `h j k l` walk edges here
                    if row.id == id::LOGS {
                        continue;
                    }
                    let found = map.find(spec.id, spec.groups, *key);
                    assert_eq!(found, Some(row.id), "{preset}: {key} in {}", spec.id);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_keys_at_any_size_draw_without_panic(
        sizes in prop::collection::vec((0u16..220, 0u16..70), 1..4),
        keys in prop::collection::vec(0usize..18, 0..30),
        place in 0usize..6,
    ) {
        let commands = [
            LEFT, RIGHT, id::DOWN, id::UP, id::TOP, id::BOTTOM, id::PAGE_DOWN, id::HALF_UP, DEEPER, SHALLOWER,
            DIRECTION, id::LAYOUT, id::REGION_NEXT, id::PREVIEW_DOWN, id::PREVIEW_UP, NEXT, id::OPEN, RELATIONS,
        ];
        let places = ["shop depth=2", "cart as=boxes", "ledger impact", "shop path ledger", "cycles", "group:default/web as=both"];
        let mut cx = company(80, 24);
        let mut pane = open("graph", places[place], &cx);
        for (width, height) in sizes {
            cx.area = crate::ui::body(ratatui::layout::Rect::new(0, 0, width, height));
            pane.update(Input::Shown, &cx);
            for key in &keys {
                run(pane.as_mut(), commands[*key], &cx);
                pane.heading(&cx);
            }
            lines(pane.as_ref(), &cx);
            let mouse = Mouse { kind: MouseKind::Click, column: width / 2, row: height / 2 };
            pane.update(Input::Mouse(mouse), &cx);
            lines(pane.as_ref(), &cx);
        }
    }
}
