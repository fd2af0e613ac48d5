//! What is durable: a kind, numbers, and a checksum of both, all of fixed length.
//!
//! ```text
//!  0      4                4 + 8 N     4 + 8 N + 8
//!  ┌──────┬── N numbers ───┬───────────┐
//!  │ kind │ 8 bytes each   │ FNV-1a 64 │   big-endian
//!  └──────┴────────────────┴───────────┘
//! ```

/// The value of a record.
pub(crate) fn encode<const N: usize>(kind: [u8; 4], numbers: [u64; N]) -> alloc::vec::Vec<u8> {
    let mut value = alloc::vec::Vec::with_capacity(12 + 8 * N);
    value.extend_from_slice(&kind);
    for number in numbers {
        value.extend_from_slice(&number.to_be_bytes());
    }
    let sum = checksum(&value);
    value.extend_from_slice(&sum.to_be_bytes());
    value
}

/// The numbers of a record of this kind, if it is one, whole.
pub(crate) fn decode<const N: usize>(kind: [u8; 4], value: &[u8]) -> Option<[u64; N]> {
    let (body, sum) = value.split_last_chunk::<8>()?;
    let bytes = body.strip_prefix(&kind)?;
    if bytes.len() != 8 * N || u64::from_be_bytes(*sum) != checksum(body) {
        return None;
    }
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = u64::from_be_bytes(bytes.try_into().ok()?);
    }
    Some(numbers)
}

/// FNV-1a, 64 bits: against bytes of others and halves, not against malice.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_any_other_bytes_are_not() {
        let value = encode(*b"TST1", [1, u64::MAX]);
        assert_eq!(decode(*b"TST1", &value), Some([1, u64::MAX]));
        assert_eq!(decode::<2>(*b"TST2", &value), None);
        assert_eq!(decode::<1>(*b"TST1", &value), None);
        for end in 0..value.len() {
            assert_eq!(decode::<2>(*b"TST1", &value[..end]), None, "cut to {end}");
        }
        for bit in 0..8 * value.len() {
            let mut other = value.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode::<2>(*b"TST1", &other), None, "bit {bit} changed");
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_published_vectors() {
        assert_eq!(checksum(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(checksum(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
