//! The ratio of gamma functions half a step apart, as Student's t has it.

use crate::numeric::special::elementary::polynomial;

/// `w(u) = ln Gamma(x + 1/2) - ln Gamma(x) - ln(x) / 2` at `x = 1 / (2 u)` with its first two derivatives by `u`, for
/// `0 <= u`. It vanishes at zero, where logarithms of the gamma functions themselves would cancel.
///
/// By the asymptotic series for `x >= 16` (Tricomi and Erdelyi 1951, *Pacific Journal of Mathematics* 1, 133-142), and by
/// the recurrence of the gamma function up to there.
pub(crate) fn log_gamma_ratio(u: f64) -> [f64; 3] {
    const LEAST: f64 = 16.0;
    if u * 2.0 * LEAST <= 1.0 {
        return series(u);
    }
    let x = 0.5 / u;
    let (mut raised, mut sums) = (x, [0.0; 3]);
    while raised < LEAST {
        let next = raised + 0.5;
        sums[0] -= (0.5 / raised).ln_1p();
        sums[1] += 0.5 / (raised * next);
        sums[2] -= 0.5 * (raised + next) / (raised * next).powi(2);
        raised += 1.0;
    }
    let [value, slope, curvature] = series(0.5 / raised);
    // The series' derivatives by x, where d(1 / (2 x)) / dx = -2 u^2.
    let v = 0.5 / raised;
    let by_x = [-2.0 * v * v * slope, 4.0 * v.powi(4) * curvature + 8.0 * v.powi(3) * slope];
    let value = value + 0.5 * (raised / x).ln() + sums[0];
    let first = by_x[0] + 0.5 * (1.0 / raised - 1.0 / x) + sums[1];
    let second = by_x[1] + 0.5 * (1.0 / (x * x) - 1.0 / (raised * raised)) + sums[2];
    [value, -first / (2.0 * u * u), second / (4.0 * u.powi(4)) + first / u.powi(3)]
}

fn series(u: f64) -> [f64; 3] {
    const ODD: [f64; 7] =
        [-1.0 / 4.0, 1.0 / 24.0, -1.0 / 20.0, 17.0 / 112.0, -31.0 / 36.0, 691.0 / 88.0, -5461.0 / 52.0];
    let (mut slope, mut curvature) = (ODD, ODD);
    for (k, coefficient) in ODD.iter().enumerate() {
        let power = (2 * k + 1) as f64;
        slope[k] = coefficient * power;
        curvature[k] = coefficient * power * (power - 1.0);
    }
    let square = u * u;
    // The curvature's first coefficient is zero, and the others have one power of u less than the square.
    let [_, rest @ ..] = curvature;
    [u * polynomial(&ODD, square), polynomial(&slope, square), u * polynomial(&rest, square)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_and_derivatives_against_sixty_digits() {
        // mpmath: loggamma, digamma, trigamma.
        for (u, expected) in [
            (2.0, [-0.39159439270683677, -0.14269908169872417, 0.0387076831544194]),
            (1.0, [-0.22579135264472744, -0.19314718055994531, 0.0638273276957774]),
            (0.7, [-0.16486294617454506, -0.21336497105694732, 0.07014710145705023]),
            (0.25, [-0.0618907198070535, -0.24297844437420837, 0.050943667122206486]),
            (0.1, [-0.024958818946279514, -0.24877400749753256, 0.024058281231485422]),
            (0.033, [-0.008248504575340354, -0.24986417011883488, 0.008214309885068447]),
            (0.03125, [-0.007811229919967624, -0.2498781671235219, 0.0077821706313479615]),
            (0.02, [-0.004999666826472821, -0.24995003993219753, 0.004992020321078918]),
            (0.001, [-0.00024999995833338334, -0.24999987500025, 0.00024999900000637494]),
            (1e-08, [-2.5e-09, -0.25, 2.4999999999999992e-09]),
        ] {
            let u: f64 = u;
            for (order, (found, expected)) in log_gamma_ratio(u).into_iter().zip(expected).enumerate() {
                let expected: f64 = expected;
                // Each derivative divides what is rounded by u.
                let rounding = 2e-15 * (expected.abs() + u.min(1.0) / u.max(0.03).powi(order as i32));
                assert!((found - expected).abs() <= rounding, "{u}, {order}: {found:e} {expected:e}");
            }
        }
        assert_eq!(log_gamma_ratio(0.0), [0.0, -0.25, 0.0]);
    }
}
