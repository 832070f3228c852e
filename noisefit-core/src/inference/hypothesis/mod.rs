//! Hypotheses about the coefficients of a fit: linear ones by Wald and likelihood ratio tests, functions of them by the delta
//! method, and what several tests at once do to p-values and intervals.
//!
//! A hypothesis is a text, in which coefficients have the names that the table of the fit has: `x1 = x2`, `income = 0.5`, the name
//! of a term alone (all its coefficients are zero), `.` (all but the intercept), several with commas between (all at once).
//! Coefficients of a modelled scale are named with [`OF_SCALE`] before.
//!
//! ```
//! use noisefit_core::estimate::{Options, closed_form};
//! use noisefit_core::inference::hypothesis::{Adjust, Names, wald};
//! use noisefit_core::rows::{Matrix, MemoryRows};
//!
//! let x = [1.0, 2.0, 3.0, 4.0];
//! let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
//! let fit = closed_form::fit(&rows, &Options::default())?;
//! let names = Names::of(&fit, &[]);
//! // (0.8 - 1) / sqrt(0.9 / 5 ) on two degrees of freedom.
//! let tests = wald(&fit, &names, &["x1 = 1".to_owned()], &[], 0.95, Adjust::None, 0)?;
//! assert!((tests[0].statistic.unwrap() + 0.2 / (0.9f64 / 5.0).sqrt()).abs() < 1e-12);
//! assert_eq!(tests[0].df_residual, Some(2.0));
//! # Ok::<(), noisefit_core::Error>(())
//! ```

mod across;
mod estimates;
mod expression;
mod language;
mod likelihood_ratio;
mod multiplicity;
mod restricted;
mod restrictions;
mod test;
mod wald;
mod wild;

pub use estimates::OF_SCALE;
pub use language::Names;
pub use multiplicity::Adjust;
pub use test::{Statistic, Test};
pub use wald::of_term;
pub use wild::{DrawWeights, Drawn, Wild};

use std::collections::HashMap;

use crate::Error;
use crate::estimate::Options;
use crate::numeric::Level;
use crate::record::{Fit, reference};
use crate::rows::{Kinds, RowSource};
use estimates::Estimates;
use multiplicity::{LargestT, holm};
use restrictions::Restrictions;
use wald::{Single, joint};

impl Names {
    /// The names of a fit's coefficients, and of terms with the names of their coefficients.
    pub fn of(fit: &Fit, terms: &[(String, Vec<String>)]) -> Self {
        let location = fit.location.rows.iter().map(|row| row.term.clone());
        let scale = fit.scale.coefficients().iter().map(|row| format!("{OF_SCALE}{}", row.term));
        let coefficients: Vec<String> = location.chain(scale).collect();
        // Of two coefficients of one name the first counts.
        let places: HashMap<&String, usize> =
            coefficients.iter().enumerate().rev().map(|(place, name)| (name, place)).collect();
        let place = |name: &String| places.get(name).copied();
        let terms = terms.iter().map(|(name, members)| (name.clone(), members.iter().filter_map(place).collect()));
        let terms = terms.filter(|(_, places): &(String, Vec<usize>)| !places.is_empty()).collect();
        Names { terms, coefficients }
    }
}

/// Wald tests of linear hypotheses, with the covariance of the fit and what its own statistics are compared with: single ones and
/// functions (`b1/b2`, `exp(a) = 2`; by the delta method) by Student's t with an interval at a level, several restrictions at once by F;
/// by the normal distribution and chi-squared where the fit's small sample is not allowed for.
///
/// Where coefficients have degrees of freedom of their own, those of a hypothesis are the least of the coefficients in it.
///
/// # Errors
/// [`Error::Unsupported`] for a hypothesis that cannot be read or tested, with what is wrong with it; [`Error::Argument`] for a level
/// outside (0, 1).
pub fn wald(
    fit: &Fit,
    names: &Names,
    hypotheses: &[String],
    functions: &[String],
    level: f64,
    adjust: Adjust,
    seed: u64,
) -> Result<Vec<Test>, Error> {
    let level = Level::new(level)?.value();
    let estimates = Estimates::new(fit);
    let read = |text: &String| Restrictions::read(text, names, &estimates);
    let read = hypotheses.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let functions = functions.iter().map(|text| Single::function(text, names, &estimates));
    let functions = functions.collect::<Result<Vec<_>, _>>()?;
    let singles: Vec<Option<Single>> =
        read.iter().map(|read| Single::of(read, &estimates)).chain(functions.into_iter().map(Some)).collect();
    let test = |(k, single): (usize, &Option<Single>)| match single {
        Some(single) => Ok(single.test(&estimates, level)),
        None => joint(&read[k], &estimates),
    };
    let mut tests = singles.iter().enumerate().map(test).collect::<Result<Vec<_>, _>>()?;
    match adjust {
        Adjust::None => {}
        Adjust::Holm => step_down(&mut tests),
        Adjust::Bonferroni => {
            let count = tests.iter().filter(|test| test.p_value.is_some()).count() as f64;
            for test in &mut tests {
                test.p_adjusted = test.p_value.map(|p| (p * count).min(1.0));
                let critical = |df: f64| Some(reference(df)?.critical(1.0 - (1.0 - level) / count));
                widen(test, critical(test.df_residual.unwrap_or(f64::INFINITY)));
            }
        }
        Adjust::MaxT => {
            let singles: Option<Vec<Single>> = singles.into_iter().collect();
            let singles = singles.ok_or_else(|| {
                let what = "max-t is for single restrictions; for hypotheses of several use holm or bonferroni";
                Error::Unsupported(what.to_owned())
            })?;
            together(&mut tests, &singles, &estimates, level, seed);
        }
    }
    Ok(tests)
}

