//! Predictions, their intervals and scores under every noise, against closed forms and hand computations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::evaluate::Evaluation;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::noise::{AsymmetricLaplace, Huber, Noise, NoiseFamily, Noises, Observations, Scale};
use noisefit_core::numeric::distribution::{Normal, StudentT, Symmetric};
use noisefit_core::record::{Coefficient, Coefficients, Covariance, Fit, FittedScale, Reference};
use noisefit_core::rows::{Accumulator, Matrix, MemoryRows, RowSourceExt, Values};
use noisefit_core::{Error, inference, noise};

const X: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
const Y: [f64; 4] = [1.0, 3.0, 2.0, 4.0];

/// Slope 0.8, intercept 0.5, residual sum of squares 1.8, two degrees of freedom.
fn line() -> Fit {
    let rows = MemoryRows::new(&Y, Matrix::row_major(&X, 4, 1).unwrap()).unwrap();
    closed_form::fit(&rows, &Options::default()).unwrap()
}

/// The same line under another noise of scale 0.5, its location known with `variance` times the leverage, its scale as from
/// very many rows.
fn under(noise: Noise, variance: f64) -> Fit {
    let (nobs, df_residual) = (1 << 60, 1 << 60);
    let mut fit = Fit { noise, scale: FittedScale::Common(0.5), nobs, df_residual, ..line() };
    fit.goodness.residual_std_error = None;
    fit.covariance.reference = Reference::Normal;
    fit.covariance.location.as_mut().unwrap().unit = variance;
    fit
}

/// The same line with `ln s = g0 + g1 z`.
fn modelled(noise: Noise, variance: f64, log_scale: [f64; 2]) -> Fit {
    let row = |(term, estimate): (&str, f64)| Coefficient::without_error(term.to_owned(), estimate);
    let rows = ["(Intercept)", "z"].into_iter().zip(log_scale).map(row).collect();
    let scale = FittedScale::Modelled { coefficients: Coefficients { intercept: true, rows }, vcov: Vec::new() };
    Fit { scale, ..under(noise, variance) }
}

fn families() -> Vec<Noise> {
    vec![
        Noise::Laplace,
        Noise::Quantile(AsymmetricLaplace { tau: 0.9 }),
        Noise::Huber(Huber::new(1.345)),
        Noise::StudentT(noise::StudentT::new(4.0)),
        Noise::Logistic,
    ]
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-13 * expected.abs().max(1.0), "{found} {expected}");
}

#[test]
fn confidence_intervals_rest_on_the_reference_distribution() {
    // At the mean of x the leverage is 1/4.
    let design = [Values::from(&[2.5][..])];
    let new = NewRows::new(&design, 1);
    for level in [0.5, 0.95] {
        let exact = line();
        let interval = Predictor::new(&exact).unwrap().intervals(&new, IntervalKind::Confidence, level).unwrap();
        close(interval.high[0] - 2.5, StudentT::new(2.0).unwrap().critical(level) * (0.9f64 / 4.0).sqrt());
        for noise in families() {
            let fit = under(noise, 0.7);
            let interval = Predictor::new(&fit).unwrap().intervals(&new, IntervalKind::Confidence, level).unwrap();
            let margin = Normal.critical(level) * (0.7f64 / 4.0).sqrt();
            close(interval.low[0], 2.5 - margin);
            close(interval.high[0], 2.5 + margin);
        }
    }
}

#[test]
fn a_known_location_leaves_the_noise_s_own_interval() {
    let (design, weights) = ([Values::from(&[2.5, 4.0][..])], [1.0, 4.0]);
    let new = NewRows { weights: Some(&weights), ..NewRows::new(&design, 2) };
    for noise in families() {
        let fit = under(noise, 0.0);
        let predictor = Predictor::new(&fit).unwrap();
        assert_eq!(predictor.scale(&new), [0.5, 0.25]);
        for level in [0.1, 0.5, 0.95] {
            let interval = predictor.intervals(&new, IntervalKind::Prediction, level).unwrap();
            for (i, (mu, s)) in [(2.5, 0.5), (3.7, 0.25)].into_iter().enumerate() {
                let (low, high) = ((interval.low[i] - mu) / s, (interval.high[i] - mu) / s);
                close(noise.family().cdf(low), 0.5 * (1.0 - level));
                close(noise.family().survival(high), 0.5 * (1.0 - level));
            }
        }
    }
}

