//! Lives of leased nodes: processes that crash, sleep, lose answers, and whose clocks are set back or lie about terms (P32).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use synod_idgen::generator::{Backward, Options};
use synod_idgen::layout::{Id, Position};
use synod_idgen::machine::{Grant, GrantHold, GrantOptions, Granted, MemGrants, Monotonic, NodeGrants};
use synod_idgen::node::Hold;
use synod_transport::rng::Rng;

use crate::disk::{Fates, plan};
use crate::grants::Ticks;
use crate::keeper::{Hands, NOON, Small};

/// Which rule is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    Sound,
    /// A new holder starts at its wall.
    NoFloor,
    /// Ids have no ceiling, and grants alone tell.
    NoCeiling,
    /// A ceiling is recorded for whoever asks.
    NoTurns,
    /// Nobody looks whether the grant is over: as if the own clock stood still.
    NoHold,
}

/// A monotonic clock that goes at a pace of its own: parts of a thousand of true time.
#[derive(Clone, Debug)]
struct Paced(Ticks, u64);

impl Monotonic for Paced {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.0.get() * self.1 / 1_000)
    }
}

/// Of all nodes: the newest turn, and the greatest ceiling.
type Record = RefCell<BTreeMap<u32, (u64, Position<Small>)>>;

/// A grantor that may be out of reach, and whose answers may be lost.
#[derive(Clone)]
struct Reached {
    grantor: MemGrants<Small, Ticks>,
    record: Rc<Record>,
    fates: Fates,
    rule: Rule,
}

impl Reached {
    fn note(&self, grant: &Grant<Small>) {
        let mut record = self.record.borrow_mut();
        let entry = record.entry(grant.node.get()).or_insert((0, Position::ZERO));
        *entry = (entry.0.max(grant.turn), entry.1.max(grant.ceiling));
    }
}

impl NodeGrants<Small> for Reached {
    type Error = ();

    fn acquire(&mut self, wanted: Position<Small>) -> Result<Grant<Small>, ()> {
        let mut grantor = self.grantor.clone();
        let mut grant = self.fates.run(|| grantor.acquire(wanted)).ok_or(())?.map_err(drop)?;
        self.note(&grant);
        match self.rule {
            Rule::NoFloor => grant.floor = Position::ZERO,
            Rule::NoCeiling => grant.ceiling = Position::END,
            Rule::Sound | Rule::NoTurns | Rule::NoHold => {}
        }
        Ok(grant)
    }

    fn renew(&mut self, grant: &Grant<Small>, wanted: Position<Small>) -> Result<Grant<Small>, ()> {
        let mut grantor = self.grantor.clone();
        let wanted = if self.rule == Rule::NoCeiling { grant.floor } else { wanted };
        let renewed = self.fates.run(|| grantor.renew(grant, wanted)).ok_or(())?;
        let ceiling = |own| if self.rule == Rule::NoCeiling { Position::END } else { own };
        match renewed {
            Ok(renewed) => Ok(Grant { ceiling: ceiling(renewed.ceiling), ..renewed }),
            Err(_) if self.rule == Rule::NoTurns => {
                Ok(Grant { ceiling: grant.ceiling.max(wanted), ..*grant })
            }
            Err(_) => Err(()),
        }
    }

    fn release(&mut self, grant: &Grant<Small>) -> Result<(), ()> {
        let mut grantor = self.grantor.clone();
        self.fates.run(|| grantor.release(grant)).ok_or(())?.map_err(drop)
    }
}

type Tenant = Granted<Small, Hands, Reached, Paced>;

struct Process {
    wall: Hands,
    pace: u64,
    fates: Fates,
    tenant: Option<Tenant>,
}

/// What was given of a node, and by whose turn.
#[derive(Default)]
struct Nodes {
    given: BTreeMap<Id<Small>, u64>,
    repeats: u32,
    out_of_order: u32,
    overlaps: u32,
    turns: BTreeMap<u32, u64>,
}

impl Nodes {
    fn push(&mut self, id: Id<Small>, turn: u64, newest: u64) {
        self.overlaps += u32::from(turn < newest);
        self.turns.insert(id.node().get(), newest);
        if self.given.insert(id, turn).is_some() {
            self.repeats += 1;
            return;
        }
        // Ids of one node, in order of position: turns never go down.
        let same = |other: &&Id<Small>| other.node() == id.node();
        let before = self.given.range(..id).rev().take(64).find(|(other, _)| same(other));
        let after = self.given.range(id..).skip(1).take(64).find(|(other, _)| same(other));
        let is_wrong =
            before.is_some_and(|(_, other)| *other > turn) || after.is_some_and(|(_, other)| *other < turn);
        self.out_of_order += u32::from(is_wrong);
    }
}

const TERM_MS: u64 = 200;

