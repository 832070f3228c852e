//! What a picture of a fit needs of its rows, in one pass: a random sample of them, the extremes, and exact counts of all.
//!
//! A million points are no picture. A [`Sketch`] keeps so many rows as can be told apart, drawn at random from all, and counts
//! every row where counting is enough: residuals in narrow cells, responses in parts of equal probability. A picture of few rows
//! is of all of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::Diagnosis;
use crate::inference::predict::{NewRows, Predictor};
use crate::network::Network;
use crate::noise::{Gaussian, Noise, NoiseFamily};
use crate::rows::{Accumulator, Block, Kinds, Precision, scattered};

/// Cells a unit of the standardised residual is divided into.
const FINENESS: f64 = 20.0;

/// The largest standardised residual that has a cell of its own.
const REACH: f64 = 60.0;

/// Cells of the standardised residuals: those within reach, and one on either side.
const CELLS: usize = 2 * (REACH * FINENESS) as usize + 2;

/// Parts of equal probability that responses are counted in.
const PARTS: usize = 200;

/// Numbers kept of a row beside its design: see [`SketchedRow`].
const MEASURES: usize = 9;

/// What measures a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Measurer {
    /// An exact fit whose residuals can be tested: leverages and Cook's distances, too.
    Fit(Arc<Diagnosis>),
    /// An exact fit of a quantile.
    Quantile(Predictor),
    /// What was trained.
    Network(Arc<Network>),
}

/// A pass that draws rows and counts them all.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::diagnostics::Diagnosis;
/// use noisefit_core::inference::sketch::Sketch;
/// use noisefit_core::rows::{Matrix, MemoryRows, RowSourceExt};
///
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&[1.0, 2.0, 3.0, 4.0], 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// let diagnosis = Diagnosis::new(&rows, &fit, &Options::default())?;
/// let sketched = rows.pass(Sketch::of_fit(diagnosis, 100, 0))?.finish();
/// assert!(sketched.is_complete());
/// assert!((sketched.rows[0].fitted - 1.3).abs() < 1e-12);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sketch {
    measurer: Measurer,
    /// Rows that are kept in the end, at most.
    limit: usize,
    seed: u64,
    /// The number of the first row that is met, from 0.
    first: u64,
    rows: u64,
    observations: f64,
    width: usize,
    values: Vec<f64>,
    priorities: Vec<u64>,
    /// Rows of a greater priority are not kept.
    bar: u64,
    cells: Vec<f64>,
    parts: Vec<f64>,
}

/// A row that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SketchedRow {
    /// Its number from 0 among the rows used.
    pub row: u64,
    /// The response as it is modelled.
    pub response: f64,
    /// The location.
    pub fitted: f64,
    /// The scale of the noise.
    pub scale: f64,
    /// The residual in scales of the row; of an ensemble the normal score of [`probability`](Self::probability).
    pub standardised: f64,
    /// The fitted probability of a response that is no larger.
    pub probability: f64,
    /// The leverage; NaN of what has none.
    pub leverage: f64,
    /// Cook's distance; NaN of what has none.
    pub cooks_distance: f64,
    /// How many observations it stands for.
    pub frequency: f64,
    /// The columns of the design.
    pub design: Vec<f64>,
}

/// What was drawn and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Sketched {
    /// The noise that standardised residuals are to be held against.
    pub noise: Noise,
    /// Rows that were met.
    pub met: u64,
    /// Rows times their frequencies.
    pub observations: f64,
    /// The rows drawn, in the order of the data: all where there are few.
    pub rows: Vec<SketchedRow>,
    cells: Vec<f64>,
    parts: Vec<f64>,
}

impl Sketch {
    /// The empty state, of at most `limit` rows that are drawn from `seed`, measured as a diagnosis does.
    pub fn of_fit(diagnosis: Diagnosis, limit: usize, seed: u64) -> Self {
        Sketch::new(Measurer::Fit(Arc::new(diagnosis)), limit, seed)
    }

    /// The same of a fitted quantile.
    pub fn of_quantile(predictor: Predictor, limit: usize, seed: u64) -> Self {
        Sketch::new(Measurer::Quantile(predictor), limit, seed)
    }

