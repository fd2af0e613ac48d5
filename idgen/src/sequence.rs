//! Auto-increment: numbers from blocks that are reserved of one counter, durable or replicated.
//!
//! ```text
//!  counter (durable)  ────────────────────────────────▶ 300
//!                      process A        process B
//!                     [0, 100)         [100, 200)          a block each, and the next one is asked for
//!                     [200, 300)                           before the first runs out
//! ```
//!
//! A number is given once: the counter is durably past a block before anybody learns of it, and a block belongs to who
//! asked. Whatever is uncertain is skipped: a call that was given up may have been done, so its block is never used,
//! neither by guess nor when the answer comes after all. So there are gaps, and [`Statistics`] says how many numbers at
//! most: a crash costs three blocks (one in use, a spare one, one asked for), an uncertain call one. Numbers rise within
//! a process, not among processes.
//!
//! [`Sequence`] asks for nothing and waits for nothing: who drives it takes [`request`](Sequence::request) to the counter
//! and tells the [`answer`](Sequence::answer), sooner or later, in any order. [`AutoIncrement`] does so with a
//! [`Counter`] that answers at once, and [`StoreCounter`] is one over a `StateStore`.
//!
//! The idea is that of `INCREMENT … CACHE` of SQL sequences; the two-block buffer that of Meituan's Leaf-segment.

#[cfg(feature = "std")]
mod auto_increment;
#[cfg(feature = "std")]
mod counter;
#[cfg(test)]
#[cfg(feature = "std")]
mod threads;

use core::fmt;
use core::num::NonZeroU64;

#[cfg(feature = "std")]
pub use auto_increment::{AutoIncrement, NextError};
#[cfg(feature = "std")]
pub use counter::{CounterOptions, StoreCounter, StoreCounterError, overrule};

use crate::process::Process;
use crate::sync::{AtomicU64, Ordering};

/// Numbers in a row that belong to whom they were given to: from `first`, up to but not with `end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Block {
    first: u64,
    end: u64,
}

impl Block {
    /// That block, unless it would be empty.
    pub const fn new(first: u64, end: u64) -> Option<Self> {
        if first < end { Some(Self { first, end }) } else { None }
    }

    /// Its first number.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The number after its last.
    pub const fn end(self) -> u64 {
        self.end
    }

    /// How many numbers.
    pub const fn count(self) -> u64 {
        self.end.saturating_sub(self.first)
    }
}

/// What reserves blocks: a value in a store, a row of a database, a command of a replicated log.
///
/// The contract: a block is durable before it is given, and no number is in two blocks, whoever asked, whatever crashed
/// between. An error may mean that the block was reserved or not; who asked never uses it.
pub trait Counter {
    /// Why it could not.
    type Error;

    /// Reserves so many numbers, fewer where the numbers end, `None` where there are no more. Blocks until durable.
    ///
    /// # Errors
    /// Whatever leaves it uncertain whether a block was reserved, or certain that none was.
    fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, Self::Error>;
}

impl<C: Counter + ?Sized> Counter for &mut C {
    type Error = C::Error;

    fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, Self::Error> {
        (**self).reserve(count)
    }
}

/// How a [`Sequence`] reserves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceOptions {
    /// Numbers of a block: more means fewer calls of the counter, and longer gaps after crashes.
    pub block: NonZeroU64,
    /// The next block is asked for when so many numbers are left; at most a block. Should be what is used while the
    /// counter answers.
    pub refill: u64,
    /// Tells the lives of a process apart, where an answer to one life could reach another: random, or counted durably.
    /// A life that takes answers by calls of its own may be any.
    pub life: u64,
}

impl Default for SequenceOptions {
    /// Blocks of 1000, the next one when half is left.
    fn default() -> Self {
        Self { block: NonZeroU64::MIN.saturating_add(999), refill: 500, life: 0 }
    }
}

/// Names a request, so that no other's answer is taken for its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket {
    /// [`SequenceOptions::life`].
    pub life: u64,
    /// The request's number in that life: 1, 2, 3, …
    pub serial: u64,
}

