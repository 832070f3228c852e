//! `noisefit evaluate`.

use clap::Args;
use noisefit::data::formula::{Scope, Unseen};
use noisefit::data::source::Missing;
use noisefit::{EvaluateOptions, Fitted, parse};

use crate::arguments::{DataArguments, named};
use crate::files::ModelFile;
use crate::outcome::{Failure, Outcome};
use crate::output::{TableFormat, print_table, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  noisefit evaluate model.json test.csv --level 0.9")]
pub(crate) struct EvaluateArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The level of the prediction intervals whose coverage is counted: conformal ones where the model has them
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse::level)]
    pub(crate) level: f64,
    /// Rows with a missing value
    #[arg(long, value_parser = named::<Missing>(), default_value_t = Missing::Drop)]
    pub(crate) missing: Missing,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_parser = named::<Unseen>(), default_value_t = Unseen::Refuse)]
    pub(crate) unseen: Unseen,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// Scores and prints.
pub(crate) fn run(arguments: &EvaluateArguments) -> Result<Outcome, Failure> {
    let &EvaluateArguments { level, missing, unseen, .. } = arguments;
    let fitted = Fitted::load(&arguments.model.0)?;
    let (table, passes) = arguments.data.open_for(fitted.model().design.columns_needed(Scope::All))?;
    let evaluated = fitted.evaluate(&table, &EvaluateOptions { level, missing, unseen })?;
    passes.finish();
    print_table(arguments.format, || evaluated.summary(), || evaluated.record(), || Ok(evaluated.tidy()))?;
    warn(&evaluated.warnings());
    Ok(Outcome::Done)
}
