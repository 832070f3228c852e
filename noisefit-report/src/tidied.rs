//! Records as tidy tables: a row for each coefficient, fit, model, loss or curve.

use noisefit_core::compare::Comparison;
use noisefit_core::inference::evaluate::Scores;
use noisefit_core::inference::vif::Inflation;
use noisefit_core::loss::report::LossReport;
use noisefit_core::record::{Coefficient, Fit};

use crate::tidy::{Cell, Tidy};

/// The coefficients of fits, a row for each: those of the location, and those of a modelled scale.
pub fn coefficients(fits: &[Fit]) -> Tidy {
    let columns =
        vec!["noise", "part", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "df"];
    let row = |fit: &Fit, part: &str, row: &Coefficient| {
        vec![
            Cell::Text(fit.noise.to_string()),
            part.into(),
            row.term.as_str().into(),
            row.estimate.into(),
            row.std_error.into(),
            row.statistic.into(),
            Cell::p(row.p_value),
            row.conf_low.into(),
            row.conf_high.into(),
            row.df.into(),
        ]
    };
    let mut rows = Vec::new();
    for fit in fits {
        rows.extend(fit.location.rows.iter().map(|term| row(fit, "location", term)));
        rows.extend(fit.scale.coefficients().iter().map(|term| row(fit, "scale", term)));
    }
    Tidy::new(columns, rows)
}

/// The facts of fits, a row for each.
pub fn glance(fits: &[Fit]) -> Tidy {
    let columns = vec![
        "noise",
        "nobs",
        "df_model",
        "df_residual",
        "scale",
        "residual_std_error",
        "r_squared",
        "adj_r_squared",
        "r1",
        "f_statistic",
        "f_p_value",
        "log_likelihood",
        "aic",
        "aicc",
        "bic",
        "rmse",
        "mae",
        "shape",
        "vcov_type",
        "converged",
    ];
    let row = |fit: &Fit| {
        let (goodness, likelihood) = (&fit.goodness, fit.likelihood);
        vec![
            Cell::Text(fit.noise.to_string()),
            Cell::Count(fit.nobs),
            Cell::Count(fit.df_model),
            Cell::Count(fit.df_residual),
            fit.scale.common().into(),
            goodness.residual_std_error.into(),
            goodness.r_squared.into(),
            goodness.adj_r_squared.into(),
            goodness.r1.into(),
            fit.f_test.as_ref().map(|test| test.statistic).into(),
            Cell::p(fit.f_test.as_ref().map(|test| test.p_value)),
            fit.log_likelihood().into(),
            likelihood.map(|found| found.aic).into(),
            likelihood.and_then(|found| found.aicc).into(),
            likelihood.map(|found| found.bic).into(),
            goodness.rmse.into(),
            goodness.mae.into(),
            fit.shape.as_ref().and_then(|shape| shape.estimate).into(),
            fit.covariance.kind.as_str().into(),
            if fit.termination.converged { "true" } else { "false" }.into(),
        ]
    };
    Tidy::new(columns, fits.iter().map(row).collect())
}

/// Variance inflation factors, a row for each term.
pub fn inflations(found: &[Inflation]) -> Tidy {
    let columns = vec!["term", "df", "gvif", "gvif_per_df"];
    let row = |found: &Inflation| {
        let (df, per_df) = (Cell::Count(found.df as u64), found.per_df.into());
        vec![found.term.as_str().into(), df, found.gvif.into(), per_df]
    };
    Tidy::new(columns, found.iter().map(row).collect())
}

/// Scores on data, a row for each curve.
pub fn scores(scores: &[Scores]) -> Tidy {
    let columns = vec![
        "quantile",
        "nobs",
        "mse",
        "rmse",
        "mae",
        "r_squared",
        "mean_nll",
        "mean_pinball",
        "share_below",
        "level",
        "coverage",
    ];
    let row = |scores: &Scores| {
        let quantile = scores.quantile.as_ref();
        vec![
            quantile.map(|quantile| quantile.tau).into(),
            Cell::Count(scores.nobs),
            scores.mse.into(),
            scores.rmse.into(),
            scores.mae.into(),
            scores.r_squared.into(),
            scores.mean_nll.into(),
            quantile.map(|quantile| quantile.mean_pinball).into(),
            quantile.map(|quantile| quantile.share_below).into(),
            scores.level.into(),
            scores.coverage.into(),
        ]
    };
    Tidy::new(columns, scores.iter().map(row).collect())
}

/// The columns of the table of a comparison.
pub const COMPARISON: [&str; 13] = [
    "model",
    "parameters",
    "log_likelihood",
    "aic",
    "aicc",
    "bic",
    "akaike_weight",
    "log_score",
    "log_score_std_error",
    "crps",
    "coverage",
    "preferred",
    "note",
];

/// The models of a comparison, a row for each.
pub fn comparison(comparison: &Comparison) -> Tidy {
    let preferred = comparison.preferred().map(|entry| entry.candidate.to_string());
    let row = |entry: &noisefit_core::compare::Entry| {
        let out = entry.out_of_sample.as_ref();
        let name = entry.candidate.to_string();
        let is_preferred = preferred.as_ref() == Some(&name);
        vec![
            Cell::Text(name),
            Cell::Count(entry.parameters as u64),
            entry.log_likelihood.into(),
            entry.aic.into(),
            entry.aicc.into(),
            entry.bic.into(),
            entry.akaike_weight.into(),
            out.map(|out| out.log_score).into(),
            out.map(|out| out.log_score_std_error).into(),
            out.and_then(|out| out.crps).into(),
            out.map(|out| out.coverage).into(),
            if is_preferred { "true" } else { "false" }.into(),
            entry.note.as_deref().map_or(Cell::Missing, Cell::from),
        ]
    };
    Tidy::new(COMPARISON.to_vec(), comparison.models.iter().map(row).collect())
}

/// The losses of predictions, a row for each.
pub fn losses(report: &LossReport) -> Tidy {
    let columns =
        vec!["loss", "parameter", "mean", "sum", "share_of_largest", "share_of_all_largest", "gradient_at_largest"];
    let rows = report.losses.iter().map(|loss| {
        vec![
            loss.loss.into(),
            loss.parameter.into(),
            loss.mean.into(),
            loss.sum.into(),
            loss.share_of_largest.into(),
            loss.share_of_all_largest.into(),
            loss.gradient_at_largest.into(),
        ]
    });
    Tidy::new(columns, rows.collect())
}
