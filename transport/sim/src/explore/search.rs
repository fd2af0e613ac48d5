//! Breadth first, level by level.
//!
//! A level is followed in blocks. Threads step the states of a block against the set of those visited before it, then
//! one thread adds what is new, in the order of parents and actions. So numbers, paths and verdicts do not depend on
//! the number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::explorer::{Check, Explorer, Property};
use super::fair::{self, Graph};
use super::fingerprint::{Fingerprinter, NONE, Visited};
use super::model::Model;
use super::path::{Path, Stop, retrace};
use super::report::{End, ExploreError, Finding, Kind, Progress, Report, Verdict};

/// States followed before what they lead to is added.
const BLOCK: usize = 8192;
/// States that a thread takes at a time.
const PIECE: usize = 128;

/// Explores.
pub(super) fn run<M: Model>(explorer: &Explorer<'_, M>) -> Result<Report<M::State, M::Action>, ExploreError> {
    let live = explorer.properties.iter().any(|it| matches!(it.check, Check::LeadsTo { .. }));
    let mut search = Search {
        explorer,
        began: Instant::now(),
        visited: Visited::new(),
        graph: live.then(Graph::default),
        levels: Vec::new(),
        edges: 0,
        terminal: 0,
        full: false,
        hits: explorer.properties.iter().map(|_| None).collect(),
    };
    let end = search.visit_all();
    search.report(end)
}

/// Where a property was decided.
struct Hit {
    property: usize,
    /// The state, or the state from which the step was taken.
    state: u32,
    /// The step is the one by this number from there.
    step: Option<usize>,
    why: String,
}

/// What came of some consecutive states of a level.
struct Batch<S> {
    edges: u64,
    terminal: u64,
    /// Not visited before this block: fingerprint, parent, state. May hold one more than once.
    fresh: Vec<(u64, u32, S)>,
    hits: Vec<Hit>,
    /// For liveness: by state, how many steps lead elsewhere; by step, where and of which fair sets.
    degrees: Vec<u32>,
    links: Vec<(u64, u32)>,
    /// For liveness: by state, two bits for each property.
    marks: Vec<u32>,
}

/// The fingerprints that a thread has lately found fresh. Pieces are taken in order, so the first to find a state has the
/// parent that counts; to drop the rest at once saves memory and the thread that merges.
#[derive(Default)]
struct Recent(Vec<u64>);

impl Recent {
    fn new() -> Self {
        Self(vec![0; 1 << 15])
    }

    /// May say so of one that is not. Zero marks an empty place, and is always new.
    fn is_new(&mut self, fingerprint: u64) -> bool {
        let places = self.0.len() as u64;
        let place = fingerprint.checked_rem(places).and_then(|place| usize::try_from(place).ok());
        let Some(known) = place.and_then(|place| self.0.get_mut(place)) else { return true };
        core::mem::replace(known, fingerprint) != fingerprint || fingerprint == 0
    }
}

struct Search<'e, 'm, M: Model> {
    explorer: &'e Explorer<'m, M>,
    began: Instant,
    visited: Visited,
    graph: Option<Graph>,
    /// The first number of each level.
    levels: Vec<u32>,
    edges: u64,
    terminal: u64,
    /// A state was not added, for there are too many.
    full: bool,
    hits: Vec<Option<Hit>>,
}

