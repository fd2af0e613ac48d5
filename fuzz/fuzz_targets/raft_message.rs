//! Feeds `synod_fuzz::messages::raft_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::messages::raft_message(data));
