//! Round trips and one-way throughput between two nodes on loopback, beside bare tokio sockets in the same run.
//!
//! `cargo run --release -p synod-tcp --example ping`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use synod_tcp::{TcpOptions, TcpTransport};
use synod_transport::ids::{ClusterId, Incarnation, NodeId};
use synod_transport::net::{Class, Frame, Inbound, Received, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Outcome<T> = Result<T, Box<dyn Error>>;

const A: NodeId = NodeId::new(1);
const B: NodeId = NodeId::new(2);
const BYTES: usize = 64;
const TRIPS: u32 = 20_000;
const FRAMES: u32 = 2_000_000;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut a, mut b) = nodes().await?;
        let (mut left, mut right) = sockets().await?;
        // In turns, so that a busy machine is busy for both; the best round counts.
        let (mut floor, mut ours) = (Duration::MAX, Duration::MAX);
        for _ in 0..7 {
            floor = floor.min(bare_trips(&mut left, &mut right).await?);
            ours = ours.min(trips(&mut a, &mut b).await?);
        }
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(TRIPS);
        println!("round trip of {BYTES} bytes, bare sockets  {:8.2} us", micros(floor));
        println!("round trip of {BYTES} bytes, synod-tcp     {:8.2} us", micros(ours));
        println!("ratio                                  {:8.2}", ours.as_secs_f64() / floor.as_secs_f64());

        let time = one_way(&mut a, &mut b).await?;
        let rate = f64::from(FRAMES) / time.as_secs_f64();
        let stats = a.stats();
        println!("one way, frames of {BYTES} bytes           {rate:8.0} per second");
        println!(
            "frames in a write                      {:8.1}",
            stats.frames_sent as f64 / stats.writes as f64
        );
        Ok(())
    })
}

async fn nodes() -> Outcome<(TcpTransport, TcpTransport)> {
    let options = |id| {
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        TcpOptions::new(ClusterId(1), id, Incarnation::new(1), any)
    };
    let mut a = TcpTransport::bind(options(A)).await?;
    let mut b = TcpTransport::bind(options(B)).await?;
    a.set_peer(B, b.local_addr())?;
    b.set_peer(A, a.local_addr())?;
    a.wait_for(|a| a.is_connected(B, Class::Data)).await;
    b.wait_for(|b| b.is_connected(A, Class::Data)).await;
    Ok((a, b))
}

async fn sockets() -> Outcome<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let left = TcpStream::connect(listener.local_addr()?).await?;
    let (right, _) = listener.accept().await?;
    left.set_nodelay(true)?;
    right.set_nodelay(true)?;
    Ok((left, right))
}

async fn bare_trips(left: &mut TcpStream, right: &mut TcpStream) -> Outcome<Duration> {
    let begin = Instant::now();
    let ping = async {
        let mut bytes = [7; BYTES];
        for _ in 0..TRIPS {
            left.write_all(&bytes).await?;
            left.read_exact(&mut bytes).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let pong = async {
        let mut bytes = [0; BYTES];
        for _ in 0..TRIPS {
            right.read_exact(&mut bytes).await?;
            right.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::try_join!(ping, pong)?;
    Ok(begin.elapsed())
}

async fn trips(a: &mut TcpTransport, b: &mut TcpTransport) -> Outcome<Duration> {
    let begin = Instant::now();
    let ping = async {
        let mut received = Vec::new();
        let frame = Bytes::from(vec![7; BYTES]);
        for _ in 0..TRIPS {
            a.try_send(B, Class::Data, Frame::new(frame.clone()))?;
            receive(a, &mut received).await?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let pong = async {
        let mut received = Vec::new();
        for _ in 0..TRIPS {
            receive(b, &mut received).await?;
            for Received { from, class, bytes } in received.drain(..) {
                b.try_send(from, class, Frame::new(bytes))?;
            }
        }
        Ok(())
    };
    tokio::try_join!(ping, pong)?;
    Ok(begin.elapsed())
}

async fn one_way(a: &mut TcpTransport, b: &mut TcpTransport) -> Outcome<Duration> {
    let begin = Instant::now();
    let push = async {
        let frame = Bytes::from(vec![7; BYTES]);
        for _ in 0..FRAMES {
            poll_fn(|cx| a.poll_ready(cx, B, Class::Data)).await?;
            a.try_send(B, Class::Data, Frame::new(frame.clone()))?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let pull = async {
        let mut received = Vec::new();
        let mut left = FRAMES as usize;
        while left > 0 {
            left = left.saturating_sub(receive(b, &mut received).await?);
        }
        Ok(())
    };
    tokio::try_join!(push, pull)?;
    Ok(begin.elapsed())
}

async fn receive(at: &mut TcpTransport, received: &mut Vec<Received>) -> Outcome<usize> {
    received.clear();
    Ok(poll_fn(|cx| at.poll_recv(cx, received, 1024)).await?)
}
