//! Decisions over small policies, and what the files' checks say.

use super::*;
use crate::model::value::ValueRef;
use proptest::prelude::*;

/// People in a table: who is a member of what, what is a part of what.
struct People(&'static [(&'static str, &'static [&'static str])]);

impl People {
    fn of(&self, who: &str) -> Vec<String> {
        let found = self.0.iter().find(|(name, _)| *name == who);
        found.map(|(_, groups)| groups.iter().map(|&group| group.to_owned()).collect()).unwrap_or_default()
    }
}

impl Directory for People {
    fn groups_of(&self, user: &str) -> Vec<String> {
        self.of(user)
    }
    fn parents_of(&self, group: &str) -> Vec<String> {
        self.of(group)
    }
    fn is_known(&self, entity_ref: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == entity_ref)
    }
}

const PEOPLE: People = People(&[
    ("user:default/ana", &["group:default/payments"]),
    ("user:default/bo", &["group:default/shop"]),
    ("user:default/cy", &[]),
    ("user:default/round", &["group:default/a"]),
    ("group:default/payments", &["group:default/commerce"]),
    ("group:default/shop", &["group:default/commerce"]),
    ("group:default/commerce", &["group:default/all"]),
    ("group:default/a", &["group:default/b"]),
    ("group:default/b", &["group:default/a"]),
]);

fn file(text: &str) -> Vec<PolicyFile> {
    vec![PolicyFile { name: "policy.csv".into(), text: text.to_owned() }]
}

fn rules(settings: Settings, csv: &str, yaml: &str) -> (Rules, Vec<Diagnostic>) {
    let conditional = vec![PolicyFile { name: "conditions.yaml".into(), text: yaml.to_owned() }];
    Rules::read(settings, &file(csv), &conditional)
}

fn outcome(rules: &Rules, user: &str, permission: &str) -> (Outcome, String) {
    let answer = rules.decide(Some(&format!("user:default/{user}")), &Asked::about(permission), &PEOPLE);
    (answer.outcome, answer.reason)
}

const CSV: &str = "\
# who may do what
p, role:default/dev, catalog-entity, read, allow
p, role:default/dev, catalog.entity.create, create, allow
p, role:default/ops, kubernetes.proxy, use, allow
p, role:default/no, kubernetes.proxy, use, deny
p, role:default/no, catalog.entity.read, read, deny
p, user:default/cy, kubernetes.proxy, use, allow
g, group:default/all, role:default/dev
g, Group:default/Commerce, role:default/ops
g, user:default/bo, role:default/no
";

#[test]
fn lines_decide_over_groups_and_their_parents() {
    let (rules, problems) = rules(Settings::default(), CSV, "");
    assert_eq!(problems.len(), 0, "{problems:?}");
    let cases = [
        ("ana", "catalog.entity.read", Outcome::Allow),
        ("ana", "catalog.entity.create", Outcome::Allow),
        ("ana", "catalog.entity.delete", Outcome::Deny),
        ("ana", "kubernetes.proxy", Outcome::Allow),
        // a denial of any role counts
        ("bo", "kubernetes.proxy", Outcome::Deny),
        // the name counts before the type
        ("bo", "catalog.entity.read", Outcome::Deny),
        // no role: lines of their own
        ("cy", "kubernetes.proxy", Outcome::Allow),
        ("cy", "catalog.entity.read", Outcome::Deny),
        ("nobody", "catalog.entity.read", Outcome::Deny),
    ];
    for (user, permission, expected) in cases {
        let (outcome, reason) = outcome(&rules, user, permission);
        assert_eq!(outcome, expected, "{user} {permission}: {reason}");
    }
}

