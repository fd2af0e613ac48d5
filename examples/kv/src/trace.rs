//! A file for the node's trace that is never far behind.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use synod_transport::ids::Incarnation;
use synod_transport::trace::{Ndjson, Recorder, TraceEvent, named};

/// After this, what was recorded is handed to the operating system.
const BEHIND: Duration = Duration::from_millis(100);

/// A recorder that writes JSON lines to a new file, for this life of a node.
pub(crate) fn to_file(path: &Path, life: Incarnation) -> io::Result<ToFile> {
    let out = TraceFile { out: BufWriter::new(File::create(path)?), flushed: Instant::now() };
    Ok(ToFile { out: Ndjson::new(out), life, begun: false })
}

/// Begins with a line that tells the life, and what a clock on the wall showed: each process counts time for itself,
/// so files of several can only be laid side by side by that.
#[derive(Debug)]
pub(crate) struct ToFile {
    out: Ndjson<TraceFile>,
    life: Incarnation,
    begun: bool,
}

impl Recorder for ToFile {
    fn record(&mut self, event: TraceEvent<'_>) {
        if !self.begun {
            self.begun = true;
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let wall = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
            let fields = named([("life", self.life.into()), ("unix_nanos", wall.into())]);
            self.out.record(TraceEvent { fields: &fields, ..TraceEvent::new(event.at, event.node, "Start") });
        }
        self.out.record(event);
    }
}

/// Buffers, and flushes with the first line after [`BEHIND`] or a full buffer; a node always writes again, be it a
/// heartbeat. The end of a node flushes the rest.
#[derive(Debug)]
struct TraceFile {
    out: BufWriter<File>,
    flushed: Instant,
}

impl Write for TraceFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes).inspect_err(complain)?;
        if self.flushed.elapsed() >= BEHIND {
            self.flush()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = Instant::now();
        self.out.flush().inspect_err(complain)
    }
}

fn complain(error: &io::Error) {
    tracing::error!(%error, "the trace ends here");
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::ids::NodeId;
    use synod_transport::trace::{Line, Value, read};

    #[test]
    fn a_file_begins_with_the_life_and_is_whole_once_the_recorder_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("node-1.ndjson");
        let mut recorder = to_file(&path, Incarnation::new(3)).expect("a file");
        let at = synod_transport::time::Instant::from_nanos(7);
        for event in ["InitState", "Wake", "Ready"] {
            recorder.record(TraceEvent::new(at, NodeId::new(1), event));
        }
        drop(recorder);
        let file = io::BufReader::new(File::open(path).expect("written"));
        let lines: Vec<Line> = read(file).map(|line| line.expect("whole")).collect();
        let events: Vec<&str> = lines.iter().map(|line| &*line.event).collect();
        assert_eq!(events, ["Start", "InitState", "Wake", "Ready"]);
        let number = |name| lines.first().and_then(|line| line.get(name)).and_then(Value::as_number);
        assert_eq!(number("life"), Some(3));
        assert!(number("unix_nanos") > Some(1_600_000_000_000_000_000), "nanoseconds since 1970");
    }
}
