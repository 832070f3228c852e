//! Rows that are already in memory.

use std::borrow::Cow;

use crate::Error;
use crate::numeric::dispatch::vectorised;
use crate::numeric::sum::Sum;
use crate::rows::{
    BLOCK_ROWS, Block, EffectLayout, Layout, Next, Pass, Precision, RowBlock, RowSource, ScaleLayout, Values, in_order,
    perturbation, rows_of_block,
};

/// Rows of one work unit: enough that starting a unit costs nothing beside folding it.
const UNIT_ROWS: usize = 16 * BLOCK_ROWS;

/// Values that fit the first-level cache beside the lines they are written to.
const NEAR_VALUES: usize = 2048;

/// A matrix in somebody else's memory, stored by rows or by columns.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f64],
    rows: usize,
    columns: usize,
    by_row: bool,
}

impl<'a> Matrix<'a> {
    /// `values[i * columns + j]` is row `i`, column `j` (C order, as in NumPy).
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not `rows * columns` values.
    pub fn row_major(values: &'a [f64], rows: usize, columns: usize) -> Result<Self, Error> {
        Self::new(values, rows, columns, true)
    }

    /// `values[j * rows + i]` is row `i`, column `j` (Fortran order, as in R).
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not `rows * columns` values.
    pub fn column_major(values: &'a [f64], rows: usize, columns: usize) -> Result<Self, Error> {
        Self::new(values, rows, columns, false)
    }

    fn new(values: &'a [f64], rows: usize, columns: usize, by_row: bool) -> Result<Self, Error> {
        let expected = rows.saturating_mul(columns);
        if values.len() != expected {
            return Err(Error::Shape { what: "design", expected, found: values.len() });
        }
        Ok(Matrix { values, rows, columns, by_row })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Copies rows `start..start + count` into `scratch`, column by column, columns `stride` values apart.
    fn transpose_rows(&self, start: usize, count: usize, scratch: &mut [f64], stride: usize) {
        // A plain copy draws the rows into the nearest cache at the speed of memory, which the transposition's own order
        // of reading would not.
        let near = (NEAR_VALUES / self.columns.max(1)).max(8) / 8 * 8;
        let mut rows = Vec::with_capacity(near * self.columns);
        for first in (0..count).step_by(near) {
            let part = near.min(count - first);
            let place = (start + first) * self.columns;
            rows.clear();
            rows.extend_from_slice(&self.values[place..place + part * self.columns]);
            vectorised(|| transpose(&rows, part, self.columns, &mut scratch[first..], stride));
        }
    }
}

/// Writes the `count x columns` values of `rows` into `scratch` by columns: squares of 4 by 4 in registers, two squares
/// after one another along a column, so that each line of the cache is written at once.
#[inline(always)]
fn transpose(rows: &[f64], count: usize, columns: usize, scratch: &mut [f64], stride: usize) {
    const SIDE: usize = 4;
    let (whole_rows, whole_columns) = (count / (2 * SIDE) * (2 * SIDE), columns / SIDE * SIDE);
    for first in (0..whole_rows).step_by(2 * SIDE) {
        for j in (0..whole_columns).step_by(SIDE) {
            for i in [first, first + SIDE] {
                let mut square = [[0.0; SIDE]; SIDE];
                for (r, row) in square.iter_mut().enumerate() {
                    let place = (i + r) * columns + j;
                    row.copy_from_slice(&rows[place..place + SIDE]);
                }
                for c in 0..SIDE {
                    let column = [square[0][c], square[1][c], square[2][c], square[3][c]];
                    let place = (j + c) * stride + i;
                    scratch[place..place + SIDE].copy_from_slice(&column);
                }
            }
        }
        for j in whole_columns..columns {
            for i in first..first + 2 * SIDE {
                scratch[j * stride + i] = rows[i * columns + j];
            }
        }
    }
    for i in whole_rows..count {
        for j in 0..columns {
            scratch[j * stride + i] = rows[i * columns + j];
        }
    }
}

/// A row source over slices: a response, a design matrix and optional weights.
///
/// ```
/// use noisefit_core::rows::{Matrix, MemoryRows, RowSource};
///
/// let design = Matrix::row_major(&[1.0, 2.0, 3.0], 3, 1)?;
/// let rows = MemoryRows::new(&[2.0, 4.1, 5.9], design)?.named("y", &["x"])?;
/// assert_eq!(rows.layout().coefficient_names(), ["(Intercept)", "x"]);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryRows<'a> {
    response: &'a [f64],
    design: Matrix<'a>,
    weights: Option<&'a [f64]>,
    frequencies: Option<Cow<'a, [f64]>>,
    scale_design: Option<Matrix<'a>>,
    clusters: Vec<&'a [u64]>,
    effects: Vec<&'a [u32]>,
    layout: Layout,
    threads: usize,
    block_rows: usize,
}

