//! A client that finds the leader, retries, and says what it does not know.
//!
//! A write is retried under the same request id until its outcome is known or the time is up. Writes of one client
//! go one after the other, which `&mut self` asks for; use one client per task.

mod attempt;
mod error;

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url, redirect};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::command::{Expect, RequestId, Version};
use crate::service::Versioned;
use crate::status::Status;
use attempt::{Answer, Ask, Attempt, key_url};

pub use error::ClientError;

/// How long a client tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// A call returns after this, with an error when it must.
    pub call: Duration,
    /// One attempt at one node is given up after this.
    pub attempt: Duration,
    /// Between two attempts, when the first gave no better idea.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self { call: ms(10_000), attempt: ms(1_000), pause: ms(50) }
    }
}

/// A client with a session of its own, opened with the first write.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    patience: Patience,
    nodes: Vec<Url>,
    /// The node to ask: the leader, as far as known.
    target: Url,
    /// Which of the nodes to ask when the target fails.
    next: usize,
    session: Option<u64>,
    number: u64,
}

impl Client {
    /// A client of the cluster with these nodes, such as `http://127.0.0.1:8001`.
    ///
    /// # Errors
    /// [`ClientError::Setup`] when there is no node, or an address cannot be read.
    pub fn new<S: AsRef<str>>(nodes: &[S], patience: Patience) -> Result<Self, ClientError> {
        let setup = |what: &dyn std::fmt::Display| ClientError::Setup(what.to_string());
        let parse = |node: &S| Url::parse(node.as_ref()).map_err(|error| setup(&error));
        let nodes = nodes.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let target = nodes.first().ok_or_else(|| setup(&"no node was given"))?.clone();
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build();
        let http = http.map_err(|error| setup(&error))?;
        Ok(Self { http, patience, nodes, target, next: 0, session: None, number: 0 })
    }

    /// What a key holds: the newest acknowledged value or a newer one.
    pub async fn get(&mut self, key: &str) -> Result<Option<Versioned>, ClientError> {
        let answer = self.call(Ask { method: Method::GET, path: Some(key), ..Ask::default() }).await?;
        answer.value()
    }

    /// What a key holds at the node at `node` (an index into those given), old or not. One attempt.
    pub async fn get_stale(&self, node: usize, key: &str) -> Result<Option<Versioned>, ClientError> {
        let node = self.node(node)?;
        let mut url = key_url(node, key)?;
        url.set_query(Some("consistency=stale"));
        attempt::once(self.http.get(url), self.patience.attempt).await?.value()
    }

    /// Stores a value and gives its version.
    pub async fn put(&mut self, key: &str, value: Bytes, expect: Expect) -> Result<Version, ClientError> {
        #[derive(Deserialize)]
        struct Stored {
            version: Version,
        }
        let ask = Ask { method: Method::PUT, path: Some(key), value: Some(value), expect, request: None };
        let Stored { version } = self.change(ask).await?.json()?;
        Ok(version)
    }

    /// Takes a key away and gives the version it held.
    pub async fn delete(&mut self, key: &str, expect: Expect) -> Result<Option<Version>, ClientError> {
        #[derive(Deserialize)]
        struct Deleted {
            version: Option<Version>,
        }
        let ask = Ask { method: Method::DELETE, path: Some(key), expect, ..Ask::default() };
        let Deleted { version } = self.change(ask).await?.json()?;
        Ok(version)
    }

    /// What the node at `node` says of itself. One attempt.
    pub async fn status(&self, node: usize) -> Result<Status, ClientError> {
        let mut url = self.node(node)?.clone();
        url.set_path("/status");
        attempt::once(self.http.get(url), self.patience.attempt).await?.json()
    }

    fn node(&self, at: usize) -> Result<&Url, ClientError> {
        self.nodes.get(at).ok_or_else(|| ClientError::Setup(format!("there is no node {at}")))
    }

    async fn change(&mut self, ask: Ask<'_>) -> Result<Answer, ClientError> {
        let client = match self.session {
            Some(client) => client,
            None => self.open().await?,
        };
        self.number += 1;
        let request = Some(RequestId { client, number: self.number });
        let result = self.call(Ask { request, ..ask.clone() }).await;
        if !matches!(result, Err(ClientError::SessionExpired)) {
            return result;
        }
        // Forgotten before this request had any effect: again, in a session of its own.
        let client = self.open().await?;
        self.call(Ask { request: Some(RequestId { client, number: self.number }), ..ask }).await
    }

    async fn open(&mut self) -> Result<u64, ClientError> {
        #[derive(Deserialize)]
        struct Opened {
            client: u64,
        }
        let answer = self.call(Ask { method: Method::POST, ..Ask::default() }).await;
        // A session that nobody knows of does no harm, so that its outcome need not be known.
        let answer = answer.map_err(|error| match error {
            ClientError::Unknown(last) => ClientError::Unavailable(last),
            error => error,
        })?;
        let Opened { client } = answer.json()?;
        self.session = Some(client);
        Ok(client)
    }

    /// Attempts until there is an answer or the time is up.
    async fn call(&mut self, ask: Ask<'_>) -> Result<Answer, ClientError> {
        let end = Instant::now() + self.patience.call;
        let mut in_doubt = false;
        let mut hops = 0;
        loop {
            let request = ask.build(&self.http, &self.target)?;
            let left = end.saturating_duration_since(Instant::now());
            let last = match attempt::attempt(request, self.patience.attempt.min(left)).await {
                Attempt::Answered(answer) => return answer.settle(in_doubt),
                Attempt::Elsewhere(leader) if hops < self.nodes.len() => {
                    hops += 1;
                    self.target = leader;
                    continue;
                }
                Attempt::Elsewhere(_) => "the nodes redirect in a circle".to_owned(),
                Attempt::NotDone(why) => why,
                Attempt::InDoubt(why) => {
                    in_doubt |= ask.changes();
                    why
                }
            };
            hops = 0;
            self.turn();
            if Instant::now() + self.patience.pause >= end {
                return Err(if in_doubt {
                    ClientError::Unknown(last)
                } else {
                    ClientError::Unavailable(last)
                });
            }
            sleep(self.patience.pause).await;
        }
    }

    /// Asks the next node from now on.
    fn turn(&mut self) {
        self.next = (self.next + 1) % self.nodes.len().max(1);
        if let Some(node) = self.nodes.get(self.next) {
            self.target = node.clone();
        }
    }
}
