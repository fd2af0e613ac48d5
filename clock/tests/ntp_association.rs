//! Which answers a client believes, and what it does when a server asks to be left alone.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use synod_clock::UnixTime;
use synod_clock::ntp::fault::{Fault, Faults, Planted, Sound};
use synod_clock::ntp::{
    Association, Kiss, Leap, Mode, NtpShort, NtpTimestamp, Packet, PollOptions, ReferenceId, Rejection,
    RoundTrip,
};

const COOKIE: u64 = 0x0123_4567_89ab_cdef;
/// The server is this far ahead.
const AHEAD_MS: i64 = 250;

fn at(ms: i64) -> UnixTime {
    UnixTime::from_millis(1_790_000_000_000 + ms)
}

fn association<F: Faults>(faults: &F) -> Association<F> {
    Association::with_faults(PollOptions::default(), at(0), faults.clone(), faults.clone())
}

/// What a server answers that got the question 10 ms after `sent_ms` and kept it 1 ms.
fn reply(cookie: u64, sent_ms: i64) -> Packet {
    let stamp = |ms| NtpTimestamp::from_unix(at(ms));
    Packet {
        leap: Leap::None,
        version: 4,
        mode: Mode::Server,
        stratum: 2,
        poll: 6,
        precision: -20,
        root_delay: NtpShort::from_bits(655),
        root_dispersion: NtpShort::from_bits(66),
        reference_id: ReferenceId([192, 0, 2, 1]),
        reference: stamp(sent_ms - 1000),
        origin: NtpTimestamp::from_bits(cookie),
        receive: stamp(sent_ms + 10 + AHEAD_MS),
        transmit: stamp(sent_ms + 11 + AHEAD_MS),
    }
}

fn kiss(code: &[u8; 4], cookie: u64) -> Packet {
    Packet { stratum: 0, reference_id: ReferenceId(*code), leap: Leap::Unsynchronised, ..reply(cookie, 0) }
}

#[test]
fn an_answer_gives_offset_delay_and_error() {
    let mut server = association(&Sound);
    let question = server.question(at(0), COOKIE).unwrap();
    let question = Packet::parse(&question).unwrap();
    assert_eq!((question.mode, question.version, question.transmit.to_bits()), (Mode::Client, 4, COOKIE));
    // Nothing else in a question tells who asks or what time it is there.
    assert_eq!(question, Packet::question(NtpTimestamp::from_bits(COOKIE)));
    let sample = server.answer(&reply(COOKIE, 0).encode(), at(21)).unwrap();
    assert_eq!((sample.offset_ns, sample.delay_ns), (AHEAD_MS * 1_000_000, 20_000_000));
    assert_eq!((sample.stratum, sample.at), (2, at(21)));
    // Half the delays, 10 and 5 ms, and dispersions of 1.007 ms from the root, 954 ns and 1 us of reading, 315 ns of drift.
    assert_eq!(sample.error_ns(), 10_000_000 + 4_997_253 + 1 + 1_007_081 + 953 + 1000 + 315);
}

#[test]
fn an_answer_with_extension_fields_is_read_all_the_same() {
    let mut server = association(&Sound);
    server.question(at(0), COOKIE).unwrap();
    let mut bytes = reply(COOKIE, 0).encode().to_vec();
    bytes.extend([0; 28]);
    assert!(server.answer(&bytes, at(21)).is_ok());
}

#[test]
fn a_cookie_of_zero_would_say_that_no_time_is_known() {
    let question = association(&Sound).question(at(0), 0).unwrap();
    assert_ne!(Packet::parse(&question).unwrap().transmit, NtpTimestamp::ZERO);
}

#[test]
fn a_delay_is_never_less_than_what_clocks_are_read_to() {
    let mut server = association(&Sound);
    server.question(at(0), COOKIE).unwrap();
    // The server's clock is fast: it kept the question for longer than the whole took.
    let transmit = NtpTimestamp::from_unix(at(50 + AHEAD_MS));
    let sample = server.answer(&Packet { transmit, ..reply(COOKIE, 0) }.encode(), at(21)).unwrap();
    assert_eq!(sample.delay_ns, 953 + 1000);
}

/// RFC 5905 §8, test 2: what does not repeat our question is refused, and the true answer still counts.
fn origin<F: Faults>(faults: &F) -> bool {
    let mut server = association(faults);
    server.question(at(0), COOKIE).unwrap();
    server.answer(&reply(COOKIE ^ 1, 0).encode(), at(21)) == Err(Rejection::Origin)
        && server.answer(&reply(COOKIE, 0).encode(), at(21)).is_ok()
}

