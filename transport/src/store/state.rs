//! A state store in memory.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{StateStore, StoreError};

/// Keeps named values in memory; a clone is a snapshot of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemStateStore {
    values: BTreeMap<String, Bytes>,
}

impl MemStateStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl StateStore for MemStateStore {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        check_name(name)?;
        Ok(self.values.get(name).cloned())
    }

    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        check_name(name)?;
        self.values.insert(name.to_owned(), Bytes::copy_from_slice(value));
        Ok(())
    }
}

/// Names are 1 to 100 letters, digits, `-`, `_` and `.`, not starting with a dot, so that any of them can name a file.
pub fn check_name(name: &str) -> Result<(), StoreError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(known) {
        Ok(())
    } else {
        Err(StoreError::Misuse("a name is 1 to 100 letters, digits, '-', '_', '.', and starts with no dot"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_directory_are_misuse() {
        let mut store = MemStateStore::new();
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "a b", "ü"] {
            assert!(matches!(store.set(name, b""), Err(StoreError::Misuse(_))), "{name:?}");
            assert!(matches!(store.get(name), Err(StoreError::Misuse(_))), "{name:?}");
        }
        assert_eq!(store, MemStateStore::new());
    }

    #[cfg(feature = "testing")]
    #[test]
    fn it_keeps_the_contract_of_a_state_store() {
        use crate::testing::state_store::{Harness, conformance};

        struct Kept;
        impl Harness for Kept {
            type Store = MemStateStore;
            fn create(&mut self) -> MemStateStore {
                MemStateStore::new()
            }
            fn crash(&mut self, store: MemStateStore) -> Option<MemStateStore> {
                Some(store)
            }
        }
        assert!(conformance(|| Kept) > 100);
    }
}
