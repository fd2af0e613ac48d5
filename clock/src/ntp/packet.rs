//! The 48 bytes of an NTP packet (RFC 5905 §7.3).

use core::fmt;

use super::timestamp::{NtpShort, NtpTimestamp};

/// What a packet's header says. Extension fields and authenticators, which may follow it, are not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Whether a leap second is due, or the clock is not set at all.
    pub leap: Leap,
    /// 1 to 4.
    pub version: u8,
    /// Who speaks.
    pub mode: Mode,
    /// Steps from a reference clock: 1 is beside one, 16 and more is nowhere; 0 is a [kiss](ReferenceId::kiss).
    pub stratum: u8,
    /// Seconds between questions, as a power of two.
    pub poll: i8,
    /// How finely the sender reads its clock: seconds, as a power of two.
    pub precision: i8,
    /// Both ways between the server and its reference clock.
    pub root_delay: NtpShort,
    /// How wrong the server's clock may be beside half of that.
    pub root_dispersion: NtpShort,
    /// Whom the server follows, or why it says nothing.
    pub reference_id: ReferenceId,
    /// When the server's clock was last corrected.
    pub reference: NtpTimestamp,
    /// The transmit field of the question, which a server gives back.
    pub origin: NtpTimestamp,
    /// When the question reached the server.
    pub receive: NtpTimestamp,
    /// When this packet left.
    pub transmit: NtpTimestamp,
}

impl Packet {
    /// Bytes of a header.
    pub const LENGTH: usize = 48;

    /// A client's question. `transmit` comes back as `origin` and is best a number that nobody can guess; the client
    /// keeps its own note of the time.
    pub const fn question(transmit: NtpTimestamp) -> Self {
        Self {
            leap: Leap::None,
            version: 4,
            mode: Mode::Client,
            stratum: 0,
            poll: 0,
            precision: 0,
            root_delay: NtpShort::from_bits(0),
            root_dispersion: NtpShort::from_bits(0),
            reference_id: ReferenceId([0; 4]),
            reference: NtpTimestamp::ZERO,
            origin: NtpTimestamp::ZERO,
            receive: NtpTimestamp::ZERO,
            transmit,
        }
    }

    /// Reads a header.
    ///
    /// # Errors
    /// Whatever came, this returns; see [`PacketError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PacketError> {
        let mut left = bytes;
        let too_short = PacketError::TooShort(bytes.len());
        let [first, stratum, poll, precision] = take(&mut left).ok_or(too_short)?;
        let version = (first >> 3) & 7;
        if !(1..=4).contains(&version) {
            return Err(PacketError::Version(version));
        }
        let mut word = || take(&mut left).ok_or(too_short);
        let root_delay = NtpShort::from_bits(u32::from_be_bytes(word()?));
        let root_dispersion = NtpShort::from_bits(u32::from_be_bytes(word()?));
        let reference_id = ReferenceId(word()?);
        let mut stamp =
            || take(&mut left).map(u64::from_be_bytes).map(NtpTimestamp::from_bits).ok_or(too_short);
        Ok(Self {
            leap: Leap::from_bits(first >> 6),
            version,
            mode: Mode::from_bits(first & 7),
            stratum,
            poll: i8::from_be_bytes([poll]),
            precision: i8::from_be_bytes([precision]),
            root_delay,
            root_dispersion,
            reference_id,
            reference: stamp()?,
            origin: stamp()?,
            receive: stamp()?,
            transmit: stamp()?,
        })
    }

    /// Writes the header: the inverse of [`parse`](Self::parse).
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let first = (self.leap.to_bits() << 6) | ((self.version & 7) << 3) | self.mode.to_bits();
        let head = [first, self.stratum, self.poll.to_be_bytes()[0], self.precision.to_be_bytes()[0]];
        let words = [
            head,
            self.root_delay.to_bits().to_be_bytes(),
            self.root_dispersion.to_bits().to_be_bytes(),
            self.reference_id.0,
        ];
        let stamps =
            [self.reference, self.origin, self.receive, self.transmit].map(|it| it.to_bits().to_be_bytes());
        let fields = words.iter().map(<[u8; 4]>::as_slice).chain(stamps.iter().map(<[u8; 8]>::as_slice));
        for (to, from) in bytes.iter_mut().zip(fields.flatten()) {
            *to = *from;
        }
        bytes
    }
}

