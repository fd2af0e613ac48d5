//! Three sentences for a newcomer: what runs, what must hold, what became of it.

use synod_picture::{LaneKind, Lasting, Run, Span};
use synod_raft_check::registry::{Plant, same};

/// What each invariant says, in a sentence that needs no paper.
const INVARIANTS: &[(&str, &str)] = &[
    ("election safety", "In one term at most one node may lead: two leaders could promise different things."),
    ("leader append-only", "A leader only adds to its log; it never cuts or changes what stands there."),
    ("log matching", "Two logs that have the same term at one index are the same up to there."),
    (
        "leader completeness",
        "What is once committed stands in the log of every later leader; otherwise it could be lost.",
    ),
    ("state machine safety", "No two nodes may apply different commands at the same index."),
    (
        "committed is durable",
        "What counts as committed must be on the disks of a quorum, so that no loss of power takes it.",
    ),
    (
        "read freshness",
        "A linearizable read must see every write that was acknowledged before the read was asked for.",
    ),
    (
        "durability",
        "What a client was told is done must be there for ever, and be what the client asked for.",
    ),
    (
        "applied in order",
        "Every node applies the log one entry after the other, none twice and none left out.",
    ),
    ("no promise before sync", "No answer that promises something durable may leave before the disk has it."),
    ("invariants of the core", "The machine's own fields must agree with each other after every step."),
    (
        "machine",
        "A machine refuses to go on when it is shown what cannot be, such as a second leader in its term.",
    ),
    ("store", "A store must take what a host asks of it."),
    ("garbled", "A frame that was changed on its way must be refused, and one that was not must be read."),
    (
        "liveness",
        "Once faults have ended, the cluster must take writes and reads again within a bounded time.",
    ),
    ("endless", "A run must come to its end."),
];

/// What an invariant says; nothing for one that nobody described.
pub(crate) fn invariant_of(name: &str) -> Option<&'static str> {
    INVARIANTS.iter().find(|(it, _)| same(it, name)).map(|(_, says)| *says)
}

/// The sentences of a run that was judged: the scene, what must hold or what was broken on purpose, what came of it.
pub(crate) fn story(run: &Run, scene: &str, plant: Option<Plant>) -> Vec<String> {
    if run.violation.is_some() {
        return broken(run, scene, plant);
    }
    vec![
        scene.to_owned(),
        contents(run),
        "Every invariant held after every step, and once the faults ended the cluster went on.".to_owned(),
    ]
}

/// The sentences of a run of which nobody knows whether all is well.
pub(crate) fn unjudged(run: &Run, scene: &str) -> Vec<String> {
    if run.violation.is_some() {
        return broken(run, scene, None);
    }
    vec![
        scene.to_owned(),
        contents(run),
        "Nobody has judged it here: the page shows what the trace says.".to_owned(),
    ]
}

fn contents(run: &Run) -> String {
    let leads = |span: &&Span| matches!(&span.what, Lasting::Role(role, _) if role == "Leader");
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let elected = run.spans.iter().filter(leads).count();
    let elected = if elected == 0 {
        String::new()
    } else {
        format!(" {} became leader;", count(elected, "time a node", "times a node"))
    };
    let messages = count(run.arrows.len(), "message was sent", "messages were sent");
    format!(
        "Bands behind a node's line are its roles, arrows are messages, and what clients asked stands above with the time \
         it took:{elected} {messages}."
    )
}

fn broken(run: &Run, scene: &str, plant: Option<Plant>) -> Vec<String> {
    let mut story = vec![match plant {
        None => scene.to_owned(),
        Some(plant) => format!("{scene} One rule is broken on purpose ({}): {}", plant.name(), plant.about()),
    }];
    let Some((step, text)) = &run.violation else { return story };
    let (name, why) = text.split_once(": ").unwrap_or((text, ""));
    story
        .push(invariant_of(name).map_or_else(|| format!("The invariant “{name}” must hold."), str::to_owned));
    let culprit = run.steps.iter().take(*step).rev().find_map(|step| {
        let lane = run.lanes.get(step.lane).filter(|lane| lane.kind == LaneKind::Node)?;
        Some(lane.name.as_str())
    });
    story.push(format!(
        "At the red line it broke ({name}): {why}. The step of {} that broke it is chosen, and what led to it is lit up \
         in blue: read from there to the left.",
        culprit.unwrap_or("the node")
    ));
    story
}

#[cfg(test)]
mod tests {
    use synod_raft_check::registry::ENTRIES;

    use super::*;

    #[test]
    fn whatever_a_planted_fault_breaks_is_described() {
        for entry in ENTRIES {
            for name in std::iter::once(&entry.breaks).chain(entry.or) {
                assert!(invariant_of(name).is_some(), "{name} is not described");
            }
            let about = entry.plant.about();
            assert!(about.ends_with('.') && about.len() > 20, "{about}");
        }
        assert_eq!(invariant_of("none such"), None);
    }
}
