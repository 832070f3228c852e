//! The shapes of losses: functions of a residual that noise families and array losses share.
//!
//! A noise family's negative log density is a shape plus the constant that makes the density integrate to one; an array
//! loss is a shape times a factor. Each shape is written here once, without branches, so that loops over it vectorise,
//! and without fused multiply-add, so that every processor gives the same bits.
//!
//! NaN gives NaN. A value overflows to infinity only where the value itself does.

use crate::numeric::special::elementary::{exp_within, polynomial};

/// A function of a residual, zero at zero, with its derivative.
pub trait Shape: Copy + Send + Sync {
    /// The function.
    fn value(self, r: f64) -> f64;

    /// Its derivative; at a kink the subgradient that the shape documents.
    fn slope(self, r: f64) -> f64;
}

/// `r^2 / 2`, with slope `r`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Square;

impl Shape for Square {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        0.5 * r * r
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        r
    }
}

/// `|r|`, with slope `sign(r)`; 0 at the kink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absolute;

impl Shape for Absolute {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        r.abs()
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        sign_or(r, -1.0, 1.0)
    }
}

/// A parabola of curvature `steepness` that continues as its tangents beyond `|r| = knee` (Huber 1964, *Annals of
/// Mathematical Statistics* 35, 73-101): `steepness r^2 / 2` inside, `steepness knee (|r| - knee / 2)` outside.
///
/// The slope is continuous: `steepness r`, at most `steepness knee` in size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Huber {
    /// Where the parabola ends.
    pub knee: f64,
    /// Its second derivative.
    pub steepness: f64,
}

impl Shape for Huber {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        let size = r.abs();
        let inner = if size < self.knee { size } else { self.knee };
        self.steepness * inner * (size - 0.5 * inner)
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        self.steepness * if r.abs() > self.knee { self.knee.copysign(r) } else { r }
    }
}

/// `tau r` above zero and `(tau - 1) r` below, the check function of quantile regression (Koenker and Bassett 1978,
/// *Econometrica* 46, 33-50). The slope at the kink is 0, which lies between those of the two sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// The quantile's level, between 0 and 1.
    pub tau: f64,
}

impl Shape for Check {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        r * if r < 0.0 { self.tau - 1.0 } else { self.tau }
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        sign_or(r, self.tau - 1.0, self.tau)
    }
}

/// `ln cosh r`, with slope `tanh r`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCosh;

impl Shape for LogCosh {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        let (size, square) = (r.abs(), r * r);
        let near = square * polynomial(&LOG_COSH_OVER_SQUARE, square);
        // |r| - ln 2 + ln(1 + e) with ln(1 + e) = 2 atanh(s).
        let e = exp_minus_twice(size);
        let s = e / (2.0 + e);
        let far = size - (std::f64::consts::LN_2 - 2.0 * s * polynomial(&ATANH, s * s));
        if size < 1.0 { near } else { far }
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        let size = r.abs();
        let near = r * polynomial(&TANH_OVER_ARGUMENT, r * r);
        let e = exp_minus_twice(size);
        let far = 1.0 - 2.0 * e / (1.0 + e);
        // The comparison that NaN fails keeps it.
        if size >= 1.0 { far.copysign(r) } else { near }
    }
}

/// One value for negative `r`, another for positive; zero and NaN stay.
#[inline(always)]
fn sign_or(r: f64, negative: f64, positive: f64) -> f64 {
    if r > 0.0 {
        positive
    } else if r < 0.0 {
        negative
    } else {
        r
    }
}

/// `exp(-2 size)` for `size >= 1`, in arithmetic alone; some 1e-35 where it is less.
#[inline(always)]
fn exp_minus_twice(size: f64) -> f64 {
    exp_within(-2.0 * if size < 40.0 { size } else { 40.0 })
}

