//! The specification, asked about one step at a time.

use std::collections::BTreeMap;

use tla_eval::{Evaluator, Modules, Spec, State, Value};

use super::scene::{Scene, Step};

const RAFT: &str = include_str!("../../../spec/Raft.tla");
const STEP: &str = include_str!("../../../spec/RaftStep.tla");

struct Files;

impl Modules for Files {
    fn source(&self, name: &str) -> Option<String> {
        (name == "Raft").then(|| RAFT.to_owned())
    }
}

/// The constants of the specification that a check chooses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constants {
    /// The members.
    pub servers: Vec<u64>,
    /// Whether campaigns begin with a pre-vote.
    pub pre_votes: bool,
    /// The module to the letter, within these bounds; or what any real run may do.
    pub exact: Option<Limits>,
}

/// The bounds of an exact check.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the constants of Raft.tla, which says what each is")]
pub struct Limits {
    pub campaigners: Vec<u64>,
    pub loss: bool,
    pub max_term: u64,
    pub max_log: u64,
    pub in_flight: u64,
    pub unsynced: u64,
    pub sealed: u64,
    pub proposals: u64,
    pub crashes: u64,
    pub duplicates: u64,
    pub intervals: u64,
}

/// More than any run has of anything.
const PLENTY: u64 = 1 << 40;

impl Constants {
    fn values(&self) -> BTreeMap<String, Value> {
        let free = Limits {
            campaigners: self.servers.clone(),
            loss: true,
            max_term: PLENTY,
            max_log: PLENTY,
            in_flight: PLENTY,
            unsynced: PLENTY,
            sealed: PLENTY,
            proposals: PLENTY,
            crashes: PLENTY,
            duplicates: PLENTY,
            intervals: PLENTY,
        };
        let limits = self.exact.as_ref().unwrap_or(&free);
        let set = |ids: &[u64]| Value::set(ids.iter().map(|id| number(*id)));
        let numbers = [
            ("MaxTerm", limits.max_term),
            ("MaxLog", limits.max_log),
            ("InFlight", limits.in_flight),
            ("Unsynced", limits.unsynced),
            ("Sealed", limits.sealed),
            ("Proposals", limits.proposals),
            ("Crashes", limits.crashes),
            ("Duplicates", limits.duplicates),
            ("Intervals", limits.intervals),
        ];
        let mut all: BTreeMap<String, Value> =
            numbers.into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
        all.extend([
            ("Servers".to_owned(), set(&self.servers)),
            ("Campaigners".to_owned(), set(&limits.campaigners)),
            ("PreVotes".to_owned(), Value::Bool(self.pre_votes)),
            ("Exact".to_owned(), Value::Bool(self.exact.is_some())),
            ("Loss".to_owned(), Value::Bool(limits.loss)),
            ("Endless".to_owned(), Value::Bool(false)),
            ("Fault".to_owned(), Value::string("none")),
        ]);
        all
    }
}

/// A number as the specification has it.
pub(crate) fn number(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The modules, read once.
#[derive(Debug)]
pub struct Module(Spec);

impl Module {
    /// Reads the modules.
    ///
    /// # Errors
    /// When they cannot be read as TLA+.
    pub fn read() -> Result<Self, SpecError> {
        Spec::load(STEP, &Files).map(Self).map_err(SpecError::of)
    }

    /// The modules with these constants. One for each thread.
    ///
    /// # Errors
    /// When the constants do not fit the modules.
    pub fn with(&self, constants: &Constants) -> Result<Judge<'_>, SpecError> {
        let evaluator = Evaluator::new(&self.0, constants.values()).map_err(SpecError::of)?;
        Ok(Judge { evaluator, servers: constants.servers.clone() })
    }
}

/// The specification could not be asked: a mistake in the modules or in the mapping, not in the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the specification cannot be asked: {0}")]
pub struct SpecError(String);

impl SpecError {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    fn of(error: tla_eval::Error) -> Self {
        Self(format!("{error:?}"))
    }
}

