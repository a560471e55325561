use super::*;

fn at(name: &str) -> ObjectRef {
    ObjectRef { cluster: "prod".into(), kind: Kind::Deployment, namespace: "shop".into(), name: name.into() }
}

fn plan() -> Plan {
    Plan {
        change: Change::Restart,
        targets: vec![at("web")],
        says: vec!["restart deployment `web` in namespace `shop` of cluster `prod`".to_owned()],
        kubectl: vec!["kubectl rollout restart deployment/web".to_owned()],
        refused: None,
        must_type: None,
    }
}

fn cx() -> Context {
    Context::new(&[])
}

#[test]
fn a_dialog_says_no_first_and_names_what_happens() {
    let dialog = dialog(&cx(), &plan());
    assert_eq!(dialog.focused().map(|item| item.label.as_str()), Some("no"));
    assert!(dialog.text[0].contains("`prod`") && dialog.text.iter().any(|line| line.starts_with("kubectl")));
    assert_eq!(dialog.items[1].effects, [Effect::Choose(CONFIRM, String::new())]);
}

#[test]
fn what_is_refused_stays_visible_with_its_reason() {
    let refused = Plan { refused: Some("`ana` may not `patch deployments`".to_owned()), ..plan() };
    let dialog = dialog(&cx(), &refused);
    assert_eq!(dialog.items[1].disabled, refused.refused);
    assert!(dialog.text.last().is_some_and(|line| line.contains("may not")));
}

#[test]
fn a_protected_deletion_wants_the_name_typed() {
    let plan = Plan { change: Change::Delete, must_type: Some("web".to_owned()), ..plan() };
    let dialog = dialog(&cx(), &plan);
    assert_eq!(dialog.kind, OverlayKind::Prompt(id::DELETE));
    assert!(dialog.items.is_empty());
}

#[test]
fn partial_failures_are_listed_with_what_failed_first() {
    let results = [(at("a"), Ok("restarting a".to_owned())), (at("b"), Err("it is not there".to_owned()))];
    let effects = told(&cx(), &results);
    let Some(Effect::Show(overlay)) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(overlay.title, "1 of 2 failed");
    assert!(overlay.text[0].starts_with("failed  deployment/shop/b@prod"), "{:?}", overlay.text);
}

#[test]
fn ports_are_read_as_people_write_them() {
    let cases = [
        ("8080", Some((8080, 8080))),
        ("80", Some((0, 80))),
        ("9090:80", Some((9090, 80))),
        (":80", Some((0, 80))),
        ("0:80", Some((0, 80))),
        ("x", None),
        ("80:", None),
        ("70000", None),
        ("1:0", None),
    ];
    for (line, expected) in cases {
        assert_eq!(read_ports(line), expected, "{line}");
    }
}

#[test]
fn quotes_hold_words_together() {
    let cases = [
        ("ls -l", vec!["ls", "-l"]),
        (r#"sh -c "echo 'a b'""#, vec!["sh", "-c", "echo 'a b'"]),
        (r"echo a\ b '' 'c", vec!["echo", "a b", "", "c"]),
        ("  ", vec![]),
    ];
    for (line, expected) in cases {
        assert_eq!(split_words(line), expected, "{line}");
    }
}

#[test]
fn time_left_counts_a_begun_minute() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for (until, text) in
        [("2026-01-01T00:15:00Z", "15m"), ("2026-01-01T00:14:01Z", "15m"), ("2025-01-01T00:00:00Z", "0m")]
    {
        assert_eq!(left(until.parse().unwrap(), now), text);
    }
}
