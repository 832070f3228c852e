//! Splines: their bases as R (`bs`, `ns`) and patsy (`cc`) have them, each column a polynomial between its knots.

use serde::{Deserialize, Serialize};

use super::scalar::Scalar;
use crate::describe::quantiles::Sample;
use noisefit_core::numeric::double_double::DoubleDouble;

/// Which splines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Family {
    /// `bs`: B-splines of a degree without the first, which the intercept stands for; beyond the boundary the polynomials go on.
    B { degree: usize },
    /// `ns`: cubic, and straight lines beyond the boundary.
    Natural,
    /// `cc`: cubic, with the same value, slope and curvature at both boundaries, and again from there; their mean over the rows is zero.
    Cyclic,
}

/// What a formula says of a spline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub family: Family,
    /// The knots inside, where they are named.
    pub inner: Option<Vec<f64>>,
    /// The number of columns.
    pub columns: usize,
    /// The boundary, where it is named.
    pub bounds: Option<[f64; 2]>,
}

impl Asked {
    /// The knots by a sample of the values and the least and the largest of them: at quantiles, unless they are named.
    ///
    /// # Errors
    /// Why there are none such.
    pub fn knots(&self, sample: &Sample, range: [f64; 2]) -> Result<Knots, String> {
        let bounds = self.bounds.unwrap_or(range);
        let [low, high] = bounds;
        if !(low < high) {
            return Err("there is one distinct value, and a spline needs several; leave it out".to_owned());
        }
        let count = self.family.inner(self.columns).unwrap_or(0);
        let inner = match &self.inner {
            Some(inner) => inner.clone(),
            None => self.quantiles(sample, bounds, count).unwrap_or_default(),
        };
        if let Some(knot) = inner.iter().find(|knot| !(low < **knot && **knot < high)) {
            return Err(match self.inner {
                Some(_) => format!("its knot {knot} is not between the boundary's, {low} and {high}"),
                None => "the quantiles that its knots stand at are not distinct; lower df, or name knots".to_owned(),
            });
        }
        if inner.len() != count || inner.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err("the quantiles that its knots stand at are not distinct; lower df, or name knots".to_owned());
        }
        Ok(Knots { family: self.family, bounds, inner, means: None })
    }

    /// Quantiles of the values within the boundary at equal steps; of a cyclic spline of the distinct ones, as patsy has it, as long
    /// as all of them were kept.
    fn quantiles(&self, sample: &Sample, [low, high]: [f64; 2], count: usize) -> Option<Vec<f64>> {
        let shares: Vec<f64> = (1..=count).map(|k| k as f64 / (count + 1) as f64).collect();
        let distinct = sample.distinct().filter(|_| self.family == Family::Cyclic || self.bounds.is_some());
        let Some(distinct) = distinct else { return sample.quantiles_at(&shares) };
        let mut within = Sample::default();
        let inside = |x: &f64| low <= *x && *x <= high;
        match self.family {
            Family::Cyclic => within.extend(&distinct.into_iter().filter(inside).collect::<Vec<f64>>()),
            _ => within.extend(&sample.values().into_iter().filter(inside).collect::<Vec<f64>>()),
        }
        within.quantiles_at(&shares)
    }
}

/// The knots of a spline, and of a cyclic one the means that its columns are centred by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Knots {
    pub family: Family,
    /// The boundary.
    pub bounds: [f64; 2],
    /// Those inside, in increasing order.
    pub inner: Vec<f64>,
    /// Of a cyclic spline the means of its columns before they are centred; none before a pass has told them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<Vec<f64>>,
}

impl Family {
    /// How many knots inside make so many columns; none where that is too few columns.
    pub fn inner(self, columns: usize) -> Option<usize> {
        match self {
            Family::B { degree } => columns.checked_sub(degree),
            Family::Natural => columns.checked_sub(1),
            Family::Cyclic => Some(columns),
        }
    }

    /// How many columns so many knots inside make.
    pub fn columns(self, inner: usize) -> usize {
        match self {
            Family::B { degree } => inner + degree,
            Family::Natural => inner + 1,
            Family::Cyclic => inner,
        }
    }
}

impl Knots {
    /// Whether nothing is left to learn.
    pub fn is_complete(&self) -> bool {
        self.family != Family::Cyclic || self.means.is_some()
    }

    /// Whether they are knots in increasing order, as every basis assumes.
    pub fn is_sound(&self) -> bool {
        let [low, high] = self.bounds;
        let repeats = matches!(self.family, Family::B { .. });
        let all: Vec<f64> = [&[low][..], &self.inner, &[high]].concat();
        all.iter().all(|knot| knot.is_finite())
            && low < high
            && all.windows(2).all(|pair| if repeats { pair[0] <= pair[1] } else { pair[0] < pair[1] })
            && self.means.as_ref().is_none_or(|means| means.len() == self.inner.len() + 1)
    }

