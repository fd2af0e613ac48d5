//! What clocks are told from outside: NTP's datagrams, ClockBound's page.

use synod_clock::UnixTime;
use synod_clock::interval::Page;
use synod_clock::ntp::{Client, ClientOptions, NtpTimestamp, Packet, SelectOptions};

/// A wait in ms, flags, and a datagram.
const STEP: usize = 3 + Packet::LENGTH;
const START: UnixTime = UnixTime::from_secs(1_790_000_000);

/// A client of two servers gets datagrams, each after a wait of up to 65 s; the flags say which server it is from,
/// whether it repeats the open question, whether it is a server's answer by its first byte, and whether its times are
/// near the client's. What is a packet is written as it came; the monotone reading never goes back; the interval is one.
pub fn ntp_datagrams(data: &[u8]) {
    let options = ClientOptions {
        select: SelectOptions { agreeing: 1, ..SelectOptions::default() },
        ..ClientOptions::default()
    };
    let mut client = Client::new(options, 2, 0, START);
    let (mut local_ns, mut held) = (0_u64, UnixTime::MIN);
    for step in data.chunks(STEP) {
        let [high, low, flags, datagram @ ..] = step else { return };
        local_ns += u64::from(u16::from_be_bytes([*high, *low])) * 1_000_000;
        let mut cookies = [0; 2];
        while let Some((server, question)) = client.question(local_ns, local_ns + 7) {
            cookies[server] = Packet::parse(&question).expect("a question").transmit.to_bits();
        }
        let server = usize::from(flags & 1);
        let bytes = mended(datagram, *flags, cookies[server], client.discipline().free(local_ns));
        if let Ok(packet) = Packet::parse(&bytes) {
            assert_eq!(packet.encode(), bytes[..Packet::LENGTH], "one encoding");
        }
        let before = client.interval(local_ns);
        if client.answer(server, &bytes, local_ns).is_err() {
            assert_eq!(client.interval(local_ns), before, "what tells no time changes nothing");
        }
        let monotone = client.monotone(local_ns);
        assert!(monotone >= held && monotone >= client.reading(local_ns), "the monotone reading went back");
        held = monotone;
        if let Some(interval) = client.interval(local_ns) {
            assert!(interval.earliest() <= interval.latest());
        }
    }
}

fn mended(datagram: &[u8], flags: u8, cookie: u64, now: UnixTime) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    if flags & 4 != 0 {
        bytes.first_mut().map(|first| *first = 0x24).unwrap_or_default();
    }
    if bytes.len() == Packet::LENGTH && flags & 2 != 0 {
        bytes[24..32].copy_from_slice(&cookie.to_be_bytes());
    }
    if bytes.len() == Packet::LENGTH && flags & 8 != 0 {
        // Within eight seconds: the last bytes stay as they came.
        let stamp = NtpTimestamp::from_unix(now).to_bits().to_be_bytes();
        for at in [32, 40] {
            bytes[at..at + 4].copy_from_slice(&stamp[..4]);
            bytes[at + 3] = bytes[at + 3].wrapping_add(flags >> 5);
        }
    }
    bytes
}

/// Eight good answers of one server, then a kiss.
pub fn ntp_datagrams_seeds() -> Vec<Vec<u8>> {
    let answer = |stratum: u8, code: &[u8; 4]| {
        let mut bytes = vec![0x24, stratum, 6, 0xec];
        bytes.extend([0, 0, 1, 0, 0, 0, 1, 0]);
        bytes.extend(code);
        bytes.extend([1; 32]);
        bytes
    };
    let step = |flags: u8, datagram: &[u8]| [&[8, 0, flags][..], datagram].concat();
    let good: Vec<u8> = (0..8).flat_map(|_| step(14, &answer(2, &[127, 0, 0, 1]))).collect();
    let kissed =
        ["DENY", "RATE", "INIT"].map(|code| step(6, &answer(0, code.as_bytes().try_into().expect("four"))));
    kissed.iter().map(|kiss| [&good[..], kiss].concat()).chain([good.clone()]).collect()
}

/// Two numbers for now, then a page. What is a page holds the wall clock in its interval, wider later.
pub fn clock_bound_page(data: &[u8]) {
    let Some((realtime, data)) = data.split_first_chunk() else { return };
    let Some((monotonic, data)) = data.split_first_chunk() else { return };
    let (realtime, monotonic_ns) =
        (UnixTime::from_nanos(i64::from_le_bytes(*realtime)), i64::from_le_bytes(*monotonic));
    let Ok(page) = Page::parse(data) else { return };
    let read = Page::read(|buffer| {
        let length = data.len().min(buffer.len());
        buffer[..length].copy_from_slice(&data[..length]);
        Some(length)
    });
    assert_eq!(read, Ok(page), "a page that stays is read");
    let at = |monotonic_ns| page.at(realtime, monotonic_ns).map(|(interval, _)| interval);
    let Ok(now) = at(monotonic_ns) else { return };
    assert!(now.contains(realtime));
    if let Ok(later) = at(monotonic_ns.saturating_add(1_000_000_000)) {
        assert_eq!(later.intersection(now), Some(now), "a bound got smaller by itself");
    }
}

/// A page of either version.
pub fn clock_bound_page_seeds() -> Vec<Vec<u8>> {
    [1_u16, 2]
        .map(|version| {
            let mut bytes = [2_000_000_000_i64, 2_000_000_000].map(i64::to_le_bytes).concat();
            bytes.extend(0x414d_5a4e_u32.to_ne_bytes());
            bytes.extend(0x4342_0200_u32.to_ne_bytes());
            bytes.extend(80_u32.to_ne_bytes());
            bytes.extend([version, 2].map(u16::to_ne_bytes).concat());
            bytes.extend([0, 0, 10, 0, 10_000_i64].map(i64::to_ne_bytes).concat());
            bytes.extend(if version == 2 { vec![0; 8] } else { vec![] });
            bytes.extend([1000_u32, 1, 1, 0].map(u32::to_ne_bytes).concat());
            bytes
        })
        .to_vec()
}
