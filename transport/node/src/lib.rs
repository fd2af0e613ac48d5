#![doc = include_str!("../README.md")]
//!
//! In reading order: [`start`] and [`Service`] here; what callers hold ([`Handle`], [`Status`]) and what they are told
//! ([`ProposeError`], [`ReadError`]); the limits ([`Options`]); then the loop itself ([`Driver`]).

mod driver;
mod error;
mod handle;
mod options;
mod status;
mod sync;
mod waiting;

use bytes::Bytes;
use synod_transport::host::Host;
use synod_transport::log::Entry;
use synod_transport::machine::Machine;
use synod_transport::net::{Inbound, Transport};
use synod_transport::store::LogStore;

pub use driver::Driver;
pub use error::{NodeError, ProposeError, ReadError};
pub use handle::{Consistency, Handle};
pub use options::Options;
pub use status::{Counters, Status};

/// The replicated service.
pub trait Service: Send + 'static {
    /// Applies one committed command, in the order of the log; blank entries and configurations are left out.
    /// Deterministic: all nodes must come to the same state. The reply goes to whoever proposed the command here.
    ///
    /// Runs inside the driver: what takes long here keeps heartbeats waiting.
    fn apply(&mut self, entry: &Entry) -> Bytes;
}

/// Makes a node of a machine joined with its store, a network and a service. Nothing runs until [`Driver::run`] does.
pub fn start<M, S, N, V>(
    host: Host<M, S>,
    network: N,
    service: V,
    options: Options,
) -> (Handle<V>, Driver<M, S, N, V>)
where
    M: Machine,
    S: LogStore,
    N: Transport + Inbound,
    V: Service,
{
    let options = options.sane();
    let (handle, ends) = Handle::new(&options, Status::new(host.machine().id(), host.applied()));
    (handle, Driver::new(host, network, service, options, ends))
}
