//! The kubectl command that does the same: for every place and act, quoted for a POSIX shell.
//!
//! Pure. Start at [`Kubectl::line`].

use super::cluster::{Cluster, Connection};
use super::object::ObjectRef;
use std::path::PathBuf;
use std::sync::Arc;

/// Writes commands for objects of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubectl {
    /// Words that name the cluster: `--context prod-eu`.
    cluster: Vec<String>,
}

/// What a command does to an object of a kind, `deployment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// List the kind in the object's namespace.
    List,
    /// Show a row.
    Get,
    /// Describe.
    Describe,
    /// Print as YAML.
    Yaml,
    /// Events about it.
    Events,
    /// Logs of a container, or of all.
    Logs {
        /// Its container; `None` for all.
        container: Option<Arc<str>>,
        /// The instance before.
        is_previous: bool,
    },
    /// A shell or a command in a container.
    Exec {
        /// Its container; `None` for the first.
        container: Option<Arc<str>>,
        /// The command; empty for a shell.
        command: Vec<String>,
    },
    /// A container beside one without a shell.
    Debug {
        /// The container looked into; `None` for the first.
        container: Option<Arc<str>>,
    },
    /// Forward a port.
    Forward {
        /// Port here; 0 for any.
        local: u16,
        /// Port there.
        remote: u16,
    },
    /// Restart.
    Restart,
    /// Scale to a number.
    Scale(u32),
    /// Roll back, to a revision or the one before.
    RollBack(Option<u64>),
    /// Revisions.
    Revisions,
    /// Delete.
    Delete,
    /// Evict a pod.
    Evict {
        /// Version of the eviction API.
        version: String,
    },
    /// Hold a cron job or job, or let it go on.
    Suspend(bool),
    /// Make a job of a cron job.
    Trigger {
        /// Name of the job.
        job: String,
    },
}

impl Kubectl {
    /// Creates commands for a cluster.
    pub fn new(cluster: &Cluster) -> Self {
        let words = match &cluster.connection {
            Ok(Connection::Kubeconfig { files, context }) => {
                let mut words = Vec::new();
                // kubectl finds the usual files by itself
                if let [file] = files.as_slice()
                    && !is_usual(file)
                {
                    words.extend(["--kubeconfig".to_owned(), file.display().to_string()]);
                }
                words.extend(["--context".to_owned(), context.clone()]);
                words
            }
            Ok(Connection::Direct { url, .. }) => vec!["--server".to_owned(), url.clone()],
            // the same name may be a context of the reader; nothing better can be said
            Ok(Connection::Backstage { cluster, .. }) => vec!["--context".to_owned(), cluster.clone()],
            Ok(Connection::InCluster) | Err(_) => Vec::new(),
        };
        Self { cluster: words }
    }

