//! What servers say, joined and bound, without any server.

use super::bind::Bindings;
use super::board::joined;
use super::*;
use crate::catalog::testing;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn alert(provider: &str, name: &str, pairs: &[(&str, &str)]) -> Alert {
    let mut labels = labels(pairs);
    labels.insert("alertname".into(), name.into());
    Alert {
        providers: vec![provider.into()],
        name: name.into(),
        severity: Severity::of(&labels),
        state: State::Firing,
        since: None,
        labels,
        annotations: BTreeMap::new(),
        url: String::new(),
        silences: Vec::new(),
        receivers: Vec::new(),
    }
}

#[test]
fn words_of_people_are_severities() {
    let cases = [
        (&[("severity", "page")][..], Severity::Critical),
        (&[("severity", "CRITICAL")], Severity::Critical),
        (&[("priority", "P2")], Severity::Error),
        (&[("severity", "ticket")], Severity::Warning),
        (&[], Severity::Warning),
        (&[("severity", "none")], Severity::Info),
        (&[("level", "info"), ("severity", "critical")], Severity::Critical),
    ];
    for (pairs, expected) in cases {
        assert_eq!(Severity::of(&labels(pairs)), expected, "{pairs:?}");
    }
}

#[test]
fn the_same_on_two_servers_is_one_alert() {
    let mut silenced = alert("alertmanager", "Down", &[("service", "till"), ("severity", "critical")]);
    silenced.state = State::Silenced;
    silenced.silences.push(("alertmanager".into(), "x-1".into()));
    let fires =
        alert("prometheus", "Down", &[("service", "till"), ("severity", "critical"), ("replica", "b")]);
    let other = alert("prometheus", "Down", &[("service", "cart"), ("severity", "critical")]);
    let joined = joined(vec![fires, silenced, other]);
    let shown: Vec<_> =
        joined.iter().map(|a| (a.labels["service"].as_str(), a.state, a.providers.len())).collect();
    assert_eq!(shown, [("cart", State::Firing, 1), ("till", State::Silenced, 2)]);
    assert_eq!(joined[1].silences.len(), 1);
}

#[test]
fn matchers_read_and_fit_as_alertmanager_has_them() {
    let cases = [
        ("service=till", true),
        ("service=\"till\"", true),
        ("service!=till", false),
        ("service=~\"t.*\"", true),
        ("service=~\"il\"", false),
        ("service!~\"cart|x\"", true),
        ("absent=\"\"", true),
        ("absent!=\"\"", false),
    ];
    for (text, expected) in cases {
        let matcher = Matcher::parse(text).unwrap();
        assert_eq!(matcher.fits(&labels(&[("service", "till")])), expected, "{text}");
        assert_eq!(Matcher::parse(&matcher.to_string()).unwrap(), matcher);
    }
    for bad in ["service", "=x", "a b=c", "x=~\"[\"", "x=\"open"] {
        assert!(Matcher::parse(bad).is_err(), "{bad}");
    }
    let list = Matcher::parse_list("{a=\"x,y\", b!=c}").unwrap();
    assert_eq!(list.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a=\"x,y\"", "b!=\"c\""]);
}

const CATALOG: &str = "\
kind: Component
name: till
annotations: {prometheus.io/alert: 'TillDown, TillSlow', prometheus.io/labels: 'env=prod'}
---
kind: Component
name: cart
annotations: {devportal/alertmanager-matchers: 'team=\"shop\",severity=~\"crit.*\"'}
---
kind: Component
name: ledger
annotations: {backstage.io/kubernetes-id: ledger-v2}
---
kind: API
name: ledger
";

#[test]
fn alerts_are_bound_with_the_reason() {
    let catalog = testing::catalog(CATALOG);
    let bindings = Bindings::of(&catalog);
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(&str, Pairs, Pairs)] = &[
        ("TillDown", &[("env", "prod")], &[("component:default/till", "prometheus.io/alert names TillDown")]),
        ("TillDown", &[("env", "test")], &[]),
        (
            "Any",
            &[("team", "shop"), ("severity", "critical")],
            &[(
                "component:default/cart",
                "devportal/alertmanager-matchers fit: team=\"shop\",severity=~\"crit.*\"",
            )],
        ),
        ("Any", &[("app", "Ledger-V2")], &[("component:default/ledger", "its label app is Ledger-V2")]),
        ("Any", &[("service", "ledger")], &[("component:default/ledger", "its label service is ledger")]),
        ("Any", &[("instance", "till")], &[]),
    ];
    for (name, pairs, expected) in cases {
        let about = bindings.about(&alert("p", name, pairs));
        let shown: Vec<(&str, &str)> =
            about.iter().map(|about| (catalog.ref_of(about.id), about.reason.as_str())).collect();
        assert_eq!(shown, *expected, "{name} {pairs:?}");
    }
}
