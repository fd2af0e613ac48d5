//! Who is let in, and who is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

mod common;

use std::time::Duration;

use common::{A, B, CLUSTER, options, pair, receive, send, text, within};
use synod_tcp::{ConnectionError, Plaintext, Refusal, TcpError, TcpOptions, TcpTransport};
use synod_transport::ids::{ClusterId, Incarnation, NodeId};
use synod_transport::net::{Class, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A handshake by hand, so that each field can be wrong.
#[derive(Clone)]
struct Hello {
    magic: [u8; 8],
    version: u16,
    class: u8,
    max_frame: u32,
    cluster: ClusterId,
    from: NodeId,
    to: NodeId,
    incarnation: u64,
    flip: bool,
}

impl Hello {
    fn good() -> Self {
        Self {
            magic: *b"SYNODTCP",
            version: 1,
            class: 1,
            max_frame: 1000,
            cluster: CLUSTER,
            from: A,
            to: B,
            incarnation: 5,
            flip: false,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend([self.class, 0]);
        bytes.extend(self.max_frame.to_le_bytes());
        bytes.extend(self.cluster.0.to_le_bytes());
        bytes.extend(self.from.get().to_le_bytes());
        bytes.extend(self.to.get().to_le_bytes());
        bytes.extend(self.incarnation.to_le_bytes());
        let sum = crc32c::crc32c(&bytes);
        bytes.extend(sum.to_le_bytes());
        if self.flip {
            bytes[30] ^= 4;
        }
        bytes
    }
}

/// A frame as it stands on the wire.
fn wire(payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let sum = crc32c::crc32c_append(crc32c::crc32c(&len), payload);
    [&len, &sum.to_le_bytes(), payload].concat()
}

/// B, that knows A (where nobody listens), with short time-outs.
async fn acceptor(change: impl FnOnce(&mut TcpOptions)) -> TcpTransport {
    let mut options = options(B);
    options.max_frame_bytes = 1000;
    options.peers.insert(A, common::loopback(9));
    change(&mut options);
    TcpTransport::bind(options).await.unwrap()
}

async fn connect(to: &TcpTransport, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to.local_addr()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// All that comes until the other side closes.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = [0; 256];
    loop {
        match within("the end of the connection", stream.read(&mut piece)).await {
            Ok(0) | Err(_) => return all,
            Ok(n) => all.extend(&piece[..n]),
        }
    }
}

async fn refused(hello: &Hello, refusal: Refusal, code: Option<u8>) {
    let b = acceptor(|_| ()).await;
    let mut stream = connect(&b, &hello.bytes()).await;
    let answer = until_closed(&mut stream).await;
    within("the refusal", b.wait_for(|b| b.stats().refused == 1)).await;
    assert_eq!(b.last_refused(), Some(ConnectionError::Refused(refusal)));
    assert_eq!(b.stats().accepted, 0);
    let due = code.map(|code| [&b"SYNODTCP"[..], &[1, 0, code, 0]].concat()).unwrap_or_default();
    assert_eq!(answer, due, "{refusal:?}");
}

#[tokio::test]
async fn each_wrong_field_is_refused_by_its_name() {
    let good = Hello::good();
    refused(&Hello { magic: *b"GET / HT", ..good.clone() }, Refusal::Magic, None).await;
    refused(&Hello { version: 2, ..good.clone() }, Refusal::Version, Some(1)).await;
    refused(&Hello { flip: true, ..good.clone() }, Refusal::Damaged, Some(2)).await;
    refused(&Hello { cluster: ClusterId(1), ..good.clone() }, Refusal::Cluster, Some(3)).await;
    refused(&Hello { to: NodeId::new(3), ..good.clone() }, Refusal::Receiver, Some(4)).await;
    refused(&Hello { from: NodeId::new(3), ..good.clone() }, Refusal::Sender, Some(5)).await;
    refused(&Hello { from: B, ..good.clone() }, Refusal::Sender, Some(5)).await;
    refused(&Hello { class: 3, ..good.clone() }, Refusal::Class, Some(7)).await;
    refused(&Hello { max_frame: 1001, ..good }, Refusal::FrameLimit, Some(8)).await;
}

#[tokio::test]
async fn garbage_is_sent_away_from_its_first_bytes() {
    let b = acceptor(|_| ()).await;
    let mut stream = connect(&b, b"0123456789").await; // far fewer bytes than a handshake has
    assert!(until_closed(&mut stream).await.is_empty());
    within("the refusal", b.wait_for(|b| b.stats().refused == 1)).await;
    assert_eq!(b.last_refused(), Some(ConnectionError::Refused(Refusal::Magic)));
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut_off() {
    let b = acceptor(|options| options.handshake_timeout = Duration::from_millis(20)).await;
    let mut stream = connect(&b, &Hello::good().bytes()[..40]).await;
    assert!(until_closed(&mut stream).await.is_empty());
    within("the refusal", b.wait_for(|b| b.stats().refused == 1)).await;
    assert_eq!(b.last_refused(), Some(ConnectionError::HandshakeTimeout));
}

#[tokio::test]
async fn handshakes_under_way_are_bounded() {
    let b = acceptor(|options| options.max_handshakes = 2).await;
    let _first = connect(&b, &[]).await;
    let _second = connect(&b, &[]).await;
    let mut third = connect(&b, &[]).await;
    assert!(until_closed(&mut third).await.is_empty());
    within("the refusal", b.wait_for(|b| b.stats().refused == 1)).await;
    assert_eq!(b.last_refused(), Some(ConnectionError::Crowded));
}

#[tokio::test]
async fn transport_5_identity_is_the_connections() {
    let mut b = acceptor(|_| ()).await;
    let claim = NodeId::new(77).get().to_le_bytes().repeat(8);
    let _stream = connect(&b, &[Hello::good().bytes(), wire(&claim)].concat()).await;
    let received = receive(&mut b).await;
    assert_eq!((received.from, received.class, &received.bytes[..]), (A, Class::Data, &claim[..]));
}

#[tokio::test]
async fn an_older_life_is_refused_and_a_newer_one_takes_over() {
    let mut b = acceptor(|_| ()).await;
    let hello = |incarnation, class| Hello { incarnation, class, ..Hello::good() }.bytes();
    let mut control = connect(&b, &[hello(5, 0), wire(b"control of 5")].concat()).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"control of 5");

    let mut older = connect(&b, &hello(4, 1)).await;
    assert_eq!(until_closed(&mut older).await[10], 6);
    assert_eq!(b.last_error(A), Some(ConnectionError::Refused(Refusal::Incarnation)));

    // A newer life takes over all classes, whichever it dials first.
    let _newer = connect(&b, &[hello(6, 1), wire(b"data of 6")].concat()).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"data of 6");
    assert_eq!(until_closed(&mut control).await.len(), 12, "the answer, then the end");
    assert_eq!((b.stats().accepted, b.stats().replaced), (2, 1));
}

#[tokio::test]
async fn the_same_life_may_dial_again_and_takes_its_own_place() {
    let mut b = acceptor(|_| ()).await;
    let mut first = connect(&b, &[Hello::good().bytes(), wire(b"one")].concat()).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"one");
    let _second = connect(&b, &[Hello::good().bytes(), wire(b"two")].concat()).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"two");
    assert_eq!(until_closed(&mut first).await.len(), 12);
}

