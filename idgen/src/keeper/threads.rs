//! A keeper that extends while a thread makes ids, in every interleaving; and naive ones.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn};
use synod_transport::store::{StateStore, StoreError};

use super::{Keeper, KeeperOptions, record};
use crate::generator::{Exhausted, Generator, GeneratorError, Options};
#[cfg(synod_loom)]
use crate::layout::Position;
use crate::node::NodeId;
use crate::wall::{self, FromFn};

crate::layout! {
    /// Two ids in a second.
    struct Two { bits: 30, ticks_per_second: 1, epoch_ms: 0, time: 25, node: 4, sequence: 1 }
}

/// A store that says which ceiling is durable.
#[derive(Clone, Debug)]
struct Disk(Arc<AtomicU64>, Option<Bytes>);

impl StateStore for Disk {
    fn get(&self, _: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.1.clone())
    }
    fn set(&mut self, _: &str, value: &[u8]) -> Result<(), StoreError> {
        self.1 = Some(Bytes::copy_from_slice(value));
        let (ceiling, _) =
            record::decode::<Two>(node(), value).map_err(|error| StoreError::Fatal(error.to_string()))?;
        self.0.store(ceiling.as_u64(), Ordering::SeqCst);
        Ok(())
    }
}

fn node() -> NodeId<Two> {
    NodeId::of_field(3)
}

type Fixed = FromFn<fn() -> Duration>;

fn fixed() -> Fixed {
    wall::from_fn(|| Duration::from_secs(9))
}

fn borrowing() -> Options {
    Options { exhausted: Exhausted::Borrow(Duration::from_secs(60)), ..Options::default() }
}

/// What extends a ceiling, and in which order.
trait Extends: Send + 'static {
    fn generator(&self) -> &Arc<Generator<Two, Fixed>>;
    fn extend(&mut self);
}

impl Extends for Keeper<Two, Fixed, Disk> {
    fn generator(&self) -> &Arc<Generator<Two, Fixed>> {
        self.generator()
    }
    fn extend(&mut self) {
        self.extend().unwrap();
    }
}

fn sound(durable: &Arc<AtomicU64>) -> Keeper<Two, Fixed, Disk> {
    let options = KeeperOptions { window: Duration::from_secs(2), ..KeeperOptions::default() };
    let builder = Generator::builder(node()).options(borrowing());
    Keeper::start(builder, fixed(), Disk(Arc::clone(durable), None), options).unwrap()
}

/// Raises the ceiling, then stores it.
#[cfg_attr(not(synod_loom), expect(dead_code, reason = "a naive twin, for loom"))]
struct RaisesFirst(Arc<Generator<Two, Fixed>>, Disk);

impl Extends for RaisesFirst {
    fn generator(&self) -> &Arc<Generator<Two, Fixed>> {
        &self.0
    }
    fn extend(&mut self) {
        let ceiling = self.0.high_water().plus(4);
        self.0.raise_ceiling(ceiling);
        self.1.set("", &record::encode(node(), ceiling, 1)).unwrap();
    }
}

/// Whoever gets an id finds that it is durably covered, whatever the keeper does meanwhile; and what is durable is of use.
fn an_id_is_covered<E: Extends>(make: impl Fn(&Arc<AtomicU64>) -> E) {
    let durable = Arc::new(AtomicU64::new(0));
    let mut keeper = make(&durable);
    let generator = Arc::clone(keeper.generator());
    let stored = Arc::clone(&durable);
    // All but one of the ids below the first ceiling.
    let first = generator.ceiling();
    while generator.high_water().plus(1) < first {
        generator.try_next().unwrap();
    }
    let thread = spawn(move || {
        for _ in 0..2 {
            match generator.try_next() {
                Ok(id) => assert!(
                    id.position().as_u64() < stored.load(Ordering::SeqCst),
                    "an id that is not durably covered"
                ),
                Err(error) => assert_eq!(error, GeneratorError::Ceiling),
            }
        }
    });
    keeper.extend();
    thread.join();
    assert!(keeper.generator().ceiling() > first);
    keeper.extend();
    assert!(keeper.generator().try_next().is_ok(), "a durable ceiling was lost");
}

#[test]
fn idgen_p33_a_ceiling_is_durable_before_an_id_reaches_it() {
    holds("keeper: the ceiling comes first", Bound::All, || an_id_is_covered(sound));
}

#[cfg(synod_loom)]
#[test]
fn idgen_p33_a_naive_keeper_lets_ids_ahead_of_its_store() {
    synod_interleave::breaks("keeper: raises, then stores", Bound::All, "not durably covered", || {
        an_id_is_covered(|durable| {
            let ceiling = Position::at(Duration::from_secs(11));
            durable.store(ceiling.as_u64(), Ordering::SeqCst);
            let builder = Generator::builder(node()).options(borrowing()).ceiling(ceiling);
            RaisesFirst(Arc::new(builder.build(fixed()).unwrap()), Disk(Arc::clone(durable), None))
        });
    });
}
