//! What a reader should know before using the numbers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Unbounded, listed};
use crate::noise::Noise;
use crate::record::VcovKind;

/// What a reader of a fit, a training or a comparison should know before using its numbers: decided on as a value, shown and
/// written as a sentence.
///
/// ```
/// use noisefit_core::record::Warning;
///
/// let effective = vec![("treated".to_owned(), 5.1)];
/// let warning = Warning::FewClusters { clusters: 12, effective, least_squares: true };
/// assert!(warning.to_string().starts_with("of 12 clusters only so many count: 5.1 for treated "));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Terms that are linear combinations of earlier ones have no coefficient.
    Aliased {
        /// Their names.
        terms: Vec<String>,
    },
    /// Terms that the absorbed effects explain have no coefficient.
    WithinEffects {
        /// Their names.
        terms: Vec<String>,
        /// Those of the effects.
        effects: Vec<String>,
    },
    /// Terms of a modelled scale that are linear combinations of earlier ones have no coefficient.
    AliasedInScale {
        /// Their names.
        terms: Vec<String>,
    },
    /// There are as many coefficients as observations.
    Saturated,
    /// The residuals of least squares are zero.
    NoResiduals,
    /// Every row lies on a fit of absolute deviations or a quantile.
    NoDeviations,
    /// The coefficients have few digits.
    FewDigits {
        /// About so many of the worst one.
        digits: f64,
        /// The condition number of the design.
        condition: f64,
    },
    /// The coefficients of terms far from zero are rounded to a part of the scale that shows.
    FarFromZero {
        /// What a prediction from them may be off by.
        rounding: f64,
    },
    /// The optimum was not reached.
    NotConverged(Shortfall),
    /// Other coefficients have the same absolute deviations.
    NotUnique,
    /// Other coefficients have the same Huber loss.
    FewWithinKnee,
    /// The likelihood has no bound, and the fit is a maximum beside that.
    Unbounded(Unbounded),
    /// Student's degrees of freedom are infinite.
    GaussianTails,
    /// Student's degrees of freedom are the least that are searched.
    HeaviestTails {
        /// So many.
        least: f64,
        /// The observations that there are a coefficient.
        per_coefficient: f64,
    },
    /// Tails that were named are too heavy for so few observations a coefficient.
    FewForTails {
        /// As heavy as those of Student's t with so many degrees of freedom.
        df: f64,
        /// The observations that there are a coefficient.
        per_coefficient: f64,
    },
    /// Too few clusters make up the variance of coefficients to trust their standard errors.
    FewClusters {
        /// How many there are.
        clusters: u64,
        /// The terms, and how many clusters count for each.
        effective: Vec<(String, f64)>,
        /// Whether they are of least squares, for which there are errors that hold with few.
        least_squares: bool,
    },
    /// Coefficients that a cluster alone determines, in part at least, and that have no standard error therefore.
    OfOneCluster {
        /// The terms.
        terms: Vec<String>,
    },
    /// Coefficients whose standard errors are of so few degrees of freedom that their t distribution is a rough guide.
    FewDegrees {
        /// The terms with their degrees of freedom.
        terms: Vec<(String, f64)>,
    },
    /// Few clusters, of which each was left out in turn: right on average, and uncertain.
    FewClustersLeftOut {
        /// How many there are.
        clusters: u64,
    },
    /// Variances of coefficients that are zero, because what they are sums of cancels.
    NoVariance {
        /// The terms.
        terms: Vec<String>,
        /// The covariance.
        vcov: VcovKind,
    },
    /// A covariance of fewer dimensions than there are coefficients.
    RankOfCovariance {
        /// Its dimensions.
        rank: usize,
        /// The coefficients.
        coefficients: u64,
        /// The covariance.
        vcov: VcovKind,
    },
    /// A covariance by two columns of clusters had negative eigenvalues.
    NotPositiveSemidefinite,
    /// Rows at which the quantiles beside the fit cross, which `nid` does not count.
    Crossed {
        /// How many.
        rows: u64,
    },
    /// The covariance is `iid`, for there is none by the default, `nid`.
    IidInstead(NoNid),
    /// The covariance is `classical`, for there is none by `nid` and none by `iid`.
    ClassicalInstead {
        /// Why there is no `nid`.
        nid: NoNid,
        /// Why there is no `iid`.
        iid: String,
    },
    /// The covariance is that of a bootstrap, for there are few observations beyond a quantile.
    BootstrapInstead {
        /// How many.
        beyond: f64,
        /// Of the fit.
        coefficients: usize,
    },
    /// Few observations for the coefficients of location and scale together.
    FewForScale {
        /// For each of them.
        per_coefficient: f64,
        /// What intervals that say 95% held in simulations, in percent.
        held: [u8; 2],
    },
    /// Constants of absorbed effects that maximum likelihood does not count in the scale.
    IncidentalParameters {
        /// The effects.
        effects: Vec<String>,
        /// How many constants there are.
        constants: u64,
        /// The observations.
        observations: u64,
    },
    /// Bootstrap draws that could not be fitted.
    DrawsLeftOut {
        /// How many.
        failed: usize,
        /// Of how many.
        draws: usize,
    },
    /// Too few bootstrap draws to trust the standard errors.
    FewDraws {
        /// How many there are.
        draws: usize,
    },
    /// A fit with one coefficient held, made for a profile, is likelier than this fit.
    HigherMaximum,
    /// Intervals of the profile likelihood stand beside standard errors that do not rest on the likelihood.
    ProfileBeside {
        /// The noise whose likelihood it is.
        noise: Noise,
        /// What the standard errors are.
        vcov: VcovKind,
    },
    /// Conformal intervals are infinite.
    FewScores {
        /// The level of the intervals.
        level: f64,
        /// The scores that it takes.
        needed: f64,
        /// Those that there are.
        found: f64,
        /// Whether they are of rows that were kept from fitting.
        split: bool,
    },
    /// There are no conformal intervals.
    NotCalibrated,
    /// Training ended before the minimum.
    EndedEarly,
    /// Training was interrupted.
    Interrupted {
        /// The epochs of every member.
        epochs: Vec<u64>,
    },
    /// The last epoch was the best.
    StillGaining,
    /// The scale is that of rows that were learned from.
    NoValidation,
    /// Hardly any rows were kept from learning.
    FewValidationRows {
        /// How many.
        rows: u64,
    },
    /// An input that does not vary.
    Constant {
        /// Its name.
        column: String,
    },
    /// Members of an interrupted ensemble that had learned nothing.
    MembersLeftOut {
        /// How many.
        left_out: usize,
        /// Of how many.
        members: usize,
    },
    /// A column with a value far from the others.
    FarValue {
        /// Its name.
        column: String,
        /// From the mean, in standard deviations.
        distance: f64,
    },
    /// There was no cross-validation.
    NoCrossValidation {
        /// The rows.
        rows: usize,
        /// The parameters of the largest model.
        parameters: usize,
    },
    /// There were fewer folds than asked for.
    FewerFolds {
        /// As many as were made.
        folds: usize,
        /// As many as were asked for.
        asked: usize,
        /// The rows.
        rows: usize,
    },
    /// One that was read from a file, by its sentence.
    Recorded(String),
}

