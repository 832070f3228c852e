//! What the findings say in words, and what to do about them.

use noisefit_core::inference::diagnostics::TestedOn;
use noisefit_core::noise::Noise;
use noisefit_core::sentence;
use noisefit_core::wording::{Piece, Sentence, Setting};

use super::findings::{CLEAR, Findings};
use crate::text::{count_of, p_value, significant};

/// A variance inflation beyond which a coefficient can hardly be told from the others (Belsley, Kuh and Welsch 1980).
const INFLATED: f64 = 10.0;

/// A weight below which a row hardly counts beside one at the centre.
const UNHEEDED: f64 = 0.05;

/// A Cook's distance beyond which a row carries the fit.
const CARRIED: f64 = 1.0;

/// What to do, the gravest first; nothing where nothing was found.
pub fn advice(findings: &Findings<'_>) -> Vec<Sentence> {
    let parts = [
        influential(findings),
        outlying(findings),
        unheeded(findings),
        variance(findings),
        skewness(findings),
        shape(findings),
        form(findings),
        order(findings),
        grouped(findings),
        collinear(findings),
    ];
    parts.into_iter().flatten().collect()
}

fn influential(findings: &Findings<'_>) -> Option<Sentence> {
    let influence = &findings.diagnostics.influence;
    let distances = influence.largest_cooks_distances.iter();
    let carried: Vec<_> = distances.filter(|row| row.cooks_distance.is_some_and(|d| d > CARRIED)).collect();
    if carried.is_empty() {
        return None;
    }
    let (rows, carry) =
        (findings.row_names(carried.iter().copied()), if carried.len() == 1 { "carries" } else { "carry" });
    Some(format!("{rows} {carry} the fit (Cook's distance above 1): fit without, and see what changes").into())
}

fn outlying(findings: &Findings<'_>) -> Option<Sentence> {
    let outliers = findings.outliers();
    let (_, p) = outliers.last()?;
    let rows = findings.row_names(outliers.iter().map(|(row, _)| *row));
    let what = format!(
        "{rows}: too far off for gaussian noise (p {} or less as the largest of so many): see whether the values are right, or \
         choose a noise that heeds such rows less (`",
        p_value(Some(*p))
    );
    Some(sentence![what, Setting::Noise.with("student-t"), "`)"])
}

fn unheeded(findings: &Findings<'_>) -> Option<Sentence> {
    let rows = findings.diagnostics.influence.largest_residuals.iter();
    let unheeded: Vec<_> = rows.filter(|row| row.weight.is_some_and(|weight| weight < UNHEEDED)).collect();
    if unheeded.is_empty() {
        return None;
    }
    let rows = findings.row_names(unheeded.iter().copied());
    let what = "so far off that the fit hardly heeds them (weights below 0.05); see whether the values are right";
    Some(format!("{rows}: {what}").into())
}

fn variance(findings: &Findings<'_>) -> Option<Sentence> {
    findings.variance_p().filter(|p| *p < CLEAR)?;
    let words = findings.variance_words();
    if let Some(scale) = &findings.model.scale {
        let named = Setting::Scale.with(format!("~ {scale}"));
        return Some(sentence![words, " more than `", named, "` says: the formula of the scale lacks a term"]);
    }
    let plain = |term: &str| term.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let scale = match findings.driver() {
        _ if findings.varies_in_a_curve() => {
            let (powers, sizes) = (Setting::Scale.with("~ x + I(x^2)"), Setting::Scale.with("~ abs(x)"));
            sentence![
                "try powers or sizes of the regressors in a model of it (such as `",
                powers,
                "` or `",
                sizes,
                "`)"
            ]
        }
        Some(driver) if plain(&driver.term) => {
            sentence!["model it (`", Setting::Scale.with(format!("~ {}", driver.term)), "`)"]
        }
        _ => sentence!["model it (`", Setting::Scale.with("~ ..."), "`)"],
    };
    Some(match findings.fit.noise {
        Noise::Gaussian => {
            let robust = Setting::Vcov.with("hc3");
            sentence![words, ": "].and(scale).and(sentence![
                ", or keep the line and let its standard errors allow for it (`",
                robust,
                "`)"
            ])
        }
        Noise::Huber(_) => {
            sentence![words, ": of the families with such tails, student-t and logistic noise can "].and(scale)
        }
        _ => sentence![words, ": "].and(scale),
    })
}

