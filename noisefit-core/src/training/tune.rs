//! Which plan predicts best: a random search whose worse halves are given up early.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::evaluate::{Evaluation, Scores};
use crate::network::{LeftOut, Plan, Solver, Watch};
use crate::noise::Noise;
use crate::rows::{
    Folds, Part, RowSource, RowSourceExt, Sample, SampledRows, parallel_map, scattered, scattered_share,
};
use crate::training::fit::fit;

/// Parts that the rows are in: each is predicted by what was trained on the others.
const FOLDS: usize = 3;

/// Rows that are searched with at most; of more a random sample.
const MOST_ROWS: usize = 50_000;

/// How many of the plans go on to the next round, one in so many, with so many times the epochs.
const KEPT: usize = 3;

/// Epochs that the first round has at least.
const LEAST_EPOCHS: u64 = 20;

/// Widths of hidden layers that are tried.
const WIDTHS: [usize; 5] = [16, 32, 64, 128, 256];

/// A plan that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number; 0 is the plan that the search began with.
    pub number: usize,
    /// The widths of its hidden layers.
    pub hidden: Vec<usize>,
    /// Its learning rate.
    pub rate: f64,
    /// Its weight decay.
    pub decay: f64,
    /// The pieces that it cuts the range of a number into.
    #[serde(default)]
    pub pieces: usize,
    /// Its epochs at most.
    pub epochs: u64,
    /// The mean log score of rows that were not trained on: minus their mean negative log-likelihood, of several quantiles minus
    /// the mean pinball loss. Absent where training diverged.
    pub log_score: Option<f64>,
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The number of plans.
    pub trials: usize,
    /// Whether they have other hidden layers.
    pub hidden: bool,
    /// Whether they have other learning rates.
    pub rate: bool,
    /// Whether they have other weight decays.
    pub decay: bool,
}

/// Tries some plans, the given one among them, and gives that whose cross-validated log score is the best, with all trials
/// in the order in which they were made.
///
/// The others have one to three hidden layers of 16 to 256 units, learning rates between 1e-4 and 1e-2 (ten times the given one
/// up and down for linear models), and weight decays of 0 or between 1e-5 and 1e-1, drawn from the plan's seed; no plan is tried
/// twice. In rounds of
/// successive halving (Jamieson and Talwalkar 2016, *AISTATS*, 240-248) all are trained for few epochs, the best third for three
/// times as many, and so on up to those of the plan. Of the rows a third at a time is predicted by one network that was trained
/// on the others.
///
/// `known` are trials of a search that was stopped, which are not made again; `made` is told of each new one.
///
/// # Errors
/// [`Error::Unsupported`] where there is one plan alone; those of [`fit`](super::fit) but [`Error::Diverged`], and what `made` reports.
pub fn tune(
    source: &dyn RowSource,
    noise: &[Noise],
    plan: &Plan,
    space: Space,
    known: &[Trial],
    watch: &impl Watch,
    made: &(impl Fn(&Trial) -> Result<(), Error> + Sync),
) -> Result<(Plan, Vec<Trial>), Error> {
    plan.check()?;
    let sample = source.pass(Sample::new(source.layout(), MOST_ROWS, source.rows_hint()))?.finish(source.layout());
    let drawn = drawn(plan, space);
    if drawn.len() < 2 {
        return Err(Error::Unsupported(
            "there is nothing to search: the layers, the learning rate and the weight decay are all given, or there are none of them"
                .to_owned(),
        ));
    }
    let candidate = |number: usize, epochs: u64| at_work(&drawn[number], plan, epochs);
    let rounds = rounds(plan.training.epochs, drawn.len());
    let mut alive: Vec<usize> = (0..drawn.len()).collect();
    let mut all: Vec<Trial> = Vec::new();
    for epochs in rounds {
        let work = |&number: &usize| tried(&sample, noise, number, &candidate(number, epochs), known, watch, made);
        let mut round =
            parallel_map(&alive, source.threads(), work).into_iter().collect::<Result<Vec<Trial>, Error>>()?;
        all.extend(round.iter().cloned());
        round.retain(|trial| trial.log_score.is_some());
        let score = |trial: &Trial| trial.log_score.unwrap_or(f64::NEG_INFINITY);
        round.sort_by(|a, b| score(b).total_cmp(&score(a)));
        alive = round.iter().take(round.len().div_ceil(KEPT)).map(|trial| trial.number).collect();
    }
    match alive.first() {
        Some(&number) => Ok((drawn[number].clone(), all)),
        None => Err(Error::Diverged(
            "training diverged with every plan that was tried; give a smaller learning rate".to_owned(),
        )),
    }
}

