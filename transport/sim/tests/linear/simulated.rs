//! Histories of a real register: each operation takes effect at a random moment between call and return, and one without
//! an answer at its moment, or late, or never.

use synod_sim::linear::{Answer, Kind, Operation};
use synod_transport::rng::Rng;

/// What a history is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) clients: u64,
    pub(crate) operations: u64,
    pub(crate) keys: u64,
    /// How many operations get no answer, in parts per million.
    pub(crate) unknown_ppm: u64,
    /// How many values there are; as many as writes for `None`.
    pub(crate) values: Option<u64>,
    /// Whether there are compare-and-sets.
    pub(crate) swaps: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { clients: 8, operations: 1000, keys: 1, unknown_ppm: 20_000, values: None, swaps: true }
    }
}

/// The value after an operation.
fn apply(kind: &Kind, before: Option<String>) -> Option<String> {
    match kind {
        Kind::Get => before,
        Kind::Put(value) => Some(value.clone()),
        Kind::Delete => None,
        Kind::CompareAndSet { expect, new } => {
            if *expect == before {
                Some(new.clone())
            } else {
                before
            }
        }
    }
}

pub(crate) fn simulated(seed: u64, shape: &Shape) -> Vec<Operation> {
    let mut rng = Rng::new(seed);
    let mut planned: Vec<(u64, u64, u64, u64)> = Vec::new();
    for client in 0..shape.clients {
        let mut now = rng.below(1000);
        for _ in 0..shape.operations / shape.clients {
            let (effect, end) = (now + rng.below(500), now + 500 + rng.below(500));
            planned.push((effect, client, now, end));
            now = end + 1 + rng.below(100);
        }
    }
    planned.sort_unstable();
    let mut values: Vec<Option<String>> = vec![None; usize::try_from(shape.keys).unwrap()];
    let mut late: Vec<(u64, usize, Kind)> = Vec::new();
    let mut history = Vec::new();
    for (at, (effect, client, invoke, complete)) in (0u64..).zip(planned) {
        late.retain(|(when, key, kind)| {
            let due = *when <= effect;
            if due {
                values[*key] = apply(kind, values[*key].take());
            }
            !due
        });
        let key = usize::try_from(rng.below(shape.keys)).unwrap();
        let name = |rng: &mut Rng| format!("v{}", shape.values.map_or(at, |values| rng.below(values)));
        let value = values[key].clone();
        let kind = match rng.below(5) {
            0 | 1 => Kind::Get,
            3 if shape.swaps => {
                let expect = if rng.chance_ppm(700_000) { value.clone() } else { Some("other".into()) };
                Kind::CompareAndSet { expect, new: name(&mut rng) }
            }
            4 => Kind::Delete,
            _ => Kind::Put(name(&mut rng)),
        };
        let result = match &kind {
            Kind::Get => Answer::Value(value.clone()),
            Kind::CompareAndSet { expect, .. } => Answer::Swapped(*expect == value),
            Kind::Put(_) | Kind::Delete => Answer::Done,
        };
        let after = apply(&kind, value);
        let lost = rng.chance_ppm(shape.unknown_ppm);
        match rng.below(3) {
            0 if lost => {}
            1 if lost => late.push((effect + rng.below(20_000), key, kind.clone())),
            _ => values[key] = after,
        }
        let (complete, result) = if lost { (None, Answer::Unknown) } else { (Some(complete), result) };
        history.push(Operation { client, key: format!("k{key}"), kind, invoke, complete, result });
    }
    history
}

/// Makes one of the last reads see this value; gives its place.
pub(crate) fn stale(history: &mut [Operation], value: &str) -> usize {
    let victim = history.iter().rposition(|it| it.complete.is_some() && it.kind == Kind::Get);
    let victim = victim.expect("there are reads");
    history[victim].result = Answer::Value(Some(value.to_owned()));
    victim
}
