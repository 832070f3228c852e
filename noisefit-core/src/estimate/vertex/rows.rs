//! Rows of a quantile problem in memory, in shifted and scaled columns.

use serde::{Deserialize, Serialize};

use crate::algebra::Coordinates;
use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::DoubleDouble;

/// Rows column by column, the response beside them, both words of each number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Rows {
    /// The number of coefficients, the intercept's column of ones included.
    pub(super) order: usize,
    /// `columns[j]` holds the high words of column `j`; the first is the intercept's, where there is one.
    pub(super) columns: Vec<Vec<f64>>,
    /// What the high words leave out.
    columns_low: Vec<Vec<f64>>,
    pub(super) response: Vec<f64>,
    response_low: Vec<f64>,
    /// `v = f sqrt(w)`: what the row's loss counts.
    pub(super) multipliers: Vec<f64>,
}

impl Rows {
    /// No rows of `order` coefficients.
    pub(super) fn new(order: usize) -> Self {
        Rows { order, columns: vec![Vec::new(); order], columns_low: vec![Vec::new(); order], ..Rows::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.response.len()
    }

    /// Rows whose design columns and response (the last) are `words(j)`, taken into `coordinates`, without low words.
    pub(super) fn in_doubles<'a>(
        coordinates: &Coordinates,
        words: impl Fn(usize) -> &'a [f64],
        multipliers: &[f64],
    ) -> Self {
        let mut rows = Rows::new(coordinates.coefficients());
        let coordinate = |j: usize| {
            let (shift, scale) = (coordinates.shift(j), coordinates.scale(j));
            words(j).iter().map(|x| (x - shift) * scale).collect::<Vec<f64>>()
        };
        let response = coordinates.columns() - 1;
        if coordinates.intercept() {
            rows.columns[0] = vec![1.0; multipliers.len()];
        }
        for j in 0..response {
            rows.columns[j + coordinates.offset()] = coordinate(j);
        }
        rows.response = coordinate(response);
        rows.multipliers = multipliers.to_vec();
        rows
    }

    /// Appends rows, the words of whose design columns and response (the last) in `coordinates` are what `extend` appends.
    pub(super) fn extend(
        &mut self,
        coordinates: &Coordinates,
        extend: impl Fn(usize, [&mut Vec<f64>; 2]),
        multipliers: &[f64],
    ) {
        let response = coordinates.columns() - 1;
        if coordinates.intercept() {
            let count = self.len() + multipliers.len();
            self.columns[0].resize(count, 1.0);
            self.columns_low[0].resize(count, 0.0);
        }
        for j in 0..=response {
            let (high, low) = match j == response {
                true => (&mut self.response, &mut self.response_low),
                false => {
                    let place = j + coordinates.offset();
                    (&mut self.columns[place], &mut self.columns_low[place])
                }
            };
            extend(j, [high, low]);
        }
        self.multipliers.extend_from_slice(multipliers);
    }

    /// Appends a row of numbers that are in coordinates already.
    pub(super) fn push_coordinates(&mut self, row: &[DoubleDouble], response: DoubleDouble, multiplier: f64) {
        let count = self.len();
        for (j, z) in row.iter().enumerate() {
            self.columns[j].push(z.high);
            self.columns_low[j].resize(count, 0.0);
            self.columns_low[j].push(z.low);
        }
        self.response.push(response.high);
        self.response_low.resize(count, 0.0);
        self.response_low.push(response.low);
        self.multipliers.push(multiplier);
    }

    /// Appends rows that follow these.
    pub(super) fn append(&mut self, later: Rows) {
        for (mine, theirs) in self.words_mut().zip(later.words()) {
            mine.extend_from_slice(theirs);
        }
    }

    fn words(&self) -> impl Iterator<Item = &Vec<f64>> {
        let singles = [&self.response, &self.response_low, &self.multipliers];
        self.columns.iter().chain(&self.columns_low).chain(singles)
    }

