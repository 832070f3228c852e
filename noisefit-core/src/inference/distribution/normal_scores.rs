//! How far from its location a new observation lies, by its normal score: the standard normal deviate of the same probability.

use crate::Error;
use crate::inference::predict::Predictor;
use crate::noise::Noise;
use crate::numeric::distribution::{Distribution, Normal};
use crate::numeric::pieces::Pieces;

/// The ends of the pieces on which the curves are polynomials. Beyond the last one a tail holds less than 1e-298.
const ENDS: [f64; 29] = [
    0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0,
    22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 34.5, 37.0,
];

/// Steps of Newton's method at most; three or four do.
const MOST_STEPS: usize = 60;

/// What the ends of prediction intervals are made of, as functions of the normal score `z` of an end: the noise's quantile over `z`, in
/// scales of a row, and the quantile of the reference distribution over `z`, in standard errors of a location; their logarithms.
#[derive(Debug)]
pub(super) struct NormalScores {
    noise: Pieces,
    reference: Pieces,
}

/// What of a row the distribution is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// The scale of its noise.
    pub(super) scale: f64,
    /// The standard error of its location.
    pub(super) error: f64,
    /// The variance of the logarithm of a scale that is modelled.
    pub(super) variance: f64,
}

/// The distance from the location over the normal score, and how fast the logarithm of the distance grows with that of the score.
struct Distance {
    over_score: f64,
    growth: f64,
}

impl NormalScores {
    /// Those of a fit's predictions.
    ///
    /// # Errors
    /// As those of intervals.
    pub(super) fn new(predictor: &Predictor) -> Result<Self, Error> {
        let reference = predictor.known_reference()?;
        // What can fail does so whatever the probability.
        predictor.own_beyond(0.25)?;
        let noise = |z: f64| match predictor.own_beyond(Normal.survival(z)) {
            Ok(own) if predictor.models_scale() => (own.high / z).ln(),
            Ok(own) => (own.high * own.widening(predictor.common_log_end_variance(&own)) / z).ln(),
            Err(_) => f64::NAN,
        };
        let mut ends = ENDS.to_vec();
        // Where the tails of Huber's density begin its quantile has no third derivative.
        if let Noise::Huber(huber) = predictor.fit().noise {
            let knee = Normal.upper_quantile(predictor.fit().noise.family().survival(huber.k()));
            let place = ends.partition_point(|end| *end < knee);
            if knee > 0.0 && place < ends.len() {
                ends.insert(place, knee);
            }
        }
        let reference = Pieces::new(&ends, |z| (reference.upper_quantile(Normal.survival(z)) / z).ln());
        Ok(NormalScores { noise: Pieces::new(&ends, noise), reference })
    }

    /// The distance of a score from the location.
    pub(super) fn distance(&self, row: &Spread, z: f64) -> f64 {
        if z == 0.0 { 0.0 } else { z * self.at(row, z).over_score }
    }

    /// The score of a distance from the location, which is not negative.
    pub(super) fn score(&self, row: &Spread, distance: f64) -> f64 {
        if distance == 0.0 || !distance.is_finite() || row.is_nowhere() {
            return distance;
        }
        if row.is_point() {
            return f64::INFINITY;
        }
        // In logarithms the distance is a straight line near the location, and bends upwards under tails that are heavier than the normal's.
        let wanted = distance.ln();
        let ends = self.noise.ends();
        let found = |k: usize| ends[k].ln() + self.at_end(row, k).over_score.ln();
        let (mut low, mut high) = (0, ends.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if found(middle) < wanted { low = middle } else { high = middle }
        }
        let mut z = match (low, ends.get(low + 1)) {
            (0, _) => distance / self.at(row, 0.0).over_score,
            (_, None) => ends[low],
            (_, Some(&next)) => {
                let (below, above) = (found(low), found(low + 1));
                ends[low] * (next / ends[low]).powf((wanted - below) / (above - below))
            }
        };
        for _ in 0..MOST_STEPS {
            let Distance { over_score, growth } = self.at(row, z);
            let step = (wanted - z.ln() - over_score.ln()) / growth;
            z *= step.exp();
            if step.abs() < 1e-14 {
                break;
            }
        }
        z
    }

    /// The logarithm of the density at a distance from the location.
    pub(super) fn log_density(&self, row: &Spread, distance: f64) -> f64 {
        if row.is_nowhere() || distance.is_nan() {
            return f64::NAN;
        }
        if row.is_point() {
            return if distance == 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
        }
        if distance.is_infinite() {
            return f64::NEG_INFINITY;
        }
        // The probability of a small step is that of the score's, dz / dD times phi(z).
        let z = self.score(row, distance);
        let Distance { over_score, growth } = self.at(row, z);
        -0.5 * z * z - LN_ROOT_TWO_PI - over_score.ln() - growth.ln()
    }

    fn at(&self, row: &Spread, z: f64) -> Distance {
        let ends = self.noise.ends();
        let last = ends.len() - 1;
        if z > ends[last] {
            // Where no double holds the probability the distance goes on as a power of the score.
            let Distance { over_score, growth } = self.at(row, ends[last]);
            return Distance { over_score: over_score * (z / ends[last]).powf(growth - 1.0), growth };
        }
        let piece = ends.partition_point(|end| *end < z).clamp(1, last) - 1;
        row.distance(z, self.noise.evaluate(piece, z), self.reference.evaluate(piece, z))
    }

    fn at_end(&self, row: &Spread, place: usize) -> Distance {
        row.distance(self.noise.ends()[place], [self.noise.at_end(place), 0.0], [self.reference.at_end(place), 0.0])
    }
}

/// `ln sqrt(2 pi)`.
const LN_ROOT_TWO_PI: f64 = 0.918_938_533_204_672_7;

impl Spread {
    /// Whether all of the distribution lies at one place.
    fn is_point(&self) -> bool {
        self.scale == 0.0 && self.error == 0.0
    }

    fn is_nowhere(&self) -> bool {
        self.scale.is_nan() || self.error.is_nan() || self.variance.is_nan()
    }

    /// What noise and location, `[ln of the quantile over z, its derivative]` each, make of it together: the root of the sum of their squares.
    fn distance(&self, z: f64, noise: [f64; 2], reference: [f64; 2]) -> Distance {
        let widening = 1.0 + z * z * self.variance;
        let (of_noise, of_location) = (self.scale * noise[0].exp() * widening.sqrt(), self.error * reference[0].exp());
        let over_score = of_noise.hypot(of_location);
        let share = if of_noise > 0.0 { 1.0 / (1.0 + (of_location / of_noise).powi(2)) } else { 0.0 };
        let growth = share * (noise[1] + z * self.variance / widening) + (1.0 - share) * reference[1];
        Distance { over_score, growth: 1.0 + z * growth }
    }
}
