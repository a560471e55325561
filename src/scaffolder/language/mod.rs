//! The language of templates: what stands in `${{ }}` and `{% %}`.
//!
//! One evaluator for forms, steps, files and paths. It behaves as Nunjucks 3.2 does, on the values that the rest of
//! the program uses; start at [`Language`]. [`Language::value`] renders the inputs of steps, [`Language::text`] one
//! text, [`Language::tree`] all files of a skeleton, [`Language::condition`] the `if` of a step.
//!
//! Pure: nothing is read or written. Costs are bounded; a template that loops for ever ends with an error.
//! Reference: Nunjucks 3.2, *Templating*; Backstage, *Writing Templates*.

#![expect(clippy::float_cmp, reason = "JavaScript compares numbers exactly")]

mod ast;
mod budget;
mod error;
mod eval;
mod expression;
mod filters;
mod inspect;
mod js;
mod json;
mod list;
mod methods;
mod objects;
mod operators;
pub mod regex;
mod scan;
mod statement;
mod tests;
mod token;
pub mod tree;

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod hostile;

pub use error::LanguageError;
pub use filters::{HostKind, Hosts};
pub use inspect::{Inspection, Use};
pub use tree::{Entry, EntryKind, FileKind, Files, Folder, RenderedFile, Tree, TreeError, TreeRules};

use ast::{Expr, ExprKind, Node};
use error::{Fault, place};
use eval::{Findings, Render, Setting};
use minijinja::Value;
use scan::{Syntax, is_template};
use std::sync::Arc;

/// How tags are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// `${{ }}`, the one of Backstage.
    #[default]
    Backstage,
    /// `{{ }}` and the habits of cookiecutter.
    Cookiecutter,
}

/// Longest source, in bytes.
const LONGEST_SOURCE: usize = 16 * 1024 * 1024;

/// Renders texts and values.
#[derive(Debug, Clone, Default)]
pub struct Language {
    syntax: Syntax,
    hosts: Arc<Hosts>,
}

/// What a value became.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// The value; undefined when a lone expression has none.
    pub value: Value,
    /// What a person should know: texts that did not render, names that nothing defines.
    pub warnings: Vec<Warning>,
}

/// Something in a value or a file that is probably not what its author meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where in the value: `/values/name`; empty for the value itself, the path of the file for files.
    pub place: String,
    /// Line in the text, from 1.
    pub line: u32,
    /// Column in the text, from 1, in characters.
    pub column: u32,
    /// What it is; lower case, no final stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, line, column, message, hint } = self;
        if !place.is_empty() {
            write!(f, "{place}:{line}:{column}: ")?;
        }
        write!(f, "{message}")?;
        if hint.is_empty() { Ok(()) } else { write!(f, " ({hint})") }
    }
}

/// What an `if` came to.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// The step is done.
    pub holds: bool,
    /// It called `always()` or `failure()`, so that it counts even after a failure.
    pub asked_status: bool,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

/// Returns whether an `if` with this value holds: false are `false`, nothing, an empty text, 0 and an empty list.
pub fn is_truthy(value: &Value) -> bool {
    match js::kind(value) {
        js::Kind::List => js::list_len(value) > 0,
        _ => js::is_true(value),
    }
}

impl Language {
    /// Creates the language with the public hosts.
    pub fn new(dialect: Dialect) -> Self {
        let syntax = Syntax { is_bare: dialect == Dialect::Cookiecutter, ..Syntax::default() };
        Self { syntax, hosts: Arc::default() }
    }

    /// Sets the hosts that `parseRepoUrl` accepts.
    pub fn with_hosts(mut self, hosts: Arc<Hosts>) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets whether the line break after a block tag goes, and the indentation before one.
    pub fn with_trim(mut self, trims_blocks: bool, strips_blocks: bool) -> Self {
        self.syntax.trims_blocks = trims_blocks;
        self.syntax.strips_blocks = strips_blocks;
        self
    }

    /// Returns the hosts that `parseRepoUrl` accepts.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Returns whether a text has anything to render.
    pub fn is_template(&self, source: &str) -> bool {
        is_template(source, self.syntax)
    }

    /// Renders all texts in a value. A text that is one expression and nothing else keeps the type of its value;
    /// where that is undefined the key is dropped. A text that cannot be rendered stays as it is, with a warning.
    pub fn value(&self, written: &Value, context: &Value) -> Rendered {
        let mut warnings = Vec::new();
        let value = self.value_at(written, context, "", &mut warnings);
        Rendered { value, warnings }
    }

    fn value_at(&self, written: &Value, context: &Value, place: &str, warnings: &mut Vec<Warning>) -> Value {
        match js::kind(written) {
            js::Kind::Text(text) | js::Kind::Safe(text) => {
                self.value_text(text, written, context, place, warnings)
            }
            js::Kind::List => {
                let items = js::items(written);
                let items = items.iter().enumerate();
                let items = items
                    .map(|(index, item)| self.value_at(item, context, &format!("{place}/{index}"), warnings));
                Value::from(items.collect::<Vec<_>>())
            }
            js::Kind::Record => {
                let entries = js::entries(written).into_iter();
                let entries: Vec<(Value, Value)> = entries
                    .map(|(key, value)| {
                        let value = self.value_at(&value, context, &format!("{place}/{key}"), warnings);
                        (Value::from(key), value)
                    })
                    .filter(|(_, value)| !value.is_undefined())
                    .collect();
                Value::from_pairs(entries)
            }
            _ => written.clone(),
        }
    }

