//! The persisted upper bound: crashes at every operation of the store, walls that go back, slow disks, bad futures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use synod_clock::hybrid::{
    HybridClock, HybridError, JumpPolicy, Jumps, Keeper, KeeperError, KeeperOptions, Micros, Options,
    Timestamp, overrule,
};
use synod_transport::store::{MemStateStore, StateStore, StoreError};

use crate::hands::{HOUR, Hands, MILLI, NOW, SECOND, boundless, stamp};

/// When the process dies during an operation of the store: before it did anything, or with all of it done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crash {
    Before,
    After,
}

/// The operation at which the process dies, counted from zero.
type Plan = Option<(u64, Crash)>;

/// A store that outlives its processes. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<(MemStateStore, Plan)>>);

impl Disk {
    /// Plans the end of the next process.
    pub(crate) fn crash_at(&self, plan: Plan) {
        self.0.lock().unwrap().1 = plan;
    }

    fn run<T>(&self, act: impl FnOnce(&mut MemStateStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (values, plan) = &mut *self.0.lock().unwrap();
        let dead = || Err(StoreError::Fatal("the process is dead".into()));
        match plan {
            Some((0, Crash::Before)) => return dead(),
            Some((0, Crash::After)) => {
                *plan = Some((0, Crash::Before));
                act(values)?;
                return dead();
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        act(values)
    }
}

impl StateStore for Disk {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.run(|values| values.get(name))
    }
    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.run(|values| values.set(name, value))
    }
}

const WINDOW: u64 = 2 * SECOND;

type Kept = Keeper<Hands, Disk, Micros>;

fn start(hands: &Hands, disk: &Disk, options: Options) -> Result<Kept, KeeperError> {
    Keeper::start(hands.clone(), options, disk.clone(), KeeperOptions::default())
}

/// When a process stores its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    StoreFirst,
    UseFirst,
    Never,
}

/// One life of a process, until its disk lets it die: 40 stamps, 100 ms apart.
fn life(hands: &Hands, disk: &Disk, order: Order, stamps: &mut Vec<Timestamp>) -> Option<()> {
    if order == Order::Never {
        let clock = HybridClock::<_>::with_options(hands.clone(), boundless());
        for _ in 0..40 {
            stamps.push(clock.now().unwrap());
            hands.advance(100 * MILLI);
        }
        return None;
    }
    let mut keeper = start(hands, disk, boundless()).ok()?;
    if order == Order::UseFirst {
        keeper.clock().raise_bound(Timestamp::MAX);
        // What a keeper would do that raises first: uses the new bound while the disk still works on it.
        for _ in 0..40 {
            stamps.push(keeper.clock().now().unwrap());
            hands.advance(100 * MILLI);
        }
        return None;
    }
    for _ in 0..40 {
        stamps.push(keeper.clock().now().unwrap());
        hands.advance(100 * MILLI);
        if keeper.due_in().is_zero() {
            keeper.extend().ok()?;
        }
    }
    Some(())
}

/// Two lives that end in crashes and a third one, with the wall set by so much between. Whether all stamps rise.
fn rises_over_three_lives(crashes: [Plan; 2], set_by: i64, order: Order) -> bool {
    let (hands, disk, mut stamps) = (Hands::at(NOW), Disk::default(), Vec::new());
    for crash in crashes.into_iter().chain([None]) {
        disk.crash_at(crash);
        life(&hands, &disk, order, &mut stamps);
        hands.set(hands.wall_us().checked_add_signed(set_by).unwrap());
    }
    assert!(stamps.len() >= 40, "the last life stamps");
    stamps.windows(2).all(|pair| pair[0] < pair[1])
}

fn every_crash() -> Vec<Plan> {
    let at = |operation| [Some((operation, Crash::Before)), Some((operation, Crash::After))];
    (0..7).flat_map(at).chain([None]).collect()
}

const SETS: [i64; 5] = [0, 3, -3, 3600, -3600];

