use super::*;
use crate::catalog::graph_export as export;
use crate::catalog::testing::catalog;

const SHOP: &str = "
kind: System
name: shop
owner: team
---
kind: Component
name: web
owner: team
system: shop
consumesApis: [orders]
---
kind: Component
name: checkout
owner: money
system: shop
providesApis: [orders]
dependsOn: [\"resource:db\"]
---
kind: API
name: orders
owner: money
definition: x
---
kind: Resource
name: db
owner: money
dependsOn: [\"component:backup\"]
---
kind: Component
name: backup
owner: ghosts
dependsOn: [\"resource:db\"]
---
kind: Group
name: money
children: [team]
---
kind: Group
name: team
children: []
";

fn id(catalog: &Catalog, text: &str) -> EntityId {
    catalog.find(text).unwrap()
}

fn short(catalog: &Catalog, id: EntityId) -> &str {
    catalog.ref_of(id).rsplit('/').next().unwrap()
}

#[test]
fn neighbours_by_depth_direction_and_type() {
    let catalog = catalog(SHOP);
    let around = |depth, direction, relations: &[&str]| {
        let relations = relations.iter().map(|r| (*r).to_owned()).collect();
        let options = GraphOptions { depth, direction, relations, limit: 100 };
        let part = neighbourhood(&catalog, id(&catalog, "component:default/checkout"), &options);
        part.nodes
            .iter()
            .map(|n| format!("{}{}", short(&catalog, n.id), n.depth))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(around(1, Direction::Out, &[]), "checkout0 orders1 money1 db1 shop1");
    assert_eq!(around(1, Direction::In, &[]), "checkout0");
    assert_eq!(around(2, Direction::Both, &["consumesApi", "providesApi"]), "checkout0 orders1 web2");
    assert_eq!(around(2, Direction::Both, &["dependencyOf"]), "checkout0 db1 backup2");
}

#[test]
fn a_limit_cuts_and_tells() {
    let catalog = catalog(SHOP);
    let options = GraphOptions { depth: 1, limit: 3, ..GraphOptions::default() };
    let part = neighbourhood(&catalog, id(&catalog, "component:default/checkout"), &options);
    assert_eq!((part.nodes.len(), part.cut), (3, 2));
    assert_eq!(part.nodes[0].hidden, 2);
    assert!(part.edges.iter().all(|e| part.nodes.iter().any(|n| n.id == e.from)));
}

#[test]
fn impact_follows_dependents_and_consumers() {
    let catalog = catalog(SHOP);
    let root = id(&catalog, "resource:default/db");
    let impact = impact(&catalog, root);
    let touched: Vec<_> = impact
        .entities
        .iter()
        .map(|i| format!("{} {} {}", short(&catalog, i.id), i.depth, i.via.relation))
        .collect();
    assert_eq!(
        touched,
        ["backup 1 dependsOn", "checkout 1 dependsOn", "orders 2 providesApi", "web 3 consumesApi"]
    );
    let owners: Vec<_> = impact.owners.iter().map(|(o, n)| (short(&catalog, *o), *n)).collect();
    assert_eq!(owners, [("money", 2), ("ghosts", 1), ("team", 1)]);
    let json = serde_json::to_value(export::impact_json(&catalog, root, &impact)).unwrap();
    assert_eq!(json["entities"][1]["via"]["from"], "component:default/checkout");
    assert_eq!(json["entities"][1]["owner"], "group:default/money");
}

#[test]
fn paths_prefer_technical_relations() {
    let catalog = catalog(SHOP);
    let path = |a: &str, b: &str| {
        let steps = shortest_path(&catalog, id(&catalog, a), id(&catalog, b))?;
        Some(
            steps
                .iter()
                .map(|e| format!("{} {}", e.relation, short(&catalog, e.to)))
                .collect::<Vec<_>>()
                .join(", "),
        )
    };
    assert_eq!(
        path("component:default/web", "resource:default/db").as_deref(),
        Some("consumesApi orders, apiProvidedBy checkout, dependsOn db")
    );
    assert_eq!(path("component:default/web", "component:default/web").as_deref(), Some(""));
    assert_eq!(path("group:default/team", "group:default/money").as_deref(), Some("childOf money"));
    let other = crate::catalog::testing::catalog("kind: Group\nname: a\n---\nkind: Group\nname: b\n");
    assert!(shortest_path(&other, EntityId(0), EntityId(1)).is_none());
}

#[test]
fn circles_are_found_once() {
    let catalog = catalog(SHOP);
    let names: Vec<Vec<&str>> =
        cycles(&catalog).iter().map(|part| part.iter().map(|id| short(&catalog, *id)).collect()).collect();
    assert_eq!(names, [["backup", "db"]]);
}

#[test]
fn trees_mark_what_is_repeated_and_cut() {
    let catalog = catalog(SHOP);
    let shop = id(&catalog, "system:default/shop");
    let parts = tree(&catalog, shop, PARTS, 5, 100);
    assert_eq!(
        export::tree_text(&catalog, &parts),
        "system:default/shop\n├─ has part component:default/checkout\n└─ has part component:default/web\n"
    );
    let money = id(&catalog, "group:default/money");
    assert_eq!(group_roots(&catalog), [money]);
    assert_eq!(part_roots(&catalog), [shop]);
    let options = GraphOptions { depth: 2, direction: Direction::Out, ..GraphOptions::default() };
    let text = export::tree_text(
        &catalog,
        &neighbour_tree(&catalog, id(&catalog, "component:default/checkout"), &options),
    );
    assert!(text.contains("(shown above)") && text.contains("… 1 more"), "{text}");
}

#[test]
fn exports_quote_foreign_names() {
    let catalog = catalog("kind: Component\nname: a\ntitle: 'x\"]; <b>'\nowner: gone\n");
    let part = neighbourhood(&catalog, EntityId(0), &GraphOptions::default());
    assert_eq!(
        export::dot(&catalog, &part),
        "digraph catalog {\n  rankdir=LR;\n  node [shape=box];\n  \"component:default/a\" [label=\"x\\\"]; <b> \
         (component:default/a)\"];\n  \"group:default/gone\" [label=\"group:default/gone (described nowhere)\", \
         style=dashed];\n  \"component:default/a\" -> \"group:default/gone\" [label=\"ownedBy\"];\n}\n"
    );
    assert_eq!(
        export::mermaid(&catalog, &part),
        "flowchart LR\n  n0[\"x&quot;]; &lt;b&gt; (component:default/a)\"]\n  n1[\"group:default/gone (described \
         nowhere)\"]\n  n0 -->|\"ownedBy\"| n1\n"
    );
    let json = serde_json::to_value(export::graph_json(&catalog, &part)).unwrap();
    assert_eq!(json["nodes"][1]["dangling"], true);
    assert_eq!(json["edges"][0]["type"], "ownedBy");
}
