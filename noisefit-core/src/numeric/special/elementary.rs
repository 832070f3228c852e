//! Exponential and logarithm in arithmetic alone: without branches or calls, so that loops over them vectorise, and without
//! fused multiply-add, so that every processor gives the same bits.

/// `exp(x)` to a unit in the last place; arguments beyond `-708..709` count as these ends. NaN gives NaN.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let x = if x < -708.0 { -708.0 } else { x };
    exp_within(if x > 709.0 { 709.0 } else { x })
}

/// The same for arguments that are known to lie within `-708..709`.
#[inline(always)]
pub(crate) fn exp_within(x: f64) -> f64 {
    // 1.5 * 2^52: adding it leaves the rounded integer in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let fraction = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    power * polynomial(&EXP, fraction)
}

/// `ln(1 + q)` and `(q - ln(1 + q)) / q^2`, which is one half at zero, for `q >= 0`.
#[inline(always)]
pub(crate) fn ln_1p(q: f64) -> (f64, f64) {
    // The bits of the root of one half: significands are taken between it and the root of two.
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    // 2^52, whose low bits hold an integer.
    const INTEGER: u64 = 0x4330_0000_0000_0000;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let bits = (1.0 + q).to_bits().wrapping_add(ONE - ROOT_HALF);
    let k = f64::from_bits(INTEGER | (bits >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let significand = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + ROOT_HALF);
    // Where the power of two is one, what adding one to q rounds off is not lost.
    let near = q < 0.414;
    let f = if near { q } else { significand - 1.0 };
    // ln(1 + f) = 2 atanh(s) with s = f / (2 + f), and f - 2 s = s f.
    let inverse = 1.0 / (2.0 + f);
    let s = f * inverse;
    let square = s * s;
    let tail = polynomial(&ATANH_TAIL, square);
    let ln = if near { 0.0 } else { k * LN_2_HIGH }
        + (2.0 * s + (2.0 * s * square * tail + if near { 0.0 } else { k * LN_2_LOW }));
    let rest = if near { inverse - 2.0 * f * (inverse * inverse) * (inverse * tail) } else { (q - ln) / (q * q) };
    (ln, rest)
}

#[inline(always)]
pub(crate) fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut sum = coefficients[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum * x + coefficients[k];
    }
    sum
}

/// `(atanh(s) / s - 1) / s^2` in `s^2`, for `s < 0.172`.
const ATANH_TAIL: [f64; 11] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
];

/// Taylor's series of the exponential, for arguments up to half of `ln 2`.
const EXP: [f64; 14] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_to_a_unit_in_the_last_place() {
        for i in -7000..7000 {
            let x = f64::from(i) * 0.1 + 1e-3 * f64::from(i).sin();
            // The library's own is right to half a unit.
            assert!((exp(x) / x.exp() - 1.0).abs() < 4e-16, "{x}: {:e}", exp(x) / x.exp() - 1.0);
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e300) < 1e-307 && exp(1e300) > 1e307 && exp(f64::NAN).is_nan());
    }

    #[test]
    fn logarithms_to_a_few_units_in_the_last_place() {
        // q, ln(1 + q), (q - ln(1 + q)) / q^2: mpmath, 60 digits.
        for (q, ln, rest) in [
            (0.0, 0.0, 0.5),
            (1e-300, 1e-300, 0.5),
            (1e-20, 1e-20, 0.5),
            (3e-09, 2.9999999955e-09, 0.49999999900000003),
            (0.0001, 9.999500033330834e-05, 0.4999666691664667),
            (0.03, 0.0295588022415444, 0.4902197316173303),
            (0.2, 0.18232155679395465, 0.44196108015113433),
            (0.41, 0.3435897043900769, 0.395064221355878),
            (0.4139999, 0.34642249675302067, 0.3942766219344658),
            (0.414, 0.346422567474381, 0.394276602287212),
            (0.42, 0.35065687161316933, 0.39310163484597865),
            (0.9999, 0.6930971793099037, 0.3068641904595464),
            (1.0, std::f64::consts::LN_2, 1.0 - std::f64::consts::LN_2),
            (1.8, 1.0296194171811583, 0.23777178482063016),
            (3.0000001, 1.3862943861198902, 0.17930062292219268),
            (17.5, 2.917770732084279, 0.047615442507479906),
            (100000.0, 11.51293546492023, 9.998848706453508e-06),
            (1e+20, 46.051701859880914, 1e-20),
            (1e+150, 345.38776394910684, 1e-150),
        ] {
            let found = ln_1p(q);
            assert!((found.0 - ln).abs() <= 3e-16 * ln, "ln(1 + {q:e}): {:e}", found.0);
            assert!((found.1 - rest).abs() <= 2e-15 * rest, "rest at {q:e}: {:e} {rest:e}", found.1);
        }
    }
}