    /// The columns as polynomials.
    pub fn pieces(&self) -> Pieces {
        let free = match self.family {
            Family::B { degree } => return self.b_splines(degree).without(1),
            Family::Natural => return self.natural(),
            Family::Cyclic => self.cyclic(),
        };
        match &self.means {
            None => free,
            // Columns at right angles to the means: the coefficients' own mean is then that of the rows, zero.
            Some(means) => free.reflected(std::slice::from_ref(means)).without(1),
        }
    }

    /// All B-splines of a degree, between the boundary's two knots.
    fn b_splines(&self, degree: usize) -> Pieces {
        let [low, high] = self.bounds;
        let knots = [&vec![low; degree + 1][..], &self.inner, &vec![high; degree + 1]].concat();
        let count = knots.len() - degree - 1;
        let mut origins = Vec::new();
        let mut pieces = Vec::new();
        for i in degree..count {
            if knots[i] >= knots[i + 1] {
                continue;
            }
            // On one interval, as polynomials of the distance from its beginning (de Boor's recurrence).
            let origin = knots[i];
            let mut splines = vec![vec![0.0]; knots.len() - 1];
            splines[i] = vec![1.0];
            for d in 1..=degree {
                for j in 0..knots.len() - 1 - d {
                    let mut next = vec![0.0; d + 1];
                    let mut add = |spline: &[f64], constant: f64, slope: f64, width: f64| {
                        if width > 0.0 {
                            for (k, c) in spline.iter().enumerate() {
                                next[k] += c * constant / width;
                                next[k + 1] += c * slope / width;
                            }
                        }
                    };
                    add(&splines[j], origin - knots[j], 1.0, knots[j + d] - knots[j]);
                    add(&splines[j + 1], knots[j + d + 1] - origin, -1.0, knots[j + d + 1] - knots[j + 1]);
                    splines[j] = next;
                }
            }
            origins.push(origin);
            pieces.push(splines[..count].to_vec());
        }
        Pieces { origins, end: high, pieces, period: None }
    }

    /// Natural splines: B-splines without the first, in which the two combinations that bend at the boundary are turned away.
    fn natural(&self) -> Pieces {
        let free = self.b_splines(3).without(1);
        let [first, last] = [free.pieces.first(), free.pieces.last()];
        let at = |piece: Option<&Vec<Vec<f64>>>, x: f64| -> Vec<f64> {
            piece.map_or_else(Vec::new, |piece| piece.iter().map(|c| 2.0 * c[2] + 6.0 * c[3] * x).collect())
        };
        let width = free.end - free.origins.last().copied().unwrap_or(free.end);
        let bends = [at(first, 0.0), at(last, width)];
        let turned = free.reflected(&bends).without(2);
        turned.going_straight()
    }

    /// Splines that are known by their values at the knots, the last of which is the first again (Wood 2006, *Generalized Additive
    /// Models*, pages 146 and 147).
    fn cyclic(&self) -> Pieces {
        let [low, high] = self.bounds;
        let knots = [&[low][..], &self.inner, &[high]].concat();
        let n = knots.len() - 1;
        let h: Vec<f64> = knots.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let curvatures = curvatures(&h);
        let mut pieces = Vec::new();
        for j in 0..n {
            let (next, width) = ((j + 1) % n, h[j]);
            let column = |k: usize| {
                // (1 - t) y_j + t y_next and what the curvatures at both ends make of it, t in widths.
                let here = if k == j { 1.0 } else { 0.0 };
                let there = if k == next { 1.0 } else { 0.0 };
                let (bend, further) = (curvatures[j][k], curvatures[next][k]);
                let slope = (there - here) / width - width * (2.0 * bend + further) / 6.0;
                vec![here, slope, 0.5 * bend, (further - bend) / (6.0 * width)]
            };
            pieces.push((0..n).map(column).collect());
        }
        let origins = knots[..n].to_vec();
        Pieces { origins, end: high, pieces, period: Some(high - low) }
    }
}

