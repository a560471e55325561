use super::*;
use crate::catalog::snapshot::{EntityId, FileContent};
use crate::catalog::testing::{catalog, catalog_of, file};
use crate::model::relation::reverse;
use proptest::prelude::*;

fn facts(catalog: &Catalog) -> Vec<String> {
    let relations = |id: EntityId| {
        catalog
            .relations(id)
            .map(|r| format!("{} {}", r.relation, catalog.ref_of(r.target)))
            .collect::<Vec<_>>()
    };
    let nodes = (0..catalog.node_count() as u32).map(EntityId);
    nodes
        .map(|id| match catalog.entity(id) {
            Some(e) => format!(
                "{} at {} {} {} {:?} {:?} invalid {} warned {} {:?} orphan {} {:?} {:?}",
                catalog.ref_of(id),
                e.location(),
                e.kind(),
                e.lifecycle(),
                e.owner().map(|id| catalog.ref_of(id)),
                e.system().map(|id| catalog.ref_of(id)),
                e.is_invalid(),
                e.has_warnings(),
                e.tags().collect::<Vec<_>>(),
                e.is_orphan(),
                catalog.haystack(id),
                relations(id)
            ),
            None => format!("{} {:?}", catalog.ref_of(id), relations(id)),
        })
        .chain(catalog.diagnostics().iter().map(Diagnostic::render))
        .collect()
}

#[test]
fn relations_stand_at_both_ends_once() {
    let catalog = catalog(
        "kind: Component\nname: a\nowner: t\ndependsOn: ['component:b', 'component:B']\n---\nkind: Component\nname: \
         b\ndependencyOf: ['component:a']\n---\nkind: Group\nname: t\nchildren: [u]\n",
    );
    let of = |text: &str| -> Vec<String> {
        let id = catalog.find(text).unwrap();
        catalog.relations(id).map(|r| format!("{} {}", r.relation, catalog.ref_of(r.target))).collect()
    };
    assert_eq!(of("component:default/a"), ["dependsOn component:default/b", "ownedBy group:default/t"]);
    assert_eq!(of("component:default/b"), ["dependencyOf component:default/a"]);
    assert_eq!(of("group:default/t"), ["ownerOf component:default/a", "parentOf group:default/u"]);
    assert_eq!(of("group:default/u"), ["childOf group:default/t"]);
    assert_eq!(catalog.dangling().count(), 1);
}

#[test]
fn of_two_claimants_the_first_by_path_stays_and_both_are_named() {
    let files =
        [("b.yaml", "kind: API\nname: x\ntitle: B\n"), ("a.yaml", "# c\nkind: API\nname: X\ntitle: A\n")];
    let catalog = catalog_of(&files);
    assert_eq!(catalog.entity(EntityId(0)).unwrap().title(), Some("A"));
    let conflict = &catalog.diagnostics()[0];
    assert_eq!(conflict.code, "catalog::conflict");
    assert!(conflict.message.contains("a.yaml:2:1"), "{}", conflict.message);
    assert_eq!(conflict.location.as_ref().unwrap().to_string(), "b.yaml:1:1");
    assert_eq!(catalog.problems(EntityId(0)).count(), 1);
}

#[test]
fn dangling_refs_have_their_line_and_a_proposal() {
    let catalog = catalog("kind: Component\nname: a\nowner: jo\n---\nkind: User\nname: jo\nmemberOf: []\n");
    let found = &catalog.diagnostics()[0];
    assert_eq!((found.code, found.pointer.as_deref()), ("catalog::dangling-ref", Some("/spec/owner")));
    assert_eq!(found.hint.as_deref(), Some("there is `user:default/jo`: write that, if it is meant"));
    assert!(catalog.entity(EntityId(0)).unwrap().has_warnings());
}

#[test]
fn columns_hold_what_the_documents_say() {
    let catalog = catalog(
        "kind: Component\nname: A\ntitle: 'É'\ntags: [y, x]\ntype: service\nlifecycle: production\nowner: t\nsubcomponentOf: \
         c\nsystem: s\ndescription: Some TEXT\n---\nkind: Location\nname: l\n---\nkind: Odd\nname: o\n",
    );
    let a = catalog.entity(EntityId(0)).unwrap();
    assert_eq!(
        (a.kind(), a.name(), a.entity_type(), a.lifecycle()),
        ("Component", "A", "service", "production")
    );
    assert_eq!(a.tags().collect::<Vec<_>>(), ["y", "x"]);
    assert_eq!(a.system().map(|id| catalog.ref_of(id)), Some("system:default/s"));
    assert_eq!(catalog.haystack(a.id()), "a\né\nservice\nt\ns\ny\nx\nsome text");
    assert!(a.is_orphan(), "all it names is missing");
    let by = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap();
    assert!(!by("location:default/l").is_orphan());
    assert!(by("odd:default/o").is_unknown_kind() && by("odd:default/o").is_orphan());
}

