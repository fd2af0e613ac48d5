//! Feeds `synod_fuzz::messages::host_frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::messages::host_frame(data));
