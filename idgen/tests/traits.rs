//! What the types let their users do: live in statics, be shared and shown, be converted for databases.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use synod_idgen::generator::Generator;
use synod_idgen::keeper::{Keeper, KeeperOptions};
use synod_idgen::ksuid::Ksuid;
use synod_idgen::layout::{Id, Snowflake, Twitter};
use synod_idgen::machine::{GrantOptions, Granted, MemGrants, Uptime};
use synod_idgen::node::NodeId;
use synod_idgen::ulid::{Ulid, UlidGenerator};
use synod_idgen::uuid::{Uuid, V7Generator};
use synod_idgen::wall::{System, Wall};
use synod_transport::store::MemStateStore;

static V7: LazyLock<V7Generator> = LazyLock::new(V7Generator::new);
static ULIDS: LazyLock<UlidGenerator> = LazyLock::new(UlidGenerator::new);
static ORDERS: OnceLock<Arc<Generator<Twitter>>> = OnceLock::new();

#[test]
fn generators_live_in_statics() {
    let node = NodeId::new(7).unwrap();
    let orders = ORDERS.get_or_init(|| Arc::new(Generator::new(node, System).unwrap()));
    let threads = [(); 4].map(|()| std::thread::spawn(|| (V7.try_next(), ULIDS.try_next(), orders.next())));
    let ids = threads.map(|thread| thread.join().unwrap());
    let uuids: BTreeSet<Uuid> = ids.iter().map(|(uuid, ..)| uuid.unwrap()).collect();
    let ulids: BTreeSet<Ulid> = ids.iter().map(|(_, ulid, _)| ulid.unwrap()).collect();
    let orders: BTreeSet<Id<Twitter>> = ids.iter().map(|(.., order)| order.unwrap()).collect();
    assert_eq!((uuids.len(), ulids.len(), orders.len()), (4, 4, 4));
}

/// A wall that nobody can show.
struct Hidden;

impl Wall for Hidden {
    fn now(&self) -> Duration {
        System.now()
    }
}

/// A grantor that nobody can show.
struct Private(MemGrants<Twitter, Uptime>);

impl synod_idgen::machine::NodeGrants<Twitter> for Private {
    type Error = synod_idgen::machine::MemGrantsError;

    fn acquire(&mut self, wanted: Position) -> Result<Grant, Self::Error> {
        self.0.acquire(wanted)
    }
    fn renew(&mut self, grant: &Grant, wanted: Position) -> Result<Grant, Self::Error> {
        self.0.renew(grant, wanted)
    }
    fn release(&mut self, grant: &Grant) -> Result<(), Self::Error> {
        self.0.release(grant)
    }
}

type Grant = synod_idgen::machine::Grant<Twitter>;
type Position = synod_idgen::layout::Position<Twitter>;

fn shown(value: &(impl Debug + Send)) -> String {
    format!("{value:?}")
}

#[test]
fn what_holds_a_wall_or_a_service_is_shown_without_it() {
    let builder = Generator::builder(NodeId::<Twitter>::new(7).unwrap());
    let keeper = Keeper::start(builder, Hidden, MemStateStore::new(), KeeperOptions::default()).unwrap();
    let text = shown(&keeper);
    assert!(text.starts_with("Keeper { generator: Generator { node: Snowflake node 7"), "{text}");
    assert!(shown(&keeper.generator().lane(8)).starts_with("Lane { length: 8"));
    let grants = Private(MemGrants::new(3..=3, Duration::from_secs(10), Uptime::default()));
    let granted = Granted::start(grants, Hidden, Uptime::default(), GrantOptions::default()).unwrap();
    let text = shown(&granted);
    assert!(text.starts_with("Granted { generator: Generator { node: Snowflake node 3"), "{text}");
}

#[test]
fn ids_go_into_columns_and_come_back() {
    type Shop = Snowflake<1_700_000_000_000>;
    let id = Id::<Shop>::from_u64(i64::MAX.unsigned_abs()).unwrap();
    assert_eq!(i64::from(id), i64::MAX);
    assert_eq!(Id::<Shop>::try_from(i64::from(id)), Ok(id));
    assert_eq!(u64::from(id), i64::MAX.unsigned_abs());
    assert_eq!(u32::from(id.node()), 1023);
    let id = Ksuid::from_parts(1, 2);
    assert_eq!(Ksuid::from(<[u8; 20]>::from(id)), id);
    let id = Uuid::from_u128(3);
    assert_eq!(Uuid::from(<[u8; 16]>::from(id)), id);
}
