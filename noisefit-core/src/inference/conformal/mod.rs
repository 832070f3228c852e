//! Conformal prediction: intervals that hold a new observation as often as they say, whatever the noise.
//!
//! A fit is taken as no more than a guess. How far responses lie from guesses that were made without them says how wide an
//! interval must be; as long as the new observation and those of the data are exchangeable (in any order equally likely, as
//! independent draws are), it is one more of them, and its rank among them is uniform. Nothing else is assumed.
//!
//! With `m` scores of calibration rows the interval of level `L` ends at the score of rank `ceil((m + 1) L)`. Where that is
//! more than `m`, there are too few rows to say anything, and the interval is the whole line.

mod choice;
mod left_out;
pub(crate) mod member;
mod scores;
mod scoring;

pub use choice::{InvalidScheme, Plan, Scheme};

use serde::{Deserialize, Serialize};

use crate::estimate;
use crate::inference::Options;
use crate::inference::predict::{Intervals, NewRows};
use crate::noise::Noise;
use crate::numeric::Level;
use crate::record::{Fit, Warning};
use crate::rows::{Accumulator, Folds, Kinds, Layout, Part, RowSource, RowSourceExt, Sample, parallel_map};
use crate::{Error, inference};
use member::{Member, Said};
use scores::Scores;

/// Scores kept at most, those of all folds together.
pub(crate) const KEPT_SCORES: usize = 20_000;

/// Rows with which every one may be left out in turn.
const MOST_LEFT_OUT: usize = 3000;

/// Fits of each thread between two reports of how far the work is, at which it may be told to stop.
const BATCH: usize = 4;

/// What conformal intervals are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// How rows that a fit has not seen were come by.
    pub method: Scheme,
    /// What they were drawn from at random.
    pub seed: u64,
    /// The share of the rows that was kept from the fit, with [`Scheme::Split`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<f64>,
    /// Observations with a score.
    pub observations: f64,
    members: Vec<Member>,
}

/// Fits a model under the noise that is named, and calibrates intervals for it.
///
/// With [`Scheme::Split`] the fit is that of the rows that do not calibrate (Papadopoulos, Proedrou, Vovk and Gammerman 2002;
/// Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018, *JASA* 113, 1094-1111): the interval is `mu(x) -+ q`, `q` the score
/// `|y - mu(x)|` of rank `ceil((m + 1) L)` of the `m` others. A new observation lies in it with a probability of at least
/// `L`, and of no more than `L + 1 / (m + 1)` where no two scores are equal.
///
/// With [`Scheme::CvPlus`] and [`Scheme::JackknifePlus`] the fit is that of all rows, and the interval is made of fits
/// without a fold, `mu_k`, and the scores `R_i` of the rows of the fold, where all `n` rows have one:
///
/// ```text
/// from the value of rank ceil((n + 1) L) from above of mu_k(i)(x) - R_i
/// to the value of rank ceil((n + 1) L) from below of mu_k(i)(x) + R_i
/// ```
///
/// (Barber, Candes, Ramdas and Tibshirani 2021, *Annals of Statistics* 49, 486-507). It holds an observation with a
/// probability of at least `2 L - 1` however badly the fits behave, and of about `L` where they are stable.
///
/// Scores are in units of the scale where that is modelled, and of `1 / sqrt(w)` for rows with weights. Of several quantiles
/// it is the interval between the outermost that is moved, by the score `max(q_low(x) - y, y - q_high(x))` (Romano,
/// Patterson and Candes 2019, *NeurIPS* 32).
///
/// ```
/// use noisefit_core::inference::conformal;
/// use noisefit_core::inference::conformal::Plan;
/// use noisefit_core::inference::Options;
/// use noisefit_core::noise::Noise;
/// use noisefit_core::inference::predict::NewRows;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x: Vec<f64> = (0..40).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|x| 2.0 * x + (7.0 * x).sin()).collect();
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 40, 1)?)?;
/// let (fits, conformal) = conformal::fit(&rows, &[Noise::Gaussian], &Options::default(), &Plan::default())?;
/// // A quarter of the rows calibrates.
/// assert_eq!((fits[0].nobs, conformal.observations), (30, 10.0));
/// let design = [(&[20.5][..]).into()];
/// let interval = conformal.intervals(&NewRows::new(&design, 1), 0.8)?;
/// assert!(interval.low[0] > 38.0 && interval.high[0] < 44.0);
/// // Ten rows cannot tell what happens once in a hundred times.
/// assert_eq!(conformal.intervals(&NewRows::new(&design, 1), 0.99)?.high, [f64::INFINITY]);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`inference::fit`]; [`Error::Argument`] for a share or a number of folds that is none; [`Error::Unsupported`] for a
/// single quantile, and for [`Scheme::JackknifePlus`] with more rows than it is meant for.
pub fn fit(
    source: &dyn RowSource,
    noise: &[Noise],
    options: &Options,
    plan: &Plan,
) -> Result<(Vec<Fit>, Conformal), Error> {
    plan.check()?;
    refuse_one_quantile(noise)?;
    let seed = options.seed;
    let (mut fits, members) = match plan.method {
        Scheme::Split => {
            let (parts, folds) = Folds::of_share(plan.calibration, seed);
            let fits = inference::fit(&folds.select(source, Part::From(parts)), noise, options)?;
            let member = Member::new(&fits);
            let calibrating = folds.select(source, Part::Before(parts));
            (fits, vec![member.scored(&calibrating, KEPT_SCORES)?])
        }
        Scheme::CvPlus => {
            (inference::fit(source, noise, options)?, folds(source, noise, &options.estimation(), plan.folds)?)
        }
        Scheme::JackknifePlus => {
            (inference::fit(source, noise, options)?, each_left_out(source, noise, &options.estimation())?)
        }
    };
    let conformal = Conformal::new(plan, seed, members);
    if let (Some(fit), Some(warning)) = (fits.first_mut(), conformal.too_few(options.level)) {
        fit.warnings.push(warning);
    }
    Ok((fits, conformal))
}

