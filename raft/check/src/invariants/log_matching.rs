//! Log Matching (figure 3): "if two logs contain an entry with the same index and term, then the logs are identical in
//! all entries up through the given index." TLA+: `LogMatching`.

use synod_raft::TermLog;
use synod_transport::ids::LogIndex;

/// Compares two logs from the end: below the first agreement there is no disagreement. O(terms).
///
/// # Errors
/// The index at which they differ below an agreement.
pub fn log_matching(a: &TermLog, b: &TermLog) -> Result<(), String> {
    let floor = a.base().index.max(b.base().index);
    let mut index = a.last().index.min(b.last().index);
    let mut agreed = None;
    while index > floor {
        let (ours, theirs) = (a.term_at(index), b.term_at(index));
        match agreed {
            None if ours == theirs => agreed = Some(index),
            Some(above) if ours != theirs => {
                return Err(format!("logs agree at {above} and differ at {index}: {ours:?}, {theirs:?}"));
            }
            _ => {}
        }
        index = change_below(a, index).max(change_below(b, index));
    }
    Ok(())
}

/// The nearest index below at which the log has another term; the base for none.
fn change_below(log: &TermLog, index: LogIndex) -> LogIndex {
    let term = log.term_at(index);
    term.map_or(log.base().index, |term| {
        if term.get() == 0 { log.base().index } else { log.last_at_most(index, term.previous()).index }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::ids::Term;

    fn log(terms: &[u64]) -> TermLog {
        let mut log = TermLog::default();
        for term in terms {
            log.push(Term::new(*term), 1);
        }
        log
    }

    #[test]
    fn a_difference_below_an_agreement_is_found() {
        assert_eq!(log_matching(&log(&[1, 1, 2]), &log(&[1, 1, 3])), Ok(()));
        assert_eq!(log_matching(&log(&[1, 1, 2]), &log(&[1, 1, 2, 2])), Ok(()));
        assert!(log_matching(&log(&[1, 2, 3]), &log(&[1, 1, 3])).is_err());
        assert!(log_matching(&log(&[1, 1, 3]), &log(&[2, 2, 3])).is_err());
        assert!(log_matching(&log(&[1, 2, 2, 4]), &log(&[1, 1, 2, 4])).is_err());
    }
}
