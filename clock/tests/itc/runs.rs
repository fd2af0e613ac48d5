//! Random runs of many peers: against causal histories, and against the paper's equations.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use synod_clock::causality::Causality;
use synod_clock::itc::{History, Stamp};

use crate::paper;

/// Peers are chosen among those that are there, by remainder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Fork(usize),
    Event(usize),
    /// The second retires into the first.
    Join(usize, usize),
    Message(usize, usize),
}

/// So many peers at first, by forks of any of those before; then any steps.
pub(crate) fn runs(peers: impl Strategy<Value = usize>, most: usize) -> impl Strategy<Value = Vec<Step>> {
    let any_peer = 0..usize::MAX;
    let forks = peers.prop_flat_map({
        let any_peer = any_peer.clone();
        move |peers| prop::collection::vec(any_peer.clone().prop_map(Step::Fork), peers - 1)
    });
    let step = (0..10u8, any_peer.clone(), any_peer).prop_map(|(kind, one, two)| match kind {
        0 => Step::Fork(one),
        1 => Step::Join(one, two),
        2..5 => Step::Message(one, two),
        _ => Step::Event(one),
    });
    (forks, prop::collection::vec(step, 0..most)).prop_map(|(forks, steps)| [forks, steps].concat())
}

/// One process, right or wrong.
trait Peer: Sized {
    type Seen: Clone;
    fn seed() -> Self;
    fn fork(&mut self) -> Self;
    fn event(&mut self);
    fn join(&mut self, other: Self);
    fn seen(&self) -> Self::Seen;
    fn receive(&mut self, sent: &Self::Seen);
    fn compare(left: &Self::Seen, right: &Self::Seen) -> Causality;
}

impl Peer for Stamp {
    type Seen = History;
    fn seed() -> Self {
        Self::seed()
    }
    fn fork(&mut self) -> Self {
        self.fork().unwrap()
    }
    fn event(&mut self) {
        self.event().unwrap();
    }
    fn join(&mut self, other: Self) {
        self.join(other).unwrap();
    }
    fn seen(&self) -> History {
        self.peek().clone()
    }
    fn receive(&mut self, sent: &History) {
        self.receive(sent).unwrap();
    }
    fn compare(left: &History, right: &History) -> Causality {
        assert_eq!(left.is_within(right), left.compare(right).is_within());
        assert_eq!(left.partial_cmp(right), left.compare(right).ordering());
        left.compare(right)
    }
}

/// Events by number.
type Past = std::collections::BTreeSet<usize>;

/// After every step, whoever moved is compared with everybody, and with what was once sent.
fn agrees_with_causal_histories<P: Peer>(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut peers = vec![(P::seed(), Past::new())];
    let mut sent: Vec<(P::Seen, Past)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let count = peers.len();
        let moved = match *step {
            Step::Fork(peer) => {
                let (stamp, past) = &mut peers[peer % count];
                let new = (stamp.fork(), past.clone());
                peers.push(new);
                count
            }
            Step::Join(one, two) if count > 1 && one % count != two % count => {
                let (other, others) = peers.swap_remove(two % count);
                let place = if one % count == count - 1 { two % count } else { one % count };
                peers[place].0.join(other);
                peers[place].1.extend(others);
                place
            }
            Step::Message(from, to) => {
                let (stamp, past) = &mut peers[from % count];
                stamp.event();
                past.insert(2 * number);
                sent.push((stamp.seen(), past.clone()));
                let (seen, carried) = sent[to % sent.len()].clone();
                let (stamp, past) = &mut peers[to % count];
                stamp.receive(&seen);
                past.extend(carried);
                past.insert(2 * number + 1);
                to % count
            }
            Step::Event(peer) | Step::Join(peer, _) => {
                let (stamp, past) = &mut peers[peer % count];
                stamp.event();
                past.insert(2 * number);
                peer % count
            }
        };
        let seen: Vec<(P::Seen, &Past)> = peers.iter().map(|(stamp, past)| (stamp.seen(), past)).collect();
        let (stamp, past) = &seen[moved];
        let all = seen.iter().map(|(other, others)| (other, *others)).chain(sent.iter().map(|(o, p)| (o, p)));
        for (other, others) in all {
            let truth = Causality::from_inclusion(past.is_subset(others), others.is_subset(past));
            prop_assert_eq!(P::compare(stamp, other), truth, "at step {}", number);
            prop_assert_eq!(P::compare(other, stamp), truth.reverse(), "at step {}", number);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config::with_cases(48))]
    #[test]
    fn clock_p26_agrees_with_causal_histories(steps in runs(2..=64usize, 120)) {
        agrees_with_causal_histories::<Stamp>(&steps)?;
    }
}

