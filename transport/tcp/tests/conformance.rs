//! The network suite on real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

mod common;

use std::collections::BTreeMap;

use common::options;
use synod_tcp::TcpTransport;
use synod_transport::ids::NodeId;
use synod_transport::net::Class;
use synod_transport::testing::net::{Harness, conformance};
use tokio::runtime::Runtime;

const LIMIT: usize = 3 << 20;

struct Sockets {
    ends: BTreeMap<NodeId, TcpTransport>,
    runtime: Runtime,
}

impl Sockets {
    fn new(ids: &[NodeId], runtime: Runtime) -> Self {
        let bind = |id: &NodeId| {
            let mut options = options(*id);
            options.max_frame_bytes = LIMIT;
            options.queue_frames = 64;
            (*id, runtime.block_on(TcpTransport::bind(options)).unwrap())
        };
        let mut ends: BTreeMap<_, _> = ids.iter().map(bind).collect();
        let addresses: Vec<_> = ends.iter().map(|(id, end)| (*id, end.local_addr())).collect();
        for (id, end) in &mut ends {
            for (peer, address) in addresses.iter().filter(|(peer, _)| peer != id) {
                end.set_peer(*peer, *address).unwrap();
            }
        }
        for (id, end) in &ends {
            let stands = |end: &TcpTransport| {
                ids.iter()
                    .filter(|peer| *peer != id)
                    .all(|peer| Class::ALL.iter().all(|class| end.is_connected(*peer, *class)))
            };
            runtime.block_on(common::within("all connections", end.wait_for(stands)));
        }
        Self { ends, runtime }
    }
}

impl Harness for Sockets {
    type Endpoint = TcpTransport;

    fn endpoint(&mut self, id: NodeId) -> &mut TcpTransport {
        self.ends.get_mut(&id).unwrap()
    }

    /// A turn of the runtime: a task comes up behind those that are ready, steps back once, and comes up again after
    /// the kernel was asked what else is.
    fn advance(&mut self) {
        self.runtime.block_on(self.runtime.spawn(tokio::task::yield_now())).unwrap();
    }

    fn patience(&self) -> u32 {
        1_000_000
    }

    fn settling(&self) -> u32 {
        1000
    }

    fn max_frame_bytes(&self) -> Option<usize> {
        Some(LIMIT)
    }

    fn close(&mut self, id: NodeId) -> bool {
        self.runtime.block_on(self.ends.get_mut(&id).unwrap().shutdown());
        true
    }
}

#[test]
fn sockets_keep_the_contract_on_one_thread() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tally = conformance(|ids| Sockets::new(ids, runtime()));
    println!("{tally:?}");
    assert!(
        tally.frames > 3000 && tally.full > 100 && tally.too_large == 3 && tally.closed == 1,
        "{tally:?}"
    );
}

#[test]
fn sockets_keep_the_contract_on_two_threads() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tally = conformance(|ids| Sockets::new(ids, runtime()));
    println!("{tally:?}");
    assert!(
        tally.frames > 3000 && tally.full > 100 && tally.too_large == 3 && tally.closed == 1,
        "{tally:?}"
    );
}
