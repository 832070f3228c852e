//! The incomplete beta and gamma functions as tails of the F and chi-squared distributions.
//!
//! Both are an elementary factor times an integral that falls from 1. The factor is written with Stirling's error and
//! deviances (Loader 2000, *Fast and accurate computation of binomial probabilities*), so that no large logarithms of
//! gamma functions cancel: that is what costs the usual continued fractions seven digits at 1e5 degrees of freedom and
//! ten at 1e9. The integral is summed by a double exponential rule, whose digits cost the same hundred
//! terms at any parameters.

use std::f64::consts::PI;

use crate::numeric::double_double::DoubleDouble;
use crate::numeric::special::elementary::polynomial;
use crate::numeric::special::exponential::exp;
use crate::numeric::special::quadrature::{NARROW, WIDE, falling};

/// A tail probability on the logarithmic scale, and how it moves with the ratio that bounds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    // With its low word, for at 1e-200 rounding the exponent alone would cost two digits.
    exponent: DoubleDouble,
    factor: f64,
    /// `d ln(tail) / d ln(ratio)`.
    pub(crate) slope: f64,
}

impl Tail {
    pub(crate) fn probability(&self) -> f64 {
        exp(self.exponent) * self.factor
    }

    pub(crate) fn ln(&self) -> f64 {
        self.exponent.high + self.factor.ln()
    }
}

/// The regularised incomplete beta function `I_x(a, b)` at `x / (1 - x) = ratio a / b`, for `0 < ratio <= 1`, which
/// puts `x` at or below the mean `a / (a + b)`. The upper tail is the lower one of `(b, a)` at the inverse ratio.
pub(crate) fn beta_lower(a: f64, b: f64, ratio: DoubleDouble) -> Tail {
    // With t = x exp(-v) the integral of t^(a-1) (1-t)^(b-1) over (0, x) is
    // x^a (1-x)^(b-1) times that of exp(-a v) (1 + odds (1 - exp(-v)))^(b-1) over v > 0.
    let below_one = DoubleDouble::ONE - ratio;
    let odds = a * ratio.high / b;
    let fall = a * (below_one.high + ratio.high / b);
    let curvature = (b - 1.0) * odds * (1.0 + odds);
    let integral = falling(&WIDE, 1.0 / (fall + curvature.max(0.0).sqrt()), |v| {
        let z = -odds * (-v).exp_m1();
        if v < 0.5 {
            // The linear terms are taken together beforehand: for large a and b they would cancel.
            -fall * v + (b - 1.0) * (log1p_minus(z) - odds * exp_minus_linear(-v))
        } else {
            -a * v + (b - 1.0) * z.ln_1p()
        }
    });
    let (n, total) = (DoubleDouble::from_sum(a, b), ratio * a + b);
    let step = below_one / total;
    let exponent = deviance(-(step * b), n * ratio / total) * a + deviance(step * a, n / total) * b;
    let stirling = stirling_error(n.high) - stirling_error(a) - stirling_error(b);
    let scale = (a / (2.0 * PI * n.high) * b).sqrt() * total.high / b;
    Tail { exponent: exponent + stirling, factor: scale * integral, slope: b / (total.high * integral) }
}

/// `P(a, x)`, the regularised lower incomplete gamma function, for `x <= a`.
pub(crate) fn gamma_lower(a: f64, x: f64) -> Tail {
    gamma_tail(a, x, |v| exp_minus_linear(-v))
}

/// `Q(a, x)`, the regularised upper incomplete gamma function, for `x >= a`.
pub(crate) fn gamma_upper(a: f64, x: f64) -> Tail {
    gamma_tail(a, x, exp_minus_linear)
}

fn gamma_tail(a: f64, x: f64, beyond_linear: impl Fn(f64) -> f64) -> Tail {
    // With t = x exp(+-v) the integral of t^(a-1) exp(-t) over the tail is x^a exp(-x) times that of
    // exp(-|x - a| v - x (exp(+-v) - 1 -+ v)).
    let fall = (x - a).abs();
    let integral = falling(&NARROW, 1.0 / (fall + x.sqrt()), |v| -fall * v - x * beyond_linear(v));
    let ratio = DoubleDouble::from(x) / a;
    let exponent = deviance(ratio - 1.0, ratio) * a - stirling_error(a);
    Tail { exponent, factor: (a / (2.0 * PI)).sqrt() * integral, slope: 1.0 / integral }
}

/// `ln(y) - (y - 1)` from both `y - 1` and `y`, each accurate where it is small.
fn deviance(minus_one: DoubleDouble, y: DoubleDouble) -> DoubleDouble {
    if minus_one.high.abs() < 0.5 {
        let z = minus_one.high;
        DoubleDouble::from_sum(log1p_minus(z), -z / (1.0 + z) * minus_one.low)
    } else {
        ln(y) - minus_one
    }
}

/// `ln(y)`, to some 1e-16 however large it is.
fn ln(y: DoubleDouble) -> DoubleDouble {
    let ln = y.high.ln();
    // What rounding left out of it, where the exponential does not overflow.
    let left_out = if ln > -700.0 { y.high * (-ln).exp() - 1.0 } else { 0.0 };
    DoubleDouble::from_sum(ln, left_out + y.low / y.high)
}

/// `ln(1 + z) - z`.
fn log1p_minus(z: f64) -> f64 {
    if !(-0.4..0.7).contains(&z) {
        return z.ln_1p() - z;
    }
    // ln(1 + z) = 2 atanh(s) with s = z / (2 + z), and 2 s - z = -s z.
    let s = z / (2.0 + z);
    let square = s * s;
    s * (2.0 * square * polynomial(&INVERSE_ODD, square) - z)
}

/// `exp(v) - 1 - v`.
fn exp_minus_linear(v: f64) -> f64 {
    if v.abs() > 0.5 {
        return v.exp_m1() - v;
    }
    v * v * polynomial(&INVERSE_FACTORIALS, v)
}

/// `1 / (2 k + 3)`.
const INVERSE_ODD: [f64; 14] = {
    let mut found = [0.0; 14];
    let mut k = 0;
    while k < 14 {
        found[k] = 1.0 / (2 * k + 3) as f64;
        k += 1;
    }
    found
};

/// `1 / (k + 2)!`.
const INVERSE_FACTORIALS: [f64; 15] = {
    let mut found = [0.0; 15];
    let (mut k, mut factorial) = (0, 1.0);
    while k < 15 {
        // Those up to 16! are whole numbers of a double.
        factorial *= (k + 2) as f64;
        found[k] = 1.0 / factorial;
        k += 1;
    }
    found
};

/// `ln Gamma(x + 1) - ((x + 1/2) ln x - x + ln(2 pi) / 2)`.
fn stirling_error(mut x: f64) -> f64 {
    // Up to where the asymptotic series has its digits, by the recurrence of the gamma function.
    let mut raised = 0.0;
    while x < 16.0 {
        raised += (x + 0.5) * (1.0 / x).ln_1p() - 1.0;
        x += 1.0;
    }
    let inverse_square = 1.0 / (x * x);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    raised + series.iter().rev().fold(0.0, |sum, c| sum * inverse_square + c) / x
}
