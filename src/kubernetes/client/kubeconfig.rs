//! Reads kubeconfig files so that one broken entry spoils only what names it.
//!
//! Start at [`read`]. Entries are decoded one by one; of entries with the same name the first counts, as for
//! kubectl. Nothing that stands in a file is repeated in an error: it may be a credential.

use kube::config::{Context, Kubeconfig, NamedAuthInfo, NamedCluster};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// Largest kubeconfig that is read, in bytes.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// What kubeconfig files say together.
#[derive(Debug, Default)]
pub struct Read {
    /// Contexts in the order they stand; with the file.
    pub contexts: Vec<(String, PathBuf, Result<Context, String>)>,
    /// Files that cannot be read at all, with the cause.
    pub broken: Vec<(PathBuf, String)>,
    clusters: BTreeMap<String, Result<NamedCluster, String>>,
    users: BTreeMap<String, Result<NamedAuthInfo, String>>,
}

impl Read {
    /// Returns a kubeconfig with one context and what it names.
    ///
    /// # Errors
    /// What is missing or broken, in a sentence.
    pub fn of_context(&self, name: &str) -> Result<Kubeconfig, String> {
        let (_, _, context) = self
            .contexts
            .iter()
            .find(|(known, _, _)| known == name)
            .ok_or_else(|| format!("there is no context `{name}` any more"))?;
        let context = context.as_ref().map_err(Clone::clone)?;
        let cluster = match self.clusters.get(&context.cluster) {
            Some(cluster) => cluster.clone()?,
            None => {
                return Err(format!("it names the cluster `{}`, which is not described", context.cluster));
            }
        };
        let has_server = cluster.cluster.as_ref().and_then(|cluster| cluster.server.as_ref());
        if has_server.is_none_or(String::is_empty) {
            return Err(format!("its cluster `{}` has no `server`", context.cluster));
        }
        let mut auth_infos = Vec::new();
        if let Some(user) = context.user.as_deref().filter(|user| !user.is_empty()) {
            match self.users.get(user) {
                Some(known) => auth_infos.push(known.clone()?),
                None => return Err(format!("it names the user `{user}`, who is not described")),
            }
        }
        let named = kube::config::NamedContext {
            name: name.to_owned(),
            context: Some(context.clone()),
            ..Default::default()
        };
        Ok(Kubeconfig {
            clusters: vec![cluster],
            auth_infos,
            contexts: vec![named],
            current_context: Some(name.to_owned()),
            ..Default::default()
        })
    }
}

/// Reads files in the order in which they count. Blocks.
pub fn read(files: &[PathBuf]) -> Read {
    let mut all = Read::default();
    for file in files {
        match read_text(file) {
            Ok(text) => {
                for document in serde_yaml::Deserializer::from_str(&text) {
                    match Value::deserialize(document) {
                        Ok(value) => all.take(&value, file),
                        Err(error) => {
                            let at = error
                                .location()
                                .map(|at| format!(" at line {}, column {}", at.line(), at.column()));
                            let cause = format!("it is not valid YAML{}", at.unwrap_or_default());
                            all.broken.push((file.clone(), cause));
                            break;
                        }
                    }
                }
            }
            Err(cause) => all.broken.push((file.clone(), cause)),
        }
    }
    all
}

fn read_text(file: &Path) -> Result<String, String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(file)?.take(MAX_SIZE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "we may not read it".to_owned(),
        _ => error.to_string(),
    })?;
    let wide = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| of(*pair)).collect();
        String::from_utf16(&units).map_err(|_| "it is not valid UTF-16".to_owned())
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            String::from_utf8(rest.to_vec()).map_err(|_| "it is not valid UTF-8".to_owned())
        }
        _ => String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned()),
    }
}

