//! `noisefit export`.

use clap::Args;
use noisefit::{ExportOptions, Fitted};

use crate::arguments::OutputFormat;
use crate::files::{ModelFile, Output};
use crate::outcome::{Failure, Outcome};
use crate::output::{print, print_json, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit export model.json --onnx model.onnx
  noisefit export network.json --onnx network.onnx --safetensors network.safetensors")]
pub(crate) struct ExportArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
    /// Write what the model computes as an ONNX file
    #[arg(long, value_name = "FILE", required_unless_present = "safetensors")]
    pub(crate) onnx: Option<Output>,
    /// Write the weights of a network as a safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) safetensors: Option<Output>,
    /// How to print what was written
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Writes the files and prints what the ONNX file takes and gives.
pub(crate) fn run(arguments: &ExportArguments) -> Result<Outcome, Failure> {
    let path = |output: &Option<Output>| output.as_ref().map(|Output(path)| path.clone());
    let options = ExportOptions { onnx: path(&arguments.onnx), safetensors: path(&arguments.safetensors) };
    let exported = Fitted::load(&arguments.model.0)?.export(&options)?;
    match arguments.format {
        OutputFormat::Json => print_json(&exported)?,
        OutputFormat::Table => print(&exported.to_string())?,
    }
    warn(exported.warnings());
    Ok(Outcome::Done)
}
