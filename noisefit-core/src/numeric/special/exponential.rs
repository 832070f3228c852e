//! The exponential of numbers of two words: rounding an exponent alone would cost half as many units in the last place of
//! the result as the exponent is large.

use crate::numeric::double_double::DoubleDouble;

/// `exp(x)`.
pub(crate) fn exp(x: DoubleDouble) -> f64 {
    x.high.exp() * (1.0 + x.low)
}

/// `exp(a b)`, 0 where that is less than any double.
pub(crate) fn exp_product(a: DoubleDouble, b: f64) -> f64 {
    if a.high * b < -746.0 { 0.0 } else { exp(a * b) }
}
