//! CPU time and throughput of clocks.

use clap::Parser as _;
use synod_benches::clock::suite;

fn main() -> anyhow::Result<()> {
    suite::run(&suite::Options::parse(), &mut std::io::stdout().lock())
}
