//! P9: the process forks. How many of 200 random parts are those of the other process?
use anyhow::Result;
use ferroid::id::ULID;
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::UlidGenerator;
use synod_idgen_compare::{parent_and_child, shared};
use ulid::Ulid;
use uuid::Uuid;

type Ours = synod_idgen::uuid::Uuid;

fn main() -> Result<()> {
    // Whatever keeps random bytes has some by now.
    let ours = UlidGenerator::new();
    let _ = (Ours::v4(&SystemRandom)?, ours.try_next()?);
    let _ = (Ulid::generate(), ULID::now(), Uuid::new_v4(), scru128::new(), fastrand::u128(..));
    of("ulid 3.0.0", || Ok(Ulid::generate().random()))?;
    of("ferroid 2.0.0, ULID", || Ok(ULID::now().random()))?;
    #[cfg(feature = "fast-rng")]
    of("uuid 1.29.3, v4, fast-rng", || Ok(Uuid::new_v4().as_u128()))?;
    #[cfg(not(feature = "fast-rng"))]
    of("uuid 1.29.3, v4", || Ok(Uuid::new_v4().as_u128()))?;
    of("fastrand 2.3.0", || Ok(fastrand::u128(..)))?;
    of("scru128 4.2.0", || Ok(u128::from(scru128::new().entropy())))?;
    of("svix-ksuid 0.10.0", || Ok(random_of_ksuid()))?;
    of("synod-idgen, v4", || Ok(Ours::v4(&SystemRandom)?.as_u128()))?;
    of("synod-idgen, ULID", || Ok(ours.try_next()?.random()))?;
    Ok(())
}

fn of(name: &str, mut draw: impl FnMut() -> Result<u128>) -> Result<()> {
    let (ours, theirs) = parent_and_child(|| (0..200).map(|_| draw()).collect())?;
    println!("{name}: {} of {} random parts shared", shared(&ours, &theirs), ours.len());
    Ok(())
}

fn random_of_ksuid() -> u128 {
    use svix_ksuid::KsuidLike as _;
    svix_ksuid::Ksuid::now(None).payload().iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}
