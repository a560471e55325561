use super::chart::{Chart, Remark, What};
use super::{BELOW, COLLAPSE, EXPAND, FILTER, MINE, SPEC, UNOWNED};
use crate::app::Context;
use crate::app::commands::{Availability, Group, id};
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::keymap::{Keymap, PRESETS};
use crate::app::pane::{Input, Pane};
use crate::app::place::Place;
use crate::catalog::{Query, Viewer};
use crate::ui::panes::test_support::{lines, open, run, sample, yaml};
use proptest::prelude::*;
use ratatui::layout::Rect;
use std::fmt::Write as _;

const COMPANY: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: all}
spec: {type: organization, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: money}
spec: {type: team, parent: all, children: [], profile: {email: money@example.com}}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, parent: all, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: lost}
spec: {type: team, parent: vanished, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: snake}
spec: {type: team, parent: tail, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: tail}
spec: {type: team, parent: snake, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ana}
spec: {profile: {displayName: Ana Ruiz, email: ana@example.com}, memberOf: [money, web]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: bo}
spec: {memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: ledger}
spec: {type: service, lifecycle: production, owner: money}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: website, lifecycle: production, owner: web}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: relic}
spec: {type: service, lifecycle: production, owner: nobody}
";

fn company(width: u16, height: u16) -> Context {
    let mut cx = yaml(COMPANY, width, height);
    cx.me.principal.user = Some("user:default/ana".to_owned());
    cx.me.principal.groups = vec!["group:default/money".to_owned(), "group:default/web".to_owned()];
    cx
}

fn text(pane: &dyn Pane, cx: &Context) -> String {
    lines(pane, cx).join("\n")
}

fn focused(pane: &dyn Pane, cx: &Context) -> String {
    pane.subjects(cx).first().map(|subject| subject.name.clone()).unwrap_or_default()
}

fn type_filter(pane: &mut dyn Pane, words: &str, cx: &Context) {
    run(pane, FILTER, cx);
    for c in words.chars() {
        pane.key(Key::char(c), cx);
    }
}

#[test]
fn everything_has_its_place() {
    let cx = company(80, 24);
    let shown = text(open("org", "", &cx).as_ref(), &cx);
    for row in [
        "▾ all                                 0 (1)        0 (2)        organization",
        "▾ money  me                         1            1            team",
        "lost  parent vanished ?",
        "snake  ! its own parent",
        "▸ people without a group              1",
        "▸ described nowhere                   2",
        "unowned                                          1",
    ] {
        assert!(shown.contains(row), "{row:?} in\n{shown}");
    }
}

#[test]
fn a_circle_of_parents_is_shown_once() {
    let cx = company(80, 24);
    let chart = Chart::build(&cx.catalog);
    let tail = cx.catalog.find("group:default/tail").unwrap();
    let snake = cx.catalog.find("group:default/snake").unwrap();
    let remarks = |id| -> Vec<&Remark> {
        chart.items.iter().filter(|item| item.what == What::Group(id)).map(|item| &item.remark).collect()
    };
    assert_eq!(remarks(snake), [&Remark::Circle, &Remark::Elsewhere]);
    assert_eq!(remarks(tail), [&Remark::None]);
}

#[test]
fn what_is_unowned_is_what_the_filter_finds() {
    let cx = sample(80, 24);
    let query = Query::parse("is:unowned").unwrap();
    let viewer = Viewer::default();
    let found: Vec<_> = cx.catalog.ids().filter(|id| query.matches(&cx.catalog, &viewer, *id)).collect();
    assert_eq!(Chart::build(&cx.catalog).unowned, found);
    assert!(!found.is_empty());
}

#[test]
fn enter_opens_what_a_group_owns() {
    let cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    run(pane.as_mut(), id::DOWN, &cx);
    let catalog = |filter: &str| [Effect::Open(Place::with("catalog", filter))];
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), catalog("owner:money"));
    run(pane.as_mut(), EXPAND, &cx);
    run(pane.as_mut(), EXPAND, &cx);
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), [Effect::Open(Place::entity("user:default/ana"))]);
    run(pane.as_mut(), UNOWNED, &cx);
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), catalog("is:unowned"));
}

