use super::*;
use crate::catalog::LoadOptions;
use crate::config::source::SourceConfig;
use std::sync::Mutex;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_next_start_shows_what_was_kept_and_reads_what_changed() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("catalog-info.yaml");
    std::fs::write(&file, system("one")).unwrap();
    let options = LoadOptions { cache: Some(cache.path().to_owned()), ..LoadOptions::default() };
    let source = || vec![SourceConfig::dir(folder.path())];
    let mut run = Run::with(source(), options.clone());
    run.until("the first reading", |run| run.has("system:default/one"));
    let kept = || Loader::new(source(), options.clone()).cached();
    let start = Instant::now();
    while kept().is_none() {
        assert!(start.elapsed() < PATIENCE, "nothing is kept");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(run);
    std::fs::write(&file, system("two")).unwrap();
    let mut run = Run::with(source(), options.clone());
    run.until("what was kept", |run| run.has("system:default/one"));
    run.until("what changed meanwhile", |run| {
        run.has("system:default/two") && !run.has("system:default/one")
    });
}

struct Run {
    refresher: Refresher,
    reports: mpsc::Receiver<Report>,
    catalog: Arc<Catalog>,
    sources: Arc<[SourceStatus]>,
}

impl Run {
    fn new(sources: Vec<SourceConfig>) -> Self {
        Self::with(sources, LoadOptions::default())
    }

    fn with(sources: Vec<SourceConfig>, options: LoadOptions) -> Self {
        let loader = Arc::new(Loader::new(sources, options));
        let (sender, reports) = mpsc::channel();
        let sender = Mutex::new(sender);
        let refresher = Refresher::start(loader, move |report| drop(sender.lock().unwrap().send(report)));
        Self { refresher, reports, catalog: Arc::default(), sources: Arc::new([]) }
    }

    fn until(&mut self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_there(self) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.reports.recv_timeout(left) {
                Ok(Report::Catalog(catalog)) => self.catalog = catalog,
                Ok(Report::Sources(sources)) => self.sources = sources,
                Ok(Report::Problem(problem)) => panic!("{problem:?}"),
                Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not happen: {:#?}", self.sources)
                }
            }
        }
    }

    fn has(&self, entity: &str) -> bool {
        self.catalog.find(entity).is_some_and(|id| self.catalog.is_entity(id))
    }

    fn is_followed(&self) -> bool {
        self.sources
            .iter()
            .all(|s| s.state.read_at.is_some() && s.phase == Phase::Idle && s.watch_problem.is_none())
    }
}

fn system(name: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata:\n  name: {name}\nspec:\n  owner: x\n")
}

#[test]
fn saved_new_and_deleted_files_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("a")).unwrap();
    std::fs::write(folder.path().join("a/catalog-info.yaml"), system("one")).unwrap();
    let mut run = Run::new(vec![SourceConfig::dir(folder.path())]);
    run.until("the first reading", |run| run.has("system:default/one") && run.is_followed());
    std::fs::write(folder.path().join("a/catalog-info.yaml"), system("two")).unwrap();
    run.until("a saved file", |run| run.has("system:default/two") && !run.has("system:default/one"));
    std::fs::create_dir(folder.path().join("b")).unwrap();
    std::fs::write(folder.path().join("b/catalog-info.yaml"), system("three")).unwrap();
    run.until("a new folder", |run| run.has("system:default/three"));
    std::fs::remove_file(folder.path().join("a/catalog-info.yaml")).unwrap();
    run.until("a deleted file", |run| !run.has("system:default/two") && run.has("system:default/three"));
}

#[test]
fn a_source_that_fails_keeps_its_last_content_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shop");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("catalog-info.yaml"), system("one")).unwrap();
    let mut run = Run::new(vec![SourceConfig::dir(&place)]);
    run.until("the first reading", |run| run.has("system:default/one") && run.is_followed());
    std::fs::rename(&place, folder.path().join("away")).unwrap();
    run.refresher.order(Order::RefreshAll);
    run.until("a failure", |run| {
        run.sources.iter().any(|s| s.is_stale() && s.failures > 0 && s.next.is_some())
    });
    assert!(run.has("system:default/one"));
    std::fs::rename(folder.path().join("away"), &place).unwrap();
    run.refresher.order(Order::Refresh("shop".into()));
    run.until("it is well again", |run| run.sources.iter().all(|s| !s.is_stale() && s.failures == 0));
}

#[test]
fn rows_of_a_quick_source_do_not_wait_for_a_slow_one_and_it_can_be_cancelled() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/catalog-info.yaml", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("catalog-info.yaml"), system("one")).unwrap();
    let mut slow = SourceConfig::guess(&url, None);
    slow.name = "slow".into();
    let mut run = Run::new(vec![SourceConfig::dir(folder.path()), slow]);
    run.until("the quick source", |run| run.has("system:default/one"));
    let is_slow = |s: &SourceStatus| &*s.state.name == "slow";
    run.until("the slow one is being read", |run| run.sources.iter().any(|s| is_slow(s) && s.is_reading()));
    run.refresher.order(Order::Cancel("slow".into()));
    run.until("it is stopped", |run| {
        run.sources.iter().any(|s| is_slow(s) && s.phase == Phase::Idle && s.state.error.is_some())
    });
    run.refresher.order(Order::Pause("slow".into()));
    run.until("it is paused", |run| {
        run.sources.iter().any(|s| is_slow(s) && s.is_paused && s.next.is_none())
    });
}
