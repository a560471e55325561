//! The machine as a whole: a template in YAML, what somebody does, what the form says.

use super::*;
use crate::permissions::Principal;
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

#[test]
fn gaps_are_all_at_once_with_their_place() {
    let form = form_with(DATABASE, "{name: A, database: own, size: 2}", Facts::default());
    let gaps: Vec<String> = form
        .gaps()
        .iter()
        .map(|gap| format!("{} {} {}: {}", gap.page, gap.pointer, gap.schema, gap.message))
        .collect();
    assert_eq!(
        gaps,
        [
            "0 /name /parameters/0/properties/name/pattern: `A` is not allowed, only lower case letters, for example abc",
            "0 /name /parameters/0/properties/name/minLength: at least 3 characters, 1 now",
            "0 /size /parameters/0/properties/size/minimum: must be at least 5",
        ]
    );
}

#[test]
fn errors_wait_until_a_field_is_left() {
    let mut form = form(DATABASE);
    form.set_text("/name", "x1").unwrap();
    assert_eq!(form.field("/name").unwrap().error, None);
    assert_eq!(
        form.leave("/name").as_deref(),
        Some("`1` is not allowed, only lower case letters, for example abc")
    );
    form.set_text("/name", "shop").unwrap();
    assert_eq!(form.field("/name").unwrap().error, None);
    assert!(form.check(0).is_empty());
    form.set_text("/name", "").unwrap();
    assert_eq!(form.field("/name").unwrap().error.as_deref(), Some("required"));
    assert_eq!(form.check(0).len(), 1);
}

