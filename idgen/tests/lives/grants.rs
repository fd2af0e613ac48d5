//! A leased node, step by step (P32).

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use synod_idgen::generator::GeneratorError;
use synod_idgen::layout::Position;
use synod_idgen::machine::{
    Grant, GrantOptions, Granted, GrantedError, MemGrants, MemGrantsError, Monotonic, NodeGrants,
};

use crate::keeper::{Hands, NOON, Small};

const TERM_MS: u64 = 10_000;
const WINDOW_MS: u64 = 2_000;

/// A clock that nobody sets, in milliseconds. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(pub(crate) Rc<Cell<u64>>);

impl Monotonic for Ticks {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

fn exact() -> GrantOptions {
    GrantOptions { drift_ppm: 0, ..GrantOptions::default() }
}

type Grantor = MemGrants<Small, Ticks>;
type Tenant = Granted<Small, Hands, Grantor, Ticks>;

struct World {
    ticks: Ticks,
    grantor: Grantor,
}

impl World {
    fn new(nodes: u32) -> Self {
        let ticks = Ticks::default();
        let grantor = MemGrants::new(0..=nodes - 1, Duration::from_millis(TERM_MS), ticks.clone());
        Self { ticks, grantor }
    }
    fn start(&self, wall: &Hands) -> Result<Tenant, GrantedError<MemGrantsError>> {
        Granted::start(self.grantor.clone(), wall.clone(), self.ticks.clone(), exact())
    }
    fn advance(&self, ms: u64) {
        self.ticks.0.set(self.ticks.0.get() + ms);
    }
}

#[test]
fn idgen_p32_an_expired_grant_is_refused_before_the_next_id() {
    let (world, wall) = (World::new(1), Hands::at(NOON));
    let mut tenant = world.start(&wall).unwrap();
    let ids = tenant.generator().clone();
    assert_eq!(tenant.left(), Duration::from_millis(TERM_MS));
    world.advance(TERM_MS - 1);
    let last = ids.try_next().unwrap();
    world.advance(1);
    assert_eq!(ids.try_next(), Err(GeneratorError::NotHeld));
    assert!(matches!(ids.reserve(3), Err(GeneratorError::NotHeld)));
    assert_eq!(tenant.renew(), Err(GrantedError::Over { node: 0 }), "too late, though nobody has the node");
    // Even if the clock were to go back: over is over.
    world.ticks.0.set(0);
    assert_eq!(ids.try_next(), Err(GeneratorError::NotHeld));
    world.ticks.0.set(TERM_MS);

    // The next holder, whose wall is an hour behind, starts above the old one's ceiling.
    wall.back(30_000);
    let options = GrantOptions { max_ahead: Duration::from_secs(31), ..exact() };
    let refused = Granted::start(
        world.grantor.clone(),
        wall.clone(),
        world.ticks.clone(),
        GrantOptions { max_ahead: Duration::from_secs(30), ..options },
    );
    assert!(matches!(refused, Err(GrantedError::Future { node: 0, .. })));
    world.advance(TERM_MS);
    wall.advance(25_000);
    let next = world.start(&wall).unwrap();
    let first = next.generator().try_next().unwrap();
    assert!(first > last);
    assert!(first.position() >= Position::at(Duration::from_millis(NOON + WINDOW_MS)));
}

#[test]
fn idgen_p32_a_holder_that_does_not_know_repeats_nothing_either() {
    let (world, wall) = (World::new(1), Hands::at(NOON));
    // Its own clock stands still: it believes for ever that the node is its own.
    let still = Ticks::default();
    let mut old = Granted::start(world.grantor.clone(), wall.clone(), still, exact()).unwrap();
    world.advance(TERM_MS);
    let mut new = world.start(&wall).unwrap();
    let (mut given, mut late) = (Vec::new(), 0);
    for _ in 0..4_000 {
        let of_old = old.generator().try_next();
        late += u32::from(of_old.is_ok());
        given.extend(of_old);
        given.extend(new.generator().try_next());
        if new.due_in().is_zero() {
            new.renew().unwrap();
        }
        wall.advance(1);
    }
    assert_eq!(old.generator().try_next(), Err(GeneratorError::Ceiling));
    let refused = GrantedError::Grantor(MemGrantsError::Over { node: 0, turn: 1 });
    assert_eq!(old.renew(), Err(refused), "turn 2 has the node: no new ceiling for turn 1");
    let count = given.len();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), count);
    assert!(late == WINDOW_MS as u32 && count > 4_000, "both gave ids: {late} of {count}");
}

