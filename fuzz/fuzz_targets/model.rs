#![no_main]

use noisefit_fuzz::targets;

libfuzzer_sys::fuzz_target!(init: targets::allow_caught_panics(), |bytes: &[u8]| targets::model(bytes));
