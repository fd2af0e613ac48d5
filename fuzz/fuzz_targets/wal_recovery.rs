//! Feeds `synod_fuzz::wal::wal_recovery`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::wal::wal_recovery(data));
