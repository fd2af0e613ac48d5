//! Which links are cut, and what happens to a message on one that is not.

use std::collections::BTreeMap;

use synod_transport::net::Class;
use synod_transport::rng::Rng;

use crate::options::Fault;

/// The links between nodes `0..nodes` and their faults.
#[derive(Debug)]
pub(crate) struct Links {
    nodes: usize,
    /// For each sender, a bit per receiver that cannot be reached.
    partition: Vec<u64>,
    flapping: Vec<u64>,
    /// When the last frame in order arrives, per sender, receiver and class.
    ordered: BTreeMap<(usize, usize, u8), u64>,
    /// Least and most of the usual delay, in nanoseconds.
    usual: (u64, u64),
}

/// When copies of a message arrive; none when it is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) first: Option<u64>,
    pub(crate) second: Option<u64>,
    pub(crate) lost_to: Option<&'static str>,
    pub(crate) late: bool,
    pub(crate) overtakes: bool,
}

impl Links {
    pub(crate) fn new(nodes: usize, rng: &mut Rng) -> Self {
        let least = rng.between(50_000, 2_000_000);
        let most = least + rng.between(10_000, 8_000_000);
        Self {
            nodes,
            partition: vec![0; nodes],
            flapping: vec![0; nodes],
            ordered: BTreeMap::new(),
            usual: (least, most),
        }
    }

    pub(crate) fn fate(
        &mut self,
        rng: &mut Rng,
        rates: &[u64],
        now: u64,
        link: (usize, usize, Class),
    ) -> Fate {
        let rate = |fault: Fault| rates.get(fault as usize).copied().unwrap_or(0);
        let (from, to, class) = link;
        if self.is_cut(from, to) {
            return Fate { lost_to: Some("message-cut-off"), ..Fate::default() };
        }
        if rng.chance_ppm(rate(Fault::Loss)) {
            return Fate { lost_to: Some("loss"), ..Fate::default() };
        }
        let mut fate = Fate::default();
        let mut delay = rng.between(self.usual.0, self.usual.1);
        if rng.chance_ppm(rate(Fault::Delay)) {
            // A tail: most are a little late, a few very late.
            let most = rng.between(10_000_000, 2_000_000_000);
            delay += rng.below(most);
            fate.late = true;
        }
        let mut arrival = now + delay;
        fate.overtakes = rng.chance_ppm(rate(Fault::Reorder));
        if !fate.overtakes {
            let last = self.ordered.entry((from, to, class.number())).or_insert(0);
            arrival = arrival.max(*last + 1);
            *last = arrival;
        }
        fate.first = Some(arrival);
        if rng.chance_ppm(rate(Fault::Duplicate)) {
            fate.second = Some(arrival + rng.between(1, 50_000_000));
        }
        fate
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        let cut = |links: &[u64]| links.get(from).is_some_and(|bits| bits & (1 << to) != 0);
        cut(&self.partition) || cut(&self.flapping)
    }

    /// Sender and receiver of every link that is cut.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = (0..self.nodes).flat_map(|from| (0..self.nodes).map(move |to| (from, to)));
        all.filter(|(from, to)| from != to && self.is_cut(*from, *to))
    }

    /// Cuts the network in one of the known ways; its name.
    pub(crate) fn split(&mut self, rng: &mut Rng) -> &'static str {
        self.heal();
        let nodes = self.nodes as u64;
        let all = (1u64 << self.nodes) - 1;
        match rng.below(6) {
            0 => {
                let side = rng.between(1, all.saturating_sub(1));
                self.cut_between(side, all & !side, true);
                "two sets"
            }
            1 => {
                let (bridge, side) = (1 << rng.below(nodes), rng.below(all + 1));
                self.cut_between(side & !bridge, all & !side & !bridge, true);
                "bridge"
            }
            2 => {
                let alone = 1 << rng.below(nodes);
                self.cut_between(alone, all & !alone, true);
                "isolated"
            }
            3 => {
                let mute = 1 << rng.below(nodes);
                self.cut_between(mute, all & !mute, false);
                "mute"
            }
            4 => {
                let deaf = 1 << rng.below(nodes);
                self.cut_between(all & !deaf, deaf, false);
                "deaf"
            }
            _ => {
                let (from, to) = (rng.below(nodes), rng.below(nodes));
                self.cut_between(1 << from, (1 << to) & !(1 << from), false);
                "one way"
            }
        }
    }

    pub(crate) fn heal(&mut self) {
        self.partition.fill(0);
    }

    /// Takes one link, both ways, down or up.
    pub(crate) fn flap(&mut self, a: usize, b: usize, down: bool) {
        for (from, to) in [(a, b), (b, a)] {
            if let Some(bits) = self.flapping.get_mut(from) {
                *bits = if down { *bits | (1 << to) } else { *bits & !(1 << to) };
            }
        }
    }

    pub(crate) fn heal_all(&mut self) {
        self.heal();
        self.flapping.fill(0);
    }

    fn cut_between(&mut self, senders: u64, receivers: u64, both: bool) {
        for (at, bits) in self.partition.iter_mut().enumerate() {
            if senders & (1 << at) != 0 {
                *bits |= receivers;
            }
            if both && receivers & (1 << at) != 0 {
                *bits |= senders;
            }
        }
    }
}
