//! A reader's way through a recorded run: where it stands, what it stops at, and what it answers.

use std::io::{self, Write};

use super::cause::{self, Said};
use super::command::{self, COMMANDS, Command, Mistake, PREDICATES, Place, Span};
use super::predicate::Predicate;
use super::recording::{Recording, Unit};
use super::show::{self, FAINT, STRONG, TROUBLE, node_name, styled};
use super::value::{Shown, printable};

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Given,
    /// It could not be done, and the reader was told why. Nothing changed.
    Refused,
    /// The session is over.
    Over,
}

/// Why a command could not be done.
enum Trouble {
    /// The reader's affair.
    Refused(String),
    /// The output is gone.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::Refused(text)
    }
}

/// Stands before the first step when it begins.
#[derive(Debug)]
pub(super) struct Session<'a> {
    run: &'a Recording,
    /// How many units have happened.
    here: usize,
    /// By number, ascending; a number is given once.
    breaks: Vec<(u64, Predicate)>,
    last_break: u64,
    /// The last line that was not empty.
    line: String,
    sought: Option<String>,
}

impl<'a> Session<'a> {
    pub(super) const fn new(run: &'a Recording) -> Self {
        Self { run, here: 0, breaks: Vec::new(), last_break: 0, line: String::new(), sought: None }
    }

    /// What stands before the reader's line on a terminal.
    pub(super) fn prompt(&self) -> String {
        format!("#{} of {}> ", self.here, self.run.len())
    }

    /// Does what the line says; an empty one does the last again.
    ///
    /// # Errors
    /// Those of `out`.
    pub(super) fn obey(&mut self, line: &str, out: &mut impl Write) -> io::Result<Answer> {
        if !line.trim().is_empty() {
            line.trim().clone_into(&mut self.line);
        }
        if self.line.is_empty() {
            return Ok(Answer::Given);
        }
        let command = match command::parse(&self.line) {
            Ok(Command::Quit) => return Ok(Answer::Over),
            Ok(command) => command,
            Err(mistake) => return tell(&mistake, out).map(|()| Answer::Refused),
        };
        match self.answer(command, out) {
            Ok(()) => Ok(Answer::Given),
            Err(Trouble::Refused(text)) => {
                writeln!(out, "{} {text}", styled(TROUBLE, "error:"))?;
                Ok(Answer::Refused)
            }
            Err(Trouble::Output(error)) => Err(error),
        }
    }

    fn answer(&mut self, command: Command, out: &mut impl Write) -> Result<(), Trouble> {
        match command {
            Command::Next(count) => self.next(count, out),
            Command::Back(count) => self.back(count, out),
            Command::Goto(place) => self.goto(&place, out),
            Command::Run => self.run_on(out),
            Command::Reverse => self.run_back(out),
            Command::Break(predicate) => self.set_break(predicate, out),
            Command::Breaks => self.list_breaks(out),
            Command::Delete(number) => self.delete(number, out),
            Command::State(node) => self.state(node, out),
            Command::States => Ok(show::states(self.run, self.here, out)?),
            Command::Difference(span) => self.difference(&span, out),
            Command::List(count) => self.list(count, out),
            Command::Find(text) => self.find(text, out),
            Command::Why => self.why(out),
            Command::Help => Ok(help(out)?),
            Command::Quit => Ok(()),
        }
    }

    /// Moves, and shows what is there.
    fn stand_at(&mut self, number: usize, out: &mut impl Write) -> Result<(), Trouble> {
        self.here = number;
        Ok(show::unit(self.run, number, out)?)
    }

    fn next(&mut self, count: usize, out: &mut impl Write) -> Result<(), Trouble> {
        if self.here == self.run.len() {
            return Err("this is the end".to_owned().into());
        }
        self.stand_at(self.here.saturating_add(count).min(self.run.len()), out)
    }

    fn back(&mut self, count: usize, out: &mut impl Write) -> Result<(), Trouble> {
        if self.here == 0 {
            return Err("this is the start".to_owned().into());
        }
        self.stand_at(self.here.saturating_sub(count), out)
    }

    fn goto(&mut self, place: &Place, out: &mut impl Write) -> Result<(), Trouble> {
        let number = match place {
            Place::Number(number) if *number <= self.run.len() => *number,
            Place::Number(_) => return Err(format!("the last step is #{}", self.run.len()).into()),
            Place::End => self.run.len(),
            Place::Violation => {
                self.run.violation().ok_or_else(|| "no invariant broke in this run".to_owned())?
            }
        };
        self.stand_at(number, out)
    }