/// How far from the optimum an estimator stopped, in its own measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shortfall {
    /// Huber's active set after so many passes; the last step in noise scales.
    Passes {
        /// Passes over the rows.
        passes: u64,
        /// The last step.
        step: f64,
    },
    /// Newton's method after so many iterations; the last step in standard errors by the root of the number of observations.
    Iterations {
        /// Its steps.
        iterations: u64,
        /// The last step.
        step: f64,
    },
    /// Turns between a vertex and its scale.
    Turns {
        /// How many.
        turns: u64,
    },
    /// The duals of a vertex are out of bounds.
    Duals,
}

/// Why there is no covariance by the quantiles beside a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoNid {
    /// They are no levels, or were not found.
    NoNeighbours,
    /// They cross.
    Crossed {
        /// At this share of the rows.
        share: f64,
    },
    /// The products are not positive definite.
    Singular,
}

impl fmt::Display for NoNid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoNid::NoNeighbours => f.write_str("there are too few rows for quantiles beside this one"),
            NoNid::Crossed { share } => {
                write!(f, "the quantiles beside this one cross at {:.0}% of the rows", 100.0 * share)
            }
            NoNid::Singular => f.write_str("the quantiles beside this one leave a coefficient undetermined"),
        }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shortfall::Passes { passes, step } => {
                write!(f, "not converged after {passes} passes: the last step was {step:.0e} of the noise scale")
            }
            Shortfall::Iterations { iterations, step } => write!(
                f,
                "not converged after {iterations} iterations: the last step was {step:.0e} standard errors by the root of the \
                 number of observations"
            ),
            Shortfall::Turns { turns } => write!(f, "not converged after {turns} turns between location and scale"),
            Shortfall::Duals => f.write_str(
                "not converged: the duals leave their bounds by more than rounding, and the coefficients may not be optimal",
            ),
        }
    }
}

