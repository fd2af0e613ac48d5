//! The explored world that a configuration of the specification describes.

use std::collections::BTreeMap;

use synod_sim::explore::cluster::Bounds;
use synod_transport::quorum::NodeSet;

use crate::explore::Setup;

/// The setup with the bounds of a `.cfg` of Raft.tla. `None` when the explorer has no such world: the cfg begins elsewhere
/// than in `Init`, plants a fault into the module, or lets intervals go on for ever.
///
/// ```
/// use synod_raft_check::refine::setup_of;
///
/// let cfg = include_str!("../../../spec/election.cfg");
/// assert_eq!(setup_of(cfg).map(|setup| setup.bounds.max_term), Some(1));
/// assert_eq!(setup_of(&cfg.replace("\"none\"", "\"drop-vote\"")), None);
/// ```
pub fn setup_of(cfg: &str) -> Option<Setup> {
    let constants: BTreeMap<&str, &str> = cfg
        .lines()
        .filter(|line| !line.trim_start().starts_with("\\*"))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let is = |name: &str, value: &str| constants.get(name) == Some(&value);
    let from_start = cfg.lines().any(|line| line.trim() == "SPECIFICATION Spec");
    if !from_start || !is("Exact", "TRUE") || !is("Endless", "FALSE") || !is("Fault", "\"none\"") {
        return None;
    }
    let number = |name: &str| constants.get(name)?.parse::<u64>().ok();
    let small = |name: &str| number(name).and_then(|it| u32::try_from(it).ok());
    let size = |name: &str| number(name).and_then(|it| usize::try_from(it).ok());
    let servers = set(constants.get("Servers")?)?;
    let in_order = servers.iter().copied().eq(1..=servers.len() as u64);
    let slot = |id: u64| usize::try_from(id.checked_sub(1)?).ok();
    let campaigners = set(constants.get("Campaigners")?)?
        .into_iter()
        .try_fold(NodeSet::EMPTY, |all, id| Some(all.with(slot(id)?)))?;
    let bounds = Bounds {
        nodes: in_order.then_some(servers.len())?,
        max_term: number("MaxTerm")?,
        max_log: number("MaxLog")?,
        in_flight: size("InFlight")?,
        loss: is("Loss", "TRUE"),
        unsynced: size("Unsynced")?,
        sealed: size("Sealed")?,
        campaigners,
        proposals: small("Proposals")?,
        crashes: small("Crashes")?,
        duplicates: small("Duplicates")?,
        intervals: small("Intervals")?,
        reads: 0,
    };
    Some(Setup { pre_vote: is("PreVotes", "TRUE"), ..Setup::new(bounds) })
}

/// `{1, 2, 3}`, `{}`.
fn set(text: &str) -> Option<Vec<u64>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|id| id.trim().parse().ok()).collect()
}
