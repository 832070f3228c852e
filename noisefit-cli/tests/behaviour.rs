//! What `fit` does with awkward data: against closed forms, hand computations and constructed solutions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, estimates, number, testdata};
use serde_json::Value;

/// Four points with slope 0.8 = correlation, intercept 0.5 and residuals -0.3, 0.9, -0.9, 0.3.
const LINE: &str = "x,y\n1,1\n2,3\n3,2\n4,4\n";

/// A folder with one file, `d.csv`.
fn folder(content: &str) -> Folder {
    let folder = Folder::new();
    folder.write("d.csv", content);
    folder
}

fn assert_all_close(found: &[Option<f64>], expected: &[Option<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        match (found, expected) {
            (Some(found), Some(expected)) => assert_close(*found, *expected, tolerance, "coefficient"),
            _ => assert_eq!(found, expected),
        }
    }
}

fn warnings(fit: &Value) -> String {
    fit["warnings"].to_string()
}

#[test]
fn a_line_as_a_textbook_writes_it() {
    let folder = folder(LINE);
    let fit = folder.fit(&["d.csv", "-f", "y ~ x"]);
    assert_eq!(estimates(&fit), [Some(0.5), Some(0.8)]);
    let sd = (5.0f64 / 3.0).sqrt();
    for (name, expected) in [
        ("mean_x", 2.5),
        ("mean_y", 2.5),
        ("sd_x", sd),
        ("sd_y", sd),
        ("correlation", 0.8),
        ("slope", 0.8),
        ("intercept", 0.5),
    ] {
        assert_close(number(&fit["closed_form"][name]), expected, 1e-15, name);
    }
    let text = folder.done(&["fit", "d.csv", "-f", "y ~ x"]);
    assert!(text.contains("standardised z_y = 0.800000 z_x"), "{text}");
    assert!(text.contains("line         y = 0.500000 + 0.800000 x"), "{text}");
}

