//! Least squares against problems whose solution is known exactly, whatever the rung of the precision ladder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::Error;
use noisefit_core::algebra::{
    Coordinates, ExtendedMoments, LeastSquares, Method, Moments, Residuals, Settings, Triangle,
};
use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::inference::evaluate::Evaluation;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::{
    Accumulator, Block, Design, Layout, Matrix, MemoryRows, Next, Pass, Precision, RowSource, RowSourceExt, Values,
};
use proptest::prelude::*;

/// A small generator (Knuth's MMIX linear congruence), so that every run sees the same data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    /// An integer in `-size..=size`.
    fn integer(&mut self, size: i64) -> f64 {
        (self.next() as i64 % (2 * size + 1) - size) as f64
    }
}

/// `y = intercept + x'slopes + e` in pairs of equal rows with errors `e` and `-e`: the errors are orthogonal to every
/// column, so least squares gives the chosen coefficients exactly and `sum(e^2)`. All numbers are small integers times
/// powers of two, so nothing rounds.
struct Constructed {
    x: Vec<f64>,
    y: Vec<f64>,
    slopes: Vec<f64>,
    squares: f64,
}

const INTERCEPT: f64 = 3.0;

/// `closeness` is how far apart the first two columns are: their condition number is about its inverse.
fn constructed(pairs: usize, columns: usize, closeness: f64, seed: u64) -> Constructed {
    let mut random = Random(seed);
    let slopes: Vec<f64> = (0..columns).map(|j| (j as f64 + 1.0) * if j % 2 == 0 { 1.0 } else { -0.5 }).collect();
    let (mut x, mut y, mut squares) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..pairs {
        let mut row: Vec<f64> = (0..columns).map(|_| random.integer(50)).collect();
        if columns > 1 {
            row[1] = row[0] + closeness * row[1];
        }
        let mean = INTERCEPT + row.iter().zip(&slopes).map(|(x, b)| x * b).sum::<f64>();
        let error = random.integer(20);
        for error in [error, -error] {
            x.extend_from_slice(&row);
            y.push(mean + error);
            squares += error * error;
        }
    }
    Constructed { x, y, slopes, squares }
}

impl Constructed {
    fn rows(&self) -> MemoryRows<'_> {
        MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), self.slopes.len()).unwrap()).unwrap()
    }

    /// Correct digits of the worst coefficient.
    fn digits(&self, fit: &LeastSquares) -> f64 {
        let exact = std::iter::once(INTERCEPT).chain(self.slopes.iter().copied());
        let worst = fit.coefficients.iter().zip(exact).map(|(b, exact)| (b.unwrap() / exact - 1.0).abs());
        -worst.fold(1e-17, f64::max).log10()
    }
}

