//! The objects of a cluster with their versions and their past: what lists and watches are made of.
//!
//! One counter gives every change a version, as etcd does. The last changes are kept per kind, so that a watch can
//! begin in the past; what is older is [expired](Store::expire).

use super::resource::{ALL, R};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// Changes kept per kind.
const HISTORY: usize = 4096;

/// Namespace and name.
pub type Key = (Arc<str>, Arc<str>);

/// An object as it was at a version.
#[derive(Debug)]
pub struct Entry {
    /// Its version.
    pub version: u64,
    text: Arc<str>,
    /// Its labels, to select it without reading the rest.
    pub labels: Value,
    value: OnceLock<Arc<Value>>,
    /// Made in bulk: no controller looks at it, and its value is not kept.
    pub is_bulk: bool,
}

impl Entry {
    /// Returns it as JSON text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns it as a value.
    pub fn value(&self) -> Arc<Value> {
        let read = || Arc::new(serde_json::from_str(&self.text).unwrap_or(Value::Null));
        if self.is_bulk { read() } else { self.value.get_or_init(read).clone() }
    }
}

/// A change of the past.
#[derive(Debug, Clone)]
pub struct Change {
    /// The version it made.
    pub version: u64,
    /// Which object.
    pub key: Key,
    /// As it was before; `None` when it was made.
    pub before: Option<Arc<Entry>>,
    /// As it is after; the last state with the new version when it was deleted.
    pub after: Arc<Entry>,
    /// It was deleted.
    pub is_deleted: bool,
}

#[derive(Debug, Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Entry>>,
    history: VecDeque<Arc<Change>>,
    /// Versions below this one are not known any more.
    oldest: u64,
}

/// All objects of a cluster.
#[derive(Debug)]
pub struct Store {
    version: u64,
    tables: Vec<Table>,
    changed: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        // versions do not begin at 1 on any cluster that has lived
        let version = 48_211;
        let tables = ALL.iter().map(|_| Table { oldest: version, ..Table::default() }).collect();
        Self { version, tables, changed: watch::Sender::new(version) }
    }
}

impl Store {
    /// Returns the newest version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns what tells of new versions.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns the oldest version a watch of this kind can begin at.
    pub fn oldest(&self, kind: R) -> u64 {
        self.table(kind).map_or(0, |table| table.oldest)
    }

    fn table(&self, kind: R) -> Option<&Table> {
        self.tables.get(kind as usize)
    }

    /// Returns an object.
    pub fn get(&self, kind: R, namespace: &str, name: &str) -> Option<&Arc<Entry>> {
        self.table(kind)?.objects.get(&(Arc::from(namespace), Arc::from(name)))
    }

    /// Returns an object as a value.
    pub fn value(&self, kind: R, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.get(kind, namespace, name).map(|entry| entry.value())
    }

