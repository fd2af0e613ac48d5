//! Ids of a layout, from one atomic number.
//!
//! A generator holds the next position of its node, which only ever grows; the wall raises it, and nothing lowers it. So
//! no id is ever given twice, whatever the wall does. What the wall does is a matter of [`Options`] alone: whether to
//! refuse, to wait, or to go on ahead of it. Threads share a generator by reference; nobody ever waits for a lock, and no
//! thread works in the background.
//!
//! What it cannot know by itself: what an earlier life of the node gave (see [`Builder::resume`]), and whether another
//! process has the same node (see [`Hold`]).

mod block;
mod builder;
mod error;
mod lane;
mod policy;
mod slot;
#[cfg(test)]
mod threads;
mod wait;

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

pub use block::Block;
pub use builder::Builder;
pub use error::{BuildError, GeneratorError};
pub use lane::Lane;
pub use policy::{Backward, Exhausted, Options, Start};
use slot::{Limits, Refusal, Slot};
pub use wait::Timer;

use crate::layout::{Fields, Id, Layout, Position, time_left};
use crate::node::{Always, Hold, NodeId};
use crate::process::Process;
use crate::sync::{AtomicU64, Ordering};
#[cfg(feature = "std")]
use crate::wall::System;
use crate::wall::Wall;

/// Makes ids of one node. See the [module](self).
///
/// * *one id*: [`try_next`](Self::try_next), or [`next`](Self::next) and [`next_async`](Self::next_async), which wait if they must;
/// * *many*: [`reserve`](Self::reserve) a block, [`lane`](Self::lane) for each thread;
/// * *ask*: [`high_water`](Self::high_water), [`marks`](Self::marks), [`time_left`](Self::time_left);
/// * *tell*: [`raise_ceiling`](Self::raise_ceiling), [`adopt`](Self::adopt).
///
/// A call that fails changes nothing.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::generator::Generator;
/// use synod_idgen::layout::Snowflake;
/// use synod_idgen::node::NodeId;
/// use synod_idgen::wall;
///
/// type Ours = Snowflake<1_609_459_200_000>; // 2021-01-01
/// let wall = wall::from_fn(|| Duration::from_millis(1_704_067_200_100)); // 2024-01-01 00:00:00.100
/// let generator = Generator::new(NodeId::<Ours>::new(1)?, wall)?;
/// assert_eq!(generator.try_next()?.as_u64(), 396_814_713_251_434_496);
/// assert_eq!(generator.try_next()?.as_u64(), 396_814_713_251_434_497);
/// let next_tick = generator.try_next_at(Duration::from_millis(1_704_067_200_101))?;
/// assert_eq!(next_tick.as_u64(), 396_814_713_251_434_496 + 4_194_304);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Generator<
    L: Layout,
    #[cfg(feature = "std")] W = System,
    #[cfg(not(feature = "std"))] W,
    H = Always,
> {
    shared: Shared<L>,
    limits: Limits,
    options: Options,
    process: Process,
    wall: W,
    hold: H,
}

/// What threads share.
#[derive(Debug)]
struct Shared<L: Layout> {
    /// The node, and its positions.
    first: Slot<L>,
    /// No position that is given is as great. Invariant: it only grows, up to [`Position::END`].
    ceiling: AtomicU64,
    /// Which slot is in use: zero is the first, one the first spare.
    current: AtomicU64,
    spares: Box<[Slot<L>]>,
}

impl<L: Layout, W: Wall> Generator<L, W> {
    /// A generator of the default options, of a node that never had ids and that nobody takes away.
    ///
    /// # Errors
    /// [`BuildError::EpochAhead`].
    pub fn new(node: NodeId<L>, wall: W) -> Result<Self, BuildError> {
        Builder::new(node).build(wall)
    }
}

impl<L: Layout> Generator<L, ()> {
    /// Says more about a generator before it is made.
    pub fn builder(node: NodeId<L>) -> Builder<L> {
        Builder::new(node)
    }
}

impl<L: Layout, W: Wall, H: Hold> Generator<L, W, H> {
    /// The next id, greater than every earlier one of its node. Never waits: a reading of the wall and one compare-and-swap,
    /// and a swap more for every other thread that was quicker.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Length` and `Stalled`.
    #[inline]
    pub fn try_next(&self) -> Result<Id<L>, GeneratorError> {
        self.check()?;
        let now = self.wall.now();
        if self.shared.current.load(Ordering::Relaxed) == 0 {
            let first = &self.shared.first;
            if let Some(position) = first.take_one(L::ticks_of(now), &self.limits, &self.shared.ceiling) {
                return Ok(Id::join(position, first.node));
            }
        }
        self.take(1, now).map(|(position, node)| Id::join(position, node))
    }

