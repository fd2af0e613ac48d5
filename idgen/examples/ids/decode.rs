//! Which kinds of id a text may be.

use std::fmt::Write as _;
use std::time::Duration;

use crate::finding::Finding;
use crate::{numbers, texts};

/// Every kind that the text can be, most telling first; an error when it is none.
pub(crate) fn explain(text: &str, epoch_ms: Option<u64>, now: Duration) -> Result<String, String> {
    let text = text.trim();
    let mut findings = numbers::own(text, epoch_ms)?;
    findings.extend(texts::all(text));
    findings.extend(numbers::all(text));
    if findings.is_empty() {
        return Err(reasons(text));
    }
    let (likely, unlikely): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.is_likely(now));
    Ok(show(&likely, &unlikely))
}

fn show(likely: &[Finding], unlikely: &[Finding]) -> String {
    let mut shown = String::new();
    if likely.len() > 1 {
        let _ = writeln!(shown, "It can be any of {}:\n", likely.len());
    }
    for (at, finding) in likely.iter().enumerate() {
        let _ = write!(shown, "{}{finding}", if at == 0 { "" } else { "\n" });
    }
    for (at, finding) in unlikely.iter().enumerate() {
        let time = finding.time.map(crate::finding::show_time).unwrap_or_default();
        let _ = write!(shown, "{}", if at == 0 && !likely.is_empty() { "\n" } else { "" });
        let _ = writeln!(shown, "Hardly {}: its time would be {time}.", finding.name());
    }
    shown
}

/// Why it is no id: what each kind whose length or look it has says against it.
fn reasons(text: &str) -> String {
    let against = texts::against(text).or_else(|| numbers::against(text));
    against.unwrap_or_else(|| {
        format!(
            "not an id: {} characters. UUIDs have 36 or 32, KSUIDs 27, ULIDs 26, TSIDs 13; others are decimal numbers \
             below 2^64.",
            text.chars().count()
        )
    })
}
