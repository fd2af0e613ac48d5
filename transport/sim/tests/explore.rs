//! The explorer on models whose counts, shortest paths and fair cycles are known by hand, or by a slow twin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

#[path = "explore/graph.rs"]
mod graph;

use proptest::prelude::*;
use synod_sim::explore::{End, ExploreError, Explorer, Model, Path, Verdict};
use synod_transport::trace::{Line, Value, read};

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

/// Two processes and a critical section. With `turns` it is Peterson's; without, both may wait for each other.
struct Mutex {
    turns: bool,
    /// The flag is raised after looking at the other's.
    careless: bool,
}

/// By process: 0 idle, 1 wants in, 2 inside; then whose turn it is to wait.
type Places = ([u8; 2], usize);

impl Model for Mutex {
    type State = Places;
    type Action = (&'static str, usize);

    fn initial(&self) -> Vec<Places> {
        vec![([0, 0], 0)]
    }

    fn steps(&self, (places, waits): &Places, out: &mut Vec<((&'static str, usize), Places)>) {
        for process in 0..2 {
            let mut go = |name, place, waits| {
                let mut after = *places;
                after[process] = place;
                out.push(((name, process), (after, waits)));
            };
            let other = places[1 - process];
            match places[process] {
                0 if self.careless => {
                    if other != 2 {
                        go("look", 1, *waits);
                    }
                }
                0 => go("want", 1, if self.turns { process } else { 0 }),
                1 if self.careless || other == 0 || (self.turns && *waits != process) => {
                    go("enter", 2, *waits);
                }
                1 => {}
                _ => go("leave", 0, *waits),
            }
        }
    }
}

fn mutex(model: &Mutex) -> Explorer<'_, Mutex> {
    Explorer::new(model)
        .keep_going()
        .always(
            "exclusion",
            |(places, _)| {
                if *places == [2, 2] { Err("both are inside".to_owned()) } else { Ok(()) }
            },
        )
        .leads_to("served", |(places, _)| places[0] == 1, |(places, _)| places[0] == 2)
        .reachable("inside", |(places, _)| places[1] == 2)
}

#[test]
fn petersons_mutex_holds_where_everyone_goes_on() {
    let model = Mutex { turns: true, careless: false };
    let fair = mutex(&model)
        .weakly_fair(|(name, process)| *name != "want" && *process == 0)
        .weakly_fair(|(name, process)| *name != "want" && *process == 1);
    let report = fair.run().unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.finding("inside").unwrap().path.as_ref().unwrap().steps.len(), 2);
    // Without fairness the first may stop where it stands.
    let report = mutex(&model).run().unwrap();
    let served = report.finding("served").unwrap();
    assert_eq!(served.verdict, Verdict::Broken("it may stay so for ever".to_owned()));
    let path = served.path.as_ref().unwrap();
    assert_eq!((path.steps.len(), path.cycle_from), (1, Some(1)));
}

#[test]
fn a_mutex_without_turns_starves_and_a_careless_one_lets_both_in() {
    let model = Mutex { turns: false, careless: false };
    let report = mutex(&model).weakly_fair(|_| true).run().unwrap();
    let served = report.finding("served").unwrap();
    assert!(matches!(served.verdict, Verdict::Broken(_)), "both wait for each other");
    let careless = Mutex { turns: false, careless: true };
    let report = mutex(&careless).run().unwrap();
    let path = report.finding("exclusion").unwrap().path.as_ref().unwrap();
    let names: Vec<_> = path.steps.iter().map(|((name, _), _)| *name).collect();
    assert_eq!(names, ["look", "look", "enter", "enter"]);
}

/// Philosophers at a round table: 0 thinks, 1 has the left fork, 2 eats.
struct Philosophers {
    seats: usize,
    /// The last one takes the right fork first.
    one_is_left_handed: bool,
}

impl Philosophers {
    fn free(state: &[u8], fork: usize, left_handed: bool) -> bool {
        let seats = state.len();
        // Fork f lies left of seat f and right of the seat before.
        let before = (fork + seats - 1) % seats;
        let handed = |seat: usize| left_handed && seat == seats - 1;
        let by_left = state[fork] == 2 || (state[fork] == 1 && !handed(fork));
        let by_right = state[before] == 2 || (state[before] == 1 && handed(before));
        !by_left && !by_right
    }
}

impl Model for Philosophers {
    type State = Vec<u8>;
    type Action = usize;