impl From<Warning> for crate::wording::Sentence {
    fn from(warning: Warning) -> Self {
        warning.to_string().into()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Aliased { terms } => write!(
                f,
                "not determined, because linear combinations of earlier terms: {} (left out, as R does)",
                listed(terms)
            ),
            Warning::WithinEffects { terms, effects } => write!(
                f,
                "not determined, because the constants of {} explain them: {} (left out)",
                effects.join(" and "),
                listed(terms)
            ),
            Warning::AliasedInScale { terms } => write!(
                f,
                "not determined in the scale, because linear combinations of earlier terms: {} (left out)",
                listed(terms)
            ),
            Warning::Saturated => f.write_str(
                "as many coefficients as observations: the fit is exact and says nothing about the noise, so there are no \
                 standard errors",
            ),
            Warning::NoResiduals => f.write_str(
                "the residuals are zero to the rounding of the data: the noise scale is 0 and the likelihood has no bound",
            ),
            Warning::NoDeviations => {
                f.write_str("every row lies on the fit: the noise scale is 0 and the likelihood has no bound")
            }
            Warning::FarFromZero { rounding } => write!(
                f,
                "the intercept is so large that rounded to a double it makes predictions off by up to {}, and with them residuals, \
                 robust standard errors and scores of rows; where terms lie far from zero, centre them (center(x) in the formula), \
                 which changes no slope",
                if (0.01..1e6).contains(rounding) { format!("{rounding:.2}") } else { format!("{rounding:.1e}") }
            ),
            Warning::FewDigits { digits, condition } => write!(
                f,
                "the data determine only about {:.0} digits of the worst coefficient (condition number {condition:.1e}); \
                 centre or rescale the regressors, or use poly() for powers",
                digits.floor()
            ),
            Warning::NotConverged(shortfall) => shortfall.fmt(f),
            Warning::NotUnique => f.write_str(
                "the optimum is not unique: of the coefficients with the same loss, those with the least mean fitted value are \
                 given",
            ),
            Warning::FewWithinKnee => f.write_str(
                "too few rows lie within the knee to determine the coefficients: others, of the same loss, would do as well",
            ),
            Warning::Unbounded(unbounded) => beside(unbounded, f),
            Warning::GaussianTails => f.write_str(
                "the likelihood is largest at infinite degrees of freedom, where Student's t is Gaussian: the tails are no \
                 heavier than Gaussian ones. Coefficients, scale and standard errors are those of the Gaussian fit, and AIC and BIC \
                 count the degrees of freedom",
            ),
            Warning::HeaviestTails { least, .. } if *least <= 0.5 => f.write_str(
                "the degrees of freedom are at their lower bound of 0.5: the tails are heavier than any that are fitted here",
            ),
            Warning::HeaviestTails { least, per_coefficient } => write!(
                f,
                "the degrees of freedom are at {least:.3}, the least that are estimated from {per_coefficient:.1} observations a \
                 coefficient: below, the likeliest fit may be one that passes next to some rows and takes all others for outliers, \
                 whatever the noise is. Where they are known, give them (student-t:DF)"
            ),
            Warning::FewForTails { df, per_coefficient } => write!(
                f,
                "with {per_coefficient:.1} observations a coefficient standard errors under tails as heavy as Student's with {} df are too \
                 small: in simulations with so few 95% intervals hold 65 to 90%",
                (df * 1e3).round() / 1e3
            ),
            Warning::OfOneCluster { terms } => write!(
                f,
                "one cluster alone determines {}, or a part of {}, which therefore has no standard error, and counts as nothing in \
                 confidence intervals of predictions",
                listed(terms),
                if terms.len() == 1 { "it" } else { "each" }
            ),
            Warning::FewDegrees { terms } => {
                // The worst are enough.
                let mut worst: Vec<&(String, f64)> = terms.iter().collect();
                worst.sort_by(|(_, a), (_, b)| a.total_cmp(b));
                let shown: Vec<String> = worst.iter().take(3).map(|(term, df)| format!("{df:.1} for {term}")).collect();
                let more = if terms.len() > 3 { ", and few for other terms" } else { "" };
                write!(
                    f,
                    "few degrees of freedom: {}{more}; with fewer than 4 tests and intervals are a rough guide (Tipton 2015): see \
                     whether a wild cluster bootstrap says the same",
                    shown.join(", ")
                )
            }
            Warning::FewClusters { clusters, effective, least_squares } => {
                // The worst are enough.
                let mut worst: Vec<&(String, f64)> = effective.iter().collect();
                worst.sort_by(|(_, a), (_, b)| a.total_cmp(b));
                let shown: Vec<String> = worst.iter().take(3).map(|(term, count)| format!("{count:.1} for {term}")).collect();
                let more = if effective.len() > 3 { ", and few for other terms" } else { "" };
                write!(
                    f,
                    "of {clusters} clusters only so many count: {}{more} (Carter, Schnepel and Steigerwald 2017); with fewer than 8 \
                     standard errors are too small more often than not, even with the t distribution of {} df{}",
                    shown.join(", "),
                    clusters.saturating_sub(1),
                    match least_squares {
                        true => ": use the covariance cr2, or a wild cluster bootstrap of the test",
                        false => "",
                    }
                )
            }
            Warning::FewClustersLeftOut { clusters } => write!(
                f,
                "only {clusters} clusters: standard errors from so few are themselves uncertain by a third and more"
            ),
            Warning::NoVariance { terms, vcov } => write!(
                f,
                "the variance of {} by {vcov} is zero, for the sums that it is made of cancel: it says nothing of how far off {} may \
                 be, and there is no test",
                listed(terms),
                if terms.len() == 1 { "it" } else { "they" }
            ),
            Warning::RankOfCovariance { rank, coefficients, vcov } => write!(
                f,
                "the covariance {vcov} has rank {rank} for {coefficients} coefficients: tests of more than {rank} of them at once are \
                 not determined"
            ),
            Warning::NotPositiveSemidefinite => f.write_str(
                "the two-way covariance is not positive semidefinite: its negative eigenvalues were set to zero (Cameron, \
                 Gelbach and Miller 2011), and its standard errors are rough",
            ),
            Warning::Crossed { rows } => write!(
                f,
                "at {rows} of the rows the quantiles beside this one cross: rows that count nothing for the density of the \
                 noise, which makes standard errors larger"
            ),
            Warning::IidInstead(why) => write!(
                f,
                "standard errors are those of noise of one density (iid), not of one that varies (nid): {why}"
            ),
            Warning::ClassicalInstead { nid, iid } => {
                write!(f, "standard errors are those of the noise model (classical): {nid}, and {iid}")
            }
            Warning::BootstrapInstead { beyond, coefficients } => write!(
                f,
                "standard errors are those of a bootstrap: with {beyond:.0} observations beyond the quantile for {coefficients} \
                 coefficients there are too few to learn the density of the noise from, on which nid and iid rest"
            ),
            Warning::FewForScale { per_coefficient, held: [low, high] } => write!(
                f,
                "{per_coefficient:.1} observations for each coefficient of mean and scale are few: in simulations with so few 95% \
                 intervals of the mean's coefficients hold {low} to {high}%"
            ),
            Warning::IncidentalParameters { effects, constants, observations } => write!(
                f,
                "the noise scale is that of maximum likelihood, which does not count the {constants} constants of {} that were \
                 estimated with it, one for {:.1} observations (incidental parameters): it is too small, under gaussian noise by {:.1}%. \
                 Standard errors are multiplied by the root of n / (n - p) for that",
                effects.join(" and "),
                *observations as f64 / *constants as f64,
                100.0 * (1.0 - (1.0 - (*constants as f64 / *observations as f64)).max(0.0).sqrt())
            ),
            Warning::DrawsLeftOut { failed, draws } => {
                write!(f, "{failed} of {draws} bootstrap draws have no fit and were left out")
            }
            // The coefficient of variation of a standard deviation of so many Gaussian draws.
            Warning::FewDraws { draws } => write!(
                f,
                "standard errors of {draws} bootstrap draws are themselves off by {:.0}% as a rule: 200 draws or more keep that to 5%",
                100.0 / (2.0 * (*draws as f64 - 1.0)).sqrt()
            ),
            Warning::HigherMaximum => f.write_str(
                "a fit with one coefficient held has a higher likelihood than this one: it is not the highest maximum",
            ),
            Warning::ProfileBeside { noise, vcov } => write!(
                f,
                "the profile-likelihood intervals rest on the likelihood of {noise} noise, not on the {vcov} standard errors \
                 beside them"
            ),
            Warning::FewScores { level, needed, found, split } => write!(
                f,
                "conformal intervals at level {level} need {needed} {} or more, and there are {found}: they are infinite",
                if *split { "calibration rows" } else { "rows" }
            ),
            Warning::NotCalibrated => f.write_str("there are no conformal intervals, for training was interrupted"),
            Warning::EndedEarly => {
                f.write_str("training has ended before the minimum was reached; allow more epochs")
            }
            Warning::Interrupted { epochs } => {
                let epochs: Vec<String> = epochs.iter().map(u64::to_string).collect();
                write!(
                    f,
                    "training was interrupted after {} epochs; the best parameters so far were kept (without validation rows \
                     the last)",
                    epochs.join(", ")
                )
            }
            Warning::StillGaining => f.write_str("the last epoch was the best: more of them would still gain"),
            Warning::NoValidation => f.write_str(
                "without validation rows the scale is that of residuals of rows that were learned from, and intervals are too \
                 narrow: keep some from learning, or calibrate conformal intervals",
            ),
            Warning::FewValidationRows { rows } => write!(
                f,
                "{rows} validation rows say little of which epoch is the best and how large the noise is; a larger share of \
                 them would say more"
            ),
            Warning::Constant { column } => {
                write!(f, "{column} does not vary in the rows that are learned from, and is left out")
            }
            Warning::MembersLeftOut { left_out, members } => {
                write!(f, "{left_out} of {members} members had not ended an epoch and were left out")
            }
            Warning::FarValue { column, distance } => write!(
                f,
                "{column} has a value {distance:.0} standard deviations from its mean, beside which the others are nearly the \
                 same; transform it, such as by log(), or leave such rows out"
            ),
            Warning::NoCrossValidation { rows, parameters } => write!(
                f,
                "no cross-validation: {rows} rows are too few to leave some out and fit {parameters} parameters to the others"
            ),
            Warning::FewerFolds { folds, asked, rows } => {
                write!(f, "{folds} folds instead of {asked}, for there are {rows} rows")
            }
            Warning::Recorded(sentence) => f.write_str(sentence),
        }
    }
}

/// Where the likelihood has no bound, and what the fit is beside that.
fn beside(unbounded: &Unbounded, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const BESIDE: &str = "this fit is the best proper local maximum that was found beside that";
    match unbounded {
        Unbounded::Where { .. } => write!(f, "{unbounded}; {BESIDE}"),
        _ => write!(f, "{}; {BESIDE}; {}", unbounded.cause(), unbounded.remedy()),
    }
}

/// As its sentence.
impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A sentence comes back as [`Warning::Recorded`].
impl<'de> Deserialize<'de> for Warning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Warning::Recorded)
    }
}