impl<'a> MemoryRows<'a> {
    /// Rows of `response` (length n) on the columns of `design` (n x p) and an intercept; terms are named `x1`, `x2`, ...
    ///
    /// # Errors
    /// [`Error::Shape`] if the two have different numbers of rows.
    pub fn new(response: &'a [f64], design: Matrix<'a>) -> Result<Self, Error> {
        if design.rows != response.len() {
            return Err(Error::Shape { what: "response", expected: design.rows, found: response.len() });
        }
        let terms = (1..=design.columns).map(|j| format!("x{j}")).collect();
        let layout = Layout { response: "y".to_owned(), terms, intercept: true, ..Layout::default() };
        Ok(MemoryRows {
            response,
            design,
            weights: None,
            frequencies: None,
            scale_design: None,
            clusters: Vec::new(),
            effects: Vec::new(),
            layout,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            // Blocks of about 512 KiB.
            block_rows: rows_of_block(design.columns, 64 * 1024),
        })
    }

    /// Leaves the intercept out.
    #[must_use]
    pub fn without_intercept(mut self) -> Self {
        self.layout.intercept = false;
        self
    }

    /// With intercepts where `layout` has them.
    #[must_use]
    pub(crate) fn with_intercepts(mut self, layout: &Layout) -> Self {
        self.layout.intercept = layout.intercept;
        if let (Some(scale), Some(other)) = (&mut self.layout.scale, &layout.scale) {
            scale.intercept = other.intercept;
        }
        self
    }

    /// Names the response and the columns.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not one name for each column.
    pub fn named(mut self, response: &str, terms: &[impl AsRef<str>]) -> Result<Self, Error> {
        if terms.len() != self.design.columns {
            return Err(Error::Shape { what: "terms", expected: self.design.columns, found: terms.len() });
        }
        self.layout.response = response.to_owned();
        self.layout.terms = terms.iter().map(|term| term.as_ref().to_owned()).collect();
        Ok(self)
    }

    /// Models the logarithm of the noise scale by an intercept and the columns of `design` (n x q), named `terms`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the numbers of rows or of names differ.
    pub fn with_scale_design(mut self, design: Matrix<'a>, terms: &[impl AsRef<str>]) -> Result<Self, Error> {
        if design.rows != self.response.len() {
            return Err(Error::Shape { what: "scale design", expected: self.response.len(), found: design.rows });
        }
        if terms.len() != design.columns {
            return Err(Error::Shape { what: "scale terms", expected: design.columns, found: terms.len() });
        }
        self.scale_design = Some(design);
        let terms = terms.iter().map(|term| term.as_ref().to_owned()).collect();
        self.layout.scale = Some(ScaleLayout { terms, intercept: true });
        Ok(self)
    }

