//! What a fit says in the units of the response: averages over rows of predictions, of slopes and of comparisons, with standard errors
//! by the delta method.

mod average;
mod effect;
mod mean;

pub use average::{Average, sum};
pub use effect::Effect;
pub use mean::{Jet, Mean, Undo, log_moment};
