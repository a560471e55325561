//! Reads a whole template: texts, outputs and tags.

use super::ast::{Arguments, At, Expr, ExprKind, Macro, Node};
use super::error::{Fault, nearest};
use super::expression::Parser;
use super::scan::{Code, Syntax, Token, scan, tag_name};

/// How deep tags may be nested.
const DEEPEST: usize = 40;

const TAGS: &[&str] = &["if", "for", "set", "macro", "call", "filter", "block", "switch", "raw", "verbatim"];

/// Reads a source.
pub(super) fn parse(source: &str, syntax: Syntax) -> Result<Vec<Node>, Fault> {
    let mut reader = Reader { tokens: scan(source, syntax)?.into_iter(), depth: 0 };
    let (nodes, stop) = reader.body(&[])?;
    match stop {
        None => Ok(nodes),
        Some(stop) => Err(Reader::misplaced(tag_name(stop.text), stop, &[])),
    }
}

struct Reader<'s> {
    tokens: std::vec::IntoIter<Token<'s>>,
    depth: usize,
}

type Body<'s> = (Vec<Node>, Option<Code<'s>>);

impl<'s> Reader<'s> {
    /// Reads up to one of the tags in `stops`, or to the end.
    fn body(&mut self, stops: &[&str]) -> Result<Body<'s>, Fault> {
        self.depth += 1;
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Text(text) => nodes.push(Node::Text(text.into())),
                Token::Variable(code) => nodes.push(Node::Output(Parser::new(code.text, code.at)?.whole()?)),
                Token::Block(code) => {
                    let name = tag_name(code.text);
                    if stops.contains(&name) {
                        let takes_more = matches!(name, "elif" | "elseif" | "case" | "endblock");
                        if !takes_more && !rest(code).text.is_empty() {
                            return Err(Fault::new(
                                rest(code).at,
                                format!("nothing may follow `{name}` in its tag"),
                            ));
                        }
                        self.depth -= 1;
                        return Ok((nodes, Some(code)));
                    }
                    if self.depth > DEEPEST {
                        return Err(Fault::new(code.tag, format!("tags are nested deeper than {DEEPEST}")));
                    }
                    let node = self.statement(name, code, stops)?;
                    nodes.push(node);
                }
            }
        }
        self.depth -= 1;
        Ok((nodes, None))
    }

    /// Reads up to one of the tags in `stops`, which must come.
    fn closed(&mut self, opened: Code<'s>, stops: &[&str]) -> Result<(Vec<Node>, Code<'s>), Fault> {
        let (nodes, stop) = self.body(stops)?;
        match stop {
            Some(stop) => Ok((nodes, stop)),
            None => {
                let name = tag_name(opened.text);
                let last = stops.last().copied().unwrap_or_default();
                Err(Fault::new(opened.tag, format!("`{{% {name} %}}` is never closed"))
                    .hint(format!("close it with `{{% {last} %}}`")))
            }
        }
    }

    fn misplaced(name: &str, code: Code<'s>, stops: &[&str]) -> Fault {
        let fault = Fault::new(code.tag, format!("`{{% {name} %}}` closes nothing that is open"));
        match stops.last() {
            Some(stop) => fault.hint(format!("`{{% {stop} %}}` is expected first")),
            None => fault,
        }
    }

    fn statement(&mut self, name: &str, code: Code<'s>, stops: &[&str]) -> Result<Node, Fault> {
        let head = rest(code);
        match name {
            "if" => self.condition(code, head),
            "for" => self.repetition(code, head),
            "set" => self.assignment(code, head),
            "macro" => self.definition(code, head),
            "call" => self.call(code, head),
            "filter" => self.filter(code, head),
            "block" => self.block(code, head),
            "switch" => self.switch(code, head),
            "include" | "import" | "from" | "extends" => {
                Err(Fault::new(code.tag, format!("`{{% {name} %}}` has no other files to read from"))
                    .hint("put the text into this file; templates render one file at a time"))
            }
            "else" | "elif" | "elseif" | "case" | "default" => Err(Self::misplaced(name, code, stops)),
            _ if name.starts_with("end") && TAGS.contains(&name.get(3..).unwrap_or_default()) => {
                Err(Self::misplaced(name, code, stops))
            }
            _ => Err(unknown_tag(name, code)),
        }
    }

    fn condition(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut branches = Vec::new();
        let mut head = head;
        loop {
            let condition = Parser::new(head.text, head.at)?.whole()?;
            let (body, stop) = self.closed(code, &["elif", "elseif", "else", "endif"])?;
            branches.push((condition, body));
            match tag_name(stop.text) {
                "elif" | "elseif" => head = rest(stop),
                "else" => {
                    let (otherwise, _) = self.closed(code, &["endif"])?;
                    return Ok(Node::If { branches, otherwise });
                }
                _ => return Ok(Node::If { branches, otherwise: Vec::new() }),
            }
        }
    }

    fn repetition(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let targets = parser.targets()?;
        if matches!(targets.as_slice(), [target] if target.as_ref() == "loop") {
            return Err(Fault::new(head.at, "an item cannot be named `loop`"));
        }
        if !parser.takes_name("in") {
            return Err(Fault::new(parser.at(), "`in` is expected after the names of `for`"));
        }
        let list = parser.whole()?;
        let (body, stop) = self.closed(code, &["else", "endfor"])?;
        let mut otherwise = Vec::new();
        if tag_name(stop.text) == "else" {
            otherwise = self.closed(code, &["endfor"])?.0;
        }
        Ok(Node::For { at: code.tag as At, targets, list, body, otherwise })
    }

    fn assignment(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let targets = parser.targets()?;
        if parser.takes("=") {
            return Ok(Node::Set { targets, value: parser.whole()? });
        }
        parser.end()?;
        let (body, _) = self.closed(code, &["endset"])?;
        let value = Expr { at: code.tag as At, kind: ExprKind::Capture(body) };
        Ok(Node::Set { targets, value })
    }

    fn definition(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let name = parser.name()?;
        parser.expect("(")?;
        let (positional, defaults) = parser.signature()?;
        parser.end()?;
        let (body, _) = self.closed(code, &["endmacro"])?;
        Ok(Node::Macro(Box::new(Macro { name, positional, defaults, body })))
    }

    fn call(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let (positional, defaults) =
            if parser.takes("(") { parser.signature()? } else { (Vec::new(), Vec::new()) };
        let call = parser.whole()?;
        let ExprKind::Call(callee, arguments) = call.kind else {
            return Err(Fault::new(head.at, "`{% call %}` takes the call of a macro: `{% call name() %}`"));
        };
        let (body, _) = self.closed(code, &["endcall"])?;
        let body = Macro { name: "caller".into(), positional, defaults, body };
        Ok(Node::Call { at: code.tag as At, callee: *callee, arguments, body: Box::new(body) })
    }

    fn filter(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let input = Expr { at: code.tag as At, kind: ExprKind::Literal(minijinja::Value::UNDEFINED) };
        let filter = parser.filter(input)?;
        parser.end()?;
        let (body, _) = self.closed(code, &["endfilter"])?;
        let input = Expr { at: code.tag as At, kind: ExprKind::Capture(body) };
        let (name, arguments) = match filter.kind {
            ExprKind::Filter(name, _, arguments) => (name, arguments),
            _ => (Box::default(), Arguments::default()),
        };
        Ok(Node::Output(Expr { at: filter.at, kind: ExprKind::Filter(name, Box::new(input), arguments) }))
    }

    fn block(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let mut parser = Parser::new(head.text, head.at)?;
        let name = parser.name()?;
        parser.end()?;
        let (body, stop) = self.closed(code, &["endblock"])?;
        let closing = rest(stop);
        if !closing.text.is_empty() && closing.text != name.as_ref() {
            return Err(Fault::new(closing.at, format!("the block that is open is called `{name}`")));
        }
        Ok(Node::Block(body))
    }

    fn switch(&mut self, code: Code<'s>, head: Code<'s>) -> Result<Node, Fault> {
        let subject = Parser::new(head.text, head.at)?.whole()?;
        let mut cases = Vec::new();
        let mut otherwise = Vec::new();
        let (before, mut stop) = self.closed(code, &["case", "default", "endswitch"])?;
        if before.iter().any(|node| !matches!(node, Node::Text(text) if text.trim().is_empty())) {
            return Err(Fault::new(
                code.tag,
                "only `{% case %}` or `{% default %}` may follow `{% switch %}`",
            ));
        }
        while tag_name(stop.text) == "case" {
            let head = rest(stop);
            let value = Parser::new(head.text, head.at)?.whole()?;
            let (body, next) = self.closed(code, &["case", "default", "endswitch"])?;
            cases.push((value, body));
            stop = next;
        }
        if tag_name(stop.text) == "default" {
            otherwise = self.closed(code, &["endswitch"])?.0;
        }
        Ok(Node::Switch { subject, cases, otherwise })
    }
}

/// Returns what follows the name of a tag.
fn rest(code: Code<'_>) -> Code<'_> {
    let after = code.text.get(tag_name(code.text).len()..).unwrap_or_default();
    let text = after.trim_start_matches(super::scan::is_code_space);
    Code { tag: code.tag, at: code.at + (code.text.len() - text.len()), text }
}

fn unknown_tag(name: &str, code: Code<'_>) -> Fault {
    if name.is_empty() {
        return Fault::new(code.tag, "a tag needs a name: `{% if … %}`")
            .hint("put text that is meant literally between `{% raw %}` and `{% endraw %}`");
    }
    let fault = Fault::new(code.at, format!("there is no tag `{name}`"));
    match nearest(name, TAGS.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint("put text that is meant literally between `{% raw %}` and `{% endraw %}`"),
    }
}
