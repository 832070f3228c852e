//! Fitted networks: exact fits as the oracle of linear ones, likelihoods recomputed, and what makes runs repeatable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use noisefit_core::inference::conformal;
use noisefit_core::inference::conformal::Scheme;
use noisefit_core::inference::predict::NewRows;
use noisefit_core::network::{
    Checkpoint, Embedding, LeftOut, Plan, Schedule, Solver, Step, Training, UpdateRule as Steps, Watch,
};
use noisefit_core::noise::{AsymmetricLaplace, Huber, Noise, Noises, StudentT};
use noisefit_core::record::Warning;
use noisefit_core::rows::{Matrix, MemoryRows, Values};
use noisefit_core::training;
use noisefit_core::training::Fitted;
use noisefit_core::{Error, inference, network};

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A design in which one column is far from zero, and a response with some heavy tails.
fn data(rows: usize) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random(5);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for i in 0..rows {
        let row = [random.normal(), 10.0 + 2.0 * random.normal(), random.uniform()];
        let noise = random.normal() * if i % 7 == 0 { 6.0 } else { 1.0 };
        y.push(3.0 + 2.0 * row[0] - row[1] + 5.0 * row[2] + noise);
        x.extend(row);
    }
    (x, y)
}

fn source<'a>(x: &'a [f64], y: &'a [f64]) -> MemoryRows<'a> {
    MemoryRows::new(y, Matrix::row_major(x, y.len(), x.len() / y.len()).unwrap()).unwrap()
}

/// A linear model over all rows.
fn linear_plan(solver: Solver, rate: f64, schedule: Schedule, epochs: u64) -> Plan {
    Plan {
        hidden: vec![],
        solver,
        training: Training { rate, schedule, warm_up: 0, epochs, common_scale: 0, scale_rate: None, patience: None },
        validation: 0.0,
        ..Plan::default()
    }
}

fn line(fitted: &Fitted) -> Vec<f64> {
    fitted.network.coefficients().unwrap().remove(0).numbers().collect()
}

fn exact(rows: &MemoryRows<'_>, noise: &[Noise]) -> noisefit_core::record::Fit {
    inference::fit(rows, noise, &inference::Options::default()).unwrap().remove(0)
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs()
}

#[test]
fn a_linear_model_is_trained_to_its_closed_form() {
    let (x, y) = data(400);
    let rows = source(&x, &y);
    let closed = exact(&rows, &[Noise::Gaussian]);
    let steps = |method, batch| Solver::Steps { method, batch, shuffle: true };
    for (solver, rate, epochs, tolerance) in [
        (Solver::Lbfgs, 1.0, 100, 1e-5),
        (steps(Steps::Adam, None), 0.05, 2000, 1e-5),
        (steps(Steps::AdamW, None), 0.05, 2000, 1e-5),
        // What is left of the noise of batches.
        (steps(Steps::Sgd { momentum: 0.9, nesterov: true }, Some(50)), 0.002, 4000, 5e-5),
    ] {
        let plan = linear_plan(solver, rate, Schedule::Cosine, epochs);
        let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, None, &()).unwrap();
        for (found, coefficient) in line(&fitted).iter().zip(&closed.location.rows) {
            let expected = coefficient.estimate.unwrap();
            assert!(relative(*found, expected) < tolerance, "{plan:?}: {found} for {expected}");
        }
        assert!(relative(fitted.network.members[0].scale[0], closed.scale.common().unwrap()) < 1e-6);
        let nll = -closed.log_likelihood().unwrap() / 400.0;
        assert!(relative(fitted.training[0].mean_nll.unwrap(), nll) < 1e-7);
        assert_eq!(fitted.validation, None);
        // The loss alone says the likelihood, too.
        let loss = fitted.epochs[0].last().unwrap().loss;
        assert!(relative(fitted.network.objective.negative_log_likelihood(loss).unwrap(), nll) < 1e-4);
    }
}

#[test]
fn slope_and_intercept_of_a_line_by_plain_gradient_descent() {
    let mut random = Random(1);
    let x: Vec<f64> = (0..100).map(|_| random.uniform()).collect();
    let y: Vec<f64> = x.iter().map(|x| 1.0 + 2.0 * x + 0.1 * random.normal()).collect();
    let rows = source(&x, &y);
    let closed = exact(&rows, &[Noise::Gaussian]);
    let solver = Solver::Steps { method: Steps::Sgd { momentum: 0.0, nesterov: false }, batch: None, shuffle: true };
    let plan = linear_plan(solver, 0.1, Schedule::Constant, 1000);
    let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, None, &()).unwrap();
    for (found, coefficient) in line(&fitted).iter().zip(&closed.location.rows) {
        assert!((found - coefficient.estimate.unwrap()).abs() < 1e-4);
    }
    // The noise floor.
    let last = fitted.epochs[0].last().unwrap().loss;
    assert!(relative(last, closed.scale.common().unwrap().powi(2)) < 1e-6);
}

