//! Scores on data as people read them.

use noisefit_core::inference::evaluate::Scores;
use noisefit_core::record::Counts;

use crate::Specification;
use crate::text::{count_of, optional, percent, significant, table};

/// The scores of one curve as lines, of several quantiles as a table.
pub fn summary(evaluated: &[Scores], model: &Specification, counts: Counts) -> String {
    let mut text = match evaluated {
        [one] => scores(one, counts),
        several => quantiles(several, counts),
    };
    if model.weights.is_some() {
        text += "\nEach row counts as much as any other: the model's weights tell the noise of a row, for its likelihood and \
                 its interval.\n";
    }
    if model.sampling_weights.is_some() {
        text += "\nEach row counts by its sampling weight: the scores are estimates of those of the population.\n";
    }
    if model.transformed.is_some() {
        let response = &model.response;
        let of = match model.no_claim() {
            None => format!("of the response itself: the Jacobian of {response} is in it"),
            Some(why) => format!("of {response}, too, for {why}"),
        };
        text += &format!("\nErrors are those of {response}; the likelihood is that {of}.\n");
    }
    text
}

/// The level and the coverage of the conformal interval of several quantiles.
pub fn outermost_coverage(scores: &[Scores]) -> Option<(f64, f64)> {
    let first = scores.first()?;
    Some((first.level, first.coverage?))
}

/// The scores for people.
fn scores(scores: &Scores, counts: Counts) -> String {
    let mut lines = vec![
        ("observations".to_owned(), scores.nobs.to_string()),
        ("rows left out, values missing".to_owned(), counts.missing.to_string()),
        ("MSE".to_owned(), significant(scores.mse, 7)),
        ("RMSE".to_owned(), significant(scores.rmse, 7)),
        ("MAE".to_owned(), significant(scores.mae, 7)),
        ("R2, about the mean of these rows".to_owned(), optional(scores.r_squared, 7)),
        ("mean negative log-likelihood".to_owned(), optional(scores.mean_nll, 7)),
    ];
    match &scores.quantile {
        Some(quantile) => lines.extend([
            (format!("mean pinball loss at {}", quantile.tau), significant(quantile.mean_pinball, 7)),
            (format!("share below the quantile {}", quantile.tau), significant(quantile.share_below, 4)),
        ]),
        None => {
            let name = format!("coverage of {} {} intervals", percent(scores.level), scores.interval);
            lines.push((name, optional(scores.coverage, 4)));
        }
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// One row for each quantile.
fn quantiles(scores: &[Scores], counts: Counts) -> String {
    let row = |scores: &Scores| {
        let quantile = scores.quantile.as_ref();
        vec![
            quantile.map_or_else(String::new, |quantile| quantile.tau.to_string()),
            optional(quantile.map(|quantile| quantile.share_below), 4),
            optional(quantile.map(|quantile| quantile.mean_pinball), 7),
            optional(scores.mean_nll, 7),
            significant(scores.mae, 7),
        ]
    };
    let rows: Vec<_> = scores.iter().map(row).collect();
    let mut text = format!("{} scored", count_of(scores.first().map_or(0, |scores| scores.nobs), "observation"));
    if counts.missing > 0 {
        text += &format!(", {} with missing values left out", count_of(counts.missing, "row"));
    }
    let heading = ["quantile", "share below", "mean pinball loss", "mean NLL", "MAE"];
    let coverage = outermost_coverage(scores).map_or_else(String::new, |(level, coverage)| {
        format!("\ncoverage of {} conformal intervals  {}\n", percent(level), significant(coverage, 4))
    });
    format!("{text}\n\n{}{coverage}", table(&heading, &rows))
}