    /// The same of what was trained, of several quantiles of the first.
    pub fn of_network(network: Network, limit: usize, seed: u64) -> Self {
        Sketch::new(Measurer::Network(Arc::new(network)), limit, seed)
    }

    fn new(measurer: Measurer, limit: usize, seed: u64) -> Self {
        Sketch {
            measurer,
            limit: limit.max(1),
            seed,
            first: 0,
            rows: 0,
            observations: 0.0,
            width: MEASURES,
            values: Vec::new(),
            priorities: Vec::new(),
            bar: u64::MAX,
            cells: vec![0.0; CELLS],
            parts: vec![0.0; PARTS],
        }
    }

    /// The noise that standardised residuals are to be held against.
    fn noise(&self) -> Noise {
        match &self.measurer {
            Measurer::Fit(diagnosis) => diagnosis.fit().noise,
            Measurer::Quantile(predictor) => predictor.fit().noise,
            Measurer::Network(network) => match &network.members[..] {
                [member] => member.noise.first().copied().unwrap_or(Noise::Gaussian),
                _ => Noise::Gaussian,
            },
        }
    }

    /// The measures of a block's rows but their number: response, fitted, scale, standardised, probability, leverage, Cook's
    /// distance, frequency.
    fn measured(&self, block: &Block<'_>) -> Vec<[f64; MEASURES - 1]> {
        let response = |i: usize| block.response.high[i];
        match &self.measurer {
            Measurer::Fit(diagnosis) => {
                let columns = diagnosis.rows(block);
                let place = |name: &str| diagnosis.row_columns().iter().position(|known| *known == name);
                let [fitted, residual, scale, leverage, cook] =
                    ["fitted", "residual", "scale", "leverage", "cooks_distance"].map(place);
                let at = |column: Option<usize>, i: usize| column.map_or(f64::NAN, |j| columns[j][i]);
                let family = diagnosis.fit().noise;
                let row = |i: usize| {
                    let r = at(residual, i) / at(scale, i);
                    let probability = family.family().cdf(r);
                    let (leverage, cook) = (at(leverage, i), at(cook, i));
                    [response(i), at(fitted, i), at(scale, i), r, probability, leverage, cook, block.frequency(i)]
                };
                (0..block.rows()).map(row).collect()
            }
            Measurer::Quantile(predictor) => {
                let rows = NewRows::from(block);
                let (locations, scales) = (predictor.location(&rows), predictor.scale(&rows));
                let family = predictor.fit().noise;
                let row = |i: usize| {
                    let r = (response(i) - locations[i]) / scales[i];
                    let probability = family.family().cdf(r);
                    [response(i), locations[i], scales[i], r, probability, f64::NAN, f64::NAN, block.frequency(i)]
                };
                (0..block.rows()).map(row).collect()
            }
            Measurer::Network(network) => {
                let mixture = network.predict(&NewRows::from(block));
                let (locations, scales) = (mixture.location(0), mixture.scale(0));
                let several = network.members.len() > 1;
                let row = |i: usize| {
                    let probability = mixture.cdf(i, response(i));
                    let r = match several {
                        false => (response(i) - locations[i]) / scales[i],
                        true if probability <= 0.5 => Gaussian.quantile(probability),
                        true => Gaussian.upper_quantile(mixture.survival(i, response(i))),
                    };
                    [response(i), locations[i], scales[i], r, probability, f64::NAN, f64::NAN, block.frequency(i)]
                };
                (0..block.rows()).map(row).collect()
            }
        }
    }

    /// Leaves no more than `most` rows: those of the least priorities.
    fn thin(&mut self, most: usize) {
        if self.priorities.len() <= most {
            return;
        }
        let mut order: Vec<usize> = (0..self.priorities.len()).collect();
        order.select_nth_unstable_by_key(self.limit - 1, |&i| (self.priorities[i], i));
        self.bar = self.priorities[order[self.limit - 1]];
        order.truncate(self.limit);
        order.sort_unstable();
        let width = self.width;
        self.values = order.iter().flat_map(|&i| self.values[i * width..(i + 1) * width].to_vec()).collect();
        self.priorities = order.iter().map(|&i| self.priorities[i]).collect();
    }