#[test]
fn absolute_and_hubers_losses_are_trained_to_their_exact_minima() {
    let (x, y) = data(400);
    let rows = source(&x, &y);
    let solver = || Solver::Steps { method: Steps::Adam, batch: Some(50), shuffle: true };
    for (noise, tolerance) in [
        (Noises::from(Noise::Laplace), 1e-4),
        (Noises::quantiles(&[0.8]), 1e-4),
        (Noises::from(Noise::Huber(Huber::fixed(1.5))), 1e-5),
        (Noises::from(Noise::Huber(Huber::new(1.345))), 1e-5),
        (Noises::from(Noise::StudentT(StudentT::FREE)), 1e-5),
        (Noises::from(Noise::Logistic), 1e-5),
    ] {
        let plan = linear_plan(solver(), 0.02, Schedule::Cosine, 600);
        let (fitted, exact) = (training::fit(&rows, &noise, &plan, None, &()).unwrap(), exact(&rows, &noise));
        // The objective is the likelihood's, and so is what it lacks.
        let nll = -exact.log_likelihood().unwrap() / 400.0;
        let found = fitted.training[0].mean_nll.unwrap();
        assert!(found > nll - 1e-9 && found - nll < tolerance, "{noise}: {found} for {nll}");
        assert!(relative(fitted.network.members[0].scale[0], exact.scale.common().unwrap()) < 0.01, "{noise}");
    }
}

#[test]
fn a_modelled_scale_is_that_of_maximum_likelihood() {
    let mut random = Random(3);
    let x: Vec<f64> = (0..500).map(|_| random.normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| 1.0 - x + (0.5 + 0.6 * x).exp() * random.normal()).collect();
    let rows = source(&x, &y);
    let design = Matrix::row_major(&x, 500, 1).unwrap();
    let modelled = rows.clone().with_scale_design(design, &["x".to_owned()]).unwrap();
    let exact = exact(&modelled, &[Noise::Gaussian]);
    let plan = Plan { models_scale: true, ..linear_plan(Solver::Lbfgs, 1.0, Schedule::Constant, 300) };
    let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, None, &()).unwrap();
    let found = fitted.training[0].mean_nll.unwrap();
    assert!((found + exact.log_likelihood().unwrap() / 500.0).abs() < 1e-6);
    let at = [(&[1.5][..]).into()];
    let scale = fitted.network.predict(&NewRows::new(&at, 1)).scale(0)[0];
    let [g0, g1] = [0, 1].map(|k| exact.scale.coefficients()[k].estimate.unwrap());
    assert!(relative(scale, (g0 + 1.5 * g1).exp()) < 1e-3);
}

/// A curve with noise of one scale, in units far from one.
fn curve(rows: usize) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random(9);
    let x: Vec<f64> = (0..rows).map(|_| 50.0 + 10.0 * random.uniform()).collect();
    let y = x.iter().map(|x| 1e4 + 300.0 * (x - 50.0).sin() + 20.0 * random.normal()).collect();
    (x, y)
}

/// A small network that learns fast.
fn small() -> Plan {
    let mut plan = Plan { hidden: vec![16, 8], ..Plan::default() };
    plan.training = Training {
        rate: 0.01,
        schedule: Schedule::Constant,
        warm_up: 5,
        epochs: 60,
        common_scale: 0,
        scale_rate: None,
        patience: Some(30),
    };
    plan
}

#[test]
fn scores_are_of_the_mixture_in_the_units_of_the_data() {
    let (x, y) = curve(600);
    let rows = source(&x, &y);
    let mut plan = Plan { members: 3, validation: 0.2, activation: network::Activation::Tanh, ..small() };
    plan.training.epochs = 200;
    for noise in
        [Noises::from(Noise::Gaussian), Noises::from(Noise::StudentT(StudentT::FREE)), Noises::from(Noise::Laplace)]
    {
        for models_scale in [false, true] {
            let mut plan = Plan { models_scale, ..plan.clone() };
            plan.training.common_scale = 100;
            let fitted = training::fit(&rows, &noise, &plan, None, &()).unwrap();
            let design = [Values::from(&x[..])];
            let mixture = fitted.network.predict(&NewRows::new(&design, 600));
            // The density by its definition, over all rows.
            let density = |i: usize| {
                let member = |member: &network::Member| {
                    let alone = network::Network { members: vec![member.clone()], ..fitted.network.clone() };
                    let said = alone.predict(&NewRows::new(&design, 600));
                    let (mu, s) = (said.location(0)[i], said.scale(0)[i]);
                    (-member.noise[0].family().negative_log_density((y[i] - mu) / s)).exp() / s
                };
                fitted.network.members.iter().map(member).sum::<f64>() / 3.0
            };
            for i in [0, 17, 599] {
                assert!((mixture.log_density(0, i, y[i]) - density(i).ln()).abs() < 1e-9);
            }
            let nll = -(0..600).map(|i| mixture.log_density(0, i, y[i])).sum::<f64>() / 600.0;
            let validation = &fitted.validation.as_ref().unwrap()[0];
            let [training, held_out] = [&fitted.training[0], validation].map(|s| (s.mean_nll.unwrap(), s.nobs as f64));
            assert_eq!((training.1, held_out.1), (480.0, 120.0));
            let total = (training.0 * training.1 + held_out.0 * held_out.1) / 600.0;
            assert!((total - nll).abs() < 1e-9, "{total} for {nll}");
            // Near that of the truth: standard deviation 20.
            assert!(fitted.training[0].rmse < 60.0 && (4.2..5.2).contains(&nll), "{noise}: {nll}");
        }
    }
}