#[test]
fn groups_fold_and_left_goes_up() {
    let cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "all");
    run(pane.as_mut(), EXPAND, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "money");
    run(pane.as_mut(), COLLAPSE, &cx);
    run(pane.as_mut(), COLLAPSE, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "all");
    run(pane.as_mut(), COLLAPSE, &cx);
    assert!(!text(pane.as_ref(), &cx).contains("money"));
    run(pane.as_mut(), EXPAND, &cx);
    assert!(text(pane.as_ref(), &cx).contains("money"));
}

#[test]
fn one_key_goes_to_my_groups_and_to_the_unowned() {
    let mut cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    run(pane.as_mut(), MINE, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "money");
    run(pane.as_mut(), MINE, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "web");
    run(pane.as_mut(), MINE, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "money");
    cx.me.principal.groups.clear();
    assert!(
        matches!(pane.availability(MINE, &cx), Availability::Disabled(why) if why.contains("configuration"))
    );
    run(pane.as_mut(), UNOWNED, &cx);
    assert!(text(pane.as_ref(), &cx).contains(">   unowned"));
}

#[test]
fn the_filter_keeps_what_is_above_and_esc_brings_all_back() {
    let cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    type_filter(pane.as_mut(), "ruiz", &cx);
    let shown = text(pane.as_ref(), &cx);
    for name in ["▾ all", "▾ money", "▾ web", "Ana Ruiz"] {
        assert!(shown.contains(name), "{name} in\n{shown}");
    }
    assert!(!shown.contains("snake") && !shown.contains("unowned"), "{shown}");
    assert_eq!(focused(pane.as_ref(), &cx), "ana");
    pane.key(Key::plain(KeyCode::Enter), &cx);
    assert!(pane.step_back(&cx).is_some());
    assert!(text(pane.as_ref(), &cx).contains("snake"));
    assert!(pane.step_back(&cx).is_none());
    type_filter(pane.as_mut(), "zzz", &cx);
    assert!(text(pane.as_ref(), &cx).contains("no group and no person is called zzz"));
}

#[test]
fn the_regions_beside_the_tree_tell_members_and_what_is_owned() {
    let cx = company(120, 40);
    let mut pane = open("org", "", &cx);
    assert!(text(pane.as_ref(), &cx).contains("nothing itself; t adds the groups below (2)"));
    run(pane.as_mut(), BELOW, &cx);
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.contains("ledger") && shown.contains("shop"), "{shown}");
    run(pane.as_mut(), id::DOWN, &cx);
    let shown = text(pane.as_ref(), &cx);
    for words in ["money@example.com", "members (1)", "Ana Ruiz  ana@example.com  me", "parent   all"] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    run(pane.as_mut(), id::REGION_PREVIOUS, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "ledger");
    let place = Place::entity("component:default/ledger");
    assert_eq!(run(pane.as_mut(), id::OPEN, &cx), [Effect::Open(place)]);
}

#[test]
fn a_narrow_screen_shows_one_region_at_a_time() {
    let cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    run(pane.as_mut(), id::DOWN, &cx);
    run(pane.as_mut(), id::LAYOUT, &cx);
    let shown = text(pane.as_ref(), &cx);
    assert!(shown.contains("ledger") && !shown.contains("GROUP OR PERSON"), "{shown}");
    assert!(pane.step_back(&cx).is_some());
    assert!(text(pane.as_ref(), &cx).contains("GROUP OR PERSON"));
}

#[test]
fn an_empty_catalog_says_what_to_do() {
    let cx = yaml("", 80, 24);
    let shown = text(open("org", "", &cx).as_ref(), &cx);
    assert!(
        shown.contains("no groups or people were found") && shown.contains("kind Group and User"),
        "{shown}"
    );
}

#[test]
fn folds_and_focus_survive_a_new_snapshot() {
    let mut cx = company(80, 24);
    let mut pane = open("org", "", &cx);
    run(pane.as_mut(), id::DOWN, &cx);
    run(pane.as_mut(), COLLAPSE, &cx);
    let more = "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: aaa}\nspec: {type: team, children: []}\n";
    cx.catalog = yaml(&format!("{COMPANY}{more}"), 80, 24).catalog;
    pane.update(Input::Shown, &cx);
    assert_eq!(focused(pane.as_ref(), &cx), "money");
    assert!(text(pane.as_ref(), &cx).contains("▸ money"));
}

