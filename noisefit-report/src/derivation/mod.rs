//! From the density of a noise to the loss, the estimator and the scale, with the numbers of a fit put in line by line.
//!
//! [`steps`] writes the derivation as words and TeX; [`text`] shows it in a terminal, [`html`] with MathML, [`latex`] for a paper.

mod families;
mod mathematics;

use noisefit_core::noise::Noise;
use noisefit_core::record::{Fit, LikelihoodOf};

use crate::Specification;
use crate::text::{clean, significant, wrapped};
use families::{Family, family};
use mathematics::{mathml, unicode};

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done, and why.
    pub words: String,
    /// What comes of it, as TeX.
    pub formula: String,
    /// The same with the numbers of the fit, as TeX.
    pub numbers: Option<String>,
}

/// A fit whose numbers are put in.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What was fitted.
    pub model: &'a Specification,
    /// The fit, with a log-likelihood.
    pub fit: &'a Fit,
}

/// A number as TeX.
fn number(x: f64) -> String {
    let text = significant(x, 7);
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => text,
    }
}

/// What follows a minus.
fn after_minus(x: f64) -> String {
    if x < 0.0 { format!("+ {}", number(-x)) } else { format!("- {}", number(x)) }
}

/// The derivation for a noise, with the numbers of a fit where there is one.
pub fn steps(noise: &Noise, given: Option<Given<'_>>) -> Vec<Step> {
    let own = family(noise);
    let given = given.filter(|given| given.fit.log_likelihood().is_some());
    let modelled = given.is_some_and(|given| given.fit.scale.is_modelled());
    let s = own.scale;
    let residual = format!("\\frac{{y_i - \\mu_i}}{{{s}}}");
    let mut steps = Vec::new();
    let mut step = |words: &str, formula: String, numbers: Option<String>| {
        steps.push(Step { words: words.to_owned(), formula, numbers });
    };
    let counted = given.map(|given| given.fit.nobs);
    let common = given.and_then(|given| given.fit.scale.common());
    let location = "\\mu_i = x_i^\\top \\beta";
    step(
        own.density_words,
        format!(
            "p(y_i \\mid x_i) = \\frac{{1}}{{{s}}} f\\left({residual}\\right), \\quad {}, \\quad {location}",
            own.density
        ),
        common.map(|scale| format!("\\hat{{{s}}} = {}", number(scale))),
    );
    if modelled {
        let formula = format!("\\ln {s}_i = z_i^\\top \\gamma, \\quad r_i = \\frac{{y_i - \\mu_i}}{{{s}_i}}");
        step("The logarithm of the scale is linear in regressors of its own: each row has its scale.", formula, None);
    }
    let scale_term = if modelled { format!("\\sum_{{i=1}}^n \\ln {s}_i") } else { format!("n \\ln {s}") };
    step(
        "The rows are independent: the likelihood of all is the product.",
        "L(\\beta) = \\prod_{i=1}^n p(y_i \\mid x_i)".to_owned(),
        counted.map(|n| format!("n = {n}")),
    );
    step(
        "Its logarithm turns the product into a sum, with every constant.",
        format!(
            "\\ell = \\ln L = - {scale_term} - n c - \\sum_{{i=1}}^n \\rho(r_i), \\quad {}, \\quad {}",
            own.constant, own.rho
        ),
        given.map(|given| log_likelihood(given, s)),
    );
    step(
        own.loss_words,
        format!("\\hat\\beta = \\arg\\min_\\beta \\; {}", if modelled { "\\sum_{i=1}^n \\rho(r_i)" } else { own.loss }),
        given.and_then(|given| loss(given, &own)),
    );
    step(own.gradient_words, format!("{}, \\quad {}", own.gradient, own.psi), None);
    step(own.estimator_words, own.estimator.to_owned(), None);
    match modelled {
        true => step(
            "The coefficients of the scale solve the score equations of the logarithm of the scale.",
            "\\sum_{i=1}^n \\left(r_i \\psi(r_i) - 1\\right) z_i = 0".to_owned(),
            None,
        ),
        false => step(own.scale_words, own.scale_formula.to_owned(), given.and_then(|given| scale(given, &own))),
    }
    if let Some(given) = given {
        let nll = given.fit.log_likelihood().map(|l| -l);
        let formula = if modelled { "-\\hat\\ell".to_owned() } else { own.at_maximum.to_owned() };
        step(
            "Put back, the negative log-likelihood at the maximum, complete: this is what AIC and BIC are made of, and what compares \
             with other families.",
            formula,
            nll.map(|nll| format!("-\\hat\\ell = {}", number(nll))),
        );
        standardised(given, &mut steps);
    }
    steps
}

