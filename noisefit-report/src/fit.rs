//! A fit as people read it.

use std::ops::Range;

use noisefit_core::algebra::Method;
use noisefit_core::inference::conformal::{self, Conformal};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::hypothesis::Test;
use noisefit_core::noise::{AsymmetricLaplace, Huber, Noise, StudentT};
use noisefit_core::record::{
    Absorbed, AbsorbedEffect, ClosedForm, Coefficient, Coefficients, Confint, Counts, Fit, Reason, Reference,
    ScaleRule, VcovKind, Vertex,
};

use crate::Specification;
use crate::text::{count_of, optional, p_value, percent, significant, table};

/// A relative duality gap below this is the rounding of a double, whatever its digits.
const CERTAIN_GAP: f64 = 1e-15;

/// A term of many coefficients, which a summary has on one line.
#[derive(Debug, Clone)]
pub struct Folded {
    /// Its name.
    pub term: String,
    /// The places of its coefficients among those of the location.
    pub places: Range<usize>,
    /// For each fit the test that all of them are zero; none where there is none.
    pub tests: Vec<Option<Test>>,
}

/// The summary for people: what was fitted, and for each fit its tables and the facts below them; of terms that are folded a line in place of
/// their coefficients.
pub fn summary(model: &Specification, fits: &[Fit], conformal: Option<&Conformal>, folded: &[Folded]) -> String {
    let mut text = format!("{}\n{}\n", model.formula, heading(fits, model.counts));
    if let Some(scale) = &model.scale {
        text += &format!("log scale ~ {scale}\n");
    }
    text += &model.weighting();
    if let [fit] = fits {
        text += &residuals(fit);
    }
    for (k, fit) in fits.iter().enumerate() {
        text.push('\n');
        if let ([_, _, ..], Noise::Quantile(AsymmetricLaplace { tau })) = (fits, fit.noise) {
            text += &format!("quantile {tau}\n{}", residuals(fit));
        }
        let is_folded = |place: &usize| folded.iter().any(|term| term.places.contains(place));
        let shown = fit.location.rows.iter().enumerate().filter(|(place, _)| !is_folded(place));
        text += &coefficients("term", &shown.map(|(_, row)| row.clone()).collect::<Vec<_>>(), fit);
        text.extend(folded.iter().map(|term| folded_line(term, fit, k)));
        if let Some(table) = fit.scale.modelled() {
            text += &format!("\n{}", coefficients("log scale", &table.rows, fit));
            text += &factor(table);
        }
        text += &format!("\n{}", facts(fit, model.weights.is_some()));
        if let Some(line) = &fit.closed_form {
            text += &closed_form(line, &fit.location.rows[1].term, &model.response);
        }
    }
    if let Some(conformal) = conformal {
        text += &format!("\n{}", calibration(conformal, fits.first().map(|fit| fit.nobs)));
    }
    text += &model.of_likelihoods().unwrap_or_default();
    text += model.of_pseudo_likelihoods().unwrap_or_default();
    text
}

/// What conformal intervals rest on.
pub(crate) fn calibration(conformal: &Conformal, fitted: Option<u64>) -> String {
    let Conformal { method, seed, observations, .. } = conformal;
    let how = match method {
        conformal::Scheme::Split => match fitted {
            Some(fitted) => format!(
                "the fit is of {fitted} observations, drawn at random (seed {seed}); the other {observations} calibrate them"
            ),
            None => {
                format!("{observations} observations, drawn at random (seed {seed}) and not fitted, calibrate them")
            }
        },
        conformal::Scheme::CvPlus => format!(
            "{observations} observations calibrate them, each by a fit without its fold, one of {} drawn at random (seed {seed})",
            conformal.folds()
        ),
        conformal::Scheme::JackknifePlus => {
            format!("{observations} observations calibrate them, each by a fit without it")
        }
    };
    format!("conformal intervals ({method}): {how}\n")
}

