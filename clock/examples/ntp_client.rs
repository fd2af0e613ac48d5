//! An NTP client: asks servers, keeps a clock of its own right, and says how far this machine's clock is off. Sets
//! nothing.
//!
//! ```sh
//! cargo run -p synod-clock --example ntp_client -- pool.example.org:123 time.example.org:123
//! cargo run -p synod-clock --example ntp_client -- --answers 8 --burst-ms 100 127.0.0.1:11123
//! ```

use std::error::Error;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use synod_clock::UnixTime;
use synod_clock::ntp::{Accepted, Client, ClientOptions, PollOptions};
use tokio::net::{UdpSocket, lookup_host};

/// No answer for so long: there is nobody.
const PATIENCE: Duration = Duration::from_secs(10);

struct Arguments {
    servers: Vec<String>,
    answers: Option<u32>,
    burst: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let mut servers = Vec::new();
    for name in &arguments.servers {
        servers.push(lookup_host(name).await?.next().ok_or("a name without an address")?);
    }
    let counter = Counter::start();
    let poll = PollOptions { burst_interval: arguments.burst, ..PollOptions::default() };
    let options = ClientOptions { poll, ..ClientOptions::default() };
    let mut client = Client::new(options, servers.len(), counter.now_ns(), wall());
    let any = if servers.iter().any(SocketAddr::is_ipv6) { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(any).await?;
    let (mut answers, mut heard) = (0, Instant::now());
    while arguments.answers.is_none_or(|most| answers < most) {
        while let Some((server, bytes)) = client.question(counter.now_ns(), cookie()) {
            if let Some(address) = servers.get(server) {
                socket.send_to(&bytes, address).await?;
            }
        }
        let now_ns = counter.now_ns();
        let due_ns = client.next_question_at_ns(now_ns).ok_or("every server has said to stay away")?;
        let wait = Duration::from_nanos(due_ns.saturating_sub(now_ns));
        let mut bytes = [0; 128];
        let Ok(received) = tokio::time::timeout(wait, socket.recv_from(&mut bytes)).await else {
            if arguments.answers.is_some() && heard.elapsed() > PATIENCE {
                return Err("nobody answers".into());
            }
            continue;
        };
        let arrived_ns = counter.now_ns();
        let (length, from) = received?;
        let Some(server) = servers.iter().position(|it| *it == from) else { continue };
        match client.answer(server, bytes.get(..length).unwrap_or_default(), arrived_ns) {
            Ok(accepted) => {
                answers += 1;
                heard = Instant::now();
                tell(from, &accepted);
            }
            Err(rejection) => println!("{from}: {rejection}"),
        }
    }
    let now_ns = counter.now_ns();
    let (interval, ours) = (client.interval(now_ns).ok_or("too few have answered")?, wall());
    let error_ns = i64::try_from(interval.width().as_nanos() / 2)?;
    let middle = interval.earliest().shifted(error_ns);
    println!("this machine's clock is behind by {} ns, give or take {error_ns} ns", middle.nanos_since(ours));
    Ok(())
}

/// Of the outcomes, `Old` is no fault: the best of the last eight answers was used already.
fn tell(server: SocketAddr, accepted: &Accepted) {
    let sample = &accepted.sample;
    println!(
        "{server}: stratum {}, offset {} us, delay {} us, error at most {} us; {:?}",
        sample.stratum,
        sample.offset_ns / 1000,
        sample.delay_ns / 1000,
        sample.error_ns() / 1000,
        accepted.outcome,
    );
}

/// A counter that is neither set nor slewed, where the system has one.
struct Counter(#[cfg(not(target_os = "linux"))] Instant);

#[cfg(target_os = "linux")]
impl Counter {
    fn start() -> Self {
        Self()
    }

    fn now_ns(&self) -> u64 {
        synod_clock::source::raw_ns()
    }
}

#[cfg(not(target_os = "linux"))]
impl Counter {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// This machine's clock, before 1970 too.
fn wall() -> UnixTime {
    match std::time::SystemTime::UNIX_EPOCH.elapsed() {
        Ok(since) => UnixTime::EPOCH.shifted(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
        Err(before) => {
            UnixTime::EPOCH.shifted_back(i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX))
        }
    }
}

/// A number that nobody can guess: a keyed hash with a new key.
fn cookie() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut all = Arguments { servers: Vec::new(), answers: None, burst: Duration::from_secs(2) };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--answers" => all.answers = Some(given.next().ok_or("how many answers?")?.parse()?),
            "--burst-ms" => all.burst = Duration::from_millis(given.next().ok_or("how many ms?")?.parse()?),
            _ => all.servers.push(argument),
        }
    }
    if all.servers.is_empty() {
        return Err("name at least one server: host:port".into());
    }
    Ok(all)
}