#[test]
fn idgen_p32_a_renewal_prolongs_and_raises_the_ceiling() {
    let (world, wall) = (World::new(2), Hands::at(NOON));
    let mut tenant = world.start(&wall).unwrap();
    for _ in 0..1_000 {
        let due = tenant.due_in();
        if due.is_zero() {
            tenant.renew().unwrap();
            assert!(!tenant.due_in().is_zero());
        } else {
            let ms = u64::try_from(due.as_millis()).unwrap();
            world.advance(ms);
            wall.advance(ms);
            tenant.generator().try_next().unwrap();
        }
    }
    assert_eq!(tenant.grant().turn, 1);
    assert!(world.ticks.0.get() > 40 * TERM_MS);
}

#[test]
fn idgen_p32_nodes_are_one_holders_each_and_free_when_given_back() {
    let (world, wall) = (World::new(2), Hands::at(NOON));
    let (first, second) = (world.start(&wall).unwrap(), world.start(&wall).unwrap());
    assert_ne!(first.node(), second.node());
    assert!(matches!(world.start(&wall), Err(GrantedError::Grantor(MemGrantsError::NoneFree))));
    let ids = first.generator().clone();
    let last = ids.try_next().unwrap();
    let node = first.node();
    first.release().unwrap();
    assert_eq!(ids.try_next(), Err(GeneratorError::NotHeld), "whoever shares it is told");
    let third = world.start(&wall).unwrap();
    assert_eq!((third.node(), third.grant().turn), (node, 2));
    assert!(third.generator().try_next().unwrap() > last);
}

#[test]
fn idgen_p32_a_slow_clock_within_its_bound_is_allowed_for() {
    let (world, wall) = (World::new(1), Hands::at(NOON));
    let own = Ticks::default();
    let options = GrantOptions { drift_ppm: 100_000, ..GrantOptions::default() };
    let tenant = Granted::start(world.grantor.clone(), wall.clone(), own.clone(), options).unwrap();
    // It goes at nine tenths of the grantor's pace.
    own.0.set(TERM_MS * 9 / 10);
    world.advance(TERM_MS);
    assert_eq!(tenant.generator().try_next(), Err(GeneratorError::NotHeld));
}

#[test]
fn idgen_p32_a_clock_whose_readings_may_be_old_ends_the_term_sooner() {
    /// Readings are exact when the grantor is asked, and 8 ms old afterwards.
    #[derive(Clone)]
    struct Old(Ticks, Rc<Cell<u64>>);
    impl Monotonic for Old {
        fn now(&self) -> Duration {
            Duration::from_millis(self.0.0.get() - self.1.get())
        }
        fn lag(&self) -> Duration {
            Duration::from_millis(8)
        }
    }
    for renewals in [0, 2] {
        let (world, wall, old) = (World::new(1), Hands::at(NOON), Rc::new(Cell::new(0)));
        let clock = Old(world.ticks.clone(), Rc::clone(&old));
        let mut tenant = Granted::start(world.grantor.clone(), wall.clone(), clock, exact()).unwrap();
        for _ in 0..renewals {
            old.set(8);
            world.advance(TERM_MS / 2);
            old.set(0);
            tenant.renew().unwrap();
        }
        old.set(8);
        world.advance(TERM_MS - 1);
        assert!(tenant.generator().try_next().is_ok());
        world.advance(1);
        let late = tenant.generator().try_next();
        assert_eq!(late, Err(GeneratorError::NotHeld), "not a moment after the grantor's term");
    }
}

