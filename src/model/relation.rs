//! Relation types and their opposites.
//!
//! A relation is always kept in both directions; [`reverse`] gives the other name. Types unknown to
//! this table (a backend may send its own) have no reverse and are kept as they come.

/// Pairs of relation types: forward, reverse. Source: Backstage, *Well-known relations*.
pub const PAIRS: &[(&str, &str)] = &[
    ("ownedBy", "ownerOf"),
    ("partOf", "hasPart"),
    ("dependsOn", "dependencyOf"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("childOf", "parentOf"),
    ("memberOf", "hasMember"),
    ("scaffoldedFrom", "scaffolderOf"),
];

/// Returns the type of the same relation seen from its target.
pub fn reverse(relation: &str) -> Option<&'static str> {
    PAIRS.iter().find_map(|(forward, back)| match relation {
        r if r == *forward => Some(*back),
        r if r == *back => Some(*forward),
        _ => None,
    })
}

/// Returns whether the type is the forward one of its pair ("what this entity says of itself").
pub fn is_forward(relation: &str) -> bool {
    PAIRS.iter().any(|(forward, _)| *forward == relation)
}

/// Returns the words a person reads before the target: `depends on`, `owner of`.
pub fn words(relation: &str) -> String {
    let mut out = String::new();
    for c in relation.chars() {
        if c.is_uppercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    out.replace(" api", " API")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_is_its_own_inverse() {
        for (forward, back) in PAIRS {
            assert_eq!(reverse(forward), Some(*back));
            assert_eq!(reverse(back), Some(*forward));
        }
        assert_eq!(reverse("likes"), None);
    }

    #[test]
    fn words_are_readable() {
        assert_eq!(words("dependsOn"), "depends on");
        assert_eq!(words("providesApi"), "provides API");
    }
}
