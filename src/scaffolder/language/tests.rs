//! What may follow `is`.

use super::js::{self, Kind};
use minijinja::Value;
use std::cmp::Ordering;

/// Names and the number of arguments.
const TESTS: &[(&str, usize)] = &[
    ("callable", 0),
    ("defined", 0),
    ("divisibleby", 1),
    ("escaped", 0),
    ("eq", 1),
    ("equalto", 1),
    ("even", 0),
    ("falsy", 0),
    ("ge", 1),
    ("greaterthan", 1),
    ("gt", 1),
    ("iterable", 0),
    ("le", 1),
    ("lessthan", 1),
    ("lower", 0),
    ("lt", 1),
    ("mapping", 0),
    ("ne", 1),
    ("null", 0),
    ("number", 0),
    ("odd", 0),
    ("sameas", 1),
    ("string", 0),
    ("truthy", 0),
    ("undefined", 0),
    ("upper", 0),
];

/// Returns the names of all tests.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|(name, _)| *name)
}

/// Applies a test.
pub(super) fn apply(name: &str, input: &Value, arguments: &[Value]) -> Result<bool, String> {
    let Some((_, count)) = TESTS.iter().find(|(known, _)| *known == name) else {
        let near = super::error::nearest(name, names()).map(|near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no test `{name}`{}", near.unwrap_or_default()));
    };
    if arguments.len() != *count {
        return Err(format!("the test `{name}` takes {count} arguments"));
    }
    let argument = arguments.first().unwrap_or(&Value::UNDEFINED);
    let order = || js::order(input, argument);
    Ok(match name {
        "callable" => matches!(js::kind(input), Kind::Callable),
        "defined" => !input.is_undefined(),
        "undefined" => input.is_undefined(),
        "null" => input.is_none(),
        "number" => matches!(js::kind(input), Kind::Number(_)),
        "string" => matches!(js::kind(input), Kind::Text(_)),
        "escaped" => input.is_safe(),
        "truthy" => js::is_true(input),
        "falsy" => !js::is_true(input),
        "eq" | "equalto" | "sameas" => js::is_same(input, argument),
        "ne" => !js::is_same(input, argument),
        "even" => js::to_number(input) % 2.0 == 0.0,
        "odd" => js::to_number(input) % 2.0 == 1.0,
        "divisibleby" => js::to_number(input) % js::to_number(argument) == 0.0,
        "lt" | "lessthan" => order() == Some(Ordering::Less),
        "le" => order().is_some_and(Ordering::is_le),
        "gt" | "greaterthan" => order() == Some(Ordering::Greater),
        "ge" => order().is_some_and(Ordering::is_ge),
        "mapping" => matches!(js::kind(input), Kind::Record | Kind::Safe(_) | Kind::Pattern(_)),
        "iterable" => match js::kind(input) {
            Kind::Undefined | Kind::Null => return Err("the test `iterable` needs a value".to_owned()),
            kind => matches!(kind, Kind::Text(_) | Kind::Safe(_) | Kind::List),
        },
        "lower" | "upper" => match js::kind(input) {
            Kind::Text(text) if name == "lower" => text.to_lowercase() == text,
            Kind::Text(text) => text.to_uppercase() == text,
            Kind::Safe(_) => false,
            kind => return Err(format!("the test `{name}` needs a text; this is {}", kind.word())),
        },
        _ => false,
    })
}
