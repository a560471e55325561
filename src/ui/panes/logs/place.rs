//! Place lines of logs: `logs checkout`, `logs pod prod-eu shop/checkout-7d [CONTAINER]`, `previous` at the end.

use crate::app::Context;
use crate::app::palette::find_entity;
use crate::kubernetes::ObjectRef;
use crate::kubernetes::logs::Of;
use crate::model::entity_ref::split_canonical;

/// Word at the end of a line that asks for the instance before.
const PREVIOUS: &str = "previous";

/// What a place line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose logs.
    pub of: Of,
    /// Only this container.
    pub container: Option<String>,
    /// The instance before the one that runs.
    pub is_previous: bool,
}

impl Target {
    /// Reads the argument of a place line.
    ///
    /// # Errors
    /// A sentence for the user when it names nothing.
    pub fn parse(argument: &str, cx: &Context) -> Result<Self, String> {
        let parts: Vec<&str> = argument.split(", ").collect();
        let mut objects = Vec::new();
        let (mut container, mut is_previous) = (None, false);
        for part in &parts {
            let mut words = words(part);
            if words.len() > 1 && words.last().is_some_and(|word| word == PREVIOUS) {
                words.pop();
                is_previous = true;
            }
            match read_object(&words, cx) {
                Some((object, of_it)) => {
                    objects.push(object);
                    container = of_it.or(container);
                }
                None if parts.len() == 1 && words.len() <= 2 => {
                    let name = words.first().map_or("", String::as_str);
                    let entity = find_entity(name, cx).ok_or_else(|| unknown(name))?;
                    return Ok(Self {
                        of: Of::Entity(entity),
                        container: words.get(1).cloned(),
                        is_previous,
                    });
                }
                None => return Err(unknown(part)),
            }
        }
        Ok(Self { of: Of::Objects(objects), container, is_previous })
    }

    /// Returns the argument that leads here again.
    pub fn to_argument(&self, cx: &Context) -> String {
        let mut line = match &self.of {
            Of::Entity(entity) => entity.clone(),
            Of::Objects(objects) => {
                let texts: Vec<String> = objects.iter().map(|object| object_text(object, cx)).collect();
                texts.join(", ")
            }
        };
        for word in self.container.iter().map(String::as_str).chain(self.is_previous.then_some(PREVIOUS)) {
            line.push(' ');
            line.push_str(word);
        }
        line
    }

    /// Returns what it is called in the title.
    pub fn name(&self) -> String {
        let name = match &self.of {
            Of::Entity(entity) => split_canonical(entity).2.to_owned(),
            Of::Objects(objects) => match objects.as_slice() {
                [one] => one.name.to_string(),
                many => format!("{} objects", many.len()),
            },
        };
        match &self.container {
            Some(container) => format!("{name}/{container}"),
            None => name,
        }
    }

    /// Returns the command that prints the same.
    pub fn command(&self) -> String {
        let mut words = vec!["devportal logs".to_owned()];
        match &self.of {
            Of::Entity(entity) => words.push(entity.clone()),
            Of::Objects(objects) => {
                if let Some(first) = objects.first() {
                    words.push(format!(
                        "pod/{} -n {} --context {}",
                        first.name,
                        first.namespace,
                        quoted(&first.cluster)
                    ));
                }
            }
        }
        words.extend(self.container.iter().map(|container| format!("-c {container}")));
        words.extend(self.is_previous.then(|| "--previous".to_owned()));
        words.join(" ")
    }
}

/// Reads `pod CLUSTER NS/NAME [CONTAINER]` or `pod/NS/NAME@CLUSTER [CONTAINER]`.
fn read_object(words: &[String], cx: &Context) -> Option<(ObjectRef, Option<String>)> {
    let first = words.first()?;
    if let Some(object) = cx.kubernetes.parse_ref(first) {
        return (words.len() <= 2).then(|| (object, words.get(1).cloned()));
    }
    let kind = cx.kubernetes.find_kind(first)?;
    let (cluster, path) = (words.get(1)?, words.get(2)?);
    let (namespace, name) = path.split_once('/').filter(|(_, name)| !name.is_empty())?;
    let object =
        ObjectRef { cluster: cluster.as_str().into(), kind, namespace: namespace.into(), name: name.into() };
    (words.len() <= 4).then(|| (object, words.get(3).cloned()))
}

fn object_text(object: &ObjectRef, cx: &Context) -> String {
    let kind = cx.kubernetes.kind_word(object.kind);
    format!("{kind} {} {}/{}", quoted(&object.cluster), object.namespace, object.name)
}

fn quoted(word: &str) -> String {
    if word.contains([' ', ',']) { format!("\"{word}\"") } else { word.to_owned() }
}

/// Splits at spaces; what stands in quotes stays together.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some(parts) => parts,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        out.push(word.to_owned());
        rest = tail.trim_start();
    }
    out
}

fn unknown(name: &str) -> String {
    format!(
        "nothing called `{name}` has logs; write `logs NAME` or `logs pod CLUSTER NAMESPACE/NAME [CONTAINER]`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panes::test_support::sample;

    #[test]
    fn place_lines_come_back() {
        let cx = sample(80, 24);
        let cases = [
            ("checkout-api", "component:default/checkout-api"),
            ("component:default/checkout-api previous", "component:default/checkout-api previous"),
            ("checkout-api app", "component:default/checkout-api app"),
            ("pod prod-eu shop/a-1", "pod prod-eu shop/a-1"),
            ("po prod-eu shop/a-1 side previous", "pod prod-eu shop/a-1 side previous"),
            ("deploy \"home lab\" shop/a", "deployment \"home lab\" shop/a"),
            ("pod/shop/a-1@prod-eu side", "pod prod-eu shop/a-1 side"),
            ("pod c a/b, pod c a/d", "pod c a/b, pod c a/d"),
        ];
        for (typed, line) in cases {
            let target = Target::parse(typed, &cx).unwrap_or_else(|reason| panic!("{typed}: {reason}"));
            assert_eq!(target.to_argument(&cx), line, "{typed}");
            assert_eq!(Target::parse(line, &cx).as_ref(), Ok(&target));
        }
        for wrong in ["", "nobody-knows", "pod prod-eu", "pod c noslash", "pod c a/b x y z"] {
            assert!(Target::parse(wrong, &cx).is_err(), "{wrong}");
        }
    }
}
