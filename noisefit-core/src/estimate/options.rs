//! How a linear model is fitted, whatever its noise.

use crate::Error;
use crate::algebra::Settings;
use crate::numeric::Level;

/// What to do with terms that are linear combinations of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collinear {
    /// Leave them out and say so: their coefficients are absent, as in R.
    #[default]
    Drop,
    /// Refuse with an error that names them.
    Fail,
}

crate::named!(Collinear {
    Drop = "drop": "Leave such terms out and name them",
    Fail = "fail": "Refuse, naming them",
});

/// How a linear model is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The level of the confidence intervals, in (0, 1).
    pub level: f64,
    /// How least squares is to be computed.
    pub settings: Settings,
    /// What to do with collinear terms.
    pub collinear: Collinear,
    /// What everything that is drawn at random is drawn from.
    pub seed: u64,
    /// Coefficients that are held where a profile has them, and count where it matters how many were estimated.
    pub held: usize,
}

impl Options {
    /// Refuses a level that is none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        Level::new(self.level).map(drop)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options { level: 0.95, settings: Settings::default(), collinear: Collinear::Drop, seed: 0, held: 0 }
    }
}