#[test]
fn an_uncertain_location_widens_both_ends() {
    let design = [Values::from(&[2.5][..])];
    let new = NewRows::new(&design, 1);
    for noise in families() {
        for level in [0.1, 0.5, 0.95] {
            let ends = |variance: f64| {
                let fit = under(noise, variance);
                let interval = Predictor::new(&fit).unwrap().intervals(&new, IntervalKind::Prediction, level).unwrap();
                (interval.low[0], interval.high[0])
            };
            let [(low, high), (low_1, high_1), (low_2, high_2)] = [0.0, 0.1, 1.0].map(ends);
            assert!(low_2 < low_1 && low_1 < low && high < high_1 && high_1 < high_2, "{noise} {level}");
        }
    }
    // Half of the noise about the 0.9 quantile lies below it with both ends.
    let fit = under(Noise::Quantile(AsymmetricLaplace { tau: 0.9 }), 1e-6);
    let interval = Predictor::new(&fit).unwrap().intervals(&new, IntervalKind::Prediction, 0.5).unwrap();
    assert!(interval.high[0] < 2.5);
}

#[test]
fn gaussian_noise_of_known_variance_is_exact() {
    // The variance of a new observation about the predicted location is s^2 + se^2.
    let (design, z) = ([Values::from(&[2.5, 2.5][..])], [Values::from(&[0.0, 3.0][..])]);
    let new = NewRows { scale_design: (&z).into(), ..NewRows::new(&design, 2) };
    let fit = modelled(Noise::Gaussian, 0.8, [2f64.ln(), 0.5]);
    let predictor = Predictor::new(&fit).unwrap();
    let scales = [2.0, 2.0 * 1.5f64.exp()];
    predictor.scale(&new).into_iter().zip(scales).for_each(|(found, expected)| close(found, expected));
    let interval = predictor.intervals(&new, IntervalKind::Prediction, 0.9).unwrap();
    for (i, s) in scales.into_iter().enumerate() {
        let margin = Normal.critical(0.9) * (s * s + 0.2f64).sqrt();
        close(interval.low[i], 2.5 - margin);
        close(interval.high[i], 2.5 + margin);
    }
}

#[test]
fn a_fit_that_says_nothing_about_its_noise_has_no_intervals() {
    let design = [Values::from(&[2.5][..])];
    let new = NewRows::new(&design, 1);
    let refused = |fit: &Fit| Predictor::new(fit).unwrap().intervals(&new, IntervalKind::Confidence, 0.9).unwrap_err();
    let without = |fit: Fit| Fit { covariance: Covariance { location: None, ..fit.covariance.clone() }, ..fit };
    let saturated = without(Fit { df_residual: 0, ..line() });
    assert!(matches!(refused(&saturated), Error::Argument { name: "residual degrees of freedom", .. }));
    let unknown = without(under(Noise::Laplace, 1.0));
    assert!(matches!(refused(&unknown), Error::Unsupported(_)));
}

#[test]
fn likelihoods_are_complete_at_each_row_s_scale() {
    let z = [0.0, 1.0, -1.0, 0.5];
    let weights = [1.0, 4.0, 0.25, 2.0];
    for noise in families().into_iter().chain([Noise::Gaussian]) {
        let fit = modelled(noise, 0.3, [0.2, -0.7]);
        let rows = MemoryRows::new(&Y, Matrix::row_major(&X, 4, 1).unwrap()).unwrap();
        let rows = rows.with_scale_design(Matrix::row_major(&z, 4, 1).unwrap(), &["z"]).unwrap();
        let rows = rows.with_weights(&weights).unwrap();
        let scores = rows.pass(Evaluation::new(&fit, 0.9).unwrap()).unwrap().finish().unwrap();
        let location = X.map(|x| 0.5 + 0.8 * x);
        let scale = z.map(|z| (0.2 - 0.7 * z).exp());
        let expected = Observations::new(&Y, &location, Scale::PerRow(&scale)).unwrap().with_weights(&weights).unwrap();
        close(scores.mean_nll.unwrap() * -4.0, noise.family().log_likelihood(&expected));
        assert_eq!(scores.coverage.is_some(), scores.quantile.is_none());
    }
}

