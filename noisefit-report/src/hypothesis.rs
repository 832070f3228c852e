//! Tests of hypotheses about coefficients as people read them.

use noisefit_core::inference::hypothesis::{Adjust, Drawn, Test};
use noisefit_core::noise::Noise;
use noisefit_core::record::{Fit, SmallSample};

use crate::fit::standard_errors;
use crate::text::{optional, p_value, percent, table};
use crate::tidy::{Cell, Tidy};

/// Tests of one fit.
#[derive(Debug, Clone, Copy)]
pub struct Tests<'a> {
    /// The fit.
    pub fit: &'a Fit,
    /// Which of several it is, such as `quantile 0.1`.
    pub name: Option<&'a str>,
    /// What was found.
    pub tests: &'a [Test],
}

/// By what it was tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Wald's statistic.
    Wald,
    /// The likelihood ratio.
    LikelihoodRatio,
    /// Wald's statistic of the changes between several quantiles of these levels.
    AcrossQuantiles(Vec<String>),
    /// A bootstrap by the clusters of a column.
    WildCluster(String, Drawn),
}

/// How it was tested.
#[derive(Debug, Clone)]
pub struct How {
    /// By what.
    pub by: By,
    /// How several tests at once were allowed for.
    pub adjust: Adjust,
    /// The level of the intervals.
    pub level: f64,
}

/// The tables for people.
pub fn summary(formula: &str, fits: &[Tests<'_>], how: &How) -> String {
    let mut text = format!("{formula}\n");
    for &Tests { fit, name, tests } in fits {
        text += &name.map_or_else(String::new, |name| format!("\n{name}\n"));
        text += &format!("{}\n", heading(fit, how));
        let (singles, joint): (Vec<&Test>, Vec<&Test>) = tests.iter().partition(|test| test.estimate.is_some());
        for table in [single_table(&singles, how), joint_table(&joint, how)].into_iter().flatten() {
            text += &format!("\n{table}");
        }
        for test in tests.iter().filter(|test| !test.left_out.is_empty()) {
            let left_out = test.left_out.join(", ");
            text += &format!("{}: without {left_out}, linear combinations of earlier terms\n", test.hypothesis);
        }
    }
    text + &adjusted(how)
}

/// What is tested, and by what.
fn heading(fit: &Fit, how: &How) -> String {
    let noise = fit.noise;
    match &how.by {
        By::Wald => format!("{noise} noise, Wald tests; standard errors {}", standard_errors(fit)),
        By::LikelihoodRatio => {
            let basis = match noise {
                Noise::Laplace | Noise::Quantile(_) => format!(", as far as the noise is {}", density(fit)),
                _ => String::new(),
            };
            let compared = match fit.covariance.small_sample {
                SmallSample::Corrected => "F on the residual degrees of freedom",
                SmallSample::None => "chi-squared",
            };
            format!("{noise} noise, likelihood ratio tests compared with {compared}{basis}")
        }
        By::AcrossQuantiles(levels) => format!(
            "quantiles {}: Wald tests that coefficients are the same at all of them; standard errors {}",
            levels.join(", "),
            standard_errors(fit)
        ),
        By::WildCluster(cluster, Drawn { clusters, draws, enumerated, weights }) => {
            let draws = if *enumerated { format!("all {draws} draws") } else { format!("{draws} draws") };
            format!(
                "{noise} noise, wild cluster bootstrap under each hypothesis, {draws} ({weights}) for {clusters} clusters by {cluster}"
            )
        }
    }
}

fn density(fit: &Fit) -> &'static str {
    if fit.noise == Noise::Laplace { "laplace" } else { "asymmetric laplace" }
}

/// What the adjusted p-values are.
fn adjusted(how: &How) -> String {
    let intervals = if how.by == By::LikelihoodRatio { "" } else { "; the intervals hold all at once" };
    match how.adjust {
        Adjust::None => String::new(),
        Adjust::Holm => "p_holm keeps the chance of any false rejection among all tests\n".to_owned(),
        Adjust::Bonferroni => {
            format!("p_bonferroni keeps the chance of any false rejection among all tests{intervals}\n")
        }
        Adjust::MaxT => format!("p_max-t is by the joint distribution of all statistics{intervals}\n"),
    }
}

