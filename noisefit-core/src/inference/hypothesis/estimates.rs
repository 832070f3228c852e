//! The coefficients of a fit with all that a test needs of them: those of the location and of a modelled scale in one row.

use crate::Error;
use crate::record::{Coefficient, Fit};

/// What stands before the name of a coefficient of a modelled scale.
pub const OF_SCALE: &str = "log scale: ";

/// The coefficients of a fit, those of its scale behind those of its location.
#[derive(Debug)]
pub(super) struct Estimates<'a> {
    fit: &'a Fit,
    /// How many are of the location.
    location: usize,
}

impl<'a> Estimates<'a> {
    pub(super) fn new(fit: &'a Fit) -> Self {
        Estimates { fit, location: fit.location.rows.len() }
    }

    pub(super) fn fit(&self) -> &'a Fit {
        self.fit
    }

    /// How many are of the location.
    pub(super) fn of_location(&self) -> usize {
        self.location
    }

    pub(super) fn count(&self) -> usize {
        self.location + self.fit.scale.coefficients().len()
    }

    fn row(&self, place: usize) -> &'a Coefficient {
        match place.checked_sub(self.location) {
            None => &self.fit.location.rows[place],
            Some(place) => &self.fit.scale.coefficients()[place],
        }
    }

    /// The name by which messages call it.
    pub(super) fn name(&self, place: usize) -> String {
        let term = &self.row(place).term;
        if place < self.location { term.clone() } else { format!("{OF_SCALE}{term}") }
    }

    /// All values; zero for aliased ones, which [`Estimates::check`] refuses.
    pub(super) fn values(&self) -> Vec<f64> {
        (0..self.count()).map(|place| self.row(place).estimate.unwrap_or(0.0)).collect()
    }

    pub(super) fn is_estimated(&self, place: usize) -> bool {
        self.row(place).estimate.is_some()
    }

    /// Refuses coefficients that were not estimated, and those of location and scale at once, whose covariance is not kept.
    pub(super) fn check(&self, text: &str, places: &[usize]) -> Result<(), Error> {
        let wrong = |why: String| Error::Unsupported(format!("hypothesis '{text}': {why}"));
        if let Some(&aliased) = places.iter().find(|&&place| !self.is_estimated(place)) {
            let name = self.name(aliased);
            return Err(wrong(format!("{name} has no estimate, for it is a linear combination of earlier terms")));
        }
        let of_scale = places.iter().filter(|&&place| place >= self.location).count();
        if of_scale > 0 && of_scale < places.len() {
            let why = "it is about coefficients of the location and of the scale at once, whose covariance a model does not \
                       keep; test each alone";
            return Err(wrong(why.to_owned()));
        }
        Ok(())
    }

    /// The covariance of two of them; none where there are no standard errors. Those of location and scale are never asked for
    /// together.
    fn covariance(&self, one: usize, other: usize) -> Option<f64> {
        let (matrix, one, other) = match (one.checked_sub(self.location), other.checked_sub(self.location)) {
            (None, None) => return self.fit.covariance_of(one, other),
            (Some(one), Some(other)) => (self.fit.scale.vcov(), one, other),
            _ => return Some(0.0),
        };
        Some(*matrix.get(one)?.get(other)?)
    }

    /// `a' V b`; none where there are no standard errors.
    pub(super) fn product(&self, a: &[f64], b: &[f64]) -> Option<f64> {
        let used = |weights: &[f64]| -> Vec<(usize, f64)> {
            weights.iter().copied().enumerate().filter(|(_, weight)| *weight != 0.0).collect()
        };
        let (mut sum, b) = (0.0, used(b));
        for (i, a) in used(a) {
            for &(j, b) in &b {
                sum += a * b * self.covariance(i, j)?;
            }
        }
        Some(sum)
    }

    /// The degrees of freedom for functions of the coefficients with weights: of one its own, of several the least; infinite for
    /// the normal distribution, and none where one of them has no standard error.
    pub(super) fn df<'w>(&self, weights: impl IntoIterator<Item = &'w [f64]>) -> Option<f64> {
        let common = self.fit.reference_degrees()?;
        let mut least: Option<f64> = None;
        for weights in weights {
            for (place, _) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                let row = self.row(place);
                let df = row.std_error.and(row.df).or(row.std_error.map(|_| common))?;
                least = Some(least.map_or(df, |least| least.min(df)));
            }
        }
        least.or(Some(common))
    }
}