#[test]
fn a_scale_is_common_until_the_location_is_learned() {
    let (x, y) = curve(600);
    let rows = source(&x, &y);
    let design = [Values::from(&x[..])];
    let fitted = |common_scale: u64| {
        let mut plan = Plan { models_scale: true, ..small() };
        plan.training = Training { epochs: 120, common_scale, patience: None, ..plan.training };
        training::fit(&rows, &[Noise::Gaussian], &plan, None, &()).unwrap()
    };
    let spread = |fitted: &Fitted| {
        let scales = fitted.network.predict(&NewRows::new(&design, 600)).scale(0);
        scales.iter().fold(0.0f64, |a, b| a.max(*b)) / scales.iter().fold(f64::INFINITY, |a, b| a.min(*b))
    };
    let [at_once, half, always] = [0, 60, 120].map(fitted);
    assert_eq!(spread(&always), 1.0);
    assert!(spread(&at_once) > 1.05);
    assert!(spread(&half) > 1.01 && half.training[0].mean_nll < always.training[0].mean_nll.map(|nll| nll + 0.1));
}

#[test]
fn weight_decay_is_of_the_network_and_not_of_its_noise() {
    let mut random = Random(8);
    let x: Vec<f64> = (0..800).map(|_| random.normal()).collect();
    // Student's t with 8 degrees of freedom.
    let mut t = || random.normal() / ((0..8).map(|_| random.normal().powi(2)).sum::<f64>() / 8.0).sqrt();
    let y: Vec<f64> = x.iter().map(|_| t()).collect();
    let df = |solver: Solver, decay: f64| {
        let plan = Plan { decay, ..linear_plan(solver, 0.05, Schedule::Cosine, 400) };
        let fitted = training::fit(&source(&x, &y), &[Noise::StudentT(StudentT::FREE)], &plan, None, &()).unwrap();
        let Noise::StudentT(family) = fitted.network.members[0].noise[0] else { panic!() };
        family.df()
    };
    for solver in [Solver::Lbfgs, Solver::Steps { method: Steps::Adam, batch: None, shuffle: false }] {
        // The response has nothing to do with x: shrinking the slope changes little.
        let (free, shrunk) = (df(solver.clone(), 0.0), df(solver, 0.5));
        assert!(relative(shrunk, free) < 0.05, "{shrunk} {free}");
    }
}

#[test]
fn frequencies_are_repeated_rows_and_large_batches_the_sum_of_their_pieces() {
    let (x, y) = curve(120);
    let counts: Vec<f64> = (0..120).map(|i| f64::from(1 + i % 3)).collect();
    let repeated = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(&counts).flat_map(|(value, count)| vec![*value; *count as usize]).collect()
    };
    let (many_x, many_y) = (repeated(&x), repeated(&y));
    let mut plan = Plan { solver: Solver::Steps { method: Steps::Adam, batch: None, shuffle: false }, ..small() };
    (plan.validation, plan.training.epochs, plan.training.patience) = (0.0, 30, None);
    let counted = source(&x, &y).with_frequencies(&counts).unwrap();
    let one = training::fit(&counted, &[Noise::Gaussian], &plan, None, &()).unwrap();
    let other = training::fit(&source(&many_x, &many_y), &[Noise::Gaussian], &plan, None, &()).unwrap();
    for (one, other) in one.epochs[0].iter().zip(&other.epochs[0]) {
        assert!(relative(one.loss, other.loss) < 1e-4, "{} {}", one.loss, other.loss);
    }
    assert_eq!(one.training[0].nobs, other.training[0].nobs);
    // In batches, the mean over an epoch is over observations, too: with steps of no length it is the loss of all.
    plan.training.rate = 1e-30;
    let whole = training::fit(&counted, &[Noise::Gaussian], &plan, None, &()).unwrap();
    plan.solver = Solver::Steps { method: Steps::Adam, batch: Some(7), shuffle: false };
    let batches = training::fit(&counted, &[Noise::Gaussian], &plan, None, &()).unwrap();
    assert!(relative(batches.epochs[0][0].loss, whole.epochs[0][0].loss) < 1e-6);
    // Five thousand rows are two pieces.
    let (x, y) = curve(5000);
    let mut plan = Plan { solver: Solver::Steps { method: Steps::Adam, batch: None, shuffle: false }, ..plan };
    (plan.training.rate, plan.training.epochs) = (0.01, 5);
    let pieces = training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap();
    let lbfgs = Plan { solver: Solver::Lbfgs, ..plan };
    assert_eq!(training::fit(&source(&x, &y), &[Noise::Gaussian], &lbfgs, None, &()).unwrap().epochs.len(), 1);
    assert!(pieces.epochs[0][4].loss < pieces.epochs[0][0].loss);
}

