//! Fits with a category of many levels among the terms, by the codes of its levels.
//!
//! The rows have the category as an effect that is swept out of all columns (Frisch and Waugh), of least squares or, under other noise, of
//! every step's weighted least squares; the coefficients of the others come from what is left. Those of the levels follow: the constant of a level is the mean of the response over its rows less that of the
//! columns times their coefficients, and the coefficient its difference from that of the reference. What is kept is of the size of the
//! rows or of the levels, never of both multiplied, and no matrix is of levels times levels.

use crate::Error;
use crate::algebra::Method;
use crate::algebra::absorb::Absorbed;
use crate::algebra::by_level::ByLevel;
use crate::estimate::{Collinear, absorbing, absorbs_effects, closed_form};
use crate::inference::Options;
use crate::inference::covariance::{self, OfLevels, Vcov};
use crate::inference::{scale_interval, small_sample};
use crate::noise::{Noise, Route};
use crate::numeric::double_double::DoubleDouble;
use crate::record::{
    self, AbsorbedEffect, Coefficients, FTest, Fit, LocationCovariance, SmallSample, VcovKind, Warning,
};
use crate::rows::{CodedCategory, INTERCEPT, RowSource};

/// With fewer digits the ladder of precision is climbed with columns for the levels.
const FEW_DIGITS: f64 = 6.0;

/// What a fit to rows with the codes of a category says of its levels beside what the fit itself says: [`Coded::expand`] puts them together.
#[derive(Debug)]
pub struct Coded {
    category: CodedCategory,
    form: ByLevel,
    constants: Vec<DoubleDouble>,
    /// How well the constants are known in digits.
    digits: f64,
}

