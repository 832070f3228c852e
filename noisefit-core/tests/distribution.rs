//! The distributions of new observations, against their definition with forty digits, Student's t, integrals of their own and draws.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::inference;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::distribution::{Distributions, NewObservation};
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::noise::{Noise, Noises};
use noisefit_core::numeric::distribution::{Distribution, StudentT};
use noisefit_core::record::{Coefficient, Coefficients, Fit, FittedScale, Reference};
use noisefit_core::rows::{Matrix, MemoryRows, Values};
use serde_json::Value;

const X: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
const Y: [f64; 4] = [1.0, 3.0, 2.0, 4.0];

fn reference() -> Value {
    serde_json::from_str(include_str!("../../testdata/reference/distribution.json")).unwrap()
}

/// Slope 0.8, intercept 0.5, residual sum of squares 1.8, two degrees of freedom.
fn line() -> Fit {
    let rows = MemoryRows::new(&Y, Matrix::row_major(&X, 4, 1).unwrap()).unwrap();
    closed_form::fit(&rows, &Options::default()).unwrap()
}

fn noise(name: &str) -> Noise {
    name.parse::<Noises>().unwrap()[0]
}

/// The distribution at the mean of `x`, where the line is 2.5, of noise whose scale, the error of whose location, and the variance of the
/// logarithm of whose scale are those: as of very many rows, but that the location is known no better.
fn under(noise: Noise, scale: f64, error: f64, variance: f64) -> Distributions {
    let row = |(term, estimate): (&str, f64)| Coefficient::without_error(term.to_owned(), estimate);
    let rows = ["(Intercept)", "z"].into_iter().zip([scale.ln(), 0.0]).map(row).collect();
    let scale = match variance {
        0.0 => FittedScale::Common(scale),
        _ => FittedScale::Modelled {
            coefficients: Coefficients { intercept: true, rows },
            vcov: vec![vec![variance, 0.0], vec![0.0, 0.0]],
        },
    };
    let (nobs, df_residual) = (1 << 60, 1 << 60);
    let mut fit = Fit { noise, scale, nobs, df_residual, ..line() };
    fit.goodness.residual_std_error = None;
    fit.covariance.reference = Reference::Normal;
    // The leverage there is a quarter.
    fit.covariance.location.as_mut().unwrap().unit = 4.0 * error * error;
    let (x, z) = ([Values::from(&[2.5][..])], [Values::from(&[0.0][..])]);
    let scale_design = if variance == 0.0 { &[][..] } else { &z[..] };
    let new = NewRows { scale_design: scale_design.into(), ..NewRows::new(&x, 1) };
    NewObservation::new(&Predictor::new(&fit).unwrap()).unwrap().of(&new).unwrap()
}

/// Tables are good to 1e-12 or so, and logarithms of tails lose what the tail multiplies that by.
#[test]
fn density_and_tails_are_those_of_the_definition() {
    let reference = reference();
    let cases = reference["fits"].as_array().unwrap();
    assert_eq!(cases.len(), 120);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let family = noise(case["family"].as_str().unwrap());
        let found = under(family, number("scale"), number("error"), number("variance"));
        let (distance, above) = (number("distance"), number("above"));
        for sign in [1.0, -1.0] {
            let y = 2.5 + sign * distance;
            // The double next to 2.5 less 0.01 is off by 1e-16, as is the distance then.
            let beyond = if sign > 0.0 { found.above(0, y) } else { found.below(0, y) };
            assert!((beyond / above - 1.0).abs() < 1e-11, "{case}: {beyond}");
            let other = if sign > 0.0 { found.below(0, y) } else { found.above(0, y) };
            assert!((other - (1.0 - above)).abs() < 1e-12, "{case}: {other}");
            let density = found.log_density(0, y);
            assert!((density - number("log_density")).abs() < 1e-10, "{case}: {density}");
        }
    }
}

#[test]
fn least_squares_predict_student_s_t() {
    let predictor = Predictor::new(&line()).unwrap();
    let new = NewObservation::new(&predictor).unwrap();
    let reference = reference();
    let cases = reference["students"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let x = [number("x")];
        let found = new.of(&NewRows::new(&[Values::from(&x[..])], 1)).unwrap();
        let y = number("y");
        assert!((found.below(0, y) / number("below") - 1.0).abs() < 1e-11, "{case}");
        assert!((found.above(0, y) / number("above") - 1.0).abs() < 1e-11, "{case}");
        assert!((found.log_density(0, y) - number("log_density")).abs() < 1e-10, "{case}");
    }
}

/// Forty rows with a jagged response.
fn sample() -> (Vec<f64>, Vec<f64>) {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let y = x.iter().map(|x| 1.0 + 0.5 * x + 3.0 * (7.3 * x).sin() + 4.0 * (2.1 * x).cos().powi(9)).collect();
    (x, y)
}

