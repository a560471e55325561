//! Label selectors as Kubernetes writes them: `a=b,c!=d,e in (x,y),f notin (z),g,!h`.

use super::filter::FilterError;
use crate::model::value::ValueRef;

/// Conditions on labels; all must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// One condition on one label. Keys and values compare exactly, as in Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// What must hold.
    pub test: LabelTest,
}

/// What must hold of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelTest {
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// Its value is one of these.
    In(Vec<String>),
    /// It is not there, or its value is none of these.
    NotIn(Vec<String>),
}

impl Selector {
    /// Reads a selector; an empty text matches everything.
    ///
    /// # Errors
    /// [`FilterError`] with the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut requirements = Vec::new();
        let mut start = 0;
        for part in split_outside_parentheses(text)? {
            let trimmed = part.trim();
            let offset = start + (part.len() - part.trim_start().len());
            start += part.len() + 1;
            if trimmed.is_empty() {
                if text.trim().is_empty() {
                    continue;
                }
                let end = (offset + 1).min(text.len()).max(offset.min(text.len()));
                return Err(FilterError::new(offset.min(text.len())..end, "a condition is empty"));
            }
            let requirement = requirement(trimmed)
                .map_err(|message| FilterError::new(offset..offset + trimmed.len(), message))?;
            requirements.push(requirement);
        }
        Ok(Self { requirements })
    }

    /// Returns the conditions.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Returns whether labels (an object, or null) meet all conditions.
    pub fn matches(&self, labels: ValueRef<'_>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.as_object().and_then(|fields| fields.get(&requirement.key));
            let text = value.and_then(ValueRef::scalar_text);
            match &requirement.test {
                LabelTest::Exists => value.is_some(),
                LabelTest::Absent => value.is_none(),
                LabelTest::In(values) => text.is_some_and(|text| values.iter().any(|v| *v == *text)),
                LabelTest::NotIn(values) => text.is_none_or(|text| !values.iter().any(|v| *v == *text)),
            }
        })
    }
}

fn split_outside_parentheses(text: &str) -> Result<Vec<&str>, FilterError> {
    let mut parts = Vec::new();
    let (mut open, mut start) = (None, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' if open.is_none() => open = Some(at),
            ')' => open = None,
            ',' if open.is_none() => {
                parts.push(text.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(at) = open {
        return Err(FilterError::new(at..text.len(), "the parenthesis is not closed"));
    }
    parts.push(text.get(start..).unwrap_or(""));
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let make = |key: &str, test| {
        let key = key.trim();
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "()=!,".contains(c)) {
            return Err(format!("`{text}` has no label key"));
        }
        Ok(Requirement { key: key.to_owned(), test })
    };
    let value = |text: &str| vec![text.trim().to_owned()];
    if let Some(list) = text.strip_suffix(')') {
        let Some((head, list)) = list.split_once('(') else {
            return Err(format!("`{text}` closes a parenthesis that is not open"));
        };
        let values: Vec<String> = list.split(',').map(|v| v.trim().to_owned()).collect();
        return match head.trim_end().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => make(key, LabelTest::In(values)),
            Some((key, "notin")) => make(key, LabelTest::NotIn(values)),
            _ => Err(format!("`{text}` needs `in` or `notin` before its list")),
        };
    }
    if let Some((key, rest)) = text.split_once("!=") {
        return make(key, LabelTest::NotIn(value(rest)));
    }
    if let Some((key, rest)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return make(key, LabelTest::In(value(rest)));
    }
    match text.strip_prefix('!') {
        Some(key) => make(key, LabelTest::Absent),
        None => make(text, LabelTest::Exists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::PackedBuilder;
    use proptest::prelude::*;

    fn matches(selector: &str) -> bool {
        let mut builder = PackedBuilder::new();
        builder.json(&serde_json::json!({"app": "shop", "tier": "1", "empty": ""}));
        let bytes = builder.finish();
        Selector::parse(selector).unwrap().matches(ValueRef::new(&bytes))
    }

    #[test]
    fn matches_like_kubernetes() {
        let cases = [
            ("", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("app=shop", true),
            ("app==shop", true),
            ("app=Shop", false),
            ("app!=shop", false),
            ("other!=shop", true),
            ("app in (a, shop)", true),
            ("app notin (a,shop),tier=1", false),
            ("other notin (a)", true),
            ("empty=", true),
            ("app=shop, tier in (2)", false),
        ];
        for (selector, expected) in cases {
            assert_eq!(matches(selector), expected, "{selector}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        for (selector, span) in
            [("a=b,,c", 4..5), ("a in (x", 5..7), ("=x", 0..2), ("a of (x)", 0..8), ("a,", 2..2)]
        {
            assert_eq!(Selector::parse(selector).unwrap_err().span, span, "{selector}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_points_inside(text in ".{0,60}") {
            if let Err(error) = Selector::parse(&text) {
                prop_assert!(error.span.end <= text.len());
                prop_assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
            }
        }
    }
}
