//! Units, states and nodes as text, with colours; a writer that wants none strips them.

use core::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use synod_transport::trace::{Line, Value};

use super::difference::changes;
use super::recording::{Recording, Standing, Unit};
use super::value::{Shown, printable};

pub(super) const STRONG: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const CHANGE: Style = AnsiColor::Cyan.on_default();
pub(super) const TROUBLE: Style = AnsiColor::Red.on_default().bold();

/// `text` in this style, and nothing after it.
pub(super) fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A unit in full: each line, and below it what its step changed.
pub(super) fn unit(run: &Recording, number: usize, out: &mut impl Write) -> io::Result<()> {
    let Some(unit) = run.unit(number) else {
        return writeln!(out, "{}", styled(STRONG, format_args!("before the first of {} steps", run.len())));
    };
    let place = match run.file(unit) {
        Some(file) => format!("{}:{}", printable(file), unit.line),
        None => format!("line {}", unit.line),
    };
    let head = format!("#{number} of {}  {}  {}", run.len(), node_name(unit.node()), time(run, unit));
    writeln!(out, "{}  {}", styled(STRONG, head), styled(FAINT, place))?;
    for line in &unit.lines {
        writeln!(out, "  {}", event(line))?;
        if let Some(after) = &line.state {
            match run.state(unit.node(), number.saturating_sub(1)) {
                Some((_, before)) => change_lines(before, after, out)?,
                None => writeln!(out, "    {}", styled(CHANGE, Shown(after)))?,
            }
        }
    }
    Ok(())
}

/// A line for each change; whether there was one.
pub(super) fn change_lines(before: &Value, after: &Value, out: &mut impl Write) -> io::Result<()> {
    changes(before, after).iter().try_for_each(|change| writeln!(out, "    {}", styled(CHANGE, change)))
}

/// A unit in one line: how it begins, and what follows, counted.
pub(super) fn brief(run: &Recording, number: usize, unit: &Unit, here: bool) -> String {
    let mark = if here { ">" } else { " " };
    let first = unit.lines.first().map(event).unwrap_or_default();
    let mut rest: Vec<(&str, usize)> = Vec::new();
    for line in unit.lines.iter().skip(1).filter(|line| line.event != "Ready") {
        match rest.iter_mut().find(|(name, _)| *name == line.event) {
            Some((_, count)) => *count += 1,
            None => rest.push((&line.event, 1)),
        }
    }
    let rest: Vec<_> = rest
        .into_iter()
        .map(|(name, count)| match count {
            1 => printable(name).into_owned(),
            _ => format!("{count} {}", printable(name)),
        })
        .collect();
    let rest = if rest.is_empty() { String::new() } else { format!("; {}", rest.join(", ")) };
    let text =
        format!("{mark} #{number:<6} {:>16}  {:<6}  {first}{rest}", time(run, unit), node_name(unit.node()));
    if here { styled(STRONG, text) } else { text }
}

/// A line of a trace without time, node and state.
pub(super) fn event(line: &Line) -> String {
    let mut text = printable(&line.event).into_owned();
    if let Some(peer) = line.peer {
        text.push_str(&format!(" {} n{peer}", preposition(&line.event)));
    }
    if let Some(message) = &line.message {
        text.push_str(&format!("  {}", message_text(message)));
    }
    for (name, value) in &line.fields {
        text.push_str(&format!("  {} {}", printable(name), Shown(value)));
    }
    text
}

fn preposition(event: &str) -> &'static str {
    if event.starts_with("Receive") || event == "Unreadable" {
        "from"
    } else if event.starts_with("Link") {
        "with"
    } else {
        "to"
    }
}

/// The kind, then the fields: `Vote {term: 3, last: [2, 9]}`.
fn message_text(message: &Value) -> String {
    match (message, message.get("kind")) {
        (Value::Record(fields), Some(kind)) => {
            let rest: Vec<_> = fields.iter().filter(|(name, _)| name != "kind").cloned().collect();
            let rest =
                if rest.is_empty() { String::new() } else { format!(" {}", Shown(&Value::Record(rest))) };
            format!("{}{rest}", Shown(kind))
        }
        _ => Shown(message).to_string(),
    }
}

pub(super) fn node_name(node: u64) -> String {
    if node == 0 { "world".to_owned() } else { format!("n{node}") }
}

/// Milliseconds to the nanosecond, or the step of the explorer.
fn time(run: &Recording, unit: &Unit) -> String {
    if run.counts_steps() {
        return format!("step {}", unit.time);
    }
    format!("{}.{:06} ms", unit.time / 1_000_000, unit.time % 1_000_000)
}

