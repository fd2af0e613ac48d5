//! A store that outlives its processes, and what may happen to an operation of it.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use synod_transport::rng::Rng;
use synod_transport::store::{MemStateStore, StateStore, StoreError};

/// What becomes of one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// The process dies before anything was done.
    DiesBefore,
    /// The process dies with all of it done.
    DiesAfter,
    /// An error, and nothing was done.
    FailsBefore,
    /// An error, and all of it was done.
    FailsAfter,
}

pub(crate) const FATES: [Fate; 4] = [Fate::DiesBefore, Fate::DiesAfter, Fate::FailsBefore, Fate::FailsAfter];

/// The operation that is fated, counted from zero.
pub(crate) type Plan = Option<(u64, Fate)>;

/// A plan for one of the first operations, or none.
pub(crate) fn plan(rng: &mut Rng, operations: u64) -> Plan {
    (rng.below(5) > 0).then(|| (rng.below(operations), FATES[rng.below(4) as usize]))
}

/// Decides what becomes of operations. Clones decide together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fates(Rc<RefCell<(Plan, Struck)>>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Struck {
    #[default]
    NotYet,
    Failed,
    Dead,
}

impl Fates {
    /// For the next process.
    pub(crate) fn plan(&self, plan: Plan) {
        *self.0.borrow_mut() = (plan, Struck::NotYet);
    }

    /// Whether the process died.
    pub(crate) fn is_dead(&self) -> bool {
        self.0.borrow().1 == Struck::Dead
    }

    /// Whether an operation failed, or the process died of it.
    pub(crate) fn has_struck(&self) -> bool {
        self.0.borrow().1 != Struck::NotYet
    }

    /// Does it, or does not; `None` for an error.
    pub(crate) fn run<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let mut state = self.0.borrow_mut();
        let (plan, struck) = &mut *state;
        if *struck == Struck::Dead {
            return None;
        }
        let fate = match plan {
            Some((0, fate)) => *fate,
            Some((left, _)) => {
                *left -= 1;
                return Some(act());
            }
            None => return Some(act()),
        };
        *plan = None;
        *struck =
            if matches!(fate, Fate::DiesBefore | Fate::DiesAfter) { Struck::Dead } else { Struck::Failed };
        if matches!(fate, Fate::DiesAfter | Fate::FailsAfter) {
            act();
        }
        None
    }
}

/// Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    values: Rc<RefCell<MemStateStore>>,
    pub(crate) fates: Fates,
}

impl Disk {
    /// The same disk, with what becomes of another process's operations.
    pub(crate) fn of(&self, fates: &Fates) -> Self {
        Self { values: Rc::clone(&self.values), fates: fates.clone() }
    }
}

impl StateStore for Disk {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.fates.run(|| self.values.borrow().get(name)).unwrap_or_else(failed)
    }
    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.fates.run(|| self.values.borrow_mut().set(name, value)).unwrap_or_else(failed)
    }
}

fn failed<T>() -> Result<T, StoreError> {
    Err(StoreError::Fatal("planted".into()))
}
