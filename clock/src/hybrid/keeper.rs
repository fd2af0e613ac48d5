//! An upper bound that is durable before stamps are given below it, so that no restart repeats or regresses.
//!
//! ```text
//!  start: last = the bound that is stored        extend: 1. store.set(wall + window)
//!         (whatever the wall says)                       2. then, and only then, raise the clock's bound
//!
//!  ──stamps──▶ last ─────────────▶ bound          now() at the bound: Err(UpperBound), nobody waits for a disk
//!                  └─ half left: extend is due
//! ```
//!
//! A process may die between 1 and 2, or before any stamp uses the new bound: the next life starts a little further
//! ahead than it had to, which is safe. It starts ahead of its wall by at most a window, if that did not go back;
//! [`HybridClock::remaining`] of [`Keeper::started_at`] says how long to wait for peers that would reject that.
//!
//! A life that stamps ahead of its wall needs a new bound before its first stamp: a thousandth of a window further, 2 ms
//! of two seconds, then twice as far as its stamps have come, up to an eighth. So restarts in a row add nothing up, as
//! long as they are a thousandth of a window apart.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use synod_transport::store::{StateStore, StoreError};

use super::clock::HybridClock;
use super::error::HybridError;
use super::layout::{Derived, Layout, Micros};
use super::options::Options;
use super::physical::Physical;
use super::timestamp::Timestamp;

const MAGIC: [u8; 4] = *b"HLC1";
/// Magic, logical bits (4 bytes), ticks per second (8), the bound (8), all big-endian.
const LENGTH: usize = 24;

/// Parts of a window: the least and the most that a bound reaches beyond the stamps of a clock ahead of its wall, and how
/// often its keeper looks.
const LEAST_PART: u32 = 1024;
const MOST_PART: u32 = 8;
const LOOKS: u32 = 64;

/// Where a bound is kept, and how far it reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeeperOptions {
    /// The name of the value in the store.
    pub name: String,
    /// How far beyond the wall a bound reaches. Longer means fewer writes, and more lead after a restart. Should exceed
    /// twice [`Options::max_offset`], so that what peers may send stays below it; must be a tick at least, and at most
    /// [`Options::max_lead`].
    pub window: Duration,
}

impl Default for KeeperOptions {
    /// `hybrid-clock`, 2 s.
    fn default() -> Self {
        Self { name: "hybrid-clock".into(), window: Duration::from_secs(2) }
    }
}

/// Why a bound could not be read or extended. Stamps below the old bound go on being given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The store failed, at reading or at writing; the clock's bound is as it was.
    #[error("the store of the upper bound: {0}")]
    Store(#[from] StoreError),
    /// The clock has no trustworthy wall reading. Nothing was written.
    #[error(transparent)]
    Clock(#[from] HybridError),
    /// What is stored under the name is no bound. Nothing was changed.
    #[error("the stored value is no upper bound of a hybrid clock")]
    Damaged,
    /// The window is shorter than a tick of the layout: no stamp would fit below the bound. Or it is longer than the
    /// lead that is allowed: the first restart would find its bound too far ahead. The caller's; nothing was read.
    #[error(
        "a window of {window:?}; it must be from {least:?}, a tick, to {most:?}, the most the clock may be ahead"
    )]
    Window {
        /// [`KeeperOptions::window`].
        window: Duration,
        /// A tick.
        least: Duration,
        /// [`Options::max_lead`].
        most: Duration,
    },
    /// The bound is one of another layout. Nothing was changed.
    #[error("the stored upper bound is of another layout")]
    Layout,
    /// The stored bound is so far ahead of the wall that the clock could give nothing: by more than
    /// [`Options::max_lead`] and an eighth of a window. Either the wall is wrong now (not set yet, say), or it was in
    /// the future when the bound was stored; or the bound was stored with a greater lead or window. Nothing was
    /// changed: set the wall and start again; or allow the lead; or, when nothing that the future's stamps are written
    /// on is left, [`overrule`].
    #[error("the stored upper bound is {ahead:?} ahead of the wall; at most {max:?} is allowed")]
    Future {
        /// By how much.
        ahead: Duration,
        /// [`Options::max_lead`].
        max: Duration,
    },
}

