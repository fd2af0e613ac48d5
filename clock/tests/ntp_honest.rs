//! Honest servers and an oscillator within its bound: true time is within the stated interval, however seldom answers
//! come, and what is learned of the frequency stays small.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use synod_clock::UnixTime;
use synod_clock::ntp::{
    Client, ClientOptions, Leap, Mode, NtpShort, NtpTimestamp, Packet, PollOptions, ReferenceId, Rejection,
};
use synod_transport::rng::Rng;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const START: UnixTime = UnixTime::from_secs(1_790_000_000);

/// A network between a client and servers that say true.
#[derive(Clone, Copy)]
struct Network {
    poll_s: u64,
    loss_percent: u64,
    /// Either way takes 0.1 ms and up to this more.
    jitter_ns: u64,
    servers: usize,
    /// How much faster than the counter true time runs.
    slow_ppb: i64,
    /// So many questions on from the twentieth are answered by RATE.
    kisses: u32,
    days: i64,
}

const EACH_MINUTE: Network = Network {
    poll_s: 64,
    loss_percent: 0,
    jitter_ns: 5_000_000,
    servers: 1,
    slow_ppb: 0,
    kisses: 0,
    days: 10,
};

/// What was seen of one run.
#[derive(Default, Debug)]
struct Seen {
    looks: u32,
    missed: u32,
    /// After the first day.
    largest_frequency_error_ppb: i64,
    largest_reading_error_ns: i64,
}

impl Network {
    /// True time when the counter shows `local_ns`.
    fn truth(&self, local_ns: u64) -> UnixTime {
        let counted = i64::try_from(local_ns).unwrap();
        let more = i128::from(counted) * i128::from(self.slow_ppb) / i128::from(SECOND);
        START.shifted(counted + i64::try_from(more).unwrap())
    }

    fn run(&self, seed: u64) -> Seen {
        let mut rng = Rng::new(seed);
        let poll = PollOptions { interval: Duration::from_secs(self.poll_s), ..PollOptions::default() };
        let options = ClientOptions { poll, ..ClientOptions::default() };
        let mut client = Client::new(options, self.servers, 0, START);
        let (mut local_ns, mut asked, mut seen) = (0, 0, Seen::default());
        while local_ns < u64::try_from(self.days * DAY).unwrap() {
            let next_ns = client.next_question_at_ns(local_ns).unwrap();
            for quarter in 0..4 {
                self.look(&client, local_ns + (next_ns - local_ns) / 4 * quarter, &mut seen);
            }
            local_ns = next_ns;
            let asked_before = asked;
            while let Some((server, question)) = client.question(local_ns, rng.next_u64()) {
                asked += 1;
                if rng.below(100) < self.loss_percent {
                    continue;
                }
                let kissed = (20..20 + self.kisses).contains(&asked);
                let (out, back) = (100_000 + rng.below(self.jitter_ns), 100_000 + rng.below(self.jitter_ns));
                let answer = answer(&question, self.truth(local_ns + out), kissed);
                local_ns += out + back;
                match client.answer(server, &answer, local_ns) {
                    Ok(_) => assert!(!kissed),
                    Err(refusal) => assert!(kissed && matches!(refusal, Rejection::Kiss(_)), "{refusal}"),
                }
            }
            // Whoever waits until then has something to ask.
            assert!(asked > asked_before || local_ns > next_ns, "nothing to ask at {next_ns}");
        }
        seen
    }

    fn look(&self, client: &Client, at_ns: u64, seen: &mut Seen) {
        let Some(interval) = client.interval(at_ns) else { return };
        let truth = self.truth(at_ns);
        seen.looks += 1;
        seen.missed += u32::from(!interval.contains(truth));
        if at_ns > u64::try_from(DAY).unwrap() {
            let frequency = (client.discipline().frequency_ppb() - self.slow_ppb).abs();
            let reading = client.reading(at_ns).nanos_since(truth).abs();
            seen.largest_frequency_error_ppb = seen.largest_frequency_error_ppb.max(frequency);
            seen.largest_reading_error_ns = seen.largest_reading_error_ns.max(reading);
        }
    }
}

fn answer(question: &[u8], at: UnixTime, kissed: bool) -> [u8; Packet::LENGTH] {
    let at = NtpTimestamp::from_unix(at);
    let packet = Packet {
        leap: Leap::None,
        version: 4,
        mode: Mode::Server,
        stratum: if kissed { 0 } else { 2 },
        poll: 6,
        precision: -20,
        root_delay: NtpShort::from_bits(66),
        root_dispersion: NtpShort::from_bits(66),
        reference_id: ReferenceId(if kissed { *b"RATE" } else { [192, 0, 2, 1] }),
        reference: at,
        origin: Packet::parse(question).unwrap().transmit,
        receive: at,
        transmit: at,
    };
    packet.encode()
}

