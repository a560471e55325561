//! The clusters of `--demo`: started when they are first asked for, ended with the session.

use crate::demo::kubernetes::{Scenario, World};
use crate::kubernetes::clusters::Places;
use std::sync::OnceLock;

/// The demo's clusters.
#[derive(Debug, Default)]
pub struct Demo {
    world: OnceLock<Option<World>>,
}

impl Demo {
    /// Returns where its clusters are written down: a kubeconfig that nobody else can read. Starts them when that
    /// has not happened yet, which takes a moment.
    pub fn places(&self) -> Places {
        let world = self.world.get_or_init(|| {
            World::start(&Scenario::company())
                .inspect_err(|error| tracing::error!(%error, "the clusters of the demo do not start"))
                .ok()
        });
        let kubeconfig = world.as_ref().map(World::kubeconfig).into_iter().collect();
        Places { kubeconfig, is_in_cluster: false }
    }
}
