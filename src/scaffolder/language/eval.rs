//! Renders the tree of a template.
//!
//! Scopes: `set` changes the nearest variable of that name up to the next macro or block, else it makes one where
//! it stands; a loop has one scope for all its rounds; a macro sees what is set at the top and its arguments.

use super::ast::{Arguments, At, Expr, ExprKind, Macro, Node};
use super::budget::{Budget, at};
use super::error::Fault;
use super::js::{self, Kind};
use super::list::{List, thaw};
use super::objects::{Callable, Loop};
use minijinja::Value;

/// How deep rendering may go: nested tags and expressions, macros that call macros.
const DEEPEST: usize = 300;

/// What a rendering learns beside its text.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Names that nothing defines, and where.
    pub(super) unknown: Vec<(String, At)>,
    /// `always()` or `failure()` was called.
    pub(super) asked_status: bool,
}

/// What is the same for all of a rendering.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'t> {
    /// Cookiecutter's habits: `True`, `jsonify`, `items()`.
    pub(super) is_jinja: bool,
    /// A step before failed.
    pub(super) has_failed: bool,
    /// Which forge is behind a host.
    pub(super) hosts: &'t super::Hosts,
}

/// One rendering.
pub(super) struct Render<'t> {
    pub(super) setting: Setting<'t>,
    pub(super) budget: Budget,
    pub(super) findings: Findings,
    context: Value,
    /// Lists can be changed.
    mutates: bool,
    scopes: Vec<Scope<'t>>,
    macros: Vec<(&'t Macro, usize)>,
    cyclers: Vec<(Vec<Value>, Option<usize>)>,
    joiners: Vec<(Value, bool)>,
    depth: usize,
}

#[derive(Debug, Default)]
struct Scope<'t> {
    names: Vec<(&'t str, Value)>,
    parent: Option<usize>,
    /// `set` does not reach through it.
    is_closed: bool,
}

/// Arguments as they are given.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) positional: Vec<Value>,
    pub(super) keyword: Vec<(Box<str>, Value)>,
}

impl<'t> Render<'t> {
    /// Starts a rendering of a template that changes lists in place or not.
    pub(super) fn new(context: &Value, mutates: bool, setting: Setting<'t>) -> Self {
        Self {
            setting,
            budget: Budget::default(),
            findings: Findings::default(),
            context: if mutates { thaw(context) } else { context.clone() },
            mutates,
            scopes: vec![Scope { is_closed: true, ..Scope::default() }],
            macros: Vec::new(),
            cyclers: Vec::new(),
            joiners: Vec::new(),
            depth: 0,
        }
    }

    /// Renders a whole template.
    pub(super) fn run(&mut self, nodes: &'t [Node], out: &mut String) -> Result<(), Fault> {
        self.nodes(nodes, 0, out)
    }

    /// Evaluates the only expression of a template.
    pub(super) fn run_expression(&mut self, expr: &'t Expr) -> Result<Value, Fault> {
        self.eval(expr, 0)
    }

