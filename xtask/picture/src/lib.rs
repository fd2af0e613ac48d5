#![doc = include_str!("../README.md")]

mod align;
mod brief;
mod clients;
mod clocks;
mod flights;
mod page;
mod processes;
mod read;
mod run;
mod shiviz;
mod spans;
mod steps;
mod svg;

pub use clocks::{Clocks, clocks};
pub use page::{Look, data, page};
pub use processes::{processes, processes_in};
pub use read::{PictureError, read_file, read_lines};
pub use run::{
    Arrow, DiskWrite, Fate, Kind, Lane, LaneKind, Lasting, Loss, Operation, Run, Span, Step, WriteEnd,
};
pub use shiviz::shiviz;
pub use svg::{Frame, svg};
