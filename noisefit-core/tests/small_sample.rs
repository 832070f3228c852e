//! What few rows do to standard errors and intervals: against definitions computed naively here, Welch's test, and simulation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::needless_range_loop)]

mod common;

use common::{close, close_all, near, std_errors};
use noisefit_core::estimate;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::{self, Options, profile};
use noisefit_core::noise::{Noise, Noises, StudentT};
use noisefit_core::numeric::distribution::{self, Distribution, Normal, Symmetric};
use noisefit_core::record::{Fit, Reference, SmallSample, Warning};
use noisefit_core::rows::{Matrix, MemoryRows};

/// Numbers in 0..1 that look random (Knuth's linear congruential generator).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        Normal.quantile(self.uniform())
    }
}

/// Rows of two columns, and responses.
struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    /// The first column.
    first: Vec<f64>,
}

impl Data {
    fn new(seed: u64, count: usize) -> Self {
        let mut random = Random(seed);
        let x: Vec<f64> = (0..2 * count).map(|_| random.normal()).collect();
        let first: Vec<f64> = x.iter().step_by(2).copied().collect();
        let y = x.chunks(2).map(|x| 1.0 + 2.0 * x[0] - x[1] + (0.4 * x[0]).exp() * random.normal()).collect();
        Data { x, y, first }
    }

    fn rows(&self) -> MemoryRows<'_> {
        MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), 2).unwrap()).unwrap()
    }

    /// With a modelled scale: of a constant alone, or of the first column, too.
    fn scaled(&self, columns: usize) -> MemoryRows<'_> {
        let design =
            Matrix::row_major(if columns == 0 { &[] } else { &self.first[..] }, self.y.len(), columns).unwrap();
        self.rows().with_scale_design(design, &["x1"][..columns]).unwrap()
    }
}

fn fit(rows: &MemoryRows<'_>, noise: &str, small_sample: SmallSample) -> Fit {
    let options = Options { small_sample, ..Options::default() };
    inference::fit(rows, &noise.parse::<Noises>().unwrap(), &options).unwrap().remove(0)
}

fn variances(fit: &Fit) -> Vec<f64> {
    std_errors(fit).iter().map(|se| se * se).collect()
}

#[test]
fn one_convention_for_every_family() {
    let data = Data::new(3, 20);
    for noise in ["gaussian", "laplace", "logistic", "huber", "cauchy", "student-t:5", "student-t", "quantile:0.5"] {
        let (with, without) =
            (fit(&data.rows(), noise, SmallSample::Corrected), fit(&data.rows(), noise, SmallSample::None));
        let expected: Vec<f64> = variances(&without).iter().map(|variance| variance * 20.0 / 17.0).collect();
        close_all(&variances(&with), &expected, 1e-12, noise);
        near(with.covariance.small_sample_factor, 20.0 / 17.0, 1e-15);
        assert_eq!((with.covariance.reference, without.covariance.reference), (Reference::StudentT, Reference::Normal));
        assert_eq!((with.scale.common(), with.likelihood), (without.scale.common(), without.likelihood), "{noise}");
        assert_eq!(with.coef(), without.coef());
        let (t, z) = (distribution::StudentT::new(17.0).unwrap().critical(0.95), Normal.critical(0.95));
        for (row, plain) in with.location.rows.iter().zip(&without.location.rows) {
            let (b, se) = (row.estimate.unwrap(), row.std_error.unwrap());
            near(row.conf_high.unwrap() - b, t * se, 1e-10);
            near(plain.conf_high.unwrap() - b, z * plain.std_error.unwrap(), 1e-10);
            assert_eq!((row.df, plain.df), (Some(17.0), None));
        }
        assert_eq!(with.confint(0.95).unwrap()[1].unwrap().1, with.location.rows[1].conf_high.unwrap());
    }
}

#[test]
fn a_scale_of_a_constant_is_one_scale() {
    let data = Data::new(5, 18);
    for noise in ["gaussian", "logistic", "student-t:5", "cauchy"] {
        for small_sample in [SmallSample::Corrected, SmallSample::None] {
            let (one, modelled) = (fit(&data.rows(), noise, small_sample), fit(&data.scaled(0), noise, small_sample));
            close_all(&std_errors(&modelled), &std_errors(&one), 1e-8, noise);
            for (one, modelled) in one.location.rows.iter().zip(&modelled.location.rows) {
                close(modelled.conf_low.unwrap(), one.conf_low.unwrap(), 1e-7, noise);
                let (one, modelled) = (one.df.unwrap_or(0.0), modelled.df.unwrap_or(0.0));
                assert!((one - modelled).abs() < 1e-6, "{noise}: {one} and {modelled}");
            }
        }
    }
}