    /// Returns objects in the order of their keys: of a namespace or all, behind a key.
    pub fn list<'a>(
        &'a self,
        kind: R,
        namespace: Option<&'a str>,
        after: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Entry>)> {
        use std::ops::Bound;
        let start = match (after, namespace) {
            (Some(key), _) => Bound::Excluded(key.clone()),
            (None, Some(namespace)) => Bound::Included((Arc::from(namespace), Arc::from(""))),
            (None, None) => Bound::Unbounded,
        };
        let objects = self.table(kind).map(|table| table.objects.range((start, Bound::Unbounded)));
        objects
            .into_iter()
            .flatten()
            .take_while(move |((found, _), _)| namespace.is_none_or(|wanted| &**found == wanted))
    }

    /// Returns the values that controllers look at.
    pub fn values(&self, kind: R) -> Vec<Arc<Value>> {
        self.list(kind, None, None)
            .filter(|(_, entry)| !entry.is_bulk)
            .map(|(_, entry)| entry.value())
            .collect()
    }

    /// Returns how many there are.
    pub fn count(&self, kind: R) -> usize {
        self.table(kind).map_or(0, |table| table.objects.len())
    }

    /// Puts an object in place of the one of its name; returns it with its new version. What is the same as
    /// before changes nothing.
    pub fn put(&mut self, kind: R, object: Value) -> Arc<Value> {
        self.put_as(kind, object, false)
    }

    /// Puts an object that no controller looks at.
    pub fn put_bulk(&mut self, kind: R, object: Value) {
        self.put_as(kind, object, true);
    }

    fn put_as(&mut self, kind: R, mut object: Value, is_bulk: bool) -> Arc<Value> {
        let key = key_of(&object);
        let before = self.get(kind, &key.0, &key.1).cloned();
        if let Some(before) = &before {
            object["metadata"]["resourceVersion"] = before.version.to_string().into();
            if !is_bulk && *before.value() == object {
                return before.value();
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let entry = entry(self.version, object, is_bulk);
        let change = Change { version: self.version, key, before, after: entry.clone(), is_deleted: false };
        self.record(kind, change);
        entry.value()
    }

    /// Removes an object; returns its last state.
    pub fn remove(&mut self, kind: R, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let before = self.get(kind, namespace, name)?.clone();
        self.version += 1;
        let mut last = (*before.value()).clone();
        last["metadata"]["resourceVersion"] = self.version.to_string().into();
        let after = entry(self.version, last, before.is_bulk);
        let key = (Arc::from(namespace), Arc::from(name));
        let value = after.value();
        let before = Some(before);
        self.record(kind, Change { version: self.version, key, before, after, is_deleted: true });
        Some(value)
    }

    fn record(&mut self, kind: R, change: Change) {
        let Some(table) = self.tables.get_mut(kind as usize) else { return };
        if change.is_deleted {
            table.objects.remove(&change.key);
        } else {
            table.objects.insert(change.key.clone(), change.after.clone());
        }
        table.history.push_back(Arc::new(change));
        if table.history.len() > HISTORY
            && let Some(gone) = table.history.pop_front()
        {
            table.oldest = gone.version;
        }
        self.changed.send_replace(self.version);
    }

    /// Returns the changes after a version; `None` when it is expired.
    pub fn since(&self, kind: R, version: u64) -> Option<Vec<Arc<Change>>> {
        let table = self.table(kind)?;
        if version < table.oldest {
            return None;
        }
        let start = table.history.partition_point(|change| change.version <= version);
        Some(table.history.range(start..).cloned().collect())
    }

    /// Forgets the past: what begins at a version before now is expired.
    pub fn expire(&mut self) {
        self.version += 1000;
        for table in &mut self.tables {
            table.history.clear();
            table.oldest = self.version;
        }
        self.changed.send_replace(self.version);
    }
}

fn entry(version: u64, object: Value, is_bulk: bool) -> Arc<Entry> {
    let text = Arc::from(object.to_string());
    let labels = object["metadata"]["labels"].clone();
    let value = OnceLock::new();
    if !is_bulk {
        let _ = value.set(Arc::new(object));
    }
    Arc::new(Entry { version, text, labels, value, is_bulk })
}

/// Returns namespace and name of an object.
pub fn key_of(object: &Value) -> Key {
    let text = |key: &str| Arc::from(object["metadata"][key].as_str().unwrap_or_default());
    (text("namespace"), text("name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, phase: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"namespace": "a", "name": name}, "status": {"phase": phase}})
    }

    #[test]
    fn changes_have_versions_and_the_same_again_has_none() {
        let mut store = Store::default();
        let start = store.version();
        store.put(R::Pod, pod("x", "Pending"));
        store.put(R::Pod, pod("x", "Pending"));
        assert_eq!(store.version(), start + 1);
        store.put(R::Pod, pod("x", "Running"));
        store.remove(R::Pod, "a", "x");
        let changes = store.since(R::Pod, start).unwrap();
        let seen: Vec<_> = changes.iter().map(|c| (c.before.is_some(), c.is_deleted)).collect();
        assert_eq!(seen, [(false, false), (true, false), (true, true)]);
        assert_eq!(store.since(R::Pod, start + 2).unwrap().len(), 1);
        assert_eq!(store.count(R::Pod), 0);
    }

    #[test]
    fn the_past_can_be_forgotten() {
        let mut store = Store::default();
        let start = store.version();
        store.put(R::Pod, pod("x", "Pending"));
        store.expire();
        assert!(store.since(R::Pod, start).is_none());
        assert!(store.since(R::Pod, store.version()).unwrap().is_empty());
    }

    #[test]
    fn lists_keep_to_a_namespace_and_go_on_behind_a_key() {
        let mut store = Store::default();
        for (namespace, name) in [("a", "1"), ("a", "2"), ("b", "1")] {
            store.put(R::Pod, json!({"metadata": {"namespace": namespace, "name": name}}));
        }
        assert_eq!(store.list(R::Pod, Some("a"), None).count(), 2);
        let key = (Arc::from("a"), Arc::from("1"));
        assert_eq!(store.list(R::Pod, None, Some(&key)).count(), 2);
        assert_eq!(store.list(R::Pod, Some("a"), Some(&key)).count(), 1);
    }
}