/// The noise, how the fit was made, and of what.
fn heading(fits: &[Fit], counts: Option<Counts>) -> String {
    let Some(fit) = fits.first() else { return String::new() };
    let (noise, how) = match fit.noise {
        Noise::Quantile(_) => {
            let levels = fits.iter().filter_map(|fit| match fit.noise {
                Noise::Quantile(AsymmetricLaplace { tau }) => Some(tau.to_string()),
                _ => None,
            });
            let (levels, s) = (levels.collect::<Vec<_>>().join(", "), if fits.len() > 1 { "s" } else { "" });
            (format!("quantile{s} {levels}, asymmetric laplace noise"), "maximum likelihood (least pinball loss)")
        }
        Noise::Laplace => (
            "laplace noise".to_owned(),
            match !fit.scale.is_modelled() {
                true => "maximum likelihood (least absolute deviations)",
                false => "maximum likelihood",
            },
        ),
        Noise::Huber(Huber { delta: Some(delta), .. }) => (format!("huber noise with delta {delta}"), likelihood(fit)),
        Noise::Huber(huber) => (format!("huber noise with k {}", huber.k()), likelihood(fit)),
        Noise::StudentT(family) => (student_t(family, fit), "maximum likelihood"),
        other => (format!("{other} noise"), "maximum likelihood"),
    };
    format!("{noise}, {how}, {}", rows(fit, counts))
}

/// What the coefficients maximise, given how the scale is estimated.
fn likelihood(fit: &Fit) -> &'static str {
    match fit.scale_rule() {
        ScaleRule::Mad => "the scale by the median absolute residual",
        ScaleRule::Proposal2 => "the scale by Huber's proposal 2",
        ScaleRule::MaximumLikelihood | ScaleRule::Modelled => "maximum likelihood",
    }
}

/// `student-t noise with 4.21 df (estimated, 95% interval 2.14 to 9.83)`.
fn student_t(family: StudentT, fit: &Fit) -> String {
    let (df, df_estimated) = (family.df(), !family.df.is_given());
    let shown = |df: Option<f64>| df.map_or_else(|| "infinity".to_owned(), |df| significant(df, 3));
    let df = match (df.is_finite(), df_estimated) {
        (false, _) => "infinite".to_owned(),
        (true, true) => shown(Some(df)),
        (true, false) => df.to_string(),
    };
    let mut text = format!("student-t noise with {df} df");
    match &fit.shape {
        Some(shape) => {
            let bound = significant(shape.bound.unwrap_or(0.5), 3);
            let low = shape.conf_low.map_or_else(|| format!("below {bound}"), |low| significant(low, 3));
            let (level, high) = (percent(fit.level), shown(shape.conf_high));
            text += &format!(" (estimated, {level} interval {low} to {high})");
        }
        None if df_estimated => text += " (estimated)",
        None => {}
    }
    text
}

/// How many rows were used and left out.
fn rows(fit: &Fit, counts: Option<Counts>) -> String {
    let mut text = count_of(fit.nobs, "observation");
    let Some(counts) = counts else { return text };
    let used = counts.records - counts.missing - counts.weightless;
    if used != fit.nobs {
        text += &format!(" in {used} rows");
    }
    for (count, why) in [(counts.missing, "with missing values"), (counts.weightless, "of weight zero")] {
        if count > 0 {
            text += &format!(", {} {why} left out", count_of(count, "row"));
        }
    }
    text
}

/// The quantiles of the residuals, as R's lm has them.
fn residuals(fit: &Fit) -> String {
    let Some([least, first, median, third, largest]) = fit.goodness.residual_quantiles else { return String::new() };
    let five = |x: f64| significant(x, 5);
    format!(
        "residuals: min {}, 1Q {}, median {}, 3Q {}, max {}\n",
        five(least),
        five(first),
        five(median),
        five(third),
        five(largest)
    )
}

/// Whether coefficients of the location have degrees of freedom of their own.
fn varying_df(fit: &Fit) -> bool {
    let common = fit.covariance.reference_df.unwrap_or(fit.df_residual as f64);
    fit.location.rows.iter().filter_map(|row| row.df).any(|df| (df - common).abs() > 1e-6 * common)
}

/// A coefficient table whose first column is headed `name`.
fn coefficients(name: &str, coefficients: &[Coefficient], fit: &Fit) -> String {
    let statistic = match fit.covariance.reference {
        Reference::StudentT => "t",
        Reference::Normal => "z",
    };
    let low = format!("{} low", percent(fit.level));
    // Where all have the same it stands below the table.
    let with_df = varying_df(fit);
    let rows = coefficients.iter().map(|c| {
        let mut row = vec![c.term.clone(), optional(c.estimate, 7), optional(c.std_error, 5), optional(c.statistic, 4)];
        row.extend(with_df.then(|| optional(c.df, 4)));
        row.extend([p_value(c.p_value), optional(c.conf_low, 5), optional(c.conf_high, 5)]);
        row
    });
    let mut heading = vec![name, "estimate", "std_error", statistic];
    heading.extend(with_df.then_some("df"));
    heading.extend(["p_value", &low, "high"]);
    table(&heading, &rows.collect::<Vec<_>>())
}

