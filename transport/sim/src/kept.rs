//! A writer that is given away and still can be read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes in memory: what one clone is given to write, another takes. For traces, whose writer a world owns.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What was written so far; nothing is left.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_clone_writes_another_takes_once() {
        let kept = Kept::default();
        let mut writer = kept.clone();
        writer.write_all(b"one ").expect("a vector takes everything");
        writer.write_all(b"two").expect("a vector takes everything");
        assert_eq!((kept.take(), kept.take()), (b"one two".to_vec(), Vec::new()));
    }
}
