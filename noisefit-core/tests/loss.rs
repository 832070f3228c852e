//! Losses against hand computations, exact integers, finite differences and each other.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may fail them")]

mod common;

use common::near;
use noisefit_core::Error;
use noisefit_core::loss::report::{ReportOptions, ReportPass, report};
use noisefit_core::loss::{Loss, Pairs, Parameter, Reduction};
use noisefit_core::rows::{Accumulator, Block, Design, Layout, Values};

const VARIANCES: [f64; 5] = [0.5, 1.0, 2.0, 0.25, 4.0];

fn every_loss() -> Vec<Loss<'static>> {
    vec![
        Loss::SquaredError,
        Loss::HalfSquaredError,
        Loss::AbsoluteError,
        Loss::Huber { delta: 0.8 },
        Loss::SmoothL1 { beta: 0.8 },
        Loss::Pinball { tau: 0.3 },
        Loss::LogCosh,
        Loss::GaussianNll { variance: Parameter::Common(0.7), full: true },
        Loss::GaussianNll { variance: Parameter::PerRow(&VARIANCES), full: false },
        Loss::LaplaceNll { scale: Parameter::Common(0.7) },
        Loss::LaplaceNll { scale: Parameter::PerRow(&VARIANCES) },
    ]
}

/// The loss of one row.
fn one(loss: Loss<'_>, truth: f64, prediction: f64) -> f64 {
    loss.value(&Pairs::new(&[truth], &[prediction]).unwrap(), Reduction::Sum).unwrap()
}

/// The derivative of the loss of one row.
fn slope(loss: Loss<'_>, truth: f64, prediction: f64) -> f64 {
    let mut gradient = [f64::NAN];
    loss.gradient(&Pairs::new(&[truth], &[prediction]).unwrap(), Reduction::Sum, &mut gradient).unwrap();
    gradient[0]
}

#[test]
fn formulas_by_hand() {
    // r = 3 - 1 = 2, and -2.
    for (loss, above, below) in [
        (Loss::SquaredError, 4.0, 4.0),
        (Loss::HalfSquaredError, 2.0, 2.0),
        (Loss::AbsoluteError, 2.0, 2.0),
        (Loss::Huber { delta: 0.5 }, 0.875, 0.875),
        (Loss::Huber { delta: 3.0 }, 2.0, 2.0),
        (Loss::SmoothL1 { beta: 0.5 }, 1.75, 1.75),
        (Loss::SmoothL1 { beta: 4.0 }, 0.5, 0.5),
        (Loss::Pinball { tau: 0.25 }, 0.5, 1.5),
        // ln cosh 2, mpmath.
        (Loss::LogCosh, 1.325_002_747_357_864_4, 1.325_002_747_357_864_4),
        // (4 / 2 + ln 2) / 2 and with ln(2 pi) / 2.
        (
            Loss::GaussianNll { variance: Parameter::Common(2.0), full: false },
            1.346_573_590_279_972_6,
            1.346_573_590_279_972_6,
        ),
        (
            Loss::GaussianNll { variance: Parameter::Common(2.0), full: true },
            2.265_512_123_484_645_4,
            2.265_512_123_484_645_4,
        ),
        // 2 / 0.5 + ln 1.
        (Loss::LaplaceNll { scale: Parameter::Common(0.5) }, 4.0, 4.0),
    ] {
        near(one(loss, 3.0, 1.0), above, 4e-16);
        near(one(loss, 1.0, 3.0), below, 4e-16);
    }
}

