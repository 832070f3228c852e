//! NIST's Statistical Reference Datasets for linear regression, through the command line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, number, reference, testdata};
use serde_json::Value;

/// Each set with its formula.
const SETS: [(&str, &str); 11] = [
    ("Norris", "y ~ x"),
    ("Pontius", "y ~ poly(x, 2, raw)"),
    ("NoInt1", "y ~ 0 + x"),
    ("NoInt2", "y ~ x - 1"),
    ("Filip", "y ~ poly(x, 10, raw)"),
    ("Longley", "y ~ ."),
    ("Wampler1", "y ~ poly(x, 5, raw)"),
    ("Wampler2", "y ~ x + I(x^2) + I(x^3) + I(x^4) + I(x^5)"),
    ("Wampler3", "y ~ poly(x, 5, raw)"),
    ("Wampler4", "y ~ poly(x, 5, raw)"),
    ("Wampler5", "y ~ poly(x, 5, raw)"),
];

const MOST_DIGITS: f64 = 15.95;

/// Correct decimal digits (NIST's log relative error), of a true value of zero those of the absolute error. No more than the
/// 15.95 that a correctly rounded double is sure of.
fn digits(found: f64, exact: f64) -> f64 {
    let size = if exact == 0.0 { 1.0 } else { exact.abs() };
    (-((found - exact).abs() / size).log10()).clamp(0.0, MOST_DIGITS)
}

/// The fewest digits of a column of the coefficient table.
fn worst(fit: &Value, column: &str, exact: &Value) -> f64 {
    let (rows, exact) = (fit["coefficients"].as_array().unwrap(), exact.as_array().unwrap());
    assert_eq!(rows.len(), exact.len());
    rows.iter().zip(exact).map(|(row, exact)| digits(number(&row[column]), number(exact))).fold(f64::MAX, f64::min)
}

#[test]
fn all_linear_sets() {
    let (folder, sets) = (Folder::new(), reference("nist/certified.json"));
    println!("set       coefficients  std. errors  residual SD    R2     F   claimed");
    for (name, formula) in SETS {
        let exact = &sets[name]["exact"];
        let data = testdata(&format!("nist/{}", sets[name]["data"].as_str().unwrap()));
        let fit = folder.fit(&[&data, "-f", formula]);
        assert_eq!(fit["nobs"], sets[name]["n"]);
        let coefficients = worst(&fit, "estimate", &exact["estimate"]);
        let errors = worst(&fit, "std_error", &exact["std_error"]);
        let sd = digits(number(&fit["residual_std_error"]), number(&exact["residual_sd"]));
        let r_squared = digits(number(&fit["r_squared"]), number(&exact["r_squared"]));
        // Without residuals F has no bound, which JSON writes as no test.
        let f = match number(&exact["f_statistic"]) {
            f if f.is_finite() => digits(number(&fit["f_test"]["statistic"]), f),
            _ => {
                if fit["f_test"].is_null() {
                    MOST_DIGITS
                } else {
                    0.0
                }
            }
        };
        let claimed = number(&fit["accuracy"]["digits"]);
        println!("{name:<10}{coefficients:12.2}{errors:13.2}{sd:13.2}{r_squared:6.1}{f:6.1}{claimed:10.2}");
        for (what, digits) in
            [("coefficients", coefficients), ("errors", errors), ("SD", sd), ("R2", r_squared), ("F", f)]
        {
            assert!(digits >= 13.0, "{name}, {what}: {digits} digits");
        }
        assert!(claimed <= coefficients + 0.01, "{name}: {claimed} digits claimed");
    }
}

#[test]
fn powers_rounded_before_us() {
    let (folder, sets) = (Folder::new(), reference("nist/certified.json"));
    let exact = &sets["Filip"]["exact"]["estimate"];
    let text = std::fs::read_to_string(testdata("nist/filip.csv")).unwrap();
    // As R writes them, and as they are written to read back to the same double; that leaves 7.6 digits at most.
    for (written, least) in [(15, 5.0), (17, 7.0)] {
        let mut rounded = "y".to_owned();
        (1..=10).for_each(|power| rounded += &format!(",x{power}"));
        for line in text.lines().skip(1) {
            let (y, x) = line.split_once(',').unwrap();
            rounded += &format!("\n{y}");
            let power = |power| format!(",{:.*e}", written - 1, x.parse::<f64>().unwrap().powi(power));
            (1..=10).for_each(|exponent| rounded += &power(exponent));
        }
        folder.write("filip.csv", rounded + "\n");
        let fit = folder.fit(&["filip.csv", "-f", "y ~ ."]);
        let (reached, claimed) = (worst(&fit, "estimate", exact), number(&fit["accuracy"]["digits"]));
        println!("powers in {written} digits: {reached:.2} digits reached, {claimed:.2} claimed");
        assert!(claimed <= reached && claimed <= 9.0, "{claimed} digits claimed, {reached} reached");
        assert!(reached >= least && claimed >= least - 1.0, "{claimed} digits claimed, {reached} reached");
    }
}