/// The test that a function of the coefficients is zero, by the delta method: its value, and its gradient by the coefficients of the location
/// and, behind these, those of a modelled scale; `beside` is the variance that it has from elsewhere. What the covariance of location and
/// scale is a model does not keep: it is taken for zero, as the expected information of noise that is alike on both sides has it.
///
/// # Errors
/// [`Error::Argument`] for a level outside (0, 1).
pub fn delta(fit: &Fit, name: &str, value: f64, gradient: &[f64], beside: f64, level: f64) -> Result<Test, Error> {
    let level = Level::new(level)?.value();
    let estimates = Estimates::new(fit);
    // Aliased coefficients are zero, and nothing is said of how sure that is.
    let of_estimated = |(place, slope): (usize, &f64)| if estimates.is_estimated(place) { *slope } else { 0.0 };
    let gradient: Vec<f64> = gradient.iter().enumerate().map(of_estimated).collect();
    let variance = estimates.product(&gradient, &gradient).map(|variance| variance.max(0.0) + beside);
    let df = estimates.df([&gradient[..]]);
    Ok(wald::single(name, [value, 0.0], variance.map(f64::sqrt), df, level))
}

/// Likelihood ratio tests of linear hypotheses, by fitting the rows that the fit was made of again under each.
///
/// # Errors
/// As [`wald`]; [`Error::Unsupported`] for rows that are not those of the fit, and `max-t`, which needs standard errors; what the
/// source reports.
pub fn likelihood_ratio(
    source: &dyn RowSource,
    fit: &Fit,
    names: &Names,
    hypotheses: &[String],
    adjust: Adjust,
    options: &Options,
) -> Result<Vec<Test>, Error> {
    if adjust == Adjust::MaxT {
        let what = "max-t is for Wald tests of single restrictions; for likelihood ratio tests use holm or bonferroni";
        return Err(Error::Unsupported(what.to_owned()));
    }
    let estimates = Estimates::new(fit);
    let read = |text: &String| Restrictions::read(text, names, &estimates);
    let read = hypotheses.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let top = likelihood_ratio::log_likelihood(source, fit, options)?;
    let test = |read: &Restrictions| likelihood_ratio::likelihood_ratio(source, &estimates, read, top, options);
    let mut tests = read.iter().map(test).collect::<Result<Vec<_>, _>>()?;
    match adjust {
        Adjust::None | Adjust::MaxT => {}
        Adjust::Holm => step_down(&mut tests),
        Adjust::Bonferroni => {
            let count = tests.len() as f64;
            tests.iter_mut().for_each(|test| test.p_adjusted = test.p_value.map(|p| (p * count).min(1.0)));
        }
    }
    Ok(tests)
}

