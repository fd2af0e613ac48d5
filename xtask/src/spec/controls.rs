//! Negative controls: before anything is believed, wrong expectations about a tiny module must be noticed.

use anyhow::{Context as _, Result};

use super::check::{self, Limits};
use super::find::Model;
use crate::Verdict;

const MODULE: &str = "\
---- MODULE Control ----
EXTENDS Naturals
VARIABLES x, y
vars == <<x, y>>
TypeOK == x \\in 0..4 /\\ y \\in BOOLEAN
Init == x = 0 /\\ y = FALSE
Step == x < 4 /\\ x' = x + 1 /\\ UNCHANGED y
Back == x = 4 /\\ x' = 0 /\\ UNCHANGED y
Flip == ~y /\\ y' = TRUE /\\ UNCHANGED x
Next == Step \\/ Back \\/ Flip
Spec == Init /\\ [][Next]_vars /\\ WF_vars(Step) /\\ WF_vars(Back)
Small == x < 3
Grows == [][x' > x \\/ y' # y]_vars
Cycles == []<>(x = 4)
Flips == <>y
====
";

struct Control {
    name: &'static str,
    /// What the cfg says beyond the specification and the type invariant.
    cfg: &'static str,
    /// What must be said about it; nothing when the expectation is right.
    problem: Option<&'static str>,
}

const fn right(name: &'static str, cfg: &'static str) -> Control {
    Control { name, cfg, problem: None }
}

const fn wrong(name: &'static str, cfg: &'static str, problem: &'static str) -> Control {
    Control { name, cfg, problem: Some(problem) }
}

const CONTROLS: &[Control] = &[
    right("a right count", "PROPERTY Cycles\n\\* expect: states 10"),
    right("a right invariant", "INVARIANT Small\n\\* expect: violates Small\n\\* expect: length 4"),
    right("a right action property", "PROPERTY Grows\n\\* expect: violates Grows\n\\* expect: length 6"),
    right("a right liveness", "PROPERTY Flips\n\\* expect: violates-liveness Flips\n\\* expect: states 10"),
    wrong("a wrong count", "\\* expect: states 11", "expected 11 states; found 10"),
    wrong("a broken invariant", "INVARIANT Small\n\\* expect: states 10", "found: violates Small"),
    wrong("a broken action property", "PROPERTY Grows\n\\* expect: states 10", "found: violates Grows"),
    wrong("a broken liveness", "PROPERTY Flips\n\\* expect: states 10", "found: violates-liveness Flips"),
    wrong("a violation that never comes", "PROPERTY Cycles\n\\* expect: violates TypeOK", "found: holds"),
    wrong(
        "a wrong length",
        "INVARIANT Small\n\\* expect: violates Small\n\\* expect: length 3",
        "of 3 states; found one of 4",
    ),
    wrong("a property that is not there", "PROPERTY Nowhere\n\\* expect: states 10", "no verdict"),
    wrong("no expectation", "", "no expectation"),
];

/// Checks each; says which is judged wrongly.
pub(super) fn run(limits: &Limits) -> Result<Verdict> {
    let shell = xshell::Shell::new()?;
    let folder = shell.create_temp_dir()?;
    shell.write_file(folder.path().join("Control.tla"), MODULE)?;
    let path = folder.path().join("control.cfg");
    let mut missed = 0usize;
    for control in CONTROLS {
        let text = format!("SPECIFICATION Spec\nINVARIANT TypeOK\n{}\n", control.cfg);
        shell.write_file(&path, text).context("writing a control")?;
        let problem = match Model::read("control", &path) {
            Ok(model) => check::one(&model, limits).problem,
            Err(error) => Some(format!("{error:#}")),
        };
        if !is_judged_rightly(control, problem.as_deref()) {
            missed += 1;
            let said = problem.as_deref().unwrap_or("nothing");
            let must = control.problem.unwrap_or("nothing");
            println!("control {}: it must say {must}, and says {said}", control.name);
        }
    }
    println!("{} of {} controls judged rightly", CONTROLS.len() - missed, CONTROLS.len());
    Ok(if missed == 0 { Verdict::Holds } else { Verdict::Broken })
}

fn is_judged_rightly(control: &Control, problem: Option<&str>) -> bool {
    match (control.problem, problem) {
        (None, None) => true,
        (Some(must), Some(said)) => said.contains(must),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_that_is_missed_is_noticed() {
        let bad = wrong("bad", "", "found: holds");
        assert!(is_judged_rightly(&bad, Some("expected: violates A; found: holds")));
        assert!(!is_judged_rightly(&bad, Some("it took too long")));
        assert!(!is_judged_rightly(&bad, None));
        let good = right("good", "");
        assert!(is_judged_rightly(&good, None));
        assert!(!is_judged_rightly(&good, Some("found: holds")));
    }
}
