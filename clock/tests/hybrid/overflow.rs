//! A full logical part.

use std::time::Duration;

use synod_clock::hybrid::{
    HybridClock, HybridError, Layout, Micros, Millis42, Millis48, Ntp64, Options, Timestamp,
};

use crate::hands::{Hands, MILLI, NOW, boundless};

/// Asks for more stamps than a tick has, of a wall that stands still. Each is one more than the one before.
fn overflows<L: Layout>(extra: u64) {
    let clock = HybridClock::<_, L>::with_options(Hands::at(NOW), boundless());
    let first = clock.now().unwrap();
    assert_eq!(first.logical(), 0);
    let count = Timestamp::<L>::MAX_LOGICAL + 1 + extra;
    let mut last = first;
    for _ in 0..count {
        let stamp = clock.now().unwrap();
        assert_eq!(stamp.as_u64(), last.as_u64() + 1);
        last = stamp;
    }
    assert_eq!((last.physical(), last.logical()), (first.physical() + 1, extra));
    assert_eq!(clock.statistics().carried, 1);
}

#[test]
fn clock_p18_a_full_logical_part_carries_in_every_layout() {
    overflows::<Micros>(5);
    overflows::<Millis48>(5);
    overflows::<Millis42>(5); // 4 194 304 in a millisecond that stands still
    overflows::<Ntp64>(5);
}

#[test]
fn clock_p18_carrying_is_bounded_by_the_lead_and_ends_with_an_error() {
    let hands = Hands::at(NOW);
    let options = Options { max_lead: Duration::from_micros(3), ..boundless() };
    let clock = HybridClock::<_>::with_options(hands.clone(), options);
    let mut last = clock.now().unwrap();
    let lead = loop {
        match clock.now() {
            Ok(stamp) => last = stamp,
            Err(error) => break error,
        }
    };
    // Four ticks full: the wall's own and three ahead of it.
    assert_eq!(last, Timestamp::from_parts(NOW + 3, 4095).unwrap());
    let micros = Duration::from_micros;
    assert_eq!(lead, HybridError::Lead { lead: micros(4), max: micros(3) });
    assert_eq!((clock.last(), clock.lead()), (last, micros(3)));
    assert_eq!((clock.statistics().carried, clock.statistics().lead_reached), (3, 1));
    // Nothing is lost: once the wall moves on, so does the clock.
    hands.advance(1);
    assert_eq!(clock.now(), Ok(Timestamp::from_parts(NOW + 4, 0).unwrap()));
    hands.advance(MILLI);
    assert_eq!(clock.now(), Ok(Timestamp::from_parts(NOW + 1 + MILLI, 0).unwrap()));
    assert_eq!(clock.lead(), Duration::ZERO);
}

#[test]
fn clock_p18_a_remote_stamp_with_a_full_logical_part_carries_too() {
    let clock = HybridClock::<_>::new(Hands::at(NOW));
    let full = Timestamp::from_parts(NOW + 7, 4095).unwrap();
    assert_eq!(clock.recv(full), Ok(Timestamp::from_parts(NOW + 8, 0).unwrap()));
    assert_eq!(clock.statistics().carried, 1);
}