    fn nodes(&mut self, nodes: &'t [Node], scope: usize, out: &mut String) -> Result<(), Fault> {
        self.depth += 1;
        for node in nodes {
            self.node(node, scope, out)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn node(&mut self, node: &'t Node, scope: usize, out: &mut String) -> Result<(), Fault> {
        match node {
            Node::Text(text) => {
                at(0, self.budget.text(text.len()))?;
                out.push_str(text);
                Self::fits(out, 0)
            }
            Node::Output(expr) => {
                let value = self.eval(expr, scope)?;
                self.print(&value, expr.at, out)
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if js::is_true(&self.eval(condition, scope)?) {
                        return self.nodes(body, scope, out);
                    }
                }
                self.nodes(otherwise, scope, out)
            }
            Node::For { at, targets, list, body, otherwise } => {
                self.repeat(*at, targets, list, (body, otherwise), scope, out)
            }
            Node::Set { targets, value } => {
                let value = self.eval(value, scope)?;
                for target in targets {
                    self.set(scope, target, value.clone());
                }
                Ok(())
            }
            Node::Macro(definition) => {
                let value = self.macro_value(definition, 0);
                self.bind(scope, &definition.name, value);
                Ok(())
            }
            Node::Call { at, callee, arguments, body } => {
                self.call_block(*at, callee, arguments, body, scope, out)
            }
            Node::Block(body) => {
                let inner = self.open(Some(scope), true);
                self.nodes(body, inner, out)
            }
            Node::Switch { subject, cases, otherwise } => {
                self.switch(subject, (cases, otherwise), scope, out)
            }
        }
    }

    fn fits(out: &str, place: At) -> Result<(), Fault> {
        if out.len() > super::budget::LARGEST_TEXT {
            let most = super::budget::LARGEST_TEXT / 1024 / 1024;
            return Err(Fault::new(place as usize, format!("the result becomes larger than {most} MB")));
        }
        Ok(())
    }

    fn print(&mut self, value: &Value, place: At, out: &mut String) -> Result<(), Fault> {
        match js::kind(value) {
            Kind::Text(text) | Kind::Safe(text) => {
                at(place, self.budget.text(text.len()))?;
                out.push_str(text);
            }
            Kind::List => {
                at(place, self.budget.whole(value))?;
                js::print(value, out, 0);
            }
            Kind::Callable => {
                return Err(Fault::new(place as usize, "a function has no text").hint("call it: `name()`"));
            }
            _ => js::print(value, out, 0),
        }
        Self::fits(out, place)
    }

    fn switch(
        &mut self,
        subject: &'t Expr,
        (cases, otherwise): (&'t [(Expr, Vec<Node>)], &'t [Node]),
        scope: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        let subject = self.eval(subject, scope)?;
        let mut matched = false;
        for (value, body) in cases {
            matched = matched || js::is_same(&subject, &self.eval(value, scope)?);
            if matched && !body.is_empty() {
                return self.nodes(body, scope, out);
            }
        }
        self.nodes(otherwise, scope, out)
    }

    fn repeat(
        &mut self,
        place: At,
        targets: &'t [Box<str>],
        list: &'t Expr,
        (body, otherwise): (&'t [Node], &'t [Node]),
        scope: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        let list = self.eval(list, scope)?;
        let rounds = rounds(&list, targets.len());
        at(place, self.budget.list(rounds.len()))?;
        let (first_scope, first_macro) = (self.scopes.len(), self.macros.len());
        let inner = self.open(Some(scope), false);
        let len = rounds.len();
        for (index, round) in rounds.into_iter().enumerate() {
            match (targets, round) {
                ([target], Round::One(value)) => self.bind(inner, target, value),
                (_, Round::Two(key, value)) => {
                    for (target, value) in targets.iter().zip([key, value]) {
                        self.bind(inner, target, value);
                    }
                }
                (_, Round::One(value)) => self.unpack(place, inner, targets, &value)?,
            }
            self.bind(inner, "loop", Value::from_object(Loop { index, len }));
            self.nodes(body, inner, out)?;
        }
        if len == 0 {
            self.nodes(otherwise, inner, out)?;
        }
        // Nothing can refer to these scopes any more unless a macro was made in one
        if self.macros.len() == first_macro {
            self.scopes.truncate(first_scope);
        }
        Ok(())
    }

    /// Gives the parts of an item to several names.
    fn unpack(
        &mut self,
        place: At,
        scope: usize,
        targets: &'t [Box<str>],
        value: &Value,
    ) -> Result<(), Fault> {
        if matches!(js::kind(value), Kind::Undefined | Kind::Null) {
            let message = format!("an item is {} and cannot be taken apart", js::kind(value).word());
            return Err(Fault::new(place as usize, message));
        }
        for (index, target) in targets.iter().enumerate() {
            let part = own(value, &index.to_string()).unwrap_or(Value::UNDEFINED);
            self.bind(scope, target, part);
        }
        Ok(())
    }

    fn open(&mut self, parent: Option<usize>, is_closed: bool) -> usize {
        self.scopes.push(Scope { names: Vec::new(), parent, is_closed });
        self.scopes.len() - 1
    }

    /// Puts a name into exactly this scope.
    fn bind(&mut self, scope: usize, name: &'t str, value: Value) {
        let Some(scope) = self.scopes.get_mut(scope) else { return };
        match scope.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => scope.names.push((name, value)),
        }
    }

