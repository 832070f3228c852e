//! Noise models side by side, against what single fits and naive loops give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::compare::{Candidate, Candidates, Comparison, Options, choose, compare, judge};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::noise::{Gaussian, Laplace, Noise, NoiseFamily, StudentT};
use noisefit_core::numeric::distribution::{ChiSquared, Distribution};
use noisefit_core::record::{Fit, SmallSample, Warning};
use noisefit_core::rows::{
    Accumulator, Block, Design, Folds, Matrix, MemoryRows, Part, RowSource, RowSourceExt, Values,
};
use noisefit_core::{estimate, inference};
use serde::{Deserialize, Serialize};

/// Uniform numbers of a fixed seed.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn draw(&mut self, family: &dyn NoiseFamily) -> f64 {
        family.sample(self.next())
    }
}

/// Rows in memory of their own.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Rows {
    y: Vec<f64>,
    /// Row by row, one column.
    x: Vec<f64>,
    w: Vec<f64>,
    f: Vec<f64>,
}

impl Rows {
    /// `y = 1 + 2 x + s(x) R / sqrt(w)`.
    fn draw(count: usize, seed: u64, family: &dyn NoiseFamily, scale: impl Fn(f64) -> f64) -> Self {
        let (mut uniform, mut rows) = (Uniform(seed), Rows::default());
        for i in 0..count {
            let x = 2.0 * uniform.next() - 1.0;
            let w = 0.5 + uniform.next();
            rows.x.push(x);
            rows.w.push(w);
            rows.f.push(1.0 + (i % 3) as f64);
            rows.y.push(1.0 + 2.0 * x + scale(x) * uniform.draw(family) / w.sqrt());
        }
        rows
    }

    /// Without weights.
    fn plain(&self) -> MemoryRows<'_> {
        let design = Matrix::column_major(&self.x, self.y.len(), 1).unwrap();
        MemoryRows::new(&self.y, design).unwrap().with_scale_design(design, &["x1"]).unwrap()
    }

    fn weighted(&self) -> MemoryRows<'_> {
        self.plain().with_weights(&self.w).unwrap().with_frequencies(&self.f).unwrap()
    }

    fn without_scale(&self) -> MemoryRows<'_> {
        let design = Matrix::column_major(&self.x, self.y.len(), 1).unwrap();
        let rows = MemoryRows::new(&self.y, design).unwrap();
        rows.with_weights(&self.w).unwrap().with_frequencies(&self.f).unwrap()
    }

    /// Some of the rows of a source, materialised.
    fn part(source: &dyn RowSource, folds: Folds, part: Part) -> Self {
        folds.select(source, part).pass(Collect(Rows::default())).unwrap().0
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Collect(Rows);

impl Accumulator for Collect {
    const KIND: &'static str = "collect";
    fn fold(&mut self, block: &Block<'_>) {
        self.0.y.extend(block.response.high);
        self.0.x.extend(block.design.first().unwrap());
        self.0.w.extend(block.weights.unwrap());
        self.0.f.extend(block.frequencies.unwrap());
    }
    fn merge(&mut self, later: Self) {
        self.0.y.extend(later.0.y);
        self.0.x.extend(later.0.x);
        self.0.w.extend(later.0.w);
        self.0.f.extend(later.0.f);
    }
    fn rows(&self) -> u64 {
        self.0.y.len() as u64
    }
}

/// As the estimators have it, which is what is compared.
fn classical(candidate: &Candidate) -> inference::Options {
    let counted = candidate.noise == Noise::Gaussian && !candidate.models_scale;
    let small_sample = if counted { SmallSample::Corrected } else { SmallSample::None };
    inference::Options { vcov: Vcov::CLASSICAL, small_sample, ..inference::Options::default() }
}

fn fit(rows: &Rows, candidate: &Candidate) -> Fit {
    let fits = match candidate.models_scale {
        true => inference::fit(&rows.weighted(), &[candidate.noise], &classical(candidate)),
        false => inference::fit(&rows.without_scale(), &[candidate.noise], &classical(candidate)),
    };
    fits.unwrap().remove(0)
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs();
    assert!(error <= tolerance * expected.abs().max(1e-6), "{found} where {expected} was expected");
}

fn entry<'a>(comparison: &'a Comparison, name: &str) -> &'a noisefit_core::compare::Entry {
    comparison.models.iter().find(|entry| entry.candidate.to_string() == name).unwrap()
}

