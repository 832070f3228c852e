//! A random sample of the rows, gathered beside another pass.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::rows::{Accumulator, Block, Design, Layout, Matrix, MemoryRows, RowBlock, Values, scattered};

/// Keeps the rows whose random priority lies below a bar; the bar is lowered when there are too many.
///
/// A row's priority is a hash of its place in its work unit and of the unit's first row, so that a sample is the same
/// for any number of threads, and two samples merge into that of all their rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Rows kept at most, once finished.
    limit: usize,
    bar: u64,
    unit: Option<u64>,
    rows: u64,
    design: usize,
    scale_design: usize,
    /// One record a row: design, scale design, response, weight, frequency.
    values: Vec<f64>,
    priorities: Vec<u64>,
    /// The first grouping of each row; empty without one.
    clusters: Vec<u64>,
}

impl Sample {
    /// The empty state for rows of `layout`: about `limit` of the expected rows, never more than twice as many.
    pub(crate) fn new(layout: &Layout, limit: usize, expected_rows: Option<u64>) -> Self {
        let share = expected_rows.map_or(1.0, |rows| 1.25 * limit as f64 / rows.max(1) as f64);
        Sample {
            limit,
            // The product saturates.
            bar: (share * u64::MAX as f64) as u64,
            unit: None,
            rows: 0,
            design: layout.terms.len(),
            scale_design: layout.scale.as_ref().map_or(0, |scale| scale.terms.len()),
            values: Vec::new(),
            priorities: Vec::new(),
            clusters: Vec::new(),
        }
    }

    /// A sample that keeps nothing.
    pub(crate) fn none() -> Self {
        Sample::new(&Layout::default(), 0, Some(u64::MAX))
    }

    fn width(&self) -> usize {
        self.design + self.scale_design + 3
    }

    /// The place of the next row that is kept among `count` new ones from `start`, and its priority.
    fn next(&self, unit: u64, start: usize, count: usize) -> Option<(usize, u64)> {
        let priority = |i: usize| scattered(unit, self.rows + i as u64);
        (start..count).map(|i| (i, priority(i))).find(|(_, priority)| *priority <= self.bar)
    }

    fn unit(&mut self, first: &[f64]) -> u64 {
        *self.unit.get_or_insert_with(|| first.iter().fold(0, |hash, value| scattered(hash, value.to_bits())))
    }

    /// Lowers the bar where more than `most` rows are kept.
    fn thin(&mut self, most: usize) {
        if self.priorities.len() <= most {
            return;
        }
        let mut sorted = self.priorities.clone();
        let (_, bar, _) = sorted.select_nth_unstable(self.limit.saturating_sub(1));
        self.bar = *bar;
        self.lower();
    }

    /// Keeps the rows up to the bar alone.
    fn lower(&mut self) {
        let (width, mut kept) = (self.width(), 0);
        for i in 0..self.priorities.len() {
            if self.priorities[i] <= self.bar {
                self.priorities[kept] = self.priorities[i];
                self.values.copy_within(i * width..(i + 1) * width, kept * width);
                if !self.clusters.is_empty() {
                    self.clusters[kept] = self.clusters[i];
                }
                kept += 1;
            }
        }
        self.priorities.truncate(kept);
        self.values.truncate(kept * width);
        self.clusters.truncate(kept);
    }

    /// The rows kept.
    pub(crate) fn finish(mut self, layout: &Layout) -> SampledRows {
        self.thin(self.limit.max(1));
        let (count, width, p) = (self.priorities.len(), self.width(), self.design);
        let column = |j: usize| (0..count).map(move |i| i * width + j).map(|place| self.values[place]);
        let columns = |range: std::ops::Range<usize>| range.flat_map(column).collect::<Vec<f64>>();
        // Weights and frequencies that are all one are none.
        let given = |j: usize| Some(columns(j..j + 1)).filter(|values| values.iter().any(|&value| value != 1.0));
        let place = p + self.scale_design;
        SampledRows {
            layout: layout.clone(),
            design: columns(0..p),
            scale_design: columns(p..place),
            response: columns(place..place + 1),
            weights: given(place + 1),
            frequencies: given(place + 2),
            clusters: Some(self.clusters.clone()).filter(|clusters| !clusters.is_empty()),
        }
    }
}

impl Accumulator for Sample {
    const KIND: &'static str = "sample";

    fn fold(&mut self, block: &Block<'_>) {
        let count = block.rows();
        if self.limit > 0 && count > 0 {
            let columns: Vec<Values<'_>> =
                [block.design, block.scale_design].into_iter().flat_map(Design::dense_columns).copied().collect();
            let first: Vec<f64> = columns.iter().chain([&block.response]).map(|column| column.high[0]).collect();
            let (unit, mut start) = (self.unit(&first), 0);
            while let Some((i, priority)) = self.next(unit, start, count) {
                self.priorities.push(priority);
                self.values.extend(columns.iter().chain([&block.response]).map(|column| column.high[i]));
                self.values.push(block.weight(i));
                self.values.push(block.frequency(i));
                self.clusters.extend(block.clusters.first().map(|clusters| clusters[i]));
                start = i + 1;
            }
            self.thin(2 * self.limit);
        }
        self.rows += count as u64;
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        let count = rows.rows();
        if self.limit > 0 && count > 0 {
            let row =
                |i: usize| rows.values[i * rows.columns..(i + 1) * rows.columns].iter().chain([&rows.response[i]]);
            let first: Vec<f64> = row(0).copied().collect();
            let (unit, mut start) = (self.unit(&first), 0);
            while let Some((i, priority)) = self.next(unit, start, count) {
                self.priorities.push(priority);
                self.values.extend(row(i).chain(&[1.0, 1.0]));
                start = i + 1;
            }
            self.thin(2 * self.limit);
        }
        self.rows += count as u64;
        true
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.bar = self.bar.min(later.bar);
        self.values.extend(later.values);
        self.priorities.extend(later.priorities);
        self.clusters.extend(later.clusters);
        self.unit = self.unit.or(later.unit);
        self.lower();
        self.thin(2 * self.limit);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The middle value, the upper of two; zero of none.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    match values.is_empty() {
        true => 0.0,
        false => *values.select_nth_unstable_by(middle, f64::total_cmp).1,
    }
}

/// Rows in memory of their own.
#[derive(Debug, Clone)]
pub(crate) struct SampledRows {
    layout: Layout,
    design: Vec<f64>,
    scale_design: Vec<f64>,
    response: Vec<f64>,
    weights: Option<Vec<f64>>,
    frequencies: Option<Vec<f64>>,
    clusters: Option<Vec<u64>>,
}

impl SampledRows {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.response.len()
    }

