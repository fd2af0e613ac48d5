//! Ids to text and back, by one thread. The text of an id is written into memory of the caller's wherever a peer can.

use std::hint::black_box;
use std::str::FromStr as _;

use anyhow::{Result, ensure};
use ferroid::base32::Base32UlidExt as _;
use ferroid::id::ULID;
use svix_ksuid::KsuidLike as _;
use uuid::Uuid;

use super::suite::Options;
use crate::figure::{Figure, Row};
use crate::measure::{least, median, number, thread_cpu_ns};

const OPERATIONS: u64 = 20_000;

/// All figures, in turns.
pub(super) fn figures(options: &Options) -> Result<Vec<Figure>> {
    let mut cases = all()?;
    for _ in 0..options.rounds() {
        cases.iter_mut().try_for_each(Case::measure)?;
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

fn all() -> Result<Vec<Case>> {
    let mut cases = ulids()?;
    cases.extend(ksuids()?);
    cases.extend(uuids()?);
    Ok(cases)
}

fn ulids() -> Result<Vec<Case>> {
    const ULID_TEXT: &str = "idgen ULID, text";
    const TEXT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let ours = synod_idgen::ulid::Ulid::decode(TEXT)?;
    let (ulid, of_ferroid) = (ulid::Ulid::from_string(TEXT)?, ULID::decode(TEXT)?);
    Ok(vec![
        Case::new(
            Row::new(ULID_TEXT, "synod-idgen"),
            move || black_box(black_box(ours).encode().as_str()).len() == 26,
            || black_box(synod_idgen::ulid::Ulid::decode(black_box(TEXT))).is_ok(),
        ),
        // A `str` is checked to be one; octets are not.
        Case::new(
            Row::new(ULID_TEXT, "synod-idgen, octets"),
            move || black_box(black_box(ours).encode().as_bytes()).len() == 26,
            || black_box(synod_idgen::ulid::Ulid::decode(black_box(TEXT))).is_ok(),
        ),
        Case::new(
            Row::new(ULID_TEXT, "ulid"),
            move || {
                let mut text = [0; ulid::ULID_LEN];
                black_box(black_box(ulid).array_to_str(&mut text)).len() == 26
            },
            || black_box(ulid::Ulid::from_string(black_box(TEXT))).is_ok(),
        ),
        Case::new(
            Row::new(ULID_TEXT, "ferroid"),
            move || black_box(black_box(of_ferroid).encode().as_str()).len() == 26,
            || black_box(ULID::decode(black_box(TEXT))).is_ok(),
        ),
    ])
}

fn ksuids() -> Result<Vec<Case>> {
    const KSUID_TEXT: &str = "idgen KSUID, text";
    const TEXT: &str = "0o5Fs0EELR0fUjHjbCnEtdUwQe3";
    let ours = synod_idgen::ksuid::Ksuid::decode(TEXT)?;
    let (ksuid, svix) = (ksuid::Ksuid::from_base62(TEXT)?, svix_ksuid::Ksuid::from_str(TEXT)?);
    Ok(vec![
        Case::new(
            Row::new(KSUID_TEXT, "synod-idgen"),
            move || black_box(black_box(ours).encode().as_str()).len() == 27,
            || black_box(synod_idgen::ksuid::Ksuid::decode(black_box(TEXT))).is_ok(),
        ),
        Case::new(
            Row::new(KSUID_TEXT, "ksuid"),
            move || black_box(black_box(ksuid).to_base62().as_str()).len() == 27,
            || black_box(ksuid::Ksuid::from_base62(black_box(TEXT))).is_ok(),
        ),
        Case::new(
            Row::new(KSUID_TEXT, "svix-ksuid"),
            move || black_box(black_box(svix).to_base62().as_str()).len() == 27,
            || black_box(svix_ksuid::Ksuid::from_str(black_box(TEXT))).is_ok(),
        ),
    ])
}

fn uuids() -> Result<Vec<Case>> {
    const UUID_TEXT: &str = "idgen UUID, text";
    const TEXT: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    let uuid = Uuid::from_str(TEXT)?;
    let ours = synod_idgen::uuid::Uuid::from_str(TEXT)?;
    Ok(vec![
        Case::new(
            Row::new(UUID_TEXT, "synod-idgen"),
            move || black_box(black_box(ours).to_hyphenated().as_str()).len() == 36,
            || black_box(synod_idgen::uuid::Uuid::from_str(black_box(TEXT))).is_ok(),
        ),
        Case::new(
            Row::new(UUID_TEXT, "uuid"),
            move || {
                let mut text = [0; 36];
                black_box(black_box(uuid).hyphenated().encode_lower(&mut text)).len() == 36
            },
            || black_box(Uuid::from_str(black_box(TEXT))).is_ok(),
        ),
    ])
}

/// Both ways of one implementation.
struct Case {
    row: Row,
    encode: Box<dyn Fn(u64) -> bool>,
    decode: Box<dyn Fn(u64) -> bool>,
    rounds: [Vec<f64>; 2],
}

impl Case {
    fn new(row: Row, encode: impl Fn() -> bool + 'static, decode: impl Fn() -> bool + 'static) -> Self {
        let encode = Box::new(move |count| (0..count).all(|_| black_box(encode())));
        let decode = Box::new(move |count| (0..count).all(|_| black_box(decode())));
        Self { row, encode, decode, rounds: Default::default() }
    }

    fn measure(&mut self) -> Result<()> {
        for (run, rounds) in [&self.encode, &self.decode].into_iter().zip(&mut self.rounds) {
            let begun = thread_cpu_ns();
            let went_well = run(OPERATIONS);
            rounds.push((thread_cpu_ns() - begun) / number(OPERATIONS));
            ensure!(went_well, "a text is wrong: {:?}", self.row);
        }
        Ok(())
    }

    fn figures(&self) -> [Figure; 4] {
        let [encode, decode] = &self.rounds;
        [
            self.row.figure("encode", median(encode), "ns"),
            self.row.figure("decode", median(decode), "ns"),
            self.row.figure("encode, least", least(encode), "ns"),
            self.row.figure("decode, least", least(decode), "ns"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_goes_well_and_a_failure_is_told() {
        for case in &mut all().unwrap() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
        assert!(Case::new(Row::new("failing", "encode"), || false, || true).measure().is_err());
    }
}
