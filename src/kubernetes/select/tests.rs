//! Which objects are found, over small states made of the API's own form.

use super::*;
use crate::catalog::Catalog;
use crate::catalog::testing::catalog;
use crate::kubernetes::Kind;
use crate::kubernetes::state::State;
use crate::kubernetes::testing::state;
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "tests hand over what `json!` made")]
fn object(kind: &str, name: &str, labels: Value) -> Value {
    json!({
        "kind": kind,
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": labels },
    })
}

fn owned(mut object: Value, owner: &str) -> Value {
    object["metadata"]["ownerReferences"] =
        json!([{ "kind": "X", "name": owner, "uid": format!("uid-{owner}") }]);
    object
}

fn names(state: &State, catalog: &Catalog, entity: &str, kinds: &[Kind]) -> Vec<String> {
    let found = objects(state, catalog, &Scope::Entity(entity.to_owned()), kinds);
    let name = |found: &Found<'_>| format!("{}{}", if found.is_extra { "+" } else { "" }, found.object.name);
    found.iter().map(name).collect()
}

fn binding(annotations: &str, locator: Locator) -> Binding {
    let yaml = format!(
        "kind: Component\nname: pay\nnamespace: shop\nannotations: {{{annotations}}}\n\
         dependsOn: [resource:shop/east, resource:default/west, component:shop/other]\n"
    );
    let catalog = catalog(&yaml);
    Binding::of(&catalog.entities().next().unwrap(), locator)
}

#[test]
fn selector_wins_over_id_and_id_over_name() {
    let cases = [
        ("", "backstage.io/kubernetes-id=pay", false),
        ("backstage.io/kubernetes-id: payments", "backstage.io/kubernetes-id=payments", true),
        ("backstage.io/kubernetes-id: ''", "backstage.io/kubernetes-id=pay", false),
        (
            "backstage.io/kubernetes-id: payments, backstage.io/kubernetes-label-selector: 'a in (b),!c'",
            "a in (b),!c",
            true,
        ),
    ];
    for (annotations, selector, is_annotated) in cases {
        let binding = binding(annotations, Locator::MultiTenant);
        assert_eq!((&*binding.selector, binding.is_annotated), (selector, is_annotated), "{annotations}");
    }
}

#[test]
fn locators_choose_clusters() {
    let annotation = "backstage.io/kubernetes-cluster: north";
    let cases = [
        (annotation, Locator::MultiTenant, None),
        (annotation, Locator::SingleTenant, Some(vec!["north"])),
        ("", Locator::SingleTenant, None),
        (annotation, Locator::CatalogRelation, Some(vec!["east"])),
    ];
    for (annotations, locator, expected) in cases {
        let clusters = binding(annotations, locator).clusters;
        let clusters = clusters.as_ref().map(|names| names.iter().map(|name| &**name).collect::<Vec<_>>());
        assert_eq!(clusters, expected, "{locator:?}");
    }
}

#[test]
fn namespaces_and_clusters_restrict() {
    let catalog = catalog(
        "kind: Component\nname: pay\nannotations: {backstage.io/kubernetes-namespace: shop, backstage.io/kubernetes-cluster: b}\n",
    );
    let mut other = object("Pod", "elsewhere", json!({ "backstage.io/kubernetes-id": "pay" }));
    other["metadata"]["namespace"] = json!("bank");
    let here = object("Pod", "here", json!({ "backstage.io/kubernetes-id": "pay" }));
    let mut state = state(&[("a", &[here.clone(), other.clone()]), ("b", &[here, other])]);
    assert_eq!(names(&state, &catalog, "component:default/pay", &[]), ["here", "here"]);
    state.locator = Locator::SingleTenant;
    assert_eq!(names(&state, &catalog, "component:default/pay", &[]), ["here"]);
}

