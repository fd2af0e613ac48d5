//! What came of a check, and whether that was expected.

use super::cfg::{Ending, Expectation};

/// What a checker found.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Outcome {
    pub(super) ending: Ending,
    /// Distinct states, up to the violation if there is one that stops the search.
    pub(super) states: u64,
    /// States on the longest of the shortest ways to a state.
    pub(super) depth: u64,
    /// The counterexample; empty without one.
    pub(super) trace: Vec<Step>,
    /// The state of the trace to which its last state goes back, in a behaviour without end.
    pub(super) back_to: Option<usize>,
}

/// One state of a counterexample.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// The action that led to it; none for the first, or when the checker does not say.
    pub(super) action: Option<String>,
    /// Each variable with its value, as text.
    pub(super) variables: Vec<(String, String)>,
}

impl Outcome {
    /// What differs from the expectation.
    pub(super) fn differs(&self, expected: &Expectation) -> Option<String> {
        let same_ending = self.ending == expected.ending
            || matches!(
                (&self.ending, &expected.ending),
                (Ending::ViolatesLiveness(None), Ending::ViolatesLiveness(_))
            );
        if !same_ending {
            return Some(format!("expected: {}; found: {}", expected.ending, self.ending));
        }
        if let Some(states) = expected.states.filter(|states| *states != self.states) {
            return Some(format!("expected {states} states; found {}", self.states));
        }
        let length = self.trace.len();
        let expected = expected.length.filter(|expected| *expected != length)?;
        Some(format!("expected a counterexample of {expected} states; found one of {length}"))
    }

    /// The counterexample in a few words; empty without one.
    pub(super) fn summary(&self) -> String {
        let length = self.trace.len();
        match (self.trace.last(), self.back_to) {
            (None, _) => String::new(),
            (Some(_), Some(at)) if at + 1 == length => format!("{length} states, then nothing for ever"),
            (Some(_), Some(at)) => format!("{length} states, the last {} for ever", length - at),
            (Some(last), None) => match &last.action {
                Some(action) => format!("{length} states, last {action}"),
                None => format!("{length} states"),
            },
        }
    }

    /// The counterexample, each state with what changed.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let mut before: &[(String, String)] = &[];
        for (at, step) in self.trace.iter().enumerate() {
            let action = match (&step.action, at) {
                (Some(action), _) => action,
                (None, 0) => "start",
                (None, _) => "step",
            };
            text.push_str(&format!("  {at:>3}. {action}\n"));
            for (name, value) in step.variables.iter().filter(|it| !before.contains(it)) {
                text.push_str(&format!("         {name} = {value}\n"));
            }
            before = &step.variables;
        }
        if let Some(at) = self.back_to {
            let stays = at + 1 == self.trace.len();
            text.push_str(&if stays {
                "       for ever\n".to_owned()
            } else {
                format!("       back to {at}\n")
            });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(action: Option<&str>, x: u64) -> Step {
        let variables = vec![("x".to_owned(), x.to_string()), ("y".to_owned(), "{}".to_owned())];
        Step { action: action.map(str::to_owned), variables }
    }

    fn violation() -> Outcome {
        Outcome {
            ending: Ending::Violates("Small".to_owned()),
            states: 6,
            depth: 4,
            trace: vec![step(None, 0), step(Some("Grow"), 1), step(Some("Jump"), 3)],
            back_to: None,
        }
    }

    fn expecting(ending: Ending, states: Option<u64>, length: Option<usize>) -> Expectation {
        Expectation { ending, states, length }
    }

    #[test]
    fn what_was_expected_does_not_differ() {
        let small = Ending::Violates("Small".to_owned());
        assert_eq!(violation().differs(&expecting(small.clone(), None, None)), None);
        assert_eq!(violation().differs(&expecting(small, None, Some(3))), None);
        let unnamed = Outcome { ending: Ending::ViolatesLiveness(None), ..violation() };
        let named = Ending::ViolatesLiveness(Some("Tidy".to_owned()));
        assert_eq!(unnamed.differs(&expecting(named, Some(6), None)), None);
    }

    #[test]
    fn every_difference_is_named() {
        let small = || Ending::Violates("Small".to_owned());
        let named = |name: &str| Ending::ViolatesLiveness(Some(name.to_owned()));
        let tidy = Outcome { ending: named("Tidy"), ..violation() };
        for (outcome, expected, words) in [
            (violation(), expecting(Ending::Holds, Some(6), None), "expected: holds; found: violates Small"),
            (
                violation(),
                expecting(Ending::Violates("Other".to_owned()), None, None),
                "found: violates Small",
            ),
            (violation(), expecting(small(), None, Some(4)), "of 4 states; found one of 3"),
            (violation(), expecting(named("Small"), None, None), "found: violates Small"),
            (tidy.clone(), expecting(named("Other"), None, None), "found: violates-liveness Tidy"),
            (tidy, expecting(named("Tidy"), Some(7), None), "expected 7 states; found 6"),
        ] {
            let difference = outcome.differs(&expected).expect("it differs");
            assert!(difference.contains(words), "{difference}");
        }
    }

    #[test]
    fn a_counterexample_is_drawn_with_what_changed() {
        assert_eq!(violation().summary(), "3 states, last Jump");
        let drawn = "    0. start\n         x = 0\n         y = {}\n    1. Grow\n         x = 1\n    2. Jump\n         x \
                     = 3\n";
        assert_eq!(violation().render(), drawn);
        let cycle = Outcome { back_to: Some(1), ..violation() };
        assert_eq!(cycle.summary(), "3 states, the last 2 for ever");
        assert!(cycle.render().ends_with("back to 1\n"));
        let stays = Outcome { back_to: Some(2), ..violation() };
        assert_eq!(stays.summary(), "3 states, then nothing for ever");
        assert!(stays.render().ends_with("for ever\n"));
    }
}
