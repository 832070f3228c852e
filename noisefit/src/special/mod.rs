//! Special functions accurate in relative terms, tails included.

pub(crate) mod exponential;
pub(crate) mod normal;
pub(crate) mod quadrature;
pub(crate) mod tails;
