//! What noisefit found, as people read it: text summaries, tables, charts and pages of the core's records.
//!
//! Each module turns records into something to read or to look at. Nothing is estimated here: what is shown stands in the records
//! or is arithmetic on them that a caption tells, and `NA` where they have no number.
//!
//! | module | of |
//! |---|---|
//! | [`fit`] | exact fits, with their certificate and digits |
//! | [`formulas`] | formulas side by side, with likelihood ratio tests of nested ones |
//! | [`hypothesis`] | tests of hypotheses about coefficients |
//! | [`train`] | what was trained by gradient steps |
//! | [`compare`] | noise models side by side, with the verdict |
//! | [`diagnose`] | what is wrong with a fit, and what to do |
//! | [`profile`] | the likelihood along a coefficient |
//! | [`evaluate`] | scores on data |
//! | [`loss`] | the losses of given predictions |
//! | [`chart`], [`charts`] | pictures: as data, as SVG, in a terminal |
//! | [`page`] | a report in one HTML file |
//! | [`derivation`] | from the density to the estimator, with a fit's numbers |
//! | [`tabulate`] | models side by side for a paper |
//! | [`text`] | numbers and tables |
//! | [`tidy`], [`tidied`] | tables that programs read, and of Markdown |

#![forbid(unsafe_code)]

pub mod chart;
pub mod charts;
pub mod compare;
pub mod derivation;
pub mod diagnose;
pub mod effects;
pub mod evaluate;
pub mod fit;
pub mod formulas;
pub mod hypothesis;
pub mod kinds;
pub mod loss;
pub mod page;
pub mod profile;
pub mod tabulate;
pub mod text;
pub mod tidied;
pub mod tidy;
pub mod train;

use noisefit_core::record::{Counts, LikelihoodOf};

use crate::text::significant;

/// What was fitted, and to how many rows: what a summary says beside what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Specification {
    /// The formula as it was written.
    pub formula: String,
    /// The terms of a modelled scale, as they stand behind the `~`.
    pub scale: Option<String>,
    /// The weights as they were written.
    pub weights: Option<String>,
    /// The column of frequencies.
    pub frequencies: Option<String>,
    /// The sampling weights as they were written.
    pub sampling_weights: Option<String>,
    /// The response as the formula has it, such as `log(y)`.
    pub response: String,
    /// Of what the likelihoods are, where it is a transformed column.
    pub transformed: Option<LikelihoodOf>,
    /// The names of the location's coefficients.
    pub terms: Vec<String>,
    /// The rows that were met; none of a model that was loaded.
    pub counts: Option<Counts>,
}

impl Specification {
    /// Of what the likelihoods of a transformed response are, as a paragraph.
    pub(crate) fn of_likelihoods(&self) -> Option<String> {
        let response = &self.response;
        Some(match self.no_claim() {
            None if self.transformed.is_some() => format!(
                "\nThe log-likelihood, AIC and BIC are those of the response itself: the Jacobian of {response} is in them, so\n\
                 they compare with models of the untransformed response. Coefficients, R2, RMSE and MAE are of {response}.\n"
            ),
            None => return None,
            Some(why) => format!(
                "\nThe log-likelihood, AIC and BIC are those of {response}, not of the response itself, for {why}:\n\
                 they compare with models of {response} alone.\n"
            ),
        })
    }

    /// What the likelihoods are by sampling weights, as a paragraph.
    pub(crate) fn of_pseudo_likelihoods(&self) -> Option<&'static str> {
        self.sampling_weights.as_ref().map(|_| {
            "\nThe log-likelihood, AIC and BIC are those of a pseudo-likelihood, in which a row counts by its sampling weight over their\n\
             mean: likelihood ratio tests and choices of a model do not rest on them.\n"
        })
    }

    /// Why the likelihoods of a transformed response are not those of the response itself.
    pub(crate) fn no_claim(&self) -> Option<String> {
        let response = &self.response;
        Some(match self.transformed? {
            LikelihoodOf::Response => return None,
            LikelihoodOf::Folded => "it takes the same value at several responses".to_owned(),
            LikelihoodOf::NoDerivative => "its derivative is zero or infinite at some responses".to_owned(),
            LikelihoodOf::Beyond(mass) => {
                format!("the fitted noise has {} of its mass where {response} cannot lie", significant(mass, 2))
            }
        })
    }

    /// Lines that name the weights of any kind and the frequencies.
    fn weighting(&self) -> String {
        let lines = [
            ("weights", &self.weights),
            ("frequencies", &self.frequencies),
            ("sampling weights", &self.sampling_weights),
        ];
        lines.iter().filter_map(|(what, text)| Some(format!("{what} {}\n", text.as_ref()?))).collect()
    }
}

/// Where a row stands that a fit used, with its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place<'a> {
    /// Its number from 0 among the rows used.
    pub row: u64,
    /// Its file or table.
    pub file: &'a str,
    /// Its number from 1 among the records of the file.
    pub record: u64,
    /// The columns that the model reads, with their values as text.
    pub values: &'a [(String, String)],
}
