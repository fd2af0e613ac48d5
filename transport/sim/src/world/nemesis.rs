//! Lives, deaths, and whatever else goes wrong.

use synod_transport::host::Host;
use synod_transport::ids::{Incarnation, LogIndex, NodeId};
use synod_transport::machine::Machine;
use synod_transport::store::LogStore;
use synod_transport::trace::{Fields, Value, named};

use super::{Did, Happening, MILLISECOND, World, id};
use crate::clock::Clock;
use crate::options::{DriverFault, Fault};

const SECOND: u64 = 1000 * MILLISECOND;

impl<M: Machine> World<M> {
    /// Starts a node's next life from what its disk holds.
    pub(super) fn boot(&mut self, at: usize) -> Option<usize> {
        let node = self.nodes.get_mut(at)?;
        if node.host.is_some() {
            return None;
        }
        node.life = node.life.next();
        let origin = self.rng_boot.below(1 << 40);
        node.clock = Clock::new(self.now, origin, node.clock_ppm);
        let machine = (self.factory)(id(at), node.life, self.rng_boot.next_u64(), &node.disk.summary());
        let mut disk = core::mem::take(&mut node.disk);
        let planted = self.options.driver_fault;
        disk.set_lies(self.options.lying_disks || planted == Some(DriverFault::LyingDisks));
        disk.set_keeps_torn(planted == Some(DriverFault::TornWritesKept));
        let machine = match machine {
            Ok(machine) => machine,
            Err(error) => {
                node.disk = disk;
                self.violate("machine", format!("{:?} cannot start from its log: {error}", id(at)));
                return None;
            }
        };
        let mut host = Host::new(machine, disk, LogIndex::ZERO);
        if let Some(trace) = &self.trace {
            host.record_to(Box::new(trace.clone()));
        }
        (node.role, node.paused, node.wake_in_heap) = (None, false, None);
        node.applied.clear();
        let life = node.life;
        if let Some(trace) = &self.trace {
            trace.note(&Did::new(id(at), "Start", named([("life", life.into())])));
        }
        let result = host.wake(node.clock.reading(self.now));
        node.host = Some(host);
        if life > Incarnation::new(1) {
            self.count("restart");
        }
        self.settle(at, result)
    }

    /// A node loses its power. False when it was down already.
    pub(super) fn crash(&mut self, at: usize) -> bool {
        let Some(node) = self.nodes.get_mut(at) else { return false };
        let Some(mut host) = node.host.take() else { return false };
        node.disk = core::mem::take(host.store_mut());
        let report = node.disk.crash(&mut self.rng_disk);
        let deferred = core::mem::take(&mut node.deferred);
        (node.paused, node.wake_in_heap) = (false, None);
        node.applied.clear();
        node.role = None;
        let life = node.life;
        let count = |it: usize| Value::Number(it as u64);
        self.note(|| {
            let fields = [
                ("life", life.into()),
                ("unsynced", count(report.unsynced)),
                ("survived", count(report.survived)),
                ("torn", report.torn.into()),
            ];
            Did::new(id(at), "Crash", named(fields))
        });
        for what in deferred {
            if let Happening::Ask { operation, .. } = what {
                self.nobody_home(operation);
            }
        }
        self.forget_waiting(at);
        if report.unsynced > 0 {
            self.count("crashed-with-unsynced-writes");
        }
        if report.survived < report.unsynced {
            self.count("unsynced-writes-lost");
        }
        if report.torn {
            self.count("torn-write");
        }
        let down = self.rng_nemesis.between(10 * MILLISECOND, 2 * SECOND);
        self.heap.push(self.now + down, Happening::Boot { at });
        true
    }

    pub(super) fn resume(&mut self, at: usize, life: Incarnation) -> Option<usize> {
        let node = self.nodes.get_mut(at)?;
        if !node.paused || node.life != life {
            return None;
        }
        node.paused = false;
        self.note(|| Did::new(id(at), "Resume", Fields::new()));
        self.give_deferred(at);
        None
    }

