//! The mathematics of noisefit: noise families, estimators, inference, networks. No files, no screens.
//!
//! Choosing a loss is choosing a noise model: squared error is the negative log-likelihood of Gaussian noise, absolute
//! error that of Laplace noise. This crate makes the noise model the one choice and derives the rest from it. Most users
//! want the crate `noisefit`, which stands on this one and reads tables.
//!
//! | module | what is there |
//! |---|---|
//! | [`named`] | choices with names, from which help and parsing follow |
//! | [`numeric`] | arithmetic with twice the digits, distributions, kernels compiled for each instruction set |
//! | [`rows`] | blocks of rows, the passes that fold them, sources that run a pass |
//! | [`algebra`] | Gram matrices, triangles, coordinates, leverages, the precision ladder of least squares |
//! | [`noise`] | the noise families: scalar functions of the standardised residual, and what follows from them |
//! | [`record`] | what a fit found |
//! | [`estimate`] | the maximum of the likelihood: closed form, vertices, active sets, Newton steps |
//! | [`inference`] | covariances, intervals, predictions, diagnostics, profiles, conformal prediction |
//! | [`network`] | networks and trained linear models with a noise family at the output |
//! | [`training`] | the fit of a network: divided, made ready, trained, scaled, scored; tuning; calibrated intervals |
//! | [`compare`] | noise models side by side, the judgement which it is, and what speaks for it |
//! | [`loss`] | losses of arrays of predictions, their gradients, and the report on them |
//! | [`suggestion`] | the right name that a wrong one was meant for |
//! | [`wording`] | sentences that name settings, which each front end writes its own way |

#![forbid(unsafe_code)]

pub mod algebra;
pub mod compare;
pub mod error;
pub mod estimate;
pub mod inference;
pub mod loss;
pub mod named;
pub mod network;
pub mod noise;
pub mod numeric;
pub mod record;
pub mod rows;
pub mod suggestion;
pub mod training;
pub mod wording;

pub use error::Error;

/// The passes of this crate, by which a process that is sent their bytes rebuilds them.
pub fn kinds() -> rows::Kinds {
    let linear = algebra::kinds().and(estimate::kinds()).and(inference::kinds());
    linear.and(network::kinds()).and(compare::kinds()).and(loss::report::kinds())
}
