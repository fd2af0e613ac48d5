//! Runs one node: `synod-kv --config cluster.toml --id 1 --data data/1`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use synod_kv::config::{Config, Flags};
use synod_kv::server::serve;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let flags = Flags::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("synod-kv: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> anyhow::Result<()> {
    if flags.exit_with_parent {
        exit_with_parent()?;
    }
    let config = Config::load(flags)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("Ctrl-C cannot be caught")?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(config, stop).await
    })
}

#[cfg(target_os = "linux")]
fn exit_with_parent() -> anyhow::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL)).context("--exit-with-parent")
}

#[cfg(not(target_os = "linux"))]
fn exit_with_parent() -> anyhow::Result<()> {
    anyhow::bail!("--exit-with-parent works on Linux alone")
}
