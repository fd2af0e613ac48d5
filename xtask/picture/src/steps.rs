//! Lines to steps: what belongs together is kept together.
//!
//! More forgiving than `synod_transport::trace::groups`, since a picture of half a run is better than none: a step that is
//! cut off is kept as far as it goes.

use synod_transport::trace::{Line, Place, place};

use crate::run::Kind;

/// The lines of one step, or one that stands alone.
pub(crate) type Lines = Vec<Line>;

/// What wrote a trace that begins like this.
pub(crate) fn kind_of(first: Option<&Line>) -> Kind {
    match first.map(|line| (line.event.as_str(), line.get("unix_nanos"))) {
        Some(("Start", Some(_))) => Kind::Processes,
        Some(("Timeout" | "Interval" | "Propose" | "Read" | "Persist" | "Receive" | "Crash", _)) => {
            Kind::Explored
        }
        _ => Kind::World,
    }
}

/// Whether a step begins here.
fn opens(line: &Line, kind: Kind) -> bool {
    place(&line.event) == Place::Opens || (kind == Kind::Explored && line.event == "Crash")
}

/// Puts lines together, in their order.
pub(crate) fn steps(lines: impl IntoIterator<Item = Line>, kind: Kind) -> Vec<Lines> {
    let mut steps: Vec<Lines> = Vec::new();
    let mut open = false;
    for line in lines {
        let same = steps.last().and_then(|step| step.last()).is_some_and(|last| last.node == line.node);
        let closes = place(&line.event) == Place::Closes;
        if open && same && (closes || place(&line.event) == Place::Within) {
            if let Some(step) = steps.last_mut() {
                step.push(line);
            }
            open = !closes;
        } else {
            open = opens(&line, kind);
            steps.push(vec![line]);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, kind: Kind) -> String {
        let line = |word: &str| {
            let (node, event) = word.split_once(':').expect("node:event");
            Line { node: node.parse().expect("a node"), event: event.to_owned(), ..Line::default() }
        };
        let steps = steps(text.split_whitespace().map(line), kind);
        let shown = steps
            .iter()
            .map(|step| step.iter().map(|line| line.event.as_str()).collect::<Vec<_>>().join("+"));
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_step_goes_from_its_input_to_its_end() {
        let text =
            "1:InitState 1:Wake 1:BecomeLeader 1:Write 1:SendX 1:Ready 1:Crash 2:ReceiveX 2:Failed 2:Failed";
        assert_eq!(
            shown(text, Kind::World),
            "InitState Wake+BecomeLeader+Write+SendX+Ready Crash ReceiveX+Failed Failed"
        );
    }

    #[test]
    fn what_is_cut_off_or_out_of_place_is_kept() {
        assert_eq!(
            shown("1:Wake 1:Write 2:Wake 2:Ready 1:Write", Kind::World),
            "Wake+Write Wake+Ready Write"
        );
    }

    #[test]
    fn an_explored_crash_is_a_step() {
        assert_eq!(shown("1:Crash 1:Ready 0:Broken", Kind::Explored), "Crash+Ready Broken");
        assert_eq!(shown("1:Crash 1:Start", Kind::World), "Crash Start");
    }
}
