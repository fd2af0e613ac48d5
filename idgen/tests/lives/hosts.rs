//! Processes of a host that take whichever node is free: the kernel lets go of a lock when its process dies, and a node's
//! ceiling stays on the disk under its name (P6). And processes that have the same node at once, by mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use synod_idgen::generator::{Backward, Generator, Options};
use synod_idgen::keeper::{Keeper, KeeperError, KeeperOptions};
use synod_idgen::layout::Id;
use synod_idgen::node::NodeId;
use synod_transport::rng::Rng;
use synod_transport::store::{StateStore, StoreError};

use crate::disk::{Disk, Fates, plan};
use crate::keeper::{Hands, NOON, Small};

/// What is done wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    None,
    /// Ceilings go with the process, not with the node.
    OwnNames,
    /// Nobody looks who has a node.
    NoLocks,
    /// The same, and a keeper does not look what others stored.
    NoLocksAndBlind,
}

/// A process's way to the disk. A blind one reads what it wrote itself, once it wrote.
struct View {
    disk: Disk,
    blind: bool,
    own: Option<Bytes>,
}

impl StateStore for View {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        match &self.own {
            Some(own) if self.blind => Ok(Some(own.clone())),
            _ => self.disk.get(name),
        }
    }
    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.disk.set(name, value)?;
        self.own = Some(Bytes::copy_from_slice(value));
        Ok(())
    }
}

struct Process {
    fates: Fates,
    life: Option<(u32, Keeper<Small, Hands, View>)>,
}

/// What came of a world.
#[derive(Default)]
struct Told {
    last: BTreeMap<u32, Id<Small>>,
    given: BTreeSet<Id<Small>>,
    repeats: u32,
    falls: u32,
    taken_over: u32,
}

impl Told {
    fn push(&mut self, node: u32, id: Id<Small>) {
        self.falls += u32::from(self.last.insert(node, id).is_some_and(|last| last > id));
        self.repeats += u32::from(!self.given.insert(id));
    }
}

/// Three processes on two nodes, under one wall.
fn lives(seed: u64, lives: u64, mistake: Mistake) -> Told {
    let mut rng = Rng::new(seed);
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let (mut told, mut left) = (Told::default(), lives);
    let mut processes: Vec<_> = (0..3).map(|_| Process { fates: Fates::default(), life: None }).collect();
    while left > 0 {
        let index = rng.below(3) as usize;
        let taken: Vec<u32> = processes.iter().filter_map(|it| it.life.as_ref().map(|life| life.0)).collect();
        let is_free = |node: &u32| !taken.contains(node);
        let node = match mistake {
            Mistake::NoLocks | Mistake::NoLocksAndBlind => Some(rng.below(2) as u32),
            Mistake::None | Mistake::OwnNames => (0..2).find(is_free),
        };
        let process = &mut processes[index];
        if let Some((node, keeper)) = &mut process.life {
            for _ in 0..rng.between(1, 6) {
                let Ok(id) = keeper.generator().try_next() else { break };
                told.push(*node, id);
            }
            let extended = keeper.extend();
            told.taken_over += u32::from(matches!(extended, Err(KeeperError::TakenOver { .. })));
            if process.fates.is_dead() || rng.below(20) == 0 {
                process.life = None;
            }
        } else if let Some(node) = node {
            left -= 1;
            process.fates.plan(plan(&mut rng, 6));
            let blind = mistake == Mistake::NoLocksAndBlind;
            let view = View { disk: disk.of(&process.fates), blind, own: None };
            let owner = (mistake == Mistake::OwnNames).then_some(index);
            process.life = start(&mut rng, node, owner, &hands, view).map(|keeper| (node, keeper));
        }
        match rng.below(12) {
            0 => hands.back(rng.below(300)),
            1 | 2 => hands.advance(rng.below(200)),
            _ => {}
        }
    }
    told
}

fn start(
    rng: &mut Rng,
    node: u32,
    owner: Option<usize>,
    hands: &Hands,
    view: View,
) -> Option<Keeper<Small, Hands, View>> {
    let node = NodeId::<Small>::try_from(node).unwrap();
    let mut options =
        KeeperOptions { window: Duration::from_millis(rng.between(1, 60)), ..KeeperOptions::of_node(node) };
    if let Some(owner) = owner {
        options.name = format!("process-{owner}-node-{node}");
    }
    let backward = Backward::Borrow(Duration::from_millis(rng.below(3_000)));
    let builder = Generator::builder(node).options(Options { backward, ..Options::default() });
    Keeper::start(builder, hands.clone(), view, options).ok()
}

#[test]
fn idgen_p06_processes_that_take_each_others_nodes_repeat_no_id() {
    let mut ids = 0;
    for seed in 0..2_000 {
        let told = lives(seed, 50, Mistake::None);
        assert_eq!((told.repeats, told.falls, told.taken_over), (0, 0, 0), "seed {seed}");
        ids += told.given.len();
    }
    assert!(ids > 400_000, "lives give ids: {ids}");
}

#[test]
fn idgen_p06_ceilings_that_do_not_go_with_the_node_are_of_no_use() {
    assert!((0..100).any(|seed| lives(seed, 50, Mistake::OwnNames).repeats > 0));
}

#[test]
fn idgen_p06_two_processes_of_one_node_by_mistake_repeat_no_id_and_the_first_is_told() {
    let mut taken_over = 0;
    for seed in 0..2_000 {
        let told = lives(seed, 50, Mistake::NoLocks);
        assert_eq!(told.repeats, 0, "seed {seed}");
        taken_over += told.taken_over;
    }
    assert!(taken_over > 1_000, "it happens: {taken_over}");
    assert!((0..100).any(|seed| lives(seed, 50, Mistake::NoLocksAndBlind).repeats > 0));
}
