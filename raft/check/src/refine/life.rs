//! One server's life, as the lines of a trace tell it.

use std::collections::VecDeque;

use synod_transport::trace::{Line, Value as Seen};

use super::mail::{Mail, pair};
use super::run::{RunError, unfit};
use super::scene::{Image, Memory, Server};

/// A server as its lines tell it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) memory: Memory,
    /// Images by the number of the write that made them; the durable one first, as far as the server knows.
    pub(super) images: VecDeque<(u64, Image)>,
    /// Seal, the write it waits for, the message.
    seals: VecDeque<(u64, u64, Mail)>,
    /// How many unsynced writes survived at least, once it has crashed.
    pub(super) survived: u64,
    /// Whether the last of what it did is not known.
    pub(super) tail_lost: bool,
}

/// What a step let out.
#[derive(Debug, Default)]
pub(super) struct Let {
    /// Messages whose seals a receipt opened.
    pub(super) opened: Vec<Mail>,
    /// Messages that needed none.
    pub(super) sent: Vec<Mail>,
}

impl Life {
    /// A life that begins with this image.
    pub(super) fn begin(image: Image) -> Self {
        let memory = Memory::fresh(&image);
        Self {
            memory,
            images: VecDeque::from([(0, image)]),
            seals: VecDeque::new(),
            survived: 0,
            tail_lost: false,
        }
    }

    /// The server as the specification has it.
    pub(super) fn server(&self) -> Server {
        let durable = self.images.front().map_or(0, |(id, _)| *id);
        // A host opens seals in their order: one that is covered may wait for those before it. Late is safe; it counts as
        // waiting for one more.
        let after = |write: u64| write.saturating_sub(durable).max(1);
        Server {
            memory: self.memory.clone(),
            images: self.images.iter().map(|(_, image)| image.clone()).collect(),
            seals: self.seals.iter().map(|(_, write, mail)| (after(*write), mail.clone())).collect(),
        }
    }

    /// A receipt came: images through this write are durable. How many more that is.
    pub(super) fn receipt(&mut self, through: u64) -> u64 {
        let mut count = 0;
        while self.images.get(1).is_some_and(|(id, _)| *id <= through) {
            self.images.pop_front();
            count += 1;
        }
        count
    }

    /// Whether a server may start with this after a life whose end is not known: what was durable of term and vote is
    /// not undone. Its log may have been cut since.
    pub(super) fn may_leave(&self, image: &Image) -> bool {
        let Some((_, durable)) = self.images.front() else { return true };
        let kept = durable.vote == 0 || durable.vote == image.vote;
        image.term > durable.term || (image.term == durable.term && kept)
    }

    /// Whether what the server says of its disk is what its lines say.
    pub(super) fn agrees_with(&self, state: &Seen) -> bool {
        let says = |name: &str| state.get(name).and_then(Seen::as_number);
        let log = &self.memory.log;
        let persisted = self.images.iter().map(|(_, image)| image.log.shared(log)).min();
        let unsaved = self.images.len().checked_sub(1).map(|count| count as u64);
        says("persisted") == persisted && says("unsaved") == unsaved
    }

    /// Carries the effects of a step out on images and seals.
    pub(super) fn take(&mut self, input: &Line, effects: &[Line], after: Memory) -> Result<Let, RunError> {
        let mut out = Let::default();
        let through = input.get("through").and_then(Seen::as_number).unwrap_or(0);
        if self.images.back().is_none_or(|(id, _)| *id < through) {
            return Err(unfit(input, "a receipt for a write that was not made"));
        }
        for line in effects {
            match line.event.as_str() {
                "Write" => {
                    let written = self.write(line)?;
                    self.images.push_back(written);
                }
                "Seal" => {
                    let number = |name: &str| line.get(name).and_then(Seen::as_number);
                    let seal = number("seal").zip(number("after")).zip(Mail::of_line(line));
                    let Some(((seal, after), mail)) = seal else {
                        return Err(unfit(line, "a seal without its fields"));
                    };
                    self.seals.push_back((seal, after, mail));
                }
                event if event.starts_with("Send") => self.send(line, &mut out)?,
                _ => {}
            }
        }
        self.memory = after;
        if self.images.back().map(|(_, image)| image) != Some(&self.memory.image()) {
            return Err(unfit(input, "what was written is not what the server holds after the step"));
        }
        Ok(out)
    }

