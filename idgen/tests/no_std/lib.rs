//! A library without the standard library: the compiler takes this panic handler only if nothing below brings another.
#![no_std]

extern crate alloc;

use core::time::Duration;

use synod_idgen::generator::{Generator, GeneratorError};
use synod_idgen::layout::{Id, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// An id by a board's own clock, and one of a lane.
pub fn ids(
    node: NodeId<Twitter>,
    board_clock: fn() -> Duration,
) -> Option<Result<[Id<Twitter>; 2], GeneratorError>> {
    let generator = Generator::new(node, wall::from_fn(board_clock)).ok()?;
    let first = generator.try_next();
    Some(first.and_then(|first| Ok([first, generator.lane(16).try_next()?])))
}
