//! A file for the node's trace that is never far behind.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use synod_transport::trace::Ndjson;

/// After this, what was recorded is handed to the operating system.
const BEHIND: Duration = Duration::from_millis(100);

/// A recorder that writes JSON lines to a new file.
pub(crate) fn to_file(path: &Path) -> io::Result<Ndjson<TraceFile>> {
    Ok(Ndjson::new(TraceFile { out: BufWriter::new(File::create(path)?), flushed: Instant::now() }))
}

/// Buffers, and flushes with the first write after [`BEHIND`]; a node always writes again, be it a heartbeat. The end
/// of a node flushes the rest.
#[derive(Debug)]
pub(crate) struct TraceFile {
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