/// Degrees of freedom, which may be a number of rows.
fn whole(df: f64) -> String {
    if df.fract() == 0.0 { df.to_string() } else { significant(df, 4) }
}

/// `g: 999 coefficients from -2.31 (g[a]) to 4.02 (g[b]), all zero: F 3.21 on 999 and 98998 df, p 0.001`.
fn folded_line(folded: &Folded, fit: &Fit, k: usize) -> String {
    let rows = fit.location.rows.get(folded.places.clone()).unwrap_or_default();
    let estimated = || rows.iter().filter_map(|row| Some((row.estimate?, &row.term)));
    let least = estimated().min_by(|a, b| a.0.total_cmp(&b.0));
    let largest = estimated().max_by(|a, b| a.0.total_cmp(&b.0));
    let range = match (least, largest) {
        (Some((low, lowest)), Some((high, highest))) => {
            format!(" from {} ({lowest}) to {} ({highest})", significant(low, 5), significant(high, 5))
        }
        _ => String::new(),
    };
    let without = rows.len() - estimated().count();
    let without = if without > 0 { format!(", {without} without an estimate") } else { String::new() };
    let test = match folded.tests.get(k).and_then(Option::as_ref) {
        Some(test) => {
            let (statistic, p) = (optional(test.statistic, 4), p_value(test.p_value));
            let residual = test.df_residual.map(|df| format!(" and {}", whole(df))).unwrap_or_default();
            format!("; that all are zero: {} {statistic} on {}{residual} df, p {p}", test.test.name(), test.df)
        }
        None => String::new(),
    };
    format!("{}: {}{range}{without}{test}\n", folded.term, count_of(rows.len() as u64, "coefficient"))
}

/// What a coefficient of the log scale does to the scale, by the example of the first term.
fn factor(table: &Coefficients) -> String {
    let slope = table.rows.iter().skip(usize::from(table.intercept)).find_map(|c| Some((&c.term, c.estimate?)));
    match slope {
        Some((term, estimate)) => {
            let factor = significant(estimate.exp(), 5);
            format!("exp(estimate) is the factor of the noise scale for each unit of a term: {factor} for {term}\n")
        }
        None => String::new(),
    }
}

