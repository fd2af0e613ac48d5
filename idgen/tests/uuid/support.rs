//! The vectors, and sources that say what a test wants.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use synod_idgen::random::{Random, RandomError};
use synod_idgen::uuid::{Node, Uuid};
use synod_idgen::wall::Wall;

pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/rfc9562.json")).unwrap()
}

/// A UUID of the vectors.
pub(crate) fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) fn node(value: &Value) -> Node {
    let bits = u64::from_str_radix(value.as_str().unwrap(), 16).unwrap();
    Node::from_bytes(bits.to_be_bytes()[2..].try_into().unwrap())
}

/// 128 bits that are always the same; of 64, the first.
pub(crate) struct Fixed(pub(crate) u128);

impl Random for Fixed {
    fn next_u64(&self) -> Result<u64, RandomError> {
        Ok((self.0 >> 64).try_into().unwrap())
    }
    fn next_u128(&self) -> Result<u128, RandomError> {
        Ok(self.0)
    }
}

/// Numbers in the order of a list, then errors.
pub(crate) struct Listed(pub(crate) RefCell<Vec<u64>>);

impl Listed {
    pub(crate) fn new(numbers: &[u64]) -> Self {
        Self(RefCell::new(numbers.iter().rev().copied().collect()))
    }
}

impl Random for Listed {
    fn next_u64(&self) -> Result<u64, RandomError> {
        self.0.borrow_mut().pop().ok_or(RandomError::Source)
    }
}

/// Numbers in the order of a list, and errors for none of them.
pub(crate) struct Flaky(RefCell<Vec<Option<u64>>>);

impl Flaky {
    pub(crate) fn new(numbers: &[Option<u64>]) -> Self {
        Self(RefCell::new(numbers.iter().rev().copied().collect()))
    }
}

impl Random for Flaky {
    fn next_u64(&self) -> Result<u64, RandomError> {
        self.0.borrow_mut().pop().flatten().ok_or(RandomError::Source)
    }
}

/// A clock that a test sets, in nanoseconds.
#[derive(Default)]
pub(crate) struct Settable(AtomicU64);

impl Settable {
    pub(crate) fn at(time: Duration) -> Self {
        let clock = Self::default();
        clock.set(time);
        clock
    }

    pub(crate) fn set(&self, time: Duration) {
        self.0.store(time.as_nanos().try_into().unwrap(), Ordering::Relaxed);
    }
}

impl Wall for Settable {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The moment of the RFC's vectors.
pub(crate) const VECTORS: Duration = Duration::from_millis(1_645_557_742_000);
