//! Where everything that runs writes down what it knows, and from where it is published.
//!
//! Start at [`Board::edit`]. Writers change a working copy under a short lock; one task publishes it, at most 30
//! times a second and only when something changed. Tables are copied when they are changed for the first time
//! after they were published: the screen holds the old one. A copy of 20,000 objects takes 2 to 3 ms, so large
//! tables are published a little less often: publishing takes a twentieth of the time at most.

use super::{Report, Tell};
use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::Object;
use crate::kubernetes::state::{ClusterState, Metrics, Phase, State, Table};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Shortest time between two publications: 30 a second.
const SLOT: Duration = Duration::from_millis(33);
/// Publishing takes this part of the time at most.
const SHARE: u32 = 20;
/// Longest time between a change and its publication, however large the tables.
const MAX_SLOT: Duration = Duration::from_millis(80);

/// The working copy, and what was published last.
pub struct Board {
    work: Mutex<Work>,
    published: Mutex<Arc<State>>,
    changed: Notify,
    tell: Arc<Tell>,
    /// Counts what was published.
    publications: watch::Sender<u64>,
}

#[derive(Default)]
struct Work {
    clusters: BTreeMap<Arc<str>, Slot>,
    /// Everything beside the clusters.
    rest: State,
    is_dirty: bool,
    /// Time spent with copying since the last publication.
    spent: Duration,
}

struct Slot {
    state: ClusterState,
    shown: Arc<ClusterState>,
    is_dirty: bool,
}

/// A change to a table.
#[derive(Debug)]
pub enum Edit {
    /// It is there, as it is now.
    Put(Arc<Object>),
    /// It is gone: namespace and name.
    Remove((Arc<str>, Arc<str>)),
}

impl Board {
    /// Makes an empty one.
    pub fn new(tell: Arc<Tell>) -> Self {
        Self {
            work: Mutex::default(),
            published: Mutex::default(),
            changed: Notify::new(),
            tell,
            publications: watch::Sender::new(0),
        }
    }

    /// Returns what was published last.
    pub fn state(&self) -> Arc<State> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a cluster, or takes another description of it.
    pub fn add_cluster(&self, cluster: &Arc<Cluster>) {
        let mut work = self.work();
        let phase = match &cluster.connection {
            Ok(_) => Phase::Idle,
            Err(cause) => Phase::Down { since: Timestamp::now(), cause: cause.clone(), retry: None },
        };
        let state = ClusterState {
            cluster: cluster.clone(),
            phase,
            version: "".into(),
            user: "".into(),
            tables: BTreeMap::new(),
            metrics: Metrics::default(),
            clock_skew: 0,
            blocked: Arc::default(),
        };
        let slot = Slot { shown: Arc::new(state.clone()), state, is_dirty: true };
        work.clusters.insert(cluster.name.clone(), slot);
        self.touch(&mut work);
    }

    /// Takes a cluster away.
    pub fn remove_cluster(&self, name: &str) {
        let mut work = self.work();
        if work.clusters.remove(name).is_some() {
            self.touch(&mut work);
        }
    }

    /// Changes what is known of a cluster; `change` says whether it did.
    pub fn edit(&self, cluster: &str, change: impl FnOnce(&mut ClusterState) -> bool) {
        let mut work = self.work();
        let started = Instant::now();
        let Some(slot) = work.clusters.get_mut(cluster) else { return };
        if change(&mut slot.state) {
            slot.is_dirty = true;
            work.spent += started.elapsed();
            self.touch(&mut work);
        }
    }

    /// Changes objects of a table.
    pub fn edit_objects(&self, cluster: &str, kind: Kind, edits: Vec<Edit>) {
        if edits.is_empty() {
            return;
        }
        self.edit(cluster, |state| apply(state.tables.entry(kind).or_default(), edits));
    }

    /// Changes what is known beside the clusters; `change` says whether it did.
    pub fn edit_rest(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut work = self.work();
        if change(&mut work.rest) {
            self.touch(&mut work);
        }
    }

    fn touch(&self, work: &mut Work) {
        work.is_dirty = true;
        self.changed.notify_one();
    }

    /// Makes the changes visible in [`Self::state`] without telling: nobody can be waiting yet.
    pub fn publish_quietly(&self) {
        self.take_changes();
    }

