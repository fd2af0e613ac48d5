//! The door: takes connections, hears who they are, and hands those that may come in to the receiving side.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use synod_transport::ids::NodeId;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::dial::prepare;
use crate::error::{ConnectionError, Refusal};
use crate::gate::Gate;
use crate::hello::{Hello, answer, hear, lost};
use crate::inbound::Incoming;
use crate::options::TcpOptions;
use crate::status::Status;

/// Wait after the system could not hand out a connection (too many open files, say).
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

pub(crate) struct Acceptor {
    pub(crate) options: Arc<TcpOptions>,
    pub(crate) gate: Arc<Gate<Incoming>>,
    pub(crate) status: Arc<Status>,
}

impl Acceptor {
    /// Accepts until the task is aborted; handshakes under way end with it.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut handshakes = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = handshakes.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((_, address)) if handshakes.len() >= self.options.max_handshakes => {
                        self.refuse(address, None, ConnectionError::Crowded);
                    }
                    Ok((stream, address)) => {
                        handshakes.spawn(Arc::clone(&self).greet(stream, address));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_RETRY).await;
                    }
                },
            }
        }
    }

    async fn greet(self: Arc<Self>, mut stream: TcpStream, address: SocketAddr) {
        let greeting = timeout(self.options.handshake_timeout, self.shake_hands(&mut stream)).await;
        let greeting = greeting.unwrap_or(Err((None, ConnectionError::HandshakeTimeout)));
        match greeting
            .and_then(|hello| Ok((hello, hello.class().map_err(|r| (None, ConnectionError::Refused(r)))?)))
        {
            Ok((hello, class)) => {
                tracing::debug!(peer = ?hello.from, ?class, %address, "accepted");
                self.gate.arrive(Incoming::new(&hello, class, stream, &self.options));
                self.status.accepted();
            }
            Err((peer, error)) => self.refuse(address, peer, error),
        }
    }

    /// An error comes with the peer's name only where it is one of our peers.
    async fn shake_hands(&self, stream: &mut TcpStream) -> Result<Hello, (Option<NodeId>, ConnectionError)> {
        prepare(stream, &self.options).map_err(|error| (None, lost(error)))?;
        let heard = match hear(stream).await {
            Ok(hello) => self.judge(&hello).map(|()| hello),
            Err(ConnectionError::Refused(refusal)) => Err((None, refusal)),
            Err(error) => return Err((None, error)),
        };
        let verdict = heard.as_ref().map(|_| ()).map_err(|(_, refusal)| *refusal);
        let answered = answer(stream, verdict).await;
        let hello = heard.map_err(|(peer, refusal)| (peer, ConnectionError::Refused(refusal)))?;
        answered.map_err(|error| (Some(hello.from), error))?;
        Ok(hello)
    }

    fn judge(&self, hello: &Hello) -> Result<(), (Option<NodeId>, Refusal)> {
        if hello.cluster != self.options.cluster {
            return Err((None, Refusal::Cluster));
        }
        if hello.to != self.options.id {
            return Err((None, Refusal::Receiver));
        }
        hello.class().map_err(|refusal| (None, refusal))?;
        if u32::try_from(self.options.max_frame_bytes).is_ok_and(|limit| hello.max_frame_bytes > limit) {
            return Err((None, Refusal::FrameLimit));
        }
        self.gate
            .admit(hello.from, hello.incarnation)
            .map_err(|refusal| ((refusal != Refusal::Sender).then_some(hello.from), refusal))
    }

    fn refuse(&self, address: SocketAddr, peer: Option<NodeId>, error: ConnectionError) {
        tracing::warn!(%address, ?peer, "a connection was sent away: {error}");
        self.status.refused(peer, error);
    }
}
