//! Histories as text: a line for each operation.

use super::{Answer, Kind, Operation};

/// A line that says no operation.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}: {text:?}")]
pub struct LineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
    /// The line.
    pub text: String,
}

/// Reads a history. Empty lines and all behind `#` are skipped; the others are
///
/// ```text
/// CLIENT put KEY VALUE         CALL..RETURN
/// CLIENT get KEY               CALL..RETURN  VALUE
/// CLIENT cas KEY EXPECTED NEW  CALL..RETURN  yes|no
/// CLIENT delete KEY            CALL..RETURN
/// ```
///
/// where `-` is the value of an absent key, and `?` in place of a return means that none came.
///
/// ```
/// let history = synod_sim::linear::parse("1 put k a 0..5\n2 get k 7..9 a   # fresh\n3 cas k a b 8..?\n")?;
/// assert_eq!(history.len(), 3);
/// assert!(synod_sim::linear::check(&history).is_ok());
/// # Ok::<(), synod_sim::linear::LineError>(())
/// ```
///
/// # Errors
/// The first line that is none of these.
pub fn parse(text: &str) -> Result<Vec<Operation>, LineError> {
    let mut history = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let words: Vec<&str> = text.split('#').next().unwrap_or_default().split_whitespace().collect();
        if !words.is_empty() {
            let operation = operation(&words);
            history.push(operation.map_err(|what| LineError { line, what, text: text.to_owned() })?);
        }
    }
    Ok(history)
}

fn operation(words: &[&str]) -> Result<Operation, &'static str> {
    let value = |word: &str| (word != "-").then(|| word.to_owned());
    let [client, verb, key, rest @ ..] = words else { return Err("wants a client, a verb and a key") };
    let (kind, span, answer) = match (*verb, rest) {
        ("put", [new, span]) => (Kind::Put((*new).to_owned()), span, Answer::Done),
        ("get", [span, seen]) => (Kind::Get, span, Answer::Value(value(seen))),
        ("get", [span]) => (Kind::Get, span, Answer::Unknown),
        ("delete", [span]) => (Kind::Delete, span, Answer::Done),
        ("cas", [expect, new, span, rest @ ..]) => {
            let answer = match rest {
                ["yes"] => Answer::Swapped(true),
                ["no"] => Answer::Swapped(false),
                [] => Answer::Unknown,
                _ => return Err("a compare-and-set is answered yes or no"),
            };
            (Kind::CompareAndSet { expect: value(expect), new: (*new).to_owned() }, span, answer)
        }
        _ => return Err("no such operation"),
    };
    let (invoke, complete) = span.split_once("..").ok_or("wants CALL..RETURN")?;
    let number = |word: &str| word.parse::<u64>().map_err(|_| "not a number");
    let complete = if complete == "?" { None } else { Some(number(complete)?) };
    let result = if complete.is_none() { Answer::Unknown } else { answer };
    if complete.is_some() && result == Answer::Unknown {
        return Err("a return has an answer");
    }
    Ok(Operation {
        client: number(client)?,
        key: (*key).to_owned(),
        kind,
        invoke: number(invoke)?,
        complete,
        result,
    })
}
