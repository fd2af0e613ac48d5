//! Feeds `synod_fuzz::itc::itc_stamp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::itc::itc_stamp(data));
