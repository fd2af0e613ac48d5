//! What a run may be given, and how often each fault comes.

use core::time::Duration;

use synod_transport::rng::Rng;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $most:literal;)*) => {
        /// A kind of fault. Its rate is in parts per million: of messages, of syncs, or (for what strikes a node or
        /// the network as a whole) of chances, of which there are fifty a second.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in tables and options.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The highest rate that a seed draws, in parts per million.
            pub const fn most(self) -> u64 {
                match self { $(Self::$name => $most,)* }
            }
        }
    };
}

faults! {
    /// A message is lost.
    Loss = "loss", 200_000;
    /// A message comes twice.
    Duplicate = "duplicate", 200_000;
    /// A message overtakes those of its own class.
    Reorder = "reorder", 300_000;
    /// A message takes up to two seconds.
    Delay = "delay", 50_000;
    /// A message is cut short or has bytes behind its end; the receiver must refuse it. Off unless asked for.
    Garble = "garble", 50_000;
    /// The nodes are split: two sets, a bridge, one node, one link, in both directions or one.
    Partition = "partition", 20_000;
    /// Links go up and down a few times.
    Flap = "flap", 10_000;
    /// A node loses its power.
    Crash = "crash", 15_000;
    /// A node loses its power after a write and before its sync.
    CrashBeforeSync = "crash-before-sync", 20_000;
    /// All nodes lose their power at once.
    CrashAll = "crash-all", 3_000;
    /// A node stands still, then gets everything at once.
    Pause = "pause", 15_000;
    /// A disk's syncs take much longer for a while.
    SlowDisk = "slow-disk", 15_000;
    /// A disk fails for good; its node stops and comes back later.
    DiskFailure = "disk-failure", 4_000;
    /// Clocks run fast or slow by up to a tenth instead of 500 parts per million. A rate above zero means on.
    ClockRate = "clock-rate", 100_000;
}

macro_rules! driver_faults {
    ($(#[doc = $about:literal] $name:ident = $text:literal;)*) => {
        /// A planted fault of the simulated driver or its disks, which the generic invariants must find.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum DriverFault { $(#[doc = $about] $name,)* }

        impl DriverFault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What the driver does instead of what it should, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about.trim_ascii(),)* }
            }

            /// Its name on a command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

driver_faults! {
    /// Disks attest writes that they have not synced.
    LyingDisks = "lying-disks";
    /// Recovery takes a torn write for a whole one: its last payload is lost.
    TornWritesKept = "torn-writes-kept";
    /// When more than one entry can be applied at once, the first is passed over.
    SkipsEntries = "skips-entries";
    /// When more than one entry can be applied at once, the first is applied twice.
    RepeatsEntries = "repeats-entries";
    /// A proposal is acknowledged once its index is applied, whatever stands there.
    AnswersByIndex = "answers-by-index";
}

/// How a fault's rate is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    /// From the seed; zero for a third of the seeds.
    Drawn,
    /// This, in parts per million.
    Fixed(u64),
}

/// What a run is given beside its seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many nodes, 1 to 7; more or fewer are cut to this range. Their ids are 1, 2, 3, …
    pub nodes: u64,
    /// How long faults are injected, in virtual time: drawn from the seed between these two.
    pub faulty: (Duration, Duration),
    /// How long after the faults ended the world may take to prove that it lives.
    pub liveness_bound: Duration,
    /// How many clients: drawn from the seed between these two.
    pub clients: (u64, u64),
    /// The most frames in flight at once; the newest beyond it is lost.
    pub in_flight: usize,
    /// A planted fault: disks attest writes that they have not synced.
    pub lying_disks: bool,
    /// A planted fault of the driver.
    pub driver_fault: Option<DriverFault>,
    /// A run of more steps is stopped as one that does not end.
    pub max_steps: u64,
    /// How each fault's rate is found, by number of the fault; see [`Options::with`].
    pub rates: Vec<Rate>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            faulty: (Duration::from_secs(2), Duration::from_secs(12)),
            liveness_bound: Duration::from_secs(60),
            clients: (1, 5),
            in_flight: 4096,
            lying_disks: false,
            driver_fault: None,
            max_steps: 5_000_000,
            rates: Fault::ALL
                .iter()
                .map(|fault| if *fault == Fault::Garble { Rate::Fixed(0) } else { Rate::Drawn })
                .collect(),
        }
    }
}

impl Options {
    /// All faults as drawn from the seed.
    pub fn new(nodes: u64) -> Self {
        Self { nodes, ..Self::default() }
    }

    /// No fault at all.
    pub fn quiet(nodes: u64) -> Self {
        let rates = Fault::ALL.iter().map(|_| Rate::Fixed(0)).collect();
        Self { nodes, rates, ..Self::default() }
    }

    /// The same, with this rate for one fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, rate: Rate) -> Self {
        if let Some(place) = self.rates.get_mut(fault as usize) {
            *place = rate;
        }
        self
    }

    /// The rates of a run, by number of the fault.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Vec<u64> {
        let draw = |(fault, rate): (&Fault, &Rate)| {
            // Drawn even when fixed, so that fixing one does not move the others.
            let (zero, drawn) = (rng.below(3) == 0, rng.between(1, fault.most()));
            match rate {
                Rate::Fixed(rate) => *rate,
                Rate::Drawn if zero => 0,
                Rate::Drawn => drawn,
            }
        };
        Fault::ALL.iter().zip(&self.rates).map(draw).collect()
    }
}
