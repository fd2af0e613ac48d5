//! From what was written to what can be used; every refusal names its field.

use std::net::SocketAddr;
use std::time::Duration;

use synod_transport::ids::{ClusterId, NodeId};

use super::{Config, ConfigError, Peer, PeerSettings, Settings};

const ELECTION_TIMEOUT_MS: u64 = 1000;
const HEARTBEAT_INTERVAL_MS: u64 = 100;

pub(super) fn check(settings: Settings) -> Result<Config, ConfigError> {
    let missing =
        |field: &str| ConfigError::field(field, format!("is missing; set it in the file or with --{field}"));
    let id = settings.id.ok_or_else(|| missing("id"))?;
    let cluster = cluster(&settings.cluster.ok_or_else(|| missing("cluster"))?)?;
    let data = settings.data.ok_or_else(|| missing("data"))?;
    let allow_plaintext = settings.allow_plaintext.unwrap_or(false);
    let peers = peers(&settings.peers, allow_plaintext)?;
    if !peers.iter().any(|peer| peer.id.get() == id) {
        return Err(ConfigError::field("id", format!("{id} is not the id of any of the peers")));
    }
    let (election_timeout, heartbeat_interval) =
        times(settings.election_timeout_ms, settings.heartbeat_interval_ms)?;
    Ok(Config {
        id: NodeId::new(id),
        cluster,
        data,
        peers,
        election_timeout,
        heartbeat_interval,
        allow_plaintext,
        trace: settings.trace,
    })
}

fn cluster(text: &str) -> Result<ClusterId, ConfigError> {
    u128::from_str_radix(text, 16).map(ClusterId).map_err(|_| {
        ConfigError::field("cluster", format!("{text:?} is not a number of 1 to 32 hexadecimal digits"))
    })
}

fn times(election_ms: Option<u64>, heartbeat_ms: Option<u64>) -> Result<(Duration, Duration), ConfigError> {
    let heartbeat = heartbeat_ms.unwrap_or(HEARTBEAT_INTERVAL_MS);
    let election = election_ms.unwrap_or(ELECTION_TIMEOUT_MS);
    if heartbeat == 0 {
        return Err(ConfigError::field("heartbeat-interval-ms", "must not be 0"));
    }
    if election < heartbeat.saturating_mul(3) {
        let problem = format!("{election} is less than three heartbeat intervals of {heartbeat}");
        return Err(ConfigError::field("election-timeout-ms", problem));
    }
    Ok((Duration::from_millis(election), Duration::from_millis(heartbeat)))
}

fn peers(settings: &[PeerSettings], allow_plaintext: bool) -> Result<Vec<Peer>, ConfigError> {
    if settings.is_empty() {
        return Err(ConfigError::field(
            "peers",
            "names nobody; list every member of the cluster, this node too",
        ));
    }
    let mut peers: Vec<Peer> = Vec::new();
    for (at, peer) in settings.iter().enumerate() {
        let field = |name: &str| format!("peers[{at}].{name}");
        if let Some(twin) = peers.iter().position(|it| it.id.get() == peer.id) {
            return Err(ConfigError::field(
                field("id"),
                format!("{} is also the id of peers[{twin}]", peer.id),
            ));
        }
        peers.push(Peer {
            id: NodeId::new(peer.id),
            address: address(field("address"), &peer.address, allow_plaintext)?,
            http: address(field("http"), &peer.http, allow_plaintext)?,
        });
    }
    Ok(peers)
}

fn address(field: String, text: &str, allow_plaintext: bool) -> Result<SocketAddr, ConfigError> {
    let address: SocketAddr = text.parse().map_err(|_| {
        ConfigError::field(&field, format!("{text:?} is not a socket address such as 127.0.0.1:7001"))
    })?;
    if address.port() == 0 {
        return Err(ConfigError::field(field, format!("{text:?} has no port that others could know")));
    }
    if !address.ip().is_loopback() && !allow_plaintext {
        let problem = format!(
            "{text:?} is not a loopback address; nothing is encrypted and nobody authenticated yet, so this needs \
             allow-plaintext = true"
        );
        return Err(ConfigError::field(field, problem));
    }
    Ok(address)
}
