//! Patterns of JavaScript: compiled for matching, put in words for people.
//!
//! Start at [`Patterns::get`]. A pattern is parsed ([`syntax`]), written again for the engine we have, which
//! backtracks within a limit, and described ([`words`]). What cannot be parsed or compiled is not checked,
//! and the field says so.

mod syntax;
mod words;

use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest pattern that is looked at, in bytes.
const MAX_BYTES: usize = 4_000;
/// Steps back within one match; some milliseconds.
const MAX_BACKTRACKS: usize = 50_000;
/// Size of a compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// A pattern, ready.
#[derive(Debug)]
pub struct Pattern {
    /// As the author wrote it.
    pub source: Arc<str>,
    regex: Option<fancy_regex::Regex>,
    words: words::Words,
}

/// What a pattern says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It fits.
    Yes,
    /// It does not.
    No,
    /// Nobody knows: the pattern is not understood, or takes too long.
    Unknown,
}

impl Pattern {
    fn new(source: &str) -> Self {
        let tree = (source.len() <= MAX_BYTES).then(|| syntax::parse(source)).flatten();
        let regex = tree.as_ref().and_then(|tree| {
            fancy_regex::RegexBuilder::new(&tree.translated())
                .backtrack_limit(MAX_BACKTRACKS)
                .delegate_size_limit(MAX_COMPILED)
                .max_prog_size(MAX_COMPILED)
                .build()
                .ok()
        });
        let words = tree.as_ref().map(words::Words::of).unwrap_or_default();
        Self { source: source.into(), regex, words }
    }

    /// Returns whether it can be checked.
    pub fn is_understood(&self) -> bool {
        self.regex.is_some()
    }

    /// Compares a text with it.
    pub fn test(&self, text: &str) -> Match {
        match self.regex.as_ref().map(|regex| regex.is_match(text)) {
            Some(Ok(true)) => Match::Yes,
            Some(Ok(false)) => Match::No,
            Some(Err(_)) | None => Match::Unknown,
        }
    }

    /// Says what it wants: ``the form NN-NNNN``, ``lower case letters, digits and `-` ``.
    pub fn rule(&self) -> String {
        self.words.rule().unwrap_or_else(|| format!("a match of {}", short(&self.source)))
    }

    /// Says what is wrong with a text that does not match.
    pub fn fault(&self, text: &str, example: Option<&str>) -> String {
        let fault = self.words.fault(text).unwrap_or_else(|| format!("needs {}", self.rule()));
        match example {
            Some(example) => format!("{fault}, for example {example}"),
            None => fault,
        }
    }

    /// Returns fewest and most characters that can match, where they are known.
    pub fn lengths(&self) -> (usize, Option<usize>) {
        self.words.lengths()
    }

    /// Returns a text that matches and has an allowed length.
    pub fn example(&self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let is_good = |text: &String| fits(text) && self.test(text) == Match::Yes;
        self.words.examples().find(is_good).filter(|text| !text.is_empty())
    }
}

/// A pattern in ticks, cut when long.
fn short(source: &str) -> String {
    format!("`{}`", crate::model::text::cut(&crate::model::text::clean(source), 60))
}

/// Patterns that were compiled before.
#[derive(Debug, Default)]
pub struct Patterns {
    known: Mutex<FxHashMap<Arc<str>, Arc<Pattern>>>,
}

/// Most patterns that are kept.
const MAX_KNOWN: usize = 4_000;

