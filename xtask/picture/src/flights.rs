//! Which message that came is which message that was sent.
//!
//! Traces name no messages, so they are told apart by their content: a message that came is the oldest one with its
//! content that has not come yet, and one that was lost the newest. Where several say the same, that may be the wrong one,
//! but what is claimed of causes is true all the same: the true one was sent no earlier, or came before. A network that keeps order helps: what was overtaken
//! will not come any more.

use std::collections::BTreeMap;

use synod_transport::trace::Value;

use crate::brief::brief;
use crate::run::{Arrow, Fate, Loss};
use crate::steps::Lines;

/// What a network may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Messages overtake each other.
    Any,
    /// Messages of one kind between two nodes do not, and clocks disagree by at most so many nanoseconds.
    Kept(u64),
}

/// Two nodes and a kind.
type Way<'a> = (u64, u64, &'a str);

/// A message that was sent and may come, in pieces perhaps.
struct Flight<'a> {
    step: usize,
    at: u64,
    message: &'a Value,
    /// How many entries of it, at least one, came or were lost; how many there are.
    covered: u64,
    whole: u64,
    /// More copies that the network made.
    copies: u32,
    landed: bool,
}

/// A message that came, or was seen to be lost, or doubled, at a step.
struct Sighting<'a> {
    step: usize,
    at: u64,
    what: Seen<'a>,
    way: Way<'a>,
    message: &'a Value,
}

#[derive(Clone, Copy)]
enum Seen<'a> {
    Received,
    Lost(&'a str),
    Doubled,
}

/// An arrow by steps alone: lanes are known later.
pub(crate) struct Found {
    pub(crate) from: (u64, Option<usize>),
    pub(crate) to: (u64, Option<usize>),
    pub(crate) arrow: Arrow,
}

/// All arrows of these steps; each has the time `at` of its place. In order of sending, what was not seen to be sent in
/// the order of coming.
pub(crate) fn flights(steps: &[Lines], at: &[u64], order: Order) -> Vec<Found> {
    let mut sky: BTreeMap<Way<'_>, Vec<Flight<'_>>> = BTreeMap::new();
    let mut found = Vec::new();
    let time = |step: usize| at.get(step).copied().unwrap_or(0);
    if let Order::Kept(_) = order {
        // A file of a faster clock may show the coming before the sending.
        for (step, lines) in steps.iter().enumerate() {
            take_off(&mut sky, step, time(step), lines);
        }
    }
    for (step, lines) in steps.iter().enumerate() {
        for sighting in sightings(step, time(step), lines) {
            see(&mut sky, &mut found, &sighting, order);
        }
        if order == Order::Any {
            take_off(&mut sky, step, time(step), lines);
        }
    }
    for (way, flights) in &sky {
        for flight in flights.iter().filter(|flight| !flight.landed && flight.covered == 0) {
            found.push(arrow(*way, Some(flight.step), None, flight.message, Fate::Unseen, false));
        }
    }
    found.sort_by_key(|found| {
        let steps = (found.from.1, found.to.1);
        (steps.0.or(steps.1), steps.1, found.arrow.copy)
    });
    found
}

/// What these lines send.
fn take_off<'a>(sky: &mut BTreeMap<Way<'a>, Vec<Flight<'a>>>, step: usize, at: u64, lines: &'a Lines) {
    for line in lines.iter().filter(|line| line.event.starts_with("Send")) {
        let (Some(to), Some(message)) = (line.peer, &line.message) else { continue };
        let flight = Flight {
            step,
            at,
            message,
            covered: 0,
            whole: entries(message).max(1),
            copies: 0,
            landed: false,
        };
        sky.entry((line.node, to, kind(message))).or_default().push(flight);
    }
}

/// What these lines say became of messages.
fn sightings<'a>(step: usize, at: u64, lines: &'a Lines) -> impl Iterator<Item = Sighting<'a>> {
    lines.iter().filter_map(move |line| {
        let (peer, message) = (line.peer?, line.message.as_ref()?);
        let (what, from, to) = match line.event.as_str() {
            "Lost" => (Seen::Lost("loss"), line.node, peer),
            "Drop" => {
                let reason = line.get("reason").and_then(Value::as_text).unwrap_or("loss");
                (Seen::Lost(reason), line.node, peer)
            }
            "Duplicate" => (Seen::Doubled, line.node, peer),
            event if event.starts_with("Receive") => (Seen::Received, peer, line.node),
            _ => return None,
        };
        Some(Sighting { step, at, what, way: (from, to, kind(message)), message })
    })
}

