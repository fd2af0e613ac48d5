//! Which clusters run how often, and the figures that come of it.

use std::io::Write;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum as _};

use super::{Cluster, Contender, closed_loop};
use crate::callgrind;
use crate::figure::Row;
use crate::measure::{AllocationCounter, least, median, number, thread_cpu_ns};

/// Measures consensus cores; prints a line of JSON per figure.
#[derive(Parser, Debug)]
pub struct Options {
    /// Few operations and rounds: shows that it runs, proves nothing.
    #[arg(long)]
    pub quick: bool,
    /// The cost at ten million log entries too; takes about 2 GiB of memory.
    #[arg(long)]
    pub long: bool,
    /// The 64-byte cases alone, marked as run with an allocator that gives no memory back to the system (whoever
    /// starts this sets that up): what is left of the cost when the growing logs fault no page.
    #[arg(long)]
    pub memory_kept: bool,
    /// Count instructions under valgrind instead of measuring time.
    #[arg(long)]
    pub instructions: bool,
    /// Run one contender once, without figures, for a profiler.
    #[arg(long)]
    pub only: Option<Contender>,
    /// Commands in flight of the `--only` run.
    #[arg(long, default_value_t = 64)]
    pub window: u64,
    /// Commands of the `--only` run.
    #[arg(long, default_value_t = 20_000)]
    pub operations: u64,
    /// Payload bytes of the `--only` run.
    #[arg(long, default_value_t = 64)]
    pub payload: usize,
}

/// Commands in flight.
pub const WINDOWS: [u64; 4] = [1, 64, 256, 4096];

const OURS: [Contender; 2] = [Contender::OursSingle, Contender::OursBatched];

/// One set of parameters and who runs under it.
struct Case {
    window: u64,
    payload: usize,
    /// Commands applied before the measurement.
    log: u64,
    operations: u64,
    memory_kept: bool,
    contenders: Vec<Contender>,
}

impl Case {
    fn row(&self, contender: Contender) -> Row {
        let mut row = Row::new("raft", contender.name())
            .with("window", self.window)
            .with("payload", self.payload as u64);
        if self.log != WARM_UP {
            row = row.with("log entries", self.log);
        }
        if self.memory_kept {
            row = row.with("memory kept", 1);
        }
        row
    }
}

/// Commands that each cluster applies before it is measured, so that its buffers have grown.
const WARM_UP: u64 = 2_000;

/// Runs what the options say. With a counter, allocations are the figure; without, CPU time and messages.
pub fn run(options: &Options, counter: Option<AllocationCounter>, out: &mut impl Write) -> Result<()> {
    if let Some(contender) = options.only {
        return closed_loop(contender.build(options.payload)?.as_mut(), options.window, options.operations);
    }
    if options.instructions {
        return count_instructions(options, out);
    }
    let rounds = match (counter, options.quick) {
        (Some(_), _) => 1,
        (None, true) => 2,
        (None, false) => 7,
    };
    for case in cases(options) {
        let mut samples: Vec<Vec<Sample>> = case.contenders.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (contender, samples) in case.contenders.iter().zip(&mut samples) {
                samples.push(sample(&case, *contender, counter)?);
            }
        }
        for (contender, samples) in case.contenders.iter().zip(&samples) {
            let row = case.row(*contender);
            let each = |pick: fn(&Sample) -> f64| samples.iter().map(pick).collect::<Vec<f64>>();
            let figures = if counter.is_some() {
                vec![row.figure("allocations per op", median(&each(|it| it.allocations)), "1")]
            } else {
                let cpu = each(|it| it.cpu_ns);
                vec![
                    row.figure("CPU per op, median", median(&cpu), "ns"),
                    row.figure("CPU per op, least", least(&cpu), "ns"),
                    row.figure("messages per op", median(&each(|it| it.messages)), "1"),
                ]
            };
            for figure in figures {
                figure.write_to(out)?;
            }
            out.flush()?;
        }
    }
    Ok(())
}

/// Instructions per operation: a run of twice the length less a run of the length, so that setting up drops out.
fn count_instructions(options: &Options, out: &mut impl Write) -> Result<()> {
    ensure!(callgrind::available(), "instructions are counted by valgrind, which cannot be started");
    for case in cases(options).iter().filter(|case| case.log == WARM_UP) {
        let operations = if case.window == 1 { 2_000 } else { 16_384 };
        for contender in &case.contenders {
            let name = contender.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned());
            let count = |operations: u64| {
                callgrind::instructions(&[
                    format!("--only={name}"),
                    format!("--window={}", case.window),
                    format!("--payload={}", case.payload),
                    format!("--operations={operations}"),
                ])
            };
            let spent = count(2 * operations)?.saturating_sub(count(operations)?);
            let value = number(spent) / number(operations);
            case.row(*contender).figure("instructions per op", value, "1").write_to(out)?;
        }
    }
    Ok(())
}

/// What one run cost, per operation.
struct Sample {
    cpu_ns: f64,
    messages: f64,
    allocations: f64,
}

fn sample(case: &Case, contender: Contender, counter: Option<AllocationCounter>) -> Result<Sample> {
    let mut cluster = contender.build(case.payload)?;
    let cluster: &mut dyn Cluster = cluster.as_mut();
    closed_loop(cluster, case.window.max(case.log.min(256)), case.log)?;
    let read = || counter.map_or(0, |counter| counter());
    let (messages, allocations, cpu) = (cluster.messages(), read(), thread_cpu_ns());
    closed_loop(cluster, case.window, case.operations)?;
    let cpu = thread_cpu_ns() - cpu;
    let (allocations, messages) = (read() - allocations, cluster.messages() - messages);
    let per_op = |total: f64| total / number(case.operations);
    Ok(Sample {
        cpu_ns: per_op(cpu),
        messages: per_op(number(messages)),
        allocations: per_op(number(allocations)),
    })
}

fn cases(options: &Options) -> Vec<Case> {
    let memory_kept = options.memory_kept;
    let case = |window: u64, payload, log, operations: u64, contenders: &[Contender]| Case {
        window,
        payload,
        log,
        operations: if options.quick { operations / 20 } else { operations },
        memory_kept,
        contenders: contenders.to_vec(),
    };
    let of_window = |window: u64| if window == 1 { 30_000 } else { 200_000 };
    let mut cases = Vec::new();
    for window in WINDOWS {
        cases.push(case(window, 64, WARM_UP, of_window(window), &Contender::ALL));
    }
    if memory_kept {
        return cases;
    }
    for window in WINDOWS {
        cases.push(case(window, 1024, WARM_UP, of_window(window), &OURS));
    }
    let longest = match (options.long, options.quick) {
        (true, _) => 10_000_000,
        (false, false) => 1_000_000,
        (false, true) => 100_000,
    };
    for log in [1_000, 100_000, 1_000_000, 10_000_000] {
        if log <= longest {
            cases.push(case(64, 64, log, 40_000, &OURS));
        }
    }
    cases
}
