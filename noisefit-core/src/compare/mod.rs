//! Noise models side by side on the same rows, and the judgement which of them it is.
//!
//! ```
//! use noisefit_core::compare::{Candidate, Options, compare};
//! use noisefit_core::rows::{Matrix, MemoryRows};
//!
//! // A line with one gross error in ten.
//! let x: Vec<f64> = (0..60).map(f64::from).collect();
//! let y: Vec<f64> = (0..60).map(|i| f64::from(i) + (f64::from(i) * 1.7).sin() + if i % 10 == 4 { 25.0 } else { 0.0 }).collect();
//! let rows = MemoryRows::new(&y, Matrix::column_major(&x, 60, 1)?)?;
//! let comparison = compare(&rows, &Candidate::all(false), &Options::default())?;
//! let judgement = comparison.judgement.as_ref().unwrap();
//! assert_eq!(judgement.preferred.to_string(), "student-t");
//! assert_eq!(comparison.advice.as_ref().unwrap().outliers.as_ref().unwrap().beyond, 6);
//! # Ok::<(), noisefit_core::Error>(())
//! ```

mod advice;
mod candidates;
mod comparison;
mod crps;
mod entry;
mod judgement;
pub mod kinds;
mod scores;
mod scrutiny;
mod stopwatch;

use crate::record::{Fit, Warning};
use crate::rows::{Accumulator, Division, Folds, Kinds, Order, Part, RowSource, RowSourceExt, Sample};
use crate::{Error, estimate};

pub use candidates::{Candidate, Candidates, InvalidCandidate};
pub use comparison::{Advice, Comparison, Dependence, Outlier, Outliers, Scrutiny, Shift, Spike, VarianceAdvice};
pub use entry::Entry;
pub use judgement::{BURDEN_OF_PROOF, Judgement};
pub use scores::{Difference, OutOfSample};

use candidates::seen_by;
use scores::{Scoring, Sums};
use stopwatch::Stopwatch;

/// How models are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The parts of a cross-validation; 0 for none.
    pub folds: usize,
    /// Which of the rows' clusters stay together in a part, and how they come to it; each row by itself where none is given.
    pub groups: Option<(usize, Order)>,
    /// How each model is fitted, and the seed of the folds. Standard errors are the classical ones whatever is asked for.
    pub fit: estimate::Options,
}

impl Default for Options {
    fn default() -> Self {
        Options { folds: 5, groups: None, fit: estimate::Options::default() }
    }
}

/// Fits the candidates and judges them, and no more.
///
/// # Errors
/// What is wrong with the rows whatever the noise, such as [`Error::NoRows`] and those of the source.
pub fn judge(
    source: &dyn RowSource,
    candidates: &[Candidate],
    options: &estimate::Options,
) -> Result<Comparison, Error> {
    let mut models = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let watch = Stopwatch::start();
        let found = fit_to(source, candidate, options);
        models.push(Entry::new(candidate.clone(), found, watch.seconds())?);
    }
    // What no model can be fitted to is wrong itself.
    if let (true, Some(why)) =
        (models.iter().all(|entry| entry.fit.is_none()), models.first().and_then(|entry| entry.note.clone()))
    {
        return Err(Error::Unsupported(format!("no model can be fitted: {why}")));
    }
    models.sort_by(|a, b| a.bic.unwrap_or(f64::INFINITY).total_cmp(&b.bic.unwrap_or(f64::INFINITY)));
    let weights = judgement::akaike_weights(&models);
    models.iter_mut().zip(weights).for_each(|(entry, weight)| entry.akaike_weight = weight);
    Ok(Comparison {
        nobs: models.iter().find_map(|entry| entry.fit.as_ref()).map_or(0, |fit| fit.nobs),
        folds: 0,
        seed: options.seed,
        judgement: judgement::judge(&models),
        models,
        scrutiny: None,
        advice: None,
        warnings: Vec::new(),
        differences: Vec::new(),
    })
}

/// Fits the candidates to all rows and, fold by fold, to all but a part of them, on which they are scored; judges, and says
/// what speaks for the preferred one.
///
/// # Errors
/// As [`judge`].
pub fn compare(source: &dyn RowSource, candidates: &[Candidate], options: &Options) -> Result<Comparison, Error> {
    let mut comparison = judge(source, candidates, &options.fit)?;
    if options.folds > 0 {
        cross_validate(source, &mut comparison, options, &|_| true)?;
    }
    comparison.scrutiny = scrutiny::scrutinise(source, &comparison)?;
    comparison.advice = advice::advise(source, &comparison, &options.fit)?;
    Ok(comparison)
}

/// Fits the candidates, judges them, and looks whether the rows agree with the preferred one, which alone is scored on rows left
/// out: what `--noise auto` does.
///
/// # Errors
/// As [`judge`].
pub fn choose(source: &dyn RowSource, candidates: &[Candidate], options: &Options) -> Result<Comparison, Error> {
    let mut comparison = judge(source, candidates, &options.fit)?;
    if let Some(preferred) = comparison.preferred().map(|entry| entry.candidate.clone())
        && options.folds > 0
    {
        cross_validate(source, &mut comparison, options, &|entry| entry.candidate == preferred)?;
    }
    comparison.scrutiny = scrutiny::scrutinise(source, &comparison)?;
    Ok(comparison)
}

/// The fit of a candidate. All fits are of one type of source, which is compiled once.
fn fit_to(source: &dyn RowSource, candidate: &Candidate, options: &estimate::Options) -> Result<Fit, Error> {
    let seen = seen_by(candidate, source);
    let fit = estimate::fit(&seen, &[candidate.noise], options)?.into_iter().next();
    fit.ok_or_else(|| Error::Unsupported(format!("{candidate} has no fit")))
}