    /// The breaks that hold at a unit.
    fn met(&self, number: usize) -> Option<String> {
        let held = self.breaks.iter().filter(|(_, predicate)| predicate.holds(self.run, number));
        let held: Vec<_> =
            held.map(|(number, it)| format!("break {number}: {}", printable(it.text()))).collect();
        (!held.is_empty()).then(|| held.join("; "))
    }

    fn run_on(&mut self, out: &mut impl Write) -> Result<(), Trouble> {
        if self.here == self.run.len() {
            return Err("this is the end".to_owned().into());
        }
        let met = (self.here + 1..=self.run.len()).find_map(|number| Some((number, self.met(number)?)));
        let (number, why) = met.unwrap_or_else(|| (self.run.len(), "the end".to_owned()));
        writeln!(out, "{}", styled(FAINT, why))?;
        self.stand_at(number, out)
    }

    fn run_back(&mut self, out: &mut impl Write) -> Result<(), Trouble> {
        if self.here == 0 {
            return Err("this is the start".to_owned().into());
        }
        let met = (1..self.here).rev().find_map(|number| Some((number, self.met(number)?)));
        let (number, why) = met.unwrap_or_else(|| (0, "the start".to_owned()));
        writeln!(out, "{}", styled(FAINT, why))?;
        self.stand_at(number, out)
    }

    fn set_break(&mut self, predicate: Predicate, out: &mut impl Write) -> Result<(), Trouble> {
        self.last_break += 1;
        let number = self.last_break;
        writeln!(out, "break {number}: {}", printable(predicate.text()))?;
        for path in predicate.unknown_paths(self.run) {
            writeln!(out, "  nothing in this run has {path}")?;
        }
        self.breaks.push((number, predicate));
        Ok(())
    }

    fn list_breaks(&self, out: &mut impl Write) -> Result<(), Trouble> {
        if self.breaks.is_empty() {
            writeln!(out, "no breaks")?;
        }
        for (number, predicate) in &self.breaks {
            writeln!(out, "break {number}: {}", printable(predicate.text()))?;
        }
        Ok(())
    }

    fn delete(&mut self, number: u64, out: &mut impl Write) -> Result<(), Trouble> {
        let place = self.breaks.iter().position(|(it, _)| *it == number);
        let place = place.ok_or_else(|| format!("there is no break {number}"))?;
        self.breaks.remove(place);
        Ok(writeln!(out, "break {number} is gone")?)
    }

