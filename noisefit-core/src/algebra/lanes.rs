//! Double-double arithmetic over slices of high and low words, in shapes that become vector code where the caller has
//! enabled the machine's instructions.

use crate::numeric::double_double::DoubleDouble;

/// `sum += a * factor`, elementwise.
#[inline(always)]
pub(crate) fn add_product(sum: &mut [f64], sum_low: &mut [f64], a: &[f64], a_low: &[f64], factor: DoubleDouble) {
    let count = sum.len();
    let (sum_low, a, a_low) = (&mut sum_low[..count], &a[..count], &a_low[..count]);
    for i in 0..count {
        let term = DoubleDouble { high: a[i], low: a_low[i] } * factor;
        let total = DoubleDouble { high: sum[i], low: sum_low[i] } + term;
        (sum[i], sum_low[i]) = (total.high, total.low);
    }
}

/// The inner product, in eight running sums.
#[inline(always)]
pub(crate) fn dot(a: &[f64], a_low: &[f64], b: &[f64], b_low: &[f64]) -> DoubleDouble {
    const LANES: usize = 8;
    let count = a.len();
    let (a_low, b, b_low) = (&a_low[..count], &b[..count], &b_low[..count]);
    let term = |i: usize| DoubleDouble { high: a[i], low: a_low[i] } * DoubleDouble { high: b[i], low: b_low[i] };
    let mut sums = [DoubleDouble::ZERO; LANES];
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    let tail = (whole..count).map(term);
    sums.into_iter().chain(tail).fold(DoubleDouble::ZERO, |sum, value| sum + value)
}

/// The sum of `term(0..count)` in eight running sums.
#[inline(always)]
pub(crate) fn lanes_sum(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let whole = count / 8 * 8;
    for start in (0..whole).step_by(8) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    sums.iter().sum::<f64>() + (whole..count).map(term).sum::<f64>()
}
