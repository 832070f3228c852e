//! One kernel, compiled for each instruction set, chosen at run time.
//!
//! A kernel is a plain loop that the compiler vectorises. Compiled for the baseline of its architecture it would use a
//! quarter of the machine, so [`dispatch`] holds it once for each level of vector instructions and calls the best that
//! the processor has:
//!
//! ```
//! use noisefit::dispatch::{Kernel, dispatch, multiply_add};
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
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && has_avx2() {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { avx512(kernel) };
        }
        if has_avx2() {
            // SAFETY: as above.
            return unsafe { avx2(kernel) };
        }
    }
    portable(kernel)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

fn portable<K: Kernel>(kernel: K) -> K::Output {
    // The baseline of aarch64 has vectors and fused multiply-add; that of x86-64 and wasm has no fused multiply-add.
    #[cfg(target_arch = "aarch64")]
    return kernel.run::<true>();
    #[cfg(not(target_arch = "aarch64"))]
    kernel.run::<false>()
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
    fn every_level_gives_the_exact_sum_of_integers() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let exact = 999.0 * 1000.0 * 1999.0 / 6.0;
        assert_eq!(dispatch(Dot(&x, &x)), exact);
        assert_eq!(portable(Dot(&x, &x)), exact);
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the processor has the features.
            assert_eq!(unsafe { avx2(Dot(&x, &x)) }, exact);
        }
    }

    #[test]
    fn lanes_give_the_same_bits_at_every_fused_level() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i).sin()).collect();
        let dispatched = dispatch(Dot(&x, &x));
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the processor has the features.
            assert_eq!(unsafe { avx2(Dot(&x, &x)) }.to_bits(), dispatched.to_bits());
        }
        assert!((Dot(&x, &x).run::<false>() - dispatched).abs() < 1e-12);
    }
}