    /// What was drawn and counted.
    pub fn finish(mut self) -> Sketched {
        self.thin(self.limit);
        let row = |values: &[f64]| {
            let &[
                row,
                response,
                fitted,
                scale,
                standardised,
                probability,
                leverage,
                cooks_distance,
                frequency,
                ref design @ ..,
            ] = values
            else {
                return None;
            };
            Some(SketchedRow {
                row: row as u64,
                response,
                fitted,
                scale,
                standardised,
                probability,
                leverage,
                cooks_distance,
                frequency,
                design: design.to_vec(),
            })
        };
        let rows = self.values.chunks_exact(self.width).filter_map(row).collect();
        let noise = self.noise();
        let Sketch { rows: met, observations, cells, parts, .. } = self;
        Sketched { noise, met, observations, rows, cells, parts }
    }
}

impl Accumulator for Sketch {
    const KIND: &'static str = "sketch";

    fn begin(&mut self, rows_before: u64) {
        self.first = rows_before;
    }

    /// A row is drawn or not by its number alone: the same rows of a table, however it is stored and divided.
    fn needs_place(&self) -> bool {
        true
    }

    fn fold(&mut self, block: &Block<'_>) {
        if block.rows() == 0 {
            return;
        }
        self.width = MEASURES + block.design.count();
        let seed = scattered(self.seed, 0xd7a3);
        for (i, measures) in self.measured(block).into_iter().enumerate() {
            let [.., standardised, probability, _, _, frequency] = measures;
            let number = self.first + self.rows + i as u64;
            let priority = scattered(seed, number);
            // A cell holds what is above its lower end, to its upper end. NaN has none.
            let cell = ((standardised + REACH) * FINENESS).ceil().clamp(0.0, (CELLS - 1) as f64);
            if !cell.is_nan() {
                self.cells[cell as usize] += frequency;
            }
            let part = (probability * PARTS as f64).floor().clamp(0.0, (PARTS - 1) as f64);
            if !part.is_nan() {
                self.parts[part as usize] += frequency;
            }
            self.observations += frequency;
            if priority <= self.bar {
                self.priorities.push(priority);
                self.values.push(number as f64);
                self.values.extend(measures);
                self.values.extend(block.design.row(i));
                self.thin(4 * self.limit);
            }
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        if later.rows == 0 {
            return;
        }
        self.width = later.width;
        self.values.extend(later.values);
        self.priorities.extend(later.priorities);
        self.bar = self.bar.min(later.bar);
        self.thin(4 * self.limit);
        self.first = self.first.min(later.first);
        self.rows += later.rows;
        self.observations += later.observations;
        self.cells.iter_mut().zip(later.cells).for_each(|(mine, theirs)| *mine += theirs);
        self.parts.iter_mut().zip(later.parts).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Double
    }
}

impl Sketched {
    /// Whether all rows are there.
    pub fn is_complete(&self) -> bool {
        self.rows.len() as u64 == self.met
    }

    /// The observations whose standardised residual is at most `r`, for every end `r` of a cell where some lie between it and
    /// the end before: their distribution function, exact at these.
    pub fn counts_up_to(&self) -> Vec<(f64, f64)> {
        let (mut points, mut sum) = (Vec::new(), 0.0);
        for (cell, count) in self.cells[..CELLS - 1].iter().enumerate() {
            sum += count;
            if *count > 0.0 {
                points.push((cell as f64 / FINENESS - REACH, sum));
            }
        }
        points
    }

    /// The observations with standardised residuals in bins of `cells` cells each from `-reach` to `reach`, ends rounded to
    /// cells, as `(lower end, upper end, count)`; and those below and above.
    pub fn histogram(&self, reach: f64, bins: usize) -> (Vec<(f64, f64, f64)>, [f64; 2]) {
        let bins = bins.max(1);
        let cells = ((2.0 * reach.clamp(0.0, REACH) * FINENESS / bins as f64).round() as usize).max(1);
        let half = (cells * bins / 2).min((CELLS - 2) / 2);
        let (centre, bins) = ((CELLS - 2) / 2, 2 * half / cells);
        let start = centre - half;
        let end = |cell: usize| cell as f64 / FINENESS - REACH;
        let bin = |k: usize| {
            let (from, to) = (start + k * cells, start + (k + 1) * cells);
            // The cell of number c holds what is above end(c - 1), to end(c).
            (end(from), end(to), self.cells[from + 1..=to].iter().sum::<f64>())
        };
        let below = self.cells[..=start].iter().sum();
        let above = self.cells[start + bins * cells + 1..].iter().sum();
        ((0..bins).map(bin).collect(), [below, above])
    }

