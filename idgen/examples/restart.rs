//! Ids that are never given twice, though the process is killed and its clock is set back.
//!
//! A keeper stores a ceiling in a file before any id comes near it, and the next life starts there. A ceiling of a future
//! that was wrong is seen, and set aside by a deliberate act.
//!
//! `cargo run -p synod-idgen --example restart [folder]`

use std::cell::Cell;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use synod_idgen::generator::Generator;
use synod_idgen::keeper::{Keeper, KeeperError, KeeperOptions, inspect, overrule};
use synod_idgen::layout::{Id, Position, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall::Wall;
use synod_wal::FileStateStore;

const NOON: Duration = Duration::from_secs(1_767_268_800); // 2026-01-01 12:00
const SECOND: Duration = Duration::from_secs(1);

/// The wall is set by hand here; a service takes `wall::System`.
struct Hands(Cell<Duration>);

impl Hands {
    fn advance(&self, by: Duration) {
        self.0.set(self.0.get() + by);
    }
}

impl Wall for Hands {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

type Process = Keeper<Twitter, Hands, FileStateStore>;

fn start(folder: &Path, wall: Duration) -> Result<Process, Box<dyn Error>> {
    let builder = Generator::builder(NodeId::new(7)?);
    let store = FileStateStore::open(folder)?;
    Ok(Keeper::start(builder, Hands(Cell::new(wall)), store, KeeperOptions::default())?)
}

/// An id every 100 ms, and the ceiling extended whenever that is due.
fn work(process: &mut Process, count: u32) -> Result<Id<Twitter>, Box<dyn Error>> {
    let mut last = process.generator().next()?;
    for _ in 0..count {
        process.generator().wall().advance(SECOND / 10);
        // A service has a task of its own that sleeps for as long as `due_in` says.
        if process.is_due() {
            process.extend()?;
        }
        last = process.generator().next()?;
    }
    Ok(last)
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut first = start(folder, NOON)?;
    let before = work(&mut first, 30)?;
    println!("first life:   last id {before}, ceiling {:?}", first.generator().ceiling().time() - NOON);
    drop(first); // as after a crash: nothing is written at the end

    // Meanwhile the wall was set back by three seconds.
    let mut second = start(folder, NOON)?;
    let ahead = second.ahead();
    let after = second.generator().next()?;
    println!("second life:  first id {after}, {ahead:?} ahead of its wall");
    assert!(after > before, "an id was repeated");
    work(&mut second, 60)?;
    println!("              in step with its wall: {:?} ahead", second.ahead());
    assert_eq!(second.ahead(), Duration::ZERO);
    drop(second);

    // A life with a wall of next week makes a ceiling of next week durable.
    let week = Duration::from_secs(7 * 86_400);
    drop(start(folder, NOON + week)?);
    match start(folder, NOON + 10 * SECOND) {
        Ok(_) => return Err("a ceiling of next week was taken for today's".into()),
        Err(error) => {
            println!("after that:   {error}");
            assert!(matches!(error.downcast_ref(), Some(KeeperError::Future { .. })));
        }
    }

    // Whoever has seen to it that no id of next week exists says so.
    let mut store = FileStateStore::open(folder)?;
    let name = KeeperOptions::default().name;
    let kept = inspect(&store, &name)?.ok_or("nothing is stored")?;
    println!("              stored: node {}, {:?} from noon on", kept.node, kept.time - NOON);
    let node = NodeId::<Twitter>::new(7)?;
    overrule(&mut store, &name, node, Position::at(NOON + 10 * SECOND))?;
    drop(store);
    let third = start(folder, NOON + 10 * SECOND)?;
    println!("third life:   first id {}", third.generator().next()?);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(folder) => run(&PathBuf::from(folder)),
        None => run(tempfile::tempdir()?.path()),
    }
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    run(tempfile::tempdir()?.path())
}
