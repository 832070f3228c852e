//! Arithmetic with twice the digits of a double: a number as an unevaluated sum of two doubles, 106 bits in all.
//!
//! The algorithms are those with proved bounds on the relative error, in units of `u^2 = 2^-106 = 1.2e-32`:
//! sum and difference 3, product 4, quotient 15, square root 25/8. All but the square root of zero are free of
//! branches, so that loops over slices become vector code; a fused multiply-add is assumed, which without the machine's
//! own (a function that enables `fma`) is a slow but right library call.
//!
//! Sources: Dekker 1971, *A floating-point technique for extending the available precision*; Hida, Li and Bailey 2001,
//! *Algorithms for quad-double precision floating point arithmetic*; Joldes, Muller and Popescu 2017, *Tight and
//! rigorous error bounds for basic building blocks of double-word arithmetic*; Lefevre, Louvet, Muller, Picot and
//! Rideau 2023, *Accurate calculation of Euclidean norms using double-word arithmetic* (the square root).

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// The sum of `a` and `b` rounded, and exactly what the rounding left out. Knuth's algorithm, for any order of size.
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// [`two_sum`] where `|a| >= |b|` or `a` is zero. Dekker's algorithm.
#[inline(always)]
pub fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The product of `a` and `b` rounded, and exactly what the rounding left out (unless that underflows).
#[inline(always)]
pub fn two_prod(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The number `high + low`, where `low` is at most half a unit in the last place of `high`.
///
/// Anything that overflows or starts from an infinite number ends with NaN in a word; see [`DoubleDouble::is_finite`].
///
/// ```
/// use noisefit_core::numeric::double_double::DoubleDouble;
///
/// let tenth = DoubleDouble::from(1.0) / 10.0;
/// assert_eq!((tenth.high, tenth.low), (0.1, -5.551115123125783e-18)); // 0.1 is a little more than a tenth
/// assert!((tenth * 10.0 - 1.0).to_f64().abs() < 1e-31);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct DoubleDouble {
    /// The number rounded to a double.
    pub high: f64,
    /// What the rounding left out.
    pub low: f64,
}

impl DoubleDouble {
    /// 0.
    pub const ZERO: DoubleDouble = DoubleDouble { high: 0.0, low: 0.0 };
    /// 1.
    pub const ONE: DoubleDouble = DoubleDouble { high: 1.0, low: 0.0 };

    /// `a + b`, exactly, for any two doubles: a double and a correction of any size.
    #[inline(always)]
    pub fn from_sum(a: f64, b: f64) -> Self {
        let (high, low) = two_sum(a, b);
        DoubleDouble { high, low }
    }

    /// `a b`, exactly (unless the low word underflows).
    #[inline(always)]
    pub fn from_product(a: f64, b: f64) -> Self {
        let (high, low) = two_prod(a, b);
        DoubleDouble { high, low }
    }

    #[inline(always)]
    fn normalised(high: f64, low: f64) -> Self {
        let (high, low) = quick_two_sum(high, low);
        DoubleDouble { high, low }
    }

    /// The nearest double.
    #[inline(always)]
    pub fn to_f64(self) -> f64 {
        self.high + self.low
    }

    /// Whether no operation on the way here overflowed.
    #[inline(always)]
    pub fn is_finite(self) -> bool {
        self.high.is_finite() && self.low.is_finite()
    }

    /// The number without its sign.
    #[inline(always)]
    #[must_use]
    pub fn abs(self) -> Self {
        let sign = 1.0f64.copysign(self.high);
        DoubleDouble { high: self.high * sign, low: self.low * sign }
    }

    /// The number times itself.
    #[inline(always)]
    #[must_use]
    pub fn square(self) -> Self {
        self * self
    }

    /// The square root; NaN of a negative number.
    #[inline(always)]
    #[must_use]
    pub fn sqrt(self) -> Self {
        if self.high == 0.0 {
            return self;
        }
        let root = self.high.sqrt();
        let remainder = root.mul_add(-root, self.high) + self.low;
        Self::normalised(root, remainder / (2.0 * root))
    }

