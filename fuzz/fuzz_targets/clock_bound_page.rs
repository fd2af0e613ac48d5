//! Feeds `synod_fuzz::clock::clock_bound_page`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synod_fuzz::clock::clock_bound_page(data));
