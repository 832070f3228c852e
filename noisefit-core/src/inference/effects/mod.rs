//! What a fit says in the units of the response: averages over rows of predictions, of slopes and of comparisons, with standard errors
//! by the delta method.

mod average;
mod mean;

pub use average::{Average, sum};
pub use mean::{Jet, Mean, Undo, log_moment};