#[test]
fn a_click_focuses_and_a_double_click_opens() {
    let cx = company(120, 40);
    let mut pane = open("org", "", &cx);
    let row = lines(pane.as_ref(), &cx).iter().position(|line| line.contains("▾ money")).unwrap();
    let mut mouse = Mouse { kind: MouseKind::Click, column: 10, row: cx.area.y + row as u16 };
    assert!(pane.update(Input::Mouse(mouse), &cx).is_empty());
    assert_eq!(focused(pane.as_ref(), &cx), "money");
    mouse.kind = MouseKind::DoubleClick;
    assert_eq!(pane.update(Input::Mouse(mouse), &cx), [Effect::Run(id::OPEN)]);
}

#[test]
fn the_table_is_free_of_clashes() {
    for preset in PRESETS {
        let map = Keymap::build(crate::ui::panes::ALL, preset, &std::collections::BTreeMap::new()).0;
        let groups = SPEC.groups.iter().flat_map(|group| group.rows());
        for row in SPEC.commands.iter().chain(groups).chain(Group::Global.rows()) {
            for key in map.keys(row.id) {
                assert_eq!(map.find(SPEC.id, SPEC.groups, *key), Some(row.id), "{preset}: {key}");
            }
        }
    }
}

/// A company of groups with these parents and people with these groups; numbers past the end name
/// groups that nobody describes.
fn generated(parents: &[Option<usize>], people: &[Vec<usize>]) -> String {
    let mut text = String::new();
    for (at, parent) in parents.iter().enumerate() {
        let parent = parent.map_or(String::new(), |parent| format!("parent: g{parent}, "));
        let _ = write!(
            text,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{name: g{at}}}\nspec: {{type: team, {parent}children: \
             []}}\n"
        );
    }
    for (at, groups) in people.iter().enumerate() {
        let groups: Vec<String> = groups.iter().map(|group| format!("g{group}")).collect();
        let _ = write!(
            text,
            "---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {{name: u{at}}}\nspec: {{memberOf: [{}]}}\n",
            groups.join(", ")
        );
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nobody_is_lost_whatever_the_parents(
        parents in prop::collection::vec(prop::option::of(0usize..14), 0..12),
        people in prop::collection::vec(prop::collection::vec(0usize..14, 0..3), 0..8),
    ) {
        let cx = yaml(&generated(&parents, &people), 80, 24);
        let chart = Chart::build(&cx.catalog);
        for entity in cx.catalog.entities() {
            prop_assert!(chart.items.iter().any(|item| item.id() == Some(entity.id())), "{entity:?}");
        }
        for id in cx.catalog.dangling() {
            prop_assert!(chart.items.iter().any(|item| item.id() == Some(id)), "{}", cx.catalog.ref_of(id));
        }
        for (at, item) in chart.items.iter().enumerate() {
            prop_assert!(item.parent.is_none_or(|parent| parent < at), "children come after their parent");
            prop_assert!(item.members.1 <= people.len() && item.members.0 <= item.members.1);
        }
    }

    #[test]
    fn any_keys_at_any_size_draw_without_panic(
        sizes in prop::collection::vec((0u16..220, 0u16..70), 1..4),
        keys in prop::collection::vec(0usize..14, 0..30),
    ) {
        let commands = [
            COLLAPSE, EXPAND, MINE, UNOWNED, BELOW, id::DOWN, id::UP, id::TOP, id::BOTTOM, id::LAYOUT, id::REGION_NEXT,
            id::PREVIEW_DOWN, id::OPEN, FILTER,
        ];
        let mut cx = company(80, 24);
        let mut pane = open("org", "", &cx);
        for (width, height) in sizes {
            cx.area = crate::ui::body(Rect::new(0, 0, width, height));
            pane.update(Input::Shown, &cx);
            for key in &keys {
                run(pane.as_mut(), commands[*key], &cx);
            }
            pane.heading(&cx);
            lines(pane.as_ref(), &cx);
            pane.update(Input::Mouse(Mouse { kind: MouseKind::Click, column: width / 2, row: height / 2 }), &cx);
            lines(pane.as_ref(), &cx);
        }
    }
}
