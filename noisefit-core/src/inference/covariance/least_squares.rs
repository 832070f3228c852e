//! Covariances of least squares that trust neither the noise's scale to be one nor its rows to be independent.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{Columns, TILE_ROWS, packed, packed_length};
use crate::algebra::products::add_squared_lengths;
use crate::algebra::whitened::Whitened;
use crate::inference::covariance::contract::Request;
use crate::inference::covariance::inflation::{Inflation, LEAST_FREEDOM};
use crate::inference::covariance::meat::{Dependence, Meat, Scores};
use crate::inference::covariance::parts::{Estimated, positive_semidefinite, rank};
use crate::inference::covariance::products::Found;
use crate::inference::covariance::whitened::whitened;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::record::{FTest, Fit, Reference};
use crate::rows::{Block, Kinds, RowSource, RowSourceExt};

/// The covariance for independent rows, their squared residuals inflated by their leverages and multiplied by a factor.
pub(super) fn independent(mut request: Request<'_>, inflation: Inflation, factor: f64) -> Result<(), Error> {
    let (written, mut singletons) = (request.written.clone(), 0);
    if let (Some(levels), Some(leverage)) = (request.levels.take(), request.fit.leverage().cloned()) {
        let rows = whitened(request.source, request.fit, &leverage);
        levels.find(&rows, &leverage, inflation, (unit(request.fit), factor))?;
        // Where levels have coefficients of their own, a row determines one alone.
        singletons = if inflation == Inflation::None { 0 } else { levels.alone() };
    }
    estimate(request, factor, |rows, unit, count| {
        let scores = WeightedResiduals { inflation, unit, count };
        let state = rows.pass(Meat::new(scores, Dependence::Independent))?;
        match state.without_score() + singletons {
            0 => state.finish(),
            alone => Err(Error::Unsupported(format!(
                "{written} is not defined where a row alone determines a coefficient, as {alone} of the rows do (leverage 1); \
                 leave out the terms that are about them alone; hc1 is defined, and counts the noise of such rows as zero, so that \
                 it is too small for these terms"
            ))),
        }
    })
}

/// The covariance for rows that depend on one another, the products of their scores multiplied by a factor.
pub(super) fn dependent(mut request: Request<'_>, dependence: Dependence, factor: f64) -> Result<(), Error> {
    if let (Some(levels), Some(leverage)) = (request.levels.take(), request.fit.leverage().cloned()) {
        let rows = whitened(request.source, request.fit, &leverage);
        levels.find_clustered(&rows, &leverage, (unit(request.fit), factor))?;
    }
    estimate(request, factor, |rows, unit, count| {
        let scores = WeightedResiduals { inflation: Inflation::None, unit, count };
        rows.pass(Meat::new(scores, dependence))?.finish()
    })
}

/// The covariance whose meat is what `meat` finds of the whitened rows, of which there are so many columns, with their
/// residuals in a unit; all of it is multiplied by a factor.
pub(super) fn estimate(
    request: Request<'_>,
    factor: f64,
    meat: impl FnOnce(&dyn RowSource, f64, usize) -> Result<Found, Error>,
) -> Result<(), Error> {
    let Request { source, fit, written, .. } = request;
    let Some(leverage) = fit.leverage().cloned() else { return Ok(()) };
    let rows = whitened(source, fit, &leverage);
    let unit = unit(fit);
    let Found { mut matrix, clusters, difference } = meat(&rows, unit, rows.adaptor().count())?;
    matrix.iter_mut().for_each(|value| *value *= factor * unit * unit);
    if difference {
        fit.warnings.extend(positive_semidefinite(&mut matrix, &vec![1.0; leverage.coordinates().coefficients()]));
    }
    let f_test = wald(fit, rows.adaptor(), &matrix, clusters.map(|clusters| clusters.count() as f64 - 1.0));
    let estimated = Estimated { leverage: &leverage, matrix, scale: None, clusters, reference: Reference::StudentT };
    let full = estimated.store(fit, &written);
    // Where a row alone determines the intercept the slopes have a covariance all the same; sums over few clusters may cancel.
    fit.f_test = f_test.filter(|_| full || clusters.is_none());
    Ok(())
}

/// What residuals are counted in, so that no square leaves the range of a double.
fn unit(fit: &Fit) -> f64 {
    fit.scale.common().filter(|scale| *scale > 0.0).unwrap_or(1.0)
}