fn single_table(tests: &[&Test], how: &How) -> Option<String> {
    let first = tests.first()?;
    let low = format!("{} low", percent(how.level));
    let (adjusted, has_adjusted) = (format!("p_{}", how.adjust), how.adjust != Adjust::None);
    // Where all have the same it stands in the heading.
    let with_df = tests.iter().any(|test| test.df_residual != first.df_residual);
    let mut heading = vec!["hypothesis", "estimate", "value", "std_error", first.test.name()];
    heading.extend(with_df.then_some("df"));
    heading.push("p_value");
    heading.extend(has_adjusted.then_some(adjusted.as_str()));
    heading.extend([low.as_str(), "high"]);
    let row = |test: &&Test| {
        let number = |x: Option<f64>, digits| optional(x, digits);
        let value = test.value.map_or_else(String::new, |value| value.to_string());
        let mut row = vec![test.hypothesis.clone(), number(test.estimate, 7), value, number(test.std_error, 5)];
        row.push(number(test.statistic, 4));
        row.extend(with_df.then(|| number(test.df_residual, 4)));
        row.push(p_value(test.p_value));
        row.extend(has_adjusted.then(|| p_value(test.p_adjusted)));
        row.extend([number(test.conf_low, 5), number(test.conf_high, 5)]);
        row
    };
    Some(table(&heading, &tests.iter().map(row).collect::<Vec<_>>()))
}

fn joint_table(tests: &[&Test], how: &How) -> Option<String> {
    let first = tests.first()?;
    let (adjusted, has_adjusted) = (format!("p_{}", how.adjust), how.adjust != Adjust::None);
    let (with_residual, ratio) = (first.df_residual.is_some(), how.by == By::LikelihoodRatio);
    let mut heading = vec!["hypothesis"];
    heading.extend(ratio.then_some("log-likelihood"));
    heading.extend((ratio && with_residual).then_some("2 log ratio"));
    heading.extend([first.test.name(), "df"]);
    heading.extend(with_residual.then_some("residual df"));
    heading.push("p_value");
    heading.extend(has_adjusted.then_some(adjusted.as_str()));
    let row = |test: &&Test| {
        let mut row = vec![test.hypothesis.clone()];
        row.extend(ratio.then(|| optional(test.log_likelihood, 7)));
        row.extend((ratio && with_residual).then(|| optional(test.likelihood_ratio, 5)));
        row.extend([optional(test.statistic, 5), test.df.to_string()]);
        let whole = |df: f64| if df.fract() == 0.0 { df.to_string() } else { optional(Some(df), 5) };
        row.extend(with_residual.then(|| test.df_residual.map_or_else(|| "NA".to_owned(), whole)));
        row.push(p_value(test.p_value));
        row.extend(has_adjusted.then(|| p_value(test.p_adjusted)));
        row
    };
    Some(table(&heading, &tests.iter().map(row).collect::<Vec<_>>()))
}

/// The same as one table, a row for each test.
pub fn tidy(fits: &[Tests<'_>]) -> Tidy {
    let columns = vec![
        "noise",
        "hypothesis",
        "estimate",
        "value",
        "std_error",
        "test",
        "statistic",
        "df",
        "df_residual",
        "p_value",
        "p_adjusted",
        "conf_low",
        "conf_high",
        "log_likelihood",
        "likelihood_ratio",
    ];
    let row = |fit: &Fit, test: &Test| {
        vec![
            Cell::Text(fit.noise.to_string()),
            test.hypothesis.as_str().into(),
            test.estimate.into(),
            test.value.into(),
            test.std_error.into(),
            test.test.name().into(),
            test.statistic.into(),
            test.df.into(),
            test.df_residual.into(),
            Cell::p(test.p_value),
            Cell::p(test.p_adjusted),
            test.conf_low.into(),
            test.conf_high.into(),
            test.log_likelihood.into(),
            test.likelihood_ratio.into(),
        ]
    };
    let rows = fits.iter().flat_map(|of| of.tests.iter().map(|test| row(of.fit, test))).collect();
    Tidy::new(columns, rows)
}
