//! The loop.
//!
//! ```text
//!          ┌──────────────────────────────── one round ────────────────────────────────┐
//!  store ──▶ receipts ─▶ frames ─▶ proposals ─▶ reads ─▶ timer ─▶ events ─▶ frames out ─▶ apply ─▶ status
//!          └──── each a step; as long as the store has room ────┘   answers    network     service
//! ```
//!
//! A round takes what is ready and waits for nothing; when a round finds nothing to do, the task sleeps until one of
//! its sources wakes it. Steps submit to the store and go on: frames leave while the disk works, and those that
//! promise something durable leave in the round that takes the receipt.
//!
//! While the store has no room only receipts, stale reads and the stop are looked at. The timer waits too: it may ask
//! for a write, and a leader whose disk stands still had better lose its place than hold it by heartbeats.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;
use synod_transport::host::{Host, HostError};
use synod_transport::ids::{LogIndex, NodeId, Tag, Term};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::machine::{Event, Machine, Role};
use synod_transport::net::{Class, Closed, Frame, Inbound, Received, SendError, Transport};
use synod_transport::store::LogStore;
use synod_transport::time::Instant;
use tokio::time::Sleep;

use crate::Service;
use crate::error::{NodeError, ReadError};
use crate::handle::{Consistency, Ends, Proposal, Reading};
use crate::options::Options;
use crate::status::Counters;
use crate::waiting::{Proposals, Reads};

/// The shortest time between two wakes: a runtime's timer has no finer grain, and a machine that asks for the past must
/// not spin.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// The longest the timer is set for, when a machine asks for nothing.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// One node, to be spawned: [`Driver::run`] is its whole life.
pub struct Driver<M: Machine, S, N, V> {
    host: Host<M, S>,
    network: N,
    service: V,
    options: Options,
    ends: Ends<V>,
    origin: tokio::time::Instant,
    woken: Instant,
    next_tag: Tag,
    frames: Vec<Received>,
    arrived: Vec<Proposal>,
    payloads: Vec<Bytes>,
    readings: Vec<Reading<V>>,
    proposals: Proposals,
    reads: Reads<V>,
    events: Vec<Event>,
    committed: Vec<Entry>,
    applied: LogIndex,
    position: (Role, Term, Option<NodeId>),
    counters: Counters,
}

impl<M: Machine, S, N, V> core::fmt::Debug for Driver<M, S, N, V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver")
            .field("applied", &self.applied)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// What came of a round.
enum Round {
    Busy,
    Stop,
}

