//! Makes ids, and explains those of others.
//!
//! ```sh
//! cargo run -p synod-idgen --example ids -- snowflake --node 7 -n 5
//! cargo run -p synod-idgen --example ids -- uuid v7
//! cargo run -p synod-idgen --example ids -- decode 01ARZ3NDEKTSV4RRFFQ69G5FAV
//! ```

mod command;
mod decode;
mod finding;
mod make;
mod numbers;
mod texts;

use std::io::{BufWriter, ErrorKind, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let outcome = command::Command::parse().run(now, &mut out);
    let written = match out.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("writing: {error}")),
        _ => Ok(()),
    };
    match outcome.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