/// The curvatures at the knots of cyclic splines, by the values there: `B^-1 D`.
fn curvatures(h: &[f64]) -> Vec<Vec<f64>> {
    let n = h.len();
    let before = |i: usize| (i + n - 1) % n;
    let mut b = vec![vec![0.0; n]; n];
    let mut d = vec![vec![0.0; n]; n];
    for i in 0..n {
        let (left, right) = (before(i), (i + 1) % n);
        b[i][i] += (h[left] + h[i]) / 3.0;
        b[i][left] += h[left] / 6.0;
        b[i][right] += h[i] / 6.0;
        d[i][i] -= 1.0 / h[left] + 1.0 / h[i];
        d[i][left] += 1.0 / h[left];
        d[i][right] += 1.0 / h[i];
    }
    // Diagonally dominant: no pivots are needed.
    for i in 0..n {
        for k in i + 1..n {
            let factor = b[k][i] / b[i][i];
            if factor != 0.0 {
                for j in i..n {
                    b[k][j] -= factor * b[i][j];
                }
                for j in 0..n {
                    d[k][j] -= factor * d[i][j];
                }
            }
        }
    }
    for i in (0..n).rev() {
        for j in 0..n {
            let later: f64 = (i + 1..n).map(|k| b[i][k] * d[k][j]).sum();
            d[i][j] = (d[i][j] - later) / b[i][i];
        }
    }
    d
}

/// Columns that are polynomials between breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pieces {
    /// Where each interval begins, and what polynomials there are counted from.
    origins: Vec<f64>,
    /// Where the last ends.
    end: f64,
    /// For each interval and column the coefficients, the constant first.
    pieces: Vec<Vec<Vec<f64>>>,
    /// After how much they begin anew.
    period: Option<f64>,
}

impl Pieces {
    /// Without the first few columns.
    fn without(mut self, count: usize) -> Self {
        self.pieces.iter_mut().for_each(|columns| drop(columns.drain(..count)));
        self
    }

    /// The columns times `Q`, where `Q R` are the directions, by reflections as LINPACK and LAPACK make them.
    fn reflected(mut self, directions: &[Vec<f64>]) -> Self {
        let mut directions = directions.to_vec();
        for step in 0..directions.len() {
            let mut mirror = directions[step].clone();
            mirror[..step].fill(0.0);
            let length = mirror.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length == 0.0 {
                continue;
            }
            mirror[step] += length.copysign(mirror[step]);
            let square: f64 = mirror.iter().map(|x| x * x).sum();
            let reflect = |vector: &mut [f64]| {
                let along: f64 = mirror.iter().zip(vector.iter()).map(|(m, x)| m * x).sum();
                vector.iter_mut().zip(&mirror).for_each(|(x, m)| *x -= 2.0 * along / square * m);
            };
            directions.iter_mut().for_each(|direction| reflect(direction));
            for columns in &mut self.pieces {
                let most = columns.iter().map(Vec::len).max().unwrap_or(0);
                for power in 0..most {
                    let mut vector: Vec<f64> = columns.iter().map(|c| c.get(power).copied().unwrap_or(0.0)).collect();
                    reflect(&mut vector);
                    columns.iter_mut().zip(vector).for_each(|(c, value)| c[power] = value);
                }
            }
        }
        self
    }

    /// Straight lines beyond the boundary: an interval more on either side.
    fn going_straight(mut self) -> Self {
        let (Some(first), Some(last)) = (self.pieces.first().cloned(), self.pieces.last().cloned()) else {
            return self;
        };
        let width = self.end - self.origins.last().copied().unwrap_or(self.end);
        let line = |c: &Vec<f64>, x: f64| {
            let value = c.iter().rev().fold(0.0, |sum, c| sum * x + c);
            let slope = (1..c.len()).rev().fold(0.0, |sum, k| sum * x + k as f64 * c[k]);
            vec![value, slope, 0.0, 0.0]
        };
        let start = self.origins.first().copied().unwrap_or(self.end);
        self.pieces.insert(0, first.iter().map(|c| line(c, 0.0)).collect());
        // What lies before the first interval begins nowhere, and is counted from where that begins.
        self.origins.insert(0, start);
        self.pieces.push(last.iter().map(|c| line(c, width)).collect());
        self.origins.push(self.end);
        self
    }

    /// Whether a value is beyond the boundary, where the columns go on.
    pub fn is_beyond(&self, x: f64) -> bool {
        self.period.is_none() && !(self.origins[0] <= x && x <= self.end)
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.pieces.first().map_or(0, Vec::len)
    }

    /// The value of a column.
    #[inline]
    pub fn value<T: Scalar>(&self, column: usize, x: T) -> T {
        let x = match self.period {
            Some(period) => {
                let periods = ((x.double() - self.origins[0]) / period).floor();
                // The boundary itself is the end of the last interval.
                let periods = if x.double() == self.end { 0.0 } else { periods };
                x - T::constant(DoubleDouble::from_product(periods, period))
            }
            None => x,
        };
        let at = x.double();
        let place = self.origins.partition_point(|origin| *origin <= at).saturating_sub(1);
        let distance = x - T::constant(self.origins[place].into());
        let mut terms = self.pieces[place][column].iter().rev();
        let highest = T::constant(terms.next().copied().unwrap_or(0.0).into());
        terms.fold(highest, |sum, &c| sum * distance + T::constant(c.into()))
    }
}