#[test]
fn members_that_have_not_begun_are_left_out_when_training_is_stopped() {
    let (x, y) = curve(300);
    let plan = Plan { members: 4, ..small() };
    // Nine steps an epoch: one member is at work on one thread.
    let stopper = Stopper { after: 60, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
    let fitted = training::fit(&source(&x, &y).with_threads(1), &[Noise::Gaussian], &plan, None, &stopper).unwrap();
    assert_eq!(fitted.network.members.len(), 1);
    assert!(fitted.warnings.contains(&Warning::MembersLeftOut { left_out: 3, members: 4 }), "{:?}", fitted.warnings);
    let how = conformal::Plan { method: Scheme::CvPlus, folds: 4, ..conformal::Plan::default() };
    let stopper = Stopper { after: 60, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
    let (_, conformal) =
        training::fit_conformal(&source(&x, &y), &[Noise::Gaussian], &plan, &how, None, &stopper).unwrap();
    assert_eq!(conformal, None);
}

#[test]
fn intervals_hold_their_share_with_few_rows() {
    // Twenty samples of 100 rows, of which ten validate; a network that could learn them by heart.
    let (mut held, mut plan) = (0, Plan { hidden: vec![32, 32], ..small() });
    (plan.training.epochs, plan.training.patience) = (150, Some(50));
    for sample in 0..20 {
        let mut random = Random(100 + sample);
        let x: Vec<f64> = (0..500).map(|_| random.normal()).collect();
        let y: Vec<f64> = x.chunks(5).map(|row| row[0] + (2.0 * row[1]).sin() + 0.5 * random.normal()).collect();
        let fitted = training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap();
        assert!(fitted.warnings.contains(&Warning::FewValidationRows { rows: 10 }), "{:?}", fitted.warnings);
        let columns: Vec<Vec<f64>> = (0..5).map(|_| (0..200).map(|_| random.normal()).collect()).collect();
        let design: Vec<Values<'_>> = columns.iter().map(|column| Values::from(&column[..])).collect();
        let ends = fitted.network.predict(&NewRows::new(&design, 200)).intervals(0.9);
        let truth = |i: usize| columns[0][i] + (2.0 * columns[1][i]).sin();
        held +=
            (0..200).filter(|&i| (ends.low[i]..=ends.high[i]).contains(&(truth(i) + 0.5 * random.normal()))).count();
    }
    let share = held as f64 / 4000.0;
    assert!((0.75..0.97).contains(&share), "{share}");
}

/// A plan that leaves rows out in turn, with pieces and two stages, and learns fast.
fn in_turn(members: usize) -> Plan {
    let mut plan = Plan::suited(600, true);
    (plan.members, plan.left_out) = (members, Some(LeftOut::of_members(members, 10)));
    plan.hidden = vec![16];
    plan.training = Training { epochs: 60, common_scale: 40, warm_up: 10, ..plan.training };
    plan
}

/// Noise whose spread doubles along `x`, of Student's t with some degrees of freedom.
fn heavy(rows: usize, df: u32, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random(seed);
    let x: Vec<f64> = (0..rows).map(|_| random.uniform()).collect();
    let mut t = || {
        let squares: f64 = (0..df).map(|_| random.normal().powi(2)).sum();
        random.normal() / (squares / f64::from(df)).sqrt()
    };
    let y = x.iter().map(|x| 5.0 * x + (1.0 + x) * t()).collect();
    (x, y)
}

#[test]
fn rows_that_members_do_without_calibrate_them() {
    let df = |fitted: &Fitted| match fitted.network.members[0].noise[0] {
        Noise::StudentT(family) => family.df(),
        _ => panic!(),
    };
    let plan = in_turn(4);
    let fitted = |degrees: u32| {
        let (x, y) = heavy(2000, degrees, 4);
        training::fit(&source(&x, &y), &[Noise::StudentT(StudentT::FREE)], &plan, None, &()).unwrap()
    };
    let (two, many) = (fitted(2), fitted(200));
    // Of the 800 rows that calibrate a maximum likelihood estimate of 2 degrees has a standard error of about 0.2.
    assert!((1.5..2.8).contains(&df(&two)) && df(&many) > 12.0, "{} {}", df(&two), df(&many));
    for fitted in [&two, &many] {
        // All members have one noise, and the rows that they did without are scored beside the others.
        assert!(fitted.network.members.iter().all(|member| member.noise == fitted.network.members[0].noise));
        let [all, unseen] = [&fitted.training[0], &fitted.validation.as_ref().unwrap()[0]];
        assert_eq!((all.nobs, unseen.nobs), (2000, 800));
    }
    // Fresh rows lie in the intervals as often as they say.
    for (fitted, degrees) in [(&two, 2), (&many, 200)] {
        let (x, y) = heavy(4000, degrees, 77);
        let design = [Values::from(&x[..])];
        let ends = fitted.network.predict(&NewRows::new(&design, 4000)).intervals(0.9);
        let held = (0..4000).filter(|&i| (ends.low[i]..=ends.high[i]).contains(&y[i])).count();
        assert!((0.87..0.93).contains(&(held as f64 / 4000.0)), "{degrees}: {held}");
        // The scale doubles along x.
        let scales = fitted.network.predict(&NewRows::new(&[(&[0.02, 0.98][..]).into()], 2)).scale(0);
        assert!((1.4..2.9).contains(&(scales[1] / scales[0])), "{scales:?}");
    }
}

#[test]
fn quantiles_hold_their_share_where_rows_calibrate_them() {
    let levels = [0.05, 0.5, 0.95];
    let noise: Vec<Noise> = levels.iter().map(|&tau| Noise::Quantile(AsymmetricLaplace { tau })).collect();
    let shares = |plan: &Plan| {
        let mut below = [0usize; 3];
        for sample in 0..12 {
            let mut random = Random(500 + sample);
            let x: Vec<f64> = (0..3 * 150).map(|_| random.normal()).collect();
            let y: Vec<f64> = x.chunks(3).map(|row| row[0] + random.normal()).collect();
            let fitted = training::fit(&source(&x, &y), &noise, plan, None, &()).unwrap();
            let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..400).map(|_| random.normal()).collect()).collect();
            let design: Vec<Values<'_>> = columns.iter().map(|column| Values::from(&column[..])).collect();
            let mixture = fitted.network.predict(&NewRows::new(&design, 400));
            let truth: Vec<f64> = columns[0].iter().map(|x| x + random.normal()).collect();
            let locations = levels.map(|_| 0).iter().enumerate().map(|(k, _)| mixture.location(k)).collect::<Vec<_>>();
            for (curve, below) in below.iter_mut().enumerate() {
                *below += (0..400).filter(|&i| truth[i] < locations[curve][i]).count();
            }
            assert!((0..400).all(|i| locations[0][i] < locations[1][i] && locations[1][i] < locations[2][i]));
        }
        below.map(|below| below as f64 / 4800.0)
    };
    let plan = Plan { models_scale: false, ..in_turn(4) };
    let plan = Plan { training: Training { common_scale: 0, scale_rate: None, ..plan.training.clone() }, ..plan };
    let [low, middle, high] = shares(&plan);
    let none = Plan { left_out: None, ..plan };
    let [low_by_heart, _, high_by_heart] = shares(&none);
    // Uncalibrated, what promises 90% holds clearly less; calibrated, what it says, or a little more.
    assert!(high_by_heart - low_by_heart < 0.85, "{low_by_heart} {high_by_heart}");
    assert!((0.87..0.97).contains(&(high - low)) && (middle - 0.5).abs() < 0.06, "{low} {middle} {high}");
}