fn see<'a>(
    sky: &mut BTreeMap<Way<'a>, Vec<Flight<'a>>>,
    found: &mut Vec<Found>,
    sighting: &Sighting<'a>,
    order: Order,
) {
    let Sighting { step, way, message, .. } = *sighting;
    let flights = sky.entry(way).or_default();
    let fate = match sighting.what {
        Seen::Received => Fate::Delivered,
        Seen::Lost(why) => Fate::Lost(Loss { at: sighting.at, number: step + 1, why: why.to_owned() }),
        Seen::Doubled => {
            if let Some(flight) = flights.iter_mut().rev().find(|it| holds(it.message, message)) {
                flight.copies += 1;
            }
            return;
        }
    };
    let to = (fate == Fate::Delivered).then_some(step);
    let Some((place, copy)) = which(flights, sighting, order) else {
        // Lost at once: an explored step, which says so instead of sending.
        let from = (fate != Fate::Delivered).then_some(step);
        found.push(arrow(way, from, to, message, fate, false));
        return;
    };
    let mut place = place;
    if let (Order::Kept(_), Seen::Received) = (order, sighting.what) {
        // What was overtaken will not come any more.
        for flight in flights.drain(..place).filter(|flight| flight.covered == 0) {
            found.push(arrow(way, Some(flight.step), None, flight.message, Fate::Unseen, false));
        }
        place = 0;
    }
    let Some(flight) = flights.get_mut(place) else { return };
    found.push(arrow(way, Some(flight.step), to, message, fate, copy));
    if copy {
        flight.copies = flight.copies.saturating_sub(1);
    } else {
        flight.covered += entries(message).max(1);
        flight.landed = flight.covered >= flight.whole;
    }
}

/// The flight that this is, and whether it is a second copy. What came is the oldest that may still come, what was lost the
/// newest: so nothing is said to have been caused by a sending that came later than the true one.
fn which(flights: &[Flight<'_>], sighting: &Sighting<'_>, order: Order) -> Option<(usize, bool)> {
    let possible = |flight: &Flight<'_>| match order {
        Order::Any => true,
        Order::Kept(tolerance) => flight.at <= sighting.at.saturating_add(tolerance),
    };
    let fits = |flight: &Flight<'_>| possible(flight) && holds(flight.message, sighting.message);
    let awaited = |flight: &Flight<'_>| (!flight.landed || flight.copies > 0) && fits(flight);
    if let Seen::Lost(_) = sighting.what {
        let newest = flights.iter().rposition(awaited)?;
        return Some((newest, flights.get(newest)?.copies > 0));
    }
    if let Some(oldest) = flights.iter().position(awaited) {
        return Some((oldest, flights.get(oldest)?.landed));
    }
    // A network that doubles without saying so.
    let again = || flights.iter().position(|flight| flight.landed && fits(flight));
    (order == Order::Any).then(again).flatten().map(|place| (place, true))
}

fn arrow(
    (from, to, kind): Way<'_>,
    sent: Option<usize>,
    came: Option<usize>,
    message: &Value,
    fate: Fate,
    copy: bool,
) -> Found {
    let arrow =
        Arrow { from: (0, sent), to: (0, came), fate, copy, kind: kind.to_owned(), brief: brief(message) };
    Found { from: (from, sent), to: (to, came), arrow }
}

fn kind(message: &Value) -> &str {
    message.get("kind").and_then(Value::as_text).unwrap_or("")
}

/// How many entries a message moves.
fn entries(message: &Value) -> u64 {
    let runs = message.get("runs").and_then(Value::as_list).unwrap_or_default();
    runs.iter().filter_map(|run| run.as_list()?.get(1)?.as_number()).fold(0, u64::saturating_add)
}

/// Whether what came is the message that was sent, or a piece of it: hosts cut those that are too long for a frame.
fn holds(sent: &Value, came: &Value) -> bool {
    if sent == came {
        return true;
    }
    let index = |message: &Value| message.get("after")?.as_list()?.get(1)?.as_number();
    let (Some(first), Some(after)) = (index(sent), index(came)) else { return false };
    let inside = after >= first && after.saturating_add(entries(came)) <= first.saturating_add(entries(sent));
    let rest = |message: &Value| match message {
        Value::Record(fields) => {
            let plain = |name: &str| !matches!(name, "after" | "runs");
            fields.iter().filter(|(name, _)| plain(name)).cloned().collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    inside && rest(sent) == rest(came)
}

#[cfg(test)]
#[path = "flights/tests.rs"]
mod tests;
