//! Our generators: Twitter's layout, 10 bits of node, 12 of sequence, shared by threads.

use std::time::Duration;

use anyhow::Result;
use synod_idgen::generator::{Exhausted, Generator, Options};
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::wall::Wall;

/// Waits for the next tick, which is the default.
pub(super) fn waiting<W: Wall>(wall: W) -> Result<Generator<Twitter, W>> {
    Ok(Generator::new(NodeId::new(1)?, wall)?)
}

/// Goes on into ticks to come. How far is out of the question here: a bench asks for more than a layout holds for as long
/// as it runs.
pub(super) fn borrowing<W: Wall>(wall: W) -> Result<Generator<Twitter, W>> {
    let day = Duration::from_secs(86_400);
    let options = Options { exhausted: Exhausted::Borrow(day), ..Options::default() };
    Ok(Generator::builder(NodeId::new(1)?).options(options).build(wall)?)
}
