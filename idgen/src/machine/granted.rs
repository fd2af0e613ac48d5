//! A generator whose node is leased.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::{Grant, GrantHold, Monotonic, NodeGrants};
use crate::generator::{BuildError, Generator, Options};
use crate::keeper::reach::Reach;
use crate::layout::{Layout, Position};
use crate::node::{Hold, NodeId};
use crate::wall::Wall;

/// How a node is leased, and what its generator is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantOptions {
    /// The generator's policies.
    pub generator: Options,
    /// How far beyond the wall a ceiling reaches; a tick at least, and half of `max_ahead` at most.
    pub window: Duration,
    /// A floor further ahead of the wall than this is an error at the start; see [`GrantedError::Future`].
    pub max_ahead: Duration,
    /// How much slower this process's monotonic clock may run than the grantor's, in parts of a million: a term is taken
    /// to be shorter by so much.
    pub drift_ppm: u32,
}

impl Default for GrantOptions {
    /// The generator's defaults, 2 s, an hour, 1000 ppm.
    fn default() -> Self {
        Self {
            generator: Options::default(),
            window: Duration::from_secs(2),
            max_ahead: Duration::from_secs(3600),
            drift_ppm: 1000,
        }
    }
}

/// Why a node is not granted, or not any more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantedError<E> {
    /// The grantor refused, or did not answer. What was granted before stands until its term is over.
    #[error("the grantor: {0}")]
    Grantor(E),
    /// The term is over, or this is a forked child: the generator gives no id any more. Start anew, with whatever node is
    /// free.
    #[error("the grant of node {node} is over")]
    Over {
        /// Which it was.
        node: u32,
    },
    /// The grantor answered with another node or turn, or a ceiling at or below the floor. A fault of the grantor; its
    /// answer was not used.
    #[error("the grantor's answer is of another grant, or of no room")]
    Answer,
    /// The generator cannot be made. The grant will end by itself.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The window is shorter than a tick of the layout, or longer than half of the lead that is allowed. The caller's; nobody
    /// was asked.
    #[error("a window of {window:?}; it must be a tick at least, and at most {most:?}")]
    Window {
        /// [`GrantOptions::window`].
        window: Duration,
        /// Half of [`GrantOptions::max_ahead`].
        most: Duration,
    },
    /// The node's floor is further ahead of the wall than [`GrantOptions::max_ahead`]: the wall is wrong here, or was in
    /// the future once where the node was before. The grant will end by itself.
    #[error("the floor of node {node} is {ahead:?} ahead of the wall; at most {most:?} is allowed")]
    Future {
        /// Which node.
        node: u32,
        /// By how much.
        ahead: Duration,
        /// [`GrantOptions::max_ahead`].
        most: Duration,
    },
}

type Held<M> = Arc<GrantHold<M>>;

/// A generator of a granted node, and what renews the grant. One thread or task holds it and calls
/// [`renew`](Self::renew) when [`due_in`](Self::due_in) has passed; threads share the generator.
///
/// When the term is over the generator refuses with
/// [`NotHeld`](crate::generator::GeneratorError::NotHeld) before its next id. Should the clocks have lied about that, or
/// the thread have slept between the question and the id, the id is below the ceiling that the grantor has on record, and
/// the next holder starts there.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::machine::{GrantOptions, Granted, MemGrants, Uptime};
/// use synod_idgen::wall;
///
/// let grantor = MemGrants::<Twitter, _>::new(0..=1023, Duration::from_secs(10), Uptime::default());
/// let mut granted = Granted::start(grantor, wall::System, Uptime::default(), GrantOptions::default())?;
/// let id = granted.generator().try_next()?;
/// assert_eq!(id.node(), granted.node());
/// if granted.due_in().is_zero() {
///     granted.renew()?;
/// }
/// granted.release()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Granted<L: Layout, W, G, M> {
    generator: Arc<Generator<L, W, Held<M>>>,
    hold: Held<M>,
    grants: G,
    grant: Grant<L>,
    reach: Reach<L>,
    options: GrantOptions,
}

