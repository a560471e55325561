use super::*;
use crate::catalog::snapshot::EntityId;
use crate::catalog::testing::catalog_of;
use proptest::prelude::*;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn cache(folder: &Path) -> CatalogCache {
    CatalogCache::new(folder, &[SourceConfig::dir("/somewhere")])
}

fn kept(catalog: &Catalog) -> Vec<KeptSource> {
    catalog
        .sources()
        .iter()
        .map(|state| KeptSource { state: state.clone(), ..KeptSource::default() })
        .collect()
}

fn save(cache: &CatalogCache, catalog: &Catalog) {
    cache.save(catalog, &kept(catalog), &FileCache::default()).unwrap();
}

/// Every answer of a snapshot.
fn facts(catalog: &Catalog) -> Vec<String> {
    let relations = |id: EntityId| {
        let relation =
            |r: crate::catalog::Relation<'_>| format!("{} {}", r.relation, catalog.ref_of(r.target));
        catalog.relations(id).map(relation).collect::<Vec<_>>().join(" ")
    };
    let entity = |id: EntityId| {
        let Some(e) = catalog.entity(id) else { return format!("{id:?} {} dangles", catalog.ref_of(id)) };
        format!(
            "{id:?} {e:?} {} {} {} {:?} {} {} {} {:?} {:?} {:?} {} {} {:?} {} {:?} {:?} {} {}{}{}{} {}",
            e.kind(),
            e.namespace(),
            e.name(),
            e.title(),
            e.description(),
            e.entity_type(),
            e.lifecycle(),
            e.owner(),
            e.system(),
            e.tags().collect::<Vec<_>>(),
            e.value().to_json(),
            serde_json::to_string(&e).unwrap(),
            e.marks(),
            e.location(),
            e.file(),
            e.source(),
            e.document(),
            e.is_orphan(),
            e.is_invalid(),
            e.has_warnings(),
            e.is_unknown_kind(),
            e.problems().map(Diagnostic::render).collect::<String>(),
        )
    };
    let nodes = (0..catalog.node_count() as u32).map(EntityId);
    let mut out = vec![format!("{} {} {:?}", catalog.len(), catalog.node_count(), catalog.sources())];
    out.extend(nodes.map(|id| {
        assert_eq!(catalog.find(catalog.ref_of(id)), Some(id));
        format!("{} | {} | {:?}", entity(id), relations(id), catalog.haystack(id))
    }));
    out.extend(catalog.diagnostics().iter().map(Diagnostic::render));
    out.extend(catalog.files().map(|file| format!("{file:?}")));
    out
}

/// Reads everything that a damaged file may lead astray.
fn look_at(catalog: &Catalog) {
    for id in (0..catalog.node_count() as u32).map(EntityId) {
        let _ = (catalog.ref_of(id), catalog.relations(id).count(), catalog.haystack(id));
        if let Some(e) = catalog.entity(id) {
            let _ = (
                e.value().to_json(),
                e.location(),
                e.file(),
                e.tags().count(),
                e.problems().count(),
                e.marks(),
            );
        }
    }
    let _ = (catalog.diagnostics().len(), catalog.files().count());
}

fn sample() -> Catalog {
    catalog_of(&[
        ("b.yaml", "kind: API\nname: x\ntitle: Größe\ntags: [b, a]\nowner: nobody\nsystem: s\n"),
        (
            "a.yaml",
            "kind: System\nname: s\nowner: team\n---\nkind: Group\nname: team\n---\nkind: API\nname: X\n",
        ),
        ("odd.yaml", "kind: Odd\nname: o\nlist: [1, 2.5, true, null, {a: b}]\n"),
    ])
}

