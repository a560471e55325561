//! Tells descriptors from the other YAML files of a tree, without parsing.

use memchr::memmem;
use std::sync::LazyLock;

static KEY: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("apiVersion"));
static GROUP: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("backstage.io"));

/// Returns whether some document has, at the start of a line, an `apiVersion` of a Backstage group.
pub fn is_descriptor(text: &[u8]) -> bool {
    KEY.find_iter(text).any(|at| {
        let quoted = at > 0 && matches!(text.get(at - 1), Some(b'"' | b'\''));
        let start = if quoted { at - 1 } else { at };
        let before = text.get(..start).unwrap_or(&[]);
        let at_line_start = before.is_empty() || before.ends_with(b"\n") || before.ends_with(b"\xef\xbb\xbf");
        let rest = text.get(at + KEY.needle().len()..).unwrap_or(&[]);
        let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or(&[]);
        // behind a quoted key stands its closing quote
        let after = if quoted { line.get(1..).unwrap_or(&[]) } else { line }.trim_ascii_start();
        at_line_start && after.starts_with(b":") && GROUP.find(after).is_some()
    })
}

/// Returns whether a file name is one that descriptors have by convention.
pub fn is_descriptor_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    stem(&lower).is_some_and(|stem| stem == "catalog-info" || stem.starts_with("catalog-info-"))
}

/// Returns whether a file name is that of a YAML file.
pub fn is_yaml_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let ends = |suffix: &[u8]| {
        bytes.len() > suffix.len()
            && bytes.get(bytes.len() - suffix.len()..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    ends(b".yaml") || ends(b".yml")
}

fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))
}

/// Returns whether a text is made to be rendered: a skeleton of a template, a chart.
pub fn is_unrendered(text: &str) -> bool {
    text.contains("{%")
        || text.contains("{{ cookiecutter")
        || text.contains("{{cookiecutter")
        || text.contains("{{ .")
        || text.match_indices("{{").any(|(at, _)| {
            text.get(at + 2..).is_some_and(|rest| rest.trim_start_matches([' ', '-']).starts_with("values."))
        })
}

/// Returns whether a name holds an expression that was never rendered.
pub fn is_expression(name: &str) -> bool {
    name.contains("{{") || name.contains("{%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_descriptors_by_content() {
        let cases = [
            ("apiVersion: backstage.io/v1alpha1\nkind: X\n", true),
            ("# c\n---\nkind: X\napiVersion: scaffolder.backstage.io/v1beta3\n", true),
            ("\"apiVersion\": \"backstage.io/v1alpha1\"\n", true),
            ("'apiVersion' : backstage.io/v1\n", true),
            ("\u{feff}apiVersion: backstage.io/v1\r\n", true),
            ("apiVersion: apps/v1\n---\napiVersion: backstage.io/v1alpha1\n", true),
            ("apiVersion: apps/v1\nkind: Deployment\n", false),
            ("spec:\n  apiVersion: backstage.io/v1alpha1\n", false),
            ("apiVersion: v1\nx: backstage.io\n", false),
            ("text: |\n  apiVersion: backstage.io/v1\n", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_descriptor(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn knows_names() {
        for name in ["catalog-info.yaml", "catalog-info.yml", "Catalog-info.yaml", "catalog_info.YAML"] {
            assert!(is_descriptor_name(name) && is_yaml_name(name), "{name}");
        }
        for name in ["template.yaml", "my-catalog-info.yaml", "catalog-info.json"] {
            assert!(!is_descriptor_name(name), "{name}");
        }
        assert!(!is_yaml_name(".yaml") && is_yaml_name("a.YML"));
    }
}
