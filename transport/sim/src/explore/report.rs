//! What an exploration found.

use core::fmt::{self, Debug, Display};

use super::path::Path;

/// Why an exploration ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Everything reachable was visited.
    Complete,
    /// A property is broken, and the explorer was not told to go on.
    Violation,
    /// The limit on states was met.
    MaxStates,
    /// States at the limit of depth were not followed further.
    MaxDepth,
}

/// What kind of property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Of every state.
    Always,
    /// Of every step.
    Step,
    /// Of some state: its path is a witness.
    Reachable,
    /// Of every fair run.
    LeadsTo,
}

/// What became of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds in all that can be reached; for [`Kind::Reachable`], a witness was met.
    Holds,
    /// It does not, for this reason.
    Broken(String),
    /// Not everything was visited, and what was visited does not decide.
    Open,
}

/// A property and what became of it.
#[derive(Clone, Debug)]
pub struct Finding<S, A> {
    /// Its name.
    pub property: String,
    /// Its kind.
    pub kind: Kind,
    /// What became of it.
    pub verdict: Verdict,
    /// A shortest counterexample, or a shortest witness. For [`Kind::LeadsTo`] the way into the cycle is a shortest one.
    pub path: Option<Path<S, A>>,
}

/// The sum of an exploration. Its `Display` is a table; paths are printed apart.
#[derive(Clone, Debug)]
pub struct Report<S, A> {
    /// Distinct states (of representatives, where symmetry is used).
    pub states: u64,
    /// Steps between them, as the model lists them.
    pub edges: u64,
    /// Length of the longest of the shortest paths.
    pub depth: u32,
    /// States in which nothing can happen, of those whose steps were looked at.
    pub terminal: u64,
    /// Wall time of the whole, liveness included.
    pub seconds: f64,
    /// Why it ended.
    pub end: End,
    /// One for each property, in the order in which they were stated.
    pub findings: Vec<Finding<S, A>>,
}

impl<S, A> Report<S, A> {
    /// Whether all was visited and every property holds.
    pub fn holds(&self) -> bool {
        self.end == End::Complete && self.findings.iter().all(|finding| finding.verdict == Verdict::Holds)
    }

    /// The first property that is broken, by the length of its counterexample.
    pub fn broken(&self) -> Option<&Finding<S, A>> {
        self.findings
            .iter()
            .filter(|finding| matches!(finding.verdict, Verdict::Broken(_)))
            .min_by_key(|finding| finding.path.as_ref().map_or(usize::MAX, |path| path.steps.len()))
    }

    /// What became of a property.
    pub fn finding(&self, property: &str) -> Option<&Finding<S, A>> {
        self.findings.iter().find(|finding| finding.property == property)
    }

    /// The chance that two states were taken for one: at most n²/2^65.
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn collision_probability(&self) -> f64 {
        (self.states as f64).powi(2) / 2f64.powi(65)
    }

    /// States visited in a second.
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn states_per_second(&self) -> f64 {
        self.states as f64 / self.seconds.max(1e-9)
    }
}

impl<S: Debug, A: Debug> Display for Report<S, A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::Complete => "complete",
            End::Violation => "stopped at a violation",
            End::MaxStates => "cut at the limit of states",
            End::MaxDepth => "cut at the limit of depth",
        };
        writeln!(
            out,
            "{} states, {} steps, depth {}, {} terminal, {end}; {:.2} s, {:.0} states per second; \
             two states mistaken for one: p < {:.0e}",
            self.states,
            self.edges,
            self.depth,
            self.terminal,
            self.seconds,
            self.states_per_second(),
            self.collision_probability(),
        )?;
        let width = self.findings.iter().map(|finding| finding.property.len()).max().unwrap_or(0);
        for finding in &self.findings {
            writeln!(out, "  {:width$}  {}", finding.property, Words(finding))?;
        }
        Ok(())
    }
}

/// A finding in words.
struct Words<'a, S, A>(&'a Finding<S, A>);

impl<S, A> Display for Words<'_, S, A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.path.as_ref().map_or(0, |path| path.steps.len());
        match (&self.0.verdict, self.0.kind) {
            (Verdict::Holds, Kind::Reachable) => write!(out, "reached in {length} steps"),
            (Verdict::Holds, _) => write!(out, "holds"),
            (Verdict::Broken(why), Kind::Reachable) => write!(out, "BROKEN: {why}"),
            (Verdict::Broken(why), _) => write!(out, "BROKEN after {length} steps: {why}"),
            (Verdict::Open, _) => write!(out, "open: not everything was visited"),
        }
    }
}

/// How far an exploration is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress {
    /// Distinct states so far.
    pub states: u64,
    /// Steps so far.
    pub edges: u64,
    /// The level whose states are being followed.
    pub depth: u32,
    /// States still to be followed, of this level and the next.
    pub queue: u64,
    /// Wall time so far.
    pub seconds: f64,
}

impl Progress {
    /// States visited in a second.
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn states_per_second(&self) -> f64 {
        self.states as f64 / self.seconds.max(1e-9)
    }
}

/// Why an exploration could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// Liveness was asked under symmetry. A cycle of representatives need not be a cycle of states: ask one or the other.
    #[error("liveness cannot be decided on representatives: explore without symmetry")]
    SymmetricLiveness,
    /// More than 32 fair sets or 16 liveness properties were stated. Split the run.
    #[error("at most 32 fair sets and 16 liveness properties fit in one run")]
    TooMany,
    /// The model is at fault: it gave other steps when asked again, or its representative is not one.
    #[error("the model gave other steps when it was asked again about the same state")]
    NotPure,
}
