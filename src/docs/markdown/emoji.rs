//! Short names of emoji: `:tada:`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One line per emoji: the emoji, then its names.
static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("emoji.txt").lines().filter_map(|line| line.split_once(' '));
    lines.flat_map(|(emoji, names)| names.split(' ').map(move |name| (name, emoji))).collect()
});

/// Returns the emoji of a name without its colons.
pub(super) fn emoji(name: &str) -> Option<&'static str> {
    NAMES.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_are_known() {
        let cases = [
            ("smile", "😄"),
            ("rocket", "🚀"),
            ("warning", "⚠"),
            ("tada", "🎉"),
            ("+1", "👍"),
            ("white_check_mark", "✅"),
            ("x", "❌"),
        ];
        for (name, expected) in cases {
            assert_eq!(emoji(name).map(|emoji| emoji.trim_end_matches('\u{fe0f}')), Some(expected), "{name}");
        }
        assert_eq!(emoji("material-account"), None);
    }
}