#[test]
fn likelihoods_and_criteria_are_those_of_single_fits() {
    let rows = Rows::draw(120, 3, &Laplace, |x| (0.5 * x).exp());
    let comparison = judge(&rows.weighted(), &Candidate::all(true), &estimate::Options::default()).unwrap();
    assert_eq!(comparison.models.len(), 7);
    let n = rows.f.iter().sum::<f64>();
    // Two coefficients, the scale's one or two, and the degrees of freedom.
    let parameters = |name: &str| 3 + usize::from(name.ends_with("+scale")) + usize::from(name.starts_with("student"));
    let mut weights = 0.0;
    for entry in &comparison.models {
        let alone = fit(&rows, &entry.candidate);
        let k = parameters(&entry.candidate.to_string());
        assert_eq!(entry.parameters, k, "{}", entry.candidate);
        let (l, k) = (entry.log_likelihood.unwrap(), k as f64);
        close(l, alone.log_likelihood().unwrap(), 1e-12);
        close(entry.aic.unwrap(), -2.0 * l + 2.0 * k, 1e-14);
        close(entry.aicc.unwrap(), -2.0 * l + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0), 1e-14);
        close(entry.bic.unwrap(), -2.0 * l + k * n.ln(), 1e-14);
        weights += entry.akaike_weight.unwrap();
        let first = &comparison.models.iter().map(|entry| entry.aic.unwrap()).fold(f64::INFINITY, f64::min);
        let best = comparison.models.iter().map(|entry| entry.akaike_weight.unwrap()).fold(0.0, f64::max);
        close(entry.akaike_weight.unwrap(), best * (-0.5 * (entry.aic.unwrap() - first)).exp(), 1e-12);
    }
    close(weights, 1.0, 1e-14);
    assert!(comparison.models.is_sorted_by_key(|entry| entry.bic.unwrap()));
}

/// `2 n^(2/5)` of 180 observations.
const PARTS: usize = 15;

/// What a naive loop over materialised folds scores.
#[derive(Default)]
struct Naive {
    log_scores: Vec<f64>,
    crps: f64,
    covered: f64,
    bins: [f64; PARTS],
}

fn naive(source: &dyn RowSource, folds: Folds, candidate: &Candidate) -> Naive {
    let mut naive = Naive::default();
    for part in 0..folds.count {
        let fit = fit(&Rows::part(source, folds, Part::Without(part)), candidate);
        let test = Rows::part(source, folds, Part::Only(part));
        let family = fit.noise.family();
        let column = [Values::from(&test.x[..])];
        let scale_design = if candidate.models_scale { Design::from(&column) } else { Design::default() };
        let new = NewRows { scale_design, weights: Some(&test.w), ..NewRows::new(&column, test.y.len()) };
        let predictor = Predictor::new(&fit).unwrap();
        let interval = predictor.intervals(&new, IntervalKind::Prediction, 0.9).unwrap();
        let value = |row: usize| fit.location.rows[row].estimate.unwrap();
        for i in 0..test.y.len() {
            let (x, y, f) = (test.x[i], test.y[i], test.f[i]);
            let log_scale = match fit.scale.coefficients() {
                [] => fit.scale.common().unwrap().ln(),
                [a, b] => a.estimate.unwrap() + b.estimate.unwrap() * x,
                _ => panic!(),
            };
            let scale = log_scale.exp() / test.w[i].sqrt();
            let r = (y - value(0) - value(1) * x) / scale;
            let log_score = -family.negative_log_density(r) - scale.ln();
            (0..f as usize).for_each(|_| naive.log_scores.push(log_score));
            naive.crps += f * scale * family.crps(r);
            naive.covered += if interval.low[i] <= y && y <= interval.high[i] { f } else { 0.0 };
            // The ends of prediction intervals of all levels that leave whole parts outside, and the median.
            let ends = |outside: usize| {
                let level = 1.0 - 2.0 * outside as f64 / PARTS as f64;
                let own = predictor.intervals(&new, IntervalKind::Prediction, level).unwrap();
                [own.low[i], own.high[i]]
            };
            let outside = 1..PARTS.div_ceil(2);
            let below = outside.flat_map(ends).filter(|end| *end < y).count();
            let median = usize::from(PARTS.is_multiple_of(2) && value(0) + value(1) * x < y);
            naive.bins[below + median] += f;
        }
    }
    naive
}

