//! The uploader in four stages: `cargo run -p synod-sim --example uploader -- [stage]`.
//!
//! Prints, for each stage, what was visited, what holds, and the shortest run that breaks what the stage is about.

mod model;

use model::Uploader;
use synod_sim::explore::{ExploreError, Verdict};

/// What each stage is about, and the property that tells.
const STAGES: [(u8, &str, &str); 4] = [
    (1, "the message is sent before the upload is stored", "Found"),
    (2, "workers crash, and are only weakly fair", "Served"),
    (3, "two workers, and an old edit", "NewerStays"),
    (4, "a version check and a cleaner", ""),
];

fn main() -> Result<(), ExploreError> {
    let wanted = std::env::args().nth(1);
    for (number, about, tells) in STAGES {
        if wanted.as_ref().is_some_and(|wanted| *wanted != number.to_string()) {
            continue;
        }
        let Some(stage) = Uploader::stage(number) else { continue };
        let report = stage.explorer().run()?;
        println!("Stage {number}: {about}\n{report}");
        if let Some(finding) = report.finding(tells) {
            if let (Verdict::Broken(why), Some(path)) = (&finding.verdict, &finding.path) {
                println!("{tells}: {why}\n{path}");
            }
        }
    }
    Ok(())
}
