//! A message in a few letters, for the label of an arrow.

use synod_transport::trace::Value;

/// At most this many letters.
const MOST: usize = 28;

/// The kind and what matters most: term, then what it moves or answers.
pub(crate) fn brief(message: &Value) -> String {
    let kind = message.get("kind").and_then(Value::as_text).unwrap_or("message");
    let number = |name: &str| message.get(name).and_then(Value::as_number);
    let pair = |name: &str| -> Option<(u64, u64)> {
        let pair = message.get(name)?.as_list()?;
        Some((pair.first()?.as_number()?, pair.get(1)?.as_number()?))
    };
    let mut text = kind.to_owned();
    if let Some(term) = number("proposed").or_else(|| number("term")) {
        text.push_str(&format!(" t{term}"));
    }
    let moved: u64 = runs(message).fold(0, |sum, (_, count)| sum.saturating_add(count));
    if let (Some((_, after)), true) = (pair("after"), moved > 0) {
        let last = after.saturating_add(moved);
        let first = after.saturating_add(1);
        text.push_str(&if moved == 1 { format!(" i{last}") } else { format!(" i{first}–{last}") });
    }
    let term = number("term");
    let mut terms: Vec<u64> = runs(message).map(|(term, _)| term).collect();
    terms.dedup();
    if term.is_some() && terms.iter().any(|of| Some(*of) != term) {
        let terms: Vec<String> = terms.iter().map(|term| format!("t{term}")).collect();
        text.push_str(&format!(" of {}", terms.join(" ")));
    }
    if let Some(version) = number("version") {
        text.push_str(&format!(" v{version}"));
    }
    if let Some(granted) = message.get("granted").and_then(Value::as_bool) {
        text.push_str(if granted { " yes" } else { " no" });
    }
    if let Some(matched) = number("matched") {
        text.push_str(&format!(" i{matched}"));
    }
    if let Some(refused) = number("refused") {
        text.push_str(&format!(" not i{refused}"));
    }
    if let Some(round) = number("round").filter(|round| *round > 0) {
        text.push_str(&format!(" #{round}"));
    }
    text.chars().take(MOST).collect()
}

fn runs(message: &Value) -> impl Iterator<Item = (u64, u64)> + '_ {
    let runs = message.get("runs").and_then(Value::as_list).unwrap_or_default();
    runs.iter().filter_map(|run| {
        let run = run.as_list()?;
        Some((run.first()?.as_number()?, run.get(1)?.as_number()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        let message: Value = serde_json::from_str(text).expect("a value");
        assert_eq!(brief(&message), wanted);
    }

    #[test]
    fn labels_say_term_and_content() {
        check(r#"{"kind":"Vote","term":4,"last":[2,2]}"#, "Vote t4");
        check(r#"{"kind":"VoteReply","term":4,"granted":true}"#, "VoteReply t4 yes");
        check(r#"{"kind":"PreVote","term":3,"proposed":4,"last":[2,2]}"#, "PreVote t4");
        check(r#"{"kind":"Append","term":4,"after":[2,2],"runs":[[4,1]],"commit":0}"#, "Append t4 i3");
        check(
            r#"{"kind":"Append","term":4,"after":[2,2],"runs":[[3,2],[4,1]],"commit":0}"#,
            "Append t4 i3–5 of t3 t4",
        );
        check(r#"{"kind":"Append","term":4,"after":[2,2],"runs":[],"commit":0}"#, "Append t4");
        check(r#"{"kind":"Append","term":4,"after":[1,1],"runs":[[2,1]],"commit":0}"#, "Append t4 i2 of t2");
        check(r#"{"kind":"Link","version":2}"#, "Link v2");
        check(r#"{"kind":"Conflict","term":4,"refused":7,"hint":[1,1]}"#, "Conflict t4 not i7");
        check(r#"{"kind":"Heartbeat","term":1,"commit":0,"round":9}"#, "Heartbeat t1 #9");
    }

    #[test]
    fn anything_else_is_its_kind_and_nothing_is_a_message() {
        check(r#"{"kind":"Gossip","x":[]}"#, "Gossip");
        check("null", "message");
        let most = r#"{"kind":"Append","after":[0,18446744073709551615],"runs":[[1,2]]}"#;
        check(most, "Append i18446744073709551615");
        check(r#"{"kind":"a kind that is much longer than a label"}"#, "a kind that is much longer t");
    }
}
