//! Choices read from a fuzzer's bytes.

/// Gives one choice after the other; zeros once the bytes are used up.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    rest: &'a [u8],
}

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `bound`, which is at most 256.
    pub(crate) fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound.max(1)
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A number near `near`, a small one, or one from the ends of the range.
    pub(crate) fn number(&mut self, near: u64) -> u64 {
        match self.byte() {
            small @ 0..=15 => small.into(),
            below @ 16..=127 => near.saturating_sub(u64::from(below) % 8),
            above @ 128..=239 => near.saturating_add(u64::from(above) % 8),
            240..=245 => u64::MAX,
            246..=249 => u64::MAX - 1,
            250..=252 => 1 << 63,
            _ => u64::from(self.u32()) << 32 | u64::from(self.u32()),
        }
    }

    /// At most `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        head
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.bytes(usize::MAX)
    }
}
