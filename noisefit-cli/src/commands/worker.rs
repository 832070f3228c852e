//! `noisefit worker`: folds units of files for a row source in another process.

use std::path::PathBuf;

use clap::Args;
use noisefit::data::DataError;
use noisefit::data::formula::{Design, Scope};
use noisefit::data::source::SourceOptions;
use noisefit::data::worker::serve;

use crate::arguments::DataArguments;
use crate::outcome::{Failure, Outcome};

#[derive(Debug, Args)]
pub(crate) struct WorkerArguments {
    /// The design of the rows: what a formula has learned, as a model file has it
    #[arg(value_name = "DESIGN")]
    pub(crate) design: PathBuf,
    /// A column that says which rows belong together
    #[arg(long, value_name = "COLUMN")]
    pub(crate) cluster: Vec<String>,
    #[command(flatten)]
    pub(crate) data: DataArguments,
}

/// Answers requests on standard input until it ends.
pub(crate) fn run(arguments: &WorkerArguments) -> Result<Outcome, Failure> {
    let path = &arguments.design;
    let damaged = |why: String| DataError::Damaged { path: path.display().to_string(), format: "a design", why };
    let text = std::fs::read_to_string(path).map_err(|source| DataError::reading(path, source))?;
    let design: Design = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let design = design.with_clusters(&arguments.cluster).map_err(DataError::from)?;
    let (table, _) = arguments.data.open_for(design.columns_needed(Scope::All))?;
    let rows = table.rows(&design, SourceOptions::default())?;
    serve(&rows, &noisefit::kinds(), std::io::stdin().lock(), std::io::stdout().lock()).map_err(Failure::Io)?;
    Ok(Outcome::Done)
}
