//! Draws figures as tables for people: one table per set of parameters, one line per implementation.

use std::fmt::Write as _;

use crate::figure::{Figure, Parameters};

/// All figures as text. Within a table, the columns are the metrics in order of appearance; then for each of ours, how
/// many times its first metric the line's is.
pub fn render(figures: &[Figure]) -> String {
    let mut groups: Vec<(&str, &Parameters)> = Vec::new();
    for figure in figures {
        let group = (figure.bench.as_str(), &figure.parameters);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut out = String::new();
    for (bench, parameters) in groups {
        let named: Vec<String> = parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let _ = writeln!(out, "\n{bench}: {}\n", named.join(", "));
        let chosen: Vec<&Figure> =
            figures.iter().filter(|it| it.bench == bench && &it.parameters == parameters).collect();
        align(&cells(&chosen), &mut out);
    }
    out
}

/// The table's cells, header first.
fn cells(figures: &[&Figure]) -> Vec<Vec<String>> {
    let mut metrics: Vec<String> = Vec::new();
    let mut implementations: Vec<&str> = Vec::new();
    let mut references: Vec<(&str, f64)> = Vec::new();
    for figure in figures {
        let metric = column(figure);
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
        if !implementations.contains(&figure.implementation.as_str()) {
            implementations.push(&figure.implementation);
        }
        let first = metrics.first().is_some_and(|first| *first == column(figure));
        // One that was measured in two runs is the reference once, as of the first.
        let known = references.iter().any(|(name, _)| *name == figure.implementation);
        if figure.is_ours() && first && !known {
            references.push((&figure.implementation, figure.value));
        }
    }
    let value = |implementation: &str, metric: &str| {
        figures
            .iter()
            .find(|it| it.implementation == implementation && column(it) == metric)
            .map(|it| it.value)
    };
    let mut header = vec!["implementation".to_owned()];
    header.extend(metrics.iter().cloned());
    header.extend(references.iter().map(|(name, _)| format!("× {name}")));
    let mut rows = vec![header];
    for implementation in implementations {
        let mut row = vec![implementation.to_owned()];
        row.extend(metrics.iter().map(|metric| value(implementation, metric).map_or("".to_owned(), short)));
        let first = metrics.first().and_then(|metric| value(implementation, metric));
        row.extend(
            references.iter().map(|(_, reference)| first.map_or("".to_owned(), |it| short(it / reference))),
        );
        rows.push(row);
    }
    rows
}

fn column(figure: &Figure) -> String {
    format!("{} [{}]", figure.metric, figure.unit)
}

/// Three digits that matter, in markdown cells padded to equal width.
fn short(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 => format!("{value:.0}"),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 0.01 || it == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.5}"),
    }
}

fn align(rows: &[Vec<String>], out: &mut String) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|it| it.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or_default()).collect();
    for (line, row) in rows.iter().enumerate() {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if at == 0 { write!(out, "| {cell:width$} ") } else { write!(out, "| {cell:>width$} ") };
        }
        out.push_str("|\n");
        if line == 0 {
            for (at, width) in widths.iter().enumerate() {
                let _ = write!(out, "|{}{}", "-".repeat(width + 1), if at == 0 { "-" } else { ":" });
            }
            out.push_str("|\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Row;

    #[test]
    fn a_line_per_implementation_and_a_ratio_to_ours() {
        let (ours, peer) =
            (Row::new("raft", "synod-raft").with("window", 1), Row::new("raft", "peer").with("window", 1));
        let figures = [
            peer.figure("cpu", 300.0, "ns"),
            ours.figure("cpu", 100.0, "ns"),
            ours.figure("allocations", 0.0, "1"),
        ];
        let expected = "
raft: window 1

| implementation | cpu [ns] | allocations [1] | × synod-raft |
|----------------|---------:|----------------:|-------------:|
| peer           |      300 |                 |         3.00 |
| synod-raft     |      100 |            0.00 |         1.00 |
";
        assert_eq!(render(&figures), expected);
    }

    #[test]
    fn one_that_was_measured_in_two_runs_is_the_reference_once() {
        let row = |value| Row::new("idgen", "synod-idgen").figure("cpu", value, "ns");
        let text = render(&[row(2.0), Row::new("idgen", "peer").figure("cpu", 4.0, "ns"), row(8.0)]);
        assert_eq!(text.matches("× synod-idgen").count(), 1);
        assert!(text.contains("| peer           |     4.00 |          2.00 |"), "{text}");
    }

    #[test]
    fn other_parameters_make_another_table() {
        let row = |window| Row::new("raft", "synod-raft").with("window", window).figure("cpu", 1.0, "ns");
        assert_eq!(render(&[row(1), row(64)]).matches("implementation").count(), 2);
    }
}
