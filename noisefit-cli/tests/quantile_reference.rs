//! Quantile regression through the program against exact rational solutions, to 13 digits and more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, estimates, number, reference, testdata};

/// Relative to the exact value: a unit in the last place is 2e-16.
const TOLERANCE: f64 = 5e-16;

#[test]
fn every_coefficient_and_objective() {
    let folder = Folder::new();
    let mut fits = 0;
    for (name, case) in reference("reference/quantiles.json")["datasets"].as_object().unwrap() {
        let data = testdata(&format!("{name}.csv"));
        for exact in case["fits"].as_array().unwrap() {
            let noise = format!("quantile:{}", exact["tau"]);
            let fit = folder.fit(&[&data, "-f", case["formula"].as_str().unwrap(), "--noise", &noise]);
            let what = format!("{name} at {}", exact["tau"]);
            for (estimate, exact) in estimates(&fit).iter().zip(exact["coefficients"].as_array().unwrap()) {
                let (estimate, exact) = (estimate.unwrap(), number(exact));
                assert!((estimate - exact).abs() <= TOLERANCE * exact.abs(), "{what}: {estimate} and not {exact}");
            }
            // 1 - 0.95 is known to 9e-16 where 0.95 is a double.
            assert_close(number(&fit["vertex"]["objective"]), number(&exact["objective"]), 2e-15, &what);
            assert_eq!(fit["vertex"]["zero_residuals"], exact["zero_residuals"], "{what}");
            assert_eq!(fit["vertex"]["unique"], exact["unique"], "{what}");
            assert!(number(&fit["termination"]["duality_gap"]) <= 1e-14, "{what}: {}", fit["termination"]);
            fits += 1;
        }
    }
    assert_eq!(fits, 38);
}