/// What the specification says of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It allows it.
    Allowed,
    /// It does not.
    Refused(Refusal),
}

/// Why a step is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The action that the step should have been.
    pub action: String,
    /// The conjunct that does not hold.
    pub conjunct: String,
    /// What the module makes of the server, where that is another thing than happened: field, its value there, its
    /// value here.
    pub differences: Vec<(String, String, String)>,
    /// The state before.
    pub before: String,
    /// The state after.
    pub after: String,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        writeln!(f, "the specification does not allow this {}", self.action)?;
        writeln!(f, "  conjunct: {}", self.conjunct)?;
        for (field, there, here) in &self.differences {
            writeln!(f, "  {field}: the module says {there}, the code did {here}")?;
        }
        writeln!(f, "  before: {}", self.before)?;
        write!(f, "  after:  {}", self.after)
    }
}

/// The specification with its constants.
pub struct Judge<'m> {
    evaluator: Evaluator<'m>,
    servers: Vec<u64>,
}

impl core::fmt::Debug for Judge<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Judge").field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl Judge<'_> {
    /// Whether this is one of the states in which everything may begin.
    ///
    /// # Errors
    /// When the specification cannot be asked.
    pub fn begins(&self, scene: &Scene) -> Result<bool, SpecError> {
        self.evaluator.holds_at("Init", &self.state(scene, None)).map_err(SpecError::of)
    }

    /// Whether a step is allowed.
    ///
    /// # Errors
    /// When the specification cannot be asked.
    pub fn check(&self, step: &Step) -> Result<Verdict, SpecError> {
        let (from, to) = (self.state(&step.before, Some(step)), self.state(&step.after, Some(step)));
        if self.evaluator.step_allowed("Hinted", &from, &to).map_err(SpecError::of)? {
            return Ok(Verdict::Allowed);
        }
        let blocked = self.evaluator.why_not("Hinted", &from, &to).map_err(SpecError::of)?;
        let action = step.hint.action().to_owned();
        let closest = blocked.iter().find(|blocked| blocked.action.starts_with(&action)).or(blocked.first());
        let conjunct = closest.map_or_else(|| "none holds".to_owned(), |blocked| blocked.conjunct.clone());
        let differences = self.differences(step, &from, &to);
        let server = step.hint.server();
        Ok(Verdict::Refused(Refusal {
            action: format!("{action} of server {server}"),
            conjunct,
            differences,
            before: step.before.describe(server),
            after: step.after.describe(server),
        }))
    }

    /// What the module makes of the server in this step, beside what happened.
    fn differences(&self, step: &Step, from: &State, to: &State) -> Vec<(String, String, String)> {
        let Ok(Value::Record(told)) = self.evaluator.value_of("Told", from) else { return Vec::new() };
        let Some(Value::Record(module)) = told.get("s") else { return Vec::new() };
        let server = number(step.hint.server());
        let happened = to.get("node").and_then(|nodes| nodes.apply(&server));
        let Some(Value::Record(happened)) = happened else { return Vec::new() };
        let mut found: Vec<_> = module
            .iter()
            .filter(|(name, value)| happened.get(*name) != Some(value))
            .map(|(name, value)| {
                let here = happened.get(name).map_or_else(|| "nothing".to_owned(), |it| format!("{it}"));
                (name.clone(), format!("{value}"), here)
            })
            .collect();
        if found.is_empty() {
            let says = told.get("says").map_or_else(String::new, |says| format!("{says}"));
            let net = to.get("net").map_or_else(String::new, |net| format!("{net}"));
            found.push(("messages".to_owned(), says, net));
        }
        found
    }

    fn state(&self, scene: &Scene, step: Option<&Step>) -> State {
        let mut state = scene.to_state(&self.servers);
        let hint = step.map_or_else(|| Value::record([]), |step| step.hint.to_value());
        state.insert("hint".to_owned(), hint);
        state
    }
}
