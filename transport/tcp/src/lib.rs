#![doc = include_str!("../README.md")]

mod accept;
mod batch;
mod dial;
mod error;
mod gate;
mod hello;
mod inbound;
mod lane;
mod options;
mod status;
mod sync;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
#[cfg(test)]
mod threads;
mod transport;

pub use error::{ConnectionError, Refusal, TcpError};
pub use hello::PROTOCOL_VERSION;
pub use options::{Plaintext, TcpOptions};
pub use status::Stats;
pub use transport::TcpTransport;
