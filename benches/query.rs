//! A keystroke in the filter over a hundred thousand entities, ranked search, facets and graph questions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use devportal::catalog::{LoadOptions, Loader, Progress, Query, Viewer, facets, graph, search};
use devportal::config::source::SourceConfig;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTITIES: usize = 100_000;
const FILTERS: &[&str] = &[
    "p",
    "parcel",
    "nothing-has-this",
    "Order",
    "kind:component parcel",
    "owner:team-7",
    "tag:rust lifecycle:production",
    "~prclwrk",
    "/par.*worker/",
    "spec.profile.email:user.77@example.com",
    "dependents>20",
    "is:orphan",
];

fn queries(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    support::write(folder.path(), ENTITIES);
    let loader = Loader::new(vec![SourceConfig::dir(folder.path())], LoadOptions::default());
    let catalog = loader.load(&Progress::none());
    let (viewer, cancel) = (Viewer::default(), CancellationToken::new());
    let mut group = c.benchmark_group("query");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for filter in FILTERS {
        group.bench_function(BenchmarkId::new("filter", filter), |b| {
            b.iter(|| Query::parse(filter).unwrap().run(&catalog, &viewer, &cancel).len());
        });
    }
    group.bench_function("search", |b| {
        b.iter(|| search::search(&catalog, &viewer, "parcel worker", 100, &cancel).unwrap().len());
    });
    group.bench_function("search with a typing error", |b| {
        b.iter(|| search::search(&catalog, &viewer, "parcle-wroker", 100, &cancel).unwrap().len());
    });
    let all: Vec<_> = catalog.ids().collect();
    group.bench_function("facets", |b| b.iter(|| facets::facets(&catalog, &all).len()));
    let busy = catalog.ids().max_by_key(|id| catalog.relations(*id).count()).unwrap();
    group.bench_function("impact", |b| b.iter(|| graph::impact(&catalog, busy).entities.len()));
    group.bench_function("cycles", |b| b.iter(|| graph::cycles(&catalog).len()));
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
