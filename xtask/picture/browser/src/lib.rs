#![doc = include_str!("../README.md")]
//!
//! What stands here needs no browser: what a page must show, computed from the run by other ways than the page's own.

mod causes;
mod contrast;
mod window;
mod worlds;

pub use causes::Causes;
pub use contrast::{contrast, variables};
pub use window::{Axis, Window};
pub use worlds::{long_world, monsters, planted_world, quiet_world, short_world, world};
