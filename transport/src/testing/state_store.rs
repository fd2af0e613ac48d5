//! What every [`StateStore`] must keep, checked through the trait alone.

use crate::rng::Rng;
use crate::store::StateStore;

/// How the suite makes a store and pulls its plug.
pub trait Harness {
    /// The store under test.
    type Store: StateStore;

    /// A new, empty store.
    fn create(&mut self) -> Self::Store;

    /// Pulls the plug and opens what is left; `None` when such a store keeps nothing.
    fn crash(&mut self, store: Self::Store) -> Option<Self::Store>;
}

/// Sets, replaces and reads values under many names, with crashes in between; gives the number of crashes.
///
/// # Panics
/// With the first value that is not the one last set.
pub fn conformance<H: Harness>(mut make: impl FnMut() -> H) -> u64 {
    let mut crashes = 0;
    for seed in 0..20 {
        let result = run(make(), seed, &mut crashes);
        assert!(result.is_ok(), "not a StateStore, seed {seed}: {result:?}");
    }
    crashes
}

/// One seeded history.
///
/// # Errors
/// What was found and what was due.
pub fn run<H: Harness>(mut harness: H, seed: u64, crashes: &mut u64) -> Result<(), String> {
    const NAMES: [&str; 4] = ["incarnation", "lease-epoch", "machine_7", "a.b"];
    let mut rng = Rng::new(seed);
    let mut store = harness.create();
    let mut model: [Option<Vec<u8>>; 4] = Default::default();
    for _ in 0..60 {
        let choice = usize::try_from(rng.below(4)).unwrap_or_default();
        if let (Some(name), Some(slot)) = (NAMES.get(choice), model.get_mut(choice)) {
            let len = rng.below(40) * rng.below(40);
            let value: Vec<u8> = (0..len).map(|_| u8::try_from(rng.below(256)).unwrap_or_default()).collect();
            store.set(name, &value).map_err(|error| format!("setting {name} gave {error}"))?;
            *slot = Some(value);
        }
        if rng.below(6) == 0 {
            match harness.crash(store) {
                Some(left) => store = left,
                None => return Ok(()),
            }
            *crashes += 1;
        }
        for (name, want) in NAMES.iter().zip(&model) {
            let got = store.get(name).map_err(|error| format!("getting {name} gave {error}"))?;
            if got.as_deref() != want.as_deref() {
                return Err(format!("{name} holds {got:?}, not {want:?}"));
            }
        }
    }
    Ok(())
}
