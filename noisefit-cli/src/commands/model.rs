//! What every command has in common that fits a model: the formula, the noise, and how the rows are treated.

use clap::Args;
use noisefit_core::algebra::Settings;
use noisefit_core::inference::Options;
use noisefit_core::noise::{
    FAMILIES, Huber, HuberScale, InvalidNoise, Listed, ModelledScale, Noise, Noises, Parameter, scalable, usage,
};
use noisefit_data::formula::{Design, Expression, Formula, FormulaError};
use noisefit_data::read::Dataset;
use noisefit_data::records::Records;
use noisefit_data::source::{Counts, DesignRows, RowPlace, SourceOptions};
use noisefit_report::text::count_of;
use noisefit_report::{Place, Specification};

use crate::arguments::{CollinearChoice, DataArguments, MissingChoice, parse_digits, parse_positive};
use crate::outcome::Usage;
use crate::output::warn;

use crate::progress::Passes;

/// The model, without its noise.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// The model, as in R: 'y ~ x1 + log(x2) + city*x3'; `.` stands for all other columns
    #[arg(long, short, value_name = "FORMULA")]
    pub(crate) formula: String,
    /// Model the noise scale, too: its logarithm is linear in the terms of '~ x + city'; or network, another output of what is
    /// trained
    #[arg(long, value_name = "FORMULA")]
    pub(crate) scale: Option<String>,
    /// Relative precisions of the rows (inverse variances), a column or arithmetic on columns
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) weights: Option<String>,
    /// A column with the number of identical rows that each row stands for
    #[arg(long, value_name = "COLUMN")]
    pub(crate) frequency_weights: Option<String>,
    /// Rows with a missing value
    #[arg(long, value_enum, default_value_t = MissingChoice::Drop)]
    pub(crate) missing: MissingChoice,
    /// Terms that are linear combinations of earlier ones
    #[arg(long, value_enum, default_value_t = CollinearChoice::Drop)]
    pub(crate) collinear: CollinearChoice,
    /// Digits of the worst coefficient to work for, where the data determine them (Gaussian noise; the others give all they can)
    #[arg(long, value_name = "DIGITS", default_value_t = 11.0, value_parser = parse_digits)]
    pub(crate) digits: f64,
}

impl ModelArguments {
    /// The formula and that of the scale, where they can be read.
    pub(crate) fn formula(&self) -> Result<Formula, Usage> {
        let formula = self.location()?;
        match &self.scale {
            Some(scale) if scale == "network" => Err(Usage(
                "--scale network is another output of what is trained: say --model network or --solver train, or give a formula \
                 such as --scale '~ x'"
                    .to_owned(),
            )),
            Some(scale) => formula.with_scale(scale).map_err(|error| Usage(error.to_string())),
            None => Ok(formula),
        }
    }

    /// The formula without that of the scale.
    pub(crate) fn location(&self) -> Result<Formula, Usage> {
        let formula = Formula::parse(&self.formula).map_err(|error| Usage(error.to_string()))?;
        match formula.has_response() {
            true => Ok(formula),
            false => Err(Usage(format!("the formula '{}' has no response; write 'y ~ ...'", self.formula))),
        }
    }

    /// The rows of a data set as `formula` (that of [`ModelArguments::formula`], perhaps with more) sees them.
    pub(crate) fn rows<'a>(
        &self,
        formula: &Formula,
        data: &DataArguments,
        dataset: &'a Dataset,
        passes: &'a Passes,
    ) -> anyhow::Result<DesignRows<'a>> {
        let wrong = |error: FormulaError| Usage(error.to_string());
        let weights = self.weights.as_deref().map(Expression::parse).transpose().map_err(wrong)?;
        let frequencies = self.frequency_weights.as_deref().map(Expression::column);
        let model = formula.resolve(dataset.fields(), weights.as_ref(), frequencies.as_ref());
        let model = model.map_err(|error| explained(error, formula, dataset))?;
        let columns = model.columns_needed();
        let records = Records::new(dataset, &columns, data.threads(), data.memory, passes)?;
        let alike = dataset.look_alikes().iter().filter(|alike| columns.contains(&alike.column.as_str()));
        warn(&alike.map(ToString::to_string).collect::<Vec<_>>());
        let options = SourceOptions { missing: self.missing.into(), ..SourceOptions::default() };
        Ok(DesignRows::learn(model, records, options)?)
    }

    /// How the model is fitted.
    pub(crate) fn options(&self) -> Options {
        Options {
            settings: Settings { digits: self.digits, one_pass: false },
            collinear: self.collinear.into(),
            ..Options::default()
        }
    }
}

/// What is wrong with a formula, and what the data have to say to that.
fn explained(error: FormulaError, formula: &Formula, dataset: &Dataset) -> anyhow::Error {
    let names = formula.columns();
    let unread = dataset.unread().iter().filter(|column| names.contains(&column.name.as_str()));
    let mut remarks: Vec<String> = unread
        .map(|column| {
            format!(
                "column `{}` is there, and its type {} is neither a number nor a category",
                column.name, column.of_type
            )
        })
        .collect();
    let alike = dataset.look_alikes().iter().filter(|alike| names.contains(&alike.column.as_str()));
    remarks.extend(alike.map(ToString::to_string));
    match remarks.is_empty() {
        true => error.into(),
        false => anyhow::anyhow!("{error}\n{}", remarks.join("\n")),
    }
}

/// A noise that is named, or to be found out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NoiseChoice {
    Auto,
    Named(Noises),
}