/// Processes over a grantor of two nodes. Honest clocks are within their bound; others go at any pace.
fn lives(seed: u64, lives: u64, honest: bool, rule: Rule) -> Nodes {
    let mut rng = Rng::new(seed);
    let ticks = Ticks(Rc::new(Cell::new(0)));
    let grantor = MemGrants::<Small, _>::new(0..=1, Duration::from_millis(TERM_MS), ticks.clone());
    let record = Rc::default();
    let mut processes: Vec<Process> = (0..3)
        .map(|_| Process {
            wall: Hands::at(NOON + rng.below(100)),
            pace: if rule == Rule::NoHold {
                0
            } else if honest {
                rng.between(950, 1_050)
            } else {
                rng.below(1_500)
            },
            fates: Fates::default(),
            tenant: None,
        })
        .collect();
    let (mut nodes, mut left) = (Nodes::default(), lives);
    while left > 0 {
        let process = &mut processes[rng.below(3) as usize];
        match &mut process.tenant {
            None => {
                process.fates.plan(plan(&mut rng, 5));
                let grants = Reached {
                    grantor: grantor.clone(),
                    record: Rc::clone(&record),
                    fates: process.fates.clone(),
                    rule,
                };
                let clock = Paced(ticks.clone(), process.pace);
                process.tenant = Granted::start(grants, process.wall.clone(), clock, options(&mut rng)).ok();
                left -= u64::from(process.tenant.is_some());
            }
            Some(tenant) => act(&mut rng, tenant, &record, &mut nodes),
        }
        let knows_that_it_is_over = process.tenant.as_ref().is_some_and(|tenant| tenant.left().is_zero());
        if process.fates.is_dead() || knows_that_it_is_over || rng.below(40) == 0 {
            process.tenant = None;
        }
        if rng.below(6) == 0 {
            let by = rng.below(TERM_MS / 2);
            ticks.0.set(ticks.0.get() + by);
            processes.iter().for_each(|process| process.wall.advance(by));
        }
        if rng.below(20) == 0 {
            processes[rng.below(3) as usize].wall.back(rng.below(500));
        }
    }
    nodes
}

fn options(rng: &mut Rng) -> GrantOptions {
    let backward = Backward::Borrow(Duration::from_millis(rng.below(3_000)));
    GrantOptions {
        generator: Options { backward, ..Options::default() },
        window: Duration::from_millis(rng.between(1, 60)),
        drift_ppm: 60_000,
        ..GrantOptions::default()
    }
}

fn act(rng: &mut Rng, tenant: &mut Tenant, record: &Record, nodes: &mut Nodes) {
    match rng.below(4) {
        0 => drop(tenant.renew()),
        1 if rng.below(20) == 0 => tenant.generator().hold().end(),
        _ => (0..rng.between(1, 6)).for_each(|_| {
            if let Ok(id) = tenant.generator().try_next() {
                let newest = record.borrow().get(&id.node().get()).map_or(0, |(turn, _)| *turn);
                nodes.push(id, tenant.grant().turn, newest);
            }
        }),
    }
}

#[test]
fn idgen_p32_a_hundred_thousand_lives_of_leased_nodes_repeat_no_id() {
    let mut ids = [0, 0];
    let mut overlaps = 0;
    for seed in 0..1_000 {
        for (honest, ids) in [true, false].into_iter().zip(&mut ids) {
            let nodes = lives(seed, 50, honest, Rule::Sound);
            assert_eq!((nodes.repeats, nodes.out_of_order), (0, 0), "seed {seed}, honest: {honest}");
            if honest {
                assert_eq!(nodes.overlaps, 0, "seed {seed}: an id after the node was another's");
            }
            *ids += nodes.given.len();
            overlaps += nodes.overlaps;
        }
    }
    assert!(ids[0] > 100_000 && ids[1] > 100_000, "lives give ids: {ids:?}");
    assert!(overlaps > 100, "clocks that lie do let two processes use a node: {overlaps}");
}

#[test]
fn idgen_p32_each_rule_that_is_left_out_is_missed() {
    let worlds = |honest, rule| (0..200).map(move |seed| lives(seed, 50, honest, rule));
    assert!(worlds(true, Rule::NoFloor).any(|nodes| nodes.repeats > 0), "no floor");
    assert!(worlds(false, Rule::NoCeiling).any(|nodes| nodes.repeats > 0), "no ceiling");
    assert!(worlds(false, Rule::NoTurns).any(|nodes| nodes.repeats > 0), "no turns");
    assert!(worlds(true, Rule::NoHold).any(|nodes| nodes.overlaps > 0), "no hold");
    // What is given late is still given once, below the ceiling.
    assert!(worlds(true, Rule::NoHold).all(|nodes| (nodes.repeats, nodes.out_of_order) == (0, 0)));
}

#[test]
fn a_hold_that_is_ended_by_hand_is_over() {
    let ticks = Ticks::default();
    let hold = GrantHold::new(ticks, Duration::from_millis(5));
    assert!(hold.is_held() && hold.prolong(Duration::from_millis(3)));
    assert_eq!(hold.left(), Duration::from_millis(5), "a shorter term takes nothing away");
    hold.end();
    assert!(!hold.is_held() && !hold.prolong(Duration::from_secs(9)));
}
