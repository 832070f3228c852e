//! Count, mean and sum of squared deviations in double-double arithmetic.

use noisefit_core::numeric::dispatch::{Kernel, dispatch};
use noisefit_core::numeric::double_double::DoubleDouble;

/// Values beyond `2^LARGE` or all within `2^-SMALL` are scaled by `2^-SCALE` or `2^SCALE`, so that their squares neither
/// overflow nor underflow.
const LARGE: i32 = 480;
const SMALL: i32 = 400;
const SCALE: i32 = 600;

/// Running sums that are independent of one another, for the vector units.
const LANES: usize = 8;

/// The first two moments of numbers, mergeable.
///
/// Each batch is summed about its own first value `c`: with `d = x - c` in double-double, `mean = c + sum d / n` and
/// `squares = sum d^2 - (sum d)^2 / n`. Since `c` is one of the values, the difference loses at most a factor `n` of the
/// 2^106 there is. Batches are merged by the formula of Chan, Golub and LeVeque 1983 (*Algorithms for computing the sample
/// variance: analysis and recommendations*, The American Statistician 37, 242-247), also in double-double.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    count: u64,
    /// `mean` is in units of `2^exponent`, `squares` in units of its square.
    exponent: i32,
    mean: DoubleDouble,
    squares: DoubleDouble,
}

impl Moments {
    /// The moments of the finite numbers `high + low`; `low` is empty where there is nothing beyond the doubles.
    pub fn of(high: &[f64], low: &[f64]) -> Moments {
        let Some(&first) = high.first() else { return Moments::default() };
        let largest = high.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        let exponent = match () {
            () if largest > power_of_two(LARGE) => SCALE,
            () if largest < power_of_two(-SMALL) => -SCALE,
            () => 0,
        };
        let factor = power_of_two(-exponent);
        // Both words, so that equal numbers deviate by nothing.
        let centre = DoubleDouble { high: first * factor, low: low.first().map_or(0.0, |low| low * factor) };
        let (sum, squares) = dispatch(Deviations { high, low, factor, centre });
        let count = high.len() as f64;
        let mean = sum / count + centre;
        Moments { count: high.len() as u64, exponent, mean, squares: squares - sum * (sum / count) }
    }

    /// Adds other numbers' moments.
    pub fn merge(&mut self, other: Moments) {
        if other.count == 0 || self.count == 0 {
            *self = if self.count == 0 { other } else { *self };
            return;
        }
        let exponent = self.exponent.max(other.exponent);
        let (a, b) = (self.with_exponent(exponent), other.with_exponent(exponent));
        let count = a.count + b.count;
        let share = DoubleDouble::from(b.count as f64) / count as f64;
        let step = b.mean - a.mean;
        *self = Moments {
            count,
            exponent,
            mean: a.mean + step * share,
            squares: a.squares + b.squares + step.square() * a.count as f64 * share,
        };
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// `sum x / n`; none of no numbers.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.mean.to_f64() * power_of_two(self.exponent))
    }

    /// `sqrt(sum (x - mean)^2 / (n - 1))`; none of fewer than two numbers.
    pub fn standard_deviation(&self) -> Option<f64> {
        // Equal numbers leave a square of rounding errors, which may be negative.
        let variance = || self.squares / (self.count - 1) as f64;
        (self.count > 1).then(|| variance().sqrt().to_f64().max(0.0) * power_of_two(self.exponent))
    }

    /// The same in units of a larger power of two; what underflows is nothing beside numbers that need the larger.
    fn with_exponent(self, exponent: i32) -> Moments {
        let factor = power_of_two(self.exponent - exponent);
        Moments { exponent, mean: self.mean * factor, squares: self.squares * factor * factor, ..self }
    }
}

/// `2^exponent`, 0 where that is too small for a double.
fn power_of_two(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

/// `sum d` and `sum d^2` of `d = factor (high + low) - centre`.
struct Deviations<'a> {
    high: &'a [f64],
    low: &'a [f64],
    factor: f64,
    centre: DoubleDouble,
}

impl Kernel for Deviations<'_> {
    type Output = (DoubleDouble, DoubleDouble);

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> Self::Output {
        if self.low.len() == self.high.len() { self.sums::<true>() } else { self.sums::<false>() }
    }
}

impl Deviations<'_> {
    #[inline(always)]
    fn sums<const LOW: bool>(self) -> (DoubleDouble, DoubleDouble) {
        let mut sums = Lanes::default();
        let mut squares = Lanes::default();
        let (values, rest) = self.high.as_chunks::<LANES>();
        let (lows, _) = self.low.as_chunks::<LANES>();
        let mut lows = lows.iter();
        for values in values {
            let low = if LOW { lows.next().unwrap_or(&[0.0; LANES]) } else { &[0.0; LANES] };
            self.add(values, low, &mut sums, &mut squares);
        }
        // The centre deviates from itself by nothing.
        let DoubleDouble { high, low } = self.centre;
        let (mut last, mut last_low) = ([high / self.factor; LANES], [low / self.factor; LANES]);
        last[..rest.len()].copy_from_slice(rest);
        if LOW {
            last_low[..rest.len()].copy_from_slice(&self.low[self.low.len() - rest.len()..]);
        }
        self.add(&last, &last_low, &mut sums, &mut squares);
        (sums.total(), squares.total())
    }

    #[inline(always)]
    fn add(&self, high: &[f64; LANES], low: &[f64; LANES], sums: &mut Lanes, squares: &mut Lanes) {
        for lane in 0..LANES {
            let scaled = high[lane] * self.factor;
            let low = low[lane] * self.factor - self.centre.low;
            let deviation = DoubleDouble::from_sum(scaled, -self.centre.high) + low;
            sums.add(lane, deviation);
            squares.add(lane, deviation.square());
        }
    }
}

