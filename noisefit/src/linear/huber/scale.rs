//! What determines the scale of Huber's noise: the expectations that proposal 2 compares with, and the scale of a given
//! knee.

use crate::noise::{Huber, NoiseFamily};
use crate::special::normal;

/// So far out nothing tells the noise from Gaussian noise.
const FARTHEST_KNEE: f64 = 1e100;

/// `E[min(Z^2, k^2)]` of a standard normal `Z`.
pub(super) fn expected_clipped_square(k: f64) -> f64 {
    let outside = 2.0 * k * k * normal::survival(k);
    if k > 1.0 {
        return 2.0 * normal::central(k) - 2.0 * k * density(k) + outside;
    }
    // The difference as a sum: k^3 / 3 + k^5 / (3 5) + k^7 / (3 5 7) + ...
    let (mut term, mut sum) = (k, 0.0);
    for odd in (3..60).step_by(2) {
        term *= k * k / f64::from(odd);
        sum += term;
    }
    2.0 * density(k) * sum + outside
}

fn density(z: f64) -> f64 {
    normal::bell(z) / std::f64::consts::TAU.sqrt()
}

/// The `k` that maximises the likelihood of Huber's noise with the knee at `delta`, from the mean of its loss in units of
/// `delta^2`; the scale is `delta / k`.
///
/// The likelihood's derivative vanishes where `2 mean_loss k^2 = 2 - P(|R| <= k)`, of which one side rises with `k` from
/// 0 and the other falls from 2 to 1.
pub(super) fn most_likely_knee(mean_loss: f64) -> f64 {
    let (mut low, mut high) =
        ((0.5 / mean_loss).sqrt().min(FARTHEST_KNEE), mean_loss.sqrt().recip().min(FARTHEST_KNEE));
    while low < high {
        let k = low + 0.5 * (high - low);
        if k <= low || k >= high {
            break;
        }
        let inside = Huber { k, delta: None }.information().location;
        if 2.0 * mean_loss * k * k < 2.0 - inside {
            low = k;
        } else {
            high = k;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipped_squares_of_a_normal_variable() {
        // mpmath, 30 digits.
        for (k, expected) in [
            (1e-8, 9.999_999_946_807_697e-17),
            (0.3, 0.075_766_099_107_579_34),
            (1.0, 0.516_058_550_961_713_3),
            (1.345, 0.710_164_548_269_048_5),
            (6.0, 0.999_999_996_150_540_9),
            (1e3, 1.0),
        ] {
            let error = (expected_clipped_square(k) / expected - 1.0).abs();
            assert!(error < 1e-15, "{k}: {:e}, off by {error:e}", expected_clipped_square(k));
        }
    }

    #[test]
    fn the_knee_of_a_mean_loss() {
        // Its own equation at both ends: Laplace noise with k^2 = 1 / loss, Gaussian noise with k^2 = 1 / (2 loss).
        for (mean_loss, k) in [(1e12, 1e-6), (1e-12, (0.5e12f64).sqrt()), (1e-300, FARTHEST_KNEE)] {
            // Where k is small, P(|R| <= k) = k^2 moves it by a quarter of k^2.
            assert!((most_likely_knee(mean_loss) / k - 1.0).abs() < 1e-12);
        }
    }
}
