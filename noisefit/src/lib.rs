//! Name the noise, get the fit.
//!
//! Choosing a loss is choosing a noise model: squared error is the negative log-likelihood of Gaussian noise, absolute
//! error that of Laplace noise. This crate makes the noise model the one choice and derives the rest from it.
//!
//! | module | what is there |
//! |---|---|
//! | [`dispatch`] | kernels compiled for each instruction set, chosen at run time |
//! | [`loss`] | losses of arrays of predictions, their gradients, and the report on them |
//! | [`noise`] | the noise families: scalar functions of the standardised residual, and what follows from them |
//! | [`inference`] | the distributions that tests and intervals refer to |
//! | [`linear`] | linear models under every noise: least squares through a precision ladder, exact quantiles, Huber's active sets, Newton's method, modelled scales |
//! | [`fit`], [`predict`], [`evaluate`] | what a fit found, predictions from it, how well it predicts |
//! | [`compare`] | noise models side by side, the judgement which it is, and what speaks for it |
//! | [`double_double`] | arithmetic with twice the digits |
//! | [`rows`] | blocks of rows, the accumulator that a pass folds them into, sources that run a pass |

pub mod compare;
pub mod dispatch;
pub mod double_double;
pub mod error;
pub mod evaluate;
pub mod fit;
pub mod inference;
pub mod linear;
pub mod loss;
pub mod network;
pub mod noise;
pub mod predict;
pub mod rows;
mod special;
mod sum;

pub use error::Error;

/// The example of the project's first page.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
