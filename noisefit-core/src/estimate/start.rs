//! What every iterative estimator starts from: least squares, and a sample of the rows.

use crate::Error;
use crate::algebra::{Coordinates, LeastSquares, Settings};
use crate::estimate::{Collinear, Options};
use crate::rows::{RowSource, Sample, SampledRows, Subset};

/// Second derivatives in doubles lose their last digit at about the square root of the inverse of rounding.
const WORST_CONDITION: f64 = 1e6;

/// The least squares fit, and a sample of the rows gathered on the way.
#[derive(Debug)]
pub(crate) struct Start {
    /// The fit of the whole design: which terms are aliased, `(X' V X)^-1`, leverages, sums of squares.
    pub(crate) least_squares: LeastSquares,
    /// Rows with the columns that are not aliased; all of them where there are few.
    pub(crate) sample: SampledRows,
    /// The columns that are not aliased, moved and scaled to size one; the response last.
    pub(crate) coordinates: Coordinates,
    /// The design columns that are not aliased.
    columns: Vec<usize>,
}

impl Start {
    /// Reads the rows once, or as often as least squares needs to be sure which terms are aliased.
    ///
    /// # Errors
    /// Those of [`LeastSquares::solve`], and [`Error::Collinear`] where asked for.
    pub(crate) fn new(source: &dyn RowSource, options: &Options, sample_rows: usize) -> Result<Self, Error> {
        options.check()?;
        let layout = source.layout();
        let sample = Sample::new(layout, sample_rows, source.rows_hint());
        let settings = Settings { digits: options.settings.digits.min(6.0), one_pass: true, ..options.settings };
        let (least_squares, sample) = LeastSquares::solve_sampled(source, settings, sample)?;
        options.check_collinear(&least_squares, &layout.coefficient_names())?;
        let offset = usize::from(layout.intercept);
        let columns: Vec<usize> =
            (0..layout.terms.len()).filter(|j| !least_squares.aliased.contains(&(j + offset))).collect();
        let coordinates = Coordinates::of_columns(&least_squares, &columns, layout.intercept);
        let sample = sample.finish(layout).narrowed(&columns);
        Ok(Start { least_squares, sample, coordinates, columns })
    }

    /// The source with the columns that are not aliased.
    pub(crate) fn source<'a>(&self, source: &'a dyn RowSource) -> Subset<'a> {
        Subset::of(source, self.columns.clone())
    }

    /// The coefficients of the whole design from those of the columns that are not aliased.
    pub(crate) fn widened(&self, coefficients: &[f64]) -> Vec<Option<f64>> {
        let mut values = coefficients.iter();
        let aliased = |j: &usize| self.least_squares.aliased.contains(j);
        (0..self.least_squares.coefficients.len())
            .map(|j| if aliased(&j) { None } else { values.next().copied() })
            .collect()
    }

    /// Why products of the columns in doubles may not determine every coefficient; none where the columns do not stand in
    /// the way.
    pub(crate) fn nearly_collinear(&self) -> Option<Error> {
        let condition = self.least_squares.accuracy.condition;
        (condition > WORST_CONDITION).then(|| {
            let what = "the terms are too nearly collinear for the steps of a likelihood";
            Error::Undetermined {
                why: format!("{what} (condition number {condition:.0e})"),
                remedy: Some("centre or rescale the regressors, use poly() for powers, or leave out terms"),
            }
        })
    }

    /// Of values for all design columns those of the columns that are not aliased.
    pub(crate) fn narrowed(&self, values: &[f64]) -> Vec<f64> {
        self.columns.iter().map(|&j| values[j]).collect()
    }

    /// Least squares' own coefficients of the columns that are not aliased, in the coordinates.
    pub(crate) fn in_coordinates(&self) -> Vec<f64> {
        let coefficients: Vec<f64> = self.least_squares.coefficients.iter().flatten().copied().collect();
        self.coordinates.carry_in(&coefficients)
    }
}

impl Options {
    /// Refuses aliased terms where that was asked for.
    pub(crate) fn check_collinear(&self, solved: &LeastSquares, names: &[String]) -> Result<(), Error> {
        match self.collinear {
            Collinear::Fail if !solved.aliased.is_empty() => {
                Err(Error::Collinear { terms: solved.aliased.iter().map(|&j| names[j].clone()).collect() })
            }
            _ => Ok(()),
        }
    }
}
