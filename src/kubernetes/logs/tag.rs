//! Short names of sources: the last letters of the pod's name, with the container where needed.

use super::LogSource;
use std::collections::HashMap;
use std::sync::Arc;

/// A last part shorter than this says too little: `0` of `web-0`.
const SHORT: usize = 4;

/// Gives each source without a tag one that nobody else has. A tag that was given stays.
pub(super) fn give(sources: &mut [LogSource]) {
    type Pod = (Arc<str>, Arc<str>, Arc<str>);
    let mut containers: HashMap<Pod, usize> = HashMap::new();
    let key = |source: &LogSource| {
        (source.pod.cluster.clone(), source.pod.namespace.clone(), source.pod.name.clone())
    };
    for source in &*sources {
        *containers.entry(key(source)).or_default() += 1;
    }
    let mut taken: HashMap<Arc<str>, usize> = HashMap::new();
    for (at, source) in sources.iter().enumerate().filter(|(_, source)| !source.tag.is_empty()) {
        taken.insert(source.tag.clone(), at);
    }
    for (at, source) in sources.iter_mut().enumerate().filter(|(_, source)| source.tag.is_empty()) {
        let pod = &source.pod;
        let is_one_of_many = containers.get(&key(source)).is_some_and(|count| *count > 1);
        let container = if is_one_of_many { format!("/{}", source.container) } else { String::new() };
        let candidates = [
            format!("{}{container}", last_part(&pod.name)),
            format!("{}{container}", pod.name),
            format!("{}/{}{container}", pod.namespace, pod.name),
            format!("{}/{}/{}{container}", pod.cluster, pod.namespace, pod.name),
            format!("{}/{}/{}{container}#{at}", pod.cluster, pod.namespace, pod.name),
        ];
        let free = candidates.into_iter().find(|tag| !taken.contains_key(tag.as_str()));
        source.tag = free.unwrap_or_default().into();
        taken.insert(source.tag.clone(), at);
    }
}

fn last_part(name: &str) -> &str {
    let mut parts = name.rmatch_indices('-').map(|(at, _)| name.get(at + 1..).unwrap_or(name));
    parts.find(|part| part.len() >= SHORT).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::logs::SourceState;
    use crate::kubernetes::{Kind, ObjectRef};

    #[test]
    fn tags_are_short_and_nobody_shares_one() {
        let source = |pod: &str, container: &str| LogSource {
            tag: "".into(),
            pod: ObjectRef { cluster: "c".into(), kind: Kind::Pod, namespace: "n".into(), name: pod.into() },
            container: container.into(),
            is_previous: false,
            state: SourceState::Opening,
            lines: 0,
        };
        let mut sources = vec![
            source("shop-7d9f-x2k4q", "app"),
            source("web-0", "app"),
            source("web-0", "proxy"),
            source("other-x2k4q", "app"),
            source("single", "app"),
        ];
        give(&mut sources);
        sources.push(source("web-0", "late"));
        sources.push(source("web-0", "late"));
        give(&mut sources);
        let tags: Vec<&str> = sources.iter().map(|source| &*source.tag).collect();
        let expected =
            ["x2k4q", "web-0/app", "web-0/proxy", "other-x2k4q", "single", "web-0/late", "n/web-0/late"];
        assert_eq!(tags, expected);
    }
}
