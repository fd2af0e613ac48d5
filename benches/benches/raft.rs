//! One closed loop per contender, window and iteration: wall time by criterion, for watching a change.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion's macros document nothing and take no errors"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use synod_benches::raft::{Cluster, Contender, closed_loop};

const OPERATIONS: u64 = 4096;

fn cores(criterion: &mut Criterion) {
    for window in [1, 64] {
        let mut group = criterion.benchmark_group(format!("raft, window {window}"));
        group.throughput(Throughput::Elements(OPERATIONS)).sample_size(20);
        for contender in Contender::ALL {
            let run = |mut cluster: Box<dyn Cluster>| {
                closed_loop(cluster.as_mut(), window, OPERATIONS).expect("runs");
            };
            let setup = || contender.build(64).expect("elects");
            group.bench_function(contender.name(), |bencher| {
                bencher.iter_batched(setup, run, BatchSize::PerIteration);
            });
        }
    }
}

criterion_group!(benches, cores);
criterion_main!(benches);
