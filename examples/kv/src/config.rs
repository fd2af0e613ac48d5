//! What a server must know, from a toml file and from flags. Flags win.
//!
//! The file names every member of the cluster, so that one file serves all of them: start each with its own `--id`
//! and `--data`.

mod check;
mod flags;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use synod_transport::ids::{ClusterId, NodeId};

pub use flags::Flags;

/// A configuration that was checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// This node.
    pub id: NodeId,
    /// The cluster it belongs to; peers of another are refused.
    pub cluster: ClusterId,
    /// The folder of its log and its state.
    pub data: PathBuf,
    /// Every member, this node too.
    pub peers: Vec<Peer>,
    /// Least time without a leader before an election.
    pub election_timeout: Duration,
    /// Time between heartbeats of an idle leader.
    pub heartbeat_interval: Duration,
    /// Whether traffic may leave this host without encryption or authentication.
    pub allow_plaintext: bool,
    /// Where to record every step of the node, as JSON lines.
    pub trace: Option<PathBuf>,
}

/// A member of the cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its id.
    pub id: NodeId,
    /// Where its peers reach it.
    pub address: SocketAddr,
    /// Where clients reach it.
    pub http: SocketAddr,
}

impl Config {
    /// Reads the file that the flags name, if they name one, and lets the other flags override it.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let mut settings = match &flags.config {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| ConfigError::File { path: path.clone(), problem: error.to_string() })?;
                Settings::parse(&text, path)?
            }
        };
        flags.override_in(&mut settings)?;
        check::check(settings)
    }

    /// The member that this node is.
    pub fn this(&self) -> Option<&Peer> {
        self.peer(self.id)
    }

    /// The member with this id.
    pub fn peer(&self, id: NodeId) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.id == id)
    }
}

/// Why a configuration was refused. Nothing was started.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read, or is not toml of the right shape.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line where one is.
        problem: String,
    },
    /// A field's value cannot be used.
    #[error("{field}: {problem}")]
    Field {
        /// The field as the file spells it, for example `peers[2].address`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl ConfigError {
    fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}

/// The file as it stands, before it is checked.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    id: Option<u64>,
    cluster: Option<String>,
    data: Option<PathBuf>,
    election_timeout_ms: Option<u64>,
    heartbeat_interval_ms: Option<u64>,
    allow_plaintext: Option<bool>,
    trace: Option<PathBuf>,
    #[serde(default)]
    peers: Vec<PeerSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerSettings {
    id: u64,
    address: String,
    http: String,
}

impl Settings {
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|error| ConfigError::File { path: path.into(), problem: error.to_string() })
    }
}
