//! `tla`, the checker that needs nothing but a Rust toolchain.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::cfg::{Cfg, Ending};
use super::outcome::{Outcome, Step};
use super::process;

/// The version that `.ci/setup` installs. Counts and verdicts of others may differ.
pub(super) const VERSION: &str = "0.24.11";

/// # Errors
/// When `tla` is not there or is another version; the error names what installs it.
pub(super) fn available() -> Result<()> {
    let again = "run .ci/setup, or: cargo install --locked tla-checker@";
    let mut command = Command::new("tla");
    command.arg("--version");
    let printed = process::run(command, Duration::from_secs(60))
        .with_context(|| format!("the checker tla is missing: {again}{VERSION}"))?;
    let version = printed.stdout.trim();
    ensure!(version == format!("tla {VERSION}"), "the checker is {version}, not {VERSION}: {again}{VERSION}");
    Ok(())
}

/// The command that checks a module under a cfg.
pub(super) fn command(module: &Path, cfg_path: &Path, cfg: &Cfg) -> Command {
    let mut command = Command::new("tla");
    command.arg(module).arg("--config").arg(cfg_path);
    command.args(["--symbolic-integers", "--max-states", "100000000", "--max-depth", "100000"]);
    if !cfg.properties.is_empty() {
        command.arg("--check-liveness");
    }
    command
}

/// # Errors
/// When the checker reached no verdict.
pub(super) fn check(module: &Path, cfg_path: &Path, cfg: &Cfg, limit: Duration) -> Result<Outcome> {
    let mut command = command(module, cfg_path, cfg);
    command.arg("--json");
    let printed = process::run(command, limit)?;
    let outcome = parse(&printed.stdout, cfg)
        .with_context(|| format!("it reached no verdict\n{}", printed.stderr.trim()))?;
    Ok(outcome)
}

/// Reads what `tla --json` prints: some lines for people, then an object.
fn parse(stdout: &str, cfg: &Cfg) -> Result<Outcome> {
    let line = stdout.lines().rev().find(|line| line.starts_with('{')).context("it printed no result")?;
    let result: Value = serde_json::from_str(line).context("what it printed is not JSON")?;
    let name = |key: &str| text(&result, key);
    let status = name("status")?;
    let ending = match status.as_str() {
        "ok" => {
            for property in &cfg.properties {
                let checked = result.get("properties_checked").and_then(Value::as_array);
                let is_checked = checked.is_some_and(|names| names.iter().any(|it| it == property.as_str()));
                ensure!(is_checked, "it did not check the property {property}");
            }
            Ending::Holds
        }
        "invariant_violation" => Ending::Violates(name("invariant_name")?),
        "property_violation" => Ending::Violates(name("property")?),
        "liveness_violation" => Ending::ViolatesLiveness(Some(name("property")?)),
        "deadlock" => Ending::Deadlock,
        _ => bail!("{status}: {line}"),
    };
    let stats = result.get("stats").context("it printed no counts")?;
    let number = |key: &str| stats.get(key).and_then(Value::as_u64).with_context(|| format!("no {key}"));
    let mut trace = steps(&result, "trace")?;
    let mut back_to = None;
    if matches!(ending, Ending::ViolatesLiveness(_)) {
        trace = steps(&result, "prefix")?;
        let mut cycle = steps(&result, "cycle")?;
        // The prefix ends where the cycle begins.
        let meet =
            trace.last().zip(cycle.first()).is_some_and(|(end, start)| end.variables == start.variables);
        if meet {
            cycle.remove(0);
        }
        back_to = Some(trace.len().saturating_sub(usize::from(meet)));
        trace.append(&mut cycle);
    }
    Ok(Outcome { ending, states: number("states_explored")?, depth: number("max_depth")?, trace, back_to })
}

fn text(value: &Value, key: &str) -> Result<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {key}"))
}

fn steps(result: &Value, key: &str) -> Result<Vec<Step>> {
    let states = result.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let step = |state: &Value| {
        let variables = state.get("state").and_then(Value::as_object).context("a state without variables")?;
        Ok(Step {
            action: state.get("action").and_then(Value::as_str).map(str::to_owned),
            variables: variables.iter().map(|(name, value)| (name.clone(), render(value))).collect(),
        })
    };
    states.iter().map(step).collect()
}

