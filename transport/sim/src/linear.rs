//! Was a history of a key-value register linearizable?
//!
//! Each operation must seem to happen at one moment between its call and its return (Herlihy, Wing 1990). The check
//! is the search of Wing and Gong (1993) with Lowe's memo of visited configurations (2017). Linearizability is local,
//! so each key is judged on its own. A configuration is remembered by a 128-bit hash of which operations were placed,
//! beside the value that they left.
//!
//! An operation whose outcome is unknown may have happened at any moment after its call, or never: it stays open to
//! the end. It is only ever placed right before something that can see its effect; elsewhere leaving it out allows
//! the same answers, so that many open writes cost little. What can still cost too much is bounded: then the verdict is
//! [`Failure::Undecided`], and neither "yes" nor "no".
//!
//! A history that cannot be explained gives an [`Offence`]: the few operations that show it, as text with a lane for each
//! client, and as a page of HTML ([`Offence::html`]). [`parse`] reads histories that were written down.
//!
//! ```
//! use synod_sim::linear::{Answer, Failure, Kind, Operation, check};
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
//! let Err(Failure::Offence(offence)) = check(&[put, get(None)]) else { panic!("the read is stale") };
//! assert_eq!(offence.key, "k");
//! assert_eq!(offence.possible, [Answer::Value(Some("a".into()))]);
//! ```

mod draw;
mod explain;
mod search;
mod text;

use core::fmt;
use std::collections::BTreeMap;

use search::{Call, Found, Observed, Problem, State};
pub use text::{LineError, parse};

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
        write!(f, " -> {}", self.result)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Done => f.write_str("done"),
            Self::Value(Some(value)) => write!(f, "{value:?}"),
            Self::Value(None) => f.write_str("absent"),
            Self::Swapped(true) => f.write_str("swapped"),
            Self::Swapped(false) => f.write_str("not as expected"),
        }
    }
}

impl Operation {
    /// What stands for an operation where there is none.
    fn nothing() -> Self {
        Self {
            client: 0,
            key: String::new(),
            kind: Kind::Get,
            invoke: 0,
            complete: None,
            result: Answer::Unknown,
        }
    }
}

/// Why a history did not pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// It is not linearizable.
    Offence(Box<Offence>),
    /// It may be or not: the search for an order visited as many configurations as it was allowed to.
    Undecided {
        /// The register.
        key: String,
        /// How many operations it has.
        operations: usize,
        /// How many configurations were visited.
        configurations: u64,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offence(offence) => offence.fmt(f),
            Self::Undecided { key, operations, configurations } => write!(
                f,
                "key {key:?} is undecided: {operations} operations, {configurations} configurations visited"
            ),
        }
    }
}

impl core::error::Error for Failure {}

/// A history that no order of moments explains. Displays itself as a line per operation, then a lane per client.
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
    /// Answers to the culprit for which an order was found, given all up to its return; a few dozen are tried. Empty
    /// when the fault lies in earlier answers, when there is no other answer, or when none was found cheaply.
    pub possible: Vec<Answer>,
}

impl core::error::Error for Offence {}

/// Configurations that [`check`] visits for one key before it gives up: some seconds, and some hundred megabytes.
pub const CONFIGURATIONS: u64 = 2_000_000;

/// Judges a history, in any order; every key begins absent.
///
/// Costs about O(n log n) for histories with a few dozen clients; the worst case is exponential in the number of
/// operations that overlap on one key, and ends in [`Failure::Undecided`] after [`CONFIGURATIONS`].
///
/// # Errors
/// The first key (in order of keys) whose operations cannot be explained; when there is none, the first that is undecided.
pub fn check(history: &[Operation]) -> Result<(), Failure> {
    check_within(history, CONFIGURATIONS)
}

/// The same with another bound on the configurations visited for each key. Time is about a microsecond for each, memory
/// some hundred bytes.
///
/// # Errors
/// As [`check`].
pub fn check_within(history: &[Operation], configurations: u64) -> Result<(), Failure> {
    let mut keys: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in history {
        keys.entry(&operation.key).or_default().push(operation);
    }
    let mut undecided = None;
    for (key, operations) in &mut keys {
        operations.sort_by_key(|operation| (operation.invoke, operation.complete));
        let values = Values::of(operations);
        let calls: Vec<Call> = operations.iter().map(|operation| call(operation, &values)).collect();
        let mut budget = configurations;
        match Problem::new(calls.iter().copied()).solve(State::ABSENT, &mut budget) {
            Found::Order => {}
            Found::NoOrder { reached } => {
                let offence = explain::offence(operations, &calls, &values, reached);
                return Err(Failure::Offence(Box::new(offence)));
            }
            Found::GaveUp => {
                let (key, operations) = ((*key).to_owned(), operations.len());
                undecided.get_or_insert(Failure::Undecided { key, operations, configurations });
            }
        }
    }
    undecided.map_or(Ok(()), Err)
}

/// The values of one key as numbers.
struct Values<'a> {
    numbers: BTreeMap<&'a str, State>,
    names: Vec<&'a str>,
}

impl<'a> Values<'a> {
    fn of(operations: &[&'a Operation]) -> Self {
        let mut values = Self { numbers: BTreeMap::new(), names: Vec::new() };
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
                if !values.numbers.contains_key(value) {
                    values.names.push(value);
                    let number = u32::try_from(values.names.len()).unwrap_or(u32::MAX);
                    values.numbers.insert(value, State(number));
                }
            }
        }
        values
    }

    fn number(&self, value: Option<&str>) -> State {
        value.and_then(|value| self.numbers.get(value).copied()).unwrap_or(State::ABSENT)
    }

    /// The inverse of [`Values::number`].
    fn name(&self, state: State) -> Option<String> {
        let at = usize::try_from(state.0.checked_sub(1)?).ok()?;
        self.names.get(at).map(|name| (*name).to_owned())
    }
}

fn call(operation: &Operation, values: &Values<'_>) -> Call {
    let number = |value| values.number(value);
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
    // An answer without a return says nothing.
    let observed = if complete.is_none() && !observed.writes() { Observed::Nothing } else { observed };
    Call { invoke: operation.invoke, complete, observed }
}
