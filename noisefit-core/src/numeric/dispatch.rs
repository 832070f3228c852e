//! One kernel, compiled for each instruction set, chosen at run time.
//!
//! A kernel is a plain loop that the compiler vectorises. Compiled for the baseline of its architecture it would use a
//! quarter of the machine, so [`dispatch`] holds it once for each level of vector instructions and calls the best that
//! the processor has:
//!
//! ```
//! use noisefit_core::numeric::dispatch::{Kernel, dispatch, multiply_add};
//!
//! /// y <- a x + y
//! struct Axpy<'a> {
//!     a: f64,
//!     x: &'a [f64],
//!     y: &'a mut [f64],
//! }
//!
//! impl Kernel for Axpy<'_> {
//!     type Output = ();
//!
//!     #[inline(always)]
//!     fn run<const FUSED: bool>(self) {
//!         for (y, &x) in self.y.iter_mut().zip(self.x) {
//!             *y = multiply_add::<FUSED>(self.a, x, *y);
//!         }
//!     }
//! }
//!
//! let mut y = [1.0, 2.0, 3.0];
//! dispatch(Axpy { a: 2.0, x: &[10.0, 20.0, 30.0], y: &mut y });
//! assert_eq!(y, [21.0, 42.0, 63.0]);
//! ```
//!
//! Everything that the kernel calls must be inlined into it to be compiled for the same level: its own functions are
//! `#[inline(always)]`. Sums are never reordered by the compiler, so a kernel that wants lanes names them (an array of
//! partial sums) and then gives the same bits at every level with fused multiply-add.

use pulp::{Arch, Simd, WithSimd};

/// A loop to be run at the best instruction level, with its arguments as fields.
pub trait Kernel {
    /// What the loop returns.
    type Output;

    /// The loop, to be marked `#[inline(always)]`. `FUSED` says whether [`multiply_add`] is one instruction.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// `a * b + c`, rounded once where that is one instruction and twice where it would be a call.
#[inline(always)]
pub fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Runs `kernel` compiled for the best vector instructions that this processor has.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    Arch::new().dispatch(Dispatched(kernel))
}

/// Runs a closure so compiled. What it calls must be small enough to be inlined into it.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

struct Dispatched<K>(K);

impl<K: Kernel> WithSimd for Dispatched<K> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> K::Output {
        if S::IS_SCALAR { self.0.run::<false>() } else { self.0.run::<true>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Dot<'a>(&'a [f64], &'a [f64]);

    impl Kernel for Dot<'_> {
        type Output = f64;

        #[inline(always)]
        fn run<const FUSED: bool>(self) -> f64 {
            let mut lanes = [0.0; 8];
            for (x, y) in self.0.chunks_exact(8).zip(self.1.chunks_exact(8)) {
                for i in 0..8 {
                    lanes[i] = multiply_add::<FUSED>(x[i], y[i], lanes[i]);
                }
            }
            lanes.iter().sum()
        }
    }

    #[test]
    fn the_sum_of_integers_is_exact_with_and_without_fusing() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let exact = 999.0 * 1000.0 * 1999.0 / 6.0;
        assert_eq!(dispatch(Dot(&x, &x)), exact);
        assert_eq!(Dot(&x, &x).run::<false>(), exact);
    }

    #[test]
    fn named_lanes_give_the_bits_of_the_loop_as_written() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i).sin()).collect();
        let dispatched = dispatch(Dot(&x, &x));
        let as_written =
            if Arch::new().dispatch(IsScalar) { Dot(&x, &x).run::<false>() } else { Dot(&x, &x).run::<true>() };
        assert_eq!(dispatched.to_bits(), as_written.to_bits());
    }

    struct IsScalar;

    impl WithSimd for IsScalar {
        type Output = bool;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> bool {
            S::IS_SCALAR
        }
    }
}