/// Why bytes are no packet. Nothing is changed by them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Fewer bytes than a header has: the sender's fault, or a datagram cut on the way.
    #[error("{0} bytes are fewer than the {length} of a header", length = Packet::LENGTH)]
    TooShort(usize),
    /// A version that NTP does not have.
    #[error("version {0} is not one of 1 to 4")]
    Version(u8),
}

/// The leap indicator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leap {
    /// Nothing is due.
    None,
    /// The last minute of the day has 61 seconds.
    Add,
    /// The last minute of the day has 59 seconds.
    Remove,
    /// The sender's clock was never set.
    Unsynchronised,
}

impl Leap {
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::None,
            1 => Self::Add,
            2 => Self::Remove,
            _ => Self::Unsynchronised,
        }
    }

    const fn to_bits(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Add => 1,
            Self::Remove => 2,
            Self::Unsynchronised => 3,
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// One that asks.
    Client,
    /// One that answers.
    Server,
    /// Anything else: peers, broadcasts, control messages.
    Other(u8),
}

impl Mode {
    const fn from_bits(bits: u8) -> Self {
        match bits {
            3 => Self::Client,
            4 => Self::Server,
            other => Self::Other(other),
        }
    }

    const fn to_bits(self) -> u8 {
        match self {
            Self::Client => 3,
            Self::Server => 4,
            Self::Other(bits) => bits & 7,
        }
    }
}

/// Four bytes that name a server's reference, or its kiss.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReferenceId(pub [u8; 4]);

impl ReferenceId {
    /// The meaning in a packet of stratum 0 (RFC 5905 §7.4).
    pub const fn kiss(self) -> Kiss {
        match &self.0 {
            b"DENY" => Kiss::Deny,
            b"RSTR" => Kiss::Restrict,
            b"RATE" => Kiss::Rate,
            code => Kiss::Other(*code),
        }
    }
}

impl fmt::Debug for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Why a server gives no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kiss {
    /// Access denied: ask no more.
    Deny,
    /// Access restricted: ask no more.
    Restrict,
    /// Asked too often: ask less.
    Rate,
    /// Another word, for people.
    Other([u8; 4]),
}

fn take<const N: usize>(left: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = left.split_first_chunk()?;
    *left = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_as_a_server_sends_it() {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&[
            0x24, 2, 6, 0xe9, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 192, 0, 2, 7, // no leap, version 4, server
        ]);
        for (at, seconds) in [(16, 10_u8), (24, 20), (32, 30), (40, 40)] {
            bytes[at + 3] = seconds;
        }
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.leap, packet.version, packet.mode), (Leap::None, 4, Mode::Server));
        assert_eq!((packet.stratum, packet.poll, packet.precision), (2, 6, -23));
        assert_eq!(packet.root_delay.to_nanos(), 62_500_000);
        assert_eq!(packet.root_dispersion.to_nanos(), 125_000_000);
        assert_eq!(packet.reference_id, ReferenceId([192, 0, 2, 7]));
        let stamps = [packet.reference, packet.origin, packet.receive, packet.transmit];
        assert_eq!(stamps.map(NtpTimestamp::to_bits), [10 << 32, 20 << 32, 30 << 32, 40 << 32]);
        assert_eq!(packet.encode(), bytes);
    }

    #[test]
    fn what_is_no_packet() {
        assert_eq!(Packet::parse(&[]), Err(PacketError::TooShort(0)));
        assert_eq!(Packet::parse(&[0x23; 47]), Err(PacketError::TooShort(47)));
        assert_eq!(Packet::parse(&[0x03; 48]), Err(PacketError::Version(0)));
        assert_eq!(Packet::parse(&[0x2b; 48]), Err(PacketError::Version(5)));
    }

    #[test]
    fn kisses() {
        assert_eq!(ReferenceId(*b"RATE").kiss(), Kiss::Rate);
        assert_eq!(ReferenceId(*b"DENY").kiss(), Kiss::Deny);
        assert_eq!(ReferenceId(*b"RSTR").kiss(), Kiss::Restrict);
        assert_eq!(ReferenceId(*b"INIT").kiss(), Kiss::Other(*b"INIT"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_an_error_and_a_packet_is_written_as_it_came(
            bytes in proptest::collection::vec(any::<u8>(), 0..100)
        ) {
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert_eq!(&packet.encode()[..], &bytes[..48]);
            } else {
                prop_assert!(bytes.len() < 48 || !(1..=4).contains(&((bytes[0] >> 3) & 7)));
            }
        }
    }
}