#[test]
fn every_rung_gives_the_constructed_solution_and_no_digit_too_many_is_claimed() {
    // Condition numbers from 1 to 1e12; 40,000 rows of 12 columns are too many to start on the last rung.
    let power = |exponent: i32| 2f64.powi(exponent);
    for (pairs, closeness, method) in [
        (50, 1.0, Method::DoubleDouble),
        (20_000, 1.0, Method::Moments),
        (20_000, power(-7), Method::Moments),
        (20_000, power(-14), Method::Qr),
        (20_000, power(-28), Method::DoubleDouble),
        (50, power(-28), Method::DoubleDouble),
    ] {
        let problem = constructed(pairs, 12, closeness, 7);
        let fit = LeastSquares::solve(&problem.rows(), Settings::default()).unwrap();
        assert_eq!(fit.accuracy.method, method, "{closeness:e}");
        let reached = problem.digits(&fit);
        assert!(reached >= fit.accuracy.digits, "{closeness:e}: {reached} < {:?}", fit.accuracy);
        // What may be claimed: numbers of many bits are taken to be rounded, although here they are exact.
        let expected = match method {
            Method::DoubleDouble if closeness == 1.0 => 15.5,
            Method::Moments => 11.0,
            _ => 7.0,
        };
        assert!(fit.accuracy.digits >= expected, "{closeness:e}: {:?}", fit.accuracy);
        // And what is reached.
        assert!(reached >= if method == Method::Moments { 11.0 } else { 13.0 }, "{closeness:e}: {reached}");
        assert!((fit.residual_sum_of_squares / problem.squares - 1.0).abs() < 1e-12);
        let errors = fit.absolute_errors.unwrap();
        let absolute: f64 = {
            let mut sum = 0.0;
            for (row, y) in problem.x.chunks(12).zip(&problem.y) {
                sum += (y - INTERCEPT - row.iter().zip(&problem.slopes).map(|(x, b)| x * b).sum::<f64>()).abs();
            }
            sum
        };
        assert!((errors / absolute - 1.0).abs() < 1e-10, "{errors} {absolute}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_and_both_layouts_the_same_fit() {
    let problem = constructed(20_000, 12, 1.0, 3);
    let (n, p) = (problem.y.len(), 12);
    let by_column: Vec<f64> =
        (0..p).flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| problem.x[i * p + j]).collect();
    let columns = MemoryRows::new(&problem.y, Matrix::column_major(&by_column, n, p).unwrap()).unwrap();
    let options = Options::default();
    let by_rows = closed_form::fit(&problem.rows().with_threads(1), &options).unwrap();
    assert_eq!(by_rows, closed_form::fit(&problem.rows().with_threads(4), &options).unwrap());
    let first = closed_form::fit(&columns.clone().with_threads(1), &options).unwrap();
    assert_eq!(first, closed_form::fit(&columns.with_threads(3), &options).unwrap());
    // The layouts have kernels of their own, which add in another order.
    for (a, b) in first.location.rows.iter().zip(&by_rows.location.rows) {
        let near = |a: Option<f64>, b: Option<f64>| (a.unwrap() / b.unwrap() - 1.0).abs() < 1e-12;
        assert!(near(a.estimate, b.estimate) && near(a.std_error, b.std_error) && near(a.conf_low, b.conf_low));
    }
    assert!((first.goodness.mae.unwrap() / by_rows.goodness.mae.unwrap() - 1.0).abs() < 1e-13);
}

#[test]
fn every_number_of_columns_has_its_kernel() {
    // Row-major rows go through kernels for one to four rows and one to three vectors of columns.
    for columns in 1..=27usize {
        let problem = constructed(40_000_000 / (columns + 1).pow(2) / 16 + 100, columns, 1.0, columns as u64);
        let fit = LeastSquares::solve(&problem.rows(), Settings::default()).unwrap();
        assert!(problem.digits(&fit) > 11.5, "{columns}: {}", problem.digits(&fit));
        assert!((fit.residual_sum_of_squares / problem.squares - 1.0).abs() < 1e-11);
    }
}

#[test]
fn an_intercept_alone_is_the_mean() {
    for n in [1usize, 3, 5000] {
        let y: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&[], n, 0).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        assert_eq!(fit.location.rows[0].estimate, Some((n as f64 - 1.0) / 2.0));
        let expected = ((n * n - 1) as f64 / 12.0).sqrt();
        assert!((fit.scale.common().unwrap() - expected).abs() <= 1e-14 * expected);
    }
}

#[test]
fn one_pass_gives_the_same_fit_without_absolute_errors() {
    let problem = constructed(20_000, 12, 1.0, 5);
    let once = LeastSquares::solve(&problem.rows(), Settings { one_pass: true, ..Settings::default() }).unwrap();
    assert_eq!((once.accuracy.method, once.absolute_errors), (Method::Moments, None));
    assert!(problem.digits(&once) >= once.accuracy.digits);
    assert!((once.residual_sum_of_squares / problem.squares - 1.0).abs() < 1e-11);
    assert!((once.squared_errors / problem.squares - 1.0).abs() < 1e-11);
}

#[test]
fn one_pass_reads_weights_twice_even_where_they_sum_to_the_number_of_rows() {
    // Pairs of rows with errors e and -e weigh the same, so that the unweighted squares stay what they were.
    let problem = constructed(20_000, 12, 1.0, 5);
    let weights: Vec<f64> = (0..40_000).map(|i| if i / 2 % 2 == 0 { 0.5 } else { 1.5 }).collect();
    let rows = problem.rows().with_weights(&weights).unwrap();
    let fit = LeastSquares::solve(&rows, Settings { one_pass: true, ..Settings::default() }).unwrap();
    assert_eq!(fit.totals.weight, fit.totals.observations);
    assert!((fit.squared_errors / problem.squares - 1.0).abs() < 1e-11);
    assert!((fit.residual_sum_of_squares / problem.squares - 1.0).abs() > 1e-6);
}

