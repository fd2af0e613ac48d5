//! Feeds `synod_fuzz::messages::raft_ballot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::messages::raft_ballot(data));
