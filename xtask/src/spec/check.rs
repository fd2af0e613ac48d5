//! One model, checked by `tla`, and by TLC where it is there.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;

use super::cfg::{Ending, Expectation};
use super::find::Model;
use super::outcome::Outcome;
use super::twin::{self, Twin};
use super::{tla, tlc};

/// What came of one model.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) model: Model,
    /// What `tla` found; nothing when it reached no verdict.
    pub(super) outcome: Option<Outcome>,
    pub(super) seconds: f64,
    /// The same world explored with the real machines, where there is one.
    pub(super) twin: Option<Twin>,
    /// What is wrong, if anything is.
    pub(super) problem: Option<String>,
}

/// What holds for every check of a run.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// For each checker on each model.
    pub(super) time: Duration,
    /// How many models at once.
    pub(super) jobs: usize,
    pub(super) tlc: Option<PathBuf>,
}

/// Checks every model; the reports stand in the order of the models.
pub(super) fn all(models: &[Model], limits: &Limits, bar: &ProgressBar) -> Result<Vec<Report>> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(model) = models.get(at) else { return Ok(()) };
            bar.set_message(format!("{} {}", model.module_name(), model.cfg_name()));
            let report = one(model, limits);
            reports.lock().ok().context("another thread has panicked")?.push((at, report));
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..limits.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(result) => result,
            Err(_) => bail!("a check panicked"),
        })
    })?;
    let mut reports = reports.into_inner().ok().context("a thread has panicked")?;
    reports.sort_by_key(|(at, _)| *at);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

/// Checks one model.
pub(super) fn one(model: &Model, limits: &Limits) -> Report {
    let begun = Instant::now();
    let found = tla::check(&model.module, &model.cfg_path, &model.cfg, limits.time);
    let seconds = begun.elapsed().as_secs_f64();
    let (outcome, problem) = match found {
        Err(error) => (None, Some(format!("{error:#}"))),
        Ok(outcome) => {
            let problem = outcome.differs(&model.cfg.expectation);
            let problem = problem.or_else(|| with_tlc(model, &outcome, limits));
            (Some(outcome), problem)
        }
    };
    let (twin, problem) = match problem {
        None => match twin::explore(model) {
            Ok(twin) => {
                let problem = twin.as_ref().and_then(|twin| twin.differs(&model.cfg.expectation));
                (twin, problem)
            }
            Err(error) => (None, Some(format!("{error:#}"))),
        },
        problem => (None, problem),
    };
    Report { model: model.clone(), outcome, seconds, twin, problem }
}

/// What TLC sees differently.
fn with_tlc(model: &Model, outcome: &Outcome, limits: &Limits) -> Option<String> {
    let jar: &Path = limits.tlc.as_deref()?;
    match tlc::check(jar, &model.module, &model.cfg_path, limits.time) {
        Err(error) => Some(format!("{error:#}")),
        Ok(found) => disagree(outcome, &found).map(|how| format!("TLC disagrees: {how}")),
    }
}

/// How two checkers disagree. A search that stops may have seen more or less on its way, and no checker promises the
/// shortest behaviour without end.
fn disagree(tla: &Outcome, tlc: &Outcome) -> Option<String> {
    let is_shortest = matches!(tla.ending, Ending::Violates(_) | Ending::Deadlock);
    let expected = Expectation {
        ending: tla.ending.clone(),
        states: (!is_shortest).then_some(tla.states),
        length: is_shortest.then_some(tla.trace.len()),
    };
    tlc.differs(&expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::outcome::Step;

    fn outcome(ending: Ending, states: u64, length: usize) -> Outcome {
        let step = Step { action: None, variables: Vec::new() };
        Outcome { ending, states, depth: 1, trace: vec![step; length], back_to: None }
    }

    #[test]
    fn checkers_must_agree_on_what_both_promise() {
        let holds = || Ending::Holds;
        let broken = || Ending::Violates("A".to_owned());
        let endless = || Ending::ViolatesLiveness(Some("P".to_owned()));
        let unnamed = || Ending::ViolatesLiveness(None);
        for (tla, tlc, agree) in [
            ((holds(), 10, 0), (holds(), 10, 0), true),
            ((holds(), 10, 0), (holds(), 11, 0), false),
            ((holds(), 10, 0), (broken(), 10, 3), false),
            ((broken(), 7, 3), (broken(), 9, 3), true),
            ((broken(), 7, 3), (broken(), 7, 4), false),
            ((endless(), 10, 3), (unnamed(), 10, 5), true),
            ((endless(), 10, 3), (unnamed(), 11, 3), false),
        ] {
            let differs = disagree(&outcome(tla.0, tla.1, tla.2), &outcome(tlc.0, tlc.1, tlc.2));
            assert_eq!(differs.is_none(), agree, "{differs:?}");
        }
    }
}
