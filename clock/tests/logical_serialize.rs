//! Clocks through serde: text for people, read back as it was, and refused when it lies.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde::de::DeserializeOwned;
use serde_test::{Configure as _, Token, assert_tokens};
use synod_clock::UnixTime;
use synod_clock::bloom::BloomClock;
use synod_clock::causality::Causality;
use synod_clock::drift::{DriftMonitor, DriftOptions, Level, Observation, Report};
use synod_clock::interval::Interval;
use synod_clock::itc::{History, Stamp};
use synod_clock::lamport::{LamportClock, LamportStamp};
use synod_clock::smear::{LeapTable, Smeared, TaiTime};
use synod_clock::vector::{DenseClock, Dot, Epoch, PrunedClock, Siblings, VectorClock};

/// The text is what is written, and what is read.
fn check<T: serde::Serialize + DeserializeOwned + std::fmt::Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
    let back: T = serde_json::from_str(text).unwrap();
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
}

fn refused<T: DeserializeOwned + std::fmt::Debug>(texts: &[&str]) {
    for text in texts {
        let outcome = serde_json::from_str::<T>(text);
        assert!(outcome.is_err(), "{text}: {outcome:?}");
    }
}

fn clock(entries: &[(u8, u64)]) -> VectorClock<u8> {
    VectorClock::try_from(entries.to_vec()).unwrap()
}