    fn initial(&self) -> Vec<Vec<u8>> {
        vec![vec![0; self.seats]]
    }

    fn steps(&self, state: &Vec<u8>, out: &mut Vec<(usize, Vec<u8>)>) {
        for seat in 0..self.seats {
            let handed = self.one_is_left_handed && seat == self.seats - 1;
            let (left, right) = (seat, (seat + 1) % self.seats);
            let (first, second) = if handed { (right, left) } else { (left, right) };
            let place = match state[seat] {
                0 if Self::free(state, first, self.one_is_left_handed) => 1,
                1 if Self::free(state, second, self.one_is_left_handed) => 2,
                2 => 0,
                _ => continue,
            };
            let mut after = state.clone();
            after[seat] = place;
            out.push((seat, after));
        }
    }
}

#[test]
fn philosophers_starve_together_unless_one_is_left_handed() {
    let table = Philosophers { seats: 5, one_is_left_handed: false };
    let eats = |state: &Vec<u8>| state.contains(&2);
    let explore =
        |table| Explorer::new(table).weakly_fair(|_| true).always_eventually("somebody eats", eats).run();
    let report = explore(&table).unwrap();
    assert_eq!(report.terminal, 1);
    let path = report.broken().unwrap().path.as_ref().unwrap();
    assert_eq!((path.last(), path.steps.len(), path.cycle_from), (&vec![1; 5], 5, Some(5)));
    // Words over {0, 1, 2} round a circle in which a 2 is followed by a 0: the trace of [[1,1,1],[1,1,1],[1,0,0]]^5.
    assert_eq!(report.states, 82);
    let table = Philosophers { seats: 5, one_is_left_handed: true };
    let report = explore(&table).unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.terminal, 0);
}

/// A token goes round; its holder may work as long as it likes. Weak fairness of handing on is void while it works.
struct Ring(u8);

impl Model for Ring {
    type State = (u8, bool);
    type Action = &'static str;

    fn initial(&self) -> Vec<(u8, bool)> {
        vec![(0, false)]
    }

    fn steps(&self, &(holder, works): &(u8, bool), out: &mut Vec<(&'static str, (u8, bool))>) {
        if works {
            out.push(("rest", (holder, false)));
        } else {
            out.push(("work", (holder, true)));
            out.push(("hand on", ((holder + 1) % self.0, false)));
        }
    }
}

#[test]
fn a_token_comes_round_only_if_handing_on_is_strongly_fair() {
    let ring = Ring(4);
    let explorer = || Explorer::new(&ring).always_eventually("the last has it", |(holder, _)| *holder == 3);
    let weak =
        explorer().weakly_fair(|name| *name == "hand on").weakly_fair(|name| *name == "rest").run().unwrap();
    let path = weak.broken().unwrap().path.as_ref().unwrap();
    let names: Vec<_> = path.steps.iter().map(|(name, _)| *name).collect();
    assert_eq!((names, path.cycle_from), (vec!["work", "rest"], Some(0)));
    let strong = explorer()
        .strongly_fair(|name| *name == "hand on")
        .weakly_fair(|name| *name == "rest")
        .run()
        .unwrap();
    assert!(strong.holds(), "{strong}");
    assert_eq!((strong.states, strong.edges), (8, 12));
    // Strongly fair handing on does not help if resting is not fair: the holder works for ever.
    let stuck = explorer().strongly_fair(|name| *name == "hand on").run().unwrap();
    let path = stuck.broken().unwrap().path.as_ref().unwrap();
    assert_eq!((path.steps.len(), path.cycle_from), (1, Some(1)));
}

#[test]
fn limits_are_kept_and_told() {
    let grid = Grid { counters: 2, top: 200 };
    let low = |state: &Vec<u8>| if state[0] < 50 { Ok(()) } else { Err("high".to_owned()) };
    let explorer =
        || Explorer::new(&grid).always("low", low).reachable("corner", |state| state[..] == [200, 200]);
    let report = explorer().max_depth(49).run().unwrap();
    assert_eq!((report.end, report.states, report.depth), (End::MaxDepth, 50 * 51 / 2, 49));
    assert!(report.findings.iter().all(|finding| finding.verdict == Verdict::Open));
    // The last level is looked at, though it is not followed.
    let report = explorer().max_depth(50).run().unwrap();
    assert_eq!((report.end, report.broken().unwrap().property.as_str()), (End::Violation, "low"));
    let report = Explorer::new(&grid).max_states(1000).always_eventually("never", |_| false).run().unwrap();
    assert_eq!((report.end, report.states), (End::MaxStates, 1000));
    assert_eq!(report.findings[0].verdict, Verdict::Open);
    let exact = Explorer::new(&grid).max_states(201 * 201).run().unwrap();
    assert_eq!((exact.end, exact.states), (End::Complete, 201 * 201));
}

/// From 0 to each of many, and from each of those, three hundred by three hundred, to one.
struct Fan(u32);

impl Model for Fan {
    type State = u32;
    type Action = ();

