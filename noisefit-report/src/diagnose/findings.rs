//! What was found out about a fit, and what it says in a word.

use std::collections::BTreeMap;

use noisefit_core::inference::diagnostics::{ChiSquaredTest, Diagnostics, Driver, Found, Grouping, RowInfluence};
use noisefit_core::numeric::distribution::{StudentT, Symmetric};
use noisefit_core::record::Fit;

use crate::{Place, Specification};

/// Below this a hypothesis is taken to be refuted.
pub(super) const CLEAR: f64 = 0.01;

/// Below this there is something in it.
pub(super) const WEAK: f64 = 0.05;

/// What was found out about a fit.
#[derive(Debug)]
pub struct Findings<'a> {
    /// What was fitted.
    pub model: Specification,
    /// The fit.
    pub fit: &'a Fit,
    /// The tests and measures.
    pub diagnostics: &'a Diagnostics,
    /// What rows with a value of some other column in common have.
    pub groupings: &'a [Grouping],
    /// Where the rows of the lists stand, by their numbers among the rows used.
    pub places: BTreeMap<u64, Place<'a>>,
    /// Whether rows are of several files.
    pub several_files: bool,
}

impl Findings<'_> {
    /// The least p-value of the tests of a constant variance that hold for any noise.
    pub(super) fn variance_p(&self) -> Option<f64> {
        let found = &self.diagnostics.heteroscedasticity;
        let tests = [&found.studentised_breusch_pagan, &found.white];
        tests.into_iter().filter_map(|test| test.as_ref()).map(|test| test.p_value).reduce(f64::min)
    }

    /// The regressor that the spread varies with most, where it clearly does with any.
    pub(super) fn driver(&self) -> Option<&Driver> {
        self.diagnostics.heteroscedasticity.drivers.first().filter(|driver| driver.p_value < WEAK)
    }

    /// Whether White's test, which squares and multiplies the regressors, sees what the one that takes them as they are does
    /// not.
    pub(super) fn varies_in_a_curve(&self) -> bool {
        let found = &self.diagnostics.heteroscedasticity;
        let p = |test: &Found<ChiSquaredTest>| test.as_ref().map(|test| test.p_value);
        let pair = p(&found.white).zip(p(&found.studentised_breusch_pagan));
        pair.is_some_and(|(white, linear)| white < CLEAR && linear > CLEAR)
    }

    /// `the variance grows with income`.
    pub(super) fn variance_words(&self) -> String {
        match self.driver().filter(|_| !self.varies_in_a_curve()) {
            Some(driver) => {
                let direction = if driver.statistic > 0.0 { "grows" } else { "falls" };
                format!("the variance {direction} with {}", driver.term)
            }
            None if self.varies_in_a_curve() => {
                "the variance varies with the regressors, and not along a line".to_owned()
            }
            None => "the variance varies with the regressors".to_owned(),
        }
    }

    /// Rows whose studentised residual is too large for the largest of so many Gaussian ones, with the p-value (Bonferroni).
    pub(super) fn outliers(&self) -> Vec<(&RowInfluence, f64)> {
        let (n, df) = (self.diagnostics.nobs as f64, self.fit.df_residual as f64 - 1.0);
        let Ok(distribution) = StudentT::new(df) else { return Vec::new() };
        let p = |row: &RowInfluence| row.studentised.map(|t| (n * distribution.two_sided(t)).min(1.0));
        let rows = self.diagnostics.influence.largest_residuals.iter();
        rows.filter_map(|row| p(row).map(|p| (row, p))).filter(|(_, p)| *p < WEAK).collect()
    }

    /// A row as the data count it.
    pub(super) fn row_name(&self, row: &RowInfluence) -> String {
        match self.places.get(&row.row) {
            Some(place) if self.several_files => format!("{}:{}", place.file, place.record),
            Some(place) => place.record.to_string(),
            None => (row.row + 1).to_string(),
        }
    }

    pub(super) fn row_names<'r>(&self, rows: impl Iterator<Item = &'r RowInfluence>) -> String {
        let names: Vec<String> = rows.map(|row| self.row_name(row)).collect();
        let (s, more) = if names.len() == 1 { ("", "") } else { ("s", if names.len() > 8 { ", ..." } else { "" }) };
        format!("row{s} {}{more}", names[..names.len().min(8)].join(", "))
    }

    /// Whether the tails are heavier than Gaussian ones.
    pub(super) fn heavy_tails(&self) -> bool {
        let normality = &self.diagnostics.normality;
        let refuted = normality.jarque_bera.as_ref().is_some_and(|test| test.p_value < CLEAR);
        refuted && normality.excess_kurtosis.as_ref().is_some_and(|kurtosis| *kurtosis > 1.0)
    }
}
