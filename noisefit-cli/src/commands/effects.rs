//! `noisefit effects`.

use clap::Args;
use noisefit::data::formula::Unseen;
use noisefit::{At, Change, EffectsOptions, Fitted, Quantity, Slope, Units, Varied, parse};

use crate::arguments::{DataArguments, named};
use crate::files::{ModelFile, TableOutput};
use crate::outcome::{Failure, Files, Outcome};
use crate::output::{TableFormat, print_table, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit effects model.json data.csv
  noisefit effects model.json data.csv --of predictions --by city
  noisefit effects model.json data.csv --of comparisons --variables age=10,income=sd,city=pairwise
  noisefit effects model.json data.csv --at age=20,40,60 city=Paris
  noisefit effects model.json data.csv --variables income --at mean
  noisefit effects model.json data.csv -o effects.parquet
  noisefit effects log-model.json data.csv --slope eyex")]
pub(crate) struct EffectsArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Which averages over the rows
    #[arg(long, value_name = "WHAT", value_parser = named::<Quantity>(), default_value_t = Quantity::Slopes)]
    pub(crate) of: Quantity,
    /// Of slopes and comparisons the columns, each perhaps with its change: x, x=sd, city=pairwise [default: all of the location]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) variables: Vec<Varied>,
    /// Set columns in every row: x=1,2 city=Paris (every combination), x=mean, x=median; mean or median alone for all other numbers,
    /// with all other categories at their most common level
    #[arg(long, value_name = "COLUMN=VALUES", num_args = 1..)]
    pub(crate) at: Vec<At>,
    /// Average the rows of each group apart, by the values of these columns
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) by: Vec<String>,
    /// How a number changes in a comparison: a step such as 10, sd, 2sd (about the observed value), iqr, minmax [default: 1]
    #[arg(long, value_name = "CHANGE")]
    pub(crate) change: Option<Change>,
    /// Compare every pair of a category's levels, in place of each with the reference
    #[arg(long)]
    pub(crate) pairwise: bool,
    /// In which units slopes are
    #[arg(long, value_name = "UNITS", value_parser = named::<Slope>(), default_value_t = Slope::Dydx)]
    pub(crate) slope: Slope,
    /// Of what of a transformed response, such as log(y) [default: its mean where it has one, else its median]
    #[arg(long, value_name = "WHAT", value_parser = named::<Units>())]
    pub(crate) units: Option<Units>,
    /// The level of the intervals [default: that of the fit]
    #[arg(long, value_name = "LEVEL", value_parser = parse::level)]
    pub(crate) level: Option<f64>,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_parser = named::<Unseen>(), default_value_t = Unseen::Refuse)]
    pub(crate) unseen: Unseen,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
    /// Write the averages as a table, a .csv, .tsv, .ndjson or .parquet file, too
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<TableOutput>,
}

/// Averages and prints.
pub(crate) fn run(arguments: &EffectsArguments) -> Result<Outcome, Failure> {
    let EffectsArguments { model, data, of, variables, at, by, change, pairwise, slope, units, level, unseen, .. } =
        arguments;
    if *of != Quantity::Comparisons && change.is_some() {
        return Err(Failure::Usage("--change is one of comparisons: say --of comparisons, too".to_owned()));
    }
    if *of != Quantity::Slopes && *slope != Slope::Dydx {
        return Err(Failure::Usage("--slope is about slopes: leave --of out".to_owned()));
    }
    let fitted = Fitted::load(&model.0)?;
    let options = EffectsOptions {
        quantity: *of,
        variables: variables.clone(),
        at: at.clone(),
        by: by.clone(),
        change: *change,
        pairwise: *pairwise,
        slope: *slope,
        units: *units,
        level: *level,
        unseen: *unseen,
    };
    let (table, passes) = data.open_for(fitted.effects_columns())?;
    let effects = fitted.effects(Some(&table), &options)?;
    passes.finish();
    let mut files = Files::default();
    if let Some(TableOutput(path)) = &arguments.output {
        files.keep(effects.save(path))?;
    }
    print_table(arguments.format, || effects.summary(), || effects.record(), || Ok(effects.tidy()))?;
    warn(effects.warnings());
    files.ended(Outcome::Done)
}
