#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pseud_fuzz::session(data));
