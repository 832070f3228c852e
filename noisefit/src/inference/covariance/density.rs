//! One pass: products of the rows, each weighted by how dense its noise is at the quantile.

use pulp::Arch;

use crate::Error;
use crate::dispatch::vectorised;
use crate::linear::gram::{Columns, TILE_ROWS, add_products, packed, packed_length};
use crate::linear::predictor::LinearPredictor;
use crate::linear::{Coordinates, Leverage};
use crate::rows::{Accumulator, Block, StateReader, StateWriter, hash_parameters};
use crate::special::elementary::exp;

/// How dense the noise of a row, times the root of its weight, is at the quantile.
#[derive(Debug, Clone)]
pub(super) enum Density {
    /// `2 h / (sqrt(w) x'd)`, where `d` are the coefficients at `tau + h` less those at `tau - h`, in the leverage's
    /// coordinates; zero where the upper quantile does not lie above the lower.
    Difference {
        /// `h`.
        bandwidth: f64,
        /// `d`.
        coefficients: Vec<f64>,
    },
    /// `phi(sqrt(w) e / h) / h`.
    Kernel {
        /// `h`.
        bandwidth: f64,
        /// What leaves `e`.
        location: LinearPredictor,
    },
}

/// `sum f w density u u'` for each density, over the whitened rows `u = L'z` of a least squares fit, where
/// `sum f w u u' = I`.
#[derive(Debug, Clone)]
pub(super) struct DensityProducts {
    columns: Vec<usize>,
    coordinates: Coordinates,
    /// The packed lower triangle of `L`.
    factor: Vec<f64>,
    sums: Vec<Weighted>,
    rows: u64,
    scratch: Scratch,
}

/// What one density gives.
#[derive(Debug, Clone)]
pub(super) struct Weighted {
    density: Density,
    /// The packed lower triangle of the products.
    pub(super) products: Vec<f64>,
    /// Observations at which the upper quantile does not lie above the lower.
    pub(super) not_positive: f64,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    whitened: Columns,
    times: Columns,
    lanes: Vec<f64>,
}

/// One number for each row of a tile.
type Tile = [f64; TILE_ROWS];

impl DensityProducts {
    /// The empty state for the rows of a fit with this leverage.
    pub(super) fn new(leverage: &Leverage, densities: Vec<Density>) -> Self {
        let coordinates = leverage.coordinates();
        let products = vec![0.0; packed_length(coordinates.coefficients())];
        let weighted = |density| Weighted { density, products: products.clone(), not_positive: 0.0 };
        DensityProducts {
            columns: leverage.columns().to_vec(),
            coordinates,
            factor: leverage.factor().to_vec(),
            sums: densities.into_iter().map(weighted).collect(),
            rows: 0,
            scratch: Scratch::default(),
        }
    }

    /// One for each density.
    pub(super) fn finish(self) -> Vec<Weighted> {
        self.sums
    }

    /// The columns of a tile in coordinates, one after the other, `TILE_ROWS` apart.
    fn fill(&self, block: &Block<'_>, rows: std::ops::Range<usize>, tile: &mut [f64]) {
        let (offset, count) = (self.coordinates.offset(), rows.len());
        for (column, out) in tile.chunks_exact_mut(TILE_ROWS).enumerate() {
            out[count..].fill(0.0);
            let Some(j) = column.checked_sub(offset) else {
                out[..count].fill(1.0);
                continue;
            };
            let (shift, scale) = (self.coordinates.shift(j), self.coordinates.scale(j));
            let values = &block.design[self.columns[j]].high[rows.clone()];
            vectorised(
                #[inline(always)]
                || {
                    for i in 0..values.len() {
                        out[i] = (values[i] - shift) * scale;
                    }
                },
            );
        }
    }
}

/// `out += factor * values`.
fn add_multiple(factor: f64, values: &[f64], out: &mut [f64]) {
    vectorised(
        #[inline(always)]
        || {
            for i in 0..TILE_ROWS {
                out[i] += factor * values[i];
            }
        },
    );
}