/// What a sequence asks its counter for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[must_use = "the sequence asks for nothing else until this is answered or given up"]
pub struct Request {
    /// To be given back with the answer.
    pub ticket: Ticket,
    /// How many numbers.
    pub count: NonZeroU64,
}

/// What became of an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answered {
    /// Its numbers will be given.
    Taken,
    /// It was not what is asked for now: late, a second time, or of another life. It changed nothing.
    Late,
}

/// Why there is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// Blocks are used up and the next has not come. Ask again once it has; nothing was changed.
    #[error("no reserved number is left, and the next block has not come")]
    Empty,
    /// The counter has said that there are no more numbers, and all of the blocks are used up. It stays so.
    #[error("the sequence is at the end of its numbers")]
    End,
    /// This is a forked child, and the numbers are its parent's. Make a sequence of its own; nothing was changed.
    #[error("the blocks belong to the process from which this one was forked")]
    Forked,
}

/// Why an answer is refused. It was not used; the sequence asks anew, by another ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The counter gave numbers that lie below some that this process has had: it was set back, restored from an old
    /// copy perhaps. Others may get numbers again that were given before: look at it.
    #[error("the counter went back: a block from {first}, after one up to {reached}")]
    WentBack {
        /// First number of the block.
        first: u64,
        /// The end of the blocks so far.
        reached: u64,
    },
    /// The block holds more numbers than were asked for. A fault of the counter.
    #[error("the counter gave {given} numbers where {asked} were asked for")]
    TooMany {
        /// How many it holds.
        given: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// This is a forked child, and the ticket is its parent's.
    #[error("the request belongs to the process from which this one was forked")]
    Forked,
}

/// What a sequence has done in this life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Numbers given.
    pub given: u64,
    /// Numbers of blocks that were taken.
    pub reserved: u64,
    /// Requests that were given up, or whose answer was refused.
    pub abandoned: u64,
    /// Answers that were refused, each with an [`AnswerError`]: a fault of the counter, and its numbers may be in two hands.
    /// To be watched where blocks are asked for ahead, by whom nobody hears of errors.
    pub refused: u64,
    /// Numbers of answers that were not asked for. The same answer twice counts twice, and is no gap.
    pub late: u64,
    /// Numbers that will never be given, at most, but for what [`left`](Self::left) says when the process ends.
    pub gaps_at_most: u64,
}

impl Statistics {
    /// Numbers that can still be given without asking.
    pub const fn left(self) -> u64 {
        self.reserved.saturating_sub(self.given)
    }
}

/// A block, and its turn: the n-th block is of turn n, from 1.
#[derive(Default)]
struct Slot {
    turn: AtomicU64,
    first: AtomicU64,
    count: AtomicU64,
}

/// Gives numbers of reserved blocks, and says when to reserve the next. Shared by threads; nobody waits for anybody.
///
/// **Take** a number: [`try_next`](Self::try_next). **Ask** what to reserve: [`request`](Self::request). **Tell** what
/// came of it: [`answer`](Self::answer), [`end`](Self::end), [`abandon`](Self::abandon).
///
/// ```
/// use core::num::NonZeroU64;
/// use synod_idgen::sequence::{Block, Sequence, SequenceError, SequenceOptions};
///
/// let block = NonZeroU64::new(3).ok_or("zero")?;
/// let sequence = Sequence::new(SequenceOptions { block, refill: 1, life: 7 });
/// let request = sequence.request().ok_or("nothing to ask for")?; // goes to the counter …
/// assert_eq!(sequence.try_next(), Err(SequenceError::Empty));
/// sequence.answer(request.ticket, Block::new(100, 103).ok_or("empty")?)?; // … and this comes back
/// assert_eq!(sequence.try_next(), Ok(100));
/// assert_eq!(sequence.request(), None); // two are left
/// assert_eq!(sequence.try_next(), Ok(101));
/// assert!(sequence.request().is_some()); // one is left: time for the next block
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Sequence {
    options: SequenceOptions,
    process: Process,
    /// How many numbers were taken. The n-th, from zero, is of the block of turn n / block + 1.
    /// Invariant: only grows.
    taken: AtomicU64,
    odd: Slot,
    even: Slot,
    /// Turn of the newest block.
    /// Invariant: the one two turns before it is used up.
    turns: AtomicU64,
    /// Serial of the request that is open; 0: none; [`BUSY`]: somebody changes that.
    open: AtomicU64,
    /// Serial of the newest request.
    serial: AtomicU64,
    /// End of the newest block.
    reached: AtomicU64,
    /// 1 when the counter has no more numbers.
    ended: AtomicU64,
    reserved: AtomicU64,
    abandoned: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
}

