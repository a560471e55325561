//! Loading: from files to the graph, anew and again, and joining alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use devportal::catalog::stitch::{StitchInput, stitch};
use devportal::catalog::{LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// One file that changes, comes or goes, as a watcher tells it: reading and joining, until the snapshot is there.
fn change(group: &mut BenchmarkGroup<'_, WallTime>, folder: &Path, loader: &Loader, size: usize) {
    let path = |name: &str| std::fs::canonicalize(folder).unwrap().join(name);
    let (changed, coming) = (path("repos/changed.yaml"), path("repos/coming.yaml"));
    let text = |name: &str, at: u64| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  description: change {at}\n\
             spec:\n  type: service\n  lifecycle: production\n  owner: team-{}\n",
            at % 7
        )
    };
    let read = |path: &PathBuf| {
        let start = Instant::now();
        loader.refresh(0, Some(std::slice::from_ref(path)), &Progress::none());
        let count = black_box(loader.join()).len();
        (start.elapsed(), count)
    };
    std::fs::write(&changed, text("changed-one", 0)).unwrap();
    loader.load(&Progress::none());
    let mut at = 0;
    group.bench_function(BenchmarkId::new("one file changed", size), |b| {
        b.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    at += 1;
                    std::fs::write(&changed, text("changed-one", at)).unwrap();
                    read(&changed).0
                })
                .sum()
        });
    });
    group.bench_function(BenchmarkId::new("one file added, then removed", size), |b| {
        b.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    at += 1;
                    std::fs::write(&coming, text("coming-one", at)).unwrap();
                    let (added, with) = read(&coming);
                    std::fs::remove_file(&coming).unwrap();
                    let (removed, without) = read(&coming);
                    assert_eq!(with, without + 1);
                    added + removed
                })
                .sum()
        });
    });
    std::fs::remove_file(&changed).unwrap();
    loader.load(&Progress::none());
}

fn loads(c: &mut Criterion) {
    for size in SIZES {
        let folder = tempfile::tempdir().unwrap();
        support::write(folder.path(), size);
        let mut group = c.benchmark_group("load");
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(8))
            .throughput(Throughput::Elements(size as u64));
        let new = |source: SourceConfig| Loader::new(vec![source], LoadOptions::default());
        group.bench_function(BenchmarkId::new("folder", size), |b| {
            b.iter(|| new(SourceConfig::dir(folder.path())).load(&Progress::none()).len());
        });
        group.bench_function(BenchmarkId::new("locations", size), |b| {
            let root = folder.path().join("all.yaml");
            b.iter(|| new(SourceConfig::guess(root.to_str().unwrap(), None)).load(&Progress::none()).len());
        });
        let loader = new(SourceConfig::dir(folder.path()));
        let catalog = loader.load(&Progress::none());
        group.bench_function(BenchmarkId::new("again", size), |b| {
            b.iter(|| loader.load(&Progress::none()).len());
        });
        change(&mut group, folder.path(), &loader, size);
        group.bench_function(BenchmarkId::new("stitch", size), |b| {
            let input = || StitchInput {
                sources: catalog.sources().to_vec(),
                files: catalog.parsed_files().to_vec(),
                ..StitchInput::default()
            };
            b.iter_batched(input, |input| black_box(stitch(input)), BatchSize::LargeInput);
        });
        group.finish();
    }
}

criterion_group!(benches, loads);
criterion_main!(benches);
