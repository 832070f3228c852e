//! Numbers as a network reads them beside themselves: how far they are through the pieces of their range.

use serde::{Deserialize, Serialize};

/// An input whose range is cut into pieces, of each of which the first layer reads how far the input is through it: -1 before it, 1
/// beyond it, in between along a line (piecewise linear encoding: Gorishniy, Rubachev and Babenko 2022, *NeurIPS* 35). The network so
/// has a bend of its own in every piece, and skewed inputs need no transformation.
///
/// ```
/// use noisefit_core::network::Pieces;
///
/// let pieces = Pieces { input: 0, knots: vec![0.0, 1.0, 3.0] };
/// let mut read = [0.0; 2];
/// pieces.encode(2.0, &mut read);
/// assert_eq!(read, [1.0, 0.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pieces {
    /// Which input.
    pub input: usize,
    /// Where the pieces begin and end, ascending, in units of the standardised input.
    pub knots: Vec<f32>,
}

impl Pieces {
    /// Pieces that hold as many of these values each; a value that is as frequent as a piece, or more so, is an end of its own. None
    /// where fewer than three values differ, for then the input itself says all.
    pub(crate) fn of(input: usize, mut values: Vec<f32>, count: usize) -> Option<Self> {
        values.sort_by(f32::total_cmp);
        let different = values.chunk_by(|a, b| a == b).count();
        if different < 3 || count == 0 {
            return None;
        }
        let frequent = |equal: &&[f32]| different <= count + 1 || equal.len() * count >= values.len();
        let mut knots: Vec<f32> = values.chunk_by(|a, b| a == b).filter(frequent).map(|equal| equal[0]).collect();
        let others: Vec<f32> =
            values.chunk_by(|a, b| a == b).filter(|equal| !frequent(equal)).flatten().copied().collect();
        if let Some(last) = others.len().checked_sub(1) {
            let left = count.saturating_sub(knots.len()).max(1);
            let at = |k: usize| {
                let place = last as f64 * k as f64 / left as f64;
                let (low, share) = (place as usize, place.fract() as f32);
                let (a, b) = (others[low], others[(low + 1).min(last)]);
                a + (b - a) * share
            };
            knots.extend((0..=left).map(at));
            knots.sort_by(f32::total_cmp);
        }
        // A piece of less than this has no slope that is a number.
        knots.dedup_by(|later, earlier| *later - *earlier < 1e-6);
        (knots.len() > 2).then_some(Pieces { input, knots })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.knots.len().saturating_sub(1)
    }

    /// Writes what is read of a value, a number for each piece.
    #[inline]
    pub fn encode(&self, value: f32, read: &mut [f32]) {
        for (ends, read) in self.knots.windows(2).zip(read) {
            let share = (value - ends[0]) * (1.0 / (ends[1] - ends[0]));
            *read = 2.0 * share.clamp(0.0, 1.0) - 1.0;
        }
    }

    /// What is read of a value, and how it changes with the value, in doubles.
    pub(crate) fn with_slope(&self, value: f64) -> impl Iterator<Item = (f64, f64)> {
        self.knots.windows(2).map(move |ends| {
            let [low, high] = [f64::from(ends[0]), f64::from(ends[1])];
            let share = (value - low) / (high - low);
            let slope = if share > 0.0 && share < 1.0 { 2.0 / (high - low) } else { 0.0 };
            (2.0 * share.clamp(0.0, 1.0) - 1.0, slope)
        })
    }

    /// Whether there is a piece, and each ends after it begins.
    pub(crate) fn is_sound(&self) -> bool {
        self.knots.len() > 1
            && self.knots.iter().all(|knot| knot.is_finite())
            && self.knots.windows(2).all(|ends| ends[0] < ends[1] && (1.0 / (ends[1] - ends[0])).is_finite())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_as_many_values_each() {
        // Squares, whose quarters end at the squares of the quarters.
        let values: Vec<f32> = (0..=100).rev().map(|i| (i * i) as f32).collect();
        let pieces = Pieces::of(3, values, 4).unwrap();
        assert_eq!((pieces.input, &pieces.knots[..]), (3, &[0.0, 625.0, 2500.0, 5625.0, 10_000.0][..]));
        let mut read = [0.0; 4];
        pieces.encode(4062.5, &mut read);
        assert_eq!(read, [1.0, 1.0, 0.0, -1.0]);
        let (values, slopes): (Vec<f64>, Vec<f64>) = pieces.with_slope(4062.5).unzip();
        assert_eq!((values, slopes), (vec![1.0, 1.0, 0.0, -1.0], vec![0.0, 0.0, 2.0 / 3125.0, 0.0]));
        // Beyond the ends nothing changes.
        pieces.encode(1e9, &mut read);
        assert_eq!(read, [1.0; 4]);
    }

    #[test]
    fn few_values_are_the_ends_of_the_pieces() {
        assert_eq!(Pieces::of(0, vec![2.0, 1.0, 2.0, 5.0, 1.0], 8).unwrap().knots, [1.0, 2.0, 5.0]);
        assert_eq!(Pieces::of(0, vec![2.0, 1.0, 2.0], 8), None);
        // Most values are the same, and the others are parted among themselves.
        let mut values = vec![0.0; 90];
        values.extend((1..=10).map(|i| i as f32));
        assert_eq!(Pieces::of(0, values, 4).unwrap().knots, [0.0, 1.0, 4.0, 7.0, 10.0]);
    }
}
