//! What a template says, as a tree. Places are byte offsets into the source.

use minijinja::Value;

/// Byte offset into the source.
pub(super) type At = u32;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Output(Expr),
    If {
        branches: Vec<(Expr, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    For {
        at: At,
        targets: Vec<Box<str>>,
        list: Expr,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Set {
        targets: Vec<Box<str>>,
        value: Expr,
    },
    Macro(Box<Macro>),
    /// `{% call f() %}body{% endcall %}`: the call and the body as a macro.
    Call {
        at: At,
        callee: Expr,
        arguments: Arguments,
        body: Box<Macro>,
    },
    Block(Vec<Node>),
    Switch {
        subject: Expr,
        cases: Vec<(Expr, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
}

/// Something that is called with arguments and gives text.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Box<str>,
    /// Names that are given by place.
    pub(super) positional: Vec<Box<str>>,
    /// Names with a value to fall back to.
    pub(super) defaults: Vec<(Box<str>, Expr)>,
    pub(super) body: Vec<Node>,
}

/// An expression and where it starts.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: At,
    pub(super) kind: ExprKind,
}

/// What an expression does.
#[derive(Debug)]
pub(super) enum ExprKind {
    Literal(Value),
    Name(Box<str>),
    List(Vec<Expr>),
    /// Keys and values.
    Record(Vec<(Box<str>, Expr)>),
    /// In parentheses; the last one counts.
    Group(Vec<Expr>),
    Member(Box<Expr>, Box<str>),
    Index(Box<Expr>, Box<Expr>),
    /// `x[start:stop:step]`.
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Call(Box<Expr>, Arguments),
    Filter(Box<str>, Box<Expr>, Arguments),
    /// The text of a body, for `{% filter %}` and `{% set %}`.
    Capture(Vec<Node>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `subject is test(arguments)`.
    Is(Box<Expr>, Box<str>, Arguments),
    /// `value if condition else otherwise`.
    Inline {
        condition: Box<Expr>,
        value: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
}

/// What is given in parentheses.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Expr>,
    pub(super) keyword: Vec<(Box<str>, Expr)>,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    Floor,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Concat,
    Multiply,
    Divide,
    Modulo,
    Power,
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// Visits every expression of a template, outer ones first.
pub(super) fn walk<'t>(nodes: &'t [Node], visit: &mut dyn FnMut(&'t Expr)) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Output(expr) => walk_expr(expr, visit),
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    walk_expr(condition, visit);
                    walk(body, visit);
                }
                walk(otherwise, visit);
            }
            Node::For { list, body, otherwise, .. } => {
                walk_expr(list, visit);
                walk(body, visit);
                walk(otherwise, visit);
            }
            Node::Set { value, .. } => walk_expr(value, visit),
            Node::Macro(definition) => walk_macro(definition, visit),
            Node::Call { callee, arguments, body, .. } => {
                walk_expr(callee, visit);
                walk_arguments(arguments, visit);
                walk_macro(body, visit);
            }
            Node::Block(body) => walk(body, visit),
            Node::Switch { subject, cases, otherwise } => {
                walk_expr(subject, visit);
                for (value, body) in cases {
                    walk_expr(value, visit);
                    walk(body, visit);
                }
                walk(otherwise, visit);
            }
        }
    }
}

fn walk_macro<'t>(definition: &'t Macro, visit: &mut dyn FnMut(&'t Expr)) {
    for (_, default) in &definition.defaults {
        walk_expr(default, visit);
    }
    walk(&definition.body, visit);
}

fn walk_arguments<'t>(arguments: &'t Arguments, visit: &mut dyn FnMut(&'t Expr)) {
    for value in &arguments.positional {
        walk_expr(value, visit);
    }
    for (_, value) in &arguments.keyword {
        walk_expr(value, visit);
    }
}

/// Visits an expression and those in it.
pub(super) fn walk_expr<'t>(expr: &'t Expr, visit: &mut dyn FnMut(&'t Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) => {}
        ExprKind::List(items) | ExprKind::Group(items) => {
            items.iter().for_each(|item| walk_expr(item, visit));
        }
        ExprKind::Record(entries) => entries.iter().for_each(|(_, value)| walk_expr(value, visit)),
        ExprKind::Member(target, _) | ExprKind::Unary(_, target) => walk_expr(target, visit),
        ExprKind::Index(left, right)
        | ExprKind::Binary(_, left, right)
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right) => {
            walk_expr(left, visit);
            walk_expr(right, visit);
        }
        ExprKind::Slice(target, parts) => {
            walk_expr(target, visit);
            parts.iter().flatten().for_each(|part| walk_expr(part, visit));
        }
        ExprKind::Call(target, arguments)
        | ExprKind::Filter(_, target, arguments)
        | ExprKind::Is(target, _, arguments) => {
            walk_expr(target, visit);
            walk_arguments(arguments, visit);
        }
        ExprKind::Capture(body) => walk(body, visit),
        ExprKind::Inline { condition, value, otherwise } => {
            walk_expr(condition, visit);
            walk_expr(value, visit);
            if let Some(otherwise) = otherwise {
                walk_expr(otherwise, visit);
            }
        }
    }
}