    /// One of fifty chances a second for each fault that strikes a node or the whole network.
    pub(super) fn nemesis(&mut self) -> Option<usize> {
        if !self.faulty {
            return None;
        }
        self.heap.push(self.now + 20 * MILLISECOND, Happening::Nemesis);
        let mut touched = None;
        for fault in [
            Fault::Partition,
            Fault::Flap,
            Fault::Crash,
            Fault::CrashAll,
            Fault::Pause,
            Fault::SlowDisk,
            Fault::DiskFailure,
        ] {
            // All draws are made whatever the rate, so that fixing one fault does not move the others.
            let strikes = self.rng_nemesis.chance_ppm(self.rate(fault));
            let at = usize::try_from(self.rng_nemesis.below(self.nodes.len() as u64)).unwrap_or(0);
            let long = self.rng_nemesis.between(10 * MILLISECOND, 3 * SECOND);
            if strikes && self.strike(fault, at, long) {
                self.count(fault.name());
                touched = Some(at);
            }
        }
        touched
    }

    /// Whether there was something to strike.
    fn strike(&mut self, fault: Fault, at: usize, long: u64) -> bool {
        let until = self.now + long;
        match fault {
            Fault::Partition => {
                if self.nodes.len() < 2 {
                    return false;
                }
                let kind = self.links.split(&mut self.rng_nemesis);
                self.note(|| {
                    let cut = |(from, to)| [id(from), id(to)].into_iter().collect::<Value>();
                    let fields = [
                        ("kind", Value::word(kind)),
                        ("cut", self.links.cuts().map(cut).collect()),
                        ("until", until.into()),
                    ];
                    Did::new(NodeId::ZERO, "Partition", named(fields))
                });
                self.heap.push(until, Happening::HealPartition);
            }
            Fault::Flap => {
                let b = usize::try_from(self.rng_nemesis.below(self.nodes.len() as u64)).unwrap_or(0);
                let left = 2 * self.rng_nemesis.between(2, 8);
                if at == b {
                    return false;
                }
                self.flap(at, b, left);
            }
            Fault::Crash => return self.crash(at),
            Fault::CrashAll => {
                let mut any = false;
                for at in 0..self.nodes.len() {
                    any |= self.crash(at);
                }
                return any;
            }
            Fault::Pause => {
                let Some(node) = self.nodes.get_mut(at) else { return false };
                if node.paused || node.host.is_none() {
                    return false;
                }
                node.paused = true;
                let life = node.life;
                self.note(|| Did::new(id(at), "Pause", named([("until", until.into())])));
                self.heap.push(until, Happening::Resume { at, life });
            }
            Fault::SlowDisk => {
                if let Some(node) = self.nodes.get_mut(at) {
                    node.slow_until = until;
                }
                self.note(|| Did::new(id(at), "SlowDisk", named([("until", until.into())])));
            }
            Fault::DiskFailure => {
                let Some(node) = self.nodes.get_mut(at) else { return false };
                let Some(host) = &mut node.host else { return false };
                host.store_mut().fail();
                // Whoever waits for the disk hears of it.
                let life = node.life;
                self.note(|| Did::new(id(at), "DiskFailure", Fields::new()));
                self.heap.push(self.now, Happening::Synced { at, life });
            }
            _ => return false,
        }
        true
    }

    pub(super) fn flap(&mut self, a: usize, b: usize, left: u64) {
        let down = self.faulty && left % 2 == 0 && left > 0;
        self.links.flap(a, b, down);
        let what = if down { "LinkDown" } else { "LinkUp" };
        self.note(|| Did { peer: Some(id(b)), ..Did::new(id(a), what, Fields::new()) });
        if self.faulty && left > 0 {
            let when = self.now + self.rng_nemesis.between(5 * MILLISECOND, 400 * MILLISECOND);
            self.heap.push(when, Happening::Flap { a, b, left: left - 1 });
        }
    }

    /// The faults end: the network is whole, disks are quick, everyone is up.
    pub(super) fn heal(&mut self) {
        self.faulty = false;
        self.rates.fill(0);
        self.links.heal_all();
        self.note(|| Did::new(NodeId::ZERO, "Heal", Fields::new()));
        for at in 0..self.nodes.len() {
            let Some(node) = self.nodes.get_mut(at) else { continue };
            node.slow_until = 0;
            let life = node.life;
            if node.host.is_none() {
                self.boot(at);
            } else {
                self.resume(at, life);
            }
        }
        self.heap.push(self.now, Happening::Probe);
    }
}
