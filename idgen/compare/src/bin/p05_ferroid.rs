//! P5: a clock of the caller's steps back by an hour. (ferroid's own clock reads the system's once, at the start.)
use std::cell::Cell;

use ferroid::generator::{BasicSnowflakeGenerator, Poll};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::TimeSource;

struct Wall<'a>(&'a Cell<u64>);

impl TimeSource<u64> for Wall<'_> {
    fn current_millis(&self) -> u64 {
        self.0.get()
    }
}

fn main() {
    let wall = Cell::new(5_000_000_000);
    let ferroid = BasicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, Wall(&wall));
    let first = ferroid.poll_id();
    wall.set(wall.get() - 3_600_000);
    match (first, ferroid.poll_id()) {
        (Poll::Ready { .. }, Poll::Pending { yield_for }) => {
            println!("ferroid 2.0.0: no id, and the hint to wait {yield_for} ms");
        }
        _ => println!("ferroid 2.0.0: an id"),
    }
}