    fn value_text(
        &self,
        text: &str,
        written: &Value,
        context: &Value,
        place: &str,
        warnings: &mut Vec<Warning>,
    ) -> Value {
        if !self.is_template(text) {
            return written.clone();
        }
        let mut findings = Findings::default();
        let result = self.native(text, context, false, &mut findings);
        warn(text, place, findings, warnings);
        match result {
            Ok(value) => value,
            Err(error) => {
                warnings.push(Warning {
                    place: place.to_owned(),
                    line: error.line,
                    column: error.column,
                    message: format!("the text was not rendered: {}", error.message),
                    hint: error.hint,
                });
                written.clone()
            }
        }
    }

    /// Evaluates the `if` of a step. `has_failed` says that a step before it failed.
    pub fn condition(&self, written: &Value, context: &Value, has_failed: bool) -> Condition {
        let Some(text) = written.as_str() else {
            return Condition { holds: is_truthy(written), ..Condition::default() };
        };
        let mut findings = Findings::default();
        let mut warnings = Vec::new();
        let result = self.native(text, context, has_failed, &mut findings);
        let asked_status = findings.asked_status;
        let value = result.unwrap_or_else(|error| {
            warnings.push(Warning {
                place: "/if".to_owned(),
                line: error.line,
                column: error.column,
                message: format!("the condition was not evaluated and counts as true: {}", error.message),
                hint: error.hint,
            });
            Value::from(text)
        });
        Condition { holds: is_truthy(&value), asked_status, warnings }
    }

    /// Renders a text; a lone expression keeps its type.
    fn native(
        &self,
        source: &str,
        context: &Value,
        has_failed: bool,
        findings: &mut Findings,
    ) -> Result<Value, LanguageError> {
        let nodes = self.parse(source)?;
        let mut render = self.render(&nodes, context, has_failed);
        let result = if let [Node::Output(expr)] = nodes.as_slice() {
            let value = render.run_expression(expr);
            value.and_then(|value| {
                if matches!(js::kind(&value), js::Kind::Callable) {
                    return Err(
                        Fault::new(expr.at as usize, "a function is no value").hint("call it: `name()`")
                    );
                }
                budget::at(expr.at, render.budget.whole(&value))?;
                Ok(list::freeze(&value))
            })
        } else {
            let mut out = String::new();
            render.run(&nodes, &mut out).map(|()| Value::from(out))
        };
        *findings = std::mem::take(&mut render.findings);
        result.map_err(|fault| fault.locate(source))
    }

    /// Renders a text.
    ///
    /// # Errors
    /// When the text is no template, or rendering fails or costs too much.
    pub fn text(&self, source: &str, context: &Value) -> Result<String, LanguageError> {
        self.text_with(source, context, &mut Findings::default())
    }

    fn text_with(
        &self,
        source: &str,
        context: &Value,
        findings: &mut Findings,
    ) -> Result<String, LanguageError> {
        if !self.is_template(source) {
            return Ok(source.to_owned());
        }
        let nodes = self.parse(source)?;
        let mut render = self.render(&nodes, context, false);
        let mut out = String::with_capacity(source.len());
        let result = render.run(&nodes, &mut out);
        *findings = std::mem::take(&mut render.findings);
        result.map(|()| out).map_err(|fault| fault.locate(source))
    }

    fn parse(&self, source: &str) -> Result<Vec<Node>, LanguageError> {
        if source.len() > LONGEST_SOURCE {
            let most = LONGEST_SOURCE / 1024 / 1024;
            return Err(Fault::new(0, format!("the template is larger than {most} MB")).locate(source));
        }
        statement::parse(source, self.syntax).map_err(|fault| fault.locate(source))
    }

    fn render<'t>(&'t self, nodes: &'t [Node], context: &Value, has_failed: bool) -> Render<'t> {
        let setting = Setting { is_jinja: self.syntax.is_bare, has_failed, hosts: &self.hosts };
        Render::new(context, changes_lists(nodes), setting)
    }
}

/// Tells about names that nothing defines.
fn warn(source: &str, at: &str, findings: Findings, warnings: &mut Vec<Warning>) {
    for (name, byte) in findings.unknown {
        let (line, column) = place(source, byte as usize);
        let known = warnings
            .iter()
            .any(|warning| warning.place == at && warning.message.contains(&format!("`{name}`")));
        if !known {
            warnings.push(Warning {
                place: at.to_owned(),
                line,
                column,
                message: format!("nothing defines `{name}`, so it renders as nothing"),
                hint: "put text that is meant literally between `{% raw %}` and `{% endraw %}`".to_owned(),
            });
        }
    }
}

/// Returns whether a template calls a method that changes a list.
fn changes_lists(nodes: &[Node]) -> bool {
    let mut found = false;
    ast::walk(nodes, &mut |expr: &Expr| {
        found |= match &expr.kind {
            ExprKind::Member(_, name) => methods::changes(name),
            ExprKind::Call(callee, _) => matches!(callee.kind, ExprKind::Index(..)),
            _ => false,
        };
    });
    found
}
