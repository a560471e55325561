//! The commented `config.toml` that a new user starts from.

use super::setting::{ALL, Kind};
use std::fmt::Write as _;

/// Returns a `config.toml` in which every setting is explained and commented out.
pub fn config_toml() -> String {
    let mut out = String::from(
        "# Settings of devportal. Everything here is optional: remove a `#` to change a value.\n\
         # `devportal config show --origin` prints what counts and where it comes from.\n",
    );
    let mut rows: Vec<_> =
        ALL.iter().filter(|setting| !setting.key.contains('.') && !setting.kind.is_tables()).collect();
    rows.extend(ALL.iter().filter(|setting| setting.key.contains('.') && !setting.kind.is_tables()));
    // Tables of the form `[[…]]` end the plain keys of a file, so they come last
    rows.extend(ALL.iter().filter(|setting| setting.kind.is_tables()));
    for setting in rows {
        let _ = write!(out, "\n# {}\n", setting.help);
        if let Kind::Choice(_) = setting.kind {
            let _ = writeln!(out, "# One of {}.", setting.kind.words());
        }
        for line in setting.example_line().lines() {
            let _ = writeln!(out, "# {line}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_comment_signs_it_is_valid() {
        let text = config_toml();
        assert!(text.parse::<toml::Table>().unwrap().is_empty(), "everything is commented out");
        let is_code = |line: &&str| line.contains(" = ") || line.starts_with('[');
        let lines: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("# ")).filter(is_code).collect();
        let code = lines.join("\n");
        let mut diagnostics = Vec::new();
        super::super::document::Document::parse("starter", &code, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:?}\n{code}");
    }
}
