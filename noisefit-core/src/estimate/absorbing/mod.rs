//! Maximum likelihood under noise with a smooth loss beside absorbed effects.
//!
//! ```text
//! y = x'b + sum of the constants of the row's levels + s R / sqrt(w)
//! ```
//!
//! A Newton step is a weighted least squares problem whose effects are swept out as those of the response itself are under Gaussian noise
//! ([`pass::Working`]): the constants of the levels are eliminated from the equations of `b`, `ln s` and a shape, and follow from these. The
//! search begins at least squares. Maximum likelihood counts no constant in the scale (Neyman and Scott 1948, *Econometrica* 16, 1-32), which a
//! warning tells.

mod pass;
mod point;

use std::sync::Arc;

use crate::Error;
use crate::algebra::absorb::Absorbed;
use crate::algebra::gram::{packed, packed_length};
use crate::algebra::{Accuracy, Cholesky, LeastSquares, Method, Moments};
use crate::error::least_degrees;
use crate::estimate::Options;
use crate::estimate::estimated::{Covariance, Estimate, EstimatedScale};
use crate::noise::{Huber, HuberScale, Noise, Route};
use crate::numeric::distribution::{Normal, Symmetric};
use crate::record::{Fit, Reason, Reference, ShapeParameter, Shortfall, Termination, VcovKind, Warning};
use crate::rows::{Adapted, Kinds, Layout, RowSource, RowSourceExt, Subset};
use pass::{Sums, Working};
use point::{Known, Point};

/// A step shorter than this, in standard errors by the root of the number of observations, is none.
const TOLERANCE: f64 = 1e-11;

/// A step this short is at the level of rounding where the next one is not shorter.
const ATTAINABLE: f64 = 1e-8;

/// Steps at most.
const MOST_STEPS: u64 = 200;

/// The part of the promised increase that a step has to bring.
const SUFFICIENT: f64 = 1e-4;

/// What is lost in summing a log-likelihood, by observation.
const NOISE: f64 = 1e-12;

/// The logarithm of the scale changes by no more in one step;
const LONGEST: f64 = 1.0;

/// and a scale that fell so far below that of the start falls without end.
const COLLAPSE: f64 = 28.0;

/// Whether a noise is fitted beside absorbed effects.
pub(crate) fn is_absorbing(noise: &Noise) -> bool {
    match noise {
        Noise::Huber(Huber { delta, scale, .. }) => delta.is_none() && *scale == HuberScale::MaximumLikelihood,
        noise => matches!(noise.route(), Route::ClosedForm | Route::Smooth),
    }
}

/// The maximum likelihood fit of rows that have effects, and what was absorbed.
///
/// # Errors
/// Those of least squares beside effects; [`Error::Undetermined`] where levels of few rows let the likelihood grow without bound.
pub(crate) fn fit(source: &dyn RowSource, noise: Noise, options: &Options) -> Result<(Fit, Absorbed), Error> {
    options.check()?;
    let absorbed = Absorbed::new(source)?;
    let rows = absorbed.rows(source);
    let solved = LeastSquares::solve_rounded(&rows, options.settings, absorbed.rounding())?;
    options.check_collinear(&solved, &rows.layout().coefficient_names())?;
    if !(solved.residual_sum_of_squares > 0.0) {
        let estimate = Estimate::without_residuals(noise, &solved);
        return Ok((estimate.beside(Some(&absorbed), rows.layout(), &solved, options.level), absorbed));
    }
    let kept: Vec<usize> = (0..solved.coefficients.len()).filter(|j| !solved.aliased.contains(j)).collect();
    let with_levels = absorbed.rows_with_effects(source);
    let narrow = Subset::of(&with_levels, kept);
    let coefficients = solved.coefficients.iter().flatten().count() + absorbed.rank;
    let search = Search { source: &narrow, coefficients: coefficients as f64 };
    let found = search.maximum(search.start(&solved, noise))?;
    let fit = record(&found, rows.layout(), &absorbed, &solved, options)?;
    Ok((fit, absorbed))
}

/// The rows of a search, whose columns are free of the effects by their least squares, and their coefficients in all.
struct Search<'a> {
    source: &'a dyn RowSource,
    coefficients: f64,
}

/// Where a search ended.
struct Maximum {
    state: Sums,
    known: Known,
    /// The variance of the shape, the others estimated with it.
    shape_variance: Option<f64>,
    distance: f64,
    iterations: u64,
    converged: bool,
    reason: Reason,
}

