//! The exponential of singles in arithmetic alone, so that loops over it vectorise.

/// `exp(x) - 1` to about a relative 2e-7, for any `x`: beyond `-87..88` as at these ends. NaN gives NaN.
#[inline(always)]
pub(crate) fn exp_minus_one(x: f32) -> f32 {
    let (power, rest) = parts(x);
    power * rest + (power - 1.0)
}

/// `exp(x)`, likewise.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let (power, rest) = parts(x);
    power + power * rest
}

/// The power of two in `exp(x)`, and by what share the exponential is more than it.
#[inline(always)]
fn parts(x: f32) -> (f32, f32) {
    // 1.5 * 2^23: adding it leaves the rounded integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let f = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    // Taylor's series: the next term is below 3e-9 for |f| up to half of ln 2.
    let tail =
        1.0 / 2.0 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0 + f * (1.0 / 5040.0)))));
    (power, f + f * f * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_those_of_doubles() {
        for k in -80_000..=80_000 {
            let x = k as f32 * 1e-3 + 1.3e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "{x}");
            let exact = f64::from(x).exp_m1();
            assert!((f64::from(exp_minus_one(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan() && exp(200.0).is_finite() && exp(-200.0) < 1e-37);
    }
}
