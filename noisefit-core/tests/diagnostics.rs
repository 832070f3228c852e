//! Diagnostics against their definitions in 50 digits, R's Shapiro and Wilk's test, and computations written out here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::close;
use noisefit_core::estimate::Options;
use noisefit_core::inference::diagnostics::{
    ChiSquaredTest, Diagnosis, Diagnostics, Found, Measures, RowInfluence, TestedOn,
};
use noisefit_core::noise::Noises;
use noisefit_core::record::Fit;
use noisefit_core::rows::{Matrix, MemoryRows, RowSource};
use noisefit_core::{Error, inference};
use serde_json::Value;

fn testdata(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A column of a file.
fn column(file: &str, name: &str) -> Vec<f64> {
    let text = testdata(file);
    let mut lines = text.lines();
    let place = lines.next().unwrap().split(',').position(|heading| heading == name).unwrap();
    lines.map(|line| line.split(',').nth(place).unwrap().parse().unwrap()).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[track_caller]
fn assert_test(found: &Found<ChiSquaredTest>, expected: &Value, tolerance: f64, what: &str) {
    if expected.is_null() {
        assert!(found.why_not().is_some(), "{what}");
        return;
    }
    let found = found.as_ref().unwrap_or_else(|| panic!("{what}: {found:?}"));
    close(found.statistic, number(&expected["statistic"]), tolerance, what);
    close(found.df, number(&expected["df"]), 0.0, what);
    close(found.p_value, number(&expected["p_value"]), tolerance, &format!("{what}, p"));
}

fn fitted(rows: &dyn RowSource, noise: &str) -> Fit {
    inference::fit(rows, &noise.parse::<Noises>().unwrap(), &inference::Options::default()).unwrap().remove(0)
}

fn diagnosed(rows: &dyn RowSource, noise: &str, worst: usize) -> Diagnostics {
    let fit = fitted(rows, noise);
    Diagnosis::new(rows, &fit, &Options::default()).unwrap().run(rows, worst).unwrap()
}

#[test]
fn every_number_of_least_squares_by_its_definition() {
    const TOLERANCE: f64 = 1e-10;
    let cases: Vec<Value> = serde_json::from_str(&testdata("reference/diagnostics.json")).unwrap();
    assert_eq!(cases.len(), 16);
    for case in &cases {
        let (name, file) = (case["name"].as_str().unwrap(), case["data"].as_str().unwrap());
        let (response, terms) = case["formula"].as_str().unwrap().split_once(" ~ ").unwrap();
        let terms: Vec<&str> = terms.split(" + ").filter(|term| *term != "0").collect();
        let y = column(file, response);
        let x: Vec<f64> = terms.iter().flat_map(|term| column(file, term)).collect();
        let weights = case["weights"].as_str().map(|weights| match weights.strip_prefix("1/") {
            Some(inverse) => column(file, inverse).iter().map(|value| 1.0 / value).collect::<Vec<_>>(),
            None => column(file, weights),
        });
        let mut rows = MemoryRows::new(&y, Matrix::column_major(&x, y.len(), terms.len()).unwrap()).unwrap();
        rows = rows.named(response, &terms).unwrap();
        if let Some(weights) = &weights {
            rows = rows.with_weights(weights).unwrap();
        }
        if name.ends_with("no intercept") {
            rows = rows.without_intercept();
        }
        let found = diagnosed(&rows, "gaussian", y.len());
        assert_eq!((found.tested_on, found.influence.measures), (TestedOn::Fit, Measures::LeastSquares));

        let expected = |measure: &str, row: &RowInfluence| number(&case["rows"][measure][row.row as usize]);
        assert_eq!(found.influence.largest_leverages.len(), y.len());
        for row in &found.influence.largest_leverages {
            let close = |value: Option<f64>, measure: &str| {
                // A residual near zero has the digits of its standard error.
                let (value, expected) = (value.unwrap(), expected(measure, row));
                let residual = matches!(measure, "standardised" | "studentised" | "dffits");
                let scale = if residual { expected.abs().max(0.01) } else { expected.abs() };
                let scale = if measure == "cooks_distance" { scale.max(1e-6) } else { scale };
                let error = (value - expected).abs() / scale;
                assert!(error < TOLERANCE, "{name}, {measure} of row {}: {value} {expected}, {error:.1e}", row.row);
            };
            close(Some(row.leverage), "leverage");
            close(row.standardised, "standardised");
            close(row.studentised, "studentised");
            close(row.cooks_distance, "cooks_distance");
            close(row.dffits, "dffits");
            close(row.covratio, "covratio");
        }
        let order =
            |list: &[RowInfluence], key: &dyn Fn(&RowInfluence) -> f64| list.is_sorted_by(|a, b| key(a) >= key(b));
        assert!(order(&found.influence.largest_residuals, &|row| row.studentised.unwrap().abs()));
        assert!(order(&found.influence.largest_cooks_distances, &|row| row.cooks_distance.unwrap()));

        let spread = &found.heteroscedasticity;
        let test = |what: &str, found: &Found<ChiSquaredTest>| {
            assert_test(found, &case[what], TOLERANCE, &format!("{name}, {what}"));
        };
        test("breusch_pagan", &spread.breusch_pagan);
        test("studentised_breusch_pagan", &spread.studentised_breusch_pagan);
        test("white", &spread.white);
        test("jarque_bera", &found.normality.jarque_bera);
        test("breusch_godfrey", &found.autocorrelation.breusch_godfrey);
        let value = |what: &str, found: &Found<f64>| {
            close(*found.as_ref().unwrap(), number(&case[what]), TOLERANCE, &format!("{name}, {what}"));
        };
        value("skewness", &found.normality.skewness);
        value("excess_kurtosis", &found.normality.excess_kurtosis);
        value("condition_number", &found.collinearity.condition_number);
        value("scaled_condition_number", &found.collinearity.scaled_condition_number);
        let inflation = case["variance_inflation"].as_array().unwrap();
        assert_eq!(found.collinearity.variance_inflation.len(), inflation.len());
        for (found, expected) in found.collinearity.variance_inflation.iter().zip(inflation) {
            close(found.factor, number(expected), TOLERANCE, &format!("{name}, inflation of {}", found.term));
        }
        let reset = found.specification.reset.as_ref().unwrap();
        close(reset.statistic, number(&case["reset"]["statistic"]), TOLERANCE, &format!("{name}, RESET"));
        close(reset.df, number(&case["reset"]["df"]), 0.0, name);
        close(reset.df_residual, number(&case["reset"]["df_residual"]), 0.0, name);
        close(reset.p_value, number(&case["reset"]["p_value"]), TOLERANCE, &format!("{name}, RESET, p"));
        let distance = found.anderson_darling.as_ref().unwrap();
        close(distance.statistic, number(&case["anderson_darling"]["statistic"]), TOLERANCE, name);
        close(distance.p_value, number(&case["anderson_darling"]["p_value"]), 1e-9, name);

        let watson = found.autocorrelation.durbin_watson.as_ref().unwrap();
        let reference = &case["durbin_watson"];
        close(watson.statistic, number(&reference["statistic"]), TOLERANCE, &format!("{name}, Durbin-Watson"));
        if !reference["expected"].is_null() {
            close(watson.expected, number(&reference["expected"]), TOLERANCE, &format!("{name}, its mean"));
            close(watson.std_dev, number(&reference["std_dev"]), TOLERANCE, &format!("{name}, its deviation"));
        }
        if !reference["lmtest_p_value"].is_null() {
            // Theirs is exact to about 1e-4 for fewer than a hundred rows.
            let exact = number(&reference["lmtest_p_value"]);
            assert!((watson.p_value - exact).abs() < 0.003 + 0.02 * exact, "{name}: {} {exact}", watson.p_value);
        }
        if let Some(shapiro) = case["shapiro_wilk"].as_object() {
            let found = found.normality.shapiro_wilk.as_ref().unwrap();
            close(found.statistic, number(&shapiro["statistic"]), 1e-12, name);
            close(found.p_value, number(&shapiro["p_value"]), 1e-8, name);
        }
    }
}

#[test]
fn shapiro_and_wilk_as_r_has_it() {
    let cases: Vec<Value> = serde_json::from_str(&testdata("reference/shapiro.json")).unwrap();
    assert!(cases.len() > 30);
    for case in &cases {
        let y: Vec<f64> = case["values"].as_array().unwrap().iter().map(number).collect();
        let rows = MemoryRows::new(&y, Matrix::column_major(&[], y.len(), 0).unwrap()).unwrap();
        let found = diagnosed(&rows, "gaussian", 0).normality.shapiro_wilk;
        let (found, what) = (found.as_ref().unwrap(), format!("{} values from {}", y.len(), y[0]));
        close(found.statistic, number(&case["w"]), 1e-12, &what);
        let p = number(&case["p_value"]);
        assert!((found.p_value - p).abs() <= 1e-8 * p + 1e-12, "{what}: {} {p}", found.p_value);
    }
}

/// Numbers that look random.
fn scattered(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

/// The parts of a diagnosis that do not depend on the order of rows, as numbers.
fn flattened(value: &Value, into: &mut Vec<f64>) {
    match value {
        Value::Number(number) => into.push(number.as_f64().unwrap()),
        Value::Array(values) => values.iter().for_each(|value| flattened(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| flattened(value, into)),
        _ => {}
    }
}

#[test]
fn frequencies_are_repeated_rows() {
    let n = 40;
    let x = scattered(2 * n, 1);
    let noise = scattered(n, 2);
    let y: Vec<f64> = (0..n).map(|i| 1.0 + x[i] - x[n + i] + x[i] * (noise[i] - 0.5)).collect();
    let frequencies: Vec<f64> = (0..n).map(|i| f64::from((i % 3) as u8 + 1)).collect();
    let copies: Vec<usize> = (0..n).flat_map(|i| std::iter::repeat_n(i, i % 3 + 1)).collect();
    let repeated_y: Vec<f64> = copies.iter().map(|&i| y[i]).collect();
    let repeated_x: Vec<f64> =
        (0..2).flat_map(|j| copies.iter().map(move |&i| j * n + i)).map(|place| x[place]).collect();
    for noise in ["gaussian", "student-t:4", "laplace"] {
        let counted = MemoryRows::new(&y, Matrix::column_major(&x, n, 2).unwrap()).unwrap();
        let counted = diagnosed(&counted.with_frequencies(&frequencies).unwrap(), noise, 1);
        let repeated = Matrix::column_major(&repeated_x, copies.len(), 2).unwrap();
        let repeated = diagnosed(&MemoryRows::new(&repeated_y, repeated).unwrap(), noise, 1);
        assert!(counted.autocorrelation.durbin_watson.why_not().unwrap().contains("order is not known"));
        assert_eq!(counted.nobs, copies.len() as u64);
        let numbers = |found: &Diagnostics| {
            let mut value = serde_json::to_value(found).unwrap();
            let fields = value.as_object_mut().unwrap();
            fields.remove("autocorrelation");
            fields.remove("ordered_rows");
            for list in ["largest_residuals", "largest_cooks_distances", "largest_leverages"] {
                value["influence"][list].as_array_mut().unwrap().iter_mut().for_each(|row| row["row"] = Value::Null);
            }
            let mut numbers = Vec::new();
            flattened(&value, &mut numbers);
            numbers
        };
        let (counted, repeated) = (numbers(&counted), numbers(&repeated));
        assert_eq!(counted.len(), repeated.len());
        for (a, b) in counted.iter().zip(&repeated) {
            assert!((a - b).abs() < 1e-8 * (1.0 + b.abs()), "{noise}: {a} {b}");
        }
    }
}

#[test]
fn of_other_noise_the_tests_of_least_squares_stay_and_rows_are_measured_in_scales() {
    let (income, food) = (column("engel.csv", "income"), column("engel.csv", "foodexp"));
    let n = food.len();
    let rows = || MemoryRows::new(&food, Matrix::column_major(&income, n, 1).unwrap()).unwrap();
    let least_squares = diagnosed(&rows(), "gaussian", 3);
    for noise in ["laplace", "student-t", "huber", "logistic"] {
        let fit = fitted(&rows(), noise);
        let found = Diagnosis::new(&rows(), &fit, &Options::default()).unwrap().run(&rows(), n).unwrap();
        assert_eq!((found.tested_on, found.influence.measures), (TestedOn::LeastSquares, Measures::Standardised));
        assert_eq!(found.heteroscedasticity, least_squares.heteroscedasticity);
        assert_eq!(found.normality, least_squares.normality);
        assert_eq!(found.collinearity, least_squares.collinearity);

        // By hand.
        let (family, scale) = (fit.noise.family(), fit.scale.common().unwrap());
        let beta: Vec<f64> = fit.location.rows.iter().map(|c| c.estimate.unwrap()).collect();
        let r: Vec<f64> = (0..n).map(|i| (food[i] - beta[0] - beta[1] * income[i]) / scale).collect();
        let mut pit = vec![0.0; 10];
        r.iter().for_each(|&r| pit[((family.cdf(r) * 10.0) as usize).min(9)] += 1.0);
        let calibration = found.calibration.as_ref().unwrap();
        // A residual that is zero but for rounding may be counted on either side of the median.
        let differences: f64 = pit.iter().zip(&calibration.pit_counts).map(|(a, b)| (a - b).abs()).sum();
        let zeros = r.iter().filter(|r| r.abs() < 1e-9).count() as f64;
        assert!(differences <= 2.0 * zeros, "{noise}: {pit:?} {:?}", calibration.pit_counts);
        for interval in &calibration.intervals {
            let (low, high) = family.interval(interval.level).unwrap();
            let share = r.iter().filter(|r| (low..=high).contains(*r)).count() as f64 / n as f64;
            assert!((interval.share - share).abs() < 1e-12);
        }
        for row in &found.influence.largest_residuals {
            let own = r[row.row as usize];
            assert!((row.standardised.unwrap() - own).abs() < 1e-10);
            let heed = match noise {
                // 1 / |r| over that at the median of the sizes, ln 2.
                "laplace" => (std::f64::consts::LN_2 / own.abs()).min(1.0),
                _ => family.weight(own) / family.weight(0.0),
            };
            assert!((row.weight.unwrap() - heed).abs() < 1e-8, "{noise}: {row:?} {heed}");
        }
        let mut sorted = r.clone();
        sorted.sort_by(f64::total_cmp);
        let quantiles = &found.tails.as_ref().unwrap().quantiles;
        assert_eq!(quantiles[0].level, 0.01);
        for pair in quantiles {
            let place = pair.level * (n - 1) as f64;
            let (low, part) = (place as usize, place.fract());
            let expected = sorted[low] + part * (sorted[(low + 1).min(n - 1)] - sorted[low]);
            assert!((pair.residual - expected).abs() < 1e-9);
            assert_eq!(pair.family, family.quantile(pair.level));
        }
        // Hill's index of the 11 largest sizes.
        let mut sizes: Vec<f64> = r.iter().map(|r| r.abs()).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        let k = 11;
        let index = k as f64 / sizes[..k].iter().map(|size| (size / sizes[k]).ln()).sum::<f64>();
        let found = found.tails.as_ref().unwrap().tail_index.as_ref().unwrap();
        assert_eq!(found.extremes, k as f64);
        close(found.index, index, 1e-9, noise);
        close(found.std_error, index / (k as f64).sqrt(), 1e-9, noise);
    }
}

#[test]
fn a_modelled_scale_weights_the_tests() {
    let (income, food) = (column("engel.csv", "income"), column("engel.csv", "foodexp"));
    let n = food.len();
    let design = || Matrix::column_major(&income, n, 1).unwrap();
    let rows = MemoryRows::new(&food, design()).unwrap().with_scale_design(design(), &["income"]).unwrap();
    let fit = fitted(&rows, "gaussian");
    let found = Diagnosis::new(&rows, &fit, &Options::default()).unwrap().run(&rows, n).unwrap();
    assert_eq!(found.tested_on, TestedOn::ScaledLeastSquares);
    let gamma: Vec<f64> = fit.scale.coefficients().iter().map(|c| c.estimate.unwrap()).collect();
    let weights: Vec<f64> = income.iter().map(|x| (-2.0 * (gamma[0] + gamma[1] * x)).exp()).collect();
    let weighted = MemoryRows::new(&food, design()).unwrap().with_weights(&weights).unwrap();
    let weighted = diagnosed(&weighted, "gaussian", n);
    let p = |found: &Diagnostics| found.heteroscedasticity.studentised_breusch_pagan.as_ref().unwrap().p_value;
    close(p(&found), p(&weighted), 1e-8, "Breusch-Pagan");
    // With weights of its own the fit's variance no longer grows with income.
    assert!(p(&found) > 1e-5 && p(&diagnosed(&MemoryRows::new(&food, design()).unwrap(), "gaussian", 1)) < 1e-10);
    let reset = |found: &Diagnostics| found.specification.reset.as_ref().unwrap().p_value;
    close(reset(&found), reset(&weighted), 1e-8, "RESET");
    let mut sum = 0.0;
    for row in &found.influence.largest_leverages {
        let i = row.row as usize;
        let scale = weights[i].sqrt().recip();
        close(row.scale, scale, 1e-12, "scale");
        close(row.standardised.unwrap(), row.residual / scale, 1e-12, "residual");
        assert_eq!(row.weight, Some(1.0));
        sum += row.leverage;
    }
    close(sum, 2.0, 1e-12, "the sum of the leverages");
}

#[test]
fn one_pass_in_any_number_of_threads_and_a_sample_of_many_rows() {
    let n = 70_000;
    let x = scattered(2 * n, 5);
    let noise = scattered(n, 6);
    let y: Vec<f64> = (0..n).map(|i| 2.0 + x[i] + 3.0 * x[n + i] + (noise[i] / (1.0 - noise[i])).ln()).collect();
    let run = |threads: usize| {
        let rows = MemoryRows::new(&y, Matrix::column_major(&x, n, 2).unwrap()).unwrap();
        diagnosed(&rows.with_threads(threads), "logistic", 5)
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert!((60_000..=65_536).contains(&one.ordered_rows), "{}", one.ordered_rows);
    // The noise is logistic, and nothing else is wrong.
    assert!(one.anderson_darling.as_ref().unwrap().p_value > 0.01);
    assert!(one.calibration.as_ref().unwrap().uniformity.as_ref().unwrap().p_value > 0.01);
    assert!(one.heteroscedasticity.white.as_ref().unwrap().p_value > 0.01);
    assert!(one.autocorrelation.durbin_watson.as_ref().unwrap().p_value > 0.01);
    assert!(one.normality.shapiro_wilk.why_not().unwrap().contains("more than 5000"));
    // Gaussian noise it is not.
    let rows = MemoryRows::new(&y, Matrix::column_major(&x, n, 2).unwrap()).unwrap();
    assert!(diagnosed(&rows, "gaussian", 0).anderson_darling.as_ref().unwrap().p_value < 1e-6);
}

#[test]
fn what_is_not_defined_says_why() {
    let design = |x: &'static [f64], rows: usize, columns: usize| Matrix::column_major(x, rows, columns).unwrap();
    // As many coefficients as observations.
    let rows = MemoryRows::new(&[1.0, 3.0], design(&[1.0, 2.0], 2, 1)).unwrap();
    let found = diagnosed(&rows, "gaussian", 3);
    let saturated = "there are as many coefficients as observations";
    assert_eq!(found.heteroscedasticity.white.why_not(), Some(saturated));
    assert_eq!(found.collinearity.condition_number.why_not(), Some(saturated));
    assert_eq!(found.calibration.why_not(), Some(saturated));
    assert_eq!(found.normality.shapiro_wilk.why_not(), Some(saturated));

    // An exact fit.
    let rows = MemoryRows::new(&[1.0, 3.0, 5.0, 7.0], design(&[1.0, 2.0, 3.0, 4.0], 4, 1)).unwrap();
    let found = diagnosed(&rows, "gaussian", 3);
    assert_eq!(found.specification.reset.why_not(), Some("the residuals are all zero"));
    assert_eq!(found.anderson_darling.why_not(), Some("the fitted noise scale is zero"));
    assert!(found.influence.largest_residuals.is_empty());
    assert_eq!(found.influence.largest_leverages.len(), 3);
    assert_eq!(found.influence.largest_leverages[0].row, 0);
    close(found.influence.largest_leverages[0].leverage, 0.7, 1e-14, "leverage");

    // A mean alone.
    let y = [1.0, 4.0, 2.0, 2.5, 3.0, 0.0, 2.0, 9.0, 1.0];
    let found = diagnosed(&MemoryRows::new(&y, design(&[], 9, 0)).unwrap(), "gaussian", 1);
    assert_eq!(found.heteroscedasticity.breusch_pagan.why_not(), Some("there is no regressor"));
    assert_eq!(found.specification.reset.why_not(), Some("all fitted values are the same"));
    assert_eq!(found.collinearity.condition_number.as_ref(), Some(&1.0));
    assert_eq!(found.influence.largest_residuals[0].row, 7);

    // Two groups: powers of two fitted values are combinations of a constant and the group.
    let groups = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    let rows = MemoryRows::new(&y, Matrix::column_major(&groups, 9, 1).unwrap()).unwrap();
    let found = diagnosed(&rows, "gaussian", 1);
    assert!(found.specification.reset.why_not().unwrap().contains("combinations of the regressors"));
    assert_eq!(found.heteroscedasticity.white.as_ref().unwrap().df, 1.0);

    // A row that alone determines a coefficient.
    let alone = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let rows = MemoryRows::new(&y, Matrix::column_major(&alone, 9, 1).unwrap()).unwrap();
    let found = diagnosed(&rows, "gaussian", 9);
    let row = &found.influence.largest_leverages[0];
    assert_eq!((row.row, row.leverage, row.studentised, row.cooks_distance), (7, 1.0, None, None));
    assert_eq!(found.influence.largest_residuals.len(), 8);

    // An aliased term is left out.
    let twice: Vec<f64> = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0].iter().flat_map(|x| [*x, 2.0 * x]).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&twice, 9, 2).unwrap()).unwrap();
    let found = diagnosed(&rows, "gaussian", 1);
    assert_eq!(found.collinearity.variance_inflation.len(), 1);
    close(found.collinearity.variance_inflation[0].factor, 1.0, 1e-12, "inflation");

    // Too many regressors for White's test, and quantiles.
    let rows = MemoryRows::new(&y, design(&[], 9, 0)).unwrap();
    let fit = inference::fit(&rows, &Noises::quantiles(&[0.5]), &inference::Options::default()).unwrap().remove(0);
    let error = Diagnosis::new(&rows, &fit, &Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Unsupported(why) if why.contains("no model of the noise")), "{error}");
    let (n, p) = (60, 25);
    let (x, y) = (scattered(n * p, 8), scattered(n, 9));
    let rows = MemoryRows::new(&y, Matrix::column_major(&x, n, p).unwrap()).unwrap();
    let found = diagnosed(&rows, "gaussian", 1);
    assert!(found.heteroscedasticity.white.why_not().unwrap().contains("351 columns"));
    assert_eq!(found.heteroscedasticity.drivers.len(), p);
}

#[test]
fn the_regressor_that_drives_the_spread_is_named() {
    let n = 400;
    let x = scattered(3 * n, 11);
    let noise = scattered(n, 12);
    let y: Vec<f64> = (0..n).map(|i| x[i] + (3.0 - 2.5 * x[n + i]) * (noise[i] - 0.5)).collect();
    let rows =
        MemoryRows::new(&y, Matrix::column_major(&x, n, 3).unwrap()).unwrap().named("y", &["a", "b", "c"]).unwrap();
    let found = diagnosed(&rows, "gaussian", 1);
    let drivers = &found.heteroscedasticity.drivers;
    assert_eq!(drivers[0].term, "b");
    assert!(drivers[0].statistic < -5.0 && drivers[0].p_value < 1e-6, "{drivers:?}");
    assert!(drivers[1].p_value > 0.001);
    // The t statistics are those of the regression of |e| on the regressors.
    let fit = fitted(&rows, "gaussian");
    let beta: Vec<f64> = fit.location.rows.iter().map(|c| c.estimate.unwrap()).collect();
    let sizes: Vec<f64> =
        (0..n).map(|i| (y[i] - beta[0] - (0..3).map(|j| beta[j + 1] * x[j * n + i]).sum::<f64>()).abs()).collect();
    let again = MemoryRows::new(&sizes, Matrix::column_major(&x, n, 3).unwrap()).unwrap();
    let again = fitted(&again.named("size", &["a", "b", "c"]).unwrap(), "gaussian");
    for driver in drivers {
        let row = again.location.rows.iter().find(|row| row.term == driver.term).unwrap();
        close(driver.statistic, row.statistic.unwrap(), 1e-9, &driver.term);
        close(driver.p_value, row.p_value.unwrap(), 1e-8, &driver.term);
    }
}