/// Tests of single linear hypotheses by the wild cluster bootstrap under each of them, over the rows that a fit of least squares was
/// made of, whose first grouping the clusters are; with the interval of the values that are not rejected, and what was drawn.
///
/// # Errors
/// As [`wald`]; [`Error::Unsupported`] for another fit than one of least squares, rows that are not those of the fit, several
/// restrictions at once, and `max-t`; [`Error::Argument`] for fewer than 99 draws; what the source reports.
pub fn wild_cluster(
    source: &dyn RowSource,
    fit: &Fit,
    names: &Names,
    hypotheses: &[String],
    adjust: Adjust,
    wild: Wild,
    options: &Options,
) -> Result<(Vec<Test>, Drawn), Error> {
    let level = Level::new(wild.level)?.value();
    if wild.draws < 99 {
        let (name, value) = ("the number of draws", wild.draws as f64);
        return Err(Error::Argument { name, value, expected: "99 or more" });
    }
    if adjust == Adjust::MaxT {
        let what =
            "max-t is for Wald tests of single restrictions; for a wild cluster bootstrap use holm or bonferroni";
        return Err(Error::Unsupported(what.to_owned()));
    }
    let estimates = Estimates::new(fit);
    let read = |text: &String| Restrictions::read(text, names, &estimates);
    let read = hypotheses.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let clusters = wild::Clusters::new(source, &estimates, options)?;
    let count = read.len() as f64;
    let level = if adjust == Adjust::Bonferroni { 1.0 - (1.0 - level) / count } else { level };
    let wild = Wild { level, ..wild };
    let test = |read: &Restrictions| clusters.test(source, read, &estimates, wild);
    let mut tests = read.iter().map(test).collect::<Result<Vec<_>, _>>()?;
    match adjust {
        Adjust::None | Adjust::MaxT => {}
        Adjust::Holm => step_down(&mut tests),
        Adjust::Bonferroni => {
            tests.iter_mut().for_each(|test| test.p_adjusted = test.p_value.map(|p| (p * count).min(1.0)));
        }
    }
    Ok((tests, clusters.drawn(wild)))
}

/// Tests that coefficients are the same at all of several quantiles, each named by a hypothesis without a number: by t of the difference of
/// two, else by F, with the residual degrees of freedom of the fits; `source` are the rows that these were made of.
///
/// # Errors
/// [`Error::Unsupported`] for fewer than two quantiles, standard errors of which what two quantiles have in common is not known
/// (bootstrap, hac, clusters), a hypothesis that cannot be read or names a number, and `max-t`; what the source reports.
pub fn across_quantiles(
    source: &dyn RowSource,
    fits: &[Fit],
    terms: &[(String, Vec<String>)],
    hypotheses: &[String],
    (level, adjust): (f64, Adjust),
    options: &Options,
) -> Result<Vec<Test>, Error> {
    let level = Level::new(level)?.value();
    let quantiles = across::Quantiles::new(source, fits, options)?;
    let names = fits.first().map(|fit| Names::of(fit, terms));
    let names = names.ok_or_else(|| Error::Unsupported("there is no fit".to_owned()))?;
    let count = hypotheses.len() as f64;
    let level = if adjust == Adjust::Bonferroni { 1.0 - (1.0 - level) / count } else { level };
    let test = |text: &String| quantiles.test(text, &names, level);
    let mut tests = hypotheses.iter().map(test).collect::<Result<Vec<_>, _>>()?;
    match adjust {
        Adjust::None => {}
        Adjust::Holm => step_down(&mut tests),
        Adjust::Bonferroni => {
            tests.iter_mut().for_each(|test| test.p_adjusted = test.p_value.map(|p| (p * count).min(1.0)));
        }
        Adjust::MaxT => {
            let what = "max-t is for Wald tests of one fit; across quantiles use holm or bonferroni";
            return Err(Error::Unsupported(what.to_owned()));
        }
    }
    Ok(tests)
}

/// Holm's p-values of tests that have one.
fn step_down(tests: &mut [Test]) {
    let known: Vec<f64> = tests.iter().filter_map(|test| test.p_value).collect();
    let adjusted = holm(&known);
    for (test, p) in tests.iter_mut().filter(|test| test.p_value.is_some()).zip(adjusted) {
        test.p_adjusted = Some(p);
    }
}

/// Gives a test the interval of another critical value.
fn widen(test: &mut Test, critical: Option<f64>) {
    let margin = critical.zip(test.std_error).map(|(critical, error)| critical * error);
    if let (Some(estimate), Some(margin)) = (test.estimate, margin) {
        (test.conf_low, test.conf_high) = (Some(estimate - margin), Some(estimate + margin));
    }
}

/// Adjusts p-values and intervals by the joint distribution of the statistics, with the least of their degrees of freedom.
fn together(tests: &mut [Test], singles: &[Single], estimates: &Estimates<'_>, level: f64, seed: u64) {
    let product = |a: &Single, b: &Single| estimates.product(a.gradient(), b.gradient()).unwrap_or(0.0);
    let covariance: Vec<Vec<f64>> = singles.iter().map(|a| singles.iter().map(|b| product(a, b)).collect()).collect();
    let df = tests.iter().filter_map(|test| test.df_residual).fold(f64::INFINITY, f64::min);
    let Some(largest) = LargestT::new(&covariance, df, seed) else { return };
    let critical = largest.critical(level);
    for test in tests {
        test.p_adjusted = test.statistic.map(|statistic| largest.survival(statistic));
        widen(test, critical);
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with_adaptor::<restricted::Restricted>()
}