impl Density {
    /// `f w density` of the rows of a tile, and how many observations have no positive one.
    fn factors(&self, (f, roots): (&Tile, &Tile), tile: &[f64], residuals: &[f64]) -> (Tile, f64) {
        let (mut factors, mut not_positive) = ([0.0; TILE_ROWS], 0.0);
        match self {
            Density::Difference { bandwidth, coefficients } => {
                let mut differences = [0.0; TILE_ROWS];
                for (&d, column) in coefficients.iter().zip(tile.chunks_exact(TILE_ROWS)) {
                    add_multiple(d, column, &mut differences);
                }
                for i in 0..TILE_ROWS {
                    let positive = differences[i] > 0.0;
                    factors[i] = if positive { f[i] * roots[i] * (2.0 * bandwidth / differences[i]) } else { 0.0 };
                    not_positive += if positive { 0.0 } else { f[i] };
                }
            }
            Density::Kernel { bandwidth, .. } => {
                let height = 1.0 / (bandwidth * (2.0 * std::f64::consts::PI).sqrt());
                for (i, e) in residuals.iter().enumerate() {
                    let r = roots[i] * e / bandwidth;
                    factors[i] = f[i] * roots[i] * roots[i] * height * exp(-0.5 * r * r);
                }
            }
        }
        (factors, not_positive)
    }
}

impl Accumulator for DensityProducts {
    const KIND: &'static str = "density-products";

    fn fold(&mut self, block: &Block<'_>) {
        let (count, order) = (block.rows(), self.coordinates.coefficients());
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut tile = vec![0.0; order * TILE_ROWS];
        let all_residuals: Vec<Vec<f64>> = self
            .sums
            .iter()
            .map(|weighted| match &weighted.density {
                Density::Kernel { location, .. } => location.residuals(block),
                Density::Difference { .. } => Vec::new(),
            })
            .collect();
        let Scratch { whitened, times, lanes } = &mut scratch;
        for start in (0..count).step_by(TILE_ROWS) {
            let rows = start..(start + TILE_ROWS).min(count);
            self.fill(block, rows.clone(), &mut tile);
            let (mut f, mut roots): (Tile, Tile) = ([0.0; TILE_ROWS], [1.0; TILE_ROWS]);
            for (i, row) in rows.clone().enumerate() {
                f[i] = block.frequencies.map_or(1.0, |f| f[row]);
                roots[i] = block.weights.map_or(1.0, |w| w[row].sqrt());
            }
            whitened.resize(order, TILE_ROWS);
            for k in 0..order {
                let out = whitened.tile_mut(0, k);
                out.fill(0.0);
                for (j, column) in tile.chunks_exact(TILE_ROWS).enumerate().skip(k) {
                    add_multiple(self.factor[packed(j, k)], column, out);
                }
            }
            for (weighted, residuals) in self.sums.iter_mut().zip(&all_residuals) {
                let residuals = residuals.get(rows.clone()).unwrap_or_default();
                let (factors, not_positive) = weighted.density.factors((&f, &roots), &tile, residuals);
                weighted.not_positive += not_positive;
                times.resize(order, TILE_ROWS);
                for k in 0..order {
                    let (out, column) = (times.tile_mut(0, k), &*whitened.tile_mut(0, k));
                    for i in 0..TILE_ROWS {
                        out[i] = factors[i] * column[i];
                    }
                }
                add_products(Arch::new(), times, whitened, order, lanes, &mut weighted.products);
            }
        }
        self.rows += count as u64;
        self.scratch = scratch;
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        for (mine, theirs) in self.sums.iter_mut().zip(later.sums) {
            mine.products.iter_mut().zip(theirs.products).for_each(|(mine, theirs)| *mine += theirs);
            mine.not_positive += theirs.not_positive;
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn parameters(&self) -> u64 {
        let numbers = |weighted: &Weighted| -> Vec<f64> {
            match &weighted.density {
                Density::Difference { bandwidth, coefficients } => [&[*bandwidth][..], coefficients].concat(),
                Density::Kernel { bandwidth, location } => [*bandwidth].into_iter().chain(location.numbers()).collect(),
            }
        };
        let columns = self.columns.iter().map(|&j| j as f64);
        let own = self.sums.iter().flat_map(numbers).chain(columns).chain(self.factor.iter().copied());
        hash_parameters([self.coordinates.hash(own) as f64])
    }

    fn size_in_bytes(&self) -> usize {
        self.sums.iter().map(|weighted| size_of_val(&weighted.products[..])).sum()
    }

    fn write(&self, writer: &mut StateWriter) {
        writer.integer(self.rows);
        for weighted in &self.sums {
            writer.numbers(&weighted.products);
            writer.numbers(&[weighted.not_positive]);
        }
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.rows = reader.integer()?;
        for weighted in &mut self.sums {
            reader.numbers(&mut weighted.products)?;
            let mut counted = [0.0];
            reader.numbers(&mut counted)?;
            [weighted.not_positive] = counted;
        }
        Ok(())
    }
}
