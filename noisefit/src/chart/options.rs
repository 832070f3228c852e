//! How much of the rows a chart shows.

/// How much is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartOptions {
    /// Rows that are drawn, at most: of more a random sample, and counts of all where counting is enough.
    pub rows: usize,
    /// What they are drawn from.
    pub seed: u64,
    /// The level of prediction bands.
    pub level: f64,
}

impl Default for ChartOptions {
    fn default() -> Self {
        ChartOptions { rows: 500, seed: 0, level: 0.9 }
    }
}