#[test]
fn a_field_takes_one_line_of_the_searched_text() {
    let catalog = catalog("kind: API\nname: a\ntitle: |\n  Two\n  lines\ntags: [t]\n");
    assert_eq!(catalog.haystack(EntityId(0)), "a\ntwo lines\n\n\n\nt\n");
}

#[test]
fn an_entity_prints_as_backstage_does() {
    let catalog = catalog(
        "kind: Component\nname: a\nannotations: {x: y, backstage.io/managed-by-location: 'file:/wrong'}\nowner: t\n",
    );
    let text = serde_json::to_string(&catalog.entity(EntityId(0)).unwrap()).unwrap();
    assert_eq!(
        text,
        "{\"apiVersion\":\"backstage.io/v1alpha1\",\"kind\":\"Component\",\"metadata\":{\"namespace\":\"default\",\
         \"annotations\":{\"x\":\"y\",\"backstage.io/managed-by-location\":\"file:/catalog.yaml\",\
         \"backstage.io/managed-by-origin-location\":\"file:/catalog.yaml\"},\"name\":\"a\"},\"spec\":{\"owner\":\"t\"},\
         \"relations\":[{\"type\":\"ownedBy\",\"targetRef\":\"group:default/t\"}],\"status\":{\"items\":[{\"type\":\
         \"backstage.io/catalog-processing\",\"level\":\"warning\",\"message\":\"catalog.yaml:1:1: `owner` names \
         `group:default/t`, which nothing here describes\"}]}}"
    );
}

fn documents() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = "[a-cA-C]";
    let kind = prop_oneof![Just("Component"), Just("API"), Just("Group"), Just("Odd")];
    let refs = prop::collection::vec("(component:|api:|x/)?[a-d]", 0..3);
    let document = (kind, name, refs.clone(), refs, "[a-d]").prop_map(|(kind, name, a, b, owner)| {
        format!(
            "kind: {kind}\nname: {name}\nowner: {owner}\ndependsOn: [{}]\nprovidesApis: [{}]\nchildren: [{}]\n",
            a.join(", "),
            b.join(", "),
            b.join(", ")
        )
    });
    let file = prop::collection::vec(document, 1..4).prop_map(|documents| documents.join("---\n"));
    prop::collection::vec(file, 1..6)
        .prop_map(|files| files.into_iter().enumerate().map(|(i, f)| (format!("f{i}.yaml"), f)).collect())
}

