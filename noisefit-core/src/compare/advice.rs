//! What in the data speaks for the preferred model, and what changes in the coefficients.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::compare::candidates::seen_by;
use crate::compare::comparison::{Advice, Comparison, Outlier, Outliers, Shift, VarianceAdvice};
use crate::compare::entry::Entry;
use crate::estimate;
use crate::inference::covariance::{self, Vcov};
use crate::inference::diagnostics::order::Ordered;
use crate::inference::predict::{NewRows, Predictor};
use crate::inference::small_sample;
use crate::noise::{Huber, Noise, StudentT};
use crate::numeric::distribution::{Distribution, Normal};
use crate::record::{Coefficient, Fit, SmallSample};
use crate::rows::{Accumulator, Block, Precision, RowSource, RowSourceExt, Sample, SampledRows};

/// Rows of the sample from which medians and quantiles are taken: of so many they are right to a percent.
const SAMPLE_ROWS: usize = 20_000;

/// Outlying rows that are told of.
const ROWS_TOLD: usize = 10;

/// How often Gaussian noise may reach the limit of outlying rows, in samples of this size.
const FALSE_ALARM: f64 = 0.05;

/// The advice on a comparison; none without a preferred model. Two passes over the rows, and those of the standard errors of the
/// two fits that are set side by side.
pub(super) fn advise(
    source: &dyn RowSource,
    comparison: &Comparison,
    options: &estimate::Options,
) -> Result<Option<Advice>, Error> {
    let Some((entry, fit)) = comparison.preferred().and_then(|entry| Some((entry, entry.fit.as_ref()?))) else {
        return Ok(None);
    };
    let seen = seen_by(&entry.candidate, source);
    let sample = Sample::new(seen.layout(), SAMPLE_ROWS, seen.rows_hint());
    let gaussian = comparison.gaussian().and_then(|entry| Some((entry, entry.fit.as_ref()?)));
    let (sample, plain) = seen.pass((sample, Residuals::new(gaussian.map_or(fit, |(_, fit)| fit), None)?))?;
    let sample = sample.finish(seen.layout());
    let spread = Spread::of(&sample, fit)?;
    let errors = seen.pass(Residuals::new(fit, spread.deviation)?)?;
    let df = |other: &&Entry| {
        other.candidate.noise == Noise::StudentT(StudentT::FREE)
            && other.candidate.models_scale == entry.candidate.models_scale
            && other.may_win()
    };
    let student = comparison.models.iter().find(df).and_then(|entry| entry.fit.as_ref());
    Ok(Some(Advice {
        kurtosis: gaussian.and(plain.kurtosis()),
        kurtosis_over_scale: errors.kurtosis().filter(|_| entry.candidate.models_scale),
        df: student.and_then(|fit| fit.shape.clone()),
        outliers: errors.outliers(),
        variance: variance(fit, &sample, &spread),
        coefficients: match gaussian {
            Some((other, gaussian)) if !entry.candidate.is_plain_gaussian() => {
                let plain = seen_by(&other.candidate, source);
                shifts(&with_errors(&plain, gaussian, options)?, &with_errors(&seen, fit, options)?)
            }
            _ => Vec::new(),
        },
    }))
}

/// The fit with the standard errors that it has by default where it is fitted alone; none where the rows determine none.
fn with_errors(source: &dyn RowSource, fit: &Fit, options: &estimate::Options) -> Result<Fit, Error> {
    let mut fit = fit.clone();
    let found = covariance::estimate(source, &mut fit, &Vcov::Default, options)
        .and_then(|()| small_sample::apply(source, &mut fit, SmallSample::Corrected));
    match found {
        Err(Error::Unsupported(_)) => fit.location.rows.iter_mut().for_each(|row| row.std_error = None),
        found => found?,
    }
    Ok(fit)
}

/// The coefficients side by side, the one that is most off first.
fn shifts(gaussian: &Fit, preferred: &Fit) -> Vec<Shift> {
    let pairs = gaussian.location.rows.iter().zip(&preferred.location.rows);
    let shift = |(one, other): (&Coefficient, &Coefficient)| {
        let (gaussian, preferred) = (one.estimate?, other.estimate?);
        Some(Shift {
            term: one.term.clone(),
            gaussian,
            gaussian_std_error: one.std_error,
            preferred,
            preferred_std_error: other.std_error,
            shift: other.std_error.filter(|error| *error > 0.0).map(|error| (gaussian - preferred) / error),
        })
    };
    let mut shifts: Vec<Shift> = pairs.filter_map(shift).collect();
    let size = |shift: &Shift| shift.shift.map_or(0.0, f64::abs);
    shifts.sort_by(|a, b| size(b).total_cmp(&size(a)));
    shifts
}

/// The term that drives a modelled scale, and how much.
fn variance(fit: &Fit, sample: &SampledRows, spread: &Spread) -> Option<VarianceAdvice> {
    let table = fit.scale.modelled()?;
    let terms = table.rows.iter().skip(usize::from(table.intercept)).enumerate();
    let size = |statistic: Option<f64>| statistic.map_or(0.0, f64::abs);
    let (place, driver) = terms.max_by(|(_, a), (_, b)| size(a.statistic).total_cmp(&size(b.statistic)))?;
    let column = Ordered::new(sample.scale_column(place), sample.frequencies());
    let between = |low: f64, high: f64| (column.quantile(low), column.quantile(high));
    let (from, to) = Some(between(0.1, 0.9)).filter(|(from, to)| from < to).unwrap_or_else(|| between(0.0, 1.0));
    let scales = &spread.scales;
    Some(VarianceAdvice {
        term: driver.term.clone(),
        statistic: driver.statistic?,
        from,
        to,
        factor: (driver.estimate? * (to - from)).exp(),
        overall_factor: scales.quantile(0.9) / scales.quantile(0.1),
    })
}

