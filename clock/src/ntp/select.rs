//! Which of several servers to believe (RFC 5905 §11.2).
//!
//! Every server claims that the true offset lies within its root distance of what it says. The true offset lies where
//! most claims overlap; a server whose own offset is outside of that is a *falseticker*. Of the rest, those that differ
//! most are left out, and the others are averaged.

use alloc::vec::Vec;

use super::fault::{Fault, Faults};
use super::filter::square;
use crate::unix::clamp_i64;

/// What one server claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Whose claim it is: any number that the caller likes.
    pub server: usize,
    /// How far it is ahead.
    pub offset_ns: i64,
    /// How far the true offset may be from that. At least one.
    pub root_distance_ns: i64,
    /// How much its samples differ.
    pub jitter_ns: i64,
    /// Its distance from a reference clock, in steps: of two like servers the one of lower stratum is preferred.
    pub stratum: u8,
}

/// What counts as a candidate and how many are averaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelectOptions {
    /// A server farther off than this is no candidate (MAXDIST), in nanoseconds: 1.5 s.
    pub maximum_distance_ns: i64,
    /// A smaller delay is taken for this one (MINDISP), in nanoseconds: 10 ms.
    pub minimum_distance_ns: i64,
    /// No server is left out for differing once there are as few as this (NMIN): 3.
    pub averaged: usize,
    /// So many must agree before they are believed (NSANE): 1. With more servers than one, 2 keep a liar that answers
    /// first from being believed alone.
    pub agreeing: usize,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self { maximum_distance_ns: 1_500_000_000, minimum_distance_ns: 10_000_000, averaged: 3, agreeing: 1 }
    }
}

/// What most servers agree on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The least offset that most claims allow.
    pub low_ns: i64,
    /// The greatest.
    pub high_ns: i64,
    /// The survivors' mean, each counting by the inverse of its root distance.
    pub offset_ns: i64,
    /// The survivors' jitter and how much they differ from the first of them.
    pub jitter_ns: i64,
    /// Whose claims were averaged, the best first.
    pub survivors: Vec<usize>,
    /// Whose claims are false, if most claims are true.
    pub falsetickers: Vec<usize>,
}

impl Selection {
    /// How far the true offset may be from [`offset_ns`](Self::offset_ns), if most servers say true.
    pub const fn error_ns(&self) -> i64 {
        let (above, below) =
            (self.high_ns.saturating_sub(self.offset_ns), self.offset_ns.saturating_sub(self.low_ns));
        if above > below { above } else { below }
    }
}

/// Selects among `candidates`. Nothing when no majority of them agrees. Takes n² steps for n candidates.
pub fn select(candidates: &[Candidate], options: &SelectOptions) -> Option<Selection> {
    select_with_faults(candidates, options, &super::fault::Sound)
}

/// [`select`], which may deviate; for tests.
pub fn select_with_faults<F: Faults>(
    candidates: &[Candidate],
    options: &SelectOptions,
    faults: &F,
) -> Option<Selection> {
    let fit: Vec<Candidate> = candidates
        .iter()
        .filter(|it| (1..=options.maximum_distance_ns).contains(&it.root_distance_ns))
        .copied()
        .collect();
    let (low_ns, high_ns) = if faults.has(Fault::Mean) { widest(&fit)? } else { intersect(&fit)? };
    let (mut survivors, liars): (Vec<Candidate>, Vec<Candidate>) =
        fit.into_iter().partition(|it| (low_ns..=high_ns).contains(&it.offset_ns));
    let weight = |it: &Candidate| {
        i128::from(it.stratum) * i128::from(options.maximum_distance_ns) + i128::from(it.root_distance_ns)
    };
    if survivors.len() < options.agreeing {
        return None;
    }
    survivors.sort_by_key(weight);
    cluster(&mut survivors, options.averaged.max(1));
    let first = *survivors.first()?;
    Some(Selection {
        low_ns,
        high_ns,
        offset_ns: mean(&survivors)?,
        jitter_ns: spread(&survivors, &first),
        survivors: survivors.iter().map(|it| it.server).collect(),
        falsetickers: liars.iter().map(|it| it.server).collect(),
    })
}

/// The end of a claim, or its middle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Lower,
    Middle,
    Upper,
}

