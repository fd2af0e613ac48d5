//! From files to a recording: lines are put together as units, several files laid side by side.

use std::fs::File;
use std::io::BufReader;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use synod_transport::trace::{Line, Place, ReadError, place, read};

use super::recording::{Recording, Unit};

/// The run that these files recorded, folders of `demo --trace` among them, and what there is to say about the files.
/// A file that is cut off, or no trace from some line on, is taken to there.
pub(super) fn open(paths: &[PathBuf]) -> Result<(Recording, Vec<String>)> {
    let mut parts = Vec::new();
    let mut notes = Vec::new();
    for path in files(paths)? {
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (part, error) = Part::read(name, read(BufReader::new(file)));
        match error {
            Some(error) if part.units.is_empty() && !error.is_cut() => {
                return Err(error).with_context(|| format!("{} is no trace", path.display()));
            }
            Some(error) => notes.push(format!("{}: {error}; shown is what stands before", part.name)),
            None if part.units.is_empty() => notes.push(format!("{} is empty", part.name)),
            None => {}
        }
        parts.push(part);
    }
    let run = merge(parts)?;
    ensure!(run.len() > 0, "nothing is recorded there");
    Ok((run, notes))
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = lives(path)?;
            ensure!(!found.is_empty(), "{} has no file like node-1.life-1.ndjson", path.display());
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn lives(folder: &Path) -> Result<Vec<PathBuf>> {
    let processes = crate::validate::lives(folder)?;
    Ok(processes.into_iter().flat_map(|(_, lives)| lives).map(|(_, path)| path).collect())
}

/// What one file holds.
#[derive(Debug, Default)]
pub(super) struct Part {
    name: String,
    units: Vec<(u64, Vec<Line>)>,
    /// Wall clock less the node's clock, if the file says.
    offset: Option<i128>,
}

impl Part {
    /// Takes lines up to the first error; a step that ends with the file is kept as far as it goes.
    pub(super) fn read(
        name: String,
        lines: impl Iterator<Item = Result<Line, ReadError>>,
    ) -> (Self, Option<ReadError>) {
        let mut grouping = Grouping::default();
        let error = lines.zip(1..).try_for_each(|(line, number)| grouping.add(number, line?)).err();
        let end = grouping.end();
        let part = Self { name, units: grouping.units, offset: grouping.offset };
        (part, error.or(end))
    }
}

/// What may follow in the unit that is being put together.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Next {
    /// Nothing.
    #[default]
    Done,
    /// Effects and an end must.
    Rest,
    /// Effects may, at the same moment: the explorer's `Crash` opens a step, that of a world stands alone.
    Perhaps,
}

#[derive(Default)]
struct Grouping {
    units: Vec<(u64, Vec<Line>)>,
    next: Next,
    last_line: u64,
    offset: Option<i128>,
}

impl Grouping {
    fn add(&mut self, number: u64, line: Line) -> Result<(), ReadError> {
        self.last_line = number;
        let place = place(&line.event);
        let first = self.units.last().and_then(|(_, lines)| lines.first());
        let same = first.filter(|first| first.node == line.node);
        let fits = match self.next {
            Next::Done => false,
            Next::Rest => same.is_some(),
            Next::Perhaps => same.is_some_and(|first| first.at == line.at) && line.event != "Failed",
        };
        match place {
            Place::Within | Place::Closes if fits => {
                self.next = if place == Place::Closes { Next::Done } else { Next::Rest };
                if let Some((_, lines)) = self.units.last_mut() {
                    lines.push(line);
                }
                return Ok(());
            }
            _ if self.next == Next::Rest => {
                let open = first.map_or(0, |first| first.node);
                let problem = format!("{} of node {} within a step of node {open}", line.event, line.node);
                return Err(ReadError::Malformed { line: number, problem });
            }
            Place::Opens => self.next = Next::Rest,
            Place::Alone => self.next = Next::Perhaps,
            Place::Closes if line.event == "Failed" => self.next = Next::Done,
            Place::Within | Place::Closes => {
                let problem = format!("{} outside of a step", line.event);
                return Err(ReadError::Malformed { line: number, problem });
            }
        }
        if let (None, Some(nanos)) = (self.offset, unix_nanos(&line)) {
            self.offset = Some(i128::from(nanos) - i128::from(line.at));
        }
        self.units.push((number, vec![line]));
        Ok(())
    }

