//! Least squares with more columns than rows, of which no more than there are rows can count.

use crate::Error;
use crate::algebra::gram::{packed, packed_length};
use crate::algebra::ladder::Rounding;
use crate::algebra::magnitudes::Magnitudes;
use crate::algebra::solution::LeastSquares;
use crate::rows::{Accumulator, RowSource, RowSourceExt, Subset};

/// Fewer columns cost nothing, however few rows there are.
pub(crate) const WIDE: usize = 200;

/// Columns looked at together, at least.
const TOGETHER: usize = 32;

impl LeastSquares {
    /// The solution where there are fewer rows than columns; none otherwise. Products of all columns are never formed: some of them
    /// are looked at, by `narrower`, beside those that were kept of the ones before, as in the order of the columns each is kept or set
    /// aside by those before it alone.
    ///
    /// # Errors
    /// As [`LeastSquares::solve`].
    pub(crate) fn solve_wide(
        source: &Subset<'_>,
        rounding: &Rounding,
        narrower: &dyn Fn(Subset<'_>, Rounding) -> Result<LeastSquares, Error>,
    ) -> Result<Option<LeastSquares>, Error> {
        let layout = source.layout();
        let (columns, offset) = (layout.terms.len(), usize::from(layout.intercept));
        if source.rows_hint().is_some_and(|rows| rows > 2 * columns as u64) {
            return Ok(None);
        }
        let magnitudes = source.pass(Magnitudes::new(columns))?;
        let rows = magnitudes.rows() as usize;
        if rows == 0 || rows >= columns {
            return Ok(None);
        }
        if let Some(error) = magnitudes.bad_value(&layout.terms, &layout.response) {
            return Err(error);
        }
        let (mut kept, mut next, mut found): (Vec<usize>, usize, Option<LeastSquares>) = (Vec::new(), 0, None);
        while next < columns && (found.is_none() || kept.len() + offset < rows) {
            let end = (next + rows.max(TOGETHER)).min(columns);
            let together: Vec<usize> = kept.iter().copied().chain(next..end).collect();
            let fit = narrower(source.narrowed(&together), rounding.narrowed(&together))?;
            kept = (0..together.len()).filter(|j| !fit.aliased.contains(&(j + offset))).map(|j| together[j]).collect();
            found = Some(fit.widened(&together, columns, offset));
            next = end;
        }
        Ok(found)
    }

    /// The same over more `columns`, of which it was found on those at `places`; the others are set aside.
    fn widened(self, places: &[usize], columns: usize, offset: usize) -> LeastSquares {
        let order = columns + offset;
        let coefficient = |k: usize| if k < offset { k } else { places[k - offset] + offset };
        let mut coefficients = vec![None; order];
        let mut unscaled_covariance = vec![0.0; packed_length(order)];
        for (k, value) in self.coefficients.iter().enumerate() {
            coefficients[coefficient(k)] = *value;
            for l in 0..=k {
                unscaled_covariance[packed(coefficient(k), coefficient(l))] = self.unscaled_covariance[packed(k, l)];
            }
        }
        // What columns that are set aside are like is of no matter.
        let spread = |values: &[f64]| {
            let mut all = vec![0.0; columns + 1];
            places.iter().zip(values).for_each(|(&place, value)| all[place] = *value);
            all[columns] = values[places.len()];
            all
        };
        LeastSquares {
            aliased: (0..order).filter(|&j| coefficients[j].is_none()).collect(),
            leverage: self.leverage.clone().widened(places),
            means: spread(&self.means),
            deviations: spread(&self.deviations),
            coefficients,
            unscaled_covariance,
            ..self
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::algebra::Settings;
    use crate::rows::{Matrix, MemoryRows, scattered_share};

    /// Columns 10 to 19 are sums of the first ten; of the others as many are kept as there are rows, in their order, and the fit is
    /// that on these alone.
    #[test]
    fn as_many_columns_count_as_there_are_rows() {
        for (rows, columns, intercept) in [(30, 400, true), (30, 400, false), (180, 205, true), (12, 1_500, true)] {
            let number = |i: usize, j: usize| 2.0 * scattered_share(j as u64, i as u64) - 1.0;
            let value = |i: usize, j: usize| match j {
                10..20 => number(i, j - 10) + if j == 10 { 0.0 } else { number(i, 0) },
                _ => number(i, j),
            };
            let y: Vec<f64> = (0..rows).map(|i| number(i, 100_000)).collect();
            let fitted = |chosen: &[usize]| {
                let x: Vec<f64> = chosen.iter().flat_map(|&j| (0..rows).map(move |i| value(i, j))).collect();
                let source = MemoryRows::new(&y, Matrix::column_major(&x, rows, chosen.len()).unwrap()).unwrap();
                let source = if intercept { source } else { source.without_intercept() };
                LeastSquares::solve(&source, Settings::default()).unwrap()
            };
            let offset = usize::from(intercept);
            let kept: Vec<usize> =
                (0..columns).filter(|j| !(10..20).contains(j)).take((rows - offset).min(columns)).collect();
            let (all, alone) = (fitted(&(0..columns).collect::<Vec<_>>()), fitted(&kept));
            let found: Vec<usize> = (0..columns).filter(|j| all.coefficients[j + offset].is_some()).collect();
            assert_eq!(found, kept, "{rows} x {columns}");
            for (place, j) in kept.iter().enumerate() {
                let (a, b) = (all.coefficients[j + offset].unwrap(), alone.coefficients[place + offset].unwrap());
                assert!((a - b).abs() < 1e-8 * (1.0 + b.abs()), "{rows} x {columns}: {a} {b}");
            }
            assert_eq!(all.aliased.len(), columns - kept.len());
            assert!(all.residual_sum_of_squares <= 1e-18 * all.total_sum_of_squares || rows > kept.len() + offset);
        }
    }
}