    /// Changes the nearest variable of that name, else makes one here.
    fn set(&mut self, scope: usize, name: &'t str, value: Value) {
        let mut found = Some(scope);
        while let Some(index) = found {
            let Some(candidate) = self.scopes.get_mut(index) else { break };
            if let Some((_, known)) = candidate.names.iter_mut().find(|(known, _)| *known == name) {
                *known = value;
                return;
            }
            found = if candidate.is_closed { None } else { candidate.parent };
        }
        self.bind(scope, name, value);
    }

    fn variable(&self, scope: usize, name: &str) -> Option<Value> {
        let mut found = Some(scope);
        while let Some(scope) = found.and_then(|index| self.scopes.get(index)) {
            if let Some((_, value)) = scope.names.iter().find(|(known, _)| *known == name) {
                return Some(value.clone());
            }
            found = scope.parent;
        }
        None
    }

    fn name(&mut self, name: &'t str, place: At, scope: usize) -> Value {
        if let Some(value) = self.variable(scope, name).or_else(|| js::field(&self.context, name)) {
            return value;
        }
        match name {
            "True" if self.setting.is_jinja => return Value::from(true),
            "False" if self.setting.is_jinja => return Value::from(false),
            "None" if self.setting.is_jinja => return Value::from(()),
            _ => {}
        }
        if let Some(global) = super::objects::Global::named(name) {
            return Value::from_object(Callable::Global(global));
        }
        if name != "caller" && name != "loop" && self.findings.unknown.len() < 20 {
            self.findings.unknown.push((name.to_owned(), place));
        }
        Value::UNDEFINED
    }

