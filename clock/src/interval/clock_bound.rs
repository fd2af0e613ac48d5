//! The page that the daemon of ClockBound writes (its `docs/PROTOCOL.md`, shared memory protocol, versions 1 and 2).
//!
//! The daemon asks chronyd how wrong the clock is and keeps the answer in a small file that clients map or, as here,
//! read. Numbers are in the byte order of the machine.

use super::{BoundError, Interval};
use crate::unix::{UnixTime, drift_ns};

/// The two numbers at the start of a page.
const MAGIC: [u32; 2] = [0x414d_5a4e, 0x4342_0200];
/// For so long after a page was written, its daemon may be away without the clock being called free.
const GRACE_NS: i64 = 5_000_000_000;
/// Two counters of one machine may differ by this.
const BLUR_NS: i64 = 1000;
/// Times a page is looked at before it is given up.
const LOOKS: usize = 16;

/// A page that was read whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Even, never zero, another one with every change.
    pub generation: u16,
    /// When the bound was made, by `CLOCK_MONOTONIC`.
    pub as_of_ns: i64,
    /// When it is no bound any more.
    pub void_after_ns: i64,
    /// How wrong `CLOCK_REALTIME` was then, at most.
    pub bound_ns: i64,
    /// What it drifts at most, in parts per billion. Below a billion.
    pub drift_bound_ppb: u32,
    /// What the daemon thinks of the clock.
    pub status: Status,
}

/// What keeps the clock right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Not known: there is no bound.
    Unknown,
    /// A daemon does.
    Synchronised,
    /// Nothing at the moment; the bound grows.
    FreeRunning,
    /// The machine was moved or stopped: there is no bound.
    Disrupted,
}

impl Page {
    /// The bytes of the longer of both versions.
    pub const LENGTH: usize = 80;

    /// Reads a page from its bytes. They may be more, as a mapped file often is longer.
    ///
    /// # Errors
    /// They are no page, or the daemon is about to write.
    pub fn parse(bytes: &[u8]) -> Result<Self, PageError> {
        let mut fields = Fields(bytes);
        if [fields.u32()?, fields.u32()?] != MAGIC {
            return Err(PageError::Magic);
        }
        let _size = fields.u32()?;
        let version = fields.u16()?;
        let generation = fields.u16()?;
        if version == 0 || generation == 0 || generation % 2 == 1 {
            return Err(PageError::Busy);
        }
        let as_of_ns = fields.time()?;
        let void_after_ns = fields.time()?;
        let bound_ns = fields.i64()?;
        let drift_bound_ppb = match version {
            1 => {
                let drift = fields.u32()?;
                let _reserved = fields.u32()?;
                drift
            }
            2 => {
                let _disruption = fields.i64()?;
                fields.u32()?
            }
            other => return Err(PageError::Version(other)),
        };
        let status = match fields.u32()? {
            1 => Status::Synchronised,
            2 => Status::FreeRunning,
            3 if version == 2 => Status::Disrupted,
            _ => Status::Unknown,
        };
        if drift_bound_ppb >= 1_000_000_000 || bound_ns < 0 {
            return Err(PageError::Absurd);
        }
        Ok(Self { generation, as_of_ns, void_after_ns, bound_ns, drift_bound_ppb, status })
    }

    /// Looks at a page until two looks in a row show the same: then no half of it is newer than the other. `look` puts
    /// the page's bytes at the start of the buffer, from offset zero each time, and says how many.
    ///
    /// ```no_run
    /// use std::os::unix::fs::FileExt;
    /// use synod_clock::interval::Page;
    ///
    /// let file = std::fs::File::open("/var/run/clockbound/shm0")?;
    /// let page = Page::read(|buffer| file.read_at(buffer, 0).ok())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It cannot be read, is no page, or changes whenever one looks.
    pub fn read(mut look: impl FnMut(&mut [u8]) -> Option<usize>) -> Result<Self, PageError> {
        let mut last = None;
        for _ in 0..LOOKS {
            let mut bytes = [0; Self::LENGTH];
            let length = look(&mut bytes).ok_or(PageError::Unreadable)?;
            let page = Self::parse(bytes.get(..length).ok_or(PageError::Short)?);
            match page {
                Ok(page) if last == Some(page) => return Ok(page),
                Ok(page) => last = Some(page),
                Err(PageError::Busy) => last = None,
                Err(error) => return Err(error),
            }
        }
        Err(PageError::Busy)
    }