/// What follows a good handshake ends the connection with this error; the frame before it arrives.
async fn ends_with(bytes: &[u8], due: ConnectionError) {
    let mut b = acceptor(|_| ()).await;
    let mut stream = connect(&b, &[&Hello::good().bytes(), &wire(b"good"), bytes].concat()).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"good");
    let mut out = Vec::new();
    let end = std::future::poll_fn(|cx| {
        use synod_transport::net::Inbound;
        assert!(b.poll_recv(cx, &mut out, 1).is_pending());
        if b.stats().ended == 1 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    within("the end", end).await;
    assert_eq!(b.last_error(A), Some(due));
    assert_eq!(until_closed(&mut stream).await.len(), 12);
}

#[tokio::test]
async fn bad_frames_end_their_connection() {
    let oversize = ConnectionError::Oversize { len: 1001, limit: 1000 };
    ends_with(&wire(&[7; 1001])[..8], oversize).await;
    let most = ConnectionError::Oversize { len: u32::MAX as usize, limit: 1000 };
    ends_with(&[0xff; 9], most).await;
    let mut damaged = wire(b"damaged");
    damaged[10] ^= 1;
    ends_with(&[damaged, wire(b"sound")].concat(), ConnectionError::Damaged).await;
}

#[tokio::test]
async fn the_dialler_learns_why_it_was_refused_and_goes_on_when_it_is_mended() {
    let mut wrong = options(A);
    wrong.cluster = ClusterId(1);
    let (a, mut b) = pair(wrong, options(B)).await;
    within("refusals", a.wait_for(|a| a.stats().failed >= 3)).await;
    assert_eq!(a.last_error(B), Some(ConnectionError::RefusedByPeer(Refusal::Cluster)));
    assert!(!a.is_connected(B, Class::Data));
    let text_of = a.last_error(B).unwrap().to_string();
    assert_eq!(text_of, "the peer refused us: it says this node belongs to another cluster");
    drop(a);

    let mut right = options(A);
    right.peers.insert(B, b.local_addr());
    let mut a = TcpTransport::bind(right).await.unwrap();
    b.set_peer(A, a.local_addr()).unwrap();
    send(&mut a, B, Class::Data, text("hello")).await;
    assert_eq!(receive(&mut b).await.from, A);
}

#[tokio::test]
async fn plaintext_leaves_the_machine_only_by_name() {
    let anywhere = "0.0.0.0:0".parse().unwrap();
    let mut options = options(A);
    options.listen = anywhere;
    let refused = TcpTransport::bind(options.clone()).await;
    assert!(
        matches!(&refused, Err(TcpError::PlaintextListen { listen }) if *listen == anywhere),
        "{refused:?}"
    );
    assert!(refused.unwrap_err().to_string().contains("Plaintext::AcceptTheRisk"));

    let far = "192.0.2.1:7000".parse().unwrap();
    options.listen = common::loopback(0);
    options.peers.insert(B, far);
    let refused = TcpTransport::bind(options.clone()).await;
    assert!(matches!(refused, Err(TcpError::PlaintextPeer { peer: B, address }) if address == far));
    options.peers.clear();
    let mut loopback = TcpTransport::bind(options.clone()).await.unwrap();
    assert!(matches!(loopback.set_peer(B, far), Err(TcpError::PlaintextPeer { .. })));

    options.listen = anywhere;
    options.plaintext = Plaintext::AcceptTheRisk;
    let mut open = TcpTransport::bind(options).await.unwrap();
    assert!(open.local_addr().ip().is_unspecified());
    open.set_peer(B, far).unwrap();
}

#[tokio::test]
async fn options_are_checked() {
    let mut options = options(A);
    options.queue_frames = 0;
    let refused = TcpTransport::bind(options.clone()).await;
    assert!(matches!(refused, Err(TcpError::Option { field: "queue_frames", .. })));
    options.queue_frames = 1;
    options.peers.insert(A, common::loopback(1));
    assert!(matches!(TcpTransport::bind(options).await, Err(TcpError::Option { field: "peers", .. })));
}

#[tokio::test]
async fn a_newer_incarnation_of_a_real_peer_is_let_in_and_an_older_is_not() {
    let (a, mut b) = pair(options(A), options(B)).await;
    let mut again = options(A);
    again.incarnation = Incarnation::new(2);
    again.peers.insert(B, b.local_addr());
    drop(a);
    let mut a = TcpTransport::bind(again).await.unwrap();
    send(&mut a, B, Class::Control, Frame::default()).await;
    assert!(receive(&mut b).await.bytes.is_empty());
    drop(a);

    let mut stale = options(A);
    stale.peers.insert(B, b.local_addr());
    let a = TcpTransport::bind(stale).await.unwrap();
    within("refusals", a.wait_for(|a| a.stats().failed >= 3)).await;
    assert_eq!(a.last_error(B), Some(ConnectionError::RefusedByPeer(Refusal::Incarnation)));
}
