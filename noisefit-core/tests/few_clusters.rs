//! Errors and tests for few clusters: their size where nothing is to be found, and what they must leave as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::estimate;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::hypothesis::{Adjust, DrawWeights, Names, Wild, wald, wild_cluster};
use noisefit_core::inference::{self, Options};
use noisefit_core::noise::Noise;
use noisefit_core::record::Fit;
use noisefit_core::rows::{Matrix, MemoryRows};

/// Normal numbers, the same in every run.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Rows in clusters of unequal sizes, some of them treated, with a regressor of their own and noise that they share.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    ids: Vec<u64>,
}

impl Data {
    fn new(random: &mut Random, clusters: usize, treated: usize) -> Self {
        let mut data = Data { y: Vec::new(), x: Vec::new(), ids: Vec::new() };
        for g in 0..clusters {
            // From 4 rows to about 30, the treated ones among all sizes.
            let size = 4 + (26 * ((g * 7) % clusters)) / (clusters - 1);
            let (is_treated, shared) = (f64::from(u8::from((g * 3) % clusters < treated)), random.normal());
            for _ in 0..size {
                let own = random.normal();
                data.y.push(1.0 + own + 0.7 * shared + random.normal());
                data.x.extend([is_treated, own]);
                data.ids.push(g as u64);
            }
        }
        data
    }

    fn rows(&self) -> MemoryRows<'_> {
        let rows = MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), 2).unwrap()).unwrap();
        rows.with_threads(1).with_clusters("g", &self.ids).unwrap()
    }

    fn fit(&self, vcov: &str) -> Fit {
        let options = Options { vcov: vcov.parse::<Vcov>().unwrap(), ..Options::default() };
        inference::fit(&self.rows(), &[Noise::Gaussian], &options).unwrap().remove(0)
    }

    fn wild(&self, fit: &Fit, hypothesis: &str, draws: usize, weights: DrawWeights) -> f64 {
        let wild = Wild { draws, weights, level: 0.95, seed: 1 };
        let (names, options) = (Names::of(fit, &[]), estimate::Options::default());
        let hypotheses = [hypothesis.to_owned()];
        let (tests, _) = wild_cluster(&self.rows(), fit, &names, &hypotheses, Adjust::None, wild, &options).unwrap();
        tests[0].p_value.unwrap()
    }
}

/// The share of a thousand data sets without an effect in which the treatment's test is below 5%: 3 to 7%, where errors by `cluster`
/// alone reject more often. A thousand have a standard error of 0.7%.
#[test]
fn tests_for_few_clusters_have_their_size() {
    let repeats = 1000;
    for (clusters, treated) in [(10, 5), (20, 8)] {
        let mut random = Random(clusters as u64);
        let mut rejected = [0.0; 4];
        for _ in 0..repeats {
            let data = Data::new(&mut random, clusters, treated);
            let (plain, cr2) = (data.fit("cluster:g"), data.fit("cr2:g"));
            let p = [
                plain.location.rows[1].p_value.unwrap(),
                cr2.location.rows[1].p_value.unwrap(),
                data.wild(&plain, "x1", 399, DrawWeights::Rademacher),
                data.wild(&plain, "x1", 399, DrawWeights::Webb),
            ];
            rejected
                .iter_mut()
                .zip(p)
                .for_each(|(count, p)| *count += f64::from(u8::from(p < 0.05)) / f64::from(repeats));
        }
        println!("{clusters} clusters, {treated} treated: cluster, cr2, rademacher, webb reject {rejected:?}");
        for share in &rejected[1..] {
            assert!((0.03..=0.07).contains(share), "{clusters} clusters: {rejected:?}");
        }
    }
}

/// The degrees of freedom of one cluster each are those of `hc2`, whose errors `cr2` then has.
#[test]
fn clusters_of_one_row_are_hc2() {
    let mut data = Data::new(&mut Random(5), 10, 5);
    data.ids = (0..data.y.len() as u64).collect();
    let (cr2, hc2) = (data.fit("cr2:g"), data.fit("hc2"));
    for (one, other) in cr2.location.rows.iter().zip(&hc2.location.rows) {
        let (one, other) = (one.std_error.unwrap(), other.std_error.unwrap());
        assert!((one / other - 1.0).abs() < 1e-10, "{one} {other}");
    }
    // Two groups of means are Welch's test: its degrees of freedom by equal variances are those of Satterthwaite.
    let (a, b) = (9.0, 5.0);
    let x: Vec<f64> = (0..14).map(|i| f64::from(u8::from(i < 9))).collect();
    let y: Vec<f64> = (0..14).map(|i| f64::from(i * 5 % 11)).collect();
    let ids: Vec<u64> = (0..14).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 14, 1).unwrap()).unwrap().with_clusters("g", &ids).unwrap();
    let options = Options { vcov: "cr2:g".parse::<Vcov>().unwrap(), ..Options::default() };
    let fit = inference::fit(&rows, &[Noise::Gaussian], &options).unwrap().remove(0);
    let variance: f64 = 1.0 / a + 1.0 / b;
    let expected = variance.powi(2) / (1.0 / (a * a * (a - 1.0)) + 1.0 / (b * b * (b - 1.0)));
    let df = fit.location.rows[1].df.unwrap();
    assert!((df / expected - 1.0).abs() < 1e-10, "{df} {expected}");
}

/// Another unit of the response changes nothing, and a row's frequency is rows of its cluster.
#[test]
fn units_and_threads_change_nothing() {
    let data = Data::new(&mut Random(9), 10, 4);
    let scaled = Data { y: data.y.iter().map(|y| 1e150 * y).collect(), x: data.x.clone(), ids: data.ids.clone() };
    let (one, other) = (data.fit("cr2:g"), scaled.fit("cr2:g"));
    for (one, other) in one.location.rows.iter().zip(&other.location.rows) {
        assert!((one.statistic.unwrap() / other.statistic.unwrap() - 1.0).abs() < 1e-9);
        assert!((one.df.unwrap() / other.df.unwrap() - 1.0).abs() < 1e-9);
    }
    assert_eq!(
        data.wild(&one, "x1 = 0.2", 999, DrawWeights::Mammen),
        scaled.wild(&other, "x1 = 2e149", 999, DrawWeights::Mammen)
    );
    // A Wald test of one coefficient has its own degrees of freedom, one of several the least of theirs.
    let names = Names::of(&one, &[]);
    let tests = wald(&one, &names, &["x2".into(), "x1 = x2".into()], &[], 0.95, Adjust::None, 0).unwrap();
    let df: Vec<f64> = one.location.rows.iter().map(|row| row.df.unwrap()).collect();
    assert_eq!(tests[0].df_residual, Some(df[2]));
    assert_eq!(tests[1].df_residual, Some(df[1].min(df[2])));
}