impl<M: Model> Search<'_, '_, M> {
    fn visit_all(&mut self) -> End {
        let mut level = Vec::new();
        for state in self.explorer.model.initial() {
            let state = self.explorer.stand_in(state);
            self.add(Fingerprinter::of(&state), NONE, state, &mut level);
        }
        let mut first = 0;
        loop {
            if level.is_empty() {
                return if self.full { End::MaxStates } else { End::Complete };
            }
            self.levels.push(first);
            if self.depth() >= self.explorer.max_depth {
                self.look_at_all(first, &level);
                return if self.violated() { End::Violation } else { End::MaxDepth };
            }
            let mut next = Vec::new();
            for (number, block) in level.chunks(BLOCK).enumerate() {
                let begin = number * BLOCK;
                self.follow(id_after(first, begin), block, &mut next);
                let done = begin + block.len();
                self.show(level.len() - done + next.len());
                if self.violated() {
                    return End::Violation;
                }
                if self.full {
                    self.look_at_all(id_after(first, done), level.get(done..).unwrap_or_default());
                    self.look_at_all(id_after(first, level.len()), &next);
                    return if self.violated() { End::Violation } else { End::MaxStates };
                }
            }
            first = id_after(first, level.len());
            level = next;
        }
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.levels.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Whether to stop: a witness is no reason.
    fn violated(&self) -> bool {
        let mut decided = self.hits.iter().zip(&self.explorer.properties).filter(|(hit, _)| hit.is_some());
        !self.explorer.keep_going && decided.any(|(_, it)| !matches!(it.check, Check::Reachable(_)))
    }

    fn show(&self, queue: usize) {
        if let Some(show) = &self.explorer.on_progress {
            show(&Progress {
                states: self.visited.len() as u64,
                edges: self.edges,
                depth: self.depth(),
                queue: queue as u64,
                seconds: self.began.elapsed().as_secs_f64(),
            });
        }
    }

    /// Follows consecutive states, the first of which has this number, and adds what is new to the next level.
    fn follow(&mut self, first: u32, block: &[M::State], next: &mut Vec<M::State>) {
        let pieces = block.chunks(PIECE).enumerate();
        let pieces = pieces.map(|(number, piece)| (id_after(first, number * PIECE), piece));
        let threads = self.explorer.threads.min(block.len().div_ceil(PIECE));
        if threads < 2 {
            // At once, for what has just been made is still in the cache; the outcome is the same.
            for (first, piece) in pieces {
                let batch = self.follow_piece(first, piece, &mut Recent::default());
                self.merge(batch, next);
            }
        } else {
            for batch in self.follow_together(threads, &pieces.collect::<Vec<_>>()) {
                self.merge(batch, next);
            }
        }
    }

    /// Follows states on several threads. The batches are in the order of the pieces.
    fn follow_together(&self, threads: usize, pieces: &[(u32, &[M::State])]) -> Vec<Batch<M::State>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            let mut recent = Recent::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((first, piece)) = pieces.get(number) else { return done };
                done.push((number, self.follow_piece(*first, piece, &mut recent)));
            }
        };
        let mut batches = std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut batches = work();
            for helper in helpers {
                match helper.join() {
                    Ok(more) => batches.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            batches
        });
        batches.sort_unstable_by_key(|(number, _)| *number);
        batches.into_iter().map(|(_, batch)| batch).collect()
    }

    fn follow_piece(&self, first: u32, piece: &[M::State], recent: &mut Recent) -> Batch<M::State> {
        let mut batch = Batch {
            edges: 0,
            terminal: 0,
            fresh: Vec::new(),
            hits: Vec::new(),
            degrees: Vec::new(),
            links: Vec::new(),
            marks: Vec::new(),
        };
        let mut steps = Vec::new();
        for (id, state) in (first..).zip(piece) {
            self.look(id, state, &mut batch.hits);
            self.explorer.model.steps(state, &mut steps);
            batch.edges += steps.len() as u64;
            batch.terminal += u64::from(steps.is_empty());
            let before = batch.links.len();
            for (number, (action, after)) in steps.drain(..).enumerate() {
                self.look_at_step(id, number, (state, &action, &after), &mut batch.hits);
                let after = self.explorer.stand_in(after);
                let fingerprint = Fingerprinter::of(&after);
                if self.graph.is_some() && self.visited.fingerprint(id) != Some(fingerprint) {
                    batch.links.push((fingerprint, self.explorer.fair_sets(&action)));
                }
                if self.visited.find(fingerprint).is_none() && recent.is_new(fingerprint) {
                    batch.fresh.push((fingerprint, id, after));
                }
            }
            if self.graph.is_some() {
                batch.degrees.push(u32::try_from(batch.links.len() - before).unwrap_or(u32::MAX));
                batch.marks.push(self.marks(state));
            }
        }
        batch
    }

    /// Checks a state.
    fn look(&self, id: u32, state: &M::State, hits: &mut Vec<Hit>) {
        if let Some(visit) = &self.explorer.on_state {
            visit(state);
        }
        for (property, Property { check, .. }) in self.explorer.properties.iter().enumerate() {
            if self.hits.get(property).is_some_and(Option::is_some) {
                continue;
            }
            let why = match check {
                Check::Always(check) => check(state).err(),
                Check::Reachable(is) => is(state).then(String::new),
                Check::Step(_) | Check::LeadsTo { .. } => None,
            };
            if let Some(why) = why {
                hits.push(Hit { property, state: id, step: None, why });
            }
        }
    }

    /// Checks a step.
    fn look_at_step(
        &self,
        id: u32,
        number: usize,
        (before, action, after): (&M::State, &M::Action, &M::State),
        hits: &mut Vec<Hit>,
    ) {
        if let Some(visit) = &self.explorer.on_edge {
            visit(before, action, after);
        }
        for (property, it) in self.explorer.properties.iter().enumerate() {
            let Check::Step(check) = &it.check else { continue };
            if self.hits.get(property).is_some_and(Option::is_some) {
                continue;
            }
            if let Err(why) = check(before, action, after) {
                hits.push(Hit { property, state: id, step: Some(number), why });
            }
        }
    }

    /// Where each liveness property begins (even bits) and is fulfilled (odd bits).
    fn marks(&self, state: &M::State) -> u32 {
        let bit = |it: &Property<'_, M>| match &it.check {
            Check::LeadsTo { from, to } => Some(u32::from(from(state)) | (u32::from(to(state)) << 1)),
            _ => None,
        };
        self.explorer
            .properties
            .iter()
            .filter_map(bit)
            .zip((0..).step_by(2))
            .fold(0, |marks, (it, at)| marks | (it << at))
    }

    /// Checks states that will not be followed.
    fn look_at_all(&mut self, first: u32, states: &[M::State]) {
        let mut hits = Vec::new();
        for (id, state) in (first..).zip(states) {
            self.look(id, state, &mut hits);
        }
        self.keep(hits);
    }

    fn keep(&mut self, hits: Vec<Hit>) {
        for hit in hits {
            if let Some(place @ None) = self.hits.get_mut(hit.property) {
                *place = Some(hit);
            }
        }
    }

    fn merge(&mut self, batch: Batch<M::State>, next: &mut Vec<M::State>) {
        self.edges += batch.edges;
        self.terminal += batch.terminal;
        for (fingerprint, parent, state) in batch.fresh {
            self.add(fingerprint, parent, state, next);
        }
        self.keep(batch.hits);
        if let Some(graph) = &mut self.graph {
            let mut links = batch.links.into_iter();
            for (degree, marks) in batch.degrees.into_iter().zip(batch.marks) {
                let steps = links.by_ref().take(degree as usize);
                graph.push(marks, steps.filter_map(|(to, sets)| self.visited.find(to).map(|id| (id, sets))));
            }
        }
    }

    fn add(&mut self, fingerprint: u64, parent: u32, state: M::State, next: &mut Vec<M::State>) {
        if self.visited.len() as u64 >= self.explorer.max_states {
            self.full |= self.visited.find(fingerprint).is_none();
        } else if self.visited.insert(fingerprint, parent).is_some() {
            next.push(state);
        } else {
            // Known, or the numbers have run out.
            self.full |= self.visited.find(fingerprint).is_none();
        }
    }

    fn report(&self, end: End) -> Result<Report<M::State, M::Action>, ExploreError> {
        let mut findings = Vec::new();
        let mut live = 0;
        for (index, Property { name, check }) in self.explorer.properties.iter().enumerate() {
            let hit = self.hits.get(index).and_then(Option::as_ref);
            let (kind, verdict, path) = match check {
                Check::Always(_) => self.safety(Kind::Always, hit, end)?,
                Check::Step(_) => self.safety(Kind::Step, hit, end)?,
                Check::Reachable(_) => self.witness(hit, end)?,
                Check::LeadsTo { .. } => {
                    live += 1;
                    self.liveness(live - 1, end)?
                }
            };
            findings.push(Finding { property: name.clone(), kind, verdict, path });
        }
        Ok(Report {
            states: self.visited.len() as u64,
            edges: self.edges,
            depth: self.depth(),
            terminal: self.terminal,
            seconds: self.began.elapsed().as_secs_f64(),
            end,
            findings,
        })
    }

    fn safety(&self, kind: Kind, hit: Option<&Hit>, end: End) -> Decision<M> {
        match hit {
            Some(hit) => Ok((kind, Verdict::Broken(hit.why.clone()), Some(self.path_to(hit)?))),
            None if end == End::Complete => Ok((kind, Verdict::Holds, None)),
            None => Ok((kind, Verdict::Open, None)),
        }
    }

    fn witness(&self, hit: Option<&Hit>, end: End) -> Decision<M> {
        match hit {
            Some(hit) => Ok((Kind::Reachable, Verdict::Holds, Some(self.path_to(hit)?))),
            None if end == End::Complete => {
                Ok((Kind::Reachable, Verdict::Broken("never reached".to_owned()), None))
            }
            None => Ok((Kind::Reachable, Verdict::Open, None)),
        }
    }

    fn liveness(&self, number: u32, end: End) -> Decision<M> {
        let Some(graph) = self.graph.as_ref().filter(|_| end == End::Complete) else {
            return Ok((Kind::LeadsTo, Verdict::Open, None));
        };
        let (weak, strong) = self.explorer.fairness();
        let Some(lasso) = fair::lasso(graph, &self.levels, number, weak, strong) else {
            return Ok((Kind::LeadsTo, Verdict::Holds, None));
        };
        let mut stops: Vec<Stop> = self.stops(lasso.entry)?;
        for (id, sets) in lasso.stem.iter().chain(&lasso.cycle) {
            stops.push(Stop { fingerprint: self.print(*id)?, sets: Some(*sets) });
        }
        let from = stops.len().saturating_sub(1 + lasso.cycle.len());
        let mut path = retrace(self.explorer, &stops)?;
        path.cycle_from = Some(from);
        let why = if lasso.cycle.is_empty() { "it may stay so for ever" } else { "it may go round for ever" };
        Ok((Kind::LeadsTo, Verdict::Broken(why.to_owned()), Some(path)))
    }

    fn path_to(&self, hit: &Hit) -> Result<Path<M::State, M::Action>, ExploreError> {
        let mut path = retrace(self.explorer, &self.stops(hit.state)?)?;
        if let Some(number) = hit.step {
            // Under symmetry the steps of the state on the path may come in another order: take the one that fails.
            let Some(Property { check: Check::Step(check), .. }) = self.explorer.properties.get(hit.property)
            else {
                return Err(ExploreError::NotPure);
            };
            let before = path.last();
            let mut steps = Vec::new();
            self.explorer.model.steps(before, &mut steps);
            let fails = |(action, after): &(M::Action, M::State)| check(before, action, after).is_err();
            let at = if steps.get(number).is_some_and(fails) {
                Some(number)
            } else {
                steps.iter().position(fails)
            };
            let step = at.map(|at| steps.swap_remove(at)).ok_or(ExploreError::NotPure)?;
            path.steps.push(step);
        }
        Ok(path)
    }

    fn stops(&self, id: u32) -> Result<Vec<Stop>, ExploreError> {
        let stop = |id: u32| Ok(Stop { fingerprint: self.print(id)?, sets: None });
        self.visited.ancestry(id).into_iter().map(stop).collect()
    }

    fn print(&self, id: u32) -> Result<u64, ExploreError> {
        self.visited.fingerprint(id).ok_or(ExploreError::NotPure)
    }
}

