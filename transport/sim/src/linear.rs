//! Was a history of a key-value register linearizable?
//!
//! Each operation must seem to happen at one moment between its call and its return (Herlihy, Wing 1990). The check
//! is the search of Wing and Gong (1993) with Lowe's memo of visited configurations (2017). Linearizability is local,
//! so each key is judged on its own. A configuration is remembered by a 128-bit hash of which operations were placed,
//! beside the value that they left.
//!
//! An operation whose outcome is unknown may have happened at any moment after its call, or never: it stays open to
//! the end. It is only ever placed right before something that can see its effect; elsewhere leaving it out allows
//! the same answers, so that many open writes cost little.
//!
//! ```
//! use synod_sim::linear::{Answer, Kind, Operation, check};
//!
//! let put = Operation {
//!     client: 1, key: "k".into(), kind: Kind::Put("a".into()),
//!     invoke: 10, complete: Some(20), result: Answer::Done,
//! };
//! let get = |value: Option<&str>| Operation {
//!     client: 2, key: "k".into(), kind: Kind::Get,
//!     invoke: 30, complete: Some(40), result: Answer::Value(value.map(str::to_owned)),
//! };
//! assert!(check(&[put.clone(), get(Some("a"))]).is_ok());
//! let offence = check(&[put, get(None)]).expect_err("the read is stale");
//! assert_eq!(offence.key, "k");
//! ```

mod explain;
mod search;

use core::fmt;
use std::collections::BTreeMap;

use search::{Call, Observed, Problem, State};

/// What a client asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The value, if there is one.
    Get,
    /// Set the value.
    Put(String),
    /// Set the value if it is as expected now.
    CompareAndSet {
        /// The value it must have; `None` when the key must be absent.
        expect: Option<String>,
        /// The value to set.
        new: String,
    },
    /// Take the key away; succeeds when it is absent too.
    Delete,
}

/// What a client was told. An answer that does not belong to the kind counts as [`Answer::Unknown`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answer {
    /// Nothing, or an error that leaves open whether it happened.
    Unknown,
    /// A put or delete was done.
    Done,
    /// A get saw this.
    Value(Option<String>),
    /// A compare-and-set did (true) or did not (false) find what it expected.
    Swapped(bool),
}

/// One operation of a history. Operations known not to have happened (refused) do not belong in a history.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Operation {
    /// Who asked; only for people.
    pub client: u64,
    /// The register.
    pub key: String,
    /// What was asked.
    pub kind: Kind,
    /// When it was asked, on a clock that all clients of the history share.
    pub invoke: u64,
    /// When the answer came; `None` when none did. Two operations of which one returns at the very moment at which
    /// the other is called count as concurrent.
    pub complete: Option<u64>,
    /// The answer.
    pub result: Answer,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.complete {
            Some(complete) => write!(f, "[{} .. {}]", self.invoke, complete)?,
            None => write!(f, "[{} .. ?]", self.invoke)?,
        }
        write!(f, " client {}: ", self.client)?;
        match &self.kind {
            Kind::Get => write!(f, "get {}", self.key)?,
            Kind::Put(value) => write!(f, "put {} = {value:?}", self.key)?,
            Kind::CompareAndSet { expect, new } => match expect {
                Some(expect) => write!(f, "compare-and-set {} from {expect:?} to {new:?}", self.key)?,
                None => write!(f, "compare-and-set {} from absent to {new:?}", self.key)?,
            },
            Kind::Delete => write!(f, "delete {}", self.key)?,
        }
        match &self.result {
            Answer::Unknown => f.write_str(" -> unknown"),
            Answer::Done => f.write_str(" -> done"),
            Answer::Value(Some(value)) => write!(f, " -> {value:?}"),
            Answer::Value(None) => f.write_str(" -> absent"),
            Answer::Swapped(true) => f.write_str(" -> swapped"),
            Answer::Swapped(false) => f.write_str(" -> not as expected"),
        }
    }
}

/// A history that no order of moments explains. Displays itself as text of a line per operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offence {
    /// The register.
    pub key: String,
    /// The operation with whose return the history stops being explicable.
    pub culprit: Operation,
    /// Operations, by call, that suffice to show it; the culprit is among them.
    pub window: Vec<Operation>,
    /// Whether operations before the window were left out: then the window fails whatever value the key had before
    /// it. Otherwise the key begins absent.
    pub cut: bool,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "key {:?} is not linearizable: no order of these {} operations",
            self.key,
            self.window.len()
        )?;
        let before = if self.cut { "whatever its value before them" } else { "from absent" };
        writeln!(f, "gives every client the answer it got, {before}:")?;
        for operation in &self.window {
            let mark = if *operation == self.culprit { ">" } else { " " };
            writeln!(f, "{mark} {operation}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Offence {}

/// Judges a history, in any order; every key begins absent.
///
/// Costs about O(n log n) for histories with a few dozen clients; the worst case is exponential in the number of
/// operations that overlap on one key.
///
/// # Errors
/// The first key (in order of keys) whose operations cannot be explained.
pub fn check(history: &[Operation]) -> Result<(), Box<Offence>> {
    let mut keys: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in history {
        keys.entry(&operation.key).or_default().push(operation);
    }
    for operations in keys.values_mut() {
        operations.sort_by_key(|operation| (operation.invoke, operation.complete));
        let calls = calls(operations);
        if !Problem::new(calls.iter().copied()).solve(State::ABSENT) {
            return Err(Box::new(explain::offence(operations, &calls)));
        }
    }
    Ok(())
}

/// The operations of one key with their values as numbers.
fn calls(operations: &[&Operation]) -> Vec<Call> {
    let mut values: BTreeMap<&str, u32> = BTreeMap::new();
    for operation in operations {
        let seen = match &operation.result {
            Answer::Value(Some(value)) => Some(value.as_str()),
            _ => None,
        };
        let (first, second) = match &operation.kind {
            Kind::Put(value) => (Some(value.as_str()), None),
            Kind::CompareAndSet { expect, new } => (Some(new.as_str()), expect.as_deref()),
            Kind::Get | Kind::Delete => (None, None),
        };
        for value in [seen, first, second].into_iter().flatten() {
            let next = u32::try_from(values.len()).unwrap_or(u32::MAX).saturating_add(1);
            values.entry(value).or_insert(next);
        }
    }
    let number = |value: Option<&str>| State(value.and_then(|value| values.get(value).copied()).unwrap_or(0));
    let call = |operation: &&Operation| {
        let (observed, known) = match (&operation.kind, &operation.result) {
            (Kind::Get, Answer::Value(value)) => (Observed::Read(number(value.as_deref())), true),
            (Kind::Get, _) => (Observed::Nothing, false),
            (Kind::Put(value), answer) => (Observed::Set(number(Some(value))), *answer == Answer::Done),
            (Kind::Delete, answer) => (Observed::Set(State::ABSENT), *answer == Answer::Done),
            (Kind::CompareAndSet { expect, new }, answer) => {
                let (expect, new) = (number(expect.as_deref()), number(Some(new)));
                match answer {
                    Answer::Swapped(false) => (Observed::Differs(expect), true),
                    answer => (Observed::Swap { expect, new }, *answer == Answer::Swapped(true)),
                }
            }
        };
        let complete = operation.complete.filter(|_| known);
        // What failed to swap has no effect: without a return it says nothing.
        let observed = match observed {
            Observed::Differs(_) | Observed::Read(_) if complete.is_none() => Observed::Nothing,
            observed => observed,
        };
        Call { invoke: operation.invoke, complete, observed }
    };
    operations.iter().map(call).collect()
}