proptest! {
    #[test]
    fn clock_p26_few_peers_agree_with_causal_histories(steps in runs(2..=5usize, 80)) {
        agrees_with_causal_histories::<Stamp>(&steps)?;
    }

    /// Not only right, but the very trees of the paper, encoded in its very bits; and every encoding is read back.
    #[test]
    fn clock_p26_stamps_and_bits_are_those_of_the_paper(steps in runs(1..=24usize, 100)) {
        let mut peers = vec![(Stamp::seed(), paper::Stamp::seed())];
        for step in steps {
            let count = peers.len();
            match step {
                Step::Fork(peer) => {
                    let (stamp, twin) = &mut peers[peer % count];
                    let new = (stamp.fork().unwrap(), twin.fork());
                    peers.push(new);
                }
                Step::Join(one, two) if one % count != two % count => {
                    let (other, other_twin) = peers.swap_remove(two % count);
                    let place = if one % count == count - 1 { two % count } else { one % count };
                    peers[place].0.join(other).unwrap();
                    peers[place].1.join(&other_twin);
                }
                Step::Message(from, to) => {
                    let sent = peers[from % count].0.peek().clone();
                    let sent_twin = peers[from % count].1.event.clone();
                    let (stamp, twin) = &mut peers[to % count];
                    let before = stamp.peek().clone();
                    stamp.merge(&sent);
                    prop_assert_eq!(before.is_within(&sent), paper::leq(&twin.event, &sent_twin));
                    twin.event = paper::join(&twin.event, &sent_twin);
                }
                Step::Event(peer) | Step::Join(peer, _) => {
                    let (stamp, twin) = &mut peers[peer % count];
                    stamp.event().unwrap();
                    twin.event();
                }
            }
            for (stamp, twin) in &peers {
                prop_assert_eq!(stamp.to_string(), twin.to_string());
            }
        }
        for (stamp, twin) in peers {
            prop_assert_eq!(stamp.encode(), twin.encode());
            prop_assert_eq!(&Stamp::decode(&stamp.encode()).unwrap(), &stamp);
            let history = stamp.peek();
            prop_assert_eq!(&History::decode(&history.encode()).unwrap(), history);
        }
    }
}

/// A number instead of a history.
struct Scalar(u64);

impl Peer for Scalar {
    type Seen = u64;
    fn seed() -> Self {
        Self(0)
    }
    fn fork(&mut self) -> Self {
        Self(self.0)
    }
    fn event(&mut self) {
        self.0 += 1;
    }
    fn join(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }
    fn seen(&self) -> u64 {
        self.0
    }
    fn receive(&mut self, sent: &u64) {
        self.0 = self.0.max(*sent) + 1;
    }
    fn compare(left: &u64, right: &u64) -> Causality {
        Causality::from_inclusion(left <= right, right <= left)
    }
}

/// A stamp with one mistake.
struct Wrong<const MISTAKE: u8>(Stamp);

const FORK_COPIES: u8 = 0;
const JOIN_FORGETS: u8 = 1;
const RECEIPT_IS_NO_EVENT: u8 = 2;

impl<const MISTAKE: u8> Peer for Wrong<MISTAKE> {
    type Seen = History;
    fn seed() -> Self {
        Self(Stamp::seed())
    }
    fn fork(&mut self) -> Self {
        if MISTAKE == FORK_COPIES {
            return Self(Stamp::decode(&self.0.encode()).unwrap());
        }
        Self(Peer::fork(&mut self.0))
    }
    fn event(&mut self) {
        Peer::event(&mut self.0);
    }
    fn join(&mut self, other: Self) {
        if MISTAKE == FORK_COPIES {
            return self.0.merge(other.0.peek());
        }
        if MISTAKE != JOIN_FORGETS {
            Peer::join(&mut self.0, other.0);
        }
    }
    fn seen(&self) -> History {
        self.0.peek().clone()
    }
    fn receive(&mut self, sent: &History) {
        self.0.merge(sent);
        if MISTAKE != RECEIPT_IS_NO_EVENT {
            Peer::event(&mut self.0);
        }
    }
    fn compare(left: &History, right: &History) -> Causality {
        left.compare(right)
    }
}

#[test]
fn clock_p26_naive_twins_are_found() {
    fn breaks<P: Peer>(name: &str) {
        let cases = runs(2..=5usize, 60);
        let broken =
            TestRunner::deterministic().run(&cases, |steps| agrees_with_causal_histories::<P>(&steps));
        assert!(broken.is_err(), "no run breaks {name}");
    }
    breaks::<Scalar>("a number instead of a history");
    breaks::<Wrong<FORK_COPIES>>("a fork that copies");
    breaks::<Wrong<JOIN_FORGETS>>("a join that forgets");
    breaks::<Wrong<RECEIPT_IS_NO_EVENT>>("a receipt that is no event");
}