    fn words_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        let singles = [&mut self.response, &mut self.response_low, &mut self.multipliers];
        self.columns.iter_mut().chain(&mut self.columns_low).chain(singles)
    }

    /// Some of the rows, in the order of `places`.
    pub(super) fn subset(&self, places: &[usize]) -> Rows {
        let pick = |values: &[f64]| places.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        Rows {
            order: self.order,
            columns: self.columns.iter().map(|column| pick(column)).collect(),
            columns_low: self.columns_low.iter().map(|column| pick(column)).collect(),
            response: pick(&self.response),
            response_low: pick(&self.response_low),
            multipliers: pick(&self.multipliers),
        }
    }

    /// The same without the low words, for work in doubles.
    pub(super) fn subset_in_doubles(&self, places: &[usize]) -> Rows {
        let pick = |values: &[f64]| places.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        Rows {
            order: self.order,
            columns: self.columns.iter().map(|column| pick(column)).collect(),
            columns_low: vec![Vec::new(); self.order],
            response: pick(&self.response),
            response_low: Vec::new(),
            multipliers: pick(&self.multipliers),
        }
    }

    /// Element `j` of row `i`, both words.
    pub(super) fn at(&self, i: usize, j: usize) -> DoubleDouble {
        DoubleDouble { high: self.columns[j][i], low: self.columns_low[j].get(i).copied().unwrap_or(0.0) }
    }

    /// The response of row `i`, both words.
    pub(super) fn response_at(&self, i: usize) -> DoubleDouble {
        DoubleDouble { high: self.response[i], low: self.response_low.get(i).copied().unwrap_or(0.0) }
    }

    /// `y - x'b` of every row, in doubles.
    pub(super) fn residuals(&self, coefficients: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.extend_from_slice(&self.response);
        subtract_products(&self.columns, coefficients, out);
    }

    /// `x'd` of every row, in doubles.
    pub(super) fn products(&self, direction: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(self.len(), 0.0);
        subtract_products(&self.columns, direction, out);
        vectorised(|| out.iter_mut().for_each(|value| *value = -*value));
    }

    /// `y - x'b` of row `i`, and the size of its largest part, by which its rounding error is measured.
    pub(super) fn exact_residual(&self, i: usize, coefficients: &[DoubleDouble]) -> (DoubleDouble, f64) {
        let mut residual = self.response_at(i);
        let mut size = residual.high.abs();
        for (j, &b) in coefficients.iter().enumerate() {
            let part = self.at(i, j) * b;
            size = size.max(part.high.abs());
            residual -= part;
        }
        (residual, size)
    }

    /// The length of each row in units of the mean one: about in proportion to the standard error of its fitted value.
    pub(super) fn lengths(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.len()];
        for column in &self.columns {
            squares.iter_mut().zip(column).for_each(|(sum, x)| *sum += x * x);
        }
        squares.into_iter().map(|sum| length(sum, self.order)).collect()
    }

    /// The sum of `factor_i x_i`.
    pub(super) fn combination(&self, factors: &[f64]) -> Vec<f64> {
        self.columns.iter().map(|column| dot(column, factors)).collect()
    }
}

/// Rows that fit the first-level cache beside the sums.
const STRIP: usize = 1024;

fn subtract_products(columns: &[Vec<f64>], coefficients: &[f64], out: &mut [f64]) {
    vectorised(
        #[inline(always)]
        || {
            for start in (0..out.len()).step_by(STRIP) {
                let end = (start + STRIP).min(out.len());
                let strip = &mut out[start..end];
                for (column, &b) in columns.iter().zip(coefficients) {
                    let column = &column[start..end];
                    for i in 0..strip.len() {
                        strip[i] -= b * column[i];
                    }
                }
            }
        },
    );
}

/// The sum of products, in lanes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let mut lanes = [0.0; 16];
            let (a_chunks, a_rest) = a.as_chunks::<16>();
            let (b_chunks, b_rest) = b.as_chunks::<16>();
            for (x, y) in a_chunks.iter().zip(b_chunks) {
                for k in 0..16 {
                    lanes[k] += x[k] * y[k];
                }
            }
            let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
            lanes.iter().sum::<f64>() + rest
        },
    )
}

/// The length of a row of `order` coordinates, from the sum of their squares; not less than half of the mean one.
#[inline(always)]
fn length(squares: f64, order: usize) -> f64 {
    (squares / order as f64).max(0.25).sqrt()
}

/// [`Rows::lengths`] of columns that stand `stride` values apart.
pub(super) fn row_lengths(columns: &[f64], stride: usize, out: &mut [f64]) {
    let order = columns.len() / stride;
    vectorised(
        #[inline(always)]
        || {
            out.fill(0.0);
            for j in 0..order {
                let column = &columns[j * stride..j * stride + out.len()];
                for i in 0..out.len() {
                    out[i] += column[i] * column[i];
                }
            }
            for i in 0..out.len() {
                out[i] = length(out[i], order);
            }
        },
    );
}