#[test]
fn far_off_rows_of_hardly_any_weight_cost_no_digits() {
    // The first block lies far from all others: sums taken about its mean would lose what their squares exceed.
    let problem = constructed(20_000, 12, 1.0, 9);
    let (mut x, mut y) = (problem.x.clone(), problem.y.clone());
    let mut weights = vec![1.0; y.len()];
    let far = 2f64.powi(24);
    for i in 0..1024 {
        x[i * 12..(i + 1) * 12].iter_mut().for_each(|x| *x += far);
        y[i] += far * problem.slopes.iter().sum::<f64>();
        weights[i] = 2f64.powi(-90);
    }
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, y.len(), 12).unwrap()).unwrap();
    let fit = LeastSquares::solve(&rows.with_weights(&weights).unwrap(), Settings::default()).unwrap();
    let mut squares = 0.0;
    for i in 0..y.len() {
        let mean = INTERCEPT + x[i * 12..(i + 1) * 12].iter().zip(&problem.slopes).map(|(x, b)| x * b).sum::<f64>();
        squares += weights[i] * (y[i] - mean).powi(2);
    }
    assert!((fit.residual_sum_of_squares / squares - 1.0).abs() < 1e-11, "{:?}", fit.accuracy);
    assert!(problem.digits(&fit) >= fit.accuracy.digits, "{:?}", fit.accuracy);
    // The covariance is that of the weighty rows alone.
    let weighty = MemoryRows::new(&y[1024..], Matrix::row_major(&x[1024 * 12..], y.len() - 1024, 12).unwrap()).unwrap();
    let weighty = LeastSquares::solve(&weighty, Settings::default()).unwrap();
    for (found, expected) in fit.unscaled_covariance.iter().zip(&weighty.unscaled_covariance).skip(2) {
        assert!((found - expected).abs() < 1e-11 * weighty.unscaled_covariance[2], "{found:e} {expected:e}");
    }
}

#[test]
fn weights_beyond_the_range_are_refused_and_not_miscalculated() {
    let problem = constructed(40, 2, 1.0, 13);
    let exact = LeastSquares::solve(&problem.rows(), Settings::default()).unwrap();
    for size in [1e-90, 1e-30, 1e30, 1e90] {
        let weights = vec![size; 80];
        let fit = LeastSquares::solve(&problem.rows().with_weights(&weights).unwrap(), Settings::default()).unwrap();
        assert!(problem.digits(&fit) > 13.0, "{size:e}");
        assert!((fit.residual_sum_of_squares / size / exact.residual_sum_of_squares - 1.0).abs() < 1e-13);
    }
    for size in [1e-320, 1e-150, 1e150, 1e308] {
        let weights = vec![size; 80];
        let fit = LeastSquares::solve(&problem.rows().with_weights(&weights).unwrap(), Settings::default());
        assert!(fit.unwrap_err().to_string().contains("weights"), "{size:e}");
    }
}

#[test]
fn frequencies_are_repeated_rows_and_a_common_weight_changes_the_scale_only() {
    let problem = constructed(30, 3, 1.0, 11);
    let frequencies: Vec<f64> = (0..60).map(|i| 1.0 + (i / 2 % 3) as f64).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (i, f) in frequencies.iter().enumerate() {
        for _ in 0..*f as usize {
            x.extend_from_slice(&problem.x[i * 3..i * 3 + 3]);
            y.push(problem.y[i]);
        }
    }
    let options = Options::default();
    let repeated =
        closed_form::fit(&MemoryRows::new(&y, Matrix::row_major(&x, y.len(), 3).unwrap()).unwrap(), &options).unwrap();
    let counted = closed_form::fit(&problem.rows().with_frequencies(&frequencies).unwrap(), &options).unwrap();
    let near = |a: Option<f64>, b: Option<f64>| assert!((a.unwrap() / b.unwrap() - 1.0).abs() < 1e-13);
    assert_eq!(repeated.nobs, counted.nobs);
    near(repeated.log_likelihood(), counted.log_likelihood());
    near(repeated.goodness.residual_std_error, counted.goodness.residual_std_error);
    near(repeated.goodness.mae, counted.goodness.mae);
    near(repeated.location.rows[2].std_error, counted.location.rows[2].std_error);

    // Weights of 4 halve the noise: the scale doubles, everything about y stays.
    let plain = closed_form::fit(&problem.rows(), &options).unwrap();
    let weights = [4.0; 60];
    let weighted = closed_form::fit(&problem.rows().with_weights(&weights).unwrap(), &options).unwrap();
    near(weighted.scale.common(), plain.scale.common().map(|s| 2.0 * s));
    near(weighted.log_likelihood(), plain.log_likelihood());
    near(weighted.location.rows[1].std_error, plain.location.rows[1].std_error);
    near(weighted.goodness.r_squared, plain.goodness.r_squared);
    assert!((weighted.goodness.rmse / plain.goodness.rmse - 1.0).abs() < 1e-13);
}

