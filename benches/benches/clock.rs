//! One stamp by one thread, per source: wall time by criterion, for watching a change.
#![allow(missing_docs, reason = "criterion's macros document nothing")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use synod_clock::hybrid::{HybridClock, Seam, Timestamp};
use synod_transport::time::{ManualTime, SystemTime};

fn hybrid(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hybrid, one thread");
    let system = HybridClock::<_>::new(Seam(SystemTime::new()));
    group.bench_function("now, system time", |bencher| bencher.iter(|| system.now().is_ok()));
    let still = HybridClock::<_>::new(Seam(ManualTime::default()));
    group.bench_function("observe, older", |bencher| {
        bencher.iter(|| still.observe(black_box(Timestamp::ZERO)).is_ok());
    });
}

criterion_group!(benches, hybrid);
criterion_main!(benches);
