//! Label selectors, read exactly as the API server reads them (Kubernetes: *Labels and Selectors*).
//!
//! What the server refuses is refused here too, so that nothing is found by a selector that no cluster would take.

use std::fmt;
use std::sync::Arc;

/// A selector over labels: all requirements must be met; none at all means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelError(String);

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LabelError {}

impl LabelSelector {
    /// Reads a selector: `app=pay,tier in (a,b),!old,replicas>2`.
    ///
    /// # Errors
    /// [`LabelError`] where the API server answers 400.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let tokens = tokens(text);
        let mut reader = TokenReader { tokens: &tokens };
        let mut requirements = Vec::new();
        if reader.peek() == &Token::End {
            return Ok(Self::default());
        }
        loop {
            requirements.push(reader.requirement()?);
            match reader.take() {
                Token::End => return Ok(Self { requirements }),
                Token::Comma => {}
                other => return Err(unexpected(&other, "`,` or the end")),
            }
        }
    }

    /// Returns whether labels meet it; they must be sorted by key.
    pub fn matches(&self, labels: &[(Arc<str>, Arc<str>)]) -> bool {
        self.requirements.iter().all(|requirement| requirement.is_met(labels))
    }

    /// Returns a label that must be there with one of some values, when there is such a requirement: a way to
    /// find what may match without looking at everything.
    pub fn narrowest(&self) -> Option<(&str, &[String])> {
        let lists = self.requirements.iter().filter_map(|requirement| match &requirement.test {
            Test::In(values) => Some((requirement.key.as_str(), values.as_slice())),
            _ => None,
        });
        lists.min_by_key(|(_, values)| values.len())
    }
}

impl Requirement {
    fn is_met(&self, labels: &[(Arc<str>, Arc<str>)]) -> bool {
        let at = labels.binary_search_by(|(key, _)| (**key).cmp(self.key.as_str())).ok();
        let value = at.and_then(|at| labels.get(at)).map(|(_, value)| &**value);
        let is_one = |values: &[String]| value.is_some_and(|value| values.iter().any(|one| one == value));
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => is_one(values),
            Test::NotIn(values) => !is_one(values),
            Test::Above(bound) => number().is_some_and(|number| number > *bound),
            Test::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    End,
    Word(String),
    Not,
    Equals,
    NotEquals,
    Above,
    Below,
    Open,
    Close,
    Comma,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "the end",
            Self::Word(word) => return write!(f, "`{word}`"),
            Self::Not => "`!`",
            Self::Equals => "`=`",
            Self::NotEquals => "`!=`",
            Self::Above => "`>`",
            Self::Below => "`<`",
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::Comma => "`,`",
        })
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '>' => (Token::Above, 1),
            '<' => (Token::Below, 1),
            '!' if rest.starts_with("!=") => (Token::NotEquals, 2),
            '!' => (Token::Not, 1),
            '=' if rest.starts_with("==") => (Token::Equals, 2),
            '=' => (Token::Equals, 1),
            _ => {
                let end = rest.find(|c| is_space(c) || "()=!,<>".contains(c)).unwrap_or(rest.len());
                (Token::Word(rest.get(..end).unwrap_or_default().to_owned()), end)
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start_matches(is_space);
    }
    tokens
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn unexpected(found: &Token, expected: &str) -> LabelError {
    LabelError(format!("found {found} where {expected} was expected"))
}

struct TokenReader<'a> {
    tokens: &'a [Token],
}

impl TokenReader<'_> {
    fn peek(&self) -> &Token {
        self.tokens.first().unwrap_or(&Token::End)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        token
    }

    fn requirement(&mut self) -> Result<Requirement, LabelError> {
        let is_negated = self.peek() == &Token::Not;
        if is_negated {
            self.take();
        }
        let key = match self.take() {
            Token::Word(key) => check_key(key)?,
            other => return Err(unexpected(&other, "a label key")),
        };
        let test = match self.peek() {
            _ if is_negated => Test::Absent,
            Token::End | Token::Comma => Test::Exists,
            _ => self.test()?,
        };
        Ok(Requirement { key, test })
    }

    fn test(&mut self) -> Result<Test, LabelError> {
        match self.take() {
            Token::Equals => Ok(Test::In(vec![self.value()?])),
            Token::NotEquals => Ok(Test::NotIn(vec![self.value()?])),
            Token::Above => Ok(Test::Above(number(&self.value()?)?)),
            Token::Below => Ok(Test::Below(number(&self.value()?)?)),
            Token::Word(word) if word == "in" => Ok(Test::In(self.values()?)),
            Token::Word(word) if word == "notin" => Ok(Test::NotIn(self.values()?)),
            other => Err(unexpected(&other, "`in`, `notin`, `=`, `==`, `!=`, `<` or `>`")),
        }
    }

    fn value(&mut self) -> Result<String, LabelError> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(String::new());
        }
        match self.take() {
            Token::Word(value) => check_value(value),
            other => Err(unexpected(&other, "a value")),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, LabelError> {
        match self.take() {
            Token::Open => {}
            other => return Err(unexpected(&other, "`(`")),
        }
        // Where nothing stands, the server reads the empty value; but after two commas it wants a word.
        let mut values = Vec::new();
        if self.peek() == &Token::Close {
            self.take();
            return Ok(vec![String::new()]);
        }
        loop {
            match self.take() {
                Token::Word(word) => {
                    values.push(check_value(word)?);
                    match self.peek() {
                        Token::Comma => {}
                        Token::Close => break,
                        _ => return Err(unexpected(&self.take(), "`,` or `)`")),
                    }
                }
                Token::Comma => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek() {
                        Token::Close => {
                            values.push(String::new());
                            break;
                        }
                        Token::Comma => {
                            self.take();
                            values.push(String::new());
                        }
                        _ => {}
                    }
                }
                other => return Err(unexpected(&other, "`,` or a value")),
            }
        }
        self.take();
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }
}

