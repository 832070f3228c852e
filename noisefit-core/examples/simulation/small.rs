//! How often confidence intervals hold the true slopes where rows are few, with what is made of small samples and without.

use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::noise::{Cauchy, Gaussian, Laplace, Logistic, NoiseFamily, Noises, StudentT};
use noisefit_core::record::SmallSample;
use noisefit_core::rows::{Matrix, MemoryRows};
use noisefit_core::{Error, inference};

use crate::data::replicate;
use crate::random::Random;

/// Rows and coefficients.
const DESIGNS: [(usize, usize); 3] = [(15, 4), (30, 5), (60, 15)];

/// A model, and the noise that is true.
struct Case {
    name: &'static str,
    true_name: &'static str,
    truth: &'static dyn NoiseFamily,
    noise: Noises,
    vcov: Vcov,
    /// Whether the scale is modelled by the first regressor.
    modelled: bool,
}

fn cases() -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    const T3: &StudentT = &StudentT::new(3.0);
    const T5: &StudentT = &StudentT::new(5.0);
    let [gaussian, laplace, logistic, cauchy]: [(&str, &dyn NoiseFamily); 4] =
        [("gaussian", &Gaussian), ("laplace", &Laplace), ("logistic", &Logistic), ("cauchy", &Cauchy)];
    let [t3, t5]: [(&str, &dyn NoiseFamily); 2] = [("student-t 3", T3), ("student-t 5", T5)];
    let listed = [
        ("gaussian", gaussian, "default", false),
        ("laplace", laplace, "default", false),
        ("huber", gaussian, "default", false),
        ("huber", t3, "default", false),
        ("logistic", logistic, "default", false),
        ("student-t:5", t5, "default", false),
        ("student-t", gaussian, "default", false),
        ("student-t", t3, "default", false),
        ("student-t", cauchy, "default", false),
        ("cauchy", cauchy, "default", false),
        ("quantile:0.5", gaussian, "default", false),
        ("quantile:0.75", gaussian, "default", false),
        ("quantile:0.9", gaussian, "default", false),
        ("gaussian", gaussian, "default", true),
        ("laplace", laplace, "default", true),
        ("student-t:5", t5, "default", true),
        ("logistic", logistic, "sandwich", false),
        ("gaussian", gaussian, "hc3", false),
        ("gaussian", gaussian, "bootstrap", false),
        ("quantile:0.5", gaussian, "bootstrap", false),
        ("quantile:0.5", gaussian, "bootstrap:wild", false),
        ("quantile:0.9", gaussian, "bootstrap:wild", false),
    ];
    let mut cases = Vec::new();
    for (name, (true_name, truth), vcov, modelled) in listed {
        cases.push(Case { name, true_name, truth, noise: name.parse()?, vcov: vcov.parse()?, modelled });
    }
    Ok(cases)
}

/// How many of the slopes their intervals hold, and of how many, with the correction and without; none where the fit failed.
type Held = Option<[(u32, u32); 2]>;

fn held(case: &Case, x: &[f64], y: &[f64], p: usize) -> Result<[(u32, u32); 2], Error> {
    let design = Matrix::row_major(x, y.len(), p - 1)?;
    let rows = MemoryRows::new(y, design)?.with_threads(1);
    let first: Vec<f64> = x.iter().step_by(p - 1).copied().collect();
    let rows = match case.modelled {
        true => rows.with_scale_design(Matrix::row_major(&first, y.len(), 1)?, &["x1"])?,
        false => rows,
    };
    let mut found = [(0, 0); 2];
    for (found, small_sample) in found.iter_mut().zip([SmallSample::Corrected, SmallSample::None]) {
        let options = Options { vcov: case.vcov.clone(), small_sample, ..Options::default() };
        let fits = inference::fit(&rows, &case.noise, &options)?;
        for row in &fits.first().ok_or(Error::NoRows)?.location.rows[1..] {
            // Open ends hold everything, absent intervals nothing.
            let holds = row.std_error.is_some()
                && row.conf_low.is_none_or(|low| low <= 1.0)
                && row.conf_high.is_none_or(|high| 1.0 <= high);
            *found = (found.0 + u32::from(holds), found.1 + 1);
        }
    }
    Ok(found)
}

/// Prints the table.
pub fn print(replications: u64) -> Result<(), Error> {
    let cases = cases().map_err(|error| Error::Unsupported(error.to_string()))?;
    println!("## 95% confidence intervals of the slopes where rows are few: percent that hold them\n");
    println!(
        "Standard normal regressors whose slopes are one; n / p are the rows and the coefficients. Behind the bar is what \
         `--small-sample none` gives; `~ x1` models the scale.\n"
    );
    let sizes: Vec<String> = DESIGNS.iter().map(|(n, p)| format!("{n} / {p}")).collect();
    println!("| model | noise | {} |\n|---|---|{}", sizes.join(" | "), "---|".repeat(sizes.len()));
    for (place, case) in cases.iter().enumerate() {
        let scale = if case.modelled { ", scale ~ x1" } else { "" };
        let vcov = if case.vcov == Vcov::Default { String::new() } else { format!(", {}", case.vcov) };
        let mut line = format!("| {}{scale}{vcov} | {} |", case.name, case.true_name);
        for (n, p) in DESIGNS {
            let results: Vec<Held> = replicate(replications, |i| {
                let mut random = Random::new((1_000_000 + place * 10_000 + n) as u64, i);
                let x: Vec<f64> = (0..n * (p - 1)).map(|_| random.draw(&Gaussian)).collect();
                let y: Vec<f64> =
                    x.chunks_exact(p - 1).map(|row| row.iter().sum::<f64>() + random.draw(case.truth)).collect();
                // What is asked of a quantile's slope is the same, for the noise is alike in all rows.
                held(case, &x, &y, p).ok()
            });
            let share = |which: usize| {
                let sums = results.iter().flatten().fold((0, 0), |(a, b), held| (a + held[which].0, b + held[which].1));
                100.0 * f64::from(sums.0) / f64::from(sums.1)
            };
            let failed = results.iter().filter(|result| result.is_none()).count();
            line += &format!(" {:.1} / {:.1}", share(0), share(1));
            if failed > 0 {
                line += &format!(" ({failed} failed)");
            }
            line += " |";
        }
        println!("{line}");
    }
    println!();
    Ok(())
}