fn join(files: &[&(String, String)]) -> Catalog {
    let pairs: Vec<(&str, &str)> = files.iter().map(|(p, y)| (p.as_str(), y.as_str())).collect();
    catalog_of(&pairs)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn relations_always_come_in_pairs(files in documents()) {
        let catalog = join(&files.iter().collect::<Vec<_>>());
        for id in (0..catalog.node_count() as u32).map(EntityId) {
            let mut last = None;
            for relation in catalog.relations(id) {
                let back = reverse(relation.relation).unwrap();
                prop_assert!(catalog.relations(relation.target).any(|r| r.relation == back && r.target == id));
                prop_assert!(last < Some((relation.relation.to_owned(), relation.target)));
                last = Some((relation.relation.to_owned(), relation.target));
            }
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(files in documents(), seed in any::<u64>()) {
        let mut shuffled: Vec<&(String, String)> = files.iter().collect();
        let len = shuffled.len();
        for i in 0..len {
            shuffled.swap(i, (seed.rotate_left(i as u32 * 7) % len as u64) as usize);
        }
        prop_assert_eq!(facts(&join(&files.iter().collect::<Vec<_>>())), facts(&join(&shuffled)));
    }

    #[test]
    fn ids_are_in_the_order_of_refs(files in documents()) {
        let catalog = join(&files.iter().collect::<Vec<_>>());
        let refs: Vec<&str> = catalog.ids().map(|id| catalog.ref_of(id)).collect();
        prop_assert!(refs.windows(2).all(|w| w[0] < w[1]));
        prop_assert!(refs.iter().all(|text| catalog.find(text).is_some()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn joining_again_equals_joining_anew(files in documents(), others in documents(), which in any::<u64>()) {
        let parsed: Vec<_> = files.iter().map(|(path, yaml)| Arc::new(file(path, yaml))).collect();
        let mut again = stitch(StitchInput { files: parsed.clone(), ..StitchInput::default() });
        let mut now = parsed;
        for (at, (_, yaml)) in others.iter().enumerate() {
            let place = (which.rotate_left(at as u32 * 7) % now.len() as u64) as usize;
            let path = now[place].path.clone();
            now[place] = Arc::new(file(&path, yaml));
            again = stitch_again(&again, &again.shared_files(), StitchInput { files: now.clone(), ..StitchInput::default() });
            let anew = stitch(StitchInput { files: now.clone(), ..StitchInput::default() });
            prop_assert_eq!(facts(&again), facts(&anew));
        }
    }

    #[test]
    fn few_changes_are_patched_in(fields in prop::collection::vec((0usize..6, edits()), 1..12)) {
        let yaml = |at: usize, spec: &str| format!("kind: Component\nname: n{at}\n{spec}---\nkind: Group\nname: g{at}\n");
        let mut now: Vec<_> = (0..6).map(|at| Arc::new(file(&format!("f{at}.yaml"), &yaml(at, "owner: g0\n")))).collect();
        let mut again = stitch(StitchInput { files: now.clone(), ..StitchInput::default() });
        for (at, spec) in fields {
            now[at] = Arc::new(file(&format!("f{at}.yaml"), &yaml(at, &spec)));
            let input = || StitchInput { files: now.clone(), ..StitchInput::default() };
            let anew = stitch(input());
            prop_assert!(patch::patch(&again, &again.shared_files(), &mut input()).is_some(), "{spec}");
            again = stitch_again(&again, &again.shared_files(), input());
            prop_assert_eq!(facts(&again), facts(&anew));
        }
    }

    #[test]
    fn files_and_entities_that_come_and_go_are_patched_in(
        steps in prop::collection::vec((0usize..7, 0usize..5, 0usize..9, edits()), 1..14),
    ) {
        // each file has names of its own, so that no ref is described twice
        let name = |at: usize, which: usize| format!("{}{at}", ["n", "o", "api"][which % 3]);
        let yaml = |at: usize, which: usize, spec: &str| {
            let kind = ["Component", "API", "Group", "Domain"][which % 4];
            let more = if which > 4 { format!("---\nkind: Group\nname: g{at}\nchildren: [g{which}]\n") } else { String::new() };
            format!("kind: {kind}\nname: {}\n{spec}{more}", name(at, which))
        };
        let start = |at: usize| (format!("f{at}.yaml"), Arc::new(file(&format!("f{at}.yaml"), &yaml(at, 0, "owner: g0\n"))));
        let mut now: std::collections::BTreeMap<String, Arc<ParsedFile>> = (0..4).map(start).collect();
        let input = |now: &std::collections::BTreeMap<String, Arc<ParsedFile>>| StitchInput {
            files: now.values().cloned().collect(),
            ..StitchInput::default()
        };
        let mut again = stitch(input(&now));
        for (at, what, which, spec) in steps {
            let (path, other) = (format!("f{at}.yaml"), format!("e{at}.yaml"));
            match what {
                0 => drop(now.remove(&path)),
                // renamed as it is, or back
                1 => {
                    if let Some(old) = now.remove(&path) {
                        let renamed = FileContent { path: other.as_str().into(), documents: old.documents.clone(), ..FileContent::default() };
                        now.insert(other, Arc::new(ParsedFile::new(0, renamed)));
                    }
                }
                _ => {
                    now.remove(&other);
                    now.insert(path.clone(), Arc::new(file(&path, &yaml(at, which, &spec))));
                }
            }
            if now.is_empty() {
                continue;
            }
            let anew = stitch(input(&now));
            let _ = again.by_name();
            let is_empty = again.shared_files().is_empty();
            let patched = patch::patch(&again, &again.shared_files(), &mut input(&now));
            prop_assert!(is_empty || patched.is_some());
            again = patched.unwrap_or_else(|| stitch(input(&now)));
            prop_assert_eq!(facts(&again), facts(&anew));
            prop_assert_eq!(again.by_name(), anew.by_name());
            prop_assert_eq!(again.sources(), anew.sources());
        }
    }
}

/// Fields of a component that change what it relates to, its columns and its text.
fn edits() -> impl Strategy<Value = String> {
    let refs = || prop::collection::vec("(component:n|group:g|api:x)[0-6]", 0..4);
    let tags = prop::collection::vec("[a-z]{1,3}", 0..3);
    (refs(), refs(), "[g-h][0-6]", tags, "[a-z]{0,9}", any::<bool>()).prop_map(|(a, b, owner, tags, text, line)| {
        format!(
            "{}owner: {owner}\ndependsOn: [{}]\ndependencyOf: [{}]\ntags: [{}]\ndescription: '{text}'\nlifecycle: l{text}\n",
            if line { "# moved\n" } else { "" },
            a.join(", "),
            b.join(", "),
            tags.join(", ")
        )
    })
}

#[test]
fn documents_of_one_large_file_are_all_read() {
    let yaml: Vec<String> = (0..700).map(|i| format!("kind: API\nname: a{i}\n")).collect();
    let large = Arc::new(file("b.yaml", &yaml.join("---\n")));
    let small = Arc::new(file("a.yaml", "kind: API\nname: small\n"));
    let last = Arc::new(file("c.yaml", "kind: API\nname: last\n"));
    let catalog = stitch(StitchInput { files: vec![large, last, small], ..StitchInput::default() });
    assert_eq!(catalog.len(), 702);
}
