//! Reference distributions of tests and intervals, accurate in relative terms from the centre to the last double.
//!
//! Written here because the general libraries at hand are not accurate enough for them: statrs 0.19 has the normal tail
//! to ten digits (an approximation of the error function) and, as differences of large logarithms of gamma functions,
//! Student's t to nine digits at 1e5 degrees of freedom and to six at 1e9, two in its tail. The functions here keep
//! thirteen digits of every probability down to 1e-200 and at any number of degrees of freedom, whole or not, from 1 to
//! 1e9; see `special/tails.rs` for how.
//!
//! ```
//! use noisefit_core::numeric::distribution::{Distribution, StudentT, Symmetric};
//!
//! let t = StudentT::new(5.0)?;
//! assert!((t.two_sided(2.0) - 0.10193947882985835).abs() < 1e-15);
//! assert!((t.critical(0.95) - 2.5705818356363155).abs() < 1e-14);
//! # Ok::<(), noisefit_core::Error>(())
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::Error;
use crate::numeric::double_double::DoubleDouble;
use crate::numeric::special::normal;
use crate::numeric::special::tails::{Tail, beta_lower, gamma_lower, gamma_upper};

/// A distribution on the line. An argument that is no probability, or NaN, gives NaN.
pub trait Distribution {
    /// `P(X <= x)`.
    fn cdf(&self, x: f64) -> f64;

    /// `P(X > x)`, as accurate far out as at the centre.
    fn survival(&self, x: f64) -> f64;

    /// The `x` with `P(X <= x) = p`.
    fn quantile(&self, p: f64) -> f64;

    /// The `x` with `P(X > x) = p`.
    fn upper_quantile(&self, p: f64) -> f64;
}

/// A distribution symmetric about zero.
pub trait Symmetric: Distribution {
    /// `P(|X| > |statistic|)`, the two-sided p-value.
    fn two_sided(&self, statistic: f64) -> f64 {
        2.0 * self.survival(statistic.abs())
    }

    /// The `x` with `P(|X| <= x) = level`, by which a standard error is multiplied for a confidence interval.
    fn critical(&self, level: f64) -> f64 {
        self.upper_quantile(0.5 * (1.0 - level))
    }
}

/// The standard normal distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normal;

impl Distribution for Normal {
    fn cdf(&self, x: f64) -> f64 {
        normal::cumulative(x)
    }

    fn survival(&self, x: f64) -> f64 {
        normal::survival(x)
    }

    fn quantile(&self, p: f64) -> f64 {
        normal::quantile(p)
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        -normal::quantile(p)
    }
}

impl Symmetric for Normal {}

/// Student's t distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentT {
    df: f64,
}

/// Beyond this a t distribution is the power `|t|^-df` to the last digit that a double can hold of it.
const FAR: f64 = 1e100;

impl StudentT {
    /// With `df` degrees of freedom.
    ///
    /// # Errors
    /// [`Error::Argument`] unless `df` is positive and finite.
    pub fn new(df: f64) -> Result<Self, Error> {
        Ok(StudentT { df: degrees_of_freedom(df)? })
    }

    /// `|t|` with `P(|T| <= |t|) = central` and `P(|T| > |t|) = outside`.
    fn absolute_quantile(&self, central: f64, outside: f64) -> f64 {
        if !(0.0..=1.0).contains(&outside) {
            return f64::NAN;
        }
        let half = 0.5 * self.df;
        let far = self.two_sided(FAR);
        if outside < far {
            let t = FAR * (far / outside).powf(1.0 / self.df);
            // Once more from there, for rounding the power alone costs a digit or two.
            return if t.is_finite() { t * (self.two_sided(t) / outside).powf(1.0 / self.df) } else { t };
        }
        // T^2 has the F distribution with 1 and df degrees of freedom.
        if central <= beta_lower(0.5, half, 1.0.into()).probability() {
            ratio_at(central, |ratio| beta_lower(0.5, half, ratio.into())).sqrt()
        } else {
            1.0 / ratio_at(outside, |ratio| beta_lower(half, 0.5, ratio.into())).sqrt()
        }
    }
}

impl Distribution for StudentT {
    fn cdf(&self, x: f64) -> f64 {
        self.survival(-x)
    }

    fn survival(&self, x: f64) -> f64 {
        let half = 0.5 * self.two_sided(x);
        if x < 0.0 { 1.0 - half } else { half }
    }

