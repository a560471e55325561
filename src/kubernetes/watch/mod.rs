//! Keeps the objects of one kind of one cluster as they are there.
//!
//! Start at [`Watcher::run`]. One watch over all namespaces; where that is forbidden, one for each namespace we may
//! look into. What was known stays until a complete list says otherwise, through every kind of interruption.

mod follow;
pub mod place;

use super::access::{Access, Act, user_in};
use super::client::fault::{Fault, FaultKind};
use super::hub::keeper::{Keeper, Session};
use super::hub::shared::Shared;
use super::kind::Kind;
use super::state::{Forbidden, Watch};
use follow::{End, Follower};
use place::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long something forbidden or missing is believed.
const ASK_AGAIN: Duration = Duration::from_secs(300);
/// How often the namespaces that may be looked into are found again.
const FIND_AGAIN: Duration = Duration::from_secs(60);
/// Most namespaces that are watched apart.
const MAX_NAMESPACES: usize = 100;

/// Keeps one kind of one cluster.
pub struct Watcher {
    /// What the hub shares.
    pub shared: Arc<Shared>,
    /// The cluster's connection.
    pub keeper: Arc<Keeper>,
    /// The kind.
    pub kind: Kind,
    parts: Mutex<Parts>,
}

/// How the parts of a table are: one for all namespaces, or one for each.
#[derive(Debug, Default)]
struct Parts {
    whole: Option<Part>,
    namespaces: BTreeMap<Arc<str>, Part>,
    /// Why there is none for all namespaces.
    forbidden: Option<Forbidden>,
}

/// How a part of a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Loading,
    Live,
    Stale { since: jiff::Timestamp, cause: String },
    Forbidden,
    Missing,
}

impl Parts {
    fn put(&mut self, namespace: Option<&Arc<str>>, mut part: Part) {
        let known = match namespace {
            None => self.whole.as_ref(),
            Some(name) => self.namespaces.get(name),
        };
        // stale since it became so, not since it was tried last
        if let (Part::Stale { since, .. }, Some(Part::Stale { since: first, .. })) = (&mut part, known) {
            *since = *first;
        }
        match namespace {
            None => {
                if part == Part::Live {
                    // all at once is allowed now
                    self.forbidden = None;
                    self.namespaces.clear();
                }
                self.whole = Some(part);
            }
            Some(name) => {
                self.namespaces.insert(name.clone(), part);
            }
        }
    }

    fn watch(&self) -> Watch {
        let Some(forbidden) = &self.forbidden else {
            return match &self.whole {
                None => Watch::None,
                Some(Part::Loading) => Watch::Loading,
                Some(Part::Live) => Watch::Live,
                Some(Part::Stale { since, cause }) => Watch::Stale { since: *since, cause: cause.clone() },
                Some(Part::Missing | Part::Forbidden) => Watch::Missing,
            };
        };
        let allowed = self.namespaces.iter().filter(|(_, part)| **part != Part::Forbidden);
        let namespaces: Vec<Arc<str>> = allowed.map(|(name, _)| name.clone()).collect();
        let stale = self.namespaces.values().find_map(|part| match part {
            Part::Stale { since, cause } => Some((*since, cause.clone())),
            _ => None,
        });
        match stale {
            Some((since, cause)) => Watch::Stale { since, cause },
            None if namespaces.is_empty() => Watch::Forbidden(forbidden.clone()),
            None if self.namespaces.values().all(|part| matches!(part, Part::Loading | Part::Forbidden)) => {
                Watch::Loading
            }
            None => Watch::Partial { namespaces, forbidden: forbidden.clone() },
        }
    }
}

impl Watcher {
    /// Makes one.
    pub fn new(shared: Arc<Shared>, keeper: Arc<Keeper>, kind: Kind) -> Self {
        Self { shared, keeper, kind, parts: Mutex::default() }
    }

    /// Keeps the objects until the hub ends.
    pub async fn run(self: Arc<Self>) {
        self.set(|parts| parts.whole = Some(Part::Loading));
        let mut sessions = self.keeper.sessions();
        let mut whole = Follower::new(self.clone(), None);
        let mut at = 0;
        loop {
            let session = match sessions.wait_for(Option::is_some).await {
                Ok(session) => session.clone(),
                Err(_) => return,
            };
            let Some(session) = session else { continue };
            let places = self.places();
            let Some(place) = places.get(at) else {
                // no version is known there
                at = 0;
                self.set(|parts| parts.whole = Some(Part::Missing));
                self.pause(&mut sessions, &session, ASK_AGAIN).await;
                continue;
            };
            let end = tokio::select! {
                end = whole.follow(&session, place) => end,
                () = changed(&mut sessions, &session) => continue,
            };
            match end {
                End::Missing => {
                    whole.restart();
                    at += 1;
                }
                End::Forbidden(fault) => {
                    whole.restart();
                    let forbidden = self.forbidden(&session, place, &fault);
                    self.set(|parts| parts.forbidden = Some(forbidden));
                    if place.is_namespaced {
                        tokio::select! {
                            () = self.by_namespace(&session, place) => {}
                            () = changed(&mut sessions, &session) => {}
                        }
                    } else {
                        self.pause(&mut sessions, &session, ASK_AGAIN).await;
                    }
                }
            }
        }
    }

