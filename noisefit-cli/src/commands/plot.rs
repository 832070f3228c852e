//! `noisefit plot`.

use clap::Args;
use noisefit::data::formula::Scope;
use noisefit::report::chart::{Chart, Figure, Kind};
use noisefit::report::charts;
use noisefit::{ChartOptions, CompareOptions, Fitted, ProfileOptions, parse};

use crate::arguments::{DataArguments, named};
use crate::files::{ModelFile, Output};
use crate::outcome::{Failure, Outcome};
use crate::picture::Destination;

#[derive(Debug, Args)]
#[command(mut_arg("data", |argument| argument.required(false)))]
#[command(after_help = "\
Examples:
  noisefit plot losses -o losses.svg
  noisefit plot residuals model.json engel.csv
  noisefit plot quantiles model.json engel.csv -o quantiles.pdf
  noisefit plot likelihood model.json engel.csv --term income --data -o likelihood.csv")]
pub(crate) struct PlotArguments {
    /// What is drawn
    #[arg(value_name = "KIND", value_parser = named::<Kind>())]
    pub(crate) kind: Kind,
    /// A model that `noisefit fit -o` saved; none for losses, gradients and densities
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<ModelFile>,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The term whose coefficient is varied, for likelihood and shape
    #[arg(long, value_name = "TERM")]
    pub(crate) term: Option<String>,
    /// The data of the chart as CSV in the place of the picture
    #[arg(long = "data")]
    pub(crate) as_data: bool,
    /// Write to a .svg, .png, .pdf, .csv or .json file [default: a terminal shows it, and what else reads gets SVG]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<Output>,
    /// The width of a chart
    #[arg(long, value_name = "PIXELS", default_value_t = 640, value_parser = clap::value_parser!(u32).range(240..=4000))]
    pub(crate) width: u32,
    /// The height of a chart
    #[arg(long, value_name = "PIXELS", default_value_t = 420, value_parser = clap::value_parser!(u32).range(180..=4000))]
    pub(crate) height: u32,
    /// Pixels of an inch of a PNG: --width and --height are in 96ths of an inch
    #[arg(long, value_name = "NUMBER", default_value_t = 192, value_parser = clap::value_parser!(u16).range(24..=1200))]
    pub(crate) dpi: u16,
    /// On dark ground
    #[arg(long)]
    pub(crate) dark: bool,
    /// Rows that are drawn, at most: of more a random sample
    #[arg(long, value_name = "ROWS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) points: u32,
    /// They are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The level of prediction bands
    #[arg(long, value_name = "LEVEL", default_value_t = 0.9, value_parser = parse::level)]
    pub(crate) level: f64,
}

/// Draws.
pub(crate) fn run(arguments: &PlotArguments) -> Result<Outcome, Failure> {
    let PlotArguments { kind, output, width, height, dpi, dark, as_data, .. } = arguments;
    let figure = Figure { width: f64::from(*width), height: f64::from(*height), dark: *dark, ..Figure::default() };
    let destination = Destination {
        output: output.as_ref().map(|Output(path)| path.as_path()),
        data: *as_data,
        figure,
        dpi: f64::from(*dpi),
    };
    destination.check()?;
    let charts = match kind {
        // One sheet to teach from.
        Kind::Losses if !as_data => vec![charts::losses(), charts::gradients(), charts::densities()],
        Kind::Losses => vec![charts::losses()],
        Kind::Gradients => vec![charts::gradients()],
        Kind::Densities => vec![charts::densities()],
        kind => of_model(arguments, *kind)?,
    };
    destination.write(&charts)?;
    Ok(Outcome::Done)
}

/// The charts of a model and its data.
fn of_model(arguments: &PlotArguments, kind: Kind) -> Result<Vec<Chart>, Failure> {
    let PlotArguments { model, data, term, points, seed, level, .. } = arguments;
    let (Some(ModelFile(model)), false) = (model, data.data.is_empty()) else {
        let what = format!(
            "`noisefit plot {kind}` needs a model that `noisefit fit -o` saved, and data: noisefit plot {kind} model.json data.csv"
        );
        return Err(Failure::Usage(what));
    };
    let fitted = Fitted::load(model)?;
    let (table, passes) = data.open_for(fitted.model().design.columns_needed(Scope::All))?;
    let options = ChartOptions { rows: *points as usize, seed: *seed, level: *level };
    let charts = match kind {
        Kind::Aic | Kind::LogScore | Kind::Lines => {
            let folds = if kind == Kind::LogScore { CompareOptions::default().folds } else { 0 };
            let compared = fitted.compare(Some(&table), &CompareOptions { folds, ..CompareOptions::default() })?;
            of_kind(compared.charts(&options)?, kind)?
        }
        Kind::Likelihood | Kind::Shape => {
            let Some(term) = term else {
                return Err(Failure::Usage(format!(
                    "`noisefit plot {kind}` needs --term, the coefficient that is varied"
                )));
            };
            of_kind(fitted.profile(Some(&table), &ProfileOptions::of(term))?.charts(), kind)?
        }
        kind => fitted.chart(kind, Some(&table), &options)?,
    };
    passes.finish();
    Ok(charts)
}

fn of_kind(charts: Vec<Chart>, kind: Kind) -> Result<Vec<Chart>, Failure> {
    let found: Vec<Chart> = charts.into_iter().filter(|chart| chart.kind == kind).collect();
    match found.is_empty() {
        true => Err(Failure::Usage(format!(
            "there is no chart '{kind}' of this model: it needs one regressor that is a number"
        ))),
        false => Ok(found),
    }
}