impl Patterns {
    /// Returns a pattern, compiled once.
    pub fn get(&self, source: &str) -> Arc<Pattern> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = known.get(source) {
            return pattern.clone();
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let pattern = Arc::new(Pattern::new(source));
        known.insert(pattern.source.clone(), pattern.clone());
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_are_words_and_examples_match() {
        let cases = [
            (r"^\d{2}-\d{4}$", "the form NN-NNNN", "44-1203"),
            ("^[A-Z]{3}-[0-9]{2}$", "the form AAA-NN", "ABC-44"),
            (
                "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
                "lower case letters, digits and `-`, beginning with a lower case letter, ending in a lower case letter or a digit",
                "abcd-efg",
            ),
            ("^[a-z0-9-]+$", "lower case letters, digits and `-`", "abc"),
            ("^(dev|staging|prod)$", "one of `dev`, `staging`, `prod`", "dev"),
            (r"^(\S+\s+){4}\S+$", r"a match of `^(\S+\s+){4}\S+$`", "abc def ghi jkl mno"),
            ("^(?!test-)[a-z-]+$", "a match of `^(?!test-)[a-z-]+$`", "abc"),
            ("^v[0-9]+\\.[0-9]+$", "digits, `.` and `v`, beginning with `v`, ending in a digit", "v441.203"),
            ("foo", "a match of `foo`", "foo"),
        ];
        for (source, rule, example) in cases {
            let pattern = Pattern::new(source);
            assert!(pattern.is_understood(), "{source}");
            assert_eq!(pattern.rule(), rule, "{source}");
            assert_eq!(pattern.example(|_| true).as_deref(), Some(example), "{source}");
        }
    }

    #[test]
    fn faults_name_what_is_wrong() {
        let cases = [
            (r"^\d{2}-\d{4}$", "441203", "needs the form NN-NNNN"),
            ("^[a-z0-9-]+$", "a b", "a space is not allowed, only lower case letters, digits and `-`"),
            ("^[a-z0-9-]+$", "aB", "`B` is not allowed, only lower case letters, digits and `-`"),
            ("^[a-z][a-z0-9-]*$", "1a", "must begin with a lower case letter"),
            ("^[a-z]([a-z-]*[a-z])?$", "a-", "must end in a lower case letter"),
            ("^(dev|prod)$", "x", "needs one of `dev`, `prod`"),
        ];
        for (source, text, fault) in cases {
            assert_eq!(Pattern::new(source).fault(text, None), fault, "{source}");
        }
    }

    /// Verdicts of `new RegExp(pattern, 'u').test(text)`, where the flag is accepted, else without it.
    #[test]
    fn matches_like_javascript() {
        let cases = [
            (r"^\d+$", "٣", false),
            (r"^\w+$", "é", false),
            (r"^\s$", "\u{feff}", true),
            (r"^a$", "a\n", false),
            (r"^.$", "\n", false),
            (r"^[^]$", "\n", true),
            (r"^(?=.*\d)(?=.*[a-z]).{4,}$", "ab12", true),
            (r"^(?=.*\d)(?=.*[a-z]).{4,}$", "abcd", false),
            (r"^(?<!x)y", "y", true),
            (r"^(a|b)\1$", "aa", true),
            (r"^(a|b)\1$", "ab", false),
            (r"^(?<q>['\x22]).*\k<q>$", "'a'", true),
            (r"^\/[\w\-\/]+$", "/a-b/c", true),
            (r"^[a-z&&b]+$", "&a", true),
            (r"^[[]$", "[", true),
            (r"^\u0041\x42$", "AB", true),
            (r"^\u{1f600}$", "😀", true),
            (r"^[\u{1f600}-\u{1f610}]$", "😀", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^a{2}$", "aa", true),
            (r"^\cA$", "\u{1}", true),
            (r"^(?:a+?)b*?$", "aab", true),
            (r"^[\b]$", "\u{8}", true),
            (r"^\p{Lu}+$", "ÄB", true),
            (r"^\P{Lu}+$", "äb", true),
            (r"^[\p{L}\d ]+$", "Größe 5", true),
            (r"\bfoo\b", "a foo b", true),
            (r"^$", "", true),
            (r"^[A-Za-z0-9_.@-]+$", "a.b@c", true),
            (r"^]$", "]", true),
            (r"^}$", "}", true),
            (r"^[\d-x]+$", "1-x", true),
        ];
        for (source, text, expected) in cases {
            let expected = if expected { Match::Yes } else { Match::No };
            assert_eq!(Pattern::new(source).test(text), expected, "{source} on {text:?}");
        }
    }

    #[test]
    fn hostile_patterns_end() {
        let deep = format!("{}a{}", "(".repeat(2_000), ")".repeat(2_000));
        for source in [
            "(",
            "[",
            "a{99999}{99999}",
            "(a+)+$",
            "^(a|a)*b$",
            "(?<=(a+)+)b",
            "*",
            "\\",
            &deep,
            &"x".repeat(9_999),
        ] {
            let pattern = Pattern::new(source);
            let _ = (pattern.test(&"a".repeat(200)), pattern.rule(), pattern.example(|_| true));
        }
        let slow = Pattern::new(r"^(?:(a+)+\1)+(?=x|y)");
        assert_eq!(slow.test(&"a".repeat(60)), Match::Unknown);
    }

    proptest! {
        #[test]
        fn never_panics(source in r"[a-c0-9\[\](){}|^$*+?.,\\dwsbBpu<>=!:-]{0,30}", text in ".{0,10}") {
            let pattern = Pattern::new(&source);
            let _ = (pattern.test(&text), pattern.fault(&text, None), pattern.example(|_| true));
        }
    }
}
