//! Lives of sequences: over a store that fails at every operation, and over a counter that several processes share through
//! a network that loses, doubles and delays.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use synod_idgen::sequence::{
    AnswerError, Answered, AutoIncrement, Block, Counter, CounterOptions, NextError, Sequence, SequenceError,
    SequenceOptions, StoreCounter, Ticket,
};
use synod_transport::rng::Rng;
use synod_transport::store::{MemStateStore, StateStore, StoreError};

use crate::disk::{Disk, FATES, Plan, plan};

fn count(count: u64) -> NonZeroU64 {
    NonZeroU64::new(count).unwrap()
}

/// A counter over a store; the naive ones break the contract of [`Counter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Sound,
    /// The counter is stored when its block is used up.
    StoreLast,
    /// A failed write is taken for done.
    IgnoreFailure,
}

struct Naive {
    disk: Disk,
    next: u64,
    order: Order,
}

impl Naive {
    fn store(&mut self, next: u64) -> bool {
        self.disk.set("naive", &next.to_be_bytes()).is_ok()
    }
}

impl Counter for Naive {
    type Error = ();
    fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, ()> {
        let first = self.next;
        self.next += count.get();
        match self.order {
            // What was used so far, now that more is asked for.
            Order::StoreLast => self.store(first).then_some(()).ok_or(())?,
            Order::Sound | Order::IgnoreFailure => drop(self.store(self.next)),
        }
        Ok(Block::new(first, self.next))
    }
}

/// One life over the disk; its numbers, in order.
fn live(disk: &Disk, order: Order, options: SequenceOptions, calls: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut take = |next: &dyn Fn() -> Option<u64>| {
        for _ in 0..calls {
            let number = next();
            if disk.fates.is_dead() {
                break; // the process died in that call, and nobody has its number
            }
            numbers.extend(number);
        }
    };
    if order == Order::Sound {
        let counter = StoreCounter::new(disk.clone(), CounterOptions::default());
        let sequence = AutoIncrement::new(counter, options);
        take(&|| sequence.next().ok());
        let told = sequence.statistics();
        assert!(told.gaps_at_most <= told.abandoned * options.block.get());
    } else {
        let stored = disk.get("naive").unwrap_or(None);
        let next = stored.map_or(1, |value| u64::from_be_bytes(value[..].try_into().unwrap()));
        if disk.fates.has_struck() {
            return Vec::new();
        }
        let sequence = AutoIncrement::new(Naive { disk: disk.clone(), next, order }, options);
        take(&|| sequence.next().ok());
    }
    numbers
}

/// Lives one after the other. Whether all numbers rise; how many were given, how many lie below the last, and lives.
fn lives(seed: u64, order: Order, lives: u64) -> (bool, u64, u64) {
    let mut rng = Rng::new(seed);
    let (disk, mut all) = (Disk::default(), Vec::new());
    for _ in 0..lives {
        disk.fates.plan(plan(&mut rng, 6));
        let block = rng.between(1, 9);
        let options = SequenceOptions { block: count(block), refill: rng.below(block + 1), life: 0 };
        all.extend(live(&disk, order, options, rng.below(25)));
    }
    (all.windows(2).all(|pair| pair[0] < pair[1]), all.len() as u64, all.last().copied().unwrap_or(0))
}

#[test]
fn a_hundred_thousand_lives_of_a_sequence_repeat_no_number() {
    let mut sum = 0;
    for seed in 0..5_000 {
        let (rises, given, reached) = lives(seed, Order::Sound, 20);
        assert!(rises, "seed {seed}");
        // A life loses three blocks of at most nine, and one more for its one failure.
        assert!(reached <= given + 20 * 4 * 9, "seed {seed}: {given} numbers up to {reached}");
        sum += given;
    }
    assert!(sum > 500_000, "lives give numbers: {sum}");
}

#[test]
fn naive_counters_repeat_within_a_hundred_worlds() {
    for order in [Order::StoreLast, Order::IgnoreFailure] {
        assert!((0..100).any(|seed| !lives(seed, order, 20).0), "{order:?} is not found out");
    }
}

