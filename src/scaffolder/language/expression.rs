//! Reads the expressions of a tag.
//!
//! Nunjucks writes JavaScript out of its tree without parentheses, so that precedence is JavaScript's in places:
//! `not a == b` is `(not a) == b`, and `*`, `/`, `%` go from left to right. The tree made here says the same.

use super::ast::{Arguments, At, Binary, Expr, ExprKind, Unary};
use super::error::Fault;
use super::regex::Pattern;
use super::token::{Word, WordKind, words};
use minijinja::Value;

/// How deep expressions may be nested.
pub(super) const DEEPEST: usize = 60;
/// How many operators, filters or members may follow each other.
const LONGEST_CHAIN: usize = 120;

/// Names that would reach into the inside of JavaScript.
const RESERVED: [&str; 3] = ["constructor", "prototype", "__proto__"];

/// Reads words one after the other.
pub(super) struct Parser<'s> {
    words: Vec<Word<'s>>,
    next: usize,
    depth: usize,
}

/// Names that are given by place, and names with a value to fall back to.
type Signature = (Vec<Box<str>>, Vec<(Box<str>, Expr)>);

/// A run of `*`, `/`, `%` that goes from left to right.
type Run = (Expr, Vec<(Binary, Expr)>);

impl<'s> Parser<'s> {
    /// Starts at `code`, which begins at byte `base` of the source.
    pub(super) fn new(code: &'s str, base: usize) -> Result<Self, Fault> {
        Ok(Self { words: words(code, base)?, next: 0, depth: 0 })
    }

