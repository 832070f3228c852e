//! Many fits of one quantile to the same rows, counted differently each time: those of a bootstrap.
//!
//! All of them are near the fit of the data. So each begins there, with the rows in a band about it, and the sign that the
//! others have; that these keep it is shown from how far the new fit lies from the old one.

use crate::Error;
use crate::algebra::Leverage;
use crate::estimate::vertex::collect::Collect;
use crate::estimate::vertex::reduce;
use crate::estimate::vertex::reduce::{band_share, direct_rows, quantile_of_sizes};
use crate::estimate::vertex::rows::Rows;
use crate::estimate::vertex::simplex::Problem;
use crate::rows::{Precision, RowSource, RowSourceExt, Subset};

/// The band is so much wider than a fit to as many rows is expected to need, so that few fits leave it.
const MARGIN: f64 = 1.5;

/// By how much it grows where a fit did.
const WIDER: f64 = 3.0;

/// The rows of one quantile's fit.
#[derive(Debug)]
pub(crate) struct Refits {
    /// In the coordinates of the fit's leverage; the response is the residual of the fit.
    rows: Rows,
    lengths: Vec<f64>,
    tau: f64,
    /// Rows with residuals up to this size times their length are in the band.
    width: f64,
}

impl Refits {
    /// Of the rows of `source`, whose frequencies do not count, about the fit with these coefficients of the data's columns
    /// (those that `leverage` has).
    ///
    /// # Errors
    /// What the source reports.
    pub(crate) fn new(
        source: &dyn RowSource,
        leverage: &Leverage,
        coefficients: &[f64],
        tau: f64,
    ) -> Result<Self, Error> {
        let (coordinates, columns) = (leverage.coordinates(), leverage.columns().to_vec());
        let start = coordinates.carry_in(coefficients);
        let collect = Collect::new(coordinates, Precision::Double);
        let mut rows = Subset::of(source, columns).pass(collect)?.finish();
        let mut residuals = Vec::new();
        rows.residuals(&start, &mut residuals);
        rows.response = residuals;
        let lengths = rows.lengths();
        let in_lengths: Vec<f64> = rows.response.iter().zip(&lengths).map(|(r, length)| r / length).collect();
        let inside = (MARGIN * band_share(tau, rows.order, rows.len()) * rows.len() as f64).ceil() as usize;
        let inside = inside.max(2 * direct_rows(rows.order));
        let width = match inside < rows.len() {
            true => quantile_of_sizes(&in_lengths, inside),
            false => f64::INFINITY,
        };
        Ok(Refits { rows, lengths, tau, width })
    }

    /// The coefficients of the fit to the rows, each as often as it counts, less those of the fit to the data; in the
    /// coordinates of its leverage. None where the rows that count do not determine them.
    pub(crate) fn counted(&self, counts: &[f64]) -> Option<Vec<f64>> {
        let (rows, mut width) = (&self.rows, self.width);
        let multipliers: Vec<f64> = rows.multipliers.iter().zip(counts).map(|(v, count)| v * count).collect();
        loop {
            let whole = width == f64::INFINITY;
            let (mut near, mut factors) = (Vec::new(), vec![0.0; rows.len()]);
            for (i, (&m, &r)) in multipliers.iter().zip(&rows.response).enumerate() {
                if m == 0.0 {
                    continue;
                }
                if r.abs() <= width * self.lengths[i] {
                    near.push(i);
                } else {
                    factors[i] = m * if r > 0.0 { self.tau } else { self.tau - 1.0 };
                }
            }
            let linear = if whole { vec![0.0; rows.order] } else { rows.combination(&factors) };
            let mut subset = rows.subset_in_doubles(&near);
            subset.multipliers = near.iter().map(|&i| multipliers[i]).collect();
            let problem = Problem { rows: &subset, tau: self.tau, linear: &linear };
            let found = reduce::solve(problem, &vec![0.0; rows.order]);
            let determined = found.rows.iter().all(Option::is_some);
            if whole {
                return determined.then_some(found.coefficients);
            }
            if determined && self.keeps_signs(&factors, &found.coefficients, width) {
                return Some(found.coefficients);
            }
            width = if near.len() * 2 < rows.len() { width * WIDER } else { f64::INFINITY };
        }
    }

    /// Whether every row outside the band lies on the same side of a fit that is `moved` away.
    fn keeps_signs(&self, factors: &[f64], moved: &[f64], width: f64) -> bool {
        // |z'd| <= |z| |d|, and a row's length is |z| over the root of the order, or more.
        let distance = moved.iter().map(|d| d * d).sum::<f64>().sqrt();
        if distance * (moved.len() as f64).sqrt() <= width {
            return true;
        }
        let (rows, mut products) = (&self.rows, Vec::new());
        rows.products(moved, &mut products);
        let mut outside = factors.iter().zip(&rows.response).zip(&products).filter(|((f, _), _)| **f != 0.0);
        outside.all(|((_, r), s)| (r - s > 0.0) == (*r > 0.0))
    }
}
