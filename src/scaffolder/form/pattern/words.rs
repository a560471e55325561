//! A pattern in words: the form of a number plate, the characters that are allowed, texts that match.

use super::syntax::{Node, Set};

/// What is said of a pattern; everything is absent for one that is too clever for words.
#[derive(Debug, Default)]
pub struct Words {
    shape: Shape,
    tree: Option<Node>,
    lengths: (usize, Option<usize>),
}

#[derive(Debug, Default)]
enum Shape {
    /// Nothing short can be said.
    #[default]
    Other,
    /// Every place has its kind of character: `NN-NNNN`.
    Form(String),
    /// Whole words to choose from.
    OneOf(Vec<String>),
    /// Which characters, and which of them first and last.
    Made { all: Set, first: Option<Set>, last: Option<Set> },
}

/// Longest form that is drawn, in characters.
const MAX_FORM: usize = 24;
/// Most words that are listed.
const MAX_WORDS: usize = 12;
/// Longest example.
const MAX_EXAMPLE: usize = 80;

impl Words {
    /// Puts a pattern in words.
    pub fn of(tree: &Node) -> Self {
        let lengths = if is_clever(tree) { (0, None) } else { lengths(tree) };
        let Some(body) = anchored(tree).filter(|body| !is_clever(*body)) else {
            return Self { shape: Shape::Other, tree: Some(tree.clone()), lengths: (0, None) };
        };
        let shape =
            form(body).map(Shape::Form).or_else(|| one_of(body).map(Shape::OneOf)).or_else(|| made(body));
        Self { shape: shape.unwrap_or_default(), tree: Some(tree.clone()), lengths }
    }

    /// Returns what it wants, for a sentence that begins with "needs".
    pub fn rule(&self) -> Option<String> {
        match &self.shape {
            Shape::Other => None,
            Shape::Form(form) => Some(format!("the form {form}")),
            Shape::OneOf(words) => Some(format!(
                "one of {}",
                words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
            )),
            Shape::Made { all, first, last } => {
                let mut rule = several(all)?;
                if let Some(first) = first.as_ref().and_then(one) {
                    rule.push_str(&format!(", beginning with {first}"));
                }
                if let Some(last) = last.as_ref().and_then(one) {
                    rule.push_str(&format!(", ending in {last}"));
                }
                Some(rule)
            }
        }
    }

    /// Says what is wrong with a text, where that is more than the rule.
    pub fn fault(&self, text: &str) -> Option<String> {
        let Shape::Made { all, first, last } = &self.shape else { return None };
        if let Some(c) = text.chars().find(|c| !all.contains(*c)) {
            let c = if c == ' ' {
                "a space".to_owned()
            } else {
                format!("`{}`", crate::model::text::clean(&c.to_string()))
            };
            return Some(format!("{c} is not allowed, only {}", several(all)?));
        }
        let wrong = |set: &Option<Set>, c: Option<char>| {
            set.as_ref().filter(|set| c.is_some_and(|c| !set.contains(c))).and_then(one)
        };
        if let Some(first) = wrong(first, text.chars().next()) {
            return Some(format!("must begin with {first}"));
        }
        if let Some(last) = wrong(last, text.chars().next_back()) {
            return Some(format!("must end in {last}"));
        }
        None
    }

    /// Returns fewest and most characters.
    pub fn lengths(&self) -> (usize, Option<usize>) {
        self.lengths
    }

    /// Returns texts that may match, the nicest first.
    pub fn examples(&self) -> impl Iterator<Item = String> {
        const TIMES: [u32; 7] = [3, 1, 2, 5, 8, 12, 24];
        TIMES.into_iter().filter_map(|times| {
            let mut maker = Maker { times, digits: 0, letters: 0, text: String::new() };
            maker.make(self.tree.as_ref()?);
            Some(maker.text)
        })
    }
}

/// Returns what stands between the start and the end of the text.
fn anchored(tree: &Node) -> Option<&[Node]> {
    match tree {
        Node::All(nodes) => match nodes.as_slice() {
            [Node::Start, body @ .., Node::End] => Some(body),
            _ => None,
        },
        Node::Group { node, .. } => anchored(node),
        _ => None,
    }
}

/// Whether a pattern looks around or back, or has anchors inside.
fn is_clever(node: &(impl Nodes + ?Sized)) -> bool {
    node.any(&|node| {
        matches!(node, Node::Look { .. } | Node::Back(_) | Node::Boundary(_) | Node::Property(_))
    })
}

/// One node or several.
trait Nodes {
    fn any(&self, test: &dyn Fn(&Node) -> bool) -> bool;
}

impl Nodes for [Node] {
    fn any(&self, test: &dyn Fn(&Node) -> bool) -> bool {
        // anchors inside of the body
        self.iter().any(|node| matches!(node, Node::Start | Node::End) || node.any(test))
    }
}

