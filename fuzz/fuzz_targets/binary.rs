#![no_main]

use noisefit_fuzz::{mutate, targets};

libfuzzer_sys::fuzz_target!(init: targets::allow_caught_panics(), |bytes: &[u8]| targets::binary(bytes));

// Every second time a number of the file itself, else whatever the fuzzer thinks of. The first byte says how the file is read.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(2) && size > 1 {
        if let Some(changed) = mutate::binary(&data[1..size], seed).filter(|changed| changed.len() < max_size) {
            data[1..=changed.len()].copy_from_slice(&changed);
            return changed.len() + 1;
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
});