/// Fits of the sample under all there is but quantiles, with one scale and a modelled one, other covariances among them.
fn fits() -> Vec<Fit> {
    let (x, y) = sample();
    let design = Matrix::row_major(&x, 40, 1).unwrap();
    let rows = MemoryRows::new(&y, design).unwrap();
    let modelled = MemoryRows::new(&y, design).unwrap().with_scale_design(design, &["x"]).unwrap();
    let mut found = Vec::new();
    let names = ["gaussian", "laplace", "student-t", "student-t:3", "huber", "logistic", "cauchy"];
    for vcov in [Vcov::Default, "sandwich".parse().unwrap()] {
        for name in names {
            let options = inference::Options { vcov: vcov.clone(), ..inference::Options::default() };
            for source in [&rows, &modelled] {
                if let Ok(fits) = inference::fit(source, &[noise(name)], &options) {
                    found.extend(fits);
                }
            }
        }
    }
    assert!(found.len() >= 20, "{}", found.len());
    found
}

fn at(fit: &Fit, x: &[f64]) -> (Predictor, Distributions) {
    let design = [Values::from(x)];
    let scale_design = if fit.scale.is_modelled() { &design[..] } else { &[][..] };
    let new = NewRows { scale_design: scale_design.into(), ..NewRows::new(&design, x.len()) };
    let predictor = Predictor::new(fit).unwrap();
    let found = NewObservation::new(&predictor).unwrap().of(&new).unwrap();
    (predictor, found)
}

#[test]
fn quantiles_are_the_ends_of_prediction_intervals_and_have_their_probability() {
    for fit in fits() {
        let x = [3.0, 20.5, 70.0];
        let (predictor, found) = at(&fit, &x);
        let design = [Values::from(&x[..])];
        let scale_design = if fit.scale.is_modelled() { &design[..] } else { &[][..] };
        let new = NewRows { scale_design: scale_design.into(), ..NewRows::new(&design, x.len()) };
        for (low, high, level) in [(0.05, 0.95, 0.9), (0.025, 0.975, 0.95), (0.25, 0.75, 0.5), (0.005, 0.995, 0.99)] {
            let interval = predictor.intervals(&new, IntervalKind::Prediction, level).unwrap();
            assert_eq!(found.quantile(low).unwrap(), interval.low, "{} {level}", fit.noise);
            assert_eq!(found.quantile(high).unwrap(), interval.high, "{} {level}", fit.noise);
            assert_eq!(predictor.quantile(&new, low).unwrap(), interval.low);
            assert_eq!(predictor.quantile(&new, high).unwrap(), interval.high);
        }
        for p in [1e-9, 0.001, 0.2, 0.5, 0.6, 0.999] {
            for (i, y) in found.quantile(p).unwrap().into_iter().enumerate() {
                // A distance of some hundred scales from a location of some ten has fourteen digits or so.
                assert!((found.below(i, y) / p - 1.0).abs() < 1e-9, "{} {p} {i}: {}", fit.noise, found.below(i, y));
                assert!((found.above(i, y) / (1.0 - p) - 1.0).abs() < 1e-9, "{} {p} {i}", fit.noise);
            }
        }
    }
}

/// Simpson's rule between quantiles: the density is the derivative of the distribution function.
#[test]
fn the_density_integrates_to_the_probability() {
    for fit in fits() {
        let (_, found) = at(&fit, &[3.0, 55.0]);
        for i in 0..2 {
            for (p, q) in [(0.5, 0.6), (0.9, 0.99), (0.01, 0.02), (1e-5, 1e-4)] {
                let [from, to] = [p, q].map(|p| found.quantile(p).unwrap()[i]);
                let count = 2000;
                let step = (to - from) / f64::from(count);
                let at = |k: i32| found.log_density(i, from + step * f64::from(k)).exp();
                let inner: f64 = (1..count).map(|k| at(k) * if k % 2 == 1 { 4.0 } else { 2.0 }).sum();
                let area = step / 3.0 * (at(0) + at(count) + inner);
                assert!((area / (q - p) - 1.0).abs() < 1e-6, "{} {i} {p} {q}: {area}", fit.noise);
            }
        }
    }
}