    fn quantile(&self, p: f64) -> f64 {
        -self.upper_quantile(p)
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        remembered([0.0, self.df, p], || {
            if p <= 0.5 {
                self.absolute_quantile(1.0 - 2.0 * p, 2.0 * p)
            } else {
                -self.absolute_quantile(2.0 * p - 1.0, 2.0 * (1.0 - p))
            }
        })
    }
}

impl Symmetric for StudentT {
    fn two_sided(&self, statistic: f64) -> f64 {
        let (t, half) = (statistic.abs(), 0.5 * self.df);
        if t < 1.0 / FAR {
            1.0
        } else if t > FAR {
            self.two_sided(FAR) * (FAR / t).powf(self.df)
        } else if t > 1.0 {
            beta_lower(half, 0.5, DoubleDouble::ONE / DoubleDouble::from_product(t, t)).probability()
        } else {
            1.0 - beta_lower(0.5, half, DoubleDouble::from_product(t, t)).probability()
        }
    }
}

/// Fisher's F distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FisherF {
    numerator: f64,
    denominator: f64,
}

impl FisherF {
    /// With `numerator` and `denominator` degrees of freedom.
    ///
    /// # Errors
    /// [`Error::Argument`] unless both are positive and finite.
    pub fn new(numerator: f64, denominator: f64) -> Result<Self, Error> {
        Ok(FisherF {
            numerator: 0.5 * degrees_of_freedom(numerator)?,
            denominator: 0.5 * degrees_of_freedom(denominator)?,
        })
    }

    fn lower(&self, ratio: DoubleDouble) -> Tail {
        beta_lower(self.numerator, self.denominator, ratio)
    }

    fn upper(&self, ratio: DoubleDouble) -> Tail {
        beta_lower(self.denominator, self.numerator, ratio)
    }

    /// `P(F <= x)` and `P(F > x)`.
    fn tails(&self, x: f64) -> (f64, f64) {
        match x {
            _ if x <= 0.0 => (0.0, 1.0),
            _ if x <= 1.0 => with_complement(self.lower(x.into())),
            f64::INFINITY => (1.0, 0.0),
            _ => swap(with_complement(self.upper(DoubleDouble::ONE / x))),
        }
    }
}

impl Distribution for FisherF {
    fn cdf(&self, x: f64) -> f64 {
        self.tails(x).0
    }

    fn survival(&self, x: f64) -> f64 {
        self.tails(x).1
    }

    fn quantile(&self, p: f64) -> f64 {
        positive_quantile(p, 1.0 - p, 1.0, |ratio| self.lower(ratio.into()), |ratio| self.upper(ratio.into()))
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        positive_quantile(1.0 - p, p, 1.0, |ratio| self.lower(ratio.into()), |ratio| self.upper(ratio.into()))
    }
}

/// The chi-squared distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    half_df: f64,
}

impl ChiSquared {
    /// With `df` degrees of freedom.
    ///
    /// # Errors
    /// [`Error::Argument`] unless `df` is positive and finite.
    pub fn new(df: f64) -> Result<Self, Error> {
        Ok(ChiSquared { half_df: 0.5 * degrees_of_freedom(df)? })
    }

    /// The `x` with these probabilities below and above.
    fn quantile_of(&self, below: f64, above: f64) -> f64 {
        let a = self.half_df;
        positive_quantile(below, above, 2.0 * a, |ratio| gamma_lower(a, a * ratio), |ratio| gamma_upper(a, a / ratio))
    }

    /// `P(X <= x)` and `P(X > x)`.
    fn tails(&self, x: f64) -> (f64, f64) {
        let (a, half) = (self.half_df, 0.5 * x);
        match half {
            _ if half <= 0.0 => (0.0, 1.0),
            _ if half <= a => with_complement(gamma_lower(a, half)),
            f64::INFINITY => (1.0, 0.0),
            _ => swap(with_complement(gamma_upper(a, half))),
        }
    }
}

impl Distribution for ChiSquared {
    fn cdf(&self, x: f64) -> f64 {
        self.tails(x).0
    }

    fn survival(&self, x: f64) -> f64 {
        self.tails(x).1
    }

    fn quantile(&self, p: f64) -> f64 {
        remembered([1.0, self.half_df, p], || self.quantile_of(p, 1.0 - p))
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        remembered([2.0, self.half_df, p], || self.quantile_of(1.0 - p, p))
    }
}

