//! The precision ladder of least squares: moments, QR of blocks, double-double.

use faer::{Mat, Side};

use crate::Error;
use crate::algebra::coordinates::Coordinates;
use crate::algebra::elimination::{Candidate, Elimination, symmetric_times};
use crate::algebra::extended::ExtendedMoments;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::algebra::leverage::Leverage;
use crate::algebra::moments::{Moments, Totals};
use crate::algebra::residuals::Residuals;
use crate::algebra::solution::{Accuracy, LeastSquares, Method, Settings};
use crate::algebra::triangle::Triangle;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Precision, RowSource, RowSourceExt, Subset};

/// Half a unit in the last place of one.
const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// Up to this many rows times squared columns, double-double costs no time that a user would notice.
const SMALL_WORK: f64 = 1e6;

/// Moments are not trusted beyond this condition number: what they lose is its square.
const MOMENTS_CONDITION: f64 = 1e4;

/// A QR in doubles is not trusted beyond this condition number; what it calls nearly collinear is decided in
/// double-double.
const QR_CONDITION: f64 = 1e8;

/// A column whose distance from the columns before it is less than this part of its norm is not subtracted from later
/// columns: where the distance is nothing but rounding, its direction is noise, of which later columns would get 1e16 times
/// their share. Its place among them is found in double-double.
const WEAK_PART: f64 = 1e-10;

/// A response whose deviations from its mean are less than this part of it does not vary: far less than a digit in the
/// data could say, more than double-double leaves.
const CONSTANT_PART: f64 = 1e-20;

/// What takes the place of the rounding of a column that has none, as a part of what rounding would be: far more than
/// double-double leaves, far less than the last digit of an integer of 64 bits.
const EXACT_PART: f64 = 1e-6;

/// How many times the data are moved within their rounding errors to see what that does to the coefficients.
const PERTURBATION_DRAWS: u32 = 6;

/// So many rows are taken to differ from one another.
const DIFFERENT_ROWS: f64 = 1000.0;

/// A solution in [`Coordinates`].
struct Solution {
    coefficients: Vec<DoubleDouble>,
    /// `(Z' V Z)^-1`, packed.
    inverse: Vec<DoubleDouble>,
}

/// Sums of the errors of a solution, in the response's scaled unit.
struct ErrorSums {
    totals: Totals,
    /// `sum(v e^2)`.
    residual: DoubleDouble,
    /// `sum(v (y - mean)^2)`, or about zero.
    total: DoubleDouble,
    /// `sum(f e^2)`.
    squares: f64,
    /// `sum(f |e|)`.
    absolute: Option<f64>,
}

/// Fewer digits of the worst coefficient than this are next to none.
const FEW_DIGITS: f64 = 6.0;

/// What the values of the columns are rounded by, where they were made of others that were larger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounding {
    /// The root of the sum of squares of the columns that each was made of, the response's last; none where they stand in the data.
    pub(crate) norms: Vec<f64>,
    /// How many times that rounding a column may be off without being told from a combination of others; one unless given.
    pub(crate) span: f64,
}

impl Rounding {
    /// That of values as they stand in the data.
    pub(crate) fn of_data() -> Self {
        Rounding { norms: Vec::new(), span: 1.0 }
    }

    /// That of some of the design columns and of the response.
    pub(crate) fn narrowed(&self, columns: &[usize]) -> Self {
        let norms = columns.iter().filter_map(|&j| self.norms.get(j)).chain(self.norms.last()).copied().collect();
        Rounding { norms, span: self.span }
    }
}

/// The state that the rungs share.
pub(crate) struct Ladder<'a> {
    pub(crate) source: Subset<'a>,
    pub(crate) moments: Moments,
    pub(crate) coordinates: Coordinates,
    pub(crate) settings: Settings,
    /// How the same is solved on some of the columns, where others are combinations of them.
    pub(crate) narrower: &'a dyn Fn(Subset<'_>, Rounding) -> Result<LeastSquares, Error>,
    pub(crate) rounding: Rounding,
}

