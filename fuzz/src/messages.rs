//! Decoders of what comes over the wire, and of the ballot. Each accepts only what its encoder makes: whatever is
//! accepted encodes to the same bytes.

use bytes::Bytes;
use synod_raft::{Ballot, Message};
use synod_transport::host;
use synod_transport::ids::{LogIndex, NodeId, Position, Term};
use synod_transport::log::{Entry, EntryKind, Runs, Span};
use synod_transport::machine::Message as _;
use synod_transport::net::Frame;
use synod_transport::store::HardState;
use synod_transport::wire::{Reader, WireError, Writer};

use crate::tape::Tape;

/// Fields read in an order that the input chooses: each is either there, takes its length and writes the same bytes
/// again, or it is missing, and the error says what is needed and what is there.
pub fn wire_reader(data: &[u8]) {
    let mut tape = Tape::new(data);
    let plan = tape.bytes(data.len().min(16));
    let body = tape.rest();
    let mut reader = Reader::new(Bytes::copy_from_slice(body));
    let mut read = 0usize;
    for step in plan {
        let before = reader.remaining();
        assert_eq!(before, body.len() - read);
        let mut writer = Writer::default();
        let (needed, result) = read_field(*step, &mut reader, &mut writer);
        match result {
            Ok(()) => {
                let taken = before - reader.remaining();
                assert_eq!(taken, needed);
                assert_eq!(writer.take(), body[read..read + taken], "what is read is written alike");
                read += taken;
            }
            Err(WireError::Truncated { needed, have }) => {
                assert!(have < needed && have <= before);
                return;
            }
            Err(WireError::Undefined { value, .. }) => {
                assert!(step % 8 == 5 && value > 1, "only a flag has undefined values");
                return;
            }
            Err(WireError::OverLimit { value, limit, .. }) => {
                assert!(step % 8 == 7 && value > limit);
                return;
            }
            Err(error) => panic!("a field with {error}"),
        }
    }
    let left = reader.remaining();
    assert_eq!(reader.finish().is_ok(), left == 0);
}

/// Reads one field and writes it again. Gives the bytes that it takes.
fn read_field(step: u8, from: &mut Reader, out: &mut Writer) -> (usize, Result<(), WireError>) {
    match step % 8 {
        0 => (1, from.u8().map(|value| out.u8(value))),
        1 => (2, from.u16().map(|value| out.u16(value))),
        2 => (4, from.u32().map(|value| out.u32(value))),
        3 => (8, from.u64().map(|value| out.u64(value))),
        4 => (16, from.u128().map(|value| out.u128(value))),
        5 => (1, from.bool("flag").map(|value| out.bool(value))),
        6 => {
            let len = usize::from(step / 8);
            (len, from.bytes(len).map(|value| out.raw(&value)))
        }
        _ => (4, from.count("count", u32::from(step) << 8).map(|value| out.u32(value))),
    }
}

/// Plans for every kind of field, and bytes enough for them.
pub fn wire_reader_seeds() -> Vec<Vec<u8>> {
    let body: Vec<u8> = (0..120).map(|at| at % 7).collect();
    (0..8u8).map(|first| (0..16u8).map(|at| first + at * 3).chain(body.iter().copied()).collect()).collect()
}

/// A Raft message without payloads.
pub fn raft_message(data: &[u8]) {
    let mut reader = Reader::new(Bytes::copy_from_slice(data));
    let Ok(message) = Message::decode(&mut reader) else { return };
    let taken = data.len() - reader.remaining();
    assert_eq!(encoded(&message), data[..taken], "a message has one encoding");
    let mut again = Reader::new(encoded(&message));
    assert_eq!(Message::decode(&mut again), Ok(message));
    if let Some(span) = message.span() {
        let rising = span.runs.as_slice().windows(2).all(|pair| pair[0].term < pair[1].term);
        assert!(rising && span.runs.as_slice().iter().all(|run| run.count > 0));
        assert_eq!(span.last().index.since(span.after.index), u64::from(span.runs.count()));
    }
}

