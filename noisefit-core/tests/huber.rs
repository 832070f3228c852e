//! Huber regression against exact solutions, R, and what must hold of any data.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod common;

use common::{close, close_all, estimates, std_errors};
use noisefit_core::estimate::{Options, active_set, closed_form};
use noisefit_core::noise::{Huber, HuberScale, Noise, Noises};
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::record::{Fit, ScaleRule, VcovKind};
use noisefit_core::rows::{Block, Design, Layout, Matrix, MemoryRows, Next, Pass, Precision, RowSource, Values};
use noisefit_core::{Error, inference};
use proptest::prelude::*;
use serde_json::Value;

const MAD: HuberScale = HuberScale::Mad { constant: Huber::NORMAL_QUARTILE };
const MASS: HuberScale = HuberScale::Mad { constant: 0.6745 };
const SCALES: [HuberScale; 3] = [MAD, HuberScale::Proposal2, HuberScale::MaximumLikelihood];

/// A response and a design of columns, row by row.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    columns: usize,
}

impl Data {
    fn rows(&self) -> MemoryRows<'_> {
        MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), self.columns).unwrap()).unwrap()
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.columns..(i + 1) * self.columns]
    }
}

fn testdata(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn csv(name: &str, response: &str, terms: &[&str]) -> Data {
    let text = testdata(name);
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (mut y, mut x) = (Vec::new(), Vec::new());
    for line in lines {
        let value = |name: &str| line[place(name)].parse::<f64>().unwrap();
        y.push(value(response));
        x.extend(terms.iter().map(|term| value(term)));
    }
    Data { y, x, columns: terms.len() }
}

fn references() -> Vec<(Value, Data)> {
    let cases: Vec<Value> = serde_json::from_str(&testdata("reference/huber.json")).unwrap();
    let data = |case: &Value| {
        let terms: Vec<&str> = case["terms"].as_array().unwrap().iter().map(|term| term.as_str().unwrap()).collect();
        csv(case["data"].as_str().unwrap(), case["response"].as_str().unwrap(), &terms)
    };
    cases.into_iter().map(|case| (case.clone(), data(&case))).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(number).collect()
}

fn compare(fit: &Fit, expected: &Value, tolerance: f64, what: &str) {
    assert!(fit.termination.converged, "{what}: {:?}", fit.termination);
    close_all(&estimates(fit), &numbers(&expected["coefficients"]), tolerance, what);
    close(fit.scale.common().unwrap(), number(&expected["scale"]), tolerance, what);
    if let Some(exact) = expected.get("log_likelihood") {
        close(fit.log_likelihood().unwrap(), number(exact), tolerance, what);
    }
}

#[test]
fn exact_solutions_to_twelve_digits() {
    for (case, data) in references() {
        for name in ["mad", "mad:0.6745", "proposal2", "mle"] {
            let fit = active_set::fit(&data.rows(), 1.345, name.parse().unwrap(), &Options::default()).unwrap();
            compare(&fit, &case[name], 1e-12, &format!("{}, {name}, {:?}", case["data"], fit.accuracy));
        }
        let (expected, delta) = (&case["fixed"], number(&case["fixed"]["delta"]));
        let fit = active_set::fit_fixed(&data.rows(), delta, &Options::default()).unwrap();
        compare(&fit, expected, 1e-12, &format!("{}, delta", case["data"]));
        close(fit.goodness.mean_loss.unwrap(), number(&expected["mean_loss"]), 1e-12, "mean loss");
    }
}

#[test]
fn estimates_and_standard_errors_of_mass() {
    for (case, data) in references() {
        for (name, scale) in [("mad:0.6745", MASS), ("proposal2", HuberScale::Proposal2)] {
            let (fit, expected) =
                (active_set::fit(&data.rows(), 1.345, scale, &Options::default()).unwrap(), &case["rlm"][name]);
            // What R's own iterations leave.
            let what = format!("{}, {name}", case["data"]);
            compare(&fit, expected, 1e-11, &what);
            close_all(&std_errors(&fit), &numbers(&expected["std_errors"]), 1e-11, &what);
        }
    }
}

/// Numbers between 0 and 1 without a pattern (Steele, Lea and Flood 2014, *OOPSLA*, 453-472).
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((word ^ (word >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

/// Rows on a plane, one in eight far from it.
fn contaminated(rows: usize, columns: usize, seed: u64) -> Data {
    let mut uniform = Uniform(seed);
    let x: Vec<f64> = (0..rows * columns).map(|_| 4.0 * uniform.next() - 2.0).collect();
    let noise = |i: usize, u: f64| if i % 8 == 3 { 40.0 * u - 10.0 } else { (u / (1.0 - u)).ln() };
    let mean = |row: &[f64]| 1.5 + row.iter().enumerate().map(|(j, x)| x * (j as f64 - 0.75)).sum::<f64>();
    let y = x.chunks_exact(columns).enumerate().map(|(i, row)| mean(row) + noise(i, uniform.next())).collect();
    Data { y, x, columns }
}

fn every_fit(rows: &MemoryRows<'_>) -> Vec<Fit> {
    let scales = SCALES.map(|scale| active_set::fit(rows, 1.345, scale, &Options::default()).unwrap());
    scales.into_iter().chain([active_set::fit_fixed(rows, 1.2, &Options::default()).unwrap()]).collect()
}

#[track_caller]
fn same(a: &Fit, b: &Fit, tolerance: f64) {
    assert!(a.termination.converged && b.termination.converged);
    assert_eq!(a.nobs, b.nobs);
    for (a, b) in a.location.rows.iter().zip(&b.location.rows) {
        close(a.estimate.unwrap(), b.estimate.unwrap(), tolerance, &a.term);
        close(a.std_error.unwrap(), b.std_error.unwrap(), tolerance, &a.term);
    }
    for (a, b) in [
        (a.scale.common(), b.scale.common()),
        (a.log_likelihood(), b.log_likelihood()),
        (a.goodness.mae, b.goodness.mae),
        (a.goodness.r_squared, b.goodness.r_squared),
    ] {
        close(a.unwrap(), b.unwrap(), tolerance, "sums");
    }
    close(a.goodness.rmse, b.goodness.rmse, tolerance, "rmse");
}

/// The residuals of a fit in double-double.
fn residuals(data: &Data, fit: &Fit) -> Vec<DoubleDouble> {
    let b = estimates(fit);
    let term = |(x, b): (&f64, &f64)| DoubleDouble::from_product(*x, *b);
    let mean =
        |i: usize| data.row(i).iter().zip(&b[1..]).map(term).fold(DoubleDouble::from(b[0]), |sum, term| sum + term);
    (0..data.y.len()).map(|i| DoubleDouble::from(data.y[i]) - mean(i)).collect()
}

/// The estimating equations, evaluated anew: each relative to the sum of the sizes of its terms.
fn check_equations(data: &Data, fit: &Fit, knee: f64, scale: Option<HuberScale>) {
    check_equations_to(1e-13, data, fit, knee, scale);
}

fn check_equations_to(tolerance: f64, data: &Data, fit: &Fit, knee: f64, scale: Option<HuberScale>) {
    let (u, s, n) = (residuals(data, fit), fit.scale.common().unwrap(), data.y.len() as f64);
    let psi = |u: DoubleDouble| if u.abs().to_f64() <= knee { u } else { DoubleDouble::from(knee.copysign(u.high)) };
    for j in 0..=data.columns {
        let column = |i: usize| if j == 0 { 1.0 } else { data.row(i)[j - 1] };
        let sum = (0..u.len()).fold(DoubleDouble::ZERO, |sum, i| sum + psi(u[i]) * column(i));
        let size: f64 = (0..u.len()).map(|i| psi(u[i]).to_f64().abs() * column(i).abs()).sum();
        assert!(sum.to_f64().abs() < tolerance * size, "equation {j}: {:e} of {size:e}", sum.to_f64());
    }
    match scale {
        Some(HuberScale::Mad { constant }) => {
            let mut sizes: Vec<f64> = u.iter().map(|u| u.abs().to_f64()).collect();
            sizes.sort_by(f64::total_cmp);
            let median = 0.5 * (sizes[(sizes.len() - 1) / 2] + sizes[sizes.len() / 2]);
            close(median, constant * s, tolerance, "median");
        }
        Some(HuberScale::MaximumLikelihood) => {
            let sum = u.iter().fold(DoubleDouble::ZERO, |sum, &u| sum + u * psi(u));
            close(sum.to_f64(), n * s * s, tolerance, "scale by likelihood");
        }
        Some(HuberScale::Proposal2) => {
            let sum = u.iter().fold(DoubleDouble::ZERO, |sum, &u| sum + psi(u).square());
            // E[min(Z^2, 1.345^2)], mpmath.
            let expected = (n - 1.0 - data.columns as f64) * 0.710_164_548_269_048_5;
            close(sum.to_f64(), expected * s * s, tolerance, "proposal 2");
        }
        None => (),
    }
}

#[test]
fn many_rows_solve_their_equations() {
    // More than are sampled, so that the search begins on some of them, and the median is sought in a window.
    let data = contaminated(60_000, 3, 1);
    for scale in SCALES {
        let fit = active_set::fit(&data.rows(), 1.345, scale, &Options::default()).unwrap();
        assert!(fit.termination.converged && fit.warnings.is_empty());
        check_equations(&data, &fit, 1.345 * fit.scale.common().unwrap(), Some(scale));
    }
    let fit = active_set::fit_fixed(&data.rows(), 0.8, &Options::default()).unwrap();
    check_equations(&data, &fit, 0.8, None);
    let loss = |u: &DoubleDouble| {
        let size = u.abs().to_f64();
        if size <= 0.8 { 0.5 * size * size } else { 0.8 * (size - 0.4) }
    };
    let mean = residuals(&data, &fit).iter().map(loss).sum::<f64>() / 60_000.0;
    close(fit.goodness.mean_loss.unwrap(), mean, 1e-12, "mean loss");
}

#[test]
fn a_sample_of_repeated_rows_leads_to_the_fit_of_few_with_frequencies() {
    let few = contaminated(301, 2, 2);
    let (mut y, mut x) = (Vec::new(), Vec::new());
    for i in (0..200).flat_map(|_| 0..301) {
        y.push(few.y[i]);
        x.extend_from_slice(few.row(i));
    }
    let many = Data { y, x, columns: 2 };
    let frequencies = [200.0; 301];
    let counted = few.rows().with_frequencies(&frequencies).unwrap();
    for (many, few) in every_fit(&many.rows()).iter().zip(&every_fit(&counted)) {
        same(many, few, 1e-12);
    }
}

#[test]
fn frequencies_are_repeated_rows() {
    let data = contaminated(41, 2, 3);
    let frequencies: Vec<f64> = (0..41).map(|i| 1.0 + f64::from(i % 3)).collect();
    let (mut y, mut x) = (Vec::new(), Vec::new());
    for (i, f) in frequencies.iter().enumerate() {
        for _ in 0..*f as usize {
            y.push(data.y[i]);
            x.extend_from_slice(data.row(i));
        }
    }
    let repeated = Data { y, x, columns: 2 };
    let counted = data.rows().with_frequencies(&frequencies).unwrap();
    for (repeated, counted) in every_fit(&repeated.rows()).iter().zip(&every_fit(&counted)) {
        same(repeated, counted, 1e-12);
    }
}

#[test]
fn weights_scale_rows_and_their_noise() {
    let data = contaminated(53, 2, 4);
    // With the intercept as a column.
    let design: Vec<f64> = (0..53).flat_map(|i| [1.0, data.row(i)[0], data.row(i)[1]]).collect();
    let weights: Vec<f64> = (0..53).map(|i| 0.25 + f64::from(i % 5)).collect();
    let log_weights: f64 = weights.iter().map(|w| 0.5 * w.ln()).sum();
    let y: Vec<f64> = data.y.iter().zip(&weights).map(|(y, w)| y * w.sqrt()).collect();
    let x: Vec<f64> = design.iter().enumerate().map(|(i, x)| x * weights[i / 3].sqrt()).collect();
    let scaled = MemoryRows::new(&y, Matrix::row_major(&x, 53, 3).unwrap()).unwrap().without_intercept();
    let weighted = MemoryRows::new(&data.y, Matrix::row_major(&design, 53, 3).unwrap()).unwrap().without_intercept();
    for (a, b) in every_fit(&weighted.with_weights(&weights).unwrap()).iter().zip(&every_fit(&scaled)) {
        for (a, b) in a.location.rows.iter().zip(&b.location.rows) {
            close(a.estimate.unwrap(), b.estimate.unwrap(), 1e-12, "coefficient");
            close(a.std_error.unwrap(), b.std_error.unwrap(), 1e-12, "standard error");
        }
        close(a.scale.common().unwrap(), b.scale.common().unwrap(), 1e-12, "scale");
        close(a.log_likelihood().unwrap(), b.log_likelihood().unwrap() + log_weights, 1e-12, "log-likelihood");
    }
}

/// Rows in units and blocks of given lengths, as files have them.
struct Pieces<'a> {
    data: &'a Data,
    layout: Layout,
    block: usize,
    unit: usize,
}

impl RowSource for Pieces<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        let (n, p) = (self.data.y.len(), self.data.columns);
        for unit in (0..n).step_by(self.unit) {
            let (mut state, end) = (empty.clone_box(), (unit + self.unit).min(n));
            for start in (unit..end).step_by(self.block) {
                let stop = (start + self.block).min(end);
                let columns: Vec<Vec<f64>> =
                    (0..p).map(|j| (start..stop).map(|i| self.data.x[i * p + j]).collect()).collect();
                let zeros = vec![0.0; stop - start];
                let low = (empty.precision() != Precision::Double).then_some(&zeros[..]);
                let design: Vec<Values<'_>> = columns.iter().map(|high| Values { high, low }).collect();
                let response = Values { high: &self.data.y[start..stop], low };
                let (scale_design, weights, frequencies, log_jacobian) = (Design::default(), None, None, None);
                state.fold(&Block {
                    response,
                    design: (&design).into(),
                    scale_design,
                    weights,
                    frequencies,
                    log_jacobian,
                    clusters: &[],
                    effects: &[],
                    level_leverage: None,
                });
            }
            // A state may travel as bytes.
            if next(empty.state_from_bytes(&empty.state_to_bytes(&*state)?)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[test]
fn units_blocks_and_threads_do_not_matter() {
    let data = contaminated(40_000, 2, 5);
    let whole = every_fit(&data.rows().with_threads(1));
    let threads = every_fit(&data.rows().with_threads(3));
    assert_eq!(whole, threads);
    let layout = data.rows().layout().clone();
    let pieces = Pieces { data: &data, layout, block: 700, unit: 9_000 };
    for (whole, scale) in whole.iter().zip(SCALES) {
        same(whole, &active_set::fit(&pieces, 1.345, scale, &Options::default()).unwrap(), 1e-11);
    }
    same(&whole[3], &active_set::fit_fixed(&pieces, 1.2, &Options::default()).unwrap(), 1e-11);
}

#[test]
fn a_large_knee_is_least_squares_and_a_small_one_least_absolute_deviations() {
    let data = contaminated(25, 1, 6);
    let options = Options::default();
    let least_squares = closed_form::fit(&data.rows(), &options).unwrap();
    let wide = active_set::fit(&data.rows(), 1e9, HuberScale::MaximumLikelihood, &options).unwrap();
    for fit in [&wide, &active_set::fit_fixed(&data.rows(), 1e9, &options).unwrap()] {
        for (b, exact) in estimates(fit).into_iter().zip(estimates(&least_squares)) {
            close(b, exact, 1e-13, "coefficient");
        }
        close(fit.scale.common().unwrap(), least_squares.scale.common().unwrap(), 1e-13, "scale");
        close(fit.log_likelihood().unwrap(), least_squares.log_likelihood().unwrap(), 1e-13, "log-likelihood");
    }
    // The best line goes through two of the points.
    let line = |i: usize, j: usize| {
        let slope = (data.y[j] - data.y[i]) / (data.x[j] - data.x[i]);
        [data.y[i] - slope * data.x[i], slope]
    };
    let loss = |[a, b]: [f64; 2]| (0..25).map(|i| (data.y[i] - a - b * data.x[i]).abs()).sum::<f64>();
    let lines = (0..25).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| line(i, j));
    let best = lines.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap();
    for scale in [MAD, HuberScale::MaximumLikelihood] {
        let narrow = active_set::fit(&data.rows(), 1e-6, scale, &options).unwrap();
        assert!(narrow.termination.converged);
        for (b, exact) in estimates(&narrow).into_iter().zip(best) {
            close(b, exact, 1e-5, "coefficient");
        }
    }
    // The likelihood is that of Laplace noise, whose scale is s / k.
    let narrow = active_set::fit(&data.rows(), 1e-6, HuberScale::MaximumLikelihood, &options).unwrap();
    close(narrow.scale.common().unwrap() / 1e-6, loss(best) / 25.0, 1e-5, "scale");
    close(narrow.log_likelihood().unwrap(), -25.0 * ((2.0 * loss(best) / 25.0).ln() + 1.0), 1e-5, "log-likelihood");
}

#[test]
fn scales_of_zero_and_exact_fits() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let line: Vec<f64> = x.iter().map(|x| 1.0 + 2.0 * x).collect();
    let design = || Matrix::row_major(&x, 12, 1).unwrap();
    let options = Options::default();
    for fit in every_fit(&MemoryRows::new(&line, design()).unwrap()) {
        assert_eq!((fit.scale.common(), fit.log_likelihood()), (Some(0.0), None));
        assert_eq!(estimates(&fit), [1.0, 2.0]);
        assert!(fit.warnings[0].to_string().contains("the noise scale is 0"), "{:?}", fit.warnings);
    }
    // Nine of twelve on the line.
    let mut mostly = line.clone();
    for (i, off) in [(2, 5.0), (7, -3.0), (11, 4.0)] {
        mostly[i] += off;
    }
    let rows = MemoryRows::new(&mostly, design()).unwrap();
    let error = active_set::fit(&rows, 1.345, MAD, &options).unwrap_err().to_string();
    assert!(error.contains("the scale of huber noise is zero") && error.contains("mle"), "{error}");
    let likely = active_set::fit(&rows, 1.345, HuberScale::MaximumLikelihood, &options).unwrap();
    assert!(likely.termination.converged && likely.scale.common().unwrap() > 0.5);

    // As many coefficients as rows.
    let data = contaminated(3, 2, 7);
    for fit in every_fit(&data.rows()) {
        assert_eq!((fit.scale.common(), fit.df_residual), (Some(0.0), 0));
        assert_eq!(fit.location.rows[0].std_error, None);
    }
    for (k, scale) in [(0.0, MAD), (f64::NAN, MAD), (1.0, HuberScale::Mad { constant: -1.0 })] {
        let error = active_set::fit(&rows, k, scale, &options).unwrap_err().to_string();
        assert!(error.contains("must be positive and finite"), "{error}");
    }
    assert!(active_set::fit_fixed(&rows, -2.0, &options).unwrap_err().to_string().starts_with("delta is -2"));
}

#[test]
fn duplicated_rows_ties_and_a_response_of_few_values() {
    let mut uniform = Uniform(8);
    let x: Vec<f64> = (0..400).map(|_| (3.0 * uniform.next()).floor()).collect();
    let y: Vec<f64> = x.iter().map(|x| x + (7.0 * uniform.next() * uniform.next()).floor()).collect();
    let data = Data { y, x, columns: 1 };
    for scale in SCALES {
        let fit = active_set::fit(&data.rows(), 1.345, scale, &Options::default()).unwrap();
        assert!(fit.termination.converged);
        check_equations(&data, &fit, 1.345 * fit.scale.common().unwrap(), Some(scale));
    }
    check_equations(&data, &active_set::fit_fixed(&data.rows(), 0.7, &Options::default()).unwrap(), 0.7, None);
}

/// Rows `x, z, y` for `y ~ x + z`, or `y ~ x * z`.
fn plane(rows: &[[f64; 3]], product: bool) -> Data {
    let terms = |&[x, z, _]: &[f64; 3]| [x, z, x * z].into_iter().take(if product { 3 } else { 2 });
    Data {
        y: rows.iter().map(|row| row[2]).collect(),
        x: rows.iter().flat_map(terms).collect(),
        columns: if product { 3 } else { 2 },
    }
}

#[test]
fn all_rows_inside_the_knee_with_most_on_the_plane() {
    // The median residual of least squares is no more than its rounding.
    let rows = [[1.0, 3.0, 0.8], [1.0, 5.0, 0.8], [0.0, 2.0, 0.8], [4.0, 4.0, 0.5], [4.0, 4.0, 0.3]];
    let fit = active_set::fit_fixed(&plane(&rows, true).rows(), 1e6, &Options::default()).unwrap();
    assert!(fit.termination.converged && fit.termination.iterations < 10, "{:?}", fit.termination);
    // Residuals 0, 0, 0, 0.1, -0.1, and the rest solved by hand.
    for (b, exact) in estimates(&fit).into_iter().zip([2.0 / 3.0, 2.0 / 15.0, 1.0 / 15.0, -1.0 / 15.0]) {
        close(b, exact, 1e-13, "coefficient");
    }
    close(fit.scale.common().unwrap(), (0.02f64 / 5.0).sqrt(), 1e-13, "scale");
}

#[test]
fn a_median_that_jumps_with_the_scale() {
    // The first two rows are both outside the knee at a scale with a median in between.
    let data = plane(&[[5.0, 5.0, 0.139], [5.0, 5.0, 1.602], [0.0, 3.0, 0.477], [3.0, 5.0, -0.756]], false);
    let fit = active_set::fit(&data.rows(), 1.345, MAD, &Options::default()).unwrap();
    assert!(fit.termination.converged, "{:?}", fit.termination);
    check_equations(&data, &fit, 1.345 * fit.scale.common().unwrap(), Some(MAD));
}

#[test]
fn a_scale_that_goes_to_zero_in_a_response_of_few_values() {
    // Of some, the best planes hold more than half of the rows.
    for seed in 0..60 {
        let mut uniform = Uniform(seed * 1000 + 12);
        let mut row = || [1.0, 1.0, 4.0].map(|unit| (4.0 * uniform.next()).floor() / unit);
        let rows: Vec<[f64; 3]> = (0..12).map(|_| row()).collect();
        match active_set::fit(&plane(&rows, false).rows(), 0.1, MAD, &Options::default()) {
            Ok(fit) => assert!(fit.termination.converged, "seed {seed}: {:?}", fit.termination),
            Err(error) => assert!(error.to_string().contains("the scale of huber noise is zero"), "{error}"),
        }
    }
}

#[test]
fn small_knees_and_few_rows() {
    let options = Options::default();
    for (rows, product, levels) in [(6, false, 1e6), (12, false, 4.0), (40, true, 1e6), (8, true, 5.0)] {
        for seed in 0..60 {
            let mut uniform = Uniform(seed * 1000 + rows);
            let mut row = || [levels, levels, 1e6].map(|levels| (levels * uniform.next()).floor() / levels);
            let rows: Vec<[f64; 3]> = (0..rows).map(|_| row()).collect();
            let data = plane(&rows, product);
            for scale in [MAD, HuberScale::MaximumLikelihood] {
                // A scale of zero is refused.
                let Ok(fit) = active_set::fit(&data.rows(), 0.1, scale, &options) else { continue };
                assert!(fit.termination.converged, "{} rows, seed {seed}: {:?}", rows.len(), fit.termination);
                if fit.scale.common() != Some(0.0) && fit.location.rows.iter().all(|c| c.estimate.is_some()) {
                    check_equations_to(1e-10, &data, &fit, 0.1 * fit.scale.common().unwrap(), Some(scale));
                }
            }
        }
    }
}

#[test]
fn powers_and_a_knee_next_to_nothing() {
    for name in ["wampler4", "wampler5"] {
        let data = csv(&format!("nist/{name}.csv"), "y", &["x"]);
        let x = data.x.iter().flat_map(|&x| (1..=5).map(move |power| x.powi(power))).collect();
        let data = Data { x, columns: 5, ..data };
        let fit = active_set::fit_fixed(&data.rows(), 1.0, &Options::default()).unwrap();
        assert!(fit.termination.converged && fit.termination.iterations < 200, "{:?}", fit.termination);
        // Of residuals as large as 1e6 the rounding is 1e-9 of the knee.
        check_equations_to(1e-7, &data, &fit, 1.0, None);
    }
}

#[test]
fn nearly_collinear_terms_are_refused() {
    let data = contaminated(40, 2, 10);
    let x = data.x.chunks_exact(2).flat_map(|row| [row[0], row[0] + 1e-9 * row[1]]).collect();
    let near = Data { x, ..data };
    let filip = csv("nist/filip.csv", "y", &["x"]);
    let powers = filip.x.iter().flat_map(|&x| (1..=10).map(move |power| x.powi(power))).collect();
    let filip = Data { y: filip.y, x: powers, columns: 10 };
    for data in [near, filip] {
        let rows = data.rows();
        let fits = SCALES.map(|scale| active_set::fit(&rows, 1.345, scale, &Options::default()));
        for fit in fits.into_iter().chain([active_set::fit_fixed(&rows, 1.0, &Options::default())]) {
            let error = fit.unwrap_err().to_string();
            assert!(error.starts_with("the terms are too nearly collinear"), "{error}");
        }
    }
}

#[test]
fn a_knee_beyond_all_reach_leaves_gaussian_noise() {
    let mut data = contaminated(25, 1, 11);
    let options = Options::default();
    for (size, delta) in [(1e-150, 1.0), (1e-150, 1e300), (1e-120, 1e10)] {
        data.y.iter_mut().for_each(|y| *y *= size);
        let least_squares = closed_form::fit(&data.rows(), &options).unwrap();
        let fit = active_set::fit_fixed(&data.rows(), delta, &options).unwrap();
        assert!(fit.termination.converged);
        close(fit.scale.common().unwrap(), least_squares.scale.common().unwrap(), 1e-13, "scale");
        close(fit.log_likelihood().unwrap(), least_squares.log_likelihood().unwrap(), 1e-13, "log-likelihood");
        let Noise::Huber(noise) = fit.noise else { panic!("{:?}", fit.noise) };
        close(noise.k(), (delta / fit.scale.common().unwrap()).min(1e300), 1e-13, "k");
        data.y.iter_mut().for_each(|y| *y /= size);
    }
    // The other end: a knee of nothing.
    data.y.iter_mut().for_each(|y| *y *= 1e120);
    let error = active_set::fit_fixed(&data.rows(), 1e-100, &options).unwrap_err().to_string();
    assert!(error.starts_with("delta is ") && error.contains("deviations of the response"), "{error}");
}

#[test]
fn scales_whose_squares_leave_the_range_are_refused() {
    let data = contaminated(25, 1, 12);
    let y: Vec<f64> = data.y.iter().map(|y| y * 1e140).collect();
    let weights = [1e60; 25];
    let rows = MemoryRows::new(&y, Matrix::row_major(&data.x, 25, 1).unwrap()).unwrap().with_weights(&weights).unwrap();
    for scale in SCALES {
        let fit = active_set::fit(&rows, 1.345, scale, &Options::default());
        assert!(matches!(fit, Err(Error::Range { .. })), "{fit:?}");
    }
    // Whatever else is made of weights and a response like these, it is no record that cannot be read back.
    let y: Vec<f64> = data.y.iter().map(|y| y * 1e51).collect();
    for low in [1e-45, 1.0] {
        let weights: Vec<f64> = (0..25).map(|i| if i % 2 == 0 { 1e45 } else { low }).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&data.x, 25, 1).unwrap()).unwrap();
        let rows = rows.with_weights(&weights).unwrap();
        let fits = SCALES.map(|scale| active_set::fit(&rows, 1.345, scale, &Options::default()));
        let fixed = [1e-100, 1.0, 1e51, 1e80].map(|delta| active_set::fit_fixed(&rows, delta, &Options::default()));
        for fit in fits.iter().chain(&fixed).flatten() {
            let scale = fit.scale.common().unwrap();
            assert!(scale > 0.0 && (scale * scale).is_finite() && fit.log_likelihood().is_some(), "{fit:?}");
        }
    }
}

#[test]
fn choices_lead_here() {
    let data = contaminated(30, 1, 9);
    let fit =
        |choice: &str| inference::fit(&data.rows(), &choice.parse::<Noises>().unwrap(), &common::plain()).unwrap();
    let fixed = &fit("huber:1.2")[0];
    let estimated = active_set::fit_fixed(&data.rows(), 1.2, &Options::default()).unwrap();
    // What the estimator itself does not say.
    assert_eq!(fixed, &Fit { scale_interval: fixed.scale_interval, ..estimated });
    assert_eq!((fixed.scale_rule(), &fixed.covariance.kind), (ScaleRule::MaximumLikelihood, &VcovKind::CLASSICAL));
    let Noise::Huber(noise) = fixed.noise else { panic!("{:?}", fixed.noise) };
    close(noise.k() * fixed.scale.common().unwrap(), 1.2, 1e-15, "delta");
    let choice = [Noise::Huber(Huber { scale: MAD, ..Huber::new(1.345) })];
    let fit = &inference::fit(&data.rows(), &choice, &common::plain()).unwrap()[0];
    assert_eq!((fit.scale_rule().to_string(), fit.covariance.kind.to_string()), ("mad".to_owned(), "huber".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn estimates_move_with_the_data(
        seed in any::<u64>(),
        rows in 15usize..80,
        size in prop::sample::select(vec![1e-140, 1e-3, 7.0, 1e5, 1e140]),
        slope in -3.0f64..3.0,
        width in prop::sample::select(vec![1e-9, 0.3, 1e6]),
    ) {
        let data = contaminated(rows, 2, seed);
        // y times a size, plus a combination of columns; x in other units, combined; rows in the opposite order.
        let mut moved = Data { y: Vec::new(), x: Vec::new(), columns: 2 };
        for i in (0..rows).rev() {
            let row = data.row(i);
            moved.y.push(size * (data.y[i] + slope * row[0] - 2.0));
            moved.x.extend([width * row[0], row[1] + 0.5 * row[0]]);
        }
        let one = every_fit(&data.rows());
        let scales = SCALES.map(|scale| active_set::fit(&moved.rows(), 1.345, scale, &Options::default()).unwrap());
        let fixed = active_set::fit_fixed(&moved.rows(), 1.2 * size, &Options::default()).unwrap();
        for (one, other) in one.iter().zip(scales.iter().chain([&fixed])) {
            prop_assert!(one.termination.converged && other.termination.converged);
            let (b, c) = (estimates(one), estimates(other));
            let expected = [size * (b[0] - 2.0), size / width * (b[1] + slope - 0.5 * b[2]), size * b[2]];
            let lengths = [size, size / width, size];
            for j in 0..3 {
                prop_assert!((c[j] - expected[j]).abs() < 1e-11 * lengths[j], "{j}: {} {}", c[j], expected[j]);
            }
            prop_assert!((other.scale.common().unwrap() / size / one.scale.common().unwrap() - 1.0).abs() < 1e-11);
            let units = rows as f64 * size.ln();
            let (one, other) = (one.log_likelihood().unwrap(), other.log_likelihood().unwrap());
            prop_assert!((other - one + units).abs() < 1e-11 * (one.abs() + units.abs()));
        }
    }
}