#[test]
fn a_crash_or_failure_at_every_operation_of_two_lives_repeats_no_number() {
    let every = || (0..8).flat_map(|at| FATES.map(|fate| Some((at, fate)))).chain([None]);
    let mut tried = 0;
    for (first, second) in every().flat_map(|first: Plan| every().map(move |second| (first, second))) {
        for refill in 0..=3 {
            let options = SequenceOptions { block: count(3), refill, life: 0 };
            let (disk, mut all) = (Disk::default(), Vec::new());
            for plan in [first, second, None] {
                disk.fates.plan(plan);
                all.extend(live(&disk, Order::Sound, options, 10));
            }
            assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{first:?}, {second:?}: {all:?}");
            assert!(all.len() >= 10, "the last life gives numbers");
            tried += 1;
        }
    }
    assert_eq!(tried, 33 * 33 * 4);
}

// Several processes over one counter.

/// What a naive process does with answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Takes {
    WhatIsAskedFor,
    /// All lives draw the same tickets.
    SameTickets,
    /// Any answer that comes, whatever was asked.
    Anything,
}

struct Process {
    sequence: Sequence,
    life: u64,
    open: Option<Ticket>,
}

impl Process {
    fn new(life: u64, rng: &mut Rng, takes: Takes) -> Self {
        let block = 4;
        let life = if takes == Takes::SameTickets { 0 } else { life };
        let options = SequenceOptions { block: count(block), refill: rng.below(block + 1), life };
        Self { sequence: Sequence::new(options), life, open: None }
    }

    /// A naive process lets an answer pass for the one to what it asks for now.
    fn take(&mut self, ticket: Ticket, block: Block, takes: Takes) {
        let ticket = match self.open {
            Some(open) if takes == Takes::Anything => open,
            _ => ticket,
        };
        if self.sequence.answer(ticket, block) == Ok(Answered::Taken) {
            self.open = None;
        }
    }
}