#[test]
fn terms_that_others_determine() {
    let rows = ["1,1,2,1\n", "2,2,4,0\n", "2.5,3,6,1\n", "4,4,8,3\n", "6,5,10,1\n"];
    let folder = folder(&format!("y,a,b,c\n{}", rows.concat()));
    let fit = folder.fit(&["d.csv", "-f", "y ~ a + b + c"]);
    // Exact fractions of the fit without b.
    let exact = [Some(-29.0 / 65.0), Some(163.0 / 130.0), None, Some(-7.0 / 39.0)];
    assert_all_close(&estimates(&fit), &exact, 1e-14);
    let without = folder.fit(&["d.csv", "-f", "y ~ a + c"]);
    let errors = column(&without, "std_error");
    assert_all_close(&column(&fit, "std_error"), &[errors[0], errors[1], None, errors[2]], 1e-14);
    for name in ["log_likelihood", "aic", "df_residual", "residual_std_error", "r_squared"] {
        assert_close(number(&fit[name]), number(&without[name]), 1e-13, name);
    }
    assert!(warnings(&fit).contains("linear combinations of earlier terms: b (left out, as R does)"));
    let text = folder.done(&["fit", "d.csv", "-f", "y ~ a + b + c"]);
    let line = text.lines().find(|line| line.starts_with("b ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["b", "NA", "NA", "NA", "NA", "NA", "NA"]);
    assert_eq!(
        folder.refusal(1, &["fit", "d.csv", "-f", "y ~ a + b + c", "--collinear", "fail"]),
        "linear combinations of earlier terms: b; leave them out of the formula"
    );
    // However the rows are split, also into parts in which more is collinear.
    for cut in 1..5 {
        for (name, part) in [("1.csv", &rows[..cut]), ("2.csv", &rows[cut..])] {
            folder.write(&format!("parts/{name}"), format!("y,a,b,c\n{}", part.concat()));
        }
        assert_all_close(&estimates(&folder.fit(&["parts", "-f", "y ~ a + b + c"])), &exact, 1e-14);
    }
    // Two that repeat the intercept and one another, before one that does not.
    let fit = folder.fit(&["d.csv", "-f", "y ~ a + I(a - 3) + I(a + b) + c"]);
    assert_all_close(&estimates(&fit), &[exact[0], exact[1], None, None, exact[3]], 1e-14);
}

#[test]
fn terms_that_others_nearly_determine() {
    // y = 1 + 2 a + 3 b + 4 c, where b differs from a in the 13th digit.
    let (a, units, c) = ([1i128, 2, 3, 4, 5, 6], [1i128, -1, 0, 1, 0, -2], [1i128, 0, 2, 1, 5, 3]);
    let mut content = "y,a,b,c\n".to_owned();
    for ((a, unit), c) in a.into_iter().zip(units).zip(c) {
        let b = a * 1_000_000_000_000 + unit;
        let y = (1 + 2 * a + 4 * c) * 1_000_000_000_000 + 3 * b;
        content += &format!("{y}e-12,{a},{b}e-12,{c}\n");
    }
    let fit = folder(&content).fit(&["d.csv", "-f", "y ~ a + b + c"]);
    assert_eq!(estimates(&fit), [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    assert_eq!(fit["residual_std_error"], 0.0);
}

#[test]
fn more_terms_than_rows() {
    let folder = folder("y,a,b,c,d\n1,1,2,1,5\n2,2,1,0,4\n2.5,0,6,1,2\n");
    let fit = folder.fit(&["d.csv", "-f", "y ~ ."]);
    // 1 = p + q + 2 r, 2 = p + 2 q + r, 2.5 = p + 6 r.
    assert_all_close(&estimates(&fit), &[Some(-2.5), Some(11.0 / 6.0), Some(5.0 / 6.0), None, None], 1e-14);
    assert_eq!(column(&fit, "std_error"), [None; 5]);
    assert_eq!(
        (&fit["residual_std_error"], &fit["log_likelihood"], &fit["f_test"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert!(warnings(&fit).contains("as many coefficients as observations"));
}

#[test]
fn one_row() {
    let folder = folder("y,x\n3,2\n");
    for (formula, expected) in [("y ~ x", &[Some(3.0), None][..]), ("y ~ 1", &[Some(3.0)]), ("y ~ 0 + x", &[Some(1.5)])]
    {
        let fit = folder.fit(&["d.csv", "-f", formula]);
        assert_eq!(estimates(&fit), expected);
        assert_eq!((fit["nobs"].as_u64(), fit["df_residual"].as_u64()), (Some(1), Some(0)));
        assert!(warnings(&fit).contains("as many coefficients as observations"));
    }
}

#[test]
fn a_response_that_does_not_vary() {
    for y in ["3", "0.1", "0", "-123456.789"] {
        let folder = folder(&format!("y,x\n{y},2\n{y},4\n{y},5\n"));
        let fit = folder.fit(&["d.csv", "-f", "y ~ x"]);
        assert_eq!(estimates(&fit), [Some(y.parse().unwrap()), Some(0.0)]);
        assert_eq!(
            (&fit["r_squared"], &fit["f_test"], &fit["closed_form"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!((fit["scale"].as_f64(), fit["df_residual"].as_u64()), (Some(0.0), Some(1)));
        assert!(warnings(&fit).contains("the residuals are zero"));
    }
}

#[test]
fn residuals_of_zero() {
    // None of the numbers is a double, and yet they lie on a line.
    let folder = folder("y,x\n0.5,0.1\n0.7,0.2\n0.9,0.3\n1.7,0.7\n");
    let fit = folder.fit(&["d.csv", "-f", "y ~ x"]);
    assert_eq!(estimates(&fit), [Some(0.3), Some(2.0)]);
    assert_eq!(column(&fit, "std_error"), [Some(0.0), Some(0.0)]);
    assert_eq!((fit["scale"].as_f64(), fit["r_squared"].as_f64()), (Some(0.0), Some(1.0)));
    assert_eq!((&fit["log_likelihood"], &fit["aic"]), (&Value::Null, &Value::Null));
    assert!(warnings(&fit).contains("the residuals are zero"));
}

#[test]
fn a_term_of_zeros() {
    let folder = folder("y,x,z\n3,1,0\n5.5,2,0\n7,3,0\n12,5,0\n");
    let fit = folder.fit(&["d.csv", "-f", "y ~ z + x"]);
    assert_all_close(&estimates(&fit), &[Some(11.0 / 14.0), None, Some(31.0 / 14.0)], 1e-15);
    assert!(warnings(&fit).contains("earlier terms: z ("));
    assert_eq!(estimates(&folder.fit(&["d.csv", "-f", "y ~ z"])), [Some(6.875), None]);
    assert_eq!(estimates(&folder.fit(&["d.csv", "-f", "y ~ 0 + z"])), [None]);
}

#[test]
fn columns_of_very_different_size() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let plain = folder.fit(&[&data, "-f", "mpg ~ wt + hp + qsec"]);
    let scaled = folder.fit(&[&data, "-f", "mpg ~ I(wt/1e6) + I(hp*1e12) + qsec"]);
    let units = [1.0, 1e6, 1e-12, 1.0];
    for name in ["estimate", "std_error", "conf_low"] {
        let expected: Vec<_> =
            column(&plain, name).iter().zip(units).map(|(value, unit)| value.map(|v| v * unit)).collect();
        assert_all_close(&column(&scaled, name), &expected, 1e-13);
    }
    assert_all_close(&column(&scaled, "p_value"), &column(&plain, "p_value"), 1e-12);
    for name in ["log_likelihood", "r_squared", "residual_std_error"] {
        assert_close(number(&scaled[name]), number(&plain[name]), 1e-13, name);
    }
}

#[test]
fn responses_of_extreme_size() {
    for (exponent, unit) in [(150, 1e150), (-150, 1e-150)] {
        let folder = folder(&format!("y,x\n3e{exponent},1\n5.5e{exponent},2\n7e{exponent},3\n12e{exponent},5\n"));
        let fit = folder.fit(&["d.csv", "-f", "y ~ x"]);
        assert_all_close(&estimates(&fit), &[Some(11.0 / 14.0 * unit), Some(31.0 / 14.0 * unit)], 1e-14);
        // The residual sum of squares is 2/7, the slope's sum of squares 35/4, F 4805/16.
        assert_close(number(&fit["residual_std_error"]), (1.0f64 / 7.0).sqrt() * unit, 1e-14, "sd");
        assert_close(number(&fit["f_test"]["statistic"]), 4805.0 / 16.0, 1e-13, "F");
        let log_variance = (std::f64::consts::TAU / 14.0).ln() + 2.0 * f64::from(exponent) * 10.0f64.ln();
        assert_close(number(&fit["log_likelihood"]), -2.0 * (log_variance + 1.0), 1e-14, "log-likelihood");
    }
    for (y, x, message) in [
        ("e300", "", "y is of size 1e301, whose square"),
        ("e-310", "", "y is of size 1e-309, whose square"),
        ("", "e-200", "x is of size 5e-200, whose square"),
        ("e-150", "e20", "the standard error of x is of size"),
    ] {
        let folder = folder(&format!("y,x\n3{y},1{x}\n5.5{y},2{x}\n7{y},3{x}\n12{y},5{x}\n"));
        let refusal = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ x"]);
        assert!(refusal.starts_with(message), "{refusal}");
        assert!(refusal.ends_with("choose other units, a power of ten away"), "{refusal}");
    }
}

#[test]
fn a_transformed_response_has_its_jacobian() {
    // log y = log 2 (0, 1, 2, 4): residuals log 2 (0.2, -0.1, -0.4, 0.3).
    let folder = folder("y,x\n1,0\n2,1\n4,2\n16,3\n");
    let fit = folder.fit(&["d.csv", "-f", "log(y) ~ x"]);
    let log2 = std::f64::consts::LN_2;
    assert_all_close(&estimates(&fit), &[Some(-0.2 * log2), Some(1.3 * log2)], 1e-14);
    let variance = 0.3 * log2 * log2 / 4.0;
    let log_likelihood = -2.0 * ((std::f64::consts::TAU * variance).ln() + 1.0) - 7.0 * log2;
    assert_close(number(&fit["log_likelihood"]), log_likelihood, 1e-13, "log-likelihood");
    assert_close(number(&fit["aic"]), 6.0 - 2.0 * log_likelihood, 1e-13, "AIC");
    assert_eq!(fit["response_jacobian"], true);
    assert!(folder.done(&["fit", "d.csv", "-f", "log(y) ~ x"]).contains("the Jacobian of log(y) is in them"));
}

#[test]
fn frequencies_are_repeated_rows() {
    let folder = folder("y,x,n\n3,1,2\n5.5,2,1\n100,9,0\n7,3,3\n12,5,1\n");
    folder.write("repeated.csv", "y,x\n3,1\n3,1\n5.5,2\n7,3\n7,3\n7,3\n12,5\n");
    let frequencies = folder.fit(&["d.csv", "-f", "y ~ x", "--frequency-weights", "n"]);
    let repeated = folder.fit(&["repeated.csv", "-f", "y ~ x"]);
    for name in ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"] {
        assert_all_close(&column(&frequencies, name), &column(&repeated, name), 1e-13);
    }
    for name in
        ["nobs", "scale", "log_likelihood", "aicc", "bic", "r_squared", "adj_r_squared", "rmse", "mae", "df_residual"]
    {
        assert_close(number(&frequencies[name]), number(&repeated[name]), 1e-13, name);
    }
    assert_eq!(frequencies["zero_weight"], 1);
    for name in ["mean_x", "sd_x", "sd_y", "correlation"] {
        assert_close(number(&frequencies["closed_form"][name]), number(&repeated["closed_form"][name]), 1e-13, name);
    }
}

#[test]
fn weights_are_relative_precisions() {
    let folder = folder(LINE);
    let plain = folder.fit(&["d.csv", "-f", "y ~ x"]);
    let weighted = folder.fit(&["d.csv", "-f", "y ~ x", "--weights", "4 + 0*x"]);
    // The same precision everywhere is a change of the scale's unit and of nothing else.
    assert_eq!(estimates(&plain), estimates(&weighted));
    assert_all_close(&column(&plain, "std_error"), &column(&weighted, "std_error"), 1e-15);
    assert_close(number(&weighted["scale"]), 2.0 * number(&plain["scale"]), 1e-15, "scale");
    for name in ["log_likelihood", "aic", "rmse", "mae", "r_squared"] {
        assert_close(number(&weighted[name]), number(&plain[name]), 1e-15, name);
    }
    // Without an intercept and with weights 1/x the slope is the ratio of the means.
    let ratio = folder.fit(&["d.csv", "-f", "y ~ 0 + x", "--weights", "1/x"]);
    assert_eq!(estimates(&ratio), [Some(1.0)]);
}

#[test]
fn digits_that_a_logarithm_rounds_off_are_not_promised() {
    // z is x and a few units of 1e-9, so that the difference of their logarithms has seven digits in doubles.
    let moves = [3, -1, 4, 1, -5, 9, -2, 6, 5, -3, 5, 8];
    let responses = [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5];
    let rows = moves.iter().zip(responses).enumerate().map(|(i, (moved, y))| {
        let z = (100 + i as i64) * 100_000_000 + moved;
        format!("{}.{},{}.{:09},{y}\n", 10 + i / 10, i % 10, z / 1_000_000_000, z % 1_000_000_000)
    });
    let folder = folder(&format!("x,z,y\n{}", rows.collect::<String>()));
    let fit = folder.fit(&["d.csv", "-f", "y ~ log(x) + log(z)"]);
    // The normal equations solved with 60 digits (mpmath).
    let exact = [-19.611_176_256_798_87, -987_355_259.805_378_3, 987_355_270.013_997_8];
    let digits = number(&fit["accuracy"]["digits"]);
    for (found, exact) in estimates(&fit).iter().zip(exact) {
        assert!(-(found.unwrap() / exact - 1.0).abs().log10() >= digits, "{found:?} {exact} {digits}");
    }
    assert!(digits > 4.0, "{digits}");
    // Of columns that are left as they are, every decimal counts.
    let fit = folder.fit(&["d.csv", "-f", "y ~ x + z"]);
    assert!(number(&fit["accuracy"]["digits"]) > 15.0);
}

#[test]
fn a_mean_alone_explains_nothing() {
    // The mean 3.2 is no double, so that the two sums of squares round differently.
    let folder = folder("y,x\n1,1\n3,1\n2,1\n4,1\n6,1\n");
    for formula in ["y ~ 1", "y ~ x"] {
        let fit = folder.fit(&["d.csv", "-f", formula]);
        assert_eq!((number(&fit["r_squared"]), number(&fit["adj_r_squared"])), (0.0, 0.0), "{formula}");
    }
}