pub(crate) fn refuse_one_quantile(noise: &[Noise]) -> Result<(), Error> {
    match noise {
        [Noise::Quantile(_)] => Err(Error::Unsupported(
            "a conformal interval of quantiles is that between two of them; name both, such as quantile:0.05,0.95"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// A fit without some rows, and the scores of those.
fn member(
    kept: &dyn RowSource,
    left_out: &dyn RowSource,
    noise: &[Noise],
    options: &estimate::Options,
    limit: usize,
) -> Result<Member, Error> {
    let fits = estimate::fit(kept, noise, options).map_err(|error| match error {
        Error::Source(source) => Error::Source(source),
        error => Error::Unsupported(format!(
            "conformal intervals need fits without some of the rows, and one of these failed: {error}"
        )),
    })?;
    Member::new(&fits).scored(left_out, limit)
}

/// The fits without a fold.
fn folds(
    source: &dyn RowSource,
    noise: &[Noise],
    options: &estimate::Options,
    count: usize,
) -> Result<Vec<Member>, Error> {
    // With more folds than rows some would be empty.
    let count = count.min(source.pass(Sample::none())?.rows().max(2) as usize);
    let (folds, limit) = (Folds { count, seed: options.seed }, (KEPT_SCORES / count).max(100));
    let fold = |number: usize| {
        let (kept, left_out) = (folds.select(source, Part::Without(number)), folds.select(source, Part::Only(number)));
        member(&kept, &left_out, noise, options, limit)
    };
    let members: Vec<Member> = (0..count).map(fold).collect::<Result<_, _>>()?;
    // Of rows that end within a group of the partition some parts may still be empty.
    Ok(members.into_iter().filter(|member| member.scores.count() > 0.0).collect())
}

/// The fits without a row.
fn each_left_out(source: &dyn RowSource, noise: &[Noise], options: &estimate::Options) -> Result<Vec<Member>, Error> {
    let sample = source.pass(Sample::new(source.layout(), MOST_LEFT_OUT, None))?;
    let count = sample.rows();
    if count > MOST_LEFT_OUT as u64 {
        return Err(Error::Unsupported(format!(
            "jackknife+ keeps a fit without each of the {count} rows, and does so for {MOST_LEFT_OUT} at most; cv+ \
             needs no more fits than folds, and so many rows make no difference between the two"
        )));
    }
    let rows = sample.finish(source.layout());
    let places: Vec<usize> = (0..rows.len()).collect();
    let closed = left_out::members(&rows, noise, options)?;
    // Least squares without a row follows from that with it; other fits are made again.
    let one = |&place: &usize| {
        let left_out = rows.picked(&[place]);
        let left_out = left_out.source()?.with_threads(1);
        match closed.as_ref().and_then(|members| members[place].clone()) {
            Some(member) => member.scored(&left_out, 1),
            None => member(&rows.at(|i| i != place).source()?.with_threads(1), &left_out, noise, options, 1),
        }
    };
    let (threads, mut members) = (source.threads(), Vec::with_capacity(places.len()));
    for batch in places.chunks(threads * BATCH) {
        members.extend(parallel_map(batch, threads, one).into_iter().collect::<Result<Vec<_>, Error>>()?);
        source.report(members.len() as u64, count)?;
    }
    Ok(members)
}

impl Conformal {
    pub(crate) fn new(plan: &Plan, seed: u64, members: Vec<Member>) -> Self {
        Conformal {
            method: plan.method,
            seed,
            calibration: (plan.method == Scheme::Split).then_some(plan.calibration),
            observations: members.iter().map(|member| member.scores.count()).sum(),
            members,
        }
    }

    /// Intervals for new observations. Ends are infinite where there are too few scores for the level.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1).
    pub fn intervals(&self, rows: &NewRows<'_>, level: f64) -> Result<Intervals, Error> {
        let rank = self.rank(Level::new(level)?.value());
        let said: Vec<Said> = self.members.iter().map(|member| member.say(rows)).collect();
        let mut ends = Intervals { low: Vec::with_capacity(rows.count), high: Vec::with_capacity(rows.count) };
        let mut columns: Vec<Column<'_>> = Vec::with_capacity(said.len());
        for i in 0..rows.count {
            let mut end = |origin: &dyn Fn(&Said) -> f64| {
                columns.clear();
                columns.extend(self.members.iter().zip(&said).map(|(member, said)| Column {
                    scores: &member.scores,
                    origin: origin(said),
                    unit: said.unit[i],
                }));
                order_statistic(&columns, self.observations, rank)
            };
            let (low, high) = (-end(&|said| -said.low[i]), end(&|said| said.high[i]));
            // Quantiles further apart than need be may be moved inwards until nothing is left between them.
            let (low, high) = if low > high { (0.5 * (low + high), 0.5 * (low + high)) } else { (low, high) };
            ends.low.push(low);
            ends.high.push(high);
        }
        Ok(ends)
    }

    /// `ceil((m + 1) level)`.
    fn rank(&self, level: f64) -> f64 {
        // A level such as 0.07 is a little above its decimal.
        ((self.observations + 1.0) * level * (1.0 - 4.0 * f64::EPSILON)).ceil()
    }

    /// The number of folds; one for each row where each was left out in turn.
    pub fn folds(&self) -> usize {
        self.members.len()
    }

    /// What to say where intervals at `level` are infinite.
    pub fn too_few(&self, level: f64) -> Option<Warning> {
        let (found, needed) = (self.observations, (level / (1.0 - level) * (1.0 - 4.0 * f64::EPSILON)).ceil());
        let split = self.method == Scheme::Split;
        (self.rank(level) > found).then_some(Warning::FewScores { level, needed, found, split })
    }

    /// Whether the parts go together and with fits of a design, as they do unless a file was damaged.
    pub fn is_sound(&self, layout: &Layout, fits: usize) -> bool {
        !self.members.is_empty() && self.members.iter().all(|member| member.is_sound(layout, fits.min(2)))
    }
}

/// The values `origin + score unit`, which ascend with the scores.
struct Column<'a> {
    scores: &'a Scores,
    origin: f64,
    unit: f64,
}

impl Column<'_> {
    fn value(&self, place: usize) -> f64 {
        match self.scores.value(place) {
            f64::INFINITY => f64::INFINITY,
            score => self.origin + score * self.unit,
        }
    }

    /// The first place, from `start`, whose value is not `below`.
    fn first(&self, below: impl Fn(f64) -> bool) -> usize {
        let (mut low, mut high) = (0, self.scores.len());
        while low < high {
            let middle = low.midpoint(high);
            if below(self.value(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// The value of a rank among those of all columns, of `count` observations in all.
///
/// Each column's value of its share of the rank is at most as far from it as another column's: only the values between the
/// least and the largest of these need be sorted.
fn order_statistic(columns: &[Column<'_>], count: f64, rank: f64) -> f64 {
    let share =
        |column: &Column<'_>, rank: f64| column.value(column.scores.place(rank * column.scores.count() / count));
    // Rounding must not carry a share across a row.
    let (under, over) = (rank * (1.0 - 1e-12), rank * (1.0 + 1e-12));
    let least = columns.iter().map(|column| share(column, under)).fold(f64::INFINITY, f64::min);
    let largest = columns.iter().map(|column| share(column, over)).fold(f64::NEG_INFINITY, f64::max);
    let (mut below, mut between) = (0.0, Vec::new());
    for column in columns {
        let (start, end) = (column.first(|value| value < least), column.first(|value| value <= largest));
        below += column.scores.before(start);
        let own = |place: usize| (column.value(place), column.scores.before(place + 1) - column.scores.before(place));
        between.extend((start..end).map(own));
    }
    between.sort_by(|a, b| a.0.total_cmp(&b.0));
    let reached = between.iter().find(|(_, own)| {
        below += own;
        below >= rank
    });
    reached.map_or(f64::INFINITY, |(value, _)| *value)
}

/// The passes of this module.
pub(crate) fn kinds() -> Kinds {
    Kinds::default().with::<scoring::Scoring>()
}
