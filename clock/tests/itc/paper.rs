//! The slow twin: the paper's equations over boxed trees.

use std::fmt;

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Id {
    Leaf(bool),
    Node(Box<Id>, Box<Id>),
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Event {
    Leaf(u64),
    Node(u64, Box<Event>, Box<Event>),
}

use Event::Leaf as Flat;

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Stamp {
    pub(crate) id: Id,
    pub(crate) event: Event,
}

const ZERO: Id = Id::Leaf(false);
const ONE: Id = Id::Leaf(true);

fn node_of(left: Id, right: Id) -> Id {
    match (&left, &right) {
        (Id::Leaf(l), Id::Leaf(r)) if l == r => Id::Leaf(*l),
        _ => Id::Node(left.into(), right.into()),
    }
}

fn split(id: &Id) -> (Id, Id) {
    match id {
        Id::Leaf(false) => (ZERO, ZERO),
        Id::Leaf(true) => (node_of(ONE, ZERO), node_of(ZERO, ONE)),
        Id::Node(left, right) if **left == ZERO => {
            let (one, two) = split(right);
            (node_of(ZERO, one), node_of(ZERO, two))
        }
        Id::Node(left, right) if **right == ZERO => {
            let (one, two) = split(left);
            (node_of(one, ZERO), node_of(two, ZERO))
        }
        Id::Node(left, right) => (node_of(*left.clone(), ZERO), node_of(ZERO, *right.clone())),
    }
}

fn sum(left: &Id, right: &Id) -> Id {
    match (left, right) {
        (Id::Leaf(false), other) | (other, Id::Leaf(false)) => other.clone(),
        (Id::Node(l1, r1), Id::Node(l2, r2)) => node_of(sum(l1, l2), sum(r1, r2)),
        _ => panic!("{left:?} and {right:?} overlap"),
    }
}

impl Event {
    fn base(&self) -> u64 {
        match self {
            Flat(n) | Self::Node(n, ..) => *n,
        }
    }

    fn lift(&self, by: u64) -> Self {
        match self {
            Flat(n) => Flat(n + by),
            Self::Node(n, l, r) => Self::Node(n + by, l.clone(), r.clone()),
        }
    }

    fn sink(&self, by: u64) -> Self {
        match self {
            Flat(n) => Flat(n - by),
            Self::Node(n, l, r) => Self::Node(n - by, l.clone(), r.clone()),
        }
    }

    fn max(&self) -> u64 {
        match self {
            Flat(n) => *n,
            Self::Node(n, l, r) => n + l.max().max(r.max()),
        }
    }
}

fn norm(n: u64, left: &Event, right: &Event) -> Event {
    match (left, right) {
        (Flat(l), Flat(r)) if l == r => Flat(n + l),
        _ => {
            let least = left.base().min(right.base());
            Event::Node(n + least, left.sink(least).into(), right.sink(least).into())
        }
    }
}

pub(crate) fn leq(left: &Event, right: &Event) -> bool {
    match (left, right) {
        (Flat(n1), other) => *n1 <= other.base(),
        (Event::Node(n1, l1, r1), Flat(n2)) => {
            n1 <= n2 && leq(&l1.lift(*n1), right) && leq(&r1.lift(*n1), right)
        }
        (Event::Node(n1, l1, r1), Event::Node(n2, l2, r2)) => {
            n1 <= n2 && leq(&l1.lift(*n1), &l2.lift(*n2)) && leq(&r1.lift(*n1), &r2.lift(*n2))
        }
    }
}

pub(crate) fn join(left: &Event, right: &Event) -> Event {
    let inner = |n: u64| Event::Node(n, Flat(0).into(), Flat(0).into());
    match (left, right) {
        (Flat(n1), Flat(n2)) => Flat(*n1.max(n2)),
        (Flat(n1), _) => join(&inner(*n1), right),
        (_, Flat(n2)) => join(left, &inner(*n2)),
        (Event::Node(n1, ..), Event::Node(n2, ..)) if n1 > n2 => join(right, left),
        (Event::Node(n1, l1, r1), Event::Node(n2, l2, r2)) => {
            norm(*n1, &join(l1, &l2.lift(n2 - n1)), &join(r1, &r2.lift(n2 - n1)))
        }
    }
}

fn fill(id: &Id, event: &Event) -> Event {
    match (id, event) {
        (Id::Leaf(false), _) => event.clone(),
        (Id::Leaf(true), _) => Flat(event.max()),
        (_, Flat(n)) => Flat(*n),
        (Id::Node(il, ir), Event::Node(n, el, er)) => {
            if **il == ONE {
                let er = fill(ir, er);
                norm(*n, &Flat(el.max().max(er.base())), &er)
            } else if **ir == ONE {
                let el = fill(il, el);
                norm(*n, &el, &Flat(er.max().max(el.base())))
            } else {
                norm(*n, &fill(il, el), &fill(ir, er))
            }
        }
    }
}

fn grow(id: &Id, event: &Event) -> (Event, u64) {
    match (id, event) {
        (Id::Leaf(true), Flat(n)) => (Flat(n + 1), 0),
        (_, Flat(n)) => {
            let (grown, cost) = grow(id, &Event::Node(*n, Flat(0).into(), Flat(0).into()));
            (grown, cost + 1_000_000)
        }
        (Id::Node(il, ir), Event::Node(n, el, er)) => {
            let left = || {
                let (grown, cost) = grow(il, el);
                (Event::Node(*n, grown.into(), er.clone()), cost + 1)
            };
            let right = || {
                let (grown, cost) = grow(ir, er);
                (Event::Node(*n, el.clone(), grown.into()), cost + 1)
            };
            if **il == ZERO {
                right()
            } else if **ir == ZERO {
                left()
            } else {
                let (left, right) = (left(), right());
                if left.1 < right.1 { left } else { right }
            }
        }
        _ => panic!("{id:?} cannot grow {event:?}"),
    }
}

impl Stamp {
    pub(crate) fn seed() -> Self {
        Self { id: ONE, event: Flat(0) }
    }

    pub(crate) fn fork(&mut self) -> Self {
        let (one, two) = split(&self.id);
        self.id = one;
        Self { id: two, event: self.event.clone() }
    }

    pub(crate) fn event(&mut self) {
        let filled = fill(&self.id, &self.event);
        self.event = if filled == self.event { grow(&self.id, &self.event).0 } else { filled };
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.id = sum(&self.id, &other.id);
        self.event = join(&self.event, &other.event);
    }

    /// The binary encoding, as text of zeros and ones first.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bits = encode_id(&self.id) + &encode_event(&self.event);
        while bits.len() % 8 != 0 {
            bits.push('0');
        }
        let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == b'1'));
        bits.as_bytes().chunks(8).map(byte).collect()
    }
}