/// `c w e u` of whitened rows, where `c` is an [`Inflation`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct WeightedResiduals {
    inflation: Inflation,
    /// What residuals are counted in, so that no square leaves the range of a double.
    unit: f64,
    count: usize,
}

impl Scores for WeightedResiduals {
    fn kind() -> String {
        "weighted residuals".to_owned()
    }

    fn count(&self) -> usize {
        self.count
    }

    fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64 {
        dispatch(Fill { residuals: *self, block, scores })
    }
}

struct Fill<'a, 'b> {
    residuals: WeightedResiduals,
    block: &'a Block<'b>,
    scores: &'a mut Columns,
}

impl Kernel for Fill<'_, '_> {
    /// Rows for which there is no score.
    type Output = u64;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> u64 {
        let Fill { residuals: WeightedResiduals { inflation, unit, .. }, block, scores } = self;
        let (mut alone, inverse_unit) = (0, 1.0 / unit);
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let count = rows.len();
            let (mut factors, mut freedom) = ([0.0; TILE_ROWS], [0.0; TILE_ROWS]);
            for (factor, e) in factors.iter_mut().zip(&block.response.high[rows.clone()]) {
                *factor = e * inverse_unit;
            }
            // Of a row that is a level of its own nothing is left: its score is zero, whatever it is inflated by.
            let mut is_level = [false; TILE_ROWS];
            if inflation != Inflation::None {
                add_squared_lengths(block.design, &rows, &mut freedom);
                for (i, leverage) in block.level_leverage.iter().flat_map(|all| &all[rows.clone()]).enumerate() {
                    freedom[i] += leverage;
                    is_level[i] = leverage * block.weight(start + i) > 1.0 - LEAST_FREEDOM;
                }
            }
            if let Some(weights) = block.weights {
                for i in 0..count {
                    let w = weights[start + i];
                    factors[i] *= w;
                    freedom[i] *= w;
                }
            }
            for i in 0..count {
                freedom[i] = 1.0 - freedom[i];
                let alone_here = freedom[i] < LEAST_FREEDOM;
                alone += u64::from(alone_here && !is_level[i]);
                freedom[i] = if alone_here { f64::INFINITY } else { freedom[i] };
            }
            if inflation != Inflation::None {
                (0..count).for_each(|i| factors[i] /= inflation.divisor(freedom[i]));
            }
            scores.fill_products(tile, block.design, &rows, &factors);
        }
        alone
    }
}

/// The test that all slopes are zero by their covariance: `F = b' C^-1 b / q` on `q` and `df` degrees of freedom; none where
/// `C` does not determine it, as with fewer clusters than slopes.
fn wald(fit: &Fit, whitened: &Whitened, covariance: &[f64], df: Option<f64>) -> Option<FTest> {
    let df = df.unwrap_or(fit.df_residual as f64);
    let (square, slopes) = distance(whitened, covariance)?;
    (df > 0.0).then(|| FTest::new(square, slopes as f64, df, df))?
}

/// `b' C^-1 b` of the slopes, and how many there are; none where `C` does not determine it.
///
/// In the coordinates whitened by the slopes' own triangle of `L`, where `C` is as well conditioned as it can be.
pub(super) fn distance(whitened: &Whitened, covariance: &[f64]) -> Option<(f64, usize)> {
    let (order, offset) = (whitened.count(), whitened.offset());
    let slopes = order - offset;
    if slopes == 0 {
        return None;
    }
    // K = [k I] with L's rows of the slopes = their triangle times K.
    let shared = match offset {
        0 => vec![0.0; slopes],
        _ => whitened.solve_slopes(|j| whitened.factor(j + 1, 0)),
    };
    let entry = |i: usize, j: usize| covariance[packed(i.max(j), i.min(j))];
    let mut matrix = vec![0.0; packed_length(slopes)];
    for i in 0..slopes {
        for j in 0..=i {
            matrix[packed(i, j)] = entry(i + offset, j + offset);
            if offset == 1 {
                let crossed = shared[i] * entry(0, j + 1) + shared[j] * entry(0, i + 1);
                matrix[packed(i, j)] += crossed + shared[i] * shared[j] * entry(0, 0);
            }
        }
    }
    if rank(&matrix, slopes) < slopes {
        return None;
    }
    let coefficients = whitened.solve_slopes(|j| whitened.coefficient(j + offset));
    let solution = Cholesky::new(&matrix, slopes)?.solve(&coefficients);
    Some((solution.iter().zip(&coefficients).map(|(a, b)| a * b).sum(), slopes))
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Meat<WeightedResiduals>>()
}
