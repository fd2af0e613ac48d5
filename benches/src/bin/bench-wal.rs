//! Durable entries per second, CPU time and recovery of log stores.

use clap::Parser as _;
use synod_benches::wal::suite;

fn main() -> anyhow::Result<()> {
    suite::run(&suite::Options::parse(), &mut std::io::stdout().lock())
}
