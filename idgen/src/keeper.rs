//! A ceiling that is durable before ids come near it, so that no restart repeats an id.
//!
//! ```text
//!  start: next = the ceiling that is stored      extend: 1. store.set(wall + window)
//!         (whatever the wall says)                       2. then, and only then, raise the generator's ceiling
//!
//!  ──ids──▶ next ──────────────▶ ceiling         try_next() at the ceiling: Err(Ceiling), nobody waits for a disk
//!                  └─ half left: extend is due
//! ```
//!
//! A process may die between 1 and 2, or before any id comes near the new ceiling: the next life starts a little further
//! ahead than it had to, which is safe. It starts ahead of its wall by at most a window, if that did not go back. What the
//! generator does then is its [`Backward`](crate::generator::Backward) policy: by default it goes on at once, and its ids
//! are of the near future; [`Keeper::ahead`] says how near.
//!
//! A generator that is ahead of its wall gets a ceiling a thousandth of a window further, 2 ms of two seconds, then as
//! far as it has come in this life, up to an eighth. So restarts in a row add nothing up, as long as they are a
//! thousandth of a window apart.
//!
//! Each life counts itself in what it stores, and looks before it writes: a keeper whose store was taken over by a later
//! life, say of a second process that was started by mistake, extends no more. Its ids end below where the later life began.
//! That is no lock: the store replaces values and compares nothing, so two that look at the same moment, whether they start
//! or extend, are not told apart, and may give the same ids. A [`NodeLock`](crate::machine::NodeLock) or a lease is for that.
//!
//! Nothing runs in the background. One thread or task holds the keeper and calls [`extend`](Keeper::extend) when
//! [`due_in`](Keeper::due_in) has passed; threads share the generator. When nobody extends in time, ids end at the
//! ceiling with an error, and go on once somebody does.

#[cfg(test)]
mod explore;
pub(crate) mod reach;
mod record;
#[cfg(test)]
mod threads;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use synod_transport::store::{StateStore, StoreError};

use crate::generator::{BuildError, Builder, Generator};
use crate::layout::{Layout, Position};
use crate::node::{Always, Hold, NodeId};
use crate::process::Process;
use crate::wall::Wall;
use reach::Reach;
pub use record::{Kept, RecordError};

/// Where a ceiling is kept, and how far it reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeeperOptions {
    /// The name of the value in the store. One for each generator: see [`KeeperOptions::of_node`].
    pub name: String,
    /// How far beyond the wall a ceiling reaches; a tick at least, and half of `max_ahead` at most. Longer means fewer
    /// writes, and a start further ahead of the wall after a crash.
    pub window: Duration,
    /// A stored ceiling further ahead of the wall than this is an error at the start; see [`KeeperError::Future`].
    pub max_ahead: Duration,
    /// A wall that passes a ceiling by more than this within a life is an error of [`Keeper::extend`]; see
    /// [`KeeperError::Jumped`].
    pub max_jump: Duration,
}

impl Default for KeeperOptions {
    /// `idgen`, 2 s, an hour, and any jump: a process that was asleep goes on.
    fn default() -> Self {
        Self {
            name: "idgen".into(),
            window: Duration::from_secs(2),
            max_ahead: Duration::from_secs(3600),
            max_jump: Duration::MAX,
        }
    }
}

impl KeeperOptions {
    /// The defaults, under a name that tells nodes apart: `idgen-node-7`. For a store that nodes have in turn. Processes
    /// that run at once need a store each: `FileStateStore` locks its folder, so give every node one of its own.
    pub fn of_node<L: Layout>(node: NodeId<L>) -> Self {
        Self { name: alloc::format!("idgen-node-{node}"), ..Self::default() }
    }
}

