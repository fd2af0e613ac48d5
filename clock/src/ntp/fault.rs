//! Planted faults: named deviations that the tests must find.
//!
//! They hang on a type parameter whose default is [`Sound`]: there, every question below is a constant `false`, and no
//! program can switch one on by a flag.

/// Answers whether a deviation is switched on.
pub trait Faults: Clone + core::fmt::Debug {
    /// Whether to deviate here.
    fn has(&self, fault: Fault) -> bool;
}

/// No deviation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sound;

impl Faults for Sound {
    #[inline(always)]
    fn has(&self, _fault: Fault) -> bool {
        false
    }
}

/// One deviation, for a test to find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planted(pub Fault);

impl Faults for Planted {
    fn has(&self, fault: Fault) -> bool {
        self.0 == fault
    }
}

/// What may be done wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// An answer is taken although it answers no question of ours.
    AnyOrigin,
    /// An answer that is refused uses up the question.
    UseUp,
    /// A server that said to ask less is asked more, if it was asked very seldom.
    Hasten,
    /// An answer is taken a second time.
    Replay,
    /// A kiss is obeyed though its sender did not see our question.
    AnyKiss,
    /// The answer of a server that was never set is taken.
    Unsynchronised,
    /// A server that said to stay away is asked again.
    AskOn,
    /// A server that said to ask less is asked as often as before.
    SamePace,
    /// The newest sample is taken instead of the one of least delay.
    NewestSample,
    /// A sample's error does not grow with its age.
    Ageless,
    /// An old sample's error is RFC 5905's dispersion alone, which counts half of its age.
    HalfAged,
    /// A sample is used for a correction again.
    UseAgain,
    /// True time is taken to be where the greatest number of claims meet.
    SmallestOverlap,
    /// Servers that have not answered yet are not counted.
    AbsentAgree,
    /// The servers' mean is taken, liars and all.
    Mean,
    /// The clock is set at once when it is far off.
    StepAtOnce,
    /// A far-off clock is never set.
    NeverStep,
    /// The clock is moved whatever the offset.
    NoPanic,
    /// A correction is made as fast as it is wanted.
    FastSlew,
    /// The monotone reading follows a step back.
    FollowBack,
    /// The stated interval leaves out what servers claim as long as it is doubted.
    Confident,
    /// The stated error does not count that the learned frequency may be wrong.
    TrustLearned,
    /// The frequency is learned as fast from answers that come seldom.
    FixedConstant,
    /// The stated error does not grow.
    CertainForEver,
}
