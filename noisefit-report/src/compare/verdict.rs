//! Which model is preferred, on what evidence, and what speaks against it all the same.

use noisefit_core::compare::{BURDEN_OF_PROOF, Candidate, Comparison, Judgement, Scrutiny};

use crate::text::{p_value, percent, significant};

/// Below this what was looked at speaks against a model: each look does so of one in a hundred samples of the noise itself.
const CLEAR: f64 = 0.01;

/// What all families have in common, which no comparison of them can tell.
const COMMON: &str = "symmetric noise that is independent from row to row";

/// Which model is preferred and how strong the evidence is, and whether the rows agree with it.
pub fn verdict(comparison: &Comparison) -> String {
    let Some(judgement) = &comparison.judgement else {
        return "No model is preferred: none has a proper maximum of its likelihood.".to_owned();
    };
    format!("{}{}", preference(comparison, judgement), agreement(comparison))
}

/// Which model is preferred, and the evidence.
fn preference(comparison: &Comparison, judgement: &Judgement) -> String {
    let Judgement { preferred, runner_up, ln_odds_runner_up, ln_odds_gaussian } = judgement;
    let next = runner_up.as_ref().zip(*ln_odds_runner_up).filter(|(other, _)| !other.is_plain_gaussian());
    if preferred.is_plain_gaussian() {
        return match next {
            None => "Gaussian noise is taken by default: there is no other model that can be judged.".to_owned(),
            Some((other, odds)) if odds < 0.0 => format!(
                "Among {COMMON}, gaussian is kept: {other} has the lower AIC (of which gaussian's relative likelihood is {}), but \
                 BIC, which charges more for parameters, has {}, and {BURDEN_OF_PROOF} to 1 for it are asked for.",
                relative_likelihood(-odds),
                odds_of(comparison, other, preferred),
            ),
            Some((other, odds)) => format!(
                "Among {COMMON}, gaussian is preferred: {other}, the best of the others, has a relative likelihood of {} by AIC.",
                relative_likelihood(odds)
            ),
        };
    }
    let gaussian =
        ln_odds_gaussian.map(|odds| format!("by BIC the odds for it are {} to 1 over gaussian", odds_in_words(odds)));
    let next = next.map(|(other, odds)| match odds < 0.0 {
        true => format!(
            "{other} has the lower AIC (of which its relative likelihood is {}), and is not proven against a simpler model \
             ({BURDEN_OF_PROOF} to 1 by BIC)",
            relative_likelihood(-odds)
        ),
        false => format!("{other}, the next, has a relative likelihood of {} by AIC", relative_likelihood(odds)),
    });
    match [gaussian, next].into_iter().flatten().collect::<Vec<_>>().join("; ") {
        nothing if nothing.is_empty() => format!("{preferred} is the only model that can be judged."),
        evidence => format!("Among {COMMON}, the data prefer {preferred}: {evidence}."),
    }
}

/// Whether the rows agree with the preferred model; nothing where they were not looked at.
fn agreement(comparison: &Comparison) -> String {
    let Some(scrutiny) = &comparison.scrutiny else { return String::new() };
    let objections = objections(comparison, scrutiny);
    if !objections.is_empty() {
        return format!(" But the rows speak against it: {}.", objections.join("; "));
    }
    let looks = [
        pit(comparison).map(|p| format!("shares (PIT p {})", p_value(Some(p)))),
        scrutiny.asymmetry.as_ref().map(|_| "symmetry".to_owned()),
        scrutiny.dependence.map(|_| "neighbouring rows".to_owned()),
        Some("ties".to_owned()),
    ];
    let looks: Vec<String> = looks.into_iter().flatten().collect();
    format!(" Nothing that was looked at speaks against it: {}.", looks.join(", "))
}

/// The p-value of the shares that were predicted, of rows left out.
fn pit(comparison: &Comparison) -> Option<f64> {
    comparison.preferred()?.out_of_sample.as_ref()?.pit_p_value
}

/// What speaks against the preferred model.
fn objections(comparison: &Comparison, scrutiny: &Scrutiny) -> Vec<String> {
    let mut objections = Vec::new();
    if let Some(p) = pit(comparison).filter(|p| *p < CLEAR) {
        objections.push(format!(
            "those left out do not fall where it says, so that none of these models describes the noise (PIT p {})",
            p_value(Some(p))
        ));
    }
    if let (Some(skewness), Some(asymmetry)) = (skewed(scrutiny), &scrutiny.asymmetry) {
        let side = if skewness > 0.0 { "above" } else { "below" };
        objections.push(format!(
            "the residuals are skewed, with a long tail {side} (quantile skewness {}, standard error {})",
            significant(skewness, 2),
            significant(asymmetry.std_error, 2)
        ));
    }
    if let Some(dependence) = scrutiny.dependence.filter(|dependence| dependence.p_value < CLEAR) {
        objections.push(format!(
            "residuals are like those of the row before (correlation {}, p {}): rows depend on each other, or the mean bends",
            significant(dependence.correlation, 2),
            p_value(Some(dependence.p_value))
        ));
    }
    objections.extend(
        scrutiny
            .distinct_values
            .map(|count| format!("the response has {count} values only, steps rather than measurements")),
    );
    objections.extend(
        scrutiny
            .spike
            .map(|spike| format!("{} of the responses are {}", percent(spike.share), significant(spike.value, 3))),
    );
    objections
}

/// The quantile skewness of the residuals, where they are clearly skewed.
pub(super) fn skewed(scrutiny: &Scrutiny) -> Option<f64> {
    let asymmetry = scrutiny.asymmetry.as_ref()?;
    (asymmetry.p_value < CLEAR).then_some(asymmetry.quantile_skewness)
}

/// `exp(-(AIC - least AIC) / 2)`, given half the difference.
fn relative_likelihood(half_difference: f64) -> String {
    match half_difference {
        far if far > 1e4f64.ln() => format!("10^-{:.0}", far / std::f64::consts::LN_10),
        near => significant((-near).exp(), 2),
    }
}

/// The odds for one model against another by BIC, in words.
fn odds_of(comparison: &Comparison, model: &Candidate, other: &Candidate) -> String {
    let bic = |candidate: &Candidate| comparison.models.iter().find(|entry| entry.candidate == *candidate)?.bic;
    match bic(other).zip(bic(model)).map(|(other, model)| 0.5 * (other - model)) {
        Some(ln) if ln >= 0.0 => format!("{} to 1 for it", odds_in_words(ln)),
        Some(ln) => format!("{} to 1 against it", odds_in_words(-ln)),
        None => "no odds".to_owned(),
    }
}

/// Odds to one, given their logarithm.
fn odds_in_words(ln: f64) -> String {
    match ln {
        ln if ln < 100f64.ln() => significant(ln.exp(), 2),
        ln if ln < 1e6f64.ln() => format!("{:.0}", ln.exp()),
        ln => format!("10^{:.0}", ln / std::f64::consts::LN_10),
    }
}
