//! The catalog cache: from the file to the first list, to everything taken over, and back to the file.
//!
//! `DEVPORTAL_BENCH_MILLION=1` adds a million entities, made in memory; `DEVPORTAL_BENCH_KEEP=FOLDER` leaves the
//! largest catalog and its cache there, for looking at with the program.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use devportal::catalog::{EntityId, LoadOptions, Loader, Progress, Query, Viewer, facets};
use devportal::config::source::SourceConfig;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entities of the whole, in how many files they are written.
const SIZES: [(usize, bool); 2] = [(100_000, false), (1_000_000, true)];

fn loader(folder: &Path, cache: &Path) -> Loader {
    let options = LoadOptions { cache: Some(cache.to_owned()), offline: true, ..LoadOptions::default() };
    Loader::new(vec![SourceConfig::dir(folder)], options)
}

/// Few large files: what is measured is the cache, not the walk over a disk.
fn write(folder: &Path, entities: usize) {
    let mut all = String::new();
    let mut number = 0;
    let mut flush = |all: &mut String| {
        std::fs::write(folder.join(format!("part-{number:05}.yaml")), std::mem::take(all)).unwrap();
        number += 1;
    };
    for (path, text) in support::generate(entities) {
        if path.starts_with("locations/") || path == "all.yaml" {
            continue;
        }
        all.push_str("---\n");
        all.push_str(text.trim_start_matches("---\n"));
        if all.len() > 1_000_000 {
            flush(&mut all);
        }
    }
    flush(&mut all);
}

/// A folder that goes with the bench, unless it is to be kept.
fn place(name: &str) -> tempfile::TempDir {
    let Some(kept) = std::env::var_os("DEVPORTAL_BENCH_KEEP") else { return tempfile::tempdir().unwrap() };
    let folder = Path::new(&kept).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut named = tempfile::Builder::new().prefix(name).tempdir_in(&folder).unwrap();
    named.disable_cleanup(true);
    named
}

fn warm(c: &mut Criterion) {
    for (entities, is_large) in SIZES {
        if is_large && std::env::var_os("DEVPORTAL_BENCH_MILLION").is_none() {
            continue;
        }
        let (folder, cache) = (place("catalog"), place("cache"));
        if is_large {
            write(folder.path(), entities);
        } else {
            support::write(folder.path(), entities);
        }
        let first = loader(folder.path(), cache.path());
        let count = first.load(&Progress::none()).len();
        assert_eq!(first.save(), None);
        drop(first);
        let mut group = c.benchmark_group("cache");
        group.sample_size(10).measurement_time(Duration::from_secs(4));
        let (viewer, cancel) = (Viewer::default(), CancellationToken::new());
        group.bench_function(BenchmarkId::new("open to first list", entities), |b| {
            b.iter(|| {
                let catalog = loader(folder.path(), cache.path()).cached().unwrap();
                let rows = Query::parse("").unwrap().run(&catalog, &viewer, &cancel);
                assert_eq!(rows.len(), catalog.by_name().len());
                catalog
                    .by_name()
                    .iter()
                    .take(60)
                    .filter_map(|id| catalog.entity(EntityId(*id)))
                    .map(|e| e.name().len())
                    .sum::<usize>()
            });
        });
        let catalog = loader(folder.path(), cache.path()).cached().unwrap();
        group.bench_function(BenchmarkId::new("filter keystroke", entities), |b| {
            b.iter(|| Query::parse("parcel").unwrap().run(&catalog, &viewer, &cancel).len());
        });
        let found = Query::parse("parcel").unwrap().run(&catalog, &viewer, &cancel);
        group.bench_function(BenchmarkId::new("facets of what a keystroke finds", entities), |b| {
            b.iter(|| facets::facets(&catalog, &found).len());
        });
        group.bench_function(BenchmarkId::new("open, check, look at every file", entities), |b| {
            b.iter(|| loader(folder.path(), cache.path()).load(&Progress::none()).len());
        });
        group.bench_function(BenchmarkId::new("save", entities), |b| {
            b.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let cache = tempfile::tempdir().unwrap();
                    let loader = loader(folder.path(), cache.path());
                    assert_eq!(loader.load(&Progress::none()).len(), count);
                    let start = Instant::now();
                    assert_eq!(loader.save(), None);
                    took += start.elapsed();
                }
                took
            });
        });
        group.finish();
    }
}

criterion_group!(benches, warm);
criterion_main!(benches);
