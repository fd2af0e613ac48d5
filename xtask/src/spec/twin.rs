//! The explorer beside the specification: the same bounds, the real machines, the same number of states; and every step
//! between them asked of the module.

use std::fs;

use anyhow::{Context as _, Result};
use synod_raft_check::refine::{edges, setup_of};

use super::cfg::Expectation;
use super::find::Model;

/// A world that was explored beside its specification.
#[derive(Clone, Debug)]
pub(super) struct Twin {
    /// Distinct states that the machines reach.
    pub(super) states: u64,
    /// Steps that the module allows.
    pub(super) edges: u64,
    pub(super) seconds: f64,
    /// The first that it does not.
    refused: Option<String>,
}

impl Twin {
    /// What is wrong with it.
    pub(super) fn differs(&self, expected: &Expectation) -> Option<String> {
        if let Some(refused) = &self.refused {
            return Some(refused.clone());
        }
        let states = expected.states.filter(|states| *states != self.states)?;
        Some(format!("the module has {states} states, the explored machines {}", self.states))
    }
}

/// Explores the world of a cfg of Raft, if it has one.
pub(super) fn explore(model: &Model) -> Result<Option<Twin>> {
    if model.module_name() != "Raft" {
        return Ok(None);
    }
    let text = fs::read_to_string(&model.cfg_path)
        .with_context(|| format!("cannot read {}", model.cfg_path.display()))?;
    let Some(setup) = setup_of(&text) else { return Ok(None) };
    let found = edges(&setup, 1, |_| {})?;
    if let Some(error) = found.error {
        return Err(error.into());
    }
    let refused = found.refused.map(|refusal| refusal.to_string());
    Ok(Some(Twin { states: found.states, edges: found.edges, seconds: found.seconds, refused }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::cfg::Ending;

    #[test]
    fn another_count_or_a_refused_step_is_a_difference() {
        let expected = Expectation { ending: Ending::Holds, states: Some(10), length: None };
        let twin = Twin { states: 10, edges: 20, seconds: 0.1, refused: None };
        assert_eq!(twin.differs(&expected), None);
        let fewer = Twin { states: 9, ..twin.clone() };
        assert!(fewer.differs(&expected).is_some_and(|text| text.contains("machines 9")));
        let refused = Twin { refused: Some("no".to_owned()), ..twin };
        assert_eq!(refused.differs(&expected).as_deref(), Some("no"));
    }
}