#[test]
fn what_is_owned_follows_as_an_extra() {
    let catalog = catalog("kind: Component\nname: pay\nannotations: {backstage.io/kubernetes-id: pay}\n");
    let label = || json!({ "backstage.io/kubernetes-id": "pay" });
    let mut pod = owned(object("Pod", "pay-1-a", json!({})), "pay-1");
    pod["spec"] = json!({ "volumes": [{ "persistentVolumeClaim": { "claimName": "pay-data" } }] });
    let mut scaler = object("HorizontalPodAutoscaler", "pay-scaler", json!({}));
    scaler["spec"] = json!({ "scaleTargetRef": { "kind": "Deployment", "name": "pay" } });
    let state = state(&[(
        "a",
        &[
            object("Deployment", "pay", label()),
            owned(object("ReplicaSet", "pay-1", json!({})), "pay"),
            pod,
            owned(object("Pod", "pay-1-b", label()), "pay-1"),
            owned(object("Pod", "other-1-a", json!({})), "other-1"),
            object("CronJob", "nightly", label()),
            owned(object("Job", "nightly-1", json!({})), "nightly"),
            owned(object("Pod", "nightly-1-a", json!({})), "nightly-1"),
            object("PersistentVolumeClaim", "pay-data", json!({})),
            object("PersistentVolumeClaim", "other-data", json!({})),
            scaler,
        ],
    )]);
    let pods = names(&state, &catalog, "component:default/pay", &[Kind::Pod]);
    assert_eq!(pods, ["+nightly-1-a", "+pay-1-a", "pay-1-b"]);
    let all = names(&state, &catalog, "component:default/pay", &[]);
    let expected = [
        "+nightly-1-a",
        "+pay-1-a",
        "pay-1-b",
        "pay",
        "+pay-1",
        "+nightly-1",
        "nightly",
        "+pay-scaler",
        "+pay-data",
    ];
    assert_eq!(all, expected);
}

#[test]
fn systems_show_their_parts_and_owners_what_is_theirs() {
    let catalog = catalog(
        "kind: System\nname: shop\nowner: group:default/ops\n---\n\
         kind: Component\nname: pay\nsystem: shop\nowner: ops\n---\n\
         kind: Component\nname: cart\nsystem: shop\nowner: group:default/dev\n---\n\
         kind: API\nname: note\nsystem: shop\nowner: ops\n---\n\
         kind: Group\nname: ops\n---\nkind: Group\nname: dev\n---\n\
         kind: User\nname: ana\nmemberOf: [ops]\n",
    );
    let pod = |name: &str| object("Pod", name, json!({ "backstage.io/kubernetes-id": name }));
    let state = state(&[("a", &[pod("pay"), pod("cart"), pod("note"), pod("shop")])]);
    let cases: [(&str, &[&str]); 5] = [
        ("system:default/shop", &["cart", "pay"]),
        ("group:default/ops", &["pay"]),
        ("user:default/ana", &["pay"]),
        ("api:default/note", &["note"]),
        ("component:default/none", &[]),
    ];
    for (entity, expected) in cases {
        assert_eq!(names(&state, &catalog, entity, &[]), expected, "{entity}");
    }
}

#[test]
fn a_namespace_is_a_run_of_all() {
    let mut far = object("Pod", "z", json!({}));
    far["metadata"]["namespace"] = json!("shop-2");
    let node = json!({ "kind": "Node", "metadata": { "name": "n" } });
    let state = state(&[("a", &[object("Pod", "a", json!({})), far, node])]);
    let count = |scope: Scope, kinds: &[Kind]| objects(&state, &Catalog::default(), &scope, kinds).len();
    assert_eq!(count(Scope::Namespace("shop".to_owned()), &[]), 1);
    assert_eq!(count(Scope::Everything, &[]), 3);
    assert_eq!(count(Scope::Everything, &[Kind::Node]), 1);
    assert_eq!(count(Scope::Namespace("none".to_owned()), &[]), 0);
}

#[test]
fn a_selector_that_no_server_takes_finds_nothing_and_says_why() {
    let catalog = catalog(
        "kind: Component\nname: pay\nannotations: {backstage.io/kubernetes-label-selector: 'a in ('}\n",
    );
    let state = state(&[("a", &[object("Pod", "a", json!({}))])]);
    assert_eq!(names(&state, &catalog, "component:default/pay", &[]), [""; 0]);
    let bindings = bindings_of(&catalog, "component:default/pay", Locator::MultiTenant);
    let bindings = Bindings::new(bindings.into_iter().map(|(_, binding)| binding));
    assert!(bindings.problem(0).is_some());
}
