//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::numeric::special::exponential::exp_product;

/// What the double `FRAC_1_SQRT_2` leaves out of `1 / sqrt(2)`.
const FRAC_1_SQRT_2_LOW: f64 = -4.833646656726457e-17;

/// `P(Z > z)`, to a few units in the last place however far out.
///
/// The error function itself is accurate, but rounding its argument `z / sqrt(2)` alone costs `z^2` units, so what the
/// rounding left out is put back through the derivative.
pub(crate) fn survival(z: f64) -> f64 {
    if z.is_infinite() {
        return if z > 0.0 { 0.0 } else { 1.0 };
    }
    let x = z * FRAC_1_SQRT_2;
    let left_out = z.mul_add(FRAC_1_SQRT_2, -x) + z * FRAC_1_SQRT_2_LOW;
    let square = x * x;
    0.5 * (libm::erfc(x) - left_out * FRAC_2_SQRT_PI * (-square).exp())
}

/// `P(Z <= z)`.
pub(crate) fn cumulative(z: f64) -> f64 {
    survival(-z)
}

/// The `z` with `P(Z <= z) = p`.
///
/// Algorithm AS 241 (Wichura 1988, *Applied Statistics* 37, 477-484), its PPND16, good to about 1e-16.
pub(crate) fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= CENTRE {
        return central_quantile(q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        polynomial(&MIDDLE_NUMERATOR, r - 1.6) / polynomial(&MIDDLE_DENOMINATOR, r - 1.6)
    } else {
        polynomial(&FAR_NUMERATOR, r - 5.0) / polynomial(&FAR_DENOMINATOR, r - 5.0)
    };
    z.copysign(q)
}

/// Up to this far from one half a probability belongs to the centre.
const CENTRE: f64 = 0.425;

/// The `z` with `P(0 < Z <= z) = q`, where `|q| <= 0.425`: accurate in relative terms next to 0.
pub(crate) fn central_quantile(q: f64) -> f64 {
    let r = CENTRE * CENTRE - q * q;
    q * polynomial(&CENTRE_NUMERATOR, r) / polynomial(&CENTRE_DENOMINATOR, r)
}

/// `P(0 < Z <= z)`, accurate in relative terms next to 0.
pub(crate) fn central(z: f64) -> f64 {
    0.5 * libm::erf(z * FRAC_1_SQRT_2)
}

/// `exp(-z^2 / 2)`, to a unit in the last place however far out.
pub(crate) fn bell(z: f64) -> f64 {
    exp_product(z.into(), -0.5 * z)
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_545e3,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];
