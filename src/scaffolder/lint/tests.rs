//! Templates with one mistake each.

use super::{Actions, lint};
use crate::yaml::{Source, parse_source};
use std::path::Path;
use std::sync::Arc;

struct Known;

impl Actions for Known {
    fn has(&self, id: &str) -> bool {
        ["fetch:template", "debug:log", "publish:github"].contains(&id)
    }

    fn near(&self, id: &str) -> Vec<String> {
        if id == "fetch:tmplate" { vec!["fetch:template".to_owned()] } else { Vec::new() }
    }

    fn outputs(&self, id: &str) -> Option<Vec<String>> {
        (id == "publish:github").then(|| vec!["remoteUrl".to_owned()])
    }

    fn required(&self, id: &str) -> Vec<String> {
        if id == "fetch:template" { vec!["url".to_owned()] } else { Vec::new() }
    }

    fn inputs(&self, id: &str) -> Option<Vec<String>> {
        (id == "debug:log").then(|| vec!["message".to_owned(), "listWorkspace".to_owned()])
    }
}

fn found(folder: &Path, text: &str) -> Vec<String> {
    let file: Arc<str> = "template.yaml".into();
    let source = Source::new(text, &file);
    let document = parse_source(&source).into_iter().next().unwrap();
    let node = document.content.unwrap().unwrap();
    let found = lint(&source, &file, folder, &node, &Known);
    let shown = found.into_iter().map(|diagnostic| {
        let place = diagnostic.location.map(|location| location.to_string()).unwrap_or_default();
        let place =
            place.strip_prefix(&format!("{}/", folder.display())).map_or(place.clone(), str::to_owned);
        let hint = diagnostic.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{place} {} {}{hint}", diagnostic.code, diagnostic.message)
    });
    shown.collect()
}

const HEAD: &str = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: x}\nspec:\n  type: service\n  parameters:\n    - properties:\n        name: {type: string}\n        lang: {type: string, enum: [go, rust]}\n";

