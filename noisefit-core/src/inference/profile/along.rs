//! The negative log-likelihood and the loss at several values of a coefficient.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::estimate::Options;
use crate::inference::predict::{NewRows, Predictor};
use crate::inference::profile::interval;
use crate::inference::profile::rest::{place, refit};
use crate::noise::NoiseFamily;
use crate::numeric::double_double::DoubleDouble;
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Kinds, Precision, RowSource, RowSourceExt};

/// The likelihood along one coefficient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// The term.
    pub term: String,
    /// Its estimate.
    pub estimate: f64,
    /// What [`CurvePoint::loss`] is.
    pub loss: &'static str,
    /// Whether the other parameters were fitted again at every value, or stay as they are.
    pub reoptimised: bool,
    /// The value with the least negative log-likelihood.
    pub nll_minimiser: f64,
    /// The value with the least loss.
    pub loss_minimiser: f64,
    /// The curve, one point for each value asked for.
    pub points: Vec<CurvePoint>,
}

/// What belongs to one value of the coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The value.
    pub value: f64,
    /// The complete negative log-likelihood, with every constant.
    pub nll: f64,
    /// The mean loss of an observation: what the family minimises, without its constants and its scale.
    pub loss: f64,
}

/// The complete negative log-likelihood and the bare loss of a fit where the coefficient of `term` has each of `values`,
/// and all other parameters are as they were fitted; or, `reoptimised`, where the others are fitted again to each value.
///
/// The loss is the mean over observations of
///
/// | noise | loss of `e = sqrt(w) (y - mu)` |
/// |---|---|
/// | gaussian | `e^2` |
/// | laplace | `abs(e)` |
/// | quantile | the check function at the level |
/// | huber | the parabola with tangents from `k s` on, as it was fitted |
/// | student-t, logistic | `-ln f(e / s) + ln f(0)` at the fitted scale and shape |
///
/// and of `e / s` instead of `e` where the scale is modelled. It is that at the fitted scale also where other parameters are
/// fitted again; so its minimum is at the fit's estimate, as that of the negative log-likelihood is.
///
/// One pass for all values, and a fit for each that is `reoptimised`.
///
/// # Errors
/// [`Error::Unsupported`] for a name that is no term, an aliased term, and a fit without noise; those of
/// [`estimate::fit`](crate::inference::fit) for the fits.
pub fn curve(
    source: &dyn RowSource,
    fit: &Fit,
    term: &str,
    values: &[f64],
    reoptimised: bool,
    options: &Options,
) -> Result<Curve, Error> {
    let (place, estimate) = place(fit, term)?;
    if fit.log_likelihood().is_none() {
        let what = "every row is fitted exactly: the noise scale is 0, and the likelihood has no bound";
        return Err(Error::Unsupported(what.to_owned()));
    }
    let mut likelihoods = Vec::new();
    let mut differences = Vec::new();
    for &value in values {
        let mut difference = vec![Some(0.0); fit.location.rows.len()];
        difference[place] = Some(value - estimate);
        if reoptimised {
            let rest = refit(source, fit, place, value, options)?;
            for (place, row) in fit.location.rows.iter().enumerate() {
                let found = rest.location.rows.iter().find(|other| other.term == row.term).and_then(|row| row.estimate);
                if let (Some(found), Some(estimate)) = (found, row.estimate) {
                    difference[place] = Some(found - estimate);
                }
            }
            likelihoods.push(rest.log_likelihood().unwrap_or(f64::INFINITY));
        }
        differences.push(Affine::new(&difference, fit.location.intercept));
    }
    let base = fit.location.affine();
    let sums = differences.iter().map(|_| DoubleDouble::ZERO).collect();
    let predictor = Predictor::new(fit)?;
    let (rows, observations, constant) = (0, DoubleDouble::ZERO, DoubleDouble::ZERO);
    let pass = source.pass(Along { predictor, base, differences, rows, observations, constant, sums })?;
    let (n, (loss, factor)) = (pass.observations.to_f64(), loss(fit));
    let point = |(i, &value): (usize, &f64)| CurvePoint {
        value,
        nll: likelihoods.get(i).map_or_else(|| (pass.sums[i] + pass.constant).to_f64(), |found| -found),
        loss: factor * pass.sums[i].to_f64() / n,
    };
    let points: Vec<CurvePoint> = values.iter().enumerate().map(point).collect();
    let least = |of: fn(&CurvePoint) -> f64| {
        points.iter().min_by(|a, b| of(a).total_cmp(&of(b))).map_or(f64::NAN, |point| point.value)
    };
    Ok(Curve {
        term: term.to_owned(),
        estimate,
        loss,
        reoptimised,
        nll_minimiser: least(|point| point.nll),
        loss_minimiser: least(|point| point.loss),
        points,
    })
}

/// The profile-likelihood interval of a term at a level. An end is absent where the interval is open.
///
/// # Errors
/// Those of [`curve`] and of [`super::intervals`].
pub fn term_interval(
    source: &dyn RowSource,
    fit: &Fit,
    term: &str,
    level: f64,
    options: &Options,
) -> Result<(Option<f64>, Option<f64>), Error> {
    let (place, _) = place(fit, term)?;
    Ok(interval(source, fit, place, level, options)?.map_or((None, None), |ends| (ends.low, ends.high)))
}

/// What the loss is called, and how often it holds `-ln f(r) + ln f(0)`.
fn loss(fit: &Fit) -> (&'static str, f64) {
    let loss = fit.noise.description().loss;
    match fit.scale.common() {
        Some(scale) => (loss.name, loss.factor * scale.powi(loss.power)),
        None => (loss.standardised, loss.factor),
    }
}

/// The pass that sums `-ln f(r) + ln f(0)` at several locations.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Along {
    predictor: Predictor,
    base: Affine,
    /// What the locations are more than the fit's.
    differences: Vec<Affine>,
    rows: u64,
    observations: DoubleDouble,
    /// `sum f (-ln f(0) + ln s - log Jacobian)`.
    constant: DoubleDouble,
    sums: Vec<DoubleDouble>,
}

impl Accumulator for Along {
    const KIND: &'static str = "likelihood along a coefficient";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = block.rows();
        self.rows += rows as u64;
        let family: &dyn NoiseFamily = self.predictor.fit().noise.family();
        let peak = family.negative_log_density(0.0);
        let scales = self.predictor.scale(&NewRows::from(block));
        let residuals = self.base.residuals(block);
        let frequency = |i: usize| block.frequency(i);
        for (i, scale) in scales.iter().enumerate() {
            let jacobian = block.log_jacobian.map_or(0.0, |l| l[i]);
            self.observations += frequency(i);
            self.constant += (peak + scale.ln() - jacobian) * frequency(i);
        }
        for (difference, sum) in self.differences.iter().zip(&mut self.sums) {
            let (first, more) = difference.evaluate(block.design, rows);
            let first = first.to_f64();
            let mut total = 0.0;
            for i in 0..rows {
                let r = ((residuals[i] - first) - more[i]) / scales[i];
                total += frequency(i) * (family.negative_log_density(r) - peak);
            }
            *sum += total;
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.observations += later.observations;
        self.constant += later.constant;
        self.sums.iter_mut().zip(later.sums).for_each(|(sum, later)| *sum += later);
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Along>()
}