    /// Returns a receiver that changes with each publication, for whoever follows the state in the background.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.publications.subscribe()
    }

    /// Publishes what changed since the last time; returns how long it took together with the copying before.
    pub fn publish(&self) -> Option<Duration> {
        let started = Instant::now();
        let (state, old, spent) = self.take_changes()?;
        (self.tell)(Report::State(state));
        self.publications.send_modify(|count| *count += 1);
        drop(old);
        Some(started.elapsed() + spent)
    }

    /// Makes the changes visible; returns the new state, the old one and the time that copying took.
    fn take_changes(&self) -> Option<(Arc<State>, Arc<State>, Duration)> {
        let (state, spent) = {
            let mut work = self.work();
            if !work.is_dirty {
                return None;
            }
            work.is_dirty = false;
            let spent = std::mem::take(&mut work.spent);
            for slot in work.clusters.values_mut().filter(|slot| slot.is_dirty) {
                slot.is_dirty = false;
                slot.shown = Arc::new(slot.state.clone());
            }
            let clusters = work.clusters.values().map(|slot| slot.shown.clone()).collect();
            (Arc::new(State { clusters, ..work.rest.clone() }), spent)
        };
        let old = {
            let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *published, state.clone())
        };
        Some((state, old, spent))
    }

    /// Publishes until it is dropped.
    pub async fn run(&self) {
        loop {
            self.changed.notified().await;
            if let Some(spent) = self.publish() {
                tokio::time::sleep((spent * SHARE).clamp(SLOT, MAX_SLOT)).await;
            }
        }
    }
}

/// Applies changes to a table; returns whether anything is different.
fn apply(table: &mut Table, edits: Vec<Edit>) -> bool {
    let is_change = |edit: &Edit| match edit {
        Edit::Put(object) => {
            let key = (object.namespace.clone(), object.name.clone());
            table.objects.get(&key).is_none_or(|known| **known != **object)
        }
        Edit::Remove(key) => table.objects.contains_key(key),
    };
    // nothing is copied for what is known already
    let edits: Vec<Edit> = edits.into_iter().filter(is_change).collect();
    if edits.is_empty() {
        return false;
    }
    let objects = Arc::make_mut(&mut table.objects);
    for edit in edits {
        match edit {
            Edit::Put(object) => {
                objects.insert((object.namespace.clone(), object.name.clone()), object);
            }
            Edit::Remove(key) => {
                objects.remove(&key);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Facts;

    fn object(name: &str, uid: &str) -> Arc<Object> {
        Arc::new(Object {
            kind: Kind::Pod,
            namespace: "shop".into(),
            name: name.into(),
            uid: uid.into(),
            created: None,
            deleted: None,
            labels: Box::default(),
            owners: Box::default(),
            facts: Facts::Other(Box::default()),
        })
    }

    fn board() -> Board {
        let board = Board::new(Arc::new(|_| {}));
        board.add_cluster(&Arc::new(Cluster::new("c", String::new(), Err("broken".to_owned()))));
        board
    }

    fn names(state: &State) -> Vec<String> {
        let objects = &state.clusters[0].tables[&Kind::Pod].objects;
        objects.values().map(|object| format!("{}:{}", object.name, object.uid)).collect()
    }

    #[test]
    fn what_was_published_never_changes() {
        let board = board();
        board.edit_objects("c", Kind::Pod, vec![Edit::Put(object("a", "1")), Edit::Put(object("b", "2"))]);
        board.publish().unwrap();
        let before = board.state();
        let gone = Edit::Remove(("shop".into(), "a".into()));
        board.edit_objects("c", Kind::Pod, vec![gone, Edit::Put(object("b", "3"))]);
        board.publish().unwrap();
        assert_eq!(names(&before), ["a:1", "b:2"]);
        assert_eq!(names(&board.state()), ["b:3"]);
    }

    #[test]
    fn nothing_new_is_not_published() {
        let board = board();
        board.edit_objects("c", Kind::Pod, vec![Edit::Put(object("a", "1"))]);
        assert!(board.publish().is_some());
        board.edit_objects("c", Kind::Pod, vec![Edit::Put(object("a", "1"))]);
        board.edit_objects("c", Kind::Pod, vec![Edit::Remove(("shop".into(), "z".into()))]);
        board.edit_objects("nobody", Kind::Pod, vec![Edit::Put(object("a", "1"))]);
        assert!(board.publish().is_none());
    }

    #[test]
    fn broken_cluster_says_why_from_the_start() {
        let board = board();
        board.publish();
        assert!(matches!(&board.state().clusters[0].phase, Phase::Down { cause, .. } if cause == "broken"));
    }
}
