//! `template lint` and `template test`: places, exit codes, cases.

use crate::run::Machine;

const TEMPLATE: &str = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: service}\nspec:\n  type: service\n  parameters:\n    - required: [name]\n      properties:\n        name: {type: string}\n  steps:\n    - id: base\n      action: fetch:template\n      input:\n        url: ./skeleton\n        values:\n          name: ${{ parameters.name }}\n";

fn machine(readme: &str) -> Machine {
    Machine::with(&[
        ("t/template.yaml", TEMPLATE),
        ("t/skeleton/README.md", readme),
        ("t/tests/plain/answers.yaml", "name: shop\n"),
    ])
}

#[test]
fn lint_points_into_skeletons_and_exits_with_8() {
    let fine = machine("# ${{ values.name }}\n").run(&["template", "lint", "t"]);
    assert_eq!((fine.code, fine.stdout.as_str()), (0, ""), "{}", fine.stderr);
    let wrong = machine("# x\n${{ values.nam }}\n").run(&["template", "lint", "t/template.yaml"]);
    assert_eq!(wrong.code, 8);
    assert!(wrong.stdout.contains("t/skeleton/README.md:2:5"), "{}", wrong.stdout);
    assert!(wrong.stdout.contains("did you mean `name`?"), "{}", wrong.stdout);
    let data = machine("${{ values.nam }}\n").run(&["template", "lint", "t", "-o", "json"]);
    assert!(
        data.stdout.starts_with('[') && data.stdout.contains("\"template::undefined\""),
        "{}",
        data.stdout
    );
    assert_eq!(Machine::new().run(&["template", "lint", "nowhere"]).code, 3);
}

#[test]
fn cases_are_written_compared_and_fail_by_line() {
    let machine = machine("# ${{ values.name }}\n");
    let missing = machine.run(&["template", "test", "t"]);
    assert_eq!(missing.code, 8);
    assert!(missing.stdout.contains("README.md: is made, and not expected"), "{}", missing.stdout);
    assert_eq!(machine.run(&["template", "test", "t", "--update"]).code, 0);
    let expected = std::fs::read_to_string(machine.path("t/tests/plain/expected/README.md")).unwrap();
    assert_eq!(expected, "# shop\n");
    assert_eq!(machine.run(&["template", "test", "t"]).code, 0);
    machine.write("t/skeleton/README.md", "# the ${{ values.name }}\n");
    let changed = machine.run(&["template", "test", "t"]);
    assert_eq!(changed.code, 8);
    assert!(changed.stdout.contains("README.md:1: `# the shop` instead of `# shop`"), "{}", changed.stdout);
}
