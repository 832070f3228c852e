//! The distribution of a new observation: quantiles, density, probabilities beyond a bound, draws.

mod normal_scores;

use std::sync::{Arc, OnceLock};

use crate::Error;
use crate::inference::new_observation::{MIDDLE, side};
use crate::inference::predict::{NewRows, Predictor, widened};
use crate::network::Deviation;
pub use crate::network::Mixture;
use crate::noise::Noise;
use crate::numeric::distribution::{Distribution, Normal};
use crate::rows::{scattered, scattered_share};
use normal_scores::{NormalScores, Spread};

/// What a fit says of a new observation, ready for any number of rows.
///
/// Its distribution is that whose central intervals are the prediction intervals of the fit, at every level
/// ([`Predictor::intervals`]), so that it allows for what is not known of location and scale. With the scale `s` of a row, the standard
/// error `e` of its location `mu`, and the quantiles of the normal distribution `z`, of the noise `q` and of the fit's reference
/// distribution `c` of the same probability, it has the quantile
///
/// ```text
/// mu + sign(z) sqrt((s k q)^2 (1 + z^2 v) + (c e)^2)
/// ```
///
/// where `k` and `v` are what intervals allow for of the scale. Under Gaussian noise of one scale and the classical covariance that is
/// Student's t distribution of the residual degrees of freedom about `mu` with the scale `sqrt(s^2 + e^2)`, exactly.
///
/// Density, probabilities and draws are found by the normal score `z`: the quantiles are tabulated as functions of it once, to some
/// 1e-12, and each row takes a step or two of Newton's method. Beyond a score of 37, whose tail holds less than 1e-298, the distance goes on
/// as the power of the score that it is there.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::distribution::NewObservation;
/// use noisefit_core::inference::predict::{NewRows, Predictor};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let predictor = Predictor::new(&closed_form::fit(&rows, &Options::default())?)?;
/// let new = NewObservation::new(&predictor)?;
/// let found = new.of(&NewRows::new(&[(&[2.5][..]).into()], 1))?;
/// // Student's t with 2 degrees of freedom about 2.5, of scale sqrt(0.9 (1 + 1/4)).
/// let scale = 1.125f64.sqrt();
/// assert!((found.above(0, 2.5 + 2.0 * scale) - (0.5 - 1.0 / 6.0f64.sqrt())).abs() < 1e-12);
/// assert!((found.log_density(0, 2.5) - (1.0 / (8.0f64.sqrt() * scale)).ln()).abs() < 1e-12);
/// assert_eq!(found.quantile(0.5)?, [2.5]);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewObservation(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    predictor: Predictor,
    /// Made where they are first asked for.
    scores: OnceLock<Option<NormalScores>>,
}

impl NewObservation {
    /// Of a fit's predictions.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for quantiles, which are no distribution, and a fit without standard errors; [`Error::Argument`] for one of as
    /// many coefficients as observations.
    pub fn new(predictor: &Predictor) -> Result<Self, Error> {
        if let Noise::Quantile(_) = predictor.fit().noise {
            let what = "a quantile is one number of a distribution, and says nothing of the others";
            return Err(Error::Unsupported(what.to_owned()));
        }
        predictor.known_reference()?;
        predictor.own_beyond(0.25)?;
        Ok(NewObservation(Arc::new(Prepared { predictor: predictor.clone(), scores: OnceLock::new() })))
    }

    /// The distributions of some rows.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a fit without standard errors.
    pub fn of(&self, rows: &NewRows<'_>) -> Result<Distributions, Error> {
        let predictor = &self.0.predictor;
        let variances = predictor.models_scale().then(|| predictor.log_scale_variances(rows));
        let (scales, roots) = (predictor.scale(rows), predictor.location_roots(rows)?);
        let deviation = predictor.fit().location_variance().map_or(f64::NAN, f64::sqrt);
        let spread = |i: usize| Spread {
            scale: scales[i],
            error: deviation * roots[i],
            variance: variances.as_ref().map_or(0.0, |variances| variances[i]),
        };
        Ok(Distributions {
            source: Source::Fit(OfFit {
                prepared: Arc::clone(&self.0),
                locations: predictor.location(rows),
                spreads: (0..rows.count).map(spread).collect(),
                deviations: predictor.deviations(rows)?,
                roots,
            }),
        })
    }
}

impl Prepared {
    /// The scores; none of a fit that has no intervals either.
    fn scores(&self) -> Option<&NormalScores> {
        self.scores.get_or_init(|| NormalScores::new(&self.predictor).ok()).as_ref()
    }
}

/// The distributions of new observations of some rows: of a [fit](NewObservation), or the mixture that the members of a network are.
#[derive(Debug, Clone)]
pub struct Distributions {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Fit(OfFit),
    Mixture(Mixture),
}

#[derive(Debug, Clone)]
struct OfFit {
    prepared: Arc<Prepared>,
    locations: Vec<f64>,
    spreads: Vec<Spread>,
    /// The roots of the rows' leverages.
    roots: Vec<f64>,
    deviations: Vec<Deviation>,
}

impl From<Mixture> for Distributions {
    fn from(mixture: Mixture) -> Self {
        Distributions { source: Source::Mixture(mixture) }
    }
}