    /// What true time is within when `CLOCK_REALTIME` shows `realtime` and, no earlier, `CLOCK_MONOTONIC` shows
    /// `monotonic_ns`; and whether something keeps the clock right.
    ///
    /// # Errors
    /// [`BoundError::Unsynchronised`], [`BoundError::Expired`], or [`BoundError::Causality`] when the page was made
    /// after `monotonic_ns`.
    pub fn at(&self, realtime: UnixTime, monotonic_ns: i64) -> Result<(Interval, Status), BoundError> {
        let age_ns = monotonic_ns.saturating_sub(self.as_of_ns);
        if age_ns < -BLUR_NS {
            return Err(BoundError::Causality);
        }
        let status = match self.status {
            Status::Unknown | Status::Disrupted => return Err(BoundError::Unsynchronised),
            status if age_ns < GRACE_NS => status,
            _ if monotonic_ns < self.void_after_ns => Status::FreeRunning,
            _ => return Err(BoundError::Expired),
        };
        let error_ns = self.bound_ns.saturating_add(drift_ns(age_ns, i64::from(self.drift_bound_ppb)));
        Ok((Interval::around(realtime, error_ns), status))
    }
}

/// Bounded time from the page of a daemon on this machine. Looks at the page with every call, and keeps the last one
/// for when the daemon is writing.
#[cfg(all(feature = "std", target_os = "linux"))]
#[derive(Debug)]
pub struct ClockBound<L> {
    look: L,
    last: std::sync::Mutex<Option<Page>>,
}

#[cfg(all(feature = "std", target_os = "linux"))]
impl<L: Fn(&mut [u8]) -> Option<usize>> ClockBound<L> {
    /// `look` reads the page as in [`Page::read`].
    pub const fn new(look: L) -> Self {
        Self { look, last: std::sync::Mutex::new(None) }
    }
}

#[cfg(all(feature = "std", target_os = "linux"))]
impl<L: Fn(&mut [u8]) -> Option<usize>> super::BoundedTime for ClockBound<L> {
    fn now(&self) -> Result<Interval, BoundError> {
        let read = Page::read(&self.look);
        let page = {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (read, *last) {
                (Ok(page), _) => *last.insert(page),
                // An older bound is wider, and says itself when it is none any more.
                (Err(PageError::Busy), Some(page)) => page,
                (Err(error), _) => return Err(error.into()),
            }
        };
        // In this order: the counter may be read late, which widens the bound, but not early.
        let realtime = crate::source::realtime();
        let monotonic_ns = i64::try_from(crate::source::monotonic_ns()).unwrap_or(i64::MAX);
        page.at(realtime, monotonic_ns).map(|(interval, _)| interval)
    }
}

/// Why bytes are no page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// There are fewer bytes than a page of its version has.
    #[error("the page is too short")]
    Short,
    /// It does not begin as a page does: another file, or of a machine of other byte order.
    #[error("the bytes are no ClockBound page")]
    Magic,
    /// A version that did not exist when this was written.
    #[error("version {0} of the page is not known")]
    Version(u16),
    /// It states what no clock can do.
    #[error("the page states an impossible bound")]
    Absurd,
    /// It is being written, or was never; try again.
    #[error("the page is being written")]
    Busy,
    /// The caller could not read it.
    #[error("the page cannot be read")]
    Unreadable,
}

impl From<PageError> for BoundError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Busy => Self::Unreadable("the page is being written"),
            PageError::Unreadable => Self::Unreadable("the page cannot be read"),
            _ => Self::Malformed,
        }
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], PageError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(PageError::Short)?;
        self.0 = tail;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, PageError> {
        self.take().map(u16::from_ne_bytes)
    }

    fn u32(&mut self) -> Result<u32, PageError> {
        self.take().map(u32::from_ne_bytes)
    }

    fn i64(&mut self) -> Result<i64, PageError> {
        self.take().map(i64::from_ne_bytes)
    }

    /// Seconds and nanoseconds.
    fn time(&mut self) -> Result<i64, PageError> {
        let (seconds, nanos) = (self.i64()?, self.i64()?);
        Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }
}
