use super::*;
use crate::catalog::snapshot::{Catalog, SourceState};
use crate::catalog::stitch::{StitchInput, stitch};
use serde_json::json;

fn catalog(relations: RelationsFrom, entities: &[serde_json::Value]) -> Catalog {
    let (name, place): (Arc<str>, Arc<str>) = ("company".into(), "url:https://portal.example.com".into());
    let cx = Context { source: 0, name: &name, place: &place, relations, max_bytes: 1 << 20 };
    let mut files = JsonFiles::new(&cx);
    for entity in entities {
        files.add_json(entity);
    }
    let (files, diagnostics) = files.finish();
    let sources = vec![SourceState { name, kind: "backstage", ..SourceState::default() }];
    stitch(StitchInput { sources, files, diagnostics, ..StitchInput::default() })
}

fn component(name: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut entity = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": {"name": name, "uid": "1", "etag": "e", "annotations": {
            "backstage.io/managed-by-location": format!("url:https://git.example.com/o/{name}/blob/main/catalog-info.yaml"),
            "backstage.io/managed-by-origin-location": "url:https://git.example.com/all.yaml",
        }},
        "spec": {"type": "service", "lifecycle": "production", "owner": "nobody"},
    });
    for (key, value) in more.as_object().unwrap() {
        entity[key] = value.clone();
    }
    entity
}

fn relations(catalog: &Catalog, entity: &str) -> Vec<String> {
    let id = catalog.find(entity).unwrap();
    catalog.relations(id).map(|r| format!("{} {}", r.relation, catalog.ref_of(r.target))).collect()
}

#[test]
fn given_relations_replace_those_of_the_spec() {
    let given = json!({"relations": [
        {"type": "ownedBy", "targetRef": "group:default/team"},
        {"type": "runsOn", "targetRef": "resource:default/cluster"},
        {"type": "aaa", "targetRef": "component:default/b"},
        {"type": "no good\u{1b}", "targetRef": "component:default/b"},
        {"type": "dependsOn", "targetRef": "not a ref"},
    ]});
    let catalog = catalog(RelationsFrom::Given, &[component("a", &given), component("b", &json!({}))]);
    assert_eq!(
        relations(&catalog, "component:default/a"),
        ["aaa component:default/b", "ownedBy group:default/team", "runsOn resource:default/cluster"]
    );
    assert_eq!(relations(&catalog, "group:default/team"), ["ownerOf component:default/a"]);
    assert!(relations(&catalog, "component:default/b").is_empty(), "an odd type has no opposite");
    let a = catalog.entity(catalog.find("component:default/a").unwrap()).unwrap();
    assert_eq!(a.owner().map(|id| catalog.ref_of(id)), Some("group:default/team"));
    let codes: Vec<_> = a.problems().map(|d| d.code).collect();
    assert_eq!(codes, ["catalog::dangling-ref", "catalog::dangling-ref"]);
}

#[test]
fn made_entities_say_their_relations_in_the_spec() {
    let catalog = catalog(
        RelationsFrom::Spec,
        &[component(
            "a",
            &json!({"relations": [
        {"type": "ownedBy", "targetRef": "group:default/team"}]}),
        )],
    );
    assert_eq!(relations(&catalog, "component:default/a"), ["ownedBy group:default/nobody"]);
}

#[test]
fn what_the_server_says_is_told_and_its_place_is_kept() {
    let status = json!({"status": {"items": [
        {"type": "backstage.io/catalog-processing", "level": "error", "message": "NotFoundError: gone",
         "error": {"name": "NotFoundError", "message": "gone", "stack": "at x"}},
        {"type": "acme.io/scan", "level": "info", "message": "old"},
        {"level": 7}, "odd",
    ]}});
    let mut orphan = component("b", &json!({}));
    orphan["metadata"]["annotations"]["backstage.io/orphan"] = json!("true");
    let catalog = catalog(RelationsFrom::Given, &[component("a", &status), orphan]);
    let entity = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap();
    let a = entity("component:default/a");
    let told: Vec<_> = a.problems().map(|d| (d.severity.as_str(), d.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("error", "the server marks it and does not say why"),
            ("error", "the server says: NotFoundError: gone"),
            ("info", "the server says (scan): old"),
        ]
    );
    assert_eq!(a.location().to_string(), "https://git.example.com/o/a/blob/main/catalog-info.yaml");
    assert!(!a.is_orphan() && entity("component:default/b").is_orphan());
    let json = a.to_json();
    assert_eq!(json["metadata"]["uid"], "1");
    assert_eq!(
        json["metadata"]["annotations"]["backstage.io/managed-by-origin-location"],
        "url:https://git.example.com/all.yaml"
    );
    assert_eq!(json["relations"], json!([]));
}

#[test]
fn odd_entities_cost_only_themselves() {
    let mut deep = json!({});
    for _ in 0..300 {
        deep = json!([deep]);
    }
    let odd = [
        json!(null),
        json!([1]),
        json!("x"),
        json!({"kind": "Component"}),
        json!({"kind": "Component", "metadata": {"name": ""}}),
        json!({"kind": 1, "metadata": 2}),
        component("deep", &json!({"spec": deep})),
    ];
    let mut all = odd.to_vec();
    all.push(component("Upper_Case Name", &json!({"spec": null, "relations": 3, "status": "x"})));
    all.push(
        json!({"apiVersion": "acme.io/v7", "kind": "Robot", "metadata": {"name": "r", "namespace": "Ops"}}),
    );
    let catalog = catalog(RelationsFrom::Given, &all);
    let refs: Vec<_> = catalog.ids().map(|id| catalog.ref_of(id)).collect();
    assert_eq!(refs, ["component:default/upper_case name", "robot:ops/r"]);
    let count = |code: &str| catalog.diagnostics().iter().filter(|d| d.code == code).count();
    assert!(count("catalog::json") >= 1);
    assert!(catalog.diagnostics().iter().all(|d| !d.is_error()), "{:?}", catalog.diagnostics());
}

#[test]
fn a_repeated_key_counts_once_and_limits_hold() {
    let node = parse(br#"{"a":1,"b":2,"a":3}"#, 100).unwrap();
    assert_eq!(ValueRefJson(&node).to_string(), r#"{"a":3,"b":2}"#);
    let pairs: Vec<String> = (0..50).map(|n| format!("\"k{n}\":{n}")).collect();
    let many = format!("{{{},\"k3\":\"last\"}}", pairs.join(","));
    assert_eq!(parse(many.as_bytes(), 10_000).unwrap().get("k3").unwrap().as_str(), Some("last"));
    assert!(matches!(parse(b"[1,2,3]", 3), Err(JsonError::TooLarge { .. })));
    let flood = format!("[{}0]", "0,".repeat(100_000));
    assert!(matches!(parse(flood.as_bytes(), 1 << 20), Err(JsonError::Syntax(_))));
    for text in ["", "{", "{\"a\":}", "[1] 2", "\"\\ud800\"", "nul"] {
        assert!(parse(text.as_bytes(), 100).is_err(), "{text}");
    }
    assert!(parse(b"{\"a\":\"\xff\"}", 100).is_err());
    assert_eq!(
        parse(b"18446744073709551615", 100).unwrap().data,
        crate::yaml::Data::Float(1.844_674_407_370_955_2e19)
    );
}

struct ValueRefJson<'a, 'n>(&'a crate::yaml::Node<'n>);

impl std::fmt::Display for ValueRefJson<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let packed = self.0.to_packed();
        write!(f, "{}", crate::model::value::ValueRef::new(&packed).to_json())
    }
}