#[test]
fn idgen_p32_a_term_is_counted_from_before_it_was_asked_for() {
    const WAY_MS: u64 = 3_000;
    /// The grantor decides at once, and its answers are on the way for long.
    struct Slow(Grantor, Ticks);
    impl NodeGrants<Small> for Slow {
        type Error = MemGrantsError;
        fn acquire(&mut self, wanted: Position<Small>) -> Result<Grant<Small>, MemGrantsError> {
            let answer = self.0.acquire(wanted);
            self.1.0.set(self.1.0.get() + WAY_MS);
            answer
        }
        fn renew(
            &mut self,
            grant: &Grant<Small>,
            wanted: Position<Small>,
        ) -> Result<Grant<Small>, MemGrantsError> {
            let answer = self.0.renew(grant, wanted);
            self.1.0.set(self.1.0.get() + WAY_MS);
            answer
        }
        fn release(&mut self, grant: &Grant<Small>) -> Result<(), MemGrantsError> {
            self.0.release(grant)
        }
    }
    for renewals in [0, 2] {
        let (world, wall) = (World::new(1), Hands::at(NOON));
        let grantor = Slow(world.grantor.clone(), world.ticks.clone());
        let mut tenant = Granted::start(grantor, wall.clone(), world.ticks.clone(), exact()).unwrap();
        (0..renewals).for_each(|_| tenant.renew().unwrap());
        world.advance(TERM_MS - WAY_MS - 1);
        assert!(tenant.generator().try_next().is_ok());
        world.advance(1);
        assert_eq!(
            tenant.generator().try_next(),
            Err(GeneratorError::NotHeld),
            "the node is free: {renewals}"
        );
        assert!(world.start(&wall).is_ok());
    }
}

#[test]
fn idgen_p32_a_renewal_that_is_answered_after_the_end_is_too_late() {
    let (world, wall) = (World::new(1), Hands::at(NOON));
    // The grantor grants another term, and its answer is on the way for as long as the old one.
    let ticks = world.ticks.clone();
    let slow = Confused(world.grantor.clone(), Box::new(move |_| ticks.0.set(ticks.0.get() + TERM_MS)));
    let mut late = Granted::start(slow, wall.clone(), world.ticks.clone(), exact()).unwrap();
    let ceiling = late.generator().ceiling();
    wall.advance(WINDOW_MS);
    assert_eq!(late.renew(), Err(GrantedError::Over { node: 0 }));
    assert_eq!((late.generator().ceiling(), late.left()), (ceiling, Duration::ZERO));
    assert_eq!(late.generator().try_next(), Err(GeneratorError::NotHeld));
}

#[test]
fn a_grantor_in_memory_keeps_its_contract() {
    let mut grantor = World::new(2).grantor;
    let wanted = Position::at(Duration::from_millis(NOON));
    let first = grantor.acquire(wanted).unwrap();
    assert_eq!((first.turn, first.floor, first.ceiling), (1, Position::ZERO, wanted));
    let renewed = grantor.renew(&first, Position::ZERO).unwrap();
    assert_eq!(renewed.ceiling, wanted, "a ceiling never falls");
    let second = grantor.acquire(Position::ZERO).unwrap();
    assert_ne!(second.node, first.node);
    grantor.release(&first).unwrap();
    grantor.release(&second).unwrap();
    let over = MemGrantsError::Over { node: first.node.get(), turn: 1 };
    assert_eq!(grantor.renew(&first, wanted), Err(over), "given back");
    assert_eq!(grantor.release(&first), Err(over));
    let third = grantor.acquire(Position::ZERO).unwrap();
    assert_eq!((third.node, third.turn), (second.node, 2), "the node with the lowest ceiling");
    let fourth = grantor.acquire(Position::ZERO).unwrap();
    assert_eq!((fourth.node, fourth.floor), (first.node, wanted));
    assert!(fourth.ceiling > fourth.floor, "there is room, whatever was wanted");
}

