//! What happens behind the screen while it is open: sources are refreshed, and the configuration is read
//! again when one of its files changes.

use super::screen::{configured, me};
use super::session::Session;
use crate::app::event::{Shared, TaskEvent};
use crate::catalog::refresh::{Folders, Order, Refresher, Report, Watcher};
use crate::tui::services::Tell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// Quiet time after a change of a file: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(60);

/// The work behind an open screen; it ends when this is dropped.
pub struct Live {
    state: Arc<State>,
    /// Tells of changed files; none when the system cannot.
    _watcher: Option<Arc<Watcher>>,
}

struct State {
    session: Arc<Mutex<Session>>,
    tell: Arc<Tell>,
    refresher: Mutex<Refresher>,
}

impl Live {
    /// Starts to refresh the sources of a session and to watch its configuration.
    pub fn start(session: Arc<Mutex<Session>>, tell: Arc<Tell>) -> Self {
        let refresher = Mutex::new(refresher(&session, &tell));
        let state = Arc::new(State { session, tell, refresher });
        let watcher = watch(&state);
        Self { state, _watcher: watcher }
    }

    /// Asks for something; returns at once.
    pub fn order(&self, order: Order) {
        self.state.refresher.lock().unwrap_or_else(PoisonError::into_inner).order(order);
    }
}

fn refresher(session: &Mutex<Session>, tell: &Arc<Tell>) -> Refresher {
    let session = session.lock().unwrap_or_else(PoisonError::into_inner);
    let (claims, tell, loader) = (session.claims.clone(), tell.clone(), session.loader.clone());
    Refresher::start(session.loader.clone(), move |report| match report {
        Report::Catalog(catalog) => {
            let me = me(&loader, &claims, &catalog);
            tell(TaskEvent::Loaded { catalog: Shared(catalog), me });
        }
        Report::Sources(sources) => tell(TaskEvent::Sources(sources)),
        Report::Problem(problem) => tell(TaskEvent::Failed(problem.message)),
    })
}

/// Watches the folders of the configuration; the thread ends with the watcher.
fn watch(state: &Arc<State>) -> Option<Arc<Watcher>> {
    let (sender, receiver) = mpsc::channel::<()>();
    let sender = Mutex::new(sender);
    let is_ours =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml") || path.is_dir();
    let watcher = Watcher::new(move |paths| {
        if paths.is_empty() || paths.iter().any(is_ours) {
            let _ = sender.lock().unwrap_or_else(PoisonError::into_inner).send(());
        }
    });
    let watcher =
        Arc::new(watcher.inspect_err(|cause| tracing::warn!(cause, "configuration is not watched")).ok()?);
    let folders = folders(&state.session.lock().unwrap_or_else(PoisonError::into_inner));
    let _ = watcher.follow(&folders);
    // neither keeps the other alive
    let (state, again) = (Arc::downgrade(state), Arc::downgrade(&watcher));
    let work = move || {
        while receiver.recv().is_ok() {
            while receiver.recv_timeout(QUIET).is_ok() {}
            let (Some(state), Some(watcher)) = (state.upgrade(), again.upgrade()) else { return };
            state.reload();
            // a folder that came into being can be watched now
            let _ = watcher.follow(&folders);
        }
    };
    std::thread::Builder::new().name("devportal-config".into()).spawn(work).ok()?;
    Some(watcher)
}

/// The folders whose settings count, and those in which they may come into being.
fn folders(session: &Session) -> Folders {
    let paths = &session.config.paths;
    let mut folders = vec![paths.config.clone(), paths.themes(), paths.system.clone()];
    folders.extend(paths.config.parent().map(Path::to_owned));
    folders.extend(session.inputs.project.clone());
    folders.extend(session.inputs.config_file.as_deref().and_then(Path::parent).map(Path::to_owned));
    folders.into_iter().collect()
}

impl State {
    /// Reads the configuration again; other sources get another refresher.
    fn reload(&self) {
        let (configured, is_other) = {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            let loader = session.loader.clone();
            session.reload();
            (configured(&session), !Arc::ptr_eq(&loader, &session.loader))
        };
        (self.tell)(TaskEvent::Configured(Box::new(configured)));
        if is_other {
            let new = refresher(&self.session, &self.tell);
            *self.refresher.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
    }
}
