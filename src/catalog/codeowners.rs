//! CODEOWNERS files: who owns a path of a repository.
//!
//! Start at [`Codeowners::parse`] and [`Codeowners::find`]. Of the rules that match a path the last one
//! counts, one without owners too: it says that nobody owns it. Patterns are those of GitHub (*About code
//! owners*), much like `.gitignore`. In files of GitLab, known by their sections or their folder, patterns
//! without a leading `/` match in every folder, `!` takes a path out, and a section may name owners for its
//! rules that have none.

/// Where such a file may lie, in the order in which it is looked for.
pub const PLACES: &[&str] = &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Largest file that counts, in bytes; GitHub's own limit.
pub const MAX_BYTES: usize = 3 * 1024 * 1024;
/// Most rules that are read.
const MAX_RULES: usize = 100_000;

/// The rules of one file.
#[derive(Debug, Clone, Default)]
pub struct Codeowners<'t> {
    rules: Vec<Rule<'t>>,
    is_gitlab: bool,
}

#[derive(Debug, Clone)]
struct Rule<'t> {
    line: u32,
    pattern: String,
    /// Takes what matches out again.
    excludes: bool,
    owners: Vec<&'t str>,
}

/// The rule that counts for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'c> {
    /// 1-based line of the rule.
    pub line: u32,
    /// As written: `@acme/payments`, `@ana`, `ana@acme.io`; empty when nobody owns the path.
    pub owners: &'c [&'c str],
}

impl<'t> Codeowners<'t> {
    /// Reads a file; lines that make no sense are left out, as forges do.
    pub fn parse(text: &'t str, path: &str) -> Self {
        let mut out = Self { rules: Vec::new(), is_gitlab: path.starts_with(".gitlab/") };
        let mut of_section: Vec<&str> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(owners) = section(line) {
                out.is_gitlab = true;
                of_section = owners;
                continue;
            }
            if out.rules.len() >= MAX_RULES {
                break;
            }
            let (pattern, rest) = split_pattern(line);
            let (pattern, excludes) = match pattern.strip_prefix('!') {
                Some(rest) => (rest.to_owned(), true),
                None => (pattern, false),
            };
            let mut owners: Vec<&str> =
                rest.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
            if owners.is_empty() {
                owners.clone_from(&of_section);
            }
            if !pattern.is_empty() {
                out.rules.push(Rule { line: number, pattern, excludes, owners });
            }
        }
        // `!` means nothing to GitHub
        if !out.is_gitlab {
            out.rules.retain(|rule| !rule.excludes);
        }
        out
    }

    /// Finds the rule that counts for a path from the root of the repository.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        let names: Vec<&str> = path.split('/').collect();
        let rule = self.rules.iter().rev().find(|rule| matches(&rule.pattern, &names, self.is_gitlab))?;
        let owners: &[&str] = if rule.excludes { &[] } else { &rule.owners };
        Some(Found { line: rule.line, owners })
    }
}

/// Reads `[Section]`, `^[Section][2] @owner`; gives the owners of its rules.
fn section(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, mut rest) = inside.split_once(']')?;
    if name.trim().is_empty() {
        return None;
    }
    if let Some((_, behind)) = rest.strip_prefix('[').and_then(|count| count.split_once(']')) {
        rest = behind;
    }
    Some(rest.split_whitespace().take_while(|word| !word.starts_with('#')).collect())
}

/// Splits a line behind its pattern; `\ ` and `\#` are part of it.
fn split_pattern(line: &str) -> (String, &str) {
    let mut pattern = String::new();
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, next @ (' ' | '#'))) => pattern.push(next),
                Some((_, next)) => pattern.extend(['\\', next]),
                None => {}
            },
            c if c.is_whitespace() => return (pattern, line.get(at..).unwrap_or("")),
            c => pattern.push(c),
        }
    }
    (pattern, "")
}

/// Whether a pattern matches a path, or a folder above it.
fn matches(pattern: &str, names: &[&str], is_gitlab: bool) -> bool {
    let is_folder = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    let anchored = body.starts_with('/') || (body.contains('/') && !is_gitlab);
    let parts: Vec<&str> = body.trim_start_matches('/').split('/').collect();
    // `docs/*` names what lies in the folder, nothing below
    let shallow = parts.last() == Some(&"*") && !is_folder;
    let fits = |names: &[&str]| {
        let longest = if is_folder { names.len().saturating_sub(1) } else { names.len() };
        let shortest = if shallow { names.len() } else { 1 };
        (shortest..=longest).any(|end| names.get(..end).is_some_and(|head| match_parts(&parts, head)))
    };
    if body.is_empty() {
        return true;
    }
    if anchored {
        return fits(names);
    }
    (0..names.len()).any(|start| names.get(start..).is_some_and(&fits))
}

/// Matches parts of a pattern against parts of a path; goes back to the last `**` alone, so that it takes
/// at most length times length steps.
fn match_parts(parts: &[&str], names: &[&str]) -> bool {
    let (mut part, mut name) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), names.get(name)) {
            (None, None) => return true,
            (Some(&"**"), _) => {
                back = Some((part + 1, name));
                part += 1;
            }
            (Some(pattern), Some(text)) if match_name(pattern.as_bytes(), text.as_bytes()) => {
                part += 1;
                name += 1;
            }
            _ => match back {
                Some((after, at)) if at < names.len() => {
                    back = Some((after, at + 1));
                    part = after;
                    name = at + 1;
                }
                _ => return false,
            },
        }
    }
}

