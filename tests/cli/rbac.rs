//! Access control: what a person without a right sees of what is hidden, and why.

use crate::run::Machine;
use insta::assert_snapshot;

const CATALOG: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: vault-keepers}
spec: {type: team, children: [], members: [ana]}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: everybody}
spec: {type: team, children: [vault-keepers], members: [bo]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ana}
spec: {memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: bo}
spec: {memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: till}
spec: {type: service, lifecycle: production, owner: everybody}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: goldmine, description: where the gold is, labels: {sensitivity: restricted}, tags: [nuggets]}
spec: {type: bullion, lifecycle: sealed, owner: vault-keepers, dependsOn: ['component:till'], system: fortknox}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: fortknox, labels: {sensitivity: restricted}}
spec: {owner: vault-keepers}
";

const POLICY: &str = "\
p, role:default/engineer, catalog.entity.refresh, update, allow
p, role:default/keeper, kubernetes.proxy, use, allow
p, role:default/keeper, policy-entity, read, allow
p, role:default/idle, kubernetes.proxy, use, allow
p, role:default/idle, kubernetes.proxy, use, deny
g, group:default/everybody, role:default/engineer
g, user:default/ana, role:default/keeper
g, user:default/zed, role:default/keeper
";

const CONDITIONS: &str = "\
result: CONDITIONAL
roleEntityRef: role:default/engineer
pluginId: catalog
resourceType: catalog-entity
permissionMapping: [read]
conditions:
  anyOf:
    - {rule: IS_ENTITY_OWNER, resourceType: catalog-entity, params: {claims: [$ownerRefs]}}
    - not: {rule: HAS_LABEL, resourceType: catalog-entity, params: {label: sensitivity, value: restricted}}
";

fn machine(user: &str) -> Machine {
    let machine = Machine::with(&[
        ("catalog/catalog-info.yaml", CATALOG),
        ("policy.csv", POLICY),
        ("conditions.yaml", CONDITIONS),
    ]);
    let settings = format!(
        "user = \"user:default/{user}\"\n[permissions]\nenabled = true\npolicies = [\"{}\"]\nconditions = [\"{}\"]\n",
        machine.path("policy.csv").display(),
        machine.path("conditions.yaml").display(),
    );
    machine.settings("config.toml", &settings);
    machine
}

const HIDDEN: [&str; 6] = ["goldmine", "fortknox", "nuggets", "bullion", "sealed", "where the gold is"];

#[test]
fn what_is_hidden_appears_nowhere() {
    let commands: &[&[&str]] = &[
        &["get"],
        &["get", "-o", "json"],
        &["get", "component", "-o", "yaml"],
        &["get", "-A", "-o", "csv"],
        &["get", "owner:vault-keepers"],
        &["search", "gold"],
        &["search", "goldmine", "-o", "json"],
        &["describe", "component:till"],
        &["describe", "component:till", "-o", "json"],
        &["describe", "group:vault-keepers"],
        &["graph", "component:till", "--depth", "4"],
        &["graph", "component:till", "-o", "dot"],
        &["__complete", "entity", ""],
        &["screenshot", "catalog", "--size", "200x60"],
        &["screenshot", "home", "--size", "120x40"],
        &["screenshot", "org", "--size", "120x40"],
        &["screenshot", "problems", "--size", "120x40"],
        &["screenshot", "component:default/till", "--size", "120x40"],
        &["screenshot", "group:default/vault-keepers", "--size", "120x40"],
    ];
    let (bo, ana) = (machine("bo"), machine("ana"));
    let mut seen_by_ana = 0;
    for command in commands {
        let arguments: Vec<&str> =
            ["--catalog", "catalog"].into_iter().chain(command.iter().copied()).collect();
        let (bo, ana) = (bo.run(&arguments), ana.run(&arguments));
        for hidden in HIDDEN {
            let is_asked = command.contains(&hidden);
            let text = format!("{}{}", bo.stdout, bo.stderr);
            assert!(is_asked || !text.contains(hidden), "{command:?} shows `{hidden}`:\n{text}");
            seen_by_ana += usize::from(ana.stdout.contains(hidden));
        }
    }
    assert!(seen_by_ana > 20, "the owner sees it: {seen_by_ana}");
    // as what does not exist
    let (hidden, absent) = (
        bo.run(&["--catalog", "catalog", "describe", "component:goldmine"]),
        bo.run(&["--catalog", "catalog", "describe", "component:nothing"]),
    );
    assert_eq!((hidden.code, hidden.stderr.replace("goldmine", "nothing")), (3, absent.stderr));
    assert_eq!(ana.run(&["--catalog", "catalog", "describe", "component:goldmine"]).code, 0);
}

#[test]
fn a_decision_is_shown_with_the_way_to_it() {
    let ana = machine("ana");
    let check = |arguments: &[&str]| {
        let first = ["--catalog", "catalog", "rbac", "check"];
        ana.run(&first.into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>()).to_string()
    };
    let read = ["--user", "bo", "--permission", "catalog.entity.read", "--entity", "component:goldmine"];
    assert_snapshot!("check-text", check(&read));
    assert_snapshot!("check-json", check(&[&read[..], &["-o", "json"]].concat()));
    assert_snapshot!("check-allowed", check(&["--user", "ana", "--permission", "kubernetes.proxy"]));
}

#[test]
fn policies_are_shown_to_those_who_may_see_them() {
    let refused = machine("bo").run(&["--catalog", "catalog", "rbac", "matrix"]);
    assert_eq!(refused.code, 4, "{refused}");
    let ana = machine("ana");
    assert_snapshot!("lint", ana.run(&["--catalog", "catalog", "rbac", "lint"]));
    assert_snapshot!("matrix", ana.run(&["--catalog", "catalog", "rbac", "matrix", "-o", "csv"]));
    ana.write("new.csv", "p, role:default/keeper, catalog.location.delete, delete, allow\ng, user:default/bo, role:default/keeper\n");
    assert_snapshot!("diff", ana.run(&["--catalog", "catalog", "rbac", "diff", "policy.csv", "new.csv"]));
}

#[test]
fn a_policy_that_cannot_be_read_allows_nothing() {
    let bo = machine("bo");
    std::fs::remove_file(bo.path("policy.csv")).unwrap();
    let seen = bo.run(&["--catalog", "catalog", "get", "-o", "name"]);
    assert_eq!(seen.stdout, "");
    assert!(seen.stderr.contains("cannot be read"), "{seen}");
}
