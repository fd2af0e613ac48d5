//! Lines of JSON, written and read back.

use std::io::{self, BufRead, Write};

use super::{Line, Recorder, TraceEvent};

/// Writes one JSON object per line. The first error stops the writing and is kept for [`Ndjson::finish`].
#[derive(Debug)]
pub struct Ndjson<W: Write> {
    out: W,
    /// One line, so that `out` gets each in one piece.
    line: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> Ndjson<W> {
    /// Writes to `out`; give it a buffer.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::new(), error: None }
    }

    /// Flushes, and says whether everything was written.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }
}

impl<W: Write> Recorder for Ndjson<W> {
    fn record(&mut self, event: TraceEvent<'_>) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, &event).map_err(io::Error::from).and_then(|()| {
            self.line.push(b'\n');
            self.out.write_all(&self.line)
        });
        self.error = written.err();
    }
}

/// Why a trace could not be read on. Lines count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error("line {line}: {error}")]
    Io {
        /// The line that was to be read.
        line: u64,
        /// What went wrong.
        #[source]
        error: io::Error,
    },
    /// The line is not one of a trace.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Which.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The trace ends in the middle of a line or of a step: its writer was killed. What came before is whole.
    #[error("line {line}: the trace is cut off here")]
    Cut {
        /// The first line that is not there, or not whole.
        line: u64,
    },
}

impl ReadError {
    /// Whether the writer's end alone explains it: a reader of a killed node's trace goes by what it has.
    pub const fn is_cut(&self) -> bool {
        matches!(self, Self::Cut { .. })
    }
}

/// The lines of a trace, up to the first error.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<Line, ReadError>> {
    let mut lines = Lines { input, number: 0, text: Vec::new() };
    let mut over = false;
    core::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = lines.next().transpose();
        over = !matches!(next, Some(Ok(_)));
        next
    })
}

struct Lines<R> {
    input: R,
    number: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Line>, ReadError> {
        self.text.clear();
        let line = self.number + 1;
        let read = self.input.read_until(b'\n', &mut self.text);
        if read.map_err(|error| ReadError::Io { line, error })? == 0 {
            return Ok(None);
        }
        self.number = line;
        match serde_json::from_slice(&self.text) {
            Ok(found) => Ok(Some(found)),
            Err(_) if self.text.last() != Some(&b'\n') => Err(ReadError::Cut { line }),
            Err(error) => Err(ReadError::Malformed { line, problem: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Value;
    use super::*;
    use crate::ids::NodeId;
    use crate::time::Instant;

    fn written(lines: &[Line]) -> Vec<u8> {
        let mut out = Ndjson::new(Vec::new());
        lines.iter().for_each(|line| out.record(line.to_event()));
        out.finish().expect("a vector takes everything")
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(Value::Number),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::vec(("[a-z\"\n]{0,4}".prop_map(Into::into), inner), 0..4)
                    .prop_map(Value::Record),
            ]
        })
    }

    fn any_line() -> impl Strategy<Value = Line> {
        let fields = proptest::collection::vec(("_[a-z]{0,4}".prop_map(Into::into), any_value()), 0..3);
        let message = proptest::option::of(any_value());
        let state = proptest::option::of(any_value());
        let head = (any::<u64>(), any::<u64>(), any::<String>(), any::<Option<u64>>());
        (head, message, fields, state).prop_map(|((at, node, event, peer), message, fields, state)| Line {
            at,
            node,
            event,
            peer,
            message,
            fields,
            state,
        })
    }

    proptest! {
        #[test]
        fn lines_survive_the_file_and_stay_one_line_each(lines in proptest::collection::vec(any_line(), 0..5)) {
            let bytes = written(&lines);
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), lines.len());
            let back: Result<Vec<Line>, _> = read(&*bytes).collect();
            prop_assert_eq!(back.expect("what was written"), lines);
        }

        #[test]
        fn a_cut_anywhere_gives_the_whole_lines_and_says_cut(lines in proptest::collection::vec(any_line(), 1..4), at in 0.0..1.0) {
            let bytes = written(&lines);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a fraction")]
            let kept = &bytes[..(bytes.len() as f64 * at) as usize];
            let ends = kept.iter().filter(|byte| **byte == b'\n').count();
            let back: Vec<_> = read(kept).collect();
            let whole: Vec<&Line> = back.iter().filter_map(|line| line.as_ref().ok()).collect();
            // All but the newline of the next may be there, too.
            prop_assert!(whole.len() == ends || whole.len() == ends + 1);
            prop_assert!(whole.iter().zip(&lines).all(|(one, other)| *one == other));
            let rest = kept.last().is_some_and(|byte| *byte != b'\n');
            let cut = back.last().is_some_and(|line| matches!(line, Err(error) if error.is_cut()));
            prop_assert_eq!(cut, rest && whole.len() == ends);
        }

        #[test]
        fn bytes_from_outside_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let errors = read(&*bytes).filter(Result::is_err).count();
            prop_assert!(errors <= 1, "the first error is the last item");
        }
    }

    #[test]
    fn a_line_looks_like_this() {
        let message = Value::record([("kind", Value::word("Vote")), ("term", Value::Number(3))]);
        let fields = [("seal".into(), Value::Number(1))];
        let event = TraceEvent {
            peer: Some(NodeId::new(3)),
            message: Some(&message),
            fields: &fields,
            state: Some(&Value::Null),
            ..TraceEvent::new(Instant::from_nanos(5), NodeId::new(2), "SendRequestVoteRequest")
        };
        let text = r#"{"at":5,"node":2,"event":"SendRequestVoteRequest","peer":3,"message":{"kind":"Vote","term":3},"seal":1,"state":null}"#;
        assert_eq!(String::from_utf8(written(&[Line::of(event)])).expect("text"), format!("{text}\n"));
    }

    #[track_caller]
    fn check(text: &str, line: u64, problem: &str) {
        let error = read(text.as_bytes()).find_map(Result::err).expect("an error");
        assert!(!error.is_cut());
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("line {line}: ")) && shown.contains(problem), "{shown}");
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_number() {
        let good = "{\"at\":1,\"node\":1,\"event\":\"Wake\"}\n";
        check("{}\n", 1, "at is missing");
        check(&format!("{good}[]\n"), 2, "a line is an object");
        check(&format!("{good}{good}{{\"at\":1,\"node\":1}}\n{good}"), 3, "event is missing");
        check(&format!("{good}\n"), 2, "EOF");
        check("{\"at\":-1,\"node\":1,\"event\":\"Wake\"}\n", 1, "whole number");
        check("{\"at\":1,\"node\":1,\"event\":7}\n", 1, "wrong type");
        check("{\"at\":1,\"at\":1,\"node\":1,\"event\":\"Wake\"}\n", 1, "at is given twice");
    }

    #[test]
    fn the_first_error_of_the_writer_is_kept() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Ndjson::new(Full);
        out.record(Line::default().to_event());
        assert_eq!(out.finish().err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    }
}
