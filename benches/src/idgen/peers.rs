//! The peers' generators, set up alike: 10 bits of node, 12 of sequence, shared by threads.

use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use ferroid::generator::{AtomicSnowflakeGenerator, LockSnowflakeGenerator};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::{MonotonicClock, TWITTER_EPOCH};
use idgenerator::{CoreIdGenerator, IdGeneratorOptions};
use tsid::TsidFactory;

/// The clock that a thread of ferroid's moves on.
pub(super) fn ticker() -> MonotonicClock {
    MonotonicClock::<1>::with_epoch(TWITTER_EPOCH)
}

/// ferroid without a lock, giving way while it waits.
pub(super) fn ferroid_atomic() -> impl Fn() -> u64 + Sync + 'static {
    let generator = AtomicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, ticker());
    move || generator.next_id(|_| std::thread::yield_now()).to_raw()
}

/// ferroid with a lock, giving way while it waits.
pub(super) fn ferroid_lock() -> impl Fn() -> Option<u64> + Sync + 'static {
    let generator = LockSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, ticker());
    move || generator.try_next_id(|_| std::thread::yield_now()).ok().map(|id| id.to_raw())
}

/// snowflaked, which spins while it waits.
pub(super) fn snowflaked() -> impl Fn() -> u64 + Sync + 'static {
    let generator = snowflaked::sync::Generator::new(1);
    move || generator.generate()
}

/// idgenerator, which borrows 2000 ticks and then spins.
pub(super) fn idgenerator() -> Result<impl Fn() -> i64 + Sync + 'static> {
    let mut generator = CoreIdGenerator::default();
    let options = IdGeneratorOptions::new().worker_id(1).worker_id_bit_len(10).seq_bit_len(12);
    generator.init(options).map_err(|error| anyhow!("idgenerator: {error:?}"))?;
    let generator = Mutex::new(generator);
    Ok(move || generator.lock().unwrap_or_else(PoisonError::into_inner).next_id())
}

/// tsid, which borrows without an end.
pub(super) fn tsid() -> impl Fn() -> u64 + Sync + 'static {
    let generator = Mutex::new(TsidFactory::with_node_bits(10, 1));
    move || generator.lock().unwrap_or_else(PoisonError::into_inner).create().number()
}