#[test]
fn clock_p28_seldom_answers_teach_no_wrong_frequency_and_true_time_stays_within() {
    let networks = [
        ("a question a minute", EACH_MINUTE),
        ("a question a minute, a slow counter", Network { slow_ppb: 14_900, ..EACH_MINUTE }),
        ("of ten, three are answered", Network { loss_percent: 70, ..EACH_MINUTE }),
        ("of ten, two are answered", Network { loss_percent: 80, ..EACH_MINUTE }),
        ("512 s", Network { poll_s: 512, ..EACH_MINUTE }),
        ("512 s, a steady network", Network { poll_s: 512, jitter_ns: 200_000, ..EACH_MINUTE }),
        ("1024 s, a steady network", Network { poll_s: 1024, jitter_ns: 200_000, ..EACH_MINUTE }),
        ("slower by three kisses", Network { kisses: 3, slow_ppb: 10_000, ..EACH_MINUTE }),
        ("slower by six kisses", Network { kisses: 6, slow_ppb: -10_000, ..EACH_MINUTE }),
    ];
    for (name, network) in networks {
        for seed in 0..3 {
            let seen = network.run(seed);
            assert!(seen.looks > 500, "{name}, seed {seed}: {seen:?}");
            assert_eq!(seen.missed, 0, "{name}, seed {seed}: {seen:?}");
            // Whatever is learned is no worse than nothing by more than a part in a million.
            let frequency_ppb = network.slow_ppb.abs() + 1000;
            assert!(seen.largest_frequency_error_ppb < frequency_ppb, "{name}, seed {seed}: {seen:?}");
            // Half the difference of the two ways, and what the counter drifts while the filter's best sample ages.
            // Ten days of six kisses are too few to learn how much that is.
            let polls = i64::try_from(network.poll_s << network.kisses).unwrap() * 10;
            let unknown_ppb = if network.kisses == 0 { 0 } else { network.slow_ppb.abs() };
            let reading_ns = 5_000_000 + polls * unknown_ppb;
            assert!(seen.largest_reading_error_ns < reading_ns, "{name}, seed {seed}: {seen:?}");
        }
    }
}

#[test]
fn clock_p28_the_filters_oldest_sample_may_be_hours_old_and_true_time_stays_within() {
    for (poll_s, servers) in [(1024, 1), (1024, 3), (8192, 3)] {
        for slow_ppb in [14_900, -14_900] {
            let network =
                Network { poll_s, servers, slow_ppb, jitter_ns: 2_000_000, days: 20, ..EACH_MINUTE };
            for seed in 0..3 {
                let seen = network.run(seed);
                assert!(seen.looks > 500, "{servers} servers, {poll_s} s, seed {seed}: {seen:?}");
                assert_eq!(seen.missed, 0, "{servers} servers, {poll_s} s, seed {seed}: {seen:?}");
            }
        }
    }
}

/// Two honest servers whose answers take 0.1 ms out and 19.9 ms back, and a liar, quick and 9.9 ms off, whose claim lies
/// within theirs.
#[test]
fn clock_p29_a_liar_within_the_honest_claims_narrows_nothing() {
    let mut rng = Rng::new(5);
    let mut client = Client::new(ClientOptions::default(), 3, 0, START);
    let (mut local_ns, mut looks) = (0, 0);
    let truth = |local_ns: u64| START.shifted(i64::try_from(local_ns).unwrap());
    for _ in 0..200 {
        local_ns = client.next_question_at_ns(local_ns).unwrap();
        while let Some((server, question)) = client.question(local_ns, rng.next_u64()) {
            let (out, back, wrong_ns) =
                if server < 2 { (100_000, 19_900_000, 0) } else { (500_000, 500_000, -9_900_000) };
            let answer = answer(&question, truth(local_ns + out).shifted(wrong_ns), false);
            local_ns += out + back;
            client.answer(server, &answer, local_ns).unwrap();
            let Some(interval) = client.interval(local_ns) else { continue };
            looks += 1;
            assert!(interval.contains(truth(local_ns)), "{interval:?} does not hold {:?}", truth(local_ns));
        }
    }
    assert!(looks > 500, "{looks}");
}

/// By default most servers must agree: one that answers alone is not believed, however often.
#[test]
fn clock_p29_who_answers_alone_among_three_is_not_believed() {
    let mut client = Client::new(ClientOptions::default(), 3, 0, START);
    for server in [2, 2, 0] {
        for _ in 0..40 {
            let now_ns = client.next_question_at_ns(0).unwrap();
            while let Some((asked, question)) = client.question(now_ns, 7) {
                if asked == server {
                    let at = START.shifted(i64::try_from(now_ns).unwrap());
                    client.answer(server, &answer(&question, at, false), now_ns + 1000).unwrap();
                }
            }
        }
        assert_eq!(client.interval(u64::MAX).is_some(), server == 0);
    }
}
