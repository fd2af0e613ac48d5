//! What a caller is told when a call has no answer.

use crate::command::Version;

/// Why a call did not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The time was up. The write may have taken effect, may do so later, or never.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// The time was up. Nothing happened.
    #[error("the service is not available: {0}")]
    Unavailable(String),
    /// The condition did not hold; the key holds this version. Nothing happened.
    #[error("the key does not hold what was expected, but {}", found(.0))]
    Mismatch(Option<Version>),
    /// The cluster has forgotten the session. Nothing happened.
    #[error("the session has expired")]
    SessionExpired,
    /// The server refuses the request as it stands. Nothing happened.
    #[error("refused with {code}: {message}")]
    Refused {
        /// The server's code, such as `too-large`.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The server's answer cannot be understood. A write has probably taken effect.
    #[error("the answer cannot be understood: {0}")]
    Answer(String),
    /// The client was set up wrongly. Nothing happened.
    #[error("{0}")]
    Setup(String),
}

fn found(version: &Option<Version>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"))
}
