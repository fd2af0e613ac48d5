//! The explorer on models whose counts, shortest paths and fair cycles are known by hand, or by a slow twin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use synod_sim::explore::{End, Explorer, Model, Verdict};

/// Counters that each go from 0 to `top`: a grid.
struct Grid {
    counters: usize,
    top: u8,
}

impl Model for Grid {
    type State = Vec<u8>;
    type Action = usize;

    fn initial(&self) -> Vec<Vec<u8>> {
        vec![vec![0; self.counters]]
    }

    fn steps(&self, state: &Vec<u8>, out: &mut Vec<(usize, Vec<u8>)>) {
        for counter in 0..self.counters {
            if state[counter] < self.top {
                let mut after = state.clone();
                after[counter] += 1;
                out.push((counter, after));
            }
        }
    }

    fn representative(&self, mut state: Vec<u8>) -> Vec<u8> {
        state.sort_unstable();
        state
    }
}

#[test]
fn a_grid_is_counted() {
    let grid = Grid { counters: 3, top: 9 };
    let report = Explorer::new(&grid).run().unwrap();
    // Ten to the third; each counter has nine steps in each of a hundred positions of the others.
    assert_eq!((report.states, report.edges, report.depth, report.terminal), (1000, 2700, 27, 1));
    assert_eq!(report.end, End::Complete);
    assert!(report.holds());
}

#[test]
fn under_symmetry_multisets_are_counted() {
    let grid = Grid { counters: 3, top: 9 };
    let report = Explorer::new(&grid).symmetric().run().unwrap();
    // Ten kinds, three taken, order not minded: 12 over 3.
    assert_eq!((report.states, report.depth, report.terminal), (220, 27, 1));
}

#[test]
fn a_shortest_counterexample_is_shortest_on_any_number_of_threads() {
    let grid = Grid { counters: 4, top: 20 };
    let check = |state: &Vec<u8>| {
        if state.iter().map(|it| u32::from(*it)).sum::<u32>() == 30 {
            Err("thirty".to_owned())
        } else {
            Ok(())
        }
    };
    let explore = |threads| Explorer::new(&grid).threads(threads).always("not thirty", check).run().unwrap();
    let (one, two) = (explore(1), explore(2));
    assert_eq!(one.end, End::Violation);
    let broken = one.broken().unwrap();
    assert_eq!(broken.verdict, Verdict::Broken("thirty".to_owned()));
    assert_eq!(broken.path.as_ref().unwrap().steps.len(), 30);
    assert_eq!(broken.path, two.broken().unwrap().path);
    assert_eq!((one.states, one.edges, one.depth), (two.states, two.edges, two.depth));
}
