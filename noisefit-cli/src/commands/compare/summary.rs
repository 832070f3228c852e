//! A comparison as people read it.

use noisefit::compare::{Advice, BURDEN_OF_PROOF, Comparison, Difference, Entry, Judgement, Outliers, VarianceAdvice};
use noisefit::fit::ShapeParameter;
use noisefit_data::formula::Design;
use noisefit_data::source::{Counts, RowPlace};

use super::Record;
use crate::output::{count_of, optional, p_value, significant, table};

/// With fewer observations a word of caution is due.
const FEW: u64 = 50;

/// Coefficients that are shown, at most.
const TERMS: usize = 10;

/// The tables, and the advice below them.
pub(super) fn summary(record: &Record<'_>, design: &Design, counts: Counts, times: bool) -> String {
    let comparison = record.comparison;
    let mut text = format!("{}\n", record.formula);
    if let Some(scale) = design.formula().scale() {
        text += &format!("log scale ~ {scale} (+scale)\n");
    }
    text += &format!(
        "{} on {}",
        count_of(comparison.models.len() as u64, "model"),
        count_of(comparison.nobs, "observation")
    );
    for (count, why) in [(counts.missing, "with missing values"), (counts.weightless, "of weight zero")] {
        if count > 0 {
            text += &format!(", {} {why} left out", count_of(count, "row"));
        }
    }
    text += &format!("\n\n{}", likelihoods(comparison, times));
    if comparison.folds > 0 {
        text += &format!("\n{}", scores(comparison));
    }
    let notes = comparison.models.iter().filter_map(|entry| Some((&entry.candidate, entry.note.as_ref()?)));
    let notes: String = notes.map(|(candidate, note)| format!("{candidate} cannot win: {note}\n")).collect();
    if !notes.is_empty() {
        text += &format!("\n{notes}");
    }
    if record.response_jacobian {
        let response = &design.layout().response;
        text += &format!(
            "\nLikelihoods and log scores are those of the response itself: the Jacobian of {response} is in them. CRPS is of\n\
             {response}.\n"
        );
    }
    text + &format!("\n{}", advice(record))
}

/// What the fits to all rows say.
pub(crate) fn likelihoods(comparison: &Comparison, times: bool) -> String {
    let row = |entry: &Entry| {
        let mut cells = vec![
            name(comparison, entry),
            entry.parameters.to_string(),
            optional(entry.log_likelihood, 7),
            optional(entry.aic, 7),
            optional(entry.aicc, 7),
            optional(entry.bic, 7),
            entry.akaike_weight.map_or_else(|| "NA".to_owned(), |weight| format!("{weight:.3}")),
        ];
        if times {
            cells.push(entry.seconds.map_or_else(|| "NA".to_owned(), |seconds| format!("{seconds:.3}")));
        }
        cells
    };
    let mut heading = vec!["model", "parameters", "log-likelihood", "AIC", "AICc", "BIC", "weight"];
    if times {
        heading.push("seconds");
    }
    table(&heading, &comparison.models.iter().map(row).collect::<Vec<_>>())
}

/// How the models predict rows that they were not fitted to.
fn scores(comparison: &Comparison) -> String {
    let row = |entry: &Entry| {
        let cells = match &entry.out_of_sample {
            None => vec!["NA".to_owned(); 7],
            Some(scores) => vec![
                format!("{:.4}", scores.log_score),
                significant(scores.log_score_std_error, 2),
                format!("{:.4}", scores.log_score_difference),
                significant(scores.log_score_difference_std_error, 2),
                optional(scores.crps, 4),
                format!("{:.1}%", 100.0 * scores.coverage),
                p_value(Some(scores.pit_p_value)),
            ],
        };
        [vec![name(comparison, entry)], cells].concat()
    };
    let title = format!("out of sample, {} folds", comparison.folds);
    let heading = [&title[..], "log score", "std_error", "to best", "std_error", "CRPS", "90% covers", "PIT p"];
    table(&heading, &comparison.models.iter().map(row).collect::<Vec<_>>())
}

/// The model's name, that of the preferred one with a star.
fn name(comparison: &Comparison, entry: &Entry) -> String {
    let star =
        comparison.judgement.as_ref().is_some_and(|judgement| judgement.preferred == entry.candidate.to_string());
    format!("{}{}", entry.candidate, if star { " *" } else { "" })
}

