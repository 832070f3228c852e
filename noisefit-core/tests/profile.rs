//! The profile likelihood against closed forms, brute force and R.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::inference::profile;
use noisefit_core::noise::{Huber, HuberScale, Noise, Noises, Observations, Scale};
use noisefit_core::numeric::distribution::{Normal, Symmetric};
use noisefit_core::record::{Confint, Fit};
use noisefit_core::rows::{Matrix, MemoryRows};
use noisefit_core::{Error, inference};

/// Brownlee's stack loss data: air flow, water temperature, acid concentration; stack loss.
const STACK: [[f64; 4]; 21] = [
    [80.0, 27.0, 89.0, 42.0],
    [80.0, 27.0, 88.0, 37.0],
    [75.0, 25.0, 90.0, 37.0],
    [62.0, 24.0, 87.0, 28.0],
    [62.0, 22.0, 87.0, 18.0],
    [62.0, 23.0, 87.0, 18.0],
    [62.0, 24.0, 93.0, 19.0],
    [62.0, 24.0, 93.0, 20.0],
    [58.0, 23.0, 87.0, 15.0],
    [58.0, 18.0, 80.0, 14.0],
    [58.0, 18.0, 89.0, 14.0],
    [58.0, 17.0, 88.0, 13.0],
    [58.0, 18.0, 82.0, 11.0],
    [58.0, 19.0, 93.0, 12.0],
    [50.0, 18.0, 89.0, 8.0],
    [50.0, 18.0, 86.0, 7.0],
    [50.0, 19.0, 72.0, 8.0],
    [50.0, 19.0, 79.0, 8.0],
    [50.0, 20.0, 80.0, 9.0],
    [56.0, 20.0, 82.0, 15.0],
    [70.0, 20.0, 91.0, 15.0],
];

fn design() -> Vec<f64> {
    STACK.iter().flat_map(|row| row[..3].to_vec()).collect()
}

fn response() -> Vec<f64> {
    STACK.iter().map(|row| row[3]).collect()
}

fn profiled(source: &MemoryRows<'_>, noise: &str) -> Fit {
    let options = Options::default();
    let mut fit = inference::fit(source, &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0);
    profile::intervals(source, &mut fit, &options).unwrap();
    fit
}

fn close(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-3), "{found} {expected}");
}

/// R 4.2: the log-likelihood maximised by `optim` over everything but the coefficient, its ends found by `uniroot`; for
/// laplace noise the absolute deviations of quantreg 5.94's `rq`. To about 1e-8.
#[test]
fn the_intervals_are_those_of_r() {
    let (x, y) = (design(), response());
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap();
    for (noise, term, low, high) in [
        ("logistic", 1, 0.548273122535, 1.05658456477),
        ("logistic", 2, 0.312965868456, 1.67981593456),
        ("student-t:4", 1, 0.60938804399, 1.09161033971),
        ("laplace", 1, 0.682527188799, 0.985967605539),
    ] {
        let row = &profiled(&rows, noise).location.rows[term];
        close(row.conf_low, low, 1e-6);
        close(row.conf_high, high, 1e-6);
    }
    // ln s linear in the air flow.
    let z: Vec<f64> = STACK.iter().map(|row| row[0]).collect();
    let rows = rows.with_scale_design(Matrix::row_major(&z, 21, 1).unwrap(), &["air_flow"]).unwrap();
    let row = &profiled(&rows, "gaussian").location.rows[1];
    close(row.conf_low, 0.524939543644, 1e-6);
    close(row.conf_high, 0.870637230681, 1e-6);
}

