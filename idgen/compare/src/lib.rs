//! What the programs of this package share: each shows in a few lines what a crate for ids does when the clock jumps, a
//! field ends, a process forks or a text is wrong, with the peer at the version that `Cargo.toml` pins, and ours beside it.
//!
//! `docs/compare-idgen.md` holds what each of them prints, and the tests run them again and compare.

mod forked;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

pub use forked::{Child, Side, fork, parent_and_child, tell};

/// How many of them differ.
pub fn distinct<T: Ord>(ids: impl IntoIterator<Item = T>) -> usize {
    ids.into_iter().collect::<BTreeSet<T>>().len()
}

/// How many of the first are among the second.
pub fn shared<T: Ord>(these: &[T], those: &[T]) -> usize {
    let those: BTreeSet<&T> = those.iter().collect();
    these.iter().filter(|it| those.contains(it)).count()
}

/// Milliseconds since 1970, as some peers want them.
pub fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What it gives, or the error in words.
pub fn outcome<T: std::fmt::Debug, E: std::fmt::Display>(outcome: Result<T, E>) -> String {
    outcome.map_or_else(|error| format!("error: {error}"), |given| format!("{given:?}"))
}

/// What it gives, or what it said when it panicked.
pub fn caught<T>(attempt: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::set_hook(Box::new(|_| ()));
    let outcome = catch_unwind(AssertUnwindSafe(attempt));
    drop(std::panic::take_hook());
    outcome.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let said =
            text.or_else(|| said.downcast_ref::<&str>().copied()).unwrap_or("something else than text");
        // What follows a colon differs from run to run.
        format!("panic: {}", said.split(": SystemTimeError").next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_caught() {
        assert_eq!((distinct([1, 1, 2]), shared(&[1, 2, 3], &[3, 4])), (2, 1));
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("no {}", 1)), Err::<(), _>("panic: no 1".to_owned()));
    }
}
