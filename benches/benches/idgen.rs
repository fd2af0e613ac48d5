//! One id by one thread: wall time by criterion, for watching a change.
#![allow(missing_docs, reason = "criterion's macros document nothing")]

use criterion::{Criterion, criterion_group, criterion_main};
use synod_idgen::generator::{Exhausted, Generator, Options};
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::uuid::V7Generator;
use synod_idgen::wall::System;
use uuid::Uuid;

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ids, one thread");
    let exhausted = Exhausted::Borrow(std::time::Duration::from_secs(86_400));
    let options = Options { exhausted, ..Options::default() };
    let node = NodeId::<Twitter>::new(1);
    let generator = node.ok().and_then(|node| Generator::builder(node).options(options).build(System).ok());
    if let Some(generator) = generator {
        group.bench_function("snowflake, borrowing", |bencher| bencher.iter(|| generator.try_next().is_ok()));
    }
    let v7 = V7Generator::new();
    group.bench_function("v7", |bencher| bencher.iter(|| v7.try_next().is_ok()));
    group.bench_function("uuid, v7", |bencher| bencher.iter(Uuid::now_v7));
}

criterion_group!(benches, ids);
criterion_main!(benches);
