//! Log lines: taken into a stream, looked for, and read back from disk.
//!
//! `cargo bench --bench logs`. A screen that is flooded by 10,000 lines a second may spend a fifth of a core on
//! them: taking in 10,000 lines has to cost less than a tenth of that.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench that fails stops")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use devportal::kubernetes::logs::{Level, Limits, Line, LineKind, Query, Request, Stream};
use std::hint::black_box;
use tokio_util::sync::CancellationToken;

const LINES: u64 = 200_000;

fn line(number: u64) -> Line {
    let (level, word) =
        if number.is_multiple_of(50) { (Level::Error, "error") } else { (Level::Info, "info") };
    let text = format!(
        "{{\"ts\":\"2026-01-01T00:00:00Z\",\"level\":\"{word}\",\"seq\":{number},\"msg\":\"GET /v1/items/{} 200 {} ms\"}}",
        number * 7919 % 1000,
        number * 31 % 90
    );
    let time = jiff::Timestamp::from_millisecond(1_780_000_000_000 + number as i64 / 10).ok();
    Line {
        source: (number % 5) as u16,
        time,
        level,
        text: text.into(),
        kind: LineKind::Text { is_json: true },
    }
}

fn filled(limits: Limits, cache: Option<std::path::PathBuf>, lines: u64) -> Stream {
    let stream = Stream::with_limits(Request::default(), limits, cache);
    (0..lines).for_each(|number| stream.push(line(number)));
    stream
}

fn logs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("logs");
    group.sample_size(20);

    group.throughput(Throughput::Elements(10_000));
    let lines: Vec<Line> = (0..10_000).map(line).collect();
    group.bench_function("push 10k", |bencher| {
        let stream = Stream::new(Request::default());
        bencher.iter_batched(
            || lines.clone(),
            |lines| lines.into_iter().for_each(|line| stream.push(line)),
            BatchSize::LargeInput,
        );
    });

    group.throughput(Throughput::Elements(LINES));
    let cancel = CancellationToken::new();
    let in_memory = filled(Limits::default(), None, LINES);
    let words = Query { pattern: regex::Regex::new("items/(7|9)1\\b").ok(), ..Query::default() };
    let errors = Query { level: Some(Level::Error), ..Query::default() };
    group.bench_function("find in 200k lines", |bencher| {
        bencher.iter(|| black_box(in_memory.find(&words, 0..LINES, &cancel)));
    });
    group.bench_function("errors of 200k lines", |bencher| {
        bencher.iter(|| black_box(in_memory.find(&errors, 0..LINES, &cancel)));
    });

    let cache = tempfile::tempdir().unwrap();
    let small = Limits { lines: 10_000, ..Limits::default() };
    let on_disk = filled(small, Some(cache.path().to_owned()), LINES);
    group.bench_function("find in 200k lines on disk", |bencher| {
        bencher.iter(|| black_box(on_disk.find(&words, 0..LINES, &cancel)));
    });

    group.throughput(Throughput::Elements(60));
    group.bench_function("a screen of lines", |bencher| {
        bencher.iter(|| black_box(in_memory.lines(LINES - 60..LINES)));
    });
    group.finish();
}

criterion_group!(benches, logs);
criterion_main!(benches);
