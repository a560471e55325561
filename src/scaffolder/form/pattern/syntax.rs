//! The grammar of JavaScript's patterns, as a tree, and the same pattern for the engine we have.
//!
//! Follows ECMAScript's pattern grammar with the leniency browsers have without the `u` flag: a brace or
//! bracket that opens nothing stands for itself.

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// One of a set of characters.
    Set(Set),
    /// A class by property, `\p{Lu}`, as the engine writes it.
    Property(String),
    /// The start of the text.
    Start,
    /// The end of the text.
    End,
    /// `\b` or `\B`.
    Boundary(bool),
    /// One after the other.
    All(Vec<Node>),
    /// One of several.
    Any(Vec<Node>),
    /// Some times; no upper bound when `None`.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, is_lazy: bool },
    /// Parentheses that remember.
    Group { name: Option<String>, node: Box<Node> },
    /// Something that has to follow or precede, or must not.
    Look { open: &'static str, node: Box<Node> },
    /// What a group matched.
    Back(String),
}

/// A set of characters as ranges, sorted, without overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Set(pub Vec<(char, char)>);

/// What `\s` means in JavaScript.
const SPACES: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];
const DIGITS: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const LINE_ENDS: &[(char, char)] = &[('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')];

impl Set {
    /// A set of ranges in any order.
    pub fn new(mut ranges: Vec<(char, char)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(char, char)> = Vec::new();
        for (low, high) in ranges {
            match merged.last_mut() {
                Some(last) if u32::from(low) <= u32::from(last.1) + 1 => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    fn one(c: char) -> Self {
        Self(vec![(c, c)])
    }

    fn inverse(&self) -> Self {
        let mut out = Vec::new();
        let mut next = '\0';
        for (low, high) in &self.0 {
            if let Some(before) = before(*low).filter(|before| *before >= next) {
                out.push((next, before));
            }
            match after(*high) {
                Some(after) => next = after,
                None => return Self(out),
            }
        }
        out.push((next, char::MAX));
        Self(out)
    }

    /// Returns whether a character is in it.
    pub fn contains(&self, c: char) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&c))
    }

    /// Returns whether another set lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(low, high)| self.0.iter().any(|(from, to)| from <= low && high <= to))
    }

    /// Returns the only character of it.
    pub fn single(&self) -> Option<char> {
        match self.0.as_slice() {
            [(low, high)] if low == high => Some(*low),
            _ => None,
        }
    }

    /// Both together.
    pub fn with(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).copied().collect())
    }
}

fn before(c: char) -> Option<char> {
    (u32::from(c) > 0).then(|| char::from_u32(u32::from(c) - 1).unwrap_or('\u{d7ff}'))
}

fn after(c: char) -> Option<char> {
    (c < char::MAX).then(|| char::from_u32(u32::from(c) + 1).unwrap_or('\u{e000}'))
}

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 50;