/// The smallest interval that holds a point of all claims but `false_ones`, and the middles of as many, for the least
/// number of false ones that is no majority (RFC 5905 §11.2.1, A.5.5.1).
fn intersect(claims: &[Candidate]) -> Option<(i64, i64)> {
    let mut edges: Vec<(i64, Edge)> = Vec::with_capacity(claims.len() * 3);
    for claim in claims {
        edges.push((claim.offset_ns.saturating_sub(claim.root_distance_ns), Edge::Lower));
        edges.push((claim.offset_ns, Edge::Middle));
        edges.push((claim.offset_ns.saturating_add(claim.root_distance_ns), Edge::Upper));
    }
    edges.sort_unstable();
    (0..claims.len().div_ceil(2)).find_map(|false_ones| {
        let wanted = claims.len() - false_ones;
        let (low, outside_below) = scan(edges.iter(), Edge::Lower, wanted)?;
        let (high, outside_above) = scan(edges.iter().rev(), Edge::Upper, wanted)?;
        // Two claims may touch in one point: that is an overlap too.
        (outside_below + outside_above <= false_ones && low <= high).then_some((low, high))
    })
}

/// Walks inwards until `wanted` claims are open: where that is, and how many middles came before.
fn scan<'a>(
    edges: impl Iterator<Item = &'a (i64, Edge)>,
    opening: Edge,
    wanted: usize,
) -> Option<(i64, usize)> {
    let (mut open, mut middles) = (0_usize, 0);
    for (at, edge) in edges {
        match edge {
            Edge::Middle => middles += 1,
            edge if *edge == opening => open += 1,
            _ => open = open.saturating_sub(1),
        }
        if open >= wanted {
            return Some((*at, middles));
        }
    }
    None
}

/// What holds every claim.
fn widest(claims: &[Candidate]) -> Option<(i64, i64)> {
    let low = claims.iter().map(|it| it.offset_ns.saturating_sub(it.root_distance_ns)).min()?;
    let high = claims.iter().map(|it| it.offset_ns.saturating_add(it.root_distance_ns)).max()?;
    Some((low, high))
}

/// Leaves out the one that differs most from the others, until few are left or they differ less than each one's own
/// samples (RFC 5905 §11.2.2).
fn cluster(survivors: &mut Vec<Candidate>, averaged: usize) {
    while survivors.len() > averaged {
        let differs = survivors.iter().map(|it| spread(survivors, it)).enumerate().max_by_key(|(_, by)| *by);
        let steadiest = survivors.iter().map(|it| it.jitter_ns).min();
        match (differs, steadiest) {
            (Some((at, by)), Some(steadiest)) if by > steadiest => survivors.remove(at),
            _ => return,
        };
    }
}

/// The root of the mean square of how far all are from one; at least that one's own jitter counts too when it is the
/// only one.
fn spread(all: &[Candidate], from: &Candidate) -> i64 {
    let squares: u128 = all.iter().map(|it| square(it.offset_ns.saturating_sub(from.offset_ns))).sum();
    let others = u128::try_from(all.len().saturating_sub(1).max(1)).unwrap_or(1);
    i64::try_from((squares / others).isqrt()).unwrap_or(i64::MAX)
}