    fn end(&self) -> Option<ReadError> {
        (self.next == Next::Rest).then_some(ReadError::Cut { line: self.last_line + 1 })
    }
}

fn unix_nanos(line: &Line) -> Option<u64> {
    (line.event == "Start").then(|| line.get("unix_nanos")?.as_number())?
}

/// A part that is being taken from, and its place among the others.
type Source = (usize, i128, Peekable<std::vec::IntoIter<(u64, Vec<Line>)>>);

/// Lays parts side by side by the wall clock. The order within a part stays as it is.
pub(super) fn merge(parts: Vec<Part>) -> Result<Recording> {
    let several = parts.iter().filter(|part| !part.units.is_empty()).count() > 1;
    let (mut sources, mut files) = (Vec::<Source>::new(), Vec::new());
    for (file, part) in parts.into_iter().enumerate() {
        let offset = match part.offset.filter(|_| several) {
            Some(offset) => offset,
            None if several && !part.units.is_empty() => {
                bail!("{} has no Start with unix_nanos: it cannot be laid beside other files", part.name)
            }
            None => 0,
        };
        files.push(part.name);
        sources.push((file, offset, part.units.into_iter().peekable()));
    }
    let mut units: Vec<(i128, Unit)> = Vec::new();
    while let Some((time, source)) = earliest(&mut sources) {
        let Some((line, lines)) = source.2.next() else { break };
        units.push((time, Unit { file: source.0, line, time: 0, lines }));
    }
    let start = if several { units.iter().map(|it| it.0).min().unwrap_or(0) } else { 0 };
    let timed = |(time, unit)| Unit { time: u64::try_from(time - start).unwrap_or(u64::MAX), ..unit };
    Ok(Recording::new(units.into_iter().map(timed).collect(), files))
}

/// The source whose next unit is the earliest, the first of several.
fn earliest(sources: &mut [Source]) -> Option<(i128, &mut Source)> {
    let time = |source: &mut Source| {
        let offset = source.1;
        let (_, lines) = source.2.peek()?;
        Some(i128::from(lines.first()?.at) + offset)
    };
    let timed = sources.iter_mut().filter_map(|source| Some((time(source)?, source)));
    timed.min_by_key(|(time, source)| (*time, source.0))
}

#[cfg(test)]
mod tests {
    use synod_transport::trace::{Group, groups};

    use super::*;
    use crate::replay::testing::file;

    fn part(name: &str, text: &str) -> (Part, Option<ReadError>) {
        let text: String = text.lines().map(|line| format!("{}\n", line.trim())).collect();
        Part::read(name.to_owned(), read(text.as_bytes()))
    }

    /// Units as events joined by `+`, then the error. A word is `node:event`, or `node@time:event`.
    fn shown(text: &str) -> String {
        let line = |word: &str| {
            let (node, event) = word.split_once(':').unwrap_or_else(|| panic!("{word}"));
            let (node, at) = node.split_once('@').unwrap_or((node, "0"));
            let number = |text: &str| text.parse().expect("a number");
            Ok(Line { node: number(node), at: number(at), event: event.to_owned(), ..Line::default() })
        };
        let lines: Vec<_> = text.split_whitespace().map(line).collect();
        let (part, error) = Part::read(String::new(), lines.into_iter());
        let unit = |(_, lines): &(u64, Vec<Line>)| {
            lines.iter().map(|line| line.event.as_str()).collect::<Vec<_>>().join("+")
        };
        let mut shown: Vec<_> = part.units.iter().map(unit).collect();
        shown.extend(error.map(|error| format!("({error})")));
        shown.join(" ")
    }

    #[test]
    fn steps_of_hosts_and_of_the_explorer_are_units() {
        let host = "1:InitState 1:Wake 1:BecomeLeader 1:Ready 1:Crash 2:ReceiveX 2:Failed 2:Failed";
        assert_eq!(shown(host), "InitState Wake+BecomeLeader+Ready Crash ReceiveX+Failed Failed");
        let late = "1:Crash 1@5:Send";
        assert_eq!(shown(late), "Crash (line 2: Send outside of a step)");
        let explorer = "1:Timeout 1:Send 1:Lost 1:Ready 2:Crash 2:Ready 2:Read 2:Ready 0:Broken";
        assert_eq!(shown(explorer), "Timeout+Send+Lost+Ready Crash+Ready Read+Ready Broken");
    }

