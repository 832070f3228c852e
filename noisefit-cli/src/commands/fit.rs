//! `noisefit fit`.

use noisefit::fit::{ClosedForm, Fit};
use noisefit::linear::{self, Method, Options, Settings};
use noisefit_data::formula::{Expression, Formula, FormulaError};
use noisefit_data::model::FittedModel;
use noisefit_data::read::Dataset;
use noisefit_data::records::Records;
use noisefit_data::source::{Counts, DesignRows, SourceOptions};
use serde::Serialize;

use crate::arguments::{FitArguments, OutputFormat};
use crate::output::{count_of, optional, p_value, print, print_json, significant, table, warn};
use crate::progress::Passes;
use crate::{Outcome, Usage};

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    let wrong = |error: FormulaError| Usage(error.to_string());
    let formula = Formula::parse(&arguments.formula).map_err(wrong)?;
    if !formula.has_response() {
        return Err(Usage(format!("the formula '{}' has no response; write 'y ~ ...'", arguments.formula)).into());
    }
    let weights = arguments.weights.as_deref().map(Expression::parse).transpose().map_err(wrong)?;
    let frequencies = arguments.frequency_weights.as_deref().map(Expression::column);
    let data = &arguments.data;
    let dataset = data.open()?;
    let model = formula.resolve(dataset.fields(), weights.as_ref(), frequencies.as_ref())?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let records = Records::new(&dataset, &model.columns_needed(), data.threads(), data.memory, &passes)?;
    let options = SourceOptions { missing: arguments.missing.into(), ..SourceOptions::default() };
    let rows = DesignRows::learn(model, records, options)?;
    let options = Options {
        level: arguments.level,
        settings: Settings { digits: arguments.digits, one_pass: arguments.one_pass },
        collinear: arguments.collinear.into(),
    };
    let fits = linear::fit(&rows, &arguments.noise, &options);
    let mut fits = fits.map_err(|error| explain(error, rows.counts(), &dataset))?;
    let Some(fit) = fits.pop() else { anyhow::bail!("nothing was fitted") };
    let (model, counts) = (FittedModel::new(rows.design().clone(), fit), rows.counts());
    drop(rows);
    drop(passes);

    if let Some(path) = &arguments.output {
        model.save(path)?;
    }
    let record = Record::new(&model, counts);
    match arguments.format {
        OutputFormat::Json => print_json(&record)?,
        OutputFormat::Table => print(&summary(&model, counts))?,
    }
    warn(&model.fit.warnings);
    Ok(if model.fit.termination.converged { Outcome::Done } else { Outcome::NotConverged })
}

/// Says why there is nothing to fit.
fn explain(error: noisefit::Error, counts: Counts, dataset: &Dataset) -> anyhow::Error {
    let Counts { records, missing, weightless } = counts;
    let files = match dataset.files().len() {
        1 => dataset.file_name(0).to_owned(),
        more => format!("{} and {}", dataset.file_name(0), count_of(more as u64 - 1, "other file")),
    };
    match error {
        noisefit::Error::NoRows if records == 0 => {
            anyhow::anyhow!("{files}: there is a header but no row; a fit needs rows of data")
        }
        noisefit::Error::NoRows => {
            let rows = count_of(records, "row");
            let why = match (missing, weightless) {
                (_, 0) => format!(
                    "each of {rows} has a missing value; --missing fail names the first, --na a text that stands for one"
                ),
                (0, _) => format!("the weight of each of {rows} is zero"),
                _ => format!(
                    "of {rows}, {missing} with a missing value and {weightless} with a weight of zero are left out"
                ),
            };
            anyhow::anyhow!("{files}: nothing to fit: {why}")
        }
        error => error.into(),
    }
}

/// The JSON object of a fit.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    /// Rows left out because a value is missing.
    dropped: u64,
    /// Rows left out because their weight is zero.
    zero_weight: u64,
    /// Whether the log-likelihood, AIC and BIC contain the Jacobian of a transformed response.
    response_jacobian: bool,
    #[serde(flatten)]
    fit: serde_json::Value,
}

