//! Special functions accurate in relative terms, tails included.

pub(crate) mod elementary;
pub(crate) mod exponential;
pub(crate) mod gamma_ratio;
pub(crate) mod normal;
pub(crate) mod quadrature;
pub(crate) mod single;
pub(crate) mod tails;