#[test]
fn clock_p22_no_restart_repeats_or_regresses_wherever_it_crashed() {
    let mut tried = 0;
    for first in every_crash() {
        for second in every_crash() {
            for set_by in SETS.map(|seconds| seconds * SECOND as i64) {
                assert!(
                    rises_over_three_lives([first, second], set_by, Order::StoreFirst),
                    "{first:?}, {second:?}, wall set by {set_by}"
                );
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 15 * 15 * 5);
}

#[test]
fn clock_p22_without_the_bound_or_with_it_stored_late_stamps_repeat() {
    for order in [Order::Never, Order::UseFirst] {
        let regresses = |seconds: &i64| !rises_over_three_lives([None; 2], seconds * SECOND as i64, order);
        assert!(SETS.iter().any(regresses), "{order:?} is not found out");
    }
}

#[test]
fn clock_p22_a_slow_disk_gives_an_error_and_no_panic() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let mut keeper = start(&hands, &disk, Options::default()).unwrap();
    let clock = Arc::clone(keeper.clock());
    assert_eq!(keeper.started_at(), Timestamp::ZERO);
    assert_eq!(clock.bound(), stamp(NOW + WINDOW, 0));
    hands.advance(WINDOW - 1);
    let last = clock.now().unwrap();
    assert_eq!(last, stamp(NOW + WINDOW - 1, 0));
    hands.advance(1);
    assert_eq!(clock.now(), Err(HybridError::UpperBound));
    assert_eq!(clock.recv(stamp(NOW, 0)), Err(HybridError::UpperBound));
    assert_eq!(clock.observe(stamp(NOW + WINDOW, 0)), Err(HybridError::UpperBound));
    assert_eq!((clock.last(), clock.statistics().bound_reached), (last, 3));
    // The disk is done at last.
    assert_eq!(keeper.extend(), Ok(stamp(NOW + 2 * WINDOW, 0)));
    assert_eq!(clock.now(), Ok(stamp(NOW + WINDOW, 0)));
}

#[test]
fn clock_p22_a_write_that_fails_leaves_the_old_bound() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let mut keeper = start(&hands, &disk, Options::default()).unwrap();
    let bound = keeper.clock().bound();
    hands.advance(WINDOW / 2);
    for crash in [Crash::Before, Crash::After] {
        disk.crash_at(Some((0, crash)));
        assert!(matches!(keeper.extend(), Err(KeeperError::Store(_))));
        assert_eq!(keeper.clock().bound(), bound);
    }
    assert!(keeper.clock().now().is_ok(), "the old bound still holds");
    hands.advance(WINDOW);
    assert_eq!(keeper.clock().now(), Err(HybridError::UpperBound));
}

#[test]
fn clock_p22_writes_are_as_rare_as_half_windows() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let mut keeper = start(&hands, &disk, Options::default()).unwrap();
    let mut bounds = vec![keeper.clock().bound()];
    for _ in 0..1000 {
        assert_eq!(keeper.due_in().is_zero(), keeper.due_in() < Duration::from_millis(10));
        hands.advance(10 * MILLI);
        keeper.clock().now().unwrap();
        bounds.push(keeper.extend().unwrap());
    }
    bounds.dedup();
    assert_eq!(bounds.len(), 1 + 10, "once a second, of a window of two");
}

#[test]
fn clock_p22_a_restart_starts_at_the_bound_and_says_how_long_to_wait() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let before = start(&hands, &disk, Options::default()).unwrap().clock().now().unwrap();
    let keeper = start(&hands, &disk, Options::default()).unwrap();
    let started = keeper.started_at();
    assert_eq!(started, stamp(NOW + WINDOW, 0));
    assert_eq!(keeper.clock().now(), Ok(started));
    assert!(started > before);
    // Peers with the default limit would reject that; a second life may wait first.
    let mut waited = Duration::ZERO;
    while let Some(left) = keeper.clock().remaining(started) {
        hands.advance(left.as_micros() as u64);
        waited += left;
    }
    assert_eq!(waited, Duration::from_micros(WINDOW + 1));
    assert_eq!(keeper.clock().lead(), Duration::ZERO);
}