/// A quantile's value, which takes longer than a small fit and is asked for again by the next fit to as many rows: the last ones stay
/// with their distribution, degrees of freedom and probability.
fn remembered(key: [f64; 3], value: impl FnOnce() -> f64) -> f64 {
    const KEPT: usize = 16;
    thread_local! {
        static LAST: RefCell<VecDeque<([u64; 3], f64)>> = const { RefCell::new(VecDeque::new()) };
    }
    let key = key.map(f64::to_bits);
    let known = LAST.with_borrow(|last| last.iter().find(|(known, _)| *known == key).map(|(_, value)| *value));
    known.unwrap_or_else(|| {
        let value = value();
        LAST.with_borrow_mut(|last| {
            last.truncate(KEPT - 1);
            last.push_front((key, value));
        });
        value
    })
}

fn degrees_of_freedom(df: f64) -> Result<f64, Error> {
    if df > 0.0 && df.is_finite() {
        return Ok(df);
    }
    Err(Error::Argument { name: "degrees of freedom", value: df, expected: "positive and finite" })
}

fn with_complement(tail: Tail) -> (f64, f64) {
    let probability = tail.probability();
    (probability, 1.0 - probability)
}

fn swap((first, second): (f64, f64)) -> (f64, f64) {
    (second, first)
}

/// The quantile of a distribution on the positive half-line whose tails below and above `centre` are `lower(x /
/// centre)` and `upper(centre / x)`.
fn positive_quantile(
    below: f64,
    above: f64,
    centre: f64,
    lower: impl Fn(f64) -> Tail,
    upper: impl Fn(f64) -> Tail,
) -> f64 {
    if below <= lower(1.0).probability() { centre * ratio_at(below, lower) } else { centre / ratio_at(above, upper) }
}