/// A network between three processes and a counter. Whether no number was given twice, and how many were given.
fn network(seed: u64, steps: u64, takes: Takes) -> (bool, u64) {
    let mut rng = Rng::new(seed);
    let mut lives = 0;
    let mut start = |rng: &mut Rng| {
        lives += 1;
        Process::new(lives, rng, takes)
    };
    let mut processes: Vec<_> = (0..3).map(|_| start(&mut rng)).collect();
    let (mut counter, mut calls, mut answers) = (0, Vec::new(), Vec::new());
    let (mut given, mut gives) = (BTreeSet::new(), 0);
    for _ in 0..steps {
        let index = rng.below(3) as usize;
        let process = &mut processes[index];
        match rng.below(12) {
            0..=4 => {
                if let Ok(number) = process.sequence.try_next() {
                    given.insert(number);
                    gives += 1;
                }
            }
            5 | 6 => {
                if let Some(request) = process.sequence.request() {
                    process.open = Some(request.ticket);
                    calls.push((index, request));
                }
            }
            7 | 8 if !calls.is_empty() => {
                let at = rng.below(calls.len() as u64) as usize;
                let (to, request) = if rng.below(8) == 0 { calls[at] } else { calls.swap_remove(at) };
                let block = Block::new(counter, counter + request.count.get()).unwrap();
                counter = block.end();
                answers.push((to, request.ticket, block));
            }
            9 | 10 if !answers.is_empty() => {
                let at = rng.below(answers.len() as u64) as usize;
                let (to, ticket, block) =
                    if rng.below(4) == 0 { answers[at] } else { answers.swap_remove(at) };
                processes[to].take(ticket, block, takes);
            }
            11 => match rng.below(8) {
                0 => *process = start(&mut rng),
                1 if !calls.is_empty() => drop(calls.swap_remove(0)),
                2 => {
                    if let Some(ticket) = process.open.take() {
                        assert_eq!(
                            process.sequence.abandon(ticket),
                            Answered::Taken,
                            "life {}",
                            process.life
                        );
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    (given.len() as u64 == gives, gives)
}

#[test]
fn a_network_that_loses_doubles_and_delays_repeats_no_number() {
    let mut sum = 0;
    for seed in 0..1_000 {
        let (unique, gives) = network(seed, 2_000, Takes::WhatIsAskedFor);
        assert!(unique, "seed {seed}");
        sum += gives;
    }
    assert!(sum > 200_000, "numbers were given: {sum}");
}

#[test]
fn naive_processes_repeat_within_a_hundred_networks() {
    for takes in [Takes::SameTickets, Takes::Anything] {
        assert!((0..100).any(|seed| !network(seed, 2_000, takes).0), "{takes:?} is not found out");
    }
}

// One by one.

fn sequence(block: u64, refill: u64) -> Sequence {
    Sequence::new(SequenceOptions { block: count(block), refill, life: 0 })
}

#[test]
fn the_next_block_is_there_before_the_first_runs_out() {
    let sequence = sequence(4, 2);
    let first = sequence.request().unwrap();
    assert_eq!(sequence.request(), None, "one at a time");
    sequence.answer(first.ticket, Block::new(0, 4).unwrap()).unwrap();
    assert_eq!((0..2).map(|_| sequence.try_next()).collect::<Vec<_>>(), [Ok(0), Ok(1)]);
    let second = sequence.request().unwrap();
    sequence.answer(second.ticket, Block::new(10, 14).unwrap()).unwrap();
    assert_eq!(sequence.statistics().left(), 6);
    let numbers: Vec<_> = (0..6).flat_map(|_| sequence.try_next()).collect();
    assert_eq!(numbers, [2, 3, 10, 11, 12, 13]);
    assert_eq!(sequence.try_next(), Err(SequenceError::Empty));
}

#[test]
fn what_was_given_up_is_skipped_even_if_it_comes_after_all() {
    let sequence = sequence(4, 0);
    let first = sequence.request().unwrap();
    assert_eq!(sequence.abandon(first.ticket), Answered::Taken);
    let second = sequence.request().unwrap();
    assert_ne!(first.ticket, second.ticket);
    assert_eq!(sequence.answer(first.ticket, Block::new(0, 4).unwrap()), Ok(Answered::Late));
    assert_eq!(sequence.answer(second.ticket, Block::new(4, 8).unwrap()), Ok(Answered::Taken));
    assert_eq!(sequence.answer(second.ticket, Block::new(4, 8).unwrap()), Ok(Answered::Late));
    assert_eq!(sequence.try_next(), Ok(4));
    let told = sequence.statistics();
    assert_eq!((told.abandoned, told.late, told.reserved, told.given), (1, 8, 4, 1));
    assert!(told.gaps_at_most >= 4);
}

#[test]
fn a_counter_that_went_back_or_gives_too_much_is_refused() {
    let sequence = sequence(4, 4);
    sequence.answer(sequence.request().unwrap().ticket, Block::new(8, 12).unwrap()).unwrap();
    let refused = sequence.answer(sequence.request().unwrap().ticket, Block::new(11, 15).unwrap());
    assert_eq!(refused, Err(AnswerError::WentBack { first: 11, reached: 12 }));
    let refused = sequence.answer(sequence.request().unwrap().ticket, Block::new(12, 17).unwrap());
    assert_eq!(refused, Err(AnswerError::TooMany { given: 5, asked: 4 }));
    assert_eq!((sequence.statistics().abandoned, sequence.statistics().refused), (2, 2));
    assert_eq!(sequence.try_next(), Ok(8));
}

#[test]
fn a_counter_that_was_set_back_shows_even_if_it_catches_up_before_anybody_waits() {
    /// Restored from an older copy after its second block.
    struct Restored(Cell<u64>);
    impl Counter for Restored {
        type Error = StoreError;
        fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, StoreError> {
            let blocks = [0, 4, 4, 8, 12];
            let first = blocks[self.0.replace(self.0.get() + 1) as usize];
            Ok(Block::new(first, first + count.get()))
        }
    }
    let options = SequenceOptions { block: count(4), refill: 2, life: 0 };
    let sequence = AutoIncrement::new(Restored(Cell::new(0)), options);
    assert!((0..10).map(|_| sequence.next().unwrap()).eq(0..10), "the next block was asked for early enough");
    assert_eq!(sequence.statistics().refused, 1);
}

#[test]
fn answers_that_nobody_asked_for_are_counted_and_the_count_does_not_wrap() {
    let sequence = sequence(4, 0);
    for _ in 0..3 {
        let forged = Ticket { life: 0, serial: 9 };
        assert_eq!(sequence.answer(forged, Block::new(0, u64::MAX).unwrap()), Ok(Answered::Late));
    }
    let told = sequence.statistics();
    assert_eq!((told.late, told.gaps_at_most), (u64::MAX, u64::MAX));
}

#[test]
fn the_end_of_the_numbers_is_an_error_after_the_last() {
    let options = CounterOptions { first: 0, end: 10, ..CounterOptions::default() };
    let counter = StoreCounter::new(MemStateStore::new(), options);
    let sequence = AutoIncrement::new(
        counter,
        SequenceOptions { block: count(4), refill: 1, ..SequenceOptions::default() },
    );
    for number in 0..10 {
        assert_eq!(sequence.next(), Ok(number));
    }
    for _ in 0..3 {
        assert_eq!(sequence.next(), Err(NextError::Sequence(SequenceError::End)));
    }
}

#[test]
fn tickets_that_were_never_drawn_are_late() {
    let sequence = sequence(4, 0);
    for serial in [0, 1, u64::MAX] {
        let ticket = Ticket { life: 0, serial };
        assert_eq!(sequence.answer(ticket, Block::new(0, 4).unwrap()), Ok(Answered::Late), "{serial}");
        assert_eq!((sequence.end(ticket), sequence.abandon(ticket)), (Answered::Late, Answered::Late));
    }
    assert_eq!(sequence.try_next(), Err(SequenceError::Empty));
}

#[test]
fn a_refill_longer_than_a_block_is_one_of_a_block() {
    let sequence = sequence(3, 100);
    for first in [0, 3] {
        let request = sequence.request().unwrap();
        sequence.answer(request.ticket, Block::new(first, first + 3).unwrap()).unwrap();
    }
    assert_eq!(sequence.request(), None, "a third block would take the place of the first");
    assert_eq!((0..6).flat_map(|_| sequence.try_next()).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_write_that_failed_and_reaches_the_disk_late_takes_the_counter_nowhere() {
    /// The first write fails, and lands after the second.
    struct Late(MemStateStore, Vec<Vec<u8>>);
    impl StateStore for Late {
        fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
            self.0.get(name)
        }
        fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
            self.1.push(value.to_vec());
            match self.1.len() {
                1 => Err(StoreError::Fatal("planted".into())),
                2 => self.0.set(name, value).and_then(|()| self.0.set(name, &self.1[0])),
                _ => self.0.set(name, value),
            }
        }
    }
    let mut counter = StoreCounter::new(Late(MemStateStore::new(), Vec::new()), CounterOptions::default());
    assert!(counter.reserve(count(10)).is_err());
    assert_eq!(counter.reserve(count(10)), Ok(Block::new(11, 21)), "what may have been reserved is skipped");
    assert_eq!(counter.reserve(count(10)), Ok(Block::new(21, 31)));
}

#[test]
fn blocks_as_long_as_numbers_are_do_not_wrap() {
    let sequence = sequence(u64::MAX, u64::MAX);
    let first = sequence.request().unwrap();
    sequence.answer(first.ticket, Block::new(0, 1 << 63).unwrap()).unwrap();
    assert_eq!(sequence.request(), None, "fewer than were asked for: the counter is at its end");
    assert_eq!(sequence.try_next(), Ok(0));
    let sequence = self::sequence(1 << 63, 1 << 63);
    for first in [0, 1 << 63] {
        let request = sequence.request().unwrap();
        let block = Block::new(first, first.saturating_add(1 << 63)).unwrap();
        sequence.answer(request.ticket, block).unwrap();
    }
    assert_eq!((sequence.request(), sequence.try_next()), (None, Ok(0)));
}

#[test]
fn threads_share_a_sequence_and_all_numbers_come_once() {
    struct Counting(Cell<u64>);
    impl Counter for Counting {
        type Error = ();
        fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, ()> {
            let first = self.0.get();
            self.0.set(first + count.get());
            Ok(Block::new(first, first + count.get()))
        }
    }
    let options = SequenceOptions { block: count(100), refill: 30, life: 0 };
    let sequence = AutoIncrement::new(Counting(Cell::new(0)), options);
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let take = || (0..100_000).map(|_| sequence.next().unwrap()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 400_000);
    assert_eq!(all.last(), Some(&399_999), "no gap among threads of one life");
}

/// Threads that take and refill without a lock around, with blocks as short as can be: each refill is a race.
#[test]
fn threads_that_ask_the_counter_for_themselves_lose_no_block() {
    let (sequence, counter) = (sequence(1, 1), AtomicU64::new(0));
    let run = || {
        let mut mine = Vec::new();
        for _ in 0..100_000 {
            if let Some(request) = sequence.request() {
                let first = counter.fetch_add(request.count.get(), Ordering::Relaxed);
                let block = Block::new(first, first + request.count.get()).unwrap();
                assert_eq!(sequence.answer(request.ticket, block), Ok(Answered::Taken));
            }
            mine.extend(sequence.try_next());
        }
        mine
    };
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.extend(std::iter::from_fn(|| sequence.try_next().ok()));
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..counter.into_inner()), "every number that was reserved is given, once");
}