/// A step of all parameters.
struct Step {
    slopes: Vec<f64>,
    constants: Vec<Vec<f64>>,
    log_scale: f64,
    theta: f64,
    /// What the gradient promises of a whole step.
    rise: f64,
    shape_variance: Option<f64>,
}

impl Search<'_> {
    /// Least squares, and a scale that fits its residuals.
    fn start(&self, solved: &LeastSquares, noise: Noise) -> Point {
        let constants = self.source.layout().effects.iter().map(|effect| Arc::new(vec![0.0; effect.levels]));
        let n = solved.totals.observations;
        let mut point = Point {
            noise,
            theta: 0.0,
            slopes: solved.coefficients.iter().flatten().copied().collect(),
            constants: constants.collect(),
            log_scale: 0.5 * (solved.residual_sum_of_squares / n).ln(),
        };
        if let Some(shape) = point.known(n, self.coefficients).shape {
            point.theta = shape.middling.min(shape.heaviest);
        }
        point.log_scale -= 0.5 * point.found().family().variance().min(3.0).ln();
        point
    }

    /// Climbs to where the gradient vanishes.
    fn maximum(&self, start: Point) -> Result<Maximum, Error> {
        let known = |point: &Point, n: f64| point.known(n, self.coefficients);
        let first_scale = start.log_scale;
        let mut state = self.source.pass(Sums::new(start))?;
        let (n, mut iterations, mut last_distance) = (state.observations(), 0, f64::INFINITY);
        loop {
            let now = known(state.point(), n);
            let exact = least_degrees(self.coefficients, n) >= now.tail_index;
            if exact || first_scale - state.point().log_scale > COLLAPSE {
                return Err(self.unbounded(n));
            }
            let step = self.step(&state, &now)?;
            let distance = (step.rise.max(0.0) / n).sqrt();
            let ended = |converged, reason, state| {
                let shape_variance = step.shape_variance;
                Ok(Maximum { state, known: now.clone(), shape_variance, distance, iterations, converged, reason })
            };
            // Log-likelihoods tell no such steps apart: they go on as long as they shorten.
            let rounded = distance < ATTAINABLE && distance > 0.5 * last_distance;
            if distance <= TOLERANCE || rounded || distance.is_nan() {
                return ended(!distance.is_nan(), Reason::Gradient, state);
            }
            last_distance = distance;
            if iterations == MOST_STEPS {
                return ended(distance <= ATTAINABLE, Reason::IterationLimit, state);
            }
            let before = state.log_likelihood(now.constant[0]);
            let slack = NOISE * (n + before.abs());
            let mut part = (LONGEST / step.log_scale.abs()).min(1.0);
            let next = loop {
                let next = self.source.pass(Sums::new(state.point().moved(&step, part)))?;
                let after = next.log_likelihood(known(next.point(), n).constant[0]);
                // A comparison that NaN fails.
                if after >= before + SUFFICIENT * part * step.rise - slack {
                    break Some(next);
                }
                part *= 0.25;
                if part < 1e-8 {
                    break None;
                }
            };
            match next {
                Some(next) => state = next,
                None => return ended(distance <= ATTAINABLE, Reason::NoIncrease, state),
            }
            iterations += 1;
        }
    }

    /// Newton's step, the constants of the levels eliminated.
    fn step(&self, state: &Sums, known: &Known) -> Result<Step, Error> {
        let point = state.point();
        let (width, shaped) = (point.slopes.len(), known.shape.is_some());
        let working = Working(point.clone());
        let layout = working.layout(self.source.layout(), shaped);
        let order = layout.terms.len();
        let rows = Adapted::new(self.source, working, layout);
        let absorbed = Absorbed::new(&rows)?;
        let products = absorbed.rows(&rows).pass(Moments::new(order, false))?;
        let (slopes, beside) = state.beside_products(known.constant);
        let mut gradient: Vec<f64> = (0..order).map(|j| products.product(j, order)).collect();
        gradient[width..].iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient += slope);
        let mut matrix = vec![0.0; packed_length(order)];
        for i in 0..order {
            (0..=i).for_each(|j| matrix[packed(i, j)] = products.product(i, j));
        }
        let [scale, cross, shape] = beside;
        let mut curved = matrix.clone();
        curved[packed(width, width)] += scale;
        if shaped {
            curved[packed(width + 1, width)] += cross;
            curved[packed(width + 1, width + 1)] += shape;
        }
        let factor = match Cholesky::new(&curved, order) {
            Some(factor) => factor,
            None => {
                // What is expected of scale and shape leads up from anywhere.
                let n = state.observations();
                for i in width..order {
                    (0..i).for_each(|j| matrix[packed(i, j)] = 0.0);
                }
                matrix[packed(width, width)] = n * known.information.log_scale;
                if shaped {
                    let [own, cross] = known.of_shape;
                    matrix[packed(width + 1, width)] = n * cross;
                    matrix[packed(width + 1, width + 1)] = n * own;
                }
                curved.copy_from_slice(&matrix);
                Cholesky::new(&matrix, order).ok_or_else(undetermined)?
            }
        };
        let mut change = factor.solve(&gradient);
        let mut shape_variance = None;
        if let Some(shape) = &known.shape {
            let last = width + 1;
            let unit: Vec<f64> = (0..order).map(|j| f64::from(u8::from(j == last))).collect();
            shape_variance = Some(factor.solve(&unit)[last]);
            let within = (point.theta + change[last]).clamp(shape.lightest, shape.heaviest) - point.theta;
            if within != change[last] {
                // The others as it is where the shape stops.
                let right: Vec<f64> = (0..last).map(|j| gradient[j] - curved[packed(last, j)] * within).collect();
                change = Cholesky::new(&curved, last).ok_or_else(undetermined)?.solve(&right);
                change.push(within);
            }
        }
        let own: f64 = gradient.iter().zip(&change).map(|(g, d)| g * d).sum();
        let coefficients: Vec<Option<f64>> = change.iter().copied().map(Some).collect();
        let constants = absorbed.constants(&coefficients).into_iter();
        let constants =
            constants.map(|of_effect| of_effect.into_iter().map(|value| value.unwrap_or(0.0)).collect()).collect();
        Ok(Step {
            constants,
            rise: own + absorbed.explained_response,
            log_scale: change[width],
            theta: if shaped { change[width + 1] } else { 0.0 },
            slopes: change[..width].to_vec(),
            shape_variance,
        })
    }

    /// The error for levels that can be fitted exactly under such tails.
    fn unbounded(&self, n: f64) -> Error {
        let names: Vec<&str> = self.source.layout().effects.iter().map(|effect| effect.name.as_str()).collect();
        Error::Undetermined {
            why: format!(
                "{} coefficients, with the constants of {}, fit as many of the {n} observations exactly, and under noise with tails so \
                 heavy the likelihood then grows without bound",
                self.coefficients,
                names.join(" and ")
            ),
            remedy: Some(
                "name noise with lighter tails, such as huber or student-t with more df, or leave an effect out",
            ),
        }
    }
}