    /// Evaluates an expression.
    pub(super) fn eval(&mut self, expr: &'t Expr, scope: usize) -> Result<Value, Fault> {
        at(expr.at, self.budget.step())?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::new(expr.at as usize, format!("rendering is nested deeper than {DEEPEST}"))
                .hint("a macro may call itself without an end"));
        }
        let value = self.eval_kind(expr, scope)?;
        self.depth -= 1;
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &'t Expr, scope: usize) -> Result<Value, Fault> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Name(name) => Ok(self.name(name, expr.at, scope)),
            ExprKind::Member(target, name) => {
                let target = self.eval(target, scope)?;
                Ok(self.member(&target, name))
            }
            ExprKind::Index(target, key) => {
                let target = self.eval(target, scope)?;
                let key = self.eval(key, scope)?;
                Ok(self.member(&target, &js::text(&key)))
            }
            ExprKind::Filter(name, input, arguments) => self.filter(expr.at, name, input, arguments, scope),
            ExprKind::Call(callee, arguments) => self.call(callee, arguments, scope),
            ExprKind::Or(left, right) => {
                let left = self.eval(left, scope)?;
                if js::is_true(&left) { Ok(left) } else { self.eval(right, scope) }
            }
            ExprKind::And(left, right) => {
                let left = self.eval(left, scope)?;
                if js::is_true(&left) { self.eval(right, scope) } else { Ok(left) }
            }
            ExprKind::Inline { condition, value, otherwise } => {
                if js::is_true(&self.eval(condition, scope)?) {
                    return self.eval(value, scope);
                }
                match otherwise {
                    Some(otherwise) => self.eval(otherwise, scope),
                    None => Ok(Value::from("")),
                }
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.eval(left, scope)?;
                let right = self.eval(right, scope)?;
                at(expr.at, super::operators::binary(*operator, &left, &right, &mut self.budget))
            }
            ExprKind::Unary(operator, target) => {
                let target = self.eval(target, scope)?;
                Ok(super::operators::unary(*operator, &target))
            }
            ExprKind::Is(subject, test, arguments) => {
                let subject = self.eval(subject, scope)?;
                let arguments = self.all(&arguments.positional, scope)?;
                at(expr.at, super::tests::apply(test, &subject, &arguments)).map(Value::from)
            }
            ExprKind::Capture(body) => {
                let inner = self.open(Some(scope), false);
                let mut text = String::new();
                self.nodes(body, inner, &mut text)?;
                Ok(Value::from(text))
            }
            _ => self.eval_structure(expr, scope),
        }
    }

    fn eval_structure(&mut self, expr: &'t Expr, scope: usize) -> Result<Value, Fault> {
        match &expr.kind {
            ExprKind::List(items) => {
                let items = self.all(items, scope)?;
                let list = self.list(items);
                at(expr.at, self.budget.walk(&list, 0, &mut 0))?;
                Ok(list)
            }
            ExprKind::Record(entries) => {
                let mut pairs = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    pairs.push((Value::from(key.as_ref()), self.eval(value, scope)?));
                }
                let record = Value::from_pairs(pairs);
                at(expr.at, self.budget.walk(&record, 0, &mut 0))?;
                Ok(record)
            }
            ExprKind::Group(items) => {
                let mut last = Value::UNDEFINED;
                for item in items {
                    last = self.eval(item, scope)?;
                }
                Ok(last)
            }
            ExprKind::Slice(target, parts) => {
                let target = self.eval(target, scope)?;
                let mut values = [const { Value::UNDEFINED }; 3];
                for (value, part) in values.iter_mut().zip(parts.iter()) {
                    *value = match part {
                        Some(part) => self.eval(part, scope)?,
                        None => Value::from(()),
                    };
                }
                let items = at(expr.at, super::operators::slice(&target, &values, &mut self.budget))?;
                Ok(self.list(items))
            }
            _ => Ok(Value::UNDEFINED),
        }
    }

    fn all(&mut self, exprs: &'t [Expr], scope: usize) -> Result<Vec<Value>, Fault> {
        exprs.iter().map(|expr| self.eval(expr, scope)).collect()
    }

    fn given(&mut self, arguments: &'t Arguments, scope: usize) -> Result<Given, Fault> {
        let positional = self.all(&arguments.positional, scope)?;
        let mut keyword = Vec::with_capacity(arguments.keyword.len());
        for (name, value) in &arguments.keyword {
            keyword.push((name.clone(), self.eval(value, scope)?));
        }
        Ok(Given { positional, keyword })
    }

    /// Makes a list, one that can be changed where the template needs that.
    fn list(&self, items: Vec<Value>) -> Value {
        if self.mutates { Value::from_object(List::new(items)) } else { Value::from(items) }
    }

    /// What a filter or a method made can be changed as well.
    fn own_list(&self, value: Value) -> Value {
        match value.downcast_object_ref::<Vec<Value>>() {
            Some(items) if self.mutates => Value::from_object(List::new(items.clone())),
            _ => value,
        }
    }

    fn filter(
        &mut self,
        place: At,
        name: &'t str,
        input: &'t Expr,
        arguments: &'t Arguments,
        scope: usize,
    ) -> Result<Value, Fault> {
        if !super::filters::is_known(name, self.setting.is_jinja) {
            let fault = Fault::new(place as usize, format!("there is no filter `{name}`"));
            return Err(match super::error::nearest(name, super::filters::names()) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault,
            });
        }
        let input = self.eval(input, scope)?;
        let given = self.given(arguments, scope)?;
        if matches!(js::kind(&input), Kind::Callable) {
            return Err(Fault::new(place as usize, format!("the filter `{name}` does not take a function"))
                .hint("call it: `name()`"));
        }
        let result = super::filters::apply(name, &input, given, self.setting.hosts, &mut self.budget);
        let value = result.map_err(|message| {
            Fault::new(
                place as usize,
                format!("the filter `{name}` cannot work on {}: {message}", js::kind(&input).word()),
            )
        })?;
        if super::filters::nests(name) {
            at(place, self.budget.walk(&value, 0, &mut 0))?;
        }
        Ok(self.own_list(value))
    }

    /// Reads a field, an item, or a method of a value.
    fn member(&self, target: &Value, name: &str) -> Value {
        if let Some(value) = own(target, name) {
            return value;
        }
        if let Some(Callable::Cycler(id)) = target.downcast_object_ref::<Callable>() {
            return self.cycler_member(*id, name);
        }
        match super::methods::named(target, name, self.setting.is_jinja) {
            Some(method) => Value::from_object(Callable::Method(target.clone(), method)),
            None => Value::UNDEFINED,
        }
    }

    fn cycler_member(&self, id: usize, name: &str) -> Value {
        match name {
            "next" => Value::from_object(Callable::CyclerMethod(id, true)),
            "reset" => Value::from_object(Callable::CyclerMethod(id, false)),
            "current" => {
                let current = self.cyclers.get(id).and_then(|(values, index)| values.get((*index)?).cloned());
                current.unwrap_or_else(|| Value::from(()))
            }
            _ => Value::UNDEFINED,
        }
    }

    fn call(&mut self, callee: &'t Expr, arguments: &'t Arguments, scope: usize) -> Result<Value, Fault> {
        let target = match &callee.kind {
            ExprKind::Member(target, name) => {
                let target = self.eval(target, scope)?;
                if own(&target, name).is_none()
                    && let Some(method) = super::methods::named(&target, name, self.setting.is_jinja)
                {
                    return self.method(callee.at, &target, method, arguments, scope);
                }
                self.member(&target, name)
            }
            _ => self.eval(callee, scope)?,
        };
        let Some(callable) = target.downcast_object_ref::<Callable>() else {
            let shown =
                super::operators::path(callee).map_or_else(|| "this".to_owned(), |path| format!("`{path}`"));
            let message = format!("{shown} is {} and cannot be called", js::kind(&target).word());
            return Err(Fault::new(callee.at as usize, message));
        };
        match callable {
            Callable::Macro(id) => {
                let given = self.given(arguments, scope)?;
                self.invoke(callee.at, *id, given)
            }
            Callable::Method(target, method) => self.method(callee.at, target, method, arguments, scope),
            other => {
                let given = self.given(arguments, scope)?;
                if !given.keyword.is_empty() {
                    return Err(Fault::new(callee.at as usize, "this function takes no named arguments"));
                }
                at(callee.at, self.function(other, given.positional))
            }
        }
    }

    fn method(
        &mut self,
        place: At,
        target: &Value,
        method: &'static str,
        arguments: &'t Arguments,
        scope: usize,
    ) -> Result<Value, Fault> {
        let given = self.given(arguments, scope)?;
        if !given.keyword.is_empty() {
            return Err(Fault::new(place as usize, format!("`{method}()` takes no named arguments")));
        }
        let value = at(place, super::methods::call(target, method, &given.positional, &mut self.budget))?;
        if super::methods::nests(method) {
            at(place, self.budget.walk(target, 0, &mut 0))?;
            at(place, self.budget.walk(&value, 0, &mut 0))?;
        }
        Ok(self.own_list(value))
    }

    fn function(&mut self, callable: &Callable, arguments: Vec<Value>) -> Result<Value, String> {
        use super::objects::Global;
        match callable {
            Callable::Global(Global::Range) => {
                let items = super::operators::range(&arguments, &mut self.budget)?;
                Ok(self.list(items))
            }
            Callable::Global(Global::Cycler) => {
                self.cyclers.push((arguments, None));
                Ok(Value::from_object(Callable::Cycler(self.cyclers.len() - 1)))
            }
            Callable::Global(Global::Joiner) => {
                let separator = arguments.into_iter().next().filter(js::is_true);
                self.joiners.push((separator.unwrap_or_else(|| Value::from(",")), false));
                Ok(Value::from_object(Callable::Joiner(self.joiners.len() - 1)))
            }
            Callable::Global(Global::Always) => {
                self.findings.asked_status = true;
                Ok(Value::from(true))
            }
            Callable::Global(Global::Failure) => {
                self.findings.asked_status = true;
                Ok(Value::from(self.setting.has_failed))
            }
            Callable::Joiner(id) => {
                let Some((separator, is_used)) = self.joiners.get_mut(*id) else {
                    return Ok(Value::UNDEFINED);
                };
                let was_used = std::mem::replace(is_used, true);
                Ok(if was_used { separator.clone() } else { Value::from("") })
            }
            Callable::CyclerMethod(id, is_next) => {
                let Some((values, index)) = self.cyclers.get_mut(*id) else { return Ok(Value::UNDEFINED) };
                if !*is_next || values.is_empty() {
                    *index = None;
                    return Ok(Value::UNDEFINED);
                }
                let next = index.map_or(0, |index| (index + 1) % values.len());
                *index = Some(next);
                Ok(values.get(next).cloned().unwrap_or(Value::UNDEFINED))
            }
            _ => Err("this cannot be called".to_owned()),
        }
    }

    fn macro_value(&mut self, definition: &'t Macro, scope: usize) -> Value {
        self.macros.push((definition, scope));
        Value::from_object(Callable::Macro(self.macros.len() - 1))
    }

    fn call_block(
        &mut self,
        place: At,
        callee: &'t Expr,
        arguments: &'t Arguments,
        body: &'t Macro,
        scope: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        let target = self.eval(callee, scope)?;
        let Some(Callable::Macro(id)) = target.downcast_object_ref::<Callable>() else {
            return Err(Fault::new(callee.at as usize, "`{% call %}` takes the call of a macro"));
        };
        let mut given = self.given(arguments, scope)?;
        let caller = self.macro_value(body, scope);
        given.keyword.push(("caller".into(), caller));
        let text = self.invoke(place, *id, given)?;
        self.print(&text, place, out)
    }

    /// Renders the body of a macro with its arguments.
    fn invoke(&mut self, place: At, id: usize, mut given: Given) -> Result<Value, Fault> {
        let Some(&(definition, parent)) = self.macros.get(id) else { return Ok(Value::UNDEFINED) };
        at(place, self.budget.step())?;
        let (first_scope, first_macro) = (self.scopes.len(), self.macros.len());
        let scope = self.open(Some(parent), true);
        let mut named = |name: &str| {
            let found = given.keyword.iter().position(|(known, _)| known.as_ref() == name)?;
            Some(given.keyword.swap_remove(found).1)
        };
        let mut positional = std::mem::take(&mut given.positional).into_iter();
        for name in &definition.positional {
            let value = positional.next().or_else(|| named(name)).unwrap_or(Value::UNDEFINED);
            self.bind(scope, name, value);
        }
        let mut values = Vec::with_capacity(definition.defaults.len());
        for (name, _) in &definition.defaults {
            values.push(positional.next().or_else(|| named(name)));
        }
        if let Some(caller) = named("caller") {
            self.bind(scope, "caller", caller);
        }
        for ((name, default), value) in definition.defaults.iter().zip(values) {
            let value = match value {
                Some(value) => value,
                None => self.eval(default, scope)?,
            };
            self.bind(scope, name, value);
        }
        let mut text = String::new();
        self.nodes(&definition.body, scope, &mut text)?;
        if self.macros.len() == first_macro {
            self.scopes.truncate(first_scope);
        }
        Ok(Value::from_safe_string(text))
    }
}

