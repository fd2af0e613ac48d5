//! The labelled corpus: every history gets the verdict that it is labelled with, by the checker and, where it is short, by
//! the slow twin that tries every order.
use std::path::Path;

use synod_sim::linear::{Failure, Operation, check, parse};

use crate::brute::brute;

struct Case {
    name: String,
    good: bool,
    history: Vec<Operation>,
}

fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/linear/corpus");
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let good = match text.lines().next() {
                Some("# verdict: good") => true,
                Some("# verdict: bad") => false,
                other => panic!("{name} begins with {other:?}"),
            };
            let history = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            Case { name, good, history }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

#[test]
fn it_holds_thirty_of_each() {
    let (good, bad): (Vec<Case>, Vec<Case>) = corpus().into_iter().partition(|case| case.good);
    assert!(good.len() >= 30 && bad.len() >= 30, "{} good, {} bad", good.len(), bad.len());
}

#[test]
fn every_label_is_the_verdict() {
    for Case { name, good, history } in corpus() {
        match check(&history) {
            Ok(()) => assert!(good, "{name} was accepted"),
            Err(Failure::Offence(offence)) => assert!(!good, "{name} was refused: {offence}"),
            Err(undecided) => panic!("{name}: {undecided}"),
        }
    }
}

#[test]
fn the_slow_twin_agrees() {
    let mut tried = 0;
    for Case { name, good, history } in corpus() {
        let one_key = history.iter().all(|it| it.key == history[0].key);
        if history.len() <= 7 && one_key {
            assert_eq!(brute(&history, None), good, "{name}");
            tried += 1;
        }
    }
    assert!(tried >= 60, "{tried}");
}

#[test]
fn every_offence_can_be_seen() {
    for Case { name, history, .. } in corpus().into_iter().filter(|case| !case.good) {
        let Err(Failure::Offence(offence)) = check(&history) else { panic!("{name}") };
        let (text, page) = (offence.to_string(), offence.html());
        assert!(text.contains("^ no order is possible"), "{name}: {text}");
        for operation in &offence.window {
            assert!(text.contains(&operation.to_string()), "{name}: {text}");
        }
        assert_eq!(page.matches("<rect ").count(), offence.window.len(), "{name}");
        assert!(!page.contains("<script") && !page.contains("http"), "{name}");
        assert!(page.contains("prefers-color-scheme: dark"));
        let holes = ["@TITLE@", "@SENTENCE@", "@SIZE@", "@POSSIBLE@", "@BARS@", "@LINES@"];
        assert!(holes.iter().all(|hole| !page.contains(hole)), "{name}");
    }
}

#[test]
fn other_answers_are_possible_ones() {
    let (mut named, mut tried) = (0, 0);
    for Case { name, history, .. } in corpus().into_iter().filter(|case| !case.good) {
        let Err(Failure::Offence(offence)) = check(&history) else { panic!("{name}") };
        let upto = offence.culprit.complete.unwrap();
        for answer in &offence.possible {
            // What was called by then, and what had been answered.
            let mut prefix: Vec<Operation> = history.iter().filter(|it| it.invoke <= upto).cloned().collect();
            for operation in &mut prefix {
                if *operation == offence.culprit {
                    operation.result = answer.clone();
                } else if operation.complete.is_some_and(|complete| complete > upto) {
                    operation.complete = None;
                }
            }
            assert_eq!(check(&prefix), Ok(()), "{name}: {answer}");
            tried += 1;
        }
        named += usize::from(!offence.possible.is_empty());
    }
    assert!(named >= 25 && tried >= 30, "{named} {tried}");
}
