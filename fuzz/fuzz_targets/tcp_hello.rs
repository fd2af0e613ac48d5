//! Feeds `synod_fuzz::tcp::tcp_hello`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::tcp::tcp_hello(data));
