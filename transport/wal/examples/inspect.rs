//! Prints what a log directory holds, record by record, and whether it ended cleanly. Changes nothing.
//!
//! `cargo run -p synod-wal --example inspect -- DIR`

use std::process::ExitCode;

use synod_wal::{BatchSketch, Content, inspect};

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: inspect DIR");
        return ExitCode::from(2);
    };
    let result = inspect(&dir, |record| {
        let (segment, offset, len) = (record.segment, record.offset, record.len);
        let place = format!("segment {segment:>4} {offset:>10} +{len:<8}");
        match record.content {
            Content::Checkpoint { base, last, hard_state } => {
                println!("{place} checkpoint: base {base:?}, last {last:?}, hard state {hard_state:?}");
            }
            Content::Group(batches) => {
                println!("{place} group of {}", batches.len());
                for batch in batches {
                    println!("{:37}{}", "", sketch(&batch));
                }
            }
            Content::Mark => println!("{place} mark: all before it is durable"),
            other => println!("{place} {other:?}"),
        }
    });
    match result {
        Ok((summary, report)) => {
            println!(
                "log from {:?} (purged) to {:?}, {} runs of terms",
                summary.base,
                summary.last(),
                summary.runs.len()
            );
            println!("{} segments, {} groups, {} bytes", report.segments, report.groups, report.bytes);
            match report.torn {
                None => println!("ends cleanly"),
                Some(torn) => {
                    println!("torn: {} bytes from {} of {}", torn.bytes, torn.from, torn.file.display());
                }
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn sketch(batch: &BatchSketch) -> String {
    let mut parts = Vec::new();
    if let Some(from) = batch.truncate_from {
        parts.push(format!("truncate from {from}"));
    }
    if let Some((first, count)) = batch.append {
        parts.push(format!("append {count} from {first} ({} bytes)", batch.payload_bytes));
    }
    if let Some(hard_state) = &batch.hard_state {
        parts.push(format!("{hard_state:?}"));
    }
    if let Some(through) = batch.purge_through {
        parts.push(format!("purge through {through:?}"));
    }
    parts.join(", ")
}