fn undetermined() -> Error {
    Error::Undetermined {
        why: "too few rows are near enough to their fitted values to determine every coefficient".to_owned(),
        remedy: Some("leave out terms"),
    }
}

impl Point {
    /// The point a part of a step away.
    fn moved(&self, step: &Step, part: f64) -> Self {
        let add = |values: &[f64], by: &[f64]| values.iter().zip(by).map(|(value, by)| value + part * by).collect();
        let constants = self.constants.iter().zip(&step.constants);
        Point {
            noise: self.noise,
            theta: self.theta + part * step.theta,
            slopes: add(&self.slopes, &step.slopes),
            constants: constants.map(|(values, by)| Arc::new(add(values, by))).collect(),
            log_scale: self.log_scale + part * step.log_scale,
        }
    }
}

/// The record of a maximum.
fn record(
    found: &Maximum,
    layout: &Layout,
    absorbed: &Absorbed,
    solved: &LeastSquares,
    options: &Options,
) -> Result<Fit, Error> {
    let Maximum { state, known, shape_variance, distance, iterations, converged, reason } = found;
    let (point, n) = (state.point(), state.observations());
    let scale = point.log_scale.exp();
    let variance = scale * scale / known.information.location;
    if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&variance) {
        return Err(Error::Range { what: format!("the noise scale of {}", layout.response), size: scale });
    }
    let mut slopes = point.slopes.iter();
    let coefficients: Vec<Option<f64>> =
        solved.coefficients.iter().map(|known| known.and_then(|_| slopes.next().copied())).collect();
    let rank = coefficients.iter().flatten().count() + absorbed.rank;
    let degrees = n - rank as f64;
    let shape = known.shape.as_ref().map(|shape| {
        let inside = |theta: f64| shape.lightest < theta && theta < shape.heaviest;
        let margin = shape_variance.map(|variance| Normal.critical(options.level) * variance.sqrt());
        let end = |sign: f64| margin.map(|margin| point.theta + sign * margin).filter(|theta| inside(*theta));
        let mut ends = [end(-1.0), end(1.0)].map(|theta| theta.map(|theta| point.reported(theta)));
        if point.reported(shape.lightest) > point.reported(shape.heaviest) {
            ends.reverse();
        }
        ShapeParameter {
            name: shape.name.to_owned(),
            estimate: Some(point.reported(point.theta)).filter(|value| value.is_finite()),
            conf_low: ends[0],
            conf_high: ends[1],
            bound: Some(point.reported(shape.heaviest)).filter(|bound| bound.is_finite()),
        }
    });
    let mut warnings = Vec::new();
    if !converged {
        let shortfall = Shortfall::Iterations { iterations: *iterations, step: *distance };
        warnings.push(Warning::NotConverged(shortfall));
    }
    if let Some(bounds) = &known.shape {
        let per_coefficient = n / rank as f64;
        match point.theta {
            theta if theta <= bounds.lightest => warnings.push(Warning::GaussianTails),
            theta if theta >= bounds.heaviest * (1.0 - 1e-12) => {
                warnings.push(Warning::HeaviestTails { least: point.reported(bounds.heaviest), per_coefficient });
            }
            _ => {}
        }
    }
    let effects = absorbed.effects.iter().map(|effect| effect.name.clone()).collect();
    warnings.push(Warning::IncidentalParameters { effects, constants: absorbed.rank as u64, observations: n as u64 });
    let estimate = Estimate {
        noise: point.found(),
        accuracy: accuracy(found, absorbed, solved),
        coefficients: coefficients.clone(),
        scale: EstimatedScale::Common(scale),
        noise_parameters: 1 + usize::from(shape.is_some()),
        shape,
        vertex: None,
        log_likelihood: state.log_likelihood(known.constant[0])
            + 0.5 * solved.totals.log_weight
            + solved.totals.log_jacobian,
        errors: state.errors(),
        explained: None,
        covariance: Covariance::Multiple((degrees > 0.0).then_some(variance)),
        kind: VcovKind::CLASSICAL,
        reference: Reference::Normal,
        termination: Termination { converged: *converged, reason: *reason, iterations: *iterations, duality_gap: None },
        warnings,
    };
    let mut fit = estimate.beside(Some(absorbed), layout, solved, options.level);
    let effects = fit.absorbed.iter_mut().flat_map(|absorbed| &mut absorbed.effects);
    for (effect, moved) in effects.zip(&point.constants) {
        for (constant, moved) in effect.constants.iter_mut().flatten().zip(moved.iter()) {
            *constant = constant.map(|constant| constant + moved);
        }
    }
    Ok(fit)
}

