//! Logs of pods that the hub watches.

use super::Inner;
use crate::kubernetes::logs::{Ground, Members, Request, members};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Where readers of logs get pods and connections from.
pub(super) struct LogGround {
    pub inner: Arc<Inner>,
    pub runtime: Handle,
}

impl Ground for LogGround {
    fn client(&self, cluster: Arc<str>) -> BoxFuture<'_, Result<kube::Client, String>> {
        Box::pin(async move { Ok(self.inner.session(&cluster, &self.runtime).await?.link.client) })
    }

    fn members(&self, request: Arc<Request>) -> watch::Receiver<Arc<Members>> {
        let shared = self.inner.shared.clone();
        let look = move || {
            let catalog = shared.catalog.borrow().clone();
            Arc::new(members(&shared.board.state(), catalog.as_deref(), &request))
        };
        let (mut states, mut catalogs) =
            (self.inner.shared.board.follow(), self.inner.shared.catalog.subscribe());
        let (sender, receiver) = watch::channel(look());
        self.runtime.spawn(async move {
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    changed = states.changed() => if changed.is_err() { return },
                    changed = catalogs.changed() => if changed.is_err() { return },
                }
                let found = look();
                sender.send_if_modified(|known| {
                    let is_new = **known != *found;
                    *known = found;
                    is_new
                });
            }
        });
        receiver
    }
}
