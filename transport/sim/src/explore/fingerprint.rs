//! Sixty-four bits that stand for a state, and the set of those seen.
//!
//! A visited state is not kept: its fingerprint and its parent are, some 26 bytes. Two states of the same fingerprint
//! are taken for one, and what lies behind the second stays unvisited. Of n states, some two share one with a
//! probability of at most n²/2^65: 3e-8 for a million, 3e-4 for a hundred million.

use core::hash::{Hash, Hasher};

/// Hashes the same everywhere and always. Two lanes of 64 bits, each stepped by a bijection, so that nothing is lost on
/// the way; only the end folds them into one.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprinter {
    left: u64,
    right: u64,
}

const LEFT: u64 = 0x9E37_79B9_7F4A_7C15;
const RIGHT: u64 = 0xD6E8_FEB8_6659_FD93;

impl Default for Fingerprinter {
    fn default() -> Self {
        Self { left: 0x243F_6A88_85A3_08D3, right: 0x1319_8A2E_0370_7344 }
    }
}

impl Fingerprinter {
    /// The fingerprint of anything.
    pub fn of(value: &impl Hash) -> u64 {
        let mut hasher = Self::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[inline]
    fn mix(&mut self, word: u64) {
        let left = (self.left ^ word).wrapping_mul(LEFT);
        self.left = left ^ (left >> 32);
        let right = self.right.wrapping_add(word).wrapping_mul(RIGHT);
        self.right = right ^ (right >> 29);
    }
}

impl Hasher for Fingerprinter {
    #[inline]
    fn finish(&self) -> u64 {
        let mut word = self.left ^ self.right.rotate_left(32);
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in chunks.by_ref() {
            self.mix(chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            // The length keeps [0] and [0, 0] apart.
            let length = u64::try_from(rest.len()).unwrap_or(0) << 56;
            self.mix(rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)) | length);
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.mix(value.into());
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.mix(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        // Discriminants of enumerations come this way.
        self.write_usize(usize::from_ne_bytes(value.to_ne_bytes()));
    }
}

/// No state: the parent of an initial one.
pub(super) const NONE: u32 = u32::MAX;

/// Every state seen, by number in the order of discovery.
#[derive(Debug)]
pub(super) struct Visited {
    /// Open addressing: the upper half of the fingerprint and the number plus one, or zero.
    slots: Vec<u64>,
    /// Fingerprint by number.
    fingerprints: Vec<u64>,
    /// The state each was first reached from, by number.
    parents: Vec<u32>,
}

impl Visited {
    pub(super) fn new() -> Self {
        Self { slots: vec![0; 1 << 12], fingerprints: Vec::new(), parents: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// The number of a state.
    #[inline]
    pub(super) fn find(&self, fingerprint: u64) -> Option<u32> {
        self.probe(fingerprint).ok()
    }

    /// A new number, unless the state has one or there are no numbers left.
    pub(super) fn insert(&mut self, fingerprint: u64, parent: u32) -> Option<u32> {
        let slot = self.probe(fingerprint).err()?;
        let id = u32::try_from(self.len()).ok().filter(|id| *id < NONE - 1)?;
        self.fingerprints.push(fingerprint);
        self.parents.push(parent);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = entry(fingerprint, id);
        }
        if self.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Some(id)
    }

    pub(super) fn fingerprint(&self, id: u32) -> Option<u64> {
        self.fingerprints.get(id as usize).copied()
    }

    /// From an initial state to this one.
    pub(super) fn ancestry(&self, mut id: u32) -> Vec<u32> {
        let mut line = Vec::new();
        while id != NONE {
            line.push(id);
            id = self.parents.get(id as usize).copied().unwrap_or(NONE);
        }
        line.reverse();
        line
    }

    /// The number, or the slot where it would stand.
    #[inline]
    fn probe(&self, fingerprint: u64) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = low(fingerprint) & mask;
        loop {
            match self.slots.get(slot) {
                None | Some(0) => return Err(slot),
                Some(entry) if (entry ^ fingerprint) >> 32 == 0 => {
                    let id = number(*entry);
                    if self.fingerprint(id) == Some(fingerprint) {
                        return Ok(id);
                    }
                }
                Some(_) => {}
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let length = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(length, 0);
        for (id, fingerprint) in (0u32..).zip(self.fingerprints.iter().copied()) {
            let mut slot = low(fingerprint) & (length - 1);
            while self.slots.get(slot).is_some_and(|entry| *entry != 0) {
                slot = (slot + 1) & (length - 1);
            }
            if let Some(place) = self.slots.get_mut(slot) {
                *place = entry(fingerprint, id);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
fn low(fingerprint: u64) -> usize {
    fingerprint as usize
}

fn entry(fingerprint: u64, id: u32) -> u64 {
    (fingerprint & 0xFFFF_FFFF_0000_0000) | u64::from(id + 1)
}

#[expect(clippy::cast_possible_truncation, reason = "the low half holds the number")]
fn number(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn small_neighbouring_values_have_fingerprints_of_their_own() {
        let mut seen = HashSet::new();
        for a in 0u8..40 {
            for b in 0u16..40 {
                for c in 0u32..40 {
                    for d in [vec![], vec![0u8], vec![0, 0], vec![c.to_le_bytes()[0]; 9]] {
                        seen.insert((a, b, c, d));
                    }
                }
            }
        }
        let prints: HashSet<u64> = seen.iter().map(Fingerprinter::of).collect();
        assert_eq!(prints.len(), seen.len());
        // The bits that choose a slot are spread: no slot of 1024 has three times its share.
        let mut slots = vec![0u32; 1024];
        for print in &prints {
            slots[low(*print) & 1023] += 1;
        }
        let share = u32::try_from(prints.len()).expect("small") / 1024;
        assert!(slots.iter().all(|count| *count < 3 * share), "{slots:?}");
    }

    #[test]
    fn a_fingerprint_never_changes() {
        assert_eq!(Fingerprinter::of(&(1u8, "two", vec![3u64])), 8_802_089_109_067_979_389);
    }

    #[test]
    fn numbers_survive_growth_and_equal_low_bits() {
        let mut visited = Visited::new();
        let prints: Vec<u64> = (1..20_000u64).map(|i| (i << 20) | (i << 50) | 5).collect();
        for (id, print) in (0u32..).zip(&prints) {
            assert_eq!(visited.insert(*print, id.wrapping_sub(1)), Some(id));
            assert_eq!(visited.insert(*print, 0), None);
        }
        assert!((0u32..).zip(&prints).all(|(id, print)| visited.find(*print) == Some(id)));
        assert_eq!(visited.find(77), None);
        assert_eq!(visited.ancestry(3), vec![0, 1, 2, 3]);
    }

    #[test]
    fn equal_upper_halves_in_one_slot_are_still_told_apart() {
        let mut visited = Visited::new();
        let (one, other) = (0xABCD_0000_0000_0005, 0xABCD_0000_0010_0005);
        assert_eq!((visited.insert(one, NONE), visited.find(other)), (Some(0), None));
        assert_eq!((visited.insert(other, 0), visited.find(one)), (Some(1), Some(0)));
    }
}