    /// Returns where the objects may lie there.
    fn places(&self) -> Vec<Place> {
        if let Kind::Custom(at) = self.kind
            && !self.shared.has_custom(&self.keeper.cluster, at)
        {
            return Vec::new();
        }
        let settings = &self.shared.settings;
        place::places(self.kind, &settings.custom, &settings.versions)
    }

    /// Waits; ends earlier when the session does.
    async fn pause(
        &self,
        sessions: &mut tokio::sync::watch::Receiver<Option<Session>>,
        session: &Session,
        limit: Duration,
    ) {
        let _ = tokio::time::timeout(limit, changed(sessions, session)).await;
    }

    /// Watches each namespace that we may look into; ends when all at once are allowed.
    async fn by_namespace(self: &Arc<Self>, session: &Session, place: &Place) {
        let mut running: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut tasks = JoinSet::new();
        let mut catalog = self.shared.catalog.subscribe();
        let access = access_of(&self.keeper, session);
        let all = Act::new("list", (&place.group, &place.plural, ""), "");
        let mut is_first = true;
        loop {
            if !std::mem::take(&mut is_first) && access.can_surely(&all).await {
                return;
            }
            let namespaces = self.shared.namespaces(session, &self.keeper.cluster, MAX_NAMESPACES).await;
            self.set(|parts| {
                for name in &namespaces {
                    parts.namespaces.entry(name.clone()).or_insert(Part::Loading);
                }
            });
            for name in namespaces {
                if running.insert(name.clone()) {
                    let mut follower = Follower::new(self.clone(), Some(name.clone()));
                    let (session, place) = (session.clone(), place.clone());
                    tasks.spawn(async move {
                        // a refusal is written down by the follower itself
                        follower.follow(&session, &place).await;
                        name
                    });
                }
            }
            let again = tokio::time::sleep(FIND_AGAIN);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = &mut again => break,
                    changed = catalog.changed() => {
                        if changed.is_ok() { break }
                        std::future::pending::<()>().await;
                    }
                    Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                        if let Ok(name) = ended {
                            running.remove(&name);
                        }
                    }
                }
            }
        }
    }

    fn set(&self, change: impl FnOnce(&mut Parts)) {
        let watch = {
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut parts);
            parts.watch()
        };
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            let table = state.tables.entry(self.kind).or_default();
            let is_other = table.watch != watch;
            table.watch = watch;
            is_other
        });
    }

    /// Writes down how a part is.
    fn set_part(&self, namespace: Option<&Arc<str>>, part: Part) {
        self.set(|parts| parts.put(namespace, part));
    }

    fn forbidden(&self, session: &Session, place: &Place, fault: &Fault) -> Forbidden {
        let user = match &*session.user {
            "" => user_in(&fault.text).unwrap_or_default(),
            user => user.to_owned(),
        };
        let act = Act::new("list", (&place.group, &place.plural, ""), "");
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            // a server that does not say who we are says it when it refuses
            let is_news = state.user.is_empty() && !user.is_empty();
            if is_news {
                state.user = user.as_str().into();
            }
            is_news
        });
        act.forbidden(&self.keeper.cluster.name, &user)
    }
}

/// Waits until a session is over.
async fn changed(sessions: &mut tokio::sync::watch::Receiver<Option<Session>>, session: &Session) {
    let is_other = |now: &Option<Session>| now.as_ref().is_none_or(|now| now.number != session.number);
    // a sender that is gone ends everything else too
    if sessions.wait_for(is_other).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What an access check needs of a session.
pub fn access_of(keeper: &Keeper, session: &Session) -> Access {
    Access {
        client: session.link.client.clone(),
        cluster: keeper.cluster.name.clone(),
        user: session.user.clone(),
        cache: keeper.access.clone(),
    }
}

/// Whether a fault is worth a look at the connection.
fn is_doubt(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unreachable | FaultKind::Unauthorized | FaultKind::Trust)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden() -> Forbidden {
        Act::new("list", ("", "pods", ""), "").forbidden("c", "ana")
    }

    #[test]
    fn parts_add_up_to_one_word() {
        let stale = Part::Stale { since: jiff::Timestamp::UNIX_EPOCH, cause: "cut".to_owned() };
        let whole = |part: Part| Parts { whole: Some(part), ..Parts::default() };
        assert_eq!(whole(Part::Live).watch(), Watch::Live);
        assert_eq!(whole(Part::Missing).watch(), Watch::Missing);
        let some = |parts: &[(&str, Part)]| Parts {
            whole: Some(Part::Loading),
            namespaces: parts.iter().map(|(name, part)| ((*name).into(), part.clone())).collect(),
            forbidden: Some(forbidden()),
        };
        assert_eq!(some(&[]).watch(), Watch::Forbidden(forbidden()));
        assert_eq!(some(&[("a", Part::Forbidden)]).watch(), Watch::Forbidden(forbidden()));
        assert_eq!(some(&[("a", Part::Loading), ("b", Part::Forbidden)]).watch(), Watch::Loading);
        let partial = some(&[("a", Part::Live), ("b", Part::Forbidden), ("c", Part::Loading)]).watch();
        let namespaces = vec!["a".into(), "c".into()];
        assert_eq!(partial, Watch::Partial { namespaces, forbidden: forbidden() });
        assert!(matches!(some(&[("a", stale), ("b", Part::Live)]).watch(), Watch::Stale { .. }));
    }
}
