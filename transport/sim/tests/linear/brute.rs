//! The slow twin: every order of every subset of the open operations.

use synod_sim::linear::{Answer, Kind, Operation};

/// Whether some order explains a history of one key that holds `before` at first. For a handful of operations.
pub(crate) fn brute(history: &[Operation], before: Option<&str>) -> bool {
    fn go(left: &[Operation], value: Option<&str>) -> bool {
        if left.iter().all(|it| it.complete.is_none()) {
            return true;
        }
        let bound = left.iter().filter_map(|it| it.complete).min().unwrap();
        (0..left.len()).filter(|at| left[*at].invoke <= bound).any(|at| {
            let mut rest = left.to_vec();
            let it = rest.remove(at);
            let known = it.complete.is_some();
            let after: Option<&str> = match (&it.kind, &it.result) {
                (Kind::Get, Answer::Value(seen)) if known && seen.as_deref() != value => return false,
                (Kind::Get, _) => value,
                (Kind::Put(new), _) => Some(new),
                (Kind::Delete, _) => None,
                (Kind::CompareAndSet { expect, new }, answer) => {
                    let found = expect.as_deref() == value;
                    if known && *answer != Answer::Swapped(found) {
                        return false;
                    }
                    if found { Some(new) } else { value }
                }
            };
            go(&rest, after)
        })
    }
    go(history, before)
}
