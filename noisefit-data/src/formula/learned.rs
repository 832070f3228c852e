//! What a model learns from the rows before it can be fitted: levels, centres, polynomial bases; and the sums that
//! tell them, each mergeable over any split of the rows.

use noisefit_core::numeric::double_double::DoubleDouble;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::spline::Knots;
use crate::read::number::shown;
use crate::texts::TextHasher;

/// A category with more levels is refused: it is an identifier, and a design with a column for each would not fit into
/// memory.
pub(super) const MOST_LEVELS: usize = 10_000;

/// An absorbed effect with more levels is refused: they are counted in 32 bits.
pub(super) const MOST_ABSORBED: usize = 1 << 30;

/// A double-double as `[high, low]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Words(pub f64, pub f64);

impl From<DoubleDouble> for Words {
    fn from(value: DoubleDouble) -> Self {
        Words(value.high, value.low)
    }
}

impl From<Words> for DoubleDouble {
    fn from(words: Words) -> Self {
        DoubleDouble { high: words.0, low: words.1 }
    }
}

/// What was learned for one variable of a formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Learned {
    /// Of a category.
    Levels(Arc<Levels>),
    /// Of `center(x)` and `scale(x)`; the deviation has divisor n - 1.
    Moments { mean: Words, deviation: Words },
    /// Of `poly(x, degree)`.
    Polynomial(Polynomial),
    /// Of `bs`, `ns` and `cc`.
    Spline(Knots),
}

/// The levels of a category in increasing order: text by its bytes, numbers by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Levels {
    Numbers(Vec<f64>),
    /// Integers that doubles cannot tell apart.
    Integers(Vec<Integer>),
    Texts(Vec<String>),
}

/// An integer of more digits than a double has, as the two doubles whose sum it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Integer(pub f64, pub f64);

impl Integer {
    /// In increasing order: the first words do not fall, and of one first word the second rise.
    pub fn order(&self, other: &Integer) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.total_cmp(&other.1))
    }
}

impl Levels {
    pub fn len(&self) -> usize {
        match self {
            Levels::Numbers(numbers) => numbers.len(),
            Levels::Integers(integers) => integers.len(),
            Levels::Texts(texts) => texts.len(),
        }
    }

    pub fn names(&self) -> Vec<String> {
        match self {
            Levels::Numbers(numbers) => numbers.iter().map(|&number| shown(number, 0.0)).collect(),
            Levels::Integers(integers) => integers.iter().map(|&Integer(high, low)| shown(high, low)).collect(),
            Levels::Texts(texts) => texts.clone(),
        }
    }

    /// Where a number stands among them, by all of its digits.
    pub fn place_of(&self, number: DoubleDouble) -> Option<usize> {
        let (high, low) = key(number.high, number.low);
        let wanted = Integer(f64::from_bits(high), f64::from_bits(low));
        match self {
            Levels::Numbers(numbers) => numbers.iter().position(|&number| Integer(number, 0.0) == wanted),
            Levels::Integers(integers) => integers.iter().position(|&integer| integer == wanted),
            Levels::Texts(_) => None,
        }
    }

    /// Whether they are in increasing order and finite, as look-up assumes.
    pub fn is_ordered(&self) -> bool {
        match self {
            Levels::Numbers(numbers) => numbers.windows(2).all(|pair| pair[0] < pair[1]),
            Levels::Integers(integers) => {
                integers.windows(2).all(|pair| pair[0].order(&pair[1]).is_lt())
                    && integers.iter().all(|integer| integer.0.is_finite() && integer.1.is_finite())
            }
            Levels::Texts(texts) => texts.windows(2).all(|pair| pair[0] < pair[1]),
        }
    }
}

/// Polynomials orthonormal over the rows, by their three-term recurrence: `q_0 = 1 / spreads[0]` and
/// `spreads[k] q_k = (x - centres[k - 1]) q_(k - 1) - spreads[k - 1] q_(k - 2)`, without the last term for `k = 1`.
///
/// The coefficients come from the Stieltjes procedure (Gautschi 2004, *Orthogonal Polynomials: Computation and
/// Approximation*, section 2.2) with sums in double-double. It takes a pass for each degree but the first two.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Polynomial {
    pub centres: Vec<Words>,
    pub spreads: Vec<Words>,
}

