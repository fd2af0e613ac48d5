//! Feeds `synod_fuzz::ids::id_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::ids::id_text(data));