/// RFC 5905 §8, test 1: an answer counts once.
fn replay<F: Faults>(faults: &F) -> bool {
    let mut server = association(faults);
    server.question(at(0), COOKIE).unwrap();
    let answer = reply(COOKIE, 0).encode();
    server.answer(&answer, at(21)).unwrap();
    server.answer(&answer, at(500)) == Err(Rejection::Replay)
}

/// A kiss that does not repeat our question is somebody's attempt to silence us.
fn forged_kiss<F: Faults>(faults: &F) -> bool {
    let mut server = association(faults);
    server.question(at(0), COOKIE).unwrap();
    server.answer(&kiss(b"DENY", 7).encode(), at(20)) == Err(Rejection::Origin)
        && server.farewell().is_none()
        && server.answer(&reply(COOKIE, 0).encode(), at(21)).is_ok()
}

/// RFC 5905 §7.4: after DENY and RSTR a server is not asked again.
fn farewell<F: Faults>(faults: &F) -> bool {
    [(b"DENY", Kiss::Deny), (b"RSTR", Kiss::Restrict)].into_iter().all(|(code, meaning)| {
        let mut server = association(faults);
        server.question(at(0), COOKIE).unwrap();
        server.answer(&kiss(code, COOKIE).encode(), at(20)) == Err(Rejection::Kiss(meaning))
            && server.farewell() == Some(meaning)
            && server.next_question_at().is_none()
            && server.question(at(1_000_000_000), COOKIE).is_none()
    })
}

/// RFC 5905 §7.4: after RATE a server is asked half as often, and the burst is over.
fn slower<F: Faults>(faults: &F) -> bool {
    let mut server = association(faults);
    server.question(at(0), COOKIE).unwrap();
    let refused = server.answer(&kiss(b"RATE", COOKIE).encode(), at(20)) == Err(Rejection::Kiss(Kiss::Rate));
    let first = server.next_question_at().unwrap();
    server.question(first, COOKIE).unwrap();
    let second = server.next_question_at().unwrap();
    refused
        && first.since(at(0)) >= Duration::from_secs(128)
        && second.since(first) == Duration::from_secs(128)
}

/// Leap indicator 3, stratum 16: the server's clock was never set.
fn unsynchronised<F: Faults>(faults: &F) -> bool {
    let unset = [
        Packet { leap: Leap::Unsynchronised, ..reply(COOKIE, 0) },
        Packet { stratum: 16, ..reply(COOKIE, 0) },
        Packet { stratum: 255, ..reply(COOKIE, 0) },
    ];
    unset.into_iter().all(|packet| {
        let mut server = association(faults);
        server.question(at(0), COOKIE).unwrap();
        server.answer(&packet.encode(), at(21)) == Err(Rejection::Unsynchronised)
    })
}

/// Somebody sees our questions and is quicker than the server: what is refused does not use up the question.
fn refused_first<F: Faults>(faults: &F) -> bool {
    let mut server = association(faults);
    server.question(at(0), COOKIE).unwrap();
    let unset = Packet { stratum: 16, ..reply(COOKIE, 0) };
    let swapped = Packet { receive: reply(COOKIE, 500).transmit, ..reply(COOKIE, 0) };
    server.answer(&unset.encode(), at(15)) == Err(Rejection::Unsynchronised)
        && server.answer(&swapped.encode(), at(16)) == Err(Rejection::Backwards)
        && server.answer(&reply(COOKIE, 0).encode(), at(21)).is_ok()
}

/// Who is asked each 200 000 s or never is not asked more often for having said to ask less.
fn never_faster<F: Faults>(faults: &F) -> bool {
    [Duration::from_secs(200_000), Duration::MAX].into_iter().all(|interval| {
        let options = PollOptions { interval, burst: 0, ..PollOptions::default() };
        let mut server = Association::with_faults(options, at(0), faults.clone(), faults.clone());
        server.question(at(0), COOKIE).unwrap();
        let before = server.next_question_at().unwrap();
        let refused =
            server.answer(&kiss(b"RATE", COOKIE).encode(), at(20)) == Err(Rejection::Kiss(Kiss::Rate));
        let after = server.next_question_at().unwrap();
        let least = interval.min(Duration::from_nanos(u64::try_from(i64::MAX).unwrap()));
        server.question(after, COOKIE).unwrap();
        let pace = server.next_question_at().unwrap().since(after);
        refused && after >= before && (pace >= least || server.next_question_at() == Some(UnixTime::MAX))
    })
}