    /// Reads an expression that takes all of the code.
    pub(super) fn whole(mut self) -> Result<Expr, Fault> {
        let expr = self.expression()?;
        self.end()?;
        Ok(expr)
    }

    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.peek() {
            WordKind::End => Ok(()),
            WordKind::Name("if") => Err(self
                .unexpected("the end of the tag")
                .hint("put the inner `a if condition else b` into parentheses")),
            _ => Err(self.unexpected("the end of the tag")),
        }
    }

    /// Returns where the next word starts.
    pub(super) fn at(&self) -> usize {
        self.words.get(self.next).map_or(0, |word| word.at)
    }

    pub(super) fn peek(&self) -> &WordKind<'s> {
        self.words.get(self.next).map_or(&WordKind::End, |word| &word.kind)
    }

    fn peek_after(&self) -> &WordKind<'s> {
        self.words.get(self.next + 1).map_or(&WordKind::End, |word| &word.kind)
    }

    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), WordKind::Sign(found) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    pub(super) fn takes_name(&mut self, name: &str) -> bool {
        let is_it = matches!(self.peek(), WordKind::Name(found) if *found == name);
        self.next += usize::from(is_it);
        is_it
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<(), Fault> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let fault =
            Fault::new(self.at(), format!("{} stands where {wanted} is expected", self.peek().shown()));
        match self.peek() {
            WordKind::Sign("=") => fault.hint("compare with `==`"),
            _ => fault,
        }
    }

    /// Reads a plain name.
    pub(super) fn name(&mut self) -> Result<Box<str>, Fault> {
        let &WordKind::Name(name) = self.peek() else {
            return Err(self.unexpected("a name"));
        };
        if RESERVED.contains(&name) {
            return Err(Fault::new(self.at(), format!("the name `{name}` is reserved")));
        }
        self.next += 1;
        Ok(name.into())
    }

    /// Reads `a, b`.
    pub(super) fn targets(&mut self) -> Result<Vec<Box<str>>, Fault> {
        let mut targets = Vec::new();
        loop {
            if matches!(self.peek(), WordKind::Name("true" | "false" | "null" | "none")) {
                return Err(self.unexpected("a name"));
            }
            targets.push(self.name()?);
            if !self.takes(",") {
                return Ok(targets);
            }
        }
    }

    /// Reads the names of a macro after `(`, up to `)`.
    pub(super) fn signature(&mut self) -> Result<Signature, Fault> {
        let mut positional = Vec::new();
        let mut defaults = Vec::new();
        if self.takes(")") {
            return Ok((positional, defaults));
        }
        loop {
            let name = self.name()?;
            if self.takes("=") {
                defaults.push((name, self.expression()?));
            } else {
                positional.push(name);
            }
            if !self.takes(",") {
                self.expect(")")?;
                return Ok((positional, defaults));
            }
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::new(self.at(), format!("expressions are nested deeper than {DEEPEST}")));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn linked(&self, links: &mut usize) -> Result<(), Fault> {
        *links += 1;
        if *links > LONGEST_CHAIN {
            return Err(Fault::new(
                self.at(),
                format!("more than {LONGEST_CHAIN} operators follow each other"),
            )
            .hint("split the expression with `{% set %}`"));
        }
        Ok(())
    }

    /// Reads one expression.
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.deeper(Self::inline_if)
    }

    fn inline_if(&mut self) -> Result<Expr, Fault> {
        let value = self.or()?;
        if !self.takes_name("if") {
            return Ok(value);
        }
        let condition = Box::new(self.or()?);
        let otherwise = if self.takes_name("else") { Some(Box::new(self.or()?)) } else { None };
        let at = value.at;
        Ok(Expr { at, kind: ExprKind::Inline { condition, value: Box::new(value), otherwise } })
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        let mut links = 0;
        while self.takes_name("or") {
            self.linked(&mut links)?;
            let right = self.and()?;
            left = Expr { at: left.at, kind: ExprKind::Or(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        let mut links = 0;
        while self.takes_name("and") {
            self.linked(&mut links)?;
            let right = self.not()?;
            left = Expr { at: left.at, kind: ExprKind::And(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        let at = self.at() as At;
        if self.takes_name("not") {
            let target = self.deeper(Self::not)?;
            return Ok(negate(target, at));
        }
        self.membership()
    }

    fn membership(&mut self) -> Result<Expr, Fault> {
        let mut left = self.test()?;
        let mut links = 0;
        loop {
            let negated =
                matches!((self.peek(), self.peek_after()), (WordKind::Name("not"), WordKind::Name("in")));
            if negated {
                self.next += 2;
            } else if !self.takes_name("in") {
                return Ok(left);
            }
            self.linked(&mut links)?;
            let right = self.test()?;
            let at = left.at;
            left = binary(Binary::In, left, right);
            if negated {
                left = Expr { at, kind: ExprKind::Unary(Unary::Not, Box::new(left)) };
            }
        }
    }

    fn test(&mut self) -> Result<Expr, Fault> {
        let left = self.equality()?;
        if !self.takes_name("is") {
            return Ok(left);
        }
        let negated = self.takes_name("not");
        let at = self.at() as At;
        let (name, arguments) = self.test_name()?;
        let test = Expr { at, kind: ExprKind::Is(Box::new(left), name, arguments) };
        Ok(if negated { Expr { at, kind: ExprKind::Unary(Unary::Not, Box::new(test)) } } else { test })
    }

    fn test_name(&mut self) -> Result<(Box<str>, Arguments), Fault> {
        let right = self.equality()?;
        match right.kind {
            ExprKind::Name(name) => Ok((name, Arguments::default())),
            ExprKind::Literal(value) => Ok((super::js::text(&value).into(), Arguments::default())),
            ExprKind::Call(callee, arguments) if matches!(callee.kind, ExprKind::Name(_)) => {
                match callee.kind {
                    ExprKind::Name(name) => Ok((name, arguments)),
                    _ => Ok(("undefined".into(), arguments)),
                }
            }
            // `x is string == y` reads the comparison as the test; Nunjucks then asks for `undefined`
            _ => Ok(("undefined".into(), Arguments::default())),
        }
    }

    fn equality(&mut self) -> Result<Expr, Fault> {
        let mut left = self.relation()?;
        let mut links = 0;
        loop {
            let operator = match self.peek() {
                WordKind::Sign("==") => Binary::Equal,
                WordKind::Sign("!=") => Binary::NotEqual,
                WordKind::Sign("===") => Binary::Same,
                WordKind::Sign("!==") => Binary::NotSame,
                _ => return Ok(left),
            };
            self.next += 1;
            self.linked(&mut links)?;
            left = binary(operator, left, self.relation()?);
        }
    }

    fn relation(&mut self) -> Result<Expr, Fault> {
        let mut left = self.sum()?;
        let mut links = 0;
        loop {
            let operator = match self.peek() {
                WordKind::Sign("<") => Binary::Less,
                WordKind::Sign("<=") => Binary::LessOrEqual,
                WordKind::Sign(">") => Binary::Greater,
                WordKind::Sign(">=") => Binary::GreaterOrEqual,
                _ => return Ok(left),
            };
            self.next += 1;
            self.linked(&mut links)?;
            left = binary(operator, left, self.sum()?);
        }
    }

    fn sum(&mut self) -> Result<Expr, Fault> {
        let mut left = self.product()?;
        let mut links = 0;
        loop {
            let operator = match self.peek() {
                WordKind::Sign("+") => Binary::Add,
                WordKind::Sign("-") => Binary::Subtract,
                WordKind::Sign("~") => Binary::Concat,
                _ => return Ok(left),
            };
            self.next += 1;
            self.linked(&mut links)?;
            left = binary(operator, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr, Fault> {
        let mut run = self.quotient()?;
        while self.takes("*") {
            let (first, rest) = self.quotient()?;
            run.1.push((Binary::Multiply, first));
            run.1.extend(rest);
            self.linked(&mut run.1.len().clone())?;
        }
        Ok(left_to_right(run))
    }

    fn quotient(&mut self) -> Result<Run, Fault> {
        let mut run = self.floor()?;
        while self.takes("/") {
            let (first, rest) = self.floor()?;
            run.1.push((Binary::Divide, first));
            run.1.extend(rest);
            self.linked(&mut run.1.len().clone())?;
        }
        Ok(run)
    }

    fn floor(&mut self) -> Result<Run, Fault> {
        let mut run = self.modulo()?;
        let mut links = 0;
        while self.takes("//") {
            self.linked(&mut links)?;
            let (first, rest) = self.modulo()?;
            run.1.push((Binary::Divide, first));
            run.1.extend(rest);
            let target = left_to_right(run);
            let at = target.at;
            run = (Expr { at, kind: ExprKind::Unary(Unary::Floor, Box::new(target)) }, Vec::new());
        }
        Ok(run)
    }

    fn modulo(&mut self) -> Result<Run, Fault> {
        let mut run = (self.power()?, Vec::new());
        while self.takes("%") {
            let right = self.power()?;
            run.1.push((Binary::Modulo, right));
            self.linked(&mut run.1.len().clone())?;
        }
        Ok(run)
    }

    fn power(&mut self) -> Result<Expr, Fault> {
        let mut left = self.filters()?;
        let mut links = 0;
        while self.takes("**") {
            self.linked(&mut links)?;
            left = binary(Binary::Power, left, self.filters()?);
        }
        Ok(left)
    }

    fn filters(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.unary()?;
        let mut links = 0;
        while self.takes("|") {
            self.linked(&mut links)?;
            expr = self.filter(expr)?;
        }
        Ok(expr)
    }

    /// Reads the name and the arguments of a filter.
    pub(super) fn filter(&mut self, input: Expr) -> Result<Expr, Fault> {
        let at = self.at() as At;
        if matches!(self.peek(), WordKind::Sign("|")) {
            return Err(
                Fault::new(self.at(), "`||` is not an operator of the template language").hint("write `or`")
            );
        }
        let mut name = self.name()?.into_string();
        while self.takes(".") {
            name.push('.');
            name.push_str(&self.name()?);
        }
        let arguments = if self.takes("(") { self.arguments()? } else { Arguments::default() };
        Ok(Expr { at, kind: ExprKind::Filter(name.into(), Box::new(input), arguments) })
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let at = self.at() as At;
        let operator = if self.takes("-") {
            Unary::Minus
        } else if self.takes("+") {
            Unary::Plus
        } else {
            return self.postfix();
        };
        let target = self.deeper(Self::unary)?;
        if matches!(target.kind, ExprKind::Unary(inner, _) if inner == operator) {
            return Err(Fault::new(at as usize, "the same sign stands twice").hint("use parentheses"));
        }
        Ok(Expr { at, kind: ExprKind::Unary(operator, Box::new(target)) })
    }

    fn postfix(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        let mut links = 0;
        loop {
            self.linked(&mut links)?;
            let at = expr.at;
            if self.takes(".") {
                let at = self.at() as At;
                let name = self.name()?;
                expr = Expr { at, kind: ExprKind::Member(Box::new(expr), name) };
            } else if self.takes("[") {
                expr = self.deeper(|parser| parser.subscript(expr))?;
            } else if self.takes("(") {
                let arguments = self.deeper(Self::arguments)?;
                expr = Expr { at, kind: ExprKind::Call(Box::new(expr), arguments) };
            } else {
                return Ok(expr);
            }
        }
    }

    fn subscript(&mut self, target: Expr) -> Result<Expr, Fault> {
        let at = self.at() as At;
        let is_end = |parser: &Self| matches!(parser.peek(), WordKind::Sign(":" | "]"));
        let mut parts = [None, None, None];
        let mut count = 0;
        for part in &mut parts {
            count += 1;
            if !is_end(self) {
                *part = Some(self.inline_if()?);
            }
            if !self.takes(":") {
                break;
            }
        }
        self.expect("]")?;
        if count > 1 {
            return Ok(Expr { at, kind: ExprKind::Slice(Box::new(target), Box::new(parts)) });
        }
        let [Some(key), _, _] = parts else {
            return Err(Fault::new(at as usize, "nothing stands between the brackets"));
        };
        if let ExprKind::Literal(value) = &key.kind
            && let Some(name) = value.as_str()
        {
            if RESERVED.contains(&name) {
                return Err(Fault::new(at as usize, format!("the name `{name}` is reserved")));
            }
            return Ok(Expr { at, kind: ExprKind::Member(Box::new(target), name.into()) });
        }
        Ok(Expr { at, kind: ExprKind::Index(Box::new(target), Box::new(key)) })
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.at() as At;
        let kind = match self.peek().clone() {
            WordKind::Number(number) => ExprKind::Literal(super::js::number(number)),
            WordKind::Text(text) => ExprKind::Literal(Value::from(text.as_ref())),
            WordKind::Pattern(source, flags) => {
                let pattern = Pattern::new(source, flags);
                let pattern = pattern
                    .map_err(|error| Fault::new(at as usize, format!("bad regular expression: {error}")));
                ExprKind::Literal(Value::from_object(pattern?))
            }
            WordKind::Name("true") => ExprKind::Literal(Value::from(true)),
            WordKind::Name("false") => ExprKind::Literal(Value::from(false)),
            WordKind::Name("none" | "null") => ExprKind::Literal(Value::from(())),
            WordKind::Name(_) => return Ok(Expr { at, kind: ExprKind::Name(self.name()?) }),
            WordKind::Sign(sign @ ("(" | "[" | "{")) => {
                self.next += 1;
                return self.deeper(|parser| parser.enclosed(sign, at));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        Ok(Expr { at, kind })
    }

    /// Reads what an opening bracket started.
    fn enclosed(&mut self, sign: &str, at: At) -> Result<Expr, Fault> {
        let kind = match sign {
            "(" => ExprKind::Group(self.list(")")?),
            "[" => ExprKind::List(self.list("]")?),
            _ => ExprKind::Record(self.record()?),
        };
        if matches!(&kind, ExprKind::Group(items) if items.is_empty()) {
            return Err(Fault::new(at as usize, "nothing stands between the parentheses"));
        }
        Ok(Expr { at, kind })
    }

    fn list(&mut self, close: &'static str) -> Result<Vec<Expr>, Fault> {
        let mut items = Vec::new();
        if self.takes(close) {
            return Ok(items);
        }
        loop {
            items.push(self.inline_if()?);
            if !self.takes(",") {
                self.expect(close)?;
                return Ok(items);
            }
        }
    }

    fn record(&mut self) -> Result<Vec<(Box<str>, Expr)>, Fault> {
        let mut entries = Vec::new();
        if self.takes("}") {
            return Ok(entries);
        }
        loop {
            let key: Box<str> = match self.peek().clone() {
                WordKind::Text(text) => {
                    self.next += 1;
                    text.into()
                }
                WordKind::Name("true" | "false" | "null" | "none") => return Err(self.unexpected("a key")),
                WordKind::Name(_) => self.name()?,
                _ => return Err(self.unexpected("a key")),
            };
            if RESERVED.contains(&key.as_ref()) {
                return Err(Fault::new(self.at(), format!("the name `{key}` is reserved")));
            }
            self.expect(":")?;
            entries.push((key, self.inline_if()?));
            if !self.takes(",") {
                self.expect("}")?;
                return Ok(entries);
            }
        }
    }

    fn arguments(&mut self) -> Result<Arguments, Fault> {
        let mut arguments = Arguments::default();
        if self.takes(")") {
            return Ok(arguments);
        }
        loop {
            if matches!((self.peek(), self.peek_after()), (WordKind::Name(_), WordKind::Sign("="))) {
                let name = self.name()?;
                self.expect("=")?;
                arguments.keyword.push((name, self.expression()?));
            } else {
                arguments.positional.push(self.expression()?);
            }
            if !self.takes(",") {
                self.expect(")")?;
                return Ok(arguments);
            }
        }
    }
}

fn binary(operator: Binary, left: Expr, right: Expr) -> Expr {
    Expr { at: left.at, kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)) }
}

fn left_to_right((first, rest): Run) -> Expr {
    rest.into_iter().fold(first, |left, (operator, right)| binary(operator, left, right))
}

/// `not` binds to the leftmost operand of arithmetic and comparisons.
fn negate(target: Expr, at: At) -> Expr {
    match target.kind {
        ExprKind::Binary(operator, left, right) if !matches!(operator, Binary::Power | Binary::In) => {
            Expr { at, kind: ExprKind::Binary(operator, Box::new(negate(*left, at)), right) }
        }
        kind => {
            let target = Expr { at: target.at, kind };
            Expr { at, kind: ExprKind::Unary(Unary::Not, Box::new(target)) }
        }
    }
}