impl std::str::FromStr for NoiseChoice {
    type Err = InvalidNoise;

    fn from_str(text: &str) -> Result<Self, InvalidNoise> {
        if text == "auto" { Ok(NoiseChoice::Auto) } else { text.parse().map(NoiseChoice::Named) }
    }
}

impl std::fmt::Display for NoiseChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoiseChoice::Auto => f.write_str("auto"),
            NoiseChoice::Named(noise) => noise.fmt(f),
        }
    }
}

/// How noise can be named.
fn help() -> String {
    format!("The noise family: {}; or auto, which fits the one that `compare` prefers", usage())
}

/// The same with what each family is.
fn long_help() -> String {
    let line = |family: &Listed| format!("- {}: {}\n", family.description.usage.join(", "), family.description.about);
    let families: String = FAMILIES.iter().map(line).collect();
    format!("The noise family:\n{families}- auto: the one that `compare` prefers")
}

/// The noise of one model.
#[derive(Debug, Args)]
pub(crate) struct NoiseArguments {
    #[arg(long, value_name = "FAMILY", default_value = "gaussian", help = help(), long_help = long_help())]
    pub(crate) noise: NoiseChoice,
    /// Where the tails of huber noise begin, in scales [default: 1.345]
    #[arg(long, value_name = "K", value_parser = parse_positive)]
    pub(crate) huber_k: Option<f64>,
    /// How the scale of huber noise is estimated: mle, mad, mad:CONSTANT or proposal2 [default: mle]
    #[arg(long, value_name = "HOW")]
    pub(crate) huber_scale: Option<HuberScale>,
}

impl NoiseArguments {
    /// Whether the noise is to be found out.
    ///
    /// # Errors
    /// Where it is and options were given that go with one family.
    pub(crate) fn is_auto(&self) -> Result<bool, Usage> {
        let auto = self.noise == NoiseChoice::Auto;
        let option = self.huber_k.map(|_| "--huber-k").or(self.huber_scale.map(|_| "--huber-scale"));
        match option {
            Some(option) if auto => {
                Err(Usage(format!("{option} goes with --noise huber alone, not with --noise auto")))
            }
            _ => Ok(auto),
        }
    }

    /// The noise, with Huber's own options; checked against the model's. Only where it is named: `fit` finds it out first.
    pub(crate) fn choice(&self, model: &ModelArguments) -> Result<Noises, Usage> {
        let noise = self.named()?;
        let can = noise.iter().all(|noise| noise.description().scale == ModelledScale::Always);
        if model.scale.is_some() && !can {
            return Err(Usage(format!(
                "--scale: the scale of {noise} noise cannot be modelled; it can for --noise {}",
                scalable(ModelledScale::Always)
            )));
        }
        Ok(noise)
    }

    /// The same, whatever the model's scale.
    pub(crate) fn named(&self) -> Result<Noises, Usage> {
        let noise = match &self.noise {
            NoiseChoice::Named(noise) => noise,
            NoiseChoice::Auto => {
                return Err(Usage(
                    "--noise auto goes with `noisefit fit` and its exact fits; `noisefit compare` says which noise it is, to be \
                     named here"
                        .to_owned(),
                ));
            }
        };
        let noise = match (&noise[..], self.huber_k, self.huber_scale) {
            (&[Noise::Huber(huber @ Huber { delta: None, .. })], own_k, own_scale) => {
                let (k, scale) = (own_k.map_or(huber.k, Parameter::Given), own_scale.unwrap_or(huber.scale));
                Noise::Huber(Huber { k, scale, ..huber }).into()
            }
            (_, None, None) => noise.clone(),
            (_, k, _) => {
                let (option, what) = match k {
                    Some(_) => ("--huber-k", "says where the tails begin in units of the estimated scale"),
                    None => ("--huber-scale", "says how the scale is estimated"),
                };
                return Err(Usage(format!(
                    "{option} {what}, and goes with --noise huber alone, not with --noise {noise}"
                )));
            }
        };
        Ok(noise)
    }
}

/// What a summary says of a design and the rows it met.
pub(crate) fn specification(design: &Design, counts: Counts) -> Specification {
    let (formula, layout) = (design.formula(), design.layout());
    let text = |expression: Option<&Expression>| expression.map(|expression| expression.text().to_owned());
    Specification {
        formula: formula.text().to_owned(),
        scale: formula.scale().map(ToString::to_string),
        weights: text(design.weights()),
        frequencies: text(design.frequencies()),
        response: layout.response.clone(),
        transforms_response: design.transforms_response(),
        terms: layout.coefficient_names(),
        counts,
    }
}

/// A place as summaries take it.
pub(crate) fn place(place: &RowPlace) -> Place<'_> {
    let RowPlace { row, file, record, values } = place;
    Place { row: *row, file, record: *record, values }
}

/// Says why there is nothing to fit.
pub(crate) fn explain(error: noisefit_core::Error, counts: Counts, dataset: &Dataset) -> anyhow::Error {
    let Counts { records, missing, weightless } = counts;
    let files = match dataset.files().len() {
        1 => dataset.file_name(0).to_owned(),
        more => format!("{} and {}", dataset.file_name(0), count_of(more as u64 - 1, "other file")),
    };
    match error {
        noisefit_core::Error::NoRows if records == 0 => {
            anyhow::anyhow!("{files}: there is a header but no row; a fit needs rows of data")
        }
        noisefit_core::Error::NoRows => {
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
