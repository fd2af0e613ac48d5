//! TLC, the reference checker, where the environment variable `TLA2TOOLS_JAR` names its jar.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::cfg::Ending;
use super::outcome::{Outcome, Step};
use super::process;

/// The jar, when the environment names one.
///
/// # Errors
/// When it names what is not there.
pub(super) fn jar() -> Result<Option<PathBuf>> {
    let Some(jar) = std::env::var_os("TLA2TOOLS_JAR").filter(|it| !it.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    if !jar.is_file() {
        bail!("TLA2TOOLS_JAR is {}, which is not there", jar.display());
    }
    Ok(Some(std::path::absolute(jar)?))
}

/// One worker, so that the first counterexample is a shortest one; liveness on the whole graph, so that its count is too.
///
/// # Errors
/// When TLC reached no verdict.
pub(super) fn check(jar: &Path, module: &Path, cfg_path: &Path, limit: Duration) -> Result<Outcome> {
    let scratch = xshell::Shell::new()?.create_temp_dir()?;
    let mut command = Command::new("java");
    command.arg("-XX:+UseParallelGC").arg("-cp").arg(jar).arg("tlc2.TLC");
    command.args(["-workers", "1", "-lncheck", "final", "-noGenerateSpecTE", "-metadir"]).arg(scratch.path());
    command.arg("-config").arg(cfg_path).arg(module);
    let printed = process::run(command, limit)?;
    parse(&printed.stdout).with_context(|| format!("TLC reached no verdict\n{}", printed.stdout.trim()))
}

/// Reads what TLC prints for people.
fn parse(stdout: &str) -> Result<Outcome> {
    let ending = stdout.lines().find_map(ending).context("it printed no verdict")?;
    let (mut states, mut depth) = (None, None);
    for line in stdout.lines() {
        // `15 states generated, 10 distinct states found, 0 states left on queue.`; lines of progress come before it.
        if let Some((_, rest)) = line.split_once(" states generated, ") {
            states = rest.split_once(" distinct states found").and_then(|(count, _)| number(count));
        }
        if let Some(rest) = line.strip_prefix("The depth of the complete state graph search is ") {
            depth = number(rest);
        }
    }
    let trace = steps(stdout);
    let back_to = stdout.lines().find_map(|line| back_to(line, trace.len()));
    let states = states.context("it printed no count of states")?;
    Ok(Outcome { ending, states, depth: depth.unwrap_or(0), trace, back_to })
}

fn number(text: &str) -> Option<u64> {
    text.trim().trim_end_matches('.').replace(',', "").parse().ok()
}

fn ending(line: &str) -> Option<Ending> {
    if line.starts_with("Model checking completed. No error has been found.") {
        return Some(Ending::Holds);
    }
    let error = line.strip_prefix("Error: ")?;
    if error.starts_with("Deadlock reached") {
        return Some(Ending::Deadlock);
    }
    if error.starts_with("Temporal properties were violated") {
        return Some(Ending::ViolatesLiveness(None));
    }
    let (kind, rest) = ["Invariant ", "Action property ", "Temporal property "]
        .into_iter()
        .find_map(|kind| Some((kind, error.strip_prefix(kind)?)))?;
    let (name, how) = rest.split_once(' ')?;
    if !how.contains("violated") {
        return None;
    }
    let name = name.to_owned();
    Some(if kind.starts_with("Temporal") {
        Ending::ViolatesLiveness(Some(name))
    } else {
        Ending::Violates(name)
    })
}

/// The states of the counterexample: `State 2: <Step line 9, col 9 to line 9, col 40 of module Tiny>`, then a line
/// `/\ x = 1` for each variable.
fn steps(stdout: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in stdout.lines() {
        let header = line.strip_prefix("State ").and_then(|rest| rest.split_once(": <"));
        if let Some((_, label)) = header {
            let action = label.split([' ', '>', '(']).next().filter(|_| !label.starts_with("Initial"));
            steps.push(Step { action: action.map(str::to_owned), variables: Vec::new() });
            inside = true;
        } else if line.trim().is_empty() {
            inside = false;
        } else if let (true, Some(step)) = (inside, steps.last_mut()) {
            match line.trim_start_matches("/\\ ").split_once(" = ") {
                Some((name, value)) if !line.starts_with(' ') => {
                    step.variables.push((name.to_owned(), value.to_owned()));
                }
                // A long value goes on in the next line.
                _ => {
                    if let Some((_, value)) = step.variables.last_mut() {
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                }
            }
        }
    }
    steps
}

/// `Back to state 2: <...>` or `State 3: Stuttering`, as an index into the trace.
fn back_to(line: &str, length: usize) -> Option<usize> {
    if line.starts_with("State ") && line.ends_with(": Stuttering") {
        return length.checked_sub(1);
    }
    let (state, _) = line.strip_prefix("Back to state ")?.split_once(':')?;
    state.parse::<usize>().ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Shaped as TLC 2.18 and 2.19 print; the counts are made up.
    const HOLDS: &str = "\
TLC2 Version 2.18 of 20 March 2023 (rev: 3ea3222)
Starting... (2024-05-04 10:20:30)
Computing initial states...
Finished computing initial states: 1 distinct state generated at 2024-05-04 10:20:30.
Progress(3) at 2024-05-04 10:20:33: 1,007 states generated (1,007 s/min), 900 distinct states found (900 ds/min), 7 states left on queue.
Model checking completed. No error has been found.
  Estimates of the probability that TLC did not check all reachable states
1916 states generated, 1010 distinct states found, 0 states left on queue.
The depth of the complete state graph search is 6.
Finished in 00s at (2024-05-04 10:20:33)
";
    const INVARIANT: &str = "\
Error: Invariant Small is violated.
Error: The behavior up to this point is:
State 1: <Initial predicate>
/\\ x = 0
/\\ y = \"a\"

State 2: <Step line 9, col 9 to line 9, col 40 of module Tiny>
/\\ x = [ a |-> 1,
  b |-> 2 ]
/\\ y = \"a\"

9 states generated, 6 distinct states found, 2 states left on queue.
The depth of the complete state graph search is 4.
";
    const STUTTERS: &str = "\
Error: Temporal properties were violated.

Error: The following behavior constitutes a counter-example:

State 1: <Initial predicate>
x = 0

State 2: <Step line 9, col 9 to line 9, col 40 of module Tiny>
x = 1

State 3: Stuttering
16 states generated, 10 distinct states found, 0 states left on queue.
";

    #[test]
    fn a_pass_has_the_last_count() {
        let holds = parse(HOLDS).expect("a verdict");
        assert_eq!((holds.ending, holds.states, holds.depth), (Ending::Holds, 1010, 6));
        assert!(holds.trace.is_empty());
    }

    #[test]
    fn a_violation_has_its_name_and_states() {
        let outcome = parse(INVARIANT).expect("a verdict");
        assert_eq!((&outcome.ending, outcome.states), (&Ending::Violates("Small".to_owned()), 6));
        assert_eq!(outcome.summary(), "2 states, last Step");
        let variables = &outcome.trace[1].variables;
        assert_eq!(variables[0], ("x".to_owned(), "[ a |-> 1, b |-> 2 ]".to_owned()));
        assert_eq!(variables[1], ("y".to_owned(), "\"a\"".to_owned()));
        let action = parse(&INVARIANT.replace("Invariant Small", "Action property Up")).expect("a verdict");
        assert_eq!(action.ending, Ending::Violates("Up".to_owned()));
        let deadlock = parse(&INVARIANT.replace("Invariant Small is violated", "Deadlock reached"));
        assert_eq!(deadlock.expect("a verdict").ending, Ending::Deadlock);
    }

    #[test]
    fn a_behaviour_without_end_goes_back_or_stays() {
        let stays = parse(STUTTERS).expect("a verdict");
        assert_eq!((stays.ending, stays.back_to), (Ending::ViolatesLiveness(None), Some(1)));
        assert_eq!((stays.trace.len(), stays.trace[1].variables[0].1.as_str()), (2, "1"));
        let back =
            STUTTERS.replace("State 3: Stuttering", "Back to state 1: <Back line 3, col 1 of module Tiny>");
        assert_eq!(parse(&back).expect("a verdict").back_to, Some(0));
    }

    #[test]
    fn what_is_no_verdict_is_an_error() {
        assert!(parse("Error: Parsing or semantic analysis failed.\n").is_err());
        assert!(parse("Model checking completed. No error has been found.\n").is_err());
        let asserted =
            "Error: Invariant Small could not be evaluated.\n1 states generated, 1 distinct states found\n";
        assert!(parse(asserted).is_err());
    }
}