/// Which model is preferred and how strong the evidence is, in a sentence.
pub(crate) fn verdict(comparison: &Comparison) -> String {
    let Some(Judgement { preferred, runner_up, ln_odds_runner_up, ln_odds_gaussian }) = &comparison.judgement else {
        return "No model is preferred: none has a proper maximum of its likelihood.".to_owned();
    };
    let next = runner_up.as_ref().zip(*ln_odds_runner_up);
    match (ln_odds_gaussian, next) {
        (None, None) => format!("{preferred} is the only model that can be judged."),
        (Some(gaussian), Some((other, _))) if other == "gaussian" => {
            format!("The data prefer {preferred}: by BIC it is {} as likely as gaussian, the next.", times(*gaussian))
        }
        (Some(gaussian), Some((other, odds))) => format!(
            "The data prefer {preferred}: by BIC it is {} as likely as gaussian, and {}.",
            times(*gaussian),
            beside(odds, other)
        ),
        (None, Some((other, odds))) if preferred == "gaussian" => match odds < 0.0 {
            true => format!(
                "Gaussian noise holds: by BIC {other} is {} as likely, and {BURDEN_OF_PROOF} times would be evidence against it.",
                times(-odds)
            ),
            false => format!(
                "Gaussian noise holds: by BIC it is {} as likely as {other}, the best of the others. Nothing is gained by them.",
                times(odds)
            ),
        },
        (_, Some((other, odds))) => format!("The data prefer {preferred}: by BIC it is {}.", beside(odds, other)),
        (Some(gaussian), None) => format!("The data prefer {preferred}: {} as likely as gaussian.", times(*gaussian)),
    }
}

/// A model beside the next best.
fn beside(odds: f64, other: &str) -> String {
    match odds < 0.0 {
        true => format!("simpler than {other}, which is but {} as likely", times(-odds)),
        false => format!("{} as likely as {other}, the next", times(odds)),
    }
}

/// How many times as likely, given the logarithm.
fn times(ln_odds: f64) -> String {
    match ln_odds {
        ln if ln < 100f64.ln() => format!("{} times", significant(ln.exp(), 2)),
        ln if ln < 1e6f64.ln() => format!("{:.0} times", ln.exp()),
        ln => format!("10^{:.0} times", ln / std::f64::consts::LN_10),
    }
}

/// What speaks for the preferred model, and what to do.
fn advice(record: &Record<'_>) -> String {
    let comparison = record.comparison;
    let mut text = format!("{}\n", verdict(comparison));
    let (Some(entry), Some(advice)) = (comparison.preferred(), &comparison.advice) else { return text };
    text += &cross_validation(comparison, entry);
    if comparison.nobs < FEW {
        text +=
            &format!("With {} observations the evidence is limited: another few rows may turn it.\n", comparison.nobs);
    }
    let paragraphs = [
        advice.variance.as_ref().map(variance),
        tails(advice, entry),
        advice.outliers.as_ref().and_then(|found| outliers(found, entry, record.outlying_rows)),
    ];
    paragraphs.into_iter().flatten().for_each(|paragraph| text += &format!("\n{paragraph}"));
    if !advice.coefficients.is_empty() {
        text += &format!("\n{}", coefficients(advice, entry));
    }
    if let Some(next) = &record.next {
        text += &format!("\nNext: {next}\n");
    }
    text
}

/// Whether predictions of rows left out agree with the likelihood.
fn cross_validation(comparison: &Comparison, entry: &Entry) -> String {
    let judgement = comparison.judgement.as_ref();
    let gaussian = comparison.gaussian().filter(|other| other.candidate != entry.candidate);
    let runner_up = judgement.and_then(|judgement| {
        comparison.models.iter().find(|other| Some(other.candidate.to_string()) == judgement.runner_up)
    });
    let Some(other) = gaussian.or(runner_up) else { return String::new() };
    let Some(Difference { log_score, std_error }) = comparison.difference(&entry.candidate, &other.candidate) else {
        return String::new();
    };
    let (better, name) = (if log_score < 0.0 { "worse" } else { "better" }, &other.candidate);
    let errors = log_score.abs() / std_error;
    let size = format!(
        "out of sample its log score is {} {better} than that of {name} by {} standard errors",
        significant(log_score.abs(), 2),
        significant(errors, 2)
    );
    match (log_score >= 0.0, errors >= 2.0) {
        _ if errors.is_nan() => format!("Cross-validation cannot tell it from {name}.\n"),
        (true, true) => format!("Cross-validation agrees: {size}.\n"),
        (false, true) => format!("Cross-validation disagrees: {size}.\n"),
        (_, false) => format!("Cross-validation does not decide: {size}.\n"),
    }
}

/// How the scale varies.
fn variance(variance: &VarianceAdvice) -> String {
    let VarianceAdvice { term, statistic, from, to, factor, overall_factor } = variance;
    let [from, to] = [from, to].map(|value| significant(*value, 4));
    let verb = if *factor >= 1.0 { "grows" } else { "falls" };
    format!(
        "The noise {verb} with {term} (z {}): at {to}, the upper end of its middle 80%, its standard deviation is {} times\n\
         that at {from}, the lower end. Over the rows it varies by a factor of {} between its own 10% and 90% quantiles.\n",
        significant(*statistic, 3),
        significant(*factor, 3),
        significant(*overall_factor, 3),
    )
}

