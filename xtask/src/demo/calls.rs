//! What each client asked and how it came away, and the same as a trace.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use synod_sim::linear::{Answer, Kind, Operation};
use synod_transport::ids::NodeId;
use synod_transport::time::Instant;
use synod_transport::trace::{Fields, Ndjson, Recorder, TraceEvent, Value, named};

use super::faults::Act;

/// The file beside those of the nodes.
pub(super) const FILE: &str = "clients.ndjson";
/// What was done to the nodes, which they cannot tell themselves.
pub(super) const FAULTS: &str = "faults.ndjson";

/// One operation of one client. Times are nanoseconds since the start.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// As judges see it.
    pub(super) operation: Operation,
    /// When the client was answered, or gave up.
    pub(super) ended: u64,
    /// It certainly did nothing: no part of the history.
    pub(super) refused: bool,
}

/// What the judges are to judge, in the order of the calls.
pub(super) fn history(calls: &[Call]) -> Vec<Operation> {
    let mut history: Vec<Operation> =
        calls.iter().filter(|call| !call.refused).map(|call| call.operation.clone()).collect();
    history.sort_by_key(|operation| operation.invoke);
    history
}

/// Writes the trace of all clients: `Start` with the wall clock's reading at the start, then `Invoke` and `Complete` in
/// order of time.
pub(super) fn write(folder: &Path, unix_nanos: u64, calls: &[Call]) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    let file = File::create(&path).with_context(|| format!("trace: {}", path.display()))?;
    write_to(BufWriter::new(file), unix_nanos, calls).with_context(|| format!("trace: {}", path.display()))
}

/// Writes what was done to the nodes, as lines of theirs by the demo's own clock.
pub(super) fn write_acts(folder: &Path, unix_nanos: u64, acts: &[Act]) -> anyhow::Result<()> {
    let path = folder.join(FAULTS);
    let file = File::create(&path).with_context(|| format!("trace: {}", path.display()))?;
    let mut out = Ndjson::new(BufWriter::new(file));
    let start = named([("unix_nanos", unix_nanos.into())]);
    out.record(TraceEvent { fields: &start, ..TraceEvent::new(Instant::ZERO, NodeId::ZERO, "Start") });
    for act in acts {
        let node = NodeId::new(act.node as u64 + 1);
        out.record(TraceEvent::new(Instant::from_nanos(act.at), node, act.event));
    }
    out.finish().map(drop).with_context(|| format!("trace: {}", path.display()))
}

fn write_to(out: impl Write, unix_nanos: u64, calls: &[Call]) -> io::Result<()> {
    let mut calls: Vec<&Call> = calls.iter().collect();
    calls.sort_by_key(|call| call.operation.invoke);
    let numbered = (0_u64..).zip(&calls);
    // What happens in one nanosecond overlaps: calls before answers.
    let mut events: Vec<(u64, bool, u64, &Call)> = numbered
        .flat_map(|(number, call)| {
            [(call.operation.invoke, false, number, *call), (call.ended, true, number, *call)]
        })
        .collect();
    events.sort_by_key(|(at, is_end, number, _)| (*at, *is_end, *number));
    let mut out = Ndjson::new(out);
    let mut note = |at, event, fields: &Fields| {
        out.record(TraceEvent { fields, ..TraceEvent::new(Instant::from_nanos(at), NodeId::ZERO, event) });
    };
    note(0, "Start", &named([("unix_nanos", unix_nanos.into())]));
    for (at, is_end, number, call) in events {
        let mut fields = named([("client", call.operation.client.into()), ("operation", number.into())]);
        if is_end {
            fields.extend(answer(call));
            note(at, "Complete", &fields);
        } else {
            fields.extend(request(&call.operation));
            note(at, "Invoke", &fields);
        }
    }
    out.finish().map(drop)
}

fn request(operation: &Operation) -> Fields {
    let text = |it: &String| Value::from(it.clone());
    let (name, more) = match &operation.kind {
        Kind::Get => ("Get", Fields::new()),
        Kind::Put(value) => ("Put", named([("value", text(value))])),
        Kind::CompareAndSet { expect, new } => {
            let expect = expect.as_ref().map(text).unwrap_or_default();
            ("CompareAndSet", named([("expect", expect), ("value", text(new))]))
        }
        Kind::Delete => ("Delete", Fields::new()),
    };
    let mut fields = named([("request", Value::word(name)), ("key", text(&operation.key))]);
    fields.extend(more);
    fields
}

fn answer(call: &Call) -> Fields {
    let status = match call.operation.result {
        _ if call.refused => "Refused",
        Answer::Unknown => "Unknown",
        _ => "Done",
    };
    let mut fields = named([("status", Value::word(status))]);
    match &call.operation.result {
        Answer::Unknown | Answer::Done => {}
        Answer::Value(value) => {
            fields.extend(named([("value", value.clone().map(Value::from).unwrap_or_default())]));
        }
        Answer::Swapped(swapped) => fields.extend(named([("swapped", (*swapped).into())])),
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(client: u64, kind: Kind, (invoke, ended): (u64, u64), result: Answer) -> Call {
        let complete = (result != Answer::Unknown).then_some(ended);
        let operation = Operation { client, key: "k".into(), kind, invoke, complete, result };
        Call { operation, ended, refused: false }
    }

    #[test]
    fn calls_become_a_trace_in_order_of_time_and_history_leaves_out_what_did_nothing() {
        let swap = Kind::CompareAndSet { expect: None, new: "b".into() };
        let refused = Call { refused: true, ..call(1, Kind::Delete, (7, 8), Answer::Unknown) };
        let calls = [
            refused,
            call(1, Kind::Put("a".into()), (2, 6), Answer::Unknown),
            call(0, Kind::Get, (1, 2), Answer::Value(None)),
            call(0, swap, (3, 5), Answer::Swapped(true)),
        ];
        let mut out = Vec::new();
        write_to(&mut out, 9, &calls).expect("written");
        let want = concat!(
            r#"{"at":0,"node":0,"event":"Start","unix_nanos":9}
{"at":1,"node":0,"event":"Invoke","client":0,"operation":0,"request":"Get","key":"k"}
{"at":2,"node":0,"event":"Invoke","client":1,"operation":1,"request":"Put","key":"k","value":"a"}
{"at":2,"node":0,"event":"Complete","client":0,"operation":0,"status":"Done","value":null}
{"at":3,"node":0,"event":"Invoke","client":0,"operation":2,"request":"CompareAndSet","key":"k","expect":null,"#,
            r#""value":"b"}
{"at":5,"node":0,"event":"Complete","client":0,"operation":2,"status":"Done","swapped":true}
{"at":6,"node":0,"event":"Complete","client":1,"operation":1,"status":"Unknown"}
{"at":7,"node":0,"event":"Invoke","client":1,"operation":3,"request":"Delete","key":"k"}
{"at":8,"node":0,"event":"Complete","client":1,"operation":3,"status":"Refused"}
"#
        );
        assert_eq!(String::from_utf8(out).expect("text"), want);
        let judged: Vec<u64> = history(&calls).iter().map(|operation| operation.invoke).collect();
        assert_eq!(judged, [1, 2, 3]);
    }
}
