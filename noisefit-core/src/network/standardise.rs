//! Rows as networks read them: singles of mean zero and deviation one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::products::extend_single;
use crate::algebra::spread::{ColumnSpread, Spread};
use crate::network::{Embedding, TrainingRows};
use crate::rows::{Accumulator, Block, Design, Kinds, RowSource, RowSourceExt};

/// What is subtracted from a column, and what it is then divided by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Centre {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation (divisor n); of an input that does not vary 0, and it is left out.
    pub deviation: f64,
}

impl Centre {
    /// What a distance from the mean is multiplied by: zero for an input that does not vary, whose weights nothing was learned
    /// about.
    pub fn per_deviation(&self) -> f64 {
        if self.deviation > 0.0 { 1.0 / self.deviation } else { 0.0 }
    }
}

/// What makes standardised inputs of a design, and a standardised response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardisation {
    /// Of the inputs, in their order; those that are embedded stay as they are.
    pub inputs: Vec<Centre>,
    /// Of the response.
    pub response: Centre,
}

impl Standardisation {
    /// The standardisation by the rows of a source, with the number of its rows, and how far the value of each input and of the response lies
    /// from its mean that is the farthest, in deviations; one pass.
    ///
    /// # Errors
    /// [`Error::NoRows`]; [`Error::Range`] for a column whose squares are no doubles; what the source reports.
    pub fn of(source: &dyn RowSource, embeddings: &[Embedding]) -> Result<(Self, u64, Vec<f64>), Error> {
        let columns = source.layout().terms.len() + 1;
        let moments = source.pass(Spread::new(columns))?;
        if moments.rows == 0 {
            return Err(Error::NoRows);
        }
        let centre = |(j, column): (usize, &ColumnSpread)| {
            let mean = column.origin + column.sum / moments.weight;
            let variance = (column.squares - column.sum * (column.sum / moments.weight)) / moments.weight;
            if !(mean.is_finite() && variance.is_finite()) {
                let name = source.layout().terms.get(j).unwrap_or(&source.layout().response);
                return Err(Error::Range { what: name.clone(), size: column.origin.abs().max(variance.sqrt()) });
            }
            // Less than what rounding leaves of a constant is none.
            let deviation = variance.max(0.0).sqrt();
            let [low, high] = column.ends;
            if low < high && high - low < LEAST_RANGE {
                let name = source.layout().terms.get(j).unwrap_or(&source.layout().response);
                return Err(Error::Range { what: name.clone(), size: high - low });
            }
            let varies = deviation > 1e-12 * mean.abs() && low < high;
            let is_embedded = embeddings.iter().any(|embedding| embedding.inputs.contains(&j));
            match is_embedded && j + 1 < columns {
                true => Ok(Centre { mean: 0.0, deviation: 1.0 }),
                false if varies => Ok(Centre { mean, deviation }),
                // A constant response is predicted as it is.
                false => Ok(Centre { mean, deviation: if j + 1 < columns { 0.0 } else { 1.0 } }),
            }
        };
        let mut inputs = moments.columns.iter().enumerate().map(centre).collect::<Result<Vec<_>, _>>()?;
        let farthest = |(centre, column): (&Centre, &ColumnSpread)| {
            let [low, high] = column.ends.map(|end| (end - centre.mean).abs() * centre.per_deviation());
            // Of two values one may be as rare as it likes.
            if column.has_others { low.max(high) } else { 0.0 }
        };
        let farthest = inputs.iter().zip(&moments.columns).map(farthest).collect();
        let response = inputs.pop().ok_or(Error::NoRows)?;
        Ok((Standardisation { inputs, response }, moments.rows, farthest))
    }

    /// The rows of a source in memory; one pass.
    ///
    /// # Errors
    /// What the source reports.
    pub fn gather(&self, source: &dyn RowSource) -> Result<TrainingRows, Error> {
        Ok(source.pass(Gather::new(self))?.rows)
    }

    /// Rows of a design as inputs, appended one after the other.
    pub fn extend_inputs<'a>(&self, design: impl Into<Design<'a>>, rows: usize, inputs: &mut Vec<f32>) {
        let moves: Vec<[f64; 2]> = self.inputs.iter().map(|centre| [centre.mean, centre.per_deviation()]).collect();
        extend_single(design.into(), &moves, rows, inputs);
    }

    /// Appends the rows of a block.
    pub(crate) fn extend(&self, block: &Block<'_>, rows: &mut TrainingRows) {
        self.extend_inputs(block.design, block.rows(), &mut rows.design);
        let Centre { mean, deviation } = self.response;
        let response = |i: usize| (((block.response.high[i] - mean) + block.response.low(i)) / deviation) as f32;
        rows.response.extend((0..block.rows()).map(response));
        for (mine, theirs) in [(&mut rows.weights, block.weights), (&mut rows.frequencies, block.frequencies)] {
            if let Some(theirs) = theirs {
                mine.get_or_insert_default().extend(theirs.iter().map(|value| *value as f32));
            }
        }
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.inputs.iter().chain([&self.response]).flat_map(|centre| [centre.mean, centre.deviation])
    }
}

/// Columns that vary by less have squares that are no doubles.
const LEAST_RANGE: f64 = 1e-150;

/// Rows of a source, standardised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Gather {
    by: Arc<Standardisation>,
    pub(crate) rows: TrainingRows,
}

impl Gather {
    pub(crate) fn new(by: &Standardisation) -> Self {
        let rows = TrainingRows { inputs: by.inputs.len(), ..TrainingRows::default() };
        Gather { by: Arc::new(by.clone()), rows }
    }
}

impl Accumulator for Gather {
    const KIND: &'static str = "training-rows";

    fn fold(&mut self, block: &Block<'_>) {
        self.by.extend(block, &mut self.rows);
    }

    fn merge(&mut self, later: Self) {
        self.rows.append(later.rows);
    }

    fn rows(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// The passes of this module.
pub(crate) fn kinds() -> Kinds {
    Kinds::default().with::<Gather>()
}