/// How heavy the tails are.
fn tails(advice: &Advice, entry: &Entry) -> Option<String> {
    let kurtosis = significant(advice.kurtosis?, 3);
    let mut text = format!("The residuals of gaussian have a kurtosis of {kurtosis}; Gaussian noise has 3.");
    if let Some(kurtosis) = advice.kurtosis_over_scale {
        text += &format!(" Over the modelled scale it is {}.", significant(kurtosis, 3));
    }
    if let Some(ShapeParameter { estimate, conf_low, conf_high, .. }) = &advice.df {
        let df = |value: &Option<f64>, absent: &str| value.map_or_else(|| absent.to_owned(), |df| significant(df, 3));
        let scale = if entry.candidate.models_scale { "+scale" } else { "" };
        text += &format!(
            "\nstudent-t{scale} estimates {} degrees of freedom, 95% interval {} to {}; Gaussian noise has infinitely many.",
            df(estimate, "infinite"),
            df(conf_low, "below 0.5"),
            df(conf_high, "infinity")
        );
    }
    Some(text + "\n")
}

/// The rows that Gaussian noise does not explain.
fn outliers(outliers: &Outliers, entry: &Entry, places: &[RowPlace]) -> Option<String> {
    let Outliers { deviation, limit, beyond, apart, rows } = outliers;
    let unit = if entry.candidate.models_scale { " of the modelled scale" } else { "" };
    let what = format!(
        "{} robust standard deviations ({}{unit}) from {}",
        significant(*limit, 3),
        significant(*deviation, 4),
        entry.candidate
    );
    if *beyond == 0 {
        return Some(format!(
            "No row lies more than {what}, as far as Gaussian noise goes in 19 of 20 such samples.\n"
        ));
    }
    let (verb, go) = if *beyond == 1 { ("lies", "goes") } else { ("lie", "goes") };
    let mut text = format!(
        "{} {verb} more than {what}; Gaussian noise {go} no farther in 19 of\n20 such samples.",
        count_of(*beyond, "row")
    );
    let shown = match apart {
        Some(apart) if *apart > 0 && apart < beyond => {
            text += &format!(" {apart} of them stand{} apart from all others:\n", if *apart == 1 { "s" } else { "" });
            (*apart as usize).min(rows.len())
        }
        _ => {
            text += if rows.len() < *beyond as usize { " The farthest:\n" } else { "\n" };
            rows.len()
        }
    };
    let cells = rows[..shown].iter().filter_map(|row| {
        let place = places.iter().find(|place| place.row == row.row)?;
        let values = place.values.iter().map(|(_, value)| value.clone());
        let own = [place.record.to_string()].into_iter().chain(values);
        Some(own.chain([format!("{:.1}", row.deviations)]).collect::<Vec<_>>())
    });
    let names = places.first().map_or(&[][..], |place| &place.values);
    let several = places.iter().any(|place| place.file != places[0].file);
    let heading: Vec<&str> =
        ["row"].into_iter().chain(names.iter().map(|(name, _)| name.as_str())).chain(["deviations"]).collect();
    let mut cells: Vec<Vec<String>> = cells.collect();
    if several {
        for (cells, row) in cells.iter_mut().zip(&rows[..shown]) {
            if let Some(place) = places.iter().find(|place| place.row == row.row) {
                cells[0] = format!("{} {}", place.file, place.record);
            }
        }
    }
    Some(text + &table(&heading, &cells))
}

/// What changes in the coefficients if plain Gaussian noise is assumed.
fn coefficients(advice: &Advice, entry: &Entry) -> String {
    let preferred = entry.candidate.to_string();
    let row = |shift: &noisefit::compare::Shift| {
        vec![
            shift.term.clone(),
            significant(shift.gaussian, 6),
            optional(shift.gaussian_std_error, 4),
            significant(shift.preferred, 6),
            optional(shift.preferred_std_error, 4),
            optional(shift.shift, 3),
        ]
    };
    let rows: Vec<_> = advice.coefficients.iter().take(TERMS).map(row).collect();
    let hidden = advice.coefficients.len().saturating_sub(TERMS);
    let more =
        if hidden > 0 { format!("and {} that differ less\n", count_of(hidden as u64, "term")) } else { String::new() };
    let heading = ["term", "gaussian", "std_error", &preferred, "std_error", "shift"];
    format!(
        "What ignoring it changes in the coefficients; the shift is in standard errors of {preferred}:\n{}{more}",
        table(&heading, &rows)
    )
}