#[test]
fn clock_p29_each_rule_of_answers_holds_and_its_planted_fault_is_found() {
    type Rule<F> = fn(&F) -> bool;
    let rules: [(Fault, Rule<Sound>, Rule<Planted>); 8] = [
        (Fault::AnyOrigin, origin, origin),
        (Fault::Replay, replay, replay),
        (Fault::AnyKiss, forged_kiss, forged_kiss),
        (Fault::AskOn, farewell, farewell),
        (Fault::SamePace, slower, slower),
        (Fault::Unsynchronised, unsynchronised, unsynchronised),
        (Fault::UseUp, refused_first, refused_first),
        (Fault::Hasten, never_faster, never_faster),
    ];
    for (fault, sound, planted) in rules {
        assert!(sound(&Sound), "the rule against {fault:?} does not hold");
        assert!(!planted(&Planted(fault)), "{fault:?} is not found");
    }
}

#[test]
fn clock_p29_other_answers_that_tell_no_time() {
    let refused = |packet: Packet, now: UnixTime| {
        let mut server = association(&Sound);
        server.question(at(0), COOKIE).unwrap();
        let refusal = server.answer(&packet.encode(), now).unwrap_err();
        assert_eq!(server.estimate(now), None);
        refusal
    };
    let good = reply(COOKIE, 0);
    assert_eq!(refused(Packet { mode: Mode::Client, ..good }, at(21)), Rejection::Mode);
    assert_eq!(refused(Packet { mode: Mode::Other(6), ..good }, at(21)), Rejection::Mode);
    assert_eq!(refused(Packet { receive: NtpTimestamp::ZERO, ..good }, at(21)), Rejection::NoTime);
    assert_eq!(refused(Packet { transmit: NtpTimestamp::ZERO, ..good }, at(21)), Rejection::NoTime);
    let swapped = Packet { receive: good.transmit, transmit: good.receive, ..good };
    assert_eq!(refused(swapped, at(21)), Rejection::Backwards);
    assert_eq!(refused(good, at(-1)), Rejection::Backwards);
    let far = Packet { root_dispersion: NtpShort::from_bits(16 << 16), ..good };
    assert!(matches!(refused(far, at(21)), Rejection::Distance(16_000_000_000..)));
    assert_eq!(refused(kiss(b"INIT", COOKIE), at(21)), Rejection::Kiss(Kiss::Other(*b"INIT")));
}

#[test]
fn a_burst_fills_the_filter_and_then_the_pace_is_kept() {
    let mut server = association(&Sound);
    let mut asked = Vec::new();
    while asked.len() < 11 {
        let now = server.next_question_at().unwrap();
        assert_eq!(server.question(now.shifted(-1), COOKIE), None);
        server.question(now, COOKIE).unwrap();
        asked.push(now.since(at(0)).as_secs());
    }
    assert_eq!(asked, [0, 2, 4, 6, 8, 10, 12, 14, 16, 80, 144]);
}

#[test]
fn a_server_that_is_silent_for_eight_questions_says_nothing_any_more() {
    let mut server = association(&Sound);
    server.question(at(0), COOKIE).unwrap();
    server.answer(&reply(COOKIE, 0).encode(), at(21)).unwrap();
    for silent in 1..=8 {
        let now = server.next_question_at().unwrap();
        assert!(server.estimate(now).is_some(), "after {silent} questions");
        server.question(now, COOKIE).unwrap();
    }
    assert_eq!(server.estimate(at(0)), None);
}

#[test]
fn clock_p29_an_exchange_across_the_rollover_of_2036() {
    let edge = UnixTime::from_secs(2_085_978_496);
    let mut server = Association::new(PollOptions::default(), edge.shifted(-5_000_000));
    server.question(edge.shifted(-5_000_000), COOKIE).unwrap();
    let (receive, transmit) =
        (NtpTimestamp::from_unix(edge.shifted(1)), NtpTimestamp::from_unix(edge.shifted(1_000_001)));
    let packet = Packet { receive, transmit, ..reply(COOKIE, 0) };
    let sample = server.answer(&packet.encode(), edge.shifted(6_000_000)).unwrap();
    // The second itself would read zero, which stands for "not known": the server answers a nanosecond later.
    assert_eq!((sample.offset_ns, sample.delay_ns), (1, 10_000_000));
}

#[test]
fn published_offsets_and_delays() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("vectors/ntp.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let t: Vec<i64> = case["t"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).collect();
        let trip = RoundTrip::new(t.try_into().unwrap());
        let twice_theta = case["theta"].as_f64().unwrap() * 2.0;
        assert_eq!(trip.twice_offset(), format!("{twice_theta}").parse::<i128>().unwrap(), "{case}");
        assert_eq!(trip.delay(), i128::from(case["delta"].as_i64().unwrap()), "{case}");
    }
}
