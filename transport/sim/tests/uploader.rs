//! What the explorer must find in each stage of the uploader, and no more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

#[path = "../examples/uploader/model.rs"]
mod model;

use model::{Action, Uploader};
use synod_sim::explore::{End, Report, Verdict};

type Stage = Report<model::State, Action>;

fn explore(stage: u8) -> Stage {
    let report = Uploader::stage(stage).unwrap().explorer().threads(2).run().unwrap();
    assert_eq!(report.end, End::Complete);
    report
}

/// The broken properties, each with the length of its counterexample and where its cycle begins.
fn broken(report: &Stage) -> Vec<(&str, usize, Option<usize>)> {
    let broken = report.findings.iter().filter(|finding| finding.verdict != Verdict::Holds);
    broken
        .map(|finding| {
            let path = finding.path.as_ref().unwrap();
            (finding.property.as_str(), path.steps.len(), path.cycle_from)
        })
        .collect()
}

fn actions(report: &Stage, property: &str) -> Vec<Action> {
    let path = report.finding(property).unwrap().path.as_ref().unwrap();
    path.steps.iter().map(|(action, _)| *action).collect()
}

#[test]
fn first_a_worker_cannot_find_the_upload() {
    let report = explore(1);
    assert_eq!((report.states, report.edges), (46, 65));
    assert_eq!(broken(&report), [("Found", 2, None), ("Served", 3, Some(3))]);
    assert_eq!(actions(&report, "Found"), [Action::Upload, Action::Take(0)]);
}

#[test]
fn then_a_crash_without_fairness_leaves_content_unprocessed_for_ever() {
    let report = explore(2);
    assert_eq!((report.states, report.edges), (62, 139));
    assert_eq!(broken(&report), [("Served", 3, Some(1)), ("Tidied", 6, Some(3))]);
    assert_eq!(actions(&report, "Served"), [Action::Upload, Action::Take(0), Action::Crash(0)]);
}

#[test]
fn then_an_old_edit_overwrites_a_newer_one_and_orphans_files() {
    let report = explore(3);
    assert_eq!((report.states, report.edges), (927, 3427));
    assert_eq!(
        broken(&report),
        [
            ("LinkWhole", 12, None),
            ("NoOrphan", 10, None),
            ("NewerStays", 8, None),
            ("Served", 10, Some(10)),
            ("Tidied", 10, Some(10))
        ]
    );
    let last = actions(&report, "NewerStays").split_off(6);
    assert_eq!(last, [Action::Link(1), Action::Link(0)]);
}

#[test]
fn at_last_a_version_check_and_a_cleaner_make_everything_hold() {
    let report = explore(4);
    assert_eq!((report.states, report.edges), (413, 1676));
    assert_eq!(broken(&report), []);
    assert!(report.holds());
}
