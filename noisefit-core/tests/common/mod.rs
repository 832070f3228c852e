//! What tests share: comparisons that cannot pass on nothing, and the test data.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::inference::Options;
use noisefit_core::record::{Fit, SmallSample};

/// Asserts `|found - expected| <= tolerance |expected|`.
#[track_caller]
pub fn near(found: f64, expected: f64, tolerance: f64) {
    close(found, expected, tolerance, "");
}

/// Asserts `|found - expected| <= tolerance |expected|`, saying of what.
#[track_caller]
pub fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
    assert!(
        error <= tolerance || found == expected,
        "{what}: {found:e} where {expected:e} was expected (relative error {error:.1e})"
    );
}

/// [`close`] of each, for as many as are expected.
#[track_caller]
pub fn close_all(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:?} where {expected:?} was expected");
    assert!(!expected.is_empty(), "{what}: nothing to compare with");
    for (j, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        close(found, expected, tolerance, &format!("{what}, number {j}"));
    }
}

/// Options with which standard errors are those of maximum likelihood as it stands, which references and other software have.
pub fn plain() -> Options {
    Options { small_sample: SmallSample::None, ..Options::default() }
}

/// The estimates of all coefficients, none of which is aliased.
pub fn estimates(fit: &Fit) -> Vec<f64> {
    fit.location.rows.iter().map(|coefficient| coefficient.estimate.unwrap()).collect()
}

/// Their standard errors.
pub fn std_errors(fit: &Fit) -> Vec<f64> {
    fit.location.rows.iter().map(|coefficient| coefficient.std_error.unwrap()).collect()
}

/// A file of the test data.
pub fn testdata(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}