/// Whether the likelihood has parts that the residuals alone do not give.
fn has_more(given: Given<'_>) -> bool {
    given.model.weights.is_some() || has_jacobian(given)
}

/// Whether the Jacobian of a transformed response is in the likelihood.
fn has_jacobian(given: Given<'_>) -> bool {
    given.model.transformed == Some(LikelihoodOf::Response)
}

/// The log-likelihood, part by part.
fn log_likelihood(given: Given<'_>, s: &str) -> String {
    let Given { model, fit } = given;
    let Some(l) = fit.log_likelihood() else { return String::new() };
    let (n, constant) = (fit.nobs as f64, fit.noise.family().log_normaliser());
    let Some(scale) = fit.scale.common() else { return format!("\\hat\\ell = {}", number(l)) };
    let (scales, constants) = (n * scale.ln(), n * constant);
    let rest = -l - scales - constants;
    let mut text = format!(
        "\\hat\\ell = - {n} \\ln {} - {n} \\cdot {} {} = {} {} {} = {}",
        number(scale),
        if constant < 0.0 { format!("({})", number(constant)) } else { number(constant) },
        after_minus(rest),
        number(-scales),
        after_minus(constants),
        after_minus(rest),
        number(l)
    );
    if has_more(given) {
        let what = match (model.weights.is_some(), has_jacobian(given)) {
            (true, false) => "the logarithms of the weights",
            (false, true) => "the Jacobian of the response",
            _ => "the logarithms of the weights and the Jacobian of the response",
        };
        text += &format!(" \\quad (\\text{{the last part with {what}}}, \\; {s} = {})", number(scale));
    }
    text
}

/// What the loss came to.
fn loss(given: Given<'_>, own: &Family) -> Option<String> {
    let scale = given.fit.scale.common()?;
    let n = given.fit.nobs as f64;
    own.loss_total.map(|(symbol, power)| format!("{symbol} = {}", number(n * scale.powi(power))))
}

/// How the scale came about.
fn scale(given: Given<'_>, own: &Family) -> Option<String> {
    let scale = given.fit.scale.common()?;
    let n = given.fit.nobs as f64;
    let s = own.scale;
    Some(match own.loss_total {
        Some((_, 2)) => {
            format!("\\hat {s} = \\sqrt{{\\frac{{{}}}{{{n}}}}} = {}", number(n * scale * scale), number(scale))
        }
        Some(_) => format!("\\hat {s} = \\frac{{{}}}{{{n}}} = {}", number(n * scale), number(scale)),
        None => format!("\\hat {s} = {}", number(scale)),
    })
}

/// The familiar form of one regressor under Gaussian noise.
fn standardised(given: Given<'_>, steps: &mut Vec<Step>) {
    let Some(simple) = &given.fit.closed_form else { return };
    steps.push(Step {
        words: "With one regressor, in standard deviations from the means, the line passes through the origin and its slope is the \
                correlation."
            .to_owned(),
        formula: "z_y = \\rho z_x, \\quad z_x = \\frac{x - \\bar x}{s_x}, \\quad z_y = \\frac{y - \\bar y}{s_y}".to_owned(),
        numbers: Some(format!(
            "z_y = {} z_x, \\quad \\bar x = {}, \\; s_x = {}, \\; \\bar y = {}, \\; s_y = {}",
            number(simple.correlation),
            number(simple.mean_x),
            number(simple.sd_x),
            number(simple.mean_y),
            number(simple.sd_y)
        )),
    });
    steps.push(Step {
        words: "And back: slope and intercept in the units of the data.".to_owned(),
        formula: "\\hat\\beta_1 = \\rho \\frac{s_y}{s_x}, \\quad \\hat\\beta_0 = \\bar y - \\hat\\beta_1 \\bar x"
            .to_owned(),
        numbers: Some(format!(
            "\\hat\\beta_1 = {} \\cdot \\frac{{{}}}{{{}}} = {}, \\quad \\hat\\beta_0 = {} {} \\cdot {} = {}",
            number(simple.correlation),
            number(simple.sd_y),
            number(simple.sd_x),
            number(simple.slope),
            number(simple.mean_y),
            after_minus(simple.slope),
            if simple.mean_x < 0.0 { format!("({})", number(simple.mean_x)) } else { number(simple.mean_x) },
            number(simple.intercept)
        )),
    });
}

