//! A cfg file: the model's bounds for the checker, and, in its comments, what must come of it.
//!
//! ```text
//! \* expect: states 12345            every state was visited, nothing is violated
//! \* expect: violates NoLostContent  an invariant or an action property
//! \* expect: violates-liveness Tidy  may stand beside `states`: liveness is judged on the whole graph
//! \* expect: deadlock
//! \* expect: length 7                states in the counterexample
//! \* module: Raft                    when it is not clear from the names of the files
//! \* slow                            left out unless `--all` is given
//! ```

use anyhow::{Context as _, Result, bail, ensure};

/// How a check ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Everything was visited and nothing is violated.
    Holds,
    /// This invariant or action property is violated.
    Violates(String),
    /// This property is violated by a behaviour without end. TLC does not always say which: then the name is missing.
    ViolatesLiveness(Option<String>),
    /// A state without successor.
    Deadlock,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Holds => write!(formatter, "holds"),
            Self::Violates(name) => write!(formatter, "violates {name}"),
            Self::ViolatesLiveness(Some(name)) => write!(formatter, "violates-liveness {name}"),
            Self::ViolatesLiveness(None) => write!(formatter, "violates-liveness of some property"),
            Self::Deadlock => write!(formatter, "deadlock"),
        }
    }
}

/// What a cfg says must come of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Expectation {
    pub(super) ending: Ending,
    /// Distinct states. Always there when the ending is `Holds`; never for a search that stops at a violation.
    pub(super) states: Option<u64>,
    /// States in the counterexample; for liveness the prefix and the cycle, the state where they meet counted once.
    pub(super) length: Option<usize>,
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.ending)?;
        if let Some(states) = self.states {
            write!(formatter, ", {states} states")?;
        }
        if let Some(length) = self.length {
            write!(formatter, ", length {length}")?;
        }
        Ok(())
    }
}

/// What the task reads in a cfg; the rest is between the checker and the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cfg {
    pub(super) expectation: Expectation,
    /// The module that it names in a comment.
    pub(super) module: Option<String>,
    pub(super) slow: bool,
    /// Names under `PROPERTY` or `PROPERTIES`.
    pub(super) properties: Vec<String>,
}

impl Cfg {
    /// # Errors
    /// When there is no expectation, when it contradicts itself, when it names what the cfg does not check, or when the
    /// cfg asks for what one of the checkers would leave out without failing.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let names = Names::parse(text);
        ensure!(
            !names.invariants.is_empty(),
            "no INVARIANTS: tla would pick some by their names and TLC none; name at least the type invariant"
        );
        let comments = Comments::parse(text)?;
        let expectation = comments.expectation()?;
        match &expectation.ending {
            Ending::Violates(name) => ensure!(
                names.invariants.contains(name) || names.properties.contains(name),
                "it is expected to violate {name}, which is not among its INVARIANTS and PROPERTIES"
            ),
            Ending::ViolatesLiveness(Some(name)) => ensure!(
                names.properties.contains(name),
                "it is expected to violate {name}, which is not among its PROPERTIES"
            ),
            Ending::ViolatesLiveness(None) | Ending::Holds | Ending::Deadlock => {}
        }
        if let Some(word) = names.ignored {
            bail!("{word}: tla ignores it, so the counts would mean something else; move it into the module");
        }
        Ok(Self { expectation, module: comments.module, slow: comments.slow, properties: names.properties })
    }
}

/// What the comments say.
#[derive(Default)]
struct Comments {
    ending: Option<Ending>,
    states: Option<u64>,
    length: Option<usize>,
    module: Option<String>,
    slow: bool,
}

impl Comments {
    fn parse(text: &str) -> Result<Self> {
        let mut comments = Self::default();
        for (at, line) in text.lines().enumerate() {
            let Some(comment) = line.trim_start().strip_prefix("\\*") else { continue };
            comments.read(comment.trim()).with_context(|| format!("line {}: {}", at + 1, line.trim()))?;
        }
        Ok(comments)
    }

    fn read(&mut self, comment: &str) -> Result<()> {
        if let Some(words) = comment.strip_prefix("expect:") {
            return self.expect(words);
        }
        if let Some(module) = comment.strip_prefix("module:") {
            return set(&mut self.module, module.trim().to_owned());
        }
        self.slow |= comment == "slow";
        Ok(())
    }

    fn expect(&mut self, words: &str) -> Result<()> {
        match *words.split_whitespace().collect::<Vec<_>>() {
            ["states", count] => set(&mut self.states, count.parse().context("not a number of states")?),
            ["length", count] => set(&mut self.length, count.parse().context("not a length")?),
            ["violates", name] => set(&mut self.ending, Ending::Violates(name.to_owned())),
            ["violates-liveness", name] => {
                set(&mut self.ending, Ending::ViolatesLiveness(Some(name.to_owned())))
            }
            ["deadlock"] => set(&mut self.ending, Ending::Deadlock),
            _ => {
                bail!("it says none of: states N, violates NAME, violates-liveness NAME, deadlock, length N")
            }
        }
    }

