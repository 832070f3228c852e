//! What determines the scale of Huber's noise: the expectations that proposal 2 compares with, and the scale of a given
//! knee.

use crate::noise::{Huber, NoiseFamily};
use crate::numeric::special::normal;

/// No double tells noise with a knee this far out from Gaussian noise.
const GAUSSIAN_KNEE: f64 = 40.0;

/// A knee is not said to be farther out, so that what the density is computed of stays in the range of a double.
pub(super) const FARTHEST_KNEE: f64 = 1e300;

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

/// The scale, and `k = delta / scale`, that maximise the likelihood of Huber's noise with the knee at `delta`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MostLikely {
    pub(super) k: f64,
    pub(super) scale: f64,
}

impl MostLikely {
    /// From the mean of the loss.
    ///
    /// The likelihood's derivative vanishes where `2 mean_loss (k / delta)^2 = 2 - P(|R| <= k)`, of which one side rises
    /// with `k` from 0 and the other falls from 2 to 1.
    pub(super) fn new(mean_loss: f64, delta: f64) -> Self {
        let gaussian = (2.0 * mean_loss).sqrt();
        if delta >= GAUSSIAN_KNEE * gaussian {
            return MostLikely { k: (delta / gaussian).min(FARTHEST_KNEE), scale: gaussian };
        }
        let relative = mean_loss / delta / delta;
        let (mut low, mut high) = ((0.5 / relative).sqrt(), relative.sqrt().recip());
        while low < high {
            let k = low + 0.5 * (high - low);
            if k <= low || k >= high {
                break;
            }
            let inside = Huber::new(k).information().location;
            if 2.0 * relative * k * k < 2.0 - inside {
                low = k;
            } else {
                high = k;
            }
        }
        MostLikely { k: low, scale: delta / low }
    }
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
        for (mean_loss, delta, k) in [
            (1e12, 1.0, 1e-6),
            (1e-12, 1.0, (0.5e12f64).sqrt()),
            (0.5, 1e-6, 1e-6 * 2f64.sqrt()),
            (0.5, 39.0, 39.0),
            (0.5, 1e150, 1e150),
            (0.5e-300, 1.0, 1e150),
        ] {
            // Where k is small, P(|R| <= k) = k^2 moves it by a quarter of k^2.
            let found = MostLikely::new(mean_loss, delta);
            assert!(
                (found.k / k - 1.0).abs() < 1e-12 && (found.scale * found.k / delta - 1.0).abs() < 1e-15,
                "{found:?}"
            );
        }
        assert_eq!(MostLikely::new(0.5, f64::INFINITY), MostLikely { k: FARTHEST_KNEE, scale: 1.0 });
    }
}
