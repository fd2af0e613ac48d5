//! What stands where in the bits.
//!
//! ```text
//!  bit 127                            79   75          63 61                                      0
//!   ┌──────────────────────────────────┬────┬────────────┬──┬──────────────────────────────────────┐
//!   │ 48 bits                          │ver │ 12 bits    │10│ 62 bits                              │
//!   └──────────────────────────────────┴────┴────────────┴──┴──────────────────────────────────────┘
//!  1  time_low 32, time_mid 16              time_high        clock_seq 14, node 48
//!  6  time_high 32, time_mid 16             time_low         clock_seq 14, node 48
//!  7  unix_ts_ms                            rand_a           rand_b
//!  8  custom_a                              custom_b         custom_c
//! ```

use core::fmt;
use core::time::Duration;

use super::Uuid;
use super::error::UuidError;
use crate::random::{Random, RandomError};

/// Between 1582-10-15 and 1970-01-01, in ticks of 100 ns (section 5.1).
pub(super) const GREGORIAN_TO_UNIX: u64 = 0x01b2_1dd2_1381_4000;
const TICKS_PER_SECOND: u64 = 10_000_000;

pub(super) const TIME_BITS: u32 = 60;
pub(super) const LAST_TICK: u64 = (1 << TIME_BITS) - 1;
pub(super) const LAST_MS: u64 = (1 << 48) - 1;
const NODE_MASK: u64 = (1 << 48) - 1;
const SEQUENCE_MASK: u16 = 0x3fff;
const RAND_B_MASK: u64 = (1 << 62) - 1;

const VERSION_SHIFT: u32 = 76;
const VARIANT_SHIFT: u32 = 62;

/// Who laid the bits out (section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Reserved for the Apollo network computing system, and that of [`Uuid::NIL`].
    Ncs,
    /// That of the RFC.
    Rfc,
    /// Reserved for Microsoft.
    Microsoft,
    /// Reserved for the future, and that of [`Uuid::MAX`].
    Future,
}

/// What stands for a host in versions 1 and 6: 48 bits.
///
/// A random one has the multicast bit set, which no address of an interface has (section 6.10). This crate never asks
/// for an address: a host's should not stand in ids that others see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node([u8; 6]);

impl Node {
    /// Of six octets, the caller's affair whose.
    pub const fn from_bytes(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The octets.
    pub const fn to_bytes(self) -> [u8; 6] {
        self.0
    }

    /// 47 random bits, and the multicast bit set: the least bit of the first octet.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn random(random: &impl Random) -> Result<Self, RandomError> {
        let [a, b, c, d, e, f, ..] = random.next_u64()?.to_be_bytes();
        Ok(Self([a | 1, b, c, d, e, f]))
    }

    /// Whether it is surely no interface's address: the multicast bit is set.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    const fn as_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    const fn from_u64(bits: u64) -> Self {
        let [_, _, a, b, c, d, e, f] = bits.to_be_bytes();
        Self([a, b, c, d, e, f])
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:012x})", self.as_u64())
    }
}