fn mean_and_error(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn scores_are_those_of_a_naive_loop_over_materialised_folds() {
    let rows = Rows::draw(90, 11, &StudentT::new(4.0), |x| (0.8 * x).exp());
    let source = rows.weighted();
    let mut options = Options { folds: 4, ..Options::default() };
    options.fit.seed = 5;
    let comparison = compare(&source, &Candidate::all(true), &options).unwrap();
    assert_eq!((comparison.folds, comparison.seed), (4, 5));
    let folds = Folds { count: 4, seed: 5 };
    let all: Vec<Naive> = comparison.models.iter().map(|entry| naive(&source, folds, &entry.candidate)).collect();
    let n = rows.f.iter().sum::<f64>();
    let means: Vec<f64> = all.iter().map(|naive| mean_and_error(naive.log_scores.iter().copied()).0).collect();
    let best = (0..means.len()).max_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap();
    for (entry, naive) in comparison.models.iter().zip(&all) {
        let scores = entry.out_of_sample.as_ref().unwrap();
        let (mean, error) = mean_and_error(naive.log_scores.iter().copied());
        // The fits agree to the rounding of sums in another order.
        close(scores.log_score, mean, 1e-8);
        close(scores.log_score_std_error, error, 1e-7);
        let pairs = naive.log_scores.iter().zip(&all[best].log_scores).map(|(own, other)| own - other);
        let (mean, error) = mean_and_error(pairs);
        assert!((scores.log_score_difference - mean).abs() < 1e-8, "{}", entry.candidate);
        assert!((scores.log_score_difference_std_error - error).abs() < 1e-8, "{}", entry.candidate);
        close(scores.crps.unwrap(), naive.crps / n, 1e-8);
        close(scores.coverage, naive.covered / n, 1e-12);
        for (found, expected) in scores.pit.iter().zip(&naive.bins) {
            assert!((found - expected / n).abs() < 1e-12, "{}", entry.candidate);
        }
        let expected = n / PARTS as f64;
        let statistic: f64 = naive.bins.iter().map(|count| (count - expected).powi(2) / expected).sum();
        // Location, scale, and degrees of freedom where these are estimated.
        let estimated = if entry.candidate.noise.to_string() == "student-t" { 3.0 } else { 2.0 };
        let df = PARTS as f64 - 1.0 - estimated;
        close(scores.pit_p_value.unwrap(), ChiSquared::new(df).unwrap().survival(statistic), 1e-9);
    }
    let [first, second] = [0, 1].map(|i: usize| &comparison.models[i].candidate);
    let pairs = all[0].log_scores.iter().zip(&all[1].log_scores).map(|(own, other)| own - other);
    let (mean, error) = mean_and_error(pairs);
    let difference = comparison.difference(first, second).unwrap();
    assert!((difference.log_score - mean).abs() < 1e-8 && (difference.std_error - error).abs() < 1e-8);
    assert_eq!(comparison.difference(second, first).unwrap().log_score, -difference.log_score);
}

#[test]
fn what_speaks_against_the_preferred_model_is_found() {
    let candidates = Candidate::all(false);
    let look = |y: Vec<f64>| {
        let mut uniform = Uniform(3);
        let x: Vec<f64> = y.iter().map(|_| uniform.next()).collect();
        let rows = MemoryRows::new(&y, Matrix::column_major(&x, y.len(), 1).unwrap()).unwrap();
        let chosen = choose(&rows, &candidates, &Options::default()).unwrap();
        let pit = chosen.preferred().unwrap().out_of_sample.as_ref().unwrap().pit_p_value.unwrap();
        // As a comparison that scores all models has it.
        let compared = compare(&rows, &candidates, &Options::default()).unwrap();
        assert_eq!(compared.preferred().unwrap().out_of_sample.as_ref().unwrap().pit_p_value, Some(pit));
        assert_eq!(compared.scrutiny, chosen.scrutiny);
        assert!(chosen.models.iter().filter(|entry| entry.out_of_sample.is_some()).count() == 1);
        (pit, chosen.scrutiny.unwrap())
    };
    let draws = |seed: u64| {
        let mut uniform = Uniform(seed);
        (0..600).map(move |_| uniform.draw(&Gaussian)).collect::<Vec<f64>>()
    };
    let (pit, sound) = look(draws(1));
    assert!(pit > 0.01 && sound.asymmetry.unwrap().p_value > 0.01 && sound.dependence.unwrap().p_value > 0.01);
    assert_eq!((sound.distinct_values, sound.spike), (None, None));
    assert_eq!(sound.least_response, draws(1).into_iter().fold(f64::INFINITY, f64::min));
    // Uniform noise: none of the families is.
    let mut uniform = Uniform(2);
    assert!(look((0..600).map(|_| uniform.next()).collect()).0 < 1e-4);
    // Skewed; each row like the one before; steps; zeros.
    let (_, skewed) = look(draws(3).into_iter().map(|z| (0.6 * z).exp()).collect());
    assert!(skewed.asymmetry.is_some_and(|found| found.p_value < 1e-6 && found.quantile_skewness > 0.2));
    let mut last = 0.0;
    let (_, dependent) = look(draws(4).into_iter().map(|z| (last = 0.5 * last + z, last).1).collect());
    assert!(dependent.dependence.is_some_and(|found| found.p_value < 1e-16 && found.correlation > 0.3));
    let (_, steps) = look(draws(5).into_iter().map(|z| z.clamp(-2.0, 2.0).round()).collect());
    assert_eq!(steps.distinct_values, Some(5));
    let (_, zeros) = look(draws(6).into_iter().map(|z| z.max(-0.5)).collect());
    assert!(zeros.spike.is_some_and(|spike| spike.value == -0.5 && (spike.share - 0.309).abs() < 0.05));
}

#[test]
fn threads_change_nothing() {
    let rows = Rows::draw(40_000, 2, &Laplace, |_| 1.0);
    let candidates: Candidates = "gaussian,laplace".parse().unwrap();
    let options = Options { folds: 2, ..Options::default() };
    let text = |threads: usize| {
        let mut comparison = compare(&rows.plain().with_threads(threads), &candidates.0, &options).unwrap();
        comparison.models.iter_mut().for_each(|entry| entry.seconds = None);
        serde_json::to_string(&comparison).unwrap()
    };
    assert_eq!(text(1), text(3));
}

#[test]
fn the_true_noise_is_named() {
    let judged = |rows: &Rows| {
        let source = rows.plain().with_weights(&rows.w).unwrap();
        let comparison = judge(&source, &Candidate::all(true), &estimate::Options::default()).unwrap();
        comparison.judgement.unwrap().preferred.to_string()
    };
    let student = StudentT::new(3.0);
    for seed in [1, 2, 3] {
        let draw = |family: &dyn NoiseFamily| Rows::draw(2000, seed, family, |_| 1.0);
        assert_eq!(judged(&draw(&Gaussian)), "gaussian");
        assert_eq!(judged(&draw(&Laplace)), "laplace");
        assert_eq!(judged(&draw(&student)), "student-t");
        let uneven = Rows::draw(2000, seed, &Gaussian, |x| (0.5 * x).exp());
        assert_eq!(judged(&uneven), "gaussian+scale");
    }
}

#[test]
fn what_speaks_for_it_is_found() {
    // Noise that grows by a factor of e^2 from one end to the other, and three gross errors.
    let mut rows = Rows::draw(300, 8, &Gaussian, |x| (1.0 * x).exp());
    for (place, by) in [(17, 60.0), (120, -75.0), (255, 50.0)] {
        rows.y[place] += by;
    }
    let comparison = compare(&rows.plain(), &Candidate::all(true), &Options::default()).unwrap();
    assert_eq!(comparison.judgement.as_ref().unwrap().preferred.to_string(), "student-t+scale");
    let advice = comparison.advice.as_ref().unwrap();
    let outliers = advice.outliers.as_ref().unwrap();
    let mut found: Vec<u64> = outliers.rows.iter().take(3).map(|row| row.row).collect();
    found.sort_unstable();
    assert_eq!(found, [17, 120, 255]);
    let variance = advice.variance.as_ref().unwrap();
    assert_eq!(variance.term, "x1");
    // The regressor is uniform: its 10% and 90% points are -0.8 and 0.8.
    assert!((variance.from + 0.8).abs() < 0.1 && (variance.to - 0.8).abs() < 0.1);
    let fit = comparison.preferred().unwrap().fit.as_ref().unwrap();
    let slope = fit.scale.coefficients()[1].estimate.unwrap();
    close(variance.factor, (slope * (variance.to - variance.from)).exp(), 1e-14);
    assert!((3.0..8.0).contains(&variance.factor), "{}", variance.factor);
    assert!(advice.kurtosis.unwrap() > 10.0);
    let gaussian = entry(&comparison, "gaussian").fit.as_ref().unwrap();
    let shift = advice.coefficients.iter().find(|shift| shift.term == "x1").unwrap();
    let [plain, own] = [gaussian, fit].map(|fit| &fit.location.rows[1]);
    let error = shift.preferred_std_error.unwrap();
    close(shift.shift.unwrap(), (plain.estimate.unwrap() - own.estimate.unwrap()) / error, 1e-14);
    // With what few rows make of that of maximum likelihood.
    let by_likelihood = own.std_error.unwrap();
    assert!(error > by_likelihood && error < 1.1 * by_likelihood, "{error} {by_likelihood}");
    let sizes: Vec<f64> = advice.coefficients.iter().map(|shift| shift.shift.unwrap().abs()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b));
}

