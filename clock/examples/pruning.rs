//! Workers that come for an hour and never again, and clocks that do not grow for ever.
//!
//! A registry and a handful of workers pass around what they know. Workers leave, and their counters are forgotten. The
//! clocks that are left say "not known" where the answer hangs on what is gone, and never something false. A worker that
//! comes later joins with an id that nobody ever had.
//!
//! `cargo run -p synod-clock --example pruning`

use synod_clock::causality::Causality;
use synod_clock::vector::{PrunedClock, VectorClock, VectorError};

type Clock = PrunedClock<String>;

/// A process: its id, which nobody had before, and what it knows.
struct Process {
    id: String,
    clock: Clock,
}

impl Process {
    fn first(id: &str) -> Self {
        Self { id: id.to_owned(), clock: VectorClock::new().into() }
    }

    /// Joins with what another knows, which may have been pruned.
    fn joining(id: &str, known: &Clock) -> Result<Self, VectorError> {
        Ok(Self { id: id.to_owned(), clock: PrunedClock::newcomer(&id.to_owned(), known)? })
    }

    /// Counts an event, and returns the clock that a message or a record carries.
    fn record(&mut self) -> Result<Clock, VectorError> {
        self.clock.tick(&self.id)?;
        Ok(self.clock.clone())
    }

    /// `receive`, not `merge`: only so does the own counter stay exact, whatever the sender has forgotten.
    fn hear(&mut self, from: &mut Self) -> Result<(), VectorError> {
        let sent = from.record()?;
        self.clock.receive(&self.id, &sent)?;
        Ok(())
    }

    /// Forgets who has left. Never itself.
    fn forget(&mut self, has_left: impl Fn(&str) -> bool) {
        let own = &self.id;
        let clock = std::mem::replace(&mut self.clock, VectorClock::new().into());
        self.clock = clock.prune(|id, _| id == own || !has_left(id));
    }
}

fn show(question: &str, answer: Option<Causality>) {
    println!("  {question}: {}", answer.map_or_else(|| "not known".to_owned(), |it| it.to_string()));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = Process::first("registry");
    let mut ann = Process::first("worker-1");
    let report = ann.record()?;
    registry.hear(&mut ann)?;
    let early = registry.record()?;

    // A hundred workers come, say one thing and leave.
    for number in 2..=101 {
        let mut worker = Process::joining(&format!("worker-{number}"), &registry.clock)?;
        registry.hear(&mut worker)?;
    }
    let whole = registry.clock.len();
    registry.forget(|id| id != "worker-1");
    println!("the registry knew {whole} processes; it keeps {}", registry.clock.len());
    assert_eq!((whole, registry.clock.len()), (102, 2));
    let late = registry.record()?;

    println!("what is told:");
    // All that the first record knows is named in the pruned one.
    show("the first report within the late record", report.compare(&late));
    println!("  all of the early record within the late one: {:?}", early.is_within(&late));
    assert_eq!(early.is_within(&late), Some(true));
    // The late one has forgotten workers whose events the early one may have known, for all it can tell.
    let aside = Process::first("stranger").record()?;
    show("a stranger's record and the late one", aside.compare(&late));
    assert_eq!(aside.compare(&late), None);
    // A counter above all that was forgotten is new for sure.
    let mut stranger = Process::first("stranger");
    let mut busy = stranger.record()?;
    while busy.compare(&late).is_none() {
        busy = stranger.record()?;
    }
    show(&format!("after {} events of the stranger", busy.bounds(&stranger.id).end()), busy.compare(&late));
    assert_eq!(busy.compare(&late), Some(Causality::Concurrent));

    println!("who comes:");
    // A copy of a pruned clock does not tell whether one has ever counted.
    let copy = registry.clock.clone().tick(&"worker-102".to_owned());
    assert_eq!(copy, Err(VectorError::OwnCounterPruned));
    println!("  with a copy: {}", VectorError::OwnCounterPruned);
    let mut last = Process::joining("worker-102", &registry.clock)?;
    let joined = last.record()?;
    println!("  with an id that is new: event {}", joined.bounds(&last.id).end());
    assert_eq!(late.bounds(&last.id), 0..=2, "for all that the late record knows");
    assert_eq!(joined.bounds(&last.id), 2..=2);
    // Who is still named cannot come as somebody new.
    let again = Process::joining("worker-1", &registry.clock).map(|process| process.id);
    assert_eq!(again, Err(VectorError::NotNew));
    Ok(())
}

#[test]
fn clock_example_pruning() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
