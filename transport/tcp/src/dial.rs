//! The way out: one task per (peer, class) dials, says hello and writes what its lane holds.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use synod_transport::rng::Rng;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::batch::Batch;
use crate::error::ConnectionError;
use crate::hello::{Hello, introduce, lost};
use crate::lane::Lane;
use crate::options::TcpOptions;
use crate::status::Status;

pub(crate) struct Dialler {
    pub(crate) lane: Arc<Lane>,
    pub(crate) address: SocketAddr,
    pub(crate) options: Arc<TcpOptions>,
    pub(crate) status: Arc<Status>,
}

impl Dialler {
    /// Keeps a connection up until the task is aborted.
    pub(crate) async fn run(self) {
        let (peer, class) = (self.lane.peer, self.lane.class);
        let lane = peer.get().wrapping_mul(3).wrapping_add(class.number().into());
        let mut rng = Rng::new(self.options.seed).fork(lane);
        let (shortest, longest) = self.options.reconnect;
        let mut wait = shortest;
        let mut batch = Batch::default();
        loop {
            let dialled = timeout(self.options.handshake_timeout, self.dial()).await;
            let error = match dialled.unwrap_or(Err(ConnectionError::HandshakeTimeout)) {
                Ok(stream) => {
                    wait = shortest;
                    self.status.dialled(peer, class);
                    tracing::debug!(?peer, ?class, "connected");
                    self.carry(&stream, &mut batch).await
                }
                Err(error) => error,
            };
            if let ConnectionError::RefusedByPeer(refusal) = error {
                tracing::warn!(?peer, ?class, ?refusal, "{error}");
            } else {
                tracing::debug!(?peer, ?class, "{error}");
            }
            self.status.failed(peer, class, error);
            sleep(jittered(wait, &mut rng)).await;
            wait = wait.saturating_mul(2).min(longest);
        }
    }

    async fn dial(&self) -> Result<TcpStream, ConnectionError> {
        let mut stream =
            TcpStream::connect(self.address).await.map_err(|error| ConnectionError::Dial(error.kind()))?;
        prepare(&stream, &self.options).map_err(lost)?;
        let hello = Hello {
            class: self.lane.class.number(),
            max_frame_bytes: u32::try_from(self.options.max_frame_bytes).unwrap_or(u32::MAX),
            cluster: self.options.cluster,
            from: self.options.id,
            to: self.lane.peer,
            incarnation: self.options.incarnation,
        };
        introduce(&mut stream, &hello).await?;
        Ok(stream)
    }

    /// Writes batch after batch until the connection ends.
    async fn carry(&self, stream: &TcpStream, batch: &mut Batch) -> ConnectionError {
        loop {
            if let Err(error) = poll_fn(|cx| self.poll_work(cx, stream, batch)).await {
                return error;
            }
            match self.write(stream, batch).await {
                Ok(writes) => self.status.count(|stats| {
                    stats.frames_sent += batch.count;
                    stats.writes += writes;
                }),
                Err(error) => {
                    self.status.count(|stats| stats.lost += batch.count);
                    return error;
                }
            }
            if batch.is_large {
                tokio::task::yield_now().await; // a long queue must not keep the thread to itself
            }
        }
    }

    /// Ready with a batch, or with the end of a connection on which nothing may come back.
    fn poll_work(
        &self,
        cx: &mut Context<'_>,
        stream: &TcpStream,
        batch: &mut Batch,
    ) -> Poll<Result<(), ConnectionError>> {
        if batch.poll_fill(cx, &self.lane).is_ready() {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(stream.poll_read_ready(cx)).map_err(lost)?;
            match stream.try_read(&mut [0]) {
                Ok(0) => return Poll::Ready(Err(ConnectionError::Ended)),
                Ok(_) => return Poll::Ready(Err(ConnectionError::Unexpected)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(lost(error))),
            }
        }
    }

    /// Writes a whole batch; gives the number of writes it took.
    async fn write(&self, stream: &TcpStream, batch: &mut Batch) -> Result<u64, ConnectionError> {
        let mut writes = 0;
        while !batch.is_written() {
            match batch.write(stream) {
                Ok(()) => writes += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let room = timeout(self.options.write_timeout, stream.writable()).await;
                    room.map_err(|_| ConnectionError::WriteTimeout)?.map_err(lost)?;
                }
                Err(error) => return Err(lost(error)),
            }
        }
        Ok(writes)
    }
}

/// Socket options of both sides.
pub(crate) fn prepare(stream: &TcpStream, options: &TcpOptions) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&keepalive)?;
    if let Some(bytes) = options.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    // Small frames into a dead connection vanish in the kernel's buffer for a quarter of an hour without this.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(options.write_timeout))?;
    Ok(())
}

/// Between half of it and all of it.
fn jittered(wait: Duration, rng: &mut Rng) -> Duration {
    let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(rng.between(nanos / 2, nanos))
}