/// Matches one name: `*` and `?` stand for anything, `\` takes the next character as it is.
fn match_name(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(pos)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                back = Some((at + 1, pos));
                at += 1;
            }
            (Some(b'?'), Some(_)) => {
                at += 1;
                pos += 1;
            }
            (Some(b'\\'), Some(byte)) if pattern.get(at + 1) == Some(byte) => {
                at += 2;
                pos += 1;
            }
            (Some(wanted), Some(byte)) if wanted == byte && *wanted != b'\\' => {
                at += 1;
                pos += 1;
            }
            _ => match back {
                Some((after, from)) if from < text.len() => {
                    back = Some((after, from + 1));
                    at = after;
                    pos = from + 1;
                }
                _ => return false,
            },
        }
    }
}

/// Returns an owner as an entity ref: a team is a Group, another name a User; `None` for what is neither,
/// such as a role, or mail to somebody unknown. `by_mail` gives the name of a user with an address.
pub fn owner_ref(owner: &str, by_mail: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let is_name = |name: &str| {
        (1..=63).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if let Some(name) = owner.strip_prefix('@') {
        // `@@developer` is a role
        if name.starts_with('@') {
            return None;
        }
        let (kind, name) = match name.rsplit_once('/') {
            Some((_, team)) => ("group", team),
            None => ("user", name),
        };
        return is_name(name).then(|| format!("{kind}:{name}"));
    }
    let name = owner.contains('@').then(|| by_mail(&owner.to_lowercase())).flatten()?;
    Some(format!("user:{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_on_github() {
        let cases = [
            ("*", "a/b/c.js", true),
            ("*.js", "a/b/c.js", true),
            ("*.js", "a/b/c.ts", false),
            ("/build/logs/", "build/logs/x/y", true),
            ("/build/logs/", "a/build/logs/x", false),
            ("/build/logs/", "build/logs", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/troubleshooting.md", false),
            ("docs/*", "x/docs/a.md", false),
            ("apps/", "a/apps/b/c", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/a/b", true),
            ("/scripts", "scripts/run.sh", true),
            ("**/logs", "build/logs/x", true),
            ("**/logs", "deeply/nested/logs/x/y", true),
            ("/apps/**/x.yaml", "apps/a/b/x.yaml", true),
            ("/apps/**/x.yaml", "apps/x.yaml", true),
            ("a?c.yaml", "abc.yaml", true),
            ("foo/bar", "x/foo/bar", false),
            ("foo/bar", "foo/bar/baz", true),
            ("catalog-info.yaml", "services/a/catalog-info.yaml", true),
        ];
        for (pattern, path, expected) in cases {
            let text = format!("{pattern} @a");
            assert_eq!(
                Codeowners::parse(&text, "CODEOWNERS").find(path).is_some(),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn the_last_match_wins_and_may_name_nobody() {
        let text =
            "# all\n*       @acme/all  @bo # why\n\n/pay/   @acme/payments\n/pay/open\n/a\\ b/ @c\n!x @d\n";
        let rules = Codeowners::parse(text, ".github/CODEOWNERS");
        let cases: [(&str, u32, &[&str]); 5] = [
            ("x", 2, &["@acme/all", "@bo"]),
            ("pay/x", 4, &["@acme/payments"]),
            ("pay/open/x", 5, &[]),
            ("a b/x", 6, &["@c"]),
            ("a/x", 2, &["@acme/all", "@bo"]),
        ];
        for (path, line, owners) in cases {
            assert_eq!(rules.find(path), Some(Found { line, owners }), "{path}");
        }
        assert_eq!(Codeowners::parse("/a @b\n", "CODEOWNERS").find("c"), None);
    }

    #[test]
    fn sections_name_owners_for_their_rules() {
        let text =
            "* @top\n[Docs] @docs/team\ndocs/\n*.md @md\n^[Back end][2] @back\nsrc/api\n!src/api/gen\n";
        let rules = Codeowners::parse(text, "CODEOWNERS");
        let cases: [(&str, u32, &[&str]); 6] = [
            ("x", 1, &["@top"]),
            ("docs/a", 3, &["@docs/team"]),
            ("x/docs/a", 3, &["@docs/team"]),
            ("docs/a.md", 4, &["@md"]),
            ("x/src/api/a", 6, &["@back"]),
            ("src/api/gen/a", 7, &[]),
        ];
        for (path, line, owners) in cases {
            assert_eq!(rules.find(path), Some(Found { line, owners }), "{path}");
        }
    }

    #[test]
    fn owners_become_refs() {
        let by_mail = |mail: &str| (mail == "ana@acme.io").then(|| "ana".to_owned());
        let cases = [
            ("@acme/payments", Some("group:payments")),
            ("@group/sub/team", Some("group:team")),
            ("@bo", Some("user:bo")),
            ("Ana@Acme.io", Some("user:ana")),
            ("who@acme.io", None),
            ("@@developer", None),
            ("@", None),
            ("word", None),
        ];
        for (owner, expected) in cases {
            assert_eq!(owner_ref(owner, &by_mail).as_deref(), expected, "{owner}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in r"[a*?/\\\[\]!@# \n^-]{0,60}", path in "[ab/.]{0,12}") {
            let _ = Codeowners::parse(&text, "CODEOWNERS").find(&path);
        }
    }
}
