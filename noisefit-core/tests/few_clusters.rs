//! Errors and tests for few clusters: their size where nothing is to be found, and what they must leave as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::estimate;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::diagnostics::Diagnosis;
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
    for (clusters, treated) in [(10, 5), (20, 8)] {
        let rejected = sizes(clusters, treated);
        println!("{clusters} clusters, {treated} treated: cluster, cr2, rademacher, webb reject {rejected:?}");
        for share in &rejected[1..] {
            assert!((0.03..=0.07).contains(share), "{clusters} clusters: {rejected:?}");
        }
    }
}

/// Prints the table of docs/hypotheses.md: `cargo test -p noisefit-core --test few_clusters -- --ignored --nocapture`.
#[test]
#[ignore = "prints a table"]
fn sizes_with_fewer_treated() {
    for (clusters, treated) in [(10, 2), (10, 3), (10, 4), (20, 2), (20, 3), (20, 4)] {
        println!(
            "| {clusters} | {treated} | {} |",
            sizes(clusters, treated).map(|share| format!("{:.1}", 100.0 * share)).join(" | ")
        );
    }
}

/// The shares of a thousand data sets without an effect in which the treatment is found by `cluster`, `cr2` and the wild bootstrap with
/// weights of Rademacher and of Webb.
fn sizes(clusters: usize, treated: usize) -> [f64; 4] {
    let repeats = 1000;
    let mut random = Random(clusters as u64);
    let mut rejected = [0.0; 4];
    for _ in 0..repeats {
        let data = Data::new(&mut random, clusters, treated);
        let (plain, cr2) = (data.fit("cluster:g"), data.fit("cr2:g"));
        let p = [
            plain.location.rows[1].p_value.unwrap_or(1.0),
            cr2.location.rows[1].p_value.unwrap_or(1.0),
            data.wild(&plain, "x1", 399, DrawWeights::Rademacher),
            data.wild(&plain, "x1", 399, DrawWeights::Webb),
        ];
        rejected.iter_mut().zip(p).for_each(|(count, p)| *count += f64::from(u8::from(p < 0.05)) / f64::from(repeats));
    }
    rejected
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

/// Draws of whole clusters say what the sums over clusters say, where there are many; and of two data sets with the same clusters in
/// another order of rows the same.
#[test]
fn a_bootstrap_by_clusters_is_that_of_the_clusters() {
    let data = Data::new(&mut Random(17), 120, 60);
    let (drawn, summed, rows) = (data.fit("bootstrap:cluster:g:800"), data.fit("cluster:g"), data.fit("bootstrap:800"));
    assert_eq!(drawn.covariance.kind.as_str(), "bootstrap:cluster:g:800");
    assert_eq!(drawn.covariance.reference_df, Some(119.0));
    let error = |fit: &Fit, j: usize| fit.location.rows[j].std_error.unwrap();
    for j in 0..3 {
        let ratio = error(&drawn, j) / error(&summed, j);
        assert!((0.9..1.1).contains(&ratio), "coefficient {j}: {ratio}");
    }
    // What clusters share makes the treatment's error larger than independent rows would have it.
    assert!(error(&drawn, 1) > 1.8 * error(&rows, 1), "{} {}", error(&drawn, 1), error(&rows, 1));
    for (text, what) in [
        ("bootstrap:cluster:", "names one column"),
        ("bootstrap:cluster:g:1", "2 to 100000 draws"),
        ("bootstrap:cluster:g,h", "names one column"),
    ] {
        let error = text.parse::<Vcov>().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let vcov: Vcov = "bootstrap:cluster:firm".parse().unwrap();
    assert_eq!((vcov.to_string(), vcov.clusters()), ("bootstrap:cluster:firm:200".into(), &["firm".to_owned()][..]));
}

/// Analysis of variance of the residuals, written out.
#[test]
fn groupings_are_an_analysis_of_variance() {
    let data = Data::new(&mut Random(3), 12, 6);
    let (rows, fit) = (data.rows(), data.fit("classical"));
    let found = Diagnosis::new(&rows, &fit, &estimate::Options::default()).unwrap().groupings(&rows).unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    let b: Vec<f64> = fit.coef().into_iter().flatten().collect();
    let e: Vec<f64> = data.x.chunks(2).zip(&data.y).map(|(x, y)| y - b[0] - b[1] * x[0] - b[2] * x[1]).collect();
    let (n, groups) = (e.len() as f64, 12.0);
    let (mut between, mut within, mut squares) = (0.0, 0.0, 0.0);
    for g in 0..12 {
        let of: Vec<f64> = e.iter().zip(&data.ids).filter(|(_, id)| **id == g).map(|(e, _)| *e).collect();
        let (count, mean) = (of.len() as f64, of.iter().sum::<f64>() / of.len() as f64);
        between += count * mean * mean;
        within += of.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>();
        squares += count * count;
    }
    let df = n - groups - 3.0;
    let statistic = between / (groups - 1.0) / (within / df);
    let size = (n - squares / n) / (groups - 1.0);
    assert!((found.statistic / statistic - 1.0).abs() < 1e-10, "{found:?} {statistic}");
    assert_eq!((found.column.as_str(), found.groups, found.df, found.df_residual), ("g", 12, 11.0, df));
    let correlation = (statistic - 1.0) / (statistic + size - 1.0);
    assert!((found.intraclass_correlation / correlation - 1.0).abs() < 1e-10, "{found:?}");
    assert!(found.p_value < 1e-4, "{found:?}");
}

/// Of rows that are independent a grouping is called alike at about the level of its p-value, at most, also where the noise of small groups
/// is larger, which analysis of variance alone takes for likeness in two of five.
#[test]
fn groupings_of_independent_rows_are_seldom_alike() {
    let repeats = 2000;
    for kind in ["gaussian", "heavy tails", "small groups of three times the scale"] {
        let (mut random, mut rejected) = (Random(11), 0);
        for _ in 0..repeats {
            let mut data = Data::new(&mut random, 12, 6);
            for (i, y) in data.y.iter_mut().enumerate() {
                let noise = random.normal();
                let size = data.ids.iter().filter(|id| **id == data.ids[i]).count();
                let noise = match kind {
                    "gaussian" => noise,
                    "heavy tails" => noise / (0.2 + random.uniform()),
                    _ => noise * if size < 12 { 3.0 } else { 1.0 },
                };
                *y = 1.0 + data.x[2 * i + 1] + noise;
            }
            let (rows, fit) = (data.rows(), data.fit("classical"));
            let found = Diagnosis::new(&rows, &fit, &estimate::Options::default()).unwrap().groupings(&rows).unwrap();
            rejected += usize::from(found[0].p_value < 0.05);
        }
        let share = rejected as f64 / f64::from(repeats);
        println!("{kind}: {share}");
        assert!((0.005..=0.08).contains(&share), "{kind}: {share}");
    }
}
