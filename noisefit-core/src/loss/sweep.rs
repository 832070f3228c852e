//! One sweep over predictions and truths: the sum of a loss and its gradient.
//!
//! Everything is computed in doubles and by lanes, whatever is stored; the reading of memory is what takes the time.
//! Sums are of fixed blocks within fixed units, so that they do not depend on the number of threads, bit for bit.

use std::ops::{ControlFlow, Range};

use crate::loss::Real;
use crate::noise::shape::Shape;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::sum::Sum;
use crate::rows::in_order;

/// Rows summed plainly, lane by lane: a few hundred additions each.
const BLOCK: usize = 4096;
/// Rows of one unit of work.
const UNIT: usize = 16 * BLOCK;
/// Rows whose losses are computed before they are added: a loop of its own for the compiler to vectorise, long enough
/// that it is not unrolled whole, within the first-level cache.
const TILE: usize = 256;
/// Two vectors of eight doubles, which are one of sixteen singles.
const LANES: usize = 16;

/// What a row multiplies its residual with, and adds to its loss.
pub(super) trait Spread: Copy + Send + Sync {
    fn rows(self, rows: Range<usize>) -> Self;
    /// One over the scale of row `i`, and the logarithm of its scale with the loss's constant.
    fn at(self, i: usize) -> (f64, f64);
}

/// One scale for all rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) inverse: f64,
    pub(super) offset: f64,
}

impl Spread for Common {
    #[inline(always)]
    fn rows(self, _rows: Range<usize>) -> Self {
        self
    }

    #[inline(always)]
    fn at(self, _i: usize) -> (f64, f64) {
        (self.inverse, self.offset)
    }
}

/// A scale for each row, or its square.
#[derive(Debug, Clone, Copy)]
pub(super) struct PerRow<'a, T> {
    pub(super) values: &'a [T],
    pub(super) squared: bool,
    pub(super) constant: f64,
}

impl<T: Real> Spread for PerRow<'_, T> {
    fn rows(self, rows: Range<usize>) -> Self {
        PerRow { values: &self.values[rows], ..self }
    }

    #[inline(always)]
    fn at(self, i: usize) -> (f64, f64) {
        let value = self.values[i].widen();
        if self.squared {
            (1.0 / value.sqrt(), 0.5 * value.ln() + self.constant)
        } else {
            (1.0 / value, value.ln() + self.constant)
        }
    }
}

/// The loss `w (factor shape(r / s) + ln s + constant)` of rows of `r = truth - prediction`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep<'a, T, S, P> {
    pub(super) truth: &'a [T],
    pub(super) prediction: &'a [T],
    pub(super) weights: Option<&'a [T]>,
    pub(super) shape: S,
    pub(super) factor: f64,
    pub(super) spread: P,
}

impl<T: Real, S: Shape, P: Spread> Sweep<'_, T, S, P> {
    fn rows(&self, rows: Range<usize>) -> Self {
        Sweep {
            truth: &self.truth[rows.clone()],
            prediction: &self.prediction[rows.clone()],
            weights: self.weights.map(|w| &w[rows.clone()]),
            spread: self.spread.rows(rows),
            ..*self
        }
    }

    /// Writes the loss of every row.
    pub(super) fn values(&self, values: &mut [T]) {
        for (i, out) in values.iter_mut().enumerate() {
            let (value, _) = self.row(self.truth[i], self.prediction[i], self.spread.at(i));
            *out = T::narrow(self.weights.map_or(value, |w| weighted(w[i].widen(), value)));
        }
    }

    /// The sum of the losses.
    pub(super) fn sum(&self, threads: usize) -> f64 {
        // Nothing is kept of a row, and a slice of nothing costs nothing.
        let mut nothing = vec![(); self.truth.len()];
        self.units(&mut nothing, threads, |unit, _| {
            let mut scratch = [T::narrow(0.0); BLOCK];
            let length = unit.truth.len();
            let blocks = (0..length).step_by(BLOCK).map(|start| start..(start + BLOCK).min(length));
            blocks.map(|rows| unit.rows(rows.clone()).block(1.0, &mut scratch[..rows.len()])).collect()
        })
    }

    /// The sum of the losses; `gradient` becomes its derivative with respect to the predictions, times `gain`.
    pub(super) fn sum_and_gradient(&self, gain: f64, gradient: &mut [T], threads: usize) -> f64 {
        self.units(gradient, threads, |unit, gradient| {
            let blocks = gradient.chunks_mut(BLOCK).enumerate();
            let rows = |k: usize, gradient: &[T]| k * BLOCK..k * BLOCK + gradient.len();
            blocks.map(|(k, gradient)| unit.rows(rows(k, gradient)).block(gain, gradient)).collect()
        })
    }

    /// Runs `work` on every unit of rows and its part of `output`, and adds the results in the order of the units.
    fn units<U: Send>(&self, output: &mut [U], threads: usize, work: impl Fn(Self, &mut [U]) -> Sum + Sync) -> f64 {
        let work = |(k, output): (usize, &mut [U])| work(self.rows(k * UNIT..k * UNIT + output.len()), output);
        let mut total = Sum::default();
        in_order(output.chunks_mut(UNIT).enumerate(), threads, work, |sum| {
            total.merge(sum);
            ControlFlow::Continue(())
        });
        total.value()
    }

    /// The sum over one block, and its gradient.
    fn block(self, gain: f64, gradient: &mut [T]) -> f64 {
        match self.weights {
            Some(weights) => dispatch(Block::<_, _, _, true> { sweep: self, weights, gain, gradient }),
            // Not read.
            None => dispatch(Block::<_, _, _, false> { sweep: self, weights: self.truth, gain, gradient }),
        }
    }

    /// The loss of one row and its derivative with respect to the prediction, before the weight.
    #[inline(always)]
    fn row(&self, truth: T, prediction: T, (inverse, offset): (f64, f64)) -> (f64, f64) {
        let r = (truth.widen() - prediction.widen()) * inverse;
        (self.factor * self.shape.value(r) + offset, -(self.factor * inverse) * self.shape.slope(r))
    }
}

