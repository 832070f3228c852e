//! What the findings say in words, and what to do about them.

use noisefit_core::inference::diagnostics::{ChiSquaredTest, Driver, Found, RowInfluence, TestedOn};
use noisefit_core::noise::Noise;
use noisefit_core::numeric::distribution::{StudentT, Symmetric};

use super::Findings;
use crate::output::{count_of, significant};

/// Below this a hypothesis is taken to be refuted.
pub(super) const CLEAR: f64 = 0.01;

/// Below this there is something in it.
pub(super) const WEAK: f64 = 0.05;

/// A variance inflation beyond which a coefficient can hardly be told from the others (Belsley, Kuh and Welsch 1980).
const INFLATED: f64 = 10.0;

/// A weight below which a row hardly counts beside one at the centre.
const UNHEEDED: f64 = 0.05;

/// A Cook's distance beyond which a row carries the fit.
const CARRIED: f64 = 1.0;

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

    fn row_names<'r>(&self, rows: impl Iterator<Item = &'r RowInfluence>) -> String {
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

/// What to do, the gravest first; nothing where nothing was found.
pub(super) fn advice(findings: &Findings<'_>) -> Vec<String> {
    let parts = [
        influential(findings),
        outlying(findings),
        unheeded(findings),
        variance(findings),
        shape(findings),
        form(findings),
        order(findings),
        collinear(findings),
    ];
    parts.into_iter().flatten().collect()
}

fn influential(findings: &Findings<'_>) -> Option<String> {
    let influence = &findings.diagnostics.influence;
    let distances = influence.largest_cooks_distances.iter();
    let carried: Vec<_> = distances.filter(|row| row.cooks_distance.is_some_and(|d| d > CARRIED)).collect();
    if carried.is_empty() {
        return None;
    }
    let (rows, carry) =
        (findings.row_names(carried.iter().copied()), if carried.len() == 1 { "carries" } else { "carry" });
    Some(format!("{rows} {carry} the fit (Cook's distance above 1): fit without, and see what changes"))
}

fn outlying(findings: &Findings<'_>) -> Option<String> {
    let outliers = findings.outliers();
    let (_, p) = outliers.last()?;
    let rows = findings.row_names(outliers.iter().map(|(row, _)| *row));
    Some(format!(
        "{rows}: too far off for gaussian noise (p {} or less as the largest of so many): see whether the values are right, or \
         choose a noise that heeds such rows less (`--noise student-t`)",
        significant(p.max(1e-300), 2)
    ))
}

fn unheeded(findings: &Findings<'_>) -> Option<String> {
    let rows = findings.diagnostics.influence.largest_residuals.iter();
    let unheeded: Vec<_> = rows.filter(|row| row.weight.is_some_and(|weight| weight < UNHEEDED)).collect();
    if unheeded.is_empty() {
        return None;
    }
    let rows = findings.row_names(unheeded.iter().copied());
    Some(format!(
        "{rows}: so far off that the fit hardly heeds them (weights below 0.05); see whether the values are right"
    ))
}

fn variance(findings: &Findings<'_>) -> Option<String> {
    findings.variance_p().filter(|p| *p < CLEAR)?;
    let words = findings.variance_words();
    if let Some(scale) = findings.formula.scale() {
        return Some(format!("{words} more than `--scale '~ {scale}'` says: the formula of the scale lacks a term"));
    }
    let plain = |term: &str| term.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let scale = match findings.driver() {
        _ if findings.varies_in_a_curve() => {
            "try powers or sizes of the regressors in a model of it (such as `--scale '~ x + I(x^2)'` or `'~ abs(x)'`)"
                .to_owned()
        }
        Some(driver) if plain(&driver.term) => format!("model it (`--scale '~ {}'`)", driver.term),
        _ => "model it (`--scale '~ ...'`)".to_owned(),
    };
    Some(match findings.fit.noise {
        Noise::Gaussian => {
            format!("{words}: {scale}, or keep the line and let its standard errors allow for it (`--vcov hc3`)")
        }
        Noise::Huber(_) => {
            format!("{words}: of the families with such tails, student-t and logistic noise can {scale}")
        }
        _ => format!("{words}: {scale}"),
    })
}

fn shape(findings: &Findings<'_>) -> Option<String> {
    let diagnostics = findings.diagnostics;
    let family = findings.fit.noise.family().name();
    let refuted = diagnostics.anderson_darling.as_ref().is_some_and(|test| test.p_value < CLEAR);
    let gaussian = matches!(findings.fit.noise, Noise::Gaussian);
    if gaussian && findings.heavy_tails() {
        let share = diagnostics.influence.large_residuals / diagnostics.nobs as f64;
        let cause = match findings.variance_p() {
            Some(p) if p < CLEAR => "; a variance that varies looks like that, too, so see to it first",
            _ => "",
        };
        let percentage = format!("{:.1}%", 100.0 * share);
        return Some(format!(
            "the tails are heavier than gaussian ones ({percentage} of the residuals beyond 3 standard errors, where 0.27% are expected): \
             `noisefit compare` puts the families side by side{cause}"
        ));
    }
    refuted.then(|| format!("the noise is not {family}: `noisefit compare` puts the families side by side"))
}

fn form(findings: &Findings<'_>) -> Option<String> {
    findings.diagnostics.specification.reset.as_ref().filter(|test| test.p_value < CLEAR)?;
    Some("the mean bends where the formula is straight: try poly(x, 2), log(x) or a product of terms".to_owned())
}

fn order(findings: &Findings<'_>) -> Option<String> {
    let test = findings.diagnostics.autocorrelation.durbin_watson.as_ref().filter(|test| test.p_value < CLEAR)?;
    let words = if test.statistic < test.expected { "like its neighbours" } else { "unlike its neighbours" };
    Some(format!(
        "each residual is {words}: if the rows are in order of time, standard errors should allow for it (`--vcov hac:LAGS`)"
    ))
}

fn collinear(findings: &Findings<'_>) -> Option<String> {
    let inflated: Vec<_> =
        findings.diagnostics.collinearity.variance_inflation.iter().filter(|term| term.factor > INFLATED).collect();
    let worst = inflated.iter().max_by(|a, b| a.factor.total_cmp(&b.factor))?;
    Some(format!(
        "{} can hardly be told from the others (the variance of {} is inflated {} times): leave some out, or read them only together",
        count_of(inflated.len() as u64, "term"),
        worst.term,
        significant(worst.factor, 3),
    ))
}

/// Whose residuals were tested, as a sentence.
pub(super) fn tested_on(findings: &Findings<'_>) -> Option<&'static str> {
    match findings.diagnostics.tested_on {
        TestedOn::Fit => None,
        TestedOn::LeastSquares => Some(
            "Tests marked * were made for least squares, and are of the least squares residuals of the same formula.",
        ),
        TestedOn::ScaledLeastSquares => Some(
            "Tests marked * were made for least squares, and are of its residuals with weights 1/s(x)^2, s the modelled scale.",
        ),
    }
}