/// So many lives in a row, that far apart, each of which gives a stamp. The greatest lead, or why there is none.
fn crash_loop(lives: u64, apart: u64) -> Result<Duration, KeeperError> {
    let (hands, disk, mut before, mut most) =
        (Hands::at(NOW), Disk::default(), Timestamp::ZERO, Duration::ZERO);
    for _ in 0..lives {
        let keeper = start(&hands, &disk, Options::default())?;
        let stamp = keeper.clock().now()?;
        assert!(stamp > before);
        before = stamp;
        most = most.max(keeper.clock().lead());
        hands.advance(apart);
    }
    Ok(most)
}

#[test]
fn clock_p22_restarts_in_a_row_do_not_add_up_windows() {
    for (lives, apart) in [(100, WINDOW / 8 + 1), (2_000, 50 * MILLI), (20_000, 2 * MILLI)] {
        let most = crash_loop(lives, apart).unwrap();
        assert!(most > Duration::from_micros(WINDOW - SECOND), "{apart} us apart: {most:?}");
        assert!(most < Duration::from_micros(WINDOW + 2 * MILLI), "{apart} us apart: {most:?}");
    }
    // More often than once in a thousandth of a window they do, and an error tells.
    let beyond = crash_loop(20_000, MILLI / 2);
    assert!(matches!(beyond, Err(KeeperError::Clock(HybridError::Lead { .. }))), "{beyond:?}");
}

/// How often a life that is ahead of its wall writes, and how often a stamp finds no room, at `per_ms` stamps and one
/// look of the keeper a millisecond, or as often as `due_in` wants.
fn writes_ahead(set_back: u64, per_ms: u64) -> (u64, u64) {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    drop(start(&hands, &disk, Options::default()).unwrap());
    hands.set(NOW - set_back);
    let mut keeper = start(&hands, &disk, Options::default()).unwrap();
    let (mut writes, mut refused, mut due) = (0, 0, Duration::ZERO);
    for _ in 0..1_000 {
        if due.is_zero() {
            let before = keeper.clock().bound();
            writes += u64::from(keeper.extend().unwrap() > before);
            due = keeper.due_in();
            assert!(!due.is_zero(), "due again at once");
        }
        refused +=
            (0..per_ms).filter(|_| keeper.clock().now() == Err(HybridError::UpperBound)).count() as u64;
        due = due.saturating_sub(Duration::from_millis(1));
        hands.advance(MILLI);
    }
    (writes, refused)
}

#[test]
fn clock_p22_a_clock_ahead_of_its_wall_writes_as_its_stamps_need_it() {
    for set_back in [0, SECOND, 5 * SECOND] {
        for per_ms in [0, 1, 100, 1_000] {
            let (writes, refused) = writes_ahead(set_back, per_ms);
            assert!(writes <= 4 && refused == 0, "{set_back}, {per_ms}: {writes} writes, {refused} refused");
        }
    }
}

#[test]
fn clock_p22_a_window_that_cannot_work_is_an_error_of_its_own() {
    let start = |window, max_lead| {
        let options = KeeperOptions { window, ..KeeperOptions::default() };
        let limits = Options { max_lead, ..Options::default() };
        Kept::start(Hands::at(NOW), limits, Disk::default(), options)
    };
    let (tick, lead) = (Duration::from_micros(1), Options::default().max_lead);
    for window in [Duration::ZERO, tick / 2, lead + tick, Duration::from_secs(60), Duration::MAX] {
        let refused = start(window, lead).unwrap_err();
        assert_eq!(refused, KeeperError::Window { window, least: tick, most: lead });
    }
    for window in [tick, lead] {
        let mut keeper = start(window, lead).unwrap();
        for _ in 0..100 {
            keeper.clock().now().unwrap();
            keeper.clock().source().advance(1);
            keeper.extend().unwrap();
        }
    }
    assert!(start(Duration::from_secs(60), Duration::from_secs(60)).is_ok());
}

