//! A comparison as people read it.

mod verdict;

use noisefit_core::compare::{Advice, Comparison, Difference, Entry, Outliers, Scrutiny, Shift, VarianceAdvice};
use noisefit_core::record::ShapeParameter;
use noisefit_core::wording::{Setting, Wording};

use crate::text::{count_of, optional, p_value, significant, table, wrapped};
use crate::{Place, Specification};

pub use verdict::verdict;

/// With fewer observations a word of caution is due.
const FEW: u64 = 50;

/// Coefficients that are shown, at most.
const TERMS: usize = 10;

/// A comparison, where the rows of its advice stand, and what to do next.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The models beside each other.
    pub comparison: &'a Comparison,
    /// Where the outlying rows of the advice stand.
    pub outlying_rows: &'a [Place<'a>],
    /// How whoever reads this fits the preferred model.
    pub next: Option<&'a str>,
}

/// The tables, and the advice below them.
pub fn summary(model: &Specification, found: &Found<'_>, times: bool, wording: &dyn Wording) -> String {
    let (comparison, counts) = (found.comparison, model.counts.unwrap_or_default());
    let mut text = format!("{}\n", model.formula);
    if let Some(scale) = &model.scale {
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
    let notes: String = notes.map(|(candidate, note)| wrapped(&format!("{candidate}: {note}."))).collect();
    if !notes.is_empty() {
        text += &format!("\n{notes}");
    }
    if model.transformed.is_some() {
        let response = &model.response;
        let of = match model.no_claim() {
            None => format!("the response itself: the Jacobian of {response} is in them"),
            Some(why) => format!("{response}, not of the response itself, for {why}"),
        };
        let note = format!("Likelihoods and log scores are those of {of}. CRPS is of {response}.");
        text += &format!("\n{}", wrapped(&note));
    }
    text + &format!("\n{}", advice(model, found, wording))
}

/// What the fits to all rows say.
pub fn likelihoods(comparison: &Comparison, times: bool) -> String {
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
                format!("{:.4}", or_zero(scores.log_score_difference)),
                significant(or_zero(scores.log_score_difference_std_error), 2),
                optional(scores.crps, 4),
                format!("{:.1}%", 100.0 * scores.coverage),
                p_value(scores.pit_p_value),
            ],
        };
        [vec![name(comparison, entry)], cells].concat()
    };
    let title = format!("out of sample, {} folds", comparison.folds);
    let heading = [&title[..], "log score", "std_error", "to best", "std_error", "CRPS", "90% covers", "PIT p"];
    table(&heading, &comparison.models.iter().map(row).collect::<Vec<_>>())
}

/// A difference of mean log densities below this is one of rounding.
const ROUNDING: f64 = 1e-9;

/// A difference of mean log densities, or its standard error: zero where it is one of rounding.
fn or_zero(difference: f64) -> f64 {
    if difference.abs() < ROUNDING { 0.0 } else { difference }
}

/// The model's name, that of the preferred one with a star.
fn name(comparison: &Comparison, entry: &Entry) -> String {
    let star = comparison.judgement.as_ref().is_some_and(|judgement| judgement.preferred == entry.candidate);
    format!("{}{}", entry.candidate, if star { " *" } else { "" })
}

/// What speaks for the preferred model, and what to do.
fn advice(model: &Specification, found: &Found<'_>, wording: &dyn Wording) -> String {
    let comparison = found.comparison;
    let verdict = verdict(comparison);
    let (Some(entry), Some(advice)) = (comparison.preferred(), &comparison.advice) else { return wrapped(&verdict) };
    let caution = match comparison.nobs < FEW {
        true => format!("With {} observations the evidence is limited: a few more may turn it.", comparison.nobs),
        false => String::new(),
    };
    let mut text = wrapped(&format!("{verdict} {} {caution}", cross_validation(comparison, entry)));
    let paragraphs = [
        comparison.scrutiny.as_ref().and_then(|scrutiny| skewness(scrutiny, model, wording)),
        advice.variance.as_ref().map(variance),
        tails(advice, entry),
    ];
    for paragraph in paragraphs.into_iter().flatten() {
        text += &format!("\n{}", wrapped(&paragraph));
    }
    if let Some(rows) = &advice.outliers {
        text += &format!("\n{}", outliers(rows, entry, found.outlying_rows, comparison.nobs));
    }
    if !advice.coefficients.is_empty() {
        text += &format!("\n{}", coefficients(advice, entry));
    }
    if let Some(next) = found.next {
        text += &format!("\nNext: {next}\n");
    }
    text
}

