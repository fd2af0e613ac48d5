//! A program's library without the standard library. The compiler takes this panic handler only if nothing below it
//! has brought another, which the standard library would.
#![no_std]

extern crate alloc;

use alloc::string::{String, ToString as _};
use core::time::Duration;

use synod_clock::hybrid::{HybridClock, HybridError, Micros, Options, Timestamp, from_fn};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// A stamp by a board's own clock, and its text.
pub fn stamp(board_clock: fn() -> Duration, received: Timestamp) -> Result<String, HybridError> {
    let clock = HybridClock::<_, Micros>::with_options(from_fn(board_clock), Options::default());
    Ok(clock.recv(received)?.to_string())
}
