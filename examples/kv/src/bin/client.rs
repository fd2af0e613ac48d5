//! A command-line client: `synod-kv-client put greeting hello`.
//!
//! Ends with status 0 when done, 1 when a key is absent or does not hold what was expected, 2 when nothing happened
//! for another reason, 3 when the outcome is unknown.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use synod_kv::client::{Client, ClientError, Patience};
use synod_kv::command::Expect;

#[derive(Parser)]
#[command(name = "synod-kv-client", version, about = "Talks to a replicated key-value service")]
struct Flags {
    /// A node to ask; once for each that is known. The client finds the leader from any of them.
    #[arg(long = "node", value_name = "URL", default_value = "http://127.0.0.1:8001", global = true)]
    nodes: Vec<String>,
    /// Give up after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, global = true)]
    patience: u64,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print what a key holds.
    Get {
        /// The key.
        key: String,
        /// Ask the first node alone, and take what it has.
        #[arg(long)]
        stale: bool,
    },
    /// Store a value and print its version.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: String,
        #[command(flatten)]
        condition: Condition,
    },
    /// Take a key away.
    Delete {
        /// The key.
        key: String,
        #[command(flatten)]
        condition: Condition,
    },
    /// Store a value if the key holds this version now; the same as put with --if-version.
    Cas {
        /// The key.
        key: String,
        /// The version that it must hold.
        version: u64,
        /// The value.
        value: String,
    },
    /// Print what each node says of itself.
    Status,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct Condition {
    /// Only if the key holds this version.
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
    /// Only if the key holds nothing.
    #[arg(long)]
    if_absent: bool,
    /// Only if the key holds something.
    #[arg(long)]
    if_present: bool,
}

impl Condition {
    fn expect(&self) -> Expect {
        match (self.if_version, self.if_absent, self.if_present) {
            (Some(version), _, _) => Expect::Version(version),
            (None, true, _) => Expect::Absent,
            (None, false, true) => Expect::Present,
            (None, false, false) => Expect::Anything,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("synod-kv-client: {error:#}");
            ExitCode::from(match error.downcast_ref() {
                Some(ClientError::Mismatch(_)) => 1,
                Some(ClientError::Unknown(_) | ClientError::Answer(_)) => 3,
                _ => 2,
            })
        }
    }
}

async fn run(flags: Flags) -> anyhow::Result<u8> {
    let patience = Patience { call: Duration::from_secs(flags.patience), ..Patience::default() };
    let mut client = Client::new(&flags.nodes, patience)?;
    match flags.action {
        Action::Get { key, stale } => {
            let found = if stale { client.get_stale(0, &key).await? } else { client.get(&key).await? };
            let Some(found) = found else { return Ok(1) };
            eprintln!("version {}", found.version);
            std::io::stdout().write_all(&found.value)?;
            println!();
        }
        Action::Put { key, value, condition } => {
            println!("version {}", client.put(&key, value.into(), condition.expect()).await?);
        }
        Action::Cas { key, version, value } => {
            println!("version {}", client.put(&key, value.into(), Expect::Version(version)).await?);
        }
        Action::Delete { key, condition } => match client.delete(&key, condition.expect()).await? {
            Some(version) => println!("version {version} is gone"),
            None => return Ok(1),
        },
        Action::Status => return status(&client, &flags.nodes).await,
    }
    Ok(0)
}

async fn status(client: &Client, nodes: &[String]) -> anyhow::Result<u8> {
    let mut worst = 0;
    for (at, node) in nodes.iter().enumerate() {
        match client.status(at).await {
            Ok(status) => println!("{}", serde_json::to_string(&status)?),
            Err(error) => {
                println!("{node}: {error}");
                worst = 2;
            }
        }
    }
    Ok(worst)
}
