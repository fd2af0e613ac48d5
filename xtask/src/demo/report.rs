//! The history as a file and the run as a table.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use synod_sim::linear::{Answer, Kind, Operation};

use super::Run;
use super::audit::Findings;

/// Writes each operation and each failure as a line of JSON.
pub(super) fn write_history(path: &Path, run: &Run) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for failure in &run.failures {
        let line = json!({ "at": failure.at, "node": failure.node + 1, "event": failure.how });
        writeln!(out, "{line}")?;
    }
    for operation in &run.history {
        writeln!(out, "{}", line(operation))?;
    }
    Ok(out.flush()?)
}

fn line(operation: &Operation) -> Value {
    let (kind, expect, value) = match &operation.kind {
        Kind::Get => ("get", None, None),
        Kind::Put(value) => ("put", None, Some(value)),
        Kind::CompareAndSet { expect, new } => ("compare-and-set", Some(expect), Some(new)),
        Kind::Delete => ("delete", None, None),
    };
    let result = match &operation.result {
        Answer::Unknown => json!("unknown"),
        Answer::Done => json!("done"),
        Answer::Value(value) => json!({ "value": value }),
        Answer::Swapped(swapped) => json!({ "swapped": swapped }),
    };
    json!({
        "client": operation.client, "key": operation.key, "kind": kind, "expect": expect, "value": value,
        "invoke": operation.invoke, "complete": operation.complete, "result": result,
    })
}

/// Prints the table, and before it what is wrong.
pub(super) fn print(run: &Run, findings: &Findings, judged: Duration, folder: &Path) {
    for (what, lines) in [("lost write", &findings.lost), ("nodes differ", &findings.differing)] {
        for line in lines {
            println!("{what}: {line}");
        }
    }
    if let Some(offence) = &findings.offence {
        println!("\n{offence}");
    }
    println!();
    let row = |name: &str, value: String| println!("  {name:<22}{value}");
    let known = |is_read: bool| {
        run.history.iter().filter(move |it| is_read == (it.kind == Kind::Get) && it.complete.is_some())
    };
    row("writes", known(false).count().to_string());
    row("reads", known(true).count().to_string());
    let unknown = run.history.iter().filter(|it| it.complete.is_none()).count();
    row("unknown outcomes", unknown.to_string());
    row("refused, no effect", run.refused.to_string());
    row("operations per second", per_second(run));
    row("write p50 / p99", percentiles(known(false)));
    row("read p50 / p99", percentiles(known(true)));
    for failure in &run.failures {
        row("failover", format!("{} (node {} {})", failover(run, failure.at), failure.node + 1, failure.how));
    }
    row("lost writes", findings.lost.len().to_string());
    let verdict = if findings.is_empty() { "linearizable, nothing lost" } else { "VIOLATED" };
    row("verdict", format!("{verdict} (judged in {:.2} s)", judged.as_secs_f64()));
    row("history", folder.join("history.ndjson").display().to_string());
}

fn per_second(run: &Run) -> String {
    let count = u32::try_from(run.history.len()).unwrap_or(u32::MAX);
    format!("{:.0}", f64::from(count) / run.span.as_secs_f64())
}

/// What makes a good verdict mean nothing: nothing was acknowledged, or nothing more after a failure.
pub(super) fn vacuous(run: &Run) -> Option<String> {
    let acknowledged_from = |at: u64| {
        run.history.iter().any(|it| it.kind != Kind::Get && it.invoke >= at && it.complete.is_some())
    };
    if !acknowledged_from(0) {
        return Some("no write was acknowledged".to_owned());
    }
    let dead = run.failures.iter().find(|failure| !acknowledged_from(failure.at))?;
    Some(format!("no write was acknowledged after node {} was {}", dead.node + 1, dead.how))
}

/// From the failure to the first acknowledgement of a write that was asked for after it.
fn failover(run: &Run, at: u64) -> String {
    let writes = run.history.iter().filter(|it| it.kind != Kind::Get && it.invoke >= at);
    match writes.filter_map(|it| it.complete).min() {
        None => "never".to_owned(),
        Some(end) => format!("{} ms", end.saturating_sub(at) / 1_000_000),
    }
}

fn percentiles<'a>(operations: impl Iterator<Item = &'a Operation>) -> String {
    let Ok(mut histogram) = Histogram::<u64>::new(3) else { return "?".to_owned() };
    for operation in operations {
        let micros = operation.complete.unwrap_or(0).saturating_sub(operation.invoke) / 1000;
        histogram.saturating_record(micros);
    }
    let ms = |quantile| {
        f64::from(u32::try_from(histogram.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1000.0
    };
    format!("{:.2} / {:.2} ms", ms(0.5), ms(0.99))
}