    /// Returns the command for an act on an object; `word` is the kind as kubectl takes it.
    pub fn line(&self, word: &str, at: &ObjectRef, act: &Act) -> String {
        let mut words = vec!["kubectl".to_owned()];
        words.extend(self.cluster.iter().cloned());
        if !at.namespace.is_empty() {
            words.extend(["-n".to_owned(), at.namespace.to_string()]);
        }
        if let Act::Evict { version } = act {
            return self.eviction(version, at);
        }
        words.extend(arguments(&word.to_lowercase(), at, act));
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// kubectl evicts only whole nodes; a pod is evicted by a request as it stands.
    fn eviction(&self, version: &str, at: &ObjectRef) -> String {
        let body = format!(
            r#"{{"apiVersion":"{version}","kind":"Eviction","metadata":{{"name":"{}","namespace":"{}"}}}}"#,
            at.name, at.namespace
        );
        let path = format!("/api/v1/namespaces/{}/pods/{}/eviction", at.namespace, at.name);
        let mut words = vec!["kubectl".to_owned()];
        words.extend(self.cluster.iter().cloned());
        words.extend(["create", "--raw", &path, "-f", "-"].map(str::to_owned));
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        format!("echo {} | {}", quoted(&body), words.join(" "))
    }
}

fn arguments(word: &str, at: &ObjectRef, act: &Act) -> Vec<String> {
    let name = at.name.to_string();
    let both = || format!("{word}/{name}");
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let of_container = |container: &Option<Arc<str>>| match container {
        Some(container) => vec!["-c".to_owned(), container.to_string()],
        None => Vec::new(),
    };
    match act {
        Act::List => text(&["get", word]),
        Act::Get => text(&["get", word, &name]),
        Act::Describe => text(&["describe", word, &name]),
        Act::Yaml => text(&["get", word, &name, "-o", "yaml"]),
        Act::Events => text(&["get", "events", "--field-selector", &format!("involvedObject.name={name}")]),
        Act::Logs { container, is_previous } => {
            let mut words = text(&["logs", &both()]);
            match container {
                Some(_) => words.extend(of_container(container)),
                None => words.push("--all-containers".to_owned()),
            }
            words.push(if *is_previous { "--previous" } else { "-f" }.to_owned());
            words
        }
        Act::Exec { container, command } => {
            let mut words = text(&["exec", "-it", &both()]);
            words.extend(of_container(container));
            words.push("--".to_owned());
            if command.is_empty() {
                words.extend(text(&["sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"]));
            } else {
                words.extend(command.iter().cloned());
            }
            words
        }
        Act::Debug { container } => {
            let mut words = text(&["debug", "-it", &name, "--image=busybox"]);
            words.extend(container.iter().map(|container| format!("--target={container}")));
            words
        }
        Act::Forward { local, remote } => {
            let ports = if *local == 0 { format!(":{remote}") } else { format!("{local}:{remote}") };
            text(&["port-forward", &both(), &ports])
        }
        Act::Restart => text(&["rollout", "restart", &both()]),
        Act::Scale(count) => text(&["scale", &both(), &format!("--replicas={count}")]),
        Act::RollBack(to) => {
            let mut words = text(&["rollout", "undo", &both()]);
            words.extend(to.map(|number| format!("--to-revision={number}")));
            words
        }
        Act::Revisions => text(&["rollout", "history", &both()]),
        Act::Delete => text(&["delete", word, &name]),
        Act::Evict { .. } => Vec::new(),
        Act::Suspend(is_held) => {
            text(&["patch", word, &name, "-p", &format!(r#"{{"spec":{{"suspend":{is_held}}}}}"#)])
        }
        Act::Trigger { job } => text(&["create", "job", job, &format!("--from=cronjob/{name}")]),
    }
}

/// Returns whether kubectl reads a file without being told.
fn is_usual(file: &PathBuf) -> bool {
    let listed = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    match listed {
        Some(list) => std::env::split_paths(&list).any(|usual| usual == *file),
        None => {
            std::env::var_os("HOME").is_some_and(|home| PathBuf::from(home).join(".kube/config") == *file)
        }
    }
}

/// Returns a word as a POSIX shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::kind::Kind;

    fn cluster(connection: Connection) -> Cluster {
        Cluster {
            name: "prod".into(),
            title: "prod".into(),
            environment: "".into(),
            is_protected: false,
            colour: None,
            origin: String::new(),
            connection: Ok(connection),
            namespace: None,
            skip_metrics: false,
            custom_resources: None,
            dashboard: None,
        }
    }

    #[test]
    fn each_act_has_its_command() {
        let connection = Connection::Kubeconfig { files: Vec::new(), context: "admin@home lab".into() };
        let kubectl = Kubectl::new(&cluster(connection));
        let at = ObjectRef {
            cluster: "prod".into(),
            kind: Kind::Deployment,
            namespace: "shop".into(),
            name: "web".into(),
        };
        let app = Some(Arc::from("app"));
        let cases = [
            (Act::Get, "get deployment web"),
            (Act::Yaml, "get deployment web -o yaml"),
            (Act::Events, "get events --field-selector involvedObject.name=web"),
            (Act::Logs { container: None, is_previous: false }, "logs deployment/web --all-containers -f"),
            (
                Act::Logs { container: app.clone(), is_previous: true },
                "logs deployment/web -c app --previous",
            ),
            (
                Act::Exec { container: app.clone(), command: vec!["echo".into(), "it's".into()] },
                r"exec -it deployment/web -c app -- echo 'it'\''s'",
            ),
            (Act::Debug { container: app }, "debug -it web --image=busybox --target=app"),
            (Act::Forward { local: 0, remote: 80 }, "port-forward deployment/web :80"),
            (Act::Restart, "rollout restart deployment/web"),
            (Act::Scale(4), "scale deployment/web --replicas=4"),
            (Act::RollBack(None), "rollout undo deployment/web"),
            (Act::RollBack(Some(3)), "rollout undo deployment/web --to-revision=3"),
            (Act::Suspend(true), r#"patch deployment web -p '{"spec":{"suspend":true}}'"#),
            (Act::Delete, "delete deployment web"),
        ];
        for (act, rest) in cases {
            let expected = format!("kubectl --context 'admin@home lab' -n shop {rest}");
            assert_eq!(kubectl.line("Deployment", &at, &act), expected);
        }
        let line = kubectl.line("Pod", &at, &Act::Evict { version: "policy/v1".into() });
        assert!(line.starts_with(r#"echo '{"apiVersion":"policy/v1","kind":"Eviction""#), "{line}");
        assert!(line.ends_with("--raw /api/v1/namespaces/shop/pods/web/eviction -f -"), "{line}");
    }

    #[test]
    fn a_cluster_is_named_by_how_it_is_reached() {
        let at =
            ObjectRef { cluster: "prod".into(), kind: Kind::Node, namespace: "".into(), name: "n1".into() };
        let direct = Connection::Direct {
            url: "https://10.0.0.1:6443".into(),
            token: None,
            authority: None,
            skip_tls_verify: false,
        };
        let elsewhere = Connection::Kubeconfig { files: vec!["/no/such file".into()], context: "c".into() };
        let cases = [
            (direct, "kubectl --server https://10.0.0.1:6443 get node n1"),
            (Connection::InCluster, "kubectl get node n1"),
            (elsewhere, "kubectl --kubeconfig '/no/such file' --context c get node n1"),
        ];
        for (connection, expected) in cases {
            assert_eq!(Kubectl::new(&cluster(connection)).line("Node", &at, &Act::Get), expected);
        }
    }

    #[test]
    fn words_survive_a_shell() {
        for (word, expected) in
            [("a-b.c/d=1", "a-b.c/d=1"), ("", "''"), ("a b", "'a b'"), ("$(x)", "'$(x)'"), ("'", r"''\'''")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
