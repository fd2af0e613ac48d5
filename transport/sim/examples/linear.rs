//! Judges a history of a key-value register, from a file or made up:
//!
//! ```text
//! cargo run --release -p synod-sim --example linear -- --operations 100000 --keys 300
//! cargo run --release -p synod-sim --example linear -- --file history.txt --html offence.html
//! ```
//!
//! Prints the verdict, and what it cost; a history that is not linearizable, or undecided, ends the process with status 1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // an example; the generator is shared with tests

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use synod_sim::linear::{Failure, check, parse};

#[path = "../tests/linear/simulated.rs"]
mod simulated;
use simulated::{Shape, simulated, stale};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut shape = Shape { clients: 60, operations: 100_000, keys: 300, ..Shape::default() };
    let (mut seed, mut file, mut html, mut spoil) = (1, None, None, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "--operations" => shape.operations = next()?.parse()?,
            "--clients" => shape.clients = next()?.parse::<u64>()?.max(1),
            "--keys" => shape.keys = next()?.parse::<u64>()?.max(1),
            "--unknown-ppm" => shape.unknown_ppm = next()?.parse()?,
            "--values" => shape.values = Some(next()?.parse::<u64>()?.max(1)),
            "--no-swaps" => shape.swaps = false,
            "--seed" => seed = next()?.parse()?,
            "--spoil" => spoil = true,
            "--file" => file = Some(next()?),
            "--html" => html = Some(next()?),
            other => return Err(format!("no option is called {other}").into()),
        }
    }
    let mut history = match &file {
        Some(path) => parse(&std::fs::read_to_string(path)?)?,
        None => simulated(seed, &shape),
    };
    if spoil {
        stale(&mut history, "never-written");
    }
    let unknown = history.iter().filter(|it| it.complete.is_none()).count();
    let begun = Instant::now();
    let verdict = check(&history);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{} operations, {unknown} of unknown outcome: judged in {seconds:.3} s on one thread",
        history.len()
    );
    let failure = match verdict {
        Ok(()) => {
            println!("linearizable");
            return Ok(ExitCode::SUCCESS);
        }
        Err(failure) => failure,
    };
    println!("{failure}");
    let options: Vec<String> = std::env::args().skip(1).collect();
    println!("again with: cargo run --release -p synod-sim --example linear -- {}", options.join(" "));
    if let Failure::Offence(offence) = &failure {
        let path = html.map_or_else(|| std::env::temp_dir().join("offence.html"), Into::into);
        std::fs::write(&path, offence.html())?;
        println!("page: {}", path.display());
    }
    Ok(ExitCode::from(1))
}
