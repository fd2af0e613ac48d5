//! A client of four servers in a simulated world: one server lies, the network loses, doubles and delays, the
//! client's oscillator drifts.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use synod_clock::UnixTime;
use synod_clock::ntp::{
    Client, ClientOptions, DisciplineOptions, Leap, Mode, NtpShort, NtpTimestamp, Outcome, Packet,
    PollOptions, ReferenceId, Rejection, SelectOptions,
};
use synod_transport::rng::Rng;

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const START: UnixTime = UnixTime::from_secs(1_790_000_000);
/// Most that the oscillator drifts, and most that is learned of it.
const OSCILLATOR_PPB: i64 = 50_000;
const LIAR: usize = 2;

/// True time in nanoseconds since the start, and everything that follows from it.
struct World {
    rng: Rng,
    now_ns: i64,
    counter_ns: i64,
    drift_ppb: i64,
    client: Client,
    /// Datagrams on their way back: when they arrive, from whom.
    answers: Vec<(i64, usize, [u8; Packet::LENGTH])>,
    held: UnixTime,
    intervals: u32,
    steps: u32,
    replays: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let options = ClientOptions {
            poll: PollOptions { drift_bound_ppb: 2 * OSCILLATOR_PPB, ..PollOptions::default() },
            select: SelectOptions { agreeing: 2, ..SelectOptions::default() },
            discipline: DisciplineOptions {
                drift_bound_ppb: 2 * OSCILLATOR_PPB,
                maximum_frequency_ppb: OSCILLATOR_PPB,
                ..DisciplineOptions::default()
            },
        };
        let wrong_by = between(&mut rng, -100 * SECOND, 100 * SECOND);
        let client = Client::new(options, 4, 0, START.shifted(wrong_by));
        let drift_ppb = between(&mut rng, -OSCILLATOR_PPB, OSCILLATOR_PPB);
        Self {
            rng,
            now_ns: 0,
            counter_ns: 0,
            drift_ppb,
            client,
            answers: Vec::new(),
            held: UnixTime::MIN,
            intervals: 0,
            steps: 0,
            replays: 0,
        }
    }

    fn local(&self) -> u64 {
        u64::try_from(self.counter_ns).unwrap()
    }

    /// Goes on, and checks what must always hold.
    fn advance(&mut self, by_ns: i64) {
        self.now_ns += by_ns;
        self.counter_ns += by_ns + by_ns * self.drift_ppb / SECOND;
        let local = self.local();
        if let Some(interval) = self.client.interval(local) {
            self.intervals += 1;
            let truth = START.shifted(self.now_ns);
            assert!(interval.contains(truth), "{interval:?} does not hold {truth:?}");
        }
        let monotone = self.client.monotone(local);
        assert!(monotone >= self.held);
        self.held = monotone;
    }

    fn run(&mut self, until_ns: i64) {
        while self.now_ns < until_ns {
            let question_in =
                self.client.next_question_at_ns(self.local()).unwrap().saturating_sub(self.local());
            let answer_in = self.answers.iter().map(|(at, ..)| at - self.now_ns).min().unwrap_or(i64::MAX);
            // A counter that is slow by 50 ppm asks late; one nanosecond more than nothing, so that time goes on.
            let wait = i64::try_from(question_in).unwrap().min(answer_in).clamp(1, 10 * SECOND);
            self.advance(wait);
            self.drift_ppb =
                (self.drift_ppb + between(&mut self.rng, -100, 100)).clamp(-OSCILLATOR_PPB, OSCILLATOR_PPB);
            while let Some((server, question)) = self.client.question(self.local(), self.rng.next_u64()) {
                self.send(server, &question);
            }
            let now_ns = self.now_ns;
            let (due, later): (Vec<_>, Vec<_>) = self.answers.drain(..).partition(|(at, ..)| *at <= now_ns);
            self.answers = later;
            for (_, server, answer) in due {
                self.receive(server, &answer);
            }
        }
    }

    fn send(&mut self, server: usize, question: &[u8]) {
        if self.rng.chance_ppm(100_000) {
            return;
        }
        let out = between(&mut self.rng, MILLISECOND, 40 * MILLISECOND);
        let back = between(&mut self.rng, MILLISECOND, 40 * MILLISECOND);
        let arrives = START.shifted(self.now_ns + out);
        // Honest servers are wrong by less than they state.
        let wrong_ns =
            if server == LIAR { 3 * SECOND } else { between(&mut self.rng, -MILLISECOND, MILLISECOND) };
        let answer = Packet {
            leap: Leap::None,
            version: 4,
            mode: Mode::Server,
            stratum: 2,
            poll: 6,
            precision: -20,
            root_delay: NtpShort::from_bits(0),
            root_dispersion: NtpShort::from_bits(66),
            reference_id: ReferenceId([127, 0, 0, 1]),
            reference: NtpTimestamp::from_unix(START),
            origin: Packet::parse(question).unwrap().transmit,
            receive: NtpTimestamp::from_unix(arrives.shifted(wrong_ns)),
            transmit: NtpTimestamp::from_unix(arrives.shifted(wrong_ns + 20_000)),
        };
        self.answers.push((self.now_ns + out + 20_000 + back, server, answer.encode()));
        if self.rng.chance_ppm(200_000) {
            self.answers.push((self.now_ns + out + back + SECOND, server, answer.encode()));
        }
    }

    fn receive(&mut self, server: usize, bytes: &[u8]) {
        let local = self.local();
        match self.client.answer(server, bytes, local) {
            Ok(accepted) => {
                let stepped = matches!(accepted.outcome, Some(Outcome::Stepped { .. }));
                self.steps += u32::from(stepped);
                if let Some(selection) = accepted.selection {
                    assert!(!selection.survivors.contains(&LIAR), "{selection:?}");
                }
            }
            Err(Rejection::Replay | Rejection::Origin) => self.replays += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

fn between(rng: &mut Rng, low: i64, high: i64) -> i64 {
    let span = u64::try_from(high - low + 1).unwrap();
    low + i64::try_from(rng.below(span)).unwrap()
}

#[test]
fn clock_p28_the_ntp_estimate_always_holds_true_time() {
    let mut stepped = 0;
    for seed in 0..40 {
        let mut world = World::new(seed);
        world.run(4 * 3600 * SECOND);
        let error_ns = world.client.reading(world.local()).nanos_since(START.shifted(world.now_ns));
        // Honest answers are unequal by up to 39 ms: half of that.
        assert!(error_ns.abs() < 25 * MILLISECOND, "seed {seed}: off by {error_ns} ns");
        let width = world.client.interval(world.local()).unwrap().width();
        assert!(width.as_millis() < 250, "seed {seed}: {width:?}");
        assert!(world.intervals > 1000 && world.replays > 10);
        stepped += world.steps;
    }
    assert!(stepped >= 35, "the clock began 100 s off or less, and was stepped {stepped} times");
}
