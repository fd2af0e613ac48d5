//! Which of several servers to believe (RFC 5905 §11.2).
//!
//! Every server claims that the true offset lies within its root distance of what it says. RFC 5905 takes the offset to
//! be where as many claims as possible overlap; a server whose own offset is outside of that is a *falseticker*. Of the
//! rest, those that differ most are left out, and the others are averaged.
//!
//! That is a good guess and no bound: a liar whose claim lies within the honest ones narrows the overlap as it likes.
//! If most servers say true, the true offset is somewhere in the claims of most; so what is stated as the bound holds
//! every point that most servers' claims may share (Marzullo, "Maintaining the time in a distributed system", 1984).

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

impl Candidate {
    /// A server of which nothing is known. It is no candidate but counts among the servers of which most say true.
    pub const fn absent(server: usize) -> Self {
        Self { server, offset_ns: 0, root_distance_ns: 0, jitter_ns: 0, stratum: u8::MAX }
    }

    const fn low_ns(&self) -> i64 {
        self.offset_ns.saturating_sub(self.root_distance_ns)
    }

    const fn high_ns(&self) -> i64 {
        self.offset_ns.saturating_add(self.root_distance_ns)
    }
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
    /// So many must agree before they are believed (NSANE); of 0, the default, most of all servers, whether they have
    /// answered or not. With fewer than most, a liar that answers first is believed, and no bound holds.
    pub agreeing: usize,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self { maximum_distance_ns: 1_500_000_000, minimum_distance_ns: 10_000_000, averaged: 3, agreeing: 0 }
    }
}

/// What most servers agree on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The least offset that most servers may allow: the true offset is not below, if most servers say true.
    pub low_ns: i64,
    /// The greatest.
    pub high_ns: i64,
    /// The survivors' mean, each counting by the inverse of its root distance.
    pub offset_ns: i64,
    /// The survivors' jitter and how much they differ from the first of them.
    pub jitter_ns: i64,
    /// Whose claims were averaged, the best first.
    pub survivors: Vec<usize>,
    /// Whose offset lies outside of where most claims meet. A guess, as far as claims alone tell: the bound trusts no one.
    pub falsetickers: Vec<usize>,
}

impl Selection {
    /// How far the true offset may be from [`offset_ns`](Self::offset_ns), if most servers say true, counting those
    /// that were no candidates.
    pub const fn error_ns(&self) -> i64 {
        let (above, below) =
            (self.high_ns.saturating_sub(self.offset_ns), self.offset_ns.saturating_sub(self.low_ns));
        if above > below { above } else { below }
    }
}

