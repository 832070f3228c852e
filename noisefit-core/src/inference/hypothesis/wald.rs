//! Wald tests: how far estimates are from what a hypothesis says, in units of their own covariance.

use crate::Error;
use crate::algebra::cholesky::Cholesky;
use crate::algebra::gram::{packed, packed_length};
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::language::{Names, function};
use crate::inference::hypothesis::restrictions::{Restriction, Restrictions};
use crate::inference::hypothesis::test::{Statistic, Test};
use crate::numeric::distribution::{ChiSquared, Distribution, FisherF};
use crate::record::{Fit, reference};

/// A function of the coefficients that is set beside a number: linear, or by its gradient.
#[derive(Debug, Clone)]
pub(super) struct Single {
    text: String,
    estimate: f64,
    value: f64,
    gradient: Vec<f64>,
    left_out: Vec<String>,
}

impl Single {
    /// The only restriction of a hypothesis.
    pub(super) fn of(restrictions: &Restrictions, estimates: &Estimates<'_>) -> Option<Self> {
        let [row] = &restrictions.rows[..] else { return None };
        let estimate = row.weights.iter().zip(estimates.values()).map(|(weight, b)| weight * b).sum();
        let (text, left_out) = (restrictions.text.clone(), restrictions.left_out.clone());
        Some(Single { text, estimate, value: row.value, gradient: row.weights.clone(), left_out })
    }

    /// A function of the coefficients, by the delta method.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what cannot be read, and where function or derivatives are not finite at the estimates.
    pub(super) fn function(text: &str, names: &Names, estimates: &Estimates<'_>) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Unsupported(format!("hypothesis '{text}': {why}"));
        let (expression, value) = function(text, names)?;
        let mut named = Vec::new();
        expression.places(&mut named);
        if named.is_empty() {
            return Err(wrong("it says nothing of any coefficient"));
        }
        estimates.check(text, &named)?;
        let found = expression.at(&estimates.values());
        if !(found.value.is_finite() && found.gradient.iter().all(|slope| slope.is_finite())) {
            return Err(wrong("at the estimates it has no value, or no finite slope"));
        }
        let (text, left_out) = (text.to_owned(), Vec::new());
        Ok(Single { text, estimate: found.value, value, gradient: found.gradient, left_out })
    }

    pub(super) fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Its test and interval, by the least degrees of freedom of the coefficients in it.
    pub(super) fn test(&self, estimates: &Estimates<'_>, level: f64) -> Test {
        let Single { text, estimate, value, gradient, left_out } = self;
        let df = estimates.df([&gradient[..]]);
        let std_error = estimates.product(gradient, gradient).map(|variance| variance.max(0.0).sqrt());
        let test = single(text, [*estimate, *value], std_error, df, level);
        Test { left_out: left_out.clone(), ..test }
    }
}

/// The test that an estimate is a value, and its interval, with degrees of freedom: infinite ones of the normal distribution.
pub(super) fn single(
    text: &str,
    [estimate, value]: [f64; 2],
    std_error: Option<f64>,
    df: Option<f64>,
    level: f64,
) -> Test {
    let known = df.and_then(reference);
    let std_error = std_error.filter(|_| known.is_some());
    // What is known without error has no statistic.
    let statistic = std_error.map(|error| (estimate - value) / error).filter(|statistic| statistic.is_finite());
    let margin = known.as_ref().zip(std_error).map(|(known, error)| known.critical(level) * error);
    Test {
        hypothesis: text.to_owned(),
        estimate: Some(estimate),
        value: Some(value),
        std_error,
        test: if df.is_some_and(f64::is_infinite) { Statistic::Z } else { Statistic::T },
        statistic,
        df: 1.0,
        df_residual: df.filter(|df| df.is_finite()),
        p_value: known.as_ref().zip(statistic).map(|(known, statistic)| known.two_sided(statistic)),
        p_adjusted: None,
        conf_low: margin.map(|margin| estimate - margin),
        conf_high: margin.map(|margin| estimate + margin),
        log_likelihood: None,
        likelihood_ratio: None,
        left_out: Vec::new(),
    }
}

/// The test of several restrictions at once: `(R b - r)' (R V R')^-1 (R b - r)`, compared with chi-squared, or, divided by their
/// number, with F on the degrees of freedom that the coefficients' own statistics have.
///
/// # Errors
/// [`Error::Unsupported`] where the covariance is of less rank than there are restrictions.
pub(super) fn joint(restrictions: &Restrictions, estimates: &Estimates<'_>) -> Result<Test, Error> {
    let (rows, count) = (&restrictions.rows, restrictions.rows.len());
    let values = estimates.values();
    let distances: Vec<f64> = rows
        .iter()
        .map(|row| row.weights.iter().zip(&values).map(|(weight, b)| weight * b).sum::<f64>() - row.value)
        .collect();
    let df = estimates.df(restrictions.weights());
    let unit = |row: &Restriction| {
        let mut used = row.weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        match (used.next(), used.next()) {
            (Some((place, &1.0)), None) if row.value == 0.0 => Some(place),
            _ => None,
        }
    };
    let places: Option<Vec<usize>> = rows.iter().map(unit).collect();
    if let Some(statistic) = places.and_then(|places| of_category(estimates.fit(), &places)) {
        let test = compared(&restrictions.text, Some(statistic), count, df);
        return Ok(Test { left_out: restrictions.left_out.clone(), ..test });
    }
    let mut matrix = vec![0.0; packed_length(count)];
    let mut has_errors = df.is_some();
    for i in 0..count {
        for j in 0..=i {
            let product = estimates.product(&rows[i].weights, &rows[j].weights);
            has_errors &= product.is_some();
            matrix[packed(i, j)] = product.unwrap_or(0.0);
        }
    }
    let matrix = Some(matrix).filter(|_| has_errors);
    let test = several(&restrictions.text, &distances, matrix, df, estimates)?;
    Ok(Test { left_out: restrictions.left_out.clone(), ..test })
}