    /// Which rows belong together, by a number for each (length n); called once for each way of grouping them.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn with_clusters(mut self, name: &str, ids: &'a [u64]) -> Result<Self, Error> {
        if ids.len() != self.response.len() {
            return Err(Error::Shape { what: "clusters", expected: self.response.len(), found: ids.len() });
        }
        self.clusters.push(ids);
        self.layout.clusters.push(name.to_owned());
        Ok(self)
    }

    /// A constant for each level of a category in the place of the intercept, by the level of every row (length n, each below
    /// `levels`); called once for each such category.
    ///
    /// ```
    /// use noisefit_core::inference::{Options, fit};
    /// use noisefit_core::noise::Noise;
    /// use noisefit_core::rows::{Matrix, MemoryRows};
    ///
    /// let (x, y, firm) = ([1.0, 2.0, 1.0, 3.0, 2.0], [3.0, 5.0, 12.0, 16.5, 14.0], [0, 0, 1, 1, 1]);
    /// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5, 1)?)?.with_effect("firm", 2, &firm)?;
    /// let fit = &fit(&rows, &[Noise::Gaussian], &Options::default())?[0];
    /// // Within the firms sum(xy) is 1 + 4.5 and sum(xx) is 0.5 + 2.
    /// assert!((fit.coef()[0].unwrap() - 2.2).abs() < 1e-14);
    /// assert_eq!((fit.rank(), fit.df_residual), (3, 2));
    /// # Ok::<(), noisefit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::Value`] for a level that is not below `levels`.
    pub fn with_effect(mut self, name: &str, levels: usize, of_rows: &'a [u32]) -> Result<Self, Error> {
        if of_rows.len() != self.response.len() {
            return Err(Error::Shape { what: "levels", expected: self.response.len(), found: of_rows.len() });
        }
        if let Some(row) = of_rows.iter().position(|&level| level as usize >= levels) {
            let (what, value) = (format!("levels of {name}"), f64::from(of_rows[row]));
            return Err(Error::Value { what, row: row as u64, value, expected: "a number below that of the levels" });
        }
        self.effects.push(of_rows);
        self.layout.effects.push(EffectLayout { name: name.to_owned(), levels });
        Ok(self.without_intercept())
    }

    /// Known relative precisions, length n, all positive: row `i` has noise of scale `s / sqrt(weights[i])`.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_weights(mut self, weights: &'a [f64]) -> Result<Self, Error> {
        self.weights = Some(self.positive("weights", weights)?);
        Ok(self)
    }

    /// How many identical rows each row stands for, length n, all positive.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_frequencies(mut self, frequencies: &'a [f64]) -> Result<Self, Error> {
        self.frequencies = Some(self.positive("frequencies", frequencies)?.into());
        self.layout.sampling = false;
        Ok(self)
    }

    /// Sampling weights in the place of frequencies, length n, all positive: one over the probability with which a row was drawn, in any
    /// unit. A fit then maximises the sum of the rows' log-likelihoods by them, and has standard errors of that,
    /// [`Sampling`](crate::inference::covariance::Sampling). Predictions, scores and Wald tests go with them; comparisons, profiles, diagnoses
    /// and conformal intervals take them for frequencies, and are not right of such rows.
    ///
    /// ```
    /// use noisefit_core::inference::{Options, fit};
    /// use noisefit_core::noise::Noise;
    /// use noisefit_core::rows::{Matrix, MemoryRows};
    ///
    /// let rows = MemoryRows::new(&[1.0, 2.0, 6.0], Matrix::row_major(&[], 3, 0)?)?.with_sampling_weights(&[20.0, 10.0, 10.0])?;
    /// let fit = &fit(&rows, &[Noise::Gaussian], &Options::default())?[0];
    /// // The weighted mean, of three rows.
    /// assert!((fit.coef()[0].unwrap() - 2.5).abs() < 1e-15);
    /// assert_eq!((fit.nobs, fit.covariance.kind.as_str()), (3, "sampling"));
    /// // n / (n - 1) sum(w^2 (y - mean)^2) / sum(w)^2
    /// let squares = 3.0 / 2.0 * (4.0 * 2.25 + 0.25 + 12.25) / 16.0;
    /// assert!((fit.vcov()[0][0] - squares).abs() < 1e-14);
    /// # Ok::<(), noisefit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_sampling_weights(mut self, weights: &'a [f64]) -> Result<Self, Error> {
        let mean =
            self.positive("sampling weights", weights)?.iter().copied().collect::<Sum>().value() / weights.len() as f64;
        self.frequencies = Some(weights.iter().map(|weight| weight / mean).collect());
        self.layout.sampling = true;
        Ok(self)
    }

    fn positive(&self, what: &'static str, values: &'a [f64]) -> Result<&'a [f64], Error> {
        if values.len() != self.response.len() {
            return Err(Error::Shape { what, expected: self.response.len(), found: values.len() });
        }
        match values.iter().position(|&v| !(v > 0.0 && v.is_finite())) {
            Some(row) => {
                let expected = "a positive finite number";
                Err(Error::Value { what: what.to_owned(), row: row as u64, value: values[row], expected })
            }
            None => Ok(values),
        }
    }

    /// Uses at most this many threads; the result does not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Rows `start..start + count` of a design as columns, through `scratch` where it is stored by rows.
    fn columns<'s>(
        design: &'s Matrix<'a>,
        start: usize,
        count: usize,
        scratch: &'s mut [f64],
        stride: usize,
    ) -> Vec<&'s [f64]> {
        if design.by_row {
            design.transpose_rows(start, count, scratch, stride);
        }
        let column = |j: usize| match design.by_row {
            true => &scratch[j * stride..j * stride + count],
            false => &design.values[j * design.rows + start..j * design.rows + start + count],
        };
        (0..design.columns).map(column).collect()
    }

    /// Folds the rows of a work unit into a state.
    fn fold_unit(&self, unit: usize, state: &mut dyn Pass) {
        let (n, p) = (self.response.len(), self.design.columns);
        let q = self.scale_design.map_or(0, |design| design.columns);
        let precision = state.precision();
        let end = ((unit + 1) * UNIT_ROWS).min(n);
        // Columns whose distance is no power of two do not compete for the same places in the cache.
        let stride = self.block_rows + 8;
        let mut transposed = vec![0.0; if self.design.by_row { stride * p } else { 0 }];
        let mut transposed_scale =
            vec![0.0; if self.scale_design.is_some_and(|design| design.by_row) { stride * q } else { 0 }];
        let mut moved =
            vec![0.0; if matches!(precision, Precision::Perturbed(_)) { self.block_rows * (p + q + 1) } else { 0 }];
        for start in (unit * UNIT_ROWS..end).step_by(self.block_rows) {
            let count = self.block_rows.min(end - start);
            let response = &self.response[start..start + count];
            if self.design.by_row {
                let values = &self.design.values[start * p..(start + count) * p];
                if self.weights.is_none()
                    && self.frequencies.is_none()
                    && self.scale_design.is_none()
                    && self.clusters.is_empty()
                    && self.effects.is_empty()
                    && state.fold_rows(&RowBlock { values, columns: p, response })
                {
                    continue;
                }
            }
            // The design, the scale's design, and last the response.
            let mut columns = Self::columns(&self.design, start, count, &mut transposed, stride);
            if let Some(design) = &self.scale_design {
                columns.extend(Self::columns(design, start, count, &mut transposed_scale, stride));
            }
            columns.push(response);
            if let Precision::Perturbed(draw) = precision {
                for (j, (moved, &values)) in moved.chunks_exact_mut(count).zip(&columns).enumerate() {
                    for (i, (moved, &value)) in moved.iter_mut().zip(values).enumerate() {
                        *moved = perturbation(value, draw, (start + i) as u64, j as u64);
                    }
                }
            }
            let values = |(j, &high)| Values { high, low: moved.get(j * count..(j + 1) * count) };
            let columns: Vec<_> = columns.iter().enumerate().map(values).collect();
            let clusters: Vec<&[u64]> = self.clusters.iter().map(|ids| &ids[start..start + count]).collect();
            let effects: Vec<&[u32]> = self.effects.iter().map(|levels| &levels[start..start + count]).collect();
            state.fold(&Block {
                response: columns[p + q],
                design: (&columns[..p]).into(),
                scale_design: (&columns[p..p + q]).into(),
                weights: self.weights.map(|w| &w[start..start + count]),
                frequencies: self.frequencies.as_ref().map(|f| &f[start..start + count]),
                log_jacobian: None,
                clusters: &clusters,
                effects: &effects,
                level_leverage: None,
            });
        }
    }
}

impl RowSource for MemoryRows<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        let work = |unit: usize| {
            let mut state = empty.clone_box();
            state.begin((unit * UNIT_ROWS) as u64);
            self.fold_unit(unit, &mut *state);
            state
        };
        in_order(0..self.response.len().div_ceil(UNIT_ROWS), self.threads, work, next);
        Ok(())
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn rows_hint(&self) -> Option<u64> {
        Some(self.response.len() as u64)
    }
}