#[test]
fn what_is_kept_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    assert!(cache.open().unwrap().is_none());
    let catalog = sample();
    save(&cache, &catalog);
    let opened = cache.open().unwrap().unwrap();
    opened.verify().unwrap();
    assert_eq!(facts(&opened.catalog), facts(&catalog));
    assert!(opened.catalog.parsed_files().is_empty(), "it lies in the file");
    let files = opened.revive(&FileCache::default()).unwrap();
    let revived = crate::catalog::stitch::stitch(crate::catalog::stitch::StitchInput {
        sources: catalog.sources().to_vec(),
        files: files.into_iter().flatten().collect(),
        ..crate::catalog::stitch::StitchInput::default()
    });
    assert_eq!(facts(&revived), facts(&catalog));
}

#[test]
fn another_set_of_sources_has_another_file() {
    let folder = tempfile::tempdir().unwrap();
    save(&cache(folder.path()), &sample());
    let other = CatalogCache::new(folder.path(), &[SourceConfig::dir("/elsewhere")]);
    assert!(other.open().unwrap().is_none());
    std::fs::copy(cache(folder.path()).path(), other.path()).unwrap();
    assert!(other.open().unwrap().is_none(), "a file under the name of another one is not taken for it");
}

#[test]
fn ages_are_kept_beside_the_file_they_belong_to() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let catalog = sample();
    let mut sources = kept(&catalog);
    let id = cache.save(&catalog, &sources, &FileCache::default()).unwrap();
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    (sources[0].state.read_at, sources[0].version) = (Some(at), Some("v".into()));
    cache.save_ages(id, &sources).unwrap();
    let opened = cache.open().unwrap().unwrap();
    assert_eq!(
        (opened.catalog.sources()[0].read_at, opened.sources[0].version.as_deref()),
        (Some(at), Some("v"))
    );
    cache.save_ages(id + 1, &sources).unwrap();
    assert_eq!(cache.open().unwrap().unwrap().sources[0].state.read_at, None, "of another writing");
    std::fs::write(ages::path(cache.path()), b"x").unwrap();
    assert_eq!(cache.open().unwrap().unwrap().sources[0].state.read_at, None);
}

/// Opens damaged bytes: they are refused, before anything is shown or before it is trusted, or were right.
fn assert_refused_or_right(cache: &CatalogCache, bytes: &[u8], right: &[String], what: &str) {
    std::fs::write(cache.path(), bytes).unwrap();
    let bad = folder_of(cache).join(format!("{}.bad", file_name(cache)));
    let _ = std::fs::remove_file(&bad);
    let problem = match cache.open() {
        Ok(None) => panic!("{what}: nothing found"),
        Ok(Some(opened)) => {
            look_at(&opened.catalog);
            match opened.revive(&FileCache::default()) {
                Ok(_) => {
                    assert_eq!(facts(&opened.catalog), right, "{what}");
                    return;
                }
                Err(problem) => problem,
            }
        }
        Err(problem) => problem,
    };
    assert!(matches!(problem.code, "cache::damaged" | "cache::other-version"), "{what}: {problem:?}");
    assert_eq!(std::fs::read(&bad).unwrap(), bytes, "{what}: put aside");
    assert!(!cache.path().exists(), "{what}");
}

fn folder_of(cache: &CatalogCache) -> &Path {
    cache.path().parent().unwrap()
}

fn file_name(cache: &CatalogCache) -> String {
    cache.path().file_name().unwrap().to_str().unwrap().to_owned()
}

fn written(cache: &CatalogCache) -> (Vec<u8>, Vec<String>, Vec<u64>) {
    let catalog = sample();
    save(cache, &catalog);
    let opened = cache.open().unwrap().unwrap();
    (std::fs::read(cache.path()).unwrap(), facts(&catalog), opened.file.bounds())
}