#[test]
fn numbers_and_toggles_keep_what_was_typed() {
    let mut form = form("properties: {n: {type: integer, minimum: 1, maximum: 20}, on: {type: boolean}}");
    assert_eq!(form.field("/n").unwrap().rule, "a whole number from 1 to 20");
    form.set_text("/n", "abc").unwrap();
    assert_eq!((form.field("/n").unwrap().text.as_str(), answers(&form).as_str()), ("abc", "{}"));
    assert_eq!(gaps(&form), ["/n: needs a whole number, for example 3"]);
    form.set_text("/n", "12").unwrap();
    form.set_text("/on", "Yes").unwrap();
    assert_eq!(answers(&form), r#"{"n":12,"on":true}"#);
    assert_eq!(form.field("/on").unwrap().text, "yes");
    form.set_text("/n", "").unwrap();
    assert_eq!(answers(&form), r#"{"on":true}"#);
}

#[test]
fn a_default_that_was_taken_away_stays_away() {
    let mut form = form("properties: {a: {type: string, default: x}, b: {type: string}}");
    form.set_text("/a", "").unwrap();
    form.set_text("/b", "y").unwrap();
    assert_eq!(answers(&form), r#"{"b":"y"}"#);
    let (again, notes) = Form::restore(form.template().clone(), &form.draft(), Facts::default());
    assert_eq!((answers(&again).as_str(), notes.len()), (r#"{"b":"y"}"#, 0));
}

#[test]
fn lists_are_edited_in_place() {
    let mut form = form(
        "properties:\n  ports:\n    type: array\n    maxItems: 3\n    items:\n      type: object\n      required: [port]\n      \
         properties: {port: {type: integer}, tls: {type: boolean}}\n      if: {properties: {tls: {const: true}}, required: [tls]}\n      \
         then: {properties: {cert: {type: string}}, required: [cert]}\n",
    );
    let (first, _) = form.add_item("/ports").unwrap();
    assert_eq!(first, "/ports/0");
    form.add_item("/ports").unwrap();
    form.set_text("/ports/0/port", "80").unwrap();
    form.set_text("/ports/1/port", "443").unwrap();
    form.set_text("/ports/1/tls", "yes").unwrap();
    form.set_text("/ports/1/cert", "c").unwrap();
    let shown: Vec<String> = form
        .fields(0)
        .iter()
        .map(|field| format!("{}{}", "  ".repeat(field.depth.into()), field.name))
        .collect();
    assert_eq!(shown, ["ports", "  0", "    port", "    tls", "  1", "    port", "    tls", "    cert"]);
    let (to, changed) = form.move_item("/ports/1", true).unwrap();
    assert_eq!((to.as_str(), changed.is_empty()), ("/ports/0", true));
    assert_eq!(answers(&form), r#"{"ports":[{"port":443,"tls":true,"cert":"c"},{"port":80}]}"#);
    form.remove_item("/ports/0").unwrap();
    assert_eq!(answers(&form), r#"{"ports":[{"port":80}]}"#);
    form.add_item("/ports").unwrap();
    form.add_item("/ports").unwrap();
    assert!(form.add_item("/ports").is_err());
    assert_eq!(gaps(&form), ["/ports/1/port: required", "/ports/2/port: required"]);
}

#[test]
fn items_of_plain_lists_are_rows() {
    let mut form = form("properties: {tags: {type: array, items: {type: string, minLength: 2}}}");
    form.set_text("/tags", "one, two").unwrap();
    let (third, _) = form.add_item("/tags").unwrap();
    assert_eq!(gaps(&form), ["/tags/2: required"]);
    form.set_text(&third, "x").unwrap();
    assert_eq!(gaps(&form), ["/tags/2: at least 2 characters, 1 now"]);
    form.set_text(&third, "").unwrap();
    form.set_text("/tags", "[a1, b1]").unwrap();
    assert_eq!(answers(&form), r#"{"tags":["a1","b1"]}"#);
}

#[test]
fn keys_of_a_persons_own() {
    let mut form = form(
        "properties: {labels: {type: object, additionalProperties: {type: string}, properties: {team: {type: string}}}}",
    );
    let (key, _) = form.add_key("/labels", "tier").unwrap();
    assert_eq!(key, "/labels/tier");
    form.set_text(&key, "1").unwrap();
    let (key, _) = form.rename_key(&key, "level/x").unwrap();
    assert_eq!(key, "/labels/level~1x");
    assert!(form.add_key("/labels", "level/x").is_err());
    assert_eq!(answers(&form), r#"{"labels":{"level/x":"1"}}"#);
    assert_eq!(form.field(&key).unwrap().part, Part::Entry);
    form.remove_item(&key).unwrap();
    assert_eq!(rows(&form, 0), ["/labels", "/labels/team"]);
}

#[test]
fn an_optional_object_asks_only_when_something_is_in_it() {
    let mut form = form(
        "properties: {db: {type: object, required: [size], properties: {size: {type: integer}, kind: {type: string}}}}",
    );
    assert!(gaps(&form).is_empty());
    form.set_text("/db/kind", "pg").unwrap();
    assert_eq!(gaps(&form), ["/db/size: required"]);
    form.set_text("/db/kind", "").unwrap();
    assert_eq!((gaps(&form).len(), answers(&form).as_str()), (0, "{}"));
}

#[test]
fn several_forms_of_one_object() {
    let mut form = form(
        "properties:\n  store:\n    type: object\n    title: Store\n    oneOf:\n    - title: A bucket\n      properties: {bucket: {type: string, title: Bucket}}\n      \
         required: [bucket]\n    - title: A disk\n      properties: {size: {type: integer, title: Size}}\n      required: [size]\n",
    );
    assert_eq!(rows(&form, 0), ["/store", "/store/~oneOf*", "/store/bucket"]);
    form.set_text("/store/bucket", "b").unwrap();
    let changed = form.set_text("/store/~oneOf", "a disk").unwrap();
    assert_eq!(told(&changed.dropped), ["Bucket=b"]);
    assert_eq!(rows(&form, 0), ["/store", "/store/~oneOf*", "/store/size*"]);
    form.set_text("/store/size", "5").unwrap();
    let (again, _) = Form::restore(form.template().clone(), &form.draft(), Facts::default());
    assert_eq!(rows(&again, 0), ["/store", "/store/~oneOf*", "/store/size*"]);
    assert_eq!(answers(&again), r#"{"store":{"size":5}}"#);
}

#[test]
fn secrets_are_never_answers() {
    let mut form = form_with(
        "required: [key]\nproperties: {key: {type: string, title: Key, ui:field: Secret, minLength: 4}, pin: {type: string, ui:widget: password}}",
        "{key: hunter2}",
        Facts::default(),
    );
    assert_eq!(answers(&form), r#"{"key":"*******"}"#);
    assert_eq!(
        form.secrets().get("key").map(|secret| secret.expose_secret().to_owned()).as_deref(),
        Some("hunter2")
    );
    form.set_text("/pin", "1234").unwrap();
    assert_eq!(form.field("/pin").unwrap().text, "****");
    let kept = format!("{} {} {:?} {:?}", form.draft().to_text(), form.to_yaml(), form, form.review());
    assert!(
        !kept.contains("hunter2")
            && !form.to_yaml().contains("1234")
            && !form.draft().to_text().contains("1234"),
        "{kept}"
    );
    form.set_text("/key", "abc").unwrap();
    assert_eq!(gaps(&form), ["/key: at least 4 characters, 3 now"]);
    form.set_text("/key", "").unwrap();
    assert!(form.secrets().is_empty());
    assert_eq!(gaps(&form), ["/key: required, a secret"]);
}

#[test]
fn a_draft_outlives_a_change_of_its_template() {
    let mut old = form(
        "required: [a]\nproperties: {a: {type: string}, gone: {type: string}, other: {type: string, title: Other}}",
    );
    for (pointer, text) in [("/a", "x"), ("/gone", "y"), ("/other", "z")] {
        old.set_text(pointer, text).unwrap();
    }
    old.visit(0);
    let draft = Draft::parse(&old.draft().to_text()).unwrap();
    assert_eq!(draft, old.draft());
    let new = form(
        "properties: {a: {type: string, maxLength: 0, title: A}, other: {type: integer, title: Other}, more: {type: string, default: d}}",
    );
    let (form, notes) = Form::restore(new.template().clone(), &draft, Facts::default());
    assert_eq!(answers(&form), r#"{"a":"x","more":"d"}"#);
    assert_eq!(
        notes,
        [
            "`gone` is no longer asked for; its answer (y) was left out",
            "Other is asked for in another way now; its answer (z) was left out",
            "A: at most 0 characters, 1 now",
        ]
    );
}

#[test]
fn feature_flags_hide_pages_and_fields() {
    let pages = "- title: One\n  required: [a, b]\n  properties: {a: {type: string}, b: {type: string, backstage:featureFlag: extra}}\n\
                 - title: Two\n  backstage:featureFlag: extra\n  properties: {c: {type: string}}\n- title: Three\n  required: [d]\n  properties: {d: {type: string}}";
    let off = form_with(pages, "{}", Facts::default());
    assert_eq!((off.pages().len(), rows(&off, 0)), (2, vec!["/a*".to_owned()]));
    assert_eq!(
        off.gaps().last().map(|gap| (gap.page, gap.schema.clone())),
        Some((1, "/parameters/2/properties/d/required".to_owned()))
    );
    let on = form_with(pages, "{}", Facts { flags: ["extra".to_owned()].into(), ..Facts::default() });
    assert_eq!((on.pages().len(), rows(&on, 0)), (3, vec!["/a*".to_owned(), "/b*".to_owned()]));
}

#[test]
fn a_repository_is_asked_for_in_parts() {
    let host = |host: &str, kind| Host { host: host.to_owned(), kind };
    let facts = Facts {
        hosts: vec![host("github.com", HostKind::GitHub), host("dev.azure.com", HostKind::Azure)],
        ..Facts::default()
    };
    let mut form = form_with(
        "required: [repoUrl]\nproperties: {repoUrl: {type: string, title: Repository, ui:field: RepoUrlPicker, ui:options: {allowedOwners: [acme]}}}",
        "{}",
        facts,
    );
    assert_eq!(rows(&form, 0), ["/repoUrl*", "/repoUrl/~host*", "/repoUrl/~owner*", "/repoUrl/~repo*"]);
    assert_eq!(gaps(&form), ["/repoUrl: required"]);
    form.set_text("/repoUrl/~repo", "shop").unwrap();
    assert_eq!(answers(&form), r#"{"repoUrl":"github.com?owner=acme&repo=shop"}"#);
    assert!(gaps(&form).is_empty());
    form.set_text("/repoUrl", "https://github.com/other/shop").unwrap();
    assert_eq!(gaps(&form), ["/repoUrl: `other` is not one of acme"]);
    form.check(0);
    assert_eq!(form.field("/repoUrl/~owner").unwrap().error.as_deref(), Some("`other` is not one of acme"));
    form.set_text("/repoUrl/~host", "dev.azure.com").unwrap();
    assert_eq!(rows(&form, 0).len(), 5);
    assert_eq!(answers(&form), r#"{"repoUrl":"dev.azure.com?repo=shop"}"#);
}

#[test]
fn pickers_say_what_they_look_for() {
    let mut form = form(
        "required: [sys]\nproperties:\n  owner: {type: string, ui:field: OwnerPicker}\n  sys: {type: string, ui:field: EntityPicker, \
         ui:options: {catalogFilter: {kind: System}, defaultKind: System, allowArbitraryValues: false}}\n  \
         all: {type: array, items: {type: string}, ui:field: MultiEntityPicker, ui:options: {defaultKind: Component}}\n  tags: {type: array, items: {type: string}, ui:field: EntityTagsPicker}\n  \
         odd: {type: string, ui:field: CompanyPicker}\n",
    );
    form.set_text("/owner", "Web").unwrap();
    form.set_text("/all", "a, api:x/b").unwrap();
    form.set_text("/tags", "Java, bad tag").unwrap();
    assert_eq!(
        answers(&form),
        r#"{"tags":["java","bad tag"],"owner":"group:default/web","all":["component:default/a","api:x/b"]}"#
    );
    assert_eq!(gaps(&form), ["/sys: required", "/tags: `bad tag` is no tag, `bad-tag` is"]);
    assert!(form.lookup("/odd", "").is_none());
    assert_eq!(
        form.field("/odd").unwrap().note.as_deref(),
        Some("`CompanyPicker` is a field of another portal: asked for as plain text")
    );
    let lookup = form.lookup("/sys", "pa").unwrap();
    let catalog =
        crate::catalog::testing::catalog("kind: System\nname: payments\n---\nkind: Component\nname: pay\n");
    let found = suggest(&lookup, &catalog, &Principal::default());
    assert!(form.offer("/sys", &found) && !form.offer("/sys", &found));
    assert_eq!(form.answer("/sys").as_str(), Some("system:default/payments"));
    assert!(is_candidate(&lookup, "system:default/payments", &catalog, &Principal::default()));
    assert!(!is_candidate(&lookup, "component:default/pay", &catalog, &Principal::default()));
    assert_eq!(form.picked().len(), 1);
}

#[test]
fn the_review_shows_labels_and_masks() {
    let form = form_with(
        "properties:\n  db: {type: string, title: Database, enum: [own], enumNames: [Its own]}\n  key: {type: string, title: Key, ui:field: Secret}\n  \
         net: {type: object, title: Network, properties: {port: {type: integer, title: Port}}}\n  flat: {type: object, ui:backstage.review: {explode: false}, properties: {a: {type: integer}}}\n  \
         no: {type: string, ui:backstage.review: {show: false}}\n  m: {type: string, ui:backstage.review: {mask: '<set>', name: Em}}\n  l: {type: array, items: {type: string}}\n",
        "{db: own, key: k, net: {port: 80}, flat: {a: 1}, no: x, m: y, l: [a, b]}",
        Facts::default(),
    );
    let rows: Vec<String> = form.review().iter().map(|row| format!("{}={}", row.title, row.text)).collect();
    assert_eq!(
        rows,
        ["Database=Its own", "Key=******", "Network > Port=80", r#"flat={"a":1}"#, "Em=<set>", "l=a, b"]
    );
}

#[test]
fn answers_go_to_a_file_and_back() {
    let yaml = "title: Basics\nrequired: [name]\nproperties:\n  name: {type: string, title: Name, minLength: 3}\n  odd: {type: string, title: \"Two\\nlines\"}\n  \
                list: {type: array, items: {type: object, properties: {a: {type: string}}}}\n  map: {type: object, additionalProperties: {type: string}}\n  none: {type: integer}\n";
    let given = "{name: shop, odd: 'no', list: [{a: 'x: y'}], map: {'1': '# no comment'}}";
    let form = form_with(yaml, given, Facts::default());
    let text = form.to_yaml();
    assert!(text.contains("# Name, required: at least 3 characters\nname: shop\n"), "{text}");
    assert!(text.contains("# Two lines\nodd: \"no\"\n"), "{text}");
    let again = Json::of(&read_answers(&text, "a.yaml").unwrap());
    assert_eq!(again, Json::of(&form.answers()), "{text}");
}

#[test]
fn names_that_nobody_asks_for_have_neighbours() {
    let mut form = form(DATABASE);
    let missing = form.set_all(&[
        ("size".into(), "7".into()),
        ("databse".into(), "own".into()),
        ("database".into(), "own".into()),
    ]);
    assert_eq!(
        missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["the template does not ask for `databse`, but for `database`"]
    );
    assert_eq!(answers(&form), r#"{"database":"own","size":7}"#);
}

#[test]
fn pages_see_each_others_answers() {
    let mut form = form(
        "- properties: {a: {type: string}}\n  additionalProperties: false\n- properties: {b: {type: string}}\n  if: {properties: {a: {const: x}}, required: [a]}\n  then: {properties: {c: {type: string}}}",
    );
    form.set_text("/a", "x").unwrap();
    assert_eq!(rows(&form, 1), ["/b", "/c"]);
    form.set_text("/b", "y").unwrap();
    assert_eq!(gaps(&form), ["/b: is not asked for here"]);
}

/// What react-jsonschema-form 5.24 with ajv 8 says of schemas and answers: the fields on the page, the answers
/// with defaults (as often as they bring new ones), whether the answers are valid without and with them.
const RECORDED: &str = include_str!("recorded.jsonl");

/// Where we differ on purpose: the server wants a zone in a time, and what was not answered is absent.
const OTHERWISE: &[&str] = &[r#"datetime {"v":"2024-02-29T10:00:00"}"#, "arrObj {}"];

#[test]
fn forms_behave_as_recorded() {
    let mut wrong = Vec::new();
    for line in RECORDED.lines() {
        let case = json::json(line);
        let (schema, data) = (case.get("schema").unwrap(), case.get("data").unwrap());
        let name = format!("{} {data}", case.text_of("name").unwrap());
        if OTHERWISE.contains(&name.as_str()) {
            continue;
        }
        let (patterns, budget) = (Patterns::default(), Cell::new(100_000));
        let valid = Checker { root: schema, patterns: &patterns, budget: &budget }.is_valid(schema, data);
        if Some(valid) != case.get("valid").and_then(Json::as_bool) {
            wrong.push(format!("{name}: valid {valid}"));
        }
        let form = form_with(&schema.to_string(), &data.to_string(), Facts::default());
        let has_options = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
        let fields: Vec<String> = rows(&form, 0)
            .iter()
            .map(|row| row.trim_start_matches('/').to_owned())
            .filter(|row| !row.contains('/'))
            .collect();
        let expected: Vec<String> = json::json_list(case.get("fields")).iter().map(Json::text).collect();
        if fields != expected && !has_options {
            wrong.push(format!("{name}: fields {fields:?}, not {expected:?}"));
        }
        if Json::of(&form.answers()) != *case.get("defaults").unwrap() {
            wrong.push(format!("{name}: answers {}, not {}", answers(&form), case.get("defaults").unwrap()));
        }
        if Some(form.gaps().is_empty()) != case.get("complete").and_then(Json::as_bool) {
            wrong.push(format!("{name}: gaps {:?}", gaps(&form)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Any JSON with many words of schemas in it.
fn any_schema() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    const KEYS: &[&str] = &[
        "type",
        "properties",
        "required",
        "items",
        "oneOf",
        "anyOf",
        "allOf",
        "if",
        "then",
        "else",
        "dependencies",
        "$ref",
        "enum",
        "const",
        "default",
        "pattern",
        "minLength",
        "minimum",
        "minItems",
        "maxItems",
        "uniqueItems",
        "additionalProperties",
        "a",
        "b",
        "definitions",
        "ui:order",
        "ui:widget",
        "ui:field",
        "ui:options",
        "enumNames",
        "format",
        "not",
        "additionalItems",
        "title",
        "patternProperties",
        "multipleOf",
        "ui:backstage.review",
        "backstage:featureFlag",
    ];
    const WORDS: &[&str] = &[
        "string",
        "object",
        "array",
        "integer",
        "boolean",
        "null",
        "a",
        "b",
        "#",
        "#/definitions/a",
        "#/properties/a",
        "^(a+)+$",
        "*",
        "radio",
        "hidden",
        "password",
        "RepoUrlPicker",
        "EntityPicker",
        "Secret",
        "EntityTagsPicker",
        "email",
        "github.com?repo=x",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-3i64..9).prop_map(Into::into),
        proptest::sample::select(WORDS).prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            4 => prop::collection::btree_map(proptest::sample::select(KEYS), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn no_schema_makes_it_panic(schema in any_schema(), answers in any_schema(), typed in "[a-z0-9,\\[{*]{0,6}") {
        let mut form = form_with(&schema.to_string(), "{}", Facts::default());
        let pointers: Vec<String> = form.fields(0).iter().map(|field| field.pointer.clone()).take(20).collect();
        for pointer in &pointers {
            let _ = form.set_text(pointer, &typed);
            let _ = form.add_item(pointer);
            let _ = form.add_key(pointer, "a");
            let _ = form.leave(pointer);
        }
        let pointers: Vec<String> = form.fields(0).iter().map(|field| field.pointer.clone()).take(20).collect();
        for pointer in &pointers {
            let _ = form.move_item(pointer, false);
            let _ = form.remove_item(pointer);
            let _ = form.set(pointer, Json::of(&Value::from(minijinja::value::Serde(&answers))).to_value());
        }
        let _ = (form.gaps(), form.review(), form.to_yaml(), form.picked());
        let (again, _) = Form::restore(form.template().clone(), &form.draft(), Facts::default());
        let _ = again.gaps();
        // what is asked for twice is asked for the same
        let mut seen = BTreeSet::new();
        for field in again.fields(0) {
            proptest::prop_assert!(seen.insert(field.pointer.clone()), "{} is there twice", field.pointer);
        }
    }
}

#[test]
fn hostile_schemas_end() {
    let many: String =
        (0..10_000).map(|n| format!("  p{n}: {{type: string, minLength: 1, pattern: '^x{n}$'}}\n")).collect();
    let tree = "definitions: {t: {type: object, required: [l, r], properties: {l: {$ref: '#/definitions/t'}, r: {$ref: '#/definitions/t'}}}}\nproperties: {t: {$ref: '#/definitions/t'}}\nrequired: [t]";
    let deep = format!("{}type: string{}", "properties: {a: {".repeat(90), "}}".repeat(90));
    let doubled = "definitions: {a: {allOf: [{$ref: '#/definitions/a'}, {$ref: '#/definitions/a'}]}}\nallOf: [{$ref: '#/definitions/a'}, {$ref: '#/definitions/a'}]\nproperties: {x: {type: string}}";
    let options = "definitions: {o: {oneOf: [{$ref: '#/definitions/o'}, {properties: {a: {$ref: '#/definitions/o'}}}]}}\nproperties: {o: {$ref: '#/definitions/o'}}";
    let flip = "properties: {a: {type: string, default: x}}\nif: {required: [b]}\nthen: {properties: {c: {type: string, default: y}}}\nelse: {properties: {b: {type: string, default: z}}}";
    for schema in [&format!("properties:\n{many}"), tree, &deep, doubled, options, flip] {
        let mut form = form(schema);
        let _ = (form.gaps(), form.review(), form.draft());
        if let Some(pointer) = form.fields(0).first().map(|field| field.pointer.clone()) {
            let _ = form.set_text(&pointer, "x");
        }
        assert!(form.fields(0).len() <= 20_000);
    }
}