    /// The next id with the wall at `since_1970`, instead of asking the wall: for state machines and simulations.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Length` and `Stalled`.
    pub fn try_next_at(&self, since_1970: Duration) -> Result<Id<L>, GeneratorError> {
        self.check()?;
        self.take_at(1, since_1970).map(|(position, node)| Id::join(position, node))
    }

    /// Reserves `count` ids in a row by one atomic operation, however many they are. Without [`Exhausted::Borrow`] they are of
    /// one tick; what is left of a tick and too short for them is left out when the next one begins.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Stalled`.
    pub fn reserve(&self, count: u32) -> Result<Block<L>, GeneratorError> {
        self.check()?;
        let count = self.check_length(count)?;
        self.take(count, self.wall.now())
            .map(|(first, node)| Block::new(first, count, node, self.process.clone()))
    }

    /// [`reserve`](Self::reserve) with the wall at `since_1970`.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Stalled`.
    pub fn reserve_at(&self, count: u32, since_1970: Duration) -> Result<Block<L>, GeneratorError> {
        self.check()?;
        let count = self.check_length(count)?;
        self.take_at(count, since_1970)
            .map(|(first, node)| Block::new(first, count, node, self.process.clone()))
    }

    /// A handle for one thread, which reserves `length` ids at a time and hands them out without touching what threads
    /// share. See [`Lane`] for how stale its ids may be.
    pub fn lane(&self, length: u32) -> Lane<'_, L, W, H> {
        Lane::new(self, length)
    }

    /// All ids given so far, blocks included, of any node, are below it. Persist it, or rather a
    /// [`ceiling`](Self::ceiling) above it before that is reached, and [`resume`](Builder::resume) from there.
    /// Looks at each node.
    pub fn high_water(&self) -> Position<L> {
        self.slots().map(Slot::mark).max().unwrap_or(Position::ZERO)
    }

    /// The same for each node: first its own, then the spare ones.
    pub fn marks(&self) -> impl Iterator<Item = (NodeId<L>, Position<L>)> + '_ {
        self.slots().map(|slot| (slot.node, slot.mark()))
    }

    /// The node that ids come from now: a spare one after the wall stepped back under [`Backward::Spill`].
    pub fn node(&self) -> NodeId<L> {
        self.current().1.node
    }

    /// The bound that ids of every node stay below: what is durable, or granted.
    pub fn ceiling(&self) -> Position<L> {
        Position::known(self.shared.ceiling.load(Ordering::Relaxed))
    }

    /// Allows ids up to the new ceiling, which must be durable, or granted, already. A lower one than before changes
    /// nothing. Who gets an id above the old ceiling sees all that was done before this call.
    pub fn raise_ceiling(&self, ceiling: Position<L>) {
        self.shared.ceiling.fetch_max(ceiling.as_u64(), Ordering::Release);
    }

    /// How much of the layout's time is left, from the wall or the newest id on, whichever is later.
    pub fn time_left(&self) -> Duration {
        time_left::<L>(self.wall.now().max(self.high_water().time()))
    }

    /// Takes a generator over into this process, a child of the one in which it was made, under a node that nobody else
    /// has and whose ids were all below `from`: [`Position::ZERO`] when it never had any. The position goes on, above that.
    /// Spare nodes are the parent's and are dropped. A [ceiling](Self::ceiling) was made durable or granted of the old node:
    /// there is no id until one of the new node is [raised](Self::raise_ceiling).
    pub fn adopt(&mut self, node: NodeId<L>, from: Position<L>, hold: H) {
        let from = self.high_water().max(from);
        if self.ceiling() < Position::END {
            self.shared.ceiling = AtomicU64::new(from.as_u64());
        }
        self.shared.first = Slot::new(node, from);
        self.shared.spares = Box::default();
        self.shared.current = AtomicU64::new(0);
        self.hold = hold;
        self.process = Process::current();
    }

    /// The choices it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Where its readings come from.
    pub fn wall(&self) -> &W {
        &self.wall
    }

    /// Who knows whether the node is held.
    pub fn hold(&self) -> &H {
        &self.hold
    }

    #[inline]
    fn check(&self) -> Result<(), GeneratorError> {
        if self.process.is_another() {
            return Err(GeneratorError::Forked);
        }
        if !self.hold.is_held() {
            return Err(GeneratorError::NotHeld);
        }
        Ok(())
    }

    fn check_length(&self, count: u32) -> Result<u64, GeneratorError> {
        let ticks = u128::from(self.limits.lead) + 1;
        let most = u64::try_from(ticks << L::SEQUENCE_BITS).unwrap_or(u64::MAX);
        let count = u64::from(count);
        if count == 0 || count > most {
            return Err(GeneratorError::Length { count, most });
        }
        Ok(count)
    }

    /// Positions by the own wall. A refusal because the wall stepped back is believed only of a wall that is still back:
    /// else the reading was merely late, and another thread used a later one.
    #[inline(never)]
    fn take(&self, count: u64, now: Duration) -> Result<(u64, NodeId<L>), GeneratorError> {
        self.take_by(count, now, || Some(self.wall.now()))
    }

    fn take_at(&self, count: u64, now: Duration) -> Result<(u64, NodeId<L>), GeneratorError> {
        self.take_by(count, now, || None)
    }

    /// Another slot comes into use by the call that took positions of it, and by no call that fails. A call tries no more
    /// slots than there are.
    fn take_by(
        &self,
        count: u64,
        mut now: Duration,
        read_again: impl Fn() -> Option<Duration>,
    ) -> Result<(u64, NodeId<L>), GeneratorError> {
        let (begun, mut slot) = self.current();
        let (mut index, mut others) = (begun, self.shared.spares.len());
        loop {
            let reading = Self::reading(now)?;
            let refusal = match slot.take(count, reading, &self.limits, &self.shared.ceiling) {
                Ok(first) => {
                    self.go_over(begun, index);
                    return Ok((first, slot.node));
                }
                Err(refusal) => refusal,
            };
            if matches!(refusal, Refusal::Backward { .. }) {
                let seen = slot.seen.load(Ordering::Acquire);
                now = read_again().unwrap_or(now);
                if L::ticks_of(now) >= seen {
                    continue;
                }
            }
            match self.spill(index, reading, refusal) {
                Some(other) if others > 0 => {
                    (index, slot, others) = (other, self.slot(other), others - 1);
                }
                _ => return Err(self.explain(refusal, now)),
            }
        }
    }

    /// Another slot to try, if that is what is left to do.
    fn spill(&self, from: usize, reading: u64, refusal: Refusal) -> Option<usize> {
        let Refusal::Backward { .. } = refusal else { return None };
        if self.options.backward != Backward::Spill {
            return None;
        }
        let count = self.shared.spares.len() + 1;
        let mut others = (1..count).map(|step| (from + step) % count);
        others.find(|index| self.slot(*index).mark().tick() <= reading)
    }

    fn go_over(&self, from: usize, to: usize) {
        if from != to {
            // When another thread was quicker, its choice is as good.
            let (from, to) = (from as u64, to as u64);
            let _ = self.shared.current.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn explain(&self, refusal: Refusal, now: Duration) -> GeneratorError {
        let wait = |until: u64| {
            let wait = L::time_of(until.min(L::END_TICK)).saturating_sub(now);
            GeneratorError::NotYet { wait: wait.max(Duration::from_nanos(1)) }
        };
        match refusal {
            Refusal::Backward { until: Some(until), .. } | Refusal::Exhausted { until: Some(until) } => {
                wait(until)
            }
            Refusal::Backward { by, until: None } => GeneratorError::Backward { by: L::span_of(by) },
            Refusal::Exhausted { until: None } => GeneratorError::Exhausted,
            Refusal::Ceiling => GeneratorError::Ceiling,
            Refusal::End => GeneratorError::EpochExhausted,
        }
    }

    /// The wall as a tick before the layout's end.
    fn reading(now: Duration) -> Result<u64, GeneratorError> {
        let reading = L::ticks_of(now);
        if reading >= L::END_TICK { Err(GeneratorError::EpochExhausted) } else { Ok(reading) }
    }

    fn current(&self) -> (usize, &Slot<L>) {
        let current = usize::try_from(self.shared.current.load(Ordering::Relaxed)).unwrap_or(0);
        (current, self.slot(current))
    }

    fn slot(&self, index: usize) -> &Slot<L> {
        let spare = index.checked_sub(1).and_then(|index| self.shared.spares.get(index));
        spare.unwrap_or(&self.shared.first)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot<L>> {
        core::iter::once(&self.shared.first).chain(self.shared.spares.iter())
    }
}

impl<L: Layout, W, H> fmt::Debug for Generator<L, W, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("node", &self.shared.first.node)
            .field("next", &self.shared.first.mark())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
