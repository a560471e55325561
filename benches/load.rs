//! Loading: from files to the graph, anew and again, and joining alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use devportal::catalog::stitch::{StitchInput, stitch};
use devportal::catalog::{LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

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
        group.bench_function(BenchmarkId::new("stitch", size), |b| {
            let input = || StitchInput {
                sources: catalog.sources().to_vec(),
                files: catalog.parsed_files().to_vec(),
                diagnostics: Vec::new(),
            };
            b.iter_batched(input, |input| black_box(stitch(input)), BatchSize::LargeInput);
        });
        group.finish();
    }
}

criterion_group!(benches, loads);
criterion_main!(benches);
