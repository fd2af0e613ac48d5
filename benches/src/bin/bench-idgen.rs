//! CPU time and throughput of ids.

use clap::Parser as _;
use synod_benches::idgen::suite;

fn main() -> anyhow::Result<()> {
    suite::run(&suite::Options::parse(), &mut std::io::stdout().lock())
}
