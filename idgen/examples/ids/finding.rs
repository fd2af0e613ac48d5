//! What an id may be, and how that is shown.

use std::fmt;
use std::time::{Duration, SystemTime};

/// One way to read an id.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) kind: String,
    /// When it was made; none when its kind holds no time.
    pub(crate) time: Option<Duration>,
    /// When the first of its kind was made, if that is later than its epoch.
    pub(crate) since: Duration,
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Finding {
    pub(crate) fn new(kind: impl Into<String>, time: Option<Duration>) -> Self {
        Self { kind: kind.into(), time, since: Duration::ZERO, fields: Vec::new() }
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// Nobody made such ids before.
    pub(crate) fn since(self, since: Duration) -> Self {
        Self { since, ..self }
    }

    /// Whether such an id can have been made: not later than a day from now.
    pub(crate) fn is_likely(&self, now: Duration) -> bool {
        let latest = now + Duration::from_secs(86_400);
        self.time.is_none_or(|time| (self.since..=latest).contains(&time))
    }

    /// The kind without what it is made of.
    pub(crate) fn name(&self) -> &str {
        self.kind.split(':').next().unwrap_or(&self.kind)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.kind)?;
        let time = self.time.map(|time| ("time", show_time(time)));
        let fields = time.iter().chain(&self.fields);
        let width = fields.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
        fields.into_iter().try_for_each(|(name, value)| writeln!(f, "  {name:width$}  {value}"))
    }
}

/// A time for people.
pub(crate) fn show_time(since_1970: Duration) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(since_1970);
    let time = time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    time.map_or_else(|| "after the year 9999".to_owned(), |time| time.to_string())
}
