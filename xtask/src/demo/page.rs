//! The run as a page.

use std::path::Path;

use synod_picture::{Look, Run, processes_in};
use synod_sim::linear::{Failure, Operation};
use synod_transport::trace::Value;

use super::audit::Findings;
use super::{Args, Plant};
use crate::pages;

/// The line that does the same again; what the network and the disks do is never the same.
pub(super) fn command(args: &Args) -> String {
    let plant = match args.plant {
        None => "",
        Some(Plant::StaleRead) => " --plant stale-read",
    };
    let Args { seconds, clients, keys, seed, .. } = args;
    format!("cargo xtask demo --seconds {seconds} --clients {clients} --keys {keys} --seed {seed}{plant}")
}

/// Draws what the processes and the clients recorded in `folder`; opens at what was found.
pub(super) fn draw(args: &Args, folder: &Path, findings: &Findings, out: &Path) -> anyhow::Result<()> {
    let mut run = processes_in(folder)?;
    run.violation = violation(&run, findings);
    let mut story = vec![
        "Three real processes keep a replicated key-value store on real sockets and disks; one leader is killed, others \
         are paused, and clients write and read all the time."
            .to_owned(),
        "Each process has a clock of its own, so times are laid beside each other by messages: how far each may be off \
         stands below its name."
            .to_owned(),
    ];
    story.push(match &run.violation {
        None => "Every answer that a client got can be explained by one order of all operations, and no acknowledged write \
                 was lost."
            .to_owned(),
        Some((_, text)) => format!("At the red line a client heard what no order of the operations explains: {text}."),
    });
    let look = Look {
        title: "Three processes, one killed, another paused".to_owned(),
        story,
        command: format!("{} --html {}", command(args), out.display()),
        ..Look::default()
    };
    pages::write(&run, &look, out)
}

/// The step at which what was found came to light: the culprit's answer, or the end.
fn violation(run: &Run, findings: &Findings) -> Option<(usize, String)> {
    let last = run.steps.len().checked_sub(1)?;
    if let Some(failure) = &findings.offence {
        let (step, text) = match failure {
            Failure::Offence(offence) => (answer_of(run, &offence.culprit), offence.culprit.to_string()),
            other => (None, other.to_string()),
        };
        return Some((step.unwrap_or(last), format!("not linearizable: {text}")));
    }
    let all = findings.lost.iter().map(|it| ("lost write", it));
    let all = all.chain(findings.differing.iter().map(|it| ("nodes differ", it)));
    all.map(|(what, text)| (last, format!("{what}: {text}"))).next()
}

/// The step of a client's answer, by its own call: no two calls of a client begin at once.
fn answer_of(run: &Run, culprit: &Operation) -> Option<usize> {
    let is_it = |operation: &&synod_picture::Operation| {
        let call = run.steps.get(operation.from).and_then(|step| step.lines.first());
        call.is_some_and(|line| {
            line.at == culprit.invoke && line.get("client").and_then(Value::as_number) == Some(culprit.client)
        })
    };
    run.operations.iter().find(is_it)?.to
}
