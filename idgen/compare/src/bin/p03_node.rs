//! P3: a node that the layout has no room for.
use ferroid::generator::{AtomicSnowflakeGenerator, Poll};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::{MonotonicClock, TWITTER_EPOCH};
use snowflake::SnowflakeIdGenerator;
use snowflaked::sync::Generator;
use synod_idgen::layout::{Tsid, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen_compare::outcome;
use tsid::TsidFactory;

fn main() {
    let id = SnowflakeIdGenerator::new(40, 1).real_time_generate();
    println!("rs-snowflake 0.6.0: machine 40 of 32 gives an id of machine {}", (id >> 17) & 31);

    println!("tsid 0.3.4: node 300 of 256 is taken as {}", TsidFactory::with_node_bits(8, 300).node());

    let clock = MonotonicClock::<1>::with_epoch(TWITTER_EPOCH);
    let ferroid = AtomicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1500, clock);
    if let Poll::Ready { id } = ferroid.poll_id() {
        println!("ferroid 2.0.0: node 1500 of 1024 gives an id of node {}", id.machine_id());
    }
    println!("snowflaked 1.0.4: node 1500 of 1024 gives {:?}", Generator::new_checked(1500).map(|_| ()));
    println!("synod-idgen: {}", outcome(NodeId::<Twitter>::new(1500)));
    println!("synod-idgen: {}", outcome(NodeId::<Tsid<8>>::new(300)));
}