#[test]
fn numbers_near_the_ends_of_the_range_are_scaled_and_unusable_ones_named() {
    for (size_x, size_y) in [(1e-140, 1e140), (1e140, 1e-140), (1e12, 1.0), (1.0, 1e-145)] {
        let problem = constructed(40, 2, 1.0, 13);
        let x: Vec<f64> = problem.x.iter().map(|x| x * size_x).collect();
        let y: Vec<f64> = problem.y.iter().map(|y| y * size_y).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, 80, 2).unwrap()).unwrap();
        let fit = LeastSquares::solve(&rows, Settings::default()).unwrap();
        for (b, exact) in fit.coefficients[1..].iter().zip(&problem.slopes) {
            // Scaling by a power of ten rounds every number, which may cost a digit or two.
            assert!((b.unwrap() * (size_x / size_y) / exact - 1.0).abs() < 1e-13, "{size_x:e} {size_y:e} {b:?}");
        }
    }
    let mut y = vec![1.0; 5000];
    y[3333] = f64::NAN;
    let x: Vec<f64> = (0..5000).map(f64::from).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5000, 1).unwrap()).unwrap();
    let error = closed_form::fit(&rows, &Options::default()).unwrap_err();
    assert!(error.to_string().starts_with("y, row 3334: NaN"), "{error}");
}

/// Rows cut into blocks and units anywhere.
struct Cut<'a> {
    problem: &'a Constructed,
    blocks: Vec<usize>,
    units: Vec<usize>,
    layout: Layout,
}

impl RowSource for Cut<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        let (n, p) = (self.problem.y.len(), self.problem.slopes.len());
        let mut unit = empty.clone_box();
        let mut start = 0;
        let mut cuts: Vec<usize> = self.blocks.iter().chain(&self.units).copied().filter(|&c| c < n).collect();
        cuts.extend([n]);
        cuts.sort_unstable();
        for end in cuts {
            let columns: Vec<Vec<f64>> =
                (0..p).map(|j| (start..end).map(|i| self.problem.x[i * p + j]).collect()).collect();
            let zeros = vec![0.0; end - start];
            let low = matches!(empty.precision(), Precision::Extended | Precision::Perturbed(_)).then_some(&zeros[..]);
            let design: Vec<Values<'_>> = columns.iter().map(|high| Values { high, low }).collect();
            let response = Values { high: &self.problem.y[start..end], low };
            if end > start {
                unit.fold(&Block {
                    response,
                    design: (&design).into(),
                    scale_design: Design::default(),
                    weights: None,
                    frequencies: None,
                    log_jacobian: None,
                    clusters: &[],
                    effects: &[],
                    level_leverage: None,
                });
            }
            let at_end = self.units.contains(&end) || end == n;
            if at_end && next(std::mem::replace(&mut unit, empty.clone_box())).is_break() {
                break;
            }
            start = end;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_into_blocks_and_units_gives_the_same_fit(
        blocks in prop::collection::vec(1usize..3000, 0..6),
        units in prop::collection::vec(1usize..3000, 0..4),
        columns in 1usize..5,
        collinear in any::<bool>(),
    ) {
        let mut problem = constructed(1500, columns, 1.0, 17);
        if collinear && columns > 2 {
            // The last column repeats the sum of the first two.
            for row in problem.x.chunks_exact_mut(columns) {
                row[columns - 1] = row[0] + row[1];
            }
        }
        let whole = closed_form::fit(&problem.rows(), &Options::default()).unwrap();
        let layout = Layout { response: "y".into(), terms: problem.rows().layout().terms.clone(), intercept: true, ..Layout::default() };
        let cut = Cut { problem: &problem, blocks, units, layout };
        let parts = closed_form::fit(&cut, &Options::default()).unwrap();
        prop_assert_eq!(&whole.warnings, &parts.warnings);
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs(),
            (None, None) => true,
            _ => false,
        };
        for (a, b) in whole.location.rows.iter().zip(&parts.location.rows) {
            prop_assert!(near(a.estimate, b.estimate) && near(a.std_error, b.std_error), "{a:?} {b:?}");
        }
        prop_assert!(near(whole.log_likelihood(), parts.log_likelihood()) && near(whole.goodness.mae, parts.goodness.mae));
    }
}