/// Whether predictions of rows left out agree with the likelihood.
fn cross_validation(comparison: &Comparison, entry: &Entry) -> String {
    let judgement = comparison.judgement.as_ref();
    let gaussian = comparison.gaussian().filter(|other| other.candidate != entry.candidate);
    let runner_up = judgement.and_then(|judgement| {
        comparison.models.iter().find(|other| Some(&other.candidate) == judgement.runner_up.as_ref())
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
    let said = match (log_score >= 0.0, errors >= 2.0) {
        _ if log_score.abs() < ROUNDING => format!("Cross-validation cannot tell it from {name}: they predict alike."),
        (true, true) => format!("Cross-validation agrees: {size}."),
        (false, true) => format!("Cross-validation disagrees: {size}."),
        (_, false) => format!("Cross-validation does not decide: {size}."),
    };
    // Where another is best out of sample that was not spoken of.
    let scores = |entry: &&Entry| entry.out_of_sample.as_ref().map(|scores| scores.log_score);
    let scored = comparison.models.iter().filter_map(|entry| scores(&entry).map(|score| (entry, score)));
    let best = scored.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(entry, _)| &entry.candidate);
    let ahead = best.filter(|best| **best != entry.candidate && **best != other.candidate).and_then(|best| {
        let Difference { log_score, std_error } = comparison.difference(best, &entry.candidate)?;
        (log_score > ROUNDING).then(|| {
            let (size, error) = (significant(log_score, 2), significant(std_error, 2));
            format!(" Out of sample {best} is the best, {size} ahead of it (standard error {error}).")
        })
    });
    said + &ahead.unwrap_or_default()
}

/// Rows below which the robust standard deviation is so uncertain that limits in it are exceeded more often.
const FEW_FOR_DEVIATION: u64 = 200;

/// What to do where the noise is skewed.
fn skewness(scrutiny: &Scrutiny, model: &Specification, wording: &dyn Wording) -> Option<String> {
    let skewness = verdict::skewed(scrutiny)?;
    // A logarithm draws in a tail above, of what is positive.
    let logarithm = match skewness > 0.0 && scrutiny.least_response > 0.0 && model.transformed.is_none() {
        true => format!("A transformed response (log({}) ~ ...) or quantiles", model.response),
        false => "Quantiles".to_owned(),
    };
    Some(format!(
        "All families here are symmetric: of skewed noise they describe different middles, gaussian the mean and laplace the \
         median, so that a shift of coefficients is no error of either. {logarithm} ({}) may say more.",
        wording.with(Setting::Noise, "quantile:0.1,0.5,0.9")
    ))
}

/// How the scale varies.
fn variance(variance: &VarianceAdvice) -> String {
    let VarianceAdvice { term, statistic, from, to, factor, overall_factor } = variance;
    let [from, to] = [from, to].map(|value| significant(*value, 4));
    let verb = if *factor >= 1.0 { "grows" } else { "falls" };
    format!(
        "The noise {verb} with {term} (z {}): at {to}, the upper end of its middle 80%, its standard deviation is {} times that \
         at {from}, the lower end. Over the rows it varies by a factor of {} between its own 10% and 90% quantiles.",
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
    if let Some(ShapeParameter { estimate, conf_low, conf_high, bound, .. }) = &advice.df {
        let df = |value: &Option<f64>, absent: &str| value.map_or_else(|| absent.to_owned(), |df| significant(df, 3));
        let scale = if entry.candidate.models_scale { "+scale" } else { "" };
        text += &format!(
            " student-t{scale} estimates {} degrees of freedom, 95% interval {} to {}; Gaussian noise has infinitely many.",
            df(estimate, "infinite"),
            df(conf_low, &format!("below {}", significant(bound.unwrap_or(0.5), 3))),
            df(conf_high, "infinity")
        );
    }
    Some(text)
}

/// The rows that Gaussian noise does not explain.
fn outliers(outliers: &Outliers, entry: &Entry, places: &[Place<'_>], nobs: u64) -> String {
    let Outliers { deviation, limit, beyond, apart, rows } = outliers;
    let unit = if entry.candidate.models_scale { " of the modelled scale" } else { "" };
    let limit = format!(
        "{} robust standard deviations ({}{unit}) from {}",
        significant(*limit, 3),
        significant(*deviation, 4),
        entry.candidate
    );
    // Of few rows the robust deviation is itself uncertain.
    let often = if nobs < FEW_FOR_DEVIATION { "10" } else { "20" };
    let farthest = format!("which Gaussian noise exceeds in about one of {often} such samples");
    if *beyond == 0 {
        return wrapped(&format!("No row lies more than {limit}, {farthest}."));
    }
    let verb = if *beyond == 1 { "lies" } else { "lie" };
    let mut text = format!("{} {verb} more than {limit}, {farthest}.", count_of(*beyond, "row"));
    let apart = apart.filter(|apart| *apart > 0 && apart < beyond).map(|apart| apart as usize);
    let shown = &rows[..apart.unwrap_or(rows.len()).min(rows.len())];
    text += &match apart {
        Some(1) => " One of them stands apart from all others:".to_owned(),
        Some(apart) => format!(" {apart} of them stand apart from all others:"),
        None if shown.len() < *beyond as usize => " The farthest:".to_owned(),
        None => String::new(),
    };
    let several_files = places.iter().any(|place| place.file != places[0].file);
    let cells = shown.iter().filter_map(|row| {
        let place = places.iter().find(|place| place.row == row.row)?;
        let number = match several_files {
            true => format!("{} {}", place.file, place.record),
            false => place.record.to_string(),
        };
        let values = place.values.iter().map(|(_, value)| value.clone());
        Some([number].into_iter().chain(values).chain([format!("{:.1}", row.deviations)]).collect())
    });
    let names = places.first().map_or(&[][..], |place| place.values).iter().map(|(name, _)| name.as_str());
    let heading: Vec<&str> = ["row"].into_iter().chain(names).chain(["deviations"]).collect();
    wrapped(&text) + &table(&heading, &cells.collect::<Vec<_>>())
}

/// What changes in the coefficients if plain Gaussian noise is assumed.
fn coefficients(advice: &Advice, entry: &Entry) -> String {
    let preferred = entry.candidate.to_string();
    let row = |shift: &Shift| {
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