    /// The number to an integer power, by repeated squaring; the zeroth power is 1.
    #[inline(always)]
    #[must_use]
    pub fn powi(self, exponent: i32) -> Self {
        let mut remaining = exponent.unsigned_abs();
        let (mut power, mut square) = (Self::ONE, self);
        while remaining > 0 {
            if remaining & 1 == 1 {
                power *= square;
            }
            remaining >>= 1;
            if remaining > 0 {
                square *= square;
            }
        }
        if exponent < 0 { Self::ONE / power } else { power }
    }
}

impl From<f64> for DoubleDouble {
    #[inline(always)]
    fn from(high: f64) -> Self {
        DoubleDouble { high, low: 0.0 }
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        DoubleDouble { high: -self.high, low: -self.low }
    }
}

/// Joldes, Muller and Popescu's algorithm 6, the accurate one: no loss where the terms have opposite signs.
impl Add for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (high, high_rest) = two_sum(self.high, other.high);
        let (low, low_rest) = two_sum(self.low, other.low);
        let (high, rest) = quick_two_sum(high, high_rest + low);
        Self::normalised(high, rest + low_rest)
    }
}

/// Algorithm 4.
impl Add<f64> for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        let (high, rest) = two_sum(self.high, other);
        Self::normalised(high, rest + self.low)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Sub<f64> for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

/// Algorithm 12.
impl Mul for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (high, rest) = two_prod(self.high, other.high);
        let cross = self.high.mul_add(other.low, self.low * other.low);
        Self::normalised(high, rest + self.low.mul_add(other.high, cross))
    }
}

/// Algorithm 9.
impl Mul<f64> for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        let (high, rest) = two_prod(self.high, other);
        Self::normalised(high, self.low.mul_add(other, rest))
    }
}

/// Algorithm 17.
impl Div for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let quotient = self.high / other.high;
        let product = other * quotient;
        let remainder = (self.high - product.high) + (self.low - product.low);
        Self::normalised(quotient, remainder / other.high)
    }
}

/// Algorithm 15.
impl Div<f64> for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        let quotient = self.high / other;
        let (product, rest) = two_prod(quotient, other);
        let remainder = ((self.high - product) - rest) + self.low;
        Self::normalised(quotient, remainder / other)
    }
}

macro_rules! assigning {
    ($($Trait:ident, $method:ident, $Operator:ident, $operator:tt;)*) => {$(
        impl<T> $Trait<T> for DoubleDouble
        where
            Self: $Operator<T, Output = Self>,
        {
            #[inline(always)]
            fn $method(&mut self, other: T) {
                *self = *self $operator other;
            }
        }
    )*};
}

assigning! {
    AddAssign, add_assign, Add, +;
    SubAssign, sub_assign, Sub, -;
    MulAssign, mul_assign, Mul, *;
    DivAssign, div_assign, Div, /;
}

#[cfg(test)]
mod tests {
    use super::*;

    // 40-digit values rounded to two words; they do not come from this code.
    const PI: DoubleDouble = DoubleDouble { high: std::f64::consts::PI, low: 1.2246467991473532e-16 };
    const E: DoubleDouble = DoubleDouble { high: std::f64::consts::E, low: 1.4456468917292502e-16 };

