//! The commands of a script, and how they read.

use super::Problem;

/// A link: from, to.
pub(super) type Link = (u64, u64);

/// The most nodes, as members of a cluster.
const MOST_NODES: u64 = 64;
/// The longest time that passes in one command, in milliseconds.
const LONGEST_MS: u64 = 1_000_000;

/// One line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Nodes { count: u64, plain: bool },
    Batch { entries: u32 },
    Disk { node: u64, terms: Vec<u64>, term: u64 },
    Campaign { node: u64 },
    Propose { node: u64, payloads: Vec<String> },
    Read { node: u64 },
    Persist { node: u64 },
    PersistOne { node: u64 },
    Deliver { link: Link, count: usize },
    DeliverAll,
    Settle,
    Drop { link: Link },
    Cut { links: Vec<Link> },
    Heal,
    Tick { millis: u64 },
    Run { millis: u64 },
    Lead { node: u64 },
    Crash { node: u64, keep: usize, torn: bool },
    Restart { node: u64 },
    Pause { node: u64 },
    Resume { node: u64 },
    Queue,
    Status,
}

impl Command {
    /// Reads a line.
    pub(super) fn parse(line: &str) -> Result<Self, Problem> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            ["nodes", count] => Self::Nodes { count: up_to(MOST_NODES, count)?, plain: false },
            ["nodes", count, "plain"] => Self::Nodes { count: up_to(MOST_NODES, count)?, plain: true },
            ["batch", entries] => Self::Batch { entries: number(entries)? },
            ["disk", node, terms, "term", term] => {
                let terms = terms.split(',').map(number).collect::<Result<_, _>>()?;
                Self::Disk { node: number(node)?, terms, term: number(term)? }
            }
            ["campaign", node] => Self::Campaign { node: number(node)? },
            ["propose", node, payloads @ ..] => {
                let payloads = payloads.iter().map(|payload| (*payload).to_owned()).collect();
                Self::Propose { node: number(node)?, payloads }
            }
            ["read", node] => Self::Read { node: number(node)? },
            ["persist", node] => Self::Persist { node: number(node)? },
            ["persist-one", node] => Self::PersistOne { node: number(node)? },
            ["deliver", link] => Self::Deliver { link: parse_link(link)?, count: usize::MAX },
            ["deliver", link, count] => Self::Deliver { link: parse_link(link)?, count: number(count)? },
            ["deliver-all"] => Self::DeliverAll,
            ["settle"] => Self::Settle,
            ["drop", link] => Self::Drop { link: parse_link(link)? },
            ["cut", links @ ..] => {
                Self::Cut { links: links.iter().map(|link| parse_link(link)).collect::<Result<_, _>>()? }
            }
            ["heal"] => Self::Heal,
            ["tick", millis] => Self::Tick { millis: up_to(LONGEST_MS, millis)? },
            ["run", millis] => Self::Run { millis: up_to(LONGEST_MS, millis)? },
            ["lead", node] => Self::Lead { node: number(node)? },
            ["crash", node, how @ ..] => {
                let (keep, torn) = match how {
                    [] => (0, false),
                    ["torn"] => (0, true),
                    ["keep", keep] => (number(keep)?, false),
                    ["keep", keep, "torn"] => (number(keep)?, true),
                    _ => return Err(Problem::Unknown(line.to_owned())),
                };
                Self::Crash { node: number(node)?, keep, torn }
            }
            ["restart", node] => Self::Restart { node: number(node)? },
            ["pause", node] => Self::Pause { node: number(node)? },
            ["resume", node] => Self::Resume { node: number(node)? },
            ["queue"] => Self::Queue,
            ["status"] => Self::Status,
            _ => return Err(Problem::Unknown(line.to_owned())),
        })
    }
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, Problem> {
    word.parse().map_err(|_| Problem::Number(word.to_owned()))
}

fn up_to(most: u64, word: &str) -> Result<u64, Problem> {
    let found = number(word)?;
    if found > most { Err(Problem::Number(word.to_owned())) } else { Ok(found) }
}

fn parse_link(word: &str) -> Result<Link, Problem> {
    let (from, to) = word.split_once("->").ok_or_else(|| Problem::Link(word.to_owned()))?;
    Ok((number(from)?, number(to)?))
}
