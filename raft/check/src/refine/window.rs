//! The part of a log that a step speaks of.

use super::mail::Mail;
use super::scene::{Image, Memory, Scene, Server, Step};

/// The same step with all indexes lower, so that what all its logs share at their front is hardly shown.
///
/// Sound because the specification only compares indexes and looks at entries from the lowest index on that the step names;
/// an index below the window counts as zero, "nothing", on both sides.
#[must_use]
pub(super) fn narrowed(step: &Step, mails: &[&Mail]) -> Step {
    let by = lowest(step, mails).saturating_sub(2);
    if by == 0 {
        return step.clone();
    }
    Step {
        hint: step.hint.lowered(by),
        before: lower_scene(&step.before, by),
        after: lower_scene(&step.after, by),
    }
}

/// The lowest index that decides something.
fn lowest(step: &Step, mails: &[&Mail]) -> u64 {
    let servers = || step.before.servers.values().chain(step.after.servers.values());
    let Some(first) = servers().next().map(|server| &server.memory.log) else { return 0 };
    let logs =
        servers().flat_map(|server| server.images.iter().map(|image| &image.log).chain([&server.memory.log]));
    let shared = logs.map(|log| log.shared(first));
    let commits = servers().map(|server| server.memory.commit).filter(|commit| *commit > 0);
    let named = mails.iter().filter_map(|mail| mail.lowest());
    shared.chain(commits).chain(named).min().unwrap_or(0)
}

fn lower_scene(scene: &Scene, by: u64) -> Scene {
    Scene {
        servers: scene.servers.iter().map(|(id, server)| (*id, lower_server(server, by))).collect(),
        net: scene.net.iter().map(|mail| mail.lowered(by)).collect(),
        spent: scene.spent,
        decided: scene.decided.behind(by),
        led: scene.led.clone(),
    }
}

fn lower_server(server: &Server, by: u64) -> Server {
    let memory = &server.memory;
    let matched = memory.matched.iter().map(|(id, index)| (*id, index.saturating_sub(by)));
    Server {
        memory: Memory {
            log: memory.log.behind(by),
            commit: memory.commit.saturating_sub(by),
            matched: matched.collect(),
            ..memory.clone()
        },
        images: server
            .images
            .iter()
            .map(|image| Image { log: image.log.behind(by), ..image.clone() })
            .collect(),
        seals: server.seals.iter().map(|(after, mail)| (*after, mail.lowered(by))).collect(),
    }
}
