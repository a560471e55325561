use super::*;
use crate::yaml::parse_source;

/// Returns the verdict and `code pointer line:column` of each diagnostic.
fn verdict(text: &str) -> (bool, Vec<String>) {
    let source = Source::new(text, &"x.yaml".into());
    let node = parse_source(&source).remove(0).content.unwrap().unwrap();
    let checked = check(&node, &source);
    let line = |d: &Diagnostic| {
        let place = d.location.as_ref().unwrap();
        let code = d.code.strip_prefix("catalog::").unwrap();
        format!("{code} {} {}:{}", d.pointer.as_deref().unwrap(), place.line, place.column)
    };
    (checked.valid, checked.diagnostics.iter().map(line).collect())
}

/// A component with more lines under `metadata` and `spec`.
fn component(metadata: &str, spec: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\n{metadata}spec:\n  type: \
         service\n  lifecycle: production\n  owner: team\n{spec}"
    )
}

#[test]
fn accepts_what_backstage_accepts() {
    for (metadata, spec) in [
        ("", ""),
        ("  annotations:\n", ""),
        ("  labels: {a: '', x.io/b: c_d}\n  tags: [c++, 'a:b']\n  description: ''\n", ""),
        ("  links: [{url: 'https://x.io', title: t}, {url: 'mailto:a@b'}]\n  own: {any: [1]}\n", ""),
        ("", "  dependencyOf: component:x\n"),
        ("", "  dependencyOf: [{kind: component, name: x}]\n  own: 3\n"),
        ("", "  dependencyOf: 0\n"),
    ] {
        let text = component(metadata, spec);
        assert_eq!(verdict(&text), (true, vec![]), "{text}");
    }
}

#[test]
fn reports_what_backstage_refuses() {
    let cases = [
        ("  namespace: Team\n", "", "invalid-namespace /metadata/namespace 5:14"),
        ("  title:\n", "", "null-value /metadata/title 5:3"),
        ("  title: ''\n", "", "empty-value /metadata/title 5:10"),
        ("  labels: [a]\n", "", "wrong-type /metadata/labels 5:3"),
        ("  labels: {a: 3}\n", "", "wrong-type /metadata/labels/a 5:15"),
        ("  labels: {a: b c}\n", "", "invalid-label /metadata/labels/a 5:15"),
        ("  annotations: {a/b/c: d}\n", "", "invalid-annotation /metadata/annotations/a~1b~1c 5:17"),
        ("  annotations: {a: true}\n", "", "wrong-type /metadata/annotations/a 5:20"),
        ("  tags: go\n", "", "wrong-type /metadata/tags 5:9"),
        ("  tags: [go, GitOps]\n", "", "invalid-tag /metadata/tags/1 5:14"),
        ("  links: [{url: /a}]\n", "", "invalid-link /metadata/links/0/url 5:17"),
        ("  links: [{title: a}]\n", "", "missing-field /metadata/links/0/url 5:12"),
        ("  links: [{url: 'x:y', title: ' '}]\n", "", "empty-value /metadata/links/0/title 5:31"),
        ("", "  dependsOn: [bare]\n", "invalid-ref /spec/dependsOn/0 9:15"),
        ("", "  dependsOn: system:x\n", "wrong-type /spec/dependsOn 9:14"),
        ("", "  system: a/\n", "invalid-ref /spec/system 9:11"),
        ("", "  dependencyOf: 5\n", "invalid-ref /spec/dependencyOf 9:17"),
        ("", "  dependencyOf: [a]\n", "invalid-ref /spec/dependencyOf/0 9:18"),
        ("", "  subcomponentOf: [component:x]\n", "wrong-type /spec/subcomponentOf 9:3"),
    ];
    for (metadata, spec, expected) in cases {
        let text = component(metadata, spec);
        assert_eq!(verdict(&text), (false, vec![expected.to_owned()]), "{text}");
    }
}

#[test]
fn reports_everything_at_once() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: A team\n  tags: [X]\nspec:\n  type: \
                3\nextra: 1\n";
    let expected = [
        "unknown-field /extra 8:1",
        "invalid-name /metadata/name 4:9",
        "invalid-tag /metadata/tags/0 5:10",
        "wrong-type /spec/type 7:9",
        "missing-field /spec/children 6:1",
    ];
    assert_eq!(verdict(text), (false, expected.map(str::to_owned).to_vec()));
}

#[test]
fn unknown_kinds_are_refused_and_only_warned_about() {
    for (version, kind, place) in [
        ("backstage.io/v1alpha1", "component", "/kind 2:7"),
        ("backstage.io/v1beta2", "Template", "/apiVersion 1:13"),
        ("backstage.io/v1alpha1", "Thing", "/kind 2:7"),
        ("extensions.backstage.io/v1", "Plugin", "/kind 2:7"),
        ("apps/v1", "Deployment", "/apiVersion 1:13"),
    ] {
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n");
        assert_eq!(verdict(&text), (false, vec![format!("unknown-kind {place}")]), "{text}");
    }
}

#[test]
fn keys_that_differ_in_case_are_a_warning() {
    let text = component("", "  Owner: x\n");
    assert_eq!(verdict(&text), (true, vec!["case-variant-keys /spec/Owner 9:3".into()]));
}

#[test]
fn says_where_a_misplaced_field_stands() {
    let text =
        "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata:\n  name: a\n  owner: b\nspec: {}\n";
    let source = Source::new(text, &"x.yaml".into());
    let node = parse_source(&source).remove(0).content.unwrap().unwrap();
    let checked = check(&node, &source);
    assert_eq!(
        checked.diagnostics[0].hint.as_deref(),
        Some("move `owner` from `metadata` (line 5) to `spec`")
    );
}
