//! The `noisefit` command.
fn main() {}
