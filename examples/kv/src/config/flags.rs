//! The server's command line.

use std::path::PathBuf;

use clap::Parser;

use super::{ConfigError, PeerSettings, Settings};

/// One node of a replicated key-value service.
#[derive(Clone, Default, Debug, Parser)]
#[command(name = "synod-kv", version)]
pub struct Flags {
    /// A toml file; the flags below override what it says.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// This node's id, one of the peers'.
    #[arg(long, value_name = "NUMBER")]
    pub id: Option<u64>,
    /// The cluster's name: up to 32 hexadecimal digits, the same on every node.
    #[arg(long, value_name = "HEX")]
    pub cluster: Option<String>,
    /// The folder of the log and the state.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// A member of the cluster, this node too: its id, its address for peers and its address for clients. Once for
    /// each member; all of them together replace those of the file.
    #[arg(long = "peer", value_name = "ID=ADDRESS,HTTP")]
    pub peers: Vec<String>,
    /// Least time without a leader before an election, in milliseconds.
    #[arg(long, value_name = "NUMBER")]
    pub election_timeout_ms: Option<u64>,
    /// Time between heartbeats of an idle leader, in milliseconds.
    #[arg(long, value_name = "NUMBER")]
    pub heartbeat_interval_ms: Option<u64>,
    /// Serve on addresses that other hosts reach, though nothing is encrypted and nobody authenticated.
    #[arg(long)]
    pub allow_plaintext: bool,
    /// Record every step of the node here, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Die when the process that started this one does.
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}

impl Flags {
    pub(super) fn override_in(self, settings: &mut Settings) -> Result<(), ConfigError> {
        settings.id = self.id.or(settings.id);
        settings.cluster = self.cluster.or(settings.cluster.take());
        settings.data = self.data.or(settings.data.take());
        settings.election_timeout_ms = self.election_timeout_ms.or(settings.election_timeout_ms);
        settings.heartbeat_interval_ms = self.heartbeat_interval_ms.or(settings.heartbeat_interval_ms);
        settings.trace = self.trace.or(settings.trace.take());
        if self.allow_plaintext {
            settings.allow_plaintext = Some(true);
        }
        if !self.peers.is_empty() {
            settings.peers = self.peers.iter().enumerate().map(peer).collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

fn peer((at, text): (usize, &String)) -> Result<PeerSettings, ConfigError> {
    let parts = || {
        let (id, addresses) = text.split_once('=')?;
        let (address, http) = addresses.split_once(',')?;
        Some((id.parse().ok()?, address, http))
    };
    let (id, address, http) = parts().ok_or_else(|| {
        ConfigError::field(format!("peers[{at}]"), format!("{text:?} is not ID=ADDRESS,HTTP"))
    })?;
    Ok(PeerSettings { id, address: address.into(), http: http.into() })
}