fn skewness(findings: &Findings<'_>) -> Option<Sentence> {
    let diagnostics = findings.diagnostics;
    let found = diagnostics.asymmetry.as_ref().filter(|found| found.p_value < CLEAR)?;
    let is_above = found.quantile_skewness > 0.0;
    let side = if is_above { "above" } else { "below" };
    let what =
        format!("the noise is skewed, with a long tail {side}, which no family here is: quantiles describe it (`");
    // A logarithm draws in a tail above, of what is positive.
    let logarithm = match is_above && diagnostics.least_response > 0.0 && findings.model.transformed.is_none() {
        true => format!("`), or a transformed response (`log({}) ~ ...`)", findings.model.response),
        false => "`)".to_owned(),
    };
    Some(sentence![what, Setting::Noise.with("quantile:0.1,0.5,0.9"), logarithm])
}

fn shape(findings: &Findings<'_>) -> Option<Sentence> {
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
        let tails = format!(
            "the tails are heavier than gaussian ones ({percentage} of the residuals beyond 3 standard errors, where 0.27% are \
             expected): "
        );
        return Some(sentence![tails, Piece::Verb("compare"), " puts the families side by side", cause]);
    }
    let what = format!("the noise is not {family}: ");
    refuted.then(|| sentence![what, Piece::Verb("compare"), " puts the families side by side"])
}

fn form(findings: &Findings<'_>) -> Option<Sentence> {
    findings.diagnostics.specification.reset.as_ref().filter(|test| test.p_value < CLEAR)?;
    Some("the mean bends where the formula is straight: try poly(x, 2), log(x) or a product of terms".into())
}

fn order(findings: &Findings<'_>) -> Option<Sentence> {
    let test = findings.diagnostics.autocorrelation.durbin_watson.as_ref().filter(|test| test.p_value < CLEAR)?;
    let words = if test.statistic < test.expected { "like its neighbours" } else { "unlike its neighbours" };
    let what =
        format!("each residual is {words}: if the rows are in order of time, standard errors should allow for it (`");
    Some(sentence![what, Setting::Vcov.with("hac:LAGS"), "`)"])
}

/// A column by which rows are alike: the clearest of them.
fn grouped(findings: &Findings<'_>) -> Option<Sentence> {
    let clear = findings.groupings.iter().filter(|found| found.p_value < CLEAR && found.intraclass_correlation > 0.0);
    let found = clear.min_by(|a, b| a.p_value.total_cmp(&b.p_value).then(b.statistic.total_cmp(&a.statistic)))?;
    let (column, groups) = (&found.column, found.groups);
    // Of few clusters the usual errors are too small.
    let by = if groups < 40 { "cr2" } else { "cluster" };
    Some(sentence![
        format!(
            "rows with the same {column} are alike ({groups} groups, intraclass correlation {}): put it among the terms, or let the \
             standard errors allow for it (`",
            significant(found.intraclass_correlation, 2)
        ),
        Setting::Vcov.with(format!("{by}:{column}")),
        "`)"
    ])
}

fn collinear(findings: &Findings<'_>) -> Option<Sentence> {
    let inflated: Vec<_> =
        findings.diagnostics.collinearity.variance_inflation.iter().filter(|term| term.factor > INFLATED).collect();
    let worst = inflated.iter().max_by(|a, b| a.factor.total_cmp(&b.factor))?;
    Some(format!(
        "{} can hardly be told from the others (the variance of {} is inflated {} times): leave some out, or read them only together",
        count_of(inflated.len() as u64, "term"),
        worst.term,
        significant(worst.factor, 3),
    ).into())
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