/// Selects among `candidates`. Nothing when no majority of those that are near enough agrees. Takes n² steps for n
/// candidates.
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
    let overlap = if faults.has(Fault::Mean) { widest(&fit)? } else { intersect(&fit)? };
    let absent = if faults.has(Fault::AbsentAgree) { 0 } else { candidates.len() - fit.len() };
    let majority = (fit.len() + absent) / 2 + 1;
    // An absent server might say anything: it counts for each offset.
    let (low_ns, high_ns) = if faults.has(Fault::SmallestOverlap) {
        overlap
    } else {
        shared(&fit, majority.saturating_sub(absent).max(1))?
    };
    let (mut survivors, liars): (Vec<Candidate>, Vec<Candidate>) =
        fit.into_iter().partition(|it| (overlap.0..=overlap.1).contains(&it.offset_ns));
    let weight = |it: &Candidate| {
        i128::from(it.stratum) * i128::from(options.maximum_distance_ns) + i128::from(it.root_distance_ns)
    };
    if survivors.len() < if options.agreeing == 0 { majority } else { options.agreeing } {
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
        edges.push((claim.low_ns(), Edge::Lower));
        edges.push((claim.offset_ns, Edge::Middle));
        edges.push((claim.high_ns(), Edge::Upper));
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

/// The smallest interval that holds every point of at least `wanted` claims.
fn shared(claims: &[Candidate], wanted: usize) -> Option<(i64, i64)> {
    let ends = claims.iter().flat_map(|it| [(it.low_ns(), Edge::Lower), (it.high_ns(), Edge::Upper)]);
    let mut edges: Vec<(i64, Edge)> = ends.collect();
    edges.sort_unstable();
    let (low, _) = scan(edges.iter(), Edge::Lower, wanted)?;
    let (high, _) = scan(edges.iter().rev(), Edge::Upper, wanted)?;
    Some((low, high))
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
    let low = claims.iter().map(Candidate::low_ns).min()?;
    let high = claims.iter().map(Candidate::high_ns).max()?;
    Some((low, high))
}

/// Leaves out the one that differs most from the others, until few are left or they differ less than each one's own
/// samples (RFC 5905 §11.2.2).
fn cluster(survivors: &mut Vec<Candidate>, averaged: usize) {
    // Of each, the sum of its squared differences from all. Kept up to date, so that n² steps do.
    let mut sums: Vec<u128> = survivors.iter().map(|it| squares(survivors, it)).collect();
    while survivors.len() > averaged {
        let most = sums.iter().enumerate().max_by_key(|(_, sum)| **sum);
        let steadiest = survivors.iter().map(|it| it.jitter_ns).min();
        let (Some((at, sum)), Some(steadiest)) = (most, steadiest) else { return };
        if root_mean(*sum, survivors.len()) <= steadiest {
            return;
        }
        sums.remove(at);
        let gone = survivors.remove(at);
        for (sum, it) in sums.iter_mut().zip(survivors.iter()) {
            *sum -= square(it.offset_ns.saturating_sub(gone.offset_ns));
        }
    }
}

/// The root of the mean square of how far all others are from one.
fn spread(all: &[Candidate], from: &Candidate) -> i64 {
    root_mean(squares(all, from), all.len())
}

fn squares(all: &[Candidate], from: &Candidate) -> u128 {
    all.iter().map(|it| square(it.offset_ns.saturating_sub(from.offset_ns))).sum()
}

fn root_mean(squares: u128, all: usize) -> i64 {
    let others = u128::try_from(all.saturating_sub(1).max(1)).unwrap_or(1);
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

    /// Two claim 0 within 10 ms, and it is −8 ms; the third lies within their claims and swears to less.
    fn liar_within<F: Faults>(faults: &F) -> bool {
        let claims = [claim(0, 0, 10_000_000), claim(1, 0, 10_000_000), claim(2, 0, 3_000_000)];
        let chosen = select_with_faults(&claims, &SelectOptions::default(), faults).unwrap();
        (chosen.low_ns, chosen.high_ns, chosen.error_ns()) == (-10_000_000, 10_000_000, 10_000_000)
    }

    /// Two of five lie, two have not answered: all that is known is that one of three says true.
    fn absent_count<F: Faults>(faults: &F) -> bool {
        let known = [claim(0, 0, 10_000), claim(1, 0, 3000), claim(2, 0, 3000)];
        let claims: Vec<_> = known.into_iter().chain([Candidate::absent(3), claim(4, 0, i64::MAX)]).collect();
        let chosen = select_with_faults(&claims, &SelectOptions::default(), faults).unwrap();
        (chosen.low_ns, chosen.high_ns) == (-10_000, 10_000)
            && select_with_faults(&claims[1..], &SelectOptions::default(), faults).is_none()
    }

    #[test]
    fn clock_p29_the_bound_holds_whatever_most_servers_may_say() {
        assert!(liar_within(&Sound) && !liar_within(&Planted(Fault::SmallestOverlap)));
        assert!(absent_count(&Sound) && !absent_count(&Planted(Fault::AbsentAgree)));
    }

    #[test]
    fn a_thousand_wide_claims_do_not_overflow() {
        let ends = [i64::MIN, i64::MAX, 0];
        let claims: Vec<_> = (0..1000).map(|it| claim(it, ends[it % 3], i64::MAX)).collect();
        let options = SelectOptions { maximum_distance_ns: i64::MAX, ..SelectOptions::default() };
        assert!(select(&claims, &options).is_some_and(|it| it.low_ns <= it.offset_ns));
    }

    /// As the RFC has it, one after the other: n³ steps.
    fn cluster_slowly(survivors: &mut Vec<Candidate>, averaged: usize) {
        while survivors.len() > averaged {
            let sums: Vec<u128> = survivors.iter().map(|it| squares(survivors, it)).collect();
            let (at, sum) = sums.iter().enumerate().max_by_key(|(_, sum)| **sum).unwrap();
            if root_mean(*sum, survivors.len()) <= survivors.iter().map(|it| it.jitter_ns).min().unwrap() {
                return;
            }
            survivors.remove(at);
        }
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
        #[test]
        fn those_that_differ_most_are_left_out_in_fewer_steps(
            offsets in proptest::collection::vec((-1000_i64..1000, 0_i64..300), 0..40), averaged in 1_usize..6,
        ) {
            let mut quickly: Vec<_> = offsets.iter().enumerate()
                .map(|(i, (offset, jitter))| Candidate { jitter_ns: *jitter, ..claim(i, *offset, 1) }).collect();
            let mut slowly = quickly.clone();
            cluster(&mut quickly, averaged);
            cluster_slowly(&mut slowly, averaged);
            prop_assert_eq!(quickly, slowly);
        }

        /// Fewer than half lie, anywhere; some have not answered. The true offset is zero.
        #[test]
        fn clock_p29_the_true_offset_is_within_the_bound_wherever_liars_are(
            honest in proptest::collection::vec((-1000_i64..1000, 0_i64..3000), 0..8),
            liars in proptest::collection::vec((-2000_i64..2000, 1_i64..2000), 0..9),
            absent in 0_usize..4,
        ) {
            let liars = &liars[..liars.len().min((honest.len() + absent).saturating_sub(1))];
            let honest = honest.iter().map(|(offset, more)| (*offset, offset.abs() + more.saturating_sub(1).max(1)));
            let claims: Vec<_> = honest.chain(liars.iter().copied())
                .enumerate().map(|(server, (offset, distance))| claim(server, offset, distance))
                .chain((0..absent).map(|it| Candidate::absent(100 + it))).collect();
            if let Some(chosen) = select(&claims, &SelectOptions::default()) {
                prop_assert!(chosen.low_ns <= 0 && 0 <= chosen.high_ns, "{:?} of {:?}", chosen, claims);
                prop_assert!(chosen.low_ns <= chosen.offset_ns && chosen.offset_ns <= chosen.high_ns);
                prop_assert!(chosen.offset_ns.abs() <= chosen.error_ns());
            }
        }

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