/// The test that several distances with a packed covariance are zero; without a statistic where there is no covariance, or one of zeros.
///
/// # Errors
/// As [`joint`].
pub(super) fn several(
    text: &str,
    distances: &[f64],
    matrix: Option<Vec<f64>>,
    df: Option<f64>,
    estimates: &Estimates<'_>,
) -> Result<Test, Error> {
    let count = distances.len();
    let statistic = match matrix.filter(|matrix| matrix.iter().any(|value| *value != 0.0)) {
        None => None,
        Some(matrix) => {
            let factor = Cholesky::new(&matrix, count).ok_or_else(|| {
                Error::Unsupported(format!(
                    "hypothesis '{text}': the covariance {} is of a lower rank than the {count} restrictions, as one of fewer \
                     clusters is; test fewer coefficients at once",
                    estimates.fit().covariance.kind
                ))
            })?;
            let solved = factor.solve(distances);
            Some(distances.iter().zip(solved).map(|(a, b)| a * b).sum::<f64>().max(0.0))
        }
    };
    Ok(compared(text, statistic, count, df))
}

/// Wald's statistic of all coefficients of a category whose covariance is known by its levels; none of other coefficients.
fn of_category(fit: &Fit, places: &[usize]) -> Option<f64> {
    let (form, unit) = (fit.leverage()?.by_level()?, fit.location_variance()?);
    let offset = usize::from(fit.location.intercept);
    let columns = form.category().columns();
    let all = columns.map(|column| column + offset).filter(|&place| fit.location.rows[place].estimate.is_some());
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    match all.eq(sorted) {
        true => form.distance(&fit.coef(), unit, false).map(|(statistic, _)| statistic),
        false => None,
    }
}

/// More coefficients are not tested together where their covariance is a matrix: that would take longer than the fit.
const MOST_OF_MATRIX: usize = 1000;

/// Wald's test that the coefficients of a fit at some places, those of a term, are all zero; those without an estimate are left out. None where
/// there is no covariance of them, or one that does not determine it.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::hypothesis::of_term;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// let test = of_term(&fit, "x", &[1]).unwrap();
/// assert!((test.statistic.unwrap() - fit.tests()[1].unwrap().statistic.powi(2)).abs() < 1e-12);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
pub fn of_term(fit: &Fit, term: &str, places: &[usize]) -> Option<Test> {
    let estimates = Estimates::new(fit);
    let places: Vec<usize> = places.iter().copied().filter(|&place| estimates.is_estimated(place)).collect();
    let values = estimates.values();
    let unit = |place: usize| {
        let mut weights = vec![0.0; estimates.count()];
        weights[place] = 1.0;
        weights
    };
    let first = unit(*places.first()?);
    let df = estimates.df([&first[..]]);
    if let Some(statistic) = of_category(fit, &places) {
        return Some(compared(term, Some(statistic), places.len(), df));
    }
    if places.len() > MOST_OF_MATRIX || fit.leverage().is_none_or(|leverage| leverage.by_level().is_some()) {
        return None;
    }
    let distances: Vec<f64> = places.iter().map(|&place| values[place]).collect();
    let mut matrix = vec![0.0; packed_length(places.len())];
    for (i, &one) in places.iter().enumerate() {
        for (j, &other) in places[..=i].iter().enumerate() {
            matrix[packed(i, j)] = fit.covariance_of(one, other)?;
        }
    }
    several(term, &distances, Some(matrix), df, &estimates).ok().filter(|test| test.statistic.is_some())
}

/// A statistic of so many restrictions with what it is compared with.
fn compared(text: &str, statistic: Option<f64>, count: usize, df: Option<f64>) -> Test {
    let q = count as f64;
    let df_residual = df.filter(|df| df.is_finite());
    let (test, statistic, p_value) = match df_residual {
        Some(df) => {
            let statistic = statistic.map(|statistic| statistic / q);
            let f = FisherF::new(q, df).ok();
            (Statistic::F, statistic, f.zip(statistic).map(|(f, statistic)| f.survival(statistic)))
        }
        None => {
            let chi = ChiSquared::new(q).ok();
            (Statistic::ChiSquared, statistic, chi.zip(statistic).map(|(chi, statistic)| chi.survival(statistic)))
        }
    };
    Test {
        hypothesis: text.to_owned(),
        estimate: None,
        value: None,
        std_error: None,
        test,
        statistic,
        df: q,
        df_residual,
        p_value,
        p_adjusted: None,
        conf_low: None,
        conf_high: None,
        log_likelihood: None,
        likelihood_ratio: None,
        left_out: Vec::new(),
    }
}
