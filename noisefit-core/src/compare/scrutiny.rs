//! What speaks against the preferred model, however it compares with the others: these are all of symmetric noise that is
//! independent from row to row, and of values without end.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::compare::candidates::seen_by;
use crate::compare::comparison::{Comparison, Dependence, Scrutiny, Spike};
use crate::inference::diagnostics::Asymmetry;
use crate::inference::diagnostics::order::Ordered;
use crate::inference::predict::{NewRows, Predictor};
use crate::numeric::distribution::{Distribution, Normal};
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Design, Layout, Precision, RowSource, RowSourceExt, Sample, Values};

/// Rows of the sample from which quantiles are taken and values counted.
const SAMPLE_ROWS: usize = 20_000;

/// A response of so few values, each in five rows or more on average, is of steps and no measurement.
const FEW_VALUES: usize = 12;

/// The share of the rows from which a value is a spike, if no other has a third of its rows.
const SPIKE: f64 = 0.1;

/// A look at the rows of the preferred model; none without one. One pass.
pub(super) fn scrutinise(source: &dyn RowSource, comparison: &Comparison) -> Result<Option<Scrutiny>, Error> {
    let Some((entry, fit)) = comparison.preferred().and_then(|entry| Some((entry, entry.fit.as_ref()?))) else {
        return Ok(None);
    };
    let seen = seen_by(&entry.candidate, source);
    let look = seen.pass(Look::new(fit, seen.rows_hint())?)?;
    let dependence = look.order.dependence();
    let sampled = look.sample.finish(&sampled_layout());
    let residuals = Ordered::new(sampled.response(), sampled.frequencies());
    let values = ValueCounts::of(sampled.column(0), sampled.frequencies());
    Ok(Some(Scrutiny {
        asymmetry: Asymmetry::of(&residuals).as_ref().cloned(),
        dependence,
        distinct_values: values.few(),
        spike: values.spike(),
        least_response: look.least,
    }))
}

/// Rows of a standardised residual (the response) and the response itself.
fn sampled_layout() -> Layout {
    Layout { response: "standardised".to_owned(), terms: vec!["response".to_owned()], ..Layout::default() }
}

/// The values of a response, and how many observations have each.
struct ValueCounts {
    counts: Vec<(f64, f64)>,
    observations: f64,
}

impl ValueCounts {
    fn of(values: &[f64], frequencies: Option<&[f64]>) -> Self {
        let sorted = Ordered::new(values, frequencies);
        let mut counts: Vec<(f64, f64)> = Vec::new();
        for (value, f) in sorted.descending() {
            match counts.last_mut() {
                Some((last, count)) if *last == value => *count += f,
                _ => counts.push((value, f)),
            }
        }
        ValueCounts { counts, observations: sorted.observations() }
    }

    fn few(&self) -> Option<u64> {
        let (distinct, often) = (self.counts.len(), 5.0 * self.counts.len() as f64);
        (distinct <= FEW_VALUES && self.observations >= often).then_some(distinct as u64)
    }

    fn spike(&self) -> Option<Spike> {
        let (place, &(value, most)) = self.counts.iter().enumerate().max_by(|(_, a), (_, b)| a.1.total_cmp(&b.1))?;
        let others = self.counts.iter().enumerate().filter(|(other, _)| *other != place);
        let next = others.map(|(_, (_, count))| *count).fold(1.0, f64::max);
        let share = most / self.observations;
        (self.few().is_none() && share >= SPIKE && most >= 3.0 * next).then_some(Spike { value, share })
    }
}

/// One pass over the residuals of a fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Look {
    predictor: Predictor,
    order: Order,
    sample: Sample,
    least: f64,
}

impl Look {
    fn new(fit: &Fit, rows: Option<u64>) -> Result<Self, Error> {
        let sample = Sample::new(&sampled_layout(), SAMPLE_ROWS, rows);
        Ok(Look { predictor: Predictor::new(fit)?, order: Order::default(), sample, least: f64::INFINITY })
    }
}