    fn initial(&self) -> Vec<u32> {
        vec![0]
    }

    fn steps(&self, state: &u32, out: &mut Vec<((), u32)>) {
        match *state {
            0 => out.extend((1..=self.0).map(|next| ((), next))),
            middle if middle <= self.0 => out.push(((), self.0 + 1 + middle / 300)),
            _ => {}
        }
    }
}

#[test]
fn wide_levels_are_visited_whole_and_alike_by_any_number_of_threads() {
    let fan = Fan(30_000);
    let not = |bad: u32| move |state: &u32| if *state == bad { Err("met".to_owned()) } else { Ok(()) };
    for threads in [1, 2, 3] {
        let explorer = || Explorer::new(&fan).threads(threads);
        let report = explorer().run().unwrap();
        assert_eq!((report.states, report.edges, report.depth, report.terminal), (30_102, 60_000, 2, 101));
        // Where it stops does not depend on who was first.
        let report = explorer().always("not met", not(20_000)).run().unwrap();
        assert_eq!((report.states, report.end), (30_001 + 82, End::Violation));
        assert_eq!(report.edges, 30_000 + 3 * 8192);
        // Met by no step that was followed, and found all the same.
        let report = explorer().max_states(25_000).always("not met", not(24_999)).run().unwrap();
        assert_eq!((report.states, report.end), (25_000, End::Violation));
        let report = explorer().max_states(25_000).always("not met", not(25_000)).run().unwrap();
        assert_eq!((report.states, report.end), (25_000, End::MaxStates));
        // Of the many ways to each of the last the one by the first of them counts.
        let report = (1..100u32)
            .fold(explorer(), |explorer, last| {
                explorer.reachable(last.to_string(), move |state| *state == 30_001 + last)
            })
            .run()
            .unwrap();
        for (last, finding) in (1..100).zip(&report.findings) {
            let way: Vec<u32> = finding.path.as_ref().unwrap().states().copied().collect();
            assert_eq!(way, [0, 300 * last, 30_001 + last]);
        }
    }
}

#[test]
fn a_step_that_fails_is_found_with_its_way() {
    let grid = Grid { counters: 2, top: 5 };
    let check = |before: &Vec<u8>, counter: &usize, after: &Vec<u8>| {
        if *counter == 1 && before[0] == 3 && after[1] == 2 {
            Err("second to two at three".to_owned())
        } else {
            Ok(())
        }
    };
    for threads in [1, 2] {
        let report = Explorer::new(&grid).threads(threads).step("jump", check).run().unwrap();
        let path = report.broken().unwrap().path.as_ref().unwrap();
        assert_eq!((path.steps.len(), path.last()), (5, &vec![3, 2]));
    }
    // Sorted, no state before has the larger count first; after renaming the way must be real all the same.
    let check = |before: &Vec<u8>, _: &usize, after: &Vec<u8>| {
        if before.contains(&4) && after[..] == [5, 5] { Err("both at the top".to_owned()) } else { Ok(()) }
    };
    let report = Explorer::new(&grid).symmetric().step("top", check).run().unwrap();
    let path = report.broken().unwrap().path.as_ref().unwrap();
    assert_eq!((path.steps.len(), path.last()), (10, &vec![5, 5]));
}

/// Two counters of which the lower jumps over the higher.
struct Leapfrog;

impl Model for Leapfrog {
    type State = [u8; 2];
    type Action = ();