#[test]
fn gaussian_ends_have_the_likelihood_that_the_test_allows() {
    let (x, y) = (design(), response());
    let weights: Vec<f64> = (1..=21).map(f64::from).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap().with_weights(&weights).unwrap();
    let fit = profiled(&rows, "gaussian");
    assert_eq!(fit.confint, Confint::Profile);
    let critical = Normal.critical(0.95);
    for (term, kept) in [(1, [1, 2]), (2, [0, 2]), (3, [0, 1])] {
        let row = &fit.location.rows[term];
        let rest: Vec<f64> = STACK.iter().flat_map(|row| kept.map(|j| row[j])).collect();
        for end in [row.conf_low.unwrap(), row.conf_high.unwrap()] {
            // What a fit of the rest says.
            let moved: Vec<f64> = STACK.iter().map(|row| row[3] - end * row[term - 1]).collect();
            let rest = MemoryRows::new(&moved, Matrix::row_major(&rest, 21, 2).unwrap()).unwrap();
            let rest = closed_form::fit(&rest.with_weights(&weights).unwrap(), &Options::default()).unwrap();
            let deviance = 2.0 * (fit.log_likelihood().unwrap() - rest.log_likelihood().unwrap());
            assert!((deviance.sqrt() - critical).abs() < 1e-9, "{term}: {deviance}");
        }
    }
    // The interval is that of the likelihood whatever the standard errors in the table are said to be.
    let mut other = fit.clone();
    other.covariance.kind = "hc3".parse().unwrap();
    other.location.rows.iter_mut().for_each(|row| row.std_error = Some(1.0));
    profile::intervals(&rows, &mut other, &Options::default()).unwrap();
    assert_eq!(other.location.rows[1].conf_low, fit.location.rows[1].conf_low);
}

#[test]
fn absolute_deviations_by_brute_force() {
    // Given the slope the best intercept is the median of the rest.
    let x = [1.0, 2.0, 3.0, 4.5, 5.0, 6.0, 7.0, 8.5, 9.0];
    let y = [1.2, 2.9, 2.1, 4.4, 6.5, 5.1, 7.7, 7.9, 12.0];
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 9, 1).unwrap()).unwrap();
    let fit = profiled(&rows, "laplace");
    let loss = |slope: f64| {
        let mut rest: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - slope * x).collect();
        rest.sort_by(f64::total_cmp);
        rest.iter().map(|r| (r - rest[4]).abs()).sum::<f64>()
    };
    let estimate = fit.location.rows[1].estimate.unwrap();
    for end in [fit.location.rows[1].conf_low.unwrap(), fit.location.rows[1].conf_high.unwrap()] {
        let deviance = 18.0 * (loss(end) / loss(estimate)).ln();
        assert!((deviance.sqrt() - Normal.critical(0.95)).abs() < 1e-7, "{end}: {deviance}");
    }
    // Along the curve the loss is just that, and the likelihood what follows from it.
    let values: Vec<f64> = (0..41).map(|i| 0.5 + 0.03 * f64::from(i)).collect();
    let curve = profile::curve(&rows, &fit, "x1", &values, true, &Options::default()).unwrap();
    for point in &curve.points {
        let least = loss(point.value);
        assert!((point.loss - least / 9.0).abs() < 1e-12, "{point:?}");
        assert!((point.nll - 9.0 * ((2.0 * least / 9.0).ln() + 1.0)).abs() < 1e-11, "{point:?}");
    }
    let least = values.iter().copied().min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap();
    assert_eq!((curve.nll_minimiser, curve.loss_minimiser), (least, least));
}

