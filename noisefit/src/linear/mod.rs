//! Linear models: the mean is a linear combination of design columns.

mod gram;
mod moments;

pub use moments::{Moments, Totals};
