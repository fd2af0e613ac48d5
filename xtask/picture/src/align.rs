//! Laying clocks of several processes beside each other.
//!
//! Each file has a clock of its own, and a wall-clock reading of its origin. A message that came cannot have come before it
//! was sent: that bounds how far two clocks are apart, from both sides once messages went both ways. The wall clocks'
//! word is taken where the messages allow it; how far they allow it to be wrong is the uncertainty. A node reads its clock
//! once for all it does in a round, so messages may contradict each other by as much as a round takes: that is added.

/// A message from one clock to another: when it left by the one, when it came by the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Crossing {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) sent: i128,
    pub(crate) came: i128,
}

/// What to add to a clock's reading, and how far off the sum may be, either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Aligned {
    pub(crate) offset: i128,
    pub(crate) uncertainty: u64,
}

/// Aligns clocks whose origins stand at these wall-clock readings; the first one that messages speak of is the measure,
/// and one that they do not speak of goes by its wall. In time of the cube of the number of clocks.
pub(crate) fn align(walls: &[i128], crossings: &[Crossing]) -> Vec<Aligned> {
    let count = walls.len();
    // Through messages, clock `a` may be ahead of what `b` allows by at most bound[a][b].
    let mut bound = vec![vec![None::<i128>; count]; count];
    for crossing in crossings {
        let slack = crossing.came - crossing.sent;
        if let Some(place) = bound.get_mut(crossing.from).and_then(|row| row.get_mut(crossing.to)) {
            *place = Some(place.map_or(slack, |least| least.min(slack)));
        }
    }
    let round = contradiction(&bound);
    for place in bound.iter_mut().flatten().flatten() {
        *place += round;
    }
    let bound = shortest(bound);
    let wall = |clock: usize| walls.get(clock).copied().unwrap_or(0);
    let measure = crossings.iter().map(|it| it.from.min(it.to)).min().unwrap_or(0);
    let between = |a: usize, b: usize| bound.get(a).and_then(|row| row.get(b)).copied().flatten();
    let aligned = |clock: usize| {
        let said = wall(clock);
        if clock == measure {
            return Aligned { offset: said, uncertainty: nanos(round) };
        }
        // offset + came >= first + sent, and the other way.
        let most = between(clock, measure).map(|slack| wall(measure) + slack);
        let least = between(measure, clock).map(|slack| wall(measure) - slack);
        let offset = match (least, most) {
            (Some(least), Some(most)) if least <= most => said.clamp(least, most),
            (Some(least), _) => said.max(least),
            (None, Some(most)) => said.min(most),
            (None, None) => said,
        };
        let off = |edge: Option<i128>| edge.map(|edge| (edge - offset).abs());
        let worst = off(least).into_iter().chain(off(most)).max().unwrap_or(0);
        Aligned { offset, uncertainty: nanos(worst) }
    };
    (0..count).map(aligned).collect()
}

fn nanos(it: i128) -> u64 {
    u64::try_from(it.max(0)).unwrap_or(u64::MAX)
}

/// By how much each bound must be loosened until none contradicts another.
fn contradiction(bound: &[Vec<Option<i128>>]) -> i128 {
    let holds = |round: i128| {
        let mut loose = bound.to_vec();
        loose.iter_mut().flatten().flatten().for_each(|place| *place += round);
        shortest(loose)
            .iter()
            .enumerate()
            .all(|(at, row)| row.get(at).copied().flatten().is_none_or(|own| own >= 0))
    };
    if holds(0) {
        return 0;
    }
    let (mut less, mut enough) = (0, 1i128);
    while !holds(enough) {
        (less, enough) = (enough, enough.saturating_mul(2));
        if enough > i128::from(u64::MAX) {
            return enough;
        }
    }
    while less + 1 < enough {
        let middle = less + (enough - less) / 2;
        if holds(middle) { enough = middle } else { less = middle }
    }
    enough
}

/// Bounds through any number of clocks (Floyd and Warshall).
fn shortest(mut bound: Vec<Vec<Option<i128>>>) -> Vec<Vec<Option<i128>>> {
    let count = bound.len();
    let get = |bound: &[Vec<Option<i128>>], a: usize, b: usize| {
        bound.get(a).and_then(|row| row.get(b)).copied().flatten()
    };
    for via in 0..count {
        for a in 0..count {
            for b in 0..count {
                let (Some(first), Some(second)) = (get(&bound, a, via), get(&bound, via, b)) else {
                    continue;
                };
                if let Some(place) = bound.get_mut(a).and_then(|row| row.get_mut(b)) {
                    let around = first + second;
                    *place = Some(place.map_or(around, |direct| direct.min(around)));
                }
            }
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(from: usize, to: usize, sent: i128, came: i128) -> Crossing {
        Crossing { from, to, sent, came }
    }

    #[test]
    fn the_wall_is_believed_where_messages_allow_it() {
        // Both clocks begin at 0; the second's origin is said to be 100 later. A message of 10, an answer of 20.
        let told = [crossing(0, 1, 500, 410), crossing(1, 0, 450, 570)];
        let aligned = align(&[0, 100], &told);
        assert_eq!(aligned[0], Aligned { offset: 0, uncertainty: 0 });
        // 90 to 120 are possible.
        assert_eq!(aligned[1], Aligned { offset: 100, uncertainty: 20 });
    }

    #[test]
    fn a_wall_that_messages_contradict_is_moved_to_the_nearest_place() {
        let told = [crossing(0, 1, 500, 410), crossing(1, 0, 450, 570)];
        assert_eq!(align(&[0, 5], &told)[1], Aligned { offset: 90, uncertainty: 30 });
        assert_eq!(align(&[0, 900], &told)[1], Aligned { offset: 120, uncertainty: 30 });
    }

    #[test]
    fn rounds_that_contradict_each_other_widen_everything() {
        // It came 7 before it was sent, by both clocks in turn.
        let told = [crossing(0, 1, 100, 93), crossing(1, 0, 100, 93)];
        let aligned = align(&[0, 0], &told);
        assert_eq!(aligned[1], Aligned { offset: 0, uncertainty: 0 });
        assert_eq!(aligned[0].uncertainty, 7);
    }

    #[test]
    fn a_clock_that_nobody_heard_of_goes_by_its_wall() {
        assert_eq!(align(&[3, 8], &[]), [3, 8].map(|offset| Aligned { offset, uncertainty: 0 }));
        assert!(align(&[], &[]).is_empty());
        // The first is spoken of by nobody, and is no measure for the others.
        let told = [crossing(1, 2, 500, 410), crossing(2, 1, 450, 570)];
        assert_eq!(align(&[7, 0, 5], &told)[2], Aligned { offset: 90, uncertainty: 30 });
        assert_eq!(align(&[7, 0, 5], &told)[0], Aligned { offset: 7, uncertainty: 0 });
    }

    #[test]
    fn bounds_go_through_others() {
        // 0 and 2 speak by way of 1 only.
        let told = [crossing(0, 1, 0, 10), crossing(1, 0, 0, 10), crossing(1, 2, 0, 5), crossing(2, 1, 0, 5)];
        assert_eq!(align(&[0, 0, 40], &told)[2], Aligned { offset: 15, uncertainty: 30 });
    }
}
