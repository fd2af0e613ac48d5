//! In which world each planted fault shows.

use synod_raft::fault::Fault;

use super::{Explored, Failure, Setup, explore};

/// Where a fault was found.
#[derive(Debug)]
pub struct Found {
    /// The fault.
    pub fault: Fault,
    /// Steps of the shortest counterexample.
    pub length: usize,
    /// Distinct states that were visited until then.
    pub states: u64,
    /// Wall time.
    pub seconds: f64,
    /// The property that broke.
    pub invariant: &'static str,
    /// What is wrong.
    pub text: String,
    /// The exploration, which tells the counterexample.
    pub explored: Explored,
}

/// Why no exploration can show a fault, if so.
pub const fn blind(_fault: Fault) -> Option<&'static str> {
    None
}

/// A world that is large enough for this fault to show.
pub const fn setup_for(fault: Fault) -> Setup {
    Setup::tiny().with(Some(fault))
}

/// Explores a world with this fault until it shows. `None` when it does not.
///
/// # Errors
/// When nothing can be explored, or nothing could show.
pub fn find(fault: Fault, threads: usize) -> Result<Option<Found>, Failure> {
    if let Some(why) = blind(fault) {
        return Err(Failure::Blind { fault, why });
    }
    let explored = explore(&setup_for(fault), threads, |_| {})?;
    let Some(breach) = explored.broken() else { return Ok(None) };
    let length =
        explored.report.broken().and_then(|finding| finding.path.as_ref()).map_or(0, |path| path.steps.len());
    let (states, seconds) = (explored.report.states, explored.report.seconds);
    Ok(Some(Found {
        fault,
        length,
        states,
        seconds,
        invariant: breach.invariant,
        text: breach.text,
        explored,
    }))
}