/// Why a ceiling could not be read or extended. Ids below the old ceiling go on being given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The store failed. The generator's ceiling is as it was; the stored one is as it was, or the new one.
    #[error("the store of the ceiling: {0}")]
    Store(#[from] StoreError),
    /// What is stored under the name is not this generator's ceiling. Nothing was changed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The generator cannot be made. Nothing was written.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The window is shorter than a tick of the layout: no id would fit below the ceiling. Or it is longer than half of the
    /// lead that is allowed: restarts would find their own ceilings too far ahead. The caller's; nothing was read.
    #[error("a window of {window:?}; it must be a tick at least, and at most {most:?}")]
    Window {
        /// [`KeeperOptions::window`].
        window: Duration,
        /// Half of [`KeeperOptions::max_ahead`].
        most: Duration,
    },
    /// The stored ceiling is further ahead of the wall than [`KeeperOptions::max_ahead`]: the wall is wrong now (not set
    /// yet, say), or was in the future once. Nothing was changed. Set the wall and start again; or allow the lead, if the
    /// generator's policies bear it; or take a node that never had ids; or, when no id of the future is left anywhere,
    /// [`overrule`] it.
    #[error("the stored ceiling is {ahead:?} ahead of the wall; at most {most:?} is allowed")]
    Future {
        /// By how much.
        ahead: Duration,
        /// [`KeeperOptions::max_ahead`].
        most: Duration,
    },
    /// The wall is past the ceiling by more than [`KeeperOptions::max_jump`]. Nothing was written. If the wall is right,
    /// [`Keeper::extend_over_jump`].
    #[error("the wall is {by:?} past the ceiling; at most {most:?} is believed")]
    Jumped {
        /// By how much.
        by: Duration,
        /// [`KeeperOptions::max_jump`].
        most: Duration,
    },
    /// Another life has begun on this store: a second process of the same node, started by mistake perhaps. Nothing was
    /// written. This life ends at its ceiling, which is below the ids of the other.
    #[error("life {turn} has taken over; this one is life {own}")]
    TakenOver {
        /// The other life.
        turn: u64,
        /// This one.
        own: u64,
    },
    /// The node is not held any more; its ceiling is another's to extend. Nothing was written.
    #[error("the node is not held any more")]
    NotHeld,
    /// This is a forked child, and node, ceiling and store are its parent's. Nothing was written.
    #[error("the keeper belongs to the process from which this one was forked")]
    Forked,
}

/// Owns a generator's store, and extends its ceiling.
///
/// The store is any [`StateStore`] (`synod_transport::store::StateStore`), of this process alone:
/// `synod_wal::FileStateStore::open(folder)`, or one of your own: `set` returns once the new value is durable, and leaves
/// the old one or the new one, whole, when it fails or the process dies.
///
/// Whatever the wall says when a ceiling is extended becomes durable. A wall that was in the future, even once, shows as
/// [`KeeperError::Future`] at the next start; [`KeeperOptions::max_jump`] keeps most of such readings out.
///
/// ```
/// use synod_idgen::generator::Generator;
/// use synod_idgen::keeper::{Keeper, KeeperOptions};
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::{node::NodeId, wall};
/// use synod_transport::store::MemStateStore;
///
/// let store = MemStateStore::new(); // synod_wal::FileStateStore::open(folder)?, outside of examples
/// let node = NodeId::<Twitter>::new(7)?;
/// let mut keeper = Keeper::start(Generator::builder(node), wall::System, store, KeeperOptions::default())?;
/// let before = keeper.generator().try_next()?;
/// if keeper.is_due() {
///     keeper.extend()?;
/// }
///
/// // The next life, on the same store, goes on above, even with a wall that is a second behind.
/// let behind = wall::from_fn(|| wall::Wall::now(&wall::System) - core::time::Duration::from_secs(1));
/// let keeper = Keeper::start(Generator::builder(node), behind, keeper.into_store(), KeeperOptions::default())?;
/// assert!(keeper.generator().try_next()? > before);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Keeper<L: Layout, W, S, H = Always> {
    generator: Arc<Generator<L, W, H>>,
    node: NodeId<L>,
    store: S,
    options: KeeperOptions,
    reach: Reach<L>,
    /// Which life this is, counted in what is stored.
    turn: u64,
    process: Process,
}

impl<L: Layout, W: Wall, S: StateStore, H: Hold> Keeper<L, W, S, H> {
    /// Makes the generator, whose ids are all greater than those of every earlier life on this store, and extends its
    /// ceiling. What the builder was told to [`resume`](Builder::resume) from holds as well, its ceiling does not.
    ///
    /// # Errors
    /// Any [`KeeperError`] but [`KeeperError::Jumped`] and [`KeeperError::TakenOver`]. After [`KeeperError::Store`] of a failed write, start again.
    pub fn start(
        builder: Builder<L, H>,
        wall: W,
        store: S,
        options: KeeperOptions,
    ) -> Result<Self, KeeperError> {
        let (window, most) = (options.window, options.max_ahead / 2);
        if !Reach::<L>::is_window(window, most) {
            return Err(KeeperError::Window { window, most });
        }
        let node = builder.node();
        let (stored, turn) = match store.get(&options.name)? {
            Some(value) => record::decode(node, &value)?,
            None => (Position::ZERO, 0),
        };
        let ahead = stored.time().saturating_sub(wall.now());
        if stored > Position::ZERO && ahead > options.max_ahead {
            return Err(KeeperError::Future { ahead, most: options.max_ahead });
        }
        // Nothing at or above the stored ceiling was ever given; of the spare nodes neither.
        let generator = builder.resume_all(stored).ceiling(stored).build(wall)?;
        let started = generator.high_water();
        let reach = Reach::new(options.window, started);
        let generator = Arc::new(generator);
        let (turn, process) = (turn.saturating_add(1), Process::current());
        let mut keeper = Self { generator, node, store, options, reach, turn, process };
        keeper.check()?;
        keeper.write()?;
        Ok(keeper)
    }

