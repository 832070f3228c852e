//! Quantile regression against exact rational results and certificates recomputed in exact arithmetic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit::linear::{Options, quantile};
use noisefit::rows::{Matrix, MemoryRows};

#[test]
fn medians_of_a_line() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0];
    let y = [1.0, 2.0, 3.0, 4.0, 100.0];
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5, 1).unwrap()).unwrap();
    let fit = quantile::fit_laplace(&rows, &Options::default()).unwrap();
    println!("{fit:#?}");
    assert_eq!(fit.coefficients[1].estimate, Some(1.0));
}
