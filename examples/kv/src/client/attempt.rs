//! One request to one node, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ClientError;
use crate::command::{Expect, RequestId, Version};
use crate::http::{CLIENT_ID, REQUEST_ID, entity_tag, version};
use crate::service::Versioned;

/// A request as the caller means it.
#[derive(Clone, Default, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// A key; none asks for a session.
    pub(super) path: Option<&'a str>,
    pub(super) value: Option<Bytes>,
    pub(super) expect: Expect,
    pub(super) request: Option<RequestId>,
}

impl Ask<'_> {
    pub(super) fn changes(&self) -> bool {
        self.method != Method::GET
    }

    pub(super) fn build(&self, http: &reqwest::Client, node: &Url) -> Result<RequestBuilder, ClientError> {
        let url = match self.path {
            Some(key) => key_url(node, key)?,
            None => {
                let mut url = node.clone();
                url.set_path("/session");
                url
            }
        };
        let mut request = http.request(self.method.clone(), url);
        request = match self.expect {
            Expect::Anything => request,
            Expect::Absent => request.header(IF_NONE_MATCH, "*"),
            Expect::Present => request.header(IF_MATCH, "*"),
            Expect::Version(version) => request.header(IF_MATCH, entity_tag(version)),
        };
        if let Some(RequestId { client, number }) = self.request {
            request = request.header(CLIENT_ID, client).header(REQUEST_ID, number);
        }
        if let Some(value) = &self.value {
            request = request.body(value.clone());
        }
        Ok(request)
    }
}

/// The address of a key at a node.
pub(super) fn key_url(node: &Url, key: &str) -> Result<Url, ClientError> {
    if matches!(key, "" | "." | "..") {
        return Err(ClientError::Setup(format!("{key:?} cannot be a key: no path can end in it")));
    }
    let mut url = node.clone();
    url.set_query(None);
    match url.path_segments_mut() {
        Ok(mut path) => path.clear().push("kv").push(key),
        Err(()) => return Err(ClientError::Setup(format!("{node} cannot have a path"))),
    };
    Ok(url)
}

/// What came of one attempt.
pub(super) enum Attempt {
    /// The node's word on the matter.
    Answered(Answer),
    /// Ask there.
    Elsewhere(Url),
    /// Certainly nothing happened.
    NotDone(String),
    /// Something may have happened, or may yet.
    InDoubt(String),
}

/// Sends a request and sorts its answer.
pub(super) async fn attempt(request: RequestBuilder, time: Duration) -> Attempt {
    let response = match request.timeout(time).send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => return Attempt::NotDone(chain(&error)),
        Err(error) => return Attempt::InDoubt(chain(&error)),
    };
    let status = response.status();
    if status == StatusCode::TEMPORARY_REDIRECT {
        let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        return match location.and_then(|location| Url::parse(location).ok()) {
            Some(url) => Attempt::Elsewhere(url),
            None => Attempt::NotDone("a redirect to nowhere".to_owned()),
        };
    }
    match Answer::read(response).await {
        Err(error) => Attempt::InDoubt(chain(&error)),
        Ok(answer) => match status {
            StatusCode::SERVICE_UNAVAILABLE => Attempt::NotDone(answer.problem().message),
            status if status.is_server_error() => Attempt::InDoubt(answer.problem().message),
            _ => Attempt::Answered(answer),
        },
    }
}

/// One attempt alone.
pub(super) async fn once(request: RequestBuilder, time: Duration) -> Result<Answer, ClientError> {
    match attempt(request, time).await {
        Attempt::Answered(answer) => answer.settle(false),
        Attempt::Elsewhere(leader) => Err(ClientError::Unavailable(format!("redirected to {leader}"))),
        Attempt::NotDone(why) | Attempt::InDoubt(why) => Err(ClientError::Unavailable(why)),
    }
}

/// A node's answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
    message: String,
    version: Option<Version>,
}

impl Answer {
    async fn read(response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.bytes().await? })
    }

    /// The answer, or the error that it is. `in_doubt`: an earlier attempt may have taken effect.
    pub(super) fn settle(self, in_doubt: bool) -> Result<Self, ClientError> {
        let code = self.status;
        if code.is_success() {
            return Ok(self);
        }
        let Problem { error, message, version } = self.problem();
        if code == StatusCode::NOT_FOUND && error == "absent" {
            return Ok(self);
        }
        Err(match code {
            StatusCode::PRECONDITION_FAILED => ClientError::Mismatch(version),
            _ if in_doubt => ClientError::Unknown(message),
            StatusCode::GONE => ClientError::SessionExpired,
            _ => ClientError::Refused { code: error, message },
        })
    }

    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| ClientError::Answer(error.to_string()))
    }

    /// The body as a value, or its absence.
    pub(super) fn value(self) -> Result<Option<Versioned>, ClientError> {
        if self.status == StatusCode::NOT_FOUND {
            return match self.problem() {
                Problem { error, .. } if error == "absent" => Ok(None),
                Problem { error: code, message, .. } => Err(ClientError::Refused { code, message }),
            };
        }
        let tag = self.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let version =
            tag.and_then(version).ok_or_else(|| ClientError::Answer("no ETag of ours".to_owned()))?;
        Ok(Some(Versioned { value: self.body, version }))
    }

    fn problem(&self) -> Problem {
        self.json().unwrap_or_else(|_| Problem {
            error: self.status.as_str().to_owned(),
            message: String::from_utf8_lossy(&self.body).into_owned(),
            version: None,
        })
    }
}

/// An error with its causes.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_path_can_end_in_is_refused_before_anything_is_sent() {
        let node = Url::parse("http://127.0.0.1:1").expect("a url");
        for key in ["", ".", ".."] {
            assert!(matches!(key_url(&node, key), Err(ClientError::Setup(_))), "{key:?}");
        }
        assert_eq!(key_url(&node, "a/b ?").expect("a key").path(), "/kv/a%2Fb%20%3F");
    }

    #[test]
    fn only_the_nodes_own_word_says_that_a_key_is_absent() {
        let answer = |body: &'static str| Answer {
            status: StatusCode::NOT_FOUND,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        };
        assert!(answer(r#"{"error":"absent","message":"the key holds nothing"}"#).settle(false).is_ok());
        for body in [r#"{"error":"no-such-page","message":"there is no such path"}"#, "not found"] {
            assert!(matches!(answer(body).settle(false), Err(ClientError::Refused { .. })), "{body}");
        }
    }
}
