//! What is asked for.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{decode, make};

/// Makes ids and explains them.
#[derive(Parser, Debug)]
#[command(name = "ids")]
pub(crate) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// 41 bits of milliseconds, 10 of the node, 12 of the sequence; Twitter's epoch.
    Snowflake(OfNode),
    /// 42 bits of milliseconds, 5 of worker, 5 of process, 12 of the sequence.
    Discord(OfNode),
    /// 41 bits of milliseconds, 13 of the shard, 10 of the sequence.
    Instagram(OfNode),
    /// 39 bits of 10 ms, 8 of the sequence, 16 of the machine.
    Sonyflake(OfNode),
    /// 42 bits of milliseconds, 10 of the node, 12 of the sequence, as text.
    Tsid(OfNode),
    /// 48 bits of milliseconds, 16 of the sequence.
    Mastodon(Count),
    /// 53 bits, which a number of JavaScript holds.
    Javascript(OfNode),
    /// By RFC 9562.
    Uuid(OfVersion),
    /// 48 bits of milliseconds, 80 random ones.
    Ulid(Count),
    /// 32 bits of seconds, 128 random ones.
    Ksuid(Count),
    /// Says what an id may be, and what its parts are.
    Decode(Decode),
}

/// How many.
#[derive(Args, Debug)]
pub(crate) struct Count {
    /// How many ids.
    #[arg(short = 'n', default_value_t = 1)]
    pub(crate) count: u64,
}

#[derive(Args, Debug)]
pub(crate) struct OfNode {
    /// Who makes them: no two at a time may be the same.
    #[arg(long, default_value_t = 0)]
    pub(crate) node: u64,
    #[command(flatten)]
    pub(crate) count: Count,
}

#[derive(Args, Debug)]
pub(crate) struct OfVersion {
    pub(crate) version: Version,
    /// Of versions 3 and 5: what it is the id of, within the namespace of URLs.
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) count: Count,
}

/// A version of UUID that this command makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    V1,
    V3,
    V4,
    V5,
    V6,
    V7,
}

#[derive(Args, Debug)]
struct Decode {
    /// A number, or text.
    id: String,
    /// The epoch of your own Snowflake ids, in milliseconds since 1970.
    #[arg(long)]
    epoch_ms: Option<u64>,
}

impl Command {
    /// Writes lines of ids or of explanation. `now` says which times are likely.
    pub(crate) fn run(self, now: Duration, out: &mut dyn Write) -> Result<(), String> {
        match self.what {
            What::Decode(Decode { id, epoch_ms }) => {
                write(out, format_args!("{}", decode::explain(&id, epoch_ms, now)?)).map(drop)
            }
            What::Snowflake(of) => make::numbers::<synod_idgen::layout::Twitter>(&of, out),
            What::Discord(of) => make::numbers::<synod_idgen::layout::Discord>(&of, out),
            What::Instagram(of) => make::numbers::<synod_idgen::layout::Instagram>(&of, out),
            What::Sonyflake(of) => make::numbers::<synod_idgen::layout::Sonyflake>(&of, out),
            What::Javascript(of) => make::numbers::<synod_idgen::layout::JavaScript>(&of, out),
            What::Mastodon(count) => {
                make::numbers::<synod_idgen::layout::Mastodon>(&OfNode { node: 0, count }, out)
            }
            What::Tsid(of) => make::tsids(&of, out),
            What::Uuid(of) => make::uuids(&of, out),
            What::Ulid(count) => make::ulids(&count, out),
            What::Ksuid(count) => make::ksuids(&count, out),
        }
    }
}

/// Whether somebody still reads.
pub(crate) fn write(out: &mut dyn Write, text: std::fmt::Arguments<'_>) -> Result<bool, String> {
    match out.write_fmt(text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("writing: {error}")),
    }
}
