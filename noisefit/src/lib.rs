//! Name the noise, get the fit.
//!
//! Choosing a loss is choosing a noise model: squared error is the negative log-likelihood of Gaussian noise, absolute
//! error that of Laplace noise. This crate makes the noise model the one choice and derives the rest from it.
//!
//! | module | what is there |
//! |---|---|
//! | [`rows`] | blocks of rows, the accumulator that a pass folds them into, sources that run a pass |

pub mod double_double;
pub mod error;
pub mod fit;
pub mod linear;
pub mod rows;

pub use error::Error;
