//! Formulas side by side as people read them.

use noisefit_core::compare::{Comparison, Entry};
use serde::Serialize;

use crate::text::{count_of, optional, p_value, significant, table};
use crate::tidy::{Cell, Tidy};

/// Several formulas of one response on the same rows.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// The formulas in the order that they were given.
    pub formulas: Vec<OfFormula>,
    /// Every pair of them.
    pub pairs: Vec<Nesting>,
}

/// One formula under each noise.
#[derive(Debug, Clone, Serialize)]
pub struct OfFormula {
    /// The formula.
    pub formula: String,
    /// Rows left out because a column of any of the formulas is missing.
    pub dropped: u64,
    /// What came of it under each noise.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// What two formulas are to one another; they are counted from zero.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "pair", rename_all = "snake_case")]
pub enum Nesting {
    /// Neither has all predictors of the other.
    Apart {
        /// One.
        one: usize,
        /// The other.
        other: usize,
    },
    /// Both have the same predictors.
    Same {
        /// One.
        one: usize,
        /// The other.
        other: usize,
    },
    /// All predictors of the one are predictors of the other.
    Nested {
        /// The one with fewer.
        smaller: usize,
        /// The one with more.
        larger: usize,
        /// The tests that the smaller one is enough, one for each noise under which both have a fit.
        ratios: Vec<Ratio>,
    },
}

/// A likelihood ratio test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    /// The noise.
    pub model: String,
    /// Twice what the log-likelihood of the larger one is more.
    pub ratio: f64,
    /// What it is compared with F as, where the small sample is allowed for.
    pub f_statistic: Option<f64>,
    /// How many numbers more the larger one has.
    pub df: f64,
    /// The residual degrees of freedom of the larger one.
    pub df_residual: Option<f64>,
    /// The p-value.
    pub p_value: Option<f64>,
}

/// The tables.
pub fn summary(found: &Compared) -> String {
    let Some(first) = found.formulas.first() else { return String::new() };
    let several = found.formulas.iter().any(|of| of.comparison.models.len() > 1);
    let mut text = String::new();
    for (k, of) in found.formulas.iter().enumerate() {
        text += &format!("{}: {}\n", k + 1, of.formula);
    }
    text += &format!("{} that are complete for all of them", count_of(first.comparison.nobs, "observation"));
    if first.dropped > 0 {
        text += &format!(", {} with missing values left out", count_of(first.dropped, "row"));
    }
    text += "\n\n";
    let scored = first.comparison.folds > 0;
    let mut heading = vec!["formula"];
    heading.extend(several.then_some("model"));
    heading.extend(["parameters", "log-likelihood", "AIC", "AICc", "BIC"]);
    heading.extend(scored.then_some("log score"));
    let row = |k: usize, entry: &Entry| {
        let mut row = vec![(k + 1).to_string()];
        row.extend(several.then(|| entry.candidate.to_string()));
        row.extend([entry.parameters.to_string(), optional(entry.log_likelihood, 7)]);
        row.extend([entry.aic, entry.aicc, entry.bic].map(|value| optional(value, 7)));
        row.extend(scored.then(|| optional(entry.out_of_sample.as_ref().map(|out| out.log_score), 5)));
        row
    };
    let rows = found.formulas.iter().enumerate();
    let rows = rows.flat_map(|(k, of)| of.comparison.models.iter().map(move |entry| row(k, entry)).collect::<Vec<_>>());
    text += &table(&heading, &rows.collect::<Vec<_>>());
    text += &format!("\n{}", best(found, scored));
    text += &ratios(found, several);
    text
}

/// Which is best by what.
fn best(found: &Compared, scored: bool) -> String {
    let entries = || {
        let all = found.formulas.iter().enumerate();
        all.flat_map(|(k, of)| of.comparison.models.iter().filter(|entry| entry.may_win()).map(move |entry| (k, entry)))
    };
    let several = found.formulas.iter().any(|of| of.comparison.models.len() > 1);
    let said = |what: &str, value: &dyn Fn(&Entry) -> Option<f64>| {
        let known = entries().filter_map(|(k, entry)| Some((k, entry, value(entry)?)));
        known.min_by(|a, b| a.2.total_cmp(&b.2)).map(|(k, entry, _)| {
            let noise = if several { format!(" under {}", entry.candidate) } else { String::new() };
            format!("{what}: {}{noise}\n", k + 1)
        })
    };
    let mut text = said("least AIC", &|entry| entry.aic).unwrap_or_default();
    text += &said("least BIC", &|entry| entry.bic).unwrap_or_default();
    if scored {
        let score = |entry: &Entry| entry.out_of_sample.as_ref().map(|out| -out.log_score);
        text += &said("best log score of rows left out", &score).unwrap_or_default();
    }
    text
}

fn ratios(found: &Compared, several: bool) -> String {
    let (mut rows, mut notes) = (Vec::new(), String::new());
    let mut corrected = true;
    for pair in &found.pairs {
        match pair {
            Nesting::Apart { one, other } => {
                notes += &format!("{} and {} are not nested: no likelihood ratio compares them\n", one + 1, other + 1);
            }
            Nesting::Same { one, other } => {
                notes += &format!("{} and {} have the same predictors\n", one + 1, other + 1);
            }
            Nesting::Nested { smaller, larger, ratios } => {
                for ratio in ratios {
                    corrected &= ratio.f_statistic.is_some();
                    let mut row = vec![format!("{} in {}", smaller + 1, larger + 1)];
                    row.extend(several.then(|| ratio.model.clone()));
                    row.push(significant(ratio.ratio, 5));
                    row.extend(ratio.f_statistic.map(|f| significant(f, 5)));
                    row.push(ratio.df.to_string());
                    row.extend(ratio.df_residual.map(|df| df.to_string()));
                    row.push(p_value(ratio.p_value));
                    rows.push(row);
                }
            }
        }
    }
    let mut text = String::new();
    if !rows.is_empty() {
        let mut heading = vec!["nested"];
        heading.extend(several.then_some("model"));
        heading.push("2 log ratio");
        heading.extend(corrected.then_some("F"));
        heading.push("df");
        heading.extend(corrected.then_some("residual df"));
        heading.push("p_value");
        text += &format!("\n{}", table(&heading, &rows));
    }
    if !notes.is_empty() {
        text += &format!("\n{notes}");
    }
    text
}

/// A row for each formula under each noise.
pub fn tidy(found: &Compared) -> Tidy {
    let columns = vec![
        "formula",
        "model",
        "parameters",
        "log_likelihood",
        "aic",
        "aicc",
        "bic",
        "log_score",
        "log_score_std_error",
        "note",
    ];
    let row = |of: &OfFormula, entry: &Entry| {
        let out = entry.out_of_sample.as_ref();
        vec![
            of.formula.as_str().into(),
            Cell::Text(entry.candidate.to_string()),
            Cell::Count(entry.parameters as u64),
            entry.log_likelihood.into(),
            entry.aic.into(),
            entry.aicc.into(),
            entry.bic.into(),
            out.map(|out| out.log_score).into(),
            out.map(|out| out.log_score_std_error).into(),
            entry.note.as_deref().map_or(Cell::Missing, Cell::from),
        ]
    };
    let rows = found.formulas.iter().flat_map(|of| of.comparison.models.iter().map(move |entry| row(of, entry)));
    Tidy::new(columns, rows.collect())
}
