//! Exhaustive exploration: every state that a small world can reach.
//!
//! A [`Model`] says where a world begins and what can happen next. An [`Explorer`] visits all of it breadth first, so the
//! counterexample it finds is a shortest one; of broken liveness it finds a way into a cycle that is fair and yet never
//! does what it should.
//!
//! ```
//! use synod_sim::explore::{Explorer, Model};
//!
//! /// Two jugs, of three and five litres, and a tap.
//! struct Jugs;
//!
//! impl Model for Jugs {
//!     type State = (u8, u8);
//!     type Action = &'static str;
//!
//!     fn initial(&self) -> Vec<(u8, u8)> {
//!         vec![(0, 0)]
//!     }
//!
//!     fn steps(&self, &(small, large): &(u8, u8), out: &mut Vec<(&'static str, (u8, u8))>) {
//!         let down = small.min(5 - large);
//!         let back = large.min(3 - small);
//!         out.push(("fill the small one", (3, large)));
//!         out.push(("fill the large one", (small, 5)));
//!         out.push(("empty the small one", (0, large)));
//!         out.push(("empty the large one", (small, 0)));
//!         out.push(("pour the small one into the large one", (small - down, large + down)));
//!         out.push(("pour the large one into the small one", (small + back, large - back)));
//!     }
//! }
//!
//! let never = |&(_, large): &(u8, u8)| if large == 4 { Err("it holds four".to_owned()) } else { Ok(()) };
//! let report = Explorer::new(&Jugs).always("never four litres", never).keep_going().run()?;
//! assert_eq!(report.states, 16);
//! let path = report.findings[0].path.as_ref().expect("it can be done");
//! assert_eq!(path.steps.len(), 6);
//! println!("{report}{path}");
//! # Ok::<(), synod_sim::explore::ExploreError>(())
//! ```

pub mod cluster;
mod difference;
mod explorer;
mod fair;
mod fingerprint;
mod model;
mod path;
mod report;
mod search;

pub use explorer::Explorer;
pub use fingerprint::Fingerprinter;
pub use model::Model;
pub use path::Path;
pub use report::{End, ExploreError, Finding, Kind, Progress, Report, Verdict};
