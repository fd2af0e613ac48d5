//! Connections that fill, break, hang and come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

mod common;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use common::{A, B, options, pair, receive, send, text, within};
use synod_tcp::{ConnectionError, TcpOptions, TcpTransport};
use synod_transport::ids::Incarnation;
use synod_transport::net::{Class, Frame, SendError, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A that dials an acceptor of ours, which takes any handshake and then reads only what the test reads.
async fn dialler(change: impl FnOnce(&mut TcpOptions)) -> (TcpTransport, BTreeMap<u8, TcpStream>) {
    let listener = TcpListener::bind(common::loopback(0)).await.unwrap();
    let mut options = options(A);
    options.peers.insert(B, listener.local_addr().unwrap());
    change(&mut options);
    let a = TcpTransport::bind(options).await.unwrap();
    let mut streams = BTreeMap::new();
    while streams.len() < 3 {
        let (mut stream, _) = within("a connection", listener.accept()).await.unwrap();
        let mut hello = [0; 60];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"SYNODTCP\x01\x00\x00\x00").await.unwrap();
        streams.insert(hello[10], stream);
    }
    within("all classes", a.wait_for(|a| Class::ALL.iter().all(|class| a.is_connected(B, *class)))).await;
    (a, streams)
}

/// Sends until the queue stays full, because nobody reads.
async fn fill(a: &mut TcpTransport, class: Class) {
    let block = Bytes::from(vec![7; 64 << 10]);
    let mut full = 0;
    for _ in 0..100_000 {
        match a.try_send(B, class, Frame::new(block.clone())) {
            Ok(()) => full = 0,
            Err(SendError::Full(B)) if full == 100 => return,
            Err(SendError::Full(B)) => {
                full += 1;
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never full");
}

#[tokio::test]
async fn transport_3_heartbeats_do_not_share_a_socket_with_data() {
    let (mut a, mut streams) = dialler(|options| options.queue_frames = 16).await;
    assert_eq!(streams.keys().copied().collect::<Vec<_>>(), [0, 1, 2], "a connection for each class");
    fill(&mut a, Class::Data).await;
    fill(&mut a, Class::Bulk).await;
    a.try_send(B, Class::Control, text("heartbeat")).unwrap();
    let mut frame = [0; 17];
    let control = streams.get_mut(&0).unwrap();
    within("the heartbeat", control.read_exact(&mut frame)).await.unwrap();
    assert_eq!(&frame[8..], b"heartbeat");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up() {
    let (mut a, streams) = dialler(|options| {
        options.queue_frames = 16;
        options.write_timeout = Duration::from_millis(50);
    })
    .await;
    fill(&mut a, Class::Bulk).await;
    within("the end", a.wait_for(|a| a.stats().failed > 0)).await;
    let error = a.last_error(B);
    let expected = [ConnectionError::WriteTimeout, ConnectionError::Lost(ErrorKind::TimedOut)];
    assert!(expected.iter().any(|expected| error == Some(*expected)), "{error:?}");
    assert!(a.stats().lost > 0, "what was under way is counted as lost");
    assert!(a.is_connected(B, Class::Control));
    drop(streams);
}

#[tokio::test]
async fn bytes_from_an_acceptor_after_its_answer_end_the_connection() {
    let (a, mut streams) = dialler(|_| ()).await;
    streams.get_mut(&1).unwrap().write_all(b"?").await.unwrap();
    within("the end", a.wait_for(|a| !a.is_connected(B, Class::Data))).await;
    assert_eq!(a.last_error(B), Some(ConnectionError::Unexpected));
}

#[tokio::test]
async fn an_idle_connection_that_the_peer_closes_is_noticed() {
    let (a, streams) = dialler(|_| ()).await;
    drop(streams);
    within("the end", a.wait_for(|a| !Class::ALL.iter().any(|class| a.is_connected(B, *class)))).await;
    assert!(a.stats().failed >= 3);
}

#[tokio::test]
async fn a_listener_that_dies_and_comes_back_is_found_again() {
    let (mut a, mut b) = pair(options(A), options(B)).await;
    send(&mut a, B, Class::Data, text("before")).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"before");
    let address = b.local_addr();
    b.shutdown().await;
    within("the loss", a.wait_for(|a| !a.is_connected(B, Class::Data))).await;
    let cannot = |a: &TcpTransport| matches!(a.last_error(B), Some(ConnectionError::Dial(_)));
    within("a dial that fails", a.wait_for(cannot)).await;

    let mut again = options(B);
    (again.listen, again.incarnation) = (address, Incarnation::new(2));
    again.peers.insert(A, a.local_addr());
    let mut b = TcpTransport::bind(again).await.unwrap();
    within("the way back", a.wait_for(|a| a.is_connected(B, Class::Data))).await;
    send(&mut a, B, Class::Data, text("after")).await;
    assert_eq!(&receive(&mut b).await.bytes[..], b"after");
    send(&mut b, A, Class::Data, text("back")).await;
    assert_eq!(&receive(&mut a).await.bytes[..], b"back");
}

#[tokio::test]
async fn control_frames_for_a_peer_that_is_away_give_way_to_newer_ones() {
    let mut options_of_a = options(A);
    options_of_a.queue_frames = 4;
    let mut a = TcpTransport::bind(options_of_a).await.unwrap();
    let closed = TcpListener::bind(common::loopback(0)).await.unwrap().local_addr().unwrap();
    a.set_peer(B, closed).unwrap();
    for number in 0..10_u8 {
        a.try_send(B, Class::Control, Frame::new(vec![number].into())).unwrap();
    }
    assert_eq!(a.stats().gave_way, 6);
    let data: Vec<_> = (0..6).map(|_| a.try_send(B, Class::Data, Frame::default()).is_ok()).collect();
    assert_eq!(data, [true, true, true, true, false, false]);

    let mut back = options(B);
    back.listen = closed;
    back.peers.insert(A, a.local_addr());
    let mut b = TcpTransport::bind(back).await.unwrap();
    let mut numbers = Vec::new();
    while numbers.len() < 4 {
        let received = receive(&mut b).await;
        if received.class == Class::Control {
            numbers.push(received.bytes[0]);
        }
    }
    assert_eq!(numbers, [6, 7, 8, 9]);
}

#[tokio::test]
async fn frames_of_many_parts_pass_through_a_tiny_buffer() {
    let mut small = options(A);
    small.send_buffer_bytes = Some(2048);
    let (mut a, mut b) = pair(small, options(B)).await;
    let block: Bytes = (0..=250).cycle().take(1 << 20).collect::<Vec<u8>>().into();
    // More parts than one write takes, around the length below which parts are copied together.
    let parts = (0..3000).map(|i| block.slice(i..i + 500 + i % 30)).collect();
    let frames = [
        Frame { head: block.slice(..9), parts },
        Frame { head: Bytes::new(), parts: vec![block.clone(), Bytes::new(), block.slice(1..)] },
        Frame::default(),
        Frame { head: block.slice(5..6), parts: vec![block.slice(..513); 5] },
    ];
    for frame in &frames {
        send(&mut a, B, Class::Bulk, frame.clone()).await;
    }
    for frame in frames {
        assert!(receive(&mut b).await.bytes == frame.clone().join(), "{frame:?}");
    }
    let stats = a.stats();
    assert!(stats.frames_sent == 4 && stats.writes > 4, "writes took parts: {stats:?}");
}

#[tokio::test]
async fn what_is_queued_together_leaves_in_one_write() {
    let (mut a, mut b) = pair(options(A), options(B)).await;
    within("the way", a.wait_for(|a| a.is_connected(B, Class::Data))).await;
    for _ in 0..500 {
        a.try_send(B, Class::Data, Frame { head: "head".into(), parts: vec!["part".into()] }).unwrap();
    }
    for _ in 0..500 {
        assert_eq!(&receive(&mut b).await.bytes[..], b"headpart");
    }
    let stats = a.stats();
    assert_eq!((stats.frames_sent, stats.writes), (500, 1));
}

#[tokio::test]
async fn shutdown_leaves_no_task_and_no_socket() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(alive(), 0);
    let (mut a, mut b) = pair(options(A), options(B)).await;
    let address = b.local_addr();
    send(&mut a, B, Class::Data, text("x")).await;
    receive(&mut b).await;
    let _stranger = TcpStream::connect(address).await.unwrap(); // a handshake under way
    assert!(alive() >= 8, "an acceptor and three diallers each");
    a.shutdown().await;
    drop(b); // aborts the same tasks without waiting for them
    let gone = async {
        while alive() > 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the end of all tasks", gone).await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(a.try_send(B, Class::Data, Frame::default()), Err(SendError::Closed));
    assert!(a.set_peer(B, address).is_err());
}

#[tokio::test]
async fn a_peer_that_is_removed_is_not_let_in_again() {
    let (mut a, mut b) = pair(options(A), options(B)).await;
    send(&mut a, B, Class::Data, text("x")).await;
    receive(&mut b).await;
    b.remove_peer(A);
    within("refusals", b.wait_for(|b| b.stats().refused > 0)).await;
    assert_eq!(b.last_refused(), Some(ConnectionError::Refused(synod_tcp::Refusal::Sender)));
    assert_eq!(b.try_send(A, Class::Data, Frame::default()), Err(SendError::UnknownPeer(A)));
}