    /// The generator, to be cloned for whoever makes ids.
    pub fn generator(&self) -> &Arc<Generator<L, W, H>> {
        &self.generator
    }

    /// The position this life started from: no earlier life gave an id that is as great.
    pub fn started_at(&self) -> Position<L> {
        self.reach.started()
    }

    /// How far the next id is ahead of the wall; zero when it is not. After a start: how long until ids are of the present
    /// again.
    pub fn ahead(&self) -> Duration {
        self.generator.high_water().time().saturating_sub(self.generator.wall().now())
    }

    /// Whether the ceiling should be extended now.
    pub fn is_due(&self) -> bool {
        self.due_in().is_zero()
    }

    /// How long the ceiling lasts before it should be extended: until half a window is left, at the wall's pace. Where
    /// ids ahead of the wall come near the ceiling, a look at them is due a few times a window.
    pub fn due_in(&self) -> Duration {
        let generator = &self.generator;
        self.reach.due_in(generator.high_water(), generator.ceiling(), generator.wall().now())
    }

    /// Makes a new ceiling durable, then lets the generator use it. Writes nothing while it is not [due](Self::due_in).
    /// Blocks as long as the store does; threads meanwhile get ids up to the old ceiling.
    ///
    /// # Errors
    /// [`KeeperError::Store`], [`KeeperError::TakenOver`], [`KeeperError::Jumped`], [`KeeperError::NotHeld`],
    /// [`KeeperError::Forked`], or [`KeeperError::Record`] when somebody else has written there: the generator's ceiling is as
    /// it was.
    pub fn extend(&mut self) -> Result<Position<L>, KeeperError> {
        let by = self.generator.wall().now().saturating_sub(self.generator.ceiling().time());
        let most = self.options.max_jump;
        if by > most {
            return Err(KeeperError::Jumped { by, most });
        }
        self.extend_over_jump()
    }

    /// [`extend`](Self::extend), however far the wall is past the ceiling: for who has seen to it that the wall is right.
    ///
    /// # Errors
    /// Those of [`extend`](Self::extend), without [`KeeperError::Jumped`].
    pub fn extend_over_jump(&mut self) -> Result<Position<L>, KeeperError> {
        self.check()?;
        if self.is_due() {
            let stored = self.store.get(&self.options.name)?.ok_or(RecordError::Damaged)?;
            let (_, turn) = record::decode(self.node, &stored)?;
            if turn != self.turn {
                return Err(KeeperError::TakenOver { turn, own: self.turn });
            }
            self.write()?;
        }
        Ok(self.generator.ceiling())
    }

    fn check(&self) -> Result<(), KeeperError> {
        if self.process.is_another() {
            return Err(KeeperError::Forked);
        }
        if !self.generator.hold().is_held() {
            return Err(KeeperError::NotHeld);
        }
        Ok(())
    }

    /// Durable first, then in use.
    fn write(&mut self) -> Result<(), KeeperError> {
        let new = self.reach.target(self.generator.high_water(), self.generator.wall().now());
        let new = new.max(self.generator.ceiling());
        self.store.set(&self.options.name, &record::encode(self.node, new, self.turn))?;
        self.generator.raise_ceiling(new);
        Ok(())
    }

    /// Gives the store back. The generator ends at its ceiling.
    pub fn into_store(self) -> S {
        self.store
    }
}

impl<L: Layout, W, S, H> fmt::Debug for Keeper<L, W, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("generator", &self.generator)
            .field("options", &self.options)
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}

/// What is stored: for people who look into a store, and before [`overrule`].
///
/// # Errors
/// [`KeeperError::Store`], and [`RecordError::Damaged`].
pub fn inspect<S: StateStore>(store: &S, name: &str) -> Result<Option<Kept>, KeeperError> {
    Ok(store.get(name)?.map(|value| Kept::read(&value)).transpose()?)
}

/// Replaces whatever is stored: the way out of [`KeeperError::Future`] when the wall was wrong once, or of a damaged value.
///
/// Gives up the promise of [`Keeper`] for the positions from `ceiling` on: ids that were given may be given again. Only for
/// people who know that none is left anywhere.
///
/// # Errors
/// [`KeeperError::Store`].
pub fn overrule<S: StateStore, L: Layout>(
    store: &mut S,
    name: &str,
    node: NodeId<L>,
    ceiling: Position<L>,
) -> Result<(), KeeperError> {
    // A life that goes on all the same is to notice.
    let kept = store.get(name)?.and_then(|value| Kept::read(&value).ok());
    let turn = kept.map_or(0, |kept| kept.turn).saturating_add(1);
    Ok(store.set(name, &record::encode(node, ceiling, turn))?)
}