fn encode_id(id: &Id) -> String {
    match id {
        Id::Leaf(false) => "000".into(),
        Id::Leaf(true) => "001".into(),
        Id::Node(l, r) if **l == ZERO => format!("01{}", encode_id(r)),
        Id::Node(l, r) if **r == ZERO => format!("10{}", encode_id(l)),
        Id::Node(l, r) => format!("11{}{}", encode_id(l), encode_id(r)),
    }
}

fn encode_event(event: &Event) -> String {
    let zero = Flat(0);
    match event {
        Flat(n) => format!("1{}", encode_number(*n, 2)),
        Event::Node(0, l, r) if **l == zero => format!("000{}", encode_event(r)),
        Event::Node(0, l, r) if **r == zero => format!("001{}", encode_event(l)),
        Event::Node(0, l, r) => format!("010{}{}", encode_event(l), encode_event(r)),
        Event::Node(n, l, r) if **l == zero => format!("01100{}{}", encode_event(&Flat(*n)), encode_event(r)),
        Event::Node(n, l, r) if **r == zero => format!("01101{}{}", encode_event(&Flat(*n)), encode_event(l)),
        Event::Node(n, l, r) => {
            format!("0111{}{}{}", encode_event(&Flat(*n)), encode_event(l), encode_event(r))
        }
    }
}

fn encode_number(n: u64, width: usize) -> String {
    match u128::from(n).checked_sub(1 << width) {
        None => format!("0{n:0width$b}"),
        Some(rest) => format!("1{}", encode_number(u64::try_from(rest).unwrap(), width + 1)),
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.event)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(owned) => write!(f, "{}", u8::from(*owned)),
            Self::Node(l, r) => write!(f, "({l}, {r})"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flat(n) => write!(f, "{n}"),
            Self::Node(n, l, r) => write!(f, "({n}, {l}, {r})"),
        }
    }
}