    fn unit(&self) -> Result<&'a Unit, String> {
        self.run.unit(self.here).ok_or_else(|| "nothing has happened yet: next, or goto".to_owned())
    }

    /// The node that is asked for, or that of the step here.
    fn node(&self, node: Option<u64>) -> Result<u64, String> {
        let Some(node) = node else {
            let node = self.unit()?.node();
            let which = || "this step is of the whole world; name a node".to_owned();
            return Some(node).filter(|node| *node != 0).ok_or_else(which);
        };
        if self.run.nodes().any(|it| it == node) {
            return Ok(node);
        }
        let nodes: Vec<_> = self.run.nodes().map(|node| node.to_string()).collect();
        Err(format!("there is no node {node}; there are {}", nodes.join(", ")))
    }

    fn state(&self, node: Option<u64>, out: &mut impl Write) -> Result<(), Trouble> {
        let node = self.node(node)?;
        if show::state(self.run, node, self.here, out)? {
            return Ok(());
        }
        Err(format!("{} has shown no state yet", node_name(node)).into())
    }

    fn difference(&self, span: &Span, out: &mut impl Write) -> Result<(), Trouble> {
        let node = self.node(span.node)?;
        let to = span.to.unwrap_or(self.here);
        // By itself: what the last step of the node changed.
        let newest = || self.run.state(node, to).map_or(0, |(number, _)| number.saturating_sub(1));
        let from = span.from.unwrap_or_else(newest);
        let state = |here: usize| {
            if here > self.run.len() {
                return Err(format!("the last step is #{}", self.run.len()));
            }
            let none = || format!("{} has shown no state at #{here} yet", node_name(node));
            self.run.state(node, here).ok_or_else(none)
        };
        let ((from, before), (to, after)) = (state(from)?, state(to)?);
        let head = format!("{}, from what #{from} left to what #{to} left", node_name(node));
        writeln!(out, "{}", styled(STRONG, head))?;
        if super::difference::changes(before, after).is_empty() {
            writeln!(out, "    nothing changed")?;
        }
        Ok(show::change_lines(before, after, out)?)
    }

    fn list(&self, count: usize, out: &mut impl Write) -> Result<(), Trouble> {
        let first = self.here.saturating_sub(count).max(1);
        let last = self.here.saturating_add(count).min(self.run.len());
        for number in first..=last {
            if let Some(unit) = self.run.unit(number) {
                writeln!(out, "{}", show::brief(self.run, number, unit, number == self.here))?;
            }
        }
        Ok(())
    }

    fn find(&mut self, text: Option<String>, out: &mut impl Write) -> Result<(), Trouble> {
        let text = text.or_else(|| self.sought.clone()).ok_or_else(|| "find what?".to_owned())?;
        self.sought = Some(text.clone());
        let shows = |number: &usize| {
            let mut lines = self.run.unit(*number).into_iter().flat_map(|unit| &unit.lines);
            lines.any(|line| {
                let state = line.state.as_ref().map(|state| Shown(state).to_string()).unwrap_or_default();
                show::event(line).contains(&text) || state.contains(&text)
            })
        };
        match (self.here + 1..=self.run.len()).find(shows) {
            Some(number) => self.stand_at(number, out),
            None => Err(format!("no step behind #{} shows {text:?}", self.here).into()),
        }
    }

    fn why(&self, out: &mut impl Write) -> Result<(), Trouble> {
        let unit = self.unit()?;
        if let Some(seen) = unit.event(cause::was_sent) {
            let said = cause::sending(self.run, self.here, seen);
            let none = "nothing here sent this: it was lost with its sender's last lines, or was never sent";
            return self.said(&said.ok_or_else(|| none.to_owned())?, "sent", out);
        }
        let opened: Vec<_> =
            unit.lines.iter().filter(|line| line.get("seal").is_some() && line.event != "Seal").collect();
        if opened.is_empty() {
            return Err("no frame came here, or was lost, and no seal opened".to_owned().into());
        }
        for sent in opened {
            match cause::sealing(self.run, self.here, sent) {
                Some(said) => self.said(&said, "sealed", out)?,
                None => writeln!(out, "{}: its seal was not recorded", show::event(sent))?,
            }
        }
        Ok(())
    }

    fn said(&self, said: &Said, how: &str, out: &mut impl Write) -> Result<(), Trouble> {
        let Some(unit) = self.run.unit(said.number) else { return Ok(()) };
        let line = unit.lines.get(said.line).map(show::event).unwrap_or_default();
        let distance = match self.here.abs_diff(said.number) {
            1 => "1 step".to_owned(),
            steps => format!("{steps} steps"),
        };
        let side = if said.number < self.here { "before" } else { "behind, since clocks differ" };
        let head = format!("{how} by {} in #{}, {distance} {side}", node_name(unit.node()), said.number);
        writeln!(out, "{}", styled(STRONG, head))?;
        writeln!(out, "  {line}")?;
        match said.earlier {
            0 => Ok(()),
            1 => Ok(writeln!(out, "  or in an earlier step, which sent the same")?),
            earlier => Ok(writeln!(out, "  or in one of {earlier} earlier steps, which sent the same")?),
        }
    }
}

fn tell(mistake: &Mistake, out: &mut impl Write) -> io::Result<()> {
    let error = styled(TROUBLE, "error:");
    match mistake {
        Mistake::Other(text) => writeln!(out, "{error} {text}"),
        Mistake::Predicate(text, misread) => {
            writeln!(out, "{error} {misread}")?;
            // A mark under the place; wide and hidden characters would shift it.
            if text.chars().all(|letter| letter.is_ascii() && !letter.is_control()) {
                writeln!(out, "  {text}\n  {:>column$}", "^", column = misread.column)?;
            }
            Ok(())
        }
    }
}

fn help(out: &mut impl Write) -> io::Result<()> {
    for (name, usage, what) in COMMANDS {
        let usage = format!("{name} {usage}");
        writeln!(out, "{usage:<34} {what}")?;
    }
    write!(out, "\n{PREDICATES}")
}
