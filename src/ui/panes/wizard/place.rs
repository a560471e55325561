//! What the wizard is opened with: a template, the entity that it is for, a run whose answers are taken.

use crate::app::Context;
use crate::app::palette;
use crate::model::EntityRef;
use crate::model::entity_ref::split_canonical;

/// What a place line of the wizard names: `template:default/new-service`, `new-service for
/// component:default/checkout`, `new-service like 20261122-2`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Canonical ref of the template.
    pub template: String,
    /// Canonical ref of the entity that the first question is about.
    pub entity: Option<String>,
    /// Number of the run whose answers are taken.
    pub run: Option<String>,
}

impl Target {
    /// Reads an argument of a place line.
    ///
    /// # Errors
    /// A sentence when it names no template.
    pub fn parse(argument: &str, cx: &Context) -> Result<Self, String> {
        let mut words = argument.split_whitespace();
        let name = words.next().ok_or("name a template: `new TEMPLATE`")?;
        let template = find(name, cx)?;
        let mut target = Self { template, ..Self::default() };
        while let Some(word) = words.next() {
            match (word, words.next()) {
                ("for", Some(entity)) => {
                    let found = palette::find_entity(entity, cx);
                    target.entity = Some(found.ok_or_else(|| format!("there is no entity `{entity}`"))?);
                }
                ("like", Some(run)) => target.run = Some(run.to_owned()),
                _ => return Err(format!("`{word}` is not understood; write `new TEMPLATE for ENTITY`")),
            }
        }
        Ok(target)
    }

    /// Writes the argument that [`Self::parse`] reads.
    pub fn to_argument(&self) -> String {
        let mut line = self.template.clone();
        for (word, value) in [("for", &self.entity), ("like", &self.run)] {
            if let Some(value) = value {
                line.push_str(&format!(" {word} {value}"));
            }
        }
        line
    }
}

/// Finds a template by ref, by name, or by the one name that begins so.
fn find(name: &str, cx: &Context) -> Result<String, String> {
    let is_template = |canonical: &&str| split_canonical(canonical).0 == "template";
    if name.contains(':') {
        let parsed = EntityRef::parse_full(name).map_err(|error| error.to_string())?;
        let canonical = parsed.to_string();
        return match cx.catalog.find(&canonical).filter(|id| cx.catalog.is_entity(*id)) {
            Some(_) if is_template(&canonical.as_str()) => Ok(canonical),
            Some(_) => Err(format!("`{canonical}` is no template")),
            None => Err(format!("there is no template `{canonical}`")),
        };
    }
    let (namespace, wanted) = name.split_once('/').map_or((None, name), |(ns, name)| (Some(ns), name));
    let (namespace, wanted) = (namespace.map(str::to_lowercase), wanted.to_lowercase());
    let all = || {
        cx.catalog
            .ids()
            .filter(|id| cx.catalog.is_entity(*id))
            .map(|id| cx.catalog.ref_of(id))
            .filter(is_template)
    };
    let fits = |canonical: &&str| {
        let (_, ns, name) = split_canonical(canonical);
        name == wanted && namespace.as_deref().is_none_or(|wanted| wanted == ns)
    };
    let mut found: Vec<&str> = all().filter(fits).collect();
    if found.is_empty() && namespace.is_none() {
        found = all().filter(|canonical| split_canonical(canonical).2.starts_with(&wanted)).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => {
            let names: Vec<&str> = all().map(|canonical| split_canonical(canonical).2).collect();
            let near = crate::model::text::nearest(&wanted, names);
            let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(format!("there is no template `{name}`{hint}"))
        }
        many => Err(format!("`{name}` may be {}; write the whole ref", many.join(" or "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panes::test_support::sample;

    #[test]
    fn names_refs_and_beginnings_name_a_template() {
        let cx = sample(80, 24);
        for text in ["new-job", "template:default/new-job", "template:new-job", "default/new-job"] {
            assert_eq!(Target::parse(text, &cx).unwrap().template, "template:default/new-job", "{text}");
        }
        let target = Target::parse("new-job for component:checkout-api like 7", &cx).unwrap();
        assert_eq!(
            target.to_argument(),
            "template:default/new-job for component:default/checkout-api like 7"
        );
        assert_eq!(Target::parse(&target.to_argument(), &cx), Ok(target));
    }

    #[test]
    fn what_names_nothing_says_so() {
        let cx = sample(80, 24);
        assert!(Target::parse("", &cx).unwrap_err().contains("name a template"));
        assert!(Target::parse("new-jib", &cx).unwrap_err().contains("did you mean `new-job`"));
        assert!(Target::parse("component:default/checkout-api", &cx).unwrap_err().contains("no template"));
        assert!(Target::parse("new-job with x", &cx).unwrap_err().contains("not understood"));
    }
}
