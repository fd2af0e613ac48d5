//! Errors as status codes and JSON, and the replies of the state machine as either.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::headers::entity_tag;
use crate::command::Version;
use crate::reply::Reply;

/// Why a request was not answered as asked. All but [`Problem::Unknown`] say that it had no effect, though an earlier
/// attempt of the same request may have had one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// 400 `bad-request`: a header, the query or the key cannot be read.
    #[error("{0}")]
    BadRequest(String),
    /// 404 `absent`: the key holds nothing.
    #[error("the key holds nothing")]
    Absent,
    /// 404 `no-such-page`: there is no such path.
    #[error("there is no such path")]
    NoSuchPage,
    /// 409 `superseded`: the session has since seen a later request.
    #[error("the session has since seen a later request")]
    Superseded,
    /// 410 `session-expired`: the session was forgotten, or never opened.
    #[error("the session was forgotten; open a new one")]
    SessionExpired,
    /// 412 `mismatch`: the condition does not hold; the answer's `version` says what the key holds.
    #[error("the key does not hold what was expected")]
    Mismatch(Option<Version>),
    /// 413 `too-large`: over a limit.
    #[error("{what} is over the limit of {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// 307 `elsewhere`: the leader is at `Location`.
    #[error("the leader is at {0}")]
    Elsewhere(String),
    /// 500 `malformed`: this server wrote a command, or a reply, that it cannot read.
    #[error("this server wrote what it cannot read")]
    Malformed,
    /// 503 `no-leader`: no leader is known; try again soon.
    #[error("no leader is known here")]
    NoLeader,
    /// 503 `no-quorum`: the leader could not make sure that it still leads; try again soon.
    #[error("no quorum confirmed the leader")]
    NoQuorum,
    /// 503 `busy`: too much is under way here; try again soon.
    #[error("too much is under way")]
    Busy,
    /// 503 `stopped`: this node is going down.
    #[error("this node has stopped")]
    Stopped,
    /// 504 `unknown`: the write may have taken effect, may do so later, or never.
    #[error("whether the write takes effect is not known; retry with the same request id, or read")]
    Unknown,
}

impl Problem {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request"),
            Self::Absent => (StatusCode::NOT_FOUND, "absent"),
            Self::NoSuchPage => (StatusCode::NOT_FOUND, "no-such-page"),
            Self::Superseded => (StatusCode::CONFLICT, "superseded"),
            Self::SessionExpired => (StatusCode::GONE, "session-expired"),
            Self::Mismatch(_) => (StatusCode::PRECONDITION_FAILED, "mismatch"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Elsewhere(_) => (StatusCode::TEMPORARY_REDIRECT, "elsewhere"),
            Self::Malformed => (StatusCode::INTERNAL_SERVER_ERROR, "malformed"),
            Self::NoLeader => (StatusCode::SERVICE_UNAVAILABLE, "no-leader"),
            Self::NoQuorum => (StatusCode::SERVICE_UNAVAILABLE, "no-quorum"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
            Self::Unknown => (StatusCode::GATEWAY_TIMEOUT, "unknown"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let mut body = json!({ "error": code, "message": self.to_string() });
        if let (Self::Mismatch(version), Some(body)) = (&self, body.as_object_mut()) {
            body.insert("version".into(), json!(version));
        }
        let extra: Option<(HeaderName, HeaderValue)> = match &self {
            Self::Elsewhere(location) => {
                HeaderValue::from_str(location).ok().map(|location| (header::LOCATION, location))
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
        };
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().extend(extra);
        response
    }
}

/// What the state machine said, as the answer to its client.
pub(super) fn answer(reply: Reply) -> Result<Response, Problem> {
    match reply {
        Reply::Opened(client) => Ok(Json(json!({ "client": client })).into_response()),
        Reply::Stored(version) => {
            let tag = [(header::ETAG, entity_tag(version))];
            Ok((tag, Json(json!({ "version": version }))).into_response())
        }
        Reply::Deleted(version) => Ok(Json(json!({ "version": version })).into_response()),
        Reply::Mismatch(version) => Err(Problem::Mismatch(version)),
        Reply::Expired => Err(Problem::SessionExpired),
        Reply::Superseded => Err(Problem::Superseded),
        Reply::Malformed => Err(Problem::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_outcome_has_its_status() {
        let problems = [
            Problem::BadRequest(String::new()),
            Problem::Superseded,
            Problem::SessionExpired,
            Problem::Mismatch(None),
            Problem::Elsewhere("http://127.0.0.1:1/kv/k".into()),
            Problem::NoLeader,
            Problem::NoQuorum,
            Problem::Busy,
            Problem::Stopped,
        ];
        for problem in problems {
            assert_ne!(problem.into_response().status(), StatusCode::GATEWAY_TIMEOUT);
        }
        assert_eq!(Problem::Unknown.into_response().status(), StatusCode::GATEWAY_TIMEOUT);
    }

    #[test]
    fn a_redirect_says_where_and_unavailability_says_when() {
        let there = Problem::Elsewhere("http://127.0.0.1:1/kv/k".into()).into_response();
        assert_eq!(
            there.headers().get(header::LOCATION).map(HeaderValue::as_bytes),
            Some(&b"http://127.0.0.1:1/kv/k"[..])
        );
        assert!(Problem::NoLeader.into_response().headers().contains_key(header::RETRY_AFTER));
        assert!(!Problem::Unknown.into_response().headers().contains_key(header::RETRY_AFTER));
    }
}
