//! Feeds `synod_fuzz::clock::ntp_datagrams`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::clock::ntp_datagrams(data));