    #[test]
    fn what_a_host_wrote_is_grouped_as_checkers_group_it() {
        let text = std::fs::read(file("election.ndjson")).expect("a trace");
        let (part, error) = Part::read(String::new(), read(&*text));
        let units = part.units.into_iter().map(|(_, lines)| lines);
        let checkers = groups(read(&*text)).map(|group| match group.expect("a whole trace") {
            Group::Alone(line) => vec![line],
            Group::Step { input, effects, end } => [vec![input], effects, vec![end]].concat(),
        });
        assert!(error.is_none() && units.eq(checkers));
    }

    #[test]
    fn a_step_that_ends_with_the_file_is_kept_and_what_makes_no_step_ends_it() {
        assert_eq!(
            shown("1:Wake 1:Ready 1:Wake 1:Write"),
            "Wake+Ready Wake+Write (line 5: the trace is cut off here)"
        );
        assert_eq!(shown("1:Wake 2:Ready"), "Wake (line 2: Ready of node 2 within a step of node 1)");
        assert_eq!(shown("1:Start 2:Ready"), "Start (line 2: Ready outside of a step)");
        assert_eq!(shown("1:Write"), "(line 1: Write outside of a step)");
    }

    #[test]
    fn files_are_laid_side_by_side_by_the_wall_clock() {
        let (one, _) = part(
            "one",
            r#"{"at":100,"node":1,"event":"Start","unix_nanos":1000}
               {"at":300,"node":1,"event":"InitState"}
               {"at":250,"node":1,"event":"Unreadable"}"#,
        );
        let (two, _) = part(
            "two",
            r#"{"at":5,"node":2,"event":"Start","unix_nanos":1100}
               {"at":600,"node":2,"event":"InitState"}"#,
        );
        let run = merge(vec![two, one]).expect("both have wall clocks");
        let units: Vec<_> = (1..=run.len()).map(|number| run.unit(number).expect("a unit")).collect();
        let order: Vec<_> = units.iter().map(|unit| (unit.node(), unit.time, unit.line)).collect();
        // A file's own order stays, even where its clock goes back.
        assert_eq!(order, [(1, 0, 1), (2, 100, 1), (1, 200, 2), (1, 150, 3), (2, 695, 2)]);
        assert_eq!(units.first().and_then(|unit| run.file(unit)), Some("one"));
    }

    #[test]
    fn a_file_without_a_wall_clock_stands_by_itself_alone() {
        let line = r#"{"at":7,"node":1,"event":"Start"}"#;
        let run = merge(vec![part("one", line).0, part("empty", "").0]).expect("one has lines");
        assert_eq!(run.unit(1).map(|unit| unit.time), Some(7));
        let refused = merge(vec![part("one", line).0, part("two", line).0]).expect_err("no clock");
        assert!(refused.to_string().starts_with("one has no Start with unix_nanos"), "{refused}");
    }

    #[test]
    fn what_is_no_trace_is_an_error_and_a_cut_one_a_note() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |text: &str| {
            let path = folder.path().join("run.ndjson");
            std::fs::write(&path, text).expect("a file");
            open(&[path]).map(|(run, notes)| (run.len(), notes)).map_err(|error| format!("{error:#}"))
        };
        let line = "{\"at\":7,\"node\":1,\"event\":\"Start\"}\n";
        assert_eq!(write(line), Ok((1, vec![])));
        let note = "run.ndjson: line 2: the trace is cut off here; shown is what stands before";
        assert_eq!(write(&format!("{line}{{\"at\"")), Ok((1, vec![note.to_owned()])));
        let error = write("{}\n").expect_err("no trace");
        assert!(error.contains("is no trace: line 1: at is missing"), "{error}");
        assert_eq!(write(""), Err("nothing is recorded there".to_owned()));
        assert!(open(&[folder.path().to_owned()]).is_err(), "a folder without lives");
        assert!(open(&[folder.path().join("none")]).is_err());
    }
}