#[test]
fn rows_that_stand_apart_are_those_above_the_widest_gap() {
    // Four gross errors of about 40, one of 8, and the noise.
    let mut rows = Rows::draw(200, 21, &Gaussian, |_| 1.0);
    for (place, by) in [(5, 40.0), (60, -42.0), (61, 45.0), (199, -39.0), (100, 8.0)] {
        rows.y[place] += by;
    }
    let comparison =
        compare(&rows.plain(), &Candidate::all(false), &Options { folds: 0, ..Options::default() }).unwrap();
    let outliers = comparison.advice.unwrap().outliers.unwrap();
    assert!(outliers.beyond >= 5);
    assert_eq!(outliers.apart, Some(4));
    let farthest: Vec<u64> = outliers.rows[..5].iter().map(|row| row.row).collect();
    assert_eq!(farthest, [61, 60, 5, 199, 100]);
}

#[test]
fn kurtosis_is_the_fourth_moment_over_the_squared_second() {
    let rows = Rows::draw(70, 4, &Laplace, |_| 1.0);
    let comparison =
        compare(&rows.plain(), &Candidate::all(false), &Options { folds: 0, ..Options::default() }).unwrap();
    let fit = entry(&comparison, "gaussian").fit.as_ref().unwrap();
    let [a, b] = [0, 1].map(|row: usize| fit.location.rows[row].estimate.unwrap());
    let errors: Vec<f64> = rows.y.iter().zip(&rows.x).map(|(y, x)| y - a - b * x).collect();
    let moment = |power: i32| errors.iter().map(|e| e.powi(power)).sum::<f64>() / 70.0;
    close(comparison.advice.unwrap().kurtosis.unwrap(), moment(4) / moment(2).powi(2), 1e-12);
    assert!(comparison.models.iter().all(|entry| entry.out_of_sample.is_none()));
    assert_eq!(comparison.folds, 0);
}

