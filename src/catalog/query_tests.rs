use super::*;
use crate::catalog::testing::catalog;
use proptest::prelude::*;

const COMPANY: &str = "
kind: Group
name: payments
children: []
---
kind: User
name: jo
profile: {displayName: Jo Ruiz}
memberOf: [payments]
---
kind: Domain
name: money
owner: payments
---
kind: System
name: billing
owner: payments
domain: money
---
kind: Component
name: checkout-api
title: Checkout API
description: Takes Card orders
tags: [go, grpc]
labels: {app: shop, tier: \"1\"}
annotations: {github.com/project-slug: acme/checkout}
links: [{url: \"https://x.io\"}]
type: service
lifecycle: production
owner: payments
system: billing
providesApis: [orders]
dependsOn: [\"resource:ledger-db\", \"component:gone\"]
---
kind: Component
name: web
namespace: team-x
type: website
lifecycle: experimental
owner: user:default/jo
consumesApis: [default/orders]
---
kind: API
name: orders
type: openapi
lifecycle: production
owner: ghosts
definition: x
---
kind: Resource
name: ledger-db
type: database
owner: payments
---
kind: Package
name: alone
";

fn run(filter: &str) -> String {
    let catalog = catalog(COMPANY);
    let mut viewer = Viewer::of_user(&catalog, "user:default/jo", ["api:default/orders".to_owned()].into());
    let health = [
        ("component:default/checkout-api", "down"),
        ("component:team-x/web", "ok"),
        ("api:default/orders", "slow"),
    ];
    viewer.health = Arc::new(health.into_iter().map(|(entity, word)| (entity.into(), word)).collect());
    let ids = Query::parse(filter).unwrap().run(&catalog, &viewer, &CancellationToken::new());
    for id in catalog.ids() {
        assert_eq!(
            Query::parse(filter).unwrap().matches(&catalog, &viewer, id),
            ids.contains(&id),
            "{filter}: one by one differs for {}",
            catalog.ref_of(id)
        );
    }
    let names: Vec<_> = ids.iter().map(|id| split_canonical(catalog.ref_of(*id)).2).collect();
    names.join(" ")
}

#[test]
fn finds_what_is_asked_for() {
    let cases = [
        ("", "orders checkout-api web money payments alone ledger-db billing jo"),
        ("check", "checkout-api"),
        ("Card", "checkout-api"),
        ("card", "checkout-api"),
        ("CARD", ""),
        ("\"takes card\"", "checkout-api"),
        ("^check", "checkout-api"),
        ("^api", ""),
        ("api$", "checkout-api"),
        ("^orders$", "orders"),
        ("~ckapi", "checkout-api"),
        ("/^che.*api$/", "checkout-api"),
        ("/Card/", "checkout-api"),
        ("/CARD/", ""),
        ("ruiz", "jo"),
        ("kind:component", "checkout-api web"),
        ("kind:COMP*", "checkout-api web"),
        ("kind:component,api !web", "orders checkout-api"),
        ("web|orders", "orders checkout-api web"),
        ("type:service", "checkout-api"),
        ("lifecycle:", "orders checkout-api web"),
        ("owner:payments", "checkout-api money ledger-db billing"),
        ("owner:group:default/payments kind:system", "billing"),
        ("owner:default/payments kind:system", "billing"),
        ("owner:jo", "web"),
        ("owner:me", "checkout-api web money ledger-db billing"),
        ("owner:none", "orders payments alone jo"),
        ("is:unowned", "orders alone"),
        ("!owner:", "payments alone jo"),
        ("is:mine", "checkout-api web money payments ledger-db billing jo"),
        ("is:starred", "orders"),
        ("is:orphan", "alone"),
        ("is:dangling", "orders checkout-api"),
        ("is:unknown", "alone"),
        ("system:billing", "checkout-api"),
        ("domain:money", "checkout-api billing"),
        ("ns:team-x", "web"),
        ("-ns:default", "web"),
        ("tag:go", "checkout-api"),
        ("tag:g*", "checkout-api"),
        ("name:*-db", "ledger-db"),
        ("title:\"checkout api\"", "checkout-api"),
        ("description:card", "checkout-api"),
        ("label:app=shop", "checkout-api"),
        ("label:app=other", ""),
        ("label:tier", "checkout-api"),
        ("annotation:github.com/*", "checkout-api"),
        ("metadata.annotations.github.com/project-slug:acme/*", "checkout-api"),
        ("metadata.annotations.github.com/project-slug:", "checkout-api"),
        ("metadata.tags.grpc:true", "checkout-api"),
        ("spec.type:database", "ledger-db"),
        ("spec.profile.displayName:\"jo ruiz\"", "jo"),
        ("component:checkout-api", "checkout-api"),
        ("component:web", "web"),
        ("dependsOn:ledger-db", "checkout-api"),
        ("consumesApi:", "web"),
        ("source:test kind:user", "jo"),
        ("tags>1", "checkout-api"),
        ("links=1", "checkout-api"),
        ("dependents>0", "orders ledger-db"),
        ("dependencies>=2", "checkout-api"),
        ("members=1", "payments"),
        ("owns>3", "payments"),
        ("-l app=shop", "checkout-api"),
        ("-l !app kind:component", "web"),
    ];
    for (filter, expected) in cases {
        assert_eq!(run(filter), expected, "{filter}");
    }
}

#[test]
fn health_is_a_state_and_a_key() {
    let cases = [
        ("is:broken", "orders checkout-api"),
        ("!is:broken kind:component", "web"),
        ("status:down", "checkout-api"),
        ("status:down,ok", "checkout-api web"),
        ("status:s*", "orders"),
        ("is:broken is:mine", "checkout-api"),
    ];
    for (filter, expected) in cases {
        assert_eq!(run(filter), expected, "{filter}");
    }
}

#[test]
fn health_is_counted_the_worst_first() {
    let catalog =
        catalog("kind: Component\nname: a\n---\nkind: Component\nname: b\n---\nkind: Component\nname: c\n");
    let ids: Vec<_> = catalog.ids().collect();
    let health = |words: &[(&str, &'static str)]| {
        words.iter().map(|(name, word)| (format!("component:default/{name}").into(), *word)).collect()
    };
    assert_eq!(super::super::facets::status(&catalog, &ids, &health(&[("gone", "ok")])), None);
    let facet = super::super::facets::status(&catalog, &ids, &health(&[("a", "ok"), ("b", "down")])).unwrap();
    let shown: Vec<_> = facet.values.iter().map(|v| (v.value.as_str(), v.count, v.filter.as_str())).collect();
    assert_eq!(shown, [("down", 1, "status:down"), ("ok", 1, "status:ok")]);
    assert_eq!(facet.absent, 1);
}

#[test]
fn words_never_reach_from_one_entity_into_the_next() {
    let catalog = catalog("kind: Component\nname: ab\ndescription: xy\n---\nkind: Component\nname: cd\n");
    let query = Query::parse("\"xycd\"").unwrap();
    assert!(query.run(&catalog, &Viewer::default(), &CancellationToken::new()).is_empty());
}

#[test]
fn a_scan_finds_every_entity_of_many() {
    let yaml: Vec<String> = (0..9000)
        .map(|i| format!("kind: Component\nname: c{i:05}{}\n", if i % 7 == 0 { "-hit" } else { "" }))
        .collect();
    let catalog = catalog(&yaml.join("---\n"));
    let count = |filter: &str| {
        Query::parse(filter).unwrap().run(&catalog, &Viewer::default(), &CancellationToken::new()).len()
    };
    assert_eq!(count("hit"), 1286);
    assert_eq!(count("!hit"), 9000 - 1286);
    assert_eq!(count("hit c0000"), 2);
}

#[test]
fn a_cancelled_query_ends() {
    let catalog = catalog(COMPANY);
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(Query::parse("kind:component").unwrap().run(&catalog, &Viewer::default(), &cancel).is_empty());
}

proptest! {
    #[test]
    fn any_filter_runs(text in r#"([a-z:|!~^$,/" .*>-]|kind:|is:mine|tags>1|owner:|metadata.tags.){0,12}"#) {
        let catalog = catalog(COMPANY);
        if let Ok(query) = Query::parse(&text) {
            let ids = query.run(&catalog, &Viewer::default(), &CancellationToken::new());
            prop_assert!(ids.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn a_word_finds_what_contains_it(word in "[a-z]{1,4}") {
        let catalog = catalog(COMPANY);
        let found = Query::parse(&word).unwrap().run(&catalog, &Viewer::default(), &CancellationToken::new());
        let expected: Vec<EntityId> =
            catalog.ids().filter(|id| catalog.haystack(*id).contains(&word)).collect();
        prop_assert_eq!(found, expected);
    }
}
