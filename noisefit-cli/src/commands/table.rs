//! `noisefit table`.

use clap::Args;
use noisefit::report::tabulate::{Format, Options};
use noisefit::{Fitted, tabulate};

use crate::arguments::named;
use crate::files::{ModelFile, Output};
use crate::outcome::{Failure, Outcome};
use crate::output::print;
use crate::picture::write;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit table plain.json robust.json
  noisefit table plain.json robust.json --names OLS,Robust --format latex -o table.tex")]
pub(crate) struct TableArguments {
    /// Models that `noisefit fit -o` saved: a column each
    #[arg(value_name = "MODEL", required = true)]
    pub(crate) models: Vec<ModelFile>,
    /// How it is written
    #[arg(long, value_parser = named::<Format>(), default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Headings, with commas between [default: the names of the files]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    /// Stars at estimates by their p-values: * below 0.05, ** below 0.01, *** below 0.001
    #[arg(long)]
    pub(crate) stars: bool,
    /// Write it to a file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<Output>,
}

/// Sets models side by side.
pub(crate) fn run(arguments: &TableArguments) -> Result<Outcome, Failure> {
    let TableArguments { models, format, names, stars, output } = arguments;
    if !names.is_empty() && names.len() != models.len() {
        return Err(Failure::Usage(format!("--names has {} for {} models", names.len(), models.len())));
    }
    let fitted: Vec<Fitted> = models.iter().map(|ModelFile(path)| Fitted::load(path)).collect::<Result<_, _>>()?;
    let name = |k: usize| match names.get(k) {
        Some(name) => name.clone(),
        None => models[k].0.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    };
    let columns: Vec<(String, &Fitted)> = fitted.iter().enumerate().map(|(k, fitted)| (name(k), fitted)).collect();
    let text = tabulate(&columns, Options { format: *format, stars: *stars });
    match output {
        Some(Output(path)) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(Outcome::Done)
}
