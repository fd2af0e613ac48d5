//! What a connection begins with, and the frames that follow.

use synod_tcp::testing;

use crate::tape::Tape;

/// Bytes of a hello that the checksum covers.
const COVERED: usize = 56;

/// A hello: the first bit says whether its checksum is set right. What is accepted is written alike but for magic and
/// version, which are looked at before the rest has come.
pub fn tcp_hello(data: &[u8]) {
    let mut tape = Tape::new(data);
    let seal = tape.flag();
    let mut bytes = tape.rest().to_vec();
    if seal && bytes.len() == COVERED + 4 {
        let sum = crc32c::crc32c(&bytes[..COVERED]);
        bytes[COVERED..].copy_from_slice(&sum.to_le_bytes());
    }
    match testing::hello_again(&bytes) {
        None => assert_ne!(bytes.len(), COVERED + 4),
        Some(Err(_)) => assert!(!seal || bytes[11] != 0, "a whole hello is refused"),
        Some(Ok(again)) => assert_eq!(again[10..COVERED], bytes[10..COVERED], "a hello has one encoding"),
    }
}

/// Hellos of every class, and of one that is not known.
pub fn tcp_hello_seeds() -> Vec<Vec<u8>> {
    let hellos =
        (0..4).flat_map(|class| [0, 1].map(|seal| [&[seal], &testing::hello(class, 1, 2)[..]].concat()));
    hellos.collect()
}

/// A stream of frames in pieces: a byte for the limit of a frame's length, then pieces of one byte of length and the
/// bytes; the last takes all that is left. Bit 7 of the first byte says whether checksums are set right. However it is
/// cut, the stream gives the same frames and the same end, and those frames are the stream's own bytes.
pub fn tcp_frames(data: &[u8]) {
    let mut tape = Tape::new(data);
    let choices = tape.byte();
    let limit = usize::from(choices & 127) * 16;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while !tape.is_over() && pieces.len() < 12 {
        let len = usize::from(tape.byte());
        pieces.push(tape.bytes(len).to_vec());
    }
    pieces.push(tape.rest().to_vec());
    let mut stream = pieces.concat();
    if choices & 128 != 0 {
        seal_frames(&mut stream);
    }
    let mut left = stream.as_slice();
    let cut: Vec<&[u8]> = pieces
        .iter()
        .map(|piece| {
            let (head, rest) = left.split_at(piece.len());
            left = rest;
            head
        })
        .collect();
    let (frames, end) = testing::frames(&cut, limit);
    assert_eq!((frames.clone(), end), testing::frames(&[&stream], limit), "cuts do not matter");
    let mut at = 0;
    for frame in &frames {
        assert!(frame.len() <= limit);
        assert_eq!(stream[at + 8..at + 8 + frame.len()], frame[..]);
        at += 8 + frame.len();
    }
    if let Ok(waiting) = end {
        assert_eq!(at + waiting, stream.len(), "every byte is in a frame or waits");
    }
}

/// Sets the checksum of each whole frame right.
fn seal_frames(stream: &mut [u8]) {
    let mut rest = stream;
    while let Some((head, behind)) = rest.split_first_chunk_mut::<8>() {
        let [a, b, c, d, ..] = *head;
        let len = u32::from_le_bytes([a, b, c, d]) as usize;
        let Some(payload) = behind.get(..len) else { return };
        let sum = crc32c::crc32c_append(crc32c::crc32c(&[a, b, c, d]), payload);
        head[4..].copy_from_slice(&sum.to_le_bytes());
        rest = behind.split_at_mut(len).1;
    }
}

/// Streams of a few frames, whole and cut.
pub fn tcp_frames_seeds() -> Vec<Vec<u8>> {
    let mut stream = Vec::new();
    for payload in [b"".as_slice(), b"hello", &[7; 300], b"end"] {
        stream.extend_from_slice(&u32::try_from(payload.len()).expect("short").to_le_bytes());
        stream.extend_from_slice(&[0; 4]);
        stream.extend_from_slice(payload);
    }
    seal_frames(&mut stream);
    let seed = |choices: u8, end: usize| {
        let mut seed = vec![choices];
        for piece in stream[..end].chunks(100) {
            seed.push(u8::try_from(piece.len()).expect("short"));
            seed.extend_from_slice(piece);
        }
        seed
    };
    [(127, stream.len()), (255, stream.len()), (255, 200), (10, stream.len())].map(|(a, b)| seed(a, b)).into()
}