#[test]
fn rows_left_out_in_turn_are_the_same_from_memory_read_anew_and_after_a_stop() {
    let (x, y) = curve(900);
    let noise = [Noise::StudentT(StudentT::FREE)];
    let plan = in_turn(3);
    let fit = |plan: &Plan, threads: usize| {
        training::fit(&source(&x, &y).with_threads(threads), &noise, plan, None, &()).unwrap()
    };
    let whole = fit(&plan, 1);
    assert_eq!(whole, fit(&plan, 3));
    assert!(whole.network.architecture.pieces.len() == 1 && whole.network.members.len() == 3);
    // In their order rows are the same from memory and read anew.
    let Solver::Steps { method, batch, .. } = plan.solver else { panic!() };
    let ordered = Plan { solver: Solver::Steps { method, batch, shuffle: false }, ..plan.clone() };
    let streamed = Plan { memory: 1000, ..ordered.clone() };
    assert_eq!(fit(&ordered, 2).network.members, fit(&streamed, 2).network.members);
    let mut resumed: Option<Checkpoint> = None;
    let mut stops = 0;
    let rows = source(&x, &y).with_threads(2);
    let fitted = loop {
        let stopper = Stopper { after: 1013, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
        let fitted = training::fit(&rows, &noise, &plan, resumed, &stopper).unwrap();
        if !fitted.warnings.iter().any(|warning| matches!(warning, Warning::Interrupted { .. })) {
            break fitted;
        }
        stops += 1;
        resumed = Some(Checkpoint::from_bytes(stopper.kept.lock().unwrap().as_ref().unwrap()).unwrap());
    };
    assert!(stops > 0 && fitted == whole, "{stops}");
    // It comes back from its file, and one of a program that knew no pieces does, too.
    let text = serde_json::to_string(&whole.network).unwrap();
    assert_eq!(serde_json::from_str::<network::Network>(&text).unwrap(), whole.network);
    let damaged = text.replacen("\"knots\":[", "\"knots\":[1e9,", 1);
    assert!(serde_json::from_str::<network::Network>(&damaged).is_err());
    let plain = training::fit(&rows, &[Noise::Gaussian], &small(), None, &()).unwrap().network;
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!text.contains("pieces") && !text.contains("shifts"), "{text}");
    let error = training::fit(&rows, &noise, &Plan { validation: 0.1, ..plan }, None, &()).unwrap_err();
    assert!(error.to_string().contains("and not both"), "{error}");
}

