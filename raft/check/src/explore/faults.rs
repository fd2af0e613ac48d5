//! In which world each planted fault shows.

use synod_raft::fault::Fault;
use synod_sim::explore::cluster::Bounds;
use synod_transport::quorum::NodeSet;

use super::{Explored, Failure, Setup, explore};

/// Where a fault was found.
#[derive(Debug)]
pub struct Found {
    /// The fault.
    pub fault: Fault,
    /// Steps of the shortest counterexample within the setup's bounds.
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

/// Explores the fault's own world until it shows. `None` when it does not.
///
/// # Errors
/// When nothing can be explored.
pub fn find(fault: Fault, threads: usize) -> Result<Option<Found>, Failure> {
    find_in(&setup_for(fault), fault, threads)
}

/// The same in a world of the caller's choice.
///
/// # Errors
/// When nothing can be explored.
pub fn find_in(setup: &Setup, fault: Fault, threads: usize) -> Result<Option<Found>, Failure> {
    let explored = explore(&setup.with(Some(fault)), threads, |_| {})?;
    let Some(breach) = explored.broken() else { return Ok(None) };
    let length = explored.counterexample().map_or(0, |path| path.steps.len());
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

/// Two terms, a message at a time, elections without pre-vote: the least in which anything can go wrong.
const LEAST: Bounds = Bounds {
    nodes: 3,
    max_term: 2,
    max_log: 4,
    in_flight: 1,
    loss: true,
    unsynced: 1,
    sealed: 2,
    campaigners: NodeSet::first(3),
    proposals: 0,
    crashes: 0,
    duplicates: 0,
    intervals: 0,
    reads: 0,
};

/// A world that is large enough for this fault to show, and hardly larger.
pub const fn setup_for(fault: Fault) -> Setup {
    let (max_batch, window) = match fault {
        // The old entry must travel alone.
        Fault::CommitOlderTerm => (1, 1),
        // A follower holds entries that are not durable, and refuses one further on.
        Fault::HintCountsAsMatch => (4096, 3),
        _ => (4096, 1),
    };
    let plain = Setup::new(bounds_for(fault));
    Setup { pre_vote: false, max_batch, window, symmetric: true, fault: Some(fault), ..plain }
}

const fn bounds_for(fault: Fault) -> Bounds {
    let two = NodeSet::first(2);
    let one = NodeSet::first(1);
    match fault {
        // The voter forgets, and votes again; what it restarts from has entries of a term it never wrote.
        Fault::VoteNotPersisted | Fault::TermNotPersisted => Bounds { max_term: 1, crashes: 1, ..LEAST },
        // A heartbeat lets the voter forget; an append would give it a log that outranks the other candidate's.
        Fault::ForgetVote => Bounds { max_term: 1, intervals: 1, ..LEAST },
        // In a cluster of three a candidate needs one vote only: five.
        Fault::CountDuplicateVotes => Bounds {
            nodes: 5,
            max_term: 1,
            campaigners: two,
            in_flight: 2,
            sealed: 4,
            duplicates: 1,
            ..LEAST
        },
        Fault::TruncateUnconditionally => {
            Bounds { max_term: 1, campaigners: one, in_flight: 2, proposals: 1, duplicates: 1, ..LEAST }
        }
        Fault::HintCountsAsMatch => {
            Bounds { max_term: 1, campaigners: one, in_flight: 2, proposals: 3, ..LEAST }
        }
        Fault::CommitBeyondMatch => Bounds { intervals: 1, ..LEAST },
        // The leader has something to lose.
        Fault::LeaderTruncates => Bounds { proposals: 1, ..LEAST },
        // A long log of an old term against a short one of a new term, and a third term to win in.
        Fault::CompareLengthFirst => Bounds { max_term: 3, proposals: 1, intervals: 1, ..LEAST },
        // The leader loses its last entry, another of a new term takes its place, and the old answer comes.
        Fault::OldAcknowledgementCounts => Bounds { in_flight: 2, proposals: 1, crashes: 1, ..LEAST },
        // A leader of the third term that was one of the second and restarted.
        Fault::SkipPreviousCheck => Bounds { max_term: 3, crashes: 1, ..LEAST },
        // Figure 8 needs four terms.
        Fault::CommitOlderTerm => Bounds { max_term: 4, campaigners: two, intervals: 2, ..LEAST },
        // The follower must lose what it acknowledged.
        Fault::StaleDurableIndex => Bounds { crashes: 1, ..LEAST },
        Fault::ReadWithoutQuorum | Fault::ReadBeforeOwnCommit | Fault::ReuseReadToken => {
            Bounds { reads: 1, ..LEAST }
        }
        _ => LEAST,
    }
}