/// One round of a loop.
enum Round {
    One(Value),
    Two(Value, Value),
}

/// Returns what a loop with so many names goes over.
fn rounds(list: &Value, targets: usize) -> Vec<Round> {
    match js::kind(list) {
        Kind::List => js::items(list).iter().cloned().map(Round::One).collect(),
        Kind::Record if targets > 1 => {
            js::entries(list).into_iter().map(|(key, value)| Round::Two(Value::from(key), value)).collect()
        }
        // An object with a length is a list to JavaScript
        Kind::Record => {
            let length = js::field(list, "length").map_or(0.0, |length| js::to_number(&length));
            let length = if length.is_nan() { 0 } else { length.clamp(0.0, 100_001.0) as usize };
            let item = |index: usize| js::field(list, &index.to_string()).unwrap_or(Value::UNDEFINED);
            (0..length).map(|index| Round::One(item(index))).collect()
        }
        Kind::Text(text) if targets > 1 => js::units(text)
            .into_iter()
            .enumerate()
            .map(|(index, unit)| Round::Two(Value::from(index.to_string()), unit))
            .collect(),
        Kind::Text(text) | Kind::Safe(text) => js::units(text).into_iter().map(Round::One).collect(),
        _ => Vec::new(),
    }
}

/// Returns what a value has of its own under a name.
pub(super) fn own(target: &Value, name: &str) -> Option<Value> {
    match js::kind(target) {
        Kind::Record => js::field(target, name),
        Kind::List if name == "length" => Some(Value::from(js::list_len(target))),
        Kind::List => {
            let index = js::index(name)?;
            if let Some(items) = target.downcast_object_ref::<Vec<Value>>() {
                return items.get(index).cloned();
            }
            js::items(target).get(index).cloned()
        }
        Kind::Safe(text) if name == "val" => Some(Value::from(text)),
        Kind::Text(text) | Kind::Safe(text) if name == "length" => Some(Value::from(js::text_len(text))),
        Kind::Text(text) | Kind::Safe(text) => {
            let index = js::index(name).filter(|index| *index < js::text_len(text))?;
            Some(Value::from(js::cut(text, index, index + 1).as_ref()))
        }
        _ => None,
    }
}
