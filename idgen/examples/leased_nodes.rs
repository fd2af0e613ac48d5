//! Processes that lease their nodes: a grant that ends, a node that is handed on, and a holder that does not notice.
//!
//! The grantor is in memory here. A service implements `NodeGrants` over its own lease: three calls.
//!
//! `cargo run -p synod-idgen --example leased_nodes`

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use synod_idgen::generator::GeneratorError;
use synod_idgen::layout::Twitter;
use synod_idgen::machine::{GrantOptions, Granted, GrantedError, MemGrants, Monotonic};
use synod_idgen::wall::Wall;

const TERM: Duration = Duration::from_secs(10);
const NOON: Duration = Duration::from_secs(1_767_268_800); // 2026-01-01 12:00

/// A clock set by hand; a service takes `wall::System` and `machine::Uptime`. Clones are the same clock.
#[derive(Clone, Default)]
struct Hands(Rc<Cell<Duration>>);

impl Hands {
    fn at(time: Duration) -> Self {
        Self(Rc::new(Cell::new(time)))
    }
    fn advance(&self, by: Duration) {
        self.0.set(self.0.get() + by);
    }
}

impl Wall for Hands {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

impl Monotonic for Hands {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let time = Hands::default();
    let grantor = MemGrants::<Twitter, _>::new(0..=1, TERM, time.clone());
    let start = |wall: &Hands, own_time: &Hands| {
        Granted::start(grantor.clone(), wall.clone(), own_time.clone(), GrantOptions::default())
    };

    // Two processes have a node each. There are no more.
    let wall = Hands::at(NOON);
    let mut a = start(&wall, &time)?;
    let b = start(&wall, &time)?;
    println!("a has node {}, b has node {}", a.node(), b.node());
    if let Err(error) = start(&wall, &time) {
        println!("a third is refused: {error}");
    }

    // a renews in time, b is asleep.
    let of_b = b.generator().try_next()?;
    for _ in 0..12 {
        time.advance(TERM / 10);
        wall.advance(TERM / 10);
        if a.due_in().is_zero() {
            a.renew()?;
        }
        a.generator().try_next()?;
    }
    let refused = b.generator().try_next();
    println!(
        "a goes on; b wakes up: {}",
        refused.as_ref().map_or_else(ToString::to_string, ToString::to_string)
    );
    assert_eq!(refused, Err(GeneratorError::NotHeld));

    // c takes the node over. Its wall is a minute behind b's, and its own clock of terms stands still.
    let behind = Hands::at(NOON);
    let still = Hands::default();
    let mut c = start(&behind, &still)?;
    let of_c = c.generator().try_next()?;
    println!("c has node {}, turn {}: {of_c} after b's {of_b}", c.node(), c.grant().turn);
    assert!(c.node() == of_b.node() && of_c > of_b);

    // So c never hears that its term is over, and d has the node meanwhile. No id is given twice.
    time.advance(2 * TERM);
    let d = start(&wall, &time)?;
    let (late, of_d) = (c.generator().try_next()?, d.generator().try_next()?);
    println!("c, too late, gives {late}; d has turn {} and gives {of_d}", d.grant().turn);
    assert!(late.node() == of_d.node() && late.position() < d.grant().floor && of_d > late);
    let refused = c.renew();
    assert!(matches!(refused, Err(GrantedError::Grantor(_))));
    println!("and c hears at last: {}", refused.err().map_or_else(String::new, |error| error.to_string()));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run()
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    run()
}