/// A value as TLA+ writes it, but for sets, which the JSON does not tell from sequences: both are `<<...>>`.
fn render(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(items) => match items.iter().map(pair).collect::<Option<Vec<_>>>() {
            Some(pairs) if !pairs.is_empty() => format!("({})", pairs.join(" @@ ")),
            _ => format!("<<{}>>", joined(items.iter().map(render).collect())),
        },
        Value::Object(fields) => match fields.get("model_value").and_then(Value::as_str) {
            Some(name) if fields.len() == 1 => name.to_owned(),
            _ => {
                let field = |(name, value): (&String, &Value)| format!("{name} |-> {}", render(value));
                format!("[{}]", joined(fields.iter().map(field).collect()))
            }
        },
        Value::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        Value::Null | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A pair of a function.
fn pair(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 2)?;
    Some(format!("{} :> {}", render(fields.get("key")?), render(fields.get("value")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `tla` 0.24.11 on a counter with a flag.
    const HOLDS: &str = "Checking spec: Tiny.tla\n  Extends: Naturals\n  Variables: x, y\n\n{\"status\": \"ok\", \
                         \"stats\": {\"states_explored\": 10, \"transitions\": 15, \"max_depth\": 6, \
                         \"elapsed_secs\": 0.000}, \"properties_checked\": [\"Top\"]}\n";
    const INVARIANT: &str = r#"{"status": "invariant_violation", "invariant_index": 1, "invariant_name": "Small", "trace": [{"index": 0, "action": null, "state": {"x": 2, "y": "a"}}, {"index": 1, "action": "Step", "state": {"x": 3, "y": "a"}}], "stats": {"states_explored": 6, "transitions": 8, "max_depth": 4, "elapsed_secs": 0.000}}"#;
    const ACTION: &str = r#"{"status": "property_violation", "property": "Up", "kind": "action", "trace": [{"index": 0, "action": null, "state": {"x": 4, "y": "a"}}, {"index": 1, "action": "Back", "state": {"x": 0, "y": "a"}}], "stats": {"states_explored": 8, "transitions": 13, "max_depth": 5, "elapsed_secs": 0.000}}"#;
    const LIVENESS: &str = r#"{"status": "liveness_violation", "property": "Arrives", "prefix": [{"index": 0, "action": null, "state": {"x": 0, "y": "a"}}, {"index": 1, "action": null, "state": {"x": 1, "y": "a"}}], "cycle": [{"index": 0, "action": null, "state": {"x": 1, "y": "a"}}, {"index": 1, "action": null, "state": {"x": 2, "y": "a"}}], "stats": {"states_explored": 10, "transitions": 15, "max_depth": 6, "elapsed_secs": 0.000}}"#;
    const DEADLOCK: &str = r#"{"status": "deadlock", "trace": [{"index": 0, "action": null, "state": {"x": 0, "y": "a"}}, {"index": 1, "action": "Step", "state": {"x": 1, "y": "a"}}], "stats": {"states_explored": 3, "transitions": 2, "max_depth": 3, "elapsed_secs": 0.000}}"#;
    const LIMIT: &str = r#"{"status": "max_states_exceeded", "stats": {"states_explored": 4, "transitions": 5, "max_depth": 3, "elapsed_secs": 0.000}}"#;

    fn cfg(properties: &str) -> Cfg {
        Cfg::parse(&format!("\\* expect: states 10\nINVARIANTS TypeOK\nPROPERTIES {properties}\n"))
            .expect("good")
    }

    #[test]
    fn every_verdict_is_read() {
        let holds = parse(HOLDS, &cfg("Top")).expect("a verdict");
        assert_eq!((holds.ending, holds.states, holds.depth), (Ending::Holds, 10, 6));
        let invariant = parse(INVARIANT, &cfg("")).expect("a verdict");
        assert_eq!(invariant.ending, Ending::Violates("Small".to_owned()));
        assert_eq!((invariant.states, invariant.trace.len(), invariant.back_to), (6, 2, None));
        assert_eq!(invariant.summary(), "2 states, last Step");
        let action = parse(ACTION, &cfg("Up")).expect("a verdict");
        assert_eq!((action.ending, action.trace.len()), (Ending::Violates("Up".to_owned()), 2));
        assert_eq!(parse(DEADLOCK, &cfg("")).expect("a verdict").ending, Ending::Deadlock);
    }

    #[test]
    fn the_state_where_prefix_and_cycle_meet_counts_once() {
        let liveness = parse(LIVENESS, &cfg("Arrives")).expect("a verdict");
        assert_eq!(liveness.ending, Ending::ViolatesLiveness(Some("Arrives".to_owned())));
        let values: Vec<_> = liveness.trace.iter().map(|step| step.variables[0].1.as_str()).collect();
        assert_eq!((values, liveness.back_to), (vec!["0", "1", "2"], Some(1)));
    }

    #[test]
    fn what_is_no_verdict_is_an_error() {
        let refused = |text: &str, cfg: &Cfg| format!("{:#}", parse(text, cfg).expect_err("no verdict"));
        assert!(refused(LIMIT, &cfg("")).contains("max_states_exceeded"));
        assert!(refused(HOLDS, &cfg("Top Other")).contains("did not check the property Other"));
        assert!(refused("error applying t.cfg\n", &cfg("")).contains("no result"));
        assert!(refused("{\"status\": \"ok\"}", &cfg("")).contains("no counts"));
        assert!(refused("{\"status\": \"ok\"", &cfg("")).contains("not JSON"));
    }

    #[test]
    fn values_read_like_the_module() {
        let value = r#"{"f": [{"key": {"model_value": "w1"}, "value": "idle"}, {"key": 2, "value": true}], "q": [1, []]}"#;
        let value: Value = serde_json::from_str(value).expect("good");
        assert_eq!(render(&value), r#"[f |-> (w1 :> "idle" @@ 2 :> TRUE), q |-> <<1, <<>>>>]"#);
    }

    #[test]
    fn setup_installs_the_version_that_is_asked_for() {
        let setup = crate::workspace_root().expect("a root").join(".ci/setup");
        let setup = std::fs::read_to_string(setup).expect("it is there");
        assert!(setup.contains(&format!("={VERSION}\n")), "{setup}");
    }
}
