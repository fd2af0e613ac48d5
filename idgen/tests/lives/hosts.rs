//! Processes of a host that take whichever node is free: the kernel lets go of a lock when its process dies, and a node's
//! ceiling stays on the disk under its name (P6).

use std::collections::BTreeMap;
use std::time::Duration;

use synod_idgen::generator::{Backward, Generator, Options};
use synod_idgen::keeper::{Keeper, KeeperOptions};
use synod_idgen::layout::Id;
use synod_idgen::node::NodeId;
use synod_transport::rng::Rng;

use crate::disk::{Disk, Fates, plan};
use crate::keeper::{Hands, NOON, Small};

/// How the ceilings of nodes are named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Names {
    /// One for each node.
    OfNode,
    /// One for each process, which takes it from node to node.
    OfProcess(usize),
}

struct Process {
    fates: Fates,
    life: Option<(u32, Keeper<Small, Hands, Disk>)>,
}

/// Three processes on two nodes, under one wall. Whether the ids of each node rise, and how many there were.
fn lives(seed: u64, lives: u64, names: fn(usize) -> Names) -> (bool, usize) {
    let mut rng = Rng::new(seed);
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let mut last = BTreeMap::<u32, Id<Small>>::new();
    let (mut rises, mut count, mut left) = (true, 0, lives);
    let mut processes: Vec<_> = (0..3).map(|_| Process { fates: Fates::default(), life: None }).collect();
    while left > 0 {
        let index = rng.below(3) as usize;
        let taken: Vec<u32> = processes.iter().filter_map(|it| it.life.as_ref().map(|life| life.0)).collect();
        let process = &mut processes[index];
        if let Some((node, keeper)) = &mut process.life {
            for _ in 0..rng.between(1, 6) {
                let Ok(id) = keeper.generator().try_next() else { break };
                rises &= last.insert(*node, id).is_none_or(|last| last < id);
                count += 1;
            }
            let _may_fail = keeper.extend();
            if process.fates.is_dead() || rng.below(20) == 0 {
                process.life = None;
            }
        } else if let Some(node) = (0..2).find(|node| !taken.contains(node)) {
            left -= 1;
            process.fates.plan(plan(&mut rng, 6));
            let name = match names(index) {
                Names::OfNode => KeeperOptions::of_node(NodeId::<Small>::try_from(node).unwrap()).name,
                Names::OfProcess(process) => format!("process-{process}-node-{node}"),
            };
            let options = KeeperOptions {
                name,
                window: Duration::from_millis(rng.between(1, 60)),
                ..KeeperOptions::default()
            };
            let backward = Backward::Borrow(Duration::from_millis(rng.below(3_000)));
            let builder = Generator::builder(node.try_into().unwrap())
                .options(Options { backward, ..Options::default() });
            let disk = disk.of(&process.fates);
            process.life =
                Keeper::start(builder, hands.clone(), disk, options).ok().map(|keeper| (node, keeper));
        }
        match rng.below(12) {
            0 => hands.back(rng.below(300)),
            1 | 2 => hands.advance(rng.below(200)),
            _ => {}
        }
    }
    (rises, count)
}

#[test]
fn idgen_p06_processes_that_take_each_others_nodes_repeat_no_id() {
    let mut ids = 0;
    for seed in 0..2_000 {
        let (rises, count) = lives(seed, 50, |_| Names::OfNode);
        assert!(rises, "seed {seed}");
        ids += count;
    }
    assert!(ids > 400_000, "lives give ids: {ids}");
}

#[test]
fn idgen_p06_ceilings_that_do_not_go_with_the_node_are_of_no_use() {
    assert!((0..100).any(|seed| !lives(seed, 50, Names::OfProcess).0));
}
