//! What a reader knows of its pod: what the watch told, or what the server answered where that is newer.

use super::pods::PodView;
use std::sync::Arc;
use tokio::sync::watch;

/// A pod as the watch tells it.
#[derive(Debug, Clone)]
pub(super) struct PodState {
    pub view: Arc<PodView>,
    /// It is not there any more.
    pub is_gone: bool,
}

/// What is known of the pod of a container.
#[derive(Debug)]
pub(super) struct Told {
    news: watch::Receiver<PodState>,
    container: Arc<str>,
    answer: Option<Answer>,
}

/// What the server answered, asked directly.
#[derive(Debug)]
struct Answer {
    view: Arc<PodView>,
    /// What had been told when it was asked. Something else told since is newer, whether or not anybody
    /// waited for it meanwhile.
    before: Arc<PodView>,
}

impl Told {
    /// Knows what is told of the pod of a container.
    pub fn new(news: watch::Receiver<PodState>, container: Arc<str>) -> Self {
        Self { news, container, answer: None }
    }

    /// Returns the newest that is known, and whether the pod is gone.
    pub fn view(&mut self) -> (Arc<PodView>, bool) {
        let told = self.news.borrow_and_update().clone();
        let restarts = |view: &PodView| view.container(&self.container).map_or(0, |found| found.restarts);
        self.answer = self.answer.take().filter(|answer| {
            // the watch may lag behind
            *answer.before == *told.view || restarts(&answer.view) > restarts(&told.view)
        });
        (self.answer.as_ref().map_or(told.view, |answer| answer.view.clone()), told.is_gone)
    }

    /// Returns what the watch told.
    pub fn told(&self) -> Arc<PodView> {
        self.news.borrow().view.clone()
    }

    /// Returns whether the pod is gone.
    pub fn is_gone(&self) -> bool {
        self.news.borrow().is_gone
    }

    /// Takes an answer, and what had been told when it was asked for.
    pub fn found(&mut self, view: PodView, before: Arc<PodView>) {
        self.answer = Some(Answer { view: Arc::new(view), before });
    }

    /// Returns another listener to the same news.
    pub fn news(&self) -> watch::Receiver<PodState> {
        self.news.clone()
    }

    /// Waits until something is told; returns whether anybody tells.
    pub async fn changed(&mut self) -> bool {
        self.news.changed().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pods::{ContainerView, RunState};
    use super::*;
    use crate::kubernetes::{Kind, ObjectRef};

    fn pod(restarts: u32, state: RunState) -> PodView {
        let container =
            ContainerView { name: "app".into(), is_init: false, restarts, state, last: String::new() };
        PodView {
            at: ObjectRef { cluster: "c".into(), kind: Kind::Pod, namespace: "n".into(), name: "p".into() },
            uid: "u".into(),
            phase: "Running".into(),
            reason: "".into(),
            message: String::new(),
            created: None,
            containers: vec![container],
        }
    }

    #[tokio::test]
    async fn the_newest_counts_whoever_heard_of_it() {
        let ended = || RunState::Ended("Error, exit code 3".to_owned());
        // what is told, what is answered, what is told then, what counts
        let cases = [
            (pod(0, RunState::Running), pod(0, ended()), None, pod(0, ended())),
            (
                pod(0, RunState::Running),
                pod(0, ended()),
                Some(pod(1, RunState::Running)),
                pod(1, RunState::Running),
            ),
            (
                pod(0, RunState::Running),
                pod(1, RunState::Running),
                Some(pod(0, ended())),
                pod(1, RunState::Running),
            ),
        ];
        for (told, answer, then, expected) in cases {
            let sender = watch::Sender::new(PodState { view: Arc::new(told), is_gone: false });
            let mut known = Told::new(sender.subscribe(), "app".into());
            let before = known.told();
            known.found(answer, before);
            if let Some(then) = then {
                sender.send_replace(PodState { view: Arc::new(then), is_gone: false });
                // that it was waited for does not make it old
                assert!(known.changed().await);
            }
            assert_eq!(*known.view().0, expected);
            assert_eq!(*known.view().0, expected);
        }
    }
}
