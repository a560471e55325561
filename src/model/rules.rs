//! The rules for names, keys and tags, and what to write instead of a text that breaks them.
//!
//! Source: Backstage, *Descriptor Format of Catalog Entities*, common metadata.

/// Longest name, namespace, tag or label value, in characters.
pub const MAX_NAME: usize = 63;
/// Longest prefix of a label or annotation key, in characters.
const MAX_PREFIX: usize = 253;

/// Returns whether a text may be an entity's name, a label value, or the last part of a key.
pub fn is_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= MAX_NAME
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Returns whether a text is a DNS label: a namespace, or a piece of a key's prefix.
pub fn is_namespace(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| *b != b'-');
    bytes.len() <= MAX_NAME
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Returns whether a text may be the key of a label or annotation: `[prefix/]name`.
pub fn is_key(text: &str) -> bool {
    prefixed(text, is_name)
}

/// Returns whether a text may be an apiVersion: `[prefix/]version`.
pub fn is_api_version(text: &str) -> bool {
    prefixed(text, |part| {
        (1..=MAX_NAME).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn prefixed(text: &str, is_last: impl Fn(&str) -> bool) -> bool {
    match text.split_once('/') {
        None => is_last(text),
        Some((prefix, last)) => {
            (1..=MAX_PREFIX).contains(&prefix.len()) && prefix.split('.').all(is_namespace) && is_last(last)
        }
    }
}

/// Returns whether a text may be a kind.
pub fn is_kind(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Returns whether a text may be a tag.
pub fn is_tag(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b':' | b'+' | b'#');
    text.len() <= MAX_NAME && text.split('-').all(|part| !part.is_empty() && part.bytes().all(allowed))
}

/// Returns the nearest name to a text: other characters become dashes.
pub fn suggest_name(text: &str) -> Option<String> {
    suggest(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'), is_name)
}

/// Returns the nearest namespace to a text.
pub fn suggest_namespace(text: &str) -> Option<String> {
    suggest(&text.to_lowercase(), |c| c.is_ascii_lowercase() || c.is_ascii_digit(), is_namespace)
}

/// Returns the nearest tag to a text.
pub fn suggest_tag(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '+' | '#');
    suggest(&text.to_lowercase(), allowed, is_tag)
}

fn suggest(text: &str, keep: impl Fn(char) -> bool, check: fn(&str) -> bool) -> Option<String> {
    let mut out = String::new();
    for c in text.chars().take(MAX_NAME) {
        if keep(c) {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_matches(['-', '_', '.']);
    check(out).then(|| out.to_owned())
}

/// Says why a text is no name, in words for a caret.
pub fn name_fault(text: &str) -> String {
    if text.chars().count() > MAX_NAME {
        return format!("{} characters, at most {MAX_NAME} are allowed", text.chars().count());
    }
    if text.contains("{{") || text.contains("{%") {
        return "an expression that was never rendered".into();
    }
    if text.contains('<') && text.contains('>') {
        return "a placeholder that was never filled in".into();
    }
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        Some(' ') => "spaces are not allowed".into(),
        Some(c) => format!("`{c}` is not allowed"),
        None => "must begin and end with a letter or digit".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(63);
        for good in ["a", "A-b_c.d", "0", "a--b", long.as_str()] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "a/b", ".a", "ä", &format!("{long}a")] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn namespaces() {
        for good in ["a", "a-b", "a--b", "0"] {
            assert!(is_namespace(good), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a_b", "a.b"] {
            assert!(!is_namespace(bad), "{bad}");
        }
    }

    #[test]
    fn keys() {
        for good in ["a", "a/b", "a.b-c/D_e.f"] {
            assert!(is_key(good), "{good}");
        }
        for bad in
            ["", "a/", "/a", "a/b/c", "A.b/c", "a..b/c", "a:b/c", "a b", &format!("{}/a", "a.".repeat(127))]
        {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn kinds_tags_and_versions() {
        for (text, kind, tag, version) in [
            ("a1", true, true, true),
            ("A1", true, false, true),
            ("1a", false, true, true),
            ("c++", false, true, false),
            ("a-b", false, true, false),
            ("a--b", false, false, false),
            ("a:b#", false, true, false),
            ("x.io/v1", false, false, true),
            ("", false, false, false),
        ] {
            assert_eq!((is_kind(text), is_tag(text), is_api_version(text)), (kind, tag, version), "{text}");
        }
    }

    #[test]
    fn suggestions_pass_their_own_rule() {
        assert_eq!(suggest_name("Checkout API"), Some("Checkout-API".into()));
        assert_eq!(suggest_tag("CI / CD"), Some("ci-cd".into()));
        assert_eq!(suggest_namespace("My_Team"), Some("my-team".into()));
        assert_eq!(suggest_name("<>"), None);
    }
}