impl Nodes for Node {
    fn any(&self, test: &dyn Fn(&Node) -> bool) -> bool {
        test(self)
            || match self {
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().any(|node| node.any(test)),
                Node::Repeat { node, .. } | Node::Group { node, .. } | Node::Look { node, .. } => {
                    node.any(test)
                }
                _ => false,
            }
    }
}

/// Every place a letter for its kind; only when the length is fixed and short.
fn form(body: &[Node]) -> Option<String> {
    let mut form = String::new();
    let mut has_set = false;
    for node in body {
        push_form(node, &mut form, &mut has_set)?;
    }
    (has_set && form.contains(['N', 'A', 'a'])).then_some(form)
}

fn push_form(node: &Node, form: &mut String, has_set: &mut bool) -> Option<()> {
    if form.len() > MAX_FORM {
        return None;
    }
    match node {
        Node::Set(set) => {
            if let Some(c) = set.single() {
                // a letter of the form would be read as a kind
                (!c.is_ascii_alphabetic() && !c.is_control()).then(|| form.push(c))?;
            } else {
                *has_set = true;
                form.push(kind(set)?);
            }
            Some(())
        }
        Node::All(nodes) => nodes.iter().try_for_each(|node| push_form(node, form, has_set)),
        Node::Group { node, .. } => push_form(node, form, has_set),
        Node::Repeat { node, min, max, .. } if Some(*min) == *max => {
            (0..*min).try_for_each(|_| push_form(node, form, has_set))
        }
        _ => None,
    }
}

fn kind(set: &Set) -> Option<char> {
    match set.0.as_slice() {
        [('0', '9')] => Some('N'),
        [('A', 'Z')] => Some('A'),
        [('a', 'z')] => Some('a'),
        _ => None,
    }
}

/// The words of an alternative of plain words.
fn one_of(body: &[Node]) -> Option<Vec<String>> {
    let [node] = body else { return None };
    let node = if let Node::Group { node, .. } = node { node } else { node };
    let node = match node {
        Node::All(nodes) => nodes.first().filter(|_| nodes.len() == 1)?,
        node => node,
    };
    let Node::Any(words) = node else { return None };
    if words.len() > MAX_WORDS {
        return None;
    }
    words.iter().map(literal).collect()
}

fn literal(node: &Node) -> Option<String> {
    match node {
        Node::Set(set) => set.single().map(String::from),
        Node::All(nodes) => nodes.iter().map(literal).collect(),
        _ => None,
    }
}

fn made(body: &[Node]) -> Option<Shape> {
    let all = alphabet(body)?;
    let first = edge(body, false).filter(|first| !first.covers(&all));
    let last = edge(body, true).filter(|last| !last.covers(&all));
    // words of many fixed letters are no alphabet
    several(&all).map(|_| Shape::Made { all, first, last })
}

/// All characters that can occur.
fn alphabet(nodes: &[Node]) -> Option<Set> {
    let mut all = Set::default();
    for node in nodes {
        let of = match node {
            Node::Set(set) => set.clone(),
            Node::All(nodes) | Node::Any(nodes) => alphabet(nodes)?,
            Node::Repeat { node, .. } | Node::Group { node, .. } => alphabet(std::slice::from_ref(node))?,
            _ => return None,
        };
        all = all.with(&of);
    }
    Some(all)
}

/// The characters that can stand first, or last.
fn edge(nodes: &[Node], from_end: bool) -> Option<Set> {
    let mut set = Set::default();
    let mut order: Vec<&Node> = nodes.iter().collect();
    if from_end {
        order.reverse();
    }
    for node in order {
        let (of, may_be_empty) = node_edge(node, from_end)?;
        set = set.with(&of);
        if !may_be_empty {
            return Some(set);
        }
    }
    Some(set)
}

fn node_edge(node: &Node, from_end: bool) -> Option<(Set, bool)> {
    let may_be_empty = lengths(node).0 == 0;
    let set = match node {
        Node::Set(set) => set.clone(),
        Node::All(nodes) => edge(nodes, from_end)?,
        Node::Any(nodes) => {
            let edges = nodes.iter().map(|node| node_edge(node, from_end));
            edges.collect::<Option<Vec<_>>>()?.iter().fold(Set::default(), |all, (set, _)| all.with(set))
        }
        Node::Repeat { node, .. } | Node::Group { node, .. } => node_edge(node, from_end)?.0,
        _ => return None,
    };
    Some((set, may_be_empty))
}