impl<M, S, N, V> Driver<M, S, N, V>
where
    M: Machine,
    S: LogStore,
    N: Transport + Inbound,
    V: Service,
{
    pub(crate) fn new(host: Host<M, S>, network: N, service: V, options: Options, ends: Ends<V>) -> Self {
        let applied = host.applied();
        let status = ends.status.borrow().clone();
        Self {
            host,
            network,
            service,
            options,
            ends,
            origin: tokio::time::Instant::now(),
            woken: Instant::ZERO,
            next_tag: Tag::ZERO,
            frames: Vec::new(),
            arrived: Vec::new(),
            payloads: Vec::new(),
            readings: Vec::new(),
            proposals: Proposals::default(),
            reads: Reads::default(),
            events: Vec::new(),
            committed: Vec::new(),
            applied,
            position: (status.role, status.term, status.leader),
            counters: Counters::default(),
        }
    }

    /// Drives the node until it is stopped, its last handle is dropped, or something fails for good. Every caller has
    /// an answer when this ends. Needs a tokio runtime with its timer.
    ///
    /// Dropping the future stops the node at once; callers whose commands were taken then hear that their outcome is
    /// unknown.
    ///
    /// # Errors
    /// [`NodeError`] when the machine, the store or the network failed. A frame that cannot be read is logged and
    /// counted, no more.
    pub async fn run(mut self) -> Result<(), NodeError> {
        let outcome = self.serve().await;
        if let Err(error) = &outcome {
            tracing::error!(node = %self.host.machine().id(), %error, "the node has failed for good");
        }
        self.end(outcome.as_ref().err()).await;
        outcome
    }

    async fn serve(&mut self) -> Result<(), NodeError> {
        self.origin = tokio::time::Instant::now();
        let mut sleep = core::pin::pin!(tokio::time::sleep(LONGEST_SLEEP));
        self.host.wake(self.now())?;
        self.tell_and_send()?;
        self.publish(None);
        loop {
            match poll_fn(|cx| self.poll_round(cx, sleep.as_mut())).await? {
                Round::Stop => return Ok(()),
                // The sockets' tasks may share this thread: a long replay lets them go first, piece by piece.
                Round::Busy if self.applied < self.host.apply_through() => tokio::task::yield_now().await,
                // Sources that are always ready must not keep the thread from others.
                Round::Busy => tokio::task::consume_budget().await,
            }
        }
    }

    /// Does what is ready. Pending when nothing is; then every source that may bring something holds the waker.
    fn poll_round(&mut self, cx: &mut Context<'_>, sleep: Pin<&mut Sleep>) -> Poll<Result<Round, NodeError>> {
        if self.ends.stop.poll_recv(cx).is_ready() {
            return Poll::Ready(Ok(Round::Stop));
        }
        let now = self.now();
        let mut busy = self.take_receipts(now, cx)?;
        busy |= self.take_frames(now, cx)?;
        busy |= self.take_proposals(now, cx)?;
        busy |= self.take_reads(now, cx)?;
        busy |= self.take_time(now, cx, sleep)?;
        self.tell_and_send()?;
        busy |= self.apply()?;
        busy |= self.reads.run(&self.service, self.applied);
        if !busy {
            return Poll::Pending;
        }
        self.counters.rounds += 1;
        self.give_back();
        self.publish(None);
        Poll::Ready(Ok(Round::Busy))
    }

    fn take_receipts(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<bool, HostError> {
        let mut busy = false;
        for _ in 0..self.options.max_batch {
            match self.host.poll_durable(now, cx) {
                Poll::Ready(done) => done?,
                Poll::Pending => break,
            }
            busy = true;
            self.counters.receipts += 1;
        }
        Ok(busy)
    }

    fn take_frames(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<bool, NodeError> {
        if self.frames.is_empty() {
            if !self.host.has_room() {
                return Ok(false);
            }
            match self.network.poll_recv(cx, &mut self.frames, self.options.max_batch) {
                Poll::Ready(Err(Closed)) => return Err(Closed.into()),
                Poll::Ready(Ok(_)) | Poll::Pending => {}
            }
        }
        let mut taken = 0;
        let mut outcome = Ok(());
        for received in &mut self.frames {
            if !self.host.has_room() {
                break;
            }
            taken += 1;
            self.counters.frames_in += 1;
            match self.host.receive(now, received.from, core::mem::take(&mut received.bytes)) {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    self.counters.frames_unreadable += 1;
                    tracing::warn!(node = %self.host.machine().id(), %error, "dropped a frame");
                }
                Err(error) => {
                    outcome = Err(error.into());
                    break;
                }
            }
        }
        self.frames.drain(..taken);
        outcome.map(|()| taken > 0)
    }

    fn take_proposals(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<bool, HostError> {
        if !self.host.has_room() {
            return Ok(false);
        }
        let free = self.options.max_proposals_in_flight.saturating_sub(self.proposals.in_flight());
        let limit = self.options.max_batch.min(free);
        let more = limit.saturating_sub(self.arrived.len());
        if more > 0 {
            // Closed is for the stop channel to tell.
            let _ = self.ends.proposals.poll_recv_many(cx, &mut self.arrived, more);
        }
        let take = batch(&self.arrived, limit, self.options.max_batch_bytes);
        if take == 0 {
            return Ok(false);
        }
        for Proposal { command, reply } in self.arrived.drain(..take) {
            if reply.to.is_closed() {
                self.proposals.withdraw(&reply);
            } else {
                self.payloads.push(command);
                self.proposals.offered.push(reply);
            }
        }
        if !self.payloads.is_empty() {
            let tag = self.tag();
            self.counters.proposal_steps += 1;
            self.counters.proposals += self.payloads.len() as u64;
            self.proposals.begin(tag);
            self.host.propose(now, tag, &mut self.payloads)?;
            self.payloads.clear();
            self.tell();
            self.proposals.end();
        }
        Ok(true)
    }

    fn take_reads(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<bool, HostError> {
        let _ = self.ends.reads.poll_recv_many(cx, &mut self.readings, self.options.max_batch);
        let mut busy = !self.readings.is_empty();
        for Reading { consistency, run } in self.readings.drain(..) {
            match consistency {
                Consistency::Stale => run(Ok(&self.service)),
                Consistency::Linearizable if self.reads.in_flight() < self.options.max_reads_in_flight => {
                    self.reads.arrive(run);
                }
                Consistency::Linearizable => run(Err(ReadError::Busy)),
            }
        }
        if self.reads.has_arrived() && self.host.has_room() {
            let tag = self.tag();
            self.counters.read_steps += 1;
            self.counters.linearizable_reads += self.reads.group(tag) as u64;
            self.host.read(now, tag)?;
            busy = true;
        }
        Ok(busy)
    }

    fn take_time(
        &mut self,
        now: Instant,
        cx: &mut Context<'_>,
        mut sleep: Pin<&mut Sleep>,
    ) -> Result<bool, HostError> {
        if !self.host.has_room() {
            return Ok(false);
        }
        let due = self.host.wake_at().max(self.woken.plus(SHORTEST_SLEEP));
        if due <= now {
            self.woken = now;
            self.host.wake(now)?;
            return Ok(true);
        }
        let deadline = self.origin + due.since(Instant::ZERO).min(now.since(Instant::ZERO) + LONGEST_SLEEP);
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        // A timer that fires between the clock's reading and now makes one more round.
        Ok(sleep.poll(cx).is_ready())
    }

    /// Passes the machine's news on to those who wait, then its messages to the network.
    fn tell_and_send(&mut self) -> Result<(), NodeError> {
        self.tell();
        let Self { host, network, counters, options, .. } = self;
        let mut closed = false;
        host.drain_frames(options.entry_bytes(), |to, class, frame| {
            closed |= send(network, counters, to, class, frame);
        });
        if closed { Err(Closed.into()) } else { Ok(()) }
    }

    fn tell(&mut self) {
        self.host.take_events(&mut self.events);
        for event in self.events.drain(..) {
            match event {
                Event::Accepted { tag, term, first, count } => self.proposals.accept(tag, term, first, count),
                Event::Refused { tag, reason } => {
                    self.proposals.refuse(tag, reason);
                    self.reads.refuse(tag, reason);
                }
                Event::ReadReady { tag, index } => self.reads.ready(tag, index),
                Event::Role { role, term, leader } => {
                    self.position = (role, term, leader);
                    self.proposals.keep_only((role == Role::Leader).then_some(term));
                    self.reads.leadership_moved(self.host.apply_through());
                }
            }
        }
    }

    /// Applies one piece of what is committed, so that a long replay does not keep heartbeats waiting.
    fn apply(&mut self) -> Result<bool, HostError> {
        if self.committed.is_empty()
            && !self.host.take_committed(self.options.max_batch_bytes, &mut self.committed)?
        {
            return Ok(false);
        }
        let take = self.committed.len().min(self.options.max_batch);
        for entry in self.committed.drain(..take) {
            let reply = (entry.kind == EntryKind::Command).then(|| self.service.apply(&entry));
            self.proposals.applied(entry.position, reply.as_ref());
            self.applied = entry.position.index;
        }
        self.counters.applied += take as u64;
        Ok(true)
    }

    fn publish(&self, failed: Option<&NodeError>) {
        let (role, term, leader) = self.position;
        self.ends.status.send_modify(|status| {
            status.role = role;
            status.term = term;
            status.leader = leader;
            status.commit_index = self.host.apply_through().max(self.applied);
            status.applied_index = self.applied;
            status.sealed = self.host.sealed_count();
            status.proposals_in_flight = self.proposals.in_flight();
            status.reads_in_flight = self.reads.in_flight();
            status.counters = self.counters;
            if let Some(error) = failed {
                status.failed = Some(error.to_string());
            }
        });
    }

    fn give_back(&mut self) {
        let freed = self.proposals.take_freed();
        if freed > 0 {
            self.ends.window.0.add_permits(freed);
        }
    }

    /// Answers everyone.
    async fn end(&mut self, failed: Option<&NodeError>) {
        self.ends.close();
        self.tell();
        self.proposals.end();
        self.proposals.keep_only(None);
        self.reads.stop();
        for proposal in core::mem::take(&mut self.arrived) {
            self.proposals.stop(proposal.reply);
        }
        self.ends.answer_the_rest(&mut self.proposals).await;
        self.publish(failed);
        self.ends.status.send_modify(|status| status.stopped = true);
    }

    fn tag(&mut self) -> Tag {
        self.next_tag = self.next_tag.next();
        self.next_tag
    }

    fn now(&self) -> Instant {
        Instant::ZERO.plus(self.origin.elapsed())
    }
}

/// How many of the proposals go into one step.
fn batch(arrived: &[Proposal], most: usize, max_bytes: usize) -> usize {
    let mut bytes = 0usize;
    for (count, proposal) in arrived.iter().take(most).enumerate() {
        bytes = bytes.saturating_add(proposal.command.len());
        if bytes > max_bytes && count > 0 {
            return count;
        }
    }
    arrived.len().min(most)
}

/// Gives a frame to the network. What it does not take is lost, and protocols repeat themselves. Says whether the
/// network is closed.
fn send<N: Transport>(
    network: &mut N,
    counters: &mut Counters,
    to: NodeId,
    class: Class,
    frame: Frame,
) -> bool {
    match network.try_send(to, class, frame) {
        Ok(()) => counters.frames_out += 1,
        Err(SendError::Full(_)) => counters.frames_dropped_full += 1,
        Err(SendError::Closed) => return true,
        Err(error) => {
            counters.frames_refused += 1;
            tracing::warn!(%to, ?class, %error, "a frame was refused");
        }
    }
    false
}