/// The fit under noise of one scale, beside which effects are absorbed ([`absorbs_effects`](crate::estimate::absorbs_effects)), to rows that
/// have the category as their only effect and no intercept, with the category absorbed,
/// for passes over the same rows; and what is to be said of its levels. None where rows with a column for every level are to be fitted
/// in their place: for a covariance that is not known by levels, for terms that the category explains or that are combinations of others,
/// where nothing is left of the noise, and under tails so heavy that so few rows a level leave the likelihood without a maximum.
///
/// ```
/// use noisefit_core::inference::{Options, fit_coded};
/// use noisefit_core::noise::Noise;
/// use noisefit_core::rows::{CodedCategory, Matrix, MemoryRows};
///
/// let (x, y) = ([1.0, 2.0, 4.0, 1.0, 2.0, 3.0], [1.0, 2.5, 4.0, 3.0, 3.5, 5.0]);
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 6, 1)?)?.with_effect("g", 2, &[0, 0, 0, 1, 1, 1])?;
/// // A column for the second of two levels would stand behind that of x.
/// let category = CodedCategory { first: 1, levels: 2, omitted: Some(0) };
/// let (fit, coded) = fit_coded(&rows, Noise::Gaussian, category, &Options::default())?.unwrap();
/// let fit = coded.expand(fit, &["x".to_owned(), "g[b]".to_owned()]);
/// // Within levels the squares of x are 14/3 + 2, its products with y 9/2 + 2.
/// let slope = 6.5 / (20.0 / 3.0);
/// assert!((fit.coef()[1].unwrap() - slope).abs() < 1e-14);
/// assert!((fit.coef()[2].unwrap() - (23.0 / 6.0 - 2.5 - slope * (2.0 - 7.0 / 3.0))).abs() < 1e-14);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`fit`](super::fit()).
pub fn fit_coded(
    source: &dyn RowSource,
    noise: Noise,
    category: CodedCategory,
    options: &Options,
) -> Result<Option<(Fit, Coded)>, Error> {
    let layout = source.layout();
    let least_squares = noise.route() == Route::ClosedForm;
    let known = match &options.vcov {
        Vcov::Default | Vcov::Classical(_) => absorbs_effects(&noise),
        _ if !least_squares => false,
        Vcov::Sandwich(_) => true,
        Vcov::Hc0(_) | Vcov::Hc1(_) | Vcov::Hc2(_) | Vcov::Hc3(_) | Vcov::Hc4(_) => true,
        Vcov::Cluster(cluster) => cluster.columns.len() == 1 && !layout.terms.is_empty(),
        _ => false,
    };
    let Some(reference) = category.omitted.filter(|_| known && !layout.sampling && layout.scale.is_none()) else {
        return Ok(None);
    };
    let estimation = crate::estimate::Options { collinear: Collinear::Drop, ..options.estimation() };
    let (mut fit, absorbed) = match least_squares {
        true => closed_form::fit_absorbing(source, &estimation)?,
        false => {
            noise.check()?;
            match absorbing::fit(source, noise, &estimation) {
                // Columns have a maximum to tell of, or a sentence of their own.
                Err(Error::Undetermined { .. } | Error::Unbounded(_)) => return Ok(None),
                found => found?,
            }
        }
    };
    if absorbed.alone().is_none() {
        return Ok(None);
    }
    let has_rows = &absorbed.effects[0].has_rows;
    let exact = fit.df_residual == 0 || !fit.scale.common().is_some_and(|scale| scale > 0.0);
    let Some(coefficients) = fit.coef().into_iter().collect::<Option<Vec<f64>>>() else { return Ok(None) };
    // A level without rows has no coefficient.
    let refused = options.collinear == Collinear::Fail && has_rows.contains(&false);
    if exact || refused || !has_rows[reference] {
        return Ok(None);
    }
    // Of levels that lie within clusters the residuals sum to nothing over every cluster.
    let clustered = matches!(options.vcov, Vcov::Cluster(_));
    let nested = clustered && absorbed.effects[0].nested;
    // As with columns for the levels every one of them counts.
    let effects = fit.absorbed.iter_mut().flat_map(|absorbed| &mut absorbed.effects);
    effects.for_each(|effect| effect.nested = false);
    let extended = fit.accuracy.method == Method::DoubleDouble;
    let constants = match least_squares {
        true => absorbed.refined(source, &coefficients, extended)?,
        false => {
            // That there are many is said of effects of which nothing else is.
            fit.warnings.retain(|warning| !matches!(warning, Warning::IncidentalParameters { .. }));
            let constants =
                fit.absorbed.iter().flat_map(|absorbed| &absorbed.effects).filter_map(|e| e.constants.as_ref());
            constants.flatten().map(|constant| DoubleDouble::from(constant.unwrap_or(f64::NAN))).collect()
        }
    };
    let digits = digits(&absorbed, &fit, &coefficients, &constants, reference);
    // Only least squares has a ladder to climb.
    if digits < FEW_DIGITS && least_squares {
        return Ok(None);
    }

    let rows = absorbed.rows(source);
    let Some(mut levels) = OfLevels::of(&absorbed).map(OfLevels::of_terms) else { return Ok(None) };
    if clustered && !nested {
        levels = levels.crossed();
    }
    covariance::estimate_with(&rows, &mut fit, &options.vcov, &estimation, Some(&mut levels))?;
    small_sample::apply(&rows, &mut fit, options.small_sample)?;
    if nested && levels.found.is_none() {
        levels.found = Some((vec![0.0; has_rows.len()], Vec::new()));
        let (rank, coefficients) = (fit.location.rank(), fit.rank() as u64);
        let vcov = fit.covariance.kind.clone();
        if !fit.warnings.iter().any(|warning| matches!(warning, Warning::RankOfCovariance { .. })) {
            fit.warnings.push(Warning::RankOfCovariance { rank, coefficients, vcov });
        }
    }
    if let Some(cells) = &levels.cells {
        // With `G` clusters the sums of scores span `G - 1` dimensions.
        let (rank, coefficients) = (cells.clusters() - 1, fit.rank());
        fit.warnings.retain(|warning| !matches!(warning, Warning::RankOfCovariance { .. }));
        if rank < coefficients {
            let (vcov, coefficients) = (fit.covariance.kind.clone(), coefficients as u64);
            fit.warnings.push(Warning::RankOfCovariance { rank, coefficients, vcov });
        }
    }
    let Some(form) = form_of(category, levels, &fit, &absorbed) else { return Ok(None) };
    for effect in fit.absorbed.iter_mut().flat_map(|absorbed| &mut absorbed.effects) {
        let constant = |value: &DoubleDouble| Some(value.to_f64()).filter(|value| value.is_finite());
        effect.constants = Some(constants.iter().map(constant).collect());
    }
    Ok(Some((fit, Coded { category, form, constants, digits })))
}