/// Every node with the fields that tell most.
pub(super) fn states(run: &Recording, here: usize, out: &mut impl Write) -> io::Result<()> {
    let head = ["node", "is", "role", "term", "vote", "log end", "commit"].map(str::to_owned);
    let mut rows = vec![head];
    for node in run.nodes() {
        let state = run.state(node, here).map(|(_, state)| state);
        let field = |name: &str| state.and_then(|state| state.get(name));
        let shown = |value: Option<&Value>| value.map_or("-".to_owned(), |value| Shown(value).to_string());
        let is = run.standing(node, here).map_or("-".to_owned(), |(_, standing)| standing.name().to_owned());
        let end = field("log").and_then(log_end);
        let mut row =
            [node_name(node), is, String::new(), String::new(), String::new(), String::new(), String::new()];
        let values = [shown(field("role")), shown(field("term")), shown(field("vote")), shown(end.as_ref())];
        for (cell, value) in row.iter_mut().skip(2).zip(values.into_iter().chain([shown(field("commit"))])) {
            *cell = value;
        }
        rows.push(row);
    }
    table(&rows, out)
}

/// The position of the last entry: the base, and behind it the runs.
fn log_end(log: &Value) -> Option<Value> {
    let pair = |value: &Value| match value.as_list()? {
        [one, other] => Some((one.as_number()?, other.as_number()?)),
        _ => None,
    };
    let (mut term, mut index) = pair(log.get("base")?)?;
    for run in log.get("runs")?.as_list()? {
        let (of, count) = pair(run)?;
        (term, index) = (of, index.checked_add(count)?);
    }
    Some([term, index].into_iter().collect())
}

/// Rows under a head, columns as wide as what they hold.
fn table<const N: usize>(rows: &[[String; N]], out: &mut impl Write) -> io::Result<()> {
    let wide =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| wide(column).unwrap_or(0)).collect();
    for (row, number) in rows.iter().zip(0..) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let text = cells.collect::<Vec<_>>().join("  ");
        let text = text.trim_end();
        if number == 0 { writeln!(out, "{}", styled(STRONG, text))? } else { writeln!(out, "{text}")? }
    }
    Ok(())
}

/// A node's state, a line for each field, and how old it is.
pub(super) fn state(run: &Recording, node: u64, here: usize, out: &mut impl Write) -> io::Result<bool> {
    let Some((written, state)) = run.state(node, here) else { return Ok(false) };
    let mut head = format!("{}, as step #{written} left it", node_name(node));
    if let Some((since, standing)) =
        run.standing(node, here).filter(|(_, standing)| *standing != Standing::Up)
    {
        head.push_str(&format!("; {} since #{since}", standing.name()));
    }
    writeln!(out, "{}", styled(STRONG, head))?;
    match state {
        Value::Record(fields) => {
            let width = fields.iter().map(|(name, _)| printable(name).chars().count()).max().unwrap_or(0);
            for (name, value) in fields {
                writeln!(out, "  {:<width$}  {}", printable(name), Shown(value))?;
            }
        }
        other => writeln!(out, "  {}", Shown(other))?,
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::testing::value;

    #[test]
    fn a_log_ends_behind_its_base_and_all_its_runs() {
        let end = |log: &str| log_end(&value(log)).map_or("-".to_owned(), |end| Shown(&end).to_string());
        assert_eq!(end(r#"{"base":[2,9],"runs":[[2,1],[3,4]]}"#), "[3, 14]");
        assert_eq!(end(r#"{"base":[2,9],"runs":[]}"#), "[2, 9]");
        assert_eq!(end(r#"{"base":[2,18446744073709551615],"runs":[[3,1]]}"#), "-");
        assert_eq!(end(r#"{"base":7}"#), "-");
    }

    #[test]
    fn a_frame_names_its_other_end_and_shows_its_message() {
        let shown = |json: &str| event(&serde_json::from_str(json).expect("a line"));
        let message = r#""peer":2,"message":{"kind":"Vote","term":3}"#;
        let line = |name: &str, rest: &str| format!(r#"{{"at":1,"node":1,"event":"{name}",{rest}}}"#);
        assert_eq!(shown(&line("SendX", message)), "SendX to n2  Vote {term: 3}");
        assert_eq!(shown(&line("ReceiveX", message)), "ReceiveX from n2  Vote {term: 3}");
        assert_eq!(shown(&line("LinkDown", r#""peer":2"#)), "LinkDown with n2");
        assert_eq!(
            shown(&line("Unreadable", r#""peer":2,"error":"\u0007""#)),
            "Unreadable from n2  error \"\\u{7}\""
        );
        assert_eq!(shown(&line("Drop", r#""peer":2,"message":7"#)), "Drop to n2  7");
    }
}
