//! Rows with a response, a location and a scale.

use crate::Error;
use crate::noise::same_length;

/// The scale `s` of the noise.
#[derive(Debug, Clone, Copy)]
pub enum Scale<'a> {
    /// One for all rows.
    Common(f64),
    /// One for each row.
    PerRow(&'a [f64]),
}

/// Responses, locations and scales side by side, whose likelihood a [`super::NoiseFamily`] knows.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    response: &'a [f64],
    location: &'a [f64],
    scale: Scale<'a>,
    weights: Option<&'a [f64]>,
    frequencies: Option<&'a [f64]>,
}

/// One row of [`Observations`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    difference: f64,
    /// The scale, the known relative precision included.
    pub(super) scale: f64,
    pub(super) frequency: f64,
}

impl Row {
    pub(super) fn residual(&self) -> f64 {
        self.difference / self.scale
    }

    pub(super) fn log_scale(&self) -> f64 {
        self.scale.ln()
    }
}

impl<'a> Observations<'a> {
    /// Rows of `response` y and `location` mu, both of length n, with noise of `scale` s.
    ///
    /// # Errors
    /// [`Error::Shape`] for different lengths; [`Error::Argument`] or [`Error::Value`] for a scale that is not positive
    /// and finite.
    pub fn new(response: &'a [f64], location: &'a [f64], scale: Scale<'a>) -> Result<Self, Error> {
        same_length("location", response.len(), location.len())?;
        match scale {
            Scale::Common(s) if !(s > 0.0 && s.is_finite()) => {
                return Err(Error::Argument { name: "scale", value: s, expected: "positive and finite" });
            }
            Scale::Common(_) => {}
            Scale::PerRow(scale) => {
                same_length("scale", response.len(), scale.len())?;
                positive("scale", scale)?;
            }
        }
        Ok(Observations { response, location, scale, weights: None, frequencies: None })
    }

    /// Known relative precisions `w`, length n, all positive: row `i` has noise of scale `s / sqrt(w[i])`.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_weights(mut self, weights: &'a [f64]) -> Result<Self, Error> {
        same_length("weights", self.len(), weights.len())?;
        positive("weights", weights)?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// How many identical rows each row stands for, length n, all positive.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_frequencies(mut self, frequencies: &'a [f64]) -> Result<Self, Error> {
        same_length("frequencies", self.len(), frequencies.len())?;
        positive("frequencies", frequencies)?;
        self.frequencies = Some(frequencies);
        Ok(self)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.response.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.response.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row> {
        (0..self.len()).map(|i| {
            let scale = match self.scale {
                Scale::Common(s) => s,
                Scale::PerRow(scale) => scale[i],
            };
            Row {
                difference: self.response[i] - self.location[i],
                scale: self.weights.map_or(scale, |w| scale / w[i].sqrt()),
                frequency: self.frequencies.map_or(1.0, |f| f[i]),
            }
        })
    }
}

/// Refuses the first value that is not positive and finite.
pub(super) fn positive(what: &str, values: &[f64]) -> Result<(), Error> {
    match values.iter().position(|&v| !(v > 0.0 && v.is_finite())) {
        Some(row) => {
            let (what, value) = (what.to_owned(), values[row]);
            Err(Error::Value { what, row: row as u64, value, expected: "a positive finite number" })
        }
        None => Ok(()),
    }
}
