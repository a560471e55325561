//! One step: whether it runs, its iterations, its inputs, its action, its output.

use super::bench::Bench;
use super::plan::Unknown;
use super::runner::{Runner, json};
use super::{check, made_up};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect};
use crate::scaffolder::language::{Condition, Warning};
use crate::scaffolder::template::Step;
use minijinja::value::ValueKind;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Most iterations of one step.
const MAX_ITERATIONS: usize = 10_000;

/// What came of a step.
pub enum Outcome {
    /// It did what it should.
    Done(Value),
    /// A dry run only says what it would do.
    Planned(Value),
    /// Nobody has its action.
    Unknown(Value, Unknown),
    /// It did not run, and why.
    Skipped(String),
    /// Somebody stopped it.
    Cancelled,
    /// It failed.
    Failed(ActionError),
}

/// One round of a step.
struct Iteration {
    each: Option<(Value, Value)>,
    input: Value,
    is_wanted: bool,
}

/// A step about to run.
pub struct StepRun<'a> {
    pub runner: &'a mut Runner,
    pub step: &'a Step,
    pub index: usize,
    pub cancel: &'a CancellationToken,
}

impl StepRun<'_> {
    /// Runs the step.
    pub fn run(mut self) -> Outcome {
        if self.runner.has_failed() && !self.runs_after_failure() {
            return Outcome::Skipped("a step before it failed".to_owned());
        }
        if !self.is_wanted() {
            return Outcome::Skipped("its condition does not hold".to_owned());
        }
        let Some(action) = self.runner.host.actions.find(&self.step.action) else {
            return self.unknown();
        };
        self.execute(&action).unwrap_or_else(|error| {
            if self.cancel.is_cancelled() { Outcome::Cancelled } else { Outcome::Failed(error) }
        })
    }

    fn unknown(&mut self) -> Outcome {
        let unknown = Unknown::of(self.index, self.step, &self.runner.host);
        if !self.runner.is_dry {
            return Outcome::Failed(ActionError::new(unknown.message()).hint(unknown.hint()));
        }
        let place = format!("step `{}`", self.step.id);
        self.runner.take_warnings(&place, vec![format!("{}; a run would not start", unknown.message())]);
        Outcome::Unknown(Value::from_pairs::<_, &str, Value>([]), unknown)
    }

    /// After a failure only steps run whose condition asks for `always()` or `failure()`.
    fn runs_after_failure(&mut self) -> bool {
        let condition = &self.step.condition;
        condition.as_str().is_some() && self.condition(None).asked_status
    }

    fn condition(&mut self, each: Option<&(Value, Value)>) -> Condition {
        let context =
            if each.is_some() { self.runner.contexts.inner(true, each) } else { self.runner.contexts.open() };
        self.runner.language.condition(&self.step.condition, &context, self.runner.has_failed())
    }

    /// Evaluates `if` of a step without `each`.
    fn is_wanted(&mut self) -> bool {
        let condition = &self.step.condition;
        if condition.kind() == ValueKind::Bool {
            return condition.is_true();
        }
        if condition.as_str().is_none() || !self.step.each.is_undefined() {
            return true;
        }
        let condition = self.condition(None);
        self.warn("if", &condition.warnings);
        condition.holds
    }

    fn warn(&mut self, part: &str, warnings: &[Warning]) {
        let place = format!("step `{}`, {part}", self.step.id);
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        for warning in &warnings {
            let line = self.runner.masks.hide(warning);
            self.runner.board.log(self.index, &format!("warning: {part}: {line}"));
        }
        self.runner.take_warnings(&place, warnings);
    }

    fn execute(&mut self, action: &Arc<dyn Action>) -> Result<Outcome, ActionError> {
        let iterations = self.iterations(action)?;
        // what is left out gave nothing that later inputs could be made of
        if let Some(why) = self.is_left_out(action, &iterations) {
            return Ok(Outcome::Skipped(why));
        }
        self.check_inputs(action, &iterations)?;
        let mut collected: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut single = Value::from_pairs::<_, &str, Value>([]);
        let mut was_planned = false;
        for iteration in &iterations {
            if self.cancel.is_cancelled() {
                return Ok(Outcome::Cancelled);
            }
            if let Some(each) = &iteration.each {
                let verb = if iteration.is_wanted { "Running" } else { "Skipping" };
                let line = format!("{verb} step each: {}", each_line(each));
                self.runner.board.log(self.index, &self.runner.masks.hide(&line));
            }
            if !iteration.is_wanted {
                continue;
            }
            let (output, planned) = self.act(action, &iteration.input)?;
            was_planned |= planned;
            if iteration.each.is_some() {
                collect(&mut collected, &output);
            } else if output.kind() == ValueKind::Map {
                single = output;
            }
        }
        if self.cancel.is_cancelled() {
            return Ok(Outcome::Cancelled);
        }
        let output = if self.step.each.is_undefined() {
            single
        } else {
            Value::from_pairs(collected.into_iter().map(|(key, values)| (key, Value::from(values))))
        };
        Ok(if was_planned { Outcome::Planned(output) } else { Outcome::Done(output) })
    }

    /// Renders `each`, and the input of every round.
    fn iterations(&mut self, action: &Arc<dyn Action>) -> Result<Vec<Iteration>, ActionError> {
        if self.step.each.is_undefined() {
            let input = self.input(None);
            return Ok(vec![Iteration { each: None, input, is_wanted: true }]);
        }
        let context = self.runner.contexts.inner(true, None);
        let rendered = self.runner.language.value(&self.step.each, &context);
        self.warn("each", &rendered.warnings);
        if self.runner.contexts.has_secrets() {
            let blank = self.runner.contexts.inner(false, None);
            let without = self.runner.language.value(&self.step.each, &blank).value;
            self.runner.masks.add_difference(&rendered.value, &without);
        }
        let entries = entries(&rendered.value).ok_or_else(|| {
            let id = &action.spec().id;
            let message = if rendered.value.is_undefined() {
                let written = self.step.each.as_str().map_or_else(|| json(&self.step.each), str::to_owned);
                format!(
                    "Invalid value on action {id}.each parameter, \"{written}\" cannot be resolved to a value"
                )
            } else {
                format!("Invalid value on action {id}.each parameter, must resolve to an array or object")
            };
            ActionError::new(message).hint("give `each` a list or an object")
        })?;
        if entries.len() > MAX_ITERATIONS {
            return Err(ActionError::new(format!("`each` has more than {MAX_ITERATIONS} items")));
        }
        let mut iterations = Vec::with_capacity(entries.len());
        for each in entries {
            let is_wanted = !self.step.condition.is_true() || {
                let condition = self.condition(Some(&each));
                self.warn("if", &condition.warnings);
                condition.holds
            };
            let input = self.input(Some(&each));
            iterations.push(Iteration { each: Some(each), input, is_wanted });
        }
        Ok(iterations)
    }

    fn input(&mut self, each: Option<&(Value, Value)>) -> Value {
        if self.step.input.is_undefined() {
            return Value::from_pairs::<_, &str, Value>([]);
        }
        let context = self.runner.contexts.inner(true, each);
        let rendered = self.runner.language.value(&self.step.input, &context);
        self.warn("input", &rendered.warnings);
        if self.runner.contexts.has_secrets() {
            let blank = self.runner.contexts.inner(false, each);
            let without = self.runner.language.value(&self.step.input, &blank).value;
            self.runner.masks.add_difference(&rendered.value, &without);
        }
        rendered.value
    }

    /// Inputs of all rounds are checked before the first runs.
    fn check_inputs(&self, action: &Arc<dyn Action>, iterations: &[Iteration]) -> Result<(), ActionError> {
        for iteration in iterations.iter().filter(|iteration| iteration.is_wanted) {
            let faults = check::faults(&action.spec().input, &iteration.input);
            if !faults.is_empty() {
                let key = iteration.each.as_ref().map(|(key, _)| format!("[{key}]")).unwrap_or_default();
                let message = format!(
                    "Invalid input passed to action {}{key}, {}",
                    action.spec().id,
                    faults.join(", ")
                );
                let hint = format!("correct `input` of the step `{}` in the template", self.step.id);
                return Err(ActionError::new(message).hint(hint));
            }
        }
        Ok(())
    }

    /// With a folder to write to, nothing is published or registered.
    fn is_left_out(&mut self, action: &Arc<dyn Action>, iterations: &[Iteration]) -> Option<String> {
        let out = self.runner.job.out.clone()?;
        let id = &action.spec().id;
        let is_outside = id.starts_with("publish:") || id == "catalog:register" || {
            let mut ignored = Vec::new();
            let bench = self.bench(&mut ignored);
            !action.spec().runs_dry
                && iterations.iter().filter(|iteration| iteration.is_wanted).any(|iteration| {
                    action.effects(&iteration.input, &bench).map_or(true, |effects| !effects.is_empty())
                })
        };
        is_outside.then(|| format!("left out: the files go to `{}`", out.display()))
    }

    fn bench<'b>(&'b self, warnings: &'b mut Vec<String>) -> Bench<'b> {
        let runner = &*self.runner;
        Bench {
            job: &runner.job,
            host: &runner.host,
            board: &runner.board,
            masks: &runner.masks,
            workspace: runner.staging.as_ref().map_or(std::path::Path::new(""), |staging| staging.folder()),
            cancel: self.cancel,
            is_dry: runner.is_dry,
            index: self.index,
            warnings,
        }
    }

    /// Does one round, or says what it would do; tells whether it was only said.
    fn act(&mut self, action: &Arc<dyn Action>, input: &Value) -> Result<(Value, bool), ActionError> {
        let mut warnings = Vec::new();
        let effects = {
            let bench = self.bench(&mut warnings);
            action.effects(input, &bench)?
        };
        let effects: Vec<SideEffect> = effects.iter().map(|effect| self.runner.hidden(effect)).collect();
        if self.runner.is_dry {
            self.runner.effects.extend(effects.iter().map(|effect| (self.index, effect.clone())));
            let placement = action.places(input, &self.bench(&mut warnings));
            if placement.is_some() {
                self.runner.placement = placement;
            }
            let shown = self.runner.masks.hide(&json(input));
            let line = format!(
                "Running {} in dry-run mode with inputs (secrets redacted): {shown}",
                action.spec().id
            );
            self.runner.board.log(self.index, &line);
            if !action.spec().runs_dry {
                let foreseen = action.foreseen(input, &self.bench(&mut warnings));
                return Ok((made_up::outputs(&action.spec().output, &foreseen), true));
            }
        }
        let output = {
            let mut bench = self.bench(&mut warnings);
            guarded(action, input, &mut bench)
        };
        let place = format!("step `{}`", self.step.id);
        self.runner.take_warnings(&place, warnings);
        let output = output?;
        if !self.runner.is_dry {
            let folder = action.places(input, &self.bench(&mut Vec::new())).map(|placement| placement.to);
            self.runner.board.change(|state| {
                state.exists.extend(effects);
                if folder.is_some() {
                    state.folder = folder;
                }
            });
        }
        Ok((output, false))
    }
}

