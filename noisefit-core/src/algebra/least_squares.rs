//! Weighted least squares: the passes that lead to the ladder, and up it.

use crate::Error;
use crate::algebra::coordinates::Coordinates;
use crate::algebra::ladder::{Ladder, Rounding};
use crate::algebra::magnitudes::Magnitudes;
use crate::algebra::moments::Moments;
use crate::algebra::solution::{LeastSquares, Settings};
use crate::algebra::wide::WIDE;
use crate::rows::{Accumulator, RowSource, RowSourceExt, Sample, Subset};

impl LeastSquares {
    /// Solves `min sum(v (y - b0 - x'b)^2)` over the rows of `source`.
    ///
    /// Climbs from moments to QR to double-double as far as `settings` ask. Small problems start on the last rung, because
    /// there it costs nothing.
    ///
    /// # Errors
    /// [`Error::NoRows`]; [`Error::Value`] for a number that is not finite, [`Error::Range`] for one whose square is not; or
    /// what the source reports.
    pub fn solve(source: &dyn RowSource, settings: Settings) -> Result<Self, Error> {
        Ok(Self::solve_sampled(source, settings, Sample::none())?.0)
    }

    /// The same, with a sample of the rows gathered on the way.
    pub(crate) fn solve_sampled(
        source: &dyn RowSource,
        settings: Settings,
        sample: Sample,
    ) -> Result<(Self, Sample), Error> {
        let all = (0..source.layout().terms.len()).collect();
        Self::solve_subset(Subset::of(source, all), settings, sample, Rounding::of_data())
    }

    /// The same of columns that were made of others, and are rounded as these are.
    pub(crate) fn solve_rounded(source: &dyn RowSource, settings: Settings, rounding: Rounding) -> Result<Self, Error> {
        let all = (0..source.layout().terms.len()).collect();
        Ok(Self::solve_subset(Subset::of(source, all), settings, Sample::none(), rounding)?.0)
    }

    pub(crate) fn solve_subset(
        source: Subset<'_>,
        settings: Settings,
        sample: Sample,
        rounding: Rounding,
    ) -> Result<(Self, Sample), Error> {
        let layout = source.layout();
        let (columns, intercept) = (layout.terms.len(), layout.intercept);
        let narrower = |source: Subset<'_>, rounding: Rounding| {
            Ok(Self::solve_subset(source, settings, Sample::none(), rounding)?.0)
        };
        if columns >= WIDE
            && let Some(found) = Self::solve_wide(&source, &rounding, &narrower)?
        {
            // The sample has the columns of all.
            return Ok((found, source.pass(sample)?));
        }
        let (mut moments, sample) = source.pass((Moments::new(columns, intercept), sample))?;
        if moments.rows() == 0 {
            return Err(Error::NoRows);
        }
        let weight = moments.totals().weight;
        if !(1e-100..1e100).contains(&weight) {
            return Err(Error::Range { what: "the sum of the weights".to_owned(), size: weight });
        }
        if !within_range(&moments) {
            let magnitudes = source.pass(Magnitudes::new(columns))?;
            if let Some(error) = magnitudes.bad_value(&layout.terms, &layout.response) {
                return Err(error);
            }
            if let Some(error) = magnitudes.out_of_range(&layout.terms, &layout.response) {
                return Err(error);
            }
            moments = source.pass(magnitudes.scaled_moments(intercept))?;
        }
        let coordinates = Coordinates::from_moments(&moments, intercept);
        Ok((Ladder { source, moments, coordinates, settings, narrower: &narrower, rounding }.climb()?, sample))
    }
}

/// Whether no sum of squares is so large or small that precision was lost in forming it.
fn within_range(moments: &Moments) -> bool {
    moments.is_finite() && (0..moments.order()).all(|j| (1e-200..1e200).contains(&moments.product(j, j)))
}
