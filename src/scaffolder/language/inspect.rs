//! What a template names, without rendering it: for those who check templates.

use super::ast::{At, Expr, ExprKind, Node, Unary, walk};
use super::error::{Fault, LanguageError, nearest, place};
use super::objects::Global;
use super::{Language, filters, js};
use std::collections::{BTreeMap, BTreeSet};

/// What a template names and never does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Variables from outside with the fields that are read of them, in order: `["values", "name"]`.
    pub names: Vec<Use>,
    /// Filters and tests that do not exist.
    pub unknown: Vec<LanguageError>,
    /// Parts that can never be rendered.
    pub unreachable: Vec<LanguageError>,
}

/// A variable that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its name and the fields that follow.
    pub path: Vec<String>,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl Language {
    /// Says what a template names.
    ///
    /// # Errors
    /// When the text is no template.
    pub fn inspect(&self, source: &str) -> Result<Inspection, LanguageError> {
        if !self.is_template(source) {
            return Ok(Inspection::default());
        }
        let nodes = self.parse(source)?;
        let mut local = BTreeSet::from(["loop", "caller"]);
        bound(&nodes, &mut local);
        let mut uses: BTreeMap<At, Vec<String>> = BTreeMap::new();
        let mut unknown = Vec::new();
        let mut never = Vec::new();
        walk(&nodes, &mut |expr| {
            if let Some((at, path)) = path(expr) {
                // The longest path that starts here; outer expressions come first
                uses.entry(at).or_insert(path);
            }
            unknown.extend(self.stranger(expr));
            if let ExprKind::Inline { condition, .. } = &expr.kind
                && constant(condition) == Some(false)
            {
                never.push(Fault::new(condition.at as usize, "the condition is never true"));
            }
        });
        never_rendered(&nodes, &mut never);
        let names = uses.into_iter().filter(|(_, path)| {
            let root = path.first().map_or("", String::as_str);
            let is_jinja = self.syntax.is_bare && matches!(root, "True" | "False" | "None");
            !local.contains(root) && Global::named(root).is_none() && !is_jinja
        });
        Ok(Inspection {
            names: names
                .map(|(at, path)| {
                    let (line, column) = place(source, at as usize);
                    Use { path, line, column }
                })
                .collect(),
            unknown: unknown.into_iter().map(|fault| fault.locate(source)).collect(),
            unreachable: never.into_iter().map(|fault| fault.locate(source)).collect(),
        })
    }

    /// A filter or test that does not exist.
    fn stranger(&self, expr: &Expr) -> Option<Fault> {
        let (what, name, near) = match &expr.kind {
            ExprKind::Filter(name, ..) if !filters::is_known(name, self.syntax.is_bare) => {
                ("filter", name, nearest(name, filters::names()))
            }
            ExprKind::Is(_, name, _) if !super::tests::names().any(|known| known == name.as_ref()) => {
                ("test", name, nearest(name, super::tests::names()))
            }
            _ => return None,
        };
        let fault = Fault::new(expr.at as usize, format!("there is no {what} `{name}`"));
        Some(match near {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault,
        })
    }
}

/// Returns the variable and the fields that an expression reads, and where it starts.
fn path(expr: &Expr) -> Option<(At, Vec<String>)> {
    match &expr.kind {
        ExprKind::Name(name) => Some((expr.at, vec![name.to_string()])),
        ExprKind::Member(target, name) => {
            let (at, mut fields) = path(target)?;
            fields.push(name.to_string());
            Some((at, fields))
        }
        _ => None,
    }
}

