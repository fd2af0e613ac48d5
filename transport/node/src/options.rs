//! Limits of a node, with the reason for each default.

/// Limits. Zeros count as one. Name those you change: `Options { queue: 64, ..Options::default() }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Longest frame given to the network, in bytes. Must not exceed the network's own limit, nor what peers take.
    ///
    /// 1 MiB: big enough that the cost of a frame vanishes beside its bytes, small enough that a heartbeat on a shared
    /// link waits a few milliseconds at most.
    pub max_frame_bytes: usize,
    /// Most proposals accepted and not yet applied.
    ///
    /// 16384: a disk that syncs in 4 ms and a service that does a million commands a second meet at 4096; four times
    /// that leaves room for a slow sync.
    pub max_proposals_in_flight: usize,
    /// Most bytes of proposals queued, accepted and not yet applied. A proposer waits until its command fits.
    ///
    /// 64 MiB: what a node can lose without noticing in memory; some 0.1 s of a fast disk.
    pub max_bytes_in_flight: usize,
    /// Most proposals in one step, most frames in one round, most entries applied before the node looks up again.
    ///
    /// 1024: the cost of a step is spread thin long before, and 1024 commands of a few microseconds hold up a heartbeat
    /// by a few milliseconds.
    pub max_batch: usize,
    /// Most bytes of commands in one step, and most bytes applied before the node looks up again.
    ///
    /// 1 MiB: as a frame.
    pub max_batch_bytes: usize,
    /// Proposals, and apart from them reads, that may wait in the channel before their callers do.
    ///
    /// 4096: one batch is being worked on while the next few gather. A caller that finds no place pays for a second
    /// wake-up.
    pub queue: usize,
    /// Most linearizable reads waiting for confirmation; more are refused as busy.
    ///
    /// 16384: as the proposals.
    pub max_reads_in_flight: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_frame_bytes: 1 << 20,
            max_proposals_in_flight: 16_384,
            max_bytes_in_flight: 64 << 20,
            max_batch: 1024,
            max_batch_bytes: 1 << 20,
            queue: 4096,
            max_reads_in_flight: 16_384,
        }
    }
}

/// Room that a frame's message takes beside its entries, in bytes.
const HEAD_BYTES: usize = 256;

/// What a queued proposal takes beside its payload, in bytes: without it a million empty ones would count as nothing.
pub(crate) const COST_BYTES: usize = 64;

impl Options {
    /// The same without zeros and without windows that no semaphore can hold.
    pub(crate) fn sane(mut self) -> Self {
        let most = usize::try_from(u32::MAX >> 1).unwrap_or(usize::MAX);
        self.max_frame_bytes = self.max_frame_bytes.clamp(HEAD_BYTES * 2, most);
        self.max_proposals_in_flight = self.max_proposals_in_flight.max(1);
        self.max_bytes_in_flight = self.max_bytes_in_flight.clamp(COST_BYTES + 1, most);
        self.max_batch = self.max_batch.max(1);
        self.max_batch_bytes = self.max_batch_bytes.max(1);
        self.queue = self.queue.clamp(1, most);
        self.max_reads_in_flight = self.max_reads_in_flight.max(1);
        self
    }

    /// Most bytes of entries in one frame.
    pub(crate) fn entry_bytes(&self) -> usize {
        self.max_frame_bytes - HEAD_BYTES
    }

    /// The longest command that can be proposed: one that fits a frame alone, and the window.
    pub(crate) fn max_command(&self) -> usize {
        self.entry_bytes().min(self.max_bytes_in_flight - COST_BYTES)
    }
}