impl<L: Layout, W: Wall, G: NodeGrants<L>, M: Monotonic> Granted<L, W, G, M> {
    /// Acquires a node and makes its generator, whose ids are all greater than those of every earlier holder.
    ///
    /// # Errors
    /// Any [`GrantedError`] but [`GrantedError::Over`].
    pub fn start(
        mut grants: G,
        wall: W,
        clock: M,
        options: GrantOptions,
    ) -> Result<Self, GrantedError<G::Error>> {
        let (window, most) = (options.window, options.max_ahead / 2);
        if !Reach::<L>::is_window(window, most) {
            return Err(GrantedError::Window { window, most });
        }
        let (asked, lag) = (clock.now(), clock.lag());
        let wanted = Reach::new(window, Position::ZERO).target(Position::ZERO, wall.now());
        let grant = grants.acquire(wanted).map_err(GrantedError::Grantor)?;
        let Grant { node, floor, ceiling, term, .. } = grant;
        if ceiling <= floor {
            return Err(GrantedError::Answer);
        }
        let ahead = floor.time().saturating_sub(wall.now());
        if ahead > options.max_ahead {
            return Err(GrantedError::Future { node: node.get(), ahead, most: options.max_ahead });
        }
        let hold =
            Arc::new(GrantHold::new(clock, asked.saturating_add(options.own(term).saturating_sub(lag))));
        let generator = Generator::builder(node)
            .options(options.generator)
            .hold(Arc::clone(&hold))
            .resume(floor)
            .ceiling(ceiling)
            .build(wall)?;
        let reach = Reach::new(window, floor);
        Ok(Self { generator: Arc::new(generator), hold, grants, grant, reach, options })
    }

    /// The generator, to be cloned for whoever makes ids.
    pub fn generator(&self) -> &Arc<Generator<L, W, Held<M>>> {
        &self.generator
    }

    /// Which node.
    pub fn node(&self) -> NodeId<L> {
        self.grant.node
    }

    /// What was granted last.
    pub fn grant(&self) -> &Grant<L> {
        &self.grant
    }

    /// For how long the grant still holds.
    pub fn left(&self) -> Duration {
        self.hold.left()
    }

    /// How long until the grant should be renewed: until two thirds of the term are left, or the ceiling comes near.
    pub fn due_in(&self) -> Duration {
        let generator = &self.generator;
        let reach = self.reach.due_in(generator.high_water(), generator.ceiling(), generator.wall().now());
        let term = self.options.own(self.grant.term);
        self.left().saturating_sub(term - term / 3).min(reach)
    }

    /// Renews the grant, and raises its ceiling where that is due. Blocks as long as the grantor does.
    ///
    /// # Errors
    /// [`GrantedError::Grantor`], [`GrantedError::Answer`]: the grant stands as it was, until its term is over; ask again.
    /// [`GrantedError::Over`]: it was over, before this or while the grantor answered.
    pub fn renew(&mut self) -> Result<(), GrantedError<G::Error>> {
        let over = GrantedError::Over { node: self.grant.node.get() };
        if !self.hold.is_held() {
            return Err(over);
        }
        let (next, ceiling, wall) =
            (self.generator.high_water(), self.generator.ceiling(), self.generator.wall().now());
        let target = self.reach.target(next, wall);
        let wanted = if self.reach.is_due(next, ceiling, wall) { target.max(ceiling) } else { ceiling };
        let asked = self.hold.clock().now();
        let grant = self.grants.renew(&self.grant, wanted).map_err(GrantedError::Grantor)?;
        if (grant.node, grant.turn) != (self.grant.node, self.grant.turn) || grant.ceiling < ceiling {
            return Err(GrantedError::Answer);
        }
        let term = self.options.own(grant.term).saturating_sub(self.hold.clock().lag());
        if !self.hold.prolong(asked.saturating_add(term)) {
            return Err(over);
        }
        self.generator.raise_ceiling(grant.ceiling);
        self.grant = Grant { floor: self.grant.floor, ..grant };
        Ok(())
    }

    /// Gives the node back; the generator refuses from now on. Without it the node is free when the term is over.
    ///
    /// # Errors
    /// [`GrantedError::Grantor`]: the term will end by itself. [`GrantedError::Over`] in a forked child: the node is its
    /// parent's, and the grantor is not asked.
    pub fn release(mut self) -> Result<(), GrantedError<G::Error>> {
        if self.hold.is_another_process() {
            return Err(GrantedError::Over { node: self.grant.node.get() });
        }
        self.hold.end();
        self.grants.release(&self.grant).map_err(GrantedError::Grantor)
    }
}

impl<L: Layout, W, G, M> fmt::Debug for Granted<L, W, G, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("generator", &self.generator)
            .field("grant", &self.grant)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl GrantOptions {
    /// A term of the grantor's by the slowest clock that this process may have.
    fn own(&self, term: Duration) -> Duration {
        let ppm = self.drift_ppm.min(1_000_000);
        term.saturating_sub(term.saturating_mul(ppm) / 1_000_000)
    }
}