#[test]
fn threads_make_no_difference() {
    let (x, y) = curve(300);
    let plan = Plan { members: 4, dropout: 0.1, clip: Some(1.0), decay: 1e-3, ..small() };
    let one = training::fit(&source(&x, &y).with_threads(1), &[Noise::Gaussian], &plan, None, &()).unwrap();
    let two = training::fit(&source(&x, &y).with_threads(3), &[Noise::Gaussian], &plan, None, &()).unwrap();
    assert_eq!(one, two);
    assert_ne!(one.network.members[0].parameters, one.network.members[1].parameters);
    let other = Plan { seed: 1, ..plan };
    assert_ne!(training::fit(&source(&x, &y), &[Noise::Gaussian], &other, None, &()).unwrap().network, one.network);
}

#[test]
fn rows_that_do_not_fit_in_memory_are_learned_from() {
    let (x, y) = curve(6000);
    let plan = Plan { memory: 10_000, buffer: 500, hidden: vec![16], ..small() };
    let mut plan = Plan { solver: Solver::Steps { method: Steps::Adam, batch: Some(32), shuffle: true }, ..plan };
    plan.training.epochs = 15;
    let streamed = training::fit(&source(&x, &y).with_threads(1), &[Noise::Gaussian], &plan, None, &()).unwrap();
    let threads = training::fit(&source(&x, &y).with_threads(2), &[Noise::Gaussian], &plan, None, &()).unwrap();
    assert_eq!(streamed, threads);
    assert!(streamed.training[0].rmse < 60.0, "{:?}", streamed.training);
    // In their order, rows are the same from memory and read anew.
    let ordered = Plan { solver: Solver::Steps { method: Steps::Adam, batch: Some(32), shuffle: false }, ..plan };
    let streamed = training::fit(&source(&x, &y), &[Noise::Gaussian], &ordered, None, &()).unwrap();
    let plan = Plan { memory: 1 << 30, ..ordered.clone() };
    assert_eq!(training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap().network, streamed.network);
    let all = Plan { solver: Solver::Lbfgs, ..ordered };
    let error = training::fit(&source(&x, &y), &[Noise::Gaussian], &all, None, &()).unwrap_err();
    assert!(error.to_string().contains("need them in memory"), "{error}");
}

/// Stops after some steps of all members, keeping the last checkpoint.
struct Stopper {
    after: u64,
    every: u64,
    steps: AtomicU64,
    kept: Mutex<Option<Vec<u8>>>,
}

