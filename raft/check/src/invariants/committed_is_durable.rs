//! What is committed is on the disks of a majority, at the moment it becomes known as committed: figure 2's "stored on a
//! majority of servers", with "stored" meaning "survives a crash". TLA+: `CommittedIsDurable`.

use synod_transport::ids::Position;

/// Checks one committed entry against what each disk would give back after a crash now.
///
/// # Errors
/// When fewer than a majority of `members` hold it.
pub fn committed_is_durable(entry: Position, holders: usize, members: usize) -> Result<(), String> {
    if 2 * holders > members {
        Ok(())
    } else {
        Err(format!("{entry:?} is committed but on {holders} of {members} disks"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_half_is_not_enough() {
        let entry = Position::new(1, 1);
        assert!(committed_is_durable(entry, 2, 3).is_ok());
        assert!(committed_is_durable(entry, 2, 4).is_err());
    }
}
