//! Whether the noise is Gaussian: moments and order statistics of the residuals of least squares.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::{ChiSquaredTest, Found};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::summary::Summary;
use crate::numeric::special::normal;

/// Shapiro and Wilk's test is made with up to so many observations, as in R.
const SHAPIRO_WILK_MOST: usize = 5000;

/// Tests of Gaussian noise, on the residuals of least squares over their scales.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Normality {
    /// The third central moment over the 3/2th power of the second, with divisor n.
    pub skewness: Found<f64>,
    /// The fourth over the square of the second, less the 3 of a Gaussian.
    pub excess_kurtosis: Found<f64>,
    /// `n / 6 (skewness^2 + excess_kurtosis^2 / 4)` (Jarque and Bera 1980, *Economics Letters* 6, 255-259).
    pub jarque_bera: Found<ChiSquaredTest>,
    /// Shapiro and Wilk's `W`.
    pub shapiro_wilk: Found<ShapiroWilk>,
}

/// The squared correlation of the ordered residuals with what Gaussian noise would put there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShapiroWilk {
    /// `W`, at most 1.
    pub statistic: f64,
    /// The probability of a smaller one from a Gaussian sample.
    pub p_value: f64,
}

/// Sums of powers of the errors.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct PowerSums {
    sums: [f64; 4],
}

impl Diagnostic for PowerSums {
    type Finding = Normality;

    fn new(_: &Diagnosis, _: usize) -> Self {
        PowerSums::default()
    }

    fn fold(&mut self, _: &Diagnosis, rows: &Measured<'_>, _: u64) {
        let mut sums = [0.0; 4];
        for (i, &e) in rows.errors.iter().enumerate() {
            let (f, square) = (rows.frequency(i), e * e);
            sums[0] += f * e;
            sums[1] += f * square;
            sums[2] += f * square * e;
            sums[3] += f * square * square;
        }
        self.add(sums);
    }

    fn merge(&mut self, later: Self, _: u64) {
        self.add(later.sums);
    }

    fn finish(&self, _: &Diagnosis, summary: &Summary) -> Normality {
        let n = summary.observations;
        let [mean, second, third, fourth] = self.sums.map(|sum| sum / n);
        let square = mean * mean;
        let variance = second - square;
        let skewness = (third - 3.0 * mean * second + 2.0 * mean * square) / variance.powf(1.5);
        let kurtosis =
            (fourth - 4.0 * mean * third + 6.0 * square * second - 3.0 * square * square) / (variance * variance) - 3.0;
        let ready = || match variance > 0.0 {
            false if summary.no_errors.is_none() => Found::no("the residuals are all the same"),
            _ => summary.test(),
        };
        let shapiro_wilk = ready().and_then(|()| match &summary.errors {
            Found::Yes(errors) => shapiro_wilk(errors),
            Found::No { not_defined_because } => Found::no(not_defined_because.clone()),
        });
        Normality {
            skewness: ready().and_then(|()| Found::Yes(skewness)),
            excess_kurtosis: ready().and_then(|()| Found::Yes(kurtosis)),
            jarque_bera: ready()
                .and_then(|()| ChiSquaredTest::new(n / 6.0 * (skewness * skewness + 0.25 * kurtosis * kurtosis), 2.0)),
            shapiro_wilk,
        }
    }
}

