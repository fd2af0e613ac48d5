//! Feeds `synod_fuzz::wal::wal_state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::wal::wal_state(data));
