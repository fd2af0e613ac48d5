//! The simulated disk and network against the suites that every implementation runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use std::task::{Context, Waker};

use synod_sim::disk::SimDisk;
use synod_sim::network::{SimEndpoint, SimNetwork};
use synod_sim::options::Options;
use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Frame, Inbound, Transport};
use synod_transport::rng::Rng;
use synod_transport::testing::{log_store, net};

struct Disks(Rng);

impl log_store::Harness for Disks {
    type Store = SimDisk;

    fn create(&mut self) -> SimDisk {
        SimDisk::new(64)
    }

    fn settle(&mut self, disk: &mut SimDisk) {
        while disk.start_sync() {
            disk.finish_sync();
        }
    }

    fn crash(&mut self, mut disk: SimDisk) -> Option<SimDisk> {
        disk.crash(&mut self.0);
        Some(disk)
    }

    fn fail(&mut self, disk: &mut SimDisk) -> bool {
        disk.fail();
        true
    }
}

#[test]
fn the_simulated_disk_is_a_log_store() {
    let tally = log_store::conformance(|| Disks(Rng::new(1)));
    println!("{tally:?}");
    assert!(tally.crashes > 0);
}

/// A sync in flight covers what was submitted before it began, and no more.
#[test]
fn a_sync_covers_what_came_before_it() {
    use synod_transport::ids::{Position, WriteId};
    use synod_transport::log::Entry;
    use synod_transport::store::{Batch, LogStore};

    let mut disk = SimDisk::new(64);
    let submit = |disk: &mut SimDisk, at: u64| {
        let mut append = vec![Entry { position: Position::new(1, at), ..Entry::default() }];
        let id = WriteId::new(at);
        disk.submit(Batch {
            id,
            truncate_from: None,
            append: &mut append,
            hard_state: None,
            purge_through: None,
        })
        .unwrap();
    };
    submit(&mut disk, 1);
    assert!(disk.start_sync());
    submit(&mut disk, 2);
    assert!(!disk.start_sync(), "one at a time");
    disk.finish_sync();
    assert_eq!((disk.synced(), disk.durable().last()), (WriteId::new(1), Position::new(1, 1)));
    assert_eq!(disk.view().last(), Position::new(1, 2));
    assert_eq!(disk.unsynced(), 1);
}

/// Every number of survivors comes up, and what survives is always a prefix.
#[test]
fn a_crash_keeps_a_prefix_of_whole_batches() {
    use synod_transport::ids::{Position, WriteId};
    use synod_transport::log::Entry;
    use synod_transport::store::{Batch, LogStore};

    let mut rng = Rng::new(9);
    let mut survivors = [0; 4];
    let mut torn = 0;
    for _ in 0..200 {
        let mut disk = SimDisk::new(64);
        for at in 1..=3u64 {
            let mut append: Vec<Entry> = [2 * at - 1, 2 * at]
                .map(|index| Entry { position: Position::new(1, index), ..Entry::default() })
                .to_vec();
            let id = WriteId::new(at);
            disk.submit(Batch {
                id,
                truncate_from: None,
                append: &mut append,
                hard_state: None,
                purge_through: None,
            })
            .unwrap();
        }
        let report = disk.crash(&mut rng);
        assert_eq!(disk.summary().last().index.get(), 2 * report.survived as u64);
        survivors[report.survived] += 1;
        torn += u32::from(report.torn);
    }
    assert!(survivors.iter().all(|count| *count > 20), "{survivors:?}");
    assert!(torn > 20);
}

struct Nets(SimNetwork, Vec<(NodeId, SimEndpoint)>);

impl net::Harness for Nets {
    type Endpoint = SimEndpoint;

    fn endpoint(&mut self, id: NodeId) -> &mut SimEndpoint {
        &mut self.1.iter_mut().find(|(known, _)| *known == id).unwrap().1
    }

    fn advance(&mut self) {
        self.0.advance(1_000_000);
    }

    fn close(&mut self, id: NodeId) -> bool {
        self.endpoint(id).close();
        true
    }
}

#[test]
fn the_simulated_network_is_a_transport() {
    for seed in 0..5 {
        let tally = net::conformance(|ids| {
            let network = SimNetwork::new(seed, ids, &Options::quiet(3), 256);
            let ends = ids.iter().map(|id| (*id, network.endpoint(*id).unwrap())).collect();
            Nets(network, ends)
        });
        println!("{tally:?}");
        assert!(tally.frames > 1000);
    }
}

#[test]
fn a_partition_cuts_and_a_heal_joins() {
    let ids = [NodeId::new(1), NodeId::new(2)];
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let network = SimNetwork::new(seed, &ids, &Options::quiet(2), 16);
        let mut ends: Vec<SimEndpoint> = ids.iter().map(|id| network.endpoint(*id).unwrap()).collect();
        let mut cx = Context::from_waker(Waker::noop());
        let mut passes = |ends: &mut Vec<SimEndpoint>, from: usize| {
            ends[from].try_send(ids[1 - from], Class::Data, Frame::new("x".into())).unwrap();
            network.advance(1_000_000_000);
            let mut out = Vec::new();
            ends[1 - from].poll_recv(&mut cx, &mut out, 9).is_ready()
        };
        assert!(passes(&mut ends, 0) && passes(&mut ends, 1));
        let kind = network.partition();
        let through = (passes(&mut ends, 0), passes(&mut ends, 1));
        match kind {
            "two sets" | "isolated" => assert_eq!(through, (false, false), "{kind}"),
            "mute" | "deaf" => assert!(through.0 != through.1, "{kind}"),
            _ => {}
        }
        kinds.insert(kind);
        network.heal();
        assert!(passes(&mut ends, 0) && passes(&mut ends, 1));
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}