    fn initial(&self) -> Vec<[u8; 2]> {
        vec![[0, 1]]
    }

    fn steps(&self, &[one, other]: &[u8; 2], out: &mut Vec<((), [u8; 2])>) {
        out.push(((), if one < other { [other + 1, other] } else { [one, one + 1] }));
    }

    fn representative(&self, mut state: [u8; 2]) -> [u8; 2] {
        state.sort_unstable();
        state
    }
}

#[test]
fn under_symmetry_a_path_is_one_that_can_be_gone() {
    let low = |state: &[u8; 2]| if state.contains(&5) { Err("five".to_owned()) } else { Ok(()) };
    let report = Explorer::new(&Leapfrog).symmetric().always("low", low).run().unwrap();
    let path = report.broken().unwrap().path.as_ref().unwrap();
    assert!(path.states().eq(&[[0, 1], [2, 1], [2, 3], [4, 3], [4, 5]]));
}

#[test]
fn visitors_see_every_state_and_every_step_once() {
    use std::sync::Mutex;
    let grid = Grid { counters: 3, top: 9 };
    let (states, edges, last) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()), Mutex::new(None));
    let report = Explorer::new(&grid)
        .threads(2)
        .on_state(|state| states.lock().unwrap().push(state.clone()))
        .on_edge(|before, counter, after| {
            edges.lock().unwrap().push((before.clone(), *counter, after.clone()));
        })
        .on_progress(|progress| *last.lock().unwrap() = Some(*progress))
        .run()
        .unwrap();
    let distinct = |length: usize, unique: usize| assert_eq!(length, unique);
    let (states, edges) = (states.into_inner().unwrap(), edges.into_inner().unwrap());
    distinct(states.len(), states.iter().collect::<std::collections::HashSet<_>>().len());
    distinct(edges.len(), edges.iter().collect::<std::collections::HashSet<_>>().len());
    assert_eq!((states.len() as u64, edges.len() as u64), (report.states, report.edges));
    let last = last.into_inner().unwrap().unwrap();
    assert_eq!((last.states, last.edges, last.queue), (1000, 2700, 0));
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let grid = Grid { counters: 2, top: 1 };
    let symmetric = Explorer::new(&grid).symmetric().always_eventually("end", |_| true).run();
    assert_eq!(symmetric.unwrap_err(), ExploreError::SymmetricLiveness);
    let many = (0..33).fold(Explorer::new(&grid), |explorer, _| explorer.weakly_fair(|_| true)).run();
    assert_eq!(many.unwrap_err(), ExploreError::TooMany);
}

/// A model whose steps are other ones each time it is asked.
struct Fickle(std::sync::atomic::AtomicU8);

impl Model for Fickle {
    type State = u8;
    type Action = ();

    fn initial(&self) -> Vec<u8> {
        vec![0]
    }

