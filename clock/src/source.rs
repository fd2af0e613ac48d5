//! Where readings come from: the system's clocks, and clocks that a test moves.
//!
//! | Linux clock | here | set by hand | slewed | counts suspend | tick |
//! |---|---|---|---|---|---|
//! | `CLOCK_REALTIME` | [`realtime`] | yes | yes | yes | 1 ns |
//! | `CLOCK_REALTIME_COARSE` | [`realtime_coarse`] | yes | yes | yes | 1 to 10 ms |
//! | `CLOCK_MONOTONIC` | [`monotonic_ns`] | no | yes | no | 1 ns |
//! | `CLOCK_BOOTTIME` | [`boot_ns`] | no | yes | **yes** | 1 ns |
//! | `CLOCK_MONOTONIC_RAW` | [`raw_ns`] | no | **no** | no | 1 ns |
//!
//! No counter is right about how long something took: a slewed one runs up to 8.3 % fast or slow while chrony catches
//! up, and one that stops in suspend misses the night that a laptop slept. Two together are, to one side each: see
//! [`Stopwatch`] and [`Elapsed`].

mod clamped;
mod simulated;
mod stopwatch;
#[cfg(target_os = "linux")]
mod system;

pub use clamped::Clamped;
pub use simulated::SimulatedClock;
pub use stopwatch::{Elapsed, Stopwatch};
pub use synod_transport::time::ManualTime;
#[cfg(target_os = "linux")]
pub use system::{Coarse, System, boot_ns, monotonic_ns, raw_ns, realtime, realtime_coarse};