/// Folds half the rows, saves, loads, folds the rest by merging: the same as all at once.
fn saved_and_loaded<A: Accumulator>(empty: &A, problem: &Constructed) -> (A, A) {
    let (n, p) = (problem.y.len(), problem.slopes.len());
    let part = |range: std::ops::Range<usize>| {
        let x = &problem.x[range.start * p..range.end * p];
        let rows = MemoryRows::new(&problem.y[range.clone()], Matrix::row_major(x, range.len(), p).unwrap()).unwrap();
        rows.pass(empty.clone()).unwrap()
    };
    let (first, second) = (part(0..n / 2), part(n / 2..n));
    let bytes = empty.save(&first).unwrap();
    assert_eq!(Accumulator::rows(&first), n as u64 / 2);
    let mut loaded = empty.load(&bytes).unwrap();
    let mut kept = first;
    Accumulator::merge(&mut loaded, second.clone());
    Accumulator::merge(&mut kept, second);

    for damaged in [&bytes[..bytes.len() - 3], &bytes[3..], &[&bytes[..], b"more"].concat()] {
        assert!(matches!(empty.load(damaged), Err(Error::State(_))));
    }
    assert_eq!(empty.save(&kept).unwrap(), empty.save(&loaded).unwrap());
    (kept, loaded)
}

#[test]
fn states_survive_being_saved_and_refuse_to_be_mixed_up() {
    let problem = constructed(100, 3, 1.0, 19);
    let moments = Moments::new(3, true);
    let (kept, _) = saved_and_loaded(&moments, &problem);
    let coordinates = Coordinates::from_moments(&kept, true);
    let zero = vec![DoubleDouble::ZERO; 4];
    let residuals = Residuals::new(coordinates.clone(), zero.clone(), Precision::Double);
    saved_and_loaded(&residuals, &problem);
    saved_and_loaded(&Triangle::new(coordinates.clone()), &problem);
    let transform = vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let extended = ExtendedMoments::new(coordinates.clone(), transform, vec![0.0; 4]);
    saved_and_loaded(&extended, &problem);

    let fit = closed_form::fit(&problem.rows(), &Options::default()).unwrap();
    let (_, loaded) = saved_and_loaded(&Evaluation::new(&fit, 0.9).unwrap(), &problem);
    // On its own rows a fit scores what it reported.
    let scores = loaded.finish().unwrap();
    assert!((scores.rmse / fit.goodness.rmse - 1.0).abs() < 1e-13);
    assert!((scores.mean_nll.unwrap() * 200.0 / fit.log_likelihood().unwrap() + 1.0).abs() < 1e-13);

    // Another kind, and the same kind at another beta.
    let refused = |result: Result<Residuals, Error>| match result {
        Err(Error::State(why)) => why,
        _ => panic!("loaded"),
    };
    assert!(
        refused(residuals.load(&moments.save(&moments).unwrap())).contains("of the pass 'moments', not 'residuals'")
    );
    let mut other = zero;
    other[1] = DoubleDouble::ONE;
    let elsewhere = Residuals::new(coordinates, other, Precision::Double);
    assert!(refused(residuals.load(&elsewhere.save(&elsewhere).unwrap())).contains("other parameters"));
}
