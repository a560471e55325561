//! Entity refs: `[kind:][namespace/]name`.
//!
//! Grammar and the rule for a colon behind a slash: Backstage, *References*. Comparison is without
//! case, so the parts are kept lower-cased and [`EntityRef`]'s text form is canonical.

use std::fmt;

/// The stable name of an entity; all parts lower case and not empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityRef {
    /// `component`, `api`, `group`, …
    pub kind: String,
    /// `default` unless stated.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// Why a text is no entity ref.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// A part before a separator, or the name, is empty.
    #[error("`{0}` has an empty part")]
    EmptyPart(String),
    /// No kind was given and the context has no default.
    #[error("`{0}` names no kind")]
    MissingKind(String),
}

impl EntityRef {
    /// Creates a ref from its parts, lower-casing them.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_lowercase(), namespace: namespace.to_lowercase(), name: name.to_lowercase() }
    }

    /// Parses a ref; missing parts come from the context's defaults.
    ///
    /// # Errors
    /// [`RefError::EmptyPart`] for `:x`, `a:/x`, `a:` and the like, [`RefError::MissingKind`] when the
    /// text has no kind and `default_kind` is `None`.
    pub fn parse(text: &str, default_kind: Option<&str>, default_namespace: &str) -> Result<Self, RefError> {
        let (kind, namespace, name) = split(text).ok_or_else(|| RefError::EmptyPart(text.to_owned()))?;
        let kind = kind.or(default_kind).ok_or_else(|| RefError::MissingKind(text.to_owned()))?;
        Ok(Self::new(kind, namespace.unwrap_or(default_namespace), name))
    }

    /// Returns whether [`Self::parse`] would succeed; allocates nothing.
    pub fn is_readable(text: &str, has_default_kind: bool) -> bool {
        split(text).is_some_and(|(kind, ..)| kind.is_some() || has_default_kind)
    }

    /// Parses a full or partial ref typed by a person, without a default kind: `kind:name`, `kind:ns/name`.
    pub fn parse_full(text: &str) -> Result<Self, RefError> {
        Self::parse(text, None, "default")
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Splits a ref as written into kind, namespace and name; `None` when a part is empty.
pub fn split(text: &str) -> Option<(Option<&str>, Option<&str>, &str)> {
    let slash = text.find('/').unwrap_or(text.len());
    let (kind, rest) = match text.split_once(':').filter(|(kind, _)| kind.len() < slash) {
        Some((kind, rest)) => (Some(kind), rest),
        None => (None, text),
    };
    let (namespace, name) = match rest.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, rest),
    };
    let is_filled = kind != Some("") && namespace != Some("") && !name.is_empty();
    is_filled.then_some((kind, namespace, name))
}

/// Splits a canonical ref into kind, namespace and name; missing parts come out empty.
pub fn split_canonical(text: &str) -> (&str, &str, &str) {
    let (kind, rest) = text.split_once(':').unwrap_or(("", text));
    let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
    (kind, namespace, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_form() {
        let cases = [
            ("checkout", "component:default/checkout"),
            ("Component:Checkout", "component:default/checkout"),
            ("team/x", "component:team/x"),
            ("api:team/x", "api:team/x"),
            ("team/x:y", "component:team/x:y"),
            ("api:a/b/c", "api:a/b/c"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                EntityRef::parse(text, Some("Component"), "default").map(|r| r.to_string()),
                Ok(expected.into())
            );
        }
    }

    #[test]
    fn rejects_empty_parts_and_missing_kind() {
        for text in ["", ":", ":a", "a:", "/a", "a/", "k:/a", "k:a/"] {
            assert!(
                matches!(EntityRef::parse(text, Some("x"), "default"), Err(RefError::EmptyPart(_))),
                "{text}"
            );
            assert!(!EntityRef::is_readable(text, true), "{text}");
        }
        assert!(matches!(EntityRef::parse("a", None, "default"), Err(RefError::MissingKind(_))));
        assert!(!EntityRef::is_readable("a", false) && EntityRef::is_readable("a", true));
    }
}