#[test]
fn a_file_cut_anywhere_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let (bytes, right, bounds) = written(&cache);
    let around = bounds.iter().flat_map(|at| [at.saturating_sub(1), *at, at + 1]);
    let cuts: Vec<u64> = around.chain([0, 1, 7, 8, 12, 100, 2000, 4095, 4096]).collect();
    for cut in cuts.into_iter().filter(|cut| *cut < bytes.len() as u64) {
        assert_refused_or_right(&cache, &bytes[..cut as usize], &right, &format!("cut at {cut}"));
    }
    let mut longer = bytes;
    longer.push(0);
    assert_refused_or_right(&cache, &longer, &right, "a byte more");
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let (bytes, right, bounds) = written(&cache);
    let in_sections = bounds.chunks(2).flat_map(|pair| (pair[0]..pair[1]).step_by(13));
    for at in (0..4096).step_by(7).chain(in_sections) {
        let mut bytes = bytes.clone();
        bytes[at as usize] ^= 1 << (at % 8);
        assert_refused_or_right(&cache, &bytes, &right, &format!("flipped at {at}"));
    }
}

#[test]
fn another_version_is_put_aside_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let (bytes, right, _) = written(&cache);
    for layout in [format::LAYOUT - 1, format::LAYOUT + 1, u32::MAX] {
        let mut other = bytes.clone();
        other[8..12].copy_from_slice(&layout.to_ne_bytes());
        std::fs::write(cache.path(), &other).unwrap();
        assert_eq!(cache.open().unwrap_err().code, "cache::other-version", "{layout}");
        assert!(cache.open().unwrap().is_none(), "it is out of the way");
        save(&cache, &sample());
        assert_eq!(facts(&cache.open().unwrap().unwrap().catalog), right);
    }
}

#[test]
fn what_cannot_be_written_leaves_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let (bytes, ..) = written(&cache);
    // every write to this device fails as on a full disk
    if cfg!(target_os = "linux") && Path::new("/dev/full").exists() {
        let temporary = folder_of(&cache).join(format!("{}.{}.tmp", file_name(&cache), std::process::id()));
        std::os::unix::fs::symlink("/dev/full", &temporary).unwrap();
        let catalog = sample();
        let problem = cache.save(&catalog, &kept(&catalog), &FileCache::default()).unwrap_err();
        assert_eq!(problem.code, "cache::not-saved");
        assert!(problem.message.contains("No space left"), "{}", problem.message);
        assert!(temporary.symlink_metadata().is_err(), "nothing is left of it");
        assert_eq!(std::fs::read(cache.path()).unwrap(), bytes);
    } else {
        let _ = writeln!(std::io::stderr(), "skipped: there is no device that is always full");
    }
    // a folder that cannot be
    std::fs::write(folder.path().join("file"), "").unwrap();
    let nowhere = CatalogCache::new(&folder.path().join("file"), &[SourceConfig::dir("/somewhere")]);
    assert!(nowhere.open().unwrap().is_none());
    let catalog = sample();
    let problem = nowhere.save(&catalog, &kept(&catalog), &FileCache::default()).unwrap_err();
    assert_eq!(problem.code, "cache::not-saved");
}

#[test]
fn two_writers_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let catalogs = [sample(), catalog_of(&[("c.yaml", "kind: API\nname: other\n")])];
    let right = catalogs.each_ref().map(facts);
    std::thread::scope(|scope| {
        for catalog in &catalogs {
            scope.spawn(|| (0..20).for_each(|_| save(&cache(folder.path()), catalog)));
        }
        for _ in 0..40 {
            if let Some(opened) = cache(folder.path()).open().unwrap() {
                opened.verify().unwrap();
                assert!(right.contains(&facts(&opened.catalog)));
            }
        }
    });
    assert!(unfinished(folder.path()).is_empty());
}

fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("catalog")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "tmp")).collect()
}

/// Variable that makes [`writes_until_killed`] work.
const CHILD: &str = "DEVPORTAL_TEST_CACHE_WRITER";

#[test]
fn writes_until_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let catalog = sample();
    let start = Instant::now();
    // killed long before; never an orphan that runs on
    while start.elapsed() < Duration::from_secs(20) {
        save(&cache(Path::new(&folder)), &catalog);
    }
}

