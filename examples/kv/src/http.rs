//! The service as seen by clients: HTTP/1.1 over axum.
//!
//! | request | answer |
//! |---|---|
//! | `GET /kv/{key}`, `?consistency=linearizable` (default) or `stale` | 200 with the value and its `ETag`, 404 |
//! | `PUT /kv/{key}` with the value as body | 200 `{"version":17}` |
//! | `DELETE /kv/{key}` | 200 `{"version":17}`, the version that was there, or `null` |
//! | `POST /session` | 200 `{"client":9}` |
//! | `GET /status` | 200, see [`Status`] |
//!
//! `If-Match: "17"`, `If-Match: *` and `If-None-Match: *` on `PUT` and `DELETE` make them conditional on what the key
//! holds: a compare-and-set. `X-Client-Id` (from `POST /session`) and `X-Request-Id` (a number that grows) make
//! retries harmless.
//!
//! A node that is not the leader redirects (307) to the one it takes for it. It does not forward: a redirect moves the
//! bytes once, shows the client what happened, and leaves one place, the client, where retries are decided.
//!
//! Every other error is `{"error":"CODE","message":"…"}`; [`Problem`] lists the codes. 504 `unknown` alone leaves open
//! whether a write took effect.

mod headers;
mod problem;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use synod_node::{Consistency, Handle};
use synod_transport::ids::{Incarnation, NodeId};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::command::{Change, Command, MAX_KEY, MAX_VALUE};
use crate::config::Peer;
use crate::reply::Reply;
use crate::service::{KeyValue, Versioned};
use crate::status::Status;

pub(crate) use headers::{CLIENT_ID, REQUEST_ID, entity_tag, version};
pub use problem::Problem;

/// Most requests under way at a node; more are refused as busy.
const MAX_REQUESTS: usize = 1024;
/// A request that has no outcome after this is answered without one.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) node: Handle<KeyValue>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) incarnation: Incarnation,
}

/// All routes.
pub(crate) fn router(app: App) -> Router {
    let room = Arc::new(Semaphore::new(MAX_REQUESTS));
    Router::new()
        .route("/kv/{key}", get(read).put(write).delete(delete))
        .route("/session", post(open))
        .layer(DefaultBodyLimit::max(MAX_VALUE as usize))
        .layer(from_fn_with_state(room, limit))
        .route("/status", get(status))
        .fallback(|| async { Problem::NoSuchPage })
        .with_state(Arc::new(app))
}

async fn limit(State(room): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match room.try_acquire() {
        // A client that never sends its body must not hold its place for ever. What it asked may have been proposed.
        Ok(_permit) => timeout(2 * PATIENCE, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::Unknown.into_response()),
        Err(_) => Problem::Busy.into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadQuery {
    #[serde(default)]
    consistency: Freshness,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Freshness {
    #[default]
    Linearizable,
    Stale,
}

async fn read(
    State(app): State<Arc<App>>,
    uri: Uri,
    key: Result<Path<String>, PathRejection>,
    query: Result<Query<ReadQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let key = checked(key)?;
    let Query(query) = query.map_err(|error| Problem::BadRequest(error.body_text()))?;
    let consistency = match query.consistency {
        Freshness::Linearizable => Consistency::Linearizable,
        Freshness::Stale => Consistency::Stale,
    };
    let found = timeout(PATIENCE, app.node.read(consistency, move |map| map.get(&key).cloned())).await;
    let found = found.map_err(|_| Problem::NoQuorum)?.map_err(|error| app.read_problem(&error, &uri))?;
    let Versioned { value, version } = found.ok_or(Problem::Absent)?;
    let tag = (header::ETAG, headers::entity_tag(version));
    let kind = (header::CONTENT_TYPE, "application/octet-stream".to_owned());
    Ok(([tag, kind], Body::from(value)).into_response())
}

async fn write(
    State(app): State<Arc<App>>,
    uri: Uri,
    key: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    value: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let key = checked(key)?;
    let value = value.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge { what: "the value", limit: MAX_VALUE as usize },
        _ => Problem::BadRequest(error.body_text()),
    })?;
    app.change(&uri, &headers, key, Some(value)).await
}

async fn delete(
    State(app): State<Arc<App>>,
    uri: Uri,
    key: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.change(&uri, &headers, checked(key)?, None).await
}

async fn open(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    app.propose(&uri, &Command::Open).await
}

async fn status(State(app): State<Arc<App>>) -> Result<Json<Status>, Problem> {
    let counts = app.node.read(Consistency::Stale, |map| (map.len(), map.session_count()));
    let (keys, sessions) = counts.await.map_err(|_| Problem::Stopped)?;
    Ok(Json(Status::new(&app.node.status(), app.incarnation, keys, sessions)))
}

fn checked(key: Result<Path<String>, PathRejection>) -> Result<Bytes, Problem> {
    let Path(key) = key.map_err(|error| Problem::BadRequest(error.body_text()))?;
    match key.len() {
        0 => Err(Problem::BadRequest("the key is empty".into())),
        len if len > MAX_KEY as usize => Err(Problem::TooLarge { what: "the key", limit: MAX_KEY as usize }),
        _ => Ok(key.into()),
    }
}

impl App {
    async fn change(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        key: Bytes,
        value: Option<Bytes>,
    ) -> Result<Response, Problem> {
        let change =
            Change { request: headers::request(headers)?, expect: headers::expect(headers)?, key, value };
        self.propose(uri, &Command::Change(change)).await
    }

    async fn propose(&self, uri: &Uri, command: &Command) -> Result<Response, Problem> {
        let proposed = timeout(PATIENCE, self.node.propose(command.encode())).await;
        let reply =
            proposed.map_err(|_| Problem::Unknown)?.map_err(|error| self.propose_problem(&error, uri))?;
        problem::answer(Reply::decode(reply).map_err(|_| Problem::Malformed)?)
    }

    fn redirect(&self, leader: Option<NodeId>, uri: &Uri) -> Problem {
        let leader = leader.and_then(|leader| self.peers.iter().find(|peer| peer.id == leader));
        match leader {
            None => Problem::NoLeader,
            Some(peer) => {
                let path = uri.path_and_query().map_or("/", |it| it.as_str());
                Problem::Elsewhere(format!("http://{}{path}", peer.http))
            }
        }
    }

    fn propose_problem(&self, error: &synod_node::ProposeError, uri: &Uri) -> Problem {
        use synod_node::ProposeError as Error;
        match error {
            Error::NotLeader { leader } => self.redirect(*leader, uri),
            Error::Busy => Problem::Busy,
            Error::TooLarge { limit, .. } => Problem::TooLarge { what: "the request", limit: *limit },
            Error::Stopped => Problem::Stopped,
            _ => Problem::Unknown,
        }
    }

    fn read_problem(&self, error: &synod_node::ReadError, uri: &Uri) -> Problem {
        use synod_node::ReadError as Error;
        match error {
            Error::NotLeader { leader } => self.redirect(*leader, uri),
            Error::Busy => Problem::Busy,
            Error::Stopped => Problem::Stopped,
            _ => Problem::NoQuorum,
        }
    }
}