#[test]
fn clock_p22_an_ordinary_restart_of_the_longest_window_stamps_on() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let options = KeeperOptions { window: Options::default().max_lead, ..KeeperOptions::default() };
    for _ in 0..50 {
        let keeper = Kept::start(hands.clone(), Options::default(), disk.clone(), options.clone()).unwrap();
        keeper.clock().now().unwrap();
        hands.advance(50 * MILLI);
    }
}

/// A wall in the far future got into the stored bound, and is right again.
fn after_a_bad_future(policy: JumpPolicy) -> (Hands, Disk, Timestamp) {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let options = Options { jumps: Jumps { policy, ..Jumps::default() }, ..Options::default() };
    let mut keeper = start(&hands, &disk, options).unwrap();
    let good = keeper.clock().now().unwrap();
    hands.set(NOW + 600_000 * HOUR);
    match policy {
        JumpPolicy::Refuse => {
            let refused = Err(KeeperError::Clock(keeper.clock().now().unwrap_err()));
            assert_eq!(keeper.extend(), refused, "the bound does not follow");
        }
        _ => {
            keeper.extend().unwrap();
            keeper.clock().now().unwrap();
        }
    }
    hands.set(NOW + SECOND);
    (hands, disk, good)
}

#[test]
fn clock_p22_a_bad_future_is_named_and_can_be_overruled() {
    let (hands, mut disk, good) = after_a_bad_future(JumpPolicy::Count);
    for _ in 0..2 {
        let refused = start(&hands, &disk, Options::default()).unwrap_err();
        assert!(matches!(refused, KeeperError::Future { ahead, .. } if ahead > Duration::from_secs(1 << 31)));
    }
    // One way: go on from there, all the same. The order holds; the dates do not.
    let ahead = start(&hands, &disk, boundless()).unwrap();
    assert!(ahead.clock().now().unwrap().physical() > NOW + 600_000 * HOUR);
    // The other: a person gives the future up.
    overrule(&mut disk, "hybrid-clock", good.next().unwrap()).unwrap();
    let keeper = start(&hands, &disk, Options::default()).unwrap();
    assert_eq!(keeper.clock().now(), Ok(stamp(NOW + SECOND, 0)));
}

#[test]
fn clock_p22_a_refused_jump_never_reaches_the_disk() {
    let (hands, disk, good) = after_a_bad_future(JumpPolicy::Refuse);
    let keeper = start(&hands, &disk, Options::default()).unwrap();
    assert!(keeper.clock().now().unwrap() > good);
    assert!(keeper.clock().lead() <= Duration::from_micros(WINDOW));
}

#[test]
fn clock_p34_a_wall_that_is_not_set_yet_does_not_start_below_the_bound() {
    let (hands, disk) = (Hands::at(NOW), Disk::default());
    let before = start(&hands, &disk, Options::default()).unwrap().clock().now().unwrap();
    hands.set(0);
    assert!(matches!(start(&hands, &disk, Options::default()), Err(KeeperError::Future { .. })));
    hands.set(NOW - SECOND);
    assert!(start(&hands, &disk, Options::default()).unwrap().clock().now().unwrap() > before);
}

#[test]
fn what_is_no_bound_of_this_layout_is_an_error() {
    let (hands, mut disk) = (Hands::at(NOW), Disk::default());
    disk.set("hybrid-clock", b"something else").unwrap();
    assert!(matches!(start(&hands, &disk, Options::default()), Err(KeeperError::Damaged)));
    let name = KeeperOptions { name: "no such/name".into(), ..KeeperOptions::default() };
    let misnamed = Kept::start(hands, Options::default(), disk, name);
    assert!(matches!(misnamed, Err(KeeperError::Store(StoreError::Misuse(_)))));
}
