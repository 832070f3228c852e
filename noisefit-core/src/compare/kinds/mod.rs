//! Kinds of models side by side on the same folds: linear models, networks, quantiles; and whether a line is enough.

mod contestant;
mod scores;
mod standing;
mod verdict;

pub use contestant::{Contestant, Contestants, InvalidContestant, Kind, LEVELS};
pub use scores::{FoldScores, LEVEL};
pub use standing::Standing;
pub use verdict::{ENOUGH, Gain, Verdict};

use serde::Serialize;

use crate::compare::candidates;
use crate::compare::stopwatch::Stopwatch;
use crate::inference::predict::Predictor;
use crate::network::{Plan, Watch};
use crate::noise::{Noise, Noises};
use crate::rows::{Accumulator, Division, Kinds, Part, RowSource, RowSourceExt, Sample};
use crate::{Error, inference, training};

use scores::{Model, Scoring};

/// How kinds of models are fitted.
#[derive(Debug, Clone)]
pub struct Plans {
    /// Linear models.
    pub fit: inference::Options,
    /// Networks with one scale for all rows, and those whose scale is modelled.
    pub networks: [Plan; 2],
}

/// Kinds of models on the same folds.
#[derive(Debug, Clone, Serialize)]
pub struct SideBySide {
    /// Observations.
    pub nobs: u64,
    /// The parts of the cross-validation.
    pub folds: usize,
    /// The models, in the order in which they were named.
    pub models: Vec<Standing>,
    /// Whether a line is enough; absent without a linear model and a network that have scores of the same kind.
    pub verdict: Option<Verdict>,
}

impl SideBySide {
    /// Leaves out how long fits took, which differs from run to run.
    pub fn without_times(&mut self) {
        self.models.iter_mut().for_each(|standing| standing.seconds = None);
        self.verdict.iter_mut().for_each(Verdict::without_time);
    }
}

/// Fits each model to all but a part of the rows, part by part, and scores it on that part.
///
/// The scores are those of predictive distributions, which allow for what is not known of a linear model, and mix the members of an
/// ensemble. Whether a line is enough is judged by the differences of the folds ([`Verdict`]).
///
/// ```
/// use noisefit_core::compare::kinds::{Contestants, Plans, Verdict, side_by_side};
/// use noisefit_core::inference;
/// use noisefit_core::network::Plan;
/// use noisefit_core::rows::{Division, Folds, Matrix, MemoryRows};
///
/// let x: Vec<f64> = (0..300).map(|i| f64::from(i) / 50.0).collect();
/// let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| (2.0 * x).sin() + 0.1 * (i as f64 * 1.7).sin()).collect();
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 300, 1)?)?;
/// let mut plan = Plan { hidden: vec![16], ..Plan::default() };
/// plan.training.rate = 0.01;
/// let plans = Plans { fit: inference::Options::default(), networks: [plan.clone(), plan] };
/// let models: Contestants = "linear,network:gaussian".parse().unwrap();
/// let found = side_by_side(&rows, &models.0, &Folds { count: 5, seed: 0 }.into(), &plans, &())?;
/// assert!(matches!(found.verdict, Some(Verdict::NetworkIsBetter(_))), "{:?}", found.verdict);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// What is wrong with the rows whatever the model, and what the source or the watch report.
pub fn side_by_side(
    source: &dyn RowSource,
    contestants: &[Contestant],
    division: &Division,
    plans: &Plans,
    watch: &impl Watch,
) -> Result<SideBySide, Error> {
    let mut standings: Vec<Standing> = contestants
        .iter()
        .map(|contestant| Standing {
            contestant: contestant.clone(),
            scores: None,
            by_fold: Vec::new(),
            seconds: Some(0.0),
            note: None,
        })
        .collect();
    for part in 0..division.count() {
        let kept = division.select(source, Part::Without(part));
        let mut models = Vec::with_capacity(standings.len());
        for standing in &mut standings {
            let stopwatch = Stopwatch::start();
            let found = match standing.note {
                Some(_) => None,
                None => match fitted(&kept, &standing.contestant, plans, watch) {
                    Ok(model) => Some(model),
                    Err(error @ (Error::Source(_) | Error::NoRows)) => return Err(error),
                    Err(error) => {
                        standing.note = Some(format!("no scores, for in a fold {}", error.cause()));
                        None
                    }
                },
            };
            standing.seconds = standing.seconds.zip(stopwatch.seconds()).map(|(before, now)| before + now);
            models.push(found);
        }
        let left_out = division.select(source, Part::Only(part));
        let scores = left_out.pass(Scoring::new(models))?.finish();
        for (standing, scores) in standings.iter_mut().zip(scores) {
            standing.by_fold.extend(scores);
        }
        // Where it may be told to stop: what was interrupted was not scored for nothing.
        source.report(part as u64 + 1, division.count() as u64)?;
    }
    let nobs = source.pass(Sample::none())?.rows();
    for standing in &mut standings {
        match standing.note {
            Some(_) => standing.by_fold.clear(),
            None => standing.scores = FoldScores::together(&standing.by_fold),
        }
    }
    Ok(SideBySide { nobs, folds: division.count(), verdict: verdict::verdict(&standings), models: standings })
}

/// A model of some rows.
fn fitted(rows: &dyn RowSource, contestant: &Contestant, plans: &Plans, watch: &impl Watch) -> Result<Model, Error> {
    let seen = candidates::with_scale(contestant.models_scale && contestant.kind == Kind::Linear, rows);
    let noises = contestant.noise.map_or_else(|| Noises::quantiles(&LEVELS), Noises::from);
    match contestant.kind {
        Kind::Linear => {
            let fits = inference::fit(&seen, &noises, &plans.fit)?;
            let predictors = fits.iter().map(Predictor::new).collect::<Result<Vec<_>, _>>()?;
            Model::of_fits(predictors)
        }
        Kind::Network => {
            let plan = &plans.networks[usize::from(contestant.models_scale)];
            let plan = Plan { models_scale: contestant.models_scale, ..plan.clone() };
            let noises: Vec<Noise> = noises.to_vec();
            Ok(Model::Network(training::fit(&seen, &noises, &plan, None, &Quiet(watch))?.network.into()))
        }
    }
}

/// The passes of this module.
pub(super) fn passes() -> Kinds {
    Kinds::default().with::<Scoring>()
}

/// A watch that can only stop: what one of many trainings does is of no interest.
struct Quiet<'a, W>(&'a W);

impl<W: Watch> Watch for Quiet<'_, W> {
    fn stops(&self) -> bool {
        self.0.stops()
    }
}
