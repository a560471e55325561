//! Globs of Location targets and of configured sources, as Backstage reads them.
//!
//! `*` and `?` stay within a folder, `**` goes through folders, `{a,b}` and `[a-c]` choose. A name that
//! starts with a dot is matched only by a pattern part that starts with one, unless the pattern is made
//! with [`Pattern::with_dots`].

use globset::{GlobBuilder, GlobMatcher};

/// A pattern over `/`-separated relative paths.
#[derive(Debug, Clone)]
pub struct Pattern {
    alternatives: Vec<Vec<Part>>,
    dots: bool,
}

#[derive(Debug, Clone)]
enum Part {
    /// `**`
    AnyFolders,
    Name {
        matcher: Box<GlobMatcher>,
        dot: bool,
    },
}

/// Most alternatives that braces may make.
const MAX_ALTERNATIVES: usize = 256;

/// Why a glob is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GlobError(String);

/// Returns whether a text holds glob characters.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '{', '['])
}

impl Pattern {
    /// Reads a pattern; a leading `./` means nothing.
    ///
    /// # Errors
    /// [`GlobError`] when a bracket or brace is not closed or there are too many alternatives.
    pub fn new(text: &str) -> Result<Self, GlobError> {
        let text = text.strip_prefix("./").unwrap_or(text);
        let alternatives = expand_braces(text)?.iter().map(|one| parts(one)).collect::<Result<_, _>>()?;
        Ok(Self { alternatives, dots: false })
    }

    /// Lets `*` match names that start with a dot.
    #[must_use]
    pub fn with_dots(mut self) -> Self {
        self.dots = true;
        self
    }

    /// Returns whether a path matches.
    pub fn is_match(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        self.alternatives.iter().any(|parts| self.matches(parts, &names))
    }

    /// Walks pattern and path together; for `**` it remembers one place to go back to, so that it takes
    /// at most length times length steps.
    fn matches(&self, parts: &[Part], names: &[&str]) -> bool {
        let (mut part, mut name) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        loop {
            match (parts.get(part), names.get(name)) {
                (None, None) => return true,
                (Some(Part::AnyFolders), _) => {
                    // a last `**` needs something below it
                    if part + 1 == parts.len() {
                        let rest = names.get(name..).unwrap_or(&[]);
                        return !rest.is_empty() && rest.iter().all(|n| self.dots || !n.starts_with('.'));
                    }
                    back = Some((part + 1, name));
                    part += 1;
                }
                (Some(Part::Name { matcher, dot }), Some(text))
                    if (self.dots || *dot || !text.starts_with('.')) && matcher.is_match(text) =>
                {
                    part += 1;
                    name += 1;
                }
                _ => match back {
                    Some((after, at)) if names.get(at).is_some_and(|n| self.dots || !n.starts_with('.')) => {
                        back = Some((after, at + 1));
                        part = after;
                        name = at + 1;
                    }
                    _ => return false,
                },
            }
        }
    }
}

/// Returns the folder that every match of a glob lies in: `apis` for `apis/**/*.yaml`.
pub fn fixed_folder(glob: &str) -> &str {
    let end = glob.find(['*', '?', '{', '[']).unwrap_or(glob.len());
    glob.get(..end).and_then(|head| head.rfind('/').and_then(|slash| head.get(..slash))).unwrap_or("")
}

fn parts(text: &str) -> Result<Vec<Part>, GlobError> {
    let mut out: Vec<Part> = Vec::new();
    for part in text.split('/') {
        if part == "**" {
            if !matches!(out.last(), Some(Part::AnyFolders)) {
                out.push(Part::AnyFolders);
            }
            continue;
        }
        let glob = GlobBuilder::new(part)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| GlobError(error.kind().to_string()))?;
        out.push(Part::Name { matcher: Box::new(glob.compile_matcher()), dot: part.starts_with('.') });
    }
    Ok(out)
}

fn expand_braces(text: &str) -> Result<Vec<String>, GlobError> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(next) = open.pop() {
        if done.len() + open.len() > MAX_ALTERNATIVES {
            return Err(GlobError(format!("the braces make more than {MAX_ALTERNATIVES} patterns")));
        }
        match first_group(&next)? {
            None => done.push(next),
            Some((head, choices, tail)) => {
                open.extend(choices.iter().map(|choice| format!("{head}{choice}{tail}")));
            }
        }
    }
    Ok(done)
}

/// Text before a group of braces, its choices, text behind it.
type Group<'a> = (&'a str, Vec<&'a str>, &'a str);

/// Splits at the first brace group: text before, choices, text behind.
fn first_group(text: &str) -> Result<Option<Group<'_>>, GlobError> {
    let Some(open) = text.find('{') else { return Ok(None) };
    let (mut depth, mut start) = (0usize, open + 1);
    let mut choices = Vec::new();
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => {
                choices.push(text.get(start..at).unwrap_or(""));
                let tail = text.get(at + 1..).unwrap_or("");
                return Ok(Some((text.get(..open).unwrap_or(""), choices, tail)));
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {
                choices.push(text.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    Err(GlobError("a brace is not closed".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_location_targets_do() {
        let cases = [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a/b.yaml", false),
            ("*.yaml", ".a.yaml", false),
            (".*.yaml", ".a.yaml", true),
            ("**/*.yaml", "a.yaml", true),
            ("**/*.yaml", "a/b/c.yaml", true),
            ("**/*.yaml", "a/.git/c.yaml", false),
            ("./apis/**/*.yaml", "apis/x/y.yaml", true),
            ("apis/**/*.yaml", "other/y.yaml", false),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("*/catalog-info.{yml,yaml}", "x/catalog-info.yml", true),
            ("*/catalog-info.{yml,yaml}", "x/y/catalog-info.yml", false),
            ("{a,b/{c,d}}/x", "b/d/x", true),
            ("[ab]?.yaml", "b1.yaml", true),
            ("**/a/**/b", "x/a/y/a/z/b", true),
            ("**/a/**/b", "x/b/y", false),
        ];
        for (glob, path, expected) in cases {
            assert_eq!(Pattern::new(glob).unwrap().is_match(path), expected, "{glob} {path}");
        }
        assert!(Pattern::new("*.yaml").unwrap().with_dots().is_match(".a.yaml"));
    }

    #[test]
    fn refuses_what_is_not_closed_or_too_much() {
        for glob in ["{a", "[a", "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"] {
            assert!(Pattern::new(glob).is_err(), "{glob}");
        }
    }

    #[test]
    fn knows_the_fixed_folder() {
        for (glob, folder) in
            [("apis/**/*.yaml", "apis"), ("*.yaml", ""), ("a/b/c{d,e}", "a/b"), ("a/b", "a")]
        {
            assert_eq!(fixed_folder(glob), folder);
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(glob in r"[a*?/\[\]{},.!-]{0,16}", path in "[ab./]{0,12}") {
            if let Ok(pattern) = Pattern::new(&glob) {
                let _ = pattern.is_match(&path);
            }
            let _ = fixed_folder(&glob);
        }
    }
}
