//! One measured number, as it stands in a report: a line of JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// What a figure was measured under: window, payload bytes and the like.
pub type Parameters = BTreeMap<String, u64>;

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The primitive: `raft`, `wal`.
    pub bench: String,
    /// Who was measured. Ours begin with `synod-`.
    pub implementation: String,
    /// Under what.
    pub parameters: Parameters,
    /// What was measured.
    pub metric: String,
    /// How much.
    pub value: f64,
    /// Of what: `ns`, `allocations`, `messages`, `instructions`, `1/s`.
    pub unit: String,
}

impl Figure {
    /// Whether this is one of ours.
    pub fn is_ours(&self) -> bool {
        self.implementation.starts_with("synod-")
    }

    /// Writes it as one line.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// The figures of one implementation under one set of parameters, in the making.
#[derive(Clone, Debug)]
pub struct Row {
    bench: &'static str,
    implementation: String,
    parameters: Parameters,
}

impl Row {
    /// A row without parameters.
    pub fn new(bench: &'static str, implementation: impl Into<String>) -> Self {
        Self { bench, implementation: implementation.into(), parameters: Parameters::new() }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: u64) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }

    /// A figure of this row.
    pub fn figure(&self, metric: &str, value: f64, unit: &str) -> Figure {
        Figure {
            bench: self.bench.to_owned(),
            implementation: self.implementation.clone(),
            parameters: self.parameters.clone(),
            metric: metric.to_owned(),
            value,
            unit: unit.to_owned(),
        }
    }
}

/// Reads the lines that [`Figure::write_to`] wrote.
pub fn parse(lines: &str) -> serde_json::Result<Vec<Figure>> {
    lines.lines().filter(|line| !line.is_empty()).map(serde_json::from_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_and_has_the_published_fields() {
        let figure = Row::new("raft", "synod-raft").with("window", 64).figure("cpu median", 80.5, "ns");
        let mut out = Vec::new();
        figure.write_to(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = r#"{"bench":"raft","implementation":"synod-raft","parameters":{"window":64},"metric":"cpu median","value":80.5,"unit":"ns"}"#;
        assert_eq!(text, format!("{expected}\n"));
        assert_eq!(parse(&text).unwrap(), [figure]);
        assert!(parse("{}").is_err());
    }
}