#[test]
fn a_writer_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let right = facts(&sample());
    let mut halves = 0;
    for round in 0..8u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "catalog::cache::tests::writes_until_killed"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        // at different moments after the first file is there
        while !cache.path().exists() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(10 + round * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        halves += unfinished(folder.path()).len();
        let opened = cache.open().unwrap().unwrap();
        opened.verify().unwrap();
        assert_eq!(facts(&opened.catalog), right);
    }
    let _ = writeln!(std::io::stderr(), "{halves} of 8 were killed in the middle of a file");
    save(&cache, &sample());
    assert!(unfinished(folder.path()).is_empty(), "what dead writers left is removed");
}

#[test]
fn of_too_many_files_those_not_used_for_longest_go() {
    let folder = tempfile::tempdir().unwrap();
    let of = |n: usize| CatalogCache::new(folder.path(), &[SourceConfig::dir(format!("/{n}"))]);
    let catalog = sample();
    for n in 0..14 {
        save(&of(n), &catalog);
        let age = Duration::from_secs(1000 - n as u64 * 10);
        let file = std::fs::File::open(of(n).path()).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        if n == 8 {
            // used again
            assert!(of(0).open().unwrap().is_some());
        }
    }
    let there: Vec<usize> = (0..14).filter(|n| of(*n).path().exists()).collect();
    assert_eq!(there, [0, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
}

#[test]
fn a_kept_catalog_outlives_the_name_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let (_, right, _) = written(&cache);
    let opened = cache.open().unwrap().unwrap();
    save(&cache, &catalog_of(&[("c.yaml", "kind: API\nname: other\n")]));
    assert_eq!(facts(&opened.catalog), right);
    std::fs::remove_file(cache.path()).unwrap();
    opened.verify().unwrap();
    assert_eq!(facts(&opened.catalog), right);
}

fn documents() -> impl Strategy<Value = Vec<(String, String)>> {
    let refs = || prop::collection::vec("(component:|api:|x/)?[a-e]", 0..3);
    let kind = prop_oneof![Just("Component"), Just("API"), Just("Group"), Just("Odd"), Just("System")];
    let text = "[ -~äß→]{0,20}";
    let document = (kind, "[a-eA-E]", refs(), text, refs(), "[a-e]").prop_map(|(kind, name, a, text, tags, owner)| {
        let text = serde_json::to_string(&text).unwrap();
        format!(
            "kind: {kind}\nname: {name}\ntitle: {text}\ndescription: {text}\ntags: {tags:?}\nowner: {owner}\nsystem: {owner}\n\
             dependsOn: {a:?}\nnumber: 7\n"
        )
    });
    let file = prop::collection::vec(document, 0..4).prop_map(|documents| documents.join("---\n"));
    prop::collection::vec(file, 0..6)
        .prop_map(|files| files.into_iter().enumerate().map(|(i, f)| (format!("f{i}.yaml"), f)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_catalog_comes_back(files in documents()) {
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let (folder, catalog) = (tempfile::tempdir().unwrap(), catalog_of(&files));
        save(&cache(folder.path()), &catalog);
        let opened = cache(folder.path()).open().unwrap().unwrap();
        opened.verify().unwrap();
        prop_assert_eq!(facts(&opened.catalog), facts(&catalog));
    }

    /// Even with every checksum right, as somebody could make them who means harm.
    #[test]
    fn parts_that_do_not_fit_together_do_no_harm(at in 0usize..8000, with in any::<[u8; 4]>()) {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let (mut bytes, _, bounds) = written(&cache);
        let start = bounds[0] as usize;
        let at = start + at % (bytes.len() - start - 4);
        bytes[at..at + 4].copy_from_slice(&with);
        std::fs::write(cache.path(), format::with_right_sums(&bytes)).unwrap();
        if let Ok(Some(opened)) = cache.open() {
            look_at(&opened.catalog);
            let known = FileCache::default();
            if let Ok(files) = opened.revive(&known) {
                let files = files.into_iter().flatten().collect();
                let sources = opened.catalog.sources().to_vec();
                look_at(&crate::catalog::stitch::stitch(crate::catalog::stitch::StitchInput { sources, files, ..crate::catalog::stitch::StitchInput::default() }));
            }
        }
    }
}