#[test]
fn huber_is_its_threshold_times_smooth_l1() {
    for delta in [0.1, 1.0, 7.0] {
        for prediction in [-9.0, 0.05, 0.99, 1.0, 30.0] {
            let scaled = delta * one(Loss::SmoothL1 { beta: delta }, 0.0, prediction);
            near(one(Loss::Huber { delta }, 0.0, prediction), scaled, 1e-15);
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let (truth, prediction) = ([1.0, -2.0, 0.3, 5.0, 0.0], [1.2, -1.1, 4.0, 4.5, -2.0]);
    let weights = [1.0, 2.0, 0.5, 1.0, 3.0];
    for loss in every_loss() {
        for reduction in [Reduction::Sum, Reduction::Mean] {
            let value = |prediction: &[f64]| {
                let rows = Pairs::new(&truth, prediction).unwrap().with_weights(&weights).unwrap();
                loss.value(&rows, reduction).unwrap()
            };
            let rows = Pairs::new(&truth, &prediction).unwrap().with_weights(&weights).unwrap();
            let mut gradient = [0.0; 5];
            let fused = loss.value_and_gradient(&rows, reduction, &mut gradient).unwrap();
            assert_eq!(fused, value(&prediction));
            let mut alone = [0.0; 5];
            loss.gradient(&rows, reduction, &mut alone).unwrap();
            assert_eq!(alone, gradient);
            // Central differences: error h^2 and rounding / h.
            let h = 1e-5;
            for i in 0..5 {
                let (mut above, mut below) = (prediction, prediction);
                above[i] += h;
                below[i] -= h;
                let difference = (value(&above) - value(&below)) / (2.0 * h);
                assert!((gradient[i] - difference).abs() < 1e-8, "{loss:?}, row {i}: {} {difference}", gradient[i]);
            }
        }
    }
}

#[test]
fn subgradients_at_kinks() {
    assert_eq!(slope(Loss::AbsoluteError, 2.0, 2.0), 0.0);
    assert_eq!(slope(Loss::Pinball { tau: 0.9 }, 2.0, 2.0), 0.0);
    assert_eq!(slope(Loss::LaplaceNll { scale: Parameter::Common(3.0) }, 2.0, 2.0), 0.0);
    // Huber's loss has no kink: both sides of the threshold have one slope.
    for prediction in [1.0 - 1e-12, 1.0, 1.0 + 1e-12] {
        assert!((slope(Loss::Huber { delta: 1.0 }, 0.0, prediction) - 1.0).abs() < 2e-12);
    }
    assert_eq!(slope(Loss::Pinball { tau: 0.9 }, 2.0, 1.0), -0.9);
    assert!((slope(Loss::Pinball { tau: 0.9 }, 2.0, 3.0) - 0.1).abs() < 1e-16);
}

#[test]
fn reductions_and_weights() {
    let (truth, prediction) = ([1.0, -2.0, 0.3, 5.0, 0.0], [1.2, -1.1, 4.0, 4.5, -2.0]);
    let weights = [1.0, 2.0, 0.0, 1.0, 3.0];
    for loss in every_loss() {
        let rows = Pairs::new(&truth, &prediction).unwrap();
        let mut values = [0.0; 5];
        loss.values(&rows, &mut values).unwrap();
        let sum = loss.value(&rows, Reduction::Sum).unwrap();
        near(sum, values.iter().sum(), 1e-14);
        near(loss.value(&rows, Reduction::Mean).unwrap(), sum / 5.0, 1e-15);
        let weighted = rows.with_weights(&weights).unwrap();
        let repeated = values[0] + 2.0 * values[1] + values[3] + 3.0 * values[4];
        near(loss.value(&weighted, Reduction::Sum).unwrap(), repeated, 1e-14);
        near(loss.value(&weighted, Reduction::Mean).unwrap(), repeated / 7.0, 1e-14);
    }
    // A row of no weight is no row, even where its loss overflows.
    let overflowing = Pairs::new(&[1e300, 2.0], &[0.0, 1.0]).unwrap().with_weights(&[0.0, 2.0]).unwrap();
    let mut gradient = [1.0; 2];
    assert_eq!(Loss::SquaredError.value_and_gradient(&overflowing, Reduction::Mean, &mut gradient).unwrap(), 1.0);
    assert_eq!(gradient, [0.0, -2.0]);
}

#[test]
fn huge_residuals_overflow_only_where_the_loss_does() {
    assert_eq!(one(Loss::SquaredError, 1e300, 0.0), f64::INFINITY);
    assert_eq!(slope(Loss::SquaredError, 1e300, 0.0), -2e300);
    assert_eq!(one(Loss::AbsoluteError, 1e300, 0.0), 1e300);
    assert_eq!(one(Loss::Huber { delta: 1.0 }, 1e300, 0.0), 1e300);
    assert_eq!(one(Loss::SmoothL1 { beta: 1e10 }, 1e300, 0.0), 1e300);
    assert_eq!(one(Loss::LogCosh, 1e300, 0.0), 1e300);
    assert_eq!(slope(Loss::LogCosh, 1e300, 0.0), -1.0);
    assert!(one(Loss::LogCosh, f64::NAN, 0.0).is_nan() && one(Loss::Huber { delta: 1.0 }, f64::NAN, 0.0).is_nan());
    // r^2 / 2 keeps its digits where cosh r rounds to 1.
    near(one(Loss::LogCosh, 1e-9, 0.0), 5e-19, 1e-15);
}

#[test]
fn sums_of_singles_are_exact_and_do_not_depend_on_threads() {
    let n = 300_017;
    let truth: Vec<f32> = (0..n).map(|i| (i * 7919 % 2003) as f32 - 1001.0).collect();
    let prediction: Vec<f32> = (0..n).map(|i| (i * 104_729 % 1999) as f32 - 999.0).collect();
    let differences = || truth.iter().zip(&prediction).map(|(&t, &p)| (t - p) as i64);
    let (squares, sizes): (i64, i64) = (differences().map(|d| d * d).sum(), differences().map(i64::abs).sum());
    let rows = Pairs::new(&truth, &prediction).unwrap();
    // Integers below 2^53: every partial sum is exact.
    assert_eq!(Loss::SquaredError.value(&rows, Reduction::Sum).unwrap(), squares as f64);
    assert_eq!(Loss::AbsoluteError.value(&rows, Reduction::Sum).unwrap(), sizes as f64);

    let fine: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
    let rows = Pairs::new(&truth, &fine).unwrap();
    let mut expected = vec![0.0f32; n];
    let value = Loss::LogCosh.value_and_gradient(&rows.with_threads(1), Reduction::Mean, &mut expected).unwrap();
    for threads in [2, 3, 8] {
        let rows = rows.with_threads(threads);
        let mut gradient = vec![0.0f32; n];
        let again = Loss::LogCosh.value_and_gradient(&rows, Reduction::Mean, &mut gradient).unwrap();
        assert_eq!(again.to_bits(), value.to_bits());
        assert_eq!(gradient, expected);
        assert_eq!(Loss::LogCosh.value(&rows, Reduction::Mean).unwrap().to_bits(), value.to_bits());
    }
}

#[test]
fn the_mean_of_many_singles_keeps_twelve_digits() {
    // The same tenth a million times: its square is known exactly enough, and rounding always goes the same way.
    let n = 1_000_000;
    let (truth, prediction) = (vec![0.1f32; n], vec![0.0f32; n]);
    let mean = Loss::SquaredError.value(&Pairs::new(&truth, &prediction).unwrap(), Reduction::Mean).unwrap();
    // 13421773 / 2^27 is the single nearest to 0.1.
    near(mean, (13_421_773.0f64 / 134_217_728.0).powi(2), 1e-14);
}

#[test]
fn refusals_say_what_is_wrong() {
    let message = |result: Result<f64, Error>| result.unwrap_err().to_string();
    let rows = Pairs::new(&[1.0, 2.0], &[1.0, 2.5]).unwrap();
    let refused = |loss: Loss<'_>| message(loss.value(&rows, Reduction::Sum));
    assert_eq!(refused(Loss::Huber { delta: 0.0 }), "delta is 0 and must be positive and finite");
    assert_eq!(refused(Loss::SmoothL1 { beta: -1.0 }), "beta is -1 and must be positive and finite");
    assert_eq!(refused(Loss::Pinball { tau: 1.0 }), "tau is 1 and must be between 0 and 1");
    let nll = |variance| Loss::GaussianNll { variance, full: true };
    assert_eq!(refused(nll(Parameter::Common(f64::NAN))), "variance is NaN and must be positive and finite");
    let negative = "variance, row 2: -1 where a positive finite number was expected";
    assert_eq!(refused(nll(Parameter::PerRow(&[1.0, -1.0]))), negative);
    assert_eq!(refused(nll(Parameter::PerRow(&[1.0]))), "variance has 1 values where 2 were expected");
    let zero = "scale, row 1: 0 where a positive finite number was expected";
    assert_eq!(refused(Loss::LaplaceNll { scale: Parameter::PerRow(&[0.0, 1.0]) }), zero);

    let nothing = Pairs::<f64>::new(&[], &[]).unwrap();
    assert_eq!(message(Loss::SquaredError.value(&nothing, Reduction::Mean)), "no rows to fit");
    assert_eq!(Loss::SquaredError.value(&nothing, Reduction::Sum).unwrap(), 0.0);
    let weightless = rows.with_weights(&[0.0, 0.0]).unwrap();
    assert_eq!(message(Loss::SquaredError.value(&weightless, Reduction::Mean)), "no rows to fit");
    assert_eq!(
        message(Loss::SquaredError.value_and_gradient(&rows, Reduction::Sum, &mut [0.0])),
        "gradient has 1 values where 2 were expected"
    );
    let error = Pairs::new(&[1.0], &[1.0, 2.0]).unwrap_err().to_string();
    assert_eq!(error, "prediction has 2 values where 1 were expected");
    let error = rows.with_weights(&[1.0, -2.0]).unwrap_err().to_string();
    assert_eq!(error, "weights, row 2: -2 where a finite number, not negative, was expected");
}

#[test]
fn reports_checked_by_hand() {
    let mean = |truth: &[f64], prediction: &[f64], loss: &str| {
        let report = report(truth, prediction, ReportOptions::default()).unwrap();
        report.losses.into_iter().find(|summary| summary.loss == loss).unwrap()
    };
    let small = mean(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.1, 2.2, 2.8, 4.1, 4.9], "mse");
    near(small.mean, 0.022, 1e-14);
    let outlier = mean(&[1.0, 2.0, 3.0, 100.0], &[1.1, 2.2, 2.8, 3.0], "mae");
    near(outlier.mean, 24.375, 1e-15);
    near(outlier.sum, 97.5, 1e-15);
    let (truth, prediction) = ([85.0, 90.0, 88.0, 92.0, 15.0], [84.0, 89.0, 87.0, 91.0, 87.0]);
    let (mse, mae) = (mean(&truth, &prediction, "mse"), mean(&truth, &prediction, "mae"));
    assert_eq!((mse.mean, mae.mean), (1037.6, 15.2));
    assert_eq!((mse.share_of_largest, mae.share_of_largest), (Some(5184.0 / 5188.0), Some(72.0 / 76.0)));
    assert_eq!((mse.gradient_at_largest, mae.gradient_at_largest), (144.0, 1.0));
    assert_eq!((mse.share_of_all_largest, mae.share_of_all_largest), (Some(1.0), Some(1.0)));
    let (truth, prediction) = ([1.0, 2.0, 3.0, 4.0, 20.0], [1.1, 2.1, 3.1, 4.1, 5.0]);
    near(mean(&truth, &prediction, "mse").mean, 45.008, 1e-14);
    near(mean(&truth, &prediction, "mae").mean, 3.08, 1e-14);
    near(mean(&truth, &prediction, "huber").mean, 2.904, 1e-14);
    assert_eq!(mean(&truth, &prediction, "huber").gradient_at_largest, 1.0);
}

#[test]
fn report_of_scales_likelihoods_and_r_squared() {
    // Errors 1, -1, 2, -2 about truths 1, 2, 3, 6: SSE 10, SST 14, MAE 1.5.
    let options = ReportOptions { delta: 1.5, tau: 0.25, largest: 2 };
    let report = report(&[1.0, 2.0, 3.0, 6.0], &[0.0, 3.0, 1.0, 8.0], options).unwrap();
    near(report.rmse, 2.5f64.sqrt(), 1e-15);
    near(report.r_squared.unwrap(), 4.0 / 14.0, 1e-15);
    let [gaussian, laplace] = &report.noise[..] else { panic!("two families") };
    near(gaussian.scale, 2.5f64.sqrt(), 1e-15);
    near(laplace.scale, 1.5, 1e-15);
    // 2 (ln(2 pi 2.5) + 1) and 4 (ln 3 + 1), mpmath.
    near(gaussian.negative_log_likelihood, 7.508_335_596_567_001, 1e-14);
    near(laplace.negative_log_likelihood, 8.394_449_154_672_438, 1e-14);
    near(laplace.mean_negative_log_likelihood, 2.098_612_288_668_11, 1e-14);
    let pinball = report.losses.iter().find(|summary| summary.loss == "pinball").unwrap();
    assert_eq!((pinball.sum, pinball.parameter), (0.25 + 0.75 + 0.5 + 1.5, Some(0.25)));
    let rows: Vec<_> = report.largest.iter().map(|row| (row.row, row.error)).collect();
    assert_eq!(rows, [(3, 2.0), (4, -2.0)]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["noise"][0]["family"], "gaussian");
    assert_eq!(json["losses"][0]["share_of_all_largest"], 0.8);
}

#[test]
fn report_of_perfect_predictions_and_refusals() {
    let perfect = report(&[2.0, 2.0], &[2.0, 2.0], ReportOptions::default()).unwrap();
    assert_eq!((perfect.rmse, perfect.r_squared, perfect.losses[0].share_of_largest), (0.0, None, None));
    assert_eq!(perfect.noise[0].negative_log_likelihood, f64::NEG_INFINITY);
    // A constant truth has no variation to explain, whatever rounding does to its mean.
    assert_eq!(report(&[0.1; 7], &[0.3; 7], ReportOptions::default()).unwrap().r_squared, None);
    let message =
        |truth: &[f64], prediction: &[f64], options| report(truth, prediction, options).unwrap_err().to_string();
    let default = ReportOptions::default();
    assert_eq!(message(&[], &[], default), "no rows to fit");
    assert_eq!(message(&[1.0], &[f64::NAN], default), "prediction, row 1: NaN where a finite number was expected");
    let options = ReportOptions { tau: 2.0, ..default };
    assert_eq!(message(&[1.0], &[1.0], options), "tau is 2 and must be between 0 and 1");
}

#[test]
fn a_report_does_not_depend_on_how_rows_are_split() {
    let n = 1000;
    let truth: Vec<f64> = (0..n).map(|i| (f64::from(i) * 0.7).sin() * 5.0 + 1e3).collect();
    let prediction: Vec<f64> = (0..n).map(|i| (f64::from(i) * 0.7).sin() * 4.0 + 1e3 + f64::from(i % 7)).collect();
    let layout = Layout { response: "y".into(), terms: vec!["p".into()], intercept: false, ..Layout::default() };
    let empty = ReportPass::new(ReportOptions::default(), &layout).unwrap();
    let fold = |from: usize, to: usize| {
        let mut pass = empty.clone();
        let design = [Values::from(&prediction[from..to])];
        let response = Values::from(&truth[from..to]);
        pass.fold(&Block {
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
        pass
    };
    let whole = fold(0, 1000).report().unwrap();
    for cut in [1, 17, 500, 999] {
        let mut pass = fold(0, cut);
        pass.merge(fold(cut, 1000));
        let loaded = empty.load(&empty.save(&pass).unwrap()).unwrap().report().unwrap();
        assert_eq!(loaded, pass.report().unwrap());
        assert_eq!(loaded.largest, whole.largest);
        for (split, whole) in loaded.losses.iter().zip(&whole.losses) {
            near(split.sum, whole.sum, 1e-14);
        }
        near(loaded.r_squared.unwrap(), whole.r_squared.unwrap(), 1e-13);
    }
}

#[test]
fn weights_of_a_report_are_repeated_rows() {
    let layout = Layout { response: "y".into(), terms: vec!["p".into()], intercept: false, ..Layout::default() };
    let fold = |truth: &[f64], prediction: &[f64], frequencies: Option<&[f64]>| {
        let mut pass = ReportPass::new(ReportOptions { largest: 1, ..ReportOptions::default() }, &layout).unwrap();
        let design = [Values::from(prediction)];
        pass.fold(&Block {
            response: truth.into(),
            design: (&design).into(),
            scale_design: Design::default(),
            weights: None,
            frequencies,
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        });
        pass.report().unwrap()
    };
    let counted = fold(&[1.0, 4.0], &[2.0, 1.0], Some(&[3.0, 1.0]));
    let repeated = fold(&[1.0, 1.0, 1.0, 4.0], &[2.0, 2.0, 2.0, 1.0], None);
    assert_eq!((counted.nobs, counted.rmse, counted.r_squared), (4.0, repeated.rmse, repeated.r_squared));
    for (counted, repeated) in counted.losses.iter().zip(&repeated.losses) {
        near(counted.mean, repeated.mean, 1e-15);
        assert_eq!(counted.share_of_largest, repeated.share_of_largest);
    }
}