/// The ratio in `[0, 1]` at which `tail` has the probability `p`, by Newton's method for the logarithm of the one as a
/// function of the logarithm of the other, which rises and is concave.
///
/// Newton's first step from 1 lands below the ratio, perhaps far below, where steps can be short for long; while the
/// probability is more than a factor of e away, halving the bracket takes their place.
fn ratio_at(p: f64, tail: impl Fn(f64) -> Tail) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    let target = p.ln();
    let (mut ratio, mut low, mut high) = (1.0f64, None, 1.0);
    for _ in 0..200 {
        let at = tail(ratio);
        let mut gap = target - at.ln();
        if gap.abs() < 0.1 {
            // The quotient has digits that the difference of large logarithms has not.
            gap = (p / at.probability()).ln();
        }
        if gap > 0.0 {
            low = Some(ratio);
        } else {
            high = ratio;
        }
        let next = match low {
            Some(low) if gap.abs() > 1.0 => low.sqrt() * high.sqrt(),
            _ => (ratio * (gap / at.slope).clamp(-300.0, 300.0).exp()).min(1.0),
        };
        let settled = (next - ratio).abs() <= 4.0 * f64::EPSILON * ratio;
        ratio = next;
        if settled || ratio == 0.0 {
            break;
        }
    }
    ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(what: &str, value: f64, reference: f64) {
        let error = (value / reference - 1.0).abs();
        assert!(error < 1e-13, "{what}: {value:e} where {reference:e} was expected, off by {error:.1e}");
    }

    // References: mpmath with 40 digits; the densities integrated on the logarithmic scale, normalised by their value
    // at the bound so that the quadrature's own stopping rule does not cut tails short.

    /// z, P(Z > z).
    const NORMAL: &[(f64, f64)] = &[
        (1e-08, 0.4999999960105772),
        (0.5, 0.3085375387259869),
        (1.0, 0.15865525393145705),
        (1.959963984540054, 0.025000000000000012),
        (3.3, 0.0004834241423837775),
        (5.0, 2.866515718791939e-07),
        (8.0, 6.220960574271784e-16),
        (12.3, 4.5287069561587846e-35),
        (20.1, 3.6896808637213897e-90),
        (30.2, 1.1842914786109379e-200),
        (37.5, 4.605353009581955e-308),
        (-2.5, 0.9937903346742238),
    ];

    /// p, the z below which it lies.
    const NORMAL_QUANTILES: &[(f64, f64)] = &[
        (1e-300, -37.0470962993612),
        (1e-200, -30.20559417957964),
        (1e-100, -21.273453560965326),
        (1e-20, -9.262340089798407),
        (1e-05, -4.264890793922825),
        (0.025, -1.9599639845400543),
        (0.07, -1.4757910281791706),
        (0.3, -0.5244005127080408),
        (0.4999999, -2.5066282747031063e-07),
        (0.75, 0.6744897501960817),
    ];

    /// df, t, P(T > t).
    const STUDENT: &[(f64, f64, f64)] = &[
        (1.0, 2.0, 0.14758361765043326),
        (1.0, 0.3, 0.40722642092225764),
        (1.0, 1e+60, 3.183098861837907e-61),
        (1.5, 7.0, 0.0200339300616452),
        (2.5, 0.01, 0.49638199717895415),
        (3.0, 12.0, 0.0006225079003946683),
        (4.7, 2.1, 0.04665341397186004),
        (10.0, 2.2281388519649385, 0.025000000000904334),
        (30.0, 40.0, 6.863022597203201e-28),
        (120.5, 5.0, 9.846121322266735e-07),
        (1000.0, 2.0, 0.02288517324662582),
        (10000.0, 0.5, 0.3085430396616167),
        (100000.0, 3.5, 0.00023273026968555013),
        (1000000.0, 6.0, 9.869249061772174e-10),
        (10000000.0, 0.001, 0.4996010577960625),
        (1000000000.0, 2.0, 0.022750132083156623),
        (1000000000.0, 30.0, 4.9077098439837305e-198),
        (1000000000.0, 0.7, 0.24196365230449324),
        (235.25, 60.0, 6.850958019805895e-145),
        (50.0, 30000.0, 2.330453902336406e-183),
    ];

    /// df of the numerator, of the denominator, f, P(F <= f), P(F > f).
    const FISHER: &[(f64, f64, f64, f64, f64)] = &[
        (1.0, 10.0, 4.96, 0.9499123494335318, 0.05008765056646819),
        (2.0, 3.0, 0.1, 0.09226952823263668, 0.9077304717673633),
        (3.0, 1000000.0, 2.5, 0.9424409217292221, 0.05755907827077792),
        (5.0, 1000000000.0, 3.0, 0.9896376616996576, 0.010362338300342442),
        (100000.0, 100000.0, 1.01, 0.9421728006728459, 0.05782719932715407),
        (1000000000.0, 1000000000.0, 1.0001, 0.9430678148318506, 0.056932185168149387),
        (1000000000.0, 1000000000.0, 0.99995, 0.21459188150772177, 0.7854081184922782),
        (7.5, 22.25, 150.0, 1.0, 2.2110604415760763e-17),
        (20.0, 200.0, 1.1, 0.6482534274653411, 0.3517465725346589),
        (200.0, 20.0, 0.4, 0.0006702050740941158, 0.9993297949259059),
        (1.0, 1.0, 1e-08, 6.366197702455154e-05, 0.9999363380229754),
        (1000000000.0, 2.0, 5.0, 0.8187307531107311, 0.1812692468892689),
        (3.0, 1000000000.0, 1e-06, 1.3819753551435478e-09, 0.9999999986180247),
        (4.0, 60.0, 1000000000.0, 1.0, 5.944280075004816e-234),
    ];

    /// df, x, P(X <= x), P(X > x).
    const CHI_SQUARED: &[(f64, f64, f64, f64)] = &[
        (1.0, 3.841458820694124, 0.95, 0.05000000000000006),
        (1.0, 0.001, 0.025227120630039613, 0.9747728793699604),
        (2.5, 1.0, 0.283789952665313, 0.7162100473346871),
        (10.0, 60.0, 0.999999996375699, 3.6243009520614882e-09),
        (100.0, 90.0, 0.24680203440017026, 0.7531979655998298),
        (10000.0, 10500.0, 0.9997520526320106, 0.00024794736798936087),
        (1000000.0, 990000.0, 6.500171180085838e-13, 0.99999999999935),
        (1000000000.0, 1000100000.0, 0.9873243880050644, 0.012675611994935557),
        (3.0, 900.0, 1.0, 8.851690237125581e-195),
        (0.5, 1e-10, 0.0029337386158567917, 0.9970662613841432),
        (1000000000.0, 1000000000.0, 0.5000059470803873, 0.49999405291961274),
    ];

    #[test]
    fn normal_probabilities_and_quantiles() {
        for &(z, tail) in NORMAL {
            close(&format!("survival of {z}"), Normal.survival(z), tail);
            close(&format!("cdf of {}", -z), Normal.cdf(-z), tail);
            if z > 1e-3 {
                close(&format!("upper quantile of {tail:e}"), Normal.upper_quantile(tail), z);
            }
        }
        for &(p, z) in NORMAL_QUANTILES {
            close(&format!("quantile of {p}"), Normal.quantile(p), z);
        }
    }

    #[test]
    fn student_probabilities_and_quantiles() {
        for &(df, t, tail) in STUDENT {
            let student = StudentT::new(df).unwrap();
            close(&format!("t({df}) beyond {t}"), student.survival(t), tail);
            close(&format!("t({df}) below {}", -t), student.cdf(-t), tail);
            close(&format!("t({df}) at most {t}"), student.cdf(t), 1.0 - tail);
            if tail < 0.4 {
                close(&format!("t({df}) upper quantile of {tail:e}"), student.upper_quantile(tail), t);
            }
        }
    }

    #[test]
    fn fisher_probabilities_and_quantiles() {
        for &(numerator, denominator, f, below, above) in FISHER {
            let fisher = FisherF::new(numerator, denominator).unwrap();
            let what = format!("F({numerator}, {denominator}) at {f}");
            close(&what, fisher.cdf(f), below);
            close(&what, fisher.survival(f), above);
            if below < 0.6 {
                close(&format!("{what}, quantile"), fisher.quantile(below), f);
            } else {
                close(&format!("{what}, upper quantile"), fisher.upper_quantile(above), f);
            }
        }
    }

    #[test]
    fn chi_squared_probabilities_and_quantiles() {
        for &(df, x, below, above) in CHI_SQUARED {
            let chi_squared = ChiSquared::new(df).unwrap();
            let what = format!("chi-squared({df}) at {x}");
            close(&what, chi_squared.cdf(x), below);
            close(&what, chi_squared.survival(x), above);
            if below < 0.6 {
                close(&format!("{what}, quantile"), chi_squared.quantile(below), x);
            } else {
                close(&format!("{what}, upper quantile"), chi_squared.upper_quantile(above), x);
            }
        }
    }

    #[test]
    fn closed_forms_and_borders() {
        let cauchy = StudentT::new(1.0).unwrap();
        for t in [1e-3, 0.5, 3.0, 1e90, 1e110, 1e200, 1e300] {
            close(&format!("Cauchy beyond {t}"), cauchy.survival(t), (1.0 / t).atan() / std::f64::consts::PI);
        }
        close("Cauchy quantile", cauchy.upper_quantile(1e-250), 1e250 / std::f64::consts::PI);
        let exponential = ChiSquared::new(2.0).unwrap();
        for x in [1e-10f64, 0.3, 2.0, 7.0, 1400.0] {
            close(&format!("exponential beyond {x}"), exponential.survival(x), (-0.5 * x).exp());
            close(&format!("exponential below {x}"), exponential.cdf(x), -(-0.5 * x).exp_m1());
        }
        let student = StudentT::new(7.5).unwrap();
        assert_eq!(student.cdf(0.0), 0.5);
        assert_eq!(student.quantile(0.5), 0.0);
        assert_eq!(student.two_sided(f64::INFINITY), 0.0);
        assert_eq!((student.quantile(0.0), student.quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        let fisher = FisherF::new(3.0, 8.0).unwrap();
        assert_eq!((fisher.cdf(0.0), fisher.cdf(-1.0), fisher.cdf(f64::INFINITY)), (0.0, 0.0, 1.0));
        assert_eq!((fisher.quantile(0.0), fisher.quantile(1.0)), (0.0, f64::INFINITY));
        assert_eq!(exponential.survival(f64::INFINITY), 0.0);
        for nonsense in
            [student.cdf(f64::NAN), fisher.survival(f64::NAN), exponential.cdf(f64::NAN), Normal.cdf(f64::NAN)]
        {
            assert!(nonsense.is_nan());
        }
        for not_a_probability in [-0.1, 1.1, f64::NAN] {
            assert!(student.quantile(not_a_probability).is_nan() && Normal.quantile(not_a_probability).is_nan());
            assert!(fisher.quantile(not_a_probability).is_nan() && exponential.quantile(not_a_probability).is_nan());
        }
    }

    #[test]
    fn critical_values_of_the_tables() {
        close("normal, 95%", Normal.critical(0.95), 1.959963984540054);
        close("t(1), 95%", StudentT::new(1.0).unwrap().critical(0.95), 12.706204736174705);
        close("t(10), 99%", StudentT::new(10.0).unwrap().critical(0.99), 3.169_272_672_616_951);
    }

    #[test]
    fn degrees_of_freedom_are_positive() {
        for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let message = StudentT::new(df).unwrap_err().to_string();
            assert_eq!(message, format!("degrees of freedom is {df} and must be positive and finite"));
        }
    }
}
