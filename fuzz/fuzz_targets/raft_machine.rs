//! Feeds `synod_fuzz::machine::raft_machine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::machine::raft_machine(data));