impl Polynomial {
    /// `spreads[k] q_k(x)` of the first degree `k` whose spread is not known yet.
    #[inline(always)]
    fn next(&self, x: DoubleDouble) -> DoubleDouble {
        let (mut before, mut last) = (DoubleDouble::ZERO, DoubleDouble::ONE);
        for (k, &spread) in self.spreads.iter().enumerate() {
            let spread = DoubleDouble::from(spread);
            let q = last / spread;
            let centre = self.centres.get(k).map_or(DoubleDouble::ZERO, |&centre| centre.into());
            last = (x - centre) * q - spread * before;
            before = q;
        }
        last
    }
}

/// The bits of a number's words as far as they tell it from others: zero has two signs, and of a number that is no integer
/// beyond 2^53 the first word says all.
pub(super) fn key(high: f64, low: f64) -> (u64, u64) {
    let low = if low.abs() >= 1.0 && high.fract() == 0.0 { low } else { 0.0 };
    ((high + 0.0).to_bits(), low.to_bits())
}

/// The levels that occur.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LevelSet {
    pub texts: HashSet<String, BuildHasherDefault<TextHasher>>,
    /// Numbers by the bits of their two words.
    pub numbers: HashSet<(u64, u64)>,
    /// Beyond so many no more are gathered.
    most: usize,
}

impl LevelSet {
    pub fn up_to(most: usize) -> Self {
        LevelSet { texts: HashSet::default(), numbers: HashSet::new(), most }
    }

    pub fn add_text(&mut self, text: &str) {
        if self.texts.len() <= self.most && !self.texts.contains(text) {
            self.texts.insert(text.to_owned());
        }
    }

    /// Adds the number `high + low`; what a double leaves out of a short decimal tells no levels apart that the double does
    /// not, so that only integers need their second word.
    pub fn add_number(&mut self, high: f64, low: f64) {
        if self.numbers.len() <= self.most {
            self.numbers.insert(key(high, low));
        }
    }

    pub fn merge(&mut self, later: LevelSet) {
        for text in later.texts {
            if self.texts.len() <= self.most {
                self.texts.insert(text);
            }
        }
        for (high, low) in later.numbers {
            self.add_number(f64::from_bits(high), f64::from_bits(low));
        }
    }

    pub fn finish(self, numeric: bool) -> Levels {
        if numeric {
            let words = |(high, low)| Integer(f64::from_bits(high), f64::from_bits(low));
            let mut numbers: Vec<Integer> = self.numbers.into_iter().map(words).collect();
            numbers.sort_by(Integer::order);
            match numbers.iter().all(|number| number.1 == 0.0) {
                true => Levels::Numbers(numbers.into_iter().map(|number| number.0).collect()),
                false => Levels::Integers(numbers),
            }
        } else {
            let mut texts: Vec<String> = self.texts.into_iter().collect();
            texts.sort_unstable();
            Levels::Texts(texts)
        }
    }
}

/// Up to so many distinct values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Distinct {
    values: Vec<f64>,
    most: usize,
}

impl Distinct {
    pub fn up_to(most: usize) -> Self {
        Distinct { values: Vec::new(), most }
    }

    #[inline]
    fn add(&mut self, value: f64) {
        if self.values.len() < self.most && !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    pub fn count(&self) -> usize {
        self.values.len()
    }
}

/// The first three moments, by sums of powers about the first value in double-double: exact enough that any split of
/// the rows gives the same doubles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Moments {
    count: f64,
    shift: f64,
    sums: [DoubleDouble; 3],
    pub distinct: Distinct,
}

impl Moments {
    pub fn new(distinct: Distinct) -> Self {
        Moments { count: 0.0, shift: 0.0, sums: [DoubleDouble::ZERO; 3], distinct }
    }

    #[inline(always)]
    pub fn add(&mut self, x: DoubleDouble, frequency: f64) {
        if self.count == 0.0 {
            self.shift = x.high;
        }
        self.distinct.add(x.high);
        self.count += frequency;
        let d = x - self.shift;
        let mut power = d * frequency;
        for sum in &mut self.sums {
            *sum += power;
            power *= d;
        }
    }

    pub fn merge(&mut self, later: Moments) {
        if self.count == 0.0 {
            *self = later;
            return;
        }
        if later.count == 0.0 {
            return;
        }
        // The later sums about this shift: the binomial theorem.
        let d = DoubleDouble::from(later.shift) - self.shift;
        let [s1, s2, s3] = later.sums;
        let n = later.count;
        self.sums[0] += s1 + d * n;
        self.sums[1] += s2 + d * s1 * 2.0 + d * d * n;
        self.sums[2] += s3 + d * s2 * 3.0 + d * d * s1 * 3.0 + d * d * d * n;
        self.count += n;
        later.distinct.values.into_iter().for_each(|value| self.distinct.add(value));
    }