/// Owns a clock's store, and extends its bound. One thread or task holds it and calls [`extend`](Self::extend) when
/// [`due_in`](Self::due_in) has passed; the clock itself is shared.
///
/// Whatever the wall says when a bound is extended becomes durable. With [`JumpPolicy::Count`](super::JumpPolicy), the
/// default of a clock, one bad reading of the far future is enough for [`KeeperError::Future`] at the next start: use
/// [`JumpPolicy::Refuse`](super::JumpPolicy) here, or [`JumpPolicy::Report`](super::JumpPolicy) and look before going
/// on. No policy tells of a wall that is wrong from the start.
///
/// The store is any [`StateStore`] (`synod_transport::store::StateStore`): `synod_wal::FileStateStore::open(folder)`, or
/// one of your own. `get` gives the value last set as [`bytes::Bytes`](https://docs.rs/bytes), or `None`; `set` returns
/// once the new value is durable, and leaves the old one or the new one, whole, when it fails or the process dies. An
/// error of input or output is a [`StoreError::Fatal`] of its text. The README of the crate has one in twenty lines, the
/// example `restart` a keeper on a file.
///
/// ```
/// use synod_clock::hybrid::{Keeper, KeeperOptions, Micros, Options, Seam};
/// use synod_transport::{store::MemStateStore, time::SystemTime};
///
/// let source = Seam(SystemTime::new());
/// let store = MemStateStore::new(); // synod_wal::FileStateStore::open(folder)?, outside of examples
/// let mut keeper = Keeper::<_, _, Micros>::start(source, Options::default(), store, KeeperOptions::default())?;
/// let before = keeper.clock().now()?;
/// if keeper.due_in().is_zero() {
///     keeper.extend()?;
/// }
///
/// // The next life, on the same store, goes on above.
/// let keeper = Keeper::<_, _, Micros>::start(source, Options::default(), keeper.into_store(), KeeperOptions::default())?;
/// assert!(keeper.clock().now()? > before);
/// # Ok::<(), synod_clock::hybrid::KeeperError>(())
/// ```
#[derive(Debug)]
pub struct Keeper<P, S, L: Layout = Micros> {
    clock: Arc<HybridClock<P, L>>,
    store: S,
    options: KeeperOptions,
    started: Timestamp<L>,
}

impl<P: Physical, S: StateStore, L: Layout> Keeper<P, S, L> {
    /// Makes a clock whose stamps are all greater than those of every earlier life on this store.
    ///
    /// # Errors
    /// Any [`KeeperError`]. After [`KeeperError::Store`] of a failed write, start again.
    pub fn start(source: P, limits: Options, store: S, options: KeeperOptions) -> Result<Self, KeeperError> {
        let (window, least, most) = (options.window, L::span(1), limits.max_lead);
        if !(least..=most).contains(&window) {
            return Err(KeeperError::Window { window, least, most });
        }
        let stored = match store.get(&options.name)? {
            Some(value) => decode::<L>(&value)?,
            None => Timestamp::ZERO,
        };
        // Nothing at or above the stored bound was ever given.
        let last = Timestamp::from_u64(stored.as_u64().saturating_sub(1));
        let clock = HybridClock::resume(source, limits, last, stored);
        let lead = clock.lead();
        // A clock that is as far ahead as it may be has a bound beyond that.
        if lead > limits.max_lead.saturating_add(window / MOST_PART) {
            return Err(KeeperError::Future { ahead: lead, max: limits.max_lead });
        }
        let mut keeper = Self { clock: Arc::new(clock), store, options, started: stored };
        keeper.extend()?;
        Ok(keeper)
    }

    /// The clock, to be cloned for whoever stamps.
    pub fn clock(&self) -> &Arc<HybridClock<P, L>> {
        &self.clock
    }

    /// The bound this life started from: no earlier life gave a stamp that is as great.
    pub fn started_at(&self) -> Timestamp<L> {
        self.started
    }

    /// How long the bound lasts before it should be extended: until half a window is left, at the wall's pace. Where
    /// stamps ahead of the wall come near the bound, a look at them is due a few times a window. Not zero right after
    /// [`extend`](Self::extend), but for a window of a few ticks. A remote stamp can use the bound up sooner.
    pub fn due_in(&self) -> Duration {
        let (last, bound) = (self.clock.last(), self.clock.bound());
        let room = bound.as_u64().saturating_sub(last.as_u64());
        if room <= self.reserve(last) / 2 {
            return Duration::ZERO;
        }
        let left = bound.wall().saturating_sub(self.clock.wall()).saturating_sub(self.options.window / 2);
        if room <= self.part(MOST_PART) { left.min(self.options.window / LOOKS) } else { left }
    }