/// Tries some plans as [`tune`] does, in one round, and gives that whose cross-validated log score is the best, the first of equals.
///
/// # Errors
/// Those of [`tune`].
pub fn choose(
    source: &dyn RowSource,
    noise: &[Noise],
    plans: &[Plan],
    known: &[Trial],
    watch: &impl Watch,
    made: &(impl Fn(&Trial) -> Result<(), Error> + Sync),
) -> Result<(Plan, Vec<Trial>), Error> {
    plans.iter().try_for_each(Plan::check)?;
    let sample = source.pass(Sample::new(source.layout(), MOST_ROWS, source.rows_hint()))?.finish(source.layout());
    let work = |number: &usize| {
        let plan = &plans[*number];
        tried(&sample, noise, *number, &at_work(plan, plan, plan.training.epochs), known, watch, made)
    };
    let numbers: Vec<usize> = (0..plans.len()).collect();
    let trials = parallel_map(&numbers, source.threads(), work).into_iter().collect::<Result<Vec<Trial>, Error>>()?;
    let score = |number: &usize| trials[*number].log_score.unwrap_or(f64::NEG_INFINITY);
    let best = numbers.iter().copied().reduce(|best, other| if score(&other) > score(&best) { other } else { best });
    match best.and_then(|best| plans.get(best)) {
        Some(plan) => Ok((plan.clone(), trials)),
        None => Err(Error::Argument { name: "the number of plans", value: 0.0, expected: "1 or more" }),
    }
}

/// The trial of a plan, or what is known of it.
fn tried(
    sample: &SampledRows,
    noise: &[Noise],
    number: usize,
    planned: &Plan,
    known: &[Trial],
    watch: &impl Watch,
    made: &(impl Fn(&Trial) -> Result<(), Error> + Sync),
) -> Result<Trial, Error> {
    let trial = Trial {
        number,
        hidden: planned.hidden.clone(),
        rate: planned.training.rate,
        decay: planned.decay,
        pieces: planned.pieces,
        epochs: planned.training.epochs,
        log_score: None,
    };
    let same = |other: &&Trial| Trial { log_score: None, ..(*other).clone() } == trial;
    if let Some(known) = known.iter().find(same) {
        return Ok(known.clone());
    }
    let found = Trial { log_score: score(sample, noise, planned, watch)?, ..trial };
    if watch.stops() {
        return Err(Error::Unsupported("the search was interrupted".to_owned()));
    }
    made(&found)?;
    Ok(found)
}

/// The epochs of each round, the last those of the plan.
fn rounds(epochs: u64, trials: usize) -> Vec<u64> {
    let (mut rounds, mut left) = (vec![epochs], trials);
    while left > KEPT && rounds[0] / KEPT as u64 >= LEAST_EPOCHS {
        rounds.insert(0, rounds[0] / KEPT as u64);
        left = left.div_ceil(KEPT);
    }
    rounds
}

/// Draws of a plan until it is one that there is not yet.
const MOST_DRAWS: u64 = 100;

/// The plans that are tried, all different: fewer than are asked for where there are no more.
fn drawn(plan: &Plan, space: Space) -> Vec<Plan> {
    let mut plans = vec![plan.clone()];
    for number in 1..space.trials as u64 {
        let mut draws = (0..MOST_DRAWS).map(|attempt| draw(plan, space, number + attempt * (1 << 32)));
        plans.extend(draws.find(|planned| !plans.contains(planned)));
    }
    plans
}

/// A plan as it is tried: one network, in so many epochs.
fn at_work(planned: &Plan, plan: &Plan, epochs: u64) -> Plan {
    let mut one = Plan { members: 1, left_out: planned.left_out.map(|_| LeftOut::of_members(1, 0)), ..planned.clone() };
    // Both stages are as much shorter.
    one.training.common_scale = one.training.common_scale * epochs / plan.training.epochs.max(1);
    one.training.epochs = epochs;
    one
}