impl Ladder<'_> {
    /// The fit of the first rung that gives enough digits.
    pub(crate) fn climb(&self) -> Result<LeastSquares, Error> {
        let small = self.moments.rows() as f64 * (self.coordinates.columns() as f64).powi(2) <= SMALL_WORK;
        if !small && let Some(fit) = self.by_moments()? {
            return Ok(fit);
        }
        let triangle = self.source.pass(Triangle::new(self.coordinates.clone()))?;
        if !small && let Some(fit) = self.by_triangle(&triangle)? {
            return Ok(fit);
        }
        self.by_double_double(&triangle)
    }

    /// The first rung; none where too few digits would be left.
    fn by_moments(&self) -> Result<Option<LeastSquares>, Error> {
        let Some(solution) = self.solve_moments() else { return Ok(None) };
        if !(self.condition(&solution) <= MOMENTS_CONDITION) {
            return Ok(None);
        }
        if self.settings.one_pass
            && let Some(fit) = self.moments_alone(&solution)
        {
            return Ok(Some(fit));
        }
        self.refine(solution, Precision::Double, Method::Moments)
    }

    /// The fit that needs no residuals; none where they are needed for its digits or for the weights.
    fn moments_alone(&self, solution: &Solution) -> Option<LeastSquares> {
        let (moments, coordinates) = (&self.moments, &self.coordinates);
        let (totals, response) = (*moments.totals(), coordinates.columns() - 1);
        let factor = |j: usize| coordinates.scale(j) / moments.scale(j);
        let product = |j: usize| moments.product(response, j) * factor(response) * factor(j);
        let explained = solution.coefficients[coordinates.offset()..].iter().enumerate();
        let explained = explained.fold(DoubleDouble::ZERO, |sum, (j, &b)| sum + b * product(j));
        let total = DoubleDouble::from(product(response));
        let residual = total - explained;
        // By the inequality of the means only weights of one have sum n and product one.
        let weighted = totals.weight != totals.observations || totals.log_weight != 0.0;
        if weighted || residual.to_f64() < 1e-4 * total.to_f64() {
            return None;
        }
        // Every sum of products carries a rounding error relative to the lengths of its columns.
        let order = solution.coefficients.len();
        let length = |k: usize| match k.checked_sub(coordinates.offset()) {
            None => totals.weight.sqrt(),
            Some(j) => moments.product(j, j).sqrt() * factor(j),
        };
        let reach: f64 = (0..order).map(|k| length(k) * solution.coefficients[k].to_f64().abs()).sum();
        let share = |j: usize, k: usize| solution.inverse[symmetric(j, k)].to_f64().abs() * length(k);
        let lost = |j: usize| {
            let shares: f64 = (0..order).map(|k| share(j, k)).sum();
            8.0 * UNIT_ROUNDOFF * shares * (reach + total.to_f64().sqrt())
        };
        let lost: Vec<f64> = (0..order).map(lost).collect();
        let mut errors = self.rounding_errors(solution, residual.to_f64().sqrt());
        for (j, error) in errors.iter_mut().enumerate() {
            *error += coordinates.carry_back_bound(j, |k| lost[k]);
        }
        let sums = ErrorSums { totals, residual, total, squares: residual.to_f64(), absolute: None };
        let fit = self.finish(solution, &sums, Method::Moments, &errors);
        self.is_enough(&fit, &errors).then_some(fit)
    }

    /// The second rung; none where too few digits would be left.
    fn by_triangle(&self, triangle: &Triangle) -> Result<Option<LeastSquares>, Error> {
        if self.has_column_of_rounding() {
            return Ok(None);
        }
        let (transform, start) = invert(triangle);
        let order = start.len();
        // (R'R)^-1 = T T'.
        let inverse = pack(order, |i, j| {
            (i..order).map(|k| transform[packed(k, i)] * transform[packed(k, j)]).sum::<f64>().into()
        });
        let solution = Solution { coefficients: start.into_iter().map(DoubleDouble::from).collect(), inverse };
        if self.condition(&solution) <= QR_CONDITION {
            self.refine(solution, Precision::Extended, Method::Qr)
        } else {
            Ok(None)
        }
    }

    /// The last rung: always an answer.
    fn by_double_double(&self, triangle: &Triangle) -> Result<LeastSquares, Error> {
        let (transform, start) = invert(triangle);
        let order = start.len();
        let pass = ExtendedMoments::new(self.coordinates.clone(), transform.clone(), start.clone());
        let moments = self.source.pass(pass)?;
        let products = moments.products();
        let lies_in_span = |candidate: &Candidate<'_>, norms: &dyn Fn(usize) -> f64| {
            // The distance of z_j from the span of the columns kept before it, against what the rounding of the data
            // alone would leave of a column that lies in it.
            let j = candidate.column;
            let distance = candidate.pivot.to_f64().sqrt() / transform[packed(j, j)].abs();
            let mut shares: Vec<f64> = (0..=j).map(|k| transform[packed(j, k)]).collect();
            for (kept, coefficient) in candidate.nearest() {
                (0..=kept).for_each(|k| shares[k] -= coefficient.to_f64() * transform[packed(kept, k)]);
            }
            let combined: f64 = (0..=j).map(|k| (shares[k] / shares[j]).abs() * norms(k)).sum();
            distance <= 8.0 * UNIT_ROUNDOFF * self.rounding.span * combined
        };
        let mut elimination =
            Elimination::new(products, order, |candidate| lies_in_span(candidate, &|k| self.raw_norm(k)));
        if elimination.kept.len() < order {
            // If they are rounded at all.
            let norms = self.rounded_norms()?;
            elimination = Elimination::new(products, order, |candidate| lies_in_span(candidate, &|k| norms[k]));
        }
        if elimination.kept.len() < order {
            return self.without_aliased(&elimination.kept);
        }
        // b + T G^-1 g and T G^-1 T'.
        let inverse = elimination.inverse();
        let step = symmetric_times(&inverse, &products[packed(order, 0)..packed(order, order)]);
        let t = |i: usize, j: usize| DoubleDouble::from(transform[packed(j, i)]);
        let sum = |range: std::ops::Range<usize>, first: DoubleDouble, term: &dyn Fn(usize) -> DoubleDouble| {
            range.fold(first, |sum, k| sum + term(k))
        };
        let coefficients = (0..order).map(|i| sum(i..order, start[i].into(), &|k| t(i, k) * step[k])).collect();
        let row = |i: usize| -> Vec<_> {
            (0..order).map(|j| sum(i..order, DoubleDouble::ZERO, &|k| t(i, k) * inverse[symmetric(k, j)])).collect()
        };
        let half: Vec<Vec<_>> = (0..order).map(row).collect();
        let inverse = pack(order, |i, j| sum(j..order, DoubleDouble::ZERO, &|k| half[i][k] * t(j, k)));
        let solution = Solution { coefficients, inverse };
        let residuals = self.residuals(&solution, Precision::Extended)?;
        let sums = self.error_sums(&solution, &residuals)?;
        if self.settings.rough {
            let bound = self.rounding_errors(&solution, sums.residual.to_f64().max(0.0).sqrt());
            let fit = self.finish(&solution, &sums, Method::DoubleDouble, &bound);
            if fit.accuracy.digits >= FEW_DIGITS {
                return Ok(fit);
            }
        }
        let errors = self.perturbation_errors(&solution)?;
        Ok(self.finish(&solution, &sums, Method::DoubleDouble, &errors))
    }

    /// The fit on the columns that were kept, with the others marked as aliased.
    fn without_aliased(&self, kept: &[usize]) -> Result<LeastSquares, Error> {
        let offset = self.coordinates.offset();
        let columns: Vec<usize> = kept.iter().filter_map(|j| j.checked_sub(offset)).collect();
        if columns.len() + 1 == self.coordinates.columns() {
            // Only the intercept was set aside, which rounding cannot do.
            let what = "a sum of squares".to_owned();
            return Err(Error::Range { what, size: self.moments.totals().weight });
        }
        let fit = (self.narrower)(self.source.narrowed(&columns), self.rounding.narrowed(&columns))?;
        let order = self.coordinates.coefficients();
        // The position of each coefficient in the smaller fit, which may itself have set columns aside.
        let position = |j: usize| kept.iter().position(|&k| k == j);
        let value = |j: usize| position(j).and_then(|k| fit.coefficients[k]);
        let covariance = |i: usize, j: usize| match (position(i), position(j)) {
            (Some(i), Some(j)) => fit.unscaled_covariance[packed(i, j)],
            _ => 0.0,
        };
        let column = |j: usize| self.moments.product(j, j) / self.moments.scale(j).powi(2);
        Ok(LeastSquares {
            coefficients: (0..order).map(value).collect(),
            unscaled_covariance: pack(order, covariance),
            aliased: (0..order).filter(|&j| value(j).is_none()).collect(),
            leverage: fit.leverage.widened(&columns),
            means: (0..self.moments.order()).map(|j| self.moments.mean(j)).collect(),
            deviations: (0..self.moments.order()).map(column).collect(),
            ..fit
        })
    }

    /// Whether a column is nothing but rounding, as what is left of a column that absorbed effects explain: scaled to length one it looks
    /// like any other.
    fn has_column_of_rounding(&self) -> bool {
        let (moments, coordinates) = (&self.moments, &self.coordinates);
        (0..coordinates.columns() - 1).any(|j| {
            let norm = moments.product(j, j).sqrt() * coordinates.scale(j) / moments.scale(j);
            norm.is_nan() || norm <= 8.0 * UNIT_ROUNDOFF * self.raw_norm(j + coordinates.offset())
        })
    }

    /// Cholesky of the correlation matrix; none where it is not clearly positive definite.
    fn solve_moments(&self) -> Option<Solution> {
        let (moments, coordinates) = (&self.moments, &self.coordinates);
        let (columns, offset) = (coordinates.columns() - 1, coordinates.offset());
        let factor = |j: usize| coordinates.scale(j) / moments.scale(j);
        let product = |i: usize, j: usize| moments.product(i, j) * factor(i) * factor(j);
        if self.has_column_of_rounding() {
            return None;
        }
        let norms: Vec<f64> = (0..columns).map(|j| product(j, j).sqrt()).collect();
        let correlation = Mat::from_fn(columns, columns, |i, j| product(i, j) / (norms[i] * norms[j]));
        let inverse = faer::linalg::solvers::DenseSolveCore::inverse(&correlation.llt(Side::Lower).ok()?);
        let slopes = (0..columns).map(|i| {
            let sum: f64 = (0..columns).map(|j| inverse[(i, j)] * product(j, columns) / norms[j]).sum();
            DoubleDouble::from(sum / norms[i])
        });
        let coefficients = (0..offset).map(|_| DoubleDouble::ZERO).chain(slopes).collect();
        let inverse = pack(columns + offset, |i, j| match (i.checked_sub(offset), j.checked_sub(offset)) {
            (Some(i), Some(j)) => (inverse[(i, j)] / (norms[i] * norms[j])).into(),
            (None, None) => (1.0 / moments.totals().weight).into(),
            _ => DoubleDouble::ZERO,
        });
        Some(Solution { coefficients, inverse })
    }

    /// One step of iterative refinement, and the fit if enough digits came of it.
    fn refine(
        &self,
        mut solution: Solution,
        precision: Precision,
        method: Method,
    ) -> Result<Option<LeastSquares>, Error> {
        let residuals = self.residuals(&solution, precision)?;
        let step = symmetric_times(&solution.inverse, residuals.gradient());
        for (coefficient, step) in solution.coefficients.iter_mut().zip(step) {
            *coefficient += step;
        }
        let norm = residuals.sums().weighted_squares.to_f64().sqrt();
        if precision == Precision::Double && norm < 1e9 * UNIT_ROUNDOFF * self.row_magnitude(&solution) {
            // So close a fit that residuals computed in doubles have few digits.
            return Ok(None);
        }
        let errors = self.rounding_errors(&solution, norm);
        let fit = self.finish(&solution, &self.error_sums(&solution, &residuals)?, method, &errors);
        // Refined in double-double, what is left is the rounding of the data, which no further rung can mend; but where it seems to
        // leave next to nothing, the last one sees whether these data are rounded at all.
        let refined = precision == Precision::Extended && fit.accuracy.digits >= FEW_DIGITS;
        let accepted = refined || self.is_enough(&fit, &errors);
        Ok(accepted.then_some(fit))
    }

    /// Whether the digits asked for are there, of every coefficient or of its standard error: a coefficient that happens
    /// to lie near zero is no reason to climb.
    fn is_enough(&self, fit: &LeastSquares, errors: &[f64]) -> bool {
        let degrees = fit.totals.observations - errors.len() as f64;
        let variance = if degrees > 0.0 { fit.residual_sum_of_squares / degrees } else { 0.0 };
        fit.coefficients.iter().zip(errors).enumerate().all(|(j, (coefficient, error))| {
            let standard_error = (variance * fit.unscaled_covariance[packed(j, j)]).sqrt();
            let size = coefficient.map_or(0.0, f64::abs).max(standard_error);
            *error <= size * 10f64.powf(-self.settings.digits)
        })
    }

    fn residuals(&self, solution: &Solution, precision: Precision) -> Result<Residuals, Error> {
        self.source.pass(Residuals::new(self.coordinates.clone(), solution.coefficients.clone(), precision))
    }

    /// The root of the sum of squares of column `j` of the coefficients before it was shifted, in its scaled unit: what
    /// the rounding of its numbers is relative to.
    fn raw_norm(&self, coefficient: usize) -> f64 {
        let weight = self.moments.totals().weight;
        match coefficient.checked_sub(self.coordinates.offset()) {
            None => weight.sqrt(),
            Some(j) => {
                let deviation = self.moments.product(j, j).sqrt() / self.moments.scale(j);
                let own = deviation.hypot(self.moments.mean(j) * weight.sqrt());
                own.max(self.rounding.norms.get(j).copied().unwrap_or(0.0)) * self.coordinates.scale(j)
            }
        }
    }

    /// The same of every coefficient's column and of the response, cut to [`EXACT_PART`] for those that moving the data
    /// within their rounding errors does not move: integers are what they are. Two passes.
    fn rounded_norms(&self) -> Result<Vec<f64>, Error> {
        let order = self.coordinates.coefficients();
        let identity = (0..order).flat_map(|j| (0..=j).map(move |i| if i == j { 1.0 } else { 0.0 })).collect();
        let squares = ExtendedMoments::new(self.coordinates.clone(), identity, vec![0.0; order]);
        let (kept, moved) = (self.source.pass(squares.clone())?, self.source.pass(squares.moved(0))?);
        let exact = |j: usize| {
            let [kept, moved] = [&kept, &moved].map(|pass| pass.products()[packed(j, j)]);
            // What was made of integers is rounded all the same.
            kept == moved && self.rounding.norms.is_empty()
        };
        Ok((0..=order).map(|j| self.raw_norm(j) * if exact(j) { EXACT_PART } else { 1.0 }).collect())
    }

    /// The norm over rows of the sum of magnitudes of everything that is added up to a residual.
    fn row_magnitude(&self, solution: &Solution) -> f64 {
        magnitude(solution, |j| self.raw_norm(j))
    }

    /// The error of each coefficient when every number in a row carries an independent rounding error: of the row's
    /// residual, through `(X'VX)^-1 X'`, and of the columns, through `(X'VX)^-1` at the residuals.
    fn rounding_errors(&self, solution: &Solution, residual_norm: f64) -> Vec<f64> {
        let coordinates = &self.coordinates;
        // Errors of different rows are independent, so their effect is not that of all rows together; but rows with the
        // same numbers have the same errors.
        let typical = 1.0 / (self.moments.rows() as f64).min(DIFFERENT_ROWS).sqrt();
        let rows = self.row_magnitude(solution) * typical / coordinates.response_scale();
        let order = solution.coefficients.len();
        let columns = |j: usize| -> f64 {
            let share = |k: usize| coordinates.carry_back(j, |l| solution.inverse[symmetric(l, k)]).to_f64().abs();
            (coordinates.offset()..order).map(|k| share(k) * self.raw_norm(k)).sum()
        };
        (0..order)
            .map(|j| {
                let deviation = coordinates.carry_back_covariance(&solution.inverse, j, j).sqrt();
                8.0 * UNIT_ROUNDOFF * (deviation * rows + columns(j) * residual_norm * typical)
            })
            .collect()
    }

    /// The error of each coefficient that the rounding of the data causes, seen by refitting data moved within it: at
    /// moved data the gradient of the solution is no longer zero, and one Newton step leads to theirs.
    fn perturbation_errors(&self, solution: &Solution) -> Result<Vec<f64>, Error> {
        let mut squares = vec![0.0; solution.coefficients.len()];
        for draw in 0..PERTURBATION_DRAWS {
            let moved = self.residuals(solution, Precision::Perturbed(draw))?;
            let step = symmetric_times(&solution.inverse, moved.gradient());
            for (j, sum) in squares.iter_mut().enumerate() {
                *sum += self.coordinates.carry_back(j, |k| step[k]).to_f64().powi(2);
            }
        }
        Ok(squares.iter().map(|sum| 3.0 * (sum / f64::from(PERTURBATION_DRAWS)).sqrt()).collect())
    }

    /// The condition number of the columns scaled to length one, in the Frobenius norm: the root of the number of
    /// columns times the sum of their variance inflation factors.
    fn condition(&self, solution: &Solution) -> f64 {
        let offset = self.coordinates.offset();
        let inflation = |j: usize| {
            let squares = self.moments.product(j, j) * (self.coordinates.scale(j) / self.moments.scale(j)).powi(2);
            solution.inverse[packed(j + offset, j + offset)].to_f64() * squares
        };
        let columns = self.coordinates.columns() - 1;
        let inflations = (0..columns).map(inflation).sum::<f64>() + offset as f64;
        ((columns + offset) as f64 * inflations).sqrt()
    }

    /// The sums of a solution one Newton step away from where the residuals were taken; exactly zero where they are no
    /// larger than the rounding of the data.
    fn error_sums(&self, solution: &Solution, residuals: &Residuals) -> Result<ErrorSums, Error> {
        let (totals, sums) = (*residuals.totals(), residuals.sums());
        let step = symmetric_times(&solution.inverse, residuals.gradient());
        let gained = step.iter().zip(residuals.gradient()).fold(DoubleDouble::ZERO, |sum, (&a, &b)| sum + a * b);
        let residual = sums.weighted_squares - gained;
        let mean_square = match self.coordinates.intercept() {
            true => sums.response.square() / totals.weight,
            false => DoubleDouble::ZERO,
        };
        let total = sums.response_squares - mean_square;
        let norm = residual.to_f64().max(0.0).sqrt();
        let is_rounding = |magnitude: f64| norm <= 2.0 * UNIT_ROUNDOFF * self.rounding.span * magnitude;
        if is_rounding(self.row_magnitude(solution)) {
            let norms = self.rounded_norms()?;
            if is_rounding(magnitude(solution, |j| norms[j])) {
                let (residual, absolute) = (DoubleDouble::ZERO, Some(0.0));
                return Ok(ErrorSums { totals, residual, total, squares: 0.0, absolute });
            }
        }
        let (squares, absolute) = (sums.squares.to_f64(), Some(sums.absolute.to_f64()));
        Ok(ErrorSums { totals, residual, total, squares, absolute })
    }

    /// Everything carried back to the units of the data. `errors` are those of the coefficients there.
    fn finish(&self, solution: &Solution, sums: &ErrorSums, method: Method, errors: &[f64]) -> LeastSquares {
        let (coordinates, moments) = (&self.coordinates, &self.moments);
        let order = coordinates.coefficients();
        let shift =
            |j: usize| if j < coordinates.offset() { coordinates.shift(coordinates.columns() - 1) } else { 0.0 };
        let coefficient = |j: usize| coordinates.carry_back(j, |k| solution.coefficients[k]) + shift(j);
        let mut coefficients: Vec<f64> = (0..order).map(|j| coefficient(j).to_f64()).collect();
        let unscaled_covariance = pack(order, |i, j| coordinates.carry_back_covariance(&solution.inverse, i, j));

        let ErrorSums { mut totals, residual, mut total, squares, absolute } = *sums;
        if self.source.layout().sampling {
            // What sampling weights of mean 1 sum to, but for rounding.
            totals.observations = totals.rows as f64;
        }
        let unit = 1.0 / coordinates.response_scale().powi(2);
        // The same number in every row: what differs is the rounding of its mean.
        let constant = coordinates.intercept()
            && total.to_f64().max(0.0).sqrt() <= CONSTANT_PART * self.raw_norm(solution.coefficients.len());
        if constant {
            total = DoubleDouble::ZERO;
            coefficients[1..].fill(0.0);
        }
        let mut deviations: Vec<f64> =
            (0..moments.order()).map(|j| moments.product(j, j) / moments.scale(j).powi(2)).collect();
        if let Some(response) = deviations.last_mut().filter(|_| constant) {
            *response = 0.0;
        }

        // Without regressors the two sums are the same, whatever their rounding.
        let explained = if coordinates.columns() > 1 { (total - residual).to_f64().max(0.0) } else { 0.0 };
        let degrees = totals.observations - order as f64;
        let variance = if degrees > 0.0 { residual.to_f64() * unit / degrees } else { 0.0 };
        let digits = (0..order)
            .filter_map(|j| {
                let (value, error) = (coefficients[j].abs(), errors[j] + UNIT_ROUNDOFF * coefficients[j].abs());
                // A coefficient that cannot be told from zero is measured by its standard error.
                let size =
                    if value > 10.0 * error { value } else { (variance * unscaled_covariance[packed(j, j)]).sqrt() };
                (size > 0.0).then(|| -(error / size).log10())
            })
            .fold(-UNIT_ROUNDOFF.log10(), f64::min)
            .max(0.0);
        LeastSquares {
            coefficients: coefficients.into_iter().map(Some).collect(),
            unscaled_covariance,
            aliased: Vec::new(),
            residual_sum_of_squares: residual.to_f64() * unit,
            total_sum_of_squares: total.to_f64() * unit,
            explained_sum_of_squares: explained * unit,
            squared_errors: squares * unit,
            absolute_errors: absolute.map(|sum| sum / coordinates.response_scale()),
            means: (0..moments.order()).map(|j| moments.mean(j)).collect(),
            deviations,
            leverage: Leverage::new(coordinates, triangular_root(&solution.inverse, order, method)),
            accuracy: Accuracy { digits, method, condition: self.condition(solution) },
            totals,
        }
    }
}