const BUSY: u64 = u64::MAX;

impl Sequence {
    /// Without numbers yet.
    pub fn new(options: SequenceOptions) -> Self {
        let refill = options.refill.min(options.block.get());
        Self {
            options: SequenceOptions { refill, ..options },
            process: Process::current(),
            taken: AtomicU64::new(0),
            odd: Slot::default(),
            even: Slot::default(),
            turns: AtomicU64::new(0),
            open: AtomicU64::new(0),
            serial: AtomicU64::new(0),
            reached: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    /// The next number: of one process they rise. One atomic read-modify-write, and a few loads.
    ///
    /// # Errors
    /// Any [`SequenceError`].
    #[inline]
    pub fn try_next(&self) -> Result<u64, SequenceError> {
        if self.process.is_another() {
            return Err(SequenceError::Forked);
        }
        self.take_from(self.taken.load(Ordering::Acquire))
    }

    /// A number, by who has seen that so many were taken; more may be by now.
    #[inline]
    fn take_from(&self, mut index: u64) -> Result<u64, SequenceError> {
        let block = self.options.block.get();
        loop {
            let (turn, offset) = (index / block + 1, index % block);
            let slot = self.slot(turn);
            let is_there = slot.turn.load(Ordering::Acquire) == turn;
            let (first, count) = (slot.first.load(Ordering::Relaxed), slot.count.load(Ordering::Relaxed));
            if !is_there || offset >= count {
                // Either there is none, or others took all of the block meanwhile.
                let now = self.taken.load(Ordering::Acquire);
                if now == index {
                    return Err(self.none());
                }
                index = now;
                continue;
            }
            // A slot is written anew only by who has seen all of its numbers taken. So what was read is of this turn, if
            // this succeeds; and for that it releases.
            match self.taken.compare_exchange_weak(index, index + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(first + offset),
                Err(now) => index = now,
            }
        }
    }

    /// What to ask the counter for, when the next block is due and not asked for yet. To be followed by one of
    /// [`answer`](Self::answer), [`end`](Self::end) and [`abandon`](Self::abandon); until then it asks for nothing.
    pub fn request(&self) -> Option<Request> {
        if !self.is_due() || self.process.is_another() { None } else { self.draw() }
    }

    /// A request, by who has seen that one is due; it may have been answered by now.
    fn draw(&self) -> Option<Request> {
        if !self.change(0, BUSY) {
            return None;
        }
        if !self.is_due() {
            self.open.store(0, Ordering::Release);
            return None;
        }
        let serial = self.serial.load(Ordering::Relaxed) + 1;
        self.serial.store(serial, Ordering::Relaxed);
        self.open.store(serial, Ordering::Release);
        Some(Request { ticket: Ticket { life: self.options.life, serial }, count: self.options.block })
    }

    /// Whether the next block should be asked for. Someone may have done so.
    #[inline]
    pub fn is_due(&self) -> bool {
        let reserved = self.turns.load(Ordering::Acquire).saturating_mul(self.options.block.get());
        reserved.saturating_sub(self.taken.load(Ordering::Acquire)) <= self.options.refill
            && self.ended.load(Ordering::Relaxed) == 0
    }

    /// The counter has reserved this. Harmless at any time, any number of times, in any order.
    ///
    /// # Errors
    /// Any [`AnswerError`]; the block is not used then.
    pub fn answer(&self, ticket: Ticket, block: Block) -> Result<Answered, AnswerError> {
        if self.process.is_another() {
            return Err(AnswerError::Forked);
        }
        if !self.closes(ticket) {
            self.count_late(block.count());
            return Ok(Answered::Late);
        }
        let judged = self.judge(block);
        if judged.is_ok() {
            self.publish(block);
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        self.open.store(0, Ordering::Release);
        judged.map(|()| Answered::Taken)
    }

    /// The counter has no more numbers.
    pub fn end(&self, ticket: Ticket) -> Answered {
        if self.process.is_another() || !self.closes(ticket) {
            return Answered::Late;
        }
        self.ended.store(1, Ordering::Relaxed);
        self.open.store(0, Ordering::Release);
        Answered::Taken
    }

    /// Nobody waits for the answer any longer: the call failed, or took too long. It may have been done all the same:
    /// its numbers are a gap, and the next request is another.
    pub fn abandon(&self, ticket: Ticket) -> Answered {
        if self.process.is_another() || !self.closes(ticket) {
            return Answered::Late;
        }
        self.abandoned.fetch_add(1, Ordering::Relaxed);
        self.open.store(0, Ordering::Release);
        Answered::Taken
    }

    /// What was done so far.
    pub fn statistics(&self) -> Statistics {
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        let late = self.late.load(Ordering::Relaxed);
        // A late answer may be that of a request that was given up; so this is too much, never too little.
        let gaps_at_most = abandoned.saturating_mul(self.options.block.get()).saturating_add(late);
        let given = self.taken.load(Ordering::Acquire);
        let refused = self.refused.load(Ordering::Relaxed);
        let reserved = self.reserved.load(Ordering::Acquire);
        Statistics { given, reserved, abandoned, refused, late, gaps_at_most }
    }

    /// Up to the greatest number: whoever answers may say anything.
    fn count_late(&self, count: u64) {
        let mut late = self.late.load(Ordering::Relaxed);
        while let Err(now) = self.late.compare_exchange_weak(
            late,
            late.saturating_add(count),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            late = now;
        }
    }

    #[cfg(feature = "std")]
    fn is_another_process(&self) -> bool {
        self.process.is_another()
    }

    fn slot(&self, turn: u64) -> &Slot {
        if turn % 2 == 1 { &self.odd } else { &self.even }
    }

    fn none(&self) -> SequenceError {
        if self.ended.load(Ordering::Relaxed) == 0 { SequenceError::Empty } else { SequenceError::End }
    }

    /// Takes the right to change what is open, from this state.
    fn change(&self, from: u64, to: u64) -> bool {
        self.open.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether this is the open request; then it is busy until somebody stores what it becomes.
    fn closes(&self, ticket: Ticket) -> bool {
        let Ticket { life, serial } = ticket;
        life == self.options.life && serial != 0 && serial != BUSY && self.change(serial, BUSY)
    }

    fn judge(&self, block: Block) -> Result<(), AnswerError> {
        let (reached, asked) = (self.reached.load(Ordering::Relaxed), self.options.block.get());
        if block.first < reached {
            return Err(AnswerError::WentBack { first: block.first, reached });
        }
        if block.count() > asked {
            return Err(AnswerError::TooMany { given: block.count(), asked });
        }
        Ok(())
    }

    /// Only by who has made the open request busy.
    fn publish(&self, block: Block) {
        self.reached.store(block.end, Ordering::Relaxed);
        if block.count() < self.options.block.get() {
            self.ended.store(1, Ordering::Relaxed); // the counter gives fewer where its numbers end
        }
        let turn = self.turns.load(Ordering::Relaxed) + 1;
        let slot = self.slot(turn);
        slot.first.store(block.first, Ordering::Relaxed);
        slot.count.store(block.count(), Ordering::Relaxed);
        self.reserved.fetch_add(block.count(), Ordering::Release);
        slot.turn.store(turn, Ordering::Release);
        self.turns.store(turn, Ordering::Release);
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequence")
            .field("options", &self.options)
            .field("statistics", &self.statistics())
            .finish()
    }
}
