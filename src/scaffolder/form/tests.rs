//! The machine as a whole: a template in YAML, what somebody does, what the form says.

use super::*;
use crate::scaffolder::template::Base;

/// Makes a form of pages written in YAML (one mapping, or a list), with answers.
fn form_with(parameters: &str, answers: &str, facts: Facts) -> Form {
    let indented: String = parameters.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("metadata: {{name: t}}\nspec:\n  parameters:\n{indented}");
    let file: Arc<str> = "t.yaml".into();
    let node = crate::yaml::parse_stream(&text, &file).remove(0).content.unwrap().unwrap();
    let packed = node.to_packed();
    let entity = crate::model::value::ValueRef::new(&packed);
    let template = Template::read(entity, "template:default/t", Base::Unknown(String::new()));
    Form::new(Arc::new(template), &read_answers(answers, "a.yaml").unwrap(), facts)
}

fn form(parameters: &str) -> Form {
    form_with(parameters, "{}", Facts::default())
}

fn answers(form: &Form) -> String {
    Json::of(&form.answers()).to_string()
}

fn rows(form: &Form, page: usize) -> Vec<String> {
    form.fields(page)
        .iter()
        .map(|field| format!("{}{}", field.pointer, if field.is_required { "*" } else { "" }))
        .collect()
}

fn gaps(form: &Form) -> Vec<String> {
    form.gaps().iter().map(|gap| format!("{}: {}", gap.pointer, gap.message)).collect()
}

fn told(all: &[Told]) -> Vec<String> {
    all.iter().map(|told| format!("{}={}", told.title, told.text)).collect()
}

const DATABASE: &str = "required: [name, database]
properties:
  name: {title: Name, type: string, pattern: '^[a-z]+$', minLength: 3}
  database: {title: Database, type: string, enum: [none, own, shared], enumNames: [No, Its own, One that exists], default: none}
dependencies:
  database:
    oneOf:
    - properties: {database: {enum: [none]}}
    - properties:
        database: {enum: [own]}
        size: {title: Size, type: integer, minimum: 5, default: 20}
      required: [size]
    - properties:
        database: {const: shared}
        which: {title: Which one, type: string}
      required: [which]
";

#[test]
fn branches_come_and_go_with_their_answers() {
    let mut form = form(DATABASE);
    assert_eq!(rows(&form, 0), ["/name*", "/database*"]);
    assert_eq!(answers(&form), r#"{"database":"none"}"#);
    assert!(form.set_text("/database", "its OWN").unwrap().is_empty());
    assert_eq!(rows(&form, 0), ["/name*", "/database*", "/size*"]);
    assert_eq!(answers(&form), r#"{"database":"own","size":20}"#);
    form.set_text("/size", "50").unwrap();
    let changed = form.set_text("/database", "shared").unwrap();
    assert_eq!(told(&changed.dropped), ["Size=50"]);
    assert_eq!(gaps(&form), ["/name: required", "/which: required"]);
    let changed = form.set_text("/database", "own").unwrap();
    assert_eq!(told(&changed.restored), ["Size=50"]);
    assert_eq!(answers(&form), r#"{"database":"own","size":50}"#);
}