#[test]
fn far_out_the_density_falls_and_stays_finite() {
    for fit in fits() {
        let (_, found) = at(&fit, &[3.0]);
        let mu = found.quantile(0.5).unwrap()[0];
        let mut last = f64::INFINITY;
        for k in 0..240 {
            let distance = 1.1f64.powi(k);
            let density = found.log_density(0, mu - distance);
            assert!(density.is_finite() && density < last, "{} {distance}: {density} after {last}", fit.noise);
            last = density;
            let tails = [found.below(0, mu - distance), found.above(0, mu + distance)];
            assert!(tails[0] >= 0.0 && (tails[0] - tails[1]).abs() <= 1e-9 * tails[0], "{} {tails:?}", fit.noise);
        }
        assert_eq!((found.below(0, f64::NEG_INFINITY), found.above(0, f64::NEG_INFINITY)), (0.0, 1.0));
        assert!(found.above(0, f64::NAN).is_nan() && found.log_density(0, f64::NAN).is_nan());
    }
}

/// The largest deviation of 4,000 uniform numbers from uniformity exceeds 0.0308 once in a thousand times (Kolmogorov).
#[test]
fn draws_are_of_the_distribution_and_follow_from_the_seed() {
    for fit in fits() {
        let (_, found) = at(&fit, &[3.0, 55.0]);
        for i in 0..2 {
            let mut places: Vec<f64> = (0..4000).map(|k| found.below(i, found.draw(i, i as u64, k, 7))).collect();
            places.sort_by(f64::total_cmp);
            let off = places.iter().enumerate().map(|(k, p)| (p - (k as f64 + 0.5) / 4000.0).abs());
            let largest = off.fold(0.0, f64::max);
            assert!(largest < 0.0308, "{} {i}: {largest}", fit.noise);
        }
        assert_eq!(found.draw(1, 5, 2, 7), at(&fit, &[55.0]).1.draw(0, 5, 2, 7));
        assert_ne!(found.draw(1, 5, 2, 7), found.draw(1, 5, 2, 8));
        assert_ne!(found.draw(1, 5, 2, 7), found.draw(1, 6, 2, 7));
    }
}

#[test]
fn without_noise_all_lies_at_one_place() {
    let y = [1.0, 2.0, 3.0, 4.0];
    let rows = MemoryRows::new(&y, Matrix::row_major(&X, 4, 1).unwrap()).unwrap();
    let fit = closed_form::fit(&rows, &Options::default()).unwrap();
    let mut fit = fit;
    fit.scale = FittedScale::Common(0.0);
    fit.goodness.residual_std_error = Some(0.0);
    fit.covariance.location.as_mut().unwrap().unit = 0.0;
    let (_, found) = at(&fit, &[2.0]);
    let mu = found.quantile(0.5).unwrap()[0];
    assert_eq!(found.quantile(0.9).unwrap()[0], mu);
    assert_eq!((found.below(0, mu - 1.0), found.below(0, mu + 1.0)), (0.0, 1.0));
    assert_eq!(found.log_density(0, mu + 1.0), f64::NEG_INFINITY);
    assert_eq!(found.draw(0, 0, 0, 1), mu);
}

#[test]
fn what_has_no_distribution_is_refused() {
    let fit = Fit { noise: noise("quantile:0.9"), ..line() };
    let error = NewObservation::new(&Predictor::new(&fit).unwrap()).unwrap_err();
    assert!(error.to_string().contains("a quantile is one number of a distribution"), "{error}");
    let rows = MemoryRows::new(&Y[..2], Matrix::row_major(&X[..2], 2, 1).unwrap()).unwrap();
    let fit = closed_form::fit(&rows, &Options::default()).unwrap();
    assert!(NewObservation::new(&Predictor::new(&fit).unwrap()).is_err());
}

/// Rows drawn anew a thousand times, of ten observations each: of new ones as many lie below each quantile as it says. Under Gaussian
/// noise that is exact; the standard error of a share is at most 0.016.
#[test]
fn quantiles_of_small_samples_hold_what_they_say() {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let x: Vec<f64> = (0..10).map(f64::from).collect();
    let levels = [0.05, 0.25, 0.5, 0.9, 0.99];
    let mut below = [0u32; 5];
    let normal = noisefit_core::numeric::distribution::Normal;
    for _ in 0..1000 {
        let y: Vec<f64> = x.iter().map(|x| 2.0 - x + 1.5 * normal.quantile(uniform())).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, 10, 1).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        let (_, found) = at(&fit, &[14.0]);
        let new = 2.0 - 14.0 + 1.5 * normal.quantile(uniform());
        for (count, p) in below.iter_mut().zip(levels) {
            *count += u32::from(new <= found.quantile(p).unwrap()[0]);
        }
    }
    for (count, p) in below.into_iter().zip(levels) {
        let (share, error) = (f64::from(count) / 1000.0, (p * (1.0 - p) / 1000.0).sqrt());
        assert!((share - p).abs() < 3.3 * error, "{p}: {share}");
    }
    // Not by the normal distribution: of eight degrees of freedom its 99% would be a 97% one.
    assert!(StudentT::new(8.0).unwrap().survival(2.326) > 0.024);
}
