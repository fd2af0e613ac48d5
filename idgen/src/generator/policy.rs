//! What a generator does when the wall is behind its ids.

use core::time::Duration;

/// The choices of a generator. The defaults give ids through all small troubles and let no id's time stray far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The wall stepped back.
    pub backward: Backward,
    /// More ids were asked for than a tick holds.
    pub exhausted: Exhausted,
    /// Where the sequence of a new tick starts.
    pub start: Start,
}

/// What to do while the wall is behind a reading that an id was made of, or behind the mark that the generator resumed
/// from. One that was ahead for a moment and came back has stepped back too. Spans count in whole ticks, rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backward {
    /// Refuse: [`GeneratorError::Backward`](super::GeneratorError::Backward).
    Error,
    /// Wait until the wall is where it was, if it is behind by at most this; else refuse.
    Wait(Duration),
    /// Go on from where the ids are, as long as they lead the wall by at most this; then wait, if the step alone is
    /// smaller, else refuse.
    Borrow(Duration),
    /// Go over to the next spare node whose own ids are all older than the reading; refuse when there is none. Ids are in
    /// order per node.
    Spill,
}

impl Default for Backward {
    /// Borrow up to 10 s: corrections of a running wall are smaller, nobody waits, and a greater step deserves to be seen.
    fn default() -> Self {
        Self::Borrow(Duration::from_secs(10))
    }
}

/// What to do when a tick's sequence is used up and the wall did not step back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Exhausted {
    /// Wait for the next tick. The default: no id's time is ever ahead of the wall, and the wait is at most a tick.
    #[default]
    Wait,
    /// Take from the ticks to come, as far as this ahead of the wall; then wait.
    Borrow(Duration),
    /// Refuse: [`GeneratorError::Exhausted`](super::GeneratorError::Exhausted).
    Error,
}

/// Where the sequence starts in a tick in which nothing was given yet. Where ids are rare, it starts in most of them, and
/// whoever spreads ids by their remainder sees the start alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// At zero. The default: a tick holds all of its ids.
    #[default]
    Zero,
    /// Anywhere in the lower half, by a hash of the tick and this seed; half of a tick's ids are surely left. Even, and
    /// the same for the same seed; nothing to keep a secret by.
    Random(u64),
    /// One above the last one, in the lower half: ids one per tick count through it.
    Continue,
}

impl Start {
    /// The sequence to start a tick with, when `next` would follow in the last one.
    #[inline]
    pub(super) fn of(self, tick: u64, next: u64, sequence_mask: u64) -> u64 {
        let lower_half = sequence_mask >> 1;
        match self {
            Self::Zero => 0,
            Self::Random(seed) => mix(tick ^ seed) & lower_half,
            Self::Continue => next & lower_half,
        }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): each bit of
/// what comes out hangs on each that went in.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