#[test]
fn two_groups_with_scales_of_their_own_are_welchs_test() {
    let mut random = Random(8);
    let (first, second): (Vec<f64>, Vec<f64>) =
        ((0..6).map(|_| random.normal()).collect(), (0..9).map(|_| 1.0 + 3.0 * random.normal()).collect());
    let moments = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n, n)
    };
    let ((mean, own, n), (other_mean, other, m)) = (moments(&first), moments(&second));
    let y = [first, second].concat();
    let group: Vec<f64> = (0..15).map(|i| f64::from(u8::from(i >= 6))).collect();
    let design = Matrix::row_major(&group, 15, 1).unwrap();
    let rows = MemoryRows::new(&y, design).unwrap().with_scale_design(design, &["group"]).unwrap();
    let found = &fit(&rows, "gaussian", SmallSample::Corrected).location.rows;
    near(found[1].statistic.unwrap(), (other_mean - mean) / (own + other).sqrt(), 1e-9);
    let df = (own + other).powi(2) / (own * own / (n - 1.0) + other * other / (m - 1.0));
    near(found[1].df.unwrap(), df, 1e-7);
    near(found[0].df.unwrap(), n - 1.0, 1e-7);
    near(found[0].std_error.unwrap(), own.sqrt(), 1e-9);
    let p = distribution::StudentT::new(df).unwrap().two_sided(found[1].statistic.unwrap());
    near(found[1].p_value.unwrap(), p, 1e-7);
}

/// A matrix by rows.
type Square = Vec<Vec<f64>>;

fn product(a: &Square, b: &Square) -> Square {
    let (n, m, l) = (a.len(), b[0].len(), b.len());
    (0..n).map(|i| (0..m).map(|j| (0..l).map(|k| a[i][k] * b[k][j]).sum()).collect()).collect()
}

/// By Gauss and Jordan.
fn inverted(matrix: &Square) -> Square {
    let n = matrix.len();
    let mut work: Square = (0..n)
        .map(|i| matrix[i].iter().copied().chain((0..n).map(|j| f64::from(u8::from(i == j)))).collect())
        .collect();
    for i in 0..n {
        let pivot = (i..n).max_by(|&a, &b| work[a][i].abs().total_cmp(&work[b][i].abs())).unwrap();
        work.swap(i, pivot);
        let row: Vec<f64> = work[i].iter().map(|v| v / work[i][i]).collect();
        for (k, other) in work.iter_mut().enumerate() {
            let factor = other[i];
            if k == i {
                other.clone_from(&row);
            } else {
                other.iter_mut().zip(&row).for_each(|(v, r)| *v -= factor * r);
            }
        }
    }
    work.into_iter().map(|row| row[n..].to_vec()).collect()
}

