//! What is fuzzed, apart from the fuzzer: the workspace's tests replay the corpus through the same functions.

pub mod mutate;
pub mod targets;
