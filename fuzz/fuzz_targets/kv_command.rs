//! Feeds `synod_fuzz::kv::kv_command`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::kv::kv_command(data));