#[test]
fn a_modelled_scale_has_what_its_definition_says() {
    for (noise, location, log_scale) in
        [("gaussian", 1.0, 2.0), ("logistic", 1.0 / 3.0, (3.0 + std::f64::consts::PI.powi(2)) / 9.0)]
    {
        let data = Data::new(11, 24);
        let n = 24;
        let found = fit(&data.scaled(1), noise, SmallSample::Corrected);
        let g: Vec<f64> = found.scale.coefficients().iter().map(|row| row.estimate.unwrap()).collect();
        let x: Square = data.x.chunks(2).map(|x| vec![1.0, x[0], x[1]]).collect();
        let z: Square = data.first.iter().map(|&x| vec![1.0, x]).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let covariance = |q: &[f64]| {
            let d: Vec<f64> = z.iter().map(|z| location * (-2.0 * (dot(&g, z) + dot(q, z))).exp()).collect();
            let gram: Square =
                (0..3).map(|j| (0..3).map(|k| (0..n).map(|i| d[i] * x[i][j] * x[i][k]).sum()).collect()).collect();
            (inverted(&gram), d)
        };
        // The leverages are those of the fit; the correction by bisection in turn, coefficient after coefficient.
        let (c, d) = covariance(&[0.0, 0.0]);
        let h: Vec<f64> = (0..n).map(|i| d[i] * dot(&x[i], &product(&vec![x[i].clone()], &c)[0])).collect();
        let gap =
            |q: &[f64], a: usize| (0..n).map(|i| ((-2.0 * dot(q, &z[i])).exp() - (1.0 - h[i])) * z[i][a]).sum::<f64>();
        let mut q = vec![0.0, 0.0];
        for _ in 0..300 {
            for a in 0..2 {
                let (mut low, mut high) = (-3.0, 3.0);
                for _ in 0..60 {
                    q[a] = 0.5 * (low + high);
                    // Falls in its own coefficient.
                    if gap(&q, a) > 0.0 { low = q[a] } else { high = q[a] }
                }
            }
        }
        let (c, d) = covariance(&q);
        let whole: Square = (0..n)
            .map(|i| (0..n).map(|k| (d[i] * d[k]).sqrt() * dot(&x[i], &product(&vec![x[k].clone()], &c)[0])).collect())
            .collect();
        let restricted: Square = (0..2)
            .map(|a| {
                (0..2)
                    .map(|b| {
                        let own: f64 = (0..n).map(|i| z[i][a] * z[i][b] * (1.0 - 2.0 * whole[i][i])).sum();
                        let shared = (0..n).flat_map(|i| (0..n).map(move |k| (i, k)));
                        own + shared.map(|(i, k)| whole[i][k].powi(2) * z[i][a] * z[k][b]).sum::<f64>()
                    })
                    .collect()
            })
            .collect();
        let spread = inverted(&restricted);
        let moment = |weight: &dyn Fn(usize) -> f64| -> Square {
            let entry = |j: usize, k: usize| (0..n).map(|i| weight(i) * d[i] * x[i][j] * x[i][k]).sum::<f64>();
            (0..3).map(|j| (0..3).map(|k| entry(j, k)).collect()).collect()
        };
        let mut inner = vec![vec![0.0; 3]; 3];
        for a in 0..2 {
            for b in 0..2 {
                // Q_ab - P_a C P_b of Kenward and Roger.
                let q_ab = moment(&|i| 4.0 * z[i][a] * z[i][b]);
                let (p_a, p_b) = (moment(&|i| 2.0 * z[i][a]), moment(&|i| 2.0 * z[i][b]));
                let pcp = product(&p_a, &product(&c, &p_b));
                for j in 0..3 {
                    for k in 0..3 {
                        inner[j][k] += spread[a][b] / log_scale * (q_ab[j][k] - pcp[j][k]);
                    }
                }
            }
        }
        let added = product(&c, &product(&inner, &c));
        for j in 0..3 {
            close(found.location.rows[j].std_error.unwrap().powi(2), c[j][j] + 2.0 * added[j][j], 1e-7, noise);
            let slope = |a: usize| 2.0 * product(&c, &product(&moment(&|i| z[i][a]), &c))[j][j];
            let uncertain: f64 = (0..4).map(|k| slope(k / 2) * slope(k % 2) * spread[k / 2][k % 2] / 2.0).sum();
            let df = (2.0 * c[j][j].powi(2) / uncertain).clamp(1.0, 21.0);
            close(found.location.rows[j].df.unwrap(), df, 1e-6, noise);
        }
    }
}

#[test]
fn profile_intervals_count_the_degrees_of_freedom() {
    let data = Data::new(13, 16);
    for noise in ["gaussian", "logistic", "laplace"] {
        let mut corrected = fit(&data.rows(), noise, SmallSample::Corrected);
        let wald = corrected.location.rows[1].clone();
        profile::intervals(&data.rows(), &mut corrected, &estimate::Options::default()).unwrap();
        let mut plain = fit(&data.rows(), noise, SmallSample::None);
        profile::intervals(&data.rows(), &mut plain, &estimate::Options::default()).unwrap();
        let (wide, narrow) = (&corrected.location.rows[1], &plain.location.rows[1]);
        assert!(wide.conf_low < narrow.conf_low && narrow.conf_high < wide.conf_high, "{noise}");
        if noise == "gaussian" {
            // Student's own interval.
            near(wide.conf_low.unwrap(), wald.conf_low.unwrap(), 1e-12);
            near(wide.conf_high.unwrap(), wald.conf_high.unwrap(), 1e-12);
            let c = Normal.critical(0.95);
            // n ln(SSE(b) / SSE) = c^2, with SSE(b) = SSE (1 + (b - b^)^2 / (n se^2)) of the standard error of maximum likelihood.
            let margin = narrow.std_error.unwrap() * (16.0 * ((c * c / 16.0).exp() - 1.0)).sqrt();
            near(narrow.conf_high.unwrap() - narrow.estimate.unwrap(), margin, 1e-10);
        }
    }
}