/// The plan that a number stands for.
fn draw(plan: &Plan, space: Space, number: u64) -> Plan {
    let mut planned = plan.clone();
    let draw = scattered(scattered(plan.seed, u64::MAX), number);
    let share = |place: u64| scattered_share(draw, place);
    let pick = |place: u64, count: usize| (share(place) * count as f64) as usize;
    if space.hidden && !plan.hidden.is_empty() {
        let width = WIDTHS[pick(0, WIDTHS.len())];
        planned.hidden = (0..1 + pick(1, 3)).map(|layer| (width >> layer).max(8)).collect();
    }
    let between = |place: u64, low: f64, high: f64| rounded((low.ln() + share(place) * (high / low).ln()).exp());
    if space.rate && plan.solver != Solver::Lbfgs {
        planned.training.rate = match plan.hidden.is_empty() {
            true => between(2, 0.1 * plan.training.rate, 10.0 * plan.training.rate),
            false => between(2, 1e-4, 1e-2),
        };
        planned.training.scale_rate =
            plan.training.scale_rate.map(|rate| rounded(rate * planned.training.rate / plan.training.rate));
    }
    if space.decay {
        planned.decay = if share(3) < 0.3 { 0.0 } else { between(4, 1e-5, 1e-1) };
    }
    planned
}

/// A number to two digits, as one would write it.
fn rounded(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor() - 1.0);
    (value / unit).round() / (1.0 / unit).round().max(1.0)
}

/// The mean log score of rows under networks that were trained on others; none where one diverged.
fn score(rows: &SampledRows, noise: &[Noise], plan: &Plan, watch: &impl Watch) -> Result<Option<f64>, Error> {
    let rows = rows.source()?.with_threads(1);
    let folds = Folds { count: FOLDS, seed: scattered(plan.seed, u64::MAX - 1) };
    let (mut sum, mut count) = (0.0, 0.0);
    for part in 0..FOLDS {
        let network = match fit(&folds.select(&rows, Part::Without(part)), noise, plan, None, &Stopping(watch)) {
            Ok(fitted) => fitted.network,
            Err(Error::Diverged(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let scored = folds.select(&rows, Part::Only(part)).pass(Evaluation::of_network(&network, 0.9)?)?;
        let scores = scored.iter().map(Evaluation::finish).collect::<Result<Vec<Scores>, Error>>()?;
        let loss = |scores: &Scores| match &scores.quantile {
            Some(quantile) => Some(quantile.mean_pinball),
            None => scores.mean_nll,
        };
        let observations = scores.first().map_or(0.0, |scores| scores.nobs as f64);
        let losses: Option<f64> = scores.iter().map(loss).sum();
        let Some(loss) = losses.filter(|loss| loss.is_finite()) else { return Ok(None) };
        (sum, count) = (sum - observations * loss, count + observations);
    }
    Ok(Some(sum / count))
}

/// A watch that can only stop.
struct Stopping<'a, W>(&'a W);

impl<W: Watch> Watch for Stopping<'_, W> {
    fn stops(&self) -> bool {
        self.0.stops()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rounds_end_with_the_epochs_of_the_plan() {
        assert_eq!(rounds(1000, 27), [111, 333, 1000]);
        assert_eq!(rounds(1000, 3), [1000]);
        assert_eq!(rounds(30, 27), [30]);
    }

    #[test]
    fn candidates_are_drawn_within_their_bounds() {
        let (plan, space) = (Plan::default(), Space { trials: 200, hidden: true, rate: true, decay: true });
        assert_eq!(rounded(0.0017810175881330678), 0.0018);
        let fixed = Space { hidden: false, rate: false, ..space };
        let planned = draw(&plan, fixed, 5);
        assert_eq!((planned.hidden, planned.training.rate), (plan.hidden.clone(), plan.training.rate));
        let all = drawn(&plan, space);
        assert_eq!((&all[0], all.len()), (&plan, 200));
        for (number, planned) in all.iter().enumerate().skip(1) {
            assert!(!all[..number].contains(planned), "{number}");
            assert!((1e-4..=1e-2).contains(&planned.training.rate) && (0.0..=0.1).contains(&planned.decay));
            assert!((1..=3).contains(&planned.hidden.len()) && planned.hidden[0] >= 16);
        }
        // What is all given is one plan, however many are asked for.
        assert_eq!(drawn(&plan, Space { decay: false, ..fixed }), [plan]);
    }
}
