//! One durable entry by one thread, per contender and place: wall time by criterion, for watching a change.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion's macros document nothing and take no errors"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use synod_benches::wal::Contender;

fn stores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wal, one thread, one durable entry");
    for contender in Contender::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let store = contender.open(folder.path(), 1).expect("opens");
        let mut writer = store.writer(0).expect("a writer");
        group.bench_function(contender.name(), |bencher| {
            bencher.iter(|| writer.write_durably().expect("durable"));
        });
    }
}

criterion_group!(benches, stores);
criterion_main!(benches);
