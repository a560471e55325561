//! A page of documentation of 5,000 lines: read, laid out, laid out again at another width, highlighted.

#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use devportal::docs::markdown::highlight::highlight;
use devportal::docs::markdown::{BlockKind, Dialect, View, layout, parse};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A section as people write them: prose, a list with code in it, a table, a box, code.
const SECTION: &str = "\
## Section

The service takes **orders** from the `checkout` page and keeps them until the [warehouse](../warehouse.md#orders) has
packed them. An order that nobody packs within ==two days== is told to the team on call, see https://example.com/runbook.

1. Look at the queue:

    ```bash title=\"queue.sh\"
    kubectl -n shop get pods -l app=orders
    for pod in $(kubectl -n shop get pods -o name); do echo \"$pod\"; done
    ```

2. Ask for the oldest order.
    - the number of the order
    - the day it was made

| Setting | Default | Meaning |
|---------|--------:|---------|
| `queue.size` | 1000 | how many orders wait before new ones are refused |
| `queue.age` | 48h | how long an order may wait |

!!! warning \"Before you restart\"
    A restart loses what is not yet written. Wait for the log to say `flushed`.

```yaml
queue:
  size: 1000 # orders
  age: 48h
```

";

fn docs(c: &mut Criterion) {
    let page_text = SECTION.repeat(5_000 / SECTION.lines().count());
    let page = parse(&page_text, &Dialect::TECHDOCS);
    let mut group = c.benchmark_group("docs");
    group.throughput(Throughput::Bytes(page_text.len() as u64)).sample_size(20);
    group.bench_function("parse 5000 lines", |b| b.iter(|| parse(&page_text, &Dialect::TECHDOCS)));
    group.bench_function("layout 5000 lines", |b| b.iter(|| layout(&page, 100, &View::default())));
    group.bench_function("layout 5000 lines, narrow", |b| b.iter(|| layout(&page, 60, &View::default())));
    let mut code = Vec::new();
    page.visit(|block| {
        if let BlockKind::Code(block) = &block.kind {
            code.push((block.text, block.language.clone()));
        }
    });
    group.bench_function("highlight 5000 lines", |b| {
        b.iter(|| {
            code.iter()
                .map(|(text, language)| highlight(&page.text(*text).text, language).len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, docs);
criterion_main!(benches);