type Decision<M> =
    Result<(Kind, Verdict, Option<Path<<M as Model>::State, <M as Model>::Action>>), ExploreError>;

/// The number that lies so many after `first`. Numbers run out before they wrap.
fn id_after(first: u32, count: usize) -> u32 {
    first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Condvar, Mutex};

    /// From 0 to four pieces of states, from those to a few. The second and third piece are not gone through before the
    /// next one is begun, so two threads must take turns.
    #[derive(Default)]
    struct Turns {
        begun: Mutex<Vec<usize>>,
        more: Condvar,
    }

    impl Model for Turns {
        type State = usize;
        type Action = ();

        fn initial(&self) -> Vec<usize> {
            vec![0]
        }

        fn steps(&self, state: &usize, out: &mut Vec<((), usize)>) {
            match *state {
                0 => out.extend((1..=4 * PIECE).map(|next| ((), next))),
                middle if middle <= 4 * PIECE => {
                    let piece = (middle - 1) / PIECE;
                    let mut begun = self.begun.lock().expect("no thread panics");
                    begun.push(piece);
                    self.more.notify_all();
                    while (1..=2).contains(&piece) && !begun.contains(&(piece + 1)) {
                        begun = self.more.wait(begun).expect("no thread panics");
                    }
                    out.push(((), 4 * PIECE + 1 + middle / (PIECE + 20)));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn parents_are_those_of_one_thread_whoever_takes_which_piece() {
        let turns = Turns::default();
        let explorer = (1..4usize).fold(Explorer::new(&turns).threads(2), |explorer, last| {
            explorer.reachable(last.to_string(), move |state| *state == 4 * PIECE + 1 + last)
        });
        let report = explorer.run().expect("it is pure");
        for (last, finding) in (1..4).zip(&report.findings) {
            let way: Vec<usize> = finding.path.as_ref().expect("a witness").states().copied().collect();
            assert_eq!(way, [0, last * (PIECE + 20), 4 * PIECE + 1 + last]);
        }
    }
}