#[test]
fn students_degrees_of_freedom_stay_clear_of_where_the_likelihood_has_no_bound() {
    // Sixty rows, fifteen columns, standard normal noise: the likelihood is largest at half a degree of freedom, next to fits
    // through fifteen rows.
    let (mut held, mut all) = (0, 0);
    for seed in 0..40 {
        let mut random = Random(1000 + seed);
        let x: Vec<f64> = (0..60 * 15).map(|_| random.normal()).collect();
        let y: Vec<f64> = x.chunks(15).map(|row| row.iter().sum::<f64>() + random.normal()).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, 60, 15).unwrap()).unwrap().with_threads(1);
        let found = fit(&rows, "student-t", SmallSample::Corrected);
        let least = StudentT::least_estimated(60.0, 16.0);
        near(least, (96.0_f64 / 44.0).powi(2), 1e-15);
        let Noise::StudentT(noise) = found.noise else { panic!("{}", found.noise) };
        assert!(noise.df() >= least * (1.0 - 1e-9), "{}", noise.df());
        let at_bound = noise.df() <= least * (1.0 + 1e-9);
        assert_eq!(at_bound, found.warnings.iter().any(|w| matches!(w, Warning::HeaviestTails { .. })));
        for row in &found.location.rows[1..] {
            held += i32::from(row.conf_low.unwrap() <= 1.0 && 1.0 <= row.conf_high.unwrap());
            all += 1;
        }
    }
    // 28% without a bound; 600 intervals are 90% to within 2.5%.
    assert!(f64::from(held) >= 0.9 * f64::from(all), "{held} of {all}");
}

#[test]
fn tails_of_which_few_rows_make_no_steady_errors_are_warned_of() {
    // Six of 24 responses far off: half a degree of freedom, where 12 p / (n - p) is 1.09. Of normal residuals there are more.
    let x: Vec<f64> = (0..24).map(f64::from).collect();
    let close: Vec<f64> = (0..24).map(|i| f64::from(i) + (f64::from(i) * 2.3).sin()).collect();
    let far: Vec<f64> =
        close.iter().enumerate().map(|(i, y)| if i < 6 { y + 100.0 + 20.0 * i as f64 } else { *y }).collect();
    let told = |y: &[f64], noise: &str| {
        let rows = MemoryRows::new(y, Matrix::column_major(&x, 24, 1).unwrap()).unwrap();
        let found = fit(&rows, noise, SmallSample::Corrected);
        found.warnings.iter().any(|warning| matches!(warning, Warning::FewForTails { .. }))
    };
    near(StudentT::least_steady(24.0, 2.0), 24.0 / 22.0, 1e-15);
    assert_eq!(StudentT::least_estimated(24.0, 2.0), 0.5);
    assert!(told(&far, "student-t") && told(&far, "student-t:1") && told(&far, "cauchy"));
    assert!(!told(&close, "student-t") && !told(&far, "student-t:1.2"));
}

#[test]
fn clusters_whose_sums_cancel_leave_no_variance() {
    // The sums of scores for the slope are zero in rationals.
    let (y, x) = ([1.0, 2.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0]);
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 4, 1).unwrap()).unwrap();
    let rows = rows.with_clusters("h", &[0, 1, 0, 1]).unwrap();
    let options = Options { vcov: "cluster:h".parse::<Vcov>().unwrap(), ..Options::default() };
    let found = inference::fit(&rows, &[Noise::Gaussian], &options).unwrap().remove(0);
    let slope = &found.location.rows[1];
    assert_eq!((slope.std_error, slope.statistic, slope.p_value), (Some(0.0), None, None));
    let named = |warning: &Warning| matches!(warning, Warning::NoVariance { terms, .. } if terms == std::slice::from_ref(&slope.term));
    assert!(found.warnings.iter().any(named), "{:?}", found.warnings);
    assert!(found.f_test.is_none());
}