#[test]
fn too_few_rows_for_the_folds() {
    let rows = Rows::draw(9, 1, &Gaussian, |_| 1.0);
    let run = |count: usize, folds: usize| {
        let rows = Rows { y: rows.y[..count].to_vec(), x: rows.x[..count].to_vec(), ..Rows::default() };
        let candidates: Candidates = "gaussian,laplace".parse().unwrap();
        compare(&rows.plain(), &candidates.0, &Options { folds, ..Options::default() }).unwrap()
    };
    let comparison = run(9, 20);
    assert_eq!(
        (comparison.folds, &comparison.warnings[..]),
        (9, &[Warning::FewerFolds { folds: 9, asked: 20, rows: 9 }][..])
    );
    assert!(comparison.models.iter().all(|entry| entry.out_of_sample.is_some()));
    let comparison = run(5, 5);
    assert_eq!(comparison.folds, 0);
    assert!(
        matches!(comparison.warnings[..], [Warning::NoCrossValidation { rows: 5, .. }]),
        "{:?}",
        comparison.warnings
    );
}

#[test]
fn rows_without_residuals_prefer_nothing() {
    let x: Vec<f64> = (0..8).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| 3.0 - 0.5 * x).collect();
    let rows = MemoryRows::new(&y, Matrix::column_major(&x, 8, 1).unwrap()).unwrap();
    let comparison = compare(&rows, &Candidate::all(false), &Options::default()).unwrap();
    assert!(comparison.judgement.is_none() && comparison.advice.is_none());
    assert!(comparison.models.iter().all(|entry| !entry.may_win() && entry.note.is_some()));
}