/// Sums side by side, their words apart so that they become vectors.
#[derive(Default)]
struct Lanes {
    high: [f64; LANES],
    low: [f64; LANES],
}

impl Lanes {
    #[inline(always)]
    fn add(&mut self, lane: usize, term: DoubleDouble) {
        let sum = DoubleDouble { high: self.high[lane], low: self.low[lane] } + term;
        (self.high[lane], self.low[lane]) = (sum.high, sum.low);
    }

    #[inline(always)]
    fn total(&self) -> DoubleDouble {
        let lanes = self.high.iter().zip(&self.low).map(|(&high, &low)| DoubleDouble { high, low });
        lanes.fold(DoubleDouble::ZERO, |total, lane| total + lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments of batches of the given sizes, merged.
    fn in_batches(values: &[f64], size: usize) -> Moments {
        values.chunks(size).fold(Moments::default(), |mut moments, batch| {
            moments.merge(Moments::of(batch, &[]));
            moments
        })
    }

    /// 1, ..., n about a large number: mean `c + (n + 1) / 2`, variance `n (n + 1) / 12`, exactly.
    #[test]
    fn consecutive_integers_have_their_closed_form_however_they_are_batched() {
        let (centre, n) = (1e15, 1000.0);
        let values: Vec<f64> = (1..=1000).map(|i| centre + f64::from(i)).collect();
        for size in [1, 7, 64, 1000] {
            let moments = in_batches(&values, size);
            assert_eq!(moments.count(), 1000);
            assert_eq!(moments.mean(), Some(centre + (n + 1.0) / 2.0));
            assert_eq!(moments.standard_deviation(), Some((n * (n + 1.0) / 12.0f64).sqrt()), "batches of {size}");
        }
    }

    /// 10000000.2, then 10000000.1 and 10000000.3 in turn: the standard deviation is 0.1, of which the doubles alone
    /// determine eight digits.
    #[test]
    fn low_words_carry_decimals_that_no_double_is() {
        let (high, low): (Vec<f64>, Vec<f64>) = [2, 1, 3]
            .into_iter()
            .map(|tenths| {
                let decimal = DoubleDouble::from(100_000_000.0 + f64::from(tenths)) / 10.0;
                (decimal.high, decimal.low)
            })
            .unzip();
        let exact = Moments::of(&high, &low);
        assert_eq!((exact.mean(), exact.standard_deviation()), (Some(10_000_000.2), Some(0.1)));
        let rounded = Moments::of(&high, &[]).standard_deviation().unwrap_or(f64::NAN);
        assert!((rounded - 0.1).abs() > 1e-10 && (rounded - 0.1).abs() < 1e-8, "{rounded}");
    }

    #[test]
    fn numbers_whose_squares_are_no_doubles() {
        // -a, a and 0 have the standard deviation a.
        for a in [1e300, 1e-300, 1e-320, 1.5e308, 1e160, 1e-150] {
            for size in [1, 3] {
                let moments = in_batches(&[-a, a, 0.0], size);
                assert_eq!(moments.mean(), Some(0.0));
                let found = moments.standard_deviation().unwrap_or(f64::NAN);
                assert!((found - a).abs() <= 1e-15 * a, "{found} instead of {a} in batches of {size}");
            }
        }
        // Beside large numbers, small ones are zeros.
        let found = in_batches(&[-1e200, 1e-200, 1e200], 1).standard_deviation().unwrap_or(f64::NAN);
        assert!((found - 1e200).abs() <= 1e185, "{found}");
    }

    #[test]
    fn few_and_equal_numbers() {
        assert_eq!((Moments::default().mean(), Moments::default().standard_deviation()), (None, None));
        let one = Moments::of(&[0.1], &[]);
        assert_eq!((one.mean(), one.standard_deviation()), (Some(0.1), None));
        let equal = in_batches(&[0.1; 100], 7);
        assert_eq!((equal.mean(), equal.standard_deviation()), (Some(0.1), Some(0.0)));
        // With what the doubles leave out of 0.1.
        let mut equal = Moments::of(&[0.1; 100], &[-5.551115123125783e-18; 100]);
        equal.merge(Moments::of(&[0.1; 7], &[-5.551115123125783e-18; 7]));
        assert_eq!((equal.mean(), equal.standard_deviation()), (Some(0.1), Some(0.0)));
    }
}