    /// Makes a new bound durable, then lets the clock use it. Writes nothing while [`due_in`](Self::due_in) is not
    /// zero. Blocks as long as the store does; the clock meanwhile gives stamps up to the old bound.
    ///
    /// # Errors
    /// [`KeeperError::Store`]: the bound is as it was; [`KeeperError::Clock`]: the wall has jumped, and the clock's
    /// [`JumpPolicy`](super::JumpPolicy) wants to hear of it before a bound follows it.
    pub fn extend(&mut self) -> Result<Timestamp<L>, KeeperError> {
        let wall = self.clock.read_settled()?;
        if !self.due_in().is_zero() {
            return Ok(self.clock.bound());
        }
        let last = self.clock.last();
        let ahead = last.as_u64().saturating_add(self.reserve(last));
        let bound = Timestamp::from_u64(wall.saturating_add(L::packed(self.options.window)).max(ahead));
        if bound > self.clock.bound() {
            self.store.set(&self.options.name, &encode(bound))?;
            self.clock.raise_bound(bound);
        }
        Ok(self.clock.bound())
    }

    /// Gives the store back. The clock ends at its bound.
    pub fn into_store(self) -> S {
        self.store
    }

    /// How far beyond the last stamp a bound reaches where the wall is behind: as far as this life's stamps have come, so
    /// that a short life adds little, and a long one writes seldom.
    fn reserve(&self, last: Timestamp<L>) -> u64 {
        let come = last.as_u64().saturating_sub(self.started.as_u64());
        come.clamp(self.part(LEAST_PART), self.part(MOST_PART))
    }

    /// A part of a window as a difference of stamps, nearly a tick at least.
    fn part(&self, part: u32) -> u64 {
        L::packed(self.options.window / part) | L::LOGICAL_MASK
    }
}

/// Replaces a stored bound by a smaller one: the way out of [`KeeperError::Future`] when the wall was wrong once.
///
/// Gives up the promise of [`Keeper`] for the stamps between: they may be given again. Only for people who know that
/// nothing holds such a stamp any more.
///
/// # Errors
/// [`KeeperError::Store`].
pub fn overrule<S: StateStore, L: Layout>(
    store: &mut S,
    name: &str,
    bound: Timestamp<L>,
) -> Result<(), KeeperError> {
    Ok(store.set(name, &encode(bound))?)
}

fn encode<L: Layout>(bound: Timestamp<L>) -> [u8; LENGTH] {
    let mut value = [0; LENGTH];
    let (magic, rest) = value.split_at_mut(4);
    let (bits, rest) = rest.split_at_mut(4);
    let (ticks, stamp) = rest.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    bits.copy_from_slice(&L::LOGICAL_BITS.to_be_bytes());
    ticks.copy_from_slice(&L::TICKS_PER_SECOND.to_be_bytes());
    stamp.copy_from_slice(&bound.to_bytes());
    value
}

fn decode<L: Layout>(value: &[u8]) -> Result<Timestamp<L>, KeeperError> {
    let (head, stamp) = value.split_last_chunk::<8>().ok_or(KeeperError::Damaged)?;
    if value.len() != LENGTH || !head.starts_with(&MAGIC) {
        return Err(KeeperError::Damaged);
    }
    let bound = Timestamp::from_bytes(*stamp);
    // What was written with this layout has this very head.
    if encode(bound).starts_with(head) { Ok(bound) } else { Err(KeeperError::Layout) }
}

#[cfg(test)]
mod tests {
    use super::super::{Millis42, Millis48};
    use super::*;

    #[test]
    fn a_stored_bound_is_read_back_by_its_own_layout_alone() {
        let bound = Timestamp::<Millis48>::from_u64(0x0102_0304_0506_0708);
        let value = encode(bound);
        assert_eq!(decode(&value), Ok(bound));
        assert_eq!(decode::<Millis42>(&value), Err(KeeperError::Layout));
        assert_eq!(decode::<Millis48>(&value[1..]), Err(KeeperError::Damaged));
        assert_eq!(decode::<Millis48>(&[]), Err(KeeperError::Damaged));
        let mut other = value;
        other[0] ^= 1;
        assert_eq!(decode::<Millis48>(&other), Err(KeeperError::Damaged));
    }
}
