//! Auto-increment for tasks, from a counter whose answers come later, or never, as those of a replicated log do.
//!
//! A `Sequence` does no waiting of its own. Whoever takes a number also looks whether the next block is due, and a task of
//! its own asks for it, so that no caller that goes away takes the request with it.
//!
//! `cargo run -p synod-idgen --example async_sequence`

use std::collections::BTreeSet;
use std::error::Error;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use synod_idgen::sequence::{Block, Request, Sequence, SequenceError, SequenceOptions};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_millis(20);
const LOSES_EVERY: u64 = 5;

/// Stands for a replicated counter: it answers after a while, and of some calls the answer is lost.
#[derive(Default)]
struct Cluster {
    reserved: AtomicU64,
    calls: AtomicU64,
}

impl Cluster {
    async fn reserve(&self, count: NonZeroU64) -> Option<Block> {
        let first = self.reserved.fetch_add(count.get(), Ordering::Relaxed);
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let is_lost = call % LOSES_EVERY == 0;
        sleep(if is_lost { 10 * PATIENCE } else { PATIENCE / 10 }).await;
        Block::new(first, first + count.get())
    }
}

struct Numbers {
    sequence: Sequence,
    cluster: Cluster,
    /// A request was answered or given up.
    settled: Notify,
}

impl Numbers {
    /// The next number; waits for the cluster where none is left. A service puts a time-out around it.
    async fn next(self: &Arc<Self>) -> Result<u64, SequenceError> {
        loop {
            // Made before the look, so that what settles in between is not missed.
            let settled = self.settled.notified();
            let next = self.sequence.try_next();
            if let Some(request) = self.sequence.request() {
                tokio::spawn(Arc::clone(self).ask(request));
            }
            match next {
                Err(SequenceError::Empty) => settled.await,
                other => return other,
            }
        }
    }

    async fn ask(self: Arc<Self>, request: Request) {
        let settled = match timeout(PATIENCE, self.cluster.reserve(request.count)).await {
            Ok(Some(block)) => self.sequence.answer(request.ticket, block),
            Ok(None) => Ok(self.sequence.end(request.ticket)),
            // It may have been reserved all the same: a gap, and the next request is another.
            Err(_) => Ok(self.sequence.abandon(request.ticket)),
        };
        if let Err(error) = settled {
            eprintln!("an answer was refused: {error}");
        }
        self.settled.notify_waiters();
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    const TASKS: usize = 8;
    const EACH: usize = 500;
    let block = NonZeroU64::new(100).ok_or("a block of none")?;
    let numbers = Arc::new(Numbers {
        // Answers reach this life alone, by calls of its own: any `life` will do.
        sequence: Sequence::new(SequenceOptions { block, refill: 50, life: 0 }),
        cluster: Cluster::default(),
        settled: Notify::new(),
    });
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let numbers = Arc::clone(&numbers);
            tokio::spawn(async move {
                let mut own = Vec::with_capacity(EACH);
                for _ in 0..EACH {
                    own.push(numbers.next().await?);
                }
                Ok::<_, SequenceError>(own)
            })
        })
        .collect();
    let mut given = BTreeSet::new();
    for task in tasks {
        let own = task.await??;
        assert!(own.is_sorted(), "numbers of a process rise");
        given.extend(own);
    }
    let told = numbers.sequence.statistics();
    println!("{} numbers, the last {:?}", given.len(), given.last());
    println!("{} requests given up, gaps of {} at most", told.abandoned, told.gaps_at_most);
    assert_eq!(given.len(), TASKS * EACH, "a number was given twice");
    assert!(told.abandoned > 0 && told.gaps_at_most == told.abandoned * block.get());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

#[tokio::test(start_paused = true)]
async fn it_runs() -> Result<(), Box<dyn Error>> {
    run().await
}