fn number(text: &str) -> Result<i64, LabelError> {
    text.parse().map_err(|_| LabelError(format!("`{text}` is compared as a number but is none")))
}

/// A qualified name: an optional DNS prefix and a `/`, then a name as in values, not empty.
fn check_key(key: String) -> Result<String, LabelError> {
    let (prefix, name) =
        key.split_once('/').map_or((None, key.as_str()), |(prefix, name)| (Some(prefix), name));
    let is_fine = !name.is_empty() && is_name(name) && prefix.is_none_or(is_domain);
    if is_fine { Ok(key) } else { Err(LabelError(format!("`{key}` is no label key"))) }
}

fn check_value(value: String) -> Result<String, LabelError> {
    if is_name(&value) { Ok(value) } else { Err(LabelError(format!("`{value}` is no label value"))) }
}

/// At most 63 of letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; or nothing.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_end = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63 && bytes.iter().all(is_inner) && is_end(bytes.first()) && is_end(bytes.last())
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<(Arc<str>, Arc<str>)> {
        [("app", "pay"), ("empty", ""), ("shop.test/tier", "front"), ("size", "7")]
            .map(|(key, value)| (key.into(), value.into()))
            .to_vec()
    }

    #[test]
    fn matches_as_the_server_does() {
        let cases = [
            ("", true),
            ("  ", true),
            ("app", true),
            ("app=pay", true),
            ("app==pay", true),
            (" app = pay , size ", true),
            ("app=other", false),
            ("app!=other", true),
            ("app!=pay", false),
            ("none!=x", true),
            ("none", false),
            ("!none", true),
            ("! none", true),
            ("!app", false),
            ("empty=", true),
            ("empty", true),
            ("app=", false),
            ("none=", false),
            ("app in (pay)", true),
            ("app in(pay,other)", true),
            ("app notin (pay, other)", false),
            ("none notin (x)", true),
            ("empty in (,x)", true),
            ("empty in ()", true),
            ("app in ()", false),
            ("empty in (x,,y)", true),
            ("empty in (x,)", true),
            ("empty notin (,)", false),
            ("shop.test/tier in (front)", true),
            ("size>6,size<8", true),
            ("size>7", false),
            ("app>1", false),
            ("in", false),
            ("app=in", false),
            ("app=pay,!none,size in (6,7)", true),
        ];
        for (text, expected) in cases {
            let selector = LabelSelector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(selector.matches(&labels()), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_the_server_refuses() {
        for text in [
            "a=b,",
            ",a",
            ",",
            "a b",
            "a=b c=d",
            "!a=b",
            "a in",
            "a in x",
            "a in (x",
            "a in (x))",
            "a in (x y)",
            "=b",
            "a=(b)",
            "a>x",
            "a>",
            "a==b==c",
            "(a)",
            "!",
            "!!a",
            "a/b/c",
            "/a",
            "-a",
            "a-",
            "a=-b",
            "a=b_",
            "A.b/c",
            "é=x",
            "a=é",
            "a!",
        ] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
        let long = "a".repeat(64);
        assert!(LabelSelector::parse(&format!("a={long}")).is_err());
        assert!(LabelSelector::parse(&format!("{long}=a")).is_err());
    }

    #[test]
    fn narrowest_is_the_shortest_list() {
        let selector = LabelSelector::parse("a in (x,y),b=z,c,!d").unwrap();
        assert_eq!(selector.narrowest(), Some(("b", &["z".to_owned()][..])));
        assert_eq!(LabelSelector::parse("a,!b,c!=d").unwrap().narrowest(), None);
    }
}