    /// Numbers of up to 53 bits and either sign, from the SplitMix64 generator.
    fn integers(seed: u64) -> impl Iterator<Item = i64> {
        let mut state = seed;
        std::iter::from_fn(move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            Some((z as i64) >> (11 + (state >> 60)))
        })
    }

    /// An integer of up to 105 bits, without rounding.
    fn from_integer(value: i128) -> DoubleDouble {
        let high = value as f64;
        DoubleDouble { high, low: (value - high as i128) as f64 }
    }

    fn to_integer(value: DoubleDouble) -> i128 {
        value.high as i128 + value.low as i128
    }

    /// `|found - exact| <= units 2^-106 |exact|`.
    fn assert_near(found: DoubleDouble, exact: DoubleDouble, units: f64) {
        let error = ((found.high - exact.high) + (found.low - exact.low)).abs();
        assert!(error <= units * 2f64.powi(-106) * exact.high.abs(), "{found:?} instead of {exact:?}");
    }

    #[test]
    fn sums_and_products_of_two_doubles_are_exact() {
        for (a, b) in integers(1).zip(integers(2)).take(10_000) {
            let (high, low) = two_prod(a as f64, b as f64);
            assert_eq!(high as i128 + low as i128, i128::from(a) * i128::from(b));
            let wide = i128::from(b) << 40;
            let (high, low) = two_sum(a as f64, wide as f64);
            assert_eq!(high as i128 + low as i128, i128::from(a) + wide);
            let (larger, smaller) = if a.abs() > b.abs() { (a, b) } else { (b, a) };
            assert_eq!(quick_two_sum(larger as f64, smaller as f64), two_sum(a as f64, b as f64));
        }
    }

    #[test]
    fn sums_and_differences_are_within_three_units_of_integer_arithmetic() {
        let wide = || integers(3).zip(integers(4)).map(|(a, b)| (i128::from(a) << 48) + i128::from(b));
        for (a, b) in wide().zip(wide().skip(1)).take(10_000) {
            for (found, exact) in [
                (from_integer(a) + from_integer(b), a + b),
                (from_integer(a) - from_integer(b), a - b),
                (from_integer(a) - a as f64, a - a as f64 as i128),
            ] {
                let allowed = 3.0 * 2f64.powi(-106) * exact.unsigned_abs() as f64;
                assert!((to_integer(found) - exact).unsigned_abs() as f64 <= allowed, "{found:?} instead of {exact}");
            }
        }
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_dividend() {
        for (a, b) in integers(5).zip(integers(6)).filter(|&(_, b)| b != 0).take(10_000) {
            let exact = from_integer(i128::from(a) * i128::from(b));
            assert_near(exact / b as f64, DoubleDouble::from(a as f64), 3.0);
            assert_near(exact / DoubleDouble::from(b as f64), DoubleDouble::from(a as f64), 15.0);
        }
    }

    #[test]
    fn irrational_numbers_agree_with_forty_digit_references() {
        let of = |high, low| DoubleDouble { high, low };
        assert_near(PI + E, of(5.859874482048839, -1.7705984076240228e-16), 3.0);
        assert_near(PI - E, of(0.423310825130748, -2.2100009258189695e-17), 3.0);
        assert_near(PI * E, of(8.539734222673568, -6.773815290502424e-16), 4.0);
        assert_near(PI / E, of(1.1557273497909217, -1.3998972600526045e-17), 15.0);
        assert_near(PI / 3.0, of(std::f64::consts::FRAC_PI_3, -1.072081766451091e-16), 3.0);
        assert_near(PI * 0.1, of(0.31415926535897937, -2.5825340749741136e-17), 2.0);
        assert_near(PI.sqrt(), of(1.772453850905516, -7.666586499825799e-17), 3.125);
        let sqrt_2 = of(std::f64::consts::SQRT_2, -9.667293313452913e-17);
        assert_near(DoubleDouble::from(2.0).sqrt(), sqrt_2, 3.125);
        assert_near(PI.powi(10), of(93648.04747608303, -4.711794839260728e-12), 40.0);
        assert_near(PI.powi(-7), of(0.00033109368017756675, 1.9147494860329543e-20), 40.0);
        let filip = of(-8.781464495, -1.8530499801272526e-16);
        assert_near(filip.powi(10), of(2726901792.451598, 1.6562289434739101e-07), 40.0);
    }

    #[test]
    fn zero_signs_order_and_overflow() {
        assert_eq!(DoubleDouble::ZERO.sqrt(), DoubleDouble::ZERO);
        assert!(DoubleDouble::from(-1.0).sqrt().high.is_nan());
        assert_eq!(PI.powi(0), DoubleDouble::ONE);
        assert_eq!((-PI).abs(), PI);
        assert_eq!((-PI).square(), PI * PI);
        assert!(PI > DoubleDouble::from(PI.high) && -PI < DoubleDouble::from(-PI.high));
        assert!(PI.is_finite() && !(DoubleDouble::from(f64::MAX) * 2.0).is_finite());
        assert_eq!((PI - PI.high).to_f64(), PI.low);
        let mut sum = DoubleDouble::from_sum(0.1, 1.0);
        sum -= 1.0;
        assert_eq!(sum.to_f64(), 0.1);
        assert_eq!(DoubleDouble::from_product(0.1, 10.0).low, 5.551115123125783e-17);
    }
}