    /// The observations in `count` parts of equal fitted probability; `count` divides 200.
    pub fn probability_counts(&self, count: usize) -> Vec<f64> {
        self.parts.chunks(PARTS / count.clamp(1, PARTS)).map(|part| part.iter().sum()).collect()
    }

    /// The share of the observations within the central interval of fitted probability `level`, a multiple of a hundredth.
    pub fn coverage(&self, level: f64) -> f64 {
        let tail = ((0.5 * (1.0 - level)) * PARTS as f64).round() as usize;
        self.parts[tail..PARTS - tail].iter().sum::<f64>() / self.observations
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Sketch>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::estimate::{Options, closed_form};
    use crate::rows::{Matrix, MemoryRows, RowSourceExt};

    fn sketched(n: usize, limit: usize, seed: u64) -> (Vec<f64>, Sketched) {
        let x: Vec<f64> = (0..n).map(|i| (i % 97) as f64).collect();
        let y: Vec<f64> = (0..n)
            .map(|i| 2.0 + 0.5 * x[i] + Gaussian.quantile((i as f64 * 0.618_033_988_749_895 + 0.3).fract()))
            .collect();
        let rows = MemoryRows::new(&y, Matrix::column_major(&x, n, 1).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        let diagnosis = Diagnosis::new(&rows, &fit, &Options::default()).unwrap();
        let found = rows.pass(Sketch::of_fit(diagnosis, limit, seed)).unwrap().finish();
        let line = fit.coef();
        let scale = fit.scale.common().unwrap();
        let r = (0..n).map(|i| (y[i] - line[0].unwrap() - line[1].unwrap() * x[i]) / scale).collect();
        (r, found)
    }

    #[test]
    fn few_rows_are_all_there_in_their_order() {
        let (r, found) = sketched(300, 300, 0);
        assert!(found.is_complete());
        for (i, row) in found.rows.iter().enumerate() {
            assert_eq!((row.row, row.design[0]), (i as u64, (i % 97) as f64));
            assert!((row.standardised - r[i]).abs() < 1e-12);
            assert!((row.probability - Gaussian.cdf(r[i])).abs() < 1e-12);
        }
        // Leverages sum to the number of coefficients.
        assert!((found.rows.iter().map(|row| row.leverage).sum::<f64>() - 2.0).abs() < 1e-10);
    }

    #[test]
    fn many_rows_are_counted_exactly_and_drawn_evenly() {
        let n = 20_000;
        let (r, found) = sketched(n, 500, 3);
        assert_eq!((found.rows.len(), found.met, found.observations), (500, n as u64, n as f64));
        for (end, count) in found.counts_up_to().into_iter().step_by(7) {
            assert_eq!(count, r.iter().filter(|r| **r <= end).count() as f64, "{end}");
        }
        let (bins, [below, above]) = found.histogram(3.0, 24);
        assert_eq!((bins.len(), bins[0].0, bins[23].1), (24, -3.0, 3.0));
        for &(from, to, count) in &bins {
            assert_eq!(count, r.iter().filter(|r| from < **r && **r <= to).count() as f64);
        }
        assert_eq!(bins.iter().map(|bin| bin.2).sum::<f64>() + below + above, n as f64);
        let share = r.iter().filter(|r| (0.25..0.75).contains(&Gaussian.cdf(**r))).count() as f64 / n as f64;
        assert_eq!(found.coverage(0.5), share);
        assert_eq!(found.probability_counts(10).len(), 10);
        // The mean number of 500 rows drawn evenly has a standard error of n / sqrt(12 * 500) = 258.
        let mean = found.rows.iter().map(|row| row.row as f64).sum::<f64>() / 500.0;
        assert!((mean - n as f64 / 2.0).abs() < 1000.0, "{mean}");
        assert!(found.rows.windows(2).all(|pair| pair[0].row < pair[1].row));
        // Another seed draws other rows.
        let other = sketched(n, 500, 4).1;
        let shared = other.rows.iter().filter(|row| found.rows.iter().any(|own| own.row == row.row)).count();
        assert!(shared < 60, "{shared}");
    }
}
