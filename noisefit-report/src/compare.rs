//! A comparison as people read it.

use noisefit_core::compare::{
    Advice, BURDEN_OF_PROOF, Comparison, Difference, Entry, Judgement, Outliers, Shift, VarianceAdvice,
};
use noisefit_core::record::ShapeParameter;
use noisefit_core::wording::{Setting, Wording};

use crate::text::{count_of, optional, p_value, significant, table, wrapped};
use crate::{Place, Specification};

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
    text + &format!("\n{}", advice(found, wording))
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
                format!("{:.4}", scores.log_score_difference),
                error_of_difference(scores.log_score_difference_std_error),
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

/// The standard error of a difference, 0 where the two are the same but for rounding.
fn error_of_difference(error: f64) -> String {
    significant(if error < 1e-9 { 0.0 } else { error }, 2)
}

/// The model's name, that of the preferred one with a star.
fn name(comparison: &Comparison, entry: &Entry) -> String {
    let star = comparison.judgement.as_ref().is_some_and(|judgement| judgement.preferred == entry.candidate);
    format!("{}{}", entry.candidate, if star { " *" } else { "" })
}

/// Which model is preferred and how strong the evidence is, in a sentence.
pub fn verdict(comparison: &Comparison) -> String {
    let Some(Judgement { preferred, runner_up, ln_odds_runner_up, ln_odds_gaussian }) = &comparison.judgement else {
        return "No model is preferred: none has a proper maximum of its likelihood.".to_owned();
    };
    let next = runner_up.as_ref().zip(*ln_odds_runner_up).filter(|(other, _)| !other.is_plain_gaussian());
    if preferred.is_plain_gaussian() {
        let beside = next.map(|(other, odds)| match odds < 0.0 {
            true => format!(
                "{other}, the best of the others, is {} as likely by AIC, which is not the evidence asked for: {BURDEN_OF_PROOF} \
                 times by BIC.",
                times(-odds)
            ),
            false => format!("by AIC it is {} as likely as {other}, the best of the others.", times(odds)),
        });
        return match (beside, fits_ill(comparison)) {
            (None, _) => "Gaussian noise is taken by default: there is no other model that can be judged.".to_owned(),
            (Some(beside), true) => format!("Of these models gaussian is the best: {beside}"),
            (Some(beside), false) => format!("Gaussian noise holds: {beside} Nothing is gained by another."),
        };
    }
    let gaussian = ln_odds_gaussian.map(|odds| format!("by BIC it is {} as likely as gaussian", times(odds)));
    let next = next.map(|(other, odds)| match odds < 0.0 {
        true => format!(
            "{other}, by AIC {} as likely as it, is not proven against a simpler model ({BURDEN_OF_PROOF} times by BIC)",
            times(-odds)
        ),
        false => format!("by AIC {} as likely as {other}, the next", times(odds)),
    });
    match [gaussian, next].into_iter().flatten().collect::<Vec<_>>().join("; ") {
        nothing if nothing.is_empty() => format!("{preferred} is the only model that can be judged."),
        evidence => format!("The data prefer {preferred}: {evidence}."),
    }
}

/// A p-value of the uniformity of the PIT below which a model does not describe the noise.
const ILL: f64 = 1e-3;

/// Whether not even the preferred model describes rows that it was not fitted to.
fn fits_ill(comparison: &Comparison) -> bool {
    comparison.preferred().and_then(|entry| entry.out_of_sample.as_ref()).is_some_and(|scores| scores.pit_p_value < ILL)
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
fn advice(found: &Found<'_>, wording: &dyn Wording) -> String {
    let comparison = found.comparison;
    let verdict = verdict(comparison);
    let (Some(entry), Some(advice)) = (comparison.preferred(), &comparison.advice) else { return wrapped(&verdict) };
    let caution = match comparison.nobs < FEW {
        true => format!("With {} observations the evidence is limited: a few more may turn it.", comparison.nobs),
        false => String::new(),
    };
    let mut text = wrapped(&format!("{verdict} {} {caution}", cross_validation(comparison, entry)));
    let paragraphs = [
        misfit(comparison, entry),
        skewness(advice, comparison.nobs, wording),
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
        _ if errors.is_nan() => format!("Cross-validation cannot tell it from {name}."),
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
        (log_score > 1e-9).then(|| {
            let (size, error) = (significant(log_score, 2), significant(std_error, 2));
            format!(" Out of sample {best} is the best, {size} ahead of it (standard error {error}).")
        })
    });
    said + &ahead.unwrap_or_default()
}

/// Rows below which the robust standard deviation is so uncertain that limits in it are exceeded more often.
const FEW_FOR_DEVIATION: u64 = 200;

/// That not even the preferred model describes the noise, where that is so.
fn misfit(comparison: &Comparison, entry: &Entry) -> Option<String> {
    let p = entry.out_of_sample.as_ref()?.pit_p_value;
    fits_ill(comparison).then(|| {
        format!(
            "But none of these models describes the noise: out of sample the twenty parts that are equally likely under {} do \
             not hold equally many observations (PIT p {}). The preferred one is the least wrong.",
            entry.candidate,
            p_value(Some(p))
        )
    })
}

/// That the noise is skewed, where it clearly is.
fn skewness(advice: &Advice, nobs: u64, wording: &dyn Wording) -> Option<String> {
    let skewness = advice.skewness?;
    // Four standard errors of that of Gaussian noise.
    let clear = skewness.abs() > 4.0 * (6.0 / nobs as f64).sqrt() && skewness.abs() > 0.5 && advice.variance.is_none();
    let side = if skewness > 0.0 { "above" } else { "below" };
    clear.then(|| {
        format!(
            "The residuals of gaussian are skewed, with a long tail {side} (skewness {}). All families here are symmetric: of \
             skewed noise they describe different middles, gaussian the mean and laplace the median, so that a shift of \
             coefficients is no error of either. A transformed response (log(y) ~ ...) or quantiles ({}) may say more.",
            significant(skewness, 3),
            wording.with(Setting::Noise, "quantile:0.1,0.5,0.9")
        )
    })
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
