//! Checksums set right, so that a fuzzer gets past them: what is behind a checksum must be checked as well, for a
//! checksum proves that bytes are those that were written, not that they make sense.
//!
//! The layout is that of `synod_wal::format`.

/// A segment header's length.
const SEGMENT_HEAD: usize = 48;
/// A record header's length.
const RECORD_HEAD: usize = 32;
/// An entry header's length.
const ENTRY_HEAD: usize = 24;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = at.checked_add(value.len()).and_then(|end| bytes.get_mut(at..end)) {
        field.copy_from_slice(value);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn crc(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

/// Makes these bytes a segment as far as checksums, lengths and places say: its header, every record up to one whose
/// length makes no sense, and the entries of its groups.
pub fn seal_segment(bytes: &mut [u8], sequence: u64, start: Option<u64>) {
    if bytes.len() < SEGMENT_HEAD {
        return;
    }
    put(bytes, 0, b"synodwal");
    put(bytes, 8, &1u32.to_le_bytes());
    put(bytes, 16, &sequence.to_le_bytes());
    if let Some(start) = start {
        put(bytes, 32, &start.to_le_bytes());
    }
    let size = bytes.len() as u64;
    put(bytes, 40, &size.to_le_bytes());
    let sum = crc(&[&bytes[..12], &bytes[16..SEGMENT_HEAD]]);
    put(bytes, 12, &sum.to_le_bytes());
    let [salt, start] = [24, 32].map(|at| u64_at(bytes, at).unwrap_or(0));
    let mut at = SEGMENT_HEAD;
    while let Some(len) = seal_record(bytes, at, salt, start) {
        at += len;
    }
}

/// Sets one record right and gives its length.
fn seal_record(bytes: &mut [u8], at: usize, salt: u64, start: u64) -> Option<usize> {
    let len = usize::try_from(u32_at(bytes, at)?).ok()?;
    if len < RECORD_HEAD || len % 8 != 0 || len > bytes.len() - at {
        return None;
    }
    let position = start.wrapping_add(at as u64);
    if bytes[at + 12] == 2 {
        seal_entries(&mut bytes[at + RECORD_HEAD..at + len]);
    }
    let body = crc(&[&salt.to_le_bytes(), &position.to_le_bytes(), &bytes[at + RECORD_HEAD..at + len]]);
    put(bytes, at + 8, &body.to_le_bytes());
    put(bytes, at + 16, &position.to_le_bytes());
    let head = crc(&[&salt.to_le_bytes(), &bytes[at..at + 4], &bytes[at + 8..at + RECORD_HEAD]]);
    put(bytes, at + 4, &head.to_le_bytes());
    Some(len)
}

/// Sets the entries of a group's batches right, as far as it can be read.
fn seal_entries(body: &mut [u8]) {
    let mut at = 0;
    while let Some(next) = seal_batch(body, at) {
        at = next;
    }
}

fn seal_batch(body: &mut [u8], mut at: usize) -> Option<usize> {
    let (flags, hard) = (*body.get(at)?, usize::from(*body.get(at + 1)?));
    let (count, first) = (u32_at(body, at + 4)?, u64_at(body, at + 8)?);
    at += 16;
    at += if flags & 1 != 0 { 8 } else { 0 };
    at += if flags & 2 != 0 { hard } else { 0 };
    at += if flags & 4 != 0 { 16 } else { 0 };
    for number in 0..u64::from(count) {
        let len = usize::try_from(u32_at(body, at + 8)?).ok()?;
        let end = at.checked_add(ENTRY_HEAD)?.checked_add(len)?;
        let index = first.wrapping_add(number);
        let entry = body.get(at..end)?;
        let sum = crc(&[&index.to_le_bytes(), &entry[..12], &entry[16..]]);
        put(body, at + 12, &sum.to_le_bytes());
        at = end;
    }
    Some(at)
}

/// A value's file, its checksum set right.
pub fn seal_state(bytes: &mut [u8], name: &str) {
    if bytes.len() < 16 {
        return;
    }
    put(bytes, 0, b"synodval");
    let len = u32::try_from(bytes.len() - 16).unwrap_or(u32::MAX).to_le_bytes();
    put(bytes, 8, &len);
    let sum = crc(&[name.as_bytes(), &len, &bytes[16..]]);
    put(bytes, 12, &sum.to_le_bytes());
}

/// A snapshot's file, both its checksums set right for the length that it claims, if the content is there.
pub fn seal_snapshot(bytes: &mut [u8]) {
    if bytes.len() < 48 {
        return;
    }
    put(bytes, 0, b"synodsnp");
    let len = u64_at(bytes, 32).and_then(|len| usize::try_from(len).ok());
    let content = len.and_then(|len| bytes.get(48..48usize.checked_add(len)?)).map(crc32c::crc32c);
    if let Some(sum) = content {
        put(bytes, 12, &sum.to_le_bytes());
    }
    let sum = crc32c::crc32c(&bytes[12..48]);
    put(bytes, 8, &sum.to_le_bytes());
}