/// The mean, each counting by the inverse of its root distance (RFC 5905 §11.2.3).
fn mean(survivors: &[Candidate]) -> Option<i64> {
    let first = survivors.first()?.offset_ns;
    // Of 62 bits, so that the sum of some thousands of weighted differences fits 128.
    let weight = |it: &Candidate| i128::from((1_i64 << 50) / it.root_distance_ns.max(1)) + 1;
    let total: i128 = survivors.iter().map(weight).sum();
    let sum: i128 =
        survivors.iter().map(|it| weight(it) * (i128::from(it.offset_ns) - i128::from(first))).sum();
    Some(clamp_i64(i128::from(first) + sum / total.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ntp::fault::{Planted, Sound};
    use proptest::prelude::*;

    fn claim(server: usize, offset_ns: i64, root_distance_ns: i64) -> Candidate {
        Candidate { server, offset_ns, root_distance_ns, jitter_ns: 0, stratum: 2 }
    }

    /// Three tell 10 ms within a few; one tells 900 ms and swears to it.
    fn one_liar_of_four<F: Faults>(faults: &F) -> bool {
        let claims =
            [(10, 5), (11, 4), (900, 1), (9, 6)].map(|(offset, distance)| (offset * 1000, distance * 1000));
        let claims: Vec<_> = claims
            .iter()
            .enumerate()
            .map(|(server, (offset, distance))| claim(server, *offset, *distance))
            .collect();
        // Four are averaged, so that the liar is found for its claim and not for its distance from the others.
        let options = SelectOptions { averaged: 4, ..SelectOptions::default() };
        let Some(chosen) = select_with_faults(&claims, &options, faults) else { return false };
        chosen.falsetickers == [2]
            && chosen.survivors == [1, 0, 3]
            && (chosen.low_ns, chosen.high_ns) == (7000, 15_000)
            && (10_000..11_000).contains(&chosen.offset_ns)
    }

    #[test]
    fn clock_p29_a_falseticker_among_four_is_found() {
        assert!(one_liar_of_four(&Sound));
        assert!(!one_liar_of_four(&Planted(Fault::Mean)));
    }

    #[test]
    fn two_that_contradict_each_other_are_no_majority() {
        let options = SelectOptions::default();
        assert_eq!(select(&[claim(0, 0, 10), claim(1, 100, 10)], &options), None);
        assert!(select(&[claim(0, 0, 10), claim(1, 100, 10), claim(2, 5, 10)], &options).is_some());
        assert_eq!(select(&[], &options), None);
    }

    #[test]
    fn one_whose_middle_is_outside_of_what_both_claim_does_not_agree() {
        let options = SelectOptions::default();
        for sign in [1, -1] {
            let (wide, narrow) = (claim(0, sign * 5, 100), claim(1, 0, 3));
            assert_eq!(select(&[wide, narrow], &options), None);
            // With a third it is outvoted.
            let chosen = select(&[wide, narrow, claim(2, sign, 3)], &options).unwrap();
            assert_eq!(chosen.falsetickers, [0]);
        }
    }

    #[test]
    fn one_alone_is_believed_and_a_far_one_is_not() {
        let options = SelectOptions::default();
        let alone = select(&[claim(7, 42, 10)], &options).unwrap();
        assert_eq!((alone.offset_ns, alone.error_ns(), alone.survivors), (42, 10, alloc::vec![7]));
        assert_eq!(select(&[claim(0, 0, 1_500_000_001)], &options), None);
        assert_eq!(select(&[claim(7, 42, 10)], &SelectOptions { agreeing: 2, ..options }), None);
        assert_eq!(select(&[claim(0, 0, 0)], &options), None);
    }

    #[test]
    fn of_more_than_three_the_ones_that_differ_most_are_left_out() {
        let claims: Vec<_> = [0, 1, 2, 40, 90].iter().enumerate().map(|(i, at)| claim(i, *at, 100)).collect();
        let chosen = select(&claims, &SelectOptions::default()).unwrap();
        assert_eq!(chosen.survivors, [0, 1, 2]);
        assert_eq!((chosen.offset_ns, chosen.falsetickers.len()), (1, 0));
        // Nor any of those that do not differ at all.
        assert_eq!(select(&[claim(0, 5, 9); 6], &SelectOptions::default()).unwrap().survivors.len(), 6);
        // Not when their own samples differ as much.
        let shaky: Vec<_> = claims.iter().map(|it| Candidate { jitter_ns: 500, ..*it }).collect();
        assert_eq!(select(&shaky, &SelectOptions::default()).unwrap().survivors.len(), 5);
    }

    #[test]
    fn a_lower_stratum_comes_first() {
        let claims = [claim(0, 0, 10), Candidate { stratum: 1, ..claim(1, 1, 500) }];
        assert_eq!(select(&claims, &SelectOptions::default()).unwrap().survivors, [1, 0]);
    }

    proptest! {
        /// Fewer than half lie, far off; the others' claims hold the true offset, which is zero.
        #[test]
        fn clock_p29_the_true_offset_is_selected_as_long_as_most_say_true(
            honest in proptest::collection::vec((-1000_i64..1000, 0_i64..500), 1..8),
            liars in proptest::collection::vec((10_000_000_i64..1_000_000_000, 1_i64..1_000_000), 0..7),
        ) {
            let liars = &liars[..liars.len().min(honest.len() - 1)];
            let honest_count = honest.len();
            let honest = honest.iter().map(|(offset, more)| (*offset, offset.abs() + more + 1));
            let claims: Vec<_> = honest.chain(liars.iter().copied())
                .enumerate().map(|(server, (offset, distance))| claim(server, offset, distance)).collect();
            if let Some(chosen) = select(&claims, &SelectOptions::default()) {
                prop_assert!(chosen.low_ns <= 0 && 0 <= chosen.high_ns, "{:?}", chosen);
                prop_assert!(chosen.low_ns <= chosen.offset_ns && chosen.offset_ns <= chosen.high_ns);
                prop_assert!(chosen.offset_ns.abs() <= chosen.error_ns());
                prop_assert!((honest_count..claims.len()).all(|liar| chosen.falsetickers.contains(&liar)));
            } else {
                // All true claims share zero: only a middle outside of what they share can prevent agreement.
                let shared = claims[..honest_count].iter().fold((i64::MIN, i64::MAX), |(low, high), it| {
                    (low.max(it.offset_ns - it.root_distance_ns), high.min(it.offset_ns + it.root_distance_ns))
                });
                let apart = |it: &Candidate| it.offset_ns < shared.0 || shared.1 < it.offset_ns;
                prop_assert!(claims[..honest_count].iter().any(apart));
            }
        }
    }
}
