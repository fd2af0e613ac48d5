//! What a monitor knows, for people and for machines.

use core::fmt::{self, Write as _};

use alloc::format;
use alloc::string::{String, ToString as _};

use super::{DriftMonitor, Level, Report};

/// A table of all peers: [`Display`](fmt::Display) it.
#[derive(Debug)]
pub struct Table<'a, P>(pub(super) &'a DriftMonitor<P>);

/// All peers' figures in the text format of Prometheus: [`Display`](fmt::Display) it.
#[derive(Debug)]
pub struct Metrics<'a, P>(pub(super) &'a DriftMonitor<P>);

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Suspect => "suspect",
            Self::Alert => "ALERT",
        })
    }
}

impl<P: Ord + fmt::Display> fmt::Display for Table<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.0.reports().map(|(peer, _)| peer.to_string().chars().count()).max().unwrap_or(0).max(4);
        writeln!(f, "{:width$}  {:>22}  {:>22}  {:>5}  level", "peer", "offset ms", "drift ppm", "seen")?;
        for (peer, report) in self.0.reports() {
            let offset = format!(
                "{} ± {}",
                thousandths(report.last.offset_ns / 1000),
                thousandths(report.last.error_ns / 1000)
            );
            let drift = match (report.drift_ppb, report.drift_error_ppb) {
                (Some(drift), Some(error)) => format!("{} ± {}", thousandths(drift), thousandths(error)),
                _ => "-".to_string(),
            };
            let name = peer.to_string();
            writeln!(
                f,
                "{name:width$}  {offset:>22}  {drift:>22}  {:>5}  {}",
                report.observations, report.level
            )?;
        }
        Ok(())
    }
}

impl<P: Ord + fmt::Display> fmt::Display for Metrics<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Of = fn(&Report) -> Option<String>;
        let gauges: [(&str, &str, Of); 5] = [
            ("offset_seconds", "How far the peer's clock is ahead.", |it| {
                Some(billionths(it.last.offset_ns))
            }),
            ("offset_error_seconds", "How wrong the offset may be.", |it| Some(billionths(it.last.error_ns))),
            ("drift_ratio", "How fast the peer's clock gains.", |it| it.drift_ppb.map(billionths)),
            ("drift_error_ratio", "How wrong the drift may be, with a confidence of 95 %.", |it| {
                it.drift_error_ppb.map(billionths)
            }),
            ("drift_level", "0 is good, 1 suspect, 2 an alert.", |it| {
                Some(match it.level {
                    Level::Good => "0".to_string(),
                    Level::Suspect => "1".to_string(),
                    Level::Alert => "2".to_string(),
                })
            }),
        ];
        for (name, help, value) in gauges {
            writeln!(f, "# HELP synod_clock_{name} {help}\n# TYPE synod_clock_{name} gauge")?;
            for (peer, report) in self.0.reports() {
                if let Some(value) = value(&report) {
                    writeln!(f, "synod_clock_{name}{{peer=\"{}\"}} {value}", Label(peer))?;
                }
            }
        }
        Ok(())
    }
}

/// A name within quotes, as the format wants it.
struct Label<'a, P>(&'a P);

impl<P: fmt::Display> fmt::Display for Label<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.to_string().chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A count of thousandths, with its point.
fn thousandths(value: i64) -> String {
    with_point(value, 1000, 3)
}

/// A count of billionths, with its point.
fn billionths(value: i64) -> String {
    with_point(value, 1_000_000_000, 9)
}

fn with_point(value: i64, parts: u64, digits: usize) -> String {
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    format!("{sign}{}.{:0digits$}", size / parts, size % parts)
}