/// The numbers below the tables.
fn facts(fit: &Fit, is_weighted: bool) -> String {
    let mut lines = vec![("noise scale", scale(fit))];
    if fit.noise == Noise::Gaussian && fit.scale.common().is_some() {
        let (error, df) = (optional(fit.goodness.residual_std_error, 6), fit.df_residual);
        // The interval is about what allows for the coefficients.
        lines.push(("residual std. error", format!("{error} on {df} degrees of freedom{}", scale_interval(fit))));
    }
    if let Some(absorbed) = &fit.absorbed {
        lines.push(("absorbed effects", effects(absorbed)));
        lines.extend(absorbed.within_r_squared.map(|within| ("R2 within", significant(within, 5))));
    }
    if let Some(vertex) = &fit.vertex {
        lines.extend(certificate(vertex, fit));
    }
    // The share of the variation about the mean says nothing of a quantile.
    if !matches!(fit.noise, Noise::Quantile(_)) {
        lines.push((
            "R2",
            format!(
                "{}, adjusted {}{}{}",
                optional(fit.goodness.r_squared, 5),
                optional(fit.goodness.adj_r_squared, 5),
                if fit.location.intercept || fit.absorbed.is_some() { "" } else { ", about zero" },
                if is_weighted { ", weighted" } else { "" }
            ),
        ));
    }
    lines.extend(fit.goodness.r1.map(|r1| ("R1", format!("{} (Koenker and Machado)", significant(r1, 5)))));
    if let Some(test) = &fit.f_test {
        let (df_model, df_residual) = (whole(test.df_model), whole(test.df_residual));
        let statistic = significant(test.statistic, 5);
        // Sums of squares make an F test of the classical covariance alone.
        let name = if fit.covariance.kind == VcovKind::CLASSICAL { "F" } else { "Wald F" };
        lines
            .push((name, format!("{statistic} on {df_model} and {df_residual} df, p {}", p_value(Some(test.p_value)))));
    }
    lines.extend([
        ("log-likelihood", optional(fit.log_likelihood(), 7)),
        (
            "AIC, AICc, BIC",
            format!(
                "{}, {}, {}",
                optional(fit.likelihood.map(|found| found.aic), 7),
                optional(fit.likelihood.and_then(|found| found.aicc), 7),
                optional(fit.likelihood.map(|found| found.bic), 7)
            ),
        ),
        (
            "RMSE, MAE",
            format!(
                "{}, {}{}",
                significant(fit.goodness.rmse, 6),
                optional(fit.goodness.mae, 6),
                if is_weighted { ", unweighted" } else { "" }
            ),
        ),
    ]);
    lines.extend(fit.goodness.mean_loss.map(|loss| ("mean huber loss", significant(loss, 6))));
    lines.push(("standard errors", standard_errors(fit)));
    if fit.confint == Confint::Profile {
        let open = fit
            .location
            .rows
            .iter()
            .any(|row| row.estimate.is_some() && (row.conf_low.is_none() || row.conf_high.is_none()));
        let open = if open { "; NA where it is open" } else { "" };
        let scale = if fit.scale.is_modelled() { "; those of the log scale by standard errors" } else { "" };
        lines.push(("intervals", format!("profile likelihood{open}{scale}")));
    }
    lines.extend(termination(fit).map(|text| ("termination", text)));
    lines.push(("accuracy", accuracy(fit)));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// `firm (1000 levels, 3 of one observation), year (10 levels); together of rank 1009`.
fn effects(absorbed: &Absorbed) -> String {
    let effect = |effect: &AbsorbedEffect| {
        let singletons = match effect.singletons {
            0 => String::new(),
            count => format!(", {count} of one observation"),
        };
        format!("{} ({}{singletons})", effect.name, count_of(effect.levels, "level"))
    };
    let effects: Vec<String> = absorbed.effects.iter().map(effect).collect();
    let counted = match effects.len() {
        1 => String::new(),
        _ => format!("; together of rank {}", absorbed.rank),
    };
    format!("{}{counted}", effects.join(", "))
}

/// How the covariance was estimated, what it allows for, and what statistics refer to.
pub(crate) fn standard_errors(fit: &Fit) -> String {
    if fit.df_residual == 0 {
        return "none: as many coefficients as observations".to_owned();
    }
    let allows = Vcov::of(&fit.covariance.kind).map(|vcov| vcov.remark()).unwrap_or_default();
    let reference = match fit.covariance.reference {
        Reference::StudentT if varying_df(fit) => "Student's t with the df of each coefficient".to_owned(),
        Reference::StudentT => {
            format!("Student's t with {} df", fit.covariance.reference_df.unwrap_or(fit.df_residual as f64))
        }
        Reference::Normal => "normal".to_owned(),
    };
    // The classical errors of least squares have the factor in the residual standard error.
    let squares = fit.noise == Noise::Gaussian && fit.goodness.residual_std_error.is_some();
    let times = |factor| format!("times n / (n - p) = {}", significant(factor, 4));
    let factor = match fit.covariance.small_sample_factor {
        1.0 => String::new(),
        _ if squares && fit.covariance.kind == VcovKind::CLASSICAL => String::new(),
        factor if varying_df(fit) => format!(", corrected for few rows (log scale {})", times(factor)),
        factor => format!(" {}", times(factor)),
    };
    let basis = match fit.noise {
        _ if fit.covariance.kind != VcovKind::CLASSICAL => "",
        Noise::Laplace => ", as far as the noise is laplace",
        Noise::Quantile(_) => ", as far as the noise is asymmetric laplace: a rough guide",
        _ => "",
    };
    format!("{}{allows}{factor}, {reference}{basis}", fit.covariance.kind)
}

/// The scale with how it was estimated; under other noise than the Gaussian also the standard deviation, in which families
/// compare.
fn scale(fit: &Fit) -> String {
    let Some(scale) = fit.scale.common() else { return "modelled: exp(log scale)".to_owned() };
    let how = match fit.scale_rule() {
        ScaleRule::MaximumLikelihood | ScaleRule::Modelled => "maximum likelihood",
        ScaleRule::Mad => "median absolute residual",
        ScaleRule::Proposal2 => "proposal 2",
    };
    let deviation = match fit.noise {
        Noise::Gaussian => None,
        _ => Some(scale * fit.noise.family().variance().sqrt()),
    };
    let deviation = deviation.map_or_else(String::new, |sd| match sd.is_finite() {
        true => format!(", standard deviation {}", significant(sd, 6)),
        false => ", standard deviation infinite".to_owned(),
    });
    let interval = if fit.noise == Noise::Gaussian { String::new() } else { scale_interval(fit) };
    format!("{} ({how}){interval}{deviation}", significant(scale, 6))
}

/// `, 95% interval 0.99 to 1.01`.
fn scale_interval(fit: &Fit) -> String {
    fit.scale_interval.map_or_else(String::new, |(low, high)| {
        format!(", {} interval {} to {}", percent(fit.level), significant(low, 5), significant(high, 5))
    })
}

/// What certifies the minimum of absolute deviations or of a quantile's loss.
fn certificate(vertex: &Vertex, fit: &Fit) -> Vec<(&'static str, String)> {
    let loss = match fit.noise {
        Noise::Quantile(_) => "pinball loss",
        _ if fit.scale.common().is_none() => "absolute deviations in scales",
        _ => "absolute deviations",
    };
    let gap = fit.termination.duality_gap.map_or_else(String::new, |gap| match gap < CERTAIN_GAP {
        true => format!(", duality gap below {CERTAIN_GAP:e}"),
        false => format!(", duality gap {}", significant(gap, 2)),
    });
    let mut lines = vec![
        ("objective", format!("{} ({loss}){gap}", significant(vertex.objective, 7))),
        ("zero residuals", vertex.zero_residuals.to_string()),
        (
            "optimum",
            match vertex.unique {
                true if fit.scale.common().is_none() => "unique given the scale".to_owned(),
                true => "unique".to_owned(),
                false => "not unique; the one with the least mean fitted value".to_owned(),
            },
        ),
    ];
    lines.extend(vertex.crossings.map(|crossings| {
        let text = match crossings {
            0 => "none: nowhere below the next lower quantile".to_owned(),
            _ => format!("{} below the next lower quantile", count_of(crossings, "row")),
        };
        ("crossings", text)
    }));
    lines
}

/// Why an iteration stopped; nothing for a closed form.
fn termination(fit: &Fit) -> Option<String> {
    let termination = &fit.termination;
    if termination.converged && termination.reason == Reason::ClosedForm {
        return None;
    }
    let not = if termination.converged { "" } else { "NOT CONVERGED: " };
    Some(format!("{not}{} after {}", termination.reason, count_of(termination.iterations, "iteration")))
}

fn accuracy(fit: &Fit) -> String {
    let method = match fit.accuracy.method {
        Method::Moments => "moments",
        Method::Qr => "QR",
        Method::DoubleDouble => "double-double",
        Method::Newton => "Newton",
        Method::Vertex => "exact vertex",
    };
    let condition = significant(fit.accuracy.condition, 2);
    // Rounded down: a digit that is half right is not promised.
    let digits = fit.accuracy.digits.floor();
    let data = match fit.accuracy.method {
        // The others reckon with the rounding of the data.
        Method::Vertex => " for the data as they stand",
        _ => "",
    };
    format!("{digits} digits or more{data} ({method}, condition number {condition})")
}

/// Simple regression as a textbook writes it.
fn closed_form(line: &ClosedForm, x: &str, y: &str) -> String {
    let ClosedForm { mean_x, mean_y, sd_x, sd_y, correlation, slope, intercept } = line;
    let six = |value: &f64| significant(*value, 6);
    let sign = if *slope < 0.0 { '-' } else { '+' };
    let (slope_size, rho) = (six(&slope.abs()), six(correlation));
    let rows = [vec![x.to_owned(), six(mean_x), six(sd_x)], vec![y.to_owned(), six(mean_y), six(sd_y)]];
    format!(
        "\n{}\ncorrelation  rho = {rho}\nslope        rho s_y / s_x = {rho} * {} / {} = {}\nintercept    mean_y - slope mean_x = {}\n\
         line         {y} = {} {sign} {slope_size} {x}\nstandardised z_y = {rho} z_x\n",
        table(&["", "mean", "sd"], &rows),
        six(sd_y),
        six(sd_x),
        six(slope),
        six(intercept),
        six(intercept),
    )
}