impl Watch for Stopper {
    fn step(&self, _: usize, _: &Step<'_>) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
    fn stops(&self) -> bool {
        self.steps.load(Ordering::Relaxed) >= self.after
    }
    fn keeps_checkpoints(&self) -> bool {
        true
    }
    fn wants_checkpoint(&self, steps: u64) -> bool {
        steps.is_multiple_of(self.every)
    }
    fn checkpoint(&self, bytes: &[u8]) -> Result<(), Error> {
        *self.kept.lock().unwrap() = Some(bytes.to_vec());
        Ok(())
    }
}

#[test]
fn a_training_goes_on_from_a_checkpoint_as_if_nothing_had_happened() {
    let (x, y) = curve(300);
    let rows = source(&x, &y).with_threads(2);
    let plans = [
        Plan { members: 3, dropout: 0.1, ..small() },
        Plan { memory: 1000, buffer: 100, ..small() },
        Plan {
            models_scale: true,
            training: Training { common_scale: 20, scale_rate: None, patience: Some(8), ..small().training },
            ..small()
        },
        Plan {
            solver: Solver::Steps {
                method: Steps::Sgd { momentum: 0.9, nesterov: false },
                batch: Some(16),
                shuffle: true,
            },
            ..small()
        },
    ];
    for mut plan in plans {
        plan.training.schedule = Schedule::Plateau { epochs: 3, factor: 0.5 };
        let whole = training::fit(&rows, &[Noise::Gaussian], &plan, None, &()).unwrap();
        let mut resumed: Option<Checkpoint> = None;
        let mut stops = 0;
        let fitted = loop {
            let stopper = Stopper { after: 211, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
            let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, resumed, &stopper).unwrap();
            if !fitted.warnings.iter().any(|warning| matches!(warning, Warning::Interrupted { .. })) {
                break fitted;
            }
            stops += 1;
            resumed = Some(Checkpoint::from_bytes(stopper.kept.lock().unwrap().as_ref().unwrap()).unwrap());
        };
        assert!(stops > 0, "{stops}");
        assert_eq!(fitted, whole);
        // It may be trained for longer, whatever share of that a common scale has.
        let mut longer = plan.clone();
        (longer.training.epochs, longer.training.common_scale) = (61, longer.training.common_scale + 1);
        let stopper = Stopper { after: 100, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
        training::fit(&rows, &[Noise::Gaussian], &plan, None, &stopper).unwrap();
        let kept = Checkpoint::from_bytes(stopper.kept.lock().unwrap().as_ref().unwrap()).unwrap();
        training::fit(&rows, &[Noise::Gaussian], &longer, Some(kept), &()).unwrap();
        // Nobody else's.
        let stopper = Stopper { after: 50, every: 7, steps: AtomicU64::new(0), kept: Mutex::new(None) };
        training::fit(&rows, &[Noise::Gaussian], &plan, None, &stopper).unwrap();
        let kept = stopper.kept.lock().unwrap().clone().unwrap();
        let other = Plan { decay: 0.5, ..plan };
        let checkpoint = Checkpoint::from_bytes(&kept).unwrap();
        let error = training::fit(&rows, &[Noise::Gaussian], &other, Some(checkpoint), &()).unwrap_err().to_string();
        assert!(error.contains("decay 0.0 instead of 0.5"), "{error}");
        assert!(Checkpoint::from_bytes(&kept[..kept.len() / 2]).is_err());
    }
}

#[test]
fn a_model_comes_back_from_its_file() {
    let (x, y) = curve(200);
    let plan = Plan { members: 2, models_scale: true, ..small() };
    let network = training::fit(&source(&x, &y), &[Noise::StudentT(StudentT::FREE)], &plan, None, &()).unwrap().network;
    let text = serde_json::to_string(&network).unwrap();
    assert_eq!(serde_json::from_str::<network::Network>(&text).unwrap(), network);
    let damaged = text.replacen("\"hidden\":[16,8]", "\"hidden\":[16,9]", 1);
    let error = serde_json::from_str::<network::Network>(&damaged).unwrap_err().to_string();
    assert!(error.contains("members.0.layers.1.weight has the shape [8, 16] and not [9, 16]"), "{error}");
    // No size is too large for a refusal.
    for hidden in ["[1099511627776,1048576]", "[4611686018427387904,4]"] {
        let damaged = text.replacen("[16,8]", hidden, 1);
        let error = serde_json::from_str::<network::Network>(&damaged).unwrap_err().to_string();
        assert!(error.contains("no more than 2^28"), "{error}");
    }
}

#[test]
fn quantiles_do_not_cross_and_hold_their_shares() {
    let (x, y) = curve(1000);
    let levels = [0.05, 0.5, 0.95];
    let fitted = training::fit(&source(&x, &y), &Noises::quantiles(&levels), &small(), None, &()).unwrap();
    let design = [Values::from(&x[..])];
    let mixture = fitted.network.predict(&NewRows::new(&design, 1000));
    let curves = [0, 1, 2].map(|curve| mixture.location(curve));
    assert!((0..1000).all(|i| curves[0][i] < curves[1][i] && curves[1][i] < curves[2][i]));
    for (scores, tau) in fitted.training.iter().zip(levels) {
        let quantile = scores.quantile.as_ref().unwrap();
        assert!((quantile.share_below - tau).abs() < 0.15 && quantile.tau == tau, "{quantile:?}");
    }
    assert!(matches!(fitted.network.members[0].noise[2], Noise::Quantile(_)));
}

#[test]
fn levels_of_a_category_are_embedded() {
    // Twelve levels, of which the response knows two numbers alone.
    let mut random = Random(4);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..1500 {
        let level = (12.0 * random.uniform()) as usize;
        x.push(random.normal());
        x.extend((1..12).map(|k| f64::from(u8::from(k == level))));
        y.push(((level % 4) as f64) * x[x.len() - 12] + (level / 4) as f64 + 0.1 * random.normal());
    }
    let plan = Plan { embeddings: vec![Embedding { inputs: 1..12, width: 2 }], hidden: vec![32], ..small() };
    let fitted = training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap();
    assert_eq!(fitted.network.architecture.layers()[0].inputs, 3);
    assert!(fitted.validation.unwrap()[0].r_squared.unwrap() > 0.95);
}

#[test]
fn conformal_intervals_hold_what_they_promise_around_a_poor_network() {
    let (x, y) = curve(3000);
    let (train, test) = (1000, 2000);
    let mut plan = Plan { models_scale: true, hidden: vec![4], ..small() };
    plan.training.epochs = 3;
    for method in [Scheme::Split, Scheme::CvPlus] {
        let how = conformal::Plan { method, folds: 5, ..conformal::Plan::default() };
        let rows = source(&x[..train], &y[..train]);
        let (fitted, conformal) = training::fit_conformal(&rows, &[Noise::Gaussian], &plan, &how, None, &()).unwrap();
        let conformal = conformal.unwrap();
        let seen = fitted.training[0].nobs + fitted.validation.as_ref().unwrap()[0].nobs;
        assert_eq!(seen, if method == Scheme::Split { 750 } else { 1000 });
        let design = [Values::from(&x[train..])];
        let ends = conformal.intervals(&NewRows::new(&design, test), 0.9).unwrap();
        let inside = (0..test).filter(|&i| (ends.low[i]..=ends.high[i]).contains(&y[train + i])).count();
        let share = inside as f64 / test as f64;
        // Three standard errors of 250 and of 2000 rows.
        assert!((0.85..0.96).contains(&share), "{method}: {share}");
    }
    let how = conformal::Plan { method: Scheme::JackknifePlus, ..conformal::Plan::default() };
    let error = training::fit_conformal(&source(&x, &y), &[Noise::Gaussian], &plan, &how, None, &()).unwrap_err();
    assert!(error.to_string().contains("cv+"), "{error}");
}

#[test]
fn what_explodes_says_when_and_why() {
    let (x, y) = curve(200);
    let mut plan = small();
    plan.solver =
        Solver::Steps { method: Steps::Sgd { momentum: 0.0, nesterov: false }, batch: Some(32), shuffle: true };
    plan.training.rate = 1e3;
    let error = training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap_err().to_string();
    assert!(error.contains("in epoch 1") && error.contains("learning rate 1000 is too large"), "{error}");
    let mut wild = x.clone();
    wild[40] = 1e9;
    let fitted = training::fit(&source(&wild, &y), &[Noise::Gaussian], &small(), None, &()).unwrap();
    assert!(
        fitted.warnings.iter().any(|w| w.to_string().contains("x1 has a value 13 standard deviations")),
        "{:?}",
        fitted.warnings
    );
    // A column that does not vary has no part, whatever it is elsewhere; and no digit is lost on tiny units.
    let constant: Vec<f64> = x.iter().flat_map(|x| [*x, 5.0]).collect();
    let fitted = training::fit(&source(&constant, &y), &[Noise::Gaussian], &small(), None, &()).unwrap();
    assert!(fitted.warnings.contains(&Warning::Constant { column: "x2".to_owned() }), "{:?}", fitted.warnings);
    let at = |k: f64| {
        let design = [[55.0], [k]];
        let design = [Values::from(&design[0][..]), Values::from(&design[1][..])];
        fitted.network.predict(&NewRows::new(&design, 1)).location(0)[0]
    };
    assert_eq!(at(5.0), at(100.0));
    let tiny: Vec<f64> = y.iter().map(|y| y * 1e-160).collect();
    let error = training::fit(&source(&x, &tiny), &[Noise::Gaussian], &small(), None, &()).unwrap_err();
    assert!(matches!(error, Error::Range { .. }), "{error}");
    // A level that two rows have is none.
    let rare: Vec<f64> = x.iter().enumerate().flat_map(|(i, x)| [*x, f64::from(u8::from(i == 40))]).collect();
    let fitted = training::fit(&source(&rare, &y), &[Noise::Gaussian], &small(), None, &()).unwrap();
    assert!(!fitted.warnings.iter().any(|w| matches!(w, Warning::FarValue { .. })), "{:?}", fitted.warnings);
    // What is fitted exactly has no scale, and its file can be read.
    let constant = vec![5.0; 200];
    let linear = Plan { validation: 0.0, ..linear_plan(Solver::Lbfgs, 1.0, Schedule::Constant, 5) };
    let fitted =
        training::fit(&source(&x, &constant), &[Noise::Huber(Huber::fixed(10.0))], &linear, None, &()).unwrap();
    let text = serde_json::to_string(&fitted.network).unwrap();
    assert_eq!(serde_json::from_str::<network::Network>(&text).unwrap(), fitted.network);
    assert_eq!((fitted.network.members[0].scale[0], fitted.training[0].mean_nll), (0.0, None));
    let levels = Noises::quantiles(&[0.9, 0.1]);
    assert!(training::fit(&source(&x, &y), &levels, &small(), None, &()).is_err());
    let refused = [
        (Plan { dropout: 1.0, ..small() }, "dropout"),
        (Plan { validation: 0.95, ..small() }, "validation"),
        (Plan { members: 0, ..small() }, "number of networks"),
        (Plan { solver: Solver::Lbfgs, dropout: 0.5, ..small() }, "lbfgs"),
    ];
    for (plan, word) in refused {
        let error = training::fit(&source(&x, &y), &[Noise::Gaussian], &plan, None, &()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_search_finds_a_plan_and_goes_on_where_it_was_stopped() {
    let (x, y) = curve(300);
    let rows = source(&x, &y).with_threads(2);
    // A rate with which nothing is learned in so few epochs.
    let mut plan = Plan { validation: 0.0, ..small() };
    plan.training.rate = 1e-6;
    plan.training.patience = None;
    let space = training::Space { trials: 6, hidden: true, rate: true, decay: true };
    let made = Mutex::new(Vec::new());
    let keep = |trial: &training::Trial| {
        made.lock().unwrap().push(trial.clone());
        Ok(())
    };
    let (best, trials) = training::tune(&rows, &[Noise::Gaussian], &plan, space, &[], &(), &keep).unwrap();
    assert!(best.training.rate > 1e-5 && best.training.epochs == 60);
    assert_eq!(made.lock().unwrap().len(), trials.len());
    let score = |trial: &training::Trial| trial.log_score.unwrap();
    let winner = trials.iter().filter(|trial| trial.epochs == 60).max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
    assert_eq!((winner.rate, &winner.hidden), (best.training.rate, &best.hidden));
    // Known trials are not made again.
    let known = trials[..4].to_vec();
    made.lock().unwrap().clear();
    let again = training::tune(&rows, &[Noise::Gaussian], &plan, space, &known, &(), &keep).unwrap();
    assert_eq!(again, (best, trials.clone()));
    assert_eq!(made.lock().unwrap().len(), trials.len() - 4);
}
