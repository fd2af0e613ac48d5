//! The judges: is the history linearizable, is every acknowledged write there, do the nodes agree?

use std::collections::BTreeMap;

use synod_kv::client::{Client, Patience};
use synod_sim::linear::{Answer, Failure, Kind, Operation, check};

use super::calls::Call;
use super::cluster::{Cluster, NODES};
use super::stage::Stage;
use super::workload::{key_name, text};
use super::{Args, Run, faults};

/// What a key holds in the end.
pub(super) struct End {
    key: String,
    /// As a linearizable read says.
    value: Option<String>,
    /// As each node has it.
    nodes: Vec<Option<String>>,
}

/// Something that must not be.
pub(super) struct Findings {
    /// The operations that no order explains.
    pub(super) offence: Option<Failure>,
    /// Acknowledged writes that the end does not show and no later write explains.
    pub(super) lost: Vec<String>,
    /// Keys of which nodes hold different values.
    pub(super) differing: Vec<String>,
}

impl Findings {
    /// Whether all is well.
    pub(super) fn is_empty(&self) -> bool {
        self.offence.is_none() && self.lost.is_empty() && self.differing.is_empty()
    }
}

/// Reads every key, linearizably by way of each node, and then as each node has it. The linearizable reads become
/// part of what clients did.
pub(super) async fn read_everything(
    args: &Args,
    cluster: &Cluster,
    stage: &Stage,
    calls: &mut Vec<Call>,
) -> anyhow::Result<Vec<End>> {
    faults::level(cluster).await?;
    let mut urls = cluster.urls();
    let mut clients = Vec::new();
    for _ in 0..NODES {
        clients.push(Client::new(&urls, Patience::default())?);
        urls.rotate_left(1);
    }
    let mut ends = Vec::new();
    for key in (0..usize::try_from(args.keys)?).map(key_name) {
        let mut value = None;
        for (id, client) in (args.clients..).zip(&mut clients) {
            let invoke = stage.nanos();
            value = client.get(&key).await?.as_ref().map(text);
            let ended = stage.nanos();
            let (key, result) = (key.clone(), Answer::Value(value.clone()));
            let complete = Some(ended);
            let operation = Operation { client: id, key, kind: Kind::Get, invoke, complete, result };
            calls.push(Call { operation, ended, refused: false });
        }
        ends.push(End { key, value, nodes: Vec::new() });
    }
    faults::level(cluster).await?;
    for end in &mut ends {
        for client in &clients {
            end.nodes.push(client.get_stale(0, &end.key).await?.as_ref().map(text));
        }
    }
    Ok(ends)
}

/// Judges a run.
pub(super) fn judge(run: &Run, ends: &[End]) -> Findings {
    let mut by_key: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in run.history.iter().filter(|it| value_after(it).is_some()) {
        by_key.entry(&operation.key).or_default().push(operation);
    }
    let lost = ends.iter().flat_map(|end| {
        let writes = by_key.get(end.key.as_str()).map(Vec::as_slice).unwrap_or_default();
        lost(end.value.as_deref(), writes)
    });
    let lost = lost.map(ToString::to_string).collect();
    let differs = |end: &&End| end.nodes.iter().any(|value| *value != end.value);
    let describe = |end: &End| format!("{}: {:?}, by node {:?}", end.key, end.value, end.nodes);
    let differing = ends.iter().filter(differs).map(describe).collect();
    Findings { offence: check(&run.history).err(), lost, differing }
}

/// The acknowledged writes that began after every write that can have left `value` had returned.
fn lost<'a>(value: Option<&str>, writes: &[&'a Operation]) -> Vec<&'a Operation> {
    let makers = writes.iter().filter(|write| value_after(write) == Some(value));
    // A write without a return can happen at any later time. A key that nobody wrote was absent before all.
    let ends = makers.map(|write| write.complete.unwrap_or(u64::MAX));
    let newest = ends.max().unwrap_or(0);
    writes.iter().filter(|write| write.complete.is_some() && write.invoke > newest).copied().collect()
}

/// What a key holds after this operation, if it writes or may have.
fn value_after(operation: &Operation) -> Option<Option<&str>> {
    match (&operation.kind, &operation.result) {
        (Kind::Put(value), _) => Some(Some(value)),
        (Kind::CompareAndSet { .. }, Answer::Swapped(false)) | (Kind::Get, _) => None,
        (Kind::CompareAndSet { new, .. }, _) => Some(Some(new)),
        (Kind::Delete, _) => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(kind: Kind, invoke: u64, complete: Option<u64>) -> Operation {
        let result = if complete.is_some() { Answer::Done } else { Answer::Unknown };
        Operation { client: 0, key: "k".into(), kind, invoke, complete, result }
    }

    fn put(value: &str, invoke: u64, complete: Option<u64>) -> Operation {
        write(Kind::Put(value.into()), invoke, complete)
    }

    fn count(value: Option<&str>, writes: &[Operation]) -> usize {
        lost(value, &writes.iter().collect::<Vec<_>>()).len()
    }

    #[test]
    fn a_write_after_the_one_that_is_seen_is_lost() {
        let writes = [put("a", 1, Some(2)), put("b", 3, Some(4)), put("c", 5, Some(6))];
        assert_eq!(count(Some("a"), &writes), 2);
        assert_eq!(count(Some("c"), &writes), 0);
        assert_eq!(count(None, &writes), 3);
        assert_eq!(count(Some("nobody's"), &writes), 3);
    }

    #[test]
    fn overlap_and_doubt_excuse() {
        let overlapping = [put("a", 1, Some(4)), put("b", 3, Some(5))];
        assert_eq!(count(Some("a"), &overlapping), 0);
        let doubtful = [put("a", 1, None), put("b", 3, Some(4))];
        assert_eq!(count(Some("a"), &doubtful), 0);
        let deleted = [put("a", 1, Some(2)), write(Kind::Delete, 3, Some(4))];
        assert_eq!(count(None, &deleted), 0);
        assert_eq!(count(Some("a"), &deleted), 1, "a delete can be lost too");
    }
}
