//! Who may do what: a small table of rules per token, and the reviews that tell it.

use super::status::Failure;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A token with what it may do.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its name.
    pub user: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// What it may do.
    pub rules: Vec<Rule>,
    /// What it may not do all the same, to inject faults.
    pub denied: Vec<Rule>,
    /// Not known any more from then on.
    pub expires: Option<Timestamp>,
}

/// Something that may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `get`, or `*`.
    pub verbs: Vec<String>,
    /// API groups, or `*`.
    pub groups: Vec<String>,
    /// `pods`, `pods/log`, or `*`.
    pub resources: Vec<String>,
    /// In these namespaces; empty for everywhere.
    pub namespaces: Vec<String>,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Default)]
pub struct Wish<'a> {
    /// `list`.
    pub verb: &'a str,
    /// API group.
    pub group: &'a str,
    /// `pods`.
    pub resource: &'a str,
    /// `log`; empty for none.
    pub sub: &'a str,
    /// Where; empty for everywhere.
    pub namespace: &'a str,
    /// To what; empty for all.
    pub name: &'a str,
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == "*" || one == wanted)
}

impl Rule {
    /// Makes a rule; words are separated by spaces, `""` is the core group, no namespaces mean everywhere.
    pub fn new(verbs: &str, groups: &str, resources: &str, namespaces: &str) -> Self {
        let words = |text: &str| -> Vec<String> {
            text.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
        };
        Self {
            verbs: words(verbs),
            groups: words(groups),
            resources: words(resources),
            namespaces: words(namespaces),
        }
    }

    /// Allows everything everywhere.
    pub fn everything() -> Self {
        Self::new("*", "*", "*", "")
    }

    fn allows(&self, wish: &Wish<'_>) -> bool {
        let resource = if wish.sub.is_empty() {
            wish.resource.to_owned()
        } else {
            format!("{}/{}", wish.resource, wish.sub)
        };
        let is_named = has(&self.resources, &resource)
            || (!wish.sub.is_empty() && has(&self.resources, &format!("*/{}", wish.sub)));
        let is_there = self.namespaces.is_empty() || has(&self.namespaces, wish.namespace);
        has(&self.verbs, wish.verb) && has(&self.groups, wish.group) && is_named && is_there
    }
}

impl Caller {
    /// Makes somebody who may do everything.
    pub fn admin(user: &str) -> Self {
        Self::new(user, vec![Rule::everything()])
    }

    /// Makes somebody with rules.
    pub fn new(user: &str, rules: Vec<Rule>) -> Self {
        let groups = vec!["system:authenticated".to_owned()];
        Self { user: user.to_owned(), groups, rules, denied: Vec::new(), expires: None }
    }

    /// Returns whether something may be done.
    pub fn may(&self, wish: &Wish<'_>) -> bool {
        // a rule that denies a list over all namespaces denies it in each
        let is_denied = self.denied.iter().any(|rule| rule.allows(wish));
        !is_denied && self.rules.iter().any(|rule| rule.allows(wish))
    }

