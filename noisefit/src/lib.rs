//! Name the noise, get the fit: the front door.
//!
//! A table, a formula and a noise family in; a fit with its uncertainty out. The command and the Python package call what
//! stands here. The mathematics is [`core`], readers and formulas are [`data`].

pub use noisefit_core as core;
pub use noisefit_data as data;

/// The example of the project's first page.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
