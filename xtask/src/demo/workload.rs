//! The clients: each asks, waits for the answer, notes both, and asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use synod_kv::client::{Client, ClientError, Patience};
use synod_kv::command::{Expect, Version};
use synod_kv::service::Versioned;
use synod_sim::linear::{Answer, Kind, Operation};
use synod_transport::rng::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::calls::Call;
use super::cluster::{Cluster, NODES};
use super::stage::Stage;
use super::{Args, Plant};

/// Most clients wait out any failover; every third gives up early, so that some outcomes stay unknown.
fn patience(client: u64) -> Patience {
    let ms = Duration::from_millis;
    Patience { call: if client % 3 == 2 { ms(300) } else { ms(8000) }, attempt: ms(400), pause: ms(20) }
}

/// Waits until the cluster takes a write.
pub(super) async fn ready(cluster: &Cluster) -> anyhow::Result<()> {
    let mut client = Client::new(&cluster.urls(), Patience::default())?;
    client.put("ready", "yes".into(), Expect::Anything).await.context("the nodes do not come up")?;
    Ok(())
}

/// The running clients.
pub(super) struct Clients {
    tasks: JoinSet<anyhow::Result<Customer>>,
}

impl Clients {
    /// Starts them all.
    pub(super) fn start(args: &Args, cluster: &Cluster, stage: &Stage) -> anyhow::Result<Self> {
        let done = Arc::new(AtomicU64::new(0));
        let mut rng = Rng::new(args.seed);
        let mut tasks = JoinSet::new();
        for id in 0..args.clients {
            let customer = Customer {
                id,
                client: Client::new(&cluster.urls(), patience(id))?,
                stage: stage.clone(),
                rng: rng.fork(id),
                plant: args.plant,
                seen: vec![None; usize::try_from(args.keys)?],
                written: 0,
                calls: Vec::new(),
            };
            tasks.spawn(customer.shop(Arc::clone(&done)));
        }
        Ok(Self { tasks })
    }

    /// Waits until all have ended, and gives what they noted.
    pub(super) async fn stop(mut self) -> anyhow::Result<Vec<Call>> {
        let mut calls = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            calls.extend(ended??.calls);
        }
        Ok(calls)
    }
}

/// The name of a key.
pub(super) fn key_name(key: usize) -> String {
    format!("key-{key:02}")
}

/// The value as text, as histories have it.
pub(super) fn text(found: &Versioned) -> String {
    String::from_utf8_lossy(&found.value).into_owned()
}

struct Customer {
    id: u64,
    client: Client,
    stage: Stage,
    rng: Rng,
    plant: Option<Plant>,
    /// What it last knew each key to hold.
    seen: Vec<Option<(String, Version)>>,
    written: u64,
    calls: Vec<Call>,
}

impl Customer {
    async fn shop(mut self, done: Arc<AtomicU64>) -> anyhow::Result<Self> {
        while !self.stage.is_over() {
            let key = usize::try_from(self.rng.below(self.seen.len() as u64))?;
            match self.rng.below(100) {
                0..45 => self.get(key).await?,
                45..75 => {
                    self.put(key).await?;
                    if self.plant.is_some() {
                        // At once, while followers may not have heard that the write is committed.
                        self.get(key).await?;
                    }
                }
                75..93 => self.compare_and_set(key).await?,
                _ => self.delete(key).await?,
            }
            self.stage.tick(done.fetch_add(1, Ordering::Relaxed) + 1);
            sleep(Duration::from_micros(self.rng.below(4000))).await;
        }
        Ok(self)
    }

    async fn get(&mut self, key: usize) -> anyhow::Result<()> {
        let name = key_name(key);
        let invoke = self.stage.nanos();
        let found = match self.plant {
            None => self.client.get(&name).await,
            Some(Plant::StaleRead) => {
                let node = usize::try_from(self.rng.below(NODES as u64))?;
                self.client.get_stale(node, &name).await
            }
        };
        let answer = found.map(|found| {
            let value = found.as_ref().map(text);
            self.know(key, found.map(|found| (text(&found), found.version)));
            Answer::Value(value)
        });
        self.note(name, Kind::Get, invoke, answer)
    }

    async fn put(&mut self, key: usize) -> anyhow::Result<()> {
        let (name, value) = (key_name(key), self.new_value());
        let invoke = self.stage.nanos();
        let stored = self.client.put(&name, value.clone().into(), Expect::Anything).await;
        let answer = stored.map(|version| {
            self.know(key, Some((value.clone(), version)));
            Answer::Done
        });
        self.note(name, Kind::Put(value), invoke, answer)
    }

    /// By version on the wire, by value in the history: no value is ever written twice, so that they mean the same.
    async fn compare_and_set(&mut self, key: usize) -> anyhow::Result<()> {
        let (name, new) = (key_name(key), self.new_value());
        let (expect, condition) = match self.seen.get(key).cloned().flatten() {
            None => (None, Expect::Absent),
            Some((value, version)) => (Some(value), Expect::Version(version)),
        };
        let invoke = self.stage.nanos();
        let answer = match self.client.put(&name, new.clone().into(), condition).await {
            Ok(version) => {
                self.know(key, Some((new.clone(), version)));
                Ok(Answer::Swapped(true))
            }
            Err(ClientError::Mismatch(_)) => Ok(Answer::Swapped(false)),
            Err(error) => Err(error),
        };
        let missed = matches!(answer, Ok(Answer::Swapped(false)));
        self.note(name, Kind::CompareAndSet { expect, new }, invoke, answer)?;
        if missed { self.get(key).await } else { Ok(()) }
    }

    async fn delete(&mut self, key: usize) -> anyhow::Result<()> {
        let name = key_name(key);
        let invoke = self.stage.nanos();
        let answer = self.client.delete(&name, Expect::Anything).await.map(|_| {
            self.know(key, None);
            Answer::Done
        });
        self.note(name, Kind::Delete, invoke, answer)
    }

    fn know(&mut self, key: usize, found: Option<(String, Version)>) {
        if let Some(seen) = self.seen.get_mut(key) {
            *seen = found;
        }
    }

    fn new_value(&mut self) -> String {
        self.written += 1;
        format!("{}-{}", self.id, self.written)
    }

    /// Notes an operation. What no server should say ends the run.
    fn note(
        &mut self,
        key: String,
        kind: Kind,
        invoke: u64,
        answer: Result<Answer, ClientError>,
    ) -> anyhow::Result<()> {
        let ended = self.stage.nanos();
        let (result, complete, refused) = match answer {
            Ok(answer) => (answer, Some(ended), false),
            Err(ClientError::Unknown(_)) => (Answer::Unknown, None, false),
            Err(ClientError::Unavailable(_)) => (Answer::Unknown, None, true),
            Err(error) => return Err(error).with_context(|| format!("{kind:?} of {key}")),
        };
        let operation = Operation { client: self.id, key, kind, invoke, complete, result };
        self.calls.push(Call { operation, ended, refused });
        Ok(())
    }
}
