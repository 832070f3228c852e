//! The list of the diagnostics.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::anderson_darling::{AndersonDarling, OfFamily};
use crate::inference::diagnostics::asymmetry::{Asymmetry, Skewed};
use crate::inference::diagnostics::autocorrelation::{Autocorrelation, Neighbours};
use crate::inference::diagnostics::calibration::{Calibration, Counts};
use crate::inference::diagnostics::collinearity::{Collinearity, Columns};
use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::heteroscedasticity::{Heteroscedasticity, Spread};
use crate::inference::diagnostics::influence::{Influence, Worst};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::normality::{Normality, PowerSums};
use crate::inference::diagnostics::specification::{Powers, Specification};
use crate::inference::diagnostics::summary::{Summary, TestedOn};
use crate::inference::diagnostics::tails::{Extremes, Tails};

/// From a line a diagnostic (`name: sums => finding`): a field of what is summed and one of what was found.
macro_rules! diagnostics {
    ($($(#[$doc:meta])* $name:ident: $sums:ty => $finding:ty,)*) => {
        /// Everything that was found.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct Diagnostics {
            /// Observations.
            pub nobs: u64,
            /// The least response.
            pub least_response: f64,
            /// Whose residuals the tests for least squares are made on.
            pub tested_on: TestedOn,
            /// Rows whose residuals were put in order for Anderson and Darling's test and the tails: all, or a random sample.
            pub ordered_rows: u64,
            $($(#[$doc])* pub $name: $finding,)*
        }

        /// What all diagnostics sum over the rows.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub(super) struct Sums {
            $(pub(super) $name: $sums,)*
        }

        impl Sums {
            /// No row yet, for lists of at most `keep` rows.
            pub(super) fn new(diagnosis: &Diagnosis, keep: usize) -> Self {
                Sums { $($name: <$sums>::new(diagnosis, keep),)* }
            }

            /// Takes a block's rows, which follow `before` others.
            pub(super) fn fold(&mut self, diagnosis: &Diagnosis, rows: &Measured<'_>, before: u64) {
                $(self.$name.fold(diagnosis, rows, before);)*
            }

            /// Takes the sums of later rows, which follow `before` of these.
            pub(super) fn merge(&mut self, later: Self, before: u64) {
                $(self.$name.merge(later.$name, before);)*
            }

            /// What the rows say.
            pub(super) fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Diagnostics {
                Diagnostics {
                    nobs: diagnosis.fit().nobs,
                    least_response: summary.least_response,
                    tested_on: diagnosis.tested_on(),
                    ordered_rows: summary.ordered_rows,
                    $($name: self.$name.finish(diagnosis, summary),)*
                }
            }
        }
    };
}

diagnostics! {
    /// Whether the spread of the noise varies.
    heteroscedasticity: Spread => Heteroscedasticity,
    /// Whether the noise is Gaussian.
    normality: PowerSums => Normality,
    /// Whether it is skewed.
    asymmetry: Skewed => Found<Asymmetry>,
    /// Whether it is of the fitted family.
    anderson_darling: OfFamily => Found<AndersonDarling>,
    /// How heavy its tails are.
    tails: Extremes => Found<Tails>,
    /// Whether shares of responses are what the fit promises.
    calibration: Counts => Found<Calibration>,
    /// Whether rows depend on the rows before.
    autocorrelation: Neighbours => Autocorrelation,
    /// Whether the mean has the form of the formula.
    specification: Powers => Specification,
    /// Whether regressors can be told apart.
    collinearity: Columns => Collinearity,
    /// Which rows stand out.
    influence: Worst => Influence,
}