    fn steps(&self, _: &u8, out: &mut Vec<((), u8)>) {
        out.push(((), self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    }
}

#[test]
fn a_model_that_is_not_pure_is_told_so() {
    let fickle = Fickle(1.into());
    let small = |state: &u8| if *state < 5 { Ok(()) } else { Err("five".to_owned()) };
    assert_eq!(Explorer::new(&fickle).always("small", small).run().unwrap_err(), ExploreError::NotPure);
}

#[test]
fn a_path_reads_well_and_survives_a_file() {
    let ring = Ring(3);
    let report = Explorer::new(&ring)
        .weakly_fair(|name| *name == "rest")
        .always_eventually("last", |it| it.0 == 2)
        .run();
    let report = report.unwrap();
    let path = report.broken().unwrap().path.as_ref().unwrap();
    assert_eq!(path.to_string(), "   0  initially (0, false)\n      -- and so it stays for ever\n");
    let path = Path {
        initial: (0, false),
        steps: vec![("work", (0, true)), ("rest", (0, false))],
        cycle_from: Some(0),
    };
    let text = "   0  initially (0, false)\n      -- from here on again and again:\n   1  \"work\"\n        1: false → true\n   \
                2  \"rest\"\n        1: true → false\n      -- back to what it was after 0\n";
    assert_eq!(path.to_string(), text);
    let file = path.write_ndjson(Vec::new()).unwrap();
    let lines: Vec<Line> = read(file.as_slice()).collect::<Result<_, _>>().unwrap();
    let brief: Vec<_> = lines.iter().map(|it| (it.at, it.node, it.event.as_str())).collect();
    assert_eq!(brief, [(0, 0, "initially"), (1, 0, "\"work\""), (2, 0, "\"rest\""), (2, 0, "again")]);
    assert_eq!(lines[1].get("changed"), Some(&Value::List(vec![Value::Text("1: false → true".into())])));
    assert_eq!(lines[1].state, Some(Value::Text("(0, true)".into())));
    assert_eq!(lines[3].get("from"), Some(&Value::Number(0)));
}

#[test]
fn two_strong_sets_put_off_in_different_places_leave_only_where_neither_is_possible() {
    // Round 0, 1, 2, 3 by label 0; ways out by label 1 from 0 and 3, by label 2 from 1 and 3.
    let round = [(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 0)];
    let out = [(0, 1, 4), (1, 2, 4), (3, 1, 4), (3, 2, 4)];
    let mut graph = graph::Graph {
        initial: [0].into(),
        edges: [round, out].concat(),
        from: [0].into(),
        to: [4].into(),
        fair: vec![([1].into(), true), ([2].into(), true)],
    };
    let cycle_from = |graph: &graph::Graph| {
        let report = graph.explorer().run().unwrap();
        report.broken().and_then(|finding| finding.path.as_ref()?.cycle_from)
    };
    assert_eq!((cycle_from(&graph), graph.can_break()), (Some(2), Some(2)));
    graph.fair.push(([0].into(), false));
    assert_eq!((cycle_from(&graph), graph.can_break()), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_steps_and_lengths_are_those_of_a_slow_twin(graph in graph::graph()) {
        let distances = graph.distances();
        let report = Explorer::new(&graph).run().unwrap();
        prop_assert_eq!(report.states, distances.len() as u64);
        let steps = graph.edges.iter().filter(|(before, ..)| distances.contains_key(before)).count();
        prop_assert_eq!(report.edges, steps as u64);
        prop_assert_eq!(report.depth as usize, *distances.values().max().unwrap());
        let idle = |state: &&u8| graph.edges.iter().all(|(before, ..)| before != *state);
        prop_assert_eq!(report.terminal, distances.keys().filter(idle).count() as u64);
        for goal in 0..7u8 {
            let report = Explorer::new(&graph).reachable("goal", |state| *state == goal).run().unwrap();
            let length = report.findings[0].path.as_ref().map(|path| path.steps.len());
            prop_assert_eq!(length, distances.get(&goal).copied());
        }
    }

    #[test]
    fn liveness_is_broken_where_some_set_of_states_can_be_met_for_ever(graph in graph::graph()) {
        let report = graph.explorer().run().unwrap();
        let finding = &report.findings[0];
        let cycle_from = finding.path.as_ref().and_then(|path| path.cycle_from);
        prop_assert_eq!(cycle_from, graph.can_break(), "{}", report);
        prop_assert_eq!(finding.verdict == Verdict::Holds, finding.path.is_none());
        if let Some(path) = &finding.path {
            prop_assert_eq!(graph.confirms(path), Ok(()));
        }
        let again = graph.explorer().threads(2).run().unwrap();
        prop_assert_eq!(&again.findings[0].path, &finding.path);
    }
}
