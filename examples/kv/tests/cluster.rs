//! Three whole nodes in one process: logs in temporary folders, sockets on loopback, HTTP in front.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod nodes;

use std::time::Duration;

use bytes::Bytes;
use nodes::Nodes;
use synod_kv::client::{Client, ClientError, Patience};
use synod_kv::command::Expect;

fn client(nodes: &Nodes) -> Client {
    let patience = Patience { call: Duration::from_secs(30), ..Patience::default() };
    Client::new(&nodes.urls(), patience).unwrap()
}

async fn value(client: &mut Client, key: &str) -> Option<Bytes> {
    client.get(key).await.unwrap().map(|found| found.value)
}

/// Asks a node until its own state holds this, old reads allowed.
async fn comes_to_hold(client: &Client, node: usize, key: &str, expected: &str) {
    let look = async {
        loop {
            if let Ok(Some(found)) = client.get_stale(node, key).await {
                if found.value == expected {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.unwrap();
}

async fn leader(client: &Client, nodes: &Nodes) -> usize {
    let look = async {
        loop {
            for node in nodes.running() {
                if client.status(node).await.is_ok_and(|status| status.is_leader()) {
                    return node;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.unwrap()
}

#[tokio::test]
async fn values_are_stored_compared_and_taken_away() {
    let nodes = Nodes::start(3);
    let mut client = client(&nodes);
    assert_eq!(value(&mut client, "k").await, None);
    let first = client.put("k", "a".into(), Expect::Absent).await.unwrap();
    assert_eq!(
        client.put("k", "b".into(), Expect::Absent).await,
        Err(ClientError::Mismatch(Some(first))),
        "there is something now"
    );
    let second = client.put("k", "b".into(), Expect::Version(first)).await.unwrap();
    assert!(second > first);
    let stale = client.put("k", "c".into(), Expect::Version(first)).await;
    assert_eq!(stale, Err(ClientError::Mismatch(Some(second))));
    assert_eq!(value(&mut client, "k").await, Some("b".into()));
    for node in 0..3 {
        comes_to_hold(&client, node, "k", "b").await;
    }
    assert_eq!(client.delete("k", Expect::Version(second)).await, Ok(Some(second)));
    assert_eq!(client.delete("k", Expect::Anything).await, Ok(None));
    assert_eq!(value(&mut client, "k").await, None);
    let odd = "a key/with \u{e4} ?&=#%";
    client.put(odd, "odd".into(), Expect::Anything).await.unwrap();
    assert_eq!(value(&mut client, odd).await, Some("odd".into()));
}

#[tokio::test]
async fn a_retry_with_the_same_ids_takes_effect_once() {
    let nodes = Nodes::start(3);
    let mut client = client(&nodes);
    client.put("warm", "up".into(), Expect::Anything).await.unwrap();
    let url = nodes.urls()[leader(&client, &nodes).await].clone();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let opened = http.post(format!("{url}/session")).send().await.unwrap();
    let id = opened.json::<serde_json::Value>().await.unwrap()["client"].as_u64().unwrap();
    let put = |number: u64, value: &'static str| {
        let request =
            http.put(format!("{url}/kv/k")).header("X-Client-Id", id).header("X-Request-Id", number);
        async move {
            let answer = request.header("If-None-Match", "*").body(value).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    let (status, first) = put(1, "a").await;
    assert_eq!(status, 200);
    assert_eq!(put(1, "a").await, (200, first), "the stored answer, though the key is no longer absent");
    assert_eq!(put(2, "b").await.0, 412);
    let (status, body) = put(1, "a").await;
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("superseded"), "{body}");
    let foreign = http.put(format!("{url}/kv/k")).header("X-Client-Id", 999).header("X-Request-Id", 1);
    assert_eq!(foreign.body("x").send().await.unwrap().status(), 410);
}

#[tokio::test]
async fn limits_redirects_and_errors_are_told_apart() {
    let nodes = Nodes::start(3);
    let mut client = client(&nodes);
    client.put("k", "v".into(), Expect::Anything).await.unwrap();
    let leader = leader(&client, &nodes).await;
    let (leader, follower) = (nodes.urls()[leader].clone(), nodes.urls()[(leader + 1) % 3].clone());
    comes_to_hold(&client, (nodes.urls().iter().position(|it| *it == follower)).unwrap(), "k", "v").await;
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();

    let there = http.put(format!("{follower}/kv/k")).body("w").send().await.unwrap();
    assert_eq!(there.status(), 307);
    assert_eq!(there.headers()["location"].to_str().unwrap(), format!("{leader}/kv/k"));
    let cases = [
        (http.put(format!("{leader}/kv/k")).body(vec![0; (256 << 10) + 1]), 413, "too-large"),
        (http.get(format!("{leader}/kv/{}", "k".repeat(513))), 413, "too-large"),
        (http.get(format!("{leader}/kv/k?consistency=maybe")), 400, "bad-request"),
        (http.put(format!("{leader}/kv/k")).header("If-Match", "17"), 400, "bad-request"),
        (http.get(format!("{leader}/kv/nothing")), 404, "absent"),
        (http.get(format!("{leader}/nowhere")), 404, "no-such-page"),
    ];
    for (request, status, code) in cases {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["error"], code);
    }
}

#[tokio::test]
async fn without_a_quorum_writes_are_refused_or_in_doubt_and_stale_reads_go_on() {
    let mut nodes = Nodes::start(3);
    let mut client = client(&nodes);
    client.put("k", "v".into(), Expect::Anything).await.unwrap();
    let last = leader(&client, &nodes).await;
    for node in (0..3).filter(|node| *node != last) {
        comes_to_hold(&client, node, "k", "v").await;
        nodes.stop(node);
    }
    let short = Patience { call: Duration::from_secs(3), ..Patience::default() };
    let mut hasty = Client::new(&nodes.urls(), short).unwrap();
    let refused = hasty.put("k", "w".into(), Expect::Anything).await;
    assert!(matches!(refused, Err(ClientError::Unavailable(_) | ClientError::Unknown(_))), "{refused:?}");
    let read = hasty.get("k").await;
    assert!(matches!(read, Err(ClientError::Unavailable(_))), "{read:?}");
    assert_eq!(client.get_stale(last, "k").await.unwrap().unwrap().value, "v");
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_leader_and_a_restart_of_all() {
    let mut nodes = Nodes::start(3);
    let mut client = client(&nodes);
    for at in 0..20 {
        client.put(&format!("k{at}"), format!("v{at}").into(), Expect::Anything).await.unwrap();
    }
    let gone = leader(&client, &nodes).await;
    nodes.stop(gone);
    client.put("k0", "later".into(), Expect::Anything).await.unwrap();
    assert_eq!(value(&mut client, "k1").await, Some("v1".into()));
    nodes.restart(gone);
    comes_to_hold(&client, gone, "k0", "later").await;
    assert_eq!(client.status(gone).await.unwrap().incarnation, 2, "each start is counted");

    (0..3).for_each(|node| nodes.stop(node));
    (0..3).for_each(|node| nodes.restart(node));
    assert_eq!(value(&mut client, "k0").await, Some("later".into()));
    for at in 1..20 {
        assert_eq!(value(&mut client, &format!("k{at}")).await, Some(format!("v{at}").into()));
    }
    // The session is older than the restart, and still good.
    client.put("k1", "again".into(), Expect::Present).await.unwrap();
    assert_eq!(client.status(0).await.unwrap().incarnation, if gone == 0 { 3 } else { 2 });
}
