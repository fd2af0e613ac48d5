//! A service: eight threads make ids, one keeps their ceiling durable, and the next life repeats none of them.
//!
//! `NODE_ID=web-7 cargo run -p synod-idgen --example service [folder]`

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use synod_idgen::generator::{Exhausted, Generator, GeneratorError, Options};
use synod_idgen::keeper::{Keeper, KeeperError, KeeperOptions};
use synod_idgen::layout::{Id, Snowflake};
use synod_idgen::machine::from_environment;
use synod_idgen::node::NodeId;
use synod_idgen::wall::{System, Wall};
use synod_wal::FileStateStore;

/// Milliseconds are counted from November 2023 on, until 2093.
type Shop = Snowflake<1_700_000_000_000>;
type OrderId = Id<Shop>;

const THREADS: usize = 8;
const ORDERS: usize = 500;

/// The system's wall, set back by this. A service takes `System` as it is.
#[derive(Clone, Copy)]
struct SetBack(Duration);

impl Wall for SetBack {
    fn now(&self) -> Duration {
        System.now().saturating_sub(self.0)
    }
}

/// What the parts of a service share.
struct Service {
    ids: Arc<Generator<Shop, SetBack>>,
    /// Dropped, it ends the keeper's thread.
    stop: Sender<()>,
    keeper: JoinHandle<Result<(), KeeperError>>,
}

impl Service {
    fn start(node: NodeId<Shop>, folder: &Path, wall: SetBack) -> Result<Self, Box<dyn Error>> {
        let options = Options { exhausted: Exhausted::Borrow(Duration::from_secs(1)), ..Options::default() };
        let builder = Generator::builder(node).options(options);
        let store = FileStateStore::open(folder)?;
        let keeper = Keeper::start(builder, wall, store, KeeperOptions::default())?;
        println!("node {node}: ids are {:?} ahead of the wall", keeper.ahead());
        let ids = Arc::clone(keeper.generator());
        let (stop, stopped) = channel();
        Ok(Self { ids, stop, keeper: std::thread::spawn(move || keep(keeper, &stopped)) })
    }

    /// As the handlers of requests would: each with the generator and nothing else.
    fn orders(&self) -> Result<BTreeSet<OrderId>, GeneratorError> {
        let handlers: Vec<_> = (0..THREADS)
            .map(|_| {
                let ids = Arc::clone(&self.ids);
                std::thread::spawn(move || (0..ORDERS).map(|_| ids.next()).collect::<Result<Vec<_>, _>>())
            })
            .collect();
        let mut orders = BTreeSet::new();
        for handler in handlers {
            orders.extend(handler.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(orders)
    }

    fn stop(self) -> Result<(), KeeperError> {
        drop(self.stop);
        self.keeper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Sleeps until the ceiling is due, and extends it. A store that fails now may work later, and ids go on up to the old
/// ceiling meanwhile; after all else this life is over.
fn keep(
    mut keeper: Keeper<Shop, SetBack, FileStateStore>,
    stopped: &Receiver<()>,
) -> Result<(), KeeperError> {
    const RETRY: Duration = Duration::from_millis(100);
    let mut pause = keeper.due_in();
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = match keeper.extend() {
            Ok(_) => keeper.due_in(),
            Err(KeeperError::Store(error)) => {
                eprintln!("the ceiling was not extended: {error}");
                RETRY
            }
            Err(error) => return Err(error),
        };
    }
    Ok(())
}

fn run(node: NodeId<Shop>, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut before: Option<OrderId> = None;
    // From life to life the wall is set back a little further.
    for seconds in 0..3 {
        let service = Service::start(node, folder, SetBack(Duration::from_secs(seconds)))?;
        let orders = service.orders()?;
        service.stop()?;
        let (first, last) = (orders.first().copied(), orders.last().copied());
        println!("life {seconds}: {} ids, the last {last:?}", orders.len());
        assert_eq!(orders.len(), THREADS * ORDERS, "an id was given twice in a life");
        assert!(first > before, "an id of an earlier life was given again");
        before = last;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let node = match std::env::var_os("NODE_ID") {
        Some(_) => from_environment(|name| std::env::var(name).ok(), &["NODE_ID"])?,
        None => NodeId::new(7)?, // a service has none by default
    };
    match std::env::args_os().nth(1) {
        Some(folder) => run(node, Path::new(&folder)),
        None => run(node, tempfile::tempdir()?.path()),
    }
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    run(NodeId::new(7)?, tempfile::tempdir()?.path())
}