impl Uuid {
    /// Version 1 of its fields (section 5.1): ticks of 100 ns since 1582-10-15, of which there are 60 bits; 14 bits of
    /// clock sequence, of which higher bits are left out; the node.
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`].
    pub fn v1_of(ticks: u64, clock_sequence: u16, node: Node) -> Result<Self, UuidError> {
        if ticks > LAST_TICK {
            return Err(UuidError::TimeOverflow);
        }
        let (low, middle, high) = (ticks & 0xffff_ffff, ticks >> 32 & 0xffff, ticks >> 48);
        let front = low << 32 | middle << 16 | high;
        Ok(Self::with_version(u128::from(front) << 64 | tail(clock_sequence, node), 1))
    }

    /// Version 6 of the same fields (section 5.6).
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`].
    pub fn v6_of(ticks: u64, clock_sequence: u16, node: Node) -> Result<Self, UuidError> {
        if ticks > LAST_TICK {
            return Err(UuidError::TimeOverflow);
        }
        let front = ticks >> 12 << 16 | ticks & 0xfff;
        Ok(Self::with_version(u128::from(front) << 64 | tail(clock_sequence, node), 6))
    }

    /// Version 7 of its fields (section 5.7): milliseconds since 1970, of which there are 48 bits; 12 bits; 62 bits.
    /// Higher bits of the last two are left out.
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`].
    pub fn v7_of(unix_ms: u64, rand_a: u16, rand_b: u64) -> Result<Self, UuidError> {
        if unix_ms > LAST_MS {
            return Err(UuidError::TimeOverflow);
        }
        let front = unix_ms << 16 | u64::from(rand_a & 0x0fff);
        Ok(Self::with_version(u128::from(front) << 64 | u128::from(rand_b & RAND_B_MASK), 7))
    }

    /// The bits with this version and the RFC's variant.
    #[inline]
    pub(super) const fn with_version(bits: u128, version: u8) -> Self {
        let cleared = bits & !(0xf << VERSION_SHIFT | 0b11 << VARIANT_SHIFT);
        Self(cleared | (version as u128) << VERSION_SHIFT | 0b10 << VARIANT_SHIFT)
    }

    /// The variant (section 4.1, table 1).
    pub const fn variant(self) -> Variant {
        match self.0 >> 61 & 0b111 {
            0b000..=0b011 => Variant::Ncs,
            0b100 | 0b101 => Variant::Rfc,
            0b110 => Variant::Microsoft,
            _ => Variant::Future,
        }
    }

    /// The version (section 4.2), if the variant is the RFC's: other variants have none. May be one that nobody has given
    /// a meaning.
    pub const fn version(self) -> Option<u8> {
        match self.variant() {
            Variant::Rfc => Some((self.0 >> VERSION_SHIFT & 0xf) as u8),
            _ => None,
        }
    }

    /// Ticks of 100 ns since 1582-10-15, of versions 1 and 6.
    pub fn ticks(self) -> Option<u64> {
        let front = self.front();
        match self.version()? {
            1 => Some((front & 0x0fff) << 48 | (front >> 16 & 0xffff) << 32 | front >> 32),
            6 => Some(front >> 16 << 12 | front & 0x0fff),
            _ => None,
        }
    }

    /// Milliseconds since 1970, of version 7.
    pub fn unix_ms(self) -> Option<u64> {
        (self.version()? == 7).then(|| self.front() >> 16)
    }

    /// The time since 1970, of versions 1, 6 and 7. None of another version, and of a time before 1970.
    pub fn time(self) -> Option<Duration> {
        if let Some(ms) = self.unix_ms() {
            return Some(Duration::from_millis(ms));
        }
        let ticks = self.ticks()?.checked_sub(GREGORIAN_TO_UNIX)?;
        let nanos = u32::try_from(ticks % TICKS_PER_SECOND).ok()? * 100;
        Some(Duration::new(ticks / TICKS_PER_SECOND, nanos))
    }

    /// The clock sequence, of versions 1 and 6: 14 bits.
    pub fn clock_sequence(self) -> Option<u16> {
        matches!(self.version()?, 1 | 6).then(|| (self.0 >> 48 & 0x3fff) as u16)
    }

    /// The node, of versions 1 and 6.
    pub fn node(self) -> Option<Node> {
        matches!(self.version()?, 1 | 6).then(|| Node::from_u64((self.0 & 0xffff_ffff_ffff) as u64))
    }

    /// The same time, clock sequence and node in version 6, whose order is that of time. None unless it is of version 1
    /// or 6.
    pub fn to_v6(self) -> Option<Self> {
        Self::v6_of(self.ticks()?, self.clock_sequence()?, self.node()?).ok()
    }

    /// The same time, clock sequence and node in version 1. None unless it is of version 1 or 6.
    pub fn to_v1(self) -> Option<Self> {
        Self::v1_of(self.ticks()?, self.clock_sequence()?, self.node()?).ok()
    }

    const fn front(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// Ticks of 100 ns since 1582-10-15 of a time since 1970.
pub(super) fn ticks_of(time: Duration) -> Result<u64, UuidError> {
    let ticks = time.as_nanos() / 100 + u128::from(GREGORIAN_TO_UNIX);
    u64::try_from(ticks).ok().filter(|ticks| *ticks <= LAST_TICK).ok_or(UuidError::TimeOverflow)
}

fn tail(clock_sequence: u16, node: Node) -> u128 {
    u128::from(u64::from(clock_sequence & SEQUENCE_MASK) << 48 | node.as_u64() & NODE_MASK)
}
