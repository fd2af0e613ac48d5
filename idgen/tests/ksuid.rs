//! KSUID: the examples of its specification, its ends, its text.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use synod_idgen::codec::CodecError;
use synod_idgen::ksuid::{EPOCH_SECONDS, Ksuid, KsuidError};
use synod_idgen::random::{SeededRandom, SystemRandom};
use synod_idgen::wall::{System, from_fn};

/// Text, seconds from the epoch, payload: examples of the README of its first implementation.
const EXAMPLES: [(&str, u32, u128); 4] = [
    ("0ujtsYcgvSTl8PAuAdqWYSMnLOv", 107_608_047, 0xB5A1_CD34_B5F9_9D11_54FB_6853_345C_9735),
    ("0ujzPyRiIAffKhBux4PvQdDqMHY", 107_610_780, 0x73FC_1AA3_B244_6246_D6E8_9FCD_909E_8FE8),
    ("0uk1Hbc9dQ9pxyTqJ93IUrfhdGq", 107_611_700, 0x9850_EEEC_191B_F4FF_26F9_9315_CE43_B0C8),
    ("0uk1HdCJ6hUZKDgcxhpJwUl5ZEI", 107_611_700, 0xCC55_0725_5531_6F45_B8CA_2D29_79D3_ED0A),
];

#[test]
fn idgen_ksuid_the_examples_of_its_specification() {
    for (text, seconds, payload) in EXAMPLES {
        let id = Ksuid::from_parts(seconds, payload);
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!((id.seconds(), id.payload()), (seconds, payload));
        assert_eq!(id.time(), Duration::from_secs(EPOCH_SECONDS + u64::from(seconds)));
    }
    assert_eq!(Ksuid::NIL.to_string(), "0".repeat(27));
    assert_eq!(Ksuid::MAX.to_string(), "aWgEPTl1tmebfsQzFP4bxwgy80V");
    assert_eq!(Ksuid::decode("aWgEPTl1tmebfsQzFP4bxwgy80V"), Ok(Ksuid::MAX));
    assert_eq!(Ksuid::default(), Ksuid::NIL);
}

#[test]
fn idgen_p12_a_time_outside_of_the_field_is_an_error_for_ksuids_too() {
    let at = |seconds| Ksuid::at(Duration::from_secs(seconds), 0);
    assert_eq!(at(EPOCH_SECONDS - 1), Err(KsuidError::Time));
    assert_eq!(at(EPOCH_SECONDS), Ok(Ksuid::NIL));
    assert_eq!(at(EPOCH_SECONDS + u64::from(u32::MAX)).map(Ksuid::seconds), Ok(u32::MAX));
    assert_eq!(at(EPOCH_SECONDS + (1 << 32)), Err(KsuidError::Time));
    let unset = from_fn(|| Duration::ZERO);
    assert_eq!(Ksuid::generate(&unset, &SystemRandom), Err(KsuidError::Time));
}

#[test]
fn idgen_ksuid_text_that_is_none_is_refused() {
    let refused = |text: &str| Ksuid::decode(text).unwrap_err();
    assert_eq!(refused("aWgEPTl1tmebfsQzFP4bxwgy80W"), CodecError::Overflow);
    assert_eq!(refused("0ujtsYcgvSTl8PAuAdqWYSMnLO"), CodecError::Length { expected: 27, actual: 26 });
    assert_eq!(refused("0ujtsYcgvSTl8PAuAdqWYSMnLO-"), CodecError::Symbol { position: 26, found: '-' });
    assert_eq!(refused("é0jtsYcgvSTl8PAuAdqWYSMnLO"), CodecError::Symbol { position: 0, found: 'é' });
}

#[test]
fn idgen_ksuid_each_symbol_is_looked_at() {
    for position in 0..27 {
        let mut text = EXAMPLES[0].0.to_owned();
        text.replace_range(position..=position, "_");
        assert_eq!(Ksuid::decode(&text), Err(CodecError::Symbol { position, found: '_' }));
    }
}

#[test]
fn idgen_ksuid_generated_ones_differ_and_have_the_clocks_second() {
    let wall = from_fn(|| Duration::from_millis(1_700_000_000_999));
    let random = SeededRandom::new(1);
    let ids: std::collections::BTreeSet<Ksuid> =
        (0..1000).map(|_| Ksuid::generate(&wall, &random).unwrap()).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.time() == Duration::from_secs(1_700_000_000)));
    assert!(Ksuid::generate(&System, &SystemRandom).unwrap() > *ids.last().unwrap());
}

proptest! {
    #[test]
    fn idgen_ksuid_is_read_back_and_sorts_by_text_and_bytes(a: (u32, u128), b: (u32, u128), near: bool) {
        let b = if near { (a.0, a.1 ^ (b.1 & 0xff)) } else { b };
        let (one, two) = (Ksuid::from_parts(a.0, a.1), Ksuid::from_parts(b.0, b.1));
        prop_assert_eq!(Ksuid::decode(&one.encode()), Ok(one));
        prop_assert_eq!(Ksuid::from_bytes(one.to_bytes()), one);
        prop_assert_eq!(Ksuid::from(<[u8; 20]>::from(one)), one);
        prop_assert_eq!(one.cmp(&two), a.cmp(&b));
        prop_assert_eq!(one.cmp(&two), one.encode().cmp(&two.encode()));
        prop_assert_eq!(one.cmp(&two), one.to_bytes().cmp(&two.to_bytes()));
    }
}