    pub fn mean(&self) -> DoubleDouble {
        self.sums[0] / self.count + self.shift
    }

    /// The sum of squares about the mean.
    fn squares(&self) -> DoubleDouble {
        self.sums[1] - self.sums[0] * self.sums[0] / self.count
    }

    /// The standard deviation with divisor n - 1.
    pub fn deviation(&self) -> DoubleDouble {
        (self.squares() / (self.count - 1.0)).sqrt()
    }

    /// The recurrence of the orthonormal polynomials of degrees 0 and 1.
    pub fn polynomial(&self) -> Polynomial {
        let n = self.count;
        let [s1, s2, s3] = self.sums;
        let squares = self.squares();
        let cubes = s3 - s1 * s2 * 3.0 / n + s1 * s1 * s1 * 2.0 / (n * n);
        let (mean, spread) = (self.mean(), (squares / n).sqrt());
        let root = DoubleDouble::from(n).sqrt();
        Polynomial {
            centres: vec![mean.into(), (mean + cubes / squares).into()],
            spreads: vec![root.into(), spread.into()],
        }
    }
}

/// One step of the Stieltjes procedure: `sum v^2` and `sum (x - c) v^2` with `v = spreads[k] q_k(x)`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stieltjes {
    known: Polynomial,
    centre: DoubleDouble,
    squares: DoubleDouble,
    moment: DoubleDouble,
}

impl Stieltjes {
    pub fn new(known: Polynomial) -> Self {
        let centre = known.centres.first().map_or(DoubleDouble::ZERO, |&mean| mean.into());
        Stieltjes { known, centre, squares: DoubleDouble::ZERO, moment: DoubleDouble::ZERO }
    }

    #[inline(always)]
    pub fn add(&mut self, x: DoubleDouble, frequency: f64) {
        let square = self.known.next(x).square() * frequency;
        self.squares += square;
        self.moment += (x - self.centre) * square;
    }

    pub fn merge(&mut self, later: Stieltjes) {
        self.squares += later.squares;
        self.moment += later.moment;
    }

    /// The recurrence with the next degree.
    pub fn finish(mut self) -> Polynomial {
        self.known.spreads.push(self.squares.sqrt().into());
        self.known.centres.push((self.centre + self.moment / self.squares).into());
        self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::new(Distinct::up_to(3));
        values.iter().for_each(|&x| moments.add(x.into(), 1.0));
        moments
    }

    #[test]
    fn mean_and_deviation_survive_a_large_offset() {
        // 1e15 + {0, 1, 2, 4}: mean 1e15 + 7/4, sum of squares 35/4.
        let all = moments(&[1e15, 1e15 + 1.0, 1e15 + 2.0, 1e15 + 4.0]);
        assert_eq!((all.mean() - 1e15).to_f64(), 1.75);
        assert!((all.deviation().to_f64() - (35.0f64 / 12.0).sqrt()).abs() < 1e-15);
        assert_eq!(all.distinct.count(), 3);
        let mut merged = moments(&[1e15, 1e15 + 1.0]);
        merged.merge(moments(&[]));
        merged.merge(moments(&[1e15 + 2.0, 1e15 + 4.0]));
        assert_eq!((merged.mean(), merged.deviation()), (all.mean(), all.deviation()));
        assert_eq!(merged.polynomial(), all.polynomial());
    }

    #[test]
    fn the_recurrence_of_equidistant_points_is_gram_s() {
        // Over -2..2: q_1 = t / sqrt(10), q_2 = (t^2 - 2) / sqrt(14); all centres are zero, and
        // spreads[1] = sqrt(10 / 5), spreads[2] = sqrt(14 / 10) (Gram's polynomials).
        let points = [-2.0, -1.0, 0.0, 1.0, 2.0];
        let mut next = Stieltjes::new(moments(&points).polynomial());
        points.iter().for_each(|&x| next.add(x.into(), 1.0));
        let found = next.finish();
        for (k, exact) in [5f64, 2.0, 1.4].into_iter().enumerate() {
            assert!((found.spreads[k].0 - exact.sqrt()).abs() < 1e-15);
            assert!(found.centres[k].0.abs() < 1e-15);
        }
    }

    #[test]
    fn numbers_are_sorted_by_size_and_zero_has_one_sign() {
        let mut set = LevelSet::up_to(MOST_LEVELS);
        [3.0, -0.0, 10.0, 0.0, -1.5].into_iter().for_each(|x| set.add_number(x, 0.0));
        assert_eq!(set.finish(true).names(), ["-1.5", "0", "3", "10"]);
    }
}
