//! A way through the states, for people and for files.

use core::fmt::{self, Debug, Display};
use std::borrow::Cow;
use std::io::{self, Write};

use synod_transport::ids::NodeId;
use synod_transport::time::Instant;
use synod_transport::trace::{Ndjson, Recorder as _, TraceEvent, Value};

use super::difference;
use super::explorer::Explorer;
use super::fingerprint::Fingerprinter;
use super::model::Model;
use super::report::ExploreError;

/// States and what happened between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path<S, A> {
    /// Where it begins: state 0.
    pub initial: S,
    /// What happened, and the state after it: states 1, 2, …
    pub steps: Vec<(A, S)>,
    /// For a run without end: the number of the state from which the rest repeats for ever. The last state equals it;
    /// when it is the number of the last state, nothing happens any more.
    pub cycle_from: Option<usize>,
}

impl<S, A> Path<S, A> {
    /// The last state.
    pub fn last(&self) -> &S {
        self.steps.last().map_or(&self.initial, |(_, state)| state)
    }

    /// Every state in turn.
    pub fn states(&self) -> impl Iterator<Item = &S> {
        core::iter::once(&self.initial).chain(self.steps.iter().map(|(_, state)| state))
    }
}

impl<S: Debug, A: Debug> Path<S, A> {
    /// Writes a trace with a line for each state: `at` is its number, `event` the action that led there, `changed` what
    /// changed by it, `state` the whole of it as text. It is told of the world, node 0. A path with a cycle has a last
    /// line `again` whose `from` is the number of the state it goes back to.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_ndjson<W: Write>(&self, out: W) -> io::Result<W> {
        let mut trace = Ndjson::new(out);
        let mut write = |at: u64, event: &str, fields: &[(Cow<'static, str>, Value)], state: &S| {
            let state = Value::Text(format!("{state:?}").into());
            let event = TraceEvent::new(Instant::from_nanos(at), NodeId::new(0), event);
            trace.record(TraceEvent { fields, state: Some(&state), ..event });
        };
        write(0, "initially", &[], &self.initial);
        for ((at, (action, after)), before) in (1..).zip(&self.steps).zip(self.states()) {
            let changed = difference::lines(before, after).into_iter().map(|line| Value::Text(line.into()));
            let changed = (Cow::Borrowed("changed"), Value::List(changed.collect()));
            write(at, &format!("{action:?}"), &[changed], after);
        }
        if let Some(from) = self.cycle_from {
            let from = (Cow::Borrowed("from"), Value::Number(from as u64));
            write(self.steps.len() as u64, "again", &[from], self.last());
        }
        trace.finish()
    }
}

impl<S: Debug, A: Debug> Display for Path<S, A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:>4}  initially {:?}", 0, self.initial)?;
        let mut before = &self.initial;
        for (number, (action, after)) in self.steps.iter().enumerate() {
            if self.cycle_from == Some(number) {
                writeln!(out, "      -- from here on again and again:")?;
            }
            writeln!(out, "{:>4}  {action:?}", number + 1)?;
            for line in difference::lines(before, after) {
                writeln!(out, "        {line}")?;
            }
            before = after;
        }
        match self.cycle_from {
            Some(from) if from == self.steps.len() => writeln!(out, "      -- and so it stays for ever"),
            Some(from) => writeln!(out, "      -- back to what it was after {from}"),
            None => Ok(()),
        }
    }
}

/// A state on the way to be gone again.
pub(super) struct Stop {
    pub(super) fingerprint: u64,
    /// The step that leads here belongs to just these fair sets, if that matters.
    pub(super) sets: Option<u32>,
}

/// Goes a way again, stepping the model, to get the states and actions that were not kept.
pub(super) fn retrace<M: Model>(
    explorer: &Explorer<'_, M>,
    stops: &[Stop],
) -> Result<Path<M::State, M::Action>, ExploreError> {
    let print = |state: &M::State| {
        if explorer.symmetric {
            Fingerprinter::of(&explorer.stand_in(state.clone()))
        } else {
            Fingerprinter::of(state)
        }
    };
    let (first, rest) = stops.split_first().ok_or(ExploreError::NotPure)?;
    let mut initial = explorer.model.initial().into_iter();
    let initial = initial.find(|state| print(state) == first.fingerprint).ok_or(ExploreError::NotPure)?;
    let mut path = Path { initial, steps: Vec::new(), cycle_from: None };
    for stop in rest {
        let mut steps = Vec::new();
        explorer.model.steps(path.last(), &mut steps);
        let fits = |(action, after): &(M::Action, M::State)| {
            print(after) == stop.fingerprint
                && stop.sets.is_none_or(|sets| explorer.fair_sets(action) == sets)
        };
        path.steps.push(steps.into_iter().find(fits).ok_or(ExploreError::NotPure)?);
    }
    Ok(path)
}
