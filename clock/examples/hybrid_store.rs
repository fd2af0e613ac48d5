//! A store of three replicas whose writes are stamped by hybrid clocks.
//!
//! Their walls disagree by up to 0.4 s. Even so a write that was made after reading another one wins over it, all
//! replicas end with the same values, and a snapshot "as of this stamp" holds every write that its writer knew of.
//!
//! `cargo run -p synod-clock --example hybrid_store`

use std::collections::BTreeMap;
use std::time::Duration;

use synod_clock::hybrid::{HybridClock, HybridError, NodeTimestamp, Seam, Timestamp};
use synod_transport::time::{ManualTime, WallTime};

/// When a write was made, and by whom: a total order of all writes.
type Version = NodeTimestamp<u64>;

/// What replicas send each other.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Write {
    version: Version,
    key: &'static str,
    value: String,
}

/// One replica: its clock, and all versions of every key.
struct Replica {
    node: u64,
    clock: HybridClock<Seam<ManualTime>>,
    versions: BTreeMap<&'static str, BTreeMap<Version, String>>,
}

impl Replica {
    fn new(node: u64, wall: Duration) -> Self {
        let time = ManualTime::default();
        time.set_wall(WallTime(u64::try_from(wall.as_nanos()).unwrap_or_default()));
        Self { node, clock: HybridClock::new(Seam(time)), versions: BTreeMap::new() }
    }

    /// Writes here, and gives what the others must hear.
    fn put(&mut self, key: &'static str, value: impl Into<String>) -> Result<Write, HybridError> {
        let version = Version::new(self.clock.now()?, self.node);
        let write = Write { version, key, value: value.into() };
        self.apply(&write);
        Ok(write)
    }

    /// A write of another replica: whatever is written here from now on is later. One from a replica whose clock is
    /// far ahead is refused before it can win over everybody's writes.
    fn replicate(&mut self, write: &Write) -> Result<(), HybridError> {
        self.clock.observe(write.version.stamp)?;
        self.apply(write);
        Ok(())
    }

    /// The same write twice, or late, changes nothing.
    fn apply(&mut self, write: &Write) {
        self.versions.entry(write.key).or_default().insert(write.version, write.value.clone());
    }

    /// The newest value.
    fn get(&self, key: &str) -> Option<&str> {
        self.versions.get(key)?.values().next_back().map(String::as_str)
    }

    /// The value as it was at that stamp.
    fn get_as_of(&self, key: &str, stamp: Timestamp) -> Option<&str> {
        let end = Version::new(stamp, u64::MAX);
        self.versions.get(key)?.range(..=end).next_back().map(|(_, value)| value.as_str())
    }
}

fn main() -> Result<(), HybridError> {
    let wall = |millis: u64| Duration::from_millis(1_704_067_200_000 + millis);
    let mut paris = Replica::new(1, wall(400)); // its wall is ahead
    let mut tokyo = Replica::new(2, wall(0));
    let mut quito = Replica::new(3, wall(150));

    // Tokyo reads what Paris wrote and writes on. By walls alone its write would be 0.4 s older and lose.
    let draft = paris.put("title", "Draft")?;
    tokyo.replicate(&draft)?;
    let read = tokyo.get("title").unwrap_or_default().to_owned();
    let edited = tokyo.put("title", format!("{read}, edited"))?;
    println!("{}  {} = {:?}", draft.version, draft.key, draft.value);
    println!("{}  {} = {:?}", edited.version, edited.key, edited.value);
    assert!(edited.version > draft.version);

    // Quito hears of them in the wrong order, and of one twice.
    for write in [&edited, &draft, &edited] {
        quito.replicate(write)?;
    }
    paris.replicate(&edited)?;
    for replica in [&paris, &tokyo, &quito] {
        assert_eq!(replica.get("title"), Some("Draft, edited"), "node {}", replica.node);
    }

    // A snapshot as of a stamp is the same everywhere, whatever is written later.
    let snapshot = edited.version.stamp;
    let last = quito.put("title", "Final")?;
    paris.replicate(&last)?;
    tokyo.replicate(&last)?;
    println!("{}  {} = {:?}", last.version, last.key, last.value);
    for replica in [&paris, &tokyo, &quito] {
        assert_eq!(replica.get_as_of("title", snapshot), Some("Draft, edited"));
        assert_eq!(replica.get("title"), Some("Final"));
    }
    println!("as of {snapshot}: {:?}", tokyo.get_as_of("title", snapshot).unwrap_or_default());

    // A fourth replica's clock is a year ahead. Nobody takes its write, or its time.
    let mut lost = Replica::new(4, wall(0) + Duration::from_secs(365 * 86_400));
    let from_the_future = lost.put("title", "I win")?;
    match paris.replicate(&from_the_future) {
        Err(error) => println!("refused: {error}"),
        Ok(()) => unreachable!("it lies beyond the offset"),
    }
    assert_eq!(paris.get("title"), Some("Final"));
    println!("paris is {:?} ahead of its wall, tokyo {:?}", paris.clock.lead(), tokyo.clock.lead());
    Ok(())
}