/// How many digits of the worst coefficient are right: what the search left, and what the rounding of every row did to the gradient.
fn accuracy(found: &Maximum, absorbed: &Absorbed, solved: &LeastSquares) -> Accuracy {
    let (state, n) = (&found.state, found.state.observations());
    let errors = state.errors();
    let typical = (errors.absolute / n).max(f64::MIN_POSITIVE);
    let norms = absorbed.rounding().norms;
    let raw = |j: usize| norms.get(j).map_or(0.0, |norm| norm / solved.totals.weight.sqrt());
    let slopes = solved.coefficients.iter().enumerate().map(|(j, b)| b.unwrap_or(0.0).abs() * raw(j));
    let magnitude = raw(norms.len().saturating_sub(1)) + slopes.sum::<f64>();
    // Rows that are alike have the same errors.
    let rounding = 4.0 * f64::EPSILON * (1.0 + magnitude / typical) / n.min(1000.0).sqrt();
    let lost = (found.distance + rounding) * n.sqrt();
    let variance = errors.weighted_squares / n;
    let worst = (0..solved.coefficients.len()).filter_map(|j| {
        let standard_error = (variance * solved.unscaled_covariance[packed(j, j)]).sqrt();
        let size = solved.coefficients[j]?.abs().max(standard_error);
        (size > 0.0).then(|| lost * standard_error / size)
    });
    let worst = worst.fold(f64::EPSILON, f64::max);
    Accuracy { digits: -worst.log10(), method: Method::Newton, condition: solved.accuracy.condition }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Sums>().with_adaptor::<Working>()
}