/// Scores the models that are asked for.
fn cross_validate(
    source: &dyn RowSource,
    comparison: &mut Comparison,
    options: &Options,
    asked_for: &dyn Fn(&Entry) -> bool,
) -> Result<(), Error> {
    let parameters = comparison.models.iter().map(|entry| entry.parameters).max().unwrap_or(0);
    // Rows rather than observations are left out.
    let rows = source.pass(Sample::none())?.rows() as usize;
    let folds = options.folds.max(2).min(rows);
    let training = rows - rows.div_ceil(folds.max(1));
    if folds < 2 || training < parameters + 2 {
        comparison.warnings.push(Warning::NoCrossValidation { rows, parameters });
        return Ok(());
    }
    if folds != options.folds {
        comparison.warnings.push(Warning::FewerFolds { folds, asked: options.folds, rows });
    }
    let folds = match options.groups {
        None => Division::from(Folds { count: folds, seed: options.fit.seed }),
        Some((cluster, order)) => Division::of_groups(source, cluster, order, folds)?,
    };
    let (fold_fits, sums) = fold_sums(source, comparison, (&folds, rows), &options.fit, asked_for)?;
    comparison.folds = folds.count();
    for (entry, scored) in comparison.models.iter_mut().zip(&fold_fits) {
        if let (true, Some(_), Err(why)) = (asked_for(entry), &entry.fit, scored) {
            let note = format!("no scores, for in a fold {why}");
            entry.note = Some(entry.note.take().map_or(note.clone(), |own| format!("{own}; {note}")));
        }
    }
    let eligible: Vec<bool> = comparison.models.iter().map(Entry::may_win).collect();
    let scored: Vec<bool> = fold_fits.iter().map(Result::is_ok).collect();
    comparison.differences = sums.differences(&scored);
    let estimated = |entry: &Entry| entry.fit.as_ref().and_then(scores::estimated);
    let estimated: Vec<Option<usize>> = comparison.models.iter().map(estimated).collect();
    let scores = sums.finish(&scored, &eligible, &estimated);
    comparison.models.iter_mut().zip(scores).for_each(|(entry, scores)| entry.out_of_sample = scores);
    Ok(())
}

/// Rows from which those that a fold is fitted to are gathered once instead of being picked out in every pass of every model.
const MANY_ROWS: usize = 20_000;

/// The memory that they may take.
const MOST_GATHERED_BYTES: usize = 1 << 30;

/// The fits of every model to all but each part, or why it has none, and the sums of their scores on the parts.
#[allow(clippy::type_complexity)]
fn fold_sums(
    source: &dyn RowSource,
    comparison: &Comparison,
    (folds, rows): (&Division, usize),
    options: &estimate::Options,
    asked_for: &dyn Fn(&Entry) -> bool,
) -> Result<(Vec<Result<Vec<Fit>, String>>, Sums), Error> {
    // What cannot be fitted to all rows is not tried on most of them.
    let start = |entry: &Entry| match &entry.fit {
        Some(_) if asked_for(entry) => Ok(Vec::with_capacity(folds.count())),
        Some(_) => Err("it was not asked for".to_owned()),
        None => Err("there is no fit".to_owned()),
    };
    let mut fold_fits: Vec<Result<Vec<Fit>, String>> = comparison.models.iter().map(start).collect();
    let layout = source.layout();
    let width = layout.terms.len() + layout.scale.as_ref().map_or(0, |scale| scale.terms.len()) + 4;
    let gather = (MANY_ROWS..=MOST_GATHERED_BYTES / (2 * width * size_of::<f64>())).contains(&rows);
    for part in 0..folds.count() {
        let training = folds.select(source, Part::Without(part));
        if gather {
            // Without the words of decimals below doubles, which tell nothing about what a model predicts.
            let gathered = training.pass(Sample::new(layout, rows, None))?.finish(layout);
            let gathered = gathered.source()?.with_threads(source.threads());
            fit_fold(&gathered, comparison, options, &mut fold_fits)?;
        } else {
            fit_fold(&training, comparison, options, &mut fold_fits)?;
        }
    }
    let empty = Sums::new(comparison.models.len(), comparison.nobs);
    let mut sums = empty.clone();
    for part in 0..folds.count() {
        let fits: Vec<Option<&Fit>> = fold_fits.iter().map(|fits| fits.as_ref().ok().map(|fits| &fits[part])).collect();
        let scored = folds.select(source, Part::Only(part));
        sums.add(&scored.pass(Scoring::new(&fits, empty.clone(), scored.rows_hint())?)?.into_sums());
    }
    Ok((fold_fits, sums))
}

/// Fits every model that has had a fit so far to the rows of one fold.
fn fit_fold(
    training: &dyn RowSource,
    comparison: &Comparison,
    options: &estimate::Options,
    fold_fits: &mut [Result<Vec<Fit>, String>],
) -> Result<(), Error> {
    for (entry, fits) in comparison.models.iter().zip(fold_fits) {
        let Ok(found) = fits else { continue };
        match fit_to(training, &entry.candidate, options) {
            Ok(fit) if fit.log_likelihood().is_some() => found.push(fit),
            Ok(_) => *fits = Err("there are no residuals".to_owned()),
            Err(error @ (Error::Source(_) | Error::NoRows | Error::Argument { .. })) => return Err(error),
            Err(error) => *fits = Err(error.cause()),
        }
    }
    Ok(())
}

/// The passes of this module.
pub(crate) fn kinds() -> Kinds {
    let scores = Kinds::default().with::<Scoring>().with::<advice::Residuals>().with::<scrutiny::Look>();
    scores.and(kinds::passes()).with_adaptor::<candidates::ScaleColumns>()
}