#[test]
fn quantiles_are_scored_by_their_loss() {
    // Errors -0.3, 0.9, -0.9 and 0.3 of the line, each weighed by its frequency.
    let frequencies = [1.0, 2.0, 1.0, 1.0];
    let rows = MemoryRows::new(&Y, Matrix::row_major(&X, 4, 1).unwrap()).unwrap();
    let rows = rows.with_frequencies(&frequencies).unwrap();
    let fits = [0.25, 0.9].map(|tau| under(Noise::Quantile(AsymmetricLaplace { tau }), 0.1));
    let passes: Vec<_> = fits.iter().map(|fit| Evaluation::new(fit, 0.9).unwrap()).collect();
    let both = rows.pass(passes.clone()).unwrap();
    for (fit, evaluation) in fits.iter().zip(&both) {
        let scores = evaluation.finish().unwrap();
        let quantile = scores.quantile.clone().unwrap();
        let tau = quantile.tau;
        close(quantile.mean_pinball, (tau * (1.8 + 0.3) + (1.0 - tau) * (0.3 + 0.9)) / 5.0);
        close(quantile.share_below, 0.4);
        assert_eq!(scores.coverage, None);
        // Each is what it is alone.
        let empty = Evaluation::new(fit, 0.9).unwrap();
        let alone = rows.pass(empty.clone()).unwrap();
        assert_eq!(alone.rows(), 4);
        assert_eq!(empty.save(&alone).unwrap(), empty.save(evaluation).unwrap());
    }
    assert_eq!(both[0].finish().unwrap().quantile.unwrap().tau, 0.25);
    // The two are no states of one another.
    let state = passes[1].save(&both[1]).unwrap();
    assert!(matches!(passes[0].load(&state), Err(Error::State(_))));
    assert!(passes[1].load(&state).is_ok());
}

/// The mean probability, over data sets of `n` rows under a noise of its own, with which a 90% prediction interval holds a new
/// observation.
fn coverage(choice: &str, noise: &dyn NoiseFamily, n: usize, sets: u64, growth: f64) -> f64 {
    let mut state = 99 + n as u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 32) as f64 + 0.5) / 2f64.powi(32)
    };
    let options = inference::Options { vcov: Vcov::CLASSICAL, ..inference::Options::default() };
    let mut sum = 0.0;
    for _ in 0..sets {
        let x: Vec<f64> = (0..2 * n).map(|_| 2.0 * uniform()).collect();
        let scale = |i: usize| (growth * x[2 * i]).exp();
        let y: Vec<f64> =
            (0..n).map(|i| 1.0 + x[2 * i] - x[2 * i + 1] + scale(i) * noise.quantile(uniform())).collect();
        let z: Vec<f64> = (0..n).map(|i| x[2 * i]).collect();
        let mut rows = MemoryRows::new(&y, Matrix::row_major(&x, n, 2).unwrap()).unwrap().with_threads(1);
        if growth != 0.0 {
            rows = rows.with_scale_design(Matrix::row_major(&z, n, 1).unwrap(), &["z"]).unwrap();
        }
        // A few data sets have a likelihood without bound, and are told of.
        let Ok(fits) = inference::fit(&rows, &choice.parse::<Noises>().unwrap(), &options) else { continue };
        let new = [0.2, 0.9, 1.7];
        let (first, second) = (new, [1.1, 0.4, 1.9]);
        let design = [Values::from(&first[..]), Values::from(&second[..])];
        let new = NewRows { scale_design: (&design[..1]).into(), ..NewRows::new(&design, 3) };
        let ends = Predictor::new(&fits[0]).unwrap().intervals(&new, IntervalKind::Prediction, 0.9).unwrap();
        for i in 0..3 {
            let (mu, s) = (1.0 + first[i] - second[i], (growth * first[i]).exp());
            sum += noise.cdf((ends.high[i] - mu) / s) - noise.cdf((ends.low[i] - mu) / s);
        }
    }
    sum / (3 * sets) as f64
}

#[test]
fn prediction_intervals_hold_what_they_say_under_their_own_noise() {
    let student = |df: f64| noise::StudentT::new(df);
    let huber = Huber::new(1.345);
    let cases: [(&str, &dyn NoiseFamily, f64); 9] = [
        ("gaussian", &noise::Gaussian, 0.0),
        ("laplace", &noise::Laplace, 0.0),
        ("logistic", &noise::Logistic, 0.0),
        ("huber", &huber, 0.0),
        ("student-t:3", &student(3.0), 0.0),
        ("student-t", &student(3.0), 0.0),
        ("gaussian", &noise::Gaussian, 0.7),
        ("laplace", &noise::Laplace, 0.7),
        ("logistic", &noise::Logistic, 0.7),
    ];
    for (choice, noise, growth) in cases {
        // The standard error of the simulation is a third of a point or less.
        let few = if choice == "laplace" && growth > 0.0 { 20 } else { 60 };
        for (n, sets, allowed) in [(50, few, 0.015), (200, few, 0.01)] {
            let found = coverage(choice, noise, n, sets, growth);
            println!("{choice} {growth} {n}: {found:.4}");
            assert!((found - 0.9).abs() < allowed, "{choice} {growth} {n}: {found}");
        }
    }
}
