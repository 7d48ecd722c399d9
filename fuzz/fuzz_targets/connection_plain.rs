#![cfg_attr(not(test), no_main)]

#[cfg(not(test))]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pseud_fuzz::connection_plain(data));