    fn send(&mut self, line: &Line, out: &mut Let) -> Result<(), RunError> {
        let Some(mail) = Mail::of_line(line) else {
            return Err(unfit(line, "a message that is none of Raft's"));
        };
        let Some(seal) = line.get("seal").and_then(Seen::as_number) else {
            out.sent.push(mail);
            return Ok(());
        };
        let front = self.seals.pop_front();
        if front.is_none_or(|(number, _, sealed)| number != seal || sealed != mail) {
            return Err(unfit(line, "another seal opens than the oldest"));
        }
        out.opened.push(mail);
        Ok(())
    }

    /// The image that a write makes.
    fn write(&self, line: &Line) -> Result<(u64, Image), RunError> {
        let number = |name: &str| line.get(name).and_then(Seen::as_number);
        let mut image = self.images.back().map(|(_, image)| image.clone()).unwrap_or_default();
        if let Some(from) = number("truncate_from") {
            image.log = image.log.front(from.saturating_sub(1));
        }
        if let Some(append) = line.get("append") {
            let fits = |(term, index)| {
                index == image.log.len() && if index == 0 { term == 0 } else { image.log.ends_in(term) }
            };
            if !append.get("after").and_then(pair).is_some_and(fits) {
                return Err(unfit(line, "a write that leaves a hole in the log"));
            }
            let runs = append.get("runs").and_then(Seen::as_list).unwrap_or_default();
            for (term, count) in runs.iter().filter_map(pair) {
                image.log.push(term, count);
            }
        }
        if let Some(state) = line.get("hard_state") {
            let field = |name| state.get(name).and_then(Seen::as_number);
            let (Some(term), Some(vote)) = (field("term"), field("vote")) else {
                return Err(unfit(line, "a hard state without term and vote"));
            };
            (image.term, image.vote) = (term, vote);
        }
        let Some(id) = number("id") else { return Err(unfit(line, "a write without a number")) };
        Ok((id, image))
    }
}

#[cfg(test)]
mod tests {
    use synod_transport::trace::read;

    use super::*;
    use crate::refine::Log;

    /// A step of a server that holds one entry of term 1: is it accepted?
    fn taken(input: &str, effects: &str, entries: u64) -> bool {
        let lines = |text: &str| read(text.as_bytes()).collect::<Result<Vec<_>, _>>().expect("lines");
        let image = |count| Image { term: 1, vote: 0, log: Log::new([(1, count)]) };
        let inputs = lines(input);
        let input = inputs.first().expect("a line");
        Life::begin(image(1)).take(input, &lines(effects), Memory::fresh(&image(entries))).is_ok()
    }

    #[test]
    fn a_receipt_names_a_write_that_was_made() {
        let receipt =
            |through| format!("{{\"at\":1,\"node\":1,\"event\":\"Persisted\",\"through\":{through}}}");
        assert!(taken(&receipt(0), "", 1));
        assert!(!taken(&receipt(1), "", 1));
    }

    #[test]
    fn a_write_goes_on_where_the_log_ends() {
        let wake = "{\"at\":1,\"node\":1,\"event\":\"Wake\"}";
        let write = |after: &str| {
            let append = format!("{{\"after\":{after},\"runs\":[[1,1]]}}");
            format!("{{\"at\":1,\"node\":1,\"event\":\"Write\",\"id\":1,\"append\":{append}}}")
        };
        assert!(taken(wake, &write("[1,1]"), 2));
        assert!(!taken(wake, &write("[1,2]"), 2), "a hole");
        assert!(!taken(wake, &write("[2,1]"), 2), "another entry");
    }
}