#[test]
fn clusters_as_few_as_coefficients_have_a_covariance_of_their_rank() {
    let data = Data::new(17, 12);
    let ids: Vec<u64> = (0..12).map(|i| i % 3).collect();
    let rows = data.rows().with_clusters("g", &ids).unwrap();
    let options = Options { vcov: "cluster:g".parse::<Vcov>().unwrap(), ..Options::default() };
    let found = inference::fit(&rows, &[Noise::Gaussian], &options).unwrap().remove(0);
    // Three sums that the normal equations make cancel.
    let rank = found.warnings.iter().find_map(|warning| match warning {
        Warning::RankOfCovariance { rank, coefficients: 3, .. } => Some(*rank),
        _ => None,
    });
    assert_eq!(rank, Some(2), "{:?}", found.warnings);
    assert!(found.f_test.is_none());
}

#[test]
fn clusters_that_count_are_those_that_make_up_the_variance() {
    // Twelve clusters of ten rows, three of them treated: with rows that are alike the shares are (1/3)^2 and (1/9)^2.
    let mut random = Random(19);
    let treated: Vec<f64> = (0..120).map(|i| f64::from(u8::from(i / 10 < 3))).collect();
    let shift: Vec<f64> = (0..12).map(|_| random.normal()).collect();
    let y: Vec<f64> = (0..120).map(|i| shift[i / 10] + 0.5 * random.normal()).collect();
    let ids: Vec<u64> = (0..120).map(|i| i / 10).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&treated, 120, 1).unwrap()).unwrap();
    let rows = rows.with_clusters("g", &ids).unwrap();
    let options = Options { vcov: "cluster:g".parse::<Vcov>().unwrap(), ..Options::default() };
    let found = inference::fit(&rows, &[Noise::Gaussian], &options).unwrap().remove(0);
    let effective = found.warnings.iter().find_map(|warning| match warning {
        Warning::FewClusters { clusters: 12, effective, .. } => Some(effective.clone()),
        _ => None,
    });
    let effective = effective.expect("a warning");
    let slope = effective.iter().find(|(term, _)| *term == found.location.rows[1].term).expect("the slope's");
    // Every row of a cluster has the same regressors, so that the correlation does not matter.
    let shares: Vec<f64> = (0..12).map(|g| if g < 3 { 1.0 / 9.0 } else { 1.0 / 81.0 }).collect();
    let mean = shares.iter().sum::<f64>() / 12.0;
    let spread = shares.iter().map(|share| (share / mean - 1.0).powi(2)).sum::<f64>() / 12.0;
    near(slope.1, 12.0 / (1.0 + spread), 1e-9);
}

#[test]
fn an_exact_fit_has_the_covariance_that_was_asked_for() {
    let x: Vec<f64> = (0..9).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| 1.0 + 2.0 * x).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 9, 1).unwrap()).unwrap();
    for (noise, vcov) in [("huber", "sandwich"), ("gaussian", "bootstrap:wild:20"), ("logistic", "observed")] {
        let options = Options { vcov: vcov.parse::<Vcov>().unwrap(), ..Options::default() };
        let found = inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &options).unwrap().remove(0);
        assert_eq!(found.covariance.kind.as_str(), vcov);
        assert_eq!(std_errors(&found), [0.0, 0.0], "{noise}");
    }
}

#[test]
fn wild_draws_of_quantiles_give_back_what_leverages_took() {
    // quantreg 5.97's summary(rq(stack.loss ~ .), se = "boot", bsmethod = "wild", R = 4000).
    let text = common::testdata("stackloss.csv");
    let values: Vec<Vec<f64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| names.iter().position(|n| n.trim() == name).unwrap();
    let y: Vec<f64> = values.iter().map(|row| row[column("stack_loss")]).collect();
    let places = ["air_flow", "water_temp", "acid_conc"].map(column);
    let x: Vec<f64> = values.iter().flat_map(|row| places.map(|j| row[j])).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, y.len(), 3).unwrap()).unwrap();
    let options = Options {
        vcov: "bootstrap:wild:4000".parse::<Vcov>().unwrap(),
        small_sample: SmallSample::None,
        ..Options::default()
    };
    let found = inference::fit(&rows, &"laplace".parse::<Noises>().unwrap(), &options).unwrap().remove(0);
    close_all(&std_errors(&found), &[5.89, 0.138, 0.248, 0.0868], 0.08, "stackloss");
}
