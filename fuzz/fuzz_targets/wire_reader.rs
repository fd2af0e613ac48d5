//! Feeds `synod_fuzz::messages::wire_reader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::messages::wire_reader(data));
