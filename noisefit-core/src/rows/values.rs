//! One column of a block.

/// One column of a block.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The values as doubles.
    pub high: &'a [f64],
    /// What the doubles leave out: `high + low` is the value. Absent where it is zero or was not asked for.
    pub low: Option<&'a [f64]>,
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(high: &'a [f64]) -> Self {
        Values { high, low: None }
    }
}

impl<'a> Values<'a> {
    /// The low word of row `i`, zero where there is none.
    #[inline]
    pub fn low(&self, i: usize) -> f64 {
        self.low.map_or(0.0, |low| low[i])
    }
}