#[test]
fn finds_each_mistake() {
    let cases = [
        (
            "  steps:\n    - {id: a, action: fetch:tmplate}\n",
            &[
                "template.yaml:11:23 template::unknown-action there is no action `fetch:tmplate` (did you mean `fetch:template`?)",
            ][..],
        ),
        (
            "  steps:\n    - {id: a, action: debug:log, input: {mesage: x}}\n",
            &[
                "template.yaml:11:42 template::input `debug:log` takes no input `mesage` (did you mean `message`?)",
            ],
        ),
        (
            "  steps:\n    - id: a\n      action: debug:log\n      input:\n        message: a ${{ parameters.nme | uper }}\n",
            &[
                "template.yaml:14:24 template::undefined `parameters.nme` has no value: the form has no field `nme` (did you mean `name`?)",
                "template.yaml:14:41 template::unknown-filter there is no filter `uper` (did you mean `upper`?)",
            ],
        ),
        (
            "  steps:\n    - id: a\n      action: debug:log\n      input:\n        message: |\n          first\n          ${{ nope.x }}\n",
            &["template.yaml:16:15 template::undefined nothing defines `nope`"],
        ),
        (
            "  steps:\n    - id: make-repo\n      action: publish:github\n    - action: debug:log\n      input: {message: \"${{ steps.make-repo.output.remoteUrl }}\"}\n",
            &[
                "template.yaml:14:29 template::undefined `steps.make` has no value: there is no step with the id `make` (write `steps['make-repo']`; `-` is a minus)",
                "template.yaml:14:40 template::undefined nothing defines `repo` (write `steps['make-repo']`; `-` is a minus)",
            ],
        ),
        (
            "  steps:\n    - id: r\n      action: publish:github\n    - action: debug:log\n      if: ${{ secrets.X }}\n      input: {message: \"${{ steps.r.output.remoteUr }}${{ steps.later.output.x }}\"}\n    - {id: later, action: debug:log}\n",
            &[
                "template.yaml:14:15 template::undefined `secrets` has no value here: only the inputs of steps get secrets",
                "template.yaml:15:29 template::undefined `steps.r.output.remoteUr` has no value: the action gives no `remoteUr` (did you mean `remoteUrl`?)",
                "template.yaml:15:59 template::undefined `steps.later` has no value here: that step is not done before",
            ],
        ),
        (
            "  steps:\n    - {action: debug:log, if: false}\n    - {action: debug:log, each: []}\n    - {action: debug:log, input: {message: '{% if false %}x{% endif %}'}}\n",
            &[
                "template.yaml:11:31 template::unreachable the step is never done: its `if` never holds",
                "template.yaml:12:33 template::unreachable the step is never done: its `each` is empty",
                "template.yaml:13:51 template::unreachable the condition is never true",
            ],
        ),
        (
            "  steps:\n    - {action: debug:log, input: {message: '${{ a && b }}'}}\n",
            &[
                "template.yaml:11:51 template::expression `&&` is not an operator of the template language (write `and`)",
            ],
        ),
        (
            "  steps:\n    - {id: a, action: debug:log}\n    - {id: a, action: debug:log}\n",
            &[
                "template.yaml:12:12 template::duplicate-id the id `a` is taken by the step at template.yaml:11:7",
            ],
        ),
        (
            "  steps:\n    - {action: fetch:template, input: {url: ./gone}}\n",
            &[
                "template.yaml:11:45 template::missing-skeleton there is no folder `./gone` beside the template",
            ],
        ),
        (
            "  steps:\n    - {action: fetch:template, input: {url: ./skeleton, values: {name: x}}}\n",
            &[
                "skeleton/${{ values.nam }} template::undefined in the name: `values.nam` has no value: the step gives no `nam` (did you mean `name`?)",
                "skeleton/a.txt:1:5 template::undefined nothing defines `github` (put text that is meant literally between `{% raw %}` and `{% endraw %}`)",
                "skeleton/a.txt:2:1 template::expression `{% if %}` is never closed (close it with `{% endif %}`)",
            ][..1],
        ),
        (
            "  stepz: []\n",
            &[
                "template.yaml:5:3 template::missing `spec.steps` is missing",
                "template.yaml:10:3 template::unknown-key nobody reads `spec.stepz` (did you mean `steps`?)",
            ],
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("skeleton")).unwrap();
    std::fs::write(folder.path().join("skeleton/${{ values.nam }}"), "x").unwrap();
    for (body, expected) in cases {
        assert_eq!(found(folder.path(), &format!("{HEAD}{body}")), expected, "{body}");
    }
}

#[test]
fn finds_branches_that_cannot_be_chosen() {
    let text = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: x}\nspec:\n  type: s\n  parameters:\n    - required: [gone]\n      properties:\n        kind: {type: strin}\n    - properties:\n        db: {type: string, enum: [pg, none], pattern: '('}\n      dependencies:\n        db:\n          oneOf:\n            - properties: {db: {enum: [pg]}, size: {type: integer}}\n            - properties: {db: {const: mysql}}\n            - properties: {db: {const: pg}}\n      if: {properties: {db: {const: oracle}}}\n      then: {properties: {ora: {type: string}}}\n  steps:\n    - {action: debug:log, input: {message: '${{ parameters.size }}${{ parameters.ora }}'}}\n";
    let found = found(Path::new("."), text);
    assert_eq!(
        found,
        [
            "template.yaml:7:18 template::required `gone` is required, and there is no such field",
            "template.yaml:9:22 template::type the field `kind` has the type `strin`, which there is not (the types are string, number, integer, boolean, array, object, null)",
            "template.yaml:11:55 template::pattern the pattern of `db` is no regular expression: Parsing error at position 1: Opening parenthesis without closing parenthesis",
            "template.yaml:16:32 template::unreachable the branch for `db` = `mysql` is unreachable: the field can never be that",
            "template.yaml:17:32 template::unreachable the branch for `db` = `pg` is unreachable: a branch before this one has the same value",
            "template.yaml:18:29 template::unreachable the branch for `db` = `oracle` is unreachable: the field can never be that",
        ]
    );
}
