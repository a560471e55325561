//! Operators, slices, ranges.

use super::ast::{Binary, Expr, ExprKind, Unary};
use super::budget::Budget;
use super::js::{self, Kind};
use minijinja::Value;
use std::cmp::Ordering;

/// Applies an operator to two values.
pub(super) fn binary(
    operator: Binary,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Result<Value, String> {
    let arithmetic =
        |result: fn(f64, f64) -> f64| js::number(result(js::to_number(left), js::to_number(right)));
    Ok(match operator {
        Binary::Add | Binary::Concat => {
            for value in [left, right] {
                if matches!(js::kind(value), Kind::Callable) {
                    return Err("a function cannot be part of a text".to_owned());
                }
                budget.whole(value)?;
            }
            let sum = if operator == Binary::Add { js::add(left, right) } else { js::concat(left, right) };
            budget.text(sum.as_str().map_or(0, str::len))?;
            sum
        }
        Binary::Subtract => arithmetic(|left, right| left - right),
        Binary::Multiply => arithmetic(|left, right| left * right),
        Binary::Divide => arithmetic(|left, right| left / right),
        Binary::Modulo => arithmetic(|left, right| left % right),
        Binary::Power => arithmetic(power),
        Binary::Equal => Value::from(js::is_equal(left, right)),
        Binary::NotEqual => Value::from(!js::is_equal(left, right)),
        Binary::Same => Value::from(js::is_same(left, right)),
        Binary::NotSame => Value::from(!js::is_same(left, right)),
        Binary::Less => Value::from(js::order(left, right) == Some(Ordering::Less)),
        Binary::LessOrEqual => Value::from(js::order(left, right).is_some_and(Ordering::is_le)),
        Binary::Greater => Value::from(js::order(left, right) == Some(Ordering::Greater)),
        Binary::GreaterOrEqual => Value::from(js::order(left, right).is_some_and(Ordering::is_ge)),
        Binary::In => Value::from(contains(right, left, budget)?),
    })
}

/// JavaScript has no power of one to infinity.
fn power(left: f64, right: f64) -> f64 {
    if right.is_nan() || (right.is_infinite() && left.abs() == 1.0) { f64::NAN } else { left.powf(right) }
}

/// Applies an operator to one value.
pub(super) fn unary(operator: Unary, target: &Value) -> Value {
    match operator {
        Unary::Not => Value::from(!js::is_true(target)),
        Unary::Minus => js::number(-js::to_number(target)),
        Unary::Plus => js::number(js::to_number(target)),
        Unary::Floor => js::number(js::to_number(target).floor()),
    }
}

fn contains(container: &Value, needle: &Value, budget: &mut Budget) -> Result<bool, String> {
    match js::kind(container) {
        Kind::Text(text) => {
            budget.text(text.len())?;
            Ok(text.contains(js::text(needle).as_ref()))
        }
        Kind::Safe(_) => Ok(matches!(js::text(needle).as_ref(), "length" | "val")),
        Kind::List => {
            let items = js::items(container);
            budget.steps(items.len())?;
            Ok(items.iter().any(|item| js::is_same(item, needle)))
        }
        Kind::Record => Ok(js::field(container, &js::text(needle)).is_some()),
        kind => Err(format!("`in` looks into a list, an object or a text; this is {}", kind.word())),
    }
}

/// `x[start:stop:step]`.
pub(super) fn slice(target: &Value, parts: &[Value; 3], budget: &mut Budget) -> Result<Vec<Value>, String> {
    let [start, stop, step] = parts;
    let step = if step.is_none() { 1.0 } else { js::to_number(step) };
    if !step.is_finite() || step == 0.0 {
        return Err("the step of a slice is a number that is not 0".to_owned());
    }
    let length = match js::kind(target) {
        Kind::List => js::list_len(target) as f64,
        Kind::Text(text) | Kind::Safe(text) => js::text_len(text) as f64,
        _ => return Ok(Vec::new()),
    };
    let from_end = |value: &Value| {
        let number = js::to_number(value);
        if number < 0.0 { number + length } else { number }
    };
    let start = match start.is_none() {
        true if step < 0.0 => length - 1.0,
        true => 0.0,
        false => from_end(start),
    };
    let stop = match stop.is_none() {
        true if step < 0.0 => -1.0,
        true => length,
        false => from_end(stop),
    };
    let units = js::kind(target);
    let items = if let Kind::Text(text) | Kind::Safe(text) = units {
        js::units(text)
    } else {
        js::items(target).into_owned()
    };
    let mut out = Vec::new();
    let mut index = start;
    // One past the end is read, as the original does; there is nothing there
    while index >= 0.0 && index <= length && !((step > 0.0 && index >= stop) || (step < 0.0 && index <= stop))
    {
        budget.step()?;
        let item = if index.fract() == 0.0 { items.get(index as usize).cloned() } else { None };
        out.push(item.unwrap_or(Value::UNDEFINED));
        index += step;
    }
    Ok(out)
}

/// `range(stop)`, `range(start, stop, step)`.
pub(super) fn range(arguments: &[Value], budget: &mut Budget) -> Result<Vec<Value>, String> {
    if arguments.len() > 3 {
        return Err("`range()` takes at most 3 arguments".to_owned());
    }
    let given = |index: usize| arguments.get(index).filter(|value| !value.is_undefined());
    let (start, stop, step) = match (given(0), given(1), given(2)) {
        (stop, None, _) => (0.0, stop.map_or(f64::NAN, js::to_number), 1.0),
        (start, Some(stop), step) => {
            let step = step.filter(|step| js::is_true(step)).map_or(1.0, js::to_number);
            (start.map_or(f64::NAN, js::to_number), js::to_number(stop), step)
        }
    };
    let mut out = Vec::new();
    let mut value = start;
    while if step > 0.0 { value < stop } else { value > stop } {
        out.push(js::number(value));
        budget.step()?;
        if out.len() > super::budget::LARGEST_LIST {
            return Err("the range is too long".to_owned());
        }
        value += step;
    }
    Ok(out)
}

/// Returns how a member was written: `values.name`.
pub(super) fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.to_string()),
        ExprKind::Member(target, name) => Some(format!("{}.{name}", path(target)?)),
        _ => None,
    }
}