    fn expectation(&self) -> Result<Expectation> {
        let Self { states, length, .. } = *self;
        let ending = match (&self.ending, states) {
            (None, None) => bail!("no expectation: write a line like `\\* expect: states 12345`"),
            (None, Some(_)) => {
                ensure!(length.is_none(), "a length is that of a counterexample, and none is expected");
                Ending::Holds
            }
            (Some(Ending::Violates(_) | Ending::Deadlock), Some(_)) => bail!(
                "the search stops at the violation, so its states depend on the checker; count them in another cfg \
                 without it"
            ),
            (Some(ending), _) => ending.clone(),
        };
        Ok(Expectation { ending, states, length })
    }
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<()> {
    ensure!(place.is_none(), "it is said twice");
    *place = Some(value);
    Ok(())
}

/// The names that a cfg lists.
#[derive(Default)]
struct Names {
    invariants: Vec<String>,
    properties: Vec<String>,
    /// A directive that `tla` reads and does not follow.
    ignored: Option<String>,
}

impl Names {
    fn parse(text: &str) -> Self {
        let mut names = Self::default();
        let mut directive = "";
        let uncommented = text.lines().map(|line| line.split("\\*").next().unwrap_or_default());
        for word in uncommented.flat_map(str::split_whitespace) {
            match (word, directive) {
                ("ACTION_CONSTRAINT" | "ACTION_CONSTRAINTS" | "ALIAS" | "POSTCONDITION", _) => {
                    names.ignored = Some(word.to_owned());
                    directive = word;
                }
                (
                    "INVARIANT" | "INVARIANTS" | "PROPERTY" | "PROPERTIES" | "CONSTANT" | "CONSTANTS"
                    | "CONSTRAINT" | "CONSTRAINTS" | "INIT" | "NEXT" | "SPECIFICATION" | "SYMMETRY" | "VIEW"
                    | "CHECK_DEADLOCK",
                    _,
                ) => directive = word,
                (name, "INVARIANT" | "INVARIANTS") => names.invariants.push(name.to_owned()),
                (name, "PROPERTY" | "PROPERTIES") => names.properties.push(name.to_owned()),
                _ => {}
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        format!("{:#}", Cfg::parse(text).expect_err("it is refused"))
    }

    #[test]
    fn a_pass_states_its_count() {
        let text = "\\* expect: states 12345\n\\* slow\nSPECIFICATION Spec\nCONSTANTS N = 2\nINVARIANTS TypeOK\n  Safe \
                    \\* not Other\nPROPERTY Tidy\n";
        let cfg = Cfg::parse(text).expect("good");
        assert_eq!(cfg.expectation, Expectation { ending: Ending::Holds, states: Some(12345), length: None });
        assert_eq!((cfg.properties, cfg.slow, cfg.module), (vec!["Tidy".to_owned()], true, None));
        assert_eq!(cfg.expectation.to_string(), "holds, 12345 states");
    }

    #[test]
    fn a_violation_names_what_is_checked() {
        let cfg =
            Cfg::parse("INVARIANTS A B\n  \\* expect: violates B\n\\* expect: length 4\n\\* module: M\n");
        let cfg = cfg.expect("good");
        let ending = Ending::Violates("B".to_owned());
        assert_eq!(cfg.expectation, Expectation { ending, states: None, length: Some(4) });
        assert_eq!((cfg.module.as_deref(), cfg.slow), (Some("M"), false));
        assert!(refusal("INVARIANTS A\n\\* expect: violates B\n").contains("B, which is not among"));
        assert!(
            refusal("INVARIANTS A B\n\\* expect: violates-liveness B\n").contains("not among its PROPERTIES")
        );
        assert!(refusal("INVARIANTS A\n\\* B\n\\* expect: violates B\n").contains("not among"));
    }

    #[test]
    fn a_liveness_violation_may_state_the_count_too() {
        let text = "INVARIANT A\nPROPERTY P\n\\* expect: violates-liveness P\n\\* expect: states 10\n";
        let expectation = Cfg::parse(text).expect("good").expectation;
        assert_eq!(expectation.ending, Ending::ViolatesLiveness(Some("P".to_owned())));
        assert_eq!(expectation.states, Some(10));
    }

    #[test]
    fn an_expectation_that_is_missing_or_means_nothing_is_refused() {
        for (text, reason) in [
            ("INVARIANT A\n", "no expectation"),
            ("INVARIANT A\n\\* slow\n", "no expectation"),
            ("INVARIANT A\n\\* expect: length 3\n", "no expectation"),
            ("INVARIANT A\n\\* expect: states many\n", "line 2"),
            ("INVARIANT A\n\\* expect: success\n", "it says none of"),
            ("INVARIANT A\n\\* expect: states 1\n\\* expect: states 2\n", "said twice"),
            ("INVARIANT A\n\\* expect: states 1\n\\* expect: length 2\n", "none is expected"),
            ("INVARIANT A\n\\* expect: states 1\n\\* expect: violates A\n", "stops at the violation"),
            ("INVARIANT A\n\\* expect: states 1\n\\* expect: deadlock\n", "stops at the violation"),
            ("PROPERTY P\n\\* expect: states 1\n", "no INVARIANTS"),
            ("INVARIANT A\nACTION_CONSTRAINT C\n\\* expect: states 1\n", "tla ignores it"),
            ("INVARIANT A\nALIAS C\n\\* expect: states 1\n", "tla ignores it"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
