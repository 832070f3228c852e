//! What a network is shown of a row.

use noisefit_core::network::TrainingRows;

/// The pieces that the range of an input is cut into.
const PIECES: usize = 8;

/// Inputs and response as the training rows suggest to scale them.
///
/// An input enters standardised and, beside that, by its rank: of `PIECES` pieces that hold as many training rows each,
/// how far it is through each of them, from -1 to 1 (piecewise linear encoding: Gorishniy, Rubachev and Babenko 2022,
/// *NeurIPS* 35). The network so has a bend of its own in every piece, and skewed inputs need no transformation.
pub struct Encoding {
    columns: Vec<Column>,
    /// The mean and the standard deviation of the response.
    pub response: (f64, f64),
}

struct Column {
    mean: f64,
    deviation: f64,
    /// The different values, ascending, with the share of the rows below, half of those at the value included.
    shares: Vec<(f64, f64)>,
}

impl Encoding {
    /// That of some rows.
    pub fn new(inputs: &[Vec<f64>], response: &[f64], rows: &[usize]) -> Self {
        let width = inputs.first().map_or(0, Vec::len);
        let column = |j| Column::new(rows.iter().map(|&i| inputs[i][j]).collect());
        let response: Vec<f64> = rows.iter().map(|&i| response[i]).collect();
        Encoding { columns: (0..width).map(column).collect(), response: mean_and_deviation(&response) }
    }

    /// Rows as a network is shown them.
    pub fn rows(&self, inputs: &[Vec<f64>], response: &[f64], rows: &[usize]) -> TrainingRows {
        let (mean, deviation) = self.response;
        let mut design = Vec::new();
        for &i in rows {
            for (column, &value) in self.columns.iter().zip(&inputs[i]) {
                column.encode(value, &mut design);
            }
        }
        TrainingRows {
            inputs: self.columns.len() * (1 + PIECES),
            design,
            response: rows.iter().map(|&i| ((response[i] - mean) / deviation) as f32).collect(),
            weights: None,
            frequencies: None,
        }
    }
}

impl Column {
    fn new(mut values: Vec<f64>) -> Self {
        let (mean, deviation) = mean_and_deviation(&values);
        values.sort_by(f64::total_cmp);
        let (count, mut below) = (values.len() as f64, 0.0);
        let mut shares = Vec::new();
        for equal in values.chunk_by(|a, b| a == b) {
            shares.push((equal[0], (below + 0.5 * equal.len() as f64) / count));
            below += equal.len() as f64;
        }
        Column { mean, deviation, shares }
    }

    fn encode(&self, value: f64, design: &mut Vec<f32>) {
        design.push(((value - self.mean) / self.deviation) as f32);
        let place = PIECES as f64 * self.share(value);
        design.extend((0..PIECES).map(|piece| (2.0 * (place - piece as f64).clamp(0.0, 1.0) - 1.0) as f32));
    }

    /// The share of the rows below a value, along lines between the values that occur.
    fn share(&self, value: f64) -> f64 {
        let after = self.shares.partition_point(|(known, _)| *known < value);
        match (after.checked_sub(1).and_then(|k| self.shares.get(k)), self.shares.get(after)) {
            (Some((a, low)), Some((b, high))) => low + (high - low) * (value - a) / (b - a),
            (Some((_, share)), None) | (None, Some((_, share))) => *share,
            (None, None) => 0.5,
        }
    }
}

/// The mean, and the standard deviation, 1 where it is zero.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}