/// The spread of a sample's residuals.
#[derive(Debug)]
struct Spread {
    /// The robust standard deviation of the residuals over their modelled scale; none where half are zero.
    deviation: Option<f64>,
    /// The scale of each row.
    scales: Ordered,
}

impl Spread {
    fn of(sample: &SampledRows, fit: &Fit) -> Result<Self, Error> {
        let residuals = Residuals::new(fit, None)?;
        let (residuals, scales) =
            sample.show(|block| (residuals.evaluate(block), residuals.predictor.scale(&NewRows::from(block))));
        let ordered = |values: &[f64]| Ordered::new(values, sample.frequencies());
        let deviation = ordered(&residuals).sizes().quantile(0.5) / Huber::NORMAL_QUARTILE;
        Ok(Spread { deviation: Some(deviation).filter(|deviation| *deviation > 0.0), scales: ordered(&scales) })
    }
}

/// Rows beyond the limit that are kept: where there are more, none stands apart.
const FAR_ROWS: usize = 64;

/// One pass over the residuals of a fit, each over its scale where that is modelled: their moments, and those far out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Residuals {
    predictor: Predictor,
    /// The common scale; 1 where it is modelled.
    unit: f64,
    /// The robust standard deviation; without it there are no outliers.
    deviation: Option<f64>,
    /// The bound of outliers, in such deviations.
    limit: f64,
    rows: u64,
    observations: f64,
    squares: f64,
    fourth_powers: f64,
    /// Observations beyond the limit.
    beyond: f64,
    /// The farthest rows, farthest first, and how many observations each is.
    far: Vec<(Outlier, f64)>,
}

impl Residuals {
    fn new(fit: &Fit, deviation: Option<f64>) -> Result<Self, Error> {
        Ok(Residuals {
            predictor: Predictor::new(fit)?,
            unit: fit.scale.common().unwrap_or(1.0),
            deviation,
            limit: Normal.upper_quantile(0.5 * FALSE_ALARM / fit.nobs.max(1) as f64),
            rows: 0,
            observations: 0.0,
            squares: 0.0,
            fourth_powers: 0.0,
            beyond: 0.0,
            far: Vec::new(),
        })
    }

    /// The residuals of a block, over the roots of weights and the modelled scale.
    fn evaluate(&self, block: &Block<'_>) -> Vec<f64> {
        let rows = NewRows::from(block);
        let (locations, scales) = (self.predictor.location(&rows), self.predictor.scale(&rows));
        let residual = |i: usize| (block.response.high[i] - locations[i]) + block.response.low(i);
        (0..rows.count).map(|i| residual(i) / (scales[i] / self.unit)).collect()
    }

    fn keep_farthest(&mut self) {
        self.far.sort_by(|(a, _), (b, _)| b.deviations.abs().total_cmp(&a.deviations.abs()));
        self.far.truncate(FAR_ROWS);
    }

    fn kurtosis(&self) -> Option<f64> {
        let kurtosis = self.observations * self.fourth_powers / (self.squares * self.squares);
        Some(kurtosis).filter(|kurtosis| kurtosis.is_finite())
    }

    fn outliers(&self) -> Option<Outliers> {
        let sizes = self.far.iter().map(|(row, _)| row.deviations.abs()).chain([self.limit]);
        let sizes: Vec<f64> = sizes.collect();
        let gaps = sizes.windows(2).map(|sizes| sizes[0] - sizes[1]).enumerate();
        let widest = gaps.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, gap)| *gap > self.limit);
        let apart: f64 = self.far.iter().take(widest.map_or(0, |(place, _)| place + 1)).map(|(_, count)| count).sum();
        Some(Outliers {
            deviation: self.deviation?,
            limit: self.limit,
            beyond: self.beyond.round() as u64,
            apart: (self.beyond <= FAR_ROWS as f64).then_some(apart.round() as u64),
            rows: self.far.iter().take(ROWS_TOLD).map(|(row, _)| *row).collect(),
        })
    }
}

impl Accumulator for Residuals {
    const KIND: &'static str = "compare-residuals";

    fn fold(&mut self, block: &Block<'_>) {
        for (i, residual) in self.evaluate(block).into_iter().enumerate() {
            // In common scales the powers stay within the range of a double.
            let (f, square) = (block.frequency(i), (residual / self.unit).powi(2));
            self.observations += f;
            self.squares += f * square;
            self.fourth_powers += f * square * square;
            if let Some(deviations) = self.deviation.map(|deviation| residual / deviation)
                && deviations.abs() > self.limit
            {
                self.beyond += f;
                self.far.push((Outlier { row: self.rows + i as u64, deviations }, f));
            }
        }
        self.keep_farthest();
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        let before = self.rows;
        let moved = |(row, f): (Outlier, f64)| (Outlier { row: row.row + before, ..row }, f);
        self.far.extend(later.far.into_iter().map(moved));
        self.keep_farthest();
        self.rows += later.rows;
        self.observations += later.observations;
        self.squares += later.squares;
        self.fourth_powers += later.fourth_powers;
        self.beyond += later.beyond;
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}