/// The sum of the norms of a solution's terms and of the response.
fn magnitude(solution: &Solution, norm: impl Fn(usize) -> f64) -> f64 {
    let terms = solution.coefficients.iter().enumerate().map(|(j, b)| b.to_f64().abs() * norm(j));
    norm(solution.coefficients.len()) + terms.sum::<f64>()
}

/// The inverse of the triangle of the design columns (packed by columns) and the solution it gives. A diagonal at rounding
/// level is taken at that level: the inverse only has to be some good matrix, not the exact one.
fn invert(triangle: &Triangle) -> (Vec<f64>, Vec<f64>) {
    let order = triangle.order() - 1;
    let mut inverse = vec![0.0; packed_length(order)];
    let mut weak = vec![false; order];
    for j in 0..order {
        let norm = (0..=j).map(|i| triangle.get(i, j).powi(2)).sum::<f64>().sqrt();
        let diagonal = triangle.get(j, j);
        weak[j] = diagonal.abs() <= WEAK_PART * norm;
        let least = UNIT_ROUNDOFF * norm;
        let diagonal = match diagonal.abs() > least {
            true => diagonal,
            false if norm > 0.0 => least,
            false => 1.0,
        };
        for i in 0..j {
            let strong = (i..j).filter(|&k| !weak[k]);
            let sum: f64 = strong.map(|k| inverse[packed(k, i)] * triangle.get(k, j)).sum();
            inverse[packed(j, i)] = -sum / diagonal;
        }
        inverse[packed(j, j)] = 1.0 / diagonal;
    }
    // By substitution, for which no column is too weak: the better this is, the less is left for the last rung.
    let mut solution = vec![0.0; order];
    for i in (0..order).rev() {
        let rest: f64 = (i + 1..order).map(|k| triangle.get(i, k) * solution[k]).sum();
        solution[i] = (triangle.get(i, order) - rest) * inverse[packed(i, i)];
    }
    (inverse, solution)
}

/// A packed lower triangle from its elements `(i, j)`, `j <= i`.
fn pack<T>(order: usize, element: impl Fn(usize, usize) -> T) -> Vec<T> {
    (0..order).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| element(i, j)).collect()
}

/// `L` with `L L'` the given positive definite matrix, both packed.
fn triangular_root(matrix: &[DoubleDouble], order: usize, method: Method) -> Vec<f64> {
    let in_doubles = || {
        let full = Mat::from_fn(order, order, |i, j| matrix[symmetric(i, j)].to_f64());
        let factor = full.llt(Side::Lower).ok()?;
        Some(pack(order, |i, j| factor.L()[(i, j)]))
    };
    let quick = if method == Method::DoubleDouble { None } else { in_doubles() };
    quick.unwrap_or_else(|| Elimination::new(matrix, order, |_| false).factor())
}
