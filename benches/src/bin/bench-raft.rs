//! CPU time and messages of consensus cores.

use clap::Parser as _;
use synod_benches::raft::suite;

fn main() -> anyhow::Result<()> {
    suite::run(&suite::Options::parse(), None, &mut std::io::stdout().lock())
}
