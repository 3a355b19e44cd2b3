#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| taiinet_audits_fuzz::run("routing", data));