impl<'a> Record<'a> {
    fn new(model: &'a FittedModel, counts: Counts) -> Self {
        let mut fit = serde_json::to_value(&model.fit).unwrap_or_default();
        if let Some(fields) = fit.as_object_mut() {
            // Needed to predict; nothing to read.
            fields.remove("leverage");
        }
        Record {
            schema: "noisefit.fit/1",
            formula: model.design.formula().text(),
            dropped: counts.missing,
            zero_weight: counts.weightless,
            response_jacobian: model.design.transforms_response(),
            fit,
        }
    }
}

/// The summary for people.
fn summary(model: &FittedModel, counts: Counts) -> String {
    let fit = &model.fit;
    let mut text = format!(
        "{}\n{} noise, maximum likelihood, {}\n\n",
        model.design.formula().text(),
        fit.noise,
        rows(fit, counts)
    );
    for (what, expression) in [("weights", model.design.weights()), ("frequencies", model.design.frequencies())] {
        if let Some(expression) = expression {
            text.insert_str(text.len() - 1, &format!("{what} {}\n", expression.text()));
        }
    }
    let low = format!("{}% low", significant(fit.level * 100.0, 4).trim_end_matches('0').trim_end_matches('.'));
    let coefficients = fit.coefficients.iter().map(|c| {
        vec![
            c.term.clone(),
            optional(c.estimate, 7),
            optional(c.std_error, 5),
            optional(c.statistic, 4),
            p_value(c.p_value),
            optional(c.conf_low, 5),
            optional(c.conf_high, 5),
        ]
    });
    let heading = ["term", "estimate", "std_error", "t", "p_value", &low, "high"];
    text += &table(&heading, &coefficients.collect::<Vec<_>>());
    text.push('\n');
    text += &facts(model);
    if let Some(line) = &fit.closed_form {
        text += &closed_form(line, &fit.coefficients[1].term, &model.design.layout().response);
    }
    if model.design.transforms_response() {
        let response = &model.design.layout().response;
        text += &format!(
            "\nThe log-likelihood, AIC and BIC are those of the response itself: the Jacobian of {response} is in them, so\n\
             they compare with models of the untransformed response. Coefficients, R2, RMSE and MAE are of {response}.\n"
        );
    }
    text
}

/// How many rows were used and left out.
fn rows(fit: &Fit, counts: Counts) -> String {
    let mut text = count_of(fit.nobs, "observation");
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

/// The numbers below the table.
fn facts(model: &FittedModel) -> String {
    let fit = &model.fit;
    let mut lines = vec![
        ("noise scale", format!("{} (maximum likelihood)", optional(fit.scale, 6))),
        (
            "residual std. error",
            format!("{} on {} degrees of freedom", optional(fit.residual_std_error, 6), fit.df_residual),
        ),
        ("R2", format!("{}, adjusted {}", optional(fit.r_squared, 5), optional(fit.adj_r_squared, 5))),
    ];
    if let Some(test) = &fit.f_test {
        let (df_model, df_residual) = (test.df_model, test.df_residual);
        let statistic = significant(test.statistic, 5);
        lines.push(("F", format!("{statistic} on {df_model} and {df_residual} df, p {}", p_value(Some(test.p_value)))));
    }
    lines.extend([
        ("log-likelihood", optional(fit.log_likelihood, 7)),
        ("AIC, AICc, BIC", format!("{}, {}, {}", optional(fit.aic, 7), optional(fit.aicc, 7), optional(fit.bic, 7))),
        ("RMSE, MAE", format!("{}, {}", significant(fit.rmse, 6), optional(fit.mae, 6))),
        ("standard errors", format!("{}, Student's t with {} df", fit.vcov_type, fit.df_residual)),
    ]);
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
    lines.push(("accuracy", format!("{digits} digits or more ({method}, condition number {condition})")));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
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
