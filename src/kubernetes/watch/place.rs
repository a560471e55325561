//! Where the objects of a kind lie in the API: group, version, plural; older versions where a server lacks the
//! newest.

use crate::kubernetes::cluster::CustomResource;
use crate::kubernetes::kind::Kind;
use std::collections::BTreeMap;

/// Where the objects of a kind lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// API group; empty for the core.
    pub group: String,
    /// Version.
    pub version: String,
    /// As in paths.
    pub plural: String,
    /// Lives in a namespace; `None` when that is not known.
    pub is_namespaced: bool,
}

impl Place {
    /// Returns the path of a list: over all namespaces, or of one.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let base = match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{}", self.plural),
            None => format!("{base}/{}", self.plural),
        }
    }
}

/// Returns where objects of a kind may lie, the best first: a version that the configuration names, the newest,
/// and what older servers have instead. Empty for a custom resource that is not configured.
pub fn places(kind: Kind, custom: &[CustomResource], overrides: &BTreeMap<String, String>) -> Vec<Place> {
    if let Kind::Custom(at) = kind {
        let place = |custom: &CustomResource| Place {
            group: custom.group.clone(),
            version: custom.version.clone(),
            plural: custom.plural.clone(),
            is_namespaced: true,
        };
        return custom.get(usize::from(at)).map(place).into_iter().collect();
    }
    let Some(spec) = kind.spec() else { return Vec::new() };
    let older: &[(&str, &str)] = match kind {
        Kind::CronJob => &[("batch", "v1beta1")],
        Kind::HorizontalPodAutoscaler => {
            &[("autoscaling", "v2beta2"), ("autoscaling", "v2beta1"), ("autoscaling", "v1")]
        }
        Kind::Ingress => &[("networking.k8s.io", "v1beta1"), ("extensions", "v1beta1")],
        _ => &[],
    };
    let place = |(group, version): (&str, &str)| Place {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: spec.plural.to_owned(),
        is_namespaced: spec.is_namespaced,
    };
    let named = overrides.get(spec.plural).map(|version| (spec.group, version.as_str()));
    let mut places: Vec<Place> = named
        .into_iter()
        .chain([(spec.group, spec.version)])
        .chain(older.iter().copied())
        .map(place)
        .collect();
    places.dedup();
    places
}

/// Reads versions to ask for first, as the setting has them: `cronjobs=v1beta1`. What is no such pair is left out.
pub fn overrides(words: &[String]) -> BTreeMap<String, String> {
    let is_part = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let pair = |word: &String| {
        let (plural, version) = word.split_once('=')?;
        let (plural, version) = (plural.trim().to_lowercase(), version.trim());
        (is_part(&plural) && is_part(version)).then(|| (plural, version.to_owned()))
    };
    words.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(kind: Kind, overrides: &[(&str, &str)]) -> Vec<String> {
        let overrides = overrides.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        places(kind, &[], &overrides).iter().map(|place| place.path(None)).collect()
    }

    #[test]
    fn older_versions_follow_the_newest() {
        assert_eq!(paths(Kind::Pod, &[]), ["/api/v1/pods"]);
        assert_eq!(paths(Kind::CronJob, &[]), ["/apis/batch/v1/cronjobs", "/apis/batch/v1beta1/cronjobs"]);
        let overrides = [("cronjobs", "v1beta1")];
        assert_eq!(paths(Kind::CronJob, &overrides)[0], "/apis/batch/v1beta1/cronjobs");
        assert_eq!(paths(Kind::Ingress, &[]).len(), 3);
        assert!(paths(Kind::Custom(3), &[]).is_empty());
        let pods = &places(Kind::Pod, &[], &BTreeMap::new())[0];
        assert_eq!(pods.path(Some("shop")), "/api/v1/namespaces/shop/pods");
    }

    #[test]
    fn versions_of_the_setting_are_pairs_that_fit_into_paths() {
        let words = ["CronJobs = v1beta1", "ingresses", "pods=../v1", "=v1", "jobs=v1"].map(str::to_owned);
        let found = overrides(&words);
        let expected = [("cronjobs", "v1beta1"), ("jobs", "v1")];
        assert!(found.iter().map(|(a, b)| (a.as_str(), b.as_str())).eq(expected), "{found:?}");
    }
}