/// Parses a pattern; `None` when it is none.
pub fn parse(source: &str) -> Option<Node> {
    let mut parser = Parser { chars: source.chars().collect(), at: 0, depth: 0 };
    let node = parser.alternatives()?;
    (parser.at == parser.chars.len()).then_some(node)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let matches = text.chars().zip(self.at..).all(|(c, at)| self.chars.get(at) == Some(&c));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    fn alternatives(&mut self) -> Option<Node> {
        let mut all = vec![self.sequence()?];
        while self.eat("|") {
            all.push(self.sequence()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Node::Any(all)) }
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut all = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            let atom = self.atom()?;
            all.push(self.repeated(atom)?);
        }
        if all.len() == 1 { all.pop() } else { Some(Node::All(all)) }
    }

    fn repeated(&mut self, node: Node) -> Option<Node> {
        let sign = match self.peek() {
            Some('*') => Some((0, None)),
            Some('+') => Some((1, None)),
            Some('?') => Some((0, Some(1))),
            _ => None,
        };
        let (min, max) = match sign {
            Some(bounds) => {
                self.at += 1;
                bounds
            }
            None if self.peek() == Some('{') => match self.braces() {
                Some(bounds) => bounds,
                None => return Some(node),
            },
            None => return Some(node),
        };
        if matches!(node, Node::Start | Node::End | Node::Boundary(_)) || max.is_some_and(|max| max < min) {
            return None;
        }
        let is_lazy = self.eat("?");
        Some(Node::Repeat { node: Box::new(node), min, max, is_lazy })
    }

    /// Reads `{2}`, `{2,}`, `{2,5}`; nothing is read when it is none.
    fn braces(&mut self) -> Option<(u32, Option<u32>)> {
        let rest = self.chars.get(self.at + 1..)?;
        let end = rest.iter().take(16).position(|c| *c == '}')?;
        let text: String = rest.get(..end)?.iter().collect();
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let bounds = match text.split_once(',') {
            None => number(&text).map(|n| (n, Some(n)))?,
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        self.at += end + 2;
        Some(bounds)
    }

    fn atom(&mut self) -> Option<Node> {
        match self.next()? {
            '^' => Some(Node::Start),
            '$' => Some(Node::End),
            '.' => Some(Node::Set(Set(LINE_ENDS.to_vec()).inverse())),
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escape(),
            '*' | '+' | '?' => None,
            c => Some(Node::Set(Set::one(c))),
        }
    }

    fn group(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let look = ["?=", "?!", "?<=", "?<!"].into_iter().find(|open| self.eat(open));
        let mut name = None;
        let is_plain = look.is_none() && self.eat("?:");
        if look.is_none() && !is_plain && self.eat("?<") {
            name = Some(self.name()?);
        }
        let node = Box::new(self.alternatives()?);
        self.depth -= 1;
        if !self.eat(")") {
            return None;
        }
        Some(match look {
            Some(open) => Node::Look { open, node },
            None if is_plain => Node::All(vec![*node]),
            None => Node::Group { name, node },
        })
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            match self.next()? {
                '>' => return (!name.is_empty()).then_some(name),
                c if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<Node> {
        let c = self.peek()?;
        match c {
            'b' | 'B' => {
                self.at += 1;
                Some(Node::Boundary(c == 'b'))
            }
            '1'..='9' => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                Some(Node::Back(self.chars.get(start..self.at)?.iter().collect()))
            }
            'k' if self.chars.get(self.at + 1) == Some(&'<') => {
                self.at += 2;
                self.name().map(Node::Back)
            }
            'p' | 'P' => self.property().map(Node::Property),
            _ => self.set_escape().map(Node::Set),
        }
    }

    /// Reads `p{…}` or `P{…}`.
    fn property(&mut self) -> Option<String> {
        let letter = self.next()?;
        if !self.eat("{") {
            return None;
        }
        let mut name = String::new();
        loop {
            match self.next()? {
                '}' => return Some(format!("\\{letter}{{{name}}}")),
                c if c.is_ascii_alphanumeric() || matches!(c, '_' | '=') => name.push(c),
                _ => return None,
            }
        }
    }

    /// Reads what stands behind a backslash and means a set of characters.
    fn set_escape(&mut self) -> Option<Set> {
        let c = self.next()?;
        let set = |ranges: &[(char, char)]| Set(ranges.to_vec());
        Some(match c {
            'd' => set(DIGITS),
            'D' => set(DIGITS).inverse(),
            'w' => set(WORD),
            'W' => set(WORD).inverse(),
            's' => set(SPACES),
            'S' => set(SPACES).inverse(),
            't' => Set::one('\t'),
            'n' => Set::one('\n'),
            'r' => Set::one('\r'),
            'v' => Set::one('\u{b}'),
            'f' => Set::one('\u{c}'),
            '0' => Set::one('\0'),
            'c' => {
                let letter = self.next().filter(char::is_ascii_alphabetic)?;
                Set::one(char::from(letter as u8 % 32))
            }
            'x' => Set::one(self.hex(2).unwrap_or('x')),
            'u' if self.peek() == Some('{') => Set::one(self.braced_code()?),
            'u' => Set::one(self.code_unit().unwrap_or('u')),
            c => Set::one(c),
        })
    }

    fn braced_code(&mut self) -> Option<char> {
        let rest = self.chars.get(self.at + 1..)?;
        let end = rest.iter().take(8).position(|c| *c == '}')?;
        let text: String = rest.get(..end)?.iter().collect();
        self.at += end + 2;
        char::from_u32(u32::from_str_radix(&text, 16).ok()?)
    }

    /// Reads four hexadecimal digits, or two such units that make one character.
    fn code_unit(&mut self) -> Option<char> {
        let first = self.hex_number(4)?;
        if (0xd800..0xdc00).contains(&first) && self.eat("\\u") {
            let second = self.hex_number(4)?.checked_sub(0xdc00)?;
            return char::from_u32(0x10000 + ((first - 0xd800) << 10) + second);
        }
        char::from_u32(first)
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        self.hex_number(digits).and_then(char::from_u32)
    }

    fn hex_number(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.chars.get(self.at..self.at + digits)?.iter().collect();
        let number = u32::from_str_radix(&text, 16).ok()?;
        self.at += digits;
        Some(number)
    }

    fn class(&mut self) -> Option<Node> {
        let is_negated = self.eat("^");
        let mut ranges = Vec::new();
        let mut properties = String::new();
        while !self.eat("]") {
            let low = self.class_item(&mut properties)?;
            let dash_to = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            let Some(from) = low.as_ref().and_then(Set::single).filter(|_| dash_to) else {
                ranges.extend(low.unwrap_or_default().0);
                continue;
            };
            self.at += 1;
            let high = self.class_item(&mut properties)?.unwrap_or_default();
            match high.single() {
                Some(to) if from <= to => ranges.push((from, to)),
                Some(_) => return None,
                None => {
                    ranges.extend([(from, from), ('-', '-')]);
                    ranges.extend(high.0);
                }
            }
        }
        let set = Set::new(ranges);
        if properties.is_empty() {
            return Some(Node::Set(if is_negated { set.inverse() } else { set }));
        }
        let sign = if is_negated { "^" } else { "" };
        Some(Node::Property(format!("[{sign}{properties}{}]", ranges_text(&set))))
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is whether it parses, the inner one whether it is a set"
    )]
    fn class_item(&mut self, properties: &mut String) -> Option<Option<Set>> {
        match self.next()? {
            '\\' => match self.peek()? {
                'b' => {
                    self.at += 1;
                    Some(Some(Set::one('\u{8}')))
                }
                'p' | 'P' => {
                    properties.push_str(&self.property()?);
                    Some(None)
                }
                _ => self.set_escape().map(Some),
            },
            c => Some(Some(Set::one(c))),
        }
    }
}