impl Accumulator for Look {
    const KIND: &'static str = "compare-look";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = NewRows::from(block);
        let (locations, scales) = (self.predictor.location(&rows), self.predictor.scale(&rows));
        let response = &block.response;
        let residual = |i: usize| ((response.high[i] - locations[i]) + response.low(i)) / scales[i];
        let residuals: Vec<f64> = (0..rows.count).map(residual).collect();
        residuals.iter().for_each(|&r| self.order.add(bounded(r)));
        self.order.counts_rows |= block.frequencies.is_some();
        self.least = response.high.iter().copied().fold(self.least, f64::min);
        let design = [Values::from(response.high)];
        self.sample.fold(&Block {
            response: Values::from(&residuals[..]),
            design: (&design).into(),
            scale_design: Design::default(),
            weights: None,
            frequencies: block.frequencies,
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        });
    }

    fn merge(&mut self, later: Self) {
        self.order.merge(&later.order);
        self.least = self.least.min(later.least);
        self.sample.merge(later.sample);
    }

    fn rows(&self) -> u64 {
        self.order.rows
    }

    fn precision(&self) -> Precision {
        Precision::Double
    }
}

/// `r / (1 + |r|)`: between -1 and 1, however far out a residual is, so that no row outweighs the others.
fn bounded(r: f64) -> f64 {
    if r.abs() < 1.0 { r / (1.0 + r.abs()) } else { r.signum() / (1.0 + 1.0 / r.abs()) }
}

/// Sums over numbers and over each with the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Order {
    rows: u64,
    /// Whether a row stands for several, whose order is not known.
    counts_rows: bool,
    sum: f64,
    squares: f64,
    products: f64,
    ends: Option<[f64; 2]>,
}

impl Order {
    fn add(&mut self, value: f64) {
        let [first, last] = self.ends.unwrap_or([value, 0.0]);
        self.products += last * value;
        self.ends = Some([first, value]);
        self.rows += 1;
        self.sum += value;
        self.squares += value * value;
    }

    fn merge(&mut self, later: &Self) {
        let (ends, rows) = (self.ends.zip(later.ends), self.rows + later.rows);
        self.products += later.products + ends.map_or(0.0, |([_, last], [first, _])| last * first);
        self.ends = ends.map(|([first, _], [_, last])| [first, last]).or(self.ends).or(later.ends);
        self.sum += later.sum;
        self.squares += later.squares;
        self.counts_rows |= later.counts_rows;
        self.rows = rows;
    }

    /// The correlation of each number with the next, whose mean is `-1 / n` and whose standard deviation is about `1 / sqrt(n)` if
    /// they are independent.
    fn dependence(&self) -> Option<Dependence> {
        let (n, [first, last]) = (self.rows as f64, self.ends?);
        let mean = self.sum / n;
        let variance = self.squares - n * mean * mean;
        let covariance = self.products - mean * (2.0 * self.sum - first - last) + (n - 1.0) * mean * mean;
        let correlation = covariance / variance;
        let p_value = Normal.survival((correlation + 1.0 / n) * n.sqrt());
        (!self.counts_rows && self.rows > 2 && variance > 0.0).then_some(Dependence { correlation, p_value })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_with_the_next_in_parts_and_in_one() {
        let numbers: Vec<f64> = (0..50).map(|i| (f64::from(i) * 0.4).sin() + 0.3).collect();
        let of = |numbers: &[f64]| {
            let mut order = Order::default();
            numbers.iter().for_each(|&number| order.add(number));
            order
        };
        let mean = numbers.iter().sum::<f64>() / 50.0;
        let variance: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let covariance: f64 = numbers.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let whole = of(&numbers).dependence().unwrap();
        assert!((whole.correlation - covariance / variance).abs() < 1e-13);
        for cuts in [vec![0, 20, 50], vec![0, 1, 2, 2, 50]] {
            let mut merged = Order::default();
            cuts.windows(2).for_each(|cut| merged.merge(&of(&numbers[cut[0]..cut[1]])));
            assert!((merged.dependence().unwrap().correlation - whole.correlation).abs() < 1e-13);
        }
    }

    #[test]
    fn few_values_and_spikes() {
        let likert: Vec<f64> = (0..60).map(|i| f64::from(i % 5)).collect();
        assert_eq!(ValueCounts::of(&likert, None).few(), Some(5));
        let measured: Vec<f64> = (0..60).map(f64::from).collect();
        assert_eq!((ValueCounts::of(&measured, None).few(), ValueCounts::of(&measured, None).spike()), (None, None));
        let zeros: Vec<f64> = (0..60).map(|i| if i % 4 == 0 { 0.0 } else { f64::from(i) }).collect();
        assert_eq!(ValueCounts::of(&zeros, None).spike(), Some(Spike { value: 0.0, share: 0.25 }));
        // The same as rows that count for several.
        let (values, frequencies) = ([0.0, 1.0, 2.0, 3.0, 4.0], [12.0; 5]);
        assert_eq!(ValueCounts::of(&values, Some(&frequencies)).few(), Some(5));
    }
}