#[test]
fn a_grant_without_room_is_not_used() {
    struct NoRoom(Grantor);
    impl NodeGrants<Small> for NoRoom {
        type Error = MemGrantsError;
        fn acquire(&mut self, wanted: Position<Small>) -> Result<Grant<Small>, MemGrantsError> {
            let grant = self.0.acquire(wanted)?;
            Ok(Grant { floor: grant.ceiling, ..grant })
        }
        fn renew(&mut self, _: &Grant<Small>, _: Position<Small>) -> Result<Grant<Small>, MemGrantsError> {
            Err(MemGrantsError::NoneFree)
        }
        fn release(&mut self, grant: &Grant<Small>) -> Result<(), MemGrantsError> {
            self.0.release(grant)
        }
    }
    let (world, wall) = (World::new(1), Hands::at(NOON));
    let refused = Granted::start(NoRoom(world.grantor.clone()), wall, world.ticks.clone(), exact());
    assert_eq!(refused.map(drop), Err(GrantedError::Answer));
}

/// A grantor whose answers to renewals are changed on the way.
struct Confused(Grantor, Change);

type Change = Box<dyn Fn(&mut Grant<Small>)>;

impl NodeGrants<Small> for Confused {
    type Error = MemGrantsError;
    fn acquire(&mut self, wanted: Position<Small>) -> Result<Grant<Small>, MemGrantsError> {
        self.0.acquire(wanted)
    }
    fn renew(
        &mut self,
        grant: &Grant<Small>,
        wanted: Position<Small>,
    ) -> Result<Grant<Small>, MemGrantsError> {
        let mut grant = self.0.renew(grant, wanted)?;
        (self.1)(&mut grant);
        Ok(grant)
    }
    fn release(&mut self, grant: &Grant<Small>) -> Result<(), MemGrantsError> {
        self.0.release(grant)
    }
}

#[test]
fn an_answer_about_another_grant_is_not_used() {
    let answers: [fn(&mut Grant<Small>); 3] = [
        |grant| grant.turn += 1,
        |grant| grant.node = 1_u32.try_into().unwrap(),
        |grant| grant.ceiling = Position::ZERO,
    ];
    for answer in answers {
        let (world, wall) = (World::new(2), Hands::at(NOON));
        let grantor = Confused(world.grantor.clone(), Box::new(answer));
        let mut tenant = Granted::start(grantor, wall.clone(), world.ticks.clone(), exact()).unwrap();
        let before = *tenant.grant();
        wall.advance(WINDOW_MS);
        assert_eq!(tenant.renew(), Err(GrantedError::Answer));
        assert_eq!((*tenant.grant(), tenant.generator().ceiling()), (before, before.ceiling));
    }
}

#[test]
fn a_ceiling_is_raised_to_what_was_granted_and_not_to_what_was_wanted() {
    for by in [-1_i64, 1] {
        let (world, wall) = (World::new(1), Hands::at(NOON));
        let change = move |grant: &mut Grant<Small>| {
            let granted = grant.ceiling.as_u64().checked_add_signed(by).unwrap();
            grant.ceiling = Position::from_u64(granted).unwrap();
        };
        let grantor = Confused(world.grantor.clone(), Box::new(change));
        let mut tenant = Granted::start(grantor, wall.clone(), world.ticks.clone(), exact()).unwrap();
        wall.advance(WINDOW_MS);
        tenant.renew().unwrap();
        let wanted = Position::<Small>::at(Duration::from_millis(NOON + 2 * WINDOW_MS)).as_u64();
        assert_eq!(tenant.generator().ceiling().as_u64(), wanted.checked_add_signed(by).unwrap());
        assert_eq!(tenant.grant().ceiling, tenant.generator().ceiling());
    }
}
