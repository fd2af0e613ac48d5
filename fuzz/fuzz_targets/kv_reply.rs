//! Feeds `synod_fuzz::kv::kv_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::kv::kv_reply(data));