#[test]
fn clock_lamport_stamps_are_read_back() {
    check(&LamportStamp { time: 3, node: "b".to_owned() }, r#"{"time":"3","node":"b"}"#);
    let time = u64::MAX - 1;
    check(&LamportStamp { time, node: 1 }, r#"{"time":"18446744073709551614","node":1}"#);
    check(&LamportClock::after(time), "\"18446744073709551614\"");
    let clock: LamportClock = serde_json::from_str("7").unwrap();
    assert_eq!(clock.tick(), Ok(8));
    refused::<LamportClock>(&["-1", "\"-1\"", "\"\"", "18446744073709551616", "1.5", "null", "{}"]);
}

#[test]
fn clock_vector_clocks_are_read_back() {
    check(&clock(&[(2, 3), (1, 4)]), r#"[[1,"4"],[2,"3"]]"#);
    let zero: VectorClock<u8> = serde_json::from_str("[[2,3],[1,0]]").unwrap();
    assert_eq!(zero, clock(&[(2, 3)]), "absent is zero");
    refused::<VectorClock<u8>>(&["[[2,3],[2,4]]", "[[2,-1]]", "{}"]);
    let mut dense = DenseClock::new(Epoch(7), 2);
    dense.tick(1).unwrap();
    check(&dense, r#"{"epoch":"7","counters":["0","1"]}"#);
}

#[test]
fn clock_p25_pruned_clocks_are_read_back() {
    let mut pruned = clock(&[(1, 4), (2, 3), (3, 1)]).prune(|id, _| *id != 2);
    pruned.merge(&PrunedClock::from(clock(&[(4, 1)])));
    check(&pruned, r#"{"entries":[[1,"4","4"],[3,"1","1"],[4,"1","3"]],"ceiling":"3"}"#);
    refused::<PrunedClock<u8>>(&[
        r#"{"entries":[[2,1,1],[1,1,1]],"ceiling":0}"#,
        r#"{"entries":[[1,1,1],[1,1,1]],"ceiling":0}"#,
        r#"{"entries":[[1,2,1]],"ceiling":0}"#,
        r#"{"entries":[[1,0,1]],"ceiling":0}"#,
    ]);
}

#[test]
fn clock_dotted_siblings_are_read_back() {
    let mut siblings = Siblings::new();
    for value in ["milk", "bread"] {
        siblings.write(&1u8, &VectorClock::new(), value.to_owned()).unwrap();
    }
    let versions = r#"[[{"id":1,"counter":"1"},"milk"],[{"id":1,"counter":"2"},"bread"]]"#;
    check(&siblings, &format!(r#"{{"context":[[1,"2"]],"versions":{versions}}}"#));
    refused::<Siblings<u8, String>>(&[
        &format!(r#"{{"context":[[1,1]],"versions":{versions}}}"#),
        r#"{"context":[[1,1]],"versions":[[{"id":1,"counter":0},"milk"]]}"#,
        r#"{"context":[[1,1]],"versions":[[{"id":1,"counter":1},"a"],[{"id":1,"counter":1},"b"]]}"#,
        r#"{"context":[[1,2]],"versions":[[{"id":1,"counter":2},"a"],[{"id":1,"counter":1},"b"]]}"#,
    ]);
}

#[test]
fn clock_itc_stamps_are_read_back() {
    let mut one = Stamp::seed();
    let two = one.fork().unwrap();
    one.event().unwrap();
    check(&one, "\"8990\"");
    check(&two, "\"4c00\"");
    check(one.peek(), "\"0640\"");
    refused::<Stamp>(&["\"0640\"", "\"899\"", "\"8990 \"", "\"8G\"", "\"899000\"", "\"\"", "[137,144]"]);
    refused::<History>(&["\"8990\"", "\"3\"", "7"]);
}

#[test]
fn clock_numbers_are_read_as_they_were_written_before() {
    fn old<T: serde::Serialize + DeserializeOwned>(old: &str, now: &str) {
        assert_eq!(serde_json::to_string(&serde_json::from_str::<T>(old).unwrap()).unwrap(), now);
    }
    old::<LamportStamp<String>>(r#"{"time":3,"node":"b"}"#, r#"{"time":"3","node":"b"}"#);
    old::<VectorClock<u8>>("[[1,4],[2,3]]", r#"[[1,"4"],[2,"3"]]"#);
    old::<DenseClock>(r#"{"epoch":7,"counters":[0,1]}"#, r#"{"epoch":"7","counters":["0","1"]}"#);
    old::<PrunedClock<u8>>(
        r#"{"entries":[[1,4,4],[4,1,3]],"ceiling":3}"#,
        r#"{"entries":[[1,"4","4"],[4,"1","3"]],"ceiling":"3"}"#,
    );
    let dot = r#"{"context":[[1,2]],"versions":[[{"id":1,"counter":2},"a"]]}"#;
    let now = r#"{"context":[[1,"2"]],"versions":[[{"id":1,"counter":"2"},"a"]]}"#;
    old::<Siblings<u8, String>>(dot, now);
}

#[test]
fn clock_numbers_are_numbers_for_machines() {
    assert_tokens(&Epoch(7).compact(), &[Token::U64(7)]);
    assert_tokens(&Epoch(7).readable(), &[Token::Str("7")]);
    assert_tokens(&TaiTime::from_nanos(-7).compact(), &[Token::I64(-7)]);
    let counted = |counter| {
        let (seq, pair) = (Token::Seq { len: Some(1) }, Token::Tuple { len: 2 });
        [seq, pair, Token::U8(1), counter, Token::TupleEnd, Token::SeqEnd]
    };
    assert_tokens(&clock(&[(1, 4)]).compact(), &counted(Token::U64(4)));
    assert_tokens(&clock(&[(1, 4)]).readable(), &counted(Token::Str("4")));
}

#[test]
fn clock_causality_is_a_word() {
    for causality in [Causality::Equal, Causality::Before, Causality::After, Causality::Concurrent] {
        check(&causality, &format!("\"{causality}\""));
    }
    refused::<Causality>(&["\"Before\"", "\"\"", "1"]);
}

#[test]
fn clock_bloom_clocks_are_read_back() {
    let mut clock = BloomClock::<3, 2>::new();
    clock.tick(&Dot { id: 1, counter: 1 }).unwrap();
    let text = serde_json::to_string(&clock).unwrap();
    check(&clock, &text);
    check(&BloomClock::<2, 1>::new(), r#"{"hashes":1,"cells":["0","0"]}"#);
    let old: BloomClock<2, 1> =
        serde_json::from_str(r#"{"hashes":1,"cells":[5,18446744073709551615]}"#).unwrap();
    check(&old, r#"{"hashes":1,"cells":["5","18446744073709551615"]}"#);
    refused::<BloomClock<3, 3>>(&[&text]);
    refused::<BloomClock<4, 2>>(&[&text]);
    refused::<BloomClock<2, 2>>(&[&text, r#"{"hashes":2,"cells":["0",-1]}"#, "[]"]);
}

#[test]
fn clock_intervals_and_smears_are_read_back() {
    let at = UnixTime::from_nanos;
    check(&Interval::new(at(-1), at(5)), r#"{"earliest":"-1","latest":"5"}"#);
    refused::<Interval>(&[r#"{"earliest":"5","latest":"-1"}"#, r#"{"earliest":"5"}"#]);

    let tai = TaiTime::from_nanos(1_483_228_836_500_000_001);
    check(&tai, "\"1483228836500000001\"");
    let smeared = LeapTable::published().smear(tai);
    check(&smeared, r#"{"time":"1483228800000000000","part":86400,"parts":86401}"#);
    check(&Smeared::from(at(3)), r#"{"time":"3","part":0,"parts":1}"#);
    refused::<Smeared>(&[
        r#"{"time":"3","part":1,"parts":1}"#,
        r#"{"time":"3","part":86401,"parts":86401}"#,
        r#"{"time":"3","part":0,"parts":0}"#,
        r#"{"time":"3","part":5,"parts":86400}"#,
    ]);
}

#[test]
fn clock_drift_reports_are_read_back() {
    let mut monitor = DriftMonitor::new(DriftOptions::default());
    let report = |monitor: &DriftMonitor<u8>| monitor.report(&1).unwrap();
    for second in 0..3 {
        let at = UnixTime::from_secs(second);
        monitor.observe(1, Observation { at, offset_ns: second * 80_000, error_ns: 500 });
        if second == 0 {
            let last = r#"{"at":"0","offset_ns":"0","error_ns":"500"}"#;
            let none = r#""drift_ppb":null,"drift_error_ppb":null"#;
            check(&report(&monitor), &format!(r#"{{"last":{last},"observations":1,{none},"level":"good"}}"#));
        }
    }
    let last = r#"{"at":"2000000000","offset_ns":"160000","error_ns":"500"}"#;
    let drift = r#""drift_ppb":"80000","drift_error_ppb":"0""#;
    check(&report(&monitor), &format!(r#"{{"last":{last},"observations":3,{drift},"level":"good"}}"#));
    let numbers = r#"{"last":{"at":0,"offset_ns":-5,"error_ns":1},"observations":3,"drift_ppb":-7,"drift_error_ppb":1,"level":"alert"}"#;
    let read: Report = serde_json::from_str(numbers).unwrap();
    assert_eq!((read.last.offset_ns, read.drift_ppb, read.level), (-5, Some(-7), Level::Alert));
}