#[test]
fn both_minima_are_at_the_estimate_under_every_noise() {
    let (x, y) = (design(), response());
    let weights: Vec<f64> = (0..21).map(|i| 1.0 + 0.1 * f64::from(i % 5)).collect();
    let common = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap().with_weights(&weights).unwrap();
    let z: Vec<f64> = STACK.iter().map(|row| row[0]).collect();
    let modelled = common.clone().with_scale_design(Matrix::row_major(&z, 21, 1).unwrap(), &["z"]).unwrap();
    let noises = ["gaussian", "laplace", "quantile:0.7", "huber", "huber:2", "student-t:3", "student-t", "logistic"];
    let cases = noises.iter().map(|noise| (*noise, &common));
    for (noise, rows) in cases.chain(["gaussian", "logistic", "laplace"].map(|noise| (noise, &modelled))) {
        let options = Options::default();
        let fit = inference::fit(rows, &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0);
        let names: Vec<&str> = fit.location.rows.iter().map(|row| row.term.as_str()).collect();
        for (term, row) in names.iter().zip(&fit.location.rows).take(2) {
            let (estimate, error) = (row.estimate.unwrap(), row.std_error.unwrap());
            let values: Vec<f64> = (0..21).map(|i| estimate + 0.31 * error * f64::from(i - 9)).collect();
            let fixed = profile::curve(rows, &fit, term, &values, false, &options).unwrap();
            let again = profile::curve(rows, &fit, term, &values, true, &options).unwrap();
            let what = format!("{noise} {term}");
            for curve in [&fixed, &again] {
                assert_eq!((curve.nll_minimiser, curve.loss_minimiser), (values[9], values[9]), "{what}");
                let top = -fit.log_likelihood().unwrap();
                assert!((curve.points[9].nll - top).abs() < 1e-7 * top.abs(), "{what}: {} {top}", curve.points[9].nll);
            }
            for (fixed, again) in fixed.points.iter().zip(&again.points) {
                assert!(again.nll <= fixed.nll + 1e-7, "{what}: {fixed:?} {again:?}");
            }
            // Nothing but the location moves.
            if let (Some(scale), false) = (fit.scale.common(), *term == "(Intercept)") {
                let value = values[0];
                let coefficients: Vec<f64> = fit.location.rows.iter().map(|row| row.estimate.unwrap()).collect();
                let location: Vec<f64> = STACK
                    .iter()
                    .map(|row| coefficients[0] + value * row[0] + coefficients[2] * row[1] + coefficients[3] * row[2])
                    .collect();
                let rows = Observations::new(&y, &location, Scale::Common(scale)).unwrap();
                let expected = -fit.noise.family().log_likelihood(&rows.with_weights(&weights).unwrap());
                assert!((fixed.points[0].nll / expected - 1.0).abs() < 1e-12, "{what}");
            }
        }
    }
}

#[test]
fn losses_are_what_they_are_called() {
    let (x, y) = (design(), response());
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap();
    let at_estimate = |noise: &str| {
        let fit = inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0);
        let estimate = fit.location.rows[1].estimate.unwrap();
        let curve = profile::curve(&rows, &fit, "x1", &[estimate], false, &Options::default()).unwrap();
        (curve.loss, curve.points[0].loss, fit)
    };
    let (name, loss, fit) = at_estimate("gaussian");
    assert_eq!(name, "mean squared error");
    close(Some(loss), fit.goodness.rmse.powi(2), 1e-12);
    let (name, loss, fit) = at_estimate("laplace");
    assert_eq!(name, "mean absolute error");
    close(Some(loss), fit.goodness.mae.unwrap(), 1e-12);
    let (name, loss, fit) = at_estimate("quantile:0.7");
    assert_eq!(name, "mean pinball loss");
    close(Some(loss), fit.vertex.unwrap().objective / 21.0, 1e-12);
    let (name, loss, fit) = at_estimate("huber:2");
    assert_eq!(name, "mean huber loss");
    close(Some(loss), fit.goodness.mean_loss.unwrap(), 1e-10);
}

