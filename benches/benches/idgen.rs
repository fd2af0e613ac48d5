//! One id by one thread: wall time by criterion, for watching a change.
#![allow(missing_docs, reason = "criterion's macros document nothing")]

use criterion::{Criterion, criterion_group, criterion_main};
use uuid::Uuid;

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ids, one thread");
    group.bench_function("uuid, v7", |bencher| bencher.iter(Uuid::now_v7));
}

criterion_group!(benches, ids);
criterion_main!(benches);