/// The estimates by name, a line of words.
fn estimates(given: Given<'_>) -> String {
    let rows = given.fit.location.rows.iter().filter_map(|row| Some((&row.term, row.estimate?)));
    let all: Vec<String> =
        rows.map(|(term, estimate)| format!("{} {}", clean(term, 60), significant(estimate, 7))).collect();
    let more = all.len().saturating_sub(12);
    let shown = all.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}

/// The derivation for a terminal.
pub fn text(noise: &Noise, given: Option<Given<'_>>) -> String {
    let mut text = format!("{}: from the density to the estimator\n", noise.noun());
    if let Some(given) = given {
        text += &format!("{}\n", clean(&given.model.formula, 200));
    }
    for (i, step) in steps(noise, given).iter().enumerate() {
        text += &format!("\n{}", wrapped(&format!("{}. {}", i + 1, step.words)));
        for line in parts(&step.formula) {
            text += &format!("\n    {}", unicode(line));
        }
        if let Some(numbers) = &step.numbers {
            for line in parts(numbers) {
                text += &format!("\n    {}", unicode(line));
            }
        }
        text.push('\n');
    }
    if let Some(given) = given {
        text += &format!("\n{}", wrapped(&format!("Estimates: {}.", estimates(given))));
    }
    text
}

/// What stands beside each other in a formula.
fn parts(formula: &str) -> impl Iterator<Item = &str> {
    formula.split("\\quad").map(|part| part.trim().trim_end_matches(',').trim_end())
}

/// The derivation as a list of HTML with MathML, without anything around it.
pub fn html(noise: &Noise, given: Option<Given<'_>>) -> String {
    let mut text = String::from("<ol class=\"derivation\">\n");
    for step in steps(noise, given) {
        text += &format!("<li><p>{}</p>\n", escaped(&step.words));
        for line in parts(&step.formula) {
            text += &mathml(line);
            text.push('\n');
        }
        for line in step.numbers.iter().flat_map(|numbers| parts(numbers)) {
            text += &format!("<div class=\"numbers\">{}</div>\n", mathml(line));
        }
        text += "</li>\n";
    }
    text += "</ol>\n";
    if let Some(given) = given {
        text += &format!("<p>Estimates: {}.</p>\n", escaped(&estimates(given)));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The derivation as LaTeX, for a document with `amsmath`.
pub fn latex(noise: &Noise, given: Option<Given<'_>>) -> String {
    let mut text = String::from("\\begin{enumerate}\n");
    for step in steps(noise, given) {
        text += &format!("\\item {}\n\\[ {} \\]\n", step.words, step.formula);
        if let Some(numbers) = step.numbers {
            text += &format!("\\[ {numbers} \\]\n");
        }
    }
    text + "\\end{enumerate}\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use noisefit_core::noise::FAMILIES;

    #[test]
    fn every_family_is_derived() {
        for noise in FAMILIES.iter().flat_map(|family| family.samples()) {
            let steps = steps(&noise, None);
            assert!(steps.len() >= 6, "{noise}");
            let shown = text(&noise, None);
            assert!(!shown.contains('\\') && !shown.contains('{'), "{shown}");
            let page = html(&noise, None);
            assert!(page.contains("<math") && !page.contains("merror") && !page.contains('\\'), "{page}");
        }
    }

    /// The constant and the loss that are written are those of the family: `-ln f(r) = c + rho(r)`.
    #[test]
    fn what_is_written_is_what_is_computed() {
        for noise in FAMILIES.iter().flat_map(|family| family.samples()) {
            let (own, density) = (family(&noise), noise.family());
            assert!((own.constant_value - density.log_normaliser()).abs() < 1e-12, "{noise}: {}", own.constant_value);
            for r in [-7.5, -1.0, -0.2, 0.0, 0.3, 1.0, 2.0, 11.0] {
                let written = own.constant_value + (own.rho_value)(r);
                assert!((written / density.negative_log_density(r) - 1.0).abs() < 1e-9, "{noise} at {r}: {written}");
            }
        }
    }
}