/// A mistake in an action fails its step, not the program.
fn guarded(action: &Arc<dyn Action>, input: &Value, bench: &mut Bench<'_>) -> Result<Value, ActionError> {
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| action.run(input, bench)));
    ran.unwrap_or_else(|_| {
        Err(ActionError::new(format!("the action `{}` broke down", action.spec().id))
            .hint("this is a mistake of the action itself; `devportal doctor --report` helps to report it"))
    })
}

/// Returns keys and items of a list or an object.
fn entries(value: &Value) -> Option<Vec<(Value, Value)>> {
    match value.kind() {
        ValueKind::Seq => {
            let items = value.try_iter().ok()?;
            Some(items.enumerate().map(|(index, item)| (Value::from(index.to_string()), item)).collect())
        }
        ValueKind::Map => {
            let keys = value.try_iter().ok()?;
            Some(keys.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect())
        }
        _ => None,
    }
}

/// Appends each output of a round to the list of its name.
fn collect(collected: &mut Vec<(Value, Vec<Value>)>, output: &Value) {
    for key in output.try_iter().into_iter().flatten().filter(|_| output.kind() == ValueKind::Map) {
        let item = output.get_item(&key).unwrap_or_default();
        match collected.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => collected.push((key, vec![item])),
        }
    }
}

fn each_line((key, value): &(Value, Value)) -> String {
    let key = serde_json::Value::from(key.to_string());
    format!("{{\"key\":{key},\"value\":{}}}", serde_json::Value::from(plain(value)))
}

/// A value as JavaScript writes it into a text.
fn plain(value: &Value) -> String {
    match value.kind() {
        ValueKind::Map => "[object Object]".to_owned(),
        ValueKind::Seq => {
            let items = value.try_iter().into_iter().flatten();
            items
                .map(|item| if item.is_none() { String::new() } else { plain(&item) })
                .collect::<Vec<_>>()
                .join(",")
        }
        ValueKind::None => "null".to_owned(),
        ValueKind::Undefined => "undefined".to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        _ => value.to_string(),
    }
}