#[test]
fn the_way_to_a_role_is_told() {
    let (rules, _) = rules(Settings::default(), CSV, "");
    let answer = rules.decide(Some("user:default/ana"), &Asked::about("catalog.entity.read"), &PEOPLE);
    let dev = answer.roles.iter().find(|way| &*way.role == "role:default/dev").unwrap();
    let path = ["user:default/ana", "group:default/payments", "group:default/commerce", "group:default/all"];
    assert_eq!(dev.path, path);
    assert_eq!(dev.place.to_string(), "policy.csv:8");
    assert_eq!(answer.lines.iter().map(|line| line.place.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn parents_are_followed_as_deep_as_the_settings_say() {
    for (depth, expected) in [(Some(0), 0), (Some(1), 1), (Some(2), 2), (None, 2)] {
        let (rules, _) = rules(Settings { max_depth: depth, ..Settings::default() }, CSV, "");
        let answer = rules.decide(Some("user:default/ana"), &Asked::about("x"), &PEOPLE);
        assert_eq!(answer.roles.len(), expected, "{depth:?}");
    }
}

#[test]
fn groups_in_a_circle_give_no_role() {
    let csv = "g, user:default/round, role:default/dev\np, role:default/dev, x, use, allow\n";
    let settings = Settings { default_role: Some("role:default/dev".into()), ..Settings::default() };
    let (rules, _) = rules(settings, csv, "");
    let (outcome, reason) = outcome(&rules, "round", "x");
    assert_eq!(outcome, Outcome::Deny);
    assert!(reason.contains("group:default/a > group:default/b"), "{reason}");
}

#[test]
fn settings_make_super_users_admins_and_a_role_of_everybody() {
    let settings = Settings {
        super_users: vec!["group:default/payments".into()],
        admins: vec!["user:default/bo".into()],
        default_role: Some("role:default/everybody".into()),
        default_permissions: vec![("catalog.location.read".into(), Action::Read)],
        ..Settings::default()
    };
    let (rules, _) = rules(settings, "", "");
    assert_eq!(outcome(&rules, "ana", "anything.at.all").0, Outcome::Allow);
    assert_eq!(outcome(&rules, "bo", "policy.entity.create").0, Outcome::Allow);
    assert_eq!(outcome(&rules, "bo", "policy.entity.delete").0, Outcome::Allow);
    assert_eq!(outcome(&rules, "bo", "scaffolder.task.create").0, Outcome::Deny);
    assert_eq!(outcome(&rules, "cy", "catalog.location.read").0, Outcome::Allow);
    assert_eq!(outcome(&rules, "cy", "catalog.location.delete").0, Outcome::Deny);
}

#[test]
fn lines_that_do_not_count_are_told_with_the_reason() {
    let cases = [
        ("p, role:default/a, x, use, alow", "did you mean `allow`?"),
        ("p, role:default/a, x, get, allow", "`get` is no action"),
        ("p, role:default/a, , use, allow", "the permission is missing"),
        ("p, role:a, x, use, allow", "a whole ref is needed"),
        ("p, Role:default/a, x, use, allow", "lower case"),
        ("p, component:default/a, x, use, allow", "user, group or role"),
        ("p, role:default/a, x, use", "the effect is missing"),
        ("g, role:default/a, role:default/b", "cannot be a member of a role"),
        ("g, group:default/a, group:default/b", "the catalog's to say"),
        ("g, user:default/a, role:default/b, x", "this one has 3 fields"),
        ("x, y", "neither `p` nor `g`"),
        ("p, \"role:default/a, x, use, allow", "not closed"),
        ("p, role:Default/a, x, use, allow", "a namespace is lower-case"),
        ("p, role:default/a--b, x, use, allow", "joined by single"),
    ];
    for (line, expected) in cases {
        let (rules, problems) = rules(Settings::default(), line, "");
        let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(said.iter().any(|said| said.contains(expected)), "{line}: {said:?}");
        assert!(rules.lines.is_empty() && rules.members.is_empty(), "{line}");
    }
}

#[test]
fn equal_and_contradicting_lines_cancel_each_other_out() {
    let csv = "p, role:default/r, x, use, allow\np,role:default/r,x,use,allow\n\
               p, role:default/r, y, use, allow\np, role:default/r, y, use, deny\n\
               g, user:default/cy, role:default/r\n";
    let (strict, problems) = rules(Settings::default(), csv, "");
    assert_eq!(problems.len(), 4);
    assert!(problems[0].message.contains("in line 2"), "{}", problems[0].message);
    assert_eq!(outcome(&strict, "cy", "x").0, Outcome::Deny);
    let (lenient, _) = rules(Settings { is_lenient: true, ..Settings::default() }, csv, "");
    assert_eq!(outcome(&lenient, "cy", "x").0, Outcome::Allow);
    assert_eq!(outcome(&lenient, "cy", "y").0, Outcome::Deny);
}

const CONDITIONS: &str = "\
result: CONDITIONAL
roleEntityRef: role:default/dev
pluginId: catalog
resourceType: catalog-entity
permissionMapping: [read, delete]
conditions:
  anyOf:
    - rule: IS_ENTITY_OWNER
      resourceType: catalog-entity
      params: {claims: [$ownerRefs, group:default/other]}
    - allOf:
        - not: {rule: HAS_LABEL, resourceType: catalog-entity, params: {label: Sensitivity, value: Restricted}}
        - {rule: IS_ENTITY_KIND, resourceType: catalog-entity, params: {kinds: [component]}}
---
result: CONDITIONAL
roleEntityRef: role:default/unknown
pluginId: catalog
resourceType: catalog-entity
permissionMapping: [read]
conditions: {rule: IS_ENTITY_KIND, resourceType: catalog-entity, params: {kinds: [API]}}
---
result: CONDITIONAL
roleEntityRef: role:default/dev
resourceType: catalog-entity
";

fn packed(json: &serde_json::Value) -> Box<[u8]> {
    let text = json.to_string();
    let document = crate::yaml::parse_stream(&text, &"test".into()).remove(0);
    document.content.unwrap().unwrap().to_packed()
}

#[test]
fn conditions_judge_what_is_asked_about() {
    let (rules, problems) = rules(Settings::default(), CSV, CONDITIONS);
    let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    for expected in ["role:default/unknown", "`pluginId` is missing"] {
        assert!(said.iter().any(|said| said.contains(expected)), "{said:?}");
    }
    let answer = rules.decide(Some("user:default/ana"), &Asked::about("catalog.entity.read"), &PEOPLE);
    assert_eq!(answer.outcome, Outcome::Conditional);
    let restricted = packed(&serde_json::json!({
        "kind": "Component", "metadata": {"labels": {"sensitivity": "restricted"}}
    }));
    let open = packed(&serde_json::json!({"kind": "Component", "metadata": {}}));
    let group = packed(&serde_json::json!({"kind": "Group", "metadata": {}}));
    let judge =
        |bytes, owners: &[&str]| answer.judge(Resource::Entity { value: ValueRef::new(bytes), owners });
    assert!(judge(&open, &[]).holds);
    assert!(judge(&restricted, &["group:default/payments"]).holds);
    assert!(judge(&restricted, &["group:default/other"]).holds);
    assert!(!judge(&group, &["group:default/shop"]).holds);
    let no = judge(&restricted, &[]);
    assert!(!no.holds);
    assert_eq!(no.each[0].1.len(), 2, "{:?}", no.each);
    // the order can be turned round: the line of the type comes first then
    let (rules, _) = self::rules(Settings { is_basic_first: true, ..Settings::default() }, CSV, CONDITIONS);
    assert_eq!(outcome(&rules, "ana", "catalog.entity.read").0, Outcome::Allow);
    assert_eq!(outcome(&rules, "ana", "catalog.entity.delete").0, Outcome::Conditional);
}

#[test]
fn rules_compare_as_the_catalog_does() {
    let entity = packed(&serde_json::json!({
        "kind": "Component",
        "metadata": {"annotations": {"github.com/project-slug": "Org/Repo"}, "tags": ["java", "a.b"]},
        "spec": {"type": "service", "deep": {"list": [{"x": 1}], "yes": true}}
    }));
    let value = ValueRef::new(&entity);
    let cases = [
        (r#"{"rule":"HAS_ANNOTATION","annotation":"github.com/project-slug"}"#, true),
        (r#"{"rule":"HAS_ANNOTATION","annotation":"GitHub.com/Project-Slug","value":"org/repo"}"#, true),
        (r#"{"rule":"HAS_ANNOTATION","annotation":"github.com/project"}"#, false),
        (r#"{"rule":"HAS_METADATA","key":"tags.java"}"#, true),
        (r#"{"rule":"HAS_METADATA","key":"tags.java","value":"true"}"#, true),
        (r#"{"rule":"HAS_METADATA","key":"tags","value":"JAVA"}"#, true),
        (r#"{"rule":"HAS_METADATA","key":"tags.a.b"}"#, true),
        (r#"{"rule":"HAS_METADATA","key":"tags.go"}"#, false),
        (r#"{"rule":"HAS_SPEC","key":"type","value":"Service"}"#, true),
        (r#"{"rule":"HAS_SPEC","key":"deep.list.x","value":"1"}"#, true),
        (r#"{"rule":"HAS_SPEC","key":"deep.yes","value":"true"}"#, true),
        (r#"{"rule":"HAS_SPEC","key":"deep"}"#, false),
        (r#"{"rule":"NO_SUCH_RULE","key":"deep"}"#, false),
    ];
    for (rule, expected) in cases {
        let mut params: serde_json::Value = serde_json::from_str(rule).unwrap();
        let name = params["rule"].take().as_str().unwrap().to_owned();
        let rule = criteria::Rule { name, resource_type: known::ENTITY.into(), params };
        let asker = criteria::Asker { user: "user:default/ana", owner_refs: &[] };
        let holds = Criteria::Rule(rule.clone()).holds(
            Resource::Entity { value, owners: &[] },
            asker,
            &mut Vec::new(),
        );
        assert_eq!(holds, expected, "{rule:?}");
    }
}

#[test]
fn several_conditions_of_one_role_deny() {
    let second = CONDITIONS.split("---").next().unwrap();
    let (rules, _) = rules(Settings::default(), CSV, &format!("{second}---\n{second}"));
    let (outcome, reason) = outcome(&rules, "ana", "catalog.entity.read");
    assert_eq!(outcome, Outcome::Deny);
    assert!(reason.contains("conditions.yaml:1, conditions.yaml:"), "{reason}");
}

#[test]
fn conditions_out_of_form_are_told_where_they_are() {
    let rule = "{rule: X, resourceType: y}";
    let deep = (0..20).fold(rule.to_owned(), |inner, _| format!("{{not: {inner}}}"));
    let cases = [
        ("[read, read]", rule, "twice"),
        ("[]", rule, "not empty"),
        ("[read, {name: a, action: read}]", rule, "cannot be mixed"),
        ("[eat]", rule, "`eat` is no action"),
        ("[read]", "{rule: X}", "`resourceType` of the rule"),
        ("[read]", "{anyOf: []}", "not empty"),
        ("[read]", "{anyOf: [{rule: X, resourceType: y}], not: {rule: X, resourceType: y}}", "side by side"),
        ("[read]", &deep, "deeper than 12"),
    ];
    for (mapping, conditions, expected) in cases {
        let yaml = format!(
            "result: CONDITIONAL\nroleEntityRef: role:default/dev\npluginId: p\nresourceType: t\n\
             permissionMapping: {mapping}\nconditions: {conditions}\n"
        );
        let (_, problems) = rules(Settings::default(), CSV, &yaml);
        let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(said.iter().any(|said| said.contains(expected)), "{expected}: {said:?}");
        assert!(problems[0].location.as_ref().is_some_and(|location| location.line >= 1));
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(csv in "(?s).{0,200}", yaml in "(?s).{0,200}") {
        let (rules, _) = rules(Settings::default(), &csv, &yaml);
        let _ = rules.decide(Some("user:default/ana"), &Asked::about("x"), &PEOPLE);
    }

    #[test]
    fn quoted_fields_read_as_written(field in "[a-z ,\"]{0,12}") {
        let line = format!("p,role:default/r,\"{}\",use,allow\ng,user:default/cy,role:default/r", field.replace('"', "\"\""));
        let (rules, _) = rules(Settings::default(), &line, "");
        let found = rules.lines_of("role:default/r").first().map(|line| line.permission.to_string());
        let expected = Some(field.clone()).filter(|field| !field.is_empty() && !field.contains('"'));
        prop_assert_eq!(found, expected);
    }
}
