//! Noise models beside each other.

use noisefit_core::compare::{Comparison, Entry};

use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};

/// The models by how much their AIC exceeds the least; none where none has one.
pub fn aic(comparison: &Comparison) -> Option<Chart> {
    let mut known: Vec<(&Entry, f64)> =
        comparison.models.iter().filter_map(|entry| Some((entry, entry.aic?))).collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (_, least) = *known.first()?;
    let excess: Vec<f64> = known.iter().map(|(_, aic)| aic - least).collect();
    let count = excess.len();
    Some(Chart {
        kind: Kind::Aic,
        title: "Models by AIC".to_owned(),
        caption: "How much the AIC of each exceeds the least: by two a model is e times less likely, by ten 150 times."
            .to_owned(),
        note: None,
        x: Axis::new("AIC less the least AIC"),
        y: Axis { categories: Some(names(comparison, known.iter().map(|(entry, _)| *entry))), ..Axis::default() },
        y2: None,
        series: vec![
            Series::new("", Mark::Vertical, Colour::Grey, &[("least", vec![0.0])]),
            Series::new(
                "",
                Mark::Intervals,
                Colour::Blue,
                &[
                    ("aic_difference", excess.clone()),
                    ("model", (1..=count).map(|k| k as f64).collect()),
                    ("least", vec![0.0; count]),
                    ("difference", excess),
                ],
            ),
        ],
    })
}

/// The models by their log score out of sample, with the standard error of the difference to the best; none without
/// cross-validation.
pub fn log_score(comparison: &Comparison) -> Option<Chart> {
    let mut known: Vec<(&Entry, f64, f64)> = comparison
        .models
        .iter()
        .filter_map(|entry| {
            let found = entry.out_of_sample.as_ref()?;
            Some((entry, found.log_score_difference, found.log_score_difference_std_error))
        })
        .collect();
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    if known.is_empty() {
        return None;
    }
    let column = |of: fn(&(&Entry, f64, f64)) -> f64| known.iter().map(of).collect::<Vec<f64>>();
    Some(Chart {
        kind: Kind::LogScore,
        title: "Models by log score, out of sample".to_owned(),
        caption: format!(
            "The mean log density of rows that a model was not fitted to ({} folds), less that of the best model, with one standard \
             error of the difference on either side.",
            comparison.folds
        ),
        note: None,
        x: Axis::new("log score of an observation, less the best"),
        y: Axis { categories: Some(names(comparison, known.iter().map(|(entry, ..)| *entry))), ..Axis::default() },
        y2: None,
        series: vec![
            Series::new("", Mark::Vertical, Colour::Grey, &[("best", vec![0.0])]),
            Series::new(
                "",
                Mark::Intervals,
                Colour::Blue,
                &[
                    ("log_score_difference", column(|model| model.1)),
                    ("model", (1..=known.len()).map(|k| k as f64).collect()),
                    ("low", column(|model| model.1 - model.2)),
                    ("high", column(|model| model.1 + model.2)),
                ],
            ),
        ],
    })
}

/// The names of models, with a star at the preferred one.
fn names<'a>(comparison: &Comparison, entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    let preferred = comparison.preferred().map(|entry| &entry.candidate);
    entries
        .map(|entry| {
            let star = if preferred == Some(&entry.candidate) { " *" } else { "" };
            format!("{}{star}", entry.candidate)
        })
        .collect()
}
