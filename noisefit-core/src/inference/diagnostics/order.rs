//! Sorted values, each counted as often as its frequency.

/// Values in ascending order.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    pub(crate) values: Vec<f64>,
    /// One each where there are none.
    pub(crate) frequencies: Option<Vec<f64>>,
}

impl Ordered {
    pub(crate) fn new(values: &[f64], frequencies: Option<&[f64]>) -> Self {
        let Some(frequencies) = frequencies else {
            let mut values = values.to_vec();
            values.sort_unstable_by(f64::total_cmp);
            return Ordered { values, frequencies: None };
        };
        let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(frequencies.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (values, frequencies) = pairs.into_iter().unzip();
        Ordered { values, frequencies: Some(frequencies) }
    }

    pub(crate) fn frequency(&self, i: usize) -> f64 {
        self.frequencies.as_ref().map_or(1.0, |f| f[i])
    }

    pub(crate) fn observations(&self) -> f64 {
        match &self.frequencies {
            Some(frequencies) => frequencies.iter().sum(),
            None => self.values.len() as f64,
        }
    }

    /// The sizes of the values.
    pub(crate) fn sizes(&self) -> Self {
        let sizes: Vec<f64> = self.values.iter().map(|value| value.abs()).collect();
        Ordered::new(&sizes, self.frequencies.as_deref())
    }

    /// The values with their frequencies, the largest first.
    pub(crate) fn descending(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.iter().enumerate().rev().map(|(i, &value)| (value, self.frequency(i)))
    }

    /// The quantile that lies `(n - 1) level` steps beyond the least value, between neighbours on the line between them.
    pub(crate) fn quantile(&self, level: f64) -> f64 {
        let place = level * (self.observations() - 1.0).max(0.0);
        let (whole, part) = (place.floor(), place.fract());
        let low = self.at(whole);
        if part == 0.0 { low } else { low + part * (self.at(whole + 1.0) - low) }
    }

    /// The value that stands at a place from 0 when each is repeated as often as it counts.
    fn at(&self, place: f64) -> f64 {
        match &self.frequencies {
            None => self.values.get(place as usize).or(self.values.last()).copied().unwrap_or(f64::NAN),
            Some(frequencies) => {
                let mut before = 0.0;
                let found = frequencies.iter().position(|f| {
                    before += f;
                    place < before
                });
                found.map_or(self.values.last(), |i| self.values.get(i)).copied().unwrap_or(f64::NAN)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_repeated_values() {
        let repeated = Ordered::new(&[3.0, 1.0, 1.0, 1.0, 5.0, 5.0], None);
        let counted = Ordered::new(&[5.0, 1.0, 3.0], Some(&[2.0, 3.0, 1.0]));
        for (level, expected) in [(0.0, 1.0), (0.4, 1.0), (0.5, 2.0), (0.6, 3.0), (0.7, 4.0), (1.0, 5.0)] {
            assert!((repeated.quantile(level) - expected).abs() < 1e-14, "{level}");
            assert!((counted.quantile(level) - expected).abs() < 1e-14, "{level}");
        }
    }
}