/// A fit whose covariance is known by the levels of a category, for rows that have this as an effect in place of its columns and the
/// intercept: what predicts them at the cost of the other columns. None of any other fit.
///
/// A level that no row of the fit has counts as the reference, as with a column it does.
pub fn by_codes(fit: &Fit, category: CodedCategory) -> Option<Fit> {
    let form = fit.leverage()?.by_level()?;
    category.omitted.filter(|_| *form.category() == category && fit.location.intercept)?;
    let estimates = fit.coef();
    let first = estimates.first().copied().flatten()?;
    let constant = |level: usize| match category.column(level) {
        Some(column) => first + estimates.get(column + 1).copied().flatten().unwrap_or(0.0),
        None => first,
    };
    let effect = AbsorbedEffect {
        name: String::new(),
        levels: category.levels as u64,
        singletons: 0,
        nested: false,
        constants: Some((0..category.levels).map(|level| Some(constant(level))).collect()),
    };
    let is_other = |place: usize| place > 0 && category.level(place - 1).is_none();
    let others = fit.location.rows.iter().enumerate().filter(|(place, _)| is_other(*place));
    let rows = others.map(|(_, row)| row.clone()).collect();
    let mut contracted = Fit { location: Coefficients { intercept: false, rows }, ..fit.clone() };
    let (form, slopes) = (Some(Box::new(form.clone())), form.slopes().clone());
    contracted.absorbed = Some(record::Absorbed {
        effects: vec![effect],
        rank: category.levels as u64,
        within_r_squared: None,
        steps: 0,
        parts: None,
        form,
    });
    if let Some(location) = &mut contracted.covariance.location {
        location.leverage = slopes.into();
    }
    Some(contracted)
}

/// How sure the locations of rows are whose effect is absorbed alone; none by a covariance that does not know it.
pub(super) fn form(levels: OfLevels, fit: &Fit, absorbed: &Absorbed) -> Option<ByLevel> {
    let category =
        CodedCategory { first: fit.location.rows.len(), levels: levels.inverse_weights.len(), omitted: None };
    form_of(category, levels, fit, absorbed)
}

fn form_of(category: CodedCategory, mut levels: OfLevels, fit: &Fit, absorbed: &Absorbed) -> Option<ByLevel> {
    let cells = levels.cells.take();
    let (variances, covariances) = match levels.found {
        Some(found) => found,
        None if fit.covariance.kind == VcovKind::CLASSICAL => (levels.inverse_weights, Vec::new()),
        None => return None,
    };
    let slopes = fit.leverage().cloned()?.into_triangular();
    let (means, _) = absorbed.alone()?;
    let width = fit.location.rows.len();
    let of_level = |means: &[f64]| slopes.columns().iter().map(|&j| means[j]).collect::<Vec<f64>>();
    let centres = means.chunks_exact(width + 1).flat_map(of_level).collect();
    let has_rows = &absorbed.effects.first()?.has_rows;
    let without_rows = (0..has_rows.len()).filter(|&level| !has_rows[level]).collect();
    Some(ByLevel::new(category, slopes, centres, variances, covariances, without_rows).with_cells(cells))
}

