//! `noisefit evaluate`.

use std::path::PathBuf;

use clap::Args;
use noisefit_core::inference::evaluate::{Evaluation, Scores};
use noisefit_core::rows::RowSourceExt;
use noisefit_data::formula::Scope;
use noisefit_data::model::FittedModel;
use noisefit_data::records::Records;
use noisefit_data::source::{Counts, DesignRows, SourceOptions, columns_of};
use noisefit_report::text::count_of;

use crate::arguments::{DataArguments, MissingChoice, OutputFormat, UnseenChoice, parse_level};
use crate::outcome::Outcome;
use crate::output::{print, print_json, warn};
use crate::progress::Passes;
use noisefit_report::evaluate::{outermost_coverage, summary};

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  noisefit evaluate model.json test.csv --level 0.9")]
pub(crate) struct EvaluateArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The level of the prediction intervals whose coverage is counted: conformal ones where the model has them
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse_level)]
    pub(crate) level: f64,
    /// Rows with a missing value
    #[arg(long, value_enum, default_value_t = MissingChoice::Drop)]
    pub(crate) missing: MissingChoice,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_enum, default_value_t = UnseenChoice::Fail)]
    pub(crate) unseen: UnseenChoice,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Scores and prints.
pub(crate) fn run(arguments: &EvaluateArguments) -> anyhow::Result<Outcome> {
    let model = FittedModel::load(&arguments.model)?;
    let data = &arguments.data;
    let dataset = data.open_for(model.design.columns_needed(Scope::All))?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    // A weighted model says how noisy a row is by its weight, so the weights are read, too.
    let names: Vec<&str> = model.design.columns_needed(Scope::All).iter().map(|field| field.name.as_str()).collect();
    columns_of(&model.design, &dataset, Scope::All)?;
    let records = Records::new(&dataset, &names, data.threads(), data.memory, &passes)?;
    let options =
        SourceOptions { missing: arguments.missing.into(), unseen: arguments.unseen.into(), scope: Scope::All };
    let rows = DesignRows::new(model.design.clone(), records, options);
    let mut empty: Vec<_> = match &model.network {
        Some(network) => Evaluation::of_network(network, arguments.level)?,
        None => model.fits.iter().map(|fit| Evaluation::new(fit, arguments.level)).collect::<Result<_, _>>()?,
    };
    // Of several quantiles there is one interval, which is counted with the first.
    if let (Some(conformal), Some(first)) = (&model.conformal, empty.first_mut()) {
        *first = first.clone().with_conformal(conformal);
    }
    let evaluations = rows.pass(empty)?;
    let counts = rows.counts();
    if counts.records == counts.missing + counts.weightless {
        anyhow::bail!(
            "{}: nothing to score: of {}, {} with a missing value are left out",
            dataset.file_name(0),
            count_of(counts.records, "row"),
            counts.missing
        );
    }
    let scores = evaluations.iter().map(Evaluation::finish).collect::<Result<Vec<_>, _>>()?;
    drop(rows);
    drop(passes);
    let too_few = model.conformal.as_ref().and_then(|conformal| conformal.too_few(arguments.level));
    match arguments.format {
        OutputFormat::Json => print_json(&record(&scores, counts)?)?,
        OutputFormat::Table => print(&summary(&scores, counts))?,
    }
    warn(too_few.as_slice());
    Ok(Outcome::Done)
}

/// The JSON object: the fields of the scores, or of several quantiles `fits`, a list of them.
fn record(scores: &[Scores], counts: Counts) -> serde_json::Result<serde_json::Map<String, serde_json::Value>> {
    let mut fields = serde_json::Map::new();
    fields.insert("schema".to_owned(), "noisefit.evaluate/1".into());
    match scores {
        [scores] => {
            if let serde_json::Value::Object(scores) = serde_json::to_value(scores)? {
                fields.extend(scores);
            }
        }
        several => {
            fields.insert("fits".to_owned(), serde_json::to_value(several)?);
            if let Some((level, coverage)) = outermost_coverage(several) {
                fields.insert("level".to_owned(), level.into());
                fields.insert("conformal_coverage".to_owned(), coverage.into());
            }
        }
    }
    fields.insert("dropped".to_owned(), counts.missing.into());
    Ok(fields)
}