/// Collects the names that a template makes itself.
fn bound<'t>(nodes: &'t [Node], names: &mut BTreeSet<&'t str>) {
    for node in nodes {
        match node {
            Node::Text(_) | Node::Output(_) => {}
            Node::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| bound(body, names));
                bound(otherwise, names);
            }
            Node::For { targets, body, otherwise, .. } => {
                names.extend(targets.iter().map(AsRef::as_ref));
                bound(body, names);
                bound(otherwise, names);
            }
            Node::Set { targets, value } => {
                names.extend(targets.iter().map(AsRef::as_ref));
                if let ExprKind::Capture(body) = &value.kind {
                    bound(body, names);
                }
            }
            Node::Macro(definition) | Node::Call { body: definition, .. } => {
                names.insert(&definition.name);
                names.extend(definition.positional.iter().map(AsRef::as_ref));
                names.extend(definition.defaults.iter().map(|(name, _)| name.as_ref()));
                bound(&definition.body, names);
            }
            Node::Block(body) => bound(body, names),
            Node::Switch { cases, otherwise, .. } => {
                cases.iter().for_each(|(_, body)| bound(body, names));
                bound(otherwise, names);
            }
        }
    }
}

/// Returns what a condition always is, if it does not depend on anything.
fn constant(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(js::is_true(value)),
        ExprKind::Unary(Unary::Not, target) => constant(target).map(|holds| !holds),
        ExprKind::Group(items) => items.last().and_then(constant),
        ExprKind::And(left, right) => match (constant(left), constant(right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), right) => right,
            _ => None,
        },
        ExprKind::Or(left, right) => match (constant(left), constant(right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), right) => right,
            _ => None,
        },
        _ => None,
    }
}

/// Collects bodies that are never rendered.
fn never_rendered(nodes: &[Node], out: &mut Vec<Fault>) {
    for node in nodes {
        match node {
            Node::If { branches, otherwise } => {
                let mut is_decided = false;
                for (condition, body) in branches {
                    if is_decided {
                        out.push(Fault::new(
                            condition.at as usize,
                            "a condition before this one is always true",
                        ));
                    } else if constant(condition) == Some(false) {
                        out.push(Fault::new(condition.at as usize, "the condition is never true"));
                    }
                    is_decided |= constant(condition) == Some(true);
                    never_rendered(body, out);
                }
                never_rendered(otherwise, out);
            }
            Node::For { list, body, otherwise, .. } => {
                if matches!(&list.kind, ExprKind::List(items) if items.is_empty()) {
                    out.push(Fault::new(list.at as usize, "the loop goes over an empty list"));
                }
                never_rendered(body, out);
                never_rendered(otherwise, out);
            }
            Node::Macro(definition) | Node::Call { body: definition, .. } => {
                never_rendered(&definition.body, out);
            }
            Node::Block(body) => never_rendered(body, out),
            Node::Switch { cases, otherwise, .. } => {
                cases.iter().for_each(|(_, body)| never_rendered(body, out));
                never_rendered(otherwise, out);
            }
            Node::Text(_) | Node::Output(_) | Node::Set { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scaffolder::language::Language;

    #[test]
    fn names_what_comes_from_outside() {
        let source = "${{ values.a.b }}{% set x = steps['fetch-base'].output.y %}${{ x.z }}\n{% for k, v in values.list %}${{ k }}${{ loop.index }}{% endfor %}{% macro m(p) %}${{ p }}${{ user }}{% endmacro %}${{ range(2) }}";
        let inspection = Language::default().inspect(source).unwrap();
        let names: Vec<String> = inspection
            .names
            .iter()
            .map(|used| format!("{} {}:{}", used.path.join("/"), used.line, used.column))
            .collect();
        assert_eq!(
            names,
            ["values/a/b 1:5", "steps/fetch-base/output/y 1:29", "values/list 2:16", "user 2:95"]
        );
    }

    #[test]
    fn finds_strangers_and_dead_parts() {
        let source = "${{ a | upperr }}${{ 1 is od }}{% if false %}x{% elif true %}y{% elif b %}z{% endif %}{% for x in [] %}{% endfor %}${{ 1 if not true else 2 }}";
        let inspection = Language::default().inspect(source).unwrap();
        let unknown: Vec<&str> = inspection.unknown.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(unknown, ["there is no filter `upperr`", "there is no test `od`"]);
        let columns: Vec<u32> = inspection.unreachable.iter().map(|error| error.column).collect();
        assert_eq!(columns.len(), 4, "{:?}", inspection.unreachable);
    }
}