impl Distributions {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.source {
            Source::Fit(fit) => fit.locations.len(),
            Source::Mixture(mixture) => mixture.rows(),
        }
    }

    /// The quantile of every row at a probability.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number outside (0, 1).
    pub fn quantile(&self, probability: f64) -> Result<Vec<f64>, Error> {
        let (tail, upper) = side(probability)?;
        match &self.source {
            Source::Fit(fit) => fit.quantile(tail, upper),
            Source::Mixture(mixture) => Ok(mixture.quantile(tail, upper)),
        }
    }

    /// The probability of no more than `y` in row `i`.
    pub fn below(&self, i: usize, y: f64) -> f64 {
        match &self.source {
            Source::Fit(fit) => fit.beyond(i, y, -1.0),
            Source::Mixture(mixture) => mixture.cdf(i, y),
        }
    }

    /// The probability of more than `y` in row `i`.
    pub fn above(&self, i: usize, y: f64) -> f64 {
        match &self.source {
            Source::Fit(fit) => fit.beyond(i, y, 1.0),
            Source::Mixture(mixture) => mixture.survival(i, y),
        }
    }

    /// The logarithm of the density of row `i` at `y`. Infinite where noise of no scale has all of it at one place.
    pub fn log_density(&self, i: usize, y: f64) -> f64 {
        match &self.source {
            Source::Fit(fit) => fit.log_density(i, y),
            Source::Mixture(mixture) => mixture.log_density(0, i, y),
        }
    }

    /// Draw number `draw` of row `i` of these from a seed; `row` is the row's number in its table, so that it has the same draws whatever
    /// stands beside it.
    pub fn draw(&self, i: usize, row: u64, draw: u64, seed: u64) -> f64 {
        let own = scattered(scattered(seed, row), draw);
        // In the middle of one of 2^52 parts: never 0 or 1.
        let uniform = (scattered(own, 0) >> 12) as f64 / (1u64 << 52) as f64 + 0.5 / (1u64 << 52) as f64;
        match &self.source {
            Source::Fit(fit) => fit.at_score(i, Normal.quantile(uniform)),
            Source::Mixture(mixture) => mixture.draw(i, scattered_share(own, 1), uniform),
        }
    }

    /// Where the spread of a new observation about its location comes from.
    pub fn deviations(&self) -> Vec<Deviation> {
        match &self.source {
            Source::Fit(fit) => fit.deviations.clone(),
            Source::Mixture(mixture) => mixture.deviations(),
        }
    }
}

impl OfFit {
    /// The quantile with so much probability on its outer side, as an interval ends there.
    fn quantile(&self, tail: f64, upper: bool) -> Result<Vec<f64>, Error> {
        if tail > MIDDLE {
            return Ok(self.locations.clone());
        }
        let predictor = &self.prepared.predictor;
        let own = predictor.own_beyond(tail)?;
        let deviation = predictor.fit().location_variance().map_or(f64::NAN, f64::sqrt);
        let unit = predictor.known_reference()?.upper_quantile(tail) * deviation;
        let common = (!predictor.models_scale()).then(|| predictor.common_log_end_variance(&own));
        let one = |((mu, row), root): ((&f64, &Spread), &f64)| {
            let factor = row.scale * own.widening(common.unwrap_or(row.variance));
            let end = widened(factor * own.high, unit * root);
            if upper { mu + end } else { mu - end }
        };
        Ok(self.locations.iter().zip(&self.spreads).zip(&self.roots).map(one).collect())
    }

    /// The probability on one side of `y`.
    fn beyond(&self, i: usize, y: f64, sign: f64) -> f64 {
        let Some(scores) = self.prepared.scores() else { return f64::NAN };
        let distance = y - self.locations[i];
        let z = scores.score(&self.spreads[i], distance.abs());
        Normal.survival(sign * z.copysign(distance))
    }

    fn log_density(&self, i: usize, y: f64) -> f64 {
        let Some(scores) = self.prepared.scores() else { return f64::NAN };
        scores.log_density(&self.spreads[i], (y - self.locations[i]).abs())
    }

    fn at_score(&self, i: usize, z: f64) -> f64 {
        let Some(scores) = self.prepared.scores() else { return f64::NAN };
        self.locations[i] + scores.distance(&self.spreads[i], z.abs()).copysign(z)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::Said;
    use crate::noise::Noises;

    /// scipy's sums, and roots of them by brentq.
    #[test]
    fn mixtures_of_members_are_those_of_scipy() {
        let text = include_str!("../../../../testdata/reference/distribution.json");
        let reference: serde_json::Value = serde_json::from_str(text).unwrap();
        let cases = reference["mixtures"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let noise = case["family"].as_str().unwrap().parse::<Noises>().unwrap()[0];
            let pairs = |name: &str| -> Vec<[f64; 2]> { serde_json::from_value(case[name].clone()).unwrap() };
            let said = |[location, scale]: [f64; 2]| Said {
                noise: vec![noise],
                locations: vec![vec![location]],
                scales: vec![vec![scale]],
            };
            let found = Distributions::from(Mixture::new(pairs("members").into_iter().map(said).collect(), 1));
            for [p, expected] in pairs("quantiles") {
                let quantile = found.quantile(p).unwrap()[0];
                assert!((quantile - expected).abs() < 1e-9 * expected.abs().max(1.0), "{noise} {p}: {quantile}");
            }
            for [y, expected] in pairs("densities") {
                assert!((found.log_density(0, y) - expected).abs() < 1e-12, "{noise} {y}");
            }
            for [y, expected] in pairs("above") {
                assert!((found.above(0, y) - expected).abs() < 1e-14, "{noise} {y}");
                assert!((found.below(0, y) - (1.0 - expected)).abs() < 1e-14, "{noise} {y}");
            }
            // Kolmogorov's largest deviation of 4,000 uniform numbers, exceeded once in a thousand times.
            let mut places: Vec<f64> = (0..4000).map(|k| found.below(0, found.draw(0, 3, k, 1))).collect();
            places.sort_by(f64::total_cmp);
            let off = places.iter().enumerate().map(|(k, p)| (p - (k as f64 + 0.5) / 4000.0).abs());
            assert!(off.fold(0.0, f64::max) < 0.0308, "{noise}");
        }
    }
}