fn ranges_text(set: &Set) -> String {
    let code = |c: char| format!("\\x{{{:x}}}", u32::from(c));
    set.0.iter().map(|(low, high)| format!("{}-{}", code(*low), code(*high))).collect()
}

impl Node {
    /// Writes the pattern for the engine we have.
    pub fn translated(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            // nothing is in it: `[]`
            Self::Set(Set(ranges)) if ranges.is_empty() => out.push_str(r"[^\x{0}-\x{10ffff}]"),
            Self::Set(set) => match set.single() {
                Some(c) if c.is_ascii_alphanumeric() => out.push(c),
                _ => out.push_str(&format!("[{}]", ranges_text(set))),
            },
            Self::Property(text) => out.push_str(text),
            Self::Start => out.push_str(r"\A"),
            Self::End => out.push_str(r"\z"),
            Self::Boundary(is_one) => out.push_str(if *is_one { r"\b" } else { r"\B" }),
            Self::All(nodes) => {
                out.push_str("(?:");
                nodes.iter().for_each(|node| node.write(out));
                out.push(')');
            }
            Self::Any(nodes) => {
                out.push_str("(?:");
                for (node, at) in nodes.iter().zip(0..) {
                    if at > 0 {
                        out.push('|');
                    }
                    node.write(out);
                }
                out.push(')');
            }
            Self::Repeat { node, min, max, is_lazy } => {
                out.push_str("(?:");
                node.write(out);
                let max = max.map_or_else(String::new, |max| max.to_string());
                out.push_str(&format!("){{{min},{max}}}{}", if *is_lazy { "?" } else { "" }));
            }
            Self::Group { name, node } => {
                out.push_str(&name.as_ref().map_or_else(|| "(".into(), |name| format!("(?<{name}>")));
                node.write(out);
                out.push(')');
            }
            Self::Look { open, node } => {
                out.push('(');
                out.push_str(open);
                node.write(out);
                out.push(')');
            }
            Self::Back(name) => match name.parse::<u32>() {
                Ok(number) => out.push_str(&format!("(?:\\{number})")),
                Err(_) => out.push_str(&format!("\\k<{name}>")),
            },
        }
    }
}
