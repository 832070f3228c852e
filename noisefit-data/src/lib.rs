//! Files to blocks of rows for noisefit: readers, formulas, categories, missing values.

pub mod formula;
pub mod frame;