impl PowerSums {
    fn add(&mut self, sums: [f64; 4]) {
        self.sums.iter_mut().zip(sums).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// The observations of rows with frequencies, one after the other; why not, where they are too many or no whole numbers.
pub(super) fn repeated(values: &[f64], frequencies: Option<&[f64]>, complete: bool) -> Found<Vec<f64>> {
    let most = || Found::no(format!("there are more than {SHAPIRO_WILK_MOST} observations"));
    let Some(frequencies) = frequencies else {
        return if complete && values.len() <= SHAPIRO_WILK_MOST { Found::Yes(values.to_vec()) } else { most() };
    };
    if frequencies.iter().any(|f| f.fract() != 0.0) {
        return Found::no("frequencies are no whole numbers");
    }
    if !complete || frequencies.iter().sum::<f64>() > SHAPIRO_WILK_MOST as f64 {
        return most();
    }
    Found::Yes(values.iter().zip(frequencies).flat_map(|(&value, &f)| std::iter::repeat_n(value, f as usize)).collect())
}

/// The polynomial with these coefficients, the constant first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Shapiro and Wilk's test of sorted values: Royston's approximation of its coefficients and of its distribution (Royston
/// 1995, algorithm AS R94, *Applied Statistics* 44, 547-551).
pub(super) fn shapiro_wilk(sorted: &[f64]) -> Found<ShapiroWilk> {
    let n = sorted.len();
    let (&[first, ..], &[.., last]) = (sorted, sorted) else { return Found::no("there are no observations") };
    let range = last - first;
    if n < 3 {
        return Found::no("there are fewer than three observations");
    }
    if !(range > 0.0) {
        return Found::no("the residuals are all the same");
    }
    let coefficients = shapiro_wilk_coefficients(n);
    // Antisymmetric; the middle one of an odd number is zero.
    let coefficient = |i: usize| match (2 * i + 1).cmp(&n) {
        std::cmp::Ordering::Less => -coefficients[i],
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => coefficients[n - 1 - i],
    };
    let size = n as f64;
    let mean = sorted.iter().map(|x| x / range).sum::<f64>() / size;
    let (mut aa, mut xx, mut ax) = (0.0, 0.0, 0.0);
    for (i, x) in sorted.iter().enumerate() {
        let (a, x) = (coefficient(i), x / range - mean);
        aa += a * a;
        xx += x * x;
        ax += a * x;
    }
    // 1 - W, which is small, without cancellation.
    let root = (aa * xx).sqrt();
    let complement = (root - ax) * (root + ax) / (aa * xx);
    Found::Yes(ShapiroWilk { statistic: 1.0 - complement, p_value: shapiro_wilk_p(complement, n) })
}

/// The upper half of the coefficients, from the outermost on.
fn shapiro_wilk_coefficients(n: usize) -> Vec<f64> {
    const OUTERMOST: [f64; 6] = [0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056];
    const NEXT: [f64; 6] = [0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633];
    if n == 3 {
        return vec![std::f64::consts::FRAC_1_SQRT_2];
    }
    let size = n as f64;
    let mut scores: Vec<f64> = (1..=n / 2).map(|i| -normal::quantile((i as f64 - 0.375) / (size + 0.25))).collect();
    let squares = 2.0 * scores.iter().map(|m| m * m).sum::<f64>();
    let root = size.sqrt().recip();
    let corrected = |place: usize, by: &[f64]| scores[place] / squares.sqrt() + polynomial(by, root);
    let mut outer = vec![corrected(0, &OUTERMOST)];
    if n > 5 {
        outer.push(corrected(1, &NEXT));
    }
    let left = squares - 2.0 * scores[..outer.len()].iter().map(|m| m * m).sum::<f64>();
    let room = 1.0 - 2.0 * outer.iter().map(|a| a * a).sum::<f64>();
    let scale = (left / room).sqrt();
    scores.iter_mut().for_each(|m| *m /= scale);
    scores[..outer.len()].copy_from_slice(&outer);
    scores
}

/// The probability that `1 - W` of a Gaussian sample of `n` is larger.
fn shapiro_wilk_p(complement: f64, n: usize) -> f64 {
    if n == 3 {
        // Exact; W is at least 3/4.
        let angle = (1.0 - complement).max(0.75).sqrt().asin() - 0.75f64.sqrt().asin();
        return (6.0 / std::f64::consts::PI * angle).clamp(0.0, 1.0);
    }
    let (size, y) = (n as f64, complement.ln());
    let (y, mean, deviation) = if n <= 11 {
        let bound = polynomial(&[-2.273, 0.459], size);
        if y >= bound {
            // Below any W that the approximation knows.
            return 1e-99;
        }
        let deviation = polynomial(&[1.3822, -0.77857, 0.062767, -0.0020322], size).exp();
        (-(bound - y).ln(), polynomial(&[0.544, -0.39978, 0.025054, -6.714e-4], size), deviation)
    } else {
        let log = size.ln();
        let deviation = polynomial(&[-0.4803, -0.082676, 0.0030302], log).exp();
        (y, polynomial(&[-1.5861, -0.31082, -0.083751, 0.0038915], log), deviation)
    };
    normal::survival((y - mean) / deviation)
}