#[test]
fn a_model_of_nothing_but_a_level() {
    // The ends for the mean and the median without anything else to fit.
    let y = [1.0, 1.5, 2.0, 4.0, 9.0];
    let rows = MemoryRows::new(&y, Matrix::row_major(&[], 5, 0).unwrap()).unwrap();
    let critical = Normal.critical(0.95);
    let squares = |m: f64| y.iter().map(|y| (y - m) * (y - m)).sum::<f64>();
    let row = profiled(&rows, "gaussian").location.rows[0].clone();
    for end in [row.conf_low.unwrap(), row.conf_high.unwrap()] {
        close(Some((squares(end) / squares(3.5)).ln() * 5.0), critical * critical, 1e-12);
    }
    for noise in ["logistic", "huber", "huber:1", "student-t:3", "quantile:0.3"] {
        let fit = profiled(&rows, noise);
        let row = &fit.location.rows[0];
        assert!(row.conf_low < row.estimate && row.estimate < row.conf_high, "{noise}: {row:?}");
    }
}

#[test]
fn aliased_terms_do_not_take_the_place_of_the_one_that_is_held() {
    let y = response();
    let sums: Vec<f64> = STACK.iter().flat_map(|row| [row[0], row[1], row[0] + row[1]]).collect();
    let alone: Vec<f64> = STACK.iter().flat_map(|row| [row[0], row[1]]).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&sums, 21, 3).unwrap()).unwrap();
    let fewer = MemoryRows::new(&y, Matrix::row_major(&alone, 21, 2).unwrap()).unwrap();
    let (found, expected) = (profiled(&rows, "logistic"), profiled(&fewer, "logistic"));
    for term in [1, 2] {
        close(found.location.rows[term].conf_low, expected.location.rows[term].conf_low.unwrap(), 1e-7);
    }
    assert_eq!((found.location.rows[3].conf_low, found.location.rows[3].conf_high), (None, None));
    let refused = |term: &str| profile::curve(&rows, &found, term, &[0.0], false, &Options::default()).unwrap_err();
    let Error::Unsupported(message) = refused("x3") else { panic!() };
    assert!(message.starts_with("the data do not determine the coefficient of x3, "), "{message}");
    let Error::Unsupported(message) = refused("x9") else { panic!() };
    assert_eq!(message, "the model has no term 'x9'; its terms are (Intercept), x1, x2, x3");
}

#[test]
fn a_scale_that_is_not_estimated_by_likelihood_has_no_profile() {
    let (x, y) = (design(), response());
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap();
    let noise = Noise::Huber(Huber { scale: HuberScale::Proposal2, ..Huber::new(1.345) });
    let mut fit = inference::fit(&rows, &[noise], &common::plain()).unwrap().remove(0);
    let error = profile::intervals(&rows, &mut fit, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("a scale by proposal2 does not"), "{error}");
    assert_eq!(fit.confint, Confint::Wald);
}

/// The rest is fitted again by the rule that the fit's own scale has, its constant included.
#[test]
fn a_curve_refits_with_the_scale_s_own_constant() {
    let (x, y) = (design(), response());
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 21, 3).unwrap()).unwrap();
    let rest: Vec<f64> = STACK.iter().flat_map(|row| row[1..3].to_vec()).collect();
    let values = [0.5, 0.8, 1.1];
    let curve = |scale: &str| {
        let noise = [Noise::Huber(Huber { scale: scale.parse().unwrap(), ..Huber::new(1.345) })];
        let fit = inference::fit(&rows, &noise, &common::plain()).unwrap().remove(0);
        let curve = profile::curve(&rows, &fit, "x1", &values, true, &Options::default()).unwrap();
        for point in &curve.points {
            let moved: Vec<f64> = STACK.iter().map(|row| row[3] - point.value * row[0]).collect();
            let rest = MemoryRows::new(&moved, Matrix::row_major(&rest, 21, 2).unwrap()).unwrap();
            let rest = inference::fit(&rest, &noise, &common::plain()).unwrap().remove(0);
            close(Some(point.nll), -rest.log_likelihood().unwrap(), 1e-12);
        }
        curve.points
    };
    for (own, usual) in curve("mad:0.5").iter().zip(curve("mad")) {
        assert!((own.nll - usual.nll).abs() > 0.1, "{own:?} {usual:?}");
    }
}
