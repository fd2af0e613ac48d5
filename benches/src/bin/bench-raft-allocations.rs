//! Allocations of consensus cores. A binary of its own: counting costs CPU time.

use std::alloc::System;

use clap::Parser as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use synod_benches::raft::suite;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> anyhow::Result<()> {
    let counter = || {
        let stats = ALLOCATOR.stats();
        (stats.allocations + stats.reallocations) as u64
    };
    suite::run(&suite::Options::parse(), Some(counter), &mut std::io::stdout().lock())
}