/// Fewest and most characters.
fn lengths(node: &Node) -> (usize, Option<usize>) {
    match node {
        Node::Set(_) | Node::Property(_) => (1, Some(1)),
        Node::All(nodes) => nodes.iter().map(lengths).fold((0, Some(0)), |sum, length| {
            (sum.0.saturating_add(length.0), sum.1.zip(length.1).map(|(a, b)| a.saturating_add(b)))
        }),
        Node::Any(nodes) => nodes
            .iter()
            .map(lengths)
            .reduce(|a, b| (a.0.min(b.0), a.1.zip(b.1).map(|(a, b)| a.max(b))))
            .unwrap_or((0, Some(0))),
        Node::Repeat { node, min, max, .. } => {
            let (fewest, most) = lengths(node);
            let most = most.zip(*max).map(|(most, max)| most.saturating_mul(max as usize));
            (fewest.saturating_mul(*min as usize), most)
        }
        Node::Group { node, .. } => lengths(node),
        _ => (0, Some(0)),
    }
}

/// Characters from and to.
type Ranges = &'static [(char, char)];

/// Kinds of characters with their words for one and for several.
const KINDS: &[(Ranges, &str, &str)] = &[
    (&[('A', 'Z'), ('a', 'z')], "a letter", "letters"),
    (&[('a', 'z')], "a lower case letter", "lower case letters"),
    (&[('A', 'Z')], "a capital letter", "capital letters"),
    (&[('0', '9')], "a digit", "digits"),
];

/// Names the characters of a set; `None` for one that has no short name.
fn names(set: &Set, plural: bool) -> Option<Vec<String>> {
    let mut rest = set.clone();
    let mut names = Vec::new();
    for (ranges, one, several) in KINDS {
        let kind = Set(ranges.to_vec());
        if rest.covers(&kind) {
            rest = without(&rest, &kind);
            names.push((if plural { several } else { one }).to_string());
        }
    }
    let mut signs = 0;
    for (low, high) in rest.0 {
        for c in low..=high {
            signs += 1;
            if signs > 10 || c.is_control() {
                return None;
            }
            names.push(if c == ' ' {
                if plural { "spaces".into() } else { "a space".into() }
            } else {
                format!("`{c}`")
            });
        }
    }
    (!names.is_empty()).then_some(names)
}

fn without(set: &Set, kind: &Set) -> Set {
    let mut left = Vec::new();
    for (low, high) in &set.0 {
        let mut from = *low;
        for (a, b) in kind.0.iter().filter(|(a, b)| low <= a && b <= high) {
            if from < *a {
                left.push((from, char::from(*a as u8 - 1)));
            }
            from = char::from(*b as u8 + 1);
        }
        if from <= *high {
            left.push((from, *high));
        }
    }
    Set(left)
}

fn list(names: &[String], word: &str) -> Option<String> {
    Some(match names {
        [] => return None,
        [one] => one.clone(),
        [many @ .., last] => format!("{} {word} {last}", many.join(", ")),
    })
}

fn several(set: &Set) -> Option<String> {
    list(&names(set, true)?, "and")
}

fn one(set: &Set) -> Option<String> {
    list(&names(set, false)?, "or")
}

/// Digits and letters of examples, in turn.
const DIGITS: &str = "4412037589";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Writes an example.
struct Maker {
    times: u32,
    digits: usize,
    letters: usize,
    text: String,
}

impl Maker {
    fn make(&mut self, node: &Node) {
        if self.text.len() > MAX_EXAMPLE {
            return;
        }
        match node {
            Node::Set(set) => self.push(set),
            Node::All(nodes) => nodes.iter().for_each(|node| self.make(node)),
            Node::Any(nodes) => nodes.iter().take(1).for_each(|node| self.make(node)),
            Node::Group { node, .. } => self.make(node),
            Node::Repeat { node, min, max, .. } => {
                // a repeated group reads well once, characters a few times
                let is_space = |set: &Set| set.contains(' ') && !set.contains('a') && !set.contains('0');
                let wanted = match &**node {
                    Node::Set(set) if !is_space(set) => self.times,
                    _ => 1,
                };
                let times = wanted.clamp(*min, max.unwrap_or(u32::MAX).max(*min));
                for _ in 0..times.min(MAX_EXAMPLE as u32) {
                    self.make(node);
                }
            }
            Node::Property(_) => self.text.push('A'),
            Node::Look { .. } | Node::Back(_) | Node::Boundary(_) | Node::Start | Node::End => {}
        }
    }

    fn push(&mut self, set: &Set) {
        let next = |pool: &str, at: usize| pool.chars().cycle().nth(at % pool.len());
        let lower = next(LETTERS, self.letters);
        let upper = lower.map(|c| c.to_ascii_uppercase());
        let letter = [lower, upper].into_iter().flatten().find(|c| set.contains(*c));
        let digit = next(DIGITS, self.digits).filter(|c| set.contains(*c));
        if let Some(c) = set.single() {
            self.text.push(c);
        } else if let Some(c) = letter {
            self.letters += 1;
            self.text.push(c);
        } else if let Some(c) = digit {
            self.digits += 1;
            self.text.push(c);
        } else if let Some(c) = [' ', '-'].into_iter().find(|c| set.contains(*c)) {
            self.text.push(c);
        } else if let Some((low, _)) = set.0.first() {
            self.text.push(*low);
        }
    }
}