    /// Design column `j`.
    pub(crate) fn column(&self, j: usize) -> &[f64] {
        &self.design[j * self.len()..(j + 1) * self.len()]
    }

    /// The responses.
    pub(crate) fn response(&self) -> &[f64] {
        &self.response
    }

    /// The same rows with only some design columns.
    pub(crate) fn narrowed(mut self, columns: &[usize]) -> Self {
        let count = self.len();
        if columns.len() < self.layout.terms.len() {
            self.design = columns.iter().flat_map(|&j| self.design[j * count..(j + 1) * count].to_vec()).collect();
            self.layout.terms = columns.iter().map(|&j| self.layout.terms[j].clone()).collect();
        }
        self
    }

    /// The half of the rows whose design is most central: by the largest distance of a column from its median, in median
    /// distances. Columns of which more than half are the same have no such unit and do not count.
    pub(crate) fn central_half(&self) -> Self {
        let (count, mut distances) = (self.len(), vec![0.0f64; self.len()]);
        for column in self.design.chunks_exact(count.max(1)) {
            let middle = median(column.to_vec());
            let unit = median(column.iter().map(|x| (x - middle).abs()).collect());
            if unit > 0.0 {
                distances.iter_mut().zip(column).for_each(|(d, x)| *d = d.max((x - middle).abs() / unit));
            }
        }
        let bar = median(distances.clone());
        self.at(|i| distances[i] <= bar)
    }

    /// Those of the rows whose places are wanted.
    pub(crate) fn at(&self, wanted: impl Fn(usize) -> bool) -> Self {
        self.picked(&(0..self.len()).filter(|&i| wanted(i)).collect::<Vec<_>>())
    }

    /// The rows at these places, in their order, each as often as it is named.
    pub(crate) fn picked(&self, places: &[usize]) -> Self {
        let count = self.len().max(1);
        let chosen = |values: &Vec<f64>| -> Vec<f64> {
            values.chunks_exact(count).flat_map(|column| places.iter().map(|&i| column[i])).collect()
        };
        SampledRows {
            layout: self.layout.clone(),
            design: chosen(&self.design),
            scale_design: chosen(&self.scale_design),
            response: chosen(&self.response),
            weights: self.weights.as_ref().map(chosen),
            frequencies: self.frequencies.as_ref().map(chosen),
            clusters: self.clusters.as_ref().map(|clusters| places.iter().map(|&i| clusters[i]).collect()),
        }
    }

    /// The same rows with other responses.
    pub(crate) fn with_response(self, response: Vec<f64>) -> Self {
        SampledRows { response, ..self }
    }

    /// The same rows with other frequencies, or without.
    pub(crate) fn with_frequencies(self, frequencies: Option<Vec<f64>>) -> Self {
        SampledRows { frequencies, ..self }
    }

    /// How many identical rows each stands for, where that is not one.
    pub(crate) fn frequencies(&self) -> Option<&[f64]> {
        self.frequencies.as_deref()
    }

    /// Which rows belong together, by the first grouping.
    pub(crate) fn clusters(&self) -> Option<&[u64]> {
        self.clusters.as_deref()
    }

    /// A column of the scale's design.
    pub(crate) fn scale_column(&self, j: usize) -> &[f64] {
        &self.scale_design[j * self.len()..(j + 1) * self.len()]
    }

    /// Shows `next` all rows as one block.
    pub(crate) fn show<T>(&self, next: impl FnOnce(&Block<'_>) -> T) -> T {
        let count = self.len().max(1);
        let design: Vec<Values<'_>> = self.design.chunks_exact(count).map(Values::from).collect();
        let scale_design: Vec<Values<'_>> = self.scale_design.chunks_exact(count).map(Values::from).collect();
        next(&Block {
            response: self.response[..].into(),
            design: (&design).into(),
            scale_design: (&scale_design).into(),
            weights: self.weights.as_deref(),
            frequencies: self.frequencies.as_deref(),
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        })
    }

    /// The rows as a source.
    ///
    /// # Errors
    /// Those of [`MemoryRows`], which rows that came out of a source do not cause.
    pub(crate) fn source(&self) -> Result<MemoryRows<'_>, Error> {
        let (count, p) = (self.len(), self.layout.terms.len());
        let design = Matrix::column_major(&self.design, count, p)?;
        let mut rows = MemoryRows::new(&self.response, design)?.named(&self.layout.response, &self.layout.terms)?;
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights)?;
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies)?;
        }
        if let Some(scale) = &self.layout.scale {
            let design = Matrix::column_major(&self.scale_design, count, scale.terms.len())?;
            rows = rows.with_scale_design(design, &scale.terms)?;
        }
        Ok(rows.with_intercepts(&self.layout))
    }
}