impl Read {
    fn take(&mut self, value: &Value, file: &Path) {
        if value.is_null() {
            return;
        }
        if !value.is_mapping() {
            self.broken.push((file.to_owned(), "it is no kubeconfig: it has no keys".to_owned()));
            return;
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        for (name, entry) in named(value, "clusters") {
            let read = decode::<NamedCluster>(entry, "cluster", &name).map(|mut named| {
                if let Some(path) = named.cluster.as_mut().and_then(|c| c.certificate_authority.as_mut()) {
                    make_absolute(folder, path);
                }
                named
            });
            self.clusters.entry(name).or_insert(read);
        }
        for (name, entry) in named(value, "users") {
            let read = decode::<NamedAuthInfo>(entry, "user", &name).map(|mut named| {
                make_user_absolute(folder, &mut named);
                named
            });
            self.users.entry(name).or_insert(read);
        }
        for (name, entry) in named(value, "contexts") {
            if self.contexts.iter().any(|(known, _, _)| *known == name) {
                continue;
            }
            let context = entry.get("context").filter(|context| !context.is_null());
            let read = context
                .ok_or_else(|| "it says nothing".to_owned())
                .and_then(|context| decode::<Context>(context, "context", &name));
            self.contexts.push((name, file.to_owned(), read));
        }
    }
}

/// Iterates over the entries of a list that have a name.
fn named<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let entries = value.get(list).and_then(Value::as_sequence);
    entries.into_iter().flatten().filter_map(|entry| {
        let name = match entry.get("name")? {
            Value::String(name) => name.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((name, entry))
    })
}

/// Decodes an entry; the error never repeats what stands there.
fn decode<T: DeserializeOwned>(entry: &Value, what: &str, name: &str) -> Result<T, String> {
    serde_yaml::from_value(entry.clone()).map_err(|error| {
        let text = error.to_string();
        let missing = text.split_once("missing field `").and_then(|(_, rest)| rest.split_once('`'));
        match missing {
            Some((field, _)) => format!("its {what} `{name}` lacks `{field}`"),
            None => format!("its {what} `{name}` has a value of the wrong type"),
        }
    })
}

/// Paths are relative to the file they stand in.
fn make_absolute(folder: &Path, path: &mut String) {
    if !path.is_empty() && Path::new(path.as_str()).is_relative() {
        *path = folder.join(&*path).to_string_lossy().into_owned();
    }
}

fn make_user_absolute(folder: &Path, named: &mut NamedAuthInfo) {
    let Some(user) = &mut named.auth_info else { return };
    for path in
        [&mut user.client_certificate, &mut user.client_key, &mut user.token_file].into_iter().flatten()
    {
        make_absolute(folder, path);
    }
    // a bare command is looked up on the path
    let command = user.exec.as_mut().and_then(|exec| exec.command.as_mut());
    if let Some(command) = command.filter(|command| command.contains(MAIN_SEPARATOR)) {
        make_absolute(folder, command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    const MIXED: &str = "
clusters:
- {name: good, cluster: {server: 'https://10.0.0.1:6443', certificate-authority: ca.pem}}
- {name: bare, cluster: {}}
- {name: odd, cluster: {server: [1, 2]}}
users:
- {name: ana, user: {token: s3cret}}
- {name: bob, user: {token: {secret: s3cret}}}
contexts:
- {name: fine, context: {cluster: good, user: ana, namespace: shop}}
- {name: anonymous, context: {cluster: good}}
- {name: lost, context: {cluster: nowhere, user: ana}}
- {name: nobody, context: {cluster: good, user: eve}}
- {name: wrong-user, context: {cluster: good, user: bob}}
- {name: no-server, context: {cluster: bare, user: ana}}
- {name: odd-server, context: {cluster: odd, user: ana}}
- {name: empty}
- {name: text, context: words}
";

    #[test]
    fn broken_entry_spoils_only_what_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let read = read(&[write(folder.path(), "a", MIXED)]);
        let cases = [
            ("fine", ""),
            ("anonymous", ""),
            ("lost", "`nowhere`, which is not described"),
            ("nobody", "`eve`, who is not described"),
            ("wrong-user", "its user `bob` has a value of the wrong type"),
            ("no-server", "its cluster `bare` has no `server`"),
            ("odd-server", "its cluster `odd` has a value of the wrong type"),
            ("empty", "it says nothing"),
            ("text", "its context `text` has a value of the wrong type"),
        ];
        assert_eq!(read.contexts.len(), cases.len());
        for (name, cause) in cases {
            match read.of_context(name) {
                Ok(_) => assert_eq!(cause, "", "{name}"),
                Err(told) => {
                    assert!(!cause.is_empty() && told.contains(cause), "{name}: {told}");
                    assert!(!told.contains("s3cret"), "{told}");
                }
            }
        }
        let fine = read.of_context("fine").unwrap();
        let authority = fine.clusters[0].cluster.as_ref().unwrap().certificate_authority.clone();
        assert_eq!(authority, Some(folder.path().join("ca.pem").to_string_lossy().into_owned()));
    }

    #[test]
    fn first_file_wins_and_broken_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let one = "contexts: [{name: a, context: {cluster: x}}]\nclusters: [{name: x, cluster: {server: 'http://one'}}]";
        let two = "contexts: [{name: a, context: {cluster: y}}]\nclusters: [{name: x, cluster: {server: 'http://two'}}]";
        let files = [
            write(folder.path(), "one", one),
            write(folder.path(), "bad", "clusters: [\n  {"),
            folder.path().join("missing"),
            write(folder.path(), "two", two),
            write(folder.path(), "void", ""),
            write(folder.path(), "list", "- a"),
        ];
        let read = read(&files);
        let config = read.of_context("a").unwrap();
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("http://one"));
        let broken: Vec<&str> = read.broken.iter().map(|(_, cause)| cause.as_str()).collect();
        assert_eq!(broken.len(), 3, "{broken:?}");
        assert!(broken[0].starts_with("it is not valid YAML at line"), "{broken:?}");
        assert_eq!(broken[1], "there is no such file");
    }
}