/// The digits of the worst coefficient of a level: what the rounding of its constant and of the reference's, and the error of the other
/// coefficients, leave.
fn digits(absorbed: &Absorbed, fit: &Fit, coefficients: &[f64], constants: &[DoubleDouble], reference: usize) -> f64 {
    let Some((means, inverse)) = absorbed.alone() else { return 0.0 };
    let width = coefficients.len();
    let part = 10f64.powf(-fit.accuracy.digits);
    let deviation = fit.goodness.residual_std_error.unwrap_or(0.0);
    let of = |level: usize| &means[level * (width + 1)..][..width];
    let worst = |level: usize| {
        let value = (constants[level] - constants[reference]).to_f64();
        let moved =
            of(level).iter().zip(of(reference)).zip(coefficients).map(|((a, b), slope)| (a - b).abs() * slope.abs());
        // What the products leave of the response is formed in double-double, and summed in doubles.
        let size: f64 = of(level).iter().zip(coefficients).map(|(x, b)| (x * b).abs()).sum();
        let rounding = f64::EPSILON * (deviation + f64::EPSILON * (size + constants[level].to_f64().abs()));
        let error = moved.sum::<f64>() * part + rounding + 0.5 * f64::EPSILON * value.abs();
        let std_error = deviation * (inverse[level] + inverse[reference]).sqrt();
        // Under other noise a coefficient is not told closer than by its error, either.
        let is_small = fit.noise != Noise::Gaussian || value.abs() <= 10.0 * error;
        -(error / if is_small { std_error.max(value.abs()) } else { value.abs() }).log10()
    };
    let levels = (0..constants.len()).filter(|&level| inverse[level] > 0.0 && level != reference);
    levels.map(worst).fold(16.0, f64::min).max(0.0)
}

impl Coded {
    /// The fit as it is of rows with a column for every level, whose coefficients (the intercept left out) have these names.
    pub fn expand(self, mut fit: Fit, terms: &[String]) -> Fit {
        let Coded { category, form, constants, digits } = self;
        let Some(reference) = category.omitted else { return fit };
        let slopes = fit.coef();
        let mut estimates = vec![Some(constants[reference].to_f64())];
        for column in 0..terms.len() {
            estimates.push(match category.level(column) {
                Some(level) => {
                    let difference = (constants[level] - constants[reference]).to_f64();
                    Some(difference).filter(|difference| difference.is_finite())
                }
                None if column < category.first => slopes[column],
                None => slopes[column - category.columns().len()],
            });
        }
        let names: Vec<String> = std::iter::once(INTERCEPT.to_owned()).chain(terms.iter().cloned()).collect();
        let aliased: Vec<String> =
            names.iter().zip(&estimates).filter(|(_, b)| b.is_none()).map(|(name, _)| name.clone()).collect();
        let unit = fit.location_variance().unwrap_or(1.0);
        let (variances, df) = (form.diagonal(), fit.reference_degrees());
        let variance = |j: usize| variances.get(j).map(|variance| variance * unit);
        fit.location = Coefficients::new((names, true), &estimates, variance, |_| df, fit.level);
        if !aliased.is_empty() {
            fit.warnings.insert(0, Warning::Aliased { terms: aliased });
        }
        fit.absorbed = None;
        fit.df_model = fit.location.rank() as u64 - 1;
        let df_residual = fit.covariance.reference_df.unwrap_or(fit.df_residual as f64);
        // As with columns it is of the covariance before that is multiplied for few rows.
        let classical = fit.covariance.kind == VcovKind::CLASSICAL;
        let before = if classical { unit } else { unit / fit.covariance.small_sample_factor };
        // It is one of least squares, and of degrees of freedom.
        let counted = fit.covariance.small_sample == SmallSample::Corrected && fit.noise == Noise::Gaussian;
        let whole = counted.then(|| form.distance(&estimates, before, true)).flatten();
        fit.f_test = whole.and_then(|(sum, count)| FTest::new(sum, count as f64, df_residual, df_residual));
        fit.covariance.location = Some(LocationCovariance { matrix: Vec::new(), leverage: form.into(), unit });
        fit.accuracy.digits = fit.accuracy.digits.min(digits);
        let far = fit.far_from_zero().filter(|warning| !fit.warnings.contains(warning));
        fit.warnings.extend(far);
        scale_interval::set(&mut fit);
        fit
    }
}