    /// Refuses what may not be done, in the words of the real one.
    ///
    /// # Errors
    /// [`Failure`] 403.
    pub fn check(&self, wish: &Wish<'_>) -> Result<(), Failure> {
        if self.may(wish) {
            return Ok(());
        }
        let resource = if wish.sub.is_empty() {
            wish.resource.to_owned()
        } else {
            format!("{}/{}", wish.resource, wish.sub)
        };
        let qualified = if wish.group.is_empty() {
            wish.resource.to_owned()
        } else {
            format!("{}.{}", wish.resource, wish.group)
        };
        let subject = if wish.name.is_empty() { qualified } else { format!("{qualified} \"{}\"", wish.name) };
        let place = if wish.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", wish.namespace)
        };
        let message = format!(
            "{subject} is forbidden: User \"{}\" cannot {} resource \"{resource}\" in API group \"{}\" {place}",
            self.user, wish.verb, wish.group
        );
        let mut details = json!({"kind": wish.resource});
        if !wish.name.is_empty() {
            details["name"] = wish.name.into();
        }
        if !wish.group.is_empty() {
            details["group"] = wish.group.into();
        }
        Err(Failure { details: Some(details), ..Failure::new(403, "Forbidden", message) })
    }

    /// Answers a `SelfSubjectAccessReview`.
    pub fn review(&self, mut review: Value) -> Value {
        let spec = review["spec"].clone();
        let allowed = if spec["nonResourceAttributes"].is_object() {
            true
        } else {
            let of = |key: &str| spec["resourceAttributes"][key].as_str().unwrap_or_default().to_owned();
            let (verb, group, resource, sub) = (of("verb"), of("group"), of("resource"), of("subresource"));
            let (namespace, name) = (of("namespace"), of("name"));
            self.may(&Wish {
                verb: &verb,
                group: &group,
                resource: &resource,
                sub: &sub,
                namespace: &namespace,
                name: &name,
            })
        };
        review["status"] = json!({"allowed": allowed});
        if allowed {
            review["status"]["reason"] = format!("RBAC: allowed for \"{}\"", self.user).into();
        }
        review["apiVersion"] = "authorization.k8s.io/v1".into();
        review["kind"] = "SelfSubjectAccessReview".into();
        if !review["metadata"].is_object() {
            review["metadata"] = json!({"creationTimestamp": null});
        }
        review
    }

    /// Answers a `SelfSubjectRulesReview`.
    pub fn rules_review(&self, mut review: Value) -> Value {
        let namespace = review["spec"]["namespace"].as_str().unwrap_or_default().to_owned();
        let own =
            self.rules.iter().filter(|rule| rule.namespaces.is_empty() || has(&rule.namespaces, &namespace));
        let rules: Vec<Value> = own
            .map(|rule| json!({"verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources}))
            .collect();
        let plain = json!([{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/version", "/api", "/apis", "/api/*", "/apis/*"]}]);
        review["status"] = json!({"resourceRules": rules, "nonResourceRules": plain, "incomplete": false});
        review["apiVersion"] = "authorization.k8s.io/v1".into();
        review["kind"] = "SelfSubjectRulesReview".into();
        review
    }

    /// Answers a `SelfSubjectReview`.
    pub fn who(&self) -> Value {
        json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": null},
            "status": {"userInfo": {"username": self.user, "groups": self.groups}},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish<'a>(verb: &'a str, resource: &'a str, sub: &'a str, namespace: &'a str) -> Wish<'a> {
        Wish { verb, resource, sub, namespace, ..Wish::default() }
    }

    #[test]
    fn rules_are_of_verbs_resources_and_places() {
        let caller = Caller::new(
            "dana",
            vec![Rule::new("get list watch", "*", "*", ""), Rule::new("create", "\"\"", "pods/exec", "shop")],
        );
        for (wish, expected) in [
            (wish("list", "pods", "", ""), true),
            (wish("get", "pods", "log", "shop"), true),
            (wish("create", "pods", "exec", "shop"), true),
            (wish("create", "pods", "exec", "payments"), false),
            (wish("delete", "pods", "", "shop"), false),
        ] {
            assert_eq!(caller.may(&wish), expected, "{wish:?}");
        }
    }

    #[test]
    fn refusals_are_worded_as_the_real_ones() {
        let caller = Caller::new("jane", Vec::new());
        let all = caller.check(&wish("list", "pods", "", "")).unwrap_err();
        assert_eq!(
            all.message,
            "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
        );
        let wish = Wish {
            verb: "get",
            group: "apps",
            resource: "deployments",
            sub: "",
            namespace: "demo",
            name: "x",
        };
        let one = caller.check(&wish).unwrap_err();
        assert_eq!(
            one.message,
            "deployments.apps \"x\" is forbidden: User \"jane\" cannot get resource \"deployments\" in API group \
             \"apps\" in the namespace \"demo\""
        );
        assert_eq!(one.details, Some(json!({"name": "x", "group": "apps", "kind": "deployments"})));
    }
}