/// `weight * value`, where a row of no weight is no row, whatever its loss.
#[inline(always)]
fn weighted(weight: f64, value: f64) -> f64 {
    if weight == 0.0 { 0.0 } else { weight * value }
}

struct Block<'a, 'g, T, S, P, const WEIGHTED: bool> {
    sweep: Sweep<'a, T, S, P>,
    weights: &'a [T],
    gain: f64,
    gradient: &'g mut [T],
}

impl<T: Real, S: Shape, P: Spread, const WEIGHTED: bool> Kernel for Block<'_, '_, T, S, P, WEIGHTED> {
    type Output = f64;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f64 {
        let Block { sweep, weights, gain, gradient } = self;
        let mut lanes = [0.0; LANES];
        let mut values = [0.0; TILE];
        for (k, gradient) in gradient.chunks_mut(TILE).enumerate() {
            let (start, count) = (k * TILE, gradient.len());
            let values = &mut values[..count];
            let truth = &sweep.truth[start..start + count];
            let prediction = &sweep.prediction[start..start + count];
            let weights = &weights[start..start + count];
            for i in 0..count {
                let (mut value, mut slope) = sweep.row(truth[i], prediction[i], sweep.spread.at(start + i));
                if WEIGHTED {
                    let weight = weights[i].widen();
                    (value, slope) = (weighted(weight, value), weighted(weight, slope));
                }
                values[i] = value;
                gradient[i] = T::narrow(gain * slope);
            }
            let mut whole = values.chunks_exact(LANES);
            for values in &mut whole {
                for i in 0..LANES {
                    lanes[i] += values[i];
                }
            }
            for (lane, value) in lanes.iter_mut().zip(whole.remainder()) {
                *lane += value;
            }
        }
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::shape::{Huber, LogCosh};

    /// The kernels use no fused multiply-add and name their lanes, so that a processor without vectors agrees.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        fn check(shape: impl Shape) {
            let truth: Vec<f64> = (0..1003).map(|i| (f64::from(i) * 0.7).sin() * 3.0).collect();
            let (prediction, spread) = (vec![0.1; 1003], Common { inverse: 0.3, offset: 0.7 });
            let weights: Vec<f64> = (0..1003).map(|i| f64::from(i % 5) * 0.3).collect();
            let sweep =
                Sweep { truth: &truth, prediction: &prediction, weights: Some(&weights), shape, factor: 2.0, spread };
            let (mut portable, mut dispatched) = (vec![0.0; 1003], vec![0.0; 1003]);
            let block = Block::<_, _, _, true> { sweep, weights: &weights, gain: 0.1, gradient: &mut portable };
            let sum = block.run::<false>();
            assert_eq!(sum.to_bits(), sweep.block(0.1, &mut dispatched).to_bits());
            assert_eq!(portable, dispatched);
        }
        check(Huber { knee: 0.4, steepness: 2.5 });
        check(LogCosh);
    }
}
