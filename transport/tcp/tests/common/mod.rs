#![allow(dead_code)] // each test file uses a part

use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use synod_tcp::{TcpOptions, TcpTransport};
use synod_transport::ids::{ClusterId, Incarnation, NodeId};
use synod_transport::net::{Class, Frame, Inbound, Received, Transport};

pub(crate) const CLUSTER: ClusterId = ClusterId(0xC0FFEE);
pub(crate) const A: NodeId = NodeId::new(1);
pub(crate) const B: NodeId = NodeId::new(2);
/// Only a broken transport ever waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

pub(crate) fn options(id: NodeId) -> TcpOptions {
    let mut options = TcpOptions::new(CLUSTER, id, Incarnation::new(1), loopback(0));
    options.reconnect = (Duration::from_millis(1), Duration::from_millis(20));
    options
}

/// Two nodes that know each other.
pub(crate) async fn pair(a: TcpOptions, b: TcpOptions) -> (TcpTransport, TcpTransport) {
    let (id_a, id_b) = (a.id, b.id);
    let mut a = TcpTransport::bind(a).await.unwrap();
    let mut b = TcpTransport::bind(b).await.unwrap();
    a.set_peer(id_b, b.local_addr()).unwrap();
    b.set_peer(id_a, a.local_addr()).unwrap();
    (a, b)
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

pub(crate) async fn receive(at: &mut TcpTransport) -> Received {
    let mut out = Vec::new();
    let received = within("a frame", poll_fn(|cx| at.poll_recv(cx, &mut out, 1))).await;
    assert_eq!(received, Ok(1));
    out.remove(0)
}

/// Waits for room, then sends.
pub(crate) async fn send(from: &mut TcpTransport, to: NodeId, class: Class, frame: Frame) {
    within("room", poll_fn(|cx| from.poll_ready(cx, to, class))).await.unwrap();
    from.try_send(to, class, frame).unwrap();
}

pub(crate) fn text(text: &'static str) -> Frame {
    Frame::new(text.into())
}