#[test]
fn a_likelihood_without_bound_cannot_win() {
    // Half of the responses are the same: Student's t can shrink to them.
    let x: Vec<f64> = (0..24).map(f64::from).collect();
    let y: Vec<f64> = (0..24).map(|i| if i % 2 == 0 { 5.0 } else { 5.0 + (f64::from(i) * 2.3).sin() }).collect();
    let rows = MemoryRows::new(&y, Matrix::column_major(&x, 24, 1).unwrap()).unwrap();
    let comparison = compare(&rows, &Candidate::all(false), &Options::default()).unwrap();
    let student = entry(&comparison, "student-t");
    assert!(!student.may_win() && student.akaike_weight.is_none());
    assert!(student.note.as_ref().unwrap().starts_with("the likelihood has no bound"), "{:?}", student.note);
    assert_ne!(comparison.judgement.unwrap().preferred.to_string(), "student-t");
}

#[test]
fn what_does_not_compare_is_refused() {
    let refusal = |text: &str| text.parse::<Candidates>().unwrap_err().to_string();
    assert!(refusal("gaussian,quantile:0.1,0.5").contains("not comparable"));
    assert!(refusal("huber+scale").contains("cannot be modelled"));
    assert!(refusal("gaussian,weibull").starts_with("no noise family 'weibull'"));
    let list: Candidates = "gaussian, student-t:4+scale,huber:2,gaussian".parse().unwrap();
    let names: Vec<String> = list.0.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["gaussian", "student-t:4+scale", "huber:2"]);
}