/// `ln cosh(sqrt q) / q` on `[0, 1]`, relative error 1e-17 (interpolation at Chebyshev points).
const LOG_COSH_OVER_SQUARE: [f64; 16] = [
    0.5,
    -0.083_333_333_333_333_13,
    0.022_222_222_222_204_716,
    -0.006_746_031_745_439_467,
    0.002_186_948_843_058_455,
    -0.000_738_602_846_607_254_7,
    0.000_256_579_759_209_489_54,
    -9.098_560_965_553_69e-5,
    3.276_489_941_653_655e-5,
    -1.191_868_762_352_282_9e-5,
    4.331_402_571_628_952e-6,
    -1.528_184_821_287_565_5e-6,
    4.924_539_882_543_482e-7,
    -1.306_815_732_543_496_4e-7,
    2.426_805_136_770_038_3e-8,
    -2.276_419_808_272_795_2e-9,
];

/// `tanh(sqrt q) / sqrt q` on `[0, 1]`, relative error 6e-17 (interpolation at Chebyshev points).
const TANH_OVER_ARGUMENT: [f64; 16] = [
    1.0,
    -0.333_333_333_333_327_3,
    0.133_333_333_332_821_13,
    -0.053_968_253_950_917_73,
    0.021_869_488_226_930_838,
    -0.008_863_232_181_130_274,
    0.003_592_104_115_230_281,
    -0.001_455_715_590_779_28,
    0.000_589_602_895_085_616_6,
    -0.000_238_012_363_234_799_05,
    9.472_256_075_732_066e-5,
    -3.603_918_536_997_382e-5,
    1.230_680_529_534_998_3e-5,
    -3.402_993_826_979_274e-6,
    6.496_857_637_862_531e-7,
    -6.206_753_306_453_65e-8,
];

/// `atanh(s) / s` in `s^2`, for `s < 0.07`.
const ATANH: [f64; 7] = [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_cosh_to_a_few_units_in_the_last_place() {
        // r, ln cosh r, tanh r: mpmath, 40 digits.
        for (r, value, slope) in [
            (1e-150, 5e-301, 1e-150),
            (1e-08, 5e-17, 1e-08),
            (0.03, 0.00044993251619557516, 0.029991003238820143),
            (0.5, 0.12011450695827752, 0.46211715726000974),
            (0.75, 0.2582660974228071, 0.6351489523872873),
            (0.9999999, 0.43378075432361374, 0.7615941139583275),
            (1.0, 0.4337808304830272, 0.7615941559557649),
            (1.0000001, 0.43378090664244495, 0.7615941979531958),
            (1.3, 0.6784975114077245, 0.8617231593133063),
            (2.0, 1.3250027473578645, 0.9640275800758169),
            (5.5, 4.806869521001373, 0.9999665971563038),
            (19.0, 18.306852819440056, 0.9999999999999999),
            (45.0, 44.30685281944005, 1.0),
            (700.0, 699.3068528194401, 1.0),
        ] {
            assert!((LogCosh.value(r) / value - 1.0).abs() < 1e-15, "ln cosh {r}: {:e}", LogCosh.value(r));
            assert!((LogCosh.slope(-r) / -slope - 1.0).abs() < 1e-15, "tanh {r}: {:e}", LogCosh.slope(r));
        }
        assert_eq!((LogCosh.value(0.0), LogCosh.slope(0.0)), (0.0, 0.0));
        assert_eq!((LogCosh.value(1e300), LogCosh.slope(-1e300)), (1e300, -1.0));
    }

    #[test]
    fn nan_stays_nan_and_infinity_infinite() {
        fn check(shape: impl Shape) {
            assert!(shape.value(f64::NAN).is_nan() && shape.slope(f64::NAN).is_nan());
            assert_eq!(shape.value(f64::INFINITY), f64::INFINITY);
            assert_eq!(shape.value(f64::NEG_INFINITY), f64::INFINITY);
            assert!(shape.slope(f64::INFINITY) > 0.0 && shape.slope(f64::NEG_INFINITY) < 0.0);
        }
        check(Square);
        check(Absolute);
        check(Huber { knee: 1.5, steepness: 1.0 });
        check(Check { tau: 0.3 });
        check(LogCosh);
    }
}