fn encoded(message: &Message) -> Bytes {
    let mut writer = Writer::default();
    message.encode(&mut writer);
    writer.take()
}

/// One message of each kind.
pub fn some_messages() -> Vec<Message> {
    let (term, proposed, last) = (Term::new(7), Term::new(8), Position::new(6, 40));
    let mut runs = Runs::one(Term::new(6), 2);
    runs.push(term, 3);
    let span = Span { after: last, runs };
    let (commit, matched, round) = (LogIndex::new(39), LogIndex::new(45), 3);
    vec![
        Message::PreVote { term, proposed, last },
        Message::PreVoteReply { term, proposed, granted: true },
        Message::Vote { term, last },
        Message::VoteReply { term, granted: false },
        Message::Append { term, span, commit },
        Message::Append { term, span: Span { after: last, runs: Runs::none() }, commit },
        Message::Appended { term, matched },
        Message::Conflict { term, refused: matched, hint: last },
        Message::Heartbeat { term, commit, round },
        Message::HeartbeatReply { term, round },
        Message::Outdated { term },
    ]
}

/// The encodings of [`some_messages`].
pub fn raft_message_seeds() -> Vec<Vec<u8>> {
    some_messages().iter().map(|message| encoded(message).to_vec()).collect()
}

/// A whole frame: a Raft message and the payloads of its entries. Also cuts what was accepted in two, as a driver does.
pub fn host_frame(data: &[u8]) {
    let mut entries = Vec::new();
    let Ok(message) = host::decode::<Message>(Bytes::copy_from_slice(data), &mut entries) else { return };
    let mut writer = Writer::default();
    let frame = host::encode(&message, &entries, &mut writer);
    assert_eq!(joined(&frame), data, "a frame has one encoding");
    let positions: Vec<Position> = entries.iter().map(|entry| entry.position).collect();
    let Some(span) = message.span().copied() else {
        assert!(entries.is_empty(), "only an append carries entries");
        return;
    };
    assert_eq!(positions, span.positions().collect::<Vec<_>>());
    let keep = 1 + u32::from(data.last().copied().unwrap_or(0)) % span.runs.count().max(1);
    let (head, rest) = message.split(keep);
    let mut both: Vec<Position> = Vec::new();
    for part in [Some(head), rest].into_iter().flatten() {
        both.extend(part.span().expect("parts of an append are appends").positions());
    }
    assert_eq!(both, positions, "the parts say the same");
}

fn joined(frame: &Frame) -> Vec<u8> {
    let mut all = frame.head.to_vec();
    frame.parts.iter().for_each(|part| all.extend_from_slice(part));
    all
}

/// Frames with and without payloads, long ones too.
pub fn host_frame_seeds() -> Vec<Vec<u8>> {
    let frame = |message: &Message| {
        let positions = message.span().map(|span| span.positions().collect::<Vec<_>>()).unwrap_or_default();
        let entry = |(position, at): (Position, usize)| {
            let kind = if at == 0 { EntryKind::Blank } else { EntryKind::Command };
            Entry { position, kind, payload: vec![b'x'; at * 200].into() }
        };
        let entries: Vec<Entry> = positions.into_iter().zip(0..).map(entry).collect();
        joined(&host::encode(message, &entries, &mut Writer::default()))
    };
    some_messages().iter().map(frame).collect()
}

/// Term and vote as a store keeps them.
pub fn raft_ballot(data: &[u8]) {
    let Some(state) = HardState::new(data) else {
        assert!(data.len() > HardState::MAX);
        return;
    };
    assert_eq!(state.as_bytes(), data);
    if let Some(ballot) = Ballot::decode(&state) {
        assert_eq!(ballot.encode(), state, "a ballot has one encoding");
    }
}

/// Ballots with and without a vote.
pub fn raft_ballot_seeds() -> Vec<Vec<u8>> {
    let votes = [None, Some(NodeId::new(3)), Some(NodeId::ZERO)];
    votes.map(|vote| Ballot { term: Term::new(9), vote }.encode().as_bytes().to_vec()).into()
}
