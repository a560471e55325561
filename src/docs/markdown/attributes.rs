//! Lists of attributes: `{: #id .class key="value" }` and the words after a fence.

/// What such a list says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes<'a> {
    pub id: Option<&'a str>,
    pub classes: Vec<&'a str>,
    pub values: Vec<(&'a str, &'a str)>,
    /// Words that are nothing of this.
    pub words: Vec<&'a str>,
}

impl<'a> Attributes<'a> {
    /// Returns the value of a key.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// Reads a list without its braces.
pub(super) fn parse(text: &str) -> Attributes<'_> {
    let mut found = Attributes::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if let Some(value) = after.strip_prefix('=') {
            let (value, after) = match value.as_bytes().first() {
                Some(quote @ (b'"' | b'\'')) => {
                    let inner = value.get(1..).unwrap_or("");
                    inner.split_once(char::from(*quote)).unwrap_or((inner, ""))
                }
                _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            if word == "id" && !value.is_empty() {
                found.id = Some(value);
            }
            found.values.push((word, value));
            rest = after.trim_start();
            continue;
        }
        match (word.strip_prefix('#'), word.strip_prefix('.')) {
            (Some(id), _) if !id.is_empty() => found.id = Some(id),
            (_, Some(class)) if !class.is_empty() => found.classes.push(class),
            _ => found.words.push(word),
        }
        rest = after.trim_start();
    }
    found
}

/// Whether the inner of braces is a list of attributes and no other text.
pub(super) fn is_list(inner: &str) -> bool {
    let (colon, inner) = match inner.strip_prefix(':') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let found = parse(inner);
    let any = found.id.is_some() || !found.classes.is_empty() || !found.values.is_empty();
    let named = |key: &str| {
        key.starts_with(|c: char| c.is_alphabetic())
            && key.chars().all(|c| c.is_alphanumeric() || "-_:".contains(c))
    };
    found.values.iter().all(|(key, _)| named(key)) && (found.words.is_empty() || colon) && (any || colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists() {
        let found = parse(" #id .a .b key=\"two words\" width=300 word");
        assert_eq!((found.id, found.classes.as_slice()), (Some("id"), ["a", "b"].as_slice()));
        assert_eq!((found.value("key"), found.value("width")), (Some("two words"), Some("300")));
        assert_eq!(found.words, ["word"]);
        for (inner, expected) in [
            (".md-button", true),
            (": #x", true),
            ("target=_blank", true),
            (" x ", false),
            ("{ x }", false),
            ("a: b", false),
        ] {
            assert_eq!(is_list(inner), expected, "{inner}");
        }
    }
}
